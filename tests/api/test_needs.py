# SPDX-License-Identifier: Apache-2.0
"""Needs: standards, assessments, gaps, plans and suggestions over HTTP; and a slow recount in Python of random people, which ranking and gaps must equal."""
import csv
import io
import os
import random
from collections import defaultdict
from datetime import date, timedelta
from fractions import Fraction as F

import pytest

from support import make
from support.client import XLSX
from test_race import all_at_once, poster

SEED = int(os.environ.get("ASND_TEST_SEED", 20260802))  # another one looks elsewhere
NINE = ["integritas", "kerja_sama", "komunikasi", "orientasi_hasil", "pelayanan_publik", "pengembangan_diri", "mengelola_perubahan", "pengambilan_keputusan", "perekat_bangsa"]
TODAY = make.today()
FAULT_PATH = "/v1/competency-assessments"


@pytest.fixture(scope="module")
def person(api, office):
    return lambda **members: make.person(api, office["id"], **{"position_kind": "pelaksana", "position": f"Jabatan {make.number()}", **members})


def gaps(api, nip, query=""):
    sheet = api.get(f"/v1/asn/{nip}/competency-gaps{query}").json
    return sheet, {c["competency"]: c for c in sheet["competencies"]}


# ── what posts require ──

LEVELS = [({"position_kind": "struktural", "position": "Kepala Dinas", "echelon": "22"}, "jpt_pratama", 4), ({"position_kind": "struktural", "position": "Camat", "echelon": "31"}, "administrator", 3),
          ({"position_kind": "struktural", "position": "Lurah", "echelon": "41"}, "pengawas", 2), ({"position": "Pengelola"}, "pelaksana", 1),
          ({"position_kind": "fungsional", "position": "Analis Ahli Madya"}, "ahli_madya", 4), ({"position_kind": "fungsional", "position": "Perawat Penyelia"}, "penyelia", 3),
          ({"position_kind": "fungsional", "position": "Pranata Terampil"}, "terampil", 1), ({"position_kind": "fungsional", "position": "Penata"}, None, None),
          ({"position_kind": "struktural", "position": "Staf Ahli"}, None, None)]


@pytest.mark.parametrize("members, level, required", LEVELS)
def test_each_level_of_position_requires_the_nine_on_its_level(members, level, required, api, person):
    sheet, found = gaps(api, person(**members)["nip"])
    assert sheet["position_level"] == level
    assert {c: found[c]["required"] for c in found} == (dict.fromkeys(NINE, required) if required else {})
    assert all(c["basis"] == "level" and (c["standing"], c["assessed"], c["gap"]) == ("missing", None, None) for c in found.values())
    assert (sheet["jpm"], sheet["band"], sheet["missing"]) == (None, None, len(found))


def test_the_nearest_standard_holds_and_of_that_the_newest(api, person, office):
    mine = person()
    nip, name = mine["nip"], mine["position"]
    of = {"position_kind": "pelaksana", "position": name.upper()}
    make.standard(api, **of, competency="komunikasi", level=3, valid_from="2020-01-01")
    make.standard(api, **of, competency="komunikasi", level=4, valid_from="2024-01-01", valid_until="2025-01-01")
    post = make.standard(api, **of, competency="komunikasi", level=5, valid_from="2025-06-01", unit_id=office["id"])
    elsewhere = make.unit(api)
    make.standard(api, **of, competency="komunikasi", level=2, valid_from="2025-06-01", unit_id=elsewhere["id"])
    make.standard(api, **of, competency="perekat_bangsa", level=0)
    make.standard(api, **{**of, "position_kind": "fungsional"}, competency="integritas", level=5)
    history = make.history(api, nip, "position", {"position_kind": "pelaksana", "position": name, "assignment": "definitive"}, "2019-01-01")
    assert history["id"]
    for day, level, basis in (("2019-12-31", 1, "level"), ("2023-12-31", 3, "position"), ("2024-12-31", 4, "position"), ("2025-01-01", 3, "position"),
                              ("2025-05-31", 3, "position"), ("2025-06-01", 5, "post")):
        found = gaps(api, nip, f"?as_of={day}")[1]
        assert (found["komunikasi"]["required"], found["komunikasi"]["basis"]) == (level, basis), day
    found = gaps(api, nip)[1]
    assert found["komunikasi"]["standard_id"] == post["id"] and found["integritas"]["required"] == 1
    assert "perekat_bangsa" not in found and len(found) == 8, "level 0 takes it away"


def test_a_technical_competency_is_a_row_of_the_list(api, person, keys):
    api("POST", "/v1/references/import", data=b"list,code,name,parent,valid_from,source\ncompetency-standard,teknis_arsip,Pengelolaan arsip,teknis,2020-01-01,uji\n",
        headers={"Content-Type": "text/csv"}, expect=200)
    mine = person()
    make.standard(api, position_kind="pelaksana", position=mine["position"], competency="teknis_arsip", level=2)
    make.assessment(api, mine["nip"], {"teknis_arsip": 1})
    row = gaps(api, mine["nip"])[1]["teknis_arsip"]
    assert (row["family"], row["name"], row["required"], row["assessed"], row["gap"], row["standing"]) == ("teknis", "Pengelolaan arsip", 2, 1, 1, "gap")


NOT_A_STANDARD = [
    ({"competency": "tidak_ada"}, 422, {"/competency": "reference-missing"}), ({"competency": "manajerial"}, 422, {"/competency": "reference-missing"}),
    ({"competency": "teknis_arsip", "valid_from": "2019-12-31"}, 422, {"/competency": "reference-missing"}),
    ({"position_level": "lurah", "position": None}, 422, {"/position_level": "reference-missing"}),
    ({"level": 6}, 422, {"/level": "too-large"}), ({"unit_id": "0190ffff-ffff-7fff-bfff-ffffffffffff"}, 422, {"/unit_id": "reference-missing"}),
    ({"valid_until": "2019-01-01"}, 422, {"/valid_until": "standard-days"}),
]


@pytest.mark.parametrize("members, status, faults", NOT_A_STANDARD)
def test_what_is_no_standard_is_refused(members, status, faults, api):
    body = {"position_kind": "pelaksana", "position": "Jabatan Salah", "competency": "integritas", "level": 3, "valid_from": "2020-01-01", "source": "Uji", **members}
    if body["position"] is None:
        del body["position"], body["position_kind"]
    assert api.post("/v1/competency-standards", body, expect=status).faults == faults


@pytest.mark.parametrize("of", [{}, {"position": "X"}, {"position_level": "pengawas", "position": "X", "position_kind": "pelaksana"}, {"position_level": "pengawas", "unit_id": "0190ffff-ffff-7fff-bfff-ffffffffffff"}])
def test_a_standard_is_of_one_thing(of, api):
    api.post("/v1/competency-standards", {**of, "competency": "integritas", "level": 3, "valid_from": "2020-01-01", "source": "Uji"}, expect=422)


def test_a_standard_is_there_once_and_keeps_what_it_said(api, keys, office):
    made = make.standard(api, position="Jabatan Tunggal", position_kind="pelaksana")
    again = {"position_kind": "pelaksana", "position": "jabatan  tunggal", "competency": "integritas", "level": 5, "valid_from": "2020-01-01", "source": "Lain"}
    assert api.post("/v1/competency-standards", again, expect=409).code == "standard-exists"
    path = f"/v1/competency-standards/{made['id']}"
    api.patch(path, {"level": 4}, etag='"99"', expect=412)
    changed = api.patch(path, {"level": 4, "valid_until": "2020-01-01"}, etag=make.tag(api, path)).json
    assert (changed["level"], changed["valid_until"], changed["version"]) == (4, "2020-01-01", 2)
    assert api.patch(path, {"valid_until": "2019-12-31"}, etag="*", expect=422).faults == {"/valid_until": "standard-days"}
    [before] = api.get(path).json["versions"]
    assert (before["version"], before["level"], before["valid_until"], before["actor_name"]) == (1, 3, None, "admin")
    assert [s["id"] for s in api.get("/v1/competency-standards?position=JABATAN-TUNGGAL").json["data"]] == [made["id"]]
    assert api.get("/v1/competency-standards?position=JABATAN-TUNGGAL&as_of=2020-01-01").json["data"] == [], "it never held"
    part = api.as_key(keys("needs.read", "needs.write", units=(office["code"],)))
    assert part.patch(path, {"level": 5}, etag="*", expect=403).code == "forbidden"
    body = {"position_kind": "pelaksana", "position": "Jabatan Bagian", "competency": "integritas", "level": 3, "valid_from": "2020-01-01", "source": "Uji"}
    assert part.post("/v1/competency-standards", body, expect=403).faults == {"/unit_id": "forbidden"}
    own = part.post("/v1/competency-standards", {**body, "unit_id": office["id"]}, expect=201).json
    assert part.patch(f"/v1/competency-standards/{own['id']}", {"level": 5}, etag="*").json["level"] == 5


def test_shipped_rows_say_that_they_are_recalled(api):
    rows, _ = api.walk("/v1/competency-standards?position_level=ahli_muda&limit=4")
    assert [(r["competency"], r["level"], r["is_confirmed"], r["actor_name"]) for r in rows] == [(c, 3, False, None) for c in sorted(NINE, key=lambda c: [r["competency"] for r in rows].index(c))]
    assert len(rows) == 9 and all("recalled" in r["source"] for r in rows)
    assert [(b["floor"], b["code"], b["is_confirmed"]) for b in api.get("/v1/jpm-bands").json["data"]] == [(0, "kurang_optimal", False), (78, "cukup_optimal", False), (90, "optimal", False)]
    assert {m["code"]: m["valid_months"] for m in api.get("/v1/assessment-methods").json["data"]} == {"assessment_center": 36, "interview": None, "peer": None, "self": None, "superior": None, "test": None}


# ── what people were found to be able to do ──

def test_of_each_competency_the_newest_that_holds_counts(api, person):
    nip = person()["nip"]
    make.history(api, nip, "position", {"position_kind": "struktural", "position": "Lurah", "echelon": "41", "assignment": "definitive"}, "2016-01-01")
    first = make.assessment(api, nip, {"integritas": 1, "komunikasi": 2}, on="2020-03-01", valid_until="2023-03-01")
    second = make.assessment(api, nip, {"integritas": 3}, on="2021-03-01", valid_until="2022-03-01")
    old = make.assessment(api, nip, {"kerja_sama": 0}, on="2020-01-01", method="assessment_center")
    assert old["valid_until"] == "2023-01-01", "as long as the method says"
    told = [("2020-02-29", (None, None, "missing", None)), ("2020-03-01", (1, 1, "gap", first["id"])), ("2021-03-01", (3, 0, "met", second["id"])),
            ("2022-02-28", (3, 0, "met", second["id"])), ("2022-03-01", (1, 1, "gap", first["id"])), ("2023-03-01", (None, None, "expired", second["id"]))]
    for day, expected in told:
        row = gaps(api, nip, f"?as_of={day}")[1]["integritas"]
        assert (row["assessed"], row["gap"], row["standing"], row["assessment_id"]) == expected, day
    row = gaps(api, nip, "?as_of=2022-01-01")[1]["kerja_sama"]
    assert (row["assessed"], row["gap"], row["standing"], row["assessed_on"], row["method"]) == (0, 2, "gap", "2020-01-01", "assessment_center")
    path = f"{FAULT_PATH}/{second['id']}"
    gone = api("POST", f"{path}/annul", json={"reason": "Tertukar"}, headers={"If-Match": "*"}, expect=200).json
    assert (gone["is_void"], gone["reason"], gone["version"]) == (True, "Tertukar", 2)
    assert api("POST", f"{path}/annul", json={"reason": "Lagi"}, headers={"If-Match": "*"}, expect=409).code == "assessment-void"
    assert gaps(api, nip, "?as_of=2022-01-01")[1]["integritas"]["assessment_id"] == first["id"], "what was annulled never counted"
    listed = api.get(f"{FAULT_PATH}?nip={nip}&is_void=true").json["data"]
    assert [a["id"] for a in listed] == [second["id"]]


@pytest.mark.parametrize("levels, jpm, band", [((1, 1, 1), 33.33, "kurang_optimal"), ((3, 3, 3), 100, "optimal"), ((5, 5, 5), 100, "optimal"), ((3, 3, 2), 88.89, "cukup_optimal"), ((3, 3, 1), 77.78, "kurang_optimal"),
                                               ((0, 5, 5), 66.67, "kurang_optimal")])
def test_the_job_person_match_adds_up_what_is_required(levels, jpm, band, api, person):
    mine = person()
    of = {"position_kind": "pelaksana", "position": mine["position"]}
    for competency in NINE:
        make.standard(api, **of, competency=competency, level=3 if competency in NINE[:3] else 0)
    make.assessment(api, mine["nip"], dict(zip(NINE[:2], levels)))
    sheet, _ = gaps(api, mine["nip"])
    assert (sheet["jpm"], sheet["band"], sheet["missing"]) == (None, None, 1), "what is missing is no gap of 0"
    make.assessment(api, mine["nip"], {NINE[2]: levels[2]})
    sheet, found = gaps(api, mine["nip"])
    assert (sheet["required_total"], sheet["counted_total"], sheet["jpm"], sheet["band"], sheet["missing"]) == (9, sum(min(n, 3) for n in levels), jpm, band, 0)
    assert [found[c]["gap"] for c in NINE[:3]] == [max(0, 3 - n) for n in levels]


NOT_AN_ASSESSMENT = [
    ({"nip": "190001012000011001"}, 422, {"/nip": "reference-missing"}), ({"method": "ramalan"}, 422, {"/method": "reference-missing"}),
    ({"levels": [{"competency": "integritas", "level": 2}, {"competency": "tidak_ada", "level": 1}, {"competency": "integritas", "level": 3}]}, 422,
     {"/levels/1/competency": "reference-missing", "/levels/2/competency": "entry-twice"}),
    ({"assessed_on": (TODAY + timedelta(days=2)).isoformat()}, 422, {"/assessed_on": "in-future"}), ({"valid_until": "2024-05-05"}, 422, {"/valid_until": "assessment-days"}),
    ({"levels": []}, 422, {"/levels": "too-few-items"}), ({"levels": [{"competency": "integritas", "level": 6}]}, 422, {"/levels/0/level": "too-large"}),
]


def test_a_competency_told_twice_is_named_as_one(api, person):
    body = {"nip": person()["nip"], "assessed_on": "2024-05-05", "method": "test", "source": "Penilai", "levels": [{"competency": "integritas", "level": n} for n in (2, 3)]}
    reply = api.post(FAULT_PATH, body, expect=422)
    assert reply.json["errors"][0]["detail"] == "The competency is in this list already."
    assert "person" not in reply.json["title"]


@pytest.mark.parametrize("members, status, faults", NOT_AN_ASSESSMENT)
def test_what_is_no_assessment_is_refused(members, status, faults, api, person):
    body = {"nip": person()["nip"], "assessed_on": "2024-05-05", "method": "test", "source": "Penilai", "levels": [{"competency": "integritas", "level": 2}], **members}
    assert api.post(FAULT_PATH, body, expect=status).faults == faults


def test_an_assessment_is_there_once_and_seen_by_whom_it_may(api, person, keys):
    nip = person()["nip"]
    made = make.assessment(api, nip, {"integritas": 2}, source="Tim Uji")
    body = {"nip": nip, "assessed_on": made["assessed_on"], "method": "test", "source": "Tim Uji", "levels": [{"competency": "integritas", "level": 3}]}
    assert api.post(FAULT_PATH, body, expect=409).code == "assessment-exists"
    api("POST", f"{FAULT_PATH}/{made['id']}/annul", json={"reason": "Keliru"}, headers={"If-Match": "*"}, expect=200)
    assert api.post(FAULT_PATH, body, expect=201).json["levels"] == {"integritas": 3}, "what was annulled stands in nobody's way"
    other = api.as_key(keys("needs.read", "needs.write", "plan.write", units=(make.unit(api, kind="dinas")["code"],)))
    other.get(f"{FAULT_PATH}/{made['id']}", expect=404)
    other.get(f"/v1/asn/{nip}/competency-gaps", expect=404)
    other.get(f"{FAULT_PATH}?nip={nip}", expect=422)
    other.get(f"/v1/asn/{nip}/suggested-sessions", expect=404)
    assert other.post(FAULT_PATH, body, expect=422).faults == {"/nip": "reference-missing"}
    other("POST", f"{FAULT_PATH}/{made['id']}/annul", json={"reason": "Keliru"}, headers={"If-Match": "*"}, expect=404)


# ── files ──

def sent(api, what, text, expect=200, **headers):
    return api("POST", f"/v1/{what}/import", data=text.encode(), headers={"Content-Type": "text/csv", **headers}, expect=expect).json


def told(report):
    return sorted((f["line"], f["column"] or "", f["code"]) for f in report["faults"])


def test_a_file_of_standards(api, office, keys):
    name = f"Jabatan Berkas {make.number()}"
    text = ("jenjang;jenis jabatan;jabatan;kode unit;kompetensi;standar;berlaku sejak;sumber\n"
            f";pelaksana;{name};;Kerja sama;3;01/02/2024;SK 1\n;pelaksana;{name};{office['code']};kerja_sama;4;2024-02-01;SK 2\nPengawas;;;;INTEGRITAS;2;2030-01-01;SK 3\n")
    report = sent(api, "competency-standards", text)
    assert (report["created"], report["updated"], report["refused"]) == (3, 0, 0), report
    assert sent(api, "competency-standards", text)["unchanged"] == 3, "the same file again changes nothing"
    report = sent(api, "competency-standards", text.replace("Kerja sama;3", "Kerja sama;2"))
    assert (report["updated"], report["unchanged"]) == (1, 2)
    rows = sorted(api.get(f"/v1/competency-standards?position={name}").json["data"], key=lambda r: r["basis"] == "post")
    assert [(r["basis"], r["level"], r["valid_from"], r["source"]) for r in rows] == [("position", 2, "2024-02-01", "SK 1"), ("post", 4, "2024-02-01", "SK 2")]
    assert [v["level"] for v in api.get(f"/v1/competency-standards/{rows[0]['id']}").json["versions"]] == [3]
    bad = ("position_level,position_kind,position,unit_code,competency,level,valid_from,valid_until\npengawas,,,,tidak ada,2,2024-01-01,\npengawas,,X,,integritas,2,2024-01-01,\n"
           "lurah,,,,integritas,2,2024-01-01,\n,pelaksana,X,U-TAK-ADA,integritas,2,2024-01-01,\npengawas,,,,integritas,7,2024-01-01,\npengawas,,,,integritas,2,2024-01-01,2023-01-01\n"
           "pengawas,,,,komunikasi,2,2024-01-01,\npengawas,,,,komunikasi,3,2024-01-01,\npengawas,,,,manajerial,3,2024-01-01,\n,,,,integritas,3,2024-01-01,\n")
    report = sent(api, "competency-standards", bad, Prefer="dry-run")
    assert told(report) == [(2, "competency", "competency-unknown"), (3, "position", "standard-of-one"), (4, "position_level", "position-level-unknown"), (5, "unit_code", "unit-unknown"),
                            (6, "level", "level-range"), (7, "valid_until", "range-empty"), (9, "competency", "duplicate-row"), (10, "competency", "competency-unknown"),
                            (11, "position", "standard-of-one")]
    assert (report["created"], report["refused"]) == (1, 9)
    part = api.as_key(keys("import.write", "needs.write", units=(office["code"],)))
    report = sent(part, "competency-standards", f"position_kind,position,unit_code,competency,level,valid_from\npelaksana,X,,integritas,2,2024-01-01\npelaksana,X,{office['code']},integritas,2,2024-01-01\n")
    assert told(report) == [(2, "unit_code", "standard-of-all")] and report["created"] == 1


def test_a_file_of_assessments(api, person, keys):
    first, second = person()["nip"], person()["nip"]
    text = ("NIP;Tanggal Penilaian;Metode;Penilai;Integritas;Kerja Sama;Kompetensi;Level Kompetensi\n"
            f"{first};03-11-2025;Assessment Center;Pusat Uji;3;2;;\n{first};03/11/2025;assessment_center;Pusat Uji;;;Pelayanan publik;4\n{second};2025-11-03;wawancara;Tim;;1;;\n")
    report = sent(api, "competency-assessments", text)
    assert (report["created"], report["refused"]) == (3, 0), report
    [made] = api.get(f"{FAULT_PATH}?nip={first}").json["data"]
    assert (made["levels"], made["method"], made["valid_until"]) == ({"integritas": 3, "kerja_sama": 2, "pelayanan_publik": 4}, "assessment_center", "2028-11-03"), "rows of one assessment are one"
    assert sent(api, "competency-assessments", text)["unchanged"] == 3
    report = sent(api, "competency-assessments", text.replace("Pusat Uji;3;2", "Pusat Uji;1;2"))
    assert (report["updated"], report["unchanged"]) == (2, 1)
    whole = api.get(f"{FAULT_PATH}/{made['id']}").json
    assert (whole["levels"]["integritas"], whole["levels"]["pelayanan_publik"], [v["levels"]["integritas"] for v in whole["versions"]]) == (1, 4, [3])
    ahead = (TODAY + timedelta(days=3)).isoformat()
    bad = ("nip,assessed_on,method,source,integritas,komunikasi,competency,level,valid_until\n190001012000011001,2024-01-01,test,T,1,,,,\n"
           f"{second},2024-01-01,ramalan,T,1,,,,\n{second},2024-01-01,test,T,9,,,,\n{second},2024-01-01,test,T,,,tidak ada,1,\n{second},{ahead},test,T,1,,,,\n{second},2024-01-01,test,T,,,,,\n"
           f"{second},2024-01-01,test,T,,,integritas,,\n{second},2024-01-01,test,T,1,,,,2023-01-01\n{second},2024-01-02,test,T,1,2,,,\n{second},2024-01-02,test,T,,2,,,\n")
    report = sent(api, "competency-assessments", bad, Prefer="dry-run")
    assert told(report) == [(2, "nip", "person-unknown"), (3, "method", "method-unknown"), (4, "integritas", "level-range"), (5, "competency", "competency-unknown"),
                            (6, "assessed_on", "in-future"), (7, "", "nothing-assessed"), (8, "level", "level-alone"), (9, "valid_until", "range-empty"),
                            (11, "competency", "duplicate-row")]
    assert (report["created"], report["refused"]) == (1, 9)
    other = api.as_key(keys("import.write", "needs.write", units=(make.unit(api, kind="dinas")["code"],)))
    assert told(sent(other, "competency-assessments", f"nip,assessed_on,method,source,integritas\n{first},2024-01-01,test,T,1\n")) == [(2, "nip", "person-unknown")]


@pytest.mark.parametrize("what, text", [("competency-standards", "position_level,competency,level,valid_from\npengawas,komunikasi,3,2031-01-01\n"),
                                        ("competency-assessments", "nip,assessed_on,method,source,integritas\n{nip},2024-03-03,test,Kembali,2\n")])
def test_files_of_needs_are_not_taken_back(what, text, api, person):
    made = sent(api, what, text.format(nip=person()["nip"]))
    assert made["created"] == 1 and api.get(f"/v1/imports/{made['id']}").json["can_undo"] is False
    assert api.post(f"/v1/imports/{made['id']}/undo", {"reason": "Keliru"}, expect=409).code == "import-kept"


# ── plans ──

def test_the_way_of_a_plan(api, person, keys, office):
    mine, head = person(), person()["nip"]
    make.standard(api, position_kind="pelaksana", position=mine["position"], competency="komunikasi", level=4)
    make.assessment(api, mine["nip"], {"komunikasi": 1})
    writer, superior = api.as_key(keys("needs.read", "plan.write")), api.as_key(keys("needs.read", "plan.approve"))
    made = make.plan(writer, mine["nip"], lines=0, superior_nip=head, year=2026)
    assert (made["state"], made["lines"], made["superior_nip"], made["target_jp"], made["version"]) == ("draft", [], head, 0, 1)
    assert make.act_plan(writer, made["id"], "submit", expect=409).code == "plan-empty"
    programme = make.programme(api)["id"]
    written = make.plan_lines(writer, made["id"], [{"competency": "komunikasi", "cost": 250000.5, "cost_source": "apbd", "programme_id": programme, "note": "Segera"}, {"target_jp": 4, "quarter": 4}])
    first, second = written["lines"]
    assert (first["position"], first["required"], first["assessed"], first["gap"], first["cost"], first["programme_id"]) == (1, 4, 1, 3, 250000.5, programme)
    assert (second["required"], second["assessed"], second["gap"], second["cost"]) == (1, None, None, None), "what was not assessed has no gap"
    assert (written["target_jp"], written["cost"], written["version"]) == (24, 250000.5, 2)
    assert make.act_plan(writer, made["id"], "approve", expect=403).code == "forbidden"
    assert make.act_plan(superior, made["id"], "approve", expect=409).code == "plan-state"
    submitted = make.act_plan(writer, made["id"], "submit").json
    assert (submitted["state"], submitted["version"], submitted["lines"]) == ("submitted", 3, written["lines"])
    path = f"/v1/development-plans/{made['id']}"
    assert writer.put(f"{path}/lines", {"lines": []}, etag="*", expect=409).code == "plan-fixed"
    assert writer.patch(path, {"superior_name": "Bupati"}, etag="*", expect=409).code == "plan-fixed"
    superior("POST", f"{path}/return", json={}, headers={"If-Match": "*"}, expect=422)
    returned = make.act_plan(superior, made["id"], "return", {"reason": "Sumber biaya"}).json
    assert (returned["state"], returned["reason"]) == ("returned", "Sumber biaya")
    changed = writer.patch(path, {"superior_name": "Sekda Uji"}, etag="*").json
    assert (changed["superior_nip"], changed["superior_name"], len(changed["lines"])) == (None, "Sekda Uji", 2)
    make.plan_lines(writer, made["id"], [{}])
    make.act_plan(writer, made["id"], "submit")
    assert make.act_plan(superior, made["id"], "approve").json["state"] == "approved"
    make.act_plan(superior, made["id"], "return", {"reason": "Perubahan tengah tahun"})
    steps = api.get(f"{path}/steps").json["data"]
    assert [(s["seq"], s["from"], s["to"], s["reason"], len(s["document"]), s["is_intact"]) for s in steps] == [
        (1, "draft", "submitted", None, 2, True), (2, "submitted", "returned", "Sumber biaya", 2, True), (3, "returned", "submitted", None, 1, True),
        (4, "submitted", "approved", None, 1, True), (5, "approved", "returned", "Perubahan tengah tahun", 1, True)]
    assert {s["actor_name"] for s in steps} == {"needs.read+plan.write", "needs.read+plan.approve"}
    assert [p["id"] for p in api.get(f"/v1/development-plans?superior_nip={head}").json["data"]] == []
    assert [p["id"] for p in api.get(f"/v1/development-plans?nip={mine['nip']}&year=2026&state=returned&under={office['id']}").json["data"]] == [made["id"]]
    other = api.as_key(keys("needs.read", "plan.write", "plan.approve", units=(make.unit(api, kind="dinas")["code"],)))
    other.get(path, expect=404)
    for step, body in (("submit", None), ("approve", None), ("return", {"reason": "X"})):
        other("POST", f"{path}/{step}", json=body, headers={"If-Match": "*"}, expect=404)


def test_what_is_no_plan_is_refused(api, person):
    nip = person()["nip"]
    new = {"nip": nip, "year": 2026, "superior_name": "Bupati"}
    made = api.post("/v1/development-plans", new, expect=201).json
    assert api.post("/v1/development-plans", new, expect=409).code == "plan-exists"
    for members, faults in (({"nip": "190001012000011001"}, {"/nip": "reference-missing"}), ({"superior_nip": "190001012000011001"}, {"/superior_nip": "reference-missing"}),
                            ({"superior_nip": nip, "year": 2027}, {"/superior_nip": "plan-own-superior"}), ({"year": 1999}, {"/year": "too-small"})):
        body = {**new, **members}
        if "superior_nip" in body:
            del body["superior_name"]
        assert api.post("/v1/development-plans", body, expect=422).faults == faults
    api.post("/v1/development-plans", {"nip": nip, "year": 2028}, expect=422)
    path = f"/v1/development-plans/{made['id']}"
    assert api.patch(path, {"superior_nip": "190001012000011001"}, etag="*", expect=422).faults == {"/superior_nip": "reference-missing"}
    line = {"competency": "integritas", "form": "B3", "target_jp": 20, "quarter": 2}
    bad = [line, {**line, "competency": "manajerial"}, {**line, "form": "Z9"}, {**line, "programme_id": "0190ffff-ffff-7fff-bfff-ffffffffffff"}]
    assert api.put(f"{path}/lines", {"lines": bad}, etag="*", expect=422).faults == {
        "/lines/1/competency": "reference-missing", "/lines/2/form": "reference-missing", "/lines/3/programme_id": "reference-missing"}
    assert api.put(f"{path}/lines", {"lines": [{**line, "quarter": 5}]}, etag="*", expect=422).faults == {"/lines/0/quarter": "too-large"}
    assert api.get(path).json["lines"] == []


def test_what_became_of_a_plan(api, person):
    nip = person()["nip"]
    chosen = make.programme(api, jp=12, serves=[{"family": "manajerial", "competency": "integritas", "level_from": 1, "level_to": 5}])
    serving = make.programme(api, jp=6, serves=[{"family": "manajerial", "competency": "integritas", "level_from": 1, "level_to": 5}])
    held = {"start": -1, "length": 2}
    year = date.fromisoformat(make.days(**held)["ends_on"]).year
    made = make.plan(api, nip, lines=0, year=year)
    make.plan_lines(api, made["id"], [{"target_jp": 10}, {"target_jp": 12, "programme_id": chosen["id"]}, {"competency": "komunikasi"}, {"competency": "kerja_sama"}])
    path = f"/v1/development-plans/{made['id']}/realisation"
    assert [(line["standing"], line["realised_jp"]) for line in api.get(path).json["lines"]] == [("open", 0)] * 4
    ours = make.enrol(api, make.session(api, chosen["id"], **held)["id"], nip)
    [under_way] = api.get(path).json["lines"][1]["trainings"]
    assert (under_way["source_id"], under_way["state"], under_way["counted_jp"], under_way["rule"]) == (ours["id"], "approved", 0, "programme")
    assert api.get(path).json["lines"][1]["standing"] == "under_way"
    api.post(f"/v1/enrolments/{ours['id']}/attend")
    api.post(f"/v1/enrolments/{ours['id']}/complete", {"result": "passed"})
    make.course(api, nip, f"{year}-01-10", name=serving["name"], form="B3", jp=6)
    make.course(api, nip, f"{year}-01-20", name="Kursus lain", form="B3", jp=5)
    make.course(api, nip, f"{year - 1}-12-30", name=serving["name"], form="B3", jp=50)
    told = api.get(path).json
    assert [(line["standing"], line["realised_jp"], [t["rule"] for t in line["trainings"]]) for line in told["lines"]] == [
        ("partly", 6, ["competency"]), ("done", 12, ["programme"]), ("open", 0, []), ("open", 0, [])]
    assert (told["target_jp"], told["realised_jp"], told["unplanned_jp"]) == (62, 18, 5)


def test_a_certificate_from_elsewhere_is_told_for_a_line(api, person, keys):
    nip, year = person()["nip"], TODAY.year
    serving = make.programme(api, serves=[{"family": "manajerial", "competency": "integritas", "level_from": 1, "level_to": 5}])
    free, named, other = (make.course(api, nip, f"{year}-01-{day}", name=name, form="B3", jp=jp) for day, name, jp in (("10", "Bimtek luar", 5), ("11", serving["name"], 6), ("12", "Lain", 7)))
    before = make.course(api, nip, f"{year - 1}-03-01", name="Lama", form="B3", jp=9)
    theirs = make.course(api, person()["nip"], f"{year}-01-10", name="Milik orang", form="B3", jp=9)
    plan = make.plan(api, nip, lines=0, year=year)
    make.plan_lines(api, plan["id"], [{"target_jp": 6}, {"competency": "komunikasi", "target_jp": 20}])
    make.act_plan(api, plan["id"], "submit")
    make.act_plan(api, plan["id"], "approve")
    path = f"/v1/development-plans/{plan['id']}"

    def told(line, *courses, expect=200):
        return api.put(f"{path}/lines/{line}/courses", {"courses": [c["id"] for c in courses]}, etag=make.tag(api, path), expect=expect)

    def lines():
        sheet = api.get(f"{path}/realisation").json
        return [[(t["name"], t["rule"]) for t in line["trainings"]] for line in sheet["lines"]], sheet["realised_jp"], sheet["unplanned_jp"]
    assert lines() == ([[(serving["name"], "competency")], []], 6, 12)
    assert told(2, free, named).json["version"] == api.get(path).json["version"]
    assert lines() == ([[], [("Bimtek luar", "told"), (serving["name"], "told")]], 11, 7), "what was told goes before what is guessed"
    told(1, free, other)
    assert lines() == ([[("Bimtek luar", "told"), ("Lain", "told")], [(serving["name"], "told")]], 18, 0), "of one line only"
    assert told(1, before, free, theirs, expect=422).faults == {"/courses/0": "reference-missing", "/courses/2": "reference-missing"}
    told(3, expect=404)
    told(2)
    assert lines() == ([[("Bimtek luar", "told"), (serving["name"], "competency"), ("Lain", "told")], []], 18, 0)
    outsider = api.as_key(keys("plan.write", units=(make.unit(api, kind="dinas")["code"],)))
    outsider.put(f"{path}/lines/1/courses", {"courses": []}, etag="*", expect=404)


def test_of_many_at_once_one_wins(api, person):
    nip = person()["nip"]
    replies = all_at_once([poster(api, "/v1/development-plans", {"nip": nip, "year": 2026, "superior_name": "Bupati"}) for _ in range(8)])
    assert sorted(r.status_code for r in replies) == [201] + [409] * 7
    made = next(r.json() for r in replies if r.status_code == 201)
    make.plan_lines(api, made["id"], [{}])
    for step, state in (("submit", "submitted"), ("approve", "approved")):
        replies = all_at_once([poster(api, f"/v1/development-plans/{made['id']}/{step}", **{"If-Match": "*"}) for _ in range(8)])
        assert sorted(r.status_code for r in replies) == [200] + [409] * 7, {r.text[:200] for r in replies}
        assert api.get(f"/v1/development-plans/{made['id']}").json["state"] == state
    assert [t["seq"] for t in api.get(f"/v1/development-plans/{made['id']}/steps").json["data"]] == [1, 2]


def test_one_file_sent_by_many_at_once_is_taken_once(api, person):
    nips = [person()["nip"] for _ in range(20)]
    text = "nip,assessed_on,method,source,integritas\n" + "".join(f"{nip},2024-02-02,test,Serentak,2\n" for nip in nips)
    name = f"Jabatan Serentak {make.number()}"
    standards = "position_kind,position,competency,level,valid_from\n" + "".join(f"pelaksana,{name},{c},3,2024-01-01\n" for c in NINE)
    for what, file, rows in (("competency-assessments", text, 20), ("competency-standards", standards, 9)):
        reports = all_at_once([lambda: sent(api.as_key(api.key), what, file) for _ in range(6)])
        assert sorted((r["created"], r["unchanged"]) for r in reports) == [(0, rows)] * 5 + [(rows, 0)]


def test_assessments_and_plans_of_a_double_come_along(api, person):
    heir, double = person(), person()
    kept, moved = make.assessment(api, heir["nip"], {"integritas": 1}, on="2024-01-01"), make.assessment(api, double["nip"], {"integritas": 3}, on="2025-01-01")
    plan = make.plan(api, double["nip"])
    merge = {"into": heir["nip"], "reason": "Terdaftar dua kali"}
    api.post(f"/v1/asn/{double['nip']}/merge", merge)
    assert gaps(api, heir["nip"])[1]["integritas"]["assessment_id"] == moved["id"]
    assert [p["id"] for p in api.get(f"/v1/development-plans?nip={heir['nip']}").json["data"]] == [plan["id"]]
    assert api.get(f"{FAULT_PATH}/{moved['id']}").json["versions"] == [], "whose it is is no correction"
    api.post(f"/v1/asn/{double['nip']}/unmerge", {"reason": "Dua orang"})
    assert gaps(api, heir["nip"])[1]["integritas"]["assessment_id"] == kept["id"]
    assert api.get(f"/v1/development-plans/{plan['id']}").json["nip"] == double["nip"]
    make.plan(api, heir["nip"])
    assert api.post(f"/v1/asn/{double['nip']}/merge", merge, expect=409).code == "plan-exists", "two plans of a year are for somebody to decide"


# ── suggestions ──

def serves(**members):
    return [{"family": "manajerial", "level_from": 1, "level_to": 5, **members}]


def test_sessions_that_would_close_a_gap(api, person):
    mine = person()
    nip = mine["nip"]
    of = {"position_kind": "pelaksana", "position": mine["position"]}
    for competency, level in {**dict.fromkeys(NINE, 0), "komunikasi": 4, "integritas": 3, "perekat_bangsa": 2, "kerja_sama": 1}.items():
        make.standard(api, **of, competency=competency, level=level)
    path = f"/v1/asn/{nip}/suggested-sessions"
    fitting = make.session(api, make.programme(api, serves=serves(competency="komunikasi", level_from=2, level_to=3))["id"], start=50)
    assert api.get(path).json["data"] == [], "what was not assessed is no gap"
    make.assessment(api, nip, {"komunikasi": 2, "integritas": 2, "kerja_sama": 1})
    family = make.session(api, make.programme(api, serves=serves())["id"], start=60)
    asked = make.session(api, make.programme(api, serves=serves(competency="komunikasi"), prerequisites=[{"rule": "rank", "from": "IV/a"}])["id"], start=40)
    full = make.session(api, make.programme(api, serves=serves(competency="komunikasi"))["id"], start=41, capacity=1)
    make.enrol(api, full["id"], person()["nip"])
    late = make.session(api, make.programme(api, serves=serves(competency="komunikasi"))["id"], start=42, registration_closes="2020-01-01T00:00:00Z")
    busy = make.session(api, start=80, length=3)
    taken = make.enrol(api, busy["id"], nip)
    clashing = make.session(api, make.programme(api, serves=serves(competency="komunikasi"))["id"], start=82, length=2)
    unheard = [make.session(api, make.programme(api, serves=serves(competency="komunikasi", level_from=1, level_to=2))["id"]),  # she has that already
               make.session(api, make.programme(api, serves=serves(competency="komunikasi", level_from=5))["id"]),  # beyond what is required
               make.session(api, make.programme(api, serves=serves(competency="kerja_sama"))["id"]),  # no gap
               make.session(api, make.programme(api, serves=serves(family="sosial_kultural"))["id"]),  # never assessed
               make.session(api, make.programme(api, serves=serves(competency="komunikasi"), is_active=True)["id"], start=-2)]  # begun
    own = make.session(api, make.programme(api, serves=serves(competency="komunikasi"))["id"], start=70)
    make.enrol(api, own["id"], nip)
    rows = [r for r in api.get(f"{path}?limit=1000").json["data"] if r["session_id"] in {s["id"] for s in (fitting, family, asked, full, late, clashing, own, *unheard)}]
    assert [(r["session_id"], r["obstacles"]) for r in rows] == [(fitting["id"], []), (family["id"], []), (asked["id"], ["prerequisite"]), (full["id"], ["seats"]),
                                                                 (late["id"], ["registration"]), (clashing["id"], ["clash"])]
    best, broad, strict, crowded, closed, double = rows
    assert [(r["competency"], r["required"], r["assessed"], r["gap"], r["matched_by"], r["level_from"], r["level_to"]) for r in best["reasons"]] == [("komunikasi", 4, 2, 2, "competency", 2, 3)]
    assert [(r["competency"], r["gap"], r["matched_by"]) for r in broad["reasons"]] == [("komunikasi", 2, "family"), ("integritas", 1, "family")]
    assert strict["prerequisites"] == [{"rule": "rank", "required": "IV/a – …", "present": None}]
    assert (crowded["seats"], closed["registration"]["is_open"]) == ({"capacity": 1, "taken": 1, "free": 0, "waiting": 0}, False)
    assert [c["enrolment_id"] for c in double["clashes"]] == [taken["id"]]
    suitable = [r["session_id"] for r in api.get(f"{path}?limit=1000&is_suitable=true").json["data"]]
    assert suitable[:1] == [fitting["id"]] and clashing["id"] not in suitable


# ── the ranking, recounted ──

def half_up(value):
    return float(F(int(value * 100 + F(1, 2)), 100))


@pytest.fixture(scope="module")
def crowd(api, office):
    """People of two units at random, with standards and assessments at random; what the slow way makes of them."""
    chance = random.Random(SEED)
    print("ASND_TEST_SEED", SEED)
    top = make.unit(api, kind="dinas", name="Dinas Ramai")
    units = [make.unit(api, top["id"]) for _ in range(2)]
    names = [f"Jabatan Ramai {n}" for n in range(4)]
    standards = []
    for _ in range(30):
        key = {"position": chance.choice(names), "competency": chance.choice(NINE), "valid_from": f"{chance.randint(2018, 2025)}-0{chance.randint(1, 9)}-01"}
        unit = chance.choice([None, None, units[0]["id"], units[1]["id"]])
        if any((s["position"], s["competency"], s["valid_from"], s["unit_id"]) == (key["position"], key["competency"], key["valid_from"], unit) for s in standards):
            continue
        end = chance.choice([None, None, f"{chance.randint(2025, 2030)}-12-01"])
        made = make.standard(api, position_kind="pelaksana", level=chance.randint(0, 5), **key, **({"unit_id": unit} if unit else {}), **({"valid_until": end} if end else {}))
        standards.append(made)
    people = []
    for _ in range(25):
        unit = chance.choice(units)
        someone = make.person(api, unit["id"], position_kind="pelaksana", position=chance.choice(names))
        found = []
        for _ in range(chance.randint(0, 3)):
            levels = {c: chance.randint(0, 5) for c in chance.sample(NINE, chance.randint(1, 9))}
            on = date(2019, 1, 1) + timedelta(days=chance.randint(0, 2000))
            end = chance.choice([None, (on + timedelta(days=chance.randint(1, 4000))).isoformat()])
            made = make.assessment(api, someone["nip"], levels, on=on.isoformat(), **({"valid_until": end} if end else {}))
            if chance.random() < 0.1:
                api("POST", f"{FAULT_PATH}/{made['id']}/annul", json={"reason": "Uji"}, headers={"If-Match": "*"}, expect=200)
                continue
            found.append(made)
        people.append({**someone, "found": found})
    for someone in chance.sample(people, 8):
        plan = make.plan(api, someone["nip"], lines=0)
        make.plan_lines(api, plan["id"], [{"competency": c} for c in chance.sample(NINE, 3)])
        make.act_plan(api, plan["id"], "submit")
        if chance.random() < 0.7:
            make.act_plan(api, plan["id"], "approve")
            someone["planned"] = {line["competency"] for line in api.get(f"/v1/development-plans/{plan['id']}").json["lines"]}
    return {"top": top, "units": units, "people": people, "standards": standards}


def required(crowd, someone, day):
    """By standards told one at a time, the plain way."""
    found = dict.fromkeys(NINE, (1, "level"))
    for competency in NINE:
        for basis, unit in (("post", someone["unit_id"]), ("position", None)):
            fitting = [s for s in crowd["standards"] if s["position"] == someone["position"] and s["competency"] == competency and s["unit_id"] == unit
                       and s["valid_from"] <= day and (s["valid_until"] is None or s["valid_until"] > day)]
            if fitting:
                found[competency] = (max(fitting, key=lambda s: s["valid_from"])["level"], basis)
                break
    return {c: told for c, told in found.items() if told[0]}


def standing(someone, competency, level, day):
    known = [a for a in someone["found"] if competency in a["levels"] and a["assessed_on"] <= day]
    valid = [a for a in known if a["valid_until"] is None or a["valid_until"] > day]
    if not valid:
        return ("expired" if known else "missing", None, None)
    got = max(valid, key=lambda a: (a["assessed_on"], a["id"]))["levels"][competency]
    return ("gap" if got < level else "met", got, max(0, level - got))


def recount(crowd, people, day):
    rows = {(p["nip"], c): (*told, *standing(p, c, told[0], day)) for p in people for c, told in required(crowd, p, day).items()}
    needs = defaultdict(list)
    for (nip, competency), row in rows.items():
        needs[competency].append((nip, row))
    ranked = []
    for competency, found in needs.items():
        by = [row[2] for _, row in found]
        short = [row[4] for _, row in found if row[4]]
        planned = sum(row[2] == "gap" and competency in next(p for p in people if p["nip"] == nip).get("planned", ()) for nip, row in found)
        ranked.append({"competency": competency, "people": len(found), "assessed": sum(row[3] is not None for _, row in found), "met": by.count("met"), "with_gap": by.count("gap"),
                       "missing": by.count("missing"), "expired": by.count("expired"), "gap_total": sum(short), "gap_mean": half_up(F(sum(short), len(short))) if short else None,
                       "gap_most": max(short, default=0), "planned": planned})
    ranked.sort(key=lambda n: (-n["gap_total"], -n["with_gap"], n["competency"]))
    return rows, [{"rank": i, **n} for i, n in enumerate(ranked, 1)]


def bare(need):
    return {k: v for k, v in need.items() if k not in ("family", "name", "name_en")}


@pytest.mark.parametrize("of", ["top", 0, 1])
def test_ranking_and_gaps_equal_a_slow_recount(of, api, crowd):
    unit = crowd["top"] if of == "top" else crowd["units"][of]
    people = [p for p in crowd["people"] if of == "top" or p["unit_id"] == unit["id"]]
    rows, ranked = recount(crowd, people, TODAY.isoformat())
    assert [bare(n) for n in api.get(f"/v1/reports/development-needs?under={unit['id']}").json["data"]] == ranked, SEED
    listed, _ = api.walk(f"/v1/reports/competency-gaps?under={unit['id']}&limit=17")
    assert {(r["nip"], r["competency"]): (r["required"], r["basis"], r["standing"], r["assessed"], r["gap"]) for r in listed} == rows, SEED
    for someone in people[:6]:
        sheet, found = gaps(api, someone["nip"])
        mine = {c: row for (nip, c), row in rows.items() if nip == someone["nip"]}
        assert {c: (r["required"], r["basis"], r["standing"], r["assessed"], r["gap"]) for c, r in found.items()} == mine
        want, got = sum(r[0] for r in mine.values()), sum(min(r[0], r[3] or 0) for r in mine.values() if r[3] is not None)
        whole = want and all(r[3] is not None for r in mine.values())
        assert (sheet["required_total"], sheet["counted_total"], sheet["jpm"]) == (want, got, half_up(F(got * 100, want)) if whole else None), SEED


def test_the_ranking_of_another_day(api, crowd, sql):
    """As of a day gone by: those whose histories tell their post then."""
    day = "2024-06-15"
    for p in crowd["people"]:
        make.history(api, p["nip"], "position", {"position_kind": "pelaksana", "position": p["position"], "assignment": "definitive"}, "2017-01-01")
    _, ranked = recount(crowd, [{**p, "planned": set()} for p in crowd["people"]], day)
    assert [bare(n) for n in api.get(f"/v1/reports/development-needs?under={crowd['top']['id']}&as_of={day}").json["data"]] == ranked, SEED


def test_the_ranking_as_a_file_and_in_part(api, crowd, keys):
    path = f"/v1/reports/development-needs?under={crowd['top']['id']}"
    whole = api.get(path).json["data"]
    told = list(csv.DictReader(io.StringIO(api.get(path, headers={"Accept": "text/csv"}).text)))
    assert [(int(r["rank"]), r["competency"], int(r["gap_total"])) for r in told] == [(n["rank"], n["competency"], n["gap_total"]) for n in whole]
    assert api.get(path, headers={"Accept": XLSX}).bytes[:2] == b"PK"
    social = api.get(f"{path}&family=sosial_kultural").json["data"]
    assert [n["competency"] for n in social] in ([], ["perekat_bangsa"])
    part = api.as_key(keys("needs.read", units=(crowd["units"][0]["code"],)))
    assert part.get(path).json["data"] == api.get(f"/v1/reports/development-needs?under={crowd['units'][0]['id']}").json["data"]
    short = api.get(f"/v1/reports/competency-gaps?under={crowd['top']['id']}&standing=gap&competency=integritas&limit=1000").json["data"]
    assert len(short) == next((n["with_gap"] for n in whole if n["competency"] == "integritas"), 0) and {r["standing"] for r in short} <= {"gap"}
    assert api.get(f"/v1/reports/competency-gaps?under={crowd['top']['id']}&family=teknis").json["data"] == []


def test_of_a_file_the_row_of_a_restricted_person_is_refused_and_the_others_taken(api, keys, office):
    held, free = make.person(api, office["id"]), make.person(api, office["id"])
    make.restriction(api, held["nip"])
    text = "nip,assessed_on,method,source,integritas\n" + "".join(f"{p['nip']},2025-02-03,test,Lembaga,3\n" for p in (held, free))
    csv_ = {"Content-Type": "text/csv"}
    report = api.as_key(keys("needs.write", "import.write"))("POST", "/v1/competency-assessments/import", data=text.encode(), headers=csv_, expect=200).json
    assert [(f["line"], f["column"], f["code"], f["value"]) for f in report["faults"]] == [(2, "nip", "restricted", held["nip"])] and report["created"] == 1
    assert api("POST", "/v1/competency-assessments/import", data=text.encode(), headers=csv_, expect=200).json["created"] == 1, "the personnel office goes on"
