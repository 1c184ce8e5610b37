# SPDX-License-Identifier: Apache-2.0
"""Whose training it is: everybody reads, a key of some units writes what is theirs, and what is nobody's is written by keys that see all units."""
import re

import pytest

from support import contract as contracts, make

FILES = ("training.sql", "hours.sql", "effect.sql", "budget.sql", "partner.sql", "enrolment.sql", "attendance.sql", "needs.sql")
# Anonymous answers, by a token.
OF_NOBODY = {"answerReaction", "answerBehaviour"}


@pytest.fixture(scope="module")
def two(api, keys, office):
    """Our unit and theirs, with a key that sees ours, and a session of the programme that people can be put into."""
    theirs = make.unit(api, kind="badan")
    return {"ours": office["id"], "theirs": theirs["id"], "client": api.as_key(keys("admin", units=(office["code"],)))}


def bodies(api):
    """What is made where; the rest is told by the case."""
    programme, partner = make.programme(api)["id"], make.partner(api)["id"]
    return {
        "programmes": lambda: {"code": f"O{make.number()}", "name": f"Program {make.number()}", "form": "B3", "family": "teknis", "jp": 8, "organiser": "Uji"},
        "sessions": lambda: {"programme_id": programme, "title": "Angkatan", "capacity": 5, **make.days(60)},
        "partners": lambda: {"name": f"Mitra {make.number()}", "kind": "university"},
        "agreements": lambda: {"partner_id": partner, "kind": "pks", "title": "Kerja sama", "number_ours": f"9/{make.number()}", "signed_on": "2026-01-02",
                               "starts_on": "2026-01-02", "ends_on": "2030-12-31"},
        "activities": lambda: {"partner_id": partner, "kind": "seminar", "title": "Kegiatan", "starts_on": "2026-03-02", "ends_on": "2026-03-04"},
        "budget-lines": lambda: {"programme_id": programme, "year": 2026, "source": "apbd", "account": f"5.{make.number()}", "planned": 1000},
    }


THINGS = ("programmes", "sessions", "partners", "agreements", "activities", "budget-lines")
PATCHES = {"programmes": {"target": "Semua"}, "sessions": {"title": "Angkatan lain"}, "partners": {"contact": "Biro"}, "agreements": {"title": "Judul lain"},
           "activities": {"title": "Judul lain"}, "budget-lines": {"planned": 2000}}


@pytest.mark.parametrize("what", THINGS)
def test_a_bound_key_writes_what_is_of_its_units(what, api, two):
    client, body = two["client"], bodies(api)[what]
    below = make.unit(api, two["ours"])["id"]
    for unit in (two["ours"], below):
        made = client.post(f"/v1/{what}", {**body(), "organiser_unit_id": unit}, expect=201).json
        assert made["organiser_unit_id"] == unit
        assert client.patch(f"/v1/{what}/{made['id']}", PATCHES[what], etag="*").json["organiser_unit_id"] == unit
    assert client.patch(f"/v1/{what}/{made['id']}", {"organiser_unit_id": two["theirs"]}, etag="*", expect=422).faults == {"/organiser_unit_id": "reference-missing"}
    assert client.patch(f"/v1/{what}/{made['id']}", {"organiser_unit_id": None}, etag="*", expect=403).code == "forbidden"
    assert api.patch(f"/v1/{what}/{made['id']}", {"organiser_unit_id": two["theirs"]}, etag="*").json["organiser_unit_id"] == two["theirs"]
    client.patch(f"/v1/{what}/{made['id']}", PATCHES[what], etag="*", expect=403)


@pytest.mark.parametrize("what", THINGS)
def test_it_makes_nothing_of_others(what, api, two):
    body = bodies(api)[what]
    assert two["client"].post(f"/v1/{what}", {**body(), "organiser_unit_id": two["theirs"]}, expect=422).faults == {"/organiser_unit_id": "reference-missing"}
    reply = two["client"].post(f"/v1/{what}", body(), expect=403)
    assert (reply.code, reply.faults) == ("forbidden", {"/organiser_unit_id": "forbidden"}) and "one of its units" in reply.json["detail"]
    assert api.post(f"/v1/{what}", body(), expect=201).json["organiser_unit_id"] is None
    assert api.post(f"/v1/{what}", {**body(), "organiser_unit_id": contracts_id()}, expect=422).faults == {"/organiser_unit_id": "reference-missing"}


def contracts_id():
    return "01900000-0000-7000-8000-00000000dead"


@pytest.mark.parametrize("whose", ["theirs", "nobody"])
@pytest.mark.parametrize("what", THINGS)
def test_it_reads_all_and_changes_nothing_of_others(what, whose, api, two):
    made = api.post(f"/v1/{what}", {**bodies(api)[what](), "organiser_unit_id": two.get(whose)}, expect=201).json
    path, client = f"/v1/{what}/{made['id']}", two["client"]
    reply = client.patch(path, PATCHES[what], etag="*", expect=403)
    assert reply.code == "forbidden" and "another unit" in reply.json["detail"]
    client.patch(path, PATCHES[what], etag='"77"', expect=403)
    assert client.get(path).json == api.get(path).json == made


def parts(session, programme, activity, line):
    """What hangs on them: method, path, body."""
    taker, output = activity
    return {
        "cancel": ("POST", f"/v1/sessions/{session}/cancel", {"reason": "Uji"}),
        "days": ("PUT", f"/v1/sessions/{session}/days", {"days": []}),
        "quotas": ("PUT", f"/v1/sessions/{session}/quotas", {"quotas": []}),
        "terms": ("PUT", f"/v1/sessions/{session}/terms", {"amount": 2}),
        "effect-plan": ("PUT", f"/v1/programmes/{programme}/effect-plan", {"reaction_days": 7, "behaviour_months": 6, "behaviour_days": 30, "peers": 3}),
        "participant": ("POST", f"/v1/activities/{taker['activity_id']}/participants", {"name": "Orang Luar", "institution": "Uji"}),
        "participant-out": ("DELETE", f"/v1/activities/{taker['activity_id']}/participants/{taker['id']}", None),
        "output": ("POST", f"/v1/activities/{taker['activity_id']}/outputs", {"kind": "report", "title": "Laporan"}),
        "output-out": ("DELETE", f"/v1/activities/{taker['activity_id']}/outputs/{output['id']}", None),
        "expense": ("POST", f"/v1/budget-lines/{line}/expenses", {"spent_on": "2026-02-10", "amount": 5}),
    }


PARTS = ("terms", "days", "quotas", "effect-plan", "participant", "participant-out", "output", "output-out", "expense", "cancel")


@pytest.fixture(scope="module")
def hung(api, two):
    made = {}
    for whose in ("ours", "theirs", "nobody"):
        organiser = {"organiser_unit_id": two.get(whose)}
        programme = make.programme(api, **organiser)["id"]
        activity = make.activity(api, make.partner(api)["id"], **organiser)["id"]
        made[whose] = parts(make.session(api, programme, start=60, **organiser)["id"], programme, (make.participant(api, activity), make.output(api, activity)),
                            make.budget_line(api, programme, **organiser)["id"])
    return made


@pytest.mark.parametrize("part", PARTS)
def test_what_hangs_on_it_follows(part, two, hung, sql):
    tables = ("session_day", "session_quota", "session_term", "effect_plan", "activity_participant", "activity_output", "expense", "session")
    whole = "SELECT " + ", ".join(f"(SELECT array_agg({t} ORDER BY {t}::text)::text FROM {t})" for t in tables)
    for whose in ("theirs", "nobody"):
        method, path, body = hung[whose][part]
        before = sql(whole)
        reply = two["client"](method, path, json=body, headers={"If-Match": "*"} if method == "PUT" else None, expect=403)
        assert reply.code == "forbidden" and sql(whole) == before
    method, path, body = hung["ours"][part]
    two["client"](method, path, json=body, headers={"If-Match": "*"} if method == "PUT" else None, expect=(200, 201, 204))


def test_money_is_committed_by_whose_it_is(api, two):
    client, organiser = two["client"], {"organiser_unit_id": two["ours"]}
    programme = make.programme(api, **organiser)["id"]
    line = {whose: make.budget_line(api, programme, organiser_unit_id=two.get(whose))["id"] for whose in ("ours", "theirs", "nobody")}
    session = make.session(api, programme, **organiser)["id"]
    body = {"partner_id": make.partner(api)["id"], "kind": "seminar", "title": "Kegiatan", "starts_on": "2026-03-02", "ends_on": "2026-03-04", **organiser}
    for whose in ("theirs", "nobody"):
        assert client.put(f"/v1/sessions/{session}/terms", {"cost_per_head": 5, "budget_line_id": line[whose]}, etag="*", expect=403).faults == {"/budget_line_id": "forbidden"}
        assert client.post("/v1/activities", {**body, "budget_line_id": line[whose]}, expect=403).faults == {"/budget_line_id": "forbidden"}
    client.put(f"/v1/sessions/{session}/terms", {"cost_per_head": 5, "budget_line_id": line["ours"]}, etag="*")
    made = client.post("/v1/activities", {**body, "budget_line_id": line["ours"]}, expect=201).json
    api.patch(f"/v1/activities/{made['id']}", {"budget_line_id": line["theirs"]}, etag="*")
    assert client.patch(f"/v1/activities/{made['id']}", {"title": "Tetap"}, etag="*").json["budget_line_id"] == line["theirs"], "what it was given may stay"


def test_numbers_of_certificates_are_set_by_who_sees_all(api, two):
    rule = {"number_pattern": "{seq:4}/UJI/{year}", "agency": "BKPSDM Uji", "place": "Mamuju", "signatory": "Kepala Uji", "signatory_position": "Kepala"}
    assert two["client"].put("/v1/certificate-rules/2031-01-01", rule, expect=403).code == "forbidden"
    api.put("/v1/certificate-rules/2031-01-01", rule)


def test_every_write_of_training_asks_whose_it_is():
    blocks = {}
    for name in FILES:
        text = (contracts.ROOT / "src" / "training" / name).read_text()
        for block in re.split(r"^-- name: ", text, flags=re.M)[1:]:
            blocks[block.split()[0]] = block
    writes = [o.id for o in contracts.load().operations.values() if o.is_write and any(b == o.id or b.startswith(o.id + ".") for b in blocks)]
    assert len(writes) > 30
    assert [w for w in writes if w not in OF_NOBODY and not any(":actor_units" in t for b, t in blocks.items() if b == w or b.startswith(w + "."))] == []
