# SPDX-License-Identifier: Apache-2.0
"""Two records of one person: found, merged into one that both numbers find, and taken apart again as if nothing had been."""
import pytest

from support import make

TABLES = {
    "asn": "SELECT to_jsonb(a) - '{version,updated_at}'::text[] FROM asn a WHERE a.nip = ANY (%s)",
    "history": "SELECT to_jsonb(h) - '{version,updated_at,reason,actor_key,actor_name}'::text[] FROM history h JOIN asn a ON a.id = h.asn_id WHERE a.nip = ANY (%s)",
    "version": "SELECT DISTINCT v.asn_id, v.id FROM history_version v JOIN asn a ON a.id = v.asn_id WHERE a.nip = ANY (%s)",
    "enrolment": "SELECT to_jsonb(e) FROM enrolment e JOIN asn a ON a.id = e.asn_id WHERE a.nip = ANY (%s)",
    "evaluation": "SELECT to_jsonb(e) - '{version,updated_at}'::text[] FROM evaluation e JOIN asn a ON a.id = e.asn_id WHERE a.nip = ANY (%s)",
    "skp": "SELECT to_jsonb(s) - '{version,updated_at}'::text[] FROM skp s JOIN asn a ON a.id IN (s.asn_id, s.assessor_id) WHERE a.nip = ANY (%s)",
    "potential": "SELECT to_jsonb(p) FROM potential p JOIN asn a ON a.id = p.asn_id WHERE a.nip = ANY (%s)",
    "ip_asn_bkn": "SELECT to_jsonb(b) FROM ip_asn_bkn b JOIN asn a ON a.id = b.asn_id WHERE a.nip = ANY (%s)",
    "request": "SELECT to_jsonb(r) - '{version,updated_at}'::text[] FROM change_request r JOIN asn a ON a.id = r.asn_id WHERE a.nip = ANY (%s)",
}


@pytest.fixture()
def snapshot(sql):
    """What there is of these people, to the last member."""
    return lambda *nips: {t: sorted(map(repr, sql(s, (list(nips),)))) for t, s in TABLES.items()}


def merge(api, gone, heir, **options):
    return api.post(f"/v1/asn/{gone['nip']}/merge", {"into": heir["nip"], "reason": "Terdaftar dua kali"}, **options)


def unmerge(api, gone, **options):
    return api.post(f"/v1/asn/{gone['nip']}/unmerge", {"reason": "Dua orang bersaudara"}, **options)


def final(api, nip, **days):
    period = make.period(api, **days)
    evaluation = make.evaluation(api, nip, period["id"])
    make.indicator(api, evaluation["id"])
    path = f"/v1/evaluations/{evaluation['id']}"
    api.patch(path, {"results_rating": "sesuai_ekspektasi", "behaviour_rating": "sesuai_ekspektasi"}, etag="*")
    api.post(f"{path}/finalize", headers={"If-Match": "*"})
    return path


@pytest.fixture()
def pair(api, office):
    """Who stays and who goes, each with something of every sort."""
    heir, gone = (make.person(api, office["id"], rank="III/b", rank_since="2019-04-01"), make.person(api, office["id"]))
    make.history(api, gone["nip"], "rank", {"rank": "III/a"}, "2015-04-01")
    make.history(api, gone["nip"], "rank", {"rank": "III/c"}, "2023-04-01")
    for n, person in enumerate((heir, gone)):
        make.history(api, person["nip"], "course", {"name": f"Bimtek {n}"}, "2020-01-01")
        make.request(api, person["nip"])
        make.enrol(api, make.session(api, start=100 + 20 * n)["id"], person["nip"])
        make.agreed(api, person["nip"], make.period(api)["id"])
        make.skp(api, make.person(api, office["id"])["nip"], make.period(api)["id"], assessor_nip=person["nip"])
        api.post(f"/v1/asn/{person['nip']}/potentials", {"score": 70, "method": "Asesmen uji"}, expect=201)
        api.put(f"/v1/asn/{person['nip']}/professionalism-index/{2020 + n}/bkn", {"qualification": 15, "competence": 0, "performance": 25, "discipline": 5})
    return heir, gone


def kinds(api, nip, kind, void=False):
    return api.get(f"/v1/asn/{nip}/history?kind={kind}&include_void={str(void).lower()}").json["data"]


def test_everything_moves_and_both_numbers_find_the_one(api, pair, sql):
    heir, gone = pair
    evaluated = final(api, gone["nip"])
    row = next(r for r in kinds(api, gone["nip"], "rank") if r["facts"]["rank"] == "III/a")
    path = f"/v1/asn/{gone['nip']}/history/{row['id']}"
    api.put(path, {"kind": "rank", "from": "2015-10-01", "facts": {"rank": "III/a"}, "reason": "TMT"}, etag="*")
    versions = api.get(f"{path}/versions").json["data"]
    done = merge(api, gone, heir, expect=200).json
    assert (done["nip"], done["merged_nip"], done["undone_at"]) == (heir["nip"], gone["nip"], None)
    assert done["moved"]["enrolment"] == done["moved"]["evaluation"] == done["moved"]["change_request"] == 1
    assert api.get(f"/v1/asn/{gone['nip']}").json["id"] == heir["id"] == api.get(f"/v1/asn/{heir['nip']}").json["id"]
    assert sql("SELECT count(*) FROM asn WHERE id = %s", (gone["id"],)) == [(0,)]
    assert {r["facts"]["name"] for r in kinds(api, gone["nip"], "course")} == {"Bimtek 0", "Bimtek 1"}
    told = {v["version"]: v["facts"] for v in api.get(f"/v1/asn/{heir['nip']}/history/{row['id']}/versions").json["data"]}
    assert {v["version"]: v["facts"] for v in versions}.items() <= told.items(), "its versions came along"
    assert api.get(evaluated).json["nip"] == heir["nip"]
    checked = api.get(f"{evaluated}/verification").json
    assert (checked["same"], checked["seal_matches"]) == (True, True)
    assert len(api.get(f"/v1/enrolments?nip={heir['nip']}").json["data"]) == 2
    assert len(api.get(f"/v1/change-requests?nip={gone['nip']}").json["data"]) == 2


def test_what_holds_of_the_one_who_stays_goes_on_to_hold(api, pair):
    heir, gone = pair
    before = api.get(f"/v1/asn/{heir['nip']}").json
    merge(api, gone, heir)
    now = api.get(f"/v1/asn/{heir['nip']}").json
    ignored = ("version", "updated_at")
    assert {k: v for k, v in now.items() if k not in ignored} == {k: v for k, v in before.items() if k not in ignored}
    ranks = kinds(api, heir["nip"], "rank")
    assert [(r["facts"]["rank"], r["from"], r["until"]) for r in ranks] == [("III/a", "2015-04-01", "2019-04-01"), ("III/b", "2019-04-01", None)]
    assert ("III/c", True) in [(r["facts"]["rank"], r["is_void"]) for r in kinds(api, heir["nip"], "rank", void=True)]


def test_what_the_one_who_stays_lacks_is_filled(api, office):
    heir, gone = make.person(api, office["id"]), make.person(api, office["id"], rank="III/a", rank_since="2020-04-01")
    merge(api, gone, heir)
    assert api.get(f"/v1/asn/{heir['nip']}").json["rank"] == "III/a"
    unmerge(api, gone)
    assert api.get(f"/v1/asn/{heir['nip']}").json["rank"] is None and api.get(f"/v1/asn/{gone['nip']}").json["rank"] == "III/a"


def test_undone_it_is_as_it_was(api, pair, snapshot):
    heir, gone = pair
    final(api, gone["nip"])
    make.history(api, gone["nip"], "nip", {"nip": make.nip(birth="19900116")}, "2024-02-01")
    gone = api.get(f"/v1/asn/{gone['nip']}").json
    before = snapshot(heir["nip"], gone["nip"])
    merge(api, gone, heir)
    assert snapshot(heir["nip"], gone["nip"]) != before
    undone = unmerge(api, gone, expect=200).json
    assert undone["undone_at"] and undone["undone_reason"] == "Dua orang bersaudara"
    after = snapshot(heir["nip"], gone["nip"])
    for table in ("asn", "enrolment", "evaluation", "request"):
        assert after[table] == before[table], table
    assert after["history"] == before["history"]
    assert api.get(f"/v1/asn/{gone['nip']}").json["id"] == gone["id"]
    unmerge(api, gone, expect=404)
    merge(api, gone, heir, expect=200)


def test_an_old_number_of_the_merged_one_finds_the_other(api, office):
    heir, gone, new = make.person(api, office["id"]), make.person(api, office["id"]), make.nip(birth="19900116")
    make.history(api, gone["nip"], "nip", {"nip": new}, "2024-02-01")
    merge(api, {"nip": new}, heir)
    assert {api.get(f"/v1/asn/{n}").json["nip"] for n in (gone["nip"], new, heir["nip"])} == {heir["nip"]}
    unmerge(api, {"nip": new})
    assert {api.get(f"/v1/asn/{n}").json["nip"] for n in (gone["nip"], new)} == {new}


def test_the_number_is_not_given_again(api, office, pair):
    heir, gone = pair
    merge(api, gone, heir)
    body = {"nip": gone["nip"], "kind": "PNS", "name": "Lain", "unit_id": office["id"]}
    assert api.post("/v1/asn", body, expect=409).code == "nip-taken"
    file = f"nip,kind,name,unit_code\n{gone['nip']},PNS,Lain,{office['code']}\n{make.nip()},PNS,Baru,{office['code']}\n".encode()
    report = api("POST", "/v1/asn/import", data=file, headers={"Content-Type": "text/csv"}, expect=200).json
    assert (report["created"], report["refused"], [f["code"] for f in report["faults"]]) == (1, 1, ["nip-taken"])


def test_once_something_depends_on_it_it_stays(api, pair, snapshot):
    heir, gone = pair
    course = kinds(api, gone["nip"], "course")[0]
    merge(api, gone, heir)
    api.put(f"/v1/asn/{heir['nip']}/history/{course['id']}", {"kind": "course", "from": "2020-02-01", "facts": {"name": "Bimtek"}, "reason": "x"}, etag="*")
    before = snapshot(heir["nip"])
    reply = unmerge(api, gone, expect=409)
    assert reply.code == "merge-depends"
    assert snapshot(heir["nip"]) == before


def test_merged_on_and_taken_back_in_turn(api, office, snapshot):
    one, two, three = (make.person(api, office["id"]) for _ in range(3))
    before = snapshot(one["nip"], two["nip"], three["nip"])
    merge(api, one, two)
    merge(api, two, three)
    assert api.get(f"/v1/asn/{one['nip']}").json["nip"] == three["nip"]
    assert unmerge(api, one, expect=409).code == "merge-depends"
    unmerge(api, two)
    assert api.get(f"/v1/asn/{one['nip']}").json["nip"] == two["nip"]
    unmerge(api, one)
    after = snapshot(one["nip"], two["nip"], three["nip"])
    assert {t: after[t] for t in ("asn", "history")} == {t: before[t] for t in ("asn", "history")}


def test_taken_back_in_turn_also_where_the_second_made_rows_void(api, office, snapshot):
    one, two, three = (make.person(api, office["id"], rank=r, rank_since=d) for r, d in ((None, None), ("III/b", "2019-04-01"), ("III/c", "2010-04-01")))
    make.history(api, one["nip"], "rank", {"rank": "III/a"}, "2015-04-01")
    merge(api, one, two)
    before = snapshot(two["nip"])
    assert merge(api, two, three).json["voided"] > 0
    unmerge(api, two)
    assert [h["from"] for h in kinds(api, two["nip"], "rank")] == ["2015-04-01", "2019-04-01"]
    unmerge(api, one)
    assert [h["from"] for h in kinds(api, one["nip"], "rank")] == ["2015-04-01"]
    assert snapshot(two["nip"]) != before, "what came with the one went with him"


def test_what_one_person_cannot_have_twice_is_refused(api, office, snapshot):
    heir, gone = (make.person(api, office["id"]) for _ in range(2))
    period = make.period(api)
    for person in (heir, gone):
        make.evaluation(api, person["nip"], period["id"])
    before = snapshot(heir["nip"], gone["nip"])
    assert merge(api, gone, heir, expect=409).code == "evaluation-exists"
    assert snapshot(heir["nip"], gone["nip"]) == before
    heir, gone = (make.person(api, office["id"]) for _ in range(2))
    session = make.session(api, start=300)
    for person in (heir, gone):
        make.enrol(api, session["id"], person["nip"])
    assert merge(api, gone, heir, expect=409).code in ("enrolment-exists", "session-overlap")


def test_what_is_not_two_records_is_not_merged(api, keys, office, pair):
    heir, gone = pair
    assert merge(api, gone, gone, expect=422).faults == {"/into": "merge-self"}
    assert merge(api, gone, {"nip": "199912312022031998"}, expect=422).faults == {"/into": "reference-missing"}
    other = api.as_key(keys("asn.merge", units=(make.unit(api, kind="dinas")["code"],)))
    merge(other, gone, heir, expect=404)
    merge(api, gone, heir)
    unmerge(other, gone, expect=404)
    merge(api, gone, heir, expect=404)


def test_a_dry_run_merges_nothing(api, pair, snapshot):
    heir, gone = pair
    before = snapshot(heir["nip"], gone["nip"])
    assert merge(api, gone, heir, headers={"Prefer": "dry-run"}, expect=200).json["merged_nip"] == gone["nip"]
    assert snapshot(heir["nip"], gone["nip"]) == before


# ── likely doubles ──
NIK = "7602011501900042"


@pytest.fixture(scope="module")
def family(api):
    unit = make.unit(api, kind="dinas")
    person = lambda name, birth, **m: make.person(api, unit["id"], name=name, nip=make.nip(birth=birth), birth_date=f"{birth[:4]}-{birth[4:6]}-{birth[6:]}", **m)  # noqa: E731
    return unit, {
        "ali": person("Muhammad Ali Rahman", "19820304", nik=NIK), "twice": person("MUHAMMAD  ALI RAHMAN", "19820304"), "typo": person("Muhamad Ali Rahmann", "19820304"),
        "brother": person("Yusuf Ibrahim", "19820304"), "namesake": person("Muhammad Ali Rahman", "19820305"), "same_nik": person("Siti Aminah", "19790101", nik=NIK)}


def found(client, unit, who, query=""):
    names = {p["nip"]: n for n, p in who.items()}
    rows, _ = client.walk(f"/v1/asn/doubles?limit=2{query}")
    return {frozenset((names[r["nip"]], names[r["other_nip"]])): (r["why"], r["score"]) for r in rows if r["nip"] in names and r["other_nip"] in names}


def test_doubles_are_found_by_what_they_share(api, family):
    pairs = found(api, *family)
    assert {p: w for p, (w, _) in pairs.items()} == {
        frozenset(("ali", "twice")): ["name_birth"], frozenset(("ali", "typo")): ["name_like_birth"], frozenset(("twice", "typo")): ["name_like_birth"],
        frozenset(("ali", "same_nik")): ["nik"]}
    score = {p: s for p, (_, s) in pairs.items()}
    assert score[frozenset(("ali", "twice"))] == 0.8 > score[frozenset(("ali", "typo"))] >= 0.4 and score[frozenset(("ali", "same_nik"))] >= 0.9
    assert set(found(api, *family, "&min_score=0.79")) == {frozenset(("ali", "twice")), frozenset(("ali", "same_nik"))}
    assert set(found(api, *family, f"&nip={family[1]['typo']['nip']}")) == {frozenset(("ali", "typo")), frozenset(("twice", "typo"))}


def test_a_nik_finds_doubles_for_its_scope_alone(api, keys, family):
    assert frozenset(("ali", "same_nik")) not in found(api.as_key(keys("asn.read")), *family)
    assert frozenset(("ali", "same_nik")) in found(api.as_key(keys("asn.read", "asn.sensitive")), *family)


def test_a_pair_is_shown_to_who_may_see_both(api, keys, family):
    unit, who = family
    elsewhere = make.unit(api, kind="dinas")
    make.person(api, elsewhere["id"], name="Yusuf Ibrahim", nip=make.nip(birth="19820304"), birth_date="1982-03-04")
    one = api.as_key(keys("asn.read", units=(elsewhere["code"],)))
    assert one.get("/v1/asn/doubles").json["data"] == []
    assert any("Yusuf Ibrahim" == r["name"] == r["other_name"] for r in api.walk("/v1/asn/doubles")[0])


def test_merged_doubles_are_none_any_more(api, keys, office):
    nik = "7602011501900043"
    heir, gone = (make.person(api, office["id"], nik=nik) for _ in range(2))
    both = lambda: [r for r in api.walk(f"/v1/asn/doubles?nip={heir['nip']}")[0] if gone["nip"] in (r["nip"], r["other_nip"])]  # noqa: E731
    assert len(both()) == 1
    merge(api, gone, heir)
    assert both() == [] and gone["nip"] in {m["merged_nip"] for m in api.walk("/v1/asn/merges?is_undone=false")[0]}


def test_two_ids_in_one_other_system_are_not_made_one(api, office):
    """Which of the two is right, somebody must say."""
    one, other = make.person(api, office["id"]), make.person(api, office["id"])
    for person in (one, other):
        api.put(f"/v1/asn/{person['nip']}/external-ids/uji", {"value": f"U-{person['nip']}"})
    refused = api.post(f"/v1/asn/{one['nip']}/merge", {"into": other["nip"], "reason": "Terdaftar dua kali"}, expect=409)
    assert (refused.json["code"], refused.json["errors"][0]["value"]) == ("merge-ids", "uji")
    api.delete(f"/v1/asn/{one['nip']}/external-ids/uji")
    api.post(f"/v1/asn/{one['nip']}/merge", {"into": other["nip"], "reason": "Terdaftar dua kali"})


def test_ids_in_other_systems_move_along(api, office):
    one, other = make.person(api, office["id"]), make.person(api, office["id"])
    api.put(f"/v1/asn/{one['nip']}/external-ids/uji2", {"value": f"V-{one['nip']}"})
    api.post(f"/v1/asn/{one['nip']}/merge", {"into": other["nip"], "reason": "Terdaftar dua kali"})
    assert f"V-{one['nip']}" in api.get(f"/v1/asn/{other['nip']}/external-ids").text
