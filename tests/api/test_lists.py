# SPDX-License-Identifier: Apache-2.0
"""What must hold for every list of the contract: pages, sort orders, fields, counts, forms."""
import csv
import io
import json
from urllib.parse import quote

import pytest

from support import contract as contracts

CONTRACT = contracts.load()
# Thousands of rows, or after a moment: test_audit.py and test_roles.py ask them.
LONG = {"listExposure", "listAuditEntries", "listAuditChain", "listAccessMatrix"}
LISTS = [o for o in CONTRACT.operations.values() if o.method == "get" and CONTRACT.row_schema(o) and o.id not in LONG]


def named(operations):
    return pytest.mark.parametrize("operation", operations, ids=[o.id for o in operations])


def having(parameter):
    return named([o for o in LISTS if any(p["name"] == parameter for p in o.where("query"))])


@pytest.fixture
def path_of(world):
    def path(operation):
        missing = [p["name"] for p in operation.where("path") if p["name"] not in world]
        assert not missing, f"{operation.id}: tests/api/conftest.py's world lacks {missing}"
        return operation.fill(world)
    return path


@having("cursor")
@pytest.mark.parametrize("limit", [1, 3, 7])
def test_pages_add_up_to_the_whole(operation, limit, api, path_of):
    path = path_of(operation)
    whole = api.get(f"{path}?limit=1000").json
    assert whole["page"]["next"] is None, "the test data grew beyond one page"
    rows, pages = api.walk(f"{path}?limit={limit}")
    assert rows == whole["data"]
    assert pages == max(1, -(-len(rows) // limit)) or pages == len(rows) // limit + 1


def enum(operation, name):
    parameter = next(p for p in operation.where("query") if p["name"] == name)
    schema = CONTRACT.resolve(parameter["schema"])
    return schema.get("enum") or CONTRACT.resolve(schema.get("items", {})).get("enum", [])


@having("sort")
def test_each_sort_order_has_the_same_rows_and_its_own_pages(operation, api, path_of):
    path = path_of(operation)
    ids = None
    for order in enum(operation, "sort"):
        whole = api.get(f"{path}?limit=1000&sort={quote(order)}").json["data"]
        rows, _ = api.walk(f"{path}?limit=2&sort={quote(order)}")
        assert rows == whole, order
        these = sorted(json.dumps(r, sort_keys=True) for r in rows)
        assert ids is None or these == ids, f"{order} has other rows"
        ids = these


@having("sort")
def test_a_cursor_of_another_order_is_refused(operation, api, path_of):
    orders = enum(operation, "sort")
    page = api.get(f"{path_of(operation)}?limit=1&sort={quote(orders[0])}").json
    if page["page"]["next"] and len(orders) > 1:
        reply = api.get(f"{path_of(operation)}?limit=1&sort={quote(orders[1])}&cursor={page['page']['next']}", expect=400)
        assert reply.code == "cursor-invalid"


@having("cursor")
def test_a_cursor_that_was_changed_is_refused(operation, api, path_of):
    page = api.get(f"{path_of(operation)}?limit=1").json
    cursor = page["page"]["next"]
    if cursor is None:
        cursor = "AAAA"
    for place in (0, len(cursor) // 2, len(cursor) - 1):
        broken = cursor[:place] + ("A" if cursor[place] != "A" else "B") + cursor[place + 1:]
        if broken[:-1] != cursor[:-1] or place != len(cursor) - 1:  # the last letter may hold unused bits
            assert api.get(f"{path_of(operation)}?limit=1&cursor={broken}", expect=400).code == "cursor-invalid"


@having("limit")
@pytest.mark.parametrize("limit", ["0", "-1", "1001", "ten", "1.5", "1e2", "99999999999999999999", "%00"])
def test_a_limit_out_of_range_is_400(operation, limit, api, path_of):
    assert api("GET", f"{path_of(operation)}?limit={limit}").status == 400


@having("count")
def test_the_count_is_exact_and_only_on_demand(operation, api, path_of):
    path = path_of(operation)
    assert "count" not in api.get(f"{path}?limit=1").json["page"]
    whole = api.get(f"{path}?limit=1000").json["data"]
    assert api.get(f"{path}?limit=1&count=exact").json["page"]["count"] == len(whole)


@having("cursor")
def test_the_link_header_leads_to_the_next_page(operation, api, path_of):
    reply = api.get(f"{path_of(operation)}?limit=1")
    if reply.json["page"]["next"] is None:
        assert 'rel="next"' not in reply.headers.get("Link", "")
        return
    target = reply.headers["Link"].split(";")[0].strip("<> ")
    path = target[len(api.url):] if target.startswith(api.url) else target
    assert 'rel="next"' in reply.headers["Link"]
    assert api.get(path).json["data"] == api.get(f"{path_of(operation)}?limit=2").json["data"][1:]


@having("fields")
def test_fields_leaves_only_what_was_asked_for(operation, api, path_of):
    path = path_of(operation)
    names = enum(operation, "fields") or list(CONTRACT.resolve(CONTRACT.row_schema(operation))["properties"])
    row = api("GET", f"{path}?limit=1&fields={names[0]}", checked=False, expect=200).json["data"]
    assert all(list(r) == [names[0]] for r in row)
    assert api("GET", f"{path}?fields=surely_unknown").status == 400


def csv_cell(value):
    """A JSON value as the CSV form writes it."""
    if value is None:
        return ""
    if value is True or value is False:
        return "true" if value else "false"
    if isinstance(value, (list, dict)):
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return repr(value) if isinstance(value, float) else str(value)


@named([o for o in LISTS if "text/csv" in o.success_types()])
def test_csv_says_what_json_says(operation, api, path_of):
    path = path_of(operation)
    rows, _ = api.walk(f"{path}?limit=1000")
    reply = api.get(path, headers={"Accept": "text/csv"})
    text = reply.text.removeprefix("\ufeff")
    table = list(csv.reader(io.StringIO(text, newline="")))
    assert table, "no header"
    header, body = table[0], table[1:]
    assert len(body) == len(rows), "the export is the whole list, not a page"
    for line, row in zip(body, rows):
        assert len(line) == len(header)
        assert set(row) <= set(header)
        for name, cell in zip(header, line):
            value = row.get(name)
            if isinstance(value, (list, dict)):
                assert cell == "" or cell.split(";") == value or json.loads(cell) == value, (name, cell, value)
            else:
                # A cell that a spreadsheet would take for a formula is led in by an apostrophe.
                assert cell in (csv_cell(value), "'" + csv_cell(value)), (name, cell, value)


@named([o for o in LISTS if "application/x-ndjson" in o.success_types()])
def test_ndjson_says_what_json_says(operation, api, path_of):
    path = path_of(operation)
    rows, _ = api.walk(f"{path}?limit=1000")
    reply = api.get(path, headers={"Accept": "application/x-ndjson"})
    assert [json.loads(line) for line in reply.text.splitlines()] == [json.loads(json.dumps(r)) for r in rows]


@named([o for o in LISTS if not o.where("path")])
def test_head_is_get_without_its_body(operation, api, path_of):
    path = path_of(operation)
    head, get = api("HEAD", path), api("GET", path)
    assert (head.status, head.bytes) == (200, b"")
    for name in ("Content-Type", "Content-Length", "ETag"):
        assert head.headers.get(name) == get.headers.get(name), name
