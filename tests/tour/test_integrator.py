# SPDX-License-Identifier: Apache-2.0
"""An integrator's day with curl and jq: tests/integrator/sync.sh, and the commands of docs/integration.md."""
import json
import os
import subprocess
from pathlib import Path

import pytest

from support import client as clients, make, tour

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def office(api):
    return make.unit(api, kind="dinas")


@pytest.fixture
def sync(daemon, keys, office, tmp_path):
    """Runs the script as an integrator who may see one office."""
    def run(*arguments, expect=0):
        environment = {"PATH": os.environ["PATH"], "ASND_URL": daemon.url, "COPY": str(tmp_path / "copy"),
                       "ASND_KEY": keys("change.read", "asn.read", "unit.read", units=[office["code"]])}
        done = subprocess.run([str(ROOT / "tests/integrator/sync.sh"), *map(str, arguments)], env=environment, text=True, capture_output=True, timeout=120)
        assert done.returncode == expect, done.stderr
        return done.stdout if expect == 0 else done.stderr
    return run


def the_office(api, keys, office):
    here = clients.Client(api.url, keys("asn.read", "unit.read", units=[office["code"]]))
    return sorted([("asn", r["id"], r["version"]) for r in here.walk("/v1/asn?limit=1000")[0]]
                  + [("unit", r["id"], r["version"]) for r in here.walk("/v1/units?limit=1000")[0]])


def the_copy(sync):
    return sorted((r["entity"], r["id"], r["record"]["version"]) for r in map(json.loads, sync("show").splitlines()))


def change(api, path, members):
    return api.patch(path, members, etag=make.tag(api, path))


def test_first_load_change_delta_reconcile(api, keys, office, sync):
    elsewhere = make.unit(api)
    people = [make.person(api, office["id"]) for _ in range(5)]
    sync("load")
    assert the_copy(sync) == the_office(api, keys, office) and len(the_copy(sync)) == 6
    assert sync("reconcile") == ""
    below = make.unit(api, office["id"])
    change(api, f"/v1/asn/{people[0]['nip']}", {"name": "Nama Baru", "unit_id": below["id"]})
    change(api, f"/v1/asn/{people[1]['nip']}", {"unit_id": elsewhere["id"]})
    make.history(api, people[2]["nip"], "rank", {"rank": "III/a"}, "2024-04-01")
    new = make.person(api, below["id"])
    stranger = make.person(api, elsewhere["id"])
    change(api, f"/v1/asn/{stranger['nip']}", {"unit_id": office["id"]})
    assert {json.loads(line)["nip"] for line in sync("reconcile").splitlines()} == {p["nip"] for p in (*people[:3], new, stranger)}
    sync("follow")
    assert the_copy(sync) == the_office(api, keys, office)
    assert {r[1] for r in the_copy(sync)} == {office["id"], below["id"], people[0]["id"], *(p["id"] for p in people[2:]), new["id"], stranger["id"]}
    assert sync("reconcile") == ""
    sync("follow", 1)
    assert the_copy(sync) == the_office(api, keys, office)


def test_more_changes_than_a_page(api, keys, office, sync, sql):
    sync("load")
    people = [make.person(api, office["id"]) for _ in range(20)]
    for n in range(60):
        sql("UPDATE asn SET name = 'Pegawai ' || %s WHERE unit_id = %s", (n, office["id"]))
    sync("follow")
    assert the_copy(sync) == the_office(api, keys, office) and len(the_copy(sync)) == len(people) + 1


def test_too_long_away_means_load_again(api, keys, office, sync, sql):
    sync("load")
    make.person(api, office["id"])
    sql("UPDATE change_batch SET at = at - interval '1 year'")
    sql("SELECT change_forget(90)")
    assert "Changes-After" in sync("follow", expect=3)
    sync("load")
    sync("follow")
    assert the_copy(sync) == the_office(api, keys, office)


def test_the_document_does_what_it_says(api, daemon, tmp_path):
    text = (ROOT / "docs/integration.md").read_text(encoding="utf-8")
    environment = {**os.environ, "ASND_URL": daemon.url, "ASND_ADMIN_KEY": api.key}
    assert tour.run(text, tmp_path, environment) >= 5
