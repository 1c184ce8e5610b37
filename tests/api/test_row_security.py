# SPDX-License-Identifier: Apache-2.0
"""Callers are held to their units twice: by each statement, and by PostgreSQL's row security. Here the first is taken away (a build for debugging lets it be), and
the second must stand for every operation; and where the first stands, the second must change no reply."""
import json
import re
import uuid
from contextlib import contextmanager

import pytest

from support import client as clients
from support import contract as contracts
from support import daemon as daemons
from support import make, postgres
from test_matrix import NOBODY, required_query, sample_body, send

CONTRACT = contracts.load()
OPERATIONS = [o for o in CONTRACT.operations.values() if o.scopes is not None]
READS = [o for o in OPERATIONS if o.method == "get"]
WRITES = [o for o in OPERATIONS if o.is_write]
# Whose replies tell something else each time that they are asked.
RESTLESS = {"listAuditEntries", "listAuditChain", "listAuditSeals", "getLatestAuditSeal", "listOwnReadings", "listChanges", "getCaller",
            "getPersonalData", "getPersonalDataPdf", "listProcessingTrail", "listExposure"}  # each reading is told by the next
FOREIGN = "Wargalain"


def named(operations):
    return pytest.mark.parametrize("operation", operations, ids=[o.id for o in operations])


@pytest.fixture(scope="module")
def ours(api):
    """An office that has nothing to do with the world's."""
    office = make.unit(api, kind="dinas", name="Dinas Sendiri")
    return {"office": office, "people": [make.person(api, office["id"]) for _ in range(2)]}


@pytest.fixture(scope="module")
def marked(world, ours, sql, database):
    """The world, with a name for all its people that nobody else has."""
    sql("UPDATE asn SET name = %s || ' ' || right(nip, 6) WHERE unit_id <> %s", (FOREIGN, ours["office"]["id"]))
    sql("UPDATE complaint SET text = %s || ' mengadu'", (FOREIGN,))
    sql("UPDATE complaint_step SET note = %s || ' mengadu'", (FOREIGN,))
    sql("INSERT INTO feedback (survey_id, text, received_on) SELECT s.id, %s || ' berkomentar', '2026-01-05' FROM survey s", (FOREIGN,))
    return world


@pytest.fixture(scope="module")
def foreign(sql, ours, marked):
    """What a reply would give a person of another office away by."""
    tickets = {v for v, in sql("SELECT id::text FROM ticket")}
    return {v for row in sql("SELECT nip, id::text FROM asn WHERE unit_id <> %s", (ours["office"]["id"],)) for v in row} | tickets | {FOREIGN}


@contextmanager
def another(database, name, **settings):
    """With one connection for each sort of statement: on each of them a statement has to be planned anew, which takes longer than all the rest."""
    running = daemons.Daemon(database, name=name, loops=1, loop_connections=1, loop_write_connections=1, workers=1, **settings)
    yield running
    running.stop()


@pytest.fixture(scope="module")
def unscoped(database):
    """A daemon whose statements are told that every caller sees everything."""
    with another(database, "test_row_security_unscoped", row_security="require", test_no_scope=1) as running:
        yield running


@pytest.fixture(scope="module")
def unheld(database):
    """The same without row security: what would be seen then."""
    with another(database, "test_row_security_unheld", row_security="off", test_no_scope=1) as running:
        yield running


@pytest.fixture(scope="module")
def first_alone(database):
    """A daemon as it was without row security."""
    with another(database, "test_row_security_first", row_security="off") as running:
        yield running


@pytest.fixture(scope="module")
def secret(keys, ours):
    return keys("admin", units=(ours["office"]["code"],))


def path_of(operation, world):
    """Of what is there where the world has it, else of what nothing has."""
    unknown = {p["name"]: str(uuid.UUID("0190ffff-ffff-7fff-bfff-ffffffffffff")) for p in operation.where("path")}
    return operation.fill({**unknown, **NOBODY, **world}) + required_query(operation)


def forms(operation):
    return [t for t in operation.success_types() if t in ("application/json", "text/csv", "application/x-ndjson")] or [None]


def told(reply, foreign):
    """Who of another office stands in a reply, but for what the caller said himself."""
    return sorted(m for m in foreign if m in reply.text)


def client_of(daemon, api, secret):
    return clients.Client(daemon.url, secret, api.language, **api.headers)


def ask(client, operation, path, form):
    return client.get(path, expect=None, headers={"Accept": form} if form else None, checked=False)


@named(READS)
def test_without_the_statements_word_nobody_elses_rows_are_read(operation, unscoped, api, secret, marked, foreign):
    client = client_of(unscoped, api, secret)
    path = path_of(operation, marked)
    allowed = {v for v in foreign if v in path}
    for form in forms(operation):
        reply = ask(client, operation, path, form)
        assert reply.status < 500, reply
        if reply.status < 400:
            assert not [v for v in told(reply, foreign) if v not in allowed], f"{path}: {reply}"


def test_it_is_row_security_that_stands_there(unscoped, unheld, api, secret, marked, foreign):
    """Without it the same requests give people away, so the test above looks where there is something to see. (The feed asks the key itself, too: with other units than the key has it reads nothing.)"""
    without = client_of(unheld, api, secret)
    open_ = set()
    for operation in READS:
        path = path_of(operation, marked)
        seen = [v for v in told(ask(without, operation, path, None), foreign) if v not in path]
        if seen:
            open_.add(operation.id)
    assert {"getAsn", "listAsn", "listEnrolments", "listEvaluations", "getEvaluation", "listSkps", "listTickets", "listComplaints", "getComplaint", "listComplaintSteps"} - open_ == set()
    assert len(open_) >= 40, sorted(open_)


@pytest.mark.parametrize("operation", ["getTicket", "getTicketQr", "getComplaint"])
def test_the_service_to_citizens_is_held_too(operation, unscoped, unheld, api, secret, marked):
    """Its rows name no person by whom a reply could be told apart: what is not there is 404."""
    path = path_of(CONTRACT.operations[operation], marked)
    assert client_of(unheld, api, secret).get(path, expect=None, checked=False).status in (200, 409), "there, although a code may lead nowhere"
    assert client_of(unscoped, api, secret).get(path, expect=None, checked=False).status == 404


def test_the_audit_is_held_too(unscoped, unheld, api, secret, marked, sql):
    """Entries about others, those of lists and those about nobody are read by no statement of a bound caller, unless it is about one person whom he sees."""
    path = "/v1/audit/entries?from=2020-01-01T00:00:00Z&limit=1000"
    assert {e["nip"] for e in client_of(unheld, api, secret).get(path, checked=False).json["data"]} > {None, marked["nip"]}
    told = {e["nip"] for e in client_of(unscoped, api, secret).get(path, checked=False).json["data"]}
    assert told and None not in told and marked["nip"] not in told
    assert client_of(unscoped, api, secret).get(f"/v1/asn/{marked['nip']}/readings", expect=None, checked=False).json.get("data", []) == []


@pytest.fixture(scope="module")
def digest(database, marked, sql):
    """Of all rows of the world's office in each table that has rules, as a bound caller of that office sees them."""
    path = sql("SELECT path::text FROM unit WHERE id = %s", (marked["unit_id"],))[0][0]
    tables = sql("SELECT relation, min(place) FILTER (WHERE none_shown) FROM row_rule WHERE relation <> 'audit_entry' GROUP BY relation ORDER BY relation")  # the audit is only added to, and each request here does

    def digest():
        with postgres.connected(database, autocommit=False) as connection, connection.cursor() as cursor:
            cursor.execute("SELECT set_config('asnd.units', %s, true), set_config('role', 'asnd_bound', true)", ("{" + path + "}",))
            found = {}
            for table, whose in tables:
                of_somebody = f"{whose} IS NOT NULL" if whose else "true"
                cursor.execute(f"SELECT count(*), md5(string_agg(t::text, '' ORDER BY t::text)) FROM {table} t WHERE {of_somebody}")
                found[table] = cursor.fetchone()
            return found
    return digest


def test_the_world_has_rows_to_be_changed(digest):
    empty = {table for table, (n, _) in digest().items() if n == 0}
    assert len(empty) < 20, sorted(empty)


def upsets(digest, before):
    after = digest()
    return sorted(table for table in after if after[table] != before[table])


@named(WRITES)
def test_without_the_statements_word_nobody_elses_rows_are_changed(operation, unscoped, api, secret, marked, foreign, digest):
    client = client_of(unscoped, api, secret)
    before = digest()
    path = path_of(operation, marked)
    reply = send(client, operation, path=path, **{"If-Match": "*"} if any(p["name"].lower() == "if-match" for p in operation.where("header")) else {})
    assert reply.status < 500, reply
    assert upsets(digest, before) == [], reply
    if reply.status < 400:
        body = (sample_body(operation)[1] or b"").decode()
        assert not [v for v in told(reply, foreign) if v not in path and v not in body], reply


def test_without_both_something_is_changed(unheld, api, secret, marked, digest):
    before = digest()
    client_of(unheld, api, secret).patch(f"/v1/asn/{marked['nip']}", {"birth_place": "Tempat Lain"}, etag="*")
    assert "asn" in upsets(digest, before)


def settled(reply):
    """A reply without what differs from one moment to the next."""
    return reply.status, re.sub(r'"(as_of|at|day|read_at|request_id|instance|next)":("[^"]*"|null)', "", reply.text)


@named([o for o in READS if o.id not in RESTLESS])
def test_where_statements_ask_it_changes_no_reply(operation, daemon, first_alone, api, keys, office, marked):
    """Asked by a key of the world's own office, which names people of others here and there."""
    mine = keys("admin", units=(office["code"],))
    path = path_of(operation, marked)
    for form in forms(operation):
        replies = [settled(ask(client_of(d, api, mine), operation, path, form)) for d in (daemon, first_alone)]
        assert replies[0] == replies[1], path


def test_it_must_hold_where_it_is_required(cluster, template, api):
    """A database that lost a policy is not served where row security is required, and with a warning elsewhere."""
    name = cluster.create(template=template)
    url = cluster.database_url(name)
    postgres.query(url, "ALTER TABLE history DISABLE ROW LEVEL SECURITY")
    said = daemons.run(url, "serve", check=False, ASND_ROW_SECURITY="require", ASND_PORT="0")
    assert said.returncode != 0 and "the table history has no policy" in said.stderr
    with another(url, "test_row_security_lost") as running:
        assert [line["reason"] for line in running.log_lines() if line["event"] == "row-security-off"] == ["the table history has no policy"]
    assert daemons.run(url, "serve", check=False, ASND_ROW_SECURITY="perhaps").returncode == 2
    cluster.drop(name)
