# SPDX-License-Identifier: Apache-2.0
"""Measures asnd beside servers that a user might write instead: see scripts/bench.sh --peers and docs/performance.md.

Each round starts every server alone, one after the other and in another order each time, warms it up and measures it with each workload; then the limits
of the machine with the same statements and the same bytes. What counts is the median. Before anything is measured, each server must give the same answers
as asnd. Runs inside tests/unit/with-postgres.sh, which gives ASND_TEST_DATABASE_URL.
"""
import argparse
import atexit
import hashlib
import json
import os
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from decimal import Decimal
from pathlib import Path

import bench
from bench import ENV, ROOT, http, run, sql

sys.path.insert(0, str(ROOT / "bench/public"))
import scenarios  # noqa: E402

BUILT = ROOT / ".local/bench-peers"
CORES = os.cpu_count()
OWN = "asnd"


class LeftOut(Exception):
    """A server, or one of its figures, that is not to be had; why."""


# ── the statements, the same text for everyone ──


def visible(statement):
    """The statement without the columns that only our engine reads (keys of a page, words of a refusal); `_problem` stays, as `problem`."""
    described = run("psql", "-XqtAF,", bench.DATABASE, input=re.sub(r"\$\d+", "NULL", statement) + " \\gdesc\n")
    columns = [line.split(",")[0] for line in described.splitlines()]
    kept = ['"_problem" AS problem'] * ("_problem" in columns) + [f'"{c}"' for c in columns if not c.startswith("_")]
    return f"SELECT {', '.join(kept)} FROM ({statement}) AS s"


def numbered(statement, names):
    for i, name in enumerate(names, 1):
        statement = re.sub(rf"(?<!:):{name}\b", f"${i}", statement)
    return statement


def own_statements():
    caller = {"actor_units": "'{\"\"}'", "actor_scopes": "'{admin}'", "actor_key": "NULL", "actor_name": "'bench'", "new_id": "gen_random_uuid()"}
    texts = {"getAsn": ("src/asn/asn.sql", ["nip"]), "listAsn": ("src/asn/asn.sql", []),
             "createEnrolment": ("src/training/enrolment.sql", ["session_id", "nip", "body"])}
    found = {}
    for name, (file, names) in texts.items():
        text = bench.bind(bench.statement(file, name), **caller, _limit="51")
        found[name] = visible(numbered(text, names))
    return found


def public_statements():
    return {name: numbered(text, scenarios.binds(text)) for name, text in scenarios.statements().items()}


# ── servers ──


class Server:
    """A process (or several) on a port, started alone and ended with all that it started."""
    ready = "/livez"

    def launch(self, command, port, env, cwd=None):
        self.port, self.url = port, f"http://127.0.0.1:{port}"
        self.log = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen([str(c) for c in command], env=env, cwd=cwd, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log, start_new_session=True)
        atexit.register(self.end)
        give_up = time.monotonic() + 30
        while time.monotonic() < give_up:
            try:
                urllib.request.urlopen(self.url + self.ready, timeout=5).read()
                return
            except OSError:
                if self.process.poll() is not None:
                    break
                time.sleep(0.02)
        self.end()
        raise LeftOut("it does not start: " + self.words())

    def words(self):
        self.log.seek(0)
        return " ".join(self.log.read().split())[-400:]

    def pss_mb(self):
        """Of all its processes; what they share counts once."""
        total = 0
        for status in Path("/proc").glob("[0-9]*/stat"):
            try:
                if int(status.read_text().rsplit(")", 1)[1].split()[3]) == self.process.pid:  # its session is the one that it leads
                    total += int(re.search(r"^Pss:\s+(\d+)", status.with_name("smaps_rollup").read_text(), re.M).group(1))
            except (OSError, AttributeError):
                continue
        return total / 1024

    def end(self):
        for number, seconds in ((signal.SIGTERM, 10), (signal.SIGKILL, 10)):
            if self.process.poll() is None:
                os.killpg(self.process.pid, number)
            try:
                self.process.wait(seconds)
                break
            except subprocess.TimeoutExpired:
                continue
        try:
            os.killpg(self.process.pid, signal.SIGKILL)  # workers that outlive their parent
        except ProcessLookupError:
            pass


class Asnd(Server):
    name, ready = OWN, "/readyz"

    def __init__(self, setup):
        self.setup = setup

    def start(self, kind):
        env = dict(ENV, ASND_STOP_DELAY_MS="0", ASND_PORT=str(bench.free_port()))
        if kind == "public":
            env |= {"ASND_CONTRACT": str(ROOT / "bench/public/openapi.yaml"), "ASND_SQL": str(self.setup.sql_directory)}
        self.launch([bench.ASND, "serve"], int(env["ASND_PORT"]), env)


class Peer(Server):
    def __init__(self, name, setup):
        self.name, self.setup = name, setup
        self.source, self.place = ROOT / "bench/peers" / name, BUILT / name

    def make(self, *command, cwd=None, **env):
        try:
            done = subprocess.run([str(c) for c in command], cwd=cwd or self.place, env=dict(os.environ, **env), text=True, capture_output=True, timeout=1800)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise LeftOut(str(error)) from None
        if done.returncode:
            raise LeftOut(f"{' '.join(map(str, command))}: " + " ".join((done.stderr + done.stdout).split())[-400:])
        return done.stdout

    def tool(self, name):
        if not shutil.which(name):
            raise LeftOut(f"there is no {name} here")

    def copied(self):
        """The sources in a place of their own, where a build may leave what it likes; whether they are as at the last build."""
        files = {p.relative_to(self.source): p.read_bytes() for p in sorted(self.source.rglob("*")) if p.is_file()}
        stamp = hashlib.sha256(repr(sorted((str(name), data) for name, data in files.items())).encode()).hexdigest()
        same = (self.place / "stamp").exists() and (self.place / "stamp").read_text() == stamp
        for name, data in files.items():
            (self.place / name).parent.mkdir(parents=True, exist_ok=True)
            if not same:
                (self.place / name).write_bytes(data)
        return same, stamp

    def build(self):
        self.tool(self.needs)
        same, stamp = self.copied()
        if not same:
            print(f"building the peer {self.name} …", flush=True)
            self.compile()
            (self.place / "stamp").write_text(stamp)

    def start(self, kind):
        port = bench.free_port()
        env = dict(os.environ, TZ="UTC", BENCH_PORT=str(port), BENCH_DATABASE=self.setup.database, BENCH_STATEMENTS=str(self.setup.statements),
                   BENCH_KEY_HASH=self.setup.key_hash, BENCH_CONNECTIONS=str(self.setup.connections), BENCH_PROCESSES=str(CORES), GOMAXPROCS=str(CORES),
                   NODE_ENV="production")
        self.launch(self.command(port), port, env, self.place)


class Go(Peer):
    needs = "go"

    def compile(self):
        self.make("go", "build", "-o", "peer", ".", GOFLAGS="-mod=readonly -buildvcs=false", GOTOOLCHAIN="local", CGO_ENABLED="0")

    def command(self, port):
        return [self.place / "peer"]


class Fastify(Peer):
    needs = "npm"

    def compile(self):
        self.make("npm", "ci", "--omit=dev", "--ignore-scripts", "--no-audit", "--no-fund")

    def command(self, port):
        return ["node", "server.js"]


class Fastapi(Peer):
    needs = "/usr/bin/python3"

    def compile(self):
        self.make("/usr/bin/python3", "-m", "venv", "--clear", "venv")
        self.make("venv/bin/pip", "install", "-q", "--no-deps", "-r", "requirements.txt")

    def command(self, port):
        return [self.place / "venv/bin/uvicorn", "server:app", "--host", "127.0.0.1", "--port", port, "--workers", CORES, "--loop", "uvloop", "--http", "httptools",
                "--no-access-log", "--log-level", "warning"]


class Axum(Peer):
    needs = "cargo"

    def compile(self):
        """The lock file leaves out where crates come from; cargo's own word for that is taken from a lock file that it makes itself."""
        versions = (self.place / "Cargo.lock.in").read_text()
        self.make("cargo", "generate-lockfile")
        lock = self.place / "Cargo.lock"
        source = re.search(r'^source = "(.*)"$', lock.read_text(), re.M).group(1)
        lock.write_text(versions.replace('source = "registry"', f'source = "{source}"'))
        self.make("cargo", "build", "--release", "--locked", "-q", CARGO_TARGET_DIR=str(self.place / "target"))

    def command(self, port):
        return [self.place / "target/release/bench-peer"]


PEERS = {"go": (Go, "Go net/http + pgx"), "fastify": (Fastify, "Fastify + pg"), "fastapi": (Fastapi, "FastAPI + asyncpg"),
         "axum": (Axum, "Axum + tokio-postgres")}


# ── workloads ──


class Workload:
    """`lua` for wrk; `pgbench` the scripts of the same statement; `requests` what is compared before anything is measured."""

    def __init__(self, name, kind, lua, pgbench, requests):
        self.name, self.kind, self.lua, self.pgbench, self.requests = name, kind, lua, pgbench, requests


LUA_ONE = """
local body, headers = %s, {["Authorization"] = "Bearer %s", ["Content-Type"] = "application/json"}
request = function() return wrk.format("%s", "%s", headers, body) end
"""


def lua_text(text):
    return "nil" if text is None else "[==[" + text + "]==]"


def public_workloads(setup):
    for s in scenarios.SCENARIOS:
        lua = LUA_ONE % (lua_text(s.body.decode() if s.body else None), setup.key, "POST" if s.body else "GET", s.path)
        statement = scenarios.bound(scenarios.statements()[s.statement], s.values)
        yield Workload(s.name, "public", lambda lua=lua: lua, lambda statement=statement: [statement + ";\n"], [("POST" if s.body else "GET", s.path, s.body)])


def enrol_lua(setup):
    sessions = bench.enrol_sessions(100)
    return bench.LUA_ENROL % (",".join(f'"{n}"' for n in setup.many), ",".join(f'"{s}"' for s in sessions), 0, setup.key)


def own_workloads(setup):
    select = bench.bind(bench.statement("src/asn/asn.sql", "getAsn"), actor_units="'{\"\"}'")
    cases = " ".join(f"when :i = {i} then {nip}" for i, nip in enumerate(setup.nips[1:], 1))
    picked = f"\\set i random(0, {len(setup.nips) - 1})\n\\set nip case {cases} else {setup.nips[0]} end\n{select};\n"
    page = bench.bind(bench.statement("src/asn/asn.sql", "listAsn"), actor_units="'{\"\"}'", _limit="51")
    yield Workload("get_by_nip", "own", lambda: bench.lua_get([f"/v1/asn/{n}" for n in setup.nips], setup.key), lambda: [picked],
                   [("GET", f"/v1/asn/{n}", None) for n in setup.nips[:5]])
    yield Workload("page_50", "own", lambda: bench.lua_get(["/v1/asn?limit=50"], setup.key), lambda: [page + ";\n"], [("GET", "/v1/asn?limit=50", None)])
    yield Workload("enrol", "own", lambda: enrol_lua(setup), None, [("POST", "/v1/enrolments", "enrol")])


# ── the same answers ──


MASKED = {"now", "next"}  # moments; the next page's cursor, which each makes its own way
MADE = {"id", "session_id", "created_at", "updated_at"}  # of a row made by the request itself


def shown(nik):
    """What is left of a NIK where our lists show it in part, of one in whole too: the peers do not mask."""
    return nik and nik[:2] + nik[-2:]


def normal(value, masked):
    """JSON without what may differ: the order of members, how a number is written, a NIK's middle, and of a moment the zeros at its end and Z for +00:00."""
    if isinstance(value, dict):
        return {n: (v is not None) if n in masked else shown(v) if n == "nik" else normal(v, masked) for n, v in sorted(value.items())}
    if isinstance(value, list):
        return [normal(v, masked) for v in value]
    if isinstance(value, (Decimal, int)) and not isinstance(value, bool):
        return str(Decimal(value).normalize())
    if isinstance(value, str) and (moment := re.fullmatch(r"(\d{4}-\d\d-\d\dT[\d:]+)(\.\d+)?(Z|[+-]\d\d:\d\d)?", value)):
        return moment[1] + (moment[2] or "").rstrip("0").rstrip(".") + (moment[3] or "").replace("Z", "+00:00")
    return value


def answers(server, setup, workloads):
    found = {}
    for workload in workloads:
        for method, path, body in workload.requests:
            masked = MASKED
            if body == "enrol":
                masked = MASKED | MADE
                body = json.dumps({"session_id": bench.enrol_sessions(1)[0], "nip": setup.many[0]}).encode()
            try:
                _, reply = http(method, server.url + path, setup.key, body)
                found[method, path] = json.dumps(normal(json.loads(reply, parse_float=Decimal), masked)), len(reply)
            except urllib.error.HTTPError as error:
                found[method, path] = f"status {error.code}: {error.read()[:300]}", 0
    return found


def check_answers(peer, setup, workloads, wanted):
    found = {}
    for kind in ("own", "public"):
        peer.start(kind)
        found |= answers(peer, setup, [w for w in workloads if w.kind == kind])
        peer.end()
    for request, (text, _) in wanted.items():
        if found[request][0] != text:
            at = next((i for i, (a, b) in enumerate(zip(text, found[request][0])) if a != b), 0)
            raise LeftOut(f"{' '.join(request)} gives another answer: …{found[request][0][max(0, at - 60):at + 60]}… instead of …{text[max(0, at - 60):at + 60]}…")


# ── measuring ──


class Setup:
    def __init__(self, args):
        self.connections = args.budget
        bench.load(args.people)
        self.key = run(bench.ASND, "key", "create", "--name", "bench", "--scope", "admin").strip()
        self.key_hash = hashlib.sha256(self.key.encode()).hexdigest()
        run("psql", "-Xq", bench.DATABASE, "-v", "ON_ERROR_STOP=1", "-c", "SET client_min_messages = warning", "-f", ROOT / "bench/public/schema.sql")
        # What asnd sets for its sessions holds for everybody's.
        sql("ALTER DATABASE asnd SET TimeZone = 'UTC'; ALTER DATABASE asnd SET IntervalStyle = 'iso_8601'; ALTER DATABASE asnd SET jit = off; "
            "ALTER DATABASE asnd SET statement_timeout = '5s'; ALTER DATABASE asnd SET asnd.utc_offset_minutes = 480")
        self.directory = tempfile.TemporaryDirectory()
        directory = Path(self.directory.name)
        self.statements = directory / "statements.json"
        self.statements.write_text(json.dumps(own_statements() | public_statements()), encoding="utf-8")
        self.sql_directory = directory / "sql"
        self.sql_directory.mkdir()
        for file in ("src/engine/engine.sql", "src/auth/auth.sql", "bench/public/public.sql"):
            shutil.copy(ROOT / file, self.sql_directory)
        host = re.search(r"host=([^&]+)", bench.DATABASE).group(1)
        self.database = f"postgresql://postgres@/asnd?host={host}&port=5432"
        self.nips, self.many = bench.sample_nips(64), bench.sample_nips(50_000)


class Figures:
    def __init__(self):
        self.values, self.failed = {}, {}

    def add(self, server, workload, connections, measure):
        """A server that breaks under a load has no figure there, and the reason is told."""
        key = (server, workload, connections)
        try:
            self.values.setdefault(key, []).append(measure())
        except (SystemExit, subprocess.CalledProcessError) as error:
            self.failed[key] = " ".join(str(error).split())[:200]
            print(f"NO FIGURE {server} {workload} {connections}: {self.failed[key]}", flush=True)

    def median(self, server, workload, connections, part=0):
        values = self.values.get((server, workload, connections))
        return statistics.median(v[part] for v in values) if values and (server, workload, connections) not in self.failed else None


def measure_server(server, args, setup, workloads, figures):
    peak = 0
    for kind in ("own", "public"):
        mine = [w for w in workloads if w.kind == kind]
        if not mine:
            continue
        server.start(kind)
        for workload in mine:
            for connections in args.connections:
                figures.add(server.name, workload.name, connections, lambda: (
                    bench.wrk(server.url, workload.lua(), args.warm, connections), bench.wrk(server.url, workload.lua(), args.seconds, connections))[1])
        peak = max(peak, server.pss_mb())
        server.end()
    figures.add(server.name, "memory", 0, lambda: (peak,))


def measure_limits(args, workloads, sizes, figures):
    for workload in workloads:
        for connections in args.connections:
            if workload.pgbench:
                figures.add("pgbench", workload.name, connections, lambda: (bench.pgbench(workload.pgbench(), args.seconds, 8), 0, 0))
            method, path, _ = workload.requests[0]
            bare = Server()
            port = bench.free_port()
            process = subprocess.Popen([bench.build_bare(), str(port), str(sizes[method, path]), str(CORES)], stdout=subprocess.PIPE, text=True)
            process.stdout.readline()
            bare.url = f"http://127.0.0.1:{port}"
            figures.add("bare", workload.name, connections, lambda: bench.wrk(bare.url, bench.lua_get(["/"], "none"), args.seconds, connections))
            process.terminate()
            process.wait()


def measure_arrivals(servers, args, setup, figures):
    """The same rate for everybody: what the slowest can just about do; and seven tenths of what each could do at its best."""
    best = {s.name: figures.median(s.name, "get_by_nip", args.connections[0]) for s in servers}
    common = 0.7 * min(v for v in best.values() if v)
    paths = [f"/v1/asn/{n}" for n in setup.nips]
    rows = []
    for server in servers:
        if not best[server.name]:
            continue
        server.start("own")
        bench.wrk(server.url, bench.lua_get(paths, setup.key), args.warm)
        for rate in (common, 0.7 * best[server.name]):
            found = [bench.arrive(server.port, paths, {"Authorization": f"Bearer {setup.key}"}, rate, max(2, args.seconds), args.connections[0]) for _ in range(args.rounds)]
            rows.append((server.name, rate, *(statistics.median(column) for column in zip(*found))))
        server.end()
    return rows


# ── what is told ──


def number(value, digits=0):
    return "–" if value is None else f"{value:,.{digits}f}"


def tables(args, workloads, servers, left_out, figures, arrivals):
    names = [OWN] + [s.name for s in servers if s.name != OWN]
    heads = {OWN: "asnd"} | {name: title for name, (_, title) in PEERS.items()}
    out = []
    for title, part, digits in (("Requests/s (pgbench: transactions/s)", 0, 0), ("p99, ms", 2, 1)):
        columns = names + ["pgbench", "bare"] * (part == 0)
        out += [f"{title}:", "", "| workload | connections | " + " | ".join(heads.get(n, "bare HTTP library" if n == "bare" else n) for n in columns) + " |",
                "| --- | ---: |" + " ---: |" * len(columns)]
        for w in workloads:
            for c in args.connections:
                out.append(f"| {w.name} | {c} | " + " | ".join(number(figures.median(n, w.name, c, part), digits) for n in columns) + " |")
        out.append("")
    out += ["asnd in multiples of each, and the spread of its own rounds (largest to smallest):", "",
            "| workload | connections | " + " | ".join(heads.get(n, n) for n in [*names[1:], "pgbench"]) + " | spread |", "| --- | ---: |" + " ---: |" * (len(names) + 1)]
    for w in workloads:
        for c in args.connections:
            ours, rounds = figures.median(OWN, w.name, c), figures.values.get((OWN, w.name, c), [])
            ratios = [ours / other if ours and (other := figures.median(n, w.name, c)) else None for n in [*names[1:], "pgbench"]]
            spread = max(r[0] for r in rounds) / min(r[0] for r in rounds) if rounds else None
            out.append(f"| {w.name} | {c} | " + " | ".join(number(r, 2) for r in [*ratios, spread]) + " |")
    out += ["", "GET by NIP at a fixed rate of arrival, latency counted from when a request was due:", "",
            "| server | asked for /s | answered /s | p50 ms | p99 ms | p99.9 ms | worst ms | not answered well |", "| --- |" + " ---: |" * 7]
    out += [f"| {heads[n]} | {number(rate)} | {number(done)} | {p50:.2f} | {p99:.2f} | {p999:.2f} | {worst:.1f} | {faults:.0f} |"
            for n, rate, done, p50, p99, p999, worst, faults in arrivals]
    out += ["", "Memory of all processes of a server after its workloads, MB (PSS): " +
            ", ".join(f"{heads[n]} {number(figures.median(n, 'memory', 0))}" for n in names) + "."]
    if left_out:
        out += [""] + [f"**Left out: {heads[name]}** ({reason})." for name, reason in left_out.items()]
    return "\n".join(out)


def print_ratios(args, workloads, servers, figures):
    targets = {("get_by_nip", "fastify"): 4, ("get_by_nip", "go"): 1.5, ("enrol", "fastify"): 4}
    ratios = {}
    for w in workloads:
        for server in [s.name for s in servers if s.name != OWN] + ["pgbench"]:
            for c in args.connections:
                ours, other = figures.median(OWN, w.name, c), figures.median(server, w.name, c)
                if ours and other:
                    name = f"{w.name}_of_{server}" + (f"_{c}" if len(args.connections) > 1 else "")
                    ratios[name] = ours / other
                    goal = targets.get((w.name, server))
                    print(f"RATIO {name} {ours / other:.3f}" + (f" (target {goal}: {'met' if ours / other >= goal else 'MISSED'})" if goal else ""), flush=True)
    return ratios


def write_page(text):
    page = ROOT / "docs/performance.md"
    head, _, rest = page.read_text(encoding="utf-8").partition("<!-- peers -->")
    tail = rest.partition("<!-- end of peers -->")[2]
    page.write_text(f"{head}<!-- peers -->\n\n{text}\n\n<!-- end of peers -->{tail}", encoding="utf-8")


def versions(peer):
    """What stands in the lock files, as facts of the run."""
    file = {"go": "go.mod", "fastify": "package.json", "fastapi": "requirements.txt", "axum": "Cargo.toml"}[peer]
    return hashlib.sha256((ROOT / "bench/peers" / peer / file).read_bytes()).hexdigest()[:12]


def arguments():
    parser = argparse.ArgumentParser(prog="bench.sh --peers")
    parser.add_argument("--quick", action="store_true", help="20,000 people, 3 rounds of 1 s")
    parser.add_argument("--people", type=int)
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--seconds", type=int)
    parser.add_argument("--connections", type=lambda text: [int(n) for n in text.split(",")], default=[100], help="of the load, such as 1,50,100,200")
    parser.add_argument("--budget", type=int, default=16, help="connections to the database that a peer may have")
    parser.add_argument("--only", type=lambda text: text.split(","), help="these workloads alone")
    parser.add_argument("--peers", dest="wanted", type=lambda text: text.split(","), default=list(PEERS), help="these peers alone")
    parser.add_argument("--write", action="store_true", help="put the tables into docs/performance.md")
    args = parser.parse_args()
    args.people = args.people or (20_000 if args.quick else 1_000_000)
    args.rounds = args.rounds or (3 if args.quick else 5)
    args.seconds = args.seconds or (1 if args.quick else 5)
    args.warm = 1 if args.quick else 3
    return args


def built_peers(args, setup, workloads, left_out):
    ours = Asnd(setup)
    wanted = {}
    for kind in ("own", "public"):
        ours.start(kind)
        wanted |= answers(ours, setup, [w for w in workloads if w.kind == kind])
        ours.end()
    bad = [f"{request}: {text}" for request, (text, size) in wanted.items() if not size]
    if bad:
        sys.exit("asnd does not answer: " + "; ".join(bad))
    servers = [ours]
    for name in args.wanted:
        peer = PEERS[name][0](name, setup)
        try:
            peer.build()
            check_answers(peer, setup, workloads, wanted)
            servers.append(peer)
        except LeftOut as reason:
            left_out[name] = str(reason)
            print(f"\n!!! LEFT OUT: {PEERS[name][1]}: {reason}\n", flush=True)
    return servers, {request: size for request, (_, size) in wanted.items()}


def main():
    args = arguments()
    facts = bench.machine()
    print(json.dumps(facts), flush=True)
    setup = Setup(args)
    workloads = [w for w in [*own_workloads(setup), *public_workloads(setup)] if not args.only or w.name in args.only]
    left_out, figures = {}, Figures()
    servers, sizes = built_peers(args, setup, workloads, left_out)
    for turn in range(args.rounds):
        for server in servers[turn % len(servers):] + servers[:turn % len(servers)]:
            measure_server(server, args, setup, workloads, figures)
        measure_limits(args, workloads, sizes, figures)
        print(f"round {turn + 1} of {args.rounds} done", flush=True)
    arrivals = measure_arrivals(servers, args, setup, figures) if any(w.name == "get_by_nip" for w in workloads) else []
    ratios = print_ratios(args, workloads, servers, figures)
    text = f"Machine: {facts['cpu']}, {facts['cores']} cores, {facts['memory_gb']} GB, Linux {facts['kernel']}, PostgreSQL {facts['postgresql']}; {args.people:,} people; " \
           f"{facts['date']}; medians of {args.rounds} rounds of {args.seconds} s, wrk on the same machine; {CORES} processes or threads and {args.budget} connections for each " \
           f"peer.\n\n" + tables(args, workloads, servers, left_out, figures, arrivals)
    print(text)
    report = ROOT / ".local/bench-peers/figures.json"
    report.write_text(json.dumps({"machine": facts, "people": args.people, "rounds": args.rounds, "seconds": args.seconds, "connections": args.connections,
                                  "budget": args.budget, "pinned": {s.name: versions(s.name) for s in servers if s.name != OWN}, "left_out": left_out, "ratios": ratios,
                                  "figures": [{"server": s, "workload": w, "connections": c, "values": v} for (s, w, c), v in figures.values.items()],
                                  "failed": [{"server": s, "workload": w, "connections": c, "reason": r} for (s, w, c), r in figures.failed.items()],
                                  "arrivals": arrivals}, indent=1), encoding="utf-8")
    print(f"as JSON: {report}")
    if args.write:
        write_page(text)
    if left_out:
        print("\n!!! LEFT OUT: " + "; ".join(f"{PEERS[name][1]}: {reason}" for name, reason in left_out.items()))


if __name__ == "__main__":
    main()
