# SPDX-License-Identifier: Apache-2.0
"""Documents: what is taken and what is not, what is shown to whom, and that a document and its content are there together or not at all."""
import hashlib
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import unquote

import pytest

from support import daemon as daemons, make, postgres

LIMIT = 1 << 20
PNG = b"\x89PNG\r\n\x1a\n" + b"x" * 40 + b"\x00\x00\x00\x00IEND\xaeB`\x82"
JPEG = b"\xff\xd8\xff\xe0" + b"x" * 40 + b"\xff\xd9"


@pytest.fixture(scope="module")
def settings():
    return {"document_limit": LIMIT}


@pytest.fixture()
def person(api, office):
    return make.person(api, office["id"])


@pytest.fixture()
def rows(api, person):
    """A rank and a disciplinary penalty of the person."""
    return {"rank": make.history(api, person["nip"], "rank", {"rank": "III/a"}, "2020-04-01")["id"],
            "discipline": make.history(api, person["nip"], "discipline", {"level": "ringan", "violation": "Terlambat"}, "2021-05-01")["id"]}


def path_of(document):
    return f"/v1/documents/{document['id']}"


def upload(api, nip, content, media_type="application/pdf", query="type=872", expect=None, **headers):
    return api("POST", f"/v1/asn/{nip}/documents?{query}", data=content, headers={"Content-Type": media_type, **headers}, expect=expect)


def stored(sql):
    return sql("SELECT (SELECT count(*) FROM document), (SELECT count(*) FROM document_content), (SELECT count(*) FROM document_chunk)")[0]


# ── what is taken ──

@pytest.mark.parametrize("media_type, content", [("application/pdf", make.pdf()), ("image/jpeg", JPEG), ("image/png", PNG), ("Application/PDF; x=1", make.pdf())],
                         ids=["pdf", "jpeg", "png", "spelt-otherwise"])
def test_a_file_comes_back_as_it_was_sent(media_type, content, api, person):
    reply = upload(api, person["nip"], content, media_type, "type=872&title=SK%20Jabatan&number=821.2/17/2024&date=2024-03-20&file_name=sk.pdf", 201)
    made = reply.json
    assert reply.headers["Location"] == path_of(made)
    assert (made["title"], made["number"], made["date"], made["file_name"]) == ("SK Jabatan", "821.2/17/2024", "2024-03-20", "sk.pdf")
    assert (made["size"], made["sha256"], made["warnings"], made["version"]) == (len(content), hashlib.sha256(content).hexdigest(), [], 1)
    assert api.get(path_of(made)).json == made
    got = api("GET", f"{path_of(made)}/content", expect=200)
    assert got.bytes == content and got.type == media_type.lower().split(";")[0] == made["media_type"]
    assert got.etag == f'"{made["sha256"]}"'
    assert got.headers["Content-Length"] == str(len(content)) and got.headers["Accept-Ranges"] == "bytes"
    assert got.headers["X-Content-Type-Options"] == "nosniff" and got.headers["Content-Security-Policy"].startswith("sandbox")
    assert got.headers["Content-Disposition"].startswith('attachment; filename="SK-Jabatan.')


@pytest.mark.parametrize("size", [64, 65536, 262143, 262144, 262145, 600000, LIMIT])
def test_every_size_up_to_the_limit(size, api, person, sql):
    content = make.pdf(size)
    made = make.document(api, person["nip"], content, expect=201)
    assert len(content) == made["size"] == size and api.get(f"{path_of(made)}/content").bytes == content
    assert sql("SELECT count(*) FROM document_chunk k JOIN document d USING (content_id) WHERE d.id = %s", (made["id"],)) == [(-(-size // 262144),)]


MISFITS = {
    "png-as-pdf": ("application/pdf", PNG), "pdf-as-png": ("image/png", make.pdf()), "jpeg-as-png": ("image/png", JPEG),
    "text-as-pdf": ("application/pdf", b"Bukan berkas PDF sama sekali"), "html-as-jpeg": ("image/jpeg", b"<html><script>alert(1)</script></html>"),
    "pdf-behind-something": ("application/pdf", b"\n" + make.pdf()), "too-short": ("image/png", PNG[:7]), "a-byte": ("application/pdf", b"%"),
}


@pytest.mark.parametrize("case", MISFITS)
def test_bytes_that_are_not_what_the_type_says_are_refused_and_leave_nothing(case, api, person, sql):
    media_type, content = MISFITS[case]
    before = stored(sql)
    reply = upload(api, person["nip"], content, media_type, expect=415)
    assert reply.code == "document-form" and media_type in reply.json["detail"]
    assert stored(sql) == before


def test_an_empty_file_is_refused(api, person):
    assert upload(api, person["nip"], b"", expect=400).code == "bad-request"
    assert upload(api, person["nip"], iter(()), expect=400).code == "bad-request"


ODD = {
    "padded": (make.pdf() + b" " * 1010, "application/pdf", []), "padded-too-much": (make.pdf() + b" " * 1025, "application/pdf", ["no-end"]),
    "cut-pdf": (make.pdf()[:-8], "application/pdf", ["no-end"]), "cut-png": (PNG[:-3], "image/png", ["no-end"]), "cut-jpeg": (JPEG[:-1], "image/jpeg", ["no-end"]),
    "encrypted": (make.pdf()[:20] + b"<</Encrypt 5 0 R>>" + make.pdf()[20:], "application/pdf", ["pdf-encrypted"]),
    "encrypted-across-pieces": (make.pdf(70000)[:65533] + b"/Encrypt " + make.pdf(), "application/pdf", ["pdf-encrypted"]),
    "both": (make.pdf()[:20] + b"//Encrypt", "application/pdf", ["pdf-encrypted", "no-end"]),
}


@pytest.mark.parametrize("case", ODD)
def test_what_is_odd_is_told_and_taken(case, api, person):
    content, media_type, warnings = ODD[case]
    assert make.document(api, person["nip"], content, media_type, expect=201)["warnings"] == warnings


@pytest.mark.parametrize("query, parameter, code", [
    ("type=99999", "type", "reference-missing"), ("type=872&history_ids=0190ffff-ffff-7fff-bfff-ffffffffffff", "history_ids", "reference-missing")])
def test_wrong_metadata_are_told_by_parameter(query, parameter, code, api, person, sql):
    before = stored(sql)
    reply = upload(api, person["nip"], make.pdf(400000), query=query, expect=422)
    assert reply.code == code and reply.faults == {parameter: code} and stored(sql) == before


def test_a_row_of_another_person_cannot_be_linked(api, office, person, rows):
    other = make.person(api, office["id"])
    assert upload(api, other["nip"], make.pdf(), query=f"type=872&history_ids={rows['rank']}", expect=422).faults == {"history_ids": "reference-missing"}


def test_a_dry_run_tells_all_and_keeps_nothing(api, person, sql):
    before = stored(sql)
    reply = upload(api, person["nip"], make.pdf(300000), expect=201, Prefer="dry-run")
    assert reply.json["size"] == 300000 and "Location" not in reply.headers and stored(sql) == before


# ── too large ──

def speak(daemon, key, head, body=b""):
    """What comes back on a bare connection, which stays open on our side."""
    with socket.create_connection(("127.0.0.1", daemon.port), timeout=30) as wire:
        wire.sendall(head.replace(b"\n", b"\r\n") % key.encode() + body)
        return wire.recv(65536)


HEAD = b"POST /v1/asn/%s/documents?type=872 HTTP/1.1\nHost: x\nAuthorization: Bearer %%s\nContent-Type: application/pdf\n"


def test_a_body_said_to_be_too_large_is_refused_before_it_is_sent(api, daemon, keys, person):
    head = HEAD % person["nip"].encode() + b"Content-Length: %d\n\n" % (LIMIT + 1)
    reply = speak(daemon, keys("admin"), head)
    assert reply.startswith(b"HTTP/1.1 413 ") and b"body-too-large" in reply and str(LIMIT).encode() in reply


def test_a_body_that_becomes_too_large_is_refused_and_leaves_nothing(api, daemon, keys, person, sql):
    before = stored(sql)
    head = HEAD % person["nip"].encode() + b"Transfer-Encoding: chunked\n\n"
    content = make.pdf(LIMIT + 1)
    reply = speak(daemon, keys("admin"), head, b"%x\r\n" % len(content) + content + b"\r\n")
    assert reply.startswith(b"HTTP/1.1 413 ")
    until(sql, "SELECT count(*) = 0 FROM pg_stat_activity WHERE datname = current_database() AND state = 'idle in transaction'")
    assert stored(sql) == before


def until(sql, question):
    end = threading.Event()
    for _ in range(600):
        if sql(question)[0][0]:
            return
        end.wait(0.05)
    raise AssertionError(question)


def test_a_client_that_leaves_in_the_middle_leaves_nothing(api, daemon, keys, person, sql):
    before = stored(sql)
    content = make.pdf(900000)
    with socket.create_connection(("127.0.0.1", daemon.port), timeout=30) as wire:
        wire.sendall((HEAD % person["nip"].encode() + b"Content-Length: %d\n\n" % len(content)).replace(b"\n", b"\r\n") % keys("admin").encode() + content[:700000])
        until(sql, "SELECT count(*) > 0 FROM pg_stat_activity WHERE datname = current_database() AND state = 'idle in transaction'")
    until(sql, "SELECT count(*) = 0 FROM pg_stat_activity WHERE datname = current_database() AND state = 'idle in transaction'")
    assert stored(sql) == before
    assert make.document(api, person["nip"], content, expect=201)["size"] == 900000


# ── the same again ──

def test_the_same_content_again_is_the_same_document(api, office, person, rows, sql):
    content = make.pdf(300000)
    first = make.document(api, person["nip"], content, number="1", expect=201)
    again = upload(api, person["nip"], content, expect=200)
    assert again.json == first and "Location" not in again.headers
    linked = make.document(api, person["nip"], content, history_ids=rows["rank"], expect=200)
    assert (linked["id"], linked["history_ids"], linked["version"]) == (first["id"], [rows["rank"]], 2)
    assert make.document(api, person["nip"], content, history_ids=rows["rank"], expect=200) == linked
    for query in ("type=881", "type=872&number=2", "type=872&title=Lain", "type=872&date=2024-01-01"):
        reply = upload(api, person["nip"], content, query=query, expect=409)
        assert reply.code == "document-differs" and reply.json["errors"][0]["value"] == first["id"]
    # Another person's is another document of the same content.
    other = make.document(api, make.person(api, office["id"])["nip"], content, expect=201)
    assert other["id"] != first["id"] and sql("SELECT count(*) FROM document_content WHERE size = 300000 AND sha256 = %s", (bytes.fromhex(first["sha256"]),)) == [(1,)]


def test_the_same_upload_many_times_at_once_makes_one_document(api, person, sql):
    content, start = make.pdf(400000), threading.Barrier(6)

    def send(_):
        start.wait()
        return upload(api.as_key(api.key), person["nip"], content)
    with ThreadPoolExecutor(6) as pool:
        replies = list(pool.map(send, range(6)))
    assert sorted(r.status for r in replies) == [200] * 5 + [201] and len({r.json["id"] for r in replies}) == 1
    assert sql("SELECT count(*) FROM document_chunk k WHERE NOT EXISTS (SELECT FROM document d WHERE d.content_id = k.content_id)") == [(0,)]


def test_one_content_for_many_people_at_once_is_stored_once(api, office, sql):
    content, people, start = make.pdf(400000), [make.person(api, office["id"]) for _ in range(6)], threading.Barrier(6)

    def send(person):
        start.wait()
        return upload(api.as_key(api.key), person["nip"], content).status
    with ThreadPoolExecutor(6) as pool:
        assert list(pool.map(send, people)) == [201] * 6
    assert sql("SELECT count(*) FROM document_content WHERE sha256 = %s", (hashlib.sha256(content).digest(),)) == [(1,)]


def test_an_idempotency_key_replays_the_answer(api, person):
    content = make.pdf(70000)
    first = upload(api, person["nip"], content, expect=201, **{"Idempotency-Key": "dok-1"})
    again = upload(api, person["nip"], content, expect=201, **{"Idempotency-Key": "dok-1"})
    assert again.json == first.json and again.headers["Idempotency-Replayed"] == "true"
    assert upload(api, person["nip"], make.pdf(70000), expect=422, **{"Idempotency-Key": "dok-1"}).code == "idempotency-mismatch"


# ── parts ──

@pytest.fixture(scope="module")
def long(api, office):
    content = make.pdf(600000)
    made = make.document(api, make.person(api, office["id"])["nip"], content, expect=201)
    return f"{path_of(made)}/content", content, made


PARTS = {
    "bytes=0-0": (0, 1), "bytes=0-9": (0, 10), "bytes=100-": (100, 600000), "bytes=-10": (599990, 600000), "bytes=-700000": (0, 600000),
    "bytes=262143-262144": (262143, 262145), "bytes=262144-524287": (262144, 524288), "bytes=10-999999999999999999999": (10, 600000),
    "Bytes=0-9": (0, 10), "bytes=,0-9 ,": (0, 10), "bytes=599999-599999": (599999, 600000), "bytes=0-599999": (0, 600000),
}


@pytest.mark.parametrize("header", PARTS)
def test_a_part(header, api, long):
    path, content, made = long
    first, end = PARTS[header]
    reply = api("GET", path, headers={"Range": header}, expect=206)
    assert reply.bytes == content[first:end] and reply.headers["Content-Range"] == f"bytes {first}-{end - 1}/600000"
    assert reply.headers["Content-Length"] == str(end - first) and reply.etag == f'"{made["sha256"]}"'


@pytest.mark.parametrize("header", ["bytes=9-0", "bytes=a-b", "bytes=", "bytes", "lines=0-9", "bytes=0-1,5-6", "bytes=--5", "bytes=-", "bytes=0-9x", "bytes 0-9", "bytes=0 - 9"])
def test_what_is_no_part_or_several_is_the_whole(header, api, long):
    path, content, _ = long
    reply = api("GET", path, headers={"Range": header}, expect=200)
    assert reply.bytes == content and "Content-Range" not in reply.headers


@pytest.mark.parametrize("header", ["bytes=600000-", "bytes=600000-600001", "bytes=-0", "bytes=99999999999999999999-"])
def test_a_part_behind_the_end_is_416_and_says_how_long_it_is(header, api, long):
    path, _, _ = long
    reply = api("GET", path, headers={"Range": header}, expect=416)
    assert reply.code == "range-not-satisfiable" and reply.headers["Content-Range"] == "bytes */600000" and "ETag" not in reply.headers


def test_conditions_come_before_parts(api, long):
    path, content, made = long
    tag = f'"{made["sha256"]}"'
    for header in (tag, f'"x", W/{tag}', "*"):
        known = api("GET", path, headers={"If-None-Match": header, "Range": "bytes=0-9"}, expect=304)
        assert known.etag == tag
    assert api("GET", path, headers={"If-None-Match": '"x"', "Range": "bytes=0-9"}, expect=206).bytes == content[:10]
    assert api("GET", path, headers={"If-Range": tag, "Range": "bytes=0-9"}, expect=206).bytes == content[:10]
    for other in ('"x"', f"W/{tag}", "Tue, 06 Jan 2026 01:00:00 GMT"):
        assert api("GET", path, headers={"If-Range": other, "Range": "bytes=0-9"}, expect=200).bytes == content
    assert api("GET", path, headers={"If-Range": '"x"', "Range": "bytes=600000-"}, expect=200).bytes == content


def test_head_tells_the_whole_without_a_byte(api, long):
    path, content, made = long
    for headers in ({}, {"Range": "bytes=0-9"}):
        head = api("HEAD", path, headers=headers, expect=200)
        assert head.headers["Content-Length"] == "600000" and head.etag == f'"{made["sha256"]}"' and head.type == "application/pdf"
        assert head.headers["Accept-Ranges"] == "bytes"
    assert api("HEAD", path, headers={"If-None-Match": f'"{made["sha256"]}"'}, expect=304).bytes == b""
    assert api.get(path).bytes == content, "the connection goes on"


def test_parts_add_up(api, long):
    path, content, _ = long
    assert b"".join(api("GET", path, headers={"Range": f"bytes={n}-{n + 49999}"}, expect=206).bytes for n in range(0, 600000, 50000)) == content


def test_a_client_that_takes_nothing_holds_nobody_up(api, daemon, keys, long):
    path, content, _ = long
    wires = []
    for _ in range(3):
        wire = socket.create_connection(("127.0.0.1", daemon.port), timeout=30)
        wire.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {keys('admin')}\r\n\r\n".encode())
        wires.append(wire)
    for wire in wires:
        wire.close()
    assert api.get(path).bytes == content


@pytest.mark.parametrize("title, plain, extended", [
    ("SK Jabatan", "SK-Jabatan.pdf", "SK Jabatan.pdf"), ('../../etc/passwd"; x=y', "etc-passwd-x-y.pdf", '..-..-etc-passwd-; x=y.pdf'),
    ("Keputusan № 5 – Nur’aini", "Keputusan-5-Nur-aini.pdf", "Keputusan № 5 – Nur’aini.pdf"), ("文書", "dokumen.pdf", "文書.pdf"), ("...", "dokumen.pdf", "....pdf")])
def test_the_name_to_save_under_is_harmless(title, plain, extended, api, person):
    made = make.document(api, person["nip"], title=title, expect=201)
    header = api.get(f"{path_of(made)}/content").headers["Content-Disposition"]
    kind, name, more = header.split("; ", 2)
    assert (kind, name) == ("attachment", f'filename="{plain}"')
    assert more.startswith("filename*=UTF-8''") and unquote(more.removeprefix("filename*=UTF-8''")) == extended
    assert header.isascii()


def test_without_a_title_the_name_is_that_of_the_type(api, person):
    made = make.document(api, person["nip"], number="821/2024", expect=201)
    assert 'filename="Dok-SK-Jabatan-821-2024.pdf"' in api.get(f"{path_of(made)}/content").headers["Content-Disposition"]


# ── metadata ──

def test_a_list_by_type_and_by_row(api, person, rows):
    a = make.document(api, person["nip"], type="872", expect=201)
    b = make.document(api, person["nip"], type="858", history_ids=rows["rank"], expect=201)
    def listed(query=""):
        return [d["id"] for d in api.get(f"/v1/asn/{person['nip']}/documents{query}").json["data"]]
    assert listed() == [b["id"], a["id"]] and listed("?type=858") == [b["id"]] and listed(f"?history_id={rows['rank']}") == [b["id"]]
    assert listed(f"?history_id={rows['discipline']}") == []
    path = f"/v1/asn/{person['nip']}/history/{rows['rank']}"
    assert api.get(path).json["documents"] == [{"id": b["id"], "type": "858", "title": None, "media_type": "application/pdf"}]
    assert [h["documents"] for h in api.get(f"/v1/asn/{person['nip']}/history?kind=rank").json["data"]] == [api.get(path).json["documents"]]


def test_metadata_change_and_the_content_does_not(api, person, rows):
    made = make.document(api, person["nip"], title="Lama", number="1", expect=201)
    changed = api.patch(path_of(made), {"title": None, "number": "2", "date": "2024-01-31", "type": "858", "history_ids": [rows["rank"]]}, etag='"1"').json
    assert (changed["title"], changed["number"], changed["date"], changed["type"], changed["history_ids"], changed["version"]) == (
        None, "2", "2024-01-31", "858", [rows["rank"]], 2)
    assert changed["sha256"] == made["sha256"]
    assert api.patch(path_of(made), {"history_ids": []}, etag='"2"').json["history_ids"] == []
    assert api.patch(path_of(made), {"number": "3"}, etag='"2"', expect=412).code == "version-stale"
    assert api.patch(path_of(made), {"type": "99999"}, etag='"3"', expect=422).faults == {"/type": "reference-missing"}
    assert api.patch(path_of(made), {"history_ids": [made["id"]]}, etag='"3"', expect=422).faults == {"/history_ids": "reference-missing"}
    assert "/sha256" in api.patch(path_of(made), {"sha256": "0"}, etag='"3"', expect=422).faults


def test_an_annulled_document_stays_and_shows_no_more(api, person, rows):
    content = make.pdf()
    made = make.document(api, person["nip"], content, history_ids=rows["rank"], expect=201)
    gone = api.post(f"{path_of(made)}/annul", {"reason": "Salah unggah"}, headers={"If-Match": '"1"'}).json
    assert (gone["is_void"], gone["is_erased"], gone["reason"]) == (True, False, "Salah unggah")
    assert api.get(f"/v1/asn/{person['nip']}/documents").json["data"] == []
    assert api.get(f"/v1/asn/{person['nip']}/documents?include_void=true").json["data"] == [gone]
    assert api.get(f"/v1/asn/{person['nip']}/history/{rows['rank']}").json["documents"] == []
    assert api.get(f"{path_of(made)}/content").bytes == content
    assert api.patch(path_of(made), {"number": "3"}, etag='"2"', expect=409).code == "document-void"
    assert api.post(f"{path_of(made)}/annul", {"reason": "Lagi"}, headers={"If-Match": '"2"'}, expect=409).code == "document-void"
    assert make.document(api, person["nip"], content, expect=201)["id"] != made["id"]


def test_erasing_takes_the_content_unless_another_document_has_it(api, office, person, sql):
    content = make.pdf()
    made = make.document(api, person["nip"], content, expect=201)
    other = make.document(api, make.person(api, office["id"])["nip"], content, expect=201)
    gone = api.post(f"{path_of(made)}/annul", {"reason": "Bukan miliknya", "erase": True}, headers={"If-Match": '"1"'}).json
    assert gone["is_erased"] and gone["sha256"] == made["sha256"]
    assert api.get(f"{path_of(made)}/content", expect=410).code == "document-erased"
    assert api.get(f"{path_of(other)}/content").bytes == content
    api.post(f"{path_of(other)}/annul", {"reason": "Nanti dihapus"}, headers={"If-Match": '"1"'})
    api.post(f"{path_of(other)}/annul", {"reason": "Dihapus", "erase": True}, headers={"If-Match": '"2"'})
    assert sql("SELECT count(*) FROM document_content WHERE sha256 = %s", (hashlib.sha256(content).digest(),)) == [(0,)]
    again = make.document(api, person["nip"], content, expect=201)
    assert api.get(f"{path_of(again)}/content").bytes == content


def test_erasing_needs_its_own_scope(api, keys, person):
    made = make.document(api, person["nip"], expect=201)
    clerk = api.as_key(keys("document.read", "document.write"))
    reply = clerk("POST", f"{path_of(made)}/annul", json={"reason": "x", "erase": True}, headers={"If-Match": '"1"'})
    assert reply.status in (403, 422) and "/erase" in reply.faults
    assert api.get(path_of(made)).json["is_void"] is False


def test_erasing_and_uploading_the_same_at_once_leaves_no_document_without_content(api, office, sql):
    """Whatever comes first: who is told that it is stored can fetch it."""
    for _ in range(8):
        content, start = make.pdf(), threading.Barrier(2)
        made = make.document(api, make.person(api, office["id"])["nip"], content, expect=201)
        other = make.person(api, office["id"])

        def erase():
            start.wait()
            return api.as_key(api.key).post(f"{path_of(made)}/annul", {"reason": "x", "erase": True}, headers={"If-Match": '"1"'}).status

        def send():
            start.wait()
            return upload(api.as_key(api.key), other["nip"], content)
        with ThreadPoolExecutor(2) as pool:
            erased, sent = pool.submit(erase), pool.submit(send)
            assert erased.result() == 200 and sent.result().status == 201
        assert api.get(f"{path_of(sent.result().json)}/content").bytes == content


# ── who may ──

def test_scopes_and_units(api, keys, office, person):
    made = make.document(api, person["nip"], expect=201)
    elsewhere = make.unit(api, kind="dinas")
    reader, writer = api.as_key(keys("document.read")), api.as_key(keys("document.write"))
    assert reader.get(path_of(made)).json["id"] == made["id"]
    assert upload(reader, person["nip"], make.pdf(), expect=403).code == "forbidden"
    assert writer.get(path_of(made), expect=403).code == "forbidden"
    assert upload(writer, person["nip"], make.pdf(), expect=201).status == 201
    stranger = api.as_key(keys("document.read", "document.write", units=(elsewhere["code"],)))
    for path in (path_of(made), f"{path_of(made)}/content"):
        assert stranger.get(path, expect=404).code == "not-found"
    stranger.get(f"/v1/asn/{person['nip']}/documents", expect=404)
    assert upload(stranger, person["nip"], make.pdf(), expect=404).code == "not-found"
    assert stranger.patch(path_of(made), {"number": "3"}, etag="*", expect=404).code == "not-found"
    assert stranger.post(f"{path_of(made)}/annul", {"reason": "x"}, headers={"If-Match": "*"}, expect=404).code == "not-found"
    at_home = api.as_key(keys("document.read", units=(office["code"],)))
    assert at_home.get(f"{path_of(made)}/content").status == 200


def test_rows_show_documents_to_those_who_may_read_them(api, keys, person, rows):
    make.document(api, person["nip"], history_ids=rows["rank"], expect=201)
    row = f"/v1/asn/{person['nip']}/history/{rows['rank']}"
    assert "documents" not in api.as_key(keys("asn.read")).get(row).json
    assert len(api.as_key(keys("asn.read", "document.read")).get(row).json["documents"]) == 1


def test_documents_of_discipline_are_there_for_its_scope_alone(api, keys, person, rows):
    clerk = api.as_key(keys("asn.read", "document.read", "document.write"))
    content = make.pdf()
    hidden = [make.document(api, person["nip"], content, history_ids=rows["discipline"], expect=201), make.document(api, person["nip"], type="882", expect=201),
              make.document(api, person["nip"], type="882", history_ids=f"{rows['rank']},{rows['discipline']}", expect=201)]
    mixed = make.document(api, person["nip"], history_ids=f"{rows['rank']},{rows['discipline']}", expect=201)
    assert mixed["history_ids"] == [rows["rank"], rows["discipline"]]
    listed = clerk.get(f"/v1/asn/{person['nip']}/documents").json["data"]
    assert [d["id"] for d in listed] == [mixed["id"]] and listed[0]["history_ids"] == [rows["rank"]]
    assert clerk.get(f"/v1/asn/{person['nip']}/documents?history_id={rows['discipline']}", expect=422).faults == {"history_id": "reference-missing"}
    assert [d["id"] for d in clerk.get(f"/v1/asn/{person['nip']}/history/{rows['rank']}").json["documents"]] == [mixed["id"]]
    for document in hidden:
        for path in (path_of(document), f"{path_of(document)}/content"):
            assert clerk.get(path, expect=404).code == "not-found"
        assert clerk.patch(path_of(document), {"number": "1"}, etag="*", expect=404).code == "not-found"
        assert clerk.post(f"{path_of(document)}/annul", {"reason": "x"}, headers={"If-Match": "*"}, expect=404).code == "not-found"
    # Neither can they make one, nor take away what they do not know of, nor find out by sending the same.
    assert upload(clerk, person["nip"], make.pdf(), query="type=882", expect=403).faults == {"type": "forbidden"}
    assert upload(clerk, person["nip"], make.pdf(), query=f"type=872&history_ids={rows['discipline']}", expect=422).faults == {"history_ids": "reference-missing"}
    assert clerk.patch(path_of(mixed), {"type": "882"}, etag="*", expect=403).faults == {"/type": "forbidden"}
    assert upload(clerk, person["nip"], content, expect=201).json["id"] != hidden[0]["id"]
    clerk.patch(path_of(mixed), {"history_ids": [rows["rank"]]}, etag="*")
    assert api.get(path_of(mixed)).json["history_ids"] == [rows["rank"], rows["discipline"]]


# ── what else hangs on it ──

def told(client, after):
    return [(c["kind"], c["id"], c["part"]) for c in client.get(f"/v1/changes?limit=1000&after={after}&entity=document").json["changes"]]


def test_the_feed_tells_documents(api, keys, person, rows):
    after = api.get("/v1/units", headers={"Accept": "application/x-ndjson"}).headers["Changes-After"]
    made = make.document(api, person["nip"], expect=201)
    secret = make.document(api, person["nip"], history_ids=rows["discipline"], expect=201)
    api.patch(path_of(made), {"number": "9"}, etag='"1"')
    api.post(f"{path_of(made)}/annul", {"reason": "x"}, headers={"If-Match": '"2"'})
    open_ones = [("created", made["id"], None), ("updated", made["id"], None), ("deleted", made["id"], None)]
    assert told(api, after) == [open_ones[0], ("created", secret["id"], "discipline"), *open_ones[1:]]
    assert told(api.as_key(keys("change.read", "document.read")), after) == open_ones
    assert told(api.as_key(keys("change.read", "asn.read")), after) == []


def test_a_merge_takes_documents_along_and_back(api, office, sql):
    stays, goes = make.person(api, office["id"]), make.person(api, office["id"])
    content = make.pdf()
    row = make.history(api, goes["nip"], "course", {"name": "Bimtek", "form": "B10", "jp": 24}, "2020-01-01")["id"]
    kept, moved = make.document(api, stays["nip"], content, expect=201), make.document(api, goes["nip"], content, history_ids=row, expect=201)
    secret_row = make.history(api, goes["nip"], "discipline", {"level": "ringan", "violation": "Terlambat"}, "2021-05-01")["id"]
    secret = make.document(api, goes["nip"], history_ids=secret_row, expect=201)
    after = api.get("/v1/units", headers={"Accept": "application/x-ndjson"}).headers["Changes-After"]
    api.post(f"/v1/asn/{goes['nip']}/merge", {"into": stays["nip"], "reason": "Terdaftar dua kali"})
    assert {d["id"] for d in api.get(f"/v1/asn/{stays['nip']}/documents").json["data"]} == {kept["id"], moved["id"], secret["id"]}
    assert api.get(path_of(moved)).json["history_ids"] == [row] and api.get(path_of(moved)).json["nip"] == stays["nip"]
    assert {i: p for _, i, p in told(api, after)} == {moved["id"]: None, secret["id"]: "discipline"}
    # A link that the merge alone made possible rests when it is taken back.
    api.patch(path_of(kept), {"history_ids": [row]}, etag="*")
    api.post(f"/v1/asn/{goes['nip']}/unmerge", {"reason": "Dua orang"})
    assert api.get(path_of(kept)).json["history_ids"] == [] and api.get(path_of(moved)).json["nip"] == goes["nip"]
    assert [d["id"] for d in api.get(f"/v1/asn/{goes['nip']}/history/{row}").json["documents"]] == [moved["id"]]


# ── the command that looks after it ──

def check(daemon, *options):
    done = daemons.run(daemon.database_url, "documents", "check", *options, check=False)
    lines = done.stdout.splitlines()
    return done.returncode, lines[:-1], lines[-1]


BYPASS = "SET session_replication_role = replica; "
FAULTS = {
    "missing": (lambda d, c: ("DELETE FROM document_content WHERE id = %s", c), lambda d, c: [f"document {d}: missing", f"content {c}: stray"]),
    "differs": (lambda d, c: ("UPDATE document SET size = 7 WHERE id = %s", d), lambda d, c: [f"document {d}: differs"]),
    "orphan": (lambda d, c: ("DELETE FROM document WHERE id = %s", d), lambda d, c: [f"content {c}: orphan"]),
    "incomplete": (lambda d, c: ("DELETE FROM document_chunk WHERE seq = 1 AND content_id = %s", c), lambda d, c: [f"content {c}: incomplete"]),
    "altered": (lambda d, c: ("UPDATE document_chunk SET bytes = set_byte(bytes, 5, 0) WHERE seq = 1 AND content_id = %s", c),
                lambda d, c: [f"content {c}: altered"]),
    "exchanged": (lambda d, c: ("UPDATE document_chunk SET seq = 1 - seq + 10 WHERE content_id = %s", c), lambda d, c: [f"content {c}: altered"]),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_the_check_names_each_fault(fault, api, daemon, database, person):
    made = make.document(api, person["nip"], make.pdf(524288), expect=201)
    (content,), = postgres.query(database, "SELECT content_id::text FROM document WHERE id = %s", (made["id"],))
    status, lines, summary = check(daemon)
    assert (status, lines) == (0, []) and summary.endswith(": 0 faults")
    make_fault, wanted = FAULTS[fault]
    statement, which = make_fault(made["id"], content)
    with postgres.connected(database, autocommit=False) as connection, connection.cursor() as cursor:
        cursor.execute(BYPASS + statement, (which,))
        connection.commit()
    try:
        status, lines, summary = check(daemon)
        assert (status, lines) == (1, wanted(made["id"], content)) and summary.endswith(f": {len(lines)} faults")
        if fault == "incomplete":
            assert api("GET", f"{path_of(made)}/content", headers={"Range": "bytes=262144-"}, checked=False).status == 500
            cut = api("GET", f"{path_of(made)}/content", checked=False)
            assert len(cut.bytes) < int(cut.headers["Content-Length"]), "what is not whole must not look whole"
        if fault in ("missing", "orphan"):
            status, lines, summary = check(daemon, "--remove-orphans")
            assert [line for line in lines if "orphan" in line or "stray" in line] == []
            assert summary.endswith(f"{int(fault == 'orphan')} orphans removed")
    finally:
        with postgres.connected(database, autocommit=False) as connection, connection.cursor() as cursor:
            for statement, which in (("DELETE FROM document_chunk WHERE content_id = %s", content), ("DELETE FROM document_content WHERE id = %s", content),
                                     ("DELETE FROM document WHERE id = %s", made["id"])):
                cursor.execute(BYPASS + statement, (which,))
            connection.commit()


def test_the_check_is_used_rightly(daemon):
    for arguments in ((), ("check", "--repair"), ("look",)):
        done = daemons.run(daemon.database_url, "documents", *arguments, check=False)
        assert done.returncode == 2 and "usage" in done.stderr


def test_a_daemon_that_dies_in_the_middle_leaves_nothing(database, keys, api, person, sql):
    before = stored(sql)
    second = daemons.Daemon(database, name="documents_killed", document_limit=LIMIT)
    content = make.pdf(900000)
    with socket.create_connection(("127.0.0.1", second.port), timeout=30) as wire:
        wire.sendall((HEAD % person["nip"].encode() + b"Content-Length: %d\n\n" % len(content)).replace(b"\n", b"\r\n") % keys("admin").encode() + content[:800000])
        until(sql, "SELECT count(*) > 0 FROM pg_stat_activity WHERE datname = current_database() AND state = 'idle in transaction'")
        second.kill()
    until(sql, "SELECT count(*) = 0 FROM pg_stat_activity WHERE datname = current_database() AND state = 'idle in transaction'")
    assert stored(sql) == before
