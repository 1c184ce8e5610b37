# SPDX-License-Identifier: Apache-2.0
"""If-Match by RFC 9110, 13.1.1, for every operation that has it; and what an Idempotency-Key's request is besides its body."""
import pytest

from support import contract as contracts
from support import make

CONTRACT = contracts.load()
CONDITIONAL = sorted(o.id for o in CONTRACT.operations.values() if any(p["name"] == "If-Match" for p in o.where("header")))


RATED = {"results_rating": "sesuai_ekspektasi", "behaviour_rating": "sesuai_ekspektasi"}


def rated(api, nip, period):
    evaluation = make.evaluation(api, nip, period["id"])
    make.indicator(api, evaluation["id"])
    return api.patch(f"/v1/evaluations/{evaluation['id']}", RATED, etag="*").json


# operationId → (the resource's path, what its write is)
def target(api, world, operation_id):
    def evaluation():
        return rated(api, make.person(api, world["unit_id"])["nip"], {"id": world["period_id"]})

    def indicator():
        draft = evaluation()
        return f"/v1/evaluations/{draft['id']}/indicators/{make.indicator(api, draft['id'])['id']}"
    def row():
        nip = make.person(api, world["unit_id"])["nip"]
        return f"/v1/asn/{nip}/history/{make.history(api, nip, 'rank', {'rank': 'III/a'}, '2020-04-01')['id']}"
    def document():
        return f"/v1/documents/{make.document(api, make.person(api, world['unit_id'])['nip'])['id']}"
    def handover():
        nip = make.person(api, world["unit_id"])["nip"]
        make.siasn(api, nip)
        return f"/v1/handovers/{make.handover(api, nip)['id']}"
    def request(by=None):
        return f"/v1/change-requests/{make.request(by or world['portal'], make.person(api, world['unit_id'])['nip'])['id']}"
    def data_request(*steps):
        made = f"/v1/data-requests/{make.data_request(world['portal'], make.person(api, world['unit_id'])['nip'])['id']}"
        for step in steps:
            api.post(f"{made}/{step}", {"outcome": "done", "reason": "Selesai"}, headers={"If-Match": "*"}, expect=200)
        return made
    def activity():
        path = "/v1/processing-activities/audit"
        row = api.get(path).json
        return (path, "PUT", "", {k: v for k, v in row.items() if k not in ("code", "tags", "version", "updated_at")} | {"retention": f"Uji {make.number()}"})
    def restriction():
        made = make.restriction(api, make.person(api, world["unit_id"])["nip"])
        return (f"/v1/restrictions/{made['id']}", "POST", "/end", {"on": made["from"], "reason": "Selesai"})
    def skp(*steps):
        plan = make.skp(api, make.person(api, world["unit_id"])["nip"], world["period_id"])
        make.planned(api, plan["id"], make.result(api, plan["id"])["id"])
        for step in steps:
            make.act_skp(api, plan["id"], step)
        return f"/v1/skps/{plan['id']}"
    def ended(path):
        return (path, "POST", "/end", {"on": api.get(path).json["ends_on"], "reason": "Mutasi"})
    def part(which):
        path = f"{skp()}/{which}"
        return f"{path}/{api.get(path).json['data'][0]['id']}"
    def own_part(tail, method, body, first=None):
        """Of the indicator, by the version of its plan."""
        path = skp()
        tail = f"/indicators/{api.get(path + '/indicators').json['data'][0]['id']}{tail}"
        if first:
            api.put(path + tail, first, etag="*", expect=200)
        return (path, method, tail, body)
    def objection():
        final = make.final(api, make.person(api, world["unit_id"])["nip"], world["period_id"])
        made = api.post(f"/v1/evaluations/{final['id']}/objections", {"text": "Keliru"}, expect=201)
        return f"/v1/objections/{made.json['id']}"
    def improvement(steps=()):
        path = f"/v1/improvement-plans/{make.improvement(api, make.person(api, world['unit_id'])['nip'])['id']}"
        for step, body in steps:
            make.act_improvement(api, path, step, body)
        return path
    def improvement_check(*steps):
        path = improvement(steps)
        return f"{path}/checks/{api.get(path + '/checks').json['data'][0]['id']}"
    agreement = ("agree", {"agreed_by": "Kepala Uji", "is_agreed_by_person": True})

    def told(by_external):
        person = make.person(api, world["unit_id"])
        body = {"kind": "PNS", "name": "Baru", "unit_id": world["unit_id"]}
        path = f"/v1/asn/{person['nip']}"
        return (path, "PUT", f"/v1/asn/by-external/uji/{person['nip']}", {**body, "nip": person["nip"]}) if by_external else (path, "PUT", "", body)
    def remote():
        nip = make.person(api, world["unit_id"])["nip"]
        entry = make.history(api, nip, "rank", {"rank": "III/a"}, "2020-04-01", remote_id=f"R-{nip}")
        return (f"/v1/asn/{nip}/history/{entry['id']}", "PUT", f"/v1/asn/{nip}/history/by-remote/R-{nip}", {"kind": "rank", "from": "2020-10-01", "facts": {"rank": "III/a"}})
    def counter():
        return make.service_unit(api, make.unit(api, world["unit_id"])["id"])

    def answered(texts=False):
        survey = make.survey(api, counter()["id"])
        rows = "".join(f"{survey['code']},{n},{survey['starts_on']},{',3' * 9},Saran\n".replace(",,", ",") for n in range(5))
        api("POST", "/v1/surveys/answers/import", data=("survey,form,answered_on,U1,U2,U3,U4,U5,U6,U7,U8,U9,comment\n" + rows).encode(),
            headers={"Content-Type": "text/csv"}, expect=200)
        if texts:
            return f"/v1/feedback/{api.get('/v1/feedback?survey_id=' + survey['id']).json['data'][0]['id']}"
        api.post(f"/v1/surveys/{survey['id']}/close")
        return f"/v1/surveys/{survey['id']}"

    def plan():
        survey = make.survey(api, counter()["id"])
        made = api.post(f"/v1/surveys/{survey['id']}/follow-ups", {"element": "U3", "action": "Menambah loket"}).json
        return f"/v1/surveys/{survey['id']}/follow-ups/{made['id']}"
    def certificate():
        return f"/v1/issued-certificates/{make.certificate(api, world['unit_id'])['id']}"
    def external():
        return f"/v1/external-certificates/{make.external(world['portal'], make.person(api, world['unit_id'])['nip'])['id']}"
    def development(*steps):
        made = make.plan(api, make.person(api, world["unit_id"])["nip"])
        for step in steps:
            make.act_plan(api, made["id"], step)
        return f"/v1/development-plans/{made['id']}"
    line = {"competency": "integritas", "form": "B3", "target_jp": 4, "quarter": 1}
    def key():
        return f"/v1/keys/{make.key(api)['id']}"
    return {
        "updateApiKey": lambda: (key(), "PATCH", "", {"owner": "Bidang Lain"}),
        "rotateApiKey": lambda: (key(), "POST", "/rotate", {"overlap_hours": 1}),
        "revokeApiKey": lambda: (key(), "POST", "/revoke", None),
        "updateCompetencyStandard": lambda: (f"/v1/competency-standards/{make.standard(api)['id']}", "PATCH", "", {"level": 4}),
        "annulCompetencyAssessment": lambda: (f"/v1/competency-assessments/{make.assessment(api, make.person(api, world['unit_id'])['nip'], {'integritas': 2})['id']}",
                                              "POST", "/annul", {"reason": "Tertukar"}),
        "updateDevelopmentPlan": lambda: (development(), "PATCH", "", {"superior_name": "Sekda Uji"}),
        "putDevelopmentPlanLines": lambda: (development(), "PUT", "/lines", {"lines": [line]}),
        "putPlanLineCourses": lambda: (development("submit"), "PUT", "/lines/1/courses", {"courses": []}),
        "submitDevelopmentPlan": lambda: (development(), "POST", "/submit", None),
        "approveDevelopmentPlan": lambda: (development("submit"), "POST", "/approve", None),
        "returnDevelopmentPlan": lambda: (development("submit"), "POST", "/return", {"reason": "Perbaiki"}),
        "putAsn": lambda: told(False),
        "putAsnByExternal": lambda: told(True),
        "putHistoryByRemote": remote,
        "updateServiceUnit": lambda: (f"/v1/service-units/{counter()['id']}", "PATCH", "", {"hours": "08.00–16.00"}),
        "updateService": lambda: (f"/v1/services/{make.service(api, counter()['id'])['id']}", "PATCH", "", {"name": "Baru"}),
        "updateSurvey": lambda: (f"/v1/surveys/{make.survey(api, counter()['id'])['id']}", "PATCH", "", {"name": "Baru"}),
        "publishSurvey": lambda: (answered(), "POST", "/publish", None),
        "updateFollowUp": lambda: (plan(), "PATCH", "", {"state": "done"}),
        "moderateFeedback": lambda: (answered(texts=True), "POST", "/moderate", {"state": "approved"}),
        "revokeCertificate": lambda: (certificate(), "POST", "/revoke", {"reason": "Keliru"}),
        "reissueCertificate": lambda: (certificate(), "POST", "/reissue", {"reason": "Gelar"}),
        "verifyExternalCertificate": lambda: (external(), "POST", "/verify", {}),
        "refuseExternalCertificate": lambda: (external(), "POST", "/refuse", {"reason": "Kurang bukti"}),
        "approveChangeRequest": lambda: (request(), "POST", "/approve", {}),
        "refuseChangeRequest": lambda: (request(), "POST", "/refuse", {"reason": "Kurang bukti"}),
        "withdrawChangeRequest": lambda: (request(api), "POST", "/withdraw", None),
        "correctHistory": lambda: (row(), "PUT", "", {"kind": "rank", "from": "2020-10-01", "facts": {"rank": "III/a"}, "reason": "TMT"}),
        "annulHistory": lambda: (row(), "POST", "/annul", {"reason": "SK dibatalkan"}),
        "updateUnit": lambda: (f"/v1/units/{make.unit(api)['id']}", "PATCH", "", {"name": "Baru"}),
        "updateAsn": lambda: (f"/v1/asn/{make.person(api, world['unit_id'])['nip']}", "PATCH", "", {"position": "Baru"}),
        "updatePost": lambda: (f"/v1/posts/{make.post(api, world['unit_id'])['id']}", "PATCH", "", {"posts": 7}),
        "deletePost": lambda: (f"/v1/posts/{make.post(api, world['unit_id'])['id']}", "DELETE", "", None),
        "updateDocument": lambda: (document(), "PATCH", "", {"number": "821/2024"}),
        "annulDocument": lambda: (document(), "POST", "/annul", {"reason": "Salah unggah"}),
        "updateProgramme": lambda: (f"/v1/programmes/{make.programme(api)['id']}", "PATCH", "", {"name": "Baru"}),
        "updateSession": lambda: (f"/v1/sessions/{make.session(api)['id']}", "PATCH", "", {"title": "Baru"}),
        "putSessionDays": lambda: (f"/v1/sessions/{make.session(api)['id']}/days", "PUT", "", {"days": []}),
        "putSessionQuotas": lambda: (f"/v1/sessions/{make.session(api)['id']}/quotas", "PUT", "", {"quotas": []}),
        "putSessionTerms": lambda: (f"/v1/sessions/{make.session(api)['id']}/terms", "PUT", "", {"cost_per_head": 5}),
        "putEffectPlan": lambda: (f"/v1/programmes/{make.programme(api)['id']}/effect-plan", "PUT", "",
                                  {"reaction_days": 7, "behaviour_months": 3, "behaviour_days": 30, "peers": 5}),
        "updateKpi": lambda: (f"/v1/kpis/{make.kpi(api)['id']}", "PATCH", "", {"name": "Baru"}),
        "updateSkp": lambda: (skp(), "PATCH", "", {"position": "Baru"}),
        "deleteSkp": lambda: (skp(), "DELETE", "", None),
        "proposeSkp": lambda: (skp(), "POST", "/propose", None),
        "returnSkp": lambda: (skp("propose"), "POST", "/return", {"reason": "Perbaiki"}),
        "approveSkp": lambda: (skp("propose"), "POST", "/approve", None),
        "endSkp": lambda: ended(skp("propose", "approve")),
        "putSkpBehaviour": lambda: (skp(), "PUT", "/behaviours/loyal", {"expectation": "Setia"}),
        "putSkpMeasure": lambda: own_part("/measure", "PUT", {"figure": "jp"}),
        "deleteSkpMeasure": lambda: own_part("/measure", "DELETE", None, {"figure": "jp"}),
        "putSkpMilestones": lambda: own_part("/milestones", "PUT", {"milestones": [{"name": "Rancangan", "weight": 100, "due_on": "2026-03-31"}]}),
        "updateSkpResult": lambda: (part("results"), "PATCH", "", {"name": "Baru"}),
        "deleteSkpResult": lambda: (part("results"), "DELETE", "", None),
        "updateSkpIndicator": lambda: (part("indicators"), "PATCH", "", {"name": "Baru"}),
        "deleteSkpIndicator": lambda: (part("indicators"), "DELETE", "", None),
        "moderateEvaluation": lambda: (f"/v1/evaluations/{evaluation()['id']}", "POST", "/moderations", {**RATED, "reason": "Sebaran", "leader": "Kepala Uji"}),
        "updateImprovementPlan": lambda: (improvement(), "PATCH", "", {"support": "Pendampingan"}),
        "agreeImprovementPlan": lambda: (improvement(), "POST", "/agree", agreement[1]),
        "closeImprovementPlan": lambda: (improvement(), "POST", "/close", {"result": "cancelled", "closed_by": "Kepala Uji", "conclusion": "Mutasi"}),
        "updateImprovementCheck": lambda: (improvement_check(), "PATCH", "", {"expectation": "Lain"}),
        "holdImprovementCheck": lambda: (improvement_check(agreement), "POST", "/hold", {"outcome": "reached", "checked_by": "Kepala Uji"}),
        "hearObjection": lambda: (objection(), "POST", "/hear", {"note": "Didengar"}),
        "decideObjection": lambda: (objection(), "POST", "/decide", {"decision": "refused", "reason": "Terlambat", "decided_by": "Sekda Uji"}),
        "takeDataRequest": lambda: (data_request(), "POST", "/take", None),
        "closeDataRequest": lambda: (data_request(), "POST", "/close", {"outcome": "done", "reason": "Selesai"}),
        "tellDataRequest": lambda: (data_request("close"), "POST", "/tell", {"told": "Selesai"}),
        "putProcessingActivity": lambda: activity(),
        "endRestriction": lambda: restriction(),
        "updatePartner": lambda: (f"/v1/partners/{make.partner(api)['id']}", "PATCH", "", {"contact": "Baru"}),
        "updateAgreement": lambda: (f"/v1/agreements/{make.agreement(api, world['partner_id'])['id']}", "PATCH", "", {"title": "Baru"}),
        "updateActivity": lambda: (f"/v1/activities/{make.activity(api, world['partner_id'])['id']}", "PATCH", "", {"title": "Baru"}),
        "updateBudgetLine": lambda: (f"/v1/budget-lines/{make.budget_line(api, world['programme_id'])['id']}", "PATCH", "", {"planned": 7}),
        "updateDataBreach": lambda: (f"/v1/data-breaches/{make.breach(api)['id']}", "PATCH", "", {"people": 3}),
        "updatePeriod": lambda: (f"/v1/periods/{make.period(api)['id']}", "PATCH", "", {"name": "Baru"}),
        "updateEvaluation": lambda: (f"/v1/evaluations/{evaluation()['id']}", "PATCH", "", {"note": "Baru"}),
        "updateIndicator": lambda: (indicator(), "PATCH", "", {"name": "Baru"}),
        "deleteIndicator": lambda: (indicator(), "DELETE", "", None),
        "reportHandover": lambda: (handover(), "POST", "/report", {"state": "sent"}),
        "finalizeEvaluation": lambda: (f"/v1/evaluations/{evaluation()['id']}", "POST", "/finalize", None),
    }[operation_id]()


def write(api, found, condition):
    path, method, action, body = found
    return api(method, action if action.startswith("/v1/") else path + action, json=body, headers={"If-Match": condition})


# How a header is read is the engine's, for all alike: one operation is asked every form, each of the others those that tell whether its statement looks.
FINE = ["*", "{tag}", '"{version}"', '"999999", {tag}', '{tag},"999999"', ', "x",, "{version}",', 'W/{tag}, {tag}']
STALE = ['"000{version}"', '"0{version}-0000000000000000"', "W/{tag}", 'W/"{version}"', '"999999"', '"999999", "999998"', '"0"', '"x"', '""',
         '"{version}-"', '"{version}-x"', '"+{version}"', '"{version}.0"', '"99999999999999999999"']
ASKED = [(o, c) for o in CONDITIONAL for c in FINE if o == "updateUnit" or c in ("*", "{tag}", '"999999", {tag}')]
REFUSED = [(o, c) for o in CONDITIONAL for c in STALE if o == "updateUnit" or c in ("W/{tag}", '"999999"', '"0{version}-0000000000000000"')]


@pytest.mark.parametrize("operation_id, condition", ASKED)
def test_any_strong_tag_of_the_list_will_do(operation_id, condition, api, world):
    found = target(api, world, operation_id)
    now = api.get(found[0])
    reply = write(api, found, condition.format(tag=now.etag, version=now.json["version"]))
    assert reply.status in (200, 204), reply


@pytest.mark.parametrize("operation_id, condition", REFUSED)
def test_what_names_no_version_that_is_there_is_412_and_changes_nothing(operation_id, condition, api, world):
    found = target(api, world, operation_id)
    now = api.get(found[0])
    reply = write(api, found, condition.format(tag=now.etag, version=now.json["version"]))
    assert (reply.status, reply.code) == (412, "version-stale"), reply
    assert api.get(found[0]).bytes == now.bytes


MALFORMED = ["1", '"1', "'1'", '"1" "2"', '*, "1"', '"1", *', "W/1", 'w/"1"', ",", "**", '"1", 2', '"a b"']


@pytest.mark.parametrize("condition", MALFORMED)
def test_what_is_no_list_of_tags_is_400_and_named(condition, api):
    unit = make.unit(api)
    path = f"/v1/units/{unit['id']}"
    assert api.patch(path, {"name": "X"}, etag=condition, expect=400).faults == {"If-Match": "pattern"}
    assert api.get(path).json == unit


@pytest.mark.parametrize("condition", [c for c in MALFORMED if "*" not in c])
def test_a_reader_is_sent_what_is_there_when_it_names_no_tag(condition, api):
    """Nothing can go wrong with a reading: RFC 9110 lets what is no tag match nothing."""
    unit = make.unit(api)
    assert api.get(f"/v1/units/{unit['id']}", headers={"If-None-Match": condition}).json == unit


def test_any_version_of_nothing_is_404(api):
    api.patch("/v1/units/0190ffff-ffff-7fff-bfff-ffffffffffff", {"name": "X"}, etag="*", expect=404)


# ── what a repeated request must have in common with the first ──
@pytest.fixture
def finalising(api, world):
    def send(key, **headers):
        return api("POST", f"{path}/finalize", headers={"Idempotency-Key": key, **headers})
    path = target(api, world, "finalizeEvaluation")[0]
    tag = api.get(path).etag
    send.tag = tag
    return send


def test_another_precondition_is_another_request(finalising):
    key = "syarat-lain" + finalising.tag.strip('"')
    assert finalising(key, **{"If-Match": finalising.tag}).status == 200
    assert finalising(key, **{"If-Match": '"999999"'}).code == "idempotency-mismatch"


def test_the_same_versions_named_otherwise_are_the_same_request(finalising):
    key = "sama-saja" + finalising.tag.strip('"')
    first = finalising(key, **{"If-Match": finalising.tag})
    again = finalising(key, **{"If-Match": f'{finalising.tag},  "x"'})
    assert (first.status, again.bytes, again.headers.get("Idempotency-Replayed")) == (200, first.bytes, "true")


def send_import(api, key, **headers):
    body = f"nip,kind,name,unit_code\n{make.nip(4000)},PNS,Ditolak,TIDAK-ADA\n".encode()
    return api("POST", "/v1/asn/import", data=body, headers={"Idempotency-Key": key, "Content-Type": "text/csv", **headers})


def import_forms():
    operation = next(o for o in CONTRACT.operations.values() if o.path == "/v1/asn/import" and o.method == "post")
    return list(operation.success_types()), list(operation.body_types)


def test_another_form_of_the_reply_is_another_request(api):
    forms, _ = import_forms()
    first = send_import(api, "bentuk", Accept=forms[0])
    assert first.status == 200
    for other in forms[1:]:
        assert send_import(api, "bentuk", Accept=other).code == "idempotency-mismatch"
    again = send_import(api, "bentuk", Accept=f"{forms[0]};q=0.9, image/png")
    assert again.headers.get("Idempotency-Replayed") == "true" and again.bytes == first.bytes, "another Accept that chooses the same form"


def test_the_same_bytes_as_another_type_are_another_request(api):
    _, types = import_forms()
    assert send_import(api, "jenis").status == 200
    assert send_import(api, "jenis", **{"Content-Type": next(t for t in types if t != "text/csv")}).code == "idempotency-mismatch"
