# SPDX-License-Identifier: Apache-2.0
"""Seats and waiting list under many clients at once: never one seat too many, none lost, nobody overtaken."""
import random
import threading
import uuid

import psycopg2
import psycopg2.errors
import pytest

from support import postgres

COUNTS = """
    SELECT s.capacity, s.seats_taken, s.waiting, s.queue_last,
           count(*) FILTER (WHERE enrolment_holds_seat(e.state)), count(*) FILTER (WHERE e.state = 'waitlisted'),
           max(e.queue_place), count(e.queue_place), count(DISTINCT e.queue_place)
    FROM session s LEFT JOIN enrolment e ON e.session_id = s.id WHERE s.id = %s GROUP BY s.id"""


def ledger(run, session):
    """Holds the session's counts against its enrolments; gives (seats, waiting)."""
    capacity, seats, waiting, last, holding, queued, newest, places, distinct = run(COUNTS, session)[0]
    assert (seats, waiting) == (holding, queued)
    assert seats <= capacity
    assert waiting == 0 or seats == capacity, "a free seat while somebody waits"
    assert places == distinct == last and (newest or 0) == last, "a queue place was lost or given twice"
    return seats, waiting


def test_sixty_four_clients_enrol_and_leave(url, run, make):
    """Each client enrols its people in few hot sessions and cancels at random; promotions run all the while."""
    unit = make.unit()
    sessions = [make.session(capacity) for capacity in (1, 7, 20)]
    people = [make.person(unit) for _ in range(64 * 3)]
    faults, left_waiting = [], []

    def client(number):
        rng = random.Random(number)
        try:
            with postgres.connected(url) as connection, connection.cursor() as cursor:
                for person in people[number * 3:number * 3 + 3]:
                    session = rng.choice(sessions)
                    for _ in range(3):
                        cursor.execute("INSERT INTO enrolment (id, session_id, asn_id) VALUES (%s, %s, %s) RETURNING id, state",
                                       (str(uuid.uuid4()), session, person))
                        enrolment, state = cursor.fetchone()
                        if rng.random() < 0.3:
                            break
                        cursor.execute("SELECT (enrolment_act(%s, ARRAY[''::ltree], 'cancelled')).state", (enrolment,))
        except Exception as fault:  # noqa: BLE001: whatever a thread meets is told to the test
            faults.append(fault)

    threads = [threading.Thread(target=client, args=(n,)) for n in range(64)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not faults, faults[:3]
    totals = [ledger(run, session) for session in sessions]
    assert sum(seats for seats, _ in totals) == 28, "64 clients fill 28 seats"
    assert run("SELECT count(*) FROM enrolment WHERE state IN ('approved', 'waitlisted')")[0][0] == sum(map(sum, totals))
    # Those who wait have the highest places of all who ever waited and have not left.
    for session in sessions:
        promoted = run("SELECT max(queue_place) FROM enrolment WHERE session_id = %s AND state = 'approved'", session)[0][0]
        first = run("SELECT min(queue_place) FROM enrolment WHERE session_id = %s AND state = 'waitlisted'", session)[0][0]
        left_waiting.append(first)
        assert promoted is None or first is None or promoted < first, "somebody was overtaken"


def test_capacity_grows_and_shrinks_among_enrolments(url, run, make):
    unit = make.unit()
    session = make.session(3)
    people = [make.person(unit) for _ in range(60)]
    faults = []

    def enrol(part):
        try:
            with postgres.connected(url) as connection, connection.cursor() as cursor:
                for person in part:
                    cursor.execute("INSERT INTO enrolment (id, session_id, asn_id) VALUES (%s, %s, %s)", (str(uuid.uuid4()), session, person))
        except Exception as fault:  # noqa: BLE001
            faults.append(fault)

    def resize():
        rng = random.Random(1)
        with postgres.connected(url) as connection, connection.cursor() as cursor:
            for _ in range(40):
                try:
                    cursor.execute("UPDATE session SET capacity = %s WHERE id = %s", (rng.randint(1, 40), session))
                except psycopg2.errors.CheckViolation as fault:
                    if fault.diag.constraint_name != "session_seats":
                        faults.append(fault)

    threads = [threading.Thread(target=enrol, args=(people[n::6],)) for n in range(6)] + [threading.Thread(target=resize)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not faults, faults[:3]
    seats, waiting = ledger(run, session)
    assert seats + waiting == 60


def test_the_freed_seat_goes_to_the_first_who_waits(run, make):
    unit = make.unit()
    session = make.session(1)
    a, b, c, d = [make.enrol(session, make.person(unit)) for _ in range(4)]
    assert [(e[1], e[2]) for e in (a, b, c, d)] == [("approved", None), ("waitlisted", 1), ("waitlisted", 2), ("waitlisted", 3)]
    make.act(b[0], "cancelled")
    make.act(a[0], "cancelled")
    assert run("SELECT state, queue_place FROM enrolment WHERE id = %s", c[0]) == [("approved", 2)]
    assert ledger(run, session) == (1, 1)


def test_no_show_and_withdrawal_free_the_seat_while_the_session_takes_people(run, make):
    unit = make.unit()
    session = make.session(2)
    a, b, c, d, e = [make.enrol(session, make.person(unit)) for _ in range(5)]
    assert make.act(a[0], "no_show", today="2030-01-07") == "no_show"
    assert run("SELECT state FROM enrolment WHERE id = %s", c[0]) == [("approved",)]
    make.act(b[0], "attending", today="2030-01-08")
    make.act(b[0], "withdrawn", today="2030-01-09")
    assert run("SELECT state FROM enrolment WHERE id = %s", d[0]) == [("approved",)]
    make.act(d[0], "no_show", today="2030-01-10")  # it is over: the seat stays empty
    assert run("SELECT state FROM enrolment WHERE id = %s", e[0]) == [("waitlisted",)]
    assert run("SELECT seats_taken, waiting FROM session WHERE id = %s", session) == [(1, 1)]


def test_a_session_takes_people_until_its_last_day(make, refused):
    unit = make.unit()
    session, person = make.session(2), make.person(unit)
    insert = "INSERT INTO enrolment (id, session_id, asn_id) VALUES (gen_random_uuid(), %s, %s)"
    assert refused(insert, session, person, today="2030-01-10") == "enrolment_session_open"
    assert make.enrol(session, person, today="2030-01-09")[1] == "approved"


@pytest.mark.parametrize("status, serves", [("01", True), ("11", True), ("71", True), ("02", False), ("03", False), ("20", False), ("99", False)])
def test_only_who_is_in_service_is_enrolled(status, serves, make, refused):
    session, person = make.session(2), make.person(make.unit(), legal_status=status)
    if serves:
        assert make.enrol(session, person)[1] == "approved"
    else:
        assert refused("INSERT INTO enrolment (id, session_id, asn_id) VALUES (gen_random_uuid(), %s, %s)", session, person) == "enrolment_in_service"


def test_one_person_once_in_a_session_and_nowhere_else_on_its_days(make, refused):
    person = make.person(make.unit())
    first, touching, apart = make.session(5), make.session(5, "2030-01-09", "2030-01-11"), make.session(5, "2030-01-10", "2030-01-11")
    insert = "INSERT INTO enrolment (id, session_id, asn_id) VALUES (gen_random_uuid(), %s, %s)"
    enrolment = make.enrol(first, person)
    assert refused(insert, first, person) == "enrolment_person_once"
    assert refused(insert, touching, person) == "enrolment_no_overlap"
    make.enrol(apart, person)
    make.act(enrolment[0], "cancelled")
    assert refused(insert, touching, person) == "enrolment_no_overlap", "the one apart still meets it"
    make.enrol(first, person)


def test_moving_a_session_onto_another_is_refused(make, run, refused):
    person = make.person(make.unit())
    first, later = make.session(5), make.session(5, "2030-02-01", "2030-02-03")
    make.enrol(first, person)
    make.enrol(later, person)
    assert refused("UPDATE session SET starts_on = '2030-01-09', ends_on = '2030-01-10' WHERE id = %s", later) == "enrolment_no_overlap"
    run("UPDATE session SET starts_on = '2030-01-10', ends_on = '2030-01-10' WHERE id = %s", later)


STEPS = {"draft": {"proposed", "cancelled"}, "proposed": {"verified", "returned", "rejected", "cancelled"}, "returned": {"proposed", "cancelled"},
         "verified": {"approved", "waitlisted", "rejected", "cancelled"}, "waitlisted": {"approved", "offered", "cancelled"}, "offered": {"approved", "cancelled"},
         "approved": {"attending", "no_show", "cancelled"}, "attending": {"completed", "passed", "failed", "withdrawn"}, "completed": {"passed", "failed", "certified"},
         "passed": {"certified", "synced", "completed"}, "certified": {"synced", "passed", "completed"}, "failed": {"completed"}, "synced": set(), "rejected": set(), "no_show": set(), "withdrawn": set(),
         "cancelled": set()}


def test_the_order_of_states(run):
    found = {state: {n for n in STEPS if run("SELECT enrolment_may_become(%s, %s)", state, n)[0][0]} for state in STEPS}
    assert found == STEPS, "that of the regulation's practice, whatever the table of transitions says"


def test_whoever_writes_meets_the_order(make, run, refused):
    enrolment = make.enrol(make.session(1), make.person(make.unit()))[0]
    assert refused("UPDATE enrolment SET state = 'synced', jp = 5 WHERE id = %s", enrolment) == "enrolment_state_order"
    run("DELETE FROM enrolment_transition WHERE \"to\" = 'no_show'")
    assert refused("UPDATE enrolment SET state = 'no_show' WHERE id = %s", enrolment, today="2030-01-08") == "enrolment_state_order", "the table is the order"
    run("INSERT INTO enrolment_transition VALUES ('approved', 'no_show', 'training.write')")


def test_an_overdue_offer_is_accepted_by_nobody(make, run, refused):
    unit = make.unit()
    session = make.session(1)
    run("UPDATE session SET offer_hours = 1 WHERE id = %s", session)
    seated, waiting = [make.enrol(session, make.person(unit))[0] for _ in range(2)]
    make.act(seated, "cancelled")
    run("UPDATE enrolment SET offer_until = clock_timestamp() WHERE id = %s", waiting)
    assert refused("UPDATE enrolment SET state = 'approved' WHERE id = %s", waiting) == "enrolment_offer_until"


def test_the_database_bounds_a_quota_whatever_else_happens(make, run, refused):
    unit, session = make.unit(), make.session(5)
    run("INSERT INTO session_quota (session_id, unit_id, seats) VALUES (%s, %s, 1)", session, unit)
    people = [make.person(unit) for _ in range(2)]
    assert [make.enrol(session, p)[1] for p in people] == ["approved", "waitlisted"]
    assert refused("UPDATE enrolment SET state = 'approved' WHERE session_id = %s AND state = 'waitlisted'", session) == "session_quota_seats"


def test_a_prerequisite_holds_whoever_writes(make, run, refused):
    programme = make.programme()
    run("""UPDATE programme SET prerequisites = '[{"rule": "kind", "one_of": ["PPPK"]}]' WHERE id = %s""", programme)
    insert = "INSERT INTO enrolment (id, session_id, asn_id, state) VALUES (gen_random_uuid(), %s, %s, %s)"
    session, person = make.session(1, programme=programme), make.person(make.unit())
    assert refused(insert, session, person, None) == refused(insert, session, person, "proposed") == "enrolment_prerequisite"
    run(insert, session, person, "draft")


def test_what_an_enrolment_is_never_changes(make, run, refused):
    unit = make.unit()
    session = make.session(1)
    enrolment = make.enrol(session, make.person(unit))[0]
    assert refused("UPDATE enrolment SET session_id = %s WHERE id = %s", make.session(1), enrolment) == "enrolment_fixed"
    assert refused("UPDATE enrolment SET queue_place = 9 WHERE id = %s", enrolment) == "enrolment_fixed"
    assert refused("DELETE FROM enrolment WHERE id = %s", enrolment) == "enrolment_fixed"
    assert refused("SELECT enrolment_act(%s, ARRAY[''::ltree], 'attending')", enrolment, today="2030-01-06") == "enrolment_session_begun"
    assert refused("SELECT enrolment_act(%s, ARRAY[''::ltree], 'passed')", enrolment, today="2030-01-07") == "enrolment_state_order"


def test_passing_gives_the_programmes_hours_unless_told(make, run):
    unit = make.unit()
    session = make.session(2)
    for hours, jp in ((None, 20), (7, 7)):
        enrolment = make.enrol(session, make.person(unit))[0]
        make.act(enrolment, "attending", today="2030-01-07")
        assert run("SELECT (enrolment_act(%s, ARRAY[''::ltree], 'passed', %s)).jp", enrolment, hours, today="2030-01-09") == [(jp,)]


def test_a_cancelled_session_lets_go_and_stays_cancelled(make, run, refused):
    unit = make.unit()
    session = make.session(1)
    for _ in range(3):
        make.enrol(session, make.person(unit))
    version = run("SELECT version FROM session WHERE id = %s", session)[0][0]
    run("UPDATE session SET state = 'cancelled' WHERE id = %s", session)
    assert run("SELECT DISTINCT state FROM enrolment WHERE session_id = %s", session) == [("cancelled",)]
    assert run("SELECT seats_taken, waiting, version - %s FROM session WHERE id = %s", version, session) == [(0, 0, 1)]
    assert refused("UPDATE session SET state = 'planned' WHERE id = %s", session) == "session_cancelled"


def test_a_programme_put_away_gets_no_sessions(make, refused):
    programme = make.programme(active=False)
    insert = "INSERT INTO session (id, programme_id, title, starts_on, ends_on, capacity) VALUES (gen_random_uuid(), %s, 'Uji', '2030-01-01', '2030-01-02', 5)"
    assert refused(insert, programme) == "session_programme_active"
