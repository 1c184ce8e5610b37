-- Import of answers on paper. The stage holds one batch: all fields are text, NULL = the file does not say; told is what was answered.

-- name: importSurveyAnswers.stage
CREATE TEMPORARY TABLE IF NOT EXISTS import_stage_survey_answer (
    place bigint, line bigint, is_refused boolean, survey text, form text, answered_on text, service_code text, u1 text, u2 text, u3 text, u4 text,
    u5 text, u6 text, u7 text, u8 text, u9 text, sex text, age_group text, education text, occupation text, comment text, told jsonb
) ON COMMIT DELETE ROWS

-- Nobody closes a survey while its forms come in.
-- name: importSurveyAnswers.lock
-- write: true
SELECT pg_advisory_xact_lock_shared(survey_lock(s.id))
FROM   survey s JOIN service_unit p ON p.id = s.service_unit_id JOIN unit u ON u.id = p.unit_id
WHERE  s.code IN (SELECT i.survey FROM import_stage_survey_answer i) AND u.path <@ ANY (:actor_units::ltree[])
ORDER  BY s.id

-- name: importSurveyAnswers.merge
-- timeout: 600000
WITH laid AS (
    SELECT i.place, i.line, i.is_refused, i.survey, i.form, nullif(i.answered_on, '')::date AS answered_on, i.service_code, i.told, nullif(i.sex, '') AS sex,
           nullif(i.age_group, '') AS age_group, nullif(i.education, '') AS education, nullif(i.occupation, '') AS occupation, nullif(i.comment, '') AS comment,
           s.id AS survey_id, s.state, s.elements, s.starts_on, s.ends_on, coalesce(s.service_id, v.id) AS service_id,
           nullif(i.service_code, '') IS NOT NULL AND (v.id IS NULL OR s.service_id <> v.id) AS is_other_service,
           (SELECT k FROM jsonb_object_keys(i.told) AS k WHERE k <> ALL (s.elements) ORDER BY k LIMIT 1) AS unasked
    FROM   import_stage_survey_answer i
    LEFT   JOIN LATERAL (SELECT w.* FROM survey w JOIN service_unit p ON p.id = w.service_unit_id JOIN unit u ON u.id = p.unit_id
                         WHERE  w.code = i.survey AND u.path <@ ANY (:actor_units::ltree[])) s ON true
    LEFT   JOIN service v ON v.code = i.service_code AND v.service_unit_id = s.service_unit_id
), weighed AS (
    SELECT l.*, concat_ws(' ', l.survey_id, l.form) AS key,
           CASE WHEN l.survey_id IS NULL THEN 'survey-unknown' WHEN l.state <> 'open' THEN 'survey-closed'
                WHEN l.is_other_service THEN 'service-unknown' WHEN l.unasked IS NOT NULL THEN 'answer-unasked'
                WHEN NOT l.answered_on BETWEEN l.starts_on AND least(l.ends_on, local_today()) THEN 'day-outside' END AS own_fault
    FROM   laid l
), judged AS (
    SELECT w.*, coalesce(e.line, first_value(w.line) OVER same) AS first_line,
           coalesce(w.own_fault, CASE WHEN NOT w.is_refused AND (e.line IS NOT NULL OR row_number() OVER same > 1) THEN 'duplicate-row' END) AS fault
    FROM   weighed w
    LEFT   JOIN import_seen e ON e.key = w.key
    WINDOW same AS (PARTITION BY w.key, w.is_refused OR w.own_fault IS NOT NULL ORDER BY w.place)
), surveys AS MATERIALIZED (
    SELECT array_agg(s.code ORDER BY s.code) AS codes, array_agg(s.name ORDER BY s.code) AS names
    FROM   survey s JOIN service_unit p ON p.id = s.service_unit_id JOIN unit u ON u.id = p.unit_id
    WHERE  u.path <@ ANY (:actor_units::ltree[])
), meant AS MATERIALIZED (
    SELECT w.survey_id, w.told,
           CASE WHEN w.survey_id IS NULL THEN (SELECT code_meant(w.told, s.codes, s.names) FROM surveys s)
                ELSE (SELECT code_meant(w.told, array_agg(v.code ORDER BY v.code), array_agg(v.name ORDER BY v.code))
                      FROM   survey s JOIN service v ON v.service_unit_id = s.service_unit_id AND v.id = coalesce(s.service_id, v.id)
                      WHERE  s.id = w.survey_id) END AS code
    FROM   (SELECT DISTINCT j.survey_id, CASE j.fault WHEN 'survey-unknown' THEN j.survey ELSE j.service_code END AS told
            FROM   judged j WHERE j.fault IN ('survey-unknown', 'service-unknown') LIMIT 200) w
), taken AS (
    INSERT INTO survey_receipt (survey_id, form, answered_on)
    SELECT j.survey_id, 'paper:' || j.form, j.answered_on
    FROM   judged j
    WHERE  NOT j.is_refused AND j.fault IS NULL
    ORDER  BY j.survey_id, j.form
    ON CONFLICT ON CONSTRAINT survey_receipt_pkey DO NOTHING
    RETURNING survey_id, form
), seen AS (
    INSERT INTO import_seen (key, line) SELECT j.key, j.line FROM judged j WHERE NOT j.is_refused AND j.fault IS NULL ON CONFLICT DO NOTHING
), fresh AS (
    SELECT j.* FROM judged j JOIN taken t ON t.survey_id = j.survey_id AND t.form = 'paper:' || j.form WHERE NOT j.is_refused AND j.fault IS NULL
), made AS (
    INSERT INTO survey_answer (survey_id, service_id, answered_on, channel, answers, sex, age_group, education, occupation)
    SELECT f.survey_id, f.service_id, f.answered_on, 'paper', f.told, f.sex, f.age_group, f.education, f.occupation FROM fresh f
    RETURNING 1
), written AS (
    INSERT INTO feedback (survey_id, text, received_on) SELECT f.survey_id, f.comment, f.answered_on FROM fresh f WHERE f.comment IS NOT NULL
)
SELECT j.place, CASE j.fault WHEN 'survey-unknown' THEN 'survey' WHEN 'survey-closed' THEN 'survey' WHEN 'duplicate-row' THEN 'form'
                             WHEN 'service-unknown' THEN 'service_code' WHEN 'answer-unasked' THEN j.unasked ELSE 'answered_on' END AS "column",
       j.fault AS code, CASE j.fault WHEN 'survey-unknown' THEN j.survey WHEN 'survey-closed' THEN j.survey WHEN 'duplicate-row' THEN j.form
                                     WHEN 'service-unknown' THEN j.service_code WHEN 'answer-unasked' THEN j.told ->> j.unasked
                                     ELSE j.answered_on::text END AS value,
       CASE j.fault WHEN 'duplicate-row' THEN j.first_line::text END AS told, NULL::bigint AS created, NULL::bigint AS updated,
       CASE WHEN j.fault IN ('survey-unknown', 'service-unknown')
            THEN (SELECT m.code FROM meant m WHERE m.survey_id IS NOT DISTINCT FROM j.survey_id AND m.told = CASE j.fault WHEN 'survey-unknown' THEN j.survey ELSE j.service_code END)
       END AS suggestion
FROM   judged j
WHERE  j.fault IS NOT NULL
UNION ALL
SELECT NULL, NULL, NULL, NULL, NULL, (SELECT count(*) FROM made), 0, NULL
ORDER  BY place NULLS LAST
