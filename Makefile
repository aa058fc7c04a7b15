# make run    sets up .venv and runs the workflow on the demo
# make test   sets up .venv and runs lint and all tests
# make test-cluster   runs the workflow on a Slurm of three nodes on this machine; as root on Debian or Ubuntu
# make claims   measures what jobs take, and fits the memory and time that rules claim

SHELL := /bin/bash
PYTHON ?= python3
CORES ?= all
BIN := .venv/bin
RESULTS := results
MPLCONFIGDIR ?= $(CURDIR)/.venv/matplotlib
export MPLCONFIGDIR

.PHONY: run test test-cluster lint bench accuracy claims lock clean

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

# Slurm is installed where it is absent, and ends with the tests, whatever comes of them
test-cluster: .venv/test.stamp .venv/slurm.stamp
	tests/cluster/start-slurm.sh --fresh
	$(BIN)/pytest -n 4 --dist worksteal tests/cluster; code=$$?; tests/cluster/stop-slurm.sh --purge; exit $$code

claims: .venv/run.stamp
	$(BIN)/python benchmarks/fit_claims.py

# real stacks too, where CELLSTACK_DATA is their folder
accuracy: .venv/run.stamp
	$(BIN)/python benchmarks/accuracy.py

bench: .venv/run.stamp .venv/peers.stamp
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

.venv/slurm.stamp: requirements-slurm.txt .venv/run.stamp
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-slurm.txt
	touch $@

# other tools that the bench runs beside cellstack, in an environment of their own
.venv/peers.stamp: requirements-peers.txt | .venv/bin/python
	$(PYTHON) -m venv .venv/peers
	.venv/peers/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-peers.txt
	touch $@

# pins the newest versions; needs uv on the path
lock:
	uv pip compile --universal --python-version 3.11 --generate-hashes --fork-strategy fewest --no-header --quiet --upgrade requirements.in -o requirements.txt
	uv pip compile --universal --python-version 3.11 --generate-hashes --fork-strategy fewest --no-header --quiet --upgrade requirements-dev.in -o requirements-dev.txt
	uv pip compile --universal --python-version 3.11 --generate-hashes --fork-strategy fewest --no-header --quiet --upgrade requirements-slurm.in -o requirements-slurm.txt
	uv pip compile --universal --python-version 3.11 --generate-hashes --fork-strategy fewest --no-header --quiet --upgrade requirements-peers.in -o requirements-peers.txt
	$(PYTHON) envs/pin.py

clean:
	rm -rf results results-* resources logs logs-* .snakemake
