# SPDX-License-Identifier: Apache-2.0
"""Units that serve, services, tickets: order of states, numbers, times; figures that are exact at every moment."""
import random
from datetime import datetime, timedelta, timezone
from fractions import Fraction

import pytest

from support import make
from test_race import all_at_once, poster

WITA = timezone(timedelta(hours=8))


@pytest.fixture(scope="module")
def counter(api, office):
    return make.service_unit(api, office["id"], name="Loket Uji", hours="08.00–15.00")


@pytest.fixture(scope="module")
def officer(api, office):
    return make.person(api, office["id"])["nip"]


def act(api, ticket, what, body=None, **options):
    return api.post(f"/v1/tickets/{ticket['id']}/{what}", body or {}, **options)


# ── units and services ──

def test_a_unit_serves_once_and_under_its_own_name_unless_told(api, office):
    unit = make.unit(api, office["id"], name="Kantor Uji")
    assert make.service_unit(api, unit["id"])["name"] == "Kantor Uji"
    reply = api.post("/v1/service-units", {"unit_id": unit["id"]}, expect=409)
    assert (reply.code, reply.faults) == ("service-unit-exists", {"/unit_id": "service-unit-exists"})


def test_a_standard_has_its_fourteen_components(api, counter, contract):
    components = contract.document["components"]["schemas"]["ServiceStandard"]["properties"]
    assert len(components) == 14
    standard = {name: f"Isi {name}" for name in components}
    service = make.service(api, counter["id"], standard=standard, promise_days=3)
    assert service["standard"] == standard
    path = f"/v1/services/{service['id']}"
    assert api.patch(path, {"standard": {"time": "3 hari"}, "promise_days": 2}, etag=make.tag(api, path)).json["promise_days"] == 2
    api.patch(path, {"name": "Basi"}, etag='"1"', expect=412)


@pytest.mark.parametrize("members, pointer, code", [
    ({"promise_minutes": 10, "promise_days": 1}, "/promise_days", "service-promise"), ({"promise_days": 0}, "/promise_days", "too-small"),
    ({"promise_minutes": 1.5}, "/promise_minutes", "type"), ({"queue_prefix": "a"}, "/queue_prefix", "pattern"), ({"standard": {"x": "y"}}, "/standard/x", "unknown-member"),
    ({"service_unit_id": "01900000-0000-7000-8000-0000000000ff"}, "/service_unit_id", "reference-missing")])
def test_a_service_that_cannot_be_is_refused(members, pointer, code, api, counter, sql):
    before = sql("SELECT count(*) FROM service")
    reply = api.post("/v1/services", {"service_unit_id": counter["id"], "code": "X", "name": "X", **members}, expect=422)
    assert reply.faults == {pointer: code}
    assert sql("SELECT count(*) FROM service") == before


def test_codes_are_taken_once(api, counter):
    service = make.service(api, counter["id"])
    assert api.post("/v1/services", {"service_unit_id": counter["id"], "code": service["code"], "name": "Lagi"}, expect=409).code == "service-code-taken"


def test_others_see_nothing_of_it(api, keys, office, counter):
    service = make.service(api, counter["id"])
    ticket = make.ticket(api, service["id"])
    elsewhere = make.unit(api)
    other = api.as_key(keys("service.read", "service.write", units=(elsewhere["code"],)))
    for path in (f"/v1/service-units/{counter['id']}", f"/v1/services/{service['id']}", f"/v1/tickets/{ticket['id']}"):
        other.get(path, expect=404)
    assert other.get("/v1/tickets").json["data"] == [] and other.get("/v1/services").json["data"] == [] and other.get("/v1/service-units").json["data"] == []
    assert other.get("/v1/service-figures").json["data"] == []
    other.post("/v1/tickets", {"service_id": service["id"]}, expect=422)
    act(other, ticket, "call", expect=404)
    own = api.as_key(keys("service.read", units=(office["code"],)))
    assert own.get(f"/v1/tickets/{ticket['id']}").json["number"] == ticket["number"]


# ── tickets ──

def test_a_ticket_goes_its_way(api, counter, officer):
    service = make.service(api, counter["id"], promise_minutes=30, queue_prefix="B")
    first, second = make.ticket(api, service["id"]), make.ticket(api, service["id"])
    assert (first["number"], second["number"], first["state"]) == ("B001", "B002", "taken")
    called = act(api, first, "call").json
    assert called["state"] == "called" and act(api, first, "call").json["called_at"] == called["called_at"], "calling again leaves the first call"
    started = act(api, first, "start", {"nip": officer}).json
    assert (started["state"], started["nip"]) == ("started", officer)
    done = act(api, first, "finish", {"result": "completed"}).json
    assert (done["state"], done["result"], done["is_on_time"]) == ("finished", "completed", True)
    assert all(done[m] >= 0 for m in ("waiting_s", "service_s", "turnaround_s"))


WAYS = {"taken": [], "called": ["call"], "started": ["call", "start"], "finished": ["call", "start", "finish"], "no_show": ["call", "no_show"], "cancelled": ["cancelled"]}
ALLOWED = {("taken", "call"), ("taken", "cancelled"), ("called", "call"), ("called", "start"), ("called", "no_show"), ("called", "cancelled"), ("started", "finish")}


def step(api, ticket, what, **options):
    if what in ("no_show", "cancelled"):
        return act(api, ticket, "cancel", {"state": what}, **options)
    return act(api, ticket, what, {"result": "completed"} if what == "finish" else {}, **options)


@pytest.mark.parametrize("state", WAYS)
@pytest.mark.parametrize("what", ["call", "start", "finish", "no_show", "cancelled"])
def test_the_order_of_states_is_kept(state, what, api, counter):
    service = make.service(api, counter["id"])
    ticket = make.ticket(api, service["id"])
    for before in WAYS[state]:
        step(api, ticket, before)
    reply = step(api, ticket, what, expect=(200, 409))
    assert reply.status == (200 if (state, what) in ALLOWED else 409), reply
    if reply.status == 409:
        assert reply.code == "ticket-state"
        assert api.get(f"/v1/tickets/{ticket['id']}").json["state"] == state


def test_times_that_run_backwards_or_ahead_are_refused(api, counter):
    service = make.service(api, counter["id"])
    ticket = make.ticket(api, service["id"])
    assert act(api, ticket, "call", {"at": "2020-01-01T00:00:00Z"}, expect=422).faults == {"/at": "ticket-times"}
    assert act(api, ticket, "call", {"at": "2099-01-01T00:00:00Z"}, expect=422).faults == {"/at": "in-future"}
    for member in ("taken_at", "accepted_at"):
        refused = api.post("/v1/tickets", {"service_id": service["id"], member: "2099-01-01T00:00:00Z"}, expect=422)
        assert refused.faults == {f"/{member}": "in-future"}
    assert act(api, ticket, "call", {"nip": "199912312022031998"}, expect=422).faults == {"/nip": "reference-missing"}
    assert api.get(f"/v1/tickets/{ticket['id']}").json["state"] == "taken"


def test_a_closed_service_takes_no_tickets(api, counter):
    service = make.service(api, counter["id"], is_active=False)
    assert api.post("/v1/tickets", {"service_id": service["id"]}, expect=409).code == "service-inactive"


def test_a_number_is_given_once_a_day_however_many_draw_at_once(api, counter, sql):
    service = make.service(api, counter["id"])
    replies = all_at_once([poster(api, "/v1/tickets", {"service_id": service["id"]}) for _ in range(48)])
    assert {r.status_code for r in replies} == {201}, [r.text for r in replies if r.status_code != 201][:2]
    assert sorted(r.json()["number"] for r in replies) == [f"{n:03d}" for n in range(1, 49)]
    assert api.post("/v1/tickets", {"service_id": service["id"], "number": "007"}, expect=409).code == "ticket-number-taken"


def test_numbers_go_on_beyond_three_digits_and_past_those_that_are_taken(api, counter, sql):
    service = make.service(api, counter["id"], queue_prefix="C")
    first = make.ticket(api, service["id"])
    sql("UPDATE ticket_series SET last = 997 WHERE service_id = %s", (service["id"],))
    make.ticket(api, service["id"], number="C999")
    assert [first["number"], *(make.ticket(api, service["id"])["number"] for _ in range(4))] == ["C001", "C998", "C1000", "C1001", "C1002"]


def test_many_counters_call_a_ticket_and_one_ends_it(api, counter):
    service = make.service(api, counter["id"])
    ticket = make.ticket(api, service["id"])
    act(api, ticket, "call")
    replies = all_at_once([poster(api, f"/v1/tickets/{ticket['id']}/{w}", b) for w, b in [("start", {}), ("cancel", {"state": "no_show"})] * 8])
    assert sorted(r.status_code for r in replies) == [200] + [409] * 15, "one of them wins, and the order of states refuses the others"


def test_a_dry_run_draws_no_number(api, counter):
    service = make.service(api, counter["id"])
    assert api("POST", "/v1/tickets", json={"service_id": service["id"]}, headers={"Prefer": "dry-run"}, expect=201).json["number"] == "001"
    assert make.ticket(api, service["id"])["number"] == "001"


# ── figures ──

def moment(minutes, day="2025-03-03"):
    return (datetime.fromisoformat(f"{day}T08:00:00+08:00") + timedelta(minutes=minutes)).isoformat()


def file_of(rows):
    return ("service_code,number,taken_at,called_at,started_at,finished_at,nip,result\n" + "".join(",".join(r) + "\n" for r in rows)).encode()


def send(api, data, expect=200, **headers):
    return api("POST", "/v1/tickets/import", data=data, headers={"Content-Type": "text/csv", **headers}, expect=expect).json


def counts(report):
    return tuple(report[k] for k in ("rows", "created", "updated", "unchanged", "refused"))


def test_figures_without_months_are_those_of_the_month_that_runs(api, counter):
    service = make.service(api, counter["id"])
    make.ticket(api, service["id"])
    month = make.today().isoformat()[:7]
    for query in ("", f"&from={month}", f"&to={month}"):
        [row] = api.get(f"/v1/service-figures?key={service['id']}{query}").json["data"]
        assert (row["month_code"], row["taken"]) == (month, 1)
    for query in ("&to=2025-03", "&from=2025-03&to=2025-04"):
        assert api.get(f"/v1/service-figures?key={service['id']}{query}").json["data"] == []


def test_the_worked_example_comes_out(api, counter):
    """E1: waits of 3 … 30 minutes: mean 11.2, median 8.5 minutes; 6 of 10 within the promised 10 minutes when they are served at once."""
    service = make.service(api, counter["id"], promise_minutes=10)
    waits = [3, 5, 8, 12, 20, 4, 6, 9, 15, 30]
    rows = [(service["code"], str(n), moment(0), moment(w), moment(w), moment(w), "", "completed") for n, w in enumerate(waits)]
    assert counts(send(api, file_of(rows))) == (10, 10, 0, 0, 0)
    [row] = api.get(f"/v1/service-figures?from=2025-03&key={service['id']}").json["data"]
    assert (row["taken"], row["finished"], row["promised"], row["on_time"]) == (10, 10, 10, 6)
    assert row["on_time_rate"].text == "60.00" and row["waiting_mean"].text == "672.00"
    assert (row["waiting_median"], row["waiting_p90"]) == (510, 1260)


def percentile(values, percent):
    values, rank = sorted(values), Fraction((len(values) - 1) * percent, 100)
    low = int(rank)
    return values[low] + (rank - low) * (values[min(low + 1, len(values) - 1)] - values[low])


def figures(api, by, key):
    return {r["month_code"]: r for r in api.get(f"/v1/service-figures?by={by}&from=2025-01&to=2025-12&key={key}").json["data"]}


def put_together(sql):
    """Nothing stands beside the kept figures any more. The daemon does the same meanwhile, and one of the two finds the other at it."""
    while sql("SELECT service_refresh(60000)") and sql("SELECT EXISTS (SELECT FROM service_change)") == [(True,)]:
        pass


def recounted(sql, column, key, first):
    rows = sql(f"""SELECT waiting_s, service_s, turnaround_s, is_on_time, state FROM ticket t JOIN service s ON s.id = t.service_id
                   JOIN service_unit p ON p.id = s.service_unit_id WHERE {column} = %s AND to_char(day, 'YYYY-MM') = %s""", (key, first))
    told = {"taken": len(rows), "finished": sum(r[4] == "finished" for r in rows), "promised": sum(r[3] is not None for r in rows), "on_time": sum(bool(r[3]) for r in rows)}
    for place, name in enumerate(("waiting", "service", "turnaround")):
        values = [r[place] for r in rows if r[place] is not None]
        told |= {f"{name}_n": len(values), f"{name}_median": percentile(values, 50) if values else None, f"{name}_p90": percentile(values, 90) if values else None}
    return told


def same(row, told):
    for name, value in told.items():
        given = row[name]
        given = Fraction(given.text if hasattr(given, "text") else str(given)) if given is not None else None
        assert given == value, (name, row[name], value)


def test_figures_are_those_of_the_tickets_whatever_was_put_together_before(api, office, sql):
    """Changed, put together by the chore, and changed again, while what is read is always what a recount gives."""
    dice = random.Random(7)
    unit = make.unit(api, office["id"])
    counter = make.service_unit(api, unit["id"])
    services = [make.service(api, counter["id"], promise_minutes=20), make.service(api, counter["id"], promise_days=1)]
    officers = [make.person(api, office["id"]) for _ in range(2)]

    def row(number):
        start = dice.randrange(400)
        times = [start, start + dice.randrange(30), start + 40, start + 40 + dice.randrange(3000)]
        day = f"2025-{dice.randrange(1, 13):02d}-{dice.randrange(1, 28):02d}"
        return (services[dice.randrange(2)]["code"], str(number), *[moment(t, day) for t in times], officers[dice.randrange(2)]["nip"], "completed")

    rows = {n: row(n) for n in range(240)}
    send(api, file_of(rows.values()))

    def check():
        for by, column, key in [("service", "t.service_id", s["id"]) for s in services] + [("unit", "p.unit_id", unit["id"])] + \
                [("officer", "t.officer_id", o["id"]) for o in officers]:
            told = figures(api, by, key)
            months = {m for m, in sql(f"""SELECT DISTINCT to_char(day, 'YYYY-MM') FROM ticket t JOIN service s ON s.id = t.service_id
                                          JOIN service_unit p ON p.id = s.service_unit_id WHERE {column} = %s""", (key,))}
            assert set(told) == months
            for month in months:
                same(told[month], recounted(sql, column, key, month))

    check()
    put_together(sql)
    check()
    for number in dice.sample(sorted(rows), 40):
        old = rows[number]
        rows[number] = (*old[:5], moment(3500, old[2][:10]), officers[dice.randrange(2)]["nip"], "completed")
    assert counts(send(api, file_of(rows.values())))[:3] == (240, 0, 40)
    check()
    put_together(sql)
    check()


def test_a_ticket_that_is_committed_while_figures_are_put_together_is_not_lost(api, counter, database, sql):
    from support import postgres  # pylint: disable=import-outside-toplevel
    service = make.service(api, counter["id"])
    rows = [(service["code"], "1", moment(0), moment(1), moment(2), moment(3), "", "completed")]
    send(api, file_of(rows))
    put_together(sql)
    with postgres.connected(database) as other, other.cursor() as cursor:
        cursor.execute("BEGIN")
        cursor.execute("INSERT INTO ticket (id, service_id, number, taken_at) VALUES (uuid_v7(), %s, '2', '2025-03-03 09:00+08')", (service["id"],))
        send(api, file_of([(service["code"], "3", moment(0), moment(1), moment(2), moment(3), "", "completed")]))
        put_together(sql)
        assert figures(api, "service", service["id"])["2025-03"]["taken"] == 2
        cursor.execute("COMMIT")
    assert figures(api, "service", service["id"])["2025-03"]["taken"] == 3
    put_together(sql)
    assert figures(api, "service", service["id"])["2025-03"]["taken"] == 3


# ── import ──

def test_the_same_file_again_changes_nothing_and_more_is_added(api, counter, officer):
    service = make.service(api, counter["id"])
    rows = [(service["code"], f"A{n}", moment(n), moment(n + 5), "", "", "", "") for n in range(20)]
    assert counts(send(api, file_of(rows))) == (20, 20, 0, 0, 0)
    assert counts(send(api, file_of(rows))) == (20, 0, 0, 20, 0)
    ended = [(service["code"], f"A{n}", moment(n), moment(n + 5), moment(n + 6), moment(n + 9), officer, "completed") for n in range(20)]
    assert counts(send(api, file_of(ended), Prefer="dry-run")) == (20, 0, 20, 0, 0)
    assert counts(send(api, file_of(ended))) == (20, 0, 20, 0, 0)
    row = api.get(f"/v1/tickets?service_id={service['id']}&limit=1").json["data"][0]
    assert (row["state"], row["nip"], row["day"], row["waiting_s"], row["turnaround_s"]) == ("finished", officer, "2025-03-03", 300, 540)


FAULTS = [
    ("NOT-THERE,1,2025-03-03 08:00,,,,,", "service_code", "service-unknown"), ("{code},,2025-03-03 08:00,,,,,", "number", "missing"),
    ("{code},1,3 Maret,,,,,", "taken_at", "moment-form"), ("{code},1,2025-02-29 08:00,,,,,", "taken_at", "moment-form"),
    ("{code},1,2025-03-03 08:00,2025-03-03 07:59,,,,", "taken_at", "time-order"), ("{code},1,2099-03-03 08:00,,,,,", "taken_at", "in-future"),
    ("{code},1,2025-03-03 08:00,,,,199912312022031998,", "nip", "officer-unknown"), ("{code},1,2025-03-03 08:00,,,,,completed", "state", "state-times"),
    ("{code},1,2025-03-03 08:00,,,,,entah", "result", "result-unknown")]


@pytest.mark.parametrize("row, column, code", FAULTS)
def test_what_is_wrong_with_a_row_is_named(row, column, code, api, counter, sql):
    service = make.service(api, counter["id"])
    before = sql("SELECT count(*) FROM ticket")
    report = send(api, ("service_code,number,taken_at,called_at,started_at,finished_at,nip,result\n" + row.format(code=service["code"]) + "\n").encode())
    assert counts(report) == (1, 0, 0, 0, 1), report
    assert [(f["column"], f["code"]) for f in report["faults"]] == [(column, code)]
    assert sql("SELECT count(*) FROM ticket") == before


def test_moments_are_of_the_clock_here_unless_they_say_otherwise(api, counter):
    service = make.service(api, counter["id"])
    send(api, f"layanan;nomor;diambil\n{service['code']};1;2025-03-03 00:30\n{service['code']};2;2025-03-03T00:30:00Z\n{service['code']};3;2025-03-02T23:59:59+08:00\n".encode())
    rows = {r["number"]: (r["day"], datetime.fromisoformat(r["taken_at"]).astimezone(WITA).isoformat()) for r in api.get(f"/v1/tickets?service_id={service['id']}").json["data"]}
    assert rows == {"1": ("2025-03-03", "2025-03-03T00:30:00+08:00"), "2": ("2025-03-03", "2025-03-03T08:30:00+08:00"), "3": ("2025-03-02", "2025-03-02T23:59:59+08:00")}


def test_a_merged_officer_keeps_his_tickets(api, office, counter, sql):
    service = make.service(api, counter["id"])
    old, new = make.person(api, office["id"]), make.person(api, office["id"])
    send(api, file_of([(service["code"], "1", moment(0), moment(1), moment(2), moment(3), old["nip"], "completed")]))
    survey = make.survey(api, counter["id"])
    sql("""INSERT INTO survey_answer (survey_id, officer_id, answered_on, channel, answers) VALUES (%s, %s, '2025-03-03', 'ticket', '{"U7": 4}')""",
        (survey["id"], old["id"]))
    put_together(sql)
    rated = lambda: sql("""SELECT officer_id::text FROM officer_tally t WHERE officer_id IN (%s, %s) AND element = 'n' GROUP BY 1 HAVING sum(n) = 1
                           INTERSECT SELECT officer_id::text FROM survey_answer WHERE survey_id = %s""", (old["id"], new["id"], survey["id"]))  # noqa: E731
    api.post(f"/v1/asn/{old['nip']}/merge", {"into": new["nip"], "reason": "Terdaftar dua kali"})
    assert figures(api, "officer", new["id"])["2025-03"]["finished"] == 1
    assert figures(api, "officer", old["id"]) == {} and rated() == [(new["id"],)]
    api.post(f"/v1/asn/{old['nip']}/unmerge", {"reason": "Bukan orang yang sama"})
    assert figures(api, "officer", old["id"])["2025-03"]["finished"] == 1 and rated() == [(old["id"],)]


# ── what an officer's own tickets say ──

def test_an_officer_has_ratings_when_thirty_have_rated(api, anonymous, office):
    counter = make.service_unit(api, make.unit(api, office["id"])["id"])
    service, officer = make.service(api, counter["id"], promise_minutes=60), make.person(api, office["id"])["nip"]
    make.survey(api, counter["id"])
    month = datetime.now(WITA).strftime("%Y-%m")
    told = lambda: api.get(f"/v1/asn/{officer}/service?from={month}&to={month}").json  # noqa: E731
    for n in range(30):
        assert told()["elements"] == [] and told()["is_suppressed"]
        ticket = make.ticket(api, service["id"])
        for what, body in (("call", {}), ("start", {"nip": officer}), ("finish", {"result": "completed"})):
            token = act(api, ticket, what, body).json["answer_token"]
        anonymous.post(f"/v1/public/tickets/{token}/survey", {**make.form(), "answers": {"U6": 4, "U7": 3 + n % 2, "U1": 1}}, expect=200)
    row = told()
    assert (row["finished"], row["on_time"], row["rated"], row["is_suppressed"]) == (30, 30, 30, False)
    assert [(e["code"], e["n"], e["mean"]) for e in row["elements"]] == [("U6", 30, 4), ("U7", 30, 3.5)]
    assert row["on_time_rate"].text == "100.00"
    earlier = api.get(f"/v1/asn/{officer}/service?from=2020-01&to=2020-12").json
    assert (earlier["finished"], earlier["rated"], earlier["on_time_rate"]) == (0, 0, None)
