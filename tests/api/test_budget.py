# SPDX-License-Identifier: Apache-2.0
"""The budget of training: committed, spent, remaining; beyond the plan it warns and never refuses, and never silently."""
import threading
from decimal import Decimal

import pytest

from support import make

NOBODY = "0190ffff-ffff-7fff-bfff-ffffffffffff"


@pytest.fixture
def programme(api):
    return make.programme(api)


def stand(api, line):
    now = api.get(f"/v1/budget-lines/{line['id']}").json
    return {k: Decimal(str(now[k])) for k in ("planned", "committed", "spent", "outstanding", "remaining")}, now["warnings"]


def figures(planned, committed, spent, outstanding, remaining):
    return {"planned": planned, "committed": committed, "spent": spent, "outstanding": outstanding, "remaining": remaining}


def test_what_is_committed_follows_the_seats(api, office, programme):
    line = make.budget_line(api, programme["id"], planned=1000)
    session = make.session(api, programme["id"], capacity=4)
    make.terms(api, session["id"], cost_per_head=250.5, budget_line_id=line["id"])
    assert stand(api, line) == (figures(1000, 0, 0, 0, 1000), [])
    enrolments = [make.enrol(api, session["id"], make.person(api, office["id"])["nip"]) for _ in range(3)]
    assert stand(api, line) == (figures(1000, Decimal("751.5"), 0, Decimal("751.5"), Decimal("248.5")), [])
    api.post(f"/v1/enrolments/{enrolments[0]['id']}/cancel")
    assert stand(api, line)[0]["committed"] == 501
    # A whole class that was ordered costs all its seats.
    assert make.terms(api, session["id"], cost_per_head=250.5, commits="capacity", budget_line_id=line["id"])["warnings"] == ["over-committed"]
    assert stand(api, line) == (figures(1000, 1002, 0, 1002, -2), ["over-committed"])
    api.patch(f"/v1/sessions/{session['id']}", {"state": "cancelled"}, etag=make.tag(api, f"/v1/sessions/{session['id']}"))
    assert stand(api, line) == (figures(1000, 0, 0, 0, 1000), [])


def test_what_is_paid_is_no_longer_outstanding(api, programme):
    line = make.budget_line(api, programme["id"], planned=1000)
    session = make.session(api, programme["id"], capacity=4)
    make.terms(api, session["id"], cost_per_head=200, commits="capacity", budget_line_id=line["id"])
    made = make.expense(api, line["id"], session_id=session["id"], amount=300)
    assert (made["remaining"], made["warnings"]) == (200, [])
    assert stand(api, line) == (figures(1000, 800, 300, 500, 200), [])
    make.expense(api, line["id"], session_id=session["id"], amount=600)
    assert stand(api, line) == (figures(1000, 800, 900, 0, 100), []), "more than was committed leaves nothing outstanding"
    assert make.expense(api, line["id"], amount=100.01)["warnings"] == ["over-committed", "over-spent"]
    assert make.expense(api, line["id"], amount=-0.01, note="Pembetulan")["warnings"] == []
    listed = api.get(f"/v1/budget-lines/{line['id']}/expenses").json["data"]
    assert [x["amount"] for x in listed] == [300, 600, 100.01, -0.01] and all(x["actor_name"] for x in listed)


def test_our_share_of_an_activity_is_committed(api, programme):
    line, partner = make.budget_line(api, programme["id"], planned=1000), make.partner(api)
    activity = make.activity(api, partner["id"], cost_planned=1000, our_share_percent=33.33, budget_line_id=line["id"])
    assert activity["warnings"] == [] and stand(api, line)[0]["committed"] == Decimal("333.3")
    path = f"/v1/activities/{activity['id']}"
    assert api.patch(path, {"cost_planned": 5000}, etag='"1"').json["warnings"] == ["over-committed"]
    assert api.get(path).json["warnings"] == ["over-committed"]
    make.expense(api, line["id"], activity_id=activity["id"], amount=1000)
    assert stand(api, line)[0]["outstanding"] == Decimal("666.5")
    api.patch(path, {"state": "cancelled"}, etag='"2"')
    assert stand(api, line) == (figures(1000, 0, 1000, 0, 0), [])


def warnings_of(api, line):
    return [(w["cause"], w["cause_id"], w["is_over"]) for w in api.get(f"/v1/budget-warnings?budget_line_id={line['id']}&sort=id").json["data"]]


def test_an_enrolment_beyond_the_plan_is_not_silent(api, office, programme):
    line = make.budget_line(api, programme["id"], planned=100)
    session = make.session(api, programme["id"])
    make.terms(api, session["id"], cost_per_head=60, budget_line_id=line["id"])
    first, second = (make.enrol(api, session["id"], make.person(api, office["id"])["nip"]) for _ in range(2))
    assert warnings_of(api, line) == [("session", session["id"], True)]
    assert line["id"] in {b["id"] for b in api.walk("/v1/budget-lines?year=2026&is_over=true&limit=1000")[0]}
    api.post(f"/v1/enrolments/{second['id']}/cancel")
    assert warnings_of(api, line) == [("session", session["id"], False)], "what was remains told, and that it is over"
    path = f"/v1/budget-lines/{line['id']}"
    changed = api.patch(path, {"planned": 50}, etag=make.tag(api, path)).json
    assert (changed["warnings"], changed["remaining"]) == (["over-committed"], -10)
    assert warnings_of(api, line)[1] == ("line", line["id"], True)
    assert first["state"] == "approved"


def test_from_where_on_it_warns_is_a_setting(api, programme):
    line = make.budget_line(api, programme["id"], planned=100, warn_percent=80)
    assert make.expense(api, line["id"], amount=80)["warnings"] == []
    assert make.expense(api, line["id"], amount=1)["warnings"] == ["over-committed"]
    path = f"/v1/budget-lines/{line['id']}"
    assert api.patch(path, {"warn_percent": 120}, etag='"1"').json["warnings"] == []
    assert make.expense(api, line["id"], amount=39)["warnings"] == ["over-spent"]


def test_two_who_each_stay_below_are_seen_together(api, programme):
    """Ten expenses at once, of which the last brings the line beyond: exactly one of them, whichever, is told as the cause."""
    line = make.budget_line(api, programme["id"], planned=95)
    gate = threading.Barrier(10)

    def spend():
        client = api.as_key(api.key)
        gate.wait()
        make.expense(client, line["id"], amount=10)
    threads = [threading.Thread(target=spend) for _ in range(10)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert stand(api, line)[0]["spent"] == 100
    assert [w[0] for w in warnings_of(api, line)] == ["expense"]


FAULTY = {
    "twice": ({}, 409, "/source", "budget-line-exists"),
    "of-no-programme": ({"programme_id": NOBODY}, 422, "/programme_id", "reference-missing"),
    "below-nothing": ({"planned": -1}, 422, "/planned", "invalid"),
    "of-a-fraction": ({"planned": 0.001}, 422, "/planned", "invalid"),
    "from-nowhere": ({"source": "lottery"}, 422, "/source", "invalid"),
}


@pytest.mark.parametrize("case", FAULTY.keys())
def test_a_faulty_line_is_refused(case, api, programme):
    members, status, pointer, code = FAULTY[case]
    body = {"programme_id": programme["id"], "year": 2026, "source": "apbd", "planned": 1}
    api.post("/v1/budget-lines", body, expect=201)
    reply = api.post("/v1/budget-lines", {**body, **members}, expect=status)
    assert (reply.code, pointer in reply.faults) == (code, True), reply


def test_a_session_is_paid_from_its_own_programme(api, programme):
    line = make.budget_line(api, make.programme(api)["id"])
    session = make.session(api, programme["id"])
    path = f"/v1/sessions/{session['id']}/terms"
    assert api.put(path, {"cost_per_head": 1, "budget_line_id": line["id"]}, etag='"1"', expect=409).code == "budget-line-other"
    own = make.budget_line(api, programme["id"])
    assert api.put(path, {"budget_line_id": own["id"]}, etag='"1"', expect=422).code == "terms-cost"
    assert api.get(path).json["version"] == 1


def test_an_expense_is_for_one_thing(api, programme):
    line = make.budget_line(api, programme["id"])
    path = f"/v1/budget-lines/{line['id']}/expenses"
    session, activity = make.session(api, programme["id"]), make.activity(api, make.partner(api)["id"])
    both = {"spent_on": "2026-02-10", "amount": 1, "session_id": session["id"], "activity_id": activity["id"]}
    assert api.post(path, both, expect=422).code == "expense-of-one"
    assert "/amount" in api.post(path, {"spent_on": "2026-02-10", "amount": 0}, expect=422).faults
    assert "/session_id" in api.post(path, {"spent_on": "2026-02-10", "amount": 1, "session_id": NOBODY}, expect=422).faults
    api.post(f"/v1/budget-lines/{NOBODY}/expenses", {"spent_on": "2026-02-10", "amount": 1}, expect=404)


def test_what_units_and_heads_cost(api, keys, programme):
    left, right = make.unit(api, kind="dinas"), make.unit(api, kind="dinas")
    people = {"a": make.person(api, left["id"]), "b": make.person(api, left["id"]), "c": make.person(api, right["id"])}
    session = make.session(api, programme["id"], starts_on="2028-05-02", ends_on="2028-05-03", capacity=2)
    make.terms(api, session["id"], cost_per_head=100)
    for name in ("a", "c", "b"):
        make.enrol(api, session["id"], people[name]["nip"])  # b waits
    activity = make.activity(api, make.partner(api)["id"], starts_on="2028-03-01", ends_on="2028-03-02", cost_planned=1000, our_share_percent=10)
    for name in ("a", "b", "c"):
        make.participant(api, activity["id"], nip=people[name]["nip"])
    rows = {r["unit_id"]: r for r in api.get("/v1/reports/training-costs?year=2028").json["data"]}
    told = rows[left["id"]]
    assert (told["people"], told["seats"], told["cost_sessions"]) == (2, 3, 100)
    assert [str(told[k]) for k in ("cost_activities", "cost", "cost_per_head")] == ["66.67", "166.67", "83.33"]
    assert (rows[right["id"]]["cost_sessions"], str(rows[right["id"]]["cost"])) == (100, "133.33")
    ours = api.as_key(keys("training.read", units=(left["code"],)))
    assert {r["unit_id"] for r in ours.get("/v1/reports/training-costs?year=2028").json["data"]} == {left["id"]}
    # A session that is an activity too, and has its own cost per head, counts once.
    api.patch(f"/v1/activities/{activity['id']}", {"session_id": session["id"]}, etag='"1"')
    rows = {r["unit_id"]: r for r in api.get(f"/v1/reports/training-costs?year=2028&under={left['id']}").json["data"]}
    assert (rows[left["id"]]["cost"], rows[left["id"]]["people"], len(rows)) == (100, 1, 1)


def test_a_cost_that_is_not_told_is_the_programmes(api):
    programme = make.programme(api, cost_per_head=1500000)
    line = make.budget_line(api, programme["id"])
    session = make.session(api, programme["id"])
    assert make.terms(api, session["id"], budget_line_id=line["id"])["cost_per_head"] == 1500000
    assert make.terms(api, session["id"], cost_per_head=7)["cost_per_head"] == 7
    assert make.terms(api, session["id"], cost_per_head=None)["cost_per_head"] is None, "null says: none"
    assert make.terms(api, session["id"])["cost_per_head"] == 1500000
    assert make.terms(api, make.session(api)["id"])["cost_per_head"] is None
