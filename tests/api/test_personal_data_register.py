# SPDX-License-Identifier: Apache-2.0
"""The register of processing: every operation belongs to one activity, and what it says is the office's to change."""
import pytest

from support import contract as contracts

CONTRACT = contracts.load()
LIST = "/v1/processing-activities"


def body_of(row, **changed):
    return {**{k: v for k, v in row.items() if k not in ("code", "tags", "version", "updated_at")}, **changed}


def test_every_tag_of_the_contract_stands_in_one_activity(api):
    """Whoever adds a tag says in a migration to which activity of processing it belongs."""
    used = {tag for o in CONTRACT.operations.values() for tag in o.spec["tags"]}
    named = [tag for row in api.get(f"{LIST}?limit=1000").json["data"] for tag in row["tags"]]
    assert sorted(named) == sorted(used | {t["name"] for t in CONTRACT.document["tags"]})


def test_what_article_34_asks(api):
    high = {row["code"] for row in api.get(f"{LIST}?needs_assessment=true").json["data"]}
    assert "evaluation" in high and "surveys" not in high
    assert [row["code"] for row in api.get(f"{LIST}?tag=performance").json["data"]] == ["evaluation"]


def test_it_is_described_anew(api):
    row = api.get(f"{LIST}/handover")
    now = api.put(f"{LIST}/handover", body_of(row.json, retention="Sepuluh tahun", recipients=["BKN", "ANRI"]), headers={"If-Match": row.etag}, expect=200).json
    assert (now["retention"], now["recipients"], now["tags"]) == ("Sepuluh tahun", ["BKN", "ANRI"], ["handover"]) and now["version"] == row.json["version"] + 1
    assert api.put(f"{LIST}/handover", body_of(row.json), headers={"If-Match": row.etag}, expect=412).code == "version-stale"
    assert api.get(f"{LIST}/handover").json == now


@pytest.mark.parametrize("changed, code, pointer", [
    ({"needs_assessment": True, "assessment_note": None}, "activity-unassessed", "/assessment_note"),
    ({"legal_basis": "curiosity"}, "invalid", "/legal_basis"),
    ({"purpose": ""}, "invalid", "/purpose"),
])
def test_what_is_refused(changed, code, pointer, api):
    row = api.get(f"{LIST}/handover").json
    reply = api.put(f"{LIST}/handover", body_of(row, **changed), headers={"If-Match": "*"}, expect=422)
    assert reply.code == code and list(reply.faults) == [pointer]
    assert api.get(f"{LIST}/handover").json == row


def test_only_what_is_there(api, keys):
    assert api.get(f"{LIST}/nowhere", expect=404).code == "not-found"
    row = api.get(f"{LIST}/handover").json
    assert api.put(f"{LIST}/nowhere", body_of(row), headers={"If-Match": "*"}, expect=404).code == "not-found"
    reader = api.as_key(keys("privacy.read"))
    assert reader.put(f"{LIST}/handover", body_of(row), headers={"If-Match": "*"}, expect=403).code == "forbidden"
