# SPDX-License-Identifier: Apache-2.0
"""No due list and no report of an agency reads a whole table of people or histories, whatever part of the list is asked for."""
import re

import pytest

from support import postgres, statements

BIG = "asn|history|due|enrolment|unit"
PEOPLE = """
    INSERT INTO asn (id, nip, kind, name, birth_date, sex, unit_id, position_kind, position, echelon, rank, rank_since, education_level, legal_status, appointed_on)
    SELECT uuid_v7(), to_char(1960 + g % 40, 'FM0000') || to_char(1 + g % 12, 'FM00') || '15' || lpad(g::text, 10, '0'), 'PNS', 'Pegawai ' || g,
           make_date(1960 + g % 40, 1 + g % 12, 15), (ARRAY['M', 'F'])[1 + g % 2], u.ids[1 + g % cardinality(u.ids)],
           (ARRAY['struktural', 'fungsional', 'pelaksana'])[1 + g % 3], (ARRAY['Kepala Seksi', 'Analis Ahli Muda', 'Pengelola'])[1 + g % 3],
           CASE g % 3 WHEN 0 THEN '41' END, (ARRAY['III/a', 'III/b', 'III/c', 'IV/a'])[1 + g % 4], make_date(2016 + g % 9, 4, 1),
           (ARRAY['40', '45', '15'])[1 + g % 3], '01', make_date(1990 + g % 30, 3, 1)
    FROM   generate_series(1, 8000) g, (SELECT array_agg(id ORDER BY id) AS ids FROM unit) u"""


@pytest.fixture(scope="module")
def agency(url):
    """Two hundred agencies of ten units each, eight thousand people; the id and path of one agency."""
    def do(statement):
        return postgres.query(url, statement)
    do("INSERT INTO unit (id, code, name, kind) SELECT uuid_v7(), 'A' || g, 'Instansi ' || g, 'instansi' FROM generate_series(1, 200) g")
    do("""INSERT INTO unit (id, code, name, kind, parent_id) SELECT uuid_v7(), p.code || '-' || g, 'Bidang ' || g, 'bidang', p.id
          FROM unit p, generate_series(1, 9) g""")
    do(PEOPLE)
    do("""INSERT INTO post (id, unit_id, position_kind, position, posts) SELECT uuid_v7(), u.id, 'pelaksana', 'Jabatan ' || g, 3 FROM unit u, generate_series(1, 5) g""")
    do("INSERT INTO programme (id, code, name, form, family, jp, organiser) VALUES (gen_random_uuid(), 'P', 'Uji', 'B1', 'teknis', 20, 'Uji')")
    do("""INSERT INTO session (id, programme_id, title, starts_on, ends_on, capacity)
          SELECT uuid_v7(), p.id, 'Uji', '2030-01-07', '2030-01-09', 2000 FROM programme p""")
    do("INSERT INTO enrolment (id, session_id, asn_id) SELECT uuid_v7(), s.id, a.id FROM session s, (SELECT id FROM asn ORDER BY id LIMIT 1000) a")
    do("VACUUM ANALYZE")
    (identity, path), = do("SELECT id::text, path::text FROM unit WHERE code = 'A77'")
    return {"id": identity, "path": path}


LISTS = {"listDue": {"due_list": "retirement"}, "listSeniority": {}, "listNominative": {}, "listStaffing": {}, "listRecap": {"by": "rank"}}
ASKED = [(name, asked) for name in LISTS for asked in (("under",), ("actor_units",), ("under", "as_of"), ("actor_units", "as_of"))
         if not (name == "listDue" and "as_of" in asked)]


def plan(url, text, values):
    with postgres.connected(url) as connection, connection.cursor() as cursor:
        cursor.execute("EXPLAIN " + text, values)
        return "\n".join(line for line, in cursor.fetchall())


def scanned(told):
    return set(re.findall(rf"Seq Scan on ({BIG})\b", told))


def binds(agency, asked):
    held = [agency["path"] if "actor_units" in asked else ""]
    return {"under": agency["id"] if "under" in asked else None, "actor_units": held, "actor_scopes": [], "today": "2026-01-01", "as_of": "2020-01-01"}


@pytest.mark.parametrize("name, asked", ASKED, ids=[f"{n}-{'-'.join(a)}" for n, a in ASKED])
def test_a_list_of_an_agency_reads_no_whole_table(name, asked, url, agency):
    text, values = statements.page(name, asked, **LISTS[name], **binds(agency, asked))
    told = plan(url, text, values)
    assert scanned(told) == set(), told


@pytest.mark.parametrize("asked, reached", [((), "2035-06-01"), (("from", "until"), "2030-02-01"), (("within",), "2026-02-01"), (("undated",), "infinity")])
def test_a_due_list_of_the_whole_country_is_a_piece_of_an_index(asked, reached, url, agency):
    more = {"from": "2030-01-01", "until": "2030-12-01", "within": 900, "undated": True}
    for place in (None, [reached, "01900000-0000-7000-8000-000000000001", "BUP_58"]):
        text, values = statements.page("listDue", asked, after=place, due_list="retirement", **binds(agency, ()), **more)
        told = plan(url, text, values)
        assert scanned(told) == set() and "due_list_idx" in told and (asked or "Sort" not in told), told


def test_the_reader_of_plans_would_see_a_scan(url, agency):
    assert scanned(plan(url, "SELECT * FROM asn WHERE birth_place = 'x'", {})) == {"asn"}
