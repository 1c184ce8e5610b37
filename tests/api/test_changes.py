# SPDX-License-Identifier: Apache-2.0
"""The feed of changes as a client meets it: what it tells, to whom, how it waits, and what it has forgotten."""
import time

import pytest
import requests

from support import client as clients, daemon as daemons, make

NDJSON = {"Accept": "application/x-ndjson"}
LISTS = ["/v1/units", "/v1/asn", "/v1/programmes", "/v1/sessions", "/v1/enrolments", "/v1/periods", "/v1/evaluations", "/v1/partners", "/v1/agreements",
         "/v1/activities", "/v1/budget-lines", "/v1/service-units", "/v1/services", "/v1/surveys", "/v1/complaints", "/v1/handovers"]


def position(client, path="/v1/units"):
    """A token from which the feed tells what comes from now on."""
    return client.get(path, headers=NDJSON).headers["Changes-After"]


def read(client, after, query="", limit=1000):
    """All changes after a token, and the next token."""
    found = []
    while True:
        page = client.get(f"/v1/changes?limit={limit}&after={after}{query}").json
        found += page["changes"]
        after = page["next"]
        if not page["more"]:
            return found, after


def told(changes):
    return [(c["entity"], c["kind"], c["key"]) for c in changes]


def test_what_is_made_changed_and_annulled_is_told_once_in_order(api):
    after = position(api)
    unit = make.unit(api)
    person = make.person(api, unit["id"], rank="III/a", rank_since="2020-04-01")
    api.patch(f"/v1/asn/{person['nip']}", {"name": "Nama Baru"}, etag=make.tag(api, f"/v1/asn/{person['nip']}"))
    rank = make.history(api, person["nip"], "rank", {"rank": "III/b"}, "2024-04-01")
    path = f"/v1/asn/{person['nip']}/history/{rank['id']}"
    changes, after = read(api, after)
    assert told(changes)[:3] == [("unit", "created", unit["code"]), ("asn", "created", person["nip"]), ("asn", "updated", person["nip"])]
    assert ("history", "created", person["nip"]) in told(changes)[3:] and ("asn", "updated", person["nip"]) in told(changes)[3:]
    for change in changes:
        assert api.get(change["href"]).json["id"] == change["id"]
    api.post(f"{path}/annul", {"reason": "salah orang"}, headers={"If-Match": make.tag(api, path)})
    changes, after = read(api, after)
    assert ("history", "deleted", person["nip"]) in told(changes)
    assert [c["part"] for c in changes if c["entity"] == "history" and c["kind"] == "deleted"] == ["rank"]
    assert read(api, after) == ([], after)


def test_training_and_performance_are_told(api, office):
    person = make.person(api, office["id"])
    after = position(api)
    session = make.session(api)
    enrolment = make.enrol(api, session["id"], person["nip"])
    evaluation = make.evaluation(api, person["nip"], make.period(api)["id"])
    make.indicator(api, evaluation["id"])
    changes, _ = read(api, after)
    found = told(changes)
    for wanted in (("programme", "created"), ("session", "created"), ("session", "updated"), ("enrolment", "created"), ("period", "created"),
                   ("evaluation", "created"), ("evaluation", "updated")):
        assert wanted in [f[:2] for f in found], wanted
    assert {c["id"] for c in changes} >= {session["id"], enrolment["id"], evaluation["id"]}
    assert all(api.get(c["href"]).json["id"] == c["id"] for c in changes)
    assert {c["entity"] for c in read(api, after, "&entity=session,period")[0]} == {"session", "period"}


def test_partners_and_money_are_told(api):
    after = position(api)
    partner = make.partner(api)
    agreement = make.agreement(api, partner["id"])
    activity = make.activity(api, partner["id"], agreement_id=agreement["id"])
    line = make.budget_line(api, make.programme(api)["id"])
    changes, after = read(api, after)
    assert {(c["entity"], c["kind"], c["id"]) for c in changes} >= {("partner", "created", partner["id"]), ("agreement", "created", agreement["id"]),
                                                                   ("activity", "created", activity["id"]), ("budget_line", "created", line["id"])}
    assert all(api.get(c["href"]).json["id"] == c["id"] for c in changes)
    # What is a part of them tells them.
    outsider = make.participant(api, activity["id"])
    make.output(api, activity["id"])
    make.expense(api, line["id"])
    api("DELETE", f"/v1/activities/{activity['id']}/participants/{outsider['id']}", headers={"If-Match": "*"}, expect=204)
    api.patch(f"/v1/partners/{partner['id']}", {"name": f"Mitra Baru {partner['id']}"}, etag="*")
    changes, _ = read(api, after)
    assert [(c["entity"], c["kind"]) for c in changes if c["entity"] == "activity"] == [("activity", "updated")] * 3
    assert {("budget_line", "updated", line["id"]), ("partner", "updated", partner["id"])} <= {(c["entity"], c["kind"], c["id"]) for c in changes}
    assert all(c["key"] is None for c in changes), "no name of anybody"


def test_service_is_told_to_its_units_and_tickets_and_answers_are_not(api, keys):
    mine, other = make.unit(api, kind="dinas"), make.unit(api, kind="dinas")
    scopes = ("change.read", "service.read", "survey.read", "complaint.read")
    here, there = (api.as_key(keys(*scopes, units=(u["code"],))) for u in (mine, other))
    start = position(api)
    counter = make.service_unit(api, mine["id"])
    service = make.service(api, counter["id"])
    survey = make.survey(api, counter["id"], is_open_link=True)
    complaint = make.complaint(api, counter["id"], reference=f"LAPOR-{make.number()}")
    changes, after = read(here, start)
    assert [(c["entity"], c["kind"], c["key"]) for c in changes] == [("service_unit", "created", None), ("service", "created", service["code"]),
                                                                    ("survey", "created", survey["code"]), ("survey", "updated", survey["code"]), ("complaint", "created", None)]
    assert all(api.get(c["href"]).json["id"] == c["id"] for c in changes)
    assert read(there, start)[0] == []
    make.ticket(api, service["id"])
    api.post(f"/v1/public/surveys/{survey['answer_token']}/survey", make.form(), expect=200)
    assert read(here, after)[0] == []
    api.post(f"/v1/complaints/{complaint['id']}/advance", {"state": "verified", "weight": "normative"})
    api.post(f"/v1/surveys/{survey['id']}/follow-ups", {"element": "U3", "action": "Menambah loket"}, expect=201)
    assert told(read(here, after)[0]) == [("complaint", "updated", None), ("survey", "updated", survey["code"])]
    # A unit that goes elsewhere takes its service along.
    after = position(api)
    api.patch(f"/v1/units/{mine['id']}", {"parent_id": other["id"]}, etag="*")
    assert ("service_unit", "created") in [(c["entity"], c["kind"]) for c in read(there, after)[0]]


def test_what_is_handed_over_is_told_with_both_scopes(api, keys, office):
    person = make.person(api, office["id"])["nip"]
    make.siasn(api, person)
    after = position(api)
    handed = make.handover(api, person)
    both = api.as_key(keys("change.read", "performance.read", "training.read"))
    one = api.as_key(keys("change.read", "training.read"))
    changes = [c for c in read(both, after)[0] if c["entity"] == "handover"]
    assert [(c["kind"], c["id"], c["key"], c["href"]) for c in changes] == [("created", handed["id"], person, f"/v1/handovers/{handed['id']}")]
    assert "handover" not in {c["entity"] for c in read(one, after)[0]}


def test_what_was_rolled_back_is_not_told(api, office):
    after = position(api)
    api.post("/v1/asn", {"nip": make.nip(), "kind": "PNS", "name": "Hanya Coba", "unit_id": office["id"]}, expect=201, headers={"Prefer": "dry-run"})
    assert read(api, after)[0] == []


@pytest.mark.parametrize("limit", [1, 2, 7])
def test_pages_add_up(limit, api, office):
    after = position(api)
    for _ in range(5):
        make.person(api, office["id"])
    rows = "".join(f"{make.nip()},PNS,Baris Impor,{office['code']}\n" for _ in range(9))
    api("POST", "/v1/asn/import", data=("nip,kind,name,unit_code\n" + rows).encode(), headers={"Content-Type": "text/csv"}, expect=200)
    whole, end = read(api, after)
    assert len(whole) == 14
    parts, last = read(api, after, limit=limit)
    assert parts == whole
    assert read(api, last)[0] == read(api, end)[0] == []


# ── whose units ──

def test_what_enters_and_leaves_the_callers_units(api, keys):
    top = make.unit(api)
    mine, other = make.unit(api, top["id"]), make.unit(api, top["id"])
    below = make.unit(api, mine["id"])
    here = api.as_key(keys("change.read", "asn.read", "unit.read", units=[mine["code"]]))
    stranger = make.person(api, other["id"])
    own = make.person(api, below["id"])
    after = position(here)

    def move(nip, unit):
        return api.patch(f"/v1/asn/{nip}", {"unit_id": unit}, etag=make.tag(api, f"/v1/asn/{nip}"))

    def seen():
        nonlocal after
        changes, after = read(here, after)
        return [c for c in told(changes) if c[0] != "history"]

    api.patch(f"/v1/asn/{stranger['nip']}", {"name": "Orang Lain"}, etag=make.tag(api, f"/v1/asn/{stranger['nip']}"))
    assert seen() == []
    move(stranger["nip"], mine["id"])
    assert seen() == [("asn", "created", stranger["nip"])]
    move(stranger["nip"], below["id"])
    assert seen() == [("asn", "updated", stranger["nip"])]
    move(stranger["nip"], other["id"])
    assert seen() == [("asn", "deleted", stranger["nip"])]
    # A whole subtree goes, and comes back: the people in it with it.
    path = f"/v1/units/{below['id']}"
    api.patch(path, {"parent_id": other["id"]}, etag=make.tag(api, path))
    assert sorted(seen()) == [("asn", "deleted", own["nip"]), ("unit", "deleted", below["code"])]
    api.patch(path, {"parent_id": mine["id"]}, etag=make.tag(api, path))
    assert sorted(seen()) == [("asn", "created", own["nip"]), ("unit", "created", below["code"])]
    # The caller's own subtree is moved as a whole: nothing comes or goes.
    api.patch(f"/v1/units/{mine['id']}", {"parent_id": other["id"]}, etag=make.tag(api, f"/v1/units/{mine['id']}"))
    assert [c for c in seen() if c[:2] != ("unit", "updated")] == []
    api.patch(path, {"name": "Nama Lain"}, etag=make.tag(api, path))
    assert seen() == [("unit", "updated", below["code"])]


def test_scopes_say_of_what_a_caller_is_told(api, keys, office):
    after = position(api)
    person = make.person(api, office["id"])
    api.post(f"/v1/asn/{person['nip']}/history", {"kind": "discipline", "from": "2024-01-01", "facts": {"level": "ringan"}}, expect=201)
    make.unit(api, office["id"])
    make.period(api)
    seen = {}
    for scopes in ((), ("unit.read",), ("asn.read",), ("asn.read", "asn.discipline"), ("performance.read",)):
        changes, _ = read(api.as_key(keys("change.read", *scopes)), after)
        seen[scopes] = [(c["entity"], c["part"]) for c in changes]
    assert seen[()] == []
    assert seen[("unit.read",)] == [("unit", None)]
    assert ("history", "discipline") not in seen[("asn.read",)] and ("asn", None) in seen[("asn.read",)]
    assert ("history", "discipline") in seen[("asn.read", "asn.discipline")]
    assert seen[("performance.read",)] == [("period", None)]


# ── tokens ──

def test_a_token_that_was_changed_is_refused(api):
    token = position(api)
    for place in (0, len(token) // 2, len(token) - 2):
        broken = token[:place] + ("A" if token[place] != "A" else "B") + token[place + 1:]
        reply = api.get(f"/v1/changes?after={broken}", expect=400)
        assert (reply.code, reply.faults) == ("cursor-invalid", {"after": "cursor-invalid"})
    page = api.get("/v1/units?limit=1").json["page"]["next"]
    assert api.get(f"/v1/changes?after={page}", expect=400).code == "cursor-invalid"


@pytest.mark.parametrize("path", LISTS)
def test_exports_say_where_the_feed_goes_on(path, api, world):
    for form in ("text/csv", "application/x-ndjson"):
        assert read(api, api.get(path, headers={"Accept": form}).headers["Changes-After"])[0] == []
    assert "Changes-After" not in api.get(path).headers
    empty = {"/v1/units": "?q=xyzzyx", "/v1/asn": "?q=xyzzyx"}.get(path)
    if empty:
        assert read(api, api.get(path + empty, headers=NDJSON).headers["Changes-After"])[0] == []


def test_what_is_forgotten_is_410_and_says_what_to_do(api, sql, office):
    before = position(api)
    make.person(api, office["id"])
    after = position(api)
    make.person(api, office["id"])
    sql("UPDATE change_batch SET at = at - interval '100 days' WHERE position < (SELECT max(position) FROM change_batch)")
    assert sql("SELECT change_forget(90) = max(position) - 1 FROM change_batch")[0][0]
    reply = api.get(f"/v1/changes?after={before}", expect=410)
    assert reply.code == "changes-forgotten" and "Changes-After" in reply.json["detail"]
    assert len(read(api, after)[0]) == 1, "what is kept is told to who stands behind the horizon"
    assert len(api.get("/v1/changes").json["changes"]) == 1
    assert sql("SELECT count(*) FROM change c WHERE NOT EXISTS (SELECT FROM change_batch b WHERE b.id = c.batch)") == [(0,)]


def test_a_token_from_before_a_restored_backup_is_410(api, sql, office):
    make.person(api, office["id"])
    token = position(api)
    last = sql("SELECT last_value FROM change_position")[0][0]
    sql("SELECT setval('change_position', %s)", (last - 1,))
    try:
        assert api.get(f"/v1/changes?after={token}", expect=410).code == "changes-forgotten"
    finally:
        sql("SELECT setval('change_position', %s)", (last,))


# ── waiting ──

def test_an_empty_page_waits_for_a_change(api, office):
    after = position(api)
    began = time.monotonic()
    waiting = daemons.StreamReader(lambda: (api.as_key(api.key).get(f"/v1/changes?after={after}&wait=30").json, time.monotonic()))
    time.sleep(1)  # not to order anything: so that it has waited
    assert waiting.is_alive()
    written = time.monotonic()
    person = make.person(api, office["id"])
    page, ended = waiting.get()
    assert told(page["changes"]) == [("asn", "created", person["nip"])]
    assert ended - written < 2 and written - began >= 1


def test_what_is_not_the_callers_does_not_end_the_waiting(api, keys, office):
    other = make.unit(api)
    here = api.as_key(keys("change.read", "asn.read", units=[other["code"]]))
    after = position(api)
    waiting = daemons.StreamReader(lambda: here.get(f"/v1/changes?after={after}&wait=30").json)
    for _ in range(3):
        make.person(api, office["id"])
    person = make.person(api, other["id"])
    assert told(waiting.get()["changes"]) == [("asn", "created", person["nip"])]


def test_time_is_up_with_an_empty_page(api):
    after = position(api)
    began = time.monotonic()
    page = api.get(f"/v1/changes?after={after}&wait=1").json
    assert page["changes"] == [] and not page["more"]
    assert 0.9 < time.monotonic() - began < 3
    assert api.get("/v1/changes?wait=61", expect=400).faults == {"wait": api.get("/v1/changes?wait=61", expect=400).faults["wait"]}


def test_many_wait_without_holding_anything_up(api, sql):
    after = position(api)
    waiting = [daemons.StreamReader(lambda: api.as_key(api.key).get(f"/v1/changes?after={after}&wait=20").json) for _ in range(40)]
    busy = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'asnd%' AND state <> 'idle'"
    end = time.monotonic() + 10
    while sum(sql(busy)[0][0] == 0 for _ in range(30)) <= 15:  # until all have come
        assert time.monotonic() < end, "waiting keeps connections busy"
    began = time.monotonic()
    unit = make.unit(api)
    assert time.monotonic() - began < 2
    for w in waiting:
        assert told(w.get()["changes"]) == [("unit", "created", unit["code"])]


def test_a_key_that_is_revoked_while_it_waits_is_told_nothing(api, daemon, sql, office):
    key = daemon.create_key(name="revoked", scopes=["change.read", "asn.read"])
    here = api.as_key(key)
    after = position(api)
    waiting = daemons.StreamReader(lambda: here("GET", f"/v1/changes?after={after}&wait=30"))
    time.sleep(0.5)
    assert waiting.is_alive()
    sql("UPDATE api_key SET revoked_at = now() WHERE name = 'revoked'")
    make.person(api, office["id"])
    assert waiting.get().code == "unauthenticated"


def test_a_stop_ends_the_waiting_at_once(database):
    own = daemons.Daemon(database, name="test_changes_stop")
    key = own.create_key(name="stop", scopes=["admin"])
    client = clients.Client(own.url, key)
    after = position(client)
    waiting = daemons.StreamReader(lambda: clients.Client(own.url, key).get(f"/v1/changes?after={after}&wait=60").json)
    time.sleep(0.5)
    assert waiting.is_alive()
    began = time.monotonic()
    own.stop()
    assert waiting.get()["changes"] == []
    assert time.monotonic() - began < 5


def test_whoever_leaves_while_waiting_is_let_go(api, daemon, sql):
    after = position(api)
    with pytest.raises(requests.exceptions.ReadTimeout):
        requests.get(f"{daemon.url}/v1/changes?after={after}&wait=60", headers={"Authorization": f"Bearer {api.key}"}, timeout=0.3)
    end = time.monotonic() + 10
    while '"operation":"listChanges","status":200' not in (daemon.log_text().splitlines() or [""])[-1] and time.monotonic() < end:
        time.sleep(0.05)
    assert time.monotonic() < end


# ── the simple one ──

def test_updated_since_leaves_only_what_was_changed(api, office):
    old = make.person(api, office["id"])
    moment = api.get(f"/v1/asn/{make.person(api, office['id'])['nip']}").json["updated_at"]
    new = make.person(api, office["id"])
    nips = [r["nip"] for r in api.get(f"/v1/asn?unit_id={office['id']}&updated_since={moment.replace('+', '%2B')}&limit=1000").json["data"]]
    assert new["nip"] in nips and old["nip"] not in nips
    unit = make.unit(api, office["id"])
    codes = [r["code"] for r in api.get(f"/v1/units?updated_since={unit['updated_at'].replace('+', '%2B')}&limit=1000").json["data"]]
    assert unit["code"] in codes and office["code"] not in codes


def test_a_key_that_is_narrowed_while_it_waits_is_told_what_it_sees_by_then(api, office):
    """The daemon may remember the units of before for key_cache_ms; a read that waits remembers them for a minute."""
    other = make.unit(api)
    made = make.key(api, scopes=["change.read", "asn.read", "unit.read"], unit_ids=[office["id"]])
    here = api.as_key(daemons.planted(made["secret"]))
    after = position(api)
    waiting = daemons.StreamReader(lambda: here.get(f"/v1/changes?after={after}&wait=30").json)
    time.sleep(0.5)  # not to order anything: so that it has waited
    assert waiting.is_alive()
    api.patch(f"/v1/keys/{made['id']}", {"unit_ids": [other["id"]], "scopes": ["change.read", "asn.read"]}, etag="*")
    make.person(api, office["id"])
    person = make.person(api, other["id"])
    page = waiting.get()
    assert (page["changes"], page["more"]) == ([], False)
    end = time.monotonic() + 10
    while not page["changes"]:  # until the daemon has looked the key up again
        assert time.monotonic() < end
        page = here.get(f"/v1/changes?after={page['next']}").json
    assert told(page["changes"]) == [("asn", "created", person["nip"])], "nothing was passed over"


def test_a_key_that_may_not_read_it_any_more_ends_its_waiting(api, office):
    made = make.key(api, scopes=["change.read", "asn.read"])
    here = api.as_key(daemons.planted(made["secret"]))
    after = position(api)
    waiting = daemons.StreamReader(lambda: here("GET", f"/v1/changes?after={after}&wait=30"))
    time.sleep(0.5)  # as above
    assert waiting.is_alive()
    api.patch(f"/v1/keys/{made['id']}", {"scopes": ["asn.read"]}, etag="*")
    make.person(api, office["id"])
    reply = waiting.get()
    assert (reply.status, reply.code) == (403, "forbidden")


def test_a_secret_complaint_is_told_to_who_may_read_it(api, keys):
    office = make.unit(api, kind="dinas")
    counter = make.service_unit(api, office["id"])
    open_, secret = (api.as_key(keys(*scopes)) for scopes in (("change.read", "complaint.read"), ("change.read", "complaint.read", "complaint.secret")))
    after = position(api)
    known = make.complaint(api, counter["id"], reference=f"LAPOR-{make.number()}")
    hidden = make.complaint(api, counter["id"], reference=f"LAPOR-{make.number()}", is_secret=True)
    api.post(f"/v1/complaints/{hidden['id']}/advance", {"state": "verified", "weight": "normative"})
    open_.get(f"/v1/complaints/{hidden['id']}", expect=404)
    assert [(c["id"], c["kind"]) for c in read(open_, after)[0]] == [(known["id"], "created")]
    assert [(c["id"], c["kind"]) for c in read(secret, after)[0]] == [(known["id"], "created"), (hidden["id"], "created"), (hidden["id"], "updated")]
