# SPDX-License-Identifier: Apache-2.0
"""What PostgreSQL does for a statement and for all that the statement's functions ask, as auto_explain tells it."""
import re

from support import postgres, statements

BIG = "asn|history|due|enrolment|unit|unit_version|unit_way|learning_entry"
BINDS = ("unit_id", "under", "kind", "rank", "rank_min", "rank_max", "position_kind", "education_level", "legal_status", "sex", "age_min", "age_max", "retires_in", "updated_since", "q")
LISTED = ("kind", "rank", "position_kind", "education_level", "legal_status")


def told(url, text, values):
    with postgres.connected(url) as connection, connection.cursor() as cursor:
        connection.notices = lines = []
        cursor.execute("LOAD 'auto_explain'; SET auto_explain.log_min_duration = 0; SET auto_explain.log_nested_statements = on; SET client_min_messages = log; SET jit = off")
        cursor.execute(text, values)
    return "\n".join(lines)


def scanned(plans):
    """Which of the big tables are read whole."""
    return set(re.findall(rf"Seq Scan on ({BIG})\b", plans))


def search(asked, sort, after=None, units=("",), today="2026-01-01", limit=51):
    """listAsn.search as the daemon sends it: text and values."""
    text = re.sub(r"/\* ?page ?\*/", f"ORDER BY a.nip LIMIT {limit}", re.sub(r"^--.*\n", "", statements.block("listAsn.search"), flags=re.M)).replace("%", "%%")
    text = re.sub(r"(?<!:):(?=[a-z_])(\w+)", r"%(\1)s", text)
    values = {bind: asked.get(bind) for bind in BINDS} | {bind: asked[bind].split(",") for bind in LISTED if bind in asked}
    return text, values | {"q_sought": asked.get("q"), "actor_units": list(units), "actor_scopes": ["admin"], "today": today, "page_sort": sort, "page_after": after, "page_limit": limit}
