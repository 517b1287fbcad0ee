# Two commands for a fresh machine: `make demo` and `make test`. Both make .venv on the first run and use it again after;
# the demo installs what it needs itself, everything else comes with `make install`.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
DEMO_STAMP := $(VENV)/.installed_demo
DEMO_PARTS := $(addprefix requirements/,base.txt ros.txt sim.txt)
REQUIREMENTS := requirements.txt $(filter-out requirements/interfaces.txt %jazzy.txt,$(wildcard requirements/*.txt))
# Processes that the tests are spread over (docs/testing.md): two run those that start arms, the others unit tests.
CORES := $(shell nproc)
WORKERS ?= $(shell echo $$(($(CORES) > 2 ? $(CORES) + 1 : 3)))
SPREAD := --dist loadfile --no-loadscope-reorder
# ROS 2 Jazzy's wheels are for Python 3.12: a second, smaller run of the tests in a virtual environment of its own.
PYTHON_JAZZY ?= python3.12
JAZZY := .jazzy_venv
JAZZY_TESTS := test/ros/test_arm_contract.py test/ros/test_actions.py test/ros/test_frames.py test/ros/test_camera_and_blocks.py \
  test/ros/test_camera_qos.py test/ros/test_camera_pose.py test/unit/test_launching.py test/unit/test_ros_messages.py test/unit/ros
# PyPI's torch for Linux brings gigabytes of CUDA; its CPU build is taken where it can be had.
TORCH_CPU := https://download.pytorch.org/whl/cpu
REACHES_TORCH_CPU := import urllib.request as u; u.urlopen('$(TORCH_CPU)/torch/', timeout=5)

.PHONY: install-user docs demo test test-fast test-jazzy lint interfaces mutation coverage measured install licences clean
.DELETE_ON_ERROR:

demo: $(DEMO_STAMP)
	@$(BIN)/python -m dofbot_ros.cli.setup.preflight
	$(BIN)/dofbot demo --trials 3 --seed 0 --out demo_out

# Style and types beside the build of interfaces, then all tests.
test: install
	@$(MAKE) --no-print-directory -j2 lint interfaces
	$(BIN)/python -m pytest -n $(WORKERS) $(SPREAD)

# While you work: the quick unit tests. They compute: more processes than cores gain nothing.
test-fast: install
	$(BIN)/python -m pytest -n $(CORES) $(SPREAD) -q -m "not slow" test/unit

# Hundreds of processes are started: none of them is to compile again what another has compiled.
test test-fast: export PYTHONDONTWRITEBYTECODE =

test-jazzy: $(JAZZY)/.installed
	$(JAZZY)/bin/python tools/interfaces.py
	$(JAZZY)/bin/python -m pytest $(JAZZY_TESTS)

$(JAZZY)/.installed: requirements/jazzy.txt requirements/base.txt setup.py package.xml
	@$(PYTHON_JAZZY) -c 'import sys, venv; sys.exit(sys.version_info[:2] != (3, 12))' 2>/dev/null || { \
	  echo "make: Jazzy's wheels need Python 3.12. Ubuntu 24.04: sudo apt install python3.12-venv; or name yours: make test-jazzy PYTHON_JAZZY=..."; exit 1; }
	$(PYTHON_JAZZY) -m venv $(JAZZY)
	$(JAZZY)/bin/python -m pip install --quiet --disable-pip-version-check -r requirements/jazzy.txt
	$(JAZZY)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $@

# control_msgs and tf2_msgs, which no wheel has, for the tests of actions and TF: built once into .interfaces.
interfaces: install
	$(BIN)/python tools/interfaces.py

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# How much the tests notice: minutes to an hour, so not part of `make test`. test/gates.json holds what may not be lost;
# `GATES=--lift` raises it.
mutation: measured
	$(BIN)/python tools/mutation.py $(GATES)

coverage: measured
	$(BIN)/python tools/branch_coverage.py $(GATES)

measured: install
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements/measure.txt

# `dofbot` in every terminal, and its completion in the shell; `git pull` is all it takes to be up to date.
install-user: install
	@mkdir -p $(HOME)/.local/bin
	@rm -f $(HOME)/.local/bin/dofbot
	@sed 's|@HERE@|$(CURDIR)|' tools/dofbot.sh > $(HOME)/.local/bin/dofbot && chmod +x $(HOME)/.local/bin/dofbot
	@$(BIN)/dofbot --install-completion >/dev/null 2>&1 || true
	@case ":$$PATH:" in *":$(HOME)/.local/bin:"*) echo "dofbot is there, its completion in a new terminal" ;; \
	  *) echo "add this to your shell's start file: export PATH=\$$HOME/.local/bin:\$$PATH" ;; esac

# The site in site/, with strict links, by a virtual environment of its own: nothing else needs mkdocs.
docs: install
	$(BIN)/python tools/command_page.py
	@test -x .docs_venv/bin/mkdocs || { $(PYTHON) -m venv .docs_venv && \
	  .docs_venv/bin/python -m pip install --quiet -r requirements/docs.txt; }
	NO_MKDOCS_2_WARNING=1 .docs_venv/bin/mkdocs build --strict

# docs/licences.md, after a pin has changed.
licences: install
	$(BIN)/python tools/licences.py

install: $(STAMP)
	@$(BIN)/python -m dofbot_ros.cli.setup.preflight

$(BIN)/python:
	@command -v $(PYTHON) >/dev/null || { \
	  echo "make: $(PYTHON) is not here. Debian, Ubuntu: sudo apt install python3.11 python3.11-venv; or name yours: make PYTHON=python3"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo "make: $(PYTHON) cannot make a venv. Debian, Ubuntu: sudo apt install python3.11-venv"; exit 1; }
	@case $$($(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])') in \
	  3.11) ;; \
	  3.12) echo "make: the pins are tried with Python 3.11; on 3.12 PyBullet is built from source, which takes 20 minutes" ;; \
	  *) echo "make: the pins install on Python 3.11 and 3.12, $(PYTHON) is another; driver, camera and localiser install with: pip install ."; exit 1 ;; \
	esac
	$(PYTHON) -m venv $(VENV)

$(STAMP): $(REQUIREMENTS) setup.py package.xml | $(BIN)/python
	@echo "installing the pinned requirements into $(VENV): about 3 GB, a few minutes"
	@index=$$($(PYTHON) -c "$(REACHES_TORCH_CPU)" 2>/dev/null && echo "--extra-index-url $(TORCH_CPU)" || true); \
	  $(BIN)/python -m pip install --quiet --disable-pip-version-check $$index -r requirements.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $@ $(DEMO_STAMP)

$(DEMO_STAMP): $(DEMO_PARTS) setup.py package.xml | $(BIN)/python
	@echo "installing what the demo needs into $(VENV): about 1 GB, a minute"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check $(addprefix -r ,$(DEMO_PARTS))
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $@

clean:
	rm -rf $(VENV) $(JAZZY) .interfaces build install log demo_out
