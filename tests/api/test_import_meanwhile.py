# SPDX-License-Identifier: Apache-2.0
"""What others do while a file is read. Their transaction is open, and holds what the import needs, when the rows are looked up; it ends
when the import waits for it. Nothing that they stored is lost, and the file's own word is stored too."""
from contextlib import contextmanager

import pytest

from support import make, postgres
from support.daemon import StreamReader

HEAD = "nip,kind,name,unit_code"
WAITING = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"


def send(api, content, path="/v1/asn/import"):
    return api("POST", path, data=content.encode(), headers={"Content-Type": "text/csv"}, expect=200).json


@pytest.fixture
def meanwhile(api, database, sql):
    """Runs a statement, sends a file while its transaction is open, commits when the import waits; gives the report."""
    @contextmanager
    def open_transaction(statement, parameters):
        with postgres.connected(database, autocommit=False) as theirs, theirs.cursor() as cursor:
            cursor.execute(statement, parameters)
            yield theirs

    def run(statement, parameters, content, path="/v1/asn/import"):
        with open_transaction(statement, parameters) as theirs:
            sent = StreamReader(send, api, content, path)
            while sql(WAITING)[0][0] == 0:
                assert sent.is_alive(), sent.get()
            theirs.commit()
        return sent.get()
    return run


def counts(report):
    return tuple(report[k] for k in ("rows", "created", "updated", "unchanged", "refused"))


def test_a_change_of_a_person_outlives_the_import_that_waited_for_it(api, office, meanwhile):
    before = [make.person(api, office["id"], phone="081200000001", position="Analis") for _ in range(3)]
    rows = "".join(f"{p['nip']},PNS,Nama Baru {i},{office['code']}\n" for i, p in enumerate(before))
    report = meanwhile("UPDATE asn SET phone = '081299999999', position = 'Perencana' WHERE nip = %s", (before[1]["nip"],), f"{HEAD}\n{rows}")
    assert counts(report) == (3, 0, 3, 0, 0), report
    after = [api.get(f"/v1/asn/{p['nip']}").json for p in before]
    assert [p["name"] for p in after] == ["Nama Baru 0", "Nama Baru 1", "Nama Baru 2"]
    assert [(p["phone"], p["position"], p["version"]) for p in after] == [("081200000001", "Analis", 2), ("081299999999", "Perencana", 3),
                                                                          ("081200000001", "Analis", 2)]


def test_what_the_change_made_equal_is_unchanged(api, office, meanwhile):
    person = make.person(api, office["id"])
    report = meanwhile("UPDATE asn SET name = 'Sudah Diganti' WHERE nip = %s", (person["nip"],),
                       f"{HEAD}\n{person['nip']},PNS,Sudah Diganti,{office['code']}\n")
    assert counts(report) == (1, 0, 0, 1, 0), report
    assert api.get(f"/v1/asn/{person['nip']}").json["version"] == 2


def test_who_is_registered_meanwhile_is_updated_and_not_written_over(api, office, meanwhile):
    nip = make.nip()
    report = meanwhile("INSERT INTO asn (id, nip, kind, name, birth_date, sex, unit_id, legal_status, phone) "
                       "VALUES (gen_random_uuid(), %s, 'PNS', 'Terdaftar', '1990-01-15', 'M', %s, '01', '081200000002')", (nip, office["id"]),
                       f"{HEAD}\n{nip},PNS,Dari Berkas,{office['code']}\n{make.nip()},PNS,Lain,{office['code']}\n")
    assert counts(report) == (2, 1, 1, 0, 0), report
    person = api.get(f"/v1/asn/{nip}").json
    assert (person["name"], person["phone"]) == ("Dari Berkas", "081200000002")


def test_the_same_person_twice_is_still_told_when_the_first_had_to_wait(api, office, meanwhile):
    person = make.person(api, office["id"])
    row = f"{person['nip']},PNS,Dua Kali,{office['code']}\n"
    report = meanwhile("UPDATE asn SET phone = '081200000003' WHERE nip = %s", (person["nip"],), f"{HEAD}\n{row}{row.replace('Dua', 'Tiga')}{row}")
    assert counts(report) == (3, 0, 1, 1, 1) and [(f["line"], f["code"]) for f in report["faults"]] == [(3, "duplicate-row")], report
    assert api.get(f"/v1/asn/{person['nip']}").json["phone"] == "081200000003"


def test_ids_are_put_also_when_one_of_the_file_had_to_wait(api, office, meanwhile):
    waits, goes = (make.person(api, office["id"]) for _ in range(2))
    rows = "".join(f"{p['nip']},PNS,{p['name']},{office['code']},S-{p['nip']}\n" for p in (waits, goes))
    report = meanwhile("UPDATE asn SET phone = '081200000004' WHERE nip = %s", (waits["nip"],), f"{HEAD},siasn_id\n{rows.replace(waits['name'], 'Nama Lain', 1)}")
    assert counts(report) == (2, 0, 2, 0, 0), report
    for person in (waits, goes):
        assert api.get(f"/v1/asn/{person['nip']}/external-ids").json["external_ids"] == {"siasn": f"S-{person['nip']}"}


def test_a_change_of_a_unit_outlives_the_import_that_waited_for_it(api, office, meanwhile):
    unit = make.unit(api, office["id"])
    report = meanwhile("UPDATE unit SET is_active = false WHERE id = %s", (unit["id"],),
                       f"code,name,kind\n{unit['code']},Nama Baru,bidang\n", "/v1/units/import")
    assert counts(report) == (1, 0, 1, 0, 0), report
    after = api.get(f"/v1/units/{unit['id']}").json
    assert (after["name"], after["is_active"], after["parent_id"]) == ("Nama Baru", False, office["id"])


def test_a_unit_gets_no_new_code_while_an_import_may_be_making_it(api, office, database, sql):
    unit, code = make.unit(api, office["id"]), f"N{make.number():05d}"
    with postgres.connected(database, autocommit=False) as theirs, theirs.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(1918, 1)")
        sent = StreamReader(lambda: api.patch(f"/v1/units/{unit['id']}", {"code": code}, etag=f'"{unit["version"]}"', expect=409))
        while sql(WAITING)[0][0] == 0:
            assert sent.is_alive(), sent.get()
        cursor.execute("INSERT INTO unit (id, code, name, kind, parent_id) VALUES (gen_random_uuid(), %s, 'Baru', 'bidang', %s)", (code, office["id"]))
        theirs.commit()
    assert sent.get().faults == {"/code": "unit-code-taken"}
