# The targets that contributors use; `make` lists them.
.DEFAULT_GOAL := help

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "%-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

test: ## the tests, with the race detector, in random order
	go test -race -shuffle=on ./...

check: ## everything that main must pass, under ten minutes
	bash .ci/run

api: ## rewrite api.txt of each package, its exported API, and what the commands of texts print
	go test ./internal/repo -run 'TestAPI|TestGuide' -update

bench: ## our benchmarks, beside goroutines and the raw switch
	$(MAKE) -C benchmarks bench

bench-peers: ## the same work in asyncio, uvloop and tokio
	$(MAKE) -C benchmarks bench-peers

bench-net: ## echo servers and Redis over sockets, beside the peers
	$(MAKE) -C benchmarks bench-net

million: ## memory and time of a million tasks and a million timers
	$(MAKE) -C benchmarks million

.PHONY: help test check api bench bench-peers bench-net million
