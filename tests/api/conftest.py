# SPDX-License-Identifier: Apache-2.0
"""Things that exist: what the generic tests fill a path's parameters with, and a few rows in every list."""
import pytest

from support import make


@pytest.fixture(scope="module", autouse=True)
def numbers():
    make.begin()


@pytest.fixture(scope="module")
def office(api):
    """A unit of this module's own."""
    return make.unit(api, kind="dinas", name="Dinas Uji")


@pytest.fixture(scope="module")
def world(api, keys, office):
    people = [make.person(api, office["id"]) for _ in range(4)]
    programmes = [make.programme(api) for _ in range(3)]
    sessions = [make.session(api, p["id"], start=30 + 10 * i) for i, p in enumerate(programmes)]
    for session in sessions:
        for person in people:
            make.enrol(api, session["id"], person["nip"])
    periods = [make.period(api) for _ in range(3)]
    evaluations = [make.evaluation(api, p["nip"], t["id"]) for p in people for t in periods]
    indicators = [make.indicator(api, evaluations[0]["id"]) for _ in range(4)]
    for year in (2015, 2017, 2019):
        api.patch(f"/v1/units/{office['id']}", {"name": f"Kantor {year}", "effective_on": f"{year}-01-01"}, etag="*")
    rows = "".join(f"{make.nip(sex=3)},PNS,Baris Ditolak,{office['code']}\n" for _ in range(3))
    imports = [api("POST", "/v1/asn/import", data=("nip,kind,name,unit_code\n" + rows).encode(), headers={"Content-Type": "text/csv"}, expect=200)
               for _ in range(3)]
    ranks = [make.history(api, people[0]["nip"], "rank", {"rank": rank}, start) for rank, start in (("II/a", "2015-04-01"), ("II/b", "2019-04-01"), ("II/c", "2023-04-01"))]
    for day in ("2023-05-01", "2023-06-01", "2023-07-01"):
        path = f"/v1/asn/{people[0]['nip']}/history/{ranks[2]['id']}"
        api.put(path, {"kind": "rank", "from": day, "facts": {"rank": "II/c"}, "reason": "TMT"}, etag=make.tag(api, path))
    api.post("/v1/data-quality/snapshots")
    nik = "7602011501900077"
    for double in [make.person(api, office["id"], nik=nik, name="Pegawai Kembar") for _ in range(3)][1:]:
        api.post(f"/v1/asn/{make.person(api, office['id'])['nip']}/merge", {"into": double["nip"], "reason": "Terdaftar dua kali"})
    portal = api.as_key(keys("admin", "request.write"))  # nobody decides what he proposed himself
    requests = [make.request(portal, p["nip"]) for p in people]
    for n in range(4):
        api.post(f"/v1/change-requests/{requests[0]['id']}/comments", {"text": f"Komentar {n}"}, expect=201)
    asked_data = [make.data_request(portal, p["nip"], kind) for p, kind in zip(people, ("access", "correction", "restriction", "objection"))]
    restricted = [make.restriction(api, p["nip"], start="2090-01-01") for p in people]
    documents = [make.document(api, people[0]["nip"], title=f"Dokumen {n}") for n in range(4)]
    make.document(api, people[0]["nip"], type="858", history_ids=ranks[2]["id"])
    posts = [make.post(api, office["id"]) for _ in range(4)]
    certificates = [make.certificate(api, office["id"]) for _ in range(4)]
    externals = [make.external(portal, p["nip"]) for p in people]
    finished = make.final(api, people[1]["nip"], make.period(api)["id"])
    objection = api.post(f"/v1/evaluations/{finished['id']}/objections", {"text": "Belum dihitung"}, expect=201).json
    improvements = [make.agreed_improvement(api, p["nip"], checks=4) for p in people]
    check = api.get(f"/v1/improvement-plans/{improvements[0]['id']}/checks").json["data"][0]
    for held in api.get(f"/v1/improvement-plans/{improvements[0]['id']}/checks").json["data"][1:3]:
        make.act_improvement(api, f"/v1/improvement-plans/{improvements[0]['id']}/checks/{held['id']}", "hold", {"outcome": "partly", "checked_by": "Kepala Seksi"})
    skp, result, planned, kpis = make.whole_skp(api, people[0]["nip"], periods[0]["id"])
    api.put(f"/v1/asn/{people[0]['nip']}/external-ids/siasn", {"value": "A8ACA7397AEB3912"})
    under_way = make.session(api, programmes[0]["id"], start=-3, length=4)
    api.put(f"/v1/sessions/{under_way['id']}/quotas", {"quotas": [{"unit_id": office["id"], "seats": 9}]}, etag=make.tag(api, f"/v1/sessions/{under_way['id']}"))
    attending = [make.enrol(api, under_way["id"], p["nip"]) for p in people]
    for n in range(3):
        api.post(f"/v1/sessions/{under_way['id']}/attendance", {"day": make.days(-3 + n)["starts_on"], "entries": [{"nip": p["nip"], "presence": "present"} for p in people]})
    partners = [make.partner(api) for _ in range(4)]
    agreements = [make.agreement(api, partners[0]["id"]) for _ in range(4)]
    activities = [make.activity(api, partners[0]["id"], agreement_id=agreements[0]["id"]) for _ in range(4)]
    takers = [make.participant(api, activities[0]["id"]) for _ in range(2)] + [make.participant(api, activities[0]["id"], nip=p["nip"]) for p in people[:2]]
    outputs = [make.output(api, activities[0]["id"]) for _ in range(4)]
    lines = [make.budget_line(api, programmes[0]["id"]) for _ in range(4)]
    for line in lines:
        make.expense(api, line["id"], amount=20000000)
    for _ in range(3):
        make.expense(api, lines[0]["id"])
    for start in ("2026-01-12", "2026-01-19", "2026-01-26", "2026-02-02"):
        make.course(api, people[0]["nip"], start, form="B3", jp=4)
    handed = make.person(api, office["id"])["nip"]
    make.siasn(api, handed)
    handovers = [make.handover(api, handed)]
    for n in range(2):
        make.trained(api, handed, days_ago=20 + 10 * n)
    standards = [make.standard(api, position="Jabatan Dunia", position_kind="pelaksana", competency=c) for c in ("integritas", "komunikasi", "kerja_sama", "perekat_bangsa")]
    standing = people[0]["nip"]
    api.patch(f"/v1/asn/{standing}", {"position_kind": "pelaksana", "position": "Jabatan Dunia"}, etag="*")
    assessments = [make.assessment(api, standing, {"integritas": 1}, on=f"2025-0{n}-03") for n in range(1, 5)]
    for n in range(3):
        make.session(api, make.programme(api, serves=[{"family": "manajerial", "level_from": 1, "level_to": 4}])["id"], start=100 + 10 * n)
    plans = [make.plan(api, nip, lines=2) for nip in [p["nip"] for p in people]]
    for step, body in (("submit", None), ("return", {"reason": "Perbaiki"}), ("submit", None)):
        make.act_plan(api, plans[0]["id"], step, body)
    served = served_world(api, office)
    make.reviewed(api, [make.person(api, office["id"]) for _ in range(2)])
    asked = api.get("/v1/behaviour-requests?limit=1").json["data"][0]
    given = [make.key(api) for _ in range(4)]
    for n in range(4):
        api.post("/v1/token-denials", {"jti": f"uji-{n}", "reason": "Uji"}, expect=201)
    breaches = [make.breach(api) for _ in range(4)]
    for n in range(4):
        api.post(f"/v1/data-breaches/{breaches[0]['id']}/notices", {"recipient": "agency", "reference": f"800/{n}/2026"}, expect=201)
        api.put(f"/v1/merit-indices/{2020 + n}", {"scale": "merit-400", "points": 250 + n})
    return {"breach_id": breaches[0]["id"], "key_id": given[0]["id"], "behaviour_request_id": asked["id"], "request_id": requests[0]["id"], "data_request_id": asked_data[0]["id"], "restriction_id": restricted[0]["id"], "processing_activity": "records", "portal": portal, "code": "COM_2", "history_id": ranks[2]["id"], "unit_id": office["id"], "nip": people[0]["nip"], "programme_id": programmes[0]["id"], "session_id": under_way["id"],
            "enrolment_id": attending[0]["id"], "period_id": periods[0]["id"], "evaluation_id": evaluations[0]["id"],
            "indicator_id": indicators[0]["id"], "import_id": imports[0].json["id"], "post_id": posts[0]["id"], "document_id": documents[0]["id"],
            "list": "rank-pns", "skp_id": skp["id"], "result_id": result["id"], "skp_indicator_id": planned["id"], "kpi_id": kpis[0]["id"],
            "certificate_id": certificates[0]["id"], "external_certificate_id": externals[0]["id"],
            "behaviour": "akuntabel", "objection_id": objection["id"], "improvement_plan_id": improvements[0]["id"], "improvement_check_id": check["id"], "outcome": "promotion", "handover_id": handovers[0]["id"], "what": "skp22", "year": 2025,
            "siasn_id": "8ae482a5-4bb1-4b0e-9b1a-2d4bba3a8ee4",
            "due_list": "retirement", "partner_id": partners[0]["id"], "agreement_id": agreements[0]["id"], "activity_id": activities[0]["id"],
            "participant_id": takers[0]["id"], "output_id": outputs[0]["id"], "budget_line_id": lines[0]["id"], "standard_id": standards[0]["id"], "assessment_id": assessments[0]["id"], "plan_id": plans[0]["id"], "line": 1, "by": "rank", "system": "siasn", "value": "A8ACA7397AEB3912", **served}


def served_world(api, office):
    """Public service: some of everything, with a published survey."""
    counters = [make.service_unit(api, u["id"]) for u in (office, make.unit(api, office["id"]), make.unit(api, office["id"]))]
    services = [make.service(api, counters[0]["id"], promise_minutes=30) for _ in range(3)]
    tickets = [make.ticket(api, s["id"]) for s in services for _ in range(2)]
    surveys = [make.survey(api, counters[0]["id"], is_open_link=True) for _ in range(3)]
    for n in range(5):
        api.post(f"/v1/public/surveys/{surveys[0]['answer_token']}/survey", make.form(comment=f"Saran {n}"), expect=200)
    for row in api.get(f"/v1/feedback?survey_id={surveys[0]['id']}").json["data"][:4]:
        api.post(f"/v1/feedback/{row['id']}/moderate", {"state": "approved"}, headers={"If-Match": "*"})
    for _ in range(4):
        api.post(f"/v1/surveys/{surveys[0]['id']}/follow-ups", {"element": "U3", "action": "Menambah loket"}, expect=201)
    api.post(f"/v1/surveys/{surveys[0]['id']}/close")
    api.post(f"/v1/surveys/{surveys[0]['id']}/publish", headers={"If-Match": "*"})
    complaints = [make.complaint(api, counters[0]["id"]) for _ in range(4)]
    for step in ({"state": "verified", "weight": "normative"}, {"state": "forwarded"}, {"state": "in_progress"}):
        api.post(f"/v1/complaints/{complaints[0]['id']}/advance", step)
    for counter in counters:
        make.service_index(api, counter["id"], 2025)
        api.put(f"/v1/service-units/{counter['id']}/service-index/2025/official", {"value": 3.9}, expect=200)
    make.service_index(api, counters[0]["id"], 2024)
    api.post("/v1/open-figures/2025/publish")
    return {"service_unit_id": counters[0]["id"], "service_id": services[0]["id"], "ticket_id": tickets[0]["id"], "survey_id": surveys[0]["id"],
            "complaint_id": complaints[0]["id"]}
