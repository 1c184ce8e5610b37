# SPDX-License-Identifier: Apache-2.0
"""After a breach: whose data a key or an address was shown, which of them, and what these people are told."""
import csv
import hashlib
import io
import json
import socket
from urllib.parse import quote, urlsplit

import pytest

from support import make, postgres
from support.writers import until


@pytest.fixture(scope="module")
def people(api, office):
    return [make.person(api, office["id"], nik=f"76020115019000{n}", phone=f"08123456785{n % 10}") for n in (51, 52, 53)]


@pytest.fixture(scope="module")
def thief(api, office, people):
    """A key that read two people, changed the second, and looked at a list in which the third was not."""
    made = make.key(api, scopes=["asn.read", "asn.sensitive", "asn.write"])
    client = api.as_key(made["secret"])
    for person in people[:2]:
        client.get(f"/v1/asn/{person['nip']}")
    client.get(f"/v1/asn/{people[0]['nip']}")
    client.patch(f"/v1/asn/{people[1]['nip']}", {"birth_place": "Majene"}, etag="*")
    return made["id"]


@pytest.fixture(scope="module")
def window(sql):
    return [row.isoformat(timespec="seconds") for row in sql("SELECT now() - interval '1 day', now() + interval '1 day'")[0]]


def path(who, start, end, **more):
    return "/v1/audit/exposure?" + "&".join(f"{k}={quote(v)}" for k, v in {"who": who, "from": start, "until": end, **more}.items())


def test_who_which_and_since_when(api, thief, people, window):
    rows = {r["nip"]: r for r in api.get(path(thief, *window)).json["data"]}
    assert rows.keys() == {p["nip"] for p in people[:2]}
    first, second = (rows[p["nip"]] for p in people[:2])
    assert (first["members"], first["operations"], first["entries"]) == (["nik", "phone"], ["getAsn"], 2)
    assert {"birth_place", "nik", "phone"} <= set(second["members"]) and "updateAsn" in second["operations"]
    assert first["first_at"] < first["last_at"] and first["people"] == 1


def test_the_notice_says_what_the_article_asks(api, thief, people, window):
    told = {r["nip"]: r["notice"] for r in api.get(path(thief, *window, how="Kunci aplikasi bocor", handling="Kunci dicabut")).json["data"]}
    text = told[people[0]["nip"]]
    for word in (people[0]["name"], people[0]["nip"], "Pasal 46", "nik, phone", "Kunci aplikasi bocor", "Kunci dicabut", "3 x 24 jam"):
        assert word in text, word
    assert people[1]["nip"] not in text and "........" not in text
    assert "........" in api.get(path(thief, *window)).json["data"][0]["notice"]


def test_as_csv(api, thief, people, window):
    reply = api.get(path(thief, *window), headers={"Accept": "text/csv"})
    rows = list(csv.DictReader(io.StringIO(reply.text.lstrip("\ufeff"))))
    assert [r["nip"].strip("'=\"") for r in rows] == sorted(p["nip"] for p in people[:2]) and "Pasal 46" in rows[0]["notice"]


def test_page_by_page(api, thief, window):
    whole = api.get(path(thief, *window)).json["data"]
    rows, pages = api.walk(path(thief, *window) + "&limit=1")
    assert rows == whole and pages >= 2


def test_by_the_address(api, thief, people, window):
    found = {r["nip"] for r in api.get(path("127.0.0.1", *window) + "&limit=1000").json["data"]}
    assert {p["nip"] for p in people[:2]} <= found
    assert api.get(path("192.0.2.9", *window)).json["data"] == []


def test_only_of_that_time(api, thief):
    assert api.get(path(thief, "2020-01-01T00:00:00Z", "2020-02-01T00:00:00Z")).json["data"] == []


CROWD = 41500  # more than two entries tell


@pytest.fixture(scope="module")
def crowd(api, database):
    """An office of so many that a download has three entries. Written past all triggers, which would take a minute."""
    office = make.unit(api)
    with postgres.connected(database, autocommit=False) as connection, connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute("INSERT INTO asn (id, nip, kind, name, birth_date, sex, unit_id, legal_status, phone) SELECT gen_random_uuid(), '1980011520100' || lpad(g::text, 5, '0'), 'PNS', 'Ramai ' || g, "
                       "'1980-01-15', 'M', %s, '01', '081200000000' FROM generate_series(1, %s) g", (office["id"], CROWD))
        connection.commit()
    return office


def test_a_download_names_everybody_whom_it_showed(api, crowd, window, sql):
    made = make.key(api, scopes=["asn.read", "asn.sensitive"])
    client = api.as_key(made["secret"])
    shown = client.get(f"/v1/asn?unit_id={crowd['id']}", headers={"Accept": "text/csv"})
    assert len(shown.text.splitlines()) == CROWD + 1
    entries = [json.loads(c) for c, in sql("SELECT content FROM audit_entry WHERE actor = %s AND content LIKE '%%\"count\"%%' ORDER BY id", (made["id"],))]
    assert [e["count"] for e in entries] == [20000, 20000, 1500] and all("people" not in e and len(e["crowd"]) < 100 for e in entries), "as ranges, which are short"
    nips = sorted(n for n, in sql("SELECT nip FROM asn WHERE unit_id = %s", (crowd["id"],)))
    assert entries[0]["digest"] == hashlib.sha256("".join(n + "\n" for n in nips[:20000]).encode()).hexdigest()
    reply = api.get(path(made["id"], *window), headers={"Accept": "text/csv"})
    rows = list(csv.DictReader(io.StringIO(reply.text.lstrip("\ufeff"))))
    assert sorted(r["nip"].strip("'=\"") for r in rows) == nips and all("Pasal 46" in r["notice"] for r in rows)
    readings = api.get(f"/v1/asn/{nips[77]}/readings").json["data"]
    assert [(r["operation"], r["alone"]) for r in readings if r["operation"] == "listAsn"] == [("listAsn", False)]
    told = api.get(f"/v1/audit/entries?nip={nips[-1]}&action=read&operation=listAsn").json["data"]
    assert [e["count"] for e in told] == [1500]
    assert "listAsn" in {t["operation"] for t in api.get(f"/v1/asn/{nips[77]}/processing-trail?limit=200").json["data"]}


def test_who_was_shown_is_noted_though_the_reader_leaves(api, crowd, sql):
    """Each entry is written while the next rows are read, not when all is over."""
    made = make.key(api, scopes=["asn.read", "asn.sensitive"])
    with socket.socket() as reader:
        reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)  # so that the daemon is not far ahead
        reader.connect((urlsplit(api.url).hostname, urlsplit(api.url).port))
        reader.sendall(f"GET /v1/asn?unit_id={crowd['id']} HTTP/1.1\r\nHost: x\r\nAccept: application/x-ndjson\r\nAuthorization: Bearer {made['secret']}\r\n\r\n".encode())
        rows = 0
        while rows < 21000:
            part = reader.recv(65536)
            assert part, "it ended too early"
            rows += part.count(b'{"id":')

    def noted():
        return sql("SELECT content::jsonb ->> 'count' FROM audit_entry WHERE actor = %s AND crowd IS NOT NULL", (made["id"],))
    until(noted)
    assert noted() == [("20000",)]


def test_old_readings_of_more_people_than_were_kept_one_by_one(api, thief, window, sql):
    """An entry of before has a number and a digest; it is not left out because nobody is named."""
    facts = f"{thief}\tlistAsn\t,\"actor\":\"{thief}\",\"operation\":\"listAsn\",\"kind\":\"key\""
    sql("SELECT set_config('asnd.audit', %s, true), audit_read(NULL, NULL, '{nik}', NULL, 5000, 'ab', NULL)", (facts,))
    row = api.get(path(thief, *window)).json["data"][0]
    assert (row["nip"], row["people"], row["notice"], row["operations"]) == (None, 5000, None, ["listAsn"])


UNBOUND = {
    "a-year-and-a-day": ("key", "2025-01-01T00:00:00Z", "2026-01-03T00:00:00Z"),
    "backwards": ("key", "2025-02-01T00:00:00Z", "2025-01-01T00:00:00Z"),
    "an-address-of-two-months": ("192.0.2.9", "2025-01-01T00:00:00Z", "2025-03-01T00:00:00Z"),
}


@pytest.mark.parametrize("name", UNBOUND)
def test_too_long_to_look_through(name, api):
    assert api.get(path(*UNBOUND[name]), expect=422).code == "exposure-range"
    assert api.get(path(*UNBOUND[name]), headers={"Accept": "text/csv"}, expect=422).code == "exposure-range"


@pytest.mark.parametrize("left_out", ["who", "from", "until"])
def test_without_a_bound_it_is_refused(left_out, api, thief, window):
    given = {"who": thief, "from": window[0], "until": window[1]}
    query = "&".join(f"{k}={quote(v)}" for k, v in given.items() if k != left_out)
    assert api.get(f"/v1/audit/exposure?{query}", expect=400).code == "parameter-invalid"


def test_units_hold(api, keys, thief, window):
    bound = api.as_key(keys("audit.read", units=[make.unit(api)["code"]]))
    assert bound.get(path(thief, *window)).json["data"] == []
    assert api.as_key(keys("asn.read")).get(path(thief, *window), expect=403).code == "forbidden"
