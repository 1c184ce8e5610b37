#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""scan_logs.py DIRECTORY: no secret and no personal datum that the tests planted is in any daemon's log of this run, and each log line
is one JSON object."""
import json
import sys
from pathlib import Path


def main(directory):
    planted = {line for line in (directory / "planted.txt").read_text(encoding="utf-8").splitlines() if line}
    logs = sorted((directory / "daemons").glob("*.log"))
    found = lines = 0
    for log in logs:
        for number, line in enumerate(log.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
            lines += 1
            for secret in planted:
                if secret in line:
                    found += 1
                    print(f"{log.name}:{number}: holds a planted secret or personal datum ({secret[:6]}…)")
            try:
                if not isinstance(json.loads(line), dict):
                    raise ValueError
            except ValueError:
                found += 1
                print(f"{log.name}:{number}: is no JSON object: {line[:200]}")
    print(f"{lines} lines of {len(logs)} logs, {len(planted)} secrets and personal data looked for, {found} faults")
    # A scan of nothing proves nothing.
    return 0 if found == 0 and lines > 100 and len(planted) > 5 else 1


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
