# SPDX-License-Identifier: Apache-2.0
"""What happens when something dies. The ledger: each client notes what was confirmed to it; afterwards all of that is in the database, once,
and nothing that was refused is."""
import os
import signal
import socket
import subprocess
import threading
import time

import pytest
import requests

from support import daemon as daemons, make, postgres
from support.writers import Writers, until

@pytest.fixture
def writers(daemon, keys, database):
    postgres.query(database, "DELETE FROM idempotency; DELETE FROM unit WHERE code LIKE 'K%-%'")
    running = Writers(daemon.url, keys("admin"))
    yield running
    running.stop(give_up=True)


def test_killed_backends_cost_nothing_that_was_confirmed(writers, database, daemon):
    for _ in range(10):
        writers.wait_for(20)
        postgres.query(database, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'asnd%'")
    writers.wait_for(20)
    writers.stop()
    writers.check(database)
    daemon.wait_ready()


def test_a_backend_that_crashes_costs_nothing_that_was_confirmed(writers, server, database, daemon):
    """SIGKILL of one backend makes the server throw out everybody and recover."""
    for _ in range(2):
        writers.wait_for(20)
        pid = postgres.query(database, "SELECT pid FROM pg_stat_activity WHERE application_name LIKE 'asnd%' LIMIT 1")[0][0]
        os.kill(pid, signal.SIGKILL)
    writers.wait_for(20)
    writers.stop()
    writers.check(database)
    daemon.wait_ready()


def test_a_killed_server_costs_nothing_that_was_confirmed(writers, server, database, daemon):
    for _ in range(2):
        writers.wait_for(20)
        server.kill()
        daemon.wait_not_ready()
        assert requests.get(daemon.url + "/livez", timeout=10).status_code == 200, "a daemon without its database is alive"
        server.start()
        daemon.wait_ready()
    writers.wait_for(20)
    writers.stop()
    writers.check(database)
    assert writers.broken > 0, "nobody noticed: the test tested nothing"


def test_reads_while_the_database_is_away_are_503_and_quick(server, daemon, api):
    server.kill()
    daemon.wait_not_ready()
    try:
        began = time.monotonic()
        replies = [api("GET", "/v1/units") for _ in range(5)]
        assert {r.status for r in replies} == {503}
        assert all(int(r.headers["Retry-After"]) >= 1 for r in replies)
        assert time.monotonic() - began < 10
    finally:
        server.start()
    daemon.wait_ready()
    api.get("/v1/units")


def test_an_outage_is_told_once_where_it_is_noticed_and_once_when_it_is_over(server, daemon, api):
    """Not once for each of the requests that it costs."""
    def told(event, who):
        return [line for line in daemon.log_lines()[before:] if line["event"] == event and who in line]
    before = len(daemon.log_lines())
    server.kill()
    daemon.wait_not_ready()
    try:
        body = {"code": "HILANG", "name": "Hilang", "kind": "bidang"}
        assert {api("GET", "/v1/units").status for _ in range(50)} == {503}
        assert {api("POST", "/v1/units", json=body, headers={"Idempotency-Key": "hilang"}).status for _ in range(50)} == {503}
    finally:
        server.start()
    daemon.wait_ready()
    for who in ("loop", "worker"):
        lost = [line[who] for line in told("database-lost", who)]
        assert lost and len(lost) == len(set(lost)), f"a {who} told it twice, or none did"
    until(lambda: len(told("database-back", "loop")) == len(told("database-lost", "loop")))
    refused = [line["refused"] for line in told("database-back", "loop")]
    assert sum(refused) >= 50 and all(line["ms"] > 0 for line in told("database-back", "loop"))
    workers = len(told("database-lost", "worker"))
    assert len([line for line in daemon.log_lines()[before:] if line["event"] == "database-connect-failed" and line["application"] == "asnd worker"]) <= workers


def people(path, unit, n):
    with path.open("w", encoding="utf-8") as file:
        file.write("nip,kind,name,unit_code\n")
        for i in range(n):
            file.write(f"{make.nip(5000 + i)},PNS,Pegawai Massal {i},{unit}\n")
    return path


def test_an_import_whose_daemon_is_killed_leaves_nothing_and_can_be_sent_again(server, database, tmp_path):
    unit = postgres.query(database, "SELECT code FROM unit ORDER BY depth DESC, code LIMIT 1")[0][0]
    daemon = daemons.Daemon(database, name="killed")
    key = daemon.create_key(name="imp", scopes=["admin"])
    content = people(tmp_path / "asn.csv", unit, 20000).read_bytes()
    held = threading.Event()

    def halves():
        yield content[:len(content) // 2]
        held.set()
        time.sleep(30)  # the daemon dies meanwhile; this end is not what is tested
        yield content[len(content) // 2:]

    def send(url, body):
        return requests.post(url + "/v1/asn/import", data=body, headers={"Authorization": f"Bearer {key}", "Content-Type": "text/csv"}, timeout=300)

    sender = daemons.StreamReader(lambda: pytest.raises(requests.RequestException, send, daemon.url, halves()))
    assert held.wait(60)
    end = time.monotonic() + 60
    while not postgres.query(database, "SELECT 1 FROM pg_stat_activity WHERE application_name LIKE 'asnd%' AND state LIKE 'idle in transaction%' OR state = 'active' AND query LIKE 'COPY%'"):
        assert time.monotonic() < end, "the import never began"
    daemon.kill()
    sender.get(60)
    end = time.monotonic() + 60
    while postgres.query(database, "SELECT 1 FROM pg_stat_activity WHERE application_name LIKE 'asnd%' AND xact_start IS NOT NULL"):
        assert time.monotonic() < end, "its transaction is still there"
    assert postgres.query(database, "SELECT count(*) FROM asn") == [(0,)]
    again = daemons.Daemon(database, name="again")
    try:
        reply = send(again.url, content)
        assert reply.status_code == 200, reply.text
        assert (reply.json()["created"], reply.json()["refused"]) == (20000, 0)
        reply = send(again.url, content)
        assert (reply.json()["created"], reply.json()["unchanged"]) == (0, 20000)
    finally:
        again.stop()


def test_an_import_by_command_that_is_killed_leaves_nothing(server, database, tmp_path):
    unit = postgres.query(database, "SELECT code FROM unit ORDER BY depth DESC, code LIMIT 1")[0][0]
    postgres.query(database, "SET session_replication_role = replica; DELETE FROM due; DELETE FROM history_version; DELETE FROM history; DELETE FROM asn")
    path = people(tmp_path / "asn.csv", unit, 20000)
    process = subprocess.Popen([str(daemons.program()), "import", "asn", str(path)], env={**os.environ, "ASND_DATABASE_URL": database},
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    end = time.monotonic() + 60
    while not postgres.query(database, "SELECT 1 FROM pg_stat_activity WHERE application_name = 'asnd' AND xact_start IS NOT NULL"):
        assert time.monotonic() < end and process.poll() is None, "the import never began, or was over at once"
    process.kill()
    process.wait()
    assert postgres.query(database, "SELECT count(*) FROM asn") == [(0,)]
    daemons.run(database, "import", "asn", path)
    assert postgres.query(database, "SELECT count(*) FROM asn") == [(20000,)]


def test_stopping_lets_running_requests_end(server, database):
    """SIGTERM: not ready at once, what runs is answered, then the end with status 0."""
    postgres.query(database, "DELETE FROM unit WHERE code LIKE 'K%-%'")
    daemon = daemons.Daemon(database, name="stopping", stop_delay_ms=300)
    key = daemon.create_key(name="s", scopes=["admin"])
    writers = Writers(daemon.url, key, count=4)
    writers.wait_for(10)
    daemon.process.send_signal(signal.SIGTERM)
    time.sleep(0.1)
    try:
        assert requests.get(daemon.url + "/readyz", timeout=5).status_code == 503
    except requests.ConnectionError:
        pass  # it may have closed its door already
    daemon.stop()
    writers.stop(give_up=True)
    assert not writers.odd, writers.odd[:3]
    stored = dict(postgres.query(database, "SELECT code, id::text FROM unit WHERE code LIKE 'K%-%'"))
    assert writers.confirmed.items() <= stored.items()


def test_a_second_signal_cuts_what_does_not_end(server, database):
    """A client that never finishes its upload holds up the first signal, not the second."""
    daemon = daemons.Daemon(database, name="cutting", stop_delay_ms=0, stop_timeout_ms=600000, body_timeout_ms=600000)
    key = daemon.create_key(name="c", scopes=["admin"])
    with socket.create_connection(("127.0.0.1", daemon.port)) as client:
        client.sendall(f"POST /v1/asn/import HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {key}\r\nContent-Type: text/csv\r\n"
                       f"Content-Length: 100000\r\n\r\nnip,kind,name,unit_code\r\n".encode())
        until(lambda: postgres.query(database, "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'asnd worker' AND state LIKE 'idle in%'")[0][0] > 0)
        daemon.process.send_signal(signal.SIGTERM)
        until(lambda: any(line["event"] == "stopping" for line in daemon.log_lines()))
        assert daemon.process.poll() is None
        daemon.process.send_signal(signal.SIGTERM)
        assert daemon.process.wait(timeout=15) == 0
    assert any(line["event"] == "cutting" for line in daemon.log_lines())
    daemon.stop()
