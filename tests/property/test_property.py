# SPDX-License-Identifier: Apache-2.0
"""schemathesis makes requests out of the contract, good and bad ones, and looks for a reply that the contract does not promise."""
import os
import re
import subprocess
from pathlib import Path

CONFIG = Path(__file__).with_name("schemathesis.toml")


def test_no_reply_is_outside_the_contract(daemon, keys, tmp_path):
    done = subprocess.run([os.environ["ASND_TEST_SCHEMATHESIS"], "--config-file", str(CONFIG), "run", f"{daemon.url}/openapi.json", "-H", f"Authorization: Bearer {keys('admin')}",
                           "--checks", "all", "--phases", "examples,coverage,fuzzing,stateful", "--max-examples", os.environ.get("ASND_TEST_EXAMPLES", "25"),
                           "--seed", "20260101", "--request-timeout", "30", "--generation-database", "none", "--continue-on-failure"],
                          text=True, capture_output=True, cwd=tmp_path, timeout=1200,
                          env={**os.environ, "NO_COLOR": "1", "SCHEMATHESIS_HOOKS": str(CONFIG.with_name("bodies.py"))})
    print(done.stdout[-30000:], done.stderr[-2000:])
    assert done.returncode == 0
    assert re.search(r"[1-9][\d,]* generated", done.stdout), "nothing was asked"
    taken = {line["operation"] for line in daemon.log_lines() if line.get("status") == 200}
    assert {"importAsn", "importUnits", "importReferences", "importHistory"} <= taken, "files that the importer could read were among it"
