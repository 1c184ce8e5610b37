# SPDX-License-Identifier: Apache-2.0
"""Working days: one rule in the program and in the database, by holidays that are data, on the regency's clock, to the minute of midnight."""
from datetime import date, datetime, timedelta, timezone

import pytest

from support import make

HOLIDAYS = ["2024-02-09", "2025-03-28", "2025-03-31", "2025-04-01", "2025-04-02", "2025-04-03", "2025-04-04", "2025-04-07", "2025-08-18", "2025-09-05", "2025-12-26"]
FIXED = {f"{y}-{d}" for y in (2025, 2026, 2027) for d in ("01-01", "05-01", "06-01", "08-17", "12-25")}


@pytest.fixture(scope="module", autouse=True)
def calendar(api):
    rows = "".join(f"holiday,{day},Libur uji,Test holiday,SKB\n" for day in HOLIDAYS)
    report = api("POST", "/v1/references/import", data=("list,code,name,name_en,source\n" + rows).encode(), headers={"Content-Type": "text/csv"}, expect=200).json
    assert (report["created"], report["refused"]) == (len(HOLIDAYS), 0)
    # Withdrawn before its day: no holiday after all.
    api("POST", "/v1/references/import", data=b"list,code,name,name_en,source,valid_to\nholiday,2025-07-14,Batal,Withdrawn,SKB,2025-07-01\n",
        headers={"Content-Type": "text/csv"}, expect=200)


def until(api, day, days):
    return api.get(f"/v1/working-days/{day}?days={days}").json["until"]


LIMITS = [
    ("E2 verify", "2025-07-07", 3, "2025-07-10"), ("E2 normative", "2025-07-07", 5, "2025-07-14"), ("E2 without supervision", "2025-07-07", 14, "2025-07-25"),
    ("E2 with supervision, two holidays on the way", "2025-07-07", 60, "2025-10-01"), ("E3", "2025-07-11", 10, "2025-07-25"),
    ("a leap day counts", "2024-02-28", 2, "2024-03-01"), ("from a leap day", "2024-02-29", 1, "2024-03-01"), ("no leap day", "2025-02-28", 1, "2025-03-03"),
    ("from a holiday", "2025-08-18", 1, "2025-08-19"), ("a holiday on a Sunday costs nothing", "2025-08-15", 1, "2025-08-19"),
    ("a week of joint leave", "2025-03-27", 1, "2025-04-08"), ("over New Year", "2025-12-31", 1, "2026-01-02"), ("none", "2025-07-12", 0, "2025-07-12"),
    ("joint leave after Christmas", "2025-12-24", 1, "2025-12-29"),
]


@pytest.mark.parametrize("_case, day, days, expected", LIMITS, ids=[c[0] for c in LIMITS])
def test_a_limit_ends_on_its_day(_case, day, days, expected, api, sql):
    assert until(api, day, days) == expected
    assert sql("SELECT workday_after(%s::date, %s)::text", (day, days)) == [(expected,)]


def test_the_holidays_on_the_way_are_told(api):
    told = api.get("/v1/working-days/2025-08-15?days=15").json
    assert told == {"from": "2025-08-15", "days": 15, "until": "2025-09-09", "is_workday": True, "holidays": ["2025-08-17", "2025-08-18", "2025-09-05"]}
    assert api.get("/v1/working-days/2025-08-18").json["is_workday"] is False


def test_program_database_and_a_third_way_agree_on_two_years(api, sql):
    free = set(HOLIDAYS) | FIXED

    def third(day, days):
        while days:
            day += timedelta(days=1)
            days -= day.weekday() < 5 and day.isoformat() not in free
        return day.isoformat()

    first = date(2024, 1, 1)
    for days in (1, 5, 60):
        mine = [third(first + timedelta(days=n), days) for n in range(750)]
        theirs = sql("SELECT workday_after(d::date, %s)::text FROM generate_series('2024-01-01'::date, '2024-01-01'::date + 749, '1 day') d", (days,))
        assert [t for t, in theirs] == mine
    for n in range(0, 750, 17):
        day = first + timedelta(days=n)
        assert until(api, day, 7) == third(day, 7)


MIDNIGHT = [("2025-07-06T15:59:59Z", "2025-07-06", "2025-07-09"), ("2025-07-06T16:00:00Z", "2025-07-07", "2025-07-10"), ("2025-07-07T15:59:59.999999Z", "2025-07-07", "2025-07-10"),
            ("2025-07-07T16:00:00Z", "2025-07-08", "2025-07-11"), ("2025-07-08T00:30:00+09:00", "2025-07-07", "2025-07-10"),
            ("2024-02-28T16:00:00Z", "2024-02-29", "2024-03-05"), ("2025-08-14T16:00:00Z", "2025-08-15", "2025-08-21")]


@pytest.mark.parametrize("received, day, verify_by", MIDNIGHT)
def test_a_complaint_counts_from_its_day_here(received, day, verify_by, api, counter, sql):
    made = make.complaint(api, counter["id"], received_at=received)
    assert made["verify_by"] == verify_by
    assert sql("SELECT local_day(%s::timestamptz)::text", (received,)) == [(day,)]


@pytest.fixture(scope="module")
def counter(api, office):
    return make.service_unit(api, office["id"])


def test_the_promised_days_of_a_ticket_end_at_midnight_here(api, counter):
    service = make.service(api, counter["id"], promise_days=2)
    due = {}
    for taken, number in (("2025-07-10T15:59:59Z", "1"), ("2025-07-10T16:00:00Z", "2"), ("2025-08-14T16:00:00Z", "3")):
        due[number] = datetime.fromisoformat(make.ticket(api, service["id"], taken_at=taken, number=number)["due_at"]).astimezone(timezone(timedelta(hours=8)))
    assert [d.isoformat() for d in due.values()] == ["2025-07-14T23:59:59.999999+08:00", "2025-07-15T23:59:59.999999+08:00", "2025-08-20T23:59:59.999999+08:00"]


@pytest.mark.parametrize("path", ["/v1/working-days/2025-07-07?days=-1", "/v1/working-days/2025-07-07?days=401", "/v1/working-days/2025-07-07?days=1.5"])
def test_a_limit_that_is_none_is_refused(path, api):
    assert api("GET", path).status == 400


@pytest.mark.parametrize("day", ["2025-02-29", "2025-7-7", "today"])
def test_a_day_that_is_none_is_nowhere(day, api):
    assert api("GET", f"/v1/working-days/{day}").status == 404
