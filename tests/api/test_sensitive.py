# SPDX-License-Identifier: Apache-2.0
"""NIK, e-mail and phone of a person are not to be had by guessing either: whoever may not read them may not give them, and is not told what
contradicts them."""
import json

import pytest

from support import make

NIK, OTHER_NIK = "7602011501900001", "7602011601900001"
GUESSES = {"nik": [NIK, OTHER_NIK, None], "email": ["uji@example.go.id", "lain@example.go.id", None], "phone": ["081234567890", "081234567891", None]}
SCOPES = ("asn.read", "asn.write", "import.write", "unit.read")


@pytest.fixture(scope="module")
def known(api, office):
    return make.person(api, office["id"], nik=NIK, email="uji@example.go.id", phone="081234567890")


@pytest.fixture(scope="module")
def plain(api, keys):
    return api.as_key(keys(*SCOPES))


@pytest.fixture(scope="module")
def full(api, keys):
    return api.as_key(keys(*SCOPES, "asn.sensitive"))


def ways(person, office, name, value):
    """Each way to give a member: (method, path, media type, body)."""
    row = {"nip": person["nip"], "kind": "PNS", "name": person["name"], "unit_code": office["code"], name: value}
    return {
        "change": ("PATCH", f"/v1/asn/{person['nip']}", "application/merge-patch+json", json.dumps({name: value})),
        "register": ("POST", "/v1/asn", "application/json",
                     json.dumps({"nip": make.nip(), "kind": "PNS", "name": "Baru", "unit_id": office["id"], name: value})),
        "csv": ("POST", "/v1/asn/import", "text/csv", ",".join(row) + "\n" + ",".join(v or "" for v in row.values()) + "\n"),
        "ndjson": ("POST", "/v1/asn/import", "application/x-ndjson", json.dumps(row) + "\n"),
    }


def ask(client, person, way, **headers):
    method, path, media_type, body = way
    match = {"If-Match": f'"{person["version"]}"'} if method == "PATCH" else {}
    return client(method, path, data=body.encode(), headers={"Content-Type": media_type, **match, **headers})


@pytest.mark.parametrize("way", ["change", "register", "csv", "ndjson"])
@pytest.mark.parametrize("name", GUESSES)
def test_a_guess_is_refused_before_it_is_held_against_the_record(name, way, plain, full, known, office):
    for prefer in ({"Prefer": "dry-run"}, {}):
        replies = [ask(plain, known, ways(known, office, name, value)[way], **prefer) for value in GUESSES[name]]
        assert [r.status for r in replies] == [403] * 3, replies
        assert len({json.dumps([r.json["code"], r.json["detail"], r.faults]) for r in replies}) == 1, "right and wrong guesses are told apart"
    if way in ("change", "register"):
        assert replies[0].faults == {f"/{name}": "forbidden"}
    else:
        assert name in replies[0].json["detail"]
    assert ask(full, known, ways(known, office, name, GUESSES[name][0])[way], Prefer="dry-run").status in (200, 201)
    assert full.get(f"/v1/asn/{known['nip']}").json == known


def test_the_rest_may_still_be_given(plain, api, office):
    person = make.person(api, office["id"], nik=NIK)
    assert plain.patch(f"/v1/asn/{person['nip']}", {"name": "Nama Lain"}, etag=f'"{person["version"]}"').json["name"] == "Nama Lain"
    csv = f"nip,kind,name,unit_code\n{person['nip']},PNS,Nama Ketiga,{office['code']}\n"
    assert plain("POST", "/v1/asn/import", data=csv.encode(), headers={"Content-Type": "text/csv"}, expect=200).json["updated"] == 1
    assert api.get(f"/v1/asn/{person['nip']}").json["nik"] == NIK


def test_what_contradicts_the_nik_is_told_to_those_who_may_see_the_nik(plain, full, api, office):
    """Else changing the birth date, day by day, would tell the day that the NIK has."""
    person = make.person(api, office["id"], nip=make.nip(7, appointed="201603"), nik=NIK)  # born on that day however many came before
    path, tag = f"/v1/asn/{person['nip']}", f'"{person["version"]}"'
    for day in ("1990-01-14", "1990-01-15", "1990-01-16"):
        change = plain.patch(path, {"birth_date": day, "sex": "F"}, etag=tag, headers={"Prefer": "dry-run"})
        assert "NIK" not in change.text and "nik_warnings" not in change.json
        told = full.patch(path, {"birth_date": day, "sex": "F"}, etag=tag, headers={"Prefer": "dry-run"}).json
        assert told["nik_warnings"] == (["NIK_SEX"] if day == "1990-01-15" else ["NIK_BIRTH", "NIK_SEX"])
        assert told["warnings"] == change.json["warnings"] == (["CON_3"] if day == "1990-01-15" else ["CON_2", "CON_3"])
    full.patch(path, {"birth_date": "1990-01-14"}, etag=tag)
    for form in ("application/json", "text/csv", "application/x-ndjson"):
        for where in (path, f"/v1/asn?unit_id={office['id']}"):
            if form == "application/json" or where != path:
                assert "NIK_BIRTH" not in plain.get(where, headers={"Accept": form}).text
                assert "NIK_BIRTH" in full.get(where, headers={"Accept": form}).text
    assert "nik_warnings" not in plain.get(f"/v1/asn?unit_id={office['id']}&fields=nip,nik_warnings").text
