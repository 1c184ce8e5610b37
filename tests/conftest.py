# SPDX-License-Identifier: Apache-2.0
"""Fixtures of all tests that need a daemon. Each module gets a database of its own, copied from a migrated template with the people and
units of tests/data, and a daemon on it."""
import os
import signal
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))

from support import client, contract as contracts, daemon as daemons, postgres, templates  # noqa: E402

# Who is started in the background ignores Ctrl-C, and so would every program that is started here to be interrupted.
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def contract():
    return contracts.load()


@pytest.fixture(scope="session")
def cluster():
    found = templates.cluster()
    yield found
    found.close()


@pytest.fixture(scope="session")
def empty_template(cluster):
    """A database with the schema and nothing else."""
    assert cluster
    return templates.EMPTY


@pytest.fixture(scope="session")
def template(cluster):
    """The schema, and the units and people of tests/data by the product's own import."""
    assert cluster
    return templates.FILLED


@pytest.fixture(scope="module")
def database(cluster, template):
    """The URL of this module's own database."""
    name = cluster.create(template=template)
    yield cluster.database_url(name)
    cluster.drop(name)


@pytest.fixture(scope="module")
def settings():
    """Settings of this module's daemon; a module may override this fixture."""
    return {}


@pytest.fixture(scope="module")
def daemon(database, settings, request):
    running = daemons.Daemon(database, name=request.module.__name__, **settings)
    yield running
    running.stop()
    client.audited.update(name for name, in postgres.query(database, "SELECT DISTINCT operation FROM audit_entry"))


@pytest.fixture(scope="module")
def keys(daemon):
    """Gives a key for scopes and units, the same one for the same question."""
    made = {}

    def make(*scopes, units=()):
        question = (scopes, tuple(units))
        if question not in made:
            made[question] = daemon.create_key(name=("+".join(scopes) or "none")[:200], scopes=scopes, units=units)
        return made[question]
    return make


@pytest.fixture(scope="module")
def anonymous(daemon):
    return client.Client(daemon.url)


@pytest.fixture(scope="module")
def api(daemon, keys):
    """A client that may everything."""
    return client.Client(daemon.url, keys("admin"))


@pytest.fixture(scope="module")
def sql(database):
    """A reader and writer beside the daemon."""
    beside = postgres.Reader(database)
    yield beside
    beside.close()


def pytest_collection_modifyitems(items):
    """Files that say TAKES_LONG go first: at the end one worker would be left with them while the others have nothing to do."""
    items.sort(key=lambda item: not getattr(item.module, "TAKES_LONG", False))


# ── the whole contract must have been met ── asked for by scripts/test.sh, which runs all of tests/api, a file at a time on each core
def pytest_sessionfinish(session, exitstatus):
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["seen"] = {operation: sorted(met) for operation, met in client.seen.items()}
        session.config.workeroutput["written"], session.config.workeroutput["audited"] = sorted(client.written), sorted(client.audited)
    elif exitstatus == 0 and _gaps():
        session.exitstatus = 1


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node, error):
    for operation, met in getattr(node, "workeroutput", {}).get("seen", {}).items():
        client.seen[operation].update(met)
    client.written.update(getattr(node, "workeroutput", {}).get("written", ()))
    client.audited.update(getattr(node, "workeroutput", {}).get("audited", ()))


def pytest_terminal_summary(terminalreporter):
    lines = _gaps()
    if lines:
        terminalreporter.section("operations that the tests never met")
        terminalreporter.write_line("\n".join(lines))


def _gaps():
    return client.uncovered(contracts.load()) if os.environ.get("ASND_TEST_COVERAGE") == "1" else []
