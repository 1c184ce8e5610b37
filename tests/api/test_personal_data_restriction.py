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
