# SPDX-License-Identifier: Apache-2.0
"""What the audit costs: enrolments a second with its triggers and without them, in many short rounds that alternate; and how long a million entries take to verify.

Runs inside tests/unit/with-postgres.sh:  tests/unit/with-postgres.sh python3 bench/audit.py [--rounds 8] [--seconds 2] [--entries 1000000]
With --entries 0 nothing is verified.
"""
import argparse
import statistics
import time

import bench


def switch(to):
    bench.sql("DO $$ DECLARE t record; BEGIN FOR t IN SELECT tgrelid::regclass AS me, tgname FROM pg_trigger WHERE tgname ~ '_90_audit_' LOOP "
              f"EXECUTE format('ALTER TABLE %s {to} TRIGGER %I', t.me, t.tgname); END LOOP; END $$")


def writes(args):
    bench.sql("INSERT INTO unit (id, code, name, kind) VALUES (gen_random_uuid(), 'BENCH', 'Bench', 'dinas')")
    bench.sql("INSERT INTO asn (id, nip, kind, name, birth_date, sex, unit_id, legal_status) SELECT gen_random_uuid(), '199001152015' || lpad(g::text, 6, '0'), 'PNS', 'Bench ' || g, "
              "'1990-01-15', 'M', u.id, '01' FROM generate_series(1, 6000) g, unit u WHERE u.code = 'BENCH'")
    nips = bench.sql("SELECT nip FROM asn").split()
    key = bench.run(bench.ASND, "key", "create", "--name", "bench", "--scope", "admin").strip()
    daemon = bench.Daemon()
    bench.sql("ALTER SYSTEM SET autovacuum = off")  # it would come in one round of them
    bench.sql("SELECT pg_reload_conf()")

    def enrolled(seconds):
        sessions = bench.enrol_sessions(300)
        lua = bench.LUA_ENROL % (",".join(f'"{n}"' for n in nips), ",".join(f'"{s}"' for s in sessions), 0, key)
        return bench.wrk(daemon.url, lua, seconds, connections=16)[0]
    enrolled(2)
    bench.sql("VACUUM ANALYZE")
    rates = {"ENABLE": [], "DISABLE": []}
    for turn in range(2 * args.rounds):
        to = ("ENABLE", "DISABLE")[(turn + turn // 2) % 2]  # with, without, without, with: a machine drifts
        switch(to)
        enrolled(1)  # plans anew what the switch has changed, and does not count
        rates[to].append(enrolled(args.seconds))
    switch("ENABLE")
    daemon.stop()
    with_audit, without = statistics.median(rates["ENABLE"]), statistics.median(rates["DISABLE"])
    shares = [a / b for a, b in zip(rates["ENABLE"], rates["DISABLE"])]  # of neighbours: what drifts, as the people have more courses, is in both
    print(f"enrolments a second: {with_audit:.0f} with the audit, {without:.0f} without, medians of {args.rounds} rounds each")
    for to, name in (("ENABLE", "with"), ("DISABLE", "without")):
        print(f"  {name}: {' '.join(f'{rate:.0f}' for rate in rates[to])}")
    print(f"  shares: {' '.join(f'{share:.3f}' for share in shares)}")
    print(f"RATIO audit_write_share {statistics.median(shares):.3f}")


def verifying(args):
    bench.sql("INSERT INTO audit_entry (id, at, actor, operation, content) SELECT m.id, m.at, 'cli:bench', 'asnd import', '{\"id\":' || m.id || ',\"at\":\"' || audit_instant(m.at) || "
              "'\",\"person\":null,\"actor\":\"cli:bench\",\"operation\":\"asnd import\",\"kind\":\"cli\",\"action\":\"update\",\"entity\":\"enrolment\",\"subject\":\"' || gen_random_uuid() "
              "|| '\",\"before\":{\"state\":\"nominated\",\"version\":1},\"after\":{\"state\":\"approved\",\"version\":2}}' "
              f"FROM (SELECT nextval('audit_entry_id') AS id, clock_timestamp() AS at FROM generate_series(1, {args.entries})) m")
    began = time.monotonic()
    bench.run(bench.ASND, "audit", "seal")
    sealed = time.monotonic()
    bench.sql("ANALYZE audit_entry, audit_link, audit_seal")
    ready = time.monotonic()
    told = bench.run(bench.ASND, "audit", "verify")
    print(f"sealed in {sealed - began:.1f} s; verified in {time.monotonic() - ready:.1f} s: {told.splitlines()[0]}")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--seconds", type=int, default=2)
    parser.add_argument("--entries", type=int, default=1_000_000)
    args = parser.parse_args()
    bench.run(bench.ASND, "migrate")
    writes(args)
    if args.entries:
        verifying(args)


if __name__ == "__main__":
    main()
