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
-- an activity too, and has its cost per head, counts once.
-- name: listTrainingCosts
-- timeout: 30000
-- sort: unit = x.path AS _path
SELECT x.unit_id, x.unit_code, x.unit_name, x.year, x.people, x.seats, round(x.sessions, 2) AS cost_sessions, round(x.activities, 2) AS cost_activities,
       round(x.sessions + x.activities, 2) AS cost, round((x.sessions + x.activities) / x.people, 2) AS cost_per_head, x.path AS _path
FROM   (SELECT u.id AS unit_id, u.code AS unit_code, u.name AS unit_name, u.path, c.year, count(DISTINCT c.asn_id)::integer AS people,
               count(*)::integer AS seats, sum(c.of_session) AS sessions, sum(c.of_activity) AS activities
        FROM   (SELECT e.asn_id, t.cost_per_head AS of_session, 0::numeric AS of_activity, y.year
                FROM   (SELECT coalesce(:year::integer, extract(year FROM :today::date)::integer) AS year) y
                JOIN   session s ON s.starts_on BETWEEN make_date(y.year, 1, 1) AND make_date(y.year, 12, 31) AND s.state <> 'cancelled'
                JOIN   session_term t ON t.session_id = s.id AND t.cost_per_head IS NOT NULL
                JOIN   enrolment e ON e.session_id = s.id AND enrolment_holds_seat(e.state)
                UNION ALL
                SELECT p.asn_id, 0, coalesce(a.cost_spent, a.cost_planned, 0) * a.our_share_percent / 100
                                    / (SELECT count(*) FROM activity_participant n WHERE n.activity_id = a.id), y.year
                FROM   (SELECT coalesce(:year::integer, extract(year FROM :today::date)::integer) AS year) y
                JOIN   activity a ON a.starts_on BETWEEN make_date(y.year, 1, 1) AND make_date(y.year, 12, 31) AND a.state <> 'cancelled'
                                     AND NOT EXISTS (SELECT FROM session_term t WHERE t.session_id = a.session_id AND t.cost_per_head IS NOT NULL)
                JOIN   activity_participant p ON p.activity_id = a.id AND p.asn_id IS NOT NULL) c
        JOIN   asn n ON n.id = c.asn_id
        JOIN   unit u ON u.id = n.unit_id
        WHERE  true
        /*? actor_units */ AND u.path <@ ANY (:actor_units::ltree[]) /*? */
        /*? under */ AND u.path <@ (SELECT r.path FROM unit r WHERE r.id = :under) /*? */
        GROUP  BY u.id, c.year) x
WHERE  true
/* page */
