# SPDX-License-Identifier: Apache-2.0
"""Who asks too often, guesses keys or has too much under way is made to wait, and nobody else waits for him."""
import time

import pytest

from support import client, daemon as daemons, make, postgres
from support.wire import Wire, request

SLOW_S = 0.25
RUSH = 200
SLOW = "/v1/reports/bezetting"


@pytest.fixture(scope="module")
def slow_sql(tmp_path_factory):
    """The daemon's own statements, with one report that takes its time without taking a processor."""
    directory = tmp_path_factory.mktemp("sql")
    for path in (daemons.ROOT / "src").glob("*/*.sql"):
        text = path.read_text(encoding="utf-8")
        begin = text.find("-- name: listStaffing\n")
        if begin >= 0:
            at = text.index("WHERE  true\n/* page */", begin)
            text = f"{text[:at]}WHERE  (SELECT true FROM pg_sleep({SLOW_S})){text[at + len('WHERE  true'):]}"
        (directory / path.name).write_text(text, encoding="utf-8")
    return directory


@pytest.fixture(scope="module")
def own_database(cluster, template):
    name = cluster.create(template=template, label="abuse")
    yield cluster.database_url(name)
    cluster.drop(name)


@pytest.fixture(scope="module")
def usual(own_database, slow_sql):
    """A daemon with the limits that it has by itself."""
    running = daemons.Daemon(own_database, name="attack-usual", sql=slow_sql)
    yield running
    running.stop()


@pytest.fixture(scope="module")
def tight(own_database, slow_sql):
    """One whose limits a test can reach."""
    running = daemons.Daemon(own_database, name="attack-tight", sql=slow_sql, caller_requests=4, key_rate=600, wrong_key_rate=5, trusted_proxies="127.0.0.1",
                             key_cache_ms=0)
    yield running
    running.stop()


@pytest.fixture(scope="module")
def key_of(usual, own_database):
    """A new key's secret."""
    admin = client.Client(usual.url, usual.create_key(scopes=["admin"]))
    return lambda *scopes: daemons.planted(make.key(admin, scopes=list(scopes or ["asn.read"]))["secret"])


def bearer(key):
    return {"Authorization": f"Bearer {key}"}


def send(daemon, key, target, n):
    """n requests under way at once, each on a connection of its own."""
    wires = [Wire(daemon.port) for _ in range(n)]
    for wire in wires:
        wire.send(request("GET", target, **bearer(key)))
    return wires


def answers(wires):
    replies = [wire.receive() for wire in wires]
    for wire in wires:
        wire.close()
    return replies


def refused(replies):
    found = [r for r in replies if r.status == 429]
    for reply in found:
        assert reply.code == "too-many-requests" and int(reply.headers["retry-after"]) >= 1, reply
    return len(found)


# ── too much at once ──

def test_one_client_with_hundreds_under_way_keeps_nobody_waiting(usual, key_of):
    """Bounds that hold on a busy machine: without them the other would wait for fifty of the one's requests, ten seconds and more."""
    daemon, hog, other = usual, key_of(), key_of()
    person = postgres.query(daemon.database_url, "SELECT nip FROM asn LIMIT 1")[0][0]
    one = Wire(daemon.port)
    assert one.ask([request("GET", f"/v1/asn/{person}", **bearer(other))])[0].status == 200
    rush = send(daemon, hog, SLOW, RUSH)
    took = []
    for _ in range(100):
        begun = time.monotonic()
        assert one.ask([request("GET", f"/v1/asn/{person}", **bearer(other))])[0].status == 200
        took.append(time.monotonic() - begun)
    begun = time.monotonic()
    assert one.ask([request("GET", SLOW, **bearer(other))])[0].status == 200
    fair = time.monotonic() - begun
    replies = answers(rush)
    one.close()
    assert sorted(took)[98] < 1, "p99 of the other's reads"
    assert fair < 4, "the other's own report does not wait behind all of the one's"
    assert {r.status for r in replies} == {200, 429}
    assert refused(replies) >= RUSH / 4


def test_more_than_may_be_under_way_is_refused(tight, key_of):
    daemon, key, other = tight, key_of(), key_of()
    wires = send(daemon, key, SLOW, 12)
    free = Wire(daemon.port).ask([request("GET", "/v1/caller", **bearer(other))])
    replies = answers(wires)
    assert free[0].status == 200
    assert {r.status for r in replies} == {200, 429} and 4 <= 12 - refused(replies) < 12
    assert Wire(daemon.port).ask([request("GET", SLOW, **bearer(key))])[0].status == 200, "what has ended does not count"


def test_who_waits_for_changes_is_in_nobodys_way(tight, usual, key_of):
    key = key_of("change.read", "unit.read")
    asking = client.Client(tight.url, key)
    page = asking.get("/v1/changes?limit=1000").json
    while page["changes"]:
        page = asking.get(f"/v1/changes?limit=1000&after={page['next']}").json
    after, wires = page["next"], []
    for n in range(12):
        wires += send(tight, key, f"/v1/changes?after={after}&wait=30", 1)
        until = time.monotonic() + 30
        while f"asnd_waiting_for_changes {n + 1}" not in asking.get("/metrics").text.splitlines():
            assert time.monotonic() < until, "those who wait count as under way"
    assert asking.get("/v1/caller").status == 200, "those who wait count as under way"
    make.unit(client.Client(usual.url, usual.create_key(scopes=["admin"])))
    assert [r.status for r in answers(wires)] == [200] * 12


# ── too often ──

def test_a_key_that_comes_too_often_waits_and_no_other_does(tight, key_of):
    key, other = key_of(), key_of()
    wire = Wire(tight.port)
    replies = wire.ask([request("GET", "/v1/caller", **bearer(key))] * 900)
    assert [r.status for r in replies[:600]] == [200] * 600 and refused(replies) >= 100
    late = next(r for r in replies if r.status == 429)
    assert late.headers["ratelimit-policy"] == '"key";q=600;w=60' and late.headers["ratelimit"].startswith('"key";r=0;t=')
    assert wire.ask([request("GET", "/v1/caller", **bearer(other))])[0].status == 200
    wire.close()


def test_guessing_keys_ends_soon_and_keys_that_were_good_go_on(tight, key_of, own_database):
    good, fresh, gone = key_of(), key_of(), key_of()
    wire = Wire(tight.port)

    def ask(*keys, address="192.0.2.1"):
        return [r.status for r in wire.ask([request("GET", "/v1/caller", X_Forwarded_For=address, **bearer(key)) for key in keys])]
    assert ask(good) == [200]
    postgres.query(own_database, "UPDATE api_key SET revoked_at = now() WHERE id = (SELECT id FROM api_key ORDER BY created_at DESC LIMIT 1)")
    guesses = ask(*["asnd_" + "A" * 49, gone, "hello"] * 10)
    assert guesses[:5] == [401] * 5 and guesses.count(429) > 20
    assert ask(good) == [200], "a key that was good before"
    assert ask(fresh) == [429], "one that nobody has seen"
    assert ask(fresh, address="192.0.2.2") == [200], "from elsewhere nothing is held back"
    assert ask(fresh) == [200], "and by that it is known"
    assert "asnd_rate_limited_total" in client.Client(tight.url)("GET", "/metrics", checked=False).text
    wire.close()


def test_asking_without_a_key_is_no_guess(tight, key_of):
    wire = Wire(tight.port)
    place = {"X_Forwarded_For": "192.0.2.3"}
    assert {r.status for r in wire.ask([request("GET", "/v1/caller", **place)] * 40)} == {401}
    assert wire.ask([request("GET", "/v1/caller", **place, **bearer(key_of()))])[0].status == 200
    wire.close()
