# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# What run.sh and test.sh share. Sourced with `set -euo pipefail` in force and ROOT set to the tree.

say() { printf '%s\n' "$*" >&2; }
dead='' # what die has said, for traps
die() {
    # shellcheck disable=SC2034
    dead=$*
    say "$(basename -- "$0"): $*"
    exit 1
}

# quietly LOG COMMAND…: its words go to LOG, and to $words, because LOG may stay empty on a full disk.
words=''
quietly() {
    local log=$1 status=0
    shift
    words=$("$@" 2>&1) || status=$?
    { printf '%s\n' "$words" >"$log"; } 2>/dev/null || true
    return "$status"
}

# How programs say it; sqlstate 53100 is PostgreSQL's disk_full.
NO_ROOM='No space left on device|enough free space|Disk quota exceeded|Check free disk space|"53100"'

# disk_is_full DIRECTORY WORDS: either somebody said so, or not even a megabyte goes there.
disk_is_full() {
    local full=1
    grep -Eq "$NO_ROOM" <<<"$2" && return 0
    { head -c 1048576 /dev/zero >"$1/room"; } 2>/dev/null || full=0
    rm -f -- "$1/room"
    return "$full"
}

# give_up SENTENCE LOG: with what is telling of $words, and the disk named when it is that.
give_up() {
    if disk_is_full "$ROOT/.local" "$words"; then
        grep -Em 1 "$NO_ROOM" <<<"$words" >&2 || true
        die "the disk is full: $1. Make room and start this again"
    fi
    tail -n 5 <<<"$words" >&2
    die "$1. All of its words: $2"
}

# need_writable DIRECTORY…: nothing in the first two levels is closed to us, which a run by another user leaves behind.
need_writable() {
    local dir closed owner depth
    for dir in "$@"; do
        depth=2
        [ -e "$dir" ] || { dir=$(dirname -- "$dir"); depth=0; }
        closed=$(find "$dir" -maxdepth "$depth" ! -type l ! -writable -print -quit 2>/dev/null || true)
        if [ -n "$closed" ]; then
            owner=$(stat -c %U -- "$closed")
            die "$closed belongs to $owner and is closed to $(id -un): run this as $owner, or have it removed"
        fi
    done
}

# as_root COMMAND…: directly, or by sudo.
as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo -- "$@"
    else
        die "this needs root: $* — run it as root, or install sudo"
    fi
}

# package_names GROUP…: the names of scripts/packages.txt in those groups.
package_names() {
    local group name
    while read -r group name; do
        [[ " $* " == *" $group "* ]] && echo "$name"
    done < <(grep -Ev '^(#|$)' "$ROOT/scripts/packages.txt")
}

# missing_packages GROUP…
missing_packages() {
    local names
    mapfile -t names < <(package_names "$@")
    # dpkg-query complains about names that it has never heard of; those are missing too.
    comm -23 <(printf '%s\n' "${names[@]}" | sort) \
        <(dpkg-query -W -f '${db:Status-Status} ${Package}\n' "${names[@]}" 2>/dev/null | sed -n 's/^installed //p' | sort -u)
}

# need_packages GROUP…: installs what is missing, quietly; asks apt nothing when all is there.
need_packages() {
    local missing log=$ROOT/.local/apt.log
    command -v dpkg-query >/dev/null || die "this script installs packages on Debian 12 only; docs/dependencies.md lists what else to install elsewhere"
    mapfile -t missing < <(missing_packages "$@")
    [ ${#missing[@]} -gt 0 ] || return 0
    [ "$(id -u)" = 0 ] || command -v sudo >/dev/null ||
        die "packages are missing, and there is no sudo to install them with. As root: apt-get install --no-install-recommends ${missing[*]}"
    say "Installing ${#missing[@]} packages: ${missing[*]}"
    export DEBIAN_FRONTEND=noninteractive
    if ! { as_root apt-get -q update && as_root env DEBIAN_FRONTEND=noninteractive apt-get -qy --no-install-recommends install "${missing[@]}"; } >"$log" 2>&1; then
        grep -E '^(E|W|Err)[: ]' "$log" | tail -5 >&2 || tail -5 "$log" >&2
        if disk_is_full / "$(cat "$log")"; then
            die "the disk is full: apt had no room for the packages. Make room and start this again"
        fi
        die "apt could not install them. Is the network there, and is another apt running? All of its words: $log"
    fi
}

# need_disk MEGABYTES DIRECTORY
need_disk() {
    local free_mb
    free_mb=$(df -Pm -- "$2" | awk 'NR == 2 { print $4 }')
    [ "$free_mb" -ge "$1" ] || die "the disk is full: $free_mb MB are free under $2, and $1 MB are needed"
}

# is_configured PRESET: for this very place, because a tree can be moved.
is_configured() { [ -f "build/$1/build.ninja" ] && grep -qxF "CMAKE_HOME_DIRECTORY:INTERNAL=$ROOT" "build/$1/CMakeCache.txt"; }

# build PRESET TARGET…: configures once, then builds; says where the compiler's words are when it fails.
build() {
    local preset=$1 log=$ROOT/.local/build-$1.log
    shift
    cd "$ROOT" || exit
    if ! { { is_configured "$preset" || cmake --fresh --preset "$preset"; } && cmake --build --preset "$preset" --target "$@"; } >"$log" 2>&1; then
        grep -E 'error:|FAILED|CMake Error|No space left' -A 3 "$log" | head -30 >&2 || tail -20 "$log" >&2
        if disk_is_full "$ROOT/build" "$(grep -E "$NO_ROOM" "$log")"; then
            die "the disk is full: the build had no room. Make room and start this again"
        fi
        die "the build failed. All of its words: $log"
    fi
}

# postgres_bin: directory of the server's programs, version 15 or later. (In a trap, a bare `return` gives the status from before the trap.)
postgres_bin() {
    local dir
    for dir in $(find /usr/lib/postgresql /usr/pgsql-* -maxdepth 2 -name bin -type d 2>/dev/null | sort -rV) "$(pg_config --bindir 2>/dev/null || true)"; do
        if [ -x "$dir/initdb" ]; then
            echo "$dir"
            return 0
        fi
    done
    die "no PostgreSQL server programs found (package postgresql-15)"
}

# as_server COMMAND…: PostgreSQL refuses to run as root, so root becomes user postgres.
as_server() {
    if [ "$(id -u)" = 0 ]; then
        (cd / && setpriv --reuid postgres --regid "$(id -g postgres)" --init-groups -- env HOME=/ "$@")
    else
        (cd / && "$@")
    fi
}

# ── processes that we started ── a pid file holds "PID START", where START is the kernel's start time: a number that was given to another
# process meanwhile is not ours, and one that only waits for its parent to notice has ended.
process_start() { sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | awk '$1 != "Z" { print $20 }'; }
remember_process() { echo "$2 $(process_start "$2")" >"$1"; } # FILE PID
# our_process FILE: its pid if it still runs.
our_process() {
    local pid start
    [ -r "$1" ] && read -r pid start <"$1" && [ -n "$start" ] && [ "$(process_start "$pid")" = "$start" ] && echo "$pid"
}
# stop_process FILE SECONDS: asks, waits, insists.
stop_process() {
    local pid
    if pid=$(our_process "$1"); then
        kill -TERM "$pid" 2>/dev/null || true
        for _ in $(seq $(($2 * 20))); do
            our_process "$1" >/dev/null || break
            sleep 0.05
        done
        if our_process "$1" >/dev/null; then
            kill -KILL "$pid" 2>/dev/null || true
        fi
    fi
    rm -f -- "$1"
}

# port_holder PORT: "name (pid N)" of who listens there, nothing when nobody does.
port_holder() {
    local hex inode link pid
    hex=$(printf ':%04X' "$1")
    inode=$(cat /proc/net/tcp /proc/net/tcp6 2>/dev/null | awk -v port="$hex" '$4 == "0A" && substr($2, length($2) - 4) == port { print $10; exit }' || true)
    [ -n "$inode" ] || return 0
    link=$(find /proc/[0-9]*/fd -lname "socket:\[$inode\]" -print -quit 2>/dev/null || true)
    pid=$(cut -d/ -f3 <<<"$link")
    if [ -n "$pid" ]; then
        echo "$(cat "/proc/$pid/comm") (pid $pid)"
    else
        echo "a process of another user"
    fi
}
