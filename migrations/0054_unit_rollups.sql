-- Figures of public service of each unit with all that is below it: tickets, satisfaction, complaints. Kept, exact at every moment, and read at a cost that does not depend on how
-- many tickets, answers or units there are. Why it is made so: docs/kept-sums.md.

-- ── tickets ── The months of a unit with all below are kept as those of a unit are (by = 'tree'). A ticket notes its unit alone; whoever reads or puts together lifts that to the
-- units above, by the tree as it is.

ALTER TABLE service_month DROP CONSTRAINT service_month_by_known;
ALTER TABLE service_month ADD CONSTRAINT service_month_by_known CHECK (by IN ('service', 'unit', 'officer', 'tree'));
COMMENT ON COLUMN service_month.by IS 'service, unit or officer; tree: a unit with all below it';

CREATE FUNCTION service_lift(changes service_change[], keys uuid[] DEFAULT NULL) RETURNS service_change[]
LANGUAGE sql STABLE AS $$
    SELECT coalesce(array_agg(ROW(c.id, 'tree', b.id, c.month, c.sign, c.state, c.is_on_time, c.waiting_s, c.service_s, c.turnaround_s)::service_change), '{}')
    FROM   unnest(changes) c
    JOIN   unit u ON u.id = c.key
    CROSS  JOIN LATERAL unnest(string_to_array(u.path::text, '.')::uuid[]) AS b (id)
    WHERE  c.by = 'unit' AND (keys IS NULL OR b.id = ANY (keys))
$$;
COMMENT ON FUNCTION service_lift(service_change[], uuid[]) IS 'What changed of units, as changes of these units and of all above them; keys: of those alone.';

CREATE FUNCTION service_changes(which text, keys uuid[], first date, last date) RETURNS service_change[]
LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF which = 'tree' THEN
        RETURN service_lift(ARRAY(SELECT c FROM service_change c WHERE c.by = 'unit' AND c.month BETWEEN first AND last), keys);
    END IF;
    RETURN ARRAY(SELECT c FROM service_change c WHERE c.by = which AND c.key = ANY (keys) AND c.month BETWEEN first AND last);
END $$;
COMMENT ON FUNCTION service_changes(text, uuid[], date, date) IS 'What has changed of these figures since they were put together.';

CREATE OR REPLACE FUNCTION service_figures(which text, keys uuid[], first date, last date) RETURNS SETOF service_month
LANGUAGE plpgsql STABLE ROWS 50 AS $$
DECLARE
    changes service_change[] := service_changes(which, keys, first, last);
BEGIN
    RETURN QUERY
    SELECT m.* FROM service_month m
    WHERE  m.by = which AND m.key = ANY (keys) AND m.month BETWEEN first AND last
           AND NOT EXISTS (SELECT FROM unnest(changes) k WHERE (k.key, k.month) = (m.key, m.month))
    UNION  ALL
    SELECT (f.figures).* FROM service_sum(changes) f;
END $$;

CREATE OR REPLACE FUNCTION service_refresh(milliseconds integer) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    began   timestamptz := clock_timestamp();
    done    bigint := 0;
    changes service_change[];
BEGIN
    IF NOT pg_try_advisory_xact_lock(1918, 22) THEN
        RETURN 0;
    END IF;
    LOOP
        WITH gone AS (
            DELETE FROM service_change k WHERE k.id IN (SELECT c.id FROM service_change c ORDER BY c.id LIMIT 5000) RETURNING k
        )
        SELECT array_agg(g.k) INTO changes FROM gone g;
        EXIT WHEN changes IS NULL;
        done := done + cardinality(changes);
        changes := changes || service_lift(changes);
        WITH summed AS MATERIALIZED (
            SELECT f.* FROM service_sum(changes) f
        ), kept AS (
            INSERT INTO service_spread AS s (by, key, month, waiting, service, turnaround)
            SELECT (f.figures).by, (f.figures).key, (f.figures).month, spread_merge(f.waiting, f.waiting_plus, f.waiting_minus),
                   spread_merge(f.service, f.service_plus, f.service_minus), spread_merge(f.turnaround, f.turnaround_plus, f.turnaround_minus)
            FROM   summed f
            ON CONFLICT ON CONSTRAINT service_spread_pkey DO UPDATE SET (waiting, service, turnaround) = (EXCLUDED.waiting, EXCLUDED.service, EXCLUDED.turnaround)
        )
        INSERT INTO service_month AS m
        SELECT (f.figures).* FROM summed f
        ON CONFLICT ON CONSTRAINT service_month_pkey DO UPDATE
        SET    (taken, finished, no_show, cancelled, promised, on_time, waiting_n, waiting_sum, waiting_median, waiting_p90, service_n, service_sum,
                service_median, service_p90, turnaround_n, turnaround_sum, turnaround_median, turnaround_p90)
             = (EXCLUDED.taken, EXCLUDED.finished, EXCLUDED.no_show, EXCLUDED.cancelled, EXCLUDED.promised, EXCLUDED.on_time, EXCLUDED.waiting_n,
                EXCLUDED.waiting_sum, EXCLUDED.waiting_median, EXCLUDED.waiting_p90, EXCLUDED.service_n, EXCLUDED.service_sum,
                EXCLUDED.service_median, EXCLUDED.service_p90, EXCLUDED.turnaround_n, EXCLUDED.turnaround_sum, EXCLUDED.turnaround_median,
                EXCLUDED.turnaround_p90);
        EXIT WHEN clock_timestamp() > began + make_interval(secs => milliseconds / 1000.0);
    END LOOP;
    RETURN done;
END $$;

CREATE FUNCTION spread_sum(spreads spread[]) RETURNS spread
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN (SELECT ROW(coalesce(array_agg(g.v ORDER BY g.v), '{}'), coalesce(array_agg(g.upto ORDER BY g.v), '{}'))::spread
        FROM   (SELECT k.v, (sum(sum(k.n)) OVER (ORDER BY k.v))::bigint AS upto
                FROM   unnest(spreads) s
                CROSS  JOIN LATERAL (SELECT d.v, d.upto - lag(d.upto, 1, 0::bigint) OVER (ORDER BY d.v) AS n FROM unnest(s.vals, s.upto) AS d (v, upto)) k
                GROUP  BY k.v) g);
COMMENT ON FUNCTION spread_sum(spread[]) IS 'Distributions as one.';

CREATE FUNCTION service_tree_build(units uuid[]) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM service_month m WHERE m.by = 'tree' AND m.key = ANY (units);
    DELETE FROM service_spread s WHERE s.by = 'tree' AND s.key = ANY (units);
    WITH summed AS MATERIALIZED (
        SELECT r.id AS key, m.month, sum(m.taken)::bigint AS taken, sum(m.finished)::bigint AS finished, sum(m.no_show)::bigint AS no_show, sum(m.cancelled)::bigint AS cancelled,
               sum(m.promised)::bigint AS promised, sum(m.on_time)::bigint AS on_time, sum(m.waiting_n)::bigint AS waiting_n, sum(m.waiting_sum) AS waiting_sum,
               sum(m.service_n)::bigint AS service_n, sum(m.service_sum) AS service_sum, sum(m.turnaround_n)::bigint AS turnaround_n, sum(m.turnaround_sum) AS turnaround_sum,
               spread_sum(array_agg(s.waiting)) AS waiting, spread_sum(array_agg(s.service)) AS service, spread_sum(array_agg(s.turnaround)) AS turnaround
        FROM   unit r
        JOIN   unit d ON d.path <@ r.path
        JOIN   service_month m ON m.by = 'unit' AND m.key = d.id
        JOIN   service_spread s ON (s.by, s.key, s.month) = (m.by, m.key, m.month)
        WHERE  r.id = ANY (units)
        GROUP  BY r.id, m.month
    ), spreads AS (
        INSERT INTO service_spread SELECT 'tree', c.key, c.month, c.waiting, c.service, c.turnaround FROM summed c
    )
    INSERT INTO service_month
    SELECT 'tree', c.key, c.month, c.taken, c.finished, c.no_show, c.cancelled, c.promised, c.on_time,
           c.waiting_n, c.waiting_sum, spread_percentile(c.waiting, '{}', '{}', 50), spread_percentile(c.waiting, '{}', '{}', 90),
           c.service_n, c.service_sum, spread_percentile(c.service, '{}', '{}', 50), spread_percentile(c.service, '{}', '{}', 90),
           c.turnaround_n, c.turnaround_sum, spread_percentile(c.turnaround, '{}', '{}', 50), spread_percentile(c.turnaround, '{}', '{}', 90)
    FROM   summed c;
END $$;
COMMENT ON FUNCTION service_tree_build(uuid[]) IS 'Puts the months of these units with all below together from those of the units, by the tree as it is.';

-- The lock is that of service_refresh(): what it reads after the move is committed is the tree as it is.
CREATE FUNCTION service_carry() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
    above uuid[];
BEGIN
    IF NOT EXISTS (SELECT FROM departed o JOIN entered n ON n.id = o.id WHERE n.path <> o.path) THEN
        RETURN NULL;
    END IF;
    PERFORM pg_advisory_xact_lock(1918, 22);
    above := ARRAY(SELECT DISTINCT b.id
                   FROM   departed o
                   JOIN   entered n ON n.id = o.id AND n.path <> o.path
                   CROSS  JOIN LATERAL (SELECT string_to_array(o.path::text, '.')::uuid[] AS was, string_to_array(n.path::text, '.')::uuid[] AS now) p
                   CROSS  JOIN LATERAL unnest(p.was || p.now) AS b (id)
                   WHERE  NOT (b.id = ANY (p.was) AND b.id = ANY (p.now))
                          AND EXISTS (SELECT FROM service_month m WHERE m.by = 'unit' AND m.key = o.id));
    IF above <> '{}' THEN
        PERFORM service_tree_build(above);
    END IF;
    RETURN NULL;
END $$;
COMMENT ON FUNCTION service_carry() IS 'Months of tickets follow units that move.';
CREATE TRIGGER unit_71_service_update AFTER UPDATE ON unit REFERENCING NEW TABLE AS entered OLD TABLE AS departed FOR EACH STATEMENT EXECUTE FUNCTION service_carry();

CREATE FUNCTION service_drop() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM service_month m USING departed o WHERE m.by = 'tree' AND m.key = o.id;
    DELETE FROM service_spread s USING departed o WHERE s.by = 'tree' AND s.key = o.id;
    RETURN NULL;
END $$;
COMMENT ON FUNCTION service_drop() IS 'A unit that is deleted has no months left: nothing that serves is below it.';
CREATE TRIGGER unit_71_service_delete AFTER DELETE ON unit REFERENCING OLD TABLE AS departed FOR EACH STATEMENT EXECUTE FUNCTION service_drop();

CREATE OR REPLACE FUNCTION service_measure(which text, whose uuid, first date) RETURNS service_month
LANGUAGE plpgsql STABLE SET enable_seqscan = off SET jit = off AS $$
DECLARE
    m  service_month;
    w  bigint[];
    s  bigint[];
    a  bigint[];
    services uuid[] := CASE which WHEN 'service' THEN ARRAY[whose]
                                  WHEN 'unit' THEN ARRAY(SELECT v.id FROM service v JOIN service_unit p ON p.id = v.service_unit_id WHERE p.unit_id = whose)
                                  WHEN 'tree' THEN ARRAY(SELECT v.id FROM service v JOIN service_unit p ON p.id = v.service_unit_id JOIN unit u ON u.id = p.unit_id
                                                         WHERE  u.path <@ (SELECT n.path FROM unit n WHERE n.id = whose)) END;
BEGIN
    m.by := which;
    m.key := whose;
    m.month := first;
    IF which = 'officer' THEN
        SELECT count(*), count(*) FILTER (WHERE t.state = 'finished'), count(*) FILTER (WHERE t.state = 'no_show'), count(*) FILTER (WHERE t.state = 'cancelled'), count(t.is_on_time), count(*) FILTER (WHERE t.is_on_time),
               count(t.waiting_s), coalesce(sum(t.waiting_s), 0), array_agg(t.waiting_s ORDER BY t.waiting_s) FILTER (WHERE t.waiting_s IS NOT NULL),
               count(t.service_s), coalesce(sum(t.service_s), 0), array_agg(t.service_s ORDER BY t.service_s) FILTER (WHERE t.service_s IS NOT NULL),
               count(t.turnaround_s), coalesce(sum(t.turnaround_s), 0), array_agg(t.turnaround_s ORDER BY t.turnaround_s) FILTER (WHERE t.turnaround_s IS NOT NULL)
        INTO   m.taken, m.finished, m.no_show, m.cancelled, m.promised, m.on_time, m.waiting_n, m.waiting_sum, w, m.service_n, m.service_sum, s, m.turnaround_n, m.turnaround_sum, a
        FROM   ticket t
        WHERE  t.officer_id = whose AND t.day >= first AND t.day < first + interval '1 month';
    ELSE
        SELECT count(*), count(*) FILTER (WHERE t.state = 'finished'), count(*) FILTER (WHERE t.state = 'no_show'), count(*) FILTER (WHERE t.state = 'cancelled'), count(t.is_on_time), count(*) FILTER (WHERE t.is_on_time),
               count(t.waiting_s), coalesce(sum(t.waiting_s), 0), array_agg(t.waiting_s ORDER BY t.waiting_s) FILTER (WHERE t.waiting_s IS NOT NULL),
               count(t.service_s), coalesce(sum(t.service_s), 0), array_agg(t.service_s ORDER BY t.service_s) FILTER (WHERE t.service_s IS NOT NULL),
               count(t.turnaround_s), coalesce(sum(t.turnaround_s), 0), array_agg(t.turnaround_s ORDER BY t.turnaround_s) FILTER (WHERE t.turnaround_s IS NOT NULL)
        INTO   m.taken, m.finished, m.no_show, m.cancelled, m.promised, m.on_time, m.waiting_n, m.waiting_sum, w, m.service_n, m.service_sum, s, m.turnaround_n, m.turnaround_sum, a
        FROM   ticket t
        WHERE  t.service_id = ANY (services) AND t.day >= first AND t.day < first + interval '1 month';
    END IF;
    m.waiting_median := percentile_of(w, 50);
    m.waiting_p90 := percentile_of(w, 90);
    m.service_median := percentile_of(s, 50);
    m.service_p90 := percentile_of(s, 90);
    m.turnaround_median := percentile_of(a, 50);
    m.turnaround_p90 := percentile_of(a, 90);
    RETURN m;
END $$;
COMMENT ON FUNCTION service_measure(text, uuid, date) IS 'The figures of one service, unit, officer or unit with all below in one month, counted from the tickets: what the kept ones are held against.';

CREATE OR REPLACE VIEW service_difference AS
SELECT c.by, c.key, c.month, k.kept, r.counted
FROM   (SELECT v.by, v.key, v.month
        FROM   (SELECT DISTINCT t.service_id, t.officer_id, date_trunc('month', t.day)::date AS month FROM ticket t) t
        JOIN   service s ON s.id = t.service_id
        JOIN   service_unit p ON p.id = s.service_unit_id
        JOIN   unit u ON u.id = p.unit_id
        CROSS  JOIN LATERAL (VALUES ('service', t.service_id, t.month), ('unit', p.unit_id, t.month), ('officer', t.officer_id, t.month)
                             UNION ALL SELECT 'tree', b.id, t.month FROM unnest(string_to_array(u.path::text, '.')::uuid[]) AS b (id)) AS v (by, key, month)
        WHERE  v.key IS NOT NULL
        UNION  SELECT m.by, m.key, m.month FROM service_month m
        UNION  SELECT g.by, g.key, g.month FROM service_change g) c
CROSS  JOIN LATERAL (SELECT to_jsonb(service_measure(c.by, c.key, c.month)) AS counted) r
LEFT   JOIN LATERAL (SELECT to_jsonb(f) AS kept FROM service_figures(c.by, ARRAY[c.key], c.month, c.month) f) k ON true
WHERE  k.kept IS DISTINCT FROM r.counted;

SELECT service_tree_build(ARRAY(SELECT DISTINCT b.id
                                FROM   service_unit p
                                JOIN   unit u ON u.id = p.unit_id
                                CROSS  JOIN LATERAL unnest(string_to_array(u.path::text, '.')::uuid[]) AS b (id)));

ALTER TABLE service_spread ALTER COLUMN waiting SET STORAGE EXTERNAL, ALTER COLUMN service SET STORAGE EXTERNAL, ALTER COLUMN turnaround SET STORAGE EXTERNAL; -- unpacking took longest

-- ── several months as one ── The percentiles of months cannot be added up; those of a period are found in the distributions of its months, which are looked at together.

CREATE FUNCTION spreads_upto(spreads spread[], plus bigint[], minus bigint[], value bigint) RETURNS bigint
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    n bigint := width_bucket(value, plus) - width_bucket(value, minus);
BEGIN
    FOR i IN 1..cardinality(spreads) LOOP
        n := n + coalesce((spreads[i]).upto[width_bucket(value, (spreads[i]).vals)], 0);
    END LOOP;
    RETURN n;
END $$;
COMMENT ON FUNCTION spreads_upto(spread[], bigint[], bigint[], bigint) IS 'How many values of these distributions, with those more and those less, are no greater.';

CREATE FUNCTION spreads_at(spreads spread[], plus bigint[], minus bigint[], place bigint, low bigint, high bigint) RETURNS bigint
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    mid bigint;
BEGIN
    WHILE low < high LOOP
        mid := (low + high) / 2;
        IF spreads_upto(spreads, plus, minus, mid) >= place THEN
            high := mid;
        ELSE
            low := mid + 1;
        END IF;
    END LOOP;
    RETURN low;
END $$;
COMMENT ON FUNCTION spreads_at(spread[], bigint[], bigint[], bigint, bigint, bigint) IS
    'The value at a place (from 1) of these distributions together, with the values `plus` more and `minus` less; it lies between low and high. Halving.';

CREATE FUNCTION spreads_percentile(spreads spread[], plus bigint[], minus bigint[], percent integer, around numeric[] DEFAULT '{}') RETURNS numeric
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    most  bigint := greatest((SELECT max(s.vals[cardinality(s.vals)]) FROM unnest(spreads) s), plus[cardinality(plus)]);
    first bigint := 0;
    last  bigint := most;
    n     bigint;
    rank  bigint;
    step  bigint := 1;
    value bigint;
BEGIN
    IF cardinality(spreads) <= 1 THEN
        RETURN spread_percentile(spreads[1], plus, minus, percent);
    END IF;
    n := spreads_upto(spreads, plus, minus, most);
    IF coalesce(n, 0) <= 0 THEN
        RETURN NULL;
    END IF;
    rank := (n - 1) * percent;
    IF spreads_upto(spreads, plus, minus, floor(around[1])::bigint - 1) <= rank / 100 AND spreads_upto(spreads, plus, minus, ceil(around[2])::bigint) > rank / 100 THEN
        first := floor(around[1]);
        last := ceil(around[2]);
    END IF;
    value := spreads_at(spreads, plus, minus, rank / 100 + 1, first, last);
    IF rank % 100 = 0 OR spreads_upto(spreads, plus, minus, value) > rank / 100 + 1 THEN
        RETURN value;
    END IF;
    WHILE spreads_upto(spreads, plus, minus, value + step) < rank / 100 + 2 LOOP
        step := step * 2;
    END LOOP;
    RETURN trim_scale(value + (spreads_at(spreads, plus, minus, rank / 100 + 2, value, value + step) - value) * (rank % 100) / 100.0);
END $$;
COMMENT ON FUNCTION spreads_percentile(spread[], bigint[], bigint[], integer, numeric[]) IS
    'percentile_of() of all the values, none below zero, of these distributions with these more and those less (both ascending); null: there are none. around: between which two it is looked for first, as the least and the greatest of their own percentiles; it may lie elsewhere.';

CREATE FUNCTION service_times(kept spread[], changes service_change[], what text, medians numeric[], p90s numeric[]) RETURNS TABLE (median numeric, p90 numeric)
LANGUAGE plpgsql STABLE AS $$
DECLARE
    plus  bigint[];
    minus bigint[];
BEGIN
    SELECT coalesce(array_agg(v.s ORDER BY v.s) FILTER (WHERE v.sign > 0), '{}'), coalesce(array_agg(v.s ORDER BY v.s) FILTER (WHERE v.sign < 0), '{}') INTO plus, minus
    FROM   (SELECT c.sign, CASE what WHEN 'waiting' THEN c.waiting_s WHEN 'service' THEN c.service_s ELSE c.turnaround_s END AS s FROM unnest(changes) c) v
    WHERE  v.s IS NOT NULL;
    median := spreads_percentile(kept, plus, minus, 50, medians);
    p90 := spreads_percentile(kept, plus, minus, 90, p90s);
    RETURN NEXT;
END $$;
COMMENT ON FUNCTION service_times(spread[], service_change[], text, numeric[], numeric[]) IS
    'Median and 90th percentile of waiting, service or turnaround of these kept months and what has changed since; medians, p90s: the least and the greatest of the months.';

CREATE FUNCTION service_period(which text, whose uuid, first date, last date) RETURNS SETOF service_month
LANGUAGE plpgsql STABLE ROWS 1 AS $$
DECLARE
    changes service_change[] := service_changes(which, ARRAY[whose], first, last);
    m       service_month;
    waits   spread[];
    serves  spread[];
    turns   spread[];
    ends    record;
BEGIN
    SELECT which, whose, first, coalesce(sum(v.taken), 0), coalesce(sum(v.finished), 0), coalesce(sum(v.no_show), 0), coalesce(sum(v.cancelled), 0), coalesce(sum(v.promised), 0),
           coalesce(sum(v.on_time), 0), coalesce(sum(v.waiting_n), 0), coalesce(sum(v.waiting_sum), 0), NULL, NULL, coalesce(sum(v.service_n), 0), coalesce(sum(v.service_sum), 0),
           NULL, NULL, coalesce(sum(v.turnaround_n), 0), coalesce(sum(v.turnaround_sum), 0), NULL, NULL
    INTO   m
    FROM   (SELECT k.taken, k.finished, k.no_show, k.cancelled, k.promised, k.on_time, k.waiting_n, k.waiting_sum, k.service_n, k.service_sum, k.turnaround_n, k.turnaround_sum
            FROM   service_month k WHERE k.by = which AND k.key = whose AND k.month BETWEEN first AND last
            UNION  ALL
            SELECT sum(c.sign), sum(c.sign) FILTER (WHERE c.state = 'finished'), sum(c.sign) FILTER (WHERE c.state = 'no_show'), sum(c.sign) FILTER (WHERE c.state = 'cancelled'),
                   sum(c.sign) FILTER (WHERE c.is_on_time IS NOT NULL), sum(c.sign) FILTER (WHERE c.is_on_time), sum(c.sign) FILTER (WHERE c.waiting_s IS NOT NULL),
                   sum(c.sign * c.waiting_s), sum(c.sign) FILTER (WHERE c.service_s IS NOT NULL), sum(c.sign * c.service_s),
                   sum(c.sign) FILTER (WHERE c.turnaround_s IS NOT NULL), sum(c.sign * c.turnaround_s)
            FROM   unnest(changes) c) v;
    SELECT coalesce(array_agg(s.waiting ORDER BY s.month), '{}'), coalesce(array_agg(s.service ORDER BY s.month), '{}'), coalesce(array_agg(s.turnaround ORDER BY s.month), '{}')
    INTO   waits, serves, turns
    FROM   service_spread s WHERE s.by = which AND s.key = whose AND s.month BETWEEN first AND last;
    SELECT ARRAY[min(k.waiting_median), max(k.waiting_median)] AS w50, ARRAY[min(k.waiting_p90), max(k.waiting_p90)] AS w90,
           ARRAY[min(k.service_median), max(k.service_median)] AS s50, ARRAY[min(k.service_p90), max(k.service_p90)] AS s90,
           ARRAY[min(k.turnaround_median), max(k.turnaround_median)] AS t50, ARRAY[min(k.turnaround_p90), max(k.turnaround_p90)] AS t90
    INTO   ends
    FROM   service_month k WHERE k.by = which AND k.key = whose AND k.month BETWEEN first AND last;
    SELECT t.median, t.p90 INTO m.waiting_median, m.waiting_p90 FROM service_times(waits, changes, 'waiting', ends.w50, ends.w90) t;
    SELECT t.median, t.p90 INTO m.service_median, m.service_p90 FROM service_times(serves, changes, 'service', ends.s50, ends.s90) t;
    SELECT t.median, t.p90 INTO m.turnaround_median, m.turnaround_p90 FROM service_times(turns, changes, 'turnaround', ends.t50, ends.t90) t;
    RETURN NEXT m;
END $$;
COMMENT ON FUNCTION service_period(text, uuid, date, date) IS
    'Exact figures of one service, unit, officer or unit with all below (tree) over all months from first to last as one; `month` is the first.';

-- ── satisfaction and complaints ── Sums, but for one thing: of a survey in which an element has fewer than five answers nothing is counted anywhere. So whatever is taken from
-- whatever, a unit from that above it or a month from the next one, what is left is whole surveys, of five or more.

CREATE TABLE unit_service_sum (
    unit_id uuid             NOT NULL,
    month   date             NOT NULL,
    key     text COLLATE "C" NOT NULL,
    own     numeric          NOT NULL,
    n       numeric          NOT NULL,
    CONSTRAINT unit_service_sum_pkey PRIMARY KEY (unit_id, month, key)
) WITH (fillfactor = 80);
COMMENT ON TABLE unit_service_sum IS 'What surveys and complaints add up to, for each unit and month. Nobody writes here but unit_service_refresh(), and a unit that moves.';
COMMENT ON COLUMN unit_service_sum.unit_id IS 'unit.id';
COMMENT ON COLUMN unit_service_sum.month IS 'First day of the month of a survey''s last day, or of that on which a complaint came';
COMMENT ON COLUMN unit_service_sum.key IS 'What is counted: element|1 to 4, n|- (respondents), survey, survey_few (surveys with too few answers, not counted otherwise); complaint|what: see complaint_told()';
COMMENT ON COLUMN unit_service_sum.own IS 'Of this unit alone';
COMMENT ON COLUMN unit_service_sum.n IS 'With all below it';

CREATE TABLE survey_kept (
    survey_id uuid    CONSTRAINT survey_kept_pkey PRIMARY KEY,
    unit_id   uuid    NOT NULL,
    month     date    NOT NULL,
    parts     jsonb   NOT NULL,
    is_shown  boolean NOT NULL
);
COMMENT ON TABLE survey_kept IS 'What each survey adds to unit_service_sum: survey_told() as it last was.';
COMMENT ON COLUMN survey_kept.survey_id IS 'survey.id';
COMMENT ON COLUMN survey_kept.unit_id IS 'unit.id';
COMMENT ON COLUMN survey_kept.month IS 'First day of the month of survey.ends_on';
COMMENT ON COLUMN survey_kept.parts IS 'Key → number: all that was answered, counted or not';
COMMENT ON COLUMN survey_kept.is_shown IS 'Whether each element has five answers, so that it is counted';

CREATE TABLE unit_service_change (
    id        bigint CONSTRAINT unit_service_change_pkey PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    survey_id uuid,
    unit_id   uuid,
    month     date,
    parts     jsonb  NOT NULL,
    CONSTRAINT unit_service_change_whose CHECK ((survey_id IS NULL) = (unit_id IS NOT NULL AND month IS NOT NULL))
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);
CREATE INDEX unit_service_change_survey_idx ON unit_service_change (survey_id) WHERE survey_id IS NOT NULL;
COMMENT ON TABLE unit_service_change IS 'What came since unit_service_sum was put together: added in the transaction of the answer or complaint. Nobody waits for another here.';
COMMENT ON COLUMN unit_service_change.id IS 'Number';
COMMENT ON COLUMN unit_service_change.survey_id IS 'survey.id: what was answered; nothing, if the survey itself changed';
COMMENT ON COLUMN unit_service_change.unit_id IS 'unit.id of a complaint';
COMMENT ON COLUMN unit_service_change.month IS 'First day of the month in which the complaint came';
COMMENT ON COLUMN unit_service_change.parts IS 'Key → number, to be added';

CREATE FUNCTION jsonb_added(v jsonb[]) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN (SELECT coalesce(jsonb_object_agg(s.key, s.n), '{}') FROM (SELECT j.key, sum(j.value::numeric) AS n FROM unnest(v) AS p (o), jsonb_each_text(p.o) j GROUP BY j.key) s);
COMMENT ON FUNCTION jsonb_added(jsonb[]) IS 'Objects of numbers as one, key by key.';

CREATE FUNCTION survey_is_shown(elements text[], parts jsonb) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN (SELECT bool_and(coalesce((parts ->> (e || '|1'))::numeric, 0) + coalesce((parts ->> (e || '|2'))::numeric, 0) + coalesce((parts ->> (e || '|3'))::numeric, 0)
                        + coalesce((parts ->> (e || '|4'))::numeric, 0) >= 5) FROM unnest(elements) AS e);
COMMENT ON FUNCTION survey_is_shown(text[], jsonb) IS 'Whether each element has five answers: the rule by which a survey has an index.';

CREATE FUNCTION survey_adds(parts jsonb, is_shown boolean) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN is_shown THEN parts || '{"survey": 1}' ELSE '{"survey_few": 1}' END;
COMMENT ON FUNCTION survey_adds(jsonb, boolean) IS 'What a survey adds to the sums: all of it or none.';

CREATE FUNCTION survey_told(which uuid[]) RETURNS SETOF survey_kept
LANGUAGE plpgsql STABLE ROWS 10 AS $$
BEGIN
    RETURN QUERY
    SELECT s.id, p.unit_id, date_trunc('month', s.ends_on)::date, a.parts, survey_is_shown(s.elements, a.parts)
    FROM   survey s
    JOIN   service_unit p ON p.id = s.service_unit_id
    CROSS  JOIN LATERAL (SELECT jsonb_added(ARRAY(SELECT k.parts FROM survey_kept k WHERE k.survey_id = s.id
                                                  UNION ALL SELECT c.parts FROM unit_service_change c WHERE c.survey_id = s.id)) AS parts) a
    WHERE  s.id = ANY (which) AND s.state <> 'draft';
END $$;
COMMENT ON FUNCTION survey_told(uuid[]) IS 'What these surveys add now: what is kept of them, and what has come since.';

CREATE FUNCTION survey_moves(which uuid[]) RETURNS TABLE (unit_id uuid, month date, key text, n numeric)
LANGUAGE plpgsql STABLE ROWS 50 AS $$
BEGIN
    RETURN QUERY
    SELECT v.unit_id, v.month, j.key, sum(v.sign * j.value::numeric)
    FROM   (SELECT t.unit_id, t.month, survey_adds(t.parts, t.is_shown) AS parts, 1 AS sign FROM survey_told(which) t
            UNION ALL SELECT k.unit_id, k.month, survey_adds(k.parts, k.is_shown), -1 FROM survey_kept k WHERE k.survey_id = ANY (which)) v
    CROSS  JOIN LATERAL jsonb_each_text(v.parts) j
    GROUP  BY v.unit_id, v.month, j.key
    HAVING sum(v.sign * j.value::numeric) <> 0;
END $$;
COMMENT ON FUNCTION survey_moves(uuid[]) IS 'By how much what these surveys add to their own units is otherwise now than it is kept.';

CREATE FUNCTION unit_service_pending() RETURNS TABLE (unit_id uuid, month date, key text, n numeric)
LANGUAGE plpgsql STABLE ROWS 50 AS $$
BEGIN
    RETURN QUERY
    SELECT m.* FROM survey_moves(ARRAY(SELECT DISTINCT c.survey_id FROM unit_service_change c WHERE c.survey_id IS NOT NULL)) m
    UNION  ALL
    SELECT c.unit_id, c.month, j.key, sum(j.value::numeric)
    FROM   unit_service_change c CROSS JOIN LATERAL jsonb_each_text(c.parts) j
    WHERE  c.survey_id IS NULL
    GROUP  BY c.unit_id, c.month, j.key;
END $$;
COMMENT ON FUNCTION unit_service_pending() IS 'By how much the sums of units alone are otherwise now than they are kept.';

CREATE FUNCTION unit_service_sums(of_unit uuid, first date, last date) RETURNS TABLE (key text, n numeric)
LANGUAGE sql STABLE AS $$
    SELECT v.key, sum(v.n)
    FROM   (SELECT s.key, s.n FROM unit_service_sum s WHERE s.unit_id = of_unit AND s.month BETWEEN first AND last
            UNION  ALL
            SELECT p.key, p.n FROM unit_service_pending() p JOIN unit u ON u.id = p.unit_id
            WHERE  p.month BETWEEN first AND last AND u.path <@ (SELECT r.path FROM unit r WHERE r.id = of_unit)) v
    GROUP  BY v.key
    HAVING sum(v.n) <> 0
$$;
COMMENT ON FUNCTION unit_service_sums(uuid, date, date) IS 'Exact sums of surveys and complaints of a unit with all below, of the months from first to last.';

CREATE FUNCTION unit_service_add(differences jsonb) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO unit_service_sum AS s (unit_id, month, key, own, n)
    SELECT b.id, d.month, d.key, coalesce(sum(d.n) FILTER (WHERE b.id = d.unit_id), 0), sum(d.n)
    FROM   jsonb_to_recordset(differences) AS d (unit_id uuid, month date, key text, n numeric)
    JOIN   unit u ON u.id = d.unit_id
    CROSS  JOIN LATERAL unnest(string_to_array(u.path::text, '.')::uuid[]) AS b (id)
    GROUP  BY b.id, d.month, d.key
    ON CONFLICT ON CONSTRAINT unit_service_sum_pkey DO UPDATE SET own = s.own + EXCLUDED.own, n = s.n + EXCLUDED.n;
END $$;
COMMENT ON FUNCTION unit_service_add(jsonb) IS 'Adds to the sums of units and of those above them: an array of unit_id, month, key, n.';

CREATE FUNCTION unit_service_refresh(milliseconds integer) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    began       timestamptz := clock_timestamp();
    done        bigint := 0;
    most        bigint;
    surveys     uuid[];
    differences jsonb;
    taken       bigint;
BEGIN
    IF NOT pg_try_advisory_xact_lock(1918, 52) THEN
        RETURN 0;
    END IF;
    LOOP
        SELECT max(k.id), coalesce(array_agg(DISTINCT k.survey_id) FILTER (WHERE k.survey_id IS NOT NULL), '{}') INTO most, surveys
        FROM   (SELECT c.id, c.survey_id FROM unit_service_change c ORDER BY c.id LIMIT 2000) k;
        EXIT WHEN most IS NULL;
        WITH told AS MATERIALIZED (
            SELECT t.* FROM survey_told(surveys) t
        ), moves AS MATERIALIZED (
            SELECT m.* FROM survey_moves(surveys) m
        ), gone AS (
            DELETE FROM unit_service_change c WHERE c.survey_id = ANY (surveys) OR c.survey_id IS NULL AND c.id <= most RETURNING c.survey_id, c.unit_id, c.month, c.parts
        ), kept AS (
            INSERT INTO survey_kept AS k SELECT t.* FROM told t
            ON CONFLICT ON CONSTRAINT survey_kept_pkey DO UPDATE SET (unit_id, month, parts, is_shown) = (EXCLUDED.unit_id, EXCLUDED.month, EXCLUDED.parts, EXCLUDED.is_shown)
        )
        SELECT (SELECT count(*) FROM gone),
               (SELECT jsonb_agg(jsonb_build_object('unit_id', d.unit_id, 'month', d.month, 'key', d.key, 'n', d.n))
                FROM   (SELECT m.* FROM moves m
                        UNION  ALL
                        SELECT g.unit_id, g.month, j.key, j.value::numeric FROM gone g CROSS JOIN LATERAL jsonb_each_text(g.parts) j WHERE g.survey_id IS NULL) d)
        INTO   taken, differences;
        PERFORM unit_service_add(differences) WHERE differences IS NOT NULL;
        done := done + taken;
        EXIT WHEN clock_timestamp() > began + make_interval(secs => milliseconds / 1000.0);
    END LOOP;
    RETURN done;
END $$;
COMMENT ON FUNCTION unit_service_refresh(integer) IS
    'For so long, brings the sums up to what has come and takes that away, as one snapshot shows it. Gives how many changes. Only one at a time works: others give 0.';

-- ── what leaves a change ─────────────────────────────────────────────────────────────────────────────────────────────────

CREATE FUNCTION survey_answer_note() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO unit_service_change (survey_id, parts)
    SELECT c.survey_id, jsonb_object_agg(c.key, c.n)
    FROM   (SELECT a.survey_id, v.key, count(*) AS n
            FROM   entered a
            CROSS  JOIN LATERAL (SELECT j.key || '|' || j.value AS key FROM jsonb_each_text(a.answers) j UNION ALL VALUES ('n|-')) v
            GROUP  BY a.survey_id, v.key) c
    GROUP  BY c.survey_id;
    RETURN NULL;
END $$;
COMMENT ON FUNCTION survey_answer_note() IS 'Notes a statement''s answers, one row a survey.';
CREATE TRIGGER survey_answer_37_note AFTER INSERT ON survey_answer REFERENCING NEW TABLE AS entered FOR EACH STATEMENT EXECUTE FUNCTION survey_answer_note();

CREATE FUNCTION survey_note() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO unit_service_change (survey_id, parts) VALUES (NEW.id, '{}');
    RETURN NULL;
END $$;
COMMENT ON FUNCTION survey_note() IS 'Notes that a survey is counted otherwise now.';
CREATE TRIGGER survey_37_note_insert AFTER INSERT ON survey FOR EACH ROW WHEN (NEW.state <> 'draft') EXECUTE FUNCTION survey_note();
CREATE TRIGGER survey_37_note_update AFTER UPDATE ON survey FOR EACH ROW
    WHEN (NEW.state <> 'draft' AND (OLD.state = 'draft' OR OLD.ends_on <> NEW.ends_on)) EXECUTE FUNCTION survey_note();

CREATE FUNCTION complaint_told(c complaint) RETURNS jsonb
LANGUAGE sql STABLE
RETURN CASE WHEN (c).kind = 'complaint' AND (c).state <> 'rejected'
            THEN jsonb_build_object('complaint|received', 1, 'complaint|answered', ((c).answered_at IS NOT NULL)::integer,
                                    'complaint|bound', ((c).answered_at IS NOT NULL AND (c).settle_by IS NOT NULL)::integer,
                                    'complaint|in_time', coalesce(local_day((c).answered_at) <= (c).settle_by, false)::integer,
                                    'complaint|judged', ((c).is_upheld IS NOT NULL)::integer, 'complaint|upheld', coalesce((c).is_upheld, false)::integer)
            ELSE '{}' END;
COMMENT ON FUNCTION complaint_told(complaint) IS
    'What a complaint adds: received, answered, bound (answered, and had a limit), in_time of these, judged (right or not), upheld. Aspirations, questions and what was rejected add nothing.';

CREATE FUNCTION complaint_note() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO unit_service_change (unit_id, month, parts)
    SELECT p.unit_id, v.month, jsonb_object_agg(j.key, v.sign * j.value::integer)
    FROM   (SELECT OLD.service_unit_id, date_trunc('month', local_day(OLD.received_at))::date, complaint_told(OLD), -1 WHERE TG_OP <> 'INSERT'
            UNION ALL
            SELECT NEW.service_unit_id, date_trunc('month', local_day(NEW.received_at))::date, complaint_told(NEW), 1 WHERE TG_OP <> 'DELETE') AS v (service_unit_id, month, parts, sign)
    JOIN   service_unit p ON p.id = v.service_unit_id
    CROSS  JOIN LATERAL jsonb_each_text(v.parts) j
    GROUP  BY p.unit_id, v.month, v.sign;
    RETURN NULL;
END $$;
COMMENT ON FUNCTION complaint_note() IS 'Notes what a complaint was and is.';
CREATE TRIGGER complaint_37_note AFTER INSERT OR DELETE ON complaint FOR EACH ROW EXECUTE FUNCTION complaint_note();
CREATE TRIGGER complaint_37_note_update AFTER UPDATE ON complaint FOR EACH ROW
    WHEN ((OLD.service_unit_id, OLD.received_at, OLD.kind, OLD.state, OLD.answered_at, OLD.settle_by, OLD.is_upheld)
          IS DISTINCT FROM (NEW.service_unit_id, NEW.received_at, NEW.kind, NEW.state, NEW.answered_at, NEW.settle_by, NEW.is_upheld))
    EXECUTE FUNCTION complaint_note();

CREATE FUNCTION unit_service_carry() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM departed o JOIN entered n ON n.id = o.id WHERE n.path <> o.path) THEN
        RETURN NULL;
    END IF;
    PERFORM pg_advisory_xact_lock(1918, 52);
    INSERT INTO unit_service_sum AS s (unit_id, month, key, own, n)
    SELECT b.id, k.month, k.key, 0, sum(v.sign * k.own)
    FROM   departed o
    JOIN   entered n ON n.id = o.id AND n.path <> o.path
    JOIN   unit_service_sum k ON k.unit_id = o.id AND k.own <> 0
    CROSS  JOIN LATERAL (VALUES (o.path, -1), (n.path, 1)) AS v (path, sign)
    CROSS  JOIN LATERAL unnest(string_to_array(v.path::text, '.')::uuid[]) AS b (id)
    GROUP  BY b.id, k.month, k.key HAVING sum(v.sign * k.own) <> 0
    ON CONFLICT ON CONSTRAINT unit_service_sum_pkey DO UPDATE SET n = s.n + EXCLUDED.n;
    RETURN NULL;
END $$;
COMMENT ON FUNCTION unit_service_carry() IS 'Sums of surveys and complaints follow units that move.';
CREATE TRIGGER unit_72_service_update AFTER UPDATE ON unit REFERENCING NEW TABLE AS entered OLD TABLE AS departed FOR EACH STATEMENT EXECUTE FUNCTION unit_service_carry();

CREATE FUNCTION unit_service_drop() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM unit_service_sum s USING departed o WHERE s.unit_id = o.id;
    RETURN NULL;
END $$;
COMMENT ON FUNCTION unit_service_drop() IS 'A unit that is deleted has no sums left: nothing that serves is below it.';
CREATE TRIGGER unit_72_service_delete AFTER DELETE ON unit REFERENCING OLD TABLE AS departed FOR EACH STATEMENT EXECUTE FUNCTION unit_service_drop();

-- ── are they right? ──────────────────────────────────────────────────────────────────────────────────────────────────────

CREATE FUNCTION unit_service_counted() RETURNS TABLE (unit_id uuid, month date, key text, n numeric)
LANGUAGE sql STABLE AS $$
    SELECT v.unit_id, v.month, j.key, sum(j.value::numeric)
    FROM   (SELECT p.unit_id, date_trunc('month', s.ends_on)::date AS month, survey_adds(a.parts, survey_is_shown(s.elements, a.parts)) AS parts
            FROM   survey s
            JOIN   service_unit p ON p.id = s.service_unit_id
            CROSS  JOIN LATERAL (SELECT coalesce(jsonb_object_agg(g.key, g.n), '{}') AS parts
                                 FROM   (SELECT e.key, count(*) AS n
                                         FROM   survey_answer r
                                         CROSS  JOIN LATERAL (SELECT j.key || '|' || j.value AS key FROM jsonb_each_text(r.answers) j UNION ALL VALUES ('n|-')) e
                                         WHERE  r.survey_id = s.id
                                         GROUP  BY e.key) g) a
            WHERE  s.state <> 'draft'
            UNION  ALL
            SELECT p.unit_id, date_trunc('month', local_day(c.received_at))::date, complaint_told(c) FROM complaint c JOIN service_unit p ON p.id = c.service_unit_id) v
    CROSS  JOIN LATERAL jsonb_each_text(v.parts) j
    GROUP  BY v.unit_id, v.month, j.key
$$;
COMMENT ON FUNCTION unit_service_counted() IS 'The sums of units alone, counted from all answers and complaints: what the kept ones are held against.';

CREATE VIEW unit_service_difference AS
WITH kept AS (
    SELECT v.unit_id, v.month, v.key COLLATE "C" AS key, sum(v.own) AS own, sum(v.n) AS n
    FROM   (SELECT s.unit_id, s.month, s.key, s.own, s.n FROM unit_service_sum s
            UNION  ALL
            SELECT b.id, p.month, p.key, CASE WHEN b.id = p.unit_id THEN p.n ELSE 0 END, p.n
            FROM   unit_service_pending() p JOIN unit u ON u.id = p.unit_id CROSS JOIN LATERAL unnest(string_to_array(u.path::text, '.')::uuid[]) AS b (id)) v
    GROUP  BY 1, 2, 3
), counted AS (
    SELECT b.id AS unit_id, c.month, c.key COLLATE "C" AS key, coalesce(sum(c.n) FILTER (WHERE b.id = c.unit_id), 0) AS own, sum(c.n) AS n
    FROM   unit_service_counted() c JOIN unit u ON u.id = c.unit_id CROSS JOIN LATERAL unnest(string_to_array(u.path::text, '.')::uuid[]) AS b (id)
    GROUP  BY 1, 2, 3
)
SELECT coalesce(k.unit_id, r.unit_id) AS unit_id, coalesce(k.month, r.month) AS month, coalesce(k.key, r.key) AS key, coalesce(k.own, 0) AS kept_own,
       coalesce(r.own, 0) AS counted_own, coalesce(k.n, 0) AS kept, coalesce(r.n, 0) AS counted
FROM   kept k
FULL   JOIN counted r ON (r.unit_id, r.month, r.key) = (k.unit_id, k.month, k.key)
WHERE  (coalesce(k.own, 0), coalesce(k.n, 0)) <> (coalesce(r.own, 0), coalesce(r.n, 0));
COMMENT ON VIEW unit_service_difference IS 'Sums of surveys and complaints that are not what is counted from the records. Should be empty.';

-- ── what is there ────────────────────────────────────────────────────────────────────────────────────────────────────────

INSERT INTO unit_service_change (survey_id, parts)
SELECT t.survey_id, jsonb_object_agg(t.key, t.n)
FROM   (SELECT c.survey_id, c.element || '|' || c.value AS key, sum(c.n) AS n
        FROM   survey_tally c JOIN survey s ON s.id = c.survey_id
        WHERE  c.element = 'n' OR c.element = ANY (s.elements)
        GROUP  BY 1, 2) t
GROUP  BY t.survey_id;
INSERT INTO unit_service_change (survey_id, parts)
SELECT s.id, '{}' FROM survey s WHERE s.state <> 'draft' AND NOT EXISTS (SELECT FROM unit_service_change c WHERE c.survey_id = s.id);
INSERT INTO unit_service_change (unit_id, month, parts)
SELECT v.unit_id, v.month, jsonb_object_agg(v.key, v.n)
FROM   (SELECT p.unit_id, date_trunc('month', local_day(c.received_at))::date AS month, j.key, sum(j.value::integer) AS n
        FROM   complaint c JOIN service_unit p ON p.id = c.service_unit_id CROSS JOIN LATERAL jsonb_each_text(complaint_told(c)) j
        GROUP  BY 1, 2, 3) v
GROUP  BY v.unit_id, v.month;
SELECT unit_service_refresh(2000000000);

SELECT audit_quietly('{audit_exempt}', $q$
    INSERT INTO audit_exempt (relation, reason) VALUES
        ('unit_service_sum', 'Worked out of answers and complaints'),
        ('survey_kept', 'Worked out of answers'),
        ('unit_service_change', 'To-do list of unit_service_sum')
$q$);

SELECT audit_attach();
SELECT row_security_attach();
