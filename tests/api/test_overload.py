# SPDX-License-Identifier: Apache-2.0
"""What happens to those who come while more is waiting than can be answered soon."""
import time

import pytest

from support import client as clients, daemon as daemons, make
from support.wire import Wire, request

SLOW_S = 0.03  # of each unit's list, which takes no processor; two at a time
FILL = 160     # requests that wait, of several callers
SLOW, QUICK = "/v1/units?limit=1", "/livez"


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    """The daemon's own statements, but listing units takes its time; one loop, so that it is known who meets whom."""
    directory = tmp_path_factory.mktemp("sql")
    for path in (daemons.ROOT / "src").glob("*/*.sql"):
        text = path.read_text(encoding="utf-8")
        begin = text.find("-- name: listUnits\n")
        if begin >= 0:
            at = text.index("WHERE  true\n", begin)
            text = f"{text[:at]}WHERE  (SELECT true FROM pg_sleep({SLOW_S})){text[at + len('WHERE  true'):]}"
        (directory / path.name).write_text(text, encoding="utf-8")
    return {"sql": directory, "loops": 1, "key_cache_ms": 60000}


@pytest.fixture(scope="module")
def key_of(api):
    return lambda *scopes: daemons.planted(make.key(api, scopes=list(scopes or ["unit.read"]))["secret"])


def bearer(key):
    return {"Authorization": f"Bearer {key}"}


class Crowd:
    """Requests under way, each on a connection of its own."""

    def __init__(self, daemon, keys):
        self.daemon, self.keys, self.wires = daemon, keys, []
        for key in keys:  # known from now on, so that nobody waits for that
            wire = Wire(daemon.port)
            assert wire.ask([request("GET", "/v1/caller", **bearer(key))])[0].status == 200
            wire.close()

    def come(self, n):
        for _ in range(n):
            wire = Wire(self.daemon.port)
            wire.send(request("GET", SLOW, **bearer(self.keys[len(self.wires) % len(self.keys)])))
            self.wires.append(wire)

    def replies(self):
        found = [wire.receive() for wire in self.wires]
        for wire in self.wires:
            wire.close()
        self.wires = []
        return found


@pytest.fixture
def crowd(daemon, key_of):
    """As many as may always wait and more, who came long enough ago to be no burst any more."""
    one = Crowd(daemon, [key_of() for _ in range(4)])
    one.late, one.writer = key_of(), key_of("unit.write")
    one.come(FILL)
    asking, until = Wire(daemon.port), time.monotonic() + 0.2
    while time.monotonic() < until:
        assert asking.ask([request("GET", QUICK)])[0].status == 200
    asking.close()
    yield one
    one.replies()


def test_who_comes_too_late_is_told_at_once_and_the_others_are_served(daemon, crowd):
    began = time.monotonic()
    late = Wire(daemon.port)
    reply = late.ask([request("GET", SLOW, **bearer(crowd.late))])[0]
    took = time.monotonic() - began
    assert reply.status == 503 and reply.code == "overloaded" and 1 <= int(reply.headers["retry-after"]) <= 2, reply
    assert reply.headers["content-language"] == "id" and reply.json["detail"].startswith("Yang menunggu")
    assert took < FILL * SLOW_S / 4, "he waited like those who are served"
    assert late.ask([request("GET", QUICK), request("GET", "/readyz")])[1].status == 200
    late.close()
    replies = crowd.replies()
    # 503 too: a slow machine takes so long to send them all that the last of them come too late themselves
    assert {r.status for r in replies} <= {200, 429, 503} and sum(r.status == 200 for r in replies) >= FILL / 4
    assert int(clients.Client(daemon.url)("GET", "/metrics", checked=False).text.split("\nasnd_overloaded_total ")[1].split()[0]) > 0
    late = Wire(daemon.port)
    assert late.ask([request("GET", SLOW, **bearer(crowd.keys[0]))])[0].status == 200, "when the crowd has gone all is as before"
    late.close()


def test_what_writes_is_told_too_and_may_come_again_on_the_same_connection(daemon, crowd):
    wire, body = Wire(daemon.port), b'{"code":"LATE","name":"Terlambat","kind":"bidang"}'
    headers = {"Content_Type": "application/json", **bearer(crowd.writer)}
    assert wire.ask([request("POST", "/v1/units", body, **headers)])[0].code == "overloaded"
    crowd.replies()
    assert wire.ask([request("POST", "/v1/units", body, **headers)])[0].status == 201, "nothing was done the first time"
    wire.close()


def test_one_who_is_many_leaves_room_for_others(daemon, key_of):
    hog, other = Crowd(daemon, [key_of()]), key_of()
    quiet = Wire(daemon.port)
    assert quiet.ask([request("GET", "/v1/caller", **bearer(other))])[0].status == 200
    hog.come(FILL)
    first = [wire.receive().status for wire in hog.wires]
    assert 429 in first and 200 in first
    done = 0
    while done < 4:
        for wire in hog.wires:  # asks again and again, whatever he is told
            wire.send(request("GET", SLOW, **bearer(hog.keys[0])))
        assert quiet.ask([request("GET", "/v1/caller", **bearer(other))])[0].status == 200
        done += 1
        for wire in hog.wires:
            wire.receive()
    quiet.close()


def test_a_flood_of_refusals_does_not_fill_the_log(daemon, crowd):
    before = sum(line.get("code") == "overloaded" for line in daemon.log_lines())
    crowd.come(400)
    replies = crowd.replies()
    refused = sum(r.status in (429, 503) for r in replies)
    assert refused >= 100, refused
    until = time.monotonic() + 30
    while not any(line["event"] == "refusals-not-logged" and line["count"] > 0 for line in daemon.log_lines()):
        assert time.monotonic() < until, "what is not logged is counted"
    assert sum(line.get("code") == "overloaded" for line in daemon.log_lines()) - before < refused
