# SPDX-License-Identifier: Apache-2.0
"""Whatever is asked for together, a page of asn_search() holds those whom the plain conditions name, in the order asked for, from wherever the cursor stands."""
import random

import pytest

from support import postgres

TODAY = "2026-06-15"
PEOPLE = """
    INSERT INTO asn (id, nip, kind, name, birth_date, sex, nik, unit_id, position_kind, position, rank, rank_since, education_level, legal_status, updated_at)
    SELECT uuid_v7(), to_char(w.born, 'YYYYMMDD') || '2010011' || lpad((g % 1000)::text, 3, '0'), w.kind,
           w.names[1 + g % 7] || ' ' || w.names[1 + g * g % 11] || CASE g % 401 WHEN 0 THEN ' Mappasessu' ELSE '' END,
           CASE g % 97 WHEN 0 THEN w.born + 400 ELSE w.born END, (ARRAY['M', 'F'])[1 + g % 2], CASE WHEN g % 5 > 0 THEN lpad((7600 + g % 30)::text || g, 16, '1') END,
           u.ids[1 + g * g % cardinality(u.ids)], CASE WHEN g % 9 > 0 THEN (ARRAY['struktural', 'fungsional', 'pelaksana'])[1 + g % 3] END, 'Analis Ahli Muda',
           CASE WHEN g % 13 = 0 THEN NULL WHEN w.kind IN ('PNS', 'CPNS') THEN (ARRAY['IV/c', 'IV/a', 'III/d', 'III/b', 'III/a', 'II/c'])[1 + g * 6 / 9001]
                ELSE (ARRAY['V', 'IX', 'XI'])[1 + g % 3] END,
           CASE WHEN g % 13 > 0 THEN make_date(2012 + g % 11, 4, 1) END, (ARRAY['40', '45', '15'])[1 + g % 3], CASE WHEN g % 501 = 0 THEN '14' ELSE '01' END, now()
    FROM   generate_series(1, 9000) g, (SELECT array_agg(id ORDER BY id) AS ids FROM unit) u,
           LATERAL (SELECT '1966-02-03'::date + g / 3 * 4 AS born, CASE WHEN g > 8700 THEN 'CPNS' WHEN g % 4 = 0 THEN 'PPPK' WHEN g % 777 = 0 THEN 'PPPK_PARUH_WAKTU' ELSE 'PNS' END AS kind,
                           '{Siti,Rahmat,Nur,Andi,Adi,Dewi,Budi,Rahmawati,Hidayat,Zulkifli,Aminah}'::text[] AS names) w"""
ALL = ("units", "scopes", "today", "sort", "after", "rows", "q", "unit", "under", "kinds", "ranks", "rank_min", "rank_max", "position_kinds", "levels", "statuses", "sex",
       "age_min", "age_max", "retires_in", "since")
CASTS = {"units": "ltree[]", "scopes": "text[]", "today": "date", "after": "text[]", "unit": "uuid", "under": "uuid", "kinds": "text[]", "ranks": "text[]",
         "position_kinds": "text[]", "levels": "text[]", "statuses": "text[]", "since": "timestamptz"}
PLAIN = {
    "unit": "a.unit_id = %(unit)s::uuid", "under": "u.path <@ (SELECT p.path FROM unit p WHERE p.id = %(under)s::uuid)", "kinds": "a.kind = ANY (%(kinds)s)",
    "ranks": "a.rank = ANY (%(ranks)s)", "rank_min": "k.seq >= (SELECT seq FROM rank r WHERE r.code = %(rank_min)s AND r.kind = a.rank_kind)",
    "rank_max": "k.seq <= (SELECT seq FROM rank r WHERE r.code = %(rank_max)s AND r.kind = a.rank_kind)", "position_kinds": "a.position_kind = ANY (%(position_kinds)s)",
    "levels": "a.education_level = ANY (%(levels)s)", "statuses": "a.legal_status = ANY (%(statuses)s)", "sex": "a.sex = %(sex)s",
    "age_min": "extract(year FROM age(%(today)s::date, a.birth_date)) >= %(age_min)s", "age_max": "extract(year FROM age(%(today)s::date, a.birth_date)) <= %(age_max)s",
    "retires_in": "EXISTS (SELECT FROM due d WHERE d.asn_id = a.id AND d.list = 'retirement' AND extract(year FROM d.due_on) = %(retires_in)s)",
    "q": "a.id IN (SELECT asn_sought(%(q)s, %(scopes)s::text[]))", "since": "a.updated_at >= %(since)s::timestamptz",
}
KEYS = {"nip": ["a.nip"], "name": ["a.name_key", "a.nip"], "rank": ["coalesce(k.kind || to_char(k.seq, 'FM000'), '')", "a.nip"], "birth_date": ["a.birth_date", "a.nip"],
        "rank_since": ["coalesce(a.rank_since, '-infinity')", "a.nip"]}
CURSOR = {"nip": "a.nip", "name": "a.name_key, a.nip", "rank": 'rank_place(a.rank_kind, a.rank), a.nip', "birth_date": "a.birth_date, a.nip",
          "rank_since": "coalesce(a.rank_since, '-infinity'), a.nip"}


@pytest.fixture(scope="module")
def people(url):
    def do(statement):
        return postgres.query(url, statement)
    do("INSERT INTO unit (id, code, name, kind) SELECT uuid_v7(), 'A' || g, 'Instansi ' || g, 'instansi' FROM generate_series(1, 20) g")
    do("INSERT INTO unit (id, code, name, kind, parent_id) SELECT uuid_v7(), p.code || '-' || g, 'Bidang ' || g, 'bidang', p.id FROM unit p, generate_series(1, 9) g")
    do(PEOPLE)
    do("INSERT INTO history (asn_id, kind, starts, valid, facts) SELECT a.id, 'nip', '2010-01-01', '[2010-01-01,2015-01-01)', jsonb_build_object('nip', '1300' || right(a.nip, 14)) "
       "FROM asn a WHERE a.nip LIKE '%77'")
    do("VACUUM ANALYZE")
    with postgres.connected(url) as connection, connection.cursor() as cursor:
        yield cursor


def asked(rng, cursor):
    cursor.execute("SELECT id::text, path::text FROM unit ORDER BY id")
    units = cursor.fetchall()
    some = {
        "unit": lambda: rng.choice(units)[0], "under": lambda: rng.choice(units)[0], "kinds": lambda: rng.sample(["PNS", "CPNS", "PPPK", "PPPK_PARUH_WAKTU"], rng.randint(1, 2)),
        "ranks": lambda: rng.sample(["IV/c", "III/a", "II/c", "IX", "XI", "IV/e"], rng.randint(1, 3)), "rank_min": lambda: rng.choice(["III/b", "IV/a", "IX"]),
        "rank_max": lambda: rng.choice(["III/d", "II/c", "X"]), "position_kinds": lambda: [rng.choice(["struktural", "fungsional", "pelaksana"])],
        "levels": lambda: rng.sample(["40", "45", "15", "50"], 2), "statuses": lambda: [rng.choice(["01", "14"])], "sex": lambda: rng.choice("MF"),
        "age_min": lambda: rng.choice([30, 50, 58, 60]), "age_max": lambda: rng.choice([29, 31, 45, 60]), "retires_in": lambda: rng.choice([2026, 2031, 2050]),
        "q": lambda: rng.choice(["siti", "rahmat hidayat", "mappasesu", "adi", "n", "zulkifly", "19", "1970", "130019", "7611", "76", "0000", "9", "xyzzyx", "%"]),
        "since": lambda: rng.choice(["2020-01-01", "2100-01-01"]),
    }
    given = {name: some[name]() for name in rng.sample(sorted(some), rng.choice([1, 1, 1, 2, 2, 3, 4]))}
    given["units"] = [rng.choice(units)[1]] if rng.random() < 0.2 else [""]
    given["scopes"] = rng.choice([["asn.read"], ["asn.read", "asn.sensitive"]])
    given["sort"] = rng.choice(["", "-"]) + rng.choice(sorted(KEYS))
    given["rows"] = rng.choice([3, 51])
    return given | {"today": TODAY}


def found(cursor, given, after):
    values = {name: given.get(name) for name in ALL} | {"after": after}
    casts = ", ".join(f"%({name})s" + (f"::{CASTS[name]}" if name in CASTS else "") for name in ALL)
    cursor.execute(f"SELECT a.nip FROM unnest(asn_search({casts})) AS f (id) JOIN asn a USING (id)", values)
    return {nip for nip, in cursor.fetchall()}


def expected(cursor, given):
    """The NIPs in order, each with its cursor."""
    down = " DESC" if given["sort"][0] == "-" else ""
    order = given["sort"].lstrip("-")
    terms = " AND ".join(text for name, text in PLAIN.items() if name in given) or "true"
    cursor.execute(f"""SELECT a.nip, ARRAY[{', '.join(f'({c})::text' for c in CURSOR[order].split(', a.nip')[:1])}{", a.nip" if order != "nip" else ""}]
                       FROM asn a JOIN unit u ON u.id = a.unit_id LEFT JOIN rank k ON (k.kind, k.code) = (a.rank_kind, a.rank)
                       WHERE u.path <@ ANY (%(units)s::ltree[]) AND {terms}
                       ORDER BY {', '.join(f'({k}) COLLATE "C"{down}' if 'rank_since' not in k and 'birth' not in k else k + down for k in KEYS[order])}""", given)
    return cursor.fetchall()


SEEDS = range(160)


@pytest.fixture(scope="module")
def how_many():
    """By seed: whom its conditions name."""
    return {}


@pytest.mark.parametrize("seed", SEEDS)
def test_a_page_holds_whom_the_conditions_name(seed, people, how_many):
    rng = random.Random(seed)
    given = asked(rng, people)
    rows = expected(people, given)
    how_many[seed] = len(rows)
    at = rng.choice([None, 0, len(rows) // 3, len(rows) - 2])
    after = rows[at][1] if rows and at is not None and at >= 0 else None
    behind = [nip for nip, _ in rows[at + 1 if after else 0:]]
    page = found(people, given, after)
    assert set(behind[:given["rows"]]) <= page, (given, after)
    assert page <= set(behind), (given, after)


def test_the_conditions_find_somebody_and_leave_somebody(people, how_many):
    """Without this the test above might compare nothing with nothing."""
    counts = [how_many[seed] if seed in how_many else len(expected(people, asked(random.Random(seed), people))) for seed in SEEDS]
    assert sum(0 < n < 9000 for n in counts) > 75 and sum(n > 1000 for n in counts) > 20


NAMES = ("orang budi siti nana aminah anwar basri dewi eka fatimah gunawan hasanuddin ida ismail jamaluddin kartini lestari mappasessu muhammad nurhayati oddang putri "
         "rahmawati saleh syamsuddin taufik umar wahyuni yusuf zulkifli").split()


def slips(word):
    """What a typist makes of a word: two letters in the other order, one too few, one twice, another one."""
    for n in range(len(word)):
        yield word[:n] + word[n + 1:]
        yield word[:n] + word[n] + word[n:]
        yield word[:n] + ("x" if word[n] != "x" else "q") + word[n + 1:]
        if n and word[n - 1] != word[n]:
            yield word[:n - 1] + word[n] + word[n - 1] + word[n + 1:]


def test_a_word_is_found_in_spite_of_any_one_slip(people):
    people.execute("INSERT INTO name_word (word) SELECT w FROM unnest(%s) AS w", (NAMES,))
    tried = [(word, slip) for word in NAMES if len(word) >= 4 for slip in sorted(set(slips(word)))]
    people.execute("SELECT t.word, t.slip FROM unnest(%s, %s) AS t (word, slip) WHERE t.word <> ALL (words_like(t.slip))", tuple(map(list, zip(*tried))))
    assert people.fetchall() == [] and len(tried) > 600
    people.execute("SELECT words_like('oarng')")
    assert people.fetchone()[0] == ["orang"]


def test_a_rank_stands_where_its_list_says(people):
    people.execute("SELECT kind, array_agg(code ORDER BY seq) = array_agg(code ORDER BY rank_place(kind, code) COLLATE \"C\") FROM rank GROUP BY kind")
    assert dict(people.fetchall()) == {"PNS": True, "PPPK": True}


@pytest.mark.parametrize("q", ["'", "''; DROP TABLE asn; --", "%L", "$1", "{}", "\\", "a'b\\c", "NULL", "…", "1 2", "siti\u00a0nur", "9" * 100, "a " * 50])
def test_an_odd_search_is_a_search(q, people):
    for sort in ("nip", "birth_date", "rank"):
        given = {"units": [""], "scopes": ["admin"], "today": TODAY, "sort": sort, "rows": 5, "q": q}
        assert found(people, given, None) <= {nip for nip, _ in expected(people, given)}


def test_whoever_may_not_see_a_nik_does_not_find_by_it(people):
    people.execute("SELECT nik, nip FROM asn WHERE nik IS NOT NULL AND nik NOT LIKE '19%' LIMIT 1")
    nik, nip = people.fetchone()
    for sort in ("nip", "name", "birth_date", "rank"):
        given = {"units": [""], "today": TODAY, "sort": sort, "rows": 51, "q": nik[:12]}
        assert nip in found(people, given | {"scopes": ["asn.read", "asn.sensitive"]}, None)
        assert found(people, given | {"scopes": ["asn.read"]}, None) == set()


def test_a_new_name_brings_its_words_once(people, url):
    def count():
        return postgres.query(url, "SELECT count(*) FROM name_word WHERE word = 'kwetiauw'")
    postgres.query(url, "UPDATE asn SET name = 'Kwetiauw Kwetiauw' WHERE nip = (SELECT min(nip) FROM asn)")
    postgres.query(url, "UPDATE asn SET name = 'Siti Kwetiauw' WHERE nip = (SELECT min(nip) FROM asn)")
    assert count() == [(1,)]


def test_two_imports_of_the_same_new_name_do_not_wait_for_each_other(people, url):
    with postgres.connected(url) as one, one.cursor() as first, postgres.connected(url) as two, two.cursor() as second:
        for connection in (one, two):
            connection.autocommit = False
        for cursor, place in ((first, 0), (second, 1)):
            cursor.execute("SET lock_timeout = '5s'")
            cursor.execute("UPDATE asn SET name = 'Qwertyani' WHERE nip = (SELECT nip FROM asn ORDER BY nip OFFSET %s LIMIT 1)", [100 + place])
        one.commit()
        two.commit()
        assert postgres.query(url, "SELECT count(*) FROM name_word WHERE word = 'qwertyani'") == [(2,)]  # and a word may stand there twice
