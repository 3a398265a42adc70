# make run     the quickstart: Postern in front of a small legacy database
# make test    every test; those of the examples install and start the applications
# make lint    vet, staticcheck, gofmt
# make docs    what is generated, and the output in the documentation
# make crash   10,000 operations while the program is killed 100 times
# make bench   Postern beside a hand-written façade, as ratios

GO      ?= go
LISTEN  ?= 127.0.0.1:8080
FUZZ    ?= 30s
STEPS   ?= 1000000
OPERATIONS ?= 10000
KILLS   ?= 100
# nomsgpack leaves out a codec of Gin's that takes 6 MiB of memory and that nothing uses.
TAGS    ?= nomsgpack
export CGO_ENABLED = 1

.PHONY: all build run test race lint fuzz model crash crowd bench docs clean

all: build

build:
	@mkdir -p bin
	$(GO) build -tags $(TAGS) -o bin/postern ./cmd/postern

run: build
	@exec sh examples/quickstart/run.sh bin/postern $(LISTEN) $(ADMIN)

test:
	$(GO) test -timeout 30m ./...

race:
	$(GO) test -race -timeout 60m $$($(GO) list ./... | grep -v /examples/)

lint:
	@test -z "$$(gofmt -l $$(git ls-files '*.go'))" || { gofmt -l $$(git ls-files '*.go'); exit 1; }
	$(GO) vet ./...
	$(GO) run honnef.co/go/tools/cmd/staticcheck@v0.8.2 ./...

# Identities against their model, step by step, on both engines: STEPS=1000000 takes half an hour on SQLite, and longer on PostgreSQL.
model:
	IDENTITY_MODEL_STEPS=$(STEPS) $(GO) test ./identity -run 'TestModel$$' -count=1 -timeout 24h -v

# The program killed again and again: the short form is part of the tests.
crash:
	CRASH_OPERATIONS=$(OPERATIONS) CRASH_KILLS=$(KILLS) $(GO) test ./cmd/postern -run 'TestCrash' -count=1 -timeout 24h -v

# Sixteen clients change one user and one group for a minute, under the race detector.
crowd:
	CROWD_TIME=1m $(GO) test -race ./cmd/postern -run 'TestLostUpdates$$' -count=1 -v

# Half a minute of each fuzz target.
fuzz:
	@sh .ci/fuzz $(FUZZ)

bench:
	$(GO) run ./bench $(if $(QUICK),-quick)
	$(GO) run ./bench/merged $(if $(QUICK),-quick)
	$(GO) run ./bench/rest $(if $(QUICK),-quick)

docs:
	$(GO) test ./config -run Generated -update
	$(GO) test ./cmd/postern -run Docs -update
	$(GO) test ./internal/rows -update

clean:
	rm -rf bin examples/*/state
