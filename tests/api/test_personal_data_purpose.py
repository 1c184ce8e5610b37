# SPDX-License-Identifier: Apache-2.0
"""What sensitive data are read for: told by a header, kept in the audit, and asked for where the setting says so."""
import pytest

from support import contract as contracts
from support import daemon as daemons
from support import make
from support.client import Client

CONTRACT = contracts.load()
WHY = {"Purpose": "Layanan kenaikan pangkat"}


@pytest.fixture(scope="module")
def person(api, office):
    return make.person(api, office["id"], nik="7602011501900041", phone="081234567841")


@pytest.fixture(scope="module")
def daemon_of(database):
    made = {}

    def of(setting):
        if setting not in made:
            made[setting] = daemons.Daemon(database, name=f"purpose-{setting}", purpose_required=setting)
        return made[setting]
    yield of
    for daemon in made.values():
        daemon.stop()


@pytest.fixture(scope="module")
def asked(daemon_of, keys):
    def client(setting, *scopes):
        return Client(daemon_of(setting).url, keys(*scopes))
    return client


def shows_sensitive(schema, seen=()):
    schema = CONTRACT.resolve(schema)
    if not isinstance(schema, dict) or id(schema) in seen:
        return False
    below = [*schema.get("properties", {}).values(), *schema.get("oneOf", []), *([schema["items"]] if "items" in schema else [])]
    return schema.get("x-sensitive") is True or any(shows_sensitive(s, (*seen, id(schema))) for s in below)


def test_whatever_may_show_something_sensitive_takes_it():
    """But what has just been made, which shows what the caller gave."""
    bare = []
    for operation in CONTRACT.operations.values():
        content = operation.response(operation.success).get("content", {}).get("application/json", {})
        if (operation.spec.get("x-sensitive") or shows_sensitive(content.get("schema", {}))) and operation.success != 201:
            bare += [operation.id] if not any(p["name"] == "Purpose" for p in operation.where("header")) else []
    assert bare == []


def test_it_stands_in_the_audit_and_in_ones_own_view(api, person):
    nip = person["nip"]
    request = api.get(f"/v1/asn/{nip}", headers=WHY).headers["X-Request-Id"]
    entry = next(e for e in api.get(f"/v1/audit/entries?nip={nip}&action=read").json["data"] if e["request_id"] == request)
    assert (entry["operation"], entry["purpose"]) == ("getAsn", WHY["Purpose"])
    for view in ("readings", "processing-trail"):
        assert next(e for e in api.get(f"/v1/asn/{nip}/{view}").json["data"] if e["request_id"] == request)["purpose"] == WHY["Purpose"]


def test_a_write_keeps_it_too(api, person):
    request = api.patch(f"/v1/asn/{person['nip']}", {"phone": "081234567842"}, headers={**WHY, "If-Match": "*"}).headers["X-Request-Id"]
    told = [e["purpose"] for e in api.get(f"/v1/audit/entries?nip={person['nip']}").json["data"] if e["request_id"] == request]
    assert told and set(told) == {WHY["Purpose"]}


def test_it_is_sealed_as_it_was_told(api, person, sql):
    api.get(f"/v1/asn/{person['nip']}", headers={"Purpose": "Kata \"kutip\" \\ miring"})
    sql("SELECT audit_seal_block(100000)")
    assert api.get(f"/v1/audit/entries?nip={person['nip']}&action=read&limit=1").json["data"][0]["purpose"] == "Kata \"kutip\" \\ miring"


def test_it_is_utf_8(api, person):
    api.get(f"/v1/asn/{person['nip']}", headers={"Purpose": "Pensiun – señor".encode()})
    assert api.get(f"/v1/audit/entries?nip={person['nip']}&action=read&limit=1").json["data"][0]["purpose"] == "Pensiun – señor"


@pytest.mark.parametrize("value", ["x" * 201, "tab\there", "Á".encode("latin-1")])
def test_what_is_no_purpose(value, api, person):
    assert api.get(f"/v1/asn/{person['nip']}", headers={"Purpose": value}, expect=400).code in ("parameter-invalid", "bad-request")


SENSITIVE = ["", "/personal-data", "/personal-data/pdf", "/history"]


@pytest.mark.parametrize("what", SENSITIVE)
def test_where_it_is_required_nothing_sensitive_is_read_without(what, asked, person):
    client = asked("required", "asn.read", "asn.sensitive", "asn.discipline")
    path = f"/v1/asn/{person['nip']}{what}"
    reply = client.get(path, expect=400)
    assert reply.code == "purpose-required" and "Purpose" in reply.json["detail"]
    assert client.get(path, headers=WHY).status == 200
    assert client.get("/v1/asn?limit=1", expect=400).code == "purpose-required"


def test_who_is_shown_nothing_sensitive_needs_none(asked, person):
    client = asked("required", "asn.read", "unit.read")
    for path in (f"/v1/asn/{person['nip']}", "/v1/asn?limit=1", f"/v1/asn/{person['nip']}/history", "/v1/units?limit=1"):
        assert client.get(path).status == 200


def test_a_warning_is_a_line_of_the_log(asked, daemon_of, person):
    client = asked("warn", "asn.read", "asn.sensitive")
    request = client.get(f"/v1/asn/{person['nip']}").headers["X-Request-Id"]
    client.get(f"/v1/asn/{person['nip']}", headers=WHY)
    warned = [line for line in daemon_of("warn").log_lines() if line.get("event") == "purpose-missing" or line.get("msg") == "purpose-missing"]
    assert [line["request_id"] for line in warned] == [request]


def test_another_word_is_refused_at_the_start(database):
    done = daemons.run(database, "check", check=False, ASND_PURPOSE_REQUIRED="perhaps")
    assert done.returncode != 0 and "purpose_required" in done.stderr
