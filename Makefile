# Two commands do all the set-up: `make run` and `make test`. `make help` lists the rest.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

TARGET := $(if $(CARGO_TARGET_DIR),$(CARGO_TARGET_DIR),target)
BIN := $(TARGET)/release/cidadao
# A faster linker, where there is one.
CARGO := $(if $(shell command -v mold),mold -run cargo,cargo)
# Real data for development; tests of the group `real-data` run when the folder is there.
export CIDADAO_REAL_DATA ?= $(wildcard $(abspath ../shared/data))

.PHONY: help build run test lint native web clean bench bench-deploy deb deploy-check eval sample fuzz load

help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

native: native/lib/.done ## the DuckDB library for this platform

native/lib/.done: native/package-lock.json scripts/native.sh
	scripts/native.sh
	touch $@

web: web/dist/index.html ## the page

WEB_SOURCES := $(shell find web -path web/node_modules -prune -o -path web/dist -prune -o -type f -print 2>/dev/null)
web/dist/index.html: $(WEB_SOURCES)
	cd web && npm ci --no-audit --no-fund --loglevel=error && npm run build
	touch $@

build: native web ## page, library and release binary
	$(CARGO) build --release -p cidadao

run: build ## the main job: fictitious data, ingested, judged, served on http://127.0.0.1:8080/
	$(BIN) demo

test: native web ## install what tests need (apt, when root on Debian) and run everything
	scripts/test.sh

lint: native ## formatting and lints
	cargo fmt --all --check
	$(CARGO) clippy --release --workspace --all-targets -- -D warnings

fuzz: native ## every parser's fuzz target for ten minutes each (CIDADAO_FUZZ_SECONDS=600)
	CIDADAO_FUZZ_SECONDS=$${CIDADAO_FUZZ_SECONDS:-600} $(CARGO) test --release -p sources --test fuzz -- --nocapture --test-threads 2

bench: build ## measure and write docs/benchmarks.md
	bench/run.sh

# What `make load` asks for, how often a second, for how many seconds; of a running program at URL, else of one of its own.
MIX ?= page
RATE ?= 200
DURATION ?= 20
URL ?=

load: native web ## a bounded load on loopback, beside the promises (MIX=page|fresh|one RATE=200 DURATION=20 URL=http://127.0.0.1:8080)
	$(CARGO) build --release -p cidadao -p load
	$(TARGET)/release/load --mix $(MIX) --rate $(RATE) --duration $(DURATION) --program $(BIN) $(if $(URL),--url $(URL))

deb: native web ## the Debian package, with link-time optimisation (takes long; PROFILE=release is quick): target/cidadao.deb
	$(CARGO) build --profile $(PROFILE) -p cidadao
	scripts/deb.sh $(PROFILE) $(abspath $(TARGET))/cidadao.deb

PROFILE ?= dist

deploy-check: build ## look over deploy/: Kubernetes, compose, systemd, packages
	CIDADAO_BIN=$(abspath $(BIN)) $(CARGO) test --release -p cidadao --test e2e -- deployed:: packages::

bench-deploy: build ## cold start, memory at rest and under load, sizes; prints a table
	python3 bench/deploy/run.py $(BIN)

# Contracts of the sample that `make eval` plants.
CONTRACTS ?= 100000

eval: build ## plant a sample, judge it, and compare with what was planted (CONTRACTS=1000000); writes docs/evaluation-sample.md
	scripts/eval.sh $(BIN) $(CONTRACTS) $(TARGET)/eval

clean: ## remove what was built
	rm -rf target web/dist web/node_modules native/lib native/node_modules
