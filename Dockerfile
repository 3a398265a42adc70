# Builds a static binary with SQLite in it and puts it alone into an image:
# no shell, no root, nothing that needs to be written to except the volume.
#
#   docker build -t postern .
#   docker run --read-only -p 8080:8080 -v postern:/var/lib/postern -v ./postern.yaml:/etc/postern/postern.yaml:ro postern

FROM golang:1.26-bookworm AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN CGO_ENABLED=1 go build -trimpath -tags netgo,osusergo \
      -ldflags '-s -w -linkmode external -extldflags "-static"' -o /out/postern ./cmd/postern \
 && mkdir -p /out/state

FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /usr/share/zoneinfo /usr/share/zoneinfo
COPY --from=build /out/postern /postern
COPY --from=build --chown=65532:65532 /out/state /var/lib/postern
USER 65532:65532
WORKDIR /var/lib/postern
VOLUME /var/lib/postern
EXPOSE 8080 8081
ENTRYPOINT ["/postern"]
CMD ["serve", "--config", "/etc/postern/postern.yaml"]
