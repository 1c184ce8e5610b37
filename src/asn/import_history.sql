-- Import of histories. The stage holds one batch: all fields are text, NULL = the file does not say; entry is the row as createHistory's body.

-- name: importHistory.stage
CREATE TEMPORARY TABLE IF NOT EXISTS import_stage_history (
    place bigint, line bigint, is_refused boolean, nip text, kind text, "from" text, "to" text, decree_number text, decree_date text,
    decree_signatory text, source text, remote_id text, note text, unit_code text, appointment text, rank text, promotion_kind text,
    service_years text, service_months text, credit text, is_demotion text, assignment text, position_kind text, "position" text, echelon text,
    functional_level text, unit_id text, education_level text, field text, school text, graduated_on text, certificate_number text, is_first text,
    title_front text, title_back text, legal_status text, years text, months text, basis text, main text, additional text, total text, "name" text,
    form text, organiser text, jp text, certificate_date text, minutes text, amount text, is_abroad text, regime text, "year" text, "value" text, results text, behaviour text, predicate text,
    assessor text, discipline_level text, punishment text, violation text, award text, grounds text, funding text, direction text, agency text,
    "number" text, new_nip text, id uuid, entry jsonb
) ON COMMIT DELETE ROWS

-- Which row of a history which line told, as far as the file was read: a later line that tells it otherwise is refused, or the same file again would not come to
-- nothing. See history_take().
-- name: importHistoryTold.stage
CREATE TEMPORARY TABLE IF NOT EXISTS import_told_history (id uuid PRIMARY KEY, line bigint NOT NULL) ON COMMIT DELETE ROWS

-- What each row comes to. Whoever has faults, or rows that hang on each other, goes the slow way with all rows of that history (is_slow).
-- name: importHistoryPlan.stage
CREATE TEMPORARY TABLE IF NOT EXISTS import_plan_history (
    place bigint, line bigint, nip text, asn_id uuid, birth_date date, kind text, track text, id uuid, starts date, ends date, valid daterange, facts jsonb, decree_number text,
    decree_date date, decree_signatory text, source text, remote_id text, note text, old_id uuid, is_changed boolean, is_slow boolean, is_again boolean, entry jsonb,
    "column" text, fault text, value text, unit_code text
) ON COMMIT DELETE ROWS

-- The people of the batch, by their number of today or an old one, in one order for all; and what overlaps is seen when the batch is settled.
-- name: importHistory.lock
-- write: true
SELECT history_await(ARRAY(SELECT (SELECT a.nip FROM asn a WHERE a.id = w.id)
                           FROM (SELECT DISTINCT asn_of_nip(s.nip) AS id FROM import_stage_history s WHERE NOT s.is_refused OFFSET 0) w WHERE w.id IS NOT NULL))

-- A row is the one with its remote id, else of a track the one that begins on that day, else one that says the same. What the rules would have to
-- say of one row alone, or could say of rows that stand beside each other, is left to history_take(), row by row: is_slow. (A row that moves, one of two
-- that could be the same, a demotion among ranks, a number: there the order in which the rows come matters.)
-- name: importHistory.plan
-- timeout: 600000
INSERT INTO import_plan_history (place, line, nip, asn_id, birth_date, kind, track, id, starts, ends, valid, facts, decree_number, decree_date, decree_signatory,
                                 source, remote_id, note, old_id, is_changed, is_slow, is_again, entry, "column", fault, value, unit_code)
WITH person AS MATERIALIZED (
    SELECT w.nip, a.id, a.birth_date
    FROM   (SELECT n.nip, asn_of_nip(n.nip) AS id FROM (SELECT DISTINCT s.nip FROM import_stage_history s WHERE NOT s.is_refused) n) w
    CROSS  JOIN LATERAL (SELECT a.id, a.birth_date, a.unit_id FROM asn a WHERE a.id = w.id LIMIT 1) a -- one by one: a join reads everybody
    JOIN   unit u ON u.id = a.unit_id AND u.path <@ ANY (:actor_units::ltree[])
), office AS MATERIALIZED (
    SELECT u.code, u.id, u.closed_on FROM unit u
    WHERE  (u.code IN (SELECT s.unit_code FROM import_stage_history s WHERE NOT s.is_refused)
            OR u.id IN (SELECT (s.entry #>> '{facts,unit_id}')::uuid FROM import_stage_history s WHERE NOT s.is_refused))
           AND u.path <@ ANY (:actor_units::ltree[])
    ORDER  BY u.id
    FOR    SHARE
), told AS MATERIALIZED (
    SELECT s.place, s.line, s.nip, s.unit_code, s.id AS new_id, p.id AS asn_id, p.birth_date, w.entry, e.*, history_track(e.kind, e.facts) AS track
    FROM   import_stage_history s
    LEFT   JOIN person p ON p.nip = s.nip
    LEFT   JOIN office o ON o.code = s.unit_code AND s.unit_id IS NULL
    CROSS  JOIN LATERAL (SELECT CASE WHEN o.id IS NULL THEN s.entry ELSE jsonb_set(s.entry, '{facts,unit_id}', to_jsonb(o.id)) END AS entry OFFSET 0) w
    CROSS  JOIN LATERAL (SELECT w.entry ->> 'kind' AS kind, (w.entry ->> 'from')::date AS starts, (w.entry ->> 'to')::date AS ends,
                                jsonb_strip_nulls(w.entry -> 'facts') AS facts, w.entry ->> 'decree_number' AS decree_number,
                                (w.entry ->> 'decree_date')::date AS decree_date, w.entry ->> 'decree_signatory' AS decree_signatory,
                                coalesce(w.entry ->> 'source', 'own') AS source, w.entry ->> 'remote_id' AS remote_id, w.entry ->> 'note' AS note
                         OFFSET 0) e
    WHERE  NOT s.is_refused
), found AS MATERIALIZED (
    SELECT t.*, o.id AS old_id, o.n AS n_old, o.is_void, o.track AS old_track, coalesce(t.remote_id, o.remote_id) AS kept_remote_id,
           (o.starts, o.ends) IS NOT DISTINCT FROM (t.starts, t.ends) AS same_days, o.facts IS NOT DISTINCT FROM t.facts AS same_facts,
           (o.decree_number, o.decree_date, o.decree_signatory, o.remote_id, o.note)
           IS NOT DISTINCT FROM (t.decree_number, t.decree_date, t.decree_signatory, coalesce(t.remote_id, o.remote_id), t.note) AS same_papers,
           CASE WHEN t.asn_id IS NULL THEN 'person-unknown' WHEN t.asn_id = (SELECT asn_of_nip(:actor_nip::text)) THEN 'own-record' WHEN NOT history_shown(t.kind, :scopes::text[]) THEN 'forbidden' END AS fault
    FROM   told t
    LEFT   JOIN LATERAL (
               SELECT h.*, count(*) OVER () AS n
               FROM   history h
               WHERE  h.asn_id = t.asn_id AND h.kind = t.kind
                      AND (h.remote_id = t.remote_id
                           OR NOT h.is_void AND h.starts = t.starts
                              AND (h.track = t.track OR h.track IS NULL AND h.facts = t.facts AND h.ends IS NOT DISTINCT FROM t.ends))
               ORDER  BY h.remote_id = t.remote_id DESC NULLS LAST
               LIMIT  1) o ON true
), matched AS MATERIALIZED (
    SELECT f.*, f.fault IS NULL AND NOT coalesce(f.old_id IS NOT NULL AND f.same_days AND f.same_facts AND f.same_papers, false) AS is_changed,
           f.remote_id IS NOT NULL AND row_number() OVER (PARTITION BY f.asn_id, f.kind, f.remote_id ORDER BY f.place) > 1 AS is_again,
           f.fault IS NULL
           AND coalesce(f.kind = 'nip' OR f.n_old > 1 OR f.is_void OR f.ends <= f.starts
                OR f.old_id IS NOT NULL AND (count(*) OVER (PARTITION BY f.old_id) > 1 OR EXISTS (SELECT FROM import_told_history t WHERE t.id = f.old_id))
                OR count(*) OVER (PARTITION BY f.asn_id, f.kind, f.starts, coalesce(f.track, f.facts::text)) > 1
                OR f.remote_id IS NOT NULL AND count(*) OVER (PARTITION BY f.kind, f.remote_id) > 1
                OR f.old_id IS NOT NULL AND (f.old_track IS DISTINCT FROM f.track OR NOT f.same_days AND f.track IS NOT NULL
                                             OR NOT f.same_facts AND f.kind IN ('rank', 'appointment')), false) AS hangs
    FROM   found f
), alone AS MATERIALIZED (
    SELECT m.place
    FROM   matched m
    WHERE  m.is_changed AND NOT m.hangs
           AND (m.starts < m.birth_date
                OR m.facts ? 'unit_id' AND NOT EXISTS (SELECT FROM office o WHERE o.id = (m.facts ->> 'unit_id')::uuid AND o.closed_on IS NULL)
                OR EXISTS (SELECT FROM history_code c
                           WHERE  c.kind = m.kind AND m.facts ->> c.member IS NOT NULL
                           GROUP  BY c.member
                           HAVING NOT bool_or(reference_holds(c.list, m.facts ->> c.member, m.starts)))
                OR m.remote_id IS NOT NULL
                   AND EXISTS (SELECT FROM history h WHERE h.kind = m.kind AND h.remote_id = m.remote_id AND h.asn_id <> m.asn_id))
), whole AS MATERIALIZED (
    SELECT m.place, m.asn_id, m.kind, m.track, m.starts, m.ends, m.facts FROM matched m
    WHERE  m.is_changed AND m.track IS NOT NULL AND (m.ends > m.starts) IS NOT FALSE
    UNION ALL
    SELECT NULL, h.asn_id, h.kind, h.track, h.starts, h.ends, h.facts
    FROM   (SELECT DISTINCT m.asn_id, m.kind FROM matched m WHERE m.is_changed AND m.track IS NOT NULL) g
    JOIN   history h ON h.asn_id = g.asn_id AND h.kind = g.kind
    WHERE  h.track IS NOT NULL AND NOT h.is_void AND h.id NOT IN (SELECT m.old_id FROM matched m WHERE m.is_changed AND m.old_id IS NOT NULL)
), line AS MATERIALIZED (
    SELECT w.place, w.asn_id, w.kind, daterange(w.starts, coalesce(w.ends, CASE WHEN n.next > w.starts THEN n.next END)) AS valid,
           n.next = w.starts OR n.until > w.starts
           OR w.kind = 'rank' AND (coalesce((w.facts ->> 'is_demotion')::boolean, false)
                                   OR n.seq < lag(n.seq) OVER (PARTITION BY w.asn_id, n.list ORDER BY w.starts))
           OR w.kind = 'appointment'
              AND max(w.starts) FILTER (WHERE w.facts ->> 'kind' = 'CPNS') OVER (PARTITION BY w.asn_id, w.kind)
                  > min(w.starts) FILTER (WHERE w.facts ->> 'kind' = 'PNS') OVER (PARTITION BY w.asn_id, w.kind) AS hangs
    FROM   (SELECT x.*, lead(x.starts) OVER same AS next,
                   max(x.ends) OVER (PARTITION BY x.asn_id, x.kind, x.track ORDER BY x.starts ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS until,
                   r.list, r.seq
            FROM   whole x
            LEFT   JOIN reference r ON x.kind = 'rank' AND r.list IN ('rank-pns', 'rank-pppk') AND r.code = x.facts ->> 'rank' AND r.valid @> x.starts
            WINDOW same AS (PARTITION BY x.asn_id, x.kind, x.track ORDER BY x.starts)) n
    JOIN   LATERAL (SELECT n.place, n.asn_id, n.kind, n.starts, n.ends, n.facts OFFSET 0) w ON true
), slow AS MATERIALIZED (
    SELECT m.asn_id, m.kind FROM matched m WHERE m.hangs
    UNION
    SELECT m.asn_id, m.kind FROM alone a JOIN matched m ON m.place = a.place
    UNION
    SELECT l.asn_id, l.kind FROM line l WHERE l.hangs
)
SELECT m.place, m.line, m.nip, m.asn_id, m.birth_date, m.kind, m.track, m.new_id, m.starts, m.ends, coalesce(l.valid, CASE WHEN (m.ends > m.starts) IS NOT FALSE THEN daterange(m.starts, m.ends) END), m.facts,
       m.decree_number, m.decree_date, m.decree_signatory, m.source, m.kept_remote_id, m.note, m.old_id, m.is_changed, s.kind IS NOT NULL, m.is_again, m.entry,
       CASE m.fault WHEN 'person-unknown' THEN 'nip' WHEN 'own-record' THEN 'nip' WHEN 'forbidden' THEN 'kind' END, m.fault,
       CASE m.fault WHEN 'person-unknown' THEN m.nip WHEN 'own-record' THEN m.nip WHEN 'forbidden' THEN m.kind END, m.unit_code
FROM   matched m
LEFT   JOIN slow s ON s.asn_id = m.asn_id AND s.kind = m.kind AND m.fault IS NULL
LEFT   JOIN line l ON l.place = m.place

-- name: importHistory.correct
-- timeout: 600000
UPDATE history h
SET    starts = p.starts, ends = p.ends, valid = p.valid, facts = p.facts, decree_number = p.decree_number, decree_date = p.decree_date,
       decree_signatory = p.decree_signatory, source = p.source, remote_id = p.remote_id, note = p.note, reason = 'import', actor_key = :actor_key,
       actor_name = :actor_name
FROM   import_plan_history p
WHERE  p.is_changed AND NOT p.is_slow AND p.old_id IS NOT NULL AND h.id = p.old_id

-- name: importHistory.make
-- timeout: 600000
INSERT INTO history (id, asn_id, kind, starts, ends, valid, facts, decree_number, decree_date, decree_signatory, source, remote_id, note, actor_key, actor_name)
SELECT p.id, p.asn_id, p.kind, p.starts, p.ends, p.valid, p.facts, p.decree_number, p.decree_date, p.decree_signatory, p.source, p.remote_id, p.note,
       :actor_key, :actor_name
FROM   import_plan_history p
WHERE  p.is_changed AND NOT p.is_slow AND p.old_id IS NULL
ORDER  BY p.asn_id, p.kind, p.starts, p.place

-- name: importHistory.told
INSERT INTO import_told_history (id, line)
SELECT coalesce(p.old_id, p.id), p.line FROM import_plan_history p WHERE NOT p.is_slow AND p.fault IS NULL
ON     CONFLICT DO NOTHING

-- Once the database has refused something of the batch, each person is taken by himself.
-- name: importHistory.apart
UPDATE import_plan_history SET is_slow = true WHERE is_changed

-- The slow ones, later rows first: then each finds the next of its track, and its end need not be written twice. What tells a row again comes behind who told it.
-- name: importHistory.merge
-- timeout: 600000
-- write: true
WITH taken AS MATERIALIZED (
    SELECT s.place, s.kind, s.unit_code, t.*
    FROM   (SELECT p.* FROM import_plan_history p WHERE p.is_slow AND NOT :is_apart::boolean ORDER BY p.asn_id, p.kind, p.is_again, p.starts DESC, p.place OFFSET 0) s
    CROSS  JOIN LATERAL history_take(s.id, s.nip, :actor_units::ltree[], :scopes::text[], s.entry, :actor_key, :actor_name, s.line) t
    UNION  ALL
    SELECT t.place, s.kind, s.unit_code, t.outcome, t.problem, t.pointer, t.value, t.told_more
    FROM   (SELECT jsonb_agg(jsonb_build_object('place', p.place, 'id', p.id, 'nip', p.nip, 'line', p.line, 'entry', p.entry) ORDER BY p.kind, p.is_again, p.starts DESC, p.place) AS told
            FROM   import_plan_history p WHERE p.is_slow AND :is_apart::boolean GROUP BY p.asn_id ORDER BY min(p.nip) OFFSET 0) w
    CROSS  JOIN LATERAL history_take_apart(w.told, :actor_units::ltree[], :scopes::text[], :actor_key, :actor_name) t
    JOIN   import_plan_history s ON s.place = t.place
), meant AS MATERIALIZED (
    SELECT w.told, unit_meant(w.told, :actor_units::ltree[]) AS code
    FROM   (SELECT DISTINCT t.unit_code AS told FROM taken t WHERE t.problem = 'reference-missing' LIMIT 200) w
), named AS MATERIALIZED (
    SELECT w.told, nip_meant(w.told, :actor_units::ltree[]) AS nip
    FROM   (SELECT DISTINCT p.value AS told FROM import_plan_history p WHERE p.fault = 'person-unknown' LIMIT 200) w
)
SELECT t.place,
       CASE WHEN t.pointer = '/facts/unit_id' AND t.unit_code IS NOT NULL THEN 'unit_code'
            WHEN t.pointer = '/facts/kind' THEN 'appointment'
            WHEN t.pointer = '/facts/level' THEN CASE t.kind WHEN 'discipline' THEN 'discipline_level' ELSE 'education_level' END
            WHEN t.pointer = '/facts/nip' THEN 'new_nip'
            WHEN t.pointer LIKE '/facts/%' THEN substr(t.pointer, 8) ELSE substr(t.pointer, 2) END AS "column",
       t.problem AS code, CASE WHEN t.problem IN ('unit-closed', 'reference-missing') THEN coalesce(t.unit_code, t.value) ELSE t.value END AS value, t.told_more AS told,
       NULL::bigint AS created, NULL::bigint AS updated,
       CASE t.problem WHEN 'unit-closed' THEN (SELECT h.code FROM unit h WHERE h.id = unit_heir(t.value::uuid, :actor_units::ltree[]))
                      WHEN 'reference-missing' THEN m.code
                      WHEN 'code-unknown' THEN history_meant(t.kind, t.pointer, t.value) END AS suggestion
FROM   taken t
LEFT   JOIN meant m ON m.told = t.unit_code AND t.problem = 'reference-missing'
WHERE  t.problem IS NOT NULL
UNION ALL
SELECT p.place, p."column", p.fault, p.value, NULL, NULL, NULL, (SELECT n.nip FROM named n WHERE p.fault = 'person-unknown' AND n.told = p.value)
FROM   import_plan_history p
WHERE  p.fault IS NOT NULL
UNION ALL
SELECT NULL, NULL, NULL, NULL, NULL,
       (SELECT count(*) FROM import_plan_history p WHERE p.is_changed AND NOT p.is_slow AND p.old_id IS NULL)
       + (SELECT count(*) FROM taken t WHERE t.outcome = 'created'),
       (SELECT count(*) FROM import_plan_history p WHERE p.is_changed AND NOT p.is_slow AND p.old_id IS NOT NULL)
       + (SELECT count(*) FROM taken t WHERE t.outcome = 'updated'), NULL
ORDER  BY place NULLS LAST

-- name: importHistory.settle
-- write: true
-- timeout: 600000
SELECT history_settle(ARRAY(SELECT DISTINCT p.asn_id FROM import_plan_history p WHERE p.is_changed))
