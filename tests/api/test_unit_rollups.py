# SPDX-License-Identifier: Apache-2.0
"""Public service up the unit tree: what a unit and all below it did is what is counted from every ticket, form and complaint, wherever it stands in the tree, at every moment."""
import random
import uuid
from datetime import datetime, timedelta, timezone
from fractions import Fraction

import pytest

from support import make

ELEMENTS = [f"U{n}" for n in range(1, 10)]
ANSWERED = (("verified", {"weight": "normative"}), ("forwarded", {}), ("in_progress", {}), ("answered", {"answer": "Sudah diperbaiki", "is_upheld": True}))


@pytest.fixture(scope="module")
def settings():
    return {"public_rate": 100000}


def figures(client, unit, **asked):
    query = "&".join(f"{name}={value}" for name, value in asked.items())
    return client.get(f"/v1/units/{unit['id']}/service-figures?{query}", expect=200).json


def half_up(value, digits=2):
    return None if value is None else Fraction(int(value * 10**digits + Fraction(1, 2)), 10**digits)


def percentile(values, percent):
    rank = (len(values) - 1) * percent
    low, high = sorted(values)[rank // 100], sorted(values)[min(rank // 100 + 1, len(values) - 1)]
    return low + Fraction((high - low) * (rank % 100), 100)


def exact(number):
    return None if number is None else Fraction(number.text if hasattr(number, "text") else str(number))


class Tree:
    """A dinas with two bidang, one of which has two sections; all but the dinas serve."""

    def __init__(self, api, sql):
        self.api, self.sql = api, sql
        self.top = make.unit(api, kind="dinas")
        self.other = make.unit(api, kind="dinas")
        self.left, self.right = make.unit(api, self.top["id"]), make.unit(api, self.top["id"])
        self.low, self.least = make.unit(api, self.left["id"]), make.unit(api, self.left["id"])
        self.places = [self.left, self.right, self.low, self.least]
        self.counters = {u["id"]: make.service_unit(api, u["id"]) for u in self.places}
        self.services = {u["id"]: make.service(api, self.counters[u["id"]]["id"], promise_minutes=30) for u in self.places}
        self.tickets = []

    def serve(self, dice, unit, n, months=("2025-03", "2025-04", "2025-05")):
        for _ in range(n):
            month = dice.choice(months)
            taken = datetime.fromisoformat(f"{month}-{dice.randint(1, 27):02d}T01:00:00+00:00") + timedelta(seconds=dice.randrange(20000))
            wait, serve = dice.randrange(3) * 60 + dice.randrange(900), 30 + dice.randrange(3000)
            called = taken + timedelta(seconds=wait)
            done = called + timedelta(seconds=serve)
            self.sql("""INSERT INTO ticket (id, service_id, number, taken_at, called_at, started_at, finished_at, state, result)
                        VALUES (uuid_v7(), %s, %s, %s, %s, %s, %s, 'finished', 'completed')""",
                     (self.services[unit["id"]]["id"], uuid.uuid4().hex[:12], taken, called, called, done))
            self.tickets.append((unit["id"], month, wait, serve))

    def expected(self, units, first, last):
        rows = [t for t in self.tickets if t[0] in units and first <= t[1] <= last]
        waits, serves, turns = [t[2] for t in rows], [t[3] for t in rows], [t[2] + t[3] for t in rows]
        told = {"taken": len(rows), "finished": len(rows), "promised": len(rows), "on_time": sum(1 for t in turns if t <= 1800)}
        for name, values in (("waiting", waits), ("service", serves), ("turnaround", turns)):
            told |= {f"{name}_n": len(values), f"{name}_mean": half_up(Fraction(sum(values), len(values))) if values else None,
                     f"{name}_median": percentile(values, 50) if values else None, f"{name}_p90": percentile(values, 90) if values else None}
        return told

    def agrees(self, unit, below, first, last):
        told = figures(self.api, unit, **{"from": first, "to": last})["tickets"]
        wanted = self.expected({u["id"] for u in below}, first, last)
        assert {name: exact(told[name]) for name in wanted} == wanted


def test_tickets_of_a_unit_are_those_of_all_below_it(api, sql):
    tree, dice = Tree(api, sql), random.Random(52)
    below = [(tree.top, tree.places), (tree.left, [tree.left, tree.low, tree.least]), (tree.low, [tree.low]), (tree.right, [tree.right]), (tree.other, [])]
    spans = (("2025-03", "2025-05"), ("2025-04", "2025-04"), ("2025-04", "2025-05"), ("2024-01", "2024-12"))
    for turn in range(3):
        for unit in tree.places:
            tree.serve(dice, unit, dice.randint(1, 9))
        for unit, under in below:
            for first, last in spans:
                tree.agrees(unit, under, first, last)
        sql("SELECT service_refresh(60000)" if turn else "SELECT 1")
    (leaf,) = api.get(f"/v1/service-figures?by=unit&key={tree.low['id']}&from=2025-04&to=2025-04").json["data"]
    rolled = figures(api, tree.low, **{"from": "2025-04", "to": "2025-04"})["tickets"]
    assert {n: exact(v) for n, v in rolled.items()} == {n: exact(leaf[n]) for n in rolled}


def test_a_unit_that_moves_takes_its_figures_along(api, sql):
    tree, dice = Tree(api, sql), random.Random(53)
    for unit in tree.places:
        tree.serve(dice, unit, 6)
    sql("SELECT service_refresh(60000)")
    tree.serve(dice, tree.low, 2)  # nobody has put these together when it moves
    surveyed(api, tree.counters[tree.low["id"]], [tuple(dice.randint(1, 4) for _ in ELEMENTS) for _ in range(5)])
    complained(api, tree.counters[tree.low["id"]])
    api.patch(f"/v1/units/{tree.left['id']}", {"parent_id": tree.other["id"]}, etag="*")
    tree.agrees(tree.other, [tree.left, tree.low, tree.least], "2025-03", "2025-05")
    tree.agrees(tree.top, [tree.right], "2025-03", "2025-05")
    api.patch(f"/v1/units/{tree.low['id']}", {"parent_id": tree.top["id"]}, etag="*")
    tree.agrees(tree.other, [tree.left, tree.least], "2025-03", "2025-05")
    tree.agrees(tree.top, [tree.right, tree.low], "2025-03", "2025-05")
    sql("SELECT unit_service_refresh(60000)")
    month = make.today().isoformat()[:7]
    now = {u["id"]: figures(api, u, **{"from": month}) for u in (tree.top, tree.other)}
    assert [now[u["id"]]["complaints"]["received"] for u in (tree.top, tree.other)] == [1, 0]
    assert now[tree.top["id"]]["tree_on"] == make.today().isoformat()
    for view in ("service_difference", "unit_service_difference"):
        assert sql(f"SELECT * FROM {view}") == []


def test_the_figures_of_a_year_are_rolled_up_by_the_tree_of_its_end(api, keys, sql):
    """A unit that moved last February counts until then where it stood before, and from then on where it is: whatever is asked, every ticket is under exactly one way up."""
    tree, dice = Tree(api, sql), random.Random(57)
    every = [u["id"] for u in (tree.top, tree.other, *tree.places)]
    began = lambda u: api.patch(f"/v1/units/{u['id']}", {"effective_on": "2020-01-01"}, etag="*")  # noqa: E731
    for unit in (tree.top, tree.other, *tree.places):
        began(unit)
    for unit in tree.places:
        tree.serve(dice, unit, 7)
    surveyed(api, tree.counters[tree.low["id"]], [tuple(dice.randint(1, 4) for _ in ELEMENTS) for _ in range(6)])
    api.patch(f"/v1/units/{tree.left['id']}", {"parent_id": tree.other["id"], "effective_on": "2026-02-01"}, etag="*")
    left = [tree.left, tree.low, tree.least]

    def agrees(unit, below, **asked):
        told = figures(api, unit, **{"from": "2025-01", "to": "2025-12", **asked})
        wanted = tree.expected({u["id"] for u in below}, "2025-01", "2025-12")
        assert {name: exact(told["tickets"][name]) for name in wanted} == wanted, asked
        assert told["satisfaction"]["respondents"] == (6 if tree.low in below else 0) and told["units_unseen"] == 0
        return told["tree_on"]

    for refreshed in (False, True):
        if refreshed:
            sql("SELECT service_refresh(60000), unit_service_refresh(60000)")
        assert agrees(tree.top, tree.places) == "2025-12-31"
        assert agrees(tree.other, []) == "2025-12-31"
        for day in ("2026-02-01", make.today().isoformat()):
            assert agrees(tree.top, [tree.right], tree_on=day) == day
            assert agrees(tree.other, left, tree_on=day) == day
        assert agrees(tree.top, tree.places, tree_on="2026-01-31") == "2026-01-31"
        assert agrees(tree.left, left) == "2025-12-31"
    now = figures(api, tree.other, **{"from": make.today().isoformat()[:7]})
    assert now["tree_on"] == make.today().isoformat() and len(every) == 6
    # What has moved to where a caller sees nothing is not told him, and that it is not.
    office = api.as_key(keys("service.read", "survey.read", "complaint.read", "performance.read", units=(tree.top["code"],)))
    told = figures(office, tree.top, **{"from": "2025-01", "to": "2025-12"})
    assert (told["units_unseen"], told["tickets"]["taken"], told["satisfaction"]["respondents"]) == (3, 7, 0)
    api.get(f"/v1/units/{tree.top['id']}/service-figures?tree_on=2025-02-30", expect=400)


def test_whatever_has_moved_since_each_unit_counts_where_it_stood(api, sql):
    """Bidang go to other dinas, sections to other bidang, alone or with all below them, and some back again."""
    dice = random.Random(82)
    tops = [make.unit(api, kind="dinas") for _ in range(3)]
    middles = [make.unit(api, top["id"]) for top in tops for _ in range(2)]
    leaves = [make.unit(api, middle["id"]) for middle in middles for _ in range(2)]
    parents = {u["id"]: u["parent_id"] for u in (*middles, *leaves)}
    for unit in (*tops, *middles, *leaves):
        api.patch(f"/v1/units/{unit['id']}", {"effective_on": "2020-01-01"}, etag="*")
    tree = Tree.__new__(Tree)
    tree.api, tree.sql, tree.tickets = api, sql, []
    tree.services = {u["id"]: make.service(api, make.service_unit(api, u["id"])["id"], promise_minutes=30) for u in (*middles, *leaves)}
    for unit in (*middles, *leaves):
        tree.serve(dice, unit, dice.randint(1, 5))
    sql("SELECT service_refresh(60000)")
    stood = {"2025-12-31": dict(parents)}
    for n in range(14):
        unit = dice.choice(middles if n % 3 == 0 else leaves)
        parents[unit["id"]] = dice.choice([u["id"] for u in (tops if unit in middles else middles) if u["id"] != parents[unit["id"]]])
        day = f"2026-{1 + n // 2:02d}-{10 + n % 2:02d}"
        api.patch(f"/v1/units/{unit['id']}", {"parent_id": parents[unit["id"]], "effective_on": day}, etag="*")
        stood[day] = dict(parents)
        tree.serve(dice, dice.choice(leaves), 1)  # nobody has put it together
    for day, then in stood.items():
        for unit in (*tops, dice.choice(middles)):
            below = {unit["id"]}
            for _ in range(2):
                below |= {u for u, parent in then.items() if parent in below}
            told = figures(api, unit, **{"from": "2025-01", "to": "2025-12", "tree_on": day})["tickets"]
            wanted = tree.expected(below, "2025-01", "2025-12")
            assert {name: exact(told[name]) for name in wanted} == wanted, (day, unit["name"])


def test_of_what_has_moved_with_all_below_it_one_sum_is_read(api, sql):
    """Beside the unit's own: so a reading costs what has moved, however many units lie below."""
    tree = Tree(api, sql)
    for unit in (tree.top, tree.other, *tree.places):
        api.patch(f"/v1/units/{unit['id']}", {"effective_on": "2020-01-01"}, etag="*")
    read = lambda unit: {(by, key, sign) for by, key, sign in sql(  # noqa: E731
        "SELECT p.by, p.key::text, p.sign FROM unit_pieces(%s, '2025-12-31', ARRAY['']::ltree[]) w, unnest(w.pieces) p", (unit["id"],))}
    own = lambda unit: ("tree", unit["id"], 1)  # noqa: E731
    api.patch(f"/v1/units/{tree.left['id']}", {"parent_id": tree.other["id"], "effective_on": "2026-02-01"}, etag="*")
    assert read(tree.top) == {own(tree.top), own(tree.left)}
    assert read(tree.other) == {own(tree.other), ("tree", tree.left["id"], -1)}
    assert read(tree.left) == {own(tree.left)}
    api.patch(f"/v1/units/{tree.low['id']}", {"parent_id": tree.right["id"], "effective_on": "2026-03-01"}, etag="*")
    assert read(tree.top) == {own(tree.top), own(tree.left)}
    assert read(tree.left) == {own(tree.left), own(tree.low)}
    assert read(tree.right) == {own(tree.right), ("tree", tree.low["id"], -1)}
    born = make.unit(api, tree.left["id"])  # it was not there: it counts where it began, and makes its bidang another than the one that moved
    assert read(tree.top) == {own(tree.top), ("unit", tree.left["id"], 1), own(tree.least)} and born["id"] not in str(read(tree.top))
    assert read(tree.other) == {own(tree.other), ("unit", tree.left["id"], -1), ("tree", tree.least["id"], -1)}


def test_a_unit_that_is_merged_keeps_what_it_did(api, sql):
    tree, dice = Tree(api, sql), random.Random(58)
    for unit in (tree.top, tree.other, *tree.places):
        api.patch(f"/v1/units/{unit['id']}", {"effective_on": "2020-01-01"}, etag="*")
    for unit in tree.places:
        tree.serve(dice, unit, 5)
    api.post(f"/v1/units/{tree.right['id']}/merge", {"sources": [tree.left["id"]], "effective_on": "2026-01-15"})
    for day in ("2025-12-31", "2026-01-15", make.today().isoformat()):
        taken = lambda unit: figures(api, unit, **{"from": "2025-01", "to": "2025-12", "tree_on": day})["tickets"]["taken"]  # noqa: B023, E731
        moved = 10 if day > "2026" else 0  # the two sections below come to the successor
        assert (taken(tree.top), taken(tree.left), taken(tree.right)) == (20, 15 - moved, 5 + moved), day


# ── satisfaction ──

def surveyed(api, counter, rows, last="2025-06-30", elements=None):
    survey = make.survey(api, counter["id"], is_open_link=True, **({"elements": elements} if elements else {}))
    for row in rows:
        answers = {e: v for e, v in zip(elements or ELEMENTS, row) if v}
        api.post(f"/v1/public/surveys/{survey['answer_token']}/survey", {**make.form(), "answers": answers}, expect=200)
    api.post(f"/v1/surveys/{survey['id']}/close")
    return api.patch(f"/v1/surveys/{survey['id']}", {"starts_on": "2025-06-01", "ends_on": last}, etag="*").json


def complained(api, counter, steps=()):
    made = make.complaint(api, counter["id"])
    for state, members in steps:
        api.post(f"/v1/complaints/{made['id']}/advance", {"state": state, **members})
    return made


def test_answers_of_a_unit_are_all_answers_below_it_taken_together(api, sql):
    tree, dice = Tree(api, sql), random.Random(54)
    given = {}
    for unit, n in ((tree.left, 7), (tree.low, 12), (tree.right, 5)):
        given[unit["id"]] = [tuple(dice.choice((0, 1, 2, 3, 4, 4)) if n == 12 else dice.randint(1, 4) for _ in ELEMENTS) for _ in range(n)]
        if n == 12:
            given[unit["id"]] += [tuple(dice.randint(1, 4) for _ in ELEMENTS) for _ in range(5)]
        surveyed(api, tree.counters[unit["id"]], given[unit["id"]])
    for refresh in (False, True):
        if refresh:
            sql("SELECT unit_service_refresh(60000)")
        for unit, below in ((tree.top, (tree.left, tree.low, tree.right)), (tree.left, (tree.left, tree.low)), (tree.right, (tree.right,))):
            rows = [row for u in below for row in given[u["id"]]]
            told = figures(api, unit, **{"from": "2025-06"})["satisfaction"]
            means = {e: Fraction(sum(r[i] for r in rows if r[i]), sum(1 for r in rows if r[i])) for i, e in enumerate(ELEMENTS)}
            index = sum(means.values()) / 9
            assert (told["surveys"], told["surveys_left_out"], told["respondents"]) == (len(below), 0, len(rows))
            assert [(e["code"], e["n"], exact(e["mean"])) for e in told["elements"]] == [(e, sum(1 for r in rows if r[i]), half_up(means[e], 4)) for i, e in enumerate(ELEMENTS)]
            assert (exact(told["index"]), exact(told["converted"])) == (half_up(index, 4), half_up(index * 25))
            assert told["lowest"] == sorted(ELEMENTS, key=lambda e: means[e])[:3]
    assert figures(api, tree.top, **{"from": "2025-05"})["satisfaction"]["surveys"] == 0


def test_where_every_form_is_full_it_is_the_pooled_value_of_the_surveys(api, sql):
    tree = Tree(api, sql)
    counter = tree.counters[tree.right["id"]]
    for value, n in ((4, 40), (2, 80), (3, 80)):  # D18: 40 at 4.0, 160 at 2.5
        surveyed(api, counter, [(value,) * 9] * n)
    pooled = api.get(f"/v1/service-units/{counter['id']}/satisfaction?from=2025-06-01&to=2025-06-30").json
    told = figures(api, tree.top, **{"from": "2025-06", "to": "2025-06"})["satisfaction"]
    assert (told["converted"].text, told["category"]) == (pooled["pooled"].text, pooled["pooled_category"]) == ("70.00", "C")
    assert told["respondents"] == pooled["respondents"] == 200


def test_a_survey_that_few_answered_is_in_no_sum_so_that_no_difference_tells_it(api, sql):
    tree, dice = Tree(api, sql), random.Random(55)
    row = lambda: tuple(dice.randint(1, 4) for _ in ELEMENTS)  # noqa: E731
    shown = [row() for _ in range(6)]
    surveyed(api, tree.counters[tree.right["id"]], shown)
    alone = figures(api, tree.top, **{"from": "2025-06"})["satisfaction"]
    few = surveyed(api, tree.counters[tree.low["id"]], [row() for _ in range(4)])
    gap = surveyed(api, tree.counters[tree.least["id"]], [row()[:8] + (0,) for _ in range(9)])  # of one element there are no answers
    told = figures(api, tree.top, **{"from": "2025-06"})["satisfaction"]
    assert told.pop("surveys_left_out") == 2 and alone.pop("surveys_left_out") == 0
    assert told == alone
    api.patch(f"/v1/surveys/{few['id']}", {"ends_on": make.today().isoformat()}, etag="*")
    api.post(f"/v1/surveys/{few['id']}/open", expect=200)
    api.post(f"/v1/public/surveys/{few['answer_token']}/survey", {**make.form(), "answers": dict(zip(ELEMENTS, row()))}, expect=200)
    api.patch(f"/v1/surveys/{few['id']}", {"ends_on": "2025-06-30"}, etag="*")
    now = figures(api, tree.top, **{"from": "2025-06"})["satisfaction"]
    assert (now["surveys"], now["surveys_left_out"], now["respondents"]) == (2, 1, 11)  # with the fifth all five are in
    assert figures(api, tree.left, **{"from": "2025-06"})["satisfaction"]["respondents"] == 5 and gap["state"] == "closed"


# ── complaints, predicates ──

def test_complaints_of_a_unit_are_those_of_all_below_it(api, sql):
    tree = Tree(api, sql)
    month = make.today().isoformat()[:7]
    complained(api, tree.counters[tree.low["id"]], ANSWERED)
    complained(api, tree.counters[tree.low["id"]])
    complained(api, tree.counters[tree.right["id"]], ANSWERED[:3])
    rejected = complained(api, tree.counters[tree.left["id"]], [("rejected", {})])
    make.complaint(api, tree.counters[tree.left["id"]]["id"], kind="aspiration")
    told = figures(api, tree.top, **{"from": month})["complaints"]
    assert {n: exact(v) for n, v in told.items()} == {"received": 3, "answered": 1, "answered_rate": half_up(Fraction(100, 3)), "bound": 1, "in_time": 1, "in_time_rate": 100,
                                                     "judged": 1, "upheld": 1}
    assert figures(api, tree.left, **{"from": month})["complaints"]["received"] == 2 and rejected["kind"] == "complaint"
    assert sql("SELECT * FROM unit_service_difference") == []


def test_predicates_are_those_of_the_distribution(api, sql):
    tree = Tree(api, sql)
    period = make.period(api)
    for unit, results in ((tree.low, "sesuai_ekspektasi"), (tree.right, "di_bawah_ekspektasi"), (tree.left, "sesuai_ekspektasi")):
        make.final(api, make.person(api, unit["id"])["nip"], period["id"], results=results)
    year = period["ends_on"][:4]
    for unit in (tree.top, tree.left, tree.other):
        (told,) = [p for p in figures(api, unit, **{"from": f"{year}-01", "to": f"{year}-12"})["predicates"] if p["period_id"] == period["id"]]
        inside = api.get(f"/v1/units/{unit['id']}/distribution/{period['id']}").json
        assert (told["rated"], told["counts"]) == (inside["rated"], inside["counts"])


# ── who may ──

def test_a_unit_officer_sees_his_units_alone_and_all_four_scopes_are_asked(api, sql, keys):
    tree = Tree(api, sql)
    scopes = ("service.read", "survey.read", "complaint.read", "performance.read")
    own = api.as_key(keys(*scopes, units=(tree.left["code"],)))
    assert figures(own, tree.low)["unit_id"] == tree.low["id"]
    own.get(f"/v1/units/{tree.top['id']}/service-figures", expect=404)
    api.as_key(keys(*scopes[:3])).get(f"/v1/units/{tree.top['id']}/service-figures", expect=403)


@pytest.mark.parametrize("query", ["from=2025-13", "to=2025", "from=2025-01&by=unit"])
def test_what_is_no_month_is_refused(query, api, office):
    api.get(f"/v1/units/{office['id']}/service-figures?{query}", expect=400)


def test_without_months_it_is_the_one_that_runs(api, office):
    month = datetime.now(timezone(timedelta(hours=8))).strftime("%Y-%m")
    told = figures(api, office)
    assert (told["from"], told["to"]) == (month, month)
