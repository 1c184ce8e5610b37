# SPDX-License-Identifier: Apache-2.0
"""The HTTP room seen from plain sockets: framing, limits, deadlines, slow and broken clients. Speaks to tests/unit/http/echo_server.c
(ASND_TEST_HTTP_ECHO, else the asan preset's), which fails here too when the sanitizers have something to say."""
import json
import os
import re
import select
import signal
import socket
import struct
import subprocess
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ECHO = os.environ.get("ASND_TEST_HTTP_ECHO", str(ROOT / "build/asan/tests/unit/http_echo_server"))
PATIENCE = 10


class Server:
    """One echo server with its settings."""

    def __init__(self, **settings):
        words = [f"{name}={value}" for name, value in settings.items()]
        self.process = subprocess.Popen([ECHO, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline())
        self.host = settings.get("listen", "127.0.0.1")

    def connect(self, receive_buffer=None):
        s = socket.socket(socket.AF_INET6 if ":" in self.host else socket.AF_INET)
        if receive_buffer:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        s.settimeout(PATIENCE)
        s.connect((self.host, self.port))
        return Client(s)

    def send(self, data):
        """One connection, these bytes, the replies' reader."""
        client = self.connect()
        client.send(data)
        return client

    def stop(self, how=signal.SIGTERM):
        self.process.send_signal(how)
        _, said = self.process.communicate(timeout=PATIENCE)
        assert self.process.returncode == 0, said
        assert "Sanitizer" not in said and "runtime error" not in said, said
        return said

    def numbers(self):
        """What /stats says, as a dict."""
        body = self.send(b"GET /stats HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").reply().body.decode()
        return {key: int(value) for key, value in re.findall(r"(\w+)=(\d+)", body)}

    def wait_for(self, **wanted):
        """Until /stats shows these numbers."""
        end = time.monotonic() + PATIENCE
        while True:
            numbers = self.numbers()
            if all(numbers[key] == value for key, value in wanted.items()):
                return numbers
            assert time.monotonic() < end, f"{numbers} instead of {wanted}"

    def metric(self, name):
        body = self.send(b"GET /metrics HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").reply().body.decode()
        found = re.search(rf"^{re.escape(name)} (\d+)$", body, re.M)
        return int(found.group(1)) if found else None


class Reply:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def problem(self):
        assert self.headers["content-type"] == "application/problem+json", self.headers
        problem = json.loads(self.body)
        assert problem["status"] == self.status
        assert problem["request_id"] == self.headers["x-request-id"]
        return problem


class Client:
    """A socket and what has been read from it but not yet used."""

    def __init__(self, sock):
        self.sock, self.rest = sock, bytearray()

    def send(self, data):
        self.sock.sendall(data)

    def _more(self):
        data = self.sock.recv(65536)
        self.rest += data
        return bool(data)

    def _take(self, n):
        while len(self.rest) < n:
            assert self._more(), f"closed after {self.rest!r}"
        data = bytes(self.rest[:n])
        del self.rest[:n]
        return data

    def _line(self):
        while b"\r\n" not in self.rest:
            assert self._more(), f"closed after {self.rest!r}"
        line = bytes(self.rest[:self.rest.index(b"\r\n")])
        del self.rest[:len(line) + 2]
        return line.decode("latin-1")

    def interim(self):
        """The status line of a 1xx."""
        line = self._line()
        assert self._line() == ""
        return line

    def reply(self, head_only=False):
        version, status, _ = self._line().split(" ", 2)
        assert version == "HTTP/1.1"
        headers = {}
        while line := self._line():
            name, value = line.split(": ", 1)
            assert name.lower() not in headers, f"{name} twice"
            headers[name.lower()] = value
        reply = Reply(int(status), headers, b"")
        if head_only or int(status) in (204, 304):
            return reply
        if headers.get("transfer-encoding") == "chunked":
            while size := int(self._line(), 16):
                reply.body += self._take(size)
                assert self._line() == ""
            assert self._line() == ""
        elif "content-length" in headers:
            reply.body = self._take(int(headers["content-length"]))
        else:
            reply.body = self.until_end()
        return reply

    def until_end(self):
        """All up to the end of the connection; a reset is an end too."""
        try:
            while self._more():
                pass
        except ConnectionResetError:
            pass
        data = bytes(self.rest)
        self.rest.clear()
        return data

    def is_closed(self):
        return self.until_end() == b""

    def reset(self):
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()

    def close(self):
        self.sock.close()


@pytest.fixture(scope="module")
def server():
    running = Server()
    yield running
    running.stop()


@pytest.fixture(scope="module")
def hasty():
    """A server whose deadlines strike soon."""
    running = Server(head_timeout_ms=1000, idle_timeout_ms=1000, body_timeout_ms=1000, reply_timeout_ms=1000)
    yield running
    running.stop()


@pytest.fixture
def make():
    """Servers with settings of their own."""
    made = []

    def start(**settings):
        made.append(Server(**settings))
        return made[-1]
    yield start
    for running in made:
        running.stop(signal.SIGINT)


def head(*lines, target="/seen", method="GET", version="HTTP/1.1", host=True):
    """A whole head; lines without CR LF."""
    lines = ([b"Host: a.test"] if host else []) + [line if isinstance(line, bytes) else line.encode() for line in lines]
    return b"\r\n".join([f"{method} {target} {version}".encode(), *lines, b"", b""])


CHUNKED = "Transfer-Encoding: chunked"

# Refused at the door: what is sent, status, code. Each is answered by a problem and the end of the connection.
REFUSED = {
    "two_lengths_different": (head("Content-Length: 5", "Content-Length: 6", method="POST") + b"hello!", 400, "bad-framing"),
    "two_lengths_equal": (head("Content-Length: 5", "Content-Length: 5", method="POST") + b"hello", 400, "bad-framing"),
    "length_list": (head("Content-Length: 5, 5", method="POST") + b"hello", 400, "bad-framing"),
    "length_and_coding": (head("Content-Length: 5", CHUNKED, method="POST") + b"0\r\n\r\n", 400, "bad-framing"),
    "coding_and_length": (head(CHUNKED, "Content-Length: 5", method="POST") + b"0\r\n\r\n", 400, "bad-framing"),
    "length_plus": (head("Content-Length: +5", method="POST") + b"hello", 400, "bad-framing"),
    "length_minus": (head("Content-Length: -5", method="POST") + b"hello", 400, "bad-framing"),
    "length_inner_blank": (head("Content-Length: 5 5", method="POST") + b"hello", 400, "bad-framing"),
    "length_hexadecimal": (head("Content-Length: 0x5", method="POST") + b"hello", 400, "bad-framing"),
    "length_empty": (head("Content-Length:", method="POST"), 400, "bad-framing"),
    "length_word": (head("Content-Length: five", method="POST"), 400, "bad-framing"),
    "length_beyond_64_bits": (head("Content-Length: 99999999999999999999999", method="POST"), 413, "body-too-large"),
    "length_beyond_reason": (head("Content-Length: 9999999999999999999", method="POST"), 413, "body-too-large"),
    "length_over_limit": (head("Content-Length: 2000000", method="POST"), 413, "body-too-large"),
    "coding_gzip": (head("Transfer-Encoding: gzip", method="POST"), 501, "coding-unknown"),
    "coding_gzip_chunked": (head("Transfer-Encoding: gzip, chunked", method="POST"), 501, "coding-unknown"),
    "coding_chunked_chunked": (head("Transfer-Encoding: chunked, chunked", method="POST"), 501, "coding-unknown"),
    "coding_chunked_twice": (head(CHUNKED, CHUNKED, method="POST"), 501, "coding-unknown"),
    "coding_identity": (head("Transfer-Encoding: identity", method="POST"), 501, "coding-unknown"),
    "coding_xchunked": (head("Transfer-Encoding: xchunked", method="POST"), 501, "coding-unknown"),
    "coding_parameter": (head("Transfer-Encoding: chunked;a=b", method="POST"), 501, "coding-unknown"),
    "coding_quoted": (head('Transfer-Encoding: "chunked"', method="POST"), 501, "coding-unknown"),
    "coding_empty": (head("Transfer-Encoding:", method="POST"), 501, "coding-unknown"),
    "coding_vertical_tab": (head(b"Transfer-Encoding: \x0bchunked", method="POST"), 400, "bad-framing"),
    "coding_in_1.0": (head(CHUNKED, method="POST", version="HTTP/1.0"), 400, "bad-framing"),
    "chunk_size_word": (head(CHUNKED, method="POST") + b"zz\r\nhello\r\n0\r\n\r\n", 400, "bad-framing"),
    "chunk_size_0x": (head(CHUNKED, method="POST") + b"0x5\r\nhello\r\n0\r\n\r\n", 400, "bad-framing"),
    "chunk_size_negative": (head(CHUNKED, method="POST") + b"-5\r\nhello\r\n0\r\n\r\n", 400, "bad-framing"),
    "chunk_size_blank": (head(CHUNKED, method="POST") + b" 5\r\nhello\r\n0\r\n\r\n", 400, "bad-framing"),
    "chunk_size_empty": (head(CHUNKED, method="POST") + b"\r\nhello\r\n0\r\n\r\n", 400, "bad-framing"),
    "chunk_size_beyond_64_bits": (head(CHUNKED, method="POST") + b"fffffffffffffffff\r\n", 413, "body-too-large"),
    "chunk_without_end": (head(CHUNKED, method="POST") + b"5\r\nhelloxx0\r\n\r\n", 400, "bad-framing"),
    "trailer_without_colon": (head(CHUNKED, method="POST") + b"0\r\nfoo\r\n\r\n", 400, "bad-framing"),
    "blank_before_colon": (head("X-Test : 1"), 400, "bad-framing"),
    "tab_before_colon": (head("X-Test\t: 1"), 400, "bad-framing"),
    "blank_in_name": (head("X Test: 1"), 400, "bad-framing"),
    "length_blank_before_colon": (head("Content-Length : 5", method="POST") + b"hello", 400, "bad-framing"),
    "name_empty": (head(": 1"), 400, "bad-framing"),
    "name_parenthesis": (head("X(Test): 1"), 400, "bad-framing"),
    "name_not_ascii": (head("X-T\xe9st: 1".encode("latin-1")), 400, "bad-framing"),
    "line_without_colon": (head("X-Test"), 400, "bad-framing"),
    "folded": (head("X-Test: 1", " 2"), 400, "bad-framing"),
    "folded_by_tab": (head("X-Test: 1", "\t2"), 400, "bad-framing"),
    "folded_first": (b"GET /seen HTTP/1.1\r\n Host: a\r\n\r\n", 400, "bad-framing"),
    "folded_coding": (head("Transfer-Encoding:", " chunked", method="POST"), 400, "bad-framing"),
    "nul_in_value": (head(b"X-Test: a\0b"), 400, "bad-framing"),
    "nul_in_name": (head(b"X-T\0est: a"), 400, "bad-framing"),
    "nul_ends_value": (head(b"X-Test: a\0"), 400, "bad-framing"),
    "two_nuls_feign_an_end": (head(b"X-Test: a\0\0Content-Length: 3"), 400, "bad-framing"),
    "nul_in_target": (b"GET /se\0en HTTP/1.1\r\nHost: a\r\n\r\n", 400, "bad-framing"),
    "nul_in_method": (b"GE\0T /seen HTTP/1.1\r\nHost: a\r\n\r\n", 400, "bad-framing"),
    "bell_in_value": (head(b"X-Test: a\x07b"), 400, "bad-framing"),
    "delete_in_value": (head(b"X-Test: a\x7fb"), 400, "bad-framing"),
    "bare_cr_in_value": (head(b"X-Test: a\rb"), 400, "bad-framing"),
    "double_cr": (head(b"X-Test: a\r"), 400, "bad-framing"),
    "bare_lf_after_line": (b"GET /seen HTTP/1.1\nHost: a\r\n\r\n", 400, "bad-framing"),
    "bare_lf_after_header": (b"GET /seen HTTP/1.1\r\nHost: a\n\r\n", 400, "bad-framing"),
    "bare_lf_at_end": (b"GET /seen HTTP/1.1\r\nHost: a\r\n\n", 400, "bad-framing"),
    "bare_lf_all": (b"GET /seen HTTP/1.1\nHost: a\n\n", 400, "bad-framing"),
    "two_blanks_before_target": (b"GET  /seen HTTP/1.1\r\nHost: a\r\n\r\n", 400, "bad-framing"),
    "two_blanks_before_version": (b"GET /seen  HTTP/1.1\r\nHost: a\r\n\r\n", 400, None),
    "blank_after_version": (b"GET /seen HTTP/1.1 \r\nHost: a\r\n\r\n", 400, None),
    "blank_in_target": (b"GET /se en HTTP/1.1\r\nHost: a\r\n\r\n", 400, "bad-target"),
    "tab_for_blank": (b"GET\t/seen\tHTTP/1.1\r\nHost: a\r\n\r\n", 400, "bad-framing"),
    "blank_before_method": (b" GET /seen HTTP/1.1\r\nHost: a\r\n\r\n", 400, "bad-framing"),
    "no_version": (b"GET /seen\r\n\r\n", 400, "bad-framing"),
    "only_a_word": (b"hello\r\n\r\n", 400, "bad-framing"),
    "method_only": (b"GET \r\n\r\n", 400, "bad-framing"),
    "tls_hello": (b"\x16\x03\x01\x02\x00\x01\x00\n\x01\xfc\x03\x03" + b"\x00" * 40, 400, "bad-framing"),
    "version_lower_case": (b"GET /seen http/1.1\r\nHost: a\r\n\r\n", 400, "bad-framing"),
    "version_three_digits": (b"GET /seen HTTP/1.11\r\nHost: a\r\n\r\n", 400, "bad-framing"),
    "version_0.9": (head(version="HTTP/0.9"), 505, "version-not-supported"),
    "version_2.0": (head(version="HTTP/2.0"), 505, "version-not-supported"),
    "version_2_preface": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505, "version-not-supported"),
    "host_missing": (head(host=False), 400, "bad-request"),
    "host_twice": (head("Host: b"), 400, "bad-request"),
    "host_empty": (head("Host:", host=False), 400, "bad-request"),
    "host_path": (head("Host: a/b", host=False), 400, "bad-request"),
    "host_user": (head("Host: u@a", host=False), 400, "bad-request"),
    "host_port_word": (head("Host: a:http", host=False), 400, "bad-request"),
    "host_two_words": (head("Host: a b", host=False), 400, "bad-request"),
    "host_twice_in_1.0": (head("Host: b", version="HTTP/1.0"), 400, "bad-request"),
    "escape_nul": (head(target="/a%00b"), 400, "bad-target"),
    "escape_nul_in_query": (head(target="/a?b=%00"), 400, "bad-target"),
    "escape_not_hexadecimal": (head(target="/a%zz"), 400, "bad-target"),
    "escape_cut": (head(target="/a%4"), 400, "bad-target"),
    "escape_cut_in_query": (head(target="/a?b=%"), 400, "bad-target"),
    "target_not_ascii": (b"GET /\xc3\xa9 HTTP/1.1\r\nHost: a\r\n\r\n", 400, "bad-target"),
    "target_control": (b"GET /a\x01 HTTP/1.1\r\nHost: a\r\n\r\n", 400, "bad-target"),
    "target_backslash": (head(target="/a\\b"), 400, "bad-target"),
    "target_fragment": (head(target="/a#b"), 400, "bad-target"),
    "target_relative": (head(target="seen"), 400, "bad-target"),
    "target_asterisk": (head(target="*"), 400, "bad-target"),
    "target_authority": (head(target="a.test:80"), 400, "bad-target"),
    "target_ftp": (head(target="ftp://a.test/"), 400, "bad-target"),
    "target_absolute_no_host": (head(target="http:///seen"), 400, "bad-target"),
    "target_absolute_user": (head(target="http://u:p@a.test/"), 400, "bad-target"),
    "target_absolute_bad_port": (head(target="http://a.test:8x/"), 400, "bad-target"),
    "connect": (head(target="a.test:80", method="CONNECT"), 501, "method-unknown"),
    "connect_asterisk": (head(target="*", method="CONNECT"), 400, "bad-target"),
    "trace_asterisk": (head(target="*", method="TRACE"), 400, "bad-target"),
    "method_too_long": (head(method="A" * 33), 501, "method-unknown"),
    "method_parenthesis": (head(method="G(T"), 400, "bad-framing"),
    "method_not_ascii": (b"G\xc3\x8bT /seen HTTP/1.1\r\nHost: a\r\n\r\n", 400, "bad-framing"),
    "authorization_twice": (head("Authorization: Bearer a", "authorization: Bearer b"), 400, "bad-request"),
    "authorization_twice_equal": (head("Authorization: Bearer a", "Authorization: Bearer a"), 400, "bad-request"),
    "type_twice": (head("Content-Type: text/csv", "Content-Length: 5", "Content-Type: text/csv", method="POST") + b"hello", 400, "bad-request"),
    "idempotency_key_twice": (head("Idempotency-Key: a", "Idempotency-Key: b", method="POST"), 400, "bad-request"),
    "idempotency_key_twice_one_empty": (head("Idempotency-Key:", "Idempotency-Key: b", method="POST"), 400, "bad-request"),
    "target_too_long": (head(target="/" + "a" * 4000), 414, "target-too-long"),
    "target_fills_the_head": (head(target="/" + "a" * 8150), 414, "target-too-long"),
    "target_and_headers_beyond_all_memory": (head("X-Test: " + "a" * 3000, target="/" + "a" * 7000), 414, "target-too-long"),
    "target_beyond_all_memory": (head(target="/" + "a" * 20000), 414, "target-too-long"),
    "arguments_beyond_all_memory": (head(*[f"X-{i}: {'v' * 60}" for i in range(99)], target="/?" + "&" * 3000), 431, "head-too-large"),
    "head_too_large": (head("X-Test: " + "a" * 9000), 431, "head-too-large"),
    "head_just_too_large": (head("X-Test: " + "a" * 8200), 431, "head-too-large"),
    "head_leaves_no_room": (head("X-Test: " + "a" * 8100), 431, "head-too-large"),
    "too_many_headers": (head(*[f"X-{i}: 1" for i in range(101)]), 431, "head-too-large"),
    "far_too_many_headers": (head(*["a:1"] * 1500), 431, "head-too-large"),
    "languages_beyond_all_memory": (head(*["Accept-Language: en"] * 99), 431, "head-too-large"),
    "cookie_beyond_all_memory": (head("Cookie: " + "a=b; " * 1200), 431, "head-too-large"),
    "expectation_unknown": (head("Expect: 200-ok", "Content-Length: 5", method="POST"), 417, "expectation-failed"),
    "expectation_and_more": (head("Expect: 100-continue", "Expect: more", "Content-Length: 5", method="POST"), 417, "expectation-failed"),
    "expectation_over_limit": (head("Expect: 100-continue", "Content-Length: 2000000", method="POST"), 413, "body-too-large"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused_by_a_problem_and_closed(server, name):
    sent, status, code = REFUSED[name]
    client = server.send(sent)
    reply = client.reply(head_only=False)
    assert reply.status == status
    problem = reply.problem()
    if code:
        assert problem["code"] == code
    assert reply.headers["connection"] == "close"
    assert reply.headers["cache-control"] == "no-store"
    assert reply.headers["x-content-type-options"] == "nosniff"
    assert client.is_closed()


@pytest.mark.parametrize("name", [n for n in REFUSED if n not in ("tls_hello",)])
def test_refused_alike_when_it_comes_byte_by_byte(server, name):
    """Where the pieces are cut must change nothing; the head's last bytes come one at a time."""
    sent, status, _ = REFUSED[name]
    client = server.connect()
    client.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    client.send(sent[:-40])
    try:
        for i in range(max(0, len(sent) - 40), len(sent)):
            client.send(sent[i:i + 1])
    except (BrokenPipeError, ConnectionResetError):
        pass
    assert client.reply().status == status
    assert client.is_closed()


def test_rejects_are_counted_by_code(server):
    series = 'asnd_http_rejects_total{code="coding-unknown"}'
    before = server.metric(series)
    assert server.send(head("Transfer-Encoding: gzip", method="POST")).reply().status == 501
    assert server.metric(series) == before + 1
    assert server.metric("asnd_http_requests_in_flight") == 1


# ── targets that are let through ──

TARGETS = {
    "origin": ("/seen?a=b+c&d=%20", "/seen?a=b+c&d=%20", "/seen", "a=b+c&d=%20"),
    "slash_escape_stays": ("/a%2Fb%2f", "/a%2Fb%2f", "/a%2Fb%2f", ""),
    "dots_stay": ("/a/../b/./c//d", "/a/../b/./c//d", "/a/../b/./c//d", ""),
    "empty_query": ("/seen?", "/seen?", "/seen", ""),
    "two_marks": ("/seen?a?b", "/seen?a?b", "/seen", "a?b"),
    "absolute": ("http://b.test:8080/seen?x=1", "/seen?x=1", "/seen", "x=1"),
    "absolute_https_upper_case": ("HTTPS://b.test/seen", "/seen", "/seen", ""),
    "absolute_no_path": ("http://b.test", "/", "/", ""),
    "absolute_only_query": ("http://b.test?x=1", "/?x=1", "/", "x=1"),
    "absolute_ipv6": ("http://[::1]:80/seen", "/seen", "/seen", ""),
    "many_arguments": ("/seen?" + "a&" * 1500, "/seen?" + "a&" * 1500, "/seen", "a&" * 1500),
}


@pytest.mark.parametrize("name", TARGETS)
def test_target_is_handed_on_raw(server, name):
    sent, target, path, query = TARGETS[name]
    body = server.send(head(target=sent)).reply().body.decode()
    assert f"\ntarget={target}\npath={path}\nquery={query}\n" in body


@pytest.mark.parametrize("host", ["a.test", "a.test:8080", "127.0.0.1:1", "[::1]", "[fe80::1]:80", "under_score", "a:"])
def test_sane_hosts_are_let_through(server, host):
    assert server.send(head(f"Host: {host}", host=False)).reply().status == 200


def test_options_asterisk_names_the_methods(server):
    client = server.send(head(target="*", method="OPTIONS"))
    reply = client.reply()
    assert reply.status == 204 and "content-length" not in reply.headers
    assert reply.headers["allow"].split(", ") == ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
    client.send(head())
    assert client.reply().status == 200


@pytest.mark.parametrize("method", ["TRACE", "PROPFIND", "QUERY", "get", "head", "Post", "A" * 32, "M-SEARCH"])
def test_any_token_is_a_method(server, method):
    """Whether an address takes it, the handler says. The reply is whole: the library must not take `head` for HEAD."""
    client = server.send(head(method=method) + head())
    assert f"method={method}\n" in client.reply().body.decode()
    assert "method=GET\n" in client.reply().body.decode()


@pytest.mark.parametrize("method", ["TRACE", "CONNECT", "PROPFIND"])
def test_a_refused_method_is_a_problem_and_echoes_nothing(server, method):
    client = server.send(head("X-Test: mirror", "Authorization: Bearer mirror", target="/problem?status=405", method=method) + head())
    reply = client.reply()
    assert reply.problem()["code"] == "method-not-allowed" and reply.headers["allow"] == "GET, HEAD"
    assert b"mirror" not in reply.body and "mirror" not in str(reply.headers)
    assert client.reply().status == 200


def test_header_values_are_trimmed(server):
    body = server.send(head("X-Test: \t one \t")).reply().body.decode()
    assert "x=one\n" in body and "peer=127.0.0.1\n" in body


def test_lines_of_one_name_are_one_list(server):
    body = server.send(head("X-Test: \t one \t", "Accept: x", "x-test: two,three", "X-Other: y", "X-TEST:")).reply().body.decode()
    assert "x=one, two,three, \n" in body


def test_languages_on_two_lines_are_one_list(server):
    reply = server.send(head("Accept-Language: fr, id;q=0.3", "X-Between: 1", "accept-language: en;q=0.8", target="/problem")).reply()
    assert reply.headers["content-language"] == "en"


def test_request_id_on_two_lines_is_the_first(server):
    assert server.send(head("X-Request-Id: one", "X-Request-Id: two", target="/problem")).reply().headers["x-request-id"] == "one"


def test_empty_lines_before_a_request_are_ignored(server):
    assert server.send(b"\r\n\r\n" + head()).reply().status == 200


# ── bodies ──

def post(target, body, *lines):
    return head(f"Content-Length: {len(body)}", *lines, target=target, method="POST") + body


def chunks(*pieces, extension=b"", trailer=b""):
    return b"".join(b"%x%s\r\n%s\r\n" % (len(p), extension, p) for p in pieces) + b"0\r\n" + trailer + b"\r\n"


@pytest.mark.parametrize("size", [0, 1, 1000, 16384, 16385, 100_000, 1_000_000])
def test_body_is_echoed(server, size):
    body = bytes(range(256)) * (size // 256) + b"z" * (size % 256)
    client = server.send(post("/echo", body))
    assert client.reply().body == body
    client.send(post("/echo", b"again"))
    assert client.reply().body == b"again"


@pytest.mark.parametrize("size", [1, 7, 5000, 60_000])
def test_chunked_body_is_echoed(server, size):
    body = os.urandom(120_001)
    pieces = [body[i:i + size] for i in range(0, len(body), size)] if size > 1 else [body[i:i + 1] for i in range(3000)]
    client = server.send(head(CHUNKED, target="/echo", method="POST") + chunks(*pieces, extension=b";a=b", trailer=b"X-T: 1\r\n"))
    assert client.reply().body == b"".join(pieces)
    client.send(head())
    assert client.reply().status == 200


def test_body_at_its_limit_is_taken_and_one_more_byte_is_not(server):
    assert server.send(post("/echo?limit=10", b"0123456789")).reply().status == 200
    assert server.send(post("/echo?limit=10", b"0123456789a")).reply().status == 413
    assert server.send(head(CHUNKED, target="/echo?limit=10", method="POST") + chunks(b"01234", b"56789")).reply().status == 200


def test_chunked_body_over_its_limit_is_refused_before_its_end(server):
    client = server.send(head(CHUNKED, target="/echo?limit=10", method="POST") + b"b\r\n0123456789a\r\n")
    assert client.reply().problem()["code"] == "body-too-large"
    assert client.is_closed()


def test_refused_upload_does_not_lose_the_reply_to_a_reset(server):
    """The client goes on sending for a while, as clients do; the reply must still be there to read."""
    client = server.send(head("Content-Length: 50000000", target="/echo", method="POST"))
    try:
        for _ in range(30):
            client.send(b"x" * 65536)
    except (BrokenPipeError, ConnectionResetError):
        pytest.fail("cut while sending")
    assert client.reply().problem()["code"] == "body-too-large"


def test_reply_at_once_leaves_the_body_unread_and_closes(server):
    client = server.send(head("Content-Length: 1000000", target="/denied", method="POST"))
    reply = client.reply()
    assert reply.status == 401 and reply.headers["www-authenticate"] == "Bearer"
    assert reply.headers["connection"] == "close"
    assert client.is_closed()


TOO_MUCH = "/denied?status=429"


@pytest.mark.parametrize("piece", [1, 7, 5000])
def test_who_is_told_to_come_again_need_not_connect_again(server, piece):
    """A small body that is of no use is read to its end, in however many pieces it comes."""
    client = server.send(head("Content-Length: 50", target=TOO_MUCH, method="POST"))
    for at in range(0, 50, piece):
        client.send(b"x" * min(piece, 50 - at))
    client.send(head("Content-Length: 5", target="/echo", method="POST") + b"hello")
    reply = client.reply()
    assert reply.status == 429 and reply.headers["retry-after"] == "7" and "connection" not in reply.headers
    assert client.reply().body == b"hello"


@pytest.mark.parametrize("lines", [["Content-Length: 16385"], ["Transfer-Encoding: chunked"], ["Content-Length: 5", "Expect: 100-continue"], ["Content-Length: 5", "Connection: close"]])
def test_what_is_large_or_may_never_come_is_not_read(server, lines):
    client = server.send(head(*lines, target=TOO_MUCH, method="POST"))
    reply = client.reply()
    assert reply.status == 429 and reply.headers["connection"] == "close" and client.is_closed()


def test_who_is_told_to_come_again_and_keeps_his_body_back_is_told_in_the_end(make):
    server = make(body_timeout_ms=200)
    client = server.send(head("Content-Length: 50", target=TOO_MUCH, method="POST") + b"x")
    reply = client.reply()
    assert reply.status == 429 and reply.headers["connection"] == "close" and client.is_closed()


def test_reply_at_once_without_a_body_keeps_the_connection(server):
    client = server.send(head(target="/now") * 3)
    assert [client.reply().body for _ in range(3)] == [b"x" * 10] * 3


def test_expectation_is_met_before_the_body(server):
    client = server.send(head("Expect: 100-continue", "Content-Length: 5", target="/echo", method="POST"))
    assert client.interim() == "HTTP/1.1 100 Continue"
    client.send(b"hello")
    assert client.reply().body == b"hello"


def test_expectation_waits_for_a_decision_that_takes_time(server):
    client = server.send(head("Expect: 100-continue", "Content-Length: 5", target="/ask?ms=20", method="POST"))
    assert client.interim() == "HTTP/1.1 100 Continue"
    client.send(b"hello")
    assert client.reply().body == b"hello"


def test_denied_expectation_gets_no_100(server):
    client = server.send(head("Expect: 100-continue", "Content-Length: 5", target="/denied", method="POST"))
    assert client.reply().status == 401


def test_expectation_of_1_0_is_ignored(server):
    sent = head("Expect: wonders", "Content-Length: 5", target="/echo", method="POST", version="HTTP/1.0") + b"hello"
    assert server.send(sent).reply().body == b"hello"


# ── keeping connections ──

def test_pipelined_requests_are_answered_in_order(server):
    wanted = [f"/seen?{i}" for i in range(50)]
    client = server.send(b"".join(head(target=t) for t in wanted[:25]) + post("/slow", b"x" * 10) + b"".join(head(target=t) for t in wanted[25:]))
    got = [client.reply().body.decode() for _ in range(51)]
    del got[25]
    assert [re.search("target=(.*)", body).group(1) for body in got] == wanted


def test_pipelined_slow_requests_are_answered_in_order(server):
    client = server.send(b"".join(head(target=f"/{'slow' if i % 2 else 'fixed'}?n={i}&ms=3") for i in range(20)))
    assert [len(client.reply().body) for _ in range(20)] == [100 if i % 2 else i for i in range(20)]


def test_pipelined_garbage_follows_its_good_request(server):
    client = server.send(head(target="/slow") + b"nonsense\r\n\r\n")
    assert client.reply().status == 200
    assert client.reply().problem()["code"] == "bad-framing"
    assert client.is_closed()


@pytest.mark.parametrize("version,line,kept", [
    ("HTTP/1.1", None, True), ("HTTP/1.1", "Connection: close", False), ("HTTP/1.1", "Connection: x, Close", False),
    ("HTTP/1.0", None, False), ("HTTP/1.0", "Connection: keep-alive", True), ("HTTP/1.1", "Connection: keep-alive", True)])
def test_connection_is_kept_as_the_client_says(server, version, line, kept):
    client = server.send(head(*([line] if line else []), version=version))
    reply = client.reply()
    assert reply.status == 200
    if kept:
        assert reply.headers.get("connection", "keep-alive").lower() == "keep-alive"
        client.send(head())
        assert client.reply().status == 200
    else:
        assert reply.headers["connection"] == "close"
        assert client.is_closed()


# ── replies ──

def test_head_has_the_length_but_no_body(server):
    client = server.send(head(target="/fixed?n=900", method="HEAD") + head())
    assert client.reply(head_only=True).headers["content-length"] == "900"
    assert client.reply().status == 200


def test_head_of_a_problem_has_no_body(server):
    client = server.send(head(target="/problem?status=404", method="HEAD") + head())
    reply = client.reply(head_only=True)
    assert reply.status == 404 and int(reply.headers["content-length"]) > 50
    assert client.reply().status == 200


def test_head_refused_at_the_door_has_no_body(server):
    client = server.send(head(method="HEAD", target="/%zz"))
    assert client.reply(head_only=True).status == 400
    assert client.is_closed()


def test_head_of_a_stream_has_no_body(server):
    client = server.send(head(target="/stream?n=10", method="HEAD"))
    reply = client.reply(head_only=True)
    assert "content-length" not in reply.headers and reply.headers["connection"] == "close"
    assert client.is_closed()


@pytest.mark.parametrize("status,length", [(204, None), (304, "10")])
def test_no_body_where_none_belongs(server, status, length):
    client = server.send(head(target=f"/empty?status={status}") + head())
    reply = client.reply()
    assert reply.status == status and reply.headers.get("content-length") == length and "content-type" not in reply.headers
    assert client.reply().status == 200


@pytest.mark.parametrize("accept,language", [
    (None, "id"), ("en", "en"), ("id", "id"), ("en-GB,en;q=0.9", "en"), ("id;q=0.5, en;q=0.8", "en"), ("fr, *;q=0.1", "id"),
    ("en;q=0", "id"), ("id;q=0, *;q=0.3", "en"), ("en;q=2", "id"), ("garbage;;;,,", "id"), ("EN", "en")])
def test_problem_speaks_the_liked_language(server, accept, language):
    lines = [f"Accept-Language: {accept}"] if accept else []
    reply = server.send(head(*lines, target="/problem")).reply()
    assert reply.headers["content-language"] == language
    assert reply.headers["vary"] == "Accept-Language, Accept"
    assert reply.problem()["detail"] == {"en": "Nothing here.", "id": "Tidak ada apa-apa."}[language]
    assert reply.problem()["instance"] == "/problem"


@pytest.mark.parametrize("status,header,value", [(401, "www-authenticate", "Bearer"), (405, "allow", "GET, HEAD"), (429, "retry-after", "7")])
def test_problem_carries_its_header(server, status, header, value):
    reply = server.send(head(target=f"/problem?status={status}")).reply()
    assert reply.status == status and reply.headers[header] == value
    reply.problem()


@pytest.mark.parametrize("given,kept", [("abc-123_x.y", True), ("a" * 64, True), ("a" * 65, False), ("a b", False), ("", False), ("<x>", False)])
def test_request_id_comes_back_if_it_is_sane(server, given, kept):
    got = server.send(head(f"X-Request-Id: {given}", target="/problem")).reply()
    assert (got.headers["x-request-id"] == given) == kept
    assert kept or re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", got.headers["x-request-id"])


def test_header_value_with_a_line_break_is_dropped(server):
    reply = server.send(head(target="/inject")).reply()
    assert reply.status == 200 and "x-evil" not in reply.headers and "x-bad" not in reply.headers


def test_second_reply_is_ignored(server):
    client = server.send(head(target="/twice") + head())
    assert client.reply().body == b"x" * 10
    assert client.reply().status == 200


# ── streams ──

@pytest.mark.parametrize("target,size", [("/stream?n=0", 0), ("/stream?n=1", 1), ("/stream?n=3000000", 3_000_000), ("/stream?n=20000&wait=1", 20_000)])
def test_stream_arrives_whole(server, target, size):
    client = server.send(head(target=target) + head())
    assert client.reply().body == b"s" * size
    assert client.reply().status == 200


def test_stream_to_1_0_ends_with_the_connection(server):
    reply = server.send(head(target="/stream?n=30000&wait=1", version="HTTP/1.0")).reply()
    assert reply.headers["connection"] == "close" and reply.body == b"s" * 30_000


def test_failed_stream_lacks_its_last_chunk(server):
    client = server.send(head(target="/stream?n=5000&fail=1"))
    data = client.until_end()
    assert b"s" * 1000 in data and not data.endswith(b"0\r\n\r\n")


def test_failed_stream_to_1_0_is_reset(server):
    client = server.send(head(target="/stream?n=5000&fail=1", version="HTTP/1.0"))
    with pytest.raises(ConnectionResetError):
        while client.sock.recv(65536):
            pass


@pytest.mark.parametrize("wait", [0, 1])
@pytest.mark.parametrize("chunked", [False, True])
def test_upload_is_taken_with_back_pressure(server, wait, chunked):
    body = os.urandom(50_000)
    target = f"/upload?wait={wait}"
    sent = head(CHUNKED, target=target, method="POST") + chunks(body[:20_000], body[20_000:]) if chunked else post(target, body)
    client = server.send(sent + head())
    assert int(client.reply().body) == 50_000
    assert client.reply().status == 200


def test_upload_over_its_limit_is_refused(server):
    assert server.send(post("/upload?limit=1000", b"x" * 1001)).reply().status == 413
    client = server.send(head(CHUNKED, target="/upload?limit=1000", method="POST") + b"400\r\n" + b"x" * 1024)
    assert client.reply().status == 413
    assert client.is_closed()


@pytest.mark.parametrize("how", ["", "&wait=1", "&later=1", "&wait=1&later=1"])
def test_upload_refused_in_the_middle_is_answered_at_once(server, how):
    client = server.send(head("Content-Length: 1000000", target=f"/upload?refuse=3000{how}", method="POST") + b"x" * 8000)
    assert client.reply().problem()["code"] == "not-found"
    assert client.is_closed()


def test_stream_that_answers_an_upload_waits_for_its_end(server):
    client = server.send(head("Content-Length: 100000", target="/upload?refuse=3000&stream=1&n=2000", method="POST") + b"x" * 100_000 + head())
    assert client.reply().body == b"s" * 2000
    assert client.reply().status == 200


# ── clients that leave ──

LEAVING = {
    "before_anything": b"",
    "in_the_line": b"GET /se",
    "in_the_head": b"GET /seen HTTP/1.1\r\nHost: a\r\nX-T",
    "in_the_body": head("Content-Length: 100", target="/echo", method="POST") + b"some",
    "in_a_chunk": head(CHUNKED, target="/echo", method="POST") + b"5\r\nhe",
    "in_an_upload": head("Content-Length: 100000", target="/upload?wait=1", method="POST") + b"x" * 5000,
    "while_deciding": head("Content-Length: 100", target="/ask?ms=30", method="POST"),
    "while_waiting": head(target="/slow?ms=30"),
    "while_held": head(target="/hold?ms=30"),
    "in_a_big_reply": head(target="/fixed?n=8000000"),
    "in_a_stream": head(target="/stream?n=90000000"),
    "in_a_waiting_stream": head(target="/stream?n=90000&wait=1"),
}


@pytest.mark.parametrize("how", ["close", "reset", "half"])
@pytest.mark.parametrize("name", LEAVING)
def test_client_may_leave_at_any_time(hasty, name, how):
    """The library may miss a half-close that comes together with the last bytes: then the deadline ends the connection."""
    client = hasty.send(LEAVING[name])
    if name in ("in_a_big_reply", "in_a_stream"):
        client.sock.recv(1)
    if how == "half":
        client.sock.shutdown(socket.SHUT_WR)
        client.until_end()
    elif how == "reset":
        client.reset()
    client.close()
    hasty.wait_for(active=1, held=0)
    assert hasty.metric("asnd_http_requests_in_flight") == 1


def test_every_request_that_was_seen_is_done_once(make):
    mine = make(head_timeout_ms=1000, body_timeout_ms=1000)
    for _ in range(20):
        for sent in LEAVING.values():
            mine.send(sent).reset()
    mine.wait_for(active=1, held=0)
    assert mine.metric("asnd_http_requests_in_flight") == 1
    before = mine.numbers()
    assert mine.numbers()["done"] == before["done"] + 1


# ── deadlines ──

def trickle(client, data, pause=0.02):
    """Sends a byte at a time until the other side ends it; returns how long that took."""
    start = time.monotonic()
    client.sock.settimeout(pause)
    try:
        for i in range(len(data)):
            client.sock.sendall(data[i:i + 1])
            try:
                got = client.sock.recv(65536)
                client.rest += got
                break
            except TimeoutError:
                continue
        else:
            pytest.fail("never struck")
    except (BrokenPipeError, ConnectionResetError):
        pass
    client.sock.settimeout(PATIENCE)
    return time.monotonic() - start


def test_slow_head_is_told_and_closed(make):
    client = make(head_timeout_ms=200).send(b"GET /seen HTTP/1.1\r\nHos")
    reply = client.reply()
    assert reply.problem()["code"] == "request-timeout" and reply.headers["connection"] == "close"
    assert client.is_closed()


@pytest.mark.parametrize("start", [b"", b"GET /seen HTTP/1.1\r\n"])
def test_trickled_head_does_not_live_longer(make, start):
    client = make(head_timeout_ms=300).send(start)
    assert trickle(client, b"X-Long: " + b"a" * 3000) < 2
    assert client.reply().status == 408


def test_silent_connection_is_closed_without_a_word(make):
    assert make(head_timeout_ms=200).connect().is_closed()


def test_empty_lines_do_not_keep_a_connection(make):
    client = make(head_timeout_ms=300).connect()
    assert trickle(client, b"\r\n" * 2000) < 2


def test_idle_connection_is_closed_without_a_word(make):
    client = make(idle_timeout_ms=200).send(head())
    assert client.reply().status == 200
    assert client.is_closed()


def test_busy_connection_outlives_the_idle_limit(make):
    client = make(idle_timeout_ms=300, head_timeout_ms=300).connect()
    end = time.monotonic() + 1
    while time.monotonic() < end:
        client.send(head(target="/slow?ms=50"))
        assert client.reply().status == 200


@pytest.mark.parametrize("framing", ["Content-Length: 5000", CHUNKED])
def test_slow_body_is_told_and_closed(make, framing):
    client = make(body_timeout_ms=200).send(head(framing, target="/echo", method="POST"))
    assert client.reply().problem()["code"] == "request-timeout"
    assert client.is_closed()


@pytest.mark.parametrize("target", ["/echo", "/upload"])
def test_trickled_body_does_not_live_longer(make, target):
    client = make(body_timeout_ms=300).send(head("Content-Length: 5000", target=target, method="POST"))
    assert trickle(client, b"a" * 5000) < 2
    assert client.reply().status == 408


def pour(client, size, rate, pause=0.02):
    """Sends so many bytes at so many a second, until the other side ends it; returns how many were sent."""
    piece, sent = b"a" * int(rate * pause), 0
    client.sock.settimeout(pause)
    try:
        while sent < size:
            client.sock.sendall(piece[:size - sent])
            sent += len(piece[:size - sent])
            try:
                client.rest += client.sock.recv(65536)
                break
            except TimeoutError:
                continue
    except (BrokenPipeError, ConnectionResetError):
        pass
    client.sock.settimeout(PATIENCE)
    return sent


@pytest.mark.parametrize("framing", ["Content-Length: 10000000", CHUNKED])
def test_upload_below_the_least_rate_is_told_and_closed(make, framing):
    """It brings something all the time, far more than a few kilobytes in each time-out; not enough."""
    mine = make(body_timeout_ms=500, least_rate=200_000)
    client = mine.send(head(framing, target="/upload", method="POST") + (b"989680\r\n" if framing == CHUNKED else b""))
    assert 5000 < pour(client, 10_000_000, rate=50_000) < 200_000
    reply = client.reply()
    assert reply.problem()["code"] == "request-timeout" and reply.headers["connection"] == "close"
    assert client.is_closed()
    assert mine.wait_for(active=1)["aborted"] == 0


def test_upload_below_the_least_rate_ends_after_a_good_start(make):
    client = make(body_timeout_ms=500, least_rate=200_000).send(head("Content-Length: 10000000", target="/upload", method="POST"))
    client.send(b"a" * 3_000_000)
    assert pour(client, 7_000_000, rate=50_000) < 200_000
    assert client.reply().status == 408


def test_slow_but_steady_upload_is_taken(make):
    """It takes three times as long as the body's time-out."""
    client = make(body_timeout_ms=1000, least_rate=1000).send(head("Content-Length: 30000", target="/upload", method="POST"))
    assert pour(client, 30_000, rate=10_000) == 30_000
    assert int(client.reply().body) == 30_000


def sip(client, rate, pause=0.02):
    """Reads at so many bytes a second up to the end; returns how many came."""
    got = 0
    try:
        while data := client.sock.recv(int(rate * pause)):
            got += len(data)
            select.select([], [], [], pause)
    except ConnectionResetError:
        pass
    return got


@pytest.mark.parametrize("target", ["/fixed?n=60000000", "/stream?n=60000000"])
def test_reply_taken_below_the_least_rate_is_cut(make, target):
    """It takes some blocks in each time-out, so that there is always progress; not enough."""
    mine = make(reply_timeout_ms=1000, least_rate=50_000_000)
    client = mine.connect(receive_buffer=262_144)
    client.send(head(target=target))
    assert sip(client, rate=5_000_000) < 30_000_000
    assert mine.wait_for(active=1)["aborted"] == 1


@pytest.mark.parametrize("target", ["/fixed?n=12000000", "/stream?n=12000000"])
def test_reply_taken_slowly_but_steadily_is_whole(make, target):
    """It takes several times the reply's time-out, and is more than the kernel's buffers hold."""
    client = make(reply_timeout_ms=300, least_rate=10_000).connect(receive_buffer=262_144)
    client.send(head("Connection: close", target=target))
    assert sip(client, rate=5_000_000) > 12_000_000


def processor_seconds(server):
    user, system = (int(n) for n in Path(f"/proc/{server.process.pid}/stat").read_text().rsplit(")", 1)[1].split()[11:13])
    return (user + system) / os.sysconf("SC_CLK_TCK")


def test_endless_chunk_extension_is_ended_and_burns_no_processor(make):
    mine = make(body_timeout_ms=1500)
    client = mine.send(head(CHUNKED, target="/echo", method="POST") + b"5;" + b"a" * 100_000)
    assert client.reply().status == 408
    assert processor_seconds(mine) < 0.8


def test_slow_upload_that_is_our_own_fault_is_not_struck(make):
    client = make(body_timeout_ms=200).send(post("/upload?wait=1", b"x" * 400_000))
    assert int(client.reply().body) == 400_000


def test_slow_reader_is_cut(make):
    mine = make(reply_timeout_ms=300)
    client = mine.connect(receive_buffer=4096)
    client.send(head(target="/fixed?n=30000000"))
    mine.wait_for(active=2)
    mine.wait_for(active=1)
    assert len(client.until_end()) < 30_000_000


def test_slow_reader_of_a_stream_is_cut(make):
    mine = make(reply_timeout_ms=300)
    client = mine.connect(receive_buffer=4096)
    client.send(head(target="/stream?n=50000000"))
    mine.wait_for(active=2)
    mine.wait_for(active=1)
    assert mine.numbers()["aborted"] == 1


def test_waiting_stream_is_not_struck(make):
    reply = make(reply_timeout_ms=200).send(head(target="/stream?n=300000&wait=1")).reply()
    assert len(reply.body) == 300_000


def test_slow_handler_is_not_struck(make):
    mine = make(reply_timeout_ms=200, body_timeout_ms=200, idle_timeout_ms=200, head_timeout_ms=200)
    assert mine.send(head(target="/slow?ms=800")).reply().status == 200
    assert mine.send(post("/ask?ms=800", b"hello")).reply().body == b"hello"


def test_many_may_wait_long_without_burning_the_processor(make):
    """More than are parked, longer than they are parked."""
    mine = make()
    clients = [mine.send(head(target="/slow?ms=1500") + head()) for _ in range(400)]
    for client in clients:
        assert client.reply().status == 200
        assert client.reply().status == 200
    assert processor_seconds(mine) < 1.5


# ── life of the server ──

def test_draining_server_ends_its_requests_and_closes(make):
    mine = Server()
    busy, idle, fresh = mine.send(head(target="/slow?ms=300")), mine.send(head()), mine.connect()
    assert idle.reply().status == 200
    mine.wait_for(active=2)
    mine.process.send_signal(signal.SIGTERM)
    assert idle.is_closed() and fresh.is_closed()
    with pytest.raises(OSError):
        mine.connect()
    reply = busy.reply()
    assert reply.status == 200 and reply.headers["connection"] == "close"
    assert busy.is_closed()
    _, said = mine.process.communicate(timeout=PATIENCE)
    assert mine.process.returncode == 0, said


@pytest.mark.parametrize("name", LEAVING)
def test_server_may_close_at_any_time(name):
    mine = Server()
    clients = [mine.send(LEAVING[name]) for _ in range(5)]
    mine.numbers()
    mine.stop(signal.SIGINT)
    for client in clients:
        client.until_end()


def test_server_speaks_ipv6(make):
    mine = make(listen="::1")
    assert "peer=::1\n" in mine.send(head()).reply().body.decode()


def test_connection_limit_holds_back_the_next(make):
    mine = make(max_connections=3)
    first = [mine.send(head()) for _ in range(3)]
    assert [c.reply().status for c in first] == [200] * 3
    late = mine.send(head())
    late.sock.settimeout(0.3)
    with pytest.raises(TimeoutError):
        late.sock.recv(1)
    late.sock.settimeout(PATIENCE)
    first[0].close()
    assert late.reply().status == 200


def test_address_in_use_is_said_and_ends_the_start(server):
    late = subprocess.run([ECHO, f"port={server.port}"], capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert late.returncode == 1 and "cannot-listen" in late.stderr
