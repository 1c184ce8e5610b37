# SPDX-License-Identifier: Apache-2.0
"""While the processing of somebody's data is restricted the personnel office alone changes them; what the law asks for goes on."""
import time

import pytest

from support import make
from support.client import Client
from support.issuer import Issuer

LIST = "/v1/restrictions"


@pytest.fixture(scope="module")
def issuer():
    made = Issuer()
    yield made
    made.close()


@pytest.fixture(scope="module")
def settings(issuer):
    return {"oidc_issuer": issuer.url, "oidc_audience": "asnd", "oidc_roles": "pegawai=role:employee,kepegawaian=role:personnel_officer,unit=role:unit_officer"}


@pytest.fixture(scope="module")
def caller(daemon, issuer, office):
    def of(role, nip):
        return Client(daemon.url, issuer.token(realm_access={"roles": [role]}, nip=nip, units=[office["code"]], exp=int(time.time()) + 80000))
    return of


@pytest.fixture(scope="module")
def officer(caller, api, office):
    return caller("kepegawaian", make.person(api, office["id"])["nip"])


@pytest.fixture(scope="module")
def portal(api, keys):
    """An application that writes, and is not the personnel office."""
    return api.as_key(keys("asn.read", "asn.write", "asn.discipline", "unit.read", "privacy.read"))


@pytest.fixture
def person(api, office):
    return make.person(api, office["id"])


@pytest.fixture
def restricted(officer, person):
    return {**person, "restriction": make.restriction(officer, person["nip"])}


def test_the_record_is_the_offices_alone(api, portal, officer, restricted):
    path = f"/v1/asn/{restricted['nip']}"
    reply = portal.patch(path, {"birth_place": "Majene"}, etag="*", expect=409)
    assert reply.code == "restricted" and portal.get(path).json["birth_place"] == restricted["birth_place"]
    assert officer.patch(path, {"birth_place": "Majene"}, etag="*").json["birth_place"] == "Majene"
    assert api.patch(path, {"birth_place": "Polewali"}, etag="*").status == 200


def test_so_are_histories_and_documents(portal, officer, restricted):
    nip, row = restricted["nip"], {"kind": "rank", "from": "2020-04-01", "facts": {"rank": "III/a"}}
    assert portal.post(f"/v1/asn/{nip}/history", row, expect=409).code == "restricted"
    made = officer.post(f"/v1/asn/{nip}/history", row, expect=201).json
    assert portal.post(f"/v1/asn/{nip}/history/{made['id']}/annul", {"reason": "x"}, headers={"If-Match": "*"}, expect=409).code == "restricted"


def test_others_are_not_held(portal, restricted, api, office):
    other = make.person(api, office["id"])
    assert portal.patch(f"/v1/asn/{other['nip']}", {"birth_place": "Majene"}, etag="*").status == 200


def test_what_the_law_asks_for_goes_on(api, keys, restricted):
    nip = restricted["nip"]
    trainer = api.as_key(keys("training.read", "training.write", "performance.read", "performance.write"))
    assert make.enrol(trainer, make.session(api)["id"], nip)["nip"] == nip
    assert make.evaluation(trainer, nip, make.period(api)["id"])["nip"] == nip


def test_from_a_day_to_a_day(portal, officer, person):
    path = f"/v1/asn/{person['nip']}"
    make.restriction(officer, person["nip"], start="2020-01-01", to="2020-06-01")
    make.restriction(officer, person["nip"], start="2090-01-01")
    assert portal.patch(path, {"birth_place": "Majene"}, etag="*").status == 200
    today = make.today().isoformat()
    make.restriction(officer, person["nip"], start="2020-06-01", to=today)
    assert portal.patch(path, {"birth_place": "Mamuju"}, etag="*").status == 200, "the last day is not in it"
    assert [r["is_active"] for r in portal.get(f"{LIST}?nip={person['nip']}").json["data"]] == [False, False, False]
    make.restriction(officer, person["nip"], start=today, to="2089-01-01")
    assert portal.patch(path, {"birth_place": "Majene"}, etag="*", expect=409).code == "restricted"
    assert len(portal.get(f"{LIST}?nip={person['nip']}&active=true").json["data"]) == 1


def test_it_is_ended(portal, officer, restricted):
    path, today = f"{LIST}/{restricted['restriction']['id']}", make.today().isoformat()
    assert officer.post(f"{path}/end", {"on": "2019-01-01", "reason": "x"}, headers={"If-Match": "*"}, expect=422).faults == {"/on": "restriction-day"}
    done = officer.post(f"{path}/end", {"on": today, "reason": "Sudah diperiksa"}, headers={"If-Match": '"1"'}, expect=200).json
    assert (done["to"], done["is_active"], done["end_reason"]) == (today, False, "Sudah diperiksa") and officer.get(path).json == done
    assert portal.patch(f"/v1/asn/{restricted['nip']}", {"birth_place": "Majene"}, etag="*").status == 200
    assert officer.post(f"{path}/end", {"on": today, "reason": "x"}, headers={"If-Match": "*"}, expect=409).code == "restriction-over"


def test_two_do_not_overlap(officer, restricted):
    reply = make.restriction(officer, restricted["nip"], start="2026-06-01", expect=409)
    assert reply["code"] == "restriction-overlap"
    assert make.restriction(officer, restricted["nip"], start="2025-06-01", to="2025-01-01", expect=422)["code"] == "invalid"


def test_it_names_the_request_that_asked(api, officer, keys, person, office):
    asked = make.data_request(api, person["nip"], "restriction")
    assert make.restriction(officer, person["nip"], data_request_id=asked["id"])["data_request_id"] == asked["id"]
    other = make.person(api, office["id"])
    reply = officer.post(LIST, {"nip": other["nip"], "from": "2026-01-05", "ground": "x", "data_request_id": asked["id"]}, expect=422)
    assert reply.faults == {"/data_request_id": "reference-missing"}


def test_who(api, caller, portal, office, keys):
    clerk = make.person(api, office["id"])["nip"]
    body = {"nip": clerk, "from": "2026-01-05", "ground": "x"}
    assert caller("kepegawaian", clerk).post(LIST, body, expect=403).code == "own-record"
    for client in (caller("unit", clerk), portal):
        assert client.post(LIST, body, expect=403).code == "forbidden"
    made = make.restriction(api, clerk)
    assert caller("pegawai", clerk).get(f"{LIST}/{made['id']}").json == made
    elsewhere = api.as_key(keys("privacy.read", "privacy.restrict", units=[make.unit(api)["code"]]))
    assert elsewhere.get(f"{LIST}/{made['id']}", expect=404).code == "not-found"
    assert elsewhere.post(LIST, body, expect=422).faults == {"/nip": "reference-missing"}


def test_each_table_of_a_person_is_held_or_says_why_not(sql):
    named = {r for r, in sql("SELECT relation FROM row_rule WHERE of = 'asn' UNION SELECT 'asn'")}
    assert named - {r for r, in sql("SELECT relation FROM restriction_scope")} == set()
    bare = sql("SELECT relation FROM restriction_scope s WHERE is_held AND 3 <> (SELECT count(*) FROM pg_trigger t WHERE t.tgrelid = to_regclass(s.relation) AND t.tgname ~ '_80_restricted_')")
    assert bare == []


# ── reading ──
NIK, PHONE, EMAIL = "7602011501900001", "081234567890", "dibatasi@example.go.id"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@pytest.fixture(scope="module")
def seen(api, officer, caller):
    """Two people of a unit of their own, one of them restricted."""
    unit = make.unit(api)
    held, free = (make.person(api, unit["id"], nik=NIK[:-1] + str(n), phone=PHONE[:-1] + str(n), email=EMAIL) for n in (1, 2))
    make.history(api, held["nip"], "discipline", {"level": "ringan", "punishment": "21"}, "2024-04-01")
    document, request = make.document(api, held["nip"]), make.request(api, held["nip"], record={"phone": "081234567899", "birth_place": "Majene"})
    restriction = make.restriction(api, held["nip"])
    return {"unit": unit, "held": held, "free": free, "document": document, "request": request, "restriction": restriction}


@pytest.fixture(scope="module")
def reader(api, keys):
    """Sees what is sensitive, and is not the personnel office."""
    return api.as_key(keys("asn.read", "asn.sensitive", "asn.discipline", "asn.write", "document.read", "request.read"))


def test_the_record_says_so_and_keeps_what_is_sensitive(api, reader, seen, sql):
    before = sql("SELECT max(id) FROM audit_entry")[0][0]
    shown = reader.get(f"/v1/asn/{seen['held']['nip']}").json
    assert shown["restricted"] is True and shown["name"] == seen["held"]["name"] and shown["birth_place"] == seen["held"]["birth_place"]
    assert not {"nik", "phone", "email", "nik_warnings"} & shown.keys()
    assert sql("SELECT count(*) FROM audit_entry WHERE id > %s AND operation = 'getAsn'", (before,))[0][0] == 0, "nothing sensitive was shown"
    other = reader.get(f"/v1/asn/{seen['free']['nip']}").json
    assert (other["restricted"], other["phone"], other["email"]) == (False, seen["free"]["phone"], EMAIL)
    assert reader.get(f"/v1/asn/{seen['held']['nip']}?as_of=2026-06-01").json.keys() == shown.keys()


def test_the_office_and_the_person_see_all(api, reader, caller, officer, seen, sql):
    shown = api.get(f"/v1/asn/{seen['held']['nip']}").json
    assert shown["restricted"] is True and shown["phone"] == seen["held"]["phone"] and shown["nik"] == seen["held"]["nik"]
    own = caller("pegawai", seen["held"]["nip"])
    mine = own.get(f"/v1/asn/{seen['held']['nip']}").json
    assert mine["restricted"] is True and mine["phone"] == seen["held"]["phone"]


@pytest.mark.parametrize("form", ["application/json", "text/csv", "application/x-ndjson", XLSX])
def test_so_does_every_list_and_file(form, reader, seen):
    for more in ("", "&fields=nip,nik,phone,email", f"&q={seen['held']['nip']}"):
        reply = reader.get(f"/v1/asn?unit_id={seen['unit']['id']}{more}", headers={"Accept": form})
        text = "\n".join(str(c) for row in sheet_rows(reply.bytes) for c in row) if form == XLSX else reply.text
        assert seen["held"]["nip"] in text and seen["held"]["phone"] not in text and seen["held"]["nik"] not in text
        assert more.startswith("&q") or seen["free"]["phone"] in text
    rows = {r["nip"]: r for r in reader.get(f"/v1/asn?unit_id={seen['unit']['id']}").json["data"]}
    assert [rows[seen[k]["nip"]]["restricted"] for k in ("held", "free")] == [True, False]


def sheet_rows(content):
    from io import BytesIO
    from zipfile import ZipFile
    with ZipFile(BytesIO(content)) as book:
        return [[book.read(name).decode() for name in book.namelist() if name.startswith("xl/worksheets") or "sharedStrings" in name]]


def test_discipline_documents_and_proposals_are_kept_too(api, reader, officer, seen):
    nip = seen["held"]["nip"]
    assert [r for r in reader.get(f"/v1/asn/{nip}/history?limit=200").json["data"] if r["kind"] == "discipline"] == []
    (row,) = api.get(f"/v1/asn/{nip}/history?kind=discipline").json["data"]
    assert reader.get(f"/v1/asn/{nip}/history/{row['id']}", expect=404).code == "not-found"
    assert reader.get(f"/v1/asn/{nip}/history/{row['id']}/versions").json["data"] == []
    path = f"/v1/documents/{seen['document']['id']}/content"
    assert reader.get(path, expect=409).code == "restricted"
    assert api.get(path).status == 200
    for told in (reader.get(f"/v1/change-requests/{seen['request']['id']}").json, reader.get(f"/v1/change-requests?nip={nip}").json["data"][0]):
        assert told["record"] == {"birth_place": "Majene"}
    assert api.get(f"/v1/change-requests/{seen['request']['id']}").json["record"]["phone"] == "081234567899"


def test_so_is_what_a_decision_answers(api, keys, seen):
    request = make.request(api, seen["held"]["nip"], record={"phone": "081234567898", "birth_place": "Mamuju"})
    decider = api.as_key(keys("request.read", "request.approve", "asn.sensitive"))
    told = decider.post(f"/v1/change-requests/{request['id']}/refuse", {"reason": "Tidak lengkap"}, headers={"If-Match": "*"}, expect=200).json
    assert told["state"] == "refused" and told["record"] == {"birth_place": "Mamuju"}


def test_what_a_change_answers_is_kept_too_and_all_comes_back_at_the_end(api, reader, officer, seen):
    other = make.person(api, seen["unit"]["id"], phone="081234567895")
    assert reader.patch(f"/v1/asn/{other['nip']}", {"birth_place": "Majene"}, etag="*").json["restricted"] is False
    made = make.restriction(api, other["nip"])
    assert "phone" not in reader.get(f"/v1/asn/{other['nip']}").json
    api.post(f"{LIST}/{made['id']}/end", {"on": make.today().isoformat(), "reason": "x"}, headers={"If-Match": "*"}, expect=200)
    assert reader.get(f"/v1/asn/{other['nip']}").json["phone"] == "081234567895"


def test_counts_and_reports_go_on(api, reader, seen):
    """Figures name nobody; reports of people have nothing sensitive."""
    assert reader.get(f"/v1/asn?unit_id={seen['unit']['id']}&count=exact").json["page"]["count"] >= 2
    assert seen["held"]["nip"] in api.get("/v1/reports/nominatif?under=" + seen["unit"]["id"]).text
