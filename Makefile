# Every target sets up what it needs, asks no question, and costs seconds when there is nothing to do.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

export DEBIAN_FRONTEND := noninteractive
export PYTHONUNBUFFERED := 1
BIN := .venv/bin
# More arguments for ansible-playbook, for example: make image ARGS='-e env=prod'
ARGS :=
# Which rows `make bench` measures: a part of their names; all when empty.
ROW :=
# Arguments of the soak test, for example: make soak SOAK_ARGS='--minutes 5 --seed 1'
SOAK_ARGS :=
# Arguments of the fuzz test, for example: make fuzz FUZZ_ARGS='--cases 2000 --seed 1'
FUZZ_ARGS :=
# More arguments for pytest, for example: make test PYTEST_ARGS='-k state'
PYTEST_ARGS :=

# The Packer that `make test-packer` tries.
PACKER :=

.PHONY: help image dist setup-test test test-slow test-packer lint bench soak fuzz clean

help: ## Say what the targets are
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

image: ## Set up what is missing, and build the Debian 12 image; nothing when it is up to date
	@scripts/bootstrap.sh
	@HYBRIDCORE_WATCH=$$PPID $(BIN)/ansible-playbook playbooks/build-images.yml -e '{"targets": ["linux/qemu/debian-12"]}' $(ARGS)

dist: ## Make hybridcore-packer-VERSION.tar.gz, as Galaxy and an Automation Hub take it
	@scripts/bootstrap.sh
	@scripts/dist.sh

setup-test: # .venv with the test requirements, Debian's packages, Packer 1.9.4 and the simulators
	@scripts/bootstrap.sh test
	@scripts/setup-test.sh

# Lint comes first because it is quick to say no; pytest runs once, so that its closing line counts everything.
test: setup-test lint ## Lint and every test but the slow ones; under 40 minutes on 2 cores
	$(BIN)/python -m pytest -n 2 --dist loadfile -m "not slow" $(PYTEST_ARGS)

test-slow: setup-test ## What takes longer than `make test` should: see CONTRIBUTING.md
	$(BIN)/python -m pytest -m slow $(PYTEST_ARGS) || (($$? == 5))  # 5: no test is marked slow

test-packer: ## Try what is assumed of a Packer with yours, and say what deviates: PACKER=/path/to/packer
	@[[ -n "$(PACKER)" ]] || { echo "say which: make test-packer PACKER=/path/to/packer" >&2; exit 2; }
	@scripts/bootstrap.sh test
	@HYBRIDCORE_TEST_PACKER="$(PACKER)" $(BIN)/python -m pytest -q --no-header tests/contract $(PYTEST_ARGS)

lint: ## ruff, mypy, yamllint, ansible-lint, changelog and plugin documentation
	@scripts/bootstrap.sh test
	@scripts/lint.sh

bench: setup-test ## Measure ourselves against the plain tools; make bench ROW=state for some rows
	$(BIN)/python tests/bench/run.py $(ROW)

soak: setup-test ## 30 minutes of builds that are killed, repeated and run side by side; SOAK_ARGS='--minutes 5'
	$(BIN)/python tests/soak/soak.py $(SOAK_ARGS)

fuzz: setup-test ## 20,000 random variables, values and conditions against both Packers; FUZZ_ARGS='--seed 1'
	$(BIN)/python tests/fuzz/fuzz.py $(FUZZ_ARGS)

clean: ## Remove caches and the virtual environment; images, state, logs and configs stay
	rm -rf .venv .cache .ansible .mypy_cache .ruff_cache .pytest_cache .hypothesis *.egg-info build hybridcore-packer-*.tar.gz
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
