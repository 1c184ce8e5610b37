# SPDX-License-Identifier: Apache-2.0
"""Fixtures of all tests that need a daemon. Each module gets a database of its own, copied from a migrated template with the people and
units of tests/data, and a daemon on it."""
import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))

from support import client, contract as contracts, daemon as daemons, postgres  # noqa: E402

DATA = Path(__file__).resolve().parent / "data"


@pytest.fixture(scope="session")
def contract():
    return contracts.load()


@pytest.fixture(scope="session")
def cluster():
    found = postgres.Cluster()
    yield found
    found.close()


@pytest.fixture(scope="session")
def empty_template(cluster):
    """A database with the schema and nothing else."""
    name = cluster.create(label="empty")
    daemons.run(cluster.database_url(name), "migrate")
    yield name
    cluster.drop(name)


@pytest.fixture(scope="session")
def template(cluster, empty_template):
    """The schema, and the units and people of tests/data by the product's own import."""
    name = cluster.create(template=empty_template, label="filled")
    url = cluster.database_url(name)
    daemons.run(url, "import", "units", DATA / "units.csv")
    daemons.run(url, "import", "asn", DATA / "asn.csv")
    yield name
    cluster.drop(name)


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
    return lambda statement, parameters=None: postgres.query(database, statement, parameters)


# ── the whole contract must have been met ── asked for by scripts/test.sh, which runs all of tests/api
def pytest_terminal_summary(terminalreporter):
    lines = _gaps()
    if lines:
        terminalreporter.section("operations that the tests never met")
        terminalreporter.write_line("\n".join(lines))


def pytest_sessionfinish(session, exitstatus):
    if exitstatus == 0 and _gaps():
        session.exitstatus = 1


def _gaps():
    return client.uncovered(contracts.load()) if os.environ.get("ASND_TEST_COVERAGE") == "1" else []
