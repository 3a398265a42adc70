#!/bin/sh
# Starts the application of this example, and Postern before it: the bearer token is "example".
cd "$(dirname "$0")/../.."
./examples/soap/app/up || exit
trap ./examples/soap/app/down EXIT
SCIM_TOKEN=${SCIM_TOKEN:-example} DIRECTORY_PASSWORD=letmein go run ./cmd/postern serve -c examples/soap/postern.yaml
