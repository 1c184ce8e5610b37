# SPDX-License-Identifier: Apache-2.0
"""The matrix of access.yaml, held against the daemon: every operation, every role, and a subject that is the caller's own, led by him, his chief, of his units, assessed
by him, of his agency, of another agency, and nobody. What is read here from the file by itself must be what HTTP answers and what explainAccess says."""
import json
import re
import time
import uuid

import pytest
import yaml

from support import contract as contracts, daemon as daemons, make
from support.client import Client
from support.issuer import Issuer
from support.matrix import INTEGRATOR, PLACES, Matrix, fields_of, members
from test_matrix import nowhere, required_query, sample_body

TAKES_LONG = True
CONTRACT = contracts.load()
MATRIX = Matrix()
ROLES = [r for r, facts in MATRIX.roles.items() if facts.get("gives")]
SECURED = [o for o in CONTRACT.operations.values() if o.scopes]
MISSING = {"nip": "199912312022031998"}
NOWHERE = "0190ffff-ffff-7fff-bfff-ffffffffffff"


@pytest.fixture(scope="module")
def issuer():
    made = Issuer()
    yield made
    made.close()


def oidc(issuer):
    roles = ",".join(f"{r}=role:{r}" for r in ROLES)
    return {"oidc_issuer": issuer.url, "oidc_audience": "asnd", "oidc_roles": roles}


@pytest.fixture(scope="module")
def settings(issuer):
    return oidc(issuer)


# ── who there is ──

def head_of(api, nip, unit, since="2020-01-01", **facts):
    facts = {"assignment": "definitive", **facts}
    return make.history(api, nip, "position", {"position_kind": "struktural", "position": f"Kepala {unit['name']}", "unit_id": unit["id"], **facts}, since)


def agreed(api, nip, period, assessor):
    """An approved SKP, a result and its indicator; serving a result of the assessor's own SKP of that year, if he has one."""
    if not assessor:
        skp, results, indicators = make.agreed(api, nip, period["id"])
        return skp, results[0], indicators[0]
    above = api.get(f"/v1/skps?nip={assessor}&period_id={period['id']}").json["data"][0]
    served = api.get(f"/v1/skps/{above['id']}/results").json["data"][0]
    skp = make.skp(api, nip, period["id"], assessor_nip=assessor)
    result = make.result(api, skp["id"], superior_result_id=served["id"], cascade="langsung")
    indicator = make.planned(api, skp["id"], result["id"])
    make.act_skp(api, skp["id"], "propose")
    return make.act_skp(api, skp["id"], "approve").json, result, indicator


def records(api, person, periods, assessor):
    """One of each kind that leads to this person, and what hangs on it."""
    nip, unit = person["nip"], person["unit_id"]
    this_year, last_year = periods
    skp, result, indicator = agreed(api, nip, this_year, assessor)
    agreed(api, nip, last_year, assessor)
    make.siasn(api, nip)
    evaluation = make.evaluation(api, nip, this_year["id"])
    counted = make.indicator(api, evaluation["id"])
    finished = make.final(api, nip, last_year["id"])
    objection = api.post(f"/v1/evaluations/{finished['id']}/objections", {"text": "Belum dihitung"}, expect=201).json
    improvement = make.improvement(api, nip)
    check = api.get(f"/v1/improvement-plans/{improvement['id']}/checks").json["data"][0]
    handed = make.handover(api, nip)  # its days lie further back by the time the next begins
    passed = make.passed(api, unit, person_=person)
    certificate = api.post(f"/v1/enrolments/{passed['id']}/certificate", expect=201).json
    history = make.history(api, nip, "rank", {"rank": "III/a"}, "2016-04-01")
    return {"nip": nip, "history_id": history["id"], "document_id": make.document(api, nip)["id"], "request_id": make.request(api, nip)["id"], "data_request_id": make.data_request(api, nip)["id"],
            "restriction_id": make.restriction(api, nip, start="2090-01-01")["id"],
            "enrolment_id": make.enrol(api, make.session(api)["id"], nip)["id"], "certificate_id": certificate["id"],
            "external_certificate_id": make.external(api, nip)["id"], "assessment_id": make.assessment(api, nip, {"integritas": 1})["id"],
            "plan_id": make.plan(api, nip)["id"], "line": 1, "evaluation_id": evaluation["id"], "indicator_id": counted["id"], "objection_id": objection["id"],
            "skp_id": skp["id"], "result_id": result["id"], "skp_indicator_id": indicator["id"], "behaviour": "akuntabel",
            "improvement_plan_id": improvement["id"], "improvement_check_id": check["id"], "handover_id": handed["id"], "what": "skp22",
            "system": "siasn", "siasn_id": str(uuid.uuid4()), "year": 2025}


@pytest.fixture(scope="module")
def world(api):
    """A caller who heads a unit, and people around him."""
    year = make.today().year
    periods = [make.period(api, name=f"Tahun {y}", starts_on=f"{y}-01-01", ends_on=f"{y}-12-31") for y in (year, year - 1)]
    root, elsewhere = make.unit(api, kind="instansi"), make.unit(api, kind="instansi")
    office, other = make.unit(api, root["id"], kind="dinas"), make.unit(api, root["id"], kind="dinas")
    mine, beside = make.unit(api, office["id"]), make.unit(api, office["id"])
    below = make.unit(api, mine["id"], kind="seksi")
    homes = {"own": mine, "led": below, "chief": office, "near": beside, "assessed": other, "far": other, "foreign": elsewhere}
    people = {place: make.person(api, unit["id"], nik=f"76020115019000{n:02d}") for n, (place, unit) in enumerate(homes.items(), 10)}
    head_of(api, people["own"]["nip"], mine)
    head_of(api, people["chief"]["nip"], office)
    assessed_by = {"assessed": people["own"]["nip"]}
    return {"units": {"root": root, "office": office, "mine": mine, "below": below, "beside": beside, "other": other}, "people": people, "periods": periods,
            "of": {place: records(api, person, periods, assessed_by.get(place)) for place, person in people.items()}}


@pytest.fixture(scope="module")
def callers(daemon, issuer, world, api):
    """A client for each role: always the same person, and one office where units are asked; and a key for any scopes, of that office."""
    def of(role, **claims):
        claims = {"nip": world["people"]["own"]["nip"], "units": [world["units"]["office"]["code"]], "exp": int(time.time()) + 80000, **claims}
        return Client(daemon.url, issuer.token(realm_access={"roles": [role]}, **claims))
    made, held = {role: of(role) for role in ROLES}, {}

    def integrator(scopes):
        if scopes not in held:
            held[scopes] = api.as_key(make.key(api, scopes=list(scopes), unit_ids=[world["units"]["office"]["id"]])["secret"])
        return held[scopes]
    return type("Callers", (), {"of": staticmethod(of), "by": made, "integrator": staticmethod(integrator)})


# ── one request ──

def values_of(world, place):
    if place in (None, "missing"):
        return None
    return world["of"][place]


def request_of(operation, world, place):
    """Path, body and headers that ask for the place's subject; writes are tried only, or have a body that says nothing."""
    subject = MATRIX.subject(operation.id)
    values = values_of(world, place)
    in_path = subject and any(p["name"] == subject[1] for p in operation.where("path"))
    path = operation.fill({p["name"]: values.get(p["name"], NOWHERE) for p in operation.where("path")}) if values and in_path else nowhere(operation)
    path += required_query(operation)
    in_query = subject and any(p["name"] == subject[1] for p in operation.where("query"))
    if in_query and place:
        path += ("&" if "?" in path else "?") + f"{subject[1]}={(values or MISSING)['nip']}"
    headers = {"Prefer": "dry-run"} if operation.is_write else {}
    if any(p["name"] == "If-Match" for p in operation.where("header")):
        headers["If-Match"] = '"999999"'
    media_type, body = sample_body(operation)
    if media_type:
        headers["Content-Type"] = media_type
        if subject and not in_path and not in_query:
            told = {k: v for k, v in json.loads(body).items() if k != "nip"}
            body = json.dumps({**told, "nip": (values or MISSING)["nip"]} if place else told).encode()
        else:
            body = b"[]"
    return path, body, headers


def observed(client, operation, world, place):
    path, body, headers = request_of(operation, world, place)
    reply = client(operation.method.upper(), path, data=body, headers=headers, checked=False)
    if reply.status == 403 and reply.code == "own-record":
        return "own", reply
    if reply.status == 403 and reply.code == "forbidden" and re.match(r"None of your roles|Your roles give|This key lacks the scope", reply.json["detail"]):
        return "refused", reply
    subject = MATRIX.subject(operation.id)
    if reply.status == 404 or reply.status == 422 and reply.code == "reference-missing" and subject and any(subject[1] in where for where in reply.faults):
        return "hidden", reply
    return "given", reply


def places_of(operation):
    subject = MATRIX.subject(operation.id)
    if not subject:
        return (None,)
    optional = any(p["name"] == subject[1] and not p.get("required") for p in operation.where("query"))
    return (*PLACES, "missing", *((None,) if optional else ()))


def expected(operation, role, place, matrix=MATRIX):
    if place == "missing":
        return "hidden" if any(matrix.cells(operation.id, role)) else "refused"
    return matrix.expected(operation.id, role, place)


def shown_members(operation, reply):
    """name → scope of the members of its reply that have one of their own, and the rows that came."""
    media = operation.response(operation.success).get("content", {}).get("application/json", {})
    scoped = {n: m["x-scope"] for n, m in members(CONTRACT, media.get("schema", {})).items() if "x-scope" in m}
    value = reply.json if reply.status == 200 and reply.type == "application/json" and operation.method == "get" else {}
    return scoped, value.get("data", [value] if value else [])


def differences(operation, world, callers, admin, matrix=MATRIX):
    """Every way in which the daemon differs from the file, for one operation. What explainAccess says is asked for every third place, of each operation others: it goes by the
    rows that a role has there, and not by what the operation does."""
    found, turn = [], list(CONTRACT.operations).index(operation.id)
    for nth, place in enumerate(places_of(operation)):
        there, whole = observed(admin, operation, world, place)
        sees_nothing = operation.where("path") and there == "hidden" and place != "missing"
        told = {name for row in shown_members(operation, whole)[1] for name in row}
        for role, client in (*callers.by.items(), (INTEGRATOR, callers.integrator(tuple(operation.scopes)))):
            if place not in (None, "own") and not any(matrix.cells(operation.id, role)):
                continue  # refused before it is looked whom it is about
            want = expected(operation, role, place, matrix)
            got, reply = observed(client, operation, world, place)
            if role == INTEGRATOR and want == "hidden" and reply.status in (400, 422):
                got = "hidden"  # the body is judged before the statement finds nothing
            if got != want and not (sees_nothing and {got, want} == {"hidden", "given"}) and not (MATRIX.subject(operation.id) is None and got == "hidden" and want == "given"):
                found.append(f"{role}, {place}: {want} by the matrix, {got} by HTTP ({reply.status} {reply.text[:160]})")
            scopes = matrix.brought(operation.id, role, place) | set(operation.scopes)
            found += [f"{role}, {place}: {text}" for text in hidden_members(operation, reply, scopes, told)]
            if place is None or (nth + turn) % 3 == 0:
                found += [f"{role}, {place}: {text}" for text in explained(client, operation, world, role, place, want, matrix)]
    return found


def hidden_members(operation, reply, scopes, told):
    """Members with a scope of their own are there with it, if there are any to who may everything, and not without."""
    scoped, rows = shown_members(operation, reply)
    for row in rows:
        for name, scope in scoped.items():
            if (name in row) != (scope in scopes and name in told):
                yield f"{name} is {'shown' if name in row else 'hidden'}"


def explained(client, operation, world, role, place, want, matrix):
    """The same by explainAccess."""
    subject = MATRIX.subject(operation.id)
    query = f"/v1/access?operation={operation.id}"
    if subject and place:
        values = values_of(world, place) or {subject[1]: NOWHERE, **MISSING}
        query += f"&subject={values[subject[1]]}"
    told = client.get(query).json
    status = {"given": 200, "hidden": 404, "refused": 403, "own": 403}[want]
    if told["http_status"] != status or told["is_allowed"] != (want == "given"):
        yield f"explained as {told['rule']} ({told['http_status']}), {want} by the matrix"
    fields = fields_of(CONTRACT, operation)
    shown = fields & (matrix.brought(operation.id, role, place) | set(operation.scopes)) if want == "given" else set()
    if set(told["fields_shown"]) != shown or set(told["fields_hidden"]) != fields - shown:
        yield f"fields {told['fields_shown']} of {sorted(fields)} explained, {sorted(shown)} by the matrix"


@pytest.mark.parametrize("operation", SECURED, ids=[o.id for o in SECURED])
def test_the_daemon_does_what_the_matrix_says(operation, world, callers, api):
    assert differences(operation, world, callers, api) == []


def test_the_contract_and_the_matrix_have_the_same_operations():
    assert set(MATRIX.rows) == set(CONTRACT.operations)


# ── it can fail ──

WRONG = {
    "too-much": ("getAsn", lambda row: row.update(employee="all")),
    "too-little": ("getAsn", lambda row: row.pop("auditor")),
    "too-wide": ("listEvaluations", lambda row: row.update(unit_officer="agency")),
    "own-after-all": ("approveSkp", lambda row: row.pop("own")),
    "of-the-wrong-people": ("getSkp", lambda row: row.update(superior="colleagues")),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_row_is_found(name, world, callers, issuer, database, tmp_path, api):
    operation, spoil = WRONG[name]
    document = yaml.safe_load((contracts.ROOT / "access.yaml").read_text(encoding="utf-8"))
    spoil(document["operations"][operation])
    (tmp_path / "access.yaml").write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
    running = daemons.Daemon(database, name="roles-wrong", access=tmp_path / "access.yaml", **oidc(issuer))
    try:
        person, office = world["people"]["own"]["nip"], world["units"]["office"]["code"]
        clients = {r: Client(running.url, issuer.token(realm_access={"roles": [r]}, nip=person, units=[office])) for r in ROLES}
        wrong = type("Callers", (), {"by": clients, "integrator": staticmethod(lambda scopes: Client(running.url, callers.integrator(scopes).key))})
        found = differences(CONTRACT.operations[operation], world, wrong, api)
        assert found and not [line for line in found if line.startswith(INTEGRATOR)]
    finally:
        running.stop()


# ── whose rows, in lists ──

LISTS = {"unit_officer": {"own", "led", "chief", "near"}, "personnel_officer": {"own", "led", "chief", "near", "assessed", "far"},
         "training_manager": {"own", "led", "chief", "near", "assessed", "far"}, "auditor": set(PLACES)}


@pytest.mark.parametrize("role", LISTS)
def test_a_list_holds_the_rows_of_the_role(role, world, callers):
    there = {p["nip"]: place for place, p in world["people"].items()}
    rows, _ = callers.by[role].walk("/v1/asn?limit=1000")
    assert {there[r["nip"]] for r in rows if r["nip"] in there} == LISTS[role]
    in_csv = callers.by[role].get("/v1/asn", headers={"Accept": "text/csv"}).text
    assert {place for nip, place in there.items() if nip in in_csv} == LISTS[role]


def test_a_list_about_oneself_holds_nobody_else(world, callers):
    rows = callers.by["employee"].get(f"/v1/evaluations?nip={world['people']['own']['nip']}").json["data"]
    assert rows and {r["nip"] for r in rows} == {world["people"]["own"]["nip"]}
    assert callers.by["employee"].get("/v1/evaluations", expect=403).code == "forbidden"


# ── the tree of the day ──

def test_an_acting_head_leads_for_his_days(world, api, callers):
    """plt and plh, each for the days of the position; before and after them he is one of the staff."""
    nip, beside = world["people"]["far"]["nip"], world["units"]["beside"]
    near = world["people"]["near"]["nip"]
    employee = callers.of("employee", nip=nip, sub="acting")
    employee.get(f"/v1/asn/{near}", expect=404)
    for assignment in ("plt", "plh"):
        made = head_of(api, nip, beside, since="2026-01-05", assignment=assignment)
        assert "nik" not in employee.get(f"/v1/asn/{near}").json
        employee.get(f"/v1/skps/{world['of']['near']['skp_id']}")
        path = f"/v1/asn/{nip}/history/{made['id']}"
        ended = {"kind": "position", "from": "2026-01-05", "to": "2026-02-05", "facts": made["facts"], "reason": "Berakhir"}
        api.put(path, ended, etag=make.tag(api, path))
        employee.get(f"/v1/asn/{near}", expect=404)
        api.post(f"{path}/annul", {"reason": "Uji selesai"}, headers={"If-Match": make.tag(api, path)})


def test_nobody_does_for_himself_what_others_do_for_him(world, callers):
    skp = world["of"]["own"]["skp_id"]
    for role in ("superior", "personnel_officer"):
        reply = callers.by[role].post(f"/v1/skps/{skp}/approve", expect=403, headers={"If-Match": "*"})
        assert reply.code == "own-record"


# ── own: never, by every way that takes more than one person ──

def send(client, path, text):
    return client("POST", path, data=text.encode(), headers={"Content-Type": "text/csv"}, expect=200).json


def refused_of(report):
    return [(f["line"], f["column"], f["code"], f["value"]) for f in report["faults"]], report["created"] + report["updated"]


FILES = {  # operation → who sends it, where, head and the row of a person
    "importAsn": ("personnel_officer", "/v1/asn/import", "nip,kind,name,unit_code", "{nip},PNS,Nama Baru,{unit}"),
    "importHistory": ("personnel_officer", "/v1/history/import", "nip,kind,from,rank", "{nip},rank,2019-04-01,III/d"),
    "importCompetencyAssessments": ("training_manager", "/v1/competency-assessments/import", "nip,assessed_on,method,source,integritas", "{nip},2025-01-06,test,Lembaga,4"),
    "importPresence": ("personnel_officer", "/v1/presence/import", "nip,month,present", "{nip},2025-01,20"),
}
ELSEWHERE = {  # operation → the test below that holds it
    "noteAttendance": "test_nobody_notes_his_own_attendance", "issueCertificates": "test_a_session_is_certified_but_for_him_who_asks",
    "putAsnByExternal": "test_nobody_tells_himself_by_another_systems_id", "undoImport": "test_nobody_undoes_what_a_file_said_of_him",
    "mergeAsn": "test_nobody_merges_anybody_into_himself",
}
SPARED = {  # operation → why it is no bulk form of one with `own: never`
    "createAsn": "of somebody who was not there", **dict.fromkeys(("closeUnit", "mergeUnits", "splitUnit"), "of units: a decree that moves all their people"),
    **dict.fromkeys(("createPartner", "updatePartner", "createAgreement", "updateAgreement", "createActivity", "updateActivity", "addActivityOutput", "removeActivityOutput",
                     "createBudgetLine", "updateBudgetLine", "createExpense", "putSessionTerms", "createProgramme", "updateProgramme", "createSession", "updateSession",
                     "cancelSession", "putSessionDays", "putSessionQuotas", "putEffectPlan", "createCompetencyStandard", "importCompetencyStandards",
                     "updateCompetencyStandard", "putCertificateRule", "createPeriod", "updatePeriod", "setUnitPredicate", "putMeritIndex", "createKpi", "updateKpi"), "of nobody"),
    **dict.fromkeys(("addActivityParticipant", "removeActivityParticipant"), "takes part: judges nothing"), "importQuestionnaires": "forms without names",
}


def test_every_way_around_own_never_is_held_or_says_why_not():
    """Writes that need a scope of an operation with `own: never` and ask for no one person: a new one is put into one of the three."""
    guarded = {s for o in CONTRACT.operations.values() if MATRIX.rows[o.id].get("own") == "never" for s in o.scopes}
    ways = {o.id for o in SECURED if o.is_write and guarded & set(o.scopes) and not MATRIX.subject(o.id)}
    assert ways == (set(FILES) | set(ELSEWHERE) | set(SPARED)) - {"undoImport", "mergeAsn"}
    assert all(globals()[test] for test in ELSEWHERE.values())


@pytest.mark.parametrize("operation", FILES)
def test_of_a_file_ones_own_row_is_refused_and_the_others_taken(operation, world, callers, api, keys):
    role, path, head, row = FILES[operation]
    office, nips = world["units"]["mine"], [world["people"]["own"]["nip"], make.person(api, world["units"]["mine"]["id"])["nip"]]
    text = "\n".join([head, *(row.format(nip=nip, unit=office["code"]) for nip in nips)]) + "\n"
    before = api.get(f"/v1/asn/{nips[0]}").json
    assert refused_of(send(callers.by[role], path, text)) == ([(2, "nip", "own-record", nips[0])], 1)
    assert api.get(f"/v1/asn/{nips[0]}").json == before
    # A key is nobody in person, and whoever else he is types it in for him. (Tried only: the rows of others go on from here.)
    key = api.as_key(keys(*CONTRACT.operations[operation].scopes, "asn.read"))
    tried = key("POST", path, data=text.encode(), headers={"Content-Type": "text/csv", "Prefer": "dry-run"}, expect=200).json
    faults, stored = refused_of(tried)
    assert faults == [] and stored >= 1


def test_nobody_notes_his_own_attendance(world, callers, api):
    session, mine = make.session(api, start=-3, length=4), make.person(api, world["units"]["mine"]["id"])["nip"]
    make.enrol(api, session["id"], mine)
    body = {"day": session["starts_on"], "entries": [{"nip": mine, "presence": "present"}]}
    assert callers.of("training_manager", nip=mine).post(f"/v1/sessions/{session['id']}/attendance", body, expect=403).code == "own-record"


def test_a_session_is_certified_but_for_him_who_asks(world, callers, api):
    session, mine = make.session(api, start=-2, length=3), make.person(api, world["units"]["mine"]["id"])
    own = make.passed(api, mine["unit_id"], session, mine)
    other = make.passed(api, mine["unit_id"], session)
    manager = callers.of("training_manager", nip=mine["nip"])
    assert manager.post(f"/v1/enrolments/{own['id']}/certificate", expect=403).code == "own-record"
    told = manager.post(f"/v1/sessions/{session['id']}/certificates").json
    assert (told["issued"], told["skipped"]) == (1, [{"enrolment_id": own["id"], "reason": "own-record"}])
    assert [api.get(f"/v1/enrolments/{e['id']}").json["state"] for e in (own, other)] == ["passed", "certified"]
    told = api.post(f"/v1/sessions/{session['id']}/certificates").json
    assert (told["issued"], told["skipped"]) == (1, [])


def test_nobody_tells_himself_by_another_systems_id(world, callers, api):
    mine = api.get(f"/v1/asn/{world['people']['own']['nip']}").json
    body = {"nip": mine["nip"], "kind": mine["kind"], "name": "Nama Baru", "unit_id": mine["unit_id"]}
    known = api.get(f"/v1/asn/{mine['nip']}/external-ids").json["external_ids"]["siasn"]
    for value in (known, "0190ffff-aaaa-7fff-bfff-ffffffffffff"):  # by the id, and by the NIP
        reply = callers.by["personnel_officer"].put(f"/v1/asn/by-external/siasn/{value}", body, expect=403)
        assert reply.code == "own-record", reply
    assert api.get(f"/v1/asn/{mine['nip']}").json["name"] == mine["name"]


def test_nobody_undoes_what_a_file_said_of_him(world, callers, api, sql):
    mine, beside = world["people"]["own"]["nip"], make.person(api, world["units"]["mine"]["id"])["nip"]
    officer, sent = callers.by["personnel_officer"], []
    for nip in (mine, beside):
        report = send(api, "/v1/history/import", f"nip,kind,from,rank\n{nip},rank,2017-04-01,III/b\n")
        sent.append(report["id"])
    sql("UPDATE import SET actor_key = %s WHERE id = ANY (%s::uuid[])", (officer.get("/v1/caller").json["id"], sent))
    reply = officer.post(f"/v1/imports/{sent[0]}/undo", {"reason": "Keliru"}, expect=403)
    assert reply.code == "own-record", reply
    officer.post(f"/v1/imports/{sent[1]}/undo", {"reason": "Keliru"}, expect=200)
    api.post(f"/v1/imports/{sent[0]}/undo", {"reason": "Keliru"}, expect=200)


def test_nobody_merges_anybody_into_himself(world, callers, api):
    mine, double = world["people"]["own"]["nip"], make.person(api, world["units"]["mine"]["id"])["nip"]
    officer = callers.by["personnel_officer"]
    for nip, into in ((mine, double), (double, mine)):
        reply = officer.post(f"/v1/asn/{nip}/merge", {"into": into, "reason": "Terdaftar dua kali"}, expect=403)
        assert reply.code == "own-record"
    assert list(reply.faults) == ["/into"]
    api.get(f"/v1/asn/{double}", expect=200)


def test_a_personnel_officer_leaves_his_own_record_to_others(world, callers, api):
    """What he may propose as an employee stays."""
    of, officer = world["of"]["own"], callers.by["personnel_officer"]
    row = f"/v1/asn/{of['nip']}/history/{of['history_id']}"
    body = {"kind": "rank", "from": "2016-04-01", "facts": {"rank": "IV/e"}}
    for reply in (officer.patch(f"/v1/asn/{of['nip']}", {"birth_place": "Majene"}, etag="*", expect=403), officer.post(row + "/annul", {"reason": "Keliru"}, headers={"If-Match": "*"}, expect=403),
                  officer.put(row, {**body, "reason": "Keliru"}, etag="*", expect=403), officer.post(f"/v1/asn/{of['nip']}/history", body, expect=403)):
        assert reply.code == "own-record"
    led = world["of"]["led"]
    officer.patch(f"/v1/asn/{led['nip']}", {"birth_place": "Majene"}, etag="*", expect=200)
    callers.by["employee"].post("/v1/change-requests", {"nip": of["nip"], "record": {"birth_place": "Majene"}, "proof_reference": "Akta"}, headers={"Prefer": "dry-run"}, expect=201)


def test_who_proposes_himself_does_not_do_so_as_his_unit(world, callers, api):
    for nip, route in ((world["people"]["own"]["nip"], "self"), (world["people"]["led"]["nip"], "unit")):
        session = make.session(api, start=90)
        body = {"nip": nip, "route": "unit", "is_draft": True}
        assert callers.by["employee"].post(f"/v1/sessions/{session['id']}/nominations", body, expect=201).json["route"] == route


# ── appraisals and answers come from whom they are of ──

RATED = {"results_rating": "sesuai_ekspektasi", "behaviour_rating": "sesuai_ekspektasi"}


def test_a_peer_answers_with_his_own_token(world, callers, api, keys):
    path = f"/v1/evaluations/{world['of']['chief']['evaluation_id']}/peer-answers"
    mine, near = world["people"]["own"]["nip"], world["people"]["near"]["nip"]
    employee = callers.by["employee"]
    assert employee.post(path, {"role": "bawahan", "rater_nip": near, **RATED}, expect=403).code == "peer-answer-foreign"
    employee.post(path, {"role": "bawahan", **RATED}, expect=201)
    assert employee.post(path, {"role": "bawahan", "rater_nip": mine, **RATED}, expect=409).code == "peer-answered"
    plain, paper = (api.as_key(keys(*scopes, units=(world["units"]["office"]["code"],))) for scopes in (("performance.write",), ("performance.write", "performance.paper")))
    assert plain.post(path, {"role": "rekan", "rater_nip": near, **RATED}, expect=403).code == "peer-answer-foreign"
    paper.post(path, {"role": "rekan", "rater_nip": near, **RATED}, expect=201)
    assert paper.post(path, {"role": "rekan", "rater_nip": world["people"]["far"]["nip"], **RATED}, expect=422).faults == {"/rater_nip": "reference-missing"}


def test_an_appraisal_comes_from_its_rater(world, callers, api, keys):
    of = world["of"]
    assessor, employee = callers.by["assessor"], callers.by["employee"]
    mine = world["people"]["own"]["nip"]
    path = f"/v1/evaluations/{of['assessed']['evaluation_id']}/appraisals"
    assert assessor.post(path, {"role": "penilai", "rater_nip": world["people"]["assessed"]["nip"], **RATED}, expect=403).code == "appraisal-foreign"
    assert assessor.post(path, {"role": "penilai", "rater_name": "Bupati", **RATED}, expect=403).code == "appraisal-foreign"
    assert assessor.post(path, {"role": "penilai", "rater_nip": mine, **RATED}, expect=201).json["rater_nip"] == mine
    own = f"/v1/evaluations/{of['own']['evaluation_id']}/appraisals"
    assert employee.post(own, {"role": "penilai", "rater_nip": mine, **RATED}, expect=(403, 409, 422)).status != 201
    employee.post(own, {"role": "pegawai", **RATED}, expect=201)
    office = api.as_key(keys("performance.write", units=(world["units"]["office"]["code"],)))
    near = f"/v1/evaluations/{of['near']['evaluation_id']}/appraisals"
    reply = office.post(near, {"role": "penilai_kedua", "rater_nip": world["people"]["foreign"]["nip"], **RATED}, expect=422)
    assert reply.faults == {"/rater_nip": "reference-missing"} and "Pegawai Uji" not in reply.text


# ── keys with roles ──

def test_a_key_holds_a_role(world, api, database):
    made = make.key(api, scopes=[], roles=["unit_officer"], unit_ids=[world["units"]["office"]["id"]])
    assert made["roles"] == ["unit_officer"]
    office = api.as_key(made["secret"])
    assert office.get("/v1/caller").json["roles"] == ["unit_officer"]
    office.get(f"/v1/asn/{world['people']['near']['nip']}")
    office.get(f"/v1/asn/{world['people']['far']['nip']}", expect=404)
    assert office.post("/v1/units", {"code": "Z9", "name": "Z", "kind": "bidang"}, expect=403).code == "forbidden"
    secret = daemons.run(database, "key", "create", "--name", "pemeriksa", "--role", "auditor").stdout.strip()
    assert api.as_key(daemons.planted(secret)).get("/v1/caller").json["roles"] == ["auditor"]


@pytest.mark.parametrize("role", ["employee", "superior", "integrator", "public", "nobody"])
def test_a_key_holds_no_role_of_a_person(role, api, database):
    body = {"name": "Aplikasi", "owner": "Bidang", "scopes": [], "roles": [role]}
    assert api.post("/v1/keys", body, expect=422).faults == {"/roles/0": "invalid"}
    assert daemons.run(database, "key", "create", "--name", "x", "--role", role, check=False).returncode == 2


def test_nobody_gives_or_takes_a_role_beyond_his_own(api, keys, issuer, daemon, world, sql):
    giver = api.as_key(keys("key.read", "key.write", "unit.read"))
    body = {"name": "Aplikasi", "owner": "Bidang", "scopes": [], "roles": ["auditor"]}
    assert giver.post("/v1/keys", body, expect=403).code == "role-not-held"
    held = make.key(api, scopes=[], roles=["auditor"])
    for step in ("revoke", "rotate"):
        sent = {"overlap_hours": 1} if step == "rotate" else None
        assert giver.post(f"/v1/keys/{held['id']}/{step}", sent, expect=403, headers={"If-Match": "*"}).code == "role-not-held"
    assert giver.patch(f"/v1/keys/{held['id']}", {"name": "Lain"}, etag="*", expect=403).code == "role-not-held"

    def subject(role):
        return Client(daemon.url, issuer.token(realm_access={"roles": [role]}, sub=f"of-{role}")).get("/v1/caller").json["id"]
    assert giver.post(f"/v1/keys/{subject('auditor')}/revoke", expect=403, headers={"If-Match": "*"}).code == "role-not-held"
    assert sql("SELECT held_roles FROM api_key WHERE subject = 'of-auditor'") == [(["auditor"],)]
    giver.post(f"/v1/keys/{subject('employee')}/revoke", expect=200, headers={"If-Match": "*"})


def test_a_denial_that_is_over_denies_nothing(api):
    reply = api.post("/v1/token-denials", {"jti": "lewat", "reason": "Uji", "expires_at": "2020-01-01T00:00:00Z"}, expect=422)
    assert (reply.code, reply.faults) == ("denial-ends-before-now", {"/expires_at": "denial-ends-before-now"})


# ── the explainer ──

def test_scopes_are_explained(api, keys, world):
    reader = api.as_key(keys("asn.read", units=(world["units"]["office"]["code"],)))
    told = reader.get(f"/v1/access?operation=getAsn&subject={world['people']['near']['nip']}").json
    assert (told["rule"], told["by_scopes"], told["rows"], told["fields_hidden"]) == ("scopes", True, "units", ["asn.sensitive"])
    assert reader.get(f"/v1/access?operation=getAsn&subject={world['people']['far']['nip']}").json["rule"] == "subject-out-of-reach"
    told = reader.get("/v1/access?operation=updateAsn").json
    assert (told["rule"], told["scope_missing"], told["is_allowed"]) == ("scope-missing", "asn.write", False)
    assert reader.get("/v1/access?operation=getCaller").json["rule"] == "anybody"
    assert reader.get("/v1/access?operation=getIndex").json["rule"] == "public"


def test_somebody_elses_role_is_explained(api, keys, world):
    chief, near = world["people"]["chief"]["nip"], world["people"]["near"]["nip"]
    asker = api.as_key(keys("access.read", units=(world["units"]["office"]["code"],)))
    told = asker.get(f"/v1/access?operation=getAsn&subject={near}&role=superior&nip={chief}").json
    assert (told["rule"], told["nip"], told["roles"], told["by_roles"]) == ("subject-reports", chief, ["superior"], ["superior"])
    assert asker.get(f"/v1/access?operation=getAsn&subject={near}&role=unit_officer&nip={chief}").json["rule"] == "role"
    far = world["people"]["far"]["nip"]
    assert asker.get(f"/v1/access?operation=getAsn&subject={far}&role=auditor&nip={chief}").json["rule"] == "subject-out-of-reach", "beyond the asker's own sight"
    assert asker.get(f"/v1/access?operation=getAsn&role=auditor&nip={far}", expect=422).faults == {"nip": "reference-missing"}
    assert asker.get("/v1/access?operation=listAsn&role=auditor").json["rows"] == "all"


REFUSED = {
    "no-such-operation": ("operation=getNothing", {"operation": "reference-missing"}),
    "no-such-role": ("operation=getAsn&role=nobody", {"role": "reference-missing"}),
    "about-nobody": ("operation=listAsn&subject=0190ffff-ffff-7fff-bfff-ffffffffffff", {"subject": "invalid"}),
    "no-nip": ("operation=getAsn&subject=0190ffff-ffff-7fff-bfff-ffffffffffff", {"subject": "invalid"}),
    "no-id": ("operation=getSkp&subject=199912312022031998", {"subject": "invalid"}),
    "a-person-without-a-role": ("operation=getAsn&nip=199912312022031998", {"nip": "invalid"}),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_explained(name, api):
    query, faults = REFUSED[name]
    assert api.get(f"/v1/access?{query}", expect=422).faults == faults


def test_somebody_elses_role_needs_the_scope(api, keys):
    assert "access.read" in api.as_key(keys("asn.read")).get("/v1/access?operation=getAsn&role=auditor", expect=403).json["detail"]


# ── the matrix ──

def test_the_matrix_is_the_file(api, keys):
    rows, _ = api.as_key(keys("unit.read")).walk("/v1/access/matrix?limit=1000")
    told = {(r["operation"], r["role"]): r["rows"] for r in rows if r["role"] != "integrator"}
    assert told == {(o, role): rows for o, row in MATRIX.rows.items() for role, rows in row.items() if role in MATRIX.roles}
    assert {r["operation"] for r in rows if r["role"] == "integrator"} == {o.id for o in CONTRACT.operations.values() if o.scopes is not None}
    lines = api.get("/v1/access/matrix", headers={"Accept": "text/csv"}).text.splitlines()
    assert len(lines) == len(rows) + 1 and lines[0].startswith("operation,method,path,role,rows,by,subject")


def test_the_matrix_is_asked_by_operation_and_role(api):
    assert {r["operation"] for r in api.get("/v1/access/matrix?operation=getAsn").json["data"]} == {"getAsn"}
    assert {r["role"] for r in api.get("/v1/access/matrix?role=auditor&limit=1000").json["data"]} == {"auditor"}
    assert api.get("/v1/access/matrix?operation=getNothing&role=nobody", expect=422).faults == {"operation": "reference-missing", "role": "reference-missing"}
