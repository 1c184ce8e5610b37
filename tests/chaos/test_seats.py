# SPDX-License-Identifier: Apache-2.0
"""A hundred rounds of 64 clients after a handful of seats: coming, going and coming again at once. The books are read by somebody who is
not the daemon."""
import random
import threading
from collections import Counter

import pytest
import requests

from support import make

CLIENTS = 64
ROUNDS = 100


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
