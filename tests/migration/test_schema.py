# SPDX-License-Identifier: Apache-2.0
"""The schema explains itself, and contract and database call the same rules by the same names."""
import re

import pytest

from support import contract as contracts

CONTRACT = contracts.load().document
# Held by the database for itself: no client can meet them, or only as a fault of ours.
OURS = {"unit_path_key", "retention_texts_alone", "asn_pseudonym", "asn_nip_form", "enrolment_state_known", "enrolment_queue_place_key", "enrolment_jp_only_passed", "session_waiting",
        "evaluation_state_known", "evaluation_predicate_known", "evaluation_predicate_number_range", "evaluation_final_is_whole", "history_asn_fkey",
        "history_kind_known", "history_facts_object", "history_fixed", "external_id_asn_fkey", "external_id_system_form", "external_id_value_length",
        "document_asn_fkey", "document_content_fkey", "document_media_type_known", "document_erased", "document_fixed",
        "unit_successor_fkey", "unit_closing_of_closed", "unit_version_unit_fkey", "unit_version_parent_fkey", "unit_way_unit_fkey",
        "unit_external_id_unit_fkey", "unit_external_id_system_form", "unit_external_id_value_length",
        "enrolment_route_known", "enrolment_offer_ends",
        "enrolment_attendance_range", "session_held_jp_range", "session_day_session_fkey", "session_day_jp_range", "session_day_hours", "session_quota_session_fkey",
        "session_quota_unit_fkey", "session_quota_seats_range", "attendance_session_fkey", "attendance_enrolment_fkey", "attendance_presence_known",
        "attendance_note_length", "attendance_reason_length", "attendance_fixed",
        "activity_participant_asn_fkey", "agreement_partner_key", "agreement_whole_key",
        "ticket_fixed", "service_fixed", "service_standard_object", "survey_published_whole", "survey_answer_form", "survey_answer_fixed",
        "survey_state_known", "feedback_survey_fkey",
        "improvement_plan_asn_fkey", "improvement_plan_evaluation_fkey", "improvement_plan_state_known", "improvement_plan_agreed", "improvement_plan_closed",
        "improvement_check_plan_fkey", "improvement_check_held",
        "open_edition_year_range", "open_figure_service_unit_fkey", "open_figure_code_fkey", "open_figure_reason_known", "open_figure_edition_fkey", "open_figure_whole",
        "open_figure_fixed",
        "ipp_measurement_service_unit_fkey", "ipp_measurement_once", "ipp_measurement_scores_object", "ipp_measurement_says",
        "certificate_enrolment_fkey", "certificate_seq_key", "certificate_edition_range", "certificate_state_known", "certificate_edition_certificate_fkey",
        "certificate_edition_code_length", "certificate_edition_revoked", "certificate_key_id_form", "certificate_key_public_key_length",
        "certificate_key_one_signs", "certificate_counter_last_range", "external_certificate_asn_fkey", "external_certificate_document_fkey",
        "external_certificate_history_fkey", "external_certificate_state_known", "external_certificate_decision", "external_certificate_not_own",
        "indicator_skp_indicator_key", "indicator_skp_indicator_fkey",
        "development_plan_state_known", "development_plan_line_plan_fkey",
        "effect_plan_programme_fkey", "behaviour_request_review_fkey", "behaviour_request_role_known", "behaviour_request_asn_fkey", "behaviour_request_told",
        "behaviour_request_one", "effect_window_fixed", "paper_fixed",
        "api_key_name_length", "api_key_hash_key", "api_key_hash_form", "api_key_kind_known", "api_key_owner_length", "api_key_allow_from_length",
        "api_key_certificate_form", "api_key_previous_hash_key", "api_key_previous_hash_form", "api_key_previous_ends", "api_key_token_subject",
        "api_key_roles_length",
        "token_denial_jti_length", "token_denial_reason_length", "audit_append_only"}
SERVED = ("asn", "history", "unit", "post", "programme", "session", "session_day", "session_quota", "enrolment", "attendance", "period", "evaluation", "indicator",
          "external_id", "document", "unit_version", "unit_way", "unit_external_id",
          "partner", "agreement", "activity", "activity_participant", "activity_output", "budget_line", "expense", "session_term",
          "service_unit", "service", "ticket", "survey", "follow_up", "feedback", "complaint",
          "certificate", "certificate_edition", "certificate_key", "certificate_counter", "certificate_rule", "external_certificate",
          "competency_standard", "competency_assessment", "development_plan", "development_plan_line", "development_plan_course",
          "effect_plan", "behaviour_request",
          "improvement_plan", "improvement_check", "open_edition", "open_figure", "ipp_measurement", "data_breach", "data_breach_notice", "merit_index",
          "api_key", "token_denial")


def test_every_table_column_and_function_says_what_it_is(run):
    """A view says it for its own columns in its comment: the others are a table's."""
    silent = run("""
        SELECT c.relname || coalesce('.' || a.attname, '')
        FROM   pg_class c LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum >= 0 AND NOT a.attisdropped
        WHERE  c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v')
               AND (obj_description(c.oid, 'pg_class') IS NULL OR c.relkind <> 'v' AND col_description(c.oid, a.attnum) IS NULL)
        UNION ALL
        SELECT p.proname FROM pg_proc p
        WHERE  p.pronamespace = 'public'::regnamespace AND obj_description(p.oid, 'pg_proc') IS NULL
               AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')""")
    assert silent == []


def names_in_database(run, tables):
    constraints = run("SELECT conname FROM pg_constraint WHERE conrelid = ANY (%s::regclass[]) AND contype <> 'p'", list(tables))
    indexes = run("SELECT i.indexrelid::regclass::text FROM pg_index i WHERE i.indisunique AND NOT i.indisprimary AND i.indrelid = ANY (%s::regclass[])", list(tables))
    raised = run(r"SELECT DISTINCT coalesce(m[1], m[2]) FROM pg_proc p, regexp_matches(p.prosrc, 'CONSTRAINT = ''(\w+)''|''(\w+_fkey)''', 'g') m "
                 "WHERE p.pronamespace = 'public'::regnamespace")
    return {name for name, in constraints + indexes + raised}


def test_contract_and_database_name_the_same_rules(run):
    every = [name for name, in run("SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'")]
    ours, theirs = names_in_database(run, SERVED), set(CONTRACT["x-constraints"])
    assert theirs - names_in_database(run, every) == set(), "the contract speaks of constraints that are not there"
    assert ours - theirs - OURS == set(), "a client could meet a constraint that the contract does not know"


def test_constraints_lead_to_known_problems_and_members():
    builtin = set(re.findall(r'PROBLEM\("([a-z-]+)"', (contracts.ROOT / "include/asnd/problem.def").read_text()))
    members = {m for s in CONTRACT["components"]["schemas"].values() for m in s.get("properties", {})}
    for name, entry in CONTRACT["x-constraints"].items():
        assert entry["code"] in builtin | set(CONTRACT["x-problems"]), name
        assert entry["pointer"] == "" or entry["pointer"][1:] in members, name


def test_whatever_refers_to_what_an_undo_deletes_has_an_index(run):
    """Else each row that goes would cost a walk through the table that may refer to it."""
    bare = run("""SELECT c.conrelid::regclass::text, a.attname
                  FROM   pg_constraint c JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]
                  WHERE  c.contype = 'f' AND c.confrelid IN ('asn'::regclass, 'history'::regclass, 'unit'::regclass)
                         AND NOT EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.conrelid AND i.indkey[0] = c.conkey[1])""")
    assert bare == []


def test_every_problem_can_be_met():
    used = {e["code"] for e in CONTRACT["x-constraints"].values()}
    places = [contracts.ROOT / "src" / room for room in ("asn", "reference", "stream", "training", "performance", "document", "service", "certificate", "privacy", "access", "index")] + [contracts.ROOT / "migrations"]
    source = "".join(p.read_text() for place in places for p in place.iterdir())
    assert [c for c in CONTRACT["x-problems"] if c not in used and f"'{c}'" not in source and f'"{c}"' not in source] == []


NAMES = [("Ma'ruf Amin", "maruf amin"), ("Nur’aini", "nuraini"), ("José  da-Costa", "jose da costa"), ("A. Rahman, S.Pd.", "a rahman s pd"), ("ÇELİK", "celik")]


@pytest.mark.parametrize("name, key", NAMES)
def test_names_are_compared_by_their_letters(name, key, run):
    assert run("SELECT name_key(%s)", name) == [(key,)]


FINDS = [("rahmavati", "Siti Rahmawati", True), ("rahmawati siti", "Siti Rahmawati", True), ("santsoo", "Budi Santoso", True), ("hidayat siti", "Siti Rahmawati", False),
         ("xyzzy", "Siti Rahmawati", False), ("%", "Siti Rahmawati", False), ("maruf", "Ma'ruf Amin", True), ("sant", "Budi Santoso", True)]


@pytest.mark.parametrize("query, name, found", FINDS)
def test_a_search_survives_a_typo(query, name, found, run):
    sql = """SELECT count(*) FROM (SELECT name_key(%s) AS k) n
             WHERE k %%> (SELECT name_probe(%s, 1)) AND k %%> (SELECT name_probe(%s, 2)) AND k %%> ALL ((SELECT name_words(%s))::text[])"""
    assert run(sql, name, query, query, query) == [(int(found),)]


WHOLE = [('{"a": 30}', '{"a": 30}'), ('{"a": 30.0}', '{"a": 30}'), ('{"a": 3e1}', '{"a": 30}'), ('{"a": null}', '{"a": null}'), ("{}", "{}"),
         ('{"b": 1.5}', '{"b": 1.5}')]


@pytest.mark.parametrize("patch, same", WHOLE)
def test_a_whole_number_may_be_written_with_a_point(patch, same, run):
    assert run("SELECT with_whole(%s, 'a')::text", patch) == [(same,)]


def test_the_local_day_goes_by_the_daemons_clock(run):
    """Two places 26 hours apart never share a date; without a setting it is WITA's."""
    days = run("SELECT set_config('asnd.utc_offset_minutes', '-720', true), local_today(), (now() AT TIME ZONE 'UTC' - interval '12 hours')::date")
    assert days[0][1] == days[0][2]
    days = run("SELECT set_config('asnd.utc_offset_minutes', '840', true), local_today(), (now() AT TIME ZONE 'UTC' + interval '14 hours')::date")
    assert days[0][1] == days[0][2]
    assert run("SELECT local_today() = (now() AT TIME ZONE 'Asia/Makassar')::date") == [(True,)]


def test_days_are_those_of_the_setting_and_of_no_time_zone_of_its_own(run):
    """utc_offset_minutes is asked by local_day(), local_today() and local_moment() alone."""
    assert run("SELECT p.proname FROM pg_proc p WHERE p.pronamespace = 'public'::regnamespace AND p.prosrc ~ 'Asia/'") == []
