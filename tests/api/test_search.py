# SPDX-License-Identifier: Apache-2.0
"""Searching people over HTTP: numbers, ranks, ages, years, several values, pages; the same as JSON, as a file, counted and as of a day. That pages hold the right people
whatever is combined is shown by tests/migration/test_search.py."""
import json

import pytest

from support import make

NIKS = ("7602011501909999", "7602021501909999")


@pytest.fixture(scope="module")
def office(api):
    """Six people whom the filters tell apart, by name of what is special about them."""
    unit = make.unit(api, kind="dinas", name="Dinas Pencarian")
    below = make.unit(api, unit["id"])

    def person(where, born, **members):
        return make.person(api, where["id"], nip=make.nip(birth=born), **members)

    people = {
        "old": person(unit, "19670105", name="Zainal Abidin", rank="IV/c", position_kind="struktural", position="Kepala Dinas", echelon="22", education_level="45"),
        "middle": person(unit, "19800220", name="Ahmad Fauzi", rank="III/d", nik=NIKS[0], position_kind="pelaksana", position="Pengelola", education_level="40"),
        "young": person(below, "20010711", name="Mutiara Ningsih", rank="II/c", nik=NIKS[1], position_kind="pelaksana", position="Pengelola", education_level="30"),
        "contract": make.person(api, below["id"], nip=make.nip(birth="19900303", appointed="202121"), kind="PPPK", name="Jusuf Latif", rank="IX", education_level="40"),
        "unranked": person(below, "19851231", name="Baso Anwar", position_kind="pelaksana", position="Pengelola"),
        "corrected": person(unit, "19790509", name="Halimah Sadiyah", rank="III/a", birth_date="1995-05-09", position_kind="pelaksana", position="Pengelola"),
    }
    return {"unit": unit, "below": below, "people": people, "by": {p["nip"]: who for who, p in people.items()}}


@pytest.fixture
def who(api, office):
    def find(query, client=api, headers=None):
        reply = client.get(f"/v1/asn?under={office['unit']['id']}&{query}", headers=headers)
        return [office["by"][p["nip"]] for p in reply.json["data"]]
    return find


FILTERS = [
    ("rank_min=III/d", {"old", "middle"}), ("rank_max=III/a", {"young", "corrected"}), ("rank_min=III/a&rank_max=III/d", {"middle", "corrected"}),
    ("rank_min=V", {"contract"}), ("rank_min=III/a&rank_max=IX", set()), ("rank=III/a,IX", {"corrected", "contract"}),
    ("rank=III/a,IX&rank_max=III/d", {"corrected"}), ("kind=PPPK,CPNS", {"contract"}), ("education_level=40,45", {"old", "middle", "contract"}),
    ("position_kind=struktural,fungsional", {"old"}), ("legal_status=71,99", {"contract"}), ("age_min=200", None), ("age_min=30&age_max=20", set()),
    ("rank=III/a,III/a", None), ("kind=PNS,", None), ("retires_in=x", None), ("kind=PNS&kind=PPPK", None),
]


@pytest.mark.parametrize("query, found", FILTERS, ids=[q for q, _ in FILTERS])
def test_filters_tell_people_apart(query, found, api, office, who):
    if found is None:
        api.get(f"/v1/asn?{query}", expect=400)
    else:
        assert set(who(query)) == found


def test_age_is_counted_in_whole_years(api, office, who, sql):
    day = sql("SELECT (local_today() - interval '40 years')::date, extract(year FROM age(local_today(), '1967-01-05'))::integer")[0]
    person = make.person(api, office["below"]["id"], nip=make.nip(birth=f"{day[0]:%Y%m%d}"), name="Tepat Empat Puluh")
    office["by"][person["nip"]] = "forty"
    assert "forty" in who("age_min=40") and "forty" in who("age_max=40")
    assert "forty" not in who("age_min=41") and "forty" not in who("age_max=39")
    assert who(f"age_min={day[1]}&age_max={day[1]}") == ["old"]
    assert "forty" in who(f"age_min=40&sort=-birth_date") and "corrected" not in who("age_min=40")


def test_a_corrected_birth_date_counts_and_not_the_nip(who):
    assert "corrected" in who("age_max=35") and "corrected" not in who("age_min=40&age_max=50")


def test_who_retires_in_a_year(api, office, who):
    nip = office["people"]["old"]["nip"]
    due = next(d for d in api.get(f"/v1/due/retirement?under={office['unit']['id']}&limit=1000").json["data"] if d["nip"] == nip)
    year = int(due["due_on"][:4])
    assert who(f"retires_in={year}") == ["old"] and "old" not in who(f"retires_in={year + 1}")


def test_a_years_retired_in_every_order_page_after_page(api):
    """Of several ages of retirement, told and untold by their NIP: the pages add up to who is due, in the order that a plain sort gives."""
    unit = make.unit(api, kind="dinas")
    works = [{"position_kind": "pelaksana", "position": "Pengelola Arsip"}, {"position_kind": "fungsional", "position": "Guru Ahli Muda"},
             {"position_kind": "fungsional", "position": "Dosen Ahli Utama"}]
    for born, work in [(2031 - age, work) for age, work in zip((58, 60, 65), works) for _ in range(4)]:
        for month in (1, 11):
            make.person(api, unit["id"], nip=make.nip(birth=f"{born}{month:02d}05"), **work)
    for told, work in (("19800105", works[0]), ("19560105", works[1])):  # a corrected birth date: the NIP tells another
        for born in ("1973-03-05", "1971-03-05"):
            make.person(api, unit["id"], nip=make.nip(birth=told), birth_date=born, **work)
    due = {d["nip"] for d in api.get(f"/v1/due/retirement?under={unit['id']}&from=2031-01-01&until=2032-01-01&limit=1000").json["data"]}
    assert len(due) > 20
    people = [p for p in api.get(f"/v1/asn?under={unit['id']}&limit=1000").json["data"] if p["nip"] in due]
    for sort, key in (("nip", lambda p: p["nip"]), ("birth_date", lambda p: (p["birth_date"], p["nip"])), ("name", None)):
        for way in ("", "-"):
            for limit in (3, 50):
                found = [p["nip"] for p in api.walk(f"/v1/asn?under={unit['id']}&retires_in=2031&sort={way}{sort}&limit={limit}")[0]]
                assert len(found) == len(set(found)) and set(found) == due
                if key:
                    assert found == [p["nip"] for p in sorted(people, key=key, reverse=way == "-")], (way, sort, limit)


SORTS = [("rank", ["unranked", "young", "corrected", "middle", "old", "contract"]), ("birth_date", ["old", "middle", "unranked", "contract", "corrected", "young"]),
         ("name", ["middle", "unranked", "corrected", "contract", "young", "old"])]


@pytest.mark.parametrize("sort, order", SORTS, ids=[s for s, _ in SORTS])
def test_sorts_run_both_ways_page_after_page(sort, order, api, office):
    for way, expected in (("", order), ("-", order[::-1])):
        met, cursor = [], ""
        while cursor is not None:
            page = api.get(f"/v1/asn?under={office['unit']['id']}&sort={way}{sort}&limit=2{cursor}").json
            met += [office["by"][p["nip"]] for p in page["data"]]
            cursor = page["page"]["next"] and "&cursor=" + page["page"]["next"]
        assert [w for w in met if w != "forty"] == expected


def test_a_nip_is_found_by_its_first_digits(api, office, who):
    nip = office["people"]["middle"]["nip"]
    for text in (nip, nip[:8], nip[:4] + "%20" + nip[4:8], nip[:8] + "%20" + nip[8:14] + "%20" + nip[14:]):
        assert who(f"q={text}") == ["middle"]
    assert who(f"q={nip[1:]}") == [] and who("q=00") == []
    assert set(who("q=19")) >= {"old", "middle", "contract"} and "young" not in who("q=19")


def test_an_old_nip_finds_the_person_by_its_first_digits(api, office, who):
    nip = office["people"]["unranked"]["nip"]
    for number, day in ((make.nip(birth="19561212"), "2005-01-01"), (nip, "2009-01-01")):
        api.post(f"/v1/asn/{nip}/history", json={"kind": "nip", "from": day, "facts": {"nip": number}}, expect=201)
    assert who("q=19561212") == ["unranked"] and who("q=1956") == ["unranked"] and who("q=195") == []


def test_a_nik_finds_nobody_for_whom_may_not_see_it(api, office, who, keys):
    plain, full = api.as_key(keys("asn.read")), api.as_key(keys("asn.read", "asn.sensitive"))
    for sort in ("nip", "name", "rank", "birth_date"):
        for text, found in ((NIKS[0], ["middle"]), (NIKS[1][:6], ["young"])):
            assert who(f"q={text}&sort={sort}", full) == found
            assert who(f"q={text}&sort={sort}", plain) == []
    path = f"/v1/asn?under={office['unit']['id']}&q={NIKS[0][:10]}&fields=nip"
    assert plain.get(path + "&count=exact").json["page"]["count"] == 0
    for client, n in ((plain, 0), (full, 1)):
        assert len(client.get(path, headers={"Accept": "application/x-ndjson"}).text.split()) == n


WORDS = [("muttiara", "young"), ("ningsih mutiara", "young"), ("NINGSI", "young"), ("zaenal", "old"), ("abidin z", "old"), ("fauzy ahmad", "middle"), ("jusup latip", "contract"),
         ("sa'diyah", "corrected"), ("sadiah halimah", "corrected"), ("baso", "unranked"), ("bas", "unranked"), ("mutaira", "young"),
         ("umtiara", "young"), ("mutiaar", "young"), ("mutara", "young"), ("muitara ningish", "young")]


@pytest.mark.parametrize("words, person", WORDS, ids=[w for w, _ in WORDS])
def test_a_name_is_found_in_spite_of_a_typo_and_in_any_order(words, person, who):
    assert person in who(f"q={words.replace(' ', '%20')}")


ODD = ["'", "%25", "_", "\\", "%5C%27", "{}", "NULL", "$1", "%3A_limit", "%F0%9F%98%80", "%E2%80%A6", "x%20" * 30 + "y", "9" * 100, "%C2%A01"]


@pytest.mark.parametrize("text", ODD)
def test_an_odd_search_finds_nobody_and_breaks_nothing(text, api, office):
    reply = api.get(f"/v1/asn?under={office['unit']['id']}&q={text}", expect=(200, 400))
    assert reply.status == 400 or reply.json["data"] == []


@pytest.mark.parametrize("query", ["q=mutiara", "rank_min=III/a", "age_max=45&kind=PNS", "q=19", "position_kind=pelaksana,struktural&sort=-rank", "retires_in=2055"])
def test_a_file_the_count_and_the_page_tell_of_the_same(query, api, office, who):
    path = f"/v1/asn?under={office['unit']['id']}&{query}"
    page = who(query)
    lines = api.get(path, headers={"Accept": "application/x-ndjson"}).text.splitlines()
    assert [office["by"][json.loads(line)["nip"]] for line in lines] == page
    assert api.get(path + "&count=exact").json["page"]["count"] == len(page)


def test_filters_of_another_day_go_by_that_day(api, office, who):
    nip = office["people"]["middle"]["nip"]
    api.post(f"/v1/asn/{nip}/history", json={"kind": "rank", "from": "2015-04-01", "facts": {"rank": "III/a"}}, expect=201)
    assert who("as_of=2016-01-01&rank_max=III/b") == ["middle"] and "middle" not in who("rank_max=III/b")
    assert "middle" in who("as_of=2016-01-01&age_max=35") and who("as_of=2016-01-01&age_min=36&q=fauzi") == []


def test_a_caller_of_one_office_searches_in_it(api, office, keys):
    key = api.as_key(keys("asn.read", units=[office["below"]["code"]]))
    names = {office["by"][p["nip"]] for p in key.get("/v1/asn").json["data"]}
    assert names - {"forty"} == {"young", "contract", "unranked"}
    assert {office["by"][p["nip"]] for p in key.get("/v1/asn?rank_min=I/a&sort=rank").json["data"]} == {"young"}
    assert key.get(f"/v1/asn?q={office['people']['old']['nip']}").json["data"] == []
    assert key.get(f"/v1/asn?under={office['unit']['id']}&unit_id={office['unit']['id']}").json["data"] == []
