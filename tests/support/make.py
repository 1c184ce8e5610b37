# SPDX-License-Identifier: Apache-2.0
"""Makes things through the API, with whatever a test does not care about filled in. All people are invented."""
import itertools
import uuid
from datetime import date, datetime, timedelta
from urllib.parse import quote
from zoneinfo import ZoneInfo

_numbers = itertools.count(1)
_years = itertools.count(1)


def begin():
    """Counts from one again: a module has a database of its own, and numbers of people that stay the same however many modules came before."""
    global _numbers, _years
    _numbers, _years = itertools.count(1), itertools.count(1)


def number():
    return next(_numbers)


def today():
    """The day at home (WITA), so many hours ahead of most test machines."""
    return datetime.now(ZoneInfo("Asia/Makassar")).date()


def nip(n=None, sex=1, birth="19900115", appointed="201503"):
    """A PNS's number that no other call gives: the sequence counts up, and from 999 on the birth day moves."""
    n = n if n is not None else number()
    day = date.fromisoformat(f"{birth[:4]}-{birth[4:6]}-{birth[6:]}") + timedelta(days=n // 999)
    return f"{day:%Y%m%d}{appointed}{sex}{n % 999 + 1:03d}"


def unit(api, parent=None, **members):
    n = number()
    body = {"code": f"T{n:05d}", "name": f"Bidang Uji {n}", "kind": "bidang", "parent_id": parent, **members}
    return api.post("/v1/units", body, expect=201).json


def person(api, unit_id, **members):
    n = number()
    body = {"nip": nip(), "kind": "PNS", "name": f"Pegawai Uji {n}", "unit_id": unit_id, **members}
    return api.post("/v1/asn", body, expect=201).json


def history(api, nip_, kind, facts, start, **members):
    return api.post(f"/v1/asn/{nip_}/history", {"kind": kind, "from": start, "facts": facts, **members}).json


def request(api, nip_, **members):
    change = {} if "history" in members else {"record": {"birth_place": "Mamuju"}}
    return api.post("/v1/change-requests", {"nip": nip_, "proof_reference": "Surat 1/2026", **change, **members}, expect=201).json


def data_request(api, nip_, kind="access", expect=201, **members):
    return api.post("/v1/data-requests", {"nip": nip_, "kind": kind, "text": "Mohon ditindaklanjuti", **members}, expect=expect).json


def restriction(api, nip_, start="2026-01-05", expect=201, **members):
    return api.post("/v1/restrictions", {"nip": nip_, "from": start, "ground": "Keakuratan data diperiksa", **members}, expect=expect).json


def key(api, **members):
    body = {"name": f"Aplikasi Uji {number()}", "owner": "Bidang Uji", "scopes": ["unit.read"], **members}
    return api.post("/v1/keys", body, expect=201).json


def post(api, unit_id, **members):
    body = {"unit_id": unit_id, "position_kind": "pelaksana", "position": f"Jabatan Uji {number()}", "posts": 2, **members}
    return api.post("/v1/posts", body, expect=201).json


def pdf(size=None):
    """A file that begins and ends as a PDF, and is no other call's."""
    head, end = b"%%PDF-1.7\n%% uji %d\n" % number(), b"\nstartxref\n0\n%%EOF\n"
    filler = bytes(range(32, 127)) * (max(0, (size or 0) - len(head) - len(end)) // 95 + 1)
    return head + filler[:max(0, (size or 0) - len(head) - len(end))] + end


def document(api, nip_, content=None, media_type="application/pdf", expect=(200, 201), **query):
    query = {"type": "872", **query}
    target = f"/v1/asn/{nip_}/documents?" + "&".join(f"{k}={quote(str(v), safe=',')}" for k, v in query.items())
    return api("POST", target, data=content if content is not None else pdf(), headers={"Content-Type": media_type}, expect=expect).json


def programme(api, **members):
    n = number()
    body = {"code": f"P{n:05d}", "name": f"Pelatihan Uji {n}", "form": "B3", "family": "teknis", "jp": 20, "organiser": "BKPSDM Uji", **members}
    return api.post("/v1/programmes", body, expect=201).json


def partner(api, **members):
    return api.post("/v1/partners", {"name": f"Universitas Uji {number()}", "kind": "university", **members}, expect=201).json


def agreement(api, partner_id, **members):
    body = {"partner_id": partner_id, "kind": "pks", "title": "Kerja sama uji", "number_ours": f"100/{number()}/2026", "signed_on": "2026-01-02",
            "starts_on": "2026-01-02", "ends_on": "2030-12-31", **members}
    return api.post("/v1/agreements", body, expect=201).json


def activity(api, partner_id, **members):
    body = {"partner_id": partner_id, "kind": "seminar", "title": f"Kegiatan uji {number()}", "starts_on": "2026-03-02", "ends_on": "2026-03-04", **members}
    return api.post("/v1/activities", body, expect=201).json


def participant(api, activity_id, expect=201, **members):
    return api.post(f"/v1/activities/{activity_id}/participants", members or {"name": f"Orang Luar {number()}", "institution": "Universitas Uji"}, expect=expect).json


def output(api, activity_id, **members):
    body = {"kind": "report", "title": f"Laporan {number()}", "link": "https://example.go.id/laporan.pdf", **members}
    return api.post(f"/v1/activities/{activity_id}/outputs", body, expect=201).json


def budget_line(api, programme_id, **members):
    body = {"programme_id": programme_id, "year": (today() + timedelta(days=30)).year, "source": "apbd", "account": f"5.1.{number()}", "planned": 10000000, **members}
    return api.post("/v1/budget-lines", body, expect=201).json


def expense(api, line_id, **members):
    return api.post(f"/v1/budget-lines/{line_id}/expenses", {"spent_on": f"{(today() + timedelta(days=30)).year}-02-10", "amount": 1000000, **members}, expect=201).json


def terms(api, session_id, **members):
    path = f"/v1/sessions/{session_id}/terms"
    return api.put(path, members, etag=tag(api, path), expect=200).json


def course(api, nip_, start, **facts):
    """A certificate from elsewhere; `to` is the first day after it."""
    until = {"to": facts.pop("to")} if "to" in facts else {}
    return history(api, nip_, "course", {"name": f"Kursus {number()}", **facts}, start, **until)


def days(start=30, length=3):
    """Days of a session, counted from today."""
    first = today() + timedelta(days=start)
    return {"starts_on": first.isoformat(), "ends_on": (first + timedelta(days=length - 1)).isoformat()}


def session(api, programme_id=None, start=30, length=3, **members):
    programme_id = programme_id or programme(api)["id"]
    body = {"programme_id": programme_id, "title": f"Angkatan {number()}", "capacity": 10, **days(start, length), **members}
    return api.post("/v1/sessions", body, expect=201).json


def enrol(api, session_id, nip_, expect=201, **options):
    return api.post("/v1/enrolments", {"session_id": session_id, "nip": nip_}, expect=expect, **options).json


def passed(api, unit_id, session_=None, person_=None, **members):
    """An enrolment that was passed, in a session whose last day is today."""
    session_ = session_ or session(api, start=-2, length=3)
    made = enrol(api, session_["id"], (person_ or person(api, unit_id, **members))["nip"])
    api.post(f"/v1/enrolments/{made['id']}/attend")
    return api.post(f"/v1/enrolments/{made['id']}/complete", {"result": "passed"}).json


def certificate(api, unit_id, **members):
    return api.post(f"/v1/enrolments/{passed(api, unit_id, **members)['id']}/certificate", expect=201).json


def external(api, nip_, expect=201, **members):
    n = number()
    body = {"nip": nip_, "organiser": "Pusdiklat Uji", "number": f"{n}/PD/2025", "name": f"Pelatihan luar {n}", "form": "B10", "jp": 24,
            "starts_on": "2025-03-03", "ends_on": "2025-03-05", **members}
    if "document_id" not in members:
        body.setdefault("proof_reference", "https://pusdiklat.example.go.id/1")
    reply = api.post("/v1/external-certificates", body, expect=expect)
    return reply.json if expect == 201 else reply


def period(api, **members):
    """A yearly period of a past year that no other call gives."""
    year = 1901 + next(_years) % 120
    body = {"name": f"Tahun {year}", "kind": "tahunan", "starts_on": f"{year}-01-01", "ends_on": f"{year}-12-31", **members}
    return api.post("/v1/periods", body, expect=201).json


def evaluation(api, nip_, period_id, **members):
    return api.post("/v1/evaluations", {"nip": nip_, "period_id": period_id, **members}, expect=201).json


def indicator(api, evaluation_id, **members):
    body = {"name": f"Indikator {number()}", "direction": "maximize", "target": 90, "actual": 95.5, "weight": 60, **members}
    return api.post(f"/v1/evaluations/{evaluation_id}/indicators", body, expect=201).json


def final(api, nip_, period_id, results="sesuai_ekspektasi", behaviour="sesuai_ekspektasi"):
    """A final evaluation."""
    made = evaluation(api, nip_, period_id)
    indicator(api, made["id"])
    path = f"/v1/evaluations/{made['id']}"
    api.patch(path, {"results_rating": results, "behaviour_rating": behaviour}, etag=tag(api, path))
    return api("POST", f"{path}/finalize", expect=200, headers={"If-Match": tag(api, path)}).json


def kpi(api, **members):
    n = number()
    body = {"code": f"K{n:05d}", "name": f"Indikator pustaka {n}", "aspect": "kuantitas", "direction": "maximize", "target": 100, "cap": 120, **members}
    return api.post("/v1/kpis", body, expect=201).json


def skp(api, nip_, period_id, **members):
    assessor = {} if "assessor_nip" in members else {"assessor_name": "Bupati Uji", "assessor_position": "Bupati"}
    return api.post("/v1/skps", {"nip": nip_, "period_id": period_id, **assessor, **members}, expect=201).json


def result(api, skp_id, **members):
    return api.post(f"/v1/skps/{skp_id}/results", {"name": f"Hasil kerja {number()}", **members}, expect=201).json


def planned(api, skp_id, result_id, **members):
    body = {"result_id": result_id, "name": f"Indikator {number()}", "aspect": "kuantitas", "direction": "maximize", "target": 100, **members}
    return api.post(f"/v1/skps/{skp_id}/indicators", body, expect=201).json


def act_skp(api, skp_id, step, body=None, expect=200):
    path = f"/v1/skps/{skp_id}"
    return api("POST", f"{path}/{step}", json=body, expect=expect, headers={"If-Match": tag(api, path)})


def agreed(api, nip_, period_id, results=1, **members):
    """An approved SKP, its results and their indicators."""
    plan = skp(api, nip_, period_id, **members)
    made = [result(api, plan["id"]) for _ in range(results)]
    indicators = [planned(api, plan["id"], r["id"]) for r in made]
    act_skp(api, plan["id"], "propose")
    return act_skp(api, plan["id"], "approve").json, made, indicators


def whole_skp(api, nip_, period_id):
    """An SKP with some of everything that hangs on it, back in the hands of its owner."""
    plan, results, indicators = agreed(api, nip_, period_id, results=3)
    for value in (10, 20, 30):
        api.post(f"/v1/skps/{plan['id']}/progress", {"indicator_id": indicators[0]["id"], "value": value, "day": plan["starts_on"]}, expect=201)
        api.post(f"/v1/skps/{plan['id']}/feedback", {"giver": "penilai", "text": "Lanjutkan"}, expect=201)
    act_skp(api, plan["id"], "return", {"reason": "Diperbaiki"})
    return plan, results[0], indicators[0], [kpi(api) for _ in range(3)]


def service_unit(api, unit_id, **members):
    return api.post("/v1/service-units", {"unit_id": unit_id, **members}, expect=201).json


IPP = dict(zip(("kebijakan", "profesionalisme_sdm", "sarana_prasarana", "sipp", "konsultasi_pengaduan", "inovasi"), (4, 5, 3, 4, 3, 4)))  # E6


def service_index(api, service_unit_id, year, scores=None, expect=200, **members):
    told = {"scores": [{"aspect": a, "score": s} for a, s in (scores or IPP).items()], **members}
    return api.put(f"/v1/service-units/{service_unit_id}/service-index/{year}", told, expect=expect)


def service(api, service_unit_id, **members):
    n = number()
    return api.post("/v1/services", {"service_unit_id": service_unit_id, "code": f"L{n:05d}", "name": f"Layanan Uji {n}", **members}, expect=201).json


def ticket(api, service_id, **members):
    return api.post("/v1/tickets", {"service_id": service_id, **members}, expect=201).json


def survey(api, service_unit_id, is_open=True, **members):
    """One that runs today."""
    n, now = number(), today()
    body = {"code": f"SKM-{n}", "service_unit_id": service_unit_id, "name": f"Survei Uji {n}", "starts_on": (now - timedelta(days=30)).isoformat(),
            "ends_on": (now + timedelta(days=30)).isoformat(), **members}
    made = api.post("/v1/surveys", body, expect=201).json
    return api.post(f"/v1/surveys/{made['id']}/open", expect=200).json if is_open else made


def complaint(api, service_unit_id, **members):
    body = {"channel": "counter", "kind": "complaint", "category": "quality", "service_unit_id": service_unit_id, "text": "Pelayanan lambat", **members}
    return api.post("/v1/complaints", body, expect=201).json


def breach(api, found_at=None, **members):
    found_at = found_at or (datetime.now(ZoneInfo("Asia/Makassar")) - timedelta(hours=1)).isoformat(timespec="seconds")
    body = {"found_at": found_at, "which_data": "NIK dan alamat", "happened": f"Berkas {number()} terkirim ke alamat yang salah", **members}
    return api.post("/v1/data-breaches", body, expect=201).json


def form(value=3, **members):
    """A filled form of the nine elements."""
    return {"form_id": str(uuid.uuid4()), "answers": {f"U{n}": value for n in range(1, 10)}, **members}


def trained(api, nip_, days_ago=10, **members):
    """An enrolment that was passed; the session lies in the past."""
    held = session(api, programme(api, **members)["id"], start=-1, length=3)
    made = enrol(api, held["id"], nip_)
    api.post(f"/v1/enrolments/{made['id']}/attend", expect=200)
    api.patch(f"/v1/sessions/{held['id']}", days(-days_ago), etag="*")
    api.post(f"/v1/enrolments/{made['id']}/complete", {"result": "passed"}, expect=200)
    return made


def standard(api, **members):
    """Of a position that no other call gives, unless told."""
    of = {} if {"position_level", "position"} & members.keys() else {"position_kind": "pelaksana", "position": f"Jabatan Uji {number()}"}
    return api.post("/v1/competency-standards", {"competency": "integritas", "level": 3, "valid_from": "2020-01-01", "source": "Keputusan Uji", **of, **members},
                    expect=201).json


def assessment(api, nip_, levels, on="2025-11-03", **members):
    body = {"nip": nip_, "assessed_on": on, "method": "test", "source": f"Penilai {number()}",
            "levels": [{"competency": c, "level": n} for c, n in levels.items()], **members}
    return api.post("/v1/competency-assessments", body, expect=201).json


def plan(api, nip_, year=None, lines=1, **members):
    """A draft with so many lines."""
    superior = {} if "superior_nip" in members else {"superior_name": "Bupati Uji"}
    made = api.post("/v1/development-plans", {"nip": nip_, "year": year or today().year, **superior, **members}, expect=201).json
    return plan_lines(api, made["id"], [{} for _ in range(lines)]) if lines else made


def plan_lines(api, plan_id, lines, expect=200):
    path = f"/v1/development-plans/{plan_id}"
    told = [{"competency": "integritas", "form": "B3", "target_jp": 20, "quarter": 2, **line} for line in lines]
    return api.put(f"{path}/lines", {"lines": told}, etag=tag(api, path), expect=expect).json


def act_plan(api, plan_id, step, body=None, expect=200):
    path = f"/v1/development-plans/{plan_id}"
    return api("POST", f"{path}/{step}", json=body, expect=expect, headers={"If-Match": tag(api, path)})


def finished(api, session_, people, first, steps=(("attend", None), ("complete", {"result": "passed"}))):
    """These people go through a session that is running; then, before they complete it, it turns out to have been on other days."""
    made = [enrol(api, session_["id"], p["nip"]) for p in people]
    for step, body in steps:
        if step == "complete":
            api.patch(f"/v1/sessions/{session_['id']}", {"starts_on": first.isoformat(), "ends_on": (first + timedelta(days=2)).isoformat()}, etag="*", expect=200)
        for e in made:
            api.post(f"/v1/enrolments/{e['id']}/{step}", body, expect=200)
    return made


def reviewed(api, people, programme_id=None):
    """Enrolments of which superior, peers and self are asked now: the session lies 200 days back."""
    return finished(api, session(api, programme_id, start=-1, length=3, capacity=100), people, today() - timedelta(days=200))


def handover(api, nip_):
    """A training that is ready to be sent to BKN, prepared."""
    made = trained(api, nip_)
    api.put(f"/v1/enrolments/{made['id']}/handover/facts", {"certificate_number": f"{number()}/SERT/2025"})
    return api.post(f"/v1/enrolments/{made['id']}/handover").json


def siasn(api, nip_):
    value = f"A8ACA7397AEB3912E040640A{number():08X}"
    api.put(f"/v1/asn/{nip_}/external-ids/siasn", {"value": value})
    return value


def tag(api, path):
    return api.get(path).etag


def improvement(api, nip_, checks=1, **members):
    """A plan that runs since two months, with checks of which the first is overdue."""
    first = today() - timedelta(days=60)
    body = {"nip": nip_, "cause": "Berkas terlambat", "goal": "Berkas tepat waktu", "starts_on": first.isoformat(), "ends_on": (first + timedelta(days=180)).isoformat(),
            "checks": [{"due_on": (first + timedelta(days=30 + 40 * n)).isoformat(), "expectation": f"Tahap {n + 1}"} for n in range(checks)], **members}
    return api.post("/v1/improvement-plans", body, expect=201).json


def act_improvement(api, path, step, body, expect=200):
    return api("POST", f"{path}/{step}", json=body, expect=expect, headers={"If-Match": tag(api, path)})


def agreed_improvement(api, nip_, **members):
    made = improvement(api, nip_, **members)
    return act_improvement(api, f"/v1/improvement-plans/{made['id']}", "agree", {"agreed_by": "Kepala Dinas Uji", "is_agreed_by_person": True}).json
