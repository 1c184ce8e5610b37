#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# bench.sh [--quick] [--people N] [--rounds N] [--seconds N] [--write]
# bench.sh --peers [--quick] [--people N] [--rounds N] [--seconds N] [--connections N,…] [--only WORKLOAD,…] [--peers NAME,…] [--write]
# bench.sh --national [--people N] [--answers N] [--tickets N] [--figures] [--repeats N] [--requests N] [--rate N] [--when alone|crowd] [--only WORD,…] [--keep DIR | --use DIR] [--write]
# bench.sh --histories [--people N] [--careers-every N] [--rounds N] [--with-triggers-only]
# bench.sh --overload [--people N] [--rounds N] [--seconds N] [--connections N] [--factors N,…] [--only WORKLOAD,…] [--set NAME=VALUE] [--write]
# bench.sh --crowd [SECONDS]
# bench.sh --failover
# bench.sh --instructions [--write]
# bench.sh --soak [MINUTES]
# Measures asnd against the limits of this machine, side by side in one run: the same SQL by pgbench, the same bytes by the bare HTTP library,
# the same rows by COPY. Prints medians, spreads and `RATIO name value` lines; --write puts them into docs/performance.md.
# --peers: the same beside servers in Go, Rust, JavaScript and Python with the same statements; those that cannot be built here are named and left out.
# --national: five million people (or N) with their histories, ten times as many answers and twice as many tickets (or N), and how long it takes to read them and their figures (--figures: what these need alone).
# Needs some 60 GB below TMPDIR (with --figures 50). --keep leaves the database in DIR, which is made; --use measures what lies there once more.
# Each figure is asked for --requests times, while nothing else happens (--when alone) and while --rate answers a second come (--when crowd); --only: those with one of these words in their names. What several runs
# on the same data measured makes up one table.
# --overload: what is still answered when one and a half, three and six times as much is asked as can be; the daemon and its database have one processor, who asks has another.
# --crowd: 200 citizens a second answer a survey for a minute, some of them twice, beside an office's own work, while answers are recounted: nothing is lost, nothing counts twice.
# --histories: a million people (or N) and all their histories by the importer, against COPY of the same rows with and without triggers; and the export against COPY TO.
# --failover: the primary dies under load, three times; Patroni has the standby take over, behind HAProxy and by libpq's own choice. Downtime and lost writes are printed.
# --instructions: how many instructions each request costs, by callgrind, beside the baseline that the stage `instructions` of test.sh holds it to; --write makes it the new one.
# --soak: half an hour (or MINUTES) of everything at once; memory, descriptors and connections stay what they are, and what was confirmed is there.
set -euo pipefail
ROOT=$(cd -- "$(dirname -- "$0")/.." && pwd)
# shellcheck source=scripts/lib.sh
. "$ROOT/scripts/lib.sh"
mkdir -p "$ROOT/.local"
need_packages build run test bench
build release asnd
if [ "${1:-}" = --national ]; then
    shift
    arguments=()
    while [ $# -gt 0 ]; do
        case $1 in
        --keep | --use)
            [ $# -gt 1 ] || die "$1 of which directory?"
            [ "$1" != --use ] || [ -e "$2/PG_VERSION" ] || die "there is no database in $2: --keep makes one"
            [ "$1" != --keep ] || [ ! -e "$2" ] || die "$2 is there already: --use measures it again"
            [ "$1" != --use ] || arguments+=(--there)
            ASND_TEST_PG_AT=$(realpath -m -- "$2")
            export ASND_TEST_PG_AT
            shift
            ;;
        *) arguments+=("$1") ;;
        esac
        shift
    done
    set -- "${arguments[@]}"
    ASND_TEST_PG_OPTIONS="-c shared_buffers=4GB -c max_wal_size=2GB -c wal_level=minimal -c max_wal_senders=0 -c work_mem=32MB -c max_connections=100" \
        exec "$ROOT/tests/unit/with-postgres.sh" /usr/bin/python3 "$ROOT/bench/national.py" "$@"
fi
if [ "${1:-}" = --crowd ]; then
    ASND_TEST_CROWD_SECONDS=${2:-60} ASND_TEST_ASND=$ROOT/build/release/asnd ASND_TEST_PG_OPTIONS="-c fsync=on -c full_page_writes=on" \
        exec "$ROOT/tests/unit/with-postgres.sh" /usr/bin/python3 -m pytest -q -s -p no:cacheprovider "$ROOT/tests/api/test_survey_crowd.py"
fi
if [ "${1:-}" = --soak ]; then
    ASND_TEST_SOAK_MINUTES=${2:-30} ASND_TEST_ASND=$ROOT/build/release/asnd exec /usr/bin/python3 -m pytest -q -s -p no:cacheprovider "$ROOT/tests/chaos/test_soak.py"
fi
if [ "${1:-}" = --failover ]; then
    need_packages bench-failover
    ASND_TEST_ASND=$ROOT/build/release/asnd exec /usr/bin/python3 "$ROOT/bench/failover.py"
fi
if [ "${1:-}" = --instructions ]; then
    ASND_TEST_ASND=$ROOT/build/release/asnd exec "$ROOT/tests/unit/with-postgres.sh" /usr/bin/python3 "$ROOT/bench/instructions.py" "${@:2}"
fi
OPTIONS="-c fsync=on -c full_page_writes=on -c shared_buffers=1GB -c max_wal_size=4GB -c max_connections=100"
if [ "${1:-}" = --overload ]; then
    shift
    ASND_TEST_PG_OPTIONS=$OPTIONS exec "$ROOT/tests/unit/with-postgres.sh" /usr/bin/python3 "$ROOT/bench/overload.py" "$@"
fi
if [ "${1:-}" = --histories ]; then
    shift
    ASND_TEST_PG_OPTIONS=$OPTIONS exec "$ROOT/tests/unit/with-postgres.sh" /usr/bin/python3 "$ROOT/bench/histories.py" "$@"
fi
if [ "${1:-}" = --peers ]; then
    shift
    # A peer's tools (group bench-peers of packages.txt): what is on the PATH is used, whatever its version; for what is not, Debian's are tried.
    packages=()
    for tool in go:golang-go node:nodejs npm:npm cargo:cargo; do
        command -v "${tool%%:*}" >/dev/null || packages+=("${tool#*:}")
    done
    [ ${#packages[@]} = 0 ] || as_root apt-get -qy --no-install-recommends install "${packages[@]}" >"$ROOT/.local/apt-peers.log" 2>&1 ||
        say "apt could not install ${packages[*]}; the peers that need them will be left out. Its words: $ROOT/.local/apt-peers.log"
    ASND_TEST_PG_OPTIONS=$OPTIONS exec "$ROOT/tests/unit/with-postgres.sh" /usr/bin/python3 "$ROOT/bench/peers.py" "$@"
fi
ASND_TEST_PG_OPTIONS=$OPTIONS exec "$ROOT/tests/unit/with-postgres.sh" /usr/bin/python3 "$ROOT/bench/bench.py" "$@"
