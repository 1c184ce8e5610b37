# SPDX-License-Identifier: Apache-2.0
"""What was when: each kind of history, its corrections, the days on which it holds, and what the record shows of it."""
import json
import threading
import time

import pytest

from support import contract as contracts
from support import daemon as daemons
from support import make, postgres

FACTS = {  # kind: (facts, other facts, code or day that is wrong, the pointer that names it)
    "appointment": ({"kind": "PNS"}, {"kind": "PPPK"}),
    "rank": ({"rank": "III/a", "promotion_kind": "101", "service_years": 2, "service_months": 0}, {"rank": "III/b"}),
    "position": ({"assignment": "definitive", "position_kind": "pelaksana", "position": "Pengadministrasi"},
                 {"assignment": "definitive", "position_kind": "struktural", "position": "Kepala Seksi", "echelon": "41"}),
    "placement": ({}, {}),
    "education": ({"level": "40", "field": "Hukum", "school": "Universitas Contoh", "graduated_on": "2012-08-01"}, {"level": "45", "field": "Hukum"}),
    "title": ({"title_back": "S.H."}, {"title_back": "S.H., M.H."}),
    "status": ({"legal_status": "01"}, {"legal_status": "03"}),
    "service": ({"years": 4, "months": 3, "basis": "golongan"}, {"years": 4, "months": 4}),
    "credit": ({"total": 112.5, "main": 100, "additional": 12.5}, {"total": 113}),
    "course": ({"name": "Bimtek Arsip", "form": "B10", "jp": 24, "organiser": "Lembaga Contoh"}, {"name": "Bimtek Kearsipan", "jp": 30}),
    "performance": ({"regime": "skp_2022", "year": 2023, "results": "expected", "behaviour": "above", "predicate": "Baik"},
                    {"regime": "skp_2014", "year": 2018, "value": 84.1}),
    "discipline": ({"level": "ringan", "violation": "Terlambat"}, {"level": "sedang"}),
    "award": ({"award": "", "year": 2020}, {"award": "", "year": 2021}),
    "leave": ({"grounds": "Mengikuti suami bertugas"}, {"grounds": "Sakit"}),
    "study": ({"level": "45", "school": "Universitas Contoh", "funding": "beasiswa"}, {"level": "50"}),
    "transfer": ({"direction": "in", "agency": "Kabupaten Contoh"}, {"direction": "out", "agency": "Kabupaten Contoh"}),
    "contract": ({"number": "PK.1/2019"}, {"number": "PK.2/2019"}),
    "nip": ({}, {}),
    "pay": ({"rank": "III/a", "service_years": 4, "service_months": 0}, {"rank": "III/b", "service_years": 6}),
}
TRACKED = ("appointment", "rank", "position", "placement", "title", "status", "leave", "study", "contract", "nip")
KINDS = list(FACTS)


@pytest.fixture(scope="module")
def award(api):
    return api.get("/v1/references/award-kind?limit=1").json["data"][0]["code"]


@pytest.fixture()
def person(api, office):
    return make.person(api, office["id"])


@pytest.fixture()
def facts(api, office, award):
    """The two versions of facts of a kind, with what only this database knows put in."""
    other = make.unit(api)

    def of(kind):
        one, two = (dict(f) for f in FACTS[kind])
        if kind == "placement":
            return {"unit_id": office["id"]}, {"unit_id": other["id"]}
        if kind == "nip":
            return {"nip": make.nip()}, {"nip": make.nip()}
        if kind == "award":
            return {**one, "award": award}, {**two, "award": award}
        return one, two
    return of


def body(kind, facts, start="2019-03-01", **more):
    return {"kind": kind, "from": start, "facts": facts, **({"to": "2021-03-01"} if kind == "contract" else {}), **more}


def path(person, entry=None, what=""):
    return f"/v1/asn/{person['nip']}/history" + (f"/{entry['id']}" if entry else "") + what


def test_no_kind_is_left_out(api, person, facts, sql):
    """Those of the contract; and of a track are those of which the database says so, with whatever facts."""
    assert set(KINDS) == set(contracts.load().document["components"]["schemas"]["HistoryKind"]["enum"])
    tracked = {k for k in KINDS if sql("SELECT history_track(%s, %s::jsonb)", (k, json.dumps(facts(k)[0])))[0][0] is not None}
    assert tracked == set(TRACKED)


@pytest.mark.parametrize("kind", KINDS)
def test_a_row_is_made_corrected_and_keeps_its_versions(kind, api, person, facts):
    one, two = facts(kind)
    made = api.post(path(person), body(kind, one, decree_number="800/1", decree_date="2019-02-20", remote_id=f"{kind}-{person['nip']}"))
    assert made.status == 201 and made.json["facts"] == one and (made.json["version"], made.json["reason"]) == (1, None)
    entry = made.json
    assert api.get(path(person, entry)).json["facts"] == one
    told = body(kind, two, start="2019-04-01", reason="TMT salah ketik")
    corrected = api.put(path(person, entry), told, etag=made.headers["ETag"])
    assert corrected.status == 200 and corrected.json["facts"] == two and corrected.json["reason"] == "TMT salah ketik"
    versions = api.get(path(person, entry, "/versions")).json["data"]
    assert versions[0]["facts"] == two and versions[-1]["facts"] == one and versions[-1]["from"] == "2019-03-01"
    assert [v["version"] for v in versions] == sorted({v["version"] for v in versions}, reverse=True)
    api.put(path(person, entry), told, etag=made.headers["ETag"], expect=412)


@pytest.mark.parametrize("kind", KINDS)
def test_as_of_shows_what_held_on_that_day(kind, api, person, facts):
    one, _ = facts(kind)
    entry = api.post(path(person), body(kind, one, start="2018-05-01", to="2018-09-01")).json
    on = lambda day: [e["id"] for e in api.get(path(person) + f"?kind={kind}&as_of={day}").json["data"]]  # noqa: E731
    assert entry["id"] not in on("2018-04-30")
    assert entry["id"] in on("2018-05-01") and entry["id"] in on("2018-08-31")
    assert entry["id"] not in on("2018-09-01")


@pytest.mark.parametrize("kind", TRACKED)
def test_two_writers_at_once_never_overlap(kind, api, person, facts, database):
    """Both wait for the person, whom a third transaction holds; who comes second is refused and told over which row."""
    one, two = facts(kind)
    replies = []
    writers = [threading.Thread(target=lambda f=f: replies.append(api.post(path(person), body(kind, f, start="2016-02-01", to="2016-09-01"), expect=None)))
               for f in (one, two)]
    with postgres.connected(database, autocommit=False) as holder, holder.cursor() as cursor:
        cursor.execute("SELECT FROM asn WHERE nip = %s FOR UPDATE", (person["nip"],))
        for writer in writers:
            writer.start()
        postgres.until_somebody_waits(database)
        holder.commit()
    for writer in writers:
        writer.join()
    assert sorted(r.status for r in replies) == [201, 409], [r.text for r in replies]
    made, refused = sorted(replies, key=lambda r: r.status)
    assert refused.json["code"] == "history-overlap"
    assert [(e["pointer"], e["value"]) for e in refused.json["errors"]] == [("/from", made.json["id"])]
    assert [e["id"] for e in api.get(path(person) + f"?kind={kind}").json["data"] if e["from"] == "2016-02-01"] == [made.json["id"]]


@pytest.mark.parametrize("kind", [k for k in KINDS if k not in TRACKED])
def test_of_what_there_may_be_several_two_writers_at_once_both_write(kind, api, person, facts, database):
    one, two = facts(kind)
    replies = []
    writers = [threading.Thread(target=lambda f=f: replies.append(api.post(path(person), body(kind, f, start="2016-02-01", to="2016-09-01"), expect=None)))
               for f in (one, two)]
    with postgres.connected(database, autocommit=False) as holder, holder.cursor() as cursor:
        cursor.execute("SELECT FROM asn WHERE nip = %s FOR UPDATE", (person["nip"],))
        for writer in writers:
            writer.start()
        postgres.until_somebody_waits(database)
        holder.commit()
    for writer in writers:
        writer.join()
    assert [r.status for r in replies] == [201, 201], [r.text for r in replies]
    assert {e["id"] for e in api.get(path(person) + f"?kind={kind}&as_of=2016-05-01").json["data"]} == {r.json["id"] for r in replies}


def test_rows_may_come_in_any_order(api, person):
    ranks = [("III/b", "2019-04-01"), ("II/c", "2011-04-01"), ("III/a", "2015-04-01")]
    for rank, start in ranks:
        api.post(path(person), body("rank", {"rank": rank}, start=start))
    rows = api.get(path(person) + "?kind=rank").json["data"]
    assert [(r["facts"]["rank"], r["from"], r["until"]) for r in rows] == [
        ("II/c", "2011-04-01", "2015-04-01"), ("III/a", "2015-04-01", "2019-04-01"), ("III/b", "2019-04-01", None)]
    record = api.get(f"/v1/asn/{person['nip']}").json
    assert (record["rank"], record["rank_since"]) == ("III/b", "2019-04-01")


def test_what_is_annulled_never_was(api, person):
    api.post(path(person), body("rank", {"rank": "III/a"}, start="2015-04-01"))
    wrong = api.post(path(person), body("rank", {"rank": "III/b"}, start="2019-04-01"))
    gone = api.post(path(person, wrong.json, "/annul"), {"reason": "SK dibatalkan"}, headers={"If-Match": wrong.headers["ETag"]}).json
    assert (gone["is_void"], gone["reason"]) == (True, "SK dibatalkan")
    rows = api.get(path(person) + "?kind=rank").json["data"]
    assert [(r["facts"]["rank"], r["until"]) for r in rows] == [("III/a", None)]
    assert len(api.get(path(person) + "?kind=rank&include_void=true").json["data"]) == 2
    assert api.get(f"/v1/asn/{person['nip']}").json["rank"] == "III/a"
    api.post(path(person, gone, "/annul"), {"reason": "lagi"}, headers={"If-Match": f'"{gone["version"]}"'}, expect=409)


REFUSED = {
    "before-birth": (body("rank", {"rank": "III/a"}, start="1980-01-01"), 422, "/from"),
    "code-unknown": (body("rank", {"rank": "III/x"}), 422, "/facts/rank"),
    "rank-below": (body("rank", {"rank": "II/a"}, start="2026-01-01"), 422, "/facts/rank"),
    "history-overlap": (body("rank", {"rank": "III/d"}, start="2015-04-01"), 409, "/from"),
    "reference-missing": (body("placement", {"unit_id": "01900000-0000-7000-8000-00000000dead"}), 422, "/facts/unit_id"),
    "appointment-order": (body("appointment", {"kind": "CPNS"}, start="2026-01-01"), 422, "/from"),
    "nip-taken": (None, 409, "/facts/nip"),
}


@pytest.mark.parametrize("code", REFUSED)
def test_what_is_wrong_is_named_and_changes_nothing(code, api, office, person, sql):
    api.post(path(person), body("rank", {"rank": "III/c"}, start="2015-04-01"))
    told, status, pointer = REFUSED[code]
    if told is None:
        told = body("nip", {"nip": make.person(api, office["id"])["nip"]})
    count = "SELECT (SELECT count(*) FROM history), (SELECT count(*) FROM history_version)"
    before = sql(count)
    reply = api.post(path(person), told, expect=status)
    assert reply.json["code"] == code and reply.json["errors"][0]["pointer"] == pointer
    assert sql(count) == before


@pytest.mark.parametrize("told, pointers", [
    ({"kind": "rank", "from": "2020-01-01", "facts": {"rank": "III/a", "jp": 3}}, {"/facts/jp"}),
    ({"kind": "rank", "from": "2020-01-01", "facts": {}}, {"/facts/rank"}),
    ({"kind": "contract", "from": "2020-01-01", "facts": {}}, {"/to"}),
    ({"kind": "gaji", "from": "2020-01-01", "facts": {}}, {"/kind"}),
    ({"kind": "course", "from": "2020-01-01", "facts": {"name": "", "jp": -1}}, {"/facts/jp", "/facts/name"}),
    ({"kind": "course", "from": "2020-01-01", "facts": {"name": "X"}, "extra": 1}, {"/extra"}),
])
def test_the_form_goes_by_the_kind(told, pointers, api, person):
    faults = api.post(path(person), told, expect=422).json["errors"]
    assert pointers <= {f.get("pointer") for f in faults}, faults


def test_a_lower_rank_needs_to_be_told_as_one(api, person):
    api.post(path(person), body("rank", {"rank": "III/c"}, start="2015-04-01"))
    api.post(path(person), body("rank", {"rank": "III/b", "is_demotion": True}, start="2020-04-01"))
    assert api.get(f"/v1/asn/{person['nip']}").json["rank"] == "III/b"


def test_an_old_nip_still_finds_the_person(api, office):
    person, new = make.person(api, office["id"]), make.nip(birth="19900116")
    api.post(path(person), body("nip", {"nip": new}, start="2024-02-01"))
    assert api.get(f"/v1/asn/{new}").json["id"] == person["id"]
    assert api.get(f"/v1/asn/{person['nip']}").json["nip"] == new
    assert {e["facts"]["nip"] for e in api.get(path(person) + "?kind=nip").json["data"]} == {person["nip"], new}


def test_discipline_is_there_only_for_its_scope(api, keys, person):
    entry = api.post(path(person), body("discipline", {"level": "berat"})).json
    plain = api.as_key(keys("asn.read", "asn.write"))
    assert "discipline" not in {e["kind"] for e in plain.get(path(person)).json["data"]}
    assert plain.get(path(person) + "?kind=discipline").json["data"] == []
    plain.get(path(person, entry), expect=404)
    plain.get(path(person, entry, "/versions"), expect=404)
    plain.post(path(person), body("discipline", {"level": "ringan"}), expect=403)
    plain.put(path(person, entry), body("discipline", {"level": "ringan"}, reason="x"), etag='"1"', expect=403)
    plain.post(path(person, entry, "/annul"), {"reason": "x"}, headers={"If-Match": '"1"'}, expect=404)
    allowed = api.as_key(keys("asn.read", "asn.discipline"))
    assert [e["kind"] for e in allowed.get(path(person) + "?kind=discipline").json["data"]] == ["discipline"]


def test_a_change_of_the_record_leaves_its_history(api, person):
    record = api.get(f"/v1/asn/{person['nip']}")
    api.patch(f"/v1/asn/{person['nip']}", {"rank": "III/a", "rank_since": "2020-04-01", "position_kind": "pelaksana", "position": "Analis"},
              etag=record.headers["ETag"])
    rows = {e["kind"]: e for e in api.get(path(person)).json["data"]}
    assert (rows["rank"]["facts"], rows["rank"]["from"]) == ({"rank": "III/a"}, "2020-04-01")
    assert rows["position"]["facts"]["position"] == "Analis"
    record = api.get(f"/v1/asn/{person['nip']}")
    moved = api.patch(f"/v1/asn/{person['nip']}", {"rank_since": "2020-10-01"}, etag=record.headers["ETag"])
    rows = [e for e in api.get(path(person) + "?kind=rank").json["data"]]
    assert [(e["facts"], e["from"]) for e in rows] == [({"rank": "III/a"}, "2020-10-01")]
    api.patch(f"/v1/asn/{person['nip']}", {"rank": "II/d", "rank_since": "2016-10-01"}, etag=moved.headers["ETag"], expect=409)


@pytest.mark.parametrize("end", ["2020-01-01", "2019-12-31"])
def test_a_row_ends_after_it_begins(end, api, person):
    assert api.post(path(person), body("leave", {"grounds": "Sakit"}, start="2020-01-01", to=end), expect=422).faults == {"/to": "range-empty"}


@pytest.mark.parametrize("kind, facts, pointer", [("rank", {"rank": "IX"}, "/facts/rank"), ("appointment", {"kind": "PPPK"}, "/facts/kind")])
def test_a_rank_of_another_kind_is_named_where_the_row_tells_it(kind, facts, pointer, api, office):
    person = make.person(api, office["id"], rank="III/a", rank_since="2020-01-01")
    assert api.post(path(person), body(kind, facts, start=str(make.today())), expect=422).faults == {pointer: "rank-unknown"}
    assert api.get(f"/v1/asn/{person['nip']}").json["rank"] == "III/a"


# kind of ASN, its rank, and what cannot be on a day to come
AHEAD = [("PNS", "III/a", "rank", {"rank": "IX"}, "/facts/rank"), ("PPPK", "IX", "rank", {"rank": "III/b"}, "/facts/rank"),
         ("PNS", "III/a", "appointment", {"kind": "PPPK"}, "/facts/kind"), ("PPPK", "IX", "appointment", {"kind": "CPNS"}, "/facts/kind")]


@pytest.mark.parametrize("of, rank, kind, facts, pointer", AHEAD)
def test_nor_on_a_day_to_come(of, rank, kind, facts, pointer, api, office, sql):
    person = make.person(api, office["id"], kind=of, nip=make.nip(appointed="202021") if of == "PPPK" else make.nip(), rank=rank, rank_since="2021-01-01")
    before = sql("SELECT count(*), sum(version) FROM history")
    assert api.post(path(person), body(kind, facts, start="2099-01-01"), expect=422).faults == {pointer: "rank-unknown"}
    assert sql("SELECT count(*), sum(version) FROM history") == before
    own = api.post(path(person), body("rank", {"rank": {"PNS": "III/b", "PPPK": "X"}[of]}, start="2099-01-01"), expect=201).json
    reply = api.put(path(person, own), body("rank", {"rank": {"PNS": "X", "PPPK": "III/b"}[of]}, start="2099-01-01", reason="Salah"), etag='"1"', expect=422)
    assert reply.faults == {"/facts/rank": "rank-unknown"}


@pytest.mark.parametrize("member, told, code", [("unit_id", "01900000-0000-7000-8000-00000000dead", "reference-missing"), ("echelon", "77", "reference-missing"),
                                                ("rank", "IX", "rank-unknown")])
def test_what_nothing_has_is_named_in_the_record_too(member, told, code, api, person):
    """Whether a statement found it missing or a trigger did."""
    address = f"/v1/asn/{person['nip']}"
    fault, = api.patch(address, {member: told}, etag=make.tag(api, address), expect=422).json["errors"]
    assert (fault["pointer"], fault["code"], fault["value"]) == (f"/{member}", code, told)


def test_another_kind_comes_when_the_rank_before_it_ends(api, office):
    person = make.person(api, office["id"], rank="III/a", rank_since="2020-01-01")
    rank = api.get(path(person) + "?kind=rank").json["data"][0]
    api.put(path(person, rank), body("rank", {"rank": "III/a"}, start="2020-01-01", to="2098-01-01", reason="Beralih"), etag=f'"{rank["version"]}"')
    api.post(path(person), body("appointment", {"kind": "PPPK"}, start="2098-01-01"), expect=201)
    api.post(path(person), body("rank", {"rank": "IX"}, start="2098-01-01"), expect=201)


def test_whoever_has_such_a_rank_from_before_may_still_be_written_to(api, office, sql):
    """It was taken once; what has nothing to do with it is not held to it."""
    person = make.person(api, office["id"], rank="III/a", rank_since="2020-01-01")
    api.post(path(person), body("rank", {"rank": "III/b"}, start="2099-01-01"), expect=201)
    sql("UPDATE history SET facts = '{\"rank\": \"IX\"}' WHERE asn_id = %s AND starts = '2099-01-01'", (person["id"],))
    api.post(path(person), body("course", {"name": "Bimtek"}), expect=201)


@pytest.mark.parametrize("member, told, meant", [("rank", "IIIa", "III/a"), ("level", "S-1", "40")])
def test_a_code_that_the_list_does_not_have_suggests_one(member, told, meant, api, person):
    kind = {"rank": "rank", "level": "education"}[member]
    fault, = api.post(path(person), body(kind, {member: told}), expect=422).json["errors"]
    assert (fault["pointer"], fault["code"], fault["value"], fault["suggestion"]) == (f"/facts/{member}", "code-unknown", told, meant)


def test_others_do_not_see_it(api, keys, office, person):
    elsewhere = api.as_key(keys("admin", units=(make.unit(api, kind="dinas")["code"],)))
    entry = api.post(path(person), body("rank", {"rank": "III/a"})).json
    elsewhere.get(path(person), expect=404)
    elsewhere.get(path(person, entry), expect=404)
    elsewhere.post(path(person), body("rank", {"rank": "III/b"}), expect=404)


def test_a_daemon_that_starts_brings_the_records_up_to_the_day(api, person, database, sql):
    api.post(path(person), body("rank", {"rank": "III/a"}))
    sql("SET session_replication_role = replica; UPDATE asn SET rank = NULL, rank_since = NULL; INSERT INTO history_ahead SELECT '2020-01-01', id FROM asn")
    other = daemons.Daemon(database, name="test_history_dawn")
    try:
        end = time.monotonic() + 30
        while sql("SELECT rank FROM asn WHERE nip = %s", (person["nip"],)) != [("III/a",)]:
            assert time.monotonic() < end, "the record was not brought up to the day"
    finally:
        other.stop()
    assert sql("SELECT * FROM history_ahead WHERE day <= current_date") == []
