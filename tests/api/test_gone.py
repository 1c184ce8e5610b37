# SPDX-License-Identifier: Apache-2.0
"""Clients that go away while their request waits for a worker: it runs for nobody and keeps nobody's place."""
import json
import select
import socket
import time

import psycopg2
import pytest

from support import make, postgres

PLACES = 4


@pytest.fixture(scope="module")
def settings():
    return {"workers": 1, "worker_queue_limit": PLACES, "statement_timeout_ms": 60000}


def until(look):
    end = time.monotonic() + 30
    while not look():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.01)


def begin(daemon, key, method, path, body, **headers):
    """Sends a whole request and waits for nothing."""
    data = json.dumps(body).encode()
    lines = {"Host": "x", "Authorization": f"Bearer {key}", "Content-Type": "application/json", "Content-Length": len(data), **headers}
    one = socket.create_connection(("127.0.0.1", daemon.port))
    one.sendall(f"{method} {path} HTTP/1.1\r\n".encode() + b"".join(f"{n}: {v}\r\n".encode() for n, v in lines.items()) + b"\r\n" + data)
    return one


@pytest.fixture
def held(daemon, keys, api, database):
    """The only worker waits for a row that somebody else has locked; gives what lets it go on."""
    unit = make.unit(api)
    other = psycopg2.connect(database)
    other.cursor().execute("SELECT 1 FROM unit WHERE id = %s FOR UPDATE", (unit["id"],))
    waiting = begin(daemon, keys("admin"), "PATCH", f"/v1/units/{unit['id']}", {"name": "Andai"}, **{"If-Match": "*", "Prefer": "dry-run"})
    postgres.until_somebody_waits(database)

    def let_go():
        other.rollback()
        assert waiting.recv(4096).startswith(b"HTTP/1.1 200 ")
    yield let_go
    other.close()
    waiting.close()


def depth(api):
    return float(next(line.split()[-1] for line in api.get("/metrics").text.splitlines() if line.startswith("asnd_worker_queue ")))


def test_what_waits_for_nobody_leaves_its_place_and_never_runs(daemon, keys, api, held, sql):
    codes = [f"PERGI{i}" for i in range(PLACES)]
    gone = [begin(daemon, keys("admin"), "POST", "/v1/units", {"code": c, "name": "Pergi", "kind": "bidang"}, **{"Idempotency-Key": c}) for c in codes]
    until(lambda: depth(api) == PLACES)
    full = begin(daemon, keys("admin"), "POST", "/v1/units", {"code": "PENUH", "name": "Penuh", "kind": "bidang"}, **{"Idempotency-Key": "penuh"})
    assert full.recv(4096).startswith(b"HTTP/1.1 503 "), "the queue is not full: nothing is tested"
    for one in gone:
        one.close()
    until(lambda: depth(api) == 0)
    stays = begin(daemon, keys("admin"), "POST", "/v1/units", {"code": "TINGGAL", "name": "Tinggal", "kind": "bidang"}, **{"Idempotency-Key": "tinggal"})
    until(lambda: depth(api) == 1)
    held()
    assert select.select([stays], [], [], 30)[0] and stays.recv(4096).startswith(b"HTTP/1.1 201 ")
    assert sql("SELECT code FROM unit WHERE code LIKE 'PERGI%%' OR code = 'TINGGAL'") == [("TINGGAL",)]
    # their keys are as good as new
    api.post("/v1/units", {"code": codes[0], "name": "Pergi", "kind": "bidang"}, expect=201, headers={"Idempotency-Key": codes[0]})
    for one in (full, stays):
        one.close()
