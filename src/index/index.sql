-- Indices: professionalism (IP ASN) of persons and units, BKN's own value beside it, talent boxes, penalties of absence. Rules: 0017_index.sql.
-- What a penalty cost shows in the sum: so these need asn.discipline, are readings of it, and leave out whose data are restricted.

-- name: getProfessionalismIndex
SELECT w.nip, w.on, (w.p).qualification, (w.p).competence, (w.p).performance, (w.p).discipline, (w.p).total,
       ip_asn_category_of((w.p).total, coalesce(:cut_mode, 'above')) AS category, (w.p).reasons -> 'unknown' AS unknown, (w.p).reasons - 'unknown' AS reasons,
       (w.p).reasons ->> 'penalty' IS NOT NULL AS _sensitive,
       (SELECT jsonb_build_object('year', b.year, 'qualification', b.qualification, 'competence', b.competence, 'performance', b.performance,
                                  'discipline', b.discipline, 'total', b.qualification + b.competence + b.performance + b.discipline, 'note', b.note,
                                  'ours_minus_theirs', (w.p).total - (b.qualification + b.competence + b.performance + b.discipline))
        FROM   ip_asn_bkn b WHERE b.asn_id = w.id AND b.year <= extract(year FROM w.on) ORDER BY b.year DESC LIMIT 1) AS bkn
FROM  (SELECT a.id, a.nip, coalesce(:as_of::date, :today::date) AS on, ip_asn_of(a.id, coalesce(:as_of::date, :today::date)) AS p
       FROM   asn a JOIN unit u ON u.id = a.unit_id
       WHERE  a.id = (SELECT asn_of_nip(:nip)) AND u.path <@ ANY (:actor_units::ltree[]) AND NOT restriction_hides(a.id, :actor_scopes::text[], :actor_nip)) w

-- Somebody who goes with an import meanwhile is waited for, and then not there; likewise below.
-- name: putBknProfessionalism
WITH who AS (
    SELECT a.id FROM asn a JOIN unit u ON u.id = a.unit_id WHERE a.id = (SELECT asn_of_nip(:nip)) AND u.path <@ ANY (:actor_units::ltree[])
    FOR    KEY SHARE OF a
)
INSERT INTO ip_asn_bkn AS b (id, asn_id, year, qualification, competence, performance, discipline, note)
SELECT :new_id, w.id, (:year::numeric)::integer, :qualification, :competence, :performance, :discipline, :note FROM who w
ON     CONFLICT (asn_id, year) DO UPDATE
SET    (qualification, competence, performance, discipline, note, told_at)
     = (EXCLUDED.qualification, EXCLUDED.competence, EXCLUDED.performance, EXCLUDED.discipline, EXCLUDED.note, now())
RETURNING b.year, b.qualification, b.competence, b.performance, b.discipline, b.qualification + b.competence + b.performance + b.discipline AS total, b.note, b.told_at

-- name: listProfessionalism
-- sort: nip = a.nip AS nip
SELECT a.nip, a.name, a.unit_id, a.position_kind, w.qualification, w.competence, w.performance, w.discipline, w.total,
       ip_asn_category_of(w.total, coalesce(:cut_mode, 'above')) AS category, w.reasons -> 'unknown' AS unknown, w.reasons ->> 'penalty' IS NOT NULL AS _sensitive
FROM   asn a
JOIN   unit u ON u.id = a.unit_id
CROSS  JOIN LATERAL (SELECT (p.p).* FROM (SELECT ip_asn_of(a.id, coalesce(:as_of::date, :today::date)) AS p OFFSET 0) p) w
WHERE  a.legal_status IN (SELECT s.code FROM employed_status s) AND NOT w.reasons -> 'unknown' ? 'appointment'
       AND NOT restriction_hides(a.id, :actor_scopes::text[], :actor_nip)
/*? actor_units */ AND u.path <@ ANY (:actor_units::ltree[]) /*? */
/*? under */ AND u.path <@ (SELECT p.path FROM unit p WHERE p.id = :under) /*? */
/* page */

-- Of the staff of a unit and of all below it, today from kept sums; no figures of fewer than five people, nor any that tell them beside those of the units below.
-- Of 50,000 people the two decimals hide more than four may have (0.01 × 50,000 > 4 × 100), and the units below need not be looked at.
-- name: getUnitProfessionalism
SELECT w.unit_id, w.on, w.people::integer AS people, w.unknown::integer AS unknown, w.reason IS NOT NULL AS is_suppressed, w.reason, w.qualification, w.competence, w.performance, w.discipline, w.total,
       ip_asn_category_of(w.total, coalesce(:cut_mode, 'above')) AS category
FROM  (SELECT u.id AS unit_id, d.on, s.people, s.unknown, h.reason,
              CASE WHEN h.reason IS NULL THEN ip_asn_mean(s.qualification, s.people) END AS qualification, CASE WHEN h.reason IS NULL THEN ip_asn_mean(s.competence, s.people) END AS competence,
              CASE WHEN h.reason IS NULL THEN ip_asn_mean(s.performance, s.people) END AS performance, CASE WHEN h.reason IS NULL THEN ip_asn_mean(s.discipline, s.people) END AS discipline,
              CASE WHEN h.reason IS NULL THEN ip_asn_mean(s.qualification + s.competence + s.performance + s.discipline, s.people) END AS total
       FROM   unit u
       CROSS  JOIN (SELECT coalesce(:as_of::date, :today::date) AS on) d
       CROSS  JOIN LATERAL ip_asn_sums(u.id, d.on) s
       CROSS  JOIN LATERAL (SELECT CASE WHEN s.people < 5 THEN 'few' WHEN s.people < 50000 AND ip_asn_rest(u.id, d.on) BETWEEN 1 AND 4 THEN 'nested' END AS reason OFFSET 0) h
       WHERE  u.id = :unit_id AND u.path <@ ANY (:actor_units::ltree[])) w

-- ── talent ──

-- name: listPotentials
-- sort: -id = p.id DESC AS id
-- sort: id = p.id AS id
SELECT p.id, p.assessed_on, p.score, potential_level(p.score, p.assessed_on) AS level, p.method, p.actor_name, p.created_at
FROM   potential p JOIN asn a ON a.id = p.asn_id JOIN unit u ON u.id = a.unit_id
WHERE  p.asn_id = (SELECT asn_of_nip(:nip)) AND u.path <@ ANY (:actor_units::ltree[])
/* page */

-- name: addPotential
WITH who AS (
    SELECT a.id, coalesce(:assessed_on::date, :today::date) AS day
    FROM   asn a JOIN unit u ON u.id = a.unit_id
    WHERE  a.id = (SELECT asn_of_nip(:nip)) AND u.path <@ ANY (:actor_units::ltree[])
    FOR    KEY SHARE OF a
), made AS (
    INSERT INTO potential (id, asn_id, assessed_on, score, method, actor_name)
    SELECT :new_id, w.id, w.day, :score, :method, :actor_name
    FROM   who w
    WHERE  w.day <= :today::date
    RETURNING *
)
SELECT CASE WHEN p.id IS NULL THEN 'in-future' END AS _problem, '/assessed_on' AS _pointer, w.day::text AS _value,
       p.id, p.assessed_on, p.score, potential_level(p.score, p.assessed_on) AS level, p.method, p.actor_name, p.created_at
FROM   who w LEFT JOIN made p ON true

-- Performance is the rating of results of the last yearly evaluation that holds; who lacks one of the two axes stands in no box.
-- name: listTalentBoxes
-- sort: nip = a.nip AS nip
SELECT a.nip, a.name, a.unit_id, e.results_rating, p.score AS potential, potential_level(p.score, p.assessed_on) AS level, c.box, c.box IN (7, 8, 9) AS is_in_pool
FROM   asn a
JOIN   unit u ON u.id = a.unit_id
CROSS  JOIN LATERAL (SELECT v.results_rating FROM evaluation_current v JOIN period d ON d.id = v.period_id
                     WHERE  v.asn_id = a.id AND v.state = 'final' AND d.kind = 'tahunan' ORDER BY d.ends_on DESC LIMIT 1) e
CROSS  JOIN LATERAL (SELECT n.score, n.assessed_on FROM potential n WHERE n.asn_id = a.id AND n.assessed_on <= :today::date
                     ORDER  BY n.assessed_on DESC, n.id DESC LIMIT 1) p
JOIN   talent_cell c ON c.results_rating = e.results_rating AND c.potential = potential_level(p.score, p.assessed_on)
WHERE  true
/*? actor_units */ AND u.path <@ ANY (:actor_units::ltree[]) /*? */
/*? under */ AND u.path <@ (SELECT n.path FROM unit n WHERE n.id = :under) /*? */
/*? nip */ AND a.id = (SELECT asn_of_nip(:nip)) /*? */
/*? box */ AND c.box = :box /*? */
/* page */

-- ── absence ──

-- name: getAbsencePenalty
SELECT :days::integer AS days, coalesce(:days_in_a_row::integer, 0) AS days_in_a_row, p.level, p.penalty, p.source
FROM   (SELECT) AS one
LEFT   JOIN LATERAL (SELECT b.* FROM absence_penalty b
                     WHERE  b.valid_from <= :today::date AND b.from_days <= CASE WHEN b.in_a_row THEN coalesce(:days_in_a_row::integer, 0) ELSE :days::integer END
                     ORDER  BY b.in_a_row DESC, b.from_days DESC LIMIT 1) p ON true

-- ── public service (IPP) ── Of a unit that serves, and of nobody.

-- name: listServiceIndexAspects
-- sort: valid_from = a.valid_from AS valid_from, a.seq AS seq, a.code AS code
SELECT a.code, a.valid_from, a.seq, a.name, a.name_en, a.weight, a.source
FROM   ipp_aspect a
WHERE  true
/* page */

-- name: listServiceIndices
-- sort: -year = i.year DESC AS year, i.service_unit_id DESC AS service_unit_id
-- sort: year = i.year AS year, i.service_unit_id AS service_unit_id
SELECT i.service_unit_id, i.name, i.unit_id, i.year, i.value, i.category, i.unscored, i.official_value, i.official_category, i.ours_minus_theirs
FROM   ipp_entry i
WHERE  i._unit_path <@ ANY (:actor_units::ltree[])
/*? year */ AND i.year = (:year::numeric)::integer /*? */
/*? under */ AND i._unit_path <@ (SELECT p.path FROM unit p WHERE p.id = :under) /*? */
/* page */

-- name: getServiceIndex
SELECT i.service_unit_id, i.name, i.unit_id, i.year, i.value, i.category, i.aspects, i.unscored, i.note, i.told_at, i.official_value, i.official_category, i.official_note,
       i.official_at, i.ours_minus_theirs
FROM   ipp_entry i
WHERE  i.service_unit_id = :service_unit_id AND i.year = (:year::numeric)::integer AND i._unit_path <@ ANY (:actor_units::ltree[])

-- All scores of the year at once: what is not told has none.
-- name: putServiceIndex
WITH place AS (
    SELECT s.id FROM service_unit s JOIN unit u ON u.id = s.unit_id WHERE s.id = :service_unit_id AND u.path <@ ANY (:actor_units::ltree[])
), told AS (
    SELECT t.nth, t.aspect, t.score FROM place p CROSS JOIN ROWS FROM (jsonb_to_recordset(:scores::jsonb) AS (aspect text, score numeric)) WITH ORDINALITY AS t (aspect, score, nth)
), fault AS (
    SELECT t.nth, CASE WHEN NOT EXISTS (SELECT FROM ipp_aspects_on(make_date((:year::numeric)::integer, 12, 31)) a WHERE a.code = t.aspect) THEN 'reference-missing'
                       ELSE 'service-index-twice' END AS problem, t.aspect
    FROM   told t
    WHERE  NOT EXISTS (SELECT FROM ipp_aspects_on(make_date((:year::numeric)::integer, 12, 31)) a WHERE a.code = t.aspect)
           OR EXISTS (SELECT FROM told o WHERE o.aspect = t.aspect AND o.nth < t.nth)
), put AS (
    INSERT INTO ipp_measurement AS m (id, service_unit_id, year, scores, note, told_at)
    SELECT :new_id, p.id, (:year::numeric)::integer, (SELECT jsonb_object_agg(t.aspect, t.score) FROM told t), :note, now()
    FROM   place p
    WHERE  NOT EXISTS (SELECT FROM fault)
    ON     CONFLICT (service_unit_id, year) DO UPDATE SET (scores, note, told_at) = (EXCLUDED.scores, EXCLUDED.note, EXCLUDED.told_at)
    RETURNING m.*
)
SELECT f.problem AS _problem, format('/scores/%s/aspect', f.nth - 1) AS _pointer, f.aspect AS _value, m.service_unit_id, m.year,
       ipp_value(m.scores, make_date(m.year, 12, 31)) AS value, ipp_category_of(ipp_value(m.scores, make_date(m.year, 12, 31)), make_date(m.year, 12, 31)) AS category,
       ARRAY(SELECT a.code FROM ipp_aspects_on(make_date(m.year, 12, 31)) a WHERE NOT m.scores ? a.code ORDER BY a.seq) AS unscored, m.note, m.told_at
FROM   place p LEFT JOIN fault f ON true LEFT JOIN put m ON true
ORDER  BY f.nth

-- name: putOfficialServiceIndex
WITH place AS (
    SELECT s.id FROM service_unit s JOIN unit u ON u.id = s.unit_id WHERE s.id = :service_unit_id AND u.path <@ ANY (:actor_units::ltree[])
)
INSERT INTO ipp_measurement AS m (id, service_unit_id, year, official_value, official_category, official_note, official_at)
SELECT :new_id, p.id, (:year::numeric)::integer, :value, :category, :note, now() FROM place p
ON     CONFLICT (service_unit_id, year) DO UPDATE
SET    (official_value, official_category, official_note, official_at) = (EXCLUDED.official_value, EXCLUDED.official_category, EXCLUDED.official_note, EXCLUDED.official_at)
RETURNING m.service_unit_id, m.year, m.official_value AS value, m.official_category AS category, m.official_note AS note, m.official_at AS told_at

-- ── merit system ── Of the agency, and of nobody.

-- name: listMeritBands
-- sort: above = b.scale AS scale, b.above AS above
SELECT b.scale, b.code, b.name, b.name_en, b.above, b.is_within, b.source
FROM   merit_band b
WHERE  true
/*? scale */ AND b.scale = :scale /*? */
/* page */

-- name: listMeritIndices
-- sort: -year = m.year DESC AS year
-- sort: year = m.year AS year
SELECT m.year, m.scale, m.points, m.band, m.official_points, m.official_band, m.ours_minus_theirs, m.note, m.actor_name, m.told_at
FROM   merit_index_entry m
WHERE  true
/* page */

-- name: putMeritIndex
WITH put AS (
    INSERT INTO merit_index AS m (year, scale, points, official_points, note, actor_name)
    SELECT (:year::numeric)::integer, :scale, :points::numeric, :official_points::numeric, :note, :actor_name WHERE '' = ANY (:actor_units::ltree[])
    ON CONFLICT (year) DO UPDATE SET (scale, points, official_points, note, actor_name, told_at)
                                   = (EXCLUDED.scale, EXCLUDED.points, EXCLUDED.official_points, EXCLUDED.note, EXCLUDED.actor_name, now())
    RETURNING m.*
)
SELECT CASE WHEN m.year IS NULL THEN 'forbidden' END AS _problem, m.year, m.scale, m.points, merit_band_of(m.scale, m.points) AS band, m.official_points,
       merit_band_of(m.scale, m.official_points) AS official_band, m.points - m.official_points AS ours_minus_theirs, m.note, m.actor_name, m.told_at
FROM   (SELECT) AS one LEFT JOIN put m ON true
