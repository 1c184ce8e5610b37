# SPDX-License-Identifier: Apache-2.0
"""What falls due: the day, the rule and the facts it comes from, what is missing, what blocks it."""
from datetime import date, timedelta

import pytest

from support import make


@pytest.fixture()
def unit(api):
    return make.unit(api)


def person(api, unit, birth="1990-01-15", appointed="2015-03-01", **members):
    told = {"nip": make.nip(birth=birth.replace("-", ""), appointed=appointed[:4] + appointed[5:7]), "birth_date": birth, "appointed_on": appointed, **members}
    return make.person(api, unit["id"], **told)


def due(api, what, unit, query=""):
    return api.get(f"/v1/due/{what}?under={unit['id']}{query}").json["data"]


def one(api, what, unit):
    rows = due(api, what, unit)
    assert len(rows) == 1, rows
    return rows[0]


HOLDERS = {
    58: {"position_kind": "pelaksana", "position": "Pengadministrasi"},
    60: {"position_kind": "struktural", "position": "Kepala Dinas", "echelon": "22"},
    65: {"position_kind": "fungsional", "position": "Analis Kebijakan Ahli Utama"},
}
EXAMPLES = [("C1", "1968-12-10", 58, "2027-01-01"), ("C2", "1966-06-01", 60, "2026-07-01"), ("C3", "1961-01-31", 65, "2026-02-01"),
            ("C4", "1967-11-30", 58, "2025-12-01"), ("C5", "1968-02-29", 58, "2026-03-01")]


@pytest.mark.parametrize("birth, age, day", [e[1:] for e in EXAMPLES], ids=[e[0] for e in EXAMPLES])
def test_retirement_takes_effect_on_the_first_of_the_next_month(birth, age, day, api, unit):
    who = person(api, unit, birth=birth, appointed="1995-03-01", **HOLDERS[age])
    row = one(api, "retirement", unit)
    assert (row["due_on"], row["nip"], row["rule"], row["missing"]) == (day, who["nip"], f"BUP_{age}", [])
    assert (row["facts"]["birth_date"], row["facts"]["months"]) == (birth, age * 12)
    assert row["rule_is_confirmed"] and "PP 11/2017" in row["rule_source"] and row["rule_valid_from"] == "2017-04-07"


AGES = [("struktural", "31", "Kepala Bidang", "BUP_58"), ("struktural", "41", "Kepala Seksi", "BUP_58"), ("struktural", "21", "Sekretaris Daerah", "BUP_60"),
        ("fungsional", None, "Analis Hukum Ahli Madya", "BUP_60"), ("fungsional", None, "Analis Hukum Ahli Muda", "BUP_58"),
        ("fungsional", None, "Perawat Terampil", "BUP_58"), ("fungsional", None, "Guru Ahli Pertama", "BUP_GURU")]


@pytest.mark.parametrize("kind, echelon, position, rule", AGES)
def test_the_age_of_retirement_goes_by_the_level(kind, echelon, position, rule, api, unit):
    person(api, unit, position_kind=kind, position=position, echelon=echelon)
    assert one(api, "retirement", unit)["rule"] == rule


def test_the_level_that_a_history_tells_goes_before_the_name(api, unit):
    who = person(api, unit)
    make.history(api, who["nip"], "position", {"assignment": "definitive", "position_kind": "fungsional", "position": "Widyaiswara", "functional_level": "UT"},
                 "2020-01-01")
    row = one(api, "retirement", unit)
    assert (row["rule"], row["facts"]["position_level"]) == ("BUP_65", "ahli_utama")


@pytest.mark.parametrize("members, missing", [({}, "position_kind"), ({"position_kind": "struktural", "position": "Kepala"}, "echelon"),
                                              ({"position_kind": "fungsional", "position": "Dokter"}, "position_level")])
def test_a_missing_fact_is_named_and_no_day_is_guessed(members, missing, api, unit):
    person(api, unit, **members)
    row = one(api, "retirement", unit)
    assert (row["due_on"], row["missing"]) == (None, [missing])


def test_a_pay_rise_counts_from_the_last_one(api, unit):
    who = person(api, unit)
    row = one(api, "pay-raise", unit)
    assert (row["due_on"], row["missing"], row["rule"], row["rule_is_confirmed"]) == (None, ["pay_raise_since"], "KGB", False)
    make.history(api, who["nip"], "pay", {"service_years": 4}, "2021-03-01")
    last = make.history(api, who["nip"], "pay", {"service_years": 6}, "2023-03-01")
    assert (one(api, "pay-raise", unit)["due_on"], one(api, "pay-raise", unit)["facts"]["pay_raise_since"]) == ("2025-03-01", "2023-03-01")
    path = f"/v1/asn/{who['nip']}/history/{last['id']}"
    api.post(f"{path}/annul", {"reason": "keliru"}, headers={"If-Match": make.tag(api, path)})
    assert one(api, "pay-raise", unit)["due_on"] == "2023-03-01"


@pytest.mark.parametrize("education, rank, block", [
    ("15", "III/a", None), ("15", "III/b", "education-ceiling"), ("40", "III/d", "education-ceiling"), ("40", "III/c", None), ("45", "IV/e", "top-rank"),
    (None, "III/a", "fact-missing"), ("42", "III/a", "fact-missing")])
def test_regular_promotion_ends_at_the_ceiling_of_the_education(education, rank, block, api, unit):
    person(api, unit, rank=rank, rank_since="2022-04-01", education_level=education, position_kind="pelaksana", position="Pengelola")
    row = one(api, "promotion", unit)
    assert (row["due_on"], row["rule"], row["facts"]["rank_since"]) == ("2026-04-01", "KP_REGULER", "2022-04-01")
    codes = [b["code"] for b in row["blocks"]]
    assert (block in codes) if block else codes == [], row["blocks"]


def test_a_functional_official_needs_the_points_of_the_level(api, unit):
    who = person(api, unit, rank="III/a", rank_since="2022-04-01", position_kind="fungsional", position="Analis Hukum Ahli Pertama")
    row = one(api, "promotion", unit)
    assert (row["due_on"], row["rule"]) == ("2024-04-01", "KP_FUNGSIONAL")
    assert row["blocks"] == [{"code": "fact-missing", "fact": "credit", "need": 50}]
    make.history(api, who["nip"], "credit", {"total": 37.5}, "2023-01-01")
    assert [(b["code"], b["have"], b["need"]) for b in one(api, "promotion", unit)["blocks"]] == [("credit-points", 37.5, 50)]
    make.history(api, who["nip"], "credit", {"total": 50}, "2024-01-01")
    assert one(api, "promotion", unit)["blocks"] == []


def test_a_promotion_that_is_decreed_already_counts(api, unit):
    who = person(api, unit, rank="III/a", rank_since="2022-04-01", position_kind="struktural", position="Kepala Seksi", echelon="41")
    coming = make.today().replace(day=1) + timedelta(days=62)
    make.history(api, who["nip"], "rank", {"rank": "III/b"}, coming.isoformat())
    assert one(api, "promotion", unit)["due_on"] == coming.replace(year=coming.year + 4).isoformat()


def test_discipline_blocks_only_before_the_eyes_of_those_who_may_see_it(api, keys, unit):
    who = person(api, unit, rank="III/a", rank_since="2022-04-01", education_level="40", position_kind="pelaksana", position="Pengelola")
    make.history(api, who["nip"], "discipline", {"level": "sedang"}, "2026-01-01", to="2099-01-01")
    assert [b["code"] for b in one(api, "promotion", unit)["blocks"]] == ["discipline"]
    assert one(api.as_key(keys("asn.read", "asn.discipline")), "promotion", unit)["blocks"][0]["level"] == "sedang"
    assert one(api.as_key(keys("asn.read")), "promotion", unit)["blocks"] == []


def test_who_is_away_or_retires_first_is_blocked(api, unit):
    person(api, unit, birth="1966-01-10", appointed="1990-03-01", rank="III/a", rank_since="2023-04-01", education_level="40", position_kind="pelaksana",
           position="Pengelola", legal_status="03")
    blocks = {b["code"]: b for b in one(api, "promotion", unit)["blocks"]}
    assert set(blocks) == {"legal-status", "retirement"} and blocks["retirement"]["on"] == "2024-02-01"


def test_who_has_left_is_on_no_list(api, unit):
    person(api, unit, legal_status="99", position_kind="pelaksana", position="Pengelola")
    for what in ("pay-raise", "promotion", "retirement", "award", "probation", "leave", "contract"):
        assert due(api, what, unit) == []


def test_contract_probation_and_leave_end(api, unit):
    contract = make.person(api, unit["id"], kind="PPPK", nip="199505202024211" + f"{make.number() % 999 + 1:03d}")
    assert one(api, "contract", unit)["missing"] == ["contract_until"]
    make.history(api, contract["nip"], "contract", {}, "2024-01-01", to="2029-01-01")
    assert (one(api, "contract", unit)["due_on"], one(api, "contract", unit)["rule"]) == ("2029-01-01", "KONTRAK")
    person(api, unit, kind="CPNS", appointed="2025-03-01")
    assert one(api, "probation", unit)["due_on"] == "2026-03-01"
    away = person(api, unit, legal_status="02")
    assert one(api, "leave", unit)["missing"] == ["leave_until"]
    make.history(api, away["nip"], "leave", {"grounds": "Mengikuti suami"}, "2024-02-01", to="2027-02-01")
    assert one(api, "leave", unit)["due_on"] == "2027-02-01"


def test_the_medals_follow_each_other(api, unit):
    who = person(api, unit, appointed="2004-03-01")
    assert [(r["rule"], r["due_on"]) for r in due(api, "award", unit)] == [("SLKS_10", "2014-03-01"), ("SLKS_20", "2024-03-01"), ("SLKS_30", "2034-03-01")]
    make.history(api, who["nip"], "award", {"award": "202", "year": 2024}, "2024-08-17")
    assert [r["rule"] for r in due(api, "award", unit)] == ["SLKS_30"]


def test_a_window_cuts_the_list(api, unit):
    today = make.today()
    for days in (-400, -1, 10, 100, 1000):
        day = today + timedelta(days=days)
        who = person(api, unit)
        make.history(api, who["nip"], "pay", {}, (day - timedelta(days=731)).isoformat())
    person(api, unit)
    whole = due(api, "pay-raise", unit)
    assert len(whole) == 6 and [r["due_on"] for r in whole[:-1]] == sorted(r["due_on"] for r in whole[:-1]) and whole[-1]["due_on"] is None
    days = [r["due_on"] for r in whole[:-1]]
    assert [r["due_on"] for r in due(api, "pay-raise", unit, f"&from={days[1]}&until={days[3]}")] == days[1:3]
    assert [r["due_on"] for r in due(api, "pay-raise", unit, "&within=50")] == days[:3]
    assert [r["due_on"] for r in due(api, "pay-raise", unit, "&undated=true")] == [None]
    assert [r["due_on"] for r in due(api, "pay-raise", unit, "&undated=false")] == days
    assert due(api, "pay-raise", unit, "&kind=PPPK") == []


def test_a_key_sees_its_own_units_alone(api, keys, unit):
    person(api, unit)
    other = make.unit(api)
    person(api, other)
    narrow = api.as_key(keys("asn.read", units=(unit["code"],)))
    assert {r["unit_id"] for r in narrow.get("/v1/due/retirement").json["data"]} == {unit["id"]}


def test_a_changed_rule_is_a_new_row_and_holds_from_its_day(api, unit, sql):
    person(api, unit, birth="1980-05-05", **HOLDERS[58])
    person(api, unit, birth="1970-05-05", **HOLDERS[58])
    sql("""INSERT INTO due_rule SELECT (jsonb_populate_record(r, '{"valid_from": "2035-01-01", "months": 720, "source": "uji"}')).*
           FROM due_rule r WHERE r.code = 'BUP_58'""")
    assert [(r["due_on"], r["rule_valid_from"]) for r in due(api, "retirement", unit)] == [("2028-06-01", "2017-04-07"), ("2040-06-01", "2035-01-01")]
    sql("DELETE FROM due_rule WHERE valid_from = '2035-01-01'")
    assert [r["due_on"] for r in due(api, "retirement", unit)] == ["2028-06-01", "2038-06-01"]


def test_rules_are_rows_with_their_sources(api):
    rules = api.get("/v1/due-rules?limit=1000").json["data"]
    assert {r["list"] for r in rules} == {"pay-raise", "promotion", "retirement", "contract", "probation", "leave", "award"}
    assert all(r["source"] and (r["is_confirmed"] or "recalled" in r["source"]) for r in rules)
    assert api.get("/v1/due-rules?list=award").json["data"] == [r for r in rules if r["list"] == "award"]


def test_what_is_kept_is_what_the_facts_tell(sql):
    """After all that the tests above did."""
    columns = "asn_id, list, rule, rule_from, unit_id, level, basis, due_on, missing"
    kept, told = f"SELECT {columns} FROM due", f"SELECT {columns} FROM due_told"
    assert sql("SELECT count(*) > 20 FROM due") == [(True,)]
    assert sql(f"({kept} EXCEPT {told}) UNION ALL ({told} EXCEPT {kept})") == []
