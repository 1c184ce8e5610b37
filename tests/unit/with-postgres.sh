#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# with-postgres.sh COMMAND [ARGUMENT…]
# Runs COMMAND against a PostgreSQL cluster that is made for it and thrown away afterwards, and gives back COMMAND's exit status.
#
# COMMAND finds in its environment
#   ASND_TEST_DATABASE_URL   a URI with a query part, so that more may be added: "$ASND_TEST_DATABASE_URL&dbname=other" (the last one wins)
#   ASND_TEST_PG_PID         the server's process id
#   ASND_TEST_PG_DIR         the directory with data/, log and the socket
# and may be steered by
#   ASND_TEST_PG_BIN         directory of the server's programs (default: the newest of 15 and later in the usual places)
#   ASND_TEST_PG_OPTIONS     more server options, such as "-c shared_buffers=1GB -c fsync=on"
#   ASND_TEST_PG_PORT        the socket's number, and the port where the options have it listen (default: 5432)
#   ASND_TEST_PG_KEEP=1      leaves the directory behind, for the log
#   ASND_TEST_PG_DATA        the files of a cluster that was ended in order: it starts from a copy of them
#   ASND_TEST_PG_KEPT_AS     ends the cluster in order and leaves its files there
#   ASND_TEST_PG_AT          the directory that the cluster lies in, is made in if there is none, and stays in, ended in order
#
# The server listens on a socket in its own directory only, so that its port cannot collide. As root it runs as user postgres. It gets
# SIGINT when this script dies, even by SIGKILL.
set -euo pipefail
unset "${!PG@}" # PGPORT, PGHOST, PGSERVICE …: server, psql and COMMAND would heed what the caller's shell has for another server

complain() {
    echo "with-postgres.sh: $*" >&2
    exit 125
}

find_bin() {
    local dir
    for dir in "${ASND_TEST_PG_BIN:-}" $(ls -d /usr/lib/postgresql/*/bin /usr/pgsql-*/bin 2>/dev/null | sort -rV) "$(pg_config --bindir 2>/dev/null)"; do
        if [ -n "$dir" ] && [ -x "$dir/initdb" ] && [ -x "$dir/postgres" ]; then
            echo "$dir"
            return
        fi
    done
    complain "no PostgreSQL server found; name its directory in ASND_TEST_PG_BIN"
}

[ $# -gt 0 ] || complain "which command?"
bin=$(find_bin)
port=${ASND_TEST_PG_PORT:-5432}
# A socket's path may be 107 bytes long, which a deep TMPDIR easily exceeds.
base=${TMPDIR:-/tmp}
[ ${#base} -le 60 ] || base=/tmp
dir=$(mktemp -d "$base/asnd-pg.XXXXXX")
as_server=(setpriv --pdeathsig INT)
if [ "$(id -u)" = 0 ]; then
    id postgres >/dev/null 2>&1 || complain "root cannot run a server, and there is no user postgres"
    chown postgres: "$dir"
    as_server=(setpriv --reuid postgres --regid "$(id -g postgres)" --init-groups --pdeathsig INT)
fi

data=${ASND_TEST_PG_AT:-$dir/data}
server=
child=
# keep PLACE: whole, or not at all.
keep() {
    kill -INT "$server"
    wait "$server" && rm -rf -- "$1.new" && mv -T -- "$dir/data" "$1.new" && mv -T -- "$1.new" "$1"
    server=
}

tidy() {
    trap '' INT TERM HUP
    if [ -n "$child" ] && kill -TERM "$child" 2>/dev/null; then
        wait "$child" 2>/dev/null || true
    fi
    # Immediate, if nobody will want this data again.
    how=QUIT
    [ -z "${ASND_TEST_PG_AT:-}" ] || how=INT
    if [ -n "$server" ] && kill -"$how" "$server" 2>/dev/null; then
        wait "$server" 2>/dev/null || true
    fi
    [ "${ASND_TEST_PG_KEEP:-}" = 1 ] || rm -rf -- "$dir"
}
trap tidy EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
trap 'exit 129' HUP

cd "$dir" # the caller's directory may be closed to user postgres
first='CREATE DATABASE asnd'
if [ -n "${ASND_TEST_PG_DATA:-}" ]; then
    cp -a --reflink=auto -- "$ASND_TEST_PG_DATA" "$data"
    first='SELECT'
elif [ -n "${ASND_TEST_PG_AT:-}" ] && [ -e "$data/PG_VERSION" ]; then
    first='SELECT'
else
    if [ -n "${ASND_TEST_PG_AT:-}" ]; then
        mkdir -p "$data"
        [ "$(id -u)" != 0 ] || chown postgres: "$data"
    fi
    "${as_server[@]}" "$bin/initdb" -D "$data" -U postgres -A trust -E UTF8 --locale=C.UTF-8 --no-sync --no-instructions >"$dir/log" 2>&1 ||
        { cat "$dir/log" >&2; complain "initdb failed"; }
fi
# shellcheck disable=SC2086 # the options are meant to be split
"${as_server[@]}" "$bin/postgres" -D "$data" -k "$dir" -p "$port" -c listen_addresses= -c fsync=off -c full_page_writes=off \
    -c max_connections=200 -c shared_buffers=128MB -c timezone=Asia/Makassar -c log_min_messages=warning -c jit=off \
    ${ASND_TEST_PG_OPTIONS:-} >>"$dir/log" 2>&1 </dev/null &
server=$!
for _ in $(seq 600); do
    kill -0 "$server" 2>/dev/null || { tail -20 "$dir/log" >&2; complain "the server did not start"; }
    if "$bin/psql" -qXh "$dir" -p "$port" -U postgres -d postgres -c "$first" >>"$dir/log" 2>&1; then
        ready=1
        break
    fi
    sleep 0.05
done
[ -n "${ready:-}" ] || { tail -20 "$dir/log" >&2; complain "the server is not ready after 30 s"; }

export ASND_TEST_DATABASE_URL="postgresql://postgres@/asnd?host=$dir&port=$port"
export ASND_TEST_PG_PID=$server ASND_TEST_PG_DIR=$dir
cd "$OLDPWD"
# In the background, so that a signal to this script is answered at once; the terminal stays its standard input.
"$@" <&0 &
child=$!
status=0
wait "$child" || status=$?
child=
[ -z "${ASND_TEST_PG_KEPT_AS:-}" ] || keep "$ASND_TEST_PG_KEPT_AS"
exit "$status"
