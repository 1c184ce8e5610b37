# SPDX-License-Identifier: Apache-2.0
"""What goes on while uploads that never end hold everything that streams may hold."""
import select
import socket

import pytest

from support import make

UPLOADS = 8  # more than one that runs and four that wait


@pytest.fixture(scope="module")
def settings():
    return {"workers": 2, "worker_queue_limit": 4}


@pytest.fixture
def endless(daemon, keys):
    """Uploads of which at least one has been refused, so that no more find room."""
    head = (f"POST /v1/asn/import HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {keys('admin')}\r\nContent-Type: text/csv\r\n"
            "Transfer-Encoding: chunked\r\n\r\n4\r\nnip,\r\n").encode()
    sockets = [socket.create_connection(("127.0.0.1", daemon.port)) for _ in range(UPLOADS)]
    for one in sockets:
        one.sendall(head)
    refused = select.select(sockets, [], [], 30)[0]
    assert refused and refused[0].recv(4096).startswith(b"HTTP/1.1 503 ")
    yield
    for one in sockets:
        one.close()


def test_short_work_finds_a_worker_and_a_place_in_the_queue(api, request):
    person = make.person(api, make.unit(api)["id"])
    request.getfixturevalue("endless")
    api.patch(f"/v1/asn/{person['nip']}", {"position": "Analis"}, etag=f'"{person["version"]}"')
    api.post("/v1/units", {"code": "BUSY", "name": "Bidang", "kind": "bidang"}, headers={"Idempotency-Key": "busy"})
