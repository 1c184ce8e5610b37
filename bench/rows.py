# SPDX-License-Identifier: Apache-2.0
"""What row security costs, in rounds that alternate: for a caller who sees everything, with it and with all that belongs to it taken out of the database; for a caller of
one office, held twice and held by the statements alone. Beside requests a second stands what the server's processes worked for each, which a busy machine upsets less.

Runs inside tests/unit/with-postgres.sh:  tests/unit/with-postgres.sh python3 bench/rows.py [--people 20000] [--rounds 5] [--seconds 3] [--only WORKLOAD,…]
"""
import argparse
import os
import statistics
from pathlib import Path

import bench

# Trigger functions of before, and those two that nearly every statement asks.
FUNCTIONS = """SELECT p.oid::regprocedure AS f FROM pg_proc p
    WHERE p.pronamespace = 'public'::regnamespace AND p.proname !~ '^audit_of_' AND (p.prorettype = 'trigger'::regtype OR p.proname IN ('asn_of_nip', 'nip_heir'))
          AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')"""


def switch(is_on):
    tables, rights = ("ENABLE", "SECURITY DEFINER SET search_path = public, pg_temp") if is_on else ("DISABLE", "SECURITY INVOKER RESET search_path")
    bench.sql(f"""DO $$ DECLARE t record; BEGIN
        FOR t IN SELECT DISTINCT relation FROM row_rule LOOP EXECUTE format('ALTER TABLE %I {tables} ROW LEVEL SECURITY', t.relation); END LOOP;
        FOR t IN {FUNCTIONS} LOOP
            EXECUTE format('ALTER FUNCTION %s ' || CASE WHEN {is_on} AND t.f::text IN ('asn_of_nip(text)', 'nip_heir(text)') THEN 'SECURITY DEFINER' ELSE '{rights}' END, t.f);
        END LOOP; END $$""")


def paths(nips, words):
    return {"get_by_nip": [f"/v1/asn/{n}" for n in nips], "page_50": ["/v1/asn?limit=50"], "search": [f"/v1/asn?q={w}&limit=50" for w in words]}


def worked_ms():
    """By all processes of the server that are there: its connections stay over a round."""
    ticks = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if fields[1] == os.environ["ASND_TEST_PG_PID"]:
            ticks += int(fields[11]) + int(fields[12])
    return ticks * 1000 / os.sysconf("SC_CLK_TCK")


def measured(wrk, seconds):
    """Requests a second, and milliseconds of the server for each."""
    began = worked_ms()
    rate = wrk()
    return rate, (worked_ms() - began) / (rate * seconds)


def reads(daemon, key, path, args):
    return measured(lambda: bench.wrk(daemon.url, bench.lua_get(path, key), args.seconds)[0], args.seconds)


def enrols(daemon, key, nips, args):
    sessions = bench.enrol_sessions(300)
    lua = bench.LUA_ENROL % (",".join(f'"{n}"' for n in nips), ",".join(f'"{s}"' for s in sessions), 0, key)
    return measured(lambda: bench.wrk(daemon.url, lua, args.seconds, connections=16)[0], args.seconds)


def rounds(args, one):
    """With, without, without, with: a machine drifts."""
    found = {True: [], False: []}
    for turn in range(2 * args.rounds):
        is_on = (True, False)[(turn + turn // 2) % 2]
        found[is_on].append(one(is_on))
    return found


def told(name, found):
    (rate, work), (rate_off, work_off) = ([statistics.median(values) for values in zip(*found[is_on])] for is_on in (True, False))
    print(f"{name}: {rate:.0f} a second with row security, {rate_off:.0f} without; {work:.3f} and {work_off:.3f} ms of the server each\n"
          f"RATIO {name} {rate / rate_off:.3f}\nRATIO {name}_work {work_off / work:.3f}", flush=True)


def for_everybody(args, daemon, key, nips, words):
    def under(one):
        def turn(is_on):
            switch(is_on)
            return one()
        return turn
    for name, path in paths(nips, words).items():
        if args.wants(f"all_{name}"):
            told(f"all_{name}", rounds(args, under(lambda path=path: reads(daemon, key, path, args))))
    if args.wants("all_enrol"):
        told("all_enrol", rounds(args, under(lambda: enrols(daemon, key, nips, args))))
    switch(True)


def for_an_office(args, daemons, key, nips, words):
    for name, path in paths(nips, words).items():
        if args.wants(f"bound_{name}"):
            told(f"bound_{name}", rounds(args, lambda is_on, path=path: reads(daemons[is_on], key, path, args)))
    if args.wants("bound_enrol"):
        told("bound_enrol", rounds(args, lambda is_on: enrols(daemons[is_on], key, nips, args)))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=20000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=3)
    parser.add_argument("--only", help="workloads with commas between, such as all_enrol,bound_get_by_nip")
    args = parser.parse_args()
    args.wants = lambda name: not args.only or name in args.only.split(",")
    bench.load(args.people)
    bench.sql("CREATE ROLE bench_plain LOGIN; GRANT asnd_all, asnd_bound TO bench_plain")
    plain = f"{bench.DATABASE}&user=bench_plain"
    office, code = bench.sql("SELECT u.path::text || ' ' || u.code FROM unit u JOIN unit b ON b.path <@ u.path JOIN asn a ON a.unit_id = b.id WHERE nlevel(u.path) = 2 "
                             "GROUP BY u.id ORDER BY count(*) DESC LIMIT 1").split()
    everybody = bench.run(bench.ASND, "key", "create", "--name", "all", "--scope", "admin").strip()
    bound = bench.run(bench.ASND, "key", "create", "--name", "bound", "--scope", "admin", "--unit", code).strip()
    words = bench.sql("SELECT w.word FROM name_word w ORDER BY md5(w.word) LIMIT 50").split()
    daemons = {True: bench.Daemon(ASND_DATABASE_URL=plain, ASND_ROW_SECURITY="require"), False: bench.Daemon(ASND_DATABASE_URL=plain, ASND_ROW_SECURITY="off")}
    for_everybody(args, daemons[True], everybody, bench.sample_nips(2000), words)
    theirs = bench.sql("SELECT a.nip FROM asn a JOIN unit u ON u.id = a.unit_id JOIN legal_status l ON l.code = a.legal_status "
                       f"WHERE l.in_service AND u.path <@ '{office}' ORDER BY md5(a.nip) LIMIT 2000").split()
    print(f"{len(theirs)} people of the office {code}")
    for_an_office(args, daemons, bound, theirs, words)
    for daemon in daemons.values():
        daemon.stop()


if __name__ == "__main__":
    main()
