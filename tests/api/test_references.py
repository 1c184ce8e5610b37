# SPDX-License-Identifier: Apache-2.0
"""Reference lists: what they say today and on another day, and how rows are changed by files alone."""
import pytest

from support import make

LISTS = ["rank-pns", "rank-pppk", "echelon", "position-kind", "position-level", "functional-level", "education-level", "legal-status", "employee-kind",
         "religion", "marital-status", "training-kind", "training-form", "discipline-kind", "region"]


def send(api, text, **headers):
    return api("POST", "/v1/references/import", data=text.encode(), headers={"Content-Type": "text/csv", **headers}, expect=200).json


def counts(report):
    return tuple(report[k] for k in ("rows", "created", "updated", "unchanged", "refused"))


def rows(api, which, query=""):
    return api.get(f"/v1/references/{which}?limit=1000{query}").json["data"]


@pytest.mark.parametrize("which", LISTS)
def test_each_list_is_named_and_has_rows_with_their_source(which, api):
    assert which in {row["list"] for row in api.get("/v1/references?limit=1000").json["data"]}
    found = rows(api, which)
    assert found and all(row["source"] and row["name_en"] for row in found)
    assert [row["seq"] for row in found] == sorted(row["seq"] for row in found)


def test_the_regions_are_a_tree(api):
    districts = rows(api, "region", "&parent=76.02")
    villages = [v for d in districts for v in rows(api, "region", f"&parent={d['code']}")]
    assert (len(districts), len(villages)) == (11, 101)


def test_what_a_list_gives_as_csv_changes_nothing_when_it_is_sent_back(api):
    for which in ("education-level", "discipline-kind", "region"):
        text = api.get(f"/v1/references/{which}", headers={"Accept": "text/csv"}).text
        report = send(api, text)
        assert report["rows"] > 0 and report["unchanged"] == report["rows"], report


def test_a_row_that_is_followed_ends(api):
    send(api, "list,code,name,source,valid_from\naward-kind,UJI-1,Lama,Perbup 1,2010-01-01\n")
    assert counts(send(api, "list,code,name,source,valid_from\naward-kind,UJI-1,Baru,Perbup 2,2020-01-01\n")) == (1, 1, 0, 0, 0)
    on = lambda day: [(r["name"], r["valid_from"], r["valid_to"]) for r in rows(api, "award-kind", f"&code=UJI-1&as_of={day}")]  # noqa: E731
    assert on("2009-12-31") == []
    assert on("2019-12-31") == [("Lama", "2010-01-01", "2020-01-01")]
    assert on("2020-01-01") == [("Baru", "2020-01-01", None)]


def test_only_what_the_file_says_is_changed(api):
    send(api, "list,code,name,name_en,source,aliases\naward-kind,UJI-2,Nama,Name,Perbup,satu;dua\n")
    assert counts(send(api, "list,code,name\naward-kind,UJI-2,Nama Baru\n")) == (1, 0, 1, 0, 0)
    [row] = rows(api, "award-kind", "&code=UJI-2")
    assert (row["name"], row["name_en"], row["aliases"]) == ("Nama Baru", "Name", ["satu", "dua"])


FAULTS = [
    ("no-list,X,Nama,,", "list", "list-unknown"), ("award-kind,,Nama,,", "code", "missing"), ("award-kind,a b,Nama,,", "code", "code-form"),
    ("award-kind,UJI-3,Nama,2020-01-01,2019-01-01", "valid_to", "range-empty"), ("award-kind,UJI-4,Nama,2015-06-01,2016-01-01", "valid_from", "range-overlap"),
    ("award-kind,UJI-5,Nama,2020-13-01,", "valid_from", "date-impossible"),
]


@pytest.mark.parametrize("row, column, code", FAULTS)
def test_what_is_wrong_with_a_row_is_named(row, column, code, api, sql):
    send(api, "list,code,name,valid_from,valid_to\naward-kind,UJI-4,Nama,2015-01-01,2017-01-01\n")
    before = sql("SELECT count(*), sum(version) FROM reference")
    report = send(api, f"list,code,name,valid_from,valid_to\n{row}\n")
    assert counts(report) == (1, 0, 0, 0, 1), report
    assert [(f["column"], f["code"]) for f in report["faults"]] == [(column, code)]
    assert sql("SELECT count(*), sum(version) FROM reference") == before


def test_a_dry_run_stores_nothing(api, sql):
    before = sql("SELECT count(*), sum(version) FROM reference")
    assert counts(send(api, "list,code,name,source\naward-kind,UJI-9,Nama,Perbup\n", Prefer="dry-run")) == (1, 1, 0, 0, 0)
    assert sql("SELECT count(*), sum(version) FROM reference") == before


def test_lists_are_changed_by_who_may(api, keys):
    for scopes in (("import.write",), ("reference.write",), ("import.write", "reference.read")):
        api.as_key(keys("reference.write", "import.write"))
        other = api.as_key(keys(*scopes))
        other("POST", "/v1/references/import", data=b"list,code,name\n", headers={"Content-Type": "text/csv"}, expect=403)


def test_a_new_code_is_taken_at_once_and_an_ended_one_no_more(api, office):
    """By the record, by the import with its words, and by a history on its own days."""
    send(api, "list,code,name,source,facts,aliases\nlegal-status,X1,Percobaan,uji,\"{\"\"in_service\"\": true}\",masa percobaan\n")
    person = make.person(api, office["id"], legal_status="X1")
    assert person["legal_status"] == "X1"
    nip = make.nip()
    report = api("POST", "/v1/asn/import", data=f"nip,kind,name,unit_code,legal_status\n{nip},PNS,Uji,{office['code']},Masa Percobaan\n".encode(),
                 headers={"Content-Type": "text/csv"}, expect=200).json
    assert report["created"] == 1, report
    assert api.get(f"/v1/asn/{nip}").json["legal_status"] == "X1"
    send(api, "list,code,name,valid_to\nlegal-status,X1,Percobaan,2020-01-01\n")
    api.patch(f"/v1/asn/{person['nip']}", {"position": "Tetap"}, etag="*")
    api.post("/v1/asn", {"nip": make.nip(), "kind": "PNS", "name": "Uji", "unit_id": office["id"], "legal_status": "X1"}, expect=422)
    api.post(f"/v1/asn/{person['nip']}/history", {"kind": "status", "from": "2018-01-01", "facts": {"legal_status": "X1"}}, expect=201)
    api.post(f"/v1/asn/{person['nip']}/history", {"kind": "status", "from": "2021-01-01", "facts": {"legal_status": "X1"}}, expect=422)
