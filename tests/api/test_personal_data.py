# SPDX-License-Identifier: Apache-2.0
"""What a person is told of what is kept of him: all of it, with who did what, and nothing of anybody else."""
import json
import re
import subprocess
import time

import pytest

from support import make
from support import postgres
from support.client import Client
from support.issuer import Issuer

NIK, PHONE, EMAIL = "7602011501900031", "081234567831", "uji.pribadi@example.go.id"


@pytest.fixture(scope="module")
def issuer():
    made = Issuer()
    yield made
    made.close()


@pytest.fixture(scope="module")
def settings(issuer):
    return {"oidc_issuer": issuer.url, "oidc_audience": "asnd",
            "oidc_roles": "pegawai=role:employee,kepegawaian=role:personnel_officer,pemeriksa=role:auditor,unit=role:unit_officer"}


@pytest.fixture(scope="module")
def caller(daemon, issuer, office):
    def of(role, nip):
        return Client(daemon.url, issuer.token(realm_access={"roles": [role]}, nip=nip, units=[office["code"]], exp=int(time.time()) + 80000))
    return of


@pytest.fixture(scope="module")
def lived(api, office, keys):
    """Somebody with something of everything, his assessor, and a colleague."""
    person = make.person(api, office["id"], nik=NIK, phone=PHONE, email=EMAIL, name="Pegawai Lengkap")
    chief = make.person(api, office["id"], nik="7602011501900032", name="Atasan Rahasia")
    other = make.person(api, office["id"], nik="7602011501900033", name="Rekan Rahasia")
    nip, period = person["nip"], make.period(api)
    make.agreed(api, chief["nip"], period["id"])
    above = api.get(f"/v1/skps?nip={chief['nip']}").json["data"][0]
    served = api.get(f"/v1/skps/{above['id']}/results").json["data"][0]
    skp = make.skp(api, nip, period["id"], assessor_nip=chief["nip"])
    make.planned(api, skp["id"], make.result(api, skp["id"], superior_result_id=served["id"], cascade="langsung")["id"])
    for step in ("propose", "approve"):
        make.act_skp(api, skp["id"], step)
    finished = make.final(api, nip, make.period(api)["id"])
    api.post(f"/v1/evaluations/{finished['id']}/objections", {"text": "Belum dihitung"}, expect=201)
    make.history(api, nip, "rank", {"rank": "III/a"}, "2016-04-01")
    make.document(api, nip)
    make.external(api.as_key(keys("admin", "request.write")), nip)
    make.assessment(api, nip, {"integritas": 1})
    make.plan(api, nip)
    make.improvement(api, nip)
    make.request(api.as_key(keys("admin", "request.write")), nip)
    api.put(f"/v1/asn/{nip}/external-ids/siasn", {"value": "A8ACA7397AEB3931"})
    enrolment = make.enrol(api, make.session(api)["id"], nip)
    make.document(api, other["nip"])
    return {"person": person, "chief": chief, "other": other, "nip": nip, "enrolment": enrolment, "skp": skp}


def path(nip, what=""):
    return f"/v1/asn/{nip}/personal-data{what}"


def tables(reply):
    return {t["table"]: t["rows"] for t in reply.json["sections"]}


def test_all_of_it_is_told(api, lived):
    told = tables(api.get(path(lived["nip"])))
    record = told["asn"][0]
    assert (record["nik"], record["phone"], record["email"], record["unit"]) == (NIK, PHONE, EMAIL, "Dinas Uji")
    full = {"asn", "external_id", "history", "document", "enrolment", "enrolment_step_taken", "external_certificate", "competency_assessment", "development_plan",
            "development_plan_line", "skp", "skp_edition", "skp_result", "skp_indicator", "evaluation", "objection", "improvement_plan", "change_request"}
    assert {name for name in full if not told[name]} == set()
    assert told["enrolment"][0]["id"] == lived["enrolment"]["id"] and told["enrolment"][0]["session"]


def test_every_row_of_a_person_is_there_and_of_nobody_else(api, lived, sql):
    """Held against the database by a way of its own: each table with a column of the person."""
    told, which = tables(api.get(path(lived["nip"]))), lived["person"]["id"]
    direct = [r for r, in sql("SELECT relation FROM export_table JOIN row_rule USING (relation) WHERE row_rule.place = 'asn_id'")]
    assert len(direct) > 15
    for relation in direct:
        assert len(told[relation]) == sql(f"SELECT count(*) FROM {relation} WHERE asn_id = %s", (which,))[0][0], relation
    own = sql("SELECT count(*) FROM skp_result r JOIN skp s ON s.id = r.skp_id WHERE s.asn_id = %s", (which,))[0][0]
    assert len(told["skp_result"]) == own == 1


def test_nothing_of_other_people_is_told(api, lived):
    text = api.get(path(lived["nip"])).text
    for person in (lived["chief"], lived["other"]):
        assert person["nip"] not in text and person["name"] not in text and person["id"] not in text
    assert tables(api.get(path(lived["nip"])))["skp"][0]["assessor_id"] == "***"


def test_nothing_was_forgotten(sql):
    """Whoever adds a table with data of a person says in export_table or export_exempt what becomes of it, and in export_column who else stands in it."""
    assert sql("SELECT * FROM export_faults()") == []
    held = {r for r, in sql("SELECT relation FROM row_rule UNION SELECT conrelid::regclass::text FROM pg_constraint WHERE contype = 'f' AND confrelid = 'asn'::regclass")}
    decided = {r for r, in sql("SELECT relation FROM export_table UNION ALL SELECT relation FROM export_exempt")}
    assert held - decided == set()


FORGETTING = {
    "a-table": ("CREATE TABLE left_out (id uuid PRIMARY KEY, asn_id uuid REFERENCES asn (id))", "the table left_out names a person"),
    "a-part": ("CREATE TABLE left_out (id uuid PRIMARY KEY, skp_id uuid REFERENCES skp (id))", "the table left_out names a person"),
    "a-loose-table": ("CREATE TABLE left_out (id uuid PRIMARY KEY, nip text)", "the table left_out names a person"),
    "another-person": ("ALTER TABLE document ADD keeper_id uuid REFERENCES asn (id)", "document.keeper_id looks as if"),
    "another-name": ("ALTER TABLE document ADD keeper_name text", "document.keeper_name looks as if"),
    "no-rule": ("INSERT INTO export_table VALUES ('unit', 'record', 999, 'x')", "whose the rows of unit are"),
}


@pytest.mark.parametrize("what", FORGETTING)
def test_what_is_forgotten_is_told(what, database):
    statement, words = FORGETTING[what]
    with postgres.connected(database, autocommit=False) as connection, connection.cursor() as cursor:
        cursor.execute(statement)
        cursor.execute("SELECT * FROM export_faults()")
        found = [row[0] for row in cursor.fetchall()]
        assert len(found) == 1 and found[0].startswith(words), found


def test_the_trail_says_who_did_what(api, keys, lived, office):
    person = make.person(api, office["id"], nik="7602011501900034", phone="081234567834")
    reader = api.as_key(keys("asn.read", "asn.sensitive"))
    reader.get(f"/v1/asn/{person['nip']}")
    api.patch(f"/v1/asn/{person['nip']}", {"phone": "081234567835"}, etag="*")
    told = api.get(path(person["nip"])).json
    deeds = [(e["operation"], e["action"], e["entity"]) for e in told["trail"]]
    assert ("createAsn", "create", "asn") in deeds and ("updateAsn", "update", "asn") in deeds and told["trail_total"] == len(told["trail"])
    read = next(e for e in told["trail"] if e["operation"] == "getAsn")
    assert read["members"] == ["nik", "phone"] and read["alone"] and read["name"]
    changed = next(e for e in told["trail"] if (e["operation"], e["entity"]) == ("updateAsn", "asn"))
    assert "phone" in changed["members"] and "081234567835" not in json.dumps(told["trail"])


def test_reading_it_is_a_reading(api, lived):
    for what in ("", "/pdf"):
        reply = api.get(path(lived["nip"], what))
        entry = api.get(f"/v1/asn/{lived['nip']}/processing-trail?action=read&limit=1").json["data"][0]
        assert (entry["operation"], entry["request_id"]) == ("getPersonalData" + what[1:].title(), reply.headers["X-Request-Id"])


def test_the_trail_is_asked_by_what_was_done_and_when(api, lived):
    trail = f"/v1/asn/{lived['nip']}/processing-trail"
    whole = api.get(f"{trail}?limit=1000").json["data"]
    reads = api.get(f"{trail}?action=read&limit=1000").json["data"]
    assert {e["action"] for e in reads} == {"read"} and len(reads) < len(whole)
    assert api.get(f"{trail}?until=2020-01-01T00:00:00Z").json["data"] == []
    rows, _ = api.walk(f"{trail}?limit=7")
    assert rows == whole


def test_what_is_on_paper(api, lived, tmp_path):
    reply = api.get(path(lived["nip"], "/pdf"))
    assert reply.type == "application/pdf" and reply.headers["Content-Disposition"] == f'attachment; filename="data-pribadi-{lived["nip"]}.pdf"'
    file = tmp_path / "data.pdf"
    file.write_bytes(reply.bytes)
    text = subprocess.run(["pdftotext", "-layout", str(file), "-"], capture_output=True, text=True, timeout=60, check=True).stdout
    for word in ("RINGKASAN DATA PRIBADI", f"NIP: {lived['nip']}", f"NIK: {NIK}", "Kedudukan hukum: Aktif (01)", "Tanggal lahir: 15-01-1990", "Unit kerja: ", "Kepesertaan pelatihan: 1 baris", "createAsn", "Halaman 1", "3 x 24 jam"):
        assert word in text, word
    done = re.findall(r" - (\w+): (\d+) kali, (\d\d-\d\d-\d{4}) sampai (\d\d-\d\d-\d{4})", text)
    assert dict((o, n) for o, n, *_ in done)["createAsn"] == "1", "what was done once left more than one entry, and counts once"
    assert f"Dibuat pada: {make.today():%d-%m-%Y}" in text and {days[1] for _, _, *days in done} <= {f"{make.today():%d-%m-%Y}"}, "by the office's day"
    assert not re.search(r"^ *(id|unit_id|birth_date|legal_status|updated_at):", text, re.M), "in its own language"
    assert lived["chief"]["name"] not in text and lived["chief"]["nip"] not in text


def test_long_names_and_many_lines_go_on(api, office, tmp_path):
    person = make.person(api, office["id"], name="Nür " + "Panjang" * 20, birth_place="Đông " + "x" * 90)
    for n in range(70):
        api.patch(f"/v1/asn/{person['nip']}", {"birth_place": f"Kota {n}"}, etag="*")
    file = tmp_path / "data.pdf"
    file.write_bytes(api.get(path(person["nip"], "/pdf")).bytes)
    assert subprocess.run(["pdfinfo", str(file)], capture_output=True, text=True, timeout=60, check=True).stdout


# ── who ──

def test_oneself_and_the_office(caller, lived):
    nip, other = lived["nip"], lived["other"]["nip"]
    self_ = caller("pegawai", nip)
    assert self_.get(path(nip)).json["nip"] == nip
    assert tables(self_.get(path(nip)))["asn"][0]["nik"] == NIK
    assert self_.get(path(other), expect=404).code == "not-found"
    assert caller("kepegawaian", other).get(path(nip)).status == 200
    for role in ("unit", "pemeriksa"):
        for what in ("", "/pdf"):
            assert caller(role, other).get(path(nip, what), expect=403).code == "forbidden"


@pytest.mark.parametrize("lacks", ["asn.read", "asn.sensitive", "asn.discipline"])
def test_a_key_needs_all_three_scopes(lacks, api, keys, lived):
    held = {"asn.read", "asn.sensitive", "asn.discipline"} - {lacks}
    assert api.as_key(keys(*held)).get(path(lived["nip"]), expect=403).code == "forbidden"


@pytest.mark.parametrize("what", ["", "/pdf"])
def test_whoever_is_not_there_or_elsewhere(what, api, keys, lived):
    assert api.get(path("199912312022031998", what), expect=404).code == "not-found"
    elsewhere = make.unit(api)
    bound = api.as_key(keys("asn.read", "asn.sensitive", "asn.discipline", units=[elsewhere["code"]]))
    assert bound.get(path(lived["nip"], what), expect=404).code == "not-found"


def test_a_key_of_the_unit_is_told_the_same(api, keys, lived, office):
    """Row security holds a bound caller a second time: nothing of it falls out."""
    bound = api.as_key(keys("asn.read", "asn.sensitive", "asn.discipline", units=[office["code"]]))
    assert tables(bound.get(path(lived["nip"]))) == tables(api.get(path(lived["nip"])))
