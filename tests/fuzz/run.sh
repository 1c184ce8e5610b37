#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# run.sh [SECONDS [TARGET…]]
# Builds the fuzz targets into build/fuzz and lets each look for crashes for SECONDS of a processor (60; some a tenth of that when none is named, see
# below), old crashers first. By the clock it takes longer beside other work, and looks no less. What is found on the way stays in build/fuzz/found, a crash in
# build/fuzz/crashes/TARGET; with its fix it moves to tests/fuzz/regression/TARGET. Exit status 0: nothing crashed.
set -euo pipefail
ROOT=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.." && pwd)
HERE=$ROOT/tests/fuzz
BUILD=$ROOT/build/fuzz
SECONDS_EACH=${1:-60}
[ $# -eq 0 ] || shift
[[ $SECONDS_EACH =~ ^[1-9][0-9]*$ ]] || { sed -n '3s/^# /usage: /p' "${BASH_SOURCE[0]}" >&2; exit 2; }
targets=("$@")
named=${1:+named }
if [ $# -eq 0 ]; then
    mapfile -t targets < <(sed -nE 's/^asnd_fuzz\((\w+).*/\1/p' "$HERE/CMakeLists.txt")
fi

cd "$ROOT"
mkdir -p "$BUILD"
if ! { cmake --preset fuzz && cmake --build --preset fuzz --target fuzzers; } >"$BUILD/fuzzers.log" 2>&1; then
    grep -E 'error|undefined reference|FAILED' "$BUILD/fuzzers.log" | head -n 20
    echo "fuzz: the targets do not build; all of it: $BUILD/fuzzers.log"
    exit 1
fi

export ASAN_OPTIONS=abort_on_error=1:allocator_may_return_null=0 UBSAN_OPTIONS=print_stacktrace=1
declare -i crashed=0 inputs=0 regressions=0

old_crashers() { [ ! -d "$HERE/regression/$1" ] || find "$HERE/regression/$1" -type f | sort; }

# Of a processor, so far.
seconds_had() { sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | awk -v hz="$(getconf CLK_TCK)" '{ print int(($12 + $13) / hz) }'; }

# hunt SECONDS PROGRAM…: until it has had them; on SIGUSR1 libFuzzer ends in order.
hunt() {
    local seconds=$1 pid
    shift
    "$@" &
    pid=$!
    while kill -0 "$pid" 2>/dev/null; do
        if [ "$(seconds_had "$pid")" -ge "$seconds" ] 2>/dev/null; then
            kill -USR1 "$pid" 2>/dev/null || true
        fi
        sleep 1
    done
    wait "$pid"
}

# Every input that once crashed, then the hunt. Its words and counts are in its log. How long an input may take is a matter of patience.c; by the
# clock this is only told of one that waits for ever.
run_target() {
    local name=$1 log=$BUILD/fuzz/$1.log found=$BUILD/found/$1 crashes=$BUILD/crashes/$1 program=$BUILD/fuzz/fuzz_$1
    local options=(-print_final_stats=1 -timeout=600 -rss_limit_mb=1024 -max_len=4096)
    local old=()
    mkdir -p "$found" "$crashes"
    [ ! -f "$HERE/dict/$name.dict" ] || options+=("-dict=$HERE/dict/$name.dict")
    mapfile -t old < <(old_crashers "$name")
    if [ ${#old[@]} -gt 0 ]; then
        "$program" "${options[@]}" "-artifact_prefix=$crashes/" "${old[@]}" >"$log" 2>&1 || return 1
    fi
    hunt "$(seconds_of "$name")" "$program" "${options[@]}" "-artifact_prefix=$crashes/" "$found" "$HERE/corpus/$name" >"$log" 2>&1
}

# What strangers write and we read first has all of them: contract validator, JSON body, CSV, cursor, NIP and NIK, target. The contract and our
# statements come from no stranger, and the others stand behind those.
seconds_of() {
    case $named$1 in
    schema | body | csv | cursor | numbers | target | named*) echo "$SECONDS_EACH" ;;
    *) echo $(((SECONDS_EACH + 9) / 10)) ;;
    esac
}

# One target a core at a time, those that take long before the others, so that no core is left over at the end.
mapfile -t targets < <(for name in "${targets[@]}"; do echo "$(seconds_of "$name") $name"; done | sort -srn -k 1,1 | cut -d' ' -f2)
for name in "${targets[@]}"; do
    rm -f -- "$BUILD/fuzz/$name.fine"
    while [ "$(jobs -rp | wc -l)" -ge "$(nproc)" ]; do
        wait -n || true
    done
    (run_target "$name" && touch "$BUILD/fuzz/$name.fine") &
done
wait || true

for name in "${targets[@]}"; do
    regressions+=$(old_crashers "$name" | wc -l)
    if [ -e "$BUILD/fuzz/$name.fine" ]; then
        inputs+=$(sed -n 's/^stat::number_of_executed_units: *//p' "$BUILD/fuzz/$name.log")
    else
        crashed+=1
        echo "fuzz_$name crashed:"
        grep -E 'it must hold|ERROR:|runtime error|SUMMARY|Test unit written' "$BUILD/fuzz/$name.log" | head -n 10 | sed 's/^/    /'
        echo "    all of it: $BUILD/fuzz/$name.log"
    fi
done
echo "fuzz: ${#targets[@]} targets, up to $SECONDS_EACH s of a processor each, $inputs inputs, $regressions old crashers, $crashed crashed"
[ "$crashed" = 0 ]
