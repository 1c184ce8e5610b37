# SPDX-License-Identifier: Apache-2.0
"""From an open period to a sealed evaluation. Ids F and J are those of the worked examples (Permenpan RB 6/2022 and the KPI formulas)."""
import re
import threading
from fractions import Fraction

import psycopg2
import pytest

from support import make

ABOVE, AS, BELOW = "di_atas_ekspektasi", "sesuai_ekspektasi", "di_bawah_ekspektasi"


@pytest.fixture(scope="module")
def period(api):
    return make.period(api)


@pytest.fixture
def draft(api, office, period):
    return make.evaluation(api, make.person(api, office["id"])["nip"], period["id"])


def path(evaluation, tail=""):
    return f"/v1/evaluations/{evaluation['id']}{tail}"


def rate(api, evaluation, results, behaviour, expect=200):
    now = api.get(path(evaluation))
    return api.patch(path(evaluation), {"results_rating": results, "behaviour_rating": behaviour}, etag=now.etag, expect=expect)


def finalize(api, evaluation, expect=200, **headers):
    return api("POST", path(evaluation, "/finalize"), expect=expect, headers={"If-Match": api.get(path(evaluation)).etag, **headers})


PREDICATES = {
    "F1": (ABOVE, ABOVE, "sangat_baik", 1), "F2": (ABOVE, AS, "baik", 2), "F3": (ABOVE, BELOW, "kurang", 4),
    "F4": (AS, ABOVE, "baik", 2), "F5": (AS, AS, "baik", 2), "F6": (AS, BELOW, "kurang", 4),
    "F7": (BELOW, ABOVE, "butuh_perbaikan", 3), "F8": (BELOW, AS, "butuh_perbaikan", 3), "F9": (BELOW, BELOW, "sangat_kurang", 5),
}


@pytest.mark.parametrize("case", PREDICATES.keys())
def test_the_predicate_follows_from_the_two_ratings(case, api, draft):
    results, behaviour, predicate, number = PREDICATES[case]
    rate(api, draft, results, behaviour)
    told = api.get(path(draft, "/achievement")).json
    assert (told["predicate"], told["predicate_number"]) == (predicate, number)
    make.indicator(api, draft["id"])
    final = finalize(api, draft).json
    assert (final["state"], final["predicate"], final["predicate_number"]) == ("final", predicate, number)


def indicator(direction, target, actual, weight=100, cap=120, **more):
    return {"name": "Indikator uji", "direction": direction, "target": target, "actual": actual, "weight": weight, "cap": cap, **more}


ACHIEVEMENTS = {
    "J1": ([indicator("maximize", 50, 45)], 90.00, 90.00),
    "J2": ([indicator("maximize", 50, 70)], 120.00, 140.00),
    "J3": ([indicator("minimize", 8, 6)], 120.00, 125.00),
    "J4": ([indicator("minimize", 8, 10)], 75.00, 75.00),
    "J5-at-twice": ([indicator("minimize", 8, 16)], 0.00, 0.00),
    "J5-beyond": ([indicator("minimize", 8, 20)], 0.00, None),
    "J6": ([indicator("minimize_inverse", 8, 10)], 80.00, 80.00),
    "J7-declared": ([indicator("maximize", 0, 0, zero_target_reached=True)], 100.00, 100.00),
    "J8": ([indicator("maximize", 50, 70, 60), indicator("maximize", 100, 80, 40)], 104.00, 116.00),
    "inside-a-range": ([indicator("range", 80, 85, target_high=90)], 100.00, 100.00),
    "below-a-range": ([indicator("range", 80, 70, target_high=90)], 87.50, 87.50),
    "thirds": ([indicator("maximize", 3, 1)], 33.33, 33.33),
    "half-up": ([indicator("maximize", 200, 0.25)], 0.13, 0.13),
}


@pytest.mark.parametrize("case", ACHIEVEMENTS.keys())
def test_achievements(case, api, draft):
    indicators, capped, uncapped = ACHIEVEMENTS[case]
    for body in indicators:
        make.indicator(api, draft["id"], **body)
    told = api.get(path(draft, "/achievement")).json
    assert told["achievement"] == capped, told
    if uncapped is not None:
        assert told["achievement_uncapped"] == uncapped, told
    rate(api, draft, AS, AS)
    final = finalize(api, draft).json
    assert final["achievement"] == capped
    assert api.get(path(draft, "/verification")).json["same"] is True


def by_hand(line):
    """What a line of arithmetic says, worked out from its left side: `min(120, 70 / 50 × 100) = 120.00`."""
    left, _, told = line.rpartition(" = ")
    condition, is_met, value = left.rpartition(": ")
    numbers = re.sub(r"\d+(\.\d+)?", r"Fraction('\g<0>')", value.replace("×", "*").replace("−", "-"))
    assert not is_met or eval(condition.replace("≤", "<=").replace("≥", ">=")), line  # noqa: S307 of our own reply
    return eval(numbers, {"Fraction": Fraction, "min": min, "max": max}), Fraction(told)  # noqa: S307


@pytest.mark.parametrize("case", ACHIEVEMENTS.keys())
def test_how_it_came_about_can_be_worked_out_by_hand(case, api, draft):
    """An auditor's question. Each line holds as it stands, and its numbers are those of the indicator."""
    indicators, _, _ = ACHIEVEMENTS[case]
    for body in indicators:
        make.indicator(api, draft["id"], **body)
    told, suggested = api.get(path(draft, "/achievement")).json, api.get(path(draft, "/suggestion")).json
    for body, one, same in zip(indicators, told["indicators"], suggested["indicators"], strict=True):
        assert {k: one[k] for k in ("direction", "target", "actual", "weight", "cap")} == {k: body[k] for k in ("direction", "target", "actual", "weight", "cap")}
        assert one["target_high"] == body.get("target_high") and same == {**one, "suggested": same["suggested"]}
        value, shown = by_hand(one["arithmetic"])
        assert abs(value - shown) <= Fraction(1, 200) and shown == Fraction(str(one["achievement"])), one
    value, shown = by_hand(told["arithmetic"])
    assert abs(value - shown) <= Fraction(1, 100) and shown == Fraction(str(told["achievement"])) and suggested["arithmetic"] == told["arithmetic"]


def test_what_is_not_known_yet_has_no_arithmetic(api, draft):
    make.indicator(api, draft["id"], **indicator("maximize", 50, None))
    make.indicator(api, draft["id"], **indicator("maximize", 50, 45))
    rate(api, draft, AS, BELOW)
    told = api.get(path(draft, "/achievement")).json
    assert [i["arithmetic"] for i in told["indicators"]] == [None, "45 / 50 × 100 = 90.00"] and told["arithmetic"] is None
    assert (told["results_rating"], told["behaviour_rating"], told["predicate"]) == (AS, BELOW, "kurang"), "of what the predicate is made"


ZERO = {  # direction, target, target_high; where it is refused
    "J7": ("maximize", 0, None, "/target"), "nothing-may-take": ("minimize", 0, None, "/target"), "nothing-over-it": ("minimize_inverse", 0, None, "/target"),
    "an-empty-range": ("range", 0, 0, "/target_high"),
}


@pytest.mark.parametrize("case", ZERO)
def test_a_target_without_a_value_is_refused_where_it_is_told(case, api, draft, sql):
    direction, target, high, pointer = ZERO[case]
    body = indicator(direction, target, 0, **({"target_high": high} if high is not None else {}))
    reply = api.post(path(draft, "/indicators"), body, expect=422)
    assert (reply.code, reply.faults) == ("target-zero", {pointer: "target-zero"})
    made = make.indicator(api, draft["id"], **{**body, "target": 0 if high is not None else 1, **({"target_high": 1} if high is not None else {})})
    where = path(draft, f"/indicators/{made['id']}")
    reply = api.patch(where, {pointer[1:]: 0}, etag=make.tag(api, where), expect=422)
    assert reply.faults == {pointer: "target-zero"}
    # What was copied from a plan before this was asked is still changed otherwise, and not sealed.
    sql(f"UPDATE indicator SET {pointer[1:]} = 0, actual = 1 WHERE id = %s", (made["id"],))
    assert api.patch(where, {"actual": 0, pointer[1:]: 0}, etag=make.tag(api, where)).json["actual"] == 0
    rate(api, draft, AS, AS)
    if high is None:
        assert finalize(api, draft, expect=409).code == "achievement-undefined"


def test_a_zero_target_may_count_as_reached_under_maximize_alone(api, draft):
    """J7, the setting."""
    made = make.indicator(api, draft["id"], **indicator("maximize", 0, 0, zero_target_reached=True))
    where = path(draft, f"/indicators/{made['id']}")
    for body in ({"zero_target_reached": False}, {"direction": "minimize"}):
        assert api.patch(where, body, etag=make.tag(api, where), expect=422).faults == {"/target": "target-zero"}
    assert api.post(path(draft, "/indicators"), indicator("minimize", 0, 0, zero_target_reached=True), expect=422).code == "target-zero"


def test_decimals_come_back_as_they_went_in(api, draft):
    made = make.indicator(api, draft["id"], **indicator("maximize", 33.3333, 0.1, 12.5))
    assert (made["target"], made["actual"], made["weight"]) == (33.3333, 0.1, 12.5)
    for tail in ("0.10", "1e-1", "100e-3"):
        reply = api("PATCH", path(draft, f"/indicators/{made['id']}"), data=f'{{"actual":{tail}}}'.encode(), expect=200,
                    headers={"Content-Type": "application/merge-patch+json", "If-Match": api.get(path(draft, f"/indicators/{made['id']}")).etag})
        assert reply.json["actual"] == 0.1


FAULTY = {
    "no-target": ({"target": None}, "/target"),
    "target-below-0": ({"target": -1}, "/target"),
    "target-too-fine": ({"target": 0.00001}, "/target"),
    "target-text": ({"target": "90"}, "/target"),
    "target-huge": ({"target": 1e13}, "/target"),
    "weight-0": ({"weight": 0}, "/weight"),
    "direction-unknown": ({"direction": "upwards"}, "/direction"),
    "aspect-unknown": ({"aspect": "harga"}, "/aspect"),
    "range-without-bound": ({"direction": "range"}, "/target_high"),
    "range-upside-down": ({"direction": "range", "target_high": 1}, "/target_high"),
    "bound-without-range": ({"target_high": 95}, "/target_high"),
    "position-0": ({"position": 0}, "/position"),
}


@pytest.mark.parametrize("case", FAULTY.keys())
def test_a_faulty_indicator_is_refused_where_it_is_wrong(case, api, draft):
    members, pointer = FAULTY[case]
    reply = api.post(path(draft, "/indicators"), {**indicator("maximize", 90, 95), **members}, expect=422)
    assert pointer in reply.faults, reply


def test_what_is_missing_is_named_all_at_once(api, draft):
    make.indicator(api, draft["id"], **indicator("maximize", 50, None))
    reply = finalize(api, draft, expect=409)
    assert reply.code == "evaluation-incomplete"
    assert {"/results_rating", "/behaviour_rating"} <= set(reply.faults), reply
    assert len(reply.faults) >= 3, reply
    assert api.get(path(draft)).json["state"] == "draft"


def test_an_indicator_is_changed_and_taken_away(api, draft):
    first, second = make.indicator(api, draft["id"]), make.indicator(api, draft["id"])
    assert (first["position"], second["position"]) == (1, 2)
    reply = api.post(path(draft, "/indicators"), {**indicator("maximize", 1, 1), "position": 2}, expect=409)
    assert "/position" in reply.faults
    where = path(draft, f"/indicators/{first['id']}")
    api.delete(where, etag='"999"', expect=412)
    api.delete(where, etag=api.get(where).etag)
    api.get(where, expect=404)
    assert [i["id"] for i in api.get(path(draft, "/indicators")).json["data"]] == [second["id"]]
    other = make.evaluation(api, draft["nip"], make.period(api)["id"])
    api.get(path(other, f"/indicators/{second['id']}"), expect=404)


def test_a_change_of_an_indicator_is_a_change_of_its_evaluation(api, draft):
    """So that nobody finalises figures that they have not seen."""
    rate(api, draft, AS, AS)
    seen = api.get(path(draft)).etag
    made = make.indicator(api, draft["id"])
    assert api("POST", path(draft, "/finalize"), headers={"If-Match": seen}, expect=412).code == "version-stale"
    seen = api.get(path(draft)).etag
    where = path(draft, f"/indicators/{made['id']}")
    api.patch(where, {"actual": 1}, etag=api.get(where).etag)
    api("POST", path(draft, "/finalize"), headers={"If-Match": seen}, expect=412)
    finalize(api, draft)


def test_one_evaluation_a_person_and_period(api, draft, period):
    reply = api.post("/v1/evaluations", {"nip": draft["nip"], "period_id": period["id"]}, expect=409)
    assert reply.code == "evaluation-exists"


def test_a_closed_period_takes_no_evaluations(api, office):
    period = make.period(api)
    api.patch(f"/v1/periods/{period['id']}", {"is_closed": True}, 
              etag=api.get(f"/v1/periods/{period['id']}").etag)
    reply = api.post("/v1/evaluations", {"nip": make.person(api, office["id"])["nip"], "period_id": period["id"]}, expect=409)
    assert reply.code == "period-closed"


def test_periods_are_for_who_sees_all_units(api, keys, office):
    period = make.period(api)
    where = f"/v1/periods/{period['id']}"
    part = api.as_key(keys("performance.read", "performance.write", units=(office["code"],)))
    assert part.patch(where, {"is_closed": True}, etag="*", expect=403).code == "forbidden"
    assert part.get(where).json["is_closed"] is False
    year = 1910 + make.number() % 80
    body = {"name": "Bagian", "kind": "triwulan", "starts_on": f"{year}-01-01", "ends_on": f"{year}-03-31"}
    assert part.post("/v1/periods", body, expect=403).code == "forbidden"
    assert api.post("/v1/periods", body, expect=201).json["name"] == "Bagian", "nothing was made before"


def test_periods_of_one_kind_do_not_overlap(api):
    year = 2040 + make.number() % 50
    api.post("/v1/periods", {"name": "Triwulan I", "kind": "triwulan", "starts_on": f"{year}-01-01", "ends_on": f"{year}-03-31"}, expect=201)
    reply = api.post("/v1/periods", {"name": "Lagi", "kind": "triwulan", "starts_on": f"{year}-03-31", "ends_on": f"{year}-06-30"}, expect=409)
    assert reply.code == "period-overlap"
    api.post("/v1/periods", {"name": "Januari", "kind": "bulanan", "starts_on": f"{year}-01-01", "ends_on": f"{year}-01-31"}, expect=201)
    assert "/ends_on" in api.post("/v1/periods", {"name": "Terbalik", "kind": "bulanan", "starts_on": f"{year}-03-31", "ends_on": f"{year}-03-01"}, expect=422).faults


@pytest.fixture(scope="module")
def sealed(api, office, period):
    evaluation = make.evaluation(api, make.person(api, office["id"])["nip"], period["id"])
    make.indicator(api, evaluation["id"], **indicator("maximize", 50, 70, 60))
    make.indicator(api, evaluation["id"], **indicator("maximize", 100, 80, 40))
    rate(api, evaluation, AS, ABOVE)
    return finalize(api, evaluation).json


def test_a_final_evaluation_does_not_change_by_the_api(api, sealed):
    tag = api.get(path(sealed)).etag
    assert api.patch(path(sealed), {"note": "x"}, etag=tag, expect=409).code == "evaluation-final"
    assert api.post(path(sealed, "/indicators"), indicator("maximize", 1, 1), expect=409).code == "evaluation-final"
    first = api.get(path(sealed, "/indicators")).json["data"][0]
    where = path(sealed, f"/indicators/{first['id']}")
    assert api.patch(where, {"actual": 1}, etag=api.get(where).etag, expect=409).code == "evaluation-final"
    assert api.delete(where, etag=api.get(where).etag, expect=409).code == "evaluation-final"
    assert api("POST", path(sealed, "/finalize"), headers={"If-Match": tag}, expect=409).code == "evaluation-final"
    assert api.get(path(sealed)).json == sealed


DIRECT = {
    "change-the-predicate": "UPDATE evaluation SET predicate = 'sangat_baik' WHERE id = %s",
    "change-the-achievement": "UPDATE evaluation SET achievement = 120 WHERE id = %s",
    "open-it-again": "UPDATE evaluation SET state = 'draft' WHERE id = %s",
    "delete-it": "DELETE FROM evaluation WHERE id = %s",
    "change-an-indicator": "UPDATE indicator SET actual = 1 WHERE evaluation_id = %s",
    "delete-an-indicator": "DELETE FROM indicator WHERE evaluation_id = %s",
}


@pytest.mark.parametrize("case", DIRECT.keys())
def test_a_final_evaluation_does_not_change_by_sql_either(case, api, sql, sealed):
    with pytest.raises(psycopg2.Error):
        sql(DIRECT[case], (sealed["id"],))
    assert api.get(path(sealed)).json == sealed
    assert api.get(path(sealed, "/verification")).json["same"] is True


def test_what_gets_past_the_triggers_is_found_by_the_seal(api, office, sql, database):
    evaluation = make.evaluation(api, make.person(api, office["id"])["nip"], make.period(api)["id"])
    make.indicator(api, evaluation["id"], **indicator("maximize", 50, 40))
    rate(api, evaluation, AS, AS)
    finalize(api, evaluation)
    sql("SET session_replication_role = replica; UPDATE evaluation SET achievement = 99.99 WHERE id = %s", (evaluation["id"],))
    told = api.get(path(evaluation, "/verification")).json
    assert told["same"] is False and told["seal_matches"] is False


def test_a_draft_cannot_be_verified(api, draft):
    assert api.get(path(draft, "/verification"), expect=409).code == "evaluation-draft"


def test_finalising_at_once_happens_once(api, draft, sql):
    make.indicator(api, draft["id"])
    rate(api, draft, AS, AS)
    tag = api.get(path(draft)).etag
    statuses, barrier = [], threading.Barrier(8)

    def go():
        client = type(api)(api.url, api.key)
        barrier.wait()
        statuses.append(client("POST", path(draft, "/finalize"), headers={"If-Match": tag}).status)

    threads = [threading.Thread(target=go) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses.count(200) == 1 and set(statuses) <= {200, 409, 412}, statuses


def test_finalising_again_under_one_key_gives_the_first_answer(api, draft):
    make.indicator(api, draft["id"])
    rate(api, draft, AS, AS)
    tag = api.get(path(draft)).etag
    headers = {"If-Match": tag, "Idempotency-Key": f"final-{draft['id']}"}
    first = api("POST", path(draft, "/finalize"), headers=headers, expect=200)
    again = api("POST", path(draft, "/finalize"), headers=headers, expect=200)
    assert again.bytes == first.bytes and again.headers["Idempotency-Replayed"] == "true"


def test_a_dry_run_of_finalising_leaves_a_draft(api, draft):
    make.indicator(api, draft["id"])
    rate(api, draft, AS, AS)
    assert finalize(api, draft, Prefer="dry-run").json["state"] == "final"
    assert api.get(path(draft)).json["state"] == "draft"


def test_filters(api, office, sealed, period):
    def ids(query):
        return [e["id"] for e in api.get(f"/v1/evaluations?{query}").json["data"]]
    assert ids(f"nip={sealed['nip']}") == [sealed["id"]]
    assert sealed["id"] in ids(f"period_id={period['id']}&state=final&predicate=baik&limit=1000")
    assert sealed["id"] not in ids(f"period_id={period['id']}&state=draft&limit=1000")
    assert ids(f"nip={sealed['nip']}&predicate=kurang") == []
