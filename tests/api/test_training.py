# SPDX-License-Identifier: Apache-2.0
"""Programmes, sessions, enrolments: seats, waiting list, order of states, learning hours."""
import pytest

from support import make


@pytest.fixture(scope="module")
def people(api, office):
    return [make.person(api, office["id"])["nip"] for _ in range(12)]


def act(api, enrolment_id, verb, body=None, expect=200):
    return api.post(f"/v1/enrolments/{enrolment_id}/{verb}", body, expect=expect)


def session_of(api, session_id):
    return api.get(f"/v1/sessions/{session_id}").json


def test_a_programme_is_made_read_changed(api):
    programme = make.programme(api)
    path = f"/v1/programmes/{programme['id']}"
    assert api.get(path).json == programme
    changed = api.patch(path, {"jp": 24, "is_active": False}, etag=f'"{programme["version"]}"').json
    assert (changed["jp"], changed["is_active"], changed["name"]) == (24, False, programme["name"])
    assert "/code" in api.post("/v1/programmes", {**{k: programme[k] for k in ("code", "name", "form", "family", "jp", "organiser")}}, expect=409).faults
    reply = api.post("/v1/sessions", {"programme_id": programme["id"], "title": "Angkatan", "capacity": 5, **make.days()}, expect=(409, 422))
    assert "/programme_id" in reply.faults, "an inactive programme gets no sessions"


FAULTY_SESSIONS = {
    "ends-before-it-starts": {"starts_on": "2030-05-03", "ends_on": "2030-05-01"},
    "no-seats": {"capacity": 0},
    "seats-are-text": {"capacity": "10"},
    "seats-are-a-fraction": {"capacity": 10.5},
    "seats-too-many": {"capacity": 99999999999},
    "programme-not-there": {"programme_id": "0190ffff-ffff-7fff-bfff-ffffffffffff"},
    "no-day": {"starts_on": "2030-02-30"},
    "infinity": {"ends_on": "infinity"},
}


@pytest.mark.parametrize("case", FAULTY_SESSIONS.keys())
def test_a_faulty_session_is_refused(case, api):
    body = {"programme_id": make.programme(api)["id"], "title": "Angkatan", "capacity": 5, **make.days(), **FAULTY_SESSIONS[case]}
    reply = api.post("/v1/sessions", body, expect=(409, 422))
    assert reply.json["errors"], reply


def test_seats_then_waiting_list_then_promotion_in_order(api, people):
    session = make.session(api, capacity=2, start=100)
    enrolments = [make.enrol(api, session["id"], nip) for nip in people[:6]]
    assert [e["state"] for e in enrolments] == ["approved"] * 2 + ["waitlisted"] * 4
    assert [e["queue_place"] for e in enrolments] == [None, None, 1, 2, 3, 4]
    now = session_of(api, session["id"])
    assert (now["seats_taken"], now["waiting"]) == (2, 4)

    act(api, enrolments[3]["id"], "cancel")  # second in the queue leaves: nobody moves up
    assert session_of(api, session["id"])["waiting"] == 3
    act(api, enrolments[0]["id"], "cancel")  # a seat: the first in the queue gets it
    states = [api.get(f"/v1/enrolments/{e['id']}").json["state"] for e in enrolments]
    assert states == ["cancelled", "approved", "approved", "cancelled", "waitlisted", "waitlisted"]
    grown = api.patch(f"/v1/sessions/{session['id']}", {"capacity": 3}, etag=f'"{session["version"]}"').json
    assert (grown["capacity"], grown["seats_taken"]) == (3, 3)
    states = [api.get(f"/v1/enrolments/{e['id']}").json["state"] for e in enrolments]
    assert states == ["cancelled", "approved", "approved", "cancelled", "approved", "waitlisted"]
    # Who comes now stands behind; who left comes back to the end.
    back = make.enrol(api, session["id"], people[0])
    assert (back["state"], back["queue_place"]) == ("waitlisted", 5)
    listed = api.get(f"/v1/enrolments?session_id={session['id']}&state=waitlisted&sort=queue_place").json["data"]
    assert [e["queue_place"] for e in listed] == [4, 5]


def test_one_person_once_in_a_session(api, people):
    session = make.session(api, start=200)
    make.enrol(api, session["id"], people[0])
    reply = api.post("/v1/enrolments", {"session_id": session["id"], "nip": people[0]}, expect=409)
    assert reply.code != "conflict", f"a code of its own is wanted: {reply}"


def test_nobody_is_in_two_places_at_once(api, people):
    first = make.session(api, start=300, length=5)
    second = make.session(api, start=304, length=2)
    third = make.session(api, start=305, length=2)
    enrolment = make.enrol(api, first["id"], people[1])
    api.post("/v1/enrolments", {"session_id": second["id"], "nip": people[1]}, expect=409)
    make.enrol(api, third["id"], people[1])
    act(api, enrolment["id"], "cancel")
    reply = api.post("/v1/enrolments", {"session_id": second["id"], "nip": people[1]}, expect=409)
    assert reply.status == 409, "the third still overlaps the second's last day"


REFUSED = {
    "session-not-there": ({"session_id": "0190ffff-ffff-7fff-bfff-ffffffffffff"}, "/session_id"),
    "person-not-there": ({"nip": "199912312022031998"}, "/nip"),
    "nip-no-nip": ({"nip": "12345"}, "/nip"),
}


@pytest.mark.parametrize("case", REFUSED.keys())
def test_a_faulty_enrolment_is_refused(case, api, people):
    members, pointer = REFUSED[case]
    session = make.session(api, start=400)
    reply = api.post("/v1/enrolments", {"session_id": session["id"], "nip": people[2], **members}, expect=(409, 422))
    assert pointer in reply.faults, reply


def test_a_session_that_is_over_takes_nobody(api, people):
    over = make.session(api, start=-10, length=3)
    api.post("/v1/enrolments", {"session_id": over["id"], "nip": people[2]}, expect=(409, 422))
    cancelled = make.session(api, start=410)
    api.patch(f"/v1/sessions/{cancelled['id']}", {"state": "cancelled"}, etag=f'"{cancelled["version"]}"')
    api.post("/v1/enrolments", {"session_id": cancelled["id"], "nip": people[2]}, expect=(409, 422))


def test_who_is_not_in_service_is_not_enrolled(api, office):
    retired = make.person(api, office["id"], legal_status="99")
    session = make.session(api, start=420)
    api.post("/v1/enrolments", {"session_id": session["id"], "nip": retired["nip"]}, expect=(409, 422))


def test_a_cancelled_session_lets_everybody_go(api, people):
    session = make.session(api, capacity=1, start=500)
    enrolments = [make.enrol(api, session["id"], nip) for nip in people[:3]]
    api.patch(f"/v1/sessions/{session['id']}", {"state": "cancelled"}, etag=f'"{session["version"]}"')
    assert {api.get(f"/v1/enrolments/{e['id']}").json["state"] for e in enrolments} == {"cancelled"}
    now = session_of(api, session["id"])
    assert (now["seats_taken"], now["waiting"], now["state"]) == (0, 0, "cancelled")
    api.patch(f"/v1/sessions/{session['id']}", {"state": "planned"}, etag=f'"{now["version"]}"', expect=409)


def test_seats_cannot_shrink_below_those_who_sit(api, people):
    session = make.session(api, capacity=3, start=510)
    for nip in people[:3]:
        make.enrol(api, session["id"], nip)
    reply = api.patch(f"/v1/sessions/{session['id']}", {"capacity": 2}, etag=f'"{session["version"]}"', expect=409)
    assert "/capacity" in reply.faults, reply


def test_a_session_that_has_not_begun_is_not_attended(api, people):
    session = make.session(api, start=520)
    enrolment = make.enrol(api, session["id"], people[3])
    act(api, enrolment["id"], "attend", expect=409)
    act(api, enrolment["id"], "no-show", expect=409)


# What may follow what. Every pair that is not here is refused.
STEPS = {"approved": {"attend", "no-show", "cancel"}, "attending": {"complete", "withdraw"}, "waitlisted": {"cancel"},
         "passed": set(), "failed": set(), "cancelled": set(), "no_show": set(), "withdrawn": set()}
WAYS = {"approved": [], "attending": ["attend"], "passed": ["attend", "complete"], "failed": ["attend", "fail"], "cancelled": ["cancel"],
        "no_show": ["no-show"], "withdrawn": ["attend", "withdraw"]}
BODY = {"complete": {"result": "passed"}, "fail": {"result": "failed"}}


def step(api, enrolment_id, verb, expect=200):
    return act(api, enrolment_id, "complete" if verb == "fail" else verb, BODY.get(verb), expect=expect)


@pytest.mark.parametrize("state", WAYS.keys())
@pytest.mark.parametrize("verb", ["attend", "no-show", "cancel", "complete", "withdraw"])
def test_the_order_of_states(state, verb, api, office):
    person = make.person(api, office["id"])
    session = make.session(api, start=-1, length=5, capacity=2)
    enrolment = make.enrol(api, session["id"], person["nip"])
    for way in WAYS[state]:
        step(api, enrolment["id"], way)
    assert api.get(f"/v1/enrolments/{enrolment['id']}").json["state"] == state
    step(api, enrolment["id"], verb, expect=200 if verb in STEPS[state] else 409)


def test_passing_gives_the_programmes_hours_and_they_are_summed(api, office):
    person = make.person(api, office["id"])
    programme = make.programme(api, jp=12)
    year = make.today().year
    for start, body, jp in ((-10, {"result": "passed"}, 12), (-20, {"result": "passed", "jp": 7}, 7), (-30, {"result": "failed"}, None)):
        session = make.session(api, programme["id"], start=-1, length=3)
        enrolment = make.enrol(api, session["id"], person["nip"])
        act(api, enrolment["id"], "attend")
        # Into the past, so that the next one does not overlap.
        api.patch(f"/v1/sessions/{session['id']}", make.days(start), etag=api.get(f"/v1/sessions/{session['id']}").etag)
        done = act(api, enrolment["id"], "complete", body).json
        assert done["jp"] == jp
    hours = api.get(f"/v1/asn/{person['nip']}/learning-hours").json
    if make.today().timetuple().tm_yday > 30:  # all three ended this year
        assert (hours["year"], hours["total_jp"], hours["counted_jp"], hours["entries"]) == (year, 19, 19, 2)
        assert hours["is_floor_met"] is False, "K9 without its third certificate: 19 of 20"
    assert api.get(f"/v1/asn/{person['nip']}/learning-hours?year={year - 5}").json["total_jp"] == 0


def test_the_ceiling_of_contract_staff(api, office):
    """K6: 30 JP in the year of a PPPK: 24 count."""
    person = make.person(api, office["id"], kind="PPPK", nip=f"19950520202421{1}{make.number() % 900 + 50:03d}")
    session = make.session(api, make.programme(api, jp=30)["id"], start=-2, length=3)
    enrolment = make.enrol(api, session["id"], person["nip"])
    act(api, enrolment["id"], "attend")
    act(api, enrolment["id"], "complete", {"result": "passed"})
    hours = api.get(f"/v1/asn/{person['nip']}/learning-hours?year={session['ends_on'][:4]}").json
    assert (hours["total_jp"], hours["counted_jp"], hours["ceiling_jp"], hours["is_above_ceiling"]) == (30, 24, 24, True)


def test_session_filters(api):
    programme = make.programme(api)
    early, late = make.session(api, programme["id"], start=600), make.session(api, programme["id"], start=700, capacity=1)
    base = f"/v1/sessions?programme_id={programme['id']}"

    def ids(query=""):
        return {s["id"] for s in api.get(base + query).json["data"]}

    assert ids() == {early["id"], late["id"]}
    assert ids(f"&from={late['starts_on']}") == {late["id"]}
    assert ids(f"&to={early['starts_on']}") == {early["id"]}
    assert ids("&state=cancelled") == set()
    assert ids("&has_seats=true") == {early["id"], late["id"]}
