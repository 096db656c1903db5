# One recipe per job. `make demo` and `make test` do all the set-up that they need.

PYTHON ?= python3
BIN := .venv/bin
PORT ?= 8420
export PATH := $(CURDIR)/$(BIN):$(PATH)

.DEFAULT_GOAL := help
.PHONY: help setup demo up test unit contract contract-aws infra faults e2e web-test lint format bench lock openapi screenshots wheel package snapshots synth deploy destroy clean

help:  ## List what can be made
	@grep -hE '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | sort | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

setup: .venv/.ready src/miyabi/webui/dist/index.html  ## Install everything that is needed, pinned

demo: setup  ## Start the board and run a real job on it
	@scripts/demo $(PORT)

up: setup  ## Start the board
	@$(BIN)/miyabi up --port $(PORT)

test: setup .venv/.system infra/node_modules/.ready lint web-test  ## Everything that CI runs
	$(BIN)/pytest tests

unit contract infra faults e2e: setup .venv/.system infra/node_modules/.ready  ## One kind of tests
	$(BIN)/pytest tests/$@

contract-aws: setup  ## The contract over real AWS: REGION=eu-west-1, with your credentials; costs some cents
	@test -n "$(REGION)" || (echo "Name a region: make contract-aws REGION=eu-west-1"; exit 2)
	MIYABI_TEST_AWS=$(REGION) $(BIN)/pytest tests/contract -k aws -n 4 --timeout 900

web-test: web/node_modules/.ready
	cd web && npm run --silent types -- --check && npm run --silent lint && npm run --silent test

lint: setup  ## Format, lint, types, import contracts, generated files
	$(BIN)/ruff format --check src tests benchmarks infra
	$(BIN)/ruff check src tests benchmarks infra
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/miyabi openapi | diff -u docs/openapi.json - || (echo "docs/openapi.json is stale: run 'make openapi'"; exit 1)

format:  ## Put the code into shape
	$(BIN)/ruff format src tests benchmarks infra
	$(BIN)/ruff check --fix src tests benchmarks infra

screenshots: setup .venv/.system  ## Take the pictures of the READMEs
	$(BIN)/python scripts/screenshots.py

bench: setup .venv/.system  ## Measure, beside the goals and the limits
	$(BIN)/python -m benchmarks

openapi: setup  ## Write the API's description and the page's types from it
	$(BIN)/miyabi openapi > docs/openapi.json
	cd web && npm run --silent types

lock: .venv/.ready  ## Pin the newest allowed versions
	$(BIN)/pip-compile -q --upgrade --extra aws --extra notify --extra dev --no-emit-index-url --no-emit-find-links --strip-extras --allow-unsafe -o requirements.lock pyproject.toml

wheel: setup  ## Build the wheel, with the page in it
	$(BIN)/python -m build --wheel --no-isolation

clean:  ## Remove what was built and installed
	rm -rf .venv build dist infra/build infra/cdk.out infra/node_modules web/node_modules src/miyabi/webui/dist .mypy_cache .ruff_cache .pytest_cache .hypothesis

.venv/.ready: requirements.lock pyproject.toml scripts/check-tools
	@scripts/check-tools $(PYTHON)
	$(PYTHON) -m venv .venv
	$(BIN)/pip install -q --disable-pip-version-check -r requirements.lock
	$(BIN)/pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

.venv/.system: scripts/install-system .venv/.ready
	@scripts/install-system
	@touch $@

package: setup  ## Build the zips of the Lambda functions
	$(BIN)/python -m infra.package

synth: package infra/node_modules/.ready  ## Make the templates for AWS, in infra/cdk.out
	cd infra && node_modules/.bin/cdk synth --quiet

deploy: package infra/node_modules/.ready  ## Bring up everything on AWS, with your credentials
	$(BIN)/python -m infra.deploy $(if $(EXISTING),--existing)

destroy: package infra/node_modules/.ready  ## Take it down; data stays, unless DATA=delete
	$(BIN)/python -m infra.destroy $(if $(filter delete,$(DATA)),--delete-data)

snapshots: setup  ## Take the templates as they are now for the tests
	MIYABI_RENEW_SNAPSHOTS=1 $(BIN)/pytest tests/infra/test_rules.py -k as_it_was

infra/node_modules/.ready: infra/package-lock.json infra/package.json
	cd infra && npm ci --silent --no-audit --no-fund
	@touch $@

web/node_modules/.ready: web/package-lock.json web/package.json
	cd web && npm ci --silent --no-audit --no-fund
	@touch $@

src/miyabi/webui/dist/index.html: web/node_modules/.ready $(shell find web/src web/public web/index.html web/vite.config.ts -type f 2>/dev/null)
	cd web && npm run --silent build
	@touch $@
