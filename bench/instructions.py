# SPDX-License-Identifier: Apache-2.0
"""Instructions of each request beside the baseline; --write makes what was counted the new one. Runs inside tests/unit/with-postgres.sh."""
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from support import daemon as daemons, instructions, postgres  # noqa: E402


def main():
    cluster = postgres.Cluster()
    database = cluster.database_url(cluster.create(label="counted"))
    instructions.prepare(database)
    counts = instructions.count(database, daemons.create_key(database, name="counted", scopes=instructions.SCOPES), daemons.program())
    known = instructions.baseline() or {}
    print(instructions.toolchain())
    for name, n in counts.items():
        print(f"  {name:14} {n:10,}" + (f"  {n / known[name] - 1:+.1%}" if name in known else ""))
    if "--write" in sys.argv[1:]:
        instructions.write_baseline(counts)


main()
