# Two commands for a fresh machine: `make demo` and `make test`. Both make .venv on the first run and re-use it after.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: demo test lint clean
.DELETE_ON_ERROR:

demo: $(STAMP)
	$(BIN)/dofbot demo --trials 3 --seed 0 --out demo_out

test: $(STAMP) lint
	$(BIN)/python -m pytest

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

$(STAMP): requirements.txt $(wildcard requirements/*.txt) setup.py package.xml
	@command -v $(PYTHON) >/dev/null || { echo "make: $(PYTHON) is not installed (Debian, Ubuntu: apt install python3.11 python3.11-venv), or name yours: make PYTHON=python3"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --extra-index-url https://download.pytorch.org/whl/cpu -r requirements.txt
	$(BIN)/python -m pip install --quiet --no-deps -e .
	$(BIN)/python -m dofbot_ros.core.preflight
	touch $@

clean:
	rm -rf $(VENV) build install log demo_out
