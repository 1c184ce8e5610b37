# SPDX-License-Identifier: Apache-2.0
"""The README's ten minutes, in both languages, against the demo data."""
import os
import socket
import subprocess
from pathlib import Path

import pytest

from support import daemon as daemons, postgres, tour

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    directory = tmp_path_factory.mktemp("demo")
    subprocess.run(["python3", str(ROOT / "tools/generate.py"), "--out", str(directory)], check=True, capture_output=True, timeout=120)
    return directory


@pytest.fixture(scope="module")
def lived(cluster, empty_template, demo):
    """A database with the demo data, as scripts/run.sh leaves it."""
    name = cluster.create(template=empty_template, label="lived")
    url = cluster.database_url(name)
    for kind in ("units", "asn", "history"):
        daemons.run(url, "import", kind, demo / f"{kind}.csv")
    running = daemons.Daemon(url, name="life")
    environment = {**os.environ, "ASND_URL": running.url, "ASND_ADMIN_KEY": running.create_key(name="life", scopes=["admin"])}
    said = []
    for _ in range(2):  # the second time nothing is told twice
        done = subprocess.run(["python3", str(ROOT / "tools/life.py")], env=environment, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stderr
        said.append(done.stdout)
    assert said[0] == said[1]
    running.stop()
    yield name
    cluster.drop(name)


@pytest.fixture
def fresh(cluster, lived):
    name = cluster.create(template=lived, label="tour")
    running = daemons.Daemon(cluster.database_url(name), name="tour")
    yield running
    running.stop()
    cluster.drop(name)


@pytest.mark.parametrize("name", ["README.md", "README.id.md"])
def test_the_tour_does_what_it_says(name, fresh, tmp_path):
    text = (ROOT / name).read_text(encoding="utf-8")
    environment = {**os.environ, "ASND_URL": fresh.url, "ASND_ADMIN_KEY": fresh.create_key(name="tour", scopes=["admin"])}
    assert tour.run(text, tmp_path, environment) >= 10, "a tour that compares nothing shows nothing"


def test_the_page_on_reports_does_what_it_says(fresh, tmp_path):
    environment = {**os.environ, "ASND_URL": fresh.url, "ASND_ADMIN_KEY": fresh.create_key(name="reports", scopes=["admin"])}
    assert tour.run((ROOT / "docs/reports.md").read_text(encoding="utf-8"), tmp_path, environment) >= 6


def test_the_page_on_units_does_what_it_says(fresh, tmp_path):
    environment = {**os.environ, "ASND_URL": fresh.url, "ASND_ADMIN_KEY": fresh.create_key(name="units", scopes=["admin"])}
    assert tour.run((ROOT / "docs/units.md").read_text(encoding="utf-8"), tmp_path, environment) >= 10


def test_the_page_on_demo_data_does_what_it_says(fresh, tmp_path):
    environment = {**os.environ, "ASND_URL": fresh.url, "ASND_ADMIN_KEY": fresh.create_key(name="demo", scopes=["admin"])}
    assert tour.run((ROOT / "docs/demo-data.md").read_text(encoding="utf-8"), tmp_path, environment) >= 2


def test_the_page_on_personal_data_does_what_it_says(fresh, tmp_path):
    environment = {**os.environ, "ASND_URL": fresh.url, "ASND_ADMIN_KEY": fresh.create_key(name="personal", scopes=["admin"])}
    assert tour.run((ROOT / "docs/personal-data.md").read_text(encoding="utf-8"), tmp_path, environment) >= 6


def test_the_page_on_access_does_what_it_says(fresh, tmp_path):
    environment = {**os.environ, "ASND_URL": fresh.url, "ASND_ADMIN_KEY": fresh.create_key(name="access", scopes=["admin"])}
    assert tour.run((ROOT / "docs/access.md").read_text(encoding="utf-8"), tmp_path, environment) >= 6


@pytest.mark.parametrize("page, least", [("learning-hours.md", 6), ("collaboration.md", 7), ("needs.md", 12), ("training-effect.md", 11)])
def test_the_pages_on_training_do_what_they_say(page, least, fresh, tmp_path):
    environment = {**os.environ, "ASND_URL": fresh.url, "ASND_ADMIN_KEY": fresh.create_key(name=page, scopes=["admin"])}
    assert tour.run((ROOT / "docs" / page).read_text(encoding="utf-8"), tmp_path, environment) >= least


@pytest.mark.parametrize("page, least", [("skp.md", 14), ("evaluation.md", 8)])
def test_the_pages_on_performance_do_what_they_say(page, least, fresh, tmp_path):
    environment = {**os.environ, "ASND_URL": fresh.url, "ASND_ADMIN_KEY": fresh.create_key(name=page, scopes=["admin"])}
    assert tour.run((ROOT / "docs" / page).read_text(encoding="utf-8"), tmp_path, environment) >= least


def test_the_tour_of_training_does_what_it_says(cluster, lived, tmp_path):
    """With codes that lead here, and asnd itself for its commands."""
    name = cluster.create(template=lived, label="training")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    running = daemons.Daemon(cluster.database_url(name), name="training", port=port, public_url=f"http://127.0.0.1:{port}")
    environment = {**os.environ, **daemons.SANITIZERS, "ASND_URL": running.url, "ASND_ADMIN_KEY": running.create_key(name="training", scopes=["admin"]),
                   "ASND_DATABASE_URL": running.database_url, "PATH": f"{daemons.program().resolve().parent}:{os.environ['PATH']}"}
    assert tour.run((ROOT / "docs/training-tour.md").read_text(encoding="utf-8"), tmp_path, environment) >= 35
    running.stop()
    cluster.drop(name)


def test_the_year_from_the_plan_to_the_training(fresh, tmp_path):
    """Every step of a year, in order; `asnd` is on the PATH and knows the database, as after `source .local/env`."""
    environment = {**os.environ, **daemons.SANITIZERS, "ASND_URL": fresh.url, "ASND_ADMIN_KEY": fresh.create_key(name="year", scopes=["admin"]),
                   "ASND_DATABASE_URL": fresh.database_url, "PATH": f"{daemons.program().parent}{os.pathsep}{os.environ['PATH']}"}
    assert tour.run((ROOT / "docs/year-tour.md").read_text(encoding="utf-8"), tmp_path, environment) >= 68
    # And what somebody changes past all triggers is found among all that the demo data hold.
    victim = postgres.query(fresh.database_url, """SET session_replication_role = replica;
        UPDATE evaluation SET achievement = achievement + 1 WHERE id = (SELECT max(id::text)::uuid FROM evaluation WHERE state = 'final') RETURNING id::text""")[0][0]
    found = daemons.run(fresh.database_url, "evaluate", "--verify", check=False)
    assert found.returncode == 1 and {line.split(":")[0] for line in found.stdout.splitlines()[:-1]} == {f"evaluation {victim}"}, found.stdout


def test_both_languages_run_the_same_commands():
    def commands(name):
        return [line for block in tour.blocks((ROOT / name).read_text(encoding="utf-8")) for line in block.splitlines()
                if line and (line.startswith(tour.ARROW) or not line.startswith("#"))]
    assert commands("README.md") == commands("README.id.md")


@pytest.mark.parametrize("name", ["README.md", "README.id.md"])
def test_every_setting_is_in_the_readme_as_the_program_tells_it(name):
    text = (ROOT / name).read_text(encoding="utf-8")
    table = subprocess.run([str(daemons.program()), "config", "--markdown"], text=True, capture_output=True, check=True).stdout
    assert table.strip() in text, "asnd config --markdown says otherwise"


def test_the_matrix_of_roles_is_in_the_documents_as_the_program_tells_it():
    table = daemons.run("", "access").stdout
    assert (ROOT / "docs/access-matrix.md").read_text(encoding="utf-8").endswith("\n\n" + table), "asnd access says otherwise"
