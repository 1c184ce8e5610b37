# SPDX-License-Identifier: Apache-2.0
"""Many answer at once beside the office's own work: nothing is lost, nothing counts twice, and at every moment the index is that of a recount.

ASND_TEST_CROWD_SECONDS (5) says for how long, ASND_TEST_CROWD_RATE (200) how many answers a second."""
import itertools
import os
import random
import threading
import time
from fractions import Fraction

import pytest
import requests

from support import make, postgres

SECONDS = float(os.environ.get("ASND_TEST_CROWD_SECONDS", "5"))
RATE = int(os.environ.get("ASND_TEST_CROWD_RATE", "200"))
CLIENTS = 24
# A recount and the counters in one snapshot; exact sums, so that two of them are the same or not.
BOTH = """SELECT (SELECT coalesce(jsonb_object_agg(k, n), '{}') FROM (SELECT e.key || '=' || e.value AS k, count(*) AS n FROM survey_answer a
                  CROSS JOIN LATERAL jsonb_each_text(a.answers) e WHERE a.survey_id = %(id)s GROUP BY 1) r),
                 (SELECT coalesce(jsonb_object_agg(k, n), '{}') FROM (SELECT t.element || '=' || t.value AS k, sum(t.n)::bigint AS n FROM survey_tally t
                  WHERE t.survey_id = %(id)s AND t.element LIKE 'U%%' GROUP BY 1) r)"""


@pytest.fixture(scope="module")
def settings():
    return {"trusted_proxies": "127.0.0.1", "public_rate": 1000000}


class Citizen(threading.Thread):
    """Answers at its times; now and then it loses a reply and sends the form again, as a page does."""

    def __init__(self, api, place, targets, began):
        super().__init__(daemon=True)
        self.api, self.place, self.targets, self.began = api, place, targets, began
        self.dice = random.Random(place)
        self.sent, self.statuses, self.late = [], [], 0.0

    def run(self):
        session = requests.Session()
        session.trust_env = False
        headers = {"X-Forwarded-For": f"198.18.0.{self.place + 1}"}
        for due, path in self.targets:
            wait = self.began + due - time.monotonic()
            if wait > 0:
                time.sleep(wait)  # the hour at which somebody comes, not a wait for something to happen
            self.late = max(self.late, -wait)
            form = make.form()
            form["answers"] = {f"U{n}": self.dice.randint(1, 4) for n in range(1, 10)}
            form["respondent"] = {"sex": self.dice.choice("MF")}
            for _ in range(1 + (self.dice.random() < 0.1)):
                self.statuses.append(session.post(self.api.url + path, json=form, headers=headers, timeout=120).status_code)
            self.sent.append(form)


class Office(threading.Thread):
    """What goes on meanwhile: tickets, lists, results."""

    def __init__(self, api, service, survey, stop):
        super().__init__(daemon=True)
        self.api, self.service, self.survey, self.stop = api.as_key(api.key), service, survey, stop
        self.error, self.turns = None, 0

    def run(self):
        try:
            while not self.stop.is_set():
                ticket = make.ticket(self.api, self.service["id"])
                for what, body in (("call", {}), ("start", {}), ("finish", {"result": "completed"})):
                    self.api.post(f"/v1/tickets/{ticket['id']}/{what}", body)
                self.api.get("/v1/asn?limit=50")
                self.api.get(f"/v1/surveys/{self.survey['id']}/result")
                self.turns += 1
        except Exception as error:  # pylint: disable=broad-except
            self.error = error


class Auditor(threading.Thread):
    """Recounts as long as it goes on."""

    def __init__(self, database, survey, stop):
        super().__init__(daemon=True)
        self.database, self.survey, self.stop = database, survey, stop
        self.seen, self.differing = 0, []

    def run(self):
        with postgres.connected(self.database) as connection, connection.cursor() as cursor:
            while not self.stop.is_set():
                cursor.execute(BOTH, {"id": self.survey["id"]})
                raw, counted = cursor.fetchone()
                connection.rollback()
                self.seen += 1
                if raw != counted:
                    self.differing.append((raw, counted))


def exact_index(counts):
    """The converted index of counted answers, as the regulation works it out: two decimals, half up; None where an element has fewer than five."""
    answers = {f"U{n}": {v: counts.get(f"U{n}={v}", 0) for v in range(1, 5)} for n in range(1, 10)}
    if min(sum(of.values()) for of in answers.values()) < 5:
        return None
    means = [Fraction(sum(v * n for v, n in of.items()), sum(of.values())) for of in answers.values()]
    return Fraction(int(sum(means) / 9 * 25 * 100 + Fraction(1, 2)), 100)


class Reader(threading.Thread):
    """Reads the index as the office does, and recounts before and behind: where nobody answered in between, it must be that of the recount."""

    def __init__(self, api, database, survey, stop):
        super().__init__(daemon=True)
        self.api, self.database, self.survey, self.stop = api.as_key(api.key), database, survey, stop
        self.reads, self.compared, self.differing, self.error = 0, 0, [], None

    def run(self):
        try:
            with postgres.connected(self.database) as connection, connection.cursor() as cursor:
                def recount():
                    cursor.execute(BOTH, {"id": self.survey["id"]})
                    return cursor.fetchone()[0]
                before = recount()
                while not self.stop.is_set():
                    told = self.api.get(f"/v1/surveys/{self.survey['id']}/result").json["converted"]
                    behind = recount()
                    self.reads += 1
                    if before == behind:
                        self.compared += 1
                        if (told and Fraction(told.text)) != exact_index(before):
                            self.differing.append((told, before))
                    before = behind
        except Exception as error:  # pylint: disable=broad-except
            self.error = error


def test_a_crowd_answers_and_every_voice_counts_once(api, office, database, sql):
    counter = make.service_unit(api, office["id"])
    service = make.service(api, counter["id"])
    survey = make.survey(api, counter["id"], is_open_link=True)
    link = f"/v1/public/surveys/{survey['answer_token']}/survey"
    tickets = [make.ticket(api, service["id"]) for _ in range(100)]
    total = int(RATE * SECONDS)
    paths = [f"/v1/public/tickets/{t['answer_token']}/survey" for t in tickets] + [link] * max(0, total - len(tickets))
    random.Random(4).shuffle(paths)
    stop, began = threading.Event(), time.monotonic() + 0.5
    due = [(n / RATE, path) for n, path in enumerate(paths)]
    citizens = [Citizen(api, n, due[n::CLIENTS], began) for n in range(CLIENTS)]
    others = [Office(api, service, survey, stop) for _ in range(2)] + [Auditor(database, survey, stop), Reader(api, database, survey, stop)]
    for thread in itertools.chain(citizens, others):
        thread.start()
    for thread in citizens:
        thread.join()
    took = time.monotonic() - began
    stop.set()
    for thread in others:
        thread.join()

    assert [o.error for o in others[:2]] == [None, None]
    assert set(itertools.chain.from_iterable(c.statuses for c in citizens)) == {200}
    assert min(o.turns for o in others[:2]) > 0 and others[2].seen > 0 and others[2].differing == []
    assert others[3].error is None and others[3].reads > 0 and others[3].differing == []
    sent = [form for c in citizens for form in c.sent]
    assert len(sent) == len(paths)
    [(answers, receipts, raw, counted)] = sql(f"""SELECT (SELECT count(*) FROM survey_answer WHERE survey_id = %(id)s)::int,
        (SELECT count(*) FROM survey_receipt WHERE survey_id = %(id)s)::int, b.* FROM ({BOTH}) AS b (raw, counted)""", {"id": survey["id"]})
    assert answers == receipts == len(sent)
    mine = {}
    for form in sent:
        for element, value in form["answers"].items():
            mine[f"{element}={value}"] = mine.get(f"{element}={value}", 0) + 1
    assert raw == counted == mine
    told = api.get(f"/v1/surveys/{survey['id']}/result").json
    assert told["respondents"] == len(sent)
    assert Fraction(told["converted"].text) == exact_index(mine)
    acknowledged = sum(len(c.statuses) for c in citizens)
    print(f"\n{len(sent)} forms sent in {took:.1f} s ({len(sent) / took:.0f}/s, asked: {RATE}), {acknowledged - len(sent)} of them twice; {acknowledged} acknowledged, {answers} stored, "
          f"{len(sent) - answers} lost, {receipts - len({f['form_id'] for f in sent})} doubled; latest {max(c.late for c in citizens):.2f} s\n"
          f"{others[2].seen} recounts held against the counters in one snapshot, {len(others[2].differing)} differing; index read {others[3].reads} times, {others[3].compared} of them while nobody answered, "
          f"{len(others[3].differing)} not that of the recount; {sum(o.turns for o in others[:2])} turns of the office meanwhile")


def test_closing_while_they_answer_loses_nobody_who_was_told_that_he_counts(api, office, sql):
    counter = make.service_unit(api, make.unit(api, office["id"])["id"])
    survey = make.survey(api, counter["id"], is_open_link=True)
    path = f"/v1/public/surveys/{survey['answer_token']}/survey"
    gate, taken, refused = threading.Barrier(9), [], []

    def answer(place):
        session = requests.Session()
        session.trust_env = False
        gate.wait()
        for _ in range(40):
            status = session.post(api.url + path, json=make.form(), headers={"X-Forwarded-For": f"198.18.9.{place}"}, timeout=60).status_code
            (taken if status == 200 else refused).append(status)

    threads = [threading.Thread(target=answer, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    gate.wait()
    for _ in range(6):
        api.get("/v1/units?limit=1")
    api.post(f"/v1/surveys/{survey['id']}/close")
    [(at_close,)] = sql("SELECT count(*)::int FROM survey_answer WHERE survey_id = %s", (survey["id"],))
    for thread in threads:
        thread.join()
    assert set(refused) <= {409}
    assert sql("SELECT count(*)::int FROM survey_answer WHERE survey_id = %s", (survey["id"],)) == [(at_close,)] == [(len(taken),)]
