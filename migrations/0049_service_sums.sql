-- Figures of tickets and of answers about an officer, kept as sums and spreads: no reading looks at tickets or answers. What has come since they were last put together stands
-- beside them as signed values, which a reader adds. Why it is made so: docs/kept-sums.md.

-- ── slots ────────────────────────────────────────────────────────────────────────────────────────────────────────────────

CREATE FUNCTION counter_slot() RETURNS smallint
LANGUAGE plpgsql AS $$
DECLARE
    own integer := pg_backend_pid() % 64;
BEGIN
    FOR i IN 0..63 LOOP
        IF pg_try_advisory_xact_lock(1922, (own + i) % 64) THEN
            RETURN (own + i) % 64;
        END IF;
    END LOOP;
    PERFORM pg_advisory_xact_lock(1922, own);
    RETURN own;
END $$;
COMMENT ON FUNCTION counter_slot() IS
    'Which of 64 counters this transaction writes: one that no other transaction writes until this one ends, so that counting neither waits nor deadlocks. Only with 64 others it waits for one.';

-- ── surveys ──────────────────────────────────────────────────────────────────────────────────────────────────────────────

CREATE OR REPLACE FUNCTION survey_answer_count() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
    own smallint := counter_slot();
BEGIN
    INSERT INTO survey_tally AS t (survey_id, slot, element, value, n)
    SELECT a.survey_id, own, v.element, v.value, count(*)
    FROM   entered a
    CROSS  JOIN LATERAL (SELECT j.key AS element, j.value FROM jsonb_each_text(a.answers) j
                         UNION ALL
                         VALUES ('n', '-'), ('channel', a.channel), ('sex', coalesce(a.sex, '-')), ('age_group', coalesce(a.age_group, '-')),
                                ('education', coalesce(a.education, '-')), ('occupation', coalesce(a.occupation, '-'))) v
    GROUP  BY a.survey_id, v.element, v.value
    ON CONFLICT ON CONSTRAINT survey_tally_pkey DO UPDATE SET n = t.n + EXCLUDED.n;
    RETURN NULL;
END $$;
COMMENT ON COLUMN survey_tally.slot IS 'Which of 64 counters (counter_slot()); -1: those of a survey that was closed, put together';

CREATE OR REPLACE FUNCTION survey_take(token text, told jsonb) RETURNS TABLE (problem text, pointer text, value text, survey_id uuid, is_repeat boolean)
LANGUAGE plpgsql AS $$
DECLARE
    w     record;
    r     survey_receipt;
    asked text[];
BEGIN
    SELECT s.survey_id INTO survey_id FROM survey_of_token(token) s;
    IF survey_id IS NOT NULL THEN
        PERFORM pg_advisory_xact_lock_shared(survey_lock(survey_id));
    END IF;
    SELECT s.* INTO w FROM survey_of_token(token) s;
    IF w.survey_id IS NULL OR NOT w.is_open OR w.survey_id <> survey_id THEN
        SELECT q.survey_id, true INTO survey_id, is_repeat FROM survey_receipt q
        WHERE  q.form = told ->> 'form_id'
               AND CASE WHEN w.ticket_id IS NULL THEN q.survey_id = w.survey_id AND q.ticket_id IS NULL ELSE q.ticket_id = w.ticket_id END;
        problem := CASE WHEN is_repeat THEN NULL ELSE 'survey-closed' END;
        RETURN NEXT;
        RETURN;
    END IF;
    is_repeat := false;
    IF coalesce(told ->> 'website', '') <> '' THEN
        INSERT INTO survey_tally AS t VALUES (survey_id, counter_slot(), 'trapped', '-', 1)
        ON CONFLICT ON CONSTRAINT survey_tally_pkey DO UPDATE SET n = t.n + 1;
        RETURN NEXT;
        RETURN;
    END IF;
    SELECT s.elements INTO asked FROM survey s WHERE s.id = w.survey_id;
    SELECT 'answer-unasked', '/answers/' || a.key, a.key INTO problem, pointer, value FROM jsonb_object_keys(told -> 'answers') AS a (key) WHERE a.key <> ALL (asked) LIMIT 1;
    IF FOUND THEN
        RETURN NEXT;
        RETURN;
    END IF;
    INSERT INTO survey_receipt (survey_id, form, ticket_id, answered_on) VALUES (w.survey_id, told ->> 'form_id', w.ticket_id, local_today())
    ON CONFLICT DO NOTHING;
    IF NOT FOUND THEN
        SELECT q.* INTO r FROM survey_receipt q WHERE q.survey_id = w.survey_id AND q.form = told ->> 'form_id';
        is_repeat := FOUND AND r.ticket_id IS NOT DISTINCT FROM w.ticket_id;
        problem := CASE WHEN NOT is_repeat THEN 'answer-given' END;
        RETURN NEXT;
        RETURN;
    END IF;
    INSERT INTO survey_answer (survey_id, service_id, officer_id, answered_on, channel, answers, sex, age_group, education, occupation)
    VALUES (w.survey_id, w.service_id, w.officer_id, local_today(), CASE WHEN w.ticket_id IS NULL THEN 'link' ELSE 'ticket' END,
            with_whole(told -> 'answers', VARIADIC asked), told #>> '{respondent,sex}', told #>> '{respondent,age_group}', told #>> '{respondent,education}',
            told #>> '{respondent,occupation}');
    IF told ->> 'comment' IS NOT NULL THEN
        INSERT INTO feedback (survey_id, text, received_on) VALUES (w.survey_id, told ->> 'comment', local_today());
    END IF;
    RETURN NEXT;
END $$;

CREATE FUNCTION survey_settle(most integer) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    n bigint;
BEGIN
    WITH picked AS (
        SELECT s.id FROM survey s
        WHERE  s.state IN ('closed', 'published') AND EXISTS (SELECT FROM survey_tally t WHERE t.survey_id = s.id AND t.slot >= 0)
        LIMIT  most
    ), gone AS (
        DELETE FROM survey_tally t USING picked p WHERE t.survey_id = p.id AND t.slot >= 0 RETURNING t.survey_id, t.element, t.value, t.n
    ), kept AS (
        INSERT INTO survey_tally AS t (survey_id, slot, element, value, n)
        SELECT g.survey_id, -1, g.element, g.value, sum(g.n) FROM gone g GROUP BY g.survey_id, g.element, g.value
        ON CONFLICT ON CONSTRAINT survey_tally_pkey DO UPDATE SET n = t.n + EXCLUDED.n
        RETURNING t.survey_id
    )
    SELECT count(DISTINCT k.survey_id) INTO n FROM kept k;
    RETURN n;
END $$;
COMMENT ON FUNCTION survey_settle(integer) IS 'Puts the slots of so many closed surveys together, in one statement: the sum is the same before and after. Gives how many.';

-- ── answers about an officer ─────────────────────────────────────────────────────────────────────────────────────────────

CREATE TABLE officer_tally (
    officer_id uuid             NOT NULL,
    month      date             NOT NULL,
    element    text COLLATE "C" NOT NULL,
    value      text COLLATE "C" NOT NULL,
    slot       smallint         NOT NULL,
    n          bigint           NOT NULL,
    CONSTRAINT officer_tally_pkey PRIMARY KEY (officer_id, month, element, value, slot)
) WITH (fillfactor = 70);
COMMENT ON TABLE officer_tally IS 'How often what was answered about tickets of an officer: kept in the transaction of the answer. The sum over the slots is the count.';
COMMENT ON COLUMN officer_tally.officer_id IS 'asn.id';
COMMENT ON COLUMN officer_tally.month IS 'First day of the month of survey_answer.answered_on';
COMMENT ON COLUMN officer_tally.element IS 'Code of an element; or n: answers, whatever they say';
COMMENT ON COLUMN officer_tally.value IS '1 to 4; - of n';
COMMENT ON COLUMN officer_tally.slot IS 'Which of 64 counters (counter_slot())';
COMMENT ON COLUMN officer_tally.n IS 'How many; below zero where another slot had them before they went to another number of the same person';

CREATE FUNCTION officer_count() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF EXISTS (SELECT FROM entered e WHERE e.officer_id IS NOT NULL) THEN
            INSERT INTO officer_tally AS t (officer_id, month, element, value, slot, n)
            SELECT a.officer_id, date_trunc('month', a.answered_on)::date, v.element, v.value, o.slot, count(*)
            FROM   (SELECT counter_slot() AS slot OFFSET 0) o, entered a
            CROSS  JOIN LATERAL (SELECT j.key AS element, j.value FROM jsonb_each_text(a.answers) j UNION ALL VALUES ('n', '-')) v
            WHERE  a.officer_id IS NOT NULL
            GROUP  BY 1, 2, 3, 4, 5
            ON CONFLICT ON CONSTRAINT officer_tally_pkey DO UPDATE SET n = t.n + EXCLUDED.n;
        END IF;
    ELSE
        INSERT INTO officer_tally AS t (officer_id, month, element, value, slot, n)
        SELECT a.officer_id, date_trunc('month', a.answered_on)::date, v.element, v.value, o.slot, sum(a.sign)
        FROM   (SELECT counter_slot() AS slot OFFSET 0) o, (SELECT 1 AS sign, n.* FROM entered n UNION ALL SELECT -1, d.* FROM departed d) a
        CROSS  JOIN LATERAL (SELECT j.key AS element, j.value FROM jsonb_each_text(a.answers) j UNION ALL VALUES ('n', '-')) v
        WHERE  a.officer_id IS NOT NULL
        GROUP  BY 1, 2, 3, 4, 5 HAVING sum(a.sign) <> 0
        ON CONFLICT ON CONSTRAINT officer_tally_pkey DO UPDATE SET n = t.n + EXCLUDED.n;
    END IF;
    RETURN NULL;
END $$;
COMMENT ON FUNCTION officer_count() IS 'Counts a statement''s answers by officer; an answer follows its officer to another number.';
CREATE TRIGGER survey_answer_35_officer_insert AFTER INSERT ON survey_answer REFERENCING NEW TABLE AS entered FOR EACH STATEMENT EXECUTE FUNCTION officer_count();
CREATE TRIGGER survey_answer_35_officer_update AFTER UPDATE ON survey_answer REFERENCING NEW TABLE AS entered OLD TABLE AS departed
    FOR EACH STATEMENT EXECUTE FUNCTION officer_count();

INSERT INTO officer_tally (officer_id, month, element, value, slot, n)
SELECT a.officer_id, date_trunc('month', a.answered_on)::date, v.element, v.value, 0, count(*)
FROM   survey_answer a
CROSS  JOIN LATERAL (SELECT j.key AS element, j.value FROM jsonb_each_text(a.answers) j UNION ALL VALUES ('n', '-')) v
WHERE  a.officer_id IS NOT NULL
GROUP  BY 1, 2, 3, 4;

CREATE OR REPLACE FUNCTION measure_person_parts(figure text, who uuid, first date, last date) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
DECLARE
    asked   text := upper(substr(figure, 5));
    since   date := date_trunc('month', first::timestamp + interval '1 month' - interval '1 day');
    before  date := date_trunc('month', last::timestamp + interval '1 day');
BEGIN
    IF figure = 'jp' THEN
        RETURN (SELECT jsonb_build_object('trainings', count(*) FILTER (WHERE e.counted_jp > 0), 'jp', trim_scale(coalesce(sum(e.counted_jp), 0)))
                FROM   learning_entry e WHERE e.asn_id = who AND e.last_day BETWEEN first AND last);
    ELSIF figure IN ('days_present', 'days_late', 'days_absent') THEN
        RETURN (SELECT jsonb_build_object('months', coalesce(jsonb_agg(jsonb_build_object('month', to_char(g.month, 'YYYY-MM'), 'source', p.source, 'told_at', p.updated_at,
                                              'days', CASE figure WHEN 'days_present' THEN p.present WHEN 'days_late' THEN p.late ELSE p.absent END) ORDER BY g.month), '[]'))
                FROM   (SELECT m::date AS month FROM generate_series(since::timestamp, before - interval '1 day', interval '1 month') AS m) g
                LEFT   JOIN presence_month p ON p.asn_id = who AND p.month = g.month);
    END IF;
    RETURN (SELECT jsonb_build_object('n', coalesce(sum(t.n), 0)::bigint, 'sum', coalesce(sum(t.n * t.value::integer), 0)::bigint)
            FROM   officer_tally t WHERE t.officer_id = who AND t.month >= since AND t.month < before AND t.element = asked);
END $$;

-- ── spreads: values and how many there are up to each ────────────────────────────────────────────────────────────────────

CREATE TYPE spread AS (vals bigint[], upto bigint[]);
COMMENT ON TYPE spread IS 'Distinct values in ascending order, and how many there are up to and with each: all of a distribution, whatever its size.';

CREATE FUNCTION spread_at(vals bigint[], upto bigint[], plus bigint[], minus bigint[], place bigint) RETURNS bigint
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    low  integer := 1;
    high integer := cardinality(vals) + 1;
    mid  integer;
    kept bigint;
BEGIN
    WHILE low < high LOOP
        mid := (low + high) / 2;
        IF upto[mid] + width_bucket(vals[mid], plus) - width_bucket(vals[mid], minus) >= place THEN
            high := mid;
        ELSE
            low := mid + 1;
        END IF;
    END LOOP;
    kept := vals[low];
    low := 1;
    high := cardinality(plus) + 1;
    WHILE low < high LOOP
        mid := (low + high) / 2;
        IF coalesce(upto[width_bucket(plus[mid], vals)], 0) + width_bucket(plus[mid], plus) - width_bucket(plus[mid], minus) >= place THEN
            high := mid;
        ELSE
            low := mid + 1;
        END IF;
    END LOOP;
    RETURN least(kept, plus[low]);
END $$;
COMMENT ON FUNCTION spread_at(bigint[], bigint[], bigint[], bigint[], bigint) IS
    'The value at a place (from 1) of a distribution (spread) with the values `plus` more and `minus` less, both ascending: the least one up to which there are so many. Halving, so it looks at few.';

CREATE FUNCTION spread_percentile(s spread, plus bigint[], minus bigint[], percent integer) RETURNS numeric
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    vals bigint[] := coalesce((s).vals, '{}');
    upto bigint[] := coalesce((s).upto, '{}');
    n    bigint := coalesce(upto[cardinality(upto)], 0) + cardinality(plus) - cardinality(minus);
    rank bigint := (n - 1) * percent;
    low  bigint;
BEGIN
    IF n <= 0 THEN
        RETURN NULL;
    END IF;
    low := spread_at(vals, upto, plus, minus, rank / 100 + 1);
    RETURN trim_scale(CASE WHEN rank % 100 = 0 THEN low::numeric
                           ELSE low + (spread_at(vals, upto, plus, minus, rank / 100 + 2) - low) * (rank % 100) / 100.0 END);
END $$;
COMMENT ON FUNCTION spread_percentile(spread, bigint[], bigint[], integer) IS
    'percentile_of() of all the values of the distribution (null: none) with these more and those less; null: there are none.';

CREATE FUNCTION spread_merge(s spread, plus bigint[], minus bigint[]) RETURNS spread
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN (SELECT ROW(coalesce(array_agg(g.v ORDER BY g.v), '{}'), coalesce(array_agg(g.upto ORDER BY g.v), '{}'))::spread
        FROM   (SELECT c.v, (sum(sum(c.n)) OVER (ORDER BY c.v))::bigint AS upto, sum(c.n) AS n
                FROM   (SELECT k.v, k.upto - lag(k.upto, 1, 0::bigint) OVER (ORDER BY k.v) AS n FROM unnest((s).vals, (s).upto) AS k (v, upto)
                        UNION ALL SELECT unnest(plus), 1
                        UNION ALL SELECT unnest(minus), -1) c
                GROUP  BY c.v) g
        WHERE  g.n <> 0);
COMMENT ON FUNCTION spread_merge(spread, bigint[], bigint[]) IS 'The distribution with these values more and those less.';

-- ── figures by the month ─────────────────────────────────────────────────────────────────────────────────────────────────

DROP TRIGGER ticket_40_mark_insert ON ticket;
DROP TRIGGER ticket_40_mark_update ON ticket;
DROP TRIGGER ticket_40_mark_before ON ticket;
DROP TRIGGER ticket_40_mark_delete ON ticket;
DROP FUNCTION service_mark_note();
DROP FUNCTION service_refresh(integer);
DROP TABLE service_mark;
COMMENT ON TABLE service_month IS 'Figures of a month, as they were last put together; what has changed since is in service_change.';

CREATE TABLE service_spread (
    by         text   NOT NULL,
    key        uuid   NOT NULL,
    month      date   NOT NULL,
    waiting    spread NOT NULL,
    service    spread NOT NULL,
    turnaround spread NOT NULL,
    CONSTRAINT service_spread_pkey PRIMARY KEY (by, key, month)
);
COMMENT ON TABLE service_spread IS 'All the times of a month, counted by their seconds, beside the figures of service_month.';
COMMENT ON COLUMN service_spread.by IS 'service_month.by';
COMMENT ON COLUMN service_spread.key IS 'service_month.key';
COMMENT ON COLUMN service_spread.month IS 'service_month.month';
COMMENT ON COLUMN service_spread.waiting IS 'ticket.waiting_s';
COMMENT ON COLUMN service_spread.service IS 'ticket.service_s';
COMMENT ON COLUMN service_spread.turnaround IS 'ticket.turnaround_s';

CREATE TABLE service_change (
    id           bigint   CONSTRAINT service_change_pkey PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    by           text     NOT NULL,
    key          uuid     NOT NULL,
    month        date     NOT NULL,
    sign         smallint NOT NULL,
    state        text     NOT NULL,
    is_on_time   boolean,
    waiting_s    bigint,
    service_s    bigint,
    turnaround_s bigint
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);
CREATE INDEX service_change_cell_idx ON service_change (by, key, month);
COMMENT ON TABLE service_change IS 'What tickets became since service_month was put together: added in the transaction of the ticket, taken away when it was put together. Nobody waits for another here.';
COMMENT ON COLUMN service_change.id IS 'Number: what a ticket is no longer comes behind what it was';
COMMENT ON COLUMN service_change.by IS 'service_month.by';
COMMENT ON COLUMN service_change.key IS 'service_month.key';
COMMENT ON COLUMN service_change.month IS 'service_month.month';
COMMENT ON COLUMN service_change.sign IS '1: a ticket is now as follows; -1: it was, and no longer is';
COMMENT ON COLUMN service_change.state IS 'ticket.state';
COMMENT ON COLUMN service_change.is_on_time IS 'ticket.is_on_time';
COMMENT ON COLUMN service_change.waiting_s IS 'ticket.waiting_s';
COMMENT ON COLUMN service_change.service_s IS 'ticket.service_s';
COMMENT ON COLUMN service_change.turnaround_s IS 'ticket.turnaround_s';

CREATE FUNCTION service_change_note(told smallint, tickets ticket[]) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO service_change (by, key, month, sign, state, is_on_time, waiting_s, service_s, turnaround_s)
    SELECT v.by, v.key, date_trunc('month', t.day)::date, told, t.state, t.is_on_time, t.waiting_s, t.service_s, t.turnaround_s
    FROM   unnest(tickets) t
    JOIN   service s ON s.id = t.service_id
    JOIN   service_unit p ON p.id = s.service_unit_id
    CROSS  JOIN LATERAL (VALUES ('service', t.service_id), ('unit', p.unit_id), ('officer', t.officer_id)) AS v (by, key)
    WHERE  v.key IS NOT NULL;
END $$;
COMMENT ON FUNCTION service_change_note(smallint, ticket[]) IS 'Notes that these tickets are (1) or no longer are (-1) as they are given.';

CREATE FUNCTION ticket_count() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
    were ticket[];
    are  ticket[];
BEGIN
    IF TG_OP = 'INSERT' THEN
        PERFORM service_change_note(1::smallint, ARRAY(SELECT n::ticket FROM entered n));
    ELSIF TG_OP = 'DELETE' THEN
        PERFORM service_change_note(-1::smallint, ARRAY(SELECT o::ticket FROM departed o));
    ELSE
        SELECT array_agg(o::ticket), array_agg(n::ticket) INTO were, are
        FROM   departed o JOIN entered n ON n.id = o.id
        WHERE  (o.officer_id, o.day, o.state, o.is_on_time, o.waiting_s, o.service_s, o.turnaround_s)
               IS DISTINCT FROM (n.officer_id, n.day, n.state, n.is_on_time, n.waiting_s, n.service_s, n.turnaround_s);
        IF are IS NOT NULL THEN
            PERFORM service_change_note(-1::smallint, were);
            PERFORM service_change_note(1::smallint, are);
        END IF;
    END IF;
    RETURN NULL;
END $$;
COMMENT ON FUNCTION ticket_count() IS 'Notes what a statement''s tickets were and are.';
CREATE TRIGGER ticket_40_count_insert AFTER INSERT ON ticket REFERENCING NEW TABLE AS entered FOR EACH STATEMENT EXECUTE FUNCTION ticket_count();
CREATE TRIGGER ticket_40_count_update AFTER UPDATE ON ticket REFERENCING NEW TABLE AS entered OLD TABLE AS departed FOR EACH STATEMENT EXECUTE FUNCTION ticket_count();
CREATE TRIGGER ticket_40_count_delete AFTER DELETE ON ticket REFERENCING OLD TABLE AS departed FOR EACH STATEMENT EXECUTE FUNCTION ticket_count();

CREATE FUNCTION service_sum(changes service_change[])
RETURNS TABLE (figures service_month, waiting spread, waiting_plus bigint[], waiting_minus bigint[], service spread, service_plus bigint[], service_minus bigint[],
               turnaround spread, turnaround_plus bigint[], turnaround_minus bigint[])
LANGUAGE sql STABLE AS $$
    SELECT (p.by, p.key, p.month, coalesce(m.taken, 0) + p.taken, coalesce(m.finished, 0) + p.finished, coalesce(m.no_show, 0) + p.no_show,
            coalesce(m.cancelled, 0) + p.cancelled, coalesce(m.promised, 0) + p.promised, coalesce(m.on_time, 0) + p.on_time,
            coalesce(m.waiting_n, 0) + p.waiting_n, coalesce(m.waiting_sum, 0) + p.waiting_sum,
            spread_percentile(s.waiting, p.waiting_plus, p.waiting_minus, 50), spread_percentile(s.waiting, p.waiting_plus, p.waiting_minus, 90),
            coalesce(m.service_n, 0) + p.service_n, coalesce(m.service_sum, 0) + p.service_sum,
            spread_percentile(s.service, p.service_plus, p.service_minus, 50), spread_percentile(s.service, p.service_plus, p.service_minus, 90),
            coalesce(m.turnaround_n, 0) + p.turnaround_n, coalesce(m.turnaround_sum, 0) + p.turnaround_sum,
            spread_percentile(s.turnaround, p.turnaround_plus, p.turnaround_minus, 50),
            spread_percentile(s.turnaround, p.turnaround_plus, p.turnaround_minus, 90))::service_month,
           s.waiting, p.waiting_plus, p.waiting_minus, s.service, p.service_plus, p.service_minus, s.turnaround, p.turnaround_plus, p.turnaround_minus
    FROM   (SELECT c.by, c.key, c.month, sum(c.sign)::bigint AS taken, coalesce(sum(c.sign) FILTER (WHERE c.state = 'finished'), 0)::bigint AS finished,
                   coalesce(sum(c.sign) FILTER (WHERE c.state = 'no_show'), 0)::bigint AS no_show,
                   coalesce(sum(c.sign) FILTER (WHERE c.state = 'cancelled'), 0)::bigint AS cancelled,
                   coalesce(sum(c.sign) FILTER (WHERE c.is_on_time IS NOT NULL), 0)::bigint AS promised, coalesce(sum(c.sign) FILTER (WHERE c.is_on_time), 0)::bigint AS on_time,
                   coalesce(sum(c.sign) FILTER (WHERE c.waiting_s IS NOT NULL), 0)::bigint AS waiting_n, coalesce(sum(c.sign * c.waiting_s), 0) AS waiting_sum,
                   coalesce(array_agg(c.waiting_s ORDER BY c.waiting_s) FILTER (WHERE c.sign > 0 AND c.waiting_s IS NOT NULL), '{}') AS waiting_plus,
                   coalesce(array_agg(c.waiting_s ORDER BY c.waiting_s) FILTER (WHERE c.sign < 0 AND c.waiting_s IS NOT NULL), '{}') AS waiting_minus,
                   coalesce(sum(c.sign) FILTER (WHERE c.service_s IS NOT NULL), 0)::bigint AS service_n, coalesce(sum(c.sign * c.service_s), 0) AS service_sum,
                   coalesce(array_agg(c.service_s ORDER BY c.service_s) FILTER (WHERE c.sign > 0 AND c.service_s IS NOT NULL), '{}') AS service_plus,
                   coalesce(array_agg(c.service_s ORDER BY c.service_s) FILTER (WHERE c.sign < 0 AND c.service_s IS NOT NULL), '{}') AS service_minus,
                   coalesce(sum(c.sign) FILTER (WHERE c.turnaround_s IS NOT NULL), 0)::bigint AS turnaround_n, coalesce(sum(c.sign * c.turnaround_s), 0) AS turnaround_sum,
                   coalesce(array_agg(c.turnaround_s ORDER BY c.turnaround_s) FILTER (WHERE c.sign > 0 AND c.turnaround_s IS NOT NULL), '{}') AS turnaround_plus,
                   coalesce(array_agg(c.turnaround_s ORDER BY c.turnaround_s) FILTER (WHERE c.sign < 0 AND c.turnaround_s IS NOT NULL), '{}') AS turnaround_minus
            FROM   unnest(changes) c
            GROUP  BY c.by, c.key, c.month) p
    LEFT   JOIN service_month m ON (m.by, m.key, m.month) = (p.by, p.key, p.month)
    LEFT   JOIN service_spread s ON (s.by, s.key, s.month) = (p.by, p.key, p.month)
$$;
COMMENT ON FUNCTION service_sum(service_change[]) IS
    'The figures of the months that these changes are of, with them added to the kept ones; and the kept distributions (null: none) with the times that are more (…_plus) and less (…_minus), ascending.';

CREATE OR REPLACE FUNCTION service_figures(which text, keys uuid[], first date, last date) RETURNS SETOF service_month
LANGUAGE plpgsql STABLE ROWS 50 AS $$
BEGIN
    RETURN QUERY
    SELECT m.* FROM service_month m
    WHERE  m.by = which AND m.key = ANY (keys) AND m.month BETWEEN first AND last
           AND NOT EXISTS (SELECT FROM service_change k WHERE (k.by, k.key, k.month) = (m.by, m.key, m.month))
    UNION  ALL
    SELECT (f.figures).*
    FROM   service_sum(ARRAY(SELECT c FROM service_change c WHERE c.by = which AND c.key = ANY (keys) AND c.month BETWEEN first AND last)) f;
END $$;

CREATE FUNCTION service_refresh(milliseconds integer) RETURNS bigint
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
        done := done + cardinality(changes);
        EXIT WHEN clock_timestamp() > began + make_interval(secs => milliseconds / 1000.0);
    END LOOP;
    RETURN done;
END $$;
COMMENT ON FUNCTION service_refresh(integer) IS
    'For so long, adds to the kept months what has changed and takes the changes away, the oldest first; what is committed later stays. Gives how many changes. Only one at a time works: others give 0.';

COMMENT ON FUNCTION service_measure(text, uuid, date) IS 'The figures of one service, unit or officer in one month, counted from the tickets: what the kept ones are held against.';

-- ── are they right? ──────────────────────────────────────────────────────────────────────────────────────────────────────

CREATE VIEW service_difference AS
SELECT c.by, c.key, c.month, k.kept, r.counted
FROM   (SELECT v.by, v.key, v.month
        FROM   (SELECT DISTINCT t.service_id, t.officer_id, date_trunc('month', t.day)::date AS month FROM ticket t) t
        JOIN   service s ON s.id = t.service_id
        JOIN   service_unit p ON p.id = s.service_unit_id
        CROSS  JOIN LATERAL (VALUES ('service', t.service_id, t.month), ('unit', p.unit_id, t.month), ('officer', t.officer_id, t.month)) AS v (by, key, month)
        WHERE  v.key IS NOT NULL
        UNION  SELECT m.by, m.key, m.month FROM service_month m
        UNION  SELECT g.by, g.key, g.month FROM service_change g) c
CROSS  JOIN LATERAL (SELECT to_jsonb(service_measure(c.by, c.key, c.month)) AS counted) r
LEFT   JOIN LATERAL (SELECT to_jsonb(f) AS kept FROM service_figures(c.by, ARRAY[c.key], c.month, c.month) f) k ON true
WHERE  k.kept IS DISTINCT FROM r.counted;
COMMENT ON VIEW service_difference IS 'Months whose kept figures are not those that are counted from the tickets, with both. Should be empty.';

CREATE VIEW survey_difference AS
SELECT coalesce(k.survey_id, r.survey_id) AS survey_id, coalesce(k.element, r.element) AS element, coalesce(k.value, r.value) AS value, coalesce(k.n, 0) AS kept,
       coalesce(r.n, 0) AS counted
FROM   (SELECT t.survey_id, t.element, t.value, sum(t.n) AS n FROM survey_tally t WHERE t.element <> 'trapped' GROUP BY 1, 2, 3) k
FULL   JOIN
       (SELECT a.survey_id, v.element COLLATE "C" AS element, v.value COLLATE "C" AS value, count(*) AS n
        FROM   survey_answer a
        CROSS  JOIN LATERAL (SELECT j.key AS element, j.value FROM jsonb_each_text(a.answers) j
                             UNION ALL
                             VALUES ('n', '-'), ('channel', a.channel), ('sex', coalesce(a.sex, '-')), ('age_group', coalesce(a.age_group, '-')),
                                    ('education', coalesce(a.education, '-')), ('occupation', coalesce(a.occupation, '-'))) v
        GROUP  BY 1, 2, 3) r
       ON (r.survey_id, r.element, r.value) = (k.survey_id, k.element, k.value)
WHERE  coalesce(k.n, 0) <> coalesce(r.n, 0);
COMMENT ON VIEW survey_difference IS 'Answers whose count is not that of a recount. Should be empty.';

CREATE VIEW officer_difference AS
SELECT coalesce(k.officer_id, r.officer_id) AS officer_id, coalesce(k.month, r.month) AS month, coalesce(k.element, r.element) AS element,
       coalesce(k.value, r.value) AS value, coalesce(k.n, 0) AS kept, coalesce(r.n, 0) AS counted
FROM   (SELECT t.officer_id, t.month, t.element, t.value, sum(t.n) AS n FROM officer_tally t GROUP BY 1, 2, 3, 4) k
FULL   JOIN
       (SELECT a.officer_id, date_trunc('month', a.answered_on)::date AS month, v.element COLLATE "C" AS element, v.value COLLATE "C" AS value, count(*) AS n
        FROM   survey_answer a
        CROSS  JOIN LATERAL (SELECT j.key AS element, j.value FROM jsonb_each_text(a.answers) j UNION ALL VALUES ('n', '-')) v
        WHERE  a.officer_id IS NOT NULL
        GROUP  BY 1, 2, 3, 4) r
       ON (r.officer_id, r.month, r.element, r.value) = (k.officer_id, k.month, k.element, k.value)
WHERE  coalesce(k.n, 0) <> coalesce(r.n, 0);
COMMENT ON VIEW officer_difference IS 'Answers about officers whose count is not that of a recount. Should be empty.';

-- ── the tickets that are there ───────────────────────────────────────────────────────────────────────────────────────────

DELETE FROM service_month;
WITH entry AS (
    SELECT v.by, v.key, date_trunc('month', t.day)::date AS month, t.state, t.is_on_time, t.waiting_s, t.service_s, t.turnaround_s
    FROM   ticket t
    JOIN   service s ON s.id = t.service_id
    JOIN   service_unit p ON p.id = s.service_unit_id
    CROSS  JOIN LATERAL (VALUES ('service', t.service_id), ('unit', p.unit_id), ('officer', t.officer_id)) AS v (by, key)
    WHERE  v.key IS NOT NULL
), counted AS (
    SELECT e.by, e.key, e.month, count(*) AS taken, count(*) FILTER (WHERE e.state = 'finished') AS finished, count(*) FILTER (WHERE e.state = 'no_show') AS no_show,
           count(*) FILTER (WHERE e.state = 'cancelled') AS cancelled, count(e.is_on_time) AS promised, count(*) FILTER (WHERE e.is_on_time) AS on_time,
           count(e.waiting_s) AS waiting_n, coalesce(sum(e.waiting_s), 0) AS waiting_sum,
           spread_merge(('{}', '{}'), coalesce(array_agg(e.waiting_s) FILTER (WHERE e.waiting_s IS NOT NULL), '{}'), '{}') AS waiting,
           count(e.service_s) AS service_n, coalesce(sum(e.service_s), 0) AS service_sum,
           spread_merge(('{}', '{}'), coalesce(array_agg(e.service_s) FILTER (WHERE e.service_s IS NOT NULL), '{}'), '{}') AS service,
           count(e.turnaround_s) AS turnaround_n, coalesce(sum(e.turnaround_s), 0) AS turnaround_sum,
           spread_merge(('{}', '{}'), coalesce(array_agg(e.turnaround_s) FILTER (WHERE e.turnaround_s IS NOT NULL), '{}'), '{}') AS turnaround
    FROM   entry e
    GROUP  BY e.by, e.key, e.month
), spreads AS (
    INSERT INTO service_spread SELECT c.by, c.key, c.month, c.waiting, c.service, c.turnaround FROM counted c
)
INSERT INTO service_month
SELECT c.by, c.key, c.month, c.taken, c.finished, c.no_show, c.cancelled, c.promised, c.on_time,
       c.waiting_n, c.waiting_sum, spread_percentile(c.waiting, '{}', '{}', 50), spread_percentile(c.waiting, '{}', '{}', 90),
       c.service_n, c.service_sum, spread_percentile(c.service, '{}', '{}', 50), spread_percentile(c.service, '{}', '{}', 90),
       c.turnaround_n, c.turnaround_sum, spread_percentile(c.turnaround, '{}', '{}', 50), spread_percentile(c.turnaround, '{}', '{}', 90)
FROM   counted c;

DELETE FROM audit_exempt WHERE relation = 'service_mark';
INSERT INTO audit_exempt (relation, reason) VALUES
    ('service_change', 'To-do list of service_month'),
    ('service_spread', 'Worked out of tickets'),
    ('officer_tally', 'Worked out of answers');

SELECT audit_attach();
