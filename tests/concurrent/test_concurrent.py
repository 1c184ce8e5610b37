# SPDX-License-Identifier: Apache-2.0
"""A little of everything at the same time, for ThreadSanitizer: its finding ends the daemon with a status that the fixture sees."""
import socket
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from support import contract as contracts

CONTRACT = contracts.load()
PATHS = [o.path for o in CONTRACT.operations.values() if o.method == "get" and not o.where("path")]
FORMS = ["application/json", "text/csv", "application/x-ndjson", "*/*"]


@pytest.fixture(scope="module")
def settings():
    return {"loops": 2, "workers": 3, "key_cache_ms": 5}


def read_and_write(daemon, key, parent, number):
    """Lists in every form, new units, dry runs and repeated keys; every fourth caller is nobody."""
    session = requests.Session()
    session.trust_env = False
    session.headers["Authorization"] = f"Bearer {key}" if number % 4 else "Bearer nobody"
    for turn in range(12):
        reply = session.get(daemon.url + PATHS[(number + turn) % len(PATHS)], headers={"Accept": FORMS[turn % 4]}, timeout=60)
        if turn % 3 == 0:
            unit = {"code": f"C{number}-{turn}", "name": "Unit bersama", "kind": "lainnya", "parent_id": parent}
            headers = {"Idempotency-Key": f"{turn}-{number % 3}", **({"Prefer": "dry-run"} if turn % 2 else {})}
            reply = session.post(daemon.url + "/v1/units", timeout=60, headers=headers, json=unit)
        assert reply.status_code < 500, (reply.url, reply.status_code, reply.text[:200])


def come_and_go(daemon):
    """Refused bodies are parted with gently, on a second descriptor; its number may just have been the other loop's."""
    host, port = daemon.url.removeprefix("http://").split(":")
    for turn in range(60):
        start, length = ("POST /v1/units", 999_999_999) if turn % 2 else ("GET /livez", 0)
        with socket.create_connection((host, int(port)), timeout=60) as link:
            link.sendall(f"{start} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n".encode())
            assert link.recv(12).startswith(b"HTTP/1.1 ")
            while link.recv(65536):
                pass


def test_readers_writers_streams_and_strangers_at_once(daemon, keys, api):
    key = keys("admin")
    parent = api.get("/v1/units?limit=1").json["data"][0]["id"]
    with ThreadPoolExecutor(24) as pool:
        work = [pool.submit(read_and_write, daemon, key, parent, number) for number in range(16)]
        work += [pool.submit(come_and_go, daemon) for _ in range(8)]
    for each in work:
        each.result()
    daemon.stop()  # fails with the report, if there is one
