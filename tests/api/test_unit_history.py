# SPDX-License-Identifier: Apache-2.0
"""Units by the day: what each was called and where it stood, and what a new organisation (SOTK) does to units, people and posts."""
import json
import threading
from datetime import timedelta

import pytest

from support import make

TODAY = make.today().isoformat()
TOMORROW = (make.today() + timedelta(days=2)).isoformat()
DECREE = {"decree_number": "Perda 7/2020", "decree_date": "2019-12-20"}


def unit(api, parent=None, since="2015-01-01", **members):
    return make.unit(api, parent and parent["id"], effective_on=since, **members)


def read(api, one, as_of=None, **options):
    return api.get(f"/v1/units/{one['id']}" + (f"?as_of={as_of}" if as_of else ""), **options).json


def patch(api, one, members, **options):
    return api.patch(f"/v1/units/{one['id']}", members, etag="*", **options)


def versions(api, one):
    return [(v["from"], v["to"], v["name"]) for v in api.get(f"/v1/units/{one['id']}/versions").json["data"]]


def under(api, one, as_of=None):
    return {u["name"] for u in api.get(f"/v1/units?under={one['id']}&limit=1000" + (f"&as_of={as_of}" if as_of else "")).json["data"]}


def placements(api, nip):
    return [(h["from"], h["until"], h["facts"]["unit_id"], h["decree_number"]) for h in api.get(f"/v1/asn/{nip}/history?kind=placement").json["data"]]


def person_since(api, one, since="2016-01-01", **members):
    """Somebody who has worked in a unit since then."""
    who = make.person(api, one["id"], **members)
    make.history(api, who["nip"], "placement", {"unit_id": one["id"]}, since)
    return who


# ── versions ──

def test_a_new_name_leaves_the_old_one_behind(api):
    one = unit(api, name="Kantor Lama")
    patch(api, one, {"name": "Badan Baru", "effective_on": "2020-01-01", "reason": "SOTK", **DECREE})
    assert versions(api, one) == [("2015-01-01", "2020-01-01", "Kantor Lama"), ("2020-01-01", None, "Badan Baru")]
    told = api.get(f"/v1/units/{one['id']}/versions?sort=-from&limit=1").json["data"][0]
    assert {k: told[k] for k in DECREE} == DECREE and told["reason"] == "SOTK" and told["actor_name"]
    assert read(api, one)["name"] == read(api, one, "2020-01-01")["name"] == "Badan Baru"
    assert read(api, one, "2019-12-31")["name"] == "Kantor Lama"
    read(api, one, "2014-12-31", expect=404)
    names = {u["name"] for u in api.get(f"/v1/units?as_of=2019-12-31&q=Kantor Lama").json["data"]}
    assert names == {"Kantor Lama"}


def test_a_unit_without_a_day_begins_today(api):
    one = make.unit(api)
    assert [v[:2] for v in versions(api, one)] == [(TODAY, None)]
    read(api, one, "2020-01-01", expect=404)
    patch(api, one, {"name": "Nama Lain"})
    assert versions(api, one) == [(TODAY, None, "Nama Lain")], "told otherwise on the same day"
    patch(api, one, {"effective_on": "2017-01-03", **DECREE})
    assert versions(api, one) == [("2017-01-03", None, "Nama Lain")], "nothing else was told than that it began earlier"
    patch(api, one, {"effective_on": "2017-01-03", "decree_number": "Perda 8/2016"})
    patch(api, one, {"effective_on": "2020-01-01", "decree_number": "Perda 9/2019"})
    told, = api.get(f"/v1/units/{one['id']}/versions").json["data"]
    assert told["decree_number"] == "Perda 8/2016", "the decree of a day on which nothing changed is none of its own"


def test_what_is_told_of_the_past_holds_until_the_next_change_of_the_same(api):
    top = unit(api, name="Puncak")
    one = unit(api, top, name="Satu")
    patch(api, one, {"name": "Tiga", "effective_on": "2022-01-01"})
    patch(api, one, {"kind": "subbidang", "effective_on": "2021-01-01"})
    told = api.get(f"/v1/units/{one['id']}/versions").json["data"]
    assert [(v["from"], v["name"], v["kind"]) for v in told] == [("2015-01-01", "Satu", "bidang"), ("2021-01-01", "Satu", "subbidang"), ("2022-01-01", "Tiga", "subbidang")]
    patch(api, one, {"name": "Dua", "effective_on": "2018-01-01"})
    assert [v[2] for v in versions(api, one)] == ["Satu", "Dua", "Dua", "Tiga"]
    patch(api, one, {"name": "Nol", "effective_on": "2010-01-01"}, expect=422)  # the unit above began later
    patch(api, top, {"effective_on": "2010-01-01"})
    patch(api, one, {"name": "Nol", "effective_on": "2010-01-01"})
    assert versions(api, one)[0] == ("2010-01-01", "2015-01-01", "Nol")
    assert read(api, one)["name"] == "Tiga"


def test_a_move_leaves_the_old_tree_behind(api):
    a, b = unit(api, name="Cabang A"), unit(api, name="Cabang B")
    middle = unit(api, a, name="Tengah")
    leaf = unit(api, middle, name="Daun")
    patch(api, middle, {"parent_id": b["id"], "effective_on": "2020-01-01", **DECREE})
    patch(api, b, {"parent_id": a["id"], "effective_on": "2022-01-01"})
    for day, below_a, below_b, depth in (("2019-06-01", {"Cabang A", "Tengah", "Daun"}, {"Cabang B"}, 3), ("2021-06-01", {"Cabang A"}, {"Cabang B", "Tengah", "Daun"}, 3),
                                         (None, {"Cabang A", "Cabang B", "Tengah", "Daun"}, {"Cabang B", "Tengah", "Daun"}, 4)):
        assert (under(api, a, day), under(api, b, day)) == (below_a, below_b), day
        assert read(api, leaf, day)["depth"] == depth
    assert read(api, middle, "2019-06-01")["parent_id"] == a["id"]

    def above(day=""):
        return [u["name"] for u in api.get(f"/v1/units/{leaf['id']}/ancestors{day}").json["data"]]
    assert above("?as_of=2019-06-01") == ["Cabang A", "Tengah"]
    assert above("?as_of=2021-06-01") == ["Cabang B", "Tengah"]
    assert above() == ["Cabang A", "Cabang B", "Tengah"]
    assert above("?as_of=2014-06-01") == []
    paths = [u["name"] for u in api.get(f"/v1/units?under={a['id']}&as_of=2019-06-01&sort=path").json["data"]]
    assert paths == ["Cabang A", "Tengah", "Daun"]
    assert api.walk(f"/v1/units?under={a['id']}&as_of=2019-06-01&sort=code&limit=1")[0] == api.get(f"/v1/units?under={a['id']}&as_of=2019-06-01").json["data"]


def test_no_circle_on_any_day(api):
    a, b = unit(api), unit(api)
    patch(api, b, {"parent_id": a["id"], "effective_on": "2020-01-01"})
    assert patch(api, a, {"parent_id": b["id"], "effective_on": "2021-01-01"}, expect=409).code == "unit-cycle"
    before = versions(api, a)
    assert patch(api, a, {"parent_id": b["id"], "effective_on": "2018-01-01"}, expect=409).faults == {"/parent_id": "unit-cycle"}
    assert versions(api, a) == before, "nothing half written"
    # The other way round until 2020 is no circle.
    c, d = unit(api), unit(api)
    patch(api, d, {"parent_id": c["id"], "effective_on": "2018-01-01"})
    patch(api, d, {"parent_id": None, "effective_on": "2020-01-01"})
    patch(api, c, {"parent_id": d["id"], "effective_on": "2020-01-01"})
    assert read(api, d, "2019-01-01")["parent_id"] == c["id"] and read(api, c, "2021-01-01")["parent_id"] == d["id"]
    assert patch(api, c, {"parent_id": d["id"], "effective_on": "2019-06-01"}, expect=409).code == "unit-cycle"


def test_a_unit_does_not_begin_before_the_one_above(api):
    top = unit(api, since="2018-01-01")
    body = {"code": "DINI", "name": "Terlalu Dini", "kind": "bidang", "parent_id": top["id"], "effective_on": "2017-01-01"}
    assert api.post("/v1/units", body, expect=422).faults == {"/effective_on": "unit-absent"}
    api.post("/v1/units", {**body, "effective_on": "2018-01-01"}, expect=201)


AHEAD = {
    "create": ("POST", "/v1/units", lambda u: {"code": "NANTI", "name": "Nanti", "kind": "bidang"}),
    "patch": ("PATCH", "/v1/units/{id}", lambda u: {"name": "Nanti"}),
    "close": ("POST", "/v1/units/{id}/close", lambda u: {}),
    "merge": ("POST", "/v1/units/{id}/merge", lambda u: {"sources": [u["other"]]}),
    "split": ("POST", "/v1/units/{id}/split", lambda u: {"code": "NANTI", "name": "Nanti", "kind": "bidang"}),
}


@pytest.mark.parametrize("case", AHEAD)
def test_a_day_to_come_is_refused(case, api):
    method, path, body = AHEAD[case]
    one = {**unit(api), "other": unit(api)["id"]}
    reply = api(method, path.format(**one), json={**body(one), "effective_on": TOMORROW}, headers={"If-Match": "*"} if method == "PATCH" else {}, expect=422)
    assert reply.faults == {"/effective_on": "day-ahead"}


# ── closing, merging, splitting ──

def test_a_unit_with_people_or_units_needs_a_successor(api):
    one = unit(api)
    who = person_since(api, one)
    below = unit(api, one)
    reply = api.post(f"/v1/units/{one['id']}/close", {"effective_on": "2024-01-01"}, expect=409)
    assert reply.faults == {"/successor_id": "unit-not-empty"}
    assert reply.json["errors"][0]["value"] == "people: 1, units: 1"
    api.patch(f"/v1/asn/{who['nip']}", {"legal_status": "99"}, etag=make.tag(api, f"/v1/asn/{who['nip']}"))
    api.post(f"/v1/units/{below['id']}/close", {"effective_on": "2023-01-01"})
    told = api.post(f"/v1/units/{one['id']}/close", {"effective_on": "2024-01-01", "reason": "Dihapus", **DECREE}, expect=200).json
    assert told == {"unit_id": None, "people": 0, "children": 0, "posts": 0, "trainings": 0}
    now = read(api, one)
    assert (now["is_active"], now["closed_on"], now["successor_id"], now["head"]) == (False, "2024-01-01", None, None)
    assert now["closing"]["reason"] == "Dihapus" and now["closing"]["decree_number"] == DECREE["decree_number"]
    assert read(api, one, "2023-12-31")["closed_on"] is None
    read(api, one, "2024-01-01", expect=404)
    assert api.get(f"/v1/asn/{who['nip']}").json["unit_id"] == one["id"], "who has left stays"
    assert api.post(f"/v1/units/{one['id']}/close", {}, expect=409).code == "unit-closed"
    assert patch(api, one, {"name": "Lain"}, expect=409).code == "unit-closed"


def test_what_was_in_a_closed_unit_goes_to_its_successor(api):
    top = unit(api)
    old, heir = unit(api, top, name="Lama"), unit(api, top, name="Penerus")
    below = unit(api, old, name="Bawahan")
    who, late = person_since(api, old), person_since(api, old, since="2022-05-01")
    coming, lent = make.person(api, heir["id"]), make.person(api, top["id"])
    make.history(api, coming["nip"], "placement", {"unit_id": old["id"]}, TOMORROW)
    make.history(api, lent["nip"], "placement", {"unit_id": old["id"]}, "2018-01-01", to="2021-01-01")
    make.post(api, old["id"], position="Arsiparis", posts=3)
    make.post(api, old["id"], position="Pengelola", posts=1)
    make.post(api, heir["id"], position="ARSIPARIS", posts=2)
    told = api.post(f"/v1/units/{old['id']}/close", {"effective_on": "2020-01-01", "successor_id": heir["id"], **DECREE}).json
    assert told == {"unit_id": heir["id"], "people": 4, "children": 1, "posts": 2, "trainings": 0}
    assert placements(api, coming["nip"])[-1][:3] == (TOMORROW, None, heir["id"])
    assert [p[:3] for p in placements(api, lent["nip"])] == [("2018-01-01", "2020-01-01", old["id"]), ("2020-01-01", "2021-01-01", heir["id"]), (TODAY, None, top["id"])]
    assert placements(api, who["nip"])[:2] == [("2016-01-01", "2020-01-01", old["id"], None), ("2020-01-01", TODAY, heir["id"], DECREE["decree_number"])]
    assert placements(api, late["nip"])[0][:3] == ("2022-05-01", TODAY, heir["id"]), "who came later came to the successor"
    assert {api.get(f"/v1/asn/{p['nip']}").json["unit_id"] for p in (who, late)} == {heir["id"]}
    assert api.get(f"/v1/asn/{who['nip']}?as_of=2019-06-01").json["unit_name"] == "Lama"
    assert api.get(f"/v1/asn/{who['nip']}?as_of=2020-01-01").json["unit_name"] == "Penerus"
    assert read(api, below)["parent_id"] == heir["id"] and read(api, below, "2019-12-31")["parent_id"] == old["id"]
    posts = {p["position"].lower(): p["posts"] for p in api.get(f"/v1/posts?unit_id={heir['id']}").json["data"]}
    assert posts == {"arsiparis": 5, "pengelola": 1}
    assert api.get(f"/v1/posts?unit_id={old['id']}").json["data"] == []
    assert under(api, top) == {top["name"], "Lama", "Penerus", "Bawahan"} and "Lama" not in under(api, top, "2020-01-01")
    assert [u["name"] for u in api.get(f"/v1/units?under={top['id']}&is_closed=true").json["data"]] == ["Lama"]


def test_several_become_one(api):
    top = unit(api)
    a, b, into = unit(api, top), unit(api, top), unit(api, top, since="2020-01-01")
    inner = unit(api, a)  # a source below another source
    people = [person_since(api, u) for u in (a, b, inner)]
    told = api.post(f"/v1/units/{into['id']}/merge", {"sources": [a["id"], b["id"], inner["id"]], "effective_on": "2020-01-01", **DECREE}, expect=200).json
    assert (told["unit_id"], told["people"]) == (into["id"], 3)
    for who, was in zip(people, (a, b, inner)):
        assert [p[2] for p in placements(api, who["nip"])][:2] == [was["id"], into["id"]]
    assert [read(api, u)["successor_id"] for u in (a, b, inner)] == [into["id"]] * 3
    assert api.get(f"/v1/units?under={top['id']}&as_of=2021-01-01&count=exact").json["page"]["count"] == 2


def test_what_cannot_be_merged_is_told_where(api):
    top = unit(api)
    a, into, gone = unit(api, top), unit(api, top, since="2020-01-01"), unit(api)
    api.post(f"/v1/units/{gone['id']}/close", {"effective_on": "2021-01-01"})
    missing = "0190ffff-ffff-7fff-bfff-ffffffffffff"
    path = f"/v1/units/{into['id']}/merge"
    assert api.post(path, {"sources": [a["id"], missing]}, expect=422).faults == {"/sources/1": "reference-missing"}
    assert api.post(path, {"sources": [a["id"], a["id"]]}, expect=422).faults == {"/sources/1": "merge-self"}
    assert api.post(path, {"sources": [into["id"]]}, expect=422).faults == {"/sources/0": "merge-self"}
    assert api.post(path, {"sources": [gone["id"]]}, expect=409).faults == {"/sources/0": "unit-closed"}
    assert api.post(path, {"sources": [top["id"]]}, expect=409).faults == {"/sources/0": "unit-cycle"}
    assert api.post(path, {"sources": [a["id"]], "effective_on": "2019-01-01"}, expect=422).code == "unit-absent"
    patch(api, a, {"name": "Baru", "effective_on": "2023-01-01"})
    assert api.post(path, {"sources": [a["id"]], "effective_on": "2022-01-01"}, expect=409).faults == {"/effective_on": "unit-order"}
    assert read(api, a)["closed_on"] is None
    tried = api.post(path, {"sources": [a["id"]]}, headers={"Prefer": "dry-run"}, expect=200)
    assert tried.json["unit_id"] == into["id"] and read(api, a)["closed_on"] is None


def test_a_part_becomes_a_unit_of_its_own(api):
    top = unit(api)
    one = unit(api, top)
    child, other = unit(api, one), unit(api, one)
    goes, stays = person_since(api, one), person_since(api, one)
    post = make.post(api, one["id"])
    body = {"code": f"S-{one['code']}", "name": "Pecahan", "kind": "bidang", "head_position": "Kepala Pecahan", "children": [child["id"]], "people": [goes["nip"]],
            "posts": [post["id"]], "effective_on": "2021-01-01", **DECREE}
    for member, value in (("children", other["id"]), ("people", stays["nip"]), ("posts", post["id"])):
        wrong = {**body, member: [{"children": top["id"], "people": "199912312022031998", "posts": child["id"]}[member]]}
        assert api.post(f"/v1/units/{one['id']}/split", wrong, expect=422).faults == {f"/{member}/0": "reference-missing"}, value
    reply = api.post(f"/v1/units/{one['id']}/split", body, expect=201)
    made = api.get(reply.headers["Location"]).json
    assert (made["name"], made["parent_id"], made["head_position"]) == ("Pecahan", top["id"], "Kepala Pecahan")
    assert reply.json == {"unit_id": made["id"], "people": 1, "children": 1, "posts": 1, "trainings": 0}
    assert placements(api, goes["nip"])[1][:4] == ("2021-01-01", TODAY, made["id"], DECREE["decree_number"])
    assert api.get(f"/v1/asn/{stays['nip']}").json["unit_id"] == one["id"]
    assert (read(api, child)["parent_id"], read(api, other)["parent_id"]) == (made["id"], one["id"])
    assert under(api, made, "2021-01-01") == {"Pecahan", child["name"]}
    assert api.get(f"/v1/posts/{post['id']}").json["unit_id"] == made["id"]
    again = {**body, "children": [], "people": [], "posts": []}
    assert api.post(f"/v1/units/{one['id']}/split", again, expect=409).faults == {"/code": "unit-code-taken"}


def test_a_closed_unit_may_be_opened_again(api):
    top = unit(api)
    one = unit(api, top)
    api.post(f"/v1/units/{one['id']}/close", {"effective_on": "2020-01-01"})
    assert patch(api, one, {"is_active": True, "effective_on": "2019-01-01"}, expect=409).code == "unit-order"
    opened = patch(api, one, {"is_active": True, "effective_on": "2021-01-01"}).json
    assert (opened["closed_on"], opened["is_active"], opened["closing"]) == (None, True, None)
    assert [v[:2] for v in versions(api, one)] == [("2015-01-01", "2020-01-01"), ("2021-01-01", None)]
    read(api, one, "2020-06-01", expect=404)
    api.post(f"/v1/units/{one['id']}/close", {"effective_on": "2022-01-01"})
    api.post(f"/v1/units/{top['id']}/close", {"effective_on": "2023-01-01"})
    assert patch(api, one, {"is_active": True}, expect=409).faults == {"/parent_id": "unit-closed"}


def test_a_unit_closed_on_its_first_day_never_was(api):
    one = make.unit(api)
    api.post(f"/v1/units/{one['id']}/close", {})
    assert versions(api, one) == []
    read(api, one, TODAY, expect=404)


# ── nobody comes into a closed unit ──

@pytest.fixture(scope="module")
def closed(api):
    """(a unit closed in 2020, its successor's successor): the one in between is closed as well."""
    old, between, heir = unit(api), unit(api), unit(api)
    api.post(f"/v1/units/{old['id']}/close", {"effective_on": "2020-01-01", "successor_id": between["id"]})
    api.post(f"/v1/units/{between['id']}/close", {"effective_on": "2022-01-01", "successor_id": heir["id"]})
    return old, heir


def fault_of(reply):
    (fault,) = reply.json["errors"]
    return reply.code, fault["pointer"], fault.get("suggestion")


def test_nobody_is_put_into_a_closed_unit(api, closed, office, keys):
    old, heir = closed
    refused = ("unit-closed", "/unit_id", heir["id"])
    body = {"nip": make.nip(), "kind": "PNS", "name": "Pegawai Baru", "unit_id": old["id"]}
    assert fault_of(api.post("/v1/asn", body, expect=409)) == refused
    api.get(f"/v1/asn/{body['nip']}", expect=404)
    who = make.person(api, office["id"])
    path = f"/v1/asn/{who['nip']}"
    assert fault_of(api.patch(path, {"unit_id": old["id"]}, etag=make.tag(api, path), expect=409)) == refused
    request = make.request(api.as_key(keys("admin", "request.write")), who["nip"], record={"unit_id": old["id"]})
    reply = api.post(f"/v1/change-requests/{request['id']}/approve", {}, headers={"If-Match": "*"}, expect=409)
    assert fault_of(reply) == refused
    assert api.post("/v1/posts", {"unit_id": old["id"], "position_kind": "pelaksana", "position": "Arsiparis", "posts": 1}, expect=409).faults == {"/unit_id": "unit-closed"}
    below = {"code": "DIBAWAH", "name": "Di Bawah", "kind": "seksi", "parent_id": old["id"]}
    assert fault_of(api.post("/v1/units", below, expect=409)) == ("unit-closed", "/parent_id", heir["id"])
    assert fault_of(patch(api, make.unit(api), {"parent_id": old["id"]}, expect=409)) == ("unit-closed", "/parent_id", heir["id"])
    assert fault_of(api.post(f"/v1/units/{office['id']}/merge", {"sources": [old["id"]]}, expect=409)) == ("unit-closed", "/sources/0", heir["id"])
    assert fault_of(api.post(f"/v1/units/{make.unit(api)['id']}/close", {"successor_id": old["id"]}, expect=409)) == ("unit-closed", "/successor_id", heir["id"])


def test_a_history_knows_the_closed_unit_of_its_days(api, closed, office):
    old, heir = closed
    who = make.person(api, office["id"])
    path = f"/v1/asn/{who['nip']}/history"

    def entry(start, kind="placement", **facts):
        return {"kind": kind, "from": start, "facts": {"unit_id": old["id"], **facts}}
    api.post(path, entry("2018-01-01"), expect=201)
    assert fault_of(api.post(path, entry("2020-01-01"), expect=409)) == ("unit-closed", "/facts/unit_id", heir["id"])
    assert fault_of(api.post(path, entry("2021-01-01", "position", assignment="definitive", position="Kepala", position_kind="struktural"), expect=409))[0] == "unit-closed"
    alone = make.person(api, office["id"])
    first, = api.get(f"/v1/asn/{alone['nip']}/history?kind=placement").json["data"]
    here = f"/v1/asn/{alone['nip']}/history/{first['id']}"
    reply = api.put(here, {"kind": "placement", "from": "2018-01-01", "facts": {"unit_id": old["id"]}, "reason": "TMT"}, etag=make.tag(api, here), expect=409)
    assert fault_of(reply) == ("unit-closed", "/facts/unit_id", heir["id"]), "it would hold today"
    # Without the row behind it, the old one would hold today.
    row = api.get(path + "?kind=placement").json["data"][-1]
    assert api.post(f"{path}/{row['id']}/annul", {"reason": "keliru"}, headers={"If-Match": "*"}, expect=409).code == "unit-closed"


def send(api, kind, text, accept="application/json"):
    return api("POST", f"/v1/{kind}/import", data=text.encode(), headers={"Content-Type": "text/csv", "Accept": accept}, expect=200).json


def faults_of(report):
    return [(f["line"], f["column"], f["code"], f.get("suggestion")) for f in report["faults"]]


def test_files_do_not_put_anybody_into_a_closed_unit(api, closed, office):
    old, heir = closed
    nip = make.nip()
    rows = f"nip,kind,name,unit_code\n{nip},PNS,Dari Berkas,{old['code']}\n"
    report = send(api, "asn", rows)
    assert (report["refused"], faults_of(report)) == (1, [(2, "unit_code", "unit-closed", heir["code"])])
    by_name = make.unit(api, name="Nama Kembar")
    twin = make.unit(api, name="Nama Kembar")
    api.post(f"/v1/units/{twin['id']}/close", {})
    assert send(api, "asn", f"nip,kind,name,unit_name\n{make.nip()},PNS,Dari Berkas,Nama Kembar\n")["created"] == 1, "of one name, the one that is there"
    assert api.get(f"/v1/asn?unit_id={by_name['id']}").json["data"]
    who = make.person(api, office["id"])
    report = send(api, "history", f"nip,kind,from,unit_code\n{who['nip']},placement,2021-01-01,{old['code']}\n{who['nip']},placement,2017-01-01,{old['code']}\n")
    assert (report["created"], faults_of(report)) == (1, [(2, "unit_code", "unit-closed", heir["code"])])


@pytest.mark.parametrize("column, told", [("unit_code", "code"), ("unit_id", "id")])
def test_whole_histories_from_files_know_the_closed_units_of_their_days(column, told, api, closed, office):
    """Most rows of a file are judged as a set; what names a closed unit is judged by itself, with whatever else the file says of the person."""
    old, heir = closed
    people = [make.person(api, office["id"])["nip"] for _ in range(7)]
    head = f"nip,kind,from,to,assignment,position_kind,position,{column}\n"
    good = [f"{people[0]},placement,2017-01-01,,,,,{old[told]}", f"{people[0]},placement,2020-01-01,,,,,{heir[told]}",  # there until it was closed
            f"{people[1]},placement,2019-12-31,2020-03-01,,,,{old[told]}",  # nobody moved him on the day, and he was gone soon
            f"{people[2]},position,2018-01-01,,definitive,struktural,Kepala Seksi,{old[told]}",
            f"{people[3]},position,2019-12-31,,plt,struktural,Kepala,{old[told]}",
            f"{people[6]},placement,2020-01-01,,,,,{office[told]}", f"{people[6]},position,2020-01-01,,definitive,struktural,Kepala,{office[told]}"]
    bad = [f"{people[1]},placement,2020-01-01,2020-02-01,,,,{old[told]}",  # on the very day
           f"{people[2]},position,2020-01-01,,definitive,struktural,Kepala,{old[told]}",
           f"{people[3]},position,2021-01-01,,plt,struktural,Kepala,{old[told]}",
           f"{people[4]},placement,2021-01-01,,,,,{old[told]}",
           f"{people[5]},placement,{make.today()},,,,,{old[told]}"]  # in place of the row that is there
    report = send(api, "history", head + "\n".join(bad + good) + "\n")
    assert [(f["line"], f["code"], f["value"], f.get("suggestion")) for f in report["faults"]] == [(n, "unit-closed", old[told], heir["code"]) for n in range(2, 7)]
    assert (report["created"] + report["updated"], report["refused"]) == (len(good), len(bad)), report
    assert [p[:3] for p in placements(api, people[0])][:2] == [("2017-01-01", "2020-01-01", old["id"]), ("2020-01-01", make.today().isoformat(), heir["id"])]
    assert {api.get(f"/v1/asn/{nip}").json["unit_id"] for nip in people} == {office["id"]}
    for nip, day in ((people[2], "2018-01-01"), (people[3], "2019-12-31")):
        assert [h["from"] for h in api.get(f"/v1/asn/{nip}/history?kind=position").json["data"] if h["facts"].get("unit_id") == old["id"]] == [day]
    again = send(api, "history", head + "\n".join(good) + "\n")
    assert (again["unchanged"], again["refused"]) == (len(good), 0), again


def test_a_file_of_units_says_since_when(api, closed):
    old, heir = closed
    head = "code,name,kind,parent_code,from,decree_number,decree_date,agency,head_position\n"
    rows = "TGL,Instansi Bertanggal,instansi,,2010-01-01,Perda 1/2009,2009-12-01,8302,\nTGL-A,Dinas Lama,dinas,TGL,2012-01-01,,,,Kepala Dinas\n"
    assert send(api, "units", head + rows)["created"] == 2
    again = send(api, "units", head + rows)
    assert (again["unchanged"], again["refused"]) == (2, 0)
    change = "TGL-A,Dinas Baru,dinas,TGL,2020-01-01,Perda 7/2020,,,\n"
    assert send(api, "units", head + change)["updated"] == 1
    one = api.get("/v1/units?q=Dinas Baru&under=" + api.get("/v1/units?q=Instansi Bertanggal").json["data"][0]["id"]).json["data"][0]
    assert versions(api, one) == [("2012-01-01", "2020-01-01", "Dinas Lama"), ("2020-01-01", None, "Dinas Baru")]
    assert one["head_position"] == "Kepala Dinas"
    told = api.get(f"/v1/units/{one['id']}/versions?sort=-from").json["data"][0]
    assert told["decree_number"] == "Perda 7/2020"
    wrong = (f"TGL-A,Dinas Lagi,dinas,TGL,2019-01-01,,,,\nTGL-B,Terlalu Dini,dinas,TGL,2009-01-01,,,,\nTGL-C,Kelak,dinas,TGL,{TOMORROW},,,,\n"
             f"TGL-D,Di Bawah Tutup,dinas,{old['code']},,,,,\n{old['code']},Berganti,bidang,,,,,,\nTGL-E,Akar Lain,instansi,,,,,8302,\nTGL-F,Anak,seksi,TGL-B,,,,,\n")
    report = send(api, "units", head + wrong)
    assert faults_of(report) == [(2, "from", "unit-order", None), (3, "from", "unit-absent", None), (4, "from", "day-ahead", None),
                                 (5, "parent_code", "unit-closed", heir["code"]), (6, "code", "unit-closed", heir["code"]), (7, "agency", "unit-agency-taken", None),
                                 (8, "parent_code", "parent-refused", None)]
    exchange = "TGL-A,Dinas Baru,dinas,,,,,,\nTGL,Instansi Bertanggal,instansi,TGL-A,,,,,\n"
    assert send(api, "units", head + exchange)["updated"] == 2
    assert read(api, one)["depth"] == 1 and read(api, one, "2021-01-01")["depth"] == 2


def test_a_file_tells_later_that_units_began_earlier(api):
    head = "code,name,kind,parent_code,from\n"
    tree = [("MUL", "instansi", ""), ("MUL-A", "dinas", "MUL"), ("MUL-B", "bidang", "MUL-A")]

    def rows(day):
        return head + "".join(f"{code},Mula {code},{kind},{above},{day}\n" for code, kind, above in tree)
    assert send(api, "units", rows(""))["created"] == 3
    assert faults_of(send(api, "units", head + "MUL-B,Mula MUL-B,bidang,MUL-A,2012-01-01\n")) == [(2, "from", "unit-absent", None)]
    report = send(api, "units", rows("2011-01-01"))
    assert (report["updated"], report["refused"]) == (3, 0)
    assert send(api, "units", rows("2011-01-01"))["unchanged"] == 3
    top = api.get("/v1/units?q=Mula MUL&sort=path&limit=1").json["data"][0]
    vain = "MUL-A,Mula MUL-A,dinas,MUL,2009-01-01\nMUL-B,Mula MUL-B,bidang,MUL-A,2009-01-01\nMUL-C,Baru,seksi,MUL-B,2009-01-01\n"
    assert [f[2] for f in faults_of(send(api, "units", head + vain))] == ["unit-absent", "parent-refused", "parent-refused"]
    assert {u["code"] for u in api.get(f"/v1/units?under={top['id']}&as_of=2011-01-01").json["data"]} == {code for code, _, _ in tree}


# ── one root an agency ──

def test_an_agency_has_one_root(api):
    one = make.unit(api, kind="instansi", agency="A5EB03E23D3EF6A0")
    assert api.post("/v1/units", {"code": "AKAR2", "name": "Akar Kedua", "kind": "instansi", "agency": one["agency"]}, expect=409).faults == {"/agency": "unit-agency-taken"}
    below = {"code": "ANAK2", "name": "Anak", "kind": "bidang", "parent_id": one["id"], "agency": "X"}
    assert api.post("/v1/units", below, expect=422).faults == {"/agency": "unit-agency-below"}
    other = make.unit(api)
    assert patch(api, other, {"agency": one["agency"]}, expect=409).code == "unit-agency-taken"
    named = patch(api, other, {"agency": "LAIN"}).json
    assert named["agency"] == "LAIN"
    assert patch(api, other, {"parent_id": one["id"]}).json["agency"] is None, "below another root it is of that one's agency"
    api.post(f"/v1/units/{make.unit(api, agency='BEKAS')['id']}/close", {})
    make.unit(api, agency="BEKAS")


# ── head ──

def test_who_heads_a_unit(api, keys):
    one = unit(api, name="Bidang Kepala Uji")
    assert read(api, one)["head"] is None
    head, acting = person_since(api, one), person_since(api, unit(api))
    structural = {"position_kind": "struktural", "position": "KEPALA  BIDANG KEPALA UJI", "echelon": "31"}
    make.history(api, acting["nip"], "position", {**structural, "assignment": "plt", "unit_id": one["id"]}, "2019-01-01")
    told = read(api, one)["head"]
    assert (told["nip"], told["assignment"], told["position"], told["since"]) == (acting["nip"], "plt", structural["position"], "2019-01-01")
    etag = api.get(f"/v1/units/{one['id']}").etag
    make.history(api, head["nip"], "position", {**structural, "assignment": "definitive"}, "2021-01-01")
    assert (read(api, one)["head"]["nip"], read(api, one)["head"]["assignment"]) == (head["nip"], "definitive")
    assert api.get(f"/v1/units/{one['id']}").etag != etag, "another head is another reply"
    assert read(api, one, "2020-01-01")["head"]["nip"] == acting["nip"]
    assert read(api, one, "2018-01-01")["head"] is None
    assert "head" not in api.as_key(keys("unit.read")).get(f"/v1/units/{one['id']}").json
    mine = api.as_key(keys("unit.read", "asn.read", units=(one["code"],)))
    assert read(mine, one)["head"]["nip"] == head["nip"]
    assert read(mine, one, "2020-01-01")["head"] is None, "the acting one is of another unit"
    changed = patch(api, one, {"head_position": "Direktur"}).json
    assert changed["head"] is None
    make.history(api, acting["nip"], "position", {"position_kind": "struktural", "position": "Direktur", "assignment": "pj", "unit_id": one["id"]}, "2022-01-01")
    assert read(api, one)["head"]["assignment"] == "pj"
    assert "head" not in api.get(f"/v1/units?under={one['id']}").json["data"][0]


# ── other systems ──

def test_a_unit_has_an_id_in_siasn(api, keys):
    one, other = unit(api), unit(api)
    path = f"/v1/units/{one['id']}/external-ids"
    api.put(f"{path}/siasn", {"value": "UNOR-1"})
    assert api.get(path).json == {"unit_id": one["id"], "external_ids": {"siasn": "UNOR-1"}}
    assert api.get("/v1/unit-external-ids/siasn/UNOR-1").json["unit_id"] == one["id"]
    assert api.put(f"/v1/units/{other['id']}/external-ids/siasn", {"value": "UNOR-1"}, expect=409).code == "unit-external-id-taken"
    narrow = api.as_key(keys("unit.read", "unit.write", units=(other["code"],)))
    narrow.get("/v1/unit-external-ids/siasn/UNOR-1", expect=404)
    narrow.put(f"{path}/siasn", {"value": "UNOR-2"}, expect=404)
    api.delete(f"{path}/siasn")
    api.get("/v1/unit-external-ids/siasn/UNOR-1", expect=404)
    api.delete(f"{path}/siasn", expect=404)


def test_likely_units_of_siasn(api, keys):
    health, school = unit(api, name="Dinas Kesehatan Uji"), unit(api, name="Dinas Pendidikan Uji")
    here, there = unit(api, health, name="Subbagian Umum dan Kepegawaian"), unit(api, school, name="Subbagian Umum dan Kepegawaian")
    gone = unit(api, health, name="Subbagian Umum dan Kepegawaian")
    api.post(f"/v1/units/{gone['id']}/close", {})
    theirs = [{"id": "D1", "name": "DINAS KESEHATAN UJI", "parent_name": "PEMKAB"}, {"id": "S1", "name": "SUB BAGIAN UMUM DAN KEPEGAWAIAN", "parent_id": "D1"},
              {"id": "S2", "name": "Subbag Umum & Kepegawaian", "parent_name": "Dinas Pendidikan Uji"}, {"id": "X1", "name": "Zzyzx"}]
    told = api.post("/v1/units/suggestions", {"system": "siasn", "units": theirs}, expect=200).json
    assert [u["id"] for u in told["units"]] == ["D1", "S1", "S2", "X1"] and told["mapped"] == 0
    best = [u["likely"][0]["unit_id"] if u["likely"] else None for u in told["units"]]
    assert best == [health["id"], here["id"], there["id"], None]
    assert all(0 <= one["score"] <= 1 and one["unit_id"] != gone["id"] for u in told["units"] for one in u["likely"])
    api.put(f"/v1/units/{here['id']}/external-ids/siasn", {"value": "S1"})
    told = api.post("/v1/units/suggestions", {"system": "siasn", "units": theirs}).json
    assert (told["mapped"], told["units"][1]["unit_id"], told["units"][1]["likely"]) == (1, here["id"], [])
    narrow = api.as_key(keys("unit.read", units=(school["code"],)))
    told = narrow.post("/v1/units/suggestions", {"system": "siasn", "units": theirs}).json
    assert {one["unit_id"] for u in told["units"] for one in u["likely"]} <= {school["id"], there["id"]}


# ── who sees and who hears of it ──

def test_todays_tree_decides_who_sees(api, keys):
    mine, other = unit(api), unit(api)
    moved = unit(api, other)
    patch(api, moved, {"parent_id": mine["id"], "effective_on": "2020-01-01"})
    gone = unit(api, mine)
    api.post(f"/v1/units/{gone['id']}/close", {"effective_on": "2021-01-01", "successor_id": other["id"]})
    narrow = api.as_key(keys("unit.read", "unit.write", "asn.write", units=(mine["code"],)))
    assert read(narrow, moved, "2019-01-01")["parent_id"] == other["id"], "it is seen today, so it was"
    assert {u["id"] for u in narrow.get("/v1/units?as_of=2019-01-01").json["data"]} == {mine["id"], moved["id"], gone["id"]}
    assert narrow.get(f"/v1/units/{moved['id']}/ancestors?as_of=2019-01-01").json["data"] == []
    assert read(narrow, gone)["closed_on"] == "2021-01-01"
    assert fault_of(narrow.post("/v1/units", {"code": "TERLARANG", "name": "X", "kind": "seksi", "parent_id": gone["id"]}, expect=409))[2] is None, "a successor out of sight is not named"
    assert narrow.post(f"/v1/units/{moved['id']}/close", {"successor_id": other["id"]}, expect=422).faults == {"/successor_id": "reference-missing"}
    for action, body in (("close", {}), ("merge", {"sources": [moved["id"]]}), ("split", {"code": "P", "name": "P", "kind": "seksi"})):
        narrow.post(f"/v1/units/{other['id']}/{action}", body, expect=404)


def test_the_feed_tells_of_it(api):
    top = unit(api)
    old, heir = unit(api, top), unit(api, top)
    who = person_since(api, old)
    token = api.get(f"/v1/units?under={top['id']}", headers={"Accept": "application/x-ndjson"}).headers["Changes-After"]
    api.post(f"/v1/units/{old['id']}/close", {"effective_on": "2020-01-01", "successor_id": heir["id"]})
    told = {(c["entity"], c["kind"], c["key"]) for c in api.get(f"/v1/changes?after={token}&limit=1000").json["changes"]}
    assert {("unit", "updated", old["code"]), ("asn", "updated", who["nip"]), ("history", "created", who["nip"])} <= told


def test_reports_stand_in_the_tree_of_their_day(api):
    a, b = unit(api), unit(api)
    one = unit(api, a, name="Dulu")
    who = person_since(api, one, position_kind="pelaksana", position="Arsiparis", appointed_on="2015-01-01")
    make.history(api, who["nip"], "position", {"assignment": "definitive", "position_kind": "pelaksana", "position": "Arsiparis"}, "2016-01-01")
    patch(api, one, {"parent_id": b["id"], "name": "Kini", "effective_on": "2020-01-01"})
    for report in ("nominatif", "duk", "bezetting"):
        def names(top, day=""):
            return [r["unit_name"] for r in api.get(f"/v1/reports/{report}?under={top['id']}{day}").json["data"]]  # noqa: B023
        assert (names(a), names(b)) == ([], ["Kini"]), report
        assert (names(a, "&as_of=2019-06-01"), names(b, "&as_of=2019-06-01")) == (["Dulu"], []), report
        assert (names(a, "&as_of=2020-06-01"), names(b, "&as_of=2020-06-01")) == ([], ["Kini"]), report
    recap = api.get(f"/v1/reports/recaps/unit?under={a['id']}&as_of=2019-06-01").json["data"]
    assert [(r["name"], r["total"]) for r in recap] == [("Dulu", 1)]
    people = lambda top, day: [p["unit_name"] for p in api.get(f"/v1/asn?under={top['id']}{day}").json["data"]]  # noqa: E731
    assert (people(a, "&as_of=2019-06-01"), people(b, "&as_of=2019-06-01"), people(b, "")) == (["Dulu"], [], ["Kini"])


# ── at once ──

def at_once(*calls):
    barrier = threading.Barrier(len(calls))
    results = [None] * len(calls)

    def run(place, call):
        barrier.wait()
        results[place] = call()
    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def test_two_units_do_not_swallow_each_other(api):
    for _ in range(6):
        a, b = unit(api), unit(api)
        people = [person_since(api, u) for u in (a, b)]
        clients = [api.as_key(api.key) for _ in range(2)]
        replies = at_once(lambda: clients[0].post(f"/v1/units/{a['id']}/merge", {"sources": [b["id"]]}, expect=(200, 409)),
                          lambda: clients[1].post(f"/v1/units/{b['id']}/merge", {"sources": [a["id"]]}, expect=(200, 409)))
        assert sorted(r.status for r in replies) == [200, 409]
        open_ones = [u for u in (a, b) if read(api, u)["closed_on"] is None]
        assert len(open_ones) == 1
        assert {api.get(f"/v1/asn/{p['nip']}").json["unit_id"] for p in people} == {open_ones[0]["id"]}


def test_nobody_slips_into_a_unit_while_it_is_closed(api, office, sql):
    for _ in range(5):
        old, heir = unit(api), unit(api)
        inside = [make.person(api, old["id"])["nip"] for _ in range(3)]
        outside = [make.person(api, office["id"])["nip"] for _ in range(4)]
        clients = [api.as_key(api.key) for _ in range(9)]
        moves = [lambda c=c, n=n: c.patch(f"/v1/asn/{n}", {"unit_id": old["id"]}, etag="*", expect=(200, 409)) for c, n in zip(clients, outside)]
        leaves = [lambda c=c, n=n: c.patch(f"/v1/asn/{n}", {"unit_id": office["id"]}, etag="*", expect=(200,)) for c, n in zip(clients[4:], inside)]
        *_, closing = at_once(*moves, *leaves, lambda: clients[8].post(f"/v1/units/{old['id']}/close", {"successor_id": heir["id"]}, expect=200))
        assert closing.status == 200
        assert sql("SELECT count(*) FROM asn WHERE unit_id = %s", (old["id"],)) == [(0,)]
        assert sql("SELECT count(*) FROM history WHERE kind = 'placement' AND NOT is_void AND facts ->> 'unit_id' = %s AND upper_inf(valid)", (old["id"],)) == [(0,)]


def test_nothing_is_made_below_a_unit_while_it_is_closed(api):
    for _ in range(5):
        old = unit(api)
        clients = [api.as_key(api.key) for _ in range(3)]

        def made(client):
            n = make.number()
            return client.post("/v1/units", {"code": f"RACE{n}", "name": "Balapan", "kind": "seksi", "parent_id": old["id"]}, expect=(201, 409))  # noqa: B023
        *children, closing = at_once(lambda: made(clients[0]), lambda: made(clients[1]), lambda: clients[2].post(f"/v1/units/{old['id']}/close", {}, expect=(200, 409)))
        if closing.status == 200:
            assert [c.code for c in children] == ["unit-closed"] * 2
        else:
            assert closing.code == "unit-not-empty" and 201 in [c.status for c in children]


def test_the_same_closing_twice_is_answered_once(api):
    old, heir = unit(api), unit(api)
    body, headers = {"successor_id": heir["id"]}, {"Idempotency-Key": f"close-{old['id']}"}
    first = api.post(f"/v1/units/{old['id']}/close", body, headers=headers)
    again = api.post(f"/v1/units/{old['id']}/close", body, headers=headers)
    assert json.dumps(first.json) == json.dumps(again.json) and again.headers["Idempotency-Replayed"] == "true"
