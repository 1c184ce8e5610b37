# SPDX-License-Identifier: Apache-2.0
"""A backup is taken while the daemon is written to, the database is lost, and the backup restored: nothing of it is missing, and whoever read the feed
of changes either goes on rightly or is told to load anew."""
import os
import subprocess
import threading
import uuid
from pathlib import Path

import pytest
import requests

from support import daemon as daemons, postgres

ROOT = Path(__file__).resolve().parents[2]


def script(name, database, *arguments, check=True, **environment):
    ours = {name: value for name, value in os.environ.items() if name != "ASND_OWNER_DATABASE_URL"}  # of a shell with `source .local/env`
    done = subprocess.run([str(ROOT / "packaging" / name), *map(str, arguments)], text=True, capture_output=True, timeout=300,
                          env={**ours, "ASND_DATABASE_URL": database, "ASND": str(daemons.program()), **environment})
    assert not check or done.returncode == 0, done.stdout + done.stderr
    return done


class Office:
    """Makes units, each under a key of its own that a retry would use."""

    def __init__(self, daemon):
        self._url = daemon.url
        self._headers = {"Authorization": f"Bearer {daemon.create_key(scopes=['unit.write', 'unit.read', 'change.read'])}"}
        self.made = []  # (Idempotency-Key, body, Location) of what was acknowledged

    def follow(self, daemon):
        """The same on another daemon, with the same key: it is in the backup."""
        self._url = daemon.url

    def send(self, key, body):
        return requests.post(f"{self._url}/v1/units", json=body, headers={**self._headers, "Idempotency-Key": key}, timeout=30)

    def make(self):
        key, body = str(uuid.uuid4()), {"code": f"CAD-{len(self.made)}", "name": f"Kantor {len(self.made)}", "kind": "dinas"}
        reply = self.send(key, body)
        assert reply.status_code == 201, reply.text
        self.made.append((key, body, reply.json()["id"]))

    def changes(self, after=None):
        return requests.get(f"{self._url}/v1/changes", params={"entity": "unit", "limit": 1000, **({"after": after} if after else {})}, headers=self._headers, timeout=30)

    def read_on(self, after=None):
        """Codes told behind a token, and the token behind them."""
        codes = []
        while True:
            reply = self.changes(after)
            assert reply.status_code == 200, reply.text
            page = reply.json()
            codes += [change["key"] for change in page["changes"]]
            after = page["next"]
            if not page["more"]:
                return codes, after


@pytest.fixture(scope="module")
def restored(cluster, empty_template, tmp_path_factory):
    """The office after the loss, its tokens, and what it had made by when."""
    lost = cluster.create(template=empty_template)
    daemon = daemons.Daemon(cluster.database_url(lost))
    office = Office(daemon)
    for _ in range(20):
        office.make()
    early = office.read_on()[1]
    ends = threading.Event()

    def write():
        while not ends.is_set():
            office.make()

    writer = daemons.StreamReader(write)
    directory = tmp_path_factory.mktemp("backup")
    dump = Path(script("asnd-backup", cluster.database_url(lost), directory).stdout.strip())
    ends.set()
    writer.get()
    for _ in range(20):
        office.make()
    late = office.read_on()[1]
    daemon.stop()
    cluster.drop(lost)

    name = cluster.create(label="restored")
    said = script("asnd-restore", cluster.database_url(name), dump).stdout
    daemon = daemons.Daemon(cluster.database_url(name))
    office.follow(daemon)
    yield {"office": office, "early": early, "late": late, "said": said, "dump": dump, "url": cluster.database_url(name)}
    daemon.stop()
    cluster.drop(name)


def units_of(url):
    return [row[0] for row in postgres.query(url, "SELECT code FROM unit WHERE code LIKE 'CAD-%' ORDER BY created_at, code")]


def test_what_was_acknowledged_before_the_backup_is_there(restored):
    made = [body["code"] for _, body, _ in restored["office"].made]
    kept = units_of(restored["url"])
    assert len(kept) >= 20 and kept == made[:len(kept)] and len(kept) <= len(made) - 20


def test_it_was_checked(restored):
    assert "0 faults" in restored["said"] and "feed of changes goes on behind position" in restored["said"], restored["said"]


def test_a_reader_who_was_not_further_goes_on(restored):
    codes, _ = restored["office"].read_on(restored["early"])
    assert codes[:len(units_of(restored["url"])) - 20] == [code for code in units_of(restored["url"])[20:]]


def test_a_reader_who_was_further_is_told_to_load_anew(restored):
    """Also when as much was written since as was lost: his token is then no longer beyond everything."""
    for _ in range(3):
        reply = restored["office"].changes(restored["late"])
        assert reply.status_code == 410 and reply.json()["code"] == "changes-forgotten"
        restored["office"].make()


def test_a_retry_of_what_was_made_is_answered_as_the_first_time(restored):
    key, body, unit = restored["office"].made[0]
    before = units_of(restored["url"])
    reply = restored["office"].send(key, body)
    assert reply.status_code == 201 and reply.headers["Idempotency-Replayed"] == "true" and reply.json()["id"] == unit
    assert units_of(restored["url"]) == before


def test_a_retry_of_what_was_lost_is_made_now(restored):
    lost = next(entry for entry in restored["office"].made if entry[1]["code"] not in units_of(restored["url"]))
    reply = restored["office"].send(lost[0], lost[1])
    assert reply.status_code == 201 and "Idempotency-Replayed" not in reply.headers
    assert units_of(restored["url"]).count(lost[1]["code"]) == 1


def test_a_database_that_is_not_empty_is_left_alone(restored):
    done = script("asnd-restore", restored["url"], restored["dump"], check=False)
    assert done.returncode == 1 and "not empty" in done.stderr and "make an empty one beside it" in done.stderr


def test_owner_and_daemon_must_mean_one_database(restored, cluster):
    """As where `source .local/env` left the owner's address and only ASND_DATABASE_URL names the empty one."""
    name = cluster.create(label="beside")
    done = script("asnd-restore", cluster.database_url(name), restored["dump"], check=False, ASND_OWNER_DATABASE_URL=restored["url"])
    assert done.returncode == 1 and "name the empty one in both" in done.stderr and name in done.stderr
    cluster.drop(name)


def test_a_role_that_may_not_read_all_is_told_whom_to_name(restored, cluster, tmp_path):
    """One without rights, and one that row security holds; nothing is left in the directory."""
    for role, rights in (("backup_none", ""), ("backup_some", "pg_read_all_data")):
        cluster.execute(f"CREATE ROLE {role} LOGIN" + (f" IN ROLE {rights}" if rights else ""))
        done = script("asnd-backup", f"{restored['url']}&user={role}", tmp_path, check=False)
        cluster.execute(f"DROP ROLE {role}")
        said = done.stderr.splitlines()
        assert done.returncode == 1 and len(said) == 1 and f"the role {role} may not read all" in said[0] and "ASND_OWNER_DATABASE_URL" in said[0], done.stderr
        assert not list(tmp_path.iterdir())


def test_a_dump_that_was_damaged_is_refused(restored, cluster, tmp_path):
    for suffix in ("", ".sha256", ".seal"):
        source = Path(f"{restored['dump']}{suffix}")
        if source.exists():
            (tmp_path / source.name).write_bytes(source.read_bytes())
    dump = tmp_path / restored["dump"].name
    damaged = bytearray(dump.read_bytes())
    damaged[len(damaged) // 2] ^= 1
    dump.write_bytes(damaged)
    name = cluster.create(label="untouched")
    done = script("asnd-restore", cluster.database_url(name), dump, check=False)
    assert done.returncode == 1 and "SHA-256" in done.stderr
    assert postgres.query(cluster.database_url(name), "SELECT count(*) FROM pg_class WHERE relname = 'unit'")[0][0] == 0
    cluster.drop(name)


def test_a_password_is_not_taken_among_the_arguments(tmp_path):
    secret = daemons.planted("hQ7wPzXk31v")
    done = script("asnd-backup", f"postgresql://asnd:{secret}@localhost/asnd", tmp_path, check=False)
    assert done.returncode == 1 and "pgpass" in done.stderr and secret not in done.stderr and not list(tmp_path.iterdir())


def test_the_column_keys_are_kept_apart_and_missed(cluster, empty_template, tmp_path):
    """They are not in the backup, and it says so; a restore without them says that, and one with them has the NIK again."""
    first, second = (cluster.database_url(cluster.create(template=empty_template)) for _ in range(2))
    keys = tmp_path / "column-keys"
    daemons.run(first, "column-keys", "new", keys)
    with_keys = {"ASND_COLUMN_KEYS_FILE": str(keys)}
    units, people = tmp_path / "units.csv", tmp_path / "asn.csv"
    units.write_text("code,name,kind\nKK-1,Kantor Kunci,dinas\n")
    people.write_text("nip,kind,name,unit_code,nik\n199001152015031001,PNS,Contoh Kunci,KK-1,7602011501901234\n")
    for kind, file in (("units", units), ("asn", people)):
        daemons.run(first, "import", kind, file, **with_keys)
    done = script("asnd-backup", first, tmp_path, **with_keys)
    assert f"not in it: the column keys, {keys}" in done.stderr
    dump = Path(done.stdout.strip())
    plain = subprocess.run(["pg_restore", "--file=-", str(dump)], capture_output=True, text=True, check=True).stdout
    assert "Contoh Kunci" in plain and "7602011501901234" not in plain
    cluster.execute(f'DROP DATABASE "{second.rsplit("=", 1)[1]}" WITH (FORCE)')
    cluster.execute(f'CREATE DATABASE "{second.rsplit("=", 1)[1]}"')
    refused = script("asnd-restore", second, dump, check=False)
    assert refused.returncode == 1 and "column keys are missing" in refused.stderr, refused
    assert "KEY MISSING" in daemons.run(second, "column-keys", "status", check=False).stdout
    found = daemons.run(second, "column-keys", "status", **with_keys).stdout
    assert "asn.nik" in found and "KEY MISSING" not in found
