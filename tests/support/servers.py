# SPDX-License-Identifier: Apache-2.0
"""A PostgreSQL that may be killed and started again, and standbys of it; writes go to disk for real here (fsync on)."""
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

import psycopg2

from support import templates
from support.cable import Cable
from support.writers import until

FAST = "-c fsync=off -c full_page_writes=off"
TROUBLE = Path(__file__).resolve().parents[1] / "chaos/trouble.c"


class Server:
    def __init__(self, follows=None, has_trouble=False, data=None, by=None, options=""):
        """`follows`: the server whose changes this one repeats, as its standby; `by`: the directory with the socket by which it does. `has_trouble`: what it does goes
        through trouble.c. `data`: the files of a cluster that was ended in order, to start from a copy of. `options`: more of the server's."""
        self.options = options
        self.bin = Path(os.environ.get("ASND_TEST_PG_BIN") or sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda p: int(p.parent.name))[-1])
        self.home = Path(tempfile.mkdtemp(prefix="asnd-chaos-"))
        self.as_server = []
        if os.getuid() == 0:
            user = pwd.getpwnam("postgres")
            os.chown(self.home, user.pw_uid, user.pw_gid)
            self.as_server = ["setpriv", "--reuid", "postgres", "--regid", str(user.pw_gid), "--init-groups"]
        self._environment = None
        if follows:
            self._run(self.bin / "pg_basebackup", "--no-sync", "-D", self.home / "data", "-R", "-c", "fast", "-d", f"user=postgres host={follows.home} application_name=standby")
            if by:
                with (self.home / "data/postgresql.auto.conf").open("a", encoding="utf-8") as file:
                    file.write(f"primary_conninfo = 'user=postgres host={by} application_name=standby'\n")
            self.start()
            return
        self._environment = {**os.environ, **self._trouble()} if has_trouble else None
        if data:
            self._run("cp", "-a", data, self.home / "data")
            self.start()
            return
        with templates.files() as files:
            subprocess.run(["cp", "-a", "--reflink=auto", "--", files, self.home / "data"], check=True)
        self.start()
        self.execute("DROP DATABASE asnd")
        self.execute(f"ALTER DATABASE {templates.EMPTY} RENAME TO asnd")

    def _trouble(self):
        library = self.home / "trouble.so"
        subprocess.run(["gcc", "-shared", "-fPIC", "-D_GNU_SOURCE", "-o", library, TROUBLE, "-ldl"], check=True)
        library.chmod(0o755)
        (self.home / "wrong").mkdir(mode=0o755)
        return {"LD_PRELOAD": str(library), "TROUBLE": str(self.home / "wrong")}

    def _run(self, *command):
        subprocess.run([*self.as_server, *map(str, command)], check=True, cwd="/", capture_output=True, timeout=120)

    def _connect(self, name):
        connection = psycopg2.connect(f"postgresql://postgres@/{name}?host={self.home}")
        connection.autocommit = True
        return connection

    def execute(self, statement, name="postgres"):
        """Outside of any transaction."""
        connection = self._connect(name)
        try:
            with connection.cursor() as cursor:
                cursor.execute(statement)
                return cursor.fetchall() if cursor.description else []
        finally:
            connection.close()

    @property
    def url(self):
        return f"postgresql://postgres@/asnd?host={self.home}"

    @property
    def pid(self):
        return int((self.home / "data/postmaster.pid").read_text().splitlines()[0])

    def start(self):
        # A server that was killed leaves its children to notice by themselves: the next start may have to wait for them.
        end = time.monotonic() + 60
        while True:
            done = subprocess.run([*self.as_server, str(self.bin / "pg_ctl"), "-D", str(self.home / "data"), "-l", str(self.home / "log"), "-w", "-o",
                                   f"-k {self.home} -c listen_addresses= -c max_connections=100 -c timezone=Asia/Makassar -c jit=off {self.options}", "start"],
                                  cwd="/", capture_output=True, timeout=120, check=False, env=self._environment)
            if done.returncode == 0:
                return
            assert time.monotonic() < end, (self.home / "log").read_text()[-2000:]

    def kill(self):
        os.kill(self.pid, signal.SIGKILL)

    def freeze(self, number=signal.SIGSTOP):
        """It and all its processes stand still; nobody is told. SIGCONT: they go on."""
        if not Path(f"/proc/{self.pid}").exists():
            return
        for pid in [self.pid, *(int(p) for p in Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text(encoding="ascii").split())]:
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                pass

    def close(self):
        subprocess.run([*self.as_server, str(self.bin / "pg_ctl"), "-D", str(self.home / "data"), "-m", "immediate", "stop"], cwd="/",
                       capture_output=True, check=False, timeout=60)
        shutil.rmtree(self.home, ignore_errors=True)


@contextmanager
def pair():
    """A primary with the units and people of tests/data, its standby, and the cable by which that one hears of changes."""
    primary = templates.copy(lambda data: Server(data=data, options=FAST))
    cable = standby = None
    try:
        primary.execute("DROP DATABASE asnd")
        primary.execute(f"CREATE DATABASE asnd TEMPLATE {templates.FILLED}")
        cable = Cable(primary.home)
        standby = Server(follows=primary, by=cable.directory, options=FAST)
        until(lambda: primary.execute("SELECT 1 FROM pg_stat_replication WHERE state = 'streaming'"), 120)
        yield primary, standby, cable
    finally:
        if standby:
            standby.freeze(signal.SIGCONT)
            standby.close()
        if cable:
            cable.close()
        primary.close()
