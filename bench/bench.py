# SPDX-License-Identifier: Apache-2.0
"""Measures asnd side by side with the limits of the machine, in one run: see scripts/bench.sh.

Every workload is run in rounds that alternate between us and the limit, because machines drift: what counts is the median of each and their
ratio. Runs inside tests/unit/with-postgres.sh, which gives ASND_TEST_DATABASE_URL.
"""
import argparse
import atexit
import collections
import json
import os
import platform
import re
import resource
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ASND = Path(os.environ.get("ASND_TEST_ASND", ROOT / "build/release/asnd"))
DATABASE = os.environ["ASND_TEST_DATABASE_URL"]
# One key asks for everything: the limits of a caller are counted as ever, and lie beyond what a machine can do.
ENV = dict(os.environ, ASND_DATABASE_URL=DATABASE, ASND_KEY_RATE="60000000", ASND_CALLER_REQUESTS="1000000", ASND_CALLER_JOBS="100000")
CONNECTIONS = 64


def run(*command, **kwargs):
    return subprocess.run([str(c) for c in command], check=True, text=True, capture_output=True, env=ENV, **kwargs).stdout


def sql(text):
    return run("psql", "-XqtA", DATABASE, "-v", "ON_ERROR_STOP=1", "-c", text).strip()


# ── statements as pgbench takes them ──


def statement(file, name):
    """The block of a SQL file without its optional parts, with `:name` binds as they are (pgbench's own syntax)."""
    text = (ROOT / file).read_text()
    block = re.search(rf"^-- name: {re.escape(name)}$(.*?)(?=^-- name: |\Z)", text, re.M | re.S).group(1)
    sorts = re.findall(r"^-- sort: \S+ = (.*)$", block, re.M)
    block = re.sub(r"/\*\?\s*\w+\s*\*/.*?/\*\?\s*\*/", "", block, flags=re.S)
    block = re.sub(r"^--.*$", "", block, flags=re.M)
    if sorts:
        keys = ", ".join(re.sub(r"\s+AS\s+\w+$", "", key.strip()) for key in sorts[0].split(", "))
        block = re.sub(r"/\*\s*page\s*\*/", f" ORDER BY {keys} LIMIT :_limit::bigint", block)
    return " ".join(block.split())


class Daemon:
    logs = {}  # by address

    def __init__(self, **settings):
        self.log = tempfile.NamedTemporaryFile("w+", suffix=".log")
        env = dict(ENV, ASND_PORT="0", **settings)
        began = time.monotonic()
        self.process = subprocess.Popen([ASND, "serve"], env=env, stderr=self.log)
        atexit.register(self.process.kill)
        while True:
            line = re.search(r'"event":"listening".*?"port":(\d+)', Path(self.log.name).read_text())
            if line:
                break
            if self.process.poll() is not None:
                sys.exit("asnd did not start:\n" + Path(self.log.name).read_text())
            time.sleep(0.002)
        self.port = int(line.group(1))
        self.url = f"http://127.0.0.1:{self.port}"
        while True:
            try:
                urllib.request.urlopen(self.url + "/readyz", timeout=5).read()
                break
            except urllib.error.HTTPError:
                time.sleep(0.002)
        self.start_ms = (time.monotonic() - began) * 1000
        self.logs[self.url] = self.log.name

    @classmethod
    def refusals(cls, url):
        """How many of the last replies had which status and code, as the log has them. Other servers have none."""
        with open(cls.logs.get(url, os.devnull), "rb") as log:
            log.seek(max(0, log.seek(0, os.SEEK_END) - 50_000_000))
            last = log.read().splitlines()[1:]
        return dict(collections.Counter(b" ".join(re.findall(rb'"(?:event|status|code)":"?([^",]+)', line)).decode()
                                        for line in last if b'"status":2' not in line))

    def stop(self):
        self.process.terminate()
        if self.process.wait(60) != 0:
            sys.exit("asnd did not stop well")

    def rss_mb(self, line="VmRSS"):
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(rf"{line}:\s+(\d+)", status).group(1)) / 1024


def settled(url):
    """What clients of the round before left behind counts as under way until it is done. Other servers do not tell."""
    until = time.monotonic() + 30
    while time.monotonic() < until:
        try:
            with urllib.request.urlopen(f"{url}/metrics", timeout=10) as reply:
                told = re.search(r"^asnd_http_requests_in_flight (\d+)$", reply.read().decode(), re.M)
        except urllib.error.URLError:
            return
        if not told or int(told[1]) <= 1:
            return


def wrk(url, lua, seconds, connections=CONNECTIONS):
    """requests/s, p50 ms, p99 ms. Any reply that is not a success stops the run: a fast error is no figure."""
    settled(url)
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        script.write(lua + """
done = function(summary, latency, requests)
  local e = summary.errors
  io.write(string.format("RESULT %f %f %f %d\\n", summary.requests / summary.duration * 1e6, latency:percentile(50) / 1000,
    latency:percentile(99) / 1000, e.connect + e.read + e.write + e.status + e.timeout))
end
""")
        script.flush()
        out = run("wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", "-s", script.name, url)
    rate, p50, p99, errors = re.search(r"RESULT (\S+) (\S+) (\S+) (\d+)", out).groups()
    if int(errors):
        sys.exit(f"{errors} replies of {url} were no success: {Daemon.refusals(url)}\n{out}")
    return float(rate), float(p50), float(p99)


def pgbench(scripts, seconds, clients, setup=""):
    """transactions/s of the same SQL, prepared."""
    files = []
    with tempfile.TemporaryDirectory() as directory:
        for i, text in enumerate(scripts):
            path = Path(directory, f"{i}.sql")
            path.write_text(text)
            files += ["-f", path]
        out = run("pgbench", "-n", "-M", "prepared", "-c", clients, "-j", 2, "-T", seconds, *files, DATABASE)
    return float(re.search(r"tps = (\S+)", out).group(1))


class Table:
    def __init__(self):
        self.rows, self.ratios = [], []

    def add(self, name, unit, values):
        self.rows.append((name, unit, statistics.median(values), min(values), max(values), len(values)))
        return statistics.median(values)

    def ratio(self, name, value, target=None, at_most=False):
        met = target is None or (value <= target if at_most else value >= target)
        self.ratios.append((name, value, target, at_most, met))
        print(f"RATIO {name} {value:.3f}", flush=True)

    def markdown(self):
        out = ["| what | unit | median | min | max | rounds |", "| --- | --- | ---: | ---: | ---: | ---: |"]
        out += [f"| {n} | {u} | {m:,.1f} | {lo:,.1f} | {hi:,.1f} | {k} |" for n, u, m, lo, hi, k in self.rows]
        out += ["", "| ratio | value | target | met |", "| --- | ---: | ---: | --- |"]
        for name, value, target, at_most, met in self.ratios:
            goal = "–" if target is None else f"{'≤' if at_most else '≥'} {target}"
            out.append(f"| {name} | {value:.3f} | {goal} | {'yes' if met else '**no**'} |")
        return "\n".join(out)


def machine():
    cpu = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    memory = int(re.search(r"MemTotal:\s+(\d+)", Path("/proc/meminfo").read_text()).group(1)) // 1024 // 1024
    return {"cpu": cpu.group(1) if cpu else "?", "cores": os.cpu_count(), "memory_gb": memory, "kernel": platform.release(),
            "postgresql": sql("SHOW server_version"), "date": time.strftime("%Y-%m-%d")}


# ── data ──


def timed_import(kind, path, env):
    """Seconds, peak memory in MB, and what it counted."""
    began = time.monotonic()
    with subprocess.Popen([ASND, "import", kind, path], env=env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        counted = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = status
    if status:
        sys.exit(f"the import of {path} failed")
    return time.monotonic() - began, usage.ru_maxrss / 1024, counted


def load(people):
    run(ASND, "migrate")
    with tempfile.TemporaryDirectory() as directory:
        run("/usr/bin/python3", ROOT / "tools/generate.py", "--people", people, "--clean", "--out", directory)
        timed_import("units", Path(directory, "units.csv"), ENV)
        took, peak, _ = timed_import("asn", Path(directory, "asn.csv"), ENV)
    sql("VACUUM ANALYZE")
    return took, peak


def bench_regency(table, rounds):
    """The 6,000 people of a regency with all their damage, as scripts/run.sh loads them; then the same file again."""
    firsts, agains = [], []
    with tempfile.TemporaryDirectory() as directory:
        run("/usr/bin/python3", ROOT / "tools/generate.py", "--people", 6000, "--out", directory)
        for i in range(rounds):
            sql(f"CREATE DATABASE regency{i}")
            env = dict(ENV, ASND_DATABASE_URL=f"{DATABASE}&dbname=regency{i}")
            subprocess.run([ASND, "migrate"], env=env, check=True, stdout=subprocess.DEVNULL)
            timed_import("units", Path(directory, "units.csv"), env)
            firsts.append(timed_import("asn", Path(directory, "asn.csv"), env)[0])
            again, _, counted = timed_import("asn", Path(directory, "asn.csv"), env)
            agains.append(again)
            if " 0 created, 0 updated," not in counted:
                sys.exit(f"the same file again changed something: {counted}")
            sql(f"DROP DATABASE regency{i}")
    table.ratio("regency_import_s", table.add("import of 6,000 people with dirt", "s", firsts), 3, at_most=True)
    table.add("the same file again: all unchanged", "s", agains)


def copy_seconds():
    """COPY of all that the import stored (records, their histories, what falls due) into tables with the same columns, constraints and indexes."""
    keys = {"asn": "ADD FOREIGN KEY (unit_id) REFERENCES unit", "history": "ADD FOREIGN KEY (asn_id) REFERENCES asn_copy", "due": None}
    took = 0
    for table, key in keys.items():
        columns = sql("SELECT string_agg(quote_ident(attname), ',' ORDER BY attnum) FROM pg_attribute "
                      f"WHERE attrelid = '{table}'::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = ''")
        with tempfile.NamedTemporaryFile(suffix=".copy") as file:
            with open(file.name, "w") as out:
                subprocess.run(["psql", "-Xq", DATABASE, "-c", f"COPY (SELECT {columns} FROM {table}) TO STDOUT"], check=True, stdout=out, env=ENV)
            sql(f"CREATE TABLE {table}_copy (LIKE {table} INCLUDING ALL)" + (f"; ALTER TABLE {table}_copy {key}" if key else ""))
            began = time.monotonic()
            with open(file.name) as source:
                subprocess.run(["psql", "-Xq", DATABASE, "-c", f"COPY {table}_copy ({columns}) FROM STDIN"], check=True, stdin=source, env=ENV)
            took += time.monotonic() - began
    sql("DROP TABLE " + ", ".join(f"{table}_copy" for table in reversed(keys)))
    return took


def sample_nips(n):
    """People in service: nobody else may be enrolled."""
    return sql(f"SELECT a.nip FROM asn a JOIN legal_status l ON l.code = a.legal_status WHERE l.in_service ORDER BY md5(a.nip) LIMIT {n}").split()


LUA_PATHS = """
local paths = {%s}
local at = 0
request = function()
  at = at %% #paths + 1
  return wrk.format("GET", paths[at], {["Authorization"] = "Bearer %s"})
end
"""


def lua_get(paths, key):
    return LUA_PATHS % (",".join(f'"{p}"' for p in paths), key)


def bind(text, **values):
    """pgbench variables hold numbers or bare words; texts are put in as variables by \\set where they are digits, as literals otherwise."""
    for name, value in values.items():
        text = re.sub(rf"(?<!:):{name}\b", value, text)
    return text


# ── workloads ──


def bench_get(args, table, daemon, key, nips):
    select = statement("src/asn/asn.sql", "getAsn")
    # One script for all: each is prepared by itself, and is planned anew the first five times that a client runs it, which a short round never gets beyond.
    cases = " ".join(f"when :i = {i} then {nip}" for i, nip in enumerate(nips[1:], 1))
    scripts = [f"\\set i random(0, {len(nips) - 1})\n\\set nip case {cases} else {nips[0]} end\n" + bind(select, actor_units="'{\"\"}'") + ";\n"]
    body = len(http("GET", f"{daemon.url}/v1/asn/{nips[0]}", key)[1])
    ours, p50s, p99s, limits, bares = [], [], [], [], []
    bare = subprocess.Popen([build_bare(), str(free_port()), str(body), str(os.cpu_count())], stdout=subprocess.PIPE, text=True)
    bare.stdout.readline()
    bare_url = f"http://127.0.0.1:{bare.args[1]}"
    lua = lua_get([f"/v1/asn/{n}" for n in nips], key)
    for _ in range(args.rounds):
        rate, p50, p99 = wrk(daemon.url, lua, args.seconds)
        ours.append(rate), p50s.append(p50), p99s.append(p99)
        limits.append(pgbench(scripts, args.seconds, 8))
        bares.append(wrk(bare_url, lua_get(["/"], key), args.seconds)[0])
    bare.terminate()
    bare.wait()
    us = table.add("GET by NIP", "requests/s", ours)
    table.add("GET by NIP, p50", "ms", p50s)
    table.add("GET by NIP, p99", "ms", p99s)
    limit = table.add("the same SQL by pgbench -M prepared, 8 clients", "transactions/s", limits)
    bytes_limit = table.add(f"bare HTTP library, {body} bytes", "requests/s", bares)
    table.ratio("get_by_nip_of_pgbench", us / limit, 0.60)
    table.ratio("get_by_nip_of_bare_library", us / bytes_limit)
    table.ratio("get_by_nip_p99_of_p50", statistics.median([b / a for a, b in zip(p50s, p99s)]), 4, at_most=True)


def bench_audited(args, table, daemon, key, nips):
    """The same with NIK, e-mail and phone: each reading is committed to the audit before it leaves."""
    table.add("GET by NIP with NIK, e-mail and phone, noted in the audit", "requests/s",
              [wrk(daemon.url, lua_get([f"/v1/asn/{n}" for n in nips], key), args.seconds)[0] for _ in range(args.rounds)])


def bench_page(args, table, daemon, key):
    select = bind(statement("src/asn/asn.sql", "listAsn"), actor_units="'{\"\"}'", _limit="51")
    ours, limits = [], []
    for _ in range(args.rounds):
        ours.append(wrk(daemon.url, lua_get(["/v1/asn?limit=50"], key), args.seconds)[0])
        limits.append(pgbench([select + ";\n"], args.seconds, 8))
    us, limit = table.add("page of 50", "requests/s", ours), table.add("the same page by pgbench -M prepared, 8 clients", "transactions/s", limits)
    table.ratio("page_50_of_pgbench", us / limit, 0.60)


LUA_ENROL = """
local nips, sessions = {%s}, {%s}
local at = %d
request = function()
  at = at + 1
  local body = string.format('{"session_id":"%%s","nip":"%%s"}', sessions[at %% #sessions + 1], nips[at %% #nips + 1])
  return wrk.format("POST", "/v1/enrolments", {["Authorization"] = "Bearer %s", ["Content-Type"] = "application/json"}, body)
end
"""


def enrol_sessions(n):
    """Sessions with room for everybody, each on its own day, so that nobody overlaps."""
    sql("INSERT INTO programme (id, code, name, form, family, jp, organiser) SELECT gen_random_uuid(), 'BENCH', 'Bench', min(code), 'teknis', 8, 'Bench' "
        "FROM reference WHERE list = 'training-form' ON CONFLICT DO NOTHING")
    return sql("INSERT INTO session (id, programme_id, title, starts_on, ends_on, capacity) SELECT gen_random_uuid(), p.id, 'Bench', d, d, 100000 "
               "FROM programme p, (SELECT '2030-01-01'::date + (SELECT count(*)::int FROM session) + i AS d "
               f"FROM generate_series(1, {n}) AS i) AS x WHERE p.code = 'BENCH' RETURNING id").split()


def bench_enrol(args, table, daemon, key, nips, name, n_sessions):
    insert = statement("src/training/enrolment.sql", "createEnrolment")
    ours, limits = [], []
    for _ in range(args.rounds):
        for kind in ("us", "limit"):
            sessions = enrol_sessions(n_sessions)
            if kind == "us":
                lua = LUA_ENROL % (",".join(f'"{n}"' for n in nips), ",".join(f'"{s}"' for s in sessions), 0, key)
                ours.append(wrk(daemon.url, lua, min(args.seconds, 3))[0])
            else:
                sql("DROP TABLE IF EXISTS bench_person; CREATE UNLOGGED TABLE bench_person (i bigint PRIMARY KEY, nip text); "
                    "DROP SEQUENCE IF EXISTS bench_seq; CREATE SEQUENCE bench_seq CACHE 50")
                values = ",".join(f"({i},'{n}')" for i, n in enumerate(nips))
                subprocess.run(["psql", "-Xq", DATABASE], check=True, input=f"INSERT INTO bench_person VALUES {values};", text=True, env=ENV)
                picks = ",".join(f"'{s}'" for s in sessions)
                text = bind(insert, actor_units="'{\"\"}'", actor_scopes="'{admin}'", actor_key="NULL", actor_name="'bench'", body="'{}'",
                            new_id="gen_random_uuid()", session_id=f"(ARRAY[{picks}]::uuid[])[1 + :i % {n_sessions}]",
                            nip=f"(SELECT nip FROM bench_person WHERE i = :i % {len(nips)})")
                limits.append(pgbench(["SELECT nextval('bench_seq') AS i \\gset\n" + text + ";\n"], min(args.seconds, 3), 8))
    us, limit = table.add(f"enrol, {name}", "requests/s", ours), table.add(f"the same by pgbench -M prepared, 8 clients, {name}", "transactions/s", limits)
    table.ratio(f"enrol_{name}_of_pgbench", us / limit)


def bench_depth(args, table, daemon, key):
    """The page behind 10,000 pages of 50 (or the last one there is) against the first."""
    cursor, deep, want = None, None, 500
    for _ in range(want):
        reply = json.loads(http("GET", f"{daemon.url}/v1/asn?limit=1000&fields=nip" + (f"&cursor={cursor}" if cursor else ""), key)[1])
        cursor = reply["page"]["next"]
        if not cursor:
            break
        deep = cursor
    firsts, deeps = [], []
    for _ in range(args.rounds):
        firsts.append(wrk(daemon.url, lua_get(["/v1/asn?limit=50"], key), min(args.seconds, 2))[0])
        deeps.append(wrk(daemon.url, lua_get([f"/v1/asn?limit=50&cursor={deep}"], key), min(args.seconds, 2))[0])
    first, last = table.add("first page", "requests/s", firsts), table.add("deep page", "requests/s", deeps)
    table.ratio("deep_page_time_of_first", first / last, 1.2, at_most=True)


def bench_export(args, table, daemon, key):
    """Everybody as NDJSON through the daemon against COPY of the same statement's rows."""
    text = statement("src/asn/asn.sql", "listAsn").replace(" LIMIT :_limit::bigint", "")
    ours, copies = [], []
    for _ in range(args.rounds):
        request = urllib.request.Request(f"{daemon.url}/v1/asn", headers={"Authorization": f"Bearer {key}", "Accept": "application/x-ndjson"})
        rows, began = 0, time.monotonic()
        with urllib.request.urlopen(request, timeout=600) as reply:
            while piece := reply.read(1 << 20):
                rows += piece.count(b"\n")
        ours.append(rows / (time.monotonic() - began))
        began = time.monotonic()
        subprocess.run(["psql", "-Xq", DATABASE, "-c", f"COPY ({text}) TO STDOUT"], check=True, stdout=subprocess.DEVNULL, env=ENV)
        copies.append(rows / (time.monotonic() - began))
    export, copy = table.add("export of everybody as NDJSON", "rows/s", ours), table.add("COPY TO of the same statement", "rows/s", copies)
    table.ratio("export_of_copy", export / copy, 0.7)


def bench_idle(table, daemon, n):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, n + 500), hard))
    sockets = []
    for _ in range(n):
        s = socket.create_connection(("127.0.0.1", daemon.port))
        s.sendall(b"GET /livez HTTP/1.1\r\nHost: bench\r\n\r\n")
        if not s.recv(4096).startswith(b"HTTP/1.1 200"):
            sys.exit("an idle connection was not served")
        sockets.append(s)
    rss = daemon.rss_mb()
    for s in sockets:
        s.close()
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    table.add(f"memory with {n:,} idle connections", "MB", [rss])
    table.ratio("idle_connections_rss_mb", rss, 120, at_most=True)


# ── small helpers ──


def http(method, url, key, body=None):
    request = urllib.request.Request(url, data=body, method=method, headers={"Authorization": f"Bearer {key}", "Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as reply:
        return reply.status, reply.read()


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def build_bare():
    out = ROOT / "build/release/bench-bare"
    flags = run("pkg-config", "--cflags", "--libs", "libmicrohttpd").split()
    run("cc", "-O2", "-o", out, ROOT / "bench/bare.c", *flags)
    return out


def build_arrive():
    out = ROOT / "build/release/bench-arrive"
    run("cc", "-std=gnu17", "-D_GNU_SOURCE", "-O2", "-Wall", "-Werror", "-o", out, ROOT / "bench/arrive.c")
    return out


def arrive(port, paths, headers, rate, seconds, connections=CONNECTIONS):
    """Requests at a fixed rate: answered/s; p50, p99, p99.9 and worst ms, counted from when each was due; how many were not answered well."""
    with tempfile.NamedTemporaryFile("w") as file:
        file.write("\n".join(paths) + "\n\n" + "".join(f"{name}: {value}\n" for name, value in headers.items()))
        file.flush()
        out = run(build_arrive(), port, int(rate), seconds, connections, file.name)
    return [float(word) for word in re.search(r"RESULT (.*)", out).group(1).split()]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true", help="100,000 people, 5 rounds of 2 s")
    parser.add_argument("--people", type=int)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int)
    parser.add_argument("--write", action="store_true", help="put the tables into docs/performance.md")
    args = parser.parse_args()
    args.people = args.people or (100_000 if args.quick else 1_000_000)
    args.seconds = args.seconds or (2 if args.quick else 5)
    facts = machine()
    print(json.dumps(facts), flush=True)
    table = Table()
    bench_regency(table, min(args.rounds, 3))
    import_s, peak = load(args.people)
    copy_s = copy_seconds()
    table.add(f"memory of the import of {args.people:,} people, at its peak", "MB", [peak])
    table.add(f"import of {args.people:,} people", "rows/s", [args.people / import_s])
    table.add("COPY of the same rows into the same constraints", "rows/s", [args.people / copy_s])
    table.ratio("import_of_copy", copy_s / import_s, 0.3)
    key = run(ASND, "key", "create", "--name", "bench", "--scope", "admin").strip()
    reader = run(ASND, "key", "create", "--name", "portal", "--scope", "asn.read").strip()  # sees nothing that each reading of is noted
    starts = []
    for _ in range(args.rounds):
        daemon = Daemon(ASND_STOP_DELAY_MS="0")
        starts.append(daemon.start_ms)
        daemon.stop()
    table.ratio("start_to_ready_ms", table.add("start to ready", "ms", starts), 300, at_most=True)
    daemon = Daemon(ASND_STOP_DELAY_MS="0")
    nips = sample_nips(64)
    wrk(daemon.url, lua_get([f"/v1/asn/{n}" for n in nips], key), 1)
    bench_get(args, table, daemon, reader, nips)
    bench_audited(args, table, daemon, key, nips)
    bench_page(args, table, daemon, reader)
    bench_depth(args, table, daemon, reader)
    bench_export(args, table, daemon, key)
    many = sample_nips(50_000)
    day.bench_day(args, table, daemon, key, nips, many)
    bench_enrol(args, table, daemon, key, many, "spread", 100)
    bench_enrol(args, table, daemon, key, many, "hot", 1)
    daemon.stop()
    daemon = Daemon(ASND_STOP_DELAY_MS="0")
    bench_idle(table, daemon, 10_000)
    daemon.stop()
    text = f"Machine: {facts['cpu']}, {facts['cores']} cores, {facts['memory_gb']} GB, Linux {facts['kernel']}, PostgreSQL {facts['postgresql']}; " \
           f"{args.people:,} people; {facts['date']}; one loop a core, log lines on; wrk with {CONNECTIONS} connections on the same machine.\n\n" + table.markdown()
    print(text)
    report = ROOT / ".local/bench.json"
    report.write_text(json.dumps({"machine": facts, "people": args.people, "rounds": args.rounds, "seconds": args.seconds,
                                  "figures": [dict(zip(("what", "unit", "median", "min", "max", "rounds"), row)) for row in table.rows],
                                  "ratios": [dict(zip(("name", "value", "target", "at_most", "met"), row)) for row in table.ratios]}, indent=1))
    print(f"as JSON: {report}")
    if args.write:
        page = ROOT / "docs/performance.md"
        head, _, rest = page.read_text().partition("<!-- figures -->")
        _, _, tail = rest.partition("<!-- end of figures -->")
        page.write_text(f"{head}<!-- figures -->\n\n{text}\n\n<!-- end of figures -->{tail}")
    missed = [r[0] for r in table.ratios if not r[4]]
    print(f"{len(table.ratios) - len(missed)} of {len(table.ratios)} targets met" + (f"; missed: {', '.join(missed)}" if missed else ""))


if __name__ == "__main__":
    import day  # which asks this module for its helpers

    main()
