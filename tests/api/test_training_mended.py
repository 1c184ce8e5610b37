# SPDX-License-Identifier: Apache-2.0
"""Training, by somebody who means it otherwise: hours that move after the fact, one's own results, people who have left, groups of few, money from nowhere, rules in a
circle, a certificate written in other letters, and what a closed unit leaves behind."""
import time

import psycopg2
import pytest

from support import make, seats
from support.client import Client
from support.issuer import Issuer
from test_race import all_at_once, poster


@pytest.fixture(scope="module")
def issuer():
    made = Issuer()
    yield made
    made.close()


@pytest.fixture(scope="module")
def settings(issuer):
    return {"oidc_issuer": issuer.url, "oidc_audience": "asnd", "oidc_roles": "diklat=role:training_manager,pegawai=role:employee,semua=training.read training.propose training.verify training.write"}


def step(api, enrolment, what, body=None, expect=200):
    return api.post(f"/v1/enrolments/{enrolment['id']}/{what}", body, expect=expect)


def state(api, enrolment):
    return api.get(f"/v1/enrolments/{enrolment['id']}").json["state"]


def total(api, nip, session):
    return api.get(f"/v1/asn/{nip}/learning-hours?on={session['ends_on']}").json


def note(api, session, nip, presence, day, expect=200, **members):
    return api.post(f"/v1/sessions/{session['id']}/attendance", {"day": make.days(day)["starts_on"], "entries": [{"nip": nip, "presence": presence}], **members}, expect=expect)


# ── terms of what was held ──

@pytest.fixture
def held(api, office):
    """A seminar of three days that somebody has passed."""
    session = make.session(api, make.programme(api, form="B6")["id"], start=-2, length=3)
    nip = make.person(api, office["id"])["nip"]
    enrolment = make.enrol(api, session["id"], nip)
    step(api, enrolment, "attend")
    step(api, enrolment, "complete", {"result": "passed"})
    return session, nip, enrolment, f"/v1/sessions/{session['id']}/terms"


def test_by_what_hours_count_takes_a_reason_once_it_was_held(held, api, sql):
    session, nip, _, path = held
    assert total(api, nip, session)["total_jp"] == 12
    for change in ({"is_abroad": True}, {"amount": 2}):
        assert api.put(path, change, etag="*", expect=422).faults == {"/reason": "reason-missing"}, change
    assert total(api, nip, session)["total_jp"] == 12
    api.put(path, {"cost_per_head": 250000}, etag="*")
    told = api.put(path, {"amount": 2, "reason": "Hari ketiga tidak jadi"}, etag="*").json
    assert told["reason"] == "Hari ketiga tidak jadi" == api.get(path).json["reason"]
    assert total(api, nip, session)["total_jp"] == 8
    api.put(path, {"amount": 2, "cost_per_head": 5}, etag="*")  # without one
    for statement in ("UPDATE session_term SET is_abroad = true, reason = NULL WHERE session_id = %s", "DELETE FROM session_term WHERE session_id = %s"):
        with pytest.raises(psycopg2.errors.RaiseException, match="people went through it"):
            sql(statement, (session["id"],))


def test_hours_that_stand_on_a_certificate_stay(held, api, sql):
    session, nip, enrolment, path = held
    certificate = api.post(f"/v1/enrolments/{enrolment['id']}/certificate", expect=201).json
    assert api.put(path, {"is_abroad": True, "reason": "Ternyata di luar negeri"}, etag="*", expect=409).code == "terms-held"
    with pytest.raises(psycopg2.errors.RaiseException, match="known outside"):
        sql("INSERT INTO session_term (session_id, amount, reason) VALUES (%s, 1, 'Uji')", (session["id"],))
    api.put(path, {"cost_per_head": 7}, etag="*")
    api.post(f"/v1/issued-certificates/{certificate['id']}/revoke", {"reason": "Salah hari"}, headers={"If-Match": "*"})
    api.put(path, {"is_abroad": True, "reason": "Ternyata di luar negeri"}, etag="*")
    assert total(api, nip, session)["total_jp"] == 18


def test_a_session_is_not_more_than_its_days(api, office):
    session = make.session(api, make.programme(api, form="B6")["id"], length=3)
    path = f"/v1/sessions/{session['id']}/terms"
    assert api.put(path, {"amount": 3.01}, etag="*", expect=422).faults == {"/amount": "terms-days"}
    api.put(path, {"amount": 3}, etag="*")
    assert api.patch(f"/v1/sessions/{session['id']}", {"ends_on": session["starts_on"]}, etag="*", expect=422).code == "terms-days"
    counted_by_jp = make.session(api, make.programme(api, form="B3")["id"], length=3)
    api.put(f"/v1/sessions/{counted_by_jp['id']}/terms", {"amount": 900}, etag="*")
    assert api.patch(f"/v1/programmes/{counted_by_jp['programme_id']}", {"form": "B6"}, etag="*", expect=422).code == "terms-days"


# ── attendance, and who is no longer there ──

def test_hours_follow_attendance_that_is_corrected(api, office):
    session = make.session(api, make.programme(api, attendance_only=True, min_attendance=80)["id"], start=-1, length=2)
    nip = make.person(api, office["id"])["nip"]
    enrolment = make.enrol(api, session["id"], nip)
    for day in (-1, 0):
        note(api, session, nip, "present", day)
    assert step(api, enrolment, "complete", {}).json["jp"] == 20
    note(api, session, nip, "absent", 0, reason="Salah baca")
    assert api.get(f"/v1/enrolments/{enrolment['id']}").json["jp"] is None
    standing = total(api, nip, session)
    assert (standing["total_jp"], standing["forecast_jp"]) == (0, 0), "nor are they in sight, while the share is not reached"
    note(api, session, nip, "present", 0, reason="Memang hadir")
    assert total(api, nip, session)["total_jp"] == 20


@pytest.mark.parametrize("offer_hours", [None, 24])
def test_who_left_the_service_while_he_waited_gets_no_seat(offer_hours, api, office):
    session = make.session(api, capacity=1, offer_hours=offer_hours)
    people = [make.person(api, office["id"])["nip"] for _ in range(3)]
    seat, first, second = [make.enrol(api, session["id"], nip) for nip in people]
    api.patch(f"/v1/asn/{people[1]}", {"legal_status": "99"}, etag="*")
    step(api, seat, "cancel")
    assert [state(api, e) for e in (first, second)] == ["cancelled", "offered" if offer_hours else "approved"]
    last = api.get(f"/v1/enrolments/{first['id']}/steps?sort=-seq").json["data"][0]
    assert (last["to"], last["reason"], last["actor_name"]) == ("cancelled", "not-in-service", None)
    if offer_hours:
        api.patch(f"/v1/asn/{people[2]}", {"legal_status": "99"}, etag="*")
        assert state(api, second) == "cancelled", "an offer is a seat too"


# ── one's own ──

@pytest.fixture
def manager(daemon, issuer, api):
    """A training manager who is a person, and what he may do as anybody."""
    agency = make.unit(api, kind="instansi")
    person = make.person(api, agency["id"])
    claims = {"nip": person["nip"], "units": [agency["code"]], "exp": int(time.time()) + 8000}

    def of(role):
        return Client(daemon.url, issuer.token(realm_access={"roles": [role]}, **claims))
    return type("Manager", (), {"nip": person["nip"], "agency": agency, "as_role": staticmethod(of)})


@pytest.mark.parametrize("role", ["diklat", "semua"])
def test_nobody_decides_about_himself(role, manager, api):
    client, session = manager.as_role(role), make.session(api, start=-2, length=3)
    other = make.person(api, manager.agency["id"])["nip"]
    assert client.post("/v1/enrolments", {"session_id": session["id"], "nip": manager.nip}, expect=403).code == "own-record"
    mine = client.post(f"/v1/sessions/{session['id']}/nominations", {"nip": manager.nip, "route": "unit"}, expect=201).json
    assert mine["route"] == "self", "that much he may"
    theirs = client.post(f"/v1/sessions/{session['id']}/nominations", {"nip": other, "route": "unit"}, expect=201).json
    assert client.post(f"/v1/enrolments/{mine['id']}/move", {"to": "verified"}, expect=403).code == "own-record"
    assert client.post(f"/v1/enrolments/{theirs['id']}/move", {"to": "verified"}).json["state"] == "verified"
    step(api, mine, "move", {"to": "verified"})
    assert client.post(f"/v1/enrolments/{mine['id']}/move", {"to": "approved"}, expect=403).code == "own-record"
    assert client.post(f"/v1/enrolments/{mine['id']}/priority", {"priority": 9, "reason": "Penting"}, expect=403).code == "own-record"
    step(api, mine, "move", {"to": "approved"})
    reply = note(client, session, manager.nip, "present", 0, expect=403)
    assert (reply.code, list(reply.faults)) == ("own-record", ["/entries/0/nip"])
    note(api, session, manager.nip, "present", 0)
    for what, body in (("results", {"grade": 100}), ("complete", {"result": "passed"}), ("complete", {})):
        assert client.post(f"/v1/enrolments/{mine['id']}/{what}", body, expect=403).code == "own-record", what
    assert client.post(f"/v1/enrolments/{mine['id']}/move", {"to": "passed"}, expect=403).code == "own-record"
    assert state(api, mine) == "attending"
    api.post(f"/v1/enrolments/{mine['id']}/complete", {"result": "passed"})
    certificate = api.post(f"/v1/enrolments/{mine['id']}/certificate", expect=201).json
    if role == "diklat":
        assert client.post(f"/v1/issued-certificates/{certificate['id']}/reissue", {"reason": "Nama"}, headers={"If-Match": "*"}, expect=403).code == "own-record"


def test_what_a_person_may_of_his_own_enrolment_stays(manager, api):
    client = manager.as_role("pegawai")
    mine = client.post(f"/v1/sessions/{make.session(api)['id']}/nominations", {"nip": manager.nip, "route": "self"}, expect=201).json
    step(api, mine, "move", {"to": "verified"})
    step(api, mine, "move", {"to": "approved"})
    assert client.post(f"/v1/enrolments/{mine['id']}/move", {"to": "cancelled"}).json["state"] == "cancelled"


# ── what a programme asks ──

def test_a_course_that_is_to_come_is_not_passed(api, office):
    asked = make.programme(api)
    session = make.session(api, make.programme(api, prerequisites=[{"rule": "training", "programme": asked["code"]}])["id"])
    nip = make.person(api, office["id"])["nip"]
    make.course(api, nip, "2090-01-01", name=asked["name"], jp=10, form="B3")
    assert api.post("/v1/enrolments", {"session_id": session["id"], "nip": nip}, expect=409).faults == {"/nip": "prerequisite"}
    make.course(api, nip, "2020-01-01", name=asked["name"], jp=10, form="B3")
    make.enrol(api, session["id"], nip)


def test_programmes_that_ask_for_each_other_are_refused(api):
    first, second, third = (make.programme(api) for _ in range(3))

    def ask(one, other, expect=200):
        rules = [{"rule": "kind", "one_of": ["PNS"]}, {"rule": "training", "programme": other["code"]}]
        return api.patch(f"/v1/programmes/{one['id']}", {"prerequisites": rules}, etag="*", expect=expect)
    ask(first, second)
    ask(second, third)
    assert ask(third, first, expect=422).faults == {"/prerequisites": "prerequisite-circle"}
    renamed = api.patch(f"/v1/programmes/{second['id']}", {"code": f"{second['code']}-BARU"}, etag="*").json
    assert api.get(f"/v1/programmes/{first['id']}").json["prerequisites"] == [{"rule": "kind", "one_of": ["PNS"]}, {"rule": "training", "programme": renamed["code"]}]


# ── money and agreements ──

def test_no_more_is_taken_back_than_was_spent(api, sql):
    programme = make.programme(api)
    line, session = make.budget_line(api, programme["id"], planned=1000), make.session(api, programme["id"])
    path = f"/v1/budget-lines/{line['id']}/expenses"
    told = {"spent_on": f"{line['year']}-03-01", "amount": -300}
    assert api.post(path, told, expect=409).faults == {"/amount": "expense-returned"}
    make.expense(api, line["id"], amount=300)
    assert api.post(path, {**told, "session_id": session["id"]}, expect=409).code == "expense-returned", "for the session nothing was spent"
    api.post(path, told, expect=201)
    assert api.post(path, {**told, "amount": -0.01}, expect=409).code == "expense-returned"
    assert api.get(f"/v1/budget-lines/{line['id']}").json["remaining"] == 1000
    with pytest.raises(psycopg2.errors.RaiseException, match="more than was spent"):
        sql("INSERT INTO expense (id, budget_line_id, spent_on, amount) VALUES (gen_random_uuid(), %s, '2026-01-01', -1)", (line["id"],))


def test_money_of_another_year_is_told(api):
    programme = make.programme(api)
    session = make.session(api, programme["id"])
    year = int(session["starts_on"][:4])
    this, other = (make.budget_line(api, programme["id"], year=y) for y in (year, year - 1))
    path = f"/v1/sessions/{session['id']}/terms"
    assert api.put(path, {"cost_per_head": 5, "budget_line_id": other["id"]}, etag="*").json["warnings"] == ["other-year"] == api.get(path).json["warnings"]
    assert api.put(path, {"cost_per_head": 5, "budget_line_id": this["id"]}, etag="*").json["warnings"] == []
    assert make.expense(api, this["id"], spent_on=f"{year + 1}-01-01")["warnings"] == ["other-year"]
    assert make.expense(api, this["id"], spent_on=f"{year}-12-31")["warnings"] == []
    partner = make.partner(api)["id"]
    activity = make.activity(api, partner, budget_line_id=other["id"], starts_on=session["starts_on"], ends_on=session["ends_on"])
    assert activity["warnings"] == ["other-year"] == api.get(f"/v1/activities/{activity['id']}").json["warnings"]


def test_what_is_not_signed_yet_is_a_draft(api):
    partner, today = make.partner(api)["id"], make.today().isoformat()
    assert make.agreement(api, partner, signed_on=make.days(1)["starts_on"])["status"] == "draft"
    assert make.agreement(api, partner, signed_on=today)["status"] == "active"


def test_nothing_is_done_before_it_has_begun(api):
    partner = make.partner(api)["id"]
    planned = make.activity(api, partner, **make.days(1))
    assert api.patch(f"/v1/activities/{planned['id']}", {"state": "done"}, etag="*", expect=422).faults == {"/state": "activity-early"}
    assert api.patch(f"/v1/activities/{planned['id']}", {"state": "done", **make.days(0)}, etag="*").json["state"] == "done"
    assert api.patch(f"/v1/activities/{planned['id']}", make.days(1), etag="*", expect=422).code == "activity-early"


# ── one certificate in other letters ──

@pytest.mark.parametrize("number", ["١٢/PD/2025", "12/РD/2025", "Nº 12/PD/2025", "12\u2215PD\u22152025", "１２/ＰＤ/２０２５", "12/\u200bPD/2025"])
def test_a_number_in_letters_that_look_alike_is_the_same(number, api, office):
    nip = make.person(api, office["id"])["nip"]
    told = {"nip": nip, "organiser": "LAN RI", "name": "Kursus", "form": "B3", "jp": 5, "starts_on": "2025-03-01", "ends_on": "2025-03-02", "proof_reference": "Surat 1"}
    api.post("/v1/external-certificates", {**told, "number": "12/PD/2025"}, expect=201)
    assert api.post("/v1/external-certificates", {**told, "number": number}, expect=409).code == "certificate-known"
    assert api.post("/v1/external-certificates", {**told, "number": "12/PD/2025", "organiser": "LΑΝ RІ"}, expect=409).code == "certificate-known"


# ── a closed unit ──

@pytest.fixture
def reform(api):
    """A unit that organises one of each, a quota of it in a session, and two units that could take over."""
    root = make.unit(api, kind="instansi")["id"]
    gone, heir, fresh = (make.unit(api, root, kind="dinas") for _ in range(3))
    whose = {"organiser_unit_id": gone["id"]}
    programme = make.programme(api, prerequisites=[{"rule": "unit", "under": gone["id"]}], **whose)
    partner = make.partner(api, **whose)
    rows = {"programmes": programme, "partners": partner, "sessions": make.session(api, programme["id"], **whose), "agreements": make.agreement(api, partner["id"], **whose),
            "activities": make.activity(api, partner["id"], **whose), "budget-lines": make.budget_line(api, programme["id"], **whose)}
    open_to_all = make.session(api, capacity=10)
    return {"gone": gone, "heir": heir, "fresh": fresh, "rows": rows, "session": open_to_all}


def quotas(api, session, told=None):
    path = f"/v1/sessions/{session['id']}/quotas"
    if told is not None:
        api.put(path, {"quotas": [{"unit_id": unit["id"], "seats": seats} for unit, seats in told]}, etag=make.tag(api, f"/v1/sessions/{session['id']}"))
    return {q["unit_id"]: (q["seats"], q["taken"]) for q in api.get(path).json["quotas"]}


def test_the_training_of_a_closed_unit_follows_its_successor(reform, api):
    gone, heir = reform["gone"], reform["heir"]
    closed = api.post(f"/v1/units/{gone['id']}/close", {"successor_id": heir["id"]}).json
    assert closed["trainings"] == len(reform["rows"]) == 6
    assert {api.get(f"/v1/{what}/{row['id']}").json["organiser_unit_id"] for what, row in reform["rows"].items()} == {heir["id"]}
    assert api.get(f"/v1/programmes/{reform['rows']['programmes']['id']}").json["prerequisites"] == [{"rule": "unit", "under": heir["id"]}]


def test_quotas_of_a_closed_unit_are_added_to_those_of_its_successor(reform, api):
    gone, heir, session = reform["gone"], reform["heir"], reform["session"]
    quotas(api, session, [(gone, 1), (heir, 2)])
    mine, waiting = (make.enrol(api, session["id"], make.person(api, gone["id"])["nip"]) for _ in range(2))
    theirs = make.enrol(api, session["id"], make.person(api, heir["id"])["nip"])
    assert [state(api, e) for e in (mine, waiting, theirs)] == ["approved", "waitlisted", "approved"]
    api.post(f"/v1/units/{gone['id']}/close", {"successor_id": heir["id"]})
    assert quotas(api, session) == {heir["id"]: (3, 3)}
    assert state(api, waiting) == "approved", "together there is room"
    assert make.enrol(api, session["id"], make.person(api, heir["id"])["nip"])["state"] == "waitlisted"


def test_a_unit_made_of_two_has_the_quotas_of_both(reform, api):
    one, two, fresh, session = reform["gone"], reform["heir"], reform["fresh"], reform["session"]
    quotas(api, session, [(one, 1), (two, 2)])
    make.enrol(api, session["id"], make.person(api, one["id"])["nip"])
    api.post(f"/v1/units/{fresh['id']}/merge", {"sources": [one["id"], two["id"]]})
    assert quotas(api, session) == {fresh["id"]: (3, 1)}


def test_who_has_moved_away_is_counted_for_the_successor(reform, api, keys, office, database):
    gone, heir, session = reform["gone"], reform["heir"], reform["session"]
    quotas(api, session, [(gone, 2), (heir, 1)])
    nip = make.person(api, gone["id"])["nip"]
    make.enrol(api, session["id"], nip)
    api.patch(f"/v1/asn/{nip}", {"unit_id": office["id"]}, etag="*", expect=200)
    bound = api.as_key(keys("unit.write", "asn.write", units=[api.get(f"/v1/units/{gone['parent_id']}").json["code"]]))
    bound.post(f"/v1/units/{gone['id']}/close", {"successor_id": heir["id"]}, expect=200)
    assert quotas(api, session) == {heir["id"]: (3, 1)}, "as when he was enrolled, though the caller sees him no more"


def test_a_unit_is_closed_while_its_people_come_and_go(reform, api, database):
    gone, heir, session = reform["gone"], reform["heir"], reform["session"]
    quotas(api, session, [(gone, 3), (heir, 3)])
    crowd = [make.person(api, unit["id"])["nip"] for unit in (gone, heir) for _ in range(12)]
    seated = [make.enrol(api, session["id"], nip) for nip in crowd[::2]]
    calls = [poster(api, "/v1/enrolments", {"session_id": session["id"], "nip": nip}) for nip in crowd[1::2]]
    calls += [poster(api, f"/v1/enrolments/{e['id']}/cancel") for e in seated if e["state"] == "approved"]
    calls.insert(len(calls) // 2, poster(api, f"/v1/units/{gone['id']}/close", {"successor_id": heir["id"]}))
    replies = all_at_once(calls)
    assert {r.status_code for r in replies} <= {200, 201}, [r.text[:300] for r in replies if r.status_code > 201]
    assert quotas(api, session) == {heir["id"]: (6, 6)}
    assert seats.check(database, session["id"]) == (6, 12)


def test_a_closed_unit_gets_no_training(reform, api):
    gone, heir, session = reform["gone"], reform["heir"], reform["session"]
    api.post(f"/v1/units/{gone['id']}/close", {"successor_id": heir["id"]})
    reply = api.post("/v1/partners", {"name": f"Mitra {make.number()}", "kind": "private", "organiser_unit_id": gone["id"]}, expect=409)
    assert reply.faults == {"/organiser_unit_id": "unit-closed"} and heir["code"] in reply.text
    row = reform["rows"]["sessions"]
    assert api.patch(f"/v1/sessions/{row['id']}", {"organiser_unit_id": gone["id"]}, etag="*", expect=409).code == "unit-closed"
    path = f"/v1/sessions/{session['id']}"
    reply = api.put(f"{path}/quotas", {"quotas": [{"unit_id": gone["id"], "seats": 1}]}, etag=make.tag(api, path), expect=409)
    assert reply.faults == {"/quotas/0/unit_id": "unit-closed"} and heir["code"] in reply.text


# ── certificates before their time, and words ──

def test_a_certificate_waits_for_the_last_day(api, office):
    session = make.session(api, start=-1, length=3)
    enrolment = make.passed(api, office["id"], session)
    for path in (f"enrolments/{enrolment['id']}/certificate", f"sessions/{session['id']}/certificates"):
        assert api.post(f"/v1/{path}", expect=422).code == "certificate-early", path
    today = make.session(api, start=-2, length=3)
    api.post(f"/v1/enrolments/{make.passed(api, office['id'], today)['id']}/certificate", expect=201)


def test_an_indonesian_reader_is_told_in_indonesian(api, office):
    def told(path, body):
        return api.post(path, body, headers={"Accept-Language": "id"}, expect=409).json["detail"]
    asked, nip = make.programme(api), make.person(api, office["id"])["nip"]
    session = make.session(api, make.programme(api, prerequisites=[{"rule": "training", "programme": asked["code"]}])["id"])
    words = told("/v1/enrolments", {"session_id": session["id"], "nip": nip})
    assert "(pelatihan)" in words and f"diperlukan lulus {asked['code']}, pegawai ini belum pernah ikut" in words
    seat = make.enrol(api, make.session(api)["id"], nip)
    assert told(f"/v1/enrolments/{seat['id']}/move", {"to": "passed"}) == "Dari ditetapkan (approved) hanya menjadi mengikuti (attending), batal (cancelled), tidak hadir (no_show)."


# ── what a newcomer looks for ──

def test_who_was_in_a_programme_and_what_a_unit_organises(api, office):
    programme = make.programme(api)
    sessions = [make.session(api, programme["id"], start=30 + 5 * n, organiser_unit_id=office["id"] if n else None) for n in range(2)]
    nip = make.person(api, office["id"])["nip"]
    made = [make.enrol(api, s["id"], nip)["id"] for s in sessions]
    make.enrol(api, make.session(api, start=60)["id"], nip)
    assert [e["id"] for e in api.get(f"/v1/enrolments?programme_id={programme['id']}").json["data"]] == made
    assert [s["id"] for s in api.get(f"/v1/sessions?organiser_unit_id={office['id']}&programme_id={programme['id']}").json["data"]] == [sessions[1]["id"]]


def test_what_was_told_before_there_was_a_rule_can_still_be_mended(api, sql):
    """Rows of before: only what changes is judged."""
    one, other, partner = make.programme(api), make.programme(api), make.partner(api)["id"]
    session, activity = make.session(api, make.programme(api, form="B6")["id"]), make.activity(api, partner, **make.days(5))
    for statement in (f"UPDATE programme SET prerequisites = '[{{\"rule\": \"training\", \"programme\": \"{other['code']}\"}}]' WHERE id = '{one['id']}'",
                      f"UPDATE programme SET prerequisites = '[{{\"rule\": \"training\", \"programme\": \"{one['code']}\"}}]' WHERE id = '{other['id']}'",
                      f"UPDATE activity SET state = 'done' WHERE id = '{activity['id']}'",
                      f"INSERT INTO session_term (session_id, amount) VALUES ('{session['id']}', 900)"):
        sql(f"SET session_replication_role = replica; {statement} RETURNING 1")
    api.patch(f"/v1/programmes/{one['id']}", {"name": "Nama lain"}, etag="*", expect=200)
    api.patch(f"/v1/activities/{activity['id']}", {"title": "Judul lain"}, etag="*", expect=200)
    api.put(f"/v1/sessions/{session['id']}/terms", {"amount": 900, "cost_per_head": 5}, etag="*", expect=200)
