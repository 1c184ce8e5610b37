-- Figures of the staff of each unit with all that is below it, kept as sums: counts by rank, age and the like, ratings by period, learning hours by year. Whatever changes somebody
-- leaves a mark; a reader works out anew what is marked, and takes the rest as it stands. Why it is made so: docs/kept-sums.md.

CREATE TABLE staff_sum (
    unit_id uuid             NOT NULL,
    key     text COLLATE "C" NOT NULL,
    own     numeric          NOT NULL,
    n       numeric          NOT NULL,
    CONSTRAINT staff_sum_pkey PRIMARY KEY (unit_id, key)
) WITH (fillfactor = 80);
COMMENT ON TABLE staff_sum IS 'What staff_kept adds up to, for each unit. Nobody writes here but staff_refresh(), and a unit that moves.';
COMMENT ON COLUMN staff_sum.unit_id IS 'unit.id; zeros: of all units';
COMMENT ON COLUMN staff_sum.key IS 'What is counted: see staff_told()';
COMMENT ON COLUMN staff_sum.own IS 'Of the people of this unit alone';
COMMENT ON COLUMN staff_sum.n IS 'With all below it';

CREATE TABLE staff_kept (
    asn_id  uuid  CONSTRAINT staff_kept_pkey PRIMARY KEY,
    unit_id uuid  NOT NULL,
    parts   jsonb NOT NULL,
    until   date
);
CREATE INDEX staff_kept_until_idx ON staff_kept (until) WHERE until IS NOT NULL;
COMMENT ON TABLE staff_kept IS 'What each person adds to staff_sum: staff_told() as it last was.';
COMMENT ON COLUMN staff_kept.asn_id IS 'asn.id';
COMMENT ON COLUMN staff_kept.unit_id IS 'unit.id';
COMMENT ON COLUMN staff_kept.parts IS 'Key → number';
COMMENT ON COLUMN staff_kept.until IS 'From this day on it may be otherwise (the next age group); null: never by itself';

CREATE TABLE staff_mark (
    id     bigint CONSTRAINT staff_mark_pkey PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    asn_id uuid   NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);
CREATE INDEX staff_mark_asn_idx ON staff_mark (asn_id);
COMMENT ON TABLE staff_mark IS 'Whose part of staff_sum may be otherwise since it was put together.';
COMMENT ON COLUMN staff_mark.id IS 'Number';
COMMENT ON COLUMN staff_mark.asn_id IS 'asn.id';

CREATE FUNCTION staff_above(path ltree) RETURNS uuid[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN '{00000000-0000-0000-0000-000000000000}'::uuid[] || string_to_array(path::text, '.')::uuid[];
COMMENT ON FUNCTION staff_above(ltree) IS 'All units; then the unit and those above it, the highest first. Labels of a path are ids.';

-- ── what a person adds ───────────────────────────────────────────────────────────────────────────────────────────────────

CREATE FUNCTION staff_told(people uuid[]) RETURNS TABLE (asn_id uuid, unit_id uuid, parts jsonb, until date)
LANGUAGE plpgsql STABLE AS $$
DECLARE
    today    date := local_today();
    employed text[] := ARRAY(SELECT s.code FROM employed_status s);
    changes  date := (SELECT min(d.day) FROM reference r CROSS JOIN LATERAL (VALUES (lower(r.valid)), (upper(r.valid))) AS d (day)
                      WHERE  r.list = 'legal-status' AND d.day > today);
BEGIN
    RETURN QUERY
    WITH who AS MATERIALIZED (
        SELECT a.id, a AS me, a.legal_status = ANY (employed) AS is_staff, extract(year FROM age(today, a.birth_date))::integer / 5 * 5 AS age FROM asn a WHERE a.id = ANY (people)
    ), part AS (
        SELECT w.id, v.key, 1::numeric AS n
        FROM   who w
        CROSS  JOIN LATERAL (VALUES
            ('staff|' || (w.me).sex),
            (concat_ws('|', 'rank', CASE WHEN (w.me).rank IS NULL THEN '-' WHEN (w.me).rank_kind = 'PNS' THEN 'rank-pns' ELSE 'rank-pppk' END, coalesce((w.me).rank, '-'), (w.me).sex)),
            (concat_ws('|', 'echelon', 'echelon', coalesce((w.me).echelon, '-'), (w.me).sex)),
            (concat_ws('|', 'education', 'education-level', coalesce((w.me).education_level, '-'), (w.me).sex)),
            (concat_ws('|', 'kind', 'employee-kind', (w.me).kind, (w.me).sex)),
            (concat_ws('|', 'position-kind', 'position-kind', coalesce((w.me).position_kind, '-'), (w.me).sex)),
            (concat_ws('|', 'status', 'legal-status', (w.me).legal_status, (w.me).sex)),
            (concat_ws('|', 'age', 'age', to_char(w.age, 'FM000'), (w.me).sex))) AS v (key)
        WHERE  w.is_staff
        UNION  ALL
        SELECT e.asn_id, concat_ws('|', 'rated', e.period_id, e.state, coalesce(CASE e.state WHEN 'final' THEN e.predicate ELSE c.predicate END, '-'),
                                   CASE WHEN w.is_staff THEN 'staff' ELSE 'gone' END), 1
        FROM   who w
        JOIN   evaluation e ON e.asn_id = w.id AND NOT EXISTS (SELECT FROM evaluation n WHERE n.supersedes = e.id)
        LEFT   JOIN predicate_cell c ON (c.results_rating, c.behaviour_rating) = (e.results_rating, e.behaviour_rating)
        UNION  ALL
        SELECT s.id, concat_ws('|', 'floor', v.kind, to_char(s.year, 'FM0000')), v.n
        FROM   (SELECT y.id, y.year, k.kind, lag(k.kind) OVER (PARTITION BY y.id ORDER BY y.year) AS earlier
                FROM   (SELECT w.id, (w.me).rank_kind, 0 AS year FROM who w WHERE w.is_staff
                        UNION
                        SELECT w.id, (w.me).rank_kind, extract(year FROM d.day)::integer
                        FROM   who w
                        JOIN   history h ON h.asn_id = w.id AND h.kind = 'appointment' AND NOT h.is_void
                        CROSS  JOIN LATERAL (VALUES (lower(h.valid)), (upper(h.valid))) AS d (day)
                        WHERE  w.is_staff AND d.day IS NOT NULL) y
                LEFT   JOIN LATERAL (SELECT h.facts ->> 'kind' AS kind FROM history h
                                     WHERE  y.year > 0 AND h.asn_id = y.id AND h.kind = 'appointment' AND NOT h.is_void AND h.valid @> make_date(greatest(y.year, 1), 12, 31) LIMIT 1) p
                       ON true
                CROSS  JOIN LATERAL (SELECT CASE WHEN p.kind IS NULL THEN y.rank_kind WHEN p.kind IN ('PNS', 'CPNS') THEN 'PNS' ELSE 'PPPK' END AS kind) k) s
        CROSS  JOIN LATERAL (VALUES (s.kind, 1), (s.earlier, -1)) AS v (kind, n)
        WHERE  s.kind IS DISTINCT FROM s.earlier AND v.kind IS NOT NULL
        UNION  ALL
        SELECT t.id, concat_ws('|', 'hours', to_char(t.year, 'FM0000'), v.what), v.n
        FROM   (SELECT w.id, y.year, p.rule_kind, r.floor_jp, coalesce(sum(e.counted_jp), 0) AS total, coalesce(sum(e.counted_jp) FILTER (WHERE e.share = 70), 0) AS work,
                       coalesce(sum(e.counted_jp) FILTER (WHERE e.share = 20), 0) AS others
                FROM   who w
                JOIN   (SELECT DISTINCT l.asn_id, extract(year FROM l.period_from)::integer + g AS year FROM learning_entry l, generate_series(0, 1) g
                        WHERE  l.asn_id = ANY (people)) y ON y.asn_id = w.id
                CROSS  JOIN LATERAL learning_period(w.me, make_date(y.year, 12, 31)) p
                JOIN   LATERAL (SELECT l.floor_jp FROM learning_rule l WHERE l.kind = p.rule_kind AND l.valid_from <= y.year ORDER BY l.valid_from DESC LIMIT 1) r
                       ON r.floor_jp IS NOT NULL
                JOIN   learning_entry e ON e.asn_id = w.id AND (e.rule_kind, e.period_from) = (p.rule_kind, p.period_from)
                WHERE  w.is_staff
                GROUP  BY w.id, y.year, p.rule_kind, r.floor_jp) t
        CROSS  JOIN LATERAL (VALUES ('n|' || t.rule_kind, 1), ('met', (t.total >= t.floor_jp)::integer), ('total', t.total), ('short', greatest(t.floor_jp - t.total, 0)),
                                    ('work', t.work), ('others', t.others)) AS v (what, n)
        WHERE  v.n <> 0
    )
    SELECT w.id, (w.me).unit_id, coalesce(p.parts, '{}'),
           least(changes, CASE WHEN w.is_staff THEN greatest(((w.me).birth_date + make_interval(years => w.age + 5))::date, today + 1) END)
    FROM   who w
    LEFT   JOIN (SELECT s.id, jsonb_object_agg(s.key, s.n) AS parts FROM (SELECT q.id, q.key, sum(q.n) AS n FROM part q GROUP BY q.id, q.key) s WHERE s.n <> 0 GROUP BY s.id) p
           ON p.id = w.id;
END $$;
COMMENT ON FUNCTION staff_told(uuid[]) IS
    'What these people add, from their records. Of the staff: staff|sex; rank, echelon, education, kind, position-kind, status and age, each |list|code|sex, - where it is not known (age: its group of five years); floor|PNS or PPPK|year since which they are that at the year''s end (-1: are no longer); hours|year|what of those who have any: n|PNS or PPPK, met (the floor), total, short, work and others in JP. Of everybody who has one: rated|period|state|predicate (of a draft that which it would have)|staff or gone.';

-- ── putting together ─────────────────────────────────────────────────────────────────────────────────────────────────────

CREATE FUNCTION staff_add(differences jsonb) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO staff_sum AS s (unit_id, key, own, n)
    SELECT b.id, d.key, coalesce(sum(d.n) FILTER (WHERE b.id = d.unit_id), 0), sum(d.n)
    FROM   jsonb_to_recordset(differences) AS d (unit_id uuid, key text, n numeric)
    JOIN   unit u ON u.id = d.unit_id
    CROSS  JOIN LATERAL unnest(staff_above(u.path)) AS b (id)
    GROUP  BY b.id, d.key
    ON CONFLICT ON CONSTRAINT staff_sum_pkey DO UPDATE SET own = s.own + EXCLUDED.own, n = s.n + EXCLUDED.n;
END $$;
COMMENT ON FUNCTION staff_add(jsonb) IS 'Adds to the sums of units and of those above them: an array of unit_id, key, n.';

CREATE FUNCTION staff_refresh(milliseconds integer, most integer DEFAULT 500) RETURNS bigint
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
        people := ARRAY(SELECT DISTINCT m.asn_id FROM (SELECT k.asn_id FROM staff_mark k ORDER BY k.id LIMIT most) m
                        UNION (SELECT k.asn_id FROM staff_kept k WHERE k.until <= local_today() LIMIT most));
        EXIT WHEN people = '{}';
        WITH told AS MATERIALIZED (
            SELECT t.* FROM staff_told(people) t
        ), seen AS (
            DELETE FROM staff_mark m WHERE m.asn_id = ANY (people)
        ), kept AS (
            INSERT INTO staff_kept AS k SELECT t.* FROM told t
            ON CONFLICT ON CONSTRAINT staff_kept_pkey DO UPDATE SET (unit_id, parts, until) = (EXCLUDED.unit_id, EXCLUDED.parts, EXCLUDED.until)
        ), gone AS (
            DELETE FROM staff_kept k WHERE k.asn_id = ANY (people) AND NOT EXISTS (SELECT FROM told t WHERE t.asn_id = k.asn_id)
        )
        SELECT jsonb_agg(jsonb_build_object('unit_id', d.unit_id, 'key', d.key, 'n', d.n)) INTO differences
        FROM   (SELECT v.unit_id, j.key, sum(v.sign * j.value::numeric) AS n
                FROM   (SELECT t.unit_id, t.parts, 1 AS sign FROM told t
                        UNION ALL SELECT k.unit_id, k.parts, -1 FROM staff_kept k WHERE k.asn_id = ANY (people)) v
                CROSS  JOIN LATERAL jsonb_each_text(v.parts) j
                GROUP  BY v.unit_id, j.key HAVING sum(v.sign * j.value::numeric) <> 0) d;
        PERFORM staff_add(differences) WHERE differences IS NOT NULL;
        done := done + cardinality(people);
        EXIT WHEN clock_timestamp() > began + make_interval(secs => milliseconds / 1000.0);
    END LOOP;
    RETURN done;
END $$;
COMMENT ON FUNCTION staff_refresh(integer, integer) IS
    'For so long, works out anew who is marked or whose day has come, so many people at a time, and brings the sums up to it. Takes those marks away that the same snapshot shows. Gives how many people. Only one at a time works: others give 0.';

CREATE FUNCTION staff_pending(first text, behind text) RETURNS TABLE (unit_id uuid, key text, own numeric, n numeric)
LANGUAGE plpgsql STABLE ROWS 50 SET enable_seqscan = off AS $$
DECLARE
    people uuid[] := ARRAY(SELECT m.asn_id FROM staff_mark m UNION SELECT k.asn_id FROM staff_kept k WHERE k.until <= local_today());
BEGIN
    IF people = '{}' THEN
        RETURN;
    END IF;
    RETURN QUERY
    SELECT b.id, d.key, coalesce(sum(d.n) FILTER (WHERE b.id = d.unit_id), 0), sum(d.n)
    FROM   (SELECT v.unit_id, j.key, sum(v.sign * j.value::numeric) AS n
            FROM   (SELECT t.unit_id, t.parts, 1 AS sign FROM staff_told(people) t
                    UNION ALL SELECT k.unit_id, k.parts, -1 FROM staff_kept k WHERE k.asn_id = ANY (people)) v
            CROSS  JOIN LATERAL jsonb_each_text(v.parts) j
            WHERE  j.key COLLATE "C" >= first AND j.key COLLATE "C" < behind
            GROUP  BY v.unit_id, j.key HAVING sum(v.sign * j.value::numeric) <> 0) d
    JOIN   unit u ON u.id = d.unit_id
    CROSS  JOIN LATERAL unnest(staff_above(u.path)) AS b (id)
    GROUP  BY b.id, d.key;
END $$;
COMMENT ON FUNCTION staff_pending(text, text) IS 'By how much the sums with keys from `first` to before `behind` are otherwise now than they are kept, for each unit, all above it, and all units together.';

CREATE FUNCTION staff_sums(of_units uuid[], first text, behind text) RETURNS TABLE (unit_id uuid, key text, own numeric, n numeric)
LANGUAGE sql STABLE AS $$
    SELECT v.unit_id, v.key, sum(v.own), sum(v.n)
    FROM   (SELECT s.unit_id, s.key, s.own, s.n FROM staff_sum s WHERE s.unit_id = ANY (of_units) AND s.key >= first COLLATE "C" AND s.key < behind COLLATE "C"
            UNION ALL SELECT p.unit_id, p.key, p.own, p.n FROM staff_pending(first, behind) p WHERE p.unit_id = ANY (of_units)) v
    GROUP  BY v.unit_id, v.key
    HAVING sum(v.own) <> 0 OR sum(v.n) <> 0
$$;
COMMENT ON FUNCTION staff_sums(uuid[], text, text) IS 'Exact sums of these units, of keys from `first` to before `behind`: own, and with all below.';

CREATE FUNCTION staff_tops(units ltree[], under uuid) RETURNS uuid[]
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (WITH reached AS (
                SELECT DISTINCT CASE WHEN a.path @> n.path THEN n.path ELSE a.path END AS path
                FROM   unnest(units) AS a (path)
                LEFT   JOIN unit n ON n.id = under
                WHERE  under IS NULL OR a.path @> n.path OR a.path <@ n.path
            )
            SELECT coalesce(array_agg(CASE WHEN nlevel(r.path) = 0 THEN '00000000-0000-0000-0000-000000000000' ELSE subpath(r.path, -1)::text::uuid END), '{}')
            FROM   reached r
            WHERE  NOT EXISTS (SELECT FROM reached o WHERE o.path @> r.path AND o.path <> r.path));
END $$;
COMMENT ON FUNCTION staff_tops(ltree[], uuid) IS 'The highest units of what lies in these subtrees and, if that is given, under that unit: their sums with all below are those of everything that lies there.';

CREATE FUNCTION staff_recap(by text, units ltree[], under uuid) RETURNS TABLE (list text, code text, men integer, women integer)
LANGUAGE plpgsql STABLE ROWS 50 AS $$
BEGIN
    IF by = 'unit' THEN
        RETURN QUERY
        SELECT by, s.unit_id::text, coalesce(sum(s.own) FILTER (WHERE s.key = 'staff|M'), 0)::integer, coalesce(sum(s.own) FILTER (WHERE s.key = 'staff|F'), 0)::integer
        FROM   staff_sums(ARRAY(SELECT u.id FROM unit u WHERE u.path <@ ANY (units) AND (under IS NULL OR u.path <@ (SELECT n.path FROM unit n WHERE n.id = under))),
                          'staff|', 'staff}') s
        GROUP  BY s.unit_id HAVING sum(s.own) <> 0;
    ELSE
        RETURN QUERY
        SELECT p.parts[2], p.parts[3], coalesce(sum(s.n) FILTER (WHERE p.parts[4] = 'M'), 0)::integer, coalesce(sum(s.n) FILTER (WHERE p.parts[4] = 'F'), 0)::integer
        FROM   staff_sums(staff_tops(units, under), by || '|', by || '}') s CROSS JOIN LATERAL (SELECT string_to_array(s.key, '|') AS parts) p
        GROUP  BY 1, 2 HAVING sum(s.n) <> 0;
    END IF;
END $$;
COMMENT ON FUNCTION staff_recap(text, ltree[], uuid) IS
    'Men and women of the staff in these subtrees (and under that unit) by rank, echelon, education, kind, position-kind, status, age or unit: list and code, - where it is not known.';

CREATE FUNCTION learning_attained(of_unit uuid, in_year integer, more jsonb)
RETURNS TABLE (people numeric, met numeric, total_jp numeric, short_jp numeric, work_jp numeric, others_jp numeric)
LANGUAGE sql STABLE AS $$
    SELECT coalesce(sum(k.n) FILTER (WHERE k.what = 'floor'), 0),
           coalesce(sum(k.n) FILTER (WHERE k.what = 'met' OR k.what = 'floor' AND r.floor_jp <= 0), 0) - coalesce(sum(k.n) FILTER (WHERE k.what = 'n' AND r.floor_jp <= 0), 0),
           coalesce(sum(k.n) FILTER (WHERE k.what = 'total'), 0),
           coalesce(sum(CASE k.what WHEN 'short' THEN k.n WHEN 'floor' THEN k.n * greatest(r.floor_jp, 0) WHEN 'n' THEN -k.n * greatest(r.floor_jp, 0) END), 0),
           coalesce(sum(k.n) FILTER (WHERE k.what = 'work'), 0), coalesce(sum(k.n) FILTER (WHERE k.what = 'others'), 0)
    FROM   (SELECT CASE p.parts[1] WHEN 'floor' THEN 'floor' ELSE p.parts[3] END AS what, CASE p.parts[1] WHEN 'floor' THEN p.parts[2] ELSE p.parts[4] END AS kind, v.n
            FROM   (SELECT s.key, s.n FROM staff_sum s WHERE s.unit_id = of_unit AND s.key >= 'floor|' AND s.key < 'floor}'
                    UNION ALL SELECT s.key, s.n FROM staff_sum s
                              WHERE  s.unit_id = of_unit AND s.key >= concat('hours|', to_char(in_year, 'FM0000'), '|') AND s.key < concat('hours|', to_char(in_year, 'FM0000'), '}')
                    UNION ALL SELECT j.key, j.value::numeric FROM jsonb_each_text(more) j) v
            CROSS  JOIN LATERAL (SELECT string_to_array(v.key, '|') AS parts) p
            WHERE  CASE p.parts[1] WHEN 'floor' THEN p.parts[3]::integer <= in_year ELSE p.parts[1] = 'hours' AND p.parts[2]::integer = in_year END) k
    LEFT   JOIN (SELECT DISTINCT ON (l.kind) l.kind, l.floor_jp FROM learning_rule l WHERE l.valid_from <= in_year ORDER BY l.kind, l.valid_from DESC) r ON r.kind = k.kind
    WHERE  k.what NOT IN ('floor', 'n') OR r.floor_jp IS NOT NULL
$$;
COMMENT ON FUNCTION learning_attained(uuid, integer, jsonb) IS
    'Of the staff of a unit and all below who have a floor in that year: people, those who reached it, and JP (total, short of the floor, at work, from others). more: what staff_pending() gives for the unit.';

-- ── what leaves a mark ───────────────────────────────────────────────────────────────────────────────────────────────────

CREATE FUNCTION staff_mark_people() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO staff_mark (asn_id) SELECT e.id FROM entered e;
    RETURN NULL;
END $$;
COMMENT ON FUNCTION staff_mark_people() IS 'Marks the people that a statement made or deleted.';
CREATE TRIGGER asn_70_staff_insert AFTER INSERT ON asn REFERENCING NEW TABLE AS entered FOR EACH STATEMENT EXECUTE FUNCTION staff_mark_people();
CREATE TRIGGER asn_70_staff_delete AFTER DELETE ON asn REFERENCING OLD TABLE AS entered FOR EACH STATEMENT EXECUTE FUNCTION staff_mark_people();

CREATE FUNCTION staff_mark_one() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO staff_mark (asn_id) VALUES (NEW.id);
    RETURN NULL;
END $$;
COMMENT ON FUNCTION staff_mark_one() IS 'Marks a person who is counted otherwise now.';
CREATE TRIGGER asn_70_staff_update AFTER UPDATE ON asn FOR EACH ROW
    WHEN ((OLD.unit_id, OLD.sex, OLD.kind, OLD.rank, OLD.echelon, OLD.education_level, OLD.position_kind, OLD.legal_status, OLD.birth_date, OLD.appointed_on)
          IS DISTINCT FROM
          (NEW.unit_id, NEW.sex, NEW.kind, NEW.rank, NEW.echelon, NEW.education_level, NEW.position_kind, NEW.legal_status, NEW.birth_date, NEW.appointed_on))
    EXECUTE FUNCTION staff_mark_one();

CREATE FUNCTION staff_mark_rated() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO staff_mark (asn_id) SELECT DISTINCT v.id FROM (VALUES (OLD.asn_id), (NEW.asn_id)) AS v (id) WHERE v.id IS NOT NULL;
    RETURN NULL;
END $$;
COMMENT ON FUNCTION staff_mark_rated() IS 'Marks whom an evaluation is of, and was of.';
CREATE TRIGGER evaluation_70_staff AFTER INSERT OR DELETE ON evaluation FOR EACH ROW EXECUTE FUNCTION staff_mark_rated();
CREATE TRIGGER evaluation_70_staff_update AFTER UPDATE ON evaluation FOR EACH ROW
    WHEN ((OLD.asn_id, OLD.period_id, OLD.state, OLD.predicate, OLD.results_rating, OLD.behaviour_rating, OLD.supersedes)
          IS DISTINCT FROM (NEW.asn_id, NEW.period_id, NEW.state, NEW.predicate, NEW.results_rating, NEW.behaviour_rating, NEW.supersedes))
    EXECUTE FUNCTION staff_mark_rated();

CREATE FUNCTION staff_mark_learning() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO staff_mark (asn_id) SELECT DISTINCT e.asn_id FROM entered e;
    RETURN NULL;
END $$;
COMMENT ON FUNCTION staff_mark_learning() IS 'Marks whose ledger of learning hours a statement changed.';
CREATE TRIGGER learning_entry_70_staff_insert AFTER INSERT ON learning_entry REFERENCING NEW TABLE AS entered FOR EACH STATEMENT EXECUTE FUNCTION staff_mark_learning();
CREATE TRIGGER learning_entry_70_staff_update AFTER UPDATE ON learning_entry REFERENCING NEW TABLE AS entered FOR EACH STATEMENT EXECUTE FUNCTION staff_mark_learning();
CREATE TRIGGER learning_entry_70_staff_delete AFTER DELETE ON learning_entry REFERENCING OLD TABLE AS entered FOR EACH STATEMENT EXECUTE FUNCTION staff_mark_learning();

CREATE FUNCTION staff_mark_history() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO staff_mark (asn_id) SELECT DISTINCT e.asn_id FROM entered e WHERE e.kind IN ('appointment', 'contract');
    RETURN NULL;
END $$;
COMMENT ON FUNCTION staff_mark_history() IS 'Marks whose appointments or contracts a statement changed: they say which rule of learning hours holds, and for which days.';
CREATE TRIGGER history_70_staff_insert AFTER INSERT ON history REFERENCING NEW TABLE AS entered FOR EACH STATEMENT EXECUTE FUNCTION staff_mark_history();
CREATE TRIGGER history_70_staff_update AFTER UPDATE ON history REFERENCING NEW TABLE AS entered FOR EACH STATEMENT EXECUTE FUNCTION staff_mark_history();
CREATE TRIGGER history_70_staff_before AFTER UPDATE ON history REFERENCING OLD TABLE AS entered FOR EACH STATEMENT EXECUTE FUNCTION staff_mark_history();
CREATE TRIGGER history_70_staff_delete AFTER DELETE ON history REFERENCING OLD TABLE AS entered FOR EACH STATEMENT EXECUTE FUNCTION staff_mark_history();

CREATE FUNCTION staff_mark_status() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO staff_mark (asn_id) SELECT a.id FROM asn a WHERE a.legal_status IN (SELECT e.code FROM entered e WHERE e.list = 'legal-status');
    RETURN NULL;
END $$;
COMMENT ON FUNCTION staff_mark_status() IS 'Marks everybody with a legal status that is changed: whether its holders are of the staff may be otherwise.';
CREATE TRIGGER reference_70_staff_insert AFTER INSERT ON reference REFERENCING NEW TABLE AS entered FOR EACH STATEMENT EXECUTE FUNCTION staff_mark_status();
CREATE TRIGGER reference_70_staff_update AFTER UPDATE ON reference REFERENCING NEW TABLE AS entered FOR EACH STATEMENT EXECUTE FUNCTION staff_mark_status();
CREATE TRIGGER reference_70_staff_delete AFTER DELETE ON reference REFERENCING OLD TABLE AS entered FOR EACH STATEMENT EXECUTE FUNCTION staff_mark_status();

CREATE FUNCTION staff_mark_all() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO staff_mark (asn_id) SELECT a.id FROM asn a;
    RETURN NULL;
END $$;
COMMENT ON FUNCTION staff_mark_all() IS 'Marks everybody: the rules of learning hours, or the table of predicates, have changed.';
CREATE TRIGGER learning_rule_70_staff AFTER INSERT OR UPDATE OR DELETE ON learning_rule FOR EACH STATEMENT EXECUTE FUNCTION staff_mark_all();
CREATE TRIGGER predicate_cell_70_staff AFTER INSERT OR UPDATE OR DELETE ON predicate_cell FOR EACH STATEMENT EXECUTE FUNCTION staff_mark_all();

-- ── units that move ── What their own people add leaves the units that were above and comes to those that are. The lock is that of staff_refresh(): it waits until the move is
-- committed, and what it reads then is the tree as it is. A unit that is deleted takes what it had along; its people, who are marked, have gone before it.

CREATE FUNCTION staff_carry() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM departed o JOIN entered n ON n.id = o.id WHERE n.path <> o.path) THEN
        RETURN NULL;
    END IF;
    PERFORM pg_advisory_xact_lock(1918, 36);
    INSERT INTO staff_sum AS s (unit_id, key, own, n)
    SELECT b.id, k.key, 0, sum(v.sign * k.own)
    FROM   departed o
    JOIN   entered n ON n.id = o.id AND n.path <> o.path
    JOIN   staff_sum k ON k.unit_id = o.id AND k.own <> 0
    CROSS  JOIN LATERAL (VALUES (o.path, -1), (n.path, 1)) AS v (path, sign)
    CROSS  JOIN LATERAL unnest(staff_above(v.path)) AS b (id)
    GROUP  BY b.id, k.key HAVING sum(v.sign * k.own) <> 0
    ON CONFLICT ON CONSTRAINT staff_sum_pkey DO UPDATE SET n = s.n + EXCLUDED.n;
    RETURN NULL;
END $$;
COMMENT ON FUNCTION staff_carry() IS 'Sums follow units that move.';
CREATE TRIGGER unit_70_staff_update AFTER UPDATE ON unit REFERENCING NEW TABLE AS entered OLD TABLE AS departed FOR EACH STATEMENT EXECUTE FUNCTION staff_carry();

CREATE FUNCTION staff_drop() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(1918, 36);
    INSERT INTO staff_sum AS s (unit_id, key, own, n)
    SELECT b.id, k.key, 0, -sum(k.own)
    FROM   departed o
    JOIN   staff_sum k ON k.unit_id = o.id AND k.own <> 0
    CROSS  JOIN LATERAL unnest(staff_above(o.path)) AS b (id)
    GROUP  BY b.id, k.key
    ON CONFLICT ON CONSTRAINT staff_sum_pkey DO UPDATE SET n = s.n + EXCLUDED.n;
    DELETE FROM staff_sum s USING departed o WHERE s.unit_id = o.id;
    DELETE FROM staff_kept k USING departed o WHERE k.unit_id = o.id;
    RETURN NULL;
END $$;
COMMENT ON FUNCTION staff_drop() IS 'Sums go with units that are deleted.';
CREATE TRIGGER unit_70_staff_delete AFTER DELETE ON unit REFERENCING OLD TABLE AS departed FOR EACH STATEMENT EXECUTE FUNCTION staff_drop();

-- ── are they right? ──────────────────────────────────────────────────────────────────────────────────────────────────────

CREATE FUNCTION staff_counted() RETURNS TABLE (unit_id uuid, key text, own numeric, n numeric)
LANGUAGE sql STABLE AS $$
    SELECT b.id, j.key, coalesce(sum(j.value::numeric) FILTER (WHERE b.id = t.unit_id), 0), sum(j.value::numeric)
    FROM   staff_told(ARRAY(SELECT a.id FROM asn a)) t
    JOIN   unit u ON u.id = t.unit_id
    CROSS  JOIN LATERAL jsonb_each_text(t.parts) j
    CROSS  JOIN LATERAL unnest(staff_above(u.path)) AS b (id)
    GROUP  BY b.id, j.key
$$;
COMMENT ON FUNCTION staff_counted() IS 'All sums, counted from the records of all people: what the kept ones are held against.';

CREATE VIEW staff_difference AS
SELECT coalesce(k.unit_id, r.unit_id) AS unit_id, coalesce(k.key, r.key) AS key, coalesce(k.own, 0) AS kept_own, coalesce(r.own, 0) AS counted_own,
       coalesce(k.n, 0) AS kept, coalesce(r.n, 0) AS counted
FROM   (SELECT v.unit_id, v.key COLLATE "C" AS key, sum(v.own) AS own, sum(v.n) AS n
        FROM   (SELECT s.unit_id, s.key, s.own, s.n FROM staff_sum s UNION ALL SELECT p.unit_id, p.key, p.own, p.n FROM staff_pending('', '~') p) v
        GROUP  BY 1, 2) k
FULL   JOIN (SELECT c.unit_id, c.key COLLATE "C" AS key, c.own, c.n FROM staff_counted() c) r ON (r.unit_id, r.key) = (k.unit_id, k.key)
WHERE  (coalesce(k.own, 0), coalesce(k.n, 0)) <> (coalesce(r.own, 0), coalesce(r.n, 0));
COMMENT ON VIEW staff_difference IS 'Sums that are not what is counted from the records, both as they are now. Should be empty.';

INSERT INTO staff_mark (asn_id) SELECT a.id FROM asn a;
SELECT staff_refresh(2000000000, 5000);

INSERT INTO audit_exempt (relation, reason) VALUES
    ('staff_sum', 'Worked out of people, evaluations and learning hours'),
    ('staff_kept', 'Worked out of people, evaluations and learning hours'),
    ('staff_mark', 'To-do list of staff_sum');

SELECT audit_attach();
