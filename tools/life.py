#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Two years of a regency's life, told to a running asnd by its own API: partners and agreements, programmes, sessions with attendance, results and
certificates, counters with their tickets, surveys and complaints, plans and final evaluations of those who serve the public.

    tools/life.py            (ASND_URL and ASND_ADMIN_KEY say where; the people of tools/generate.py are there already)

All of it is invented. The health centres (puskesmas) are the thread: half of them sent their people to a training in service in January 2025; in these the
waiting fell by EFFECT_MINUTES and the answers rose by EFFECT_POINTS from then on, and the achievement of these people by EFFECT_ACHIEVEMENT; in the others nothing changed but chance. What a level-4 evaluation
says of this training can so be held against what is true.

Every request has an Idempotency-Key made of what it says: a run that was cut off is simply run again, and nothing is told twice."""
import http.client
import json
import os
import random
import sys
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta
from urllib.parse import urlsplit

SPACE = uuid.UUID("6f1d5d0e-63f1-5d53-9a52-7a7d5e0b2c11")
EFFECT_MINUTES = 9.0
EFFECT_POINTS = 0.35
EFFECT_ACHIEVEMENT = 5
FIRST, LAST = date(2024, 7, 1), date(2025, 12, 31)  # days with tickets
TRAINED = (date(2025, 1, 13), date(2025, 1, 17))
CLIENTS = 4
AHEAD = date.today().year + 1  # people are enrolled in what is to come; when all are in, the session gets the days on which it was


class Api:
    """One connection a thread."""

    def __init__(self, url, key):
        self.address, self.key, self.local = urlsplit(url).netloc, key, threading.local()

    def connection(self):
        if not hasattr(self.local, "connection"):
            self.local.connection = http.client.HTTPConnection(self.address, timeout=300)
        return self.local.connection

    def __call__(self, method, path, body=None, kind="application/json", fine=(200, 201, 204), **head):
        data = body if isinstance(body, (bytes, type(None))) else json.dumps(body, sort_keys=True).encode()
        head = {"Authorization": f"Bearer {self.key}", "Accept": "application/json", **({"Content-Type": kind} if data is not None else {}), **head}
        if method == "POST":
            head.setdefault("Idempotency-Key", str(uuid.uuid5(SPACE, f"{path}\n{(data or b'').decode()}")))
        self.connection().request(method, path, body=data, headers=head)
        reply = self.connection().getresponse()
        text = reply.read()
        if reply.status not in fine:
            sys.exit(f"life.py: {method} {path}: {reply.status} {text.decode()[:2000]}\n{(data or b'').decode()[:500]}")
        return json.loads(text) if text else None

    def post(self, path, body=None):
        return self("POST", path, body)

    def patch(self, path, body):
        version = self("GET", path)["version"]
        return self("PATCH", path, body, "application/merge-patch+json", **{"If-Match": f'"{version}"'})

    def all(self, path):
        rows, cursor = [], None
        while True:
            page = self("GET", f"{path}{'&' if '?' in path else '?'}limit=1000" + (f"&cursor={cursor}" if cursor else ""))
            rows += page["data"]
            cursor = page["page"]["next"]
            if not cursor:
                return rows


def each(work, items):
    """In CLIENTS threads, the results in order; the first fault ends all."""
    with ThreadPoolExecutor(CLIENTS) as pool:
        return list(pool.map(work, items))


def workdays(start, end):
    while start <= end:
        if start.weekday() < 5:
            yield start
        start += timedelta(days=1)


def chance(*what):
    """The same for the same words, whatever else is drawn."""
    return random.Random("/".join(map(str, what)))


# ── who is there ──


class Regency:
    def __init__(self, api):
        self.api = api
        self.units = {u["id"]: u for u in api.all("/v1/units")}
        self.by_code = {u["code"]: u for u in self.units.values()}
        people = [p for p in api.all("/v1/asn?fields=nip,unit_id,kind,position_kind,rank,echelon,legal_status") if p["legal_status"] == "01"]
        self.staff = {}
        for person in people:
            self.staff.setdefault(person["unit_id"], []).append(person)
        self.people = people

    def centres(self):
        """Health centres with at least six people, by code."""
        found = sorted((u for u in self.units.values() if u["kind"] == "puskesmas" and len(self.staff.get(u["id"], [])) >= 6), key=lambda u: u["code"])
        return found

    def below(self, code):
        """People of a unit and all that lies under it."""
        under, grows = {self.by_code[code]["id"]}, True
        while grows:
            more = {u["id"] for u in self.units.values() if u["parent_id"] in under} - under
            under |= more
            grows = bool(more)
        return [p for unit in sorted(under) for p in self.staff.get(unit, [])]


# ── partners and what is agreed with them ──

PARTNERS = [
    ("uni", "Universitas Karampuang", "university", "Unggul"), ("poltek", "Politeknik Manakarra", "university", "Baik Sekali"),
    ("lan", "Puslatbang Kawasan Timur", "lan", None), ("bpsdm", "BPSDM Provinsi Sulawesi Barat (contoh)", "bpsdm", "A"),
    ("pusdatin", "Pusdiklat Teknologi Informasi (contoh)", "ministry", None), ("private", "PT Layanan Prima Nusantara (contoh)", "private", None)]
AGREEMENTS = [  # partner, kind, title, from, to, quota a year, our share
    ("uni", "mou", "Nota kesepahaman Tridharma dan pengembangan kompetensi ASN", "2024-01-15", "2033-12-31", None, None),
    ("poltek", "mou", "Nota kesepahaman pelatihan terapan", "2024-02-01", "2026-12-31", None, None),
    ("uni", "pks", "Perjanjian kerja sama seminar kepemimpinan dan manajemen publik", "2024-02-01", "2033-12-31", 60, 40),
    ("uni", "pks", "Perjanjian kerja sama riset bersama waktu tunggu layanan", "2024-08-01", "2026-07-31", None, 50),
    ("poltek", "pks", "Perjanjian kerja sama magang aplikasi layanan digital", "2024-03-01", "2026-02-28", 12, 30)]


def collaborate(api):
    partners = {code: api.post("/v1/partners", {"name": name, "kind": kind, **({"accreditation": mark} if mark else {})})["id"]
                for code, name, kind, mark in PARTNERS}
    agreements, mous = [], {}
    for n, (partner, kind, title, start, end, quota, share) in enumerate(AGREEMENTS):
        body = {"partner_id": partners[partner], "kind": kind, "title": title, "number_ours": f"{n + 1:03d}/KS/{start[:4]}", "number_theirs": f"{n + 11}/UN/{start[:4]}",
                "signed_on": start, "starts_on": start, "ends_on": end, "signatory_ours": "Bupati" if kind == "mou" else "Kepala BKPSDM",
                "signatory_theirs": "Rektor" if kind == "mou" else "Wakil Rektor", "scope": title}
        if kind == "pks":
            body |= {"parent_id": mous[partner], "our_share_percent": share} | ({"quota_per_year": quota} if quota else {})
        made = api.post("/v1/agreements", body)
        if kind == "mou":
            mous[partner] = made["id"]
        agreements.append(made["id"])
    return partners, agreements


def activities(api, regency, partners, agreements, sessions):
    told = [("internship", "poltek", 4, "Magang aplikasi layanan digital", "2024-09-02", "2024-11-29", {"direction": "in", "cost_planned": 18000000, "cost_spent": 16500000}),
            ("research", "uni", 3, "Riset bersama: waktu tunggu di puskesmas", "2024-08-05", "2025-06-30", {"cost_planned": 60000000, "cost_spent": 57250000}),
            ("course", "poltek", 4, "Pelatihan sesuai pesanan: formulir daring", "2025-05-05", "2025-05-09", {"jp": 32, "cost_planned": 24000000, "cost_spent": 23100000}),
            ("seminar", "uni", 2, "Seminar kepemimpinan dan manajemen publik", "2025-03-11", "2025-03-12", {"session_id": sessions["SEM-KMP/1"], "cost_planned": 30000000, "cost_spent": 28400000})]
    for n, (kind, partner, agreement, title, start, end, more) in enumerate(told):
        made = api.post("/v1/activities", {"partner_id": partners[partner], "agreement_id": agreements[agreement], "kind": kind, "title": title, "starts_on": start,
                                           "ends_on": end, "state": "done", **more})
        path = f"/v1/activities/{made['id']}"
        for k, person in enumerate(regency.below("MJU-KOMINFO")[4 * n:4 * n + 4]):
            api.post(f"{path}/participants", {"nip": person["nip"], "role": "lead" if k == 0 else "participant"})
        api.post(f"{path}/participants", {"name": f"Dosen Contoh {n + 1}", "institution": PARTNERS[0][1], "role": "speaker"})
        api.post(f"{path}/outputs", {"kind": "report", "title": f"Laporan {title.lower()}", "link": f"https://contoh.example.go.id/laporan/{n + 1}.pdf", "published_on": end})


# ── what people were found to be able to do ──

COMPETENCIES = ("integritas", "kerja_sama", "komunikasi", "orientasi_hasil", "pelayanan_publik", "pengembangan_diri", "mengelola_perubahan", "pengambilan_keputusan",
                "perekat_bangsa")


def found(person):
    """The levels of the nine; service and results are what most lack."""
    draw = chance("level", person["nip"])
    return [max(1, draw.choice((1, 2, 2, 3)) - (name in ("pelayanan_publik", "orientasi_hasil"))) for name in COMPETENCIES]


def assessments(api, regency, centres, trained):
    """All who serve the public in February 2024, by a test; those who were trained once more two months later, a level better in service."""
    lines = ["nip,assessed_on,method,source," + ",".join(COMPETENCIES)]
    for unit in centres:
        for n, person in enumerate(regency.staff[unit["id"]]):
            levels = found(person)
            lines.append(",".join((person["nip"], "2024-02-05", "test", "Tim Penilai Kompetensi (contoh)", *map(str, levels))))
            if unit in trained and n < 6:
                levels[COMPETENCIES.index("pelayanan_publik")] += 1
                lines.append(",".join((person["nip"], "2025-03-17", "test", "Tim Penilai Kompetensi (contoh)", *map(str, levels))))
    api("POST", "/v1/competency-assessments/import", "\n".join(lines).encode() + b"\n", "text/csv")


# ── training ──

PROGRAMMES = [  # code, name, form, kind, family, competency, JP, needs a test
    ("PEL-PRIMA", "Pelatihan Pelayanan Prima", "B3", "3", "teknis", "pelayanan_publik", 40, True),
    ("LAY-DIG", "Bimbingan Teknis Layanan Digital", "B10", "8", "teknis", None, 24, True),
    ("DATA", "Pelatihan Pengelolaan Data", "B3", "3", "teknis", None, 32, True),
    ("KEAMANAN", "Kesadaran Keamanan Informasi", "C3", "16", "teknis", None, 3, False),
    ("PKP", "Pelatihan Kepemimpinan Pengawas", "B1", "1", "manajerial", "mengelola_perubahan", 120, True),
    ("KOMUNIKASI", "Komunikasi Pelayanan", "B2", "5", "manajerial", "komunikasi", 24, False),
    ("SEM-KMP", "Seminar Kepemimpinan dan Manajemen Publik", "B6", "9", "manajerial", "orientasi_hasil", 8, False),
    ("PEREKAT", "Pelatihan Sosial Kultural: Perekat Bangsa", "B5", "6", "sosial_kultural", "perekat_bangsa", 20, False),
    ("PENGADAAN", "Pengadaan Barang dan Jasa Tingkat Dasar", "B3", "3", "teknis", None, 48, True),
    ("KEUANGAN", "Penatausahaan Keuangan Daerah", "B10", "8", "teknis", None, 24, True)]
SESSIONS = [  # programme, first days of its sessions
    ("LAY-DIG", ("2024-02-19", "2024-07-15", "2025-02-17", "2025-08-11")), ("DATA", ("2024-03-04", "2025-04-14")), ("KEAMANAN", ("2024-04-22", "2025-09-15")),
    ("PKP", ("2024-08-05", "2025-07-07")), ("KOMUNIKASI", ("2024-05-13", "2025-06-16")), ("SEM-KMP", ("2025-03-11",)), ("PEREKAT", ("2024-10-07", "2025-10-06")),
    ("PENGADAAN", ("2024-06-10", "2025-05-19")), ("KEUANGAN", ("2024-09-16", "2025-11-10"))]
DAYS = {"PEL-PRIMA": 5, "LAY-DIG": 3, "DATA": 4, "KEAMANAN": 1, "PKP": 12, "KOMUNIKASI": 3, "SEM-KMP": 2, "PEREKAT": 3, "PENGADAAN": 5, "KEUANGAN": 3}


def programmes(api):
    made = {}
    for code, name, form, kind, family, competency, jp, test in PROGRAMMES:
        body = {"code": code, "name": name, "form": form, "kind": kind, "family": family, "jp": jp, "organiser": "BKPSDM Kabupaten Mamuju", "needs_test": test,
                "min_attendance": 80, "cost_per_head": 50000 * jp, "serves": [{"family": "manajerial" if competency == "pelayanan_publik" else family, "level_from": 1, "level_to": 3} | ({"competency": competency} if competency else {})],
                "target": "Pegawai yang melayani masyarakat" if family == "teknis" else "Semua pegawai"}
        made[code] = api.post("/v1/programmes", body | ({"min_grade": 70} if test else {}))
    return made


def held(api, programme, number, start, people):
    """A session that is over: enrolled, present or not, tested, assessed, certified."""
    days = list(workdays(date.fromisoformat(start), date.fromisoformat(start) + timedelta(days=30)))[:DAYS[programme["code"]]]
    session = api.post("/v1/sessions", {"programme_id": programme["id"], "title": f"{programme['name']}, angkatan {number}", "place": "Aula BKPSDM", "capacity": len(people),
                                        "starts_on": f"{AHEAD}-{start[5:]}", "ends_on": f"{AHEAD}-12-31", "min_participants": 5,
                                        "trainers": [{"name": "Widyaiswara Contoh", "role": "pengampu"}]})
    enrolled = []
    for person in people:
        reply = api("POST", "/v1/enrolments", {"session_id": session["id"], "nip": person["nip"]}, fine=(201, 409, 422))
        if "id" in reply:  # who is elsewhere on these days, or not in service, stays away
            enrolled.append((person, reply["id"]))
    api.patch(f"/v1/sessions/{session['id']}", {"starts_on": days[0].isoformat(), "ends_on": days[-1].isoformat()})
    for n, day in enumerate(days):
        entries = [{"nip": p["nip"], "presence": "absent" if chance("away", p["nip"], start).random() < 0.06 and n == len(days) - 1 > 0 else "present"} for p, _ in enrolled]
        api.post(f"/v1/sessions/{session['id']}/attendance", {"day": day.isoformat(), "entries": entries})
    for person, enrolment in enrolled:
        draw = chance("test", person["nip"], start)
        if programme["needs_test"]:
            before = round(draw.uniform(40, 75))
            after = min(100, round(before + draw.uniform(10, 35)))
            api.post(f"/v1/enrolments/{enrolment}/results", {"pre_test": before, "post_test": after, "grade": min(100, after + round(draw.uniform(0, 12)))})
        api("POST", f"/v1/enrolments/{enrolment}/complete", {})
        api("POST", f"/v1/enrolments/{enrolment}/assess", {}, fine=(200, 409, 422))
    api.post(f"/v1/sessions/{session['id']}/certificates")
    return session["id"]


def training(api, regency, trained):
    made, tasks = programmes(api), []
    pool = [p for p in regency.people if p["kind"] in ("PNS", "PPPK")]
    taken = {p["nip"] for unit in trained for p in regency.staff[unit["id"]]}
    for code, starts in SESSIONS:
        for number, start in enumerate(starts, 1):
            people = chance("people", code, start).sample([p for p in pool if p["nip"] not in taken], 24)
            tasks.append((code, number, start, people))
    for number, third in enumerate((trained[0::3], trained[1::3], trained[2::3]), 1):
        people = [p for unit in third for p in regency.staff[unit["id"]][:6]]
        tasks.append(("PEL-PRIMA", number, TRAINED[0].isoformat(), people))
    ids = each(lambda t: held(api, made[t[0]], *t[1:]), tasks)
    for code, number, spent in (("PEL-PRIMA", 1, 30000000), ("LAY-DIG", 3, 21000000), ("PKP", 2, 90000000)):
        line = api.post("/v1/budget-lines", {"programme_id": made[code]["id"], "year": 2025, "source": "apbd", "account": f"5.1.02.{number:02d}", "planned": spent * 1.2})
        api.post(f"/v1/budget-lines/{line['id']}/expenses", {"spent_on": "2025-12-05", "amount": spent, "reference": f"SP2D contoh {number}"})
    return {f"{t[0]}/{t[1]}": one for t, one in zip(tasks, ids)}


# ── service ──

STANDARD = {"requirements": "KTP atau kartu JKN", "procedure": "Ambil nomor, tunggu panggilan, dilayani", "time": "30 menit", "cost": "Gratis", "product": "Layanan kesehatan dasar",
            "complaints": "Loket, LAPOR!", "legal_basis": "Permenpan RB 15/2014", "facilities": "Ruang tunggu, kursi roda", "competence": "Tenaga kesehatan terdaftar",
            "supervision": "Kepala puskesmas", "staff": "Sesuai jadwal", "guarantee": "Sesuai standar pelayanan", "safety": "Data pasien dirahasiakan", "evaluation": "SKM tiap semester"}
SEMESTERS = [("2024-2", date(2024, 7, 1), date(2024, 12, 31)), ("2025-1", date(2025, 1, 1), date(2025, 6, 30)), ("2025-2", date(2025, 7, 1), date(2025, 12, 31))]


def moment(day, minutes):
    return f"{datetime(day.year, day.month, day.day) + timedelta(minutes=minutes):%Y-%m-%dT%H:%M:%S}+08:00"


def queue_of(unit, code, officers, is_trained):
    """The tickets of one counter as lines of CSV."""
    draw = chance("tickets", unit["code"])
    usual = draw.uniform(22, 32)
    for day in workdays(FIRST, LAST):
        better = EFFECT_MINUTES if is_trained and day > TRAINED[1] else 0
        for n in range(draw.choice((2, 3, 3, 4))):
            taken = 480 + 60 * n + draw.uniform(0, 40)
            called = taken + max(1, draw.gauss(usual - better, 7))
            started = called + draw.uniform(0.5, 2)
            done = started + max(2, draw.gauss(11, 3))
            yield ",".join((code, f"{day:%y%m%d}-{n + 1}", moment(day, taken), moment(day, called), moment(day, started), moment(day, done), draw.choice(officers)["nip"], "completed"))


def answers_of(survey, unit, semester, is_trained):
    draw = chance("answers", unit["code"], semester)
    level = chance("level", unit["code"]).uniform(2.95, 3.2) + (EFFECT_POINTS if is_trained and semester != "2024-2" else 0)
    day = dict((s, start) for s, start, _ in SEMESTERS)[semester]
    for n in range(40):
        values = [str(min(4, max(1, round(draw.gauss(level, 0.55))))) for _ in range(9)]
        yield ",".join((survey, f"{survey}-{n + 1:03d}", (day + timedelta(days=20 + n * 3)).isoformat(), *values, draw.choice("MF"), draw.choice(("20-29", "30-39", "40-49", "50-59"))))


def counters(api, regency, centres, trained):
    inside = {u["id"] for u in trained}

    def counter(unit):
        made = api.post("/v1/service-units", {"unit_id": unit["id"], "address": f"Jalan Contoh, {unit['name']}", "hours": "Senin–Jumat 08.00–14.00", "charter": "Kami melayani tanpa biaya.",
                                              "charter_signed_on": "2024-01-02"})
        code = f"{unit['code'].removeprefix('MJU-')}-UMUM"
        api.post("/v1/services", {"service_unit_id": made["id"], "code": code, "name": "Poli umum", "promise_minutes": 45, "queue_prefix": "A", "standard": STANDARD})
        return unit, made["id"], code

    made = each(counter, centres)
    lines = ["service_code,number,taken_at,called_at,started_at,finished_at,nip,result"]
    for unit, _, code in made:
        lines += queue_of(unit, code, regency.staff[unit["id"]][:6], unit["id"] in inside)
    api("POST", "/v1/tickets/import", "\n".join(lines).encode() + b"\n", "text/csv")
    return made


def surveys(api, made, trained):
    inside, lines, ids = {u["id"] for u in trained}, ["survey,form,answered_on," + ",".join(f"U{n}" for n in range(1, 10)) + ",sex,age_group"], []
    for unit, service_unit, _ in made:
        for semester, start, end in SEMESTERS:
            code = f"SKM-{unit['code'].removeprefix('MJU-')}-{semester}"
            survey = api.post("/v1/surveys", {"service_unit_id": service_unit, "code": code, "name": f"SKM {unit['name']} {semester}", "starts_on": start.isoformat(),
                                              "ends_on": end.isoformat(), "population": 400})
            api.post(f"/v1/surveys/{survey['id']}/open")
            ids.append(survey["id"])
            lines += answers_of(code, unit, semester, unit["id"] in inside)
    api("POST", "/v1/surveys/answers/import", "\n".join(lines).encode() + b"\n", "text/csv")
    for survey in ids:
        closed = api.post(f"/v1/surveys/{survey}/close")
        api("POST", f"/v1/surveys/{survey}/publish", **{"If-Match": f'"{closed["version"]}"'})


def complaints(api, made):
    for n, (unit, service_unit, _) in enumerate(made):
        received = datetime(2025, 2, 3, 9, 0) + timedelta(days=9 * n)
        one = api.post("/v1/complaints", {"reference": f"LAPOR-{n + 1:05d}", "channel": "lapor", "kind": "complaint", "category": "quality", "service_unit_id": service_unit,
                                          "text": "Menunggu terlalu lama di loket pendaftaran.", "received_at": f"{received:%Y-%m-%dT%H:%M:%S}+08:00"})
        path = f"/v1/complaints/{one['id']}/advance"
        for step in ({"state": "verified", "weight": "normative"}, {"state": "forwarded"}, {"state": "in_progress"}, {"state": "answered", "answer": "Loket ditambah.", "is_upheld": True})[:1 + n % 4]:
            api.post(path, step)


# ── performance ──

RATINGS = ("di_bawah_ekspektasi", "sesuai_ekspektasi", "di_atas_ekspektasi")


YEARS = [(f"Kinerja {year}", "tahunan", date(year, 1, 1), date(year, 12, 31)) for year in (2024, 2025)]
# Not that of the training, whose quarter is neither before nor after it.
QUARTERS = [(f"Kinerja {year}, triwulan {name}", "triwulan", date(year, month, 1), date(year, month + 2, last))
            for year, name, month, last in ((2024, "III", 7, 30), (2024, "IV", 10, 31), (2025, "II", 4, 30), (2025, "III", 7, 30), (2025, "IV", 10, 31))]


def evaluations(api, regency, centres, trained):
    inside = {u["id"] for u in trained}
    periods = {(kind, start): api.post("/v1/periods", {"name": name, "kind": kind, "starts_on": start.isoformat(), "ends_on": end.isoformat()})["id"]
               for name, kind, start, end in (*YEARS, *QUARTERS)}

    def evaluate(task):
        kind, start, unit, person = task
        draw = chance("work", person["nip"], start.year if kind == "tahunan" else start)
        skill = chance("skill", person["nip"]).gauss(97, 6) + (EFFECT_ACHIEVEMENT if start.year == 2025 and unit["id"] in inside else 0)
        made = api.post("/v1/evaluations", {"nip": person["nip"], "period_id": periods[kind, start]})
        path = f"/v1/evaluations/{made['id']}"
        if api("GET", path)["finalized_at"]:
            return  # by a run before
        for n, (name, aspect, weight) in enumerate((("Pasien terlayani", "kuantitas", 40), ("Berkas lengkap", "kualitas", 30), ("Selesai tepat waktu", "waktu", 30)), 1):
            api.post(f"{path}/indicators", {"position": n, "name": name, "aspect": aspect, "direction": "maximize", "target": 100, "actual": round(max(40, draw.gauss(skill, 4)), 1),
                                            "weight": weight, "cap": 120})
        results = RATINGS[(skill > 88) + (skill > 106)]
        behaviour = RATINGS[(draw.random() > 0.04) + (draw.random() > 0.85)]
        now = api.patch(path, {"results_rating": results, "behaviour_rating": behaviour})
        api("POST", f"{path}/finalize", **{"If-Match": f'"{now["version"]}"'})

    each(evaluate, [(kind, start, unit, person) for kind, start in periods for unit in centres for person in regency.staff[unit["id"]][:8]])


def main():
    api = Api(os.environ["ASND_URL"], os.environ["ASND_ADMIN_KEY"])
    regency = Regency(api)
    centres = regency.centres()
    trained = centres[0::2]
    partners, agreements = collaborate(api)
    assessments(api, regency, centres, trained)
    sessions = training(api, regency, trained)
    activities(api, regency, partners, agreements, sessions)
    made = counters(api, regency, centres, trained)
    surveys(api, made, trained)
    complaints(api, made)
    evaluations(api, regency, centres, trained)
    print(f"{len(sessions)} sessions, {len(centres)} health centres ({len(trained)} trained)")


if __name__ == "__main__":
    main()
