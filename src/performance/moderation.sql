-- After the ratings: the unit's predicate, the distribution under it, moderation, objections, credit points. Rules: 0016_moderation.sql.

-- name: listUnitPredicates
-- sort: -id = p.id DESC AS id
-- sort: id = p.id AS id
SELECT p.id, p.unit_id, u.name AS unit_name, p.period_id, p.predicate, p.reason, p.leader, p.edition,
       NOT EXISTS (SELECT FROM unit_predicate n WHERE n.unit_id = p.unit_id AND n.period_id = p.period_id AND n.edition > p.edition) AS is_current,
       p.actor_name, p.created_at
FROM   unit_predicate p JOIN unit u ON u.id = p.unit_id
WHERE  u.path <@ ANY (:actor_units::ltree[])
/*? unit_id */ AND p.unit_id = :unit_id /*? */
/*? period_id */ AND p.period_id = :period_id /*? */
/*? under */ AND u.path <@ (SELECT n.path FROM unit n WHERE n.id = :under) /*? */
/* page */

-- The unit is locked, so that editions are counted one after the other.
-- name: setUnitPredicate
WITH place AS (
    SELECT u.id, u.name FROM unit u WHERE u.id = :unit_id AND u.path <@ ANY (:actor_units::ltree[]) FOR NO KEY UPDATE
), fault AS (
    SELECT CASE WHEN NOT EXISTS (SELECT FROM place) THEN '/unit_id'
                WHEN NOT EXISTS (SELECT FROM period p WHERE p.id = :period_id) THEN '/period_id' END AS pointer
), made AS (
    INSERT INTO unit_predicate (id, unit_id, period_id, predicate, reason, leader, edition, actor_key, actor_name)
    SELECT :new_id, p.id, :period_id, :predicate, :reason, :leader,
           1 + coalesce((SELECT max(n.edition) FROM unit_predicate n WHERE n.unit_id = p.id AND n.period_id = :period_id), 0), :actor_key, :actor_name
    FROM   place p, fault f
    WHERE  f.pointer IS NULL
    RETURNING *
)
SELECT CASE WHEN f.pointer IS NOT NULL THEN 'reference-missing' END AS _problem, f.pointer AS _pointer, m.id, m.unit_id, p.name AS unit_name, m.period_id,
       m.predicate, m.reason, m.leader, m.edition, true AS is_current, m.actor_name, m.created_at
FROM   fault f LEFT JOIN made m ON true LEFT JOIN place p ON true

-- Of the unit and all below it. With `predicate` as if the unit had that one; with_drafts as if the drafts were final with the ratings that they have.
-- name: getDistribution
SELECT d.unit_id, d.period_id, d.unit_predicate, d.is_what_if, d.people, d.rated, d.drafts, d.unrated, d.counts,
       distribution_breaches(d.unit_predicate, d.counts, d._ends_on) AS breaches
FROM  (SELECT u.id AS unit_id, p.id AS period_id, coalesce(:predicate::text, s.predicate) AS unit_predicate,
              :predicate::text IS NOT NULL OR coalesce(:with_drafts::boolean, false) AS is_what_if, w.people, w.rated, w.drafts, w.people - w.rated AS unrated,
              w.counts, p.ends_on AS _ends_on
       FROM   unit u
       JOIN   period p ON p.id = :period_id
       LEFT   JOIN LATERAL (SELECT n.predicate FROM unit_predicate n WHERE n.unit_id = u.id AND n.period_id = p.id ORDER BY n.edition DESC LIMIT 1) s ON true
       CROSS  JOIN LATERAL (
                  SELECT coalesce(sum(r.n), 0)::integer AS people, coalesce(sum(r.n) FILTER (WHERE r.predicate <> '-'), 0)::integer AS rated,
                         coalesce(sum(r.n) FILTER (WHERE r.state = 'draft'), 0)::integer AS drafts,
                         jsonb_build_object('sangat_baik', coalesce(sum(r.n) FILTER (WHERE r.predicate = 'sangat_baik'), 0)::integer,
                                            'baik', coalesce(sum(r.n) FILTER (WHERE r.predicate = 'baik'), 0)::integer,
                                            'butuh_perbaikan', coalesce(sum(r.n) FILTER (WHERE r.predicate = 'butuh_perbaikan'), 0)::integer,
                                            'kurang', coalesce(sum(r.n) FILTER (WHERE r.predicate = 'kurang'), 0)::integer,
                                            'sangat_kurang', coalesce(sum(r.n) FILTER (WHERE r.predicate = 'sangat_kurang'), 0)::integer) AS counts
                  FROM  (SELECT split_part(s.key, '|', 3) AS state,
                                CASE WHEN split_part(s.key, '|', 3) = 'final' OR :with_drafts::boolean THEN split_part(s.key, '|', 4) ELSE '-' END AS predicate, s.n
                         FROM   staff_sums(ARRAY[u.id], 'rated|' || p.id || '|', 'rated|' || p.id || '}') s
                         UNION  ALL -- of the staff who has no evaluation
                         SELECT 'none', '-', CASE WHEN s.key LIKE 'staff|%' THEN s.n ELSE -s.n END
                         FROM   (SELECT f.key, f.n FROM staff_sums(ARRAY[u.id], 'staff|', 'staff}') f
                                 UNION  ALL
                                 SELECT f.key, f.n FROM staff_sums(ARRAY[u.id], 'rated|' || p.id || '|', 'rated|' || p.id || '}') f WHERE f.key LIKE '%|staff') s) r) w
       WHERE  u.id = :unit_id AND u.path <@ ANY (:actor_units::ltree[])) d

-- name: listModerations
-- sort: id = m.id AS id
SELECT m.id, m.evaluation_id, m.results_before, m.results_after, m.behaviour_before, m.behaviour_after, m.reason, m.leader, m.actor_name, m.created_at
FROM   moderation m JOIN evaluation e ON e.id = m.evaluation_id JOIN asn a ON a.id = e.asn_id JOIN unit u ON u.id = a.unit_id
WHERE  m.evaluation_id = :evaluation_id AND u.path <@ ANY (:actor_units::ltree[])
/* page */

-- Drafts alone: what is final changes by an objection.
-- name: moderateEvaluation
WITH cur AS (
    SELECT e.id, e.version, e.results_rating, e.behaviour_rating
    FROM   evaluation e JOIN asn a ON a.id = e.asn_id JOIN unit u ON u.id = a.unit_id
    WHERE  e.id = :evaluation_id AND u.path <@ ANY (:actor_units::ltree[])
    FOR    UPDATE OF e
), noted AS (
    INSERT INTO moderation (id, evaluation_id, results_before, results_after, behaviour_before, behaviour_after, reason, leader, actor_key, actor_name)
    SELECT :new_id, c.id, c.results_rating, :results_rating, c.behaviour_rating, :behaviour_rating, :reason, :leader, :actor_key, :actor_name
    FROM   cur c WHERE :if_match::int8multirange @> c.version
    RETURNING *
), done AS (
    UPDATE evaluation e SET results_rating = n.results_after, behaviour_rating = n.behaviour_after FROM noted n WHERE e.id = n.evaluation_id RETURNING e.id
)
SELECT CASE WHEN d.id IS NULL THEN 'version-stale' END AS _problem, n.id, n.evaluation_id, n.results_before, n.results_after, n.behaviour_before,
       n.behaviour_after, n.reason, n.leader, n.actor_name, n.created_at
FROM   cur c LEFT JOIN noted n ON true LEFT JOIN done d ON true

-- ── objections ──

-- name: listObjections
-- sort: -id = o.id DESC AS id
-- sort: id = o.id AS id
SELECT o.id, o.evaluation_id, o.nip, o.name, o.period_id, o.state, o.text, o.told_on, o.filed_on, o.last_day, o.is_late, o.decided_by, o.decision,
       o.decided_on, o.new_evaluation_id, o.version, o.created_at, o.updated_at
FROM   objection_entry o
WHERE  o._unit_path <@ ANY (:actor_units::ltree[])
/*? nip */ AND o._asn_id = (SELECT asn_of_nip(:nip)) /*? */
/*? period_id */ AND o.period_id = :period_id /*? */
/*? state */ AND o.state = :state /*? */
/*? under */ AND o._unit_path <@ (SELECT p.path FROM unit p WHERE p.id = :under) /*? */
/* page */

-- name: getObjection
SELECT o.id, o.evaluation_id, o.nip, o.name, o.period_id, o.state, o.text, o.told_on, o.filed_on, o.last_day, o.is_late, o.decided_by, o.decision,
       o.decided_on, o.new_evaluation_id, o.version, o.created_at, o.updated_at
FROM   objection_entry o
WHERE  o.id = :objection_id AND o._unit_path <@ ANY (:actor_units::ltree[])

-- name: fileObjection
-- write: true
SELECT w.problem AS _problem, w.pointer AS _pointer,
       CASE WHEN w.pointer = '/told_on' THEN format('told_on is %s, but the evaluation became final on %s.', d.told, d.final)
            WHEN w.pointer = '/filed_on' AND d.filed < d.told THEN format('filed_on is %s, but the evaluation was told on %s.', d.filed, d.told)
            WHEN w.pointer = '/filed_on' THEN format('filed_on is %s, but today is %s.', d.filed, :today::date) END AS _en,
       CASE WHEN w.pointer = '/told_on' THEN format('told_on adalah %s, padahal penilaian baru final pada %s.', d.told, d.final)
            WHEN w.pointer = '/filed_on' AND d.filed < d.told THEN format('filed_on adalah %s, padahal penilaian baru disampaikan pada %s.', d.filed, d.told)
            WHEN w.pointer = '/filed_on' THEN format('filed_on adalah %s, padahal hari ini %s.', d.filed, :today::date) END AS _id,
       o.id, o.evaluation_id, o.nip, o.name, o.period_id, o.state, o.text, o.told_on, o.filed_on, o.last_day,
       o.is_late, o.decided_by, o.decision, o.decided_on, o.new_evaluation_id, o.version, o.created_at, o.updated_at
FROM   objection_file(:evaluation_id, :actor_units::ltree[], :new_id, :text, :told_on, :filed_on, :actor_key, :actor_name) w, LATERAL (SELECT (w.entry).*) AS o,
       LATERAL (SELECT f.final, coalesce(:told_on::date, f.final) AS told, coalesce(:filed_on::date, :today::date) AS filed
                FROM   (SELECT (SELECT local_day(v.finalized_at) FROM evaluation v WHERE v.id = :evaluation_id) AS final) f) AS d

-- name: hearObjection
-- write: true
SELECT w.problem AS _problem, w.pointer AS _pointer, o.id, o.evaluation_id, o.nip, o.name, o.period_id, o.state, o.text, o.told_on, o.filed_on, o.last_day,
       o.is_late, o.decided_by, o.decision, o.decided_on, o.new_evaluation_id, o.version, o.created_at, o.updated_at
FROM   objection_act(:objection_id, :actor_units::ltree[], :if_match::int8multirange, 'heard', :note, NULL, NULL, NULL, NULL, :actor_key, :actor_name) w,
       LATERAL (SELECT (w.entry).*) AS o

-- A change is finalised in the same transaction: what it leads to is a final evaluation, or nothing at all.
-- name: decideObjection.act
-- write: true
SELECT w.problem AS _problem, w.pointer AS _pointer, (w.entry).new_evaluation_id
FROM   objection_act(:objection_id, :actor_units::ltree[], :if_match::int8multirange, :decision, :reason, :decided_by, :results_rating, :behaviour_rating,
                     :new_id, :actor_key, :actor_name) w

-- name: decideObjection.evaluation
-- write: true
SELECT e.id, e.state, e.results_rating, e.behaviour_rating FROM evaluation e WHERE e.id = :evaluation_id FOR UPDATE OF e

-- name: decideObjection.reply
SELECT o.id, o.evaluation_id, o.nip, o.name, o.period_id, o.state, o.text, o.told_on, o.filed_on, o.last_day, o.is_late, o.decided_by, o.decision,
       o.decided_on, o.new_evaluation_id, o.version, o.created_at, o.updated_at
FROM   objection_entry o
WHERE  o.id = :objection_id

-- name: listObjectionSteps
-- sort: seq = s.seq AS seq
SELECT s.seq, s.state, s.note, s.actor_name, s.at
FROM   objection_step s JOIN objection_entry o ON o.id = s.objection_id
WHERE  s.objection_id = :objection_id AND o._unit_path <@ ANY (:actor_units::ltree[])
/* page */

-- ── credit points ──

-- Of yearly evaluations that hold, of a PNS in a functional post on the period's last day. A part of the year counts its whole months.
-- name: listCreditPoints
-- sort: starts_on = d.starts_on AS starts_on, d.evaluation_id AS evaluation_id
SELECT d.evaluation_id, d.period_id, d.period, d.starts_on, d.ends_on, d.predicate, d.level, d.months, d.percent, d.coefficient, d.points, d.total,
       d.for_rank, d.for_level, credit_degree_points(d.for_rank, d.ends_on) AS for_degree, d.siasn_id
FROM  (SELECT w.*, sum(w.points) OVER (ORDER BY w.starts_on, w.evaluation_id) AS total
       FROM  (SELECT e.id AS evaluation_id, p.id AS period_id, p.name AS period, p.starts_on, p.ends_on, e.predicate, l.level, m.months, t.percent,
                     l.coefficient, credit_points(m.months, t.percent, l.coefficient) AS points, l.for_rank, l.for_level, l.siasn_id
              FROM   asn a
              JOIN   unit u ON u.id = a.unit_id
              JOIN   evaluation_current e ON e.asn_id = a.id AND e.state = 'final'
              JOIN   period p ON p.id = e.period_id AND p.kind = 'tahunan'
              CROSS  JOIN LATERAL (SELECT ((extract(year FROM p.ends_on + 1) - extract(year FROM p.starts_on)) * 12
                                           + extract(month FROM p.ends_on + 1) - extract(month FROM p.starts_on))::integer AS months) m
              JOIN   LATERAL (SELECT c.* FROM credit_level c WHERE c.level = functional_level_on(a.id, p.ends_on) AND c.valid_from <= p.ends_on
                              ORDER BY c.valid_from DESC LIMIT 1) l ON true
              JOIN   LATERAL (SELECT r.percent FROM credit_rate r WHERE r.predicate = e.predicate AND r.valid_from <= p.ends_on
                              ORDER BY r.valid_from DESC LIMIT 1) t ON true
              WHERE  a.id = (SELECT asn_of_nip(:nip)) AND a.kind = 'PNS' AND u.path <@ ANY (:actor_units::ltree[])) w) d
WHERE  true
/* page */
