# SPDX-License-Identifier: Apache-2.0
"""What a scope hides is not to be found out either: not by filters, orders, choices of members, other forms, counts, searches, tags or guesses."""
import csv
import io
import json
import zipfile

import pytest

from support import contract as contracts, daemon as daemons, make, sample
from support.client import XLSX

CONTRACT = contracts.load()
NIK, EMAIL, PHONE = "7602011501900055", "zq.kotak@example.go.id", "081298765432"
HIDDEN = {name: daemons.planted(value) for name, value in (("nik", NIK), ("email", EMAIL), ("phone", PHONE))}


def scoped(schema, among=()):
    """Names of members with a scope of their own, wherever they stand in a schema."""
    schema = CONTRACT.resolve(schema)
    if not schema or not isinstance(schema, dict) or id(schema) in among:
        return set()
    found = {name for name, member in schema.get("properties", {}).items() if "x-scope" in member or "x-scope" in CONTRACT.resolve(member)}
    parts = [*schema.get("properties", {}).values(), *schema.get("allOf", []), *schema.get("oneOf", []), *schema.get("anyOf", []), schema.get("items", {})]
    return found.union(*(scoped(part, (*among, id(schema))) for part in parts))


def hides(operation):
    content = (operation.response(operation.success) or {}).get("content", {})
    return scoped(content["application/json"]["schema"]) if "application/json" in content else set()


LISTS = [o for o in CONTRACT.operations.values() if o.method == "get" and o.scopes is not None and hides(o)]


@pytest.fixture(scope="module")
def person(api, office):
    unit = make.unit(api, parent=office["id"])
    return make.person(api, unit["id"], name="Pemilik Berkas", **HIDDEN)


@pytest.fixture(scope="module")
def blind(api, keys):
    """Every scope but those that members hide behind."""
    members = {"asn.sensitive", "document.read"}
    scopes = {s for o in CONTRACT.operations.values() for s in [*(o.scopes or []), *o.spec.get("x-more-scopes", [])]} - members - {"admin"}
    return api.as_key(keys(*sorted(scopes)))


def test_there_is_something_to_hide():
    assert {"nik", "email", "phone"} <= set().union(*(hides(o) for o in LISTS)) and len(LISTS) > 5


@pytest.mark.parametrize("operation", LISTS, ids=[o.id for o in LISTS])
def test_no_filter_and_no_order_goes_by_what_is_hidden(operation):
    parameters = {p["name"]: CONTRACT.resolve(p["schema"]) for p in operation.where("query")}
    assert not hides(operation) & set(parameters), "a filter by a hidden member"
    assert not hides(operation) & {value.lstrip("-") for value in parameters.get("sort", {}).get("enum", [])}, "an order by a hidden member"


def texts(data):
    book = zipfile.ZipFile(io.BytesIO(data))
    return "".join(book.read(name).decode("utf-8", "replace") for name in book.namelist())


def test_no_form_and_no_choice_of_members_shows_it(blind, person, api):
    path = f"/v1/asn?unit_id={person['unit_id']}"
    for query in ("", "&fields=nip,nik,email,phone,nik_warnings", "&sort=-name&count=exact"):
        for form in ("application/json", "text/csv", "application/x-ndjson", XLSX):
            seen, unseen = (client.get(path + query, headers={"Accept": form}) for client in (api, blind))
            texts_ = [texts(reply.bytes) if form == XLSX else reply.text for reply in (seen, unseen)]
            assert not [value for value in HIDDEN.values() if value in texts_[1]], (query, form)
            if "sort" not in query or form == "application/json":
                seen_of = HIDDEN if "fields" in query else {name: value for name, value in HIDDEN.items() if name != "nik"}  # masked unless it is named
                assert all(value in texts_[0] for value in seen_of.values()), "who may see it does: or this test sees nothing"
            if form == "text/csv":
                assert not set(HIDDEN) & set(next(csv.reader(io.StringIO(texts_[1])))), "a head without its cells"


@pytest.mark.parametrize("name", HIDDEN)
def test_no_search_finds_it(name, blind, person, api):
    searches = [o for o in CONTRACT.operations.values() if o.method == "get" and o.scopes is not None and not o.where("path")
                and any(p["name"] == "q" for p in o.where("query"))]
    assert len(searches) > 2
    for operation in searches:
        for part in {HIDDEN[name], HIDDEN[name][:8], HIDDEN[name][-6:]}:
            reply = blind("GET", f"{operation.path}?q={part}")
            assert reply.status in (200, 400, 422), reply
            if reply.status == 200:
                assert person["nip"] not in reply.text, f"{operation.id} finds people by {name}"


def test_no_count_no_tag_and_no_guess_tells_it(blind, person, api):
    """Two people who differ in what is hidden alone look alike to who may not see it: the same count, the same tags, the same refusals."""
    unit = make.unit(api, parent=person["unit_id"])
    bare, full = make.person(api, unit["id"], name="Sama"), make.person(api, unit["id"], name="Sama", nik="7602011501900056", email="dua@example.go.id")
    replies = [blind.get(f"/v1/asn/{p['nip']}") for p in (bare, full)]
    assert set(replies[0].json) == set(replies[1].json)
    # But for moments, which are written without zeros at their end.
    assert len({len(json.dumps({k: v for k, v in r.json.items() if not k.endswith("_at")})) for r in replies}) == 1
    refusals = [json.dumps({k: v for k, v in blind.patch(f"/v1/asn/{full['nip']}", {name: value}, etag="*", expect=403, headers={"Prefer": "dry-run"}).json.items()
                            if k not in ("request_id", "instance")}) for name, value in (("nik", "7602011501900056"), ("nik", "7602011501900057"))]
    assert refusals[0] == refusals[1]


def test_what_is_hidden_is_not_told_by_changes_versions_or_requests(blind, person, api):
    """Wherever else a person's record is shown or told of."""
    api.patch(f"/v1/asn/{person['nip']}", {"phone": "081298765433"}, etag="*")
    reads = [o for o in CONTRACT.operations.values() if o.method == "get" and o.scopes is not None and {p["name"] for p in o.where("path")} <= {"nip"}
             and "application/json" in o.success_types()]
    assert len(reads) > 60
    for operation in reads:
        reply = blind("GET", operation.fill(person) + sample.required_query(operation), checked=False)
        assert not [value for value in (*HIDDEN.values(), "081298765433") if value in reply.text], operation.id
