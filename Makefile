# Needs only Python >= 3.11, Node >= 20.19 and make; everything else is fetched into this folder.
PYTHON := $(shell for name in python3.13 python3.12 python3.11 python3 python; do \
  if $$name -c 'import sys, venv; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then echo $$name; break; fi; done)
ifeq ($(PYTHON),)
  $(error Python 3.11 or newer is needed and none was found (python3.13, python3.12, python3.11, python3))
endif
TASKS := $(PYTHON) tools/workspace

.DEFAULT_GOAL := help
.PHONY: help setup up test lint structure lock openapi demo-reset faults containers deployed bench twin-report ml-model ml-report

help: ## show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

setup: ## install everything that changed (Python environment, dashboard); fast when nothing did
	@$(TASKS) setup

up: ## bring the whole platform up and stay in the foreground; PORT=, DATA_DIR=, BATTERY_HISTORY_DAYS= are heeded
	@$(TASKS) setup --for-up
	@exec .venv/bin/battery-up

test: ## run every suite; SUITES="lint api" runs some
	@$(TASKS) test $(SUITES)

lint: ## run the linters and type checkers only
	@$(TASKS) test lint

structure: ## print sizes, import cycles, repeated names and test lines of every member
	@$(TASKS) setup --quiet
	@.venv/bin/python tools/workspace/structure.py

lock: ## upgrade the dependencies and write requirements/*.txt
	@$(TASKS) lock

openapi: ## write contracts/openapi/*.json
	@$(TASKS) openapi

demo-reset: ## remove DATA_DIR (.data) after asking; FORCE=1 does not ask
	@$(TASKS) setup --for-up --quiet
	@.venv/bin/battery-up reset

faults: ## kill, freeze, flood and fill a platform of its own, and print what it survived; about 10 minutes
	@$(TASKS) setup
	@.venv/bin/python -m tests.faults

containers: ## build the images and run docker-compose.yml without Docker, and test what runs; root on Linux, about 15 minutes
	@$(TASKS) setup
	@.venv/bin/python tools/workspace/containers

deployed: ## ask a platform behind HTTPS (compose or Railway, not make up) with the demo's fleet what it must do; URL=, PASSWORD_FILE=, CA_FILE=
	@test -n "$(URL)" -a -n "$(PASSWORD_FILE)" || \
	  { echo 'name both: make deployed URL=https://localhost PASSWORD_FILE=secrets/admin_password' >&2; exit 2; }
	@$(TASKS) setup --quiet
	@BATTERY_URL="$(URL)" BATTERY_ADMIN_PASSWORD_FILE="$(PASSWORD_FILE)" BATTERY_CA_FILE="$(CA_FILE)" \
	  .venv/bin/python -m pytest -q -c tests/pyproject.toml --rootdir . tests/deployed

bench: ## run the side-by-side measurements
	@$(TASKS) setup
	@for bench in ingest ingest_twin_outage queries synthesis twin twin_accuracy ml; do .venv/bin/python benchmarks/$$bench.py || exit 1; done

twin-report: ## judge the digital twin on other physics, real recordings and the synthetic world; writes digital-twin/docs
	@$(TASKS) setup
	@.venv/bin/python -m battery_twin.cli report digital-twin/tests/data/vrla_recording/bboxx_A_cycle2.csv.gz \
	  digital-twin/tests/data/vrla_recording/bboxx_A_cycle6.csv.gz --rated-ah 17 --out digital-twin/docs
	@cd digital-twin && ../.venv/bin/python -m tests.reference.report docs
	@.venv/bin/python benchmarks/twin_accuracy.py

ML_WORLDS := .data/ml-worlds
ML_SEEDS := 21 22 23 24 25

$(ML_WORLDS)/%/manifest.json:
	@$(TASKS) setup
	@.venv/bin/battery-synth training --out $(ML_WORLDS)/$* --strings-per-site 10 --years 12 --seed $*

ml-model: $(ML_SEEDS:%=$(ML_WORLDS)/%/manifest.json) ## train the model that comes with the platform; quarter of an hour, 2 GB of disk
	@.venv/bin/battery-ml train --seed 1 --registry $(ML_WORLDS)/models $(ML_SEEDS:%=--dataset $(ML_WORLDS)/%)
	@.venv/bin/battery-ml export "$$(ls $(ML_WORLDS)/models/versions | tail -n 1)" --registry $(ML_WORLDS)/models \
	  --out ml-pipeline/src/battery_ml/shipped

ml-report: $(ML_SEEDS:%=$(ML_WORLDS)/%/manifest.json) ## compare models of remaining life on lives seen to their ends; writes ml-pipeline/docs
	@test -f $(ML_WORLDS)/97/manifest.json || \
	  .venv/bin/battery-synth training --out $(ML_WORLDS)/97 --strings-per-site 12 --years 22 --seed 97
	@$(TASKS) comparison
	@cd ml-pipeline && ../.tools/comparison/bin/python -m tests.comparison.report --train $(ML_SEEDS:%=../$(ML_WORLDS)/%) --judge ../$(ML_WORLDS)/97 --out docs
