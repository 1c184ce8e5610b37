# SPDX-License-Identifier: Apache-2.0
"""The primary dies under load, and Patroni has the standby take its place: two nodes with etcd and HAProxy on this machine, by the examples of packaging/failover. Printed is for how long
no write was confirmed, and how many that were confirmed are gone (none may be). Each round's dead node comes back as the standby before the next."""
import json
import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path

import psycopg2
import requests
import yaml

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from support import daemon as daemons  # noqa: E402
from support.writers import Writers  # noqa: E402

EXAMPLES = ROOT / "packaging/failover"
PASSWORD = "bench-only"
WRITES = 300


def free_ports(count):
    held = [socket.socket() for _ in range(count)]
    for one in held:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in held]
    for one in held:
        one.close()
    return ports


def until(look, what, seconds=180):
    end = time.monotonic() + seconds
    while True:
        found = look()
        if found:
            return found
        if time.monotonic() > end:
            sys.exit(f"failover: {what} never came")
        time.sleep(0.1)


class Started:
    """A program that ends with us, as user postgres where we are root; `kill` ends it and all its children without a word."""

    def __init__(self, home, name, *command, environment=None):
        self.log = (home / f"{name}.log").open("ab")
        as_user = []
        if os.getuid() == 0:
            user = pwd.getpwnam("postgres")
            as_user = ["setpriv", "--reuid", "postgres", "--regid", str(user.pw_gid), "--init-groups"]
        self.process = subprocess.Popen([*as_user, *map(str, command)], cwd=home, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log,
                                        env={**os.environ, **(environment or {}), "HOME": str(home)}, start_new_session=True)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(timeout=60)
        except subprocess.TimeoutExpired:
            self.kill()


class Node:
    """Patroni, and the PostgreSQL that it runs."""

    def __init__(self, home, name, dcs_port, ports):
        self.home, self.name = home, name
        self.port, self.rest_port = ports
        written = (EXAMPLES / "patroni.yml").read_text(encoding="utf-8")
        config = yaml.safe_load(written.replace("192.0.2.11:5432", f"127.0.0.1:{self.port}").replace("192.0.2.11:8008", f"127.0.0.1:{self.rest_port}").replace("192.0.2.0/24", "127.0.0.1/32"))
        config["name"] = name
        config["etcd3"]["hosts"] = [f"127.0.0.1:{dcs_port}"]
        config["postgresql"]["data_dir"] = str(home / name)
        config["postgresql"]["bin_dir"] = str(sorted(Path("/usr/lib/postgresql").glob("*/bin"))[-1])
        config["postgresql"]["parameters"] = {"unix_socket_directories": str(home)}
        config["postgresql"]["pgpass"] = str(home / f"{name}.pgpass")
        for account in config["postgresql"]["authentication"].values():
            account["password"] = PASSWORD
        (home / f"{name}.yml").write_text(yaml.safe_dump(config), encoding="utf-8")
        self.start()

    def start(self):
        self.started = Started(self.home, self.name, "patroni", self.home / f"{self.name}.yml")

    def asked(self, what):
        """Whether Patroni says so of it."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.rest_port}/{what}", timeout=5) as reply:
                return json.load(reply)
        except (OSError, ValueError):
            return None

    @property
    def url(self):
        return f"postgresql://postgres:{PASSWORD}@127.0.0.1:{self.port}/asnd"

    def kill_server(self):
        os.kill(int((self.home / self.name / "postmaster.pid").read_text(encoding="ascii").split("\n")[0]), signal.SIGKILL)

    def kill(self):
        """As if its power failed: Patroni and PostgreSQL at once."""
        os.kill(self.started.process.pid, signal.SIGKILL)
        self.kill_server()
        self.started.process.wait()

    def stop(self):
        self.started.stop()


class Pair:
    def __init__(self, home, nodes, proxy_ports):
        self.home, self.nodes = home, nodes
        self.primary_port, self.standby_port = proxy_ports

    def leader(self):
        return next((node for node in self.nodes if node.asked("primary")), None)

    def is_whole(self):
        """One leads, and the other is its synchronous standby."""
        return self.leader() and any(node.asked("synchronous") for node in self.nodes)

    @property
    def by_proxy(self):
        return f"postgresql://postgres:{PASSWORD}@127.0.0.1:{self.primary_port}/asnd?target_session_attrs=read-write"

    @property
    def standby_by_proxy(self):
        return f"postgresql://postgres:{PASSWORD}@127.0.0.1:{self.standby_port}/asnd"

    @property
    def by_libpq(self):
        hosts = ",".join("127.0.0.1" for _ in self.nodes)
        ports = ",".join(str(node.port) for node in self.nodes)
        return f"postgresql://postgres:{PASSWORD}@/asnd?host={hosts}&port={ports}&target_session_attrs=read-write"


def proxy_config(primary_port, standby_port, nodes):
    text = (EXAMPLES / "haproxy.cfg").read_text(encoding="utf-8").replace("127.0.0.1:5000", f"127.0.0.1:{primary_port}").replace("127.0.0.1:5001", f"127.0.0.1:{standby_port}")
    for number, node in enumerate(nodes, 1):
        text = text.replace(f"192.0.2.1{number}:5432 check port 8008", f"127.0.0.1:{node.port} check port {node.rest_port}")
    return text


@contextmanager
def pair():
    home = Path(tempfile.mkdtemp(prefix="asnd-failover-"))
    home.chmod(0o755)
    if os.getuid() == 0:
        user = pwd.getpwnam("postgres")
        os.chown(home, user.pw_uid, user.pw_gid)
    started = []
    try:
        client, peer, *ports, primary_port, standby_port = free_ports(8)
        started.append(Started(home, "etcd", "etcd", "--data-dir", home / "etcd", "--listen-client-urls", f"http://127.0.0.1:{client}", "--advertise-client-urls", f"http://127.0.0.1:{client}",
                               "--listen-peer-urls", f"http://127.0.0.1:{peer}", "--initial-advertise-peer-urls", f"http://127.0.0.1:{peer}", "--initial-cluster", f"default=http://127.0.0.1:{peer}"))
        nodes = [Node(home, "db1", client, ports[:2])]
        started.append(nodes[0])
        until(lambda: nodes[0].asked("primary"), "the first node")
        nodes.append(Node(home, "db2", client, ports[2:]))
        started.append(nodes[1])
        (home / "haproxy.cfg").write_text(proxy_config(primary_port, standby_port, nodes), encoding="utf-8")
        started.append(Started(home, "haproxy", "/usr/sbin/haproxy", "-db", "-f", home / "haproxy.cfg"))
        made = Pair(home, nodes, (primary_port, standby_port))
        until(made.is_whole, "the synchronous standby")
        yield made
    except SystemExit:
        for log in home.glob("*.log"):
            print(f"── {log.name}\n{log.read_text(encoding='utf-8', errors='replace')[-2000:]}", file=sys.stderr)
        raise
    finally:
        for one in reversed(started):
            one.stop()
        shutil.rmtree(home, ignore_errors=True)


class Readers(Writers):
    """Writers who read each unit that they have made, with the position of its write."""

    older = 0

    def _once(self, session, code):
        reply = super()._once(session, code)
        if reply is not None and reply.status_code == 201:
            self._read(session, reply.json()["id"], reply.headers.get("Asnd-Position", ""))
        return reply

    def _read(self, session, unit, position):
        try:
            reply = session.get(f"{self.url}/v1/units/{unit}", timeout=60, headers={"Authorization": f"Bearer {self.key}", **({"Asnd-Position": position} if position else {})})
            self.older += reply.status_code == 404
        except requests.RequestException:
            pass


def prepare(made):
    connection = psycopg2.connect(made.leader().url.replace("/asnd", "/postgres"))
    connection.autocommit = True
    connection.cursor().execute("CREATE DATABASE asnd")
    connection.close()
    for what in (["migrate"], ["import", "units", ROOT / "tests/data/units.csv"]):
        subprocess.run([str(daemons.program()), *map(str, what)], check=True, stdout=subprocess.DEVNULL, timeout=1200,
                       env={**os.environ, "ASND_DATABASE_URL": made.leader().url, "PGOPTIONS": "-c synchronous_commit=off"})


def lag_of(daemon):
    return [line for line in requests.get(f"{daemon.url}/metrics", timeout=30).text.splitlines() if line.startswith(("asnd_reads_total", "asnd_loops_with_standby"))]


def round_of(made, name, url, replica_url, deadly):
    """`deadly`: what is done to the leader."""
    until(made.is_whole, "the synchronous standby")
    leader = made.leader()
    daemon = daemons.Daemon(url, name="failover", replica_url=replica_url)
    writers = Readers(daemon.url, daemon.create_key(name=name, scopes=["admin"]))
    try:
        writers.wait_for(WRITES)
        writers.longest_gap, before = 0.0, len(writers.confirmed)
        deadly(leader)
        writers.wait_for(WRITES)
        writers.stop()
        after = next(node for node in made.nodes if node.asked("primary"))
        assert after is not leader, "it came back by itself: nothing took its place"
        writers.check(after.url)
        print(f"{name}: {before} writes confirmed before and {len(writers.confirmed) - before} after, 0 lost, 0 doubled; none was confirmed for {writers.longest_gap:.1f} s, "
              f"{writers.broken} answers said to come again; {writers.older} reads were older than their own write", flush=True)
        print("\n".join(f"    {line}" for line in lag_of(daemon)), flush=True)
        assert writers.older == 0
        empty(after)
    finally:
        writers.stop(give_up=True)
        daemon.stop()
    if leader.started.process.poll() is not None:
        leader.start()


def empty(node):
    """The next round's units have the same codes."""
    connection = psycopg2.connect(node.url)
    with connection, connection.cursor() as cursor:
        cursor.execute("UPDATE unit SET code = 'R' || extract(epoch FROM clock_timestamp())::bigint || code WHERE code LIKE 'K%-%'")
    connection.close()


def reads_a_second(daemon, key, *headers):
    command = ["wrk", "-t1", "-c16", "-d5s", "-H", f"Authorization: Bearer {key}", *(word for header in headers for word in ("-H", header)), daemon.url + "/v1/units?limit=5"]
    said = subprocess.run(command, check=True, capture_output=True, text=True, timeout=120).stdout
    assert "Non-2xx" not in said, said
    return float(re.search(r"Requests/sec:\s+([\d.]+)", said).group(1))


def compare_reads(url, standby_url):
    """On one machine both servers share its processors: this says what the way there costs, not what a second machine brings."""
    daemon = daemons.Daemon(url, name="failover-reads", replica_url=standby_url, key_rate=60000000)
    try:
        key = daemon.create_key(name="reads", scopes=["admin"])
        until(lambda: not any(line.endswith(" 0") for line in lag_of(daemon) if "loops" in line), "the standby's use")
        print(f"reads a second, both servers on this machine: {reads_a_second(daemon, key):.0f} at the primary, {reads_a_second(daemon, key, 'Asnd-Position: 0:0/0'):.0f} with the standby", flush=True)
        print("\n".join(f"    {line}" for line in lag_of(daemon)), flush=True)
    finally:
        daemon.stop()


def main():
    with pair() as made:
        prepare(made)
        compare_reads(made.by_libpq, made.standby_by_proxy)
        round_of(made, "PostgreSQL killed, by HAProxy", made.by_proxy, made.standby_by_proxy, Node.kill_server)
        round_of(made, "node killed, by HAProxy", made.by_proxy, made.standby_by_proxy, Node.kill)
        round_of(made, "node killed, by libpq", made.by_libpq, made.by_libpq.replace("read-write", "standby"), Node.kill)


if __name__ == "__main__":
    main()
