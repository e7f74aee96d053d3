# Every target sets up what it needs in .venv; nothing is installed elsewhere.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: demo test lint check conformance jsonata bench fuzz corpus clean

demo: $(READY)            ## the AMI batch on the embedded services: images made, then failures on purpose
	@PATH="$(CURDIR)/$(BIN):$$PATH" bash examples/ami-backup/demo.sh

test: $(READY)            ## lint, types, contracts, and the whole test suite
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --verbose
	$(BIN)/pytest

check: $(READY)           ## the test suite alone: make check ARGS="-k map"
	$(BIN)/pytest $(ARGS)

conformance: $(READY)     ## replay recordings: make conformance CASES=folder [KINDS=…] [NEEDS=none|any] [LANGUAGE=…] [ONLY=regex] [ARGS=…]
	$(BIN)/python -m conformance "$(CASES)" --kinds "$(KINDS)" --needs "$(NEEDS)" --language "$(LANGUAGE)" --only "$(ONLY)" $(ARGS)

jsonata: $(READY)         ## JSONata's official cases: make jsonata CASES=folder
	$(BIN)/python -m conformance.jsonata_suite "$(CASES)" $(ARGS)

corpus: $(READY)          ## published definitions: make corpus CASES=folder
	$(BIN)/python -m conformance.corpus "$(CASES)" $(ARGS)

bench: $(READY)           ## figures, each beside a bare loop or a peer in the same run
	$(BIN)/python benchmarks/machine.py

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

$(READY): pyproject.toml requirements.txt
	$(PYTHON) -c 'import sys; sys.exit("Kaidan needs Python 3.11 or newer" if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@
