SHELL := bash
.SHELLFLAGS := -euo pipefail -c
MAKEFLAGS += --no-builtin-rules --no-print-directory

VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo devel)
RELEASE := github.com/refnil/opencode-jail-devenv/checker/release

# Where programs and packages go.
BIN := bin
DIST := dist

# What is linked is loaded at each launch, so ocjail is held small.
MAX_MB := 13
MAX_WASM_MB := 7
MAX_RULES_MB := 32

# The linter has its own pin and folder: in go.mod it would bring 200 modules along.
GOLANGCI := v2.15.0
LINTER := .tools/golangci-lint-$(GOLANGCI)/golangci-lint

# Prerequisites are steps in order.
.NOTPARALLEL:

.PHONY: help
help: ## print this list
	@sed -nE 's/^([a-z]+):.*## (.*)/make \1\t\2/p' Makefile | expand -t 14

.PHONY: run
run: install build ## run the real opencode, scripted, without and with the jail, and show what came of it
	@go run ./tests/agent/cmd/show -ocjail bin/ocjail

.PHONY: build
build: ## build bin/ocjail, bin/ocjail-rules and bin/ocjail-wasm: static files, without cgo
	@echo "build: $(BIN)/ocjail $(BIN)/ocjail-rules $(BIN)/ocjail-wasm $(VERSION)"
	@CGO_ENABLED=0 go build -trimpath -ldflags '-s -w -X $(RELEASE).Version=$(VERSION)' -o $(BIN)/ ./cmd/ocjail ./cmd/ocjail-rules ./cmd/ocjail-wasm
	@for limit in ocjail=$(MAX_MB) ocjail-rules=$(MAX_RULES_MB) ocjail-wasm=$(MAX_WASM_MB); do \
		file=$(BIN)/$${limit%=*}; size=$$(stat -c %s $$file); (( size <= $${limit#*=} << 20 )) || \
		{ echo "build: $$file has $$size bytes, more than $${limit#*=} MB: see what got linked with go version -m and go list -deps" >&2; rm $$file; exit 1; }; \
	done

.PHONY: test
test: tools build format vet lint ## check the code and run all tests
	@echo "test: go test ./..."
	@go test ./...

.PHONY: format
format:
	@echo "format: gofmt -l"
	@files=$$(gofmt -l .); \
		[[ -z $$files ]] || { printf 'not formatted, run gofmt -w on:\n%s\n' "$$files" >&2; exit 1; }

.PHONY: vet
vet:
	@echo "vet: go vet ./..."
	@go vet ./...

.PHONY: lint
lint: $(LINTER) ## run golangci-lint with .golangci.yml
	@echo "lint: golangci-lint $(GOLANGCI)"
	@$(LINTER) run --allow-parallel-runners

$(LINTER):
	@echo "lint: building golangci-lint $(GOLANGCI) into $(@D) (about a minute)"
	@mkdir -p $(@D)
	@GOBIN='$(abspath $(@D))' go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI) 2>$(@D).log || \
		{ cat $(@D).log >&2; echo "lint: golangci-lint $(GOLANGCI) could not be had from the Go module proxy ($$(go env GOPROXY)): check the network or set GOPROXY" >&2; exit 1; }

.PHONY: generate
generate: ## write what is made from rules and lists: the compiled pack, the rules' pages
	@echo "generate: policy/pack.plan policy/watched.go"
	@go generate ./policy
	@echo "generate: docs"
	@go generate ./cmd/...

.PHONY: bench
bench: install build ## measure what the check adds to a launch
	@go run ./tests/bench

# What lint is compared with, pinned and apart as the linter is.
CONFTEST := v0.71.1
CONFTEST_PROGRAM := .tools/conftest-$(CONFTEST)/conftest

.PHONY: benchlint
benchlint: build $(CONFTEST_PROGRAM) ## measure ocjail lint against conftest on the same 1,000 jails (some minutes)
	@go run ./tests/bench/lint -conftest $(CONFTEST_PROGRAM)

$(CONFTEST_PROGRAM):
	@echo "benchlint: building conftest $(CONFTEST) into $(@D) (some minutes)"
	@mkdir -p $(@D)
	@GOBIN='$(abspath $(@D))' go install github.com/open-policy-agent/conftest@$(CONFTEST) 2>$(@D).log || \
		{ cat $(@D).log >&2; echo "benchlint: conftest $(CONFTEST) could not be had from the Go module proxy ($$(go env GOPROXY)): check the network or set GOPROXY" >&2; exit 1; }

# What makes packages, pinned and apart as the linter is.
NFPM := v2.45.1
NFPM_PROGRAM := .tools/nfpm-$(NFPM)/nfpm

.PHONY: packages
packages: build $(NFPM_PROGRAM) ## write a Debian package and an RPM of this machine's kind into dist/
	@echo "packages: $(DIST)"
	@packages/build.sh $(NFPM_PROGRAM) '$(BIN)' '$(DIST)' '$(VERSION)'

$(NFPM_PROGRAM):
	@echo "packages: building nfpm $(NFPM) into $(@D) (about a minute)"
	@mkdir -p $(@D)
	@GOBIN='$(abspath $(@D))' CGO_ENABLED=0 go install github.com/goreleaser/nfpm/v2/cmd/nfpm@$(NFPM) 2>$(@D).log || \
		{ cat $(@D).log >&2; echo "packages: nfpm $(NFPM) could not be had from the Go module proxy ($$(go env GOPROXY)): check the network or set GOPROXY" >&2; exit 1; }

.PHONY: install
install:
	@tests/install/install.sh

.PHONY: tools
tools:
	@tests/install/install.sh tests

.PHONY: clean
clean: ## remove what make built and installed
	rm -rf bin dist .tools
