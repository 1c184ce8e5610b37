# SPDX-License-Identifier: Apache-2.0
"""Questionnaires on paper: batches that are counted once, whole, and shown by themselves, so that nobody's answer can be had by subtraction."""
import json
from datetime import timedelta
from fractions import Fraction

import psycopg2
import pytest

from support import daemon as daemons, make

PATH = "/v1/questionnaires/import"


@pytest.fixture(scope="module")
def held(api):
    """Makes sessions that were held so many days ago, before anybody was entered here."""
    programme = make.programme(api, jp=20)["id"]

    def one(days_ago=400, **members):
        return make.session(api, members.pop("programme_id", programme), start=-days_ago, **members)
    return one


def rows(session, batch="Map 1", role="participant", forms=((4, 3), (4, 4), (3, 3), (2, 1), (4, 4)), items=("R1", "R2")):
    return [[session["id"], role, batch, str(n), *("" if a is None else str(a) for a in answers)] for n, answers in enumerate(forms, 1)], items


def send(api, *tables, expect=200, headers=None, language=None):
    items = sorted({i for _, own in tables for i in own})
    lines = [",".join(["session_id", "role", "batch", "form", *items])]
    for table, own in tables:
        lines += [",".join(row[:4] + [dict(zip(own, row[4:])).get(i, "") for i in items]) for row in table]
    return api("POST", PATH, data=("\n".join(lines) + "\n").encode(), headers={"Content-Type": "text/csv", **(headers or {})}, expect=expect)


def counts(reply):
    return tuple(reply.json[k] for k in ("rows", "created", "updated", "unchanged", "refused"))


def codes(reply):
    return sorted({f["code"] for f in reply.json["faults"]})


def test_a_session_held_before_has_means_then(api, held, sql):
    session = held()
    assert api.get(f"/v1/sessions/{session['id']}/reaction").json["reason"] == "few"
    assert counts(send(api, rows(session))) == (5, 5, 0, 0, 0)
    told = api.get(f"/v1/sessions/{session['id']}/reaction").json
    assert (told["answered"], told["on_paper"], told["sessions_shown"], told["sessions_few"], told["reason"]) == (5, 5, 1, 0, None)
    assert {i["code"]: (i["n"], i["counts"]) for i in told["items"]} == {"R1": (5, [0, 1, 1, 3]), "R2": (5, [1, 0, 2, 2])}
    assert Fraction(told["mean"].text) == (Fraction(17, 5) + Fraction(15, 5)) / 2
    programme = api.get(f"/v1/programmes/{session['programme_id']}/reaction").json
    assert programme["on_paper"] >= 5 and programme["sessions_shown"] >= 1
    # It counts as held: what was asked goes by its days.
    assert api.patch(f"/v1/sessions/{session['id']}", make.days(-300), etag="*", expect=409).code == "session-held"


def test_behaviour_is_told_by_role(api, held):
    session = held()
    forms = tuple((n % 4 + 1,) for n in range(6))
    assert counts(send(api, *(rows(session, role=role, forms=forms, items=("B1",)) for role in ("superior", "peer", "self")))) == (18, 18, 0, 0, 0)
    groups = api.get(f"/v1/sessions/{session['id']}/behaviour").json["groups"]
    assert [(g["role"], g["answered"], g["on_paper"], g["items"][0]["counts"]) for g in groups] == [(r, 6, 6, [2, 2, 1, 1]) for r in ("superior", "peer", "self")]
    assert all(Fraction(g["mean"].text) == Fraction("2.1667") for g in groups)


def test_a_batch_is_counted_once(api, held, sql):
    session = held()
    send(api, rows(session))
    before = api.get(f"/v1/sessions/{session['id']}/reaction").json
    assert counts(send(api, rows(session))) == (5, 0, 0, 5, 0)
    more = send(api, rows(session, forms=((1, 1),) * 6))
    assert (counts(more), codes(more)) == ((6, 0, 0, 0, 6), ["batch-counted"]) and "5" in more.json["faults"][0]["detail"]
    assert api.get(f"/v1/sessions/{session['id']}/reaction").json == before
    assert counts(send(api, rows(session, batch="Map 2"), rows(session, role="peer", items=("B1", "B2")))) == (10, 10, 0, 0, 0), "another name or role is another batch"
    for statement in ("UPDATE paper_batch SET forms = 9", "DELETE FROM paper_tally", "DELETE FROM paper_batch"):
        with pytest.raises(psycopg2.errors.RaiseException, match="what was counted stays"):
            sql(statement)


def test_so_few_that_they_would_be_known_are_refused(api, held):
    session = held()
    reply = send(api, rows(session, forms=((4, 4),) * 4), rows(session, batch="Map 2"))
    assert (counts(reply), codes(reply)) == ((9, 5, 0, 0, 4), ["batch-few"])
    assert api.get(f"/v1/sessions/{session['id']}/reaction").json["on_paper"] == 5


def test_what_few_answered_is_not_shown_and_cannot_be_subtracted(api, held, sql):
    session = held()
    send(api, rows(session, forms=((4, 1), (4, None), (3, None), (2, None), (4, None))))
    told = api.get(f"/v1/sessions/{session['id']}/reaction").json
    assert {i["code"]: i["n"] for i in told["items"]} == {"R1": 5, "R2": None} and told["mean"] is None
    send(api, rows(session, batch="Map 2"))
    told = api.get(f"/v1/sessions/{session['id']}/reaction").json
    assert {i["code"]: i["n"] for i in told["items"]} == {"R1": 10, "R2": 5}, "the one answer of the first batch is not among them"


def test_few_who_answered_here_stay_hidden_from_who_knows_the_paper(api, office, held, sql):
    """Three answered by their link and five on paper: eight would be shown, and less the five the three would be known."""
    session = make.session(api, start=-1, length=2)
    for n in range(3):
        enrolment = make.enrol(api, session["id"], make.person(api, office["id"])["nip"])
        api.post(f"/v1/enrolments/{enrolment['id']}/attend")
        token = api.get(f"/v1/enrolments/{enrolment['id']}/reaction").json["answer_token"]
        body = {"form_id": f"0f8fad5b-d9cb-469f-a165-7086772895{n:02d}", "answers": {"R1": 1}}
        assert api.post(f"/v1/public/reactions/{token}", body).json["taken"]
    assert counts(send(api, rows(session)))[1] == 5
    told = api.get(f"/v1/sessions/{session['id']}/reaction").json
    assert (told["answered"], told["on_paper"]) == (8, 5)
    assert {i["code"]: i["counts"] for i in told["items"]}["R1"] == [0, 1, 1, 3]


def test_a_batch_with_a_refused_row_is_not_counted_at_all(api, held):
    session = held()
    table, items = rows(session, forms=((4, 3),) * 6)
    table[2][4] = "9"
    reply = send(api, (table, items), rows(session, batch="Map 2"))
    assert counts(reply) == (11, 5, 0, 0, 6) and codes(reply) == ["answer-range", "batch-broken"]
    table[2][4] = "Sangat baik"
    assert counts(send(api, (table, items))) == (6, 6, 0, 0, 0)


FAULTS = {
    "session-unknown": lambda s: {"session_id": "01900000-0000-7000-8000-00000000dead"},
    "session-unknown, no id": lambda s: {"session_id": "Angkatan I"},
    "role-unknown": lambda s: {"role": "tetangga"},
    "answer-unasked": lambda s: {"R9": "3"},
    "answer-alone": lambda s: {"item": "R3"},
    "missing": lambda s: {"batch": ""},
}


@pytest.mark.parametrize("fault", FAULTS)
def test_what_is_wrong_with_a_row_is_named(fault, api, held):
    session = held()
    row = {"session_id": session["id"], "role": "participant", "batch": "Map 1", "form": "1", "R1": "3"}
    lines = [json.dumps({**row, "form": str(n), **(FAULTS[fault](session) if n == 0 else {})}) for n in range(6)]
    reply = api("POST", PATH, data="\n".join(lines).encode(), headers={"Content-Type": "application/x-ndjson"}, expect=200)
    assert fault.split(",")[0] in codes(reply) and reply.json["created"] in (0, 5)


def test_one_answer_a_line_makes_the_same_form(api, held):
    session = held()
    lines = [json.dumps({"session_id": session["id"], "role": "peserta", "batch": "Map 1", "form": str(n), "item": item, "answer": "4"}) for n in range(5) for item in ("R1", "R2")]
    reply = api("POST", PATH, data="\n".join(lines).encode(), headers={"Content-Type": "application/x-ndjson"}, expect=200)
    assert counts(reply) == (10, 10, 0, 0, 0)
    assert api.get(f"/v1/sessions/{session['id']}/reaction").json["on_paper"] == 5
    twice = api("POST", PATH, data="\n".join([lines[0].replace("Map 1", "Map 9")] * 2).encode(), headers={"Content-Type": "application/x-ndjson"}, expect=200)
    assert "duplicate-row" in codes(twice)


def test_only_of_sessions_that_were_held(api, held):
    ahead, cancelled, recent = make.session(api, start=20), held(), held(days_ago=20)
    api.post(f"/v1/sessions/{cancelled['id']}/cancel", {"reason": "Uji"})
    assert codes(send(api, rows(ahead))) == ["too-early"]
    assert codes(send(api, rows(cancelled))) == ["session-cancelled"]
    assert codes(send(api, rows(recent, role="peer", items=("B1", "B2")))) == ["too-early"], "behaviour is asked months later"


def test_a_bound_key_sends_of_its_sessions(api, keys, office, held):
    client = api.as_key(keys("admin", units=(office["code"],)))
    ours, nobodys = held(organiser_unit_id=office["id"]), held()
    reply = send(client, rows(ours), rows(nobodys))
    assert (counts(reply), codes(reply)) == ((10, 5, 0, 0, 5), ["session-foreign"])
    send(api.as_key(keys("import.write", "training.read")), rows(ours), expect=403)


def test_nothing_is_stored_by_a_dry_run_and_nothing_taken_back(api, held):
    session = held()
    assert counts(send(api, rows(session), headers={"Prefer": "dry-run"})) == (5, 5, 0, 0, 0)
    assert api.get(f"/v1/sessions/{session['id']}/reaction").json["on_paper"] == 0
    made = send(api, rows(session)).json["id"]
    assert api.post(f"/v1/imports/{made}/undo", {"reason": "Salah"}, expect=409).code == "import-kept"


def test_from_the_command_line(api, held, database, tmp_path):
    session = held()
    file = tmp_path / "kuesioner.csv"
    table, items = rows(session)
    file.write_text("\n".join([",".join(["session_id", "role", "batch", "form", *items]), *(",".join(r) for r in table)]) + "\n")
    run = lambda: daemons.run(database, "import", "questionnaires", file).stdout
    assert "5 created, 0 updated, 0 unchanged, 0 refused" in run()
    assert "0 created, 0 updated, 5 unchanged, 0 refused" in run()
    assert api.get(f"/v1/sessions/{session['id']}/reaction").json["on_paper"] == 5
