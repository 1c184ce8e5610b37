# SPDX-License-Identifier: Apache-2.0
"""schemathesis makes requests out of the contract, good and bad ones, and looks for a reply that the contract does not promise."""
import os
import re
import subprocess
from pathlib import Path

import pytest

from support import contract as contracts

CONFIG = Path(__file__).with_name("schemathesis.toml")


# Side by side, one a core. Who uses what another makes stays with it, so that the stateful phase finds its links.
HALVES = {"growth": ["training", "needs", "collaboration", "budget", "certificates", "performance", "handover", "indices", "access", "running", "privacy"],
          "records": ["units", "asn", "history", "documents", "quality", "requests", "imports", "references", "changes", "reports",
                      "service", "survey", "complaint", "public", "audit"]}


@pytest.fixture(scope="module")
def settings():
    """Rates so high that what stands behind the limit is asked too; tests/api tests the limit."""
    return {"public_rate": 1_000_000, "token_rate": 1_000_000}


def failures(told):
    """What schemathesis found, without the pages of hints behind it: the end of a log is what one sees first."""
    found = re.search(r"^=+ FAILURES =+$.*?(?=^=+ (?:WARNINGS|SUMMARY) =+$)", told, re.M | re.S)
    return found[0][:20000] if found else told[-20000:]


def test_every_operation_is_asked_in_one_of_the_halves():
    tags = [tag for operation in contracts.load().operations.values() for tag in operation.spec["tags"]]
    assert sorted(set(tags)) == sorted(tag for half in HALVES.values() for tag in half)


@pytest.mark.parametrize("half", HALVES)
def test_no_reply_is_outside_the_contract(half, daemon, keys, tmp_path):
    done = subprocess.run([os.environ["ASND_TEST_SCHEMATHESIS"], "--config-file", str(CONFIG), "run", f"{daemon.url}/openapi.json", "-H", f"Authorization: Bearer {keys('admin')}",
                           *[word for tag in HALVES[half] for word in ("--include-tag", tag)],
                           "--checks", "all", "--phases", "examples,coverage,fuzzing,stateful", "--max-examples", os.environ.get("ASND_TEST_EXAMPLES", "25"),
                           "--seed", "20260101", "--request-timeout", "30", "--generation-database", "none", "--continue-on-failure"],
                          text=True, capture_output=True, cwd=tmp_path, timeout=1200,
                          env={**os.environ, "NO_COLOR": "1", "SCHEMATHESIS_HOOKS": str(CONFIG.with_name("bodies.py"))})
    assert done.returncode == 0, f"{failures(done.stdout)}\n{done.stderr[-2000:]}"
    assert re.search(r"[1-9][\d,]* generated", done.stdout), "nothing was asked"
    if half != "records":
        return
    taken = {line["operation"] for line in daemon.log_lines() if line.get("status") == 200}
    assert {"importAsn", "importUnits", "importReferences", "importHistory"} <= taken, "files that the importer could read were among it"
