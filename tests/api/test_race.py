# SPDX-License-Identifier: Apache-2.0
"""Many at once for few seats: never one too many, nobody forgotten, nobody twice; counted by a reader beside the daemon."""
import threading

import pytest
import requests

from support import make, seats

CLIENTS = 64


@pytest.fixture(scope="module")
def crowd(api, office):
    return [make.person(api, office["id"])["nip"] for _ in range(CLIENTS)]


def all_at_once(calls):
    """Runs the calls in threads that wait for each other at the start; gives their results in order."""
    barrier = threading.Barrier(len(calls))
    results = [None] * len(calls)

    def run(place, call):
        barrier.wait()
        results[place] = call()

    threads = [threading.Thread(target=run, args=(i, c)) for i, c in enumerate(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def poster(api, path, body=None, **headers):
    session = requests.Session()
    session.trust_env = False
    return lambda: session.post(api.url + path, json=body, headers={"Authorization": f"Bearer {api.key}", **headers}, timeout=120)


@pytest.mark.parametrize("capacity", [1, 10, 63])
def test_the_last_seat_is_given_once(capacity, api, crowd, sql):
    session = make.session(api, capacity=capacity, start=50 + capacity * 5)
    replies = all_at_once([poster(api, "/v1/enrolments", {"session_id": session["id"], "nip": n}) for n in crowd])
    assert [r.status_code for r in replies] == [201] * CLIENTS, {r.status_code: r.text[:300] for r in replies}
    told = [r.json() for r in replies]
    stored = sql("SELECT a.nip, e.state, e.queue_place FROM enrolment e JOIN asn a ON a.id = e.asn_id WHERE e.session_id = %s", (session["id"],))
    assert len(stored) == CLIENTS
    assert sum(state == "approved" for _, state, _ in stored) == capacity
    assert sorted(place for _, state, place in stored if state == "waitlisted") == list(range(1, CLIENTS - capacity + 1))
    assert {(t["nip"], t["state"], t["queue_place"]) for t in told} == set(stored), "what was answered is what is stored"
    assert sql("SELECT seats_taken, waiting FROM session WHERE id = %s", (session["id"],)) == [(capacity, CLIENTS - capacity)]


def test_seats_that_come_free_go_to_those_who_wait_in_order(api, crowd, sql):
    capacity = 16
    session = make.session(api, capacity=capacity, start=900)
    enrolments = [make.enrol(api, session["id"], n) for n in crowd]
    leaving = [e for e in enrolments if e["state"] == "approved"]
    replies = all_at_once([poster(api, f"/v1/enrolments/{e['id']}/cancel") for e in leaving])
    assert {r.status_code for r in replies} == {200}, [r.text for r in replies if r.status_code != 200][:3]
    rows = sql("SELECT state, queue_place FROM enrolment WHERE session_id = %s AND queue_place IS NOT NULL ORDER BY queue_place", (session["id"],))
    assert [state for state, _ in rows] == ["approved"] * capacity + ["waitlisted"] * (CLIENTS - 2 * capacity)
    assert sql("SELECT seats_taken, waiting FROM session WHERE id = %s", (session["id"],)) == [(capacity, CLIENTS - 2 * capacity)]


def test_coming_and_going_at_once_keeps_the_books(api, crowd, sql):
    session = make.session(api, capacity=20, start=1000)
    first = [make.enrol(api, session["id"], n) for n in crowd[:32]]
    calls = [poster(api, f"/v1/enrolments/{e['id']}/cancel") for e in first] + \
            [poster(api, "/v1/enrolments", {"session_id": session["id"], "nip": n}) for n in crowd[32:]]
    statuses = [r.status_code for r in all_at_once(calls)]
    assert statuses[:32] == [200] * 32 and statuses[32:] == [201] * 32, statuses
    counted = sql("""SELECT count(*) FILTER (WHERE state = 'approved'), count(*) FILTER (WHERE state = 'waitlisted')
                     FROM enrolment WHERE session_id = %s""", (session["id"],))
    assert sql("SELECT seats_taken, waiting FROM session WHERE id = %s", (session["id"],)) == counted
    assert counted == [(20, 12)]


def test_quotas_are_kept_and_hold_up_nobody_else(api, database):
    agency = make.unit(api)
    bureau, other = make.unit(api, parent=agency["id"]), make.unit(api)
    people = [make.person(api, unit["id"])["nip"] for _ in range(16) for unit in (agency, bureau, other, make.unit(api))]
    session = make.session(api, capacity=30, start=1200)
    path = f"/v1/sessions/{session['id']}"
    api.put(f"{path}/quotas", {"quotas": [{"unit_id": u["id"], "seats": n} for u, n in ((agency, 10), (bureau, 4), (other, 6))]}, etag=make.tag(api, path))
    replies = all_at_once([poster(api, "/v1/enrolments", {"session_id": session["id"], "nip": n}) for n in people])
    assert {r.status_code for r in replies} == {201}
    assert seats.check(database, session["id"])[0] == 30
    leaving = [r.json() for r in replies if r.json()["state"] == "approved"][::2]
    replies = all_at_once([poster(api, f"/v1/enrolments/{e['id']}/cancel") for e in leaving])
    assert {r.status_code for r in replies} == {200}
    seats.check(database, session["id"])
    assert seats.replay(database, session["id"])["promoted"] > 0


def test_one_key_sent_many_times_at_once_acts_once(api, crowd, sql):
    session = make.session(api, start=1100)
    body = {"session_id": session["id"], "nip": crowd[0]}
    calls = [poster(api, "/v1/enrolments", body, **{"Idempotency-Key": "sekali-saja"}) for _ in range(16)]
    replies = all_at_once(calls)
    assert {r.status_code for r in replies} <= {201, 409}, {r.status_code for r in replies}
    assert {r.json()["code"] for r in replies if r.status_code == 409} <= {"idempotency-running"}
    ids = {r.json()["id"] for r in replies if r.status_code == 201}
    assert len(ids) == 1
    assert sql("SELECT count(*) FROM enrolment WHERE session_id = %s", (session["id"],)) == [(1,)]


def test_one_of_many_changes_of_one_version_wins(api, sql):
    unit = make.unit(api)
    session = requests.Session()
    session.trust_env = False

    def patcher(n):
        return lambda: session.patch(f"{api.url}/v1/units/{unit['id']}", json={"name": f"Nama {n}"}, timeout=60,
                                     headers={"Authorization": f"Bearer {api.key}", "If-Match": f'"{unit["version"]}"'})

    statuses = sorted(r.status_code for r in all_at_once([patcher(n) for n in range(16)]))
    assert statuses == [200] + [412] * 15
    assert sql("SELECT version FROM unit WHERE id = %s", (unit["id"],)) == [(unit["version"] + 1,)]


def test_two_moves_never_close_a_circle(api, sql):
    for _ in range(10):
        a, b = make.unit(api), make.unit(api)

        def mover(unit, parent):
            return lambda: requests.patch(f"{api.url}/v1/units/{unit['id']}", json={"parent_id": parent["id"]}, timeout=60,
                                          headers={"Authorization": f"Bearer {api.key}", "If-Match": f'"{unit["version"]}"'})

        assert sorted(r.status_code for r in all_at_once([mover(a, b), mover(b, a)])) == [200, 409]
    assert sql("""WITH RECURSIVE up AS (SELECT id, parent_id, 1 AS n FROM unit UNION ALL
                  SELECT up.id, u.parent_id, n + 1 FROM up JOIN unit u ON u.id = up.parent_id WHERE n < 100)
                  SELECT count(*) FROM up WHERE n >= 100""") == [(0,)]
