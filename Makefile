# The environment lives in .venv, from the pinned requirements.lock. `make help` lists the targets.
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed

.DEFAULT_GOAL := help
.PHONY: help demo app gpu test test-ui lint lock audit benchmarks gallery results clean

help:  ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(not (3, 11) <= v <= (3, 13) and "Python 3.11 to 3.13 is needed, this is %d.%d: make PYTHON=python3.12 ..." % v)'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --requirement requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $(STAMP)

demo: $(STAMP)  ## Stylise built-in photographs by every method, into demo/
	$(BIN)/python -m apps.demo demo

app: $(STAMP)  ## The app, on http://127.0.0.1:7860
	$(BIN)/rrstyle app

gpu: $(STAMP)  ## JAX with CUDA for an NVIDIA GPU, and whether it is used
	@command -v nvidia-smi >/dev/null || { echo "gpu: no NVIDIA GPU is here (no nvidia-smi)" >&2; exit 1; }
	$(BIN)/python -m pip install --quiet --no-build-isolation --constraint requirements.lock \
	  --editable '.[cuda]'
	KERAS_BACKEND=jax $(BIN)/rrstyle info

lint: $(STAMP)  ## Linter, formatter and type check
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

test: lint  ## Environment, linter, type check, tests
	$(BIN)/python -m pytest --numprocesses 2 --dist loadfile

test-ui: $(STAMP)  ## The app in a real browser, Debian's chromium; screenshots into tests/artefacts
	@command -v chromium >/dev/null || { apt-get update -qq && DEBIAN_FRONTEND=noninteractive \
	  apt-get install -y -qq --no-install-recommends chromium fonts-dejavu-core; } \
	  || { echo "chromium is not there; as root: apt-get install chromium" >&2; exit 1; }
	$(BIN)/python -m pytest -m ui

benchmarks: $(STAMP)  ## Seconds, GFLOP/s and memory by method and size, of the training too; quality
	$(BIN)/python benchmarks/speed.py
	$(BIN)/python benchmarks/train.py
	$(BIN)/python benchmarks/quality.py --out demo/quality

gallery: $(STAMP)  ## Draw the README's gallery anew
	$(BIN)/python docs/make_gallery.py

results: $(STAMP)  ## Write docs/results.md anew from results/
	$(BIN)/python docs/make_results.py

lock: $(STAMP)  ## Pin the newest versions that pyproject.toml admits, anew
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile --quiet --universal --upgrade --python-version 3.11 --extra dev \
	  --no-emit-index-url --no-annotate --no-header pyproject.toml --output-file requirements.lock

# Strict: a mirror that has no advisories would pass for "no known vulnerabilities".
audit:  ## Known advisories against requirements.lock, by pip-audit, which asks for them
	@test -x .venv/audit/bin/pip-audit || { $(PYTHON) -m venv .venv/audit \
	  && .venv/audit/bin/python -m pip install --quiet pip-audit; } \
	  || { echo "audit: pip-audit cannot be installed here; nothing was checked" >&2; exit 2; }
	@.venv/audit/bin/pip-audit --progress-spinner off --strict --no-deps --disable-pip \
	  --requirement requirements.lock 2> .venv/audit/said; status=$$?; cat .venv/audit/said >&2; \
	  grep -qi 'known vulnerabilit' .venv/audit/said && exit $$status; \
	  echo "audit: the advisories cannot be had here; nothing was checked" >&2; exit 2

clean:  ## Remove the environment and what was generated
	rm -rf .venv demo .mypy_cache .pytest_cache .ruff_cache
