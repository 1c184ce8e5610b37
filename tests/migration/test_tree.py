# SPDX-License-Identifier: Apache-2.0
"""The tree of units: paths follow moves, no circle can close, also not by two moves at once."""
import random
import threading

import psycopg2.errors

from support import postgres

TREE = """
    WITH RECURSIVE walk (id, path) AS (
        SELECT id, label::ltree FROM unit WHERE parent_id IS NULL
        UNION ALL
        SELECT u.id, w.path || u.label FROM unit u JOIN walk w ON u.parent_id = w.id)
    SELECT (SELECT count(*) FROM unit), count(*), count(*) FILTER (WHERE u.path = w.path AND u.depth = nlevel(w.path)) FROM walk w JOIN unit u USING (id)"""


def assert_whole(run):
    units, reached, right = run(TREE)[0]
    assert units == reached, "some units are on a circle"
    assert units == right, "some paths do not say where the unit is"


def test_a_move_carries_what_is_below(run, make):
    top, other = make.unit(), make.unit()
    middle = make.unit(top)
    leaf = make.unit(middle)
    run("UPDATE unit SET parent_id = %s WHERE id = %s", other, middle)
    assert run("SELECT l.path <@ o.path, l.depth FROM unit l, unit o WHERE l.id = %s AND o.id = %s", leaf, other) == [(True, 3)]
    assert run("SELECT version FROM unit WHERE id = %s", leaf) == [(1,)], "being carried is no change of one's own"
    assert_whole(run)


def test_no_unit_comes_below_itself(run, make, refused):
    top = make.unit()
    below = make.unit(make.unit(top))
    assert refused("UPDATE unit SET parent_id = %s WHERE id = %s", below, top) == "unit_no_cycle"
    assert refused("UPDATE unit SET parent_id = %s WHERE id = %s", top, top) == "unit_no_cycle"
    assert refused("INSERT INTO unit (id, code, name, kind, parent_id) SELECT i, 'SELF', 'x', 'bidang', i FROM gen_random_uuid() i") == "unit_no_cycle"
    missing = "0190ffff-ffff-7fff-bfff-ffffffffffff"
    assert refused("UPDATE unit SET parent_id = %s WHERE id = %s", missing, top) == "unit_parent_fkey"


def test_the_tree_has_a_bottom(make, refused):
    unit = make.unit()
    for _ in range(15):
        unit = make.unit(unit)
    insert = "INSERT INTO unit (id, code, name, kind, parent_id) VALUES (gen_random_uuid(), 'DEEP', 'x', 'bidang', %s)"
    assert refused(insert, unit) == "unit_depth_limit"


def test_moves_at_once_close_no_circle(url, run, make):
    units = [make.unit() for _ in range(6)]
    for parent in list(units):
        units += [make.unit(parent) for _ in range(3)]
    outcomes, faults = {"moved": 0, "refused": 0}, []

    # As updateUnit does: the tree is locked before the row.
    move = "UPDATE unit SET parent_id = %s WHERE id = %s AND unit_await_move('{\"parent_id\": null}')"

    def mover(number):
        rng = random.Random(number)
        try:
            with postgres.connected(url) as connection, connection.cursor() as cursor:
                for _ in range(25):
                    child, parent = rng.sample(units, 2)
                    try:
                        cursor.execute(move, (parent, child))
                        outcomes["moved"] += 1
                    except psycopg2.errors.RaiseException as fault:
                        assert fault.diag.constraint_name == "unit_no_cycle"
                        outcomes["refused"] += 1
                    except psycopg2.errors.CheckViolation as fault:
                        assert fault.diag.constraint_name == "unit_depth_limit"
        except Exception as fault:  # noqa: BLE001: whatever a thread meets is told to the test
            faults.append(fault)

    threads = [threading.Thread(target=mover, args=(n,)) for n in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not faults, faults[:3]
    assert outcomes["moved"] > 50 and outcomes["refused"] > 10, outcomes
    assert_whole(run)


def test_an_inactive_unit_takes_nobody_new_but_keeps_who_is_there(run, make, refused):
    unit, idle = make.unit(), make.unit(active=False)
    person = make.person(unit)
    insert = """INSERT INTO asn (id, nip, kind, name, birth_date, sex, unit_id, legal_status)
                VALUES (gen_random_uuid(), '199001152015039001', 'PNS', 'x', '1990-01-15', 'M', %s, '01')"""
    assert refused(insert, idle) == "asn_unit_active"
    assert refused("UPDATE asn SET unit_id = %s WHERE id = %s", idle, person) == "asn_unit_active"
    run("UPDATE unit SET is_active = false WHERE id = %s", unit)
    run("UPDATE asn SET name = 'Nama Lain' WHERE id = %s", person)


def test_a_rank_belongs_to_the_kind(run, make, refused):
    unit = make.unit()
    person, contract = make.person(unit, rank="III/a"), make.person(unit, kind="PPPK", rank="IX", legal_status="71")
    assert refused("UPDATE asn SET rank = 'IX' WHERE id = %s", person) == "asn_rank_fkey"
    assert refused("UPDATE asn SET rank = 'III/a' WHERE id = %s", contract) == "asn_rank_fkey"
    assert refused("UPDATE asn SET kind = 'PPPK' WHERE id = %s", person) == "asn_rank_fkey"
    run("UPDATE asn SET kind = 'CPNS' WHERE id = %s", person)
