# SPDX-License-Identifier: Apache-2.0
"""What was held stays: sessions that people went through to the end, what they are worth, and the way back of a wrong result."""
from datetime import timedelta

import psycopg2
import pytest

from support import make


def step(api, enrolment, what, body=None, expect=200):
    return api.post(f"/v1/enrolments/{enrolment['id']}/{what}", body, expect=expect)


def move(api, enrolment, to, expect=200, **members):
    return step(api, enrolment, "move", {"to": to, **members}, expect=expect)


def jp_of(api, enrolment):
    return api.get(f"/v1/enrolments/{enrolment['id']}").json["jp"]


def total(api, nip, session):
    return api.get(f"/v1/asn/{nip}/learning-hours?on={session['ends_on']}").json["total_jp"]


def brought(api, office, *states, session=None, **members):
    """A session that runs, and somebody of it in that state."""
    session = session or make.session(api, make.programme(api, **members)["id"], start=-2, length=3)
    person = make.person(api, office["id"])["nip"]
    enrolment = make.enrol(api, session["id"], person)
    for state in states:
        move(api, enrolment, state, reason="Uji")
    return session, person, enrolment


HELD = {"completed": ("attending", "completed"), "passed": ("attending", "passed"), "failed": ("attending", "failed"), "certified": ("attending", "passed", "certified")}


@pytest.mark.parametrize("state", HELD)
def test_what_was_held_is_neither_cancelled_nor_moved(state, api, office, sql):
    session, _, _ = brought(api, office, *HELD[state])
    _, _, waiting = brought(api, office, session=session)
    path = f"/v1/sessions/{session['id']}"
    before = api.get(path).json
    assert api.post(f"{path}/cancel", {"reason": "Salah"}, expect=409).code == "session-held"
    for patch in ({"state": "cancelled"}, {"starts_on": make.days(-3)["starts_on"]}, {"ends_on": make.days(5)["ends_on"]}, make.days(40)):
        assert api.patch(path, patch, etag="*", expect=409).code == "session-held", patch
    part = {"day": session["starts_on"], "starts": "08:00", "ends": "12:00", "jp": 4}
    assert api.put(f"{path}/days", {"days": [part]}, etag=make.tag(api, path), expect=409).code == "session-held"
    assert api.get(path).json == before
    assert api.get(f"/v1/enrolments/{waiting['id']}").json["state"] == "approved"
    for statement in ("UPDATE session SET state = 'cancelled' WHERE id = %s", "UPDATE session SET ends_on = ends_on + 1 WHERE id = %s",
                      "UPDATE session SET held_jp = NULL WHERE id = %s", "DELETE FROM session WHERE id = %s",
                      "INSERT INTO session_day (session_id, day, starts, ends, jp) SELECT id, starts_on, '08:00', '09:00', 1 FROM session WHERE id = %s"):
        with pytest.raises(psycopg2.errors.RaiseException, match="people went through it"):
            sql(statement, (session["id"],))


@pytest.mark.parametrize("state", ["approved", "attending", "withdrawn", "no_show"])
def test_while_nobody_went_through_it_can_be_cancelled(state, api, office):
    session, _, enrolment = brought(api, office, *{"approved": (), "attending": ("attending",), "withdrawn": ("attending", "withdrawn"), "no_show": ("no_show",)}[state])
    path = f"/v1/sessions/{session['id']}"
    api.patch(path, make.days(-2, 4), etag="*", expect=200)
    api.post(f"{path}/cancel", {"reason": "Pengajar berhalangan"}, expect=200)
    if state == "attending":
        assert move(api, enrolment, "completed", expect=409).code == "session-closed", "nobody goes through a cancelled session"
        move(api, enrolment, "withdrawn")


def test_what_else_of_it_may_be_mended(api, office):
    session, _, _ = brought(api, office, "attending", "passed")
    changed = api.patch(f"/v1/sessions/{session['id']}", {"title": "Angkatan II", "place": "Mamuju", "capacity": 20}, etag="*").json
    assert (changed["title"], changed["capacity"]) == ("Angkatan II", 20)
    brought(api, office, session=session)
    assert api.patch(f"/v1/sessions/{session['id']}", {"capacity": 1}, etag="*", expect=409).faults == {"/capacity": "capacity-below-taken"}


def test_days_with_attendance_stay_days_of_the_session(api, office):
    session, person, _ = brought(api, office)
    path, last = f"/v1/sessions/{session['id']}", make.today()
    api.post(f"{path}/attendance", {"day": last.isoformat(), "entries": [{"nip": person, "presence": "present"}]})
    yesterday = (last - timedelta(days=1)).isoformat()
    assert api.patch(path, {"starts_on": yesterday, "ends_on": yesterday}, etag="*", expect=409).code == "session-attended"
    reply = api.put(f"{path}/days", {"days": [{"day": yesterday, "starts": "08:00", "ends": "12:00", "jp": 4}]}, etag=make.tag(api, path), expect=409)
    assert (reply.code, reply.json["errors"][0]["value"]) == ("session-attended", last.isoformat())
    api.put(f"{path}/days", {"days": [{"day": last.isoformat(), "starts": "08:00", "ends": "12:00", "jp": 4}]}, etag=make.tag(api, path))
    api.patch(path, {"ends_on": (last + timedelta(days=9)).isoformat()}, etag="*")


def test_other_hours_of_a_programme_move_nobody_who_went_through(api, office):
    programme = make.programme(api, jp=20)
    session = make.session(api, programme["id"], start=-2, length=3)
    people = {state: brought(api, office, *steps, session=session) for state, steps in HELD.items()}
    before = {state: (jp_of(api, e), total(api, nip, session)) for state, (_, nip, e) in people.items()}
    assert before["passed"] == (20, 20)
    api.patch(f"/v1/programmes/{programme['id']}", {"jp": 34}, etag="*")
    assert {state: (jp_of(api, e), total(api, nip, session)) for state, (_, nip, e) in people.items()} == before
    late = brought(api, office, "attending", session=session)[2]
    for enrolment in (people["completed"][2], late):
        assert move(api, enrolment, "passed").json["jp"] == 20, "of a session that was held all have the same"
    fresh = make.session(api, programme["id"], start=-1, length=4)
    assert brought(api, office, "attending", "passed", session=fresh)[1] and api.get(f"/v1/enrolments?session_id={fresh['id']}").json["data"][0]["jp"] == 34


def test_the_form_by_which_hours_count_stays(api, office, sql):
    programme = make.programme(api, form="B3")
    path = f"/v1/programmes/{programme['id']}"
    session = make.session(api, programme["id"], start=-2, length=3)
    api.patch(path, {"form": "B6"}, etag="*", expect=200)
    brought(api, office, "attending", "completed", session=session)
    assert api.patch(path, {"form": "B3"}, etag="*", expect=409).faults == {"/form": "programme-held"}
    api.patch(path, {"form": "B6", "name": "Judul lain"}, etag="*", expect=200)
    with pytest.raises(psycopg2.errors.RaiseException, match="people went through it"):
        sql("UPDATE programme SET form = 'B3' WHERE id = %s", (programme["id"],))


# ── a wrong result ──

@pytest.mark.parametrize("wrong, right", [("failed", "passed"), ("passed", "failed"), ("passed", "passed")])
def test_a_wrong_result_goes_back_with_a_reason(wrong, right, api, office, keys):
    session, nip, enrolment = brought(api, office, "attending", wrong)
    assert move(api, enrolment, "completed", expect=422).code == "reason-missing"
    unit = api.as_key(keys("training.read", "training.verify", "training.propose"))
    assert move(unit, enrolment, "completed", expect=403, reason="Nilai tertukar").code == "forbidden"
    back = move(api, enrolment, "completed", reason="Nilai tertukar").json
    assert (back["state"], back["reason"], back["jp"], total(api, nip, session)) == ("completed", "Nilai tertukar", None, 0)
    assert move(api, enrolment, right).json["jp"] == (20 if right == "passed" else None)
    assert total(api, nip, session) == (20 if right == "passed" else 0)
    told = [(s["from"], s["to"], s["reason"]) for s in api.get(f"/v1/enrolments/{enrolment['id']}/steps").json["data"]]
    assert told[-2:] == [(wrong, "completed", "Nilai tertukar"), ("completed", right, None)]


def test_where_attendance_is_all_the_hours_stay_with_the_correction(api, office):
    session, nip, enrolment = brought(api, office, "attending", "passed", attendance_only=True)
    assert move(api, enrolment, "completed", reason="Belum dinilai").json["jp"] == 20
    assert total(api, nip, session) == 20


def test_who_is_certified_goes_back_by_his_certificate(api, office):
    _, _, enrolment = brought(api, office, "attending", "passed", session=make.session(api, start=-2, length=3))
    certificate = api.post(f"/v1/enrolments/{enrolment['id']}/certificate").json
    assert move(api, enrolment, "completed", expect=409, reason="Nilai tertukar").code == "enrolment-state"
    path = f"/v1/issued-certificates/{certificate['id']}"
    api.post(f"{path}/revoke", {"reason": "Nilai tertukar"}, headers={"If-Match": make.tag(api, path)}, expect=200)
    move(api, enrolment, "completed", reason="Nilai tertukar")
    assert api.post(f"/v1/enrolments/{enrolment['id']}/certificate", expect=409).status == 409, "nothing is issued for who has not passed"


def test_what_is_on_its_way_to_bkn_is_not_taken_back(api, office):
    nip = make.person(api, office["id"])["nip"]
    make.siasn(api, nip)
    handover = make.handover(api, nip)
    enrolment = {"id": handover["enrolment_id"]}
    path = f"/v1/handovers/{handover['id']}"

    def report(state, **members):
        return api.post(f"{path}/report", {"state": state, **members}, headers={"If-Match": make.tag(api, path)})

    report("sent")
    assert move(api, enrolment, "completed", expect=409, reason="Keliru").code == "handover-sent"
    report("refused", message="Ditolak")
    move(api, enrolment, "completed", reason="Keliru")
