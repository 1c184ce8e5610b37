# SPDX-License-Identifier: Apache-2.0
"""What must hold for every operation, asked of each one that the contract has: a new operation is tested here before it has a test."""
import json
import re
import uuid

import pytest

from support import contract as contracts
from support.client import PROBLEM
from support.sample import required_query, sample_body

CONTRACT = contracts.load()
OPERATIONS = list(CONTRACT.operations.values())
SECURED = [o for o in OPERATIONS if o.scopes is not None]

# Well-formed values that nothing has, by the name of the path parameter; anything else is a UUID that was never given out.
NOBODY = {"processing_activity": "nothing", "nip": "199912312022031998", "year": "2099", "code": "NOT-THERE", "outcome": "not_there", "system": "not-there", "value": "not-there", "from": "1999-01-04", "valid_from": "1999-01-04", "line": "99"}


def named(operations):
    return pytest.mark.parametrize("operation", operations, ids=[o.id for o in operations])


def nowhere(operation, of_enum=0):
    """The operation's path with well-formed values that nothing has; those of an enumeration are taken from it, unless told otherwise."""
    values = {}
    for parameter in operation.where("path"):
        schema = CONTRACT.resolve(parameter["schema"])
        unknown = (schema["enum"][of_enum] if of_enum is not None else "not-there") if "enum" in schema else str(uuid.UUID("0190ffff-ffff-7fff-bfff-ffffffffffff"))
        values[parameter["name"]] = NOBODY.get(parameter["name"], unknown)
    return operation.fill(values)


def send(client, operation, path=None, **headers):
    media_type, body = sample_body(operation)
    sent = {"Content-Type": media_type} if media_type else {}
    if any(p["name"].lower() == "if-match" for p in operation.where("header")):
        sent["If-Match"] = '"1"'
    sent.update(headers)
    target = path or nowhere(operation) + required_query(operation)
    return client(operation.method.upper(), target, data=body, headers={k: v for k, v in sent.items() if v is not None})


@named(SECURED)
def test_without_a_key_is_401(operation, anonymous):
    reply = send(anonymous, operation)
    assert (reply.status, reply.code) == (401, "unauthenticated")


BAD_KEYS = {
    "no-key-at-all": "Bearer ",
    "another-scheme": "Basic dXNlcjpwYXNz",
    "not-a-key": "Bearer hello",
    "bad-checksum": "Bearer asnd_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    "no-scheme": "asnd_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
}


@pytest.mark.parametrize("header", BAD_KEYS.values(), ids=BAD_KEYS.keys())
def test_a_bad_credential_is_401(header, anonymous):
    operation = next(o for o in SECURED if not o.where("path") and o.method == "get")
    assert anonymous("GET", operation.path, headers={"Authorization": header}).status == 401


@named([o for o in SECURED if o.scopes])
def test_a_key_without_scopes_is_403(operation, api, keys):
    reply = send(api.as_key(keys()), operation)
    assert (reply.status, reply.code) == (403, "forbidden")
    assert any(scope in reply.json["detail"] for scope in operation.scopes), "the missing scope is not named"


@named([o for o in SECURED if o.scopes])
def test_every_other_scope_together_is_403(operation, api, keys):
    others = sorted({s for o in SECURED for s in o.scopes} - {operation.scopes[0]})
    if not others:
        pytest.fail("the contract has a single scope: nothing is told apart")
    assert send(api.as_key(keys(*others)), operation).status == 403


@named(OPERATIONS)
def test_an_unknown_parameter_is_400(operation, api):
    path = nowhere(operation)
    declared = [p["name"] for p in operation.where("query")]
    misspelt = declared[0][:-1] + "_" if declared else "surely_unknown"
    reply = send(api, operation, path=f"{path}?{misspelt}=1")
    assert reply.status == 400, reply
    if operation.scopes is not None or declared:
        assert misspelt in json.dumps(reply.json), reply
    if declared and len(declared[0]) > 3:
        assert declared[0] in json.dumps(reply.json), f"the nearest parameter is not named: {reply}"


@named([o for o in OPERATIONS if o.where("query")])
def test_a_parameter_twice_is_400(operation, api):
    parameter = operation.where("query")[0]
    schema = CONTRACT.resolve(parameter["schema"])
    if schema.get("type") == "array":
        pytest.fail(f"{operation.id}: a repeated parameter is declared first; this test needs another")
    reply = send(api, operation, path=f"{nowhere(operation)}?{parameter['name']}=1&{parameter['name']}=1")
    assert reply.status == 400, reply
    assert parameter["name"] in reply.faults, reply


@named([o for o in OPERATIONS if o.where("query")])
def test_an_empty_parameter_is_400(operation, api):
    name = operation.where("query")[0]["name"]
    reply = send(api, operation, path=f"{nowhere(operation)}?{name}=")
    assert reply.status == 400, reply
    assert name in reply.faults, reply


PATHS = sorted({o.path for o in OPERATIONS})


@pytest.mark.parametrize("route", PATHS)
def test_a_wrong_method_is_405_and_the_right_ones_are_named(route, api):
    here = [o for o in OPERATIONS if o.path == route]
    allowed = {o.method.upper() for o in here} | {"OPTIONS"} | ({"HEAD"} if any(o.method == "get" for o in here) else set())
    wrong = next(m for m in ("DELETE", "PUT", "PATCH", "POST", "GET") if m not in allowed)
    reply = api(wrong, nowhere(here[0]), expect=405)
    assert {m.strip() for m in reply.headers["Allow"].split(",")} == allowed


@pytest.mark.parametrize("route", PATHS)
def test_options_names_the_methods(route, api):
    here = [o for o in OPERATIONS if o.path == route]
    reply = api("OPTIONS", nowhere(here[0]), checked=False)
    assert reply.status == 204, reply
    assert {o.method.upper() for o in here} <= {m.strip() for m in reply.headers["Allow"].split(",")}


@named([o for o in OPERATIONS if o.success_types()])
def test_a_form_that_it_has_not_is_406(operation, api):
    reply = send(api, operation, Accept="image/webp")
    assert (reply.status, reply.code) == (406, "not-acceptable")
    assert all(form in reply.json["detail"] for form in operation.success_types()), f"a form is not named: {reply}"


# A token is opened before the body is read: tests/api/test_survey_public.py has one and asks the same of these.
BODIES = [o for o in OPERATIONS if o.body_types and not any(p["name"] == "token" for p in o.where("path"))]


@named(BODIES)
@pytest.mark.parametrize("sent", ["image/webp", "application/x-www-form-urlencoded"])
def test_a_body_of_another_type_is_415(operation, sent, api):
    reply = send(api, operation, **{"Content-Type": sent})
    assert (reply.status, reply.code) == (415, "media-type")
    assert all(form in reply.json["detail"] for form in operation.body_types), f"a form is not named: {reply}"


@named([o for o in BODIES if o.needs_body])
def test_a_body_that_is_missing_is_said(operation, api):
    headers = {"If-Match": '"1"'} if any(p["name"] == "If-Match" for p in operation.where("header")) else {}
    reply = api(operation.method.upper(), nowhere(operation) + required_query(operation), headers=headers)
    assert (reply.status, reply.code) == (400, "bad-request")
    assert "needs a body" in reply.json["detail"] and all(form in reply.json["detail"] for form in operation.body_types), f"a form is not named: {reply}"


JSON_BODIES = [o for o in BODIES if any(t.endswith("json") and "nd" not in t for t in o.body_types)]

NO_JSON = {
    "empty": (b"", {400, 422}),
    "cut-short": (b'{"a":', {400}),
    "not-utf8": (b'{"a":"\xff"}', {400}),
    "nul-in-text": (b'{"a":"\\u0000"}', {400, 422}),
    "a-raw-nul": (b'{"a":"\x00"}', {400}),
    "member-twice": (b'{"a":1,"a":2}', {400}),
    "behind-the-end": (b'{}{}', {400}),
    "deep": (b'{"a":' * 2000 + b"1" + b"}" * 2000, {400, 422}),
    "a-list": (b"[]", {422}),
    "a-word": (b'"x"', {422}),
    "lone-surrogate": (b'{"a":"\\ud800"}', {400}),
    "a-number-beyond-all": (b'{"a":99999999999999999999999999}', {422}),
    "a-real-beyond-all": (b'{"a":1e999}', {422}),
}


@named(JSON_BODIES)
@pytest.mark.parametrize("case", NO_JSON.keys())
def test_what_is_no_json_object_is_refused(operation, case, api):
    body, statuses = NO_JSON[case]
    media_type = next(t for t in operation.body_types if t.endswith("json"))
    headers = {"Content-Type": media_type, "If-Match": '"1"'} if any(p["name"] == "If-Match" for p in operation.where("header")) else {"Content-Type": media_type}
    reply = api(operation.method.upper(), nowhere(operation) + required_query(operation), data=body, headers=headers)
    assert reply.status in statuses, reply


@named(JSON_BODIES)
def test_an_unknown_member_is_named(operation, api):
    media_type, body = sample_body(operation)
    value = {**json.loads(body), "surely_unknown": 1}
    headers = {"Content-Type": media_type}
    if any(p["name"] == "If-Match" for p in operation.where("header")):
        headers["If-Match"] = '"1"'
    reply = api(operation.method.upper(), nowhere(operation) + required_query(operation), data=json.dumps(value).encode(), headers=headers)
    assert reply.status == 422, reply
    assert "/surely_unknown" in reply.faults, reply


NOT_FOUND = [o for o in OPERATIONS if o.where("path") and "404" in o.spec["responses"]]


@named(NOT_FOUND)
def test_what_is_not_there_is_404(operation, api):
    reply = send(api, operation, path=nowhere(operation, of_enum=None) + required_query(operation))
    assert (reply.status, reply.code) == (404, "not-found"), reply


@named([o for o in OPERATIONS if any(CONTRACT.resolve(p["schema"]).get("format") == "uuid" for p in o.where("path"))])
def test_an_id_that_is_none_is_refused(operation, api):
    values = {p["name"]: NOBODY.get(p["name"], "not-a-uuid") for p in operation.where("path")}
    reply = send(api, operation, path=operation.fill(values) + required_query(operation))
    assert reply.status in (400, 404), reply
    assert reply.type == PROBLEM


@named([o for o in OPERATIONS if any(p["name"] == "If-Match" and p.get("required") for p in o.where("header"))])
def test_a_change_without_a_version_is_428(operation, api):
    reply = send(api, operation, **{"If-Match": None})
    assert (reply.status, reply.code) == (428, "precondition-required")


def patterns(node, among=()):
    """The patterns of a schema and all that it is made of."""
    node = CONTRACT.resolve(node)
    if isinstance(node, dict) and id(node) not in among:
        found = {node["pattern"]} if isinstance(node.get("pattern"), str) else set()
        return found.union(*(patterns(child, (*among, id(node))) for child in node.values()))
    return set().union(*(patterns(child, among) for child in node)) if isinstance(node, list) else set()


def test_each_pattern_that_may_be_missed_has_words_in_both_languages():
    wanted = set().union(*(patterns([*o.parameters, o.spec.get("requestBody", {})]) for o in OPERATIONS))
    words = CONTRACT.document["x-patterns"]
    assert wanted == set(words), "patterns without words, or words without a pattern"
    assert all({"en", "id"} == set(w) for w in words.values())


def test_an_unknown_path_is_404(api):
    for path in ("//", "/v1", "/v1/", "/v1/nothing", "/v2/asn", "/v1/asn/", "//v1/asn", "/V1/ASN"):
        reply = api("GET", path, checked=False)
        assert reply.status == 404, (path, reply)
        assert reply.type == PROBLEM


def test_each_operation_is_documented(contract):
    for operation in contract.operations.values():
        assert operation.spec.get("summary"), f"{operation.id} has no summary"
        assert operation.spec.get("description"), f"{operation.id} has no description"
        assert re.fullmatch(r"[a-z][A-Za-z0-9]*", operation.id)


def examples(content):
    """(where, schema, value) of each example of some content."""
    for media_type, media in content.items():
        if media_type in ("application/json", "application/merge-patch+json") and "schema" in media:
            found = [media["example"]] if "example" in media else []
            found += [CONTRACT.resolve(e)["value"] for e in media.get("examples", {}).values()]
            yield from ((media_type, media["schema"], value) for value in found)


@named(OPERATIONS)
def test_its_examples_are_what_it_says(operation):
    contents = [CONTRACT.resolve(operation.spec.get("requestBody", {})).get("content", {})]
    contents += [operation.response(status).get("content", {}) for status in operation.spec["responses"] if status.isdigit()]
    for content in contents:
        for where, schema, value in examples(content):
            assert CONTRACT.faults(schema, value) == [], where
    if JSON_BODIES and operation in JSON_BODIES:
        assert list(examples(contents[0])), "a body without an example"
