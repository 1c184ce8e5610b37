# SPDX-License-Identifier: Apache-2.0
"""A final evaluation is for ever: every operation that writes is tried on one, and every column by a role that may write all tables. Both lists come from the
contract and the database, so what is new is tried before it has a test."""
import json
from datetime import timedelta

import psycopg2
import pytest

from support import contract as contracts, daemon as daemons, make, postgres
from test_matrix import NOBODY, sample_body
from test_refers import NOWHERE

CONTRACT = contracts.load()
WRITES = [o for o in CONTRACT.operations.values() if o.method != "get" and o.scopes is not None]
OF_IT = [o for o in WRITES if "{evaluation_id}" in o.path]
# What may follow a final evaluation, and stands beside it.
AFTER = {"fileObjection": "an objection, of which another evaluation may come", "prepareEvaluationHandover": "a payload for BKN"}
# Move whose it is, by a merge of two records of one person: what was sealed is the same.
MERGES = {"mergeAsn", "undoAsnMerge", "undoMerge"}
# What is sealed stands in these; to the merge belongs whose it is.
TABLES = {"evaluation": "id", "indicator": "evaluation_id", "indicator_measurement": "evaluation_id", "appraisal": "evaluation_id", "peer_answer": "evaluation_id",
          "peer_receipt": "evaluation_id", "moderation": "evaluation_id"}
BESIDE = {"objection", "objection_step", "improvement_plan", "handover", "handover_step"}


@pytest.fixture(scope="module")
def sealed(api, office):
    """Filled from a plan that measures itself, appraised, answered by peers, moderated, and then final."""
    first = make.today() - timedelta(days=360)
    year = make.period(api, starts_on=first.isoformat(), ends_on=(first + timedelta(days=364)).isoformat())
    person = make.person(api, office["id"])
    plan = make.skp(api, person["nip"], year["id"])
    result = make.result(api, plan["id"])
    planned = make.planned(api, plan["id"], result["id"], target=20)
    path = f"/v1/skps/{plan['id']}"
    api.put(f"{path}/indicators/{planned['id']}/measure", {"figure": "jp"}, etag=make.tag(api, path), expect=200)
    for step in ("propose", "approve"):
        make.act_skp(api, plan["id"], step)
    evaluation = make.evaluation(api, person["nip"], year["id"])
    where = f"/v1/evaluations/{evaluation['id']}"
    api("POST", f"{where}/fill", headers={"If-Match": make.tag(api, where)}, expect=200)
    own = make.indicator(api, evaluation["id"])
    rate = {"results_rating": "sesuai_ekspektasi", "behaviour_rating": "sesuai_ekspektasi"}
    api.post(f"{where}/appraisals", {"role": "penilai", "rater_name": "Bupati Uji", "starts_on": year["starts_on"], "ends_on": year["ends_on"], **rate}, expect=201)
    for _ in range(5):
        api.post(f"{where}/peer-answers", {"role": "rekan", "rater_nip": make.person(api, office["id"])["nip"], **rate}, expect=201)
    api("POST", f"{where}/moderations", json={**rate, "reason": "Sesuai sebaran", "leader": "Sekretaris Daerah"}, headers={"If-Match": make.tag(api, where)}, expect=200)
    final = api("POST", f"{where}/finalize", headers={"If-Match": make.tag(api, where)}, expect=200).json
    return {"evaluation_id": final["id"], "indicator_id": own["id"], "skp_id": plan["id"], "result_id": result["id"], "skp_indicator_id": planned["id"], "period_id": year["id"],
            "nip": person["nip"], "unit_id": office["id"], "behaviour": "akuntabel", "what": "skp22", "year": 2025, "position": 1, "rater_nip": make.person(api, office["id"])["nip"]}


def kept(url, evaluation_id, but=()):
    """All that is sealed, as it stands in its tables."""
    found = {}
    for table, key in TABLES.items():
        found[table] = sorted(json.dumps({k: v for k, v in json.loads(row).items() if k not in but}, sort_keys=True)
                              for row, in postgres.query(url, f"SELECT to_jsonb(t)::text FROM {table} t WHERE {key} = %s", (evaluation_id,)))
    return found


def tried(api, operation, sealed):
    values = {p["name"]: str(sealed.get(p["name"], NOBODY.get(p["name"], CONTRACT.resolve(p["schema"]).get("enum", [NOWHERE])[0]))) for p in operation.where("path")}
    media_type, body = sample_body(operation)
    if media_type and media_type.endswith("json") and body:
        told = json.loads(body)
        if isinstance(told, dict):
            body = json.dumps({k: sealed.get(k, v) for k, v in told.items()}).encode()
    return api(operation.method.upper(), operation.fill(values), data=body, headers={"If-Match": "*", **({"Content-Type": media_type} if media_type else {})}, expect=None)


def test_the_sealed_one_has_everything(sealed, database):
    assert all(kept(database, sealed["evaluation_id"]).values())


def test_every_table_of_an_evaluation_is_sealed_or_beside_it(sql):
    found = {t for t, in sql("""SELECT DISTINCT c.conrelid::regclass::text FROM pg_constraint c
                                WHERE c.contype = 'f' AND c.confrelid IN ('evaluation'::regclass, 'indicator'::regclass, 'objection'::regclass, 'appraisal'::regclass)""")}
    assert found - set(TABLES) - BESIDE == set(), "what hangs on an evaluation is sealed with it, or named as standing beside it"


@pytest.mark.parametrize("operation", OF_IT, ids=[o.id for o in OF_IT])
def test_every_write_that_names_it_is_refused(operation, api, sealed, database):
    before = kept(database, sealed["evaluation_id"])
    reply = tried(api, operation, sealed)
    if operation.id in AFTER:
        assert reply.status < 500 and reply.code != "evaluation-final", reply
    else:
        assert (reply.status, reply.code) == (409, "evaluation-final"), reply
    assert kept(database, sealed["evaluation_id"]) == before


def test_no_write_there_is_changes_it(api, sealed, database):
    """All of them, each with the ids that belong to it and an example of its body; imports too. Merges, which move whose it is, come last."""
    before = kept(database, sealed["evaluation_id"])
    whole = api.get(f"/v1/evaluations/{sealed['evaluation_id']}").json
    for operation in sorted(WRITES, key=lambda o: (o.id in MERGES, o.id)):
        reply = tried(api, operation, sealed)
        assert reply.status < 500, (operation.id, reply)
        but = ("asn_id", "rater_id") if operation.id in MERGES else ()
        now = kept(database, sealed["evaluation_id"], but)
        assert now == {t: sorted(json.dumps({k: v for k, v in json.loads(r).items() if k not in but}, sort_keys=True) for r in rows) for t, rows in before.items()}, operation.id
    now = api.get(f"/v1/evaluations/{sealed['evaluation_id']}").json
    assert {m for m in whole if now[m] != whole[m]} <= {"name", "superseded_by"}, "what the person is called now is not part of it"
    assert api.get(f"/v1/evaluations/{sealed['evaluation_id']}/verification").json["same"] is True


# ── by SQL, as a role that may write every table ──

OTHER = {"text": "coalesce({c}, '') || 'x'", "numeric": "coalesce({c}, 0) + 1", "integer": "coalesce({c}, 0) + 1", "smallint": "coalesce({c}, 0) + 1", "bigint": "coalesce({c}, 0) + 1",
         "boolean": "NOT coalesce({c}, false)", "jsonb": "'{{\"x\": 1}}'", "uuid": "gen_random_uuid()", "date": "coalesce({c}, now()::date) + 1",
         "timestamp with time zone": "coalesce({c}, now()) + interval '1 hour'"}


@pytest.fixture(scope="module")
def writer(sql, database):
    """Neither owner nor superuser: whoever has the daemon's rights and not more."""
    sql("CREATE ROLE final_writer NOSUPERUSER")
    sql("GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE ON ALL TABLES IN SCHEMA public TO final_writer; GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO final_writer")
    sql("GRANT asnd_all TO final_writer")
    yield lambda statement, parameters=None: postgres.query(database, "SET ROLE final_writer; " + statement, parameters)
    sql("DROP OWNED BY final_writer; DROP ROLE final_writer")


def test_every_column_stays(writer, sql, sealed, database):
    before = kept(database, sealed["evaluation_id"])
    columns = sql("""SELECT a.attrelid::regclass::text, a.attname, format_type(a.atttypid, NULL) FROM pg_attribute a
                     WHERE  a.attrelid = ANY (%s::regclass[]) AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '' ORDER BY 1, a.attnum""", (list(TABLES),))
    assert len(columns) > 70
    for table, column, kind in columns:
        value = OTHER[kind].format(c=column)
        try:
            writer(f"UPDATE {table} SET {column} = {value} WHERE {TABLES[table]} = %s", (sealed["evaluation_id"],))
        except psycopg2.Error as refused:
            assert refused.diag.constraint_name or refused.pgcode == "P0001", (table, column, refused)
        assert kept(database, sealed["evaluation_id"]) == before, (table, column)


@pytest.mark.parametrize("table", TABLES)
def test_no_row_goes_and_none_comes(table, writer, sql, sealed, database):
    before = kept(database, sealed["evaluation_id"])
    for statement in (f"DELETE FROM {table} WHERE {TABLES[table]} = %s", f"TRUNCATE {table} CASCADE"):
        with pytest.raises(psycopg2.Error):
            writer(statement, (sealed["evaluation_id"],) if "%s" in statement else None)
    if table != "evaluation":
        columns = ", ".join(c for c, in sql("SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = '' AND attname NOT IN ('id', 'position')", (table,)))
        more = ", position" if table == "indicator" else ""
        with pytest.raises(psycopg2.Error):
            writer(f"INSERT INTO {table} (id, {columns}{more}) SELECT gen_random_uuid(), {columns}{more and ', position + 500'} FROM {table} WHERE {TABLES[table]} = %s LIMIT 1", (sealed["evaluation_id"],))
    assert kept(database, sealed["evaluation_id"]) == before


def test_the_triggers_are_not_that_role_s_to_switch_off(writer):
    for statement in ("ALTER TABLE evaluation DISABLE TRIGGER ALL", "SET session_replication_role = replica", "DROP TRIGGER evaluation_10_final ON evaluation"):
        with pytest.raises(psycopg2.Error):
            writer(statement)


SEALED = ("results_rating", "behaviour_rating", "achievement", "achievement_uncapped", "predicate", "predicate_number", "rule_version", "inputs", "inputs_sha256")
SPOIL = {"results_rating": "'di_atas_ekspektasi'", "behaviour_rating": "'di_atas_ekspektasi'", "predicate": "'kurang'", "predicate_number": "5", "rule_version": "'x'",
         "inputs_sha256": "repeat('0', 64)", "inputs": "jsonb_set(inputs, '{indicators,0,weight}', '7')"}


@pytest.mark.parametrize("column", SEALED)
def test_a_planted_difference_in_each_sealed_column_is_found(column, daemon, sql, sealed):
    """By whoever may switch the triggers off: asnd evaluate --verify names the evaluation, and is content again when it is put back."""
    [(before,)] = sql(f"SELECT to_jsonb(e) -> '{column}' FROM evaluation e WHERE id = %s", (sealed["evaluation_id"],))
    verify = lambda: daemons.run(daemon.database_url, "evaluate", "--verify", "--period", sealed["period_id"], check=False)  # noqa: E731
    assert verify().returncode == 0
    sql(f"SET session_replication_role = replica; UPDATE evaluation SET {column} = {SPOIL.get(column, '1')} WHERE id = '{sealed['evaluation_id']}'")
    try:
        told = verify()
        assert told.returncode == 1 and f"evaluation {sealed['evaluation_id']}: " in told.stdout, told.stdout
    finally:
        sql("SET session_replication_role = replica; UPDATE evaluation e SET {0} = o.{0} FROM jsonb_populate_record(NULL::evaluation, %s) o WHERE e.id = %s".format(column),
            (json.dumps({column: before}), sealed["evaluation_id"]))
    assert verify().returncode == 0
