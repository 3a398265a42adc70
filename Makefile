# make run     the quickstart: Postern in front of a small legacy database
# make test    every test
# make lint    vet, staticcheck, gofmt
# make bench   Postern beside a hand-written façade, as ratios

GO      ?= go
LISTEN  ?= 127.0.0.1:8080
ADMIN   ?= $(shell echo $(LISTEN) | awk -F: '{ print $$1 ":" $$NF + 1 }')
CONFIG  ?= examples/quickstart/postern.yaml
FUZZ    ?= 30s
export CGO_ENABLED = 1

.PHONY: all build run test race lint fuzz bench docs clean

all: build

build:
	@mkdir -p bin
	$(GO) build -o bin/postern ./cmd/postern

run: build
	@sh examples/quickstart/hello.sh http://$(LISTEN)/scim/v2
	@exec bin/postern serve --config $(CONFIG) --listen $(LISTEN) --admin $(ADMIN)

test:
	$(GO) test ./...

race:
	$(GO) test -race ./...

lint:
	@test -z "$$(gofmt -l $$(git ls-files '*.go'))" || { gofmt -l $$(git ls-files '*.go'); exit 1; }
	$(GO) vet ./...
	$(GO) run honnef.co/go/tools/cmd/staticcheck@v0.8.2 ./...

# Half a minute of each fuzz target.
fuzz:
	@sh .ci/fuzz $(FUZZ)

bench:
	$(GO) run ./bench $(if $(QUICK),-quick)

docs:
	$(GO) test ./config ./cmd/postern -run 'Reference|Docs' -update

clean:
	rm -rf bin examples/*/state
