# SPDX-License-Identifier: Apache-2.0
"""What follows an evaluation: plans of improvement, areas to improve with trainings that serve them, outcomes with the facts they rest on."""
from datetime import timedelta

import psycopg2
import pytest

from support import contract as contracts, make

CONTRACT = contracts.load()
ABOVE, AS, BELOW = "di_atas_ekspektasi", "sesuai_ekspektasi", "di_bawah_ekspektasi"
RATINGS = {"sangat_baik": (ABOVE, ABOVE), "baik": (AS, AS), "butuh_perbaikan": (BELOW, AS), "kurang": (AS, BELOW), "sangat_kurang": (BELOW, BELOW)}
AGREE = {"agreed_by": "Kepala Dinas Uji", "is_agreed_by_person": True}
END = {"closed_by": "Kepala Dinas Uji", "conclusion": "Sudah dilihat"}


def day(ahead=0):
    return (make.today() + timedelta(days=ahead)).isoformat()


@pytest.fixture(scope="module")
def years(api):
    """Yearly periods that ended, the latest first."""
    last = make.today().year - 1
    return [make.period(api, name=f"SKP {y}", starts_on=f"{y}-01-01", ends_on=f"{y}-12-31") for y in range(last, last - 4, -1)]


@pytest.fixture
def nip(api, office):
    return make.person(api, office["id"])["nip"]


def final(api, nip, period, predicate):
    return make.final(api, nip, period["id"], *RATINGS[predicate])


def at(plan):
    return f"/v1/improvement-plans/{plan['id']}"


def checks(api, plan):
    return api.get(f"{at(plan)}/checks").json["data"]


def hold(api, plan, check, expect=200, **members):
    return make.act_improvement(api, f"{at(plan)}/checks/{check['id']}", "hold", {"outcome": "reached", "checked_by": "Kepala Seksi", **members}, expect=expect)


# ── plans ──


def test_a_plan_goes_its_way_and_its_way_is_told(api, nip, years):
    evaluation = final(api, nip, years[0], "butuh_perbaikan")
    plan = make.improvement(api, nip, checks=2, evaluation_id=evaluation["id"])
    assert (plan["state"], plan["predicate"], plan["checks"], plan["checks_held"], plan["version"]) == ("draft", "butuh_perbaikan", 2, 0, 1)
    assert plan["next_check_on"] == day(-30)
    agreed = make.act_improvement(api, at(plan), "agree", {**AGREE, "agreed_on": day(-55), "note": "Disepakati"}).json
    assert (agreed["state"], agreed["agreed_on"], agreed["agreed_by"], agreed["is_agreed_by_person"]) == ("agreed", day(-55), "Kepala Dinas Uji", True)
    first, second = checks(api, plan)
    held = hold(api, plan, first, outcome="partly", held_on=day(-29), note="Enam dari sepuluh").json
    assert (held["outcome"], held["held_on"], held["checked_by"], held["note"], held["version"]) == ("partly", day(-29), "Kepala Seksi", "Enam dari sepuluh", 2)
    assert make.act_improvement(api, at(plan), "close", {"result": "met", **END}, expect=409).code == "improvement-checks-open"
    hold(api, plan, second)
    closed = make.act_improvement(api, at(plan), "close", {"result": "met", **END}).json
    assert (closed["state"], closed["closed_on"], closed["conclusion"], closed["checks_held"], closed["next_check_on"]) == ("met", day(), "Sudah dilihat", 2, None)
    steps = api.get(f"{at(plan)}/steps").json["data"]
    assert [(s["seq"], s["state"], s["note"]) for s in steps] == [(1, "draft", "Berkas terlambat"), (2, "agreed", "Disepakati"), (3, "checked", "Enam dari sepuluh"),
                                                                  (4, "checked", None), (5, "met", "Sudah dilihat")]


def test_a_plan_runs_six_months_unless_told(api, nip):
    plan = api.post("/v1/improvement-plans", {"nip": nip, "cause": "Terlambat", "goal": "Tepat waktu", "starts_on": "2026-03-02"}, expect=201).json
    assert (plan["starts_on"], plan["ends_on"], plan["evaluation_id"], plan["predicate"]) == ("2026-03-02", "2026-09-01", None, None)


def test_only_what_is_below_expectation_and_holds_leads_to_a_plan(api, nip, years):
    def opened(evaluation, expect):
        return api.post("/v1/improvement-plans", {"nip": nip, "evaluation_id": evaluation["id"], "cause": "Terlambat", "goal": "Tepat waktu"}, expect=expect)
    refused = opened(final(api, nip, years[0], "baik"), 422)
    assert (refused.code, refused.json["errors"][0]["pointer"]) == ("improvement-not-below", "/evaluation_id")
    assert opened(make.evaluation(api, nip, years[1]["id"]), 409).code == "evaluation-draft"
    below = final(api, nip, years[2], "kurang")
    first = opened(below, 201).json
    assert opened(below, 409).code == "improvement-exists"
    make.act_improvement(api, at(first), "close", {"result": "cancelled", **END})
    opened(below, 201)
    objection = api.post(f"/v1/evaluations/{below['id']}/objections", {"text": "Keliru"}, expect=201).json
    for step, body in (("hear", {"note": "Didengar"}), ("decide", {"decision": "changed", "results_rating": BELOW, "behaviour_rating": BELOW, "decided_by": "Sekda", "reason": "Bukti"})):
        where = f"/v1/objections/{objection['id']}"
        api("POST", f"{where}/{step}", json=body, expect=200, headers={"If-Match": make.tag(api, where)})
    assert opened(below, 409).code == "evaluation-superseded"


def test_a_plan_of_nobody_or_of_anothers_evaluation(api, nip, office, years):
    body = {"nip": nip, "cause": "Terlambat", "goal": "Tepat waktu"}
    refused = api.post("/v1/improvement-plans", {**body, "nip": "199912312022031998"}, expect=422)
    assert (refused.code, refused.json["errors"][0]["pointer"]) == ("reference-missing", "/nip")
    others = final(api, make.person(api, office["id"])["nip"], years[0], "kurang")
    refused = api.post("/v1/improvement-plans", {**body, "evaluation_id": others["id"]}, expect=422)
    assert (refused.code, refused.json["errors"][0]["pointer"]) == ("reference-missing", "/evaluation_id")


DAYS = {  # members of the plan, code, pointer
    "ends-before": ({"ends_on": day(-61)}, "improvement-days", "/ends_on"),
    "three-years": ({"ends_on": day(1200)}, "improvement-days", "/ends_on"),
    "check-outside": ({"checks": [{"due_on": day(-61), "expectation": "Awal"}]}, "improvement-check-days", "/due_on"),
    "twice-a-day": ({"checks": [{"due_on": day(1), "expectation": "Satu"}, {"due_on": day(1), "expectation": "Dua"}]}, "improvement-check-exists", "/due_on"),
}


@pytest.mark.parametrize("case", DAYS)
def test_days_of_a_plan(case, api, nip):
    members, code, pointer = DAYS[case]
    body = {"nip": nip, "cause": "Terlambat", "goal": "Tepat waktu", "starts_on": day(-60), "ends_on": day(120), **members}
    refused = api("POST", "/v1/improvement-plans", json=body)
    assert (refused.status, refused.code, refused.json["errors"][0]["pointer"]) == (409 if code.endswith("exists") else 422, code, pointer)


def test_a_draft_changes_and_what_was_agreed_on_stays(api, nip):
    plan = make.improvement(api, nip)
    [check] = checks(api, plan)
    where = f"{at(plan)}/checks/{check['id']}"
    assert api.patch(at(plan), {"support": "Pendampingan", "goal": "Lebih baik"}, etag=make.tag(api, at(plan))).json["support"] == "Pendampingan"
    assert api.patch(at(plan), {"support": None}, etag=make.tag(api, at(plan))).json["support"] is None
    refused = api("PATCH", at(plan), json={"starts_on": day(0)}, headers={"If-Match": make.tag(api, at(plan))}, expect=422)
    assert refused.code == "improvement-check-days"
    assert api.patch(where, {"expectation": "Delapan dari sepuluh"}, etag=make.tag(api, where)).json["due_on"] == check["due_on"]
    assert hold(api, plan, check, expect=409).code == "improvement-state"
    make.act_improvement(api, at(plan), "agree", AGREE)
    for path, body in ((at(plan), {"goal": "Lain"}), (where, {"expectation": "Lain"})):
        assert api("PATCH", path, json=body, headers={"If-Match": make.tag(api, path)}, expect=409).code == "improvement-state"
    assert make.act_improvement(api, at(plan), "agree", AGREE, expect=409).code == "improvement-state"
    further = api.post(f"{at(plan)}/checks", {"due_on": day(10), "expectation": "Sembilan dari sepuluh"}, expect=201).json
    assert (further["plan_id"], further["outcome"]) == (plan["id"], None)
    hold(api, plan, check)
    assert hold(api, plan, check, expect=409).code == "improvement-state"
    make.act_improvement(api, at(plan), "close", {"result": "cancelled", **END})
    assert api.post(f"{at(plan)}/checks", {"due_on": day(11), "expectation": "Terlambat"}, expect=409).code == "improvement-state"
    assert hold(api, plan, further, expect=409).code == "improvement-state"


def test_nobody_agrees_on_a_plan_without_checks_nor_ahead_of_today(api, nip):
    plan = make.improvement(api, nip, checks=0)
    assert make.act_improvement(api, at(plan), "agree", AGREE, expect=409).code == "improvement-checks"
    api.post(f"{at(plan)}/checks", {"due_on": day(1), "expectation": "Awal"}, expect=201)
    refused = make.act_improvement(api, at(plan), "agree", {**AGREE, "agreed_on": day(1)}, expect=422)
    assert (refused.code, refused.json["errors"][0]["pointer"]) == ("improvement-day", "/agreed_on")
    assert make.act_improvement(api, at(plan), "close", {"result": "met", **END}, expect=409).code == "improvement-state"
    make.act_improvement(api, at(plan), "agree", {**AGREE, "is_agreed_by_person": False})
    [check] = checks(api, plan)
    for held_on in (day(1), day(-61)):
        assert hold(api, plan, check, expect=422, held_on=held_on).code == "improvement-day"


def test_the_database_keeps_what_was_said(api, nip, database):
    plan = make.agreed_improvement(api, nip)
    hold(api, plan, checks(api, plan)[0])
    for statement in ("UPDATE improvement_plan SET goal = 'x' WHERE id = %s", "DELETE FROM improvement_plan WHERE id = %s",
                      "UPDATE improvement_plan SET state = 'draft' WHERE id = %s", "UPDATE improvement_check SET note = 'x' WHERE plan_id = %s",
                      "DELETE FROM improvement_check WHERE plan_id = %s", "UPDATE improvement_step SET note = 'x' WHERE plan_id = %s"):
        with psycopg2.connect(database) as c, pytest.raises(psycopg2.Error) as refused:
            c.cursor().execute(statement, (plan["id"],))
        assert refused.value.pgcode == "P0001", statement


def test_what_is_due_is_told_overdue_first(api):
    unit = make.unit(api)
    draft = make.improvement(api, make.person(api, unit["id"])["nip"])
    agreed = make.agreed_improvement(api, make.person(api, unit["id"])["nip"], checks=2)
    old = make.agreed_improvement(api, make.person(api, unit["id"])["nip"], checks=0 + 1, ends_on=day(-20))
    hold(api, old, checks(api, old)[0])
    where = f"/v1/improvement-plans/due?under={unit['id']}"

    def due(query=""):
        return [(d["what"], d["improvement_plan_id"], d["due_on"], d["days_left"], d["is_overdue"]) for d in api.get(where + query).json["data"]]
    overdue = [("agree", draft["id"], day(-60), -60, True), ("check", agreed["id"], day(-30), -30, True), ("close", old["id"], day(-20), -20, True)]
    assert due() == overdue + [("check", agreed["id"], day(10), 10, False)]
    assert due("&is_overdue=true") == due("&days=9") == overdue
    assert ("close", agreed["id"], day(120), 120, False) in due("&days=120")
    hold(api, agreed, checks(api, agreed)[0])
    assert ("check", agreed["id"], day(-30), -30, True) not in due()


def test_a_plan_is_seen_by_whoever_may_see_the_person(api, keys, nip, office):
    plan = make.agreed_improvement(api, nip)
    mine = api.as_key(keys("performance.read", "performance.write", units=(office["code"],)))
    other = api.as_key(keys("performance.read", "performance.write", units=(make.unit(api)["code"],)))
    assert [p["id"] for p in mine.get(f"/v1/improvement-plans?nip={nip}").json["data"]] == [plan["id"]]
    assert mine.get(f"/v1/improvement-plans?state=draft&nip={nip}").json["data"] == []
    other.get(f"/v1/improvement-plans?nip={nip}", expect=422)
    assert plan["id"] not in {p["id"] for p in other.get("/v1/improvement-plans").json["data"]}
    other.get(at(plan), expect=404)
    other("POST", f"{at(plan)}/close", json={"result": "cancelled", **END}, headers={"If-Match": "*"}, expect=404)
    other("POST", f"{at(plan)}/checks", json={"due_on": day(9), "expectation": "Lain"}, expect=404)
    assert [d for d in other.get("/v1/improvement-plans/due?days=366").json["data"] if d["nip"] == nip] == []


# ── areas to improve ──


def areas(api, nip, query=""):
    return api.get(f"/v1/asn/{nip}/areas-to-improve{query}").json


def test_the_lowest_indicators_are_those_of_the_rule(api, nip, years):
    evaluation = make.evaluation(api, nip, years[0]["id"])
    for name, target, actual, direction in (("Tercapai", 10, 12, "maximize"), ("Separuh", 100, 50, "maximize"), ("Kurang sedikit", 100, 99, "maximize"),
                                            ("Terlambat", 10, 15, "minimize"), ("Hampir", 100, 99.5, "maximize")):
        make.indicator(api, evaluation["id"], name=name, target=target, actual=actual, direction=direction, weight=20)
    path = f"/v1/evaluations/{evaluation['id']}"
    api.patch(path, {"results_rating": BELOW, "behaviour_rating": BELOW}, etag=make.tag(api, path))
    api("POST", f"{path}/finalize", expect=200, headers={"If-Match": make.tag(api, path)})
    told = areas(api, nip)
    assert (told["year"], told["evaluation_id"], told["predicate"]) == (make.today().year - 1, evaluation["id"], "sangat_kurang")
    computed = {i["name"]: i["achievement"].text for i in api.get(f"{path}/achievement").json["indicators"]}
    found = [(a["subject"], a["value"].text) for a in told["areas"] if a["code"] == "indicator"]
    assert found == [("Separuh", "50.00"), ("Terlambat", "50.00"), ("Kurang sedikit", "99.00")] and dict(found).items() <= computed.items()
    assert [a["reason_en"] for a in told["areas"] if a["subject"] == "Separuh"] == ["Achievement 50.00 %, target 100 %"]
    assert {("Hasil kerja", "Results"), ("Perilaku kerja", "Behaviour"), ("Separuh", "Separuh")} <= {(a["subject"], a["subject_en"]) for a in told["areas"]}
    assert areas(api, nip, f"?year={make.today().year}")["evaluation_id"] is None


def test_learning_hours_that_are_short_are_an_area(api, nip):
    year = make.today().year
    standing = api.get(f"/v1/asn/{nip}/learning-hours?year={year}").json
    [area] = [a for a in areas(api, nip, f"?year={year}")["areas"] if a["code"] == "learning_hours"]
    assert (area["value"], area["expected"], area["subject"]) == (standing["total_jp"], standing["floor_jp"], standing["rule_source"])
    assert area["subject_en"] == area["subject"]
    make.course(api, nip, f"{year}-01-02", form="B3", jp=200)
    assert [a for a in areas(api, nip, f"?year={year}")["areas"] if a["code"] == "learning_hours"] == []


def test_values_that_coaching_was_about_are_areas(api, nip, years):
    plan, _, _ = make.agreed(api, nip, years[0]["id"])
    for value, kind, giver in (("akuntabel", "konseling", "penilai"), ("akuntabel", "bimbingan", "penilai"), ("harmonis", "umpan_balik", "penilai"), ("loyal", "konseling", "rekan")):
        api.post(f"/v1/skps/{plan['id']}/feedback", {"giver": giver, "kind": kind, "value": value, "text": "Catatan"}, expect=201)
    final(api, nip, years[0], "baik")
    assert [(a["subject"], a["subject_en"], a["value"]) for a in areas(api, nip)["areas"] if a["code"] == "behaviour_value"] == [("akuntabel", "Accountable", 2)]


def test_own_tickets_and_answers_once_there_are_thirty(api, nip, office, sql):
    service = make.service(api, make.service_unit(api, make.unit(api, office["id"])["id"])["id"], promise_minutes=10)
    for n in range(30):
        served = make.ticket(api, service["id"])
        for step, body in (("call", {}), ("start", {"nip": nip})):
            api.post(f"/v1/tickets/{served['id']}/{step}", body)
        api.post(f"/v1/tickets/{served['id']}/finish", {"result": "completed"})
        if n == 28:
            assert "on_time" not in {a["code"] for a in areas(api, nip)["areas"]}
    year = served["day"][:4]
    assert "on_time" not in {a["code"] for a in areas(api, nip, f"?year={year}")["areas"]}, "all were in time"
    sql("INSERT INTO area_rule SELECT code, '2018-01-01', name, name_en, 101, least, families, source, is_confirmed FROM area_rule WHERE code = 'on_time' RETURNING code")
    [area] = [a for a in areas(api, nip, f"?year={year}")["areas"] if a["code"] == "on_time"]
    inside = api.get(f"/v1/asn/{nip}/service?from={year}-01&to={year}-12").json
    assert (area["value"], area["n"]) == (inside["on_time_rate"], inside["promised"]) == (100, 30)
    assert (area["subject"], area["subject_en"], area["reason"]) == ("Tiket sendiri", "Own tickets", "30 dari 30 tiket tepat waktu (100.00 %)")


def test_before_there_was_a_rule_nothing_is_an_area(api, nip):
    final(api, nip, make.period(api, starts_on="2016-01-01", ends_on="2016-12-31"), "kurang")
    assert (areas(api, nip)["year"], areas(api, nip)["areas"]) == (2016, [])


def test_trainings_serve_the_area_and_are_new_to_the_person(api, nip, office, years, sql):
    year = make.today().year - 4
    sql("UPDATE session SET state = 'cancelled', cancel_reason = 'Uji' WHERE starts_on > now() RETURNING id")
    wanted = {name: make.programme(api, name=name, family=family, serves=serves) for name, family, serves in (
        ("Umum", "sosial_kultural", []), ("Melayani", "teknis", [{"family": "sosial_kultural", "level_from": 1, "level_to": 3}]),
        ("Teknis", "teknis", []), ("Diikuti", "sosial_kultural", []), ("Penuh", "sosial_kultural", []))}
    sessions = {name: make.session(api, p["id"], start=40 + n, capacity=1 if name == "Penuh" else 10) for n, (name, p) in enumerate(wanted.items())}
    make.session(api, wanted["Umum"]["id"], start=-1, length=3)
    make.enrol(api, sessions["Diikuti"]["id"], nip)
    make.enrol(api, sessions["Penuh"]["id"], make.person(api, office["id"])["nip"])
    final(api, nip, years[3], "kurang")
    [area] = [a for a in areas(api, nip, f"?year={year}")["areas"] if a["code"] == "behaviour"]
    assert area["families"] == ["sosial_kultural", "manajerial"]
    assert [(t["programme"], t["seats_left"], t["family"], t["level_to"]) for t in area["trainings"]] == [
        ("Umum", 10, "sosial_kultural", None), ("Melayani", 10, "sosial_kultural", 3), ("Penuh", 0, "sosial_kultural", None)]


def test_areas_are_of_whoever_the_caller_may_see(api, keys, nip):
    other = api.as_key(keys("performance.read", "training.read", "service.read", "survey.read", units=(make.unit(api)["code"],)))
    other.get(f"/v1/asn/{nip}/areas-to-improve", expect=404)


def test_every_value_has_an_english_word(sql):
    [parameter] = [p for p in CONTRACT.operations["putSkpBehaviour"].where("path") if p["name"] == "behaviour"]
    values = CONTRACT.resolve(parameter["schema"])["enum"]
    assert len(values) == 7 and all(sql("SELECT behaviour_value_name(%s) ~ '^[A-Z]'", (v,))[0][0] for v in values)


# ── families: one vocabulary ──


def test_programmes_areas_and_the_contract_name_the_same_families(api, sql):
    known = set(sql("SELECT competency_families()")[0][0])
    assert known == set(CONTRACT.document["components"]["schemas"]["CompetencyFamily"]["enum"])
    assert {f for r in api.get("/v1/area-rules?limit=100").json["data"] for f in r["families"]} == known
    listed = {r["code"] for r in api.get("/v1/references/competency-standard?limit=1000").json["data"] if r["parent"] is None}
    assert listed == known - {"fungsional"}
    for statement in ("UPDATE area_rule SET families = '{bahasa}' WHERE code = 'on_time'", "UPDATE programme SET family = 'bahasa'"):
        with pytest.raises(psycopg2.Error, match="families_known|family_known"):
            sql(statement)


@pytest.mark.parametrize("family, competency, refused", [
    ("manajerial", "integritas", False), ("teknis", "integritas", True), ("sosial_kultural", "integritas", True), ("sosial_kultural", "perekat_bangsa", False),
    ("fungsional", "integritas", True), ("teknis", None, False), ("fungsional", None, False)])
def test_what_a_programme_serves_is_of_its_own_family(family, competency, refused, api):
    serves = {"family": family, "level_from": 1, "level_to": 3, **({"competency": competency} if competency else {})}
    n = make.number()
    body = {"code": f"F{n:05d}", "name": f"Pelatihan {n}", "form": "B3", "family": "teknis", "jp": 20, "organiser": "BKPSDM Uji", "serves": [serves]}
    reply = api.post("/v1/programmes", body, expect=422 if refused else 201)
    assert not refused or (reply.code, list(reply.faults)) == ("competency-family", ["/serves"])


# ── outcomes ──

CASES = {  # predicates, the latest year first; rules that hold
    "good-two": (("baik", "sangat_baik"), {"promotion", "study", "talent"}),
    "outstanding-two": (("sangat_baik", "sangat_baik"), {"promotion", "study", "talent", "award"}),
    "good-once": (("baik",), set()),
    "a-gap": (("baik", None, "baik"), set()),
    "below": (("butuh_perbaikan", "baik"), {"improvement_plan"}),
    "bad-two": (("kurang", "sangat_kurang"), {"improvement_plan", "placement"}),
    "bad-three": (("kurang", "kurang", "sangat_kurang"), {"improvement_plan", "placement", "dismissal"}),
    "better-again": (("baik", "kurang", "kurang"), set()),
    "nothing": ((), set()),
}


@pytest.mark.parametrize("case", CASES)
def test_outcomes_of_consecutive_years(case, api, nip, years):
    predicates, holding = CASES[case]
    made = [final(api, nip, period, p) if p else None for p, period in zip(predicates, years)]
    rows = {o["code"]: o for o in api.get(f"/v1/asn/{nip}/outcomes").json["data"]}
    assert {code for code, o in rows.items() if o["holds"]} == holding
    told = rows["promotion"]["facts"]["evaluations"]
    assert [(f["year"], f["evaluation_id"], f["predicate"]) for f in told] == [
        (make.today().year - 1 - n, (made[n] if n < len(made) else None) and made[n]["id"], predicates[n] if n < len(predicates) else None) for n in range(2 if made else 0)]
    assert {o["code"] for o in api.get(f"/v1/asn/{nip}/outcomes?holds=true").json["data"]} == holding
    assert all(o["source"] and o["years_asked"] >= 1 for o in rows.values())
    if case == "bad-three":
        assert rows["dismissal"]["years"] == 3 and rows["promotion"]["years"] == 0


def test_a_plan_that_did_not_reach_its_goal_leads_to_a_test(api, nip, years):
    evaluation = final(api, nip, years[0], "kurang")
    plan = make.agreed_improvement(api, nip, evaluation_id=evaluation["id"])
    hold(api, plan, checks(api, plan)[0], outcome="not_reached")

    def test_of_competency():
        return next(o for o in api.get(f"/v1/asn/{nip}/outcomes?kind=consequence").json["data"] if o["code"] == "competency_test")
    assert not test_of_competency()["holds"] and test_of_competency()["facts"]["plan"] == {"improvement_plan_id": plan["id"], "state": "agreed"}
    make.act_improvement(api, at(plan), "close", {"result": "not_met", **END})
    assert test_of_competency()["holds"] and test_of_competency()["facts"]["plan"]["state"] == "not_met"


def test_outcomes_are_those_of_the_day(api, nip, years):
    final(api, nip, years[0], "kurang")
    final(api, nip, years[1], "baik")
    final(api, nip, years[2], "baik")

    def holding(query):
        return {o["code"] for o in api.get(f"/v1/asn/{nip}/outcomes?holds=true{query}").json["data"]}
    assert holding("") == {"improvement_plan"} and holding(f"&as_of={years[1]['ends_on']}&kind=gate") == {"promotion", "study", "talent"}


def test_for_whom_an_outcome_holds(api, keys, years):
    unit, other = make.unit(api), make.unit(api)
    people = {p: make.person(api, unit["id"])["nip"] for p in ("baik", "kurang")}
    for predicate, nip in people.items():
        for period in years[:2]:
            final(api, nip, period, predicate)
    found = api.get(f"/v1/reports/outcomes/promotion?under={unit['id']}").json["data"]
    assert [(f["nip"], f["code"], f["years"]) for f in found] == [(people["baik"], "promotion", 2)]
    assert [f["meets"] for f in found[0]["facts"]["evaluations"]] == [True, True]
    assert [f["nip"] for f in api.get(f"/v1/reports/outcomes/placement?under={unit['id']}").json["data"]] == [people["kurang"]]
    assert api.get("/v1/reports/outcomes/no_such_rule", expect=404).code == "not-found"
    assert api.get("/v1/reports/outcomes/promotion?as_of=2020-01-01").json["data"] == []  # before the rule there was nobody, and it is there
    assert api.as_key(keys("performance.read", units=(other["code"],))).get("/v1/reports/outcomes/promotion").json["data"] == []


def test_rules_name_their_source_and_whether_it_was_seen(api):
    rules = api.get("/v1/outcome-rules?limit=100").json["data"]
    assert {r["code"] for r in rules} >= {"promotion", "award", "improvement_plan", "dismissal"}
    assert all(r["is_confirmed"] is False for r in rules if r["source"].startswith("recalled"))
    assert {r["kind"] for r in api.get("/v1/outcome-rules?kind=gate").json["data"]} == {"gate"}
    assert {r["code"] for r in api.get("/v1/area-rules?limit=100").json["data"]} >= {"indicator", "on_time", "learning_hours"}
