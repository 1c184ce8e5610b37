# SPDX-License-Identifier: Apache-2.0
"""A little of everything at the same time, for ThreadSanitizer: its finding ends the daemon with a status that the fixture sees."""
import threading

import pytest
import requests

from support import contract as contracts

CONTRACT = contracts.load()


@pytest.fixture(scope="module")
def settings():
    return {"loops": 2, "workers": 3, "key_cache_ms": 5}


def test_readers_writers_streams_and_strangers_at_once(daemon, keys, api):
    key = keys("admin")
    paths = [o.path for o in CONTRACT.operations.values() if o.method == "get" and not o.where("path")]
    unit = api.get("/v1/units?limit=1").json["data"][0]
    failures, lock = [], threading.Lock()

    def ask(number):
        session = requests.Session()
        session.trust_env = False
        session.headers["Authorization"] = f"Bearer {key}" if number % 4 else "Bearer nobody"
        for turn in range(12):
            path = paths[(number + turn) % len(paths)]
            accept = ["application/json", "text/csv", "application/x-ndjson", "*/*"][turn % 4]
            reply = session.get(daemon.url + path, headers={"Accept": accept}, timeout=60)
            if turn % 3 == 0:
                reply = session.post(daemon.url + "/v1/units", timeout=60,
                                     headers={"Idempotency-Key": f"{turn}-{number % 3}", **({"Prefer": "dry-run"} if turn % 2 else {})},
                                     json={"code": f"C{number}-{turn}", "name": "Unit bersama", "kind": "lainnya", "parent_id": unit["id"]})
            if reply.status_code >= 500:
                with lock:
                    failures.append((path, reply.status_code, reply.text[:200]))

    threads = [threading.Thread(target=ask, args=(n,)) for n in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures, failures[:5]
    daemon.stop()
    assert "ThreadSanitizer" not in daemon.log_text()
