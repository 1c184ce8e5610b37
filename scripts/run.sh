#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# run.sh [--port N] [--no-demo] [--detach] | --stop | --help
# From a fresh Debian 12 to a running asnd with demo data: installs what is missing, builds, starts a private PostgreSQL, migrates,
# imports, serves. Everything it makes lies in .local/ and build/ (to begin anew: --stop, and remove .local/), except that root in a tree
# where user postgres cannot go has its database in /var/lib/postgresql/asnd-NUMBER. A second start takes a moment.
#
#   --port N    listen on 127.0.0.1:N (default 8080)
#   --no-demo   leave the database empty
#   --detach    return when it is ready; otherwise it runs until Ctrl-C
#   --stop      end the daemon and the PostgreSQL that this script started
#
# ASND_DATABASE_URL, when set to another database, is used instead; the private PostgreSQL is started for it if that is where it lies.
# Other ASND_* settings pass through (`asnd config`).
set -euo pipefail
ROOT=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source=scripts/lib.sh
. "$ROOT/scripts/lib.sh"

LOCAL=$ROOT/.local
ASND=$ROOT/build/release/asnd
DAEMON_PID=$LOCAL/asnd.pid
port=''
demo=1
detach=''
stop=''
started_cluster=''
home=''
owner_url=''
daemon=''
as_daemon=()

help() { sed -n '3,15s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; }
usage() {
    help >&2
    exit 2
}

while [ $# -gt 0 ]; do
    case $1 in
    --port)
        [[ "${2:-}" =~ ^[1-9][0-9]{0,4}$ && $2 -le 65535 ]] || usage
        port=$2
        shift
        ;;
    --no-demo) demo='' ;;
    --detach) detach=1 ;;
    --stop) stop=1 ;;
    --help)
        help
        exit 0
        ;;
    *) usage ;;
    esac
    shift
done

# Where the cluster lives: in the tree, unless user postgres cannot get there (a tree under /root, say).
cluster_home() {
    if [ "$(id -u)" = 0 ] && ! as_server test -x "$LOCAL"; then
        echo "/var/lib/postgresql/asnd-$(cksum <<<"$ROOT" | cut -d' ' -f1)"
    else
        echo "$LOCAL/pg"
    fi
}

# A socket's path may be 107 bytes long, which a deep tree exceeds.
socket_dir() {
    if [ ${#1} -le 80 ]; then
        echo "$1"
    else
        echo "/tmp/asnd-$(cksum <<<"$ROOT" | cut -d' ' -f1)"
    fi
}

# After a power cut the pid file names whatever has that number today, which pg_ctl would take for the server, and stop.
cluster_runs() {
    local pid
    pid=$(as_server head -n 1 "$home/data/postmaster.pid" 2>/dev/null) && [ "$(as_server readlink "/proc/$pid/cwd")" = "$(realpath "$home/data")" ]
}

server_user() { if [ "$(id -u)" = 0 ]; then echo postgres; else id -un; fi; }

# The server's log since this start, which may be all that tells of a full disk.
server_words() { as_server tail -n "+$((${server_said:-0} + 1))" "$home/log" 2>/dev/null | tail -n 200 || true; }

make_cluster() {
    say "Making a PostgreSQL cluster in $home"
    if ! quietly "$LOCAL/initdb.log" as_server "$pg_bin/initdb" -D "$home/data" -U postgres --auth-local=trust --auth-host=reject -E UTF8 \
        --locale=C.UTF-8 --no-instructions; then
        as_server rm -rf -- "$home/data"
        give_up "PostgreSQL could not make a cluster" "$LOCAL/initdb.log"
    fi
    # No TCP at all; the socket's directory is closed to everybody else.
    as_server tee -a "$home/data/postgresql.conf" >/dev/null <<CONF
listen_addresses = ''
unix_socket_directories = '$socket'
shared_buffers = 256MB
effective_cache_size = 1GB
max_wal_size = 2GB
random_page_cost = 1.1
jit = off
timezone = 'Asia/Makassar'
log_min_messages = warning
CONF
}

for_url() { jq -rn --arg word "$1" '$word | @uri'; }
own_database() { echo "postgresql://${2:-asnd}@/${3:-asnd}?host=${1// /%20}&port=5432"; } # SOCKET_DIRECTORY [ROLE [DATABASE]]

# host_of CONNECTION_STRING: the server's name, or the directory of its socket; nothing where none is said.
host_of() {
    local host=''
    if [[ $1 =~ ^postgres(ql)?:// ]]; then
        if [[ $1 =~ [?\&]host=([^\&]*) ]]; then
            host=${BASH_REMATCH[1]}
        elif [[ $1 =~ ^[a-z]+://([^@/?]*@)?([^:/?]*) ]]; then
            host=${BASH_REMATCH[2]}
        fi
        printf '%b' "${host//%/\\x}"
    elif [[ $1 =~ (^|[[:space:]])host[[:space:]]*=[[:space:]]*(\'([^\']*)\'|([^\'[:space:]]+)) ]]; then
        printf '%s' "${BASH_REMATCH[3]}${BASH_REMATCH[4]}"
    fi
}

# in_cluster CONNECTION_STRING: it names a database of the private PostgreSQL.
in_cluster() {
    local host
    host=$(host_of "$1")
    [[ $host = /* ]] && [ "$(realpath -m -- "$host")" = "$(realpath -m -- "$(socket_dir "$(cluster_home)")")" ]
}

# `source .local/env` leaves the private database's address in the shell, which is no wish for another server.
wants_cluster() { [ -z "${ASND_DATABASE_URL:-}" ] || in_cluster "$ASND_DATABASE_URL"; }

# Another database of the private PostgreSQL is migrated by the role that owns it.
find_owner() {
    local found
    found=$("$pg_bin/psql" -qXtA -F ' ' -v ON_ERROR_STOP=1 -d "$ASND_DATABASE_URL" \
        -c 'SELECT pg_get_userbyid(datdba), datname FROM pg_database WHERE datname = current_database()' 2>"$LOCAL/database.log") || {
        words=$(cat "$LOCAL/database.log")
        server_failed "the database of ASND_DATABASE_URL cannot be reached" "$LOCAL/database.log"
    }
    owner_url=$(own_database "$socket" "$(for_url "${found%% *}")" "$(for_url "${found#* }")")
}

start_cluster() {
    local owner
    unset "${!PG@}" # the caller's PGPORT and its like mean another server
    pg_bin=$(postgres_bin)
    home=$(cluster_home)
    socket=$(socket_dir "$home")
    if ! [ -d "$home" ]; then
        mkdir -p "$home" 2>/dev/null || as_root mkdir -p "$home"
        [ "$(id -u)" != 0 ] || chown postgres: "$home"
    fi
    owner=$(stat -c %U -- "$home")
    [ "$owner" = "$(server_user)" ] || die "the cluster in $home belongs to $owner: run this as $owner, or remove that directory"
    as_server mkdir -p "$socket"
    as_server chmod 700 "$home" "$socket"
    as_server test -f "$home/data/PG_VERSION" || make_cluster
    if ! cluster_runs; then
        server_said=$(as_server cat "$home/log" 2>/dev/null | wc -l || true)
        if ! as_server "$pg_bin/pg_ctl" -D "$home/data" -l "$home/log" -w -t 60 start >/dev/null 2>&1; then
            words=$(server_words)
            give_up "PostgreSQL does not start" "$home/log"
        fi
        started_cluster=1
    fi
    quietly "$LOCAL/database.log" as_server "$pg_bin/psql" -qXtA -v ON_ERROR_STOP=1 -h "$socket" -U postgres -d postgres <<'SQL' || server_failed "the database could not be made" "$LOCAL/database.log"
SET client_min_messages = warning;
SELECT format('CREATE ROLE %I %s', name, kind) FROM (VALUES ('asnd', 'LOGIN'), ('asnd_owner', 'LOGIN'), ('asnd_all', 'NOLOGIN'), ('asnd_bound', 'NOLOGIN')) AS r (name, kind)
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) \gexec
GRANT asnd_all, asnd_bound TO asnd;
SELECT 'CREATE DATABASE asnd OWNER asnd_owner' WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'asnd') \gexec
\connect asnd
-- Of a cluster from before there were two roles.
SELECT 'REASSIGN OWNED BY asnd TO asnd_owner' WHERE EXISTS (SELECT FROM pg_database WHERE datname = 'asnd' AND datdba = 'asnd'::regrole)
    OR EXISTS (SELECT FROM pg_class WHERE relowner = 'asnd'::regrole) \gexec
GRANT ALL ON SCHEMA public TO asnd_owner;
SQL
    if [ -n "${ASND_DATABASE_URL:-}" ]; then
        find_owner
    else
        ASND_DATABASE_URL=$(own_database "$socket")
        owner_url=$(own_database "$socket" asnd_owner)
    fi
}

stop_cluster() {
    local mode
    pg_bin=$(postgres_bin)
    home=$(cluster_home)
    if as_server test -f "$home/data/PG_VERSION" && cluster_runs; then
        # A server that cannot end in order (its disk is full) is ended without: what was committed is in its log. One that
        # fell over by itself meanwhile makes pg_ctl fail too, so what counts is whether it still runs.
        for mode in fast immediate; do
            as_server "$pg_bin/pg_ctl" -D "$home/data" -m $mode -w -t 15 stop >/dev/null 2>&1 && return
            cluster_runs || return 0
        done
        say "PostgreSQL in $home did not stop"
    fi
}

stop_everything() {
    stop_process "$DAEMON_PID" 30
    if [ -e "$LOCAL/cluster-started" ]; then
        stop_cluster
        rm -f "$LOCAL/cluster-started"
    fi
}

# server_failed SENTENCE LOG: what asnd said, unless the server's own log has the reason.
server_failed() {
    if [ -n "$started_cluster" ] && grep -Eq "$NO_ROOM" <<<"$(server_words)"; then
        words=$(server_words)
    fi
    give_up "$1" "$2"
}

migrate() {
    local which="the database"
    [ -n "$home" ] || which="the database of ASND_DATABASE_URL"
    quietly "$LOCAL/migrate.log" env ASND_OWNER_DATABASE_URL="$owner_url" "$ASND" migrate && return 0
    ! grep -q '"database-connect-failed"' <<<"$words" || server_failed "$which cannot be reached" "$LOCAL/migrate.log"
    server_failed "$which could not be brought up to date" "$LOCAL/migrate.log"
}

# Demo units, people and some of their histories by the product's own import, then two years of their trainings, services and evaluations by its API; only ever into an
# empty database, or to finish what was begun in one: an import changes nothing that is there already, and each request of life.py counts once.
import_demo() {
    python3 "$ROOT/tools/generate.py" --out "$LOCAL/demo" && "$ASND" import units "$LOCAL/demo/units.csv" &&
        "$ASND" import asn "$LOCAL/demo/asn.csv" && "$ASND" import history "$LOCAL/demo/history.csv" &&
        ASND_URL=$url ASND_ADMIN_KEY=$key python3 "$ROOT/tools/life.py"
}

load_demo() {
    local unfinished=$LOCAL/demo-unfinished this
    this=$(cksum <<<"$ASND_DATABASE_URL")
    [ "$(cat "$unfinished" 2>/dev/null)" = "$this" ] ||
        [ "$(curl -s -H "Authorization: Bearer $key" "$url/v1/units?limit=1" | jq '.data | length')" = 0 ] || return 0
    say "Importing the demo data"
    echo "$this" >"$unfinished"
    quietly "$LOCAL/demo.log" import_demo || server_failed "the demo data could not be imported" "$LOCAL/demo.log"
    rm -f -- "$unfinished"
}

need_port() {
    local holder
    holder=$(port_holder "$port")
    [ -z "$holder" ] || die "port $port is taken by $holder; choose another with --port"
}

start_daemon() {
    local said
    # root has no business on the network: become the cluster's user, if that one can get at the program.
    if [ "$(id -u)" = 0 ] && as_server test -x "$ASND"; then
        as_daemon=(setpriv --reuid postgres --regid "$(id -g postgres)" --init-groups)
    fi
    said=$(wc -l 2>/dev/null <"$LOCAL/asnd.log" || echo 0)
    # In a session of its own: Ctrl-C reaches this script alone, which then stops things in order.
    ASND_LISTEN=127.0.0.1 ASND_PORT=$port ASND_PUBLIC_URL=${ASND_PUBLIC_URL:-$url} setsid "${as_daemon[@]}" "$ASND" serve >>"$LOCAL/asnd.log" 2>&1 </dev/null &
    daemon=$!
    remember_process "$DAEMON_PID" "$daemon"
    for _ in $(seq 600); do
        curl -fsS -o /dev/null "$url/readyz" 2>/dev/null && return 0
        kill -0 "$daemon" 2>/dev/null || break
        sleep 0.05
    done
    words=$(tail -n "+$((said + 1))" "$LOCAL/asnd.log")
    server_failed "asnd does not start" "$LOCAL/asnd.log"
}

# The key of the last start, if it is still good here; else a new one.
find_key() {
    local old
    old=$(sed -n "s/^export ASND_ADMIN_KEY='\(.*\)'$/\1/p" "$LOCAL/env" 2>/dev/null || true)
    if [ -n "$old" ] && [ "$(curl -s -o /dev/null -w '%{http_code}' -H "Authorization: Bearer $old" "$url/v1/units?limit=1")" = 200 ]; then
        key=$old
    else
        key=$("$ASND" key create --name run.sh --scope admin 2>"$LOCAL/key.log") || {
            words=$(cat "$LOCAL/key.log")
            server_failed "no key could be made" "$LOCAL/key.log"
        }
    fi
}

quoted() { printf "'%s'" "${1//\'/\'\\\'\'}"; }

# For any sh. What the last start left in a shell and does not hold any more is taken away; PATH grows once, however often this is sourced.
write_env() {
    local programs
    programs=$(quoted "$ROOT/build/release:$ROOT/packaging")
    (
        umask 077
        rm -f "$LOCAL/env"
        {
            printf 'export %s=%s\n' ASND_URL "$(quoted "$url")" ASND_ADMIN_KEY "$(quoted "$key")" ASND_DATABASE_URL "$(quoted "$ASND_DATABASE_URL")"
            if [ -n "$owner_url" ]; then
                printf 'export ASND_OWNER_DATABASE_URL=%s\n' "$(quoted "$owner_url")"
            else
                echo 'unset ASND_OWNER_DATABASE_URL'
            fi
            [ -z "${ASND_COLUMN_KEYS_FILE:-}" ] || printf 'export ASND_COLUMN_KEYS_FILE=%s\n' "$(quoted "$ASND_COLUMN_KEYS_FILE")"
            echo "case \":\$PATH:\" in *:$programs:*) ;; *) export PATH=$programs:\"\$PATH\" ;; esac"
        } >"$LOCAL/env"
    )
}

banner() {
    cat <<TEXT

asnd is ready.
  Address        $url
  Documentation  $url/docs
  Admin key      $key
  Log            $LOCAL/asnd.log

  source .local/env
  curl -s -H "Authorization: Bearer \$ASND_ADMIN_KEY" "\$ASND_URL/v1/asn?limit=3" | jq

TEXT
}

need_writable "$LOCAL" "$ROOT/build"
mkdir -p "$LOCAL"
if [ -n "$stop" ]; then
    stop_everything
    exit 0
fi

need_disk 500 "$LOCAL"
need_packages run
url=http://127.0.0.1:${port:-8080}
if running=$(our_process "$DAEMON_PID"); then
    there=$(sed -n "s/^export ASND_URL='\(.*\)'$/\1/p" "$LOCAL/env" 2>/dev/null || true)
    [ -z "$port" ] || [ "$url" = "$there" ] || die "asnd runs already, at $there (pid $running); scripts/run.sh --stop ends it"
    say "asnd runs already, at $there (pid $running), as it was built then; scripts/run.sh --stop ends it."
    exit 0
fi
port=${port:-8080}
[ -x "$ASND" ] || say "Building asnd, which takes a few minutes; $LOCAL/build-release.log tells how far it is"
build release asnd
on_end() {
    local status=$?
    trap '' INT TERM HUP
    stop_process "$DAEMON_PID" 30
    # A full disk may have had no room for the pid file.
    if [ -n "$daemon" ] && kill -TERM "$daemon" 2>/dev/null; then
        wait "$daemon" || true
    fi
    if [ "$status" = 1 ] && [ -z "$dead" ] && disk_is_full "$LOCAL" ''; then
        say "run.sh: the disk is full. Make room and start this again"
    fi
    [ -z "$started_cluster" ] || { stop_cluster; rm -f "$LOCAL/cluster-started"; }
}
trap on_end EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

need_port
if wants_cluster; then
    start_cluster
elif [ -n "${ASND_OWNER_DATABASE_URL:-}" ] && ! in_cluster "$ASND_OWNER_DATABASE_URL"; then # else `source .local/env` left it
    owner_url=$ASND_OWNER_DATABASE_URL
fi
[ -z "$started_cluster" ] || touch "$LOCAL/cluster-started"
export ASND_DATABASE_URL
# The private database's NIKs are encrypted; another database has keys of its own, or none.
if [ -z "${ASND_COLUMN_KEYS_FILE:-}" ] && wants_cluster; then
    export ASND_COLUMN_KEYS_FILE=$LOCAL/column-keys
    [ -e "$ASND_COLUMN_KEYS_FILE" ] || quietly "$LOCAL/column-keys.log" "$ASND" column-keys new "$ASND_COLUMN_KEYS_FILE" || die "there is no file of column keys; $LOCAL/column-keys.log says why"
    if [ "$(id -u)" = 0 ]; then # the daemon becomes the cluster's user
        chgrp postgres "$ASND_COLUMN_KEYS_FILE" && chmod 640 "$ASND_COLUMN_KEYS_FILE"
    fi
fi
migrate
start_daemon
find_key
write_env
[ -z "$demo" ] || load_demo
banner
if [ -n "$detach" ]; then
    trap - EXIT
    exit 0
fi
say "Ctrl-C stops it."
status=0
wait "$daemon" || status=$?
rm -f "$DAEMON_PID"
[ "$status" = 0 ] || say "asnd ended with status $status; $LOCAL/asnd.log says why"
exit "$status"
