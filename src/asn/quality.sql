-- Quality of the data: the index of units, the indicators, whom each names, and the trend. What is wrong with a NIK is told to those alone who
-- may see it (ACC_5).

-- Without parent_id: the highest units that the caller may see. From kept sums.
-- name: listDataQuality
-- sort: code = u.code AS unit_code
-- sort: -code = u.code DESC AS unit_code
SELECT u.id AS unit_id, u.code AS unit_code, u.name AS unit_name, i.people, i.completeness, i.timeliness, i.accuracy, i.consistency, i.score
FROM   quality_index(ARRAY(SELECT u.path FROM unit u WHERE u.parent_id = :parent_id::uuid AND u.path <@ ANY (:actor_units::ltree[])
                           UNION  ALL
                           SELECT u.path FROM unit u WHERE :parent_id::uuid IS NULL AND u.id = :unit_id::uuid AND u.path <@ ANY (:actor_units::ltree[])
                           UNION  ALL -- what the caller sees without the unit above it: a root, or where his own begins
                           SELECT u.path
                           FROM   (SELECT r.id, r.path, r.parent_id FROM unit r WHERE r.parent_id IS NULL UNION SELECT o.id, o.path, o.parent_id FROM unit o WHERE o.path = ANY (:actor_units::ltree[])) u
                           WHERE  :parent_id::uuid IS NULL AND :unit_id::uuid IS NULL AND u.path <@ ANY (:actor_units::ltree[])
                                  AND NOT EXISTS (SELECT FROM unit p WHERE p.id = u.parent_id AND p.path <@ ANY (:actor_units::ltree[])))) i
JOIN   unit u ON u.id = i.unit_id
WHERE  true
/* page */

-- name: listDataQualityIndicators
-- sort: seq = i.seq AS _seq, i.code AS code
SELECT i.code, i.dimension, i.name, i.name_en, i.weight, i.dimension_weight, i.is_measured, i.lacks,
       CASE WHEN i.is_measured THEN coalesce(c.asked, 0) END AS people_asked, CASE WHEN i.is_measured THEN coalesce(c.named, 0) END AS people_named,
       i.seq AS _seq
FROM   quality_indicator i
LEFT   JOIN (SELECT k.key AS code, sum((k.value ->> 0)::bigint)::bigint AS asked, sum((k.value ->> 1)::bigint)::bigint AS named
             FROM   quality_of(staff_tops(:actor_units::ltree[], :under::uuid)) q CROSS JOIN LATERAL jsonb_each(q.counts) k
             GROUP  BY k.key) c ON c.code = i.code
WHERE  true
/*? dimension */ AND i.dimension = :dimension /*? */
/* page */

-- name: listDataQualityPersons
-- sort: nip = q.nip AS nip
-- sort: -nip = q.nip DESC AS nip
SELECT q.nip, q.name, q.unit_id, u.name AS unit_name, q.code, (SELECT i.name FROM quality_indicator i WHERE i.code = q.code) AS reason,
       (SELECT i.name_en FROM quality_indicator i WHERE i.code = q.code) AS reason_en, q.facts,
       q.code = 'ACC_5' AS _sensitive
FROM   quality_check q
JOIN   unit u ON u.id = q.unit_id
WHERE  q.code = :code AND q.is_faulty AND (q.code <> 'ACC_5' OR scope_held(restricted_scopes(asn_of_nip(q.nip), :actor_scopes::text[], :actor_nip), 'asn.sensitive'))
/*? actor_units */ AND u.path <@ ANY (:actor_units::ltree[]) /*? */
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
