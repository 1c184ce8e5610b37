# SPDX-License-Identifier: Apache-2.0
"""What holds for writes: versions, Idempotency-Key, dry runs."""
import pytest

from support import make
from support.daemon import Daemon


def body(**members):
    n = make.number()
    return {"code": f"W{n:05d}", "name": f"Unit Tulis {n}", "kind": "bidang", **members}


def count(sql):
    return sql("SELECT count(*) FROM unit")[0][0]


# ── versions ──
def test_a_stale_version_is_412_and_changes_nothing(api):
    unit = make.unit(api)
    path = f"/v1/units/{unit['id']}"
    first = api.patch(path, {"name": "Pertama"}, etag=f'"{unit["version"]}"')
    reply = api.patch(path, {"name": "Kedua"}, etag=f'"{unit["version"]}"', expect=412)
    assert reply.code == "version-stale"
    assert api.get(path).json == first.json


@pytest.mark.parametrize("tag", ['"999"', '"abc"', 'W/"1"', '""', "1", '"1', "'1'"])
def test_a_version_that_never_was_is_refused(tag, api):
    unit = make.unit(api)
    reply = api.patch(f"/v1/units/{unit['id']}", {"name": "X"}, etag=tag, expect=(400, 412))
    assert api.get(f"/v1/units/{unit['id']}").json == unit, reply


def test_reading_again_costs_no_body(api):
    unit = make.unit(api)
    path = f"/v1/units/{unit['id']}"
    tag = api.get(path).etag
    for condition in (tag, f'"x", {tag}', f"W/{tag}", "*"):
        reply = api.get(path, headers={"If-None-Match": condition}, expect=304)
        assert reply.etag == tag
    for condition in ('"x"', '"x", "y"'):
        assert api.get(path, headers={"If-None-Match": condition}).json == unit


# ── Idempotency-Key ──
def test_the_same_request_again_gets_the_first_answer(api, sql):
    sent = body()
    first = api.post("/v1/units", sent, expect=201, headers={"Idempotency-Key": "sekali"})
    before = count(sql)
    again = api.post("/v1/units", sent, expect=201, headers={"Idempotency-Key": "sekali"})
    assert again.bytes == first.bytes and again.headers["Location"] == first.headers["Location"] and again.etag == first.etag
    assert again.headers["Idempotency-Replayed"] == "true" and "Idempotency-Replayed" not in first.headers
    assert count(sql) == before


def test_another_request_under_the_key_is_refused(api):
    api.post("/v1/units", body(), expect=201, headers={"Idempotency-Key": "dua"})
    reply = api.post("/v1/units", body(), expect=422, headers={"Idempotency-Key": "dua"})
    assert reply.code == "idempotency-mismatch"


def test_a_key_is_the_callers_own(api, keys):
    sent = body()
    api.post("/v1/units", sent, expect=201, headers={"Idempotency-Key": "milik-saya"})
    other = api.as_key(keys("unit.write"))
    reply = other.post("/v1/units", sent, expect=409, headers={"Idempotency-Key": "milik-saya"})
    assert "/code" in reply.faults, "the other caller is told of the conflict, not given the first one's answer"


def test_a_refused_request_leaves_its_key_free(api):
    taken = make.unit(api)
    api.post("/v1/units", body(code=taken["code"]), expect=409, headers={"Idempotency-Key": "tiga"})
    api.post("/v1/units", body(), expect=201, headers={"Idempotency-Key": "tiga"})


@pytest.mark.parametrize("key", ["", "x" * 129, "a\tb", "spasi di dalam\x7f"])
def test_a_key_that_cannot_be_is_400(key, api):
    api.post("/v1/units", body(), expect=400, headers={"Idempotency-Key": key})


def test_keys_survive_a_restart(api, database):
    sent = body()
    first = api.post("/v1/units", sent, expect=201, headers={"Idempotency-Key": "tetap"})
    other = Daemon(database, name="restarted")
    try:
        again = type(api)(other.url, api.key).post("/v1/units", sent, expect=201, headers={"Idempotency-Key": "tetap"})
        assert again.bytes == first.bytes
    finally:
        other.stop()


# ── dry runs ──
def test_a_dry_run_answers_as_if_and_stores_nothing(api, sql):
    before = count(sql)
    sent = body()
    reply = api.post("/v1/units", sent, expect=201, headers={"Prefer": "dry-run"})
    assert reply.headers["Preference-Applied"] == "dry-run"
    assert reply.json["code"] == sent["code"]
    assert "Location" not in reply.headers and "ETag" not in reply.headers, "they would name what does not exist"
    assert count(sql) == before
    api.get(f"/v1/units/{reply.json['id']}", expect=404)


def test_a_dry_run_refuses_what_would_be_refused(api):
    taken = make.unit(api)
    reply = api.post("/v1/units", body(code=taken["code"]), expect=409, headers={"Prefer": "dry-run"})
    assert "/code" in reply.faults
    api.patch(f"/v1/units/{taken['id']}", {"name": "X"}, etag='"77"', expect=412, headers={"Prefer": "dry-run"})


def test_a_dry_run_of_a_change_changes_nothing(api):
    unit = make.unit(api)
    reply = api.patch(f"/v1/units/{unit['id']}", {"name": "Andai"}, etag=f'"{unit["version"]}"', headers={"Prefer": "dry-run"})
    assert reply.json["name"] == "Andai"
    assert "ETag" not in reply.headers, "the next real version would have its number"
    assert api.get(f"/v1/units/{unit['id']}").json == unit


def test_a_dry_run_under_a_key_does_not_use_it_up(api):
    sent = body()
    api.post("/v1/units", sent, expect=201, headers={"Prefer": "dry-run", "Idempotency-Key": "andai"})
    reply = api.post("/v1/units", sent, expect=201, headers={"Idempotency-Key": "andai"})
    assert "Idempotency-Replayed" not in reply.headers
    api.get(f"/v1/units/{reply.json['id']}")
