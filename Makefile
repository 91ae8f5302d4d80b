# Each target says what it does; `make help` lists them. Needs git, make and Python 3.11 or later, nothing else.

# The first of these that runs, is 3.11 or later and can make environments. Another: make PYTHON=/path/to/python test
PYTHON ?= $(shell for p in python3.11 python3.12 python3.13 python3 python; do \
	"$$p" -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo "$$p"; break; }; done)
# Every Python 3.11-3.13 of this machine: on the path, or kept by pyenv.
PYTHONS = $(shell for v in 3.11 3.12 3.13; do for p in python$$v "$$HOME"/.pyenv/versions/$$v.*/bin/python$$v; do \
	"$$p" -c 'import ensurepip' 2>/dev/null && { echo "$$p"; break; }; done; done)

VENV := .venv
VENV_TEST := .venv-test
VENV_LOWEST := .venv-lowest
RUN := $(VENV)/bin/python
TEST := $(VENV_TEST)/bin/python
PYTEST_OPTIONS ?=
PIP_INSTALL := -m pip install --quiet --disable-pip-version-check

# $(call make_venv,FOLDER): an environment with pip, made anew when it is missing or broken.
define make_venv
	@test -n "$(PYTHON)" || { echo "No Python 3.11 or later with venv was found. Install one, or say make PYTHON=/path/to/python" >&2; exit 1; }
	@$(1)/bin/python -c 'import pip' 2>/dev/null || { rm -rf $(1) && $(PYTHON) -m venv $(1); }
endef

.DEFAULT_GOAL := help
.PHONY: help setup setup-test example test test-slow test-lowest test-pythons lint types check train-smoke size hooks build clean

help:  ## list these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

setup: $(VENV)/.stamp  ## .venv: the base install, inference without torch

setup-test: $(VENV_TEST)/.stamp  ## .venv-test: everything, for training and tests (brings torch)

$(VENV)/.stamp: pyproject.toml
	@echo "Setting up $(VENV) (base install, no torch) ..." >&2
	$(call make_venv,$(VENV))
	@$(RUN) $(PIP_INSTALL) -e .
	@touch $@

$(VENV_TEST)/.stamp: pyproject.toml constraints.txt
	@echo "Setting up $(VENV_TEST) (brings torch; takes minutes) ..." >&2
	$(call make_venv,$(VENV_TEST))
	@PIP_CONSTRAINT=constraints.txt $(TEST) $(PIP_INSTALL) -e '.[train,test]'
	@touch $@

$(VENV_LOWEST)/.stamp: pyproject.toml constraints-lowest.txt
	@echo "Setting up $(VENV_LOWEST) (lowest versions) ..." >&2
	$(call make_venv,$(VENV_LOWEST))
	@PIP_CONSTRAINT=constraints-lowest.txt $(VENV_LOWEST)/bin/python $(PIP_INSTALL) -e '.[train,test]'
	@touch $@

example: $(VENV)/.stamp  ## set up, then print the events of the example reports
	@$(RUN) predict.py examples --format table

test: $(VENV_TEST)/.stamp  ## set up, then run the tests (not the slow ones)
	@OMP_NUM_THREADS=1 $(TEST) -m pytest $(PYTEST_OPTIONS)

test-slow: $(VENV_TEST)/.stamp  ## the slow tests: the shipped checkpoint against its recorded scores
	@OMP_NUM_THREADS=1 $(TEST) -m pytest -m slow $(PYTEST_OPTIONS)

test-lowest: $(VENV_LOWEST)/.stamp  ## the tests with the lowest versions that pyproject.toml admits (Python 3.11)
	@OMP_NUM_THREADS=1 $(VENV_LOWEST)/bin/python -m pytest $(PYTEST_OPTIONS)

test-pythons:  ## the tests without torch, on each Python 3.11-3.13 of this machine
	@for p in $(PYTHONS); do \
		version=$$("$$p" -c 'import sys; print("%d.%d" % sys.version_info[:2])') && venv=.venv-py$$version && \
		echo "Python $$version ($$p)" && \
		{ "$$venv/bin/python" -c 'import pip' 2>/dev/null || { rm -rf "$$venv" && "$$p" -m venv "$$venv"; }; } && \
		"$$venv/bin/python" $(PIP_INSTALL) -e '.[test]' && \
		OMP_NUM_THREADS=1 "$$venv/bin/python" -m pytest $(PYTEST_OPTIONS) || exit 1; \
	done

lint: $(VENV_TEST)/.stamp  ## ruff
	@$(TEST) -m ruff check .

types: $(VENV_TEST)/.stamp  ## mypy --strict
	@$(TEST) -m mypy

check: lint types test  ## lint, types, test

train-smoke: $(VENV_TEST)/.stamp  ## train for seconds on a CPU, to see that training runs
	@OMP_NUM_THREADS=1 $(TEST) train.py configs/smoke.yaml

size: $(VENV)/.stamp  ## megabytes of the base install with the packaged model, less pip itself; fails over 250
	@{ du -sk $(VENV) model; du -sk $(VENV)/lib/python*/site-packages/pip $(VENV)/lib/python*/site-packages/setuptools \
		2>/dev/null | sed 's/^/-/'; } | awk '{ sum += $$1; printf "%6.1f MB  %s\n", $$1 / 1024, $$2 } \
		END { printf "%6.1f MB  in all\n", sum / 1024; exit sum / 1024 > 250 }'

hooks: $(VENV_TEST)/.stamp  ## run ruff and mypy before each commit (pre-commit)
	@$(TEST) $(PIP_INSTALL) pre-commit
	@$(TEST) -m pre_commit install

build: $(VENV_TEST)/.stamp  ## dist/: wheel and source archive
	@rm -rf dist
	@$(TEST) -m hatchling build -d dist

clean:  ## remove environments, builds and caches (runs/ stays)
	rm -rf .venv .venv-test .venv-lowest .venv-py3.* dist build .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find model tests -name __pycache__ -type d -prune -exec rm -rf {} +
