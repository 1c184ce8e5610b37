-- SPDX-License-Identifier: Apache-2.0
-- A page of figures by service, unit or officer finds its months first, in their order behind the cursor, and works out these alone: what it costs hangs on the page, not on how
-- many months there are of whoever is asked for. See docs/kept-sums.md.

CREATE INDEX service_month_page_idx ON service_month (by, month, key);
CREATE INDEX service_change_page_idx ON service_change (by, month, key);

-- ── who serves, and where ────────────────────────────────────────────────────────────────────────────────────────────────
-- Of ten thousand people of an agency few have tickets. A move leaves a note, since whoever looks here may not wait for it, nor it for him; and notes are worked through by the one
-- who puts months together, who sees a move with its note.

CREATE TABLE service_officer (
    asn_id  uuid CONSTRAINT service_officer_pkey PRIMARY KEY,
    unit_id uuid NOT NULL
);
CREATE INDEX service_officer_unit_idx ON service_officer (unit_id, asn_id);
COMMENT ON TABLE service_officer IS 'Who has months of tickets in service_month, and the unit he stands in: as it was when service_refresh() looked; who has moved since is in service_moved.';
COMMENT ON COLUMN service_officer.asn_id IS 'asn.id, ticket.officer_id';
COMMENT ON COLUMN service_officer.unit_id IS 'asn.unit_id';

CREATE TABLE service_moved (
    id     bigint CONSTRAINT service_moved_pkey PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    asn_id uuid   NOT NULL
);
COMMENT ON TABLE service_moved IS 'Who has come to another unit, in the transaction of the move: service_refresh() takes it to service_officer.';
COMMENT ON COLUMN service_moved.id IS 'Number';
COMMENT ON COLUMN service_moved.asn_id IS 'asn.id';

CREATE FUNCTION service_move_note() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO service_moved (asn_id) VALUES (NEW.id);
    RETURN NULL;
END $$;
COMMENT ON FUNCTION service_move_note() IS 'Notes that somebody is in another unit now; whether he serves is seen by whoever works through the notes.';
CREATE TRIGGER asn_73_service AFTER UPDATE ON asn FOR EACH ROW WHEN (OLD.unit_id <> NEW.unit_id) EXECUTE FUNCTION service_move_note();

INSERT INTO service_officer (asn_id, unit_id)
SELECT a.id, a.unit_id FROM asn a WHERE a.id IN (SELECT m.key FROM service_month m WHERE m.by = 'officer');

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
    WITH gone AS (
        DELETE FROM service_moved m WHERE m.id IN (SELECT k.id FROM service_moved k ORDER BY k.id LIMIT 20000) RETURNING m.asn_id
    )
    UPDATE service_officer o SET unit_id = a.unit_id FROM gone g JOIN asn a ON a.id = g.asn_id WHERE o.asn_id = g.asn_id AND o.unit_id <> a.unit_id;
    LOOP
        WITH gone AS (
            DELETE FROM service_change k WHERE k.id IN (SELECT c.id FROM service_change c ORDER BY c.id LIMIT 5000) RETURNING k
        )
        SELECT array_agg(g.k) INTO changes FROM gone g;
        EXIT WHEN changes IS NULL;
        done := done + cardinality(changes);
        INSERT INTO service_officer AS o (asn_id, unit_id)
        SELECT a.id, a.unit_id FROM asn a WHERE a.id = ANY (ARRAY(SELECT DISTINCT c.key FROM unnest(changes) c WHERE c.by = 'officer'))
        ON CONFLICT ON CONSTRAINT service_officer_pkey DO UPDATE SET unit_id = EXCLUDED.unit_id WHERE o.unit_id <> EXCLUDED.unit_id;
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

-- ── whose figures are asked for ──────────────────────────────────────────────────────────────────────────────────────────

CREATE FUNCTION service_within(which text, keys uuid[], tops ltree[]) RETURNS uuid[]
LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF which = 'service' THEN
        RETURN ARRAY(SELECT k.key FROM unnest(keys) AS k (key)
                     WHERE  (SELECT n.path FROM service v JOIN service_unit p ON p.id = v.service_unit_id JOIN unit n ON n.id = p.unit_id WHERE v.id = k.key) <@ ANY (tops));
    ELSIF which = 'unit' THEN
        RETURN ARRAY(SELECT k.key FROM unnest(keys) AS k (key)
                     WHERE  (SELECT n.path FROM service_unit p JOIN unit n ON n.id = p.unit_id WHERE p.unit_id = k.key) <@ ANY (tops));
    END IF;
    RETURN ARRAY(SELECT k.key FROM unnest(keys) AS k (key) WHERE (SELECT n.path FROM asn a JOIN unit n ON n.id = a.unit_id WHERE a.id = k.key) <@ ANY (tops));
END $$;
COMMENT ON FUNCTION service_within(text, uuid[], ltree[]) IS 'Which of these services, units or officers belong to these subtrees, as the tree is now; each by its own index.';

CREATE FUNCTION service_officers(units uuid[]) RETURNS uuid[]
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (WITH RECURSIVE pending AS (
                (SELECT c.key FROM service_change c WHERE c.by = 'officer' ORDER BY c.key LIMIT 1)
                UNION  ALL
                SELECT n.key FROM pending p CROSS JOIN LATERAL (SELECT c.key FROM service_change c WHERE c.by = 'officer' AND c.key > p.key ORDER BY c.key LIMIT 1) n
            )
            SELECT ARRAY(SELECT o.asn_id FROM unnest(units) AS u (id) CROSS JOIN LATERAL (SELECT s.asn_id FROM service_officer s WHERE s.unit_id = u.id OFFSET 0) o
                         UNION SELECT s.asn_id FROM service_officer s WHERE units IS NULL
                         UNION SELECT m.asn_id FROM service_moved m WHERE (SELECT true FROM service_officer s WHERE s.asn_id = m.asn_id)
                         UNION SELECT p.key FROM pending p));
END $$;
COMMENT ON FUNCTION service_officers(uuid[]) IS 'All officers with tickets who stand in these units (null: in any), and some who do not: who has moved lately, and of whom there are new tickets.';

CREATE FUNCTION service_keys(which text, tops ltree[], most integer) RETURNS uuid[]
LANGUAGE plpgsql STABLE AS $$
DECLARE
    units uuid[];
    found uuid[];
BEGIN
    IF most IS NOT NULL OR which = 'officer' AND NOT '' = ANY (tops) THEN
        units := ARRAY(SELECT b.id FROM unnest(tops) AS t (path) CROSS JOIN LATERAL (SELECT n.id FROM unit n WHERE n.path >= t.path AND n.path < t.path || 'g'::ltree OFFSET 0) b LIMIT most + 1);
        IF cardinality(units) > most THEN
            RETURN NULL;
        END IF;
    END IF;
    IF which = 'officer' THEN
        found := service_officers(units);
    ELSIF units IS NULL AND which = 'service' THEN
        found := ARRAY(SELECT v.id FROM service v JOIN service_unit p ON p.id = v.service_unit_id JOIN unit n ON n.id = p.unit_id WHERE n.path <@ ANY (tops));
    ELSIF units IS NULL THEN
        found := ARRAY(SELECT n.id FROM service_unit p JOIN unit n ON n.id = p.unit_id WHERE n.path <@ ANY (tops));
    ELSIF which = 'service' THEN
        found := ARRAY(SELECT v.id FROM unnest(units) AS u (id) CROSS JOIN LATERAL (SELECT s.id FROM service_unit p JOIN service s ON s.service_unit_id = p.id WHERE p.unit_id = u.id OFFSET 0) v);
    ELSE
        found := ARRAY(SELECT v.unit_id FROM unnest(units) AS u (id) CROSS JOIN LATERAL (SELECT p.unit_id FROM service_unit p WHERE p.unit_id = u.id OFFSET 0) v);
    END IF;
    RETURN ARRAY(SELECT DISTINCT k.key FROM unnest(found) AS k (key) ORDER BY k.key);
END $$;
COMMENT ON FUNCTION service_keys(text, ltree[], integer) IS
    'The services, units that serve, or officers with tickets (and some who stand elsewhere) of these subtrees, ascending. Null: these have more units than so many (null: any number may be). A label is of 0 to f, so that below a way is what comes before its g.';

-- ── which months stand on a page ─────────────────────────────────────────────────────────────────────────────────────────

CREATE TYPE service_cell AS (month date, key uuid);
COMMENT ON TYPE service_cell IS 'A month of a service, a unit or an officer, in the order of the list.';

CREATE FUNCTION service_cells_behind(which text, spot service_cell, last date, most integer) RETURNS service_cell[]
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (WITH RECURSIVE pending AS (
                (SELECT c.month, c.key FROM service_change c WHERE c.by = which AND (c.month, c.key) > (spot.month, spot.key) AND c.month <= last ORDER BY c.month, c.key LIMIT 1)
                UNION  ALL
                SELECT n.month, n.key
                FROM   pending p
                CROSS  JOIN LATERAL (SELECT c.month, c.key FROM service_change c WHERE c.by = which AND (c.month, c.key) > (p.month, p.key) AND c.month <= last ORDER BY c.month, c.key LIMIT 1) n
            )
            SELECT ARRAY(SELECT ROW(v.month, v.key)::service_cell
                         FROM   ((SELECT m.month, m.key FROM service_month m
                                  WHERE  m.by = which AND (m.month, m.key) > (spot.month, spot.key) AND m.month <= last ORDER BY m.month, m.key LIMIT most)
                                 UNION
                                 (SELECT p.month, p.key FROM pending p LIMIT most)) v
                         ORDER  BY v.month, v.key LIMIT most));
END $$;
COMMENT ON FUNCTION service_cells_behind(text, service_cell, date, integer) IS 'The next months behind one, of any service, unit or officer; of kept ones, and of those that tickets have changed since.';

CREATE FUNCTION service_cells_of(which text, keys uuid[], spot service_cell, last date, wanted integer) RETURNS service_cell[]
LANGUAGE plpgsql STABLE AS $$
DECLARE
    cells service_cell[] := '{}';
    span  bigint := 12 * extract(year FROM last) + extract(month FROM last) - 12 * extract(year FROM spot.month) - extract(month FROM spot.month) + 1;
    at    service_cell := spot;
BEGIN
    IF cardinality(keys) = 1 OR cardinality(keys) * span <= 200 THEN
        RETURN ARRAY(SELECT ROW(c.month, k.key)::service_cell
                     FROM   unnest(keys) AS k (key)
                     CROSS  JOIN LATERAL (SELECT v.month
                                          FROM   (SELECT m.month, m.taken AS n FROM service_month m WHERE m.by = which AND m.key = k.key AND m.month BETWEEN spot.month AND last
                                                  UNION ALL SELECT g.month, g.sign FROM service_change g WHERE g.by = which AND g.key = k.key AND g.month BETWEEN spot.month AND last) v
                                          GROUP  BY v.month HAVING sum(v.n) > 0) c
                     WHERE  (c.month, k.key) > (spot.month, spot.key)
                     ORDER  BY c.month, k.key LIMIT wanted);
    END IF;
    LOOP
        cells := cells || ARRAY(SELECT ROW(at.month, k.key)::service_cell
                                FROM   unnest(keys) WITH ORDINALITY AS k (key, place)
                                WHERE  (at.key IS NULL OR k.key > at.key)
                                       AND coalesce((SELECT m.taken FROM service_month m WHERE m.by = which AND m.key = k.key AND m.month = at.month), 0)
                                           + coalesce((SELECT sum(g.sign) FROM service_change g WHERE g.by = which AND g.key = k.key AND g.month = at.month), 0) > 0
                                ORDER  BY k.place LIMIT wanted - cardinality(cells));
        EXIT WHEN cardinality(cells) >= wanted;
        at := (least((SELECT min(m.month) FROM service_month m WHERE m.by = which AND m.month > at.month AND m.month <= last),
                     (SELECT min(g.month) FROM service_change g WHERE g.by = which AND g.month > at.month AND g.month <= last)), NULL);
        EXIT WHEN at.month IS NULL;
    END LOOP;
    RETURN cells;
END $$;
COMMENT ON FUNCTION service_cells_of(text, uuid[], service_cell, date, integer) IS
    'The next months behind one in which something was taken, of these services, units or officers, which are told ascending: all of few, and of many month by month until so many are found.';

-- There are two ways, as to the page of a search (asn_search): through the months as they come, looking whose each is, which is short where most belong to whoever is asked for; and
-- from the keys, which is short where they are few. How many units there are tells which; of more than some thousand the walk is tried first, and not for long.
CREATE FUNCTION service_cells(which text, tops ltree[], whose uuid, spot service_cell, last date, wanted integer) RETURNS service_cell[]
LANGUAGE plpgsql STABLE AS $$
DECLARE
    keys   uuid[] := CASE WHEN whose IS NOT NULL THEN ARRAY[whose] WHEN NOT '' = ANY (tops) THEN service_keys(which, tops, 5000) END;
    cells  service_cell[] := '{}';
    batch  service_cell[];
    own    uuid[];
    most   integer;
    looked integer := 0;
BEGIN
    WHILE cardinality(cells) < wanted LOOP
        most := CASE WHEN keys IS NULL THEN least(greatest(wanted, 2 * looked), 256) ELSE wanted - cardinality(cells) END;
        batch := CASE WHEN keys IS NULL THEN service_cells_behind(which, spot, last, most) ELSE service_cells_of(which, keys, spot, last, most) END;
        own := service_within(which, ARRAY(SELECT DISTINCT b.key FROM unnest(batch) b), tops);
        cells := cells || ARRAY(SELECT ROW(c.month, c.key)::service_cell
                                FROM   unnest(batch) WITH ORDINALITY AS c (month, key, place)
                                WHERE  c.key = ANY (own)
                                       AND (keys IS NOT NULL
                                            OR coalesce((SELECT m.taken FROM service_month m WHERE m.by = which AND m.key = c.key AND m.month = c.month), 0)
                                               + coalesce((SELECT sum(g.sign) FROM service_change g WHERE g.by = which AND g.key = c.key AND g.month = c.month), 0) > 0)
                                ORDER  BY c.place);
        EXIT WHEN cardinality(batch) < most;
        spot := batch[most];
        looked := looked + most;
        IF keys IS NULL AND looked > 2000 AND NOT '' = ANY (tops) THEN
            keys := service_keys(which, tops, NULL);
        END IF;
    END LOOP;
    RETURN cells[:wanted];
END $$;
COMMENT ON FUNCTION service_cells(text, ltree[], uuid, service_cell, date, integer) IS
    'The next months behind one in which something was taken, of the services, units or officers (or of that one) of these subtrees, in the order of the list.';

CREATE FUNCTION service_page(which text, tops ltree[], whose uuid, first date, last date, after text[], wanted integer) RETURNS SETOF service_month
LANGUAGE plpgsql STABLE ROWS 50 SET enable_seqscan = off SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    spot    service_cell := CASE WHEN after[1]::date >= first THEN ROW(after[1]::date, after[2]::uuid)::service_cell ELSE ROW(first - 1, 'ffffffff-ffff-ffff-ffff-ffffffffffff')::service_cell END;
    cells   service_cell[] := service_cells(which, tops, whose, spot, last, wanted);
    changes service_change[] := ARRAY(SELECT k.change FROM unnest(cells) c
                                      CROSS JOIN LATERAL (SELECT g AS change FROM service_change g WHERE g.by = which AND g.key = c.key AND g.month = c.month OFFSET 0) k);
BEGIN
    RETURN QUERY
    SELECT k.*
    FROM   unnest(cells) c
    CROSS  JOIN LATERAL (SELECT m.* FROM service_month m WHERE m.by = which AND m.key = c.key AND m.month = c.month OFFSET 0) k
    WHERE  (SELECT true FROM service_change g WHERE g.by = which AND g.key = c.key AND g.month = c.month LIMIT 1) IS NULL
    UNION  ALL
    SELECT (f.figures).* FROM service_sum(changes) f;
END $$;
COMMENT ON FUNCTION service_page(text, ltree[], uuid, date, date, text[], integer) IS
    'Exact figures of the next months behind those keys (month, key) in which something was taken, of the services, units or officers (or of that one) of these subtrees, so many.';

CREATE FUNCTION service_listed(which text, units ltree[], under uuid, whose uuid, first date, last date, after text[], wanted numeric) RETURNS SETOF service_month
LANGUAGE plpgsql STABLE ROWS 50 AS $$
DECLARE
    above ltree := coalesce((SELECT n.path FROM unit n WHERE n.id = under), '');
    tops  ltree[] := ARRAY(SELECT DISTINCT CASE WHEN a.path @> above THEN above ELSE a.path END FROM unnest(units) AS a (path) WHERE a.path @> above OR a.path <@ above);
BEGIN
    IF wanted <= 10000 THEN
        RETURN QUERY SELECT p.* FROM service_page(which, tops, whose, first, last, after, wanted::integer) p;
    ELSE
        RETURN QUERY
        SELECT f.*
        FROM   service_figures(which, service_within(which, CASE WHEN whose IS NULL THEN service_keys(which, tops, NULL) ELSE ARRAY[whose] END, tops), first, last) f
        WHERE  f.taken > 0;
    END IF;
END $$;
COMMENT ON FUNCTION service_listed(text, ltree[], uuid, uuid, date, date, text[], numeric) IS
    'Exact figures of services, units or officers in these subtrees (and under that unit, and of that one) in months from first to last in which something was taken; behind those keys so many, or all (null).';

-- ── attainment ──────────────────────────────────────────────────────────────────────────────────────────────────────────
-- As before; but a key is taken apart once (OFFSET 0), and not for each of the sums.

CREATE OR REPLACE FUNCTION learning_attained(of_unit uuid, in_year integer, more jsonb)
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
            CROSS  JOIN LATERAL (SELECT string_to_array(v.key, '|') AS parts OFFSET 0) p
            WHERE  CASE p.parts[1] WHEN 'floor' THEN p.parts[3]::integer <= in_year ELSE p.parts[1] = 'hours' AND p.parts[2]::integer = in_year END OFFSET 0) k
    LEFT   JOIN (SELECT DISTINCT ON (l.kind) l.kind, l.floor_jp FROM learning_rule l WHERE l.valid_from <= in_year ORDER BY l.kind, l.valid_from DESC) r ON r.kind = k.kind
    WHERE  k.what NOT IN ('floor', 'n') OR r.floor_jp IS NOT NULL
$$;

SELECT audit_quietly('{audit_exempt, export_exempt}', $q$
    INSERT INTO audit_exempt (relation, reason) VALUES
        ('service_officer', 'Worked out of tickets and people'),
        ('service_moved', 'To-do list of service_officer');
    INSERT INTO export_exempt (relation, reason) VALUES
        ('service_officer', 'Whose tickets there are, to find them by unit'),
        ('service_moved', 'To-do list of service_officer')
$q$);

SELECT audit_attach();
SELECT row_security_attach();
