# The two commands a person needs are `make run` and `make test`; both set up what is missing first.

BIN := .venv/bin
SOURCES := $(wildcard sdk/src core/src plugins/*/src plugins/*/*/src)
# Three processes, for tests wait as often as they work. `make test PYTEST_FLAGS=` runs them one after the other.
PYTEST_FLAGS ?= -n 3

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help run test check lint types imports bench reference clean set-up set-up-test

help: ## Print this list
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 20

run: set-up ## Start the server on 127.0.0.1:9090; Ctrl-C ends it
	@exec $(BIN)/impasto serve

test: check ## Check everything and run every test
	@$(BIN)/pytest $(PYTEST_FLAGS)

check: lint types imports ## Lint, types and import contracts

lint: set-up-test
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

types: set-up-test
	@$(BIN)/mypy $(SOURCES)

imports: set-up-test
	@$(BIN)/lint-imports

bench: set-up-test ## Measure the budgets of the design and print them as one table
	@$(BIN)/python scripts/bench.py

reference: set-up ## Write the generated parts of docs anew
	@$(BIN)/python scripts/write_reference.py

clean: ## Remove the environment and every cache; data of a server stays
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .grimp_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

set-up:
	@python=$$(scripts/find-python.sh) && "$$python" scripts/set_up.py run

set-up-test:
	@python=$$(scripts/find-python.sh) && "$$python" scripts/set_up.py test
