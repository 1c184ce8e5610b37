# SPDX-License-Identifier: Apache-2.0
"""A hundred rounds of 64 clients after a handful of seats: coming, going and coming again at once. Then 64 clients, three quotas, a waiting list with
priorities, offers that are accepted, declined or run out; once with the daemon left alone, once with it killed five times. The books are read by somebody
who is not the daemon. ASND_TEST_SEATS_SECONDS says how long (8 each; 60 before a release)."""
import os
import random
import threading
import time
from collections import Counter

import psycopg2
import pytest
import requests

from support import client as api_clients, daemon as daemons, make, postgres, seats

CLIENTS = 64
ROUNDS = 100
SECONDS = float(os.environ.get("ASND_TEST_SEATS_SECONDS", "8"))


class Client(threading.Thread):
    """One connection that does what it is told, round by round, together with all others."""

    def __init__(self, api, nip, barrier):
        super().__init__(daemon=True)
        self.api, self.nip, self.barrier = api, nip, barrier
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.headers["Authorization"] = f"Bearer {api.key}"
        self.plan, self.done, self.over = None, [], False
        self.start()

    def post(self, path, body=None):
        reply = self.session.post(self.api.url + path, json=body, timeout=120)
        self.done.append((path.rsplit("/", 1)[-1], reply.status_code, reply.json()))
        return reply

    def run(self):
        while True:
            self.barrier.wait()
            if self.over:
                return
            try:
                session_id, steps = self.plan
                self.done = []
                for step in steps:
                    if step == "come":
                        self.mine = self.post("/v1/enrolments", {"session_id": session_id, "nip": self.nip}).json().get("id")
                    else:
                        self.post(f"/v1/enrolments/{self.mine}/cancel")
            finally:
                self.barrier.wait()


@pytest.fixture(scope="module")
def clients(api):
    office = make.unit(api, kind="dinas")
    barrier = threading.Barrier(CLIENTS + 1)
    crowd = [Client(api, make.person(api, office["id"])["nip"], barrier) for _ in range(CLIENTS)]
    yield crowd, barrier
    for client in crowd:
        client.over = True
    barrier.wait()


def test_a_hundred_rounds_without_a_seat_too_many_or_a_promotion_lost(api, sql, clients):
    crowd, barrier = clients
    dice = random.Random(20261125)
    programme = make.programme(api)["id"]
    ways = (["come"], ["come", "go"], ["come", "go", "come"], ["come", "go", "come", "go"])
    seen = Counter()
    for number in range(ROUNDS):
        seats = dice.choice((1, 2, 5, 16, 40))
        session = make.session(api, programme, start=40 + 4 * number, capacity=seats)["id"]
        for client in crowd:
            client.plan = (session, dice.choices(ways, weights=(6, 3, 2, 1))[0])
        barrier.wait()
        barrier.wait()
        answers = Counter((step, status) for client in crowd for step, status, _ in client.done)
        assert set(answers) <= {("enrolments", 201), ("cancel", 200)}, (number, answers)
        rows = sql("SELECT state, queue_place FROM enrolment WHERE session_id = %s", (session,))
        states = Counter(state for state, _ in rows)
        taken, waiting, last = sql("SELECT seats_taken, waiting, queue_last FROM session WHERE id = %s", (session,))[0]
        staying = sum(client.plan[1][-1] == "come" for client in crowd)
        assert len(rows) == answers[("enrolments", 201)], "every confirmed enrolment is there, once"
        assert states["approved"] + states["waitlisted"] == staying, (number, states)
        assert states["approved"] == min(seats, staying), "no seat too many, none left empty while somebody waits"
        assert (taken, waiting) == (states["approved"], states["waitlisted"])
        places = [place for _, place in rows if place is not None]
        assert len(places) == len(set(places)) and max(places, default=0) == last, "a place in the queue is given once"
        promoted = [place for state, place in rows if state == "approved" and place is not None]
        still = [place for state, place in rows if state == "waitlisted"]
        assert not promoted or not still or max(promoted) < min(still), "nobody was overtaken"
        seen.update(answers)
        seen["promoted"] += len(promoted)
    print(f"{ROUNDS} rounds: {dict(seen)}")
    assert seen["promoted"] > ROUNDS, "the race must have happened"


# ── quotas, offers, and a daemon that dies ──

class Crowd:
    """Clients that come, wait, accept, decline and go for as long as they are let; what got no answer is asked again."""

    def __init__(self, url, key, session, people):
        self.url, self.key, self.session, self.people = url, key, session, people
        self.told, self.odd, self.broken, self.confirmed = Counter(), [], 0, set()
        self._lock, self._stop = threading.Lock(), threading.Event()
        self._threads = [threading.Thread(target=self._live, args=(n,)) for n in range(len(people))]
        for thread in self._threads:
            thread.start()

    def _ask(self, http, method, path, body=None, **headers):
        """Until there is an answer; a daemon that was killed comes back."""
        end = time.monotonic() + 60
        while time.monotonic() < end:
            try:
                reply = http.request(method, self.url() + path, json=body, headers={"Authorization": f"Bearer {self.key}", **headers}, timeout=30)
                if reply.status_code not in (503, 504) and not (reply.status_code == 409 and reply.json()["code"] == "idempotency-running"):
                    return reply
            except requests.RequestException:
                pass
            with self._lock:
                self.broken += 1
            time.sleep(0.01)
        raise AssertionError(f"{method} {path}: no answer")

    def _note(self, what, reply, right):
        with self._lock:
            self.told[what, reply.status_code] += 1
            if reply.status_code not in right:
                self.odd.append((what, reply.status_code, reply.text[:300]))
        return reply

    def _live(self, number):
        dice, http, turn, mine = random.Random(number), requests.Session(), 0, None
        http.trust_env = False
        try:
            while not self._stop.is_set():
                turn += 1
                key = {"Idempotency-Key": f"{self.session}-{number}-{turn}"}
                if mine is None:
                    body = {"session_id": self.session, "nip": self.people[number]}
                    if dice.random() < 0.3:
                        body |= {"priority": dice.randint(1, 3), "priority_reason": "Undian"}
                    reply = self._note("come", self._ask(http, "POST", "/v1/enrolments", body, **key), (201,))
                    mine = reply.json()["id"]
                    with self._lock:
                        self.confirmed.add(mine)
                    continue
                state = self._ask(http, "GET", f"/v1/enrolments/{mine}").json()["state"]
                if state == "cancelled":
                    mine = None
                elif state == "offered" and dice.random() < 0.6:
                    self._note("accept", self._ask(http, "POST", f"/v1/enrolments/{mine}/move", {"to": "approved"}, **key), (200, 409))
                elif dice.random() < 0.25:
                    self._note("go", self._ask(http, "POST", f"/v1/enrolments/{mine}/move", {"to": "cancelled"}, **key), (200, 409))
        except Exception as fault:  # pylint: disable=broad-except
            with self._lock:
                self.odd.append(("thread", number, repr(fault)))

    def go_on(self, clock, seconds, offers=0):
        """For so long, and until so many offers were accepted and somebody has come since; a slow machine takes the time that it needs."""
        began, before = time.monotonic(), sum(self.told.values())
        while time.monotonic() < began + seconds or self.told["accept", 200] < offers or clock.lapsed < offers or sum(self.told.values()) < before + 5:
            assert time.monotonic() < began + seconds + 90, f"stuck: {dict(self.told)}, {self.odd[:3]}"
            assert not clock.faults, clock.faults[0]
            clock.over.wait(0.05)

    def stop(self):
        self._stop.set()
        for thread in self._threads:
            thread.join()


class Clock(threading.Thread):
    """Lets offers run out at random, and reads the books between."""

    def __init__(self, database, session):
        super().__init__(daemon=True)
        self.database, self.session = database, session
        self.readings, self.lapsed, self.faults, self.over = 0, 0, [], threading.Event()
        self.start()

    def run(self):
        dice = random.Random(1)
        while not self.over.is_set():
            try:
                if dice.random() < 0.1:
                    self.lapsed += len(postgres.query(self.database, """UPDATE enrolment SET offer_until = clock_timestamp() - interval '1 second' WHERE id IN
                        (SELECT id FROM enrolment WHERE session_id = %s AND state = 'offered' ORDER BY random() LIMIT 1) AND state = 'offered' RETURNING 1""", (self.session,)))
                if dice.random() < 0.1:
                    postgres.query(self.database, "SELECT offers_lapse()")
                seats.check(self.database, self.session)
                self.readings += 1
            except (AssertionError, psycopg2.Error) as fault:
                self.faults.append(fault)
                return


@pytest.fixture(scope="module")
def arena(api):
    """A session with three quotas, one within another, and 64 people in four places."""
    agency = make.unit(api, kind="dinas")
    bureau, other, free = make.unit(api, parent=agency["id"]), make.unit(api, kind="badan"), make.unit(api, kind="badan")
    people = [make.person(api, unit["id"])["nip"] for _ in range(CLIENTS // 4) for unit in (agency, bureau, other, free)]

    def open_session(start):
        session = make.session(api, capacity=20, start=start, offer_hours=24)
        path = f"/v1/sessions/{session['id']}"
        quotas = [{"unit_id": agency["id"], "seats": 9}, {"unit_id": bureau["id"], "seats": 3}, {"unit_id": other["id"], "seats": 5}]
        api.put(f"{path}/quotas", {"quotas": quotas}, etag=make.tag(api, path))
        return session["id"]
    return open_session, people


def finish(crowd, clock, database, session):
    crowd.stop()
    clock.over.set()
    clock.join()
    assert not clock.faults, clock.faults[0]
    assert not crowd.odd, crowd.odd[:5]
    holding, waiting = seats.check(database, session)
    counts = seats.replay(database, session)
    stored = {one for one, in postgres.query(database, "SELECT id::text FROM enrolment WHERE session_id = %s", (session,))}
    assert stored == crowd.confirmed, "each that was confirmed is there, and no other"
    print(f"\n{clock.readings} readings, {holding} hold a seat, {waiting} wait; {dict(crowd.told)}; {dict(counts)}")
    assert clock.readings > 10 and counts["promoted"] > 20 and counts["offered → approved"] and counts["offered → cancelled"], "the race must have happened"


def test_quotas_offers_and_the_queue_under_many_clients(api, database, arena):
    session, people = arena[0](600), arena[1]
    crowd, clock = Crowd(lambda: api.url, api.key, session, people), Clock(database, session)
    try:
        crowd.go_on(clock, SECONDS, offers=3)
    finally:
        crowd.stop()
    finish(crowd, clock, database, session)


def test_the_same_while_the_daemon_is_killed_five_times(api, database, arena):
    session, people = arena[0](700), arena[1]
    running = daemons.Daemon(database, name="seats-0")
    crowd, clock = Crowd(lambda: running.url, api.key, session, people), Clock(database, session)
    try:
        for turn in range(1, 6):
            crowd.go_on(clock, SECONDS / 6)
            running.kill()
            running = daemons.Daemon(database, name=f"seats-{turn}")
        crowd.go_on(clock, SECONDS / 6, offers=3)
        finish(crowd, clock, database, session)
        assert crowd.broken > 0, "nobody noticed: the test tested nothing"
    finally:
        crowd.stop()
        running.stop()


def test_what_ran_out_while_no_daemon_was_there_goes_on_at_the_next_start(api, database, arena, sql):
    session, people = arena[0](800), arena[1]
    mine = [make.enrol(api, session, nip) for nip in people]
    api.post(f"/v1/enrolments/{mine[0]['id']}/cancel")
    offered, = sql("UPDATE enrolment SET offer_until = clock_timestamp() WHERE session_id = %s AND state = 'offered' RETURNING id::text", (session,))
    again = daemons.Daemon(database, name="seats-chore")
    client = api_clients.Client(again.url, api.key)
    end = time.monotonic() + 30
    while client.get(f"/v1/enrolments/{offered[0]}").json["state"] == "offered":
        assert time.monotonic() < end, "the chore at the start has not looked"
        time.sleep(0.02)
    again.stop()
    assert seats.replay(database, session)["offered → cancelled"] == 1
