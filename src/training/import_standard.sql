-- Import of competency standards. The stage holds one batch: all fields are text, NULL = the file does not say, '' = it says: empty.

-- name: importCompetencyStandards.stage
CREATE TEMPORARY TABLE IF NOT EXISTS import_stage_competency_standard (
    place bigint, line bigint, is_refused boolean, position_level text, position_kind text, position text, unit_code text, competency text, level text,
    valid_from text, valid_until text, source text
) ON COMMIT DELETE ROWS

-- One file at a time.
-- name: importCompetencyStandards.lock
SELECT pg_advisory_xact_lock(1918, 29)

-- A standard is known by what it is of, its competency and its first day. What a row does not tell stays.
-- name: importCompetencyStandards.merge
-- timeout: 600000
WITH laid AS (
    SELECT s.place, s.line, s.is_refused, nullif(s.position_level, '') AS position_level, nullif(s.position_kind, '') AS position_kind,
           nullif(s.position, '') AS position, nullif(s.unit_code, '') AS unit_code, u.id AS unit_id, s.competency, c.code, s.level::integer AS level,
           nullif(s.valid_from, '')::date AS valid_from, s.valid_until, nullif(s.source, '') AS source, l.code AS grade,
           row(l.code, s.position_kind, reference_fold(s.position), nullif(s.unit_code, ''), c.code, s.valid_from)::text AS key
    FROM   import_stage_competency_standard s
    LEFT   JOIN unit u ON u.code = nullif(s.unit_code, '') AND u.path <@ ANY (:actor_units::ltree[])
    LEFT   JOIN reference_word w ON w.list = 'competency-standard' AND w.word = reference_fold(s.competency)
    LEFT   JOIN LATERAL (SELECT w.code WHERE competency_holds(w.code, nullif(s.valid_from, '')::date)) c ON true
    LEFT   JOIN reference_word g ON g.list = 'position-level' AND g.word = reference_fold(nullif(s.position_level, ''))
    LEFT   JOIN LATERAL (SELECT g.code WHERE reference_holds('position-level', g.code, nullif(s.valid_from, '')::date)) l ON true
), weighed AS (
    SELECT l.*, o.id AS old_id, o.valid_until AS old_until,
           CASE WHEN l.valid_until IS NULL THEN o.valid_until ELSE nullif(l.valid_until, '')::date END AS new_until,
           CASE WHEN l.code IS NULL AND l.competency IS NOT NULL THEN 'competency-unknown'
                WHEN l.position_level IS NOT NULL AND l.grade IS NULL THEN 'position-level-unknown'
                WHEN l.unit_code IS NOT NULL AND l.unit_id IS NULL THEN 'unit-unknown'
                WHEN l.unit_code IS NULL AND '' <> ALL (:actor_units::ltree[]) THEN 'standard-of-all'
                WHEN nullif(l.valid_until, '')::date < l.valid_from THEN 'range-empty' END AS own_fault
    FROM   laid l
    LEFT   JOIN competency_standard o ON o.competency = l.code AND o.valid_from = l.valid_from
                                         AND (o.position_level, o.position_kind, o.position_key, o.unit_id)
                                             IS NOT DISTINCT FROM (l.grade, l.position_kind, reference_fold(l.position), l.unit_id)
), judged AS (
    SELECT w.*, coalesce(e.line, first_value(w.line) OVER same) AS first_line,
           coalesce(w.own_fault, CASE WHEN NOT w.is_refused AND (e.line IS NOT NULL OR row_number() OVER same > 1) THEN 'duplicate-row' END) AS fault
    FROM   weighed w
    LEFT   JOIN import_seen e ON e.key = w.key
    WINDOW same AS (PARTITION BY w.key, w.is_refused OR w.own_fault IS NOT NULL ORDER BY w.place)
), meant AS MATERIALIZED (
    SELECT w.told, unit_meant(w.told, :actor_units::ltree[]) AS code
    FROM   (SELECT DISTINCT j.unit_code AS told FROM judged j WHERE j.fault = 'unit-unknown' LIMIT 200) w
), good AS (
    SELECT j.* FROM judged j WHERE NOT j.is_refused AND j.fault IS NULL
), seen AS (
    INSERT INTO import_seen (key, line) SELECT g.key, g.line FROM good g ON CONFLICT DO NOTHING
), changed AS (
    UPDATE competency_standard s
    SET    level = g.level, valid_until = g.new_until, source = coalesce(g.source, s.source), is_confirmed = true,
           actor_key = :actor_key, actor_name = :actor_name
    FROM   good g
    WHERE  s.id = g.old_id AND (s.level, s.valid_until, s.source) IS DISTINCT FROM (g.level, g.new_until, coalesce(g.source, s.source))
    RETURNING 1
), made AS (
    INSERT INTO competency_standard (position_level, position_kind, position, unit_id, competency, level, valid_from, valid_until, source, actor_key, actor_name)
    SELECT g.grade, g.position_kind, g.position, g.unit_id, g.code, g.level, g.valid_from, g.new_until, coalesce(g.source, 'import'), :actor_key, :actor_name
    FROM   good g
    WHERE  g.old_id IS NULL
    RETURNING 1
)
SELECT j.place, CASE j.fault WHEN 'position-level-unknown' THEN 'position_level' WHEN 'unit-unknown' THEN 'unit_code'
                             WHEN 'standard-of-all' THEN 'unit_code' WHEN 'range-empty' THEN 'valid_until' ELSE 'competency' END AS "column",
       j.fault AS code, CASE j.fault WHEN 'position-level-unknown' THEN j.position_level
                                     WHEN 'unit-unknown' THEN j.unit_code WHEN 'standard-of-all' THEN NULL WHEN 'range-empty' THEN j.valid_until
                                     ELSE j.competency END AS value,
       CASE j.fault WHEN 'duplicate-row' THEN j.first_line::text END AS told, NULL::bigint AS created, NULL::bigint AS updated,
       CASE j.fault WHEN 'unit-unknown' THEN (SELECT m.code FROM meant m WHERE m.told = j.unit_code)
                    WHEN 'competency-unknown' THEN reference_meant('{competency-standard}', j.competency)
                    WHEN 'position-level-unknown' THEN reference_meant('{position-level}', j.position_level) END AS suggestion
FROM   judged j
WHERE  j.fault IS NOT NULL
UNION ALL
SELECT NULL, NULL, NULL, NULL, NULL, (SELECT count(*) FROM made), (SELECT count(*) FROM changed), NULL
ORDER  BY place NULLS LAST
