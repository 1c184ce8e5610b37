-- Periods, evaluations and indicators. What is final is frozen by triggers (0003_performance.sql).

-- name: listPeriods
-- sort: -starts_on = p.starts_on DESC AS starts_on, p.id DESC AS id
-- sort: starts_on = p.starts_on AS starts_on, p.id AS id
SELECT p.id, p.name, p.kind, p.starts_on, p.ends_on, p.is_closed, p.version, p.created_at, p.updated_at
FROM   period p
WHERE  true
/*? kind */ AND p.kind = :kind /*? */
/*? is_closed */ AND p.is_closed = :is_closed /*? */
/* page */

-- name: getPeriod
SELECT p.id, p.name, p.kind, p.starts_on, p.ends_on, p.is_closed, p.version, p.created_at, p.updated_at
FROM   period p
WHERE  p.id = :period_id

-- name: createPeriod
WITH made AS (
    INSERT INTO period (id, name, kind, starts_on, ends_on)
    SELECT :new_id, :name, :kind, :starts_on, :ends_on WHERE '' = ANY (:actor_units::ltree[])
    RETURNING *
)
SELECT CASE WHEN p.id IS NULL THEN 'forbidden' END AS _problem,
       p.id, p.name, p.kind, p.starts_on, p.ends_on, p.is_closed, p.version, p.created_at, p.updated_at
FROM   (SELECT) AS one LEFT JOIN made p ON true

-- A period is everybody's: whoever may see everybody opens and closes it.
-- name: updatePeriod
WITH cur AS (
    SELECT p AS rec FROM period p WHERE p.id = :period_id FOR UPDATE
), want AS (
    SELECT w.*, CASE WHEN '' <> ALL (:actor_units::ltree[]) THEN 'forbidden'
                     WHEN NOT :if_match::int8multirange @> (cur.rec).version THEN 'version-stale' END AS problem
    FROM   cur, jsonb_populate_record(cur.rec, :body::jsonb) AS w
), done AS (
    UPDATE period p SET name = w.name, is_closed = w.is_closed FROM want w WHERE p.id = w.id AND w.problem IS NULL RETURNING p.*
)
SELECT w.problem AS _problem, d.id, d.name, d.kind, d.starts_on, d.ends_on, d.is_closed, d.version, d.created_at, d.updated_at
FROM   want w LEFT JOIN done d ON true

-- name: listEvaluations
-- sort: id = e.id AS id
-- sort: -id = e.id DESC AS id
SELECT e.id, a.nip, a.name, e.period_id, e.state, e.results_rating, e.behaviour_rating, e.note, e.achievement, e.achievement_uncapped,
       e.predicate, e.predicate_number, e.rule_version, e.inputs_sha256, e.finalized_at, e.finalized_by, e.supersedes,
       (SELECT n.id FROM evaluation n WHERE n.supersedes = e.id) AS superseded_by, e.version, e.created_at, e.updated_at
FROM   evaluation e
JOIN   asn a ON a.id = e.asn_id
JOIN   unit u ON u.id = a.unit_id
WHERE  u.path <@ ANY (:actor_units::ltree[])
/*? nip */ AND e.asn_id = (SELECT n.id FROM asn n WHERE n.nip = :nip) /*? */
/*? period_id */ AND e.period_id = :period_id /*? */
/*? state */ AND e.state = :state /*? */
/*? predicate */ AND e.predicate = :predicate /*? */
/*? under */ AND u.path <@ (SELECT p.path FROM unit p WHERE p.id = :under) /*? */
/*? is_current */ AND NOT EXISTS (SELECT FROM evaluation n WHERE n.supersedes = e.id) = :is_current /*? */
/* page */

-- name: getEvaluation
SELECT e.id, a.nip, a.name, e.period_id, e.state, e.results_rating, e.behaviour_rating, e.note, e.achievement, e.achievement_uncapped,
       e.predicate, e.predicate_number, e.rule_version, e.inputs_sha256, e.finalized_at, e.finalized_by, e.supersedes,
       (SELECT n.id FROM evaluation n WHERE n.supersedes = e.id) AS superseded_by, e.version, e.created_at, e.updated_at
FROM   evaluation e
JOIN   asn a ON a.id = e.asn_id
JOIN   unit u ON u.id = a.unit_id
WHERE  e.id = :evaluation_id AND u.path <@ ANY (:actor_units::ltree[])

-- The period is locked, so that it cannot be closed meanwhile.
-- name: createEvaluation
WITH who AS (
    SELECT a.id, a.nip, a.name FROM asn a JOIN unit u ON u.id = a.unit_id WHERE a.nip = :nip AND u.path <@ ANY (:actor_units::ltree[])
), open AS (
    SELECT p.id FROM period p WHERE p.id = :period_id FOR SHARE
), made AS (
    INSERT INTO evaluation (id, asn_id, period_id, note) SELECT :new_id, w.id, o.id, :note FROM who w, open o RETURNING *
)
SELECT CASE WHEN m.id IS NULL THEN 'reference-missing' END AS _problem,
       CASE WHEN w.id IS NULL THEN '/nip' ELSE '/period_id' END AS _pointer,
       m.id, w.nip, w.name, m.period_id, m.state, m.results_rating, m.behaviour_rating, m.note, m.achievement, m.achievement_uncapped,
       m.predicate, m.predicate_number, m.rule_version, m.inputs_sha256, m.finalized_at, m.finalized_by, m.supersedes, NULL::uuid AS superseded_by,
       m.version, m.created_at, m.updated_at
FROM   (SELECT) AS one LEFT JOIN made m ON true LEFT JOIN who w ON true

-- name: updateEvaluation
WITH cur AS (
    SELECT e AS rec, a.nip, a.name
    FROM   evaluation e JOIN asn a ON a.id = e.asn_id JOIN unit u ON u.id = a.unit_id
    WHERE  e.id = :evaluation_id AND u.path <@ ANY (:actor_units::ltree[])
    FOR    UPDATE OF e
), want AS (
    SELECT w.*, cur.nip, cur.name, CASE WHEN NOT :if_match::int8multirange @> (cur.rec).version THEN 'version-stale' END AS problem
    FROM   cur, jsonb_populate_record(cur.rec, :body::jsonb) AS w
), done AS (
    UPDATE evaluation e
    SET    results_rating = w.results_rating, behaviour_rating = w.behaviour_rating, note = w.note
    FROM   want w
    WHERE  e.id = w.id AND w.problem IS NULL
    RETURNING e.*
)
SELECT w.problem AS _problem, d.id, w.nip, w.name, d.period_id, d.state, d.results_rating, d.behaviour_rating, d.note, d.achievement,
       d.achievement_uncapped, d.predicate, d.predicate_number, d.rule_version, d.inputs_sha256, d.finalized_at, d.finalized_by, d.supersedes,
       NULL::uuid AS superseded_by, d.version, d.created_at, d.updated_at
FROM   want w LEFT JOIN done d ON true

-- name: listIndicators
-- sort: position = i.position AS position, i.id AS id
SELECT i.id, i.evaluation_id, i.position, i.name, i.aspect, i.measure, i.direction, i.target, i.target_high, i.actual, i.weight, i.cap,
       i.zero_target_reached, i.version, i.created_at, i.updated_at
FROM   indicator i
JOIN   evaluation e ON e.id = i.evaluation_id
JOIN   asn a ON a.id = e.asn_id
JOIN   unit u ON u.id = a.unit_id
WHERE  i.evaluation_id = :evaluation_id AND u.path <@ ANY (:actor_units::ltree[])
/* page */

-- name: getIndicator
SELECT i.id, i.evaluation_id, i.position, i.name, i.aspect, i.measure, i.direction, i.target, i.target_high, i.actual, i.weight, i.cap,
       i.zero_target_reached, i.version, i.created_at, i.updated_at
FROM   indicator i
JOIN   evaluation e ON e.id = i.evaluation_id
JOIN   asn a ON a.id = e.asn_id
JOIN   unit u ON u.id = a.unit_id
WHERE  i.id = :indicator_id AND i.evaluation_id = :evaluation_id AND u.path <@ ANY (:actor_units::ltree[])

-- A range without its bounds is the table's to refuse.
-- name: createIndicator
WITH owner AS (
    SELECT e.id, nullif(target_fault(:direction, :target, :target_high), 'indicator-bounds') AS fault
    FROM   evaluation e JOIN asn a ON a.id = e.asn_id JOIN unit u ON u.id = a.unit_id
    WHERE  e.id = :evaluation_id AND u.path <@ ANY (:actor_units::ltree[])
), asked AS (
    SELECT o.id, CASE WHEN :direction <> 'maximize' OR NOT coalesce(:zero_target_reached::boolean, false) THEN o.fault END AS problem FROM owner o
), made AS (
    INSERT INTO indicator (id, evaluation_id, position, name, aspect, measure, direction, target, target_high, actual, weight, cap, zero_target_reached)
    SELECT :new_id, q.id, (:position::numeric)::integer, :name, :aspect, :measure, :direction, :target, :target_high, :actual, :weight, :cap,
           coalesce(:zero_target_reached::boolean, false)
    FROM   asked q
    WHERE  q.problem IS NULL
    RETURNING *
)
SELECT q.problem AS _problem, CASE :direction WHEN 'range' THEN '/target_high' ELSE '/target' END AS _pointer, i.id, i.evaluation_id, i.position, i.name, i.aspect,
       i.measure, i.direction, i.target, i.target_high, i.actual, i.weight, i.cap, i.zero_target_reached, i.version, i.created_at, i.updated_at
FROM   asked q LEFT JOIN made i ON true

-- The evaluation is locked before its indicator: finalising and adding do the same.
-- name: updateIndicator
WITH owner AS (
    SELECT e.id
    FROM   evaluation e JOIN asn a ON a.id = e.asn_id JOIN unit u ON u.id = a.unit_id
    WHERE  e.id = :evaluation_id AND u.path <@ ANY (:actor_units::ltree[])
    FOR    UPDATE OF e
), cur AS (
    SELECT i AS rec FROM indicator i WHERE i.id = :indicator_id AND i.evaluation_id = (SELECT o.id FROM owner o) FOR UPDATE
), want AS (
    SELECT w.*,
           CASE WHEN NOT :if_match::int8multirange @> (cur.rec).version THEN 'version-stale'
                WHEN (w.direction, w.target, w.target_high, w.zero_target_reached)
                     IS DISTINCT FROM ((cur.rec).direction, (cur.rec).target, (cur.rec).target_high, (cur.rec).zero_target_reached)
                     AND NOT (w.direction = 'maximize' AND w.zero_target_reached) THEN nullif(target_fault(w.direction, w.target, w.target_high), 'indicator-bounds') END AS problem
    FROM   cur, jsonb_populate_record(cur.rec, with_whole(:body::jsonb, 'position')) AS w
), done AS (
    UPDATE indicator i
    SET    position = w.position, name = w.name, aspect = w.aspect, measure = w.measure, direction = w.direction, target = w.target,
           target_high = w.target_high, actual = w.actual, weight = w.weight, cap = w.cap, zero_target_reached = w.zero_target_reached
    FROM   want w
    WHERE  i.id = w.id AND w.problem IS NULL
    RETURNING i.*
)
SELECT w.problem AS _problem, CASE w.problem WHEN 'target-zero' THEN CASE w.direction WHEN 'range' THEN '/target_high' ELSE '/target' END END AS _pointer,
       d.id, d.evaluation_id, d.position, d.name, d.aspect, d.measure, d.direction, d.target, d.target_high, d.actual,
       d.weight, d.cap, d.zero_target_reached, d.version, d.created_at, d.updated_at
FROM   want w LEFT JOIN done d ON true

-- name: deleteIndicator
WITH owner AS (
    SELECT e.id
    FROM   evaluation e JOIN asn a ON a.id = e.asn_id JOIN unit u ON u.id = a.unit_id
    WHERE  e.id = :evaluation_id AND u.path <@ ANY (:actor_units::ltree[])
    FOR    UPDATE OF e
), cur AS (
    SELECT i.id, i.version FROM indicator i WHERE i.id = :indicator_id AND i.evaluation_id = (SELECT o.id FROM owner o) FOR UPDATE
), gone AS (
    DELETE FROM indicator i USING cur c WHERE i.id = c.id AND :if_match::int8multirange @> c.version RETURNING i.id
)
SELECT CASE WHEN g.id IS NULL THEN 'version-stale' END AS _problem
FROM   cur c LEFT JOIN gone g ON true

-- ── working out, finalising, verifying (commands) ──
-- All three read the same columns: the evaluation's own, then one row an indicator.

-- name: computeEvaluation.evaluation
SELECT e.id, e.state, e.results_rating, e.behaviour_rating
FROM   evaluation e JOIN asn a ON a.id = e.asn_id JOIN unit u ON u.id = a.unit_id
WHERE  e.id = :evaluation_id AND u.path <@ ANY (:actor_units::ltree[])

-- name: computeEvaluation.inputs
SELECT i.id, i.name, i.position, i.direction, i.target, i.target_high, i.actual, i.weight, i.cap, i.zero_target_reached
FROM   indicator i
WHERE  i.evaluation_id = :evaluation_id
ORDER  BY i.position

-- name: computeEvaluation.reply
SELECT :evaluation_id::uuid AS evaluation_id, :achievement::numeric AS achievement, :achievement_uncapped::numeric AS achievement_uncapped,
       :arithmetic::text AS arithmetic, e.results_rating, e.behaviour_rating, :predicate::text AS predicate, :predicate_number::smallint AS predicate_number,
       :rule_version::text AS rule_version, :indicators::jsonb AS indicators
FROM   evaluation e
WHERE  e.id = :evaluation_id

-- name: finalizeEvaluation.evaluation
-- write: true
SELECT CASE WHEN NOT :if_match::int8multirange @> e.version THEN 'version-stale' WHEN e.state = 'final' THEN 'evaluation-final'
            WHEN evaluation_measures_stale(e.id) THEN 'measure-stale' END AS _problem,
       e.id, e.state, e.results_rating, e.behaviour_rating
FROM   evaluation e JOIN asn a ON a.id = e.asn_id JOIN unit u ON u.id = a.unit_id
WHERE  e.id = :evaluation_id AND u.path <@ ANY (:actor_units::ltree[])
FOR    UPDATE OF e

-- What was looked at and what came of it, in one UPDATE; the lock above keeps the indicators as they were read.
-- name: finalizeEvaluation.store
WITH seen AS (
    SELECT e.id, evaluation_inputs(e.id) AS inputs
    FROM   evaluation e
    WHERE  e.id = :evaluation_id
)
UPDATE evaluation e
SET    state = 'final', achievement = :achievement::numeric, achievement_uncapped = :achievement_uncapped::numeric, predicate = :predicate::text,
       predicate_number = :predicate_number::smallint, inputs = s.inputs, rule_version = :rule_version::text,
       inputs_sha256 = evaluation_seal(s.inputs, :rule_version::text, :achievement::numeric, :achievement_uncapped::numeric, :predicate::text),
       finalized_at = now(), finalized_by = :actor_name
FROM   seen s, asn a
WHERE  e.id = s.id AND a.id = e.asn_id
RETURNING e.id, a.nip, a.name, e.period_id, e.state, e.results_rating, e.behaviour_rating, e.note, e.achievement, e.achievement_uncapped,
          e.predicate, e.predicate_number, e.rule_version, e.inputs_sha256, e.finalized_at, e.finalized_by, e.supersedes, NULL::uuid AS superseded_by,
          e.version, e.created_at, e.updated_at

-- name: verifyEvaluation.evaluation
SELECT CASE WHEN e.state <> 'final' THEN 'evaluation-draft' END AS _problem,
       e.id, e.state, e.inputs ->> 'results_rating' AS results_rating, e.inputs ->> 'behaviour_rating' AS behaviour_rating
FROM   evaluation e JOIN asn a ON a.id = e.asn_id JOIN unit u ON u.id = a.unit_id
WHERE  e.id = :evaluation_id AND u.path <@ ANY (:actor_units::ltree[])

-- name: verifyEvaluation.inputs
SELECT i.id, i.name, i.position, i.direction, i.target, i.target_high, i.actual, i.weight, i.cap, i.zero_target_reached
FROM   evaluation e
CROSS  JOIN LATERAL jsonb_to_recordset(e.inputs -> 'indicators')
       AS i (id uuid, name text, position integer, direction text, target numeric, target_high numeric, actual numeric, weight numeric,
             cap numeric, zero_target_reached boolean)
WHERE  e.id = :evaluation_id
ORDER  BY i.position

-- name: verifyEvaluation.reply
SELECT v.evaluation_id, v.seal_matches, v.stored_achievement, v.computed_achievement, v.stored_predicate, v.computed_predicate, v.rule_version,
       v.program_rule_version, v.inputs_sha256,
       coalesce(v.seal_matches AND v.stored_achievement = v.computed_achievement AND v.stored_predicate = v.computed_predicate
                AND v._uncapped_is_same AND v._measures_hold, false) AS same
FROM   (SELECT e.id AS evaluation_id,
               e.inputs_sha256 = evaluation_seal(e.inputs, e.rule_version, e.achievement, e.achievement_uncapped, e.predicate)
               AND e.inputs ->> 'results_rating' = e.results_rating AND e.inputs ->> 'behaviour_rating' = e.behaviour_rating AS seal_matches,
               measures_hold(e.inputs) AS _measures_hold, e.achievement AS stored_achievement, :achievement::numeric AS computed_achievement,
               e.achievement_uncapped = :achievement_uncapped::numeric AS _uncapped_is_same,
               e.predicate AS stored_predicate, :predicate::text AS computed_predicate, e.rule_version,
               :rule_version::text AS program_rule_version, e.inputs_sha256
        FROM   evaluation e
        WHERE  e.id = :evaluation_id) v

-- Every final one, with its stored inputs as they stand: texts, because whoever tampered with them may have left anything. One row an indicator; where there is
-- none, one row without. asnd evaluate --verify.
-- name: evaluations.verify
-- timeout: 3600000
SELECT e.id AS evaluation_id, e.inputs ->> 'results_rating' AS results_rating, e.inputs ->> 'behaviour_rating' AS behaviour_rating,
       e.inputs ->> 'results_rating' IS NOT DISTINCT FROM e.results_rating AND e.inputs ->> 'behaviour_rating' IS NOT DISTINCT FROM e.behaviour_rating AS ratings_match,
       e.inputs_sha256 = evaluation_seal(e.inputs, e.rule_version, e.achievement, e.achievement_uncapped, e.predicate) AS seal_matches,
       measures_hold(e.inputs) AS measures_hold, e.achievement, e.achievement_uncapped, e.predicate, e.predicate_number, e.rule_version, i.n IS NOT NULL AS has_indicator,
       i.v ->> 'id' AS id, i.v ->> 'name' AS name, i.v ->> 'position' AS position, i.v ->> 'direction' AS direction, i.v ->> 'target' AS target,
       i.v ->> 'target_high' AS target_high, i.v ->> 'actual' AS actual, i.v ->> 'weight' AS weight, i.v ->> 'cap' AS cap,
       left(i.v ->> 'zero_target_reached', 1) AS zero_target_reached
FROM   evaluation e
LEFT   JOIN LATERAL jsonb_array_elements(CASE jsonb_typeof(e.inputs -> 'indicators') WHEN 'array' THEN e.inputs -> 'indicators' ELSE '[]' END)
            WITH ORDINALITY AS i (v, n) ON true
WHERE  e.state = 'final'
/*? period_id */ AND e.period_id = :period_id::uuid /*? */
ORDER  BY e.id, i.n

-- name: evaluations.period
SELECT p.id FROM period p WHERE p.id = :period_id::uuid
