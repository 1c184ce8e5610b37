# SPDX-License-Identifier: Apache-2.0
"""Histories from files: every kind, judged as the API judges one, the same file twice, and what is refused."""
import json
import random
import re
from pathlib import Path

import pytest

from support import contract as contracts
from support import make

CONTRACT = contracts.load().document

# kind → columns and a row's cells behind nip, kind and from, and the facts that they make
KINDS = {
    "appointment": ("appointment", "PPPK", {"kind": "PPPK"}),
    "rank": ("golongan,service_years,service_months,credit", "III/b,4,2,100.5", {"rank": "III/b", "service_years": 4, "service_months": 2, "credit": 100.5}),
    "position": ("assignment,position_kind,position,echelon", "definitif,struktural,Kepala Seksi,IV.a",
                 {"assignment": "definitive", "position_kind": "struktural", "position": "Kepala Seksi", "echelon": "41"}),
    "placement": ("unit_code", "{unit}", None),
    "education": ("tingkat pendidikan,jurusan,nama sekolah,tanggal lulus", "S-1,Hukum,Universitas Contoh,01-08-2012",
                  {"level": "40", "field": "Hukum", "school": "Universitas Contoh", "graduated_on": "2012-08-01"}),
    "title": ("title_back", "S.H.", {"title_back": "S.H."}),
    "status": ("kedudukan hukum id", "3", {"legal_status": "03"}),
    "service": ("years,months,basis", "4,3,golongan", {"years": 4, "months": 3, "basis": "golongan"}),
    "credit": ("total", "112.5", {"total": 112.5}),
    "course": ("name,form,jp,amount,menit,luarnegeri", "Bimtek Arsip,Bimbingan teknis,24,1.5,900,ya",
               {"name": "Bimtek Arsip", "form": "B10", "jp": 24, "amount": 1.5, "minutes": 900, "is_abroad": True}),
    "performance": ("regime,year,results,behaviour", "skp_2022,2023,expected,above",
                    {"regime": "skp_2022", "year": 2023, "results": "expected", "behaviour": "above"}),
    "discipline": ("discipline_level,violation", "ringan,Terlambat", {"level": "ringan", "violation": "Terlambat"}),
    "award": ("award,year", "{award},2020", None),
    "leave": ("grounds", "Sakit", {"grounds": "Sakit"}),
    "study": ("education_level,funding", "45,beasiswa", {"level": "45", "funding": "beasiswa"}),
    "transfer": ("direction,agency", "in,Kabupaten Contoh", {"direction": "in", "agency": "Kabupaten Contoh"}),
    "contract": ("to,number", "2021-01-01,PK.1", {"number": "PK.1"}),
    "nip": ("new_nip", "{nip}", None),
    "pay": ("rank,service_years", "III/a,4", {"rank": "III/a", "service_years": 4}),
}


def send(api, text, **headers):
    return api("POST", "/v1/history/import", data=text.encode(), headers={"Content-Type": "text/csv", **headers}, expect=200).json


def counts(report):
    return tuple(report[k] for k in ("rows", "created", "updated", "unchanged", "refused"))


@pytest.fixture()
def person(api, office):
    return make.person(api, office["id"])


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_comes_in_and_a_second_time_changes_nothing(kind, api, office, person):
    award = api.get("/v1/references/award-kind?limit=1").json["data"][0]["code"]
    assert set(KINDS) == set(CONTRACT["components"]["schemas"]["HistoryKind"]["enum"])
    columns, cells, facts = KINDS[kind]
    cells = cells.format(unit=office["code"], award=award, nip=make.nip())
    text = f"nip,kind,from,nomor sk,{columns}\n{person['nip']},{kind},01-03-2019,800/1,{cells}\n"
    assert counts(send(api, text)) == (1, 1, 0, 0, 0)
    rows = [e for e in api.get(f"/v1/asn/{person['nip']}/history?kind={kind}").json["data"] if e["from"] == "2019-03-01"]
    assert [(e["source"], e["decree_number"]) for e in rows] == [("import", "800/1")]
    assert facts is None or rows[0]["facts"] == facts
    assert counts(send(api, text)) == (1, 0, 0, 1, 0)
    assert counts(send(api, text.replace("800/1", "800/2"))) == (1, 0, 1, 0, 0)
    [entry] = [e for e in api.get(f"/v1/asn/{person['nip']}/history?kind={kind}").json["data"] if e["from"] == "2019-03-01"]
    assert (entry["decree_number"], entry["reason"]) == ("800/2", "import")


def test_a_career_in_any_order_gives_one_line_of_days(api, person):
    rows = [("2019-04-01", "III/b"), ("2011-04-01", "II/c"), ("2023-04-01", "III/c"), ("2015-04-01", "III/a")]
    text = "nip,kind,from,rank\n" + "".join(f"{person['nip']},rank,{day},{rank}\n" for day, rank in rows)
    assert counts(send(api, text)) == (4, 4, 0, 0, 0)
    found = api.get(f"/v1/asn/{person['nip']}/history?kind=rank").json["data"]
    assert [(e["from"], e["until"], e["facts"]["rank"], e["version"]) for e in found] == [
        ("2011-04-01", "2015-04-01", "II/c", 1), ("2015-04-01", "2019-04-01", "III/a", 1), ("2019-04-01", "2023-04-01", "III/b", 1), ("2023-04-01", None, "III/c", 1)]
    assert api.get(f"/v1/asn/{person['nip']}").json["rank"] == "III/c"


def test_a_row_is_known_by_its_remote_id(api, person):
    send(api, f"nip,kind,from,rank,remote_id\n{person['nip']},rank,2019-04-01,III/a,R-{person['nip']}\n")
    assert counts(send(api, f"nip,kind,from,rank,remote_id\n{person['nip']},rank,2019-10-01,III/a,R-{person['nip']}\n")) == (1, 0, 1, 0, 0)
    assert [e["from"] for e in api.get(f"/v1/asn/{person['nip']}/history?kind=rank").json["data"]] == ["2019-10-01"]


FAULTS = [
    ("kind,from,rank", "rank,1980-01-01,III/a", "from", "before-birth"), ("kind,from,rank", "rank,2019-01-01,III/z", "rank", "code-unknown"),
    ("kind,from,jp,name", "course,2019-01-01,banyak,Bimtek", "jp", "type"), ("kind,from,rank", "course,2019-01-01,III/a", "rank", "unknown-member"),
    ("kind,from,name", "hobi,2019-01-01,X", "kind", "kind-unknown"), ("kind,from,unit_code", "placement,2019-01-01,TIDAK-ADA", "unit_code", "reference-missing"),
    ("kind,from,rank", "rank,31/31/2019,III/a", "from", "date-impossible"), ("kind,from,to,number", "contract,2019-01-01,,PK", "to", "required"),
    ("kind,from,to,number", "contract,2019-01-01,2019-01-01,PK", "to", "range-empty"), ("kind,from,to,grounds", "leave,2019-01-01,2018-12-31,Sakit", "to", "range-empty"),
    ("kind,from,rank", "rank,2019-01-01,IX", "rank", "rank-unknown"), ("kind,from,rank", "rank,2099-01-01,IX", "rank", "rank-unknown"),
]


@pytest.mark.parametrize("columns, cells, column, code", FAULTS)
def test_what_is_wrong_is_named_and_the_next_row_is_taken(columns, cells, column, code, api, person):
    text = f"nip,{columns}\n{person['nip']},{cells}\n"
    report = send(api, text + text.splitlines()[1].replace(person["nip"], make.nip()) + "\n")
    assert report["refused"] == 2
    assert (column, code) in {(f["column"], f["code"]) for f in report["faults"]}, report["faults"]
    assert report["rejects"]


# Every column of facts with a cell that is good somewhere.
CELLS = {
    "appointment": "PPPK", "rank": "III/b", "promotion_kind": "{promotion-kind}", "service_years": "4", "service_months": "2", "credit": "100.5", "is_demotion": "ya",
    "assignment": "definitif", "position_kind": "struktural", "position": "Kepala Seksi", "echelon": "IV.a", "functional_level": "{functional-level}", "unit_id": "{unit_id}",
    "unit_code": "{unit_code}", "education_level": "S-1", "field": "Hukum", "school": "Universitas Contoh", "graduated_on": "2012-08-01", "certificate_number": "C-1",
    "is_first": "ya", "title_front": "Dr.", "title_back": "S.H.", "legal_status": "3", "years": "4", "months": "3", "basis": "golongan", "main": "10", "additional": "2",
    "total": "12", "name": "Bimtek", "form": "B10", "organiser": "Badan Contoh", "jp": "24", "certificate_date": "2020-01-01", "minutes": "900", "amount": "1.5",
    "is_abroad": "ya", "regime": "skp_2022", "year": "2020", "value": "90", "results": "expected", "behaviour": "above", "predicate": "Baik", "assessor": "Penilai Uji",
    "discipline_level": "ringan", "punishment": "{discipline-kind}", "violation": "Terlambat", "award": "{award-kind}", "grounds": "Sakit", "funding": "beasiswa",
    "direction": "in", "agency": "Kabupaten Contoh", "number": "PK.1", "new_nip": "{nip}",
}
MEMBERS = {"appointment": "kind", "education_level": "level", "discipline_level": "level", "unit_code": "unit_id", "new_nip": "nip"}
ELSEWHERE = {("education_level", "discipline"), *(("discipline_level", kind) for kind in ("education", "study"))}  # the member is there by another column


def members_of(kind):
    """The facts that the contract knows of a kind."""
    return set(CONTRACT["components"]["schemas"]["History" + kind.capitalize()]["properties"]["facts"]["properties"])


def reasons(api, report):
    """Of each refused row its faults, from the rejects."""
    text = api.get(report["rejects"], headers={"Accept": "application/x-ndjson"}).text
    return [[(f["column"], f["code"]) for f in json.loads(line)["asnd_faults"]] for line in text.splitlines()]


def filled(cell, office, sql):
    if cell.startswith("{") and "-" in cell:
        return sql("SELECT code FROM reference WHERE list = %s AND valid @> '2019-03-01'::date ORDER BY seq LIMIT 1", (cell[1:-1],))[0][0]
    return cell.format(unit_id=office["id"], unit_code=office["code"], nip=make.nip())


@pytest.mark.parametrize("kind", KINDS)
def test_a_column_that_the_kind_does_not_have_is_named_as_it_was_written(kind, api, office, person, sql):
    strange = [c for c in CELLS if MEMBERS.get(c, c) not in members_of(kind) or (c, kind) in ELSEWHERE]
    assert len(strange) > 30
    head = ["nip", "kind", "from", *CELLS]
    rows = [",".join([person["nip"], kind, "2019-03-01", *(filled(CELLS[c], office, sql) if c == column else "" for c in CELLS)]) for column in strange]
    report = send(api, "\n".join([",".join(head), *rows]) + "\n")
    assert report["refused"] == len(strange)
    for column, found in zip(strange, reasons(api, report)):
        assert (column, "unknown-member") in found, (column, found)


def test_every_column_of_facts_is_tried():
    text = (Path(__file__).resolve().parents[2] / "src/asn/import_history.c").read_text()
    table = text[text.index("static const struct import_field fields[]"):text.index("static const struct fact facts[]")]
    named = set(re.findall(r'(?:_OF\(|\{)"(\w+)"', table)) - {"nip", "kind", "from", "to", "decree_number", "decree_date", "decree_signatory", "source", "remote_id", "note"}
    assert named == set(CELLS)


def test_a_code_that_does_not_hold_on_the_day_is_named_by_its_column(api, person, sql):
    """What the contract cannot know and the database refuses."""
    columns = {(MEMBERS.get(c, c), kind): c for c in CELLS for kind in KINDS if (c, kind) not in ELSEWHERE and MEMBERS.get(c, c) in members_of(kind)}
    tried = 0
    for kind, member, lists in sql("SELECT kind, member, array_agg(list) FROM history_code GROUP BY kind, member ORDER BY kind, member"):
        if (kind, member) == ("appointment", "kind"):  # the contract has these written out
            continue
        code = str(980 + tried)
        sql("INSERT INTO reference (list, code, name, valid, source) VALUES (%s, %s, %s, '[2031-01-01,)', 'uji')",
            (lists[0], code, f"Kode Uji {tried}"))
        column = columns[member, kind]
        needed = {"position": {"assignment": "definitif", "position_kind": "fungsional", "position": "Staf"}, "course": {"name": "Bimtek"}, "pay": {"service_years": "4"},
                  "rank": {"rank": "III/b"}, "discipline": {"discipline_level": "ringan"}, "award": {"year": "2019"}}.get(kind, {})
        row = {"nip": person["nip"], "kind": kind, "from": "2019-03-01", **needed, column: code}
        report = send(api, ",".join(row) + "\n" + ",".join(row.values()) + "\n")
        assert [(f["column"], f["code"]) for f in report["faults"]] == [(column, "code-unknown")], (kind, member, report)
        tried += 1
    assert tried >= 10


@pytest.mark.parametrize("number, code", [("taken", "nip-taken"), ("197002301990031001", "invalid")])
def test_a_number_that_cannot_be_is_named_by_its_column(number, code, api, office, person):
    cell = make.person(api, office["id"])["nip"] if number == "taken" else number
    report = send(api, f"nip,kind,from,new_nip\n{person['nip']},nip,2019-03-01,{cell}\n")
    assert [(f["column"], f["code"]) for f in report["faults"]] == [("new_nip", code)]


def test_a_unit_is_named_by_the_column_that_told_it(api, person):
    for column, cell in (("unit_id", "01890000-0000-7000-8000-000000000001"), ("unit_code", "TIDAK-ADA")):
        report = send(api, f"nip,kind,from,{column}\n{person['nip']},placement,2019-03-01,{cell}\n")
        assert [(f["column"], f["code"], f["value"], f.get("suggestion")) for f in report["faults"]] == [(column, "reference-missing", cell, None)]


def test_a_code_that_nothing_has_suggests_what_may_have_been_meant(api, keys, person):
    unit = make.unit(api, code=f"MJU-RSUD-{make.number()}", kind="dinas")
    code = unit["code"]
    slips = [code.lower(), code.replace("-", " - "), code.replace("RSUD", "RSDU"), code.replace("RSUD", "RSD"), code.replace("RSUD", "RSSUD"), code.replace("RSUD", "RSUB")]
    lines = "".join(f"{person['nip']},placement,{2010 + n}-03-01,{slip},,\n" for n, slip in enumerate(slips))
    text = f"nip,kind,from,unit_code,rank,tingkat pendidikan\n{lines}{person['nip']},rank,2019-04-01,,IIIa,\n"
    found = {f["value"]: f.get("suggestion") for f in send(api, text)["faults"]}
    assert {slip: code for slip in slips}.items() <= found.items() and found["IIIa"] == "III/a", found
    elsewhere = make.unit(api, kind="dinas")
    theirs = api.as_key(keys("import.write", "asn.write", units=(elsewhere["code"],)))
    mine = make.person(api, elsewhere["id"])
    report = send(theirs, f"nip,kind,from,unit_code\n{mine['nip']},placement,2019-03-01,{slips[0]}\n")
    assert [f.get("suggestion") for f in report["faults"]] == [None], "a unit of others"


def test_nobody_elses_people_and_no_discipline_without_the_scope(api, keys, office, person):
    theirs = api.as_key(keys("import.write", "asn.write", units=(make.unit(api, kind="dinas")["code"],)))
    report = send(theirs, f"nip,kind,from,rank\n{person['nip']},rank,2019-04-01,III/a\n")
    assert [(f["column"], f["code"]) for f in report["faults"]] == [("nip", "person-unknown")]
    plain = api.as_key(keys("import.write", "asn.write"))
    report = send(plain, f"nip,kind,from,discipline_level\n{person['nip']},discipline,2019-04-01,berat\n")
    assert [(f["column"], f["code"]) for f in report["faults"]] == [("kind", "forbidden")]


def test_what_the_record_refuses_is_the_fault_of_its_row_alone(api, office):
    """A rank of another kind of ASN is seen only when the record is written, after all rows of the batch."""
    one, two, three = (make.person(api, office["id"])["nip"] for _ in range(3))
    text = (f"nip,kind,from,to,rank,appointment,grounds\n{one},rank,2019-01-01,,IX,,\n{one},leave,2020-01-01,2021-01-01,,,Sakit\n{two},rank,2019-01-01,,III/a,,\n"
            f"{three},appointment,2019-01-01,,,PPPK,\n{three},rank,2019-01-01,,IX,,\n")
    report = send(api, text)
    assert counts(report) == (5, 4, 0, 0, 1)
    assert [(f["line"], f["column"], f["code"], f["value"]) for f in report["faults"]] == [(2, "rank", "rank-unknown", "IX")]
    assert [api.get(f"/v1/asn/{n}").json["rank"] for n in (one, two, three)] == [None, "III/a", "IX"]
    assert counts(send(api, text)) == (5, 0, 0, 4, 1)


def test_another_kind_of_asn_needs_its_rank(api, office):
    nip = make.person(api, office["id"], rank="III/a")["nip"]
    lone = send(api, f"nip,kind,from,appointment\n{nip},appointment,2019-01-01,PPPK\n")
    assert [(f["line"], f["column"], f["code"], f["value"]) for f in lone["faults"]] == [(2, "appointment", "rank-unknown", "PPPK")]


def test_of_days_to_come_too_another_kind_needs_its_rank(api, office):
    """Together they are taken, in whatever order; alone neither is."""
    nip, other = (make.person(api, office["id"], rank="III/a", rank_since="2020-01-01")["nip"] for _ in range(2))
    rows = (f"{nip},appointment,2098-01-01,PPPK,\n", f"{nip},rank,2098-01-01,,IX\n", f"{other},rank,2098-01-01,,IX\n", f"{other},appointment,2098-01-01,PPPK,\n")
    head = "nip,kind,from,appointment,rank\n"
    for row, column, value in ((rows[0], "appointment", "PPPK"), (rows[1], "rank", "IX")):
        assert [(f["column"], f["code"], f["value"]) for f in send(api, head + row)["faults"]] == [(column, "rank-unknown", value)]
    assert counts(send(api, head + "".join(rows))) == (4, 4, 0, 0, 0)
    assert api.get(f"/v1/asn/{nip}?as_of=2098-01-01").json["rank"] == "IX"


def test_restricted_people_are_named_and_the_others_taken(api, keys, office):
    held, free = (make.person(api, office["id"])["nip"] for _ in range(2))
    make.restriction(api, held)
    unit_key = api.as_key(keys("asn.read", "asn.write", "import.write"))
    report = send(unit_key, f"nip,kind,from,name,jp\n{held},course,2020-01-01,Bimtek,3\n{free},course,2020-01-01,Bimtek,3\n")
    assert [(f["line"], f["column"], f["code"]) for f in report["faults"]] == [(2, "nip", "restricted")]
    assert counts(report) == (2, 1, 0, 0, 1)
    assert api.get(f"/v1/asn/{held}/history?kind=course").json["data"] == []


def test_refused_rows_come_back_and_can_be_mended(api, person):
    report = send(api, f"nip,kind,from,rank\n{person['nip']},rank,2019-04-01,III/z\n{person['nip']},rank,2015-04-01,II/c\n")
    assert counts(report) == (2, 1, 0, 0, 1)
    rejects = api.get(report["rejects"], headers={"Accept": "text/csv"}).text
    assert "III/z" in rejects and "code-unknown" in rejects
    assert counts(send(api, rejects.replace("III/z", "III/a"))) == (1, 1, 0, 0, 0)


def test_a_dry_run_stores_nothing(api, person, sql):
    before = sql("SELECT count(*), sum(version) FROM history")
    assert counts(send(api, f"nip,kind,from,rank\n{person['nip']},rank,2019-04-01,III/a\n", Prefer="dry-run")) == (1, 1, 0, 0, 0)
    assert sql("SELECT count(*), sum(version) FROM history") == before


RANKS = ["II/c", "II/d", "III/a", "III/b", "III/c", "III/d"]


def any_row(rng, office):
    year = rng.randint(2012, 2028)
    kind = rng.choice(["rank", "rank", "position", "placement", "course", "education", "leave", "appointment", "status"])
    row = {"kind": kind, "from": f"{rng.choice([year, year, 1985])}-{rng.choice([4, 10]):02d}-01", "decree_number": rng.choice(["", "800/1", "800/2"])}
    row.update({"rank": {"rank": rng.choice(RANKS + ["III/z"]), "is_demotion": rng.choice(["", "", "ya"])},
                "position": {"assignment": rng.choice(["definitive", "plt"]), "position_kind": "pelaksana", "position": f"Staf {rng.randint(1, 2)}",
                             "to": rng.choice(["", f"{year + 1}-12-01"]), "unit_code": rng.choice(["", office, "TIDAK-ADA"])},
                "placement": {"unit_code": rng.choice([office, office, "TIDAK-ADA"])}, "course": {"name": rng.choice(["Bimtek", "Kursus"]), "jp": "10"},
                "education": {"education_level": rng.choice(["30", "40"])}, "leave": {"grounds": "Sakit", "to": f"{year + 2}-01-01"},
                "appointment": {"appointment": rng.choice(["CPNS", "PNS"])}, "status": {"legal_status": rng.choice(["01", "02"])}}[kind])
    return row


@pytest.mark.parametrize("seed", range(4))
def test_a_file_comes_to_the_same_as_its_rows_one_by_one(seed, api, office):
    """Whole histories are stored at once where nothing is wrong with them, the others row by row; nobody can tell."""
    rng = random.Random(seed)
    head = ["nip", "kind", "from", "to", "rank", "is_demotion", "assignment", "position_kind", "position", "unit_code", "name", "jp", "education_level", "grounds",
            "appointment", "legal_status", "remote_id", "decree_number"]
    one, other = ([make.person(api, office["id"])["nip"] for _ in range(3)] for _ in range(2))
    seen, days = [], {}
    for _ in range(2):
        rows = told_once([{**any_row(rng, office["code"]), "who": rng.randrange(3), "remote": rng.choice([0, 0, 0, 1, 2])} for _ in range(40)], days)

        def line(row, people):
            nip = people[row["who"]]
            cells = {**row, "nip": nip, "remote_id": f"{row['kind']}-{nip}-{row['remote']}" if row["remote"] else ""}
            return ",".join(cells.get(h, "") for h in head) + "\n"

        whole = send(api, ",".join(head) + "\n" + "".join(line(r, one) for r in rows))
        order = sorted(rows, key=lambda r: (r["who"], r["kind"]))
        single = []
        for key in sorted({(r["who"], r["kind"]) for r in order}):
            for row in sorted((r for r in rows if (r["who"], r["kind"]) == key), key=lambda r: r["from"], reverse=True):
                single.append(send(api, ",".join(head) + "\n" + line(row, other)))
        assert counts(whole)[1:] == tuple(sum(counts(s)[i] for s in single) for i in range(1, 5))
        assert sorted((f["column"], f["code"]) for f in whole["faults"]) == sorted((f["column"], f["code"]) for s in single for f in s["faults"])
        seen.append(whole)
        for a, b in zip(one, other):
            assert shown(api, a) == shown(api, b)
    assert sum(s["created"] for s in seen) > 10 and sum(s["refused"] for s in seen) > 5


def told_once(rows, days):
    """Rows of which no two could be the same row of a history: in a file the second would be refused. days: on which day an id stood, in the files before too."""
    kept = {}
    for row in rows:
        kept.setdefault((row["who"], row["kind"], row["from"]), row)
    ids, found = set(), []
    for row in kept.values():
        key = (row["who"], row["kind"], row["remote"])
        if not row["remote"] or key not in ids:
            ids.add(key)
            found.append(row)
    moved = {(who, kind, days[who, kind, remote]) for who, kind, remote in ids if (who, kind, remote) in days}
    found = [r for r in found if r["remote"] or (r["who"], r["kind"], r["from"]) not in moved]
    days.update({(r["who"], r["kind"], r["remote"]): r["from"] for r in found if r["remote"]})
    return found


# A row, and what tells the same row otherwise: by its day and track, by its facts, by its id.
TWICE = {
    "day": ({"kind": "rank", "from": "2019-04-01", "rank": "III/a"}, {"rank": "III/b"}),
    "decree": ({"kind": "course", "from": "2019-04-01", "name": "Bimtek", "jp": "10", "decree_number": "800/1"}, {"decree_number": "800/2"}),
    "end": ({"kind": "leave", "from": "2019-04-01", "to": "2020-04-01", "grounds": "Sakit"}, {"to": "2020-05-01"}),
    "id": ({"kind": "rank", "from": "2019-04-01", "rank": "III/a", "remote_id": "R-{nip}"}, {"from": "2019-10-01"}),
    "id, later day first": ({"kind": "rank", "from": "2019-10-01", "rank": "III/a", "remote_id": "R-{nip}"}, {"from": "2019-04-01"}),
    "two ids of one day": ({"kind": "rank", "from": "2019-04-01", "rank": "III/a", "remote_id": "R-{nip}"}, {"remote_id": "S-{nip}"}),
    "id, elsewhere": ({"kind": "course", "from": "2019-04-01", "name": "Bimtek", "jp": "10", "remote_id": "R-{nip}"}, {"name": "Kursus"}),
}


def as_file(form, rows):
    """The same rows in either form."""
    if form == "ndjson":
        return "".join(json.dumps({k: v for k, v in row.items() if v}) + "\n" for row in rows), {"Content-Type": "application/x-ndjson"}
    head = sorted({k for row in rows for k in row})
    return ",".join(head) + "\n" + "".join(",".join(row.get(h, "") for h in head) + "\n" for row in rows), {}


@pytest.mark.parametrize("form", ["csv", "ndjson"])
@pytest.mark.parametrize("case", TWICE)
def test_a_row_that_a_file_tells_twice_is_taken_once(case, form, api, office, person, sql):
    """The first stands; the same once more changes nothing, another is refused by the line of the first; and the file again changes nothing."""
    first, changes = TWICE[case]
    first = {"nip": person["nip"], **{k: v.format(nip=person["nip"]) for k, v in first.items()}}
    second = {**first, **{k: v.format(nip=person["nip"]) for k, v in changes.items()}}
    line = 1 if form == "ndjson" else 2
    text, headers = as_file(form, [first, second, first])
    for seen in (False, True):
        report = send(api, text, **headers)
        assert counts(report) == ((3, 0, 0, 2, 1) if seen else (3, 1, 0, 1, 1)), report
        assert [(f["line"], f["column"], f["code"], f["value"]) for f in report["faults"]] == [(line + 1, "from", "duplicate-row", second["from"])]
        assert f" {line}." in report["faults"][0]["detail"]
        rows = api.get(f"/v1/asn/{person['nip']}/history?kind={first['kind']}").json["data"]
        assert [(r["from"], r["decree_number"], r["version"]) for r in rows] == [(first["from"], first.get("decree_number"), 1)]
    # What is stored and said again stands before what contradicts it; that one alone is a correction.
    text, headers = as_file(form, [second])
    assert counts(send(api, text, **headers))[:4] == (1, 0, 1, 0)


def test_what_is_told_twice_is_seen_however_far_behind(api, office):
    """Behind 5,000 rows, a batch, as well."""
    people = [make.person(api, office["id"])["nip"] for _ in range(2)]
    between = "".join(f"{people[1]},course,{2000 + n // 336}-{1 + n // 28 % 12:02d}-{1 + n % 28:02d},,Bimtek {n}\n" for n in range(5200))
    text = f"nip,kind,from,rank,name\n{people[0]},rank,2019-04-01,III/a,\n{between}{people[0]},rank,2019-04-01,III/b,\n{people[0]},rank,2019-04-01,III/a,\n"
    for created, unchanged in ((5201, 1), (0, 5202)):
        report = send(api, text)
        assert counts(report) == (5203, created, 0, unchanged, 1), report
        assert [(f["line"], f["code"]) for f in report["faults"]] == [(5203, "duplicate-row")] and report["faults"][0]["detail"].endswith(" 2.")


def test_who_was_refused_does_not_stand_for_the_row(api, person):
    """The first of two is no row: the second is."""
    report = send(api, f"nip,kind,from,rank\n{person['nip']},rank,2019-04-01,III/z\n{person['nip']},rank,2019-04-01,III/b\n")
    assert counts(report) == (2, 1, 0, 0, 1) and [(f["line"], f["code"]) for f in report["faults"]] == [(2, "code-unknown")]
    assert api.get(f"/v1/asn/{person['nip']}").json["rank"] == "III/b"


def test_an_id_that_a_second_row_adds_is_taken(api, person):
    text = f"nip,kind,from,rank,remote_id\n{person['nip']},rank,2019-04-01,III/a,\n{person['nip']},rank,2019-04-01,III/a,R-{person['nip']}\n"
    assert counts(send(api, text)) == (2, 1, 1, 0, 0)
    assert counts(send(api, text)) == (2, 0, 0, 2, 0)


@pytest.mark.parametrize("seed", range(4))
def test_any_file_a_second_time_changes_nothing(seed, api, office, sql):
    """However its rows contradict each other, move and repeat what is stored."""
    rng = random.Random(1000 + seed)
    people = [make.person(api, office["id"])["nip"] for _ in range(3)]
    for _ in range(2):
        rows = []
        for _ in range(40):
            row, nip = any_row(rng, office["code"]), rng.choice(people)
            remote = rng.choice([0, 0, 0, 1, 2])
            rows.append({**row, "nip": nip, "remote_id": f"{row['kind']}-{nip}-{remote}" if remote else ""})
        rows += rng.sample(rows, 5) + [{**row, "decree_number": "800/9"} for row in rng.sample(rows, 15)]
        text, headers = as_file("csv", rows)
        first = send(api, text, **headers)
        before = sql("SELECT count(*), sum(version) FROM history"), [shown(api, nip) for nip in people]
        again = send(api, text, **headers)
        assert counts(again) == (60, 0, 0, 60 - first["refused"], first["refused"]), (first, again)
        assert {(f["line"], f["code"]) for f in again["faults"]} == {(f["line"], f["code"]) for f in first["faults"]}
        assert (sql("SELECT count(*), sum(version) FROM history"), [shown(api, nip) for nip in people]) == before
        assert first["created"] + first["updated"] > 5 and "duplicate-row" in {f["code"] for f in first["faults"]}


def shown(api, nip):
    person = api.get(f"/v1/asn/{nip}").json
    rows = api.get(f"/v1/asn/{nip}/history?limit=1000").json["data"]
    return ([{k: v for k, v in person.items() if k in ("kind", "rank", "rank_since", "position", "unit_id", "legal_status", "education_level")}]
            + sorted(str({k: v for k, v in r.items() if k in ("kind", "from", "to", "until", "facts", "decree_number")} | {"remote": r["remote_id"] and r["remote_id"][-1]})
                     for r in rows))


def test_a_former_number_finds_the_person_and_what_follows_is_shown(api, person):
    new = make.nip()
    send(api, f"nip,kind,from,new_nip\n{person['nip']},nip,2024-01-01,{new}\n")
    assert counts(send(api, f"nip,kind,from,rank\n{person['nip']},rank,2019-04-01,III/a\n{person['nip']},rank,2023-04-01,III/b\n")) == (2, 2, 0, 0, 0)
    assert api.get(f"/v1/asn/{new}").json["rank"] == "III/b"


def test_anothers_remote_id_is_a_fault_of_its_row_alone(api, office, person):
    other = make.person(api, office["id"])
    remote = f"R-{person['nip']}"
    send(api, f"nip,kind,from,rank,remote_id\n{person['nip']},rank,2019-04-01,III/a,{remote}\n")
    report = send(api, f"nip,kind,from,rank,remote_id\n{other['nip']},rank,2019-04-01,III/a,{remote}\n{other['nip']},rank,2023-04-01,III/b,\n")
    assert counts(report) == (2, 1, 0, 0, 1)
    assert [(f["column"], f["code"], f["value"]) for f in report["faults"]] == [("remote_id", "remote-id-taken", remote)]
