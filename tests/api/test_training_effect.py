# SPDX-License-Identifier: Apache-2.0
"""What training does: who is asked when, who stays unknown, what was learned, what others saw. What changed: test_training_effect_change.py."""
import uuid
from datetime import timedelta

import pytest

from support import make
from test_race import all_at_once, poster

ITEMS = [f"R{n}" for n in range(1, 8)]


@pytest.fixture(scope="module")
def settings():
    return {"public_rate": 100000, "token_rate": 100000}


def people(api, unit, n, **members):
    return [make.person(api, unit, **members) for _ in range(n)]


def attending(api, unit, n, programme_id=None):
    """A session whose last day is today, and who takes part."""
    session = make.session(api, programme_id, start=-1, length=2, capacity=100)
    made = [make.enrol(api, session["id"], p["nip"]) for p in people(api, unit, n)]
    for e in made:
        api.post(f"/v1/enrolments/{e['id']}/attend", expect=200)
    return session, made


def link(api, enrolment):
    return api.get(f"/v1/enrolments/{enrolment['id']}/reaction").json


def say(anonymous, told, answers, where="reactions", form_id=None, expect=200):
    return anonymous.post(f"/v1/public/{where}/{told['answer_token']}", {"form_id": form_id or str(uuid.uuid4()), "answers": answers}, expect=expect)


def close(sql, session, what="reaction"):
    """The last day was yesterday. (The days are fixed: a trigger refuses this, so it is switched off.)"""
    if what == "reaction":
        move(sql, session, "reaction_opens = local_today() - 10, reaction_closes = local_today() - 1")
    else:
        move(sql, session, "behaviour_closes = local_today() - 1")
        sql("""UPDATE behaviour_request q SET closes_on = local_today() - 1 FROM behaviour_review v WHERE v.id = q.review_id AND v.session_id = %s RETURNING 1""", (session,))


def move(sql, session, days):
    sql(f"SET session_replication_role = replica; UPDATE effect_window SET {days} WHERE session_id = %s RETURNING 1", (session,))


# ── the plan ──

def test_a_programme_without_a_plan_has_that_of_all(api):
    path = f"/v1/programmes/{make.programme(api)['id']}/effect-plan"
    told = api.get(path)
    assert {k: told.json[k] for k in ("reaction_days", "behaviour_months", "behaviour_days", "peers", "version")} == \
        {"reaction_days": 14, "behaviour_months": 6, "behaviour_days": 30, "peers": 3, "version": 1}
    mine = {"reaction_days": 7, "behaviour_months": 12, "behaviour_days": 21, "peers": 0}
    now = api.put(path, mine, etag=told.etag, expect=200).json
    assert {k: now[k] for k in mine} == mine and now["version"] == 2
    assert api.put(path, mine, etag=told.etag, expect=412).code == "version-stale"
    assert api.get(path).json == now


@pytest.mark.parametrize("member, value", [("behaviour_months", 2), ("behaviour_months", 13), ("reaction_days", 0), ("behaviour_days", 6), ("peers", 11)])
def test_a_plan_out_of_bounds_is_refused(member, value, api):
    body = {"reaction_days": 7, "behaviour_months": 12, "behaviour_days": 21, "peers": 0, member: value}
    assert list(api.put(f"/v1/programmes/{make.programme(api)['id']}/effect-plan", body, etag="*", expect=422).faults) == [f"/{member}"]


def test_the_days_of_a_session_are_fixed_by_the_first_who_answers(api, anonymous, office, sql):
    session, (first, second) = attending(api, office["id"], 2)
    before = link(api, first)
    assert (before["opens_on"], before["closes_on"]) == (session["ends_on"], (make.today() + timedelta(days=14)).isoformat())
    say(anonymous, before, {"R1": 4})
    api.put(f"/v1/programmes/{session['programme_id']}/effect-plan", {"reaction_days": 90, "behaviour_months": 6, "behaviour_days": 30, "peers": 3}, etag="*", expect=200)
    assert link(api, second)["closes_on"] == before["closes_on"]
    with pytest.raises(Exception, match="fixed"):
        sql("UPDATE effect_window SET reaction_closes = reaction_closes + 1 RETURNING 1")


# ── level 1 ──

def test_what_is_asked_is_data(api, anonymous, office):
    _, (enrolment,) = attending(api, office["id"], 1)
    form = anonymous.get(f"/v1/public/reactions/{link(api, enrolment)['answer_token']}").json
    assert [i["code"] for i in form["items"]] == ITEMS and [s["value"] for s in form["scale"]] == [1, 2, 3, 4]
    assert form["scale"][3]["name"] == "Sangat baik" and form["is_open"] and not form["is_answered"]


def test_a_participant_answers_once_and_a_lost_reply_may_be_asked_again(api, anonymous, office, sql):
    session, (enrolment,) = attending(api, office["id"], 1)
    told, form_id = link(api, enrolment), str(uuid.uuid4())
    assert say(anonymous, told, {"R9": 4}, expect=422).faults == {"/answers/R9": "answer-unasked"}
    assert say(anonymous, told, {"R1": 5}, expect=422).faults == {"/answers/R1": "too-large"}
    for _ in range(2):
        assert say(anonymous, told, {"R1": 4, "R2": 1}, form_id=form_id).json == {"taken": True, "form_id": form_id}
    assert say(anonymous, told, {"R1": 1}, expect=409).code == "questionnaire-answered"
    assert link(api, enrolment)["is_answered"]
    assert sql("SELECT item, value, n FROM effect_tally WHERE session_id = %s ORDER BY 1", (session["id"],)) == [("-", 0, 1), ("R1", 4, 1), ("R2", 1, 1)]


def test_nothing_joins_an_answer_to_who_gave_it(sql):
    """There is no answer, only counts; and the receipt has no time."""
    columns = sql("SELECT column_name FROM information_schema.columns WHERE table_name = %s ORDER BY 1", ("reaction_receipt",))
    assert columns == [("enrolment_id",), ("form_id",)]
    assert sql("SELECT column_name FROM information_schema.columns WHERE table_name = 'effect_tally' ORDER BY 1") == \
        [("item",), ("n",), ("role",), ("session_id",), ("value",)]


def test_only_who_takes_part_is_asked_and_only_in_time(api, anonymous, office, sql):
    early = make.session(api, start=-1, length=10)
    enrolment = make.enrol(api, early["id"], make.person(api, office["id"])["nip"])
    assert say(anonymous, link(api, enrolment), {"R1": 4}, expect=409).code == "questionnaire-closed"
    api.post(f"/v1/enrolments/{enrolment['id']}/attend", expect=200)
    assert not link(api, enrolment)["is_open"]  # its last day has not come
    session, (one, two, absent) = attending(api, office["id"], 3)
    form_id = str(uuid.uuid4())
    say(anonymous, link(api, one), {"R1": 4}, form_id=form_id)
    close(sql, session["id"])
    assert say(anonymous, link(api, two), {"R1": 4}, expect=409).code == "questionnaire-closed"
    say(anonymous, link(api, one), {"R1": 4}, form_id=form_id)  # a lost reply is asked again after the last day
    assert say(anonymous, {"answer_token": "AChyOjAx"}, {"R1": 4}, expect=400)


def test_a_link_is_for_the_office_of_the_participant(api, keys, office):
    _, (enrolment,) = attending(api, office["id"], 1)
    stranger = api.as_key(keys("training.write", units=[make.unit(api)["code"]]))
    stranger.get(f"/v1/enrolments/{enrolment['id']}/reaction", expect=404)


def test_results_wait_for_the_last_day_and_for_five(api, anonymous, office, sql):
    programme = make.programme(api)
    session, enrolments = attending(api, office["id"], 7, programme["id"])
    path = f"/v1/sessions/{session['id']}/reaction"
    for n, e in enumerate(enrolments[:5]):
        say(anonymous, link(api, e), {**dict.fromkeys(ITEMS[:6], 4 if n else 1), **({"R7": 3} if n < 4 else {})})
    told = api.get(path).json
    assert (told["asked"], told["answered"], told["reason"], told["mean"], told["items"]) == (7, 5, "open", None, [])
    close(sql, session["id"])
    told = api.get(path).json
    assert (told["reason"], told["sessions_shown"]) == (None, 1)
    assert [(i["code"], i["n"], i["mean"] and i["mean"].text) for i in told["items"]] == [(c, 5, "3.4000") for c in ITEMS[:6]] + [("R7", None, None)]
    assert told["items"][0]["counts"] == [1, 0, 0, 4] and told["items"][0]["subject"] == "trainer"
    assert told["mean"] is None  # with the mean of all, the hidden item could be had


def test_a_hidden_session_cannot_be_had_by_subtraction(api, anonymous, office, sql):
    programme = make.programme(api)
    for n, answer in ((6, 4), (4, 1), (5, 2)):
        session, enrolments = attending(api, office["id"], n, programme["id"])
        for e in enrolments:
            say(anonymous, link(api, e), dict.fromkeys(ITEMS, answer))
        close(sql, session["id"])
        if n == 4:
            few = api.get(f"/v1/sessions/{session['id']}/reaction").json
            assert (few["reason"], few["answered"], few["items"][:1], few["mean"]) == ("few", 4, [], None)
    _, waiting = attending(api, office["id"], 5, programme["id"])
    for e in waiting:
        say(anonymous, link(api, e), dict.fromkeys(ITEMS, 1))
    told = api.get(f"/v1/programmes/{programme['id']}/reaction").json
    assert (told["sessions_shown"], told["sessions_few"], told["sessions_open"], told["answered"]) == (2, 1, 1, 20)
    assert {(i["n"], i["mean"].text) for i in told["items"]} == {(11, "3.0909")}  # (6 · 4 + 5 · 2) / 11
    assert told["mean"].text == "3.0909"


def test_all_at_once_each_is_counted_once(api, office, sql):
    session, enrolments = attending(api, office["id"], 12)
    tokens = [link(api, e)["answer_token"] for e in enrolments]
    forms = [(t, str(uuid.uuid4())) for t in tokens]
    replies = all_at_once([poster(api, f"/v1/public/reactions/{t}", {"form_id": f, "answers": dict.fromkeys(ITEMS, 3)}) for t, f in forms for _ in range(2)])
    assert {r.status_code for r in replies} == {200}
    assert sql("SELECT DISTINCT n FROM effect_tally WHERE session_id = %s", (session["id"],)) == [(12,)]


# ── level 2 ──

TESTS = [(40, 70), (60, 100), (80, 80), (50, 45), (100, 100), (None, 90), (30, None), (90, 97)]


def test_what_was_learned(api, keys, office):
    """(post − pre)/(100 − pre): 0.5, 1, 0, −0.1, none, two without both, 0.7; of the class (30 + 40 + 0 − 5 + 0 + 7)/180."""
    session = make.session(api, start=-1, length=2, capacity=20)
    for pre, post in TESTS:
        e = make.enrol(api, session["id"], make.person(api, office["id"])["nip"])
        api.post(f"/v1/enrolments/{e['id']}/attend", expect=200)
        told = {k: v for k, v in (("pre_test", pre), ("post_test", post)) if v is not None}
        api.post(f"/v1/enrolments/{e['id']}/results", told, expect=200)
        api.post(f"/v1/enrolments/{e['id']}/complete", {"result": "passed"}, expect=200)
    told = api.get(f"/v1/sessions/{session['id']}/learning").json
    assert {k: told[k] for k in ("participants", "tested", "missing_pre", "missing_post", "normalised", "full_pre", "high", "medium", "low", "lost")} == \
        {"participants": 8, "tested": 6, "missing_pre": 1, "missing_post": 1, "normalised": 5, "full_pre": 1, "high": 2, "medium": 1, "low": 1, "lost": 1}
    assert [told[k].text for k in ("pre_mean", "post_mean", "gain_mean", "class_gain", "normalised_mean")] == ["70.0000", "82.0000", "12.0000", "0.4000", "0.4200"]
    assert {**api.get(f"/v1/programmes/{session['programme_id']}/learning").json, "session_id": session["id"]} == told
    stranger = api.as_key(keys("training.read", units=[make.unit(api)["code"]]))
    assert stranger.get(f"/v1/sessions/{session['id']}/learning").json["participants"] == 0


# ── level 3 ──

@pytest.fixture
def bureau(api, office):
    """A unit with a head, in one that has a head too."""
    above = make.unit(api, office["id"], kind="bidang")
    unit = make.unit(api, above["id"], kind="seksi")
    heads = people(api, unit["id"], 1) + people(api, above["id"], 1)
    for head, place in zip(heads, (unit, above)):
        make.history(api, head["nip"], "position", {"position_kind": "struktural", "position": f"Kepala {place['name']}", "assignment": "definitive", "unit_id": place["id"]}, "2020-01-01")
    return {"unit": unit, "above": above, "head": heads[0], "chief": heads[1]}


def requests(api, query=""):
    return api.get(f"/v1/behaviour-requests?limit=1000{query}").json["data"]


def roles(rows):
    return sorted((r["role"], r["respondent_nip"]) for r in rows)


def test_superior_peers_and_self_are_asked_months_later(api, anonymous, bureau):
    person, *peers = people(api, bureau["unit"]["id"], 6)
    (enrolment,) = make.reviewed(api, [person])
    rows = [r for r in requests(api) if r["enrolment_id"] == enrolment["id"]]
    assert sorted(r["role"] for r in rows) == ["peer", "peer", "peer", "self", "superior"]
    by_role = dict(roles(rows))
    assert by_role["superior"] == bureau["head"]["nip"] and by_role["self"] == person["nip"]
    assert {r["respondent_nip"] for r in rows if r["role"] == "peer"} <= {p["nip"] for p in peers}
    assert {r["state"] for r in rows} == {"due"} and all(0 < r["days_left"] < 30 for r in rows)


def test_who_heads_the_unit_is_seen_by_the_unit_above(api, bureau):
    (enrolment,) = make.reviewed(api, [bureau["head"]])
    assert [r["respondent_nip"] for r in requests(api, "&role=superior") if r["enrolment_id"] == enrolment["id"]] == [bureau["chief"]["nip"]]


def test_nothing_is_asked_before_its_day(api, office, sql):
    session, enrolments = attending(api, office["id"], 1)
    api.post(f"/v1/enrolments/{enrolments[0]['id']}/complete", {"result": "passed"}, expect=200)
    assert requests(api, f"&session_id={session['id']}") == []
    assert api.post(f"/v1/enrolments/{enrolments[0]['id']}/behaviour", {"role": "peer", "nip": make.person(api, office["id"])["nip"]}, expect=409).code == "questionnaire-closed"
    move(sql, session["id"], "reaction_opens = local_today() - 200, reaction_closes = local_today() - 190, behaviour_opens = local_today()")
    assert sql("SELECT behaviour_assign_due()") == [(1,)] and sql("SELECT behaviour_assign_due()") == [(0,)]
    assert {r["role"] for r in requests(api, f"&session_id={session['id']}")} >= {"self", "superior"}


def test_who_completes_when_it_is_over_is_not_asked_about(api, office):
    session = make.session(api, start=-1, length=3)
    make.finished(api, session, people(api, office["id"], 1), make.today() - timedelta(days=300))
    assert requests(api, f"&session_id={session['id']}") == []


def test_where_the_tree_names_nobody_somebody_is_named(api, keys, office):
    lonely = make.unit(api, None, kind="instansi")
    person, other, third = people(api, lonely["id"], 3)
    (enrolment,) = make.reviewed(api, [person])
    [row] = [r for r in requests(api, "&state=unassigned") if r["enrolment_id"] == enrolment["id"]]
    assert (row["role"], row["respondent_nip"]) == ("superior", None)
    path, boss = f"/v1/enrolments/{enrolment['id']}/behaviour", make.person(api, office["id"])
    named = api.post(path, {"role": "superior", "nip": boss["nip"]}, expect=201).json
    assert (named["id"], named["respondent_nip"], named["state"]) == (row["id"], boss["nip"], "due") and named["named_by"]
    assert {k: v for k, v in api.get(f"/v1/behaviour-requests/{row['id']}").json.items() if k != "answer_token"} == {k: v for k, v in named.items() if k != "answer_token"}
    for nip in (person["nip"], other["nip"], boss["nip"]):
        assert api.post(path, {"role": "peer", "nip": nip}, expect=409).code == "respondent-asked"
    assert api.post(path, {"role": "peer", "nip": "199912312022031998"}, expect=422).faults == {"/nip": "reference-missing"}
    for _ in range(8):
        api.post(path, {"role": "peer", "nip": make.person(api, office["id"])["nip"]}, expect=201)
    assert api.post(path, {"role": "peer", "nip": make.person(api, office["id"])["nip"]}, expect=409).code == "respondent-many"
    stranger = api.as_key(keys("training.write", units=[office["code"]]))
    stranger.post(path, {"role": "peer", "nip": boss["nip"]}, expect=404)
    stranger.get(f"/v1/behaviour-requests/{row['id']}", expect=404)


def test_each_answers_once_and_a_peer_is_not_known_again(api, anonymous, bureau, sql):
    person, *_ = people(api, bureau["unit"]["id"], 3)
    (enrolment,) = make.reviewed(api, [person])
    rows = {r["role"]: api.get(f"/v1/behaviour-requests/{r['id']}").json for r in requests(api) if r["enrolment_id"] == enrolment["id"]}
    form = anonymous.get(f"/v1/public/behaviour/{rows['peer']['answer_token']}").json
    assert [i["code"] for i in form["items"]] == ["B1", "B2", "B3", "B4", "B5"] and form["participant_name"] == person["name"] and form["scale"][0]["name_en"] == "Never"
    for role, row in rows.items():
        form_id = str(uuid.uuid4())
        assert say(anonymous, row, {"R1": 1}, "behaviour", expect=422).faults == {"/answers/R1": "answer-unasked"}
        for _ in range(2):
            say(anonymous, row, {"B1": 2, "B5": 4}, "behaviour", form_id=form_id)
        assert say(anonymous, row, {"B1": 1}, "behaviour", expect=409).code == "questionnaire-answered"
        now = api.get(f"/v1/behaviour-requests/{row['id']}").json
        assert (now["state"], now["answers"]) == ("answered", None if role == "peer" else {"B1": 2, "B5": 4})
    assert sql("SELECT count(*) FROM behaviour_request WHERE role = 'peer' AND updated_at <> created_at") == [(0,)]
    nip = make.person(api, bureau["unit"]["id"])["nip"]
    assert api.post(f"/v1/enrolments/{enrolment['id']}/behaviour", {"role": "superior", "nip": nip}, expect=409).code == "questionnaire-answered"


def test_results_by_who_was_asked(api, anonymous, bureau, sql):
    programme = make.programme(api)
    trained = people(api, bureau["unit"]["id"], 5)
    enrolments = make.reviewed(api, trained, programme["id"])
    session = enrolments[0]["session_id"]
    values = {"self": 4, "superior": 3}
    for row in requests(api, f"&session_id={session}"):
        if row["role"] in values or row["nip"] == trained[0]["nip"]:
            say(anonymous, api.get(f"/v1/behaviour-requests/{row['id']}").json, dict.fromkeys(["B1", "B2", "B3", "B4", "B5"], values.get(row["role"], 1)), "behaviour")
    path = f"/v1/sessions/{session}/behaviour"
    assert {(g["role"], g["reason"], g["mean"]) for g in api.get(path).json["groups"]} == {("self", "open", None), ("superior", "open", None), ("peer", "open", None)}
    close(sql, session, "behaviour")
    told = {g["role"]: g for g in api.get(path).json["groups"]}
    assert (told["self"]["mean"].text, told["superior"]["mean"].text, told["self"]["answered"]) == ("4.0000", "3.0000", 5)
    assert (told["peer"]["asked"], told["peer"]["answered"], told["peer"]["reason"], told["peer"]["mean"], told["peer"]["items"]) == (15, 3, "few", None, [])
    assert api.get(f"/v1/programmes/{programme['id']}/behaviour").json["groups"] == api.get(path).json["groups"]
    states = [r["state"] for r in requests(api, f"&session_id={session}")]
    assert (states.count("answered"), states.count("overdue")) == (13, 12)
    late = next(r for r in requests(api, f"&session_id={session}&state=overdue"))
    assert say(anonymous, api.get(f"/v1/behaviour-requests/{late['id']}").json, {"B1": 1}, "behaviour", expect=409).code == "questionnaire-closed"


@pytest.mark.parametrize("who, is_shown", [("one", False), ("five", True), ("one-item", False), ("named", False)])
def test_few_peers_who_answer_about_many_are_few(who, is_shown, api, anonymous, office, sql):
    """Seven forms of peers are seven people's only if seven people answered them."""
    unit = make.unit(api, office["id"], kind="seksi")
    programme = make.programme(api)
    api.put(f"/v1/programmes/{programme['id']}/effect-plan", {"reaction_days": 7, "behaviour_months": 6, "behaviour_days": 30, "peers": 1}, etag="*", expect=200)
    trained, others = people(api, unit["id"], 7), people(api, office["id"], 7)
    session = make.reviewed(api, trained, programme["id"])[0]["session_id"]
    forms = [r for r in requests(api, f"&session_id={session}&role=peer")]
    for n, row in enumerate(forms):
        peer = others[0 if who == "one" else n if who == "named" else max(0, n - 2)]
        sql("UPDATE behaviour_request SET asn_id = (SELECT id FROM asn WHERE nip = %s), named_by = %s WHERE id = %s RETURNING 1",
            (peer["nip"], "Panitia" if who == "named" and n < 6 else None, row["id"]))
        answers = {"B1": 3} if who == "one-item" and n > 5 else {"B1": 3, "B2": 4}
        say(anonymous, api.get(f"/v1/behaviour-requests/{row['id']}").json, answers, "behaviour")
    close(sql, session, "behaviour")
    told = next(g for g in api.get(f"/v1/sessions/{session}/behaviour").json["groups"] if g["role"] == "peer")
    assert told["answered"] == 7
    shown = {i["code"]: i["n"] for i in told["items"]}
    if who == "one-item":
        assert shown == {"B1": 7, "B2": None} and told["mean"] is None, "of B2 it may be four who answered"
    else:
        assert (told["reason"], shown) == ((None, {"B1": 7, "B2": 7}) if is_shown else ("few", {}))


def test_lists_for_reminders(api, keys, bureau):
    person, *_ = people(api, bureau["unit"]["id"], 2)
    (enrolment,) = make.reviewed(api, [person])
    mine = requests(api, f"&respondent={person['nip']}")
    assert [r["enrolment_id"] for r in mine if r["role"] == "self"] == [enrolment["id"]]
    assert requests(api, f"&session_id={enrolment['session_id']}&within=0") == [] and requests(api, f"&session_id={enrolment['session_id']}&within=31") != []
    stranger = api.as_key(keys("training.read", units=[make.unit(api)["code"]]))
    assert requests(stranger) == []


def test_who_turns_out_to_be_somebody_else_is_asked_under_the_other_number(api, bureau, office):
    (enrolment,) = make.reviewed(api, people(api, bureau["unit"]["id"], 1))
    double, person = people(api, office["id"], 2)
    named = api.post(f"/v1/enrolments/{enrolment['id']}/behaviour", {"role": "peer", "nip": double["nip"]}, expect=201).json
    api.post(f"/v1/asn/{double['nip']}/merge", {"into": person["nip"], "reason": "Terdaftar dua kali"}, expect=200)
    assert api.get(f"/v1/behaviour-requests/{named['id']}").json["respondent_nip"] == person["nip"]
    assert named["id"] in [r["id"] for r in requests(api, f"&respondent={double['nip']}")]  # the old number finds him


def test_a_programme_that_was_never_held_says_so(api):
    path = f"/v1/programmes/{make.programme(api)['id']}"
    assert {(g["asked"], g["answered"], g["mean"]) for g in api.get(f"{path}/behaviour").json["groups"]} == {(0, 0, None)}
    assert api.get(f"{path}/reaction").json["asked"] == 0
    assert api.get(f"{path}/learning").json["participants"] == 0
