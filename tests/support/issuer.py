# SPDX-License-Identifier: Apache-2.0
"""A small identity provider: keys of every kind, tokens as honest or as crooked as a test wants them, and its documents over HTTP on this machine."""
import base64
import http.server
import json
import threading
import time
import uuid

from cryptography.hazmat.primitives import hashes, hmac, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa, utils


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def number(value, length=None):
    return b64(value.to_bytes(length or (value.bit_length() + 7) // 8, "big"))


class Key:
    """One signing key; `alg` is what it signs with unless told otherwise."""

    def __init__(self, alg, kid=None, bits=2048, curve=ec.SECP256R1):
        self.alg, self.kid = alg, kid or f"{alg}-{uuid.uuid4().hex[:8]}"
        if alg in ("RS256", "PS256"):
            self.private = rsa.generate_private_key(65537, bits)
        elif alg == "ES256":
            self.private = ec.generate_private_key(curve())
        else:
            self.private = ed25519.Ed25519PrivateKey.generate()
        self.public = self.private.public_key()

    def jwk(self, **members):
        base = {"kid": self.kid, "use": "sig", "alg": self.alg}
        if self.alg in ("RS256", "PS256"):
            numbers = self.public.public_numbers()
            base |= {"kty": "RSA", "n": number(numbers.n), "e": number(numbers.e)}
        elif self.alg == "ES256":
            numbers = self.public.public_numbers()
            base |= {"kty": "EC", "crv": "P-256", "x": number(numbers.x, 32), "y": number(numbers.y, 32)}
        else:
            base |= {"kty": "OKP", "crv": "Ed25519", "x": b64(self.public.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw))}
        return {k: v for k, v in (base | members).items() if v is not None}

    def pem(self):
        return self.public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)

    def sign(self, text, alg=None, der=False):
        alg = alg or self.alg
        if alg == "RS256":
            return self.private.sign(text, padding.PKCS1v15(), hashes.SHA256())
        if alg == "PS256":
            return self.private.sign(text, padding.PSS(padding.MGF1(hashes.SHA256()), 32), hashes.SHA256())
        if alg == "ES256":
            signature = self.private.sign(text, ec.ECDSA(hashes.SHA256()))
            r, s = utils.decode_dss_signature(signature)
            return signature if der else r.to_bytes(32, "big") + s.to_bytes(32, "big")
        return self.private.sign(text)


def hs256(secret, text):
    mac = hmac.HMAC(secret, hashes.SHA256())
    mac.update(text)
    return mac.finalize()


def assemble(header, claims, sign):
    """A token out of header and claims (objects, or JSON text as it stands)."""
    parts = [b64((part if isinstance(part, str) else json.dumps(part)).encode()) for part in (header, claims)]
    text = ".".join(parts)
    return f"{text}.{b64(sign(text.encode()))}"


class Issuer:
    """Serves discovery and keys. `jwks` and `configuration` are what a test makes them; `delay` keeps the next answers back until `release`."""

    def __init__(self, audience="asnd"):
        self.audience = audience
        self.keys = [Key("RS256"), Key("PS256"), Key("ES256"), Key("EdDSA")]
        self.fetches = 0
        self.fail = False
        self.held = threading.Event()
        self.held.set()
        self.document = None
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                if self.path.endswith("/openid-configuration"):
                    return self.answer(json.dumps(outer.configuration()).encode())
                outer.fetches += 1
                outer.held.wait(30)
                if outer.fail:
                    return self.send_error(500)
                return self.answer(outer.document if outer.document is not None else json.dumps(outer.jwks()).encode())

            def answer(self, body):
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                try:
                    self.wfile.write(body)
                except OSError:
                    pass  # the daemon has had enough

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/realms/uji"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def configuration(self):
        return {"issuer": self.url, "jwks_uri": f"{self.url}/certs"}

    def jwks(self):
        return {"keys": [key.jwk() for key in self.keys]}

    def key(self, alg):
        return next(k for k in self.keys if k.alg == alg)

    def claims(self, **members):
        now = int(time.time())
        base = {"iss": self.url, "aud": self.audience, "sub": f"{uuid.uuid4()}", "iat": now, "exp": now + 300, "jti": f"{uuid.uuid4()}",
                "preferred_username": "operator.uji", "realm_access": {"roles": ["kepegawaian"]}, "units": ["0"]}
        return {k: v for k, v in (base | members).items() if v is not None}

    def token(self, alg="RS256", key=None, header=None, **claims):
        key = key or self.key(alg)
        head = {k: v for k, v in ({"alg": key.alg, "typ": "JWT", "kid": key.kid} | (header or {})).items() if v is not None}
        return assemble(head, self.claims(**claims), key.sign)

    def close(self):
        self.held.set()
        self.server.shutdown()
        self.server.server_close()
