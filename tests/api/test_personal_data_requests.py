# SPDX-License-Identifier: Apache-2.0
"""What a person asks of his data: who may decide it, by when, and what he was told."""
import time
from datetime import datetime, timedelta, timezone

import pytest

from support import make
from support.client import Client
from support.issuer import Issuer

LIST = "/v1/data-requests"


@pytest.fixture(scope="module")
def issuer():
    made = Issuer()
    yield made
    made.close()


@pytest.fixture(scope="module")
def settings(issuer):
    return {"oidc_issuer": issuer.url, "oidc_audience": "asnd", "oidc_roles": "pegawai=role:employee,kepegawaian=role:personnel_officer"}


@pytest.fixture(scope="module")
def caller(daemon, issuer, office):
    def of(role, nip):
        return Client(daemon.url, issuer.token(realm_access={"roles": [role]}, nip=nip, units=[office["code"]], exp=int(time.time()) + 80000))
    return of


@pytest.fixture(scope="module")
def portal(api, keys):
    return api.as_key(keys("privacy.read", "privacy.write"))


@pytest.fixture(scope="module")
def bureau(api, keys):
    return api.as_key(keys("privacy.read", "privacy.decide", "request.read", "request.approve", "asn.read", "asn.write"))


@pytest.fixture
def person(api, office):
    return make.person(api, office["id"])


def path(request, what=""):
    return f"{LIST}/{request['id']}{what}"


def act(client, request, what, body=None, expect=200, etag="*"):
    return client.post(path(request, f"/{what}"), body, headers={"If-Match": etag}, expect=expect)


def moment(text):
    return datetime.fromisoformat(text)


def ago(hours):
    return (datetime.now(timezone.utc) - timedelta(hours=hours)).isoformat(timespec="seconds")


@pytest.mark.parametrize("kind", ["access", "correction", "restriction", "erasure", "objection"])
def test_the_clock_is_three_days_of_hours(kind, portal, person):
    made = make.data_request(portal, person["nip"], kind)
    assert moment(made["due_at"]) - moment(made["filed_at"]) == timedelta(hours=72)
    assert (made["state"], made["is_overdue"], made["is_by_office"]) == ("filed", False, True)
    assert portal.get(path(made)).json == made


def test_the_hours_are_data(portal, person, sql):
    sql("INSERT INTO data_request_rule VALUES ('erasure', '2025-01-01', 48, 'Uji', false, 'Uji')")
    early = make.data_request(portal, person["nip"], "erasure", filed_at="2024-12-30T01:00:00Z")
    late = make.data_request(portal, person["nip"], "erasure", filed_at="2025-01-06T01:00:00Z")
    sql("DELETE FROM data_request_rule WHERE starts = '2025-01-01'")
    assert [moment(r["due_at"]) - moment(r["filed_at"]) for r in (early, late)] == [timedelta(hours=72), timedelta(hours=48)]


def test_it_is_taken_decided_and_told(portal, bureau, person):
    made = make.data_request(portal, person["nip"])
    taken = act(bureau, made, "take", etag='"1"').json
    assert taken["state"] == "in_progress" and taken["version"] == 2
    assert act(bureau, made, "take", expect=409).code == "data-request-state"
    done = act(bureau, made, "close", {"outcome": "done", "reason": "Salinan diserahkan"}).json
    assert (done["state"], done["told"], done["told_at"]) == ("done", None, None) and done["decided_at"]
    told = act(bureau, made, "tell", {"told": "Salinan diserahkan lewat portal"}).json
    assert told["told"] == "Salinan diserahkan lewat portal" and told["told_at"] and not told["is_overdue"]
    assert act(bureau, made, "tell", {"told": "Lagi"}, expect=409).code == "data-request-state"
    assert act(bureau, made, "close", {"outcome": "done", "reason": "Lagi"}, expect=409).code == "request-decided"


def test_a_refusal_names_its_provision(portal, bureau, person):
    made = make.data_request(portal, person["nip"])
    reply = act(bureau, made, "close", {"outcome": "refused", "reason": "Mengungkap data orang lain"}, expect=422)
    assert (reply.code, reply.faults) == ("data-request-article", {"/article": "data-request-article"})
    assert act(bureau, made, "tell", {"told": "Belum"}, expect=409).code == "data-request-state"
    body = {"outcome": "refused", "reason": "Mengungkap data orang lain", "article": "UU 27/2022 Pasal 33", "told": "Ditolak"}
    done = act(bureau, made, "close", body).json
    assert (done["state"], done["article"], done["told"]) == ("refused", "UU 27/2022 Pasal 33", "Ditolak") and done["told_at"]


def test_what_is_late_is_told_and_nothing_is_refused(portal, bureau, person):
    late = make.data_request(portal, person["nip"], filed_at=ago(73))
    nearly = make.data_request(portal, person["nip"], filed_at=ago(71))
    mine = f"{LIST}?nip={person['nip']}"
    assert [r["id"] for r in portal.get(f"{mine}&overdue=true").json["data"]] == [late["id"]]
    assert [r["id"] for r in portal.get(f"{mine}&overdue=false").json["data"]] == [nearly["id"]]
    done = act(bureau, late, "close", {"outcome": "done", "reason": "Terlambat", "told": "Diserahkan"}).json
    assert done["is_overdue"], "told, and too late"


def test_nobody_decides_what_he_filed(api, keys, person):
    both = api.as_key(keys("privacy.read", "privacy.write", "privacy.decide"))
    made = make.data_request(both, person["nip"])
    assert act(both, made, "close", {"outcome": "done", "reason": "Sendiri"}, expect=409).code == "request-own"
    assert both.get(path(made)).json == made


def test_the_person_himself_and_his_own(caller, office, api):
    clerk, citizen = make.person(api, office["id"])["nip"], make.person(api, office["id"])["nip"]
    made = make.data_request(caller("pegawai", citizen), citizen)
    assert not made["is_by_office"]
    assert caller("pegawai", clerk).get(path(made), expect=404).code == "not-found"
    reply = caller("pegawai", clerk).post(LIST, {"nip": citizen, "kind": "access", "text": "x"}, expect=(404, 422))
    assert reply.code in ("not-found", "reference-missing")
    own = make.data_request(caller("pegawai", clerk), clerk)
    officer = caller("kepegawaian", clerk)
    for step, body in (("take", None), ("close", {"outcome": "done", "reason": "x"}), ("tell", {"told": "x"})):
        assert act(officer, own, step, body, expect=403).code == "own-record"
    assert act(officer, made, "take").json["state"] == "in_progress"
    assert act(caller("pegawai", citizen), made, "take", expect=403).code == "forbidden"


@pytest.mark.parametrize("end, state", [("approve", "done"), ("refuse", "refused")])
def test_a_correction_goes_with_its_change_request(end, state, api, keys, portal, bureau, person):
    proposer = api.as_key(keys("request.read", "request.write"))
    change = make.request(proposer, person["nip"])
    made = make.data_request(portal, person["nip"], "correction", change_request_id=change["id"])
    bureau.post(f"/v1/change-requests/{change['id']}/{end}", {"reason": "Sesuai bukti"}, headers={"If-Match": "*"}, expect=200)
    now = bureau.get(path(made)).json
    assert (now["state"], now["reason"], now["told_at"]) == (state, "Sesuai bukti", None)
    assert (now["article"] is not None) == (state == "refused")
    assert act(bureau, made, "tell", {"told": "Sudah diperbaiki"}).json["told_at"]


REFUSED = {
    "nobody": ({"nip": "199912312022031998"}, {"/nip": "reference-missing"}),
    "ahead": ({"filed_at": "2099-01-01T00:00:00Z"}, {"/filed_at": "data-request-ahead"}),
    "no-correction": ({"change_request_id": "own"}, {"/change_request_id": "data-request-no-correction"}),
    "another's": ({"kind": "correction", "change_request_id": "other"}, {"/change_request_id": "reference-missing"}),
    "no-kind": ({"kind": "curiosity"}, {"/kind": "enum"}),
    "no-text": ({"text": ""}, {"/text": "min-length"}),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused(name, api, keys, portal, person, office):
    proposer = api.as_key(keys("request.read", "request.write"))
    change, faults = REFUSED[name]
    whose = {"own": person["nip"], "other": make.person(api, office["id"])["nip"]}
    if "change_request_id" in change:
        change = {**change, "change_request_id": make.request(proposer, whose[change["change_request_id"]])["id"]}
    reply = portal.post(LIST, {"nip": person["nip"], "kind": "access", "text": "Mohon", **change}, expect=422)
    assert list(reply.faults) == list(faults) and (name in ("no-kind", "no-text") or reply.faults == faults)


def test_units_hold(api, keys, portal, person):
    made = make.data_request(portal, person["nip"])
    elsewhere = api.as_key(keys("privacy.read", "privacy.write", "privacy.decide", units=[make.unit(api)["code"]]))
    assert elsewhere.get(path(made), expect=404).code == "not-found"
    assert elsewhere.get(LIST).json["data"] == []
    assert act(elsewhere, made, "take", expect=404).code == "not-found"
    assert elsewhere.post(LIST, {"nip": person["nip"], "kind": "access", "text": "x"}, expect=422).faults == {"/nip": "reference-missing"}


def test_he_is_told_of_his_requests_too(api, portal, person):
    made = make.data_request(portal, person["nip"])
    told = {t["table"]: t["rows"] for t in api.get(f"/v1/asn/{person['nip']}/personal-data").json["sections"]}
    assert [r["id"] for r in told["data_request"]] == [made["id"]]
