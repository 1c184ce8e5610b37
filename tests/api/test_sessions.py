# SPDX-License-Identifier: Apache-2.0
"""What programmes ask, sessions with timetable, quotas and offers, the queue explained, attendance and results."""
from datetime import datetime, timedelta, timezone

import pytest

from support import make


@pytest.fixture(scope="module")
def bureau(api):
    """Another unit than `office`, with a section below it."""
    unit = make.unit(api, kind="badan")
    return unit, make.unit(api, parent=unit["id"])


def state_of(api, enrolment):
    return api.get(f"/v1/enrolments/{enrolment['id']}").json["state"]


def move(api, enrolment, to, expect=200, **members):
    return api.post(f"/v1/enrolments/{enrolment['id']}/move", {"to": to, **members}, expect=expect)


def put(api, session, part, body, expect=200):
    path = f"/v1/sessions/{session['id']}"
    return api.put(f"{path}/{part}", body, etag=make.tag(api, path), expect=expect)


# ── the catalogue ──

def test_a_programme_tells_all_of_itself(api, office):
    told = {"kind": "8", "serves": [{"family": "manajerial", "competency": "integritas", "level_from": 2, "level_to": 3}], "target": "Kepala seksi",
            "materials": [{"title": "Modul 1", "url": "https://contoh.go.id/modul-1.pdf"}], "cost_per_head": 2500000, "accreditation": "A, LAN 12/2025",
            "accredited_until": "2030-12-31", "prerequisites": [{"rule": "unit", "under": office["id"]}], "for_cpns": True, "strict": ["on-leave"],
            "needs_test": True, "min_grade": 70.5, "min_attendance": 85}
    programme = make.programme(api, **told)
    assert {k: programme[k] for k in told} == told and programme["method"] == "klasikal"
    path = f"/v1/programmes/{programme['id']}"
    changed = api.patch(path, {"kind": None, "prerequisites": [], "min_grade": 60.0}, etag=make.tag(api, path)).json
    assert (changed["kind"], changed["prerequisites"], changed["min_grade"], changed["target"]) == (None, [], 60, "Kepala seksi")
    assert programme["id"] in {p["id"] for p in api.walk("/v1/programmes?kind=8")[0]} | {programme["id"]}
    assert api.get("/v1/programmes?kind=25").json["data"] == []


@pytest.mark.parametrize("members, pointer", [
    ({"kind": "99"}, "/kind"), ({"serves": [{"family": "teknis", "competency": "sulap", "level_from": 1, "level_to": 2}]}, "/serves"),
    ({"serves": [{"family": "teknis", "level_from": 3, "level_to": 2}]}, "/serves"), ({"prerequisites": [{"rule": "training", "programme": "NONE"}]}, "/prerequisites/0"),
    ({"prerequisites": [{"rule": "rank", "from": "III/a"}, {"rule": "rank", "from": "IX"}, {"rule": "training", "programme": "NONE"}]}, "/prerequisites/1"), ({"prerequisites": [{"rule": "rank"}]}, "/prerequisites/0"),
    ({"attendance_only": True, "needs_test": True}, "/attendance_only"), ({"strict": ["anything"]}, "/strict/0"), ({"min_attendance": 101}, "/min_attendance"),
    ({"materials": [{"title": "x", "url": "javascript:x"}]}, "/materials/0/url")])
def test_a_programme_of_what_is_not_there_is_refused(members, pointer, api):
    body = {"code": f"X{make.number()}", "name": "Salah", "form": "B3", "family": "teknis", "jp": 20, "organiser": "Uji", **members}
    assert any(where.startswith(pointer) for where in api.post("/v1/programmes", body, expect=422).faults)


LEAVE = {"grounds": "Mendampingi keluarga"}


def rules(api, office, bureau):
    basis = make.programme(api)
    return {
        "training": ({"rule": "training", "programme": basis["code"]}, {}, "passed " + basis["code"], "-"),
        "rank below": ({"rule": "rank", "from": "III/a", "to": "III/d"}, {"rank": "II/c", "rank_since": "2020-04-01"}, "III/a – III/d", "II/c"),
        "rank above": ({"rule": "rank", "to": "III/d"}, {"rank": "IV/a", "rank_since": "2020-04-01"}, "… – III/d", "IV/a"),
        "no rank": ({"rule": "rank", "from": "III/a"}, {}, "III/a – …", "-"),
        "position": ({"rule": "position_kind", "one_of": ["struktural", "fungsional"]}, {"position_kind": "pelaksana", "position": "Pengelola"}, "struktural, fungsional", "pelaksana"),
        "kind": ({"rule": "kind", "one_of": ["PPPK"]}, {}, "PPPK", "PNS"),
        "status": ({"rule": "legal_status", "one_of": ["01"]}, {"legal_status": "15"}, "01", "15"),
        "unit": ({"rule": "unit", "under": bureau[0]["id"]}, {}, bureau[0]["code"], office["code"]),
    }


@pytest.mark.parametrize("case", ["training", "rank below", "rank above", "no rank", "position", "kind", "status", "unit"])
def test_a_prerequisite_that_is_not_met_is_named_with_its_fact(case, api, office, bureau):
    rule, person, required, present = rules(api, office, bureau)[case]
    programme = make.programme(api, prerequisites=[{"rule": "kind", "one_of": ["PNS", "CPNS", "PPPK"]}, rule])
    session = make.session(api, programme["id"], start=-1, length=3)
    nip = make.person(api, office["id"], **person)["nip"]
    for path, body in (("/v1/enrolments", {"session_id": session["id"], "nip": nip}), (f"/v1/sessions/{session['id']}/nominations", {"nip": nip, "route": "self"})):
        reply = api.post(path, body, expect=409)
        (fault,) = reply.json["errors"]
        assert (reply.code, fault["pointer"], fault["value"]) == ("prerequisite", "/nip", present), reply
        assert "Rule 2" in fault["detail"] and required in fault["detail"] and programme["code"] in fault["detail"]
    assert "Syarat 2" in api.post("/v1/enrolments", {"session_id": session["id"], "nip": nip}, expect=409, headers={"Accept-Language": "id"}).json["detail"]
    draft = api.post(f"/v1/sessions/{session['id']}/nominations", {"nip": nip, "route": "self", "is_draft": True}).json
    assert move(api, draft, "proposed", expect=409).faults == {"/to": "prerequisite"}


def test_all_that_is_not_met_is_told_at_once(api, office):
    programme = make.programme(api, prerequisites=[{"rule": "kind", "one_of": ["PPPK"]}, {"rule": "rank", "from": "III/a"}])
    session = make.session(api, programme["id"])
    reply = api.post("/v1/enrolments", {"session_id": session["id"], "nip": make.person(api, office["id"])["nip"]}, expect=409)
    assert [e["code"] for e in reply.json["errors"]] == ["prerequisite"] * 2


def test_prerequisites_that_are_met(api, office, bureau):
    basis = make.programme(api)
    wanted = [{"rule": "training", "programme": basis["code"]}, {"rule": "rank", "from": "III/a", "to": "III/d", "from_pppk": "IX"}, {"rule": "unit", "under": bureau[0]["id"]}]
    session = make.session(api, make.programme(api, prerequisites=wanted)["id"], start=10)
    nip = make.person(api, bureau[1]["id"], rank="III/b", rank_since="2022-04-01")["nip"]
    first = make.enrol(api, make.session(api, basis["id"], start=-2, length=4)["id"], nip)
    move(api, first, "attending")
    api.post("/v1/enrolments", {"session_id": session["id"], "nip": nip}, expect=409)
    api.post(f"/v1/enrolments/{first['id']}/complete", {"result": "passed"})
    make.enrol(api, session["id"], nip)
    pppk = make.person(api, bureau[1]["id"], kind="PPPK", nip=f"19920520202421{1}{make.number() % 900 + 50:03d}", rank="IX", rank_since="2024-03-01")["nip"]
    make.history(api, pppk, "course", {"name": basis["name"]}, "2020-02-03")
    make.enrol(api, session["id"], pppk)


def test_practice_warns_and_refuses_where_the_programme_is_strict(api, office):
    cpns = make.person(api, office["id"], kind="CPNS")["nip"]
    lax, hard, latsar = make.programme(api), make.programme(api, strict=["on-leave", "cpns-only-latsar"]), make.programme(api, for_cpns=True, strict=["cpns-only-latsar"])
    assert make.enrol(api, make.session(api, lax["id"], start=40)["id"], cpns)["warnings"] == ["cpns-only-latsar"]
    reply = api.post("/v1/enrolments", {"session_id": make.session(api, hard["id"], start=50)["id"], "nip": cpns}, expect=409)
    assert (reply.code, reply.json["errors"][0]["value"]) == ("cpns-only-latsar", hard["code"])
    assert make.enrol(api, make.session(api, latsar["id"], start=60)["id"], cpns)["warnings"] == []


@pytest.mark.parametrize("jp, length, timetable, warns", [(30, 3, None, False), (31, 3, None, True), (20, 3, 2, False), (21, 3, 2, True)])
def test_more_hours_than_the_days_hold_warn(jp, length, timetable, warns, api, office):
    """Ten a day, by the timetable's days where there is one: recalled, so a row."""
    session = make.session(api, make.programme(api, jp=jp)["id"], start=-1, length=length)
    if timetable:
        days = [{"day": make.days(n - 1)["starts_on"], "starts": "08:00", "ends": "16:00", "jp": 10} for n in range(timetable)]
        api.put(f"/v1/sessions/{session['id']}/days", {"days": days}, etag="*")
    made = make.enrol(api, session["id"], make.person(api, office["id"])["nip"])
    assert made["warnings"] == (["jp-per-day"] if warns else [])
    api.post(f"/v1/enrolments/{made['id']}/attend")
    limit = 10 * (timetable or length)
    done = api.post(f"/v1/enrolments/{made['id']}/complete", {"result": "passed", "jp": limit if warns else limit + 1}).json
    assert done["warnings"] == ([] if warns else ["jp-per-day"]), "what was gained counts, whatever was planned"


def test_the_hours_of_a_day_are_a_row(api, office, sql):
    sql("INSERT INTO training_day_limit VALUES ('2020-01-01', 7, 'uji', true)")
    try:
        programme = make.programme(api, jp=8)["id"]
        nip = make.person(api, office["id"])["nip"]
        assert make.enrol(api, make.session(api, programme, start=20, length=1)["id"], nip)["warnings"] == ["jp-per-day"]
        assert make.enrol(api, make.session(api, programme, start=30, length=2)["id"], nip)["warnings"] == []
        assert [(r["valid_from"], r["jp"], r["is_confirmed"]) for r in api.get("/v1/training-day-limits").json["data"]] == [("1900-01-01", 10, False), ("2020-01-01", 7, True)]
    finally:
        sql("DELETE FROM training_day_limit WHERE valid_from > '1900-01-01'")


def test_a_leave_on_its_days(api, office):
    nip = make.person(api, office["id"])["nip"]
    api.post(f"/v1/asn/{nip}/history", {"kind": "leave", "from": make.days(29)["starts_on"], "to": make.days(31)["starts_on"], "facts": LEAVE})
    assert make.enrol(api, make.session(api, start=30)["id"], nip)["warnings"] == ["on-leave"]
    assert make.enrol(api, make.session(api, start=40)["id"], nip)["warnings"] == []
    strict = make.programme(api, strict=["on-leave"])
    other = make.person(api, office["id"])["nip"]
    api.post(f"/v1/asn/{other}/history", {"kind": "leave", "from": make.days(29)["starts_on"], "facts": LEAVE})
    assert api.post("/v1/enrolments", {"session_id": make.session(api, strict["id"], start=30)["id"], "nip": other}, expect=409).code == "on-leave"


# ── days and hours ──

def test_a_clash_names_the_other_enrolment(api, office):
    nip = make.person(api, office["id"])["nip"]
    first = make.session(api, start=70)
    enrolment = make.enrol(api, first["id"], nip)
    reply = api.post("/v1/enrolments", {"session_id": make.session(api, start=71)["id"], "nip": nip}, expect=409)
    (fault,) = reply.json["errors"]
    assert (reply.code, fault["value"]) == ("session-overlap", enrolment["id"])
    assert first["title"] in fault["detail"] and first["starts_on"] in fault["detail"]


def test_by_their_hours_two_sessions_of_one_day_need_not_clash(api, office):
    nip = make.person(api, office["id"])["nip"]
    morning, evening = make.session(api, start=80, length=2), make.session(api, start=80, length=2)
    days = [morning["starts_on"], morning["ends_on"]]
    put(api, morning, "days", {"days": [{"day": d, "starts": "08:00", "ends": "12:00", "jp": 5} for d in days]})
    put(api, evening, "days", {"days": [{"day": d, "starts": "12:00", "ends": "16:00", "jp": 5} for d in days]})
    make.enrol(api, morning["id"], nip)
    make.enrol(api, evening["id"], nip)
    reply = put(api, evening, "days", {"days": [{"day": days[0], "starts": "11:59", "ends": "16:00", "jp": 5}]}, expect=409)
    assert reply.code == "session-overlap"
    told = api.get(f"/v1/sessions/{evening['id']}/days").json
    assert [d["starts"] for d in told["days"]] == ["12:00", "12:00"], "what is refused changes nothing"
    reply = put(api, evening, "days", {"days": []}, expect=409)
    assert reply.code == "session-overlap", "without a timetable it takes all its days"


@pytest.mark.parametrize("parts, pointer", [
    ([("2031-01-06", "08:00", "12:00")], "/days/0/day"), ([("2031-01-07", "12:00", "08:00")], "/days/0/ends"), ([("2031-01-07", "12:00", "12:00")], "/days/0/ends"),
    ([("2031-01-07", "08:00", "12:00"), ("2031-01-07", "11:00", "13:00")], "/days/1/day")])
def test_a_timetable_that_cannot_be(parts, pointer, api):
    session = make.session(api, starts_on="2031-01-07", ends_on="2031-01-08")
    reply = put(api, session, "days", {"days": [{"day": d, "starts": s, "ends": e, "jp": 5} for d, s, e in parts]}, expect=409)
    assert reply.faults == {pointer: "session-timetable"}


def test_a_session_does_not_move_away_from_under_its_timetable(api):
    session = make.session(api, starts_on="2031-02-03", ends_on="2031-02-05")
    path = f"/v1/sessions/{session['id']}"
    told = put(api, session, "days", {"days": [{"day": "2031-02-05", "starts": "08:00", "ends": "12:00", "jp": 5}]})
    assert told.json["version"] == session["version"] + 1 and told.etag == make.tag(api, f"{path}/days")
    assert api.patch(path, {"ends_on": "2031-02-04"}, etag=told.etag, expect=409).code == "session-timetable"
    api.put(f"{path}/days", {"days": []}, etag='"1"', expect=412)


# ── registration, cancelling ──

def moment(**ahead):
    return (datetime.now(timezone.utc) + timedelta(**ahead)).strftime("%Y-%m-%dT%H:%M:%SZ")


@pytest.mark.parametrize("window, status", [
    ({"registration_opens": moment(days=1)}, 409), ({"registration_closes": moment(days=-1)}, 409),
    ({"registration_opens": moment(days=-1), "registration_closes": moment(days=1)}, 201)])
def test_people_register_in_the_time_for_it(window, status, api, office):
    session = make.session(api, start=90, **window)
    reply = api.post("/v1/enrolments", {"session_id": session["id"], "nip": make.person(api, office["id"])["nip"]}, expect=status)
    assert status == 201 or reply.code == "registration-closed"


def test_registration_closes_after_it_opens(api):
    session = make.session(api)
    reply = api.patch(f"/v1/sessions/{session['id']}", {"registration_opens": moment(days=2), "registration_closes": moment(days=1)},
                      etag=make.tag(api, f"/v1/sessions/{session['id']}"), expect=422)
    assert reply.faults == {"/registration_closes": "session-registration"}


def test_a_session_below_its_minimum_says_so(api, office):
    session = make.session(api, min_participants=2, start=95)
    assert session["is_viable"] is False
    for _ in range(2):
        make.enrol(api, session["id"], make.person(api, office["id"])["nip"])
    assert api.get(f"/v1/sessions/{session['id']}").json["is_viable"] is True


def test_a_session_that_is_cancelled_as_a_change_says_who_did_it(api, office):
    session = make.session(api, start=105)
    enrolment = make.enrol(api, session["id"], make.person(api, office["id"])["nip"])
    api.patch(f"/v1/sessions/{session['id']}", {"state": "cancelled"}, etag=make.tag(api, f"/v1/sessions/{session['id']}"))
    last = api.get(f"/v1/enrolments/{enrolment['id']}/steps?sort=-seq&limit=1").json["data"][0]
    assert (last["to"], last["reason"], last["actor_name"]) == ("cancelled", "session-cancelled", "admin")


def test_cancelling_reaches_everybody_with_its_reason(api, office):
    session = make.session(api, capacity=1, start=100)
    people = [make.person(api, office["id"])["nip"] for _ in range(4)]
    mine = [make.enrol(api, session["id"], n) for n in people[:2]]
    mine += [api.post(f"/v1/sessions/{session['id']}/nominations", {"nip": n, "route": "self", "is_draft": d}).json for n, d in zip(people[2:], (True, False))]
    feed = api.get("/v1/changes?limit=1000").json
    while feed["more"]:
        feed = api.get(f"/v1/changes?limit=1000&after={feed['next']}").json
    told = api.post(f"/v1/sessions/{session['id']}/cancel", {"reason": "Anggaran dialihkan"}).json
    assert (told["state"], told["cancel_reason"], told["seats_taken"], told["waiting"]) == ("cancelled", "Anggaran dialihkan", 0, 0)
    now = [api.get(f"/v1/enrolments/{e['id']}").json for e in mine]
    assert {(e["state"], e["reason"]) for e in now} == {("cancelled", "Anggaran dialihkan")}
    changed = {(c["entity"], c["id"]) for c in api.get(f"/v1/changes?limit=1000&after={feed['next']}").json["changes"]}
    assert changed >= {("session", session["id"]), *(("enrolment", e["id"]) for e in mine)}
    assert api.post(f"/v1/sessions/{session['id']}/cancel", {"reason": "Lagi"}, expect=409).code == "session-cancelled"


# ── offers ──

def offering(api, office, waiting=2):
    session = make.session(api, capacity=1, start=110, offer_hours=24)
    people = [make.enrol(api, session["id"], make.person(api, office["id"])["nip"]) for _ in range(1 + waiting)]
    api.post(f"/v1/enrolments/{people[0]['id']}/cancel")
    return session, people


def lapse(sql, enrolment):
    sql("UPDATE enrolment SET offer_until = clock_timestamp() - interval '1 second' WHERE id = %s", (enrolment["id"],))


def test_a_freed_seat_is_offered_and_held(api, office):
    session, (_, first, second) = offering(api, office)
    told = api.get(f"/v1/enrolments/{first['id']}").json
    assert told["state"] == "offered" and told["offer_until"] > moment(hours=23) and state_of(api, second) == "waitlisted"
    assert api.get(f"/v1/sessions/{session['id']}").json["seats_taken"] == 1
    newcomer = make.enrol(api, session["id"], make.person(api, office["id"])["nip"])
    assert newcomer["state"] == "waitlisted", "the seat is held"
    taken = move(api, first, "approved").json
    assert (taken["state"], taken["offer_until"]) == ("approved", None)


def test_declined_it_goes_to_the_next(api, office):
    _, (_, first, second) = offering(api, office)
    move(api, first, "cancelled")
    assert state_of(api, second) == "offered"


def test_an_offer_that_has_run_out_cannot_be_accepted(api, office, sql):
    _, (_, first, second) = offering(api, office)
    lapse(sql, first)
    reply = move(api, first, "approved", expect=409)
    assert (reply.code, reply.faults) == ("offer-lapsed", {"/to": "offer-lapsed"})
    told = api.get(f"/v1/enrolments/{first['id']}").json
    assert (told["state"], told["reason"]) == ("cancelled", "offer-lapsed") and state_of(api, second) == "offered"
    assert make.enrol(api, told["session_id"], told["nip"])["state"] == "waitlisted", "at the end of the queue he may come again"


def test_whatever_is_decided_lets_overdue_offers_lapse_first(api, office, sql):
    session, (_, first, second) = offering(api, office, waiting=2)
    lapse(sql, first)
    needs = api.get(f"/v1/enrolments/{second['id']}/queue").json
    assert needs["seats"]["free"] == 1 and needs["needs"] == [{"what": "seats", "count": 0}], "it holds no seat any more"
    make.enrol(api, session["id"], make.person(api, office["id"])["nip"])
    assert [state_of(api, e) for e in (first, second)] == ["cancelled", "offered"]


def test_the_chore_lets_offers_lapse(api, office, sql):
    _, (_, first, second) = offering(api, office)
    _, (_, other, _) = offering(api, office)
    lapse(sql, first)
    assert sql("SELECT offers_lapse()") == [(1,)]
    assert [state_of(api, e) for e in (first, second, other)] == ["cancelled", "offered", "offered"]


# ── quotas, priority, the queue ──

def test_a_quota_holds_back_its_own_people_only(api, office, bureau):
    session = make.session(api, capacity=3, start=120)
    put(api, session, "quotas", {"quotas": [{"unit_id": bureau[0]["id"], "seats": 1}, {"unit_id": office["id"], "seats": 9}]})
    mine = [make.enrol(api, session["id"], make.person(api, unit["id"])["nip"]) for unit in (bureau[0], bureau[1], office, office, office)]
    assert [e["state"] for e in mine] == ["approved", "waitlisted", "approved", "approved", "waitlisted"], "who waits for the quota holds up nobody"
    told = {q["unit_id"]: q["taken"] for q in api.get(f"/v1/sessions/{session['id']}/quotas").json["quotas"]}
    assert told == {bureau[0]["id"]: 1, office["id"]: 2}
    queue = api.get(f"/v1/enrolments/{mine[1]['id']}/queue").json
    assert queue["position"] == 1 and {"what": "quota", "unit_id": bureau[0]["id"], "count": 1} in queue["needs"]
    move(api, mine[2], "cancelled")
    assert [state_of(api, e) for e in mine] == ["approved", "waitlisted", "cancelled", "approved", "approved"]
    move(api, mine[0], "cancelled")
    assert state_of(api, mine[1]) == "approved"


def test_a_larger_quota_brings_people_in_and_a_smaller_is_refused(api, bureau):
    session = make.session(api, capacity=5, start=130)
    quota = lambda seats: {"quotas": [{"unit_id": bureau[0]["id"], "seats": seats}]}  # noqa: E731
    put(api, session, "quotas", quota(1))
    mine = [make.enrol(api, session["id"], make.person(api, bureau[1]["id"])["nip"]) for _ in range(3)]
    told = put(api, session, "quotas", quota(2)).json
    assert told["quotas"][0]["taken"] == 2 and [state_of(api, e) for e in mine] == ["approved", "approved", "waitlisted"]
    reply = put(api, session, "quotas", quota(1), expect=409)
    assert (reply.faults, reply.json["errors"][0]["value"]) == ({"/quotas/0/seats": "quota-below-taken"}, "2")
    put(api, session, "quotas", {"quotas": []})
    assert state_of(api, mine[2]) == "approved"


def test_quotas_of_other_units_are_neither_seen_nor_lost(api, keys, bureau, office):
    other = make.unit(api, kind="dinas")
    session = make.session(api, capacity=9, organiser_unit_id=other["id"])
    put(api, session, "quotas", {"quotas": [{"unit_id": bureau[0]["id"], "seats": 2}]})
    theirs = api.as_key(keys("admin", units=(other["code"],)))
    path = f"/v1/sessions/{session['id']}/quotas"
    assert theirs.get(path).json["quotas"] == []
    assert [q["unit_id"] for q in theirs.put(path, {"quotas": [{"unit_id": other["id"], "seats": 3}]}, etag="*").json["quotas"]] == [other["id"]]
    theirs.put(path, {"quotas": []}, etag="*")
    assert [(q["unit_id"], q["seats"]) for q in api.get(path).json["quotas"]] == [(bureau[0]["id"], 2)]


def test_quotas_that_cannot_be(api, bureau):
    session = make.session(api)
    twice = [{"unit_id": bureau[0]["id"], "seats": n} for n in (1, 2)]
    assert put(api, session, "quotas", {"quotas": twice}, expect=422).faults == {"/quotas/1/unit_id": "quota-twice"}
    gone = [{"unit_id": "0190ffff-ffff-7fff-bfff-ffffffffffff", "seats": 1}]
    assert put(api, session, "quotas", {"quotas": gone}, expect=422).faults == {"/quotas/0/unit_id": "reference-missing"}


def test_the_higher_priority_comes_first_and_the_queue_says_so(api, office, bureau, keys):
    session = make.session(api, capacity=1, start=140)
    seated, early, late = [make.enrol(api, session["id"], make.person(api, u["id"])["nip"]) for u in (office, office, bureau[0])]
    told = api.post(f"/v1/enrolments/{late['id']}/priority", {"priority": 7, "reason": "Wajib bagi jabatannya"}).json
    assert (told["priority"], told["priority_reason"], told["queue_place"]) == (7, "Wajib bagi jabatannya", 2)
    there = api.as_key(keys("training.read", units=(office["code"],)))
    queue = there.get(f"/v1/enrolments/{early['id']}/queue").json
    assert (queue["position"], queue["queue_place"], queue["needs"]) == (2, 1, [{"what": "seats", "count": 2}])
    assert queue["ahead"] == [{"priority": 7, "queue_place": 2, "rule": "priority", "is_held_by_quota": False, "nip": None, "name": None}], "not his to see"
    assert api.get(f"/v1/enrolments/{early['id']}/queue").json["ahead"][0]["nip"] == late["nip"]
    there.get(f"/v1/enrolments/{late['id']}/queue", expect=404)
    listed = api.get(f"/v1/enrolments?session_id={session['id']}&state=waitlisted&sort=queue").json["data"]
    assert [e["id"] for e in listed] == [late["id"], early["id"]]
    move(api, seated, "cancelled")
    assert [state_of(api, e) for e in (early, late)] == ["waitlisted", "approved"]
    api.post(f"/v1/enrolments/{late['id']}/priority", {"priority": 1, "reason": "Terlambat"}, expect=409)
    bare = api.post("/v1/enrolments", {"session_id": session["id"], "nip": seated["nip"], "priority": 3}, expect=422)
    assert "priority_reason" in str(bare.json["errors"]), "a priority has its reason"


# ── attendance and results ──

@pytest.fixture
def course(api, office):
    """A session of four days that ends today, with three people."""
    def make_course(**members):
        session = make.session(api, make.programme(api, **members)["id"], start=-3, length=4)
        return session, [make.enrol(api, session["id"], make.person(api, office["id"])["nip"]) for _ in range(3)]
    return make_course


def note(api, session, day, presence, mine, expect=200, **members):
    return api.post(f"/v1/sessions/{session['id']}/attendance", {"day": make.days(day)["starts_on"], "entries": [{"nip": e["nip"], "presence": p} for e, p in zip(mine, presence)],
                                                                 **members}, expect=expect)


def test_attendance_is_noted_weighed_and_corrected(api, course, sql):
    session, mine = course()
    assert note(api, session, -3, ("present", "absent", "excused"), mine).json == {"noted": 3, "corrected": 0, "unchanged": 0}
    assert [state_of(api, e) for e in mine] == ["attending", "approved", "approved"], "who is there attends"
    assert [api.get(f"/v1/enrolments/{e['id']}").json["attendance"] for e in mine] == [25, 0, 0]
    reply = note(api, session, -3, ("present", "present"), mine, expect=422)
    assert reply.faults == {"/reason": "reason-missing"} and state_of(api, mine[1]) == "approved"
    assert note(api, session, -3, ("present", "present"), mine, reason="Salah catat").json == {"noted": 0, "corrected": 1, "unchanged": 1}
    versions = api.get(f"/v1/enrolments/{mine[1]['id']}/attendance").json["data"]
    assert [(v["version"], v["presence"], v["reason"]) for v in versions] == [(1, "absent", None), (2, "present", "Salah catat")]
    assert len(api.get(f"/v1/sessions/{session['id']}/attendance?presence=present").json["data"]) == 2
    put(api, session, "days", {"days": [{"day": make.days(-3)["starts_on"], "starts": "08:00", "ends": "12:00", "jp": 6},
                                        {"day": make.days(-2)["starts_on"], "starts": "08:00", "ends": "12:00", "jp": 2}]})
    assert api.get(f"/v1/enrolments/{mine[0]['id']}").json["attendance"] == 75, "by the JP of the timetable"
    assert note(api, session, -1, ("present",), mine, expect=422).faults == {"/day": "attendance-day"}
    with pytest.raises(Exception, match="never lost"):
        sql("DELETE FROM attendance WHERE enrolment_id = %s", (mine[0]["id"],))


@pytest.mark.parametrize("day", [-4, 1])
def test_attendance_of_no_day_of_the_session_is_refused(day, api, course):
    session, mine = course()
    assert note(api, session, day, ("present",), mine, expect=422).faults == {"/day": "attendance-day"}


def test_a_list_with_a_fault_notes_nobody(api, course, office):
    session, mine = course()
    move(api, mine[2], "cancelled")
    stranger = {"nip": make.person(api, office["id"])["nip"]}
    reply = note(api, session, -3, ("present",) * 4, [mine[0], stranger, mine[2], mine[0]], expect=422)
    assert reply.faults == {"/entries/1/nip": "reference-missing", "/entries/2/nip": "enrolment-state", "/entries/3/nip": "entry-twice"}
    assert [reply.json["errors"][n]["detail"] for n in (0, 2)] == ["Nobody with this NIP is enrolled in this session.", "The person is in this list already."]
    assert api.get(f"/v1/sessions/{session['id']}/attendance").json["data"] == []


def test_the_rules_of_the_programme_decide_who_passes(api, course):
    session, mine = course(needs_test=True, min_grade=70, min_attendance=75, jp=24)
    for day in (-3, -2, -1):
        note(api, session, day, ("present", "present", "absent" if day > -3 else "present"), mine)
    done = [api.post(f"/v1/enrolments/{e['id']}/complete", {}).json for e in mine]
    assert {(e["state"], e["jp"]) for e in done} == {("completed", None)}
    assert api.post(f"/v1/enrolments/{mine[0]['id']}/assess", {}, expect=409).code == "assessment-open"
    for enrolment, grade in zip(mine, (70, 69.99, 95)):
        told = api.post(f"/v1/enrolments/{enrolment['id']}/results", {"pre_test": 40, "post_test": 80.25, "grade": grade}).json
        assert (told["pre_test"], told["post_test"], told["grade"]) == (40, 80.25, grade)
    told = api.get(f"/v1/enrolments/{mine[2]['id']}/assessment").json
    assert told["verdict"] == "failed"
    assert told["rules"] == [{"rule": "attendance", "required": 75, "present": 25, "is_met": False}, {"rule": "grade", "required": 70, "present": 95, "is_met": True}]
    reply = api.post(f"/v1/enrolments/{mine[2]['id']}/complete", {"result": "passed"}, expect=409)
    assert reply.code == "pass-rule" and reply.json["errors"][0]["value"] == "25.00" and "75" in reply.json["detail"]
    ended = [api.post(f"/v1/enrolments/{e['id']}/assess", {}).json for e in mine]
    assert [(e["state"], e["jp"]) for e in ended] == [("passed", 24), ("failed", None), ("failed", None)]
    api.post(f"/v1/enrolments/{mine[0]['id']}/results", {"grade": 10}, expect=409)
    certified = move(api, mine[0], "certified").json
    assert certified["jp"] == 24
    hours = api.get(f"/v1/asn/{mine[0]['nip']}/learning-hours?year={session['ends_on'][:4]}").json
    assert hours["total_jp"] == 24, "a certificate takes nothing away"


def test_where_attendance_is_all_the_hours_count_from_completed(api, course):
    session, mine = course(attendance_only=True, min_attendance=50, jp=10)
    for day in (-3, -2):
        note(api, session, day, ("present", "present" if day == -3 else "absent"), mine)
    done = [api.post(f"/v1/enrolments/{e['id']}/complete", {}).json for e in mine[:2]]
    assert [(e["state"], e["attendance"], e["jp"]) for e in done] == [("completed", 50, 10), ("completed", 25, None)]
    assert [api.post(f"/v1/enrolments/{e['id']}/assess", {}).json["state"] for e in mine[:2]] == ["passed", "failed"]


def test_where_there_is_no_rule_the_office_decides(api, course):
    _, mine = course()
    move(api, mine[0], "attending")
    api.post(f"/v1/enrolments/{mine[0]['id']}/complete", {})
    assert api.get(f"/v1/enrolments/{mine[0]['id']}/assessment").json["verdict"] == "free"
    assert api.post(f"/v1/enrolments/{mine[0]['id']}/assess", {}, expect=409).code == "assessment-open"
    assert api.post(f"/v1/enrolments/{mine[0]['id']}/complete", {"result": "failed"}).json["state"] == "failed"
