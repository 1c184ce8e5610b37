#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# sync.sh load | follow [SECONDS] | reconcile | show
# Keeps a copy of the people and units that a key may see, with nothing but curl and jq; docs/integration.md explains each step.
#
#   load       everything, and where the feed goes on from there
#   follow     what was changed since; with SECONDS it waits that long for the first change
#   reconcile  holds the copy against the office, and says how they differ (nothing, if all is well)
#   show       the copy, one record a line, by entity and id
#
# In the environment: ASND_URL, ASND_KEY, COPY (a directory that this script keeps). Exit status 3: too long away, load again.
set -euo pipefail
: "${ASND_URL:?where is the office?}" "${ASND_KEY:?a key with change.read, asn.read, unit.read}" "${COPY:?a directory for the copy}"
mkdir -p "$COPY"

ask() { curl -sS --fail-with-body -H "Authorization: Bearer $ASND_KEY" "$@"; }

# export PATH: a whole list as NDJSON on standard output; the token that came with it goes to $COPY/token.new, unless there is one already.
export_list() {
    ask -H 'Accept: application/x-ndjson' -D "$COPY/head" "$ASND_URL$1"
    [ -e "$COPY/token.new" ] || sed -n 's/^changes-after: *\([A-Za-z0-9_-]*\).*$/\1/Ip' "$COPY/head" >"$COPY/token.new"
}

# The token of the first list: what is changed while the others are sent is told again, and does no harm.
load() {
    rm -f "$COPY/token.new"
    export_list /v1/units | jq -c '{entity: "unit", id, record: .}' >"$COPY/copy.new"
    export_list /v1/asn | jq -c '{entity: "asn", id, record: .}' >>"$COPY/copy.new"
    sort "$COPY/copy.new" >"$COPY/copy"
    mv "$COPY/token.new" "$COPY/token"
}

# page SECONDS: the next page of the feed into $COPY/page.
page() {
    local status
    status=$(curl -sS -o "$COPY/page" -w '%{http_code}' -H "Authorization: Bearer $ASND_KEY" \
        "$ASND_URL/v1/changes?after=$(cat "$COPY/token")&limit=1000&entity=unit,asn&wait=$1")
    case $status in
    200) ;;
    410) jq -r .detail "$COPY/page" >&2; exit 3 ;;
    *) jq -r '.detail // .' "$COPY/page" >&2; exit 1 ;;
    esac
}

# fetch ENTITY HREF: a record as it is now, as a line of the copy. One that is not there went later on: its own change will come.
fetch() {
    local status
    status=$(curl -sS -o "$COPY/record" -w '%{http_code}' -H "Authorization: Bearer $ASND_KEY" "$ASND_URL$2")
    case $status in
    200) jq -c --arg entity "$1" '{entity: $entity, id, record: .}' "$COPY/record" ;;
    404) ;;
    *) jq -r '.detail // .' "$COPY/record" >&2; exit 1 ;;
    esac
}

# What a page names is taken out of the copy, and put in as it is now.
apply() {
    local href entity
    jq -c '.changes[] | {entity, id}' "$COPY/page" | sort -u >"$COPY/named"
    jq -c --slurpfile named "$COPY/named" '. as $r | select(any($named[]; .id == $r.id and .entity == $r.entity) | not)' "$COPY/copy" >"$COPY/copy.new"
    jq -r '[.changes[] | select(.kind != "deleted") | .entity + " " + .href] | unique[]' "$COPY/page" |
        while read -r entity href; do fetch "$entity" "$href"; done >>"$COPY/copy.new"
    sort "$COPY/copy.new" >"$COPY/copy.sorted"
    # First the copy, then the token: whoever is cut off in between takes the same changes once more.
    mv "$COPY/copy.sorted" "$COPY/copy"
    jq -r .next "$COPY/page" >"$COPY/token.next"
    mv "$COPY/token.next" "$COPY/token"
}

follow() {
    local wait=${1:-0} more=true
    while [ "$more" = true ]; do
        page "$wait"
        apply
        more=$(jq .more "$COPY/page")
        wait=0
    done
}

# The whole copy as one file; the answer has a line for each difference, and a summary without which it broke off.
reconcile() {
    local type=application/x-ndjson
    jq -c 'select(.entity == "asn") | .record | {nip, name, kind, unit_id, position, rank, rank_since, legal_status}' "$COPY/copy" >"$COPY/theirs"
    [ -s "$COPY/theirs" ] || { echo nip >"$COPY/theirs" && type=text/csv; } # nobody: the head of a list alone
    ask -H "Content-Type: $type" --data-binary "@$COPY/theirs" "$ASND_URL/v1/asn/reconcile/file" >"$COPY/answer"
    jq -es 'any(.result == "summary")' "$COPY/answer" >/dev/null || { echo "the answer broke off" >&2; exit 1; }
    jq -c 'select(.result == "different") | {nip: .our_nip, fields}' "$COPY/answer" | sort
    jq -c 'select(.result == "only_there") | {nip, only: "there"}' "$COPY/answer" | sort
    jq -c 'select(.result == "only_here") | {nip, only: "here"}' "$COPY/answer" | sort
    jq -c 'select(.result == "refused")' "$COPY/answer"
}

case ${1:-} in
load) load ;;
follow) follow "${2:-0}" ;;
reconcile) reconcile ;;
show) jq -c . "$COPY/copy" ;;
*) sed -n '3,11s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
esac
