# SPDX-License-Identifier: Apache-2.0
"""Certificates issued here: numbers without gaps, codes that prove themselves, what is told in public, the printed page."""
import base64
import json
import re
import shutil
import subprocess
from urllib.parse import urlsplit

import pytest

from support import daemon as daemons, make
from test_race import all_at_once, poster

PUBLIC = "https://asn.example.go.id"
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


@pytest.fixture(scope="module")
def settings():
    return {"public_url": PUBLIC + "/", "public_rate": 1000000}


def path(certificate, what=""):
    return f"/v1/issued-certificates/{certificate['id']}{what}"


def shown(anonymous, code, expect=200):
    return anonymous.get(f"/v1/certificates/{code}", expect=expect)


def act(api, certificate, what, reason="Keliru", expect=200, etag="*"):
    return api.post(path(certificate, f"/{what}"), {"reason": reason}, headers={"If-Match": etag}, expect=expect)


def state(api, enrolment_id):
    return api.get(f"/v1/enrolments/{enrolment_id}").json["state"]


def steps(api, enrolment_id):
    return [(t["from"], t["to"], t["reason"], t["actor_name"]) for t in api.get(f"/v1/enrolments/{enrolment_id}/steps").json["data"]]


# ── the enrolment goes along ──

def test_a_certificate_moves_its_enrolment(api, keys, office):
    passed = make.passed(api, office["id"])
    issuer = api.as_key(keys("certificate.read", "certificate.write"))
    made = issuer.post(f"/v1/enrolments/{passed['id']}/certificate", expect=201).json
    after = api.get(f"/v1/enrolments/{passed['id']}").json
    assert (after["state"], after["jp"], after["version"]) == ("certified", passed["jp"], passed["version"] + 1)
    assert steps(api, passed["id"])[-1] == ("passed", "certified", None, "certificate.read+certificate.write")
    act(issuer, made, "reissue", "Gelar")
    assert len(steps(api, passed["id"])) == 4, "certified it stays, whichever edition holds"
    act(issuer, made, "revoke", "Keliru")
    assert state(api, passed["id"]) == "passed" and steps(api, passed["id"])[-1] == ("certified", "passed", "Keliru", "certificate.read+certificate.write")
    act(issuer, made, "reissue", "Diperbaiki")
    assert state(api, passed["id"]) == "certified"
    assert api.get(f"/v1/asn/{passed['nip']}/learning-hours?on={make.days(1)['starts_on']}").json["total_jp"] == passed["jp"], "hours count all the while"


def test_the_certificates_of_a_session_move_them_all(api, office):
    session = make.session(api, start=-2, length=3)
    enrolments = [make.passed(api, office["id"], session_=session) for _ in range(4)]
    failed = make.enrol(api, session["id"], make.person(api, office["id"])["nip"])
    moved = api.post(f"/v1/enrolments/{enrolments[0]['id']}/move", {"to": "certified"}).json
    assert api.post(f"/v1/sessions/{session['id']}/certificates").json["issued"] == 4, "certified by hand it still has none of ours"
    assert {state(api, e["id"]) for e in enrolments} == {"certified"} and state(api, failed["id"]) == "approved"
    assert api.get(f"/v1/enrolments/{moved['id']}").json["version"] == moved["version"]
    assert (api.get(f"/v1/sessions/{session['id']}").json["seats_taken"]) == 5


def test_certificates_and_other_steps_of_a_session_do_not_wait_for_each_other_in_a_circle(api, office):
    """Whoever comes first: each enrolment ends certified, and the day's attendance of those who are still there is noted."""
    session = make.session(api, start=-2, length=3)
    passed = [make.passed(api, office["id"], session_=session) for _ in range(6)]
    there = [make.enrol(api, session["id"], make.person(api, office["id"])["nip"]) for _ in range(4)]
    entries = [{"nip": e["nip"], "presence": "present"} for e in there]
    calls = [poster(api, f"/v1/sessions/{session['id']}/certificates")] + [poster(api, f"/v1/enrolments/{e['id']}/certificate") for e in passed]
    calls += [poster(api, f"/v1/sessions/{session['id']}/attendance", {"day": make.days(-1)["starts_on"], "entries": entries}) for _ in range(3)]
    calls += [poster(api, f"/v1/enrolments/{e['id']}/move", {"to": "certified"}) for e in passed]
    replies = all_at_once(calls)
    assert {r.status_code for r in replies} <= {200, 201, 409}, {r.text[:300] for r in replies}
    assert {state(api, e["id"]) for e in passed} == {"certified"} and {state(api, e["id"]) for e in there} == {"attending"}
    assert len(api.get(f"/v1/issued-certificates?session_id={session['id']}").json["data"]) == 6


def test_what_bkn_has_stays_when_its_certificate_is_revoked(api, office, sql):
    made = make.certificate(api, office["id"])
    api.post(f"/v1/enrolments/{made['enrolment_id']}/move", {"to": "synced"})
    act(api, made, "revoke")
    assert state(api, made["enrolment_id"]) == "synced"


def completed(api, office, attendance=100, **members):
    session = make.session(api, make.programme(api, jp=8, **members)["id"], start=-1, length=2)
    enrolment = make.enrol(api, session["id"], make.person(api, office["id"])["nip"])
    for day in range(2):
        if attendance > day * 50:
            api.post(f"/v1/sessions/{session['id']}/attendance", {"day": make.days(day - 1)["starts_on"], "entries": [{"nip": enrolment["nip"], "presence": "present"}]})
    return api.post(f"/v1/enrolments/{enrolment['id']}/complete", {}).json


def test_attendance_is_certified_where_the_programme_says_so(api, office):
    enrolment = completed(api, office, attendance_only=True, certifies_attendance=True, min_attendance=80)
    assert (enrolment["state"], enrolment["jp"]) == ("completed", 8)
    assert api.post(f"/v1/enrolments/{enrolment['id']}/move", {"to": "certified"}, expect=409).code == "enrolment-state", "by a certificate alone"
    made = api.post(f"/v1/enrolments/{enrolment['id']}/certificate", expect=201).json
    assert (made["jp"], state(api, enrolment["id"])) == (8, "certified")
    act(api, made, "revoke", "Keliru")
    assert state(api, enrolment["id"]) == "completed" and api.get(f"/v1/enrolments/{enrolment['id']}").json["jp"] == 8
    act(api, made, "reissue", "Diperbaiki")
    assert [t[:2] for t in steps(api, enrolment["id"])][-3:] == [("completed", "certified"), ("certified", "completed"), ("completed", "certified")]


@pytest.mark.parametrize("attendance, members", [(100, {"attendance_only": True}), (50, {"attendance_only": True, "certifies_attendance": True, "min_attendance": 80}), (100, {})],
                         ids=["the programme does not say so", "too little attendance", "a programme with a result"])
def test_what_is_only_completed_is_not_certified_else(attendance, members, api, office):
    enrolment = completed(api, office, attendance, **members)
    assert api.post(f"/v1/enrolments/{enrolment['id']}/certificate", expect=409).code == "enrolment-not-passed"
    told = api.post(f"/v1/sessions/{enrolment['session_id']}/certificates").json
    assert (told["issued"], told["not_passed"], state(api, enrolment["id"])) == (0, 1, "completed")


def test_the_database_holds_it_too(api, office, sql):
    enrolment = completed(api, office, attendance_only=True)
    with pytest.raises(Exception, match="attendance alone is not certified here"):
        sql("UPDATE enrolment SET state = 'certified' WHERE id = %s", (enrolment["id"],))


def test_certifying_attendance_is_for_programmes_of_attendance(api):
    body = {"code": f"P-{make.number()}", "name": "Uji", "form": "B3", "family": "teknis", "jp": 8, "organiser": "Uji", "certifies_attendance": True}
    assert api.post("/v1/programmes", body, expect=422).faults == {"/certifies_attendance": "programme-certifies-attendance"}
    made = api.post("/v1/programmes", {**body, "attendance_only": True}, expect=201).json
    assert made["certifies_attendance"] is True
    path = f"/v1/programmes/{made['id']}"
    assert api.patch(path, {"attendance_only": False}, etag="*", expect=422).code == "programme-certifies-attendance"
    assert api.patch(path, {"attendance_only": False, "certifies_attendance": False}, etag="*").json["certifies_attendance"] is False


# ── numbers ──

def test_a_number_follows_the_pattern_of_its_day(api, office, sql):
    first, second = (make.certificate(api, office["id"]) for _ in range(2))
    months = ["I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII"]
    for made in (first, second):
        year, month, _ = made["issued_on"].split("-")
        assert re.fullmatch(rf"\d{{4}}/SERT/BKPSDM/{months[int(month) - 1]}/{year}", made["number"])
    assert int(second["number"][:4]) == int(first["number"][:4]) + 1
    assert api.get(path(first)).json == first


def test_another_pattern_holds_from_its_day_on(api, office, sql):
    told = {"number_pattern": "S-{seq:6}.{programme}.{year}", "agency": "Badan Uji", "place": "Kota Uji"}
    day = str(make.today())
    assert api.put(f"/v1/certificate-rules/{day}", told).json == {**told, "valid_from": day, "signatory": None, "signatory_position": None}
    try:
        session = make.session(api, start=-2, length=3)
        made = make.certificate(api, office["id"], session_=session)
        code = api.get(f"/v1/programmes/{session['programme_id']}").json["code"]
        assert re.fullmatch(rf"S-\d{{6}}\.{code}\.{day[:4]}", made["number"])
        assert [r["valid_from"] for r in api.get("/v1/certificate-rules").json["data"]] == [day, "1900-01-01"]
    finally:
        sql("DELETE FROM certificate_rule WHERE valid_from > '1900-01-01'")


@pytest.mark.parametrize("pattern", ["{seq}", "{year}", "{seq:0}/{year}", "{seq}/{year}/{nip}", "{seq}/{year}/{", "seq/year"])
def test_a_pattern_that_says_less_or_too_much_is_refused(pattern, api):
    reply = api.put("/v1/certificate-rules/2090-01-01", {"number_pattern": pattern, "agency": "Badan Uji", "place": "Kota Uji"}, expect=422)
    assert reply.faults == {"/number_pattern": "certificate-pattern"}


def numbers(sql):
    return [n for n, in sql("SELECT seq FROM certificate ORDER BY seq")]


def test_many_who_issue_at_once_leave_neither_gap_nor_double(api, office, sql):
    """Single ones, whole sessions, the same one twice, and dry runs that take a number and give it back."""
    sessions = [make.session(api, start=-2, length=3, capacity=20) for _ in range(3)]
    crowd = [make.passed(api, office["id"], session_=s) for s in sessions for _ in range(6)]
    singles = [make.passed(api, office["id"]) for _ in range(8)]
    before = len(numbers(sql))
    calls = [poster(api, f"/v1/enrolments/{e['id']}/certificate") for e in singles for _ in range(2)]
    calls += [poster(api, f"/v1/sessions/{s['id']}/certificates") for s in sessions for _ in range(2)]
    calls += [poster(api, f"/v1/enrolments/{e['id']}/certificate", Prefer="dry-run") for e in crowd[::6]]
    replies = all_at_once(calls)
    ones = [r.status_code for r in replies[:16]]
    assert sorted(ones) == [201] * 8 + [409] * 8, [r.text[:200] for r in replies]
    wholes = [r.json() for r in replies[16:22]]
    assert sum(w["issued"] for w in wholes) == 18 and {r.status_code for r in replies[16:22]} == {200}
    assert {r.status_code for r in replies[22:]} <= {201, 409}
    assert numbers(sql) == list(range(1, before + 26 + 1))
    assert sql("SELECT count(DISTINCT number), count(DISTINCT enrolment_id), count(*) FROM certificate") == [(before + 26,) * 3]
    assert sql("SELECT last FROM certificate_counter") == [(before + 26,)]
    listed = api.get(f"/v1/issued-certificates?session_id={sessions[0]['id']}&sort=id").json["data"]
    assert {c["enrolment_id"] for c in listed} == {e["id"] for e in crowd[:6]} and len({c["code"] for c in listed}) == 6


def test_a_number_that_was_not_kept_is_given_again(api, office, sql):
    enrolment = make.passed(api, office["id"])
    before = numbers(sql)
    tried = api.post(f"/v1/enrolments/{enrolment['id']}/certificate", headers={"Prefer": "dry-run"}).json
    assert numbers(sql) == before
    assert api.post(f"/v1/enrolments/{enrolment['id']}/certificate").json["number"] == tried["number"]
    assert numbers(sql) == [*before, len(before) + 1]


# ── who gets one ──

def test_only_who_has_passed_gets_one_and_only_once(api, office):
    session = make.session(api, start=-2, length=3)
    people = [make.person(api, office["id"]) for _ in range(3)]
    enrolments = [make.enrol(api, session["id"], p["nip"]) for p in people]
    issue = f"/v1/enrolments/{enrolments[0]['id']}/certificate"
    assert api.post(issue, expect=409).code == "enrolment-not-passed"
    for e, result in zip(enrolments, ("passed", "failed")):
        api.post(f"/v1/enrolments/{e['id']}/attend")
        api.post(f"/v1/enrolments/{e['id']}/complete", {"result": result})
    reply = api.post(issue, expect=201)
    assert reply.headers["Location"] == path(reply.json)
    assert api.post(issue, expect=409).code == "certificate-exists"
    whole = api.post(f"/v1/sessions/{session['id']}/certificates").json
    waiting, gone = (make.enrol(api, session["id"], make.person(api, office["id"])["nip"]) for _ in range(2))
    api.post(f"/v1/enrolments/{gone['id']}/cancel")
    assert api.post(f"/v1/sessions/{session['id']}/certificates").json == {**whole, "not_passed": whole["not_passed"] + 1}, "who cancelled is not counted"
    api.post(f"/v1/enrolments/{waiting['id']}/cancel")
    assert whole == {"session_id": session["id"], "issued": 0, "first_number": None, "last_number": None, "certificates": 1, "not_passed": 2, "skipped": []}


def test_a_session_is_issued_in_the_order_of_names(api, office):
    session = make.session(api, start=-2, length=3)
    for name in ("Citra", "Andi", "Budi"):
        make.passed(api, office["id"], session_=session, name=name)
    whole = api.post(f"/v1/sessions/{session['id']}/certificates").json
    listed = api.get(f"/v1/issued-certificates?session_id={session['id']}&sort=id").json["data"]
    assert [c["name"] for c in sorted(listed, key=lambda c: c["number"])] == ["Andi", "Budi", "Citra"]
    assert (whole["issued"], whole["first_number"], whole["last_number"]) == (3, min(c["number"] for c in listed), max(c["number"] for c in listed))


def test_a_key_of_another_unit_neither_sees_nor_issues(api, keys, office):
    elsewhere = make.unit(api, kind="dinas")
    other = api.as_key(keys("certificate.read", "certificate.write", units=(elsewhere["code"],)))
    session = make.session(api, start=-2, length=3)
    made, unissued = make.certificate(api, office["id"], session_=session), make.passed(api, office["id"], session_=session)
    assert other.get("/v1/issued-certificates").json["data"] == []
    for what in ("", "/pdf"):
        other.get(path(made, what), expect=404)
    for what in ("revoke", "reissue"):
        act(other, made, what, expect=404)
    other.post(f"/v1/enrolments/{unissued['id']}/certificate", expect=404)
    assert other.post(f"/v1/sessions/{session['id']}/certificates").json["issued"] == 0
    assert api.get(path(made)).json == made


# ── in public ──

def test_everybody_with_the_code_sees_what_it_says_and_no_more(api, anonymous, office):
    person = make.person(api, office["id"], name="Siti Rahmawati", title_front="Dr.", title_back="M.Si.", nik="7602011501900001", birth_date="1990-01-15")
    session = make.session(api, start=-2, length=3)
    made = make.certificate(api, office["id"], session_=session, person_=person)
    reply = shown(anonymous, made["code"])
    programme = api.get(f"/v1/programmes/{session['programme_id']}").json
    assert reply.json == {"number": made["number"], "edition": 1, "name": "Dr. Siti Rahmawati, M.Si.", "programme": programme["name"],
                          "organiser": programme["organiser"], "starts_on": session["starts_on"], "ends_on": session["ends_on"], "jp": programme["jp"],
                          "agency": "Badan Kepegawaian dan Pengembangan Sumber Daya Manusia Kabupaten Contoh", "issued_on": str(make.today()), "state": "valid",
                          "revoked_at": None}
    told = str(dict(reply.headers)) + reply.text
    for secret in (person["nip"], person["nik"], person["birth_date"], person["id"], made["id"], office["id"], office["name"]):
        assert secret not in told
    assert not re.search(r"\d{16}", told) and not re.search("nip|nik", reply.text, re.IGNORECASE)


def test_any_letter_changed_is_a_code_that_was_never_given_out(api, anonymous, office):
    code = make.certificate(api, office["id"])["code"]
    shown(anonymous, code)
    for place, letter in enumerate(code):
        other = LETTERS[(LETTERS.index(letter) + 1 + place * 7 % 62) % 64]
        assert other != letter
        reply = shown(anonymous, code[:place] + other + code[place + 1:], expect=404)
        assert reply.code == "not-found"
    for other in (code[:-1], code + "A", code[::-1], code.swapcase(), "A" * 116, "-"):
        shown(anonymous, other, expect=404)


def test_a_code_that_was_signed_but_never_given_out_is_none(api, anonymous, office, sql):
    """Who had stolen the key could sign; what was not issued is not there all the same."""
    made = make.certificate(api, office["id"])
    sql("ALTER TABLE certificate_edition DISABLE TRIGGER certificate_edition_10_keep")
    sql("UPDATE certificate_edition SET code = reverse(code) WHERE certificate_id = %s", (made["id"],))
    sql("ALTER TABLE certificate_edition ENABLE TRIGGER certificate_edition_10_keep")
    shown(anonymous, made["code"], expect=404)


def test_a_revoked_one_says_so(api, anonymous, office):
    made = make.certificate(api, office["id"])
    assert act(api, made, "revoke", etag='"999"', expect=412).code == "version-stale"
    done = act(api, made, "revoke", "Daftar hadir palsu").json
    assert (done["state"], done["revoke_reason"], done["version"]) == ("revoked", "Daftar hadir palsu", made["version"] + 1) and done["revoked_at"]
    told = shown(anonymous, made["code"])
    assert (told.json["state"], told.json["revoked_at"]) == ("revoked", done["revoked_at"]) and "palsu" not in told.text
    assert act(api, made, "revoke", expect=409).code == "certificate-revoked"
    assert made["id"] in {c["id"] for c in api.get("/v1/issued-certificates?state=revoked").json["data"]}


def test_a_correction_is_the_next_edition_under_the_same_number(api, anonymous, office):
    person = make.person(api, office["id"], name="Budi Santoso")
    first = make.certificate(api, office["id"], person_=person)
    api.patch(f"/v1/asn/{person['nip']}", {"title_back": "S.Kom."}, etag="*")
    second = act(api, first, "reissue", "Gelar belum tercantum").json
    assert (second["id"], second["number"], second["edition"], second["name"], second["state"]) == (first["id"], first["number"], 2, "Budi Santoso, S.Kom.", "valid")
    assert [(e["edition"], e["reason"], e["revoke_reason"]) for e in second["editions"]] == [(1, None, "Gelar belum tercantum"), (2, "Gelar belum tercantum", None)]
    old, new = shown(anonymous, first["code"]).json, shown(anonymous, second["code"]).json
    assert (old["edition"], old["name"], old["state"]) == (1, "Budi Santoso", "revoked")
    assert (new["edition"], new["name"], new["state"]) == (2, "Budi Santoso, S.Kom.", "valid")
    act(api, first, "revoke", "Dicabut")
    third = act(api, first, "reissue", "Pencabutan keliru").json
    assert (third["edition"], third["state"], third["editions"][1]["revoke_reason"]) == (3, "valid", "Dicabut")


def test_many_who_reissue_at_once_make_editions_in_a_row(api, office, sql):
    made = make.certificate(api, office["id"])
    replies = all_at_once([poster(api, path(made, "/reissue"), {"reason": "Uji"}, **{"If-Match": "*"}) for _ in range(8)])
    assert {r.status_code for r in replies} == {200}
    assert sql("SELECT array_agg(edition ORDER BY edition), count(*) FILTER (WHERE revoked_at IS NULL) FROM certificate_edition WHERE certificate_id = %s",
               (made["id"],)) == [(list(range(1, 10)), 1)]


def test_what_was_issued_cannot_be_altered_even_beside_the_daemon(api, office, sql):
    made = make.certificate(api, office["id"])
    for statement in ("UPDATE certificate_edition SET name = 'Lain' WHERE certificate_id = %s", "DELETE FROM certificate_edition WHERE certificate_id = %s"):
        with pytest.raises(Exception, match="for ever"):
            sql(statement, (made["id"],))


def test_a_merge_takes_certificates_along(api, anonymous, office):
    gone, heir = make.person(api, office["id"]), make.person(api, office["id"])
    made = make.certificate(api, office["id"], person_=gone)
    api.post(f"/v1/asn/{gone['nip']}/merge", {"into": heir["nip"], "reason": "Terdaftar dua kali"})
    assert api.get(path(made)).json["nip"] == heir["nip"] and shown(anonymous, made["code"]).json["name"] == made["name"]


# ── keys ──

def offline(code, file):
    done = subprocess.run([str(daemons.program()), "certificate", "verify", code, "--key", str(file)], capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, done.stdout


def test_a_code_is_checked_far_away_with_the_published_keys(api, anonymous, office, database, tmp_path):
    old = make.certificate(api, office["id"])
    file = tmp_path / "keys.json"
    file.write_bytes(anonymous.get("/v1/certificates/keys").bytes)
    status, said = offline(f"{PUBLIC}/v1/certificates/{old['code']}", file)
    assert status == 0 and old["id"] in said and "edition 1" in said
    for place in range(0, 116, 9):
        letter = "A" if old["code"][place] != "A" else "B"
        assert offline(old["code"][:place] + letter + old["code"][place + 1:], file)[0] == 1
    kept = json.loads(file.read_text())["keys"][-1]["kid"]
    rotated = daemons.run(database, "certificate", "rotate").stdout.strip()
    new = make.certificate(api, office["id"])
    keys = anonymous.get("/v1/certificates/keys").json["keys"]
    assert [k["kid"] for k in keys][-2:] == [kept, rotated] and keys[-2]["retired_at"] and keys[-1]["retired_at"] is None
    assert base64.urlsafe_b64decode(new["code"])[1:5].hex() == rotated
    assert offline(new["code"], file)[0] == 1, "the key is not in the file of before"
    file.write_bytes(anonymous.get("/v1/certificates/keys").bytes)
    assert offline(new["code"], file)[0] == offline(old["code"], file)[0] == 0
    assert shown(anonymous, old["code"]).json["state"] == shown(anonymous, new["code"]).json["state"] == "valid"


def test_a_file_without_keys_proves_nothing(api, office, tmp_path):
    code = make.certificate(api, office["id"])["code"]
    for text in ("", "{}", '{"keys": []}', '{"keys": [{"x": "AAAA"}, {"x": 1}, 7]}'):
        file = tmp_path / "keys.json"
        file.write_text(text)
        assert offline(code, file)[0] == 1
    assert offline(code, tmp_path / "missing.json")[0] == 1


def test_the_secret_of_a_retired_key_is_gone_and_none_is_told(api, anonymous, office, daemon, database, sql):
    make.certificate(api, office["id"])
    before = sql("SELECT encode(value, 'hex') FROM instance_secret WHERE name = 'certificate'")
    daemons.run(database, "certificate", "rotate")
    after = sql("SELECT encode(value, 'hex') FROM instance_secret WHERE name = 'certificate'")
    assert len(before) == len(after) == 1 and before != after
    told = anonymous.get("/v1/certificates/keys").text + daemon.log_text()
    for (secret,) in (*before, *after):
        assert secret not in told and base64.urlsafe_b64encode(bytes.fromhex(secret)).decode().rstrip("=") not in told


def test_the_first_key_is_made_once(api, office, sql):
    enrolments = [make.passed(api, office["id"]) for _ in range(8)]
    sql("ALTER TABLE certificate_edition DISABLE TRIGGER ALL; DELETE FROM certificate_key WHERE retired_at IS NULL; DELETE FROM instance_secret WHERE name = 'certificate'")
    sql("ALTER TABLE certificate_edition ENABLE TRIGGER ALL")
    replies = all_at_once([poster(api, f"/v1/enrolments/{e['id']}/certificate") for e in enrolments])
    assert {r.status_code for r in replies} == {201}, [r.text[:300] for r in replies]
    assert sql("SELECT count(*) FROM certificate_key WHERE retired_at IS NULL") == [(1,)]
    assert len({r.json()["code"][:6] for r in replies}) == 1


# ── on paper ──

def pages(pdf, tmp_path):
    file = tmp_path / "sertifikat.pdf"
    file.write_bytes(pdf)
    text = subprocess.run(["pdftotext", "-raw", str(file), "-"], capture_output=True, text=True, timeout=60, check=True).stdout
    subprocess.run(["pdftoppm", "-r", "150", "-png", "-singlefile", str(file), str(tmp_path / "page")], timeout=60, check=True)
    found = subprocess.run(["zbarimg", "--quiet", "--raw", str(tmp_path / "page.png")], capture_output=True, text=True, timeout=60, check=False).stdout
    return text, found.split()


def test_the_code_on_paper_leads_to_what_verifies(api, anonymous, office, tmp_path):
    person = make.person(api, office["id"], name="Nur’aini Çelik", title_back="S.T., M.T.")
    session = make.session(api, place="Aula Uji", starts_on=str(make.today()), ends_on=str(make.today()))
    made = make.certificate(api, office["id"], session_=session, person_=person)
    reply = api.get(path(made, "/pdf"))
    assert reply.type == "application/pdf" and reply.headers["Content-Disposition"] == f'attachment; filename="sertifikat-{made["number"].replace("/", "-")}.pdf"'
    text, found = pages(reply.bytes, tmp_path)
    for word in ("SERTIFIKAT", made["number"], "Nur’aini Çelik, S.T., M.T.", person["nip"], "LULUS", made["programme"], "Aula Uji", "20 jam pelajaran", "pada tanggal"):
        assert word in text, text
    assert found == [f"{PUBLIC}/v1/certificates/{made['code']}"] and "DICABUT" not in text
    address = urlsplit(found[0])
    assert anonymous.get(address.path).json["state"] == "valid"
    assert anonymous.get(address.path[:-1] + ("A" if address.path[-1] != "A" else "B"), expect=404).code == "not-found"
    act(api, made, "revoke")
    assert anonymous.get(address.path).json["state"] == "revoked"
    text, found = pages(api.get(path(made, "/pdf")).bytes, tmp_path)
    assert "DICABUT" in text
    assert found == [f"{PUBLIC}/v1/certificates/{made['code']}"], "the stamp hides nothing"


def test_the_page_is_the_same_until_the_certificate_is_another(api, office):
    made = make.certificate(api, office["id"])
    first = api.get(path(made, "/pdf"))
    assert api.get(path(made, "/pdf")).bytes == first.bytes
    assert api.get(path(made, "/pdf"), headers={"If-None-Match": first.etag}, expect=304).bytes == b""
    head = api("HEAD", path(made, "/pdf"), expect=200)
    assert head.etag == first.etag and head.bytes == b""
    act(api, made, "reissue")
    assert api.get(path(made, "/pdf")).etag != first.etag


def test_a_name_that_no_font_has_is_refused_by_letter(api, office):
    made = make.certificate(api, office["id"], name="陳 Uji")
    reply = api.get(path(made, "/pdf"), expect=409)
    assert reply.code == "certificate-unprintable" and "U+9673" in reply.json["detail"]


def test_without_a_public_address_nothing_is_printed(api, office, database):
    made = make.certificate(api, office["id"])
    daemon = daemons.Daemon(database, name="test_certificates_address")
    try:
        other = type(api)(daemon.url, api.key)
        assert other.get(path(made, "/pdf"), expect=409).code == "certificate-address"
    finally:
        daemon.stop()


def test_without_the_fonts_it_is_helvetica_where_that_will_do(api, office, database, tmp_path):
    plain, rare = make.certificate(api, office["id"], name="José Uji"), make.certificate(api, office["id"], name="Nguyễn Uji")
    daemon = daemons.Daemon(database, name="test_certificates_fonts", public_url=PUBLIC, certificate_font="/nowhere.ttf")
    try:
        other = type(api)(daemon.url, api.key)
        text, found = pages(other.get(path(plain, "/pdf")).bytes, tmp_path)
        assert "José Uji" in text and found == [f"{PUBLIC}/v1/certificates/{plain['code']}"]
        assert other.get(path(rare, "/pdf"), expect=409).code == "certificate-unprintable"
    finally:
        daemon.stop()


def test_the_readers_of_pages_are_there():
    assert all(shutil.which(tool) for tool in ("pdftoppm", "pdftotext", "zbarimg"))


# ── how often ──

def test_who_asks_too_often_is_told_when_to_come_back(api, office, database):
    code = make.certificate(api, office["id"])["code"]
    daemon = daemons.Daemon(database, name="test_certificates_rate", public_rate=5)
    try:
        anonymous, known = type(api)(daemon.url), type(api)(daemon.url, api.key)
        replies = [anonymous("GET", f"/v1/certificates/{code}") for _ in range(4)]
        assert [r.status for r in replies] == [200] * 4 and replies[3].headers["RateLimit"].startswith('"client";r=1;')
        assert anonymous.get("/v1/certificates/keys").status == 200, "the fifth"
        for target in (f"/v1/certificates/{code}", "/v1/certificates/keys", f"/v1/certificates/{code[:-1]}"):
            reply = anonymous.get(target, expect=429)
            assert reply.code == "too-many-requests" and 1 <= int(reply.headers["Retry-After"]) <= 12
        assert known.get("/v1/issued-certificates").status == 200, "who has a key is not counted where it is asked for"
    finally:
        daemon.stop()
