#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# bench.sh [--quick] [--people N] [--rounds N] [--seconds N] [--write]
# Measures asnd against the limits of this machine, side by side in one run: the same SQL by pgbench, the same bytes by the bare HTTP library,
# the same rows by COPY. Prints medians, spreads and `RATIO name value` lines; --write puts them into docs/performance.md.
set -euo pipefail
ROOT=$(cd -- "$(dirname -- "$0")/.." && pwd)
# shellcheck source=scripts/lib.sh
. "$ROOT/scripts/lib.sh"
mkdir -p "$ROOT/.local"
need_packages build run test bench
build release asnd
ASND_TEST_PG_OPTIONS="-c fsync=on -c full_page_writes=on -c shared_buffers=1GB -c max_wal_size=4GB -c max_connections=100" \
    exec "$ROOT/tests/unit/with-postgres.sh" /usr/bin/python3 "$ROOT/bench/bench.py" "$@"
