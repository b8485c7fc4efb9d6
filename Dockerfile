# Builds from a bare checkout: docker build -t deploy-gate .
# A release gives a folder in place of the first stage, with the executables that it has attested.
FROM rust:1.95-alpine3.22 AS build
ARG TARGETARCH
# hadolint ignore=DL3018
RUN apk add --no-cache gcc musl-dev
WORKDIR /src
COPY Cargo.toml Cargo.lock ./
COPY src src
COPY schema schema
# The musl target is static by itself.
RUN cargo build --locked --release --bin deploy-gate && \
    mkdir /out && mv target/release/deploy-gate "/out/deploy-gate-$TARGETARCH"

FROM alpine:3.22@sha256:14358309a308569c32bdc37e2e0e9694be33a9d99e68afb0f5ff33cc1f695dce
ARG TARGETARCH
ARG VERSION=unreleased
ARG REVISION=unknown
ARG SOURCE=unknown
LABEL org.opencontainers.image.title="deploy-gate" \
      org.opencontainers.image.description="Waits for a Nuon deploy, checks assertions against it, and exits with a code that a pipeline can trust" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION" \
      org.opencontainers.image.source="$SOURCE"
# CA roots are for the tools of whoever builds upon this image: the gate has its own.
# hadolint ignore=DL3018
RUN apk add --no-cache ca-certificates
COPY --from=build "/out/deploy-gate-$TARGETARCH" /usr/local/bin/deploy-gate
COPY action/entrypoint.sh /usr/local/bin/deploy-gate-entrypoint
USER 65532:65532
ENTRYPOINT ["deploy-gate-entrypoint"]
