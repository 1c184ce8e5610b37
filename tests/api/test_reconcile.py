# SPDX-License-Identifier: Apache-2.0
"""Other systems' lists held against ours, and what they call our people."""
import json

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


# ── lists of any length ──

def hold(api, text, media_type="text/csv", expect=200, query="", **headers):
    return api("POST", f"/v1/asn/reconcile/file{query}", data=text.encode(), headers={"Content-Type": media_type, **headers}, expect=expect)


def lines(reply):
    """result → its lines; the summary as it is."""
    found = {}
    for line in reply.text.splitlines():
        row = json.loads(line)
        found.setdefault(row["result"], []).append({k: v for k, v in row.items() if k != "result"})
    for rows in found.values():
        rows.sort(key=lambda row: row.get("line", 0))
    (summary,) = found.pop("summary")
    assert {k: len(found[k]) for k in ("different", "only_there", "only_here") if k in found} == {k: v for k, v in summary.items() if v and k in ("different", "only_there", "only_here")}
    return found, summary


def test_a_file_is_held_against_ours_as_a_list_is(api, keys, people):
    unit, made = people
    one, two, three = sorted(made, key=lambda p: p["nip"])
    here = api.as_key(keys("asn.read", units=[unit["code"]]))
    text = (f"NIP BARU,NAMA,GOLONGAN,TMT GOLONGAN,unit_code,eselon\n{one['nip']},{one['name']},III/a,01-04-2020,{unit['code']},\n"
            f"{two['nip']},Nama Lain,III/b,2020-04-01,{unit['code']},\n199912312022031998,Entah Siapa,III/a,,,\n")
    found, summary = lines(hold(here, text))
    assert found["different"] == [{"line": 3, "nip": two["nip"], "our_nip": two["nip"], "version": 1,
                                   "fields": [{"field": "name", "theirs": "Nama Lain", "ours": two["name"]}, {"field": "rank", "theirs": "III/b", "ours": "III/a"}]}]
    assert found["only_there"] == [{"line": 4, "nip": "199912312022031998"}]
    assert found["only_here"] == [{"nip": three["nip"], "version": 1}]
    assert summary == {"rows": 3, "same": 1, "different": 1, "only_there": 1, "only_here": 1, "refused": 0}
    found, summary = lines(hold(here, text, query="?is_whole=false&with_same=true"))
    assert "only_here" not in found and found["same"] == [{"line": 2, "nip": one["nip"], "our_nip": one["nip"], "version": 1}]
    assert summary["only_here"] == 0


def test_a_file_of_json_lines_and_what_cannot_be_read(api, keys, people):
    unit, (one, two, _) = people
    here = api.as_key(keys("asn.read", units=[unit["code"]]))
    text = json.dumps({"nip": one["nip"], "rank": "III/a", "position": None}) + "\n{rusak\n" + json.dumps({"nip": two["nip"], "rank_since": "31/31/2020"}) + "\n"
    found, summary = lines(hold(here, text, "application/x-ndjson", query="?is_whole=false"))
    assert [(r["line"], r["code"]) for r in found["refused"]] == [(2, "not-json"), (3, "date-impossible")]
    assert (summary["rows"], summary["same"], summary["refused"]) == (3, 1, 2)
    assert hold(api, "name\nX\n", expect=400).code == "bad-request"
    assert hold(api, "", expect=400).code == "bad-request"


def test_a_file_finds_former_numbers_and_nobody_elses_people(api, keys, people):
    unit, (one, two, _) = people
    new = make.nip()
    api.post(f"/v1/asn/{one['nip']}/history", {"kind": "nip", "from": "2024-01-01", "facts": {"nip": new}}, expect=201)
    api.put(f"/v1/asn/{two['nip']}/external-ids/siasn", {"value": f"S-{two['nip']}"})
    found, _ = lines(hold(api, f"nip,nama,pns id\n{one['nip']},X,\n{two['nip']},{two['name']},S-1\n", query="?is_whole=false"))
    assert [(d["nip"], d["our_nip"]) for d in found["different"]] == [(one["nip"], new), (two["nip"], two["nip"])]
    assert found["different"][1]["fields"] == [{"field": "siasn_id", "theirs": "S-1", "ours": f"S-{two['nip']}"}]
    other = api.as_key(keys("asn.read", units=[make.unit(api)["code"]]))
    found, summary = lines(hold(other, f"nip,nama\n{two['nip']},X\n"))
    assert found == {"only_there": [{"line": 2, "nip": two["nip"]}]}


def test_protected_columns_of_a_file_need_their_scope(api, keys, people):
    _, (one, _, _) = people
    plain = api.as_key(keys("asn.read"))
    for column in ("nik", "email", "phone"):
        assert hold(plain, f"nip,{column}\n{one['nip']},\n", expect=403).code == "forbidden"
    assert lines(hold(api, f"nip,phone\n{one['nip']},81234567890\n", query="?is_whole=false"))[1]["same"] == 1


def test_a_hundred_thousand_rows_are_held_against_ours(api, sql):
    before = sql("SELECT count(*) FROM asn")
    text = "nip,name\n" + "".join(f"{n:017d}1,Nama\n" for n in range(100000))
    found, summary = lines(hold(api, text))
    assert (summary["rows"], summary["only_there"], summary["only_here"]) == (100000, 100000, before[0][0])
    assert sql("SELECT count(*) FROM asn") == before and sql("SELECT count(*) FROM import WHERE rows = 100000") == [(0,)]
