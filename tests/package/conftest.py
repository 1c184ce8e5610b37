# SPDX-License-Identifier: Apache-2.0
"""A Debian that has nothing but its base system, made anew for these tests, and the package of this tree."""
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

from support import postgres

ROOT = Path(__file__).resolve().parents[2]
SUITE = "bookworm"


def output(*command):
    return subprocess.run(command, check=True, text=True, capture_output=True, timeout=300).stdout


class Debian:
    """Another root directory; its programs run in it."""

    def __init__(self, path):
        self.path = path

    def run(self, *command, check=True, **options):
        environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive", **options.pop("env", {})}
        done = subprocess.run(["chroot", *options.pop("how", ()), str(self.path), *command], text=True, capture_output=True, timeout=300, env=environment)
        assert not check or done.returncode == 0, f"{command}: {done.returncode}\n{done.stdout}{done.stderr}"
        return done

    def as_service(self, *command, **options):
        """As the unit does: as the package's user, with the package's settings."""
        return self.run(*command, how=("--userspec=asnd:asnd",), env={"ASND_CONFIG": "/etc/asnd/asnd.conf"}, **options)

    def file(self, name):
        return self.path / name.lstrip("/")

    def install(self, package):
        shutil.copy(package, self.file("/tmp"))
        return self.run("apt-get", "install", "-qq", "--no-install-recommends", f"/tmp/{package.name}")


def make_base(path):
    """The base system of the mirror that this machine's own packages come from, and its way of getting them."""
    mirror = output("apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages", f"Release: {SUITE}").split()[0]
    subprocess.run(["debootstrap", "--variant=minbase", SUITE, str(path), mirror], check=True, stdout=subprocess.DEVNULL, timeout=900)
    for name in ("apt", "hosts", "resolv.conf"):
        here, there = Path("/etc") / name, path / "etc" / name
        if here.is_dir():
            shutil.rmtree(there, ignore_errors=True)
            shutil.copytree(here, there, symlinks=True)
        elif here.exists():
            shutil.copy(here, there)
    (path / "usr/sbin/policy-rc.d").write_text("#!/bin/sh\nexit 101\n", encoding="utf-8")
    (path / "usr/sbin/policy-rc.d").chmod(0o755)


@pytest.fixture(scope="session")
def debian():
    if os.getuid() != 0:
        pytest.skip("another root directory is root's to make")
    directory = Path(tempfile.mkdtemp(prefix="asnd-debian.", dir="/var/tmp"))
    try:
        directory.chmod(0o755)
        made = Debian(directory)
        make_base(directory)
        made.run("apt-get", "update", "-qq")
        yield made
    finally:
        shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture(scope="session")
def package():
    """As scripts/test.sh has built it."""
    found = sorted((ROOT / "build/package").glob("asnd_*_*.deb"))
    assert len(found) == 1, f"cmake --preset package && cmake --build --preset package; there are {found}"
    return found[0]


@pytest.fixture(scope="session")
def newer(package, tmp_path_factory):
    """The same, as the next version."""
    directory = tmp_path_factory.mktemp("newer")
    subprocess.run(["dpkg-deb", "-R", str(package), str(directory / "tree")], check=True)
    control = directory / "tree/DEBIAN/control"
    version = output("dpkg-deb", "-f", str(package), "Version").strip()
    control.write_text(control.read_text(encoding="utf-8").replace(f"Version: {version}", f"Version: {version}+next"), encoding="utf-8")
    subprocess.run(["dpkg-deb", "--root-owner-group", "-b", str(directory / "tree"), str(directory / "asnd_next.deb")], check=True, stdout=subprocess.DEVNULL)
    return directory / "asnd_next.deb"


@pytest.fixture(scope="session")
def database(debian):
    """A server where the package's settings look for it, with the role and the database that asnd(8) tells to make."""
    cluster = postgres.Cluster(own=True)
    for statement in ("CREATE ROLE asnd LOGIN", "ALTER DATABASE asnd OWNER TO asnd"):
        cluster.execute(statement)
    directory = Path(cluster.url.split("host=")[1].split("&")[0])
    directory.chmod(0o711)
    place = debian.file("/run/postgresql")
    place.mkdir(parents=True, exist_ok=True)
    subprocess.run(["mount", "--bind", str(directory), str(place)], check=True)
    yield cluster.database_url("asnd")
    subprocess.run(["umount", str(place)], check=True)
    cluster.close()
