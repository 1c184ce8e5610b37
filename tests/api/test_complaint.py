# SPDX-License-Identifier: Apache-2.0
"""Complaints: limits in working days, the order of states, who sees what is secret, what closes by itself."""
from datetime import date, datetime, timedelta, timezone

import pytest

from support import make


@pytest.fixture(scope="module")
def counter(api, office):
    return make.service_unit(api, office["id"])


def advance(api, complaint, state, expect=200, **members):
    return api.post(f"/v1/complaints/{complaint['id']}/advance", {"state": state, **members}, expect=expect)


def days(complaint):
    return {m: complaint[m] for m in ("verify_by", "handle_by", "settle_by", "close_by")}


def test_the_worked_examples_have_their_days(api, counter):
    """E2 and E3: received on Monday 7 July 2025, answered on Friday 11 July."""
    made = make.complaint(api, counter["id"], received_at="2025-07-07T09:00:00+08:00")
    assert days(made) == {"verify_by": "2025-07-10", "handle_by": None, "settle_by": None, "close_by": None}
    advance(api, made, "verified", weight="normative", at="2025-07-08T09:00:00+08:00")
    advance(api, made, "forwarded", at="2025-07-09T09:00:00+08:00")
    advance(api, made, "in_progress", at="2025-07-10T09:00:00+08:00")
    done = advance(api, made, "answered", answer="Sudah diperbaiki", is_upheld=True, at="2025-07-11T23:59:00+08:00").json
    assert days(done) == {"verify_by": "2025-07-10", "handle_by": "2025-07-16", "settle_by": "2025-07-14", "close_by": "2025-07-25"}
    assert (done["answer"], done["is_upheld"], done["late"]) == ("Sudah diperbaiki", True, None)


@pytest.mark.parametrize("weight, settle_by", [("normative", "2025-07-14"), ("unsupervised", "2025-07-25"), ("supervised", "2025-09-29")])
def test_the_weight_sets_the_day_of_the_answer(weight, settle_by, api, counter):
    made = make.complaint(api, counter["id"], received_at="2025-07-07T09:00:00+08:00")
    assert advance(api, made, "verified", weight=weight).json["settle_by"] == settle_by


WAYS = {"received": [], "verified": ["verified"], "forwarded": ["verified", "forwarded"], "in_progress": ["verified", "forwarded", "in_progress"],
        "answered": ["verified", "forwarded", "in_progress", "answered"], "closed": ["verified", "forwarded", "in_progress", "answered", "closed"],
        "rejected": ["rejected"], "reopened": ["verified", "forwarded", "in_progress", "answered", "reopened"]}
ALLOWED = {("received", "verified"), ("received", "rejected"), ("verified", "forwarded"), ("verified", "rejected"), ("forwarded", "in_progress"),
           ("reopened", "in_progress"), ("in_progress", "answered"), ("answered", "closed"), ("answered", "reopened"), ("closed", "reopened")}
NEEDS = {"verified": {"weight": "normative"}, "answered": {"answer": "Sudah"}}


@pytest.mark.parametrize("state", WAYS)
def test_the_order_of_states_is_kept(state, api, counter):
    for becomes in ("verified", "forwarded", "in_progress", "answered", "closed", "reopened", "rejected"):
        made = make.complaint(api, counter["id"])
        for before in WAYS[state]:
            advance(api, made, before, **NEEDS.get(before, {}))
        reply = advance(api, made, becomes, expect=(200, 409), **NEEDS.get(becomes, {}))
        assert (reply.status == 200) == ((state, becomes) in ALLOWED), (state, becomes, reply)
        assert reply.status == 200 or reply.code == "complaint-state"
        steps = [s["state"] for s in api.get(f"/v1/complaints/{made['id']}/steps").json["data"]]
        assert steps == ["received", *WAYS[state], *([becomes] if reply.status == 200 else [])]


@pytest.mark.parametrize("members, pointer", [({"state": "verified"}, "/weight"), ({"state": "answered"}, "/answer"), ({"state": "received"}, "/state"), ({}, "/state")])
def test_a_step_brings_what_belongs_to_it(members, pointer, api, counter):
    made = make.complaint(api, counter["id"])
    assert api.post(f"/v1/complaints/{made['id']}/advance", members, expect=422).status == 422, pointer


@pytest.mark.parametrize("members, pointer, code", [
    ({"category": "NOT-THERE"}, "/category", "reference-missing"), ({"service_unit_id": "01900000-0000-7000-8000-0000000000ff"}, "/service_unit_id", "reference-missing"),
    ({"service_id": "01900000-0000-7000-8000-0000000000ff"}, "/service_id", "reference-missing"), ({"received_at": "2099-01-01T00:00:00Z"}, "/received_at", "in-future")])
def test_a_complaint_that_cannot_be_is_refused(members, pointer, code, api, counter):
    body = {"channel": "counter", "kind": "complaint", "category": "quality", "service_unit_id": counter["id"], "text": "x", **members}
    assert api.post("/v1/complaints", body, expect=422).faults == {pointer: code}


def test_a_number_of_the_channel_is_entered_once(api, counter):
    make.complaint(api, counter["id"], reference="LAPOR-77")
    body = {"channel": "lapor", "kind": "complaint", "category": "quality", "service_unit_id": counter["id"], "text": "x", "reference": "LAPOR-77"}
    assert api.post("/v1/complaints", body, expect=409).code == "complaint-reference-taken"


def test_what_is_secret_is_for_few(api, keys, counter):
    made = make.complaint(api, counter["id"], is_secret=True)
    desk, inspector = api.as_key(keys("complaint.read", "complaint.write")), api.as_key(keys("complaint.read", "complaint.secret"))
    for path in (f"/v1/complaints/{made['id']}",):
        desk.get(path, expect=404)
        assert inspector.get(path).json["is_secret"] is True
    advance(desk, made, "rejected", expect=404)
    assert desk.get(f"/v1/complaints/{made['id']}/steps").json["data"] == []
    seen = lambda client: {c["id"] for c in client.get(f"/v1/complaints?service_unit_id={counter['id']}&limit=1000").json["data"]}  # noqa: E731
    assert made["id"] in seen(inspector) and made["id"] not in seen(desk)


def test_others_see_nothing_of_it(api, keys, counter):
    made = make.complaint(api, counter["id"])
    elsewhere = make.unit(api)
    other = api.as_key(keys("complaint.read", "complaint.write", units=(elsewhere["code"],)))
    other.get(f"/v1/complaints/{made['id']}", expect=404)
    assert other.get("/v1/complaints").json["data"] == []
    other.get(f"/v1/complaints/{made['id']}/steps", expect=404)
    advance(other, made, "rejected", expect=404)


def test_what_is_late_is_named(api, counter):
    made = make.complaint(api, counter["id"], received_at="2025-07-07T09:00:00+08:00")
    assert made["late"] == "verify"
    ids = {c["id"] for c in api.get(f"/v1/complaints?service_unit_id={counter['id']}&late=true&limit=1000").json["data"]}
    fresh = make.complaint(api, counter["id"])
    assert made["id"] in ids and fresh["late"] is None
    assert fresh["id"] not in {c["id"] for c in api.get(f"/v1/complaints?service_unit_id={counter['id']}&late=true&limit=1000").json["data"]}
    assert advance(api, made, "verified", weight="normative").json["late"] == "settle"


# ── what is overdue or soon due ──

@pytest.fixture(scope="module")
def house(api):
    """A dinas with a head above a bidang without one; both serve."""
    top = make.unit(api, kind="dinas", head_position="Kepala Dinas Uji")
    low = make.unit(api, top["id"])
    head = make.person(api, top["id"])
    make.history(api, head["nip"], "position", {"position": "Kepala Dinas Uji", "position_kind": "struktural", "assignment": "definitive", "unit_id": top["id"]}, "2020-01-01")
    return {"top": top, "low": low, "head": head, "counter": make.service_unit(api, low["id"]), "above": make.service_unit(api, top["id"])}


def due(client, **asked):
    query = "&".join(f"{name}={value}" for name, value in {"limit": 1000, **asked}.items())
    return client.get(f"/v1/service-deadlines?{query}").json["data"]


def test_what_is_due_names_the_limit_that_comes_first_and_whom_to_tell(api, house):
    counter, now = house["counter"], make.today()
    old = make.complaint(api, counter["id"], received_at="2025-07-07T09:00:00+08:00", reference="LAPOR-" + house["low"]["code"])
    fresh = make.complaint(api, counter["id"])
    done = make.complaint(api, counter["id"], received_at="2025-07-07T09:00:00+08:00")
    advance(api, done, "rejected")
    rows = {r["id"]: r for r in due(api, under=house["top"]["id"], what="complaint", days=366)}
    assert done["id"] not in rows and list(rows)[0] == old["id"]
    row = rows[old["id"]]
    assert (row["deadline"], row["due_on"], row["is_overdue"], row["days_left"], row["number"]) == \
        ("verify", "2025-07-10", True, (date(2025, 7, 10) - now).days, "LAPOR-" + house["low"]["code"])
    assert (row["head_nip"], row["head_unit_id"], row["head_position"]) == (house["head"]["nip"], house["top"]["id"], "Kepala Dinas Uji"), "the head of the next unit above that has one"
    assert (row["nip"], row["due_at"], row["unit_id"], row["last_actor"]) == (None, None, house["low"]["id"], rows[fresh["id"]]["last_actor"]) and row["last_actor"]
    assert (rows[fresh["id"]]["deadline"], rows[fresh["id"]]["is_overdue"]) == ("verify", False)
    assert [r["id"] for r in due(api, service_unit_id=counter["id"], is_overdue="true")] == [old["id"]]
    advance(api, old, "verified", weight="normative")
    assert due(api, service_unit_id=counter["id"], is_overdue="true")[0]["deadline"] == "verify", "2025-07-10 comes before the day of the answer"
    advance(api, old, "forwarded")
    assert due(api, service_unit_id=counter["id"], is_overdue="true")[0]["deadline"] == "settle"
    assert due(api, service_unit_id=house["above"]["id"]) == []


def test_tickets_that_wait_beyond_the_promise_are_due(api, house):
    now = datetime.now(timezone.utc)
    quick, slow = (make.service(api, house["counter"]["id"], promise_minutes=m) for m in (5, 10000))
    late = make.ticket(api, quick["id"], taken_at=(now - timedelta(minutes=30)).isoformat(timespec="seconds"))
    soon = make.ticket(api, slow["id"])
    served = make.ticket(api, quick["id"], taken_at=(now - timedelta(minutes=30)).isoformat(timespec="seconds"))
    officer = make.person(api, house["low"]["id"])
    api.post(f"/v1/tickets/{late['id']}/call", {"nip": officer["nip"]})
    for what, body in (("call", {"nip": officer["nip"]}), ("start", {}), ("finish", {"result": "completed"})):
        api.post(f"/v1/tickets/{served['id']}/{what}", body)
    rows = {r["id"]: r for r in due(api, under=house["low"]["id"], what="ticket", days=30)}
    assert set(rows) == {late["id"], soon["id"]}
    row = rows[late["id"]]
    assert (row["is_overdue"], row["deadline"], row["nip"], row["name"], row["state"], row["last_actor"]) == (True, "serve", officer["nip"], officer["name"], "called", None)
    assert row["due_at"] == late["due_at"] and rows[soon["id"]]["is_overdue"] is False
    assert [r["id"] for r in due(api, under=house["low"]["id"], what="ticket", days=0, is_overdue="true")] == [late["id"]]


def test_deadlines_are_told_as_csv_and_only_to_whom_they_belong(api, keys, house):
    secret = make.complaint(api, house["above"]["id"], is_secret=True, received_at="2025-07-07T09:00:00+08:00")
    desk, inspector = (api.as_key(keys("complaint.read", "service.read", *more)) for more in ((), ("complaint.secret",)))
    assert secret["id"] in {r["id"] for r in due(inspector)} and secret["id"] not in {r["id"] for r in due(desk)}
    text = inspector("GET", f"/v1/service-deadlines?service_unit_id={house['above']['id']}", headers={"Accept": "text/csv"}, expect=200).text
    lines = text.splitlines()
    assert lines[0].startswith("id,what,unit_id,unit_name") and len(lines) == 2 and house["head"]["nip"] in lines[1]
    elsewhere = api.as_key(keys("complaint.read", "service.read", "complaint.secret", units=(make.unit(api)["code"],)))
    assert due(elsewhere) == []
    inside = api.as_key(keys("complaint.read", "service.read", units=(house["low"]["code"],)))
    assert {r["head_nip"] for r in due(inside)} <= {None}, "the head above is not his to see"
    for scopes in (("complaint.read",), ("service.read",)):
        api.as_key(keys(*scopes)).get("/v1/service-deadlines", expect=403)
    api.as_key("no.such.key").get("/v1/service-deadlines", expect=401)
    for wrong in ("days=-1", "days=x", "what=letter", "is_overdue=maybe", "under=x"):
        api.get(f"/v1/service-deadlines?{wrong}", expect=400)
    api.get("/v1/service-deadlines?under=01900000-0000-7000-8000-00000000dead", expect=422)


def test_silence_closes_when_the_last_day_is_over(api, counter, sql):
    made = make.complaint(api, counter["id"], received_at="2025-07-07T09:00:00+08:00")
    for state in ("verified", "forwarded", "in_progress"):
        advance(api, made, state, **NEEDS.get(state, {}))
    assert advance(api, made, "answered", answer="Sudah", at="2025-07-11T10:00:00+08:00").json["close_by"] == "2025-07-25"
    close = lambda day: sql(f"SET asnd.today = '{day}'; SELECT complaint_close_silent()")  # noqa: E731
    close("2025-07-25")
    assert api.get(f"/v1/complaints/{made['id']}").json["state"] == "answered", "he may reply through the whole of the day"
    close("2025-07-26")
    assert api.get(f"/v1/complaints/{made['id']}").json["state"] == "closed"
    last = api.get(f"/v1/complaints/{made['id']}/steps").json["data"][-1]
    assert (last["state"], last["actor_name"]) == ("closed", None)
    again = advance(api, made, "reopened", note="Belum selesai").json
    assert (again["state"], again["closed_at"], again["close_by"]) == ("reopened", None, None)
