# SPDX-License-Identifier: Apache-2.0
"""openapi.yaml as the tests see it: which operation a request meets, and whether a reply is what the contract promises."""
import hashlib
import json
import os
import pickle
import re
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import lru_cache
from pathlib import Path
from uuid import UUID

import yaml
from jsonschema import Draft202012Validator, FormatChecker, RefResolver

ROOT = Path(__file__).resolve().parents[2]
METHODS = ("get", "put", "post", "delete", "patch")
PROBLEM = "application/problem+json"

formats = FormatChecker(formats=())


@formats.checks("date", ValueError)
def _is_date(value):
    return not isinstance(value, str) or (date.fromisoformat(value) and len(value) == 10)


@formats.checks("date-time", ValueError)
def _is_instant(value):
    return not isinstance(value, str) or datetime.fromisoformat(value).tzinfo is not None


@formats.checks("uuid", ValueError)
def _is_uuid(value):
    return not isinstance(value, str) or str(UUID(value)) == value


@dataclass
class Operation:
    id: str
    method: str
    path: str
    spec: dict
    parameters: list
    contract: "Contract" = field(repr=False)

    @property
    def scopes(self):
        """The scopes it asks for; None when it is open to all."""
        security = self.spec.get("security", self.contract.document.get("security", []))
        return None if not security or {} in security else next(iter(security[0].values()))

    @property
    def is_write(self):
        return self.method != "get"

    def where(self, place):
        return [p for p in self.parameters if p["in"] == place]

    @property
    def body_types(self):
        return list(self.contract.resolve(self.spec.get("requestBody", {})).get("content", {}))

    @property
    def needs_body(self):
        return self.contract.resolve(self.spec.get("requestBody", {})).get("required", False)

    @property
    def success(self):
        return min(int(s) for s in self.spec["responses"] if s[0] == "2")

    def response(self, status):
        """The declared response for a status, or None."""
        responses = self.spec["responses"]
        found = responses.get(str(status)) or responses.get(f"{status // 100}XX") or responses.get("default")
        return self.contract.resolve(found) if found else None

    def success_types(self):
        return list((self.response(self.success) or {}).get("content", {}))

    def fill(self, values):
        """The path with its parameters filled in."""
        return re.sub(r"\{(\w+)\}", lambda m: str(values[m.group(1)]), self.path)


class Contract:
    def __init__(self, path=ROOT / "openapi.yaml"):
        self.document = _document(Path(path))
        self._resolver = RefResolver("", self.document)
        self.operations = {}
        for template, item in self.document["paths"].items():
            for method in METHODS:
                if method in item:
                    spec = item[method]
                    parameters = [self.resolve(p) for p in item.get("parameters", []) + spec.get("parameters", [])]
                    self.operations[spec["operationId"]] = Operation(spec["operationId"], method, template, spec, parameters, self)
        self._fine_rows = set()
        self._by_route = {(o.path, o.method): o for o in self.operations.values()}
        # By how many segments they have; fixed ones before variable ones: /v1/asn/export is not /v1/asn/{nip}.
        self._routes = {}
        for template in sorted(self.document["paths"], key=lambda t: t.count("{")):
            pattern = re.compile("^" + re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(template)) + "$")
            self._routes.setdefault(template.count("/"), []).append((pattern, template))

    @property
    def scopes(self):
        """All that the contract speaks of: of operations, what gives more there, and of members."""
        found = {scope for o in self.operations.values() for scope in (*(o.scopes or ()), *o.spec.get("x-more-scopes", ()))}
        left = [self.document]
        while left:
            node = left.pop()
            if isinstance(node, dict) and "x-scope" in node:
                found.add(node["x-scope"])
            left += [n for n in (node.values() if isinstance(node, dict) else node) if isinstance(n, (dict, list))]
        return sorted(found)

    def resolve(self, thing):
        while isinstance(thing, dict) and "$ref" in thing:
            _, thing = self._resolver.resolve(thing["$ref"])
        return thing

    @property
    def position_schema(self):
        """Of the header by which a write says where it stands."""
        return self.resolve(self.resolve({"$ref": self.document["x-position"]["reply"]})["schema"])

    def template(self, path):
        return next((t for pattern, t in self._routes.get(path.count("/"), ()) if pattern.match(path)), None)

    def match(self, method, path):
        return self._by_route.get((self.template(path), "get" if method == "HEAD" else method.lower()))

    def validator(self, schema):
        return Draft202012Validator(schema, resolver=self._resolver, format_checker=formats)

    def faults(self, schema, value):
        return [f"{'/'.join(map(str, e.absolute_path))}: {e.message[:300]}" for e in self.validator(schema).iter_errors(value)]

    def reply_faults(self, schema, value):
        """As faults() of a reply. A row that was fine is so again, in whatever page: most of what lists answer is asked for in several orders and sizes."""
        page = self.resolve(schema)
        rows = page.get("properties", {}).get("data", {}) if isinstance(page, dict) else {}
        if not (set(rows) <= {"type", "items"} and "items" in rows and set(page) <= {"type", "properties", "required", "additionalProperties", "description"}
                and isinstance(value, dict) and isinstance(value.get("data"), list)):
            return self.faults(schema, value)
        unknown = {(id(rows["items"]), json.dumps(row)): row for row in value["data"]}
        unknown = {known: row for known, row in unknown.items() if known not in self._fine_rows}
        if self.faults(schema, {**value, "data": list(unknown.values())}):
            return self.faults(schema, value)
        self._fine_rows.update(unknown)
        return []

    def row_schema(self, operation):
        """The schema of one row of a list; None for other operations."""
        content = (operation.response(operation.success) or {}).get("content", {}).get("application/json", {})
        schema = self.resolve(content.get("schema", {}))
        data = self.resolve(schema.get("properties", {}).get("data", {})) if "properties" in schema else {}
        return data.get("items")


class _Loader(yaml.CSafeLoader):
    """YAML 1.2's view of dates and of yes/no: they are text. By libyaml: in Python alone each process would take seconds for it."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag not in ("tag:yaml.org,2002:timestamp", "tag:yaml.org,2002:bool")]
    for first, resolvers in yaml.CSafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"^(?:true|false)$"), list("tf"))


def _document(path):
    """Read once by whichever process is the first: to parse it takes a second, and a run of all tests has many processes."""
    text = path.read_bytes()
    kept = ROOT / ".local" / f"contract.{hashlib.sha256(text + Path(__file__).read_bytes()).hexdigest()[:16]}.pickle"
    try:
        return pickle.loads(kept.read_bytes())
    except (OSError, EOFError, pickle.UnpicklingError):
        pass
    document = yaml.load(text.decode("utf-8"), Loader=_Loader)
    kept.parent.mkdir(exist_ok=True)
    for old in kept.parent.glob("contract.*.pickle"):
        old.unlink(missing_ok=True)
    made = kept.with_suffix(f".{os.getpid()}")
    made.write_bytes(pickle.dumps(document))
    made.replace(kept)
    return document


@lru_cache(maxsize=None)
def load():
    return Contract()
