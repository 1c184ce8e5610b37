# SPDX-License-Identifier: Apache-2.0
"""What follows the ratings: the unit's predicate and distribution (examples G), moderation, objections (I21), credit points (H)."""
import json
import threading
from datetime import timedelta

import psycopg2
import pytest

from support import make

ABOVE, AS, BELOW = "di_atas_ekspektasi", "sesuai_ekspektasi", "di_bawah_ekspektasi"
RATINGS = {"sangat_baik": (ABOVE, ABOVE), "baik": (AS, AS), "butuh_perbaikan": (BELOW, AS), "kurang": (AS, BELOW), "sangat_kurang": (BELOW, BELOW)}
PREDICATES = list(RATINGS)


@pytest.fixture(scope="module")
def period(api):
    return make.period(api)


def at(evaluation, tail=""):
    return f"/v1/evaluations/{evaluation['id']}{tail}"


def rated(api, nip, period, results=AS, behaviour=AS, final=True):
    evaluation = make.evaluation(api, nip, period["id"])
    make.indicator(api, evaluation["id"])
    api.patch(at(evaluation), {"results_rating": results, "behaviour_rating": behaviour}, etag=make.tag(api, at(evaluation)))
    if final:
        api("POST", at(evaluation, "/finalize"), expect=200, headers={"If-Match": make.tag(api, at(evaluation))})
    return api.get(at(evaluation)).json


@pytest.fixture
def final(api, office, period):
    return rated(api, make.person(api, office["id"])["nip"], period)


# ── distribution ──

G = {  # unit's predicate, people SB/B/BP/K/SK, limits that are broken
    "G1": ("istimewa", (70, 30, 0, 0, 0), []),
    "G2": ("istimewa", (71, 29, 0, 0, 0), ["sb-at-most"]),
    "G3": ("baik", (20, 70, 10, 0, 0), []),
    "G4": ("baik", (20, 80, 0, 0, 0), ["b-at-most", "bp-or-k-some"]),
    "G5": ("baik", (30, 70, 0, 0, 0), ["bp-or-k-some"]),
    "G6": ("butuh_perbaikan", (10, 30, 60, 0, 0), []),
    "G7": ("butuh_perbaikan", (11, 30, 59, 0, 0), ["bp-at-least", "sb-at-most"]),
    "G8": ("kurang", (10, 20, 10, 60, 0), []),
    "G9": ("kurang", (0, 35, 5, 60, 0), ["bp-at-least"]),
    "G10": ("sangat_kurang", (0, 30, 0, 10, 60), []),
    "G11": ("sangat_kurang", (1, 29, 0, 10, 60), ["sb-at-most"]),
    "G12-all": ("istimewa", (3, 0, 0, 0, 0), ["sb-at-most"]),
    "G12-two": ("istimewa", (2, 1, 0, 0, 0), []),
    "nobody": ("istimewa", (0, 0, 0, 0, 0), []),
}


@pytest.mark.parametrize("case", G)
def test_limits_of_the_distribution(case, sql):
    unit, people, broken = G[case]
    found = sql("SELECT distribution_breaches(%s, %s, '2026-12-31') AS b", (unit, json.dumps(dict(zip(PREDICATES, people)))))[0][0]
    assert [b["code"] for b in found] == broken
    for b in found:
        assert b["people"] == sum(people) and b["count"] == sum(n for p, n in zip(PREDICATES, people) if p in b["predicates"])


def test_a_breach_names_what_would_do(sql):
    for unit, counts, may in (("istimewa", {"sangat_baik": 3}, 2), ("butuh_perbaikan", {"butuh_perbaikan": 4, "baik": 3}, 5), ("baik", {"sangat_baik": 4}, 1)):
        found = sql("SELECT distribution_breaches(%s, %s, '2026-12-31') AS b", (unit, json.dumps(counts)))[0][0]
        assert [b["may_be"] for b in found] == [may]


def test_before_the_circular_there_were_no_limits(sql):
    assert sql("SELECT distribution_breaches('istimewa', '{\"sangat_baik\": 9}', '2022-12-31')")[0][0] == []


def test_the_nine_cells_are_those_of_the_rule(api, office, period, sql):
    evaluation = make.evaluation(api, make.person(api, office["id"])["nip"], period["id"])
    cells = sql("SELECT results_rating, behaviour_rating, predicate, number FROM predicate_cell")
    assert len(cells) == 9
    for results, behaviour, predicate, number in cells:
        api.patch(at(evaluation), {"results_rating": results, "behaviour_rating": behaviour}, etag=make.tag(api, at(evaluation)))
        told = api.get(at(evaluation, "/achievement")).json
        assert (told["predicate"], told["predicate_number"]) == (predicate, number)


def test_a_unit_is_counted_with_all_below_it(api, office):
    period = make.period(api, starts_on="2023-01-01", ends_on="2023-12-31")
    top = make.unit(api, office["id"])
    below = make.unit(api, top["id"])
    for unit, predicate in ((top, "sangat_baik"), (below, "sangat_baik"), (below, "baik")):
        rated(api, make.person(api, unit["id"])["nip"], period, *RATINGS[predicate])
    rated(api, make.person(api, below["id"])["nip"], period, *RATINGS["sangat_baik"], final=False)
    make.person(api, top["id"])
    where = f"/v1/units/{top['id']}/distribution/{period['id']}"
    told = api.get(where).json
    assert (told["unit_predicate"], told["people"], told["rated"], told["drafts"], told["unrated"], told["is_what_if"]) == (None, 5, 3, 1, 2, False)
    assert told["counts"] == {"sangat_baik": 2, "baik": 1, "butuh_perbaikan": 0, "kurang": 0, "sangat_kurang": 0} and told["breaches"] == []
    api.post("/v1/unit-predicates", {"unit_id": top["id"], "period_id": period["id"], "predicate": "istimewa", "reason": "IKU", "leader": "Bupati"}, expect=201)
    assert api.get(where).json["breaches"] == []  # 2 of 3
    what_if = api.get(f"{where}?with_drafts=true").json
    assert what_if["is_what_if"] and what_if["counts"]["sangat_baik"] == 3
    assert [(b["code"], b["count"], b["people"], b["may_be"]) for b in what_if["breaches"]] == [("sb-at-most", 3, 4, 2)]
    assert [b["code"] for b in api.get(f"{where}?predicate=baik").json["breaches"]] == ["bp-or-k-some"]


def test_a_unit_predicate_is_never_overwritten(api, office, period, database):
    unit = make.unit(api, office["id"])
    for predicate in ("baik", "istimewa"):
        made = api.post("/v1/unit-predicates", {"unit_id": unit["id"], "period_id": period["id"], "predicate": predicate, "reason": "IKU", "leader": "Bupati"}, expect=201).json
    rows = api.get(f"/v1/unit-predicates?unit_id={unit['id']}").json["data"]
    assert [(r["predicate"], r["edition"], r["is_current"]) for r in rows] == [("istimewa", 2, True), ("baik", 1, False)]
    with psycopg2.connect(database) as c, pytest.raises(psycopg2.Error, match="what was said stays"):
        c.cursor().execute("UPDATE unit_predicate SET predicate = 'baik' WHERE id = %s", (made["id"],))


# ── moderation ──


def test_moderation_keeps_what_was_and_why(api, office, period):
    evaluation = rated(api, make.person(api, office["id"])["nip"], period, ABOVE, ABOVE, final=False)
    body = {"results_rating": AS, "behaviour_rating": ABOVE, "reason": "Sebaran unit", "leader": "Kepala Dinas Uji"}
    stale = api.get(at(evaluation)).etag
    api("POST", at(evaluation, "/moderations"), json=body, headers={"If-Match": stale}, expect=200)
    now = api.get(at(evaluation)).json
    assert (now["results_rating"], now["behaviour_rating"]) == (AS, ABOVE)
    kept = api.get(at(evaluation, "/moderations")).json["data"]
    assert [(m["results_before"], m["results_after"], m["reason"], m["leader"]) for m in kept] == [(ABOVE, AS, "Sebaran unit", "Kepala Dinas Uji")]
    api("POST", at(evaluation, "/moderations"), json=body, headers={"If-Match": stale}, expect=412)
    assert len(api.get(at(evaluation, "/moderations")).json["data"]) == 1


def test_what_is_final_is_not_moderated(api, final):
    body = {"results_rating": ABOVE, "behaviour_rating": ABOVE, "reason": "Sebaran unit", "leader": "Kepala Dinas Uji"}
    refused = api("POST", at(final, "/moderations"), json=body, headers={"If-Match": make.tag(api, at(final))}, expect=409)
    assert refused.code == "evaluation-final" and api.get(at(final, "/moderations")).json["data"] == []


# ── objections ──


def file(api, evaluation, expect=201, **members):
    return api.post(at(evaluation, "/objections"), {"text": "Realisasi belum dihitung.", **members}, expect=expect)


def act(api, objection, step, body, expect=200):
    where = f"/v1/objections/{objection['id']}"
    return api("POST", f"{where}/{step}", json=body, headers={"If-Match": make.tag(api, where)}, expect=expect)


def hear(api, objection, expect=200):
    return act(api, objection, "hear", {"note": "Keduanya didengar."}, expect)


def decide(api, objection, decision, expect=200, **ratings):
    return act(api, objection, "decide", {"decision": decision, "reason": "Setelah didengar.", "decided_by": "Sekretaris Daerah", **ratings}, expect)


@pytest.mark.parametrize("told, last", [("2026-01-20", "2026-02-03"), ("2026-02-20", "2026-03-06")], ids=["I21-january", "I21-february"])
def test_the_limit_is_fourteen_days(told, last, sql):
    assert sql("SELECT (%s::date + performance_number('objection_days', %s::date))::text", (told, told))[0][0] == last


def test_an_objection_knows_its_days(api, final):
    made = file(api, final).json
    today = make.today()
    assert (made["told_on"], made["filed_on"], made["last_day"], made["is_late"]) == \
        (today.isoformat(), today.isoformat(), (today + timedelta(days=14)).isoformat(), False)


DAYS = [  # became final, filed on, last day, late
    ("2024-02-14T15:59:59Z", "2024-02-28", "2024-02-28", False), ("2024-02-14T16:00:00Z", "2024-02-29", "2024-02-29", False),  # midnight in WITA; a leap day is a day
    ("2024-02-15T16:00:00Z", "2024-03-01", "2024-03-01", False), ("2024-02-15T16:00:00Z", "2024-03-02", "2024-03-01", True),
    ("2025-02-14T16:00:00Z", "2025-03-01", "2025-03-01", False), ("2025-02-14T16:00:00Z", "2025-03-02", "2025-03-01", True),  # no leap year
    ("2025-08-02T16:00:00Z", "2025-08-17", "2025-08-17", False),  # days of the calendar: a holiday and a Sunday do not move the end
    ("2025-12-19T00:00:00Z", "2026-01-02", "2026-01-02", False)]


@pytest.mark.parametrize("became, filed, last, is_late", DAYS)
def test_the_last_day_of_an_objection(became, filed, last, is_late, api, final, sql):
    sql("SET session_replication_role = replica; UPDATE evaluation SET finalized_at = %s WHERE id = %s", (became, final["id"]))
    made = file(api, final, filed_on=filed).json
    assert (made["last_day"], made["is_late"]) == (last, is_late)


def test_late_is_told_and_written_down(api, final, sql):
    sql("SET session_replication_role = replica; UPDATE evaluation SET finalized_at = now() - interval '40 days' WHERE id = %s", (final["id"],))
    made = file(api, final).json
    assert made["is_late"] and made["state"] == "open"
    assert decide(api, made, "refused").json["state"] == "refused"


def test_what_cannot_be_objected_to(api, office, period, final):
    draft = rated(api, make.person(api, office["id"])["nip"], period, final=False)
    assert file(api, draft, 409).code == "evaluation-draft"
    tomorrow = (make.today() + timedelta(days=1)).isoformat()
    assert list(file(api, final, 422, filed_on=tomorrow).faults) == ["/filed_on"]
    early = file(api, final, 422, told_on="2001-01-01")
    today, [fault] = make.today().isoformat(), early.json["errors"]
    assert fault["pointer"] == "/told_on" and fault["detail"] == f"told_on is 2001-01-01, but the evaluation became final on {today}."
    assert early.json["detail"] == fault["detail"]
    assert tomorrow in file(api, final, 422, filed_on=tomorrow).json["detail"] and today in file(api, final, 422, filed_on=tomorrow).json["detail"]
    assert "2001-01-01" in file(api, final, 422, filed_on="2001-01-01").json["detail"] and today in file(api, final, 422, filed_on="2001-01-01").json["detail"]
    file(api, final)
    assert file(api, final, 409).code == "objection-exists"


ALLOWED = {("open", "heard"), ("open", "refused"), ("open", "lapsed"), ("heard", "upheld"), ("heard", "changed"), ("heard", "lapsed")}
ENDS = ["upheld", "changed", "refused", "lapsed"]


@pytest.mark.parametrize("step", ["heard", *ENDS])
@pytest.mark.parametrize("state", ["open", "heard", *ENDS])
def test_each_step_from_each_state(state, step, api, final):
    def go(step, expect):
        if step == "heard":
            return hear(api, objection, expect)
        return decide(api, objection, step, expect, **({"results_rating": ABOVE, "behaviour_rating": ABOVE} if step == "changed" else {}))
    objection = file(api, final).json
    if state in ("heard", "upheld", "changed"):
        go("heard", 200)
    if state in ENDS:
        go(state, 200)
    may = (state, step) in ALLOWED
    reply = go(step, 200 if may else 409)
    assert (reply.json["state"] if may else reply.code) == (step if may else "objection-state")


def test_a_change_is_a_new_final_version(api, final, period, office):
    objection = file(api, final).json
    hear(api, objection)
    same = decide(api, objection, "changed", 422, results_rating=AS, behaviour_rating=AS)
    assert same.code == "objection-same"
    decided = decide(api, objection, "changed", results_rating=ABOVE, behaviour_rating=AS).json
    former = api.get(at(final)).json
    fresh = api.get(f"/v1/evaluations/{decided['new_evaluation_id']}").json
    assert {**former, "superseded_by": None} == final and former["superseded_by"] == fresh["id"]
    assert (fresh["state"], fresh["supersedes"], fresh["predicate"], fresh["results_rating"], fresh["achievement"]) == \
        ("final", final["id"], "baik", ABOVE, final["achievement"])
    assert api.get(f"/v1/evaluations/{fresh['id']}/verification").json["same"]
    listed = f"/v1/evaluations?nip={final['nip']}&period_id={period['id']}"
    assert [e["id"] for e in api.get(f"{listed}&is_current=true").json["data"]] == [fresh["id"]]
    assert [e["id"] for e in api.get(f"{listed}&is_current=false").json["data"]] == [final["id"]]
    assert file(api, final, 409).code in ("objection-exists", "evaluation-superseded")
    assert [s["state"] for s in api.get(f"/v1/objections/{objection['id']}/steps").json["data"]] == ["open", "heard", "changed"]
    assert api.post("/v1/evaluations", {"nip": final["nip"], "period_id": period["id"]}, expect=409).code == "evaluation-exists"


def test_the_distribution_counts_the_version_that_holds(api, office):
    period = make.period(api)
    unit = make.unit(api, office["id"])
    evaluation = rated(api, make.person(api, unit["id"])["nip"], period, *RATINGS["kurang"])
    where = f"/v1/units/{unit['id']}/distribution/{period['id']}"
    assert api.get(where).json["counts"]["kurang"] == 1
    objection = file(api, evaluation).json
    hear(api, objection)
    decide(api, objection, "changed", results_rating=ABOVE, behaviour_rating=ABOVE)
    told = api.get(where).json
    assert (told["people"], told["rated"], told["counts"]["kurang"], told["counts"]["sangat_baik"]) == (1, 1, 0, 1)


def test_a_closed_period_still_gets_the_new_version(api, office):
    period = make.period(api)
    evaluation = rated(api, make.person(api, office["id"])["nip"], period)
    where = f"/v1/periods/{period['id']}"
    api.patch(where, {"is_closed": True}, etag=make.tag(api, where))
    objection = file(api, evaluation).json
    hear(api, objection)
    assert decide(api, objection, "changed", results_rating=ABOVE, behaviour_rating=ABOVE).json["new_evaluation_id"]


def test_ratings_come_with_a_change_alone(api, final):
    objection = file(api, final).json
    hear(api, objection)
    decide(api, objection, "changed", 422)
    decide(api, objection, "upheld", 422, results_rating=ABOVE, behaviour_rating=ABOVE)
    assert api.get(f"/v1/objections/{objection['id']}").json["state"] == "heard"


def test_racing_decisions_make_one_version(api, final):
    objection = file(api, final).json
    hear(api, objection)
    tag = make.tag(api, f"/v1/objections/{objection['id']}")
    body = {"decision": "changed", "reason": "Terbukti.", "decided_by": "Sekretaris Daerah", "results_rating": ABOVE, "behaviour_rating": ABOVE}
    replies = []
    barrier = threading.Barrier(8)

    def go():
        barrier.wait()
        replies.append(api("POST", f"/v1/objections/{objection['id']}/decide", json=body, headers={"If-Match": tag}, expect=None).status)
    threads = [threading.Thread(target=go) for _ in range(8)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert sorted(replies) == [200] + [412] * 7
    assert len(api.get(f"/v1/evaluations?nip={final['nip']}").json["data"]) == 2


def test_a_dry_run_decides_nothing(api, final):
    objection = file(api, final).json
    hear(api, objection)
    where = f"/v1/objections/{objection['id']}"
    body = {"decision": "changed", "reason": "Terbukti.", "decided_by": "Sekretaris Daerah", "results_rating": ABOVE, "behaviour_rating": ABOVE}
    api("POST", f"{where}/decide", json=body, headers={"If-Match": make.tag(api, where), "Prefer": "dry-run"}, expect=200)
    assert api.get(where).json["state"] == "heard" and len(api.get(f"/v1/evaluations?nip={final['nip']}").json["data"]) == 1


# ── credit points ──

H = {  # level, months, predicate, points
    "H1": ("ahli_pertama", 12, "sangat_baik", "18.75"), "H2": ("ahli_pertama", 2, "baik", "2.08"), "H4": ("ahli_muda", 12, "sangat_baik", "37.50"),
    "H5": ("ahli_madya", 12, "butuh_perbaikan", "28.13"), "H6": ("terampil", 6, "baik", "2.50"), "H7": ("pemula", 3, "kurang", "0.47"),
    "H8": ("mahir", 9, "sangat_baik", "14.06"), "H9": ("penyelia", 12, "sangat_kurang", "6.25"), "H10": ("ahli_muda", 7, "baik", "14.58"),
    "H11": ("ahli_utama", 1, "baik", "4.17"), "H12": ("ahli_madya", 5, "sangat_baik", "23.44"), "H14": ("ahli_muda", 36, "baik", "75.00"),
}


@pytest.mark.parametrize("case", H)
def test_credit_points_of_a_period(case, sql):
    level, months, predicate, points = H[case]
    assert sql("""SELECT credit_points(%s, r.percent, l.coefficient)::text FROM credit_level l, credit_rate r
                  WHERE l.level = %s AND r.predicate = %s""", (months, level, predicate))[0][0] == points


def test_four_years_rated_good_make_a_rank(sql):  # H13
    assert {float(r[0]) for r in sql("SELECT for_rank / coefficient FROM credit_level")} == {4.0}


def test_points_follow_level_and_year_and_add_up(api, office):
    person = make.person(api, office["id"], position_kind="fungsional", position="Arsiparis Ahli Pertama")
    make.history(api, person["nip"], "position", {"position_kind": "fungsional", "position": "Arsiparis Ahli Pertama", "assignment": "definitive"}, "2023-07-01")
    for year, predicate in ((2024, "sangat_baik"), (2025, "baik")):
        found = [p for p in api.get("/v1/periods?limit=1000").json["data"] if p["starts_on"] == f"{year}-01-01" and p["kind"] == "tahunan"]
        period = found[0] if found else make.period(api, starts_on=f"{year}-01-01", ends_on=f"{year}-12-31")
        rated(api, person["nip"], period, *RATINGS[predicate])
    rows = api.get(f"/v1/asn/{person['nip']}/credit-points").json["data"]
    assert [(r["level"], r["months"], r["percent"], r["points"], r["total"]) for r in rows] == \
        [("ahli_pertama", 12, 150, 18.75, 18.75), ("ahli_pertama", 12, 100, 12.5, 31.25)]
    second = api.get(f"/v1/asn/{person['nip']}/credit-points?limit=1")
    after = api.get(f"/v1/asn/{person['nip']}/credit-points?limit=1&cursor={second.json['page']['next']}").json["data"]
    assert [r["total"] for r in after] == [31.25]  # the sum does not begin anew on a page


def test_points_begin_with_the_post_that_the_histories_know(api, office):
    found = [p for p in api.get("/v1/periods?limit=1000").json["data"] if p["starts_on"] == "2025-01-01" and p["kind"] == "tahunan"]
    period = found[0] if found else make.period(api, starts_on="2025-01-01", ends_on="2025-12-31")
    person = make.person(api, office["id"], position_kind="fungsional", position="Arsiparis Ahli Pertama")
    rated(api, person["nip"], period)
    assert api.get(f"/v1/asn/{person['nip']}/credit-points").json["data"] == []  # the record began today, after the period
    make.history(api, person["nip"], "position", {"position_kind": "fungsional", "position": "Arsiparis Ahli Pertama", "assignment": "definitive"}, "2023-07-01")
    assert [r["level"] for r in api.get(f"/v1/asn/{person['nip']}/credit-points").json["data"]] == ["ahli_pertama"]


def test_others_have_no_points(api, office, period):
    person = make.person(api, office["id"], position_kind="pelaksana", position="Pengadministrasi")
    rated(api, person["nip"], period)
    assert api.get(f"/v1/asn/{person['nip']}/credit-points").json["data"] == []
