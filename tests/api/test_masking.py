# SPDX-License-Identifier: Apache-2.0
"""A NIK in a list is shown in part, in whatever form; whole in the record, or where `fields` names it, and each whole one leaves an entry."""
import io
import json
import zipfile

import pytest

from support import make
from support.client import XLSX

NIK, MASKED = "7602011501900123", "76************23"


@pytest.fixture(scope="module")
def known(api, office):
    return make.person(api, office["id"], nik=NIK)


@pytest.fixture(scope="module")
def full(api, keys):
    return api.as_key(keys("asn.read", "asn.sensitive", "asn.write", "import.write", "request.read", "request.write", "unit.read"))


@pytest.fixture
def read_since(sql):
    """Members of the readings since the test began."""
    last = sql("SELECT coalesce(max(id), 0) FROM audit_entry")[0][0]
    return lambda: [json.loads(c)["members"] for c, in sql("SELECT content FROM audit_entry WHERE id > %s AND content LIKE '%%\"action\":\"read\"%%' ORDER BY id", (last,))]


def text_of(reply, form):
    if form != XLSX:
        return reply.text
    book = zipfile.ZipFile(io.BytesIO(reply.bytes))
    return "".join(book.read(name).decode("utf-8", "replace") for name in book.namelist())


@pytest.mark.parametrize("form", ["application/json", "text/csv", "application/x-ndjson", XLSX])
def test_a_list_masks_it_in_every_form(form, full, known, office):
    told = text_of(full.get(f"/v1/asn?unit_id={office['id']}", headers={"Accept": form}), form)
    assert MASKED in told and NIK not in told
    named = text_of(full.get(f"/v1/asn?unit_id={office['id']}&fields=nip,nik", headers={"Accept": form}), form)
    assert NIK in named and MASKED not in named


@pytest.mark.parametrize("query", ["q={nik}", "unit_id={unit}&sort=-name", "unit_id={unit}&as_of=2026-01-01"])
def test_a_search_by_the_whole_nik_finds_and_masks_it(query, full, known, office):
    rows = full.get(f"/v1/asn?{query.format(nik=NIK, unit=office['id'])}").json["data"]
    assert [row["nik"] for row in rows if row["nip"] == known["nip"]] == [MASKED]


def test_the_record_has_it_whole_and_so_has_the_reply_of_a_change(full, known):
    assert full.get(f"/v1/asn/{known['nip']}").json["nik"] == NIK
    assert full.patch(f"/v1/asn/{known['nip']}", {"birth_place": "Majene"}, etag="*").json["nik"] == NIK


def test_only_a_whole_one_is_a_reading(full, known, office, read_since):
    full.get(f"/v1/asn?unit_id={office['id']}")
    full.get(f"/v1/asn?unit_id={office['id']}", headers={"Accept": "text/csv"})
    seen = read_since()
    assert not any("nik" in members for members in seen), seen
    full.get(f"/v1/asn?unit_id={office['id']}&fields=nip,nik")
    assert read_since()[-1] == ["nik"]


def test_who_may_not_see_it_is_not_given_a_masked_one(api, keys, known, office):
    plain = api.as_key(keys("asn.read"))
    for query in ("", "&fields=nip,nik"):
        assert all("nik" not in row for row in plain.get(f"/v1/asn?unit_id={office['id']}{query}").json["data"])


def test_nobody_without_a_nik_has_stars(full, api, office):
    bare = make.person(api, office["id"])
    assert [row["nik"] for row in full.get(f"/v1/asn?unit_id={office['id']}&limit=1000").json["data"] if row["nip"] == bare["nip"]] == [None]


def test_a_masked_one_is_not_taken_back(full, known, office):
    refused = full.patch(f"/v1/asn/{known['nip']}", {"nik": MASKED}, etag="*", expect=422)
    assert list(refused.faults) == ["/nik"]
    rows = f"nip,kind,name,unit_code,nik\n{known['nip']},PNS,{known['name']},{office['code']},{MASKED}\n"
    report = full("POST", "/v1/asn/import", data=rows.encode(), headers={"Content-Type": "text/csv"}, expect=200).json
    assert (report["refused"], report["updated"]) == (1, 0)
    assert full.get(f"/v1/asn/{known['nip']}").json["nik"] == NIK


def test_change_requests_mask_it_in_the_list_and_note_the_reading_of_one(full, known, read_since):
    request = make.request(full, known["nip"], record={"nik": "7602011501900124"})
    listed = full.get(f"/v1/change-requests?nip={known['nip']}").json["data"][0]
    assert (listed["record"]["nik"], listed["before"]["nik"]) == ("76************24", MASKED)
    before = len(read_since())
    one = full.get(f"/v1/change-requests/{request['id']}").json
    assert (one["record"]["nik"], one["before"]["nik"]) == ("7602011501900124", NIK)
    assert len(read_since()) == before + 1, "whoever is shown it leaves an entry"


def test_a_reconciliation_masks_what_we_have(full, known):
    theirs = {"nip": known["nip"], "nik": "7602011501900999"}
    (different,) = full.post("/v1/asn/reconcile", {"people": [theirs]}, expect=200).json["different"]
    assert different["fields"] == [{"field": "nik", "theirs": "7602011501900999", "ours": MASKED}]
    file = f"nip,nik\n{known['nip']},7602011501900999\n".encode()
    told = full("POST", "/v1/asn/reconcile/file", data=file, headers={"Content-Type": "text/csv"}, expect=200).text
    assert MASKED in told and NIK not in told
