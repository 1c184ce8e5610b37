# SPDX-License-Identifier: Apache-2.0
"""Goodput of a server that is asked up to six times what it can do, beside its best (scripts/bench.sh --overload). The daemon and its database have one processor, who asks has
another; who asks has many keys, so that it is not his own limits that refuse. Runs inside tests/unit/with-postgres.sh."""
import argparse
import os
import statistics
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "bench"), str(ROOT / "tests")]

import bench  # noqa: E402
import day  # noqa: E402
from support import overload  # noqa: E402

KEYS = 32
FACTORS = (1.5, 3, 6)
PRIORITY = overload.priority()


def enrolments(keys, nips, n):
    sessions = bench.enrol_sessions(100)
    return [("POST", "/v1/enrolments", keys[i % KEYS], "application/json", f'{{"session_id":"{sessions[(i // len(nips)) % 100]}","nip":"{nips[i % len(nips)]}"}}') for i in range(n)]


def mixed(keys, nips, lists):
    """The day of day.py: of a hundred requests 80 read a record, 15 look for people, 5 write."""
    writes = iter(enrolments(keys, nips, 800))
    lines = []
    for i in range(40_000):
        kind, key, nip = i * 37 % 100, keys[i % KEYS], nips[i % len(nips)]
        if kind < 80:
            lines.append(("GET", f"/v1/asn/{nip}", key))
        elif kind < 95:
            lines.append(("GET", lists[i % len(lists)], key))
        elif kind < 98:
            lines.append(("PATCH", f"/v1/asn/{nip}", key, "application/merge-patch+json", f'{{"phone":"081{os.getpid() % 1000:03d}{i:06d}"}}'))
        else:
            lines.append(next(writes))
    return lines


def workloads(admins, readers, nips):
    searches = day.searches(nips[:64])
    return {
        "GET by NIP": (1000, lambda: [("GET", f"/v1/asn/{nip}", readers[i % KEYS]) for i, nip in enumerate(nips[:64] * 8)]),
        "page of 50": (1000, lambda: [("GET", "/v1/asn?limit=50", key) for key in readers]),
        "search by a name": (1000, lambda: [("GET", path, readers[i % KEYS]) for i, path in enumerate(searches * KEYS)]),
        "enrolment": (1000, lambda: enrolments(admins, nips, 60_000)),
        "mixed day": (1000, lambda: mixed(admins, nips, day.filtered() + searches[:8])),
    }


def measure(args, program, daemon, core, connections, lines):
    """Rounds that alternate: of each load a list of what was found; None: the peak, as the one of few connections that gives more."""
    found = {factor: [] for factor in (None, *args.factors)}
    for _ in range(args.rounds):
        best = max((overload.ask(program, daemon.port, 0, args.seconds, n, lines(), core, PRIORITY) for n in (32, 64)), key=lambda r: r.rate)
        found[None].append(best)
        for factor in args.factors:
            found[factor].append(overload.ask(program, daemon.port, factor * best.rate, args.seconds, args.connections or connections, lines(), core, PRIORITY))
    return found


def row(name, load, peak, rounds):
    def middle(what):
        return statistics.median(getattr(r, what) for r in rounds)
    good = statistics.median(r.rate for r in rounds)
    asked = statistics.median((r.good + r.refused + r.unsent) / r.seconds for r in rounds)
    told = statistics.median(r.refused / r.seconds for r in rounds)
    left = statistics.median(r.unsent / r.seconds for r in rounds)
    return (f"| {name} | {load} | {asked:,.0f} | {good:,.0f} | {good / peak:.2f} | {told:,.0f} | {left:,.0f} | {middle('good_p50'):,.0f} | {middle('good_p99'):,.0f} | "
            f"{middle('refused_p50'):,.0f} | {middle('refused_p99'):,.0f} |")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--people", type=int, default=6000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=3)
    parser.add_argument("--connections", type=int, default=0, help="of who asks too much (default: by workload)")
    parser.add_argument("--factors", type=lambda text: [float(f) for f in text.split(",")], default=FACTORS)
    parser.add_argument("--only", help="a workload, by the start of its name; several with commas between")
    parser.add_argument("--write", action="store_true", help="put the table into docs/performance.md")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="a setting of the daemon")
    args = parser.parse_args()
    served, asks = overload.places()
    program = overload.build(ROOT / "build/release")
    bench.load(args.people)
    overload.pin(int(os.environ["ASND_TEST_PG_PID"]), served, PRIORITY)
    admins = [bench.run(bench.ASND, "key", "create", "--name", f"admin{i}", "--scope", "admin").strip() for i in range(KEYS)]
    readers = [bench.run(bench.ASND, "key", "create", "--name", f"portal{i}", "--scope", "asn.read").strip() for i in range(KEYS)]
    nips = bench.sample_nips(5_000)
    settings = dict(pair.split("=", 1) for pair in args.set)
    daemon = bench.Daemon(ASND_STOP_DELAY_MS="0", ASND_LOOPS="1", ASND_CALLER_REQUESTS="500", **{f"ASND_{name.upper()}": value for name, value in settings.items()})
    overload.pin(daemon.process.pid, served, PRIORITY)
    lines = ["| what | load | asked/s | good/s | of the peak | refused/s | not sent/s | good p50 ms | p99 | refused p50 ms | p99 |", "| --- | --- |" + " ---: |" * 9]
    for name, (connections, requests) in workloads(admins, readers, nips).items():
        if args.only and not name.startswith(tuple(args.only.split(","))):
            continue
        overload.ask(program, daemon.port, 0, 1, 32, requests(), asks, PRIORITY)
        found = measure(args, program, daemon, asks, connections, requests)
        peak = statistics.median(r.rate for r in found[None])
        for factor, rounds in found.items():
            lines.append(row(name, f"{factor:g}×" if factor else "peak", peak, rounds))
            print(lines[-1], flush=True)
            if factor:
                of_peak = statistics.median(r.rate / best.rate for r, best in zip(rounds, found[None]))
                print(f"RATIO goodput_{name.lower().replace(' ', '_')}_at_{factor:g} {of_peak:.3f}", flush=True)
    daemon.stop()
    facts = bench.machine()
    text = f"Machine: {facts['cpu']}, Linux {facts['kernel']}, PostgreSQL {facts['postgresql']}; {args.people:,} people; {facts['date']}; daemon (one loop) and database on one processor, who asks on " \
           f"another; {KEYS} keys; {args.rounds} rounds of {args.seconds} s.\n\n" + "\n".join(lines)
    print(text)
    if args.write:
        page = ROOT / "docs/performance.md"
        head, _, rest = page.read_text().partition("<!-- overload -->")
        _, _, tail = rest.partition("<!-- end of overload -->")
        page.write_text(f"{head}<!-- overload -->\n\n{text}\n\n<!-- end of overload -->{tail}")


if __name__ == "__main__":
    main()
