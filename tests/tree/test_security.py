# SPDX-License-Identifier: Apache-2.0
"""SECURITY.md names tests for what it says: each is there, and each of the ten has some."""
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
NAMED = sorted(set(re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", TEXT)))


@pytest.mark.parametrize("file, name", NAMED, ids=[f"{file}::{name}" for file, name in NAMED])
def test_a_test_that_is_named_is_there(file, name):
    assert re.search(rf"^def {name}\(", (ROOT / file).read_text(encoding="utf-8"), re.M)


def test_each_of_the_ten_names_some():
    rows = re.findall(r"^\| (API\d+) .*$", TEXT, re.M)
    assert rows == [f"API{n}" for n in range(1, 11)]
    for line in TEXT.splitlines():
        if line.startswith("| API"):
            assert re.search(r"`tests/[\w/]+\.py::\w+`", line), line


def test_every_room_has_its_line():
    rooms = {path.name for path in (ROOT / "src").iterdir() if path.is_dir()}
    domains = {"access", "asn", "certificate", "document", "index", "performance", "privacy", "reference", "service", "training", "base"}
    named = set(re.findall(r"`(\w+)`", "\n".join(line.split("|")[1] for line in TEXT.splitlines() if re.match(r"\| (`\w+`(, `\w+`)*|domains) \|", line))))
    assert rooms - domains == named
