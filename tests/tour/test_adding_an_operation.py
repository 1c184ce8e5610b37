# SPDX-License-Identifier: Apache-2.0
"""docs/adding-an-operation.md, done to a copy of the tree: its blocks put where they say, built, checked, called."""
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from support import client as clients, contract as contracts, daemon as daemons, make

ROOT = Path(__file__).resolve().parents[2]
STEP = re.compile(r'^<!-- (?:below "(?P<line>[^"]+)" in (?P<in>\S+)|new file (?P<new>\S+)|at the end of (?P<end>\S+)) -->\n```\w+\n(?P<text>.*?)^```$',
                  re.MULTILINE | re.DOTALL)


def apply_document(text, tree):
    """Does what the document's blocks say; gives how many there were."""
    count = 0
    for step in STEP.finditer(text):
        count += 1
        if step["new"]:
            assert not (tree / step["new"]).exists()
            (tree / step["new"]).write_text(step["text"], encoding="utf-8")
        elif step["end"]:
            with (tree / step["end"]).open("a", encoding="utf-8") as file:
                file.write(step["text"])
        else:
            path = tree / step["in"]
            before = path.read_text(encoding="utf-8")
            assert before.count("\n" + step["line"] + "\n") == 1, f"{step['line']!r} is not there once"
            path.write_text(before.replace("\n" + step["line"] + "\n", "\n" + step["line"] + "\n" + step["text"]), encoding="utf-8")
    return count


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    """A copy of what the build reads, changed as the document says, and built."""
    copy = tmp_path_factory.mktemp("tree")
    for name in ("CMakeLists.txt", "CMakePresets.json", "cmake", "include", "src", "migrations", "openapi.yaml", "access.yaml", "LICENSE", "README.md", "README.id.md"):
        (shutil.copytree if (ROOT / name).is_dir() else shutil.copy)(ROOT / name, copy / name)
    assert apply_document((ROOT / "docs/adding-an-operation.md").read_text(encoding="utf-8"), copy) == 8
    for command in (["cmake", "--preset", "release", "-DASND_TESTS=OFF"], ["cmake", "--build", "--preset", "release", "--target", "asnd"]):
        done = subprocess.run(command, cwd=copy, text=True, capture_output=True, timeout=600)
        assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    return copy


@pytest.fixture(scope="module")
def api(tree, database, monkeypatch_module):
    monkeypatch_module.setenv("ASND_TEST_ASND", str(tree / "build/release/asnd"))
    done = daemons.run(database, "check", "--all")
    assert "operations agree" in done.stdout
    running = daemons.Daemon(database, name="adding")
    client = clients.Client(running.url, running.create_key(name="adding", scopes=["admin"]))
    client.contract = contracts.Contract(tree / "openapi.yaml")
    yield client
    running.stop()


@pytest.fixture(scope="module")
def monkeypatch_module():
    with pytest.MonkeyPatch.context() as patch:
        yield patch


def test_the_read_and_the_write_work(api):
    top = make.unit(api)
    below = make.unit(api, top["id"])
    make.person(api, top["id"])
    make.person(api, below["id"], nip=make.nip(sex=2))
    assert api.get(f"/v1/units/{top['id']}/headcount").json == {"unit_id": top["id"], "people": 2, "women": 1}
    assert api.post(f"/v1/units/{top['id']}/rest", expect=409).code == "unit-occupied"
    empty = make.unit(api)
    assert api.post(f"/v1/units/{empty['id']}/rest", expect=200).json["is_active"] is False
    assert api.get(f"/v1/units/{empty['id']}").json["is_active"] is False


def test_what_was_not_written_down_works_too(api):
    nowhere = "0190ffff-ffff-7fff-bfff-ffffffffffff"
    anonymous = clients.Client(api.url)
    anonymous.contract = api.contract
    anonymous.get(f"/v1/units/{nowhere}/headcount", expect=401)
    api.get(f"/v1/units/{nowhere}/headcount", expect=404)
    api.get(f"/v1/units/{nowhere}/headcount?depth=1", expect=400)
    api("PUT", f"/v1/units/{nowhere}/headcount", expect=405)
    api.post(f"/v1/units/{nowhere}/rest", expect=404)
    unit = make.unit(api)
    assert api.post(f"/v1/units/{unit['id']}/rest", expect=200, headers={"Prefer": "dry-run"}).json["is_active"] is False
    assert api.get(f"/v1/units/{unit['id']}").json["is_active"] is True
    assert "getHeadcount" in anonymous.get("/docs").text
