# Needs python3 (3.11 or later) with venv, and make.  Uses uv where it is installed.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help test lint types unit demo docs lock clean install install-program uninstall

PYTHON ?= python3
# Tests side by side: as many as there are processors (one more took a minute longer on two); `make unit JOBS=0` runs
# them in one process.
JOBS ?= auto
# More for pytest: `make unit ARGS='-k log -x'`
ARGS ?=

VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
export PIP_DISABLE_PIP_VERSION_CHECK := 1

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-15s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

test: $(READY) ## everything that must be green: style, types, who imports whom, tests
	@$(MAKE) --no-print-directory -j3 lint types unit

lint: $(READY) ## style, and who may import whom
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

types: $(READY) ## mypy, strict
	$(BIN)/mypy

# Bytecode is written, whatever the caller says: else each process of tests, and each that they start, would compile it all.
unit: export PYTHONDONTWRITEBYTECODE :=
unit: $(READY) ## the tests
	@$(BIN)/python -m compileall -q reconciler
	$(BIN)/pytest -n $(JOBS) --dist loadgroup $(ARGS)

# Nothing of the caller's AWS settings, keys or proxies gets in.
demo: $(READY) ## the whole life of an estate, on a local AWS without network
	@env -i PATH="$$PATH" HOME="$$HOME" LANG="$${LANG:-C.UTF-8}" TERM="$${TERM:-dumb}" TMPDIR="$${TMPDIR:-/tmp}" \
	    $${NO_COLOR:+NO_COLOR=1} AWS_EC2_METADATA_DISABLED=true \
	    AWS_CONFIG_FILE=/dev/null AWS_SHARED_CREDENTIALS_FILE=/dev/null \
	    $(BIN)/python -m reconciler.demo

docs: $(READY) ## kinds, events, JSON Schemas, man page and completions, from the code
	$(BIN)/reconciler kinds --markdown > $(VENV)/kinds.md
	$(BIN)/reconciler events --markdown > $(VENV)/events.md
	$(BIN)/reconciler events --schema > $(VENV)/events.schema.json
	$(BIN)/reconciler schema > $(VENV)/schema.json
	for form in man bash zsh fish; do \
	    $(BIN)/python -m reconciler.manual $$form > $(VENV)/manual.$$form || exit; \
	done
	mv $(VENV)/kinds.md docs/kinds.md
	mv $(VENV)/events.md docs/events.md
	mv $(VENV)/events.schema.json docs/events.schema.json
	mv $(VENV)/schema.json config/reconciler.schema.json
	mkdir -p completions
	mv $(VENV)/manual.man docs/reconciler.8
	mv $(VENV)/manual.bash completions/reconciler.bash
	mv $(VENV)/manual.zsh completions/_reconciler
	mv $(VENV)/manual.fish completions/reconciler.fish

clean: ## remove what was made here: environments, caches
	rm -rf $(VENV) .venv-lock build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# ---------------------------------------------------------------------------------------------------- on a host

# docs/install.md.  DESTDIR: in front of every path, for packages; PREFIX: a directory of the program's own.
DESTDIR ?=
PREFIX ?= /opt/reconciler
UNITDIR ?= /usr/local/lib/systemd/system
SYSUSERSDIR ?= /usr/local/lib/sysusers.d
TMPFILESDIR ?= /usr/local/lib/tmpfiles.d
BINDIR ?= /usr/local/bin
DATADIR ?= /usr/local/share
# 0: all but the virtual environment.
VENV_INSTALL ?= 1
# 1: for a systemd without Type=notify-reload (before 253), 0: with it, auto: the one that is here.
RELOAD_CLASSIC ?= auto
HOST = DESTDIR='$(DESTDIR)' PREFIX='$(PREFIX)' UNITDIR='$(UNITDIR)' SYSUSERSDIR='$(SYSUSERSDIR)' \
    TMPFILESDIR='$(TMPFILESDIR)' BINDIR='$(BINDIR)' DATADIR='$(DATADIR)' PYTHON='$(PYTHON)' \
    VENV_INSTALL='$(VENV_INSTALL)' RELOAD_CLASSIC='$(RELOAD_CLASSIC)' systemd/install.sh

install: ## onto this host, as a service (docs/install.md); or into DESTDIR
	@$(HOST) install

install-program: ## PREFIX alone, to try a new version beside the old one
	@$(HOST) program

uninstall: ## what install made; config and state stay
	@$(HOST) uninstall

# ------------------------------------------------------------------------------------------------- environments

# The stamp is written last: an installation that was cut short is done again.  The lock is whole: there is nothing to
# work out.  Nothing is compiled before it is imported: most of what is installed never is.
$(READY): requirements-dev.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	    { echo "$(PYTHON) is missing or older than 3.11; say make PYTHON=python3.x" >&2; exit 1; }
	@if command -v uv >/dev/null; then \
	    set -ex; \
	    test -x $(BIN)/python || uv venv --quiet --python "$$(command -v $(PYTHON))" $(VENV); \
	    uv pip install --quiet --python $(BIN)/python --require-hashes --only-binary :all: -r requirements-dev.lock; \
	    uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation -e .; \
	else \
	    $(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
	        { echo "python's venv is missing: install python3-venv (Debian, Ubuntu), or uv" >&2; exit 1; }; \
	    set -ex; \
	    $(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear $(VENV); \
	    $(BIN)/python -m pip install --quiet --no-compile --no-deps --require-hashes --only-binary :all: -r requirements-dev.lock; \
	    $(BIN)/python -m pip install --quiet --no-deps --no-build-isolation -e .; \
	fi
	@touch $@

# Hashes, no addresses: whoever installs says from where.  pip-tools runs in an environment of its own.
PIP_TOOLS := pip-tools==7.6.2
COMPILE = .venv-lock/bin/pip-compile --quiet --upgrade --strip-extras --allow-unsafe --generate-hashes --no-header \
    --no-emit-index-url --no-emit-trusted-host --no-emit-find-links --no-emit-options --resolver backtracking

lock: ## refresh requirements.lock and requirements-dev.lock
	test -x .venv-lock/bin/pip-compile || { $(PYTHON) -m venv .venv-lock && .venv-lock/bin/pip install --quiet $(PIP_TOOLS); }
	$(COMPILE) --extra sandbox --output-file requirements.lock pyproject.toml
	$(COMPILE) --extra sandbox --extra dev --constraint requirements.lock --output-file requirements-dev.lock pyproject.toml
