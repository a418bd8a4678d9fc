# One vocabulary for people and for CI. `make` alone lists the verbs.
.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON ?= $(firstword $(shell command -v python3.11) $(shell command -v python3) python3)
VENV := $(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11) and "make: needs Python 3.11, found %s; type make PYTHON=/path/to/python3.11" % sys.version.split()[0])' && $(PYTHON) -m venv .venv
BIN := $(CURDIR)/.venv/bin
PIP := .venv/bin/pip install --quiet --disable-pip-version-check --no-compile --constraint constraints.txt
LOCK := uv pip compile --quiet --python-version 3.11 --python-platform linux --custom-compile-command "make lock" $(if $(UPGRADE),--upgrade)
PART := $(LOCK) --constraint constraints.txt --no-annotate
SERVE := $(PART) pyproject.toml --extra serve
IMAGE := irisline/release/packaging/image/requirements
PULLING := .dvc/tmp/pulling
RENDERED := $(patsubst %.dvc,%,$(wildcard pretrain/weights/*.dvc))
PYTEST := PYTHONDONTWRITEBYTECODE= OMP_NUM_THREADS=1 pytest -n 3 --dist loadfile --no-loadscope-reorder
export PATH := $(BIN):$(PATH)
export DO_NOT_TRACK := 1
export DVC_NO_ANALYTICS := 1
export BENTOML_DO_NOT_TRACK := True
export MLFLOW_DISABLE_TELEMETRY := true
export PYTHONUNBUFFERED := 1

.PHONY: help install lock recovered data snapshot repro ui serve bento container up down test coverage check bench format

help: ## list the verbs
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-9s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: .venv/installed ## create .venv with the locked dependencies (about 2 GB, once)

.venv/installed: constraints.txt pyproject.toml
	@$(VENV)
	@echo "Installing the locked dependencies into .venv (about 2 GB, once) ..."
	@$(PIP) --editable '.[pipeline,serve,dev]'
	@.venv/bin/python -m compileall -q -j 0 .venv/lib >/dev/null 2>&1 || true # on all cores; some files are no Python of ours
	@touch $@

lock: .venv/bin/uv ## lock every version anew after a change of pyproject.toml (UPGRADE=1 for newer ones)
	@$(LOCK) pyproject.toml --all-extras --output-file constraints.txt
	@$(SERVE) --output-file $(IMAGE).txt
	@$(SERVE) --extra follow --output-file $(IMAGE)-follow.txt
	@$(SERVE) --extra cuda --output-file $(IMAGE)-gpu.txt
	@$(SERVE) --extra follow --extra cuda --output-file $(IMAGE)-follow-gpu.txt
	@$(PART) deploy/mlflow/requirements.in --output-file deploy/mlflow/requirements.txt

.venv/bin/uv:
	@$(VENV) && $(PIP) uv

data: install recovered $(RENDERED) ## fetch the pool that data.dvc pins, unless data/ is there, and the weights to start from
	@if [ ! -d data ] || [ -e $(PULLING) ]; then \
		mkdir -p $(dir $(PULLING)) && touch $(PULLING) && dvc pull --quiet data.dvc && rm $(PULLING); fi

recovered: | install
	@python -m irisline.core.recovery

$(RENDERED): %: %.dvc | install recovered
	@dvc pull --quiet $< && touch $@

snapshot: data ## search the web for pictures under accepted licences, add them to data/, pin it (RETRY=1 to try again what failed)
	@irisline snapshot $(if $(RETRY),--retry)

repro: data ## from the pool to a promoted model: what has changed runs again (CHECK=1: fails when it may not be used)
	@started=$$(date +%s) && dvc repro && irisline publish --promote && irisline summary --since $$started $(if $(CHECK),--check)

ui: install ## open the MLflow UI over the local store on 127.0.0.1:5000
	@irisline ui

serve: install ## answer over HTTP on 127.0.0.1:3000, with a page to drop pictures on; follows the champion
	@irisline serve

bento: install ## pack the champion, or VERSION=n, as a Bento (GPU=1, FOLLOW=1)
	@irisline bento $(if $(VERSION),--version $(VERSION)) $(if $(GPU),--gpu) $(if $(FOLLOW),--follow)

container: install ## build its image with docker or podman (VERSION=n, GPU=1, FOLLOW=1)
	@irisline container $(if $(VERSION),--version $(VERSION)) $(if $(GPU),--gpu) $(if $(FOLLOW),--follow)

up: ## start the service and MLflow with docker or podman (GPU=1, POSTGRES=1)
	@deploy/compose.sh up --detach

down: ## end what make up has started; what is stored stays
	@deploy/compose.sh down --remove-orphans

test: data ## run every test and say what was skipped and why
	@$(PYTEST)

coverage: data ## run every test, and name the lines that none has run; it takes half as long again
	@$(PYTEST) --cov --cov-report=term:skip-covered

# After "make check test" every test has run, the fast ones once.
check: install ## lint, types and the fast tests
	@ruff check . && ruff format --check . && mypy
	@$(if $(filter test,$(MAKECMDGOALS)),,$(PYTEST) -m "not slow" -q)

bench: repro ## measure every claim of speed and memory as a ratio
	@for bench in bench/[a-z]*.py; do python -m bench.$$(basename $$bench .py) || exit 1; done

format: install ## format the code
	@ruff check --fix-only --quiet . && ruff format .
