# Every target does its own set-up in .venv; nothing is installed globally.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt
INPUTS := pyproject.toml constraints.txt
# Recordings of github.com/nelpy/example-data, and where they stand once converted.
NELPY  ?= ../shared/data
DATA   ?= .data

.PHONY: demo studies test test-slow bench lint types docs format clean
.DEFAULT_GOAL := demo

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "isofold needs Python >= 3.11; run 'make PYTHON=python3.12'" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.core: $(BIN)/python $(INPUTS)
	$(PIP) -e .
	@touch $@

$(VENV)/.dev: $(VENV)/.core
	$(PIP) -e ".[dev]"
	@touch $@

demo: $(VENV)/.core
	$(BIN)/isofold demo

# All that a study may name; of real recordings, those that are found.
$(VENV)/.studies: $(VENV)/.core
	$(PIP) -e ".[umap,tsne,gpfa,topology,dimension]"
	@touch $@

$(DATA)/linear-track.nwb: $(VENV)/.core
	@mkdir -p $(DATA)
	@if [ -d "$(NELPY)/nelpy_linear_track" ]; then \
	  $(BIN)/python benchmarks/convert_nelpy.py linear-track "$(NELPY)/nelpy_linear_track" $@; \
	else echo "no recording in $(NELPY)/nelpy_linear_track: its studies are skipped (NELPY=...)"; fi

# Recordings that are read as they are.
PHOTOMETRY := photometry_flmm photometry_ibl aind_dynamic_foraging_nwb

studies: $(VENV)/.studies $(DATA)/linear-track.nwb
	@for name in $(PHOTOMETRY); do \
	  [ ! -d "$(NELPY)/$$name" ] || ln -sfn "$(abspath $(NELPY))/$$name" "$(DATA)/$$name"; done
	DATA=$(abspath $(DATA)) $(BIN)/python studies/run_all.py

test: $(VENV)/.dev
	$(BIN)/python -m pytest -n auto

test-slow: $(VENV)/.dev
	$(BIN)/python -m pytest -m slow

bench: $(VENV)/.dev
	$(BIN)/python benchmarks/run_all.py

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

types: $(VENV)/.dev
	$(BIN)/mypy

$(VENV)/.docs: $(VENV)/.core
	$(PIP) -e ".[docs,figures]"
	@touch $@

# The gallery's examples are run; a warning, or anything that a page would fetch, is an error.
docs: $(VENV)/.docs
	JAX_PLATFORMS=cpu NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

format: $(VENV)/.dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf $(VENV) site .pytest_cache .mypy_cache .ruff_cache .hypothesis
