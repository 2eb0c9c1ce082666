# Everything a stranger needs. Runs with GNU make 3.81 (macOS) and a plain POSIX shell.

PYTHON = .venv/bin/python
# Tests and checks have servers of their own, beside those of `make run`.
TEST_DATA_DIR = .data-test

.PHONY: help run test check bench chaos screenshots lock clean install install-dev \
	check-style check-types check-imports check-templates check-django

.NOTPARALLEL:

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' Makefile

run: install ## start the helpdesk: PostgreSQL, Valkey, web, worker, beat and mail; Ctrl-C stops it
	@exec $(PYTHON) manage.py up

# Each process has servers of its own; a part of the suite (ARGS) is run by one. Three share what is no browser's, for
# tests that kill and start servers wait much; the browser's run in one.
SECOND = --tx popen//env:DATA_DIR=$(TEST_DATA_DIR)/second
THIRD = --tx popen//env:DATA_DIR=$(TEST_DATA_DIR)/third

test: install-dev ## run all tests on real PostgreSQL and Valkey, browser included
ifdef ARGS
	DATA_DIR=$(TEST_DATA_DIR) $(PYTHON) -m pytest $(ARGS)
else
	DATA_DIR=$(TEST_DATA_DIR) $(PYTHON) -m pytest -m "not browser" --dist worksteal --tx popen $(SECOND) $(THIRD)
	DATA_DIR=$(TEST_DATA_DIR) $(PYTHON) -m pytest -m browser
endif

check: install-dev check-style check-types check-imports check-templates check-django ## lint, types, import rules, templates, migrations, API schema
	@echo "All checks passed."

bench: install-dev ## measure speed, side by side with peers where installed
	DATA_DIR=.data-bench $(PYTHON) -m bench $(ARGS)

# So many mails and kills, then ten runs of forty visitors with two tabs each; the suite has short ones.
chaos: install-dev ## kill everything at random while mail, clocks and chats go on: nothing lost, nothing twice
	CHAOS_MAILS=2000 CHAOS_KILLS=60 CHAOS_SEEDS=10 CHAOS_VISITORS=40 CHAOS_MESSAGES=8 DATA_DIR=$(TEST_DATA_DIR) \
		$(PYTHON) -m pytest -s tests/chaos tests/test_keep_promises.py tests/chat/test_continuity_survives.py $(ARGS)

screenshots: install-dev ## take the pictures in docs/images anew, in Chromium
	$(PYTHON) scripts/screenshots.py

# The lock files name no index, folder or host of the machine that wrote them.
COMPILE = $(PYTHON) -m piptools compile --quiet --strip-extras --no-header --no-emit-index-url --no-emit-find-links \
	--no-emit-trusted-host --no-emit-options

lock: install-dev ## write requirements.lock and requirements-dev.lock anew from pyproject.toml
	$(COMPILE) --output-file requirements.lock pyproject.toml
	$(COMPILE) --extra dev --constraint requirements.lock --output-file requirements-dev.lock pyproject.toml

clean: ## remove caches, and the data of tests and benchmarks; .data and .venv stay
	rm -rf .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis $(TEST_DATA_DIR) .data-bench
	find . -name __pycache__ -type d -not -path './.venv/*' -prune -exec rm -rf {} +

check-style:
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .

# A check of the code needs no server: these settings are never connected to.
UNCONNECTED = DATABASE_URL=postgres://nobody@127.0.0.1:1/none REDIS_URL=redis://127.0.0.1:1/0 SECRET_KEY=unused

check-types:
	$(UNCONNECTED) $(PYTHON) -m mypy

check-imports:
	.venv/bin/lint-imports

check-templates:
	$(PYTHON) -m djlint . --lint --quiet
	$(PYTHON) -m djlint templates/desk templates/knowledge templates/portal templates/status --lint --quiet --extension jinja --profile jinja

check-django:
	DATA_DIR=$(TEST_DATA_DIR) $(PYTHON) manage.py makemigrations --check --dry-run
	$(UNCONNECTED) $(PYTHON) manage.py check --fail-level WARNING
	$(UNCONNECTED) $(PYTHON) manage.py spectacular --validate --fail-on-warn --file /dev/null

install:
	@sh scripts/install.sh requirements.lock

install-dev:
	@sh scripts/install.sh requirements-dev.lock
