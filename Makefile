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

# The tests wait more than they compute: four at a time are faster on two processors. Those of a file share its servers.
test: $(DEV_STAMP) sshd hosts
	$(BIN)/pytest -n 4 --dist loadfile

check: $(DEV_STAMP)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/python -m monitor_core.config.reference | diff - docs/configuration.md
	$(BIN)/python -m monitor_core.incident.reference < docs/detectors.md | diff - docs/detectors.md
	$(BIN)/python -m monitor_core.parse.reference < docs/log-formats.md | diff - docs/log-formats.md
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

# What the tests talk to: a server, and the tools and shells of other hosts than this one. Tests that need what is
# missing are skipped and say so.
sshd: PROGRAMS := sshd=openssh-server
hosts: PROGRAMS := busybox=busybox-static tcsh=tcsh fish=fish
.PHONY: sshd hosts
sshd hosts:
	@for each in $(PROGRAMS); do \
	  PATH=$$PATH:/usr/sbin command -v $${each%=*} >/dev/null || missing="$$missing $${each#*=}"; \
	done; \
	[ -z "$$missing" ] || { $(SUDO) apt-get update -qq && \
	  DEBIAN_FRONTEND=noninteractive $(SUDO) apt-get install -y -qq --no-install-recommends $$missing >/dev/null; } || \
	  echo "$$missing could not be installed: the tests that need it will be skipped"
