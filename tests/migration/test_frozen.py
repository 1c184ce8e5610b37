# SPDX-License-Identifier: Apache-2.0
"""What is final stays as it is, against every UPDATE and DELETE."""
import uuid

import pytest

FINALIZE = """
    UPDATE evaluation SET state = 'final', results_rating = 'sesuai_ekspektasi', behaviour_rating = 'sesuai_ekspektasi', achievement = 104.00,
           achievement_uncapped = 116.00, predicate = 'baik', predicate_number = 2, inputs = '{"a": 1}', rule_version = 'test',
           inputs_sha256 = evaluation_seal('{"a": 1}', 'test', 104.00, 116.00, 'baik'), finalized_at = now(), finalized_by = 'test'
    WHERE id = %s"""


@pytest.fixture
def period(run):
    def make_period(year, closed=False):
        made = str(uuid.uuid4())
        run("INSERT INTO period (id, name, kind, starts_on, ends_on, is_closed) VALUES (%s, 'x', 'tahunan', make_date(%s, 1, 1), make_date(%s, 12, 31), %s)",
            made, year, year, closed)
        return made
    return make_period


@pytest.fixture
def draft(run, make, period):
    """(evaluation, indicator)"""
    def make_draft(year):
        evaluation, indicator = str(uuid.uuid4()), str(uuid.uuid4())
        run("INSERT INTO evaluation (id, asn_id, period_id) VALUES (%s, %s, %s)", evaluation, make.person(make.unit()), period(year))
        run("INSERT INTO indicator (id, evaluation_id, name, direction, target, actual, weight) VALUES (%s, %s, 'x', 'maximize', 50, 45, 1)",
            indicator, evaluation)
        return evaluation, indicator
    return make_draft


@pytest.mark.parametrize("number, statement", enumerate([
    "UPDATE evaluation SET note = 'x' WHERE id = %(evaluation)s",
    "UPDATE evaluation SET state = 'draft', achievement = NULL, predicate = NULL, inputs = NULL, inputs_sha256 = NULL WHERE id = %(evaluation)s",
    "UPDATE evaluation SET updated_at = now() WHERE id = %(evaluation)s",
    "DELETE FROM evaluation WHERE id = %(evaluation)s",
    "UPDATE indicator SET actual = 50 WHERE id = %(indicator)s",
    "UPDATE indicator SET evaluation_id = %(other)s WHERE id = %(indicator)s",
    "UPDATE indicator SET evaluation_id = %(evaluation)s, position = 7 WHERE evaluation_id = %(other)s",
    "DELETE FROM indicator WHERE id = %(indicator)s",
    "INSERT INTO indicator (id, evaluation_id, name, direction, target, weight) VALUES (gen_random_uuid(), %(evaluation)s, 'x', 'maximize', 1, 1)",
    "TRUNCATE evaluation CASCADE",
    "TRUNCATE indicator",
    "TRUNCATE asn CASCADE",
]))
def test_a_final_evaluation_is_frozen(number, statement, run, draft, url):
    import psycopg2
    evaluation, indicator = draft(2030 + 2 * number)
    other, _ = draft(2031 + 2 * number)
    run(FINALIZE, evaluation)
    before = run("SELECT e::text, i::text FROM evaluation e JOIN indicator i ON i.evaluation_id = e.id WHERE e.id = %s", evaluation)
    with psycopg2.connect(url) as connection, connection.cursor() as cursor:
        with pytest.raises(psycopg2.errors.RaiseException) as caught:
            cursor.execute(statement, {"evaluation": evaluation, "indicator": indicator, "other": other})
    assert caught.value.diag.constraint_name == "evaluation_final"
    assert run("SELECT e::text, i::text FROM evaluation e JOIN indicator i ON i.evaluation_id = e.id WHERE e.id = %s", evaluation) == before


def test_an_indicator_counts_as_a_change_of_its_evaluation(run, draft):
    evaluation, indicator = draft(2060)
    version = "SELECT version FROM evaluation WHERE id = %s"
    assert run(version, evaluation) == [(2,)]
    run("UPDATE indicator SET actual = 46 WHERE id = %s", indicator)
    run("DELETE FROM indicator WHERE id = %s", indicator)
    assert run(version, evaluation) == [(4,)]


def test_positions_are_given_in_order(run, draft):
    evaluation, _ = draft(2061)
    insert = "INSERT INTO indicator (id, evaluation_id, name, direction, target, weight) VALUES (gen_random_uuid(), %s, 'x', 'maximize', 1, 1) RETURNING position"
    assert [run(insert, evaluation)[0][0] for _ in range(3)] == [2, 3, 4]


def test_a_final_evaluation_is_whole(refused, draft):
    evaluation, _ = draft(2062)
    assert refused("UPDATE evaluation SET state = 'final' WHERE id = %s", evaluation) == "evaluation_final_is_whole"
    assert refused("UPDATE evaluation SET predicate = 'baik' WHERE id = %s", evaluation) == "evaluation_final_is_whole"


def test_a_closed_period_takes_no_new_evaluations(run, make, period, refused):
    insert = "INSERT INTO evaluation (id, asn_id, period_id) VALUES (gen_random_uuid(), %s, %s)"
    assert refused(insert, make.person(make.unit()), period(2063, closed=True)) == "evaluation_period_open"


def test_periods_of_one_kind_do_not_overlap(run, period, refused):
    period(2064)
    insert = "INSERT INTO period (id, name, kind, starts_on, ends_on) VALUES (gen_random_uuid(), 'x', %s, '2064-12-31', '2065-01-31')"
    assert refused(insert, "tahunan") == "period_no_overlap"
    run(insert, "triwulan")


BOUNDS = [("range", 7, 8, None), ("range", 8, 7, "indicator_bounds"), ("range", 7, None, "indicator_bounds"), ("maximize", 7, 8, "indicator_bounds"),
          ("maximize", 7, None, None), ("maximize", -1, None, "indicator_target_range")]


@pytest.mark.parametrize("number, case", enumerate(BOUNDS))
def test_bounds_belong_to_a_range(number, case, run, draft, refused):
    direction, low, high, constraint = case
    evaluation, _ = draft(2070 + number)
    insert = "INSERT INTO indicator (id, evaluation_id, name, direction, target, target_high, weight) VALUES (gen_random_uuid(), %s, 'x', %s, %s, %s, 1)"
    if constraint:
        assert refused(insert, evaluation, direction, low, high) == constraint
    else:
        run(insert, evaluation, direction, low, high)
