# SPDX-License-Identifier: Apache-2.0
"""Tokens of an identity provider that this test plays itself: those that are taken and what they give; those that are not, one attack a row."""
import base64
import hashlib
import json
import random
import time

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from support import daemon as daemons, make
from support.client import Client
from support.issuer import Issuer, Key, assemble, b64, hs256

CERTIFICATE = b"a certificate of somebody"
ROLES = "kepegawaian=asn.read unit.read asn.sensitive,auditor=unit.read,kunci=key.read key.write unit.read"


@pytest.fixture(scope="module")
def issuer():
    made = Issuer()
    yield made
    made.close()


def oidc(issuer, **more):
    return {"oidc_issuer": issuer.url, "oidc_audience": "asnd, portal", "oidc_roles": ROLES, "key_cache_ms": 0, "wrong_key_rate": 1000000, **more}


@pytest.fixture(scope="module")
def settings(issuer):
    return oidc(issuer, oidc_retry_s=1, trusted_proxies="127.0.0.1", client_cert_header="X-Client-Cert")


@pytest.fixture(scope="module")
def ask(daemon):
    """GET /v1/caller with a token."""
    def asked(token, expect=200, path="/v1/caller", **options):
        reply = Client(daemon.url, token).get(path, expect=expect, **options)
        if expect == 401:
            assert reply.headers["WWW-Authenticate"] == 'Bearer error="invalid_token"' or "." not in token or reply.status != 401
        return reply
    return asked


# ── what is taken ──

@pytest.mark.parametrize("alg", ["RS256", "PS256", "ES256", "EdDSA"])
def test_a_good_token_of_each_kind_is_taken(alg, issuer, ask):
    caller = ask(issuer.token(alg)).json
    assert (caller["kind"], caller["name"], caller["scopes"]) == ("token", "operator.uji", ["asn.read", "unit.read", "asn.sensitive"])
    assert caller["nip"] is None and caller["expires_at"] is None


def test_a_key_without_alg_verifies_what_its_kind_does(issuer, ask):
    bare = Key("RS256")
    issuer.keys.append(bare)
    whole, issuer.jwks = issuer.jwks, lambda: {"keys": [k.jwk(alg=None) if k is bare else k.jwk() for k in issuer.keys]}
    try:
        until(lambda: ask(issuer.token(key=bare), expect=(200, 401)).status == 200)
        ps256 = assemble({"alg": "PS256", "kid": bare.kid}, issuer.claims(), lambda text: bare.sign(text, "PS256"))
        assert ask(ps256).status == 200
    finally:
        issuer.jwks = whole
        issuer.keys.remove(bare)


def until(look, seconds=15):
    """Asks again until it holds: a fetch that is under way ends in its own time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if look():
            return
    pytest.fail("it never came to hold")


FINE = {
    "among-several-audiences": lambda now: {"aud": ["other", "portal"]},
    "not-before-that-is-past": lambda now: {"nbf": 1},
    "a-little-late-within-the-skew": lambda now: {"iat": now - 400, "exp": now - 30},
    "a-little-early-within-the-skew": lambda now: {"iat": now + 30, "nbf": now + 30},
    "broken-seconds": lambda now: {"iat": now - 0.5, "exp": now + 3000.25},
    "roles-as-one-text": lambda now: {"realm_access": {"roles": "lain kepegawaian"}},
    "no-name": lambda now: {"preferred_username": None},
}


@pytest.mark.parametrize("claims", FINE.values(), ids=FINE)
def test_what_a_token_may_say(claims, issuer, ask):
    ask(issuer.token(**claims(int(time.time()))))


@pytest.mark.parametrize("typ", ["JWT", "jwt", "at+jwt", "application/at+jwt", None])
def test_types_that_are_known(typ, issuer, ask):
    ask(issuer.token(header={"typ": typ}))


def test_a_token_is_for_the_same_subject_the_same_caller(issuer, ask, sql, api):
    subject = {"sub": "f3d1-uji"}
    ids = {ask(issuer.token(alg, **subject)).json["id"] for alg in ("RS256", "EdDSA")} | {ask(issuer.token(**subject)).json["id"]}
    assert len(ids) == 1 and ask(issuer.token(sub="f3d1-lain")).json["id"] not in ids
    record = api.get(f"/v1/keys/{ids.pop()}").json
    assert record["kind"] == "token" and record["scopes"] == [] and record["name"] == "operator.uji"
    assert sql("SELECT issuer, subject FROM api_key WHERE subject = 'f3d1-uji'") == [(issuer.url, "f3d1-uji")]


# ── what it gives ──

def test_roles_become_scopes(issuer, ask, daemon):
    for roles, scopes in (([], []), (["tidak-dikenal"], []), (["auditor"], ["unit.read"]), (["admin"], []), ("auditor", ["unit.read"]), ({"a": 1}, []),
                          ([1, None, "auditor"], ["unit.read"]), (["asn.read"], [])):
        assert ask(issuer.token(realm_access={"roles": roles})).json["scopes"] == scopes
    auditor = issuer.token(realm_access={"roles": ["auditor"]}, units=["MJU"])
    assert Client(daemon.url, auditor).get("/v1/asn", expect=403).code == "forbidden"
    assert Client(daemon.url, auditor).get("/v1/units").json["data"]


def test_units_become_subtrees(issuer, ask, api, office):
    below = make.unit(api, office["id"])
    token = issuer.token(units=[office["code"], "TIDAK-ADA"])
    assert [u["id"] for u in ask(token).json["units"]] == [office["id"]]
    assert {u["id"] for u in ask(token, path="/v1/units").json["data"]} == {office["id"], below["id"]}
    for units in ([], ["TIDAK-ADA"], "", ['{"}', "\\"], None, [""], ["*"]):
        caller = ask(issuer.token(units=units)).json
        assert caller["units"] == [] and not caller["sees_all_units"]
        assert ask(issuer.token(units=units), path="/v1/units").json["data"] == []


def test_a_person_comes_by_his_number(issuer, ask, api, office):
    person = make.person(api, office["id"], nik="7602011501900099")
    token = issuer.token(nip=person["nip"], units=[office["code"]])
    assert ask(token).json["nip"] == person["nip"]
    assert ask(token, path=f"/v1/asn/{person['nip']}").json["nik"] == "7602011501900099", "the scope of a member holds for tokens as for keys"
    plain = issuer.token(realm_access={"roles": ["auditor"]}, units=[office["code"]])
    assert ask(plain, path="/v1/units").json["data"]


def test_what_it_writes_is_its_own(issuer, database, sql):
    """The rows that name who wrote them name the token's subject. (Who denies a token sees all units.)"""
    running = daemons.Daemon(database, name="test_tokens_writes", **oidc(issuer, oidc_units_else="all"))
    try:
        keys = Client(running.url, issuer.token(realm_access={"roles": ["kunci"]}, units=None))
        keys.post("/v1/token-denials", {"jti": "dari-token", "reason": "Uji"}, expect=201)
    finally:
        running.stop()
    assert sql("SELECT k.kind, k.name FROM token_denial d JOIN api_key k ON k.id = d.denied_by WHERE d.jti = 'dari-token'") == [("token", "operator.uji")]


# ── what is not taken: one attack a row ──

def stranger(alg="RS256", kid=None):
    return Key(alg, kid=kid)


def tampered(token, part, change):
    parts = token.split(".")
    parts[part] = change(parts[part])
    return ".".join(parts)


def reclaimed(issuer, **claims):
    """Honest signature, other claims."""
    return tampered(issuer.token(), 1, lambda _: b64(json.dumps(issuer.claims(**claims)).encode()))


def none_of(issuer, alg="none", signature=""):
    header = {"alg": alg, "typ": "JWT", "kid": issuer.key("RS256").kid}
    return f"{b64(json.dumps(header).encode())}.{b64(json.dumps(issuer.claims()).encode())}.{signature}"


def by(issuer, header, key=None, alg=None, claims=None, **options):
    key = key or issuer.key("RS256")
    head = {k: v for k, v in {"alg": key.alg, "typ": "JWT", "kid": key.kid, **header}.items() if v is not None}
    return assemble(head, claims if claims is not None else issuer.claims(), lambda text: key.sign(text, alg, **options))


def hmac_with_public_key(issuer, alg="HS256", form=lambda key: key.pem()):
    key = issuer.key("RS256")
    return assemble({"alg": alg, "kid": key.kid}, issuer.claims(), lambda text: hs256(form(key), text))


def embedded(issuer, **header):
    """Signed by a stranger who brings his key along."""
    mine = stranger(kid=issuer.key("RS256").kid)
    return by(issuer, {k: v(mine) if callable(v) else v for k, v in header.items()}, key=mine)


def doubled(issuer, text):
    """The claims as JSON text in which a member comes twice."""
    return by(issuer, {}, claims=json.dumps(issuer.claims())[:-1] + text + "}")


def nested(depth):
    return "[" * depth + "]" * depth


def now():
    return int(time.time())


ATTACKS = {
    "none": lambda i: none_of(i),
    "none-with-a-signature": lambda i: none_of(i, signature="AAAA"),
    "None": lambda i: none_of(i, alg="None", signature="AAAA"),
    "nOnE": lambda i: none_of(i, alg="nOnE", signature="AAAA"),
    "alg-empty": lambda i: none_of(i, alg="", signature="AAAA"),
    "alg-null": lambda i: by(i, {"alg": None}),
    "alg-a-list": lambda i: by(i, {"alg": ["RS256"]}),
    "alg-in-small-letters": lambda i: by(i, {"alg": "rs256"}),
    "hs256-with-the-public-pem": lambda i: hmac_with_public_key(i),
    "hs256-with-the-public-der": lambda i: hmac_with_public_key(i, form=lambda k: base64.b64decode(b"".join(k.pem().split(b"\n")[1:-2]))),
    "hs256-with-the-jwk": lambda i: hmac_with_public_key(i, form=lambda k: json.dumps(k.jwk()).encode()),
    "hs256-with-nothing": lambda i: hmac_with_public_key(i, form=lambda k: b"\0"),
    "hs256-called-rs256": lambda i: hmac_with_public_key(i, alg="RS256"),
    "rs256-by-a-key-for-ps256": lambda i: by(i, {"alg": "RS256"}, key=i.key("PS256"), alg="RS256"),
    "ps256-by-a-key-for-rs256": lambda i: by(i, {"alg": "PS256"}, alg="PS256"),
    "es256-called-rs256": lambda i: by(i, {"alg": "RS256"}, key=i.key("ES256")),
    "eddsa-called-es256": lambda i: by(i, {"alg": "ES256"}, key=i.key("EdDSA")),
    "rs512": lambda i: by(i, {"alg": "RS512"}),
    "a-strangers-key-under-our-kid": lambda i: i.token(key=stranger(kid=i.key("RS256").kid)),
    "a-strangers-ec-key-under-our-kid": lambda i: i.token(key=stranger("ES256", kid=i.key("ES256").kid)),
    "a-kid-that-is-unknown": lambda i: i.token(key=stranger()),
    "a-kid-of-another-kind": lambda i: by(i, {"kid": i.key("ES256").kid}),
    "kid-a-path": lambda i: by(i, {"kid": "../../../../etc/passwd"}),
    "kid-dev-null": lambda i: by(i, {"kid": "/dev/null"}),
    "kid-sql": lambda i: by(i, {"kid": "x' UNION SELECT 'key"}),
    "kid-a-url": lambda i: by(i, {"kid": f"{i.url}/certs"}),
    "kid-empty": lambda i: by(i, {"kid": ""}),
    "kid-absent": lambda i: by(i, {"kid": None}),
    "kid-a-number": lambda i: by(i, {"kid": 0}),
    "kid-huge": lambda i: by(i, {"kid": "k" * 2000}),
    "kid-with-an-end": lambda i: by(i, {"kid": i.key("RS256").kid + "\u0000"}),
    "kid-cut": lambda i: by(i, {"kid": i.key("RS256").kid[:-1]}),
    "jwk-in-the-header": lambda i: embedded(i, jwk=lambda k: k.jwk()),
    "jwk-and-no-kid": lambda i: embedded(i, jwk=lambda k: k.jwk(), kid=None),
    "jku-in-the-header": lambda i: embedded(i, jku=f"{i.url}/certs"),
    "x5u-in-the-header": lambda i: embedded(i, x5u=f"{i.url}/certs"),
    "x5c-in-the-header": lambda i: embedded(i, x5c=lambda k: ["MIIB"]),
    "crit": lambda i: by(i, {"crit": ["exp"]}),
    "crit-b64": lambda i: by(i, {"crit": ["b64"], "b64": False}),
    "typ-of-another-kind": lambda i: by(i, {"typ": "dpop+jwt"}),
    "typ-a-number": lambda i: by(i, {"typ": 5}),
    "expired": lambda i: i.token(iat=now() - 4000, exp=now() - 100),
    "expired-long-ago": lambda i: i.token(iat=1, exp=2),
    "no-exp": lambda i: i.token(exp=None),
    "exp-a-text": lambda i: i.token(exp=str(now() + 300)),
    "exp-true": lambda i: i.token(exp=True),
    "exp-without-end": lambda i: by(i, {}, claims=json.dumps(i.claims()).replace('"exp": ', '"exp": 1e400, "y": ')),
    "exp-in-the-year-30000": lambda i: i.token(exp=10 ** 12),
    "exp-below-zero": lambda i: i.token(exp=-1),
    "no-iat": lambda i: i.token(iat=None),
    "made-in-the-future": lambda i: i.token(iat=now() + 3600, exp=now() + 7200),
    "lives-too-long": lambda i: i.token(exp=now() + 90000),
    "ends-before-it-begins": lambda i: i.token(iat=now() + 50, exp=now() + 10),
    "not-yet": lambda i: i.token(nbf=now() + 3600),
    "nbf-a-text": lambda i: i.token(nbf="0"),
    "nbf-null": lambda i: by(i, {}, claims=json.dumps(i.claims())[:-1] + ', "nbf": null}'),
    "another-audience": lambda i: i.token(aud="other"),
    "audience-in-part": lambda i: i.token(aud="asn"),
    "audience-with-more": lambda i: i.token(aud="asnd2"),
    "audiences-as-the-setting-writes-them": lambda i: i.token(aud="asnd, portal"),
    "no-audience": lambda i: i.token(aud=None),
    "no-audience-in-the-list": lambda i: i.token(aud=[]),
    "audiences-that-are-no-texts": lambda i: i.token(aud=["asnd", 5]),
    "audience-an-object": lambda i: i.token(aud={"asnd": True}),
    "another-issuer": lambda i: i.token(iss="http://127.0.0.1/realms/uji"),
    "issuer-with-a-slash": lambda i: i.token(iss=i.url + "/"),
    "no-issuer": lambda i: i.token(iss=None),
    "issuers": lambda i: i.token(iss=[i.url]),
    "no-subject": lambda i: i.token(sub=None),
    "subject-empty": lambda i: i.token(sub=""),
    "subject-of-two-lines": lambda i: i.token(sub="a\nb"),
    "subject-too-long": lambda i: i.token(sub="s" * 256),
    "no-jti": lambda i: i.token(jti=None),
    "jti-a-number": lambda i: i.token(jti=5),
    "a-nip-that-is-none": lambda i: i.token(nip="19900115201503100"),
    "a-nip-as-a-number": lambda i: i.token(nip=199001152015031001),
    "a-nip-that-is-sql": lambda i: i.token(nip="1' OR '1'='1' ----"),
    "bound-to-an-unknown-thing": lambda i: i.token(cnf={"jkt": b64(b"x" * 32)}),
    "bound-to-nothing": lambda i: i.token(cnf={}),
    "bound-to-half-a-hash": lambda i: i.token(cnf={"x5t#S256": b64(b"x" * 16)}),
    "exp-twice": lambda i: doubled(i, f', "exp": {now() + 300}'),
    "roles-twice": lambda i: doubled(i, ', "realm_access": {"roles": ["kunci"]}'),
    "alg-twice": lambda i: assemble(f'{{"alg": "none", "alg": "RS256", "kid": "{i.key("RS256").kid}"}}', i.claims(), i.key("RS256").sign),
    "other-claims-under-the-signature": lambda i: reclaimed(i, realm_access={"roles": ["kunci"]}),
    "another-header-over-the-signature": lambda i: tampered(i.token(), 0, lambda _: b64(json.dumps({"alg": "RS256", "kid": i.key("RS256").kid}).encode())),
    "es256-as-der": lambda i: by(i, {}, key=i.key("ES256"), der=True),
    "es256-of-zeros": lambda i: assemble({"alg": "ES256", "kid": i.key("ES256").kid}, i.claims(), lambda _: bytes(64)),
    "es256-cut": lambda i: assemble({"alg": "ES256", "kid": i.key("ES256").kid}, i.claims(), lambda t: i.key("ES256").sign(t)[:63]),
    "es256-longer": lambda i: assemble({"alg": "ES256", "kid": i.key("ES256").kid}, i.claims(), lambda t: i.key("ES256").sign(t) + b"\0"),
    "eddsa-of-zeros": lambda i: assemble({"alg": "EdDSA", "kid": i.key("EdDSA").kid}, i.claims(), lambda _: bytes(64)),
    "rs256-of-zeros": lambda i: assemble({"alg": "RS256", "kid": i.key("RS256").kid}, i.claims(), lambda _: bytes(256)),
    "rs256-longer": lambda i: assemble({"alg": "RS256", "kid": i.key("RS256").kid}, i.claims(), lambda t: i.key("RS256").sign(t) + b"\0"),
    "no-signature": lambda i: i.token().rsplit(".", 1)[0] + ".",
    "two-parts": lambda i: i.token().rsplit(".", 1)[0],
    "four-parts": lambda i: i.token() + ".AAAA",
    "five-parts": lambda i: i.token() + ".AAAA.AAAA",
    "dots-alone": lambda i: "..",
    "padded": lambda i: tampered(i.token(), 1, lambda p: p + "="),
    "base64-with-plus": lambda i: tampered(i.token(), 1, lambda p: "+" + p[1:]),
    "base64-with-a-blank-inside": lambda i: tampered(i.token(), 2, lambda p: p[:9] + "%20" + p[9:]),
    "bits-behind-the-end": lambda i: tampered(i.token(), 2, lambda p: p[:-1] + ("B" if p[-1] == "A" else chr(ord(p[-1]) + 1))),
    "a-length-that-no-base64-has": lambda i: tampered(i.token(), 0, lambda p: p + "AAA"),
    "header-no-json": lambda i: assemble("{", i.claims(), i.key("RS256").sign),
    "header-a-list": lambda i: assemble("[]", i.claims(), i.key("RS256").sign),
    "claims-no-json": lambda i: by(i, {}, claims='{"sub": '),
    "claims-a-list": lambda i: by(i, {}, claims="[]"),
    "claims-a-text": lambda i: by(i, {}, claims='"asnd"'),
    "claims-with-more-behind": lambda i: by(i, {}, claims=json.dumps(i.claims()) + "{}"),
    "claims-not-utf-8": lambda i: by(i, {}, claims='{"sub": "\udcff"}'.encode("utf-8", "surrogateescape").decode("latin-1")),
    "claims-with-a-nul": lambda i: by(i, {}, claims='{"sub": "a\\u0000b"}'),
    "claims-deeply-nested": lambda i: by(i, {}, claims='{"x":' + nested(2500) + "}"),
}


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
def test_what_is_no_token_of_ours_is_refused(attack, issuer, ask, daemon):
    token = attack(issuer)
    reply = Client(daemon.url, token).get("/v1/caller", expect=401)
    assert reply.code == "unauthenticated" and reply.headers["WWW-Authenticate"].startswith("Bearer")
    assert not any(part and part in daemon.log_text() for part in token.split(".")[1:] if len(part) > 40), "the log quotes a token"


def test_a_huge_token_is_refused_at_the_door(issuer, daemon):
    assert Client(daemon.url, issuer.token(x="y" * 9000)).get("/v1/caller", expect=431).code == "head-too-large"
    assert Client(daemon.url, "." * 7000).get("/v1/caller", expect=401)


def test_a_key_is_no_token_and_a_token_no_key(issuer, ask, api):
    for text in ("asnd_AAAA.BBBB.CCCC", "asnd_" + "A" * 49, "hello", "a.b"):
        Client(api.url, text).get("/v1/caller", expect=401)


def test_no_mutation_of_a_token_is_taken(issuer, daemon):
    """A thousand times one byte changed, left out, put in or two parts exchanged, by chance with a fixed beginning."""
    chance, client = random.Random(8725), Client(daemon.url)
    good = {alg: issuer.token(alg) for alg in ("RS256", "PS256", "ES256", "EdDSA")}
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.="
    for _ in range(1000):
        token = chance.choice(list(good.values()))
        at = chance.randrange(len(token))
        change = chance.randrange(4)
        if change == 0:
            bad = token[:at] + chance.choice(letters.replace(token[at], "")) + token[at + 1:]
        elif change == 1:
            bad = token[:at] + token[at + 1:]
        elif change == 2:
            bad = token[:at] + chance.choice(letters) + token[at:]
        else:
            other = chance.choice([t for t in good.values() if t != token]).split(".")
            mine = token.split(".")
            part = chance.randrange(3)
            bad = ".".join(other[i] if i == part else mine[i] for i in range(3))
        if bad in good.values():
            continue
        client.key = bad
        assert client("GET", "/v1/caller", checked=False).status == 401, bad


# ── taken back ──

def test_a_denied_token_is_refused_and_another_of_the_subject_is_not(issuer, ask, api):
    claims = {"sub": "ditolak", "jti": "jti-ditolak"}
    token = issuer.token(**claims)
    ask(token)
    api.post("/v1/token-denials", {"jti": "jti-ditolak", "reason": "Laptop hilang"}, expect=201)
    ask(token, expect=401)
    ask(issuer.token(sub="ditolak"))


def test_the_command_line_denies_too(issuer, ask, database):
    token = issuer.token(jti="jti-cli")
    ask(token)
    daemons.run(database, "key", "deny-token", "jti-cli", "--reason", "Uji")
    ask(token, expect=401)


def test_a_subject_that_is_shut_out_gets_in_with_no_token(issuer, ask, api):
    caller = ask(issuer.token(sub="keluar")).json
    api.post(f"/v1/keys/{caller['id']}/revoke", headers={"If-Match": "*"})
    for alg in ("RS256", "ES256"):
        ask(issuer.token(alg, sub="keluar"), expect=401)


def test_what_holds_for_keys_holds_for_subjects(issuer, ask, api):
    caller = ask(issuer.token(sub="terikat")).json
    path = f"/v1/keys/{caller['id']}"
    api.patch(path, {"allow_from": ["10.9.0.0/16"]}, etag="*")
    ask(issuer.token(sub="terikat"), expect=403)
    ask(issuer.token(sub="terikat"), headers={"X-Forwarded-For": "10.9.1.1"})
    for body in ({"scopes": ["admin"]}, {"unit_ids": None}):
        assert api.patch(path, body, etag="*", expect=409).code == "key-of-token"
    assert api.post(path + "/rotate", {"overlap_hours": 1}, headers={"If-Match": "*"}, expect=409).code == "key-of-token"


def test_a_token_bound_to_a_certificate_needs_it(issuer, ask):
    token = issuer.token(cnf={"x5t#S256": b64(hashlib.sha256(CERTIFICATE).digest())})
    ask(token, expect=403)
    ask(token, headers={"X-Client-Cert": f":{base64.b64encode(CERTIFICATE).decode()}:"})
    ask(token, headers={"X-Client-Cert": f":{base64.b64encode(b'other').decode()}:"}, expect=403)


# ── keys that change ──

def test_a_new_key_is_found_by_its_kid(issuer, ask):
    fresh = Key("ES256")
    issuer.keys.append(fresh)
    until(lambda: ask(issuer.token(key=fresh), expect=(200, 401)).status == 200)
    issuer.keys.remove(fresh)


def test_a_key_that_was_withdrawn_verifies_no_more(issuer, ask):
    leaving = Key("EdDSA")
    issuer.keys.append(leaving)
    until(lambda: ask(issuer.token(key=leaving), expect=(200, 401)).status == 200)
    issuer.keys.remove(leaving)
    until(lambda: refetched(issuer, ask))
    ask(issuer.token(key=leaving), expect=401)


def refetched(issuer, ask):
    before = issuer.fetches
    ask(issuer.token(key=stranger("EdDSA")), expect=401)
    return issuer.fetches > before


KEPT = {
    "that-fails": lambda i: {"fail": True},
    "that-is-no-json": lambda i: {"document": b"<html>"},
    "that-is-too-long": lambda i: {"document": b"{" + b" " * 300000 + json.dumps(i.jwks()).encode()[1:]},
    "without-keys": lambda i: {"document": b'{"keys": []}'},
    "with-two-of-one-kid": lambda i: {"document": json.dumps({"keys": [k.jwk(kid="same") for k in i.keys]}).encode()},
    "with-a-member-twice": lambda i: {"document": json.dumps(i.jwks()).encode()[:-1] + b', "keys": []}'},
    "with-too-many-keys": lambda i: {"document": json.dumps({"keys": [i.keys[0].jwk(kid=f"k{n}") for n in range(33)]}).encode()},
    "with-shared-secrets-alone": lambda i: {"document": json.dumps({"keys": [{"kty": "oct", "kid": "x", "k": b64(b"secret" * 6), "alg": "HS256"}]}).encode()},
}


@pytest.mark.parametrize("change", KEPT.values(), ids=KEPT)
def test_the_last_good_keys_outlive_a_set(change, issuer, ask):
    before = {"fail": False, "document": None}
    for name, value in change(issuer).items():
        setattr(issuer, name, value)
    try:
        until(lambda: refetched(issuer, ask))
        ask(issuer.token())
    finally:
        for name, value in before.items():
            setattr(issuer, name, value)


UNFIT = {
    "its-private-half": lambda k: k.jwk(d=b64(b"private")),
    "for-encryption": lambda k: k.jwk(use="enc"),
    "for-signing-alone": lambda k: k.jwk(key_ops=["sign"]),
    "for-another-algorithm": lambda k: k.jwk(alg="RS512"),
    "for-hmac": lambda k: k.jwk(alg="HS256"),
    "of-another-kind": lambda k: k.jwk(kty="EC"),
    "with-an-exponent-of-one": lambda k: k.jwk(e="AQ"),
    "with-an-even-exponent": lambda k: k.jwk(e="BA"),
    "without-its-modulus": lambda k: k.jwk(n=None),
}


@pytest.mark.parametrize("unfit", UNFIT.values(), ids=UNFIT)
def test_a_key_with_a_fault_is_passed_over(unfit, issuer, ask):
    key = Key("RS256")
    issuer.document = json.dumps({"keys": [k.jwk() for k in issuer.keys] + [unfit(key)]}).encode()
    try:
        until(lambda: refetched(issuer, ask))
        ask(issuer.token(key=key), expect=401)
        ask(issuer.token())
    finally:
        issuer.document = None


def test_a_short_rsa_key_and_another_curve_are_passed_over(issuer, ask):
    short, other = Key("RS256", bits=1024), Key("ES256", curve=ec.SECP256K1)
    issuer.keys += [short, other]
    try:
        until(lambda: refetched(issuer, ask))
        ask(issuer.token(key=short), expect=401)
        ask(issuer.token(key=other), expect=401)
    finally:
        issuer.keys.remove(short)
        issuer.keys.remove(other)


def test_made_up_kids_do_not_make_us_ask_the_provider_each_time(issuer, database):
    running = daemons.Daemon(database, name="test_tokens_calm", **oidc(issuer, oidc_retry_s=3600))
    try:
        client = Client(running.url, issuer.token())
        client.get("/v1/caller")
        before = issuer.fetches
        for _ in range(40):
            client.key = issuer.token(key=stranger("EdDSA"))
            client.get("/v1/caller", expect=401)
        assert issuer.fetches == before
    finally:
        running.stop()


def test_many_wait_for_one_fetch(issuer, database):
    """The provider is slow when the first tokens come: nobody is refused for it, others are served meanwhile, and it is asked once."""
    issuer.held.clear()
    before = issuer.fetches
    running = daemons.Daemon(database, name="test_tokens_slow", **oidc(issuer, oidc_fetch_ms=20000))
    try:
        asked = [daemons.StreamReader(lambda: Client(running.url, issuer.token()).get("/v1/caller", expect=None)) for _ in range(8)]
        Client(running.url, daemons.create_key(database, scopes=["unit.read"])).get("/v1/units")
        assert all(a.is_alive() for a in asked)
        issuer.held.set()
        assert {a.get().status for a in asked} == {200}
        assert issuer.fetches == before + 1
    finally:
        issuer.held.set()
        running.stop()


def test_a_slow_provider_is_given_up(issuer, database):
    issuer.held.clear()
    running = daemons.Daemon(database, name="test_tokens_late", **oidc(issuer, oidc_fetch_ms=200, oidc_retry_s=3600))
    try:
        reply = Client(running.url, issuer.token()).get("/v1/caller", expect=503)
        assert reply.code == "unavailable" and int(reply.headers["Retry-After"]) > 0
        assert any(line["event"] == "provider-keys-failed" for line in running.log_lines())
        Client(running.url, daemons.create_key(database, scopes=["unit.read"])).get("/v1/units")
    finally:
        issuer.held.set()
        running.stop()


def test_stopping_does_not_wait_for_the_provider(issuer, database):
    issuer.held.clear()
    running = daemons.Daemon(database, name="test_tokens_stop", **oidc(issuer, oidc_fetch_ms=60000), stop_timeout_ms=100)
    waiting = daemons.StreamReader(lambda: Client(running.url, issuer.token())("GET", "/v1/caller", checked=False))
    began = time.monotonic()
    running.stop()
    assert time.monotonic() - began < 20
    issuer.held.set()
    waiting.join(30)


def test_a_discovery_document_of_another_issuer_is_not_believed(issuer, database):
    whole, issuer.configuration = issuer.configuration, lambda: {"issuer": "http://127.0.0.1/other", "jwks_uri": f"{issuer.url}/certs"}
    running = daemons.Daemon(database, name="test_tokens_other", **oidc(issuer, oidc_retry_s=3600))
    try:
        Client(running.url, issuer.token()).get("/v1/caller", expect=503)
    finally:
        issuer.configuration = whole
        running.stop()


def test_keys_from_a_file_are_read_again_for_an_unknown_kid(issuer, database, tmp_path):
    path, first, second = tmp_path / "jwks.json", Key("EdDSA"), Key("ES256")
    path.write_text(json.dumps({"keys": [first.jwk()]}), encoding="utf-8")
    running = daemons.Daemon(database, name="test_tokens_file", **oidc(issuer, oidc_jwks_file=path, oidc_retry_s=1))
    try:
        client = Client(running.url, issuer.token(key=first))
        client.get("/v1/caller")
        path.write_text(json.dumps({"keys": [first.jwk(), second.jwk()]}), encoding="utf-8")
        client.key = issuer.token(key=second)
        until(lambda: client.get("/v1/caller", expect=(200, 401)).status == 200)
    finally:
        running.stop()


def test_keys_from_an_address_need_no_discovery(issuer, database):
    running = daemons.Daemon(database, name="test_tokens_url", **oidc(issuer, oidc_jwks_url=f"{issuer.url}/certs", oidc_algorithms="ES256"))
    try:
        Client(running.url, issuer.token("ES256")).get("/v1/caller")
        Client(running.url, issuer.token("RS256")).get("/v1/caller", expect=401)
    finally:
        running.stop()


@pytest.mark.parametrize("otherwise, sees", [("all", True), ("own", False)])
def test_what_a_token_without_units_sees(otherwise, sees, issuer, database, api, office):
    person = make.person(api, office["id"])
    running = daemons.Daemon(database, name=f"test_tokens_{otherwise}", **oidc(issuer, oidc_units_else=otherwise))
    try:
        caller = Client(running.url, issuer.token(units=None, nip=person["nip"])).get("/v1/caller").json
        assert caller["sees_all_units"] is sees
        assert [u["id"] for u in caller["units"]] == ([] if sees else [office["id"]])
        nobody = Client(running.url, issuer.token(units=None, nip=make.nip())).get("/v1/caller").json
        assert nobody["units"] == [] and nobody["sees_all_units"] is sees
    finally:
        running.stop()


# ── settings that make no sense ──

SENSELESS = {
    "no-audience": ({"oidc_audience": ""}, "oidc_audience"),
    "an-issuer-in-the-open": ({"oidc_issuer": "http://example.go.id/realms/uji"}, "oidc_issuer"),
    "keys-in-the-open": ({"oidc_jwks_url": "http://example.go.id/certs"}, "oidc_jwks_url"),
    "keys-by-ftp": ({"oidc_jwks_url": "ftp://127.0.0.1/certs"}, "oidc_jwks_url"),
    "keys-with-a-password": ({"oidc_jwks_url": "https://a:b@example.go.id/certs"}, "oidc_jwks_url"),
    "no-such-file": ({"oidc_jwks_file": "/nonexistent"}, "oidc_jwks_file"),
    "hmac": ({"oidc_algorithms": "RS256,HS256"}, "oidc_algorithms"),
    "none": ({"oidc_algorithms": "none"}, "oidc_algorithms"),
    "a-role-without-scopes": ({"oidc_roles": "auditor"}, "oidc_roles"),
    "a-scope-that-nothing-knows": ({"oidc_roles": "auditor=asn.fly"}, "oidc_roles"),
    "a-role-that-nothing-knows": ({"oidc_roles": "auditor=role:inspector"}, "oidc_roles"),
    "a-pointer-that-is-none": ({"oidc_claim_nip": "nip"}, "oidc_claim_nip"),
    "units-otherwise": ({"oidc_units_else": "some"}, "oidc_units_else"),
}


@pytest.mark.parametrize("change, word", SENSELESS.values(), ids=SENSELESS)
def test_settings_that_make_no_sense_stop_the_start(change, word, issuer, database):
    environment = {f"ASND_{k.upper()}": str(v) for k, v in {**oidc(issuer), **change, "port": 0}.items()}
    done = daemons.run(database, "serve", check=False, **environment)
    assert done.returncode != 0 and word in done.stderr, done.stderr
