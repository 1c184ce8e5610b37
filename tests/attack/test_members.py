# SPDX-License-Identifier: Apache-2.0
"""Members of a body that are not the caller's to give: whatever a reply shows, whatever an attacker hopes for, wherever an object stands."""
import json

import pytest

from support import contract as contracts, sample
from support.wire import request

CONTRACT = contracts.load()
JSON_WRITES = [o for o in CONTRACT.operations.values() if any(t.endswith("json") and "nd" not in t for t in o.body_types)]
HOPED_FOR = ["id", "version", "created_at", "updated_at", "created_by", "actor_key", "actor_name", "admin", "is_admin", "role", "roles", "scopes", "unit_ids",
             "owner", "hash", "secret", "state", "is_final", "is_void", "verified", "approved_by", "decided_by", "__proto__", "constructor", "$where"]


def properties(schema):
    """Of an object's schema, allOf and its like merged."""
    schema = CONTRACT.resolve(schema or {})
    found = dict(schema.get("properties", {}))
    for part in [p for kind in ("allOf", "oneOf", "anyOf") for p in schema.get(kind, [])]:
        found.update(properties(part))
    return found


def body_schema(operation):
    content = CONTRACT.resolve(operation.spec["requestBody"])["content"]
    return next(media["schema"] for kind, media in content.items() if kind.endswith("json") and "nd" not in kind)


def not_to_give(operation):
    """Members of its reply, and others, that its body does not know."""
    reply = (operation.response(operation.success) or {}).get("content", {}).get("application/json", {}).get("schema")
    return [m for m in dict.fromkeys([*properties(reply), *HOPED_FOR]) if m not in properties(body_schema(operation))][:60]


def objects(schema, value, pointer=""):
    """(pointer, object) of each object within a body whose schema names its members."""
    schema = CONTRACT.resolve(schema or {})
    if isinstance(value, dict):
        members = properties(schema)
        if members and pointer:
            yield pointer, value
        for name, member in value.items():
            yield from objects(members.get(name), member, f"{pointer}/{name}")
    elif isinstance(value, list):
        for n, item in enumerate(value):
            yield from objects(schema.get("items"), item, f"{pointer}/{n}")


def post(operation, world, body, key):
    path = operation.fill(world) + sample.required_query(operation)
    headers = {k.replace("-", "_"): v for k, v in sample.headers(operation).items()}
    return request(operation.method.upper(), path, json.dumps(body).encode(), Authorization=f"Bearer {key}", Prefer="dry-run", **headers)


@pytest.fixture(scope="module")
def values(world):
    """What stands in a path; where the world has nothing, what is well-formed: a body is judged first."""
    missing = "0190ffff-ffff-7fff-bfff-ffffffffffff"
    return {"follow_up_id": missing, "feedback_id": missing, "from": "2026-01-05", "valid_from": "2026-01-05", **world}


def test_no_member_can_be_given_that_a_body_does_not_know(values, api, wire):
    asked = [(o, not_to_give(o)) for o in JSON_WRITES if o.scopes is not None]
    assert len(asked) > 130
    replies = wire.ask([post(o, values, {**json.loads(sample.sample_body(o)[1]), **dict.fromkeys(members, "x")}, api.key) for o, members in asked])
    for (operation, members), reply in zip(asked, replies):
        assert reply.status == 422, (operation.id, reply)
        named = {e.get("pointer") for e in reply.json["errors"]}
        assert {f"/{m}" for m in members} <= named, (operation.id, {f"/{m}" for m in members} - named)


def test_nor_in_an_object_within(values, api, wire):
    asked = []
    for operation in JSON_WRITES:
        if operation.scopes is None:
            continue
        body = json.loads(sample.sample_body(operation)[1])
        for pointer, inner in objects(body_schema(operation), body):
            inner["surely_unknown"] = 1
            asked.append((operation, pointer, json.loads(json.dumps(body))))
            del inner["surely_unknown"]
    assert len(asked) > 20
    for (operation, pointer, _), reply in zip(asked, wire.ask([post(o, values, body, api.key) for o, _, body in asked])):
        assert reply.status == 422, (operation.id, pointer, reply)
        assert f"{pointer}/surely_unknown" in {e.get("pointer") for e in reply.json["errors"]}, (operation.id, pointer, reply)
