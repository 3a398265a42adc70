#!/bin/sh
# Starts the application of this example, and Postern before it: the bearer token is "example".
cd "$(dirname "$0")/../.."
./examples/jsonrpc/app/up || exit
trap ./examples/jsonrpc/app/down EXIT
SCIM_TOKEN=${SCIM_TOKEN:-example} DIRECTORY_KEY=letmein go run ./cmd/postern serve -c examples/jsonrpc/postern.yaml
