# SPDX-License-Identifier: Apache-2.0
"""Readings of more than a thousand people: everybody in the list is in the entry, and to note the first such list costs as much as any other."""
import pytest

from support import postgres

THOUSAND = 1000
TOUCHED = "SELECT coalesce(idx_tup_fetch, 0) + coalesce(seq_tup_read, 0) FROM pg_stat_xact_user_tables WHERE relname = 'audit_number'"
NAMED = """SELECT coalesce(array_agg(DISTINCT n.asn_id::text ORDER BY n.asn_id::text), '{}') FROM unnest(%s::int4multirange) AS r
           JOIN audit_number n ON n.number >= lower(r) AND n.number < upper(r)"""


@pytest.fixture(scope="module")
def people(url):
    """As restored from a copy: no trigger notes them. The server knows that nobody has a number yet."""
    postgres.query(url, "VACUUM ANALYZE audit_number")
    with postgres.connected(url) as connection, connection.cursor() as cursor:
        cursor.execute("INSERT INTO unit (id, code, name, kind) VALUES (uuid_v7(), 'C1', 'Dinas', 'dinas') RETURNING id")
        unit = cursor.fetchone()
        cursor.execute("SET session_replication_role = replica")
        cursor.execute("""INSERT INTO asn (id, nip, kind, name, birth_date, sex, unit_id, legal_status)
                          SELECT uuid_v7(), '19600115' || lpad(g::text, 10, '0'), 'PNS', 'P', '1960-01-15', 'M', %s, '01' FROM generate_series(1, 6000) g
                          RETURNING id::text, nip""", unit)
        return cursor.fetchall()


def crowd(cursor, kind, members):
    """The ranges that an entry would have, and how many rows of numbers were read for them."""
    cursor.execute(TOUCHED)
    (before,), = cursor.fetchall() or [(0,)]
    cursor.execute(f"SELECT audit_crowd(%s::{kind}[])::text", (members,))
    (told,), = cursor.fetchall()
    cursor.execute(TOUCHED)
    (after,), = cursor.fetchall() or [(0,)]
    return told, after - before


@pytest.mark.parametrize("kind", ["uuid", "text"])
def test_one_session_notes_thousand_after_thousand(kind, url, people):
    """The statements are planned when nobody has a number: they must not read the numbers of all, and hold each against all ids, once many have."""
    which = 0 if kind == "uuid" else 1
    half = people[:3000] if kind == "uuid" else people[3000:]
    costs = []
    with postgres.connected(url) as connection, connection.cursor() as cursor:
        for start in range(0, 3000, THOUSAND):
            part = half[start:start + THOUSAND]
            told, touched = crowd(cursor, kind, [p[which] for p in part])
            cursor.execute(NAMED, (told,))
            assert cursor.fetchone()[0] == sorted(p[0] for p in part)
            costs.append(touched)
        told, again = crowd(cursor, kind, [p[which] for p in half])
        connection.commit()
    assert max(costs) <= 2 * THOUSAND and again <= 3 * THOUSAND, (costs, again)


def test_who_stands_in_a_list_twice_takes_nobody_with_him(url, people):
    """Ranges are made of neighbours; a number that comes twice is none of its own."""
    with postgres.connected(url) as connection, connection.cursor() as cursor:
        crowd(cursor, "uuid", sorted(p[0] for p in people[:10]))
        cursor.execute("SELECT asn_id::text, number FROM audit_number ORDER BY number LIMIT 4")
        first, second, third, fourth = cursor.fetchall()
        for kind, members in (("uuid", [first[0], first[0], third[0]]), ("text", [dict(people)[p[0]] for p in (first, first, third)])):
            told, _ = crowd(cursor, kind, members)
            cursor.execute(NAMED, (told,))
            assert cursor.fetchone()[0] == sorted([first[0], third[0]]), kind
        unknown, _ = crowd(cursor, "uuid", ["01900000-0000-7000-8000-000000000000"])
        assert unknown is None
        connection.rollback()
