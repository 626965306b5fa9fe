# make run   sets up, builds and runs the main job
# make test  sets up, builds and runs every test
# Both do all the set-up on a fresh Debian machine with Swift.

PREFIX ?= /usr/local
SWIFT ?= swift
PYTHON ?= python3
BUILD_FLAGS ?= -c release
BIN = $(shell $(SWIFT) build $(BUILD_FLAGS) --show-bin-path)

.PHONY: help setup build run test bench bench-fidelity bench-speed bench-search models format lint docs install uninstall clean

help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 18

setup:
	@sh scripts/setup.sh

build: setup ## optimised build of the tool
	@$(SWIFT) build $(BUILD_FLAGS) --product edgetwin

run: build ## the main job: the best model and device, by budget, with intervals
	@$(BIN)/edgetwin run $(ARGS)

test: setup ## every test, optimised (debug builds of numeric code are hundreds of times slower)
	@$(SWIFT) build $(BUILD_FLAGS) --product edgetwin -Xswiftc -enable-testing
	@$(SWIFT) test $(BUILD_FLAGS) -Xswiftc -enable-testing $(ARGS)

format: ## format every source file in place
	@$(SWIFT) format -i -r Sources Tests Package.swift

lint: ## what CI checks: formatting only, nothing is changed
	@$(SWIFT) format lint -s -r Sources Tests Package.swift

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
