# SPDX-License-Identifier: Apache-2.0
"""A day of an office in a short time: everything at once, on and on. Memory, descriptors and connections stay what they are, and the books are right at the end.
ASND_TEST_SOAK_MINUTES (0.25) says for how long; scripts/bench.sh --soak for half an hour."""
import os
import statistics
import threading
import time
from pathlib import Path

import pytest
import requests

from support import daemon as daemons, make, postgres
from support.writers import Writers

MINUTES = float(os.environ.get("ASND_TEST_SOAK_MINUTES", "0.25"))
SAMPLES = 120
PEOPLE = 200
WELL = {200, 201, 304}


def nip(n):
    return make.nip(5000 + n % PEOPLE)


@pytest.fixture
def office(database, tmp_path):
    unit = postgres.query(database, "SELECT code FROM unit ORDER BY depth DESC, code LIMIT 1")[0][0]
    path = tmp_path / "asn.csv"
    path.write_text("nip,kind,name,unit_code\n" + "".join(f"{nip(i)},PNS,Pegawai Lama {i},{unit}\n" for i in range(PEOPLE)), encoding="utf-8")
    daemons.run(database, "import", "asn", path)
    return path.read_bytes()


class Office(threading.Thread):
    """One client that does one thing after another until it is told to end; some of them hang up after each."""

    def __init__(self, daemon, key, file, number):
        super().__init__(daemon=True)
        self.asked, self.bad, self.told = 0, [], {}
        self._url, self._number, self._file, self._ends = daemon.url, number, file, threading.Event()
        self._headers = {"Authorization": f"Bearer {key}"}
        self.start()

    def _ask(self, session, method, path, **options):
        headers = {**self._headers, **options.pop("headers", {}), **({"Connection": "close"} if self._number % 4 == 0 else {})}
        reply = session.request(method, self._url + path, headers=headers, timeout=60, **options)
        self.asked += 1
        if reply.status_code not in WELL:
            self.bad.append((method, path, reply.status_code, reply.text[:200]))
        return reply

    def _turn(self, session, turn):
        who = nip(self._number * 25 + turn % 25)  # nobody else changes these
        tag = self._ask(session, "GET", f"/v1/asn/{who}").headers.get("ETag", '""')
        self._ask(session, "GET", f"/v1/asn/{who}", headers={"If-None-Match": tag})
        self._ask(session, "GET", "/v1/asn?limit=50&sort=name")
        self._ask(session, "GET", "/v1/asn?limit=20&q=lama")
        phone = f"0813{self._number:02}{turn:06}"
        self._ask(session, "PATCH", f"/v1/asn/{who}", json={"phone": phone}, headers={"If-Match": "*", "Content-Type": "application/merge-patch+json"})
        self.told[who] = phone
        if turn % 10 == 0:
            self._ask(session, "GET", "/v1/asn", headers={"Accept": "text/csv"})
            self._ask(session, "GET", "/v1/changes?limit=50")
        if turn % 50 == 0 and self._number == 0:
            self._ask(session, "POST", "/v1/asn/import", data=self._file, headers={"Content-Type": "text/csv", "Prefer": "dry-run"})

    def run(self):
        session, turn = requests.Session(), 0
        session.trust_env = False
        while not self._ends.is_set() and not self.bad:
            turn += 1
            self._turn(session, turn)
        session.close()

    def end(self):
        self._ends.set()
        self.join(120)


def measured(daemon, database):
    """Memory (MB), descriptors, threads of the daemon; its connections to the database."""
    process = Path(f"/proc/{daemon.process.pid}")
    status = dict(line.split(":", 1) for line in (process / "status").read_text(encoding="utf-8").splitlines())
    sessions = postgres.query(database, "SELECT count(*) FROM pg_stat_activity WHERE application_name IN ('asnd loop', 'asnd worker')")[0][0]
    return {"memory": int(status["VmRSS"].split()[0]) / 1024, "descriptors": len(list((process / "fd").iterdir())),
            "threads": int(status["Threads"]), "sessions": sessions}


# By how much the last quarter may lie above the second: what is warmed up late, and what comes and goes.
MAY_GROW = {"memory": (1.10, 6), "descriptors": (1.0, 8), "threads": (1.0, 0.5), "sessions": (1.0, 2)}


def test_nothing_grows_and_the_books_are_right(daemon, keys, database, office):
    key = keys("admin")
    clients = [Office(daemon, key, office, n) for n in range(6)]
    writers = Writers(daemon.url, key, count=2)
    samples, end = [], time.monotonic() + 60 * MINUTES
    pause = 60 * MINUTES / SAMPLES
    try:
        while time.monotonic() < end and not any(client.bad for client in clients):
            samples.append(measured(daemon, database))
            time.sleep(pause)
    finally:
        for client in clients:
            client.end()
        writers.stop()
    assert [bad for client in clients for bad in client.bad] == []
    writers.check(database)
    assert writers.broken == 0
    told = {who: phone for client in clients for who, phone in client.told.items()}
    stored = dict(postgres.query(database, "SELECT nip, phone FROM asn WHERE nip = ANY (%s)", (list(told),)))
    assert stored == told, "the last word that was confirmed is not what is there"
    print(f"soak: {MINUTES:g} minutes, {sum(c.asked for c in clients):,} requests, {len(writers.confirmed)} units and {len(told)} people in the ledger, 0 lost")
    quarter = len(samples) // 4
    for name, (factor, more) in MAY_GROW.items():
        early, late = (statistics.median(s[name] for s in part) for part in (samples[quarter:2 * quarter], samples[-quarter:]))
        print(f"soak: {name} {early:.1f} in the second quarter, {late:.1f} in the last")
        assert late <= early * factor + more, name
