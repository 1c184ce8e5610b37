# SPDX-License-Identifier: Apache-2.0
# asnd alone; docker-compose.yml puts a PostgreSQL beside it.
# Packages without a version: Debian 12 changes them for security only, and then drops the old ones.
FROM debian:12-slim AS build
# hadolint ignore=DL3008
RUN apt-get update \
 && apt-get install -y --no-install-recommends gcc libc6-dev cmake ninja-build pkg-config \
      libmicrohttpd-dev libpq-dev libjansson-dev uuid-dev libyaml-dev libpcre2-dev libsodium-dev libxxhash-dev libgmp-dev libuv1-dev libxlsxwriter-dev libsystemd-dev \
      libhpdf-dev libqrencode-dev libgnutls28-dev libcurl4-gnutls-dev \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /source
COPY . .
RUN cmake --preset release -DASND_TESTS=OFF -DCMAKE_INSTALL_PREFIX=/usr \
 && cmake --build --preset release --target asnd \
 && DESTDIR=/out cmake --install build/release --strip

FROM debian:12-slim
# hadolint ignore=DL3008
RUN apt-get update \
 && apt-get install -y --no-install-recommends libmicrohttpd12 libpq5 libjansson4 libuuid1 libyaml-0-2 libpcre2-8-0 libsodium23 libxxhash0 libgmp10 \
      libuv1 libxlsxwriter4 libsystemd0 libhpdf-2.3.0 libqrencode4 libgnutls30 libcurl3-gnutls fonts-dejavu-core ca-certificates curl \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --system --uid 10001 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin asnd \
 && install -d -o 10001 -g 10001 -m 700 /var/lib/asnd
COPY --from=build /out/usr/ /usr/
USER 10001:10001
# Column keys lie in a volume, whose owner and mode a new one takes from the image's directory; a container without one has none (docs/column-keys.md).
ENV ASND_LISTEN=0.0.0.0 ASND_PORT=8080
EXPOSE 8080
STOPSIGNAL SIGTERM
# Alive, not ready: a container whose database is away is not helped by a restart. /readyz is for whoever sends it requests.
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 CMD ["curl", "-fsS", "-o", "/dev/null", "http://127.0.0.1:8080/livez"]
ENTRYPOINT ["asnd"]
CMD ["serve"]
