# SPDX-License-Identifier: Apache-2.0
"""Strings that some interpreter would obey, in every parameter, header and text of every operation: each is a value or a refusal, never an order."""
import itertools
import json
import re
from urllib.parse import quote

import pytest

from support import contract as contracts, make, sample
from support.wire import request

CONTRACT = contracts.load()
# The engine's own pages have no parameters; a wait would only wait.
OPERATIONS = [o for o in CONTRACT.operations.values() if not o.spec.get("x-engine")]

PAYLOADS = {
    "sql-quote": "x' OR '1'='1",
    "sql-stacked": "1'; DROP TABLE asn; --",
    "sql-union": "x') UNION SELECT hash FROM api_key --",
    "sql-sleep": "1 AND (SELECT pg_sleep(20)) IS NULL",
    "sql-dollar": "$$||pg_sleep(20)||$$",
    "sql-backslash": "\\'; SELECT pg_sleep(20); --",
    "like": "%_%",
    "ltree": "*.x@{1,}|!y",
    "array": '{"a",NULL}',
    "jsonpath": '$.** ? (@ like_regex ".*" flag "q")',
    "pattern": "(a+)+$(((((",
    "nul": "a\0b",
    "newlines": "x\r\nInjected-Header: 1\r\n\r\nHTTP/1.1 200 OK",
    "bidi": "\u202egnp.exe\u2066",
    "overlong": b"\xc0\xaf..\xc0\xaf",
    "half-a-character": b"\xe2\x82",
    "template": "{{7*7}}${7*7}<%= 7*7 %>#{7*7}%n%s%x",
    "shell": "$(touch x)`id`|id;id&",
    "path": "../../../../etc/passwd",
    "markup": '"><script>alert(1)</script>',
    "numbers": "1e309",
    "infinity": "-infinity",
    "long": "9" * 1500,
}
NUMBERED = list(PAYLOADS.items())
INSIDE = re.compile(rb"(?i)\bselect\b.{0,80}\bfrom\b|syntax error|pg_catalog|unterminated|SQLSTATE|relation \"|/etc/passwd:|root:x:|stack trace|\.c:\d+")


def escaped(payload):
    return quote(payload if isinstance(payload, bytes) else payload.encode(), safe="")


@pytest.fixture(scope="module")
def ask(wire, api):
    def asked(requests):
        return wire.ask(requests)
    return asked


def fault(payload, reply):
    """What is wrong with a reply to a request that held this; None if nothing."""
    if reply.status >= 500:
        return "the daemon failed"
    if any(line.lower().startswith(b"injected-header") for line in reply.lines):
        return "a header was put into the reply"
    own = reply.body
    if reply.is_problem:
        problem = reply.json
        own = json.dumps({k: v for k, v in problem.items() if k not in ("instance", "errors")}).encode()
    if reply.is_problem and INSIDE.search(own):
        return "the inside shows"
    if any(b"\r" in line or b"\0" in line for line in reply.lines):
        return "a header line holds what none may"
    return None


def judge(asked, replies):
    found = {}
    for (operation, where, name, _), reply in zip(asked, replies):
        what = fault(PAYLOADS[name], reply)
        if what:
            found.setdefault((operation.id, what), (where, name, reply))
    return found


def headers_of(operation, key):
    sent = {k.replace("-", "_"): v for k, v in sample.headers(operation).items()}
    if operation.scopes is not None:
        sent["Authorization"] = f"Bearer {key}"
    if operation.is_write:
        sent["Prefer"] = "dry-run"
    return sent


def values_of(world):
    missing = "0190ffff-ffff-7fff-bfff-ffffffffffff"
    return {"follow_up_id": missing, "feedback_id": missing, "from": "2026-01-05", "valid_from": "2026-01-05", "token": "x", "code": "x", **world}


def targets(operation, values):
    """(where, target with a hole for the payload) for each parameter of path and query."""
    whole = operation.fill(values) + sample.required_query(operation)
    for parameter in operation.where("path"):
        yield parameter["name"], operation.path.replace("{%s}" % parameter["name"], "\x01")
    for parameter in operation.where("query"):
        base = re.sub(rf"([?&]){parameter['name']}=[^&]*&?", r"\1", whole).rstrip("?&")
        yield parameter["name"], base + ("&" if "?" in base else "?") + parameter["name"] + "=\x01"


def test_every_parameter_of_every_operation(world, api, ask):
    values, asked = values_of(world), []
    for operation in OPERATIONS:
        media_type, body = sample.sample_body(operation)
        sent = headers_of(operation, api.key)
        for where, target in targets(operation, values):
            target = re.sub(r"\{(\w+)\}", lambda m: quote(str(values[m.group(1)]), safe=""), target)
            for name, payload in NUMBERED:
                if len(escaped(payload)) + len(target) < 3500:
                    asked.append((operation, where, name, request(operation.method.upper(), target.replace("\x01", escaped(payload)), body or b"", **sent)))
    assert len(asked) > 20000
    assert judge(asked, ask([r for *_, r in asked])) == {}


def test_every_header_that_an_operation_reads(world, api, ask):
    values, asked = values_of(world), []
    common = ["Accept", "Accept-Language", "X-Request-Id", "traceparent", "If-None-Match", "Prefer", "Range", "X-Forwarded-For", "Content-Type"]
    for operation in OPERATIONS[::25]:
        body = sample.sample_body(operation)[1]
        for header in {*common, *(p["name"] for p in operation.where("header"))}:
            for name, payload in NUMBERED:
                value = (payload if isinstance(payload, bytes) else payload.encode()).replace(b"\r\n", b" ").replace(b"\0", b"")
                sent = {**headers_of(operation, api.key), header.replace("-", "_"): value}
                if header == "Prefer" and operation.is_write:
                    sent["Prefer"] = b"dry-run, " + value
                asked.append((operation, header, name, request(operation.method.upper(), operation.fill(values) + sample.required_query(operation), body or b"", **sent)))
    assert judge(asked, ask([r for *_, r in asked])) == {}


def texts(value, pointer=()):
    """Places of texts within a body."""
    if isinstance(value, str):
        yield pointer
    elif isinstance(value, (dict, list)):
        for key, member in (value.items() if isinstance(value, dict) else enumerate(value)):
            yield from texts(member, (*pointer, key))


def with_text(body, pointer, text):
    copy = json.loads(json.dumps(body))
    inner = copy
    for step in pointer[:-1]:
        inner = inner[step]
    inner[pointer[-1]] = text
    return copy


def test_every_text_of_every_body(world, api, ask):
    values, asked = values_of(world), []
    for operation in OPERATIONS:
        media_type, body = sample.sample_body(operation)
        if not media_type or not media_type.endswith("json") or "nd" in media_type:
            continue
        body = json.loads(body)
        target = operation.fill(values) + sample.required_query(operation)
        for n, pointer in enumerate(texts(body)):
            for name, payload in NUMBERED[n % 2::2]:
                text = payload.decode("latin-1") if isinstance(payload, bytes) else payload
                asked.append((operation, pointer, name, request(operation.method.upper(), target, json.dumps(with_text(body, pointer, text)).encode(),
                                                                **headers_of(operation, api.key))))
    assert len(asked) > 3000
    assert judge(asked, ask([r for *_, r in asked])) == {}


def test_nothing_was_obeyed(api, sql, world):
    """Runs behind the others: all tables stand, and nobody has become more than he was."""
    assert sql("SELECT count(*) FROM asn")[0][0] > 20
    assert sql("SELECT count(*) FROM api_key WHERE 'admin' = ANY (scopes) AND unit_ids IS NULL")[0][0] <= 2


# ── what wildcards would find ──

def test_wildcards_are_letters(api, office):
    unit = make.unit(api, parent=office["id"])
    people = [make.person(api, unit["id"], name=name) for name in ("Seratus Persen 100%", "Garis_Bawah", "Biasa Saja")]
    for text, only in (("100%", 0), ("Garis_Bawah", 1)):
        found = [p["nip"] for p in api.get(f"/v1/asn?unit_id={unit['id']}&q={quote(text)}").json["data"]]
        assert people[2]["nip"] not in found and (people[only]["nip"] in found or not found), text
    for text in ("%%%", "___", "%25%25", "\\%", ".*", "*"):
        reply = api("GET", f"/v1/asn?unit_id={unit['id']}&q={quote(text)}")
        assert reply.status == 422 or people[2]["nip"] not in reply.text, text


# ── replies ──

ODD_IDS = [b"a b", b"a\tb", b"x" * 400, b"\xff\xfe", b'"quoted"', b"a;b=c", b"<b>", b"a,b", b"%0d%0aInjected-Header:1"]


def test_a_request_id_is_given_back_only_when_it_is_plain(ask, api):
    for given, reply in zip(ODD_IDS, ask([request("GET", "/v1/caller", Authorization=f"Bearer {api.key}", X_Request_Id=given) for given in ODD_IDS])):
        told = reply.headers["x-request-id"]
        assert re.fullmatch(r"[\x21-\x7e]{1,200}", told) and "<" not in told and '"' not in told, (given, told)


def test_a_trace_is_given_back_only_when_it_is_one(ask, api):
    odd = [b"00-zz", b"00-" + b"a" * 32 + b"-" + b"b" * 16 + b"-01; x=1", b"<script>" + b"a" * 47]
    for reply in ask([request("GET", "/v1/caller", Authorization=f"Bearer {api.key}", traceparent=value) for value in odd]):
        assert "traceparent" not in reply.headers


def test_location_is_an_address_of_ours(api, office):
    """Codes that a caller chose become part of an address."""
    for system, value in itertools.product(["siasn"], ["a b", "x%0d%0aInjected-Header:1", "../../keys", "\u202eabc"]):
        nip = make.person(api, office["id"])["nip"]
        reply = api("PUT", f"/v1/asn/{nip}/external-ids/{system}", json={"value": value})
        assert reply.status in (200, 201, 400, 422)
        location = reply.headers.get("Location", "/v1/")
        assert location.startswith("/v1/") and re.fullmatch(r"[\x21-\x7e]+", location) and "Injected-Header" not in reply.headers


@pytest.mark.parametrize("title", ['x"; filename="evil.exe', "a\u202egpj.exe", "../../etc/passwd", "x;y=z", "naïve – Keputusan"])
def test_a_file_is_named_by_us(title, api, office):
    nip = make.person(api, office["id"])["nip"]
    document = make.document(api, nip, title=title, expect=(200, 201, 400, 422))
    if "id" not in document:
        return
    reply = api.get(f"/v1/documents/{document['id']}/content", checked=False)
    named = reply.headers["Content-Disposition"]
    assert re.fullmatch(r'attachment; filename="[A-Za-z0-9._ -]+"(; filename\*=UTF-8\'\'[A-Za-z0-9._%~-]+)?', named), named
    assert reply.headers.get("X-Content-Type-Options") == "nosniff"
