# SPDX-License-Identifier: Apache-2.0
"""Breaches of personal data: until when they are told, to whom, and what was late (E4; UU 27/2022, article 46). The index of the merit system (M9)."""
from datetime import datetime, timedelta, timezone

import pytest

from support import make


def at(hours):
    return (datetime.now(timezone.utc) + timedelta(hours=hours)).isoformat(timespec="seconds")


def notice(api, breach, recipient, expect=201, **members):
    return api.post(f"/v1/data-breaches/{breach['id']}/notices", {"recipient": recipient, "reference": "800/1/2026", **members}, expect=expect)


def now_of(api, breach):
    told = api.get(f"/v1/data-breaches/{breach['id']}").json
    return told["owed"], told["late"]


LIMITS = [("over a weekend", "2025-07-11T16:30:00+08:00", "2025-07-14T08:30:00+00:00"), ("over holidays", "2025-12-24T23:59:59+08:00", "2025-12-27T15:59:59+00:00"),
          ("over a leap day", "2024-02-28T00:00:00+08:00", "2024-03-01T16:00:00+00:00"), ("over midnight here", "2025-07-10T16:00:00Z", "2025-07-13T16:00:00+00:00")]


@pytest.mark.parametrize("_case, found, until", LIMITS, ids=[c[0] for c in LIMITS])
def test_notices_are_due_three_times_24_hours_later_by_the_clock(_case, found, until, api):
    made = make.breach(api, found)
    assert (made["notify_by"], made["owed"], made["late"]) == (until, ["subjects", "agency"], ["subjects", "agency"])
    assert now_of(api, made) == (["subjects", "agency"], ["subjects", "agency"])


def test_who_was_told_in_time_is_owed_nothing(api):
    made = make.breach(api, at(-71))
    assert (made["owed"], made["late"], made["lacks"]) == (["subjects", "agency"], [], ["handling", "people"])
    assert notice(api, made, "agency").json["is_in_time"] is True
    assert now_of(api, made) == (["subjects"], [])
    notice(api, made, "subjects", people=7)  # some of them are not all
    assert now_of(api, made) == (["subjects"], [])
    notice(api, made, "subjects")
    assert now_of(api, made) == ([], [])
    told = api.patch(f"/v1/data-breaches/{made['id']}", {"is_for_public": True, "handling": "Berkas ditarik", "people": 7}, etag="*").json
    assert (told["owed"], told["late"], told["lacks"], told["people"]) == (["public"], [], [], 7)
    assert told == api.get(f"/v1/data-breaches/{made['id']}").json
    assert api.patch(f"/v1/data-breaches/{made['id']}", {"is_for_public": False}, etag="*").json["owed"] == []


def test_what_is_told_late_is_noted_and_stays_late(api):
    made = make.breach(api, at(-100), is_for_public=True)
    in_time = notice(api, made, "agency", told_at=at(-29)).json
    late = notice(api, made, "subjects", told_at=at(-27)).json
    assert (in_time["is_in_time"], late["is_in_time"]) == (True, False)
    assert now_of(api, made) == (["public"], ["subjects", "public"])
    changed = api.patch(f"/v1/data-breaches/{made['id']}", {"people": 3}, etag="*").json
    assert (changed["owed"], changed["late"]) == (["public"], ["subjects", "public"])
    rows = api.get(f"/v1/data-breaches/{made['id']}/notices").json["data"]
    assert [(r["recipient"], r["is_in_time"]) for r in rows] == [("agency", True), ("subjects", False)]


def test_the_list_finds_what_is_owed_and_what_was_late(api):
    late, done, fresh = make.breach(api, at(-80)), make.breach(api, at(-2)), make.breach(api, at(-1))
    for recipient in ("subjects", "agency"):
        notice(api, done, recipient)
    found = lambda query: {b["id"] for b in api.get(f"/v1/data-breaches?{query}&limit=1000").json["data"]} & {late["id"], done["id"], fresh["id"]}  # noqa: E731
    assert found("is_owed=true") == {late["id"], fresh["id"]} and found("is_owed=false") == {done["id"]}
    assert found("is_late=true") == {late["id"]} and found("is_late=false") == {done["id"], fresh["id"]}


REFUSED = [("found in the future", {"found_at": "2099-01-01T00:00:00Z"}, "breach-time"), ("no data", {"which_data": ""}, "invalid"), ("when it was found is told", {"found_at": None}, "invalid")]


@pytest.mark.parametrize("_case, members, code", REFUSED, ids=[r[0] for r in REFUSED])
def test_what_is_refused(_case, members, code, api):
    body = {"found_at": at(-1), "which_data": "NIK", "happened": "Salah kirim", **members}
    api.post("/v1/data-breaches", body, expect=422)
    if code == "breach-time":
        assert api.post("/v1/data-breaches", body, expect=422).code == code


def test_a_notice_comes_after_it_was_found_and_stays(api, sql):
    made = make.breach(api, at(-5))
    assert notice(api, made, "agency", expect=422, told_at=at(-6)).code == notice(api, made, "agency", expect=422, told_at=at(1)).code == "breach-time"
    assert now_of(api, made)[0] == ["subjects", "agency"]
    notice(api, {"id": "01900000-0000-7000-8000-00000000dead"}, "agency", expect=404)
    notice(api, made, "agency")
    for statement in ("UPDATE data_breach_notice SET reference = 'x' WHERE breach_id = %s", "DELETE FROM data_breach_notice WHERE breach_id = %s"):
        with pytest.raises(Exception, match="what was told was told"):
            sql(statement, (made["id"],))


def test_only_who_sees_all_units_sees_and_enters(api, keys):
    unit, made = make.unit(api), make.breach(api)
    part = api.as_key(keys("breach.read", "breach.write", units=(unit["code"],)))
    assert part.get("/v1/data-breaches").json["data"] == []
    part.get(f"/v1/data-breaches/{made['id']}", expect=404)
    part.get(f"/v1/data-breaches/{made['id']}/notices", expect=404)
    part.post("/v1/data-breaches", {"found_at": at(-1), "which_data": "NIK", "happened": "Salah kirim"}, expect=403)
    part.patch(f"/v1/data-breaches/{made['id']}", {"people": 1}, etag="*", expect=404)
    notice(part, made, "agency", expect=404)
    api.as_key(keys("breach.read")).post("/v1/data-breaches", {"found_at": at(-1), "which_data": "NIK", "happened": "Salah kirim"}, expect=403)


# ── merit ──

BANDS = [("merit-400", 99.9, None), ("merit-400", 100, "buruk"), ("merit-400", 174.9, "buruk"), ("merit-400", 175, "kurang"), ("merit-400", 249, "kurang"), ("merit-400", 250, "baik"),
         ("merit-400", 305.5, "baik"), ("merit-400", 324.9, "baik"), ("merit-400", 325, "sangat_baik"), ("merit-400", 325.5, "sangat_baik"), ("merit-400", 400, "sangat_baik"),
         ("nism", 0, "dasar"), ("nism", 0.4, "dasar"), ("nism", 0.41, "lanjutan"), ("nism", 0.6, "lanjutan"), ("nism", 0.61, "menengah"), ("nism", 0.8, "menengah"), ("nism", 0.81, "tinggi"),
         ("nism", 1, "tinggi"), ("nism", 1.01, "maju")]


@pytest.mark.parametrize("scale, points, band", BANDS, ids=[f"{s}-{p}" for s, p, _ in BANDS])
def test_points_of_merit_are_called(scale, points, band, api):
    assert api.put("/v1/merit-indices/2019", {"scale": scale, "points": points}).json["band"] == band


def test_own_points_and_published_ones_stand_beside_each_other(api, keys):
    told = api.put("/v1/merit-indices/2021", {"scale": "merit-400", "points": 324.9, "official_points": 325, "note": "Surat KASN"}).json
    assert (told["band"], told["official_band"], float(told["ours_minus_theirs"].text)) == ("baik", "sangat_baik", -0.1)
    assert [m for m in api.get("/v1/merit-indices").json["data"] if m["year"] == 2021] == [told]
    again = api.put("/v1/merit-indices/2021", {"scale": "merit-400", "official_points": 249}).json
    assert (again["points"], again["band"], again["official_band"], again["note"]) == (None, None, "kurang", None)
    assert api.put("/v1/merit-indices/2021", {"scale": "nism", "points": 2.1}, expect=422).code == "merit-most"
    api.put("/v1/merit-indices/2021", {"scale": "nism"}, expect=422)
    part = api.as_key(keys("performance.write", units=(make.unit(api)["code"],)))
    assert part.put("/v1/merit-indices/2021", {"scale": "nism", "points": 1}, expect=403).code == "forbidden"
    assert {b["code"] for b in api.get("/v1/merit-bands?scale=nism").json["data"]} == {"dasar", "lanjutan", "menengah", "tinggi", "maju"}
