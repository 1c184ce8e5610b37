# SPDX-License-Identifier: Apache-2.0
"""The chain tells every kind of tampering: in the database, by one who may everything there, and in a file, without any database."""
import hashlib
import json
import os
import time

import pytest

from support import client, daemon as daemons, postgres

AUDITOR = ("audit.read", "asn.discipline", "complaint.secret")
NOWHERE = "postgresql://nowhere.invalid/"
BLOCKS, IN_A_BLOCK = 4, 6


@pytest.fixture(scope="module")
def intact(cluster, empty_template):
    """Name of a database with four blocks of six entries that nobody touches, and its last seal as it was published."""
    name = cluster.create(template=empty_template, label="sealed")
    url = cluster.database_url(name)
    daemons.run(url, "audit", "seal")
    for block in range(BLOCKS):
        for n in range(IN_A_BLOCK // 2):  # a unit, and its first version
            postgres.query(url, f"INSERT INTO unit (id, code, name, kind) VALUES (gen_random_uuid(), 'U{block}-{n}', 'Unit {block} {n}', 'dinas')")
        assert f"{IN_A_BLOCK} entries" in daemons.run(url, "audit", "seal").stdout
    yield name, daemons.run(url, "audit", "latest").stdout.strip()
    cluster.drop(name)


@pytest.fixture
def sealed(cluster, intact):
    """A copy to be tampered with, and the published seal."""
    name = cluster.create(template=intact[0])
    yield cluster.database_url(name), intact[1]
    cluster.drop(name)


def verify(url, *arguments):
    done = daemons.run(url, "audit", "verify", *arguments, check=False)
    return done.returncode, done.stdout


def tamper(url, *statements):
    """As somebody does who owns the server: guards are triggers, and triggers can be passed by."""
    with postgres.connected(url, autocommit=False) as connection, connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        for statement in statements:
            cursor.execute(statement)
        connection.commit()


LAST = "(SELECT max(number) FROM audit_seal)"
MIDDLE = "(SELECT entry FROM audit_link WHERE seq = (SELECT first + 2 FROM audit_seal WHERE number = 3))"
TAMPERED = {
    "a word of an entry is changed": ("changed", f"UPDATE audit_entry SET content = replace(content, 'Unit', 'Lain') WHERE id = {MIDDLE}"),
    "an entry is changed, and its digest with it": (
        "is not what was sealed", f"UPDATE audit_entry SET content = replace(content, 'Unit', 'Lain') WHERE id = {MIDDLE}",
        f"UPDATE audit_link l SET digest = sha256(convert_to(e.content, 'UTF8')) FROM audit_entry e WHERE e.id = l.entry AND e.id = {MIDDLE}"),
    "an entry is found under another name": ("found by other words", f"UPDATE audit_entry SET actor = 'db:lain' WHERE id = {MIDDLE}"),
    "an entry is found under another time": ("found by other words", f"UPDATE audit_entry SET at = at - interval '1 year' WHERE id = {MIDDLE}"),
    "an entry is found under nobody": ("found by other words", f"UPDATE audit_entry SET asn_id = gen_random_uuid() WHERE id = {MIDDLE}"),
    "an entry is removed": ("removed", f"DELETE FROM audit_entry WHERE id = {MIDDLE}"),
    "an entry is removed with its place": ("removed", f"CREATE TEMP TABLE gone AS SELECT {MIDDLE} AS id", "DELETE FROM audit_link WHERE entry IN (SELECT id FROM gone)",
                                           "DELETE FROM audit_entry WHERE id IN (SELECT id FROM gone)"),
    "a block is removed": ("removed", "DELETE FROM audit_entry WHERE id IN (SELECT entry FROM audit_link WHERE seal = 3)", "DELETE FROM audit_link WHERE seal = 3",
                           "DELETE FROM audit_seal WHERE number = 3"),
    "two entries change places": ("reordered", "UPDATE audit_link SET seq = -seq WHERE seal = 3",
                                  "UPDATE audit_link SET seq = (SELECT first + last FROM audit_seal WHERE number = 3) + seq WHERE seal = 3"),
    "an entry is put in, at the end of a block": (
        "put in", "UPDATE audit_link SET seq = -seq WHERE seal >= 3", f"INSERT INTO audit_entry SELECT 0, at, asn_id, actor, operation, people, content FROM audit_entry WHERE id = {MIDDLE.replace('first + 2', '-first - 2')}",
        "UPDATE audit_link SET seq = 1 - seq WHERE seal > 3", "UPDATE audit_link SET seq = -seq WHERE seal = 3",
        "INSERT INTO audit_link SELECT (SELECT last + 1 FROM audit_seal WHERE number = 3), 0, 3, sha256(convert_to(content, 'UTF8')) FROM audit_entry WHERE id = 0"),
    "an entry is put in between old ones, and not sealed": (
        "put in", "INSERT INTO audit_entry SELECT 0, at, asn_id, actor, operation, people, content FROM audit_entry WHERE id = (SELECT min(id) FROM audit_entry)"),
    "a seal is changed": ("does not go on", "UPDATE audit_seal SET hash = sha256('x') WHERE number = 2"),
    "a seal's time is changed": ("is not what was sealed", "UPDATE audit_seal SET at = at - interval '1 day' WHERE number = 2"),
    "the end is cut off": ("cut off", f"DELETE FROM audit_entry WHERE id IN (SELECT entry FROM audit_link WHERE seal = {LAST})", f"DELETE FROM audit_link WHERE seal = {LAST}",
                           f"DELETE FROM audit_seal WHERE number = {LAST}"),
    "the last seal is removed": ("cut off", f"DELETE FROM audit_seal WHERE number = {LAST}"),
    "all is removed": ("cut off", "TRUNCATE audit_entry", "TRUNCATE audit_link", "TRUNCATE audit_seal"),
}


@pytest.mark.parametrize("what", TAMPERED)
def test_each_kind_of_tampering_is_found(what, sealed):
    url, published = sealed
    assert verify(url, "--seal", published)[0] == 0
    word, *statements = TAMPERED[what]
    tamper(url, *statements)
    status, told = verify(url, "--seal", published)
    assert status == 1 and word in told, told


def test_a_chain_that_was_made_anew_is_found_by_the_published_seal_alone(sealed):
    """Whoever may everything can make another chain that agrees with itself. It is not the one whose seal was kept elsewhere."""
    url, published = sealed
    tamper(url, "UPDATE audit_entry SET content = replace(content, 'Unit 1', 'Unit 9')", "TRUNCATE audit_link", "TRUNCATE audit_seal")
    daemons.run(url, "audit", "seal")
    assert verify(url)[0] == 0
    status, told = verify(url, "--seal", published)
    assert status == 1 and "cut off or rewritten" in told


def test_what_was_not_sealed_yet_is_told_and_is_no_fault(sealed):
    url, published = sealed
    postgres.query(url, "INSERT INTO unit (id, code, name, kind) VALUES (gen_random_uuid(), 'BARU', 'Unit Baru', 'dinas')")
    status, told = verify(url, "--seal", published)
    assert status == 0 and "2 entries are not sealed yet" in told


# ── what was redacted, and what only says so ──
REDACT = "SET asnd.redacting = 'on'; UPDATE audit_entry SET content = audit_redacted(content) WHERE id = {}; RESET asnd.redacting"


@pytest.fixture
def redacted(sealed):
    """The copy, with an entry of the middle redacted; its redaction is sealed."""
    url, published = sealed
    entry = postgres.query(url, MIDDLE[1:-1])[0][0]
    postgres.query(url, REDACT.format(entry))
    daemons.run(url, "audit", "seal")
    return url, published, entry


def test_redacted_is_not_tampered(redacted):
    url, published, entry = redacted
    content = json.loads(postgres.query(url, "SELECT content FROM audit_entry WHERE id = %s", (entry,))[0][0])
    assert content["redacted"] is True and set(content["after"].values()) == {"***"} and content["id"] == entry
    status, told = verify(url, "--seal", published)
    assert status == 0 and "1 entries were redacted, as 1 others tell" in told, told


@pytest.mark.parametrize("set_, wanted", [("content = replace(content, 'Unit', 'Lain')", "audit_append_only"), ("content = audit_redacted(content), actor = 'x'", "audit_append_only"),
                                          ("content = content", "audit_append_only"), ("actor = 'db:lain'", "audit_append_only")])
def test_an_entry_becomes_nothing_but_itself_redacted(set_, wanted, sealed):
    url, _ = sealed
    with pytest.raises(Exception) as told:
        postgres.query(url, f"SET asnd.redacting = 'on'; UPDATE audit_entry SET {set_} WHERE id = {MIDDLE}")
    assert told.value.diag.constraint_name == wanted


def test_a_redaction_that_is_not_sealed_yet_is_no_excuse(sealed):
    """Until then whoever owns the server could have written it this moment."""
    url, published = sealed
    postgres.query(url, REDACT.format(MIDDLE))
    status, told = verify(url, "--seal", published)
    assert status == 1 and "no sealed entry tells of its redaction" in told
    daemons.run(url, "audit", "seal")
    assert verify(url, "--seal", published)[0] == 0


EXCUSES = {
    "another word in what is left": ("is not what it was", "UPDATE audit_entry SET content = replace(content, '\"***\"', '\"Lain\"') WHERE id = {}"),
    "another actor in what is left": ("no sealed entry tells", "UPDATE audit_entry SET content = replace(content, 'db:postgres', 'db:lain'), actor = 'db:lain' WHERE id = {}"),
    "another entry says it was redacted": ("is not what it was", "UPDATE audit_entry SET content = audit_redacted(content) WHERE id = (SELECT min(id) FROM audit_entry WHERE content LIKE '%%Unit%%')"),
    "the redaction is changed": ("is not what it was", "UPDATE audit_entry SET content = replace(content, '\"count\":1', '\"count\":2') WHERE content LIKE '%%\"redact\"%%'"),
    "the redaction is removed": ("is gone", "DELETE FROM audit_entry WHERE content LIKE '%%\"redact\"%%'"),
}


@pytest.mark.parametrize("what", EXCUSES)
def test_what_only_looks_redacted_is_found(what, redacted):
    url, published, entry = redacted
    word, statement = EXCUSES[what]
    assert verify(url)[0] == 0
    tamper(url, statement.format(entry))
    status, told = verify(url)
    assert status == 1 and word in told, told


def test_redactions_are_told_from_a_file_too(redacted, tmp_path):
    url, published, entry = redacted
    running = daemons.Daemon(url, name="audit-redacted")
    api = client.Client(running.url, running.create_key(name="auditor", scopes=AUDITOR))
    text = api.get("/v1/audit/chain?limit=1000", headers={"Accept": "application/x-ndjson"}).text
    running.stop()
    path = tmp_path / "chain.ndjson"
    path.write_text(text, encoding="utf-8")
    status, told = verify(NOWHERE, "--file", path, "--seal", published)
    assert status == 0 and "1 entries were redacted" in told, told
    path.write_text("".join(line + "\n" for line in text.splitlines() if '\\"redact\\"' not in line), encoding="utf-8")
    assert verify(NOWHERE, "--file", path)[0] == 1


# ── the same from a file ──
@pytest.fixture(scope="module")
def lines(cluster, intact):
    """What the export gives of it, line by line."""
    name = cluster.create(template=intact[0])
    running = daemons.Daemon(cluster.database_url(name), name="audit-chain")
    api = client.Client(running.url, running.create_key(name="auditor", scopes=AUDITOR))
    given = api.get("/v1/audit/chain?limit=1000", headers={"Accept": "application/x-ndjson"}).text.splitlines()
    running.stop()
    cluster.drop(name)
    # The key just made has an entry too, and the daemon may have sealed it by now.
    return [line for line in map(json.loads, given) if line["seal"] <= int(intact[1].split(":")[0])]


@pytest.fixture
def exported(lines, intact, tmp_path):
    """The lines of the export, and what verifies them once changed."""
    def check(changed, seal=intact[1]):
        path = tmp_path / "chain.ndjson"
        path.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in changed), encoding="utf-8")
        return verify(NOWHERE, "--file", path, *(("--seal", seal) if seal else ()))
    return lines, check


def forged(line):
    entry = line["entry"].replace("Unit", "Lain")
    return {**line, "entry": entry, "digest": hashlib.sha256(entry.encode()).hexdigest()}


def at(lines, n):
    """Index of the third place of the block with this number."""
    return next(i for i, line in enumerate(lines) if line["seal"] == n) + 2


FORGED = {
    "changed": ("changed", lambda x, i: x[:i] + [{**x[i], "entry": x[i]["entry"].replace("Unit", "Lain")}] + x[i + 1:]),
    "changed with its digest": ("is not what was sealed", lambda x, i: x[:i] + [forged(x[i])] + x[i + 1:]),
    "removed": ("removed", lambda x, i: x[:i] + x[i + 1:]),
    "removed and numbered anew": ("removed", lambda x, i: [{**line, "seq": n + 1} for n, line in enumerate(x[:i] + x[i + 1:])]),
    "reordered": ("reordered", lambda x, i: x[:i] + [x[i + 1], x[i]] + x[i + 2:]),
    "reordered and numbered anew": ("reordered", lambda x, i: [{**line, "seq": n + 1} for n, line in enumerate(x[:i] + [x[i + 1], x[i]] + x[i + 2:])]),
    "put in": ("put in", lambda x, i: [{**line, "seq": n + 1} for n, line in enumerate(x[:i] + [{**x[0], "sealed": None}] + x[i:])]),
    "cut off": ("cut off", lambda x, i: [line for line in x if line["seal"] < x[-1]["seal"]]),
    "cut off within a block": ("cut off", lambda x, i: x[:-1]),
    "without anything": ("cut off", lambda x, i: []),
}


@pytest.mark.parametrize("what", FORGED)
def test_each_kind_is_found_in_a_file(what, exported):
    lines, check = exported
    assert check(lines)[0] == 0
    word, forge = FORGED[what]
    status, told = check(forge(lines, at(lines, 3)))
    assert status == 1 and word in told, told


def test_a_file_may_begin_at_a_later_seal(exported):
    lines, check = exported
    status, told = check([line for line in lines if line["seal"] >= 3])
    assert status == 0 and ": 0 faults" in told


@pytest.mark.parametrize("text", ["{}\n", "nothing\n", "[1]\n"])
def test_what_is_no_export_is_refused(text, tmp_path):
    path = tmp_path / "other.ndjson"
    path.write_text(text, encoding="utf-8")
    status, told = verify(NOWHERE, "--file", path)
    assert status == 1 and "is no place of the chain" in told


@pytest.mark.parametrize("name", ["/dev/null", "empty"])
def test_what_is_empty_is_no_audit(name, tmp_path):
    (tmp_path / "empty").touch()
    status, told = verify(NOWHERE, "--file", tmp_path / name)
    assert status == 1 and "there is no place of a chain in it" in told


@pytest.mark.parametrize("arguments", [(), ("verify", "--seal"), ("verify", "--seal", "1:xyz"), ("verify", "--seal", "0:" + "0" * 64), ("verify", "--other", "x"), ("check",),
                                       ("seal", "now")])
def test_wrong_use_is_told(arguments):
    done = daemons.run(NOWHERE, "audit", *arguments, check=False)
    assert done.returncode == 2 and "usage: asnd audit" in done.stderr


def test_a_missing_file_is_told():
    done = daemons.run(NOWHERE, "audit", "verify", "--file", "/nowhere/chain.ndjson", check=False)
    assert done.returncode == 1 and "cannot open" in done.stderr


def test_many_entries_are_verified_in_the_time_they_may_take(sealed):
    """A million in less than ten seconds, with ASND_TEST_AUDIT_ENTRIES=1000000 and a release build; otherwise a few, that it works across chunks and blocks."""
    url, _ = sealed
    many = int(os.environ.get("ASND_TEST_AUDIT_ENTRIES", "20000"))
    postgres.query(url, f"""
        WITH made AS (SELECT nextval('audit_entry_id') AS id, clock_timestamp() AS at FROM generate_series(1, {many}))
        INSERT INTO audit_entry (id, at, actor, operation, content)
        SELECT m.id, m.at, 'cli:uji', 'asnd import', '{{"id":' || m.id || ',"at":"' || audit_instant(m.at) || '","person":null,"actor":"cli:uji","operation":"asnd import"'
               || ',"kind":"cli","action":"update","entity":"enrolment","subject":"' || gen_random_uuid() || '","before":{{"state":"nominated","version":1}},"after":{{"state":"approved","version":2}}}}'
        FROM   made m""")
    daemons.run(url, "audit", "seal")
    postgres.query(url, "ANALYZE audit_entry, audit_link, audit_seal")
    began = time.monotonic()
    status, told = verify(url)
    took = time.monotonic() - began
    print(f"{many} entries verified in {took:.1f} s")
    entries = postgres.query(url, "SELECT count(*) FROM audit_entry")[0][0]
    assert status == 0 and entries >= many and f"{entries} entries" in told, told
    assert many < 1000000 or took < 10
