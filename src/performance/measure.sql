-- Indicators that measure themselves: which figures there are, what an indicator is measured by, what the figure says now, and what an evaluation took.

-- name: listMeasureFigures
-- sort: seq = f.seq AS _seq, f.code AS code
SELECT f.code, f.source, f.needs, f.measure, f.aspect, f.direction, f.name, f.name_en, f.goes_to, measure_at_least(f.code, :today::date) AS at_least,
       (SELECT l.source FROM measure_limit l WHERE l.figure = f.code AND l.valid_from <= :today::date ORDER BY l.valid_from DESC LIMIT 1) AS at_least_source, f.seq AS _seq
FROM   measure_figure f
WHERE  true
/*? source */ AND f.source = :source /*? */
/* page */

-- One statement, so that all of it is of one moment.
-- name: getSkpMeasures
SELECT s.id AS skp_id, d.at AS "on", now() AS read_at,
       (SELECT coalesce(jsonb_agg(jsonb_build_object('indicator_id', i.id, 'position', i.position, 'name', i.name, 'direction', i.direction, 'target', i.target,
                            'source', f.source, 'figure', r.figure, 'measure', f.measure, 'service_unit_id', r.service_unit_id, 'service_id', r.service_id,
                            'from', r.from_on, 'until', r.until_on, 'value', r.value, 'n', r.n, 'at_least', r.at_least, 'reason', r.reason, 'parts', r.parts)
                        ORDER BY i.position), '[]')
        FROM   skp_measure m JOIN skp_indicator i ON i.id = m.indicator_id JOIN measure_figure f ON f.code = m.figure
        CROSS  JOIN LATERAL skp_measure_read(m, d.at) r
        WHERE  m.skp_id = s.id) AS measures
FROM   skp s JOIN asn a ON a.id = s.asn_id JOIN unit u ON u.id = a.unit_id
CROSS  JOIN LATERAL (SELECT least(coalesce(:on::date, :today::date), :today::date) AS at) d
WHERE  s.id = :skp_id AND u.path <@ ANY (:actor_units::ltree[])

-- If-Match is the SKP's. The service unit must be one that the caller sees.
-- name: putSkpMeasure
WITH cur AS (
    SELECT s.id, s.version FROM skp s JOIN asn a ON a.id = s.asn_id JOIN unit u ON u.id = a.unit_id
    WHERE  s.id = :skp_id AND u.path <@ ANY (:actor_units::ltree[])
    FOR    UPDATE OF s
), known AS (
    SELECT c.id, CASE WHEN NOT :if_match::int8multirange @> c.version THEN 'version-stale'
                      WHEN :service_unit_id::uuid IS NOT NULL AND NOT EXISTS (SELECT FROM service_unit p JOIN unit n ON n.id = p.unit_id
                                                                              WHERE p.id = :service_unit_id AND n.path <@ ANY (:actor_units::ltree[]))
                      THEN 'reference-missing' END AS problem
    FROM   cur c JOIN skp_indicator i ON i.id = :skp_indicator_id AND i.skp_id = c.id
), put AS (
    INSERT INTO skp_measure AS m (indicator_id, skp_id, figure, service_unit_id, service_id)
    SELECT :skp_indicator_id, k.id, :figure, :service_unit_id, :service_id FROM known k WHERE k.problem IS NULL
    ON     CONFLICT ON CONSTRAINT skp_measure_pkey DO UPDATE
    SET    figure = EXCLUDED.figure, service_unit_id = EXCLUDED.service_unit_id, service_id = EXCLUDED.service_id
    RETURNING m.*
)
SELECT k.problem AS _problem, CASE k.problem WHEN 'reference-missing' THEN '/service_unit_id' END AS _pointer, p.indicator_id, p.skp_id, p.figure, p.service_unit_id, p.service_id
FROM   known k LEFT JOIN put p ON true

-- name: deleteSkpMeasure
WITH cur AS (
    SELECT s.id, s.version FROM skp s JOIN asn a ON a.id = s.asn_id JOIN unit u ON u.id = a.unit_id
    WHERE  s.id = :skp_id AND u.path <@ ANY (:actor_units::ltree[])
    FOR    UPDATE OF s
), had AS (
    SELECT m.indicator_id, c.version FROM cur c JOIN skp_measure m ON m.skp_id = c.id AND m.indicator_id = :skp_indicator_id
), gone AS (
    DELETE FROM skp_measure m USING had h WHERE m.indicator_id = h.indicator_id AND :if_match::int8multirange @> h.version RETURNING m.indicator_id
)
SELECT CASE WHEN g.indicator_id IS NULL THEN 'version-stale' END AS _problem
FROM   had h LEFT JOIN gone g ON true

-- ── milestones ──

-- name: getSkpMilestones
SELECT i.id AS indicator_id, i.target, (SELECT coalesce(sum(t.weight), 0) FROM skp_milestone t WHERE t.indicator_id = i.id) AS weight,
       skp_milestones(i.id, :today::date) AS milestones
FROM   skp_indicator i JOIN skp s ON s.id = i.skp_id JOIN asn a ON a.id = s.asn_id JOIN unit u ON u.id = a.unit_id
WHERE  i.id = :skp_indicator_id AND i.skp_id = :skp_id AND u.path <@ ANY (:actor_units::ltree[])

-- name: putSkpMilestones
-- write: true
WITH cur AS MATERIALIZED (
    SELECT s.id, s.version FROM skp s JOIN asn a ON a.id = s.asn_id JOIN unit u ON u.id = a.unit_id
    WHERE  s.id = :skp_id AND u.path <@ ANY (:actor_units::ltree[])
    FOR    UPDATE OF s
), known AS MATERIALIZED (
    SELECT c.id, i.id AS indicator_id, i.target, :if_match::int8multirange @> c.version AS is_seen FROM cur c JOIN skp_indicator i ON i.id = :skp_indicator_id AND i.skp_id = c.id
), put AS MATERIALIZED (
    SELECT skp_milestones_put(k.id, k.indicator_id, :milestones::jsonb, :today::date) AS milestones FROM known k WHERE k.is_seen
)
SELECT CASE WHEN NOT k.is_seen THEN 'version-stale' END AS _problem, k.indicator_id, k.target,
       (SELECT coalesce(sum((m ->> 'weight')::numeric), 0) FROM jsonb_array_elements(p.milestones) m) AS weight, p.milestones
FROM   known k LEFT JOIN put p ON true

-- name: listSkpMilestoneReports
-- sort: id = r.id AS id
-- sort: -id = r.id DESC AS id
SELECT r.id, r.skp_id, r.milestone_id, t.position AS milestone_position, t.name AS milestone, r.day, r.is_reached, r.evidence, r.note,
       r.actor_name, r.created_at
FROM   skp_milestone_report r JOIN skp_milestone t ON t.id = r.milestone_id JOIN skp s ON s.id = r.skp_id JOIN asn a ON a.id = s.asn_id JOIN unit u ON u.id = a.unit_id
WHERE  r.skp_id = :skp_id AND u.path <@ ANY (:actor_units::ltree[])
/*? milestone_id */ AND r.milestone_id = :milestone_id /*? */
/* page */

-- name: reportSkpMilestone
WITH owner AS (
    SELECT s.id FROM skp s JOIN asn a ON a.id = s.asn_id JOIN unit u ON u.id = a.unit_id
    WHERE  s.id = :skp_id AND u.path <@ ANY (:actor_units::ltree[])
), step AS (
    SELECT t.id, t.position, t.name FROM skp_milestone t JOIN owner o ON o.id = t.skp_id WHERE t.id = :milestone_id
), made AS (
    INSERT INTO skp_milestone_report (id, skp_id, milestone_id, day, is_reached, evidence, note, actor_key, actor_name)
    SELECT :new_id, o.id, t.id, coalesce(:day, :today::date), coalesce(:is_reached::boolean, true), :evidence, :note, :actor_key, :actor_name
    FROM   owner o, step t
    RETURNING *
)
SELECT CASE WHEN t.id IS NULL THEN 'reference-missing' END AS _problem, CASE WHEN t.id IS NULL THEN '/milestone_id' END AS _pointer,
       m.id, m.skp_id, m.milestone_id, t.position AS milestone_position, t.name AS milestone, m.day, m.is_reached, m.evidence, m.note, m.actor_name, m.created_at
FROM   owner o LEFT JOIN step t ON true LEFT JOIN made m ON true

-- ── days at work ──

-- name: listPresence
-- sort: -month = p.month DESC AS month
-- sort: month = p.month AS month
SELECT p.month, p.present, p.late, p.absent, p.source, p.actor_name, p.updated_at
FROM   presence_month p JOIN asn a ON a.id = p.asn_id JOIN unit u ON u.id = a.unit_id
WHERE  p.asn_id = (SELECT asn_of_nip(:nip)) AND u.path <@ ANY (:actor_units::ltree[])
/* page */

-- ── evaluations ──

-- name: listMeasurements
-- sort: position = i.position AS position, i.id AS indicator_id
SELECT i.id AS indicator_id, i.position, i.name, i.actual, m.value IS NOT DISTINCT FROM i.actual AS is_as_measured, f.source, m.figure, f.measure, m.service_unit_id,
       m.service_id, m.from_on AS "from", m.until_on AS until, m.value, m.n, m.at_least, m.reason, m.parts, m.read_at
FROM   indicator i
JOIN   indicator_measured m ON m.indicator_id = i.id
JOIN   measure_figure f ON f.code = m.figure
JOIN   evaluation e ON e.id = i.evaluation_id
JOIN   asn a ON a.id = e.asn_id
JOIN   unit u ON u.id = a.unit_id
WHERE  i.evaluation_id = :evaluation_id AND u.path <@ ANY (:actor_units::ltree[])
/* page */

-- The unit's figures are of the nearest service unit at or above the person's unit that the caller sees.
-- name: getEvidence
SELECT e.id AS evaluation_id, p.starts_on AS "from", d.at AS until, now() AS read_at,
       (SELECT coalesce(jsonb_agg(jsonb_build_object('figure', f.code, 'source', f.source, 'needs', f.needs, 'measure', f.measure, 'name', f.name, 'name_en', f.name_en,
                            'goes_to', f.goes_to, 'aspect', f.aspect, 'direction', f.direction, 'service_unit_id', r.service_unit_id, 'value', r.value, 'n', r.n,
                            'at_least', r.at_least, 'reason', r.reason, 'parts', r.parts,
                            'indicator_id', (SELECT i.id FROM indicator i JOIN indicator_measured m ON m.indicator_id = i.id
                                             WHERE i.evaluation_id = e.id AND m.figure = f.code ORDER BY i.position LIMIT 1)) ORDER BY f.seq), '[]')
        FROM   measure_figure f
        CROSS  JOIN LATERAL measure_read(f.code, e.asn_id, CASE f.needs WHEN 'unit' THEN n.id END, NULL, NULL, p.starts_on, d.at) r
        WHERE  f.needs = 'own' OR f.needs = 'unit' AND n.id IS NOT NULL) AS evidence
FROM   evaluation e
JOIN   period p ON p.id = e.period_id
JOIN   asn a ON a.id = e.asn_id
JOIN   unit u ON u.id = a.unit_id
CROSS  JOIN LATERAL (SELECT least(p.ends_on, greatest(p.starts_on, :today::date)) AS at) d
LEFT   JOIN LATERAL (SELECT c.id FROM service_unit c JOIN unit o ON o.id = c.unit_id
                     WHERE  u.path <@ o.path AND o.path <@ ANY (:actor_units::ltree[]) ORDER BY nlevel(o.path) DESC LIMIT 1) n ON true
WHERE  e.id = :evaluation_id AND u.path <@ ANY (:actor_units::ltree[])
