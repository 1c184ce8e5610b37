-- Beside the ratings: what each assessor, the person, peers and subordinates think, and what figures and assessors suggest. None of it writes a rating.

-- name: listAppraisals
-- sort: id = p.id AS id
-- sort: -id = p.id DESC AS id
SELECT p.id, p.evaluation_id, p.role, n.nip AS rater_nip, coalesce(n.name, p.rater_name) AS rater_name, p.starts_on, p.ends_on, p.results_rating, p.behaviour_rating, p.note,
       EXISTS (SELECT FROM appraisal_holds h WHERE h.evaluation_id = p.evaluation_id AND h.id = p.id) AS holds, p.actor_name, p.created_at
FROM   appraisal p
LEFT   JOIN asn_named n ON n.id = p.rater_id
JOIN   evaluation e ON e.id = p.evaluation_id
JOIN   asn a ON a.id = e.asn_id
JOIN   unit u ON u.id = a.unit_id
WHERE  p.evaluation_id = :evaluation_id AND u.path <@ ANY (:actor_units::ltree[])
/*? role */ AND p.role = :role /*? */
/* page */

-- Whoever assesses need not be of the caller's units, if an SKP of the person names him. A person tells his own appraisal alone. The person's own view is told
-- without a name.
-- name: addAppraisal
WITH owner AS (
    SELECT e.id, e.asn_id FROM evaluation e JOIN asn a ON a.id = e.asn_id JOIN unit u ON u.id = a.unit_id
    WHERE  e.id = :evaluation_id AND u.path <@ ANY (:actor_units::ltree[])
), caller AS (
    SELECT asn_of_nip(:actor_nip::text) AS id, :actor_nip::text IS NULL OR scope_held(:actor_scopes::text[], 'performance.paper') AS may_for_others
), rater AS (
    SELECT n.id, n.nip, n.name
    FROM   owner o
    JOIN   asn_named n ON n.id = CASE WHEN :role = 'pegawai' AND num_nonnulls(:rater_nip::text, :rater_name::text) = 0 THEN o.asn_id ELSE asn_of_nip(:rater_nip) END
    WHERE  n.id = o.asn_id OR n.id = (SELECT c.id FROM caller c)
           OR EXISTS (SELECT FROM asn a JOIN unit u ON u.id = a.unit_id WHERE a.id = n.id AND u.path <@ ANY (:actor_units::ltree[]))
           OR EXISTS (SELECT FROM skp s WHERE s.asn_id = o.asn_id AND s.assessor_id = n.id)
), judged AS (
    SELECT o.id, CASE WHEN :rater_nip::text IS NOT NULL AND NOT EXISTS (SELECT FROM rater) THEN 'reference-missing'
                      WHEN NOT c.may_for_others AND ((SELECT r.id FROM rater r) IS DISTINCT FROM c.id OR (:role = 'pegawai') <> (o.asn_id = c.id))
                           THEN 'appraisal-foreign' END AS problem
    FROM   owner o, caller c
), made AS (
    INSERT INTO appraisal (id, evaluation_id, role, rater_id, rater_name, starts_on, ends_on, results_rating, behaviour_rating, note, actor_key, actor_name)
    SELECT :new_id, j.id, :role, (SELECT r.id FROM rater r), :rater_name, :starts_on, :ends_on, :results_rating, :behaviour_rating, :note, :actor_key, :actor_name
    FROM   judged j
    WHERE  j.problem IS NULL
    RETURNING *
)
SELECT j.problem AS _problem, CASE WHEN j.problem IS NOT NULL THEN '/rater_nip' END AS _pointer,
       m.id, m.evaluation_id, m.role, r.nip AS rater_nip, coalesce(r.name, m.rater_name) AS rater_name, m.starts_on, m.ends_on, m.results_rating, m.behaviour_rating, m.note,
       true AS holds, m.actor_name, m.created_at
FROM   judged j LEFT JOIN made m ON true LEFT JOIN rater r ON true

-- name: listPeerAnswers
-- sort: role = s.role AS role
SELECT s.role, s.n, s.batch, s.results, s.behaviour
FROM   evaluation e JOIN asn a ON a.id = e.asn_id JOIN unit u ON u.id = a.unit_id
CROSS  JOIN LATERAL peer_summary(e.id) s
WHERE  e.id = :evaluation_id AND u.path <@ ANY (:actor_units::ltree[])
/* page */

-- The answer goes in by a trigger's batch; nothing here joins it to the receipt.
-- name: addPeerAnswer
WITH owner AS (
    SELECT e.id FROM evaluation e JOIN asn a ON a.id = e.asn_id JOIN unit u ON u.id = a.unit_id
    WHERE  e.id = :evaluation_id AND u.path <@ ANY (:actor_units::ltree[])
), caller AS (
    SELECT asn_of_nip(:actor_nip::text) AS id, scope_held(:actor_scopes::text[], 'performance.paper') AS may_for_others
), rater AS (
    SELECT n.id
    FROM   caller c, asn_named n
    WHERE  n.id = asn_of_nip(coalesce(:rater_nip::text, :actor_nip::text))
           AND (n.id = c.id OR c.may_for_others AND EXISTS (SELECT FROM asn a JOIN unit u ON u.id = a.unit_id WHERE a.id = n.id AND u.path <@ ANY (:actor_units::ltree[])))
), noted AS (
    INSERT INTO peer_receipt (evaluation_id, rater_id) SELECT o.id, r.id FROM owner o, rater r RETURNING evaluation_id
), made AS (
    INSERT INTO peer_answer (evaluation_id, role, results_rating, behaviour_rating) SELECT n.evaluation_id, :role, :results_rating, :behaviour_rating FROM noted n
)
SELECT CASE WHEN n.evaluation_id IS NOT NULL THEN NULL WHEN c.may_for_others THEN 'reference-missing' ELSE 'peer-answer-foreign' END AS _problem,
       CASE WHEN n.evaluation_id IS NULL THEN '/rater_nip' END AS _pointer, o.id AS evaluation_id, :role::text AS role
FROM   caller c, owner o LEFT JOIN noted n ON true

-- name: suggestEvaluation.reply
SELECT e.id AS evaluation_id, e.state, p.ends_on AS period_ends_on, :achievement::numeric AS achievement, :achievement_uncapped::numeric AS achievement_uncapped,
       :arithmetic::text AS arithmetic, :rule_version::text AS rule_version,
       (SELECT coalesce(jsonb_agg(w.told || jsonb_build_object('suggested', rating_suggested((w.told ->> 'achievement')::numeric, p.ends_on)) ORDER BY w.place), '[]')
        FROM   jsonb_array_elements(:indicators::jsonb) WITH ORDINALITY AS w (told, place)) AS indicators,
       (SELECT coalesce(jsonb_agg(jsonb_build_object('at_least', b.at_least, 'rating', b.rating, 'valid_from', b.valid_from, 'source', b.source) ORDER BY b.at_least DESC), '[]')
        FROM   rating_band b
        WHERE  b.valid_from = (SELECT max(v.valid_from) FROM rating_band v WHERE v.valid_from <= p.ends_on)) AS bands,
       f.results AS results_suggested,
       jsonb_build_object('rule', c.rule, 'results_rating', c.results_rating, 'behaviour_rating', c.behaviour_rating, 'reason', c.reason, 'arithmetic', c.arithmetic) AS assessors,
       e.results_rating, e.behaviour_rating,
       (SELECT q.predicate FROM predicate_cell q WHERE q.results_rating = f.results AND q.behaviour_rating = coalesce(e.behaviour_rating, c.behaviour_rating)) AS predicate_if,
       missing.all AS missing
FROM   evaluation e
JOIN   period p ON p.id = e.period_id
CROSS  JOIN LATERAL (SELECT rating_suggested(:achievement::numeric, p.ends_on) AS results) f
CROSS  JOIN LATERAL appraisals_combined(e.id) c
CROSS  JOIN LATERAL (
    SELECT coalesce(jsonb_agg(jsonb_build_object('pointer', g.pointer, 'code', g.code, 'value', g.value) ORDER BY g.place, g.pointer, g.value), '[]') AS all
    FROM   (SELECT 1 AS place, '/indicators' AS pointer, 'missing' AS code, NULL AS value WHERE NOT EXISTS (SELECT FROM indicator i WHERE i.evaluation_id = e.id)
            UNION ALL
            SELECT 2, format('/indicators/%s/actual', i.position), coalesce(m.reason, 'missing'), NULL
            FROM   indicator i LEFT JOIN indicator_measured m ON m.indicator_id = i.id WHERE i.evaluation_id = e.id AND i.actual IS NULL
            UNION ALL
            SELECT DISTINCT 3, '/appraisals', 'appraisal-missing', coalesce(n.nip, s.assessor_name)
            FROM   skp s LEFT JOIN asn_named n ON n.id = s.assessor_id
            WHERE  s.asn_id = e.asn_id AND s.state IN ('approved', 'ended') AND s.starts_on <= p.ends_on AND s.ends_on >= p.starts_on
                   AND EXISTS (SELECT FROM skp o -- one alone rates, and needs to say it nowhere else
                               WHERE  o.asn_id = e.asn_id AND o.state IN ('approved', 'ended') AND o.starts_on <= p.ends_on AND o.ends_on >= p.starts_on
                                      AND (o.assessor_id, o.assessor_name) IS DISTINCT FROM (s.assessor_id, s.assessor_name))
                   AND NOT EXISTS (SELECT FROM appraisal h WHERE h.evaluation_id = e.id AND h.role <> 'pegawai'
                                                                 AND (h.rater_id = s.assessor_id OR h.rater_name = s.assessor_name))) g) missing
WHERE  e.id = :evaluation_id
