# SPDX-License-Identifier: Apache-2.0
"""An HTTP client that believes nothing: each reply is held against the contract and noted for the coverage at the end."""
import json as jsonlib
from collections import defaultdict
from functools import cached_property

import requests
import urllib3
from requests.structures import CaseInsensitiveDict

from support import contract as contracts
from support.contract import PROBLEM

FILES = ("application/pdf", "image/jpeg", "image/png")
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

# operationId → statuses seen, over the whole run
seen = defaultdict(set)
# operationIds that wrote with success, and those of which the audit has entries
written, audited = set(), set()

# Writes that change nothing: they work something out, hold one thing against another, or answer as one of the anonymous public.
LEAVES_NO_ENTRY = {"reconcileAsn", "reconcileAsnFile", "workOutRegime", "suggestUnitIds", "answerTicket", "answerSurvey", "answerReaction"}


class Reply:
    def __init__(self, status, headers, content):
        self.status = status
        self.headers = headers
        self.bytes = content
        self.type = headers.get("Content-Type", "").split(";")[0].strip()
        self.text = content.decode("latin-1" if self.type in (XLSX, *FILES) else "utf-8") if content else ""

    @property
    def json(self):
        return jsonlib.loads(self.bytes, parse_float=_Exact)

    @property
    def etag(self):
        return self.headers["ETag"]

    @property
    def code(self):
        """The problem's code; None when this is no problem."""
        return self.json["code"] if self.type == PROBLEM else None

    @property
    def faults(self):
        """Of a problem: where → code."""
        return {e.get("pointer") or e.get("parameter") or e.get("header") or f"{e.get('line')}:{e.get('column')}": e["code"]
                for e in self.json.get("errors", [])}

    def __repr__(self):
        return f"<{self.status} {self.type} {self.text[:600]}>"


class _Exact(float):
    """A number as it was written: 2.50 is not 2.5 to a reader of decimals."""

    def __new__(cls, text):
        self = super().__new__(cls, text)
        self.text = text
        return self

    def __repr__(self):
        return self.text


class Client:
    def __init__(self, url, key=None, language="en", pool=None, **headers):
        self._url = url
        self.key = key
        self.language = language
        self.headers = headers
        self.contract = contracts.load()
        self._pool = pool or urllib3.connection_from_url(url, maxsize=10)

    @property
    def url(self):
        """Where it asks, for good: whoever asks elsewhere is another client."""
        return self._url

    @cached_property
    def session(self):
        made = requests.Session()
        made.trust_env = False
        return made

    def as_key(self, key):
        return Client(self.url, key, self.language, self._pool, **self.headers)

    def __call__(self, method, path, *, json=None, data=None, headers=None, expect=None, checked=True, timeout=60, **options):
        sent = {"Accept": None, "Accept-Encoding": None, "User-Agent": "asnd-tests", **self.headers, **(headers or {})}
        if self.language and "Accept-Language" not in sent:
            sent["Accept-Language"] = self.language
        if self.key and "Authorization" not in sent:
            sent["Authorization"] = f"Bearer {self.key}"
        if json is not None:
            data = jsonlib.dumps(json).encode()
            sent.setdefault("Content-Type", "application/merge-patch+json" if method == "PATCH" else "application/json")
        reply = self._send(method, path, data, sent, timeout, options)
        if checked:
            self.check(method, path, reply)
        operation = self.contract.match(method, path.split("?")[0])
        if operation and operation.is_write and 200 <= reply.status < 300 and "Preference-Applied" not in reply.headers:
            written.add(operation.id)
        if expect is not None:
            wanted = expect if isinstance(expect, (tuple, list, set)) else (expect,)
            assert reply.status in wanted, f"{method} {path}: wanted {expect}, got {reply}"
        return reply

    def _send(self, method, path, data, headers, timeout, options):
        """By the pool of connections below requests, which itself takes longer than all the rest of a request; by that where it is asked for what only it has."""
        if options or not (data is None or isinstance(data, bytes)) or "session" in self.__dict__:
            response = self.session.request(method, self.url + path, data=data, headers=headers, timeout=timeout, allow_redirects=False, **options)
            return Reply(response.status_code, response.headers, response.content)
        headers = {name: value for name, value in headers.items() if value is not None}
        if not data and method not in ("GET", "HEAD"):
            headers.setdefault("Content-Length", "0")
        try:
            response = self._pool.urlopen(method, path, body=data or None, headers=headers, retries=False, redirect=False, timeout=timeout, assert_same_host=False)
        except urllib3.exceptions.ReadTimeoutError as error:
            raise requests.ReadTimeout(error) from error
        except urllib3.exceptions.HTTPError as error:
            raise requests.ConnectionError(error) from error
        return Reply(response.status, CaseInsensitiveDict(response.headers), response.data)

    def get(self, path, expect=200, **options):
        return self("GET", path, expect=expect, **options)

    def post(self, path, json=None, expect=(200, 201), **options):
        return self("POST", path, json=json, expect=expect, **options)

    def patch(self, path, json, etag=None, expect=200, headers=None, **options):
        headers = {**(headers or {}), **({"If-Match": etag} if etag else {})}
        return self("PATCH", path, json=json, expect=expect, headers=headers, **options)

    def put(self, path, json, etag=None, expect=(200, 201), headers=None, **options):
        headers = {**(headers or {}), **({"If-Match": etag} if etag else {})}
        return self("PUT", path, json=json, expect=expect, headers=headers, **options)

    def delete(self, path, etag=None, expect=204, headers=None, **options):
        headers = {**(headers or {}), **({"If-Match": etag} if etag else {})}
        return self("DELETE", path, expect=expect, headers=headers, **options)

    def walk(self, path):
        """All rows of a list, page by page, and how many pages it took."""
        rows, pages = [], 0
        separator = "&" if "?" in path else "?"
        cursor = None
        while True:
            page = self.get(path + (f"{separator}cursor={cursor}" if cursor else "")).json
            rows += page["data"]
            pages += 1
            cursor = page["page"]["next"]
            if cursor is None:
                return rows, pages
            assert pages < 10000, "the pages have no end"

    # ── what every reply must be ──
    def check(self, method, path, reply):
        bare = path.split("?")[0]
        what = f"{method} {path} → {reply}"
        assert reply.headers.get("X-Request-Id"), f"no X-Request-Id: {what}"
        if reply.status >= 400:
            self._check_problem(method, reply, what)
        operation = self.contract.match(method, bare)
        if operation is None:
            assert reply.status >= 400 or method == "OPTIONS", f"the contract knows no such operation: {what}"
            return
        seen[operation.id].add(reply.status)
        if "Asnd-Position" in reply.headers:
            assert operation.is_write and reply.status < 300, f"a position where none is declared: {what}"
            assert not self.contract.faults(self.contract.position_schema, reply.headers["Asnd-Position"]), what
        response = operation.response(reply.status)
        assert response is not None, f"status {reply.status} is not declared for {operation.id}: {what}"
        if reply.status in (204, 304) or method == "HEAD":
            assert reply.bytes == b"", f"a body where none may be: {what}"
            return
        content = response.get("content", {})
        assert reply.type in content, f"content type {reply.type} is not declared for {operation.id}: {what}"
        self._check_body(operation, content[reply.type].get("schema"), reply, what)

    def _check_body(self, operation, schema, reply, what):
        if reply.type in ("application/json", PROBLEM) and schema is not None:
            faults = self.contract.reply_faults(schema, reply.json)
            assert not faults, f"the reply is not what the contract says: {faults[:5]}: {what}"
        elif reply.type == "application/x-ndjson":
            row = self.contract.row_schema(operation)
            for line in reply.text.splitlines():
                faults = self.contract.faults(row or {}, jsonlib.loads(line))
                assert not faults, f"a line is not what the contract says: {faults[:5]}: {line[:300]}"

    @staticmethod
    def _check_problem(method, reply, what):
        if method == "HEAD":
            return
        assert reply.type == PROBLEM, f"a failure that is no problem+json: {what}"
        problem = reply.json
        for member in ("type", "title", "status", "detail", "code", "request_id"):
            assert member in problem, f"the problem lacks {member}: {what}"
        assert problem["status"] == reply.status, what
        assert problem["request_id"] == reply.headers["X-Request-Id"], what
        if reply.status == 401:
            assert reply.headers.get("WWW-Authenticate", "").startswith("Bearer"), f"401 without WWW-Authenticate: {what}"
        if reply.status == 405:
            assert reply.headers.get("Allow"), f"405 without Allow: {what}"
        said = reply.text.replace(problem.get("instance") or "\0", "")  # a token in the path may spell anything
        for word in ("SELECT ", "INSERT ", "pg_", "PQ", "/src/", "SQLSTATE", "relation "):
            assert word not in said, f"the inside shows ({word!r}): {what}"


def uncovered(contract):
    """What the run never met, one line each."""
    lines = []
    for operation in contract.operations.values():
        met = seen[operation.id]
        wants = {"success": any(200 <= s < 300 for s in met), "invalid (400 or 422)": bool(met & {400, 422})}
        if operation.scopes is not None:
            wants["401"] = 401 in met
            wants["403"] = 403 in met or not operation.scopes
        if operation.where("path") and "404" in operation.spec["responses"]:
            wants["404"] = 404 in met
        lines += [f"{operation.id}: never met with {name}" for name, fine in wants.items() if not fine]
    return lines + [f"{name}: wrote, and left no entry in the audit" for name in sorted(unaudited())]


def unaudited():
    return written - audited - LEAVES_NO_ENTRY
