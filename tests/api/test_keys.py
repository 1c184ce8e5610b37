# SPDX-License-Identifier: Apache-2.0
"""Keys over the API and from the command line: given, changed, rotated, bound to places and certificates, taken back. Who may give what."""
import base64
import hashlib
from datetime import datetime, timedelta, timezone
from urllib.parse import quote

import pytest

from support import daemon as daemons, make
from support.client import Client

CERTIFICATE = b"a certificate in DER, as far as anybody here looks at it"
PRINT = hashlib.sha256(CERTIFICATE).hexdigest()
PEM = "-----BEGIN CERTIFICATE-----\n" + base64.encodebytes(CERTIFICATE).decode() + "-----END CERTIFICATE-----\n"


@pytest.fixture(scope="module")
def settings():
    return {"key_cache_ms": 0, "trusted_proxies": "127.0.0.1", "client_cert_header": "X-Client-Cert"}


def soon(**delta):
    return (datetime.now(timezone.utc) + timedelta(**delta)).strftime("%Y-%m-%dT%H:%M:%SZ")


def holder(api, made):
    return api.as_key(daemons.planted(made["secret"]))


def tagged(api, made):
    return {"If-Match": make.tag(api, f"/v1/keys/{made['id']}")}


def rotate(api, made, hours, **options):
    return api.post(f"/v1/keys/{made['id']}/rotate", {"overlap_hours": hours}, headers=tagged(api, made), **options)


# ── giving ──

def test_a_key_is_shown_once_and_works(api, sql):
    reply = api.post("/v1/keys", {"name": "Portal", "owner": "Diskominfo", "scopes": ["unit.read"]}, expect=201)
    made = reply.json
    assert reply.headers["Location"] == f"/v1/keys/{made['id']}" and len(made["secret"]) == 54
    assert "secret" not in api.get(f"/v1/keys/{made['id']}").json
    assert made["secret"] not in api.get("/v1/keys?limit=1000").text
    assert sql("SELECT hash FROM api_key WHERE id = %s", (made["id"],)) == [(hashlib.sha256(made["secret"].encode()).hexdigest(),)]
    caller = holder(api, made).get("/v1/caller").json
    assert (caller["id"], caller["kind"], caller["name"], caller["scopes"]) == (made["id"], "key", "Portal", ["unit.read"])
    assert caller["sees_all_units"] and caller["units"] == [] and caller["nip"] is None
    holder(api, made).get("/v1/asn", expect=403)


def test_a_key_for_units_says_which(api, office):
    made = make.key(api, unit_ids=[office["id"]])
    caller = holder(api, made).get("/v1/caller").json
    assert [u["id"] for u in caller["units"]] == [office["id"]] and not caller["sees_all_units"]
    assert {u["id"] for u in holder(api, made).get("/v1/units").json["data"]} == {office["id"]}


def test_a_dry_run_gives_nothing(api, sql):
    before = sql("SELECT count(*) FROM api_key")
    secret = api.post("/v1/keys", {"name": "Uji", "owner": "Uji", "scopes": []}, headers={"Prefer": "dry-run"}, expect=201).json["secret"]
    assert sql("SELECT count(*) FROM api_key") == before
    api.as_key(daemons.planted(secret)).get("/v1/caller", expect=401)


REFUSED = {
    "a-scope-that-nothing-knows": ({"scopes": ["unit.read", "unit.fly"]}, "/scopes/1", "invalid"),
    "a-network-with-bits-behind": ({"allow_from": ["10.1.2.3/16"]}, "/allow_from/0", "invalid"),
    "a-network-that-is-none": ({"allow_from": ["10.1.2.0/24", "10.1.2.300"]}, "/allow_from/1", "invalid"),
    "a-network-too-long": ({"allow_from": ["10.1.2.0/33"]}, "/allow_from/0", "invalid"),
    "a-unit-that-is-none": ({"unit_ids": ["0190ffff-ffff-7fff-bfff-ffffffffffff"]}, "/unit_ids", "reference-missing"),
    "an-end-that-is-past": ({"expires_at": "2020-01-01T00:00:00Z"}, "/expires_at", "key-ends-before-now"),
    "no-networks-at-all": ({"allow_from": []}, "/allow_from", "invalid"),
    "a-fingerprint-too-short": ({"certificate": "ab"}, "/certificate", "invalid"),
}


@pytest.mark.parametrize("members, where, code", REFUSED.values(), ids=REFUSED)
def test_what_no_key_can_be(members, where, code, api):
    body = {"name": "Uji", "owner": "Uji", "scopes": ["unit.read"], **members}
    reply = api.post("/v1/keys", body, expect=422)
    assert where in reply.faults and code in (reply.code, *reply.faults.values()), reply
    made = make.key(api)
    reply = api.patch(f"/v1/keys/{made['id']}", members, etag="*", expect=422)
    assert where in reply.faults, reply


def test_the_contract_asks_for_an_owner(api):
    assert api.post("/v1/keys", {"name": "Uji", "scopes": []}, expect=422).code == "invalid"


# ── nobody gives more than he has ──

@pytest.fixture(scope="module")
def clerk(api, office):
    return holder(api, make.key(api, scopes=["key.read", "key.write", "unit.read"], unit_ids=[office["id"]]))


def test_a_clerk_gives_what_he_has_and_no_more(api, clerk, office):
    below = make.unit(api, office["id"])
    mine = make.key(clerk, scopes=["unit.read"], unit_ids=[below["id"]])
    assert holder(clerk, mine).get("/v1/caller").json["units"][0]["id"] == below["id"]
    for scopes in (["asn.read"], ["admin"], ["unit.read", "asn.read"]):
        reply = clerk.post("/v1/keys", {"name": "Uji", "owner": "Uji", "scopes": scopes, "unit_ids": [office["id"]]}, expect=403)
        assert reply.code == "scope-not-held"
    for units in (None, [make.unit(api)["id"]], [office["id"], make.unit(api)["id"]]):
        reply = clerk.post("/v1/keys", {"name": "Uji", "owner": "Uji", "scopes": ["unit.read"], "unit_ids": units}, expect=422)
        assert reply.code == "reference-missing"
        assert "units that you see" in reply.json["errors"][0]["detail"]


def test_a_clerk_does_not_lay_hands_on_a_mightier_key(api, clerk, office):
    mighty = make.key(api, scopes=["unit.read", "asn.read"], unit_ids=[office["id"]])
    path = f"/v1/keys/{mighty['id']}"
    for reply in (clerk.patch(path, {"name": "Milik kami"}, etag="*", expect=403), clerk.post(path + "/revoke", headers={"If-Match": "*"}, expect=403),
                  clerk.patch(path, {"scopes": ["unit.read"]}, etag="*", expect=403), rotate(clerk, mighty, 0, expect=403)):
        assert reply.code == "scope-not-held"
    holder(api, mighty).get("/v1/caller")


def test_what_reaches_beyond_the_clerk_is_not_there(api, clerk):
    beyond = make.key(api)
    for reply in (clerk.get(f"/v1/keys/{beyond['id']}", expect=404), clerk.patch(f"/v1/keys/{beyond['id']}", {"name": "X"}, etag="*", expect=404),
                  clerk.post(f"/v1/keys/{beyond['id']}/revoke", headers={"If-Match": "*"}, expect=404),
                  clerk.post(f"/v1/keys/{beyond['id']}/rotate", {"overlap_hours": 1}, headers={"If-Match": "*"}, expect=404)):
        assert reply.code == "not-found"
    assert beyond["id"] not in {k["id"] for k in clerk.walk("/v1/keys?limit=100")[0]}


def test_a_key_does_not_change_itself_but_may_rotate(api, clerk):
    me = clerk.get("/v1/caller").json["id"]
    assert clerk.patch(f"/v1/keys/{me}", {"expires_at": None}, etag="*", expect=403).code == "key-own"
    fresh = clerk.post(f"/v1/keys/{me}/rotate", {"overlap_hours": 1}, headers={"If-Match": "*"}).json
    assert holder(api, fresh).get("/v1/caller").json["id"] == me
    clerk.get("/v1/caller")


# ── nor for longer, nor from elsewhere ──

HERE = ["127.0.0.1/32", "10.20.0.0/16"]
INSIDE = {"a-network": ["10.20.3.0/24"], "the-same": HERE, "an-address": ["127.0.0.1/32"]}
OUTSIDE = {"none": None, "wider": ["10.0.0.0/8"], "one-of-two": ["10.20.3.0/24", "192.168.0.0/16"], "of-another-kind": ["2001:db8::/32"]}


@pytest.fixture(scope="module")
def bound(api):
    """A key of an office that ends, and is used from two networks."""
    made = make.key(api, scopes=["key.read", "key.write", "asn.read"], allow_from=HERE, expires_at=soon(days=2))
    return holder(api, made)


def bounded(**members):
    return {"name": "Uji", "owner": "Uji", "scopes": ["asn.read"], "allow_from": ["127.0.0.1/32"], "expires_at": soon(days=1), **members}


@pytest.mark.parametrize("networks", INSIDE.values(), ids=INSIDE)
def test_a_bound_key_gives_what_is_inside_its_bounds(networks, bound):
    assert bound.post("/v1/keys", bounded(allow_from=networks), expect=201).json["allow_from"] == networks


@pytest.mark.parametrize("networks", OUTSIDE.values(), ids=OUTSIDE)
def test_a_bound_key_gives_none_for_other_networks(networks, bound):
    mine = bound.post("/v1/keys", bounded(), expect=201).json
    for reply in (bound.post("/v1/keys", bounded(allow_from=networks), expect=403), bound.patch(f"/v1/keys/{mine['id']}", {"allow_from": networks}, etag="*", expect=403)):
        assert reply.code == "bound-not-held" and list(reply.faults) == ["/allow_from"]
        assert "127.0.0.1/32, 10.20.0.0/16" in reply.text, "which bound it is"
    bound.patch(f"/v1/keys/{mine['id']}", {"allow_from": ["10.20.1.0/24"]}, etag="*", expect=200)


@pytest.mark.parametrize("days", [3, None])
def test_a_bound_key_gives_none_that_outlives_it(days, bound):
    until = days and soon(days=days)
    mine = bound.post("/v1/keys", bounded(), expect=201).json
    for reply in (bound.post("/v1/keys", bounded(expires_at=until), expect=403), bound.patch(f"/v1/keys/{mine['id']}", {"expires_at": until}, etag="*", expect=403)):
        assert reply.code == "bound-not-held" and list(reply.faults) == ["/expires_at"]
    bound.patch(f"/v1/keys/{mine['id']}", {"expires_at": soon(hours=1)}, etag="*", expect=200)


@pytest.mark.parametrize("members", [{"expires_at": None}, {"allow_from": None}], ids=["longer", "from-elsewhere"])
def test_a_bound_key_does_not_lay_hands_on_one_that_is_less_bound(members, api, bound):
    free = make.key(api, **bounded(**members))
    tries = (rotate(bound, free, 0, expect=403), bound.patch(f"/v1/keys/{free['id']}", {"name": "Milik kami"}, etag="*", expect=403),
             bound.patch(f"/v1/keys/{free['id']}", {"expires_at": soon(hours=1), "allow_from": ["127.0.0.1/32"]}, etag="*", expect=403))
    assert {reply.code for reply in tries} == {"bound-not-held"}
    assert holder(api, free).get("/v1/caller").json["id"] == free["id"]


def test_a_bound_key_rotates_itself_and_what_it_made(api, bound):
    mine = bound.post("/v1/keys", bounded(), expect=201).json
    rotate(bound, mine, 0)
    own = holder(api, make.key(api, scopes=["key.read", "key.write"], allow_from=HERE, expires_at=soon(days=2)))
    me = own.get("/v1/caller").json
    assert rotate(own, me, 1).json["expires_at"] == me["expires_at"]


# ── changing ──

def test_what_a_key_may_is_changed_and_counted(api):
    made = make.key(api)
    patched = api.patch(f"/v1/keys/{made['id']}", {"scopes": ["asn.read"], "owner": None}, etag='"1"').json
    assert (patched["scopes"], patched["owner"], patched["version"]) == (["asn.read"], None, 2)
    holder(api, made).get("/v1/units", expect=403)
    holder(api, made).get("/v1/asn")
    assert api.get(f"/v1/keys/{made['id']}").json["version"] == 2, "using a key is no change of it"
    assert api.patch(f"/v1/keys/{made['id']}", {"owner": "X"}, etag='"1"', expect=412).code == "version-stale"


def test_a_list_tells_live_ones_from_others(api):
    live, dead = make.key(api), make.key(api)
    api.post(f"/v1/keys/{dead['id']}/revoke", headers={"If-Match": "*"})
    ids = {flag: {k["id"] for k in api.walk(f"/v1/keys?limit=100&is_live={flag}")[0]} for flag in ("true", "false")}
    assert live["id"] in ids["true"] - ids["false"] and dead["id"] in ids["false"] - ids["true"]
    assert {k["kind"] for k in api.get("/v1/keys?kind=key").json["data"]} == {"key"}


def test_a_key_ends_when_it_says(api, sql):
    made = make.key(api, expires_at=soon(hours=1))
    holder(api, made).get("/v1/caller")
    sql("UPDATE api_key SET expires_at = now() - interval '1 second' WHERE id = %s", (made["id"],))
    holder(api, made).get("/v1/caller", expect=401)


# ── rotating ──

def test_both_secrets_hold_while_the_key_changes_over(api, sql):
    made = make.key(api)
    fresh = rotate(api, made, 48).json
    assert fresh["id"] == made["id"] and fresh["secret"] != made["secret"] and fresh["rotated_at"] and fresh["previous_until"]
    assert fresh["previous_used_at"] is None
    holder(api, fresh).get("/v1/caller")
    assert api.get(f"/v1/keys/{made['id']}").json["previous_used_at"] is None
    holder(api, made).get("/v1/caller")
    assert wait_for(lambda: api.get(f"/v1/keys/{made['id']}").json["previous_used_at"])
    sql("UPDATE api_key SET previous_until = now() - interval '1 second' WHERE id = %s", (made["id"],))
    holder(api, made).get("/v1/caller", expect=401)
    holder(api, fresh).get("/v1/caller")


def test_at_most_two_secrets_hold(api):
    first = make.key(api)
    second = rotate(api, first, 48).json
    third = rotate(api, first, 48).json
    holder(api, first).get("/v1/caller", expect=401)
    for one in (second, third):
        holder(api, one).get("/v1/caller")


def test_without_overlap_the_old_secret_ends_at_once(api):
    made = make.key(api)
    fresh = rotate(api, made, 0).json
    assert fresh["previous_until"] is None
    holder(api, made).get("/v1/caller", expect=401)
    holder(api, fresh).get("/v1/caller")


def test_the_old_secret_does_not_outlive_the_key(api, sql):
    made = make.key(api, expires_at=soon(hours=1))
    rotate(api, made, 48)
    sql("UPDATE api_key SET expires_at = now() - interval '1 second' WHERE id = %s", (made["id"],))
    holder(api, made).get("/v1/caller", expect=401)


def test_a_revoked_key_is_over_with_both_secrets(api):
    made = make.key(api)
    fresh = rotate(api, made, 48).json
    revoked = api.post(f"/v1/keys/{made['id']}/revoke", headers=tagged(api, made)).json
    assert revoked["revoked_at"] and revoked["previous_until"] is None
    for one in (made, fresh):
        holder(api, one).get("/v1/caller", expect=401)
    for reply in (api.post(f"/v1/keys/{made['id']}/revoke", headers={"If-Match": "*"}, expect=409), rotate(api, made, 1, expect=409),
                  api.patch(f"/v1/keys/{made['id']}", {"name": "X"}, etag="*", expect=409)):
        assert reply.code == "key-revoked"


def test_last_use_is_written_once_a_minute_at_most(api, sql):
    made = make.key(api)
    assert made["last_used_at"] is None
    client = holder(api, made)
    client.get("/v1/caller")
    used = wait_for(lambda: api.get(f"/v1/keys/{made['id']}").json["last_used_at"])
    assert used


def wait_for(look, tries=200):
    """The daemon writes uses beside the request: its own requests, one after the other, give it the time."""
    for _ in range(tries):
        if found := look():
            return found
    return None


# ── from where ──

PLACES = {
    "the-network": ("10.1.7.9", True),
    "its-first-address": ("10.1.0.0", True),
    "beside-it": ("10.2.0.1", False),
    "one-address": ("192.0.2.7", True),
    "its-neighbour": ("192.0.2.6", False),
    "ipv6": ("2001:db8::beef", True),
    "ipv6-beside": ("2001:db9::1", False),
    "ipv4-as-ipv6-writes-it": ("::ffff:10.1.7.9", True),
    "an-odd-prefix": ("172.16.31.255", True),
    "beside-the-odd-prefix": ("172.16.32.0", False),
    "no-address": ("unknown", False),
    "nothing-forwarded": (None, False),
}


@pytest.fixture(scope="module")
def placed(api):
    return holder(api, make.key(api, allow_from=["10.1.0.0/16", "192.0.2.7", "2001:db8::/32", "172.16.0.0/19"]))


@pytest.mark.parametrize("address, may", PLACES.values(), ids=PLACES)
def test_a_key_is_used_from_its_places_alone(address, may, placed):
    reply = placed.get("/v1/caller", headers={"X-Forwarded-For": address} if address else {}, expect=200 if may else 403)
    assert may or reply.code == "forbidden"


def test_what_stands_before_our_proxy_is_anybodys_claim(placed):
    placed.get("/v1/caller", headers={"X-Forwarded-For": "10.1.7.9, 203.0.113.5"}, expect=403)
    placed.get("/v1/caller", headers={"X-Forwarded-For": "203.0.113.5, 10.1.7.9"}, expect=200)


def test_without_trusted_proxies_the_peer_is_who_calls(cluster, database, api):
    made = make.key(api, allow_from=["10.1.0.0/16"])
    bound = make.key(api, certificate=PRINT)
    home = make.key(api, allow_from=["127.0.0.0/8"])
    running = daemons.Daemon(database, name="test_keys_untrusting", client_cert_header="X-Client-Cert")
    try:
        there = Client(running.url)
        there.as_key(made["secret"]).get("/v1/caller", headers={"X-Forwarded-For": "10.1.7.9"}, expect=403)
        there.as_key(bound["secret"]).get("/v1/caller", headers={"X-Client-Cert": PRINT}, expect=403)
        there.as_key(home["secret"]).get("/v1/caller")
    finally:
        running.stop()


# ── with which certificate ──

CERTIFICATES = {
    "pem-as-nginx-sends-it": (quote(PEM), True),
    "rfc-9440": (f":{base64.b64encode(CERTIFICATE).decode()}:", True),
    "its-hash": (PRINT, True),
    "its-hash-in-capitals": (PRINT.upper(), True),
    "another": (f":{base64.b64encode(b'another').decode()}:", False),
    "its-hash-cut": (PRINT[:-1], False),
    "pem-with-words-before": (quote("x" + PEM), False),
    "not-base64": (":!!!:", False),
    "half-a-pem": (quote(PEM[:60]), False),
    "an-escape-that-is-none": ("%zz", False),
    "two-of-them": (f":{base64.b64encode(CERTIFICATE).decode()}:, :{base64.b64encode(CERTIFICATE).decode()}:", False),
}


@pytest.mark.parametrize("header, may", CERTIFICATES.values(), ids=CERTIFICATES)
def test_a_bound_key_needs_its_certificate(header, may, api):
    client = holder(api, make.key(api, certificate=PRINT))
    client.get("/v1/caller", expect=403)
    client.get("/v1/caller", headers={"X-Client-Cert": header}, expect=200 if may else 403)


# ── the command line ──

def test_the_command_line_makes_and_rotates(database, api):
    made = daemons.run(database, "key", "create", "--name", "CLI", "--owner", "Bidang Data, Informasi", "--scope", "unit.read", "--allow-from", "127.0.0.1",
                       "--allow-from", "10.0.0.0/8", "--certificate", ":".join(PRINT.upper()[i:i + 2] for i in range(0, 64, 2)))
    secret = daemons.planted(made.stdout.strip())
    client = api.as_key(secret)
    caller = client.get("/v1/caller", headers={"X-Client-Cert": PRINT}).json
    record = api.get(f"/v1/keys/{caller['id']}").json
    assert (record["owner"], record["allow_from"], record["certificate"]) == ("Bidang Data, Informasi", ["127.0.0.1/32", "10.0.0.0/8"], PRINT)
    fresh = daemons.planted(daemons.run(database, "key", "rotate", caller["id"], "--overlap-hours", "0").stdout.strip())
    client.get("/v1/caller", headers={"X-Client-Cert": PRINT}, expect=401)
    api.as_key(fresh).get("/v1/caller", headers={"X-Client-Cert": PRINT})
    assert caller["id"] in daemons.run(database, "key", "list").stdout


WRONG = {"a-network": ("create", "--name", "X", "--allow-from", "10.0.0.1/8"), "a-fingerprint": ("create", "--name", "X", "--certificate", "ab"),
         "hours": ("rotate", "x", "--overlap-hours", "-1"), "an-option": ("rotate", "x", "--hours", "1"), "no-reason": ("deny-token", "x")}


@pytest.mark.parametrize("arguments", WRONG.values(), ids=WRONG)
def test_the_command_line_refuses_what_it_cannot_read(arguments, database):
    assert daemons.run(database, "key", *arguments, check=False).returncode == 2


def test_the_command_line_says_when_there_is_no_such_key(database):
    assert daemons.run(database, "key", "rotate", "0190ffff-ffff-7fff-bfff-ffffffffffff", check=False).returncode == 1


# ── denied tokens ──

def test_denying_twice_is_one_denial(api):
    first = api.post("/v1/token-denials", {"jti": "dua-kali", "reason": "Laptop hilang"}, expect=201).json
    again = api.post("/v1/token-denials", {"jti": "dua-kali", "reason": "Lain", "expires_at": soon(hours=1)}, expect=201).json
    assert again == first
    assert [d["jti"] for d in api.get("/v1/token-denials").json["data"]].count("dua-kali") == 1


def test_who_sees_some_units_denies_no_token(api, keys, office):
    """A jti does not say whose it is."""
    here = api.as_key(keys("key.write", "key.read", units=[office["code"]]))
    body = {"jti": "milik-siapa", "reason": "Laptop hilang"}
    reply = here.post("/v1/token-denials", body, expect=403)
    assert reply.code == "forbidden" and "all units" in reply.json["detail"]
    assert "milik-siapa" not in [d["jti"] for d in api.get("/v1/token-denials").json["data"]]
    api.as_key(keys("key.write")).post("/v1/token-denials", body, expect=201)
