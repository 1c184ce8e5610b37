# SPDX-License-Identifier: Apache-2.0
"""The first things a client meets: the index, methods that are not taken, headers that come in several lines."""
import json
import socket

import pytest

from support import make


# ── the index ──

def test_the_index_leads_to_what_a_newcomer_needs(anonymous, contract):
    index = anonymous.get("/").json
    assert index["name"] == "asnd" and index["version"] == contract.document["info"]["version"]
    links = {link["href"]: link for link in index["links"]}
    assert {"/docs", "/openapi.yaml", "/openapi.json", "/livez", "/readyz", "/metrics", "/v1/units", "/v1/asn"} <= links.keys()
    assert len(links) == len(index["links"]) and "/" not in links
    publics = [link["public"] for link in index["links"]]
    assert publics == sorted(publics, reverse=True)


def test_every_link_of_the_index_leads_somewhere(anonymous, api):
    for link in anonymous.get("/").json["links"]:
        assert link["href"].count("{") == 0
        (anonymous if link["public"] else api).get(link["href"])
        if not link["public"]:
            anonymous.get(link["href"], expect=401)


def test_a_browser_gets_the_reading_page(anonymous):
    page = anonymous.get("/", headers={"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"})
    assert page.type == "text/html" and page.bytes == anonymous.get("/docs").bytes
    assert page.headers["Content-Security-Policy"] == anonymous.get("/docs").headers["Content-Security-Policy"]
    for accept in ("*/*", "application/json", "text/html;q=0.5, application/json"):
        reply = anonymous.get("/", headers={"Accept": accept})
        assert reply.type == "application/json" and reply.headers["Vary"] == "Accept"


# ── methods ──

@pytest.mark.parametrize("method", ["TRACE", "CONNECT", "PROPFIND", "QUERY", "DELETE"])
def test_a_method_that_is_not_taken_is_405_and_says_which_are(anonymous, method):
    reply = anonymous(method, "/v1/units", expect=405, headers={"X-Secret": "mirror"}, checked=False)
    assert reply.code == "method-not-allowed" and reply.headers["Allow"] == "GET, HEAD, POST, OPTIONS"
    assert "mirror" not in reply.text
    assert anonymous(method, "/", expect=405, checked=False).headers["Allow"] == "GET, HEAD, OPTIONS"
    assert anonymous(method, "/v1/nothing", expect=404, checked=False).code == "not-found"


def test_a_method_is_not_known_in_small_letters(api):
    status, headers, _ = ask(api, "get", "/v1/units")
    assert status == 405 and headers["Allow"] == "GET, HEAD, POST, OPTIONS"


# ── lines ──

def ask(api, method, path, *lines, body=b""):
    """A request whose header lines are these; status, headers, body."""
    head = [f"{method} {path} HTTP/1.1", "Host: x", "Connection: close", f"Content-Length: {len(body)}", *lines]
    if not any(line.startswith("Authorization") for line in lines):
        head.append(f"Authorization: Bearer {api.key}")
    with socket.create_connection(("127.0.0.1", int(api.url.rsplit(":", 1)[1])), timeout=10) as s:
        s.sendall("\r\n".join([*head, "", ""]).encode() + body)
        data = b""
        while more := s.recv(65536):
            data += more
    head, _, body = data.partition(b"\r\n\r\n")
    status, *lines = head.decode().split("\r\n")
    return int(status.split()[1]), dict(line.split(": ", 1) for line in lines), body


def test_accept_on_two_lines_is_one_list(api):
    status, headers, _ = ask(api, "GET", "/v1/units", "Accept: application/json;q=0.1", "X-Between: 1", "accept: text/csv")
    assert status == 200 and headers["Content-Type"].startswith("text/csv")
    assert ask(api, "GET", "/v1/units", "Accept: image/png", "Accept: application/json")[0] == 200
    assert ask(api, "GET", "/v1/units", "Accept: image/png", "Accept: image/gif")[0] == 406


def test_entity_tags_on_two_lines_are_one_list(api):
    unit = make.unit(api)
    tag = api.get(f"/v1/units/{unit['id']}").etag
    assert ask(api, "GET", f"/v1/units/{unit['id']}", 'If-None-Match: "0-0"', f"If-None-Match: {tag}")[0] == 304
    assert ask(api, "GET", f"/v1/units/{unit['id']}", 'If-None-Match: "0-0"', 'If-None-Match: "0-1"')[0] == 200
    type_line = "Content-Type: application/merge-patch+json"
    patch = json.dumps({"name": "Bidang Baris"}).encode()
    assert ask(api, "PATCH", f"/v1/units/{unit['id']}", type_line, 'If-Match: "0"', 'If-Match: "99"', body=patch)[0] == 412
    assert ask(api, "PATCH", f"/v1/units/{unit['id']}", type_line, 'If-Match: "99"', f"If-Match: {tag}", body=patch)[0] == 200


def test_prefer_on_two_lines_is_one_list(api):
    code = f"BARIS{make.number()}"
    body = json.dumps({"code": code, "name": "Bidang", "kind": "bidang"}).encode()
    status, headers, _ = ask(api, "POST", "/v1/units", "Content-Type: application/json", "Prefer: wait=10", "Prefer: dry-run", body=body)
    assert status == 201 and headers["Preference-Applied"] == "dry-run"
    assert code not in [unit["code"] for unit in api.get("/v1/units?limit=1000").json["data"]]


@pytest.mark.parametrize("name,values", [("Authorization", ("Bearer a", "Bearer b")), ("Content-Type", ("application/json",) * 2),
                                         ("Idempotency-Key", ("one", "two")), ("Idempotency-Key", ("one", "one"))])
def test_what_has_one_value_comes_once(api, name, values):
    status, _, body = ask(api, "POST", "/v1/units", "Accept-Language: en", *[f"{name}: {value}" for value in values], body=b"{}")
    problem = json.loads(body)
    assert (status, problem["code"]) == (400, "bad-request") and name in problem["detail"]
