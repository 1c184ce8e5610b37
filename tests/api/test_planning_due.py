# SPDX-License-Identifier: Apache-2.0
"""By when SKPs and evaluations of a year are due, and who has none."""
import pytest

from support import make


@pytest.fixture(scope="module")
def year(api):
    return api.post("/v1/periods", {"name": "Tahun 2024", "kind": "tahunan", "starts_on": "2024-01-01", "ends_on": "2024-12-31"}, expect=201).json


def due(client, period, unit, stage=None, **asked):
    query = "&".join(f"{k}={v}" for k, v in {"under": unit["id"], "limit": 1000, **({"stage": stage} if stage else {}), **asked}.items())
    return {row["nip"]: row for row in client.get(f"/v1/periods/{period['id']}/due?{query}", expect=200).json["data"]}


DAYS = [("draft", "2024-01-14"), ("skp", "2024-01-31"), ("evaluation", "2025-01-31")]


@pytest.mark.parametrize("stage, day", DAYS, ids=[d[0] for d in DAYS])
def test_the_days_of_a_leap_year(stage, day, api, year):
    unit = make.unit(api)
    person = make.person(api, unit["id"])
    row = due(api, year, unit, stage)[person["nip"]]
    assert (row["stage"], row["due_on"], row["is_late"], row["state"]) == (stage, day, True, None)


def test_the_limit_is_over_with_its_last_day_at_home(sql, year):
    late = "SELECT local_today() > planning_due_on('skp', p), local_today()::text FROM period p WHERE p.id = %s"
    at = lambda moment: sql(f"SELECT (local_day('{moment}'::timestamptz) > planning_due_on('skp', p)) FROM period p WHERE p.id = %s", (year["id"],))[0][0]  # noqa: E731
    assert (at("2024-01-31 15:59:59Z"), at("2024-01-31 16:00:00Z")) == (False, True)
    assert sql(late, (year["id"],))[0][0] is True


def test_who_has_one_is_not_told_of(api, year):
    unit = make.unit(api)
    none, drafted, approved, rated = [make.person(api, unit["id"])["nip"] for _ in range(4)]
    make.skp(api, drafted, year["id"])
    for nip in (approved, rated):
        make.agreed(api, nip, year["id"])
    make.final(api, rated, year["id"])
    assert set(due(api, year, unit, "draft")) == {none}
    assert {nip: row["state"] for nip, row in due(api, year, unit).items()} == {none: None, drafted: "draft"}
    assert set(due(api, year, unit, "evaluation")) == {none, drafted, approved}


def test_of_whom_no_skp_is_asked(api, year):
    unit = make.unit(api)
    away = [make.person(api, unit["id"], legal_status=status)["nip"] for status in ("02", "03", "04", "07", "20")]
    later = make.person(api, unit["id"], nip=make.nip(appointed="202502"))["nip"]
    here = make.person(api, unit["id"], legal_status="01")["nip"]
    assert set(due(api, year, unit)) == {here} and not set(away + [later]) & set(due(api, year, unit, "evaluation"))


def test_of_a_month_no_day_is_set(api):
    month = api.post("/v1/periods", {"name": "Februari 2024", "kind": "bulanan", "starts_on": "2024-02-01", "ends_on": "2024-02-29"}, expect=201).json
    unit = make.unit(api)
    nip = make.person(api, unit["id"])["nip"]
    row = due(api, month, unit, "evaluation")[nip]
    assert (row["due_on"], row["is_late"]) == (None, False)


def test_a_caller_is_told_of_his_units_alone(api, keys, year):
    unit, other = make.unit(api), make.unit(api)
    mine, theirs = make.person(api, unit["id"])["nip"], make.person(api, other["id"])["nip"]
    part = api.as_key(keys("performance.read", units=(unit["code"],)))
    told = {row["nip"] for row in part.get(f"/v1/periods/{year['id']}/due?limit=1000").json["data"]}
    assert mine in told and theirs not in told
