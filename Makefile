# Every target sets up what it needs: Python 3.11 or later and make are enough.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/installed
PYTEST := $(BIN)/python -m pytest

.DEFAULT_GOAL := help
.PHONY: help demo run test lint check docs bench constraints clean

help: ## list the targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

$(STAMP): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@

demo: $(STAMP) ## the exporter against a simulated workspace, on http://127.0.0.1:10977
	$(BIN)/databricks-jobs-exporter demo

run: $(STAMP) ## the exporter against the workspace of config.toml or DATABRICKS_HOST
	$(BIN)/databricks-jobs-exporter run

test: $(STAMP) ## all tests
	$(PYTEST) -n 3 --dist worksteal

lint: $(STAMP) ## format, lint, types, import rules
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

check: lint ## everything that CI runs
	$(PYTEST) -n 2 --dist worksteal --full --cov --cov-report=term
	$(BIN)/python -m exporter.reference --check docs/metrics.md
	$(BIN)/python -m exporter.dashboards --check monitoring/dashboards
	$(BIN)/python -m collector.config.template | diff config.toml -

docs: $(STAMP) ## write the generated documents
	$(BIN)/python -m exporter.reference docs/metrics.md
	$(BIN)/python -m exporter.dashboards monitoring/dashboards
	$(BIN)/python -m collector.config.template > config.toml.new && mv config.toml.new config.toml

bench: $(STAMP) ## measure the figures of docs/design.md
	$(BIN)/python -m benchmarks

constraints: ## write constraints.txt from what resolves today
	rm -rf build/constraints && $(PYTHON) -m venv build/constraints
	build/constraints/bin/pip install --quiet --disable-pip-version-check '.[dev]'
	build/constraints/bin/pip freeze --exclude databricks-jobs-exporter | grep '==' > constraints.txt

clean: ## remove what the targets made
	rm -rf $(VENV) build .coverage* .hypothesis .mypy_cache .pytest_cache .ruff_cache
