-- Quality of the data: the index of units, the indicators, whom each names, and the trend. What is wrong with a NIK is told to those alone who
-- may see it (ACC_5).

-- Without parent_id: the highest units that the caller may see.
-- name: listDataQuality
-- sort: code = u.code AS unit_code
-- sort: -code = u.code DESC AS unit_code
SELECT u.id AS unit_id, u.code AS unit_code, u.name AS unit_name, quality_people(c.counts) AS people, r.completeness, r.timeliness, r.accuracy,
       r.consistency, r.score
FROM   unit u
CROSS  JOIN LATERAL (SELECT quality_counts(u.path) AS counts OFFSET 0) c
CROSS  JOIN LATERAL quality_rate(c.counts) r
WHERE  u.path <@ ANY (:actor_units::ltree[])
       AND CASE WHEN :parent_id::uuid IS NOT NULL THEN u.parent_id = :parent_id
                WHEN :unit_id::uuid IS NOT NULL THEN u.id = :unit_id
                ELSE NOT EXISTS (SELECT FROM unit p WHERE p.id = u.parent_id AND p.path <@ ANY (:actor_units::ltree[])) END
/* page */

-- name: listDataQualityIndicators
-- sort: seq = i.seq AS _seq, i.code AS code
SELECT i.code, i.dimension, i.name, i.name_en, i.weight, i.dimension_weight, i.is_measured, i.lacks,
       CASE WHEN i.is_measured THEN coalesce(c.asked, 0) END AS people_asked, CASE WHEN i.is_measured THEN coalesce(c.named, 0) END AS people_named,
       i.seq AS _seq
FROM   quality_indicator i
LEFT   JOIN (SELECT q.code, count(*) AS asked, count(*) FILTER (WHERE q.is_faulty) AS named
             FROM   quality_check q JOIN asn a ON a.id = q.asn_id JOIN unit u ON u.id = a.unit_id
             WHERE  u.path <@ ANY (:actor_units::ltree[])
             /*? under */ AND u.path <@ (SELECT p.path FROM unit p WHERE p.id = :under) /*? */
             GROUP  BY q.code) c ON c.code = i.code
WHERE  true
/*? dimension */ AND i.dimension = :dimension /*? */
/* page */

-- name: listDataQualityPersons
-- sort: nip = a.nip AS nip
-- sort: -nip = a.nip DESC AS nip
SELECT a.nip, a.name, a.unit_id, u.name AS unit_name, i.code, i.name AS reason, i.name_en AS reason_en, q.facts
FROM   quality_check q
JOIN   asn a ON a.id = q.asn_id
JOIN   unit u ON u.id = a.unit_id
JOIN   quality_indicator i ON i.code = q.code
WHERE  q.code = :code AND q.is_faulty AND u.path <@ ANY (:actor_units::ltree[])
       AND (q.code <> 'ACC_5' OR scope_held(:actor_scopes::text[], 'asn.sensitive'))
/*? under */ AND u.path <@ (SELECT p.path FROM unit p WHERE p.id = :under) /*? */
/* page */

-- name: takeDataQualitySnapshot
-- write: true
SELECT s.day, s.units_counted, s.units_new
FROM   quality_snap(:actor_units::ltree[], :today::date) s

-- name: listDataQualitySnapshots
-- sort: -day = s.day DESC AS day, s.unit_id DESC AS unit_id
-- sort: day = s.day AS day, s.unit_id AS unit_id
SELECT s.day, s.unit_id, u.code AS unit_code, u.name AS unit_name, s.people, s.completeness, s.timeliness, s.accuracy, s.consistency, s.score
FROM   quality_snapshot s
JOIN   unit u ON u.id = s.unit_id
WHERE  u.path <@ ANY (:actor_units::ltree[])
/*? unit_id */ AND s.unit_id = :unit_id /*? */
/*? from */ AND s.day >= :from::date /*? */
/*? to */ AND s.day <= :to::date /*? */
/* page */
