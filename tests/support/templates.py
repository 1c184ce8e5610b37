# SPDX-License-Identifier: Apache-2.0
"""Two databases that tests copy theirs from: `empty`, with the schema alone, and `filled`, with the units and people of tests/data besides. Made once by
each program and day, in a cluster whose files are kept: whoever needs a cluster with them copies the files. The migrations, which take ten times as long as
all the rest, are run once for all programs that have the same ones, and kept as well."""
import fcntl
import hashlib
import os
import shutil
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from pathlib import Path

from support import daemon as daemons, postgres

ROOT = postgres.ROOT
DATA = ROOT / "tests/data"
KEPT = ROOT / ".local/clusters"
MANY = 6  # as many programs as a run of all tests has, about, and the schema alone
EMPTY, FILLED = "asnd_empty", "asnd_filled"


def make(cluster):
    """Both, by the product's own migrations and import."""
    _migrate(cluster)
    fill(cluster)


def fill(cluster):
    """The other, in a cluster that has the first one."""
    daemons.run(cluster.database_url(EMPTY), "check")  # so that the daemons of tests find it checked
    cluster.execute(f"CREATE DATABASE {FILLED} TEMPLATE {EMPTY}")
    for what in ("units", "asn"):
        daemons.run(cluster.database_url(FILLED), "import", what, DATA / f"{what}.csv")


def cluster():
    """A cluster that has both; the one that is given, or else one of our own."""
    if os.environ.get("ASND_TEST_DATABASE_URL"):
        found = postgres.Cluster()
        if not postgres.query(found.database_url("postgres"), "SELECT 1 FROM pg_database WHERE datname = %s", (FILLED,)):
            make(found)
        return found
    with _locked():
        return postgres.Cluster(own=True, data=_kept())


def copy(start):
    """What `start` makes of the files, which it copies."""
    with _locked():
        return start(_kept())


@contextmanager
def files():
    """Of a cluster that has both, to be copied meanwhile."""
    with _locked():
        yield _kept()


def _digest(*paths):
    """Of these files and of all else that decides what stands in a cluster: in which servers it was made, how, on which day of the regency."""
    servers = [os.environ.get("ASND_TEST_PG_BIN"), *sorted(map(str, Path("/usr/lib/postgresql").glob("*/bin/postgres")))]
    digest = hashlib.sha256(f"{servers} {datetime.now(timezone(timedelta(hours=8))).date()}".encode())
    for path in (ROOT / "tests/unit/with-postgres.sh", *paths):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def _kept():
    return _keep(KEPT / _digest(daemons.program(), *sorted(DATA.glob("*.csv"))), _make)


def _make(home):
    migrations = sorted((ROOT / "migrations").glob("*.sql"))
    program = daemons.program().read_bytes()
    if not all(path.read_bytes() in program for path in migrations):  # built before one of them was written: its schema is another
        _in_a_cluster(make, home)
        return
    schema = _keep(KEPT / f"schema-{_digest(*migrations)}", lambda kept: _in_a_cluster(_migrate, kept))
    _in_a_cluster(fill, home, schema)


def _migrate(cluster):
    cluster.execute(f"CREATE DATABASE {EMPTY}")
    daemons.run(cluster.database_url(EMPTY), "migrate")


def _in_a_cluster(fill_it, home, data=None):
    made = postgres.Cluster(own=True, options="-c min_wal_size=32MB", data=data, kept_as=home)
    try:
        fill_it(made)
    except BaseException:
        made.close()
        shutil.rmtree(home, ignore_errors=True)  # half made, it would be taken for whole
        raise
    made.close()
    assert home.exists(), "the cluster did not end in order"


def _keep(home, make_it):
    if not home.exists():
        for old in sorted((p for p in KEPT.iterdir() if p.is_dir()), key=lambda p: p.stat().st_mtime)[:-MANY + 1]:
            shutil.rmtree(old)
        make_it(home)
    os.utime(home)
    return home


@contextmanager
def _locked():
    KEPT.mkdir(parents=True, exist_ok=True)
    with (KEPT / "lock").open("w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
