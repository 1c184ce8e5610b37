# SPDX-License-Identifier: Apache-2.0
"""Histories from files: every kind, judged as the API judges one, the same file twice, and what is refused."""
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
    "course": ("name,form,jp", "Bimtek Arsip,Bimbingan teknis,24", {"name": "Bimtek Arsip", "form": "B10", "jp": 24}),
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
]


@pytest.mark.parametrize("columns, cells, column, code", FAULTS)
def test_what_is_wrong_is_named_and_the_next_row_is_taken(columns, cells, column, code, api, person):
    text = f"nip,{columns}\n{person['nip']},{cells}\n"
    report = send(api, text + text.splitlines()[1].replace(person["nip"], make.nip()) + "\n")
    assert report["refused"] == 2
    assert (column, code) in {(f["column"], f["code"]) for f in report["faults"]}, report["faults"]
    assert report["rejects"]


def test_nobody_elses_people_and_no_discipline_without_the_scope(api, keys, office, person):
    theirs = api.as_key(keys("import.write", "asn.write", units=(make.unit(api, kind="dinas")["code"],)))
    report = send(theirs, f"nip,kind,from,rank\n{person['nip']},rank,2019-04-01,III/a\n")
    assert [(f["column"], f["code"]) for f in report["faults"]] == [("nip", "person-unknown")]
    plain = api.as_key(keys("import.write", "asn.write"))
    report = send(plain, f"nip,kind,from,discipline_level\n{person['nip']},discipline,2019-04-01,berat\n")
    assert [(f["column"], f["code"]) for f in report["faults"]] == [("kind", "forbidden")]


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
