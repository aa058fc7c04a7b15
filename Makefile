# make run    sets up .venv and runs the workflow on the demo
# make test   sets up .venv and runs lint and all tests

SHELL := /bin/bash
PYTHON ?= python3
CORES ?= all
BIN := .venv/bin
RESULTS := results
MPLCONFIGDIR ?= $(CURDIR)/.venv/matplotlib
export MPLCONFIGDIR

.PHONY: run test lint bench lock clean

run: .venv/run.stamp
	$(BIN)/snakemake --cores $(CORES)
	@printf '\nLook at\n'
	@printf '  %s\n' $(RESULTS)/stacks.csv $(RESULTS)/objects.csv $(RESULTS)/columns.csv $(RESULTS)/*/figures/*.png $(RESULTS)/*/nuclei/labels.ome.tif

test: lint
	$(BIN)/pytest -n 2 --dist loadfile

lint: .venv/test.stamp
	$(BIN)/ruff check --quiet .
	$(BIN)/ruff format --check --quiet .
	$(BIN)/snakefmt --check Snakefile rules
	$(BIN)/snakemake --lint

bench: .venv/run.stamp
	$(BIN)/python benchmarks/bench.py

# the interpreter of .venv must be 3.11 or newer; said before anything is installed
.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "cellstack needs Python 3.11 or newer: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	$(PYTHON) -m venv .venv

.venv/run.stamp: requirements.txt | .venv/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	touch $@

.venv/test.stamp: requirements-dev.txt .venv/run.stamp
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	touch $@

# pins the newest versions; needs uv on the path
lock:
	uv pip compile --universal --python-version 3.11 --generate-hashes --fork-strategy fewest --no-header --quiet --upgrade requirements.in -o requirements.txt
	uv pip compile --universal --python-version 3.11 --generate-hashes --fork-strategy fewest --no-header --quiet --upgrade requirements-dev.in -o requirements-dev.txt
	$(PYTHON) envs/pin.py

clean:
	rm -rf results results-* resources logs logs-* .snakemake
