# SPDX-License-Identifier: Apache-2.0
"""The schema alone, without the daemon: what the database itself holds, whoever writes."""
import itertools
import threading
import uuid

import psycopg2
import psycopg2.errors
import pytest


@pytest.fixture(scope="module")
def url(cluster, empty_template):
    name = cluster.create(template=empty_template)
    yield cluster.database_url(name)
    cluster.drop(name)


@pytest.fixture(scope="module")
def session(url):
    """A connection of each thread, kept: a new one knows no table and no trigger yet, and to learn them takes longer than most statements here."""
    kept, own = [], threading.local()

    def connect():
        if not hasattr(own, "connection"):
            own.connection = psycopg2.connect(url)
            kept.append(own.connection)
        return own.connection
    yield connect
    for connection in kept:
        connection.close()


@pytest.fixture
def run(session):
    """Runs one statement in a transaction of its own, with the settings of a new session; `today` is the regency's date for it."""
    def run_one(statement, *parameters, today=None):
        connection = session()
        try:
            with connection.cursor() as cursor:
                if today:
                    cursor.execute("SELECT set_config('asnd.today', %s, true)", (today,))
                cursor.execute(statement, parameters)
                rows = cursor.fetchall() if cursor.description else []
            connection.commit()
            return rows
        finally:
            connection.reset()
    return run_one


@pytest.fixture
def refused(run):
    """The name of the constraint that refuses a statement."""
    def refuse(statement, *parameters, **options):
        with pytest.raises(psycopg2.Error) as caught:
            run(statement, *parameters, **options)
        return caught.value.diag.constraint_name
    return refuse


class Maker:
    """Rows with whatever a test does not care about filled in."""

    _numbers = itertools.count(1)

    def __init__(self, run):
        self.run = run

    def unit(self, parent=None, active=True):
        made = str(uuid.uuid4())
        self.run("INSERT INTO unit (id, code, name, kind, parent_id, is_active) VALUES (%s, %s, 'Unit Uji', 'bidang', %s, %s)",
                 made, f"U{uuid.uuid4().hex[:12]}", parent, active)
        return made

    def person(self, unit, legal_status="01", **more):
        made = str(uuid.uuid4())
        nip = f"199001152015{next(self._numbers):06d}"
        columns = {"id": made, "nip": nip, "kind": "PNS", "name": "Pegawai Uji", "birth_date": "1990-01-15", "sex": "M", "unit_id": unit,
                   "legal_status": legal_status, **more}
        self.run(f"INSERT INTO asn ({', '.join(columns)}) VALUES ({', '.join(['%s'] * len(columns))})", *columns.values())
        return made

    def programme(self, active=True):
        made = str(uuid.uuid4())
        self.run("INSERT INTO programme (id, code, name, form, family, jp, organiser, is_active) VALUES (%s, %s, 'Uji', 'B3', 'teknis', 20, 'Uji', %s)",
                 made, made[:20], active)
        return made

    def session(self, capacity, first="2030-01-07", last="2030-01-09", programme=None):
        made = str(uuid.uuid4())
        self.run("INSERT INTO session (id, programme_id, title, starts_on, ends_on, capacity) VALUES (%s, %s, 'Uji', %s, %s, %s)",
                 made, programme or self.programme(), first, last, capacity)
        return made

    def enrol(self, session, person, today=None):
        """(id, state, queue_place)"""
        return self.run("INSERT INTO enrolment (id, session_id, asn_id) VALUES (%s, %s, %s) RETURNING id, state, queue_place",
                        str(uuid.uuid4()), session, person, today=today)[0]

    def act(self, enrolment, state, today=None):
        return self.run("SELECT state FROM enrolment_act(%s, ARRAY[''::ltree], %s)", enrolment, state, today=today)[0][0]


@pytest.fixture
def make(run):
    return Maker(run)
