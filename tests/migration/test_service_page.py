# SPDX-License-Identifier: Apache-2.0
"""A page of listServiceFigures is that of a recount of the tickets: whatever moved, whatever has not been put together yet, however long the pages are, and whichever way leads to them."""
import random
import re
import uuid
from fractions import Fraction

import psycopg2
import pytest

from support import postgres, statements

MONTHS = [f"2025-{n:02}" for n in range(1, 8)]
# How many units may be gathered, how many months walked through before that, how many keys' months looked at one by one.
WAYS = {"as it is": {}, "by the months": {"keys": 0}, "months first": {"units": 0, "keys": 0}, "months, and then keys": {"units": 0, "months": 3}}
BOUNDS = {"units": ("service_cells", r"(?<=tops, )5000\b"), "months": ("service_cells", r"(?<=looked > )2000\b"), "keys": ("service_cells_of", r"(?<=<= )200\b")}


class Office:
    """Three agencies of four units each, two of which serve; officers stand anywhere, and tickets come and go."""

    def __init__(self, url, seed):
        self.look, self.dice = postgres.Reader(url), random.Random(seed)
        self.units, self.services, self.people = [], [], []
        for n in range(15):
            self.units.append(str(uuid.UUID(int=self.dice.getrandbits(128))))
            self.do("INSERT INTO unit (id, code, name, kind, parent_id) VALUES (%s, %s, 'Unit Uji', 'bidang', %s)", self.units[n], f"U{n}", self.units[n % 3 if n < 9 else n - 6] if n > 2 else None)
        for unit in self.units[1::2]:
            self.serve(unit)
        for n in range(14):
            self.people.append(str(uuid.UUID(int=self.dice.getrandbits(128))))
            self.do("INSERT INTO asn (id, nip, kind, name, birth_date, sex, unit_id, legal_status) VALUES (%s, %s, 'PNS', 'Pegawai Uji', '1990-01-15', 'M', %s, '01')",
                    self.people[n], f"19900115201501{n:04}", self.dice.choice(self.units))

    def do(self, text, *given):
        return self.look(text, given)

    def serve(self, unit):
        counter = str(uuid.UUID(int=self.dice.getrandbits(128)))
        self.do("INSERT INTO service_unit (id, unit_id, name) VALUES (%s, %s, 'Loket')", counter, unit)
        for _ in range(self.dice.randint(0, 3)):
            self.services.append(str(uuid.UUID(int=self.dice.getrandbits(128))))
            self.do("INSERT INTO service (id, service_unit_id, code, name, promise_minutes) VALUES (%s, %s, %s, 'Layanan', 30)", self.services[-1], counter, self.services[-1][:8])

    def change(self):
        """One thing that happens; what the tree does not allow is refused."""
        dice, at = self.dice, f"2025-{self.dice.randint(1, 6):02}-{self.dice.randint(1, 28):02} 08:00+08"
        what = dice.choice(("tickets", "tickets", "tickets", "taken", "other officer", "deleted", "person", "person", "unit", "new", "together"))
        if what == "tickets":
            self.do("""INSERT INTO ticket (id, service_id, number, taken_at, called_at, started_at, finished_at, state, result, officer_id)
                       SELECT uuid_v7(), %s, %s || g, t.at, t.at + make_interval(secs => g * %s), t.at + interval '1 hour', t.at + make_interval(secs => 3600 + g * 90), 'finished', 'completed', %s
                       FROM   generate_series(1, %s) g, LATERAL (SELECT %s::timestamptz + make_interval(days => g * 3) AS at) t""",
                    dice.choice(self.services), f"{dice.randrange(10**9)}-", dice.randint(1, 90), dice.choice(self.people), dice.randint(1, 15), at)
        elif what == "taken":
            self.do("INSERT INTO ticket (id, service_id, number, taken_at) VALUES (uuid_v7(), %s, %s, %s)", dice.choice(self.services), f"{dice.randrange(10**9)}", at)
        elif what == "other officer":
            self.do("UPDATE ticket SET officer_id = %s, finished_at = finished_at + interval '7 seconds' WHERE state = 'finished' AND md5(number) < %s", dice.choice(self.people), dice.choice("123"))
        elif what == "deleted":
            self.do("DELETE FROM ticket WHERE service_id = %s AND day BETWEEN %s::date - 20 AND %s::date", dice.choice(self.services), at[:10], at[:10])
        elif what == "person":
            self.do("UPDATE asn SET unit_id = %s WHERE id = %s", dice.choice(self.units), dice.choice(self.people))
        elif what == "unit":
            try:
                self.do("UPDATE unit SET parent_id = %s WHERE id = %s", dice.choice(self.units), dice.choice(self.units[3:]))
            except psycopg2.Error:
                pass
        elif what == "new":
            idle = self.do("SELECT id::text FROM unit u WHERE NOT EXISTS (SELECT FROM service_unit p WHERE p.unit_id = u.id) ORDER BY id")
            if idle:
                self.serve(dice.choice(idle)[0])
        else:
            self.do("SELECT service_refresh(60000)")

    def recount(self):
        """Every ticket with whom it belongs to, by service, unit and officer: key, path, times."""
        rows = self.do("""SELECT t.service_id::text, p.unit_id::text, t.officer_id::text, u.path::text, o.path::text, to_char(t.day, 'YYYY-MM'), t.state, t.is_on_time, t.waiting_s, t.service_s, t.turnaround_s
                          FROM   ticket t JOIN service s ON s.id = t.service_id JOIN service_unit p ON p.id = s.service_unit_id JOIN unit u ON u.id = p.unit_id
                          LEFT   JOIN (asn a JOIN unit o ON o.id = a.unit_id) ON a.id = t.officer_id""")
        cells = {"service": {}, "unit": {}, "officer": {}}
        for service, unit, officer, path, officers, month, *told in rows:
            for by, key, place in (("service", service, path), ("unit", unit, path), ("officer", officer, officers)):
                if key:
                    cells[by].setdefault((month, key), (place, []))[1].append(told)
        return cells


def percentile(values, percent):
    values, rank = sorted(values), (len(values) - 1) * percent
    return values[rank // 100] + Fraction((values[min(rank // 100 + 1, len(values) - 1)] - values[rank // 100]) * (rank % 100), 100)


def figures(by, month, key, told):
    """One row as it should be."""
    row = [by, key, month, len(told), *(sum(t[0] == state for t in told) for state in ("finished", "no_show", "cancelled")), sum(t[1] is not None for t in told), sum(t[1] is True for t in told)]
    for place in (2, 3, 4):
        values = [t[place] for t in told if t[place] is not None]
        row += [len(values), *((percentile(values, 50), percentile(values, 90)) if values else (None, None))]
    return row


def below(path, tops):
    return any(top == "" or path == top or path.startswith(top + ".") for top in tops)


SHOWN = ("by", "key", "month_code", "taken", "finished", "no_show", "cancelled", "promised", "on_time", "waiting_n", "waiting_median", "waiting_p90", "service_n", "service_median", "service_p90",
         "turnaround_n", "turnaround_median", "turnaround_p90")


def walked(look, asked, limit):
    """All pages, one behind the other; and the count of them all, and all of them at once."""
    rows, after = [], None
    while True:
        text, values = statements.page("listServiceFigures", (), limit=limit, after=after, **asked)
        page = look(f"SELECT {', '.join(SHOWN)}, month::text FROM ({text}) AS page", values)
        assert len(page) <= limit
        rows += [list(row[:-1]) for row in page]
        if len(page) < limit:
            break
        after = [page[-1][-1], str(page[-1][1])]
    text, values = statements.page("listServiceFigures", (), limit=10**6, **asked)
    for wanted in (None, 9223372036854775807):
        assert look(f"SELECT count(*) FROM ({text}) AS counted", {**values, "page_limit": wanted}) == [(len(rows),)]
    return [[row[0], str(row[1]), *(Fraction(v) if not isinstance(v, str) and v is not None else v for v in row[2:])] for row in rows]


@pytest.fixture
def own(cluster, empty_template):
    name = cluster.create(template=empty_template)
    yield cluster.database_url(name)
    cluster.drop(name)


def bound(url, way):
    """Makes the bounds of this way what they are for a nation."""
    for name, most in WAYS[way].items():
        function, text = BOUNDS[name]
        (definition,), = postgres.query(url, "SELECT pg_get_functiondef(oid) FROM pg_proc WHERE proname = %s", (function,))
        changed, n = re.subn(text, str(most), definition)
        assert n == 1, definition
        postgres.query(url, changed.replace("%", "%%"))


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("seed", range(2))
def test_pages_are_those_of_a_recount(seed, way, own):
    bound(own, way)
    office, dice, seen, beside = Office(own, seed), random.Random(seed * 7 + len(way)), 0, 0
    look = office.look
    for _ in range(40):
        office.change()
    for _ in range(14):
        for _ in range(6):
            office.change()
        cells, paths = office.recount(), dict(look("SELECT id::text, path::text FROM unit"))
        beside += look("SELECT count(*) FROM service_change")[0][0]
        for by in cells:
            first, last = sorted(dice.choice(MONTHS) for _ in range(2)) if dice.random() < 0.7 else (MONTHS[0], MONTHS[-1])
            units = dice.choice(([""], [""], [""], dice.sample(sorted(paths.values()), dice.randint(1, 3)), []))
            under = dice.choice((None, None, dice.choice(office.units[:3]), dice.choice(office.units)))
            key = dice.choice((None, None, None, dice.choice({"service": office.services, "unit": office.units, "officer": office.people}[by])))
            asked = {"by": by, "from": first, "to": last, "under": under, "key": key, "actor_units": units, "today": "2025-06-01"}
            tops = [""] if under is None else [paths[under]]
            wanted = [figures(by, *cell, told) for cell, (path, told) in sorted(cells[by].items(), key=lambda c: (c[0][0], uuid.UUID(c[0][1])))
                      if first <= cell[0] <= last and below(path, units) and below(path, tops) and key in (None, cell[1])]
            assert walked(look, asked, dice.choice((1, 3, 7, 50))) == wanted, (asked, office.do("SELECT count(*) FROM service_change"))
            seen += len(wanted)
    look.close()
    assert seen > 150 and beside > 100


def test_who_moves_while_his_first_ticket_comes_is_found_where_he_stands(own):
    """The move is under way when the ticket is put together, and the note of it comes afterwards."""
    office = Office(own, 5)
    old, new, who = office.units[3], office.units[4], office.people[0]
    office.do("UPDATE asn SET unit_id = %s WHERE id = %s", old, who)
    office.do("SELECT service_refresh(60000)")

    def told(unit):
        text, values = statements.page("listServiceFigures", (), by="officer", under=unit, actor_units=[""], today="2025-03-01")
        return len(office.look(text, values))
    with postgres.connected(own, autocommit=False) as connection, connection.cursor() as cursor:
        cursor.execute("UPDATE asn SET unit_id = %s WHERE id = %s", (new, who))
        office.do("""INSERT INTO ticket (id, service_id, number, taken_at, called_at, started_at, state, officer_id)
                     VALUES (uuid_v7(), %s, 'X', '2025-03-03 08:00+08', '2025-03-03 08:01+08', '2025-03-03 08:02+08', 'started', %s)""", office.services[0], who)
        assert (told(old), told(new)) == (1, 0)
        office.do("SELECT service_refresh(60000)")
        assert (told(old), told(new)) == (1, 0)
        connection.commit()
    assert (told(old), told(new)) == (0, 1)
    office.do("SELECT service_refresh(60000)")
    assert (told(old), told(new)) == (0, 1)
    assert office.do("SELECT unit_id::text, (SELECT count(*) FROM service_moved) FROM service_officer") == [(new, 0)]
