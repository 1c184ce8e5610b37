# SPDX-License-Identifier: Apache-2.0
"""The figures of a nation (scripts/bench.sh --national): tickets, answers, ratings and learning hours are made with the kept sums beside them, then each figure is read, while nothing else happens and
while citizens answer and tickets are taken."""
import json
import random
import subprocess
import threading
import time
import urllib.request
import uuid

from bench import ASND, run, sql

BOUND_MS = 20
STEP = 20_000


# ── making ──


def make(loader, answers, tickets):
    """Tickets, answers, ratings, learning hours, and the sums of all of them. The nation is there."""
    units = max(10, loader.people // 600)
    loader.binds |= {"units": units, "most": answers, "queued": tickets}
    for part in ("helpers.served", "served"):
        loader.part(part)
    sql("ANALYZE service_unit; ANALYZE service; ANALYZE survey")
    loader.parts("tickets", units, max(1, units * STEP // tickets))
    loader.parts("tickets.above", int(sql("SELECT count(*) FROM unit WHERE nlevel(path) < 3")), 10)
    loader.parts("answers", answers, STEP)
    loader.part("answers.sums")
    loader.part("helpers.served.gone")
    loader.say("sums of tickets and answers")
    loader.part("rated")
    loader.parts("evaluations")
    loader.part("trained")
    loader.parts("enrolments")
    sql("ANALYZE evaluation; ANALYZE learning_entry; ANALYZE programme; ANALYZE session; ANALYZE session_term; ANALYZE enrolment")
    loader.parts("staff")
    loader.parts("indices")
    loader.parts("staff.sums", 2, 1)
    loader.part("staff.sums.all")
    for table in ("staff_sum", "staff_kept", "staff_mark", "index_kept", "index_mark", "survey_tally", "officer_tally", "service_month", "service_spread", "service_change", "unit_service_sum", "unit_service_change"):
        sql(f"VACUUM ANALYZE {table}")
    sql("ANALYZE ticket; ANALYZE survey_answer")
    loader.say("sums of the staff")


# ── reading ──


def paths(places, dice):
    """What is read, by name: some hundred requests each, of large and small units."""
    def some(statement, n=200):
        found = sql(statement).split()
        return [dice.choice(found) for _ in range(n)]
    counters = some("SELECT id FROM service_unit")
    serving = some("SELECT unit_id FROM service_unit")
    small = some("SELECT id FROM unit TABLESAMPLE SYSTEM (5) LIMIT 500")
    large = [places["agency"], places["province"]] * 50 + some("SELECT id FROM unit WHERE nlevel(path) = 2 LIMIT 500", 100)
    services = some("SELECT id FROM service LIMIT 500")
    officers = some("SELECT a.nip FROM asn a WHERE a.id IN (SELECT t.officer_id FROM officer_tally t LIMIT 500)")
    period = sql("SELECT id FROM period ORDER BY ends_on DESC LIMIT 1")
    return {
        "survey's result": [f"/v1/surveys/{s}/result" for s in some("SELECT id FROM survey LIMIT 500")],
        "result of the survey that a fifth answered": [f"/v1/surveys/{sql('SELECT id FROM survey ORDER BY id LIMIT 1 OFFSET 1')}/result"] * 200,
        "a unit's surveys of a year": [f"/v1/service-units/{c}/satisfaction?from=2025-01-01&to=2025-12-31" for c in counters],
        "figures of a unit, a year": [f"/v1/service-figures?by=unit&key={u}&from=2025-01&to=2025-12" for u in serving],
        "figures of a service, a year": [f"/v1/service-figures?by=service&key={s}&from=2025-01&to=2025-12" for s in services],
        "figures of an agency's units, a year": [f"/v1/service-figures?by=unit&under={places['agency']}&from=2025-01&to=2025-12"] * 200,
        "an officer's service": [f"/v1/asn/{nip}/service?from=2025-01&to=2025-12" for nip in officers],
        "distribution, small units": [f"/v1/units/{u}/distribution/{period}" for u in small],
        "distribution, agencies and provinces": [f"/v1/units/{u}/distribution/{period}?with_drafts=true" for u in large],
        "attainment, first page of the nation": ["/v1/reports/learning-attainment?year=2025"] * 200,
        "attainment under an agency": [f"/v1/reports/learning-attainment?year=2025&under={u}" for u in large],
        "recap of the nation by rank": ["/v1/reports/recaps/rank"] * 100,
        "recap of the nation by age": ["/v1/reports/recaps/age"] * 100,
        "a unit with all below it, a year": [f"/v1/units/{u}/service-figures?from=2025-01&to=2025-12" for u in large],
        "professionalism of agencies and provinces": [f"/v1/units/{u}/professionalism-index" for u in large],
        "quality of data, the provinces": ["/v1/data-quality"] * 100,
        "quality of data, the units of an agency": [f"/v1/data-quality?parent_id={u}" for u in large],
        "quality of data, indicators of the nation": ["/v1/data-quality/indicators"] * 100,
        "training costs under an agency": [f"/v1/reports/training-costs?year=2025&under={u}" for u in large],
        "recap of agencies and provinces by education": [f"/v1/reports/recaps/education?under={u}" for u in large],
    }


class Traffic(threading.Thread):
    """Citizens answer the survey that a fifth answered, and a counter takes and serves tickets, one after the other until it is over."""

    def __init__(self, daemon, key):
        super().__init__(daemon=True)
        self.daemon_url, self.key, self.stop, self.answers, self.tickets = daemon.url, key, threading.Event(), 0, 0
        self.service = sql("SELECT id FROM service ORDER BY id LIMIT 1")
        self.survey = sql("SELECT id FROM survey ORDER BY id LIMIT 1 OFFSET 1")

    def post(self, path, body, key=None):
        headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {key}"} if key else {})
        with urllib.request.urlopen(urllib.request.Request(self.daemon_url + path, json.dumps(body).encode(), headers), timeout=60) as reply:
            return json.loads(reply.read())

    def run(self):
        with urllib.request.urlopen(urllib.request.Request(f"{self.daemon_url}/v1/surveys/{self.survey}", headers={"Authorization": f"Bearer {self.key}"}), timeout=60) as reply:
            token = json.loads(reply.read())["answer_token"]
        while not self.stop.is_set():
            ticket = self.post("/v1/tickets", {"service_id": self.service}, self.key)
            for what, body in (("call", {}), ("start", {}), ("finish", {"result": "completed"})):
                self.post(f"/v1/tickets/{ticket['id']}/{what}", body, self.key)
            self.tickets += 1
            for _ in range(5):
                self.post(f"/v1/public/surveys/{token}/survey", {"form_id": str(uuid.uuid4()), "answers": {f"U{n}": random.randint(1, 4) for n in range(1, 10)}})
                self.answers += 1


def p99(times):
    return sorted(times)[min(len(times) - 1, int(len(times) * 0.99))]


def ask(report, asker, places, kind):
    for name, asked in paths(places, random.Random(7)).items():
        asker.times(asked[:20])
        times = asker.times(asked)
        report.add(f"{name}{kind}", times)
        ratio = p99(times) / BOUND_MS
        print(f"RATIO figure_p99_of_{BOUND_MS}_ms {ratio:.3f}  {name}{kind}", flush=True)
        if ratio > 1:
            report.fault(f"{name}{kind}: p99 {p99(times):.1f} ms")


def check(report):
    began = time.monotonic()
    try:
        told = run(ASND, "check", "--sums").strip()
    except subprocess.CalledProcessError as fault:
        told = fault.stdout.strip()
        report.fault(told[-500:])
    print(f"{told[-500:]} ({time.monotonic() - began:.0f} s)", flush=True)


def measure(report, daemon, asker, key, places):
    sql("UPDATE survey SET starts_on = current_date - 100, ends_on = current_date + 100, is_open_link = true WHERE id = (SELECT id FROM survey ORDER BY id LIMIT 1 OFFSET 1)")
    ask(report, asker, places, "")
    traffic, began = Traffic(daemon, key), time.monotonic()
    traffic.start()
    ask(report, asker, places, ", while answers come")
    traffic.stop.set()
    traffic.join()
    took = time.monotonic() - began
    print(f"meanwhile {traffic.answers / took:.0f} answers and {traffic.tickets / took:.0f} tickets a second came", flush=True)
