# SPDX-License-Identifier: Apache-2.0
"""Other systems' lists held against ours, and what they call our people."""
import pytest

from support import make


def reconcile(api, people, **more):
    return api.post("/v1/asn/reconcile", {"people": people, **more}, expect=200).json


@pytest.fixture
def people(api):
    unit = make.unit(api)
    return unit, [make.person(api, unit["id"], rank="III/a", rank_since="2020-04-01", phone="081234567890") for _ in range(3)]


def test_same_different_and_only_there(api, people):
    unit, (one, two, three) = people
    answer = reconcile(api, [{"nip": one["nip"], "name": one["name"], "rank": "III/a", "unit_code": unit["code"], "birth_date": one["birth_date"], "echelon": None},
                             {"nip": two["nip"], "name": "Nama Lain", "rank": "III/a", "rank_since": "2021-04-01", "email": None},
                             {"nip": "199912312022031998", "name": "Entah Siapa"},
                             {"nip": three["nip"]}])
    assert (answer["same"], answer["only_there"], answer["only_here"]) == (2, ["199912312022031998"], [])
    (different,) = answer["different"]
    assert different == {"nip": two["nip"], "our_nip": two["nip"], "version": 1,
                         "fields": [{"field": "name", "theirs": "Nama Lain", "ours": two["name"]},
                                    {"field": "rank_since", "theirs": "2021-04-01", "ours": "2020-04-01"}]}


def test_only_here_is_told_on_demand_within_the_range_and_the_units(api, keys, people):
    unit, made = people
    here = api.as_key(keys("asn.read", units=[unit["code"]]))
    nips = sorted(p["nip"] for p in made)
    assert [p["nip"] for p in reconcile(here, [{"nip": nips[0]}], range={"from": "0" * 18, "to": "9" * 18})["only_here"]] == nips[1:]
    assert [p["nip"] for p in reconcile(here, [], range={"from": nips[1], "to": nips[1]})["only_here"]] == [nips[1]]
    assert reconcile(here, [{"nip": nips[0]}])["only_here"] == []
    other = api.as_key(keys("asn.read", units=[make.unit(api)["code"]]))
    assert reconcile(other, [{"nip": nips[0], "name": "X"}])["only_there"] == [nips[0]], "what is not the caller's is not here"


def test_a_former_nip_finds_the_person(api, people):
    _, (one, _, _) = people
    new = make.nip()
    api.post(f"/v1/asn/{one['nip']}/history", {"kind": "nip", "from": "2024-01-01", "facts": {"nip": new}}, expect=201)
    answer = reconcile(api, [{"nip": one["nip"], "name": "X"}])
    assert [(d["nip"], d["our_nip"]) for d in answer["different"]] == [(one["nip"], new)]


def test_protected_fields_need_their_scope(api, keys, people):
    _, (one, _, _) = people
    assert reconcile(api, [{"nip": one["nip"], "phone": "081234567890"}])["same"] == 1
    plain = api.as_key(keys("asn.read"))
    for field in ("nik", "email", "phone"):
        assert plain.post("/v1/asn/reconcile", {"people": [{"nip": one["nip"], field: None}]}, expect=403).code == "forbidden"


def test_ten_thousand_at_once_and_not_one_more(api):
    rows = [{"nip": f"{n:018d}", "name": "Nama"} for n in range(10000)]
    assert len(reconcile(api, rows)["only_there"]) == 10000
    assert api.post("/v1/asn/reconcile", {"people": rows + rows[:1]}, expect=422).faults == {"/people": "too-many-items"}
    assert api.post("/v1/asn/reconcile", {"people": [{"nip": rows[0]["nip"], "nama": "X"}]}, expect=422).status == 422


def test_external_ids(api, keys, people):
    unit, (one, two, _) = people
    path = f"/v1/asn/{one['nip']}/external-ids"
    assert api.get(path).json == {"nip": one["nip"], "external_ids": {}}
    api.put(f"{path}/absensi", {"value": "A-1"})
    api.put(f"{path}/simpeg", {"value": "77"})
    assert api.put(f"{path}/absensi", {"value": "A-2"}).json == {"nip": one["nip"], "system": "absensi", "value": "A-2"}
    assert api.get(path).json["external_ids"] == {"absensi": "A-2", "simpeg": "77"}
    assert api.get("/v1/external-ids/absensi/A-2").json["nip"] == one["nip"]
    api.get("/v1/external-ids/absensi/A-1", expect=404)
    taken = api.put(f"/v1/asn/{two['nip']}/external-ids/absensi", {"value": "A-2"}, expect=409)
    assert (taken.code, taken.faults) == ("external-id-taken", {"/value": "external-id-taken"})
    other = api.as_key(keys("asn.read", "asn.write", units=[make.unit(api)["code"]]))
    other.get("/v1/external-ids/absensi/A-2", expect=404)
    other.get(path, expect=404)
    other.put(f"{path}/absensi", {"value": "A-3"}, expect=404)
    other.delete(f"{path}/absensi", expect=404)
    api.delete(f"{path}/absensi")
    api.delete(f"{path}/absensi", expect=404)
    assert api.get(path).json["external_ids"] == {"simpeg": "77"}
    api.put(f"/v1/asn/{two['nip']}/external-ids/absensi", {"value": "A-2"})
