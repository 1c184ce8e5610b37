-- Public service of a unit by the tree of a day (0072), where units have moved into it or out of it since: its kept sums of today, less those of what has come, plus those of what has gone. A unit
-- that moved with all below it is one piece, so that a reading costs what has moved, not what lies below. See docs/kept-sums.md.

CREATE TYPE unit_piece AS (by text, key uuid, sign smallint);
COMMENT ON TYPE unit_piece IS 'by: tree (the unit with all that is below it today) or unit (it alone); key: unit.id; sign: 1: counts, -1: is taken away.';

CREATE FUNCTION unit_pieces(which uuid, at date, units ltree[], OUT pieces unit_piece[], OUT unseen bigint)
LANGUAGE plpgsql STABLE AS $$
DECLARE
    own_now  ltree := (SELECT u.path FROM unit u WHERE u.id = which);
    own_then ltree := unit_path_then(which, at);
    moved    uuid[] := ARRAY(SELECT DISTINCT w.unit_id FROM unit_way w
                             WHERE  lower(w.valid) > at AND EXISTS (SELECT FROM unit_way e WHERE e.unit_id = w.unit_id AND lower(e.valid) < lower(w.valid)));
    more     unit_piece[];
BEGIN
    pieces := ARRAY[ROW('tree', which, 1)::unit_piece];
    unseen := 0;
    IF moved = '{}' THEN
        RETURN;
    END IF;
    WITH turned AS MATERIALIZED (
        SELECT u.id, u.path, CASE WHEN t.path <@ own_then THEN 1 ELSE -1 END AS sign, u.path <@ ANY (units) AS is_seen
        FROM   (SELECT n.id FROM unit n WHERE n.id = ANY (moved) AND n.path <@ own_now
                UNION SELECT w.unit_id FROM unit_way w WHERE w.unit_id = ANY (moved) AND w.path <@ own_then) c
        JOIN   unit u ON u.id = c.id
        CROSS  JOIN LATERAL (SELECT unit_path_then(u.id, at) AS path OFFSET 0) t
        WHERE  (u.path <@ own_now) <> (t.path <@ own_then)
    ), whole AS MATERIALIZED (
        SELECT s.id, s.path, s.sign FROM turned s
        WHERE  s.is_seen AND (SELECT count(*) FROM unit b WHERE b.path <@ s.path) = (SELECT count(*) FROM turned b WHERE b.path <@ s.path AND b.sign = s.sign AND b.is_seen)
    )
    SELECT (SELECT array_agg(ROW(p.by, p.key, p.sign)::unit_piece)
            FROM   (SELECT 'tree' AS by, w.id AS key, w.sign FROM whole w WHERE NOT EXISTS (SELECT FROM whole o WHERE o.path @> w.path AND o.path <> w.path)
                    UNION ALL
                    SELECT 'unit', t.id, t.sign FROM turned t WHERE t.is_seen AND NOT EXISTS (SELECT FROM whole o WHERE o.path @> t.path)) p),
           (SELECT count(*) FROM turned t WHERE NOT t.is_seen)
    INTO   more, unseen;
    pieces := pieces || coalesce(more, '{}');
END $$;
COMMENT ON FUNCTION unit_pieces(uuid, date, ltree[]) IS
    'Of what the sums of a unit with all that was below it on a day are put together: itself as it is today, and what has moved out of it or into it since, of what may be seen; and how many units may not. A unit that began later counts where it began.';

-- ── tickets ──────────────────────────────────────────────────────────────────────────────────────────────────────────────

DROP FUNCTION service_period_then(uuid, uuid[], date, date);
DROP FUNCTION service_period(text, uuid, date, date);
DROP FUNCTION service_period_of(text, uuid[], date, date);
DROP FUNCTION service_times(spread[], service_change[], text, numeric[], numeric[]);
DROP FUNCTION spreads_percentile(spread[], bigint[], bigint[], integer, numeric[]);
DROP FUNCTION spreads_at(spread[], bigint[], bigint[], bigint, bigint, bigint);
DROP FUNCTION spreads_upto(spread[], bigint[], bigint[], bigint);

CREATE FUNCTION spreads_upto(spreads spread[], signs smallint[], plus bigint[], minus bigint[], value bigint) RETURNS bigint
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    n bigint := width_bucket(value, plus) - width_bucket(value, minus);
BEGIN
    FOR i IN 1..cardinality(spreads) LOOP
        n := n + coalesce(signs[i] * (spreads[i]).upto[width_bucket(value, (spreads[i]).vals)], 0);
    END LOOP;
    RETURN n;
END $$;
COMMENT ON FUNCTION spreads_upto(spread[], smallint[], bigint[], bigint[], bigint) IS
    'How many values of these distributions (those of sign -1 taken away), with those more and those less, are no greater.';

CREATE FUNCTION spreads_at(spreads spread[], signs smallint[], plus bigint[], minus bigint[], place bigint, low bigint, high bigint) RETURNS bigint
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    mid bigint;
BEGIN
    WHILE low < high LOOP
        mid := (low + high) / 2;
        IF spreads_upto(spreads, signs, plus, minus, mid) >= place THEN
            high := mid;
        ELSE
            low := mid + 1;
        END IF;
    END LOOP;
    RETURN low;
END $$;
COMMENT ON FUNCTION spreads_at(spread[], smallint[], bigint[], bigint[], bigint, bigint, bigint) IS
    'The value at a place (from 1) of these distributions together, with the values `plus` more and `minus` less; it lies between low and high. Halving.';

CREATE FUNCTION spreads_percentile(spreads spread[], plus bigint[], minus bigint[], percent integer, around numeric[] DEFAULT '{}', signs smallint[] DEFAULT NULL) RETURNS numeric
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
    signs := coalesce(signs, array_fill(1::smallint, ARRAY[cardinality(spreads)]));
    IF cardinality(spreads) = 0 OR cardinality(spreads) = 1 AND signs[1] = 1 THEN
        RETURN spread_percentile(spreads[1], plus, minus, percent);
    END IF;
    n := spreads_upto(spreads, signs, plus, minus, most);
    IF coalesce(n, 0) <= 0 THEN
        RETURN NULL;
    END IF;
    rank := (n - 1) * percent;
    IF spreads_upto(spreads, signs, plus, minus, floor(around[1])::bigint - 1) <= rank / 100 AND spreads_upto(spreads, signs, plus, minus, ceil(around[2])::bigint) > rank / 100 THEN
        first := floor(around[1]);
        last := ceil(around[2]);
    END IF;
    value := spreads_at(spreads, signs, plus, minus, rank / 100 + 1, first, last);
    IF rank % 100 = 0 OR spreads_upto(spreads, signs, plus, minus, value) > rank / 100 + 1 THEN
        RETURN value;
    END IF;
    WHILE spreads_upto(spreads, signs, plus, minus, value + step) < rank / 100 + 2 LOOP
        step := step * 2;
    END LOOP;
    RETURN trim_scale(value + (spreads_at(spreads, signs, plus, minus, rank / 100 + 2, value, value + step) - value) * (rank % 100) / 100.0);
END $$;
COMMENT ON FUNCTION spreads_percentile(spread[], bigint[], bigint[], integer, numeric[], smallint[]) IS
    'percentile_of() of all the values, none below zero, of these distributions (those of sign -1 taken away; null: all count) with these more and those less (both ascending); null: there are none. around: between which two it is looked for first, as the least and the greatest of their own percentiles; it may lie elsewhere.';

CREATE FUNCTION service_times(kept spread[], signs smallint[], changes service_change[], what text, medians numeric[], p90s numeric[]) RETURNS TABLE (median numeric, p90 numeric)
LANGUAGE plpgsql STABLE AS $$
DECLARE
    plus  bigint[];
    minus bigint[];
BEGIN
    SELECT coalesce(array_agg(v.s ORDER BY v.s) FILTER (WHERE v.sign > 0), '{}'), coalesce(array_agg(v.s ORDER BY v.s) FILTER (WHERE v.sign < 0), '{}') INTO plus, minus
    FROM   (SELECT c.sign, CASE what WHEN 'waiting' THEN c.waiting_s WHEN 'service' THEN c.service_s ELSE c.turnaround_s END AS s FROM unnest(changes) c) v
    WHERE  v.s IS NOT NULL;
    median := spreads_percentile(kept, plus, minus, 50, medians, signs);
    p90 := spreads_percentile(kept, plus, minus, 90, p90s, signs);
    RETURN NEXT;
END $$;
COMMENT ON FUNCTION service_times(spread[], smallint[], service_change[], text, numeric[], numeric[]) IS
    'Median and 90th percentile of waiting, service or turnaround of these kept months (sign -1: taken away) and what has changed since; medians, p90s: the least and the greatest of the months that count.';

CREATE FUNCTION service_changes_of(pieces unit_piece[], first date, last date) RETURNS service_change[]
LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF cardinality(pieces) = 1 THEN
        RETURN service_changes((pieces[1]).by, ARRAY[(pieces[1]).key], first, last);
    END IF;
    RETURN ARRAY(SELECT ROW(c.id, c.by, c.key, c.month, c.sign * p.sign, c.state, c.is_on_time, c.waiting_s, c.service_s, c.turnaround_s)::service_change
                 FROM   unnest(service_changes('tree', ARRAY(SELECT t.key FROM unnest(pieces) t WHERE t.by = 'tree'), first, last)
                               || service_changes('unit', ARRAY(SELECT t.key FROM unnest(pieces) t WHERE t.by = 'unit'), first, last)) c
                 JOIN   unnest(pieces) p ON (p.by, p.key) = (c.by, c.key));
END $$;
COMMENT ON FUNCTION service_changes_of(unit_piece[], date, date) IS 'What has changed of the figures of these pieces since they were put together, with their signs. The first of several pieces counts.';

CREATE FUNCTION service_period(pieces unit_piece[], first date, last date) RETURNS SETOF service_month
LANGUAGE plpgsql STABLE ROWS 1 AS $$
DECLARE
    changes service_change[] := service_changes_of(pieces, first, last);
    m       service_month;
    signs   smallint[];
    waits   spread[];
    serves  spread[];
    turns   spread[];
    ends    record;
BEGIN
    SELECT (pieces[1]).by, (pieces[1]).key, first, coalesce(sum(v.taken), 0), coalesce(sum(v.finished), 0), coalesce(sum(v.no_show), 0), coalesce(sum(v.cancelled), 0),
           coalesce(sum(v.promised), 0), coalesce(sum(v.on_time), 0), coalesce(sum(v.waiting_n), 0), coalesce(sum(v.waiting_sum), 0), NULL, NULL, coalesce(sum(v.service_n), 0),
           coalesce(sum(v.service_sum), 0), NULL, NULL, coalesce(sum(v.turnaround_n), 0), coalesce(sum(v.turnaround_sum), 0), NULL, NULL
    INTO   m
    FROM   (SELECT p.sign * k.taken AS taken, p.sign * k.finished AS finished, p.sign * k.no_show AS no_show, p.sign * k.cancelled AS cancelled, p.sign * k.promised AS promised,
                   p.sign * k.on_time AS on_time, p.sign * k.waiting_n AS waiting_n, p.sign * k.waiting_sum AS waiting_sum, p.sign * k.service_n AS service_n,
                   p.sign * k.service_sum AS service_sum, p.sign * k.turnaround_n AS turnaround_n, p.sign * k.turnaround_sum AS turnaround_sum
            FROM   unnest(pieces) p JOIN service_month k ON k.by = p.by AND k.key = p.key AND k.month BETWEEN first AND last
            UNION  ALL
            SELECT sum(c.sign), sum(c.sign) FILTER (WHERE c.state = 'finished'), sum(c.sign) FILTER (WHERE c.state = 'no_show'), sum(c.sign) FILTER (WHERE c.state = 'cancelled'),
                   sum(c.sign) FILTER (WHERE c.is_on_time IS NOT NULL), sum(c.sign) FILTER (WHERE c.is_on_time), sum(c.sign) FILTER (WHERE c.waiting_s IS NOT NULL),
                   sum(c.sign * c.waiting_s), sum(c.sign) FILTER (WHERE c.service_s IS NOT NULL), sum(c.sign * c.service_s),
                   sum(c.sign) FILTER (WHERE c.turnaround_s IS NOT NULL), sum(c.sign * c.turnaround_s)
            FROM   unnest(changes) c) v;
    SELECT coalesce(array_agg(s.waiting ORDER BY p.place, s.month), '{}'), coalesce(array_agg(s.service ORDER BY p.place, s.month), '{}'),
           coalesce(array_agg(s.turnaround ORDER BY p.place, s.month), '{}'), coalesce(array_agg(p.sign ORDER BY p.place, s.month), '{}')
    INTO   waits, serves, turns, signs
    FROM   unnest(pieces) WITH ORDINALITY AS p (by, key, sign, place) JOIN service_spread s ON s.by = p.by AND s.key = p.key AND s.month BETWEEN first AND last;
    SELECT ARRAY[min(k.waiting_median), max(k.waiting_median)] AS w50, ARRAY[min(k.waiting_p90), max(k.waiting_p90)] AS w90,
           ARRAY[min(k.service_median), max(k.service_median)] AS s50, ARRAY[min(k.service_p90), max(k.service_p90)] AS s90,
           ARRAY[min(k.turnaround_median), max(k.turnaround_median)] AS t50, ARRAY[min(k.turnaround_p90), max(k.turnaround_p90)] AS t90
    INTO   ends
    FROM   unnest(pieces) p JOIN service_month k ON k.by = p.by AND k.key = p.key AND k.month BETWEEN first AND last
    WHERE  p.sign > 0;
    SELECT t.median, t.p90 INTO m.waiting_median, m.waiting_p90 FROM service_times(waits, signs, changes, 'waiting', ends.w50, ends.w90) t;
    SELECT t.median, t.p90 INTO m.service_median, m.service_p90 FROM service_times(serves, signs, changes, 'service', ends.s50, ends.s90) t;
    SELECT t.median, t.p90 INTO m.turnaround_median, m.turnaround_p90 FROM service_times(turns, signs, changes, 'turnaround', ends.t50, ends.t90) t;
    RETURN NEXT m;
END $$;
COMMENT ON FUNCTION service_period(unit_piece[], date, date) IS
    'Exact figures of tickets of these pieces (unit_pieces()) over all months from first to last as one; `month` is the first, `key` the first piece''s.';

-- ── satisfaction, complaints, staff ──────────────────────────────────────────────────────────────────────────────────────

DROP FUNCTION unit_service_sums_then(uuid, uuid[], date, date);
DROP FUNCTION unit_service_sums(uuid, date, date);
DROP FUNCTION staff_sums_then(uuid, uuid[], text, text);
DROP FUNCTION unit_members(uuid, date, ltree[]);

CREATE FUNCTION unit_service_sums(pieces unit_piece[], first date, last date) RETURNS TABLE (key text, n numeric)
LANGUAGE sql STABLE AS $$
    SELECT v.key, sum(v.n)
    FROM   (SELECT s.key, p.sign * CASE p.by WHEN 'tree' THEN s.n ELSE s.own END AS n
            FROM   unnest(pieces) p JOIN unit_service_sum s ON s.unit_id = p.key AND s.month BETWEEN first AND last
            UNION  ALL
            SELECT c.key, p.sign * c.n
            FROM   unit_service_pending() c JOIN unit u ON u.id = c.unit_id
            JOIN   (unnest(pieces) p JOIN unit w ON w.id = p.key) ON CASE p.by WHEN 'tree' THEN u.path <@ w.path ELSE u.id = w.id END
            WHERE  c.month BETWEEN first AND last) v
    GROUP  BY v.key
    HAVING sum(v.n) <> 0
$$;
COMMENT ON FUNCTION unit_service_sums(unit_piece[], date, date) IS 'Exact sums of surveys and complaints of these pieces (unit_pieces()), of the months from first to last.';

CREATE FUNCTION staff_sums_of(pieces unit_piece[], first text, behind text) RETURNS TABLE (key text, n numeric)
LANGUAGE sql STABLE AS $$
    SELECT s.key, sum(p.sign * CASE p.by WHEN 'tree' THEN s.n ELSE s.own END)
    FROM   staff_sums(ARRAY(SELECT p.key FROM unnest(pieces) p), first, behind) s JOIN unnest(pieces) p ON p.key = s.unit_id
    GROUP  BY s.key
$$;
COMMENT ON FUNCTION staff_sums_of(unit_piece[], text, text) IS 'staff_sums() of these pieces (unit_pieces()), of the people who are there now.';
