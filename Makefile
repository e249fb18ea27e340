# Everything that developing needs, one command each; `make` lists them.

BIN := .venv/bin
SOURCES := $(wildcard services shared tests bench scripts deploy)
SERVERS := $(BIN)/python -m tests.support.servers --
READY := .venv/.ready

# durable-rules calls a function that Python 3.13 removed; the one that replaced it is in every version.
export CPPFLAGS := $(CPPFLAGS) -DPyEval_CallObject=PyObject_CallObject
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check

.PHONY: help env run run-rabbitmq test faults simulate soak lint format bench bench-policy bench-clocks bench-growth lock clean

help: ## list the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "make %-14s %s\n", $$1, $$2}' Makefile

env: $(READY) ## make the environment in .venv (PYTHON=... chooses the interpreter)

$(READY): pyproject.toml requirements-build.txt requirements-dev.txt
	@test -x $(BIN)/python || { python=$$(PYTHON="$(PYTHON)" scripts/find-python) && "$$python" -m venv .venv; }
	$(INSTALL) --require-hashes -r requirements-build.txt
	$(INSTALL) --require-hashes --no-build-isolation -r requirements-dev.txt
	$(INSTALL) --no-build-isolation --no-deps --editable .
	@touch $@

run: env ## run everything in one process with sample cases: no broker, SQLite
	$(BIN)/concentric up --policy examples/policies/xiaoshan.yaml --sample examples/cases/sample.jsonl

run-rabbitmq: env ## run each service as a process of its own, on RabbitMQ and PostgreSQL
	$(SERVERS) $(BIN)/concentric processes

test: env ## run all tests, on real servers (ARGS="-k name" passes arguments on)
	$(BIN)/python -m pytest $(ARGS)

faults: env ## run every fault test, those that take long as well
	$(BIN)/python -m pytest tests/faults -m "faults_long or not faults_long" $(ARGS)

simulate: env ## live many histories of the house with all its faults (SEEDS=1000, or SEED=123 replays one)
	$(BIN)/python -m tests.simulation $(if $(SEED),--seed $(SEED),--seeds $(or $(SEEDS),100))

soak: env ## cases under random kills of services and servers (MINUTES=10, ARGS="--seed 7")
	$(BIN)/python -m bench.soak --minutes $(or $(MINUTES),10) $(ARGS)

lint: env ## check format, style, types, the direction of imports, and the length of files
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy $(SOURCES)
	$(BIN)/lint-imports
	$(BIN)/python scripts/check_file_lengths.py

format: env ## format the code and repair what can be repaired by itself
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .

bench: env ## run the benchmarks, on real servers (ARGS="--json FILE" writes the figures)
	$(SERVERS) $(BIN)/python -m bench $(ARGS)

bench-policy: env ## measure decisions a second and their memory, beside zen-engine
	$(BIN)/python -m bench.policy $(ARGS)

bench-growth: env ## measure a case among many stored ones (ARGS="--memory 200000": what services hold)
	$(SERVERS) $(BIN)/python -m bench.growth $(ARGS)

LOCK := $(BIN)/uv --system-certs pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes \
	--custom-compile-command "make lock"

bench-clocks: env ## measure the clocks: working days, quiet looks, many at once, another calendar
	$(SERVERS) $(BIN)/python -m bench.clocks

lock: env ## renew the locked versions of all dependencies, for every supported Python at once
	$(LOCK) --output-file requirements.txt pyproject.toml
	$(LOCK) --output-file requirements-dev.txt --constraint requirements.txt --group dev pyproject.toml
	$(LOCK) --output-file requirements-build.txt --constraint requirements-dev.txt --group build

clean: ## remove the environment, caches and build results
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis build dist *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
