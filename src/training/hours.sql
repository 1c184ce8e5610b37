-- Learning hours: the ledger that the database keeps (0024_partners_hours.sql), how people stand, and how offices do. See docs/learning-hours.md.

-- The year of a calendar year is the one in which its last day lies: the calendar's own, or the contract year that begins in it.
-- name: getLearningHours
SELECT a.nip, a.kind, w.year, p.rule_kind, p.basis, p.period_from AS "from", p.period_until AS until, t.entries, trim_scale(t.total_jp) AS total_jp,
       trim_scale(least(t.total_jp, r.ceiling_jp)) AS counted_jp, t.minutes, r.floor_jp, r.ceiling_jp, t.total_jp >= r.floor_jp AS is_floor_met,
       t.total_jp > r.ceiling_jp AS is_above_ceiling, trim_scale(greatest(r.floor_jp - t.total_jp, 0)) AS short_jp,
       trim_scale(greatest(t.total_jp - r.ceiling_jp, 0)) AS above_jp, trim_scale(f.jp) AS forecast_jp,
       t.total_jp + f.jp >= r.floor_jp AS is_floor_in_sight, r.source AS rule_source,
       jsonb_build_object('work', trim_scale(t.work_jp), 'others', trim_scale(t.others_jp), 'class', trim_scale(t.class_jp)) AS shares
FROM   asn a
JOIN   unit u ON u.id = a.unit_id
CROSS  JOIN LATERAL (SELECT coalesce(:on::date, make_date(coalesce(:year::integer, extract(year FROM :today::date)::integer), 12, 31)) AS at) d
CROSS  JOIN LATERAL learning_period(a, d.at) p
CROSS  JOIN LATERAL (SELECT extract(year FROM p.period_from)::integer AS year) w
CROSS  JOIN LATERAL (SELECT count(*) FILTER (WHERE e.duplicate_of IS NULL)::integer AS entries, coalesce(sum(e.counted_jp), 0) AS total_jp,
                            coalesce(sum(e.minutes) FILTER (WHERE e.duplicate_of IS NULL), 0)::integer AS minutes,
                            coalesce(sum(e.counted_jp) FILTER (WHERE e.share = 70), 0) AS work_jp,
                            coalesce(sum(e.counted_jp) FILTER (WHERE e.share = 20), 0) AS others_jp,
                            coalesce(sum(e.counted_jp) FILTER (WHERE coalesce(e.share, 10) = 10), 0) AS class_jp
                     FROM   learning_entry e WHERE e.asn_id = a.id AND (e.rule_kind, e.period_from) = (p.rule_kind, p.period_from)) t
LEFT   JOIN LATERAL learning_bounds(a, p.rule_kind, w.year) r ON true
CROSS  JOIN LATERAL (SELECT learning_forecast(a.id, p.rule_kind, p.period_from) AS jp) f
WHERE  a.id = (SELECT asn_of_nip(:nip)) AND u.path <@ ANY (:actor_units::ltree[])

-- name: listLearningEntries
-- sort: last_day = x.last_day AS last_day, x.source_id AS source_id
-- sort: -last_day = x.last_day DESC AS last_day, x.source_id DESC AS source_id
SELECT x.source, x.source_id, x.is_forecast, x.name, x.organiser, x.certificate_number, x.first_day, x.last_day, x.form, x.form_name, x.counted_by, x.amount,
       x.minutes, x.told_jp, x.is_abroad, x.unit_jp, x.jp, x.counted_jp, x.notes, x.why, x.why_en, x.duplicate_of, x.share, x.rule_kind, x.basis, x.period_from,
       x.period_until, x.year
FROM   (SELECT (c.entry).source, (c.entry).source_id, c.is_forecast, c.name, c.organiser, c.certificate_number, (c.entry).first_day, (c.entry).last_day,
               (c.entry).form, c.form_name, (c.entry).counted_by, trim_scale((c.entry).amount) AS amount, (c.entry).minutes,
               trim_scale((c.entry).told_jp) AS told_jp, (c.entry).is_abroad, trim_scale((c.entry).unit_jp) AS unit_jp, trim_scale((c.entry).jp) AS jp,
               trim_scale((c.entry).counted_jp) AS counted_jp, (c.entry).notes, learning_words(c.entry, 'id') AS why, learning_words(c.entry, 'en') AS why_en,
               (c.entry).duplicate_of, (c.entry).share, (c.entry).rule_kind, (c.entry).basis, (c.entry).period_from, (c.entry).period_until, (c.entry).year
        FROM   asn a JOIN unit u ON u.id = a.unit_id CROSS JOIN LATERAL learning_count(ARRAY[a.id]) c
        WHERE  a.id = (SELECT asn_of_nip(:nip)) AND u.path <@ ANY (:actor_units::ltree[])) x
WHERE  true
/*? year */ AND x.year = :year /*? */
/*? source */ AND x.source = :source /*? */
/*? is_forecast */ AND x.is_forecast = :is_forecast /*? */
/* page */

-- What the rules of src/rules work out from the trainings themselves, held against the ledger.
-- name: recountLearningHours.person
SELECT a.id, p.rule_kind, p.period_from AS "from", p.period_until AS until, r.floor_jp, r.ceiling_jp,
       (SELECT coalesce(sum(e.counted_jp), 0) FROM learning_entry e
        WHERE  e.asn_id = a.id AND (e.rule_kind, e.period_from) = (p.rule_kind, p.period_from)) AS ledger_jp
FROM   asn a
JOIN   unit u ON u.id = a.unit_id
CROSS  JOIN LATERAL learning_period(a, coalesce(:on::date, make_date(coalesce(:year::integer, extract(year FROM :today::date)::integer), 12, 31))) p
LEFT   JOIN LATERAL learning_bounds(a, p.rule_kind, extract(year FROM p.period_from)::integer) r ON true
WHERE  a.id = (SELECT asn_of_nip(:nip)) AND u.path <@ ANY (:actor_units::ltree[])

-- In the order in which they count. origin: what the year is counted from, null: the calendar's; since: before which it does not begin.
-- name: recountLearningHours.inputs
SELECT s.first_day, s.last_day, s.form, s.form_facts ->> 'counted_by' AS counted_by,
       s.form_facts ->> CASE WHEN s.is_abroad THEN 'jp_abroad' ELSE 'jp_national' END AS unit_jp, (s.form_facts ->> 'is_up_to')::boolean IS TRUE AS is_up_to,
       CASE WHEN s.is_abroad THEN s.form_facts ->> 'jp_factor_abroad' END AS jp_factor,
       CASE WHEN NOT s.is_abroad THEN s.form_facts ->> 'month_most' END AS month_most,
       s.amount, s.minutes, CASE WHEN s.minutes IS NULL THEN s.told_jp END AS told_jp, reference_fold(s.name) AS title,
       certificate_paper(s.organiser, s.certificate_number) AS paper,
       p.rule_kind, p.origin, p.since
FROM   asn a
JOIN   learning_source s ON s.asn_id = a.id AND NOT s.is_forecast
CROSS  JOIN LATERAL learning_period(a, s.last_day) p
WHERE  a.id = (SELECT asn_of_nip(:nip))
ORDER  BY s.source = 'course', s.last_day, s.source_id

-- name: recountLearningHours.reply
SELECT :nip::text AS nip, :from::date AS "from", :until::date AS until, trim_scale(:total_jp::numeric) AS total_jp, trim_scale(:counted_jp::numeric) AS counted_jp,
       trim_scale(:short_jp::numeric) AS short_jp, trim_scale(:above_jp::numeric) AS above_jp, trim_scale(:ledger_jp::numeric) AS ledger_jp,
       :total_jp::numeric = :ledger_jp::numeric AS agrees

-- Who stands how: one row a person, for the year in which the last day of the calendar year lies.
-- name: listLearningStanding
-- timeout: 30000
-- sort: nip = a.nip AS nip
-- sort: -nip = a.nip DESC AS nip
-- sort: unit = u.path AS _path, a.nip AS nip
SELECT a.nip, a.name, a.kind, a.unit_id, u.name AS unit_name, p.rule_kind, p.basis, p.period_from AS "from", p.period_until AS until, t.entries,
       trim_scale(t.total_jp) AS total_jp, trim_scale(least(t.total_jp, r.ceiling_jp)) AS counted_jp, r.floor_jp, r.ceiling_jp,
       trim_scale(greatest(r.floor_jp - t.total_jp, 0)) AS short_jp, trim_scale(greatest(t.total_jp - r.ceiling_jp, 0)) AS above_jp,
       trim_scale(learning_forecast(a.id, p.rule_kind, p.period_from)) AS forecast_jp, u.path AS _path
FROM   asn a
JOIN   unit u ON u.id = a.unit_id
CROSS  JOIN LATERAL learning_period(a, make_date(coalesce(:year::integer, extract(year FROM :today::date)::integer), 12, 31)) p
CROSS  JOIN LATERAL (SELECT count(*) FILTER (WHERE e.duplicate_of IS NULL)::integer AS entries, coalesce(sum(e.counted_jp), 0) AS total_jp
                     FROM   learning_entry e WHERE e.asn_id = a.id AND (e.rule_kind, e.period_from) = (p.rule_kind, p.period_from)) t
LEFT   JOIN LATERAL learning_bounds(a, p.rule_kind, extract(year FROM p.period_from)::integer) r ON true
WHERE  a.legal_status = ANY (ARRAY(SELECT s.code FROM employed_status s))
/*? actor_units */ AND u.path <@ ANY (:actor_units::ltree[]) /*? */
/*? under */ AND u.path <@ (SELECT n.path FROM unit n WHERE n.id = :under) /*? */
/*? kind */ AND a.kind = :kind /*? */
/*? standing */ AND CASE :standing::text WHEN 'short' THEN t.total_jp < r.floor_jp WHEN 'met' THEN t.total_jp >= r.floor_jp
                                         ELSE t.total_jp > r.ceiling_jp END /*? */
/* page */

-- Each unit with all that is below it, so that the first row of a tree is the agency. Whoever has a floor is counted. They come by their index in the
-- order of the tree (of labels of 0 to f, below a way is what comes before its g), those of a caller's subtrees from within: so that only those of the page are worked out.
-- name: listLearningAttainment
-- timeout: 30000
-- sort: unit = x.path AS _path
SELECT x.unit_id, x.unit_code, x.unit_name, x.depth, x.people, x.met, x.people - x.met AS short, x.percent, x.total_jp, x.mean_jp, x.short_jp, x.work_jp,
       x.others_jp, x.class_jp, x.work_percent, x.others_percent, x.class_percent, x.path AS _path
FROM   (SELECT b.id AS unit_id, b.code AS unit_code, b.name AS unit_name, nlevel(b.path) AS depth, b.path, h.people::integer AS people, h.met::integer AS met,
               round(h.met * 100 / h.people, 2) AS percent, trim_scale(h.total_jp) AS total_jp, round(h.total_jp / h.people, 2) AS mean_jp, trim_scale(h.short_jp) AS short_jp,
               trim_scale(h.work_jp) AS work_jp, trim_scale(h.others_jp) AS others_jp, trim_scale(h.total_jp - h.work_jp - h.others_jp) AS class_jp,
               round(h.work_jp * 100 / nullif(h.total_jp, 0), 2) AS work_percent, round(h.others_jp * 100 / nullif(h.total_jp, 0), 2) AS others_percent,
               round((h.total_jp - h.work_jp - h.others_jp) * 100 / nullif(h.total_jp, 0), 2) AS class_percent
        FROM   (SELECT v.id, v.code, v.name, v.path
                FROM   (SELECT u.id, u.code, u.name, u.path FROM unit u
                        WHERE  true /*? actor_units */ AND u.path <@ ANY (:actor_units::ltree[]) ORDER BY u.path /*? */) v
                WHERE  true /*? under */ AND v.path >= (SELECT n.path FROM unit n WHERE n.id = :under)
                                          AND v.path < (SELECT n.path || 'g'::ltree FROM unit n WHERE n.id = :under) ORDER BY v.path /*? */) b
        LEFT   JOIN (SELECT p.unit_id, jsonb_object_agg(p.key, p.n) AS parts FROM staff_pending('floor|', 'hours}') p GROUP BY p.unit_id) m ON m.unit_id = b.id
        CROSS  JOIN LATERAL learning_attained(b.id, coalesce(:year::integer, extract(year FROM :today::date)::integer), m.parts) h
        WHERE  h.people > 0) x
WHERE  true
/* page */

-- name: listLearningRules
-- sort: kind = l.kind AS kind, l.valid_from AS valid_from
SELECT l.kind, l.valid_from, l.floor_jp, l.ceiling_jp, l.source
FROM   learning_rule l
WHERE  true
/*? kind */ AND l.kind = :kind /*? */
/* page */

-- Whoever has no row has these terms too.
-- name: getSessionTerms
SELECT s.id AS session_id, coalesce(t.is_abroad, false) AS is_abroad, trim_scale(t.amount) AS amount, t.cost_per_head, coalesce(t.commits, 'taken') AS commits,
       t.budget_line_id, t.reason, coalesce(w.warnings, '{}') || budget_year_warnings(t.budget_line_id, s.starts_on) AS warnings, coalesce(t.version, 0) + 1 AS version
FROM   session s
LEFT   JOIN session_term t ON t.session_id = s.id
LEFT   JOIN (budget_line b CROSS JOIN LATERAL budget_standing(b) w) ON b.id = t.budget_line_id
WHERE  s.id = :session_id

-- A function, because what the line's warnings are must be read after what the change set off.
-- name: putSessionTerms
-- write: true
SELECT coalesce(f.problem, m.problem, p.problem) AS _problem, coalesce(f.pointer, m.pointer) AS _pointer, coalesce(f.value, m.value) AS _value,
       coalesce(f.word_en, m.word_en) AS _en, coalesce(f.word_id, m.word_id) AS _id, p.session_id, p.is_abroad, p.amount, p.cost_per_head, p.commits, p.budget_line_id,
       :body::jsonb ->> 'reason' AS reason, p.warnings || budget_year_warnings(p.budget_line_id, now.starts_on) AS warnings, p.version
FROM   (SELECT n.id, n.organiser_unit_id, n.starts_on FROM session n WHERE n.id = :session_id FOR NO KEY UPDATE) AS now
CROSS  JOIN LATERAL organiser_fault(false, now.organiser_unit_id, now.organiser_unit_id, :actor_units::ltree[]) f
CROSS  JOIN LATERAL budget_line_fault((SELECT t.budget_line_id FROM session_term t WHERE t.session_id = now.id), (:body::jsonb ->> 'budget_line_id')::uuid,
                                      :actor_units::ltree[]) m
LEFT   JOIN LATERAL session_term_put(CASE WHEN f.problem IS NULL AND m.problem IS NULL THEN now.id END, :if_match::int8multirange, :body::jsonb) p ON true

-- name: listTrainingDayLimits
-- sort: valid_from = l.valid_from AS valid_from
SELECT l.valid_from, l.jp, l.source, l.is_confirmed
FROM   training_day_limit l
WHERE  true
/* page */
