# SPDX-License-Identifier: Apache-2.0
"""Beside the ratings: several assessors, the person's own view, peers by batches, and a suggestion with its arithmetic. None of it writes a rating."""
import itertools
import random
import threading
from fractions import Fraction as F

import pytest

from support import make

ABOVE, AS, BELOW = "di_atas_ekspektasi", "sesuai_ekspektasi", "di_bawah_ekspektasi"
RATINGS = [ABOVE, AS, BELOW]


@pytest.fixture(scope="module")
def year(api):
    return make.period(api, name="Tahun 2025", starts_on="2025-01-01", ends_on="2025-12-31")


@pytest.fixture
def draft(api, office, year):
    return make.evaluation(api, make.person(api, office["id"])["nip"], year["id"])


def path(evaluation, tail=""):
    return f"/v1/evaluations/{evaluation['id']}{tail}"


def appraise(api, evaluation, role="penilai", results=AS, behaviour=AS, expect=201, **members):
    who = {} if role == "pegawai" or "rater_nip" in members else {"rater_name": members.pop("rater_name", "Bupati Uji")}
    reply = api.post(path(evaluation, "/appraisals"), {"role": role, "results_rating": results, "behaviour_rating": behaviour, **who, **members}, expect=expect)
    return reply.json if expect == 201 else reply


def suggestion(api, evaluation):
    return api.get(path(evaluation, "/suggestion")).json


def finalize(api, evaluation, **members):
    make.indicator(api, evaluation["id"])
    api.patch(path(evaluation), {"results_rating": AS, "behaviour_rating": AS}, etag=make.tag(api, path(evaluation)))
    return api("POST", path(evaluation, "/finalize"), expect=200, headers={"If-Match": make.tag(api, path(evaluation))}).json


# ── the suggestion ──

BANDS = [(0, BELOW), (89.75, BELOW), (90, AS), (109.75, AS), (110, ABOVE), (150, ABOVE)]


@pytest.mark.parametrize("achieved, rating", BANDS)
def test_an_achievement_suggests_a_rating_and_writes_none(achieved, rating, api, draft):
    make.indicator(api, draft["id"], target=100, actual=achieved, weight=1)
    before = api.get(path(draft)).json
    told = suggestion(api, draft)
    assert (told["achievement"], told["results_suggested"], told["indicators"][0]["suggested"]) == (achieved, rating, rating)
    assert [(b["at_least"], b["rating"]) for b in told["bands"]] == [(110, ABOVE), (90, AS), (0, BELOW)]
    assert (told["results_rating"], told["behaviour_rating"], told["predicate_if"]) == (None, None, None)
    assert api.get(path(draft)).json == before


def test_the_arithmetic_gives_the_achievement(api, draft):
    dice = random.Random(5)
    for _ in range(7):
        make.indicator(api, draft["id"], target=dice.randint(1, 99), actual=dice.randint(0, 200), weight=dice.randint(1, 50), cap=120)
    told = suggestion(api, draft)
    rows = api.get(path(draft, "/indicators")).json["data"]
    exact = [min(F(str(i["actual"])) * 100 / F(str(i["target"])), F(120)) for i in rows]
    mean = sum(F(str(i["weight"])) * a for i, a in zip(rows, exact)) / sum(F(str(i["weight"])) for i in rows)
    assert F(str(told["achievement"])) == F((2 * mean * 100 + 1) // 2, 100)
    for i, a, row in zip(rows, exact, told["indicators"]):
        assert (row["id"], row["weight"], F(str(row["achievement"]))) == (i["id"], i["weight"], F((2 * a * 100 + 1) // 2, 100))


def test_the_cap_counts_before_the_suggestion(api, draft):
    make.indicator(api, draft["id"], target=100, actual=500, cap=105, weight=1)
    told = suggestion(api, draft)
    assert (told["achievement"], told["achievement_uncapped"], told["results_suggested"]) == (105, 500, AS)


def test_what_is_missing_is_named_and_nothing_is_suggested(api, draft):
    assert suggestion(api, draft)["missing"] == [{"pointer": "/indicators", "code": "missing", "value": None}]
    make.indicator(api, draft["id"], target=100, actual=100)
    make.indicator(api, draft["id"], target=100, actual=None)
    told = suggestion(api, draft)
    assert (told["achievement"], told["results_suggested"]) == (None, None)
    assert told["missing"] == [{"pointer": "/indicators/2/actual", "code": "missing", "value": None}]
    assert [i["suggested"] for i in told["indicators"]] == [AS, None]


def test_a_formula_without_a_value_suggests_nothing(api, draft, sql):
    """As it was copied from a plan before such a target was refused."""
    made = make.indicator(api, draft["id"], target=1, actual=0)
    sql("UPDATE indicator SET target = 0 WHERE id = %s", (made["id"],))
    assert api.get(path(draft, "/suggestion"), expect=409).code == "achievement-undefined"


def test_bands_have_their_day(api, draft, sql):
    make.indicator(api, draft["id"], target=100, actual=105, weight=1)
    sql("INSERT INTO rating_band VALUES ('2025-06-01', 100, %s, 'x'), ('2025-06-01', 0, %s, 'x')", (ABOVE, BELOW))
    try:
        assert suggestion(api, draft)["results_suggested"] == ABOVE
        sql("UPDATE rating_band SET valid_from = '2026-01-01' WHERE source = 'x'")
        assert suggestion(api, draft)["results_suggested"] == AS
    finally:
        sql("DELETE FROM rating_band WHERE source = 'x'")


def test_before_the_bands_nothing_is_suggested(api, office):
    old = make.period(api, name="Tahun 2021", starts_on="2021-01-01", ends_on="2021-12-31")
    draft = make.evaluation(api, make.person(api, office["id"])["nip"], old["id"])
    make.indicator(api, draft["id"], target=100, actual=100)
    appraise(api, draft)
    told = suggestion(api, draft)
    assert (told["achievement"], told["results_suggested"], told["bands"], told["assessors"]["reason"]) == (100, None, [], "no-rule")


# ── several assessors ──

def test_who_assessed_last_suggests(api, draft):
    assert suggestion(api, draft)["assessors"]["reason"] == "no-appraisal"
    appraise(api, draft, results=BELOW, ends_on="2025-08-31", rater_name="Kepala Lama")
    appraise(api, draft, "penilai_kedua", results=ABOVE, behaviour=ABOVE, starts_on="2025-09-01", rater_name="Kepala Baru")
    appraise(api, draft, "pegawai", results=ABOVE)
    told = suggestion(api, draft)["assessors"]
    assert (told["rule"], told["results_rating"], told["behaviour_rating"], told["reason"]) == ("last", ABOVE, ABOVE, None)
    assert [(a["days"], a["results_number"], a["behaviour_number"]) for a in told["arithmetic"]] == [(243, 3, 2), (122, 1, 1)], "the person's own view is no assessor's"


@pytest.fixture
def rule(sql):
    def hold(name):
        sql("DELETE FROM appraisal_rule WHERE source = 'x'")
        sql("INSERT INTO appraisal_rule VALUES ('2025-01-01', %s, 'x')", (name,))
    yield hold
    sql("DELETE FROM appraisal_rule WHERE source = 'x'")


def test_who_saw_most_days_suggests(rule, api, draft):
    rule("longest")
    appraise(api, draft, results=BELOW, ends_on="2025-08-31", rater_name="Kepala Lama")
    appraise(api, draft, "plt", results=ABOVE, starts_on="2025-09-01", rater_name="Plt Kepala")
    assert suggestion(api, draft)["assessors"]["results_rating"] == BELOW


def test_the_mean_by_days_and_none_halfway(rule, api, draft):
    rule("days")
    appraise(api, draft, results=ABOVE, ends_on="2025-03-31", rater_name="Kepala Lama")
    appraise(api, draft, "penilai_kedua", results=BELOW, starts_on="2025-04-01", rater_name="Kepala Baru")
    assert suggestion(api, draft)["assessors"]["results_rating"] == BELOW, "(90 · 1 + 275 · 3) / 365 = 2.51"
    appraise(api, draft, results=ABOVE, ends_on="2025-04-02", rater_name="Kepala Lama")
    appraise(api, draft, "penilai_kedua", results=AS, starts_on="2025-09-30", ends_on="2025-12-30", rater_name="Kepala Baru")
    told = suggestion(api, draft)["assessors"]
    assert (told["results_rating"], told["behaviour_rating"], told["reason"]) == (None, AS, "halfway"), "92 days each: 1.5"


def test_the_mean_by_days_against_fractions(sql):
    for days, total in itertools.product(range(1, 40), repeat=2):
        for first, second in itertools.product((1, 2, 3), repeat=2):
            mean = F(days * first + total * second, days + total)
            want = None if mean.denominator == 2 else RATINGS[(2 * mean.numerator + mean.denominator) // (2 * mean.denominator) - 1]
            if (days * 7 + total) % 37 == 0:  # a sample of the square, each a query
                assert sql("SELECT appraisal_by_days(%s, %s)", (days * first + total * second, days + total)) == [(want,)]


def test_two_that_count_alike_and_differ_suggest_nothing(api, draft):
    appraise(api, draft, results=ABOVE, rater_name="Satu")
    appraise(api, draft, "penilai_kedua", results=AS, rater_name="Dua")
    assert (told := suggestion(api, draft)["assessors"])["reason"] == "tie" and told["results_rating"] is None
    appraise(api, draft, "penilai_kedua", results=ABOVE, rater_name="Dua")
    assert suggestion(api, draft)["assessors"]["results_rating"] == ABOVE, "said again it replaces what was said"
    rows = api.get(path(draft, "/appraisals")).json["data"]
    assert [(r["rater_name"], r["holds"]) for r in rows] == [("Satu", True), ("Dua", False), ("Dua", True)]
    assert len(api.get(path(draft, "/appraisals?role=penilai")).json["data"]) == 1


def test_an_assessor_of_the_period_who_said_nothing_is_named(api, office, year):
    person, old, new = (make.person(api, office["id"]) for _ in range(3))
    first, _, _ = make.agreed(api, person["nip"], year["id"], assessor_name="Kepala Lama", ends_on="2025-06-30")
    make.agreed(api, person["nip"], year["id"], assessor_name="Kepala Baru", starts_on="2025-07-01")
    draft = make.evaluation(api, person["nip"], year["id"])
    make.indicator(api, draft["id"], target=100, actual=100)
    assert [m["value"] for m in suggestion(api, draft)["missing"]] == ["Kepala Baru", "Kepala Lama"]
    appraise(api, draft, "penilai_kedua", rater_name="Kepala Lama", ends_on="2025-06-30")
    assert [(m["code"], m["value"]) for m in suggestion(api, draft)["missing"]] == [("appraisal-missing", "Kepala Baru")]
    appraise(api, draft, rater_name="Kepala Baru", starts_on="2025-07-01")
    assert suggestion(api, draft)["missing"] == [] and first["assessor_name"] == "Kepala Lama"


def test_one_assessor_alone_is_not_asked_twice(api, office, year):
    person = make.person(api, office["id"])
    make.agreed(api, person["nip"], year["id"])
    draft = make.evaluation(api, person["nip"], year["id"])
    make.indicator(api, draft["id"], target=100, actual=100)
    assert suggestion(api, draft)["missing"] == []


def test_the_predicate_of_what_is_suggested(api, draft):
    make.indicator(api, draft["id"], target=100, actual=120, weight=1)
    appraise(api, draft, results=AS, behaviour=ABOVE)
    assert suggestion(api, draft)["predicate_if"] == "sangat_baik"
    api.patch(path(draft), {"behaviour_rating": BELOW}, etag=make.tag(api, path(draft)))
    assert suggestion(api, draft)["predicate_if"] == "kurang", "what was rated goes before what was suggested"


FAULTY = {
    "nobody": ({"role": "penilai"}, "appraisal-rater"), "two": ({"role": "penilai", "rater_name": "X", "rater_nip": "{other}"}, "appraisal-rater"),
    "self-as-assessor": ({"role": "penilai", "rater_nip": "{own}"}, "appraisal-own"), "other-as-self": ({"role": "pegawai", "rater_nip": "{other}"}, "appraisal-own"),
    "name-as-self": ({"role": "pegawai", "rater_name": "X"}, "appraisal-own"), "unknown": ({"role": "plt", "rater_nip": "199912312022031998"}, "reference-missing"),
    "before": ({"role": "plt", "rater_name": "X", "starts_on": "2024-12-31"}, "appraisal-days"), "after": ({"role": "plt", "rater_name": "X", "ends_on": "2026-01-01"}, "appraisal-days"),
    "upside-down": ({"role": "plt", "rater_name": "X", "starts_on": "2025-06-02", "ends_on": "2025-06-01"}, "appraisal-days"),
    "role": ({"role": "bupati", "rater_name": "X"}, "invalid"),
}


@pytest.mark.parametrize("case", FAULTY)
def test_an_appraisal_that_cannot_be_is_refused(case, api, office, draft):
    members, code = FAULTY[case]
    nips = {"own": draft["nip"], "other": make.person(api, office["id"])["nip"]}
    body = {"results_rating": AS, "behaviour_rating": AS, **{k: v.format(**nips) for k, v in members.items()}}
    refused = api.post(path(draft, "/appraisals"), body, expect=422)
    assert code in (refused.code, *refused.faults.values()), refused
    assert api.get(path(draft, "/appraisals")).json["data"] == []


def test_appraisals_are_sealed_and_then_end(api, office, draft, sql):
    rater = make.person(api, office["id"])
    appraise(api, draft, rater_nip=rater["nip"])
    version = api.get(path(draft)).json["version"]
    appraise(api, draft, "pegawai", results=ABOVE, note="Dua laporan lebih awal")
    assert api.get(path(draft)).json["version"] > version, "an appraisal is a change of its evaluation"
    finalize(api, draft)
    assert appraise(api, draft, expect=409).code == "evaluation-final"
    sealed = sql("SELECT inputs -> 'appraisals' FROM evaluation WHERE id = %s", (draft["id"],))[0][0]
    assert [(a["role"], a["rater_id"], a["results_rating"]) for a in sealed] == [("penilai", rater["id"], AS), ("pegawai", api.get(f"/v1/asn/{draft['nip']}").json["id"], ABOVE)]
    assert api.get(path(draft, "/verification")).json["same"] is True


def test_without_any_of_it_the_inputs_are_what_they_always_were(api, draft, sql):
    finalize(api, draft)
    inputs = sql("SELECT inputs FROM evaluation WHERE id = %s", (draft["id"],))[0][0]
    assert set(inputs) == {"results_rating", "behaviour_rating", "indicators"}
    assert set(inputs["indicators"][0]) == {"id", "name", "position", "direction", "target", "target_high", "actual", "weight", "cap", "zero_target_reached"}


def test_a_merged_rater_keeps_what_he_said(api, office, draft):
    old, new = (make.person(api, office["id"]) for _ in range(2))
    appraise(api, draft, rater_nip=old["nip"])
    peer(api, draft, old["nip"])
    finalize(api, draft)
    api.post(f"/v1/asn/{old['nip']}/merge", {"into": new["nip"], "reason": "Satu orang"})
    assert api.get(path(draft, "/appraisals")).json["data"][0]["rater_nip"] == new["nip"]
    assert api.get(path(draft, "/verification")).json["same"] is True


def test_appraisals_of_others_are_not_seen(api, keys, draft):
    elsewhere = api.as_key(keys("performance.read", "performance.write", units=(make.unit(api)["code"],)))
    appraise(elsewhere, draft, expect=404)
    elsewhere.get(path(draft, "/suggestion"), expect=404)
    elsewhere.get(path(draft, "/evidence"), expect=404)
    for tail in ("/appraisals", "/peer-answers", "/measurements"):
        elsewhere.get(path(draft, tail), expect=404)
    peer(elsewhere, draft, draft["nip"], expect=404)


# ── peers ──

def peer(api, evaluation, nip, role="rekan", results=AS, behaviour=AS, expect=201):
    return api.post(path(evaluation, "/peer-answers"), {"role": role, "rater_nip": nip, "results_rating": results, "behaviour_rating": behaviour}, expect=expect)


def shown(api, evaluation):
    return {r["role"]: (r["n"], r["results"][ABOVE], r["results"][AS], r["results"][BELOW]) for r in api.get(path(evaluation, "/peer-answers")).json["data"]}


@pytest.fixture(scope="module")
def colleagues(api, office):
    return [make.person(api, office["id"])["nip"] for _ in range(22)]


def test_peers_are_shown_by_fives(api, draft, colleagues):
    answers = random.Random(3).choices(RATINGS, k=12)
    for n, rating in enumerate(answers):
        peer(api, draft, colleagues[n], results=rating)
        whole = answers[:(n + 1) // 5 * 5]
        assert shown(api, draft) == {"rekan": (len(whole), *(whole.count(r) for r in RATINGS)), "bawahan": (0, 0, 0, 0)}, "nothing between two batches"


def test_a_few_subordinates_do_not_show_among_peers(api, draft, colleagues):
    for nip in colleagues[:4]:
        peer(api, draft, nip, role="bawahan", results=BELOW)
    for nip in colleagues[4:9]:
        peer(api, draft, nip)
    assert shown(api, draft) == {"bawahan": (0, 0, 0, 0), "rekan": (5, 0, 5, 0)}


def test_each_answers_once_and_never_about_himself(api, draft, colleagues):
    peer(api, draft, colleagues[0])
    assert peer(api, draft, colleagues[0], role="bawahan", expect=409).code == "peer-answered"
    assert peer(api, draft, draft["nip"], expect=422).code == "peer-own"
    assert peer(api, draft, "199912312022031998", expect=422).faults == {"/rater_nip": "reference-missing"}


def test_nothing_joins_who_and_what(api, draft, colleagues, sql):
    columns = {t: {c for c, in sql("SELECT column_name::text FROM information_schema.columns WHERE table_name = %s", (t,))} for t in ("peer_receipt", "peer_answer")}
    assert columns["peer_receipt"] & columns["peer_answer"] == {"id", "evaluation_id"}
    assert not any(c.endswith("_at") or c.startswith("actor") for c in columns["peer_receipt"] | columns["peer_answer"])
    reply = peer(api, draft, colleagues[0], results=BELOW).json
    assert reply == {"evaluation_id": draft["id"], "role": "rekan"}
    assert not sql("SELECT FROM peer_receipt r JOIN peer_answer a ON a.id = r.id")


def test_peers_who_answer_at_once_fill_their_batches(api, draft, colleagues):
    barrier, replies = threading.Barrier(10), []

    def answer(nip):
        barrier.wait()
        replies.append(peer(api, draft, nip, expect=None).status)
    threads = [threading.Thread(target=answer, args=(nip,)) for nip in colleagues[:10]]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert replies == [201] * 10 and shown(api, draft)["rekan"] == (10, 0, 10, 0)


def test_whole_batches_are_sealed_and_then_it_ends(api, draft, colleagues, sql):
    for nip in colleagues[:7]:
        peer(api, draft, nip)
    finalize(api, draft)
    assert peer(api, draft, colleagues[8], expect=409).code == "evaluation-final"
    assert sql("SELECT COUNT(*) FROM peer_receipt WHERE evaluation_id = %s", (draft["id"],)) == [(7,)]
    sealed = sql("SELECT inputs -> 'peers' FROM evaluation WHERE id = %s", (draft["id"],))[0][0]
    assert sealed == [{"role": "rekan", "n": 5, "batch": 5, "results": {ABOVE: 0, AS: 5, BELOW: 0}, "behaviour": {ABOVE: 0, AS: 5, BELOW: 0}}]
