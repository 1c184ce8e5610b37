# SPDX-License-Identifier: Apache-2.0
"""Whatever a list's parameter refers to must be there: an id or code that nothing has is told by the parameter's name, not by an empty page."""
import uuid
from urllib.parse import quote

import pytest

from support import contract as contracts
from support import make
from test_matrix import NOBODY, required_query

CONTRACT = contracts.load()
TABLE = CONTRACT.document["x-references"]
NOWHERE = str(uuid.UUID("0190ffff-ffff-7fff-bfff-ffffffffffff"))


def is_list(operation):
    success = CONTRACT.resolve(operation.spec["responses"].get("200", {}))
    schema = CONTRACT.resolve(success.get("content", {}).get("application/json", {}).get("schema", {}))
    return operation.method == "get" and "data" in schema.get("properties", {})


LISTS = [o for o in CONTRACT.operations.values() if is_list(o)]


def entry(operation, name):
    return TABLE.get(f"{operation.id}.{name}", TABLE.get(name))


def looks_like_one(parameter):
    schema = CONTRACT.resolve(parameter["schema"])
    return schema.get("format") == "uuid" or schema.get("pattern") == "^[0-9]{18}$"


ASKED = [(o, p["name"]) for o in LISTS for p in o.where("query") if entry(o, p["name"])]
WAYS = [(o, p["name"]) for o in LISTS for p in o.where("path") if entry(o, p["name"]) and "enum" not in CONTRACT.resolve(p["schema"])]


def pairs(cases):
    return pytest.mark.parametrize("operation, name", cases, ids=[f"{o.id}-{n}" for o, n in cases])


def unknown(operation, name):
    what = entry(operation, name)
    if what in ("accessOperation", "accessRole"):
        return "nothing"
    return "Z/z" if isinstance(what, dict) or what == "code" else NOBODY["nip"] if what in ("person", "officer", "assessor", "superior", "respondent") else NOWHERE


def filled(operation, world):
    return operation.fill({p["name"]: str(world.get(p["name"], NOBODY.get(p["name"], NOWHERE))) for p in operation.where("path")})


def client(operation, api, world, anonymous):
    return anonymous if operation.scopes is None else api


def test_everything_that_looks_like_a_reference_is_one():
    """A new list with a parameter that names a record must say in x-references whose id it is."""
    lacking = [(o.id, p["name"]) for o in LISTS for p in o.where("query") + o.where("path") if looks_like_one(p) and not entry(o, p["name"])]
    assert not lacking


def test_whatever_a_path_of_a_list_names_is_a_reference():
    """Codes and years too: of what nothing has, a list would be 200 and nobody."""
    assert [(o.id, p["name"]) for o in LISTS for p in o.where("path") if not entry(o, p["name"]) and "enum" not in CONTRACT.resolve(p["schema"])] == []


@pairs(ASKED)
@pytest.mark.parametrize("form", [None, "text/csv"])
def test_what_nothing_has_is_named(operation, name, form, api, world, anonymous):
    if form and form not in operation.success_types():
        form = None
    rest = required_query(operation)
    path = filled(operation, world) + (f"{rest}&" if rest else "?") + f"{name}={quote(unknown(operation, name), safe='')}"
    reply = client(operation, api, world, anonymous)("GET", path, headers={"Accept": form} if form else {}, expect=422)
    code = "code-unknown" if isinstance(entry(operation, name), dict) else "reference-missing"
    assert reply.faults == {name: code} and reply.code == code, reply.json
    assert reply.json["errors"][0]["value"] == unknown(operation, name)


@pairs(WAYS)
def test_a_way_that_leads_nowhere_is_404(operation, name, api, world, anonymous):
    known = {p["name"]: str(world.get(p["name"], NOBODY.get(p["name"], NOWHERE))) for p in operation.where("path")}
    path = operation.fill({**known, name: NOBODY.get(name, "not-there" if name == "list" else NOWHERE)}) + required_query(operation)
    assert client(operation, api, world, anonymous)("GET", path, expect=404).code == "not-found"


ANY = {("computeWorkingDays", "from")}  # a day is there without anybody having made it
SINGLES = [(o, p["name"]) for o in CONTRACT.operations.values() for p in o.where("path")
           if o.method == "get" and o not in LISTS and o.scopes is not None and "enum" not in CONTRACT.resolve(p["schema"]) and (o.id, p["name"]) not in ANY]


@pairs(SINGLES)
def test_each_part_of_a_way_must_be_there(operation, name, api, world):
    """The rest of the way is known."""
    known = {p["name"]: str(world.get(p["name"], NOBODY.get(p["name"], NOWHERE))) for p in operation.where("path")}
    path = operation.fill({**known, name: NOBODY.get(name, NOWHERE)}) + required_query(operation)
    assert api("GET", path, expect=404).code == "not-found"


@pairs([(o, n) for o, n in ASKED if n in ("under", "unit_id", "nip", "session_id", "period_id", "partner_id", "service_unit_id", "programme_id")
        and (o.id, n) not in {("listPublishedSurveys", "service_unit_id")}])
def test_what_is_there_is_taken(operation, name, api, world):
    rest = required_query(operation)
    api.get(filled(operation, world) + (f"{rest}&" if rest else "?") + f"{name}={world['unit_id' if name == 'under' else name]}", expect=200)


CODES = [("legal_status=01,Z", "legal_status", "Z", None), ("legal_status=Aktif", "legal_status", "Aktif", "01"), ("rank=iii/a", "rank", "iii/a", "III/a"),
         ("rank_min=III/e", "rank_min", "III/e", "III/a"), ("education_level=S-1", "education_level", "S-1", "40")]


@pytest.mark.parametrize("query, name, value, meant", CODES)
def test_of_a_code_what_may_have_been_meant(query, name, value, meant, api):
    reply = api.get(f"/v1/asn?{query}", expect=422)
    [fault] = reply.json["errors"]
    assert (fault["parameter"], fault["code"], fault["value"], fault.get("suggestion")) == (name, "code-unknown", value, meant)


def test_all_that_is_missing_is_told_at_once(api):
    reply = api.get(f"/v1/asn?under={NOWHERE}&rank=X/x&legal_status=Q1", expect=422)
    assert reply.faults == {"under": "reference-missing", "rank": "code-unknown", "legal_status": "code-unknown"}


def test_out_of_sight_is_as_unknown_as_never_given_out(api, keys, office):
    other = make.unit(api, kind="dinas")
    below = make.unit(api, office["id"])
    person = make.person(api, other["id"])
    theirs = api.as_key(keys("asn.read", "unit.read", "training.read", units=(below["code"],)))
    assert theirs.get(f"/v1/asn?under={other['id']}", expect=422).faults == {"under": "reference-missing"}
    assert theirs.get(f"/v1/enrolments?nip={person['nip']}", expect=422).faults == {"nip": "reference-missing"}
    # What lies above is seen by its own part.
    assert theirs.get(f"/v1/asn?under={office['id']}", expect=200).json["data"] == []


def test_an_officer_who_has_gone_is_found_by_his_tickets(api, keys, office):
    elsewhere = make.unit(api, kind="dinas")
    counter = make.service_unit(api, office["id"]) if not api.get(f"/v1/service-units?under={office['id']}").json["data"] else api.get(f"/v1/service-units?under={office['id']}").json["data"][0]
    service = make.service(api, counter["id"])
    officer = make.person(api, office["id"])["nip"]
    made = make.ticket(api, service["id"])
    api.post(f"/v1/tickets/{made['id']}/call", {}, expect=200)
    api.post(f"/v1/tickets/{made['id']}/start", {"nip": officer}, expect=200)
    api.patch(f"/v1/asn/{officer}", {"unit_id": elsewhere["id"]}, etag="*")
    theirs = api.as_key(keys("service.read", units=(office["code"],)))
    assert [t["id"] for t in theirs.get(f"/v1/tickets?nip={officer}").json["data"]] == [made["id"]]


def test_an_old_number_finds_the_person(api, office):
    person, later = make.person(api, office["id"]), make.nip()
    make.history(api, person["nip"], "nip", {"nip": later}, "2020-01-01")
    for number in (person["nip"], later):
        api.get(f"/v1/enrolments?nip={number}", expect=200)
