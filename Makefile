# Relink. `make` alone lists what can be done here; everything is installed into .venv, from requirements.lock.
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed

.PHONY: help install demo demo-kafka run reset test check promises faults bench format lint lock clean

help: ## list these targets
	@awk 'BEGIN { FS = ":.*## " } /^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(INSTALLED) ## start everything, play one referral from a member state to a hub and back, stop
	@$(BIN)/relink demo

demo-kafka: $(INSTALLED) ## the same story on eight processes and a real Kafka, which it starts
	@$(BIN)/relink demo --kafka

run: $(INSTALLED) ## serve Relink with demo data on http://127.0.0.1:8000 until Ctrl-C
	@exec $(BIN)/relink run

reset: $(INSTALLED) ## empty the data that `make run` keeps in .relink
	@$(BIN)/relink reset

test: $(INSTALLED) ## run all tests
	@$(BIN)/pytest

check: lint $(INSTALLED) ## lint, format, types, import rules, contract tests
	@$(BIN)/pytest tests/contract

promises: $(INSTALLED) ## write anew what the APIs and events promise; read the diff
	@$(BIN)/python -m tests.contract.descriptions

N ?= 50
SEED ?= 1
faults: $(INSTALLED) ## kill N=… processes and brokers at the worst moments, in the order of SEED=…, and judge
	@$(BIN)/python -m tests.faults $(N) $(SEED)

bench: $(INSTALLED) ## measure, and write bench/RESULTS.md
	@$(BIN)/python -m bench

install: $(INSTALLED) ## create .venv

lint: $(INSTALLED) ## check without the tests
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy
	@$(BIN)/lint-imports

format: $(INSTALLED) ## format the code, and repair what ruff can
	@$(BIN)/ruff check --fix
	@$(BIN)/ruff format

COMPILE := uv pip compile pyproject.toml --quiet --universal --generate-hashes --no-emit-index-url --no-annotate \
	--custom-compile-command "make lock"

lock: $(INSTALLED) ## resolve pyproject.toml anew into requirements.lock, and what of it the image needs
	@$(BIN)/$(COMPILE) --upgrade --all-extras --output-file requirements.lock
	@$(BIN)/$(COMPILE) --constraint requirements.lock --output-file deploy/requirements.lock

clean: ## remove what was installed and cached; the data in .relink stay
	@rm -rf $(VENV) build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	@find relink services shared tests bench -name __pycache__ -type d -prune -exec rm -rf {} +

# The stamp is written last: an installation that broke off is done again. pip finds its index as the caller set it up.
$(INSTALLED): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Relink needs Python 3.11 or later. Name one: make PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || { $(PROVIDE_VENV); }
	@echo "Installing into $(VENV) …"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --require-hashes --requirement requirements.lock
	@$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

# Debian and its children ship Python without venv.
define PROVIDE_VENV
if command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ]; then \
	echo "This Python has no venv: installing the package python3-venv …"; \
	apt-get update -qq && apt-get install -qq -y --no-install-recommends python3-venv >/dev/null; \
else \
	echo "This Python has no venv. On Debian and Ubuntu: sudo apt-get install python3-venv"; exit 1; \
fi
endef
