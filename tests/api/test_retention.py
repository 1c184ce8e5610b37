# SPDX-License-Identifier: Apache-2.0
"""What is personal goes when its time is over: by dated rules, so that nobody finds the person again and no figure changes; what is still argued about stays."""
import json
import re

import psycopg2
import pytest

from support import daemon as daemons
from support import make
from support import postgres

NIK, PHONE, EMAIL, NAME = "7602011501700321", "081234500321", "lama.sekali@example.go.id", "Nama Yang Dilupakan"
LEFT, LONG_AGO = "88", "2010-03-01"
REPORTS = ["/v1/reports/duk", "/v1/reports/nominatif", "/v1/reports/bezetting", "/v1/reports/recaps/age", "/v1/reports/recaps/status", "/v1/reports/recaps/education",
           "/v1/reports/learning-hours", "/v1/reports/learning-attainment", "/v1/reports/talent-boxes", "/v1/reports/service-indices", "/v1/reports/professionalism"]


def retention(database, *arguments, **options):
    return daemons.run(database, "retention", *arguments, **options)


def due(database, rule, *arguments):
    line = next(line for line in retention(database, "--dry-run", *arguments).stdout.splitlines() if line.startswith(rule + " "))
    return tuple(int(n) for n in re.search(r"(\d+) due, (\d+) held", line).groups()), line


@pytest.fixture(scope="module")
def period(api):
    return make.period(api)


def old_nip():
    return make.nip(birth="19700115", appointed="199503")


def leave(api, nip, since=LONG_AGO):
    """What the record says since it was made is void, and before that he left."""
    (first,) = api.get(f"/v1/asn/{nip}/history?kind=status").json["data"]
    api.post(f"/v1/asn/{nip}/history/{first['id']}/annul", {"reason": "uji"}, headers={"If-Match": "*"})
    make.history(api, nip, "status", {"legal_status": LEFT}, since)


def gone(api, office, since=LONG_AGO):
    """A person who left on that day."""
    person = make.person(api, office["id"], nip=old_nip())
    leave(api, person["nip"], since)
    return api.get(f"/v1/asn/{person['nip']}").json


@pytest.fixture(scope="module")
def decider(api, keys):
    return api.as_key(keys("privacy.read", "privacy.decide"))


@pytest.fixture(scope="module")
def left(api, office, period, decider):
    """With all that says who it is, wherever it may stand."""
    person, later = make.person(api, office["id"], name=NAME, nik=NIK, phone=PHONE, email=EMAIL, birth_place="Kota Unik", nip=old_nip()), old_nip()
    make.history(api, person["nip"], "nip", {"nip": later}, "2009-01-01")
    nip = api.get(f"/v1/asn/{later}").json["nip"]
    make.history(api, nip, "education", {"level": "40", "field": "Hukum", "school": "Sekolah Unik", "certificate_number": "IJ-UNIK-1"}, "2008-01-01")
    make.history(api, nip, "title", {"title_back": "S.UNIK."}, "2008-02-01")
    row = make.history(api, nip, "rank", {"rank": "III/a"}, "2009-02-01", decree_number="SK-UNIK-1", note="Catatan unik")
    told = {"kind": "rank", "from": "2009-02-01", "facts": {"rank": "III/a"}, "decree_number": "SK-UNIK-2", "reason": "salah ketik"}
    api.put(f"/v1/asn/{nip}/history/{row['id']}", told, etag="*")
    document = make.document(api, nip, title="Berkas unik", file_name="unik.pdf")
    request = make.request(api, nip, record={"birth_place": "Kota Unik"})
    api.post(f"/v1/change-requests/{request['id']}/comments", {"text": "Komentar unik"}, expect=201)
    api("POST", f"/v1/change-requests/{request['id']}/withdraw", headers={"If-Match": "*"}, expect=200)
    api.put(f"/v1/asn/{nip}/external-ids/siasn", {"value": "A8ACA7397UNIK912"})
    passed = make.passed(api, office["id"], person_={"nip": nip})
    certificate = api.post(f"/v1/enrolments/{passed['id']}/certificate", expect=201).json
    evaluation = make.final(api, nip, period["id"])
    asked = make.data_request(api, nip, "access", text=f"Saya {NAME}, minta salinan unik")
    decider.post(f"/v1/data-requests/{asked['id']}/close", {"outcome": "done", "reason": "Alasan unik", "told": f"Kepada {NAME}"}, headers={"If-Match": "*"}, expect=200)
    ended = make.restriction(api, nip, ground="Dasar unik", start="2010-01-01")
    api.post(f"/v1/restrictions/{ended['id']}/end", {"on": "2010-02-01", "reason": "Akhir unik"}, headers={"If-Match": "*"}, expect=200)
    api.post(f"/v1/asn/{nip}/potentials", {"assessed_on": "2009-03-03", "score": 74.5, "method": "Metode unik"}, expect=201)
    leave(api, nip)
    return {"id": person["id"], "nips": sorted({person["nip"], later}), "document": document, "request": request, "evaluation": evaluation, "certificate": certificate}


@pytest.fixture(scope="module")
def applied(api, database, left):
    """Totals before, the run, totals after."""
    before = {path: api.get(path).json for path in REPORTS}
    sums = daemons.run(database, "check", "--sums", check=False).returncode
    daemons.run(database, "audit", "seal")
    assert due(database, "person")[0][0] >= 1
    out = retention(database, "--apply").stdout
    return {"before": before, "out": out, "sums": sums}


# ── the rules ──
def test_the_rules_are_a_list_that_names_each_kind(api):
    rules = {row["code"]: row for row in api.get("/v1/references/retention?limit=100").json["data"]}
    assert {"person", "complaint", "feedback", "audit", "evaluation"} <= set(rules)
    assert rules["audit"]["facts"] == {"event": "written", "action": "keep"} and rules["person"]["facts"]["years"] >= 1
    assert all(row["source"] for row in rules.values())


@pytest.mark.parametrize("code, facts", [("person", '{"event":"left","action":"erase","years":0}'), ("person", '{"event":"left","action":"burn","years":5}'),
                                         ("person", '{"event":"left","action":"pseudonymise"}'), ("audit", '{"event":"written","action":"erase","years":5}'),
                                         ("unknown", '{"event":"left","action":"keep"}')])
def test_a_row_that_is_no_rule_is_refused(code, facts, api):
    quoted = facts.replace('"', '""')
    text = f'list,code,name,valid_from,facts,source\nretention,{code},Aturan Uji,2030-01-01,"{quoted}",uji\n'
    reply = api("POST", "/v1/references/import", data=text.encode(), headers={"Content-Type": "text/csv", "Prefer": "dry-run"}, expect=200).json
    assert (reply["created"], reply["refused"], [f["code"] for f in reply["faults"]]) == (0, 1, ["retention-form"])


def test_a_rule_is_changed_from_a_day_on_by_file(api, database, left):
    text = 'list,code,name,valid_from,facts,source\nretention,person,Pegawai yang sudah berhenti,2030-01-01,"{""event"":""left"",""action"":""pseudonymise"",""years"":90}",uji\n'
    api("POST", "/v1/references/import", data=text.encode(), headers={"Content-Type": "text/csv"}, expect=200)
    assert due(database, "person")[0][0] >= 1 and "after 10 years" not in due(database, "person", "--as-of", "2030-06-01")[1]
    assert due(database, "person", "--as-of", "2030-06-01")[0] == (0, 0), "90 years by then"


# ── who is due ──
def test_nobody_is_due_before_the_time_or_while_something_is_open(api, office, database, period):
    recent = gone(api, office, since="2024-01-01")
    argued, penalised, asked, wants, restricted = (gone(api, office) for _ in range(5))
    evaluation = make.final(api, argued["nip"], period["id"])
    api.post(f"/v1/evaluations/{evaluation['id']}/objections", {"text": "Belum dihitung."}, expect=201)
    make.history(api, penalised["nip"], "discipline", {"level": "berat"}, "2009-01-01", to="2040-01-01")
    make.request(api, asked["nip"])
    make.data_request(api, wants["nip"], "access")
    make.restriction(api, restricted["nip"])
    ((ready, held), line) = due(database, "person")
    assert held >= 5 and all(word in line for word in ("objection", "discipline", "change-request", "data-request", "restriction"))
    retention(database, "--apply")
    for person in (recent, argued, penalised, asked, wants, restricted):
        assert api.get(f"/v1/asn/{person['nip']}").json["name"] == person["name"]


def test_who_works_is_never_due_whatever_the_history_says(api, office, database):
    person = gone(api, office)
    make.history(api, person["nip"], "status", {"legal_status": "01"}, "2012-01-01")
    retention(database, "--apply")
    assert api.get(f"/v1/asn/{person['nip']}").json["name"] == person["name"]


def test_a_dry_run_changes_nothing(api, office, database, sql):
    person = gone(api, office)
    last = sql("SELECT max(id) FROM audit_entry")[0][0]
    retention(database, "--dry-run", "--as-of", "2026-01-01")
    assert api.get(f"/v1/asn/{person['nip']}").json == person
    assert sql("SELECT count(*) FROM audit_entry WHERE id > %s AND operation = 'asnd retention'", (last,))[0][0] == 0


@pytest.mark.parametrize("arguments", [(), ("--apply", "--as-of"), ("--apply", "--as-of", "kemarin"), ("--now",)])
def test_wrong_use_is_told(arguments, database):
    assert retention(database, *arguments, check=False).returncode == 2


def test_a_day_to_come_is_counted_and_not_done(api, office, database):
    person = gone(api, office, since="2024-01-01")
    assert due(database, "person", "--as-of", "2036-01-01") is not None
    assert retention(database, "--apply", "--as-of", "2036-01-01", check=False).returncode == 1
    assert api.get(f"/v1/asn/{person['nip']}").json["name"] == person["name"]


def test_a_day_that_was_lets_nobody_go_who_is_not_due_today(api, office, database):
    """He left once, came back, and left again not long ago: on a day between the two his first absence had lasted long enough."""
    person = gone(api, office, since="2000-03-01")
    make.history(api, person["nip"], "status", {"legal_status": "01"}, "2012-01-01")
    make.history(api, person["nip"], "status", {"legal_status": LEFT}, "2024-01-01")
    between = ("--as-of", "2011-06-01")
    assert due(database, "person", *between)[0][0] >= 1
    retention(database, "--apply", *between)
    assert api.get(f"/v1/asn/{person['nip']}").json["name"] == person["name"]


# ── what goes wrong ──
@pytest.fixture
def counter(api, office):
    """A unit that serves the public, of one test's own."""
    return make.service_unit(api, make.unit(api, office["id"])["id"])["id"]


def leaving(api, office, kind):
    """Somebody who has one row of a kind, with no more in it than must be, and left long ago."""
    person = make.person(api, office["id"], nip=old_nip())
    nip, heir = person["nip"], None
    if kind == "external-certificate":
        make.external(api, nip, proof_reference="x")
    elif kind == "document":
        make.document(api, nip)
    elif kind in ("request-of-a-record", "request-of-a-row", "comment"):
        change = {"history": {"kind": "award", "from": "2009-01-01", "facts": {"award": "1"}}} if kind == "request-of-a-row" else {}
        made = make.request(api, nip, proof_reference=None, proof_text="x", **change)
        if kind == "comment":
            api.post(f"/v1/change-requests/{made['id']}/comments", {"text": "x"}, expect=201)
        api("POST", f"/v1/change-requests/{made['id']}/withdraw", headers={"If-Match": "*"}, expect=200)
    elif kind == "hand-over":
        make.siasn(api, nip)
        make.handover(api, nip)
    elif kind == "certificate":
        passed = make.passed(api, office["id"], person_=person)
        api.post(f"/v1/enrolments/{passed['id']}/certificate", expect=201)
    elif kind == "potential":
        api.post(f"/v1/asn/{nip}/potentials", {"assessed_on": "2009-03-03", "score": 1, "method": "x"}, expect=201)
    elif kind == "two-merges":
        for _ in range(2):
            heir = make.person(api, office["id"])
            api.post(f"/v1/asn/{heir['nip']}/merge", {"into": nip, "reason": "x"}, expect=(200, 201))
    elif kind == "histories":
        for what, facts in (("education", {"level": "40"}), ("title", {"title_back": "x"}), ("discipline", {"level": "ringan"}), ("nip", {"nip": old_nip()})):
            make.history(api, nip, what, facts, "2008-01-01")
        nip = api.get(f"/v1/asn?q={nip}").json["data"][0]["nip"]
    leave(api, nip)
    return person["id"]


KINDS = ("nothing", "external-certificate", "document", "request-of-a-record", "request-of-a-row", "comment", "hand-over", "certificate", "potential", "two-merges", "histories")


def test_whoever_has_the_least_of_each_kind_is_pseudonymised(api, office, database, sql):
    people = {kind: leaving(api, office, kind) for kind in KINDS}
    done = retention(database, "--apply", check=False)
    names = dict(sql("SELECT id::text, name FROM asn WHERE id = ANY (%s::uuid[])", (list(people.values()),)))
    assert [kind for kind, person in people.items() if names[person] != "Pegawai (dipseudonimkan)"] == [], done.stderr
    assert (done.returncode, done.stderr) == (0, "")
    assert sql("SELECT proof_reference FROM external_certificate WHERE asn_id = %s", (people["external-certificate"],)) == [("(dihapus)",)]


def test_what_must_be_there_is_known_where_texts_go(sql):
    """A new rule that a column must, or must not, be empty beside another asks for a look at what retention_person() and retention_texts() leave there, and a row above."""
    found = sql("""SELECT k.conname FROM pg_constraint k
                   WHERE  k.contype = 'c' AND pg_get_constraintdef(k.oid) ~ 'IS (NOT )?NULL|num_n' AND EXISTS (
                       SELECT FROM pg_attribute a WHERE a.attrelid = k.conrelid AND a.attnum = ANY (k.conkey) AND retention_becomes(k.conrelid::regclass::text, a.attname) IN ('gone', 'done'))""")
    assert {name for name, in found} == {"certificate_edition_revoked", "change_request_one_change", "data_request_refused", "data_request_told", "external_certificate_proof",
                                         "improvement_plan_closed", "indicator_measurement_told", "objection_decided", "skp_progress_says"}


@pytest.fixture
def refuses(sql):
    """A constraint of a table that is gone afterwards."""
    added = []

    def add(table, condition):
        sql(f"ALTER TABLE {table} ADD CONSTRAINT {table}_refuses CHECK ({condition}) NOT VALID")
        added.append(table)
    yield add
    for table in added:
        sql(f"ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {table}_refuses")


def test_what_fails_of_one_keeps_nobody_else(api, office, counter, database, sql, refuses):
    """Of a rule before, and of one among several people."""
    stuck = make.complaint(api, counter)["id"]
    sql("UPDATE complaint SET state = 'rejected', closed_at = '2015-01-01' WHERE id = %s", (stuck,))
    people = [gone(api, office) for _ in range(3)]
    refuses("complaint", f"id <> '{stuck}' OR text <> '(dihapus)'")
    refuses("asn", f"id <> '{people[1]['id']}' OR name <> 'Pegawai (dipseudonimkan)'")
    done = retention(database, "--apply", check=False)
    assert done.returncode == 1 and "person: " in done.stdout
    assert f"by the rule complaint 1 could not be done; the first: {stuck}" in done.stderr and "(complaint_refuses)" in done.stderr
    assert f"by the rule person 1 could not be done; the first: {people[1]['id']}" in done.stderr
    assert [api.get(f"/v1/asn/{p['nip']}", expect=None).status for p in people] == [404, 200, 404]
    assert api.get(f"/v1/asn/{people[1]['nip']}").json == people[1], "and of whom it failed all is as it was"
    assert daemons.run(database, "audit", "verify").returncode == 0
    for table in ("complaint", "asn"):
        sql(f"ALTER TABLE {table} DROP CONSTRAINT {table}_refuses")
    again = retention(database, "--apply")
    assert "complaint: 1 done" in again.stdout and "person: 1 done" in again.stdout


def test_a_rule_that_fails_as_a_whole_keeps_no_other(api, office, counter, database, sql, refuses):
    person, survey = gone(api, office), make.survey(api, counter, starts_on="2015-01-01", ends_on="2015-02-01", is_open=False)
    sql("INSERT INTO survey_receipt (survey_id, form, answered_on) VALUES (%s, 'x', '2015-01-15')", (survey["id"],))
    refuses("audit_entry", """content NOT LIKE '%%"action":"redact"%%'""")
    done = retention(database, "--apply", check=False)
    assert done.returncode == 1 and "the rule person could not be done to its end" in done.stderr
    assert api.get(f"/v1/asn/{person['nip']}").json == person
    assert sql("SELECT count(*) FROM survey_receipt WHERE survey_id = %s", (survey["id"],)) == [(0,)]


def test_the_daemon_does_the_other_rules_too(api, office, counter, sql, refuses):
    stuck, person = make.complaint(api, counter)["id"], gone(api, office)
    sql("UPDATE complaint SET state = 'rejected', closed_at = '2015-01-01' WHERE id = %s", (stuck,))
    refuses("complaint", f"id <> '{stuck}' OR text <> '(dihapus)'")
    assert sql("SELECT retention_turn(50)")[0][0] >= 1
    api.get(f"/v1/asn/{person['nip']}", expect=404)


# ── who may ──
@pytest.fixture
def as_daemon(database):
    """A transaction with the rights of the daemon's role, and none of the owner's."""
    with postgres.connected(database, autocommit=False) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT set_config('asnd.erasing', 'on', false), set_config('asnd.redacting', 'on', false)")
        connection.commit()
        cursor.execute("SET LOCAL ROLE asnd_all")
        yield cursor
        connection.rollback()


FORBIDDEN = {
    "entries of one who works": ("SELECT audit_redact(ARRAY[%(id)s]::uuid[], '{zzzzzz}', 100000000)", "permission denied"),
    "a pseudonym for one who works": ("UPDATE asn SET nip = nip_pseudonym() WHERE id = %(id)s", "pseudonymised by retention alone"),
    "a new person under a pseudonym": ("INSERT INTO asn (id, nip, kind, name, birth_date, sex, unit_id) SELECT gen_random_uuid(), nip_pseudonym(), kind, name, birth_date, sex, unit_id FROM asn WHERE id = %(id)s",
                                       "pseudonymised by retention alone"),
    "one whose time is over, but past the run": ("SELECT retention_person(%(due)s, local_today())", "pseudonymised by retention alone"),
}


@pytest.mark.parametrize("what", FORBIDDEN)
def test_the_daemons_role_takes_nothing_from_entries(what, api, office, as_daemon):
    person, over = make.person(api, office["id"]), gone(api, office)
    statement, words = FORBIDDEN[what]
    with pytest.raises(psycopg2.Error, match=words):
        as_daemon.execute(statement, {"id": person["id"], "due": over["id"]})


def test_the_run_asks_its_conditions_whatever_the_session_says(api, office, as_daemon):
    """Who works, who left not long ago, and who left long ago and is held: none of them by any day."""
    works, recent, held = make.person(api, office["id"]), gone(api, office, since="2024-01-01"), gone(api, office)
    make.data_request(api, held["nip"], "access")
    for day in ("2026-01-05", "2015-01-01", "local_today()"):
        as_daemon.execute(f"SELECT done, failed FROM retention_batch('person', {day if '(' in day else repr(day)}, 1000)")
        assert as_daemon.fetchone()[1] == 0
    as_daemon.execute("SELECT count(*) FROM asn WHERE id = ANY (%s::uuid[]) AND NOT nip_is_pseudonym(nip)", ([p["id"] for p in (works, recent, held)],))
    assert as_daemon.fetchone() == (3,)
    for settings, day in (("SELECT 1", "2090-01-01"), ("SET LOCAL asnd.today = '2090-01-01'", "2090-01-01"), ("SET LOCAL asnd.utc_offset_minutes = 40000000", "2015-01-01")):
        as_daemon.execute("SAVEPOINT before")
        as_daemon.execute(settings)
        with pytest.raises(psycopg2.Error, match="a day to come"):
            as_daemon.execute("SELECT retention_batch('person', %s, 1000)", (day,))
        as_daemon.execute("ROLLBACK TO before")


def test_a_restored_dump_keeps_it_from_the_daemons_role(database):
    """A dump brings no privileges; asnd migrate gives them anew."""
    with postgres.connected(database, autocommit=False) as connection, connection.cursor() as cursor:
        cursor.execute("GRANT EXECUTE ON FUNCTION audit_redact TO PUBLIC; SELECT row_security_attach()")
        cursor.execute("SELECT has_function_privilege(r, 'audit_redact(uuid[],text[],bigint)', 'EXECUTE') FROM unnest('{asnd_all,asnd_bound}'::text[]) r")
        assert cursor.fetchall() == [(False,), (False,)]
        connection.rollback()


def test_the_owner_too_is_refused_for_whom_retention_has_not_pseudonymised(api, office, database):
    person = make.person(api, office["id"])
    for who in ([person["id"]], []):
        with postgres.connected(database, autocommit=False) as connection, connection.cursor() as cursor:
            cursor.execute("SELECT set_config('asnd.erasing', 'on', true)")
            with pytest.raises(psycopg2.Error, match="not pseudonymised"):
                cursor.execute("SELECT audit_redact(%s::uuid[], %s, 100000000)", (who, [person["name"]]))


# ── what becomes of a person ──
def test_no_number_finds_the_person_any_more(api, left, applied):
    for nip in left["nips"]:
        api.get(f"/v1/asn/{nip}", expect=404)
    for word in (NAME.replace(" ", "%20"), NIK, PHONE):
        assert left["id"] not in api.get(f"/v1/asn?q={word}").text


def test_what_identifies_is_gone_from_every_table_but_the_audit(api, sql, left, applied):
    """Every text, JSON and array column of every table, asked for each of the planted words. What the feed told before goes with change_days; name_word has words of
    names, and whose they were nowhere."""
    words = [NAME, NIK, PHONE, EMAIL, *left["nips"], "UNIK", "minta salinan unik", "Alasan unik", "Dasar unik", "Akhir unik", "Berkas unik", "Komentar unik", "Catatan unik", "Kota Unik", "Sekolah Unik", "Metode unik"]
    columns = sql("""SELECT c.relname, a.attname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid JOIN pg_type t ON t.oid = a.atttypid
                     WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped AND t.typcategory IN ('S', 'U', 'A')
                           AND c.relname NOT IN ('audit_entry', 'idempotency', 'change', 'name_word') AND t.typname NOT IN ('uuid', '_uuid', 'bytea')""")
    found = [(table, column, word) for table, column in columns for word in words
             if sql(f'SELECT EXISTS (SELECT FROM "{table}" WHERE "{column}"::text LIKE %s)', (f"%{word}%",))[0][0]]
    assert found == [], found


def test_what_statistics_need_is_there(api, sql, left, applied):
    nip, birth, sex, education, kind = sql("SELECT nip, birth_date::text, sex, education_level, kind FROM asn WHERE id = %s", (left["id"],))[0]
    assert (birth, sex, education, kind) == ("1970-01-01", "M", "40", "PNS") and re.fullmatch("9[0-9]{17}", nip)
    shown = api.get(f"/v1/asn/{nip}").json
    assert (shown["name"], shown["nik"], shown["phone"], shown["title_back"]) == ("Pegawai (dipseudonimkan)", None, None, None)
    assert [h["from"] for h in api.get(f"/v1/asn/{nip}/history?kind=rank").json["data"]] == ["2009-02-01"]
    assert sql("SELECT count(*) FROM enrolment WHERE asn_id = %s", (left["id"],))[0][0] == 1


def test_no_figure_changes(api, database, left, applied):
    assert applied["sums"] == 0
    assert {path: api.get(path).json for path in REPORTS} == applied["before"]
    assert daemons.run(database, "check", "--sums").returncode == 0
    assert daemons.run(database, "documents", "check").returncode == 0


def test_a_final_evaluation_is_what_it_was(api, database, left, applied):
    assert daemons.run(database, "evaluate", "--verify").returncode == 0
    shown = api.get(f"/v1/evaluations/{left['evaluation']['id']}").json
    assert {k: v for k, v in shown.items() if k not in ("nip", "name")} == {k: v for k, v in left["evaluation"].items() if k not in ("nip", "name")}


def test_the_document_is_erased(api, left, applied):
    assert api.get(f"/v1/documents/{left['document']['id']}").json["is_erased"]
    api.get(f"/v1/documents/{left['document']['id']}/content", expect=410)


def test_the_audit_tells_that_it_was_done_and_not_what_was_there(sql, left, applied):
    told = [e for e in (json.loads(c) for c, in sql("SELECT content FROM audit_entry WHERE operation = 'asnd retention' AND asn_id = %s", (left["id"],))) if e["action"] != "redact"]
    assert {e["entity"] for e in told} >= {"asn", "history", "document", "external_id", "change_request"}
    assert all(e["kind"] == "command" or e["actor"].startswith("cli:") for e in told) and not any("before" in e for e in told)
    assert not any(word in json.dumps(told) for word in (NAME, EMAIL, *left["nips"]))


def test_the_feed_tells_of_it(api, sql, left, applied):
    kinds = set(sql("SELECT c.entity, c.kind FROM change c WHERE c.asn_id = %s OR c.id = %s", (left["id"], left["id"])))
    assert {("asn", "updated"), ("document", "deleted"), ("history", "deleted")} <= kinds
    keys = sql("SELECT DISTINCT c.key, c.key_before FROM change c WHERE c.id = %s AND c.batch = (SELECT max(d.batch) FROM change d WHERE d.id = %s)", (left["id"], left["id"]))
    assert keys == [(sql("SELECT nip FROM asn WHERE id = %s", (left["id"],))[0][0], None)], "the old number is not told beside the new one"


def test_the_same_again_does_nothing(sql, database, left, applied):
    nip = sql("SELECT nip FROM asn WHERE id = %s", (left["id"],))[0][0]
    assert due(database, "person")[0][0] == 0 or retention(database, "--apply")
    assert "done" not in retention(database, "--apply").stdout
    assert sql("SELECT nip FROM asn WHERE id = %s", (left["id"],))[0][0] == nip


@pytest.mark.parametrize("change", ["name = 'Lain'", "nip = '199001152015031999'"])
def test_a_certificate_loses_whom_it_names_by_retention_alone(change, api, sql, left, applied):
    edition = sql("SELECT x.name, x.nip FROM certificate_edition x WHERE x.certificate_id = %s", (left["certificate"]["id"],))[0]
    assert edition[0] == "Pegawai (dipseudonimkan)" and edition[1].startswith("9")
    with pytest.raises(psycopg2.Error):
        sql(f"UPDATE certificate_edition SET {change} WHERE certificate_id = %s", (left["certificate"]["id"],))


# ── what others, and he himself, wrote ──
def test_every_text_of_a_person_goes_or_says_why_not(sql):
    assert sql("SELECT * FROM retention_faults()") == []


FORGETTING = {
    "a-text": ("ALTER TABLE skp ADD COLUMN more_note text", "what becomes of skp.more_note"),
    "a-column-that-went": ("ALTER TABLE ip_asn_bkn RENAME note TO notice", "retention_column names ip_asn_bkn.note"),
    "a-guard": ("DROP TRIGGER objection_05_erasing ON objection", "objection would not let"),
    "a-guard-of-other-columns": ("INSERT INTO retention_column VALUES ('objection', 'state', 'gone', 'x')", "objection would not let"),
    "a-trigger-that-refuses": ("CREATE TRIGGER objection_11_more BEFORE UPDATE ON objection FOR EACH ROW EXECUTE FUNCTION performance_said_keep()", "objection would not let"),
}


@pytest.mark.parametrize("what", FORGETTING)
def test_what_is_forgotten_is_told(what, database):
    statement, words = FORGETTING[what]
    with postgres.connected(database, autocommit=False) as connection, connection.cursor() as cursor:
        cursor.execute(statement)
        cursor.execute("SELECT * FROM retention_faults()")
        found = [row[0] for row in cursor.fetchall()]
        assert len(found) == 1 and found[0].startswith(words), found
        connection.rollback()


def test_each_text_of_each_table_goes(sql, database, api, office, period):
    """Whatever guards a table's rows otherwise: each column that may go is written full first, past all triggers, and all of it goes in one run."""
    columns = sql("SELECT relation, array_agg(name) FROM retention_touched() WHERE becomes = 'gone' GROUP BY relation ORDER BY relation")
    person = make.person(api, office["id"], name="Penuh Tulisan")
    nip = person["nip"]
    make.final(api, nip, period["id"])
    make.data_request(api, nip, "access")
    make.restriction(api, nip, start="2010-01-01", to="2010-02-01")
    make.passed(api, office["id"], person_={"nip": nip})
    filled = {}
    with postgres.connected(database, autocommit=False) as connection, connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        for table, names in columns:
            cursor.execute("SELECT export_condition(%s, 't')", (table,))
            where = cursor.fetchone()[0].replace("$1", "%(who)s::uuid")
            told = ", ".join(f"{n} = 'Tulisan penuh'" for n in names if (table, n) != ("indicator_measurement", "reason")) + (", told_at = now()" if table == "data_request" else "")
            if told:
                cursor.execute(f"UPDATE {table} t SET {told} WHERE {where}", {"who": person["id"]})
                filled[table] = cursor.rowcount
        connection.commit()
    assert {t for t, n in filled.items() if n} >= {"data_request", "restriction", "enrolment"}, filled
    with postgres.connected(database, autocommit=False) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT set_config('asnd.erasing', 'on', true), retention_texts(%s, ARRAY['x'])", (person["id"],))
        left_over = [table for table, _ in columns if cursor.execute(f"SELECT 1 FROM {table} t WHERE t::text LIKE '%%Tulisan penuh%%'") or cursor.fetchone()]
        assert left_over == []
        with pytest.raises(psycopg2.Error, match="only texts"):
            cursor.execute("UPDATE data_request SET kind = 'erasure'")
        connection.rollback()


def test_a_request_about_the_data_loses_its_words_with_its_own_time(api, office, database, sql, decider):
    person, other = make.person(api, office["id"]), make.person(api, office["id"])
    asked, fresh = make.data_request(api, person["nip"], "access", text="Kata unik sekali"), make.data_request(api, other["nip"], "access", text="Masih baru")
    for made in (asked, fresh):
        decider.post(f"/v1/data-requests/{made['id']}/close", {"outcome": "done", "reason": "Selesai", "told": "Sudah"}, headers={"If-Match": "*"}, expect=200)
    sql("UPDATE data_request SET decided_at = '2015-01-01', told_at = '2015-01-01' WHERE id = %s", (asked["id"],))
    retention(database, "--apply")
    shown = api.get(f"/v1/data-requests/{asked['id']}").json
    assert (shown["text"], shown["reason"], shown["told"], shown["state"], shown["kind"]) == ("(dihapus)", "(dihapus)", "(dihapus)", "done", "access")
    assert api.get(f"/v1/data-requests/{fresh['id']}").json["text"] == "Masih baru"
    assert due(database, "data-request")[0] == (0, 0)


# ── what the audit told before ──
def test_entries_of_before_name_nobody_and_the_chain_holds(api, sql, database, left, applied):
    planted = (NAME, EMAIL, *left["nips"], "Kota Unik", "Sekolah Unik", "IJ-UNIK-1", "unik.pdf", "Komentar unik", "minta salinan unik", "Dasar unik")
    told = "\n".join(content for content, in sql("SELECT content FROM audit_entry"))
    assert [word for word in planted if word in told] == []
    mine = [json.loads(c) for c, in sql("SELECT content FROM audit_entry WHERE asn_id = %s ORDER BY id", (left["id"],))]
    first = next(e for e in mine if e["entity"] == "asn" and e["action"] == "create")
    assert first["operation"] == "createAsn" and first["after"]["name"] == "***" and first["redacted"] is True, "who made the record, and which members it had, stays"
    of_it = [e for e in mine if e["action"] == "redact"]
    assert of_it and sum(e["count"] for e in of_it) == len([e for e in mine if e.get("redacted") is True])
    assert all(e["operation"] == "asnd retention" for e in of_it)
    out = daemons.run(database, "audit", "verify").stdout
    assert ": 0 faults" in out and re.search(r"[1-9]\d* entries were redacted, as [1-9]\d* others tell", out), out


def test_the_api_tells_that_values_went(api, sql, left, applied):
    nip = sql("SELECT nip FROM asn WHERE id = %s", (left["id"],))[0][0]
    rows = api.walk(f"/v1/audit/entries?nip={nip}&limit=200")[0]
    assert {r["is_redacted"] for r in rows} == {True, False} and any(r["action"] == "redact" for r in rows)
    assert all(set((r["before"] or {}).values()) | set((r["after"] or {}).values()) <= {"***"} for r in rows if r["is_redacted"])
    assert api.get(f"/v1/audit/entries?nip={nip}&action=redact").json["data"][0]["entity"] == "audit_entry"


# ── what citizens told ──
def test_complaints_comments_and_marks_go_and_their_counts_stay(api, office, database, sql):
    counter = make.service_unit(api, office["id"])
    old = make.complaint(api, counter["id"], text="Nama saya Budi Unik", reference="LAPOR-UNIK", received_at="2015-07-07T09:00:00+08:00")
    for state, more in (("verified", {"weight": "normative"}), ("forwarded", {}), ("in_progress", {}), ("answered", {"answer": "Pak Budi Unik"}), ("closed", {})):
        api.post(f"/v1/complaints/{old['id']}/advance", {"state": state, "at": "2015-07-09T09:00:00+08:00", **more}, expect=200)
    fresh = make.complaint(api, counter["id"], text="Masih baru")
    survey = make.survey(api, counter["id"])
    sql("INSERT INTO feedback (survey_id, text, received_on) VALUES (%s, 'Komentar Unik', '2015-01-01')", (survey["id"],))
    before = api.get(f"/v1/complaints?service_unit_id={counter['id']}&count=exact").json["page"]["count"]
    retention(database, "--apply")
    shown = api.get(f"/v1/complaints/{old['id']}").json
    assert (shown["text"], shown["answer"], shown["reference"], shown["state"]) == ("(dihapus)", "(dihapus)", None, "closed")
    assert api.get(f"/v1/complaints/{fresh['id']}").json["text"] == "Masih baru"
    assert api.get(f"/v1/complaints?service_unit_id={counter['id']}&count=exact").json["page"]["count"] == before
    assert sql("SELECT text FROM feedback WHERE survey_id = %s", (survey["id"],)) == [("(dihapus)",)]


def test_refused_lines_go_with_their_time(api, office, database, sql):
    body = f"nip,kind,name,unit_code\n123,PNS,Baris Ditolak,{office['code']}\n"
    made = api("POST", "/v1/asn/import", data=body.encode(), headers={"Content-Type": "text/csv"}, expect=200).json
    retention(database, "--apply")
    assert sql("SELECT count(*) FROM import_reject WHERE import_id = %s", (made["id"],))[0][0] > 0
    sql("UPDATE import SET started_at = '2015-01-01' WHERE id = %s", (made["id"],))
    retention(database, "--apply")
    assert sql("SELECT count(*) FROM import_reject WHERE import_id = %s", (made["id"],))[0][0] == 0
