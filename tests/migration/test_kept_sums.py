# SPDX-License-Identifier: Apache-2.0
"""Kept sums are those of a recount: at every moment, whatever is changed in whatever order by two writers at once, while they are put together and while they are not."""
import json
import random
import threading
import uuid

import psycopg2
import psycopg2.errors
import pytest

from support import postgres

DIFFERENCES = ("service_difference", "survey_difference", "officer_difference", "staff_difference", "unit_service_difference")
WRONG = " UNION ALL ".join(f"SELECT '{view}', to_jsonb(d)::text FROM {view} d" for view in DIFFERENCES)
PENDING = "SELECT (SELECT count(*) FROM service_change) + (SELECT count(*) FROM staff_mark) + (SELECT count(*) FROM index_mark) + (SELECT count(*) FROM unit_service_change)"


# ── distributions ──

def percentile(values, percent):
    rank = (len(values) - 1) * percent
    low = sorted(values)[rank // 100]
    high = sorted(values)[min(rank // 100 + 1, len(values) - 1)]
    return low + (high - low) * (rank % 100) / 100


@pytest.mark.parametrize("seed", range(6))
def test_a_percentile_is_that_of_all_values_however_many_were_added_and_taken_away(seed, run):
    dice = random.Random(seed)
    span = dice.choice((3, 50, 100000))
    kept = [dice.randrange(span) for _ in range(dice.choice((0, 1, 2, 30, 400)))]
    for _ in range(20):
        minus = sorted(dice.sample(kept, dice.randrange(min(len(kept), 40) + 1)))
        plus = sorted(dice.randrange(span) for _ in range(dice.randrange(40)))
        now = list(kept)
        for value in minus:
            now.remove(value)
        now += plus
        (medians,) = run("""SELECT spread_percentile(s, %s::bigint[], %s::bigint[], 50), spread_percentile(s, %s::bigint[], %s::bigint[], 90),
                                   spread_percentile(spread_merge(s, %s::bigint[], %s::bigint[]), '{}', '{}', 50), (spread_merge(s, %s::bigint[], %s::bigint[])).upto
                            FROM   spread_merge(('{}', '{}'), %s::bigint[], '{}') s""", *[plus, minus] * 4, kept)
        assert [None if m is None else float(m) for m in medians[:3]] == ([percentile(now, 50), percentile(now, 90), percentile(now, 50)] if now else [None] * 3)
        assert medians[3] == [sum(1 for v in now if v <= value) for value in sorted(set(now))]
        kept = now


@pytest.mark.parametrize("seed", range(6))
def test_a_percentile_of_a_period_is_that_of_all_values_of_its_months(seed, run):
    dice = random.Random(seed)
    span = dice.choice((3, 50, 100000))
    months = [[dice.randrange(span) for _ in range(dice.choice((0, 1, 2, 30, 200)))] for _ in range(dice.randint(1, 5))]
    values = [value for month in months for value in month]
    minus = sorted(dice.sample(values, dice.randrange(min(len(values), 30) + 1)))
    plus = sorted(dice.randrange(span) for _ in range(dice.randrange(20)))
    now = sorted(values + plus)
    for value in minus:
        now.remove(value)
    kept = "ARRAY[" + ", ".join(f"spread_merge(('{{}}', '{{}}'), '{{{','.join(map(str, month))}}}', '{{}}')" for month in months) + "]"
    around = sorted(dice.randrange(span) for _ in range(2))  # a guess, often a wrong one
    (told,) = run(f"""SELECT spreads_percentile({kept}, %s::bigint[], %s::bigint[], 50), spreads_percentile({kept}, %s::bigint[], %s::bigint[], 90),
                             spreads_percentile({kept}, %s::bigint[], %s::bigint[], 90, %s::numeric[]), (spread_sum({kept})).vals""", *[plus, minus] * 3, around)
    assert [None if t is None else float(t) for t in told[:3]] == ([percentile(now, 50), percentile(now, 90), percentile(now, 90)] if now else [None] * 3)
    assert told[3] == sorted(set(values))


# ── schedules ──

class World:
    """Two units that serve in a tree of eight, their services, surveys, staff; a period."""

    def __init__(self, url, seed):
        self.url, self.seed = url, seed
        writer = postgres.Reader(url)  # a connection knows its tables and triggers after the first statement
        do = lambda text, *given: writer(text, given)  # noqa: E731
        self.units = [str(uuid.uuid4()) for _ in range(8)]
        for n, unit in enumerate(self.units):
            do("INSERT INTO unit (id, code, name, kind, parent_id) VALUES (%s, %s, 'Unit Uji', 'bidang', %s)", unit, unit[:12], self.units[(n - 1) // 2] if n else None)
        self.people = [str(uuid.uuid4()) for _ in range(12)]
        for n, person in enumerate(self.people):
            do("""INSERT INTO asn (id, nip, kind, name, birth_date, sex, unit_id, legal_status, rank, appointed_on) VALUES (%s, %s, %s, 'Pegawai Uji', '1990-01-15', %s, %s, '01', %s, '2015-01-01')""",
               person, f"19900115201501{seed * 100 + n:04d}", ("PNS", "PNS", "PPPK")[n % 3], "MF"[n % 2], self.units[n % 8], ("III/a", "III/b", "IX")[n % 3])
        self.services = []
        for unit in self.units[2:4]:
            counter = str(uuid.uuid4())
            do("INSERT INTO service_unit (id, unit_id, name) VALUES (%s, %s, 'Loket')", counter, unit)
            for _ in range(2):
                self.services.append(str(uuid.uuid4()))
                do("INSERT INTO service (id, service_unit_id, code, name, promise_minutes) VALUES (%s, %s, %s, 'Layanan', 30)", self.services[-1], counter, self.services[-1][:12])
        self.survey, self.period = str(uuid.uuid4()), str(uuid.uuid4())
        do("""INSERT INTO survey (id, code, service_unit_id, name, starts_on, ends_on, elements)
              SELECT %s, %s, service_unit_id, 'SKM', '2025-01-01', '2025-12-31', '{U1,U6}' FROM service WHERE id = %s""", self.survey, self.survey[:12], self.services[0])
        self.small = str(uuid.uuid4())
        do("""INSERT INTO survey (id, code, service_unit_id, name, starts_on, ends_on, elements, state)
              SELECT %s, %s, service_unit_id, 'SKM', '2025-01-01', '2025-12-31', '{U1,U6}', 'open' FROM service WHERE id = %s""", self.small, self.small[:12], self.services[2])
        do("INSERT INTO period (id, name, kind, starts_on, ends_on) VALUES (%s, 'Tahun Uji', 'tahunan', '2025-01-01', '2025-12-31')", self.period)
        self.sessions, self.activity, partner = [], str(uuid.uuid4()), str(uuid.uuid4())
        for form in ("B3", "B1"):
            programme, session = str(uuid.uuid4()), str(uuid.uuid4())
            do("INSERT INTO programme (id, code, name, form, family, jp, organiser) VALUES (%s, %s, 'Pelatihan Uji', %s, 'teknis', 20, 'BKPP')", programme, programme[:12], form)
            do("INSERT INTO session (id, programme_id, title, starts_on, ends_on, capacity) VALUES (%s, %s, 'Angkatan Uji', '2099-02-01', '2099-02-03', 1000)", session, programme)
            self.sessions.append(session)
        do("INSERT INTO partner (id, name, kind) VALUES (%s, 'Universitas Uji', 'university')", partner)
        do("""INSERT INTO activity (id, partner_id, kind, title, starts_on, ends_on, cost_planned, our_share_percent) VALUES (%s, %s, 'seminar', 'Seminar Uji', '2025-03-01', '2025-03-02', 1000, 70)""",
           self.activity, partner)
        writer.close()


FINAL = """state = 'final', achievement = 100, achievement_uncapped = 100, predicate = (ARRAY['baik', 'kurang'])[%(two)s], predicate_number = (ARRAY[4, 2])[%(two)s], inputs = '{}',
           rule_version = 'uji', inputs_sha256 = 'x', finalized_at = now(), finalized_by = 'uji'"""
PICK = "(SELECT x.id FROM {} x ORDER BY md5(x.id::text || %(dice)s) LIMIT 1)"
RULES = [
    "UPDATE reference SET facts = facts || jsonb_build_object('title', %(two)s = 1) WHERE list = 'education-level' AND code IN ('40', '45')",
    "UPDATE reference SET facts = facts || jsonb_build_object('employed', %(two)s = 1, 'is_employed', %(two)s = 1, 'in_service', %(many)s %% 3 = 0) WHERE list = 'legal-status' AND code = '99'",
    "UPDATE reference SET facts = facts || jsonb_build_object('in_service', %(two)s = 1) WHERE list = 'legal-status' AND code = '01'",
    "UPDATE reference SET seq = seq + 1000 * (%(two)s * 2 - 3) WHERE list = 'education-level' AND code = '40'",
    "UPDATE reference SET facts = facts || jsonb_build_object('min_education', (ARRAY['45', '40'])[%(two)s]) WHERE list = 'position-level'",
    "UPDATE reference SET facts = facts || jsonb_build_object('min_rank', (ARRAY['III/a', 'IV/a'])[%(two)s]) WHERE list = 'echelon' AND code IN ('31', '41')",
    "UPDATE reference SET seq = seq + 1000 * (%(two)s * 2 - 3) WHERE list = 'rank-pns' AND code = 'III/a'",
    "UPDATE reference SET name = (ARRAY['Ahli Muda', 'Ahli Muda Uji'])[%(two)s] WHERE list = 'functional-level' AND lower(name) LIKE 'ahli muda%%'",
    "UPDATE reference SET facts = facts || jsonb_build_object('first_year', (ARRAY[2014, 2020])[%(two)s]) WHERE list = 'data-quality-indicator' AND code = 'ACC_7'",
    "UPDATE ip_asn_score SET points = points - 1 WHERE (part, key) IN (('kualifikasi', '40'), ('kinerja', 'baik'), ('disiplin', 'ringan')) AND points > 1",
    "UPDATE ip_asn_component SET points = points + %(two)s, months = %(many)s WHERE position_kind = 'pelaksana' AND points < 90",
    "UPDATE learning_rule SET floor_jp = %(many)s %% 40 WHERE kind = (ARRAY['PNS', 'PPPK'])[%(two)s]",
    "UPDATE predicate_cell SET predicate = (ARRAY['kurang', 'butuh_perbaikan'])[%(two)s] WHERE behaviour_rating = 'di_bawah_ekspektasi'",
]
STATEMENTS = [
    "INSERT INTO ticket (id, service_id, number, taken_at) VALUES (uuid_v7(), %(service)s, %(word)s, '2025-03-01 08:00+08'::timestamptz + make_interval(hours => %(many)s * 10))",
    f"""UPDATE ticket SET state = CASE state WHEN 'taken' THEN 'called' WHEN 'called' THEN 'started' WHEN 'started' THEN 'finished' ELSE state END,
        called_at = coalesce(called_at, taken_at + make_interval(secs => %(many)s)), started_at = CASE WHEN state = 'taken' THEN NULL ELSE coalesce(started_at, called_at) END,
        finished_at = CASE WHEN state IN ('started', 'finished') THEN coalesce(finished_at, started_at + make_interval(secs => %(many)s * 20)) END,
        result = CASE WHEN state IN ('started', 'finished') THEN 'completed' END, officer_id = %(person)s WHERE id = {PICK.format("ticket")}""",
    """INSERT INTO ticket (id, service_id, number, taken_at, called_at, started_at, finished_at, state, result, officer_id)
       SELECT uuid_v7(), %(service)s, %(word)s || g, t.at, t.at + make_interval(secs => g * %(many)s), t.at + interval '1 hour', t.at + make_interval(secs => 3600 + g * 50), 'finished', 'completed', %(person)s
       FROM   generate_series(1, 30) g, LATERAL (SELECT '2025-02-25 08:00+08'::timestamptz + make_interval(hours => g * 7) AS at) t""",
    "UPDATE ticket SET finished_at = finished_at + make_interval(secs => %(many)s), officer_id = %(person)s WHERE state = 'finished' AND md5(number || %(dice)s) < '2'",
    "DELETE FROM ticket WHERE md5(number || %(dice)s) < '1'",
    """INSERT INTO survey_answer (survey_id, officer_id, answered_on, channel, answers, sex)
       SELECT %(survey)s, CASE WHEN %(two)s = 1 THEN %(person)s::uuid END, date '2025-01-20' + %(many)s, 'paper', jsonb_build_object('U1', 1 + g %% 4, 'U6', %(two)s), 'F' FROM generate_series(1, %(two)s * 3) g
       WHERE EXISTS (SELECT FROM survey s WHERE s.id = %(survey)s AND s.state <> 'draft')""",  # nobody can answer a draft
    """INSERT INTO survey_answer (survey_id, answered_on, channel, answers) SELECT %(small)s, '2025-01-20', 'paper', jsonb_build_object('U1', 1 + %(many)s %% 4) ||
       CASE WHEN %(two)s = 1 THEN jsonb_build_object('U6', 3) ELSE '{}' END""",
    "UPDATE survey SET ends_on = date '2025-03-01' + %(many)s WHERE id = %(small)s",
    """INSERT INTO complaint (id, channel, kind, category, service_unit_id, text, received_at)
       SELECT uuid_v7(), 'web', (ARRAY['complaint', 'aspiration'])[%(two)s], 'quality', service_unit_id, 'x', '2025-03-01 08:00+08'::timestamptz + make_interval(hours => %(many)s * 10) FROM service WHERE id = %(service)s""",
    f"""UPDATE complaint SET state = CASE state WHEN 'received' THEN (ARRAY['verified', 'rejected'])[%(two)s] WHEN 'verified' THEN 'forwarded' WHEN 'forwarded' THEN 'in_progress' WHEN 'in_progress' THEN 'answered'
        WHEN 'answered' THEN 'reopened' WHEN 'reopened' THEN 'in_progress' ELSE state END, weight = 'normative', forwarded_at = coalesce(forwarded_at, received_at),
        answered_at = CASE WHEN state = 'in_progress' THEN received_at + make_interval(hours => %(many)s * 2) ELSE answered_at END, is_upheld = CASE WHEN state = 'in_progress' THEN %(two)s = 1 ELSE is_upheld END
        WHERE id = {PICK.format("complaint")}""",
    "DELETE FROM complaint WHERE md5(id::text || %(dice)s) < '1'",
    "SELECT survey_settle(10)",
    "UPDATE survey SET state = CASE state WHEN 'draft' THEN 'open' WHEN 'open' THEN 'closed' ELSE 'open' END WHERE id = %(survey)s",
    "UPDATE asn SET unit_id = %(unit)s WHERE id = %(person)s",
    "UPDATE asn SET education_level = (ARRAY['40', '45'])[%(two)s], position_kind = (ARRAY['pelaksana', NULL])[%(two)s], legal_status = (ARRAY['01', '99'])[%(two)s] WHERE id = %(person)s",
    """INSERT INTO asn (id, nip, kind, name, birth_date, sex, unit_id, legal_status) VALUES (gen_random_uuid(), '19910115' || lpad((%(dice)s::bigint %% 10000000000)::text, 10, '0'), 'PNS', 'Pegawai Baru',
       '1991-01-15', 'F', %(unit)s, '01')""",
    "UPDATE unit SET parent_id = %(unit)s WHERE id = %(other)s",
    "INSERT INTO unit (id, code, name, kind, parent_id) VALUES (gen_random_uuid(), %(word)s, 'Unit Baru', 'bidang', %(unit)s)",
    """INSERT INTO evaluation (id, asn_id, period_id, results_rating, behaviour_rating) VALUES (gen_random_uuid(), %(person)s, %(period)s,
       (ARRAY['sesuai_ekspektasi', NULL])[%(two)s], 'di_bawah_ekspektasi')""",
    f"UPDATE evaluation SET results_rating = 'sesuai_ekspektasi', behaviour_rating = 'sesuai_ekspektasi', {FINAL} WHERE id = {PICK.format('evaluation')} AND state = 'draft'",
    "DELETE FROM evaluation WHERE state = 'draft' AND asn_id = %(person)s",
    """INSERT INTO history (asn_id, kind, starts, ends, valid, facts) VALUES (%(person)s, 'course', date '2025-01-01' + %(many)s, date '2025-01-04' + %(many)s,
       daterange(date '2025-01-01' + %(many)s, NULL), jsonb_build_object('name', 'Kursus ' || %(dice)s, 'form', 'B3', 'jp', %(many)s))""",
    "UPDATE history SET is_void = NOT is_void, reason = 'uji' WHERE kind = 'course' AND asn_id = %(person)s",
    """INSERT INTO history (asn_id, kind, starts, valid, facts) VALUES (%(person)s, 'appointment', make_date(2015 + %(many)s %% 12, 7, 1), daterange(make_date(2015 + %(many)s %% 12, 7, 1), NULL),
       jsonb_build_object('kind', (ARRAY['PNS', 'PPPK'])[%(two)s]))""",
    """UPDATE asn SET position_kind = 'struktural', position = (ARRAY['Kepala Bidang', 'Kepala Seksi'])[%(two)s], echelon = (ARRAY['31', '41'])[%(two)s], email = nullif(%(two)s, 1)::text || '@contoh.go.id'
       WHERE id = %(person)s""",
    "UPDATE asn SET position_kind = (ARRAY['fungsional', 'pelaksana'])[%(two)s], position = 'Arsiparis Ahli Muda', title_back = 'S.Sos.', phone = '0812', nik = NULL WHERE id = %(person)s",
    "UPDATE unit SET is_active = NOT is_active WHERE id = %(unit)s",
    """INSERT INTO history (asn_id, kind, starts, valid, facts) VALUES (%(person)s, 'discipline', date '2020-01-01' + %(many)s * 14, daterange(date '2020-01-01' + %(many)s * 14, NULL),
       jsonb_build_object('level', (ARRAY['ringan', 'berat'])[%(two)s], 'penalty', 'Teguran'))""",
    "UPDATE history SET is_void = NOT is_void, reason = 'uji' WHERE kind IN ('discipline', 'performance') AND asn_id = %(person)s",
    """INSERT INTO history (asn_id, kind, starts, valid, facts) VALUES (%(person)s, 'performance', make_date(2022 + %(many)s %% 5, 12, 31), daterange(make_date(2022 + %(many)s %% 5, 12, 31), NULL),
       jsonb_build_object('year', 2022 + %(many)s %% 5, 'predicate', 'baik'))""",
    "INSERT INTO enrolment (id, session_id, asn_id, state, days) VALUES (uuid_v7(), %(session)s, %(person)s, 'approved', daterange(date '2099-02-01', date '2099-02-04'))",
    "UPDATE enrolment SET state = (ARRAY['passed', 'failed'])[%(two)s], jp = (ARRAY[20, NULL])[%(two)s] WHERE asn_id = %(person)s AND state IN ('approved', 'attending')",
    "UPDATE enrolment SET state = 'cancelled' WHERE asn_id = %(person)s AND state = 'approved'",
    """INSERT INTO session_term (session_id, cost_per_head) VALUES (%(session)s, %(many)s * 1000)
       ON CONFLICT (session_id) DO UPDATE SET cost_per_head = CASE WHEN session_term.cost_per_head IS NULL THEN EXCLUDED.cost_per_head END""",
    "UPDATE session SET state = CASE state WHEN 'planned' THEN 'cancelled' ELSE 'planned' END WHERE id = %(session)s AND %(many)s < 50",
    "UPDATE activity SET cost_spent = %(many)s * 1000, our_share_percent = %(two)s * 33, session_id = CASE WHEN %(many)s %% 2 = 0 THEN %(session)s::uuid END WHERE id = %(activity)s",
    "UPDATE activity SET starts_on = make_date(2024 + %(two)s, 3, 1), ends_on = make_date(2024 + %(two)s, 3, 2) WHERE id = %(activity)s",
    "INSERT INTO activity_participant (id, activity_id, asn_id) VALUES (uuid_v7(), %(activity)s, %(person)s)",
    "INSERT INTO activity_participant (id, activity_id, name) VALUES (uuid_v7(), %(activity)s, 'Dosen Tamu')",
    "DELETE FROM activity_participant WHERE activity_id = %(activity)s AND md5(id::text || %(dice)s) < '4'",
    "UPDATE programme SET form = (ARRAY['B3', 'B10'])[%(two)s] WHERE id = (SELECT s.programme_id FROM session s WHERE s.id = %(session)s)",
    "UPDATE period SET ends_on = date '2025-12-31' - %(many)s WHERE id = %(period)s",
    "UPDATE ip_asn_score SET points = points + 1 WHERE part = 'kinerja' AND key = 'none'",
    *RULES,
    "SELECT service_refresh(%(two)s)", "SELECT staff_refresh(%(two)s, 3)", "SELECT index_refresh(%(two)s, 3)", "SELECT unit_service_refresh(%(two)s)",
]


def write(world, seed, transactions, done):
    """Transactions of a few statements, some taken back, some refused by a rule."""
    dice = random.Random(seed)
    with postgres.connected(world.url, autocommit=False) as connection:
        for _ in range(transactions):
            try:
                with connection.cursor() as cursor:
                    for _ in range(dice.randint(1, 3)):
                        which = dice.randrange(len(STATEMENTS))
                        values = {"service": dice.choice(world.services), "person": dice.choice(world.people), "unit": dice.choice(world.units), "other": dice.choice(world.units[1:]),
                                  "survey": world.survey, "small": world.small, "period": world.period, "session": dice.choice(world.sessions), "activity": world.activity, "two": dice.randint(1, 2), "many": dice.randint(1, 200), "dice": str(dice.randrange(10**12)),
                                  "word": f"{dice.randrange(10**9)}"}
                        cursor.execute(STATEMENTS[which], values)
                        done.append(which)
                if dice.random() < 0.1:
                    connection.rollback()
                else:
                    connection.commit()
            except psycopg2.Error:
                connection.rollback()


@pytest.fixture
def own(cluster, empty_template):
    name = cluster.create(template=empty_template)
    yield cluster.database_url(name)
    cluster.drop(name)


# Behind a schedule, so that some have met their hours and some tickets are left, whatever came about.
FOR_CERTAIN = """UPDATE learning_rule SET floor_jp = 1;
    INSERT INTO history (asn_id, kind, starts, ends, valid, facts)
    SELECT a.id, 'course', '2025-06-02', '2025-06-05', '[2025-06-02,)', '{"name": "Kursus Akhir", "form": "B3", "jp": 30}' FROM asn a;
    INSERT INTO ticket (id, service_id, number, taken_at) SELECT uuid_v7(), s.id, 'akhir', '2025-03-03 08:00+08' FROM service s"""
SOME = """SELECT EXISTS (SELECT FROM service_month WHERE by = 'tree' AND taken > 0), EXISTS (SELECT FROM staff_sum WHERE n > 0 AND key LIKE 'hours|%|met')"""


@pytest.mark.parametrize("seed", range(3))
def test_two_writers_and_whoever_puts_together_leave_the_sums_of_a_recount(seed, own):
    world, done = World(own, seed), []
    writers = [threading.Thread(target=write, args=(world, seed * 10 + n, 90, done)) for n in range(2)]
    for writer in writers:
        writer.start()
    look, looks = postgres.Reader(own), 0
    while any(writer.is_alive() for writer in writers):
        assert look(WRONG) == []
        looks += 1
    look.close()
    for writer in writers:
        writer.join()
    assert looks > 0 and postgres.query(own, WRONG) == []
    assert len(set(done)) > len(STATEMENTS) - 6, f"some statements never succeeded: {sorted(set(range(len(STATEMENTS))) - set(done))}"
    postgres.query(own, FOR_CERTAIN)
    assert postgres.query(own, WRONG) == []
    postgres.query(own, "SELECT service_refresh(60000); SELECT staff_refresh(60000); SELECT index_refresh(60000); SELECT unit_service_refresh(60000)")
    assert postgres.query(own, PENDING) == [(0,)] and postgres.query(own, WRONG) == []
    assert postgres.query(own, SOME) == [(True, True)]


@pytest.mark.parametrize("changed, whom", [
    ("UPDATE reference SET name_en = 'x', name = name || ' x' WHERE list IN ('education-level', 'legal-status', 'echelon')", "false"),
    ("UPDATE reference SET facts = facts WHERE list = 'education-level'", "false"),
    ("UPDATE reference SET facts = facts || '{\"title\": true, \"x\": 1}' WHERE list = 'education-level' AND code = '45'", "education_level = '45'"),
    ("UPDATE reference SET facts = facts || '{\"x\": 1}' WHERE list = 'legal-status' AND code = '99'", "legal_status = '99'"),
    ("UPDATE reference SET facts = facts || '{\"x\": 1}' WHERE list = 'echelon' AND code = '31'", "echelon = '31'"),
    ("UPDATE reference SET facts = facts || '{\"x\": 1}' WHERE list = 'data-quality-indicator' AND code = 'ACC_7'", "kind = 'PPPK'"),
    ("UPDATE reference SET facts = facts || '{\"x\": 1}' WHERE list = 'data-quality-indicator' AND code <> 'ACC_7'", "false"),
    ("INSERT INTO reference (list, code, name, source) VALUES ('education-level', 'X1', 'Baru', 'uji')", "false"),
    ("UPDATE ip_asn_score SET points = points - 1 WHERE part = 'kualifikasi' AND key = '45'", "education_level = '45'"),
    ("UPDATE ip_asn_component SET points = points + 1 WHERE position_kind = 'pelaksana'", "position_kind = 'pelaksana'"),
    ("UPDATE learning_rule SET floor_jp = 19", "false"),
    ("UPDATE predicate_cell SET predicate = 'kurang'", "false"),
])
def test_a_rule_that_changes_marks_whom_it_judges_and_nobody_else(changed, whom, own):
    world = World(own, 1)
    for person, level, kind, echelon, status in zip(world.people, ("40", "45", "40", "40", "45", "30"), ("struktural", "pelaksana", "struktural", None, "fungsional", "pelaksana"),
                                                    ("31", None, "41", None, None, None), ("01", "01", "01", "99", "99", "01")):
        postgres.query(own, "UPDATE asn SET education_level = %s, position_kind = %s, echelon = %s, position = 'Uji', legal_status = %s WHERE id = %s", (level, kind, echelon, status, person))
    postgres.query(own, "SELECT staff_refresh(60000); SELECT index_refresh(60000)")
    postgres.query(own, changed)
    marked = postgres.query(own, "SELECT asn_id FROM staff_mark UNION SELECT asn_id FROM index_mark ORDER BY 1")
    assert marked == postgres.query(own, f"SELECT id FROM asn WHERE {whom} ORDER BY 1") and (whom == "false" or marked)
    assert postgres.query(own, WRONG) == []


# One changes what others are judged by or share, and has not committed it; another comes to it meanwhile, and is put together.
MEETINGS = {
    "a status": ("UPDATE reference SET facts = facts || '{\"employed\": false, \"is_employed\": false}' WHERE list = 'legal-status' AND code = '99'", "UPDATE asn SET legal_status = '99' WHERE id = %(two)s"),
    "a post": ("UPDATE asn SET position_kind = 'struktural', position = 'Kepala Uji', echelon = '41', unit_id = %(unit)s WHERE id = %(one)s",
               "UPDATE asn SET position_kind = 'struktural', position = 'Kepala Uji', echelon = '41', unit_id = %(unit)s WHERE id = %(two)s"),
    "an activity": ("INSERT INTO activity_participant (id, activity_id, asn_id) VALUES (uuid_v7(), %(activity)s, %(one)s)", "INSERT INTO activity_participant (id, activity_id, asn_id) VALUES (uuid_v7(), %(activity)s, %(two)s)"),
    "an activity's cost": ("UPDATE activity SET cost_spent = 5000 WHERE id = %(activity)s", "INSERT INTO activity_participant (id, activity_id, asn_id) VALUES (uuid_v7(), %(activity)s, %(two)s)"),
    "a cost that is new": ("INSERT INTO session_term (session_id, cost_per_head) VALUES (%(session)s, 1000)",
                           "INSERT INTO enrolment (id, session_id, asn_id, state, days) VALUES (uuid_v7(), %(session)s, %(two)s, 'approved', daterange(date '2099-02-01', date '2099-02-04'))"),
    "a cost": ("UPDATE session_term SET cost_per_head = 2000 WHERE session_id = %(dear)s",
               "INSERT INTO enrolment (id, session_id, asn_id, state, days) VALUES (uuid_v7(), %(dear)s, %(two)s, 'approved', daterange(date '2099-02-01', date '2099-02-04'))"),
    "a session's day": ("UPDATE session SET starts_on = date '2098-02-01' WHERE id = %(dear)s",
                        "INSERT INTO enrolment (id, session_id, asn_id, state, days) VALUES (uuid_v7(), %(dear)s, %(two)s, 'approved', daterange(date '2099-02-01', date '2099-02-04'))"),
}


@pytest.mark.parametrize("others, own_change", MEETINGS.values(), ids=MEETINGS)
def test_who_comes_to_a_rule_while_it_changes_is_judged_by_it(others, own_change, own):
    world = World(own, 1)
    postgres.query(own, "UPDATE asn SET position_kind = 'pelaksana', position = 'Uji'")
    postgres.query(own, "INSERT INTO session_term (session_id, cost_per_head) VALUES (%s, 1000)", (world.sessions[1],))
    refresh = "SELECT staff_refresh(60000); SELECT index_refresh(60000)"
    postgres.query(own, refresh)
    values = {"unit": world.units[5], "one": world.people[0], "two": world.people[1], "activity": world.activity, "session": world.sessions[0], "dear": world.sessions[1]}
    meanwhile = threading.Thread(target=postgres.query, args=(own, own_change, values), daemon=True)
    with postgres.connected(own, autocommit=False) as connection, connection.cursor() as cursor:
        cursor.execute(others, values)
        meanwhile.start()
        meanwhile.join(1)  # it may have to wait for the other
        postgres.query(own, refresh)
        connection.commit()
    meanwhile.join()
    assert postgres.query(own, WRONG) == []
    postgres.query(own, refresh)
    assert postgres.query(own, WRONG) == []


def test_ages_go_on_by_themselves(own):
    World(own, 7)
    postgres.query(own, "SELECT staff_refresh(60000)")
    ages = "SELECT key FROM staff_sums('{00000000-0000-0000-0000-000000000000}', 'age|', 'age}') ORDER BY key"
    assert {k for k, in postgres.query(own, "SET asnd.today = '2030-01-14'; " + ages)} == {"age|age|035|F", "age|age|035|M"}
    assert {k for k, in postgres.query(own, "SET asnd.today = '2030-01-15'; " + ages)} == {"age|age|040|F", "age|age|040|M"}
    assert postgres.query(own, "SET asnd.today = '2030-01-15'; SELECT staff_refresh(60000); " + WRONG) == []


def test_indices_go_on_by_themselves(own):
    """What a day alone changes is told at once, by whoever reads and by the chore: the sums are those of a recount on any day, whichever were put together in between."""
    world, dice = World(own, 6), random.Random(6)
    do = lambda text, *given: postgres.query(own, text, given)  # noqa: E731
    for n, person in enumerate(world.people):
        do("UPDATE asn SET kind = %s, position_kind = %s, position = 'Kepala Seksi', appointed_on = %s, education_level = '40', legal_status = %s WHERE id = %s",
           ("PNS", "CPNS", "PPPK")[n % 3], ("struktural", "fungsional", "pelaksana")[n // 3 % 3], f"20{20 + n % 7}-02-{28 - n % 3}", ("01", "01", "71", "02")[n % 4], person)
        for kind, facts in (("course", {"name": "Kursus", "form": dice.choice(("B1", "B3", "B6")), "jp": 20}), ("discipline", {"level": "ringan"}), ("performance", {"year": 2024 + n % 3}),
                            ("leave", {"kind": "cltn"})):
            start, length = f"20{21 + dice.randrange(7)}-{dice.choice(('02-28', '08-31', '05-17'))}", dice.choice((None, 30))
            do("""INSERT INTO history (asn_id, kind, starts, ends, valid, facts) SELECT %s, %s, d, d + %s::integer, daterange(d, d + %s::integer), %s FROM (SELECT %s::date AS d) v""",
               person, kind, length, length, json.dumps(facts), start)
    do("SET asnd.today = '2027-01-01'; SELECT index_refresh(60000)")
    changed, before = 0, None
    for day in sorted({f"20{y}-{d}" for y in range(27, 33) for d in ("01-01", "02-28", "03-01", "03-02", "05-17", "08-31", "09-01")}):
        assert do(f"SET asnd.today = '{day}'; {WRONG}") == [], day
        now = do(f"SET asnd.today = '{day}'; SELECT key, n FROM index_sums('{{00000000-0000-0000-0000-000000000000}}', 'ip|', 'quality}}') ORDER BY key")
        changed, before = changed + (before is not None and now != before), now
        if dice.random() < 0.3:
            do(f"SET asnd.today = '{day}'; SELECT index_refresh(60000)")
            assert do(f"SET asnd.today = '{day}'; SELECT * FROM index_pending('', '~')") == [], day
    assert changed > 8


RATED = """SELECT i.unit_id, i.score, r.score FROM quality_index(ARRAY(SELECT u.path FROM unit u)) i, quality_rate(i.counts) r
           WHERE  (i.completeness, i.timeliness, i.accuracy, i.consistency, i.score) IS DISTINCT FROM (r.completeness, r.timeliness, r.accuracy, r.consistency, r.score)"""


def test_the_index_of_many_units_is_that_of_each(own):
    """quality_index() works out all at once what quality_rate() says of one."""
    world = World(own, 4)
    postgres.query(own, "UPDATE asn SET education_level = '40', email = 'a@contoh.go.id', position_kind = 'pelaksana', position = 'Arsiparis Ahli Muda' WHERE id = ANY (%s::uuid[])", (world.people[::3],))
    assert postgres.query(own, RATED) == []
    (scores, units), = postgres.query(own, "SELECT count(DISTINCT i.score), count(*) FROM quality_index(ARRAY(SELECT u.path FROM unit u)) i WHERE i.people > 0")
    assert scores > 2 and units == 8
    postgres.query(own, "UPDATE asn SET unit_id = %s WHERE unit_id = %s", (world.units[0], world.units[7]))
    assert postgres.query(own, RATED) == []
    assert postgres.query(own, "SELECT i.people, i.counts::text, i.score FROM quality_index(ARRAY(SELECT u.path FROM unit u WHERE u.id = %s)) i", (world.units[7],)) == [(0, "{}", None)]


def test_a_difference_is_seen(own):
    world = World(own, 8)
    postgres.query(own, "SELECT staff_refresh(60000); UPDATE staff_sum SET n = n + 1 WHERE key = 'staff|M'")
    postgres.query(own, "SELECT index_refresh(60000); UPDATE staff_sum SET own = own + 1 WHERE key = 'quality|CON_2|asked'")
    assert {key.split("|")[0] for key, in postgres.query(own, "SELECT key FROM staff_difference")} == {"staff", "quality"}
    postgres.query(own, "INSERT INTO survey_tally VALUES (%s, 0, 'U1', '3', 1)", (world.survey,))
    postgres.query(own, "INSERT INTO officer_tally VALUES (%s, '2025-01-01', 'U1', '3', 0, 1)", (world.people[0],))
    postgres.query(own, "INSERT INTO service_change (by, key, month, sign, state) VALUES ('service', %s, '2025-01-01', 1, 'taken')", (world.services[0],))
    postgres.query(own, "INSERT INTO unit_service_sum VALUES (%s, '2025-01-01', 'survey', 0, 1)", (world.units[0],))
    assert {view for view, _ in postgres.query(own, WRONG)} == set(DIFFERENCES)


def test_transactions_that_count_at_once_never_count_in_one_slot(own):
    with postgres.connected(own, autocommit=False) as one, postgres.connected(own, autocommit=False) as other, one.cursor() as first, other.cursor() as second:
        second.execute("SELECT pg_backend_pid() % 64")
        wanted = second.fetchone()[0]
        first.execute("SELECT pg_advisory_xact_lock(1922, %s)", (wanted,))
        second.execute("SELECT counter_slot(), counter_slot()")
        assert second.fetchone() == ((wanted + 1) % 64,) * 2


@pytest.mark.parametrize("units, under, tops", [
    ([None], None, [None]), ([None], 1, [1]), ([0], None, [0]), ([1, 3], None, [1]), ([3, 1], 0, [1]), ([0, 3], 1, [1]), ([2, 3], 1, [3]), ([2], 1, []), ([None, 1, 3], 1, [1]), ([1], 3, [3])])
def test_the_tops_of_what_a_caller_may_see_hold_each_unit_once(units, under, tops, own):
    """Units as World has them: 1 and 2 below 0, 3 and 4 below 1. None: all."""
    world = World(own, 9)
    path = lambda n: "" if n is None else postgres.query(own, "SELECT path::text FROM unit WHERE id = %s", (world.units[n],))[0][0]  # noqa: E731
    (told,), = postgres.query(own, "SELECT staff_tops(%s::ltree[], %s)::text[]", ([path(n) for n in units], None if under is None else world.units[under]))
    assert sorted(told) == sorted("00000000-0000-0000-0000-000000000000" if n is None else world.units[n] for n in tops)
