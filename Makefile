# make run   sets up, builds and runs the main job
# make test  sets up, builds and runs every test
# Both do all the set-up on a fresh Debian machine with Swift.

PREFIX ?= /usr/local
SWIFT ?= swift
PYTHON ?= python3
# The same for the tool, the tests and the benchmarks: other flags would build everything anew.
BUILD_FLAGS ?= -c release -Xswiftc -enable-testing
# SwiftPM hands a package's traits on in the order of a hash table: another order builds that package anew.
export SWIFT_DETERMINISTIC_HASHING = 1
BIN = $(shell $(SWIFT) build $(BUILD_FLAGS) --show-bin-path)

.PHONY: help setup build run test bench bench-kernels bench-search bench-studies bench-accuracy bench-refine models format lint docs install uninstall clean

help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 18

setup:
	@sh scripts/setup.sh

build: setup ## optimised build of the tool
	@$(SWIFT) build $(BUILD_FLAGS) --product edgetwin

run: build ## the main job: the best model and device, by budget, with intervals
	@$(BIN)/edgetwin run $(ARGS)

test: setup ## every test, optimised (debug builds of numeric code are hundreds of times slower)
	@$(foreach product,edgetwin EdgeTwinPackageTests,$(SWIFT) build $(BUILD_FLAGS) --product $(product) &&) true
	@$(SWIFT) test $(BUILD_FLAGS) --disable-testable-imports --skip-build $(ARGS)

bench: setup ## every table of benchmarks/results.md (needs EDGETWIN_DATA; half an hour, most of it the long searches)
	@sh benchmarks/run.sh $(ARGS)

bench-kernels: setup ## our kernels: proof, peers, MiniLM, memory (first 3 GB of peers; an hour on an idle machine; needs EDGETWIN_DATA)
	@sh benchmarks/kernels/run.sh $(ARGS)

bench-search: setup ## our samplers and their peers on seven problems (a day with all 20 seeds; ARGS="--seeds 3 --evaluations 100,500" for an hour)
	@sh benchmarks/search/run.sh $(ARGS)

bench-studies: build ## studies: a million trials, and 250 kills at random moments (some minutes)
	@$(SWIFT) build $(BUILD_FLAGS) --product edgetwin-benchmarks
	@$(BIN)/edgetwin-benchmarks studies
	@echo; $(PYTHON) benchmarks/studies/kill.py $(BIN)/edgetwin $(ARGS)

bench-accuracy: build ## accuracies of 48 unseen models, predicted and trained (half an hour on two cores; can be stopped; needs numpy)
	@$(PYTHON) benchmarks/accuracy/unseen.py $(BIN)/edgetwin .build/accuracy $(ARGS)

bench-refine: build ## GPTran from a small root of our own, ten seeds, with ablations (an hour; can be stopped; needs EDGETWIN_DATA, scipy)
	@$(PYTHON) benchmarks/refine/own_root.py --edgetwin $(BIN)/edgetwin $(ARGS)

models: build ## the seven calibrated device files, from ProTran's measurements (needs EDGETWIN_DATA)
	@EDGETWIN="$(BIN)/edgetwin" sh calibration/recipe.sh

docs: setup ## reference documentation of the rooms, in .build-docs/documentation
	@mkdir -p .build-docs/documentation .build-docs/symbols; for room in Numerics Architectures ModelFiles Text Kernels Training Measurements Twins Calibration Accuracy CoSearch Studies Boards GrowAndPrune Workbench; do \
	  mkdir -p .build-docs/symbols/$$room; \
	  $(SWIFT) build --scratch-path .build-docs --target $$room -Xswiftc -emit-symbol-graph \
	    -Xswiftc -emit-symbol-graph-dir -Xswiftc .build-docs/symbols/$$room >/dev/null && \
	  $$(dirname $$(command -v $(SWIFT)))/docc convert --fallback-display-name $$room \
	    --fallback-bundle-identifier edgetwin.$$room --additional-symbol-graph-dir .build-docs/symbols/$$room \
	    --output-path .build-docs/documentation/$$room >/dev/null 2>&1 || exit 1; \
	done; echo "documentation is in .build-docs/documentation"

format: ## format every source file in place
	@$(SWIFT) format -i -r Sources Tests benchmarks/Sources Package.swift

lint: ## what CI checks: formatting only, nothing is changed
	@$(SWIFT) format lint -s -r Sources Tests benchmarks/Sources Package.swift

install: build ## PREFIX/bin/edgetwin and its device models (PREFIX=/usr/local)
	@mkdir -p "$(DESTDIR)$(PREFIX)/bin" "$(DESTDIR)$(PREFIX)/share/edgetwin"
	@install -m 755 "$(BIN)/edgetwin" "$(DESTDIR)$(PREFIX)/bin/edgetwin"
	@rm -rf "$(DESTDIR)$(PREFIX)/share/edgetwin/device-models"
	@cp -R device-models "$(DESTDIR)$(PREFIX)/share/edgetwin/device-models"
	@echo "installed $(DESTDIR)$(PREFIX)/bin/edgetwin"

uninstall: ## what install put there
	@rm -f "$(DESTDIR)$(PREFIX)/bin/edgetwin"
	@rm -rf "$(DESTDIR)$(PREFIX)/share/edgetwin"

clean: ## build products
	@$(SWIFT) package clean
