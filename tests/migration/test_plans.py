# SPDX-License-Identifier: Apache-2.0
"""No due list, no report of an agency and no search reads a whole table of people or histories, whatever part of the list is asked for."""
import json
import re
import time
from functools import lru_cache

import pytest

from support import plans, postgres, searches, statements
from support.daemon import run
from support.plans import BIG, scanned

PEOPLE = """
    INSERT INTO asn (id, nip, kind, name, birth_date, sex, unit_id, position_kind, position, echelon, rank, rank_since, education_level, legal_status, appointed_on)
    SELECT uuid_v7(), to_char(1960 + g % 40, 'FM0000') || to_char(1 + g % 12, 'FM00') || '15' || lpad(g::text, 10, '0'), 'PNS', 'Pegawai ' || g,
           make_date(1960 + g % 40, 1 + g % 12, 15), (ARRAY['M', 'F'])[1 + g % 2], u.ids[1 + g % cardinality(u.ids)],
           (ARRAY['struktural', 'fungsional', 'pelaksana'])[1 + g % 3], (ARRAY['Kepala Seksi', 'Analis Ahli Muda', 'Pengelola'])[1 + g % 3],
           CASE g % 3 WHEN 0 THEN '41' END, (ARRAY['III/a', 'III/b', 'III/c', 'IV/a'])[1 + g % 4], make_date(2016 + g % 9, 4, 1),
           (ARRAY['40', '45', '15'])[1 + g % 3], '01', make_date(1990 + g % 30, 3, 1)
    FROM   generate_series(1, 8000) g, (SELECT array_agg(id ORDER BY id) AS ids FROM unit) u"""


@pytest.fixture(scope="module")
def agency(url):
    """Two hundred agencies of ten units each, eight thousand people; the id and path of one agency."""
    def do(statement):
        return postgres.query(url, statement)
    do("INSERT INTO unit (id, code, name, kind) SELECT uuid_v7(), 'A' || g, 'Instansi ' || g, 'instansi' FROM generate_series(1, 200) g")
    do("""INSERT INTO unit (id, code, name, kind, parent_id) SELECT uuid_v7(), p.code || '-' || g, 'Bidang ' || g, 'bidang', p.id
          FROM unit p, generate_series(1, 9) g""")
    do(PEOPLE)
    do("""INSERT INTO post (id, unit_id, position_kind, position, posts) SELECT uuid_v7(), u.id, 'pelaksana', 'Jabatan ' || g, 3 FROM unit u, generate_series(1, 5) g""")
    do("INSERT INTO programme (id, code, name, form, family, jp, organiser) VALUES (gen_random_uuid(), 'P', 'Uji', 'B1', 'teknis', 20, 'Uji')")
    do("""INSERT INTO session (id, programme_id, title, starts_on, ends_on, capacity)
          SELECT uuid_v7(), p.id, 'Uji', '2030-01-07', '2030-01-09', 2000 FROM programme p""")
    do("INSERT INTO enrolment (id, session_id, asn_id) SELECT uuid_v7(), s.id, a.id FROM session s, (SELECT id FROM asn ORDER BY id LIMIT 1000) a")
    do("""INSERT INTO unit_version (unit_id, valid, code, name, kind, parent_id, is_active)
          SELECT v.unit_id, daterange(make_date(g, 1, 1), CASE g WHEN 2025 THEN lower(v.valid) ELSE make_date(g + 1, 1, 1) END), v.code, v.name, v.kind, v.parent_id, true
          FROM   unit_version v, generate_series(2016, 2025) g""")
    do("""INSERT INTO history (asn_id, kind, starts, valid, facts)
          SELECT a.id, 'course', '2025-05-04', '[2025-05-04,)', jsonb_build_object('name', 'Kursus ' || g, 'form', 'B3', 'jp', g) FROM asn a, generate_series(1, 3) g""")
    do("VACUUM ANALYZE")
    (identity, path), = do("SELECT id::text, path::text FROM unit WHERE code = 'A77'")
    return {"id": identity, "path": path}


@pytest.fixture(scope="module")
def life(url, agency):
    """Two hundred sessions of a hundred enrolments, five of them offers and five waiting, each with its steps and two days of attendance; the ids of one."""
    def do(statement):
        return postgres.query(url, statement)
    do("""INSERT INTO session (id, programme_id, title, starts_on, ends_on, capacity)
          SELECT uuid_v7(), p.id, 'Lagi', date '2031-01-01' + g * 3, date '2031-01-02' + g * 3, 90 FROM programme p, generate_series(1, 200) g""")
    do("""INSERT INTO enrolment (id, session_id, asn_id)
          SELECT uuid_v7(), s.id, a.id FROM session s, (SELECT id FROM asn ORDER BY id LIMIT 100) a WHERE s.title = 'Lagi'""")
    do("UPDATE session SET offer_hours = 24, capacity = 95 WHERE title = 'Lagi'")
    do("""INSERT INTO attendance (session_id, enrolment_id, day, presence)
          SELECT e.session_id, e.id, lower(e.days) + d, 'present' FROM enrolment e, generate_series(0, 1) d""")
    do("UPDATE attendance SET presence = 'absent', reason = 'Uji' WHERE id IN (SELECT id FROM attendance LIMIT 10000)")
    do("VACUUM ANALYZE")
    (session, enrolment, nip), = do("SELECT e.session_id::text, e.id::text, a.nip FROM enrolment e JOIN asn a ON a.id = e.asn_id ORDER BY e.id DESC LIMIT 1")
    return {"session_id": session, "enrolment_id": enrolment, "nip": nip, "day": "2031-01-04"}


LISTS = {"listDue": {"due_list": "retirement"}, "listSeniority": {}, "listNominative": {}, "listStaffing": {}, "listRecap": {"by": "rank"}, "listUnits": {},
         "listLearningStanding": {}, "listLearningAttainment": {}, "listCompetencyGaps": {}, "listDevelopmentNeeds": {}, "listDevelopmentProgramme": {}}
ASKED = [(name, asked) for name in LISTS for asked in (("under",), ("actor_units",), ("under", "as_of"), ("actor_units", "as_of"))
         if not (name in ("listDue", "listLearningStanding", "listLearningAttainment", "listDevelopmentProgramme") and "as_of" in asked)]


reader = lru_cache(maxsize=4)(postgres.Reader)


def plan(url, text, values):
    return "\n".join(line for line, in reader(url)("EXPLAIN " + text, values))


def binds(agency, asked):
    held = [agency["path"] if "actor_units" in asked else ""]
    return {"under": agency["id"] if "under" in asked else None, "actor_units": held, "actor_scopes": [], "today": "2026-01-01", "as_of": "2020-01-01"}


@pytest.mark.parametrize("name, asked", ASKED, ids=[f"{n}-{'-'.join(a)}" for n, a in ASKED])
def test_a_list_of_an_agency_reads_no_whole_table(name, asked, url, agency):
    text, values = statements.page(name, asked, **LISTS[name], **binds(agency, asked))
    told = plan(url, text, values)
    assert scanned(told) <= may_be_read(name, asked), told


def may_be_read(name, asked):
    """Of a part of the tree of another day today's units and their ways are looked up; the planner takes any part for a hundredth, for which reading all is
    as cheap: which of the two it is hangs on how many pages the last vacuum left."""
    return {"unit", "unit_way"} if "as_of" in asked and name in ("listUnits", "listUnitAncestors", "listNominative") else set()


@pytest.mark.parametrize("name", ["listUnitAncestors", "listUnitVersions"])
@pytest.mark.parametrize("asked", [(), ("as_of",)])
def test_what_hangs_on_a_unit_is_found_by_index(name, asked, url, agency):
    text, values = statements.page(name, asked, unit_id=agency["id"], **binds(agency, asked))
    assert scanned(plan(url, text, values)) <= may_be_read(name, asked), plan(url, text, values)


def test_a_page_of_the_tree_of_a_day_comes_by_index(url, agency):
    for place in (None, ["A77", agency["id"]]):
        text, values = statements.page("listUnits", ("as_of",), after=place, **{**binds(agency, ()), "actor_units": [""]})
        told = plan(url, text, values)
        assert scanned(told) == set(), told


@pytest.mark.parametrize("code", ["COM_1", "COM_4", "TIM_1", "TIM_4", "TIM_5", "ACC_1", "CON_2"])
@pytest.mark.parametrize("asked", ["under", "actor_units"])
def test_whom_an_indicator_names_in_an_agency_reads_no_whole_table_of_people(code, asked, url, agency):
    text, values = statements.page("listDataQualityPersons", (asked,), code=code, **binds(agency, (asked,)))
    told = plan(url, text, values)
    assert scanned(told) <= {"unit"}, told


@pytest.mark.parametrize("asked, reached", [((), "2035-06-01"), (("from", "until"), "2030-02-01"), (("within",), "2026-02-01"), (("undated",), "infinity")])
def test_a_due_list_of_the_whole_country_is_a_piece_of_an_index(asked, reached, url, agency):
    more = {"from": "2030-01-01", "until": "2030-12-01", "within": 900, "undated": True}
    for place in (None, [reached, "01900000-0000-7000-8000-000000000001", "BUP_58"]):
        text, values = statements.page("listDue", asked, after=place, due_list="retirement", **binds(agency, ()), **more)
        told = plan(url, text, values)
        assert scanned(told) == set() and "due_list_idx" in told and (asked or "Sort" not in told), told


@pytest.fixture(scope="module")
def papers(url, agency):
    """Five documents for each of four thousand people, each linked to a row; the NIP of one of them."""
    with postgres.connected(url, autocommit=False) as connection, connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute("""INSERT INTO document (id, asn_id, type, media_type, size, sha256, content_id)
                          SELECT uuid_v7(), a.id, (ARRAY['872', '858', '881', '882', '892'])[g], 'application/pdf', 100, sha256(a.id::text::bytea), uuid_v7()
                          FROM   (SELECT id FROM asn ORDER BY id LIMIT 4000) a, generate_series(1, 5) g""")
        cursor.execute("""INSERT INTO document_link (document_id, history_id)
                          SELECT DISTINCT ON (d.id) d.id, h.id FROM document d JOIN history h ON h.asn_id = d.asn_id ORDER BY d.id, h.id""")
        connection.commit()
    postgres.query(url, "VACUUM ANALYZE")
    (nip, row), = postgres.query(url, "SELECT a.nip, k.history_id::text FROM asn a JOIN document d ON d.asn_id = a.id JOIN document_link k ON k.document_id = d.id LIMIT 1")
    return {"nip": nip, "history_id": row}


@pytest.mark.parametrize("asked", [(), ("type",), ("history_id",)])
def test_a_persons_documents_are_found_by_index(asked, url, agency, papers):
    text, values = statements.page("listDocuments", asked, type="872", include_void=False, **papers, **binds(agency, ("actor_units",)))
    told = plan(url, text, values)
    assert not re.search(r"Seq Scan on (document|document_link|document_content|history|asn)\b", told), told


def test_the_documents_of_a_row_are_found_by_index(url, agency, papers):
    with postgres.connected(url) as connection, connection.cursor() as cursor:
        cursor.execute("LOAD 'auto_explain'; SET auto_explain.log_min_duration = 0; SET auto_explain.log_nested_statements = on; SET client_min_messages = log")
        cursor.execute("SELECT history_documents(%s, '{}')", (papers["history_id"],))
        told = "\n".join(connection.notices)
    assert "Query Text" in told and not re.search(r"Seq Scan on (document|document_link|history|asn)\b", told), told


TRAINING = [("listEnrolments", ("session_id",)), ("listEnrolments", ("nip",)), ("listEnrolmentSteps", ()), ("listAttendance", ()), ("listAttendance", ("day",)),
            ("listEnrolmentAttendance", ())]


@pytest.mark.parametrize("name, asked", TRAINING, ids=[f"{n}-{'-'.join(a)}" for n, a in TRAINING])
def test_a_list_of_a_session_or_an_enrolment_reads_no_whole_table(name, asked, url, agency, life):
    text, values = statements.page(name, asked, **binds(agency, ()), **life)
    told = plan(url, text, values)
    assert set(re.findall(r"Seq Scan on (enrolment|asn|attendance|attendance_version|enrolment_step_taken)\b", told)) == set(), told


@pytest.mark.parametrize("query", [
    "SELECT id FROM enrolment e WHERE e.session_id = %(session_id)s AND e.state = 'waitlisted' ORDER BY e.priority DESC, e.queue_place LIMIT 1",
    "SELECT session_id FROM enrolment e WHERE e.state = 'offered' AND e.offer_until <= clock_timestamp()",
    "SELECT id FROM enrolment e WHERE e.session_id = %(session_id)s AND e.state = 'offered' AND e.offer_until <= clock_timestamp()"])
def test_the_queue_and_the_offers_are_read_by_their_indexes(query, url, agency, life):
    told = plan(url, query, life)
    assert ("enrolment_queue_idx" in told or "enrolment_offer_idx" in told) and "Sort" not in told, told


def test_standings_of_the_whole_country_come_by_nip(url, agency):
    for asked in ((), ("standing",)):
        text, values = statements.page("listLearningStanding", asked, standing="short", **binds(agency, ()))
        told = plan(url, text, values)
        assert scanned(told) == set() and "asn_nip_key" in told and "Sort Key: a.nip" not in told, told


# Which index gives a list, or what of it belongs to one partner, agreement, activity or line, in its order.
FEW = {"agreement_notice_idx": ("listAgreementsDue", ()), "agreement_ends_on_idx": ("listAgreements", ()),
       "agreement_partner_idx": ("listAgreements", ("partner_id",)), "activity_starts_on_idx": ("listActivities", ()),
       "activity_partner_idx": ("listActivities", ("partner_id",)), "activity_agreement_idx": ("listActivities", ("agreement_id",)),
       "activity_participant_activity_idx": ("listActivityParticipants", ()), "activity_output_activity_idx": ("listActivityOutputs", ()),
       "expense_budget_line_idx": ("listExpenses", ()), "budget_line_pkey": ("listBudgetLines", ()), "partner_name_once": ("listPartners", ())}
MANY = """
    INSERT INTO partner (id, name, kind) SELECT uuid_v7(), 'Mitra ' || g, 'private' FROM generate_series(1, 500) g;
    INSERT INTO agreement (id, partner_id, kind, title, signed_on, starts_on, ends_on)
    SELECT uuid_v7(), p.id, 'pks', 'Uji', '2026-01-01', '2026-01-01', '2030-01-01'::date + g FROM partner p, generate_series(1, 2) g;
    INSERT INTO activity (id, partner_id, agreement_id, kind, title, starts_on, ends_on)
    SELECT uuid_v7(), a.partner_id, a.id, 'seminar', 'Uji', '2026-01-01'::date + (g * 7), '2026-12-31' FROM agreement a, generate_series(1, 3) g;
    INSERT INTO activity_participant (id, activity_id, name) SELECT uuid_v7(), a.id, 'Orang Luar' FROM activity a;
    INSERT INTO activity_output (id, activity_id, kind, title) SELECT uuid_v7(), a.id, 'report', 'Uji' FROM activity a;
    INSERT INTO budget_line (id, programme_id, year, source, account, planned)
    SELECT uuid_v7(), p.id, 2026, 'apbd', g::text, 1000 FROM programme p, generate_series(1, 1000) g;
    INSERT INTO expense (id, budget_line_id, spent_on, amount) SELECT uuid_v7(), b.id, '2026-01-01', 1 FROM budget_line b, generate_series(1, 5) g;
    ANALYZE"""


@pytest.fixture(scope="module")
def partners(url, agency):
    """Five hundred partners with three thousand activities, a thousand lines of the budget; what to ask for."""
    postgres.query(url, MANY)
    (activity, agreement, partner, line), = postgres.query(url, "SELECT a.id::text, a.agreement_id::text, a.partner_id::text, b.id::text FROM activity a, budget_line b LIMIT 1")
    return {"activity_id": activity, "agreement_id": agreement, "partner_id": partner, "budget_line_id": line}


@pytest.mark.parametrize("index", FEW)
def test_lists_of_partners_and_budgets_are_pieces_of_an_index(index, url, agency, partners):
    name, asked = FEW[index]
    text, values = statements.page(name, asked, **binds(agency, ()), **partners)
    told = plan(url, text, values)
    assert index in told and not re.search(r"Seq Scan on (agreement|activity|activity_participant|activity_output|expense)\b", told), told


@pytest.fixture(scope="module")
def certified(url, agency, life):
    """A certificate of three editions for each enrolment, and two from elsewhere for each of eight thousand people; what lists are asked by."""
    with postgres.connected(url, autocommit=False) as connection, connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute("INSERT INTO certificate_key (id, public_key) VALUES ('00000000', repeat('x', 32)::bytea)")
        cursor.execute("""INSERT INTO certificate (id, enrolment_id, number, year, seq)
                          SELECT uuid_v7(), e.id, row_number() OVER () || '/2026', 2026, row_number() OVER () FROM enrolment e""")
        cursor.execute("""INSERT INTO certificate_edition (certificate_id, edition, code, name, nip, programme, organiser, starts_on, ends_on, jp, agency, place,
                                                           issued_on, actor_key, actor_name)
                          SELECT id, n, repeat('c', 116), 'Pegawai', '199001152015031999', 'Uji', 'Uji', '2026-01-05', '2026-01-07', 20, 'Uji', 'Uji',
                                 '2026-01-09', uuid_v7(), 'uji' FROM certificate, generate_series(1, 3) n""")
        cursor.execute("""INSERT INTO external_certificate (id, asn_id, organiser, number, name, form, jp, starts_on, ends_on, proof_reference, submitted_by,
                                                            submitted_by_name)
                          SELECT uuid_v7(), a.id, 'Uji', g.n::text, 'Uji', 'B10', 2, '2025-01-01', '2025-01-01', 'x', uuid_v7(), 'uji'
                          FROM   asn a, generate_series(1, 2) g (n)""")
        connection.commit()
    postgres.query(url, "VACUUM ANALYZE")
    (nip, session), = postgres.query(url, "SELECT a.nip, e.session_id::text FROM enrolment e JOIN asn a ON a.id = e.asn_id LIMIT 1")
    return {"nip": nip, "session_id": session, "number": "7/2026", "state": "valid", "mine": True, "actor_key": "01900000-0000-7000-8000-000000000001"}


CERTIFICATES = [("listIssuedCertificates", asked) for asked in ((), ("state",), ("session_id",), ("nip",), ("number",), ("actor_units",))] + \
               [("listExternalCertificates", asked) for asked in ((), ("state",), ("nip",), ("actor_units",))]


@pytest.mark.parametrize("name, asked", CERTIFICATES, ids=[f"{n}-{'-'.join(a)}" for n, a in CERTIFICATES])
def test_certificates_are_found_by_index(name, asked, url, agency, certified):
    values = {**certified, **binds(agency, asked), "state": "valid" if "Issued" in name else "submitted"}
    text, values = statements.page(name, asked, **values)
    told = plan(url, text, values)
    few = {"asn"} if asked == ("actor_units",) else set()  # eight thousand people are read as fast as twenty units of them are looked up
    assert set(re.findall(r"Seq Scan on (certificate|certificate_edition|external_certificate|enrolment|asn|history)\b", told)) <= few, told


@pytest.mark.parametrize("call", ["certificate_known(a.id, 'uji', '1')", "certificate_doubles(x)"])
def test_what_a_certificate_may_be_a_double_of_is_found_by_index(call, url, agency, certified):
    with postgres.connected(url) as connection, connection.cursor() as cursor:
        cursor.execute("LOAD 'auto_explain'; SET auto_explain.log_min_duration = 0; SET auto_explain.log_nested_statements = on; SET client_min_messages = log")
        cursor.execute(f"SELECT {call} FROM asn a JOIN external_certificate x ON x.asn_id = a.id WHERE a.nip = %s LIMIT 1", (certified["nip"],))
        told = "\n".join(connection.notices)
    assert "Query Text" in told and not re.search(r"Seq Scan on (certificate|certificate_edition|external_certificate|enrolment|history|asn)\b", told), told


@pytest.fixture(scope="module")
def handed(url, agency):
    """Evaluations of three periods for four thousand people, a hand-over of each and of a thousand trainings; ids of one of each."""
    with postgres.connected(url, autocommit=False) as connection, connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute("""INSERT INTO period (id, name, kind, starts_on, ends_on)
                          SELECT uuid_v7(), 'x', 'tahunan', make_date(g, 1, 1), make_date(g, 12, 31) FROM generate_series(2023, 2025) g""")
        cursor.execute("""INSERT INTO evaluation (id, asn_id, period_id)
                          SELECT uuid_v7(), a.id, p.id FROM (SELECT id FROM asn ORDER BY id LIMIT 4000) a, period p""")
        cursor.execute("""INSERT INTO handover (id, what, evaluation_id, payload, sha256, state, actor_key, actor_name)
                          SELECT uuid_v7(), 'skp22', e.id, '{}', 'x', (ARRAY['prepared', 'sent', 'accepted', 'refused'])[1 + width_bucket(random(), 0, 1, 40) % 4], e.id, 'x'
                          FROM evaluation e""")
        cursor.execute("UPDATE enrolment SET state = 'passed', jp = 20, offer_until = NULL")
        cursor.execute("""INSERT INTO handover (id, what, enrolment_id, payload, sha256, state, actor_key, actor_name)
                          SELECT uuid_v7(), 'diklat', e.id, '{}', 'x', 'accepted', e.id, 'x' FROM enrolment e""")
        cursor.execute("INSERT INTO handover_step (handover_id, seq, state, sha256, actor_key, actor_name) SELECT h.id, 1, 'prepared', 'x', h.id, 'x' FROM handover h")
        connection.commit()
    postgres.query(url, "VACUUM ANALYZE")
    (evaluation, period, nip), = postgres.query(url, "SELECT e.id::text, e.period_id::text, a.nip FROM evaluation e JOIN asn a ON a.id = e.asn_id LIMIT 1")
    (enrolment, session, handover), = postgres.query(
        url, "SELECT e.id::text, e.session_id::text, h.id::text FROM enrolment e JOIN handover h ON h.enrolment_id = e.id LIMIT 1")
    return {"evaluation_id": evaluation, "period_id": period, "nip": nip, "enrolment_id": enrolment, "session_id": session, "handover_id": handover}


HANDED = {"listHandovers": ((), ("state",), ("nip",), ("evaluation_id",), ("enrolment_id",)), "listPeriodHandovers": ((), ("is_ready",), ("actor_units",)),
          "listEnrolmentHandovers": ((), ("session_id",), ("nip",), ("actor_units",)), "listHandoverSteps": ((),)}


@pytest.mark.parametrize("name, asked", [(name, asked) for name, sets in HANDED.items() for asked in sets])
def test_what_was_handed_over_is_found_by_index(name, asked, url, agency, handed):
    text, values = statements.page(name, asked, limit=51, state="prepared", is_ready=True, what=None, **handed, **binds(agency, asked))
    told = plan(url, text, values)
    # Of twenty units among two thousand the people, or who was trained, may be read whole here: at eight thousand that is as cheap as twenty look-ups.
    may = {"asn", "enrolment"} if "actor_units" in asked else set()
    assert set(re.findall(rf"Seq Scan on ({BIG}|evaluation|handover|handover_step)\b", told)) <= may, told


@pytest.mark.parametrize("call", ["SELECT handover_evaluation(%s, 'skp22')", "SELECT handover_evaluation(%s, 'kinerjaperiodik')", "SELECT handover_evaluation(%s, 'angkakredit')",
                                  "SELECT handover_enrolment(%s)"])
def test_a_payload_is_made_by_index(call, url, agency, handed):
    with postgres.connected(url) as connection, connection.cursor() as cursor:
        cursor.execute("LOAD 'auto_explain'; SET auto_explain.log_min_duration = 0; SET auto_explain.log_nested_statements = on; SET client_min_messages = log")
        cursor.execute(call, (handed["enrolment_id" if "enrolment" in call else "evaluation_id"],))
        told = "\n".join(connection.notices)
    assert "Query Text" in told and not re.search(rf"Seq Scan on ({BIG}|evaluation|handover)\b", told), told


NEEDS = "competency_assessment|competency_standard|development_plan|development_plan_line|enrolment|history|asn"


@pytest.fixture(scope="module")
def assessed(url, agency):
    """Ten assessments and five plans of each of three thousand people, and a standard of each of a thousand positions; whose is asked for."""
    def do(statement):
        return postgres.query(url, statement)
    do("""INSERT INTO competency_assessment (id, asn_id, assessed_on, method, source, levels, actor_key, actor_name)
          SELECT uuid_v7(), a.id, date '2015-01-01' + g * 300, 'test', 'Uji', jsonb_build_object('integritas', g % 5, 'komunikasi', 2), uuid_v7(), 'uji'
          FROM   (SELECT id FROM asn ORDER BY id LIMIT 3000) a, generate_series(1, 10) g""")
    do("""INSERT INTO competency_standard (position_kind, position, competency, level, valid_from, source)
          SELECT 'pelaksana', 'Jabatan ' || g, 'integritas', 3, '2020-01-01', 'uji' FROM generate_series(1, 20000) g""")
    do("""INSERT INTO development_plan (id, asn_id, year, superior_name, actor_key, actor_name)
          SELECT uuid_v7(), a.id, 2020 + g, 'Bupati', uuid_v7(), 'uji' FROM (SELECT id FROM asn ORDER BY id LIMIT 3000) a, generate_series(1, 5) g""")
    do("""INSERT INTO development_plan_line (plan_id, position, competency, form, target_jp, quarter)
          SELECT p.id, g, 'integritas', 'B3', 10, g FROM development_plan p, generate_series(1, 3) g""")
    do("VACUUM ANALYZE")
    (nip, plan, standard), = do("""SELECT a.nip, p.id::text, (SELECT s.id::text FROM competency_standard s WHERE s.position = 'Jabatan 77')
                                   FROM asn a JOIN development_plan p ON p.asn_id = a.id ORDER BY p.id DESC LIMIT 1""")
    return {"nip": nip, "plan_id": plan, "standard_id": standard, "position": "Jabatan 77", "superior_nip": nip}


@pytest.mark.parametrize("name, asked", [("listCompetencyAssessments", ("nip",)), ("listDevelopmentPlans", ("nip",)), ("listDevelopmentPlans", ("superior_nip",)),
                                         ("listDevelopmentPlanSteps", ()), ("listCompetencyStandards", ("position",))])
def test_assessments_and_plans_are_found_by_index(name, asked, url, agency, assessed):
    text, values = statements.page(name, asked, **{**binds(agency, ()), **assessed})
    told = plan(url, text, values)
    assert not re.search(rf"Seq Scan on ({NEEDS})\b", told), told


@pytest.mark.parametrize("call", ["competency_gaps(a.id, a.unit_id, 'pelaksana', 'jabatan77', 'pelaksana', '2026-01-01')", "session_suggestions(a, '2026-01-01')"])
def test_the_gaps_of_a_person_are_found_by_index(call, url, agency, assessed):
    told = plans.told(url, f"SELECT (SELECT count(*) FROM {call}) FROM asn a WHERE a.nip = %s", (assessed["nip"],))
    assert "Query Text" in told and not re.search(rf"Seq Scan on ({NEEDS})\b", told), told


@pytest.fixture(scope="module")
def reviewed(url, agency, life):
    """Each enrolment is reviewed by two people; what the list is asked by."""
    with postgres.connected(url, autocommit=False) as connection, connection.cursor() as cursor:
        cursor.execute("INSERT INTO effect_window SELECT s.id, s.ends_on, s.ends_on + 14, s.ends_on + 180, s.ends_on + 210, 3 FROM session s")
        cursor.execute("INSERT INTO behaviour_review (enrolment_id, session_id) SELECT e.id, e.session_id FROM enrolment e")
        cursor.execute("""INSERT INTO behaviour_request (review_id, role, asn_id, closes_on)
                          SELECT v.id, r.role, e.asn_id, w.behaviour_closes FROM behaviour_review v JOIN enrolment e ON e.id = v.enrolment_id
                          JOIN effect_window w ON w.session_id = v.session_id CROSS JOIN (VALUES ('self'), ('superior')) AS r (role)""")
        connection.commit()
    postgres.query(url, "VACUUM ANALYZE")
    return {**life, "respondent": life["nip"]}


@pytest.mark.parametrize("asked", [(), ("session_id",), ("respondent",), ("actor_units",)], ids="-".join)
def test_who_is_asked_is_read_by_the_last_day(asked, url, agency, reviewed):
    text, values = statements.page("listBehaviourRequests", asked, **binds(agency, ()), **reviewed)
    told = plan(url, text, values)
    assert not re.search(r"Seq Scan on (enrolment|asn|behaviour_request)\b", told), told


def test_the_reader_of_plans_would_see_a_scan(url, agency):
    assert scanned(plan(url, "SELECT * FROM asn WHERE birth_place = 'x'", {})) == {"asn"}


CURSORS = {"nip": ["197006150000000500"], "name": ["pegawai 4000", "197006150000000500"], "rank": ["1III/b", "197006150000000500"],
           "rank_since": ["2018-04-01", "197006150000000500"], "birth_date": ["1970-06-15", "197006150000000500"]}


@pytest.mark.parametrize("sort", searches.SORTS)
@pytest.mark.parametrize("name", searches.FILTERS)
def test_no_search_reads_everybody(name, sort, url, agency):
    asked = searches.filled(searches.FILTERS[name], {"agency": agency["id"], "province": agency["id"], "office": agency["id"], "rare": "mappasessu", "nip": "197006150000000500",
                                                     "nip6": "197006", "nik6": "760201"})
    for after in (None, CURSORS[sort.lstrip("-")]):
        told = plans.told(url, *plans.search(asked, sort, after))
        assert "asn_search" in told
        assert scanned(told) == set(), told


# ── imports ──


READ = """SELECT (SELECT sum(seq_tup_read) FROM pg_stat_user_tables WHERE relname = %(table)s)
               + (SELECT sum(idx_tup_read) FROM pg_stat_user_indexes WHERE relname = %(table)s)"""


def rows_read(url, table):
    """Since ever, by all whose session is over: each tells its numbers before it leaves."""
    reader(url).close()
    others, end = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'", time.monotonic() + 60
    while postgres.query(url, others) != [(0,)]:
        assert time.monotonic() < end, "somebody's session is not over"
    (n,), = postgres.query(url, READ, {"table": table})
    return int(n)


def people_of_file(url):
    return [{"nip": f"19900101202006110{n + 1}", "kind": "PNS", "name": f"Pegawai Baru {n}", "birth_date": "1990-01-01", "sex": "M", "unit_code": "A77", "rank": "III/a",
             "rank_since": "2020-06-01", "education_level": "40"} for n in range(5)]


def histories_of_file(url):
    nips = [nip for nip, in postgres.query(url, "SELECT nip FROM asn WHERE name LIKE 'Pegawai 4%' ORDER BY nip LIMIT 5")]
    return [{"nip": nip, "kind": kind, "from": "2021-04-01", **facts} for nip in nips for kind, facts in (
        ("education", {"education_level": "45"}), ("title", {"title_back": "S.Kom."}), ("award", {"award": "202", "year": "2021"}), ("course", {"name": "Uji", "form": "B3", "jp": "8"}))]


@pytest.mark.parametrize("kind, rows", [("asn", people_of_file), ("history", histories_of_file)])
def test_an_import_reads_those_whom_it_names_and_nobody_else(kind, rows, url, agency, tmp_path):
    """Found when a million people's histories were imported: each step read everybody's education, every row of every history, and all NIPs."""
    everybody = {table: postgres.query(url, f"SELECT count(*) FROM {table}")[0][0] for table in ("asn", "history")}
    path = tmp_path / "rows.ndjson"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows(url)))
    before = {table: rows_read(url, table) for table in everybody}
    told = run(url, "import", kind, path, check=False)
    assert "0 refused" in told.stdout, told.stdout
    for table, n in everybody.items():
        assert rows_read(url, table) - before[table] < n, f"{kind}: {rows_read(url, table) - before[table]} rows of {table} were read"


@pytest.mark.parametrize("called", ["rank_place(c.kind, c.code)", "warnings_told(ARRAY[c.code], true)"])
def test_what_lists_work_out_for_each_row_is_part_of_their_statement(url, called):
    """A body with something in it that is not immutable is not put into the statement: each row then begins a query of its own."""
    assert called.split("(")[0] not in plan(url, f"(VERBOSE) SELECT {called} FROM (SELECT 'PNS'::text AS kind, 'III/a'::text AS code OFFSET 0) c", None)


def test_where_a_rank_stands(url):
    ranks = ["I", "II", "IX", "X", "XVII", "XX", None]
    rows = postgres.query(url, "SELECT rank_place('PPPK', r) FROM unnest(%s::text[]) r", (ranks,))
    assert [place for place, in rows] == ["201", "202", "209", "210", "217", "2~XX", ""]
    assert postgres.query(url, "SELECT rank_place('PNS', 'III/a'), rank_place('PNS', NULL)") == [("1III/a", "")]
