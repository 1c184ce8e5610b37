# SPDX-License-Identifier: Apache-2.0
"""A little of everything at the same time, for ThreadSanitizer: its finding ends the daemon with a status that the fixture sees."""
import re
import signal
import socket
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from support import contract as contracts, daemon as daemons
from support.servers import pair
from support.writers import until

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


@pytest.fixture(scope="module")
def servers():
    with pair() as made:
        yield made


@pytest.fixture
def with_standby(servers, tmp_path):
    """A daemon with a settings file that names the standby, and a key."""
    config = tmp_path / "asnd.conf"
    config.write_text(f"replica_url = {servers[1].url}\n", encoding="utf-8")
    running = daemons.Daemon(servers[0].url, name="standby", config=config, loops=2, workers=2, replica_lag_ms=500)
    yield running, config
    running.stop()


def write_and_read(daemon, key, number, ends):
    """Each write is seen by the read after it, wherever that goes."""
    session = requests.Session()
    session.trust_env = False
    session.headers["Authorization"] = f"Bearer {key}"
    unit = session.post(daemon.url + "/v1/units", timeout=60, json={"code": f"S{number}", "name": "Unit", "kind": "dinas"}).json()["id"]
    turn = 0
    while not ends.is_set():
        turn += 1
        written = session.patch(f"{daemon.url}/v1/units/{unit}", json={"name": f"Nama {turn}"}, timeout=60, headers={"If-Match": "*", "Content-Type": "application/merge-patch+json"})
        assert written.status_code == 200, written.text[:200]
        for position in (written.headers.get("Asnd-Position"), "0:0/0"):
            reply = session.get(f"{daemon.url}/v1/units/{unit}", timeout=60, headers={"Asnd-Position": position} if position else {})
            assert reply.status_code == 200 or position == "0:0/0", reply.text[:200]
            assert position == "0:0/0" or reply.json()["name"] == f"Nama {turn}"
    return turn


def test_reads_at_a_standby_that_comes_and_goes(servers, with_standby):
    daemon, config = with_standby
    named = config.read_text(encoding="utf-8")
    key = daemon.create_key(name="standby", scopes=["admin"])
    ends = threading.Event()

    def at_the_standby():
        metrics = requests.get(daemon.url + "/metrics", timeout=60).text
        return int(re.search(r'asnd_reads_total\{server="standby"\} (\d+)', metrics).group(1))

    def some_more():
        before = at_the_standby()
        until(lambda: at_the_standby() > before + 20, 120)
    with ThreadPoolExecutor(8) as pool:
        work = [pool.submit(write_and_read, daemon, key, number, ends) for number in range(8)]
        try:
            some_more()
            servers[1].kill()
            servers[1].start()
            some_more()
            for text in ("", named):
                config.write_text(text, encoding="utf-8")
                daemon.process.send_signal(signal.SIGHUP)
                until(lambda: sum(line["event"] == "reloaded" for line in daemon.log_lines()) == (2 if text else 1), 120)
            some_more()
        finally:
            ends.set()
    assert all(each.result() for each in work)
    daemon.stop()
