# SPDX-License-Identifier: Apache-2.0
"""Many requests on one kept connection, each sent before the one before it was answered; and replies as they came, byte by byte."""
import json
import socket

from support.client import PROBLEM

AT_ONCE = 32


class Reply:
    def __init__(self, status, lines, body):
        self.status, self.lines, self.body = status, lines, body
        self.headers = {}
        for line in lines:
            name, _, value = line.partition(b":")
            self.headers.setdefault(name.decode("latin-1").lower(), value.strip().decode("latin-1"))

    @property
    def is_problem(self):
        return self.headers.get("content-type", "").startswith(PROBLEM)

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def code(self):
        return self.json["code"] if self.is_problem else None

    def __repr__(self):
        return f"<{self.status} {self.body[:400]!r}>"


def request(method, target, body=b"", **headers):
    """The bytes of a request; a header's underscores stand for dashes, None leaves it out."""
    lines = [b"%s %s HTTP/1.1" % (method.encode(), target.encode("latin-1")), b"Host: x"]
    lines += [name.replace("_", "-").encode() + b": " + (value if isinstance(value, bytes) else str(value).encode("latin-1"))
              for name, value in headers.items() if value is not None]
    if body or method in ("POST", "PUT", "PATCH"):
        lines.append(b"Content-Length: %d" % len(body))
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


class Ended(Exception):
    """The other side closed between two replies."""


class Wire:
    def __init__(self, port):
        self.port = port
        self.socket = None

    def _open(self):
        self.close()
        self.socket = socket.create_connection(("127.0.0.1", self.port), timeout=60)
        self.file = self.socket.makefile("rb")

    def close(self):
        if self.socket:
            self.file.close()
            self.socket.close()
            self.socket = None

    def _chunks(self):
        while True:
            size = int(self.file.readline().split(b";")[0], 16)
            data = self.file.read(size)
            self.file.readline()
            if size == 0:
                return
            yield data

    def _reply(self):
        head = self.file.readline()
        if not head:
            raise Ended
        assert head.startswith(b"HTTP/1.1 "), head
        lines = []
        while (line := self.file.readline().rstrip(b"\r\n")):
            lines.append(line)
        reply = Reply(int(head.split()[1]), lines, b"")
        if reply.status in (204, 304):
            return reply
        if reply.headers.get("transfer-encoding") == "chunked":
            reply.body = b"".join(self._chunks())
        else:
            reply.body = self.file.read(int(reply.headers["content-length"]))
        return reply

    def send(self, data):
        """One request; receive() gives its reply."""
        if not self.socket:
            self._open()
        self.socket.sendall(data)

    def receive(self):
        return self._reply()

    def ask(self, requests):
        """The replies, in order. Where a connection ends (a refusal of the framing ends it), the rest goes by another."""
        replies = []
        if not self.socket:
            self._open()
        while len(replies) < len(requests):
            batch = requests[len(replies):len(replies) + AT_ONCE]
            answered = len(replies)
            try:
                self.socket.sendall(b"".join(batch))
                for _ in batch:
                    replies.append(self._reply())
                    if replies[-1].headers.get("connection", "").lower() == "close":
                        raise Ended
            except (Ended, ConnectionError, BrokenPipeError):
                assert len(replies) > answered, f"closed without an answer: {batch[0][:300]!r}"
                self._open()
        return replies
