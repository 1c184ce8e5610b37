# SPDX-License-Identifier: Apache-2.0
"""However a record is changed, its warnings are those of its numbers; and a corrected day of appointment is one in the histories too."""
from datetime import date, timedelta

import pytest

from support import make, postgres

TODAY = make.today().isoformat()
ANY = {"If-Match": "*"}


@pytest.fixture()
def portal(api, keys):
    return api.as_key(keys("request.write", "asn.read", "asn.sensitive"))


def warnings(api, nip):
    return api.get(f"/v1/asn/{nip}").json["warnings"]


def appointments(api, nip):
    rows = api.get(f"/v1/asn/{nip}/history?kind=appointment&sort=from").json["data"]
    return [(r["from"], r["until"], r["facts"]["kind"], r["version"]) for r in rows]


def of_another_birth():
    return make.nip(birth="19900220")


# ── warnings ──

def test_a_new_nip_brings_its_warnings_and_takes_them_away(api, office):
    person = make.person(api, office["id"])
    assert person["warnings"] == []
    new = of_another_birth()
    row = make.history(api, person["nip"], "nip", {"nip": new}, "2020-01-01")
    assert warnings(api, new) == ["CON_2"]
    api.post(f"/v1/asn/{new}/history/{row['id']}/annul", {"reason": "Salah orang"}, headers=ANY)
    assert warnings(api, person["nip"]) == []


def test_a_corrected_nip_is_judged_again(api, office):
    person = make.person(api, office["id"])
    row = make.history(api, person["nip"], "nip", {"nip": of_another_birth()}, "2020-01-01")
    right = make.nip()
    born = f"{right[:4]}-{right[4:6]}-{right[6:8]}"
    api.put(f"/v1/asn/{person['nip']}/history/{row['id']}", {"kind": "nip", "from": "2020-01-01", "facts": {"nip": right}, "reason": "Salah ketik"}, etag="*")
    assert warnings(api, right) == ([] if born == person["birth_date"] else ["CON_2"])


def test_a_kind_that_the_number_is_not_of_is_not_compared(api, office):
    person = make.person(api, office["id"], kind="CPNS", appointed_on="2015-04-01")
    assert person["warnings"] == ["CON_1"]
    row = make.history(api, person["nip"], "appointment", {"kind": "PPPK"}, TODAY)
    assert warnings(api, person["nip"]) == [], "eighteen digits of a PNS tell nothing of a PPPK"
    api.post(f"/v1/asn/{person['nip']}/history/{row['id']}/annul", {"reason": "Salah"}, headers=ANY)
    assert warnings(api, person["nip"]) == ["CON_1"]


def test_from_a_file(api, office):
    person = make.person(api, office["id"])
    new = of_another_birth()
    text = f"nip,kind,from,new_nip\n{person['nip']},nip,2020-01-01,{new}\n"
    api("POST", "/v1/history/import", data=text.encode(), headers={"Content-Type": "text/csv"}, expect=200)
    assert warnings(api, new) == ["CON_2"]


def test_by_approval(api, office, portal):
    person = make.person(api, office["id"])
    new = of_another_birth()
    asked = make.request(portal, person["nip"], history={"kind": "nip", "from": "2020-01-01", "facts": {"nip": new}})
    api.post(f"/v1/change-requests/{asked['id']}/approve", {}, headers=ANY, expect=200)
    assert warnings(api, new) == ["CON_2"]


def test_a_day_to_come(api, office, database, sql):
    person = make.person(api, office["id"])
    new = of_another_birth()
    make.history(api, person["nip"], "nip", {"nip": new}, (make.today() + timedelta(days=40)).isoformat())
    assert warnings(api, person["nip"]) == []
    with postgres.connected(database) as connection, connection.cursor() as cursor:
        cursor.execute("SET asnd.today = %s", ((make.today() + timedelta(days=41)).isoformat(),))
        cursor.execute("SELECT history_show_today()")
    assert sql("SELECT warnings FROM asn WHERE nip = %s", (new,)) == [(["CON_2"],)]


def test_a_merge_and_its_undoing(api, office):
    """Who stays lacks a kind's row that the other brings, so the record changes; undone, both are as they were."""
    stays, goes = make.person(api, office["id"], kind="CPNS", appointed_on="2015-04-01"), make.person(api, office["id"])
    for entry in api.get(f"/v1/asn/{stays['nip']}/history?kind=appointment").json["data"]:
        api.post(f"/v1/asn/{stays['nip']}/history/{entry['id']}/annul", {"reason": "Salah"}, headers=ANY)
    make.history(api, goes["nip"], "appointment", {"kind": "PPPK"}, TODAY)
    before = {p["nip"]: warnings(api, p["nip"]) for p in (stays, goes)}
    assert before[stays["nip"]] == ["CON_1"]
    api.post(f"/v1/asn/{goes['nip']}/merge", {"into": stays["nip"], "reason": "Terdaftar dua kali"})
    merged = api.get(f"/v1/asn/{stays['nip']}").json
    assert (merged["kind"], merged["warnings"]) == ("PPPK", [])
    api.post(f"/v1/asn/{goes['nip']}/unmerge", {"reason": "Bukan orang yang sama"})
    assert warnings(api, goes["nip"]) == before[goes["nip"]]


def test_an_import_that_tells_a_nik_alone_warns_of_it_and_comes_in_once(api, office):
    person = make.person(api, office["id"])
    text = f"nip,kind,name,unit_code,nik\n{person['nip']},PNS,{person['name']},{office['code']},7602011601909999\n"
    for outcome in ("updated", "unchanged"):
        report = api("POST", "/v1/asn/import", data=text.encode(), headers={"Content-Type": "text/csv"}, expect=200).json
        assert report[outcome] == 1
    assert api.get(f"/v1/asn/{person['nip']}").json["nik_warnings"] == ["NIK_BIRTH"]


def test_the_rules_in_c_and_in_the_database_say_the_same(api, office, sql):
    """C judges what is new, the database what is changed: every kind, against every fault."""
    numbers = {"PNS": make.nip, "CPNS": make.nip, "PPPK": lambda: make.nip(appointed="202421"), "PPPK_PARUH_WAKTU": lambda: make.nip(appointed="000000")}
    faults = [{}, {"birth_date": "1990-01-31"}, {"sex": "F"}, {"appointed_on": "2015-04-01"}, {"appointed_on": "2023-03-01"}, {"nik": "7602015501909999"},
              {"nik": "7602013112859999"}, {"birth_date": "1990-02-28", "sex": "F", "appointed_on": "2001-01-01", "nik": "7602011501909999"}]
    told = set()
    for kind, number in numbers.items():
        for fault in faults:
            made = make.person(api, office["id"], kind=kind, nip=number(), **fault)
            told.update(made["warnings"] + made["nik_warnings"])
    assert told == {"CON_1", "CON_2", "CON_3", "CON_4", "NIK_BIRTH", "NIK_SEX"}
    assert sql("SELECT a.nip, a.kind, a.warnings, asn_warnings(a) FROM asn a WHERE a.warnings <> asn_warnings(a)") == []


@pytest.mark.parametrize("nip, kind, readable", [
    ("199001152015031001", "PNS", True), ("199013152015031001", "PNS", False), ("199002292015031001", "PNS", False), ("199202292015031001", "PNS", True),
    ("189901152015031001", "PNS", False), ("199001152015131001", "PNS", False), ("199001152015033001", "PNS", False), ("199001152015031000", "PNS", False),
    ("199001150000031001", "PNS", False), ("199001152024211001", "PPPK", True), ("199001152024201001", "PPPK", False), ("199001152024031001", "PPPK", False),
    ("199001150000001000", "PPPK_PARUH_WAKTU", True), ("199001000000001000", "PPPK_PARUH_WAKTU", False)])
def test_the_database_reads_numbers_as_c_does(nip, kind, readable, api, office, sql):
    assert sql("SELECT nip_readable(%s, %s)", (nip, kind)) == [(readable,)]
    body = {"nip": nip, "kind": kind, "name": "Pegawai Uji", "unit_id": office["id"]}
    reply = api.post("/v1/asn", body, headers={"Prefer": "dry-run"}, expect=None)
    assert (reply.status in (200, 201)) == readable, reply.text


WHOLE = [("service", {"years": 4.0, "months": 2.0, "basis": "golongan"}), ("performance", {"regime": "skp_2022", "year": 2024.0}), ("course", {"name": "Bimtek", "jp": 20.0}),
         ("pay", {"service_years": 4.0, "service_months": 0.0}), ("rank", {"rank": "III/a", "service_years": 2.0, "credit": 100.0}), ("award", {"award": "201", "year": 2020.0})]


@pytest.mark.parametrize("kind, facts", WHOLE, ids=[k for k, _ in WHOLE])
def test_a_whole_number_is_one_however_it_is_written(kind, facts, api, office, sql):
    """4.0 is an integer to JSON Schema; no list may stumble over it."""
    person = make.person(api, office["id"])
    entry = make.history(api, person["nip"], kind, facts, "2019-03-01")
    stored, = sql("SELECT facts FROM history WHERE id = %s", (entry["id"],))[0]
    assert {k: v for k, v in stored.items() if isinstance(v, float)} == ({"credit": 100.0} if kind == "rank" else {})
    for list_ in ("reports/duk", "reports/nominatif", "data-quality/indicators/COM_1/persons", "due/pay-raise", "due/award"):
        api.get(f"/v1/{list_}?under={office['id']}")


def test_a_new_nip_must_look_like_one(api, office):
    person = make.person(api, office["id"])
    reply = api.post(f"/v1/asn/{person['nip']}/history", {"kind": "nip", "from": "2020-01-01", "facts": {"nip": "999999999999999999"}}, expect=422)
    assert reply.code == "invalid" and "/facts/nip" in reply.text
    text = f"nip,kind,from,new_nip\n{person['nip']},nip,2020-01-01,999999999999999999\n"
    report = api("POST", "/v1/history/import", data=text.encode(), headers={"Content-Type": "text/csv"}, expect=200).json
    assert [f["code"] for f in report["faults"]] == ["invalid"]


# ── the day of appointment ──

def test_a_corrected_day_is_a_new_version_of_the_row_that_the_record_left(api, office):
    person = make.person(api, office["id"], appointed_on="2015-03-01")
    path = f"/v1/asn/{person['nip']}"
    api.patch(path, {"appointed_on": "2016-03-01"}, etag="*")
    assert appointments(api, person["nip"]) == [("2016-03-01", None, "PNS", 2)]
    entry = api.get(f"{path}/history?kind=appointment").json["data"][0]
    assert entry["reason"]
    versions = api.get(f"{path}/history/{entry['id']}/versions").json["data"]
    assert [v["from"] for v in versions] == ["2016-03-01", "2015-03-01"]
    api.get(f"{path}?as_of=2015-06-01", expect=404)
    api.get(f"{path}?as_of=2016-06-01", expect=200)


def test_a_day_that_becomes_known(api, office, sql):
    person = make.person(api, office["id"])
    sql("UPDATE asn SET appointed_on = NULL WHERE nip = %s", (person["nip"],))
    api.patch(f"/v1/asn/{person['nip']}", {"appointed_on": "2014-03-01"}, etag="*")
    assert appointments(api, person["nip"]) == [("2014-03-01", None, "PNS", 2)]


def test_from_an_import(api, office):
    person = make.person(api, office["id"], appointed_on="2015-03-01")
    text = f"nip,kind,name,unit_code,appointed_on\n{person['nip']},PNS,{person['name']},{office['code']},2013-03-01\n"
    api("POST", "/v1/asn/import", data=text.encode(), headers={"Content-Type": "text/csv"}, expect=200)
    assert appointments(api, person["nip"])[0][0] == "2013-03-01"


def test_the_first_row_moves_and_those_after_it_stay(api, office):
    person = make.person(api, office["id"], kind="CPNS", appointed_on="2015-03-01")
    make.history(api, person["nip"], "appointment", {"kind": "PNS"}, "2016-03-01")
    api.patch(f"/v1/asn/{person['nip']}", {"appointed_on": "2015-05-01"}, etag="*")
    assert [a[:3] for a in appointments(api, person["nip"])] == [("2015-05-01", "2016-03-01", "CPNS"), ("2016-03-01", None, "PNS")]
    api.patch(f"/v1/asn/{person['nip']}", {"appointed_on": "2017-05-01"}, etag="*")
    assert [a[:3] for a in appointments(api, person["nip"])] == [("2015-05-01", "2016-03-01", "CPNS"), ("2016-03-01", None, "PNS")], "behind the next it cannot go"


def test_what_a_decree_says_stays(api, office):
    person = make.person(api, office["id"], appointed_on="2015-03-01")
    path = f"/v1/asn/{person['nip']}/history"
    entry = api.get(f"{path}?kind=appointment").json["data"][0]
    api.put(f"{path}/{entry['id']}", {"kind": "appointment", "from": "2015-03-01", "facts": {"kind": "PNS"}, "decree_number": "813/1", "reason": "SK"}, etag="*")
    api.patch(f"/v1/asn/{person['nip']}", {"appointed_on": "2016-03-01"}, etag="*")
    assert appointments(api, person["nip"])[0][0] == "2015-03-01"
