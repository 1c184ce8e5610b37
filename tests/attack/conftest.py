# SPDX-License-Identifier: Apache-2.0
"""One daemon for all attacks of a run, full of things (tests/api's world); a module that needs a daemon of its own makes it."""
import importlib.util
from pathlib import Path

import pytest

from support import client, contract as contracts, daemon as daemons, make, postgres
from support.wire import Wire

_spec = importlib.util.spec_from_file_location("api_world", Path(__file__).resolve().parents[1] / "api/conftest.py")
_api = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_api)
_make_world = _api.world.__pytest_wrapped__.obj


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """All that needs the world goes to one worker, so that it is made once; the rest goes file by file."""
    for item in items:
        item.add_marker(pytest.mark.xdist_group("world" if "world" in item.fixturenames else item.path.name))


def keys_of(daemon):
    made = {}

    def give(*scopes, units=()):
        question = (scopes, tuple(units))
        if question not in made:
            made[question] = daemon.create_key(name=("+".join(scopes) or "none")[:200], scopes=scopes, units=units)
        return made[question]
    return give


@pytest.fixture(scope="session")
def database(cluster, template):
    name = cluster.create(template=template, label="attack")
    yield cluster.database_url(name)
    cluster.drop(name)


@pytest.fixture(scope="session")
def daemon(database):
    running = daemons.Daemon(database, name="attack", wrong_key_rate=1000000, public_rate=1000000, token_rate=1000000, statement_timeout_ms=20000)
    yield running
    running.stop()


@pytest.fixture(scope="session")
def keys(daemon):
    return keys_of(daemon)


@pytest.fixture(scope="session")
def api(daemon, keys):
    return client.Client(daemon.url, keys("admin"))


@pytest.fixture(scope="session")
def anonymous(daemon):
    return client.Client(daemon.url)


@pytest.fixture(scope="session")
def sql(database):
    return lambda statement, parameters=None: postgres.query(database, statement, parameters)


@pytest.fixture(scope="session")
def office(api):
    make.begin()
    return make.unit(api, kind="dinas", name="Dinas Rahasia")


@pytest.fixture(scope="session")
def world(api, keys, office):
    return _make_world(api, keys, office)


@pytest.fixture(scope="session")
def stranger(api, keys, world):
    """A key that may everything, of an office that has nothing to do with the world's, with a person of its own."""
    unit = make.unit(api, kind="dinas", name="Dinas Asing")
    make.person(api, unit["id"], name="Orang Sendiri")
    return api.as_key(keys("admin", units=(unit["code"],)))


@pytest.fixture(scope="session")
def wire(daemon):
    opened = Wire(daemon.port)
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def contract():
    return contracts.load()
