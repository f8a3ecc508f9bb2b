# The commands of this project. Each sets up what it needs; `make run` and `make test` work in an empty clone.

VENV := .venv
PYTHON ?= python3
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
DEV_STAMP := $(VENV)/.installed-dev
# Root, or somebody who may become root without a password, can install what the system lacks.
SUDO := $(shell [ "$$(id -u)" = 0 ] || (sudo -n true 2>/dev/null && echo sudo -n) || echo false)

.PHONY: run test check bench pictures format clean

run: $(STAMP)
	$(BIN)/trainstatus $(if $(CONFIG),run --config $(CONFIG),demo)

test: $(DEV_STAMP) sshd
	$(BIN)/pytest

check: $(DEV_STAMP)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/python -m monitor_core.config.reference | diff - docs/configuration.md
	$(BIN)/python -m monitor_core.incident.reference < docs/detectors.md | diff - docs/detectors.md
	$(BIN)/python -m monitor_core.cli.schemas build/schema
	diff -r build/schema docs/schema

bench: $(DEV_STAMP) sshd
	$(BIN)/python -m tests.bench

pictures: $(DEV_STAMP)
	$(BIN)/python -m tests.pictures

format: $(DEV_STAMP)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean:
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .coverage

$(BIN)/python:
	$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); $(SUDO) apt-get update -qq && $(SUDO) apt-get install -y -qq python3-venv && $(PYTHON) -m venv $(VENV); }

$(STAMP): $(BIN)/python pyproject.toml
	$(BIN)/pip install --quiet --disable-pip-version-check --editable .
	@touch $@

$(DEV_STAMP): $(BIN)/python pyproject.toml
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@ $(STAMP)

# Without a server to talk to, the tests that need one are skipped and say so.
.PHONY: sshd
sshd:
	@command -v sshd >/dev/null || [ -x /usr/sbin/sshd ] || { $(SUDO) apt-get update -qq && DEBIAN_FRONTEND=noninteractive $(SUDO) apt-get install -y -qq openssh-server >/dev/null; } || echo "openssh-server could not be installed: its tests will be skipped"
