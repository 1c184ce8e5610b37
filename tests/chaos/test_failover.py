# SPDX-License-Identifier: Apache-2.0
"""The primary dies under load and its standby takes its place: clients wait, and nothing that was confirmed is lost."""
import re

import pytest
import requests
from conftest import DATA, Server

from support import daemon as daemons, postgres
from support.writers import TEMPORARY, Writers, until


@pytest.fixture
def primary():
    running = Server()
    yield running
    running.close()


@pytest.fixture
def standby(primary):
    """Each commit is on its disk, too, before it is confirmed."""
    daemons.run(primary.url, "import", "units", DATA / "units.csv")
    running = Server(follows=primary)
    until(lambda: primary.execute("SELECT 1 FROM pg_stat_replication WHERE state = 'streaming'"))
    primary.execute("ALTER SYSTEM SET synchronous_standby_names = 'standby'")
    primary.execute("SELECT pg_reload_conf()")
    until(lambda: primary.execute("SELECT 1 FROM pg_stat_replication WHERE sync_state = 'sync'"))
    yield running
    running.close()


@pytest.fixture
def both(primary, standby):
    """Whichever of the two takes writes."""
    return f"postgresql://postgres@/asnd?host={primary.home},{standby.home}&target_session_attrs=read-write"


def promote(standby):
    """What the operator's script does, or Patroni."""
    standby.execute("SELECT pg_promote(true, 60)")


def test_nothing_that_was_confirmed_is_lost_when_the_standby_takes_over(primary, standby, both):
    daemon = daemons.Daemon(both, name="failover")
    key = daemon.create_key(name="f", scopes=["admin"])
    writers = Writers(daemon.url, key)
    try:
        writers.wait_for(100)
        writers.longest_gap = 0.0
        before = len(writers.confirmed)
        primary.kill()
        daemon.wait_not_ready()
        assert postgres.query(standby.url, "SELECT pg_is_in_recovery()") == [(True,)], "it could be read, and is no database to serve from"
        promote(standby)
        writers.wait_for(100)
        writers.stop()
        writers.check(standby.url)
        print(f"failover: {before} writes confirmed before and {len(writers.confirmed) - before} after, 0 lost, 0 doubled; "
              f"none was confirmed for {writers.longest_gap * 1000:.0f} ms, {writers.broken} answers said to come again")
        assert writers.broken > 0, "nobody noticed: the test tested nothing"
        assert writers.longest_gap < 30
        daemon.wait_ready()
    finally:
        writers.stop(give_up=True)
        daemon.stop()


def reads_at_the_standby(daemon):
    return int(re.search(r'^asnd_reads_total\{server="standby"\} (\d+)$', requests.get(f"{daemon.url}/metrics", timeout=30).text, re.MULTILINE).group(1))


class ReadAfterWrite(Writers):
    """Who has made a unit reads it with the position of its making; not to find it would be to read what is older."""

    def __init__(self, *arguments):
        self.older = []
        self.position = None
        super().__init__(*arguments)

    def _once(self, session, code):
        reply = super()._once(session, code)
        if reply is not None and reply.status_code == 201 and "Asnd-Position" in reply.headers:
            self.position = reply.headers["Asnd-Position"]
            read = session.get(f"{self.url}/v1/units/{reply.json()['id']}", timeout=60, headers={"Authorization": f"Bearer {self.key}", "Asnd-Position": self.position})
            if read.status_code not in {200, *TEMPORARY}:
                self.older.append((code, read.status_code))
        return reply


def test_reads_go_to_whoever_is_the_standby_then(primary, standby, both):
    """The standby that is read takes over; then another follows it, on the new timeline, and is read."""
    daemon = daemons.Daemon(both, name="failover-reads", replica_url=both.replace("read-write", "standby"), loops=1)
    key = daemon.create_key(name="f", scopes=["admin"])
    clients = ReadAfterWrite(daemon.url, key)
    follower = None
    try:
        until(lambda: reads_at_the_standby(daemon) > 20, 60)
        old = clients.position
        primary.kill()
        daemon.wait_not_ready()
        promote(standby)
        clients.wait_for(100)
        seen = reads_at_the_standby(daemon)
        follower = Server(follows=standby)
        follower.execute("SELECT 1")
        urls = f"postgresql://postgres@/asnd?host={standby.home},{follower.home}&target_session_attrs="
        second = daemons.Daemon(urls + "read-write", name="failover-second", replica_url=urls + "standby", loops=1)
        try:
            mine = ReadAfterWrite(second.url, key, 2)
            until(lambda: reads_at_the_standby(second) > 20, 60)
            mine.stop()
            assert mine.position.startswith("2:") and old.startswith("1:") and not mine.older
            unit = next(iter(clients.confirmed.values()))
            reply = requests.get(f"{second.url}/v1/units/{unit}", headers={"Authorization": f"Bearer {key}", "Asnd-Position": old}, timeout=30)
            assert reply.status_code == 200, "a position of the old timeline lies before the new one"
        finally:
            second.stop()
        clients.stop()
        assert reads_at_the_standby(daemon) == seen, "who was promoted is no standby"
        assert not clients.older
    finally:
        clients.stop(give_up=True)
        daemon.stop()
        if follower:
            follower.close()


def place(server, function):
    return server.execute(f"SELECT ({function}() - '0/0'::pg_lsn)::bigint")[0][0]


def test_one_on_the_old_line_is_not_read(primary, standby, both):
    """It has gone farther than the new primary, with what was never confirmed there: its numbers say nothing."""
    straggler = Server(follows=primary)
    primary.execute("ALTER SYSTEM RESET synchronous_standby_names")
    primary.execute("SELECT pg_reload_conf()")
    try:
        standby.execute("ALTER SYSTEM SET primary_conninfo = ''")
        standby.execute("SELECT pg_reload_conf()")
        until(lambda: len(primary.execute("SELECT 1 FROM pg_stat_replication")) == 1)
        for _ in range(20):
            primary.execute("CREATE TABLE lost AS SELECT generate_series(1, 10000) AS n; DROP TABLE lost", "asnd")
        until(lambda: place(straggler, "pg_last_wal_replay_lsn") >= place(primary, "pg_current_wal_flush_lsn"))
        primary.kill()
        promote(standby)
        daemon = daemons.Daemon(both, name="failover-old-line", replica_url=straggler.url, loops=1)
        try:
            until(lambda: any(line["event"] == "replica-not-used" and "timeline" in line["reason"] for line in daemon.log_lines()), 60)
            key = daemon.create_key(name="f", scopes=["admin"])
            writers = ReadAfterWrite(daemon.url, key, 2)
            writers.wait_for(50)
            writers.stop()
            assert not writers.older and reads_at_the_standby(daemon) == 0
            assert place(straggler, "pg_last_wal_replay_lsn") > place(standby, "pg_current_wal_flush_lsn"), "the test tested nothing"
        finally:
            daemon.stop()
    finally:
        straggler.close()
