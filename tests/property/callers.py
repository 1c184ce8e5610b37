# SPDX-License-Identifier: Apache-2.0
"""Who asks, for schemathesis: for each operation one caller after the other, out of the file that ASND_TEST_CALLERS names (a name and a token each; none: nobody).
At the end ASND_TEST_ASKED is a file of who has asked what."""
import atexit
import json
import os
from collections import Counter
from pathlib import Path

import bodies  # noqa: F401
import schemathesis
from hypothesis import strategies

CALLERS = json.loads(Path(os.environ["ASND_TEST_CALLERS"]).read_text(encoding="utf-8"))
asked = Counter()


@atexit.register
def tell():
    told = {label: [name for name, _ in CALLERS[:n]] for label, n in asked.items()}
    Path(os.environ["ASND_TEST_ASKED"]).write_text(json.dumps(told), encoding="utf-8")


@schemathesis.hook
def before_generate_case(context, strategy):
    """With a number that nobody looks at: where a request can be made in one way only, it would be made once, and by one caller."""
    return strategies.tuples(strategy, strategies.integers(0, 10**9)).map(lambda both: both[0])


@schemathesis.auth(refresh_interval=None)
class NextCaller:
    def get(self, case, ctx):
        label = case.operation.label
        asked[label] += 1
        return CALLERS[(asked[label] - 1) % len(CALLERS)][1]

    def set(self, case, data, ctx):
        if data:
            case.headers = {**(case.headers or {}), "Authorization": f"Bearer {data}"}
