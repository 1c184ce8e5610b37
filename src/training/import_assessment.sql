-- Import of assessments of competencies. The stage holds one batch: all fields are text, NULL = the file does not say; told is what was found.

-- name: importCompetencyAssessments.stage
CREATE TEMPORARY TABLE IF NOT EXISTS import_stage_competency_assessment (
    place bigint, line bigint, is_refused boolean, nip text, assessed_on text, method text, source text, valid_until text, integritas text, kerja_sama text,
    komunikasi text, orientasi_hasil text, pelayanan_publik text, pengembangan_diri text, mengelola_perubahan text, pengambilan_keputusan text,
    perekat_bangsa text, competency text, level text, told jsonb, id uuid
) ON COMMIT DELETE ROWS

-- One file at a time.
-- name: importCompetencyAssessments.lock
SELECT pg_advisory_xact_lock(1918, 30)

-- An assessment is known by its person, day, method and source; rows that agree in these are one. Levels that no row tells stay.
-- name: importCompetencyAssessments.merge
-- timeout: 600000
WITH laid AS (
    SELECT s.place, s.line, s.is_refused, s.nip, nullif(s.assessed_on, '')::date AS assessed_on, s.method, nullif(s.source, '') AS source,
           nullif(s.valid_until, '')::date AS valid_until, s.id, s.told, a.id AS asn_id, s.competency AS told_word, w.code AS word_code,
           CASE WHEN nullif(s.competency, '') IS NOT NULL AND w.code IS NOT NULL THEN s.told || jsonb_build_object(w.code, nullif(s.level, '')::integer) ELSE s.told END AS levels
    FROM   import_stage_competency_assessment s
    LEFT   JOIN LATERAL (SELECT p.id FROM asn p JOIN unit u ON u.id = p.unit_id
                         WHERE  p.id = asn_of_nip(s.nip) AND u.path <@ ANY (:actor_units::ltree[])) a ON true
    LEFT   JOIN reference_word w ON w.list = 'competency-standard' AND w.word = reference_fold(nullif(s.competency, ''))
), held AS MATERIALIZED (
    SELECT r.asn_id FROM restriction r
    WHERE  restriction_binds() AND r.starts <= local_today() AND (r.ends IS NULL OR r.ends > local_today())
), faced AS (
    SELECT l.*, (SELECT k FROM jsonb_object_keys(l.levels) AS k WHERE NOT competency_holds(k, l.assessed_on) ORDER BY k LIMIT 1) AS unheld
    FROM   laid l
), weighed AS (
    SELECT f.*, CASE WHEN f.asn_id IS NULL AND f.nip IS NOT NULL THEN 'person-unknown'
                     WHEN f.asn_id = (SELECT asn_of_nip(:actor_nip::text)) THEN 'own-record'
                     WHEN f.asn_id IN (SELECT h.asn_id FROM held h) THEN 'restricted'
                     WHEN nullif(f.told_word, '') IS NOT NULL AND f.word_code IS NULL OR f.unheld IS NOT NULL THEN 'competency-unknown'
                     WHEN f.assessed_on > local_today() THEN 'in-future'
                     WHEN f.valid_until <= f.assessed_on THEN 'range-empty' END AS own_fault
    FROM   faced f
), level AS (
    SELECT y.place, y.line, y.key, coalesce(e.line, first_value(y.line) OVER same) AS first_line, e.line IS NOT NULL OR row_number() OVER same > 1 AS is_again
    FROM   (SELECT w.place, w.line, row(w.asn_id, w.assessed_on, w.method, w.source, k)::text AS key
            FROM   weighed w CROSS JOIN LATERAL jsonb_object_keys(w.levels) AS k
            WHERE  NOT w.is_refused AND w.own_fault IS NULL) y
    LEFT   JOIN import_seen e ON e.key = y.key
    WINDOW same AS (PARTITION BY y.key ORDER BY y.place)
), again AS (
    SELECT l.place, min(l.first_line) AS first_line FROM level l WHERE l.is_again GROUP BY l.place
), judged AS (
    SELECT w.*, a.first_line, coalesce(w.own_fault, CASE WHEN a.place IS NOT NULL THEN 'duplicate-row' END) AS fault
    FROM   weighed w
    LEFT   JOIN again a ON a.place = w.place
), meant AS MATERIALIZED (
    SELECT w.fault, w.told, CASE w.fault WHEN 'person-unknown' THEN nip_meant(w.told, :actor_units::ltree[]) ELSE reference_meant('{competency-standard}', w.told) END AS code
    FROM   (SELECT DISTINCT j.fault, CASE j.fault WHEN 'person-unknown' THEN j.nip ELSE j.told_word END AS told
            FROM   judged j WHERE j.fault = 'person-unknown' OR j.fault = 'competency-unknown' AND j.word_code IS NULL LIMIT 200) w
), seen AS (
    INSERT INTO import_seen (key, line)
    SELECT l.key, l.line FROM level l WHERE l.place NOT IN (SELECT a.place FROM again a)
    ON     CONFLICT DO NOTHING
), good AS (
    SELECT j.asn_id, j.assessed_on, j.method, j.source, (array_agg(j.id ORDER BY j.place))[1] AS id, max(j.valid_until) AS valid_until,
           jsonb_object_agg(e.key, e.value) AS levels, count(DISTINCT j.place) AS rows
    FROM   judged j CROSS JOIN LATERAL jsonb_each(j.levels) AS e
    WHERE  NOT j.is_refused AND j.fault IS NULL
    GROUP  BY 1, 2, 3, 4
), changed AS (
    UPDATE competency_assessment t
    SET    levels = t.levels || g.levels, valid_until = coalesce(g.valid_until, t.valid_until), actor_key = :actor_key, actor_name = :actor_name
    FROM   good g
    WHERE  NOT t.is_void AND (t.asn_id, t.assessed_on, t.method, t.source) = (g.asn_id, g.assessed_on, g.method, g.source)
           AND (t.levels || g.levels, coalesce(g.valid_until, t.valid_until)) IS DISTINCT FROM (t.levels, t.valid_until)
    RETURNING g.rows
), made AS (
    INSERT INTO competency_assessment (id, asn_id, assessed_on, method, source, levels, valid_until, actor_key, actor_name)
    SELECT g.id, g.asn_id, g.assessed_on, g.method, g.source, g.levels, g.valid_until, :actor_key, :actor_name
    FROM   good g
    WHERE  NOT EXISTS (SELECT FROM competency_assessment t
                       WHERE  NOT t.is_void AND (t.asn_id, t.assessed_on, t.method, t.source) = (g.asn_id, g.assessed_on, g.method, g.source))
    RETURNING id
)
SELECT j.place, CASE j.fault WHEN 'person-unknown' THEN 'nip' WHEN 'own-record' THEN 'nip' WHEN 'restricted' THEN 'nip' WHEN 'in-future' THEN 'assessed_on'
                             WHEN 'range-empty' THEN 'valid_until' ELSE 'competency' END AS "column",
       j.fault AS code, CASE j.fault WHEN 'person-unknown' THEN j.nip WHEN 'own-record' THEN j.nip WHEN 'restricted' THEN j.nip WHEN 'in-future' THEN j.assessed_on::text WHEN 'range-empty' THEN j.valid_until::text
                                     ELSE coalesce(nullif(j.told_word, ''), j.unheld) END AS value,
       CASE j.fault WHEN 'duplicate-row' THEN j.first_line::text END AS told, NULL::bigint AS created, NULL::bigint AS updated,
       (SELECT m.code FROM meant m WHERE (m.fault, m.told) = (j.fault, CASE j.fault WHEN 'person-unknown' THEN j.nip ELSE j.told_word END)) AS suggestion
FROM   judged j
WHERE  j.fault IS NOT NULL
UNION ALL
SELECT NULL, NULL, NULL, NULL, NULL, (SELECT coalesce(sum(g.rows), 0) FROM made m JOIN good g ON g.id = m.id), (SELECT coalesce(sum(c.rows), 0) FROM changed c), NULL
ORDER  BY place NULLS LAST
