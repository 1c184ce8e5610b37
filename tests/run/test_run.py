# SPDX-License-Identifier: Apache-2.0
"""scripts/run.sh in a new clone, as a newcomer meets it: a daemon with demo data, again in a moment, clear words, and a clean end."""
import os
import re
import socket
import stat
import subprocess
import time
from pathlib import Path

import pytest
import requests

ROOT = Path(__file__).resolve().parents[2]


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    path = tmp_path_factory.mktemp("clone") / "asnd"
    for parent in list(path.parents)[:3]:  # user postgres must get there
        os.chmod(parent, 0o755)
    subprocess.run(["git", "clone", "-q", str(ROOT), str(path)], check=True, timeout=120)
    yield path
    run(path, "--stop")


def run(tree, *arguments, check=True):
    """Files, not pipes: a detached daemon would keep a pipe open."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("ASND_")}
    out = tree.parent / "out"
    with out.open("w") as file:
        began = time.monotonic()
        status = subprocess.run([str(tree / "scripts/run.sh"), *arguments], stdin=subprocess.DEVNULL, stdout=file, stderr=subprocess.STDOUT,
                                env=environment, timeout=900, check=False).returncode
        took = time.monotonic() - began
    text = out.read_text()
    assert not check or status == 0, text
    return text, took, status


@pytest.fixture(scope="module")
def started(tree):
    port = free_port()
    text, _, _ = run(tree, "--port", str(port), "--detach")
    return port, text


def local(tree):
    return dict(re.findall(r"^export (\w+)='?([^'\n]*)'?$", (tree / ".local/env").read_text(), re.M))


def test_it_prints_what_one_needs(started, tree):
    port, text = started
    assert f"http://127.0.0.1:{port}" in text and f"http://127.0.0.1:{port}/docs" in text and "curl" in text
    assert local(tree)["ASND_ADMIN_KEY"] in text


def test_the_environment_file_is_closed_to_others(started, tree):
    assert stat.S_IMODE((tree / ".local/env").stat().st_mode) == 0o600
    assert set(local(tree)) == {"ASND_URL", "ASND_ADMIN_KEY", "ASND_DATABASE_URL"}


def test_the_demo_data_is_there(started, tree):
    env = local(tree)
    reply = requests.get(env["ASND_URL"] + "/v1/asn?limit=1&count=exact", headers={"Authorization": "Bearer " + env["ASND_ADMIN_KEY"]}, timeout=30)
    assert reply.status_code == 200
    assert 5500 < reply.json()["page"]["count"] <= 6000


def test_a_second_start_takes_a_moment(started, tree):
    port, _ = started
    key = local(tree)["ASND_ADMIN_KEY"]
    run(tree, "--stop")
    with pytest.raises(requests.ConnectionError):
        requests.get(f"http://127.0.0.1:{port}/livez", timeout=5)
    _, took, _ = run(tree, "--port", str(port), "--detach")
    assert took < 5
    assert local(tree)["ASND_ADMIN_KEY"] == key
    assert requests.get(f"http://127.0.0.1:{port}/readyz", timeout=5).status_code == 200


def test_a_taken_port_is_said_with_its_holder(started, tree):
    run(tree, "--stop")
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        s.listen()
        text, _, status = run(tree, "--port", str(s.getsockname()[1]), "--detach", check=False)
    assert status != 0
    assert re.search(rf"\(pid {os.getpid()}\)", text), text
