# `make help` lists the targets. Everything happens inside .venv; nothing outside the clone is touched.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
# Pins live in constraints.txt; a changed pin or dependency makes the environment stale and it is installed again.
RUN_STAMP := $(VENV)/.installed-run
DEV_STAMP := $(VENV)/.installed-dev
# One more than the two cores it is meant for: a quarter of the time a test waits for what it watches.
WORKERS ?= 3
# The vendor's connector of the Lakehouse cannot live beside our packages, so it has an environment of its own: 430 MB.
CONNECTOR ?= clickzetta-connector==1.0.31
CONNECTOR_VENV := .venv-connector
CONNECTOR_STAMP := $(CONNECTOR_VENV)/.installed

# Without bytecode each of the many processes that the tests start would compile all modules again.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help run test thorough connector check format lint types imports spelling bench screenshots snapshots clean

help:  ## list the targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | sort | awk -F'\t' '{printf "  make %-12s %s\n", $$1, $$2}'

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(RUN_STAMP): pyproject.toml constraints.txt | $(BIN)/python
	@echo 'Installing into $(VENV): about a minute, once.'
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[embedded]'
	@touch $@

# Compiled when they are imported: most modules of what the clouds and the tests need never are.
$(DEV_STAMP): pyproject.toml constraints.txt | $(BIN)/python
	$(BIN)/python -m pip install --quiet --no-compile --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@ $(RUN_STAMP)

run: $(RUN_STAMP)  ## install if needed, and open the console on the built-in profile `embedded`
	@$(BIN)/housekeys

test: $(DEV_STAMP)  ## run the whole test suite
	$(BIN)/python -m pytest -n $(WORKERS)

thorough: $(DEV_STAMP)  ## try every property with fifty times as many examples: for a night
	$(BIN)/python -m pytest -n $(WORKERS) --hypothesis-profile=thorough tests/unit tests/engine

# Without constraints.txt: what the connector needs contradicts it.
$(CONNECTOR_STAMP):
	$(PYTHON) -m venv --clear $(CONNECTOR_VENV)
	$(CONNECTOR_VENV)/bin/python -m pip install --quiet --disable-pip-version-check '$(CONNECTOR)' pytest
	@touch $@

connector: $(CONNECTOR_STAMP)  ## drive our Lakehouse stub by the vendor's own connector, in an environment of its own
	$(CONNECTOR_VENV)/bin/python -m pytest -q -p no:cacheprovider --noconftest -c /dev/null --rootdir=. tests/connector

check: format lint types imports spelling test  ## everything CI runs

format: $(DEV_STAMP)  ## check the formatting
	$(BIN)/ruff format --check .

lint: $(DEV_STAMP)  ## check the code with ruff
	$(BIN)/ruff check .

types: $(DEV_STAMP)  ## check the types with mypy
	$(BIN)/mypy

imports: $(DEV_STAMP)  ## check that imports run downwards
	$(BIN)/lint-imports --no-cache

spelling: $(DEV_STAMP)  ## check the spelling
	$(BIN)/codespell

bench: $(DEV_STAMP)  ## measure, each figure as a ratio against a baseline in the same run
	$(BIN)/python -m tests.bench

screenshots: $(DEV_STAMP)  ## make the pictures in screenshots/ from the real console
	$(BIN)/python -m tests.screenshots

snapshots: $(DEV_STAMP)  ## accept the current look of the screens as the expected one
	$(BIN)/python -m pytest -n $(WORKERS) tests/console --snapshot-update

clean:  ## remove the environments and build products
	rm -rf $(VENV) $(CONNECTOR_VENV) build *.egg-info .mypy_cache .ruff_cache .hypothesis
