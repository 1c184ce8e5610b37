# SPDX-License-Identifier: Apache-2.0
"""access.yaml as the tests read it, by themselves: what each role is given at each operation, of whom, and which field groups come with it."""
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
INTEGRATOR = "integrator"  # a key, which is nobody in particular
PERSONAL = ("self", "reports", "assessed", "colleagues")
WIDE = ("units", "agency", "all")

# Where a subject stands to the caller of tests/api/test_roles.py, and which rows reach it.
REACH = {
    "self": {"own"},
    "reports": {"led"},
    "assessed": {"assessed"},
    "colleagues": {"chief"},
    "units": {"own", "led", "chief", "near"},
    "agency": {"own", "led", "chief", "near", "assessed", "far"},
    "all": {"own", "led", "chief", "near", "assessed", "far", "foreign"},
}
PLACES = ("own", "led", "chief", "near", "assessed", "far", "foreign")


class Matrix:
    def __init__(self, path=ROOT / "access.yaml"):
        document = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
        self.roles, self.rows = document["roles"], document["operations"]

    def subject(self, operation):
        """Kind and name of what leads to a person, or None."""
        found = self.rows[operation].get("subject")
        return next(iter(found.items())) if found else None

    def cells(self, operation, held):
        """(role, rows) that who holds this role has: of a role that comes with it only what is asked of the subject."""
        row = self.rows[operation]
        if held == INTEGRATOR:  # by its scopes, within its units
            yield INTEGRATOR, "units"
        for role, facts in self.roles.items():
            rows = row.get(role)
            if rows and (role == held or facts.get("held_with") == held and rows in PERSONAL):
                yield role, rows

    def expected(self, operation, held, place):
        """given, hidden (as if it were not there), refused (403), own (403 own-record). `place` None: nobody is named."""
        cells = list(self.cells(operation, held))
        if not cells:
            return "refused"
        if self.rows[operation].get("own") == "never" and place == "own" and held != INTEGRATOR:
            return "own"
        if place is None:
            return "given" if any(rows in WIDE for _, rows in cells) else "refused"
        return "given" if any(place in REACH[rows] for _, rows in cells) else "hidden"

    def brought(self, operation, held, place):
        """Scopes that come with it, where it is given."""
        cells = list(self.cells(operation, held))
        widest = max((WIDE.index(rows) for _, rows in cells if rows in WIDE), default=-1)
        scopes = set()
        for role, rows in cells:
            if rows in PERSONAL and place in REACH[rows]:
                scopes |= set(self.roles[role].get("gives", []))
            elif rows in WIDE and WIDE.index(rows) == widest and not self.roles[role].get("is_personal") and (place is None or place in REACH[rows]):
                scopes |= set(self.roles[role].get("gives", []))
        return scopes


def fields_of(contract, operation):
    """Scopes that change what it shows or takes: x-more-scopes, and x-scope of the members of its rows and of its body."""
    found = set(operation.spec.get("x-more-scopes", []))
    for content in (contract.resolve(operation.spec.get("requestBody", {})).get("content", {}), operation.response(operation.success).get("content", {})):
        for media in content.values():
            found |= {m["x-scope"] for m in members(contract, media.get("schema", {})).values() if "x-scope" in m}
    return found


def members(contract, schema):
    """name → schema of the members of an object, or of a list's rows."""
    schema = contract.resolve(schema)
    found = {}
    for part in schema.get("allOf", []):
        found |= members(contract, part)
    for name, member in schema.get("properties", {}).items():
        found[name] = {**contract.resolve(member), **{k: v for k, v in member.items() if k != "$ref"}}
    data = schema.get("properties", {}).get("data")
    return members(contract, contract.resolve(data)["items"]) if data and "items" in contract.resolve(data) else found
