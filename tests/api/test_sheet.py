# SPDX-License-Identifier: Apache-2.0
"""Lists as XLSX: the same cells as JSON, text as text, days as days, and nothing left behind on the disk."""
import os

import pytest

from support import client, contract as contracts, daemon as daemons, make
from support.client import XLSX
from support.sheet import cells, same

CONTRACT = contracts.load()
SHEETS = [o for o in CONTRACT.operations.values() if XLSX in o.success_types()]


@pytest.fixture(scope="module")
def temporary(tmp_path_factory):
    return tmp_path_factory.mktemp("sheets")


@pytest.fixture(scope="module")
def settings(temporary):
    """The daemon of this module keeps its temporary files where we can look."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TMPDIR", str(temporary))
        yield {}


@pytest.mark.parametrize("operation", SHEETS, ids=[o.id for o in SHEETS])
def test_a_sheet_says_what_json_says(operation, api, world, temporary):
    path = operation.fill(world)
    rows, _ = api.walk(f"{path}?limit=1000")
    assert rows
    reply = api.get(path, headers={"Accept": XLSX})
    assert reply.type == XLSX
    head, *body = cells(reply.bytes)
    names = [head[n][1] for n in range(len(head))]
    assert set(rows[0]) <= set(names) and len(body) == len(rows)
    for line, row in zip(body, rows):
        for n, name in enumerate(names):
            value = row.get(name)
            if value is None or value == []:
                assert n not in line or line[n][1] in ("", None, "[]"), (name, line.get(n))
            else:
                assert same(line[n], value), (name, line[n], value)
    assert os.listdir(temporary) == []


def test_a_nip_keeps_its_digits_and_a_formula_is_text(api, office):
    unit = make.unit(api, parent=office["id"])
    who = make.person(api, unit["id"], name="=1+1")
    head, row = cells(api.get(f"/v1/asn?unit_id={unit['id']}&fields=nip,name", headers={"Accept": XLSX}).bytes)
    told = {head[n][1]: row[n][:2] for n in head}
    assert told == {"nip": ("inlineStr", who["nip"]), "name": ("inlineStr", "=1+1")}


def test_a_list_without_rows_is_a_sheet_with_a_head(api):
    unit = make.unit(api)
    rows = cells(api.get(f"/v1/reports/duk?under={unit['id']}", headers={"Accept": XLSX}).bytes)
    assert len(rows) == 1 and rows[0][0][1] == "place"


def test_where_nothing_can_be_written_it_is_told(database, keys, monkeypatch):
    monkeypatch.setenv("TMPDIR", "/nonexistent")
    other = daemons.Daemon(database, name="no-room")
    try:
        reply = client.Client(other.url, keys("admin"))("GET", "/v1/asn", headers={"Accept": XLSX})
        assert (reply.status, reply.code) == (503, "unavailable")
    finally:
        other.stop()
