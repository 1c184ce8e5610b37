# SPDX-License-Identifier: Apache-2.0
"""One new clone for all of tests/run, in a directory whose name has blanks, and what the tests ask of it."""
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import pytest
import requests

ROOT = Path(__file__).resolve().parents[2]


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Clone:
    """A tree, and scripts/run.sh in it."""

    def __init__(self, path):
        self.path = path
        self.local = path / ".local"
        self.port = free_port()

    def command(self, *arguments):
        return [str(self.path / "scripts/run.sh"), *arguments]

    def run(self, *arguments, check=True, user=None, path=None, **variables):
        """Output, seconds, status. Files, not pipes: a detached daemon would keep a pipe open. `user`: root becomes somebody else. `path`:
        directories that go before those of PATH; a list of one replaces it."""
        environment = {k: v for k, v in os.environ.items() if not k.startswith("ASND_")}
        environment.update(variables, ASND_STOP_DELAY_MS="0")  # no load balancer has to notice
        if path:
            environment["PATH"] = path[0] if isinstance(path, list) else f"{path}:{environment['PATH']}"
        out = self.path.parent / "out"
        with out.open("w") as file:
            began = time.monotonic()
            status = subprocess.run(self.command(*arguments), stdin=subprocess.DEVNULL, stdout=file, stderr=subprocess.STDOUT, env=environment,
                                    user=user, group=user and "nogroup", extra_groups=[] if user else None, timeout=900, check=False).returncode
            took = time.monotonic() - began
        text = out.read_text()
        assert not check or status == 0, text
        return text, took, status

    def start(self, *arguments, **options):
        return self.run("--port", str(self.port), "--detach", *arguments, **options)[0]

    def stop(self, **options):
        self.run("--stop", **options)

    def environment(self):
        return dict(re.findall(r"^export (\w+)='?([^'\n]*)'?$", (self.local / "env").read_text(), re.M))

    def get(self, path):
        key = self.environment()["ASND_ADMIN_KEY"]
        return requests.get(f"http://127.0.0.1:{self.port}{path}", headers={"Authorization": "Bearer " + key}, timeout=30)

    def processes(self):
        """Of this tree, by their program, arguments or directory, however they came to be."""
        found = []
        for process in Path("/proc").glob("[0-9]*"):
            try:
                words = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                if str(self.path) in words or str(self.path) in os.readlink(process / "cwd"):
                    found.append(f"{process.name}: {words}")
            except OSError:
                continue
        return found

    def refuses(self, pattern, *arguments, demo=False, **options):
        """It ends with one sentence that fits, and leaves nothing running; gives all of its words."""
        text, _, status = self.run("--port", str(self.port), "--detach", *(() if demo else ("--no-demo",)), *arguments, check=False, **options)
        assert status == 1, text
        last = text.rstrip("\n").splitlines()[-1]
        assert re.match(f"run\\.sh: .*{pattern}", last), text
        assert sum(line.startswith("run.sh: ") for line in text.splitlines()) == 1, text
        assert not re.search(r"(run|lib)\.sh: line \d+", text), text
        assert self.processes() == [], text
        return text

    def works(self, **options):
        """Up without demo data, and down again."""
        self.start("--no-demo", **options)
        assert self.get("/v1/units?limit=1").status_code == 200
        self.stop(**options)
        assert self.processes() == []


@pytest.fixture(scope="session")
def clone():
    """Not in pytest's directory: that is closed to user postgres."""
    path = Path(tempfile.mkdtemp(prefix="asnd-run.", dir="/tmp")) / "with blanks" / "asnd"
    path.parent.mkdir()
    path.parents[1].chmod(0o755)
    subprocess.run(["git", "clone", "-q", str(ROOT), str(path)], check=True, timeout=120)
    made = Clone(path)
    yield made
    made.stop()
    shutil.rmtree(path.parents[1])


@pytest.fixture(scope="session")
def built(clone):
    """Stopped, with a program and a cluster."""
    clone.start("--no-demo")
    clone.stop()
    return clone


@pytest.fixture
def fakes(clone):
    """Makes programs that stand first on PATH; gives their directory."""
    directory = clone.path.parents[1] / "bin"
    directory.mkdir()

    def make(**programs):
        for name, script in programs.items():
            file = directory / name.replace("_", "-")
            file.write_text("#!/bin/sh\n" + script)
            file.chmod(0o755)
        return directory
    yield make
    shutil.rmtree(directory)


@pytest.fixture
def kept():
    """Puts files back as they were, with owner and time, so that nothing is built again for their sake."""
    copies = {}

    def keep(file):
        copies[file] = file.with_name(file.name + ".kept")
        shutil.copy2(file, copies[file])
        status = file.stat()
        os.chown(copies[file], status.st_uid, status.st_gid)
        return file
    yield keep
    for file, copy in copies.items():
        if copy.exists():
            copy.replace(file)


@pytest.fixture
def bystander():
    """A process that has nothing to do with any of it, of a user's choice; it must live on."""
    started = []

    def start(user=None):
        process = subprocess.Popen(["sleep", "600"], user=user)
        started.append(process)
        return process
    yield start
    for process in started:
        alive = process.poll() is None
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert alive, "run.sh ended a process that it had not started"
