# SPDX-License-Identifier: Apache-2.0
"""After a breach: whose data a key or an address was shown, which of them, and what these people are told."""
import csv
import io
from urllib.parse import quote

import pytest

from support import make


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


def test_more_people_than_are_kept_one_by_one(api, thief, window, sql):
    """A download's entry has a number and a digest; it is not left out because nobody is named."""
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
