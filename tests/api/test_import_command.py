# SPDX-License-Identifier: Apache-2.0
"""asnd import presence, standards and assessments: the same importers as the API's, without a network in between."""
import pytest

from support import daemon as daemons, make


def run(database, *arguments):
    return daemons.run(database, "import", *arguments).stdout


def files(nip):
    """Kind → (address of the API, the file with one row that is refused, where the taken one is then)."""
    return {
        "presence": ("/v1/presence/import", f"nip,month,present,late,source\n{nip},2025-02,20,1,SIAP\n{nip},2025-03,99,0,SIAP\n",
                     lambda sql: sql("SELECT present, late FROM presence_month p JOIN asn a ON a.id = p.asn_id WHERE a.nip = %s", (nip,)) == [(20, 1)]),
        "standards": ("/v1/competency-standards/import",
                      "position_kind,position,competency,level,valid_from,source\npelaksana,Penguji Berkas,integritas,2,2026-01-01,SK 1\npelaksana,Penguji Berkas,sulap,2,2026-01-01,SK 1\n",
                      lambda sql: sql("SELECT level FROM competency_standard WHERE position = 'Penguji Berkas'") == [(2,)]),
        "assessments": ("/v1/competency-assessments/import", f"nip,assessed_on,method,source,integritas\n{nip},2025-02-03,test,Tim Uji,2\n{nip},2025-02-04,sihir,Tim Uji,2\n",
                        lambda sql: sql("SELECT levels FROM competency_assessment t JOIN asn a ON a.id = t.asn_id WHERE a.nip = %s", (nip,)) == [({"integritas": 2},)]),
    }


@pytest.mark.parametrize("kind", ["presence", "standards", "assessments"])
def test_a_file_is_taken_as_over_http(kind, api, office, database, sql, tmp_path):
    nip = make.person(api, office["id"])["nip"]
    address, text, is_there = files(nip)[kind]
    file, rejects = tmp_path / "file.csv", tmp_path / "rejects.csv"
    file.write_text(text)
    assert "2 rows: 1 created, 0 updated, 0 unchanged, 1 refused" in run(database, kind, file, "--dry-run")
    assert not is_there(sql)
    assert "2 rows: 1 created, 0 updated, 0 unchanged, 1 refused" in run(database, kind, file, "--rejects", rejects)
    assert is_there(sql) and len(rejects.read_text().splitlines()) == 2
    assert "0 created, 0 updated, 1 unchanged, 1 refused" in run(database, kind, file)
    over_http = api("POST", address, data=text.encode(), headers={"Content-Type": "text/csv"}, expect=200).json
    assert (over_http["created"], over_http["unchanged"], over_http["refused"]) == (0, 1, 1)


@pytest.mark.parametrize("kind", ["presence", "standards"])
def test_what_a_batch_told_a_later_one_does_not_tell_otherwise(kind, api, office, database, tmp_path):
    """Behind 5,000 rows, a batch: the second is refused, and the file again changes nothing."""
    nip, file = make.person(api, office["id"])["nip"], tmp_path / "file.csv"
    if kind == "presence":
        people = [make.person(api, office["id"])["nip"] for _ in range(15)]
        rows = ["nip,month,present", f"{nip},2025-02,20", *(f"{n},{1990 + m // 12}-{1 + m % 12:02d},18" for n in people for m in range(348)), f"{nip},2025-02,19"]
    else:
        rows = ["position_kind,position,competency,level,valid_from", *(f"pelaksana,Jabatan {n},integritas,2,{2000 + n // 336}-{1 + n // 28 % 12:02d}-{1 + n % 28:02d}" for n in range(5220)),
                "pelaksana,jabatan 0,integritas,3,2000-01-01"]
    file.write_text("\n".join(rows) + "\n")
    n = len(rows) - 2
    for told in (f"{n} created, 0 updated, 0 unchanged, 1 refused", f"0 created, 0 updated, {n} unchanged, 1 refused"):
        assert told in daemons.run(database, "import", kind, file).stdout


def test_who_sent_it_is_told(api, office, database, tmp_path):
    nip = make.person(api, office["id"])["nip"]
    file = tmp_path / "asesmen.csv"
    file.write_text(f"nip,assessed_on,method,source,integritas\n{nip},2025-02-03,test,Tim Uji,2\n")
    run(database, "assessments", file)
    assert api.get("/v1/imports?kind=competency-assessment&limit=1").json["data"][0]["actor_name"] == "command line"
    assert api.get(f"/v1/competency-assessments?nip={nip}").json["data"][0]["actor_name"] == "command line"
