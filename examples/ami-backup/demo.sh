#!/usr/bin/env bash
# The AMI batch on the emulated AWS: once as it should go, once with images that fail on purpose.
set -u
cd "$(dirname "$0")"

echo "── Images of every instance tagged Backup=true ─────────────────────────────────────────"
kaidan run ami-backup.asl.json --input input.json --emulate --skip-waits || exit 1

echo
echo "── The same batch, where some images fail on purpose ───────────────────────────────────"
kaidan run ami-backup.asl.json --input input-failing.json --emulate --skip-waits
status=$?

echo
echo "The second run ended with exit status $status: a batch that did not do its work says so."
[ "$status" -eq 1 ]
