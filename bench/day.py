# SPDX-License-Identifier: Apache-2.0
"""What an office asks for besides single records and pages: each alone, then all together as a mixed day. Called by bench.py."""
import json
import urllib.request

import bench

READERS = 100  # of the feed of changes

# A real change each time: the same telephone number twice would store nothing.
LUA_PATCH = """
local nips = {%s}
local headers = {["Authorization"] = "Bearer %s", ["Content-Type"] = "application/merge-patch+json", ["If-Match"] = "*"}
local at, turn = 0, os.time() %% 1000000
request = function()
  at, turn = at + 1, turn + 1
  return wrk.format("PATCH", "/v1/asn/" .. nips[at %% #nips + 1], headers, string.format('{"phone":"081%%09d"}', turn))
end
"""

# Of a hundred requests 80 read a record, 15 look for people, 5 write: a telephone number or an enrolment.
LUA_DAY = """
local nips, sessions, lists = {%s}, {%s}, {%s}
local auth = "Bearer %s"
local reading, json = {["Authorization"] = auth}, {["Authorization"] = auth, ["Content-Type"] = "application/json"}
local patching = {["Authorization"] = auth, ["Content-Type"] = "application/merge-patch+json", ["If-Match"] = "*"}
local at, turn = 0, os.time() %% 1000000
request = function()
  at = at + 1
  local nip, kind = nips[at %% #nips + 1], (at * 37) %% 100
  if kind < 80 then return wrk.format("GET", "/v1/asn/" .. nip, reading) end
  if kind < 95 then return wrk.format("GET", lists[at %% #lists + 1], reading) end
  turn = turn + 1
  if kind < 98 then return wrk.format("PATCH", "/v1/asn/" .. nip, patching, string.format('{"phone":"081%%09d"}', turn)) end
  return wrk.format("POST", "/v1/enrolments", json, string.format('{"session_id":"%%s","nip":"%%s"}', sessions[(turn + math.floor(at / #nips)) %% #sessions + 1], nip))
end
"""


def quoted(texts):
    return ",".join(f'"{text}"' for text in texts)


def etag(daemon, key, path):
    request = urllib.request.Request(daemon.url + path, headers={"Authorization": f"Bearer {key}"})
    with urllib.request.urlopen(request, timeout=60) as reply:
        return reply.headers["ETag"]


def searches(nips):
    """Words that there are: the first names of some people."""
    names = bench.sql(f"SELECT DISTINCT split_part(name_key, ' ', 1) FROM asn WHERE nip = ANY ('{{{','.join(nips)}}}') AND length(split_part(name_key, ' ', 1)) > 3 "
                      "AND split_part(name_key, ' ', 1) ~ '^[a-z]+$'").split()
    return [f"/v1/asn?limit=50&q={name}" for name in names[:32]]


def filtered():
    return [f"/v1/asn?limit=50&position_kind={kind}&sort=name" for kind in ("struktural", "fungsional", "pelaksana")]


def measured(args, table, name, load, connections=bench.CONNECTIONS):
    rates, p99s = [], []
    for _ in range(args.rounds):
        rate, _, p99 = load(connections)
        rates.append(rate), p99s.append(p99)
    table.add(name, "requests/s", rates)
    table.add(f"{name}, p99", "ms", p99s)


def unchanged(args, table, daemon, key, path):
    """wrk waits for the body whose length a 304 tells; so these come at a rate that nobody keeps up with, which says what is answered, but not how late."""
    headers = {"Authorization": f"Bearer {key}", "If-None-Match": etag(daemon, key, path)}
    found = [bench.arrive(daemon.port, [path], headers, 100_000, args.seconds) for _ in range(args.rounds)]
    table.add("GET by NIP, unchanged (304)", "requests/s", [row[0] for row in found])


def feed_of_changes(args, table, daemon, key):
    """A hundred integrators who follow at once, each page from where half of the feed lies before it."""
    page = json.loads(bench.http("GET", f"{daemon.url}/v1/changes?limit=100", key)[1])
    lua = bench.lua_get(["/v1/changes?limit=50", f"/v1/changes?limit=50&after={page['next']}"], key)
    measured(args, table, f"change feed, page of 50, {READERS} readers", lambda n: bench.wrk(daemon.url, lua, args.seconds, n), READERS)


def bench_day(args, table, daemon, key, nips, many):
    unchanged(args, table, daemon, key, f"/v1/asn/{nips[0]}")
    reads = {"page of 50, filtered, by name": bench.lua_get(filtered(), key),
             "search by a name, page of 50": bench.lua_get(searches(nips), key),
             "GET by NIP as of 2016": bench.lua_get([f"/v1/asn/{nip}?as_of=2016-06-01" for nip in dated(nips)], key)}
    for name, lua in reads.items():
        measured(args, table, name, lambda n, lua=lua: bench.wrk(daemon.url, lua, args.seconds, n))
    measured(args, table, "PATCH of a telephone number", lambda n: bench.wrk(daemon.url, LUA_PATCH % (quoted(many), key), args.seconds, n))
    feed_of_changes(args, table, daemon, key)
    lists = filtered() + searches(nips)[:8]
    measured(args, table, "mixed day (80 records, 15 lists, 5 writes of 100)", lambda n: bench.wrk(
        daemon.url, LUA_DAY % (quoted(many), quoted(bench.enrol_sessions(100)), quoted(lists), key), args.seconds, n))


def dated(nips):
    """Those who were there in 2016."""
    return bench.sql(f"SELECT nip FROM asn WHERE nip = ANY ('{{{','.join(nips)}}}') AND appointed_on < '2016-01-01'").split() or nips[:1]
