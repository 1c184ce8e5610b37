# SPDX-License-Identifier: Apache-2.0
"""What leaves as a table must not be a program in the spreadsheet that opens it; and what comes in packed must not unpack into all memory."""
import csv
import gzip
import io
import re
import zipfile
import zlib

import pytest

from support import contract as contracts, make, sample
from support.client import XLSX
from support.wire import request

CONTRACT = contracts.load()
TABLES = [o for o in CONTRACT.operations.values() if o.method == "get" and o.scopes is not None and {"text/csv", XLSX} & set(o.success_types())]
ORDERS = ["=HYPERLINK(\"http://x\")", "+1+1", "-2+3", "@SUM(1)", "=cmd|' /C calc'!A0", "+cmd", "-cmd", "@x"]


@pytest.fixture(scope="module")
def planted(api, world):
    """Names that are orders, in whatever the world shows."""
    changes = {f"/v1/asn/{world['nip']}": ["name", "position", "birth_place"], f"/v1/units/{world['unit_id']}": ["name"], f"/v1/sessions/{world['session_id']}": ["title", "place"],
               f"/v1/programmes/{world['programme_id']}": ["name", "organiser"], f"/v1/partners/{world['partner_id']}": ["name", "contact"],
               f"/v1/agreements/{world['agreement_id']}": ["title"], f"/v1/activities/{world['activity_id']}": ["title"], f"/v1/kpis/{world['kpi_id']}": ["name"],
               f"/v1/periods/{world['period_id']}": ["name"], f"/v1/posts/{world['post_id']}": ["position"], f"/v1/service-units/{world['service_unit_id']}": ["hours"],
               f"/v1/services/{world['service_id']}": ["name"], f"/v1/keys/{world['key_id']}": ["owner", "name"], f"/v1/documents/{world['document_id']}": ["title", "number"]}
    done = 0
    for n, (path, members) in enumerate(changes.items()):
        for k, member in enumerate(members):
            reply = api("PATCH", path, json={member: ORDERS[(n + k) % len(ORDERS)]}, headers={"If-Match": "*"})
            done += reply.status == 200
    make.person(api, make.unit(api, parent=world["unit_id"], name="@SUM(A1:A9)")["id"], name="=1+1", position="-cmd")
    assert done > 10
    return world


def is_number(cell):
    return re.fullmatch(r"-?\d+(\.\d+)?", cell) is not None


@pytest.mark.parametrize("form", ["text/csv", XLSX])
def test_no_cell_of_any_export_is_an_order(form, planted, api, wire):
    asked = [o for o in TABLES if form in o.success_types() and all(p["name"] in planted for p in o.where("path"))]
    replies = wire.ask([request("GET", o.fill(planted) + sample.required_query(o), Authorization=f"Bearer {api.key}", Accept=form) for o in asked])
    assert len(asked) > 10
    orders, found = 0, {}
    for operation, reply in zip(asked, replies):
        if reply.status != 200:
            continue
        if form == XLSX:
            book = zipfile.ZipFile(io.BytesIO(reply.body))
            inside = b"".join(book.read(name) for name in book.namelist() if name.startswith("xl/"))
            orders += sum(inside.count(text) for text in (b"HYPERLINK", b"SUM("))
            if re.search(rb"<f[ >]|<definedName|externalLink|vbaProject|<hyperlink", inside):
                found[operation.id] = "a formula"
            continue
        for row in csv.reader(io.StringIO(reply.body.decode())):
            orders += sum("HYPERLINK" in cell or "SUM(" in cell for cell in row)
            bad = [cell for cell in row if cell[:1] in tuple("=+-@\t\r") and not is_number(cell)]
            if bad:
                found[operation.id] = bad[:3]
    assert found == {} and orders > 3


# ── bombs ──

def memory_kb(daemon):
    return int(re.search(r"VmRSS:\s+(\d+)", open(f"/proc/{daemon.process.pid}/status", encoding="ascii").read()).group(1))


@pytest.fixture(scope="module")
def bombs():
    """A hundred megabytes of nothing, packed."""
    nothing = b"\0" * 100_000_000
    book = io.BytesIO()
    with zipfile.ZipFile(book, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", nothing)
    return {"gzip": gzip.compress(nothing), "deflate": zlib.compress(nothing), "zip": book.getvalue(), "br": b"\xa1\x00\x00\x00" * 100}


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "x-gzip", "gzip, gzip", "zstd"])
@pytest.mark.parametrize("target", ["/v1/asn/import", "/v1/units", "/v1/asn/{nip}/documents?type=872"])
def test_nothing_is_unpacked_on_the_way_in(coding, target, bombs, world, api, wire, daemon):
    body = bombs.get(coding.split(",")[0].removeprefix("x-"), b"(\xb5/\xfd")
    media = {"/v1/asn/import": "text/csv", "/v1/units": "application/json"}.get(target, "application/pdf")
    before = memory_kb(daemon)
    reply, = wire.ask([request("POST", target.format(**world), body, Authorization=f"Bearer {api.key}", Content_Type=media, Content_Encoding=coding)])
    assert reply.status in (400, 415, 422), reply
    assert memory_kb(daemon) - before < 40_000


@pytest.mark.parametrize("target", ["/v1/asn/import", "/v1/asn/{nip}/documents?type=872"])
@pytest.mark.parametrize("media", [XLSX, "application/zip", "application/gzip", "text/csv", "application/pdf"])
def test_an_archive_is_no_file_of_ours(media, target, bombs, world, api, wire, daemon):
    before = memory_kb(daemon)
    reply, = wire.ask([request("POST", target.format(**world), bombs["zip"], Authorization=f"Bearer {api.key}", Content_Type=media)])
    assert reply.status in (400, 415, 422), reply
    assert memory_kb(daemon) - before < 40_000


def test_a_table_of_one_endless_line_is_refused(world, api, wire, daemon):
    before = memory_kb(daemon)
    reply, = wire.ask([request("POST", "/v1/asn/import", b"nip,name\n" + b'"' + b"x" * 30_000_000, Authorization=f"Bearer {api.key}", Content_Type="text/csv")])
    assert reply.status in (200, 400, 413, 422), reply
    assert memory_kb(daemon) - before < 120_000
