# SPDX-License-Identifier: Apache-2.0
"""The README's ten minutes, in both languages, against the demo data."""
import os
import subprocess
from pathlib import Path

import pytest

from support import daemon as daemons, tour

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    directory = tmp_path_factory.mktemp("demo")
    subprocess.run(["python3", str(ROOT / "tools/generate.py"), "--out", str(directory)], check=True, capture_output=True, timeout=120)
    return directory


@pytest.fixture
def fresh(cluster, empty_template, demo):
    """A daemon on a database with the demo data, as scripts/run.sh leaves it."""
    name = cluster.create(template=empty_template, label="tour")
    url = cluster.database_url(name)
    daemons.run(url, "import", "units", demo / "units.csv")
    daemons.run(url, "import", "asn", demo / "asn.csv")
    running = daemons.Daemon(url, name="tour")
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
