# SPDX-License-Identifier: Apache-2.0
"""What is proposed is not true before somebody else approves it, and then by the rules of a client's own write."""
import threading

import pytest

from support import make, postgres

LIST = "/v1/change-requests"
NIK = "7602011501900001"


@pytest.fixture()
def person(api, office):
    return make.person(api, office["id"], title_back="S.Kom.")


@pytest.fixture(scope="module")
def portal(api, keys):
    return api.as_key(keys("request.read", "request.write"))


@pytest.fixture(scope="module")
def bureau(api, keys):
    return api.as_key(keys("request.read", "request.write", "request.approve", "asn.read"))


def path(request, what=""):
    return f"{LIST}/{request['id']}{what}"


def decide(client, request, what, body=None, **options):
    return client.post(path(request, f"/{what}"), body, headers={"If-Match": options.pop("etag", "*")}, **options)


def record(api, person):
    return api.get(f"/v1/asn/{person['nip']}").json


def rank(start="2024-04-01", code="III/b", **more):
    return {"kind": "rank", "from": start, "facts": {"rank": code}, **more}


def test_a_record_changes_only_by_approval(api, portal, bureau, person):
    request = make.request(portal, person["nip"], record={"title_back": "S.Kom., M.Si.", "birth_place": None})
    assert (request["state"], request["before"], request["decided_at"]) == ("submitted", {"title_back": "S.Kom.", "birth_place": None}, None)
    assert record(api, person) == person
    done = decide(bureau, request, "approve", {"reason": "Sesuai ijazah"}).json
    assert (done["state"], done["reason"], done["history_id"]) == ("approved", "Sesuai ijazah", None)
    now = record(api, person)
    assert now["title_back"] == "S.Kom., M.Si." and now["version"] == person["version"] + 1
    titles = api.get(f"/v1/asn/{person['nip']}/history?kind=title").json["data"]
    assert titles[-1]["facts"] == {"title_back": "S.Kom., M.Si."}


def test_a_history_gets_its_row_only_by_approval(api, portal, bureau, person):
    request = make.request(portal, person["nip"], history=rank(decree_number="823/1"))
    assert request["kind"] == "history" and api.get(f"/v1/asn/{person['nip']}/history?kind=rank").json["data"] == []
    done = decide(bureau, request, "approve", {}).json
    row = api.get(f"/v1/asn/{person['nip']}/history/{done['history_id']}").json
    assert (row["facts"], row["decree_number"]) == ({"rank": "III/b"}, "823/1") and record(api, person)["rank"] == "III/b"


@pytest.mark.parametrize("what, body", [("approve", {}), ("refuse", {"reason": "x"})])
def test_nobody_decides_his_own(what, body, api, bureau, person):
    request = make.request(bureau, person["nip"])
    assert decide(bureau, request, what, body, expect=409).code == "request-own"
    own = make.request(api, person["nip"])
    assert decide(api, own, what, body, expect=409).code == "request-own", "an administrator neither"
    assert bureau.get(path(request)).json == request and record(api, person) == person


@pytest.mark.parametrize("end", ["approve", "refuse", "withdraw"])
def test_a_decision_is_for_good(end, api, portal, bureau, person):
    bodies = {"approve": {}, "refuse": {"reason": "Bukti kurang"}, "withdraw": None}
    request = make.request(portal, person["nip"])
    done = decide(portal if end == "withdraw" else bureau, request, end, bodies[end]).json
    assert done["state"] == {"approve": "approved", "refuse": "refused", "withdraw": "withdrawn"}[end] and done["decided_at"]
    for again, body in bodies.items():
        assert decide(portal if again == "withdraw" else bureau, request, again, body, expect=409).code == "request-decided"
    if end != "approve":
        assert record(api, person) == person


def test_only_who_proposed_it_withdraws_it(portal, bureau, person):
    request = make.request(portal, person["nip"])
    assert decide(bureau, request, "withdraw", expect=409).code == "request-not-own"
    assert decide(portal, request, "withdraw").json["state"] == "withdrawn"


def test_a_refusal_needs_a_reason(portal, bureau, person):
    request = make.request(portal, person["nip"])
    assert decide(bureau, request, "refuse", {}, expect=422).faults == {"/reason": "required"}
    assert decide(bureau, request, "refuse", {"reason": "Ijazah tidak terbaca"}).json["reason"] == "Ijazah tidak terbaca"


REFUSED = {  # what is proposed: the problem when it is approved, and its place
    "code-unknown": ({"history": rank(code="III/x")}, 422, {"/facts/rank": "code-unknown"}),
    "before-birth": ({"history": rank("1980-01-01")}, 422, {"/from": "before-birth"}),
    "history-overlap": ({"history": rank("2015-04-01")}, 409, {"/from": "history-overlap"}),
    "rank-below": ({"history": rank(code="II/a")}, 422, {"/facts/rank": "rank-below"}),
    "reference-missing": ({"record": {"unit_id": "01900000-0000-7000-8000-00000000dead"}}, 422, {"/unit_id": "reference-missing"}),
    "invalid": ({"record": {"kind": "PPPK"}}, 422, {"/kind": "nip-kind"}),
    "rank-unknown": ({"record": {"rank": "XIV"}}, 422, {"/rank": "rank-unknown"}),
}


@pytest.mark.parametrize("code", REFUSED)
def test_the_rules_of_the_write_hold_when_it_is_approved(code, api, portal, bureau, person, sql):
    make.history(api, person["nip"], "rank", {"rank": "III/a"}, "2015-04-01")
    change, status, faults = REFUSED[code]
    request = make.request(portal, person["nip"], **change)
    count = "SELECT (SELECT count(*) FROM history), (SELECT count(*) FROM history_version), (SELECT sum(version) FROM asn)"
    before = sql(count)
    reply = decide(bureau, request, "approve", {}, expect=status)
    assert (reply.code, reply.faults) == (code, faults)
    assert sql(count) == before and bureau.get(path(request)).json == request


def test_a_number_that_contradicts_is_a_warning_here_too(api, keys, portal, office):
    person = make.person(api, office["id"])
    request = make.request(portal, person["nip"], record={"sex": "F"})
    decide(api, request, "approve", {})
    assert record(api, person)["warnings"] == ["CON_3"]


def test_nothing_is_approved_over_other_values(api, portal, bureau, person):
    request = make.request(portal, person["nip"], record={"title_back": "S.Kom., M.Si."})
    api.patch(f"/v1/asn/{person['nip']}", {"birth_place": "Mamuju"}, etag="*")  # another member does not matter
    api.patch(f"/v1/asn/{person['nip']}", {"title_back": "S.T."}, etag="*")
    reply = decide(bureau, request, "approve", {}, expect=409)
    assert (reply.code, reply.faults) == ("request-outdated", {"/title_back": "request-outdated"})
    api.patch(f"/v1/asn/{person['nip']}", {"title_back": "S.Kom."}, etag="*")
    decide(bureau, request, "approve", {})


def test_a_dry_run_tells_what_an_approval_would_do(api, portal, bureau, person):
    request = make.request(portal, person["nip"], history=rank())
    reply = bureau.post(path(request, "/approve"), {}, headers={"If-Match": "*", "Prefer": "dry-run"}, expect=200)
    assert reply.json["state"] == "approved" and bureau.get(path(request)).json == request and record(api, person) == person


def test_two_who_approve_at_once_write_once(api, keys, portal, person, database, sql):
    request = make.request(portal, person["nip"], history={"kind": "course", "from": "2024-01-01", "facts": {"name": "Bimtek"}})
    deciders = [api.as_key(keys("request.approve", *more)) for more in ((), ("asn.read",))]
    replies = []
    threads = [threading.Thread(target=lambda c=c: replies.append(decide(c, request, "approve", {}, expect=None))) for c in deciders]
    with postgres.connected(database, autocommit=False) as holder, holder.cursor() as cursor:
        cursor.execute("SELECT FROM change_request WHERE id = %s FOR UPDATE", (request["id"],))
        for thread in threads:
            thread.start()
        postgres.until_somebody_waits(database)
        holder.commit()
    for thread in threads:
        thread.join()
    assert sorted(r.status for r in replies) == [200, 409], replies
    assert sql("SELECT count(*) FROM history h JOIN asn a ON a.id = h.asn_id WHERE a.nip = %s AND h.kind = 'course'", (person["nip"],)) == [(1,)]


@pytest.mark.parametrize("body, faults", [
    ({}, None), ({"record": {"name": "Baru"}, "history": rank()}, None), ({"record": {}}, {"/record": "request-empty"}),
    ({"record": {"gaji": 1}}, {"/record/gaji"}), ({"record": {"nip": "199001152015031999"}}, {"/record/nip"}),
    ({"history": {"kind": "rank", "from": "2024-01-01", "facts": {}}}, {"/history/facts/rank"}),
])
def test_what_has_not_the_form_is_refused_at_once(body, faults, portal, person):
    reply = portal.post(LIST, {"nip": person["nip"], **body}, expect=422)
    assert faults is None or set(faults) <= set(reply.faults), reply


def test_nobody_proposes_for_whom_he_does_not_see(api, keys, person):
    other = api.as_key(keys("request.read", "request.write", "request.approve", units=(make.unit(api, kind="dinas")["code"],)))
    assert other.post(LIST, {"nip": person["nip"], "record": {"birth_place": "X"}}, expect=422).faults == {"/nip": "reference-missing"}
    request = make.request(api, person["nip"])
    assert other.get(LIST).json["data"] == []
    other.get(path(request), expect=404)
    for what, body in (("approve", {}), ("refuse", {"reason": "x"}), ("withdraw", None)):
        decide(other, request, what, body, expect=404)
    other.get(path(request, "/comments"), expect=404)
    other.post(path(request, "/comments"), {"text": "x"}, expect=404)


def test_members_of_a_scope_are_neither_given_nor_shown_without_it(api, keys, portal, bureau, person):
    full = api.as_key(keys("request.read", "request.write", "asn.sensitive"))
    assert portal.post(LIST, {"nip": person["nip"], "record": {"nik": NIK}}, expect=403).faults == {"/record/nik": "forbidden"}
    request = make.request(full, person["nip"], record={"nik": NIK, "birth_place": "Mamuju"})
    assert request["record"]["nik"] == NIK
    shown = bureau.get(path(request))
    assert NIK not in shown.text and "nik" not in shown.json["before"] and shown.json["record"] == {"birth_place": "Mamuju"}
    assert NIK not in bureau.get(f"{LIST}?nip={person['nip']}").text
    assert decide(bureau, request, "approve", {}, expect=403).code == "forbidden"
    assert NIK not in decide(bureau, request, "refuse", {"reason": "x"}).text


def test_discipline_needs_its_scope_here_too(api, keys, portal, bureau, person):
    entry = {"kind": "discipline", "from": "2024-01-01", "facts": {"level": "ringan"}}
    assert portal.post(LIST, {"nip": person["nip"], "history": entry}, expect=403).faults == {"/history/kind": "forbidden"}
    request = make.request(api, person["nip"], history=entry)
    bureau.get(path(request), expect=404)
    assert bureau.get(f"{LIST}?nip={person['nip']}").json["data"] == []
    decide(bureau, request, "approve", {}, expect=404)
    allowed = api.as_key(keys("request.approve", "asn.discipline"))
    assert decide(allowed, request, "approve", {}).json["state"] == "approved"


def test_the_filters_leave_what_they_say(api, portal, bureau, office):
    person = make.person(api, office["id"])
    mine = make.request(portal, person["nip"])
    theirs = make.request(bureau, person["nip"], history=rank())
    decide(portal, mine, "withdraw")
    ids = lambda query: [r["id"] for r in portal.get(f"{LIST}?nip={person['nip']}{query}").json["data"]]  # noqa: E731
    assert ids("") == [theirs["id"], mine["id"]] and ids("&sort=id") == [mine["id"], theirs["id"]]
    assert ids("&state=submitted") == [theirs["id"]] and ids("&state=withdrawn") == [mine["id"]]
    assert ids("&kind=history") == [theirs["id"]] and ids("&mine=true") == [mine["id"]] and ids("&mine=false") == [theirs["id"]]
    assert ids(f"&under={office['id']}") == ids("") and ids(f"&under={make.unit(api)['id']}") == []


def test_comments_stand_in_their_order(portal, bureau, person):
    request = make.request(portal, person["nip"])
    portal.post(path(request, "/comments"), {"text": "Ijazah menyusul."}, expect=201)
    decide(bureau, request, "refuse", {"reason": "Lewat batas"})
    bureau.post(path(request, "/comments"), {"text": "Silakan ajukan lagi.\nTerima kasih."}, expect=201)
    told = bureau.get(path(request, "/comments")).json["data"]
    assert [c["text"] for c in told] == ["Ijazah menyusul.", "Silakan ajukan lagi.\nTerima kasih."]
    assert bureau.get(path(request)).json["version"] == 2, "a comment is no change of the request"
