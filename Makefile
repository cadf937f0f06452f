# Everything sets itself up: the virtual environment, packages and, for tests, Debian packages. `make help` lists all.
SHELL := /bin/bash
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
PY := $(VENV)/bin/python
export PORT ?= 8000
export GOASSIST_DATA ?= ./var

.DEFAULT_GOAL := help
.PHONY: help run run-distributed test test-postgres check bench audit client requirements clean

help: ## This list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-18s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo "  PORT (now $(PORT)) and GOASSIST_DATA (now $(GOASSIST_DATA)) are honoured; docs/configuration.md has the rest."

run: $(VENV)/.base ## A talking assistant on http://127.0.0.1:$PORT, everything in one process
	@exec $(PY) manage.py runembedded

run-distributed: $(VENV)/.base ## Web, workers and Celery as processes of their own; wants DATABASE_URL and REDIS_URL
	@exec $(PY) scripts/run_distributed.py

test: $(VENV)/.dev ## All tests, with real Redis, PostgreSQL, Chromium and speech; ARGS="tests/house -q": those
	@scripts/debian-packages chromium redis-server postgresql flite sox coturn
	@$(PY) -m $(if $(ARGS),pytest $(ARGS),tests.lanes)

test-postgres: $(VENV)/.dev ## Only the office's tests, on PostgreSQL instead of SQLite (`make test` has them too)
	@scripts/debian-packages postgresql
	@$(PY) -m tests.on_postgres tests/sessions_app

check: $(VENV)/.dev ## Style, types, layers
	@$(VENV)/bin/ruff check .
	@$(VENV)/bin/ruff format --check .
	@$(VENV)/bin/mypy pipeline sessions_app goassist_site
	@$(VENV)/bin/lint-imports

bench: $(VENV)/.bench ## Latency and cost on this machine, peers beside us: an hour; ARGS="--quick" takes minutes
	@scripts/debian-packages chromium flite sox
	@$(PY) -m benchmarks $(or $(ARGS),--peers --charts docs/charts)

audit: ## Known holes in pinned packages, as the OSV database has them; needs the network
	@$(PYTHON) scripts/audit $(ARGS)

client: $(VENV)/.dev ## The typed Python client of the API, into clients/python (see its README)
	@scripts/generate-client

requirements: $(VENV)/.dev ## Pin requirements/*.in anew
	@scripts/pin-requirements

clean: ## Remove the virtual environments (data in $GOASSIST_DATA stays)
	rm -rf $(VENV) .venv-llm .venv-pipecat .venv-livekit

$(VENV)/.base: requirements.txt
	@PYTHON="$(PYTHON)" scripts/install $(VENV) requirements.txt
	@touch $@

$(VENV)/.bench: requirements/bench.txt $(VENV)/.base
	@PYTHON="$(PYTHON)" scripts/install $(VENV) requirements/bench.txt
	@touch $@

$(VENV)/.dev: requirements/dev.txt $(VENV)/.base
	@PYTHON="$(PYTHON)" scripts/install $(VENV) requirements/dev.txt
	@touch $@
