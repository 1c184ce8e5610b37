# SPDX-License-Identifier: Apache-2.0
"""The lists that offices print, on random people: totals equal the lists, seniority agrees with a slow sort, posts with their holders."""
import csv
import io
import json
import os
import random
from collections import Counter
from datetime import date, timedelta

import pytest

from support import contract as contracts
from support import make, postgres
from support.client import XLSX
from support.sheet import cells, same

SEED = int(os.environ.get("ASND_TEST_SEED", 20260803))  # another one looks elsewhere
PNS = [f"{group}/{step}" for group, steps in (("I", "abcd"), ("II", "abcd"), ("III", "abcd"), ("IV", "abcde")) for step in steps]
ECHELONS = ["10", "11", "12", "21", "22", "31", "32", "41", "42", "51", "52", "99"]
LEVELS = ["Ahli Utama", "Ahli Madya", "Ahli Muda", "Ahli Pertama", "Penyelia", "Mahir", "Terampil", "Pemula"]
EDUCATION = ["05", "10", "12", "15", "17", "18", "20", "25", "30", "35", "40", "42", "45", "47", "49", "50"]
LATE = date(9999, 12, 31)


def some_day(chance, first=1990, last=2024):
    return date(chance.randint(first, last), chance.randint(1, 12), chance.choice((1, 1, 1, 15)))


@pytest.fixture(scope="module")
def agency(api, database):
    """A tree of units, three hundred random people in it with some histories, and a map of posts."""
    print("ASND_TEST_SEED =", SEED)
    chance = random.Random(SEED)
    top = make.unit(api, kind="dinas")
    units = [top] + [make.unit(api, parent=top["id"]) for _ in range(4)]
    units += [make.unit(api, parent=chance.choice(units[1:])["id"]) for _ in range(4)]
    with postgres.connected(database) as connection, connection.cursor() as cursor:
        for number in range(300):
            somebody(chance, number, units, cursor)
        cursor.execute("ANALYZE")
    for unit in units:
        make.post(api, unit["id"], position="Pengelola", posts=chance.randint(1, 20))
        make.post(api, unit["id"], position="Arsiparis", posts=chance.randint(1, 20))
    return top


def somebody(chance, number, units, cursor):
    kind = chance.choices(["PNS", "CPNS", "PPPK"], [8, 1, 2])[0]
    position_kind = chance.choice(["struktural", "fungsional", "pelaksana", "pelaksana", None])
    position = {"struktural": "Kepala Seksi", "fungsional": f"Analis {chance.choice(LEVELS)}", "pelaksana": chance.choice(["Pengelola", "PENGELOLA", "Arsiparis"])}
    birth = some_day(chance, 1966, 2000)
    rank = chance.choice([None, "IX", "V"] if kind == "PPPK" else [None] + PNS)
    row = {"nip": f"{birth:%Y%m%d}{chance.randint(1995, 2024)}{chance.randint(1, 12):02d}{chance.randint(1, 2)}{number:03d}", "kind": kind,
           "name": f"Pegawai {number}", "birth_date": birth, "sex": chance.choice("MF"), "unit_id": chance.choice(units)["id"],
           "position_kind": position_kind, "position": position.get(position_kind),
           "echelon": chance.choice(ECHELONS) if position_kind == "struktural" else None, "rank": rank,
           "rank_since": chance.choice([None, date(2020, 4, 1), some_day(chance)]) if rank else None,
           "education_level": chance.choice([None] + EDUCATION), "legal_status": "71" if kind == "PPPK" else chance.choice(["01"] * 8 + ["03", "99", "88"]),
           "appointed_on": chance.choice([None, some_day(chance, 1992)])}
    cursor.execute(f"INSERT INTO asn (id, {', '.join(row)}) VALUES (uuid_v7(), {', '.join(['%s'] * len(row))}) RETURNING id", list(row.values()))
    (who,), = cursor.fetchall()

    def served(basis):
        return f'{{"years": {chance.randint(0, 30)}, "months": {chance.randint(0, 11)}, "basis": "{basis}"}}'
    told = [("service", served("golongan")), ("service", served("keseluruhan")), ("course", '{"name": "Kepemimpinan", "form": "B1"}'),
            ("course", '{"name": "Bimtek", "form": "B10"}')]
    if row["education_level"]:
        told.append(("education", f'{{"level": "{row["education_level"]}", "graduated_on": "{some_day(chance)}"}}'))
    for kind, facts in told:
        if chance.random() < 0.3:
            day = some_day(chance)
            cursor.execute("INSERT INTO history (asn_id, kind, starts, valid, facts) VALUES (%s, %s, %s, daterange(%s, NULL), %s)", [who, kind, day, day, facts])


def whole(api, path):
    return api.walk(f"{path}{'&' if '?' in path else '?'}limit=1000")[0]


@pytest.fixture(scope="module")
def staff(api, agency):
    """Who should be counted, by the list of people and nothing else."""
    return [a for a in whole(api, f"/v1/asn?under={agency['id']}") if a["legal_status"] not in ("99", "88")]


def test_the_nominative_list_names_everybody_once_in_the_order_of_the_tree(api, agency, staff):
    rows = whole(api, f"/v1/reports/nominatif?under={agency['id']}")
    assert Counter(r["nip"] for r in rows) == Counter(a["nip"] for a in staff)
    order = {u["id"]: n for n, u in enumerate(whole(api, f"/v1/units?under={agency['id']}&sort=path"))}
    assert [order[r["unit_id"]] for r in rows] == sorted(order[r["unit_id"]] for r in rows)
    assert len(staff) > 200


def age(born, at):
    return at.year - born.year - ((at.month, at.day) < (born.month, born.day))


def today(sql):
    return sql("SELECT local_today()")[0][0]


GROUPS = {"rank": "rank", "echelon": "echelon", "education": "education_level", "kind": "kind", "position-kind": "position_kind", "status": "legal_status",
          "unit": "unit_id"}


def recapped(people, by, at):
    """Code → men, women, all: the recap as it should be."""
    def code(a):
        return f"{age(date.fromisoformat(a['birth_date']), at) // 5 * 5:03d}" if by == "age" else a[GROUPS[by]] or "-"
    return {c: (sum(code(a) == c and a["sex"] == "M" for a in people), sum(code(a) == c and a["sex"] == "F" for a in people), n)
            for c, n in Counter(map(code, people)).items()}


@pytest.mark.parametrize("by", [*GROUPS, "age"])
def test_the_totals_of_a_recap_are_those_of_the_list(by, api, agency, staff, sql):
    rows = whole(api, f"/v1/reports/recaps/{by}?under={agency['id']}")
    assert {r["code"]: (r["men"], r["women"], r["total"]) for r in rows} == recapped(staff, by, today(sql))
    assert sum(r["total"] for r in rows) == len(staff)
    assert all(r["name"] for r in rows)


def test_ranks_are_counted_in_their_order(api, agency):
    codes = [r["code"] for r in whole(api, f"/v1/reports/recaps/rank?under={agency['id']}")]
    assert [c for c in codes if c in PNS] == sorted((c for c in codes if c in PNS), key=PNS.index) and codes[-1] == "-"


def slow_key(a, histories):
    """The order of docs/reports.md, told anew."""
    mine = [h for h in histories if h[0] == a["nip"]]
    day = lambda text: date.fromisoformat(text) if text else LATE  # noqa: E731
    service = sorted((h for h in mine if h[1] == "service"), key=lambda h: (h[3]["basis"] == "golongan", h[2], h[4]), reverse=True)
    since = day(a["appointed_on"])
    if service:
        months = service[0][2].year * 12 + service[0][2].month - 1 - service[0][3]["years"] * 12 - service[0][3]["months"]
        since = date(months // 12, months % 12 + 1, service[0][2].day)
    position = max((h[2] for h in mine if h[1] == "position"), default=LATE)
    place = {"struktural": (0, ECHELONS.index(a["echelon"] or "99")), "pelaksana": (2, 0), None: (3, 0)}.get(a["position_kind"])
    if a["position_kind"] == "fungsional":
        place = (1, next(n for n, level in enumerate(LEVELS) if a["position"].endswith(level)))
    training = max((h[2] for h in mine if h[1] == "course" and h[3]["form"] == "B1"), default=LATE)
    graduated = max((day(h[3].get("graduated_on")) for h in mine if h[1] == "education" and h[3]["level"] == a["education_level"] and h[3].get("graduated_on")),
                    default=LATE)
    return (-PNS.index(a["rank"]) if a["rank"] else 99, day(a["rank_since"]), place, position, since, training,
            -EDUCATION.index(a["education_level"]) if a["education_level"] else 99, graduated, day(a["birth_date"]), a["nip"])


def test_seniority_agrees_with_a_slow_sort(api, agency, staff, sql):
    histories = sql("SELECT a.nip, h.kind, h.starts, h.facts, h.id::text FROM history h JOIN asn a ON a.id = h.asn_id WHERE NOT h.is_void")
    rows = whole(api, f"/v1/reports/duk?under={agency['id']}")
    wanted = sorted((a for a in staff if a["kind"] == "PNS"), key=lambda a: slow_key(a, histories))
    assert [r["nip"] for r in rows] == [a["nip"] for a in wanted]
    assert [r["place"] for r in rows] == list(range(1, len(rows) + 1))
    by_nip = {a["nip"]: a for a in staff}
    assert all(r["age"] == age(date.fromisoformat(by_nip[r["nip"]]["birth_date"]), today(sql)) for r in rows)


def test_contract_staff_have_a_list_of_their_own(api, agency, staff):
    rows = whole(api, f"/v1/reports/duk?under={agency['id']}&kind=PPPK")
    assert {r["nip"] for r in rows} == {a["nip"] for a in staff if a["kind"] == "PPPK"}


def test_filled_posts_add_up_to_the_holders(api, agency, staff):
    rows = whole(api, f"/v1/reports/bezetting?under={agency['id']}")
    holders = Counter((a["unit_id"], a["position_kind"], a["position"].lower()) for a in staff if a["position"])
    assert {(r["unit_id"], r["position_kind"], r["position"].lower()): r["filled"] for r in rows if r["filled"]} == dict(holders)
    posts = {p["id"]: p["posts"] for p in whole(api, f"/v1/posts?under={agency['id']}")}
    assert {r["post_id"]: r["posts"] for r in rows if r["post_id"]} == posts
    assert all(r["vacant"] == max(r["posts"] - r["filled"], 0) and r["surplus"] == max(r["filled"] - r["posts"], 0) for r in rows)
    assert all(r["post_id"] or r["posts"] == 0 for r in rows)


def test_another_day_shows_the_people_of_that_day(api, agency, staff, sql):
    """Recaps, list and seniority of one day agree with each other and with the list of people of that day."""
    day = "2012-06-01"
    people = [a for a in whole(api, f"/v1/asn?as_of={day}&under={agency['id']}") if a["legal_status"] not in ("99", "88")]
    assert 0 < len(people) < len(staff)
    rows = whole(api, f"/v1/reports/nominatif?as_of={day}&under={agency['id']}")
    assert Counter(r["nip"] for r in rows) == Counter(a["nip"] for a in people)
    for by in (*GROUPS, "age"):
        recap = {r["code"]: (r["men"], r["women"], r["total"]) for r in whole(api, f"/v1/reports/recaps/{by}?as_of={day}&under={agency['id']}")}
        assert recap == recapped(people, by, date.fromisoformat(day)), by
    holders = Counter((a["unit_id"], a["position_kind"], a["position"].lower()) for a in people if a["position"])
    posts = whole(api, f"/v1/reports/bezetting?as_of={day}&under={agency['id']}")
    assert {(r["unit_id"], r["position_kind"], r["position"].lower()): r["filled"] for r in posts if r["filled"]} == dict(holders)
    assert {r["post_id"] for r in posts if r["post_id"]} == {p["id"] for p in whole(api, f"/v1/posts?under={agency['id']}")}
    seniors = whole(api, f"/v1/reports/duk?as_of={day}&under={agency['id']}")
    assert {r["nip"]: (r["rank"], r["rank_since"]) for r in seniors} == {a["nip"]: (a["rank"], a["rank_since"]) for a in people if a["kind"] == "PNS"}


REPORTS = ["duk", "duk?kind=PPPK", "nominatif", "bezetting", *(f"recaps/{by}" for by in (*GROUPS, "age"))]


def test_no_recap_is_left_out():
    by, = (p["schema"]["enum"] for p in contracts.load().document["paths"]["/v1/reports/recaps/{by}"]["get"]["parameters"] if p.get("name") == "by")
    assert {f"recaps/{b}" for b in by} == {r for r in REPORTS if r.startswith("recaps/")}


def as_cell(value):
    """As CSV has it: what a spreadsheet would run stands behind an apostrophe."""
    text = "" if value is None else str(value)
    return f"'{text}" if text[:1] in ("=", "+", "-", "@") else text


@pytest.mark.parametrize("day", [None, "2012-06-01"], ids=["today", "another-day"])
@pytest.mark.parametrize("report", REPORTS)
def test_every_form_says_the_same(report, day, api, agency):
    path = f"/v1/reports/{report}{'&' if '?' in report else '?'}under={agency['id']}" + (f"&as_of={day}" if day else "")
    rows = json.loads(api.get(f"{path}&limit=1000").text)["data"]
    if report != "duk?kind=PPPK" or not day:  # who of them was one by then is as it happens
        assert rows
    assert [json.loads(line) for line in api.get(path, headers={"Accept": "application/x-ndjson"}).text.splitlines()] == rows
    told = list(csv.DictReader(io.StringIO(api.get(path, headers={"Accept": "text/csv"}).text)))
    assert told == [{name: as_cell(row[name]) for name in row} for row in rows]
    head, *body = cells(api.get(path, headers={"Accept": XLSX}).bytes)
    assert len(body) == len(rows)
    for line, row in zip(body, rows):
        for n, (_, name, _) in head.items():
            assert same(line[n], row[name]) if row[name] is not None else n not in line, (name, row[name], line.get(n))


@pytest.mark.parametrize("sort", ["unit", "place"])
def test_pages_of_another_day_are_the_whole(sort, api, agency):
    """Units are looked at as far as a page needs them."""
    path = f"/v1/reports/{'nominatif' if sort == 'unit' else 'duk'}?as_of=2012-06-01&under={agency['id']}"
    rows = [r["nip"] for r in whole(api, path)]
    for limit in (1, 7):
        assert [r["nip"] for r in api.walk(f"{path}&limit={limit}")[0]] == rows
    assert api.get(f"{path}&limit=1&count=exact").json["page"]["count"] == len(rows) > 20


def test_somebody_who_moved_is_counted_where_he_was(api):
    here, there = make.unit(api), make.unit(api)
    who = make.person(api, here["id"])
    make.history(api, who["nip"], "placement", {"unit_id": there["id"]}, (make.today() - timedelta(days=400)).isoformat(), to=(make.today() - timedelta(days=100)).isoformat())
    then = (make.today() - timedelta(days=200)).isoformat()
    names = lambda unit, query="": [r["nip"] for r in api.get(f"/v1/reports/nominatif?under={unit['id']}{query}").json["data"]]  # noqa: E731
    assert (names(here), names(there)) == ([who["nip"]], [])
    assert (names(here, f"&as_of={then}"), names(there, f"&as_of={then}")) == ([], [who["nip"]])


def test_a_key_sees_its_own_units_alone(api, agency, keys, staff):
    unit = whole(api, f"/v1/units?parent_id={agency['id']}")[0]
    narrow = api.as_key(keys("asn.read", "unit.read", units=(unit["code"],)))
    mine = {u["id"] for u in whole(api, f"/v1/units?under={unit['id']}")}
    people = [a for a in staff if a["unit_id"] in mine]
    for query in ("", f"?under={agency['id']}"):
        assert {r["nip"] for r in whole(narrow, f"/v1/reports/nominatif{query}")} == {a["nip"] for a in people}
        assert sum(r["total"] for r in whole(narrow, f"/v1/reports/recaps/kind{query}")) == len(people)
        assert {r["unit_id"] for r in whole(narrow, f"/v1/reports/bezetting{query}")} <= mine
        assert {r["unit_id"] for r in whole(narrow, f"/v1/posts{query}")} <= mine


def test_a_post_is_on_the_map_once(api, office):
    post = make.post(api, office["id"], position="Pranata Komputer", position_kind="fungsional", functional_level="TR")
    told = {"unit_id": office["id"], "position_kind": "fungsional", "position": "pranata  KOMPUTER", "posts": 1}
    assert api.post("/v1/posts", told, expect=409).code == "post-exists"
    api.post("/v1/posts", {**told, "position_kind": "pelaksana"}, expect=201)
    assert api.post("/v1/posts", {**told, "position": "Lain", "functional_level": "XX"}, expect=422).faults == {"/functional_level": "reference-missing"}
    assert api.post("/v1/posts", {**told, "position": "Lain", "echelon": "77"}, expect=422).faults == {"/echelon": "reference-missing"}
    assert api.post("/v1/posts", {**told, "unit_id": "01900000-0000-7000-8000-00000000dead"}, expect=422).faults == {"/unit_id": "reference-missing"}
    path = f"/v1/posts/{post['id']}"
    changed = api.patch(path, {"posts": 3, "functional_level": None}, etag=make.tag(api, path))
    assert (changed.json["posts"], changed.json["functional_level"], changed.json["version"]) == (3, None, 2)
    assert api.get(path).json == changed.json
    api("DELETE", path, headers={"If-Match": changed.etag}, expect=204)
    api.get(path, expect=404)


@pytest.mark.parametrize("path", ["/v1/reports/duk", "/v1/reports/nominatif", "/v1/reports/nominatif?as_of=2026-01-01"])
def test_pages_and_count_are_the_whole(path, api):
    """What a page does not need is not looked up: what it shows, and how many there are, are those of the list read whole."""
    whole = list(csv.reader(io.StringIO(api.get(path, headers={"Accept": "text/csv"}).text)))
    nip = whole[0].index("nip")
    joined = path + ("&" if "?" in path else "?")
    for limit in (1, 7, 50):
        assert [p["nip"] for p in api.walk(f"{joined}limit={limit}")[0]] == [row[nip] for row in whole[1:]]
    assert api.get(f"{joined}limit=1&count=exact").json["page"]["count"] == len(whole) - 1
    second = api.get(f"{joined}limit=1").json["page"]["next"]
    assert api.get(f"{joined}limit=1&cursor={second}&count=exact").json["page"]["count"] == len(whole) - 1
