# SPDX-License-Identifier: Apache-2.0
"""Who did what with whose data: every write leaves an entry, and every reading of what is sensitive, or it is not given."""
import hashlib
import json
import re
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from support import daemon as daemons
from support import make
from support import postgres
from test_preconditions import CONDITIONAL, target, write

NIK, PHONE, EMAIL = "7602011501900001", "081234567890", "uji.audit@example.go.id"


@pytest.fixture
def since(sql):
    """Entries of one moment: called, it gives those that came since the test began, or since it was called last."""
    last = [sql("SELECT coalesce(max(id), 0) FROM audit_entry")[0][0]]

    def look(operation=None, **members):
        rows = sql("SELECT id, asn_id::text, people::text[], content FROM audit_entry WHERE id > %s ORDER BY id", (last[0],))
        last[0] = max([last[0], *(r[0] for r in rows)])
        told = [{**json.loads(r[3]), "_asn_id": r[1], "_people": r[2]} for r in rows]
        return [e for e in told if operation in (None, e["operation"]) and all(e.get(k) == v for k, v in members.items())]
    return look


@pytest.fixture(scope="module")
def known(api, office):
    return make.person(api, office["id"], nik=NIK, phone=PHONE, email=EMAIL)


@pytest.fixture(scope="module")
def full(api, keys):
    return api.as_key(keys("asn.read", "asn.sensitive", "asn.write", "unit.read"))


@pytest.fixture(scope="module")
def plain(api, keys):
    return api.as_key(keys("asn.read", "asn.write", "unit.read"))


# ── writes ──
def test_a_change_tells_who_what_whom_and_from_where(api, office, since, sql):
    person = make.person(api, office["id"], phone="081234567891")
    since()
    reply = api.patch(f"/v1/asn/{person['nip']}", {"phone": "081234567892", "birth_place": "Majene"}, etag="*")
    entry = since("updateAsn", entity="asn")[0]
    key = sql("SELECT id::text, name FROM api_key WHERE id::text = %s", (entry["actor"],))[0]
    assert (entry["kind"], entry["name"], entry["client"]) == ("key", key[1], "127.0.0.1")
    assert entry["request"] == reply.headers["X-Request-Id"]
    assert (entry["action"], entry["subject"], entry["person"]) == ("update", person["id"], person["id"])
    assert entry["after"]["birth_place"] == "Majene" and entry["after"]["phone"].startswith("#")
    assert entry["before"].keys() >= {"phone", "version"} and "name" not in entry["after"]


def test_a_reason_is_kept_whole_characters_long(api, office, since):
    nip = make.person(api, office["id"])["nip"]
    row = make.history(api, nip, "rank", {"rank": "III/a"}, "2020-04-01")
    since()
    api.post(f"/v1/asn/{nip}/history/{row['id']}/annul", {"reason": "“" * 400}, headers={"If-Match": "*"})
    assert since("annulHistory", entity="history")[0]["reason"] == "“" * 166


def test_what_is_refused_or_tried_leaves_nothing(api, office, since):
    person = make.person(api, office["id"])
    since()
    api.patch(f"/v1/asn/{person['nip']}", {"birth_place": "Majene"}, etag='"999999"', expect=412)
    api.patch(f"/v1/asn/{person['nip']}", {"birth_place": "Majene"}, etag="*", headers={"Prefer": "dry-run"})
    api.post("/v1/units", {"code": "", "name": "X", "kind": "dinas"}, expect=422)
    assert since() == []


def test_a_write_through_a_pipeline_with_neighbours_has_its_own_name(api, keys, office, since):
    """Plain writes share connections; what one says of itself holds for its own transaction."""
    callers = [api.as_key(keys("unit.write", "unit.read", "asn.read" if n % 2 else "asn.write")) for n in range(2)]
    since()

    def one(n):
        return n % 2, callers[n % 2].post("/v1/units", {"code": f"AUD{n}-{office['code']}", "name": "Unit Uji", "kind": "bidang", "parent_id": office["id"]}, expect=201)
    with ThreadPoolExecutor(8) as pool:
        made = {reply.json["id"]: (who, reply.headers["X-Request-Id"]) for who, reply in pool.map(one, range(40))}
    told = since("createUnit", entity="unit", action="create")
    assert {e["subject"]: e["request"] for e in told} == {unit: request for unit, (_, request) in made.items()}
    names = [{e["actor"] for e in told if made[e["subject"]][0] == who} for who in (0, 1)]
    assert [len(n) for n in names] == [1, 1] and names[0] != names[1]


def test_imports_and_subcommands_are_audited_too(api, office, since, database, tmp_path):
    nip = make.nip()
    api("POST", "/v1/asn/import", data=f"nip,kind,name,unit_code,nik\n{nip},PNS,Baris Uji,{office['code']},{NIK}\n".encode(), headers={"Content-Type": "text/csv"}, expect=200)
    told = since("importAsn")
    assert {"asn", "import"} <= {e.get("entity") for e in told} and {e["kind"] for e in told} == {"key"}
    path = tmp_path / "asn.csv"
    path.write_text(f"nip,kind,name,unit_code\n{make.nip()},PNS,Baris Lain,{office['code']}\n", encoding="utf-8")
    daemons.run(database, "import", "asn", path)
    told = since("asnd import")
    assert {e["kind"] for e in told} == {"cli"} and all(e["actor"].startswith("cli:") for e in told) and any(e["entity"] == "asn" for e in told)
    daemons.create_key(database, name="kunci audit", scopes=("asn.read",))
    (made,) = since("asnd key")
    assert made["entity"] == "api_key" and made["after"]["hash"] == "***" and made["after"]["name"] == "kunci audit"


def test_every_write_with_a_condition_leaves_an_entry(api, world, sql):
    """As test_preconditions asks them. Of all writes that any test makes the run looks at its end whether there were entries: tests/support/client.py."""
    for operation in CONDITIONAL:
        assert write(api, target(api, world, operation), "*").status in (200, 204), operation
    met = {name for name, in sql("SELECT DISTINCT operation FROM audit_entry")}
    assert set(CONDITIONAL) - met == set()


# ── readings ──
def test_whoever_is_shown_something_sensitive_leaves_an_entry(full, plain, known, since, sql):
    since()
    reply = full.get(f"/v1/asn/{known['nip']}")
    (entry,) = since("getAsn")
    assert reply.json["nik"] == NIK
    assert (entry["action"], entry["person"], entry["members"], entry["count"]) == ("read", known["id"], ["nik", "email", "phone"], 1)
    assert entry["request"] == reply.headers["X-Request-Id"] and entry["_people"] is None
    plain.get(f"/v1/asn/{known['nip']}")
    assert since() == [], "to whom nothing sensitive is shown, nothing is noted"
    full.get(f"/v1/asn?q={known['nip']}&fields=nip,name")
    assert since() == [], "nor who does not ask for it"


def test_who_has_nothing_sensitive_leaves_nothing(full, api, office, since):
    nobody = make.person(api, office["id"])
    since()
    full.get(f"/v1/asn/{nobody['nip']}")
    assert since() == []


def test_a_list_names_all_whom_it_showed(api, full, since):
    office = make.unit(api)
    people = [make.person(api, office["id"], phone=f"08123456{n:04d}") for n in range(3)]
    make.person(api, office["id"])
    since()
    rows = full.get(f"/v1/asn?unit_id={office['id']}&q=pegawai&limit=1000").json["data"]
    (entry,) = since("listAsn")
    shown = [row for row in rows if row["phone"]]
    assert sorted(entry["people"]) == sorted(entry["_people"]) == sorted(p["id"] for p in people) and entry["count"] == 3 and entry["_asn_id"] is None
    assert entry["digest"] == hashlib.sha256("".join(row["nip"] + "\n" for row in shown).encode()).hexdigest()
    assert entry["filter"]["unit_id"] == office["id"] and re.fullmatch("#[0-9a-f]{32}", entry["filter"]["q"]), "what was searched for may be somebody's name"
    page = full.get(f"/v1/asn?unit_id={office['id']}&limit=1").json
    told = since("listAsn")
    assert [e["count"] for e in told] == ([1] if page["data"][0]["phone"] else []), "the row behind the page was not shown"


@pytest.mark.parametrize("form", ["text/csv", "application/x-ndjson", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"])
def test_a_download_is_noted_before_it_begins_and_when_it_is_known_whom_it_showed(form, full, known, office, since):
    since()
    full.get(f"/v1/asn?unit_id={office['id']}", headers={"Accept": form})
    first, last = since("listAsn")
    assert "count" not in first and first["members"] == ["email", "phone", "nik_warnings"], "the NIK is masked"
    assert last["count"] >= 1 and known["id"] in (last["_people"] or [last["_asn_id"]])


def test_a_write_that_shows_what_was_there_is_a_reading_too(full, api, office, since):
    person = make.person(api, office["id"], nik=NIK)
    since()
    full.patch(f"/v1/asn/{person['nip']}", {"birth_place": "Majene"}, etag="*")
    assert [e["members"] for e in since("updateAsn", action="read")] == [["nik"]]
    full.patch(f"/v1/asn/{person['nip']}", {"birth_place": "Mamuju"}, etag="*", headers={"Prefer": "dry-run"})
    assert [e["action"] for e in since()] == ["read"], "a dry run leaves nothing but that it was seen"


def test_a_kept_answer_that_is_given_again_is_a_reading(api, full, office, since):
    body = {"nip": make.nip(), "kind": "PNS", "name": "Baru", "unit_id": office["id"], "nik": NIK}
    first = full.post("/v1/asn", body, headers={"Idempotency-Key": "audit-" + body["nip"]}, expect=201)
    assert since("createAsn", action="read") == []
    again = full.post("/v1/asn", body, headers={"Idempotency-Key": "audit-" + body["nip"]}, expect=201)
    assert again.bytes == first.bytes and [e["action"] for e in since("createAsn")] == ["read"]


def test_discipline_is_sensitive_as_a_whole(api, keys, office, since):
    nip = make.person(api, office["id"])["nip"]
    row = make.history(api, nip, "discipline", {"level": "ringan", "punishment": "21"}, "2024-04-01")
    judge, other = api.as_key(keys("asn.read", "asn.discipline")), api.as_key(keys("asn.read"))
    since()
    judge.get(f"/v1/asn/{nip}/history/{row['id']}")
    judge.get(f"/v1/asn/{nip}/history?kind=discipline")
    assert [(e["operation"], e["members"], e["count"]) for e in since()] == [("getHistory", [], 1), ("listHistory", [], 1)]
    judge.get(f"/v1/asn/{nip}/history?kind=placement")
    other.get(f"/v1/asn/{nip}/history")
    assert since() == []


def test_a_document_is_noted_before_its_bytes_leave(api, keys, office, since):
    person = make.person(api, office["id"])
    document = make.document(api, person["nip"])
    reader = api.as_key(keys("document.read"))
    since()
    reader.get(f"/v1/documents/{document['id']}/content")
    (entry,) = since("getDocumentContent")
    assert (entry["action"], entry["entity"], entry["subject"], entry["_asn_id"]) == ("read", "document_id", document["id"], person["id"])
    reader.get("/v1/documents/0190ffff-ffff-7fff-bfff-ffffffffffff/content", expect=404)
    assert since() == []


@pytest.fixture
def together(api, full, database):
    """Replies to GETs that are all held at once: no entry is written until each waits for its own."""
    def ask(nips):
        with ThreadPoolExecutor(len(nips)) as pool:
            with postgres.connected(database, autocommit=False) as connection, connection.cursor() as cursor:
                cursor.execute("LOCK TABLE audit_entry IN SHARE ROW EXCLUSIVE MODE")
                asked = [pool.submit(full.get, f"/v1/asn/{nip}", expect=None) for nip in nips]
                end = time.monotonic() + 60
                while f"asnd_readings_held {len(nips)}" not in api.get("/metrics", headers={"Accept": "*/*"}).text.splitlines():
                    assert time.monotonic() < end, "not all of them came to wait"
                assert not any(one.done() for one in asked), "a reply left before its entry was committed"
                connection.rollback()
            return [one.result() for one in asked]
    return ask


def test_readings_that_wait_together_share_a_commit_and_have_an_entry_each(together, api, office, since, sql):
    people = [make.person(api, office["id"], nik=NIK) for _ in range(12)]
    since()
    replies = together([p["nip"] for p in people])
    told = since("getAsn")
    assert [r.status for r in replies] == [200] * 12 and [r.json["id"] for r in replies] == [p["id"] for p in people]
    assert {e["request"]: e["person"] for e in told} == {r.headers["X-Request-Id"]: p["id"] for r, p in zip(replies, people)} and len(told) == 12
    shared = sql("SELECT count(DISTINCT xmin::text) FROM audit_entry WHERE id = ANY (%s)", ([e["id"] for e in told],))[0][0]
    assert shared < 12


def test_a_reading_that_cannot_be_noted_takes_no_other_with_it(together, api, office, since, sql):
    people = [make.person(api, office["id"], nik=NIK) for _ in range(8)]
    sql(f"ALTER TABLE audit_entry ADD CONSTRAINT audit_entry_broken CHECK (asn_id <> '{people[5]['id']}' OR content NOT LIKE '%%\"action\":\"read\"%%') NOT VALID")
    try:
        since()
        replies = together([p["nip"] for p in people])
    finally:
        sql("ALTER TABLE audit_entry DROP CONSTRAINT audit_entry_broken")
    assert [r.status for r in replies] == [200] * 5 + [503] + [200] * 2 and NIK not in replies[5].text
    assert sorted(e["person"] for e in since("getAsn")) == sorted(p["id"] for p in people if p is not people[5])


@pytest.fixture
def broken(sql):
    """The audit takes no readings."""
    sql("ALTER TABLE audit_entry ADD CONSTRAINT audit_entry_broken CHECK (content NOT LIKE '%%\"action\":\"read\"%%') NOT VALID")
    yield
    sql("ALTER TABLE audit_entry DROP CONSTRAINT audit_entry_broken")


def test_what_cannot_be_noted_is_not_given(full, plain, api, office, known, broken):
    document = make.document(api, make.person(api, office["id"])["nip"])
    for client, path, headers in ((full, f"/v1/asn/{known['nip']}", {}), (full, f"/v1/asn?unit_id={office['id']}&fields=nip,nik", {}),
                                  (full, f"/v1/asn?unit_id={office['id']}", {"Accept": "text/csv"}), (api, f"/v1/documents/{document['id']}/content", {})):
        reply = client.get(path, headers=headers, expect=503)
        assert reply.code == "unavailable" and NIK not in reply.text and PHONE not in reply.text
    reply = full.patch(f"/v1/asn/{known['nip']}", {"birth_place": "Polewali"}, etag="*", expect=503)
    assert NIK not in reply.text and plain.get(f"/v1/asn/{known['nip']}").json["birth_place"] != "Polewali", "neither is the write done"


# ── what may never stand there ──
def test_no_secret_and_nothing_sensitive_stands_in_any_entry(api, full, known, office, daemon, sql, world):
    key = daemon.create_key(name="rahasia", scopes=("asn.read",))
    full.get(f"/v1/asn?q={NIK}")
    survey = api.get("/v1/surveys?limit=1").json["data"][0]
    told = "\n".join(content for content, in sql("SELECT content FROM audit_entry"))
    for planted in (NIK, PHONE, EMAIL, key, hashlib.sha256(key.encode()).hexdigest(), survey["code"]):
        assert planted not in told
    assert not re.search(r'"(nik|email|phone)": ?"[^#]', told)


# ── asking it ──
def test_entries_are_found_by_person_actor_operation_and_time(api, keys, known, full, since, sql):
    auditor = api.as_key(keys("audit.read"))
    full.get(f"/v1/asn/{known['nip']}")
    newest = auditor.get(f"/v1/audit/entries?nip={known['nip']}&limit=1").json["data"][0]
    assert (newest["operation"], newest["nip"], newest["action"], newest["members"]) == ("getAsn", known["nip"], "read", ["nik", "email", "phone"])
    moment = newest["at"].replace("+", "%2B")
    for question in (f"actor={newest['actor']}", f"operation=getAsn&from={moment}", f"action=read&from={moment}", f"nip={known['nip']}"):
        rows = auditor.get(f"/v1/audit/entries?{question}&limit=1000").json["data"]
        assert newest in rows
        name, value = question.split("&")[0].split("=")
        assert name == "nip" or {row[name] for row in rows} == {value}
    made = auditor.get(f"/v1/audit/entries?nip={known['nip']}&entity=asn&action=create").json["data"]
    assert [(row["before"], row["after"]["name"]) for row in made] == [(None, known["name"])]
    stamp = newest["at"].replace("+", "%2B")
    assert newest in auditor.get(f"/v1/audit/entries?from={stamp}&sort=id&limit=1").json["data"]
    assert newest not in auditor.get(f"/v1/audit/entries?until={stamp}&limit=1").json["data"]
    rows, pages = auditor.walk(f"/v1/audit/entries?nip={known['nip']}&limit=2")
    assert rows == auditor.get(f"/v1/audit/entries?nip={known['nip']}&limit=1000").json["data"] and pages > 1
    assert auditor.get(f"/v1/audit/entries?nip={known['nip']}&count=exact&limit=1").json["page"]["count"] == len(rows)


@pytest.mark.parametrize("question", ["operation=getAsn", "action=read", "entity=asn", "entity=asn&action=update&until=2035-01-01T00:00:00Z"])
def test_what_would_read_every_entry_is_refused_and_told_what_to_add(question, api, keys, known):
    auditor = api.as_key(keys("audit.read"))
    refused = auditor.get(f"/v1/audit/entries?{question}", expect=400)
    assert refused.code == "parameter-invalid" and [(e["parameter"], e["code"]) for e in refused.json["errors"]] == [("from", "required")]
    assert all(word in refused.json["detail"] for word in ("from", "nip", "actor"))
    for more in (f"nip={known['nip']}", "actor=daemon", "from=2026-01-01T00:00:00Z"):
        auditor.get(f"/v1/audit/entries?{question}&{more}&limit=1", expect=200)


def test_a_key_of_some_units_is_told_of_their_people_only(api, keys, known, office):
    elsewhere = make.unit(api)
    there = make.person(api, elsewhere["id"], phone="081234567000")
    auditor = api.as_key(keys("audit.read", "audit.own", units=(elsewhere["code"],)))
    assert {row["nip"] for row in auditor.get("/v1/audit/entries?limit=1000").json["data"]} == {there["nip"]}
    auditor.get(f"/v1/audit/entries?nip={known['nip']}", expect=422)
    auditor.get(f"/v1/asn/{known['nip']}/readings", expect=404)
    assert auditor.get("/v1/audit/chain").json["data"] == [], "a part of a chain proves nothing"


# ── what another scope guards ──
@pytest.fixture(scope="module")
def guarded(api, office, keys):
    """A person with a row, a proposal and a document of discipline, and a secret complaint, each changed once; and the same of what is open."""
    nip = make.person(api, office["id"])["nip"]
    portal = api.as_key(keys("asn.read", "asn.discipline", "request.read", "request.write"))
    row = make.history(api, nip, "discipline", {"level": "berat", "violation": "Pelanggaran rahasia"}, "2024-04-01")
    told = {"kind": "discipline", "from": "2024-04-01", "facts": {"level": "sedang", "violation": "Pelanggaran rahasia lain"}, "reason": "Alasan rahasia"}
    api.put(f"/v1/asn/{nip}/history/{row['id']}", told, etag="*")
    asked = make.request(portal, nip, history={"kind": "discipline", "from": "2025-04-01", "facts": {"level": "ringan", "violation": "Usul rahasia"}}, proof_reference="Bukti rahasia")
    portal.post(f"/v1/change-requests/{asked['id']}/comments", {"text": "Komentar rahasia"}, expect=201)
    portal("POST", f"/v1/change-requests/{asked['id']}/withdraw", headers={"If-Match": "*"}, expect=200)
    document = make.document(api, nip, type="882", title="Berkas rahasia")
    api.patch(f"/v1/documents/{document['id']}", {"title": "Berkas rahasia lain"}, etag="*")
    make.history(api, nip, "rank", {"rank": "III/a"}, "2020-04-01", note="Catatan terbuka")
    make.request(portal, nip, record={"birth_place": "Kota terbuka"})
    counter = make.service_unit(api, make.unit(api, office["id"])["id"])["id"]
    secret, plain_one = make.complaint(api, counter, text="Laporan rahasia", is_secret=True), make.complaint(api, counter, text="Laporan terbuka")
    for one, words in ((secret, "Langkah rahasia"), (plain_one, "Langkah terbuka")):
        api.post(f"/v1/complaints/{one['id']}/advance", {"state": "rejected", "note": words}, expect=200)
    return {"nip": nip, "complaints": (secret["id"], plain_one["id"])}


def asked_of(client, guarded):
    of_person = client.get(f"/v1/audit/entries?nip={guarded['nip']}&limit=1000").json["data"]
    of_complaints = [e for operation in ("createComplaint", "advanceComplaint") for e in client.get(f"/v1/audit/entries?operation={operation}&from=2026-01-01T00:00:00Z&limit=1000").json["data"]]
    return of_person, of_complaints


GUARDED = {"Pelanggaran rahasia", "Pelanggaran rahasia lain", "Usul rahasia", "Bukti rahasia", "Komentar rahasia", "Alasan rahasia", "Berkas rahasia", "Berkas rahasia lain"}
OPEN = {"Catatan terbuka", "Kota terbuka", "Laporan terbuka", "Langkah terbuka"}


@pytest.mark.parametrize("scopes, hidden", [(("audit.read",), GUARDED | {"Laporan rahasia", "Langkah rahasia"}), (("audit.read", "asn.discipline"), {"Laporan rahasia", "Langkah rahasia"}),
                                            (("audit.read", "complaint.secret"), GUARDED), (("audit.read", "asn.discipline", "complaint.secret"), set()), (("admin",), set())])
def test_values_that_another_scope_guards_are_shown_to_who_holds_it(scopes, hidden, api, keys, guarded):
    entries = [e for part in asked_of(api.as_key(keys(*scopes)), guarded) for e in part]
    text = json.dumps(entries)
    every = GUARDED | OPEN | {"Laporan rahasia", "Langkah rahasia"}
    assert {words for words in every if f'"{words}"' not in text} == hidden
    masked = [e for e in entries if e["after"] and all(value == "***" for part in (e["before"], e["after"]) for value in (part or {}).values())]
    assert bool(masked) == bool(hidden) and all(e["entity"] and e["actor"] for e in masked), "that something changed, and which members, is seen"
    if "asn.discipline" not in scopes and "admin" not in scopes:
        (made,) = [e for e in masked if (e["entity"], e["action"]) == ("history", "create")]
        assert {"kind", "facts", "starts"} <= made["after"].keys()


def test_showing_such_values_is_a_reading(api, keys, guarded, since):
    whole, some = api.as_key(keys("audit.read", "asn.discipline", "complaint.secret")), api.as_key(keys("audit.read"))
    since()
    asked_of(some, guarded)
    assert since("listAuditEntries") == [], "who is shown no value reads nothing"
    of_person, _ = asked_of(whole, guarded)
    told = since("listAuditEntries", action="read")
    shown = [e for e in of_person if "rahasia" in json.dumps([e["before"], e["after"]]) or (e["entity"], e["action"]) == ("history", "update")]
    person = api.get(f"/v1/asn/{guarded['nip']}").json["id"]
    assert told[0]["person"] == person and told[0]["count"] >= len(shown) > 0 and told[0]["filter"]["nip"] == guarded["nip"]
    assert all(e["count"] >= 1 for e in told[1:]) and len(told) == 3
    whole.get(f"/v1/audit/entries?nip={guarded['nip']}", headers={"Accept": "application/x-ndjson"})
    assert [e["action"] for e in since("listAuditEntries")] == ["read"]


def test_the_chain_is_given_to_who_may_see_all_that_is_in_it(api, keys, guarded, database, since):
    daemons.run(database, "audit", "seal")
    for scopes in (("audit.read",), ("audit.read", "asn.discipline"), ("audit.read", "complaint.secret")):
        assert api.as_key(keys(*scopes)).get("/v1/audit/chain?limit=5").json["data"] == []
    since()
    text = api.as_key(keys("audit.read", "asn.discipline", "complaint.secret")).get("/v1/audit/chain", headers={"Accept": "application/x-ndjson"}).text
    assert "Pelanggaran rahasia" in text and "Laporan rahasia" in text
    assert [e["action"] for e in since("listAuditChain")] == ["read"]


def test_who_read_my_data(api, keys, office, full):
    person = make.person(api, office["id"], phone="081234567111")
    portal = api.as_key(keys("audit.own"))
    assert portal.get(f"/v1/asn/{person['nip']}/readings").json["data"] == []
    full.get(f"/v1/asn/{person['nip']}")
    full.get(f"/v1/asn?unit_id={office['id']}&limit=1000")
    seen = portal.get(f"/v1/asn/{person['nip']}/readings").json["data"]
    assert [(row["operation"], row["alone"]) for row in seen] == [("listAsn", False), ("getAsn", True)]
    assert seen[1]["members"] == ["phone"] and seen[1]["name"]
    portal("GET", "/v1/audit/entries", expect=403)


def test_the_newest_seal_says_what_is_not_sealed_yet(api, database, office):
    daemons.run(database, "audit", "seal")
    whole = api.get("/v1/audit/seals/latest").json
    assert whole["unsealed"] == 0 and whole["unsealed_since"] is None
    make.person(api, office["id"])
    later = api.get("/v1/audit/seals/latest").json
    assert later["unsealed"] > 0 and later["unsealed_since"] and later["hash"] == whole["hash"]
    assert daemons.run(database, "audit", "latest").stdout.strip() == f"{whole['number']}:{whole['hash']}"
    assert api.get("/v1/audit/seals?limit=1").json["data"][0] == {k: v for k, v in whole.items() if not k.startswith("unsealed")}


def test_a_real_audit_verifies_here_and_elsewhere(api, database, tmp_path):
    daemons.run(database, "audit", "seal")
    path = tmp_path / "chain.ndjson"
    path.write_bytes(api.get("/v1/audit/chain", headers={"Accept": "application/x-ndjson"}).bytes)
    seal = daemons.run(database, "audit", "latest").stdout.strip()
    here = daemons.run(database, "audit", "verify", "--seal", seal)
    there = daemons.run("postgresql://nowhere.invalid/", "audit", "verify", "--file", path, "--seal", seal)
    assert ": 0 faults" in here.stdout and here.stdout.replace("; 1 entries are not sealed yet", "") == there.stdout, "that it was read is an entry after it"
