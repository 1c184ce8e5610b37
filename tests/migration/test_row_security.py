# SPDX-License-Identifier: Apache-2.0
"""What the schema promises of row security: every table that names a person is held or exempt, the roles may what they must and no more, and whoever tells no units
sees nobody."""
import psycopg2
import pytest

from support import daemon as daemons
from support import postgres


def test_nothing_was_forgotten(run):
    """Whoever adds a table, a view or a function ends the migration with SELECT row_security_attach(), and says in row_rule or row_exempt whose rows they are."""
    assert run("SELECT * FROM row_security_faults()") == []


FORGETTING = {
    "a-table": ("CREATE TABLE left_out (id uuid PRIMARY KEY, asn_id uuid REFERENCES asn (id))", "the table left_out names a person"),
    "a-part": ("CREATE TABLE left_out (id uuid PRIMARY KEY, skp_id uuid REFERENCES skp (id))", "the table left_out names a person"),
    "a-policy": ("DROP POLICY bound ON skp", "the table skp has no policy"),
    "another-role": ("DROP POLICY bound ON skp; CREATE POLICY bound ON skp USING (true)", "the table skp has no policy"),
    "switched-off": ("ALTER TABLE document DISABLE ROW LEVEL SECURITY", "the table document has no policy"),
    "a-rule-without-policy": ("INSERT INTO row_rule (relation, place, of) VALUES ('data_breach_notice', 'breach_id', 'data_breach')", "the table data_breach_notice has no policy"),
    "a-view": ("CREATE VIEW left_out AS SELECT * FROM asn", "the view left_out shows"),
    "a-trigger": ("CREATE FUNCTION left_out() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'", "the function left_out() would see only"),
    "a-right": ("REVOKE SELECT ON history FROM asnd_bound", "asnd_bound may not read the table history"),
    "a-definer": ("ALTER FUNCTION session_promote(uuid) SECURITY INVOKER", "the function session_promote(uuid) would see only"),
}


@pytest.mark.parametrize("what", FORGETTING.keys())
def test_what_is_forgotten_is_told(what, url):
    statement, words = FORGETTING[what]
    with postgres.connected(url, autocommit=False) as connection, connection.cursor() as cursor:
        cursor.execute(statement)
        cursor.execute("SELECT * FROM row_security_faults()")
        found = [row[0] for row in cursor.fetchall() if "may not read the table left_out" not in row[0]]
        assert len(found) == 1 and found[0].startswith(words), found


@pytest.mark.parametrize("what", ["a-view", "a-trigger", "a-definer", "a-right", "a-rule-without-policy"])
def test_attaching_mends_it_and_changes_nothing_else(what, url):
    with postgres.connected(url, autocommit=False) as connection, connection.cursor() as cursor:
        cursor.execute(FORGETTING[what][0])
        cursor.execute("SELECT row_security_attach()")
        cursor.execute("SELECT * FROM row_security_faults()")
        assert cursor.fetchall() == []
        cursor.execute("SELECT xmin::text FROM pg_class WHERE oid = 'asn'::regclass")
        before = cursor.fetchone()
        cursor.execute("SELECT row_security_attach()")
        cursor.execute("SELECT xmin::text FROM pg_class WHERE oid = 'asn'::regclass")
        assert cursor.fetchone() == before


def test_every_function_with_its_owners_rights_knows_where_it_looks(run):
    """A search_path of its own, or every name with its schema: else a temporary table could take a table's place."""
    bare = {name for name, in run("""SELECT p.proname FROM pg_proc p
        WHERE  p.pronamespace = 'public'::regnamespace AND p.prosecdef AND NOT coalesce(p.proconfig, '{}') && '{"search_path=public, pg_temp"}'""")}
    assert {n for n in bare if not n.startswith("audit_of_")} == {"asn_of_nip", "nip_heir"}
    for name in bare:
        text = run("SELECT prosrc FROM pg_proc WHERE proname = %s", name)[0][0]
        assert "public." in text, name


def test_definers_are_for_the_daemons_roles_alone(run):
    assert run("""SELECT p.oid::regprocedure::text FROM pg_proc p JOIN row_definer d ON d.function = p.proname
                  WHERE p.proconfig IS NOT NULL AND has_function_privilege('public', p.oid, 'EXECUTE')""") == []
    assert run("SELECT function FROM row_definer WHERE function NOT IN (SELECT proname FROM pg_proc)") == []


@pytest.fixture
def two(run, make):
    """A person in each of two offices; their units' paths."""
    ours, theirs = make.unit(), make.unit()
    people = make.person(ours), make.person(theirs)
    return {"people": people, "units": (ours, theirs),
            "paths": [run("SELECT path::text FROM unit WHERE id = %s", u)[0][0] for u in (ours, theirs)]}


def bound(cursor, units):
    cursor.execute("SELECT set_config('asnd.units', %s, true), set_config('role', 'asnd_bound', true)", (units,))


SEEN = {"its-own": ("{{{0}}}", [0]), "of-both": ("{{{0},{1}}}", [0, 1]), "everything": ('{{""}}', [0, 1]), "nothing": ("{{}}", []), "not-told": ("", [])}


@pytest.mark.parametrize("what", SEEN.keys())
def test_a_bound_role_sees_the_people_of_its_units(what, two, url):
    units, wanted = SEEN[what]
    with postgres.connected(url, autocommit=False) as connection, connection.cursor() as cursor:
        bound(cursor, units.format(*two["paths"]))
        cursor.execute("SELECT id FROM asn WHERE id = ANY (%s::uuid[])", (list(map(str, two["people"])),))
        assert {str(i) for i, in cursor.fetchall()} == {str(two["people"][i]) for i in wanted}
        cursor.execute("SELECT count(DISTINCT asn_id) FROM history WHERE asn_id = ANY (%s::uuid[])", (list(map(str, two["people"])),))
        assert cursor.fetchone()[0] <= len(wanted)
        cursor.execute("SELECT count(*) FROM asn_named WHERE id = ANY (%s::uuid[])", (list(map(str, two["people"])),))
        assert cursor.fetchone() == (2,)


def test_a_bound_role_changes_nobody_elses_rows_nor_gives_its_own_away(two, url):
    with postgres.connected(url, autocommit=False) as connection, connection.cursor() as cursor:
        bound(cursor, "{" + two["paths"][0] + "}")
        cursor.execute("UPDATE asn SET birth_place = 'X' WHERE id = ANY (%s::uuid[])", (list(map(str, two["people"])),))
        assert cursor.rowcount == 1
        cursor.execute("DELETE FROM learning_entry WHERE asn_id = %s", (str(two["people"][1]),))
        assert cursor.rowcount == 0
        with pytest.raises(psycopg2.errors.InsufficientPrivilege):
            cursor.execute("UPDATE asn SET unit_id = %s WHERE id = %s", (str(two["units"][1]), str(two["people"][0])))


def test_the_telling_ends_with_its_transaction(two, url):
    with postgres.connected(url, autocommit=False) as connection, connection.cursor() as cursor:
        bound(cursor, "{" + two["paths"][0] + "}")
        connection.rollback()
        cursor.execute("SELECT current_user = session_user, coalesce(current_setting('asnd.units', true), '')")
        assert cursor.fetchone() == (True, "")


FORBIDDEN = {
    "change-an-entry": "UPDATE audit_entry SET actor = actor",
    "remove-an-entry": "DELETE FROM audit_entry",
    "write-an-entry": "INSERT INTO audit_entry VALUES (0, now(), NULL, 'x', 'x', NULL, '{}')",
    "take-a-number": "SELECT nextval('audit_entry_id')",
    "stop-the-audit": "ALTER TABLE asn DISABLE TRIGGER ALL",
    "stop-the-guard": "DROP TRIGGER audit_entry_00_guard ON audit_entry",
    "exempt-a-table": "INSERT INTO audit_exempt (relation, reason) VALUES ('asn', 'x')",
    "drop-a-policy": "DROP POLICY bound ON asn",
    "change-a-rule": "DELETE FROM row_rule",
    "make-a-table": "CREATE TABLE mine ()",
    "change-a-secret": "UPDATE instance_secret SET value = value",
}


@pytest.mark.parametrize("role", ["asnd_all", "asnd_bound"])
@pytest.mark.parametrize("what", FORBIDDEN.keys())
def test_the_daemons_roles_may_not(what, role, url):
    with postgres.connected(url, autocommit=False) as connection, connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL ROLE {role}")
        with pytest.raises(psycopg2.errors.InsufficientPrivilege):
            cursor.execute(FORBIDDEN[what])


@pytest.fixture(scope="module")
def parted(cluster):
    """A database as docs/operations.md makes it: an owner, and a role that owns nothing."""
    name = cluster.create(label="parted")
    url = cluster.database_url(name)
    owner, plain = f"owner_{name}", f"plain_{name}"
    for statement in (f"CREATE ROLE {owner} LOGIN", f"CREATE ROLE {plain} LOGIN", f"ALTER DATABASE {name} OWNER TO {owner}", f"GRANT ALL ON SCHEMA public TO {owner}",
                      "DO $$ BEGIN IF to_regrole('asnd_all') IS NULL THEN CREATE ROLE asnd_all NOLOGIN; CREATE ROLE asnd_bound NOLOGIN; END IF; END $$",
                      f"GRANT asnd_all, asnd_bound TO {plain}"):
        postgres.query(url, statement)
    daemons.run(f"{url}&user={plain}", "migrate", ASND_OWNER_DATABASE_URL=f"{url}&user={owner}")
    yield f"{url}&user={owner}", f"{url}&user={plain}"
    cluster.drop(name)
    cluster.execute(f"DROP ROLE {owner}")
    cluster.execute(f"DROP ROLE {plain}")


def test_an_owner_migrates_and_another_serves(parted):
    _, plain = parted
    daemons.run(plain, "migrate")
    assert postgres.query(plain, "SELECT * FROM row_security_faults() UNION ALL SELECT * FROM row_security_privileges()") == []
    running = daemons.Daemon(plain, name="test_row_security_parted", row_security="require")
    events = {line["event"] for line in running.log_lines()}
    running.stop()
    assert "listening" in events and not events & {"row-security-off", "database-role"}


def test_a_role_that_may_not_bind_is_told_of(parted):
    owner, plain = parted
    role = plain.rpartition("=")[2]
    postgres.query(owner.rpartition("&")[0], f"REVOKE asnd_bound FROM {role}")
    done = daemons.run(plain, "serve", check=False, ASND_ROW_SECURITY="require", ASND_PORT="0")
    postgres.query(owner.rpartition("&")[0], f"GRANT asnd_bound TO {role}")
    assert done.returncode == 1 and f"{role} is not a member of asnd_bound" in done.stderr
