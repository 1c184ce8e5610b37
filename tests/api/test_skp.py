# SPDX-License-Identifier: Apache-2.0
"""The plan of a year (Permenpan RB 6/2022): drafted, agreed, kept, followed, and taken into the evaluation."""
import json
import threading
from datetime import date, timedelta

import psycopg2
import pytest

from support import make

BOSS = {"assessor_name": "Bupati Uji", "assessor_position": "Bupati"}


@pytest.fixture(scope="module")
def year(api):
    """A year that today lies in the midst of."""
    first = make.today() - timedelta(days=200)
    return make.period(api, starts_on=first.isoformat(), ends_on=(first + timedelta(days=365)).isoformat())


@pytest.fixture
def person(api, office):
    return make.person(api, office["id"], position_kind="pelaksana", position="Arsiparis Uji")


def path(plan, tail=""):
    return f"/v1/skps/{plan['id']}{tail}"


def document(api, plan):
    return api.get(path(plan, "/document")).json


def test_a_plan_takes_days_post_and_unit_from_period_and_record(api, person, year):
    plan = make.skp(api, person["nip"], year["id"])
    assert (plan["starts_on"], plan["ends_on"]) == (year["starts_on"], year["ends_on"])
    assert (plan["position"], plan["unit_id"], plan["state"], plan["approach"]) == ("Arsiparis Uji", person["unit_id"], "draft", "kuantitatif")
    assert (plan["assessor_nip"], plan["assessor_name"]) == (None, "Bupati Uji")


def test_what_is_missing_is_named_before_it_is_proposed(api, person, year):
    boss = make.person(api, person["unit_id"])
    plan = make.skp(api, person["nip"], year["id"], assessor_nip=boss["nip"])
    refused = make.act_skp(api, plan["id"], "propose", expect=409)
    assert (refused.code, refused.faults) == ("skp-incomplete", {"/results": "result-none"})
    result = make.result(api, plan["id"])
    make.planned(api, plan["id"], result["id"], aspect=None, target=None)
    gaps = {(g["pointer"], g["code"]) for g in document(api, plan)["gaps"]}
    assert gaps == {("/results/1/superior_result_id", "superior-result-missing"), ("/indicators/1/aspect", "missing"), ("/indicators/1/target", "missing")}
    refused = make.act_skp(api, plan["id"], "propose", expect=409)
    assert (refused.code, refused.faults) == ("skp-incomplete", {
        "/results/1/superior_result_id": "superior-result-missing", "/indicators/1/aspect": "skp-member-missing", "/indicators/1/target": "skp-member-missing"})


TARGETS = {  # direction, target, target_high; where and why it is refused
    "division-by-0": ("maximize", 0, None, "/indicators/1/target"), "nothing-may-take": ("minimize", 0, None, "/indicators/1/target"),
    "always-0-or-nothing": ("minimize_inverse", 0, None, "/indicators/1/target"), "an-empty-range": ("range", 0, 0, "/indicators/1/target_high"),
    "more-than-0": ("maximize", 0.0001, None, None), "a-range-from-0": ("range", 0, 5, None), "a-range-of-one": ("range", 5, 5, None),
    "less-than-something": ("minimize", 1, None, None), "inverse": ("minimize_inverse", 1, None, None),
}


@pytest.mark.parametrize("step", ["propose", "approve"])
@pytest.mark.parametrize("case", TARGETS)
def test_a_target_that_no_result_has_a_value_for_is_not_proposed(case, step, api, person, year, sql):
    direction, target, high, pointer = TARGETS[case]
    plan = make.skp(api, person["nip"], year["id"])
    fine = step == "approve"  # proposed with another target, as by a release that did not ask
    planned = make.planned(api, plan["id"], make.result(api, plan["id"])["id"], direction=direction, target=1 if fine and high is None else target,
                           **({"target_high": 1 if fine and not high else high} if high is not None else {}))
    if fine:
        make.act_skp(api, plan["id"], "propose")
        sql("ALTER TABLE skp_indicator DISABLE TRIGGER USER")
        sql("UPDATE skp_indicator SET target = %s, target_high = %s WHERE id = %s", (target, high, planned["id"]))
        sql("ALTER TABLE skp_indicator ENABLE TRIGGER USER")
    reply = make.act_skp(api, plan["id"], step, expect=409 if pointer else 200)
    if pointer:
        assert (reply.code, reply.faults) == ("skp-incomplete", {pointer: "target-zero"})
        assert document(api, plan)["gaps"] == [{"pointer": pointer, "code": "target-zero"}]
        for language, words in (("en", "whatever is reached"), ("id", "apa pun capaiannya")):
            told = api("POST", path(plan, f"/{step}"), headers={"If-Match": "*", "Accept-Language": language}, expect=409)
            assert words in str(told.json["errors"][0])


@pytest.mark.parametrize("direction, target, high", [("range", 90, 80), ("range", 1, 0), ("maximize", 80, 90), ("minimize", 0, 1)])
def test_bounds_that_cannot_be_are_refused_when_they_are_told(direction, target, high, api, person, year):
    plan = make.skp(api, person["nip"], year["id"])
    body = {"result_id": make.result(api, plan["id"])["id"], "name": "Uji", "aspect": "waktu", "direction": direction, "target": target, "target_high": high}
    assert api.post(path(plan, "/indicators"), body, expect=422).faults == {"/target_high": "indicator-bounds"}


def test_in_words_a_target_is_nothing(api, person, year):
    plan = make.skp(api, person["nip"], year["id"], approach="kualitatif")
    make.planned(api, plan["id"], make.result(api, plan["id"])["id"], target=0, success="Tidak ada keluhan")
    make.act_skp(api, plan["id"], "propose")


def test_the_qualitative_approach_asks_for_success_in_words(api, person, year):
    plan = make.skp(api, person["nip"], year["id"], approach="kualitatif")
    result = make.result(api, plan["id"])
    indicator = api.post(path(plan, "/indicators"), {"result_id": result["id"], "name": "Mutu arsip"}, expect=201)
    assert document(api, plan)["gaps"] == [{"pointer": "/indicators/1/success", "code": "missing"}]
    api.patch(path(plan, f"/indicators/{indicator.json['id']}"), {"success": "Arsip ditemukan dalam lima menit"}, etag=indicator.etag)
    assert make.act_skp(api, plan["id"], "propose").json["state"] == "proposed"


ALLOWED = {("draft", "propose"), ("returned", "propose"), ("proposed", "return"), ("proposed", "approve"), ("approved", "return"), ("approved", "end")}
STEPS = {"propose": None, "approve": None, "return": {"reason": "Perbaiki target"}, "end": {"on": None, "reason": "Mutasi"}}


def brought_to(api, nip, year, state):
    plan = make.skp(api, nip, year["id"])
    make.planned(api, plan["id"], make.result(api, plan["id"])["id"])
    for step in {"draft": [], "proposed": ["propose"], "returned": ["propose", "return"], "approved": ["propose", "approve"],
                 "ended": ["propose", "approve", "end"]}[state]:
        make.act_skp(api, plan["id"], step, STEPS[step] and {**STEPS[step], **({"on": plan["ends_on"]} if step == "end" else {})})
    return plan


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("state", ["draft", "proposed", "returned", "approved", "ended"])
def test_each_step_from_each_state(state, step, api, person, year):
    plan = brought_to(api, person["nip"], year, state)
    body = STEPS[step] and {**STEPS[step], **({"on": plan["ends_on"]} if step == "end" else {})}
    may = (state, step) in ALLOWED
    reply = make.act_skp(api, plan["id"], step, body, expect=200 if may else 409)
    assert reply.json["state"] == {"propose": "proposed", "approve": "approved", "return": "returned", "end": "ended"}[step] if may \
        else reply.code == "skp-state"


def test_expectations_of_the_seven_values(api, person, year):
    plan = make.skp(api, person["nip"], year["id"])
    rows = api.get(path(plan, "/behaviours")).json["data"]
    assert len(rows) == 7 and {r["expectation"] for r in rows} == {None}
    for text in ("Surat tercatat hari itu juga", "Surat tercatat dalam satu jam", None):
        before = api.get(path(plan)).json["version"]
        put = api.put(path(plan, "/behaviours/akuntabel"), {"expectation": text}, etag=make.tag(api, path(plan)), expect=200).json
        assert put == {"value": "akuntabel", "expectation": text} and api.get(path(plan)).json["version"] > before
        assert {r["value"]: r["expectation"] for r in api.get(path(plan, "/behaviours")).json["data"]}["akuntabel"] == text
        assert document(api, plan)["document"]["behaviours"] == ({"akuntabel": text} if text else {})
    api.put(path(plan, "/behaviours/malas"), {"expectation": "X"}, etag="*", expect=404)


@pytest.mark.parametrize("state", ["proposed", "approved", "ended"])
def test_what_is_proposed_or_approved_is_not_changed(state, api, person, year):
    plan = brought_to(api, person["nip"], year, state)
    result = api.get(path(plan, "/results")).json["data"][0]
    indicator = api.get(path(plan, "/indicators")).json["data"][0]
    before = document(api, plan)
    tag = make.tag(api, path(plan))
    refused = [
        api.patch(path(plan), {"position": "Lain"}, etag=tag, expect=409),
        api.delete(path(plan), etag=tag, expect=409),
        api.post(path(plan, "/results"), {"name": "Satu lagi"}, expect=409),
        api.patch(path(plan, f"/results/{result['id']}"), {"name": "Lain"}, etag=make.tag(api, path(plan, f"/results/{result['id']}")), expect=409),
        api.delete(path(plan, f"/results/{result['id']}"), etag=make.tag(api, path(plan, f"/results/{result['id']}")), expect=409),
        api.post(path(plan, "/indicators"), {"result_id": result["id"], "name": "Satu lagi"}, expect=409),
        api.patch(path(plan, f"/indicators/{indicator['id']}"), {"target": 1}, etag=make.tag(api, path(plan, f"/indicators/{indicator['id']}")), expect=409),
        api.delete(path(plan, f"/indicators/{indicator['id']}"), etag=make.tag(api, path(plan, f"/indicators/{indicator['id']}")), expect=409),
        api.put(path(plan, "/behaviours/loyal"), {"expectation": "Setia"}, etag=tag, expect=409),
    ]
    assert {r.code for r in refused} == {"skp-fixed"}
    assert document(api, plan) == before


def test_two_plans_of_a_person_share_no_day(api, person, year):
    middle = date.fromisoformat(year["starts_on"]) + timedelta(days=100)
    first = make.skp(api, person["nip"], year["id"], ends_on=middle.isoformat())
    assert api.post("/v1/skps", {"nip": person["nip"], "period_id": year["id"], **BOSS}, expect=409).code == "skp-overlap"
    second = make.skp(api, person["nip"], year["id"], starts_on=(middle + timedelta(days=1)).isoformat())
    assert first["ends_on"] < second["starts_on"]


def test_racing_drafts_of_one_person_leave_one(api, person, year):
    replies = []
    barrier = threading.Barrier(8)

    def draft():
        barrier.wait()
        replies.append(api.post("/v1/skps", {"nip": person["nip"], "period_id": year["id"], **BOSS}, expect=None).status)
    threads = [threading.Thread(target=draft) for _ in range(8)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert sorted(replies) == [201] + [409] * 7


def test_racing_approvals_make_one_edition(api, person, year):
    plan = brought_to(api, person["nip"], year, "proposed")
    tag = make.tag(api, path(plan))
    replies = []
    barrier = threading.Barrier(8)

    def approve():
        barrier.wait()
        replies.append(api("POST", path(plan, "/approve"), headers={"If-Match": tag}, expect=None).status)
    threads = [threading.Thread(target=approve) for _ in range(8)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert sorted(replies) == [200] + [412] * 7
    assert [e["edition"] for e in api.get(path(plan, "/editions")).json["data"]] == [1]


@pytest.mark.parametrize("body, code, pointer", [
    ({"assessor_name": "Bupati Uji", "starts_on": "1990-01-01"}, "skp-days", "/starts_on"),
    ({"assessor_name": "Bupati Uji", "position": ""}, "invalid", "/position"),
    ({"assessor_nip": "199001152015031000"}, "reference-missing", "/assessor_nip"),
])
def test_a_plan_that_cannot_be(body, code, pointer, api, person, year):
    refused = api.post("/v1/skps", {"nip": person["nip"], "period_id": year["id"], **body}, expect=(409, 422))
    assert pointer in refused.faults and code in (refused.code, refused.faults[pointer])


def stranger_and_nobody(api, keys, person, scopes):
    """A caller of the person's unit alone, a person elsewhere, and a number that nobody has."""
    elsewhere = make.unit(api, kind="dinas")
    unit = api.get(f"/v1/units/{person['unit_id']}").json
    return api.as_key(keys(*scopes, units=(unit["code"],))), make.person(api, elsewhere["id"], name="Nama Tersembunyi"), "199912312022031998"


def alike(replies, numbers):
    """Refusals without what is each request's own."""
    return {json.dumps({k: v for k, v in r.json.items() if k not in ("request_id", "instance")}).replace(n, "N") for r, n in zip(replies, numbers, strict=True)}


def test_an_assessor_of_others_is_as_if_he_were_not_there(api, keys, office, year):
    person = make.person(api, office["id"])
    caller, stranger, nobody = stranger_and_nobody(api, keys, person, ("performance.read", "performance.write"))
    body = {"nip": person["nip"], "period_id": year["id"]}
    replies = [caller.post("/v1/skps", {**body, "assessor_nip": n}, expect=422) for n in (stranger["nip"], nobody)]
    assert replies[0].faults == {"/assessor_nip": "reference-missing"} and len(alike(replies, (stranger["nip"], nobody))) == 1
    plan = make.skp(caller, person["nip"], year["id"])
    replies = [caller.patch(f"/v1/skps/{plan['id']}", {"assessor_nip": n}, etag="*", expect=422) for n in (stranger["nip"], nobody)]
    assert replies[0].faults == {"/assessor_nip": "reference-missing"} and len(alike(replies, (stranger["nip"], nobody))) == 1
    assert "Tersembunyi" not in caller.get(f"/v1/skps/{plan['id']}").text


def test_who_leads_the_person_or_has_assessed_him_may_be_named_from_below(api, keys, year):
    above = make.unit(api, kind="dinas", head_position="Kepala Dinas Uji")
    below = make.unit(api, parent=above["id"])
    person, head, former = make.person(api, below["id"]), make.person(api, above["id"]), make.person(api, above["id"])
    caller = api.as_key(keys("performance.read", "performance.write", units=(below["code"],)))
    body = {"nip": person["nip"], "period_id": year["id"]}
    caller.post("/v1/skps", {**body, "assessor_nip": head["nip"]}, expect=422)
    make.history(api, head["nip"], "position", {"assignment": "definitive", "position": "Kepala Dinas Uji", "position_kind": "struktural", "unit_id": above["id"]}, "2020-01-01")
    plan = caller.post("/v1/skps", {**body, "assessor_nip": head["nip"]}, expect=201).json
    assert plan["assessor_name"] == head["name"]
    caller.patch(f"/v1/skps/{plan['id']}", {"assessor_nip": former["nip"]}, etag="*", expect=422)
    api.patch(f"/v1/skps/{plan['id']}", {"assessor_nip": former["nip"]}, etag="*")
    assert caller.patch(f"/v1/skps/{plan['id']}", {"assessor_nip": former["nip"], "position": "Lain"}, etag="*").json["assessor_nip"] == former["nip"]


def test_somebody_assesses(api, person, year):
    refused = api.post("/v1/skps", {"nip": person["nip"], "period_id": year["id"]}, expect=422)
    assert [(e["code"], e["detail"]) for e in refused.json["errors"]] == [("one-of", "give either `assessor_nip`, or `assessor_name`")]


def test_nobody_assesses_himself(api, person, year):
    refused = api.post("/v1/skps", {"nip": person["nip"], "period_id": year["id"], "assessor_nip": person["nip"]}, expect=422)
    assert refused.code == "skp-own-assessor"


def test_a_plan_is_for_a_yearly_period(api, person):
    quarter = make.period(api, kind="triwulan", starts_on="1999-01-01", ends_on="1999-03-31")
    refused = api.post("/v1/skps", {"nip": person["nip"], "period_id": quarter["id"], **BOSS}, expect=422)
    assert (refused.code, list(refused.faults)) == ("skp-period", ["/period_id"])


# ── cascading ──


@pytest.fixture
def head(api, office, year):
    """The head's approved plan of two results."""
    boss = make.person(api, office["id"])
    plan, results, _ = make.agreed(api, boss["nip"], year["id"], results=2)
    return boss, plan, results


def test_results_serve_results_of_the_assessor_alone(api, office, person, year, head):
    boss, plan, results = head
    stranger = make.agreed(api, make.person(api, office["id"])["nip"], year["id"])[1][0]
    own = make.skp(api, person["nip"], year["id"], assessor_nip=boss["nip"])
    refused = api.post(path(own, "/results"), {"name": "Menata arsip", "superior_result_id": stranger["id"]}, expect=422)
    assert (refused.code, list(refused.faults)) == ("superior-result", ["/superior_result_id"])
    made = make.result(api, own["id"], superior_result_id=results[0]["id"], cascade="langsung")
    assert (made["superior_result_id"], made["cascade"]) == (results[0]["id"], "langsung")


def test_the_matrix_and_what_nobody_serves(api, person, year, head):
    boss, plan, results = head
    uncovered = f"/v1/reports/uncovered-results?period_id={year['id']}&under={person['unit_id']}"

    def of_boss():
        return [r["id"] for r in api.get(uncovered).json["data"] if r["nip"] == boss["nip"]]
    assert of_boss() == []  # who has nobody under him covers nothing
    own = make.skp(api, person["nip"], year["id"], assessor_nip=boss["nip"])
    assert sorted(of_boss()) == sorted(r["id"] for r in results)
    made = make.result(api, own["id"], superior_result_id=results[0]["id"])
    assert of_boss() == [results[1]["id"]]
    rows = api.get(path(plan, "/matrix")).json["data"]
    assert [(r["result_id"], r["serving_result_id"], r["nip"], r["cascade"]) for r in rows] == \
        [(results[0]["id"], made["id"], person["nip"], "tidak_langsung"), (results[1]["id"], None, None, None)]


def test_two_who_assess_each_other_close_no_circle(api, office, year):
    one, two = make.person(api, office["id"]), make.person(api, office["id"])
    a = make.skp(api, one["nip"], year["id"], assessor_nip=two["nip"])
    b = make.skp(api, two["nip"], year["id"], assessor_nip=one["nip"])
    ra = make.result(api, a["id"])
    rb = make.result(api, b["id"], superior_result_id=ra["id"])
    at = path(a, f"/results/{ra['id']}")
    assert api.patch(at, {"superior_result_id": rb["id"]}, etag=make.tag(api, at), expect=422).code == "superior-result"


# ── library ──


def test_a_copy_of_the_library_stays_as_it_was(api, person, year):
    kept = make.kpi(api, name="Surat tercatat", target=400, cap=110, measure="surat", direction="minimize", aspect="waktu")
    plan = make.skp(api, person["nip"], year["id"])
    result = make.result(api, plan["id"])
    copy = api.post(path(plan, "/indicators"), {"result_id": result["id"], "kpi_id": kept["id"], "target": 380}, expect=201).json
    assert [copy[m] for m in ("name", "target", "cap", "measure", "direction", "aspect", "kpi_id")] == \
        ["Surat tercatat", 380, 110, "surat", "minimize", "waktu", kept["id"]]
    at = f"/v1/kpis/{kept['id']}"
    api.patch(at, {"name": "Lain sama sekali", "is_active": False}, etag=make.tag(api, at))
    assert api.get(path(plan, f"/indicators/{copy['id']}")).json["name"] == "Surat tercatat"
    refused = api.post(path(plan, "/indicators"), {"result_id": result["id"], "kpi_id": kept["id"]}, expect=422)
    assert list(refused.faults) == ["/kpi_id"]
    assert api.post(path(plan, "/indicators"), {"result_id": result["id"]}, expect=422).code == "indicator-nameless"


def test_only_who_sees_all_units_writes_the_library(api, keys):
    unit = make.unit(api)
    kept, part = make.kpi(api), api.as_key(keys("performance.write", "performance.read", units=(unit["code"],)))
    body = {"code": f"IKI-{make.number()}", "name": "Jabatan di mana pun", "aspect": "kualitas", "direction": "maximize"}
    assert part.post("/v1/kpis", body, expect=403).code == "forbidden"
    assert part.patch(f"/v1/kpis/{kept['id']}", {"name": "Lain"}, etag="*", expect=403).code == "forbidden"
    assert part.get(f"/v1/kpis/{kept['id']}").json["name"] == kept["name"]
    assert api.as_key(keys("performance.write")).post("/v1/kpis", body, expect=201).json["code"] == body["code"]  # had it been made, it would be taken


def test_the_library_finds_what_fits_a_position(api):
    word = f"Penyusun Uji {make.number()}"
    mine = make.kpi(api, position_kind="pelaksana", position=word)
    other = make.kpi(api, position_kind="pelaksana", position="Jabatan Lain Uji")
    every = make.kpi(api)
    found = {k["id"] for k in api.get(f"/v1/kpis?position={word.upper()}&limit=1000").json["data"]}
    assert {mine["id"], every["id"]} <= found and other["id"] not in found


# ── all year ──


def test_progress_is_corrected_by_another_entry(api, person, year, database):
    plan, results, indicators = make.agreed(api, person["nip"], year["id"])
    wrong = api.post(path(plan, "/progress"), {"indicator_id": indicators[0]["id"], "value": 900, "evidence": "Buku agenda"}, expect=201).json
    right = api.post(path(plan, "/progress"), {"indicator_id": indicators[0]["id"], "value": 90, "note": "Salah ketik", "corrects": wrong["id"]}, expect=201).json
    told = {p["id"]: p for p in api.get(path(plan, "/progress")).json["data"]}
    assert told[wrong["id"]]["corrected_by"] == right["id"] and told[right["id"]]["corrected_by"] is None
    again = {"indicator_id": indicators[0]["id"], "value": 91, "corrects": wrong["id"]}
    assert api.post(path(plan, "/progress"), again, expect=409).code == "progress-corrected"
    with psycopg2.connect(database) as c, pytest.raises(psycopg2.Error, match="what was said stays"):
        c.cursor().execute("UPDATE skp_progress SET value = 1 WHERE id = %s", (wrong["id"],))


@pytest.mark.parametrize("day, fine", [(0, True), (1, False), (-1, True), (-1000, False)])
def test_progress_is_of_a_day_that_has_been(day, fine, api, person, year):
    plan, _, indicators = make.agreed(api, person["nip"], year["id"])
    told = {"indicator_id": indicators[0]["id"], "value": 1, "day": (make.today() + timedelta(days=day)).isoformat()}
    reply = api.post(path(plan, "/progress"), told, expect=201 if fine else 422)
    assert fine or reply.code == "skp-progress-day"


def test_a_draft_takes_no_progress(api, person, year):
    plan = make.skp(api, person["nip"], year["id"])
    planned = make.planned(api, plan["id"], make.result(api, plan["id"])["id"])
    assert api.post(path(plan, "/progress"), {"indicator_id": planned["id"], "value": 1}, expect=409).code == "skp-not-agreed"


def test_an_indicator_with_progress_stays_when_the_plan_is_reopened(api, person, year):
    plan, results, indicators = make.agreed(api, person["nip"], year["id"])
    api.post(path(plan, "/progress"), {"indicator_id": indicators[0]["id"], "value": 5}, expect=201)
    make.act_skp(api, plan["id"], "return", {"reason": "Target berubah"})
    at = path(plan, f"/indicators/{indicators[0]['id']}")
    assert api.delete(at, etag=make.tag(api, at), expect=409).code == "in-use"
    api.patch(at, {"target": 55}, etag=make.tag(api, at))
    make.act_skp(api, plan["id"], "propose")
    make.act_skp(api, plan["id"], "approve")
    editions = api.get(path(plan, "/editions")).json["data"]
    assert [(e["edition"], e["document"]["results"][0]["indicators"][0]["target"], e["is_intact"]) for e in editions] == [(1, 100, True), (2, 55, True)]


def test_an_edition_is_for_ever(api, person, year, database):
    plan, _, _ = make.agreed(api, person["nip"], year["id"])
    for statement in ("UPDATE skp_edition SET sha256 = 'x' WHERE skp_id = %s", "DELETE FROM skp_edition WHERE skp_id = %s"):
        with psycopg2.connect(database) as c, pytest.raises(psycopg2.Error, match="what was approved stays"):
            c.cursor().execute(statement, (plan["id"],))


def test_feedback_goes_both_ways_and_stays(api, person, year):
    plan, results, _ = make.agreed(api, person["nip"], year["id"])
    for giver in ("penilai", "pegawai", "rekan", "bawahan"):
        api.post(path(plan, "/feedback"), {"giver": giver, "text": "Baik, teruskan", "result_id": results[0]["id"]}, expect=201)
    api.post(path(plan, "/feedback"), {"giver": "penilai", "kind": "konseling", "value": "adaptif", "text": "Dibahas", "agreed": "Ikut pelatihan"}, expect=201)
    assert [f["giver"] for f in api.get(path(plan, "/feedback")).json["data"]] == ["penilai", "pegawai", "rekan", "bawahan", "penilai"]
    assert [f["agreed"] for f in api.get(path(plan, "/feedback?kind=konseling")).json["data"]] == ["Ikut pelatihan"]


def test_silence_is_counted_from_the_last_word(api, person, year, sql):
    plan, _, indicators = make.agreed(api, person["nip"], year["id"])
    silent = f"/v1/reports/silent-skps?period_id={year['id']}&limit=1000&silent_days="

    def days(least):
        return [s["days"] for s in api.get(silent + str(least)).json["data"] if s["id"] == plan["id"]]
    assert days(1) == []
    sql("ALTER TABLE skp DISABLE TRIGGER USER")
    sql("UPDATE skp SET approved_at = now() - interval '40 days', starts_on = starts_on - 400 WHERE id = %s", (plan["id"],))
    sql("ALTER TABLE skp ENABLE TRIGGER USER")
    assert days(40) == [40] and days(41) == []
    word = (make.today() - timedelta(days=7)).isoformat()
    api.post(path(plan, "/feedback"), {"giver": "penilai", "text": "Apa kabar arsip?", "day": word}, expect=201)
    assert days(7) == [7] and days(8) == []


# ── into the evaluation ──


def test_the_evaluation_takes_plan_and_progress(api, person, year):
    plan, results, indicators = make.agreed(api, person["nip"], year["id"], results=2)
    evaluation = make.evaluation(api, person["nip"], year["id"])
    at = f"/v1/evaluations/{evaluation['id']}"
    api.post(path(plan, "/progress"), {"indicator_id": indicators[0]["id"], "value": 45}, expect=201)
    assert api.post(f"{at}/fill").json == {"evaluation_id": evaluation["id"], "copied": 2, "refreshed": 0}
    assert [(i["name"], i["target"], i["actual"]) for i in api.get(f"{at}/indicators").json["data"]] == \
        [(indicators[0]["name"], 100, 45), (indicators[1]["name"], 100, None)]
    for n, value in enumerate((50, 80)):
        api.post(path(plan, "/progress"), {"indicator_id": indicators[n]["id"], "value": value}, expect=201)
    assert api.post(f"{at}/fill").json == {"evaluation_id": evaluation["id"], "copied": 0, "refreshed": 2}
    assert api.get(f"{at}/achievement").json["achievement"] == 65.0


def test_after_a_move_both_plans_are_there(api, person, year):
    first, _, one = make.agreed(api, person["nip"], year["id"])
    last = make.today() - timedelta(days=1)
    make.act_skp(api, first["id"], "end", {"on": last.isoformat(), "reason": "Mutasi"})
    second, _, two = make.agreed(api, person["nip"], year["id"], starts_on=(last + timedelta(days=1)).isoformat())
    api.post(path(second, "/progress"), {"indicator_id": two[0]["id"], "value": 30}, expect=201)
    evaluation = make.evaluation(api, person["nip"], year["id"])
    assert api.post(f"/v1/evaluations/{evaluation['id']}/fill").json["copied"] == 2
    assert [i["name"] for i in api.get(f"/v1/evaluations/{evaluation['id']}/indicators").json["data"]] == [one[0]["name"], two[0]["name"]]


def test_a_final_evaluation_takes_nothing_more(api, person, year):
    plan, _, indicators = make.agreed(api, person["nip"], year["id"])
    evaluation = make.evaluation(api, person["nip"], year["id"])
    at = f"/v1/evaluations/{evaluation['id']}"
    api.post(path(plan, "/progress"), {"indicator_id": indicators[0]["id"], "value": 45}, expect=201)
    api.post(f"{at}/fill")
    api.patch(at, {"results_rating": "sesuai_ekspektasi", "behaviour_rating": "sesuai_ekspektasi"}, etag=make.tag(api, at))
    api("POST", f"{at}/finalize", expect=200, headers={"If-Match": make.tag(api, at)})
    api.post(path(plan, "/progress"), {"indicator_id": indicators[0]["id"], "value": 99}, expect=201)
    assert api.post(f"{at}/fill", expect=409).code == "evaluation-final"
