# SPDX-License-Identifier: Apache-2.0
"""The audit by itself: every table is in it or says why not, nothing of it can be changed, and sensitive values stand in no entry."""
import json
import re
from pathlib import Path

import psycopg2
import pytest

from support import contract as contracts
from support import postgres

CONTRACT = contracts.load().document


def entries(run, where="true"):
    return [json.loads(content) for content, in run(f"SELECT content FROM audit_entry WHERE {where} ORDER BY id")]


def test_every_table_is_audited_or_says_why_not(run):
    """Whoever adds a table ends the migration with SELECT audit_attach()."""
    bare = run("""SELECT c.relname FROM pg_class c
                  WHERE  c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT EXISTS (SELECT FROM audit_exempt x WHERE x.relation = c.relname)
                         AND 3 <> (SELECT count(*) FROM pg_trigger t WHERE t.tgrelid = c.oid AND t.tgname ~ '_90_audit_')""")
    assert bare == []
    assert run("SELECT relation FROM audit_exempt WHERE to_regclass(relation) IS NULL AND relation <> 'schema_migration'") == []


def test_the_trigger_functions_know_all_columns(run):
    """They are written out: after a change of a table's columns, or of audit_column, audit_attach() writes them again."""
    assert run("""SELECT p.proname FROM pg_proc p, LATERAL (SELECT to_regclass(substr(p.proname, 10)) AS me) t
                  WHERE  p.proname LIKE 'audit\\_of\\_%%' AND p.prosrc IS DISTINCT FROM audit_source(t.me)""") == []


def test_no_sensitive_member_of_the_contract_is_forgotten(run):
    """Each member with x-scope says whether it is sensitive; what is has a treatment, as a column of whatever table and as a member of whatever JSON."""
    hidden = {name for name, in run("SELECT name FROM audit_column WHERE relation = '*' AND treatment IN ('hash', 'hide')")}
    silent, bare = [], []

    def look(schema, path):
        if isinstance(schema, dict):
            for name, member in schema.get("properties", {}).items() if isinstance(schema.get("properties"), dict) else ():
                member = member if isinstance(member, dict) else {}
                silent.extend([f"{path}/{name}"] if "x-scope" in member and "x-sensitive" not in member else [])
                bare.extend([f"{path}/{name}"] if member.get("x-sensitive") and name not in hidden else [])
            for key, value in schema.items():
                look(value, f"{path}/{key}")
        elif isinstance(schema, list):
            for value in schema:
                look(value, path)
    look(CONTRACT["components"]["schemas"], "")
    assert (silent, bare) == ([], [])
    assert "nik" in hidden


@pytest.mark.parametrize("table", ["audit_entry", "audit_link", "audit_seal"])
@pytest.mark.parametrize("statement", ["UPDATE {} SET {} = {}", "DELETE FROM {0}", "TRUNCATE {0}"])
def test_not_even_a_superuser_changes_it_by_a_statement(table, statement, refused, run):
    column = {"audit_entry": "id", "audit_link": "seq", "audit_seal": "number"}[table]
    assert refused(statement.format(table, column, column)) == "audit_append_only"


@pytest.fixture
def owned(cluster):
    """A database whose owner is an ordinary role, as the daemon's is, with the schema made by that role."""
    name = cluster.create(label="owned")
    url = cluster.database_url(name)
    role = f"asnd_{name}"
    postgres.query(url, f"CREATE ROLE {role} LOGIN")
    postgres.query(url, f"ALTER DATABASE {name} OWNER TO {role}")
    postgres.query(url, f"GRANT ALL ON SCHEMA public TO {role}")
    for migration in sorted((Path(__file__).resolve().parents[2] / "migrations").glob("[0-9]*.sql")):
        with postgres.connected(url, autocommit=False) as connection, connection.cursor() as cursor:
            cursor.execute(f"SET SESSION AUTHORIZATION {role}")
            cursor.execute(migration.read_text(encoding="utf-8"))
            connection.commit()
    yield url, role
    cluster.drop(name)
    postgres.query(cluster.database_url("postgres"), f"DROP ROLE {role}")


def test_the_owner_may_not_change_it_by_privilege(owned):
    url, role = owned
    with postgres.connected(url) as connection, connection.cursor() as cursor:
        cursor.execute(f"SET SESSION AUTHORIZATION {role}")
        cursor.execute("INSERT INTO unit (id, code, name, kind) VALUES (gen_random_uuid(), 'U', 'Unit Uji', 'dinas')")
        cursor.execute("SELECT count(*) FROM audit_entry WHERE content::json ->> 'entity' = 'unit'")
        assert cursor.fetchone() == (1,)
        cursor.execute("SELECT audit_seal_block(10)")
        for table in ("audit_entry", "audit_link", "audit_seal"):
            for statement in (f"DELETE FROM {table}", f"TRUNCATE {table}", f"UPDATE {table} SET {'at = now()' if table != 'audit_link' else 'seal = 1'}"):
                with pytest.raises(psycopg2.errors.InsufficientPrivilege):
                    cursor.execute(statement)


def test_a_role_that_may_only_write_people_writes_entries_and_nothing_else(run, make, url):
    """The daemon needs no right on the audit: the trigger functions have their owner's."""
    unit = make.unit()
    run("DO $$ BEGIN IF to_regrole('plain_writer') IS NULL THEN CREATE ROLE plain_writer; END IF; END $$")
    run("GRANT SELECT, UPDATE ON ALL TABLES IN SCHEMA public TO plain_writer; GRANT INSERT ON change, change_batch TO plain_writer; GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO plain_writer")
    run("REVOKE ALL ON audit_entry, audit_link, audit_seal, instance_secret FROM plain_writer")
    with postgres.connected(url) as connection, connection.cursor() as cursor:
        cursor.execute("SET ROLE plain_writer")
        cursor.execute("UPDATE api_key SET name = name")
        for statement in ("INSERT INTO audit_entry VALUES (0, now(), NULL, 'x', 'x', NULL, '{}')", "SELECT * FROM audit_entry", "DELETE FROM audit_entry"):
            with pytest.raises(psycopg2.errors.InsufficientPrivilege):
                cursor.execute(statement)
        cursor.execute("UPDATE partner SET contact = contact")
    run("DROP OWNED BY plain_writer; DROP ROLE plain_writer")
    assert unit


def test_what_changed_and_only_that(run, make):
    person = make.person(make.unit(), nik="7602011501900001")
    run("UPDATE asn SET nik = '7602011501900002', birth_place = 'Majene' WHERE id = %s", person)
    run("UPDATE asn SET birth_place = birth_place WHERE id = %s", person)
    told = entries(run, f"asn_id = '{person}' AND content::json ->> 'entity' = 'asn'")
    assert [e["action"] for e in told][:2] == ["create", "update"]
    change = told[1]
    assert change["after"]["birth_place"] == "Majene" and "birth_place" not in change["before"] and "name" not in change["after"]
    assert re.fullmatch("#[0-9a-f]{32}", change["after"]["nik"]) and change["after"]["nik"] != change["before"]["nik"]
    assert told[0]["after"]["nik"] == change["before"]["nik"], "the same value is told the same way"
    assert "76020115019" not in json.dumps(told)
    assert all("birth_place" not in e.get("after", {}) for e in told[2:]), "nothing changed: nothing is told of it"
    assert change["actor"] == "db:postgres" and change["kind"] == "database", "whoever comes past the daemon is named too"


SCRUBBED = [('{"a": 1}', {"a": 1}), ('{"nik": null}', {"nik": None}), ('[]', []), ('{}', {}), ('"nik"', "nik")]


@pytest.mark.parametrize("value, told", SCRUBBED)
def test_json_without_anything_sensitive_stays(value, told, run):
    assert run("SELECT audit_scrub(%s::jsonb)", value) == [(told,)]


@pytest.mark.parametrize("value", ['{"nik": "7602011501900001"}', '{"a": [{"b": {"nik": "7602011501900001"}}]}', '[[{"phone": "7602011501900001"}]]',
                                   '{"nik_warnings": ["7602011501900001"]}'])
def test_json_is_scrubbed_at_whatever_depth(value, run):
    told = json.dumps(run("SELECT audit_scrub(%s::jsonb)", value)[0][0])
    assert "7602011501900001" not in told and "#" in told


@pytest.fixture
def probe(url):
    """A table of the caller's, audited; gone at the end. Gives what is told of a new row and of a change of it."""
    with postgres.connected(url, autocommit=False) as connection, connection.cursor() as cursor:
        def told(columns, row, change):
            cursor.execute(f"CREATE TABLE audit_probe (id integer PRIMARY KEY, {columns}); SELECT audit_attach()")
            cursor.execute(f"INSERT INTO audit_probe SELECT 1, {row}; UPDATE audit_probe SET {change}")
            cursor.execute("SELECT content FROM audit_entry WHERE content::json ->> 'entity' = 'audit_probe' ORDER BY id")
            return [json.loads(content) for content, in cursor.fetchall()]
        yield told
        connection.rollback()


TOLD = [("text", "E'a\"b\\n'", 'a"b\n'), ("boolean", "false", False), ("bigint", "9007199254740993", 9007199254740993), ("smallint", "-1", -1), ("numeric", "1.50", 1.5),
        ("date", "'2026-02-03'", "2026-02-03"), ("daterange", "'[2026-02-03,)'", "[2026-02-03,)"), ("text[]", "ARRAY['x', NULL]", ["x", None]),
        ("uuid", "'01234567-89ab-7def-8123-456789abcdef'", "01234567-89ab-7def-8123-456789abcdef"), ("tsmultirange", "'{}'", "{}"), ("ltree", "'a.b'", "a.b"),
        ("bytea", "''", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"), ("time", "'07:30'", "07:30:00"),
        ("json", "'[1]'", [1]), ("jsonb", """'{"a": null, "b": [{"c": null, "d": 1}]}'""", {"b": [{"d": 1}]}), ("jsonb", "'{}'", {}), ("jsonb", "'null'", None),
        ("text", "NULL", None)]


def test_a_value_is_told_as_json_whatever_its_type(probe):
    """In the entry of a new row; a change that empties them all tells what they were, and nothing of what they are."""
    columns, values = ", ".join(f"t{n} {kind}" for n, (kind, _, _) in enumerate(TOLD)), ", ".join(f"({value})::{kind}" for kind, value, _ in TOLD)
    made, emptied = probe(columns, values, ", ".join(f"t{n} = NULL" for n in range(len(TOLD))))
    told = {f"t{n}": told for n, (_, _, told) in enumerate(TOLD) if told is not None}
    assert made["after"] == {"id": 1} | told and "before" not in made
    assert (emptied["action"], emptied["before"], emptied["after"]) == ("update", told, {})


SENSITIVE = ('{"nik": "7602011501900001"}', '{"a": [{"b": {"phone": "7602011501900001", "c": 1}}]}', '[[{"email": "7602011501900001"}]]', '{"secret": {"x": "7602011501900001"}}')


def test_json_of_a_column_is_scrubbed_at_whatever_depth(probe):
    columns, values = ", ".join(f"d{n} jsonb" for n in range(len(SENSITIVE))), ", ".join(f"'{value}'::jsonb" for value in SENSITIVE)
    made, changed = probe(columns, values, "d0 = d1, d1 = d2, d2 = d3, d3 = d0")
    for told in (made["after"], changed["before"], changed["after"]):
        assert {f"d{n}" for n in range(len(SENSITIVE))} <= told.keys() and all("#" in json.dumps(told[f"d{n}"]) for n in range(len(SENSITIVE)))
    assert "7602011501900001" not in json.dumps([made, changed])


def test_a_row_of_more_columns_than_a_function_takes_is_told_whole(probe):
    made, changed = probe(", ".join(f"c{i} integer DEFAULT {i}" for i in range(200)), "0", "c150 = -1, c20 = -1")
    assert made["after"] == {"id": 1, "c0": 0} | {f"c{i}": i for i in range(1, 200)}
    assert (changed["before"], changed["after"]) == ({"c20": 20, "c150": 150}, {"c20": -1, "c150": -1})


def test_rows_of_one_statement_have_one_moment(run, make):
    unit = make.unit()
    people = [make.person(unit) for _ in range(3)]
    run("UPDATE asn SET birth_place = 'Polewali' WHERE id = ANY (%s::uuid[])", people)
    told = [e for e in entries(run) if e.get("after", {}).get("birth_place") == "Polewali"]
    assert len(told) == 3 and len({e["at"] for e in told}) == 1 and len({e["id"] for e in told}) == 3


COUNTED = ("session", "session_quota", "api_key")


def test_where_counters_are_left_out_a_change_of_these_alone_calls_nothing(run):
    """The condition stands in the trigger: it names each column that entries tell, and none other."""
    counting = {relation for relation, in run("SELECT relation FROM audit_column WHERE treatment = 'omit' AND relation <> '*'")}
    assert counting == set(COUNTED)
    for relation, name, is_row, condition in run("""SELECT t.tgrelid::regclass::text, t.tgname, (t.tgtype & 1) = 1, pg_get_triggerdef(t.oid) FROM pg_trigger t
                                                    WHERE t.tgname ~ '_90_audit_update$'"""):
        assert is_row == (relation in COUNTED), name
        if is_row:
            told = {column for column, in run("SELECT a.attname FROM pg_attribute a WHERE a.attrelid = %s::regclass AND a.attnum > 0 AND NOT a.attisdropped "
                                              "AND audit_treatment(a.attrelid, a) IS DISTINCT FROM 'omit'", relation)}
            assert {column for column in re.findall(r"new\.(\w+)", condition)} == told == {column for column in re.findall(r"old\.(\w+)", condition)}


def test_a_change_of_counters_leaves_no_entry_and_one_of_more_tells_the_rest(run, make):
    session = make.session(10)
    of = f"content::json ->> 'entity' = 'session' AND content::json ->> 'subject' = '{session}'"
    before = len(entries(run, of))
    run("UPDATE session SET seats_taken = seats_taken + 1, queue_last = queue_last + 1 WHERE id = %s", session)
    assert len(entries(run, of)) == before
    run("UPDATE session SET seats_taken = seats_taken - 1, place = 'Aula Uji' WHERE id = %s", session)
    change, = entries(run, of)[before:]
    assert (change["action"], change["after"]["place"]) == ("update", "Aula Uji") and "seats_taken" not in change["before"] | change["after"]
    assert change["before"]["version"] + 1 == change["after"]["version"]


def test_a_secret_is_told_by_nobody(run):
    run("UPDATE instance_secret SET value = gen_random_bytes(32) WHERE name = 'cursor'")
    told = entries(run, "content::json ->> 'entity' = 'instance_secret'")[-1]
    assert told["before"] == {"value": "***"} == told["after"]


def test_rows_of_a_statement_are_told_by_their_keys_even_when_those_change(run):
    run("INSERT INTO performance_setting (code, valid_from, value, source) SELECT s.code, '2099-01-01', s.value, s.source FROM performance_setting s ORDER BY s.valid_from LIMIT 1")
    run("UPDATE performance_setting SET valid_from = '2099-02-01' WHERE valid_from = '2099-01-01'")
    run("DELETE FROM performance_setting WHERE valid_from = '2099-02-01'")
    told = [e["action"] for e in entries(run, "content::json ->> 'entity' = 'performance_setting' AND content LIKE '%%2099%%'")]
    assert sorted(told) == ["create", "create", "delete", "delete"]


# ── the sealer ──
def seal(run, most=100):
    return run("SELECT audit_seal_block(%s)", most)[0][0]


def test_blocks_go_on_from_one_another_and_cover_everything_once(run, make):
    while seal(run):
        pass
    for _ in range(3):
        make.unit()
        assert seal(run) > 0
    assert seal(run) == 0
    assert run("""SELECT count(*) FROM audit_seal s LEFT JOIN audit_seal p ON p.number = s.number - 1
                  WHERE s.first <> coalesce(p.last, 0) + 1 OR s.previous <> coalesce(p.hash, decode(repeat('00', 32), 'hex'))""") == [(0,)]
    assert run("SELECT count(*) FROM audit_entry e LEFT JOIN audit_link l ON l.entry = e.id WHERE l.seq IS NULL") == [(0,)]


def test_who_commits_late_is_sealed_later_and_missed_never(run, make, url):
    """A transaction that began first and ends last has small numbers: they count as settled only when it is over."""
    with postgres.connected(url, autocommit=False) as late, late.cursor() as cursor:
        cursor.execute("INSERT INTO unit (id, code, name, kind) VALUES (gen_random_uuid(), %s, 'Unit Lambat', 'dinas')", ("LAMBAT",))
        cursor.execute("SELECT max(id) FROM audit_entry")
        mine = cursor.fetchone()[0]
        for _ in range(3):
            make.unit()
            assert seal(run) > 0
        assert run("SELECT settled < %s FROM audit_seal ORDER BY number DESC LIMIT 1", mine) == [(True,)]
        late.commit()
    assert seal(run) > 0
    assert run("SELECT count(*) FROM audit_link WHERE entry = %s", mine) == [(1,)]
    for _ in range(3):
        make.unit()
        seal(run)
    assert run("SELECT settled >= %s FROM audit_seal ORDER BY number DESC LIMIT 1", mine) == [(True,)]


def test_a_block_that_is_full_settles_nothing(run, make):
    while seal(run):
        pass
    for _ in range(4):
        make.unit()
    before = run("SELECT settled FROM audit_seal ORDER BY number DESC LIMIT 1")
    assert seal(run, 2) == 2
    assert run("SELECT settled FROM audit_seal ORDER BY number DESC LIMIT 1") == before
    while seal(run):
        pass
    assert run("SELECT count(*) FROM audit_entry e LEFT JOIN audit_link l ON l.entry = e.id WHERE l.seq IS NULL") == [(0,)]
