# The operator's image, for those who have a registry: docker build --tag NAME:TAG .
# It holds the same files as the image of `cargo xtask image`, which makes them here, too.
# by its digest: the tag may name another image tomorrow
FROM rust:1.95.0-bookworm@sha256:6258907abe69656e41cd992e0b705cdcfabcbbe3db374f92ed2d47121282d4a1 AS build
RUN apt-get update && apt-get install --yes --no-install-recommends musl-tools && rm -rf /var/lib/apt/lists/*
WORKDIR /source
COPY . .
RUN cargo xtask image --root /image

FROM scratch
ARG CREATED=1970-01-01T00:00:00Z
ARG REVISION=unknown
LABEL org.opencontainers.image.title="antfly-backup-operator" \
      org.opencontainers.image.description="Turns AntflyBackup resources into CronJobs and keeps a status that tells the truth" \
      org.opencontainers.image.version="0.1.0" \
      org.opencontainers.image.licenses="Apache-2.0 OR MIT" \
      org.opencontainers.image.source="https://github.com/antflydb/antfly-backup-operator" \
      org.opencontainers.image.created="${CREATED}" \
      org.opencontainers.image.revision="${REVISION}"
COPY --from=build /image/ /
USER 65532:65532
ENTRYPOINT ["/antfly-backup-operator"]
