# SPDX-License-Identifier: Apache-2.0
"""What a service manager does for its service: it owns the listening socket (LISTEN_FDS) and hears how the service is (NOTIFY_SOCKET)."""
import re
import signal
import socket
import subprocess
import tempfile
from pathlib import Path

from support import daemon as daemons


class Manager:
    def __init__(self, database_url, **settings):
        self._directory = tempfile.TemporaryDirectory(prefix="asnd-manager.")
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
        self.port = self.listener.getsockname()[1]
        self._environment = {"PATH": "/usr/bin:/bin", "ASND_DATABASE_URL": database_url, **daemons.SANITIZERS,
                             **{f"ASND_{name.upper()}": str(value) for name, value in settings.items()}}
        self.services = []

    def start(self, watchdog_us=None):
        """One more service on the same socket; back when it is ready."""
        service = Service(self, Path(self._directory.name) / f"{len(self.services)}.notify", watchdog_us)
        self.services.append(service)
        service.hear("READY=1")
        return service

    def environment(self, notify, watchdog_us):
        watchdog = {} if watchdog_us is None else {"WATCHDOG_USEC": str(watchdog_us)}
        return {**self._environment, **watchdog, "NOTIFY_SOCKET": str(notify), "LISTEN_FDS": "1"}

    def close(self):
        for service in self.services:
            if service.process.poll() is None:
                service.stop()
        self.listener.close()
        self._directory.cleanup()


class Service:
    def __init__(self, manager, notify, watchdog_us):
        self._ears = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._ears.bind(str(notify))
        self._ears.settimeout(60)
        self._log = notify.with_suffix(".log").open("w+", encoding="utf-8")
        fd = manager.listener.fileno()
        # LISTEN_PID is the service's own, which is known only when it runs; the first socket is descriptor 3.
        take = f'exec 3<&{fd}; [ {fd} = 3 ] || exec {fd}<&-; LISTEN_PID=$$ exec "$0" serve'
        self.process = subprocess.Popen(["bash", "-c", take, str(daemons.program())], env=manager.environment(notify, watchdog_us), pass_fds=[fd],
                                        cwd="/", stdin=subprocess.DEVNULL, stderr=self._log)

    def hear(self, wanted):
        """Waits until the service says this."""
        heard = ""
        while wanted not in heard:
            heard = self._ears.recv(4096).decode()
        return heard

    def ask_to_stop(self):
        self.process.send_signal(signal.SIGTERM)

    def stop(self):
        """Gives its log."""
        self.ask_to_stop()
        self.process.wait(60)
        self._ears.close()
        with self._log:
            self._log.seek(0)
            log = self._log.read()
        assert self.process.returncode == 0, log
        return log


def listening_port(log):
    return int(re.search(r'"listening".*"port":(\d+)', log).group(1))
