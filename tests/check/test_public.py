# SPDX-License-Identifier: Apache-2.0
"""A contract of one's own: the public workload of bench/public is served from its contract and statements alone, and says what PostgreSQL's own to_json says."""
import json
import shutil
import sys
from decimal import Decimal
from pathlib import Path

import pytest
import requests

from support import daemon as daemons, postgres

ROOT = Path(__file__).resolve().parents[2]
PUBLIC = ROOT / "bench/public"
sys.path.insert(0, str(PUBLIC))
import scenarios  # noqa: E402

STATEMENTS = scenarios.statements()
SESSION = "&options=-c%20TimeZone%3DUTC%20-c%20IntervalStyle%3Diso_8601"  # what a moment and a duration look like is the session's
LISTS = {"perfTest", "nested"}


@pytest.fixture(scope="module")
def sql(tmp_path_factory):
    """The engine's own statements, and those of the workload."""
    directory = tmp_path_factory.mktemp("sql")
    for file in [ROOT / "src/engine/engine.sql", ROOT / "src/auth/auth.sql", PUBLIC / "public.sql"]:
        shutil.copy(file, directory / file.name)
    return directory


@pytest.fixture(scope="module")
def settings(database, sql):
    with postgres.connected(database) as connection, connection.cursor() as cursor:
        cursor.execute((PUBLIC / "schema.sql").read_text(encoding="utf-8"))
    return {"contract": PUBLIC / "openapi.yaml", "sql": sql}


def ask(daemon, scenario):
    if scenario.posted:
        return requests.post(daemon.url + scenario.path, json=scenario.posted, timeout=30)
    return requests.get(daemon.url + scenario.path, timeout=30)


def told(text):
    return json.loads(text, parse_float=Decimal)


def without_now(value):
    return {name: member for name, member in value.items() if name != "now"} if isinstance(value, dict) else value


@pytest.mark.parametrize("scenario", scenarios.SCENARIOS, ids=lambda s: s.name)
def test_is_what_postgresql_says(scenario, database, daemon):
    reply = ask(daemon, scenario)
    assert reply.status_code == 200, reply.text
    statement = scenarios.bound(STATEMENTS[scenario.statement], scenario.values)
    rows = [told(row) for (row,) in postgres.query(database + SESSION, f"SELECT to_json(t)::text FROM ({statement}) AS t")]
    found = told(reply.content)
    if scenario.statement in LISTS:
        assert found["page"] == {"next": None}
        assert len(found["data"]) == len(rows)
    assert list(map(without_now, found["data"] if scenario.statement in LISTS else [found])) == list(map(without_now, rows))


def test_a_row_has_23_types_and_20_parameters_are_taken(daemon):
    row = requests.get(f"{daemon.url}/perf-test?records=1", timeout=30).json()["data"][0]
    assert len(row) == 23 and len(scenarios.PARAMETERS) == 20


@pytest.mark.parametrize("name, value", [("p_short", 99999), ("p_date", "2026-02-30"), ("p_time", "25:00"), ("p_json", "{"), ("p_interval", "long"),
                                         ("p_uuid", "x"), ("p_ints", ["1", "x"]), ("p_timestamptz", "yesterday")])
def test_what_is_no_such_value_is_refused(daemon, name, value):
    reply = requests.get(f"{daemon.url}/params?" + scenarios.query(scenarios.PARAMETERS | {name: value}), timeout=30)
    assert reply.status_code in (400, 422), reply.text
    assert reply.headers["Content-Type"] == "application/problem+json"


def test_nothing_else_is_served(daemon):
    assert requests.get(f"{daemon.url}/v1/asn", timeout=30).status_code == 404


def test_without_x_partial_what_is_left_out_is_a_fault(database, sql, tmp_path):
    text = (PUBLIC / "openapi.yaml").read_text(encoding="utf-8")
    assert "\nx-partial: true\n" in text
    (tmp_path / "openapi.yaml").write_text(text.replace("\nx-partial: true\n", "\n"), encoding="utf-8")
    done = daemons.run(database, "check", check=False, ASND_CONTRACT=str(tmp_path / "openapi.yaml"), ASND_SQL=str(sql))
    assert done.returncode == 1
    assert 'binding "createAsn" has no operationId' in done.stderr


def test_a_statement_without_an_operation_is_a_fault_all_the_same(database, sql, tmp_path):
    directory = tmp_path / "sql"
    shutil.copytree(sql, directory)
    (directory / "more.sql").write_text("-- More.\n\n-- name: getMore\nSELECT 1 AS one\n", encoding="utf-8")
    done = daemons.run(database, "check", check=False, ASND_CONTRACT=str(PUBLIC / "openapi.yaml"), ASND_SQL=str(directory))
    assert done.returncode == 1
    assert 'statement "getMore" has no operationId' in done.stderr
