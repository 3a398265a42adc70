# Builds a static binary with SQLite in it and puts it alone into an image:
# no shell, no root, nothing that needs to be written to except the volume.
#
#   docker build -t postern --build-arg VERSION=1.2.3 .
#   docker run --read-only -p 8443:8443 -v postern:/var/lib/postern -v ./conf:/etc/postern:ro postern

FROM golang:1.26-bookworm AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
# Nothing is looked for outside the binary: names are resolved in Go, time zones are inside, SQLite loads no extensions.
ARG VERSION=
RUN CGO_ENABLED=1 go build -trimpath -tags nomsgpack,netgo,osusergo,timetzdata,sqlite_omit_load_extension \
      -ldflags "-s -w -linkmode external -extldflags -static -X main.version=$VERSION" -o /out/postern ./cmd/postern \
 && mkdir -p /out/state

FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /out/postern /postern
COPY --from=build --chown=65532:65532 /out/state /var/lib/postern
USER 65532:65532
WORKDIR /var/lib/postern
VOLUME /var/lib/postern
EXPOSE 8443
ENTRYPOINT ["/postern"]
CMD ["serve", "--config", "/etc/postern/postern.yaml"]
