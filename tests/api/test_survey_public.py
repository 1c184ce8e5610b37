# SPDX-License-Identifier: Apache-2.0
"""Answering without a key: by ticket and by link, once; machines; how often; what cannot be an answer."""
import uuid

import pytest

from support import make
from test_matrix import NO_JSON
from test_race import all_at_once

TRUSTED = "127.0.0.1"


@pytest.fixture(scope="module")
def settings():
    """Behind a proxy that tells who calls, so that each test can be an address of its own."""
    return {"trusted_proxies": TRUSTED, "public_rate": 30, "token_rate": 8}


@pytest.fixture(scope="module")
def counter(api, office):
    return make.service_unit(api, office["id"])


@pytest.fixture
def service(api, counter):
    return make.service(api, counter["id"])


@pytest.fixture
def ticket(api, service):
    return make.ticket(api, service["id"])


@pytest.fixture
def survey(api, service, counter):
    made = make.survey(api, counter["id"], service_id=service["id"], is_open_link=True)
    yield made
    api.post(f"/v1/surveys/{made['id']}/close", expect=(200, 409))


_addresses = iter(range(1, 65000))


@pytest.fixture
def address():
    """One that nobody has called from."""
    n = next(_addresses)
    return f"198.18.{n // 250}.{n % 250 + 1}"


@pytest.fixture
def citizen(anonymous, address):
    def call(method, path, body=None, via=address, **options):
        headers = {"X-Forwarded-For": via, **options.pop("headers", {})}
        return anonymous(method, path, json=body, headers=headers, **options)
    return call


def by_ticket(ticket):
    return f"/v1/public/tickets/{ticket['answer_token']}/survey"


def by_link(survey):
    return f"/v1/public/surveys/{survey['answer_token']}/survey"


def taken(sql, survey):
    """Answers, and what is counted of them."""
    return sql("""SELECT (SELECT count(*) FROM survey_answer WHERE survey_id = %s)::int,
                         (SELECT coalesce(sum(n), 0) FROM survey_tally WHERE survey_id = %s AND element = 'n')::int""", (survey["id"],) * 2)[0]


# ── once ──

def test_a_ticket_answers_once(citizen, ticket, survey, sql):
    form = citizen("GET", by_ticket(ticket), expect=200).json
    assert (form["is_open"], form["is_answered"], [e["code"] for e in form["elements"]]) == (True, False, [f"U{n}" for n in range(1, 10)])
    first = make.form(4)
    assert citizen("POST", by_ticket(ticket), first, expect=200).json == {"taken": True, "form_id": first["form_id"]}
    assert citizen("POST", by_ticket(ticket), first, expect=200).json["form_id"] == first["form_id"], "the same form again is as good as taken"
    assert citizen("POST", by_ticket(ticket), make.form(1), expect=409).code == "answer-given"
    assert citizen("GET", by_ticket(ticket)).json["is_answered"] is True
    assert taken(sql, survey) == (1, 1)


def test_a_ticket_sent_many_times_at_once_answers_once(anonymous, ticket, survey, sql):
    def poster(n):
        return lambda: anonymous("POST", by_ticket(ticket), json=make.form(1 + n % 4), headers={"X-Forwarded-For": f"198.19.1.{n}"}, checked=False)
    replies = [poster(n)() for n in range(1)] + all_at_once([poster(n) for n in range(1, 7)])
    assert sorted(r.status for r in replies) == [200] + [409] * 6
    assert taken(sql, survey) == (1, 1)


def test_one_form_sent_many_times_at_once_counts_once(anonymous, survey, sql):
    form = make.form(2)
    replies = all_at_once([lambda n=n: anonymous("POST", by_link(survey), json=form, headers={"X-Forwarded-For": f"198.19.2.{n}"}, checked=False) for n in range(24)])
    assert {r.status for r in replies} == {200}, [r for r in replies if r.status != 200][:2]
    assert taken(sql, survey) == (1, 1)


def test_a_form_of_one_ticket_is_none_of_another(api, citizen, service, ticket, survey, sql):
    form = make.form()
    citizen("POST", by_ticket(ticket), form, expect=200)
    assert citizen("POST", by_ticket(make.ticket(api, service["id"])), form, expect=409).code == "answer-given"
    assert taken(sql, survey) == (1, 1)


def test_what_a_machine_fills_in_is_answered_alike_and_not_counted(api, citizen, ticket, survey, sql):
    form = make.form(1, website="http://spam.example")
    assert citizen("POST", by_ticket(ticket), form, expect=200).json == {"taken": True, "form_id": form["form_id"]}
    assert taken(sql, survey) == (0, 0)
    told = api.get(f"/v1/surveys/{survey['id']}/result").json
    assert (told["trapped"], told["respondents"]) == (1, 0)
    citizen("POST", by_ticket(ticket), make.form(4, website=""), expect=200)
    assert taken(sql, survey) == (1, 1)


# ── which survey ──

def test_a_ticket_answers_the_survey_of_its_service_before_that_of_its_unit(api, citizen, counter, ticket, survey, sql):
    whole = make.survey(api, counter["id"])
    citizen("POST", by_ticket(ticket), make.form(), expect=200)
    other = make.ticket(api, make.service(api, counter["id"])["id"])
    citizen("POST", by_ticket(other), make.form(), expect=200)
    assert (taken(sql, survey), taken(sql, whole)) == ((1, 1), (1, 1))
    api.post(f"/v1/surveys/{whole['id']}/close")


def test_without_an_open_survey_there_is_nothing_to_answer(api, citizen, ticket, survey):
    api.post(f"/v1/surveys/{survey['id']}/close")
    citizen("GET", by_ticket(ticket), expect=404)
    assert citizen("POST", by_ticket(ticket), make.form(), expect=409).code == "survey-closed"
    assert citizen("POST", by_link(survey), make.form(), expect=409).code == "survey-closed"
    assert citizen("GET", by_link(survey)).json["is_open"] is False


def test_a_form_that_was_taken_is_told_so_after_the_survey_is_closed(api, citizen, ticket, survey):
    form = make.form()
    another = make.form()
    for path, sent in ((by_ticket(ticket), form), (by_link(survey), another)):
        citizen("POST", path, sent, expect=200)
    api.post(f"/v1/surveys/{survey['id']}/close")
    for path, sent in ((by_ticket(ticket), form), (by_link(survey), another)):
        citizen("POST", path, sent, expect=200)
    assert citizen("POST", by_link(survey), form, expect=409).code == "survey-closed"


@pytest.mark.parametrize("first, last", [("2020-01-01", "2020-12-31"), ("2098-01-01", "2098-12-31")])
def test_a_survey_is_answered_on_its_days(first, last, api, citizen, counter):
    made = make.survey(api, counter["id"], is_open_link=True, starts_on=first, ends_on=last)
    assert citizen("POST", by_link(made), make.form(), expect=409).code == "survey-closed"
    api.post(f"/v1/surveys/{made['id']}/close")


def test_a_link_for_all_must_have_been_meant(api, citizen, counter):
    made = make.survey(api, counter["id"])
    assert citizen("POST", by_link(made), make.form(), expect=409).code == "survey-closed"
    api.post(f"/v1/surveys/{made['id']}/close")


def test_who_came_in_vain_does_not_answer(api, citizen, ticket, survey):
    api.post(f"/v1/tickets/{ticket['id']}/cancel", {"state": "cancelled"})
    assert citizen("POST", by_ticket(ticket), make.form(), expect=409).code == "survey-closed"


# ── nobody is known ──

def test_nothing_joins_an_answer_to_its_ticket(api, citizen, ticket, survey, sql):
    citizen("POST", by_ticket(ticket), make.form(comment="Cepat"), expect=200)
    columns = {c for c, in sql("SELECT column_name FROM information_schema.columns WHERE table_name IN ('survey_answer', 'feedback')")}
    assert not columns & {"ticket_id", "form", "ip", "address", "user_agent"}
    [(identity,)] = sql("SELECT id::text FROM survey_answer WHERE survey_id = %s", (survey["id"],))
    assert uuid.UUID(identity).version == 4, "an id in the order of time would tell which came when"


def test_no_address_is_in_the_log(citizen, daemon, survey, address):
    citizen("POST", by_link(survey), make.form(), expect=200)
    text = daemon.log_text()
    assert address not in text and survey["answer_token"] not in text


# ── what is no answer ──

ANSWERS = [
    ({"answers": {}}, "/answers", "too-few-members"), ({"answers": {"U1": 5}}, "/answers/U1", "too-large"), ({"answers": {"U1": 0}}, "/answers/U1", "too-small"),
    ({"answers": {"U1": 2.5}}, "/answers/U1", "type"), ({"answers": {"U1": "4"}}, "/answers/U1", "type"), ({"answers": {"U1": None}}, "/answers/U1", "type"),
    ({"answers": {"X1": 3}}, "/answers/X1", "answer-unasked"), ({"form_id": "x"}, "/form_id", None), ({"respondent": {"sex": "X"}}, "/respondent/sex", None),
    ({"respondent": {"nik": "7602011501900077"}}, "/respondent/nik", "unknown-member"), ({"comment": ""}, "/comment", None),
    ({"comment": "x" * 2001}, "/comment", "too-long"), ({"surely_unknown": 1}, "/surely_unknown", "unknown-member")]


@pytest.mark.parametrize("members, pointer, code", ANSWERS)
def test_what_is_no_answer_is_named(members, pointer, code, citizen, survey, sql):
    reply = citizen("POST", by_link(survey), {**make.form(), **members}, expect=422)
    assert pointer in reply.faults and (code is None or reply.faults[pointer] == code), reply
    assert taken(sql, survey) == (0, 0)


def test_three_as_4e0_is_four(citizen, survey, anonymous, sql):
    """JSON knows one kind of number."""
    body = b'{"form_id": "%s", "answers": {"U1": 4.0, "U2": 4e0}}' % str(uuid.uuid4()).encode()
    anonymous("POST", by_link(survey), data=body, headers={"Content-Type": "application/json", "X-Forwarded-For": "198.19.3.1"}, expect=200)
    assert sql("SELECT answers FROM survey_answer WHERE survey_id = %s", (survey["id"],)) == [({"U1": 4, "U2": 4},)]


@pytest.mark.parametrize("case", NO_JSON.keys())
@pytest.mark.parametrize("path", [by_ticket, by_link])
def test_what_is_no_json_object_is_refused(case, path, anonymous, api, ticket, survey, address):
    body, statuses = NO_JSON[case]
    reply = anonymous("POST", path(ticket if path is by_ticket else survey), data=body, headers={"Content-Type": "application/json", "X-Forwarded-For": address})
    assert reply.status in statuses, reply


@pytest.mark.parametrize("path", [by_ticket, by_link])
def test_a_body_of_another_type_is_415(path, anonymous, ticket, survey, address):
    reply = anonymous("POST", path(ticket if path is by_ticket else survey), data=b"U1=4", headers={"Content-Type": "application/x-www-form-urlencoded", "X-Forwarded-For": address})
    assert (reply.status, reply.code) == (415, "media-type")


def test_a_token_is_of_its_sort_and_of_us(citizen, ticket, survey):
    mine = ticket["answer_token"]
    forged = mine[:-2] + ("A" if mine[-2] != "A" else "B") + mine[-1]
    for path in (f"/v1/public/tickets/{survey['answer_token']}/survey", f"/v1/public/surveys/{mine}/survey", f"/v1/public/tickets/{forged}/survey", "/v1/public/tickets/x/survey"):
        assert citizen("GET", path, expect=400).code == "link-invalid"
        assert citizen("POST", path, make.form(), expect=400).code == "link-invalid"


def test_a_dry_run_counts_nothing(citizen, survey, sql):
    assert citizen("POST", by_link(survey), make.form(), headers={"Prefer": "dry-run"}, expect=200).headers["Preference-Applied"] == "dry-run"
    assert taken(sql, survey) == (0, 0)


# ── how often ──

def budget(reply, of="client"):
    """What the headers tell of one thing that is counted: left, of how many."""
    left = dict(p.strip().split(";", 1) for p in reply.headers["RateLimit"].split(","))
    policy = dict(p.strip().split(";", 1) for p in reply.headers["RateLimit-Policy"].split(","))
    return int(left[f'"{of}"'].split(";")[0][2:]), int(policy[f'"{of}"'].split(";")[0][2:])


def test_an_address_has_its_minute(citizen, survey):
    replies = [citizen("GET", by_link(survey)) for _ in range(34)]
    statuses = [r.status for r in replies]
    assert statuses[:30] == [200] * 30 and set(statuses[32:]) == {429}, statuses
    assert [budget(r) for r in replies[:3]] == [(29, 30), (28, 30), (27, 30)]
    last = replies[-1]
    assert last.code == "too-many-requests" and 1 <= int(last.headers["Retry-After"]) <= 2 and budget(last)[0] == 0
    assert citizen("GET", by_link(survey), via="198.19.4.1").status == 200, "another address is another one"


def test_a_ticket_has_its_minute_wherever_it_is_sent_from(citizen, ticket, survey):
    statuses = [citizen("GET", by_ticket(ticket), via=f"198.19.5.{n}").status for n in range(1, 12)]
    assert statuses[:8] == [200] * 8 and statuses[-1] == 429
    reply = citizen("GET", by_ticket(ticket), via="198.19.5.99")
    assert budget(reply, "token") == (0, 8) and budget(reply) == (29, 30)


@pytest.mark.parametrize("first, second, same", [
    ("198.19.6.1", "10.9.9.9, 198.19.6.1", True), ("198.19.6.2", "198.19.6.2, 198.19.6.3", False), ("198.19.6.4, 127.0.0.1", "198.19.6.4", True),
    ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True), ("2001:db8:1:3::1", "2001:db8:1:4::1", False), ("not an address", "not an address", True)])
def test_who_calls_is_whom_our_proxy_saw(first, second, same, citizen, survey):
    one, other = citizen("GET", by_link(survey), via=first), citizen("GET", by_link(survey), via=second)
    assert budget(one)[0] - budget(other)[0] == (1 if same else 0) or not same and budget(other)[0] == 29


def test_whoever_has_a_key_is_not_counted(api, survey):
    reply = api.get(f"/v1/surveys/{survey['id']}")
    assert "RateLimit" not in reply.headers
