# SPDX-License-Identifier: Apache-2.0
"""A throw-away PostgreSQL cluster and databases in it."""
import itertools
import os
import re
import shutil
import subprocess
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import psycopg2
from psycopg2 import extensions

ROOT = Path(__file__).resolve().parents[2]
MEMORY, GB = Path("/dev/shm"), 1 << 30


def place():
    """Where a cluster that nobody wants to keep stands: in memory, where there is much of it, for a new database is some thousand files, and on a disk they are most of what it takes."""
    if "TMPDIR" in os.environ or not os.access(MEMORY, os.W_OK):
        return {}
    left = int(re.search(r"^MemAvailable: *(\d+) kB", Path("/proc/meminfo").read_text(encoding="ascii"), re.M)[1]) * 1024
    return {"TMPDIR": str(MEMORY)} if left > 8 * GB and shutil.disk_usage(MEMORY).free > 6 * GB else {}


class Cluster:
    """The cluster of $ASND_TEST_DATABASE_URL, or one of our own that lives as long as this object."""

    _numbers = itertools.count(1)

    def __init__(self, own=False, options="", data=None, kept_as=None):
        """`data`: the files of a cluster that was ended in order, to start from a copy of; `kept_as`: where ours go when it is closed."""
        self._process = None
        self.url = None if own else os.environ.get("ASND_TEST_DATABASE_URL")
        self.pid = int(os.environ.get("ASND_TEST_PG_PID", 0))
        if not self.url:
            # The shell prints where it is and then waits for its standard input to end, which it does when we do.
            environment = dict(os.environ, **place(), ASND_TEST_PG_OPTIONS=f"-c max_wal_size=256MB {os.environ.get('ASND_TEST_PG_OPTIONS', '')} {options}", ASND_TEST_PG_DATA=str(data or ""), ASND_TEST_PG_KEPT_AS=str(kept_as or ""))
            self._process = subprocess.Popen(
                [str(ROOT / "tests/unit/with-postgres.sh"), "sh", "-c", 'echo "$ASND_TEST_DATABASE_URL $ASND_TEST_PG_PID"; exec cat'],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment)
            line = self._process.stdout.readline().split()
            if len(line) != 2:
                raise RuntimeError("no PostgreSQL cluster could be made; its words are above")
            self.url, self.pid = line[0], int(line[1])

    def database_url(self, name):
        return f"{self.url}&dbname={name}"

    def execute(self, statement):
        """Outside of any transaction, on the maintenance database."""
        connection = psycopg2.connect(self.database_url("postgres"))
        try:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(statement)
        finally:
            connection.close()

    def create(self, template="template0", label="asnd"):
        """A new database; gives its name."""
        name = f"{label}_{os.getpid()}_{next(self._numbers)}"
        self.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}" STRATEGY FILE_COPY')  # by the log, page by page, it takes twice as long
        return name

    def drop(self, name):
        self.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def close(self):
        if self._process:
            self._process.stdin.close()
            self._process.wait(timeout=60)


@contextmanager
def connected(url, autocommit=True):
    connection = psycopg2.connect(url)
    connection.autocommit = autocommit
    try:
        yield connection
    finally:
        connection.close()


class Reader:
    """As query(), by a connection that is kept: a new one takes longer than most statements. Of several threads each has its own; each statement begins with a new session's settings."""

    def __init__(self, url):
        self._url, self._own, self._all = url, threading.local(), []

    def __call__(self, statement, parameters=None):
        connection = getattr(self._own, "connection", None)
        if connection is None or connection.closed:
            connection = self._own.connection = psycopg2.connect(self._url)
            self._all.append(connection)
        try:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(statement, parameters)
                return cursor.fetchall() if cursor.description else []
        finally:
            if not connection.closed:
                if connection.info.transaction_status != extensions.TRANSACTION_STATUS_IDLE:  # of a statement that began one itself and failed within
                    with connection.cursor() as cursor:
                        cursor.execute("ROLLBACK")
                connection.reset()

    def close(self):
        """What it has open; asked again, it connects again."""
        for connection in self._all:
            connection.close()
        self._all.clear()


def query(url, statement, parameters=None):
    """The rows of one statement, on a connection of its own: a reader independent of the daemon."""
    with connected(url) as connection, connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return cursor.fetchall() if cursor.description else []


def until_somebody_waits(url, seconds=30):
    """Returns once a session of this database waits for another's lock."""
    end = time.monotonic() + seconds
    waits = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    while query(url, waits)[0][0] == 0:
        assert time.monotonic() < end, "nobody came to wait for the lock"
