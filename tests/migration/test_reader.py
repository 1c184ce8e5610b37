# SPDX-License-Identifier: Apache-2.0
"""The reader that tests have beside the daemon: what it is asked first leaves nothing behind for what it is asked next."""
import psycopg2
import pytest

from support import postgres


@pytest.fixture
def reader(database):
    reader = postgres.Reader(database)
    yield reader
    reader.close()


def test_what_failed_within_a_transaction_of_its_own_is_told_and_undone(reader):
    with pytest.raises(psycopg2.errors.DivisionByZero):
        reader("BEGIN; CREATE TABLE left_behind (); SELECT 1 / 0; COMMIT")
    assert reader("SELECT to_regclass('left_behind')") == [(None,)]


def test_a_transaction_that_nobody_ended_is_undone(reader):
    reader("BEGIN; CREATE TABLE left_behind ()")
    assert reader("SELECT to_regclass('left_behind')") == [(None,)]


def test_settings_are_those_of_a_new_session(reader):
    reader("SET timezone = 'Asia/Jayapura'")
    assert reader("SHOW timezone") != [("Asia/Jayapura",)]
