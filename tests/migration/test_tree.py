# SPDX-License-Identifier: Apache-2.0
"""The tree of units: paths follow moves, no circle can close, also not by two moves at once."""
import random
import threading
from collections import Counter

import psycopg2.errors
from psycopg2.extras import Json

from support import postgres

TREE = """
    WITH RECURSIVE walk (id, path) AS (
        SELECT id, label::ltree FROM unit WHERE parent_id IS NULL
        UNION ALL
        SELECT u.id, w.path || u.label FROM unit u JOIN walk w ON u.parent_id = w.id)
    SELECT (SELECT count(*) FROM unit), count(*), count(*) FILTER (WHERE u.path = w.path AND u.depth = nlevel(w.path)) FROM walk w JOIN unit u USING (id)"""


# Each day on which anything changed, walked down from the roots of that day, against unit_way; and today's versions against unit.
DAYS = """
    WITH RECURSIVE day (on_day) AS (SELECT DISTINCT lower(valid) FROM unit_version UNION SELECT local_today()), walk (on_day, id, path) AS (
        SELECT d.on_day, v.unit_id, u.label::ltree FROM day d JOIN unit_version v ON v.valid @> d.on_day JOIN unit u ON u.id = v.unit_id
        WHERE v.parent_id IS NULL
        UNION ALL
        SELECT w.on_day, v.unit_id, w.path || u.label FROM walk w JOIN unit_version v ON v.parent_id = w.id AND v.valid @> w.on_day
        JOIN unit u ON u.id = v.unit_id WHERE nlevel(w.path) < 20)
    SELECT (SELECT count(*) FROM day d JOIN unit_version v ON v.valid @> d.on_day),
           count(*), count(*) FILTER (WHERE y.path = w.path), (SELECT count(*) FROM day d JOIN unit_way y ON y.valid @> d.on_day)
    FROM   walk w LEFT JOIN unit_way y ON y.unit_id = w.id AND y.valid @> w.on_day"""
PRESENT = """
    SELECT count(*) FROM (SELECT * FROM unit WHERE closed_on IS NULL) u FULL JOIN (SELECT * FROM unit_version WHERE upper_inf(valid)) v ON v.unit_id = u.id
    WHERE (u.code, u.name, u.kind, u.parent_id, u.is_active) IS DISTINCT FROM (v.code, v.name, v.kind, v.parent_id, v.is_active)"""


def assert_whole(run):
    units, reached, right = run(TREE)[0]
    assert units == reached, "some units are on a circle"
    assert units == right, "some paths do not say where the unit is"
    there, reached, right, ways = run(DAYS)[0]
    assert there == reached, "on some day some units hang on a circle or on nothing"
    assert there == right == ways, "some ways do not say where the unit was"
    assert run(PRESENT)[0][0] == 0, "a unit is not what its last version says"


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


def test_moves_of_other_days_at_once_close_no_circle_either(url, run, make):
    """As updateUnit does, each for a day of its own in the last twenty years; with renames, new units and closings in between."""
    units = [make.unit() for _ in range(5)]
    units += [make.unit(parent) for parent in list(units) for _ in range(2)]
    for unit in units:
        run("SELECT problem FROM unit_change(%s, '{\"effective_on\": \"2000-01-01\"}', ARRAY[''::ltree], '{(,)}', NULL, 'uji')", unit)
    outcomes, faults = Counter(), []
    expected = {"unit_no_cycle", "unit_way_depth", "unit_depth_limit", "unit_parent_there", "unit_parent_open"}

    def mover(number):
        rng = random.Random(number)
        try:
            with postgres.connected(url) as connection, connection.cursor() as cursor:
                for _ in range(20):
                    child, parent = rng.sample(units, 2)
                    day = f"{rng.randint(2000, 2025)}-0{rng.randint(1, 9)}-01"
                    patch = rng.choice([{"parent_id": parent}, {"parent_id": parent}, {"name": f"Nama {number}"}, {"parent_id": None}])
                    try:
                        if rng.random() < 0.05:
                            cursor.execute("SELECT problem FROM unit_close(%s, %s, ARRAY[''::ltree], NULL, 'uji')", (child, Json({"successor_id": parent})))
                        else:
                            cursor.execute("SELECT problem FROM unit_change(%s, %s, ARRAY[''::ltree], '{(,)}', NULL, 'uji')", (child, Json({**patch, "effective_on": day})))
                        outcomes[cursor.fetchone()[0]] += 1
                    except psycopg2.errors.RaiseException as fault:
                        assert fault.diag.constraint_name in expected, fault
                        outcomes[fault.diag.constraint_name] += 1
                    except psycopg2.errors.CheckViolation as fault:
                        assert fault.diag.constraint_name in expected, fault
                    except psycopg2.errors.DeadlockDetected:
                        outcomes["again"] += 1  # run again by the daemon
        except Exception as fault:  # noqa: BLE001: whatever a thread meets is told to the test
            faults.append(fault)

    threads = [threading.Thread(target=mover, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not faults, faults[:3]
    assert outcomes[None] > 40 and outcomes["unit_no_cycle"] > 5, outcomes
    assert_whole(run)


def test_whoever_writes_versions_by_hand_is_refused_too(run, make, refused):
    top = make.unit()
    below = make.unit(top)
    assert refused("UPDATE unit_version SET parent_id = %s WHERE unit_id = %s", below, top) == "unit_no_cycle"
    assert refused("UPDATE unit_version SET valid = daterange(local_today() - 9, NULL) WHERE unit_id = %s", below) == "unit_parent_there"
    run("UPDATE unit_version SET valid = daterange(local_today() - 9, NULL) WHERE unit_id = %s", top)
    twice = "INSERT INTO unit_version (unit_id, valid, code, name, kind, is_active) VALUES (%s, daterange(local_today() - 20, local_today() - 8), 'x', 'x', 'bidang', true)"
    assert refused(twice, top) == "unit_version_no_overlap"
    assert refused("DELETE FROM unit_version WHERE unit_id = %s", top) == "unit_parent_there"
    assert_whole(run)


def test_an_agency_has_one_root_at_a_time(run, make, refused):
    old, new = make.unit(), make.unit()
    run("UPDATE unit SET agency = '8302' WHERE id = %s", old)
    assert refused("UPDATE unit SET agency = '8302' WHERE id = %s", new) == "unit_version_one_root"
    assert refused("UPDATE unit SET agency = '8302' WHERE id = %s", make.unit(new)) == "unit_agency_of_root"
    run("UPDATE unit SET is_active = false, closed_on = local_today() WHERE id = %s", old)
    run("UPDATE unit SET agency = '8302' WHERE id = %s", new)


def test_what_is_told_otherwise_is_kept_aside(run, make):
    unit = make.unit()
    run("UPDATE unit SET name = 'Nama Lain' WHERE id = %s", unit)
    assert run("SELECT name FROM unit_version WHERE unit_id = %s", unit) == [("Nama Lain",)]
    assert run("SELECT name FROM unit_version_before WHERE unit_id = %s", unit) == [("Unit Uji",)]


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
