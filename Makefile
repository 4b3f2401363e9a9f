# Ringwall: what people and CI run. `make help` lists it.
SHELL := /bin/sh
BIN := .venv/bin
INVENTORY ?= inventories/local
ONLY ?=
PYTEST := $(BIN)/python -m pytest --durations=20

play = ANSIBLE_CONFIG=$(CURDIR)/ansible.cfg $(BIN)/ansible-playbook -i $(INVENTORY) $(if $(LIMIT),--limit '$(LIMIT)') $(if $(filter ask,$(BECOME)),--ask-become-pass) $(ARGS)

.PHONY: help assess test unit lint bench soak collection docs clean venv venv-dev

help: ## List what can be made
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 24

venv:
	@tools/make_venv.sh requirements/base.txt

venv-dev:
	@tools/make_venv.sh requirements/dev.txt

assess: venv ## Assess this machine, or INVENTORY=... LIMIT=... BECOME=ask ARGS=...
	@$(call play) playbooks/assess.yml

test: venv-dev ## Set up what the tests need and run the whole suite
	@tools/setup_tests.sh
	$(PYTEST) -n 2 --dist loadgroup

unit: venv-dev ## The tests that need nothing but Python
	$(PYTEST) tests/unit -n 2 --dist loadgroup

lint: venv-dev ## Everything that reads code without running it
	@tools/lint.sh

bench: venv-dev ## Measure against the bars; ONLY=<noun> for one capability
	@tools/setup_tests.sh
	$(BIN)/python tests/performance/bench.py $(ONLY)

soak: venv-dev ## The random and kill tests in their full counts, with a printed seed
	@tools/setup_tests.sh
	RINGWALL_SOAK=1 $(BIN)/python tests/performance/soak.py

collection: venv-dev ## Export and build the collection below build/
	@$(BIN)/python tools/export.py --build

docs: venv-dev ## Write the generated documents anew
	@$(BIN)/python tools/docs.py

clean: ## Remove what can be made again (never state/)
	rm -rf build .cache .pytest_cache .ruff_cache
