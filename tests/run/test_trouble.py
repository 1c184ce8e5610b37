# SPDX-License-Identifier: Apache-2.0
"""What can go wrong with scripts/run.sh: each ends with one clear sentence and nothing left running, and once it is mended the next run works."""
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

AS_ROOT = os.geteuid() == 0
SERVER_USER = "postgres" if AS_ROOT else None

NO_NETWORK = """
case "$*" in
*update*) echo "Err:1 http://mirror.example/debian bookworm InRelease"; echo "  Temporary failure resolving 'mirror.example'"
    echo "W: Some index files failed to download. They have been ignored, or old ones used instead." ;;
*) echo "E: Unable to locate package asnd-no-such-package"; exit 100 ;;
esac
"""
SUDO = 'shift\nexec "$@"\n'


@pytest.fixture
def lacking(built, kept):
    """A package is missing."""
    with kept(built.path / "scripts/packages.txt").open("a", encoding="utf-8") as file:
        file.write("run  asnd-no-such-package\n")
    return built


@pytest.mark.parametrize("script, says, shows", [
    (NO_NETWORK, "apt could not install them. Is the network there", "Err:1 http://mirror.example"),
    ('echo "E: Could not get lock /var/lib/dpkg/lock-frontend. It is held by process 1"; exit 100', "is another apt running", "held by process 1"),
    ('''echo "E: You don't have enough free space in /var/cache/apt/archives/."; exit 100''', "the disk is full", "enough free space"),
], ids=["network", "lock", "disk"])
def test_apt_fails(lacking, fakes, script, says, shows):
    text = lacking.refuses(says, path=fakes(apt_get=script, sudo=SUDO))
    assert shows in text and "asnd-no-such-package" in text


def test_there_is_nobody_who_could_install(lacking, fakes):
    names = fakes(id="echo 1000\n")  # not root, whoever runs the tests
    for program in Path("/usr/bin").iterdir():
        if program.name not in ("sudo", "id"):
            (names / program.name).symlink_to(program)
    lacking.refuses("no sudo.*As root: apt-get install .*asnd-no-such-package", path=[str(names)])


def test_packages_there_are_asked_of_nobody(built, fakes):
    """Neither apt nor sudo."""
    built.works(path=fakes(apt_get="exit 1\n", sudo="exit 1\n"))


def test_the_disk_is_full_at_the_start(built, fakes):
    names = fakes(df='echo "Filesystem 1M-blocks Used Available Capacity Mounted on"; echo "/dev/disk 1000 988 12 99% /"\n')
    built.refuses("the disk is full: 12 MB are free", path=names)


def test_the_build_fails(built, kept):
    source = kept(built.path / "src/main.c")
    source.write_text(source.read_text(encoding="utf-8") + "#error that is broken\n", encoding="utf-8")
    text = built.refuses("the build failed. All of its words: /")
    assert "that is broken" in text


def test_there_is_no_compiler(built):
    built.path.joinpath("build").rename(built.path / "build.kept")
    try:
        text = built.refuses("the build failed", CC="/nowhere/cc")
        assert "/nowhere/cc" in text
    finally:
        shutil.rmtree(built.path / "build", ignore_errors=True)
        built.path.joinpath("build.kept").rename(built.path / "build")
    built.works()


def test_a_tree_that_was_moved_is_configured_again(built):
    """CMake refuses a build directory that was made elsewhere."""
    cache = built.path / "build/release/CMakeCache.txt"
    there = f"CMAKE_HOME_DIRECTORY:INTERNAL={built.path}\n"
    text = cache.read_text(encoding="utf-8")
    assert there in text
    cache.write_text(text.replace(there, "CMAKE_HOME_DIRECTORY:INTERNAL=/where/it/was\n"), encoding="utf-8")
    built.works()


def test_postgresql_does_not_start(built, kept):
    with kept(built.local / "pg/data/postgresql.conf").open("a", encoding="utf-8") as file:
        file.write("shared_buffers = plenty\n")
    text = built.refuses("PostgreSQL does not start. All of its words: /")
    assert '"plenty"' in text


@pytest.mark.parametrize("url", ["postgresql://127.0.0.1:1/asnd", "host=/nowhere dbname=asnd", "postgresql://asnd@no-such-host.invalid/asnd"])
def test_the_database_given_is_not_there(built, url):
    built.refuses("the database of ASND_DATABASE_URL cannot be reached", ASND_DATABASE_URL=url)


@pytest.mark.parametrize("url", ["postgresql://asnd@/no_such?host={}", "host='{}' user=asnd dbname=no_such"])
def test_the_private_cluster_has_no_such_database(built, url):
    """It is started, since its directory is named, and stopped again."""
    directory = str(built.local / "pg")
    text = built.refuses("the database of ASND_DATABASE_URL cannot be reached", ASND_DATABASE_URL=url.format(directory.replace(" ", "%20") if "://" in url else directory))
    assert '"no_such" does not exist' in text


def test_the_owner_of_the_private_database_is_not_asked_for_another(built):
    """`source .local/env` leaves the private owner's address in the shell."""
    owner = built.environment()["ASND_OWNER_DATABASE_URL"]
    built.refuses("the database of ASND_DATABASE_URL cannot be reached", ASND_DATABASE_URL="postgresql://127.0.0.1:1/asnd", ASND_OWNER_DATABASE_URL=owner)


@pytest.mark.parametrize("content", ["", "rubbish\n", f"{os.getpid()} 1\n"])
def test_a_stale_pid_file_is_no_daemon(built, content):
    (built.local / "asnd.pid").write_text(content)
    built.works()


def test_after_a_power_cut(built, bystander):
    """The daemon's and the server's pid files stay behind; the server's number may be another process's by then."""
    built.start("--no-demo")
    daemon = int((built.local / "asnd.pid").read_text().split()[0])
    pid_files = [built.local / "pg" / name for name in ("data/postmaster.pid", ".s.PGSQL.5432.lock")]

    def name(pid):
        for file in pid_files:
            file.write_text("\n".join([str(pid), *file.read_text().split("\n")[1:]]))

    for pid in (daemon, int(pid_files[0].read_text().split("\n")[0])):
        os.kill(pid, signal.SIGKILL)
    end = time.monotonic() + 30
    while built.processes():
        assert time.monotonic() < end, built.processes()
        time.sleep(0.02)
    other = bystander(SERVER_USER)
    name(other.pid)
    assert str(other.pid) in built.refuses("PostgreSQL does not start")
    built.stop()
    assert other.poll() is None
    name(999999999)  # nobody's; the killed server's own is taken until its parent has noticed
    built.works()


if AS_ROOT:
    @pytest.fixture
    def small_disk(built, fakes):
        """.local on a file system of so many megabytes; the check before the start is told otherwise, as quotas do."""
        kept_local = built.local.rename(built.local.with_name("local.kept"))
        built.local.mkdir()

        def make(size):
            subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}m", "tmpfs", str(built.local)], check=True)
            return fakes(df='echo "Filesystem 1M-blocks Used Available Capacity Mounted on"; echo "/dev/disk 9999 0 9999 1% /"\n')
        yield make
        built.stop()
        subprocess.run(["umount", str(built.local)], check=True)
        built.local.rmdir()
        kept_local.rename(built.local)

    def make_room(built):
        subprocess.run(["mount", "-o", "remount,size=1g", str(built.local)], check=True)

    def test_the_disk_is_full_when_the_cluster_is_made(built, small_disk):
        built.refuses("the disk is full: PostgreSQL could not make a cluster", path=small_disk(20))
        make_room(built)
        built.works()

    def test_the_disk_is_full_when_the_demo_data_comes(built, small_disk):
        """Between units and people: the next run brings what is missing."""
        text = built.refuses("the disk is full: the demo data could not be imported", path=small_disk(100), demo=True)
        assert "Importing" in text
        make_room(built)
        built.start()
        assert not (built.local / "demo-unfinished").exists()
        assert 5500 < built.get("/v1/asn?limit=1&count=exact").json()["page"]["count"] <= 6000

    def give_to(path, user):
        subprocess.run(["chown", "-R", f"{user}:", str(path)], check=True)

    def test_two_users_in_one_tree(built):
        """An ordinary user, without root's rights, needs none when all packages are there; but root's files are root's, and the other way round."""
        kept_local = built.local.with_name("local.kept")
        built.refuses(r"\.local\S* belongs to \w+ and is closed to nobody: run this as", user="nobody")
        built.local.rename(kept_local)
        kept_local.rename(built.path.parent / "local.kept")
        give_to(built.path, "nobody")
        try:
            built.works(user="nobody")
            built.refuses("the cluster in .* belongs to nobody: run this as nobody, or remove that directory")
        finally:
            give_to(built.path, "root")
            shutil.rmtree(built.local)
            (built.path.parent / "local.kept").rename(built.local)
        built.works()

    def test_where_the_server_cannot_go_the_cluster_is_elsewhere(built):
        """As in a tree under /root."""
        homes = set(Path("/var/lib/postgresql").glob("asnd-*"))
        os.chmod(built.path.parent, 0o700)
        try:
            built.works()
            made = set(Path("/var/lib/postgresql").glob("asnd-*")) - homes
            assert len(made) == 1
            shutil.rmtree(made.pop())
        finally:
            os.chmod(built.path.parent, 0o755)
