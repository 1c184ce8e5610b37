# SPDX-License-Identifier: Apache-2.0
"""What AddressSanitizer and its kin say, found in a daemon's log."""
import re

# How a report begins; it goes on in lines of every form.
BEGIN = re.compile(r"={18}$|WARNING: ThreadSanitizer|==\d+==\s*(ERROR|WARNING): |.*: runtime error: ")
LINES = 150


def report(log):
    """From its first line on, without the daemon's own: all of it, unless it is very long. Empty when there is none."""
    lines = [line for line in log.splitlines() if not line.startswith('{"')]
    start = next((n for n, line in enumerate(lines) if BEGIN.match(line)), len(lines))
    left = len(lines) - start - LINES
    return "\n".join(lines[start:start + LINES] + ([f"… {left} more lines"] if left > 0 else []))
