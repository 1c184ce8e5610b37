# SPDX-License-Identifier: Apache-2.0
"""The tree of units."""
import pytest

from support import make


def test_a_unit_is_made_read_changed(api):
    made = api.post("/v1/units", {"code": "BARU-1", "name": "Bidang Baru", "kind": "bidang"}, expect=201)
    unit = made.json
    assert made.headers["Location"] == f"/v1/units/{unit['id']}"
    assert unit["is_active"] is True and unit["depth"] == 1 and unit["parent_id"] is None
    read = api.get(f"/v1/units/{unit['id']}")
    assert read.json == unit and read.etag == made.etag
    changed = api.patch(f"/v1/units/{unit['id']}", {"name": "Bidang Lebih Baru"}, etag=read.etag)
    assert changed.json == {**unit, "name": "Bidang Lebih Baru", "version": unit["version"] + 1, "updated_at": changed.json["updated_at"]}
    assert changed.etag != read.etag


def test_a_code_is_given_once(api):
    unit = make.unit(api)
    reply = api.post("/v1/units", {"code": unit["code"], "name": "Lain", "kind": "bidang"}, expect=409)
    assert "/code" in reply.faults
    other = make.unit(api)
    reply = api.patch(f"/v1/units/{other['id']}", {"code": unit["code"]}, etag=f'"{other["version"]}"', expect=409)
    assert "/code" in reply.faults


FAULTY = {
    "no-name": ({"code": "X", "kind": "bidang"}, "/name"),
    "name-empty": ({"code": "X", "name": "", "kind": "bidang"}, "/name"),
    "name-number": ({"code": "X", "name": 7, "kind": "bidang"}, "/name"),
    "name-too-long": ({"code": "X", "name": "n" * 301, "kind": "bidang"}, "/name"),
    "kind-unknown": ({"code": "X", "name": "N", "kind": "kantor"}, "/kind"),
    "parent-no-uuid": ({"code": "X", "name": "N", "kind": "bidang", "parent_id": "atas"}, "/parent_id"),
    "active-text": ({"code": "X", "name": "N", "kind": "bidang", "is_active": "yes"}, "/is_active"),
    "version-is-ours": ({"code": "X", "name": "N", "kind": "bidang", "version": 7}, "/version"),
}


@pytest.mark.parametrize("case", FAULTY.keys())
def test_a_faulty_unit_is_refused_where_it_is_wrong(case, api):
    body, pointer = FAULTY[case]
    reply = api.post("/v1/units", body, expect=422)
    assert pointer in reply.faults, reply


def test_all_faults_are_told_at_once(api):
    reply = api.post("/v1/units", {"code": "", "name": 1, "kind": "kantor", "extra": True}, expect=422)
    assert {"/code", "/name", "/kind", "/extra"} <= set(reply.faults)


def test_a_parent_that_is_not_there(api):
    reply = api.post("/v1/units", {"code": "X1", "name": "N", "kind": "bidang", "parent_id": "0190ffff-ffff-7fff-bfff-ffffffffffff"}, expect=422)
    assert (reply.code, list(reply.faults)) == ("reference-missing", ["/parent_id"])


def names_under(api, unit_id):
    return {u["name"] for u in api.get(f"/v1/units?under={unit_id}&limit=1000").json["data"]}


def test_moving_a_unit_carries_what_is_below(api):
    a, b = make.unit(api, name="Cabang A"), make.unit(api, name="Cabang B")
    middle = make.unit(api, a["id"], name="Tengah")
    leaf = make.unit(api, middle["id"], name="Daun")
    assert names_under(api, a["id"]) == {"Cabang A", "Tengah", "Daun"}
    moved = api.patch(f"/v1/units/{middle['id']}", {"parent_id": b["id"]}, etag=f'"{middle["version"]}"').json
    assert moved["parent_id"] == b["id"]
    assert names_under(api, a["id"]) == {"Cabang A"}
    assert names_under(api, b["id"]) == {"Cabang B", "Tengah", "Daun"}
    assert api.get(f"/v1/units/{leaf['id']}").json["depth"] == 3
    rooted = api.patch(f"/v1/units/{middle['id']}", {"parent_id": None}, etag=f'"{moved["version"]}"').json
    assert rooted["parent_id"] is None and rooted["depth"] == 1
    assert api.get(f"/v1/units/{leaf['id']}").json["depth"] == 2


def test_no_unit_comes_below_itself(api):
    top = make.unit(api)
    below = make.unit(api, top["id"])
    for parent in (top["id"], below["id"]):
        reply = api.patch(f"/v1/units/{top['id']}", {"parent_id": parent}, etag=f'"{top["version"]}"', expect=409)
        assert "/parent_id" in reply.faults, reply


def test_filters(api):
    top = make.unit(api, kind="badan", name="Badan Penyaring")
    make.unit(api, top["id"], kind="bidang", name="Bidang Satu")
    idle = make.unit(api, top["id"], kind="subbidang", name="Bidang Dua", is_active=False)
    under = f"/v1/units?under={top['id']}"

    def names(query):
        return {u["name"] for u in api.get(under + query).json["data"]}

    assert names("") == {"Badan Penyaring", "Bidang Satu", "Bidang Dua"}
    assert names("&kind=bidang") == {"Bidang Satu"}
    assert names("&is_active=false") == {idle["name"]}
    assert names("&is_active=true&kind=badan") == {"Badan Penyaring"}
    assert names("&q=dua") == {"Bidang Dua"}
    assert {u["name"] for u in api.get(f"/v1/units?parent_id={top['id']}").json["data"]} == {"Bidang Satu", "Bidang Dua"}


@pytest.mark.parametrize("query", ["is_active=yes", "is_active=1", "kind=kantor", "under=here", "parent_id=1", "sort=colour", "sort=name,code",
                                   "cursor=abc", "kind=bidang&kind=badan", "kind", "q=%FF", "q=%00", "under=%zz"])
def test_a_filter_that_makes_no_sense_is_400(query, api):
    reply = api.get(f"/v1/units?{query}", expect=400)
    assert reply.code == "bad-target" or reply.json["errors"], reply
