# SPDX-License-Identifier: Apache-2.0
"""Clients that drip: an import below the least rate is ended, leaves nothing behind, and gives its worker back."""
import json
import socket
import time

import pytest

from support import make

STREAMS = 3  # what two workers and a short queue take, and more


@pytest.fixture(scope="module")
def settings():
    return {"workers": 2, "worker_queue_limit": 4, "body_timeout_ms": 1000, "least_rate": 10000}


def upload(daemon, key, size):
    """The head of an import of so many bytes."""
    s = socket.create_connection(("127.0.0.1", daemon.port), timeout=0.02)
    s.sendall((f"POST /v1/asn/import HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\nContent-Type: text/csv\r\nConnection: close\r\n"
               f"Content-Length: {size}\r\n\r\n").encode())
    return s


def feed(sockets, data, step):
    """Sends data to each, `step` bytes in some 20 ms, until each has answered; gives status and problem of each."""
    answers, at, end = {}, 0, time.monotonic() + 60
    while len(answers) < len(sockets):
        assert time.monotonic() < end, "some are never ended"
        for s in (s for s in sockets if s not in answers):
            try:
                s.sendall(data[at:at + step])
                answers[s] = s.recv(65536)
            except TimeoutError:
                pass
        at += step
    for s in sockets:
        s.settimeout(10)
        while more := s.recv(65536):
            answers[s] += more
        s.close()
    return [(int(answers[s].split()[1]), json.loads(answers[s].partition(b"\r\n\r\n")[2])) for s in sockets]


def rows(office, n):
    people = [make.nip() for _ in range(n)]
    text = "nip,kind,name,unit_code\n" + "".join(f"{nip},PNS,Pegawai Contoh,{office['code']}\n" for nip in people)
    return people, text.encode()


def test_dripping_imports_are_ended_and_leave_nothing(api, daemon, keys, office):
    people, data = rows(office, 40)
    before = len(api.get("/v1/imports").json["data"])
    answers = feed([upload(daemon, keys("admin"), 50_000_000) for _ in range(STREAMS)], data + b"#" * 50_000_000, step=60)
    assert [(status, problem["code"]) for status, problem in answers] == [(408, "request-timeout")] * STREAMS
    assert len(api.get("/v1/imports").json["data"]) == before
    for nip in people[:3]:
        api.get(f"/v1/asn/{nip}", expect=404)
    reply = api("POST", "/v1/asn/import", data=data, headers={"Content-Type": "text/csv"}, expect=200)
    assert reply.json["created"] == 40


def test_a_slow_but_steady_import_is_kept(api, daemon, keys, office):
    """It takes about three times the body's time-out."""
    _, data = rows(office, 3000)
    (status, report), = feed([upload(daemon, keys("admin"), len(data))], data, step=len(data) // 150)
    assert status == 200 and report["created"] == 3000
