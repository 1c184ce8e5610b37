#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""scan_logs.py DIRECTORY: no secret and no personal datum that the tests planted is in any daemon's log of this run, and each log line
is one JSON object. A sanitizer's report is one fault, however long it is."""
import json
import sys
from pathlib import Path

import sanitizer


def is_object(line):
    try:
        return isinstance(json.loads(line), dict)
    except ValueError:
        return False


def faults(lines, planted):
    """Number and words of each fault of one log."""
    in_report = False
    for number, line in enumerate(lines, 1):
        for secret in planted:
            if secret in line:
                yield number, f"holds a planted secret or personal datum ({secret[:6]}…)"
        if in_report or is_object(line):
            continue
        in_report = bool(sanitizer.BEGIN.match(line))
        yield number, "holds the report of a sanitizer" if in_report else f"is no JSON object: {line[:200]}"


def main(directory):
    planted = {line for line in (directory / "planted.txt").read_text(encoding="utf-8").splitlines() if line}
    logs = sorted((directory / "daemons").glob("*.log"))
    found = seen = 0
    for log in logs:
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
        seen += len(lines)
        for number, words in faults(lines, planted):
            found += 1
            print(f"{log.name}:{number}: {words}")
    print(f"{seen} lines of {len(logs)} logs, {len(planted)} secrets and personal data looked for, {found} faults")
    # A scan of nothing proves nothing.
    return 0 if found == 0 and seen > 100 and len(planted) > 5 else 1


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
