# SPDX-License-Identifier: Apache-2.0
"""Days by which something must be done that are counted in months and years, and midnight on another regency's clock (WIT, UTC+9). Working days and holidays are in
test_workdays.py, the fourteen days of an objection, with midnight in WITA and leap days, in test_moderation.py, years of a contract in test_hours.py."""
import pytest

from support import make

WIT = 540
AS = "sesuai_ekspektasi"


@pytest.fixture(scope="module")
def settings():
    return {"utc_offset_minutes": str(WIT)}


PLANS = [  # first day, last day of six months
    ("2026-01-01", "2026-06-30"), ("2026-03-02", "2026-09-01"), ("2025-08-31", "2026-02-27"), ("2023-08-30", "2024-02-28"), ("2023-08-31", "2024-02-28"), ("2023-09-01", "2024-02-29"),
    ("2024-02-29", "2024-08-28"), ("2025-12-31", "2026-06-29"), ("2026-06-30", "2026-12-29")]


@pytest.mark.parametrize("first, last", PLANS)
def test_six_months_of_improvement(first, last, api, office):
    """A month on from a day that the month has not is the month's last day; the plan ends on the day before."""
    nip = make.person(api, office["id"])["nip"]
    made = api.post("/v1/improvement-plans", {"nip": nip, "cause": "Terlambat", "goal": "Tepat waktu", "starts_on": first}, expect=201).json
    assert made["ends_on"] == last


PENALTIES = [  # since when, on which day, whether it still counts
    ("2020-02-29", "2025-02-28", True), ("2020-02-29", "2025-03-01", False), ("2020-03-01", "2025-02-28", True), ("2020-03-01", "2025-03-01", False), ("2020-02-28", "2025-02-28", False),
    ("2019-12-31", "2024-12-30", True), ("2019-12-31", "2024-12-31", False), ("2024-02-29", "2024-02-29", True), ("2024-03-01", "2024-02-29", False)]


@pytest.mark.parametrize("since, on, counts", PENALTIES)
def test_five_years_of_a_penalty(since, on, counts, api, office):
    person = make.person(api, office["id"], position_kind="pelaksana", position="Jabatan Uji", education_level="40")
    make.history(api, person["nip"], "discipline", {"level": "berat", "punishment": "10"}, since)
    told = api.get(f"/v1/asn/{person['nip']}/professionalism-index?as_of={on}").json
    assert told["discipline"] == (1 if counts else 5)


WINDOWS = [  # the day of a training, the day of the index, 20 JP of 12 months
    ("2024-02-29", "2025-02-28", True), ("2024-02-29", "2025-03-01", False), ("2023-02-28", "2024-02-28", False), ("2023-03-01", "2024-02-29", True), ("2023-02-28", "2024-02-29", False),
    ("2024-12-31", "2025-12-30", True), ("2024-12-31", "2025-12-31", False), ("2025-12-31", "2025-12-31", True)]


@pytest.mark.parametrize("trained, on, counts", WINDOWS)
def test_twelve_months_of_a_training(trained, on, counts, sql):
    done = f'[{{"form": "B3", "name": "P", "day": "{trained}", "jp": 20}}]'
    assert sql("SELECT competence FROM ip_asn_from('40', 'pelaksana', %s, %s, NULL, NULL)", (on, done))[0][0] == (22.5 if counts else 0)


MIDNIGHT = [  # became final, filed on, told on, last day: midnight is at 15:00 UTC
    ("2024-02-14T14:59:59Z", "2024-02-28", "2024-02-14", "2024-02-28"), ("2024-02-14T15:00:00Z", "2024-02-29", "2024-02-15", "2024-02-29"),
    ("2025-12-31T14:59:59.999Z", "2026-01-14", "2025-12-31", "2026-01-14"), ("2025-12-31T15:00:00Z", "2026-01-15", "2026-01-01", "2026-01-15")]


@pytest.mark.parametrize("became, filed, told, last", MIDNIGHT)
def test_an_objection_counts_on_the_regency_s_own_clock(became, filed, told, last, api, office, sql):
    final = make.final(api, make.person(api, office["id"])["nip"], make.period(api)["id"])
    sql("SET session_replication_role = replica; UPDATE evaluation SET finalized_at = %s WHERE id = %s", (became, final["id"]))
    made = api.post(f"/v1/evaluations/{final['id']}/objections", {"text": "Belum dihitung", "filed_on": filed}, expect=201).json
    assert (made["told_on"], made["last_day"], made["is_late"]) == (told, last, False)


@pytest.fixture(scope="module")
def running(api, sql):
    """Today on that clock, and a year in which it lies."""
    [(today, first)] = sql(f"SELECT w.day::text, (w.day - 200)::text FROM (SELECT (now() AT TIME ZONE 'UTC' + interval '{WIT} minutes')::date AS day) w")
    return today, make.period(api, starts_on=first, ends_on=today[:4] + "-12-31")


@pytest.mark.parametrize("approved, days", [("14:59:59", 40), ("15:00:00", 39)])
def test_silence_begins_on_the_regency_s_own_day(approved, days, running, api, office, sql):
    """Approved on the fortieth day before today, a second before midnight or at it."""
    today, year = running
    plan, _, _ = make.agreed(api, make.person(api, office["id"])["nip"], year["id"])
    sql("SET session_replication_role = replica; UPDATE skp SET approved_at = ((%s::date - 40)::text || ' ' || %s || '+00')::timestamptz WHERE id = %s", (today, approved, plan["id"]))
    found = [s["days"] for s in api.get(f"/v1/reports/silent-skps?period_id={year['id']}&silent_days=1&limit=100").json["data"] if s["id"] == plan["id"]]
    assert found == [days]
