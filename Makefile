# make run   the main job: sweep, comparison, figures
# make docs  the documentation site
# make test  lint, types and the default tests are separate targets; this one runs the tests
# Every target sets up what it needs in .venv (Python >= 3.11), pinned by constraints.txt, each file checked by its sha256.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
SWEEP  ?= sweeps/phase_diagram.toml
OUT    ?= out/$(basename $(notdir $(SWEEP)))
PIP    := $(BIN)/python -m pip install --quiet --disable-pip-version-check
HASHED := $(PIP) --no-deps --require-hashes

.PHONY: run test slow lint types docs figures bench gpu clean

run: $(VENV)/core
	$(BIN)/pstar sweep $(SWEEP) --out $(OUT)
	$(BIN)/pstar compare $(OUT)
	$(BIN)/pstar figures $(OUT)

test: $(VENV)/dev
	$(BIN)/python -m pytest -n 2 --dist worksteal -m "not slow"

slow: $(VENV)/dev
	$(BIN)/python -m pytest -n 2 --dist worksteal -m slow

lint: $(VENV)/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/dev
	$(BIN)/mypy

docs: $(VENV)/docs   # the documentation site, read from out/site/index.html; needs no PyTorch, and no network once it is built
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --quiet
	@echo "out/site/index.html"

figures: run   # redraws the picture of the README from the shipped sweep
	cp $(OUT)/figures/accuracy_against_p.png docs/

bench: $(VENV)/core   # the ratios that programs of benchmarks/ have recorded, as a table and a figure
	$(BIN)/python benchmarks/history.py

PART    ?= checks,eigenvalues
MINUTES ?= 9
CORPUS  ?=

gpu:   # on a machine with a GPU whose own Python has PyTorch and JAX; sets up nothing. The same command continues
	$(PYTHON) benchmarks/gpu.py --part $(PART) --minutes $(MINUTES) $(if $(CORPUS),--corpus $(CORPUS))

$(VENV)/core: pyproject.toml pins/core.txt
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Python >= 3.11 is needed; this is " + sys.version.split()[0] + ". Try: make PYTHON=python3.12")'
	$(PYTHON) -m venv $(VENV)
	$(HASHED) --requirement pins/core.txt
	$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/docs: $(VENV)/core pins/docs.txt
	$(HASHED) --requirement pins/docs.txt
	@touch $@

# PyTorch: pip first looks which build is meant (see pins/renew.py), then checks its sum. The last step finds everything
# there, but for the libraries of a build for GPUs.
$(VENV)/dev: $(VENV)/docs pins/dev.txt pins/torch.txt
	$(HASHED) --no-build-isolation --requirement pins/dev.txt
	$(BIN)/python -m pip download --quiet --no-deps --constraint constraints.txt --dest $(VENV)/wheels torch
	$(HASHED) --no-index --find-links $(VENV)/wheels --requirement pins/torch.txt
	rm -r $(VENV)/wheels
	$(PIP) --constraint constraints.txt --group dev
	@touch $@

clean:
	rm -rf $(VENV) out .cache .pytest_cache .mypy_cache .ruff_cache .hypothesis
