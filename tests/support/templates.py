# SPDX-License-Identifier: Apache-2.0
"""Two databases that tests copy theirs from: `empty`, with the schema alone, and `filled`, with the units and people of tests/data besides. Made once by
each program and day, in a cluster whose files are kept: whoever needs a cluster with them copies the files."""
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
MANY = 4  # as many programs as a run of all tests has, about
EMPTY, FILLED = "asnd_empty", "asnd_filled"


def make(cluster):
    """Both, by the product's own migrations and import."""
    cluster.execute(f"CREATE DATABASE {EMPTY}")
    daemons.run(cluster.database_url(EMPTY), "migrate")
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


def _key():
    """Of all that decides what stands in them: who makes them, from what, in which servers, on which day of the regency."""
    servers = [os.environ.get("ASND_TEST_PG_BIN"), *sorted(map(str, Path("/usr/lib/postgresql").glob("*/bin/postgres")))]
    digest = hashlib.sha256(f"{servers} {datetime.now(timezone(timedelta(hours=8))).date()}".encode())
    for path in (daemons.program(), ROOT / "tests/unit/with-postgres.sh", *sorted(DATA.glob("*.csv"))):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def _kept():
    home = KEPT / _key()
    if not home.exists():
        for old in sorted((p for p in KEPT.iterdir() if p.is_dir()), key=lambda p: p.stat().st_mtime)[:-MANY + 1]:
            shutil.rmtree(old)
        made = postgres.Cluster(own=True, options="-c min_wal_size=32MB", kept_as=home)
        make(made)
        made.close()
        assert home.exists(), "the cluster did not end in order"
    return home


@contextmanager
def _locked():
    KEPT.mkdir(parents=True, exist_ok=True)
    with (KEPT / "lock").open("w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
