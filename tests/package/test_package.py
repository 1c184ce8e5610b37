# SPDX-License-Identifier: Apache-2.0
"""The Debian package on a system that has nothing: it installs, serves, is upgraded without losing anything, is removed, is purged. In this order."""
import json
import re
import signal
import subprocess
from contextlib import contextmanager

import requests

from support import postgres


@contextmanager
def serving(debian):
    """The unit's own command, on a port of the system's choice."""
    command = re.search(r"^ExecStart=(.*)$", debian.file("/lib/systemd/system/asnd.service").read_text(encoding="utf-8"), re.MULTILINE).group(1).split()
    process = subprocess.Popen(["chroot", "--userspec=asnd:asnd", str(debian.path), *command, "--port", "0"], stderr=subprocess.PIPE, text=True,
                               stdin=subprocess.DEVNULL, env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"})
    said = []
    for line in process.stderr:
        said.append(line)
        if '"listening"' in line:
            break
    try:
        assert process.poll() is None, said
        yield f"http://127.0.0.1:{json.loads(said[-1])['port']}"
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)
    assert process.returncode == 0


def make_unit(url, key, code):
    return requests.post(f"{url}/v1/units", json={"code": code, "name": f"Dinas {code}", "kind": "dinas"}, headers={"Authorization": f"Bearer {key}"}, timeout=30)


def units(database):
    return [row[0] for row in postgres.query(database, "SELECT code FROM unit ORDER BY code")]


def test_it_installs_with_all_that_it_needs(debian, package):
    debian.install(package)
    assert debian.run("asnd", "--version").stdout.startswith("asnd ")
    assert debian.run("getent", "passwd", "asnd").stdout.strip().endswith(":/nonexistent:/usr/sbin/nologin")
    assert debian.run("stat", "-c", "%U:%G %a", "/etc/asnd/asnd.conf", "/etc/asnd").stdout.split("\n")[:2] == ["root:asnd 640", "root:asnd 750"]
    assert "/etc/asnd/asnd.conf" in debian.run("dpkg-query", "-W", "-f", "${Conffiles}", "asnd").stdout
    assert debian.run("dpkg", "--verify", "asnd").stdout == ""
    for name in ("/usr/share/man/man8/asnd.8", "/usr/share/man/man5/asnd.conf.5", "/usr/share/bash-completion/completions/asnd",
                 "/lib/systemd/system/asnd.socket", "/usr/share/doc/asnd/LICENSE"):
        assert debian.file(name).is_file(), name


def test_nobody_else_may_read_its_settings(debian):
    done = debian.run("asnd", "config", "--config", "/etc/asnd/asnd.conf", how=("--userspec=nobody:nogroup",), check=False)
    assert done.returncode != 0 and "asnd.conf" in done.stderr


def test_it_serves_with_the_settings_that_it_brings(debian, database):
    debian.as_service("asnd", "migrate")
    key = debian.as_service("asnd", "key", "create", "--name", "first", "--scope", "admin").stdout.strip()
    with serving(debian) as url:
        assert requests.get(f"{url}/readyz", timeout=30).status_code == 200
        assert make_unit(url, key, "PKT-1").status_code == 201
    assert units(database) == ["PKT-1"]


def test_an_upgrade_keeps_data_and_settings(debian, database, newer):
    settings = debian.file("/etc/asnd/asnd.conf")
    settings.write_text(settings.read_text(encoding="utf-8") + "workers = 3\n", encoding="utf-8")
    before = debian.run("dpkg-query", "-W", "-f", "${Version}", "asnd").stdout
    debian.install(newer)
    assert debian.run("dpkg-query", "-W", "-f", "${Version}", "asnd").stdout == before + "+next"
    assert "workers = 3\n" in settings.read_text(encoding="utf-8")
    assert debian.run("stat", "-c", "%U:%G %a", "/etc/asnd/asnd.conf").stdout.strip() == "root:asnd 640"
    debian.as_service("asnd", "migrate")
    key = debian.as_service("asnd", "key", "create", "--name", "second", "--scope", "admin").stdout.strip()
    with serving(debian) as url:
        assert make_unit(url, key, "PKT-2").status_code == 201
    assert units(database) == ["PKT-1", "PKT-2"]


def test_removing_keeps_the_settings_and_purging_does_not(debian, database):
    debian.run("apt-get", "remove", "-qq", "asnd")
    assert not debian.file("/usr/bin/asnd").exists() and debian.file("/etc/asnd/asnd.conf").exists()
    debian.run("apt-get", "purge", "-qq", "asnd")
    assert [path.name for path in debian.file("/etc/asnd").iterdir()] == ["column-keys"], "what is sealed in the database would be lost with it"
    kept = debian.file("/etc/asnd/column-keys").stat()
    assert (kept.st_uid, kept.st_gid, kept.st_mode & 0o777) == (0, 0, 0o600), "and its group's number may be another's one day"
    assert debian.run("getent", "passwd", "asnd", check=False).returncode == 2
    assert units(database) == ["PKT-1", "PKT-2"]
