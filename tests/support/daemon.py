# SPDX-License-Identifier: Apache-2.0
"""asnd as a process: its subcommands, and the daemon with its log."""
import json
import os
import signal
import subprocess
import tempfile
import threading
import time
from functools import lru_cache
from pathlib import Path

import requests

from support import contract, sanitizer

ROOT = Path(__file__).resolve().parents[2]
DEFAULT_PROGRAM = ROOT / "build/asan/asnd"

# A sanitizer's finding ends the daemon with this status, so that a test sees it.
SANITIZERS = {
    "ASAN_OPTIONS": "exitcode=99:detect_leaks=1:abort_on_error=0",
    "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1:exitcode=99",
    "TSAN_OPTIONS": f"exitcode=99:halt_on_error=0:second_deadlock_stack=1:suppressions={ROOT / 'tests/concurrent/tsan.supp'}",
}


def program():
    return Path(os.environ.get("ASND_TEST_ASND", DEFAULT_PROGRAM))


def run(database_url, *arguments, check=True, **environment):
    """One subcommand to its end; gives the completed process with its output as text."""
    done = subprocess.run([str(program()), *map(str, arguments)], text=True, capture_output=True, timeout=600,
                          env={**os.environ, **SANITIZERS, "ASND_DATABASE_URL": database_url, **environment})
    if check and done.returncode != 0:
        raise AssertionError(f"asnd {' '.join(map(str, arguments))}: status {done.returncode}\n{done.stdout}{done.stderr}")
    return done


def planted(secret):
    """Notes a secret that must never be found in a log; tests/support/scan_logs.py looks for it."""
    directory = os.environ.get("ASND_TEST_LOGS")
    if directory:
        path = Path(directory).parent / "planted.txt"
        with path.open("a", encoding="utf-8") as file:
            file.write(secret + "\n")
    return secret


@lru_cache(maxsize=None)
def scopes_alone():
    """A contract with every scope and nothing else: to make a key asks for no more, and to compile the whole one takes ten times as long as all the rest."""
    file = tempfile.NamedTemporaryFile("w", prefix="asnd-scopes.", suffix=".yaml", encoding="utf-8")
    json.dump({"openapi": "3.1.0", "info": {"title": "scopes", "version": "1"}, "x-partial": True,
               "components": {"securitySchemes": {"apiKey": {"type": "http", "scheme": "bearer"}}},
               "paths": {"/": {"get": {"operationId": "scopes", "security": [{"apiKey": contract.load().scopes}], "responses": {"204": {"description": "None"}}}}}}, file)
    file.flush()
    return file


def create_key(database_url, *, name="test", scopes=(), units=(), expires=None):
    arguments = ["key", "create", "--name", name]
    for scope in scopes:
        arguments += ["--scope", scope]
    for unit in units:
        arguments += ["--unit", unit]
    if expires:
        arguments += ["--expires", expires]
    return planted(run(database_url, *arguments, ASND_CONTRACT=scopes_alone().name).stdout.strip())


def revoke_key(database_url, key_id):
    run(database_url, "key", "revoke", key_id)


class Daemon:
    """`asnd serve` on a port of the system's choice; ready when the constructor returns."""

    def __init__(self, database_url, name="asnd", wait_ready=True, command=None, environment=None, **settings):
        """`command`: what is run instead of the program, with `serve` behind it."""
        self.database_url = database_url
        self._has_failed = False
        directory = Path(os.environ.get("ASND_TEST_LOGS") or ROOT / ".local/test/daemons")
        directory.mkdir(parents=True, exist_ok=True)
        self.log_path = directory / f"{name}.{os.getpid()}.{time.monotonic_ns()}.log"
        self._log = self.log_path.open("wb")
        environment = {**os.environ, **SANITIZERS, "ASND_DATABASE_URL": database_url, "ASND_PORT": "0", "ASND_STOP_DELAY_MS": "0",
                       **(environment or {}), **{f"ASND_{k.upper()}": str(v) for k, v in settings.items()}}
        self.process = subprocess.Popen([*(command or [str(program())]), "serve"], stdin=subprocess.DEVNULL, stdout=self._log, stderr=self._log, env=environment)
        self.port = self._wait_for_port()
        self.url = f"http://127.0.0.1:{self.port}"
        if wait_ready:
            self.wait_ready()

    def log_lines(self):
        """All lines so far; each must be one JSON object, except what a sanitizer says."""
        return [json.loads(line) for line in self.log_path.read_text(encoding="utf-8").splitlines() if line]

    def log_text(self):
        return self.log_path.read_text(encoding="utf-8", errors="replace")

    def _said(self):
        return sanitizer.report(self.log_text()) or self.log_text()[-4000:]

    def _poll(self, what, look, seconds=60):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            found = look()
            if found:
                return found
            if self.process.poll() is not None:
                raise AssertionError(f"asnd ended with {self.process.returncode} before {what}:\n{self._said()}")
            time.sleep(0.01)
        raise AssertionError(f"asnd: no {what} after {seconds} s:\n{self._said()}")

    def _wait_for_port(self):
        def look():
            for line in self.log_text().splitlines():
                if '"listening"' in line:
                    return json.loads(line)["port"]
            return None
        return self._poll("listening", look, 300)  # under valgrind, on a busy machine

    def is_ready(self):
        try:
            return requests.get(f"{self.url}/readyz", timeout=5).status_code == 200
        except requests.RequestException:
            return False

    def wait_ready(self, seconds=60):
        self._poll("readiness", self.is_ready, seconds)

    def wait_not_ready(self, seconds=60):
        self._poll("unreadiness", lambda: not self.is_ready(), seconds)

    def create_key(self, **options):
        return create_key(self.database_url, **options)

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(timeout=30)

    def stop(self):
        """Asks it to end; a sanitizer's finding, a leak or a crash makes this fail, once."""
        if self._has_failed:
            return
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            status = self.process.wait(timeout=60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            self._has_failed = True
            raise AssertionError(f"asnd did not stop within 60 s:\n{self._said()}") from None
        self._log.close()
        if status != 0 or sanitizer.report(self.log_text()):
            self._has_failed = True
            raise AssertionError(f"asnd ended with {status}; its log is {self.log_path}\n{self._said()}")


class StreamReader(threading.Thread):
    """Runs a function in a thread and keeps its result or exception."""

    def __init__(self, function, *arguments):
        super().__init__(daemon=True)
        self._call = lambda: function(*arguments)
        self.result = None
        self.error = None
        self.start()

    def run(self):
        try:
            self.result = self._call()
        except BaseException as error:  # pylint: disable=broad-except
            self.error = error

    def get(self, timeout=60):
        self.join(timeout)
        assert not self.is_alive(), "still running"
        if self.error:
            raise self.error
        return self.result
