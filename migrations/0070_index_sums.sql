-- The index of professionalism, the quality of data and what trainings cost, of units with all below: kept as sums, as the figures of the staff are (0050), beside them in staff_sum. What a
-- person adds to these hangs on more than what he adds to those, so that he is marked and worked out apart. Open figures of people and complaints are put together from kept sums. Why it is
-- made so: docs/kept-sums.md.

CREATE TABLE index_kept (
    asn_id  uuid  CONSTRAINT index_kept_pkey PRIMARY KEY,
    unit_id uuid  NOT NULL,
    parts   jsonb NOT NULL,
    until   date
) WITH (toast_tuple_target = 256);
ALTER TABLE index_kept ALTER COLUMN parts SET STORAGE MAIN; -- keys repeat: packed they take a third
CREATE INDEX index_kept_until_idx ON index_kept (until) WHERE until IS NOT NULL;
COMMENT ON TABLE index_kept IS 'What each person adds to staff_sum by way of indices and costs: index_told() as it last was.';
COMMENT ON COLUMN index_kept.asn_id IS 'asn.id';
COMMENT ON COLUMN index_kept.unit_id IS 'unit.id';
COMMENT ON COLUMN index_kept.parts IS 'Key → number';
COMMENT ON COLUMN index_kept.until IS 'From this day on it may be otherwise (a course that is too old, a year without SKP); null: never by itself';

CREATE TABLE index_mark (
    id     bigint CONSTRAINT index_mark_pkey PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    asn_id uuid   NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);
CREATE INDEX index_mark_asn_idx ON index_mark (asn_id);
COMMENT ON TABLE index_mark IS 'Whose part of indices and costs may be otherwise since it was put together.';
COMMENT ON COLUMN index_mark.id IS 'Number';
COMMENT ON COLUMN index_mark.asn_id IS 'asn.id';

-- ── what a person adds ───────────────────────────────────────────────────────────────────────────────────────────────────

CREATE FUNCTION activity_heads(which uuid) RETURNS bigint
LANGUAGE sql STABLE
RETURN (SELECT count(*) FROM activity_participant p WHERE p.activity_id = which);
COMMENT ON FUNCTION activity_heads(uuid) IS 'How many take part in an activity, whoever asks: among so many its cost is divided.';

-- Two yearly periods never overlap (period_no_overlap), so that one ended last.
CREATE FUNCTION index_told(people uuid[]) RETURNS TABLE (asn_id uuid, unit_id uuid, parts jsonb, until date)
LANGUAGE plpgsql STABLE AS $$
DECLARE
    today    date := local_today();
    employed text[] := ARRAY(SELECT s.code FROM employed_status s);
    changes  date := (SELECT min(d.day)
                      FROM   (SELECT v.day FROM reference r CROSS JOIN LATERAL (VALUES (lower(r.valid)), (upper(r.valid))) AS v (day)
                              WHERE  r.list IN ('legal-status', 'education-level', 'functional-level', 'echelon', 'position-level', 'rank-pns', 'data-quality-indicator')
                              UNION ALL SELECT s.valid_from FROM ip_asn_score s
                              UNION ALL SELECT c.valid_from FROM ip_asn_component c) d
                      WHERE  d.day > today);
BEGIN
    RETURN QUERY
    WITH who AS MATERIALIZED (
        SELECT a.id, a.unit_id AS unit, a.position_kind, a.education_level, a.kind, a.appointed_on, a.legal_status = ANY (employed) AS is_staff FROM asn a WHERE a.id = ANY (people)
    ), rule AS MATERIALIZED (
        SELECT DISTINCT ON (c.component, c.position_kind) c.component, c.position_kind, c.points, c.forms, c.least_jp, c.months
        FROM   ip_asn_component c WHERE c.valid_from <= today ORDER BY c.component, c.position_kind, c.valid_from DESC
    ), score AS MATERIALIZED (
        SELECT DISTINCT ON (s.part, s.key) s.part, s.key, s.points FROM ip_asn_score s WHERE s.valid_from <= today ORDER BY s.part, s.key, s.valid_from DESC
    ), done AS MATERIALIZED (
        SELECT h.asn_id AS id, h.facts ->> 'form' AS form, coalesce(h.ends - 1, h.starts) AS day, (h.facts ->> 'jp')::integer AS jp
        FROM   history h WHERE h.asn_id = ANY (people) AND h.kind = 'course' AND NOT h.is_void
        UNION  ALL
        SELECT e.asn_id, p.form, (upper(e.days) - 1)::date, e.jp
        FROM   enrolment e JOIN session s ON s.id = e.session_id JOIN programme p ON p.id = s.programme_id
        WHERE  e.asn_id = ANY (people) AND e.jp IS NOT NULL
    ), rated AS MATERIALIZED (
        SELECT e.asn_id AS id, e.predicate, p.ends_on
        FROM   evaluation_current e JOIN period p ON p.id = e.period_id
        WHERE  e.asn_id = ANY (people) AND e.state = 'final' AND p.kind = 'tahunan'
    ), penalty AS MATERIALIZED (
        SELECT h.asn_id AS id, h.facts ->> 'level' AS level, h.starts FROM history h WHERE h.asn_id = ANY (people) AND h.kind = 'discipline' AND NOT h.is_void
    ), competent AS (
        SELECT g.id, sum(CASE WHEN g.n > 0 AND g.jp >= g.least_jp THEN g.points ELSE 0 END) AS points
        FROM   (SELECT w.id, r.component, r.points, r.least_jp, count(d.id) AS n, coalesce(sum(d.jp), 0) AS jp
                FROM   who w
                JOIN   rule r ON r.position_kind = w.position_kind
                LEFT   JOIN done d ON d.id = w.id AND d.form = ANY (r.forms) AND d.day <= today AND (r.months IS NULL OR d.day > (today - make_interval(months => r.months))::date)
                WHERE  w.is_staff
                GROUP  BY w.id, r.component, r.points, r.least_jp) g
        GROUP  BY g.id
    ), worst AS (
        SELECT p.id, min(coalesce(s.points, o.points)) AS points
        FROM   penalty p
        LEFT   JOIN score s ON (s.part, s.key) = ('disiplin', p.level)
        LEFT   JOIN score o ON (o.part, o.key) = ('disiplin', 'none')
        WHERE  p.starts <= today AND p.starts > (today - interval '5 years')::date
        GROUP  BY p.id
    ), points AS (
        SELECT w.id, CASE WHEN w.education_level IS NOT NULL THEN coalesce(q.points, q0.points) END AS qualification, c.points AS competence, coalesce(p.points, p0.points) AS performance,
               coalesce(m.points, d0.points) AS discipline
        FROM   who w
        LEFT   JOIN competent c ON c.id = w.id
        LEFT   JOIN (SELECT DISTINCT ON (r.id) r.id, r.predicate FROM rated r WHERE r.ends_on <= today ORDER BY r.id, r.ends_on DESC) r ON r.id = w.id
        LEFT   JOIN worst m ON m.id = w.id
        LEFT   JOIN score q ON (q.part, q.key) = ('kualifikasi', w.education_level)
        LEFT   JOIN score q0 ON (q0.part, q0.key) = ('kualifikasi', 'none')
        LEFT   JOIN score p ON (p.part, p.key) = ('kinerja', r.predicate)
        LEFT   JOIN score p0 ON (p0.part, p0.key) = ('kinerja', 'none')
        LEFT   JOIN score d0 ON (d0.part, d0.key) = ('disiplin', 'none')
        WHERE  w.is_staff
    ), flag AS MATERIALIZED (
        SELECT q.* FROM quality_flag q WHERE q.id = ANY (people)
    ), cost AS (
        SELECT v.id, v.year, count(*) AS seats, sum(v.of_session) AS sessions, sum(v.of_activity) AS activities
        FROM   (SELECT e.asn_id AS id, extract(year FROM s.starts_on)::integer AS year, t.cost_per_head AS of_session, 0::numeric AS of_activity
                FROM   enrolment e
                JOIN   session s ON s.id = e.session_id AND s.state <> 'cancelled'
                JOIN   session_term t ON t.session_id = s.id AND t.cost_per_head IS NOT NULL
                WHERE  e.asn_id = ANY (people) AND enrolment_holds_seat(e.state)
                UNION  ALL
                SELECT p.asn_id, extract(year FROM a.starts_on)::integer, 0, coalesce(a.cost_spent, a.cost_planned, 0) * a.our_share_percent / 100 / activity_heads(a.id)
                FROM   activity_participant p
                JOIN   activity a ON a.id = p.activity_id AND a.state <> 'cancelled'
                WHERE  p.asn_id = ANY (people) AND NOT EXISTS (SELECT FROM session_term t WHERE t.session_id = a.session_id AND t.cost_per_head IS NOT NULL)) v
        GROUP  BY v.id, v.year
    ), part AS (
        SELECT p.id, v.key, v.n
        FROM   points p
        CROSS  JOIN LATERAL (VALUES ('ip|n', 1), ('ip|qualification', p.qualification), ('ip|competence', p.competence), ('ip|performance', p.performance), ('ip|discipline', p.discipline)) AS v (key, n)
        WHERE  p.qualification + p.competence + p.performance + p.discipline IS NOT NULL AND v.n <> 0
        UNION  ALL
        SELECT p.id, 'ip|unknown', 1 FROM points p WHERE p.qualification + p.competence + p.performance + p.discipline IS NULL
        UNION  ALL
        SELECT f.id, 'quality|' || v.code || '|' || k.what, 1
        FROM   flag f
        CROSS  JOIN LATERAL (VALUES
                   ('COM_1', f.com_1), ('COM_2', f.com_2), ('COM_3', f.com_3), ('COM_4', f.com_4), ('COM_5', f.com_5), ('COM_6', f.com_6), ('COM_7', f.com_7), ('TIM_1', f.tim_1),
                   ('TIM_3', f.tim_3), ('TIM_4', f.tim_4), ('TIM_5', f.tim_5), ('TIM_6', f.tim_6), ('ACC_1', f.acc_1), ('ACC_3', f.acc_3), ('ACC_4', f.acc_4), ('ACC_5', f.acc_5),
                   ('ACC_6', f.acc_6), ('ACC_7', f.acc_7), ('ACC_9', f.acc_9), ('ACC_10', f.acc_10), ('CON_1', f.con_1), ('CON_2', f.con_2), ('CON_3', f.con_3), ('CON_4', f.con_4))
               AS v (code, is_faulty)
        CROSS  JOIN LATERAL (VALUES ('asked', v.is_faulty IS NOT NULL), ('named', v.is_faulty)) AS k (what, is_so)
        WHERE  k.is_so
        UNION  ALL
        SELECT c.id, concat_ws('|', 'cost', to_char(c.year, 'FM0000'), v.what), v.n
        FROM   cost c CROSS JOIN LATERAL (VALUES ('people', 1::numeric), ('seats', c.seats), ('sessions', c.sessions), ('activities', c.activities)) AS v (what, n)
        WHERE  v.n <> 0
    ), turn AS ( -- when a day alone makes it otherwise: behind a month that ends earlier it is looked at each day until it is
        SELECT d.id, CASE WHEN d.day > today THEN d.day ELSE greatest((d.day + make_interval(months => r.months))::date, today + 1) END AS day
        FROM   done d JOIN who w ON w.id = d.id JOIN rule r ON r.position_kind = w.position_kind AND d.form = ANY (r.forms)
        WHERE  d.day > today OR d.day > (today - make_interval(months => r.months))::date
        UNION  ALL
        SELECT p.id, CASE WHEN p.starts > today THEN p.starts ELSE greatest((p.starts + interval '5 years')::date, today + 1) END
        FROM   penalty p WHERE p.starts > (today - interval '5 years')::date
        UNION  ALL
        SELECT r.id, r.ends_on FROM rated r
        UNION  ALL
        SELECT y.asn_id, make_date(max(y.year) + 3, 1, 1) FROM performance_years y WHERE y.asn_id = ANY (people) AND y.year BETWEEN 1 AND 9000 GROUP BY y.asn_id
        UNION  ALL
        SELECT w.id, v.day
        FROM   who w
        CROSS  JOIN LATERAL (VALUES (make_date(extract(year FROM w.appointed_on)::integer + 2, 1, 1)), (CASE WHEN w.kind <> 'PNS' THEN make_date(extract(year FROM w.appointed_on)::integer, 1, 1) END),
                                    ((w.appointed_on + interval '1 year')::date + 1), ((w.appointed_on + interval '2 years')::date)) AS v (day)
        UNION  ALL
        SELECT d.asn_id, d.due_on FROM due d WHERE d.asn_id = ANY (people) AND d.list = 'retirement'
        UNION  ALL
        SELECT h.asn_id, upper(h.valid) FROM history h WHERE h.asn_id = ANY (people) AND h.kind = 'leave' AND NOT h.is_void
    )
    SELECT w.id, w.unit, coalesce(p.parts, '{}'), least(changes, t.day)
    FROM   who w
    LEFT   JOIN (SELECT g.id, jsonb_object_agg(g.key, g.n) AS parts FROM part g GROUP BY g.id) p ON p.id = w.id
    LEFT   JOIN (SELECT g.id, min(g.day) AS day FROM turn g WHERE g.day > today GROUP BY g.id) t ON t.id = w.id;
END $$;
COMMENT ON FUNCTION index_told(uuid[]) IS
    'What these people add to indices and costs, from their records. Of the staff: ip|n and the points of each dimension (ip|qualification …), or ip|unknown, where a dimension has none; quality|code|asked, and named where quality_flag names them. Of everybody: cost|year|people, seats, sessions and activities in rupiah.';

-- ── putting together ── As staff_refresh() and staff_pending() do, under the same lock: they write the same sums.

CREATE FUNCTION index_refresh(milliseconds integer, most integer DEFAULT 500) RETURNS bigint
LANGUAGE plpgsql SET enable_seqscan = off AS $$
DECLARE
    began  timestamptz := clock_timestamp();
    done   bigint := 0;
    people uuid[];
    differences jsonb;
BEGIN
    IF NOT pg_try_advisory_xact_lock(1918, 36) THEN
        RETURN 0;
    END IF;
    LOOP
        people := ARRAY(SELECT DISTINCT m.asn_id FROM (SELECT k.asn_id FROM index_mark k ORDER BY k.id LIMIT most) m
                        UNION (SELECT k.asn_id FROM index_kept k WHERE k.until <= local_today() LIMIT most));
        EXIT WHEN people = '{}';
        WITH told AS MATERIALIZED (
            SELECT t.* FROM index_told(people) t
        ), seen AS (
            DELETE FROM index_mark m WHERE m.asn_id = ANY (people)
        ), kept AS (
            INSERT INTO index_kept AS k SELECT t.* FROM told t
            ON CONFLICT ON CONSTRAINT index_kept_pkey DO UPDATE SET (unit_id, parts, until) = (EXCLUDED.unit_id, EXCLUDED.parts, EXCLUDED.until)
        ), gone AS (
            DELETE FROM index_kept k WHERE k.asn_id = ANY (people) AND NOT EXISTS (SELECT FROM told t WHERE t.asn_id = k.asn_id)
        )
        SELECT jsonb_agg(jsonb_build_object('unit_id', d.unit_id, 'key', d.key, 'n', d.n)) INTO differences
        FROM   (SELECT v.unit_id, j.key, sum(v.sign * j.value::numeric) AS n
                FROM   (SELECT t.unit_id, t.parts, 1 AS sign FROM told t
                        UNION ALL SELECT k.unit_id, k.parts, -1 FROM index_kept k WHERE k.asn_id = ANY (people)) v
                CROSS  JOIN LATERAL jsonb_each_text(v.parts) j
                GROUP  BY v.unit_id, j.key HAVING sum(v.sign * j.value::numeric) <> 0) d;
        PERFORM staff_add(differences) WHERE differences IS NOT NULL;
        done := done + cardinality(people);
        EXIT WHEN clock_timestamp() > began + make_interval(secs => milliseconds / 1000.0);
    END LOOP;
    RETURN done;
END $$;
COMMENT ON FUNCTION index_refresh(integer, integer) IS
    'For so long, works out anew who is marked or whose day has come, so many people at a time, and brings the sums of indices and costs up to it. Takes those marks away that the same snapshot shows. Gives how many people. Only one at a time works: others give 0.';

CREATE FUNCTION index_pending(first text, behind text) RETURNS TABLE (unit_id uuid, key text, own numeric, n numeric)
LANGUAGE plpgsql STABLE ROWS 50 SET enable_seqscan = off AS $$
DECLARE
    people uuid[] := ARRAY(SELECT m.asn_id FROM index_mark m UNION SELECT k.asn_id FROM index_kept k WHERE k.until <= local_today());
BEGIN
    IF people = '{}' THEN
        RETURN;
    END IF;
    RETURN QUERY
    SELECT b.id, d.key, coalesce(sum(d.n) FILTER (WHERE b.id = d.unit_id), 0), sum(d.n)
    FROM   (SELECT v.unit_id, j.key, sum(v.sign * j.value::numeric) AS n
            FROM   (SELECT t.unit_id, t.parts, 1 AS sign FROM index_told(people) t
                    UNION ALL SELECT k.unit_id, k.parts, -1 FROM index_kept k WHERE k.asn_id = ANY (people)) v
            CROSS  JOIN LATERAL jsonb_each_text(v.parts) j
            WHERE  j.key COLLATE "C" >= first AND j.key COLLATE "C" < behind
            GROUP  BY v.unit_id, j.key HAVING sum(v.sign * j.value::numeric) <> 0) d
    JOIN   unit u ON u.id = d.unit_id
    CROSS  JOIN LATERAL unnest(staff_above(u.path)) AS b (id)
    GROUP  BY b.id, d.key;
END $$;
COMMENT ON FUNCTION index_pending(text, text) IS
    'By how much the sums of indices and costs with keys from `first` to before `behind` are otherwise now than they are kept, for each unit, all above it, and all units together.';

CREATE FUNCTION index_sums(of_units uuid[], first text, behind text) RETURNS TABLE (unit_id uuid, key text, own numeric, n numeric)
LANGUAGE sql STABLE AS $$
    SELECT v.unit_id, v.key, sum(v.own), sum(v.n)
    FROM   (SELECT s.unit_id, s.key, s.own, s.n FROM staff_sum s WHERE s.unit_id = ANY (of_units) AND s.key >= first COLLATE "C" AND s.key < behind COLLATE "C"
            UNION ALL SELECT p.unit_id, p.key, p.own, p.n FROM index_pending(first, behind) p WHERE p.unit_id = ANY (of_units)) v
    GROUP  BY v.unit_id, v.key
    HAVING sum(v.own) <> 0 OR sum(v.n) <> 0
$$;
COMMENT ON FUNCTION index_sums(uuid[], text, text) IS 'Exact sums of indices and costs of these units, of keys from `first` to before `behind`: own, and with all below.';

-- ── what is made of them ─────────────────────────────────────────────────────────────────────────────────────────────────

CREATE FUNCTION ip_asn_sums(which uuid, at date, OUT people bigint, OUT unknown bigint, OUT qualification numeric, OUT competence numeric, OUT performance numeric, OUT discipline numeric)
LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF at = local_today() THEN
        SELECT coalesce(sum(s.n) FILTER (WHERE s.key = 'ip|n'), 0), coalesce(sum(s.n) FILTER (WHERE s.key = 'ip|unknown'), 0), coalesce(sum(s.n) FILTER (WHERE s.key = 'ip|qualification'), 0),
               coalesce(sum(s.n) FILTER (WHERE s.key = 'ip|competence'), 0), coalesce(sum(s.n) FILTER (WHERE s.key = 'ip|performance'), 0), coalesce(sum(s.n) FILTER (WHERE s.key = 'ip|discipline'), 0)
        INTO   people, unknown, qualification, competence, performance, discipline
        FROM   index_sums(ARRAY[which], 'ip|', 'ip}') s;
    ELSE
        SELECT count(w.total), count(*) FILTER (WHERE w.total IS NULL AND NOT w.reasons -> 'unknown' ? 'appointment'), coalesce(sum(w.qualification) FILTER (WHERE w.total IS NOT NULL), 0),
               coalesce(sum(w.competence) FILTER (WHERE w.total IS NOT NULL), 0), coalesce(sum(w.performance) FILTER (WHERE w.total IS NOT NULL), 0),
               coalesce(sum(w.discipline) FILTER (WHERE w.total IS NOT NULL), 0)
        INTO   people, unknown, qualification, competence, performance, discipline
        FROM   unit u
        JOIN   unit b ON b.path <@ u.path
        JOIN   asn a ON a.unit_id = b.id AND a.legal_status IN (SELECT s.code FROM employed_status s)
        CROSS  JOIN LATERAL (SELECT (p.p).* FROM (SELECT ip_asn_of(a.id, at) AS p OFFSET 0) p) w
        WHERE  u.id = which;
    END IF;
END $$;
COMMENT ON FUNCTION ip_asn_sums(uuid, date) IS
    'Of the staff of a unit and all below: how many have an index on a day, how many have none because something is not known, and the sums of the points of those who have. Today''s are kept sums; those of another day are counted from the histories.';

CREATE FUNCTION quality_of(unit_ids uuid[]) RETURNS TABLE (unit_id uuid, counts jsonb)
LANGUAGE sql STABLE AS $$
    SELECT k.unit_id, jsonb_object_agg(k.code, jsonb_build_array(k.asked, k.named))
    FROM   (SELECT s.unit_id, split_part(s.key, '|', 2) AS code, coalesce(sum(s.n) FILTER (WHERE split_part(s.key, '|', 3) = 'asked'), 0)::bigint AS asked,
                   coalesce(sum(s.n) FILTER (WHERE split_part(s.key, '|', 3) = 'named'), 0)::bigint AS named
            FROM   index_sums(unit_ids, 'quality|', 'quality}') s
            GROUP  BY 1, 2) k
    WHERE  k.asked > 0
    GROUP  BY k.unit_id
$$;
COMMENT ON FUNCTION quality_of(uuid[]) IS 'The counts {code: [people asked, people named]} of these units with all below, from kept sums. A unit without people has no row.';

-- quality_rate() of all of them at once: one by one it takes half a millisecond each.
CREATE OR REPLACE FUNCTION quality_index(roots ltree[])
RETURNS TABLE (unit_id uuid, people bigint, counts jsonb, completeness numeric, timeliness numeric, accuracy numeric, consistency numeric, score numeric)
LANGUAGE plpgsql STABLE AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    WITH asked AS MATERIALIZED (
        SELECT t.id FROM unit t WHERE t.path = ANY (roots)
    ), counted AS MATERIALIZED (
        SELECT q.unit_id, q.counts FROM quality_of(ARRAY(SELECT a.id FROM asked a)) q
    ), indicator AS MATERIALIZED (
        SELECT i.code, i.dimension, trunc(i.dimension_weight * 1e6) AS dimension_weight, trunc(i.weight * 1e6) AS weight FROM quality_indicator i WHERE i.is_measured
    ), part AS MATERIALIZED (
        SELECT c.unit_id, i.dimension, i.dimension_weight, i.weight, (k.value ->> 0)::numeric AS asked, (k.value ->> 1)::numeric AS named
        FROM   counted c CROSS JOIN LATERAL jsonb_each(c.counts) k JOIN indicator i ON i.code = k.key
    ), common AS (
        SELECT p.unit_id, p.dimension, product(p.asked) AS all_asked FROM part p GROUP BY p.unit_id, p.dimension
    ), dimension AS MATERIALIZED (
        SELECT p.unit_id, p.dimension, p.dimension_weight, sum(p.weight * (p.asked - p.named) * div(m.all_asked, p.asked)) AS part, sum(p.weight) * m.all_asked AS whole
        FROM   part p JOIN common m USING (unit_id, dimension)
        GROUP  BY p.unit_id, p.dimension, p.dimension_weight, m.all_asked
    ), rate AS (
        SELECT d.unit_id, max(percent_of(d.part, d.whole)) FILTER (WHERE d.dimension = 'COM') AS completeness, max(percent_of(d.part, d.whole)) FILTER (WHERE d.dimension = 'TIM') AS timeliness,
               max(percent_of(d.part, d.whole)) FILTER (WHERE d.dimension = 'ACC') AS accuracy, max(percent_of(d.part, d.whole)) FILTER (WHERE d.dimension = 'CON') AS consistency,
               percent_of(sum(d.dimension_weight * d.part * div(m.wholes, d.whole)), sum(d.dimension_weight) * m.wholes) AS score
        FROM   dimension d JOIN (SELECT o.unit_id, product(o.whole) AS wholes FROM dimension o GROUP BY o.unit_id) m USING (unit_id)
        GROUP  BY d.unit_id, m.wholes
    )
    SELECT a.id, quality_people(coalesce(c.counts, '{}')), coalesce(c.counts, '{}'), r.completeness, r.timeliness, r.accuracy, r.consistency, r.score
    FROM   asked a
    LEFT   JOIN counted c ON c.unit_id = a.id
    LEFT   JOIN rate r ON r.unit_id = a.id;
END $$;
COMMENT ON FUNCTION quality_index(ltree[]) IS 'The index of each of these units with all below it, and the counts {code: [people asked, people named]} of which it is made, from kept sums.';
COMMENT ON FUNCTION quality_counted(ltree[], ltree) IS
    'Of the people of each unit by itself that is below one of the roots and below that one: for each indicator how many it could be asked of, and how many it names, counted from the records: what the kept sums are held against.';

CREATE FUNCTION training_cost(of_unit uuid, in_year integer, more jsonb) RETURNS TABLE (people numeric, seats numeric, sessions numeric, activities numeric)
LANGUAGE sql STABLE AS $$
    SELECT coalesce(sum(k.n) FILTER (WHERE k.what = 'people'), 0), coalesce(sum(k.n) FILTER (WHERE k.what = 'seats'), 0), coalesce(sum(k.n) FILTER (WHERE k.what = 'sessions'), 0),
           coalesce(sum(k.n) FILTER (WHERE k.what = 'activities'), 0)
    FROM   (SELECT split_part(s.key, '|', 3) AS what, s.own AS n FROM staff_sum s
            WHERE  s.unit_id = of_unit AND s.key >= concat('cost|', to_char(in_year, 'FM0000'), '|') AND s.key < concat('cost|', to_char(in_year, 'FM0000'), '}')
            UNION ALL SELECT split_part(j.key, '|', 3), j.value::numeric FROM jsonb_each_text(more) j) k
$$;
COMMENT ON FUNCTION training_cost(uuid, integer, jsonb) IS
    'What trainings of a year cost for the people of a unit by itself: people, seats, rupiah of sessions and of activities. more: what index_pending() gives for the unit and year.';

-- ── what leaves a mark ───────────────────────────────────────────────────────────────────────────────────────────────────

CREATE FUNCTION index_mark_person() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO index_mark (asn_id) SELECT DISTINCT v.id FROM (VALUES (OLD.id), (NEW.id)) AS v (id) WHERE v.id IS NOT NULL;
    IF OLD.position_kind = 'struktural' OR NEW.position_kind = 'struktural' THEN
        INSERT INTO index_mark (asn_id) SELECT a.id FROM asn a WHERE a.unit_id IN (OLD.unit_id, NEW.unit_id) AND a.position_kind = 'struktural';
    END IF;
    RETURN NULL;
END $$;
COMMENT ON FUNCTION index_mark_person() IS 'Marks a person who is made, changed or deleted; and of a structural post those of the unit, of whom one may hold the same (TIM_4).';
CREATE TRIGGER asn_71_index AFTER INSERT OR DELETE ON asn FOR EACH ROW EXECUTE FUNCTION index_mark_person();
CREATE TRIGGER asn_71_index_update AFTER UPDATE ON asn FOR EACH ROW
    WHEN ((OLD.unit_id, OLD.nip, OLD.kind, OLD.birth_date, OLD.sex, OLD.nik, OLD.position_kind, OLD.position, OLD.echelon, OLD.rank, OLD.education_level, OLD.title_front, OLD.title_back,
           OLD.legal_status, OLD.email, OLD.phone, OLD.appointed_on)
          IS DISTINCT FROM
          (NEW.unit_id, NEW.nip, NEW.kind, NEW.birth_date, NEW.sex, NEW.nik, NEW.position_kind, NEW.position, NEW.echelon, NEW.rank, NEW.education_level, NEW.title_front, NEW.title_back,
           NEW.legal_status, NEW.email, NEW.phone, NEW.appointed_on))
    EXECUTE FUNCTION index_mark_person();

CREATE FUNCTION index_mark_unit() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO index_mark (asn_id) SELECT a.id FROM asn a WHERE a.unit_id = NEW.id;
    RETURN NULL;
END $$;
COMMENT ON FUNCTION index_mark_unit() IS 'Marks the people of a unit that is closed or opened again (TIM_1).';
CREATE TRIGGER unit_71_index AFTER UPDATE ON unit FOR EACH ROW WHEN (OLD.is_active <> NEW.is_active) EXECUTE FUNCTION index_mark_unit();

CREATE FUNCTION index_mark_history() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO index_mark (asn_id) SELECT DISTINCT e.asn_id FROM entered e WHERE e.kind IN ('course', 'discipline', 'leave', 'performance', 'appointment');
    RETURN NULL;
END $$;
COMMENT ON FUNCTION index_mark_history() IS 'Marks whose histories a statement changed, of the kinds that indices look at.';
CREATE TRIGGER history_71_index_insert AFTER INSERT ON history REFERENCING NEW TABLE AS entered FOR EACH STATEMENT EXECUTE FUNCTION index_mark_history();
CREATE TRIGGER history_71_index_update AFTER UPDATE ON history REFERENCING NEW TABLE AS entered FOR EACH STATEMENT EXECUTE FUNCTION index_mark_history();
CREATE TRIGGER history_71_index_before AFTER UPDATE ON history REFERENCING OLD TABLE AS entered FOR EACH STATEMENT EXECUTE FUNCTION index_mark_history();
CREATE TRIGGER history_71_index_delete AFTER DELETE ON history REFERENCING OLD TABLE AS entered FOR EACH STATEMENT EXECUTE FUNCTION index_mark_history();

CREATE FUNCTION index_mark_due() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO index_mark (asn_id) SELECT DISTINCT e.asn_id FROM entered e WHERE e.list = 'retirement';
    RETURN NULL;
END $$;
COMMENT ON FUNCTION index_mark_due() IS 'Marks whose day of retirement a statement changed (TIM_5).';
CREATE TRIGGER due_71_index_insert AFTER INSERT ON due REFERENCING NEW TABLE AS entered FOR EACH STATEMENT EXECUTE FUNCTION index_mark_due();
CREATE TRIGGER due_71_index_update AFTER UPDATE ON due REFERENCING NEW TABLE AS entered FOR EACH STATEMENT EXECUTE FUNCTION index_mark_due();
CREATE TRIGGER due_71_index_before AFTER UPDATE ON due REFERENCING OLD TABLE AS entered FOR EACH STATEMENT EXECUTE FUNCTION index_mark_due();
CREATE TRIGGER due_71_index_delete AFTER DELETE ON due REFERENCING OLD TABLE AS entered FOR EACH STATEMENT EXECUTE FUNCTION index_mark_due();

CREATE FUNCTION index_mark_rated() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO index_mark (asn_id) SELECT DISTINCT v.id FROM (VALUES (OLD.asn_id), (NEW.asn_id)) AS v (id) WHERE v.id IS NOT NULL;
    RETURN NULL;
END $$;
COMMENT ON FUNCTION index_mark_rated() IS 'Marks whom an evaluation is of, and was of.';
CREATE TRIGGER evaluation_71_index AFTER INSERT OR DELETE ON evaluation FOR EACH ROW EXECUTE FUNCTION index_mark_rated();
CREATE TRIGGER evaluation_71_index_update AFTER UPDATE ON evaluation FOR EACH ROW
    WHEN ((OLD.asn_id, OLD.period_id, OLD.state, OLD.predicate, OLD.supersedes) IS DISTINCT FROM (NEW.asn_id, NEW.period_id, NEW.state, NEW.predicate, NEW.supersedes))
    EXECUTE FUNCTION index_mark_rated();

CREATE FUNCTION index_mark_period() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO index_mark (asn_id) SELECT DISTINCT e.asn_id FROM evaluation e WHERE e.period_id = NEW.id;
    RETURN NULL;
END $$;
COMMENT ON FUNCTION index_mark_period() IS 'Marks who is evaluated in a period that ends on another day, or is of another kind.';
CREATE TRIGGER period_71_index AFTER UPDATE ON period FOR EACH ROW WHEN ((OLD.kind, OLD.ends_on) IS DISTINCT FROM (NEW.kind, NEW.ends_on)) EXECUTE FUNCTION index_mark_period();

-- An enrolment that neither is passed nor has a cost adds nothing, and leaves nothing here.
CREATE FUNCTION index_mark_enrolled() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO index_mark (asn_id)
    SELECT DISTINCT e.asn_id FROM entered e WHERE e.jp IS NOT NULL OR EXISTS (SELECT FROM session_term t WHERE t.session_id = e.session_id AND t.cost_per_head IS NOT NULL);
    RETURN NULL;
END $$;
COMMENT ON FUNCTION index_mark_enrolled() IS 'Marks whose enrolments a statement changed.';
CREATE TRIGGER enrolment_71_index_insert AFTER INSERT ON enrolment REFERENCING NEW TABLE AS entered FOR EACH STATEMENT EXECUTE FUNCTION index_mark_enrolled();
CREATE TRIGGER enrolment_71_index_update AFTER UPDATE ON enrolment REFERENCING NEW TABLE AS entered FOR EACH STATEMENT EXECUTE FUNCTION index_mark_enrolled();
CREATE TRIGGER enrolment_71_index_before AFTER UPDATE ON enrolment REFERENCING OLD TABLE AS entered FOR EACH STATEMENT EXECUTE FUNCTION index_mark_enrolled();
CREATE TRIGGER enrolment_71_index_delete AFTER DELETE ON enrolment REFERENCING OLD TABLE AS entered FOR EACH STATEMENT EXECUTE FUNCTION index_mark_enrolled();

CREATE FUNCTION index_mark_attending(sessions uuid[]) RETURNS void
LANGUAGE sql AS $$
    INSERT INTO index_mark (asn_id)
    SELECT e.asn_id FROM enrolment e WHERE e.session_id = ANY (sessions)
    UNION  SELECT p.asn_id FROM activity a JOIN activity_participant p ON p.activity_id = a.id WHERE a.session_id = ANY (sessions) AND p.asn_id IS NOT NULL
$$;
COMMENT ON FUNCTION index_mark_attending(uuid[]) IS 'Marks who is enrolled in these sessions, or takes part in an activity that one of them is.';

CREATE FUNCTION index_mark_session() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF TG_TABLE_NAME = 'session' THEN
        PERFORM index_mark_attending(ARRAY[NEW.id]);
    ELSIF TG_TABLE_NAME = 'session_term' THEN
        PERFORM index_mark_attending(ARRAY[OLD.session_id, NEW.session_id]);
    ELSE
        PERFORM index_mark_attending(ARRAY(SELECT s.id FROM session s WHERE s.programme_id = NEW.id));
    END IF;
    RETURN NULL;
END $$;
COMMENT ON FUNCTION index_mark_session() IS 'Marks who attends a session whose day, state or cost, or whose programme''s form, is otherwise now.';
CREATE TRIGGER session_71_index AFTER UPDATE ON session FOR EACH ROW
    WHEN ((OLD.starts_on, OLD.state, OLD.programme_id) IS DISTINCT FROM (NEW.starts_on, NEW.state, NEW.programme_id)) EXECUTE FUNCTION index_mark_session();
CREATE TRIGGER session_term_71_index AFTER INSERT OR DELETE ON session_term FOR EACH ROW EXECUTE FUNCTION index_mark_session();
CREATE TRIGGER session_term_71_index_update AFTER UPDATE ON session_term FOR EACH ROW
    WHEN ((OLD.session_id, OLD.cost_per_head) IS DISTINCT FROM (NEW.session_id, NEW.cost_per_head)) EXECUTE FUNCTION index_mark_session();
CREATE TRIGGER programme_71_index AFTER UPDATE ON programme FOR EACH ROW WHEN (OLD.form <> NEW.form) EXECUTE FUNCTION index_mark_session();

CREATE FUNCTION index_mark_activity() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF TG_TABLE_NAME = 'activity' THEN
        INSERT INTO index_mark (asn_id) SELECT p.asn_id FROM activity_participant p WHERE p.activity_id = NEW.id AND p.asn_id IS NOT NULL;
    ELSE
        INSERT INTO index_mark (asn_id)
        SELECT p.asn_id FROM activity_participant p WHERE p.activity_id IN (OLD.activity_id, NEW.activity_id) AND p.asn_id IS NOT NULL
        UNION  SELECT v.id FROM (VALUES (OLD.asn_id), (NEW.asn_id)) AS v (id) WHERE v.id IS NOT NULL;
    END IF;
    RETURN NULL;
END $$;
COMMENT ON FUNCTION index_mark_activity() IS 'Marks who takes part in an activity whose cost, day or state is otherwise now, or in which others take part: they share its cost.';
CREATE TRIGGER activity_71_index AFTER UPDATE ON activity FOR EACH ROW
    WHEN ((OLD.starts_on, OLD.state, OLD.cost_planned, OLD.cost_spent, OLD.our_share_percent, OLD.session_id)
          IS DISTINCT FROM (NEW.starts_on, NEW.state, NEW.cost_planned, NEW.cost_spent, NEW.our_share_percent, NEW.session_id)) EXECUTE FUNCTION index_mark_activity();
CREATE TRIGGER activity_participant_71_index AFTER INSERT OR UPDATE OR DELETE ON activity_participant FOR EACH ROW EXECUTE FUNCTION index_mark_activity();

CREATE FUNCTION index_mark_rules() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO index_mark (asn_id) SELECT a.id FROM asn a
    WHERE  EXISTS (SELECT FROM entered e
                   WHERE  e.list IN ('legal-status', 'education-level', 'functional-level', 'echelon', 'position-level', 'rank-pns', 'data-quality-indicator'));
    RETURN NULL;
END $$;
COMMENT ON FUNCTION index_mark_rules() IS 'Marks everybody: a list by which the quality of data is judged has changed.';
CREATE TRIGGER reference_71_index_insert AFTER INSERT ON reference REFERENCING NEW TABLE AS entered FOR EACH STATEMENT EXECUTE FUNCTION index_mark_rules();
CREATE TRIGGER reference_71_index_update AFTER UPDATE ON reference REFERENCING NEW TABLE AS entered FOR EACH STATEMENT EXECUTE FUNCTION index_mark_rules();
CREATE TRIGGER reference_71_index_delete AFTER DELETE ON reference REFERENCING OLD TABLE AS entered FOR EACH STATEMENT EXECUTE FUNCTION index_mark_rules();

CREATE FUNCTION index_mark_all() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO index_mark (asn_id) SELECT a.id FROM asn a;
    RETURN NULL;
END $$;
COMMENT ON FUNCTION index_mark_all() IS 'Marks everybody: the tables of the index of professionalism have changed.';
CREATE TRIGGER ip_asn_score_71_index AFTER INSERT OR UPDATE OR DELETE ON ip_asn_score FOR EACH STATEMENT EXECUTE FUNCTION index_mark_all();
CREATE TRIGGER ip_asn_component_71_index AFTER INSERT OR UPDATE OR DELETE ON ip_asn_component FOR EACH STATEMENT EXECUTE FUNCTION index_mark_all();

CREATE FUNCTION index_drop() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM index_kept k USING departed o WHERE k.unit_id = o.id;
    RETURN NULL;
END $$;
COMMENT ON FUNCTION index_drop() IS 'What was kept of people goes with the unit, whose sums staff_drop() takes away.';
CREATE TRIGGER unit_71_index_delete AFTER DELETE ON unit REFERENCING OLD TABLE AS departed FOR EACH STATEMENT EXECUTE FUNCTION index_drop();

-- ── are they right? ──────────────────────────────────────────────────────────────────────────────────────────────────────

CREATE FUNCTION index_counted() RETURNS TABLE (unit_id uuid, key text, n numeric)
LANGUAGE sql STABLE AS $$
    SELECT a.unit_id, v.key, sum(v.n)
    FROM   asn a
    CROSS  JOIN LATERAL (SELECT (p.p).* FROM (SELECT ip_asn_of(a.id, local_today()) AS p OFFSET 0) p) w
    CROSS  JOIN LATERAL (VALUES ('ip|n', 1), ('ip|qualification', w.qualification), ('ip|competence', w.competence), ('ip|performance', w.performance), ('ip|discipline', w.discipline)) AS v (key, n)
    WHERE  a.legal_status IN (SELECT s.code FROM employed_status s) AND w.total IS NOT NULL
    GROUP  BY a.unit_id, v.key
    UNION  ALL
    SELECT a.unit_id, 'ip|unknown', count(*) FROM asn a WHERE a.legal_status IN (SELECT s.code FROM employed_status s) AND (ip_asn_of(a.id, local_today())).total IS NULL GROUP BY a.unit_id
    UNION  ALL
    SELECT q.unit_id, 'quality|' || q.code || '|' || v.what, v.n FROM quality_counted(ARRAY['']::ltree[], '') q CROSS JOIN LATERAL (VALUES ('asked', q.asked), ('named', q.named)) AS v (what, n)
    UNION  ALL
    SELECT c.unit_id, concat_ws('|', 'cost', to_char(c.year, 'FM0000'), v.what), v.n
    FROM   (SELECT n.unit_id, k.year, count(DISTINCT k.asn_id) AS people, count(*) AS seats, sum(k.of_session) AS sessions, sum(k.of_activity) AS activities
            FROM   (SELECT e.asn_id, t.cost_per_head AS of_session, 0::numeric AS of_activity, extract(year FROM s.starts_on)::integer AS year
                    FROM   session s
                    JOIN   session_term t ON t.session_id = s.id AND t.cost_per_head IS NOT NULL
                    JOIN   enrolment e ON e.session_id = s.id AND enrolment_holds_seat(e.state)
                    WHERE  s.state <> 'cancelled'
                    UNION  ALL
                    SELECT p.asn_id, 0, coalesce(a.cost_spent, a.cost_planned, 0) * a.our_share_percent / 100 / (SELECT count(*) FROM activity_participant o WHERE o.activity_id = a.id),
                           extract(year FROM a.starts_on)::integer
                    FROM   activity a JOIN activity_participant p ON p.activity_id = a.id AND p.asn_id IS NOT NULL
                    WHERE  a.state <> 'cancelled' AND NOT EXISTS (SELECT FROM session_term t WHERE t.session_id = a.session_id AND t.cost_per_head IS NOT NULL)) k
            JOIN   asn n ON n.id = k.asn_id
            GROUP  BY n.unit_id, k.year) c
    CROSS  JOIN LATERAL (VALUES ('people', c.people::numeric), ('seats', c.seats), ('sessions', c.sessions), ('activities', c.activities)) AS v (what, n)
$$;
COMMENT ON FUNCTION index_counted() IS 'The sums of indices and costs of units alone, counted from all records, each person by himself: what the kept ones are held against.';

CREATE OR REPLACE VIEW staff_difference AS
SELECT coalesce(k.unit_id, r.unit_id) AS unit_id, coalesce(k.key, r.key) AS key, coalesce(k.own, 0) AS kept_own, coalesce(r.own, 0) AS counted_own,
       coalesce(k.n, 0) AS kept, coalesce(r.n, 0) AS counted
FROM   (SELECT v.unit_id, v.key COLLATE "C" AS key, sum(v.own) AS own, sum(v.n) AS n
        FROM   (SELECT s.unit_id, s.key, s.own, s.n FROM staff_sum s
                UNION ALL SELECT p.unit_id, p.key, p.own, p.n FROM staff_pending('', '~') p
                UNION ALL SELECT p.unit_id, p.key, p.own, p.n FROM index_pending('', '~') p) v
        GROUP  BY 1, 2) k
FULL   JOIN (SELECT c.unit_id, c.key COLLATE "C" AS key, c.own, c.n FROM staff_counted() c
             UNION ALL
             SELECT b.id, c.key COLLATE "C", coalesce(sum(c.n) FILTER (WHERE b.id = c.unit_id), 0), sum(c.n)
             FROM   index_counted() c JOIN unit u ON u.id = c.unit_id CROSS JOIN LATERAL unnest(staff_above(u.path)) AS b (id)
             GROUP  BY b.id, c.key) r ON (r.unit_id, r.key) = (k.unit_id, k.key)
WHERE  (coalesce(k.own, 0), coalesce(k.n, 0)) <> (coalesce(r.own, 0), coalesce(r.n, 0));

INSERT INTO index_mark (asn_id) SELECT a.id FROM asn a;
SELECT index_refresh(2000000000, 5000);

-- ── open figures ── Of people and complaints too from kept sums: what there is to count are the units that serve.

CREATE OR REPLACE FUNCTION open_people(in_year integer) RETURNS TABLE (service_unit_id uuid, code text, value numeric, n bigint, smallest bigint)
LANGUAGE sql STABLE AS $$
    SELECT v.id, 'training_attainment', round(h.met * 100 / nullif(h.people, 0), 2), h.people::bigint, least(h.met, h.people - h.met)::bigint
    FROM   service_unit v
    LEFT   JOIN (SELECT p.unit_id, jsonb_object_agg(p.key, p.n) AS parts FROM staff_pending('floor|', 'hours}') p GROUP BY p.unit_id) m ON m.unit_id = v.unit_id
    CROSS  JOIN LATERAL learning_attained(v.unit_id, in_year, m.parts) h
    WHERE  v.is_active
    UNION  ALL
    SELECT k.id, 'predicate_' || w.predicate, w.people, k.rated, CASE WHEN w.people < 5 THEN w.people WHEN w.is_hidden THEN -1 ELSE w.people END
    FROM   (SELECT v.id, coalesce(sum(s.n), 0)::bigint AS rated,
                   ARRAY[coalesce(sum(s.n) FILTER (WHERE s.predicate = 'sangat_baik'), 0), coalesce(sum(s.n) FILTER (WHERE s.predicate = 'baik'), 0),
                         coalesce(sum(s.n) FILTER (WHERE s.predicate = 'butuh_perbaikan'), 0), coalesce(sum(s.n) FILTER (WHERE s.predicate = 'kurang'), 0),
                         coalesce(sum(s.n) FILTER (WHERE s.predicate = 'sangat_kurang'), 0)]::bigint[] AS counts
            FROM   service_unit v
            JOIN   (SELECT p.id FROM period p WHERE p.kind = 'tahunan' AND p.is_closed AND extract(year FROM p.ends_on) = in_year
                    ORDER  BY p.ends_on DESC LIMIT 1) d ON true
            LEFT   JOIN (SELECT x.unit_id, split_part(x.key, '|', 2)::uuid AS period_id, split_part(x.key, '|', 4) AS predicate, x.n
                         FROM   staff_sums(ARRAY(SELECT o.unit_id FROM service_unit o WHERE o.is_active), 'rated|', 'rated}') x
                         WHERE  split_part(x.key, '|', 3) = 'final') s ON s.unit_id = v.unit_id AND s.period_id = d.id
            WHERE  v.is_active
            GROUP  BY v.id) k
    CROSS  JOIN LATERAL unnest('{sangat_baik,baik,butuh_perbaikan,kurang,sangat_kurang}'::text[], k.counts, open_hidden(k.counts)) AS w (predicate, people, is_hidden)
$$;
COMMENT ON FUNCTION open_people(integer) IS
    'Figures of the staff of each unit that serves, from kept sums. smallest: of how many people the smallest group beside it is; -1: it would tell of a group that is suppressed.';

CREATE OR REPLACE FUNCTION open_work_out_counted(in_year integer, today date) RETURNS TABLE (service_unit_id uuid, unit_name text, code text, value numeric, n bigint, reason text)
LANGUAGE sql STABLE AS $$
    WITH place AS (
        SELECT v.id, v.unit_id, v.name,
               EXISTS (SELECT FROM service_unit o JOIN unit b ON b.id = o.unit_id WHERE o.is_active AND o.id <> v.id AND b.path <@ u.path) AS is_nested
        FROM   service_unit v JOIN unit u ON u.id = v.unit_id
        WHERE  v.is_active
    ), served AS (
        SELECT f.key, sum(f.waiting_sum) AS waiting_sum, sum(f.waiting_n)::bigint AS waiting_n, sum(f.finished)::bigint AS finished, sum(f.on_time) AS on_time,
               sum(f.promised)::bigint AS promised
        FROM   service_figures('unit', ARRAY(SELECT p.unit_id FROM place p), make_date(in_year, 1, 1), make_date(in_year, 12, 1)) f
        GROUP  BY f.key
    ), complained AS (
        SELECT p.id, sum(s.n) FILTER (WHERE s.key = 'complaint|received')::bigint AS received, coalesce(sum(s.n) FILTER (WHERE s.key = 'complaint|answered'), 0)::bigint AS answered,
               coalesce(sum(s.n) FILTER (WHERE s.key = 'complaint|bound'), 0)::bigint AS bound, coalesce(sum(s.n) FILTER (WHERE s.key = 'complaint|in_time'), 0)::bigint AS in_time
        FROM   place p
        JOIN   (SELECT k.unit_id, k.key, k.own AS n, k.month FROM unit_service_sum k WHERE k.unit_id = ANY (ARRAY(SELECT o.unit_id FROM place o))
                UNION ALL SELECT k.unit_id, k.key, k.n, k.month FROM unit_service_pending() k) s ON s.unit_id = p.unit_id
        WHERE  s.month BETWEEN make_date(in_year, 1, 1) AND make_date(in_year, 12, 1) AND s.key IN ('complaint|received', 'complaint|answered', 'complaint|bound', 'complaint|in_time')
        GROUP  BY p.id
        HAVING sum(s.n) FILTER (WHERE s.key = 'complaint|received') > 0
    ), told AS (
        SELECT p.id, g.code, g.value, g.n
        FROM   place p
        LEFT   JOIN served s ON s.key = p.unit_id
        LEFT   JOIN complained c ON c.id = p.id
        CROSS  JOIN LATERAL open_satisfaction(p.id, in_year) i
        CROSS  JOIN LATERAL (VALUES
            ('index', i.value, i.n), ('waiting_mean', round(s.waiting_sum / nullif(s.waiting_n, 0), 2), s.waiting_n), ('tickets_finished', s.finished, s.finished),
            ('on_time_rate', round(100.0 * s.on_time / nullif(s.promised, 0), 2), s.promised), ('complaints_received', c.received, c.received),
            ('complaints_answered_rate', round(100.0 * c.answered / nullif(c.received, 0), 2), c.received),
            ('complaints_in_time_rate', round(100.0 * c.in_time / nullif(c.bound, 0), 2), c.bound)) AS g (code, value, n)
    ), judged AS (
        SELECT t.id, t.code, t.value, t.n, CASE WHEN coalesce(t.n, 0) = 0 THEN 'none' WHEN t.n < 5 THEN 'few' END AS reason FROM told t
        UNION  ALL
        SELECT p.id, d.code, w.value, w.n,
               CASE WHEN p.is_nested THEN 'nested'
                    WHEN in_year >= extract(year FROM today) OR w.code IS NULL THEN 'running'
                    WHEN w.n = 0 THEN 'none'
                    WHEN w.n < 5 THEN 'few'
                    WHEN w.smallest = -1 THEN 'others'
                    WHEN w.smallest < 5 THEN 'few' END
        FROM   place p
        JOIN   open_definition d ON d.inside IN ('listLearningAttainment', 'getDistribution')
        LEFT   JOIN open_people(in_year) w ON w.service_unit_id = p.id AND w.code = d.code
    )
    SELECT p.id, p.name, j.code, CASE WHEN j.reason IS NULL THEN j.value END, CASE WHEN j.reason IS NULL OR j.reason IN ('others', 'few') AND j.n >= 5 THEN j.n END, j.reason
    FROM   judged j JOIN place p ON p.id = j.id
$$;
COMMENT ON FUNCTION open_work_out_counted(integer, date) IS
    'The figures of a year that come from records, put together from kept sums. Fewer than five are suppressed; of people also what would tell a suppressed group, and whatever lies above another unit that serves.';

SELECT audit_quietly('{audit_exempt, row_definer, export_exempt}', $q$
    INSERT INTO audit_exempt (relation, reason) VALUES
        ('index_kept', 'Worked out of records, histories, evaluations, enrolments and activities'),
        ('index_mark', 'To-do list of staff_sum');
    INSERT INTO export_exempt (relation, reason) VALUES
        ('index_kept', 'Worked out of the record, for sums of units'),
        ('index_mark', 'To-do list of index_kept');
    INSERT INTO row_definer (function, reason) VALUES ('activity_heads', 'How many share a cost: gives a number')
$q$);

SELECT audit_attach();
SELECT row_security_attach();
