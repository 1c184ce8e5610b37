# SPDX-License-Identifier: Apache-2.0
"""Partners, agreements, activities: what belongs together, status from the days, quotas that nobody overdraws, the report of a year."""
import csv
import io
import threading
from datetime import date, timedelta

import pytest

from support import make
from support.client import XLSX

NOBODY = "0190ffff-ffff-7fff-bfff-ffffffffffff"


@pytest.fixture
def partner(api):
    return make.partner(api)


def day(offset):
    return (make.today() + timedelta(days=offset)).isoformat()


def test_an_activity_outside_of_its_agreement_says_so(api, partner):
    signed = make.agreement(api, partner["id"], starts_on="2026-03-02", ends_on="2026-12-31")
    draft = make.agreement(api, partner["id"], signed_on=None)

    def warned(**members):
        made = make.activity(api, partner["id"], **members)
        assert api.get(f"/v1/activities/{made['id']}").json["warnings"] == made["warnings"]
        return made["warnings"]

    assert warned(agreement_id=signed["id"]) == [] == warned()
    assert warned(agreement_id=signed["id"], starts_on="2026-03-01") == ["outside-agreement"]
    assert warned(agreement_id=signed["id"], ends_on="2027-01-01") == ["outside-agreement"]
    assert warned(agreement_id=draft["id"]) == ["outside-agreement"]
    late = make.activity(api, partner["id"], agreement_id=signed["id"], starts_on="2026-12-30", ends_on="2026-12-31")
    path = f"/v1/activities/{late['id']}"
    assert late["warnings"] == [] and api.patch(path, {"ends_on": "2027-01-02"}, etag='"1"').json["warnings"] == ["outside-agreement"]
    assert api.patch(path, {"state": "cancelled"}, etag='"2"').json["warnings"] == []
    other = make.activity(api, partner["id"], agreement_id=signed["id"], starts_on="2026-06-01", ends_on="2026-06-02")
    api.patch(f"/v1/agreements/{signed['id']}", {"ended_on": "2026-05-31"}, etag="*", expect=200)
    assert api.get(f"/v1/activities/{other['id']}").json["warnings"] == ["outside-agreement"]


def test_a_partner_is_made_read_changed(api):
    partner = make.partner(api, name="Pusat Pelatihan 'Uji'", kind="lan", accreditation="A")
    path = f"/v1/partners/{partner['id']}"
    assert api.get(path).json == partner
    changed = api.patch(path, {"accreditation": None, "is_active": False}, etag='"1"').json
    assert (changed["accreditation"], changed["is_active"], changed["version"]) == (None, False, 2)
    api.patch(path, {"is_active": True}, etag='"1"', expect=412)
    reply = api.post("/v1/partners", {"name": "pusat pelatihan ujI", "kind": "private"}, expect=409)
    assert reply.code == "partner-exists" and "/name" in reply.faults
    assert partner["id"] in {p["id"] for p in api.get("/v1/partners?q=pelatihn%20pusat").json["data"]}
    reply = api.post("/v1/agreements", {"partner_id": partner["id"], "kind": "mou", "title": "X", "starts_on": "2026-01-01", "ends_on": "2026-12-31"}, expect=409)
    assert reply.code == "partner-inactive", "one that was put away gets no agreements"


FAULTY = {
    "ends-before-it-starts": ({"starts_on": "2026-05-02", "ends_on": "2026-05-01"}, "/ends_on", "agreement-days"),
    "ended-after-its-end": ({"ended_on": "2031-01-01"}, "/ended_on", "agreement-days"),
    "no-such-partner": ({"partner_id": NOBODY}, "/partner_id", "reference-missing"),
    "an-mou-below-another": ({"kind": "mou", "parent": "mou"}, "/parent_id", "agreement-parent"),
    "a-pks-below-a-pks": ({"parent": "pks"}, "/parent_id", "agreement-parent"),
    "below-another-partners-mou": ({"parent": "theirs"}, "/parent_id", "agreement-parent"),
    "a-share-of-more-than-all": ({"our_share_percent": 101}, "/our_share_percent", "invalid"),
    "a-quota-below-nothing": ({"quota_per_year": -1}, "/quota_per_year", "invalid"),
}


@pytest.mark.parametrize("case", FAULTY.keys())
def test_a_faulty_agreement_is_refused(case, api, partner):
    members, pointer, code = FAULTY[case]
    parents = {"mou": lambda: make.agreement(api, partner["id"], kind="mou"), "pks": lambda: make.agreement(api, partner["id"]),
               "theirs": lambda: make.agreement(api, make.partner(api)["id"], kind="mou")}
    if "parent" in members:
        members = {**{k: v for k, v in members.items() if k != "parent"}, "parent_id": parents[members["parent"]]()["id"]}
    body = {"partner_id": partner["id"], "kind": "pks", "title": "X", "starts_on": "2026-01-01", "ends_on": "2030-12-31", **members}
    reply = api.post("/v1/agreements", body, expect=(409, 422))
    assert (reply.code, pointer in reply.faults) == (code, True), reply


def test_a_pks_belongs_to_an_mou_and_stays_there(api, partner):
    mou = make.agreement(api, partner["id"], kind="mou")
    pks = make.agreement(api, partner["id"], parent_id=mou["id"])
    assert [g["id"] for g in api.get(f"/v1/agreements?parent_id={mou['id']}").json["data"]] == [pks["id"]]
    reply = api.patch(f"/v1/agreements/{pks['id']}", {"parent_id": pks["id"]}, etag='"1"', expect=409)
    assert reply.code == "agreement-parent"
    reply = api.post("/v1/agreements", {"partner_id": partner["id"], "kind": "pks", "title": "X", "number_ours": pks["number_ours"], "starts_on": "2026-01-01",
                                        "ends_on": "2026-12-31"}, expect=409)
    assert reply.code == "agreement-exists"


STATUS = {"draft": {"signed_on": None}, "active": {}, "expired": {"starts_on": day(-400), "ends_on": day(-1)}, "ended": {"starts_on": day(-400), "ended_on": day(-1)}}


@pytest.mark.parametrize("status", STATUS.keys())
def test_the_status_follows_from_the_days(status, api, partner):
    members = {"starts_on": day(0), "ends_on": day(400), **STATUS[status]}
    agreement = make.agreement(api, partner["id"], **members)
    assert agreement["status"] == status
    for other in STATUS:
        listed = [g["id"] for g in api.get(f"/v1/agreements?partner_id={partner['id']}&status={other}").json["data"]]
        assert listed == ([agreement["id"]] if other == status else [])
    last_day = make.agreement(api, partner["id"], starts_on=day(-10), ends_on=day(0))
    assert last_day["status"] == "active", "it holds on its last day"
    assert make.agreement(api, partner["id"], starts_on=day(1), ends_on=day(2))["status"] == "draft"


def test_what_comes_to_its_end_is_listed_in_time(api, partner):
    base = f"/v1/agreements/due?partner_id={partner['id']}"
    soon = make.agreement(api, partner["id"], starts_on=day(-10), ends_on=day(90))
    later = make.agreement(api, partner["id"], starts_on=day(-10), ends_on=day(91))
    early = make.agreement(api, partner["id"], starts_on=day(-10), ends_on=day(200), notice_days=365)
    make.agreement(api, partner["id"], starts_on=day(-10), ends_on=day(20), signed_on=None)
    make.agreement(api, partner["id"], starts_on=day(-10), ends_on=day(-1))
    ended = make.agreement(api, partner["id"], starts_on=day(-10), ends_on=day(30))
    api.patch(f"/v1/agreements/{ended['id']}", {"ended_on": day(0)}, etag='"1"')
    assert [r["agreement_id"] for r in api.get(base).json["data"]] == [early["id"], soon["id"], later["id"]]
    due = api.get(f"{base}&within=0").json["data"]
    assert [(r["agreement_id"], r["days_left"], r["remind_on"]) for r in due] == [(early["id"], 200, day(-165)), (soon["id"], 90, day(0))]
    assert [r["agreement_id"] for r in api.get(f"{base}&from={day(0)}&until={day(1)}").json["data"]] == [soon["id"]]
    assert [r["agreement_id"] for r in api.get(f"{base}&sort=-remind_on&limit=1").json["data"]] == [later["id"]]


FAULTY_ACTIVITIES = {
    "an-internship-without-direction": ({"kind": "internship"}, "/direction", "activity-direction"),
    "a-seminar-with-one": ({"direction": "in"}, "/direction", "activity-direction"),
    "ends-before-it-starts": ({"starts_on": "2026-05-02", "ends_on": "2026-05-01"}, "/ends_on", "activity-days"),
    "no-such-session": ({"session_id": NOBODY}, "/session_id", "reference-missing"),
    "no-such-line": ({"budget_line_id": NOBODY}, "/budget_line_id", "reference-missing"),
    "another-partners-agreement": ({"agreement_id": "theirs"}, "/agreement_id", "reference-missing"),
    "a-kind-of-its-own": ({"kind": "party"}, "/kind", "invalid"),
}


@pytest.mark.parametrize("case", FAULTY_ACTIVITIES.keys())
def test_a_faulty_activity_is_refused(case, api, partner):
    members, pointer, code = FAULTY_ACTIVITIES[case]
    if members.get("agreement_id"):
        members = {"agreement_id": make.agreement(api, make.partner(api)["id"])["id"]}
    body = {"partner_id": partner["id"], "kind": "seminar", "title": "X", "starts_on": "2026-01-01", "ends_on": "2026-01-02", **members}
    reply = api.post("/v1/activities", body, expect=(409, 422))
    assert (reply.code, pointer in reply.faults) == (code, True), reply


def test_who_takes_part(api, office, keys, partner):
    elsewhere = make.unit(api)
    activity = make.activity(api, partner["id"], kind="internship", direction="out", organiser_unit_id=elsewhere["id"])
    path = f"/v1/activities/{activity['id']}/participants"
    person = make.person(api, office["id"])
    ours = make.participant(api, activity["id"], nip=person["nip"], role="lead")
    outside = make.participant(api, activity["id"], name="Orang Luar", institution="Universitas Uji")
    assert (ours["nip"], ours["name"], ours["role"]) == (person["nip"], person["name"], "lead")
    assert (outside["nip"], outside["institution"], outside["role"]) == (None, "Universitas Uji", "participant")
    assert api.post(path, {"nip": person["nip"]}, expect=409).code == "participant-exists"
    for nobody in ({}, {"nip": person["nip"], "name": "X"}, {"institution": "X"}):
        assert api.post(path, nobody or {"role": "lead"}, expect=422).code == "participant-who"
    assert "/nip" in api.post(path, {"nip": "199912312022031998"}, expect=422).faults
    # A key of another office does not see our person, nor puts one there or takes one away.
    theirs = api.as_key(keys("training.read", "training.write", units=(elsewhere["code"],)))
    assert [p["id"] for p in theirs.get(path).json["data"]] == [outside["id"]]
    theirs.delete(f"{path}/{ours['id']}", expect=404)
    assert "/nip" in theirs.post(path, {"nip": person["nip"]}, expect=422).faults
    api.delete(f"{path}/{ours['id']}")
    assert [p["id"] for p in api.get(path).json["data"]] == [outside["id"]]
    api.patch(f"/v1/activities/{activity['id']}", {"state": "cancelled"}, etag='"1"')
    assert api.post(path, {"name": "X"}, expect=409).code == "activity-cancelled"


def test_the_quota_of_a_year_holds(api, partner):
    agreement = make.agreement(api, partner["id"], quota_per_year=2)
    first, second = (make.activity(api, partner["id"], agreement_id=agreement["id"]) for _ in range(2))
    taken = [make.participant(api, first["id"]), make.participant(api, second["id"])]
    assert api.post(f"/v1/activities/{first['id']}/participants", {"name": "X"}, expect=409).code == "agreement-quota"
    assert api.get(f"/v1/agreements/{agreement['id']}").json["quota_taken"] == {"2026": 2}
    next_year = make.activity(api, partner["id"], agreement_id=agreement["id"], starts_on="2027-01-01", ends_on="2027-01-01")
    make.participant(api, next_year["id"])
    # An activity does not slip its people into a full year, nor a quota sink below what a year has.
    path = f"/v1/activities/{next_year['id']}"
    assert api.patch(path, {"starts_on": "2026-12-31"}, etag='"1"', expect=409).code == "agreement-quota"
    assert api.patch(f"/v1/agreements/{agreement['id']}", {"quota_per_year": 1}, etag='"1"', expect=409).code == "agreement-quota-taken"
    free = make.activity(api, partner["id"])
    make.participant(api, free["id"])
    assert api.patch(f"/v1/activities/{free['id']}", {"agreement_id": agreement["id"]}, etag='"1"', expect=409).code == "agreement-quota"
    # What is cancelled takes nothing, until it comes back.
    api.patch(f"/v1/activities/{second['id']}", {"state": "cancelled"}, etag='"1"')
    make.participant(api, first["id"])
    assert api.patch(f"/v1/activities/{second['id']}", {"state": "planned"}, etag='"2"', expect=409).code == "agreement-quota"
    api.delete(f"/v1/activities/{first['id']}/participants/{taken[0]['id']}")
    api.patch(f"/v1/activities/{second['id']}", {"state": "planned"}, etag='"2"')
    assert api.get(f"/v1/agreements/{agreement['id']}").json["quota_taken"] == {"2026": 2, "2027": 1}


def at_once(tasks):
    """Runs them together; what each gave."""
    gate, gave = threading.Barrier(len(tasks)), [None] * len(tasks)

    def run(n, task):
        gate.wait()
        gave[n] = task()
    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(tasks)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    return gave


def test_nobody_overdraws_a_quota_by_asking_at_once(api, partner):
    agreement = make.agreement(api, partner["id"], quota_per_year=5)
    activities = [make.activity(api, partner["id"], agreement_id=agreement["id"]) for _ in range(4)]

    def add(n):
        client = api.as_key(api.key)
        return lambda: client.post(f"/v1/activities/{activities[n % 4]['id']}/participants", {"name": f"Orang {n}"}, expect=(201, 409)).status
    gave = at_once([add(n) for n in range(16)])
    assert sorted(gave) == [201] * 5 + [409] * 11
    assert api.get(f"/v1/agreements/{agreement['id']}").json["quota_taken"] == {"2026": 5}


def test_a_quota_that_sinks_while_people_come(api, partner):
    """Either the smaller quota holds from then on, or it came too late and was refused: never more people than it says."""
    for _ in range(5):
        agreement = make.agreement(api, partner["id"], quota_per_year=4)
        activity = make.activity(api, partner["id"], agreement_id=agreement["id"])
        path = f"/v1/agreements/{agreement['id']}"
        clients = [api.as_key(api.key) for _ in range(5)]
        tasks = [lambda c=c: c.post(f"/v1/activities/{activity['id']}/participants", {"name": "X"}, expect=(201, 409)).status for c in clients[:4]]
        tasks.append(lambda: clients[4].patch(path, {"quota_per_year": 2}, etag='"1"', expect=(200, 409)).status)
        at_once(tasks)
        now = api.get(path).json
        assert sum(now["quota_taken"].values()) <= now["quota_per_year"]


def test_outputs_come_and_go(api, partner):
    activity = make.activity(api, partner["id"], kind="research")
    path = f"/v1/activities/{activity['id']}/outputs"
    output = make.output(api, activity["id"], kind="publication", published_on="2026-06-01")
    assert api.get(path).json["data"] == [output]
    for link in ("ftp://example.go.id", "https://exa mple", "laporan.pdf"):
        assert "/link" in api.post(path, {"kind": "report", "title": "X", "link": link}, expect=422).faults
    api.delete(f"/v1/activities/{make.activity(api, partner['id'])['id']}/outputs/{output['id']}", expect=404)
    api.delete(f"{path}/{output['id']}")
    assert api.get(path).json["data"] == []


def test_the_report_of_a_year(api, office, keys, partner):
    make.agreement(api, partner["id"])
    people = [make.person(api, office["id"])["nip"] for _ in range(3)]
    session = make.session(api, make.programme(api, jp=16)["id"], start=-1, length=2)
    enrolment = make.enrol(api, session["id"], people[0])
    api.post(f"/v1/enrolments/{enrolment['id']}/attend")
    api.post(f"/v1/enrolments/{enrolment['id']}/complete", {"result": "passed"})
    year = {"starts_on": "2026-03-01", "ends_on": "2026-03-31"}
    magang = make.activity(api, partner["id"], kind="internship", direction="out", jp=20, cost_planned=1000, cost_spent=900, our_share_percent=50, **year)
    course = make.activity(api, partner["id"], kind="course", session_id=session["id"], cost_planned=300, **year)
    make.activity(api, partner["id"], kind="internship", direction="in", **year)
    gone = make.activity(api, partner["id"], kind="research", cost_planned=5000, **year)
    other = make.activity(api, partner["id"], starts_on="2025-12-31", ends_on="2026-01-01")
    for nip in people[:2]:
        make.participant(api, magang["id"], nip=nip)
    make.participant(api, magang["id"])
    make.participant(api, course["id"], nip=people[0])
    make.participant(api, gone["id"], nip=people[2])
    make.participant(api, other["id"], nip=people[2])
    make.output(api, magang["id"], kind="report")
    make.output(api, course["id"], kind="module")
    make.output(api, gone["id"], kind="publication")
    api.patch(f"/v1/activities/{gone['id']}", {"state": "cancelled"}, etag='"1"')
    base = f"/v1/reports/partners?year=2026&partner_id={partner['id']}"
    [row] = api.get(base).json["data"]
    expected = {"agreements": 1, "activities": 3, "internships_in": 1, "internships_out": 1, "research": 0, "courses": 1, "seminars": 0, "participants_asn": 3,
                "participants_outside": 1, "jp": 56, "cost_planned": 1300, "cost_spent": 900, "our_cost_planned": 800, "our_cost_spent": 450, "publications": 0,
                "reports": 1, "modules": 1, "recommendations": 0}
    assert {k: row[k] for k in expected} == expected
    [line] = csv.DictReader(io.StringIO(api.get(base, headers={"Accept": "text/csv"}).text.removeprefix("\ufeff")))
    assert (line["partner_id"], line["jp"], line["participants_asn"]) == (partner["id"], "56", "3")
    assert api.get(base, headers={"Accept": XLSX}).bytes[:2] == b"PK"
    assert [r["activities"] for r in api.get(base.replace("2026&", "2025&")).json["data"]] == [1]
    # Of another office's people nothing is counted.
    theirs = api.as_key(keys("training.read", units=(make.unit(api)["code"],)))
    [row] = theirs.get(base).json["data"]
    assert (row["participants_asn"], row["participants_outside"], row["jp"], row["activities"]) == (0, 1, 0, 3)
