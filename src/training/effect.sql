-- What training does, level by level: reaction, learning, behaviour, and what changed for those who took part. docs/training-effect.md.

-- ── when it is asked ──

-- name: getEffectPlan
SELECT e.programme_id, e.reaction_days, e.behaviour_months, e.behaviour_days, e.peers, e.version
FROM   programme p CROSS JOIN LATERAL effect_plan_of(p.id, :today::date) e
WHERE  p.id = :programme_id

-- name: putEffectPlan
-- write: true
SELECT coalesce(f.problem, w.problem) AS _problem, f.word_en AS _en, f.word_id AS _id, (w.plan).programme_id, (w.plan).reaction_days, (w.plan).behaviour_months, (w.plan).behaviour_days, (w.plan).peers, (w.plan).version
FROM   (SELECT n.id, n.organiser_unit_id FROM programme n WHERE n.id = :programme_id FOR NO KEY UPDATE) AS now
CROSS  JOIN LATERAL organiser_fault(false, now.organiser_unit_id, now.organiser_unit_id, :actor_units::ltree[]) f
LEFT   JOIN LATERAL effect_plan_put(CASE WHEN f.problem IS NULL THEN now.id END, :if_match::int8multirange, :body::jsonb) w ON true

-- ── level 1: reaction ──

-- name: getReactionLink
SELECT q.enrolment_id, q.session_id, 'r:' || q.enrolment_id AS answer_token, q.opens AS opens_on, q.closes AS closes_on, q.is_open, q.is_answered
FROM   enrolment_of_person e CROSS JOIN LATERAL reaction_of_token('r:' || e.id) q
WHERE  e.id = :enrolment_id AND e.unit_path <@ ANY (:actor_units::ltree[])

-- name: getReactionForm
SELECT p.name AS programme_name, s.title AS session_title, q.opens AS opens_on, q.closes AS closes_on, q.is_open, q.is_answered,
       effect_items('reaction-item', q.opens) AS items, effect_scale('reaction-item', q.opens) AS scale
FROM   reaction_of_token(:token) q
JOIN   session s ON s.id = q.session_id
JOIN   programme p ON p.id = s.programme_id

-- name: answerReaction
-- write: true
SELECT t.problem AS _problem, t.pointer AS _pointer, t.value AS _value, true AS taken, :form_id::uuid AS form_id FROM reaction_take(:token, :body::jsonb) t

-- name: getSessionReaction
SELECT s.programme_id, s.id AS session_id, g.asked, g.answered, g.on_paper, g.sessions_shown, g.sessions_open, g.sessions_few, g.reason, g.mean, g.items,
       training_number('small_group', :today::date) AS small_group
FROM   session s CROSS JOIN LATERAL effect_group(ARRAY[s.id], 'participant', :today::date) g
WHERE  s.id = :session_id

-- name: getProgrammeReaction
SELECT p.id AS programme_id, NULL::uuid AS session_id, coalesce(g.asked, 0) AS asked, coalesce(g.answered, 0) AS answered, coalesce(g.on_paper, 0) AS on_paper, g.sessions_shown, g.sessions_open,
       g.sessions_few, g.reason, g.mean, g.items, training_number('small_group', :today::date) AS small_group
FROM   programme p
CROSS  JOIN LATERAL effect_group(ARRAY(SELECT s.id FROM session s WHERE s.programme_id = p.id AND s.state <> 'cancelled'), 'participant', :today::date) g
WHERE  p.id = :programme_id

-- ── level 2: learning ──

-- name: getSessionLearning
SELECT s.programme_id, s.id AS session_id, g.participants, g.tested, g.missing_pre, g.missing_post, g.pre_mean, g.post_mean, g.gain_mean, g.class_gain, g.normalised,
       g.full_pre, g.normalised_mean, g.high, g.medium, g.low, g.lost
FROM   session s CROSS JOIN LATERAL effect_learning(ARRAY[s.id], :actor_units::ltree[]) g
WHERE  s.id = :session_id

-- name: getProgrammeLearning
SELECT p.id AS programme_id, NULL::uuid AS session_id, g.participants, g.tested, g.missing_pre, g.missing_post, g.pre_mean, g.post_mean, g.gain_mean, g.class_gain,
       g.normalised, g.full_pre, g.normalised_mean, g.high, g.medium, g.low, g.lost
FROM   programme p
CROSS  JOIN LATERAL effect_learning(ARRAY(SELECT s.id FROM session s WHERE s.programme_id = p.id AND s.state <> 'cancelled'), :actor_units::ltree[]) g
WHERE  p.id = :programme_id

-- ── level 3: behaviour ──

-- name: listBehaviourRequests
-- sort: closes_on = b.closes_on AS closes_on, b.id AS id
-- sort: -closes_on = b.closes_on DESC AS closes_on, b.id DESC AS id
SELECT b.id, b.enrolment_id, b.session_id, b.nip, b.name, b.role, b.respondent_nip, b.respondent_name, b.named_by, b.opens_on, b.closes_on,
       CASE WHEN b.is_answered THEN 'answered' WHEN b.closes_on < :today::date THEN 'overdue' WHEN b.respondent_nip IS NULL THEN 'unassigned' ELSE 'due' END AS state,
       b.closes_on - :today::date AS days_left, b.version
FROM   behaviour_entry b
WHERE  true
/*? actor_units */ AND b._unit_path <@ ANY (:actor_units::ltree[]) /*? */
/*? session_id */ AND b.session_id = :session_id /*? */
/*? respondent */ AND b._respondent = asn_of_nip(:respondent) /*? */
/*? role */ AND b.role = :role /*? */
/*? within */ AND b.closes_on <= :today::date + :within::integer /*? */
/*? state */ AND CASE WHEN b.is_answered THEN 'answered' WHEN b.closes_on < :today::date THEN 'overdue' WHEN b.respondent_nip IS NULL THEN 'unassigned' ELSE 'due' END = :state /*? */
/* page */

-- name: getBehaviourRequest
SELECT b.id, b.enrolment_id, b.session_id, b.nip, b.name, b.role, b.respondent_nip, b.respondent_name, b.named_by, b.opens_on, b.closes_on,
       CASE WHEN b.is_answered THEN 'answered' WHEN b.closes_on < :today::date THEN 'overdue' WHEN b.respondent_nip IS NULL THEN 'unassigned' ELSE 'due' END AS state,
       b.closes_on - :today::date AS days_left, 'b:' || b.id AS answer_token, b._answers AS answers, b.version
FROM   behaviour_entry b
WHERE  b.id = :behaviour_request_id AND b._unit_path <@ ANY (:actor_units::ltree[])

-- name: nameRespondent
-- write: true
SELECT w.problem AS _problem, w.pointer AS _pointer, w.value AS _value, (w.entry).id, (w.entry).enrolment_id, (w.entry).session_id, (w.entry).nip, (w.entry).name,
       (w.entry).role, (w.entry).respondent_nip, (w.entry).respondent_name, (w.entry).named_by, (w.entry).opens_on, (w.entry).closes_on, 'due' AS state,
       (w.entry).closes_on - :today::date AS days_left, 'b:' || (w.entry).id AS answer_token, (w.entry)._answers AS answers, (w.entry).version
FROM   behaviour_name(:enrolment_id, :actor_units::ltree[], :role, :nip, :actor_name) w

-- name: getBehaviourForm
SELECT p.name AS programme_name, s.title AS session_title, a.name AS participant_name, q.role, q.opens AS opens_on, q.closes AS closes_on, q.is_open, q.is_answered,
       effect_items('behaviour-item', q.opens) AS items, effect_scale('behaviour-item', q.opens) AS scale
FROM   behaviour_of_token(:token) q
JOIN   session s ON s.id = q.session_id
JOIN   programme p ON p.id = s.programme_id
JOIN   asn a ON a.id = q.asn_id

-- name: answerBehaviour
-- write: true
SELECT t.problem AS _problem, t.pointer AS _pointer, t.value AS _value, true AS taken, :form_id::uuid AS form_id FROM behaviour_take(:token, :body::jsonb) t

-- name: getSessionBehaviour
SELECT s.programme_id, s.id AS session_id, effect_groups(ARRAY[s.id], :today::date) AS groups, training_number('small_group', :today::date) AS small_group
FROM   session s
WHERE  s.id = :session_id

-- name: getProgrammeBehaviour
SELECT p.id AS programme_id, NULL::uuid AS session_id,
       effect_groups(ARRAY(SELECT s.id FROM session s WHERE s.programme_id = p.id AND s.state <> 'cancelled'), :today::date) AS groups,
       training_number('small_group', :today::date) AS small_group
FROM   programme p
WHERE  p.id = :programme_id

-- name: chore.assignReviews
-- write: true
SELECT behaviour_assign_due()

-- ── level 4: what changed ── The commands read the basis, then people or units summed up by stratum, unit and arm.

-- name: getTrainingEffectPeople.basis
SELECT CASE WHEN NOT d.in_order THEN 'effect-periods' END AS _problem, f.parameter AS _pointer, f.en AS _en, f.id AS _id,
       training_number('few', :today::date) AS few, training_number('few_units', :today::date) AS few_units,
       (SELECT count(*) FROM effect_trained(p.id, :session_id::uuid, d.before, d.after) t
        JOIN   asn a ON a.id = t.asn_id JOIN unit u ON u.id = a.unit_id
        WHERE  t.is_participant AND u.path <@ ANY (:actor_units::ltree[])) AS trained
FROM   programme p CROSS JOIN effect_days(:before_from::date, :before_to::date, :after_from::date, :after_to::date, :today::date) d
       CROSS JOIN effect_days_fault(:before_from::date, :before_to::date, :after_from::date, :after_to::date, :today::date) f
WHERE  p.id = :programme_id AND (:session_id::uuid IS NULL OR EXISTS (SELECT FROM session s WHERE s.id = :session_id::uuid AND s.programme_id = p.id))

-- name: getTrainingEffectPeople.cells
SELECT g.kind, g.position, g.unit_kind, g.agency, dense_rank() OVER (ORDER BY g.kind, g.position, g.unit_kind, g.agency) - 1 AS stratum,
       dense_rank() OVER (ORDER BY g.unit_id) - 1 AS cluster, g.is_participant, g.n, g.before, g.after, g.squares, g.earlier_n, g.earlier, g.earlier_before, g.earlier_squares
FROM   (SELECT f.kind, f.position, f.unit_kind, f.agency, f.unit_id, f.is_participant, count(*) AS n, sum(f.before_value) AS before, sum(f.after_value) AS after,
               sum((f.after_value - f.before_value) * (f.after_value - f.before_value)) AS squares, count(f.earlier) AS earlier_n, coalesce(sum(f.earlier), 0) AS earlier,
               coalesce(sum(f.before_value) FILTER (WHERE f.earlier IS NOT NULL), 0) AS earlier_before,
               coalesce(sum((f.before_value - f.earlier) * (f.before_value - f.earlier)), 0) AS earlier_squares
        FROM   effect_days(:before_from::date, :before_to::date, :after_from::date, :after_to::date, :today::date) d
        CROSS  JOIN LATERAL effect_people(:programme_id, :session_id::uuid, :actor_units::ltree[], d.before, d.after, coalesce(:period_kind, 'tahunan'),
                                          coalesce(:match::text[], '{kind,position,unit_kind}')) f
        GROUP  BY f.kind, f.position, f.unit_kind, f.agency, f.unit_id, f.is_participant) g
ORDER  BY stratum, cluster, g.is_participant

-- name: getTrainingEffectPeople.reply
SELECT :programme_id::uuid AS programme_id, :session_id::uuid AS session_id, 'achievement' AS measure, coalesce(:period_kind, 'tahunan') AS period_kind,
       lower(d.before) AS before_from, upper(d.before) - 1 AS before_to, lower(d.after) AS after_from, upper(d.after) - 1 AS after_to,
       lower(effect_earlier(d.before)) AS earlier_from, coalesce(:match::text[], '{kind,position,unit_kind}') AS matched,
       (SELECT coalesce(jsonb_agg(jsonb_build_object('id', s.id, 'title', s.title, 'starts_on', s.starts_on, 'ends_on', s.ends_on) ORDER BY s.starts_on, s.id), '[]')
        FROM   session s
        WHERE  s.programme_id = :programme_id AND s.state <> 'cancelled' AND s.starts_on >= upper(d.before) AND s.ends_on < lower(d.after)
               AND (:session_id::uuid IS NULL OR s.id = :session_id::uuid)
               AND EXISTS (SELECT FROM enrolment e WHERE e.session_id = s.id AND effect_took_part(e.state))) AS sessions,
       :trained::bigint AS trained, :participants::jsonb AS participants, :comparison::jsonb AS comparison, :estimate::numeric AS estimate,
       :interval::jsonb AS interval, :is_told_apart::boolean AS is_told_apart, :trend::jsonb AS trend, :strata::jsonb AS strata, :warnings::jsonb AS warnings,
       :conclusion::jsonb AS conclusion, :rule_version::text AS rule_version
FROM   effect_days(:before_from::date, :before_to::date, :after_from::date, :after_to::date, :today::date) d

-- name: listTrainingEffectPeople
-- sort: nip = a.nip AS nip
SELECT a.nip, f.is_participant, f.kind, f.position, f.unit_id, f.unit_kind, f.agency, f.earlier, f.before_value AS before, f.after_value AS after,
       f.after_value - f.before_value AS change
FROM   effect_days(:before_from::date, :before_to::date, :after_from::date, :after_to::date, :today::date) d
CROSS  JOIN LATERAL effect_people(:programme_id, :session_id::uuid, :actor_units::ltree[], d.before, d.after, coalesce(:period_kind, 'tahunan'),
                                  coalesce(:match::text[], '{kind,position,unit_kind}')) f
JOIN   asn a ON a.id = f.asn_id
WHERE  true
/*? is_participant */ AND f.is_participant = :is_participant /*? */
/* page */

-- name: getTrainingEffectUnits.basis
SELECT CASE WHEN NOT d.in_order THEN 'effect-periods' END AS _problem, f.parameter AS _pointer, f.en AS _en, f.id AS _id,
       training_number('few', :today::date) AS few, training_number('few_units', :today::date) AS few_units,
       (SELECT count(*) FROM effect_trained(p.id, :session_id::uuid, d.before, d.after) t
        JOIN   asn a ON a.id = t.asn_id JOIN unit u ON u.id = a.unit_id
        WHERE  t.is_participant AND u.path <@ ANY (:actor_units::ltree[])) AS trained
FROM   programme p CROSS JOIN effect_days(:before_from::date, :before_to::date, :after_from::date, :after_to::date, :today::date) d
       CROSS JOIN effect_days_fault(:before_from::date, :before_to::date, :after_from::date, :after_to::date, :today::date) f
WHERE  p.id = :programme_id AND (:session_id::uuid IS NULL OR EXISTS (SELECT FROM session s WHERE s.id = :session_id::uuid AND s.programme_id = p.id))

-- name: getTrainingEffectUnits.cells
SELECT NULL::text AS kind, NULL::text AS position, f.unit_kind, f.agency, dense_rank() OVER (ORDER BY f.unit_kind, f.agency) - 1 AS stratum,
       dense_rank() OVER (ORDER BY f.unit_id) - 1 AS cluster, f.is_participant, 1 AS n, f.before_value AS before, f.after_value AS after,
       (f.after_value - f.before_value) * (f.after_value - f.before_value) AS squares, (f.earlier IS NOT NULL)::integer AS earlier_n, coalesce(f.earlier, 0) AS earlier,
       CASE WHEN f.earlier IS NULL THEN 0 ELSE f.before_value END AS earlier_before,
       coalesce((f.before_value - f.earlier) * (f.before_value - f.earlier), 0) AS earlier_squares
FROM   effect_days(:before_from::date, :before_to::date, :after_from::date, :after_to::date, :today::date) d
CROSS  JOIN LATERAL effect_units(:programme_id, :session_id::uuid, :actor_units::ltree[], d.before, d.after, coalesce(:measure, 'satisfaction'),
                                 coalesce(:match::text[], '{unit_kind}')) f
ORDER  BY stratum, cluster

-- name: getTrainingEffectUnits.reply
SELECT :programme_id::uuid AS programme_id, :session_id::uuid AS session_id, coalesce(:measure, 'satisfaction') AS measure, NULL::text AS period_kind,
       lower(d.before) AS before_from, upper(d.before) - 1 AS before_to, lower(d.after) AS after_from, upper(d.after) - 1 AS after_to,
       lower(effect_earlier(d.before)) AS earlier_from, coalesce(:match::text[], '{unit_kind}') AS matched,
       (SELECT coalesce(jsonb_agg(jsonb_build_object('id', s.id, 'title', s.title, 'starts_on', s.starts_on, 'ends_on', s.ends_on) ORDER BY s.starts_on, s.id), '[]')
        FROM   session s
        WHERE  s.programme_id = :programme_id AND s.state <> 'cancelled' AND s.starts_on >= upper(d.before) AND s.ends_on < lower(d.after)
               AND (:session_id::uuid IS NULL OR s.id = :session_id::uuid)
               AND EXISTS (SELECT FROM enrolment e WHERE e.session_id = s.id AND effect_took_part(e.state))) AS sessions,
       :trained::bigint AS trained, :participants::jsonb AS participants, :comparison::jsonb AS comparison, :estimate::numeric AS estimate,
       :interval::jsonb AS interval, :is_told_apart::boolean AS is_told_apart, :trend::jsonb AS trend, :strata::jsonb AS strata, :warnings::jsonb AS warnings,
       :conclusion::jsonb AS conclusion, :rule_version::text AS rule_version
FROM   effect_days(:before_from::date, :before_to::date, :after_from::date, :after_to::date, :today::date) d

-- name: listTrainingEffectUnits
-- sort: service_unit_id = f.service_unit_id AS service_unit_id
SELECT f.service_unit_id, f.unit_id, f.name, f.is_participant, f.participants, f.unit_kind, f.agency, f.earlier, f.before_value AS before, f.after_value AS after,
       f.after_value - f.before_value AS change
FROM   effect_days(:before_from::date, :before_to::date, :after_from::date, :after_to::date, :today::date) d
CROSS  JOIN LATERAL effect_units(:programme_id, :session_id::uuid, :actor_units::ltree[], d.before, d.after, coalesce(:measure, 'satisfaction'),
                                 coalesce(:match::text[], '{unit_kind}')) f
WHERE  true
/*? is_participant */ AND f.is_participant = :is_participant /*? */
/* page */
