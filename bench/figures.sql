-- What the nation's offices serve and rate, by sets; bench/figures.py runs the parts. Triggers are off but for those that keep sums (ENABLE ALWAYS), so that the sums are made by the same code
-- as ever, a statement's rows at a time. Receipts are left out: no figure reads them.
-- :units are those that serve, three services each; :low and :high are the tickets or answers of one part (0 … :most - 1), those of one service or survey side by side.

-- name: always
ALTER TABLE ticket ENABLE ALWAYS TRIGGER ticket_40_count_insert;
ALTER TABLE survey_answer ENABLE ALWAYS TRIGGER survey_answer_30_count;
ALTER TABLE survey_answer ENABLE ALWAYS TRIGGER survey_answer_35_officer_insert;

-- name: usual
ALTER TABLE ticket ENABLE TRIGGER ticket_40_count_insert;
ALTER TABLE survey_answer ENABLE TRIGGER survey_answer_30_count;
ALTER TABLE survey_answer ENABLE TRIGGER survey_answer_35_officer_insert;

-- name: served
INSERT INTO service_unit (id, unit_id, name)
SELECT ('01900000-0000-7000-9000-' || lpad(to_hex(u.n), 12, '0'))::uuid, u.id, u.name
FROM   (SELECT b.id, b.name, row_number() OVER (ORDER BY b.id) - 1 AS n FROM unit b WHERE nlevel(b.path) = 3 ORDER BY b.id LIMIT :units) u;
INSERT INTO service (id, service_unit_id, code, name, promise_minutes)
SELECT ('01900000-0000-7000-a000-' || lpad(to_hex(p.n * 3 + s), 12, '0'))::uuid, p.id, 'L' || p.n || '-' || s, 'Layanan ' || s, (ARRAY[30, 60, 240])[1 + s]
FROM   (SELECT w.id, row_number() OVER (ORDER BY w.id) - 1 AS n FROM service_unit w) p, generate_series(0, 2) s;
-- Two surveys a year of each unit; the first unit's is asked by a fifth of all.
INSERT INTO survey (id, code, service_unit_id, name, starts_on, ends_on, state, elements)
SELECT ('01900000-0000-7000-b000-' || lpad(to_hex(p.n * 2 + h), 12, '0'))::uuid, 'S' || p.n || '-' || h, p.id, 'SKM', make_date(2025, 1 + h * 6, 1), make_date(2025, 6 + h * 6, 30),
       (ARRAY['closed', 'open'])[1 + h], '{U1,U2,U3,U4,U5,U6,U7,U8,U9}'
FROM   (SELECT w.id, row_number() OVER (ORDER BY w.id) - 1 AS n FROM service_unit w) p, generate_series(0, 1) h;

-- name: tickets
INSERT INTO ticket (id, service_id, day, number, state, taken_at, called_at, started_at, finished_at, officer_id, result, due_at)
SELECT ('01910000-' || substr(lpad(to_hex(t.g), 12, '0'), 1, 4) || '-7000-8000-' || lpad(to_hex(t.g), 12, '0'))::uuid,
       ('01900000-0000-7000-a000-' || lpad(to_hex(t.service), 12, '0'))::uuid, t.at::date, t.g::text, CASE WHEN t.r < 0.93 THEN 'finished' WHEN t.r < 0.97 THEN 'no_show' ELSE 'cancelled' END,
       t.at, CASE WHEN t.r < 0.97 THEN t.called END, CASE WHEN t.r < 0.93 THEN t.called END, CASE WHEN t.r < 0.93 THEN t.called + make_interval(secs => 60 + floor(-ln(1 - t.v) * 900)) END,
       ('01900000-0000-7000-8000-' || lpad(to_hex(1 + (t.service * 4 + floor(t.v * 4)::bigint) % :people), 12, '0'))::uuid, CASE WHEN t.r < 0.93 THEN 'completed' END,
       t.at + make_interval(mins => (ARRAY[30, 60, 240])[(1 + t.service % 3)::integer])
FROM   (SELECT n.*, n.at + make_interval(secs => floor(-ln(1 - n.u) * 1200)) AS called
        FROM   (SELECT g, g * (:units * 3) / :most AS service, random() AS r, random() AS u, random() AS v,
                       '2025-01-01 08:00+08'::timestamptz + make_interval(days => floor(random() * 365)::integer, secs => floor(random() * 25000)) AS at
                FROM   generate_series(:low::bigint, :high::bigint) g) n) t;

-- name: answers
INSERT INTO survey_answer (survey_id, officer_id, answered_on, channel, answers, sex, age_group, education, occupation)
SELECT ('01900000-0000-7000-b000-' || lpad(to_hex(a.survey), 12, '0'))::uuid,
       CASE WHEN a.r[10] < 0.7 THEN ('01900000-0000-7000-8000-' || lpad(to_hex(1 + (a.survey * 6 + floor(a.r[10] * 4)::bigint) % :people), 12, '0'))::uuid END,
       make_date(2025, 1 + (a.survey % 2 * 6)::integer, 1) + floor(a.r[11] * 180)::integer, 'link',
       jsonb_build_object('U1', 1 + floor(sqrt(a.r[1]) * 4)::integer, 'U2', 1 + floor(sqrt(a.r[2]) * 4)::integer, 'U3', 1 + floor(sqrt(a.r[3]) * 4)::integer, 'U4', 1 + floor(sqrt(a.r[4]) * 4)::integer,
                          'U5', 1 + floor(sqrt(a.r[5]) * 4)::integer, 'U6', 1 + floor(sqrt(a.r[6]) * 4)::integer, 'U7', 1 + floor(sqrt(a.r[7]) * 4)::integer, 'U8', 1 + floor(sqrt(a.r[8]) * 4)::integer,
                          'U9', 1 + floor(sqrt(a.r[9]) * 4)::integer),
       (ARRAY['M', 'F'])[1 + floor(a.r[12] * 2)::integer], (ARRAY['20-29', '30-39', '40-49', '50-59'])[1 + floor(a.r[13] * 4)::integer], (ARRAY['sma', 's1', 'd1-d3'])[1 + floor(a.r[14] * 3)::integer],
       (ARRAY['swasta', 'wirausaha', 'pelajar', 'lainnya'])[1 + floor(a.r[15] * 4)::integer]
FROM   (SELECT CASE WHEN g < :most / 5 THEN 1 ELSE g * (:units * 2) / :most END AS survey, ARRAY(SELECT random() FROM generate_series(1, 15) WHERE g >= 0) AS r
        FROM   generate_series(:low::bigint, :high::bigint) g) a;

-- name: rated
INSERT INTO period (id, name, kind, starts_on, ends_on)
SELECT ('01900000-0000-7000-c000-00000000' || y)::uuid, 'Tahun ' || y, 'tahunan', make_date(y, 1, 1), make_date(y, 12, 31) FROM generate_series(2024, 2025) y;

-- name: evaluations
INSERT INTO evaluation (id, asn_id, period_id, state, results_rating, behaviour_rating, achievement, achievement_uncapped, predicate, predicate_number, inputs, rule_version, inputs_sha256,
                        finalized_at, finalized_by)
SELECT gen_random_uuid(), e.asn_id, e.period_id, CASE WHEN e.r < 0.98 THEN 'final' ELSE 'draft' END, 'sesuai_ekspektasi', 'sesuai_ekspektasi', f.*
FROM   (SELECT a.id AS asn_id, p.id AS period_id, random() AS r FROM asn a, period p WHERE a.id BETWEEN person(:low) AND person(:high)) e
LEFT   JOIN LATERAL (SELECT 100, 100, w.predicate, w.n::smallint, '{}'::jsonb, 'bench', 'x', now(), 'bench'
                     FROM   (VALUES (0.08, 'sangat_baik', 5), (0.9, 'baik', 4), (0.96, 'butuh_perbaikan', 3), (0.97, 'kurang', 2), (0.98, 'sangat_kurang', 1)) AS w (upto, predicate, n)
                     WHERE  e.r < w.upto ORDER BY w.upto LIMIT 1) f ON true;
-- Of those whose year is the calendar's: the others' follows their contracts, which this nation has not.
INSERT INTO learning_entry (source, source_id, asn_id, first_day, last_day, form, share, is_abroad, told_jp, jp, counted_jp, notes, rule_kind, basis, period_from, period_until, year)
SELECT 'course', gen_random_uuid(), a.id, make_date(2025, g, 1), make_date(2025, g, 3), 'B3', (ARRAY[10, 20, 70])[g], false, g * 8, g * 8, g * 8, '{}', 'PNS', 'calendar', '2025-01-01', '2026-01-01', 2025
FROM   asn a, generate_series(1, 3) g
WHERE  a.id BETWEEN person(:low) AND person(:high) AND a.rank_kind = 'PNS' AND (('x' || right(a.id::text, 2))::bit(8)::integer + g * 37) % 100 < 70;
INSERT INTO staff_mark (asn_id) SELECT a.id FROM asn a WHERE a.id BETWEEN person(:low) AND person(:high);
