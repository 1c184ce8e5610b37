# SPDX-License-Identifier: Apache-2.0
"""Indicators that measure themselves: every figure against a count of its own, limits below which there is none, what an evaluation takes, and its seal."""
import random
import threading
from fractions import Fraction as F

import pytest

from support import daemon as daemons, make

AS = "sesuai_ekspektasi"
YEAR = 2025


@pytest.fixture(scope="module")
def year(api):
    return make.period(api, name="Tahun 2025", starts_on="2025-01-01", ends_on="2025-12-31")


@pytest.fixture
def person(api, office):
    return make.person(api, office["id"])


@pytest.fixture
def counter(api, office):
    return make.service_unit(api, make.unit(api, office["id"])["id"])


def half_up(x, places):
    return F((2 * x * 10**places + 1) // 2, 10**places)


def measured(api, nip, year, figure, target=100, direction="maximize", before=(), agree=True, **where):
    """An SKP of one indicator that the figure measures; approved."""
    plan = make.skp(api, nip, year["id"])
    indicator = make.planned(api, plan["id"], make.result(api, plan["id"])["id"], target=target, direction=direction)
    path = f"/v1/skps/{plan['id']}"
    api.put(f"{path}/indicators/{indicator['id']}/measure", {"figure": figure, **where}, etag=make.tag(api, path), expect=200)
    for step in before:
        step(path, indicator)
    if agree:
        make.act_skp(api, plan["id"], "propose")
        make.act_skp(api, plan["id"], "approve")
    return path, indicator


def told(api, path, on=None):
    whole = api.get(f"{path}/measures" + (f"?on={on}" if on else "")).json
    assert whole["on"] == (on or make.today().isoformat())
    row, = whole["measures"]
    return {**row, "read_at": whole["read_at"]}


def value(api, path, on=None):
    row = told(api, path, on)
    return row["value"], row["n"], row["reason"]


def tickets(api, service, rows):
    head = "service_code,number,taken_at,called_at,started_at,finished_at,nip,result\n"
    report = api("POST", "/v1/tickets/import", data=(head + "".join(",".join(map(str, (service["code"], *row))) + "\n" for row in rows)).encode(),
                 headers={"Content-Type": "text/csv"}, expect=200).json
    assert report["refused"] == 0, report


def served(number, day, wait, takes, nip=""):
    """A ticket that was taken at eight."""
    at = lambda minutes: f"{day} {8 + minutes // 60:02d}:{minutes % 60:02d}"  # noqa: E731
    return (number, at(0), at(wait), at(wait), at(wait + takes), nip, "completed")


# ── what there is ──

def test_each_figure_says_how_many_it_asks_for_and_why(api):
    rows = {r["code"]: r for r in api.get("/v1/measure-figures?limit=100").json["data"]}
    assert len(rows) == 16 and all(r["at_least_source"] for r in rows.values())
    assert {c for c, r in rows.items() if r["at_least"] == 30} == {"own_on_time_rate", "own_u3", "own_u6", "own_u7"}
    assert {r["code"] for r in api.get("/v1/measure-figures?source=attendance").json["data"]} == {"days_present", "days_late", "days_absent"}


def test_a_limit_has_its_day(api, sql):
    sql("INSERT INTO measure_limit VALUES ('days_late', '2099-01-01', 7, 'x'), ('days_late', '2020-01-01', 3, 'x')")
    try:
        assert [sql("SELECT measure_at_least('days_late', %s)", (day,))[0][0] for day in ("2019-12-31", "2021-12-31", "2022-01-01", "2099-01-01")] == [3, 3, 1, 7]
    finally:
        sql("DELETE FROM measure_limit WHERE source = 'x'")


# ── figures of a unit ──

def test_the_rate_of_a_unit_and_of_one_service(api, person, year, counter):
    one, other = (make.service(api, counter["id"], promise_minutes=30) for _ in range(2))
    days = [f"2025-0{m}-10" for m in (1, 3, 6)]
    tickets(api, one, [served(n, days[n % 3], 5, 20 if n % 7 else 60) for n in range(21)])
    tickets(api, other, [served(n, days[n % 3], 5, 60) for n in range(9)])
    path, _ = measured(api, person["nip"], year, "unit_on_time_rate", service_unit_id=counter["id"])
    assert value(api, path) == (60.0, 30, None)
    assert told(api, path)["parts"] == {"on_time": 18, "promised": 30}
    assert value(api, path, "2025-03-31") == (60.0, 20, None)
    path, _ = measured(api, make.person(api, person["unit_id"])["nip"], year, "unit_on_time_rate", service_unit_id=counter["id"], service_id=one["id"])
    assert value(api, path) == (85.7143, 21, None)


def test_waiting_is_its_median_and_percentile(api, person, year, counter):
    """E1 of the worked examples."""
    service = make.service(api, counter["id"])
    tickets(api, service, [served(n, "2025-02-03", wait, 1) for n, wait in enumerate((3, 5, 8, 12, 20, 4, 6, 9, 15, 30))])
    path, _ = measured(api, person["nip"], year, "unit_waiting_median", direction="minimize", target=600, service_unit_id=counter["id"])
    assert value(api, path) == (510, 10, None)
    path, _ = measured(api, make.person(api, person["unit_id"])["nip"], year, "unit_waiting_p90", direction="minimize", target=900, service_unit_id=counter["id"])
    assert value(api, path) == (1260, 10, None)


def test_four_tickets_measure_no_unit(api, person, year, counter):
    service = make.service(api, counter["id"], promise_minutes=30)
    path, _ = measured(api, person["nip"], year, "unit_on_time_rate", service_unit_id=counter["id"])
    assert value(api, path) == (None, 0, "no-data")
    tickets(api, service, [served(n, "2025-02-03", 1, 5) for n in range(4)])
    assert value(api, path) == (None, 4, "too-few")
    tickets(api, service, [served(4, "2025-02-03", 1, 5)])
    assert value(api, path) == (100.0, 5, None)


def test_satisfaction_is_the_pooled_one_of_closed_surveys(api, person, year, counter):
    dice = random.Random(9)
    path, _ = measured(api, person["nip"], year, "unit_satisfaction", service_unit_id=counter["id"])
    assert value(api, path) == (None, 0, "no-data")
    for n, size in enumerate((7, 13, 4)):
        survey = make.survey(api, counter["id"], starts_on=f"2025-0{n + 1}-01", ends_on=f"2025-0{n + 1}-28")
        rows = "".join(f"{survey['code']},{k},2025-0{n + 1}-15," + ",".join(str(dice.randint(1, 4)) for _ in range(9)) + "\n" for k in range(size))
        api("POST", "/v1/surveys/answers/import", data=("survey,form,answered_on,U1,U2,U3,U4,U5,U6,U7,U8,U9\n" + rows).encode(), headers={"Content-Type": "text/csv"}, expect=200)
        before = value(api, path)
        api.post(f"/v1/surveys/{survey['id']}/close")
        assert (value(api, path) != before) == (size >= 5), "only what is closed, and of which five have answered"
    pooled = api.get(f"/v1/service-units/{counter['id']}/satisfaction?from=2025-01-01&to=2025-12-31").json
    assert value(api, path) == (pooled["pooled"], pooled["respondents"], None) == (pooled["pooled"], 20, None)
    few, = [s for s in told(api, path)["parts"]["surveys"] if s["elements"] is None]
    assert few["respondents"] is None


def test_a_small_survey_alone_is_no_value(api, person, year, counter):
    survey = make.survey(api, counter["id"], starts_on="2025-01-01", ends_on="2025-01-28")
    rows = "".join(f"{survey['code']},{k},2025-01-15" + ",4" * 9 + "\n" for k in range(4))
    api("POST", "/v1/surveys/answers/import", data=("survey,form,answered_on,U1,U2,U3,U4,U5,U6,U7,U8,U9\n" + rows).encode(), headers={"Content-Type": "text/csv"}, expect=200)
    api.post(f"/v1/surveys/{survey['id']}/close")
    path, _ = measured(api, person["nip"], year, "unit_satisfaction", service_unit_id=counter["id"])
    assert value(api, path) == (None, 0, "too-few")


def test_pooled_satisfaction_is_exact(sql):
    """Against fractions: 300 pools, among them such as lie on a half."""
    dice = random.Random(20)
    pools = []
    for _ in range(300):
        elements = dice.randint(1, 9)
        pools.append([(n := dice.choice([5, 8, 40, 400, dice.randint(5, 3000)]), [(k := dice.choice([n, max(5, n - 3)]), dice.randint(k, 4 * k)) for _ in range(elements)])
                      for _ in range(dice.randint(1, 4))])
    pools.append([(800, [(800, 2085)])])  # 65.15625
    pools.append([(2000, [(2000, 5201)])])  # 65.0125
    import json
    asked = json.dumps([[{"respondents": n, "elements": [{"code": f"U{i}", "n": k, "sum": s} for i, (k, s) in enumerate(es)]} for n, es in pool] for pool in pools])
    got = [(F(v), n) for v, n in sql("SELECT p.converted, p.respondents FROM jsonb_array_elements(%s::jsonb) WITH ORDINALITY AS w (pool, nth), measure_pool(w.pool) p ORDER BY nth", (asked,))]
    want = []
    for pool in pools:
        all_ = sum(n for n, _ in pool)
        index = sum(n * sum(F(s, k) for k, s in es) / len(es) for n, es in pool) / all_
        want.append((half_up(index * 25, 2), all_))
    assert got == want


def test_rates_are_exact(sql):
    dice = random.Random(21)
    pairs = [(dice.randint(0, n), n) for n in (dice.choice([30, 32, 7, 64, 3, 160000, dice.randint(1, 10**6)]) for _ in range(2000))] + [(1, 160000), (3, 800000), (0, 5)]
    import json
    got = sql("SELECT measure_ratio((p ->> 0)::numeric, (p ->> 1)::numeric, 100) FROM jsonb_array_elements(%s::jsonb) WITH ORDINALITY AS w (p, nth) ORDER BY nth", (json.dumps(pairs),))
    assert [F(v) for v, in got] == [half_up(F(100 * a, n), 4) for a, n in pairs]
    assert sql("SELECT measure_ratio(0, 0, 100)") == [(None,)]


def test_complaints_answered_in_time_and_upheld(api, person, year, counter, sql):
    late, fine, open_, rejected, unverified = (make.complaint(api, counter["id"]) for _ in range(5))
    make.complaint(api, counter["id"], kind="information")
    moved = "UPDATE complaint SET received_at = '2025-03-03 09:00+08'"
    sql("SET session_replication_role = replica; " + moved + ", verify_by = '2025-03-06', settle_by = CASE WHEN id = %s THEN NULL ELSE DATE '2025-03-10' END, "
        "state = CASE id WHEN %s THEN 'rejected' WHEN %s THEN 'received' WHEN %s THEN 'in_progress' ELSE 'answered' END, is_upheld = CASE WHEN id = %s THEN true END, "
        "answered_at = CASE id WHEN %s THEN TIMESTAMPTZ '2025-03-11 00:00+08' WHEN %s THEN TIMESTAMPTZ '2025-03-10 23:59+08' END WHERE kind = 'complaint' AND service_unit_id = %s",
        (unverified["id"], rejected["id"], unverified["id"], open_["id"], fine["id"], late["id"], fine["id"], counter["id"]))
    path, _ = measured(api, person["nip"], year, "unit_complaints_in_time", service_unit_id=counter["id"])
    assert (value(api, path), told(api, path)["parts"]) == ((25.0, 4, None), {"due": 4, "in_time": 1, "upheld": 1, "received": 4})
    path, _ = measured(api, make.person(api, person["unit_id"])["nip"], year, "unit_complaints_upheld", direction="minimize", target=2, service_unit_id=counter["id"])
    assert value(api, path) == (1, 4, None)


def test_no_complaint_is_none_upheld_and_none_in_time(api, person, year, counter):
    path, _ = measured(api, person["nip"], year, "unit_complaints_upheld", direction="minimize", target=2, service_unit_id=counter["id"])
    assert value(api, path) == (0, 0, None)
    path, _ = measured(api, make.person(api, person["unit_id"])["nip"], year, "unit_complaints_in_time", service_unit_id=counter["id"])
    assert value(api, path) == (None, 0, "no-data")


# ── figures of a person ──

def test_own_tickets_measure_from_thirty_on(api, person, year, counter):
    service = make.service(api, counter["id"], promise_minutes=30)
    tickets(api, service, [served(n, "2025-05-05", 1, 20 if n else 90, person["nip"]) for n in range(29)])
    path, _ = measured(api, person["nip"], year, "own_on_time_rate")
    assert value(api, path) == (None, None, "too-few")
    tickets(api, service, [served(29, "2025-05-05", 1, 20, person["nip"])])
    assert value(api, path) == (96.6667, 30, None)


def test_own_ratings_are_of_whole_months_and_hidden_below_thirty(api, person, year, counter, sql):
    survey = make.survey(api, counter["id"])
    rate = lambda n, day: sql("INSERT INTO survey_answer (survey_id, officer_id, answered_on, channel, answers) SELECT %s, %s, %s, 'ticket', '{\"U7\": 4}' FROM generate_series(1, %s)",  # noqa: E731
                              (survey["id"], person["id"], day, n))
    rate(29, "2025-01-31")
    path, _ = measured(api, person["nip"], year, "own_u7", target=4)
    row = told(api, path)
    assert (row["value"], row["n"], row["reason"], row["parts"]) == (None, None, "too-few", {"is_few": True})
    rate(1, "2025-02-10")
    assert value(api, path, "2025-02-27")[2] == "too-few", "a running month would tell what one citizen said"
    assert value(api, path, "2025-02-28") == (4, 30, None)


def test_learning_hours_are_those_that_count(api, person, year):
    path, _ = measured(api, person["nip"], year, "jp", target=20)
    assert value(api, path) == (0, 0, None)
    make.course(api, person["nip"], "2025-02-03", form="B3", jp=8)
    make.course(api, person["nip"], "2025-06-03", form="B3", jp=12)
    make.course(api, person["nip"], "2024-06-03", form="B3", jp=99)
    assert value(api, path) == (20, 2, None)
    assert value(api, path, "2025-05-31") == (8, 1, None)


def presence(api, rows, head="nip,month,present,late,absent,source", expect=200, **options):
    return api("POST", "/v1/presence/import", data=(head + "\n" + "".join(",".join(map(str, row)) + "\n" for row in rows)).encode(),
               headers={"Content-Type": "text/csv", **options}, expect=expect)


def months(last):
    return [f"{YEAR}-{m:02d}" for m in range(1, last + 1)]


def test_days_at_work_need_every_month(api, person, year):
    path, _ = measured(api, person["nip"], year, "days_late", direction="minimize", target=10)
    presence(api, [(person["nip"], m, 20, n, 0, "Mesin") for n, m in enumerate(months(12)) if n != 4])
    assert value(api, path, "2025-04-30") == (6, 4, None)
    assert value(api, path, "2025-05-30") == (6, 4, None), "a month that is not over is not asked for"
    assert value(api, path) == (None, 12, "months-missing")
    presence(api, [(person["nip"], "2025-05", 20, 4, 0, "Mesin")])
    assert value(api, path) == (66, 12, None)
    assert told(api, path)["parts"]["months"][4]["source"] == "Mesin"
    for figure, want in (("days_present", 240), ("days_absent", 0)):
        other = make.person(api, person["unit_id"])
        presence(api, [(other["nip"], m, 20, 0, 0, "Mesin") for m in months(12)])
        path, _ = measured(api, other["nip"], year, figure)
        assert value(api, path) == (want, 12, None)


def test_the_same_file_again_changes_nothing(api, person):
    rows = [(person["nip"], "2025-01", 20, 1, 0, "Mesin"), (person["nip"], "2025-02", 18, 0, 1, "Mesin")]
    first = presence(api, rows).json
    assert (first["created"], first["updated"], first["unchanged"]) == (2, 0, 0)
    again = presence(api, rows).json
    assert (again["created"], again["updated"], again["unchanged"]) == (0, 0, 2)
    changed = presence(api, [(person["nip"], "01/2025", "21.0")], head="NIP,Bulan,Hadir").json
    assert (changed["updated"], changed["refused"]) == (1, 0)
    rows = api.get(f"/v1/asn/{person['nip']}/presence").json["data"]
    assert [(r["month"], r["present"], r["late"], r["absent"]) for r in rows] == [("2025-02-01", 18, 0, 1), ("2025-01-01", 21, 1, 0)]
    assert presence(api, [(person["nip"], "2025-03", 20, 0, 0, "Mesin")], **{"Prefer": "dry-run"}).json["created"] == 1
    assert len(api.get(f"/v1/asn/{person['nip']}/presence").json["data"]) == 2
    line = f'{{"nip": "{person["nip"]}", "month": "2025-04-01", "present": "19"}}\n'
    api("POST", "/v1/presence/import", data=line.encode(), headers={"Content-Type": "application/x-ndjson"}, expect=200)
    assert api.get(f"/v1/asn/{person['nip']}/presence?sort=month").json["data"][-1]["present"] == 19


@pytest.mark.parametrize("row, column, code", [
    (("199912312022031998", "2025-01", 20, 0, 0, ""), "nip", "person-unknown"), (("{nip}", "2025-13", 20, 0, 0, ""), "month", "month-form"),
    (("{nip}", "Jan-25", 20, 0, 0, ""), "month", "month-form"), (("{nip}", "2025-01-02", 20, 0, 0, ""), "month", "month-form"),
    (("{nip}", "2025-01", "x", 0, 0, ""), "present", "days-form"), (("{nip}", "2025-01", 32, 0, 0, ""), "present", "days-form"),
    (("{nip}", "2025-01", "20.5", 0, 0, ""), "present", "days-form"), (("{nip}", "2025-01", 20, -1, 0, ""), "late", "days-form"),
    (("{nip}", "2025-01", 20, 21, 0, ""), "present", "days-disagree"), (("{nip}", "2025-02", 20, 0, 9, ""), "present", "days-disagree"),
    (("{nip}", "2099-01", 20, 0, 0, ""), "month", "month-ahead")])
def test_a_month_that_cannot_be_is_refused(row, column, code, api, person):
    report = presence(api, [[str(c).format(nip=person["nip"]) for c in row]]).json
    assert [(f["column"], f["code"]) for f in report["faults"]] == [(column, code)] and (report["refused"], report["created"]) == (1, 0), report


def test_a_month_twice_in_a_file_is_refused_the_second_time(api, person):
    report = presence(api, [(person["nip"], "2025-01", 20, 0, 0, ""), (person["nip"], "2025-01", 21, 0, 0, "")]).json
    assert (report["created"], report["refused"], report["faults"][0]["code"]) == (1, 1, "duplicate-row")


def test_refused_months_are_kept_and_come_again_mended(api, person):
    report = presence(api, [(person["nip"], "2025-13", 20, 0, 0, "Mesin")]).json
    assert api.get(f"/v1/imports/{report['id']}").json["kind"] == "presence"
    assert [r["id"] for r in api.get("/v1/imports?kind=presence").json["data"]][:1] == [report["id"]]
    rejects = api.get(f"/v1/imports/{report['id']}/rejects", headers={"Accept": "text/csv"})
    again = api("POST", "/v1/presence/import", data=rejects.text.replace("2025-13", "2025-12", 1).encode(), headers={"Content-Type": "text/csv"}, expect=200).json
    assert (again["created"], again["refused"]) == (1, 0)
    undone = api.post(f"/v1/imports/{again['id']}/undo", {"reason": "Keliru"}, expect=409)
    assert undone.code == "import-kept"


def test_days_at_work_of_others_are_not_brought_nor_seen(api, keys, person):
    elsewhere = api.as_key(keys("import.write", "performance.write", "performance.read", units=(make.unit(api)["code"],)))
    assert presence(elsewhere, [(person["nip"], "2025-01", 20, 0, 0, "")]).json["faults"][0]["code"] == "person-unknown"
    presence(api, [(person["nip"], "2025-01", 20, 0, 0, "")])
    elsewhere.get(f"/v1/asn/{person['nip']}/presence", expect=404)


def test_two_records_of_one_person_with_one_month_are_not_merged(api, person):
    twin = make.person(api, person["unit_id"])
    presence(api, [(nip, "2025-01", 20, 0, 0, "Mesin") for nip in (person["nip"], twin["nip"])])
    refused = api.post(f"/v1/asn/{twin['nip']}/merge", {"into": person["nip"], "reason": "Satu orang"}, expect=409)
    assert refused.code == "conflict"
    other = make.person(api, person["unit_id"])
    presence(api, [(other["nip"], "2025-02", 19, 0, 0, "Mesin")])
    api.post(f"/v1/asn/{other['nip']}/merge", {"into": person["nip"], "reason": "Satu orang"})
    assert [r["month"] for r in api.get(f"/v1/asn/{person['nip']}/presence").json["data"]] == ["2025-02-01", "2025-01-01"]


# ── posted by another system ──

def test_a_posted_number_needs_its_source(api, person, year):
    path, indicator = measured(api, person["nip"], year, "posted")
    post = lambda **members: api.post(f"{path}/progress", {"indicator_id": indicator["id"], "source": "posted", **members}, expect=201).json  # noqa: E731
    assert value(api, path) == (None, 0, "no-data")
    api.post(f"{path}/progress", {"indicator_id": indicator["id"], "value": 99, "day": "2025-03-01"}, expect=201)
    assert value(api, path) == (None, 0, "no-data"), "what was entered by hand is not posted"
    bare = post(value=40, day="2025-03-02")
    assert value(api, path)[2] == "source-missing"
    post(value=41, day="2025-03-02", evidence="SIPD, ekspor 2 Maret 2025", corrects=bare["id"])
    row = told(api, path)
    assert (row["value"], row["parts"]["evidence"], row["source"]) == (41, "SIPD, ekspor 2 Maret 2025", "posted")
    assert row["parts"]["told_at"] and row["read_at"]
    assert value(api, path, "2025-03-01")[2] == "no-data"


# ── milestones ──

STEPS = [{"name": "Rancangan", "weight": 40, "due_on": "2025-03-31"}, {"name": "Uji coba", "weight": 35.5, "due_on": "2025-06-30"}, {"name": "Berjalan", "weight": 24.5, "due_on": "2025-09-30"}]


def with_steps(api, steps):
    def put(path, indicator):
        reply = api.put(f"{path}/indicators/{indicator['id']}/milestones", {"milestones": steps}, etag=make.tag(api, path), expect=200).json
        assert [(m["position"], m["name"], m["weight"], m["due_on"], m["reached_on"]) for m in reply["milestones"]] == \
            [(n + 1, s["name"], s["weight"], s["due_on"], None) for n, s in enumerate(steps)]
    return put


def test_steps_count_when_they_are_reached(api, person, year, sql):
    path, indicator = measured(api, person["nip"], year, "milestones", before=[with_steps(api, STEPS)])
    at = f"{path}/indicators/{indicator['id']}/milestones"
    steps = api.get(at).json["milestones"]
    report = lambda n, day, **members: api.post(f"{path}/milestone-reports", {"milestone_id": steps[n]["id"], "day": day, **members}, expect=201).json  # noqa: E731
    assert value(api, path) == (0, 3, None)
    report(0, "2025-03-31", evidence="ND 12/2025")
    report(1, "2025-07-01")
    assert [value(api, path, day)[0] for day in ("2025-03-30", "2025-03-31", "2025-07-01")] == [0, 40, 75.5]
    assert [(m["reached_on"], m["is_late"]) for m in api.get(at).json["milestones"]] == [("2025-03-31", False), ("2025-07-01", True), (None, True)]
    report(0, "2025-08-01", is_reached=False, note="Ditarik")
    assert value(api, path)[0] == 35.5
    report(0, "2025-08-02")
    sql("INSERT INTO performance_setting VALUES ('milestone_late_percent', '2025-01-01', 50, 'x')")
    try:
        assert value(api, path)[0] == 37.75
    finally:
        sql("DELETE FROM performance_setting WHERE source = 'x'")
    assert len(api.get(f"{path}/milestone-reports?milestone_id={steps[0]['id']}").json["data"]) == 3
    elsewhere = api.post(f"{path}/milestone-reports", {"milestone_id": "01900000-0000-7000-8000-0000000000ff"}, expect=422)
    assert elsewhere.faults == {"/milestone_id": "reference-missing"}
    assert api.post(f"{path}/milestone-reports", {"milestone_id": steps[0]["id"], "day": "2024-12-31"}, expect=422).code == "skp-progress-day"


def test_steps_are_worked_out_exactly(sql):
    import json
    dice = random.Random(22)
    cases = []
    for _ in range(2000):
        percent = dice.choice([0, 33, 50, 75, 100])
        steps = [{"weight": dice.choice([1, 2.5, 0.0001, 33.3333, 12.75]), "due_on": "2025-06-30", "reached_on": dice.choice([None, "2025-06-30", "2025-07-01", "2025-01-01"])}
                 for _ in range(dice.randint(1, 12))]
        cases.append({"late_percent": percent, "steps": steps})
    got = sql("SELECT (measure_value('milestones', w.p, 1)).value FROM jsonb_array_elements(%s::jsonb) WITH ORDINALITY AS w (p, nth) ORDER BY nth", (json.dumps(cases),))
    want = [half_up(sum((F(str(s["weight"])) * (100 if s["reached_on"] <= s["due_on"] else c["late_percent"]) / 100 for s in c["steps"] if s["reached_on"]), F(0)), 4) for c in cases]
    assert [F(v) for v, in got] == want


def test_steps_make_the_target_before_it_is_proposed(api, person, year):
    path, indicator = measured(api, person["nip"], year, "milestones", target=90, direction="minimize", agree=False)
    gaps = lambda: {(g["pointer"], g["code"]) for g in api.get(f"{path}/document").json["gaps"]}  # noqa: E731
    assert gaps() == {("/indicators/1/milestones", "missing"), ("/indicators/1/direction", "milestone-direction")}
    with_steps(api, STEPS)(path, indicator)
    assert gaps() == {("/indicators/1/target", "milestone-weights"), ("/indicators/1/direction", "milestone-direction")}
    at = f"{path}/indicators/{indicator['id']}"
    api.patch(at, {"target": 100, "direction": "maximize"}, etag=make.tag(api, at))
    assert gaps() == set()
    document = api.get(f"{path}/document").json["document"]["results"][0]["indicators"][0]
    assert document["measured_by"]["figure"] == "milestones" and len(document["milestones"]) == 3


@pytest.mark.parametrize("direction, has_gap", [("minimize", True), ("maximize", True), ("minimize_inverse", True)])
def test_a_target_without_a_value_is_named_before_a_year_is_lost(direction, has_gap, api, person, year):
    path, _ = measured(api, person["nip"], year, "days_late", direction=direction, target=0, agree=False)
    gaps = [(g["pointer"], g["code"]) for g in api.get(f"{path}/document").json["gaps"]]
    assert gaps == [("/indicators/1/target", "target-zero")] * has_gap
    assert make.act_skp(api, path.split("/")[-1], "propose", expect=409 if has_gap else 200).json.get("code") == ("skp-incomplete" if has_gap else None)


# ── figures of the library ──


def taken(api, nip, year, kept, expect=201, **members):
    plan = make.skp(api, nip, year["id"])
    result = make.result(api, plan["id"])
    return f"/v1/skps/{plan['id']}", api.post(f"/v1/skps/{plan['id']}/indicators", {"result_id": result["id"], "kpi_id": kept["id"], **members}, expect=expect)


FIGURES = {"days_late": "minimize", "jp": "maximize", "own_on_time_rate": "maximize", "posted": "maximize", "days_present": "maximize"}


@pytest.mark.parametrize("figure", FIGURES)
def test_what_the_library_measures_measures_itself_where_it_is_taken(figure, api, person, year):
    kept = make.kpi(api, figure=figure, direction=FIGURES[figure], target=10)
    assert api.get(f"/v1/kpis/{kept['id']}").json["figure"] == figure
    path, made = taken(api, person["nip"], year, kept)
    assert made.json["figure"] == figure
    assert api.get(f"{path}/indicators/{made.json['id']}").json["figure"] == api.get(f"{path}/indicators").json["data"][0]["figure"] == figure
    assert told(api, path)["figure"] == figure
    make.act_skp(api, path.split("/")[-1], "propose")
    make.act_skp(api, path.split("/")[-1], "approve")
    [edition] = api.get(f"{path}/editions").json["data"]
    assert edition["document"]["results"][0]["indicators"][0]["measured_by"]["figure"] == figure
    # A copy: what the library measures later changes no plan.
    at = f"/v1/kpis/{kept['id']}"
    assert api.patch(at, {"figure": None}, etag=make.tag(api, at)).json["figure"] is None
    assert told(api, path)["figure"] == figure
    other = make.person(api, person["unit_id"])
    path, made = taken(api, other["nip"], year, kept)
    assert made.json["figure"] is None and api.get(f"{path}/measures").json["measures"] == []


def test_a_measured_value_comes_from_what_the_library_named(api, person, year):
    presence(api, [(person["nip"], m, 20, 2, 0, "Mesin absensi") for m in months(3)])
    path, _ = taken(api, person["nip"], year, make.kpi(api, figure="days_late", direction="minimize", target=30))
    assert value(api, path, "2025-03-31") == (6, 3, None)


def test_a_figure_of_a_unit_is_of_the_nearest_that_serves(api, keys, office, year):
    above = make.unit(api, kind="dinas")
    below = make.unit(api, above["id"])
    kept = make.kpi(api, figure="unit_on_time_rate", target=90)
    own = lambda: make.person(api, below["id"])["nip"]  # noqa: E731
    assert taken(api, own(), year, kept, expect=422)[1].faults == {"/service_unit_id": "measure-unit"}
    upper = make.service_unit(api, above["id"])
    path, _ = taken(api, own(), year, kept)
    assert told(api, path)["service_unit_id"] == upper["id"]
    nearer = make.service_unit(api, below["id"])
    service = make.service(api, nearer["id"])
    path, _ = taken(api, own(), year, kept)
    assert (told(api, path)["service_unit_id"], told(api, path)["service_id"]) == (nearer["id"], None)
    path, _ = taken(api, own(), year, kept, service_unit_id=upper["id"])
    assert told(api, path)["service_unit_id"] == upper["id"]
    path, _ = taken(api, own(), year, kept, service_id=service["id"])
    assert told(api, path)["service_id"] == service["id"]
    assert list(taken(api, own(), year, kept, expect=422, service_id=make.service(api, upper["id"])["id"])[1].faults) == ["/service_id"]
    other = make.service_unit(api, make.unit(api)["id"])
    part = api.as_key(keys("performance.read", "performance.write", "asn.read", units=(above["code"],)))
    assert taken(part, own(), year, kept, expect=422, service_unit_id=other["id"])[1].faults == {"/service_unit_id": "reference-missing"}
    below_only = api.as_key(keys("performance.read", "performance.write", "asn.read", units=(below["code"],)))
    path, _ = taken(below_only, own(), year, kept)
    assert told(below_only, path)["service_unit_id"] == nearer["id"]


def test_a_unit_is_told_for_a_figure_of_a_unit_alone(api, person, year, counter):
    for kept in (make.kpi(api, figure="jp"), make.kpi(api)):
        assert taken(api, make.person(api, person["unit_id"])["nip"], year, kept, expect=422, service_unit_id=counter["id"])[1].faults == {"/service_unit_id": "measure-unit"}
    assert list(api.post("/v1/kpis", {"code": "K-X", "name": "X", "aspect": "waktu", "direction": "maximize", "figure": "langkah"}, expect=422).faults) == ["/figure"]


def test_steps_of_the_library_are_asked_for_before_it_is_proposed(api, person, year):
    path, made = taken(api, person["nip"], year, make.kpi(api, figure="milestones", target=100))
    refused = make.act_skp(api, path.split("/")[-1], "propose", expect=409)
    assert (refused.code, refused.faults) == ("skp-incomplete", {"/indicators/1/milestones": "skp-member-missing"})
    with_steps(api, STEPS)(path, made.json)
    make.act_skp(api, path.split("/")[-1], "propose")


def test_a_step_that_was_reported_stays(api, person, year):
    path, indicator = measured(api, person["nip"], year, "milestones", before=[with_steps(api, STEPS)])
    at = f"{path}/indicators/{indicator['id']}/milestones"
    last = api.get(at).json["milestones"][2]
    api.post(f"{path}/milestone-reports", {"milestone_id": last["id"], "day": "2025-09-01"}, expect=201)
    assert api.put(at, {"milestones": STEPS[:2]}, etag=make.tag(api, path), expect=409).code == "skp-fixed"
    api("POST", f"{path}/return", json={"reason": "Perbaiki"}, expect=200, headers={"If-Match": make.tag(api, path)})
    assert api.put(at, {"milestones": STEPS[:2]}, etag=make.tag(api, path), expect=409).code == "in-use"
    moved = [*STEPS[:2], {**STEPS[2], "due_on": "2025-08-31"}]
    assert api.put(at, {"milestones": moved}, etag=make.tag(api, path), expect=200).json["milestones"][2]["is_late"] is True
    api.put(at, {"milestones": moved}, etag='"1"', expect=412)
    fewer = api.post(f"{path}/milestone-reports", {"milestone_id": last["id"]}, expect=409)
    assert fewer.code == "skp-not-agreed"


# ── what an indicator is measured by ──

@pytest.mark.parametrize("body, code, pointer", [
    ({"figure": "unit_on_time_rate"}, "measure-unit", "/service_unit_id"), ({"figure": "jp", "service_unit_id": "{unit}"}, "measure-unit", "/service_unit_id"),
    ({"figure": "unit_on_time_rate", "service_unit_id": "01900000-0000-7000-8000-0000000000ff"}, "reference-missing", "/service_unit_id"),
    ({"figure": "unit_on_time_rate", "service_unit_id": "{unit}", "service_id": "{other}"}, "reference-missing", "/service_id"),
    ({"figure": "predicate"}, "invalid", "/figure")])
def test_a_measure_that_does_not_fit_is_refused(body, code, pointer, api, office, person, year, counter):
    other = make.service(api, make.service_unit(api, make.unit(api, office["id"])["id"])["id"])
    plan = make.skp(api, person["nip"], year["id"])
    indicator = make.planned(api, plan["id"], make.result(api, plan["id"])["id"])
    body = {k: v.format(unit=counter["id"], other=other["id"]) for k, v in body.items()}
    refused = api.put(f"/v1/skps/{plan['id']}/indicators/{indicator['id']}/measure", body, etag=make.tag(api, f"/v1/skps/{plan['id']}"), expect=422)
    assert pointer in refused.faults and code in (refused.code, refused.faults[pointer])
    assert api.get(f"/v1/skps/{plan['id']}/measures").json["measures"] == []


def test_a_measure_is_agreed_with_the_plan(api, keys, office, person, year, counter):
    path, indicator = measured(api, person["nip"], year, "jp", agree=False)
    at = f"{path}/indicators/{indicator['id']}/measure"
    before = api.get(path).json["version"]
    api.put(at, {"figure": "days_late"}, etag=make.tag(api, path), expect=200)
    assert told(api, path)["figure"] == "days_late" and api.get(path).json["version"] > before
    api.put(at, {"figure": "jp"}, etag='"1"', expect=412)
    api.put(f"{path}/indicators/01900000-0000-7000-8000-0000000000ff/measure", {"figure": "jp"}, etag="*", expect=404)
    api.delete(at, etag='"1"', expect=412)
    api.delete(at, etag=make.tag(api, path))
    api.delete(at, etag=make.tag(api, path), expect=404)
    api.put(at, {"figure": "jp"}, etag=make.tag(api, path), expect=200)
    make.act_skp(api, path.split("/")[-1], "propose")
    assert api.put(at, {"figure": "days_late"}, etag=make.tag(api, path), expect=409).code == "skp-fixed"
    assert api.delete(at, etag=make.tag(api, path), expect=409).code == "skp-fixed"
    lower = api.as_key(keys("performance.write", units=(make.unit(api)["code"],)))
    lower.put(at, {"figure": "jp"}, etag="*", expect=404)
    own = make.unit(api, office["id"])
    mine = api.as_key(keys("performance.read", "performance.write", units=(own["code"],)))
    plan = make.skp(api, make.person(api, own["id"])["nip"], year["id"])
    indicator = make.planned(api, plan["id"], make.result(api, plan["id"])["id"])
    refused = mine.put(f"/v1/skps/{plan['id']}/indicators/{indicator['id']}/measure", {"figure": "unit_on_time_rate", "service_unit_id": counter["id"]}, etag="*", expect=422)
    assert refused.faults == {"/service_unit_id": "reference-missing"}, "a unit that the caller does not see"


# ── into the evaluation ──

def filled(api, nip, year):
    evaluation = make.evaluation(api, nip, year["id"])
    at = f"/v1/evaluations/{evaluation['id']}"
    api.post(f"{at}/fill")
    return at


def finalize(api, at, expect=200):
    api.patch(at, {"results_rating": AS, "behaviour_rating": AS}, etag=make.tag(api, at))
    return api("POST", f"{at}/finalize", expect=expect, headers={"If-Match": make.tag(api, at)})


def test_the_evaluation_takes_the_figure_and_seals_it(api, person, year, daemon, sql):
    path, _ = measured(api, person["nip"], year, "jp", target=20)
    make.course(api, person["nip"], "2025-02-03", form="B3", jp=15)
    at = filled(api, person["nip"], year)
    row, = api.get(f"{at}/measurements").json["data"]
    assert (row["actual"], row["value"], row["n"], row["is_as_measured"], row["until"], row["parts"]) == (15, 15, 1, True, "2025-12-31", {"trainings": 1, "jp": 15})
    version = api.get(at).json["version"]
    assert api.post(f"{at}/fill").json["refreshed"] == 0 and api.get(at).json["version"] == version, "nothing new, nothing changed"
    final = finalize(api, at).json
    assert final["achievement"] == 75.0
    make.course(api, person["nip"], "2025-07-03", form="B3", jp=5)
    assert api.get(f"{at}/measurements").json["data"][0]["value"] == 15 and api.get(f"{at}/verification").json["same"] is True
    assert value(api, path)[0] == 20
    sealed, = sql("SELECT inputs -> 'indicators' -> 0 -> 'measured' FROM evaluation WHERE id = %s", (final["id"],))[0]
    assert (sealed["figure"], sealed["value"], sealed["parts"]["trainings"]) == ("jp", 15, 1)
    assert api.post(f"{at}/fill", expect=409).code == "evaluation-final"


def test_a_figure_that_moved_is_not_sealed_unseen(api, person, year):
    measured(api, person["nip"], year, "jp", target=20)
    make.course(api, person["nip"], "2025-02-03", form="B3", jp=15)
    at = filled(api, person["nip"], year)
    make.course(api, person["nip"], "2025-03-03", form="B3", jp=1)
    assert finalize(api, at, expect=409).code == "measure-stale"
    assert api.post(f"{at}/fill").json["refreshed"] == 1
    assert finalize(api, at).json["achievement"] == 80.0


def test_without_a_value_it_is_named_or_entered_by_hand(api, person, year):
    measured(api, person["nip"], year, "own_on_time_rate", target=100)
    at = filled(api, person["nip"], year)
    row, = api.get(f"{at}/measurements").json["data"]
    assert (row["actual"], row["value"], row["reason"]) == (None, None, "no-data")
    refused = finalize(api, at, expect=409)
    assert refused.code == "evaluation-incomplete" and "/indicators/1/actual" in refused.faults
    indicator = api.get(f"{at}/indicators").json["data"][0]
    api.patch(f"{at}/indicators/{indicator['id']}", {"actual": 90}, etag=make.tag(api, f"{at}/indicators/{indicator['id']}"))
    api.post(f"{at}/fill")
    row, = api.get(f"{at}/measurements").json["data"]
    assert (row["actual"], row["is_as_measured"]) == (90, False), "what was entered by hand stays, and shows as that"
    assert finalize(api, at).json["achievement"] == 90.0


def test_a_value_that_is_gone_goes(api, person, year, sql):
    measured(api, person["nip"], year, "days_late", direction="minimize", target=10)
    presence(api, [(person["nip"], m, 20, 0, 0, "Mesin") for m in months(12)])
    at = filled(api, person["nip"], year)
    assert api.get(f"{at}/measurements").json["data"][0]["actual"] == 0
    sql("DELETE FROM presence_month WHERE asn_id = %s AND month = '2025-04-01'", (person["id"],))
    assert api.post(f"{at}/fill").json["refreshed"] == 1
    row, = api.get(f"{at}/measurements").json["data"]
    assert (row["actual"], row["value"], row["reason"]) == (None, None, "months-missing")
    assert api.get(f"{at}/suggestion").json["missing"][0] == {"pointer": "/indicators/1/actual", "code": "months-missing", "value": None}


def test_what_is_measured_no_longer_leaves_no_reading(api, person, year, sql):
    path, indicator = measured(api, person["nip"], year, "jp", target=20)
    make.course(api, person["nip"], "2025-02-03", form="B3", jp=15)
    at = filled(api, person["nip"], year)
    api("POST", f"{path}/return", json={"reason": "Perbaiki"}, expect=200, headers={"If-Match": make.tag(api, path)})
    api.delete(f"{path}/indicators/{indicator['id']}/measure", etag=make.tag(api, path))
    for step in ("propose", "approve"):
        make.act_skp(api, path.split("/")[-1], step)
    assert finalize(api, at, expect=409).code == "measure-stale"
    api.post(f"{path}/progress", {"indicator_id": indicator["id"], "value": 18, "day": "2025-12-31"}, expect=201)
    assert api.post(f"{at}/fill").json["refreshed"] == 1 and api.get(f"{at}/measurements").json["data"] == []
    final = finalize(api, at).json
    assert final["achievement"] == 90.0
    assert sql("SELECT inputs -> 'indicators' -> 0 ? 'measured' FROM evaluation WHERE id = %s", (final["id"],)) == [(False,)]


def test_another_figure_is_another_reading(api, person, year):
    path, indicator = measured(api, person["nip"], year, "jp", target=20)
    presence(api, [(person["nip"], m, 20, 0, 0, "Mesin") for m in months(12)])
    at = filled(api, person["nip"], year)
    api("POST", f"{path}/return", json={"reason": "Perbaiki"}, expect=200, headers={"If-Match": make.tag(api, path)})
    api.put(f"{path}/indicators/{indicator['id']}/measure", {"figure": "days_present"}, etag=make.tag(api, path), expect=200)
    for step in ("propose", "approve"):
        make.act_skp(api, path.split("/")[-1], step)
    assert finalize(api, at, expect=409).code == "measure-stale"
    api.post(f"{at}/fill")
    assert [(m["figure"], m["actual"]) for m in api.get(f"{at}/measurements").json["data"]] == [("days_present", 240)]


def test_a_quarter_takes_what_was_so_far(api, person, year):
    """As progress does: the whole since the plan's first day, up to the period's last."""
    measured(api, person["nip"], year, "jp", target=20)
    for day, jp in (("2025-02-03", 4), ("2025-05-05", 6), ("2025-08-04", 8)):
        make.course(api, person["nip"], day, form="B3", jp=jp)
    quarter = make.period(api, name="Triwulan II 2025", kind="triwulan", starts_on="2025-04-01", ends_on="2025-06-30")
    at = filled(api, person["nip"], quarter)
    row, = api.get(f"{at}/measurements").json["data"]
    assert (row["from"], row["until"], row["value"]) == ("2025-01-01", "2025-06-30", 10)


def test_readings_that_race_with_the_sealing(api, person, year):
    """Filling and finalising at once: whatever is sealed is what the last reading said."""
    measured(api, person["nip"], year, "jp", target=20)
    make.course(api, person["nip"], "2025-02-03", form="B3", jp=15)
    at = filled(api, person["nip"], year)
    api.patch(at, {"results_rating": AS, "behaviour_rating": AS}, etag=make.tag(api, at))
    barrier, replies = threading.Barrier(9), []

    def act(call):
        barrier.wait()
        replies.append(call())
    calls = [lambda: api.post(f"{at}/fill", expect=(200, 409)), lambda: api("POST", f"{at}/finalize", expect=(200, 409, 412), headers={"If-Match": "*"}),
             lambda: api.post(f"/v1/asn/{person['nip']}/history", {"kind": "course", "from": "2025-09-01", "facts": {"name": f"Kursus {make.number()}", "form": "B3", "jp": 1}}, expect=(200, 201))]
    threads = [threading.Thread(target=act, args=(call,)) for call in calls * 3]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    api.post(f"{at}/fill", expect=(200, 409))
    api("POST", f"{at}/finalize", expect=(200, 409), headers={"If-Match": "*"})
    row, = api.get(f"{at}/measurements").json["data"]
    final = api.get(at).json
    assert final["state"] == "final" and row["actual"] == row["value"] == row["parts"]["jp"]
    assert api.get(f"{at}/verification").json["same"] is True


def test_what_an_objection_changes_keeps_the_readings(api, person, year, sql):
    measured(api, person["nip"], year, "jp", target=20)
    make.course(api, person["nip"], "2025-02-03", form="B3", jp=15)
    at = filled(api, person["nip"], year)
    finalize(api, at)
    objection = api.post(f"{at}/objections", {"text": "Keliru"}, expect=201).json
    where = f"/v1/objections/{objection['id']}"
    api("POST", f"{where}/hear", json={"note": "Didengar"}, expect=200, headers={"If-Match": make.tag(api, where)})
    body = {"decision": "changed", "decided_by": "Atasan", "reason": "Dikabulkan", "results_rating": "di_atas_ekspektasi", "behaviour_rating": AS}
    done = api("POST", f"{where}/decide", json=body, expect=200, headers={"If-Match": make.tag(api, where)}).json
    new = f"/v1/evaluations/{done['new_evaluation_id']}"
    row, = api.get(f"{new}/measurements").json["data"]
    assert (row["value"], row["parts"]) == (15, {"trainings": 1, "jp": 15})
    assert api.get(f"{new}/verification").json["same"] is True
    assert sql("SELECT inputs -> 'indicators' -> 0 ? 'measured' FROM evaluation WHERE id = %s", (done["new_evaluation_id"],)) == [(True,)]


def test_a_reading_changed_past_the_triggers_is_found(api, person, year, daemon, sql):
    measured(api, person["nip"], year, "jp", target=20)
    make.course(api, person["nip"], "2025-02-03", form="B3", jp=15)
    at = filled(api, person["nip"], year)
    final = finalize(api, at).json
    before, = sql("SELECT inputs::text FROM evaluation WHERE id = %s", (final["id"],))[0]
    plant = lambda text: sql("SET session_replication_role = replica; UPDATE evaluation e SET inputs = %s::jsonb, inputs_sha256 = "  # noqa: E731
                             "evaluation_seal(%s::jsonb, e.rule_version, e.achievement, e.achievement_uncapped, e.predicate) WHERE id = %s", (text, text, final["id"]))
    for tampered in (before.replace('"jp": 15', '"jp": 16'), before.replace('"at_least": 0', '"at_least": "x"')):
        assert tampered != before
        plant(tampered)
        try:
            done = daemons.run(daemon.database_url, "evaluate", "--verify", check=False)
            assert (done.returncode, done.stdout.splitlines()[:-1]) == (1, [f"evaluation {final['id']}: measured: a reading is not what its parts give"])
            assert api.get(f"{at}/verification").json["same"] is False
        finally:
            plant(before)
    assert daemons.run(daemon.database_url, "evaluate", "--verify", check=False).returncode == 0


# ── evidence ──

def test_evidence_of_the_person_and_of_the_nearest_service_unit(api, keys, office, year):
    unit = make.unit(api, office["id"])
    section = make.unit(api, unit["id"])
    person = make.person(api, section["id"])
    above = make.service_unit(api, unit["id"])
    service = make.service(api, above["id"], promise_minutes=30)
    tickets(api, service, [served(n, "2025-05-05", 1, 20, person["nip"] if n < 30 else "") for n in range(40)])
    evaluation = make.evaluation(api, person["nip"], year["id"])
    at = f"/v1/evaluations/{evaluation['id']}"
    before = api.get(at).json
    rows = {r["figure"]: r for r in api.get(f"{at}/evidence").json["evidence"]}
    assert len(rows) == 14 and "posted" not in rows
    assert (rows["unit_on_time_rate"]["service_unit_id"], rows["unit_on_time_rate"]["n"], rows["own_on_time_rate"]["n"]) == (above["id"], 40, 30)
    assert (rows["own_u7"]["reason"], rows["own_u7"]["goes_to"]) == ("no-data", "feedback on berorientasi pelayanan")
    assert api.get(at).json == before, "evidence writes nothing"
    narrow = api.as_key(keys("performance.read", units=(section["code"],)))
    assert {r["needs"] for r in narrow.get(f"{at}/evidence").json["evidence"]} == {"own"}
