# SPDX-License-Identifier: Apache-2.0
"""Makes things through the API, with whatever a test does not care about filled in. All people are invented."""
import itertools
from datetime import date, timedelta

_numbers = itertools.count(1)
_years = itertools.count(1)


def number():
    return next(_numbers)


def nip(n=None, sex=1, birth="19900115", appointed="201503"):
    """A PNS's number that no other call gives: the sequence counts up, and from 999 on the birth day moves."""
    n = n if n is not None else number()
    day = date.fromisoformat(f"{birth[:4]}-{birth[4:6]}-{birth[6:]}") + timedelta(days=n // 999)
    return f"{day:%Y%m%d}{appointed}{sex}{n % 999 + 1:03d}"


def unit(api, parent=None, **members):
    n = number()
    body = {"code": f"T{n:05d}", "name": f"Bidang Uji {n}", "kind": "bidang", "parent_id": parent, **members}
    return api.post("/v1/units", body, expect=201).json


def person(api, unit_id, **members):
    n = number()
    body = {"nip": nip(), "kind": "PNS", "name": f"Pegawai Uji {n}", "unit_id": unit_id, **members}
    return api.post("/v1/asn", body, expect=201).json


def history(api, nip_, kind, facts, start, **members):
    return api.post(f"/v1/asn/{nip_}/history", {"kind": kind, "from": start, "facts": facts, **members}).json


def request(api, nip_, **members):
    change = {} if "history" in members else {"record": {"birth_place": "Mamuju"}}
    return api.post("/v1/change-requests", {"nip": nip_, "proof_reference": "Surat 1/2026", **change, **members}, expect=201).json


def post(api, unit_id, **members):
    body = {"unit_id": unit_id, "position_kind": "pelaksana", "position": f"Jabatan Uji {number()}", "posts": 2, **members}
    return api.post("/v1/posts", body, expect=201).json


def programme(api, **members):
    n = number()
    body = {"code": f"P{n:05d}", "name": f"Pelatihan Uji {n}", "form": "B3", "family": "teknis", "jp": 20, "organiser": "BKPSDM Uji", **members}
    return api.post("/v1/programmes", body, expect=201).json


def days(start=30, length=3):
    """Days of a session, counted from today."""
    first = date.today() + timedelta(days=start)
    return {"starts_on": first.isoformat(), "ends_on": (first + timedelta(days=length - 1)).isoformat()}


def session(api, programme_id=None, start=30, length=3, **members):
    programme_id = programme_id or programme(api)["id"]
    body = {"programme_id": programme_id, "title": f"Angkatan {number()}", "capacity": 10, **days(start, length), **members}
    return api.post("/v1/sessions", body, expect=201).json


def enrol(api, session_id, nip_, expect=201, **options):
    return api.post("/v1/enrolments", {"session_id": session_id, "nip": nip_}, expect=expect, **options).json


def period(api, **members):
    """A yearly period of a year that no other call gives."""
    year = 1901 + next(_years) % 198
    body = {"name": f"Tahun {year}", "kind": "tahunan", "starts_on": f"{year}-01-01", "ends_on": f"{year}-12-31", **members}
    return api.post("/v1/periods", body, expect=201).json


def evaluation(api, nip_, period_id, **members):
    return api.post("/v1/evaluations", {"nip": nip_, "period_id": period_id, **members}, expect=201).json


def indicator(api, evaluation_id, **members):
    body = {"name": f"Indikator {number()}", "direction": "maximize", "target": 90, "actual": 95.5, "weight": 60, **members}
    return api.post(f"/v1/evaluations/{evaluation_id}/indicators", body, expect=201).json


def tag(api, path):
    return api.get(path).etag
