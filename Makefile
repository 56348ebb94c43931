# Alone, make shows this help. Each target says after ## what it does.

GO ?= go
FUZZTIME ?= 10s
BENCH ?= -load w2 -workers 8,64 -repeat 1 -duration 5s
# staticcheck is run at this version without being a dependency of the module.
STATICCHECK = honnef.co/go/tools/cmd/staticcheck@v0.8.2

.DEFAULT_GOAL := help
.PHONY: help demo build test proof lint fuzz bench update clean

help: ## Show this help
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: ## Run everything on this machine, to try it
	$(GO) run ./cmd/otpost demo

build: ## Build the static binary dist/otpost
	CGO_ENABLED=0 $(GO) build -trimpath -o dist/otpost ./cmd/otpost

# The tests build the program too. Git refuses a checkout that belongs to somebody else, as CI's often does, so that
# build is not stamped with the revision.
# Tests that start the program as a process run one package after the other: several at once starve a small machine.
test: export GOFLAGS += -buildvcs=false
test: ## Check the format, vet, and run all tests under the race detector
	scripts/test-needs.sh
	@unformatted=$$(gofmt -l .); [ -z "$$unformatted" ] || { echo "run gofmt -w on:" $$unformatted; exit 1; }
	$(GO) vet ./...
	$(GO) test -race -shuffle=on -timeout=30m $$($(GO) list ./... | grep -v -e /e2e -e /proof)
	$(GO) test -race -shuffle=on -timeout=30m -p 1 ./e2e/... ./proof/...

# PROOF takes flags, as in: make proof PROOF="-part crash,linear -write docs/proof.md"
proof: export GOFLAGS += -buildvcs=false
proof: ## Hold otpost to its promise: kills, faults, races, leaks; about 20 minutes, a summary at the end
	scripts/test-needs.sh
	$(GO) run ./proof $(PROOF)

lint: ## Run staticcheck
	$(GO) run $(STATICCHECK) -checks inherit,-ST1013 ./...

fuzz: ## Run every fuzzer for FUZZTIME (10s)
	@for package in $$(grep -rlE '^func Fuzz' --include='*_test.go' . | xargs -n 1 dirname | sort -u); do \
		for fuzzer in $$($(GO) test -list '^Fuzz' $$package | grep '^Fuzz'); do \
			echo "$$package $$fuzzer"; \
			$(GO) test -run '^$$' -fuzz "^$$fuzzer\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 20x $$package || exit 1; \
		done; \
	done

bench: ## Measure issue, deliver, verify in a short form; see bench/README.md
	$(GO) run ./bench $(BENCH)

update: ## Write docs/settings.md, docs/providers.md and the tables of docs/b2c.md anew
	$(GO) test ./docs -run 'TestSettings|TestProviders|TestPolicies' -update

clean: ## Remove what was built
	rm -rf dist
