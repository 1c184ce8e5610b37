# SPDX-License-Identifier: Apache-2.0
"""Whose rows: a key for one office sees and changes that office and what is below it; everything else is not there (404), not forbidden."""
import threading

import pytest

from support import make, postgres


@pytest.fixture(scope="module")
def two(api, keys):
    """Two offices with a person and an enrolment each, and a key for the first."""
    made = {}
    session = make.session(api, start=60)
    for name in ("ours", "theirs"):
        office = make.unit(api, kind="dinas")
        below = make.unit(api, office["id"])
        person = make.person(api, below["id"])
        made[name] = {"office": office, "below": below, "person": person, "enrolment": make.enrol(api, session["id"], person["nip"])}
    made["session"] = session
    made["client"] = api.as_key(keys("admin", units=(made["ours"]["office"]["code"],)))
    return made


def paths(side):
    return {"unit": f"/v1/units/{side['office']['id']}", "unit-below": f"/v1/units/{side['below']['id']}", "person": f"/v1/asn/{side['person']['nip']}",
            "hours": f"/v1/asn/{side['person']['nip']}/learning-hours", "enrolment": f"/v1/enrolments/{side['enrolment']['id']}"}


@pytest.mark.parametrize("what", ["unit", "unit-below", "person", "hours", "enrolment"])
def test_what_is_theirs_is_not_there(what, two):
    two["client"].get(paths(two["ours"])[what])
    two["client"].get(paths(two["theirs"])[what], expect=404)


def test_lists_hold_only_ours(two):
    client = two["client"]
    assert {u["id"] for u in client.get("/v1/units?limit=1000").json["data"]} == {two["ours"]["office"]["id"], two["ours"]["below"]["id"]}
    assert {p["nip"] for p in client.get("/v1/asn?limit=1000").json["data"]} == {two["ours"]["person"]["nip"]}
    assert {e["nip"] for e in client.get(f"/v1/enrolments?session_id={two['session']['id']}").json["data"]} == {two["ours"]["person"]["nip"]}
    assert client.get("/v1/asn?count=exact").json["page"]["count"] == 1
    assert client.get(f"/v1/asn?under={two['theirs']['office']['id']}", expect=422).faults == {"under": "reference-missing"}
    assert two["theirs"]["person"]["nip"] not in client.get("/v1/asn", headers={"Accept": "text/csv"}).text


CHANGES = {
    "change-a-unit": lambda c, t: c.patch(paths(t)["unit"], {"name": "Milik kami"}, etag='"1"', expect=404),
    "change-a-person": lambda c, t: c.patch(paths(t)["person"], {"name": "Milik kami"}, etag='"1"', expect=404),
    "cancel-an-enrolment": lambda c, t: c.post(paths(t)["enrolment"] + "/cancel", expect=404),
    "enrol-a-person": lambda c, t: c.post("/v1/enrolments", {"session_id": c.get("/v1/sessions?limit=1").json["data"][0]["id"], "nip": t["person"]["nip"]}, expect=422),
    "hire-into-a-unit": lambda c, t: c.post("/v1/asn", {"nip": make.nip(), "kind": "PNS", "name": "X", "unit_id": t["office"]["id"]}, expect=422),
    "unit-below-a-unit": lambda c, t: c.post("/v1/units", {"code": "Z1", "name": "X", "kind": "bidang", "parent_id": t["office"]["id"]}, expect=422),
    "a-root": lambda c, t: c.post("/v1/units", {"code": "Z2", "name": "X", "kind": "bidang"}, expect=422),
}


@pytest.mark.parametrize("what", CHANGES.keys())
def test_what_is_theirs_is_not_changed(what, two, sql):
    before = sql("SELECT (SELECT array_agg(u ORDER BY id)::text FROM unit u), (SELECT array_agg(a ORDER BY id)::text FROM asn a)")
    CHANGES[what](two["client"], two["theirs"])
    assert sql("SELECT (SELECT array_agg(u ORDER BY id)::text FROM unit u), (SELECT array_agg(a ORDER BY id)::text FROM asn a)") == before


def test_nothing_is_moved_out_of_sight_or_in_from_there(two, api):
    client, ours, theirs = two["client"], two["ours"], two["theirs"]
    person = make.person(api, ours["below"]["id"])
    client.patch(f"/v1/asn/{person['nip']}", {"unit_id": theirs["office"]["id"]}, etag=f'"{person["version"]}"', expect=422)
    client.patch(f"/v1/units/{ours['below']['id']}", {"parent_id": theirs["office"]["id"]}, etag=f'"{ours["below"]["version"]}"', expect=422)
    client.patch(f"/v1/units/{ours['below']['id']}", {"parent_id": None}, etag=f'"{ours["below"]["version"]}"', expect=422)


def test_the_office_that_the_key_names_may_move(two, api, keys):
    """Rights follow the unit, not the place where it once stood."""
    top = make.unit(api, kind="dinas")
    moving = make.unit(api, kind="bidang")
    client = api.as_key(keys("admin", units=(moving["code"],)))
    client.get(f"/v1/units/{moving['id']}")
    api.patch(f"/v1/units/{moving['id']}", {"parent_id": top["id"]}, etag=f'"{moving["version"]}"')
    client.get(f"/v1/units/{top['id']}", expect=404)
    fresh = api.as_key(keys("admin", "unit.read", units=(moving["code"],)))
    fresh.get(f"/v1/units/{moving['id']}")


def test_who_is_out_of_sight_after_the_wait_is_not_acted_on(two, api, database):
    """Somebody holds the session and moves the person away; the action that waited for the session sees where the person is then."""
    client, ours, theirs = two["client"], two["ours"], two["theirs"]
    person = make.person(client, ours["below"]["id"])
    session = make.session(api, start=200)
    enrolment = make.enrol(client, session["id"], person["nip"])
    statuses = []
    waiting = threading.Thread(target=lambda: statuses.append(client.post(f"/v1/enrolments/{enrolment['id']}/cancel", expect=None).status))
    with postgres.connected(database, autocommit=False) as holder, holder.cursor() as cursor:
        cursor.execute("SELECT FROM session WHERE id = %s FOR UPDATE", (session["id"],))
        cursor.execute("UPDATE asn SET unit_id = %s WHERE nip = %s", (theirs["below"]["id"], person["nip"]))
        waiting.start()
        postgres.until_somebody_waits(database)
        holder.commit()
    waiting.join()
    assert statuses == [404]
