-- Surveys of the public's satisfaction: what is asked, who answers, what came of it, what is done about it.

-- name: listSurveys
-- sort: -id = s.id DESC AS id
-- sort: id = s.id AS id
SELECT s.id, s.code, s.service_unit_id, s.service_id, s.name, s.starts_on, s.ends_on, s.state, s.elements, s.population, s.is_open_link,
       s.published_at, s.version, s.created_at, s.updated_at
FROM   survey s
JOIN   service_unit p ON p.id = s.service_unit_id
JOIN   unit u ON u.id = p.unit_id
WHERE  true
/*? actor_units */ AND u.path <@ ANY (:actor_units::ltree[]) /*? */
/*? service_unit_id */ AND s.service_unit_id = :service_unit_id /*? */
/*? under */ AND u.path <@ (SELECT n.path FROM unit n WHERE n.id = :under) /*? */
/*? state */ AND s.state = :state /*? */
/* page */

-- name: getSurvey
SELECT s.id, s.code, s.service_unit_id, s.service_id, s.name, s.starts_on, s.ends_on, s.state, s.elements, s.population, s.is_open_link,
       's:' || s.id AS answer_token, s.published_at, s.version, s.created_at, s.updated_at
FROM   survey s
JOIN   service_unit p ON p.id = s.service_unit_id
JOIN   unit u ON u.id = p.unit_id
WHERE  s.id = :survey_id AND u.path <@ ANY (:actor_units::ltree[])

-- Without elements all that the list has on the first day.
-- One that everybody with the link may answer.
-- name: getSurveyQr.find
SELECT CASE WHEN NOT s.is_open_link THEN 'survey-no-link' END AS _problem, 's:' || s.id AS token
FROM   survey s JOIN service_unit p ON p.id = s.service_unit_id JOIN unit u ON u.id = p.unit_id
WHERE  s.id = :survey_id AND u.path <@ ANY (:actor_units::ltree[])

-- name: createSurvey
WITH place AS (
    SELECT p.id FROM service_unit p JOIN unit u ON u.id = p.unit_id WHERE p.id = :service_unit_id AND u.path <@ ANY (:actor_units::ltree[])
), made AS (
    INSERT INTO survey (id, code, service_unit_id, service_id, name, starts_on, ends_on, elements, population, is_open_link)
    SELECT :new_id, :code, p.id, :service_id::uuid, :name, :starts_on, :ends_on,
           coalesce(:elements::text[], ARRAY(SELECT r.code FROM reference r WHERE r.list = 'survey-element' AND r.valid @> :starts_on::date ORDER BY r.seq, r.code)),
           (:population::numeric)::bigint, coalesce(:is_open_link::boolean, false)
    FROM   place p
    RETURNING *
)
SELECT CASE WHEN m.id IS NULL THEN 'reference-missing' END AS _problem, '/service_unit_id' AS _pointer, :service_unit_id::text AS _value,
       m.id, m.code, m.service_unit_id, m.service_id, m.name, m.starts_on, m.ends_on, m.state, m.elements, m.population, m.is_open_link,
       's:' || m.id AS answer_token, m.published_at, m.version, m.created_at, m.updated_at
FROM   (SELECT) AS one LEFT JOIN made m ON true

-- name: updateSurvey
WITH cur AS (
    SELECT s AS rec FROM survey s JOIN service_unit p ON p.id = s.service_unit_id JOIN unit u ON u.id = p.unit_id
    WHERE  s.id = :survey_id AND u.path <@ ANY (:actor_units::ltree[])
    FOR    UPDATE OF s
), want AS (
    SELECT w.*, CASE WHEN NOT :if_match::int8multirange @> (cur.rec).version THEN 'version-stale' END AS problem
    FROM   cur, jsonb_populate_record(cur.rec, with_whole(:body::jsonb, 'population')) AS w
), done AS (
    UPDATE survey s
    SET    code = w.code, name = w.name, starts_on = w.starts_on, ends_on = w.ends_on, elements = w.elements, population = w.population,
           is_open_link = w.is_open_link
    FROM   want w
    WHERE  s.id = w.id AND w.problem IS NULL
    RETURNING s.*
)
SELECT w.problem AS _problem, d.id, d.code, d.service_unit_id, d.service_id, d.name, d.starts_on, d.ends_on, d.state, d.elements, d.population,
       d.is_open_link, 's:' || d.id AS answer_token, d.published_at, d.version, d.created_at, d.updated_at
FROM   want w LEFT JOIN done d ON true

-- name: openSurvey
-- write: true
SELECT s.id, s.code, s.service_unit_id, s.service_id, s.name, s.starts_on, s.ends_on, s.state, s.elements, s.population, s.is_open_link,
       's:' || s.id AS answer_token, s.published_at, s.version, s.created_at, s.updated_at
FROM   survey_act(:survey_id, :actor_units::ltree[], 'open') s

-- name: closeSurvey
-- write: true
SELECT s.id, s.code, s.service_unit_id, s.service_id, s.name, s.starts_on, s.ends_on, s.state, s.elements, s.population, s.is_open_link,
       's:' || s.id AS answer_token, s.published_at, s.version, s.created_at, s.updated_at
FROM   survey_act(:survey_id, :actor_units::ltree[], 'closed') s

-- ── what came of it (commands) ── all read the same: the elements with their counts, the bounds of the categories

-- name: getSurveyResult.survey
SELECT s.id, s.population, s.state
FROM   survey s JOIN service_unit p ON p.id = s.service_unit_id JOIN unit u ON u.id = p.unit_id
WHERE  s.id = :survey_id AND u.path <@ ANY (:actor_units::ltree[])

-- name: getSurveyResult.elements
SELECT e.code, r.name, coalesce(t.n1, 0) AS n1, coalesce(t.n2, 0) AS n2, coalesce(t.n3, 0) AS n3, coalesce(t.n4, 0) AS n4
FROM   survey s
CROSS  JOIN LATERAL unnest(s.elements) WITH ORDINALITY AS e (code, place)
LEFT   JOIN reference r ON r.list = 'survey-element' AND r.code = e.code AND r.valid @> s.starts_on
LEFT   JOIN (SELECT c.element, sum(c.n) FILTER (WHERE c.value = '1') AS n1, sum(c.n) FILTER (WHERE c.value = '2') AS n2,
                    sum(c.n) FILTER (WHERE c.value = '3') AS n3, sum(c.n) FILTER (WHERE c.value = '4') AS n4
             FROM   survey_tally c WHERE c.survey_id = :survey_id GROUP BY c.element) t ON t.element = e.code
WHERE  s.id = :survey_id
ORDER  BY e.place

-- name: getSurveyResult.categories
SELECT r.code, r.facts ->> 'from' AS "from"
FROM   survey s JOIN reference r ON r.list = 'survey-category' AND r.valid @> s.ends_on
WHERE  s.id = :survey_id
ORDER  BY r.seq

-- What is published is what was worked out then.
-- name: getSurveyResult.reply
SELECT r.* FROM survey_summary(:survey_id, :index::numeric, :converted::numeric, :category::text, :elements::jsonb, :lowest::jsonb, :sample_target::bigint,
                               :rule_version::text) r

-- name: publishSurvey.survey
-- write: true
SELECT CASE WHEN NOT :if_match::int8multirange @> s.version THEN 'version-stale' WHEN s.state <> 'closed' THEN 'survey-not-closed' END AS _problem,
       s.id, s.population, s.state
FROM   survey s JOIN service_unit p ON p.id = s.service_unit_id JOIN unit u ON u.id = p.unit_id
WHERE  s.id = :survey_id AND u.path <@ ANY (:actor_units::ltree[])
FOR    UPDATE OF s

-- name: publishSurvey.store
WITH told AS (
    SELECT to_jsonb(r) - '{trapped,state}'::text[] AS result
    FROM   survey_summary(:survey_id, :index::numeric, :converted::numeric, :category::text, :elements::jsonb, :lowest::jsonb, :sample_target::bigint,
                          :rule_version::text) r
)
UPDATE survey s SET state = 'published', published_at = now(), result = t.result
FROM   told t
WHERE  s.id = :survey_id
RETURNING s.id, s.code, s.service_unit_id, s.service_id, s.name, s.starts_on, s.ends_on, s.state, s.elements, s.population, s.is_open_link,
          's:' || s.id AS answer_token, s.published_at, s.version, s.created_at, s.updated_at

-- All surveys of the unit and its services whose last day lies in the period.
-- name: getUnitSatisfaction.unit
SELECT p.id, p.unit_id FROM service_unit p JOIN unit u ON u.id = p.unit_id WHERE p.id = :service_unit_id AND u.path <@ ANY (:actor_units::ltree[])

-- name: getUnitSatisfaction.elements
SELECT s.id AS survey_id, s.code AS survey_code, s.service_id, e.code,
       coalesce(t.n1, 0) AS n1, coalesce(t.n2, 0) AS n2, coalesce(t.n3, 0) AS n3, coalesce(t.n4, 0) AS n4,
       coalesce(max(t.respondents) OVER (PARTITION BY s.id), 0) AS respondents
FROM   survey s
CROSS  JOIN LATERAL unnest(s.elements) WITH ORDINALITY AS e (code, place)
LEFT   JOIN LATERAL (SELECT c.element, sum(c.n) FILTER (WHERE c.value = '1') AS n1, sum(c.n) FILTER (WHERE c.value = '2') AS n2,
                            sum(c.n) FILTER (WHERE c.value = '3') AS n3, sum(c.n) FILTER (WHERE c.value = '4') AS n4,
                            sum(sum(c.n) FILTER (WHERE c.element = 'n')) OVER () AS respondents
                     FROM   survey_tally c WHERE c.survey_id = s.id GROUP BY c.element) t ON t.element = e.code
WHERE  s.service_unit_id = :service_unit_id AND s.ends_on BETWEEN :from AND :to AND s.state <> 'draft'
       AND coalesce((s.state = 'published') = :is_published::boolean, true)
ORDER  BY s.id, e.place

-- name: getUnitSatisfaction.categories
SELECT r.code, r.facts ->> 'from' AS "from" FROM reference r WHERE r.list = 'survey-category' AND r.valid @> :to::date ORDER BY r.seq

-- name: getUnitSatisfaction.reply
SELECT :service_unit_id::uuid AS service_unit_id, :from::date AS "from", :to::date AS "to", :respondents::bigint AS respondents, :pooled_index::numeric AS pooled_index,
       :pooled::numeric AS pooled, :pooled_category::text AS pooled_category, :mean::numeric AS mean_of_surveys, :surveys::jsonb AS surveys,
       :rule_version::text AS rule_version

-- ── open to all ── The token was made here (x-sealed); of whoever answers nothing is known.

-- name: getTicketForm
SELECT s.name AS survey_name, p.name AS unit_name, v.name AS service_name, w.is_open,
       EXISTS (SELECT FROM survey_receipt q WHERE q.ticket_id = w.ticket_id) AS is_answered,
       (SELECT jsonb_agg(jsonb_build_object('code', e.code, 'name', r.name, 'name_en', r.name_en, 'question', r.facts ->> 'question') ORDER BY e.place)
        FROM   unnest(s.elements) WITH ORDINALITY AS e (code, place)
        LEFT   JOIN reference r ON r.list = 'survey-element' AND r.code = e.code AND r.valid @> s.starts_on) AS elements
FROM   survey_of_token(:token) w
JOIN   survey s ON s.id = w.survey_id
JOIN   service_unit p ON p.id = s.service_unit_id
LEFT   JOIN service v ON v.id = w.service_id

-- name: getSurveyForm
SELECT s.name AS survey_name, p.name AS unit_name, v.name AS service_name, w.is_open, false AS is_answered,
       (SELECT jsonb_agg(jsonb_build_object('code', e.code, 'name', r.name, 'name_en', r.name_en, 'question', r.facts ->> 'question') ORDER BY e.place)
        FROM   unnest(s.elements) WITH ORDINALITY AS e (code, place)
        LEFT   JOIN reference r ON r.list = 'survey-element' AND r.code = e.code AND r.valid @> s.starts_on) AS elements
FROM   survey_of_token(:token) w
JOIN   survey s ON s.id = w.survey_id
JOIN   service_unit p ON p.id = s.service_unit_id
LEFT   JOIN service v ON v.id = w.service_id

-- name: answerTicket
-- write: true
SELECT t.problem AS _problem, t.pointer AS _pointer, t.value AS _value, true AS taken, :form_id::uuid AS form_id FROM survey_take(:token, :body::jsonb) t

-- name: answerSurvey
-- write: true
SELECT t.problem AS _problem, t.pointer AS _pointer, t.value AS _value, true AS taken, :form_id::uuid AS form_id FROM survey_take(:token, :body::jsonb) t

-- name: listPublishedSurveys
-- sort: -published_at = s.published_at DESC AS published_at, s.id DESC AS id
SELECT s.id, s.code, s.name, p.name AS unit_name, v.name AS service_name, s.starts_on, s.ends_on, s.published_at, s.result,
       (SELECT coalesce(jsonb_agg(jsonb_build_object('element', f.element, 'action', f.action, 'due_on', f.due_on, 'state', f.state) ORDER BY f.id), '[]')
        FROM   follow_up f WHERE f.survey_id = s.id) AS follow_ups
FROM   survey s
JOIN   service_unit p ON p.id = s.service_unit_id
LEFT   JOIN service v ON v.id = s.service_id
WHERE  s.state = 'published'
/*? service_unit_id */ AND s.service_unit_id = :service_unit_id /*? */
/* page */

-- name: listPublishedFeedback
-- sort: id = f.id AS id
SELECT f.id, f.text, to_char(f.received_on, 'YYYY-MM') AS month
FROM   feedback f
WHERE  f.survey_id = :survey_id AND f.state = 'approved'
/* page */

-- ── what is done about it ──

-- name: listFollowUps
-- sort: id = f.id AS id
SELECT f.id, f.survey_id, f.element, f.action, f.responsible, f.due_on, f.state, f.note, f.version, f.created_at, f.updated_at
FROM   follow_up f
JOIN   survey s ON s.id = f.survey_id
JOIN   service_unit p ON p.id = s.service_unit_id
JOIN   unit u ON u.id = p.unit_id
WHERE  f.survey_id = :survey_id
/*? actor_units */ AND u.path <@ ANY (:actor_units::ltree[]) /*? */
/* page */

-- name: getFollowUp
SELECT f.id, f.survey_id, f.element, f.action, f.responsible, f.due_on, f.state, f.note, f.version, f.created_at, f.updated_at
FROM   follow_up f
JOIN   survey s ON s.id = f.survey_id
JOIN   service_unit p ON p.id = s.service_unit_id
JOIN   unit u ON u.id = p.unit_id
WHERE  f.id = :follow_up_id AND f.survey_id = :survey_id AND u.path <@ ANY (:actor_units::ltree[])

-- name: createFollowUp
INSERT INTO follow_up AS f (id, survey_id, element, action, responsible, due_on)
SELECT :new_id, s.id, :element, :action, :responsible, :due_on
FROM   survey s JOIN service_unit p ON p.id = s.service_unit_id JOIN unit u ON u.id = p.unit_id
WHERE  s.id = :survey_id AND u.path <@ ANY (:actor_units::ltree[])
RETURNING f.id, f.survey_id, f.element, f.action, f.responsible, f.due_on, f.state, f.note, f.version, f.created_at, f.updated_at

-- name: updateFollowUp
WITH cur AS (
    SELECT f AS rec FROM follow_up f JOIN survey s ON s.id = f.survey_id JOIN service_unit p ON p.id = s.service_unit_id JOIN unit u ON u.id = p.unit_id
    WHERE  f.id = :follow_up_id AND f.survey_id = :survey_id AND u.path <@ ANY (:actor_units::ltree[])
    FOR    UPDATE OF f
), want AS (
    SELECT w.*, CASE WHEN NOT :if_match::int8multirange @> (cur.rec).version THEN 'version-stale' END AS problem
    FROM   cur, jsonb_populate_record(cur.rec, :body::jsonb) AS w
), done AS (
    UPDATE follow_up f
    SET    action = w.action, responsible = w.responsible, due_on = w.due_on, state = w.state, note = w.note
    FROM   want w
    WHERE  f.id = w.id AND w.problem IS NULL
    RETURNING f.*
)
SELECT w.problem AS _problem, d.id, d.survey_id, d.element, d.action, d.responsible, d.due_on, d.state, d.note, d.version, d.created_at, d.updated_at
FROM   want w LEFT JOIN done d ON true

-- name: chore.settleSurveys
-- write: true
SELECT survey_settle(500)

-- ── what was written ──

-- name: listFeedback
-- sort: id = f.id AS id
SELECT f.id, f.survey_id, f.text, f.received_on, f.state, f.reason, f.moderated_by_name, f.version
FROM   feedback f
JOIN   survey s ON s.id = f.survey_id
JOIN   service_unit p ON p.id = s.service_unit_id
JOIN   unit u ON u.id = p.unit_id
WHERE  true
/*? actor_units */ AND u.path <@ ANY (:actor_units::ltree[]) /*? */
/*? survey_id */ AND f.survey_id = :survey_id /*? */
/*? state */ AND f.state = :state /*? */
/* page */

-- name: getFeedback
SELECT f.id, f.survey_id, f.text, f.received_on, f.state, f.reason, f.moderated_by_name, f.version
FROM   feedback f
JOIN   survey s ON s.id = f.survey_id
JOIN   service_unit p ON p.id = s.service_unit_id
JOIN   unit u ON u.id = p.unit_id
WHERE  f.id = :feedback_id AND u.path <@ ANY (:actor_units::ltree[])

-- name: moderateFeedback
WITH cur AS (
    SELECT f.id, f.version FROM feedback f JOIN survey s ON s.id = f.survey_id JOIN service_unit p ON p.id = s.service_unit_id JOIN unit u ON u.id = p.unit_id
    WHERE  f.id = :feedback_id AND u.path <@ ANY (:actor_units::ltree[])
    FOR    UPDATE OF f
), done AS (
    UPDATE feedback f SET state = :state, reason = :reason, moderated_by_name = :actor_name
    FROM   cur c
    WHERE  f.id = c.id AND :if_match::int8multirange @> c.version
    RETURNING f.*
)
SELECT CASE WHEN d.id IS NULL THEN 'version-stale' END AS _problem,
       d.id, d.survey_id, d.text, d.received_on, d.state, d.reason, d.moderated_by_name, d.version
FROM   cur c LEFT JOIN done d ON true
