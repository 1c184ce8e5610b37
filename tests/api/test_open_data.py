# SPDX-License-Identifier: Apache-2.0
"""Figures for everybody: the same numbers as inside, nothing of fewer than five, nothing of a person, the same edition until the next is published."""
import csv
import io
import re
from datetime import datetime, timedelta, timezone
from fractions import Fraction

import psycopg2
import pytest

from support import make

YEAR = make.today().year
AS, ABOVE, BELOW = "sesuai_ekspektasi", "di_atas_ekspektasi", "di_bawah_ekspektasi"
TOLD = {"service_index", "service_index_official"}  # of a unit alone: test_indices.py
SERVICE = {"index", "waiting_mean", "tickets_finished", "on_time_rate", "complaints_received", "complaints_answered_rate", "complaints_in_time_rate"}
PREDICATES = ("sangat_baik", "baik", "butuh_perbaikan", "kurang", "sangat_kurang")


@pytest.fixture(scope="module")
def settings():
    return {"public_rate": 100000}


def publish(api, year, expect=200, **headers):
    return api("POST", f"/v1/open-figures/{year}/publish", headers=headers, expect=expect).json


def shown(anonymous, year, unit):
    """The figures of a unit by their code."""
    return {f["code"]: f for f in anonymous.get(f"/v1/public/figures/{year}").json["figures"] if f["service_unit_id"] == unit["id"]}


def served(api, service, late=False):
    """A ticket that was finished now; the promised half hour is over, or not."""
    taken = datetime.now(timezone.utc) - timedelta(minutes=90 if late else 5)
    made = make.ticket(api, service["id"], taken_at=taken.isoformat())
    for step, body in (("call", {}), ("start", {}), ("finish", {"result": "completed"})):
        api.post(f"/v1/tickets/{made['id']}/{step}", body)


def surveyed(api, counter, answers, publish_it=True):
    survey = make.survey(api, counter["id"], is_open_link=True, starts_on=f"{YEAR}-01-01", ends_on=f"{YEAR}-12-31")
    for given in answers:
        told = {f"U{n + 1}": value for n, value in enumerate(given)}
        api.post(f"/v1/public/surveys/{survey['answer_token']}/survey", {**make.form(), "answers": told}, expect=200)
    if publish_it:
        api.post(f"/v1/surveys/{survey['id']}/close")
        api.post(f"/v1/surveys/{survey['id']}/publish", headers={"If-Match": "*"})
    return survey


def complained(api, counter, *steps):
    made = make.complaint(api, counter["id"])
    for state, members in steps:
        api.post(f"/v1/complaints/{made['id']}/advance", {"state": state, **members})


ANSWERED = (("verified", {"weight": "normative"}), ("forwarded", {}), ("in_progress", {}), ("answered", {"answer": "Sudah diperbaiki", "is_upheld": True}))


def test_the_public_sees_what_the_office_sees(api, anonymous):
    unit = make.unit(api)
    counter = make.service_unit(api, unit["id"])
    service = make.service(api, counter["id"], promise_minutes=30)
    for n in range(7):
        served(api, service, late=n < 2)
    rows = [(4, 3, 3, 4, 3, 4, 4, 3, 3), (3, 3, 2, 4, 3, 3, 3, 3, 3), (4, 4, 3, 4, 4, 4, 4, 4, 4), (3, 3, 3, 3, 3, 3, 3, 2, 3), (2, 3, 2, 4, 3, 3, 4, 3, 3)]
    surveyed(api, counter, rows)
    surveyed(api, counter, rows + [(1,) * 9, (2, 1) * 4 + (3,)])
    surveyed(api, counter, [(1,) * 9] * 5, publish_it=False)
    for n in range(8):
        complained(api, counter, *(ANSWERED if n < 6 else (("rejected", {}),) if n == 7 else ()))
    publish(api, YEAR)
    told = shown(anonymous, YEAR, counter)

    inside = api.get(f"/v1/service-units/{counter['id']}/satisfaction?from={YEAR}-01-01&to={YEAR}-12-31&is_published=true").json
    assert (told["index"]["value"].text, told["index"]["n"]) == (inside["pooled"].text, inside["respondents"]) and inside["respondents"] == 12
    means = [Fraction(sum(r[e] for r in rows), 5) for e in range(9)]
    more = [Fraction(sum(r[e] for r in rows) + 1 + ((2, 1) * 4 + (3,))[e], 7) for e in range(9)]
    exact = (5 * sum(means) / 9 + 7 * sum(more) / 9) / 12 * 25
    assert Fraction(told["index"]["value"].text) == Fraction(int(exact * 100 + Fraction(1, 2)), 100)

    months = api.get(f"/v1/service-figures?by=unit&from={YEAR}-01&to={YEAR}-12&key={unit['id']}").json["data"]
    finished, promised, on_time = (sum(m[k] for m in months) for k in ("finished", "promised", "on_time"))
    assert (told["tickets_finished"]["value"], told["on_time_rate"]["n"], on_time) == (finished, promised, 5) and finished == 7
    assert told["on_time_rate"]["value"].text == "71.43"
    if len(months) == 1:
        assert (told["waiting_mean"]["value"].text, told["waiting_mean"]["n"]) == (months[0]["waiting_mean"].text, months[0]["waiting_n"])

    listed = [c for c in api.get(f"/v1/complaints?service_unit_id={counter['id']}").json["data"] if c["state"] != "rejected"]
    answered = [c for c in listed if c["answered_at"]]
    assert (told["complaints_received"]["value"], told["complaints_answered_rate"]["value"].text) == (len(listed), "85.71")
    assert len(answered) == told["complaints_in_time_rate"]["n"] == 6 and told["complaints_in_time_rate"]["value"] == 100
    assert {told[c]["reason"] for c in SERVICE} == {None}
    assert {f["reason"] for code, f in told.items() if code not in SERVICE | TOLD} == {"running"}, "figures of people wait for the year's end"


def test_fewer_than_five_are_not_shown(api, anonymous):
    counter = make.service_unit(api, make.unit(api)["id"])
    service = make.service(api, counter["id"], promise_minutes=30)
    for _ in range(4):
        served(api, service)
    complained(api, counter)
    publish(api, YEAR)
    told = shown(anonymous, YEAR, counter)
    for code in ("waiting_mean", "tickets_finished", "on_time_rate", "complaints_received", "complaints_answered_rate"):
        assert (told[code]["value"], told[code]["n"], told[code]["reason"]) == (None, None, "few"), code
    assert (told["index"]["value"], told["index"]["reason"]) == (None, "none")
    served(api, service)
    assert shown(anonymous, YEAR, counter) == told, "an edition stays as it is"
    publish(api, YEAR)
    assert (shown(anonymous, YEAR, counter)["tickets_finished"]["value"], shown(anonymous, YEAR, counter)["on_time_rate"]["value"]) == (5, 100)


def test_figures_of_people_hide_small_groups_and_what_would_tell_them(api, anonymous):
    last = YEAR - 1
    top = make.unit(api)
    mixed, same = make.unit(api, top["id"]), make.unit(api, top["id"])
    counters = {name: make.service_unit(api, u["id"]) for name, u in (("top", top), ("mixed", mixed), ("same", same))}
    period = make.period(api, starts_on=f"{last}-01-01", ends_on=f"{last}-12-31")
    people = {"mixed": [make.person(api, mixed["id"])["nip"] for _ in range(12)], "same": [make.person(api, same["id"])["nip"] for _ in range(5)]}
    for n, nip in enumerate(people["mixed"]):
        make.final(api, nip, period["id"], ABOVE if n < 5 else AS, ABOVE if n < 5 else AS)
        if n < 6:
            make.course(api, nip, f"{last}-02-02", form="B3", jp=40)
    for nip in people["same"]:
        make.final(api, nip, period["id"], BELOW, BELOW)
    publish(api, last)
    assert {shown(anonymous, last, c)[f"predicate_{p}"]["reason"] for c in (counters["mixed"], counters["same"]) for p in PREDICATES} == {"running"}, "the period is not closed"
    path = f"/v1/periods/{period['id']}"
    api.patch(path, {"is_closed": True}, etag=make.tag(api, path))
    publish(api, last)

    told, inside = shown(anonymous, last, counters["mixed"]), api.get(f"/v1/units/{mixed['id']}/distribution/{period['id']}").json["counts"]
    assert inside == {"sangat_baik": 5, "baik": 7, "butuh_perbaikan": 0, "kurang": 0, "sangat_kurang": 0}
    seen = {p: (told[f"predicate_{p}"]["value"], told[f"predicate_{p}"]["reason"]) for p in PREDICATES}
    assert seen == {"baik": (7, None), "sangat_baik": (None, "others"), "butuh_perbaikan": (None, "few"), "kurang": (None, "few"), "sangat_kurang": (None, "few")}
    assert {told[f"predicate_{p}"]["n"] for p in PREDICATES} == {12}
    [row] = [r for r in api.get(f"/v1/reports/learning-attainment?year={last}&under={mixed['id']}").json["data"]]
    assert (told["training_attainment"]["value"].text, told["training_attainment"]["n"]) == (row["percent"].text, row["people"]) == ("50.00", 12)

    told = shown(anonymous, last, counters["same"])
    assert {told[f"predicate_{p}"]["value"] for p in PREDICATES} == {None}, "all have the same: to show it would tell of each"
    assert (told["training_attainment"]["value"], told["training_attainment"]["reason"]) == (None, "few")
    told = shown(anonymous, last, counters["top"])
    assert {f["reason"] for code, f in told.items() if code not in SERVICE | TOLD} == {"nested"}, "the difference to what lies below would tell of few"
    text = anonymous.get(f"/v1/public/figures/{last}").text
    assert not re.search(r"\d{18}", text) and "Pegawai Uji" not in text


# Counts of the five groups, and which of them may be shown.
HIDDEN = [((0, 0, 0, 0, 9), set()), ((0, 0, 0, 6, 9), {9}), ((5, 6, 7, 8, 9), {5, 6, 7, 8, 9}), ((4, 6, 7, 8, 9), {7, 8, 9}), ((1, 1, 1, 1, 40), set()),
          ((2, 2, 2, 30, 40), {30, 40}), ((0, 5, 20, 30, 40), {20, 30, 40})]


@pytest.mark.parametrize("counts, may_be_seen", HIDDEN, ids=[",".join(map(str, c)) for c, _ in HIDDEN])
def test_what_is_hidden_cannot_be_worked_out(counts, may_be_seen, sql):
    """Of the rest one knows the sum alone: it is of two groups or more, and of five people or more."""
    hidden = sql("SELECT open_hidden(%s::bigint[])", (list(counts),))[0][0]
    assert {c for c, h in zip(counts, hidden) if not h} == may_be_seen
    rest = [c for c, h in zip(counts, hidden) if h]
    assert not rest or len(rest) >= 2 and sum(rest) >= 5


def test_an_edition_is_cacheable_and_the_next_one_is_another(api, anonymous, database):
    first = publish(api, YEAR)
    tag = anonymous.get(f"/v1/public/figures/{YEAR}").etag
    assert anonymous("GET", f"/v1/public/figures/{YEAR}", headers={"If-None-Match": tag}).status == 304
    assert publish(api, YEAR, Prefer="dry-run")["edition"] == first["edition"] + 1
    assert anonymous("GET", f"/v1/public/figures/{YEAR}", headers={"If-None-Match": tag}).status == 304
    second = publish(api, YEAR)
    assert second["edition"] == first["edition"] + 1 and second["actor_name"]
    assert anonymous.get(f"/v1/public/figures/{YEAR}").etag != tag
    [told] = [e for e in anonymous.get("/v1/public/figures").json["data"] if e["year"] == YEAR]
    assert (told["edition"], told["figures"], told["suppressed"]) == (second["edition"], second["figures"], second["suppressed"])
    for table in ("open_edition", "open_figure"):
        with psycopg2.connect(database) as c, pytest.raises(psycopg2.Error, match="what was published stays"):
            c.cursor().execute(f"DELETE FROM {table} WHERE year = %s", (YEAR,))


def test_rows_are_the_same_as_the_whole(api, anonymous):
    counter = make.service_unit(api, make.unit(api)["id"], name="Loket, \"Satu\"")
    publish(api, YEAR)
    whole = anonymous.get(f"/v1/public/figures/{YEAR}").json["figures"]
    text = anonymous("GET", f"/v1/public/figures/{YEAR}/rows", headers={"Accept": "text/csv"}, expect=200).text
    rows = list(csv.DictReader(io.StringIO(text)))
    assert sorted((r["service_unit_id"], r["code"], r["value"], r["n"]) for r in rows) == sorted(
        (f["service_unit_id"], f["code"], "" if f["value"] is None else getattr(f["value"], "text", str(f["value"])), "" if f["n"] is None else str(f["n"])) for f in whole)
    assert {r["unit_name"] for r in rows if r["service_unit_id"] == counter["id"]} == {'Loket, "Satu"'}
    mine = anonymous.get(f"/v1/public/figures/{YEAR}/rows?service_unit_id={counter['id']}&code=index").json["data"]
    assert [(r["code"], r["name"], r["measure"], r["reason"]) for r in mine] == [("index", "Indeks Kepuasan Masyarakat", "points", "none")]


def test_every_figure_has_a_definition_and_every_definition_an_operation(anonymous, api, contract):
    definitions = anonymous.get("/v1/public/figure-definitions?limit=100").json["data"]
    assert all(d["inside"] in contract.operations and d["definition"] and d["definition_en"] and d["source"] for d in definitions)
    publish(api, YEAR)
    assert {f["code"] for f in anonymous.get(f"/v1/public/figures/{YEAR}").json["figures"]} == {d["code"] for d in definitions}


def test_only_who_sees_all_units_publishes_and_no_year_to_come(api, keys):
    some = api.as_key(keys("open.write", units=(make.unit(api)["code"],)))
    assert some("POST", f"/v1/open-figures/{YEAR}/publish", expect=403).code == "open-whole"
    ahead = api("POST", f"/v1/open-figures/{YEAR + 1}/publish", expect=404)
    assert ahead.code == "not-found" and f"{YEAR + 1} to publish: the year has not begun" in ahead.json["detail"]


def test_a_year_that_was_not_published_is_nowhere(anonymous):
    missing = anonymous.get("/v1/public/figures/2001", expect=404)
    assert missing.code == "not-found" and missing.json["detail"] == "No figures of 2001 have been published."
    assert anonymous.get("/v1/public/figures/2001/rows", expect=404).code == "not-found"
