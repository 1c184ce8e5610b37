# SPDX-License-Identifier: Apache-2.0
"""A PostgreSQL that may be killed and started again, with a daemon on it."""
from pathlib import Path

import pytest

from support import client as clients, daemon as daemons
from support.servers import Server

DATA = Path(__file__).resolve().parents[1] / "data"


@pytest.fixture(scope="module")
def server():
    running = Server()
    yield running
    running.close()


@pytest.fixture(scope="module")
def database(server):
    daemons.run(server.url, "import", "units", DATA / "units.csv")
    return server.url


@pytest.fixture(scope="module")
def api(daemon, keys):
    return clients.Client(daemon.url, keys("admin"))
