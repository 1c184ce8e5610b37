# SPDX-License-Identifier: Apache-2.0
"""Records of the regimes before 2022 by the API: the worked examples I as clients send them, and what a history keeps."""
import pytest

from support import make

PATH = "/v1/rules/performance-regime"
I1 = [{"aspects": [{"aspect": "kuantitas", "target": 1, "actual": 1}, {"aspect": "kualitas", "target": 100, "actual": 90},
                   {"aspect": "waktu", "target": 12, "actual": 12}, {"aspect": "biaya", "target": 500, "actual": 500}]}]

CASES = {  # body → members of the reply
    "I1, I10, I6": ({"regime": "skp_2014", "items": I1, "behaviours": [84, 82, 80, 82, 82]},
                    {"skp": "85.50", "behaviour": "82.00", "value": "84.10", "predicate": "baik"}),
    "I7": ({"regime": "skp_2014", "skp": 90, "behaviour": 93}, {"value": "91.20", "predicate": "sangat_baik"}),
    "I8 rounded": ({"regime": "skp_2014", "skp": 91, "behaviour": 90.5}, {"value": "90.80", "predicate": "sangat_baik"}),
    "I8 strict": ({"regime": "skp_2014", "skp": 91, "behaviour": 90.5, "cut": "strict"}, {"value": "90.80", "predicate": "baik"}),
    "I9 rounded": ({"regime": "skp_2014", "value": 60.8, "cut": "round"}, {"value": "60.80", "predicate": "cukup", "skp": None}),
    "I9 strict": ({"regime": "skp_2014", "value": 60.8, "cut": "strict"}, {"predicate": "kurang"}),
    "I18 with": ({"regime": "skp_2021", "value": 115, "has_new_idea": True}, {"predicate": "sangat_baik"}),
    "I18 without": ({"regime": "skp_2021", "value": 115}, {"predicate": "baik"}),
    "I19": ({"regime": "skp_2021", "value": 89.99}, {"value": "89.99", "predicate": "cukup"}),
    "I20, 70/30": ({"regime": "skp_2021", "skp": 110, "behaviour": 100}, {"value": "107.00", "predicate": "baik"}),
    "I20, 60/40": ({"regime": "skp_2021", "skp": 110, "behaviour": 100, "weights": "60_40"}, {"value": "106.00"}),
}


def texts(reply, members):
    return {m: getattr(reply[m], "text", reply[m]) for m in members}


@pytest.mark.parametrize("case", CASES)
def test_worked_examples(case, api):
    body, expected = CASES[case]
    assert texts(api.post(PATH, body, expect=200).json, expected) == expected


def test_each_part_is_told(api):
    told = api.post(PATH, {"regime": "skp_2014", "items": I1 * 2, "behaviour": 82}, expect=200).json
    assert [(p["aspects"], p["value"]) for p in told["parts"]] == [([100, 90, 76, 76], 85.5)] * 2
    indicators = [{"target": 7, "target_high": 8, "actual": 6.5, "is_less_better": True}, {"target": 100, "actual": 98}, {"target": 200, "actual": 199},
                  {"target": 100, "actual": 100, "is_ceiling": True}]
    told = api.post(PATH, {"regime": "skp_2021", "indicators": indicators, "behaviour": 100}, expect=200).json
    assert [tuple(texts(p, ("achievement", "value", "is_gap")).values()) for p in told["parts"]] == [
        ("107.14", "116.83", False), ("98.00", "88.00", False), ("99.50", "99.00", True), ("100.00", "120.00", False)]
    told = api.post(PATH, {"regime": "skp_2021", "indicators": indicators, "behaviour": 100, "gap": "round"}, expect=200).json
    assert told["parts"][2]["value"] == 109


FAULTS = {
    "no results": ({"regime": "skp_2014", "behaviour": 82}, {"/skp": "missing"}),
    "neither": ({"regime": "skp_2014"}, {"/skp": "missing", "/behaviour": "missing"}),
    "no behaviour": ({"regime": "skp_2021", "skp": 82}, {"/behaviour": "missing"}),
    "four elements": ({"regime": "skp_2014", "skp": 82, "behaviours": [1, 2, 3, 4]}, {"/behaviours": "regime-behaviours"}),
    "a target of 0": ({"regime": "skp_2014", "items": I1 + [{"aspects": [{"aspect": "waktu", "target": 0, "actual": 1}]}], "behaviour": 82},
                      {"/items/1/aspects/0/target": "indicator-target-zero"}),
    "a range upside down": ({"regime": "skp_2021", "indicators": [{"target": 9, "target_high": 8, "actual": 1}], "behaviour": 82},
                            {"/indicators/0/target": "indicator-range"}),
    "beyond the scale": ({"regime": "skp_2014", "value": 100.5}, {"/value": "regime-value"}),
}


@pytest.mark.parametrize("case", FAULTS)
@pytest.mark.parametrize("language", ["en", "id"])
def test_what_has_no_value_is_named(case, language, api):
    body, faults = FAULTS[case]
    reply = api.post(PATH, body, expect=422, headers={"Accept-Language": language})
    assert reply.faults == faults


def test_a_setting_of_another_regime_is_refused(api):
    for body in ({"regime": "skp_2014", "value": 90, "has_new_idea": True}, {"regime": "skp_2021", "value": 90, "cut": "strict"}, {"regime": "skp_2022", "value": 90},
                 {"regime": "skp_2014", "value": 90, "skp": 80}, {"regime": "skp_2014", "skp": 80, "items": I1, "behaviour": 80}):
        api.post(PATH, body, expect=422)


RECORDS = [  # facts → readings, agrees
    ({"regime": "skp_2014", "year": 2018, "value": 90.8, "predicate": "Baik"}, [("cut=round", "sangat_baik"), ("cut=strict", "baik")], True),
    ({"regime": "skp_2014", "year": 2018, "value": 84.1, "predicate": "Sangat Baik"}, [("cut=round", "baik"), ("cut=strict", "baik")], False),
    ({"regime": "skp_2014", "year": 2018, "value": 84.1}, [("cut=round", "baik"), ("cut=strict", "baik")], None),
    ({"regime": "skp_2014", "year": 2018, "value": 110, "predicate": "Baik"}, [], None),
    ({"regime": "skp_2021", "year": 2021, "value": 115, "predicate": "Baik"}, [("has_new_idea=true", "sangat_baik"), ("has_new_idea=false", "baik")], True),
    ({"regime": "dp3", "year": 2010, "value": 84.1, "predicate": "Baik"}, [], None),
    ({"regime": "skp_2022", "year": 2023, "predicate": "Baik"}, [], None),
]


@pytest.mark.parametrize("case", range(len(RECORDS)))
def test_what_the_rule_says_of_a_record(case, api, office):
    facts, readings, agrees = RECORDS[case]
    nip = make.person(api, office["id"])["nip"]
    row = make.history(api, nip, "performance", facts, f"{facts['year']}-01-01")
    told = api.get(f"/v1/asn/{nip}/history/{row['id']}/regime").json
    assert ([(r["setting"], r["predicate"]) for r in told["readings"]], told["agrees"]) == (readings, agrees)
    assert (told["regime"], told["value"], told["predicate"]) == (facts["regime"], facts.get("value"), facts.get("predicate"))
    assert api.get(f"/v1/asn/{nip}/history/{row['id']}").json == row  # nothing was converted or stored


def test_only_performance_has_a_regime(api, office):
    nip = make.person(api, office["id"])["nip"]
    row = make.history(api, nip, "rank", {"rank": "III/a"}, "2020-04-01")
    api.get(f"/v1/asn/{nip}/history/{row['id']}/regime", expect=404)
