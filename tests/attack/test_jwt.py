# SPDX-License-Identifier: Apache-2.0
"""Forged, bent and broken tokens: none is taken, none leaves a caller behind, and none costs the daemon more than a refusal."""
import base64
import json
import random
import time

import pytest

from support import client, daemon as daemons, postgres
from support.issuer import Issuer, Key, assemble, b64, hs256
from support.wire import Wire, request

MUTATIONS = 10000


@pytest.fixture(scope="module")
def issuer():
    made = Issuer()
    yield made
    made.close()


@pytest.fixture(scope="module")
def tokens(cluster, template, issuer):
    """A daemon that takes this issuer's tokens."""
    name = cluster.create(template=template, label="jwt")
    url = cluster.database_url(name)
    running = daemons.Daemon(url, name="attack-jwt", oidc_issuer=issuer.url, oidc_audience="asnd", oidc_roles="kepegawaian=unit.read", oidc_retry_s=1,
                             key_cache_ms=0, wrong_key_rate=1000000, log_requests="false")
    yield running
    running.stop()
    cluster.drop(name)


def ask(daemon, texts):
    wire = Wire(daemon.port)
    try:
        return wire.ask([request("GET", "/v1/caller", Authorization=f"Bearer {text}") for text in texts])
    finally:
        wire.close()


def header(issuer, alg="RS256", **members):
    return {"alg": alg, "typ": "JWT", "kid": issuer.key(alg).kid, **members}


def signed(issuer, head, claims=None, alg="RS256"):
    """Honestly signed, whatever its header says."""
    return assemble(head, claims if claims is not None else issuer.claims(), issuer.key(alg).sign)


def kid(issuer, text):
    return signed(issuer, header(issuer, kid=text))


def own(issuer):
    return Key("RS256", kid="penyerang")


def exchanged(issuer, part, other):
    pieces = issuer.token().split(".")
    pieces[part] = other
    return ".".join(pieces)


def late(issuer, **offsets):
    now = int(time.time())
    return issuer.token(**{name: now + offset for name, offset in offsets.items()})


ATTACKS = {
    "none": lambda i: assemble({**header(i), "alg": "none"}, i.claims(), lambda _: b""),
    "none-but-signed": lambda i: assemble({**header(i), "alg": "none"}, i.claims(), i.key("RS256").sign),
    "none-in-capitals": lambda i: assemble({**header(i), "alg": "NONE"}, i.claims(), lambda _: b"x"),
    "without-a-signature": lambda i: i.token().rsplit(".", 1)[0] + ".",
    "two-parts": lambda i: i.token().rsplit(".", 1)[0],
    "four-parts": lambda i: i.token() + "." + i.token().split(".")[2],
    "hmac-with-the-public-key": lambda i: assemble({**header(i), "alg": "HS256"}, i.claims(), lambda text: hs256(i.key("RS256").pem(), text)),
    "hmac-with-nothing": lambda i: assemble({**header(i), "alg": "HS256"}, i.claims(), lambda text: hs256(b"", text)),
    "rs256-said-to-be-ps256": lambda i: signed(i, {**header(i), "alg": "PS256"}),
    "ps256-said-to-be-rs256": lambda i: signed(i, {**header(i, "PS256"), "alg": "RS256"}, alg="PS256"),
    "es256-said-to-be-eddsa": lambda i: signed(i, {**header(i, "ES256"), "alg": "EdDSA"}, alg="ES256"),
    "the-key-of-another-kind": lambda i: signed(i, {**header(i), "kid": i.key("ES256").kid}),
    "alg-as-a-list": lambda i: signed(i, {**header(i), "alg": ["RS256"]}),
    "alg-twice": lambda i: signed(i, json.dumps(header(i))[:-1] + ',"alg":"none"}'),
    "kid-as-a-path": lambda i: kid(i, "../../../../dev/null"),
    "kid-as-sql": lambda i: kid(i, "x' UNION SELECT 'k' --"),
    "kid-as-a-shell": lambda i: kid(i, "|/bin/true"),
    "kid-as-an-address": lambda i: kid(i, i.url + "/certs"),
    "kid-with-a-nul": lambda i: kid(i, i.key("RS256").kid + "\0"),
    "kid-as-a-number": lambda i: kid(i, 1),
    "kid-empty": lambda i: kid(i, ""),
    "kid-very-long": lambda i: kid(i, "k" * 3000),
    "jwk-of-ones-own": lambda i: assemble({"alg": "RS256", "kid": "penyerang", "jwk": own(i).jwk()}, i.claims(), own(i).sign),
    "jku-of-ones-own": lambda i: assemble({"alg": "RS256", "kid": "penyerang", "jku": "http://127.0.0.1:1/jwks"}, i.claims(), own(i).sign),
    "x5u-of-ones-own": lambda i: assemble({"alg": "RS256", "kid": "penyerang", "x5u": "http://127.0.0.1:1/x"}, i.claims(), own(i).sign),
    "crit": lambda i: signed(i, header(i, crit=["exp"])),
    "another-type": lambda i: signed(i, header(i, typ="secevent+jwt")),
    "expired": lambda i: late(i, iat=-4000, exp=-100),
    "not-yet": lambda i: late(i, nbf=600),
    "made-in-the-future": lambda i: late(i, iat=600, exp=900),
    "lives-for-ever": lambda i: late(i, exp=10 ** 9),
    "exp-as-text": lambda i: i.token(exp="9999999999"),
    "exp-missing": lambda i: i.token(exp=None),
    "exp-negative": lambda i: i.token(exp=-1),
    "exp-beyond-all": lambda i: signed(i, header(i), json.dumps(i.claims())[:-1] + ',"x":1e400}'),
    "of-another-issuer": lambda i: i.token(iss="https://example.org"),
    "issuer-with-a-tail": lambda i: i.token(iss=i.url + "/"),
    "for-another": lambda i: i.token(aud="portal-lain"),
    "for-nobody": lambda i: i.token(aud=[]),
    "audience-as-an-object": lambda i: i.token(aud={"asnd": 1}),
    "no-subject": lambda i: i.token(sub=None),
    "subject-on-two-lines": lambda i: i.token(sub="a\nb"),
    "no-jti": lambda i: i.token(jti=None),
    "nested": lambda i: signed(i, header(i, cty="JWT"), json.dumps(i.token())),
    "claims-as-a-list": lambda i: signed(i, header(i), "[]"),
    "claims-deep": lambda i: signed(i, header(i), '{"a":' * 400 + "1" + "}" * 400),
    "huge": lambda i: i.token(filler="x" * 20000),
    "padded": lambda i: i.token() + "=",
    "spaced": lambda i: i.token().replace(".", ". ", 1),
    "claims-exchanged": lambda i: exchanged(i, 1, b64(json.dumps(i.claims(sub="orang-lain")).encode())),
    "standard-base64": lambda i: exchanged(i, 2, base64.b64encode(b"\xfb\xff" * 128).decode().rstrip("=")),
    "encrypted": lambda i: ".".join(["eyJhbGciOiJSU0EtT0FFUCIsImVuYyI6IkEyNTZHQ00ifQ", "AAAA", "AAAA", "AAAA", "AAAA"]),
    "demanding-proof": lambda i: i.token(cnf={"jkt": "AAAA"}),
    "a-certificate-that-is-not-there": lambda i: i.token(cnf={"x5t#S256": b64(b"\0" * 32)}),
}


def callers(daemon):
    return postgres.query(daemon.database_url, "SELECT count(*) FROM api_key WHERE kind = 'token'")[0][0]


def test_the_honest_one_is_taken(tokens, issuer):
    assert ask(tokens, [issuer.token(alg) for alg in ("RS256", "PS256", "ES256", "EdDSA")])[0].status == 200


def test_no_attack_is_taken(tokens, issuer):
    before = callers(tokens)
    texts = {name: attack(issuer) for name, attack in ATTACKS.items()}
    got = {name: (reply.status, reply.code) for name, reply in zip(texts, ask(tokens, list(texts.values())))}
    assert got.pop("huge")[0] == 431, "the head has its limit too"
    wrong = {name: what for name, what in got.items() if what not in ((401, "unauthenticated"), (403, "forbidden"))}
    assert not wrong, wrong
    assert {name for name, (status, _) in got.items() if status == 403} <= {"a-certificate-that-is-not-there"}
    assert callers(tokens) - before <= 1, "a refused token left a caller behind"


def mutate(chance, good):
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.="
    token = chance.choice(good)
    at, change = chance.randrange(len(token)), chance.randrange(5)
    if change == 0:
        return token[:at] + chance.choice(letters.replace(token[at], "")) + token[at + 1:]
    if change == 1:
        return token[:at] + token[at + 1:]
    if change == 2:
        return token[:at] + chance.choice(letters) + token[at:]
    if change == 3:
        to = chance.randrange(len(token))
        return token[:min(at, to)] + token[max(at, to):]
    mine, other = token.split("."), chance.choice(good).split(".")
    mine[chance.randrange(3)] = other[chance.randrange(3)]
    return ".".join(mine)


def test_no_mutation_is_taken(tokens, issuer):
    """By chance with a fixed beginning; several at once on a kept connection, so that ten thousand take seconds."""
    chance = random.Random(8725)
    good = [daemons.planted(issuer.token(alg)) for alg in ("RS256", "PS256", "ES256", "EdDSA")]
    bad = [text for text in (mutate(chance, good) for _ in range(MUTATIONS)) if text not in good]
    assert len(bad) > MUTATIONS * 0.9
    before = callers(tokens)
    taken = [text for text, reply in zip(bad, ask(tokens, bad)) if reply.status != 401]
    assert taken == []
    assert callers(tokens) == before
    assert client.Client(tokens.url, good[0]).get("/v1/caller").json["kind"] == "token"
