# SPDX-License-Identifier: Apache-2.0
"""The daemon speaking HTTPS itself: what works in the open works there, old protocols do not, and refusals in the midst of a request arrive."""
import ipaddress
import json
import socket
import ssl
from datetime import datetime, timedelta, timezone

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from support import daemon as daemons
from support.client import Client


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    """A certificate for 127.0.0.1 that signs itself, and its key."""
    directory = tmp_path_factory.mktemp("tls")
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(timezone.utc)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    certificate = (x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(x509.random_serial_number())
                   .not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=30))
                   .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False)
                   .add_extension(x509.BasicConstraints(ca=True, path_length=None), True).sign(key, hashes.SHA256()))
    (directory / "certificate.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (directory / "key.pem").write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
    return directory / "certificate.pem", directory / "key.pem"


@pytest.fixture(scope="module")
def running(database, pair):
    started = daemons.Daemon(database, name="test_tls", wait_ready=False, tls_certificate=pair[0], tls_key=pair[1], head_timeout_ms=1500)
    yield started
    started.stop()


@pytest.fixture(scope="module")
def secure(running, pair):
    client = Client(f"https://127.0.0.1:{running.port}", daemons.create_key(running.database_url, scopes=["admin"]))
    client.session.verify = str(pair[0])
    return client


def context(pair, highest=None):
    made = ssl.create_default_context(cafile=str(pair[0]))
    if highest:
        made.minimum_version, made.maximum_version = ssl.TLSVersion.TLSv1, highest
        made.set_ciphers("ALL:@SECLEVEL=0")
    return made


def connect(running, pair, **options):
    raw = socket.create_connection(("127.0.0.1", running.port), timeout=20)
    return context(pair, **options).wrap_socket(raw, server_hostname="127.0.0.1")


def talk(stream, data):
    stream.sendall(data)
    got = b""
    while more := stream.recv(65536):
        got += more
    return got


def test_it_serves(secure, running):
    assert secure.get("/readyz").status == 200
    rows, pages = secure.walk("/v1/units?limit=2")
    assert pages > 1 and len(rows) == secure.get("/v1/units?count=exact").json["page"]["count"]
    made = secure.post("/v1/units", {"code": "TLS1", "name": "Bidang TLS", "kind": "bidang", "parent_id": rows[0]["id"]}, expect=201).json
    assert secure.get(f"/v1/units/{made['id']}").json["name"] == "Bidang TLS"
    assert any(line["event"] == "listening" and line["tls"] is True for line in running.log_lines())


def test_streams_come_whole(secure):
    lines = secure.get("/v1/asn", headers={"Accept": "application/x-ndjson"}).text.splitlines()
    assert len(lines) == secure.get("/v1/asn?count=exact").json["page"]["count"]


def test_a_large_upload_arrives(secure):
    head = b"nip,kind,name,unit_code\n"
    rows = b"".join(b"1990011520150319%02d,PNS,Baris Ditolak,MJU\n" % (n % 100) for n in range(40000))
    report = secure("POST", "/v1/asn/import", data=head + rows, headers={"Content-Type": "text/csv"}, expect=200).json
    assert report["rows_total" if "rows_total" in report else "rows"] == 40000


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_versions_that_are_spoken(version, running, pair):
    made = context(pair)
    made.minimum_version = made.maximum_version = version
    with made.wrap_socket(socket.create_connection(("127.0.0.1", running.port), timeout=20), server_hostname="127.0.0.1") as stream:
        assert talk(stream, b"GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").startswith(b"HTTP/1.1 200")
        assert "GCM" in stream.cipher()[0] or "CHACHA20" in stream.cipher()[0]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1])
def test_versions_that_are_not(version, running, pair):
    with pytest.raises((ssl.SSLError, ConnectionError)):
        connect(running, pair, highest=version)


def problem(reply):
    head, _, body = reply.partition(b"\r\n\r\n")
    return int(head.split()[1]), json.loads(body)["code"]


REFUSED = {
    "a-broken-head": (b"GET / HTTP/1.1\r\nHost: x\r\nbroken\r\n\r\n", (400, "bad-framing")),
    "two-lengths": (b"POST /v1/units HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", (400, "bad-framing")),
    "a-head-too-large": (b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"y" * 9000 + b"\r\n\r\n", (431, "head-too-large")),
    "a-chunk-that-is-none": (b"POST /v1/units HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", (401, "unauthenticated")),
    "half-a-head": (b"GET /livez HTTP/1.1\r\nHost: x\r\n", (408, "request-timeout")),
}


@pytest.mark.parametrize("sent, said", REFUSED.values(), ids=REFUSED)
def test_what_the_door_refuses_is_told_within_the_session(sent, said, running, pair):
    with connect(running, pair) as stream:
        assert problem(talk(stream, sent)) == said


def test_who_speaks_in_the_open_gets_nothing(running):
    with socket.create_connection(("127.0.0.1", running.port), timeout=20) as stream:
        stream.sendall(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
        try:
            said = b"".join(iter(lambda: stream.recv(4096), b""))
        except ConnectionError:
            said = b""
    assert b"HTTP/1.1" not in said


def test_a_handshake_that_does_not_end_is_cut(running):
    """Silence, and half a hello: both end by head_timeout_ms."""
    for hello in (b"", bytes.fromhex("160301020001")):
        with socket.create_connection(("127.0.0.1", running.port), timeout=20) as stream:
            stream.sendall(hello)
            try:
                while stream.recv(4096):
                    pass
            except ConnectionError:
                pass


PAIRS = {"no-key": (0, None), "no-certificate": (None, 1), "a-key-for-a-certificate": (1, 1), "a-certificate-for-a-key": (0, 0), "nothing": (None, None)}


@pytest.mark.parametrize("certificate, key", PAIRS.values(), ids=PAIRS)
def test_a_pair_that_is_none_stops_the_start(certificate, key, database, pair):
    paths = [str(pair[i]) if i is not None else "/nonexistent" for i in (certificate, key)]
    done = daemons.run(database, "serve", check=False, ASND_PORT="0", ASND_TLS_CERTIFICATE=paths[0], ASND_TLS_KEY=paths[1])
    assert done.returncode != 0 and "cannot-speak-tls" in done.stderr
