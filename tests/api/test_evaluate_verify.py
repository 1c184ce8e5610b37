# SPDX-License-Identifier: Apache-2.0
"""asnd evaluate --verify: every final evaluation is worked out again, and what somebody changed past all triggers is found."""
import pytest

from support import daemon as daemons, make, postgres

ABOVE, AS = "di_atas_ekspektasi", "sesuai_ekspektasi"
MANY = 120  # more than the first chunks of a stream


@pytest.fixture(scope="module")
def period(api):
    return make.period(api)


@pytest.fixture(scope="module")
def finals(api, office, period):
    return [make.final(api, make.person(api, office["id"])["nip"], period["id"]) for _ in range(3)]


def verify(daemon, *options):
    done = daemons.run(daemon.database_url, "evaluate", "--verify", *options, check=False)
    assert done.stderr == ""
    return done.returncode, done.stdout.splitlines()


def planted(sql, statement, *parameters):
    """As a superuser who switches the triggers off does it."""
    sql("SET session_replication_role = replica; " + statement, parameters)


def test_what_is_as_it_was_is_fine(daemon, finals):
    status, lines = verify(daemon)
    assert status == 0 and len(lines) == 1 and lines[0].endswith(" 0 differ, in 0 places"), lines
    assert int(lines[0].split()[0]) >= len(finals)


PLANTS = {
    "predicate": ("predicate = 'sangat_baik'", ["seal: not that of what is stored", "predicate: stored sangat_baik, computed baik"]),
    "number": ("predicate_number = 1", ["predicate_number: stored 1, computed 2"]),
    "achievement": ("achievement = 120", ["seal: not that of what is stored", "achievement: stored 120, computed 106.11"]),
    "uncapped": ("achievement_uncapped = 106.12", ["seal: not that of what is stored", "achievement_uncapped: stored 106.12, computed 106.11"]),
    "ratings": (f"results_rating = '{ABOVE}'", ["ratings: not those of the stored inputs"]),
    "inputs": (f"inputs = jsonb_set(inputs, '{{results_rating}}', '\"{ABOVE}\"'), results_rating = '{ABOVE}', behaviour_rating = '{AS}'", ["seal: not that of what is stored"]),
    "actual": ("inputs = jsonb_set(inputs, '{indicators,0,actual}', '45')",
               ["seal: not that of what is stored", "achievement: stored 106.11, computed 50.00", "achievement_uncapped: stored 106.11, computed 50.00"]),
    "no value": ("inputs = jsonb_set(inputs, '{indicators,0,target}', '0')",
                 ["seal: not that of what is stored", "achievement: stored 106.11, computed nothing", "achievement_uncapped: stored 106.11, computed nothing",
                  "predicate: stored baik, computed nothing", "predicate_number: stored 2, computed nothing"]),
    "nonsense": ("inputs = '{\"indicators\": [{\"target\": \"x\"}, 7]}'",
                 ["seal: not that of what is stored", "ratings: not those of the stored inputs", "achievement: stored 106.11, computed nothing",
                  "achievement_uncapped: stored 106.11, computed nothing", "predicate: stored baik, computed nothing", "predicate_number: stored 2, computed nothing"]),
    "resealed": ("predicate = 'kurang', inputs_sha256 = evaluation_seal(inputs, rule_version, achievement, achievement_uncapped, 'kurang')",
                 ["predicate: stored kurang, computed baik"]),
}


@pytest.mark.parametrize("case", PLANTS)
def test_what_was_changed_past_the_triggers_is_found(case, daemon, api, office, period, finals, sql):
    statement, told = PLANTS[case]
    victim = finals[1]
    before = postgres.query(daemon.database_url, "SELECT to_jsonb(e)::text FROM evaluation e WHERE id = %s", (victim["id"],))[0][0]
    planted(sql, f"UPDATE evaluation SET {statement} WHERE id = %s", victim["id"])
    try:
        status, lines = verify(daemon, "--period", period["id"])
    finally:
        planted(sql, """UPDATE evaluation e
                        SET    (inputs, results_rating, behaviour_rating, achievement, achievement_uncapped, predicate, predicate_number, inputs_sha256)
                             = (o.inputs, o.results_rating, o.behaviour_rating, o.achievement, o.achievement_uncapped, o.predicate, o.predicate_number, o.inputs_sha256)
                        FROM   jsonb_populate_record(NULL::evaluation, %s::jsonb) o WHERE e.id = o.id""", before)
    assert (status, lines[:-1]) == (1, [f"evaluation {victim['id']}: {words}" for words in told])
    assert lines[-1].startswith(f"{len(finals)} final evaluations") and lines[-1].endswith(f" 1 differ, in {len(told)} places")
    assert verify(daemon)[0] == 0


def test_only_the_period_that_was_named(daemon, api, office, period, finals, sql):
    other = make.final(api, make.person(api, office["id"])["nip"], make.period(api)["id"])
    planted(sql, "UPDATE evaluation SET predicate_number = 5 WHERE id = %s", other["id"])
    assert verify(daemon, "--period", period["id"])[0] == 0
    assert verify(daemon, "--period", other["period_id"]) == (
        1, [f"evaluation {other['id']}: predicate_number: stored 5, computed 2", "1 final evaluations verified (0 of another version of the rules): 1 differ, in 1 places"])
    planted(sql, "UPDATE evaluation SET predicate_number = 2 WHERE id = %s", other["id"])


def test_many_of_them_with_many_indicators_are_each_told_apart(daemon, sql, office, finals):
    """Copies with other ids: groups of rows lie across the borders of what is fetched at once."""
    source = finals[0]["id"]
    planted(sql, f"""
        INSERT INTO evaluation (id, asn_id, period_id, state, results_rating, behaviour_rating, achievement, achievement_uncapped, predicate, predicate_number,
                                inputs, rule_version, inputs_sha256, finalized_at, finalized_by, supersedes)
        SELECT gen_random_uuid(), e.asn_id, e.period_id, 'final', e.results_rating, e.behaviour_rating, e.achievement, e.achievement_uncapped, e.predicate,
               e.predicate_number, w.inputs, 'old', evaluation_seal(w.inputs, 'old', e.achievement, e.achievement_uncapped, e.predicate), now(), 'uji', gen_random_uuid()
        FROM   evaluation e, generate_series(1, {MANY}) n,
               LATERAL (SELECT jsonb_set(e.inputs, '{{indicators}}', (SELECT jsonb_agg(x.v) FROM (SELECT e.inputs -> 'indicators' -> 0 AS v FROM generate_series(1, 1 + n %% 37)) x)) AS inputs) w
        WHERE  e.id = %s""", source)
    status, lines = verify(daemon)
    assert (status, len(lines)) == (0, 1) and f"({MANY} of another version of the rules)" in lines[0]
    planted(sql, "UPDATE evaluation SET achievement = 1 WHERE rule_version = 'old' AND inputs_sha256 IS NOT NULL AND %s = %s", 1, 1)
    status, lines = verify(daemon)
    assert status == 1 and lines[-1].endswith(f" {MANY} differ, in {2 * MANY} places") and len({line.split()[1] for line in lines[:-1]}) == MANY
    planted(sql, "DELETE FROM evaluation WHERE rule_version = 'old' AND %s = %s", 1, 1)


@pytest.mark.parametrize("arguments, status, word", [
    ((), 2, "usage"), (("--verify", "--period"), 2, "usage"), (("--verify", "--period", "2025"), 2, "UUID"), (("--verify", "x", "y"), 2, "usage"),
    (("--verify", "--period", "0190ffff-ffff-7fff-bfff-ffffffffffff"), 1, "no such period")])
def test_wrong_use_is_told(arguments, status, word, daemon):
    done = daemons.run(daemon.database_url, "evaluate", *arguments, check=False)
    assert done.returncode == status and word in done.stderr and done.stdout == ""
