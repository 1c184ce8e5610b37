# SPDX-License-Identifier: Apache-2.0
"""Surveys: what a published result comes to, who is hidden, what stays; paper; plans; texts. D9 and the others are the worked examples."""
import pytest

from support import make

D9 = [(4, 3, 3, 4, 3, 4, 4, 3, 3), (3, 3, 2, 4, 3, 3, 3, 3, 3), (4, 4, 3, 4, 4, 4, 4, 4, 4), (3, 3, 3, 3, 3, 3, 3, 2, 3), (2, 3, 2, 4, 3, 3, 4, 3, 3)]


@pytest.fixture(scope="module")
def counter(api, office):
    return make.service_unit(api, office["id"])


@pytest.fixture(scope="module")
def settings():
    return {"public_rate": 100000}


def answer(client, survey, answers, **members):
    """Answers of one person: a value for all, or nine."""
    told = {f"U{n + 1}": a for n, a in enumerate(answers)} if not isinstance(answers, int) else make.form(answers)["answers"]
    return client.post(f"/v1/public/surveys/{survey['answer_token']}/survey", {**make.form(), "answers": told, **members}, expect=200).json


def result(api, survey):
    return api.get(f"/v1/surveys/{survey['id']}/result").json


def recount(sql, survey):
    return sql("""SELECT (SELECT count(*) FROM survey_answer WHERE survey_id = %s)::int,
                         (SELECT coalesce(sum(n), 0) FROM survey_tally WHERE survey_id = %s AND element = 'n')::int""", (survey["id"],) * 2)


def test_raw_answers_come_to_the_worked_example(api, anonymous, counter, sql):
    survey = make.survey(api, counter["id"], is_open_link=True, population=61)
    for row in D9:
        answer(anonymous, survey, row)
    told = result(api, survey)
    assert [e["mean"].text for e in told["elements"]] == ["3.2000", "3.2000", "2.6000", "3.8000", "3.2000", "3.4000", "3.6000", "3.0000", "3.2000"]
    assert (told["index"].text, told["converted"].text, told["category"], told["category_name"]) == ("3.2444", "81.11", "B", "Baik")
    assert told["lowest"] == ["U3", "U8", "U1"]
    assert (told["respondents"], told["sample_target"], told["is_below_target"]) == (5, 53, True)
    assert recount(sql, survey) == [(5, 5)]


MANY = [("all 1", 1, "25.00", "D"), ("all 3", 3, "75.00", "C"), ("all 4", 4, "100.00", "A")]


@pytest.mark.parametrize("_case, value, converted, category", MANY, ids=[m[0] for m in MANY])
def test_the_ends_of_the_scale(_case, value, converted, category, api, anonymous, counter):
    survey = make.survey(api, counter["id"], is_open_link=True)
    for _ in range(5):
        answer(anonymous, survey, value)
    told = result(api, survey)
    assert (told["converted"].text, told["category"], told["sample_target"], told["is_below_target"]) == (converted, category, None, None)


def test_what_is_left_out_is_not_counted(api, anonymous, counter):
    survey = make.survey(api, counter["id"], is_open_link=True)
    for n in range(10):
        answer(anonymous, survey, (4,) * 9 if n < 5 else (2,) * 8)
    told = result(api, survey)
    assert [(e["n"], e["mean"].text) for e in told["elements"]] == [(10, "3.0000")] * 8 + [(5, "4.0000")]
    assert told["converted"].text == "77.78"  # (8 · 3 + 4) / 9 · 25


def test_the_published_figures_by_paper(api, counter):
    """D1: a published survey, by a hundred forms that have its means; with the sum of its nine means exactly 31.42."""
    survey = make.survey(api, counter["id"])
    means = [331, 335, 349, 393, 345, 339, 339, 376, 335]
    lines = [[str(survey["code"]), str(n), survey["starts_on"]] + ["4" if n < m - 300 else "3" for m in means] for n in range(100)]
    assert counts(send(api, lines)) == (100, 100, 0, 0, 0)
    told = result(api, survey)
    assert (told["converted"].text, told["category"], told["groups"]) == ("87.28", "B", [{"dimension": d, "group": g, "n": 100} for d, g in
            (("age_group", "-"), ("channel", "paper"), ("education", "-"), ("occupation", "-"), ("sex", "-"))])


# ── who is hidden ──

def groups(told, dimension):
    return {g["group"]: g["n"] for g in told["groups"] if g["dimension"] == dimension}


def test_fewer_than_five_have_no_value(api, anonymous, counter):
    survey = make.survey(api, counter["id"], is_open_link=True)
    for n in range(4):
        answer(anonymous, survey, 4)
        told = result(api, survey)
        assert told["is_suppressed"] and told["respondents"] == n + 1
        assert [told[m] for m in ("index", "converted", "category", "lowest")] == [None, None, None, []]
        assert {e["mean"] for e in told["elements"]} == {None} and {g["n"] for g in told["groups"]} == {None}
    answer(anonymous, survey, 4)
    assert result(api, survey)["converted"].text == "100.00"


def test_one_element_that_few_answered_hides_the_index(api, anonymous, counter):
    survey = make.survey(api, counter["id"], is_open_link=True)
    for n in range(6):
        answer(anonymous, survey, (3,) * 9 if n < 4 else (3,) * 8)
    told = result(api, survey)
    assert told["is_suppressed"] and told["index"] is None
    assert [e["mean"] is None for e in told["elements"]] == [False] * 8 + [True]


GROUPS = [
    ("all large", {"asn": 6, "swasta": 9}, {"asn": 6, "swasta": 9}),
    ("one small takes the next with it", {"asn": 2, "swasta": 9, "pelajar": 12}, {"asn": None, "swasta": None, "pelajar": 12}),
    ("two small that are five together", {"asn": 2, "swasta": 3, "pelajar": 12}, {"asn": None, "swasta": None, "pelajar": 12}),
    ("two small that are not", {"asn": 1, "swasta": 2, "pelajar": 12, "lainnya": 20}, {"asn": None, "swasta": None, "pelajar": None, "lainnya": 20}),
]


@pytest.mark.parametrize("_case, people, shown", GROUPS, ids=[g[0] for g in GROUPS])
def test_small_groups_cannot_be_worked_out(_case, people, shown, api, anonymous, counter):
    survey = make.survey(api, counter["id"], is_open_link=True)
    for occupation, n in people.items():
        for _ in range(n):
            answer(anonymous, survey, 3, respondent={"occupation": occupation})
    assert groups(result(api, survey), "occupation") == shown


# ── several surveys ──

def test_the_value_of_a_unit_is_of_all_its_respondents(api, office):
    """D18: 40 people of index 4.0 and 160 of 2.5 are 70.00 together; the mean of 100 and 62.5 is another thing."""
    counter = make.service_unit(api, make.unit(api, office["id"])["id"])
    first, second = make.survey(api, counter["id"]), make.survey(api, counter["id"])
    send(api, [[first["code"], str(n), first["starts_on"]] + ["4"] * 9 for n in range(40)])
    send(api, [[second["code"], str(n), second["starts_on"]] + (["2"] * 9 if n % 2 else ["3"] * 9) for n in range(160)])
    few = make.survey(api, counter["id"])
    send(api, [[few["code"], "1", few["starts_on"]] + ["1"] * 9])
    told = api.get(f"/v1/service-units/{counter['id']}/satisfaction?from={first['starts_on']}&to={first['ends_on']}").json
    assert (told["respondents"], told["pooled_index"].text, told["pooled"].text, told["pooled_category"]) == (200, "2.8000", "70.00", "C")
    assert told["mean_of_surveys"].text == "81.25"
    assert [(s["respondents"], s["converted"] and s["converted"].text) for s in told["surveys"]] == [(40, "100.00"), (160, "62.50"), (1, None)]
    none = api.get(f"/v1/service-units/{counter['id']}/satisfaction?from=2001-01-01&to=2001-12-31").json
    assert (none["respondents"], none["pooled"], none["surveys"]) == (0, None, [])


# ── its way ──

def test_the_order_of_states_is_kept(api, counter):
    survey = make.survey(api, counter["id"], is_open=False)
    path = f"/v1/surveys/{survey['id']}"
    act = lambda what, **options: api.post(f"{path}/{what}", **options)  # noqa: E731
    assert act("close", expect=409).code == "survey-state"
    assert act("open").json["state"] == "open"
    assert act("open", expect=409).code == "survey-state"
    assert act("publish", headers={"If-Match": "*"}, expect=409).code == "survey-not-closed"
    assert act("close").json["state"] == "closed" and act("open").json["state"] == "open" and act("close").json["state"] == "closed"
    assert act("publish", headers={"If-Match": '"1"'}, expect=412).code == "version-stale"
    assert act("publish", headers={"If-Match": "*"}, expect=409).code == "survey-too-few"


def test_what_is_asked_is_fixed_once_it_is_open(api, counter):
    survey = make.survey(api, counter["id"], is_open=False)
    path = f"/v1/surveys/{survey['id']}"
    assert api.patch(path, {"elements": ["U1", "U3"]}, etag="*").json["elements"] == ["U1", "U3"]
    assert api.patch(path, {"elements": ["U1", "X9"]}, etag="*", expect=422).faults == {"/elements": "reference-missing"}
    api.post(f"{path}/open")
    assert api.patch(path, {"elements": ["U1"]}, etag="*", expect=409).code == "survey-fixed"
    assert api.patch(path, {"population": 100}, etag="*").json["population"] == 100


def test_what_is_published_stays_whatever_the_rules_and_lists_become(api, anonymous, counter):
    survey = make.survey(api, counter["id"], is_open_link=True, population=200)
    for row in D9:
        answer(anonymous, survey, row)
    api.post(f"/v1/surveys/{survey['id']}/follow-ups", {"element": "U3", "action": "Menambah loket", "due_on": "2026-12-31"}, expect=201)
    assert api.post(f"/v1/surveys/{survey['id']}/follow-ups", {"element": "X", "action": "?"}, expect=422).faults == {"/element": "answer-unasked"}
    api.post(f"/v1/surveys/{survey['id']}/close")
    api.post(f"/v1/surveys/{survey['id']}/publish", headers={"If-Match": "*"})
    [row] = [r for r in anonymous.get(f"/v1/public/results?service_unit_id={counter['id']}&limit=1000").json["data"] if r["id"] == survey["id"]]
    assert (row["result"]["converted"], row["result"]["category"], row["result"]["respondents"], row["result"]["sample_target"]) == (81.11, "B", 5, 132)
    assert row["follow_ups"] == [{"element": "U3", "action": "Menambah loket", "due_on": "2026-12-31", "state": "planned"}]
    assert "trapped" not in row["result"]
    for call in (lambda: api.patch(f"/v1/surveys/{survey['id']}", {"name": "Lain"}, etag="*", expect=409),
                 lambda: api.post(f"/v1/surveys/{survey['id']}/open", expect=409)):
        assert call().code == "survey-published"


def test_answers_are_never_changed(api, anonymous, counter, sql):
    survey = make.survey(api, counter["id"], is_open_link=True)
    answer(anonymous, survey, 4)
    for statement in ("UPDATE survey_answer SET answers = '{\"U1\": 1}'", "DELETE FROM survey_answer", "TRUNCATE survey_answer CASCADE"):
        with pytest.raises(Exception, match="never changed"):
            sql(statement)


# ── paper ──

def send(api, lines, head="survey,form,answered_on,U1,U2,U3,U4,U5,U6,U7,U8,U9", **headers):
    text = head + "\n" + "".join(",".join(line) + "\n" for line in lines)
    return api("POST", "/v1/surveys/answers/import", data=text.encode(), headers={"Content-Type": "text/csv", **headers}, expect=200).json


def counts(report):
    return tuple(report[k] for k in ("rows", "created", "updated", "unchanged", "refused"))


def test_a_form_counts_once_however_often_it_is_sent(api, counter, sql):
    survey = make.survey(api, counter["id"])
    lines = [[survey["code"], f"{n:04d}", survey["starts_on"]] + ["4"] * 9 for n in range(30)]
    assert counts(send(api, lines, Prefer="dry-run")) == (30, 30, 0, 0, 0)
    assert recount(sql, survey) == [(0, 0)]
    assert counts(send(api, lines)) == (30, 30, 0, 0, 0)
    assert counts(send(api, lines + lines[:1])) == (31, 0, 0, 30, 1)
    assert recount(sql, survey) == [(30, 30)]


FAULTS = [
    ("survey", {"survey": "NOT-THERE"}, "survey-unknown"), ("form", {"form": ""}, "missing"), ("answered_on", {"answered_on": "2001-01-01"}, "day-outside"),
    ("U3", {"U3": "5"}, "answer-range"), ("U3", {"U3": "0"}, "answer-range"), ("U3", {"U3": "2.5"}, "answer-range"), ("sex", {"sex": "X"}, "sex-unknown"),
    ("service_code", {"service_code": "NOT-THERE"}, "service-unknown"), (None, {f"U{n}": "" for n in range(1, 10)}, "nothing-answered"),
]


@pytest.mark.parametrize("column, members, code", FAULTS)
def test_what_is_wrong_with_a_form_is_named(column, members, code, api, counter, sql):
    survey = make.survey(api, counter["id"])
    row = {"survey": survey["code"], "form": "1", "answered_on": survey["starts_on"], **{f"U{n}": "3" for n in range(1, 10)}, "sex": "P", "service_code": "", **members}
    report = send(api, [list(row.values())], head=",".join(row))
    assert counts(report) == (1, 0, 0, 0, 1), report
    assert [(f["column"], f["code"]) for f in report["faults"]] == [(column, code)]
    assert recount(sql, survey) == [(0, 0)]


def test_a_closed_survey_takes_no_paper(api, counter):
    survey = make.survey(api, counter["id"])
    api.post(f"/v1/surveys/{survey['id']}/close")
    assert [f["code"] for f in send(api, [[survey["code"], "1", survey["starts_on"]] + ["3"] * 9])["faults"]] == ["survey-closed"]


# ── texts ──

def test_a_text_is_shown_when_somebody_has_read_it(api, anonymous, counter):
    survey = make.survey(api, counter["id"], is_open_link=True)
    for text in ("Bagus", "Kasar"):
        answer(anonymous, survey, 3, comment=text)
    rows = {r["text"]: r for r in api.get(f"/v1/feedback?survey_id={survey['id']}").json["data"]}
    shown = lambda: [r["text"] for r in anonymous.get(f"/v1/public/results/{survey['id']}/feedback").json["data"]]  # noqa: E731
    assert shown() == []
    decide = lambda text, state, tag, **options: api.post(f"/v1/feedback/{rows[text]['id']}/moderate", {"state": state}, headers={"If-Match": tag}, **options)  # noqa: E731
    decide("Bagus", "approved", '"1"')
    decide("Kasar", "hidden", '"1"')
    assert shown() == ["Bagus"]
    assert decide("Bagus", "hidden", '"1"', expect=412).code == "version-stale"
    decide("Bagus", "hidden", "*")
    assert shown() == []


def test_plans_are_kept(api, counter):
    survey = make.survey(api, counter["id"])
    made = api.post(f"/v1/surveys/{survey['id']}/follow-ups", {"element": "U3", "action": "Menambah loket"}, expect=201).json
    path = f"/v1/surveys/{survey['id']}/follow-ups/{made['id']}"
    assert api.patch(path, {"state": "done", "note": "Selesai"}, etag='"1"').json["state"] == "done"
    api.patch(path, {"state": "planned"}, etag='"1"', expect=412)
    api.patch(path, {"state": "entah"}, etag="*", expect=422)


def test_others_see_nothing_of_it(api, keys, counter):
    survey = make.survey(api, counter["id"])
    elsewhere = make.unit(api)
    other = api.as_key(keys("survey.read", "survey.write", "import.write", units=(elsewhere["code"],)))
    assert other.get("/v1/surveys").json["data"] == [] and other.get("/v1/feedback").json["data"] == []
    for path in (f"/v1/surveys/{survey['id']}", f"/v1/surveys/{survey['id']}/result", f"/v1/service-units/{counter['id']}/satisfaction?from=2026-01-01&to=2026-12-31"):
        other.get(path, expect=404)
    other.post(f"/v1/surveys/{survey['id']}/close", expect=404)
    other.post(f"/v1/surveys/{survey['id']}/publish", headers={"If-Match": "*"}, expect=404)
    other.post(f"/v1/surveys/{survey['id']}/follow-ups", {"element": "U1", "action": "x"}, expect=404)
    assert [f["code"] for f in send(other, [[survey["code"], "1", survey["starts_on"]] + ["3"] * 9])["faults"]] == ["survey-unknown"]
