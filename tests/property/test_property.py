# SPDX-License-Identifier: Apache-2.0
"""schemathesis makes requests out of the contract, good and bad ones, and looks for a reply that the contract does not promise."""
import json
import os
import re
import subprocess
import time
from pathlib import Path

import pytest

from support import contract as contracts
from support.issuer import Issuer
from support.matrix import INTEGRATOR, Matrix

CONFIG = Path(__file__).with_name("schemathesis.toml")


# Side by side, one a core. Who uses what another makes stays with it, so that the stateful phase finds its links.
HALVES = {"growth": ["training", "needs", "collaboration", "budget", "certificates", "performance", "handover", "indices", "access", "running", "privacy"],
          "records": ["units", "asn", "history", "documents", "quality", "requests", "imports", "references", "changes", "reports",
                      "service", "survey", "complaint", "public", "audit"]}


ROLES = [role for role, facts in Matrix().roles.items() if facts.get("gives")]


@pytest.fixture(scope="module")
def issuer():
    made = Issuer()
    yield made
    made.close()


@pytest.fixture(scope="module")
def settings(issuer):
    """Rates so high that what stands behind the limit is asked too; tests/api tests the limit."""
    return {"public_rate": 1_000_000, "token_rate": 1_000_000, "key_rate": 1_000_000, "wrong_key_rate": 1_000_000, "oidc_issuer": issuer.url, "oidc_audience": "asnd",
            "oidc_roles": ",".join(f"{role}=role:{role}" for role in ROLES)}


def failures(told):
    """What schemathesis found, without the pages of hints behind it: the end of a log is what one sees first."""
    found = re.search(r"^=+ FAILURES =+$.*?(?=^=+ (?:WARNINGS|SUMMARY) =+$)", told, re.M | re.S)
    return found[0][:20000] if found else told[-20000:]


def test_every_operation_is_asked_in_one_of_the_halves():
    tags = [tag for operation in contracts.load().operations.values() for tag in operation.spec["tags"]]
    assert sorted(set(tags)) == sorted(tag for half in HALVES.values() for tag in half)


def ask(daemon, directory, *arguments, hooks="bodies.py", **environment):
    """Requests to the daemon, none of which may find a fault."""
    done = subprocess.run([os.environ["ASND_TEST_SCHEMATHESIS"], "--config-file", str(CONFIG), "run", f"{daemon.url}/openapi.json", *arguments, "--checks", "all",
                           "--seed", "20260101", "--request-timeout", "30", "--generation-database", "none", "--continue-on-failure"],
                          text=True, capture_output=True, cwd=directory, timeout=1200,
                          env={**os.environ, "NO_COLOR": "1", "PYTHONPATH": str(CONFIG.parent), "SCHEMATHESIS_HOOKS": str(CONFIG.with_name(hooks)), **environment})
    assert done.returncode == 0, f"{failures(done.stdout)}\n{done.stderr[-2000:]}"
    assert re.search(r"[1-9][\d,]* generated", done.stdout), "nothing was asked"
    return done.stdout


@pytest.mark.parametrize("half", HALVES)
def test_no_reply_is_outside_the_contract(half, daemon, keys, tmp_path):
    ask(daemon, tmp_path, "-H", f"Authorization: Bearer {keys('admin')}", *[word for tag in HALVES[half] for word in ("--include-tag", tag)],
        "--phases", "examples,coverage,fuzzing,stateful", "--max-examples", os.environ.get("ASND_TEST_EXAMPLES", "12"))
    if half != "records":
        return
    taken = {line["operation"] for line in daemon.log_lines() if line.get("status") == 200}
    assert {"importAsn", "importUnits", "importReferences", "importHistory"} <= taken, "files that the importer could read were among it"


TURNS = 5  # hypothesis ends early where it can think of few requests, so that some callers have not had theirs: they come first in the next turn


def ask_as(callers, daemon, directory, *arguments):
    """One request of each caller for each operation; who has asked what."""
    listed, asked = directory / "callers.json", directory / "asked.json"
    listed.write_text(json.dumps(callers), encoding="utf-8")
    ask(daemon, directory, *arguments, "--phases", "fuzzing", "--mode", "positive", "--no-shrink", "--max-examples", str(len(callers)), hooks="callers.py",
        ASND_TEST_CALLERS=str(listed), ASND_TEST_ASKED=str(asked))
    return json.loads(asked.read_text(encoding="utf-8"))


def test_no_reply_to_any_role_is_outside_the_contract(daemon, issuer, api, keys, tmp_path):
    """Every operation is asked by each role in turn, as a person with subordinates and an office; by a key of that office with all scopes but admin; and by nobody."""
    person = api.get("/v1/asn?limit=1").json["data"][0]
    unit = api.get(f"/v1/units/{person['unit_id']}").json
    claims = {"nip": person["nip"], "units": [unit["code"]], "exp": int(time.time()) + 80000}
    scopes = sorted({scope for operation in contracts.load().operations.values() for scope in operation.scopes or () if scope != "admin"})
    callers = [(role, issuer.token(realm_access={"roles": [role]}, **claims)) for role in ROLES]
    callers += [(INTEGRATOR, keys(*scopes, units=[unit["code"]])), ("public", None)]
    began = len(daemon.log_lines())
    met, names = {}, {name for name, _ in callers}
    lacking = {f"{o.method.upper()} {o.path}": names for o in contracts.load().operations.values() if o.scopes is not None}
    for turn in range(TURNS):
        once_more = [word for label in lacking if turn for word in ("--include-path", label.split(" ", 1)[1])]
        callers.sort(key=lambda caller: -sum(caller[0] in who for who in lacking.values()))
        for label, who in ask_as(callers, daemon, tmp_path, *once_more).items():
            met.setdefault(label, set()).update(who)
        lacking = {label: sorted(names - met.get(label, set())) for label in lacking if names - met.get(label, set())}
        if not lacking:
            break
    assert not lacking, "each has asked each operation"
    told = [line for line in daemon.log_lines()[began:] if "status" in line]
    assert {200, 401, 403, 404} <= {line["status"] for line in told}, "some were let in, others refused"
    assert not [line for line in told if line["status"] == 429], "a rate hides what is behind it"
