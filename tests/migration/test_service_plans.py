# SPDX-License-Identifier: Apache-2.0
"""No list of tickets, complaints, texts or answers reads a whole table, and figures read the tickets of their month alone."""
import re

import pytest

from support import make, plans, postgres, statements

BIG = "ticket|complaint|complaint_step|feedback|survey_answer|survey_receipt|service_month|service_spread|officer_tally|survey_tally|staff_sum|staff_kept|index_kept|unit_service_sum|survey_kept"
RAW = "ticket|survey_answer|evaluation|learning_entry|history|enrolment|asn"


@pytest.fixture(scope="module")
def regency(url):
    def do(statement):
        return postgres.query(url, statement)
    do("INSERT INTO unit (id, code, name, kind) SELECT uuid_v7(), 'A' || g, 'Dinas ' || g, 'dinas' FROM generate_series(1, 20) g")
    do("INSERT INTO service_unit (id, unit_id, name) SELECT uuid_v7(), id, name FROM unit")
    do("""INSERT INTO asn (id, nip, kind, name, birth_date, sex, unit_id, legal_status) SELECT uuid_v7(), '19600115' || lpad(g::text, 10, '0'), 'PNS', 'P', '1960-01-15', 'M',
          (SELECT id FROM unit ORDER BY id LIMIT 1), '01' FROM generate_series(1, 20) g""")
    do("INSERT INTO service (id, service_unit_id, code, name) SELECT uuid_v7(), p.id, 'L' || row_number() OVER (), 'Layanan' FROM service_unit p, generate_series(1, 3)")
    do("""INSERT INTO ticket (id, service_id, number, taken_at, officer_id)
          SELECT uuid_v7(), s.ids[1 + g % 60], g::text, '2025-01-01 08:00+08'::timestamptz + make_interval(hours => g / 4), a.ids[1 + g % 20]
          FROM generate_series(1, 20000) g, (SELECT array_agg(id) AS ids FROM service) s, (SELECT array_agg(id) AS ids FROM asn) a""")
    do("SELECT service_refresh(60000)")
    do("INSERT INTO survey (id, code, service_unit_id, name, starts_on, ends_on, elements) SELECT uuid_v7(), p.name, p.id, 'SKM', '2025-01-01', '2025-12-31', '{U1}' FROM service_unit p")
    do("""INSERT INTO survey_answer (survey_id, answered_on, channel, answers, officer_id)
          SELECT s.ids[1 + g % 20], date '2025-01-01' + g % 300, 'link', jsonb_build_object('U1', 1 + g % 4), a.ids[1 + g % 20]
          FROM generate_series(1, 10000) g, (SELECT array_agg(id) AS ids FROM survey) s, (SELECT array_agg(id) AS ids FROM asn) a""")
    do("INSERT INTO feedback (survey_id, text, received_on, state) SELECT s.id, 'x', '2025-02-01', 'approved' FROM survey s, generate_series(1, 500)")
    do("""INSERT INTO complaint (id, channel, kind, category, service_unit_id, text, received_at)
          SELECT uuid_v7(), 'web', 'complaint', 'quality', p.id, 'x', '2025-02-01' FROM service_unit p, generate_series(1, 500)""")
    do("""INSERT INTO period (id, name, kind, starts_on, ends_on)
          SELECT ('01900000-0000-7000-8000-' || lpad(g::text, 12, '0'))::uuid, 'x' || g, 'bulanan', date '2016-01-01' + g, date '2016-01-01' + g FROM generate_series(1, 200) g""")
    do("""INSERT INTO evaluation (id, asn_id, period_id, results_rating, behaviour_rating)
          SELECT uuid_v7(), a.id, p.id, 'sesuai_ekspektasi', 'sesuai_ekspektasi' FROM asn a, period p""")
    do("""INSERT INTO history (asn_id, kind, starts, valid, facts)
          SELECT a.id, 'course', date '2025-01-01' + g, daterange(date '2025-01-01' + g, NULL), jsonb_build_object('name', 'Kursus ' || g, 'form', 'B3', 'jp', 4) FROM asn a, generate_series(1, 100) g""")
    do("INSERT INTO complaint_step (complaint_id, state) SELECT id, 'received' FROM complaint")
    do("VACUUM ANALYZE")
    (unit, path), = do("SELECT id::text, path::text FROM unit WHERE code = 'A7'")
    (counter, service, survey, complaint), = do("""SELECT p.id::text, s.id::text, v.id::text, c.id::text FROM service_unit p JOIN service s ON s.service_unit_id = p.id
        JOIN survey v ON v.service_unit_id = p.id JOIN complaint c ON c.service_unit_id = p.id WHERE p.name = 'Dinas 7' LIMIT 1""")
    return {"under": unit, "path": path, "service_unit_id": counter, "service_id": service, "survey_id": survey, "complaint_id": complaint,
            "nip": "196001150000000007", "period_id": "01900000-0000-7000-8000-000000000001", "state": "taken", "from": "2025-03-01", "to": "2025-03-31"}


ASKED = [("listTickets", g) for g in ((), ("service_id",), ("actor_units",), ("under",), ("nip",), ("from",), ("service_id", "from", "to"), ("nip", "from", "to"), ("state", "service_id"))] + \
        [("listComplaints", ()), ("listComplaints", ("service_unit_id",)), ("listComplaintSteps", ()), ("listFeedback", ()), ("listFeedback", ("survey_id",)),
         ("listPublishedFeedback", ()), ("listFollowUps", ())]


def plan(url, text, values):
    with postgres.connected(url) as connection, connection.cursor() as cursor:
        cursor.execute("EXPLAIN " + text, values)
        return "\n".join(line for line, in cursor.fetchall())


def scanned(told):
    return set(re.findall(rf"Seq Scan on ({BIG})\b", told))


@pytest.mark.parametrize("name, asked", ASKED, ids=[f"{n}-{'-'.join(a)}" for n, a in ASKED])
def test_a_list_reads_no_whole_table(name, asked, url, regency):
    binds = {"actor_units": [regency["path"] if "actor_units" in asked else ""], "actor_scopes": [], "today": "2025-06-01"}
    text, values = statements.page(name, asked, **{**regency, **binds})
    told = plan(url, text, values)
    assert scanned(told) == set(), told


FIGURES = {
    "a service": "SELECT * FROM ticket t WHERE t.service_id = ANY (ARRAY[%(service_id)s]::uuid[]) AND t.day >= '2025-03-01'::date AND t.day < '2025-03-01'::date + interval '1 month'",
    "an officer": "SELECT * FROM ticket t WHERE t.officer_id = (SELECT id FROM asn WHERE nip = %(nip)s) AND t.day >= '2025-03-01'::date AND t.day < '2025-03-01'::date + interval '1 month'",
}


@pytest.mark.parametrize("statement", FIGURES.values(), ids=FIGURES.keys())
def test_what_figures_are_made_of_is_found_by_index(statement, url, regency):
    told = plan(url, "SELECT count(*) FROM (" + statement + ") x", regency)
    assert scanned(told) == set(), told


MEASURED = ("unit_on_time_rate", "unit_waiting_p90", "unit_complaints_in_time", "own_on_time_rate", "own_u7")


@pytest.mark.parametrize("figure", MEASURED)
def test_a_measure_reads_its_own_rows_alone(figure, url, regency):
    told = plans.told(url, "SELECT measure_read(%(figure)s, (SELECT id FROM asn WHERE nip = %(nip)s), %(service_unit_id)s, NULL, NULL, '2025-01-01', '2025-12-31')",
                      {**regency, "figure": figure})
    assert re.search(r"(Bitmap Heap Scan|Index (Only )?Scan using \w+) on (ticket|complaint|survey|officer_tally)\b", told), told
    assert scanned(told) == set(), told


AGGREGATES = [("getSurveyResult.elements", ()), ("getSurveyResult.reply", ()), ("getUnitSatisfaction.elements", ()), ("listServiceFigures", ()), ("listServiceFigures", ("under",)), ("listServiceFigures", ("key",)),
              ("getUnitServiceFigures.unit", ()), ("getUnitServiceFigures.reply", ()), ("getDistribution", ()), ("listLearningAttainment", ("actor_units",)), ("listLearningAttainment", ("under",))] + [("listRecap", ()), ("getOfficerService", ())]
INDICES = [("getUnitProfessionalism", ()), ("listDataQuality", ()), ("listDataQualityIndicators", ()), ("listDataQualityIndicators", ("dimension",)), ("listTrainingCosts", ("under",)), ("publishOpenFigures", ())]


def pending(url, regency):
    """A ticket, an answer about the officer and a change of a person that nobody has put together yet, and how many tickets, answers and people there are."""
    postgres.query(url, "INSERT INTO ticket (id, service_id, number, taken_at) VALUES (uuid_v7(), %s, 'X' || (SELECT count(*) FROM ticket), '2025-03-05 08:00+08')", (regency["service_id"],))
    postgres.query(url, "UPDATE asn SET rank = CASE WHEN rank = 'III/a' THEN 'III/b' ELSE 'III/a' END WHERE nip = %s", (regency["nip"],))


@pytest.mark.parametrize("is_pending", [False, True], ids=["kept", "pending"])
@pytest.mark.parametrize("name, asked", AGGREGATES + INDICES, ids=[f"{n}-{'-'.join(a)}" for n, a in AGGREGATES + INDICES])
def test_a_figure_reads_no_tickets_and_no_answers(name, asked, is_pending, url, regency):
    """Not even by index, down into the functions. Of people, evaluations and hours it reads those alone who are marked."""
    postgres.query(url, "SELECT service_refresh(60000), staff_refresh(60000), index_refresh(60000), unit_service_refresh(60000)")
    if is_pending:
        pending(url, regency)
    by = {"getOfficerService": None, "listRecap": "rank"}.get(name, "unit")
    binds = {"actor_units": [""], "actor_scopes": ["admin"], "today": "2026-06-01", "by": by, "is_published": None, "to": "2025-12-31", "from": "2025-01-01", "with_drafts": True, "predicate": None,
             "period_id": regency["period_id"], "unit_id": regency["under"], "key": regency["under"], "year": 2025, "elements": "[]", "lowest": "[]", "first_month": "2025-01-01", "last_month": "2025-12-01", "tree_on": None, "tree_day": "2025-12-31", "pieces": f'{{"(tree,{regency["under"]},1)"}}', "unseen": 0, "index": "3", "converted": "75", "category": "C", "rule_version": "x", "sums": "{}"}
    if name in ("listServiceFigures", "getOfficerService", "getUnitServiceFigures.unit"):
        binds |= {"from": "2025-01", "to": "2025-12"}
    if name == "listServiceFigures":
        binds |= {bind: None for bind in ("under", "key") if bind not in asked}
    if (name, asked) in INDICES:
        binds |= {"today": make.today().isoformat(), "as_of": None, "cut_mode": None, "parent_id": None, "dimension": "COM", "actor_key": "01900000-0000-7000-8000-000000000001", "actor_name": "uji"}
        binds |= {"under": None, "unit_id": None} if name.startswith("listDataQuality") else {}
    told = plans.told(url, *statements.page(name, asked, **(regency | binds)))
    read = set(re.findall(rf"Scan (?:using \w+ )?on ({RAW})\b", told))
    own = {"asn"} if name in ("getOfficerService", "listServiceFigures") else set()  # whose name is told
    marked = {"asn", "evaluation", "history", "learning_entry"} if is_pending and name in ("getDistribution", "getUnitServiceFigures.reply", "listLearningAttainment", "listRecap") else set()
    marked |= {"asn", "evaluation", "history", "enrolment", "learning_entry"} if is_pending and (name, asked) in INDICES else set()
    assert read <= own | marked, told
    assert not re.search(r"Seq Scan on (ticket|survey_answer|evaluation|learning_entry|history)\b", told), told


TOUCHED = "SELECT relname, coalesce(seq_tup_read, 0), coalesce(idx_tup_fetch, 0) FROM pg_stat_xact_user_tables WHERE relname IN ('service_month', 'service_spread', 'ticket')"


@pytest.mark.parametrize("is_pending", [False, True], ids=["kept", "pending"])
@pytest.mark.parametrize("after", [None, "2025-04-01"], ids=["first", "later"])
@pytest.mark.parametrize("asked", [(), ("under",), ("actor_units",)], ids=["all", "under", "own"])
@pytest.mark.parametrize("by", ["service", "unit", "officer"])
def test_a_page_of_figures_reads_the_months_that_stand_on_it(by, asked, after, is_pending, url, regency):
    """Of whoever has few of them all may be read."""
    postgres.query(url, "SELECT service_refresh(60000)")
    if is_pending:
        pending(url, regency)
    ((everything,),), ((staffed, path),) = (postgres.query(url, text, regency) for text in ("SELECT count(*) FROM service_month WHERE by <> 'tree'",
                                                                                          "SELECT u.id::text, u.path::text FROM unit u WHERE EXISTS (SELECT FROM asn a WHERE a.unit_id = u.id)"))
    if by != "officer":
        staffed, path = regency["under"], regency["path"]
    text, values = statements.page("listServiceFigures", (), limit=3, after=after and [after, "01900000-0000-7000-8000-000000000000"], by=by, key=None, today="2026-06-01",
                                   actor_units=[path if "actor_units" in asked else ""], under=staffed if "under" in asked else None, **{"from": "2025-01", "to": "2025-12"})
    with postgres.connected(url, autocommit=False) as connection, connection.cursor() as cursor:
        cursor.execute(text, values)
        assert len(cursor.fetchall()) == 3
        cursor.execute(TOUCHED)
        touched = {name: counts for name, *counts in cursor.fetchall()}
    assert everything > 500 and touched["service_month"][0] == 0 and touched["service_month"][1] <= (100 if asked else 16), touched
    assert touched["ticket"] == [0, 0] and touched["service_spread"][0] == 0 and touched["service_spread"][1] <= is_pending, touched


@pytest.mark.parametrize("asked", [(), ("under",)], ids=["all", "under"])
def test_of_a_year_without_costs_no_unit_is_looked_at(asked, url, regency):
    """With a hundred thousand units each was asked for its costs."""
    binds = {"actor_units": [""], "actor_scopes": ["admin"], "today": make.today().isoformat(), "year": 1990}
    if not asked:
        binds["under"] = None
    text, values = statements.page("listTrainingCosts", asked, **(regency | binds))
    with postgres.connected(url) as connection, connection.cursor() as cursor:
        cursor.execute("EXPLAIN (ANALYZE, COSTS OFF) " + text, values)
        told = "\n".join(line for line, in cursor.fetchall())
    (units,) = [line for line in told.split("\n") if re.search(r"Scan.* on unit u\b", line)]
    assert "never executed" in units, told


def test_the_reader_of_plans_would_see_a_scan(url, regency):
    assert scanned(plan(url, "SELECT * FROM ticket WHERE number LIKE '%%7'", {})) == {"ticket"}
