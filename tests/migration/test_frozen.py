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
    "TRUNCATE indicator CASCADE",
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


# ── what was said about it ──

KEY = "gen_random_uuid(), 'Portal'"


@pytest.fixture
def said(run, make, draft):
    """One row of everything that is only added to, each with its id; the evaluation is final and was replaced."""
    def make_said(year):
        evaluation, _ = draft(year)
        ids = {"evaluation": evaluation, **{name: str(uuid.uuid4()) for name in ("later", "objection", "moderation", "predicate", "skp", "result", "indicator", "progress",
                                                                                "feedback", "other", "handover", "appraisal", "milestone", "report", "measured")}}
        run("INSERT INTO moderation (id, evaluation_id, results_after, behaviour_after, reason, leader, actor_key, actor_name) "
            f"VALUES (%s, %s, 'sesuai_ekspektasi', 'sesuai_ekspektasi', 'x', 'x', {KEY})", ids["moderation"], evaluation)
        run("INSERT INTO indicator_measurement (id, evaluation_id, indicator_id, figure, from_on, until_on, value, n, at_least, parts) "
            "SELECT %s, i.evaluation_id, i.id, 'jp', '2030-01-01', '2030-12-31', 1, 1, 0, '{}' FROM indicator i WHERE i.evaluation_id = %s LIMIT 1", ids["measured"], evaluation)
        run("INSERT INTO appraisal (id, evaluation_id, role, rater_name, results_rating, behaviour_rating, actor_key, actor_name) "
            f"VALUES (%s, %s, 'penilai', 'x', 'sesuai_ekspektasi', 'sesuai_ekspektasi', {KEY})", ids["appraisal"], evaluation)
        run("INSERT INTO peer_receipt (evaluation_id, rater_id) VALUES (%s, %s)", evaluation, make.person(make.unit()))
        run("INSERT INTO peer_answer (evaluation_id, role, results_rating, behaviour_rating) VALUES (%s, 'rekan', 'sesuai_ekspektasi', 'sesuai_ekspektasi')", evaluation)
        run(FINALIZE, evaluation)
        run("INSERT INTO evaluation (id, asn_id, period_id, supersedes) SELECT %s, e.asn_id, e.period_id, e.id FROM evaluation e WHERE e.id = %s", ids["later"], evaluation)
        run(FINALIZE, ids["later"])
        run("INSERT INTO evaluation (id, asn_id, period_id) SELECT %s, %s, e.period_id FROM evaluation e WHERE e.id = %s", ids["other"], make.person(make.unit()), evaluation)
        run("INSERT INTO objection (id, evaluation_id, text, told_on, filed_on, last_day) VALUES (%s, %s, 'x', '2030-01-01', '2030-01-02', '2030-01-15')",
            ids["objection"], evaluation)
        run(f"INSERT INTO objection_step (objection_id, seq, state, actor_key, actor_name) VALUES (%s, 1, 'open', {KEY})", ids["objection"])
        run("INSERT INTO unit_predicate (id, unit_id, period_id, predicate, reason, leader, edition, actor_key, actor_name) "
            f"SELECT %s, a.unit_id, e.period_id, 'baik', 'x', 'x', 1, {KEY} FROM evaluation e JOIN asn a ON a.id = e.asn_id WHERE e.id = %s", ids["predicate"], evaluation)
        run("INSERT INTO skp (id, asn_id, period_id, unit_id, assessor_name, approach) "
            "SELECT %s, e.asn_id, e.period_id, a.unit_id, 'x', 'kuantitatif' FROM evaluation e JOIN asn a ON a.id = e.asn_id WHERE e.id = %s", ids["skp"], evaluation)
        run("INSERT INTO skp_result (id, skp_id, kind, name) VALUES (%s, %s, 'utama', 'x')", ids["result"], ids["skp"])
        run("INSERT INTO skp_indicator (id, skp_id, result_id, name, aspect, direction, target) VALUES (%s, %s, %s, 'x', 'kualitas', 'maximize', 1)",
            ids["indicator"], ids["skp"], ids["result"])
        run("INSERT INTO skp_measure (indicator_id, skp_id, figure) VALUES (%s, %s, 'milestones')", ids["indicator"], ids["skp"])
        run("INSERT INTO skp_milestone (id, skp_id, indicator_id, position, name, weight, due_on) VALUES (%s, %s, %s, 1, 'x', 1, make_date(%s, 3, 1))",
            ids["milestone"], ids["skp"], ids["indicator"], year)
        run("UPDATE skp SET state = 'proposed' WHERE id = %s", ids["skp"])
        run("UPDATE skp SET state = 'approved', edition = 1, approved_at = now() WHERE id = %s", ids["skp"])
        run("INSERT INTO skp_edition VALUES (%s, 1, '{}', 'x', now(), 'x')", ids["skp"])
        run(f"INSERT INTO skp_progress (id, skp_id, indicator_id, day, value, actor_key, actor_name) VALUES (%s, %s, %s, make_date(%s, 1, 1), 1, {KEY})",
            ids["progress"], ids["skp"], ids["indicator"], year, today=f"{year}-06-01")
        run(f"INSERT INTO skp_feedback (id, skp_id, kind, giver, day, text, actor_key, actor_name) VALUES (%s, %s, 'umpan_balik', 'penilai', make_date(%s, 1, 1), 'x', {KEY})",
            ids["feedback"], ids["skp"], year)
        run(f"INSERT INTO skp_milestone_report (id, skp_id, milestone_id, day, is_reached, actor_key, actor_name) VALUES (%s, %s, %s, make_date(%s, 2, 1), true, {KEY})",
            ids["report"], ids["skp"], ids["milestone"], year, today=f"{year}-06-01")
        run(f"INSERT INTO handover (id, what, evaluation_id, payload, sha256, actor_key, actor_name) VALUES (%s, 'skp22', %s, '{{}}', 'x', {KEY})",
            ids["handover"], evaluation)
        run("UPDATE handover SET state = 'sent' WHERE id = %s", ids["handover"])
        return ids
    return make_said


SAID = {  # statement → the rule that refuses it
    "UPDATE objection SET text = 'y' WHERE id = %(objection)s": "objection_state_order",
    "UPDATE objection SET evaluation_id = %(later)s WHERE id = %(objection)s": "objection_state_order",
    "UPDATE objection SET told_on = '2029-12-01' WHERE id = %(objection)s": "objection_state_order",
    "UPDATE objection SET state = 'upheld', decided_by = 'x', decision = 'x', decided_on = '2030-02-01' WHERE id = %(objection)s": "objection_state_order",
    "DELETE FROM objection WHERE id = %(objection)s": "objection_state_order",
    "TRUNCATE objection CASCADE": "objection_state_order",
    "UPDATE objection_step SET note = 'y' WHERE objection_id = %(objection)s": "evaluation_final",
    "DELETE FROM objection_step WHERE objection_id = %(objection)s": "evaluation_final",
    "TRUNCATE objection_step": "evaluation_final",
    "UPDATE moderation SET reason = 'y' WHERE id = %(moderation)s": "evaluation_final",
    "DELETE FROM moderation WHERE id = %(moderation)s": "evaluation_final",
    "TRUNCATE moderation": "evaluation_final",
    "INSERT INTO moderation SELECT gen_random_uuid(), m.evaluation_id, m.results_before, m.results_after, m.behaviour_before, m.behaviour_after, m.reason, m.leader, "
    "m.actor_key, m.actor_name FROM moderation m WHERE m.id = %(moderation)s; UPDATE evaluation SET results_rating = 'di_atas_ekspektasi' WHERE id = %(evaluation)s":
        "evaluation_final",
    "UPDATE unit_predicate SET predicate = 'istimewa' WHERE id = %(predicate)s": "evaluation_final",
    "DELETE FROM unit_predicate WHERE id = %(predicate)s": "evaluation_final",
    "TRUNCATE unit_predicate": "evaluation_final",
    "UPDATE skp_edition SET document = '{\"a\": 1}' WHERE skp_id = %(skp)s": "skp_fixed",
    "DELETE FROM skp_edition WHERE skp_id = %(skp)s": "skp_fixed",
    "TRUNCATE skp_edition": "skp_fixed",
    "TRUNCATE skp CASCADE": "skp_fixed",
    "UPDATE skp SET position = 'y' WHERE id = %(skp)s": "skp_fixed",
    "UPDATE skp_indicator SET target = 2 WHERE id = %(indicator)s": "skp_fixed",
    "DELETE FROM skp_result WHERE id = %(result)s": "skp_fixed",
    "DELETE FROM skp WHERE id = %(skp)s": "skp_fixed",
    "UPDATE skp_progress SET value = 2 WHERE id = %(progress)s": "skp_fixed",
    "DELETE FROM skp_progress WHERE id = %(progress)s": "skp_fixed",
    "TRUNCATE skp_progress": "skp_fixed",
    "UPDATE skp_feedback SET text = 'y' WHERE id = %(feedback)s": "skp_fixed",
    "DELETE FROM skp_feedback WHERE id = %(feedback)s": "skp_fixed",
    "TRUNCATE skp_feedback": "skp_fixed",
    "UPDATE skp_measure SET figure = 'jp' WHERE indicator_id = %(indicator)s": "skp_fixed",
    "DELETE FROM skp_measure WHERE indicator_id = %(indicator)s": "skp_fixed",
    "UPDATE skp_milestone SET weight = 2 WHERE id = %(milestone)s": "skp_fixed",
    "INSERT INTO skp_milestone SELECT gen_random_uuid(), m.skp_id, m.indicator_id, 2, 'x', 1, m.due_on FROM skp_milestone m WHERE m.id = %(milestone)s": "skp_fixed",
    "UPDATE skp_milestone_report SET is_reached = false WHERE id = %(report)s": "skp_fixed",
    "DELETE FROM skp_milestone_report WHERE id = %(report)s": "skp_fixed",
    "TRUNCATE skp_milestone_report": "skp_fixed",
    "UPDATE indicator_measurement SET value = 2 WHERE id = %(measured)s": "evaluation_final",
    "DELETE FROM indicator_measurement WHERE id = %(measured)s": "evaluation_final",
    "TRUNCATE indicator_measurement": "evaluation_final",
    "TRUNCATE skp_measure": "skp_fixed",
    "TRUNCATE skp_milestone CASCADE": "skp_fixed",
    "INSERT INTO indicator_measurement (evaluation_id, indicator_id, figure, from_on, until_on, value, n, at_least, parts) "
    "SELECT %(other)s, m.indicator_id, m.figure, m.from_on, m.until_on, 2, m.n, m.at_least, m.parts FROM indicator_measurement m WHERE m.id = %(measured)s": "evaluation_final",
    "INSERT INTO indicator_measurement (evaluation_id, indicator_id, figure, from_on, until_on, value, n, at_least, parts) "
    "SELECT m.evaluation_id, m.indicator_id, m.figure, m.from_on, m.until_on, 2, m.n, m.at_least, m.parts FROM indicator_measurement m WHERE m.id = %(measured)s": "evaluation_final",
    "UPDATE appraisal SET results_rating = 'di_atas_ekspektasi' WHERE id = %(appraisal)s": "evaluation_final",
    "DELETE FROM appraisal WHERE id = %(appraisal)s": "evaluation_final",
    "TRUNCATE appraisal": "evaluation_final",
    "INSERT INTO appraisal SELECT gen_random_uuid(), a.evaluation_id, a.role, a.rater_id, a.rater_name, a.starts_on, a.ends_on, 'di_atas_ekspektasi', a.behaviour_rating, a.note, "
    "a.actor_key, a.actor_name FROM appraisal a WHERE a.id = %(appraisal)s": "evaluation_final",
    "UPDATE peer_answer SET results_rating = 'di_atas_ekspektasi' WHERE evaluation_id = %(evaluation)s": "evaluation_final",
    "DELETE FROM peer_answer WHERE evaluation_id = %(evaluation)s": "evaluation_final",
    "TRUNCATE peer_answer": "evaluation_final",
    "INSERT INTO peer_answer (evaluation_id, role, results_rating, behaviour_rating) VALUES (%(evaluation)s, 'rekan', 'sesuai_ekspektasi', 'sesuai_ekspektasi')": "evaluation_final",
    "UPDATE peer_receipt SET id = gen_random_uuid() WHERE evaluation_id = %(evaluation)s": "evaluation_final",
    "DELETE FROM peer_receipt WHERE evaluation_id = %(evaluation)s": "evaluation_final",
    "TRUNCATE peer_receipt": "evaluation_final",
    "UPDATE handover SET payload = '{\"a\": 1}', state = 'accepted' WHERE id = %(handover)s": "handover_state_order",
    "UPDATE handover SET state = 'prepared' WHERE id = %(handover)s": "handover_state_order",
    "UPDATE handover SET evaluation_id = %(later)s, state = 'accepted' WHERE id = %(handover)s": "handover_state_order",
    "DELETE FROM handover WHERE id = %(handover)s": "handover_state_order",
    "TRUNCATE handover CASCADE": "handover_state_order",
    "UPDATE handover_step SET message = 'y' WHERE handover_id = %(handover)s": "handover_state_order",
    "DELETE FROM handover_step WHERE handover_id = %(handover)s": "handover_state_order",
    "TRUNCATE handover_step": "handover_state_order",
    "UPDATE evaluation SET supersedes = NULL WHERE id = %(later)s": "evaluation_final",
    "UPDATE evaluation SET supersedes = %(later)s WHERE id = %(evaluation)s": "evaluation_final",
    "UPDATE evaluation SET supersedes = %(later)s WHERE id = %(other)s": "evaluation_supersedes_fkey",
    "DELETE FROM evaluation WHERE id = %(later)s": "evaluation_final",
    "INSERT INTO evaluation (id, asn_id, period_id, supersedes) SELECT gen_random_uuid(), e.asn_id, e.period_id, e.id FROM evaluation e WHERE e.id = %(evaluation)s":
        "evaluation_supersedes_key",
    "INSERT INTO evaluation (id, asn_id, period_id, supersedes) SELECT gen_random_uuid(), e.asn_id, e.period_id, e.id FROM evaluation e WHERE e.id = %(other)s":
        "evaluation_supersedes_fkey",
    "INSERT INTO evaluation (id, asn_id, period_id, supersedes) SELECT gen_random_uuid(), o.asn_id, o.period_id, %(later)s FROM evaluation o WHERE o.id = %(other)s":
        "evaluation_supersedes_fkey",
}
TABLES = ("evaluation", "objection", "objection_step", "moderation", "unit_predicate", "skp", "skp_result", "skp_indicator", "skp_edition", "skp_progress", "skp_feedback",
          "handover", "handover_step", "skp_measure", "skp_milestone", "skp_milestone_report", "indicator_measurement", "appraisal", "peer_answer", "peer_receipt")


@pytest.mark.parametrize("number, statement", enumerate(SAID))
def test_what_was_said_stays(number, statement, run, said, url):
    import psycopg2
    ids = said(1930 + number)
    everything = "SELECT " + ", ".join(f"(SELECT jsonb_agg(to_jsonb(t) ORDER BY to_jsonb(t)::text) FROM {table} t)::text" for table in TABLES)
    before = run(everything)
    with psycopg2.connect(url) as connection, connection.cursor() as cursor:
        with pytest.raises(psycopg2.Error) as caught:
            cursor.execute(statement, ids)
    assert caught.value.diag.constraint_name == SAID[statement]
    assert run(everything) == before


def test_every_table_that_only_grows_is_held_against_truncate(run):
    """Whatever of these refuses UPDATE or DELETE by a trigger of its own refuses TRUNCATE as well."""
    bare = run("""SELECT DISTINCT t.tgrelid::regclass::text FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid
                  WHERE  NOT t.tgisinternal AND p.proname ~ '_keep$' AND t.tgrelid = ANY (%s::regclass[])
                         AND NOT EXISTS (SELECT FROM pg_trigger k WHERE k.tgrelid = t.tgrelid AND k.tgtype & 32 <> 0)""", list(TABLES))
    assert bare == []
