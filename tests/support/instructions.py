# SPDX-License-Identifier: Apache-2.0
"""Instructions that one request costs the daemon, as callgrind counts them: no clock, so no neighbour of the machine is in them."""
import json
import platform
import re
import shutil
import subprocess
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

import requests

from support import daemon as daemons, make, postgres

ROOT = Path(__file__).resolve().parents[2]
BASELINE = ROOT / "tests/instructions/baseline.json"
PEOPLE = 60
# Times that a request is sent before anything is counted (statements are prepared and planned meanwhile), in one count, and how many counts there are.
WARM, TIMES, COUNTS = 10, 60, 3
IDLE_S = 1  # for how long it is looked at when nobody asks
SCOPES = ["asn.read", "asn.write", "training.read", "training.write"]
# Above the baseline: a failure. Of the same program a machine under load counted up to 4 % more.
TOLERANCE = 0.08

# One loop and one connection of each sort: who runs where would else be chance. Nothing expires while it is counted.
ALONE = {"loops": 1, "workers": 1, "loop_connections": 1, "loop_write_connections": 1, "key_cache_ms": 60000, "statement_timeout_ms": 600000,
         "head_timeout_ms": 600000, "body_timeout_ms": 600000, "reply_timeout_ms": 600000, "idle_timeout_ms": 600000, "core_dumps": "true"}
# The C library chooses its string functions by the processor: the same on all of them.
PLAIN = "glibc.cpu.hwcaps=-AVX512VL,-AVX512BW,-AVX2,-BMI1,-BMI2,-LZCNT,-MOVBE,-RTM,-ERMS,-FSRM"


def toolchain():
    """What the baseline is of: the compiler and the processor's sort. Another one has other numbers."""
    said = subprocess.run(["gcc", "-dumpfullversion"], capture_output=True, text=True, check=True).stdout.strip()
    return f"gcc {said} {platform.machine()}"


class Counted:
    """A daemon under callgrind, and one client that asks on one connection, one request after the other."""

    def __init__(self, database, key, program, environment):
        self.database = database
        self.directory = Path(tempfile.mkdtemp(prefix="asnd-count."))
        self.out = self.directory / "out"
        self.daemon = daemons.Daemon(database, name="counted", command=["valgrind", "--tool=callgrind", f"--callgrind-out-file={self.out}", "-q", str(program)],
                                     **ALONE, environment={"GLIBC_TUNABLES": PLAIN, **environment})
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.headers["Authorization"] = f"Bearer {key}"
        self._idle = self._turning()

    def _turning(self):
        """Instructions a second of a daemon that nobody asks anything: its clocks go on."""
        self.send("GET", "/livez", 200)
        self._dumped()
        began = time.monotonic()
        time.sleep(IDLE_S)
        took = time.monotonic() - began
        return self._dumped() / took

    def _dumped(self):
        """Instructions since the last dump."""
        found = {p.name for p in self.directory.glob("out.*")}
        subprocess.run(["vgdb", f"--pid={self.daemon.process.pid}", "dump"], check=True, capture_output=True, timeout=60)
        new = [p for p in self.directory.glob("out.*") if p.name not in found]
        assert len(new) == 1, new
        return int(re.search(r"^(?:totals|summary): (\d+)", new[0].read_text(encoding="utf-8"), re.M).group(1))

    def send(self, method, path, wanted, **options):
        prepared = self.session.prepare_request(requests.Request(method, self.daemon.url + path, **options))
        reply = self.session.send(prepared, timeout=120)
        assert reply.status_code == wanted, (method, path, reply.status_code, reply.text[:300])
        return reply

    def per_request(self, send):
        """The least of some counts: what a busy machine adds is turns of the loop, never fewer. `send(n)` is the n-th request."""
        for n in range(WARM):
            send(n)
        self._dumped()
        return round(min(self._counted(send, WARM + i * TIMES) for i in range(COUNTS)))

    def _counted(self, send, first):
        began = time.monotonic()
        for n in range(first, first + TIMES):
            send(n)
        took = time.monotonic() - began
        return (self._dumped() - took * self._idle) / TIMES

    def close(self):
        self.session.close()
        try:
            self.daemon.stop()
        finally:
            shutil.rmtree(self.directory, ignore_errors=True)


# ── what is asked ── each gives a function of the request's number

def get_by_nip(counted):
    return lambda n: counted.send("GET", f"/v1/asn/{make.nip(5000 + n % PEOPLE)}", 200)


def not_modified(counted):
    path = f"/v1/asn/{make.nip(5000)}"
    tag = {"If-None-Match": counted.send("GET", path, 200).headers["ETag"]}
    return lambda n: counted.send("GET", path, 304, headers=tag)


def page_of_50(counted):
    return lambda n: counted.send("GET", "/v1/asn?limit=50", 200)


def patch(counted):
    headers = {"Content-Type": "application/merge-patch+json", "If-Match": "*"}
    return lambda n: counted.send("PATCH", f"/v1/asn/{make.nip(5000 + n % PEOPLE)}", 200, data=f'{{"name":"Pegawai Hitung {n:04}"}}', headers=headers)


def enrol(counted):
    sessions = _sessions(counted.database, 1 + (WARM + COUNTS * TIMES) // PEOPLE)
    return lambda n: counted.send("POST", "/v1/enrolments", 201, json={"session_id": sessions[n // PEOPLE], "nip": make.nip(5000 + n % PEOPLE)})


def refused(counted):
    return lambda n: counted.send("GET", "/v1/asn?limit=many", 400)


ASKED = {"get_by_nip": get_by_nip, "not_modified": not_modified, "page_of_50": page_of_50, "patch": patch, "enrol": enrol,
         "refused": refused}


def _sessions(database, n):
    """Each on a day of its own, with room for everybody."""
    postgres.query(database, "INSERT INTO programme (id, code, name, form, family, jp, organiser) SELECT gen_random_uuid(), 'HITUNG', 'Hitung', min(code), 'teknis', 8, 'Hitung' "
                             "FROM reference WHERE list = 'training-form' ON CONFLICT DO NOTHING")
    return [str(i) for i, in postgres.query(
        database, "INSERT INTO session (id, programme_id, title, starts_on, ends_on, capacity) SELECT gen_random_uuid(), p.id, 'Hitung', d, d, 1000 "
                  "FROM programme p, (SELECT '2030-01-01'::date + i AS d FROM generate_series(1, %s) AS i) AS x WHERE p.code = 'HITUNG' RETURNING id::text", (n,))]


def import_people(database):
    unit = postgres.query(database, "SELECT code FROM unit ORDER BY depth DESC, code LIMIT 1")[0][0]
    with tempfile.NamedTemporaryFile("w", suffix=".csv", encoding="utf-8") as file:
        file.write("nip,kind,name,unit_code,rank,rank_since,position_kind,position,email,phone\n")
        for i in range(PEOPLE):
            file.write(f"{make.nip(5000 + i)},PNS,Pegawai Hitung {i},{unit},III/a,2020-04-01,pelaksana,Pengelola Data,hitung.{i}@example.go.id,08120{i:07}\n")
        file.flush()
        daemons.run(database, "import", "asn", file.name)


def prepare(database):
    """Units and people, once for every daemon that is counted."""
    daemons.run(database, "migrate")
    daemons.run(database, "import", "units", ROOT / "tests/data/units.csv")
    import_people(database)
    postgres.query(database, "ANALYZE")


@contextmanager
def counting(database, key, program, **environment):
    counted = Counted(database, key, program, environment)
    try:
        yield counted
    finally:
        counted.close()


def count(database, key, program, names=tuple(ASKED), **environment):
    """Name → instructions a request."""
    with counting(database, key, program, **environment) as counted:
        return {name: counted.per_request(ASKED[name](counted)) for name in names}


# ── the baseline ──

def baseline():
    """Name → instructions a request, of this toolchain; None if there is none."""
    return json.loads(BASELINE.read_text(encoding="utf-8")).get(toolchain()) if BASELINE.exists() else None


def write_baseline(counts):
    known = json.loads(BASELINE.read_text(encoding="utf-8")) if BASELINE.exists() else {}
    known[toolchain()] = counts
    BASELINE.write_text(json.dumps(known, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def excesses(counts, known):
    """One line for each that costs more than the baseline allows, or that it does not know."""
    return [f"{name}: {n} instructions, {n / known[name] - 1:+.1%} of {known[name]}" if name in known else f"{name}: not in the baseline"
            for name, n in counts.items() if n > known.get(name, 0) * (1 + TOLERANCE)]
