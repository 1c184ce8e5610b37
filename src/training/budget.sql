-- The budget of training: lines of programmes, what is committed and spent of them, what a unit and a head costs. See docs/collaboration.md.

-- name: listBudgetLines
-- sort: id = b.id AS id
-- sort: -id = b.id DESC AS id
SELECT b.id, b.programme_id, p.name AS programme_name, b.year, b.source, b.account, b.planned, w.committed, w.spent, w.outstanding, w.remaining, b.warn_percent,
       w.warnings, b.organiser_unit_id, b.version, b.created_at, b.updated_at
FROM   budget_line b
JOIN   programme p ON p.id = b.programme_id
CROSS  JOIN LATERAL budget_standing(b) w
WHERE  true
/*? year */ AND b.year = :year /*? */
/*? programme_id */ AND b.programme_id = :programme_id /*? */
/*? source */ AND b.source = :source /*? */
/*? is_over */ AND b.is_over = :is_over /*? */
/* page */

-- name: getBudgetLine
SELECT b.id, b.programme_id, p.name AS programme_name, b.year, b.source, b.account, b.planned, w.committed, w.spent, w.outstanding, w.remaining, b.warn_percent,
       w.warnings, b.organiser_unit_id, b.version, b.created_at, b.updated_at
FROM   budget_line b
JOIN   programme p ON p.id = b.programme_id
CROSS  JOIN LATERAL budget_standing(b) w
WHERE  b.id = :budget_line_id

-- name: createBudgetLine
WITH fault AS (
    SELECT f.* FROM organiser_fault(true, NULL, :organiser_unit_id, :actor_units::ltree[]) f
), made AS (
    INSERT INTO budget_line (id, programme_id, year, source, account, planned, warn_percent, organiser_unit_id)
    SELECT :new_id, :programme_id, (:year::numeric)::integer, :source, :account, :planned, coalesce((:warn_percent::numeric)::integer, 100), :organiser_unit_id
    FROM   fault f
    WHERE  f.problem IS NULL
    RETURNING *
)
SELECT f.problem AS _problem, f.pointer AS _pointer, f.value AS _value, f.word_en AS _en, f.word_id AS _id,
       b.id, b.programme_id, (SELECT p.name FROM programme p WHERE p.id = b.programme_id) AS programme_name, b.year, b.source, b.account, b.planned,
       0.00 AS committed, 0.00 AS spent, 0.00 AS outstanding, b.planned AS remaining, b.warn_percent, '{}'::text[] AS warnings, b.organiser_unit_id, b.version,
       b.created_at, b.updated_at
FROM   fault f LEFT JOIN made b ON true

-- name: updateBudgetLine
-- write: true
SELECT coalesce(f.problem, w.problem) AS _problem, f.pointer AS _pointer, f.value AS _value, f.word_en AS _en, f.word_id AS _id,
       b.id, b.programme_id, p.name AS programme_name, b.year, b.source, b.account, b.planned, s.committed, s.spent, s.outstanding,
       s.remaining, b.warn_percent, s.warnings, b.organiser_unit_id, b.version, b.created_at, b.updated_at
FROM   (SELECT n.id, n.organiser_unit_id FROM budget_line n WHERE n.id = :budget_line_id FOR NO KEY UPDATE) AS now
CROSS  JOIN LATERAL organiser_fault(false, now.organiser_unit_id,
                                    CASE WHEN :body::jsonb ? 'organiser_unit_id' THEN (:body::jsonb ->> 'organiser_unit_id')::uuid ELSE now.organiser_unit_id END,
                                    :actor_units::ltree[]) f
LEFT   JOIN LATERAL budget_line_patch(CASE WHEN f.problem IS NULL THEN now.id END, :if_match::int8multirange, with_whole(:body::jsonb, 'warn_percent')) w ON true
LEFT   JOIN LATERAL (SELECT (w.b).*) b ON w.problem IS NULL
LEFT   JOIN programme p ON p.id = b.programme_id
LEFT   JOIN LATERAL budget_standing(w.b) s ON w.problem IS NULL

-- name: listExpenses
-- sort: id = x.id AS id
-- sort: -id = x.id DESC AS id
SELECT x.id, x.budget_line_id, x.session_id, x.activity_id, x.spent_on, x.amount, x.reference, x.note, x.actor_name, x.created_at
FROM   expense x
WHERE  x.budget_line_id = :budget_line_id
/* page */

-- name: createExpense
-- write: true
SELECT f.problem AS _problem, f.word_en AS _en, f.word_id AS _id, (w.x).id, (w.x).budget_line_id, (w.x).session_id, (w.x).activity_id, (w.x).spent_on, (w.x).amount, (w.x).reference, (w.x).note, (w.x).actor_name,
       (w.x).created_at, w.remaining,
       w.warnings || budget_year_warnings((w.x).budget_line_id, (w.x).spent_on) AS warnings
FROM   (SELECT n.id, n.organiser_unit_id FROM budget_line n WHERE n.id = :budget_line_id FOR NO KEY UPDATE) AS now
CROSS  JOIN LATERAL organiser_fault(false, now.organiser_unit_id, now.organiser_unit_id, :actor_units::ltree[]) f
LEFT   JOIN LATERAL expense_write(:new_id, CASE WHEN f.problem IS NULL THEN now.id END, :body::jsonb, :actor_name) w ON true

-- name: listBudgetWarnings
-- sort: -id = w.id DESC AS id
-- sort: id = w.id AS id
SELECT w.id, w.budget_line_id, b.programme_id, b.year, w.cause, w.cause_id, w.planned, w.spent, w.outstanding, b.is_over, w.created_at
FROM   budget_warning w
JOIN   budget_line b ON b.id = w.budget_line_id
WHERE  true
/*? budget_line_id */ AND w.budget_line_id = :budget_line_id /*? */
/* page */

-- What the people of each unit cost: seats that they hold at the session's cost per head, and their part of our share of activities. A session that is
-- an activity too, and has its cost per head, counts once. From kept sums.
-- name: listTrainingCosts
-- timeout: 30000
-- sort: unit = x.path AS _path
SELECT x.unit_id, x.unit_code, x.unit_name, x.year, x.people::integer AS people, x.seats::integer AS seats, round(x.sessions, 2) AS cost_sessions, round(x.activities, 2) AS cost_activities,
       round(x.sessions + x.activities, 2) AS cost, round((x.sessions + x.activities) / x.people, 2) AS cost_per_head, x.path AS _path
FROM   (SELECT b.id AS unit_id, b.code AS unit_code, b.name AS unit_name, b.path, y.year, c.people, c.seats, c.sessions, c.activities
        FROM   (SELECT v.id, v.code, v.name, v.path
                FROM   (SELECT u.id, u.code, u.name, u.path FROM unit u
                        WHERE  true /*? actor_units */ AND u.path <@ ANY (:actor_units::ltree[]) ORDER BY u.path /*? */) v
                WHERE  true /*? under */ AND v.path <@ (SELECT n.path FROM unit n WHERE n.id = :under) ORDER BY v.path /*? */) b
        CROSS  JOIN (SELECT coalesce(:year::integer, extract(year FROM :today::date)::integer) AS year) y
        LEFT   JOIN (SELECT p.unit_id, split_part(p.key, '|', 2)::integer AS year, jsonb_object_agg(p.key, p.own) AS parts FROM index_pending('cost|', 'cost}') p GROUP BY 1, 2) m
               ON m.unit_id = b.id AND m.year = y.year
        CROSS  JOIN LATERAL training_cost(b.id, y.year, m.parts) c
        WHERE  c.people > 0
               AND (SELECT count(*) > 0 FROM index_sums(staff_tops(:actor_units::ltree[], :under::uuid), concat('cost|', coalesce(:year::integer, extract(year FROM :today::date)::integer), '|people'),
                                                        concat('cost|', coalesce(:year::integer, extract(year FROM :today::date)::integer), '|people}')))) x -- of a year without any no unit is looked at
WHERE  true
/* page */
