# SPDX-License-Identifier: Apache-2.0
"""The configuration of docs/access.md as it stands there, run by nginx itself: HTTP/2, certificates that bind keys, and headers that nobody else may bring."""
import re
import shutil
import socket
import subprocess
import time
from urllib.parse import quote

import pytest

from support import daemon as daemons, make
from support.certificates import Certificate
from support.client import Client

ROOT = daemons.ROOT
HEADER = "X-Client-Cert"


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("nginx")


@pytest.fixture(scope="module")
def authority(place):
    return Certificate(place, "clients-ca")


@pytest.fixture(scope="module")
def people(place, authority):
    """Who is bound, who is not, and one whom nobody knows."""
    return {name: Certificate(place, name, by=by) for name, by in (("simpeg", authority), ("other", authority), ("stranger", Certificate(place, "elsewhere")))}


@pytest.fixture(scope="module")
def behind(cluster, template):
    name = cluster.create(template=template, label="nginx")
    running = daemons.Daemon(cluster.database_url(name), name="attack-nginx", trusted_proxies="127.0.0.1", client_cert_header=HEADER)
    yield running
    running.stop()
    cluster.drop(name)


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def configuration(place, port, backend):
    """The block of docs/access.md; only where it listens, where the daemon is and where the files lie is another."""
    text = re.search(r"```nginx\n(.*?)```", (ROOT / "docs/access.md").read_text(encoding="utf-8"), re.S).group(1)
    for old, new in (("server 127.0.0.1:8080;", f"server 127.0.0.1:{backend};"), ("listen 443 ssl http2;", f"listen 127.0.0.1:{port} ssl http2;"),
                     ("/etc/asnd/tls/fullchain.pem", f"{place}/server.pem"), ("/etc/asnd/tls/key.pem", f"{place}/server.key"),
                     ("/etc/asnd/tls/clients-ca.pem", f"{place}/clients-ca.pem")):
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    paths = "".join(f"{what}_temp_path {place}/{what};\n" for what in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    return f"daemon off;\nmaster_process off;\npid {place}/pid;\nerror_log {place}/error.log;\nevents {{}}\nhttp {{\naccess_log off;\n{paths}{text}}}\n"


@pytest.fixture(scope="module")
def front(place, behind, people):
    Certificate(place, "server", address="127.0.0.1")
    port = free_port()
    (place / "nginx.conf").write_text(configuration(place, port, behind.port), encoding="utf-8")
    program = shutil.which("nginx", path="/usr/sbin:/usr/bin") or pytest.fail("nginx is not installed")
    with (place / "out").open("wb") as out:
        process = subprocess.Popen([program, "-c", str(place / "nginx.conf"), "-p", str(place)], stdin=subprocess.DEVNULL, stdout=out, stderr=out)
    until = time.monotonic() + 30
    while socket.socket().connect_ex(("127.0.0.1", port)) != 0:
        assert process.poll() is None and time.monotonic() < until, (place / "out").read_text() + (place / "error.log").read_text()
    yield port
    process.terminate()
    process.wait(timeout=30)


@pytest.fixture(scope="module")
def curl(place, front, behind):
    def asked(key, *options, person=None, target="/v1/caller", direct=False):
        """(HTTP version, status) of one request."""
        url = f"http://127.0.0.1:{behind.port}{target}" if direct else f"https://127.0.0.1:{front}{target}"
        certificate = ["--cert", str(person.pem), "--key", str(person.key_file)] if person else []
        config = place / "curl"  # not on the command line, where everybody may read it
        config.write_text(f'header = "Authorization: Bearer {key}"\n', encoding="utf-8")
        done = subprocess.run(["curl", "-sS", "-K", str(config), "--http2", "--cacert", str(place / "server.pem"), *certificate, *options, "-o", str(place / "body"),
                               "-w", "%{http_version} %{http_code}", url], text=True, capture_output=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr
        return tuple(done.stdout.split())
    return asked


@pytest.fixture(scope="module")
def admin(behind):
    return Client(behind.url, behind.create_key(scopes=["admin"]))


@pytest.fixture(scope="module")
def bound(admin, people):
    """A key that needs the certificate of simpeg."""
    return daemons.planted(make.key(admin, certificate=people["simpeg"].sha256)["secret"])


def test_it_speaks_http2(curl, admin):
    assert curl(admin.key) == ("2", "200")
    assert curl("asnd_" + "A" * 49) == ("2", "401")


def test_a_bound_key_needs_its_certificate(curl, bound, people):
    assert curl(bound) == ("2", "403")
    assert curl(bound, person=people["simpeg"]) == ("2", "200")
    assert curl(bound, person=people["other"]) == ("2", "403")
    assert curl(bound, person=people["stranger"])[1] == "400", "nginx itself turns away what it cannot verify"


def test_other_keys_go_on_without_one(curl, admin, people):
    assert curl(admin.key, person=people["other"]) == ("2", "200")


def test_a_forged_certificate_header_is_not_handed_on(curl, bound, people):
    forged = f"{HEADER}: {quote(people['simpeg'].pem.read_text(), safe='')}"
    for header in (forged, forged.lower().replace("x-client-cert", "X_Client_Cert"), f"{HEADER}: {people['simpeg'].sha256}"):
        assert curl(bound, "-H", header) == ("2", "403"), header[:40]
        assert curl(bound, "-H", header, person=people["other"]) == ("2", "403")


def test_past_the_proxy_nobody_is_believed(curl, bound, people):
    """Who reaches the daemon from another address than the proxy's brings no certificate."""
    header = f"{HEADER}: {people['simpeg'].sha256}"
    assert curl(bound, "-H", header, "--interface", "127.0.0.2", direct=True)[1] == "403"
    assert curl(bound, "-H", header, "--interface", "127.0.0.1", direct=True)[1] == "200", "the proxy's own address: why no other program may run there"


def test_where_somebody_is_the_proxy_says_and_nobody_else(curl, admin):
    inside = daemons.planted(make.key(admin, allow_from=["10.0.0.0/8"])["secret"])
    here = daemons.planted(make.key(admin, allow_from=["127.0.0.1/32"])["secret"])
    assert curl(inside, "-H", "X-Forwarded-For: 10.1.2.3") == ("2", "403")
    assert curl(here, "-H", "X-Forwarded-For: 10.1.2.3") == ("2", "200")


def test_bodies_and_refusals_come_through(curl, admin, place):
    (place / "unit.json").write_text('{"code": "NGX", "name": "Lewat nginx", "kind": "dinas"}', encoding="utf-8")
    assert curl(admin.key, "-H", "Content-Type: application/json", "--data-binary", f"@{place}/unit.json", target="/v1/units") == ("2", "201")
    assert curl(admin.key, "-H", "Content-Type: application/json", "--data-binary", f"@{place}/unit.json", target="/v1/units") == ("2", "409")
    assert curl(admin.key, "-X", "PATCH", target="/v1/units")[1] == "405"
