# SPDX-License-Identifier: Apache-2.0
"""Plans: who decides about them by the tree of the day, how they are told in the feed, and the document of a year that is made of them."""
import csv
import io
from collections import defaultdict

import pytest

from support import make
from support.client import Client
from support.issuer import Issuer


@pytest.fixture(scope="module")
def issuer():
    made = Issuer()
    yield made
    made.close()


@pytest.fixture(scope="module")
def settings(issuer):
    return {"oidc_issuer": issuer.url, "oidc_audience": "asnd, portal", "oidc_roles": "atasan=needs.read plan.write plan.approve", "key_cache_ms": 0}


@pytest.fixture(scope="module")
def by(daemon, issuer, office):
    """A caller who is a person, by a token."""
    return lambda nip: Client(daemon.url, issuer.token(sub=f"uji-{nip}", nip=nip, units=[office["code"]], realm_access={"roles": ["atasan"]}))


def head_of(api, unit):
    head = make.person(api, unit["id"])
    make.history(api, head["nip"], "position", {"position_kind": "struktural", "position": f"Kepala {unit['name']}", "assignment": "definitive", "unit_id": unit["id"]},
                 "2020-01-01")
    return head["nip"]


@pytest.fixture(scope="module")
def house(api, office):
    """A section in a division, each with a head; one of its staff; another division with a head; and a unit that nobody heads."""
    above = make.unit(api, office["id"], kind="bidang")
    unit, other, bare = make.unit(api, above["id"], kind="seksi"), make.unit(api, office["id"], kind="bidang"), make.unit(api, office["id"], kind="bidang")
    return {"unit": unit, "bare": bare, "head": head_of(api, unit), "chief": head_of(api, above), "other": head_of(api, other)}


def submitted(api, unit, **members):
    nip = make.person(api, unit["id"])["nip"]
    plan = make.plan(api, nip, **members)
    make.act_plan(api, plan["id"], "submit")
    return nip, plan["id"]


def decide(client, plan, expect=200, step="approve", body=None):
    return client("POST", f"/v1/development-plans/{plan}/{step}", json=body, headers={"If-Match": "*"}, expect=expect)


@pytest.mark.parametrize("who, may", [("head", True), ("chief", True), ("other", False), ("self", False)])
def test_a_person_decides_about_whom_he_leads(who, may, api, house, by):
    nip, plan = submitted(api, house["unit"], superior_nip=house["head"])
    judge = by(house.get(who, nip))
    for step, body in (("return", {"reason": "Perbaiki"}), ("approve", None)):
        reply = decide(judge, plan, 200 if may else 403, step, body)
        if may and step == "return":
            make.act_plan(api, plan, "submit")
        elif not may:
            assert reply.code == ("own-record" if who == "self" else "plan-not-led") and api.get(f"/v1/development-plans/{plan}").json["state"] == "submitted"
    assert (api.get(f"/v1/development-plans/{plan}").json["state"] == "approved") == may


def test_who_no_longer_leads_decides_no_more(api, house, office, by):
    """By the tree of today: the person has gone to another unit since."""
    nip, plan = submitted(api, house["unit"], superior_nip=house["head"])
    api.patch(f"/v1/asn/{nip}", {"unit_id": house["bare"]["id"]}, etag="*")
    moved = make.unit(api, office["id"], kind="bidang")
    head = head_of(api, moved)
    api.patch(f"/v1/asn/{nip}", {"unit_id": moved["id"]}, etag="*")
    decide(by(house["head"]), plan, 403)
    decide(by(head), plan, 200)


def test_an_application_decides_in_the_name_of_who_leads(api, house):
    _, led = submitted(api, house["unit"], superior_nip=house["head"])
    _, not_led = submitted(api, house["unit"], superior_nip=house["other"])
    _, of_nobody_here = submitted(api, house["unit"], superior_name="Bupati Uji")
    assert decide(api, led).json["state"] == "approved"
    assert decide(api, not_led, 403).code == "plan-not-led"
    assert decide(api, of_nobody_here).json["state"] == "approved"
    assert api.get(f"/v1/development-plans/{not_led}").json["state"] == "submitted"


def test_where_the_tree_names_nobody_the_superior_of_the_plan_decides(api, house, by):
    _, plan = submitted(api, house["bare"], superior_nip=house["other"])
    decide(by(house["head"]), plan, 403)
    assert decide(by(house["other"]), plan).json["state"] == "approved"
    decide(api, "01900000-0000-7000-8000-00000000dead", 404)


# ── the feed ──

def told(client, after):
    reply = client.get(f"/v1/changes?after={after}&limit=1000").json
    return [(c["entity"], c["kind"], c["id"], c["key"], c["href"]) for c in reply["changes"]], reply["next"]


def test_needs_are_told_to_whoever_may_read_them(api, keys, house, office):
    nip = make.person(api, house["unit"]["id"])["nip"]
    scopes = ("change.read", "needs.read")
    ours, theirs = api.as_key(keys(*scopes, units=(office["code"],))), api.as_key(keys(*scopes, units=(make.unit(api, kind="dinas")["code"],)))
    start = api.get("/v1/changes?limit=1").json["next"]
    after = told(ours, start)[1]
    standard = make.standard(api)["id"]
    assessment = make.assessment(api, nip, {"integritas": 1})["id"]
    plan = make.plan(api, nip)["id"]
    make.act_plan(api, plan, "submit")
    changes, next_ = told(ours, after)
    own = [c[:3] for c in changes]
    assert own == [("competency_standard", "created", standard), ("competency_assessment", "created", assessment), ("development_plan", "created", plan)] \
        + [("development_plan", "updated", plan)] * 2, "made, lined, submitted"
    assert {(c[0], c[3], c[4]) for c in changes} == {("competency_standard", None, f"/v1/competency-standards/{standard}"),
                                                    ("competency_assessment", nip, f"/v1/competency-assessments/{assessment}"),
                                                    ("development_plan", nip, f"/v1/development-plans/{plan}")}
    assert all(api.get(c[4]).json["id"] == c[2] for c in changes)
    assert [c[0] for c in told(theirs, after)[0]] == ["competency_standard"], "a standard is everybody's, people are not"
    assert told(api.as_key(keys("change.read", "training.read")), after)[0] == []
    make.act_plan(api, plan, "return", {"reason": "Perbaiki"})
    assert [c[:3] for c in told(ours, next_)[0]] == [("development_plan", "updated", plan)]


# ── the document of a year ──

PATH = "/v1/reports/development-programme"


@pytest.fixture(scope="module")
def year(api):
    """A unit whose people need two things, with three approved plans, one that is not, and a programme with a session and money."""
    unit = make.unit(api, kind="dinas")
    position = {"position_kind": "pelaksana", "position": f"Penyusun {make.number()}"}
    for competency, level in (("integritas", 3), ("komunikasi", 2)):
        make.standard(api, **position, competency=competency, level=level)
    people = [make.person(api, unit["id"], **position)["nip"] for _ in range(4)]
    for nip in people:
        make.assessment(api, nip, {"integritas": 1, "komunikasi": 1})
    programme = make.programme(api)
    first = f"{make.today().year}-03-02"
    api.post("/v1/sessions", {"programme_id": programme["id"], "title": "Angkatan", "capacity": 25, "starts_on": first, "ends_on": first}, expect=201)
    make.budget_line(api, programme["id"], year=make.today().year, planned=5000000)
    lines = [{"competency": "integritas", "form": "B3", "target_jp": 20, "quarter": 1, "cost": 100000, "cost_source": "apbd", "programme_id": programme["id"]},
             {"competency": "integritas", "form": "C1", "target_jp": 4, "quarter": 2}]
    for n, nip in enumerate(people):
        plan = make.plan(api, nip, lines=0)
        make.plan_lines(api, plan["id"], lines[:1 if n else 2])
        if n < 3:
            make.act_plan(api, plan["id"], "submit")
            make.act_plan(api, plan["id"], "approve")
    return {"unit": unit, "programme": programme, "people": people}


def test_needs_plans_and_money_stand_side_by_side(api, year):
    rows = api.get(f"{PATH}?under={year['unit']['id']}").json["data"]
    by = {(r["competency"], r["form"]): r for r in rows if r["competency"] in ("integritas", "komunikasi")}
    assert set(by) == {("integritas", "B3"), ("integritas", "C1"), ("komunikasi", None)}
    course = by["integritas", "B3"]
    assert (course["rank"], course["people"], course["with_gap"], course["gap_total"], course["unassessed"]) == (1, 4, 4, 8, 0)
    assert (course["programme_code"], course["planned_people"], course["target_jp"], course["quarter_1"], course["quarter_2"], course["cost"], course["cost_sources"]) \
        == (year["programme"]["code"], 3, 60, 3, 0, 300000, "apbd")
    assert (course["sessions"], course["seats"], course["budget_planned"], course["budget_remaining"]) == (1, 25, 5000000, 5000000)
    coached = by["integritas", "C1"]
    assert (coached["planned_people"], coached["target_jp"], coached["quarter_2"], coached["method"], coached["programme_id"], coached["budget_planned"]) == (1, 4, 1, "nonklasikal", None, None)
    wanting = by["komunikasi", None]
    assert (wanting["gap_total"], wanting["planned_people"], wanting["target_jp"], wanting["cost"]) == (4, 0, 0, 0)
    ranked = {n["competency"]: n for n in api.get(f"/v1/reports/development-needs?under={year['unit']['id']}").json["data"]}
    assert {r["competency"]: (r["rank"], r["people"], r["with_gap"], r["gap_total"]) for r in rows} \
        == {c: (n["rank"], n["people"], n["with_gap"], n["gap_total"]) for c, n in ranked.items()}, "the needs are those of the ranking"


def test_what_nobody_needs_and_somebody_plans_comes_last(api, year):
    nip = make.person(api, year["unit"]["id"])["nip"]
    plan = make.plan(api, nip, lines=0, year=2031)
    make.plan_lines(api, plan["id"], [{"competency": "perekat_bangsa"}])
    make.act_plan(api, plan["id"], "submit")
    make.act_plan(api, plan["id"], "approve")
    rows = api.get(f"{PATH}?under={year['unit']['id']}&year=2031").json["data"]
    assert [(r["competency"], r["planned_people"]) for r in rows if r["planned_people"]] == [("perekat_bangsa", 1)]
    assert {r["year"] for r in rows} == {2031}
    totals = defaultdict(int)
    for row in api.get(f"{PATH}?under={year['unit']['id']}").json["data"]:
        totals[row["competency"]] += row["planned_people"]
    assert totals["perekat_bangsa"] == 0, "of another year"


def test_it_is_a_file_too_and_of_the_keys_units(api, keys, year):
    path = f"{PATH}?under={year['unit']['id']}&limit=1000"
    rows = api.get(path).json["data"]
    file = list(csv.DictReader(io.StringIO(api.get(path, headers={"Accept": "text/csv"}).text)))
    assert [(r["competency"], r["form"], r["planned_people"]) for r in file] == [(r["competency"], r["form"] or "", str(r["planned_people"])) for r in rows]
    part = api.as_key(keys("needs.read", units=(year["unit"]["code"],)))
    assert part.get(f"{PATH}?limit=1000").json["data"] == rows
    pages, _ = api.walk(f"{PATH}?under={year['unit']['id']}&limit=2")
    assert pages == rows


# ── how much a day holds ──

@pytest.mark.parametrize("jp, days, warnings", [(30, 3, []), (31, 3, ["jp-per-day"]), (10, 1, []), (11, 1, ["jp-per-day"])])
def test_more_than_its_days_hold_warns_of_certificates_from_elsewhere(jp, days, warnings, api, keys, office):
    portal, nip = api.as_key(keys("admin", "certificate.submit")), make.person(api, office["id"])["nip"]
    made = make.external(portal, nip, jp=jp, starts_on="2025-03-03", ends_on=f"2025-03-{2 + days:02d}")
    assert made["warnings"] == warnings
    path = f"/v1/external-certificates/{made['id']}"
    assert portal.get(path).json["warnings"] == warnings
    assert api("POST", f"{path}/verify", json={}, headers={"If-Match": make.tag(api, path)}, expect=200).json["warnings"] == warnings, "it never refuses"
