# SPDX-License-Identifier: Apache-2.0
"""If-Match by RFC 9110, 13.1.1, for every operation that has it; and what an Idempotency-Key's request is besides its body."""
import pytest

from support import contract as contracts
from support import make

CONTRACT = contracts.load()
CONDITIONAL = sorted(o.id for o in CONTRACT.operations.values() if any(p["name"] == "If-Match" for p in o.where("header")))


def rated(api, nip, period):
    evaluation = make.evaluation(api, nip, period["id"])
    make.indicator(api, evaluation["id"])
    rating = {"results_rating": "sesuai_ekspektasi", "behaviour_rating": "sesuai_ekspektasi"}
    return api.patch(f"/v1/evaluations/{evaluation['id']}", rating, etag="*").json


# operationId → (the resource's path, what its write is)
def target(api, world, operation_id):
    def evaluation():
        return rated(api, make.person(api, world["unit_id"])["nip"], {"id": world["period_id"]})

    def indicator():
        draft = evaluation()
        return f"/v1/evaluations/{draft['id']}/indicators/{make.indicator(api, draft['id'])['id']}"
    def row():
        nip = make.person(api, world["unit_id"])["nip"]
        return f"/v1/asn/{nip}/history/{make.history(api, nip, 'rank', {'rank': 'III/a'}, '2020-04-01')['id']}"
    def request(by=None):
        return f"/v1/change-requests/{make.request(by or world['portal'], make.person(api, world['unit_id'])['nip'])['id']}"
    return {
        "approveChangeRequest": lambda: (request(), "POST", "/approve", {}),
        "refuseChangeRequest": lambda: (request(), "POST", "/refuse", {"reason": "Kurang bukti"}),
        "withdrawChangeRequest": lambda: (request(api), "POST", "/withdraw", None),
        "correctHistory": lambda: (row(), "PUT", "", {"kind": "rank", "from": "2020-10-01", "facts": {"rank": "III/a"}, "reason": "TMT"}),
        "annulHistory": lambda: (row(), "POST", "/annul", {"reason": "SK dibatalkan"}),
        "updateUnit": lambda: (f"/v1/units/{make.unit(api)['id']}", "PATCH", "", {"name": "Baru"}),
        "updateAsn": lambda: (f"/v1/asn/{make.person(api, world['unit_id'])['nip']}", "PATCH", "", {"position": "Baru"}),
        "updatePost": lambda: (f"/v1/posts/{make.post(api, world['unit_id'])['id']}", "PATCH", "", {"posts": 7}),
        "deletePost": lambda: (f"/v1/posts/{make.post(api, world['unit_id'])['id']}", "DELETE", "", None),
        "updateProgramme": lambda: (f"/v1/programmes/{make.programme(api)['id']}", "PATCH", "", {"name": "Baru"}),
        "updateSession": lambda: (f"/v1/sessions/{make.session(api)['id']}", "PATCH", "", {"title": "Baru"}),
        "updatePeriod": lambda: (f"/v1/periods/{make.period(api)['id']}", "PATCH", "", {"name": "Baru"}),
        "updateEvaluation": lambda: (f"/v1/evaluations/{evaluation()['id']}", "PATCH", "", {"note": "Baru"}),
        "updateIndicator": lambda: (indicator(), "PATCH", "", {"name": "Baru"}),
        "deleteIndicator": lambda: (indicator(), "DELETE", "", None),
        "finalizeEvaluation": lambda: (f"/v1/evaluations/{evaluation()['id']}", "POST", "/finalize", None),
    }[operation_id]()


def write(api, found, condition):
    path, method, action, body = found
    return api(method, path + action, json=body, headers={"If-Match": condition})


@pytest.mark.parametrize("operation_id", CONDITIONAL)
@pytest.mark.parametrize("condition", ["*", "{tag}", '"{version}"', '"999999", {tag}', '{tag},"999999"', ', "x",, "{version}",', 'W/{tag}, {tag}'])
def test_any_strong_tag_of_the_list_will_do(operation_id, condition, api, world):
    found = target(api, world, operation_id)
    now = api.get(found[0])
    reply = write(api, found, condition.format(tag=now.etag, version=now.json["version"]))
    assert reply.status in (200, 204), reply


@pytest.mark.parametrize("operation_id", CONDITIONAL)
@pytest.mark.parametrize("condition", ['"000{version}"', '"0{version}-0000000000000000"', "W/{tag}", 'W/"{version}"', '"999999"', '"999999", "999998"', '"0"', '"x"', '""',
                                       '"{version}-"', '"{version}-x"', '"+{version}"', '"{version}.0"', '"99999999999999999999"'])
def test_what_names_no_version_that_is_there_is_412_and_changes_nothing(operation_id, condition, api, world):
    found = target(api, world, operation_id)
    now = api.get(found[0])
    reply = write(api, found, condition.format(tag=now.etag, version=now.json["version"]))
    assert (reply.status, reply.code) == (412, "version-stale"), reply
    assert api.get(found[0]).bytes == now.bytes


MALFORMED = ["1", '"1', "'1'", '"1" "2"', '*, "1"', '"1", *', "W/1", 'w/"1"', ",", "**", '"1", 2', '"a b"']


@pytest.mark.parametrize("condition", MALFORMED)
def test_what_is_no_list_of_tags_is_400_and_named(condition, api):
    unit = make.unit(api)
    path = f"/v1/units/{unit['id']}"
    assert api.patch(path, {"name": "X"}, etag=condition, expect=400).faults == {"If-Match": "pattern"}
    assert api.get(path).json == unit


@pytest.mark.parametrize("condition", [c for c in MALFORMED if "*" not in c])
def test_a_reader_is_sent_what_is_there_when_it_names_no_tag(condition, api):
    """Nothing can go wrong with a reading: RFC 9110 lets what is no tag match nothing."""
    unit = make.unit(api)
    assert api.get(f"/v1/units/{unit['id']}", headers={"If-None-Match": condition}).json == unit


def test_any_version_of_nothing_is_404(api):
    api.patch("/v1/units/0190ffff-ffff-7fff-bfff-ffffffffffff", {"name": "X"}, etag="*", expect=404)


# ── what a repeated request must have in common with the first ──
@pytest.fixture
def finalising(api, world):
    def send(key, **headers):
        return api("POST", f"{path}/finalize", headers={"Idempotency-Key": key, **headers})
    path = target(api, world, "finalizeEvaluation")[0]
    tag = api.get(path).etag
    send.tag = tag
    return send


def test_another_precondition_is_another_request(finalising):
    key = "syarat-lain" + finalising.tag.strip('"')
    assert finalising(key, **{"If-Match": finalising.tag}).status == 200
    assert finalising(key, **{"If-Match": '"999999"'}).code == "idempotency-mismatch"


def test_the_same_versions_named_otherwise_are_the_same_request(finalising):
    key = "sama-saja" + finalising.tag.strip('"')
    first = finalising(key, **{"If-Match": finalising.tag})
    again = finalising(key, **{"If-Match": f'{finalising.tag},  "x"'})
    assert (first.status, again.bytes, again.headers.get("Idempotency-Replayed")) == (200, first.bytes, "true")


def send_import(api, key, **headers):
    body = f"nip,kind,name,unit_code\n{make.nip(4000)},PNS,Ditolak,TIDAK-ADA\n".encode()
    return api("POST", "/v1/asn/import", data=body, headers={"Idempotency-Key": key, "Content-Type": "text/csv", **headers})


def import_forms():
    operation = next(o for o in CONTRACT.operations.values() if o.path == "/v1/asn/import" and o.method == "post")
    return list(operation.success_types()), list(operation.body_types)


def test_another_form_of_the_reply_is_another_request(api):
    forms, _ = import_forms()
    first = send_import(api, "bentuk", Accept=forms[0])
    assert first.status == 200
    for other in forms[1:]:
        assert send_import(api, "bentuk", Accept=other).code == "idempotency-mismatch"
    again = send_import(api, "bentuk", Accept=f"{forms[0]};q=0.9, image/png")
    assert again.headers.get("Idempotency-Replayed") == "true" and again.bytes == first.bytes, "another Accept that chooses the same form"


def test_the_same_bytes_as_another_type_are_another_request(api):
    _, types = import_forms()
    assert send_import(api, "jenis").status == 200
    assert send_import(api, "jenis", **{"Content-Type": next(t for t in types if t != "text/csv")}).code == "idempotency-mismatch"
