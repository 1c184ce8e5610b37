# SPDX-License-Identifier: Apache-2.0
"""What is still to come of a training: the days of one that was completed early, the seat of who has left the service, hours of a day that has not come; and numbers that
differ by noughts."""
import uuid
from datetime import timedelta

import psycopg2
import pytest

from support import make, seats
from test_changes import position, read


def step(api, enrolment, what, body=None, expect=200):
    return api.post(f"/v1/enrolments/{enrolment['id']}/{what}", body, expect=expect)


def state(api, enrolment):
    return api.get(f"/v1/enrolments/{enrolment['id']}").json["state"]


def day(ahead):
    return (make.today() + timedelta(days=ahead)).isoformat()


def leave(api, nip, status="99"):
    return api.patch(f"/v1/asn/{nip}", {"legal_status": status}, etag="*")


# ── completed before its last day ──

@pytest.fixture
def early(api, office):
    """Somebody who attends a session two days of which are still to come."""
    nip = make.person(api, office["id"])["nip"]
    session = make.session(api, start=-1, length=4)
    enrolment = make.enrol(api, session["id"], nip)
    step(api, enrolment, "attend")
    return nip, session, enrolment


@pytest.mark.parametrize("body", [{}, {"result": "passed"}, {"result": "failed"}])
def test_who_completed_early_is_in_it_until_its_last_day(body, early, api):
    nip, session, enrolment = early
    step(api, enrolment, "complete", body)
    reply = api.post("/v1/enrolments", {"session_id": make.session(api, start=2)["id"], "nip": nip}, expect=409)
    (fault,) = reply.json["errors"]
    assert (reply.code, fault["value"]) == ("session-overlap", enrolment["id"])
    assert session["title"] in fault["detail"] and session["ends_on"] in fault["detail"]
    assert make.enrol(api, make.session(api, start=3)["id"], nip)["state"] == "approved"


def test_a_proposal_is_held_against_it_when_it_is_approved(early, api, sql):
    nip, _, enrolment = early
    other = make.session(api, start=1)
    proposed = api.post(f"/v1/sessions/{other['id']}/nominations", {"nip": nip, "route": "unit"}, expect=201).json
    step(api, proposed, "move", {"to": "verified"})
    step(api, enrolment, "complete", {"result": "passed"})
    assert step(api, proposed, "move", {"to": "approved"}, expect=409).code == "session-overlap"
    with pytest.raises(psycopg2.errors.RaiseException, match="is elsewhere"):
        sql("UPDATE enrolment SET state = 'approved' WHERE id = %s", (proposed["id"],))


def test_no_other_session_moves_onto_it(early, api):
    nip, _, enrolment = early
    later = make.session(api, start=6)
    make.enrol(api, later["id"], nip)
    step(api, enrolment, "complete", {"result": "passed"})
    assert api.patch(f"/v1/sessions/{later['id']}", make.days(2), etag="*", expect=409).code == "session-overlap"
    assert api.patch(f"/v1/sessions/{later['id']}", make.days(3), etag="*").json["starts_on"] == day(3)


def test_what_is_over_takes_nobody_any_more(api, office, sql):
    nip = make.person(api, office["id"])["nip"]
    session = make.session(api, start=-1, length=2)
    make.passed(api, office["id"], session, {"nip": nip})
    enter = "SET asnd.today = '{}'; INSERT INTO enrolment (id, session_id, asn_id, state) SELECT '{}', '{}', a.id, 'approved' FROM asn a WHERE a.nip = '{}' RETURNING state"
    other = make.session(api, length=4, start=0)["id"]
    with pytest.raises(psycopg2.errors.RaiseException, match="is elsewhere"):
        sql(enter.format(day(0), uuid.uuid4(), other, nip))
    assert sql(enter.format(day(1), uuid.uuid4(), other, nip)) == [("approved",)]


def test_a_merge_does_not_bring_him_into_two_places(early, api, office):
    nip, _, enrolment = early
    step(api, enrolment, "complete", {"result": "passed"})
    twin = make.person(api, office["id"])["nip"]
    make.enrol(api, make.session(api, start=1)["id"], twin)
    assert api.post(f"/v1/asn/{twin}/merge", {"into": nip, "reason": "Terdaftar dua kali"}, expect=409).code == "session-overlap"


# ── who has left the service ──

@pytest.mark.parametrize("offer_hours", [None, 24])
def test_who_leaves_the_service_gives_up_the_seats_to_come(offer_hours, api, office, database, sql):
    session = make.session(api, capacity=1, offer_hours=offer_hours)
    gone, first, second = [make.person(api, office["id"])["nip"] for _ in range(3)]
    seat, next_one, last = [make.enrol(api, session["id"], nip) for nip in (gone, first, second)]
    after = position(api)
    changed = leave(api, gone)
    given = "offered" if offer_hours else "approved"
    assert [state(api, e) for e in (seat, next_one, last)] == ["cancelled", given, "waitlisted"]
    assert seats.check(database, session["id"]) == (1, 1)
    seats.replay(database, session["id"])
    for enrolment, to, reason in ((seat, "cancelled", "not-in-service"), (next_one, given, None)):
        newest = api.get(f"/v1/enrolments/{enrolment['id']}/steps?sort=-seq").json["data"][0]
        assert (newest["to"], newest["reason"], newest["actor_name"]) == (to, reason, None)
    told = {c["id"] for c in read(api, after, "&entity=asn,enrolment")[0]}
    assert told == {seat["id"], next_one["id"], changed.json["id"]}, "the feed tells of him, of his seat and of whose it is now"
    noted = api.get(f"/v1/audit/entries?nip={gone}&entity=enrolment&action=update").json["data"]
    assert [(e["operation"], e["subject"], e["after"]["state"], e["after"]["reason"]) for e in noted] == [
        ("updateAsn", seat["id"], "cancelled", "not-in-service")]
    if offer_hours:
        leave(api, first)
        assert [state(api, e) for e in (next_one, last)] == ["cancelled", "offered"], "an offer is a seat too"


def test_who_comes_back_is_not_in_it_again(api, office):
    session, nip = make.session(api), make.person(api, office["id"])["nip"]
    enrolment = make.enrol(api, session["id"], nip)
    leave(api, nip)
    leave(api, nip, "01")
    assert state(api, enrolment) == "cancelled"
    assert make.enrol(api, session["id"], nip)["state"] == "approved", "but he may be anew"


def test_what_has_begun_and_what_keeps_him_in_service_stay(api, office):
    nip = make.person(api, office["id"])["nip"]
    begun, attended, ahead = make.session(api, start=-1, length=2), make.session(api, start=-6, length=12), make.session(api, start=9)
    stays = make.enrol(api, begun["id"], nip)
    comes = make.enrol(api, ahead["id"], nip)
    other = make.person(api, office["id"])["nip"]
    there = make.enrol(api, attended["id"], other)
    step(api, there, "attend")
    leave(api, nip, "15")
    assert [state(api, e) for e in (stays, comes)] == ["approved", "approved"]
    for one in (nip, other):
        leave(api, one, "03")
    assert [state(api, e) for e in (stays, comes, there)] == ["approved", "cancelled", "attending"], "of what has begun the office says how it ended"


def test_a_status_of_a_day_to_come_takes_the_seat_on_that_day(api, office, sql):
    nip = make.person(api, office["id"])["nip"]
    enrolment = make.enrol(api, make.session(api)["id"], nip)
    make.history(api, nip, "status", {"legal_status": "99"}, day(3))
    assert state(api, enrolment) == "approved"
    sql(f"SET asnd.today = '{day(3)}'; SELECT history_show_today()")
    assert state(api, enrolment) == "cancelled"


def test_who_is_merged_into_somebody_who_left_has_no_seat(api, office):
    gone, heir = [make.person(api, office["id"])["nip"] for _ in range(2)]
    session = make.session(api, capacity=1)
    enrolment, waits = make.enrol(api, session["id"], gone), make.enrol(api, session["id"], make.person(api, office["id"])["nip"])
    leave(api, heir)
    api.post(f"/v1/asn/{gone}/merge", {"into": heir, "reason": "Terdaftar dua kali"})
    assert [state(api, e) for e in (enrolment, waits)] == ["cancelled", "approved"]


def test_seats_of_who_no_longer_serves_by_another_list_are_given_up_too(api, office, sql):
    """Of whom nothing was written: what a status means has changed."""
    nip = make.person(api, office["id"], legal_status="16")["nip"]
    enrolment = make.enrol(api, make.session(api)["id"], nip)
    change = "UPDATE reference SET facts = facts || '{{\"in_service\": {}}}' WHERE list = 'legal-status' AND code = '16'"
    sql(change.format("false"))
    try:
        assert state(api, enrolment) == "approved"
        assert sql("SELECT seats_give_up()") == [(1,)]
        assert state(api, enrolment) == "cancelled" and sql("SELECT seats_give_up()") == [(0,)]
    finally:
        sql(change.format("true"))


# ── hours of a day that has not come ──

def hours(api, nip, on):
    told = api.get(f"/v1/asn/{nip}/learning-hours?on={on}").json
    again = api.get(f"/v1/asn/{nip}/learning-hours/recount?on={on}").json
    assert again["agrees"] and again["total_jp"] == told["total_jp"], again
    return told["total_jp"], told["forecast_jp"]


@pytest.mark.parametrize("until", [None, 3])
def test_a_course_counts_from_its_last_day(until, api, office, sql):
    nip = make.person(api, office["id"])["nip"]
    first, last = (2, 2) if until is None else (0, until - 1)
    make.course(api, nip, day(first), form="B3", jp=8, name="Kursus", **({} if until is None else {"to": day(until)}))
    assert hours(api, nip, day(last)) == (0, 8)
    assert [e["is_forecast"] for e in api.get(f"/v1/asn/{nip}/learning-entries").json["data"]] == [True]
    sql(f"SET asnd.today = '{day(last - 1)}'; SELECT history_show_today()")
    assert hours(api, nip, day(last)) == (0, 8)
    sql(f"SET asnd.today = '{day(last)}'; SELECT history_show_today()")
    assert hours(api, nip, day(last)) == (8, 0)


def test_a_course_that_ends_today_counts_and_one_that_moves_away_no_more(api, office):
    nip = make.person(api, office["id"])["nip"]
    row = make.course(api, nip, day(-1), form="B3", jp=8, name="Kursus", to=day(1))
    assert hours(api, nip, day(0)) == (8, 0)
    path = f"/v1/asn/{nip}/history/{row['id']}"
    told = {"kind": "course", "facts": row["facts"], "reason": "Salah hari"}
    api.put(path, {**told, "from": day(1), "to": day(5)}, etag=make.tag(api, path))
    assert hours(api, nip, day(4)) == (0, 8)
    api.put(path, {**told, "from": day(-1), "to": day(0)}, etag=make.tag(api, path))
    assert hours(api, nip, day(-1)) == (8, 0)


def test_hours_of_a_session_that_was_passed_early_wait_too(early, api, sql):
    nip, session, enrolment = early
    step(api, enrolment, "complete", {"result": "passed"})
    assert hours(api, nip, session["ends_on"]) == (0, 20)
    sql(f"SET asnd.today = '{session['ends_on']}'; SELECT history_show_today()")
    assert hours(api, nip, session["ends_on"]) == (20, 0)


# ── noughts before a number ──

def test_noughts_before_a_number_are_asked_about_and_refused_to_nobody(api, keys, office):
    nip = make.person(api, office["id"])["nip"]
    portal = api.as_key(keys("certificate.submit", "certificate.read"))
    bureau = api.as_key(keys("certificate.verify", "certificate.read"))
    made = [make.external(portal, nip, number=number, name=name, starts_on=first, ends_on=first)
            for number, name, first in (("0012/PD/2025", "Pelatihan Arsip", "2025-03-03"), ("12/PD/2025", "Diklat kearsipan", "2025-05-05"),
                                        ("120/PD/2025", "Seminar", "2025-06-05"), ("12/PD0/2025", "Lokakarya", "2025-07-05"))]
    doubles = [[d["id"] for d in bureau.get(f"/v1/external-certificates/{m['id']}").json["doubles"]] for m in made]
    assert doubles == [[made[1]["id"]], [made[0]["id"]], [], []]
    for m in made:
        bureau.post(f"/v1/external-certificates/{m['id']}/verify", {"reason": "Cocok"}, headers={"If-Match": "*"})
    notes = {e["name"]: "maybe-duplicate" in e["notes"] for e in api.get(f"/v1/asn/{nip}/learning-entries?year=2025").json["data"]}
    assert notes == {"Pelatihan Arsip": False, "Diklat kearsipan": True, "Seminar": False, "Lokakarya": False}
    assert hours(api, nip, "2025-12-31")[0] == 96, "all of them count"
    assert make.external(portal, nip, number="No. 12 P.D. 2025", expect=409).code == "certificate-known"
