# SPDX-License-Identifier: Apache-2.0
"""asnd migrate: from nothing, from any earlier state with its data, once more, by several at once; and what it refuses."""
import hashlib
import os
import re
import subprocess
from pathlib import Path

import pytest

from support import daemon as daemons, postgres

TAKES_LONG = True
MIGRATIONS = sorted((Path(__file__).resolve().parents[2] / "migrations").glob("[0-9]*.sql"))


@pytest.fixture
def fresh(cluster):
    name = cluster.create(label="migrate")
    yield cluster.database_url(name)
    cluster.drop(name)


@pytest.fixture
def migrated(cluster, empty_template):
    """One that the program has brought up to date, as it does in the first test."""
    name = cluster.create(template=empty_template, label="migrated")
    yield cluster.database_url(name)
    cluster.drop(name)


def migrate(url, *arguments, check=True):
    return daemons.run(url, "migrate", *arguments, check=check)


def applied(url):
    return [row[0] for row in postgres.query(url, "SELECT number FROM schema_migration ORDER BY number")]


def schema_of(url, *options):
    """The schema as text, without the lines that differ from run to run."""
    dump = subprocess.run(["pg_dump", "--schema-only", "--no-owner", *options, "-d", url], text=True, capture_output=True, check=True).stdout
    return [line for line in dump.splitlines() if not line.startswith(("--", "\\restrict", "\\unrestrict"))]


@pytest.fixture(scope="module")
def whole(cluster, empty_template):
    """The schema of a fresh database, as text."""
    return schema_of(cluster.database_url(empty_template))


def create_schema_migration(whole):
    table = "\n".join(whole)
    table = table[table.index("CREATE TABLE public.schema_migration"):]
    return table[:table.index(";") + 1]


# Rows of the first tables, and of before an enrolment was certified, go through all that is done by hand, and from there on by the program.
CERTIFIED = 29
EARLIER = [len(MIGRATIONS) - 6, len(MIGRATIONS) - 1]
QUIET_SINCE = 52


@pytest.fixture(scope="module")
def by_hand(cluster, whole):
    """One after another without the program, which takes as long as all else here: how many there were → a copy of the database as it was then, and by
    each since QUIET_SINCE the entries of the audit."""
    name = cluster.create(label="hand")
    earlier, entries = {}, {}
    for number, path in enumerate(MIGRATIONS, 1):
        with postgres.connected(cluster.database_url(name)) as connection, connection.cursor() as cursor:
            if number == 1:
                cursor.execute(create_schema_migration(whole))
            cursor.execute(path.read_text(encoding="utf-8"))
            if number == 1:
                cursor.execute("INSERT INTO unit (id, code, name, kind) VALUES (gen_random_uuid(), 'LAMA', 'Dinas Lama', 'dinas')")
            cursor.execute("INSERT INTO schema_migration VALUES (%s, %s, %s)", (number, path.name, hashlib.sha256(path.read_bytes()).hexdigest()))
            if number >= QUIET_SINCE - 1:
                cursor.execute("SELECT count(*) FROM audit_entry")
                entries[path.name] = cursor.fetchone()[0]
        if number % 8 == 0:
            postgres.query(cluster.database_url(name), "ANALYZE")  # as the program does, for the plans of what comes next
        if number == CERTIFIED - 1:
            postgres.query(cluster.database_url(name), ENROLLED, ())
        if number in EARLIER:
            earlier[number] = cluster.create(template=name, label="earlier")
    yield cluster.database_url(name), {number: cluster.database_url(copy) for number, copy in earlier.items()}, entries
    for copy in (name, *earlier.values()):
        cluster.drop(copy)


@pytest.mark.parametrize("known", EARLIER)
def test_a_dry_run_tells_and_leaves_nothing(known, by_hand):
    url = by_hand[1][known]
    before = schema_of(url)
    done = migrate(url, "--dry-run")
    assert re.findall(r"^(\d{4}_\w+\.sql): would be applied$", done.stdout, re.M) == [path.name for path in MIGRATIONS[known:]]
    assert schema_of(url) == before and applied(url) == list(range(1, known + 1))


@pytest.mark.parametrize("known", EARLIER)
def test_from_an_earlier_state_with_its_data(known, by_hand, cluster, empty_template):
    """The first migrations by hand, then the program: the rows are there, and the schema is the one of a fresh database."""
    url = by_hand[1][known]
    migrate(url)
    assert applied(url) == list(range(1, len(MIGRATIONS) + 1))
    assert postgres.query(url, "SELECT name FROM unit WHERE code = 'LAMA'") == [("Dinas Lama",)]
    but = ("-T", "schema_migration")
    assert schema_of(url, *but) == schema_of(cluster.database_url(empty_template), *but)
    what_was_issued_and_accepted_before_is_so_of_the_enrolment_too(url)


ENROLLED = """
    SET LOCAL session_replication_role = replica;
    INSERT INTO unit (id, code, name, kind, label, path) VALUES ('01900000-0000-7000-8000-000000000001', 'U', 'Unit', 'dinas', '01900000000070008000000000000001', '01900000000070008000000000000001');
    INSERT INTO programme (id, code, name, form, family, jp, organiser) VALUES ('01900000-0000-7000-8000-000000000002', 'P', 'Uji', 'B3', 'teknis', 20, 'Uji');
    INSERT INTO session (id, programme_id, title, starts_on, ends_on, capacity)
    VALUES ('01900000-0000-7000-8000-000000000003', '01900000-0000-7000-8000-000000000002', 'Lama', '2025-01-06', '2025-01-08', 9);
    INSERT INTO asn (id, nip, kind, name, birth_date, sex, unit_id, legal_status, appointed_on)
    SELECT uuid_v7(), '19900115201503100' || g, 'PNS', 'Pegawai ' || g, '1990-01-15', 'M', '01900000-0000-7000-8000-000000000001', '01', '2015-03-01'
    FROM   generate_series(1, 4) g;
    INSERT INTO enrolment (id, session_id, asn_id, state, days, hours, jp)
    SELECT uuid_v7(), '01900000-0000-7000-8000-000000000003', a.id, 'passed', '[2025-01-06,2025-01-09)', '{[2025-01-06,2025-01-09)}', 20 FROM asn a;
    INSERT INTO certificate (id, enrolment_id, number, year, seq, state)
    SELECT uuid_v7(), e.id, right(a.nip, 1), 2025, right(a.nip, 1)::integer, CASE WHEN a.nip LIKE '%%2' THEN 'revoked' ELSE 'valid' END
    FROM   enrolment e JOIN asn a ON a.id = e.asn_id WHERE right(a.nip, 1) IN ('1', '2');
    INSERT INTO handover (id, what, enrolment_id, payload, sha256, state, actor_key, actor_name)
    SELECT uuid_v7(), 'kursus', e.id, '{}', '', 'accepted', uuid_v7(), 'uji' FROM enrolment e JOIN asn a ON a.id = e.asn_id WHERE right(a.nip, 1) = '3'"""


def what_was_issued_and_accepted_before_is_so_of_the_enrolment_too(url):
    states = postgres.query(url, "SELECT right(a.nip, 1), e.state, e.jp FROM enrolment e JOIN asn a ON a.id = e.asn_id ORDER BY a.nip")
    assert states == [("1", "certified", 20), ("2", "passed", 20), ("3", "synced", 20), ("4", "passed", 20)]
    assert postgres.query(url, 'SELECT "from", "to", actor_name FROM enrolment_step_taken ORDER BY seq') == [("passed", "certified", None), ("passed", "synced", None)]


def test_migrations_write_about_the_schema_quietly(by_hand):
    """Rows of audit_exempt, row_rule and the like come by audit_quietly(): the audit of a new database does not begin with them."""
    url, _, entries = by_hand
    assert len(entries) == len(MIGRATIONS) - QUIET_SINCE + 2 and len(set(entries.values())) == 1, entries
    assert postgres.query(url, "SELECT name FROM unit WHERE code = 'LAMA'") == [("Dinas Lama",)]
    bound = postgres.query(url, "SELECT count(*) FROM pg_trigger WHERE tgname ~ '_90_audit_' AND tgenabled <> 'O'")
    assert bound == [(0,)], "and the triggers are on again"


def test_the_status_names_each(fresh, migrated):
    assert migrate(fresh, "--status").stdout.count("not applied") == len(MIGRATIONS)
    done = migrate(migrated, "--status")
    assert "not applied" not in done.stdout and all(path.name in done.stdout for path in MIGRATIONS)


def test_from_nothing_by_several_at_once_and_again(fresh, whole):
    """Each is applied once, by one of them; after that there is nothing left to do."""
    environment = {**os.environ, **daemons.SANITIZERS, "ASND_DATABASE_URL": fresh}
    running = [subprocess.Popen([str(daemons.program()), "migrate"], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
               for _ in range(4)]
    said = [process.communicate(timeout=600) for process in running]
    assert [process.returncode for process in running] == [0] * 4, said
    assert applied(fresh) == list(range(1, len(MIGRATIONS) + 1))
    assert sum(out.count("applied") for out, _ in said) == len(MIGRATIONS)
    assert schema_of(fresh) == whole
    assert "applied" not in migrate(fresh).stdout
    assert schema_of(fresh) == whole
    # Nothing else would have come by for them before it was all done, and without them what asks about every table takes half as long again.
    asked = {"pg_class", "pg_attribute", "pg_constraint", "pg_depend", "pg_proc", "pg_trigger"}
    assert {t for t, in postgres.query(fresh, "SELECT DISTINCT starelid::regclass::text FROM pg_statistic")} >= asked, "the catalog has statistics"


REFUSED = {
    "an-edited-migration": ("UPDATE schema_migration SET checksum = repeat('0', 64) WHERE number = 1", "checksum"),
    "a-newer-database": ("INSERT INTO schema_migration VALUES (9999, '9999_later.sql', 'x')", "9999"),
    "a-hole": ("DELETE FROM schema_migration WHERE number = 1", "1"),
}


@pytest.mark.parametrize("case", REFUSED.keys())
def test_what_does_not_fit_is_refused_and_not_served(case, migrated):
    statement, words = REFUSED[case]
    postgres.query(migrated, statement)
    for subcommand in ("migrate", "check", "serve"):
        done = daemons.run(migrated, subcommand, check=False, ASND_PORT="0")
        assert done.returncode == 1 and words in done.stderr, (subcommand, done.stderr)


def test_an_older_database_is_not_served(migrated):
    postgres.query(migrated, "DELETE FROM schema_migration WHERE number = (SELECT max(number) FROM schema_migration)")
    done = daemons.run(migrated, "serve", check=False, ASND_PORT="0")
    assert done.returncode == 1 and "asnd migrate" in done.stderr
