-- Import of questionnaires on paper. The stage holds one batch: all fields are text, NULL = the file does not say, '' = it says: empty; told: the answers of
-- the columns.

-- name: importQuestionnaires.stage
CREATE TEMPORARY TABLE IF NOT EXISTS import_stage_questionnaire (
    place bigint, line bigint, is_refused boolean, session_id text, role text, batch text, form text, r1 text, r2 text, r3 text, r4 text, r5 text, r6 text,
    r7 text, r8 text, r9 text, r10 text, b1 text, b2 text, b3 text, b4 text, b5 text, b6 text, b7 text, b8 text, b9 text, b10 text, item text, answer text,
    told jsonb
) ON COMMIT DELETE ROWS

-- One file at a time.
-- name: importQuestionnaires.lock
SELECT pg_advisory_xact_lock(1918, 31)

-- A batch is known by session, role and name, and is counted once, as a whole. Sessions whose forms are counted are held, so that their days stay.
-- name: importQuestionnaires.merge
-- timeout: 600000
WITH laid AS (
    SELECT s.place, s.line, s.is_refused, s.session_id AS told_session, n.id AS session_id, n.state, n.ends_on, n.organiser_unit_id, nullif(s.role, '') AS role,
           nullif(s.batch, '') AS batch, nullif(s.form, '') AS form,
           s.told || CASE WHEN nullif(s.item, '') IS NOT NULL AND nullif(s.answer, '') IS NOT NULL THEN jsonb_build_object(s.item, s.answer::integer) ELSE '{}' END AS answers,
           CASE WHEN s.role = 'participant' THEN n.ends_on ELSE (effect_window_of(n.id)).behaviour_opens END AS asked_on,
           CASE WHEN s.role = 'participant' THEN 'reaction-item' ELSE 'behaviour-item' END AS items
    FROM   import_stage_questionnaire s
    LEFT   JOIN session n ON n.id = nullif(s.session_id, '')::uuid
), faced AS (
    SELECT l.*, effect_unasked(l.items, l.asked_on, l.answers) AS unasked, row(l.session_id, l.role, l.batch)::text AS bundle_key,
           row(l.session_id, l.role, l.batch, l.form)::text AS form_key, count(*) OVER (PARTITION BY l.session_id, l.role, l.batch, l.form) > 1 AS is_in_parts
    FROM   laid l
), answered AS ( -- a form of which several rows tell
    SELECT f.place, first_value(f.line) OVER same AS first_line, row_number() OVER same > 1 AS is_again
    FROM   faced f CROSS JOIN LATERAL jsonb_object_keys(f.answers) AS k
    WHERE  f.is_in_parts
    WINDOW same AS (PARTITION BY f.form_key, k ORDER BY f.place)
), again AS (
    SELECT a.place, min(a.first_line) AS first_line FROM answered a WHERE a.is_again GROUP BY a.place
), judged AS (
    SELECT f.*, coalesce(e.line, g.first_line) AS first_line,
           CASE WHEN f.session_id IS NULL AND f.told_session IS NOT NULL THEN 'session-unknown'
                WHEN f.session_id IS NULL OR f.role IS NULL OR f.batch IS NULL OR f.form IS NULL THEN NULL
                WHEN NOT organiser_seen(f.organiser_unit_id, :actor_units::ltree[]) THEN 'session-foreign'
                WHEN f.state = 'cancelled' THEN 'session-cancelled'
                WHEN f.asked_on > local_today() THEN 'too-early'
                WHEN f.unasked IS NOT NULL THEN 'answer-unasked'
                WHEN e.line IS NOT NULL OR g.place IS NOT NULL THEN 'duplicate-row' END AS fault
    FROM   faced f
    LEFT   JOIN again g ON g.place = f.place
    LEFT   JOIN import_seen e ON e.key = f.form_key
), bundle AS (
    SELECT j.session_id, j.role, j.batch, count(DISTINCT j.form) AS forms, bool_or(j.is_refused OR j.fault IS NOT NULL) AS is_broken, p.forms AS counted,
           bool_or(e.line IS NOT NULL) AS is_seen
    FROM   judged j
    LEFT   JOIN paper_batch p ON (p.session_id, p.role, p.batch) = (j.session_id, j.role, j.batch)
    LEFT   JOIN import_seen e ON e.key = j.bundle_key
    WHERE  j.session_id IS NOT NULL AND j.role IS NOT NULL AND j.batch IS NOT NULL
    GROUP  BY j.session_id, j.role, j.batch, p.forms
), ruled AS (
    SELECT b.*, CASE WHEN b.is_broken THEN 'batch-broken'
                     WHEN b.counted <> b.forms OR b.is_seen THEN 'batch-counted' -- the rest of one that the file told in part before
                     WHEN b.forms < training_number('small_group', local_today()) THEN 'batch-few' END AS fault
    FROM   bundle b
), made AS (
    INSERT INTO paper_batch (session_id, role, batch, forms, actor_key, actor_name)
    SELECT r.session_id, r.role, r.batch, r.forms, :actor_key, :actor_name FROM ruled r WHERE r.fault IS NULL AND r.counted IS NULL ORDER BY r.session_id, r.role, r.batch
    RETURNING id, session_id, role, batch
), seen AS (
    INSERT INTO import_seen (key, line)
    SELECT k.key, min(j.line)
    FROM   judged j JOIN ruled r ON (r.session_id, r.role, r.batch) = (j.session_id, j.role, j.batch) CROSS JOIN LATERAL (VALUES (j.bundle_key), (j.form_key)) AS k (key)
    WHERE  r.fault IS NULL
    GROUP  BY k.key
    ON     CONFLICT DO NOTHING
), counted AS (
    INSERT INTO paper_tally (batch_id, item, value, n)
    SELECT m.id, e.key, e.value::integer, count(*)
    FROM   made m JOIN judged j ON (j.session_id, j.role, j.batch) = (m.session_id, m.role, m.batch) CROSS JOIN LATERAL jsonb_each_text(j.answers) AS e
    GROUP  BY m.id, e.key, e.value
    RETURNING 1
), told AS (
    SELECT j.place, CASE j.fault WHEN 'answer-unasked' THEN j.unasked WHEN 'duplicate-row' THEN 'form' WHEN 'too-early' THEN 'role' ELSE 'session_id' END AS "column", j.fault AS code,
           CASE j.fault WHEN 'answer-unasked' THEN j.unasked WHEN 'duplicate-row' THEN j.form WHEN 'too-early' THEN j.asked_on::text ELSE j.told_session END AS value,
           CASE j.fault WHEN 'duplicate-row' THEN j.first_line::text END AS told
    FROM   judged j
    WHERE  j.fault IS NOT NULL
    UNION ALL
    SELECT j.place, 'batch', r.fault, r.batch, CASE r.fault WHEN 'batch-counted' THEN r.counted::text WHEN 'batch-few' THEN r.forms::text END
    FROM   judged j JOIN ruled r ON (r.session_id, r.role, r.batch) = (j.session_id, j.role, j.batch)
    WHERE  r.fault IS NOT NULL AND j.fault IS NULL AND NOT j.is_refused
)
SELECT t.place, t."column", t.code, t.value, t.told, NULL::bigint AS created, NULL::bigint AS updated
FROM   told t
UNION ALL
SELECT NULL, NULL, NULL, NULL, NULL,
       (SELECT count(*) FROM judged j JOIN made m ON (j.session_id, j.role, j.batch) = (m.session_id, m.role, m.batch)), 0
ORDER  BY place NULLS LAST
