# SPDX-License-Identifier: Apache-2.0
"""What holds around every operation: languages, request ids, traces, logs, life signs, keys that end."""
import html
import json
import re
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
import requests

from support import make
from support.daemon import planted, run

ROOT = Path(__file__).resolve().parents[2]
TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


# ── languages ──
LANGUAGES = {
    "none": (None, "id"), "indonesian": ("id", "id"), "english": ("en", "en"), "english-of-a-place": ("en-GB", "en"),
    "by-quality": ("id;q=0.3, en;q=0.8", "en"), "unknown": ("fr", "id"), "unknown-then-english": ("fr, en;q=0.5", "en"), "any": ("*", "id"),
}


@pytest.mark.parametrize("case", LANGUAGES.keys())
def test_a_problem_speaks_the_callers_language(case, api):
    header, language = LANGUAGES[case]
    problem = api("GET", "/v1/asn/199912312022031998", headers={"Accept-Language": header}).json
    assert problem["title"] == {"en": "Not found", "id": "Tidak ditemukan"}[language]
    assert problem["code"] == "not-found"


def test_faults_speak_it_too(api):
    english = api.post("/v1/units", {}, expect=422, headers={"Accept-Language": "en"}).json
    bahasa = api.post("/v1/units", {}, expect=422, headers={"Accept-Language": "id"}).json
    assert [e["code"] for e in english["errors"]] == [e["code"] for e in bahasa["errors"]]
    for one, other in zip(english["errors"], bahasa["errors"]):
        assert one["detail"] != other["detail"]
    assert english["detail"] != bahasa["detail"]


# ── ids ──
def test_a_sane_request_id_is_kept_and_another_replaced(api):
    assert api.get("/v1/units", headers={"X-Request-Id": "portal-7f3a"}).headers["X-Request-Id"] == "portal-7f3a"
    for odd in ("x" * 500, "a b", "<script>", "kutip\"dan'lain"):
        given = api.get("/v1/units", headers={"X-Request-Id": odd}).headers["X-Request-Id"]
        assert given != odd and re.fullmatch(r"[\w.:-]+", given)
    assert api.get("/v1/units").headers["X-Request-Id"] != api.get("/v1/units").headers["X-Request-Id"]


def lines_of(daemon, request_id):
    """The log lines of one request: the line comes when the reply has been sent, so a moment later."""
    end = time.monotonic() + 10
    while time.monotonic() < end:
        found = [line for line in daemon.log_lines() if line.get("request_id") == request_id and line.get("event") == "request"]
        if found:
            return found
        time.sleep(0.01)
    raise AssertionError(f"no log line of {request_id}")


def test_a_trace_reaches_the_log(api, daemon):
    api.get("/v1/units", headers={"X-Request-Id": "jejak-1", "traceparent": TRACE})
    assert lines_of(daemon, "jejak-1")[0]["trace_id"] == "4bf92f3577b34da6a3ce929d0e0e4736"
    api.get("/v1/units", headers={"X-Request-Id": "jejak-2", "traceparent": "00-zz-zz-01"})
    assert "zz" not in json.dumps(lines_of(daemon, "jejak-2"))


def test_one_line_a_request_with_what_an_operator_asks(api, daemon):
    api.get("/v1/asn/199912312022031998", expect=404, headers={"X-Request-Id": "baris-1"})
    line, = lines_of(daemon, "baris-1")
    assert (line["method"], line["operation"], line["status"], line["code"]) == ("GET", "getAsn", 404, "not-found")
    assert line["ms"] >= 0 and re.fullmatch(r"[0-9a-f-]{36}", line["key"])


def test_no_personal_datum_and_no_secret_reaches_the_log(api, daemon, keys, office):
    name = planted("Zulfikarnaen Pranotodiningrat")
    phone, nik, email = planted("081298765431"), planted("7602011501909876"), planted("rahasia.sekali@example.go.id")
    person = make.person(api, office["id"], name=name, phone=phone, nik=nik, email=email)
    planted(person["nip"])
    key = keys("admin")
    api.get("/v1/asn", params={"q": name})
    api.get(f"/v1/asn/{person['nip']}")
    api.post("/v1/asn", {"nip": person["nip"], "kind": "PNS", "name": name, "unit_id": office["id"]}, expect=409)
    api.post("/v1/asn", {"nip": person["nip"], "kind": "PNS", "name": name, "unit_id": office["id"], "rank": phone, "email": nik}, expect=422)
    api("GET", f"/v1/asn/{person['nip']}", headers={"Authorization": "Bearer " + planted("asnd_" + "Q" * 49)})
    api("GET", f"/v1/asn?q={name.replace(' ', '%20')}&nik={nik}", expect=400)
    api.patch(f"/v1/asn/{person['nip']}", {"phone": phone}, etag='"99"', expect=412)
    api.get("/v1/units", headers={"X-Request-Id": "sesudah-semua"})
    lines_of(daemon, "sesudah-semua")
    text = daemon.log_text()
    for secret in (name, name.split()[0], phone, nik, email, person["nip"], key, "Q" * 20):
        assert secret not in text


def test_every_log_line_is_one_json_object_with_time_level_event(daemon, api):
    api.get("/v1/units", headers={"X-Request-Id": "semua-baris"})
    lines_of(daemon, "semua-baris")
    for line in daemon.log_lines():
        assert {"event", "level"} <= set(line), line
        assert any(name in line for name in ("time", "ts", "at")), line


# ── life signs ──
def test_life_signs_need_no_key(anonymous):
    assert anonymous.get("/livez").json["status"] == "alive"
    assert anonymous.get("/readyz").json["status"] == "ready"


def test_metrics_count_requests(anonymous, api):
    api.get("/v1/asn/199912312022031998", expect=404)
    text = anonymous.get("/metrics", headers={"Accept": "*/*"}).text
    assert re.search(r'asnd_requests_total\{operation="getAsn",status="4xx"\} [1-9]', text)
    names = set()
    for line in text.splitlines():
        if line.startswith("# TYPE"):
            assert line.split()[2] not in names, f"declared twice: {line}"
            names.add(line.split()[2])
        elif line and not line.startswith("#"):
            assert re.fullmatch(r'[a-z_]+(\{[^}]*\})? [-+.\deE]+', line), line


def test_the_contract_is_served_in_both_forms_and_to_read(anonymous, contract):
    assert anonymous.get("/openapi.json").json["paths"].keys() == contract.document["paths"].keys()
    assert anonymous.get("/openapi.yaml").bytes == (ROOT / "openapi.yaml").read_bytes()
    text = anonymous.get("/docs").text
    for operation in contract.operations.values():
        assert operation.id in text, f"{operation.id} is not in /docs"
    assert "<script" not in text


def row_properties(contract, operation):
    """Member → schema of one row of the operation's reply."""
    schema = contract.resolve((operation.response(operation.success) or {}).get("content", {}).get("application/json", {}).get("schema", {}))
    data = schema.get("properties", {}).get("data")
    return contract.resolve(contract.resolve(data)["items"] if data else schema).get("properties", {})


def test_docs_say_of_each_value_what_is_allowed(anonymous, contract):
    page = anonymous.get("/docs").text
    sections = {part.split('"', 1)[0]: html.unescape(re.sub("<[^>]*>", "", part)) for part in page.split('<section id="')[1:]}
    for operation in contract.operations.values():
        told = sections[operation.id]
        body = next((contract.resolve(m["schema"]) for m in contract.resolve(operation.spec.get("requestBody", {})).get("content", {}).values()), {})
        for name, schema in [*((p["name"], p["schema"]) for p in operation.parameters), *body.get("properties", {}).items(), *row_properties(contract, operation).items()]:
            schema = contract.resolve(schema)
            assert name in told, (operation.id, name)
            for value in schema.get("enum", []):
                assert (value if isinstance(value, str) else json.dumps(value)) in told, (operation.id, name, value)
            for keyword, words in (("minimum", "≥ {}"), ("maximum", "≤ {}"), ("maxLength", "{} characters"), ("default", "default {}"), ("format", "({})"), ("maxItems", "{} items")):
                if keyword in schema:
                    assert words.format(schema[keyword]) in told.replace("true", "True").replace("false", "False"), (operation.id, name, keyword)
            if "pattern" in schema:
                assert contract.document["x-patterns"].get(schema["pattern"], {"en": schema["pattern"]})["en"] in told, (operation.id, name)
    for word in ("<script", "http://", "https://", "src=", "@import"):
        assert word not in page.replace("https://json-schema.org", ""), f"{word}: the page needs nothing from elsewhere"


def test_security_headers(api, anonymous):
    for reply in (api.get("/v1/units"), anonymous.get("/docs"), api("GET", "/v1/units/x")):
        assert reply.headers["X-Content-Type-Options"] == "nosniff"
    assert "no-store" in api.get("/v1/units").headers.get("Cache-Control", "no-store") or "private" in api.get("/v1/units").headers["Cache-Control"]


# ── keys ──
def key_id(database, name):
    return next(line.split("\t")[0] for line in run(database, "key", "list").stdout.splitlines() if name in line)


@pytest.fixture(scope="module")
def settings():
    return {"key_cache_ms": 200}


def test_a_revoked_key_dies_within_its_remembered_moment(api, daemon, database):
    key = daemon.create_key(name="akan-dicabut", scopes=["unit.read"])
    client = api.as_key(key)
    client.get("/v1/units")
    run(database, "key", "revoke", key_id(database, "akan-dicabut"))
    end = time.monotonic() + 10
    while client("GET", "/v1/units").status == 200:
        assert time.monotonic() < end, "it still lives"
    assert client("GET", "/v1/units").status == 401
    assert run(database, "key", "revoke", key_id(database, "akan-dicabut"), check=False).returncode == 1


def test_an_expired_key_is_401(api, daemon, sql):
    key = daemon.create_key(name="kedaluwarsa", scopes=["unit.read"], expires="2090-12-31")
    client = api.as_key(key)
    client.get("/v1/units")
    sql("UPDATE api_key SET expires_at = now() - interval '1 second' WHERE name = 'kedaluwarsa'")
    end = time.monotonic() + 10
    while client("GET", "/v1/units").status == 200:
        assert time.monotonic() < end, "it still lives"


@pytest.mark.parametrize("given, offset, ends", [
    ("2090-12-31", "480", "2090-12-31T16:00:00+00:00"), ("2090-12-31", "-210", "2091-01-01T03:30:00+00:00"),
    ("2096-02-29", "0", "2096-03-01T00:00:00+00:00"), ("2090-12-31T17:00:00+07:00", "480", "2090-12-31T10:00:00+00:00"),
    ("2090-12-31t10:00:00.5z", "480", "2090-12-31T10:00:00.500000+00:00")])
def test_a_key_ends_with_its_last_local_day_or_at_its_moment(given, offset, ends, database, sql):
    name = f"ends {given} {offset}"
    run(database, "key", "create", "--name", name, "--expires", given, ASND_UTC_OFFSET_MINUTES=offset, PGTZ="America/Lima")
    assert [row[0].astimezone(timezone.utc).isoformat() for row in sql("SELECT expires_at FROM api_key WHERE name = %s", (name,))] == [ends]
    shown = next(line for line in run(database, "key", "list", ASND_UTC_OFFSET_MINUTES=offset).stdout.splitlines() if f"\t{name}\t" in line)
    local = datetime.fromisoformat(ends).astimezone(timezone(timedelta(minutes=int(offset))))
    assert f"\t{local:%Y-%m-%d %H:%M}\t" in shown


def test_a_key_may_end_today_and_not_yesterday(database, sql):
    """By the regency's clock, which is set to the place where it is a little past noon, so that midnight does not come in between."""
    now = datetime.now(timezone.utc)
    offset = max(-720, min(840, (13 - now.hour) * 60))
    today = (now + timedelta(minutes=offset)).date()
    run(database, "key", "create", "--name", "hari ini", "--expires", str(today), ASND_UTC_OFFSET_MINUTES=str(offset))
    past = [str(today - timedelta(days=1)), (now - timedelta(seconds=1)).isoformat(), "1999-12-31", "0001-01-01"]
    for when in past:
        done = run(database, "key", "create", "--name", "kemarin", "--expires", when, check=False, ASND_UTC_OFFSET_MINUTES=str(offset))
        assert (done.returncode, done.stdout, done.stderr) == (1, "", f"asnd key: --expires {when} lies in the past.\n")
    assert sql("SELECT count(*) FROM api_key WHERE name = 'kemarin'") == [(0,)]


def test_a_key_is_stored_as_a_hash_only(daemon, sql):
    key = daemon.create_key(name="disimpan", scopes=["unit.read"])
    assert sql("SELECT count(*) FROM api_key k WHERE k::text LIKE %s", (f"%{key[5:30]}%",)) == [(0,)]


@pytest.mark.parametrize("arguments", [("--scope", "unit.read"), ("--name", "x", "--scope", "everything"), ("--name", "x", "--unit", "NOWHERE"),
                                       ("--name", "x", "--expires", "tomorrow"), ("--name", "x", "--expires", "2090-02-30"),
                                       ("--name", "x", "--expires", "2090-12-31T17:00:00"), ("--name",), ("--name", "x", "--nonsense", "y")])
def test_a_key_is_not_made_of_nonsense(arguments, database):
    done = run(database, "key", "create", *arguments, check=False)
    assert done.returncode != 0 and done.stdout == "" and done.stderr


def test_an_unquoted_ampersand_in_the_shell_is_guessed(api):
    """curl http://…?kind=bidang&limit=2 without quotes sends the first half alone: nothing to see; but a body without newlines is told."""
    reply = api("POST", "/v1/units", data=b'{"code":"A"}{"code":"B"}', headers={"Content-Type": "application/json"}, expect=400)
    assert reply.code == "bad-json"


def test_forms_of_content_type(api):
    n = make.number()
    for media_type in ("application/json", "application/json; charset=utf-8", "APPLICATION/JSON;charset=UTF-8"):
        api("POST", "/v1/units", data=f'{{"code":"CT{n}","name":"N","kind":"bidang"}}'.encode(), headers={"Content-Type": media_type, "Prefer": "dry-run"}, expect=201)
    for media_type in ("text/plain", "application/xml", "application/x-www-form-urlencoded", "application/json2", "multipart/form-data; boundary=x"):
        api("POST", "/v1/units", data=b"{}", headers={"Content-Type": media_type}, expect=415)
    reply = requests.post(api.url + "/v1/units", data=b"{}", headers={"Authorization": f"Bearer {api.key}", "Content-Type": ""}, timeout=10)
    assert reply.status_code == 415


def test_a_large_body_is_refused_before_it_is_read(api):
    reply = api("POST", "/v1/units", data=b'{"name":"' + b"x" * (2 << 20) + b'"}', headers={"Content-Type": "application/json"}, expect=413)
    assert reply.code == "body-too-large"


def test_a_long_target_is_refused(api):
    reply = api("GET", "/v1/asn?q=" + "x" * 9000, checked=False)
    assert reply.status == 414


PATHS = {"encoded-slash": "/v1%2Fasn", "dot-dot": "/v1/units/../asn", "nul": "/v1/asn/%00", "bad-percent": "/v1/asn/%zz", "not-utf8": "/v1/asn/%ff%fe",
         "quote": "/v1/asn/'", "long-nip": "/v1/asn/" + "1" * 200}


@pytest.mark.parametrize("case", PATHS.keys())
def test_odd_paths_are_refused(case, api):
    raw = requests.Request("GET", api.url, headers={"Authorization": f"Bearer {api.key}"}).prepare()
    raw.url = api.url + PATHS[case]
    reply = requests.Session().send(raw, timeout=10)
    assert reply.status_code in (400, 404), reply.text
    assert reply.headers["Content-Type"].startswith("application/problem+json")
