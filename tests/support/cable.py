# SPDX-License-Identifier: Apache-2.0
"""A way from a daemon to its database that can be cut: a socket in a directory, whose connections are handed on to another."""
import os
import select
import socket
import tempfile
import threading


class Cable:
    """`cut`: nothing passes any more and nobody is told, as when a cable is pulled. `mend`: what was connected is reset, and whoever comes is handed on."""

    def __init__(self, directory):
        self._far = f"{directory}/.s.PGSQL.5432"
        self._home = tempfile.TemporaryDirectory(prefix="asnd-cable.")
        self.directory = self._home.name
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(f"{self.directory}/.s.PGSQL.5432")
        self._listener.listen(256)
        for path, mode in ((self.directory, 0o755), (f"{self.directory}/.s.PGSQL.5432", 0o777)):  # a standby comes as user postgres
            os.chmod(path, mode)
        self._peers, self._open, self._ends = {}, threading.Event(), threading.Event()
        self._open.set()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    @property
    def url(self):
        return f"postgresql://postgres@/asnd?host={self.directory}"

    def cut(self):
        self._open.clear()

    def mend(self):
        for end in list(self._peers):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        self._open.set()

    def close(self):
        self._ends.set()
        self.mend()
        self._thread.join(30)
        self._listener.close()
        self._home.cleanup()

    def _part(self, end):
        for one in (end, self._peers.pop(end, None)):
            if one is not None:
                self._peers.pop(one, None)
                one.close()

    def _join(self):
        near, _ = self._listener.accept()
        far = socket.socket(socket.AF_UNIX)
        try:
            far.connect(self._far)
        except OSError:
            near.close()
            far.close()
            return
        self._peers.update({near: far, far: near})

    def _hand_on(self, end):
        try:
            piece = end.recv(65536)
            if piece:
                self._peers[end].sendall(piece)
                return
        except OSError:
            pass
        self._part(end)

    def _run(self):
        while not self._ends.is_set():
            self._open.wait()
            ready = select.select([self._listener, *self._peers], [], [], 0.05)[0]
            if not self._open.is_set():
                continue
            for end in ready:
                if end is self._listener:
                    self._join()
                elif end in self._peers:
                    self._hand_on(end)
        for end in list(self._peers):
            self._part(end)
