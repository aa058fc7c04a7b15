# make run            install into .venv and run the demo
# make quick          lint and unit tests, less than 90 s
# make test           lint and all tests, except those on a cluster
# make test-cluster   tests on a local Slurm with three nodes; as root on Debian or Ubuntu
# make formats        install the optional packages for microscope files and other inputs
# make export         install the optional packages for Parquet and AnnData
# make classify       install the optional package for classifiers of objects
# make view           install napari, for `python scripts/view.py`
# make docs           update the generated tables, and build the documentation site in site/
# make accuracy       score simulated and real stacks
# make bench          measure the run time of cellstack and other tools
# make bench-large    measure stacks that are cut into blocks, in 45 minutes and 60 GB
# make resources      measure the jobs, and fit the memory and time that the rules request
# make lock           pin the newest versions of all requirements
# make audit          compare them with the published list of vulnerabilities

SHELL := /bin/bash
PYTHON ?= python3
CORES ?= all
BIN := .venv/bin
RESULTS := results
REQUIREMENTS := envs/requirements
MPLCONFIGDIR ?= $(CURDIR)/.venv/matplotlib
export MPLCONFIGDIR

PIP_INSTALL := -m pip install --quiet --disable-pip-version-check --require-hashes
COMPILE := uv pip compile --universal --python-version 3.11 --generate-hashes \
	--fork-strategy fewest --no-header --quiet --upgrade

.PHONY: run quick test test-cluster lint formats export classify view docs bench bench-large accuracy resources lock audit clean

run: .venv/run.stamp
	$(BIN)/snakemake --cores $(CORES)
	@printf '\nLook at\n'
	@printf '  %s\n' $(RESULTS)/index.html $(RESULTS)/stacks.csv $(RESULTS)/objects.csv $(RESULTS)/columns.csv \
		$(RESULTS)/*/figures/*.png $(RESULTS)/*/nuclei/labels.ome.tif

quick: lint
	$(BIN)/pytest -n 2 --dist loadfile -m "not slow" --hypothesis-profile quick \
		tests/unit scripts/cellstack

test: lint
	$(BIN)/pytest -n 2 --dist loadfile --no-loadscope-reorder

lint: .venv/dev.stamp
	$(BIN)/ruff check --quiet .
	$(BIN)/ruff format --check --quiet .
	$(BIN)/mypy
	$(BIN)/snakefmt --check Snakefile rules
	$(BIN)/snakemake --lint
	$(BIN)/python docs/build_reference.py --check

formats: .venv/formats.stamp

export: .venv/export.stamp

classify: .venv/classify.stamp

view: .venv/view.stamp

# a link without a target is an error
docs: .venv/run.stamp .venv/docs.stamp
	$(BIN)/python docs/build_reference.py
	.venv/docs/bin/python docs/build_site.py

# installs Slurm if it is missing, and stops it after the tests, whether or not they pass
test-cluster: .venv/dev.stamp .venv/slurm.stamp
	tests/cluster/start-slurm.sh --fresh
	$(BIN)/pytest -n 4 --dist worksteal tests/cluster; code=$$?; \
		tests/cluster/stop-slurm.sh --purge; exit $$code

# includes real stacks if CELLSTACK_DATA is set to their folder
accuracy: .venv/run.stamp
	$(BIN)/python benchmarks/accuracy.py

bench: .venv/run.stamp .venv/peers.stamp
	$(BIN)/python benchmarks/bench.py

# includes real stacks, as `make accuracy`
bench-large: .venv/run.stamp
	$(BIN)/python benchmarks/large.py

resources: .venv/run.stamp
	$(BIN)/python benchmarks/fit_resources.py

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "cellstack needs Python 3.11 or newer:" \
			"make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	$(PYTHON) -m venv .venv

.venv/run.stamp: $(REQUIREMENTS)/run.txt | .venv/bin/python
	$(BIN)/python $(PIP_INSTALL) -r $<
	touch $@

.venv/dev.stamp .venv/formats.stamp .venv/export.stamp .venv/classify.stamp .venv/slurm.stamp .venv/view.stamp: \
		.venv/%.stamp: $(REQUIREMENTS)/%.txt .venv/run.stamp
	$(BIN)/python $(PIP_INSTALL) -r $<
	touch $@

.venv/dev.stamp: .venv/formats.stamp .venv/export.stamp .venv/classify.stamp

# the other tools of `make bench`, and those of `make audit` and `make docs`, each in a separate environment
.venv/peers.stamp .venv/audit.stamp .venv/docs.stamp: .venv/%.stamp: $(REQUIREMENTS)/%.txt | .venv/bin/python
	$(PYTHON) -m venv .venv/$*
	.venv/$*/bin/python $(PIP_INSTALL) -r $<
	touch $@

# needs uv on the path
lock:
	cd $(REQUIREMENTS) && for name in run formats export classify dev slurm view peers audit docs; do \
		$(COMPILE) $$name.in -o $$name.txt || exit 1; done
	$(PYTHON) envs/pin.py

# status 1: a vulnerability is known; 2: the list cannot be reached
audit: .venv/audit.stamp
	.venv/audit/bin/python envs/audit.py

clean:
	rm -rf results results-* resources logs logs-* site .snakemake
