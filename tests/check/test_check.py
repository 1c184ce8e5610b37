# SPDX-License-Identifier: Apache-2.0
"""`asnd check` (and the start itself) names every way in which contract, bindings, statements and schema can disagree."""
import re
import shutil
from pathlib import Path

import pytest

from support import daemon as daemons
from support import postgres

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def tree(tmp_path):
    """A contract and SQL files of the test's own, to be spoiled."""
    (tmp_path / "sql").mkdir()
    for file in ROOT.glob("src/*/*.sql"):
        shutil.copy(file, tmp_path / "sql" / file.name)
    shutil.copy(ROOT / "openapi.yaml", tmp_path / "openapi.yaml")
    shutil.copy(ROOT / "access.yaml", tmp_path / "access.yaml")
    return tmp_path


def spoil(path, pattern, replacement, count=1):
    text = path.read_text(encoding="utf-8")
    changed, n = re.subn(pattern, replacement, text, count=count, flags=re.M)
    assert n == count, f"{pattern} is not in {path.name}"
    path.write_text(changed, encoding="utf-8")


def check(database, tree, subcommand="check"):
    return daemons.run(database, subcommand, check=False, ASND_CONTRACT=str(tree / "openapi.yaml"), ASND_SQL=str(tree / "sql"),
                       ASND_ACCESS=str(tree / "access.yaml"))


def contract(tree, pattern, replacement):
    spoil(tree / "openapi.yaml", pattern, replacement)


def access(tree, pattern, replacement):
    spoil(tree / "access.yaml", pattern, replacement)


def sql(tree, file, pattern, replacement):
    spoil(tree / "sql" / file, pattern, replacement)


FAULTS = {
    "an operationId without a binding": (
        lambda t: sql(t, "unit.sql", r"^-- name: getUnit$", "-- name: helper.getUnit"),
        r'openapi\.yaml:\d+: operationId "getUnit" has no binding'),
    "a binding without an operationId": (
        lambda t: contract(t, r"operationId: finalizeEvaluation$", "operationId: finaliseEvaluation"),
        r'bindings\.c: binding "finalizeEvaluation" has no operationId'),
    "a statement without an operationId": (
        lambda t: sql(t, "unit.sql", r"^-- name: getUnit$", "-- name: getOffice"),
        r'unit\.sql:\d+: statement "getOffice" has no operationId'),
    "a statement that does not prepare": (
        lambda t: sql(t, "asn.sql", r"(-- name: getAsn\n(?:.*\n)*?)FROM   asn /", r"\1FROM   asn_gone /"),
        r'asn\.sql:\d+: statement "getAsn" does not prepare: .*asn_gone'),
    "an optional part that does not prepare": (
        lambda t: sql(t, "asn.sql", r"a\.position_kind = ANY \(:position_kind::text\[\]\)", "a.position_kin = ANY (:position_kind::text[])"),
        r'asn\.sql:\d+: statement "listAsn" does not prepare: .*position_kin'),
    "a column that the reply's schema does not know": (
        lambda t: sql(t, "unit.sql", r"(-- name: getUnit\n(?:.*\n)*?)SELECT ", r"\1SELECT 1 AS surprise, "),
        r'unit\.sql:\d+: column "surprise" of "getUnit" is not in the reply\'s schema'),
    "a parameter that nobody gives": (
        lambda t: sql(t, "unit.sql", r"(-- name: getUnit\n(?:.*\n)*?WHERE\s+)", r"\1:surprise::text IS NULL AND "),
        r'unit\.sql:\d+: parameter ":surprise" of "getUnit" is known to neither contract nor engine'),
    "an unsupported keyword": (
        lambda t: contract(t, r"^    UnitKind:\n", "    UnitKind:\n      contentEncoding: base64\n"),
        r'openapi\.yaml:\d+: #.*unsupported keyword "contentEncoding"'),
    "a reference into nothing": (
        lambda t: contract(t, r"#/components/schemas/UnitKind", "#/components/schemas/UnitKinds"),
        r'openapi\.yaml:\d+: #.*"#/components/schemas/UnitKinds" points at nothing'),
    "a sort order that no statement has": (
        lambda t: sql(t, "asn.sql", r"^-- sort: -name = .*\n", ""),
        r'asn\.sql:\d+: statement "listAsn" lacks the sort order "-name"'),
    "a body's limit by a setting that is not there": (
        lambda t: contract(t, r"x-body-limit-setting: document_limit$", "x-body-limit-setting: paper_limit"),
        r'openapi\.yaml:\d+: there is no setting "paper_limit" for the size of "uploadDocument"'),
    "a body's limit twice": (
        lambda t: contract(t, r"x-body-limit-setting: document_limit$", "x-body-limit-setting: document_limit\n      x-body-limit: 1000"),
        r'openapi\.yaml:\d+: #.*without x-body-limit beside it'),
    "a search in other orders": (
        lambda t: sql(t, "asn.sql", r"(-- name: listAsn\.search\n(?:.*\n)*?)-- sort: -name = .*\n", r"\1"),
        r'asn\.sql:\d+: the sort orders of "listAsn\.search" are not those of "listAsn"'),
    "an operation that nobody was given": (
        lambda t: access(t, r"^  getSkp: .*\n", ""),
        r'access\.yaml:\d+: operation "getSkp" has no row'),
    "a row without an operation": (
        lambda t: access(t, r"^  getSkp: ", "  getPlan: "),
        r'access\.yaml:\d+: the contract has no operation "getPlan"'),
    "a role that is none": (
        lambda t: access(t, r"^(  getSkp: .*)auditor: all", r"\1inspector: all"),
        r'access\.yaml:\d+: "inspector" of "getSkp" is no role'),
    "rows that are none": (
        lambda t: access(t, r"^(  getSkp: .*)auditor: all", r"\1auditor: some"),
        r'access\.yaml:\d+: "auditor" may "getSkp" for rows that are none'),
    "rows of a person without a subject": (
        lambda t: access(t, r"^  getSkp: \{subject: \{skp: skp_id\}, ", "  getSkp: {"),
        r'access\.yaml:\d+: "employee" may "getSkp" for self, but it has no subject'),
    "a subject that is no parameter": (
        lambda t: access(t, r"^  getSkp: \{subject: \{skp: skp_id\}", "  getSkp: {subject: {skp: skp}"),
        r'access\.yaml:\d+: the subject of "getSkp" is no one parameter'),
    "a subject of which no statement knows whose it is": (
        lambda t: access(t, r"^  getSkp: \{subject: \{skp: ", "  getSkp: {subject: {plan: "),
        r'the subject of "getSkp" needs a block subject\.plan'),
    "an operation open to everybody by the matrix alone": (
        lambda t: access(t, r"^  getSkp: \{", "  getSkp: {public: all, "),
        r'access\.yaml:\d+: "getSkp" is not open to everybody'),
    "a scope that a role gives and nothing knows": (
        lambda t: access(t, r"gives: \[asn\.read\]$", "gives: [asn.reed]"),
        r'the role "assessor" gives "asn\.reed"'),
    "a key that stands twice": (
        lambda t: contract(t, r"^openapi: 3\.1\.0$", "openapi: 3.1.0\nopenapi: 3.1.0"),
        r'openapi\.yaml:\d+: the key "openapi" stands twice'),
}


def test_what_is_shipped_agrees(database, tree):
    done = check(database, tree)
    assert done.returncode == 0, done.stderr
    assert re.search(r"^\d+ operations agree", done.stdout)


@pytest.mark.parametrize("name", FAULTS)
def test_check_names(name, database, tree):
    fault, message = FAULTS[name]
    fault(tree)
    done = check(database, tree)
    assert done.returncode == 1, done.stdout
    assert re.search(message, done.stderr), done.stderr


def test_the_start_refuses_too(database, tree):
    sql(tree, "unit.sql", r"^-- name: getUnit$", "-- name: helper.getUnit")
    done = check(database, tree, "serve")
    assert done.returncode == 1
    assert re.search(r'operationId "getUnit" has no binding', done.stderr)
    assert "nothing is served" in done.stderr


def test_two_faults_are_told_at_once(database, tree):
    sql(tree, "unit.sql", r"(-- name: getUnit\n(?:.*\n)*?)SELECT ", r"\1SELECT 1 AS surprise, ")
    sql(tree, "asn.sql", r"(-- name: getAsn\n(?:.*\n)*?.*)\basn a\b", r"\1asn_gone a")
    done = check(database, tree)
    assert "surprise" in done.stderr and "asn_gone" in done.stderr


def test_sums_are_held_against_a_recount(database):
    assert daemons.run(database, "check", "--sums").stdout == "0 sums are not those of a recount.\n"
    postgres.query(database, "INSERT INTO staff_sum VALUES (uuid_v7(), 'staff|F', 1, 1); INSERT INTO officer_tally VALUES (uuid_v7(), '2025-01-01', 'n', '-', 0, 2)")
    told = daemons.run(database, "check", "--sums", check=False)
    assert told.returncode == 1 and told.stdout.endswith("2 sums are not those of a recount.\n")
    assert "staff|F: kept 1 and 1, counted 0 and 0\n" in told.stdout and "2025-01-01, n=-: kept 2, counted 0\n" in told.stdout
