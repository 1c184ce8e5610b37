-- What follows an evaluation: plans of improvement, areas to improve, outcomes. Rules: the migration of follow-up; docs/follow-up.md.

-- ── plans of improvement ──

-- name: listImprovementPlans
-- sort: -id = i.id DESC AS id
-- sort: id = i.id AS id
SELECT i.id, i.nip, i.name, i.unit_id, i.evaluation_id, i.predicate, i.cause, i.goal, i.support, i.starts_on, i.ends_on, i.state, i.agreed_on, i.agreed_by,
       i.is_agreed_by_person, i.closed_on, i.closed_by, i.conclusion, i.checks, i.checks_held, i.next_check_on, i.version, i.created_at, i.updated_at
FROM   improvement_entry i
WHERE  i._unit_path <@ ANY (:actor_units::ltree[])
/*? nip */ AND i._asn_id = (SELECT asn_of_nip(:nip)) /*? */
/*? state */ AND i.state = :state /*? */
/*? evaluation_id */ AND i.evaluation_id = :evaluation_id::uuid /*? */
/*? under */ AND i._unit_path <@ (SELECT p.path FROM unit p WHERE p.id = :under) /*? */
/* page */

-- name: getImprovementPlan
SELECT i.id, i.nip, i.name, i.unit_id, i.evaluation_id, i.predicate, i.cause, i.goal, i.support, i.starts_on, i.ends_on, i.state, i.agreed_on, i.agreed_by,
       i.is_agreed_by_person, i.closed_on, i.closed_by, i.conclusion, i.checks, i.checks_held, i.next_check_on, i.version, i.created_at, i.updated_at
FROM   improvement_entry i
WHERE  i.id = :improvement_plan_id AND i._unit_path <@ ANY (:actor_units::ltree[])

-- name: createImprovementPlan
-- write: true
SELECT w.problem AS _problem, w.pointer AS _pointer, i.id, i.nip, i.name, i.unit_id, i.evaluation_id, i.predicate, i.cause, i.goal, i.support, i.starts_on, i.ends_on,
       i.state, i.agreed_on, i.agreed_by, i.is_agreed_by_person, i.closed_on, i.closed_by, i.conclusion, i.checks, i.checks_held, i.next_check_on, i.version,
       i.created_at, i.updated_at
FROM   improvement_open(:new_id, :nip, :actor_units::ltree[], :body::jsonb, :actor_key, :actor_name) w, LATERAL (SELECT (w.entry).*) AS i

-- name: updateImprovementPlan
-- write: true
SELECT w.problem AS _problem, w.pointer AS _pointer, i.id, i.nip, i.name, i.unit_id, i.evaluation_id, i.predicate, i.cause, i.goal, i.support, i.starts_on, i.ends_on,
       i.state, i.agreed_on, i.agreed_by, i.is_agreed_by_person, i.closed_on, i.closed_by, i.conclusion, i.checks, i.checks_held, i.next_check_on, i.version,
       i.created_at, i.updated_at
FROM   improvement_act(:improvement_plan_id, :actor_units::ltree[], :if_match::int8multirange, NULL, :body::jsonb, :actor_key, :actor_name) w,
       LATERAL (SELECT (w.entry).*) AS i

-- name: agreeImprovementPlan
-- write: true
SELECT w.problem AS _problem, w.pointer AS _pointer, i.id, i.nip, i.name, i.unit_id, i.evaluation_id, i.predicate, i.cause, i.goal, i.support, i.starts_on, i.ends_on,
       i.state, i.agreed_on, i.agreed_by, i.is_agreed_by_person, i.closed_on, i.closed_by, i.conclusion, i.checks, i.checks_held, i.next_check_on, i.version,
       i.created_at, i.updated_at
FROM   improvement_act(:improvement_plan_id, :actor_units::ltree[], :if_match::int8multirange, 'agreed', :body::jsonb, :actor_key, :actor_name) w,
       LATERAL (SELECT (w.entry).*) AS i

-- name: closeImprovementPlan
-- write: true
SELECT w.problem AS _problem, w.pointer AS _pointer, i.id, i.nip, i.name, i.unit_id, i.evaluation_id, i.predicate, i.cause, i.goal, i.support, i.starts_on, i.ends_on,
       i.state, i.agreed_on, i.agreed_by, i.is_agreed_by_person, i.closed_on, i.closed_by, i.conclusion, i.checks, i.checks_held, i.next_check_on, i.version,
       i.created_at, i.updated_at
FROM   improvement_act(:improvement_plan_id, :actor_units::ltree[], :if_match::int8multirange, :result, :body::jsonb, :actor_key, :actor_name) w,
       LATERAL (SELECT (w.entry).*) AS i

-- name: listImprovementSteps
-- sort: seq = s.seq AS seq
SELECT s.seq, s.state, s.note, s.actor_name, s.at
FROM   improvement_step s JOIN improvement_entry i ON i.id = s.plan_id
WHERE  s.plan_id = :improvement_plan_id AND i._unit_path <@ ANY (:actor_units::ltree[])
/* page */

-- name: listImprovementChecks
-- sort: due_on = c.due_on AS due_on, c.id AS id
SELECT c.id, c.plan_id, c.due_on, c.expectation, c.outcome, c.held_on, c.checked_by, c.note, c.version, c.created_at, c.updated_at
FROM   improvement_check c JOIN improvement_entry i ON i.id = c.plan_id
WHERE  c.plan_id = :improvement_plan_id AND i._unit_path <@ ANY (:actor_units::ltree[])
/* page */

-- name: getImprovementCheck
SELECT c.id, c.plan_id, c.due_on, c.expectation, c.outcome, c.held_on, c.checked_by, c.note, c.version, c.created_at, c.updated_at
FROM   improvement_check c JOIN improvement_entry i ON i.id = c.plan_id
WHERE  c.id = :improvement_check_id AND c.plan_id = :improvement_plan_id AND i._unit_path <@ ANY (:actor_units::ltree[])

-- name: addImprovementCheck
-- write: true
SELECT w.problem AS _problem, w.pointer AS _pointer, c.id, c.plan_id, c.due_on, c.expectation, c.outcome, c.held_on, c.checked_by, c.note, c.version, c.created_at,
       c.updated_at
FROM   improvement_check_act(:improvement_plan_id, :new_id, :actor_units::ltree[], NULL, 'add', :body::jsonb, :actor_key, :actor_name) w,
       LATERAL (SELECT (w.entry).*) AS c

-- name: updateImprovementCheck
-- write: true
SELECT w.problem AS _problem, w.pointer AS _pointer, c.id, c.plan_id, c.due_on, c.expectation, c.outcome, c.held_on, c.checked_by, c.note, c.version, c.created_at,
       c.updated_at
FROM   improvement_check_act(:improvement_plan_id, :improvement_check_id, :actor_units::ltree[], :if_match::int8multirange, 'change', :body::jsonb, :actor_key,
                             :actor_name) w, LATERAL (SELECT (w.entry).*) AS c

-- name: holdImprovementCheck
-- write: true
SELECT w.problem AS _problem, w.pointer AS _pointer, c.id, c.plan_id, c.due_on, c.expectation, c.outcome, c.held_on, c.checked_by, c.note, c.version, c.created_at,
       c.updated_at
FROM   improvement_check_act(:improvement_plan_id, :improvement_check_id, :actor_units::ltree[], :if_match::int8multirange, 'hold', :body::jsonb, :actor_key,
                             :actor_name) w, LATERAL (SELECT (w.entry).*) AS c

-- What is overdue, and what falls due within so many days: drafts nobody has agreed on, checks nobody has held, plans nobody has closed.
-- name: listImprovementDue
-- sort: due_on = d.due_on AS due_on, d.id AS id
SELECT d.id, d.what, d.improvement_plan_id, d.improvement_check_id, d.nip, d.name, d.unit_id, d.due_on, d.due_on - :today::date AS days_left,
       d.due_on < :today::date AS is_overdue, d.expectation
FROM  (SELECT c.id, 'check' AS what, i.id AS improvement_plan_id, c.id AS improvement_check_id, i.nip, i.name, i.unit_id, c.due_on, c.expectation, i._asn_id, i._unit_path
       FROM   improvement_check c JOIN improvement_entry i ON i.id = c.plan_id
       WHERE  c.outcome IS NULL AND i.state = 'agreed'
       UNION  ALL
       SELECT i.id, CASE i.state WHEN 'draft' THEN 'agree' ELSE 'close' END, i.id, NULL, i.nip, i.name, i.unit_id,
              CASE i.state WHEN 'draft' THEN i.starts_on ELSE i.ends_on END, i.goal, i._asn_id, i._unit_path
       FROM   improvement_entry i
       WHERE  i.state IN ('draft', 'agreed')) d
WHERE  d._unit_path <@ ANY (:actor_units::ltree[]) AND d.due_on <= :today::date + coalesce(:days::integer, 30)
/*? under */ AND d._unit_path <@ (SELECT p.path FROM unit p WHERE p.id = :under) /*? */
/*? is_overdue */ AND (d.due_on < :today::date) = :is_overdue /*? */
/* page */

-- ── areas to improve ── The program works out the indicators (src/rules/achievement.c) and gives them back as :indicators.

-- The year asked for, else that of the last evaluation that holds, else this one.
-- name: getAreasToImprove.evaluation
SELECT a.id AS asn_id, e.id, e.results_rating, e.behaviour_rating
FROM   asn a
JOIN   unit u ON u.id = a.unit_id
LEFT   JOIN LATERAL (SELECT v.id, v.results_rating, v.behaviour_rating FROM evaluation_current v JOIN period p ON p.id = v.period_id
                     WHERE  v.asn_id = a.id AND v.state = 'final' AND p.kind = 'tahunan'
                            AND p.ends_on <= coalesce(make_date(:year::integer, 12, 31), :today::date)
                            AND p.ends_on >= coalesce(make_date(:year::integer, 1, 1), '1900-01-01')
                     ORDER  BY p.ends_on DESC LIMIT 1) e ON true
WHERE  a.id = (SELECT asn_of_nip(:nip)) AND u.path <@ ANY (:actor_units::ltree[])

-- name: getAreasToImprove.inputs
SELECT i.id, i.name, i.position, i.direction, i.target, i.target_high, i.actual, i.weight, i.cap, i.zero_target_reached
FROM   evaluation e
CROSS  JOIN LATERAL jsonb_to_recordset(e.inputs -> 'indicators')
       AS i (id uuid, name text, position integer, direction text, target numeric, target_high numeric, actual numeric, weight numeric,
             cap numeric, zero_target_reached boolean)
WHERE  e.id = :evaluation_id
ORDER  BY i.position

-- name: getAreasToImprove.reply
SELECT a.nip, a.name, y.year, e.id AS evaluation_id, e.predicate,
       (SELECT coalesce(jsonb_agg(jsonb_build_object('code', (r.rule).code, 'name', (r.rule).name, 'name_en', (r.rule).name_en, 'subject', r.subject,
                                                     'subject_en', r.subject_en, 'value', r.value,
                                                     'expected', r.expected, 'n', r.n, 'reason', r.reason, 'reason_en', r.reason_en, 'source_id', r.source_id,
                                                     'competency', r.competency, 'level', r.level, 'families', (r.rule).families, 'rule_source', (r.rule).source,
                                                     'is_confirmed', (r.rule).is_confirmed, 'trainings', area_trainings(r, a.id, :today::date))
                                  ORDER BY (r.rule).code, r.value, r.subject), '[]')
        FROM   areas_of(a, e, y.year, coalesce(:indicators::jsonb, '[]'), make_date(y.year, 12, 31)) r) AS areas
FROM   asn a
LEFT   JOIN evaluation e ON e.id = :evaluation_id::uuid
LEFT   JOIN period p ON p.id = e.period_id
CROSS  JOIN LATERAL (SELECT coalesce(:year::integer, extract(year FROM p.ends_on)::integer, extract(year FROM :today::date)::integer) AS year) y
WHERE  a.id = (SELECT asn_of_nip(:nip))

-- name: listAreaRules
-- sort: code = r.code AS code, r.valid_from AS valid_from
SELECT r.code, r.valid_from, r.name, r.name_en, r.threshold, r.least, r.families, r.source, r.is_confirmed
FROM   area_rule r
WHERE  true
/* page */

-- ── outcomes ──

-- name: listOutcomeRules
-- sort: code = r.code AS code, r.valid_from AS valid_from
SELECT r.code, r.valid_from, r.kind, r.name, r.name_en, r.predicates, r.years, r.plan_state, r.source, r.is_confirmed
FROM   outcome_rule r
WHERE  true
/*? kind */ AND r.kind = :kind /*? */
/* page */

-- name: listOutcomes
-- sort: code = r.code AS code
SELECT r.code, r.kind, r.name, r.name_en, o.holds, r.years AS years_asked, o.years, o.facts, r.source, r.is_confirmed
FROM   asn a
JOIN   unit u ON u.id = a.unit_id
CROSS  JOIN LATERAL outcome_rules_on(coalesce(:as_of::date, :today::date)) r
CROSS  JOIN LATERAL outcome_of(a.id, r, coalesce(:as_of::date, :today::date)) o
WHERE  a.id = (SELECT asn_of_nip(:nip)) AND u.path <@ ANY (:actor_units::ltree[])
/*? kind */ AND r.kind = :kind /*? */
/*? holds */ AND o.holds = :holds /*? */
/* page */

-- Of the staff: for whom a rule holds.
-- name: listOutcomePeople
-- timeout: 30000
-- sort: nip = a.nip AS nip
SELECT a.nip, a.name, a.unit_id, r.code, o.years, o.facts
FROM   outcome_rules_on(coalesce(:as_of::date, :today::date)) r
JOIN   asn a ON a.legal_status = ANY (ARRAY(SELECT s.code FROM employed_status s))
JOIN   unit u ON u.id = a.unit_id
CROSS  JOIN LATERAL (SELECT w.* FROM outcome_of(a.id, r, coalesce(:as_of::date, :today::date)) w OFFSET 0) o
WHERE  r.code = :outcome AND o.holds
/*? actor_units */ AND u.path <@ ANY (:actor_units::ltree[]) /*? */
/*? under */ AND u.path <@ (SELECT p.path FROM unit p WHERE p.id = :under) /*? */
/* page */
