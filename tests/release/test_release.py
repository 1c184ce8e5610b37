# SPDX-License-Identifier: Apache-2.0
"""The installed program, away from its source: it needs nothing of the tree, says clearly what is wrong, stops in order."""
import json
import os
import re
import shutil
import signal
import socket
import subprocess
from pathlib import Path

import pytest
import requests
import yaml

from support import daemon as daemons

ROOT = Path(__file__).resolve().parents[2]


def plain(*arguments, **environment):
    """The program with an almost empty environment and a directory that has nothing."""
    return subprocess.run([str(daemons.program()), *arguments], cwd="/", env={"PATH": "/usr/bin:/bin", **environment}, text=True, capture_output=True,
                          timeout=60)


def test_it_serves_from_an_empty_directory(database, tmp_path):
    process = subprocess.Popen([str(daemons.program()), "serve"], cwd=tmp_path, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True,
                               env={"PATH": "/usr/bin:/bin", "ASND_DATABASE_URL": database, "ASND_PORT": "0", "ASND_STOP_DELAY_MS": "0"})
    try:
        line = next(line for line in process.stderr if '"listening"' in line)
        url = "http://127.0.0.1:" + re.search(r'"port":(\d+)', line).group(1)
        assert requests.get(url + "/livez", timeout=5).status_code == 200
        assert requests.get(url + "/openapi.yaml", timeout=5).content == (ROOT / "openapi.yaml").read_bytes()
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == 0


def test_documents_are_installed():
    prefix = daemons.program().parents[1]
    if prefix == ROOT / "build":
        pytest.fail("this wants an installed program: scripts/test.sh --only release")
    for name in ("share/asnd/openapi.yaml", "share/asnd/access.yaml", "share/doc/asnd/LICENSE", "share/doc/asnd/README.md", "share/doc/asnd/README.id.md"):
        assert (prefix / name).is_file(), name


WRONG_USE = {
    "no-subcommand": ((), {}, 2, "usage"),
    "unknown-subcommand": (("frobnicate",), {}, 2, "frobnicate"),
    "unknown-argument": (("serve", "quickly"), {}, 2, "quickly"),
    "a-port-out-of-range": (("config",), {"ASND_PORT": "70000"}, 2, "port"),
    "a-port-that-is-no-number": (("config",), {"ASND_PORT": "eight"}, 2, "port"),
    "a-log-level-that-is-none": (("config",), {"ASND_LOG_LEVEL": "loud"}, 2, "log_level"),
    "key-without-name": (("key", "create"), {}, 1, "ASND_DATABASE_URL|connect|usage"),
    "a-file-that-is-not-there": (("import", "asn", "/nowhere.csv"), {}, 1, "nowhere|connect|server"),
}


@pytest.mark.parametrize("case", WRONG_USE.keys())
def test_wrong_use_is_said_in_words(case):
    arguments, environment, status, words = WRONG_USE[case]
    done = plain(*arguments, PGHOST="/nowhere", **environment)
    assert done.returncode == status or (status == 1 and done.returncode == 2), (done.returncode, done.stderr)
    assert re.search(words, done.stderr), done.stderr
    assert "Traceback" not in done.stderr and done.stderr.count("\n") < 40


def test_an_unmigrated_database_is_not_served(cluster):
    name = cluster.create(label="bare")
    done = plain("serve", ASND_DATABASE_URL=cluster.database_url(name), ASND_PORT="0")
    cluster.drop(name)
    assert done.returncode == 1
    assert "migrate" in done.stderr, done.stderr


def test_a_port_in_use_is_said(database):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        done = plain("serve", ASND_DATABASE_URL=database, ASND_PORT=str(taken.getsockname()[1]))
    assert done.returncode == 1
    assert str(taken) and re.search("in use|address", done.stderr, re.IGNORECASE), done.stderr


def test_secrets_are_masked_in_the_settings():
    secret = daemons.planted("dpwRz8Qm2Lx")
    done = plain("config", ASND_DATABASE_URL=f"postgresql://asnd:{secret}@nowhere/asnd")
    assert done.returncode == 0
    assert secret not in done.stdout + done.stderr


def test_the_printed_settings_are_a_settings_file(tmp_path):
    file = tmp_path / "asnd.conf"
    file.write_text(plain("config", "--port", "81", ASND_WORKERS="7", ASND_DATABASE_URL="host=h password=x").stdout)
    done = plain("config", ASND_CONFIG=str(file))
    assert (done.returncode, done.stderr) == (0, "")
    values = [[line for line in text.splitlines() if not line.startswith("#")] for text in (file.read_text(), done.stdout)]
    assert [line for line in values[1] if line != "database_url = "] == values[0]
    assert {"port = 81", "workers = 7"} <= set(values[0])


def test_the_version_is_the_one_of_the_build():
    version = re.search(r"project\(asnd VERSION ([\d.]+)", (ROOT / "CMakeLists.txt").read_text(encoding="utf-8")).group(1)
    assert plain("--version").stdout.strip() == f"asnd {version}"


def test_everything_agrees_in_every_variant(database):
    done = daemons.run(database, "check", "--all")
    assert re.match(r"\d+ operations agree", done.stdout), done.stdout


def compose():
    return yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))


def test_images_are_those_of_one_debian():
    """With the suite, which is what decides how text sorts."""
    dockerfile = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    assert set(re.findall(r"^FROM (\S+)", dockerfile, re.MULTILINE)) == {"debian:12-slim"}
    assert {service["image"] for service in compose()["services"].values()} == {"postgres:15-bookworm", "asnd"}
    assert [name for name, service in compose()["services"].items() if "build" in service] == ["asnd"]


def test_containers_start_one_after_the_other_and_tell_how_they_are():
    services = compose()["services"]
    assert services["migrate"]["depends_on"] == {"db": {"condition": "service_healthy"}, "keys": {"condition": "service_completed_successfully"}}
    assert services["asnd"]["depends_on"] == {"migrate": {"condition": "service_completed_successfully"}}
    assert "pg_isready" in services["db"]["healthcheck"]["test"][1] and all(services[name]["healthcheck"] == {"disable": True} for name in ("keys", "migrate"))
    check = re.search(r"^HEALTHCHECK .* CMD (\[.*\])$", (ROOT / "Dockerfile").read_text(encoding="utf-8"), re.MULTILINE).group(1)
    assert json.loads(check)[0] == "curl" and json.loads(check)[-1] == f"http://127.0.0.1:{services['asnd']['ports'][0].split(':')[2]}/livez"


def test_the_data_outlives_the_container():
    volume, _, directory = compose()["services"]["db"]["volumes"][0].partition(":")
    assert volume in compose()["volumes"] and directory == "/var/lib/postgresql/data"


def test_containers_may_little():
    for name in ("asnd", "migrate", "keys"):
        service = compose()["services"][name]
        assert service["read_only"] and service["cap_drop"] == ["ALL"] and service["security_opt"] == ["no-new-privileges:true"]
    assert re.search(r"^USER [1-9]\d*:[1-9]\d*$", (ROOT / "Dockerfile").read_text(encoding="utf-8").split("\nFROM ")[-1], re.MULTILINE)
    assert all(port.startswith("127.0.0.1:") for service in compose()["services"].values() for port in service.get("ports", []))
    assert "ports" not in compose()["services"]["db"]


def test_the_first_start_makes_column_keys_and_later_ones_leave_them(tmp_path):
    """In a volume of their own, whose directory belongs to the image's user; one service writes there, the others read."""
    services = compose()["services"]
    made = {name: services[name]["environment"]["ASND_COLUMN_KEYS_FILE"] for name in ("asnd", "migrate", "keys")}
    directory = str(Path(made["keys"]).parent)
    assert set(made.values()) == {"/var/lib/asnd/column-keys"} and "keys" in compose()["volumes"]
    assert [services[name]["volumes"] for name in ("keys", "asnd", "migrate")] == [[f"keys:{directory}"], [f"keys:{directory}:ro"], [f"keys:{directory}:ro"]]
    assert not any("keys:" in volume for volume in services["db"]["volumes"])
    image = (ROOT / "Dockerfile").read_text(encoding="utf-8").split("\nFROM ")[-1]
    user = re.search(r"^USER (\d+):(\d+)$", image, re.MULTILINE)
    assert f"install -d -o {user[1]} -g {user[2]} -m 700 {directory}" in image
    file, states = tmp_path / "column-keys", []
    for _ in range(2):
        done = subprocess.run([word.replace("$$", "$") for word in services["keys"]["entrypoint"]], text=True, capture_output=True, timeout=60,
                              env={"PATH": f"{daemons.program().parent}:/usr/bin:/bin", "ASND_COLUMN_KEYS_FILE": str(file)})
        assert done.returncode == 0, done.stderr
        states.append((file.read_text(encoding="utf-8"), file.stat().st_mode & 0o777))
    assert states[0] == states[1] and states[0][1] == 0o600 and re.search(r"^0001 [0-9a-f]{64}$", states[0][0], re.MULTILINE)


def test_the_password_is_in_no_file_of_the_tree():
    """It comes from docker.env, which neither git nor the image takes; and every variable in there is understood."""
    text = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
    assert not re.search(r"PASSWORD|ASND_DATABASE_URL", text) and {s["env_file"] for s in compose()["services"].values()} == {"docker.env"}
    assert "/docker.env" in (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()
    assert (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()[1] == "*" and "!docker.env" not in (ROOT / ".dockerignore").read_text(encoding="utf-8")
    example = dict(line.split("=", 1) for line in (ROOT / "docker.env.example").read_text(encoding="utf-8").splitlines() if not line.startswith("#"))
    done = plain("config", **example)
    assert done.returncode == 0, done.stderr


def test_the_container_gets_all_that_the_build_reads(tmp_path):
    """A context with what .dockerignore lets through can be configured, and its Dockerfile names every library that the program is linked to."""
    allowed = [line[1:] for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines() if line.startswith("!")]
    for name in allowed:
        source, target = ROOT / name, tmp_path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target)
        else:
            shutil.copy(source, target)
    done = subprocess.run(["cmake", "-S", str(tmp_path), "-B", str(tmp_path / "b"), "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Release",
                           "-DASND_TESTS=OFF"], text=True,
                          capture_output=True, timeout=120, env={**os.environ})
    assert done.returncode == 0, done.stderr
    runtime = (ROOT / "Dockerfile").read_text(encoding="utf-8").split("FROM debian:12-slim\n")[1]
    needed = subprocess.run(["readelf", "-dW", str(daemons.program())], text=True, capture_output=True, check=True).stdout
    for library in re.findall(r"NEEDED.*\[(lib[\w.+-]+)\]", needed):
        if library.startswith(("libc.", "libm.", "ld-")):
            continue
        path = subprocess.run(["sh", "-c", f"ldconfig -p | grep -m1 -F '{library} ' | sed 's/.*=> //'"], text=True, capture_output=True, check=True).stdout
        real = os.path.realpath(path.strip())
        package = ""
        for candidate in (real, real.removeprefix("/usr")):
            package = package or subprocess.run(["dpkg-query", "-S", candidate], text=True, capture_output=True, check=False).stdout.split(":")[0]
        assert package and package in runtime, f"{library} is in package {package}, which the Dockerfile does not install"
