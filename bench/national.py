# SPDX-License-Identifier: Apache-2.0
"""A whole nation in one database (scripts/bench.sh --national): how long each reading takes when five million people and their thirty million histories are there, whether
any of them reads a whole table, and whether the daemon's memory stays where it is while everybody is exported. bench/national.sql makes the people; what they serve and how they are rated, and the
figures of it, are in bench/figures.py."""
import argparse
import http.client
import json
import re
import statistics
import sys
import threading
import time
import urllib.parse
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "bench"), str(ROOT / "tests")]
import figures  # noqa: E402
from bench import ASND, DATABASE, Daemon, machine, run, sql  # noqa: E402
from support import plans, searches, statements  # noqa: E402

TABLES = "'asn'::regclass, 'history'::regclass, 'due'::regclass"
QUIET = "SET session_replication_role = replica; SET synchronous_commit = off; SET jit = off; SET maintenance_work_mem = '1GB'; SET work_mem = '256MB'; "
EARLY = ("asn_unit_id_idx", "asn_birth_date_idx")  # what later steps read
COPIES = 10  # of how many parts that are alike a nation for its figures alone consists
UNASKED = ("evaluation_period_idx", "evaluation_state_idx", "evaluation_predicate_idx")  # no figure reads them, nor those of TABLES that are not of histories
UNREAD = ("ticket", "survey_answer", "evaluation", "learning_entry", "enrolment", "history", "due", "staff_kept", "index_kept")
STEP = 50_000


# ── the nation ──


def blocks():
    return {name: text for file in ("national", "figures")
            for name, text in re.findall(r"^-- name: (\S+)\n(.*?)(?=^-- name: |\Z)", (ROOT / f"bench/{file}.sql").read_text(), re.M | re.S)}


def set_autovacuum(state):
    sql(f"ALTER SYSTEM SET autovacuum = {state}")
    sql("SELECT pg_reload_conf()")


class Loader:
    def __init__(self, people, brief=False):
        self.blocks, self.began, self.brief, self.copies = blocks(), time.monotonic(), brief, COPIES if brief else 1
        self.people = people // self.copies
        self.binds = {"agencies": max(38, people // 8500) // self.copies, "people": self.people, "copies": self.copies, "brief": str(brief).lower()}

    def say(self, what):
        print(f"{time.monotonic() - self.began:8.0f} s  {what}", flush=True)

    def part(self, name, low=1, high=1):
        text = self.blocks[name]
        for bind, value in (self.binds | {"low": low, "high": high}).items():
            text = re.sub(rf"(?<!:):{bind}\b", str(value), text)
        sql(QUIET + text)

    def parts(self, name, most=None, step=STEP):
        """The people (or what else there are so many of) in steps, by two sessions; tells each minute how far it is."""
        most = most or self.people
        lows, faults, told = iter(range(1, most + 1, step)), [], [time.monotonic()]

        def work():
            try:
                for low in lows:
                    self.part(name, low, min(low + step - 1, most))
                    if time.monotonic() - told[0] > 60:
                        told[0] = time.monotonic()
                        self.say(f"… {name}: {min(low + step - 1, most):,} of {most:,}")
            except Exception as fault:  # noqa: BLE001 a thread's fault is told by the main one
                faults.append(fault)

        threads = [threading.Thread(target=work) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if faults:
            sys.exit(f"{name}: {getattr(faults[0], 'stderr', faults[0])}")
        self.say(name)

    def copy(self, name):
        """The same rows of the other parts of the nation."""
        if self.copies > 1:
            self.parts(f"{name}.copy", self.copies - 1, 1)

    def make(self, definition):
        sql(QUIET + definition)
        self.say(definition.split(" USING ")[0])

    def load(self, answers, tickets):
        """All but history_no_overlap, which no reading uses: taking it up again would check each pair of days anew, for an hour."""
        run(ASND, "migrate")
        set_autovacuum("off")
        sql(self.blocks["helpers"])
        indexes = sql("SELECT c.relname || '|' || pg_get_indexdef(i.indexrelid) FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid "
                      f"WHERE i.indrelid IN ({TABLES}) AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = i.indexrelid)").split("\n")
        indexes = dict(line.split("|", 1) for line in indexes)
        sql("".join(f"DROP INDEX {name}; " for name in indexes))
        sql("ALTER TABLE asn DROP CONSTRAINT asn_nip_key; ALTER TABLE history DROP CONSTRAINT history_no_overlap")
        self.part("units")
        self.parts("people")
        self.copy("people")
        for name in EARLY:
            self.make(indexes.pop(name))
        sql("ANALYZE asn; ANALYZE unit; ANALYZE unit_version; ANALYZE unit_way")
        self.parts("histories")
        self.copy("histories")
        for name in [n for n in indexes if n.startswith("history")]:
            self.make(indexes.pop(name))
        sql("VACUUM ANALYZE history")
        self.parts("due")
        self.copy("due")
        for definition in [] if self.brief else indexes.values():
            self.make(definition)
        self.make("ALTER TABLE asn ADD CONSTRAINT asn_nip_key UNIQUE (nip)")
        if not self.brief:
            self.part("words")
        else:
            sql("".join(f"DROP INDEX {name}; " for name in UNASKED))
        figures.make(self, answers // self.copies, tickets // self.copies)
        sql(self.blocks["helpers.gone"])
        if self.brief:  # what no figure reads stays as it came, and is left alone while they are read
            sql("".join(f"ALTER TABLE {table} SET (autovacuum_enabled = off); " for table in UNREAD))
            sql("VACUUM ANALYZE asn")
        else:
            run("vacuumdb", "-q", "-j", "2", "--freeze", "--analyze", "-d", DATABASE)
        set_autovacuum("on")
        self.say(f"all of it, {float(sql('SELECT pg_database_size(current_database()) / 1e9')):.0f} GB")


# ── asking ──


class Asker:
    def __init__(self, daemon, key, report):
        self.report = report
        self.connection = http.client.HTTPConnection("127.0.0.1", daemon.port, timeout=600)
        self.head = {"Authorization": f"Bearer {key}", "Accept": "application/json"}

    def get(self, path):
        """Milliseconds, and the reply."""
        began = time.perf_counter()
        self.connection.request("GET", path, headers=self.head)
        reply = self.connection.getresponse()
        body = reply.read()
        took = (time.perf_counter() - began) * 1000
        if reply.status == 504:
            self.report.fault(f"{path} was stopped after {took / 1000:.0f} s")
            return took, {"page": {"next": None}}
        if reply.status != 200:
            sys.exit(f"{path}: {reply.status} {body[:500]}")
        return took, json.loads(body)

    def times(self, paths):
        return [self.get(path)[0] for path in paths]

    def patch(self, path, body):
        self.connection.request("PATCH", path, json.dumps(body), self.head | {"Content-Type": "application/json", "If-Match": "*"})
        reply = self.connection.getresponse()
        told = reply.read()
        if reply.status != 200:
            sys.exit(f"{path}: {reply.status} {told[:500]}")


class Report:
    def __init__(self):
        self.rows, self.faults = [], []

    def add(self, name, times):
        times = sorted(times)
        row = (name, len(times), statistics.median(times), times[min(len(times) - 1, int(len(times) * 0.99))])
        self.rows.append(row)
        print(f"{name:44} {row[1]:5} {row[2]:9.1f} {row[3]:9.1f}", flush=True)
        return row[2]

    def fault(self, text):
        self.faults.append(text)
        print("FAULT " + text, flush=True)

    def markdown(self):
        return "\n".join(["| what | requests | median ms | p99 ms |", "| --- | ---: | ---: | ---: |"]
                         + [f"| {n} | {k:,} | {m:,.1f} | {p:,.1f} |" for n, k, m, p in self.rows])


def landmarks(people):
    nip = sql(f"SELECT nip FROM asn WHERE id = '01900000-0000-7000-8000-{people // 3:012x}'")
    unit = {name: sql(f"SELECT id FROM unit WHERE code = '{code}'") for name, code in (("agency", "A5"), ("province", "P2"), ("office", "A5-3-2"))}
    return unit | {"nip": nip, "nip6": nip[:6], "nik6": sql("SELECT left(nik, 6) FROM asn WHERE nik IS NOT NULL ORDER BY id LIMIT 1"),
                   "rare": sql("SELECT w FROM asn a, unnest(string_to_array(a.name_key, ' ')) w WHERE a.id > '01900000-0000-7000-8000-000000000100' AND length(w) = 6 LIMIT 1")}


def ask_searches(report, asker, places, repeats):
    """First page and the one behind it, in every order: one row for each set of filters."""
    for name, filters in searches.FILTERS.items():
        times, worst = [], (0, "")
        for sort in searches.SORTS:
            path = "/v1/asn?" + urllib.parse.urlencode(searches.filled(filters, places) | {"sort": sort})
            following = asker.get(path)[1]["page"]["next"]
            some = asker.times([path] * repeats + ([f"{path}&cursor={following}"] * repeats if following else []))
            worst = max(worst, (statistics.median(some), sort))
            times += some
        report.add(name + (f" (slowest by {worst[1]}: {worst[0]:.0f} ms)" if worst[0] > 100 else ""), times)


def ask_depth(report, asker, repeats):
    """The page behind 10,000 pages of 50 against the first."""
    for sort in ("nip", "name", "-birth_date"):
        path, cursor = f"/v1/asn?sort={sort}", None
        for _ in range(500):
            following = asker.get(f"{path}&limit=1000&fields=nip" + (f"&cursor={cursor}" if cursor else ""))[1]["page"]["next"]
            if not following:
                break
            cursor = following
        second = asker.get(path)[1]["page"]["next"]
        pages = {"1": path, "2": f"{path}&cursor={second}", "10,000": f"{path}&cursor={cursor}"}
        times = {page: [] for page in pages}
        asker.times(list(pages.values()) * 30)  # each connection plans a statement anew the first five times
        for _ in range(max(50, 5 * repeats)):  # side by side: the machine drifts
            for page, at in pages.items():
                times[page] += asker.times([at])
        for page in pages:
            report.add(f"page {page} by {sort}", times[page])
        quick = {page: statistics.quantiles(times[page], n=4)[0] for page in pages}  # the quicker ones: the rest is the neighbours' noise
        ratio = quick["10,000"] / quick["1"]
        print(f"RATIO page_10000_of_page_2_by_{sort} {quick['10,000'] / quick['2']:.3f}")
        print(f"RATIO page_10000_of_page_1_by_{sort} {ratio:.3f}", flush=True)
        if ratio > 1.2:
            report.fault(f"page 10,000 by {sort} takes {ratio:.2f} times the first")


def ask_others(report, asker, places, people, repeats):
    some = sql(f"SELECT nip FROM asn WHERE id IN (SELECT ('01900000-0000-7000-8000-' || lpad(to_hex(1 + g * 7919::bigint % {people}), 12, '0'))::uuid "
               "FROM generate_series(1, 1000) g)").split()
    asker.times([f"/v1/asn/{nip}" for nip in some[:50]])
    report.add("GET by NIP", asker.times([f"/v1/asn/{nip}" for nip in some]))
    old = sql("SELECT facts ->> 'nip' FROM history WHERE kind = 'nip' LIMIT 200").split()
    report.add("GET by an old NIP", asker.times([f"/v1/asn/{nip}" for nip in old]))
    then = sql(f"SELECT nip FROM asn WHERE nip IN ({','.join(repr(nip) for nip in some)}) AND appointed_on < '2016-01-01' LIMIT 200").split()
    report.add("GET as of 2016", asker.times([f"/v1/asn/{nip}?as_of=2016-07-01" for nip in then]))
    report.add("list as of 2016", asker.times(["/v1/asn?as_of=2016-07-01"] * 5 * repeats))
    report.add("list as of 2016, one agency", asker.times([f"/v1/asn?as_of=2016-07-01&under={places['agency']}"] * repeats))
    report.add("seniority (DUK), one agency", asker.times([f"/v1/reports/duk?under={places['agency']}"] * repeats))
    report.add("due: retirement", asker.times(["/v1/due/retirement?from=2028-01-01"] * 5 * repeats))
    report.add("due: promotion, one agency", asker.times([f"/v1/due/promotion?under={places['agency']}"] * repeats))
    report.add("likely doubles", asker.times(["/v1/asn/doubles"] * repeats))
    report.add("likely doubles of one person", asker.times([f"/v1/asn/doubles?nip={nip}" for nip in some[:4 * repeats]]))


def explain(report, places):
    """Every statement that was asked, once more with its plans."""
    binds = {"actor_units": [""], "actor_scopes": ["admin"], "today": "2026-06-15", "as_of": "2016-07-01", "under": places["agency"], "nip": places["nip"], "due_list": "retirement",
             "from": "2028-01-01"}
    asked = [(f"{name} by {sort}", *plans.search(searches.filled(filters, places), sort)) for name, filters in searches.FILTERS.items() for sort in ("nip", "name", "-rank")]
    asked += [(f"{name} {given}", *statements.page(name, given, **binds)) for name, given in
              (("listAsn", ()), ("listAsn", ("as_of",)), ("listSeniority", ("under",)), ("listDue", ("from",)), ("listDoubles", ()), ("listDoubles", ("nip",)))]
    asked += [("getAsn", *statements.page("getAsn", (), **binds))]
    for name, text, values in asked:
        found = plans.scanned(plans.told(DATABASE, text, values)) - {"unit", "enrolment"}
        if found:
            report.fault(f"{name} reads all of {', '.join(sorted(found))}")
    print(f"{len(asked)} statements explained", flush=True)


def export(report, daemon, asker, people):
    """Everybody as NDJSON, while the daemon's memory is looked at."""
    before, sizes, lines, took = daemon.rss_mb(), [], 0, time.monotonic()
    asker.connection.request("GET", "/v1/asn", headers=asker.head | {"Accept": "application/x-ndjson"})
    reply = asker.connection.getresponse()
    looked = 0
    while chunk := reply.read(1 << 20):
        lines += chunk.count(b"\n")
        if time.monotonic() - looked > 0.2:
            looked = time.monotonic()
            sizes.append(daemon.rss_mb())
    took = time.monotonic() - took
    text = f"export of {lines:,} people as NDJSON: {took:.0f} s, {lines / took:,.0f} rows/s; memory of the daemon {before:.0f} MB before, {min(sizes):.0f} to {max(sizes):.0f} MB meanwhile"
    print(text, flush=True)
    if lines != people:
        report.fault(f"{lines:,} of {people:,} people were exported")
    if max(sizes) - before > 48:
        report.fault(f"the daemon grew by {max(sizes) - before:.0f} MB during an export")
    return text


def put(what, text):
    """Into docs/performance.md, between its marks."""
    page = ROOT / "docs/performance.md"
    head, _, rest = page.read_text().partition(f"<!-- {what} -->")
    _, _, tail = rest.partition(f"<!-- end of {what} -->")
    page.write_text(f"{head}<!-- {what} -->\n\n{text}\n\n<!-- end of {what} -->{tail}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--people", type=int, default=5_000_000)
    parser.add_argument("--answers", type=int, help="ten times the people unless told")
    parser.add_argument("--tickets", type=int, help="twice the people unless told")
    parser.add_argument("--figures", action="store_true", help="make and read nothing but what figures need")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--requests", type=int, default=1000, help="of each figure")
    parser.add_argument("--rate", type=int, default=50, help="answers a second, and a tenth as many tickets, while figures are read")
    parser.add_argument("--only", help="of the figures those with one of these words (commas between) in their names")
    parser.add_argument("--when", choices=("alone", "crowd"), help="figures alone, or while answers come; both unless told")
    parser.add_argument("--there", action="store_true", help="the nation is there already (bench.sh --use)")
    parser.add_argument("--write", action="store_true", help="put the figures into docs/performance.md")
    args = parser.parse_args()
    facts = machine()
    print(json.dumps(facts), flush=True)
    if args.there:
        run(ASND, "migrate")
    else:
        Loader(args.people, args.figures).load(args.answers or 10 * args.people, args.tickets or 2 * args.people)
    places, report = landmarks(args.people), Report()
    key = run(ASND, "key", "create", "--name", "national", "--scope", "admin").strip()
    daemon = Daemon(ASND_STOP_DELAY_MS="0", ASND_PUBLIC_RATE="1000000")
    asker = Asker(daemon, key, report)
    table = figures.measure(report, daemon, asker, key, args, facts)
    if args.people <= 200_000:  # it reads everything
        figures.check(report)
    if args.write:
        put("national sums", table)
    if args.figures:
        daemon.stop()
        sys.exit(1 if report.faults else 0)
    sizes = sql("SELECT count(*) FROM history; SELECT count(*) FROM due; SELECT count(*) FROM unit; SELECT pg_database_size(current_database()) / 1e9; SELECT count(*) FROM ticket; "
                "SELECT count(*) FROM survey_answer").split()
    asker.connection.close()  # idle for longer than the daemon waits; it opens again by itself
    ask_others(report, asker, places, args.people, args.repeats)
    ask_depth(report, asker, args.repeats)
    ask_searches(report, asker, places, args.repeats)
    explain(report, places)
    exported = export(report, daemon, asker, args.people)
    daemon.stop()
    text = (f"Machine: {facts['cpu']}, {facts['cores']} cores, {facts['memory_gb']} GB, Linux {facts['kernel']}, PostgreSQL {facts['postgresql']}; {facts['date']}. "
            f"{args.people:,} people, {int(sizes[0]):,} histories, {int(sizes[1]):,} due, {int(sizes[2]):,} units, {int(sizes[4]):,} tickets, {int(sizes[5]):,} answers, {float(sizes[3]):.0f} GB. One client, one request at a time; of a search the first "
            f"page and the one behind it, in {len(searches.SORTS)} orders.\n\n{report.markdown()}\n\n"
            f"{exported[0].upper() + exported[1:]}.\n\nFaults: {'; '.join(report.faults) or 'none'}.")
    print(text)
    if args.write:
        put("national figures", text)
    sys.exit(1 if report.faults else 0)


if __name__ == "__main__":
    main()
