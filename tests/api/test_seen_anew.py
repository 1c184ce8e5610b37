# SPDX-License-Identifier: Apache-2.0
"""What is shown a second time, or beside what was asked for, is shown by what the caller may see now, is noted as any reading is, and not while the person's data are restricted."""
import pytest

from support import make

@pytest.fixture(scope="module")
def settings():
    return {"key_cache_ms": 0}


@pytest.fixture
def person(api, office):
    return make.person(api, office["id"], email="uji@example.go.id", phone="081234567000")


@pytest.fixture
def clerk_key(api, office):
    return make.key(api, scopes=["asn.read", "asn.write", "asn.sensitive", "asn.discipline", "request.read", "request.write", "request.approve", "unit.read"])


@pytest.fixture
def clerk(api, clerk_key):
    """May see all that is sensitive, and is not the personnel office."""
    return api.as_key(clerk_key["secret"])


def readings(api, key, operation):
    return api.get(f"/v1/audit/entries?actor={key['id']}&action=read&operation={operation}").json["data"]


def penalty(api, nip):
    return api.post(f"/v1/asn/{nip}/history", {"kind": "discipline", "from": "2026-10-01",
                                               "facts": {"level": "berat", "violation": "Rahasia"}}, expect=201).json


def proposal(client, person, **more):
    return client.post("/v1/change-requests", {"nip": person["nip"], "record": {"email": "baru@example.go.id", "phone": "081234567999"}, "proof_text": "x", **more},
                       expect=201).json


# ── what stood there before a proposal ──


@pytest.mark.parametrize("prefer", [None, "dry-run"])
def test_what_a_proposal_would_replace_is_a_reading(prefer, api, clerk, clerk_key, person):
    body = {"nip": person["nip"], "record": {"email": "baru@example.go.id"}, "proof_text": "x"}
    told = clerk.post("/v1/change-requests", body, headers={"Prefer": prefer} if prefer else {}, expect=201).json
    assert told["before"]["email"] == "uji@example.go.id"
    assert len(readings(api, clerk_key, "createChangeRequest")) == 1


def test_of_whom_is_restricted_it_is_not_there(api, clerk, clerk_key, person):
    make.restriction(api, person["nip"])
    told = clerk.post("/v1/change-requests", {"nip": person["nip"], "record": {"email": "baru@example.go.id", "birth_place": "Majene"}, "proof_text": "x"}, headers={"Prefer": "dry-run"},
                      expect=201).json
    assert set(told["before"]) == {"birth_place"} and readings(api, clerk_key, "createChangeRequest") == []


# ── a kept answer ──


@pytest.fixture
def kept(api, clerk, person):
    """A decision whose answer shows what is sensitive, and the same once more."""
    request = proposal(api, person)

    def again(expect):
        return clerk.post(f"/v1/change-requests/{request['id']}/approve", {}, headers={"If-Match": '"1"', "Idempotency-Key": f"sekali-{request['id']}"}, expect=expect)
    assert again(200).json["before"]["email"] == "uji@example.go.id"
    return again


def change_key(api, key, **members):
    api.patch(f"/v1/keys/{key['id']}", members, etag="*")


def test_it_is_given_again_and_noted_again(api, kept, clerk_key):
    before = len(readings(api, clerk_key, "approveChangeRequest"))
    assert kept(200).json["before"]["email"] == "uji@example.go.id"
    assert len(readings(api, clerk_key, "approveChangeRequest")) == before + 1


def test_not_to_whom_may_see_less(api, kept, clerk_key):
    change_key(api, clerk_key, scopes=["asn.read", "request.read", "request.approve"])
    reply = kept(409)
    assert reply.code == "idempotency-unseen" and b"uji@example" not in reply.bytes


def test_not_to_whom_has_other_units(api, kept, clerk_key):
    change_key(api, clerk_key, unit_ids=[make.unit(api, kind="dinas", name="Dinas Lain")["id"]])
    assert kept(409).code == "idempotency-unseen"


def test_not_once_somebody_is_restricted(api, kept, person):
    make.restriction(api, person["nip"])
    assert kept(409).code == "idempotency-unseen"


def test_what_shows_nothing_sensitive_is_given_again_all_the_same(api, person, clerk, office):
    sent = {"headers": {"Idempotency-Key": f"unit-{person['nip']}"}, "expect": 201}
    maker = api.as_key(make.key(api, scopes=["unit.read", "unit.write"])["secret"])
    body = {"code": f"K{person['nip'][-6:]}", "name": "Bidang", "kind": "bidang", "parent_id": office["id"]}
    first = maker.post("/v1/units", body, **sent).json
    make.restriction(api, person["nip"])
    assert maker.post("/v1/units", body, **sent).json == first


# ── while somebody's data are restricted ──


@pytest.fixture
def restricted(api, person):
    penalty(api, person["nip"])
    make.restriction(api, person["nip"])
    return person


@pytest.mark.parametrize("what", ["personal-data", "personal-data/pdf", "professionalism-index"])
def test_he_and_the_office_alone_are_told(what, api, clerk, restricted, person):
    accept = {"Accept": "application/pdf"} if what.endswith("pdf") else {}
    clerk.get(f"/v1/asn/{person['nip']}/{what}", headers=accept, expect=404)
    assert api.get(f"/v1/asn/{person['nip']}/{what}", headers=accept).status == 200


def test_the_report_leaves_him_out(api, clerk, office, restricted):
    listed = [p["nip"] for p in clerk.get(f"/v1/reports/professionalism?under={office['id']}&limit=1000").json["data"]]
    assert restricted["nip"] not in listed
    assert restricted["nip"] in [p["nip"] for p in api.get(f"/v1/reports/professionalism?under={office['id']}&limit=1000").json["data"]]


def test_a_proposal_of_discipline_is_not_there(api, clerk, person):
    row = {"kind": "discipline", "from": "2026-10-01", "facts": {"level": "berat", "violation": "Rahasia"}}
    request = api.post("/v1/change-requests", {"nip": person["nip"], "history": row, "proof_text": "x"}, expect=201).json
    at = f"/v1/change-requests/{request['id']}"
    api.post(f"{at}/comments", {"text": "Rahasia juga"}, expect=201)
    assert clerk.get(f"{at}/comments").json["data"]
    make.restriction(api, person["nip"])
    assert clerk.get(f"{at}/comments").json["data"] == []
    for reply in (clerk.get(at, expect=404),
                  clerk.post(f"{at}/refuse", {"reason": "x"}, headers={"If-Match": "*", "Prefer": "dry-run"}, expect=404)):
        assert b"Rahasia" not in reply.bytes


def test_a_comparison_does_not_say_what_we_have(api, clerk, person):
    sent = {"people": [{"nip": person["nip"], "email": "lain@example.go.id", "name": "Entah"}]}

    def ours():
        return {f["field"]: f["ours"] for f in clerk.post("/v1/asn/reconcile", sent).json["different"][0]["fields"]}
    assert ours()["email"]
    make.restriction(api, person["nip"])
    told = ours()
    assert told["email"] is None and told["name"]


def test_the_feed_does_not_say_that_something_of_discipline_changed(api, person):
    reader = api.as_key(make.key(api, scopes=["change.read", "asn.read", "asn.discipline"])["secret"])
    after = reader.get("/v1/changes").json["next"]
    while (page := reader.get(f"/v1/changes?after={after}").json)["changes"]:
        after = page["next"]
    penalty(api, person["nip"])

    def parts():
        return {c["part"] for c in reader.get(f"/v1/changes?after={after}&wait=5").json["changes"] if c["key"] == person["nip"]}
    assert "discipline" in parts()
    make.restriction(api, person["nip"])
    assert "discipline" not in parts()


# ── readings of discipline ──


def test_a_proposal_of_discipline_is_a_reading(api, clerk, clerk_key, person):
    row = {"kind": "discipline", "from": "2026-10-01", "facts": {"level": "ringan", "violation": "x"}}
    request = api.post("/v1/change-requests", {"nip": person["nip"], "history": row, "proof_text": "x"}, expect=201).json
    clerk.get(f"/v1/change-requests/{request['id']}")
    clerk.get(f"/v1/change-requests?nip={person['nip']}")
    assert len(readings(api, clerk_key, "getChangeRequest")) == len(readings(api, clerk_key, "listChangeRequests")) == 1


def test_so_is_what_is_annulled_even_if_only_tried(api, clerk, clerk_key, person):
    row = penalty(api, person["nip"])
    at = f"/v1/asn/{person['nip']}/history/{row['id']}/annul"
    clerk.post(at, {"reason": "x"}, headers={"If-Match": "*", "Prefer": "dry-run"})
    assert len(readings(api, clerk_key, "annulHistory")) == 1


def test_so_is_an_index_that_tells_a_penalty(api, clerk, clerk_key, office, person):
    clerk.get(f"/v1/asn/{person['nip']}/professionalism-index")
    assert readings(api, clerk_key, "getProfessionalismIndex") == []
    penalty(api, person["nip"])
    assert clerk.get(f"/v1/asn/{person['nip']}/professionalism-index").json["reasons"]["penalty"] == "berat"
    clerk.get(f"/v1/reports/professionalism?under={office['id']}&limit=1000")
    assert len(readings(api, clerk_key, "getProfessionalismIndex")) == len(readings(api, clerk_key, "listProfessionalism")) == 1
