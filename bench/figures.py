# SPDX-License-Identifier: Apache-2.0
"""The figures of a nation (scripts/bench.sh --national): tickets, answers, ratings and learning hours are made with the kept sums beside them, then each figure is read, while nothing else happens and
while citizens answer and tickets are taken."""
import http.client
import json
import random
import subprocess
import threading
import time
import uuid

from bench import ASND, ROOT, run, sql

BOUND_MS = 20
CROWDED = ", while answers come"
STEP = 20_000


# ── making ──


def make(loader, answers, tickets):
    """Tickets, answers, ratings, learning hours, and the sums of all of them. The nation is there."""
    units = min(max(10, loader.people // 600), loader.binds["agencies"] * 15)
    loader.binds |= {"units": units, "most": answers, "queued": tickets, "sessions": max(1, loader.people // 2500)}
    for part in ("helpers.served", "served"):
        loader.part(part)
    sql("ANALYZE service_unit; ANALYZE service; ANALYZE survey")
    loader.parts("tickets", units, max(1, units * STEP // tickets))
    loader.copy("tickets")
    loader.parts("tickets.above", int(sql("SELECT count(*) FROM unit WHERE nlevel(path) < 3")), 10)
    loader.part("officers")
    loader.parts("answers", answers, STEP)
    loader.copy("answers")
    loader.part("answers.sums")
    loader.part("helpers.served.gone")
    loader.say("sums of tickets and answers")
    loader.part("rated")
    loader.parts("evaluations")
    loader.copy("evaluations")
    loader.part("trained")
    loader.parts("enrolments")
    loader.copy("enrolments")
    sql("ANALYZE evaluation; ANALYZE learning_entry; ANALYZE programme; ANALYZE session; ANALYZE session_term; ANALYZE enrolment")
    loader.parts("staff")
    loader.parts("indices")
    loader.parts("staff.sums", 2, 1)
    loader.copy("staff")
    loader.part("staff.sums.all")
    for table in ("staff_sum", "staff_kept", "staff_mark", "index_kept", "index_mark", "survey_tally", "officer_tally", "service_month", "service_spread", "service_change", "service_officer", "unit_service_sum", "unit_service_change"):
        sql(f"VACUUM ANALYZE {table}")
    sql("ANALYZE ticket; ANALYZE survey_answer")
    loader.say("sums of the staff")


# ── reading ──


def paths(dice, n):
    """What is read, by name: n requests each, of large and small units, of one month or several. All that there is of tickets, answers and hours is of 2025."""
    def of(statement, path):
        """Requests for what the statement gives, n of them, any of it."""
        found = sql(statement).split()
        return [path(dice.choice(found)) for _ in range(n)]

    def span():
        first, last = sorted((dice.randint(1, 12), dice.randint(1, 12)))
        return f"from=2025-{first:02}&to=2025-{last:02}"

    year = "from=2025-01&to=2025-12"
    agencies, provinces = "SELECT id FROM unit WHERE nlevel(path) = 2", "SELECT id FROM unit WHERE nlevel(path) = 1"
    large, small = f"{agencies} UNION ALL {provinces}", "SELECT id FROM unit TABLESAMPLE SYSTEM (20) LIMIT 5000"
    services, counters = "SELECT id FROM service TABLESAMPLE SYSTEM (30) LIMIT 5000", "SELECT id FROM service_unit"
    officers = "SELECT a.nip FROM asn a WHERE a.id IN (SELECT t.officer_id FROM officer_tally t LIMIT 20000)"
    periods, busiest = sql("SELECT id FROM period").split(), sql("SELECT id FROM survey ORDER BY id LIMIT 1 OFFSET 1")
    return {
        "survey's result": of("SELECT id FROM survey", lambda s: f"/v1/surveys/{s}/result"),
        "result of the survey that a fifth answered": [f"/v1/surveys/{busiest}/result"] * n,
        "a unit's surveys of a year": of(counters, lambda c: f"/v1/service-units/{c}/satisfaction?from=2025-01-01&to=2025-12-31"),
        "figures of a unit, some months": of("SELECT unit_id FROM service_unit", lambda u: f"/v1/service-figures?by=unit&key={u}&{span()}"),
        "figures of a service, some months": of(services, lambda s: f"/v1/service-figures?by=service&key={s}&{span()}"),
        "figures of an agency's units, a year": of(agencies, lambda u: f"/v1/service-figures?by=unit&under={u}&{year}"),
        "figures of a province's units, a year": of(provinces, lambda u: f"/v1/service-figures?by=unit&under={u}&{year}"),
        "figures of all units, a month": [f"/v1/service-figures?by=unit&{m}&{m.replace('from', 'to')}" for m in (f"from=2025-{dice.randint(1, 12):02}" for _ in range(n))],
        "figures of an agency's officers, a month": of(agencies, lambda u: f"/v1/service-figures?by=officer&under={u}&from=2025-06&to=2025-06"),
        "an officer's service": of(officers, lambda nip: f"/v1/asn/{nip}/service?{span()}"),
        "a small unit with all below it, some months": of(small, lambda u: f"/v1/units/{u}/service-figures?{span()}"),
        "an agency with all below it, some months": of(agencies, lambda u: f"/v1/units/{u}/service-figures?{span()}"),
        "a province with all below it, a year": of(provinces, lambda u: f"/v1/units/{u}/service-figures?{year}"),
        "a province, a year, after units moved": of(f"{provinces} AND code IN ('P1', 'P2', 'P3')", lambda u: f"/v1/units/{u}/service-figures?{year}&tree_on=2025-12-31"),
        "distribution, small units": of(small, lambda u: f"/v1/units/{u}/distribution/{dice.choice(periods)}"),
        "distribution, agencies and provinces": of(large, lambda u: f"/v1/units/{u}/distribution/{dice.choice(periods)}?with_drafts=true"),
        "attainment, first page of the nation": [f"/v1/reports/learning-attainment?year={dice.randint(2024, 2026)}" for _ in range(n)],
        "attainment under an agency or province": of(large, lambda u: f"/v1/reports/learning-attainment?year=2025&under={u}"),
        "training costs under an agency or province": of(large, lambda u: f"/v1/reports/training-costs?year=2025&under={u}"),
        "training costs of the nation, years with and without": [f"/v1/reports/training-costs?year={dice.randint(2023, 2026)}" for _ in range(n)],
        "recap of the nation": [f"/v1/reports/recaps/{dice.choice(('rank', 'age', 'education', 'status'))}" for _ in range(n)],
        "recap of agencies and provinces": of(large, lambda u: f"/v1/reports/recaps/{dice.choice(('rank', 'age', 'education', 'status'))}?under={u}"),
        "recap of an agency by unit": of(agencies, lambda u: f"/v1/reports/recaps/unit?under={u}"),
        "professionalism of small units": of(small, lambda u: f"/v1/units/{u}/professionalism-index"),
        "professionalism of agencies and provinces": of(large, lambda u: f"/v1/units/{u}/professionalism-index"),
        "quality of data, the provinces": ["/v1/data-quality"] * n,
        "quality of data, the units of an agency or province": of(large, lambda u: f"/v1/data-quality?parent_id={u}"),
        "quality of data, indicators of the nation": ["/v1/data-quality/indicators"] * n,
    }


class Crowd:
    """Citizens answer the survey that a fifth answered and others, and counters take and serve tickets: so many answers a second, and a tenth as many tickets, at their times, by four clients."""

    CLIENTS = 4

    def __init__(self, daemon, key, rate):
        self.port, self.key, self.rate, self.stopped, self.late, self.faults = daemon.port, key, rate, threading.Event(), 0.0, []
        self.services = sql("SELECT id FROM service ORDER BY id LIMIT 40").split()
        surveys = sql("SELECT id FROM survey ORDER BY id LIMIT 20 OFFSET 1").split()[::2]
        self.links = [self.ask(http.client.HTTPConnection("127.0.0.1", self.port), "GET", f"/v1/surveys/{s}", key=key)["answer_token"] for s in surveys]
        self.answers, self.tickets = [0] * self.CLIENTS, [0] * self.CLIENTS
        self.clients = [threading.Thread(target=self.run, args=(n,), daemon=True) for n in range(self.CLIENTS)]
        self.began = time.monotonic()
        for client in self.clients:
            client.start()

    @staticmethod
    def ask(connection, method, path, body=None, key=None):
        headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {key}"} if key else {})
        connection.request(method, path, None if body is None else json.dumps(body), headers)
        reply = connection.getresponse()
        told = reply.read()
        if reply.status >= 300:
            raise RuntimeError(f"{path}: {reply.status} {told[:300]}")
        return json.loads(told)

    def run(self, place):
        try:
            self.serve(place)
        except Exception as fault:  # noqa: BLE001 a thread's fault is told by the main one
            self.faults.append(fault)

    def serve(self, place):
        connection, dice, turn = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60), random.Random(place), 0
        while not self.stopped.is_set():
            wait = self.began + (turn * self.CLIENTS + place) / self.rate - time.monotonic()
            if wait > 0:
                time.sleep(wait)
            self.late = max(self.late, -wait)
            link = self.links[0] if dice.random() < 0.5 else dice.choice(self.links)
            self.ask(connection, "POST", f"/v1/public/surveys/{link}/survey", {"form_id": str(uuid.uuid4()), "answers": {f"U{n}": dice.randint(1, 4) for n in range(1, 10)}})
            self.answers[place] += 1
            if turn % 10 == 0:
                ticket = self.ask(connection, "POST", "/v1/tickets", {"service_id": dice.choice(self.services)}, self.key)
                for what, body in (("call", {}), ("start", {}), ("finish", {"result": "completed"})):
                    self.ask(connection, "POST", f"/v1/tickets/{ticket['id']}/{what}", body, self.key)
                self.tickets[place] += 1
            turn += 1

    def stop(self):
        self.stopped.set()
        for client in self.clients:
            client.join()
        took = time.monotonic() - self.began
        if self.faults:
            raise self.faults[0]
        return f"{sum(self.answers) / took:.0f} answers and {sum(self.tickets) / took:.1f} tickets a second, the latest {self.late * 1000:.0f} ms behind its time"


def p99(times):
    return sorted(times)[min(len(times) - 1, int(len(times) * 0.99))]


def ask(report, asker, asked, kind):
    for name, some in asked.items():
        asker.times(some[:20])  # each connection plans a statement anew the first five times
        times = asker.times(some)
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


def move(asker):
    """A dinas and a bidang of an agency in the second province go to agencies of the third and the fourth, since the year of the tickets is over; not a second time."""
    if sql("SELECT count(*) FROM unit_way WHERE lower(valid) > '1950-01-01'") != "0":
        return
    def unit(code):
        return sql(f"SELECT id FROM unit WHERE code = '{code}'")
    for code, goal in (("A1-3", "A2"), ("A1-4-2", "A3-5")):
        asker.patch(f"/v1/units/{unit(code)}", {"parent_id": unit(goal), "effective_on": "2026-03-01"})


def render(told):
    """The table of docs/performance.md: of each figure what it took alone, and while answers came."""
    lines = ["| figure | requests | median ms | p99 ms | median ms, while answers come | p99 ms, while answers come |", "| --- | ---: | ---: | ---: | ---: | ---: |"]
    for name, row in told["rows"].items():
        alone, crowd = row.get("alone"), row.get("crowd")
        cells = [f"{v:.1f}" for v in (alone or (0, 0, 0))[1:]] if alone else ["–", "–"]
        cells += [f"{v:.1f}" for v in crowd[1:]] if crowd else ["–", "–"]
        lines.append(f"| {name} | {(alone or crowd)[0]:,} | {' | '.join(cells)} |")
    return f"{told['head']}{' ' + told['crowd'] if told.get('crowd') else ''}\n\n" + "\n".join(lines)


def keep(report, facts, crowd, names, people):
    """What has been measured of the nation that lies there, in as many runs as it took (.local/national-figures.json): a run of some figures, or of one of the two times, replaces those."""
    place = ROOT / ".local/national-figures.json"
    counts = sql("SELECT count(*) FROM unit; SELECT sum(n) FROM survey_tally WHERE element = 'n'; SELECT sum(taken) FROM service_month WHERE by = 'service'").split()
    head = (f"Machine: {facts['cpu']}, {facts['cores']} cores, {facts['memory_gb']} GB, Linux {facts['kernel']}, PostgreSQL {facts['postgresql']}; {facts['date']}. {people:,} people, "
            f"{int(counts[0]):,} units, {round(int(counts[1]), -6):,} answers, {round(int(counts[2]), -6):,} tickets. One client, one request at a time.")
    told = json.loads(place.read_text()) if place.exists() else {}
    if told.get("head") != head:
        told = {"head": head, "rows": {}}
    told["crowd"] = crowd or told.get("crowd")
    for name, *row in report.rows:
        told["rows"].setdefault(name.removesuffix(CROWDED), {})["crowd" if name.endswith(CROWDED) else "alone"] = row
    told["rows"] = {name: told["rows"][name] for name in names if name in told["rows"]}
    place.parent.mkdir(exist_ok=True)
    place.write_text(json.dumps(told))
    return render(told)


def measure(report, daemon, asker, key, args, facts):
    """Alone and while answers come; --only: the figures with one of these words in their names, --when: one of the two. Gives the table of all that has been measured so far."""
    sql("UPDATE survey SET starts_on = current_date - 100, ends_on = current_date + 100, is_open_link = true WHERE id IN (SELECT id FROM survey ORDER BY id LIMIT 20 OFFSET 1) AND state = 'open'")
    move(asker)
    every, crowd = paths(random.Random(7), args.requests), None
    asked = {name: some for name, some in every.items() if not args.only or any(word in name for word in args.only.split(","))}
    if args.when in (None, "alone"):
        ask(report, asker, asked, "")
    if args.when in (None, "crowd"):
        coming = Crowd(daemon, key, args.rate)
        ask(report, asker, asked, CROWDED)
        crowd = f"What came meanwhile: {coming.stop()}."
        print(crowd, flush=True)
    return keep(report, facts, crowd, every, args.people)
