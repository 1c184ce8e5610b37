# SPDX-License-Identifier: Apache-2.0
"""People and rows told whole: by NIP, by another system's id, by SIASN's id of a row; made or replaced, told apart, the same again no change."""
import threading

import pytest

from support import make

DISC = {"kind": "discipline", "from": "2019-04-01", "facts": {"level": "berat"}}


@pytest.fixture
def body(office):
    def make_body(**members):
        return {"kind": "PNS", "name": "Pegawai Utuh", "unit_id": office["id"], "rank": "III/a", "rank_since": "2020-04-01", **members}
    return make_body


def put(api, path, body, expect, **headers):
    return api("PUT", path, json=body, headers=headers, expect=expect)


def send(api, text):
    return api("POST", "/v1/asn/import", data=text.encode(), headers={"Content-Type": "text/csv"}, expect=200).json


def test_by_nip_made_replaced_and_the_same_again(api, body):
    nip = make.nip()
    path = f"/v1/asn/{nip}"
    made = put(api, path, body(phone="081234567890"), 201)
    assert made.headers["Location"] == path and (made.json["birth_date"].replace("-", ""), made.json["version"]) == (nip[:8], 1)
    same = put(api, path, body(phone="081234567890"), 200)
    assert (same.json, same.headers["ETag"]) == (made.json, made.headers["ETag"])
    replaced = put(api, path, body(name="Nama Lain", legal_status="02"), 200).json
    assert (replaced["name"], replaced["phone"], replaced["legal_status"], replaced["version"]) == ("Nama Lain", None, "02", 2)
    assert put(api, path, body(name="Nama Lain"), 200).json["legal_status"] == "02", "what only an office decides stays when it is not told"


def test_what_the_caller_may_not_see_stays(api, keys, body):
    nip = make.nip()
    put(api, f"/v1/asn/{nip}", body(phone="081234567890", nik="7602011501900099"), 201)
    plain = api.as_key(keys("asn.read", "asn.write"))
    put(plain, f"/v1/asn/{nip}", body(name="Nama Lain"), 200)
    person = api.get(f"/v1/asn/{nip}").json
    assert (person["name"], person["phone"], person["nik"]) == ("Nama Lain", "081234567890", "7602011501900099")
    assert put(plain, f"/v1/asn/{nip}", body(phone="081234567891"), 403).code == "forbidden"


def test_preconditions(api, body):
    path = f"/v1/asn/{make.nip()}"
    assert put(api, path, body(), 412, **{"If-Match": "*"}).code == "version-stale"
    etag = put(api, path, body(), 201, **{"If-None-Match": "*"}).headers["ETag"]
    assert put(api, path, body(), 412, **{"If-None-Match": "*"}).code == "version-stale"
    put(api, path, body(name="Satu"), 200, **{"If-Match": etag})
    put(api, path, body(name="Dua"), 412, **{"If-Match": etag})
    put(api, path, body(name="Dua"), 200, **{"If-Match": "*"})


def test_a_dry_run_of_either_stores_nothing(api, body):
    path = f"/v1/asn/{make.nip()}"
    put(api, path, body(), 201, Prefer="dry-run")
    api.get(path, expect=404)


def test_refusals_as_of_a_registration(api, keys, office, body):
    path = f"/v1/asn/{make.nip()}"
    assert put(api, path, body(unit_id="01900000-0000-7000-8000-0000000009ff"), 422).faults == {"/unit_id": "reference-missing"}
    assert "/rank" in put(api, path, body(rank="IX"), 422).faults
    put(api, path, body(), 201)
    assert put(api, path, body(unit_id="01900000-0000-7000-8000-0000000009ff"), 422).faults == {"/unit_id": "reference-missing"}
    unit = make.unit(api, kind="dinas")
    theirs = api.as_key(keys("asn.read", "asn.write", units=(unit["code"],)))
    assert put(theirs, path, body(unit_id=unit["id"]), 409).code == "nip-taken"
    assert put(theirs, f"/v1/asn/{make.nip()}", body(), 422).faults == {"/unit_id": "reference-missing"}


def test_by_another_systems_id(api, body):
    nip, other, ours = make.nip(), make.nip(), f"A8-{make.number()}"
    path = f"/v1/asn/by-external/simpeg/{ours}"
    made = put(api, path, body(nip=nip), 201)
    assert made.headers["Location"] == f"/v1/asn/{nip}"
    assert api.get(f"/v1/external-ids/simpeg/{ours}").json["nip"] == nip
    same = put(api, path, body(nip=nip), 200)
    assert (same.json, same.headers["ETag"]) == (made.json, made.headers["ETag"])
    assert put(api, path, body(nip=other), 409).code == "nip-changed"
    put(api, f"/v1/asn/{other}", body(), 201)
    assert put(api, path, body(nip=other), 409).code == "external-id-taken"
    # Known by the number, not yet by the id.
    linked = put(api, f"/v1/asn/by-external/simpeg/{ours}-2", body(nip=other, name="Nama Lain"), 200).json
    assert linked["name"] == "Nama Lain" and api.get(f"/v1/external-ids/simpeg/{ours}-2").json["nip"] == other
    # The number changes by its history; then both numbers are the person's.
    new = make.nip()
    api.post(f"/v1/asn/{nip}/history", {"kind": "nip", "from": "2024-01-01", "facts": {"nip": new}}, expect=201)
    for number in (nip, new):
        assert put(api, path, body(nip=number), 200).json["nip"] == new


def test_an_id_of_somebody_elses_is_not_told(api, keys, body):
    unit = make.unit(api, kind="dinas")
    ours = f"B8-{make.number()}"
    put(api, f"/v1/asn/by-external/simpeg/{ours}", body(nip=make.nip()), 201)
    theirs = api.as_key(keys("asn.read", "asn.write", units=(unit["code"],)))
    assert put(theirs, f"/v1/asn/by-external/simpeg/{ours}", body(nip=make.nip(), unit_id=unit["id"]), 409).code == "external-id-taken"


@pytest.mark.parametrize("by", ["nip", "external"])
def test_of_many_at_once_one_is_made(by, api, body, sql):
    nip, ours = make.nip(), f"C8-{make.number()}"
    path, members = (f"/v1/asn/{nip}", {}) if by == "nip" else (f"/v1/asn/by-external/simpeg/{ours}", {"nip": nip})
    answers = []
    threads = [threading.Thread(target=lambda i=i: answers.append(api("PUT", path, json=body(name=f"Nama {i % 2}", **members)).status)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [200] * 7 + [201]
    assert sql("SELECT count(*) FROM asn WHERE nip = %s", (nip,)) == [(1,)]


def test_a_row_of_a_history_by_its_remote_id(api, keys, office):
    nip = make.person(api, office["id"])["nip"]
    path = f"/v1/asn/{nip}/history/by-remote/R-{nip}"
    row = {"kind": "rank", "from": "2020-04-01", "facts": {"rank": "III/a"}, "source": "bkn"}
    made = put(api, path, row, 201)
    assert made.json["remote_id"] == f"R-{nip}" and made.headers["Location"] == f"/v1/asn/{nip}/history/{made.json['id']}"
    same = put(api, path, row, 200)
    assert same.json == made.json
    moved = put(api, path, {**row, "from": "2020-10-01"}, 200).json
    assert (moved["id"], moved["from"], moved["version"]) == (made.json["id"], "2020-10-01", 2)
    assert api.get(f"/v1/asn/{nip}").json["rank_since"] == "2020-10-01"
    put(api, path, row, 412, **{"If-None-Match": "*"})
    put(api, path, row, 412, **{"If-Match": '"1"'})
    put(api, f"{path}-x", row, 412, **{"If-Match": "*"})
    assert put(api, f"{path}-x", {**row, "from": "2020-10-01"}, 409).code == "history-overlap"
    other = make.person(api, office["id"])["nip"]
    assert put(api, f"/v1/asn/{other}/history/by-remote/R-{nip}", row, 409).code == "conflict"
    plain = api.as_key(keys("asn.read", "asn.write"))
    assert put(plain, f"/v1/asn/{nip}/history/by-remote/D-{nip}", DISC, 403).code == "forbidden"
    put(api, f"/v1/asn/{nip}/history/by-remote/D-{nip}", DISC, 201)
    api.post(f"/v1/asn/{nip}/history/{made.json['id']}/annul", {"reason": "Salah"},
             headers={"If-Match": "*"})
    assert put(api, path, row, 409).code == "history-void"
    put(api, f"/v1/asn/{make.nip()}/history/by-remote/X", row, 404)


# ── files ──

def counts(report):
    return tuple(report[k] for k in ("created", "updated", "unchanged", "refused"))


def test_a_file_with_ids_of_siasn_finds_people_whatever_their_number(api, office):
    nip, ours = make.nip(), f"S{make.number()}"
    head = "PNS ID,nip,kind,name,unit_code\n"
    line = f"{ours},{nip},PNS,Pegawai Siasn,{office['code']}\n"
    assert counts(send(api, head + line)) == (1, 0, 0, 0)
    assert api.get(f"/v1/external-ids/siasn/{ours}").json["nip"] == nip
    assert counts(send(api, head + line)) == (0, 0, 1, 0)
    new = make.nip()
    report = send(api, head + line.replace(nip, new).replace("Pegawai Siasn", "Nama Lain"))
    assert counts(report) == (0, 1, 0, 0)
    person = api.get(f"/v1/asn/{nip}").json
    assert (person["nip"], person["name"]) == (nip, "Nama Lain")
    api.get(f"/v1/asn/{new}", expect=404)


def test_an_id_that_comes_late_is_an_update_and_an_id_of_two_a_fault(api, office):
    one, two, ours = make.nip(), make.nip(), f"T{make.number()}"
    rows = [f"{n},PNS,Pegawai,{office['code']}" for n in (one, two)]
    assert counts(send(api, "nip,kind,name,unit_code\n" + "\n".join(rows))) == (2, 0, 0, 0)
    head = "nip,kind,name,unit_code,siasn_id\n"
    assert counts(send(api, f"{head}{rows[0]},{ours}\n")) == (0, 1, 0, 0)
    report = send(api, f"{head}{rows[1]},{ours}\n")
    assert [(f["column"], f["code"], f["value"]) for f in report["faults"]] == [("siasn_id", "external-id-taken", ours)]
    report = send(api, f"{head}{rows[0]},{ours}-b\n{rows[1]},{ours}-b\n")
    assert counts(report) == (0, 1, 0, 1) and report["faults"][0]["code"] == "duplicate-id"
    assert api.get(f"/v1/asn/{one}/external-ids").json["external_ids"] == {"siasn": f"{ours}-b"}


def test_ids_of_a_file_go_back_with_it(api, office, sql):
    one, two, ours = make.nip(), make.nip(), f"V{make.number()}"
    head = "nip,kind,name,unit_code,siasn_id\n"
    send(api, f"{head}{one},PNS,Pegawai,{office['code']},{ours}\n")
    before = sql("SELECT to_jsonb(e) FROM external_id e ORDER BY id")
    report = send(api, f"{head}{one},PNS,Pegawai,{office['code']},{ours}-b\n{two},PNS,Pegawai,{office['code']},{ours}-c\n")
    assert counts(report) == (1, 1, 0, 0)
    api.post(f"/v1/imports/{report['id']}/undo", {"reason": "Salah"}, expect=200)
    assert sql("SELECT to_jsonb(e) FROM external_id e ORDER BY id") == before


# ── the feed ──

def test_the_feed_and_updated_since_tell_of_ids(api, office):
    nip = make.person(api, office["id"])["nip"]
    path = f"/v1/asn/{nip}/external-ids/absensi"

    def told(change):
        export = api.get(f"/v1/asn?unit_id={office['id']}", headers={"Accept": "application/x-ndjson"})
        since = api.get(f"/v1/asn/{nip}").json["updated_at"]
        answer = change()
        page = api.get(f"/v1/changes?after={export.headers['Changes-After']}&limit=1000").json["changes"]
        newer = [p["nip"] for p in api.get(f"/v1/asn?unit_id={office['id']}&limit=1000&updated_since={since.replace('+', '%2B')}").json["data"]
                 if p["updated_at"] != since]
        return answer, [(c["entity"], c["kind"], c["key"]) for c in page], newer

    for change in (lambda: api.put(path, {"value": f"F-{nip}"}), lambda: api.put(path, {"value": f"G-{nip}"}), lambda: api.delete(path)):
        _, page, newer = told(change)
        assert page == [("asn", "updated", nip)] and newer == [nip]
    api.put(path, {"value": f"H-{nip}"})
    _, page, newer = told(lambda: api.put(path, {"value": f"H-{nip}"}))
    assert (page, newer) == ([], []), "what is so already is no change"
