# SPDX-License-Identifier: Apache-2.0
"""Learning hours: the worked examples over HTTP, and a slow recount in Python of random histories, which ledger, lists and the rules in C must equal."""
import calendar
import csv
import io
import os
import random
import threading
import uuid
from collections import defaultdict
from datetime import date, timedelta
from fractions import Fraction as F

import pytest

from support import make, postgres
from support.client import XLSX

SEED = int(os.environ.get("ASND_TEST_SEED", 20260801))  # another one looks elsewhere


@pytest.fixture(scope="module")
def person(api, office):
    return lambda **members: make.person(api, office["id"], **members)["nip"]


def pppk():
    return f"199505202024212{make.number() % 900 + 50:03d}"


def hours(api, nip, query="?year=2025"):
    told = api.get(f"/v1/asn/{nip}/learning-hours{query}").json
    again = api.get(f"/v1/asn/{nip}/learning-hours/recount{query}").json
    assert again["agrees"] and again["total_jp"] == told["total_jp"] and (again["from"], again["until"]) == (told["from"], told["until"]), again
    assert (again["short_jp"], again["above_jp"], again["counted_jp"]) == (told["short_jp"] or 0, told["above_jp"] or 0, told["counted_jp"])
    return told


# Courses as they are told, the hours of the year, whether the floor is met, what each counts.
EXAMPLES = {
    "K1": ([{"form": "B6", "amount": 1}, {"form": "B7", "amount": 2}, {"form": "B10", "jp": 8}], 22, True, [4, 10, 8]),
    "K1, days by the days themselves": ([{"form": "B6", "to": "2025-05-05"}, {"form": "B7", "to": "2025-05-06"}, {"form": "B10", "jp": 8}], 22, True, [4, 10, 8]),
    "K2": ([{"form": "C1", "amount": 3}], 4, False, [4]),
    "K3": ([{"form": "B3", "jp": 10, "is_abroad": True}], 12, False, [12]),
    "K4": ([{"form": "C7", "amount": 1}, {"form": "C3", "amount": 3, "jp": 9}], 19, False, [10, 9]),
    "K5": ([{"form": "A1", "amount": 1}], 20, True, [20]),
    "K7, 900 minutes": ([{"form": "B3", "minutes": 900}], 20, True, [20]),
    "K7, 960 minutes": ([{"form": "B3", "minutes": 960}], 21, True, [21]),
    "K7, 899 minutes": ([{"form": "B3", "minutes": 899}], 19, False, [19]),
    "K8": ([{"form": "C11", "amount": 1, "is_abroad": True}, {"form": "B11", "amount": 1}], 28, True, [24, 4]),
    "K9": ([{"form": "B3", "jp": 19}, {"form": "B3", "jp": 3, "organiser": "LAN", "certificate_number": "7/2025"},
            {"form": "B3", "jp": 3, "organiser": "L.A.N.", "certificate_number": "7 / 2025"}], 22, True, [19, 3, 0]),
    "one organiser, spelt twice": ([{"form": "B3", "jp": 5, "organiser": "LAN RI", "certificate_number": "12/PD/2025"},
                                    {"form": "B3", "jp": 5, "organiser": "L.A.N. R.I.", "certificate_number": "No. 12 P.D. 2025"}], 5, False, [5, 0]),
    "two numbers of one organiser": ([{"form": "B3", "jp": 5, "organiser": "LAN RI", "certificate_number": "12/PD/2025"},
                                      {"form": "B3", "jp": 5, "organiser": "LAN RI", "certificate_number": "1/2PD/2025"}], 10, False, [5, 5]),
    "K10": ([{"form": "C9", "amount": 4, "jp": 12}], 8, False, [8]),
    "a form that nobody told": ([{"jp": 6}], 6, False, [6]),
    "a seminar of days untold": ([{"form": "B6", "jp": 9}], 9, False, [9]),
}


@pytest.mark.parametrize("case", EXAMPLES.keys())
def test_the_worked_examples(case, api, person):
    courses, total, is_met, counts = EXAMPLES[case]
    nip = person()
    for course in courses:
        make.course(api, nip, "2025-05-04", **course)
    told = hours(api, nip)
    assert (told["total_jp"], told["is_floor_met"], told["short_jp"]) == (total, is_met, max(0, 20 - total))
    assert told["entries"] == len([c for c in counts if c])
    entries = api.get(f"/v1/asn/{nip}/learning-entries?year=2025").json["data"]
    assert sorted(e["counted_jp"] for e in entries) == sorted(counts)
    assert all(e["why"] and e["why_en"] for e in entries)


def test_k6_the_ceiling_of_a_contract_year(api, person):
    nip = person(kind="PPPK", nip=pppk())
    make.history(api, nip, "contract", {"number": "1/2024"}, "2024-03-01", to="2026-03-01")
    make.course(api, nip, "2025-02-28", form="B3", jp=30)
    make.course(api, nip, "2025-03-01", form="B3", jp=5)
    first, second = hours(api, nip, "?year=2024"), hours(api, nip)
    assert (first["from"], first["until"], first["basis"], first["total_jp"]) == ("2024-03-01", "2025-03-01", "contract", 30)
    assert (first["counted_jp"], first["ceiling_jp"], first["above_jp"], first["is_above_ceiling"], first["floor_jp"]) == (24, 24, 6, True, None)
    assert (second["from"], second["total_jp"], second["is_above_ceiling"]) == ("2025-03-01", 5, False)
    assert hours(api, nip, "?on=2025-02-28") == first
    # A contract that ended where another begins is cut off there.
    make.history(api, nip, "contract", {"number": "2/2026"}, "2026-03-01", to="2031-03-01")
    assert (hours(api, nip, "?on=2026-02-01")["until"], hours(api, nip, "?on=2026-03-01")["from"]) == ("2026-03-01", "2026-03-01")


def test_an_entry_explains_itself(api, person):
    nip = person()
    make.course(api, nip, "2025-05-04", form="C1", amount=3, name="Coaching")
    make.course(api, nip, "2025-06-04", form="B3", minutes=899, is_abroad=True, name="Kursus singkat")
    make.course(api, nip, "2025-06-04", form="B3", jp=19, name="kursus  SINGKAT")
    coaching, first, second = sorted(api.get(f"/v1/asn/{nip}/learning-entries").json["data"], key=lambda e: (e["last_day"], -e["counted_jp"]))
    assert (coaching["jp"], coaching["counted_jp"], coaching["notes"], coaching["amount"], coaching["unit_jp"]) == (6, 4, ["month-most"], 3, 2)
    assert coaching["why_en"] == "3 session(s) × 2 = 6 JP; with what the month has already 4 JP count"
    assert coaching["why"] == "3 sesi × 2 = 6 JP; dengan yang sudah ada pada bulan itu dihitung 4 JP"
    both = {first["source_id"], second["source_id"]}
    assert second["notes"] == ["duplicate"] and second["duplicate_of"] == first["source_id"] and len(both) == 2
    assert first["why_en"] == "899 minutes are 19 whole JP of 45; 19 JP × 1.2 = 22.8 JP; abroad" and first["minutes"] == 899
    assert hours(api, nip)["total_jp"] == 26.8


def complete(api, enrolment_id, **body):
    api.post(f"/v1/enrolments/{enrolment_id}/attend")
    return api.post(f"/v1/enrolments/{enrolment_id}/complete", {"result": "passed", **body}).json


def test_a_training_of_ours_and_its_certificate_count_once(api, person):
    nip = person()
    session = make.session(api, make.programme(api, name="Pelatihan Rangkap", jp=15)["id"], start=-1, length=2)
    make.course(api, nip, session["starts_on"], name="Pelatihan rangkap", form="B3", jp=18)
    assert hours(api, nip, f"?on={session['ends_on']}")["total_jp"] == 18
    enrolment = make.enrol(api, session["id"], nip)
    told = hours(api, nip, f"?on={session['ends_on']}")
    assert (told["total_jp"], told["forecast_jp"]) == (18, 0), "what is to come would count nothing new"
    complete(api, enrolment["id"])
    assert hours(api, nip, f"?on={session['ends_on']}")["total_jp"] == 15, "what was held here goes before a certificate"
    [twin] = [e for e in api.get(f"/v1/asn/{nip}/learning-entries?source=course").json["data"] if e["notes"] == ["duplicate"]]
    assert twin["duplicate_of"] == enrolment["id"]


def test_what_is_sure_to_come_is_forecast(api, person):
    nip = person()
    session = make.session(api, make.programme(api, form="B7", jp=10)["id"], start=400, length=3)
    enrolment = make.enrol(api, session["id"], nip)
    at = f"?on={session['ends_on']}"
    told = hours(api, nip, at)
    assert (told["total_jp"], told["forecast_jp"], told["is_floor_met"], told["is_floor_in_sight"]) == (0, 15, False, False)
    assert [e["is_forecast"] for e in api.get(f"/v1/asn/{nip}/learning-entries").json["data"]] == [True]
    assert api.get(f"/v1/asn/{nip}/learning-entries?is_forecast=false").json["data"] == []
    make.terms(api, session["id"], is_abroad=True)
    assert hours(api, nip, at)["forecast_jp"] == 21
    assert hours(api, nip, at)["is_floor_in_sight"] is True
    api.post(f"/v1/enrolments/{enrolment['id']}/cancel")
    assert hours(api, nip, at)["forecast_jp"] == 0


def test_terms_of_a_session_change_what_was_passed(api, person):
    nip = person()
    session = make.session(api, make.programme(api, form="C11", jp=8)["id"], start=-1, length=2)
    complete(api, make.enrol(api, session["id"], nip)["id"])
    at, path = f"?on={session['ends_on']}", f"/v1/sessions/{session['id']}/terms"
    assert hours(api, nip, at)["total_jp"] == 20
    assert make.terms(api, session["id"], is_abroad=True, amount=2, reason="Di luar negeri")["version"] == 2
    assert hours(api, nip, at)["total_jp"] == 48
    api.put(path, {"is_abroad": False, "reason": "Salah"}, etag='"1"', expect=412)
    api.put(path, {"reason": "Di dalam negeri"}, etag='"2"')
    assert hours(api, nip, at)["total_jp"] == 20


def test_what_is_void_or_corrected_counts_no_more(api, person):
    nip = person()
    row = make.course(api, nip, "2025-05-04", form="B3", jp=10)
    path = f"/v1/asn/{nip}/history/{row['id']}"
    api.put(path, {"kind": "course", "from": "2024-05-04", "facts": {"name": "Kursus", "form": "B3", "jp": 12}, "reason": "Salah tahun"}, etag=make.tag(api, path))
    assert (hours(api, nip)["total_jp"], hours(api, nip, "?year=2024")["total_jp"]) == (0, 12)
    api.post(f"{path}/annul", {"reason": "Bukan miliknya"}, headers={"If-Match": make.tag(api, path)})
    assert hours(api, nip, "?year=2024")["total_jp"] == 0


def test_merged_people_have_one_ledger(api, person):
    gone, heir = person(), person()
    make.course(api, gone, "2025-05-04", form="B3", jp=10, organiser="LAN", certificate_number="1")
    make.course(api, heir, "2025-05-04", form="B3", jp=10, organiser="LAN", certificate_number="1")
    make.course(api, gone, "2025-06-04", form="B3", jp=4)
    api.post(f"/v1/asn/{gone}/merge", {"into": heir, "reason": "Terdaftar dua kali"})
    assert hours(api, heir)["total_jp"] == 14
    api.post(f"/v1/asn/{gone}/unmerge", {"reason": "Ternyata orang lain"})
    assert (hours(api, heir)["total_jp"], hours(api, gone)["total_jp"]) == (10, 14)


def test_another_table_from_a_day_on(api, person, sql):
    """Rows of the reference list are the table, by the day on which a training ended."""
    nip = person()
    make.course(api, nip, "2025-05-04", form="C8", amount=1)
    make.course(api, nip, "2026-05-04", form="C8", amount=1)
    assert (hours(api, nip)["total_jp"], hours(api, nip, "?year=2026")["total_jp"]) == (20, 20)
    sql("BEGIN; SET CONSTRAINTS reference_once_a_day DEFERRED;"
        "UPDATE reference SET valid = daterange(NULL, '2026-01-01') WHERE list = 'training-form' AND code = 'C8';"
        "INSERT INTO reference (list, code, valid, name, seq, facts, source) SELECT list, code, daterange('2026-01-01', NULL), name, seq,"
        " facts || '{\"jp_national\": 30}', source FROM reference WHERE list = 'training-form' AND code = 'C8'; COMMIT")
    assert (hours(api, nip)["total_jp"], hours(api, nip, "?year=2026")["total_jp"]) == (20, 30)


def test_certificates_entered_at_once_count_once(api, daemon, person):
    """Two who do not see each other's row yet: the second waits for the person, and then sees it."""
    nip = person()
    facts = {"form": "B3", "jp": 3, "organiser": "LAN", "certificate_number": "9"}
    gate = threading.Barrier(6)

    def enter(n):
        client = api.as_key(api.key)
        gate.wait()
        make.history(client, nip, "course", {"name": f"Kursus {n}", **facts}, "2025-05-04")
    threads = [threading.Thread(target=enter, args=(n,)) for n in range(6)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert len(api.get(f"/v1/asn/{nip}/learning-entries").json["data"]) == 6
    assert hours(api, nip)["total_jp"] == 3


# ── lists ──

@pytest.fixture(scope="module")
def offices(api):
    """Two units below one, five people with 0, 12, 20, 25 JP (a fifth of it magang) and one PPPK with 30."""
    top = make.unit(api, kind="dinas")
    left, right = make.unit(api, parent=top["id"]), make.unit(api, parent=top["id"])
    people = {}
    for unit, name, jp in ((left, "none", 0), (left, "some", 12), (right, "enough", 20), (right, "more", 5)):
        people[name] = make.person(api, unit["id"])["nip"]
        if jp:
            make.course(api, people[name], "2025-05-04", form="B3", jp=jp)
    make.course(api, people["more"], "2025-05-04", form="C11", amount=1)
    people["pppk"] = make.person(api, left["id"], kind="PPPK", nip=pppk())["nip"]
    make.history(api, people["pppk"], "contract", {"number": "1"}, "2025-02-01", to="2027-02-01")
    make.course(api, people["pppk"], "2026-01-31", form="B3", jp=30)
    return {"top": top, "left": left, "right": right, "people": people}


def test_who_is_short_and_by_how_much(api, offices):
    base, people = f"/v1/reports/learning-hours?year=2025&under={offices['top']['id']}", offices["people"]
    short = api.get(f"{base}&standing=short").json["data"]
    assert {r["nip"]: r["short_jp"] for r in short} == {people["none"]: 20, people["some"]: 8}
    assert {r["nip"] for r in api.get(f"{base}&standing=met").json["data"]} == {people["enough"], people["more"]}
    [above] = api.get(f"{base}&standing=above").json["data"]
    assert (above["nip"], above["above_jp"], above["counted_jp"], above["from"]) == (people["pppk"], 6, 24, "2025-02-01")
    rows, _ = api.walk(f"{base}&sort=unit&limit=2")
    assert {r["nip"] for r in rows} == set(people.values())
    table = list(csv.DictReader(io.StringIO(api.get(f"{base}&standing=short", headers={"Accept": "text/csv"}).text.removeprefix("\ufeff"))))
    assert [(r["nip"], r["short_jp"]) for r in table] == [(r["nip"], str(r["short_jp"])) for r in short]
    assert api.get(f"{base}&standing=short", headers={"Accept": XLSX}).bytes[:2] == b"PK"


def test_attainment_adds_up_the_tree(api, offices, keys):
    rows = {r["unit_id"]: r for r in api.get(f"/v1/reports/learning-attainment?year=2025&under={offices['top']['id']}").json["data"]}
    top, left, right = (rows[offices[n]["id"]] for n in ("top", "left", "right"))
    assert (left["people"], left["met"], left["percent"], left["short_jp"]) == (2, 0, 0, 28)
    assert (right["people"], right["met"], right["percent"], right["total_jp"]) == (2, 2, 100, 45)
    assert (top["people"], top["met"], top["percent"], top["total_jp"], top["mean_jp"]) == (4, 2, 50, 57, 14.25)
    assert (top["work_jp"], top["others_jp"], top["class_jp"], top["work_percent"], top["class_percent"]) == (20, 0, 37, 35.09, 64.91)
    ours = api.as_key(keys("training.read", units=(offices["left"]["code"],)))
    assert {r["unit_id"] for r in ours.get("/v1/reports/learning-attainment?year=2025").json["data"]} == {offices["left"]["id"]}
    assert {r["nip"] for r in ours.get("/v1/reports/learning-hours?year=2025").json["data"]} == {offices["people"][n] for n in ("none", "some", "pppk")}
    nip = offices["people"]["more"]
    ours.get(f"/v1/asn/{nip}/learning-hours/recount", expect=404)
    ours.get(f"/v1/asn/{nip}/learning-entries", expect=404)


def test_floors_and_ceilings_are_told(api):
    rules = {r["kind"]: r for r in api.get("/v1/learning-rules").json["data"]}
    assert (rules["PNS"]["floor_jp"], rules["PPPK"]["ceiling_jp"]) == (20, 24)


BAD_TERMS = {
    "an-amount-of-nothing": ({"amount": 0}, "/amount"),
    "a-cost-below-nothing": ({"cost_per_head": -1}, "/cost_per_head"),
    "a-line-that-is-not-there": ({"cost_per_head": 1, "budget_line_id": "0190ffff-ffff-7fff-bfff-ffffffffffff"}, "/budget_line_id"),
    "committed-by-something": ({"commits": "hope"}, "/commits"),
    "more-than-is-kept": ({"cost_per_head": 1.001}, "/cost_per_head"),
}


@pytest.mark.parametrize("case", BAD_TERMS.keys())
def test_faulty_terms_are_refused(case, api):
    members, pointer = BAD_TERMS[case]
    session = make.session(api)
    assert pointer in api.put(f"/v1/sessions/{session['id']}/terms", members, etag="*", expect=(409, 422)).faults


# ── the slow recount ── written from docs/learning-hours.md, not from the code: lists instead of windows, days instead of years

TABLE = {  # code: counted by, home, abroad, share
    "A1": ("semester", 20, 20, 10), "A2": ("semester", 20, 20, 10), "B1": ("jp", 1, 1, 10), "B6": ("hari", 4, 6, 10), "B7": ("hari", 5, 7, 10), "B11": ("hari", 4, 6, 10),
    "C1": ("sesi", 2, 4, 20), "C2": ("sesi", 2, 4, 20), "C3": ("hari", 3, 4, 10), "C5": ("kegiatan", 20, 24, 70), "C7": ("kegiatan", 10, 20, 20),
    "C9": ("hari", 2, F(12, 5), 10), "C10": ("hari", 2, F(12, 5), 20), "C11": ("kegiatan", 20, 24, 70),
    **{code: ("jp", 1, F(6, 5), 10) for code in ("B2", "B3", "B4", "B5", "B8", "B9", "B10", "C4", "C6")},
}
UP_TO = {"C3": 1, "C9": F(6, 5), "C10": F(6, 5)}
DAY = timedelta(days=1)


def fold(text):
    return "".join(c for c in (text or "").lower() if c.isalnum())


def paper(text):
    """Letters and digits, but that digits never run into digits; "Nomor" before them is no part of it."""
    words = "".join(c if c.isalnum() else " " for c in (text or "").lower()).split()
    if len(words) > 1 and words[0] in ("no", "nomor", "nomer"):
        words = words[1:]
    told = ""
    for word in words:
        told += (" " if told and told[-1].isdigit() and word[0].isdigit() else "") + word
    return told


def worth(t):
    jp = t["minutes"] // 45 if t.get("minutes") else t.get("jp")
    if t.get("form") is None:
        return F(jp or 0)
    unit, home, abroad, _ = TABLE[t["form"]]
    one = F(abroad if t.get("is_abroad") else home)
    amount = t.get("amount")
    if amount is None and unit == "hari" and t["ends_told"]:
        amount = (t["last"] - t["first"]).days + 1
    elif amount is None and t["is_ours"]:
        amount = 1
    if unit == "jp":
        return (jp or 0) * one
    if t["form"] in UP_TO:
        most = F(amount if amount is not None else 1) * one
        return most if jp is None else min(most, jp * (F(UP_TO[t["form"]]) if t.get("is_abroad") else 1))
    return F(jp) if amount is None and jp is not None else F(amount if amount is not None else 1) * one


def same(a, b):
    if a.get("certificate_number") and b.get("certificate_number"):
        return (paper(a.get("organiser")), paper(a["certificate_number"])) == (paper(b.get("organiser")), paper(b["certificate_number"]))
    return fold(a["name"]) == fold(b["name"]) and a["first"] == b["first"]


def birthday(origin, year):
    return date(year, origin.month, min(origin.day, calendar.monthrange(year, origin.month)[1]))


def year_of(who, day):
    """(first day, first day after), day by day rather than by arithmetic."""
    if who["kind"] == "PNS":
        return date(day.year, 1, 1), date(day.year + 1, 1, 1)
    holds = [c for c in who["contracts"] if c[0] <= day < c[1]]
    origin, end = (holds[0][0], holds[0][1]) if holds else (who["appointed"], date.max)
    first = day
    if origin > day:
        first, last = date(day.year, 1, 1), date(day.year + 1, 1, 1)
    else:
        while birthday(origin, first.year) != first:
            first -= DAY
        last = min(birthday(origin, first.year + 1), end)
    if not holds:  # not into a contract, on either side
        first = max([first, *(c[1] for c in who["contracts"] if c[1] <= day)])
        last = min([last, *(c[0] for c in who["contracts"] if c[0] > day)])
    return first, last


def recount(who):
    """First day of the year → JP."""
    total, counted = defaultdict(F), []
    for t in sorted((t for t in who["trainings"] if t["last"] <= make.today()), key=lambda t: (not t["is_ours"], t["last"], t["id"])):
        value = worth(t)
        if any(same(t, other) for other, _ in counted):
            counted.append((t, None))
            continue
        if t.get("form") in ("C1", "C2") and not t.get("is_abroad"):
            before = sum(v for o, v in counted if v is not None and o.get("form") == t["form"] and not o.get("is_abroad")
                         and (o["last"].year, o["last"].month) == (t["last"].year, t["last"].month))
            gained = min(value, max(F(0), 4 - before))
        else:
            gained = value
        counted.append((t, value))
        total[year_of(who, t["last"])[0]] += gained
    return total


def random_training(chance):
    first = date(2023, 1, 1) + timedelta(days=chance.randrange(1500)) if chance.random() > 0.15 else chance.choice([date(2024, 2, 29), date(2024, 2, 28), date(2025, 2, 28)])
    t = {"name": chance.choice(["Kursus Arsip", "kursus-arsip", "Seminar", "Magang", f"Kursus {chance.randrange(40)}"]), "form": chance.choice([None, *TABLE])}
    if chance.random() < 0.3:
        t["form"] = chance.choice(["C1", "C2", "C3", "C9", "C10"])
        first = date(2025, chance.randint(1, 3), chance.randint(1, 28))
    if chance.random() < 0.5:
        t["amount"] = chance.choice([1, 2, 3, 0.5, 1.25, 7])
    if chance.random() < 0.6:
        t["jp"] = chance.choice([0, 1, 3, 8, 24, 120])
    elif chance.random() < 0.5:
        t["minutes"] = chance.choice([1, 44, 45, 89, 899, 960, 5000])
    if chance.random() < 0.3:
        t["is_abroad"] = True
    if chance.random() < 0.4:
        t["organiser"] = chance.choice(["LAN", "lan", "BPSDM", "LAN RI", "L.A.N. R.I.", "Lan-R.I"])
        t["certificate_number"] = chance.choice(["1/2025", "1 / 2025", "2/2025", "No. 1/2025", "NOMOR: 1 2025", "12025", "12/PD/2025", "12 P.D. 2025", "12PD2025",
                                                 "1/2PD/2025", f"{chance.randrange(30)}/X"])
    t["ends_told"] = chance.random() < 0.6
    t["first"] = first
    t["last"] = first + timedelta(days=chance.choice([0, 0, 1, 2, 9, 40])) if t["ends_told"] else first
    if chance.random() < 0.05:
        t["form"] = None
    if t["form"] is None:
        del t["form"]
    return t


def random_person(chance, api, office):
    kind = chance.choice(["PNS", "PNS", "PPPK"])
    appointed = chance.choice([date(2024, 2, 29), date(2021, 1, 1), date(2022, 12, 31), date(2023, 7, 15)])
    nip = make.person(api, office["id"], kind=kind, appointed_on=appointed.isoformat(), **({"nip": pppk_of(chance, appointed)} if kind == "PPPK" else {}))["nip"]
    who = {"nip": nip, "kind": kind, "appointed": appointed, "contracts": [], "trainings": []}
    if kind == "PPPK" and chance.random() < 0.7:
        starts = chance.choice([appointed, date(2024, 2, 29), date(2024, 5, 2)])
        if starts >= appointed:
            ends = chance.choice([date(2025, 2, 28), date(2026, 1, 1), date(2027, 5, 2)])
            make.history(api, nip, "contract", {"number": "1"}, starts.isoformat(), to=ends.isoformat())
            who["contracts"].append((starts, ends))
            if chance.random() < 0.5:
                make.history(api, nip, "contract", {"number": "2"}, ends.isoformat(), to="2031-01-01")
                who["contracts"].append((ends, date(2031, 1, 1)))
    return who


def take_part(chance, sql, who):
    """A training of ours that was passed, written into the tables on its day; the API would have us wait for it."""
    t = {"is_ours": True, "ends_told": True, "name": chance.choice(["Kursus Arsip", f"Pelatihan {make.number()}"]), "form": chance.choice(list(TABLE)),
         "jp": chance.choice([1, 8, 24]), "id": str(uuid.uuid4())}
    while "first" not in t or any(o["is_ours"] and o["first"] <= t["last"] and t["first"] <= o["last"] for o in who["trainings"]):  # nobody is in two at one hour
        t["first"] = date(2023, 1, 1) + timedelta(days=chance.randrange((make.today() - date(2023, 1, 1)).days + 1))
        t["last"] = t["first"] + timedelta(days=chance.choice([0, 1, 4]))
    if chance.random() < 0.5:
        t |= {"is_abroad": chance.random() < 0.5, "amount": chance.choice([1, 2, 1.5] if t["last"] > t["first"] else [1, 0.5])}
    session, programme = str(uuid.uuid4()), str(uuid.uuid4())
    sql(f"""BEGIN; SET LOCAL asnd.today = '{t["first"]}';
        INSERT INTO programme (id, code, name, form, family, jp, organiser) VALUES ('{programme}', '{programme[:20]}', '{t["name"]}', '{t["form"]}', 'teknis', 24, 'Uji');
        INSERT INTO session (id, programme_id, title, starts_on, ends_on, capacity) VALUES ('{session}', '{programme}', 'Uji', '{t["first"]}', '{t["last"]}', 1);
        INSERT INTO enrolment (id, session_id, asn_id, state) SELECT '{t["id"]}', '{session}', a.id, 'approved' FROM asn a WHERE a.nip = '{who["nip"]}';
        UPDATE enrolment SET state = 'attending' WHERE id = '{t["id"]}'; UPDATE enrolment SET state = 'passed', jp = {t["jp"]} WHERE id = '{t["id"]}'; COMMIT""")
    sql("SELECT history_show_today()")  # on its day some of its last days were still to come
    if "amount" in t:
        sql(f"INSERT INTO session_term (session_id, is_abroad, amount, reason) VALUES ('{session}', {t['is_abroad']}, {t['amount']}, 'Uji')")
    return t


def write_down(chance, api, who):
    """A certificate from elsewhere."""
    t = random_training(chance)
    facts = {k: v for k, v in t.items() if k in ("name", "form", "jp", "minutes", "amount", "is_abroad", "organiser", "certificate_number")}
    until = {"to": (t["last"] + DAY).isoformat()} if t["ends_told"] else {}
    return t | {"is_ours": False, "id": make.history(api, who["nip"], "course", facts, t["first"].isoformat(), **until)["id"]}


def pppk_of(chance, appointed):
    return f"19950520{appointed.year}212{make.number() % 900 + 50:03d}"


def test_the_ledger_equals_a_slow_recount(api, office, sql):
    print("ASND_TEST_SEED =", SEED)
    chance = random.Random(SEED)
    compared = 0
    for _ in range(25):
        who = random_person(chance, api, office)
        for _ in range(chance.randint(1, 12)):
            t = take_part(chance, sql, who) if chance.random() < 0.3 else write_down(chance, api, who)
            t["amount"] = F(str(t["amount"])) if "amount" in t else None
            who["trainings"].append(t)
        expected = recount(who)
        entries = api.get(f"/v1/asn/{who['nip']}/learning-entries?limit=1000").json["data"]
        assert len(entries) == len(who["trainings"])
        for first in {date.fromisoformat(e["period_from"]) for e in entries} | set(expected):
            told = hours(api, who["nip"], f"?on={first}")
            assert (told["from"], told["until"]) == tuple(d.isoformat() for d in year_of(who, first))
            assert F(str(told["total_jp"])) == expected[first], (who, told, expected)
            compared += 1
    assert compared > 40


def test_the_ledger_in_the_tables_is_what_it_would_be_made_anew(api, database):
    """Whatever the tests above did, in whatever order: triggers kept every row."""
    with postgres.connected(database) as connection, connection.cursor() as cursor:
        cursor.execute("""SELECT count(*) FROM
                              (SELECT (c.entry).* FROM (SELECT array_agg(id) AS ids FROM asn) a, learning_count(a.ids) c WHERE NOT c.is_forecast) n
                          FULL JOIN learning_entry e USING (source, source_id)
                          WHERE  n.asn_id IS NULL OR e.asn_id IS NULL OR n.counted_jp <> e.counted_jp OR n.period_from <> e.period_from OR n.notes <> e.notes""")
        assert cursor.fetchone() == (0,)
