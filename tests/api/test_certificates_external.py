# SPDX-License-Identifier: Apache-2.0
"""Certificates earned elsewhere: nothing counts before somebody else verifies it, and each counts once."""
import pytest

from support import make
from test_race import all_at_once, poster

LIST = "/v1/external-certificates"


@pytest.fixture()
def person(api, office):
    return make.person(api, office["id"])


@pytest.fixture(scope="module")
def portal(api, keys):
    return api.as_key(keys("certificate.read", "certificate.submit"))


@pytest.fixture(scope="module")
def bureau(api, keys):
    return api.as_key(keys("certificate.read", "certificate.submit", "certificate.verify"))


def path(certificate, what=""):
    return f"{LIST}/{certificate['id']}{what}"


def decide(client, certificate, what, body=None, etag="*", **options):
    return client.post(path(certificate, f"/{what}"), {"reason": "Cocok"} if body is None else body, headers={"If-Match": etag}, **options)


def courses(api, person):
    return api.get(f"/v1/asn/{person['nip']}/history?kind=course").json["data"]


def test_it_counts_only_once_somebody_else_has_verified_it(api, portal, bureau, person):
    document = make.document(api, person["nip"], type="881")
    made = make.external(portal, person["nip"], organiser="Pusdiklat Uji", number="No. 12/PD/2025", document_id=document["id"], issued_on="2025-03-07")
    assert (made["state"], made["doubles"], made["history_id"], made["decided_at"]) == ("submitted", [], None, None)
    assert courses(api, person) == [] and api.get(path(made)).json == made
    done = decide(bureau, made, "verify").json
    assert (done["state"], done["reason"]) == ("verified", "Cocok")
    row, = courses(api, person)
    assert row["id"] == done["history_id"] and (row["from"], row["to"]) == ("2025-03-03", "2025-03-06")
    assert row["facts"] == {"name": made["name"], "form": "B10", "organiser": "Pusdiklat Uji", "jp": 24, "certificate_number": "No. 12/PD/2025",
                            "certificate_date": "2025-03-07"}
    assert api.get(f"/v1/documents/{document['id']}").json["history_ids"] == [row["id"]]


def test_nobody_decides_his_own_and_nothing_twice(api, bureau, person, portal):
    own = make.external(bureau, person["nip"])
    for what in ("verify", "refuse"):
        assert decide(bureau, own, what, expect=409).code == "certificate-own"
    assert bureau.get(path(own)).json == own and courses(api, person) == []
    mine = make.external(api, person["nip"])
    assert decide(api, mine, "verify", expect=409).code == "certificate-own", "an administrator neither"
    other = make.external(portal, person["nip"])
    assert decide(bureau, other, "refuse", {"reason": "Tidak terbaca"}).json["state"] == "refused"
    for what in ("verify", "refuse"):
        assert decide(bureau, other, what, expect=409).code == "certificate-decided"
    assert courses(api, person) == []


SPELT = [("Pusdiklat Uji", "12/PD/2025"), ("PUSDIKLAT  UJI.", "12/pd/2025"), ("pusdiklat uji", "No. 12/PD/2025"), ("Pusdiklat-Uji", "Nomor: 12.PD.2025"),
         ("Pusdiklat Uji", "NO 12 PD 2025")]


@pytest.mark.parametrize("state", ["submitted", "verified"])
@pytest.mark.parametrize("organiser, number", SPELT)
def test_however_it_is_written_it_is_there_once(organiser, number, state, api, portal, bureau, person):
    made = make.external(portal, person["nip"], organiser="Pusdiklat Uji", number="12/PD/2025")
    if state == "verified":
        decide(bureau, made, "verify")
    reply = make.external(portal, person["nip"], expect=409, organiser=organiser, number=number)
    assert reply.code == "certificate-known" and reply.faults == {"/number": "certificate-known"}


@pytest.mark.parametrize("organiser, number", [("L.A.N. R.I.", "No. 7 / X / 2025"), ("Lan-RI", "7.X.2025"), ("LANRI", "7X2025")])
def test_letters_apart_are_the_same_letters(organiser, number, api, portal, bureau, person):
    made = make.external(portal, person["nip"], organiser="LAN RI", number="7/X/2025", form="B10", jp=24)
    assert make.external(portal, person["nip"], expect=409, organiser=organiser, number=number).code == "certificate-known"
    decide(bureau, made, "verify")
    make.course(api, person["nip"], "2025-03-03", form="B10", jp=24, organiser=organiser, certificate_number=number)
    assert api.get(f"/v1/asn/{person['nip']}/learning-hours?year=2025").json["total_jp"] == 24
    again = api.get(f"/v1/asn/{person['nip']}/learning-hours/recount?year=2025").json
    assert (again["total_jp"], again["agrees"]) == (24, True)


def test_the_same_number_of_another_organiser_is_hinted_at(api, portal, bureau, person):
    first = make.external(portal, person["nip"], organiser="LAN RI", number="9/X/2025", name="Pelatihan Arsip")
    other = make.external(portal, person["nip"], organiser="Lembaga Administrasi Negara", number="No. 9/X/2025", name="Diklat kearsipan")
    for one, two in ((first, other), (other, first)):
        assert [d["id"] for d in bureau.get(path(one)).json["doubles"]] == [two["id"]]
        decide(bureau, one, "verify")
    notes = {e["name"]: e["notes"] for e in api.get(f"/v1/asn/{person['nip']}/learning-entries?year=2025").json["data"]}
    assert sorted(notes) == ["Diklat kearsipan", "Pelatihan Arsip"] and sorted("maybe-duplicate" in n for n in notes.values()) == [False, True], "both count, one asks"


@pytest.mark.parametrize("organiser, number", [("Pusdiklat Uji", "1/2PD/2025"), ("Pusdiklat Uji", "12/PD/2024"), ("Pusdiklat Lain", "12/PD/2025")])
def test_another_number_or_organiser_is_another(organiser, number, portal, person):
    make.external(portal, person["nip"], organiser="Pusdiklat Uji", number="12/PD/2025")
    make.external(portal, person["nip"], organiser=organiser, number=number)


def test_of_another_person_it_is_another_and_refused_it_may_come_again(api, portal, bureau, person, office):
    told = {"organiser": "Pusdiklat Uji", "number": "77/PD/2025"}
    made = make.external(portal, person["nip"], **told)
    make.external(portal, make.person(api, office["id"])["nip"], **told)
    decide(bureau, made, "refuse", {"reason": "Tidak terbaca"})
    make.external(portal, person["nip"], **told)


def test_what_the_histories_have_already_is_not_counted_again(api, portal, bureau, person):
    facts = {"name": "Bimtek Arsip", "organiser": "Pusdiklat Uji", "certificate_number": "5/PD/2025"}
    row = make.history(api, person["nip"], "course", facts, "2025-03-03")
    reply = make.external(portal, person["nip"], expect=409, organiser="Pusdiklat Uji", number="No. 5/PD/2025")
    assert reply.code == "certificate-known" and reply.json["errors"][0]["value"] == row["id"]
    late = make.external(portal, person["nip"], organiser="Pusdiklat Uji", number="6/PD/2025")
    make.history(api, person["nip"], "course", {**facts, "certificate_number": "6 / PD / 2025"}, "2025-03-03")
    assert decide(bureau, late, "verify", expect=409).code == "certificate-known"
    assert bureau.get(path(late)).json["state"] == "submitted" and len(courses(api, person)) == 2


def test_one_of_ours_is_not_one_from_elsewhere(api, portal, office, person):
    ours = make.certificate(api, office["id"], person_=person)
    reply = make.external(portal, person["nip"], expect=409, organiser=ours["organiser"], number=f"Nomor {ours['number']}")
    assert reply.code == "certificate-known" and reply.json["errors"][0]["value"] == ours["id"]


def test_what_may_be_the_same_training_is_hinted_at(api, portal, bureau, office, person):
    session = make.session(api, make.programme(api, name="Pelatihan Arsip Elektronik Dasar")["id"], start=-1, length=3)
    enrolment = make.passed(api, office["id"], session_=session, person_=person)
    make.history(api, person["nip"], "course", {"name": "Bimbingan teknis arsip"}, "2025-03-03")
    first = make.external(portal, person["nip"], name="Bimbingan Teknis Arsip Daerah")
    assert [(d["kind"], d["name"]) for d in first["doubles"]] == [("history", "Bimbingan teknis arsip")]
    second = make.external(portal, person["nip"], name="Bimtek Arsip Daerah, Bimbingan Teknis", starts_on="2025-03-04")
    assert [(d["kind"], d["id"]) for d in second["doubles"]] == [("external", first["id"])], "the last day is the same, the name alike"
    other_name = make.external(portal, person["nip"], name="Pengadaan Barang dan Jasa")
    other_days = make.external(portal, person["nip"], name="Bimbingan Teknis Arsip Daerah", starts_on="2025-04-01", ends_on="2025-04-02")
    assert other_name["doubles"] == other_days["doubles"] == []
    assert decide(bureau, second, "verify").json["state"] == "verified", "a hint hinders nothing"
    here = make.external(portal, person["nip"], name="Pelatihan arsip elektronik", starts_on=session["starts_on"], ends_on=session["starts_on"])
    assert [(d["kind"], d["id"]) for d in here["doubles"]] == [("enrolment", enrolment["id"])]


BAD = [({"form": "Z99"}, 422, "/form", "code-unknown"), ({"ends_on": "2025-03-01"}, 422, "/ends_on", "certificate-days"),
       ({"ends_on": "2099-01-01"}, 422, "/ends_on", "certificate-early"), ({"number": "///"}, 422, "/number", "invalid"),
       ({"organiser": "..."}, 422, "/organiser", "invalid"), ({"document_id": "0190ffff-ffff-7fff-bfff-ffffffffffff"}, 422, "/document_id", "reference-missing"),
       ({"nip": "199912312022031998"}, 422, "/nip", "reference-missing"), ({"jp": 2001}, 422, "/jp", "too-large")]


@pytest.mark.parametrize("members, status, place, code", BAD)
def test_what_cannot_be_so_is_told_by_its_place(members, status, place, code, portal, person, sql):
    before = sql("SELECT count(*) FROM external_certificate")
    reply = make.external(portal, members.get("nip", person["nip"]), expect=status, **{k: v for k, v in members.items() if k != "nip"})
    assert reply.faults.get(place) == code, reply
    assert sql("SELECT count(*) FROM external_certificate") == before


def test_it_needs_a_proof_that_is_this_persons(api, portal, person, office):
    body = {"nip": person["nip"], "organiser": "Pusdiklat Uji", "number": "1", "name": "Uji", "form": "B10", "jp": 2, "starts_on": "2025-01-01", "ends_on": "2025-01-01"}
    portal.post(LIST, body, expect=422)
    other = make.document(api, make.person(api, office["id"])["nip"])
    annulled = make.document(api, person["nip"])
    api.post(f"/v1/documents/{annulled['id']}/annul", {"reason": "Salah"}, headers={"If-Match": "*"})
    discipline = make.document(api, person["nip"], type="882")
    for document in (other, annulled, discipline):
        assert make.external(portal, person["nip"], expect=422, document_id=document["id"]).faults == {"/document_id": "reference-missing"}


def test_many_who_submit_and_decide_at_once(api, portal, bureau, person, sql):
    body = {"nip": person["nip"], "organiser": "Pusdiklat Uji", "name": "Uji", "form": "B10", "jp": 2, "starts_on": "2025-01-01", "ends_on": "2025-01-01",
            "proof_reference": "Surat 1"}
    replies = all_at_once([poster(portal, LIST, {**body, "number": number}) for number in ("9/PD", "No. 9/PD", "9.PD") * 5])
    assert sorted(r.status_code for r in replies) == [201] + [409] * 14
    made = next(r.json() for r in replies if r.status_code == 201)
    ends = all_at_once([poster(bureau, path(made, f"/{what}"), {"reason": "Uji"}, **{"If-Match": "*"}) for what in ("verify", "refuse") * 6])
    assert sorted(r.status_code for r in ends) == [200] + [409] * 11
    now = bureau.get(path(made)).json
    assert len(courses(api, person)) == (now["state"] == "verified")


def test_a_merge_counts_what_both_had_once_and_gives_it_back(api, portal, bureau, office):
    gone, heir = make.person(api, office["id"]), make.person(api, office["id"])
    told = {"organiser": "Pusdiklat Uji", "number": "31/PD/2025", "name": "Uji"}
    kept, moved = make.external(portal, heir["nip"], **told), make.external(portal, gone["nip"], **told)
    api.post(f"/v1/asn/{gone['nip']}/merge", {"into": heir["nip"], "reason": "Terdaftar dua kali"})
    assert (bureau.get(path(moved)).json["is_double"], bureau.get(path(moved)).json["nip"]) == (True, heir["nip"])
    assert bureau.get(path(kept)).json["is_double"] is False
    assert decide(bureau, moved, "verify", expect=409).code == "certificate-known"
    api.post(f"/v1/asn/{gone['nip']}/unmerge", {"reason": "Dua orang"})
    assert (bureau.get(path(moved)).json["is_double"], bureau.get(path(moved)).json["nip"]) == (False, gone["nip"])


def test_a_key_of_another_unit_does_not_see_it(api, keys, person, portal):
    other = api.as_key(keys("certificate.read", "certificate.submit", "certificate.verify", units=(make.unit(api, kind="dinas")["code"],)))
    made = make.external(portal, person["nip"])
    assert other.get(LIST).json["data"] == []
    other.get(path(made), expect=404)
    decide(other, made, "verify", expect=404)
    assert make.external(other, person["nip"], expect=422).faults == {"/nip": "reference-missing"}


def test_the_lists_filters(api, portal, bureau, person):
    made = [make.external(c, person["nip"]) for c in (portal, bureau)]
    decide(bureau, made[0], "refuse", {"reason": "Uji"})
    base = f"{LIST}?nip={person['nip']}"
    assert [x["id"] for x in bureau.get(base).json["data"]] == [made[1]["id"], made[0]["id"]]
    assert [x["id"] for x in bureau.get(f"{base}&state=refused").json["data"]] == [made[0]["id"]]
    assert [x["id"] for x in bureau.get(f"{base}&mine=true").json["data"]] == [made[1]["id"]]
    assert [x["id"] for x in bureau.get(f"{base}&under={person['unit_id']}&mine=false").json["data"]] == [made[0]["id"]]


def test_the_feed_tells_of_both_sorts(api, keys, portal, bureau, office, person):
    """From a key that may know of certificates, and to no other."""
    issued, elsewhere = make.certificate(api, office["id"], person_=person), make.external(portal, person["nip"])
    decide(bureau, elsewhere, "verify")
    api.post(f"/v1/issued-certificates/{issued['id']}/revoke", {"reason": "Uji"}, headers={"If-Match": "*"})
    reader = api.as_key(keys("change.read", "certificate.read"))
    told, after = [], ""
    while True:
        page = reader.get(f"/v1/changes?limit=1000{after}").json
        told += page["changes"]
        if not page["more"]:
            break
        after = f"&after={page['next']}"
    mine = [(c["entity"], c["kind"], c["version"], c["href"]) for c in told if c["id"] in (issued["id"], elsewhere["id"])]
    assert mine == [("certificate", "created", 1, f"/v1/issued-certificates/{issued['id']}"),
                    ("external_certificate", "created", 1, f"/v1/external-certificates/{elsewhere['id']}"),
                    ("external_certificate", "updated", 2, f"/v1/external-certificates/{elsewhere['id']}"),
                    ("certificate", "updated", 2, f"/v1/issued-certificates/{issued['id']}")]
    for entity, _, version, href in mine:
        assert reader.get(href).status == 200
    assert {c["entity"] for c in told} <= {"certificate", "external_certificate"}
