#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# test.sh [--quick] [--only STAGE[,STAGE…]] [--list]
# Everything that must hold, stage by stage, with one summary at the end. Exit status 0 only when nothing failed. Two stages run at a time, and one
# that mostly waits, but one that holds something to a time; each has a log, servers, ports and directories of its own. They are told in the order of
# the list, with their seconds by the clock and how long they kept processors busy.
#
#   --quick   short fuzzing, no ThreadSanitizer, no property tests, no chaos
#   --only    these stages (packages and their builds come along)
#   --list    the stages and what each holds
#
# With CI=true nothing may be skipped. The words of each stage: .local/test/STAGE.log
set -euo pipefail
ROOT=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source=scripts/lib.sh
. "$ROOT/scripts/lib.sh"
cd "$ROOT"

LOGS=$ROOT/.local/test
SKIPPED=77
LANES=2
FIRST=packages
LAST=secrets
ALONE=" attack "     # it holds something to a time
WAITS=" chaos "      # for what dies to come back, most of its time: it takes no lane
BESIDE=fuzz
idly=(nice -n 19) # of the processors what nobody else wants, and a little more, so that it comes to an end
quick=''
only=''
failures=()
declare -i passed=0 failed=0 skipped=0

# NAME  what it holds (the function is stage_NAME)
stages=(
    "packages      all packages of scripts/packages.txt are installed"
    "tree          rooms lean downwards, licences, sizes, no unfinished words"
    "shell         shellcheck finds nothing in the scripts"
    "asan          gcc builds all with ASan and UBSan, without a warning"
    "clang         clang builds all with the fuzz targets, without a warning"
    "release       hardened build, installed elsewhere, started from there"
    "format        clang-format would change nothing"
    "cppcheck      cppcheck finds nothing"
    "tidy          clang-tidy finds nothing of .clang-tidy's list"
    "unit          unit tests, under ASan, with a database"
    "raw           bytes on the socket: framing, limits, deadlines, slow and broken clients"
    "api           every operation of openapi.yaml over HTTP, every reply against the contract"
    "check         asnd check names every disagreement of contract, bindings, statements and schema"
    "migration     the schema by itself: comments, named rules, seats, tree, frozen evaluations"
    "package       the Debian package on a bare system: installed, serving, upgraded, removed; manuals, completion, units"
    "instructions  no request costs 8 % more instructions than the baseline; a build that wastes a tenth is noticed"
    "tour          the README's tours and the pages of docs/ with commands do what they say; an integrator in step"
    "chaos         killed backends, servers, daemons, imports; a failover; disks, cables, clocks, locks, crowds in the way; a short soak: nothing is lost or doubled"
    "property      schemathesis finds no reply outside the contract"
    "tsan          concurrent requests under ThreadSanitizer"
    "attack        forged tokens, foreign ids, injected strings, bombs, rushes: nothing is had by them; nginx as docs/access.md has it; what is weak is named"
    "run           scripts/run.sh in a new clone: up with demo data, again in a moment, clear words, a clean end"
    "fuzz          parsers under libFuzzer, old crashers first; since clang, beside the others, on what they leave idle"
    "secrets       no key, token or personal datum in any log of this run"
)

for_quick_left_out=" tsan property chaos run "

usage() {
    sed -n '3,12s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2
    exit 2
}

while [ $# -gt 0 ]; do
    case $1 in
    --quick) quick=1 ;;
    --only)
        [ -n "${2:-}" ] || usage
        only=$2
        shift
        ;;
    --list)
        printf '%s\n' "${stages[@]}"
        exit 0
        ;;
    *) usage ;;
    esac
    shift
done

PYTEST=(/usr/bin/python3 -m pytest -q -rfEs -p no:cacheprovider --tb=short --durations=12 --durations-min=3)
each_core=(-n "$(nproc)" --dist loadfile) # a file at a time on each core, with a database server of its own
with_postgres() { tests/unit/with-postgres.sh "$@"; }
require_files() { compgen -G "$1" >/dev/null || { echo "there is no $1"; return 1; }; }

stage_packages() { need_packages run test; }
stage_tree() { "${PYTEST[@]}" tests/tree; }
stage_shell() {
    local scripts
    mapfile -t scripts < <(git ls-files '*.sh' .ci/run)
    shellcheck -x -S warning "${scripts[@]}"
}
stage_asan() { build asan all; }
stage_clang() { build fuzz all; }
stage_format() { cmake --build --preset asan --target format-check; }
stage_cppcheck() { cmake --build --preset asan --target cppcheck; }
stage_tidy() {
    local files
    mapfile -t files < <(git ls-files 'src/*.c')
    printf '%s\0' "${files[@]}" | xargs -0 -P "$(nproc)" -n 8 clang-tidy --quiet -p build/fuzz
}
stage_unit() { with_postgres ctest --test-dir build/asan --output-on-failure --no-tests=error -j "$(nproc)"; }
stage_raw() {
    require_files 'tests/raw/test_*.py' || return
    "${PYTEST[@]}" tests/raw
}
stage_check() { "${PYTEST[@]}" tests/check; }
stage_api() { ASND_TEST_COVERAGE=1 "${PYTEST[@]}" "${each_core[@]}" tests/api; }
stage_attack() { "${PYTEST[@]}" -n "$(nproc)" --dist loadgroup tests/attack; }
stage_migration() {
    require_files 'tests/migration/test_*.py' || return
    "${PYTEST[@]}" "${each_core[@]}" tests/migration
}
stage_release() {
    build release asnd manual
    scripts/check-hardening.sh build/release/asnd
    local prefix
    prefix=$(mktemp -d /tmp/asnd-prefix.XXXXXX)
    cmake --install build/release --prefix "$prefix" >/dev/null
    ASND_TEST_ASND=$prefix/bin/asnd "${PYTEST[@]}" tests/release
    rm -rf -- "$prefix"
}
stage_instructions() {
    build release asnd_wasteful
    ASND_TEST_ASND=$ROOT/build/release/asnd "${PYTEST[@]}" tests/instructions
}
stage_package() {
    rm -f build/package/*.deb
    build package all
    cmake --build build/package --target package >/dev/null
    ASND_TEST_ASND=$ROOT/build/package/asnd "${PYTEST[@]}" tests/package
}
stage_tour() { ASND_TEST_ASND=$ROOT/build/release/asnd "${PYTEST[@]}" "${each_core[@]}" tests/tour; }
stage_run() { "${PYTEST[@]}" tests/run; }
stage_chaos() { ASND_TEST_ASND=$ROOT/build/release/asnd "${PYTEST[@]}" tests/chaos; }
stage_tsan() {
    build tsan asnd
    ASND_TEST_ASND=$ROOT/build/tsan/asnd "${PYTEST[@]}" tests/concurrent
}
stage_property() {
    local venv=$ROOT/.local/venv
    if ! cmp -s tests/requirements.txt "$venv/requirements.txt"; then
        if ! { /usr/bin/python3 -m venv --clear "$venv" && "$venv/bin/pip" install -q -r tests/requirements.txt; }; then
            rm -rf -- "$venv"
            echo "schemathesis could not be installed"
            return "$SKIPPED"
        fi
        cp tests/requirements.txt "$venv/requirements.txt"
    fi
    ASND_TEST_ASND=$ROOT/build/release/asnd ASND_TEST_SCHEMATHESIS=$venv/bin/schemathesis "${PYTEST[@]}" -n "$(nproc)" tests/property
}
stage_fuzz() {
    [ -x tests/fuzz/run.sh ] || { echo "there is no tests/fuzz/run.sh"; return 1; }
    "${idly[@]}" tests/fuzz/run.sh $((quick ? 3 : 60))
}
stage_secrets() { /usr/bin/python3 tests/support/scan_logs.py "$LOGS"; }

# What a stage needs to have run before it, also when it is asked for alone; that comes earlier in the list. One ninja at a time in a directory.
needs() {
    case $1 in
    cppcheck) echo format ;;
    format | unit | raw | check | api | attack | migration) echo asan ;;
    tidy | fuzz) echo clang ;;
    instructions | tour | chaos | property) echo release ;;
    esac
}

wanted() {
    local name
    [ -n "$only" ] || { ! [[ -n $quick && $for_quick_left_out == *" $1 "* ]]; return; }
    for name in ${only//,/ }; do
        while [ -n "$name" ]; do
            [ "$name" != "$1" ] || return 0
            name=$(needs "$name")
        done
    done
    return 1
}

# count LOG WORD: how many tests a stage's runner says it has passed (failed, skipped); nothing when it does not say.
count() {
    local n
    case $2 in
    passed) n=$(sed -nE 's/.*tests passed, ([0-9]+) tests failed out of ([0-9]+).*/\2 - \1/p' "$1" | tail -1) ;;
    failed) n=$(sed -nE 's/.*tests passed, ([0-9]+) tests failed out of ([0-9]+).*/\1/p' "$1" | tail -1) ;;
    *) n='' ;;
    esac
    [ -n "$n" ] || n=$(sed -nE "s/^.*[^0-9]?\b([0-9]+) $2\b.* in [0-9.]+s.*/\1/p" "$1" | tail -1)
    [ -z "$n" ] || echo $((n))
}

# failed_tests LOG: those that pytest, ctest or ninja name, as they name them; and those that were skipped.
failed_tests() { grep -E '^(FAILED|ERROR|SKIPPED) .*\.py|^FAILED: |^[[:space:]]+[0-9]+ - .* \([A-Z].*\)$' "$1" | cut -c 1-240 || true; }

# last_words LOG: its end, or from where a sanitizer speaks.
last_words() {
    local from lines
    lines=$(wc -l <"$1")
    from=$(grep -nE -m 1 'WARNING: ThreadSanitizer|ERROR: [A-Za-z]+Sanitizer|: runtime error: ' "$1" | cut -d: -f1 || true)
    if [ -n "$from" ] && [ "$((lines - from))" -ge 60 ]; then
        sed -n "$from,$((from + 159))p" "$1"
        [ "$((lines - from))" -lt 160 ] || tail -n "$((lines - from < 180 ? lines - from - 159 : 20))" "$1"
    else
        tail -n 60 "$1"
    fi
}

# What failed, stage by stage in the order of the run: also when the run is cut off.
tell_failures() {
    local name
    for name in "${failures[@]}"; do
        printf '\n── %s failed ──\n' "$name"
        failed_tests "$LOGS/$name.log" | sed 's/^/    /'
        last_words "$LOGS/$name.log" | sed 's/^/    | /'
        echo "    all of it: $LOGS/$name.log"
    done
}

# perform NAME: its words go to its log, its exit status and seconds beside that: by the clock, and of the processors by all that it started and saw end.
perform() {
    local name=$1 began status
    began=$(date +%s.%N)
    set +e # not `|| status=$?`: inside of that, set -e would not count
    (
        set -e
        "stage_$name"
    ) >"$LOGS/$name.log" 2>&1 </dev/null
    status=$?
    set -e
    times >"$LOGS/$name.times" # no pipe: a shell of its own has had no children
    awk -F '[ms ]+' -v status="$status" -v a="$began" -v b="$(date +%s.%N)" \
        'END { printf "%d %.1f %.1f\n", status, b - a, 60 * ($1 + $3) + $2 + $4 }' "$LOGS/$name.times" >"$LOGS/$name.end"
}

tell() {
    local name=$1 log=$LOGS/$1.log status=1 ok bad out seconds='' busy='' verdict
    if [ -s "$LOGS/$name.end" ]; then
        read -r status seconds busy <"$LOGS/$name.end"
    fi
    ok=$(count "$log" passed)
    bad=$(count "$log" failed)
    out=$(count "$log" skipped)
    if [ "$status" = 0 ]; then
        verdict=ok
        passed+=${ok:-1}
        skipped+=${out:-0}
        if [ "${CI:-}" = true ] && [ "${out:-0}" -gt 0 ]; then
            verdict=FAIL
            failed+=1
        fi
    elif [ "$status" = "$SKIPPED" ] && [ "${CI:-}" != true ]; then
        verdict=SKIPPED
        skipped+=1
    else
        verdict=FAIL
        passed+=${ok:-0}
        if [ "${bad:-0}" -gt 0 ]; then failed+=$bad; else failed+=1; fi
    fi
    printf '%-8s %-12s %8s s %8s s busy  %s\n' "$verdict" "$name" "$seconds" "$busy" "${ok:+$ok passed}${bad:+, $bad failed}${out:+, $out skipped}"
    if [ "$verdict" = FAIL ]; then
        failures+=("$name")
        failed_tests "$log" | sed 's/^/    /'
    elif [ "$verdict" = SKIPPED ]; then
        echo "    SKIPPED, and not held: $(tail -1 "$log")"
    fi
}

# ── what runs at once ── each stage has a process group of its own, to be ended by, and says its name to $ENDED when it has ended.
declare -A group=() has_ended=()
waiting=()

start() {
    set -m
    (
        # shellcheck disable=SC2064
        trap "echo $1 >&$ENDED" EXIT
        trap 'exit 130' INT # also when the stage has put up with it
        perform "$1"
    ) </dev/null &
    group[$1]=$!
    set +m
}

end_all() {
    local name
    for name in "${!group[@]}"; do
        kill "-$([ "$name" = "$BESIDE" ] && echo TERM || echo INT)" -- "-${group[$name]}" 2>/dev/null || true
    done
    wait
}

# under_way [also-those-that-wait]: how many stages that have a lane.
under_way() {
    local name n=0
    for name in "${!group[@]}"; do
        [ "$name" = "$BESIDE" ] || { [ $# = 0 ] && waits "$name"; } || n=$((n + 1))
    done
    echo "$n"
}

waits() { [[ $WAITS == *" $1 "* ]]; }
is_alone() { [[ $ALONE == *" $1 "* ]]; }

has_room() {
    local name
    if is_alone "$1"; then
        [ "$(under_way also-those-that-wait)" = 0 ]
        return
    fi
    for name in "${!group[@]}"; do
        ! is_alone "$name" || return 1
    done
    waits "$1" || [ "$(under_way)" -lt "$LANES" ]
}

may_start() {
    local need
    need=$(needs "$1")
    [ "${in_turn[0]}" != "$FIRST" ] || [ "$1" = "$FIRST" ] || return 1
    case $1 in
    "$LAST") [ "${#waiting[@]}" = 1 ] && [ "${#group[@]}" = 0 ] ;;
    "$BESIDE") [ -n "${has_ended[$need]:-}" ] ;;
    *) has_room "$1" && { [ -z "$need" ] || [ -n "${has_ended[$need]:-}" ]; } ;;
    esac
}

start_what_may() {
    local name left=()
    for name in "${waiting[@]}"; do
        if may_start "$name"; then start "$name"; else left+=("$name"); fi
    done
    waiting=("${left[@]}")
}

mkdir -p "$LOGS"
rm -rf -- "${LOGS:?}"/*
export ASND_TEST_LOGS=$LOGS/daemons
mkdir -p "$ASND_TEST_LOGS"
need_disk 3000 "$LOGS"
[ -z "$only" ] || need_packages build run test
mkfifo "$LOGS/ended"
exec {ENDED}<>"$LOGS/ended"
rm "$LOGS/ended"
trap 'end_all; tell_failures' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
for entry in "${stages[@]}"; do
    wanted "${entry%% *}" && waiting+=("${entry%% *}")
done
in_turn=("${waiting[@]}")
while [ ${#in_turn[@]} -gt 0 ]; do
    start_what_may
    read -r -u "$ENDED" name
    has_ended[$name]=1
    unset "group[$name]"
    [ "$name" = "${in_turn[0]}" ] || grep -qs '^0 ' "$LOGS/$name.end" || echo "         $name has failed meanwhile: $LOGS/$name.log"
    while [ ${#in_turn[@]} -gt 0 ] && [ -n "${has_ended[${in_turn[0]}]:-}" ]; do
        tell "${in_turn[0]}"
        in_turn=("${in_turn[@]:1}")
    done
done
tell_failures
trap - EXIT INT TERM
printf '\n%s\n' "$(awk -v all="$SECONDS" '{ busy += $3 } END { printf "%.1f minutes; processors were busy for %.1f", all / 60, busy / 60 }' "$LOGS"/*.end)"
echo
if [ "$skipped" -gt 0 ]; then
    echo "$passed passed, $failed failed, $skipped skipped"
else
    echo "$passed passed, $failed failed"
fi
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
