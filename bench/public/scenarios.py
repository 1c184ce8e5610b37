# SPDX-License-Identifier: Apache-2.0
"""The requests of the public workload, and the values that they give to the statements of public.sql."""
import json
import re
from pathlib import Path
from urllib.parse import urlencode

HERE = Path(__file__).resolve().parent

PARAMETERS = {
    "p_text": "a b & ü", "p_short": 12, "p_int": 123456, "p_bigint": 1000000000001, "p_numeric": 12.25, "p_real": 0.5, "p_double": 0.125, "p_bool": True,
    "p_date": "2026-01-31", "p_time": "08:00:01", "p_timetz": "08:00:01+08", "p_timestamp": "2026-01-31T08:00:00",
    "p_timestamptz": "2026-01-31T08:00:00+08:00", "p_interval": "P1DT2H30M", "p_uuid": "0190a5a0-0000-7000-8000-000000000001",
    "p_json": '{"a":[1,true,null]}', "p_ints": [1, 2, 3], "p_texts": ["a", 'b, "c"'], "p_bools": [True, False], "p_dates": ["2026-01-01", "2026-12-31"],
}

POSTED = {"name": "Budi é", "count": 3, "price": 1.25, "active": True, "tags": ["a", "b, c"]}


def query(values):
    """As a form would send it: a list by repeating its name."""
    plain = {True: "true", False: "false"}
    return urlencode([(name, plain.get(item, item) if isinstance(item, bool) else item)
                      for name, value in values.items() for item in (value if isinstance(value, list) else [value])])


class Scenario:
    def __init__(self, name, statement, path, values=None, posted=None):
        self.name, self.statement, self.posted = name, statement, posted
        self.values = posted or values or {}
        self.path = path + (f"?{query(values)}" if values else "")
        self.body = json.dumps(posted).encode() if posted else None


SCENARIOS = [
    *(Scenario(f"perf_{n}", "perfTest", "/perf-test", {"records": n}) for n in (1, 10, 100, 500)),
    Scenario("minimal", "minimal", "/minimal"),
    Scenario("post", "post", "/post", posted=POSTED),
    *(Scenario(f"nested_{n}", "nested", "/nested", {"depth": n}) for n in (1, 2, 3)),
    *(Scenario(f"large_{n}", "large", "/large", {"kilobytes": n}) for n in (100, 500)),
    Scenario("params", "params", "/params", PARAMETERS),
]


def statements():
    """The blocks of public.sql by name, with `:name` binds as they are."""
    text = re.sub(r"^--(?! name: ).*\n", "", (HERE / "public.sql").read_text(encoding="utf-8"), flags=re.M)
    parts = re.split(r"^-- name: (\w+)$", text, flags=re.M)[1:]
    return {name: " ".join(body.split()) for name, body in zip(parts[::2], parts[1::2])}


def binds(statement):
    """The names of its binds, in the order in which they first stand."""
    return list(dict.fromkeys(re.findall(r"(?<!:):([a-z]\w*)", statement)))


def literal(value):
    if isinstance(value, list):
        return f"ARRAY[{', '.join(map(literal, value))}]"
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, (int, float)) else "'" + value.replace("'", "''") + "'"


def bound(statement, values):
    """The statement with the values written into it."""
    return re.sub(r"(?<!:):([a-z]\w*)", lambda m: literal(values[m.group(1)]), statement)
