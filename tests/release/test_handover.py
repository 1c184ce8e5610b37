# SPDX-License-Identifier: Apache-2.0
"""One daemon after another on the socket of a service manager: nobody who keeps asking meanwhile is refused, cut or told to come again."""
import http.client
import os
import subprocess
import threading
import time

import pytest

from support import daemon as daemons
from support.manager import Manager, listening_port

CLIENTS = 8
RESTARTS = int(os.environ.get("ASND_TEST_RESTARTS", "3"))


@pytest.fixture
def manager(database):
    made = Manager(database, stop_delay_ms=300)
    yield made
    made.close()


class Client(threading.Thread):
    """Asks on one kept connection until told to end; whatever is not a 200 is a failure."""

    def __init__(self, port, key):
        super().__init__(daemon=True)
        self.answers, self.failures, self.slowest = 0, [], 0.0
        self._port, self._key, self._ends = port, key, threading.Event()
        self.start()

    def run(self):
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=60)
        while not self._ends.is_set():
            began = time.monotonic()
            try:
                connection.request("GET", "/v1/asn?limit=5", headers={"Authorization": f"Bearer {self._key}"})
                reply = connection.getresponse()
                reply.read()
                if reply.status != 200:
                    self.failures.append(reply.status)
            except OSError as error:
                self.failures.append(repr(error))
                connection.close()
            except http.client.HTTPException as error:
                self.failures.append(repr(error))
                connection.close()
            self.answers += 1
            self.slowest = max(self.slowest, time.monotonic() - began)
        connection.close()

    def wait_for(self, answers):
        """Until this many more have come."""
        wanted, end = self.answers + answers, time.monotonic() + 60
        while self.answers < wanted:
            assert time.monotonic() < end, "no answers any more"
            time.sleep(0.005)

    def end(self):
        self._ends.set()
        self.join(60)


@pytest.fixture
def clients(manager, database):
    key = daemons.create_key(database, scopes=["asn.read"])
    made = [Client(manager.port, key) for _ in range(CLIENTS)]
    yield made
    for client in made:
        client.end()


def after(clients):
    for client in clients:
        client.end()
    slowest = max(client.slowest for client in clients)
    print(f"{sum(client.answers for client in clients)} answers, {sum(len(client.failures) for client in clients)} failures, slowest {slowest * 1000:.0f} ms")
    return [failure for client in clients for failure in client.failures]


def test_the_next_one_starts_before_the_last_one_ends(manager, clients):
    service = manager.start()
    for _ in range(RESTARTS):
        follower = manager.start()
        for client in clients:
            client.wait_for(20)
        log = service.stop()
        assert listening_port(log) == manager.port
        service = follower
        for client in clients:
            client.wait_for(20)
    assert after(clients) == []


def test_the_next_one_starts_after_the_last_one_has_ended(manager, clients):
    """As `systemctl restart` does: who comes in between waits in the socket's queue."""
    service = manager.start()
    for _ in range(RESTARTS):
        for client in clients:
            client.wait_for(20)
        service.stop()
        service = manager.start()
    for client in clients:
        client.wait_for(20)
    assert after(clients) == []


def test_the_manager_hears_of_start_life_and_stop(manager):
    service = manager.start(watchdog_us=300_000)
    for _ in range(5):
        service.hear("WATCHDOG=1")
    service.ask_to_stop()
    service.hear("STOPPING=1")
    assert service.process.wait(60) == 0


def test_without_a_watchdog_nothing_is_said_of_it(manager):
    service = manager.start()
    service.ask_to_stop()
    assert "WATCHDOG" not in service.hear("STOPPING=1")


def test_a_descriptor_that_does_not_listen_is_refused(database, tmp_path):
    """A plain file in the socket's place: one clear line, and nothing is served."""
    file = tmp_path / "no-socket"
    file.touch()
    done = subprocess.run(["bash", "-c", f'exec 3<"{file}"; LISTEN_FDS=1 LISTEN_PID=$$ exec "$0" serve', str(daemons.program())], text=True,
                          capture_output=True, timeout=60, env={"PATH": "/usr/bin:/bin", "ASND_DATABASE_URL": database})
    assert done.returncode == 1 and "cannot-listen" in done.stderr, done.stderr
