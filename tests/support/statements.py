# SPDX-License-Identifier: Apache-2.0
"""The statements of src/*/*.sql as the daemon would send them, to ask the database for their plans."""
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def block(name):
    for path in ROOT.glob("src/*/*.sql"):
        found = re.search(rf"^-- name: {re.escape(name)}$(.*?)(?=^-- name: |\Z)", path.read_text(encoding="utf-8"), re.M | re.S)
        if found:
            return found.group(1)
    raise KeyError(name)


def page(name, given, limit=50, after=None, **binds):
    """The statement of a record, or the first page of a list in its first order, or the one after the keys `after`; `given` are the optional parameters that were. The text has psycopg2's
    %(name)s where the file has :name."""
    text = block(name)
    order = re.search(r"^-- sort: [\w-]+ = (.*)$", text, re.M)
    order = order.group(1) if order else ""
    keys = [re.sub(r"\s+AS \w+$", "", key) for key in re.split(r",\s+(?![^()]*\))", order)]
    text = re.sub(r"^--.*\n", "", text, flags=re.M)
    text = re.sub(r"/\*\? (\w+) *\*/(.*?)/\*\? \*/", lambda m: m.group(2) if m.group(1) in given else "", text, flags=re.S)
    beyond = f"AND ({', '.join(keys)}) > ({', '.join(f'%(after_{n})s' for n in range(len(keys)))})" if after else ""
    text = re.sub(r"/\* ?page ?\*/", f"{beyond} ORDER BY {', '.join(keys)} LIMIT {limit}", text.replace("%", "%%"))
    text = re.sub(r"(?<!:):(?=[a-z_])(\w+)", r"%(\1)s", text)
    names = set(re.findall(r"%\((\w+)\)s", text))
    values = {n: None for n in names} | {"page_limit": limit + 1, "page_after": [str(key) for key in after] if after else None} | binds | {f"after_{n}": value for n, value in enumerate(after or [])}
    return text, {n: values[n] for n in names}
