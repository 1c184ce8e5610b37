# SPDX-License-Identifier: Apache-2.0
"""schemathesis makes requests out of the contract, good and bad ones, and looks for a reply that the contract does not promise."""
import os
import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CONFIG = Path(__file__).with_name("schemathesis.toml")


def test_no_reply_is_outside_the_contract(daemon, keys):
    done = subprocess.run([os.environ["ASND_TEST_SCHEMATHESIS"], "--config-file", str(CONFIG), "run", f"{daemon.url}/openapi.json"],
                          text=True, capture_output=True, cwd=ROOT / ".local", timeout=900,
                          env={**os.environ, "ASND_KEY": keys("admin"), "NO_COLOR": "1"})
    print(done.stdout[-20000:], done.stderr[-2000:])
    assert done.returncode == 0
    assert re.search(r"[1-9]\d* generated", done.stdout), "nothing was asked"
