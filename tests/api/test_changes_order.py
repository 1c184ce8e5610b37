# SPDX-License-Identifier: Apache-2.0
"""The order of the feed: each change once, in the order of commits, whatever runs at the same time, and a copy that is kept by it is the table."""
import hashlib
import json
import random
import threading
import time
import uuid

import pytest

from support import client as clients, daemon as daemons, make, postgres


def token(api):
    return api.get("/v1/units?limit=1", headers={"Accept": "application/x-ndjson"}).headers["Changes-After"]


class Reader:
    """Polls the feed, with pages of random length, and keeps (id, version) of all that it was told."""

    def __init__(self, api, after, seed=0, entity="unit"):
        self.api = clients.Client(api.url, api.key)
        self.after, self.seen, self.random, self.entity = after, [], random.Random(seed), entity

    def poll(self, wait=0):
        page = self.api.get(f"/v1/changes?after={self.after}&limit={self.random.randint(1, 40)}&wait={wait}&entity={self.entity}").json
        self.seen += [(c["id"], c["version"]) for c in page["changes"]]
        self.after = page["next"]
        return page

    def drain(self):
        while self.poll()["more"]:
            pass

    def until(self, last):
        while last not in self.seen[-60:]:
            self.poll(wait=self.random.choice((0, 0, 1)))
        return self.seen


class Writer:
    """Writes units straight into the database, one transaction after the other; notes of each when its commit began and ended."""

    def __init__(self, url, shared, seed):
        self.url, self.shared, self.random, self.log = url, shared, random.Random(seed), []

    @staticmethod
    def make(cursor):
        made = str(uuid.uuid4())
        cursor.execute("INSERT INTO unit (id, code, name, kind) VALUES (%s, %s, 'Unit Uji', 'bidang')", (made, f"W{made[:12]}"))
        return made, 1

    @staticmethod
    def change(cursor, which):
        cursor.execute("UPDATE unit SET name = 'Unit Uji ' || version WHERE id = %s RETURNING version", (which,))
        return which, cursor.fetchone()[0]

    def commit(self, connection, wrote):
        began = time.monotonic()
        connection.commit()
        self.log.append((began, time.monotonic(), wrote))

    def run(self, transactions):
        with postgres.connected(self.url, autocommit=False) as connection, connection.cursor() as cursor:
            for _ in range(transactions):
                wrote = [self.make(cursor)] if self.random.random() < 0.5 else []
                wrote += [self.change(cursor, u) for u in sorted(self.random.sample(self.shared, self.random.randint(1, 2)))]
                if self.random.random() < 0.1:
                    connection.rollback()
                else:
                    self.commit(connection, wrote)

    def hold(self, seconds, go_on, end):
        """Writes at once, so that it has its transaction id before all others, and again after seconds, when it is let."""
        with postgres.connected(self.url, autocommit=False) as connection, connection.cursor() as cursor:
            wrote = [self.make(cursor)]
            go_on.set()
            time.sleep(seconds)
            assert end.wait(60)
            wrote += [self.change(cursor, self.shared[0])]
            self.commit(connection, wrote)


def held_order(seen, writers):
    """Each once; what was committed before another's commit began stands before it; the versions of a record ascend."""
    expected = [w for writer in writers for _, _, wrote in writer.log for w in wrote]
    assert len(seen) == len(set(seen)), "told twice"
    assert sorted(seen) == sorted(expected), "missed, or told what was not committed"
    place = {change: n for n, change in enumerate(seen)}
    commits = [(began, ended, [place[w] for w in wrote]) for writer in writers for began, ended, wrote in writer.log]
    for _, _, places in commits:
        assert places == list(range(min(places), min(places) + len(places))), "a transaction is torn apart, or out of its own order"
    latest = sorted(commits, key=lambda c: c[1])
    front, at = -1, 0
    for began, _, places in sorted(commits, key=lambda c: c[0]):
        while at < len(latest) and latest[at][1] < began:
            front = max(front, latest[at][2][0])
            at += 1
        assert places[0] > front, "stands before what was committed before it"
    versions = {}
    for which, version in seen:
        assert version > versions.get(which, 0)
        versions[which] = version


def test_one_holds_its_transaction_open_while_eight_write_and_three_poll(api, database):
    shared = [make.unit(api)["id"] for _ in range(6)]
    start = token(api)
    readers = [Reader(api, start, seed) for seed in range(3)]
    writers = [Writer(database, shared, seed) for seed in range(9)]
    held, let_go = threading.Event(), threading.Event()
    slow = daemons.StreamReader(writers[8].hold, 3, held, let_go)
    assert held.wait(30)
    last = (str(uuid.uuid4()), 1)
    polling = [daemons.StreamReader(r.until, last) for r in readers]
    writing = [daemons.StreamReader(w.run, 80) for w in writers[:8]]
    for w in writing:
        w.get()
    before = {c for writer in writers[:8] for _, _, wrote in writer.log for c in wrote}
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline and not all(before <= set(r.seen) for r in readers):
        time.sleep(0.02)
    assert all(before <= set(r.seen) for r in readers), "who writes slowly holds up what others have committed"
    let_go.set()
    slow.get()
    with postgres.connected(database, autocommit=False) as connection, connection.cursor() as cursor:
        cursor.execute("INSERT INTO unit (id, code, name, kind) VALUES (%s, 'WLAST', 'Unit Uji', 'bidang')", (last[0],))
        writers[0].commit(connection, [last])
    for p in polling:
        held_order(p.get(), writers)


# ── random schedules ──

class Schedule:
    """Transactions in steps of which only one runs at a time, so that the order of commits is known exactly."""

    def __init__(self, url, shared, seed):
        self.random = random.Random(seed)
        self.shared, self.locked = shared, {}
        self.connections = [postgres.psycopg2.connect(url) for _ in range(5)]
        self.wrote = [[] for _ in self.connections]
        self.order = []  # (connection or None once it is committed, what it wrote), by place
        self.placed = {}  # connection → its entry of order, taken while it still runs

    def write(self, n):
        with self.connections[n].cursor() as cursor:
            free = [u for u in self.shared if self.locked.get(u, n) == n]
            undone = self.random.random() < 0.2
            if undone:
                cursor.execute("SAVEPOINT undone")
            if free and self.random.random() < 0.6:
                which = self.random.choice(free)
                wrote = Writer.change(cursor, which)
                self.locked[which] = n
            else:
                wrote = Writer.make(cursor)
            if undone:
                cursor.execute("ROLLBACK TO SAVEPOINT undone")
            elif n in self.placed:
                self.placed[n][1].append(wrote)
            else:
                self.wrote[n].append(wrote)

    def take_place(self, n):
        """What COMMIT does first, without what it does then."""
        if self.wrote[n] and n not in self.placed:
            with self.connections[n].cursor() as cursor:
                cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            self.placed[n] = [n, self.wrote[n]]
            self.order.append(self.placed[n])

    def end(self, n, commits):
        if commits:
            self.connections[n].commit()
            if n in self.placed:
                self.placed[n][0] = None
            elif self.wrote[n]:
                self.order.append([None, self.wrote[n]])
        else:
            self.connections[n].rollback()
            if n in self.placed:
                self.order.remove(self.placed[n])
        self.placed.pop(n, None)
        self.wrote[n] = []
        self.locked = {u: c for u, c in self.locked.items() if c != n}

    def step(self):
        n = self.random.randrange(len(self.connections))
        what = self.random.random()
        if what < 0.55:
            self.write(n)
        elif what < 0.65:
            self.take_place(n)
        else:
            self.end(n, commits=what < 0.93)

    def readable(self):
        told = []
        for owner, wrote in self.order:
            if owner is not None:
                break
            told += wrote
        return told

    def close(self):
        for n, connection in enumerate(self.connections):
            self.end(n, commits=n % 2 == 0)
            connection.close()


@pytest.mark.parametrize("seed", range(6))
def test_random_schedules(seed, api, database):
    shared = [make.unit(api)["id"] for _ in range(4)]
    schedule = Schedule(database, shared, seed)
    readers = [Reader(api, token(api), seed * 3 + n) for n in range(3)]
    for _ in range(150):
        schedule.step()
        for reader in readers:
            if schedule.random.random() < 0.3:
                reader.poll()
                assert reader.seen == schedule.readable()[:len(reader.seen)]
        if schedule.random.random() < 0.1:
            readers[0].drain()
            assert readers[0].seen == schedule.readable(), "what is committed before all that runs is told at once"
    schedule.close()
    for reader in readers:
        reader.drain()
        assert reader.seen == [w for _, wrote in schedule.order for w in wrote]


# ── a copy ──

COPIED = {"asn": ("nip", "nip || '|' || name || '|' || coalesce(phone, '') || '|' || version", lambda r: f"{r['nip']}|{r['name']}|{r['phone'] or ''}|{r['version']}"),
          "programme": ("code", "code || '|' || name || '|' || jp || '|' || version", lambda r: f"{r['code']}|{r['name']}|{r['jp']}|{r['version']}")}


def table_of(sql, entity):
    key, row, _ = COPIED[entity]
    return sql(f"SELECT md5(string_agg({row}, E'\n' ORDER BY {key} COLLATE \"C\")) FROM {entity}")[0][0]


def copy_hash(copy, entity):
    key, _, row = COPIED[entity]
    return hashlib.md5("\n".join(map(row, sorted(copy[entity].values(), key=lambda r: r[key]))).encode()).hexdigest()


def first_load(api):
    """Everything, and the token from which the feed goes on: that of the list that was asked for first."""
    copy, tokens = {}, []
    for entity, path in (("asn", "/v1/asn"), ("programme", "/v1/programmes")):
        reply = api.get(path, headers={"Accept": "application/x-ndjson"}, checked=False)
        copy[entity] = {row["id"]: row for row in map(json.loads, reply.text.splitlines())}
        tokens.append(reply.headers["Changes-After"])
    return copy, tokens[0]


def follow(api, copy, after):
    """Brings a copy up to date; gives how many changes it took."""
    told, dirty = 0, {}
    while True:
        page = api("GET", f"/v1/changes?after={after}&limit=1000&entity=asn,programme", checked=False, expect=200).json
        told, after = told + len(page["changes"]), page["next"]
        dirty.update({c["href"]: c["entity"] for c in page["changes"]})
        if not page["more"]:
            break
    for href, entity in dirty.items():
        row = api("GET", href, checked=False, expect=200).json
        copy[entity][row["id"]] = row
    return told


def test_after_100_000_changes_a_copy_is_the_table(api, sql, office):
    def people(year, n):
        sql(f"""INSERT INTO asn (id, nip, kind, name, birth_date, sex, unit_id, legal_status)
                SELECT gen_random_uuid(), '{year}0116' || '2016031' || lpad(n::text, 3, '0'), 'PNS', 'Pegawai ' || n, '{year}-01-16', 'M', %s, '01'
                FROM   generate_series(1, %s) AS n""", (office["id"], n))
    people(1991, 400)
    sql("""INSERT INTO programme (id, code, name, form, family, jp, organiser)
           SELECT gen_random_uuid(), 'C' || n, 'Pelatihan ' || n, 'B3', 'teknis', 20, 'Uji' FROM generate_series(1, 500) AS n""")
    copy, after = first_load(api)
    people(1992, 300)
    for n in range(200):
        sql("UPDATE programme SET jp = 20 + %s WHERE hashtext(code || %s::text) %% 50 <> 0", (n, n))
        if n % 10 == 0:
            sql("UPDATE asn SET name = 'Pegawai ' || %s || ' ' || nip, phone = '0811' || %s WHERE hashtext(nip || %s::text) %% 5 <> 0", (n, 100000 + n, n))
    assert follow(api, copy, after) > 100_000
    for entity in COPIED:
        assert copy_hash(copy, entity) == table_of(sql, entity), entity
