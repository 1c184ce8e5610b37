# SPDX-License-Identifier: Apache-2.0
"""SIGHUP: settings, certificate, the provider's keys are read again, all or nothing, and nobody who asks meanwhile notices."""
import json
import signal
import socket
import ssl
import threading
import time

import pytest
import requests

from support import client as clients, daemon as daemons, manager as managers
from support.certificates import Certificate
from support.issuer import Issuer, Key


class Reloaded(daemons.Daemon):
    """A daemon on a settings file that may be written anew."""

    def __init__(self, database, path, *lines, **settings):
        self.path = path
        self.write(*lines)
        super().__init__(database, name="reloaded", config=path, **settings)

    def write(self, *lines):
        self.path.write_text("".join(line + "\n" for line in lines), encoding="utf-8")

    def told(self):
        return [line for line in self.log_lines() if line["event"] in ("reloaded", "reload-refused")]

    def reload(self, *lines):
        """What the log says of it."""
        self.write(*lines)
        return self.hang_up()

    def hang_up(self):
        before = len(self.told())
        self.process.send_signal(signal.SIGHUP)
        return self._poll("word of the reload", lambda: self.told()[before:])[0]


@pytest.fixture
def start(database, tmp_path):
    made = []

    def starting(*lines, **settings):
        made.append(Reloaded(database, tmp_path / "asnd.conf", *lines, **settings))
        return made[-1]
    yield starting
    for one in made:
        one.stop()


@pytest.fixture(scope="module")
def key(database):
    return daemons.create_key(database, name="reload", scopes=["admin"])


def told_too_long(daemon, key, bytes_):
    reply = requests.post(f"{daemon.url}/v1/units", data=b'{"code":"' + b"x" * bytes_ + b'"}', timeout=60,
                          headers={"Authorization": f"Bearer {key}", "Content-Type": "application/json"})
    return reply.status_code == 413


def test_limits_change_while_it_runs(start, key):
    daemon = start("body_limit = 2048")
    assert told_too_long(daemon, key, 3000)
    assert daemon.reload("body_limit = 4096")["event"] == "reloaded"
    assert not told_too_long(daemon, key, 3000) and told_too_long(daemon, key, 5000)


def test_what_the_environment_says_goes_before_the_file_as_ever(start, key):
    daemon = start("body_limit = 2048", body_limit=4096)
    daemon.reload("body_limit = 1024")
    assert not told_too_long(daemon, key, 3000) and told_too_long(daemon, key, 5000)


def test_the_log_changes(start):
    daemon = start("log_requests = true")
    requests.get(daemon.url + "/livez", timeout=10)
    assert any(line["event"] == "request" for line in daemon.log_lines())
    daemon.reload("log_level = error")
    before = len(daemon.log_lines())
    requests.get(daemon.url + "/livez", timeout=10)
    assert daemon.reload("log_level = info", "log_requests = false")["event"] == "reloaded"
    requests.get(daemon.url + "/livez", timeout=10)
    assert not [line for line in daemon.log_lines()[before:] if line["event"] == "request"]


@pytest.mark.parametrize("line,said", [("body_limit = many", "body_limit must be a whole number"), ("bodylimit = 9000", 'did you mean "body_limit"'),
                                       ("log_level = loud", "log_level must be"), ("nothing", 'name = value')])
def test_a_bad_file_changes_nothing_and_the_log_says_why(line, said, start, key):
    daemon = start("body_limit = 2048")
    word = daemon.reload("public_rate = 1", "body_limit = 4096", line)
    assert word["event"] == "reload-refused" and said in word["reason"]
    assert told_too_long(daemon, key, 3000)
    metrics = requests.get(daemon.url + "/metrics", timeout=10).text
    assert 'asnd_reloads_total{outcome="refused"} 1' in metrics and 'asnd_reloads_total{outcome="good"} 0' in metrics


def test_what_needs_a_restart_is_named_and_stays(start, key):
    daemon = start("workers = 2")
    word = daemon.reload("workers = 3", "head_limit = 9000", "port = 1", "body_limit = 2048")
    assert word["event"] == "reloaded" and set(word["needs_restart"].split()) == {"workers", "head_limit"}  # the port is the environment's
    assert told_too_long(daemon, key, 3000)
    assert "needs_restart" not in daemon.reload("workers = 2")


def shown(daemon, trusted):
    """The certificate that a new connection sees, as PEM."""
    with socket.create_connection(("127.0.0.1", daemon.port), timeout=20) as raw:
        with ssl.create_default_context(cafile=str(trusted.pem)).wrap_socket(raw, server_hostname="127.0.0.1") as secure:
            return ssl.DER_cert_to_PEM_cert(secure.getpeercert(binary_form=True))


def test_another_certificate_is_shown_and_who_is_connected_stays(start, tmp_path):
    old, new = (Certificate(tmp_path, name, address="127.0.0.1") for name in ("old", "new"))
    daemon = start(f"tls_certificate = {old.pem}", f"tls_key = {old.key_file}", wait_ready=False)
    assert shown(daemon, old) == old.pem.read_text()
    with requests.Session() as kept:
        kept.trust_env, kept.verify = False, str(old.pem)
        url = f"https://127.0.0.1:{daemon.port}/livez"
        assert kept.get(url, timeout=20).status_code == 200
        word = daemon.reload(f"tls_certificate = {old.pem}", f"tls_key = {new.key_file}")
        assert word["event"] == "reload-refused", "the key is another's"
        assert shown(daemon, old) == old.pem.read_text()
        assert daemon.reload(f"tls_certificate = {new.pem}", f"tls_key = {new.key_file}")["event"] == "reloaded"
        assert shown(daemon, new) == new.pem.read_text()
        assert kept.get(url, timeout=20).status_code == 200
    assert "tls_certificate" in daemon.reload()["needs_restart"], "HTTP instead of HTTPS is no other certificate"
    assert shown(daemon, new) == new.pem.read_text()


def test_the_keys_of_the_provider_are_read_again(start, tmp_path):
    issuer, file = Issuer(), tmp_path / "jwks.json"
    try:
        file.write_text(json.dumps(issuer.jwks()))
        daemon = start(f"oidc_issuer = {issuer.url}", "oidc_audience = asnd", "oidc_roles = auditor=unit.read", f"oidc_jwks_file = {file}")
        issuer.keys.append(Key("ES256"))
        file.write_text("{")
        word = daemon.hang_up()
        assert word["event"] == "reload-refused" and "JSON" in word["reason"]
        file.write_text(json.dumps(issuer.jwks()))
        read = len([line for line in daemon.log_lines() if line["event"] == "provider-keys"])
        assert daemon.hang_up()["event"] == "reloaded"
        daemon._poll("keys", lambda: [line for line in daemon.log_lines() if line["event"] == "provider-keys"][read:])
        assert [line for line in daemon.log_lines() if line["event"] == "provider-keys"][-1]["keys"] == len(issuer.keys)
    finally:
        issuer.close()


def test_an_access_yaml_is_looked_at_and_needs_a_restart(start, tmp_path):
    file, whole = tmp_path / "access.yaml", (daemons.ROOT / "access.yaml").read_text(encoding="utf-8")
    file.write_text(whole, encoding="utf-8")
    daemon = start(f"access = {file}")
    assert "needs_restart" not in daemon.hang_up()
    file.write_text(whole + "  nobodyKnows: {}\n", encoding="utf-8")
    word = daemon.hang_up()
    assert word["event"] == "reload-refused" and "nobodyKnows" in word["reason"]
    file.write_text(whole + "# another word\n", encoding="utf-8")
    assert daemon.hang_up()["needs_restart"] == "access"


def test_nobody_who_asks_meanwhile_notices(start, key):
    daemon = start("key_rate = 1000000")
    ends, failures, answers = threading.Event(), [], []

    def ask():
        api = clients.Client(daemon.url, key)
        while not ends.is_set():
            try:
                answers.append(api("GET", "/v1/units?limit=5").status)
            except (AssertionError, OSError) as error:
                failures.append(repr(error))
    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for turn in range(20):
        goal, end = len(answers) + 10, time.monotonic() + 60
        while len(answers) < goal and not failures:
            assert time.monotonic() < end, "no answers any more"
            time.sleep(0.005)
        bad = turn % 3 == 2
        word = daemon.reload(f"key_rate = {1000000 + turn}", *(["nonsense"] if bad else []))
        assert word["event"] == ("reload-refused" if bad else "reloaded")
    ends.set()
    for thread in threads:
        thread.join()
    assert failures == [] and set(answers) == {200}


def test_the_service_manager_hears_of_it(database):
    manager = managers.Manager(database)
    try:
        service = manager.start(watchdog_us=300_000)
        service.hear("WATCHDOG=1")  # whoever says this hears signals
        service.process.send_signal(signal.SIGHUP)
        service.hear("RELOADING=1\nMONOTONIC_USEC=")
        service.hear("READY=1")
    finally:
        manager.close()
