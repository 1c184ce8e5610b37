# SPDX-License-Identifier: Apache-2.0
"""The life of an enrolment: every step that the table of transitions allows and every one that it does not, by everybody; of many at once one wins."""
import threading

import pytest
import requests

from support import contract as contracts, make

STATES = contracts.load().document["components"]["schemas"]["EnrolmentState"]["enum"]
ROLES = ("training.propose", "training.verify", "training.write")
REASON = "Diminta oleh unit"


@pytest.fixture(scope="module")
def table(api):
    """(from, to) → scopes, as the API tells it."""
    found = {}
    for row in api.get("/v1/enrolment-transitions?limit=1000").json["data"]:
        found.setdefault((row["from"], row["to"]), set()).add(row["scope"])
    return found


@pytest.fixture(scope="module")
def role(api, keys):
    return {scope: api.as_key(keys("training.read", scope)) for scope in ROLES} | {"training.read": api.as_key(keys("training.read"))}


class Life:
    """Brings enrolments into a state, each of a person of its own."""

    def __init__(self, api, office):
        self.api, self.office = api, office
        self.programme = make.programme(api)["id"]
        self.roomy = make.session(api, self.programme, start=-1, length=5, capacity=5000)

    def person(self):
        return make.person(self.api, self.office["id"])["nip"]

    def full(self, **members):
        session = make.session(self.api, self.programme, start=-1, length=5, capacity=1, **members)
        return session, make.enrol(self.api, session["id"], self.person())

    def move(self, enrolment, *states):
        for state in states:
            enrolment = self.api.post(f"/v1/enrolments/{enrolment['id']}/move", {"to": state, "reason": REASON}).json
            assert enrolment["state"] == state
        return enrolment

    def nominate(self, session, draft=False):
        return self.api.post(f"/v1/sessions/{session['id']}/nominations", {"nip": self.person(), "route": "unit", "is_draft": draft}).json

    def reach(self, state, toward=None):
        """`toward` waitlisted it must stand before a full session."""
        ways = {"proposed": [], "returned": ["returned"], "verified": ["verified"], "rejected": ["rejected"]}
        if state in ("draft", *ways):
            session = self.full()[0] if toward == "waitlisted" else self.roomy
            return self.move(self.nominate(session, draft=state == "draft"), *ways.get(state, []))
        if state in ("waitlisted", "offered"):
            session, seated = self.full(offer_hours=24 if state == "offered" else None)
            enrolment = make.enrol(self.api, session["id"], self.person())
            if state == "offered":
                self.move(seated, "cancelled")
            return self.api.get(f"/v1/enrolments/{enrolment['id']}").json
        ways = {"approved": [], "attending": ["attending"], "completed": ["attending", "completed"], "passed": ["attending", "passed"],
                "failed": ["attending", "completed", "failed"], "certified": ["attending", "passed", "certified"],
                "synced": ["attending", "passed", "certified", "synced"], "no_show": ["no_show"], "withdrawn": ["attending", "withdrawn"],
                "cancelled": ["cancelled"]}
        return self.move(make.enrol(self.api, self.roomy["id"], self.person()), *ways[state])


@pytest.fixture(scope="module")
def life(api, office):
    return Life(api, office)


@pytest.mark.parametrize("state", STATES)
def test_every_step_is_as_the_table_says(state, life, table, role, api):
    still = life.reach(state)
    assert still["state"] == state
    walked = refused = 0
    for target in STATES:
        able = table.get((state, target), set()) - {"system"}
        for scope, client in role.items():
            if scope in able:
                enrolment = life.reach(state, target)
                reply = client.post(f"/v1/enrolments/{enrolment['id']}/move", {"to": target, "reason": REASON}, expect=200)
                assert reply.json["state"] == target, (scope, reply)
                walked += 1
            else:
                reply = client.post(f"/v1/enrolments/{still['id']}/move", {"to": target, "reason": REASON}, expect=403 if able else 409)
                assert reply.code == ("forbidden" if able else "enrolment-state"), (target, scope, reply)
                assert reply.faults == {"/to": reply.code}
                assert not able or all(a in reply.json["detail"] for a in able), "who may is named"
                refused += 1
    assert walked == sum(scope in able - {"system"} for (one, _), able in table.items() if one == state for scope in ROLES)
    assert refused == len(STATES) * len(role) - walked
    assert api.get(f"/v1/enrolments/{still['id']}").json == still, "what is refused leaves nothing behind"


def test_the_table_is_whole(table):
    assert {state for pair in table for state in pair} - {"new"} == set(STATES), "every state can be reached"
    assert all(scopes <= {*ROLES, "system"} for scopes in table.values())
    assert not [pair for pair in table if pair[0] == pair[1]]


def test_a_reason_is_asked_for_where_the_table_says_so(life, api, role):
    asking = [r for r in api.get("/v1/enrolment-transitions?limit=1000").json["data"] if r["needs_reason"] and r["scope"] != "system"]
    assert {(r["from"], r["to"]) for r in asking} == {("proposed", "returned"), ("proposed", "rejected"), ("verified", "rejected"),
                                                          ("failed", "completed"), ("passed", "completed")}
    for row in asking:
        enrolment = life.reach(row["from"])
        reply = role[row["scope"]].post(f"/v1/enrolments/{enrolment['id']}/move", {"to": row["to"]}, expect=422)
        assert (reply.code, reply.faults) == ("reason-missing", {"/reason": "reason-missing"})


def test_who_may_begin(life, role):
    nobody = {"nip": life.person(), "route": "unit"}
    path = f"/v1/sessions/{life.roomy['id']}/nominations"
    for scope, draft, status in (("training.read", False, 403), ("training.verify", True, 403), ("training.propose", True, 201), ("training.write", False, 201)):
        role[scope].post(path, {**nobody, "nip": life.person(), "is_draft": draft}, expect=status)
    role["training.propose"].post("/v1/enrolments", {"session_id": life.roomy["id"], "nip": nobody["nip"]}, expect=403)
    role["training.write"].post("/v1/enrolments", {"session_id": life.roomy["id"], "nip": nobody["nip"]}, expect=201)


def test_each_step_is_noted_with_whom(life, api, role):
    enrolment = life.nominate(life.roomy)
    role["training.verify"].post(f"/v1/enrolments/{enrolment['id']}/move", {"to": "verified"})
    role["training.write"].post(f"/v1/enrolments/{enrolment['id']}/move", {"to": "approved", "reason": "Sesuai"})
    steps = api.get(f"/v1/enrolments/{enrolment['id']}/steps").json["data"]
    assert [(s["from"], s["to"], s["reason"]) for s in steps] == [("new", "proposed", None), ("proposed", "verified", None), ("verified", "approved", "Sesuai")]
    assert [s["actor_name"] for s in steps] == ["admin", "training.read+training.verify", "training.read+training.write"]
    waiting = life.reach("offered")
    last = api.get(f"/v1/enrolments/{waiting['id']}/steps?sort=-seq&limit=1").json["data"][0]
    assert (last["from"], last["to"], last["actor_name"]) == ("waitlisted", "offered", None), "it followed by itself"


def antichain(table, state):
    """Targets of which none leads to another, so that only one of them can ever happen."""
    chosen = []
    for one, target in sorted(table):
        if one == state and table[(one, target)] - {"system"} and not any((target, c) in table or (c, target) in table for c in chosen):
            chosen.append(target)
    return chosen


@pytest.mark.parametrize("state", ["draft", "proposed", "returned", "verified", "waitlisted", "offered", "approved", "attending", "completed", "passed", "failed", "certified"])
def test_of_many_at_once_one_wins(state, life, table, api):
    targets = antichain(table, state)
    assert targets
    enrolment = life.reach(state, targets[0])
    calls = (targets * 12)[:12]
    barrier, replies = threading.Barrier(len(calls)), [None] * len(calls)

    def run(n):
        session = requests.Session()
        session.trust_env = False
        barrier.wait()
        replies[n] = session.post(f"{api.url}/v1/enrolments/{enrolment['id']}/move", json={"to": calls[n], "reason": REASON},
                                  headers={"Authorization": f"Bearer {api.key}"}, timeout=60)

    threads = [threading.Thread(target=run, args=(n,)) for n in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(r.status_code for r in replies) == [200] + [409] * (len(calls) - 1)
    winner = next(r.json() for r in replies if r.status_code == 200)
    assert api.get(f"/v1/enrolments/{enrolment['id']}").json == winner
    assert winner["version"] == enrolment["version"] + 1
    assert api.get(f"/v1/enrolments/{enrolment['id']}/steps?sort=-seq&limit=1").json["data"][0]["to"] == winner["state"]
