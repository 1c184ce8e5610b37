# SPDX-License-Identifier: Apache-2.0
"""A server that is asked more than it can do. It has one processor with its database and whoever asks has another, so that what is measured is the server."""
import os
import re
import subprocess
import tempfile
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]


def build(directory):
    program = Path(directory) / "bench-overload"
    subprocess.run(["cc", "-std=gnu17", "-D_GNU_SOURCE", "-O2", "-Wall", "-Wextra", "-Werror", "-o", program, ROOT / "bench/overload.c"], check=True)
    return program


def places():
    """The processors of the server and of who asks: the same where there is only one."""
    cores = sorted(os.sched_getaffinity(0))
    return cores[0], cores[-1]


def priority():
    """Real time, where one may: then what else runs on the machine takes nothing from what is measured."""
    before, param = os.sched_getscheduler(0), os.sched_getparam(0)
    try:
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(10))
        os.sched_setscheduler(0, before, param)
        return 10
    except PermissionError:
        return None


def _family(pid):
    found = [pid]
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            if int(status.read_text().rpartition(")")[2].split()[1]) == pid:
                found.append(int(status.parent.name))
        except (FileNotFoundError, ProcessLookupError):
            pass
    return found


def pin(pid, core, priority=None):
    """The process, its threads and its children have that processor (None: all); what they start later follows them. `priority`: before all that has none, in real time."""
    for process in _family(pid):
        for task in Path(f"/proc/{process}/task").iterdir():
            os.sched_setaffinity(int(task.name), os.sched_getaffinity(0) if core is None else {core})
            if priority:
                os.sched_setscheduler(int(task.name), os.SCHED_RR, os.sched_param(priority))
            elif core is None:
                os.sched_setscheduler(int(task.name), os.SCHED_OTHER, os.sched_param(0))


class Round(NamedTuple):
    seconds: float
    good: int
    refused: int
    odd: int
    unsent: int  # found no free connection for a tenth of a second
    reconnected: int
    good_p50: float  # milliseconds, counted from when a request was due
    good_p99: float
    good_max: float
    refused_p50: float
    refused_p99: float
    refused_max: float

    @property
    def rate(self):
        return self.good / self.seconds


def ask(program, port, rate, seconds, connections, lines, core, priority=None):
    """`rate` 0: as fast as it answers. `lines`: (method, target, key) or (method, target, key, media type, body)."""
    with tempfile.NamedTemporaryFile("w", suffix=".requests") as file:
        file.write("".join("\t".join(line) + "\n" for line in lines))
        file.flush()
        command = [str(program), str(port), str(rate), str(seconds), str(connections), file.name]
        done = subprocess.run(["chrt", "-r", str(priority), *command] if priority else command, capture_output=True, text=True, check=False, timeout=seconds + 60,
                              preexec_fn=lambda: os.sched_setaffinity(0, {core}))
    assert done.returncode == 0, done.stderr
    words = re.search(r"RESULT (.*)", done.stdout).group(1).split()
    found = Round(*[float(words[0]), *map(int, words[1:6]), *map(float, words[6:])])
    assert not found.odd, f"{found} {done.stderr}"
    return found
