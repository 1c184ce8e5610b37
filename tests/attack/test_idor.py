# SPDX-License-Identifier: Apache-2.0
"""Every address that an all-seeing key finds, asked for with a key of another office: nothing is there, nothing can be changed, nobody is named."""
import io
import re
import zipfile
from urllib.parse import quote

import pytest

from support import contract as contracts, sample
from support.client import XLSX
from support.wire import request

CONTRACT = contracts.load()
READS = [o for o in CONTRACT.operations.values() if o.method == "get" and o.scopes is not None]
WRITES = [o for o in CONTRACT.operations.values() if o.is_write and o.scopes is not None and o.where("path")]
EACH = 12  # of one sort of thing, that many are asked for

# What belongs to the regency and no office: whoever has the scope sees it. Rows about people are the caller's all the same.
SHARED = {
    "listDataQualityPersons", "listReferences", "listDue", "listRecap", "listOutcomePeople", "getPeriod", "listPeriodDue", "listPeriodHandovers", "getKpi", "updateKpi",
    "getProcessingActivity",
    "getPartner", "updatePartner", "getAgreement", "updateAgreement", "getActivity", "updateActivity", "listActivityParticipants", "addActivityParticipant",
    "removeActivityParticipant", "listActivityOutputs", "addActivityOutput", "removeActivityOutput", "getBudgetLine", "updateBudgetLine", "listExpenses",
    "createExpense", "getSessionTerms", "putSessionTerms", "getProgramme", "updateProgramme", "getSession", "updateSession", "cancelSession", "getSessionDays",
    "putSessionDays", "getSessionQuotas", "putSessionQuotas", "createNomination", "listAttendance", "noteAttendance", "issueCertificates", "putCertificateRule",
    "getEffectPlan", "putEffectPlan", "getProgrammeReaction", "getProgrammeLearning", "getProgrammeBehaviour", "getTrainingEffectPeople",
    "listTrainingEffectPeople", "getTrainingEffectUnits", "listTrainingEffectUnits", "getSessionReaction", "getSessionLearning", "getSessionBehaviour",
    "getCompetencyStandard", "updateCompetencyStandard",
}

# A number can be given once in the regency, so that giving it again is refused whoever has it; and If-Match holds for nothing that is not there.
TAKEN = {("putAsn", "nip-taken"), ("putAsn", "version-stale"), ("putAsnByExternal", "external-id-taken"), ("putAsnByExternal", "version-stale")}


def rows(value):
    """All objects in a reply, from outside in."""
    if isinstance(value, dict):
        yield value
        for member in value.values():
            yield from rows(member)
    elif isinstance(value, list):
        for member in value:
            yield from rows(member)


def fill(operation, values):
    return re.sub(r"\{(\w+)\}", lambda m: quote(str(values[m.group(1)]), safe=""), operation.path)


def harvest(api, world, own):
    """Parameter of a path → what replies named that fits there, but for what is the stranger's own."""
    found = {}

    def note(parameter, value):
        if isinstance(value, (str, int)) and value not in own and value not in found.setdefault(parameter, []) and len(found[parameter]) < EACH:
            found[parameter].append(value)
    for operation in READS:
        if "application/json" not in operation.success_types() or any(p["name"] not in world for p in operation.where("path")):
            continue
        reply = api("GET", fill(operation, world) + sample.required_query(operation), checked=False)
        if reply.status != 200:
            continue
        below = [o for o in CONTRACT.operations.values() if re.fullmatch(re.escape(operation.path) + r"/\{\w+\}", o.path)]
        for row in rows(reply.json):
            for name, value in row.items():
                if name in world and not isinstance(world[name], dict):
                    note(name, value)
            for child in below:
                name = re.findall(r"\{(\w+)\}", child.path)[-1]
                note(name, row.get(name, row.get("id")))
    return found


@pytest.fixture(scope="module")
def found(api, world, stranger):
    caller = stranger.get("/v1/caller").json
    return harvest(api, world, {caller["id"], *(u["id"] for u in caller["units"]), *(p["nip"] for p in stranger.get("/v1/asn").json["data"])})


def targets(operations, world, found):
    """(operation, path): each with the world's values, and in the last parameter each value that was found."""
    for operation in operations:
        names = [p["name"] for p in operation.where("path")]
        base = {n: world.get(n, next(iter(found.get(n, ())), None)) for n in names}
        if None in base.values():
            continue
        if not names:
            yield operation, operation.path
            continue
        for name in {names[0], names[-1]}:
            for value in {base[name], *found.get(name, ())}:
                yield operation, fill(operation, {**base, name: value})


@pytest.fixture(scope="module")
def secrets(sql, stranger):
    """Numbers and names of all people and units that the stranger may not see, as bytes that must not be in what he is given."""
    own = [u["id"] for u in stranger.get("/v1/caller").json["units"]]
    people = sql("SELECT a.nip, a.name FROM asn a JOIN unit u ON u.id = a.unit_id WHERE NOT u.path <@ ANY (SELECT path FROM unit WHERE id::text = ANY (%s))", (own,))
    assert len(people) > 20
    return {text.encode() for person in people for text in person} | {b"Dinas Rahasia"}


def told(replies, secrets, asked):
    """Where a reply names what it should not: what the address or the query itself said is only given back."""
    found = []
    for (operation, target), reply in zip(asked, replies):
        names = sorted(s for s in secrets if s in reply.body and s not in target.encode())
        if names:
            found.append((operation.id, target, reply.status, names[:3]))
    return found


@pytest.fixture(scope="module")
def ask(wire, stranger):
    """The stranger's replies to (operation, target)."""
    def asked(targets_, accept=None):
        sent = []
        for operation, target in targets_:
            body = sample.sample_body(operation)[1] if operation.is_write else b""
            more = {"Prefer": "dry-run", **{k.replace("-", "_"): v for k, v in sample.headers(operation).items()}} if operation.is_write else {}
            sent.append(request(operation.method.upper(), target, body or b"", Authorization=f"Bearer {stranger.key}", Accept=accept, **more))
        return wire.ask(sent)
    return asked


def query(asked):
    return [(o, path + sample.required_query(o)) for o, path in asked]


def test_nothing_of_another_office_is_there_to_read(world, found, ask, secrets):
    asked = query(targets(READS, world, found))
    replies = ask(asked)
    assert len(asked) > 500 and told(replies, secrets, asked) == []
    open_ = {(o.id, t, r.status) for (o, t), r in zip(asked, replies) if o.where("path") and o.id not in SHARED and r.status not in (403, 404)}
    assert open_ == set()


def test_nothing_of_another_office_can_be_changed(world, found, ask, secrets):
    asked = query(targets(WRITES, world, found))
    replies = ask(asked)
    assert told(replies, secrets, asked) == []
    done = {(o.id, t, r.status, r.code) for (o, t), r in zip(asked, replies)
            if o.id not in SHARED and (o.id, r.code) not in TAKEN and r.status not in (403, 404)}
    assert done == set()


@pytest.mark.parametrize("form", ["text/csv", "application/x-ndjson", XLSX])
def test_no_export_names_another_office(form, world, ask, secrets):
    asked = query((o, fill(o, world)) for o in READS if form in o.success_types() and all(p["name"] in world for p in o.where("path")))
    assert len(asked) > 10
    replies = ask(asked, accept=form)
    for reply in replies:
        if form == XLSX and reply.status == 200:
            book = zipfile.ZipFile(io.BytesIO(reply.body))
            reply.body = b"".join(book.read(name) for name in book.namelist())
    assert told(replies, secrets, asked) == []


def test_a_filter_by_what_is_anothers_tells_nothing(world, found, ask, secrets):
    """Its id is as unknown as one that nothing has."""
    asked = []
    for operation in READS:
        for parameter in operation.where("query"):
            name = parameter["name"]
            values = [world["unit_id"]] if name in ("under", "parent_id") else list(found.get(name, ()))[:3]
            if all(p["name"] in world for p in operation.where("path")) and not parameter.get("required"):
                needed = sample.required_query(operation)
                asked += [(operation, f"{fill(operation, world)}{needed}{'&' if needed else '?'}{name}={quote(str(v), safe='')}") for v in values]
    assert len(asked) > 100
    replies = ask(asked)
    assert told(replies, secrets, asked) == []
    assert {reply.status for reply in replies} <= {200, 400, 403, 404, 422}
