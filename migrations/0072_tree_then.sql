-- Public service of a unit with all that was below it on a day: the figures of a year are rolled up by the tree of its end, whatever moved since. Where nothing has moved in or out these are the
-- sums that are kept; else they are put together from the sums of the units by themselves. See docs/kept-sums.md.

CREATE INDEX unit_way_since_idx ON unit_way (lower(valid));

CREATE FUNCTION unit_members(which uuid, at date, units ltree[], OUT members uuid[], OUT unseen bigint)
LANGUAGE plpgsql STABLE AS $$
DECLARE
    own_now  ltree := (SELECT u.path FROM unit u WHERE u.id = which);
    own_then ltree := unit_path_then(which, at);
    moved    uuid[] := ARRAY(SELECT DISTINCT w.unit_id FROM unit_way w
                             WHERE  lower(w.valid) > at AND EXISTS (SELECT FROM unit_way e WHERE e.unit_id = w.unit_id AND lower(e.valid) < lower(w.valid)));
BEGIN
    unseen := 0;
    IF EXISTS (SELECT FROM unit u WHERE u.id = ANY (moved) AND (u.path <@ own_now) <> (unit_path_then(u.id, at) <@ own_then)) THEN
        SELECT coalesce(array_agg(u.id) FILTER (WHERE u.path <@ ANY (units)), '{}'), count(*) FILTER (WHERE NOT u.path <@ ANY (units)) INTO members, unseen
        FROM   (SELECT n.id, n.path FROM unit n WHERE n.path <@ own_now AND NOT n.id = ANY (moved)
                UNION ALL SELECT n.id, n.path FROM unit n WHERE n.id = ANY (moved) AND unit_path_then(n.id, at) <@ own_then) u;
    END IF;
END $$;
COMMENT ON FUNCTION unit_members(uuid, date, ltree[]) IS
    'The unit and all units below it on a day, of those that may be seen, and how many may not; null: those of today. A unit that began later counts where it began.';

CREATE FUNCTION service_period_of(which text, keys uuid[], first date, last date) RETURNS SETOF service_month
LANGUAGE plpgsql STABLE ROWS 1 AS $$
DECLARE
    changes service_change[] := service_changes(which, keys, first, last);
    m       service_month;
    waits   spread[];
    serves  spread[];
    turns   spread[];
    ends    record;
BEGIN
    SELECT which, keys[1], first, coalesce(sum(v.taken), 0), coalesce(sum(v.finished), 0), coalesce(sum(v.no_show), 0), coalesce(sum(v.cancelled), 0), coalesce(sum(v.promised), 0),
           coalesce(sum(v.on_time), 0), coalesce(sum(v.waiting_n), 0), coalesce(sum(v.waiting_sum), 0), NULL, NULL, coalesce(sum(v.service_n), 0), coalesce(sum(v.service_sum), 0),
           NULL, NULL, coalesce(sum(v.turnaround_n), 0), coalesce(sum(v.turnaround_sum), 0), NULL, NULL
    INTO   m
    FROM   (SELECT k.taken, k.finished, k.no_show, k.cancelled, k.promised, k.on_time, k.waiting_n, k.waiting_sum, k.service_n, k.service_sum, k.turnaround_n, k.turnaround_sum
            FROM   service_month k WHERE k.by = which AND k.key = ANY (keys) AND k.month BETWEEN first AND last
            UNION  ALL
            SELECT sum(c.sign), sum(c.sign) FILTER (WHERE c.state = 'finished'), sum(c.sign) FILTER (WHERE c.state = 'no_show'), sum(c.sign) FILTER (WHERE c.state = 'cancelled'),
                   sum(c.sign) FILTER (WHERE c.is_on_time IS NOT NULL), sum(c.sign) FILTER (WHERE c.is_on_time), sum(c.sign) FILTER (WHERE c.waiting_s IS NOT NULL),
                   sum(c.sign * c.waiting_s), sum(c.sign) FILTER (WHERE c.service_s IS NOT NULL), sum(c.sign * c.service_s),
                   sum(c.sign) FILTER (WHERE c.turnaround_s IS NOT NULL), sum(c.sign * c.turnaround_s)
            FROM   unnest(changes) c) v;
    SELECT coalesce(array_agg(s.waiting ORDER BY s.key, s.month), '{}'), coalesce(array_agg(s.service ORDER BY s.key, s.month), '{}'), coalesce(array_agg(s.turnaround ORDER BY s.key, s.month), '{}')
    INTO   waits, serves, turns
    FROM   service_spread s WHERE s.by = which AND s.key = ANY (keys) AND s.month BETWEEN first AND last;
    SELECT ARRAY[min(k.waiting_median), max(k.waiting_median)] AS w50, ARRAY[min(k.waiting_p90), max(k.waiting_p90)] AS w90,
           ARRAY[min(k.service_median), max(k.service_median)] AS s50, ARRAY[min(k.service_p90), max(k.service_p90)] AS s90,
           ARRAY[min(k.turnaround_median), max(k.turnaround_median)] AS t50, ARRAY[min(k.turnaround_p90), max(k.turnaround_p90)] AS t90
    INTO   ends
    FROM   service_month k WHERE k.by = which AND k.key = ANY (keys) AND k.month BETWEEN first AND last;
    SELECT t.median, t.p90 INTO m.waiting_median, m.waiting_p90 FROM service_times(waits, changes, 'waiting', ends.w50, ends.w90) t;
    SELECT t.median, t.p90 INTO m.service_median, m.service_p90 FROM service_times(serves, changes, 'service', ends.s50, ends.s90) t;
    SELECT t.median, t.p90 INTO m.turnaround_median, m.turnaround_p90 FROM service_times(turns, changes, 'turnaround', ends.t50, ends.t90) t;
    RETURN NEXT m;
END $$;
COMMENT ON FUNCTION service_period_of(text, uuid[], date, date) IS
    'Exact figures of these services, units or officers over all months from first to last as one; `month` is the first, `key` the first of them.';

CREATE OR REPLACE FUNCTION service_period(which text, whose uuid, first date, last date) RETURNS SETOF service_month
LANGUAGE sql STABLE ROWS 1 AS $$ SELECT m.* FROM service_period_of(which, ARRAY[whose], first, last) m $$;

CREATE FUNCTION service_period_then(of_unit uuid, members uuid[], first date, last date) RETURNS SETOF service_month
LANGUAGE sql STABLE ROWS 1 AS $$ SELECT m.* FROM service_period_of(CASE WHEN members IS NULL THEN 'tree' ELSE 'unit' END, coalesce(members, ARRAY[of_unit]), first, last) m $$;
COMMENT ON FUNCTION service_period_then(uuid, uuid[], date, date) IS 'service_period() of a unit with these (unit_members()) below it; null: those of today.';

CREATE FUNCTION unit_service_sums_then(of_unit uuid, members uuid[], first date, last date) RETURNS TABLE (key text, n numeric)
LANGUAGE plpgsql STABLE ROWS 50 AS $$
BEGIN
    IF members IS NULL THEN
        RETURN QUERY SELECT s.key, s.n FROM unit_service_sums(of_unit, first, last) s;
        RETURN;
    END IF;
    RETURN QUERY
    SELECT v.key, sum(v.n)
    FROM   (SELECT s.key, s.own AS n FROM unit_service_sum s WHERE s.unit_id = ANY (members) AND s.month BETWEEN first AND last
            UNION  ALL
            SELECT p.key, p.n FROM unit_service_pending() p WHERE p.unit_id = ANY (members) AND p.month BETWEEN first AND last) v
    GROUP  BY v.key
    HAVING sum(v.n) <> 0;
END $$;
COMMENT ON FUNCTION unit_service_sums_then(uuid, uuid[], date, date) IS 'unit_service_sums() of a unit with these (unit_members()) below it; null: those of today.';

CREATE FUNCTION staff_sums_then(of_unit uuid, members uuid[], first text, behind text) RETURNS TABLE (key text, n numeric)
LANGUAGE sql STABLE AS $$
    SELECT s.key, sum(CASE WHEN members IS NULL THEN s.n ELSE s.own END) FROM staff_sums(coalesce(members, ARRAY[of_unit]), first, behind) s GROUP BY s.key
$$;
COMMENT ON FUNCTION staff_sums_then(uuid, uuid[], text, text) IS 'staff_sums() of a unit with these (unit_members()) below it, of the people who are there now; null: those of today.';
