# SPDX-License-Identifier: Apache-2.0
"""Civil servants: the NIP's rules, search, partial change, what may be seen."""
import pytest

from support import make


def test_the_nip_fills_what_was_not_given(api, office):
    body = {"nip": "199001152015031999", "kind": "PNS", "name": "Pegawai Contoh", "unit_id": office["id"]}
    made = api.post("/v1/asn", body, expect=201)
    person = made.json
    assert made.headers["Location"] == "/v1/asn/199001152015031999"
    assert (person["birth_date"], person["sex"], person["appointed_on"]) == ("1990-01-15", "M", "2015-03-01")
    assert person["legal_status"] == "01" and person["unit_name"] == office["name"] and person["warnings"] == []
    assert api.get("/v1/asn/199001152015031999").json == person


# Ids are those of the worked examples (BKN regulations 22/2007 and 43/2007 for PNS; the layout of NI PPPK).
NIPS = {
    "A2-woman": ("198512312010012998", "PNS", 201),
    "A4-pppk": ("199505202024211997", "PPPK", 201),
    "A5-pppk-second": ("200001012025222996", "PPPK", 201),
    "A6-pppk-as-pns": ("199505202024211996", "PNS", 422),
    "A7-pns-as-pppk": ("199001152015031998", "PPPK", 422),
    "A8-30-february": ("199002302015031999", "PNS", 422),
    "A9-month-13": ("199001152015131999", "PNS", 422),
    "A10-sex-3": ("199001152015033999", "PNS", 422),
    "A11-17-digits": ("19900115201503199", "PNS", 422),
    "A12-sequence-0": ("199001152015031000", "PNS", 422),
    "A13-a-letter": ("19900115201503199A", "PNS", 422),
    "A14-leap-year": ("200002292020121999", "PNS", 201),
    "A15-no-leap-year": ("190002292020121999", "PNS", 422),
    "A16-appointment-0": ("199505202024201997", "PPPK", 422),
    "a-number": (199001152015031999, "PNS", 422),
}


@pytest.mark.parametrize("case", NIPS.keys())
def test_nips(case, api, office):
    nip, kind, status = NIPS[case]
    reply = api.post("/v1/asn", {"nip": nip, "kind": kind, "name": "Pegawai Contoh", "unit_id": office["id"]}, expect=status)
    if status == 422:
        assert "/nip" in reply.faults, reply


WARNED = {
    "B9-nik-of-a-woman": {"nik": "7602015501909999"},
    "birth-date-differs": {"birth_date": "1990-01-16"},
    "sex-differs": {"sex": "F"},
}


@pytest.mark.parametrize("case", WARNED.keys())
def test_what_contradicts_the_nip_is_kept_with_a_warning(case, api, office):
    person = make.person(api, office["id"], **WARNED[case])
    assert person["nik_warnings" if "nik" in WARNED[case] else "warnings"], person
    for name, value in WARNED[case].items():
        assert person[name] == value


FAULTY = {
    "nik-day-35": ({"nik": "7602013501909999"}, "/nik"),
    "nik-month-13": ({"nik": "7602011513909999"}, "/nik"),
    "nik-15-digits": ({"nik": "760201150190999"}, "/nik"),
    "kind-unknown": ({"kind": "HONORER"}, "/kind"),
    "rank-unknown": ({"rank": "V/a"}, "/rank"),
    "rank-of-pppk": ({"rank": "IX"}, "/rank"),
    "education-unknown": ({"education_level": "99"}, "/education_level"),
    "legal-status-unknown": ({"legal_status": "00"}, "/legal_status"),
    "echelon-unknown": ({"echelon": "77"}, "/echelon"),
    "date-impossible": ({"birth_date": "1990-02-30"}, "/birth_date"),
    "date-today": ({"birth_date": "today"}, "/birth_date"),
    "date-other-form": ({"birth_date": "15-01-1990"}, "/birth_date"),
    "email-none": ({"email": "not an address"}, "/email"),
    "name-empty": ({"name": ""}, "/name"),
    "unit-not-there": ({"unit_id": "0190ffff-ffff-7fff-bfff-ffffffffffff"}, "/unit_id"),
}


@pytest.mark.parametrize("case", FAULTY.keys())
def test_a_faulty_person_is_refused_where_it_is_wrong(case, api, office):
    members, pointer = FAULTY[case]
    reply = api.post("/v1/asn", {"nip": make.nip(), "kind": "PNS", "name": "Pegawai Uji", "unit_id": office["id"], **members}, expect=(409, 422))
    assert pointer in reply.faults, reply


def test_a_nip_is_given_once(api, office):
    person = make.person(api, office["id"])
    reply = api.post("/v1/asn", {"nip": person["nip"], "kind": "PNS", "name": "Orang Lain", "unit_id": office["id"]}, expect=409)
    assert "/nip" in reply.faults
    assert "Pegawai Uji" not in reply.text, "another's data shows"


def test_null_clears_and_absent_keeps(api, office):
    person = make.person(api, office["id"], email="uji@example.go.id", phone="081234567890", position="Analis", position_kind="pelaksana")
    path = f"/v1/asn/{person['nip']}"
    changed = api.patch(path, {"email": None, "position": "Analis Muda"}, etag=f'"{person["version"]}"').json
    assert changed["email"] is None and changed["position"] == "Analis Muda"
    assert changed["phone"] == "081234567890" and changed["position_kind"] == "pelaksana"
    assert api.get(path).json == changed


def test_an_empty_patch_changes_nothing_but_is_allowed(api, office):
    person = make.person(api, office["id"])
    reply = api.patch(f"/v1/asn/{person['nip']}", {}, etag=f'"{person["version"]}"')
    assert {k: v for k, v in reply.json.items() if k not in ("version", "updated_at")} == \
           {k: v for k, v in person.items() if k not in ("version", "updated_at")}


def test_what_is_required_cannot_be_cleared(api, office):
    person = make.person(api, office["id"])
    for member in ("name", "kind", "unit_id"):
        assert f"/{member}" in api.patch(f"/v1/asn/{person['nip']}", {member: None}, etag=f'"{person["version"]}"', expect=422).faults


def test_an_inactive_unit_takes_nobody(api):
    idle = make.unit(api, is_active=False)
    reply = api.post("/v1/asn", {"nip": make.nip(), "kind": "PNS", "name": "Pegawai Uji", "unit_id": idle["id"]}, expect=(409, 422))
    assert "/unit_id" in reply.faults, reply


@pytest.fixture(scope="module")
def choir(api):
    """People with names that are hard to find."""
    unit = make.unit(api, kind="dinas", name="Dinas Pencarian")
    names = ["Muhammad Ma'ruf Amin", "Nur'aini Abdullah", "Siti Rahmawati", "Andi Baso Mappasessu", "José da Costa", "Rahmat Hidayat"]
    return unit, [make.person(api, unit["id"], name=n) for n in names]


SEARCHES = {
    "as-written": ("Siti Rahmawati", "Siti Rahmawati"),
    "case": ("siti RAHMAWATI", "Siti Rahmawati"),
    "other-order": ("rahmawati siti", "Siti Rahmawati"),
    "no-apostrophe": ("maruf", "Muhammad Ma'ruf Amin"),
    "another-apostrophe": ("ma’ruf", "Muhammad Ma'ruf Amin"),
    "typo": ("rahmavati", "Siti Rahmawati"),
    "letter-missing": ("mappasesu", "Andi Baso Mappasessu"),
    "no-accent": ("jose", "José da Costa"),
    "two-words-of-three": ("andi mappasessu", "Andi Baso Mappasessu"),
}


@pytest.mark.parametrize("case", SEARCHES.keys())
def test_a_name_is_found(case, api, choir):
    text, name = SEARCHES[case]
    found = api.get("/v1/asn", params={"q": text, "under": choir[0]["id"]}).json["data"]
    assert name in [p["name"] for p in found], [p["name"] for p in found]


@pytest.mark.parametrize("text", ["xyzzy", "%", "_", "'; DROP TABLE asn; --", "Siti Hidayat", "\\"])
def test_a_name_that_nobody_has_is_not_found(text, api, choir):
    assert api.get("/v1/asn", params={"q": text, "under": choir[0]["id"]}).json["data"] == []


def test_filters_are_joined_by_and(api):
    unit = make.unit(api, kind="dinas")
    below = make.unit(api, unit["id"])
    a = make.person(api, unit["id"], rank="III/a", education_level="40", position_kind="pelaksana")
    b = make.person(api, below["id"], rank="III/b", education_level="40", position_kind="fungsional")
    c = make.person(api, below["id"], nip=make.nip(sex=2), rank="III/a", education_level="45")

    def nips(query):
        return {p["nip"] for p in api.get(f"/v1/asn?{query}").json["data"]}

    assert nips(f"under={unit['id']}") == {a["nip"], b["nip"], c["nip"]}
    assert nips(f"unit_id={unit['id']}") == {a["nip"]}
    assert nips(f"under={unit['id']}&rank=III/a") == nips(f"under={unit['id']}&rank=III%2Fa") == {a["nip"], c["nip"]}
    assert nips(f"under={unit['id']}&rank=III/a&education_level=40") == {a["nip"]}
    assert nips(f"under={unit['id']}&sex=F") == {c["nip"]}
    assert nips(f"under={unit['id']}&position_kind=fungsional&kind=PNS") == {b["nip"]}
    assert nips(f"under={unit['id']}&kind=PPPK") == set()


def test_sensitive_members_need_their_scope(api, keys, office):
    person = make.person(api, office["id"], nik="7602011501909999")
    plain = api.as_key(keys("asn.read"))
    full = api.as_key(keys("asn.read", "asn.sensitive"))
    for path in (f"/v1/asn/{person['nip']}", f"/v1/asn?unit_id={office['id']}"):
        assert "7602011501909999" not in plain.get(path).text
        assert "7602011501909999" in full.get(path + ("&fields=nip,nik" if "?" in path else "")).text
    assert not {"nik", "email", "phone"} & set(plain.get(f"/v1/asn/{person['nip']}").json)
    for form in ("text/csv", "application/x-ndjson"):
        path = f"/v1/asn?unit_id={office['id']}"
        assert "7602011501909999" not in plain.get(path, headers={"Accept": form}).text
        assert "7602011501909999" in full.get(path + "&fields=nip,nik", headers={"Accept": form}).text


def test_what_one_may_see_and_another_not_has_two_tags(api, keys, office):
    """A strong tag names bytes: those of a caller without the scope are others."""
    person = make.person(api, office["id"], nik="7602011501909999")
    path = f"/v1/asn/{person['nip']}"
    tag = api.get(path).etag
    assert api.get(path, headers={"If-None-Match": tag}, expect=304).bytes == b""
    assert api.as_key(keys("asn.read")).get(path).etag != tag


def test_one_mistake_is_one_fault_in_words_and_each_is_told(api, office):
    wrong = {"nip": "123", "kind": "PNS", "name": " x", "unit_id": "1", "birth_date": "30-02-1990", "email": "contoh@", "rank": "?"}
    reply = api("POST", "/v1/asn", json=wrong, expect=422)
    faults = [(e["pointer"], e["code"]) for e in reply.json["errors"]]
    assert sorted(faults) == [("/birth_date", "format-date"), ("/email", "format-email"), ("/name", "pattern"), ("/nip", "format-nip"),
                              ("/rank", "pattern"), ("/unit_id", "format-uuid")]
    rank = next(e for e in reply.json["errors"] if e["pointer"] == "/rank")
    assert rank["detail"] == "this does not have the form of: a code: letters, digits and / . _ -, the first a letter or a digit"
    assert rank["pattern"].startswith("^[A-Za-z0-9]"), "programs get the expression"
    assert all("^" not in e["detail"] for e in reply.json["errors"]), "people do not"
