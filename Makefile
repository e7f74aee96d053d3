# Every target sets up what it needs in .venv; nothing is installed elsewhere.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: demo test check conformance jsonata corpus bench bench-peers bench-open bench-map convert-corpus crash fuzz fuzz-http clean

demo: $(READY)            ## the AMI batch on the embedded services: images made, then failures on purpose
	@PATH="$(CURDIR)/$(BIN):$$PATH" bash examples/ami-backup/demo.sh

test: $(READY)            ## lint, types, contracts, and the whole test suite
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --verbose
	$(BIN)/pytest -n auto --maxprocesses 8

check: $(READY)           ## the test suite alone: make check ARGS="-k map"
	$(BIN)/pytest $(ARGS)

conformance: $(READY)     ## replay recordings: make conformance CASES=folder [KINDS=…] [NEEDS=none|any] [LANGUAGE=…] [ONLY=regex] [ARGS=…]
	$(BIN)/python -m conformance "$(CASES)" --kinds "$(KINDS)" --needs "$(NEEDS)" --language "$(LANGUAGE)" --only "$(ONLY)" $(ARGS)

jsonata: $(READY)         ## JSONata's official cases: make jsonata CASES=folder
	$(BIN)/python -m conformance.jsonata_suite "$(CASES)" $(ARGS)

corpus: $(READY)          ## published definitions: make corpus CASES=folder
	$(BIN)/python -m conformance.corpus "$(CASES)" $(ARGS)

convert-corpus: $(READY)  ## converted definitions against their originals: make convert-corpus CASES=folder
	$(BIN)/python -m conformance.convert_corpus "$(CASES)" $(ARGS)

bench: $(READY)           ## figures, each beside a bare loop or a peer in the same run
	$(BIN)/python -m benchmarks.machine

bench-peers: $(READY) benchmarks/.peers/.ready   ## rates beside moto and ministack, durable against in memory
	$(BIN)/python -m benchmarks.peers $(ARGS)

benchmarks/.peers/.ready:
	$(PYTHON) -m venv benchmarks/.peers
	benchmarks/.peers/bin/pip install --quiet --disable-pip-version-check ministack==1.5.33
	@touch $@

bench-open: $(READY)      ## a million executions open in a Wait: make bench-open ARGS="--count 10000"
	$(BIN)/python -m benchmarks.open $(ARGS)

bench-map: $(READY)       ## a Distributed Map over a million rows, then killed half-way: make bench-map ARGS="--rows 50000"
	$(BIN)/python -m benchmarks.map_run $(ARGS)

crash: $(READY)           ## kill -9 at random moments of a workload: make crash ARGS="--kills 20"
	$(BIN)/python -m benchmarks.crash $(ARGS)

fuzz: $(READY)            ## mutants of definitions: make fuzz ARGS="--mutants 10000"
	$(BIN)/python -m tests.fuzz.definitions $(ARGS)

fuzz-http: $(READY)       ## hostile requests to a server: make fuzz-http ARGS="--requests 5000 --seed 1"
	$(BIN)/python -m tests.fuzz.http $(ARGS)

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

$(READY): pyproject.toml requirements.txt
	$(PYTHON) -c 'import sys; sys.exit("Kaidan needs Python 3.11 or newer" if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@
