# SPDX-License-Identifier: Apache-2.0
"""Things that exist: what the generic tests fill a path's parameters with, and a few rows in every list."""
import pytest

from support import make


@pytest.fixture(scope="module")
def office(api):
    """A unit of this module's own."""
    return make.unit(api, kind="dinas", name="Dinas Uji")


@pytest.fixture(scope="module")
def world(api, keys, office):
    people = [make.person(api, office["id"]) for _ in range(4)]
    programmes = [make.programme(api) for _ in range(3)]
    sessions = [make.session(api, p["id"], start=30 + 10 * i) for i, p in enumerate(programmes)]
    enrolments = [make.enrol(api, s["id"], p["nip"]) for s in sessions for p in people]
    periods = [make.period(api) for _ in range(3)]
    evaluations = [make.evaluation(api, p["nip"], t["id"]) for p in people for t in periods]
    indicators = [make.indicator(api, evaluations[0]["id"]) for _ in range(4)]
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
    posts = [make.post(api, office["id"]) for _ in range(4)]
    api.put(f"/v1/asn/{people[0]['nip']}/external-ids/siasn", {"value": "A8ACA7397AEB3912"})
    return {"request_id": requests[0]["id"], "portal": portal, "code": "COM_2", "history_id": ranks[2]["id"], "unit_id": office["id"], "nip": people[0]["nip"], "programme_id": programmes[0]["id"], "session_id": sessions[0]["id"],
            "enrolment_id": enrolments[0]["id"], "period_id": periods[0]["id"], "evaluation_id": evaluations[0]["id"],
            "indicator_id": indicators[0]["id"], "import_id": imports[0].json["id"], "post_id": posts[0]["id"],
            "list": "rank-pns",
            "due_list": "retirement", "by": "rank", "system": "siasn", "value": "A8ACA7397AEB3912"}
