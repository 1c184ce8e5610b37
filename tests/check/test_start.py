# SPDX-License-Identifier: Apache-2.0
"""A start prepares every statement once for a program and a catalog, and anew as soon as either is another."""
import psycopg2
import pytest

from support import daemon as daemons
from support.daemon import Daemon


@pytest.fixture
def database(cluster, empty_template):
    name = cluster.create(template=empty_template)
    yield cluster.database_url(name)
    cluster.drop(name)


@pytest.fixture
def sql(database):
    """One session, for what belongs to it."""
    connection = psycopg2.connect(database)
    connection.autocommit = True

    def run(statement):
        with connection.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchall() if cursor.description else []

    yield run
    connection.close()


def starts(database):
    Daemon(database).stop()


def noted(sql):
    return sql("SELECT program, catalog, checked_at FROM checked_start")


def test_a_start_notes_what_it_has_checked_and_the_next_finds_it(database, sql):
    sql("DELETE FROM checked_start")
    starts(database)
    first = noted(sql)
    assert len(first) == 1
    starts(database)
    assert noted(sql) == first


def test_check_notes_it_for_the_first_start(database, sql):
    sql("DELETE FROM checked_start")
    daemons.run(database, "check")
    first = noted(sql)
    assert len(first) == 1
    starts(database)
    assert noted(sql) == first


def test_what_is_in_the_making_is_never_taken_as_checked(database, sql, tmp_path):
    """Statements from a directory, as `docs/adding-an-operation.md` has them."""
    sql("DELETE FROM checked_start")
    (tmp_path / "unit.sql").write_text("-- name: getUnit\nSELECT nothing FROM nowhere\n", encoding="utf-8")
    done = daemons.run(database, "serve", check=False, ASND_SQL=str(tmp_path))
    assert done.returncode == 1 and noted(sql) == []


CHANGES = {
    "a column with another name": "ALTER TABLE unit RENAME COLUMN name TO title",
    "a function with another name": "ALTER FUNCTION asn_of_nip(text) RENAME TO asn_by_nip",
    "a view with another name": "ALTER VIEW asn_named RENAME TO asn_known",
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_catalog_changed_by_hand_stops_the_start(database, sql, change):
    starts(database)
    sql(CHANGES[change])
    done = daemons.run(database, "serve", check=False)
    assert done.returncode == 1 and "does not prepare" in done.stderr, done.stderr[-2000:]


EFFECTS = {
    "statistics": ("ANALYZE unit", True),
    "rows": ("UPDATE unit SET version = version", True),
    "a temporary table": ("CREATE TEMPORARY TABLE mine (id integer)", True),
    "a column more": ("ALTER TABLE unit ADD COLUMN colour text", False),
    "an index more": ("CREATE INDEX unit_by_colour ON unit (name, code)", False),
    "a function written anew": ("CREATE OR REPLACE FUNCTION nothing_new() RETURNS integer LANGUAGE sql AS 'SELECT 1'", False),
    "a search path": ("SET search_path = pg_catalog, public", False),
}


@pytest.mark.parametrize("what", EFFECTS)
def test_the_fingerprint_changes_with_the_catalog_alone(sql, what):
    statement, stays = EFFECTS[what]
    before = sql("SELECT catalog_fingerprint()")
    sql(statement)
    assert (sql("SELECT catalog_fingerprint()") == before) == stays
