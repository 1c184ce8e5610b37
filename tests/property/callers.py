# SPDX-License-Identifier: Apache-2.0
"""Who asks, for schemathesis: for each operation one caller after the other, out of the file that ASND_TEST_CALLERS names (a name and a token each; none: nobody)."""
import json
import os
from collections import Counter
from pathlib import Path

import bodies  # noqa: F401
import schemathesis

CALLERS = json.loads(Path(os.environ["ASND_TEST_CALLERS"]).read_text(encoding="utf-8"))
asked = Counter()


@schemathesis.auth(refresh_interval=None)
class NextCaller:
    def get(self, case, ctx):
        label = case.operation.label
        asked[label] += 1
        return CALLERS[asked[label] % len(CALLERS)][1]

    def set(self, case, data, ctx):
        if data:
            case.headers = {**(case.headers or {}), "Authorization": f"Bearer {data}"}
