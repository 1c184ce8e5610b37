# SPDX-License-Identifier: Apache-2.0
"""What goes to BKN: each payload with SIASN's names and formats, what it lacks, and what became of it."""
import hashlib
import json
import threading

import pytest

from support import make

ABOVE, AS, BELOW = "di_atas_ekspektasi", "sesuai_ekspektasi", "di_bawah_ekspektasi"


@pytest.fixture(scope="module")
def year(api):
    return make.period(api, name="Tahun 2025", starts_on="2025-01-01", ends_on="2025-12-31")


@pytest.fixture(scope="module")
def assessor(api, office):
    return make.person(api, office["id"], name="Kepala Contoh", position_kind="struktural", position="Kepala Bidang Uji", rank="IV/b", rank_since="2019-04-01")


@pytest.fixture(scope="module")
def quarters(api):
    return [make.period(api, name=f"Triwulan {n + 1}", kind="triwulan", starts_on=f"2025-{3 * n + 1:02d}-01", ends_on=f"2025-{3 * n + 3:02d}-{day}")
            for n, day in enumerate((31, 30, 30, 31))]


@pytest.fixture(scope="module")
def served(api, year, assessor):
    """The result of the assessor that the others' results serve."""
    return make.result(api, make.skp(api, assessor["nip"], year["id"])["id"])


@pytest.fixture
def person(api, office, year, assessor, served):
    """Somebody with an id in SIASN and an approved SKP of 2025."""
    made = make.person(api, office["id"])
    plan = make.skp(api, made["nip"], year["id"], assessor_nip=assessor["nip"])
    make.planned(api, plan["id"], make.result(api, plan["id"], superior_result_id=served["id"], cascade="langsung")["id"])
    for step in ("propose", "approve"):
        make.act_skp(api, plan["id"], step)
    return {**made, "siasn": make.siasn(api, made["nip"])}


def officer(api, person, level="PT", start="2020-01-01", **members):
    return make.history(api, person["nip"], "position", {"assignment": "definitive", "position_kind": "fungsional", "position": "Analis SDM Aparatur Ahli Pertama",
                                                         "functional_level": level}, start, **members)


def read(api, evaluation, what="skp22"):
    return api.get(f"/v1/evaluations/{evaluation['id']}/handovers/{what}").json


def prepare(api, evaluation, what="skp22", expect=200):
    return api.post(f"/v1/evaluations/{evaluation['id']}/handovers/{what}", expect=expect)


def lacks(told):
    return [(m["pointer"], m["code"]) for m in told["missing"] if m["is_required"]]


def report(api, handover, state, expect=200, **members):
    path = f"/v1/handovers/{handover['id']}"
    return api("POST", f"{path}/report", json={"state": state, **members}, expect=expect, headers={"If-Match": make.tag(api, path)})


# ── evaluations ──

def test_the_payload_of_a_year(api, office, year, person, assessor):
    told = read(api, make.final(api, person["nip"], year["id"], ABOVE, AS))
    assert told["payload"] == {
        "pnsDinilaiOrang": person["siasn"], "tahun": 2025, "hasilKinerjaNilai": 1, "perilakuKerjaNilai": 2, "kuadranKinerjaNilai": 2, "statusPenilai": "ASN",
        "penilaiNama": "Kepala Contoh", "penilaiNipNrp": assessor["nip"], "penilaiJabatan": "Kepala Bidang Uji", "penilaiUnorNama": office["name"],
        "penilaiGolongan": "42", "path": []}
    assert (told["path"], told["document_type"], told["is_ready"], told["missing"], told["handover_id"]) == ("skp22/save", "890", True, [], None)


@pytest.mark.parametrize("ratings, numbers", {(ABOVE, ABOVE): (1, 1, 1), (ABOVE, BELOW): (1, 3, 4), (AS, AS): (2, 2, 2), (BELOW, AS): (3, 2, 3), (BELOW, BELOW): (3, 3, 5)}.items())
def test_ratings_are_told_by_their_numbers(ratings, numbers, api, year, person):
    payload = read(api, make.final(api, person["nip"], year["id"], *ratings))["payload"]
    assert (payload["hasilKinerjaNilai"], payload["perilakuKerjaNilai"], payload["kuadranKinerjaNilai"]) == numbers


def test_an_assessor_who_is_no_civil_servant(api, office, year):
    someone = make.person(api, office["id"])
    make.siasn(api, someone["nip"])
    make.agreed(api, someone["nip"], year["id"])
    payload = read(api, make.final(api, someone["nip"], year["id"]))["payload"]
    assert {k: v for k, v in payload.items() if k.startswith(("penilai", "status"))} == {"statusPenilai": "NON ASN", "penilaiNama": "Bupati Uji", "penilaiJabatan": "Bupati"}


def test_everything_that_is_missing_is_named_in_both_languages(api, office, year):
    evaluation = make.evaluation(api, make.person(api, office["id"])["nip"], year["id"])
    told = read(api, evaluation)
    assert lacks(told) == [("", "evaluation-draft"), ("/pnsDinilaiOrang", "person-id-unknown"), ("/penilaiNama", "assessor-unknown")]
    assert all(m["name"] and m["name_en"] and m["name"] != m["name_en"] for m in told["missing"])
    assert not told["is_ready"] and "pnsDinilaiOrang" not in told["payload"] and "penilaiNama" not in told["payload"]
    reply = prepare(api, evaluation, expect=409)
    assert reply.code == "handover-incomplete" and api.get(f"/v1/handovers?evaluation_id={evaluation['id']}").json["data"] == []


def test_the_payload_of_a_quarter(api, person, quarters, assessor, office):
    officer(api, person)
    told = read(api, make.final(api, person["nip"], quarters[1]["id"], AS, ABOVE), "kinerjaperiodik")
    assert told["payload"] == {
        "pnsDinilaiId": person["siasn"], "tahun": 2025, "periodikId": "2", "bulanMulaiPenilaian": 4, "tahunMulaiPenilaian": 2025, "bulanSelesaiPenilaian": 6,
        "tahunSelesaiPenilaian": 2025, "hasilKinerjaNilai": 2, "perilakuKerjaNilai": 1, "kuadranKinerjaNilai": 2, "koefisienId": "12", "statusPenilai": "ASN",
        "penilaiNama": "Kepala Contoh", "penilaiNipNrp": assessor["nip"], "penilaiJabatanNama": "Kepala Bidang Uji", "penilaiUnorNama": office["name"],
        "penilaiGolongan": "42", "path": []}
    assert told["is_ready"]


def test_a_coefficient_that_was_never_seen_is_not_guessed(api, person, quarters):
    officer(api, person)
    told = read(api, make.final(api, person["nip"], quarters[0]["id"], ABOVE, ABOVE), "kinerjaperiodik")
    assert lacks(told) == [("/koefisienId", "coefficient-unknown")] and "koefisienId" not in told["payload"]


def test_a_call_is_for_its_kind_of_period(api, person, year, quarters):
    assert ("", "period-kind-unfit") in lacks(read(api, make.final(api, person["nip"], year["id"]), "kinerjaperiodik"))
    quarter = make.final(api, person["nip"], quarters[0]["id"])
    for what in ("skp22", "angkakredit"):
        assert ("", "period-kind-unfit") in lacks(read(api, quarter, what))


def test_months_lie_within_one_year(api, office, person):
    odd = make.period(api, kind="bulanan", starts_on="2025-12-16", ends_on="2026-01-15")
    assert ("/tahun", "period-months") in lacks(read(api, make.final(api, person["nip"], odd["id"]), "kinerjaperiodik"))


def test_months_have_no_gap(api, person, quarters):
    officer(api, person)
    first, third = (make.final(api, person["nip"], quarters[n]["id"]) for n in (0, 2))
    assert read(api, first, "kinerjaperiodik")["is_ready"]
    assert lacks(read(api, third, "kinerjaperiodik")) == [("/bulanMulaiPenilaian", "period-gap")]
    second = make.evaluation(api, person["nip"], quarters[1]["id"])
    assert not read(api, third, "kinerjaperiodik")["is_ready"]  # a draft fills no gap
    make.indicator(api, second["id"])
    path = f"/v1/evaluations/{second['id']}"
    api.patch(path, {"results_rating": AS, "behaviour_rating": AS}, etag="*")
    api("POST", f"{path}/finalize", expect=200, headers={"If-Match": "*"})
    assert read(api, third, "kinerjaperiodik")["is_ready"]


def test_months_are_handed_over_once(api, person, quarters):
    officer(api, person)
    may = make.period(api, kind="bulanan", starts_on="2025-05-01", ends_on="2025-05-31")
    month, quarter = (make.final(api, person["nip"], p["id"]) for p in (may, quarters[1]))
    prepare(api, quarter, "kinerjaperiodik")
    assert ("/bulanMulaiPenilaian", "period-overlap") in lacks(read(api, month, "kinerjaperiodik"))
    assert read(api, quarter, "kinerjaperiodik")["is_ready"]


def test_the_payload_of_credit_points(api, year, person):
    position = officer(api, person, remote_id="8ae482a57bb10001")
    evaluation = make.final(api, person["nip"], year["id"], ABOVE, ABOVE)
    assert lacks(read(api, evaluation, "angkakredit")) == [("/nomorSk", "decree-unknown")]
    make.history(api, person["nip"], "credit", {"total": 18.75, "main": 18.75}, "2025-01-01", to="2026-01-01", decree_number="821/PAK/2026", decree_date="2026-01-09")
    told = read(api, evaluation, "angkakredit")
    assert told["payload"] == {
        "pnsId": person["siasn"], "nomorSk": "821/PAK/2026", "tanggalSk": "09-01-2026", "bulanMulaiPenailan": "1", "tahunMulaiPenailan": "2025",
        "bulanSelesaiPenailan": "12", "tahunSelesaiPenailan": "2025", "kreditUtamaBaru": "18.75", "kreditPenunjangBaru": "0.00", "kreditBaruTotal": "18.75",
        "isAngkaKreditPertama": "0", "isIntegrasi": "0", "isKonversi": "1", "rwJabatanId": position["remote_id"], "path": []}
    assert told["is_ready"] and told["missing"] == []


def test_a_pak_with_other_points_is_not_sent(api, year, person):
    officer(api, person)
    evaluation = make.final(api, person["nip"], year["id"])
    make.history(api, person["nip"], "credit", {"total": 20, "main": 20}, "2025-01-01", decree_number="822/PAK/2026", decree_date="2026-01-09")
    told = read(api, evaluation, "angkakredit")
    assert lacks(told) == [("/kreditUtamaBaru", "points-differ")]
    assert [(m["pointer"], m["is_required"]) for m in told["missing"]] == [("/kreditUtamaBaru", True), ("/rwJabatanId", False)]


def test_what_replaced_an_evaluation_is_what_is_told(api, year, person):
    evaluation = make.final(api, person["nip"], year["id"])
    handed = prepare(api, evaluation).json
    objection = api.post(f"/v1/evaluations/{evaluation['id']}/objections", {"text": "Belum dihitung"}, expect=201).json
    assert lacks(read(api, evaluation)) == [("", "objection-open")]
    report(api, handed, "sent", expect=409)
    path = f"/v1/objections/{objection['id']}"
    api("POST", f"{path}/hear", json={"note": "Didengar"}, expect=200, headers={"If-Match": "*"})
    decision = {"decision": "changed", "reason": "Terbukti", "decided_by": "Sekretaris Daerah", "results_rating": ABOVE, "behaviour_rating": ABOVE}
    later = {"id": api("POST", f"{path}/decide", json=decision, expect=200, headers={"If-Match": "*"}).json["new_evaluation_id"]}
    assert prepare(api, evaluation, expect=409).code == "evaluation-superseded"
    assert report(api, handed, "sent", expect=409).code == "evaluation-superseded"
    assert api.get(f"/v1/handovers/{handed['id']}").json["is_superseded"]
    rows = {r["evaluation_id"]: r["is_ready"] for r in api.walk(f"/v1/periods/{year['id']}/handovers")[0] if r["nip"] == person["nip"]}
    assert rows == {later["id"]: True}
    assert prepare(api, later).json["payload"]["kuadranKinerjaNilai"] == 1


def test_after_an_objection_the_same_row_of_siasn_is_changed(api, year, person):
    evaluation = make.final(api, person["nip"], year["id"])
    report(api, report(api, prepare(api, evaluation).json, "sent").json, "accepted", remote_id="8ae482a57bb1Af")
    assert prepare(api, evaluation, expect=409).code == "handover-done"
    objection = api.post(f"/v1/evaluations/{evaluation['id']}/objections", {"text": "Belum dihitung"}, expect=201).json
    path = f"/v1/objections/{objection['id']}"
    api("POST", f"{path}/hear", json={"note": "Didengar"}, expect=200, headers={"If-Match": "*"})
    decision = {"decision": "changed", "reason": "Terbukti", "decided_by": "Sekretaris Daerah", "results_rating": ABOVE, "behaviour_rating": AS}
    later = {"id": api("POST", f"{path}/decide", json=decision, expect=200, headers={"If-Match": "*"}).json["new_evaluation_id"]}
    handed = prepare(api, later).json
    assert handed["payload"]["id"] == "8ae482a57bb1Af"  # without it SIASN would make a second row
    assert report(api, handed, "accepted", remote_id="8ae482a57bb1AF", expect=409).code == "handover-other-id"
    assert report(api, handed, "accepted").json["remote_id"] == "8ae482a57bb1Af"


def test_a_row_that_siasn_has_already_is_changed_and_not_made_again(api, year, person):
    entry = {"regime": "skp_2022", "year": 2025}
    make.history(api, person["nip"], "performance", entry, "2025-01-01", remote_id="skp-" + person["siasn"], source="bkn")
    evaluation = make.final(api, person["nip"], year["id"])
    assert read(api, evaluation)["payload"]["id"] == "skp-" + person["siasn"]
    make.history(api, person["nip"], "performance", entry, "2025-02-01", remote_id="skq-" + person["siasn"], source="bkn")
    assert lacks(read(api, evaluation)) == [("/id", "remote-id-several")]


# ── trainings ──

def test_the_payload_of_a_course(api, person):
    done = make.trained(api, person["nip"], name="Pengelolaan Arsip", form="B10", organiser="LAN", jp=24)
    path = f"/v1/enrolments/{done['id']}/handover"
    assert lacks(api.get(path).json) == [("/nomorSertipikat", "certificate-number-unknown")]
    assert api.post(path, expect=409).code == "handover-incomplete"
    api.put(f"{path}/facts", {"certificate_number": "012/SERT/LAN"})
    session = api.get(f"/v1/sessions/{done['session_id']}").json
    told = api.get(path).json
    first, last = ("-".join(reversed(session[k].split("-"))) for k in ("starts_on", "ends_on"))
    assert told["payload"] == {
        "pnsOrangId": person["siasn"], "jenisDiklatId": "8", "jenisKursusSertipikat": "T", "namaKursus": "Pengelolaan Arsip", "institusiPenyelenggara": "LAN",
        "nomorSertipikat": "012/SERT/LAN", "jumlahJam": 24, "tahunKursus": int(session["ends_on"][:4]), "tanggalKursus": first, "tanggalSelesaiKursus": last, "path": []}
    assert (told["what"], told["path"], told["document_type"], told["is_ready"]) == ("kursus", "kursus/save", "881", True)


def test_the_payload_of_a_structural_training(api, person):
    done = make.trained(api, person["nip"], name="Pelatihan Kepemimpinan Pengawas", form="B1", organiser="LAN", jp=900)
    path = f"/v1/enrolments/{done['id']}/handover"
    api.put(f"{path}/facts", {"certificate_number": "00012/PKP/2026"})
    payload = api.get(path).json["payload"]
    assert payload["latihanStrukturalId"] == "2" and payload["nomor"] == "00012/PKP/2026" and payload["tahun"] == int(payload["tanggalSelesai"][-4:])
    assert set(payload) == {"pnsOrangId", "latihanStrukturalId", "nomor", "tanggal", "tanggalSelesai", "tahun", "institusiPenyelenggara", "jumlahJam", "path"}


def test_which_structural_training_it_is_can_be_told(api, person):
    path = f"/v1/enrolments/{make.trained(api, person['nip'], form='B1')['id']}/handover"
    assert ("/latihanStrukturalId", "structural-training-unknown") in lacks(api.get(path).json)
    reply = api.put(f"{path}/facts", {"structural_training": "77"}, expect=422)
    assert reply.faults == {"/structural_training": "code-unknown"}
    api.put(f"{path}/facts", {"structural_training": "8", "certificate_number": "1"})
    assert api.get(path).json["payload"]["latihanStrukturalId"] == "8"


def test_what_was_not_passed_is_not_told(api, person):
    enrolment = make.enrol(api, make.session(api)["id"], person["nip"])
    assert ("", "enrolment-open") in lacks(api.get(f"/v1/enrolments/{enrolment['id']}/handover").json)
    assert api.get(f"/v1/enrolment-handovers?nip={person['nip']}").json["data"] == []


def test_a_certificate_that_siasn_has_is_changed_and_not_made_again(api, person):
    make.history(api, person["nip"], "course", {"name": "Arsip", "certificate_number": "12/Sert – LAN"}, "2025-03-03", remote_id="kur-" + person["siasn"])
    path = f"/v1/enrolments/{make.trained(api, person['nip'])['id']}/handover"
    api.put(f"{path}/facts", {"certificate_number": "12/SERT-LAN"})
    assert api.get(path).json["payload"]["id"] == "kur-" + person["siasn"]


def test_formal_study_has_no_call(api, person):
    path = f"/v1/enrolments/{make.trained(api, person['nip'], form='A1')['id']}/handover"
    assert ("/jenisDiklatId", "training-kind-unknown") in lacks(api.get(path).json)


# ── the way of a hand-over ──

@pytest.fixture
def handed(api, person):
    return make.handover(api, person["nip"])


def test_each_step_is_kept(api, handed):
    sent = report(api, handed, "sent").json
    done = report(api, sent, "accepted", remote_id="8ae482a57bb1", message="success").json
    assert (done["state"], done["remote_id"], done["message"], done["version"]) == ("accepted", "8ae482a57bb1", "success", 3)
    steps = api.get(f"/v1/handovers/{handed['id']}/steps").json["data"]
    assert [(s["seq"], s["state"], s["remote_id"]) for s in steps] == [(1, "prepared", None), (2, "sent", None), (3, "accepted", "8ae482a57bb1")]
    assert api.get(f"/v1/handovers?state=accepted&enrolment_id={handed['enrolment_id']}").json["data"] == [done]


@pytest.mark.parametrize("is_certified", [False, True], ids=["with a number told", "with a certificate of ours"])
def test_what_was_accepted_is_synced(is_certified, api, person):
    enrolment = make.trained(api, person["nip"])
    if is_certified:
        api.post(f"/v1/enrolments/{enrolment['id']}/certificate", expect=201)
    else:
        api.put(f"/v1/enrolments/{enrolment['id']}/handover/facts", {"certificate_number": "7/X"})
    before = "certified" if is_certified else "passed"
    handed = api.post(f"/v1/enrolments/{enrolment['id']}/handover").json
    sent = report(api, handed, "sent").json
    assert api.get(f"/v1/enrolments/{enrolment['id']}").json["state"] == before
    done = report(api, sent, "accepted").json
    now = api.get(f"/v1/enrolments/{enrolment['id']}").json
    last = api.get(f"/v1/enrolments/{enrolment['id']}/steps?sort=-seq&limit=1").json["data"][0]
    assert (now["state"], now["jp"], last["from"], last["to"], last["actor_name"]) == ("synced", 20, before, "synced", "admin")
    report(api, done, "accepted", remote_id="8ae4")
    assert api.get(f"/v1/enrolments/{enrolment['id']}").json["version"] == now["version"], "told again it does not move again"


def test_what_was_refused_is_not_synced(api, handed):
    report(api, handed, "refused", message="Nomor tidak dikenal")
    assert api.get(f"/v1/enrolments/{handed['enrolment_id']}").json["state"] == "passed"


def test_the_hash_is_over_the_canonical_payload(api, sql, handed):
    text = sql("SELECT (payload - 'id')::text FROM handover WHERE id = %s", (handed["id"],))[0][0]
    assert handed["sha256"] == hashlib.sha256(text.encode()).hexdigest() and json.loads(text) == handed["payload"]


def test_prepared_anew_it_is_brought_up_to_date(api, handed):
    path = f"/v1/enrolments/{handed['enrolment_id']}/handover"
    assert api.post(path).json == handed
    api.put(f"{path}/facts", {"certificate_number": "BARU/1"})
    assert report(api, handed, "sent", expect=409).code == "handover-stale"
    again = api.post(path).json
    assert (again["id"], again["payload"]["nomorSertipikat"], again["version"]) == (handed["id"], "BARU/1", 2)
    report(api, again, "sent")
    assert api.post(path, expect=409).code == "handover-sent"


def test_what_was_refused_is_prepared_anew(api, handed):
    assert report(api, handed, "refused", message="jumlahJam tidak sesuai").json["state"] == "refused"
    again = api.post(f"/v1/enrolments/{handed['enrolment_id']}/handover").json
    assert again["id"] != handed["id"] and again["state"] == "prepared"
    assert report(api, handed, "accepted", expect=409).code == "handover-state"


def test_an_id_that_was_not_told_is_told_later(api, handed):
    done = report(api, handed, "accepted").json
    path = f"/v1/enrolments/{handed['enrolment_id']}/handover"
    assert done["remote_id"] is None and lacks(api.get(path).json) == [("/id", "remote-id-unknown")]
    assert report(api, done, "accepted", remote_id="8ae4").json["remote_id"] == "8ae4"
    assert report(api, done, "accepted", remote_id="8ae5", expect=409).code == "handover-state"
    assert api.get(path).json["payload"]["id"] == "8ae4"


def test_only_what_was_accepted_has_an_id(api, handed):
    assert report(api, handed, "refused", remote_id="x", expect=422).status == 422


def test_of_many_at_once_one_is_made(api, person):
    path = f"/v1/enrolments/{make.trained(api, person['nip'])['id']}/handover"
    api.put(f"{path}/facts", {"certificate_number": "1/X"})
    replies = []
    threads = [threading.Thread(target=lambda: replies.append(api.as_key(api.key).post(path, expect=200).json["id"])) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(replies) == 6 and len(set(replies)) == 1


def test_nobody_is_told_of_others(api, keys, handed, year):
    stranger = api.as_key(keys("performance.read", "performance.write", "training.read", "training.write", units=[make.unit(api)["code"]]))
    for path in (f"/v1/handovers/{handed['id']}", f"/v1/handovers/{handed['id']}/steps", f"/v1/enrolments/{handed['enrolment_id']}/handover"):
        stranger.get(path, expect=404)
    for path in ("/v1/handovers", "/v1/enrolment-handovers", f"/v1/periods/{year['id']}/handovers"):
        assert stranger.get(path).json["data"] == []
    stranger.post(f"/v1/enrolments/{handed['enrolment_id']}/handover", expect=404)
    stranger("POST", f"/v1/handovers/{handed['id']}/report", json={"state": "sent"}, expect=404, headers={"If-Match": "*"})


def test_the_list_of_a_period_tells_what_is_ready(api, office, person):
    period = make.period(api, kind="bulanan", starts_on="2025-08-01", ends_on="2025-08-31")
    officer(api, person)
    ready = make.final(api, person["nip"], period["id"])
    other = make.final(api, make.person(api, office["id"])["nip"], period["id"])
    path = f"/v1/periods/{period['id']}/handovers"
    rows = {r["evaluation_id"]: r for r in api.get(path).json["data"]}
    assert rows[ready["id"]]["is_ready"] and ("/pnsDinilaiId", "person-id-unknown") in lacks(rows[other["id"]])
    assert [r["evaluation_id"] for r in api.get(f"{path}?is_ready=false&under={office['id']}").json["data"]] == [other["id"]]
    report(api, prepare(api, ready, "kinerjaperiodik").json, "accepted", remote_id=f"kp-{ready['id'][-12:]}")
    assert [r["evaluation_id"] for r in api.get(f"{path}?is_handed_over=true").json["data"]] == [ready["id"]]
    assert [r["evaluation_id"] for r in api.get(f"{path}?what=angkakredit").json["data"]] == [ready["id"]]
