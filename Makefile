# Everything that a developer does starts here; `make help` lists it.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory --no-builtin-rules
.DELETE_ON_ERROR:

# Tests and demo start hundreds of Python processes. Where this is set, each of them compiles all that it imports, torch
# and botocore too: two thirds of the time that it takes to begin.
unexport PYTHONDONTWRITEBYTECODE

UV_VERSION := 0.13.9
OWN_UV := .cache/uv-$(UV_VERSION)/bin/uv
UV := $(if $(shell uv --version 2>/dev/null),uv,$(OWN_UV))
STATE_MACHINES := tests/unit/operator/model_lifecycle/test_exactly_one_training.py \
	tests/unit/operator/request_lifecycle/test_one_person.py \
	tests/security/test_any_tenant.py tests/security/test_any_tenant_at_the_api_server.py
CLUSTER_STATE := .demo/cluster
TYPED := crds/avatar_api operator/avatar_operator workers/avatar_workers aws/sagemaker_local dev benchmarks tests

# The first interpreter that is new enough; `make setup PYTHON=...` chooses another.
PYTHON ?= $(shell for python in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$python && break; done)
require_python = $(or $(PYTHON),false) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
	{ echo "error: Python 3.11 or newer is needed, as python3 on PATH or by 'make setup PYTHON=/path/to/python3'" >&2; exit 1; }

# Two jobs write to one terminal: each line says whose it is (uv's list of 160 packages is left out).
# It outlives Ctrl-C, so that the job's last words are heard.
label = (trap '' INT TERM; exec sed -u '/^ + /d; s/^/[$(1)] /')

.PHONY: help
help: ## List the targets
	@awk -F ':.*## ' '/^[a-z][a-z-]*:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: setup
setup: ## Make the virtual environment and get the control plane, side by side
	@$(require_python)
	@$(MAKE) -j2 virtual-environment control-plane

.PHONY: virtual-environment
virtual-environment: .venv/.synced
	@:

.venv/.synced: uv.lock pyproject.toml | $(filter-out uv,$(UV))
	@UV_PYTHON_DOWNLOADS=never $(UV) sync --frozen --python "$$(command -v $(PYTHON))" 2>&1 | $(call label,venv)
	@touch $@

$(OWN_UV):
	@{ echo "uv is not installed; putting uv $(UV_VERSION) in $(@D)"; \
	$(PYTHON) -m venv --clear $(@D)/.. >/dev/null || \
		{ echo "error: $(PYTHON) cannot make a virtual environment; install python3-venv, or uv" >&2; exit 1; }; \
	$(@D)/pip install --quiet --disable-pip-version-check uv==$(UV_VERSION); } 2>&1 | $(call label,venv)

.PHONY: control-plane
control-plane:
	@PYTHONPATH=dev $(PYTHON) -m local_cluster.binaries 2>&1 | $(call label,control plane)

.PHONY: system-packages
system-packages: ## Install the Debian packages that a node and images need, those that are missing (root, apt)
	@$(require_python)
	@PYTHONPATH=dev $(PYTHON) -m system_packages

.PHONY: chart-tools
chart-tools:
	@PYTHONPATH=dev $(PYTHON) -m local_cluster.chart_tools 2>&1 | $(call label,chart tools)
	@PYTHONPATH=dev $(PYTHON) -m local_cluster.prometheus_operator 2>&1 | $(call label,chart tools)

# After the control plane, of which most is theirs, too: two builds at once would do the same twice.
.PHONY: node-programs
node-programs: control-plane
	@PYTHONPATH=dev $(PYTHON) -m local_cluster.node.programs 2>&1 | $(call label,node)

.PHONY: demo
demo: setup ## From twelve photos to pictures, on this machine (AWS_PORT=, OPERATOR_PORT= choose other ports)
	@.venv/bin/python -m avatar_demo up $(if $(AWS_PORT),--aws-port $(AWS_PORT)) \
		$(if $(OPERATOR_PORT),--operator-port $(OPERATOR_PORT))

.PHONY: cluster-demo
cluster-demo: setup ## The same way in Pods, on a real node that goes at the end (root; containerd, mmdebstrap)
	@.venv/bin/python -m cluster_demo

.PHONY: down
down: ## Stop what `make demo` left running
	@if [ -x .venv/bin/python ]; then .venv/bin/python -m avatar_demo down; fi

.PHONY: cluster-up
cluster-up: setup ## Start a local Kubernetes API server that stays up (NODE=1: and a node; root, containerd)
	@.venv/bin/python -m local_cluster up $(if $(NODE),--node )--state-dir $(CLUSTER_STATE)

.PHONY: cluster-down
cluster-down: ## Stop the local Kubernetes API server
	@if [ -x .venv/bin/python ]; then .venv/bin/python -m local_cluster down --state-dir $(CLUSTER_STATE); fi

.PHONY: generate
generate: virtual-environment ## Write what is generated: CRDs, reference pages, dashboards, the chart's README and schema
	@.venv/bin/python -m avatar_api.generate
	@.venv/bin/python -m reference_pages
	@.venv/bin/python -m dashboards

.PHONY: lint
lint: virtual-environment ## Check format, style, layers, and that generated files are current
	@.venv/bin/ruff format --check --quiet . || { echo "error: run 'make format'" >&2; exit 1; }
	@.venv/bin/ruff check --quiet .
	@.venv/bin/lint-imports | tail -n 3
	@.venv/bin/python -m avatar_api.generate --check
	@.venv/bin/python -m reference_pages --check
	@.venv/bin/python -m dashboards --check

.PHONY: format
format: virtual-environment ## Format the code and mend what can be mended
	@.venv/bin/ruff format .
	@.venv/bin/ruff check --fix .

.PHONY: audit
audit: virtual-environment | $(OWN_UV) ## Look for known holes in the lock; write licences and bills of materials
	@.venv/bin/python -m dependency_audit --uv "$$PWD/$(OWN_UV)" --out dist/audit $(if $(DATABASE),--data-base $(DATABASE))

.PHONY: images
images: virtual-environment ## Build the images (TOOL= docker, podman, buildah; IMAGES= which; TAG=; CA=; BUILD_ARGS=; OWN_BASE=1 without a registry)
	@.venv/bin/python -m container_images build $(IMAGES) $(if $(TOOL),--tool $(TOOL)) $(if $(TAG),--tag $(TAG)) \
		$(if $(CA),--ca $(CA)) $(if $(OWN_BASE),--own-base) $(foreach argument,$(BUILD_ARGS),--build-arg $(argument))

.PHONY: quick-image
quick-image: virtual-environment ## Make one image as an OCI archive without a daemon (IMAGE= which, OUT= where, NAME= with tag)
	@.venv/bin/python -m container_images quick $(or $(IMAGE),avatar-operator) --out $(or $(OUT),dist/$(or $(IMAGE),avatar-operator).tar) \
		$(if $(NAME),--name $(NAME))

.PHONY: types
types: virtual-environment ## Check the types, strictly
	@.venv/bin/mypy $(TYPED)

.PHONY: unit
unit: virtual-environment ## Test the parts
	@.venv/bin/pytest tests/unit

.PHONY: api
api: setup ## Test the API against a real API server
	@.venv/bin/pytest tests/api

.PHONY: conformance
conformance: virtual-environment ## Test sagemaker-local against AWS's contracts
	@.venv/bin/pytest tests/conformance

.PHONY: e2e
e2e: setup ## Test the whole flow, and kill its parts
	@.venv/bin/pytest tests/e2e

.PHONY: chart
chart: setup chart-tools ## Test the Helm chart: lint, every value, schemas, and a real API server
	@.venv/bin/pytest tests/chart

.PHONY: node
node: setup node-programs chart-tools ## Run Pods on a real node, and kill its parts (root, containerd)
	@.venv/bin/pytest tests -m node

.PHONY: flight
flight: setup node-programs chart-tools ## Install the chart on a real node; kill, drain, upgrade, roll back, uninstall (root, containerd)
	@.venv/bin/pytest tests/node/test_installed_operator.py

.PHONY: node-on-kind
node-on-kind: setup ## Run the same Pods on kind, where Docker or Podman runs
	@AVATAR_TEST_KIND=avatar-tests .venv/bin/pytest tests/node/test_pods.py

.PHONY: security
security: setup ## Try to cross every boundary of docs/security/threat-model.md that has a test of its own
	@.venv/bin/pytest tests/security

.PHONY: test
test: ## Check and test everything, side by side (WORKERS= how many tests at once)
	@$(require_python)
	@$(MAKE) -j3 virtual-environment node-programs chart-tools
	@$(MAKE) lint
	@$(MAKE) -j2 types all-tests

# Most tests wait for other processes, hence more of them than the smallest machine has cores; those that work have few
# lanes (tests/side_by_side.py) and one thread each.
.PHONY: all-tests
all-tests: virtual-environment
	@OMP_NUM_THREADS=1 .venv/bin/pytest tests --numprocesses $(or $(WORKERS),4)

.PHONY: nightly
nightly: virtual-environment ## Tell the state machines other stories than the suite's, until one fails (MINUTES= how long)
	@end=$$((SECONDS + 60 * $(or $(MINUTES),60))); \
	while ((SECONDS < end)); do \
		HYPOTHESIS_PROFILE=nightly HYPOTHESIS_MAX_EXAMPLES=200 .venv/bin/pytest -x -q --show-capture=no \
			$(STATE_MACHINES); \
	done

.PHONY: bench-operator
bench-operator: setup ## Measure the operator under load and loss (MODELS= how many, ONLY= some parts, SEED= of the faults)
	@PYTHONPATH=tests .venv/bin/python -m benchmarks.operator_load \
		$(if $(MODELS),--models $(MODELS)) $(if $(ONLY),--only $(ONLY)) $(if $(SEED),--seed $(SEED))

.PHONY: dashboards-picture
dashboards-picture: setup ## Run a busy system for two minutes and write docs/images/dashboards.png
	@PYTHONPATH=tests .venv/bin/python -m benchmarks.watched_operator --out docs/images/dashboards.png

.PHONY: bench-quality
bench-quality: virtual-environment ## Measure base, judge and DreamBooth (PEOPLE= how many, SHEET= writes a contact sheet)
	@TRANSFORMERS_VERBOSITY=error .venv/bin/python -m benchmarks.quality \
		$(if $(PEOPLE),--people $(PEOPLE)) $(if $(SHEET),--sheet $(SHEET))

.PHONY: contact-sheet
contact-sheet: virtual-environment ## Train ten people on the base and write docs/images/ten-people.png
	@TRANSFORMERS_VERBOSITY=error .venv/bin/python -m benchmarks.quality \
		--only dreambooth --sheet docs/images/ten-people.png

.PHONY: bench-broken-trainers
bench-broken-trainers: virtual-environment ## Break the workers in three ways, and see that the likeness test would notice
	@TRANSFORMERS_VERBOSITY=error .venv/bin/python -m benchmarks.broken_trainers

.PHONY: bench-sagemaker-local
bench-sagemaker-local: virtual-environment ## Measure sagemaker-local: added latency, throughput, start-up, idle cost
	@.venv/bin/python -m benchmarks.sagemaker_local_load
	@ASYNC_LOAD_INVOCATIONS=2000 .venv/bin/pytest -q --timeout 3600 --durations 1 tests/conformance/emulator/test_async_load.py
