# SPDX-License-Identifier: Apache-2.0
"""The primary dies under load and its standby takes its place: clients wait, and nothing that was confirmed is lost."""
import pytest
from conftest import DATA, Server

from support import daemon as daemons, postgres
from support.writers import Writers, until


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
