# SPDX-License-Identifier: Apache-2.0
"""Clients that write, and the book that they keep of what was confirmed to them."""
import threading
import time

import requests

from support import postgres

# While the database is away or coming back these may be answered, and nothing else.
TEMPORARY = {503, 504}


class Writers:
    """Clients that create units, each request under a key of its own, and say again what got no clear answer until it does."""

    def __init__(self, url, key, count=8):
        self.url, self.key = url, key
        self.confirmed, self.odd, self.broken = {}, [], 0
        self.longest_gap, self._last = 0.0, time.monotonic()  # seconds between two confirmations
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._give_up = threading.Event()
        self._threads = [threading.Thread(target=self._write, args=(n,)) for n in range(count)]
        for thread in self._threads:
            thread.start()

    def _once(self, session, code):
        try:
            return session.post(self.url + "/v1/units", json={"code": code, "name": "Unit kacau", "kind": "bidang"}, timeout=60,
                                headers={"Authorization": f"Bearer {self.key}", "Idempotency-Key": code})
        except requests.RequestException:
            return None

    def _write(self, writer):
        session = requests.Session()
        session.trust_env = False
        turn = 0
        while not self._stop.is_set():
            code = f"K{writer}-{turn}"
            end = time.monotonic() + 120
            while time.monotonic() < end and not self._give_up.is_set():
                reply = self._once(session, code)
                with self._lock:
                    if reply is not None and reply.status_code == 201:
                        self.confirmed[code] = reply.json()["id"]
                        self.longest_gap = max(self.longest_gap, time.monotonic() - self._last)
                        self._last = time.monotonic()
                        break
                    if reply is None or reply.status_code in TEMPORARY or (reply.status_code == 409 and reply.json()["code"] == "idempotency-running"):
                        self.broken += 1
                    else:
                        self.odd.append((code, reply.status_code, reply.text[:300]))
                        break
                time.sleep(0.02)
            turn += 1

    def wait_for(self, more):
        """Until that many further writes were confirmed."""
        goal = len(self.confirmed) + more
        end = time.monotonic() + 120
        while len(self.confirmed) < goal:
            assert time.monotonic() < end, f"stuck at {len(self.confirmed)}: {self.odd[:3]}"
            time.sleep(0.01)

    def stop(self, give_up=False):
        """Each ends with what it is at; giving up, without having had its confirmation."""
        self._stop.set()
        if give_up:
            self._give_up.set()
        for thread in self._threads:
            thread.join()

    def check(self, database):
        assert not self.odd, self.odd[:5]
        stored = dict(postgres.query(database, "SELECT code, id::text FROM unit WHERE code LIKE 'K%-%'"))
        lost = {c: i for c, i in self.confirmed.items() if stored.get(c) != i}
        assert not lost, f"confirmed and not there: {lost}"
        assert set(stored) == set(self.confirmed), "stored and never confirmed, although each was asked again until it was"


def until(look, seconds=30):
    end = time.monotonic() + seconds
    while not look():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.02)
