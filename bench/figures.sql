-- What the nation's offices serve and rate, by sets; bench/figures.py runs the parts. Triggers are off: each part also writes the sums that they would have kept, worked out of the whole
-- part at once. `asnd check --sums` holds them against the rows (a nation of up to 200,000 people is checked each time). Receipts are left out: no figure reads them.
-- :units are those that serve, three services each; :queued are the tickets, :most the answers, those of one service or survey side by side, all of the first of :copies parts that are alike
-- (national.sql). :low and :high are the people, the units that serve or the answers of one step, counted from 1; in a block `….copy` :low is the part.

-- name: helpers.served
CREATE FUNCTION officer_of(n bigint) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$ SELECT ('01900000-0000-7000-8000-' || lpad(to_hex(1 + n % :people), 12, '0'))::uuid $$;
CREATE FUNCTION numbered(kind text, n bigint) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$ SELECT ('01900000-0000-7000-' || kind || '-' || lpad(to_hex(n), 12, '0'))::uuid $$;
CREATE UNLOGGED TABLE tallied (survey bigint, officer bigint, month date, element text, value text, n bigint);

-- name: helpers.served.gone
DROP TABLE tallied;
DROP FUNCTION officer_of(bigint), numbered(text, bigint);

-- name: served
WITH first AS MATERIALIZED (
    SELECT place(2, g.a % 38, g.a, d, 0) AS id, row_number() OVER (ORDER BY g.a, d) - 1 AS n FROM generate_series(0, :agencies - 1) g (a), generate_series(1, 15) d LIMIT :units
)
INSERT INTO service_unit (id, unit_id, name)
SELECT numbered('9000', v.n), u.id, u.name
FROM   (SELECT f.n, f.id FROM first f UNION ALL SELECT l.part * :units + f.n, l.is_unit FROM first f JOIN alike l ON l.unit_id = f.id) v JOIN unit u ON u.id = v.id;
INSERT INTO service (id, service_unit_id, code, name, promise_minutes)
SELECT numbered('a000', p.n * 3 + s), p.id, 'L' || p.n || '-' || s, 'Layanan ' || s, (ARRAY[30, 60, 240])[1 + s]
FROM   (SELECT w.id, row_number() OVER (ORDER BY w.id) - 1 AS n FROM service_unit w) p, generate_series(0, 2) s;
-- Two surveys a year of each unit; the first unit's is asked by a fifth of all.
INSERT INTO survey (id, code, service_unit_id, name, starts_on, ends_on, state, elements)
SELECT numbered('b000', p.n * 2 + h), 'S' || p.n || '-' || h, p.id, 'SKM', make_date(2025, 1 + h * 6, 1), make_date(2025, 6 + h * 6, 30),
       (ARRAY['closed', 'open'])[1 + h], '{U1,U2,U3,U4,U5,U6,U7,U8,U9}'
FROM   (SELECT w.id, row_number() OVER (ORDER BY w.id) - 1 AS n FROM service_unit w) p, generate_series(0, 1) h;

-- Times in seconds, figures and distributions of each month: of a service, a unit and an officer, each by a number (cell).
-- name: tickets
WITH drawn AS MATERIALIZED (
    SELECT n.*, CASE WHEN n.r < 0.97 THEN floor(-ln(1 - n.u) * 1200)::integer END AS waits, CASE WHEN n.r < 0.93 THEN 60 + floor(-ln(1 - n.v) * 900)::integer END AS serves,
           n.service * 4 + floor(n.w * 4)::bigint AS officer
    FROM   (SELECT g, g * (:units * 3) / :queued AS service, random() AS r, random() AS u, random() AS v, random() AS w, floor(random() * 365)::integer AS day, floor(random() * 25000)::integer AS s
            FROM   generate_series(((:low - 1)::bigint * :queued + :units - 1) / :units, (:high::bigint * :queued + :units - 1) / :units - 1) g) n
), made AS (
    INSERT INTO ticket (id, service_id, day, number, state, taken_at, called_at, started_at, finished_at, officer_id, result, due_at)
    SELECT ('01910000-0000-7000-8000-' || lpad(to_hex(t.g), 12, '0'))::uuid, numbered('a000', t.service), '2025-01-01'::date + t.day, t.g::text,
           CASE WHEN t.serves IS NOT NULL THEN 'finished' WHEN t.waits IS NOT NULL THEN 'no_show' ELSE 'cancelled' END, t.at, t.called, CASE WHEN t.serves IS NOT NULL THEN t.called END,
           t.called + make_interval(secs => t.serves), officer_of(t.officer), CASE WHEN t.serves IS NOT NULL THEN 'completed' END,
           t.at + make_interval(mins => (ARRAY[30, 60, 240])[(1 + t.service % 3)::integer])
    FROM   (SELECT d.*, d.at + make_interval(secs => d.waits) AS called
            FROM   (SELECT w.*, '2025-01-01 08:00+08'::timestamptz + make_interval(days => w.day, secs => w.s) AS at FROM drawn w) d) t
), each AS MATERIALIZED (
    SELECT (v.kind << 36) + v.n * 12 + extract(month FROM '2025-01-01'::date + d.day)::integer - 1 AS cell, d.waits, d.serves, d.waits + d.serves AS turns,
           d.waits + d.serves <= (ARRAY[30, 60, 240])[(1 + d.service % 3)::integer] * 60 AS is_on_time
    FROM   drawn d CROSS JOIN LATERAL (VALUES (0::bigint, d.service), (1, d.service / 3), (2, d.officer % :people)) AS v (kind, n)
), spread AS MATERIALIZED (
    SELECT p.slot >> 2 AS cell, p.slot & 3 AS what, ROW(array_agg(p.v), array_agg(p.upto))::spread AS s
    FROM   (SELECT c.code >> 20 AS slot, c.code & 1048575 AS v, sum(c.n) OVER (PARTITION BY c.code >> 20 ORDER BY c.code) AS upto -- in this order they are gathered
            FROM   (SELECT (((e.cell << 2) + w.what) << 20) + w.s AS code, count(*)::integer AS n
                    FROM   each e CROSS JOIN LATERAL (VALUES (0, e.waits), (1, e.serves), (2, e.turns)) AS w (what, s)
                    WHERE  w.s IS NOT NULL GROUP BY 1) c) p
    GROUP  BY p.slot
), figures AS (
    SELECT e.cell, count(*) AS taken, count(e.turns) AS finished, count(e.waits) - count(e.turns) AS no_show, count(*) - count(e.waits) AS cancelled, count(e.is_on_time) AS promised,
           count(*) FILTER (WHERE e.is_on_time) AS on_time, sum(e.waits) AS waiting, sum(e.serves) AS service, sum(e.turns) AS turnaround
    FROM   each e GROUP BY e.cell
), told AS MATERIALIZED (
    SELECT (ARRAY['service', 'unit', 'officer'])[1 + (f.cell >> 36)] AS by, CASE f.cell >> 36 WHEN 0 THEN numbered('a000', k.n) WHEN 1 THEN p.unit_id ELSE officer_of(k.n) END AS key,
           make_date(2025, 1 + (f.cell % (1::bigint << 36) % 12)::integer, 1) AS month, f.*, coalesce(w.s, ('{}', '{}')::spread) AS waited, coalesce(s.s, ('{}', '{}')::spread) AS served,
           coalesce(t.s, ('{}', '{}')::spread) AS turned
    FROM   figures f
    CROSS  JOIN LATERAL (SELECT f.cell % (1::bigint << 36) / 12 AS n) k
    LEFT   JOIN service_unit p ON f.cell >> 36 = 1 AND p.id = numbered('9000', k.n)
    LEFT   JOIN spread w ON (w.cell, w.what) = (f.cell, 0)
    LEFT   JOIN spread s ON (s.cell, s.what) = (f.cell, 1)
    LEFT   JOIN spread t ON (t.cell, t.what) = (f.cell, 2)
), spreads AS (
    INSERT INTO service_spread SELECT v.by, t.key, t.month, t.waited, t.served, t.turned FROM told t CROSS JOIN LATERAL unnest(ARRAY[t.by, CASE t.by WHEN 'unit' THEN 'tree' END]) AS v (by)
    WHERE  v.by IS NOT NULL
)
INSERT INTO service_month
SELECT v.by, t.key, t.month, t.taken, t.finished, t.no_show, t.cancelled, t.promised, t.on_time,
       t.finished + t.no_show, coalesce(t.waiting, 0), spread_percentile(t.waited, '{}', '{}', 50), spread_percentile(t.waited, '{}', '{}', 90),
       t.finished, coalesce(t.service, 0), spread_percentile(t.served, '{}', '{}', 50), spread_percentile(t.served, '{}', '{}', 90),
       t.finished, coalesce(t.turnaround, 0), spread_percentile(t.turned, '{}', '{}', 50), spread_percentile(t.turned, '{}', '{}', 90)
FROM   told t CROSS JOIN LATERAL unnest(ARRAY[t.by, CASE t.by WHEN 'unit' THEN 'tree' END]) AS v (by)
WHERE  v.by IS NOT NULL;

-- name: tickets.copy
INSERT INTO ticket (id, service_id, day, number, state, taken_at, called_at, started_at, finished_at, officer_id, result, due_at)
SELECT later(t.id, :low::bigint * :queued), later(t.service_id, :low * :units * 3), t.day, t.number, t.state, t.taken_at, t.called_at, t.started_at, t.finished_at,
       later(t.officer_id, :low * :people), t.result, t.due_at
FROM   ticket t WHERE t.id >= '01910000-0000-7000-8000-000000000000' AND t.id < later('01910000-0000-7000-8000-000000000000', :queued);
INSERT INTO service_spread
SELECT s.by, CASE s.by WHEN 'service' THEN later(s.key, :low * :units * 3) WHEN 'officer' THEN later(s.key, :low * :people) ELSE l.is_unit END, s.month, s.waiting, s.service, s.turnaround
FROM   service_spread s LEFT JOIN alike l ON l.part = :low AND l.unit_id = s.key
WHERE  CASE s.by WHEN 'service' THEN s.key < numbered('a000', :units * 3) WHEN 'officer' THEN s.key <= person(:people) ELSE l.is_unit IS NOT NULL END;
INSERT INTO service_month
SELECT m.by, CASE m.by WHEN 'service' THEN later(m.key, :low * :units * 3) WHEN 'officer' THEN later(m.key, :low * :people) ELSE l.is_unit END, m.month, m.taken, m.finished, m.no_show,
       m.cancelled, m.promised, m.on_time, m.waiting_n, m.waiting_sum, m.waiting_median, m.waiting_p90, m.service_n, m.service_sum, m.service_median, m.service_p90,
       m.turnaround_n, m.turnaround_sum, m.turnaround_median, m.turnaround_p90
FROM   service_month m LEFT JOIN alike l ON l.part = :low AND l.unit_id = m.key
WHERE  CASE m.by WHEN 'service' THEN m.key < numbered('a000', :units * 3) WHEN 'officer' THEN m.key <= person(:people) ELSE l.is_unit IS NOT NULL END;

-- The units that serve have none below them: a unit with all below is theirs. Those above are put together from them; :low and :high are theirs.
-- name: tickets.above
SELECT service_tree_build(ARRAY(SELECT o.id FROM (SELECT u.id, row_number() OVER (ORDER BY nlevel(u.path) DESC, u.id) AS n FROM unit u WHERE nlevel(u.path) < 3) o WHERE o.n BETWEEN :low AND :high));

-- name: officers
INSERT INTO service_officer (asn_id, unit_id) SELECT a.id, a.unit_id FROM asn a WHERE a.id IN (SELECT m.key FROM service_month m WHERE m.by = 'officer');

-- How often each value was answered: four counts of 16 bits in a number, of each element and group.
-- name: answers
WITH drawn AS MATERIALIZED (
    SELECT a.g, a.survey, CASE WHEN a.r[10] < 0.7 THEN (a.survey * 6 + floor(a.r[10] * 4)::bigint) % :people END AS officer,
           make_date(2025, 1 + (a.survey % 2 * 6)::integer, 1) + floor(a.r[11] * 180)::integer AS day, 1 + floor(sqrt(a.r[1]) * 4)::integer AS u1, 1 + floor(sqrt(a.r[2]) * 4)::integer AS u2,
           1 + floor(sqrt(a.r[3]) * 4)::integer AS u3, 1 + floor(sqrt(a.r[4]) * 4)::integer AS u4, 1 + floor(sqrt(a.r[5]) * 4)::integer AS u5, 1 + floor(sqrt(a.r[6]) * 4)::integer AS u6,
           1 + floor(sqrt(a.r[7]) * 4)::integer AS u7, 1 + floor(sqrt(a.r[8]) * 4)::integer AS u8, 1 + floor(sqrt(a.r[9]) * 4)::integer AS u9, 1 + floor(a.r[12] * 2)::integer AS sex,
           1 + floor(a.r[13] * 4)::integer AS age_group, 1 + floor(a.r[14] * 3)::integer AS education, 1 + floor(a.r[15] * 4)::integer AS occupation
    FROM   (SELECT g, CASE WHEN g < :most / 5 THEN 1 ELSE g * (:units * 2) / :most END AS survey, ARRAY(SELECT random() FROM generate_series(1, 15) WHERE g >= 0) AS r
            FROM   generate_series((:low - 1)::bigint, (:high - 1)::bigint) g) a
), made AS (
    INSERT INTO survey_answer (id, survey_id, officer_id, answered_on, channel, answers, sex, age_group, education, occupation)
    SELECT ('01920000-0000-4000-8000-' || lpad(to_hex(d.g), 12, '0'))::uuid, numbered('b000', d.survey), officer_of(d.officer), d.day, 'link',
           jsonb_build_object('U1', d.u1, 'U2', d.u2, 'U3', d.u3, 'U4', d.u4, 'U5', d.u5, 'U6', d.u6, 'U7', d.u7, 'U8', d.u8, 'U9', d.u9), (ARRAY['M', 'F'])[d.sex],
           (ARRAY['20-29', '30-39', '40-49', '50-59'])[d.age_group], (ARRAY['sma', 's1', 'd1-d3'])[d.education], (ARRAY['swasta', 'wirausaha', 'pelajar', 'lainnya'])[d.occupation]
    FROM   drawn d
), counted AS (
    SELECT d.survey, d.officer, date_trunc('month', d.day)::date AS month, count(*) AS n,
           ARRAY[sum(1::bigint << 16 * (d.u1 - 1)), sum(1::bigint << 16 * (d.u2 - 1)), sum(1::bigint << 16 * (d.u3 - 1)), sum(1::bigint << 16 * (d.u4 - 1)), sum(1::bigint << 16 * (d.u5 - 1)),
                 sum(1::bigint << 16 * (d.u6 - 1)), sum(1::bigint << 16 * (d.u7 - 1)), sum(1::bigint << 16 * (d.u8 - 1)), sum(1::bigint << 16 * (d.u9 - 1)), sum(1::bigint << 16 * (d.sex - 1)),
                 sum(1::bigint << 16 * (d.age_group - 1)), sum(1::bigint << 16 * (d.education - 1)), sum(1::bigint << 16 * (d.occupation - 1))]::bigint[] AS packed
    FROM   drawn d GROUP BY 1, 2, 3
)
INSERT INTO tallied
SELECT c.survey, c.officer, c.month, v.element, v.value, v.n
FROM   counted c
CROSS  JOIN LATERAL (SELECT (ARRAY['U1', 'U2', 'U3', 'U4', 'U5', 'U6', 'U7', 'U8', 'U9', 'sex', 'age_group', 'education', 'occupation'])[e] AS element,
                            CASE WHEN e < 10 THEN k::text ELSE (ARRAY[['M', 'F', NULL, NULL], ['20-29', '30-39', '40-49', '50-59'], ['sma', 's1', 'd1-d3', NULL],
                                                                      ['swasta', 'wirausaha', 'pelajar', 'lainnya']])[e - 9][k] END AS value,
                            c.packed[e] >> 16 * (k - 1) & 65535 AS n
                     FROM   generate_series(1, 13) e, generate_series(1, 4) k
                     UNION  ALL SELECT x.element, x.value, c.n FROM (VALUES ('n', '-'), ('channel', 'link')) AS x (element, value)) v
WHERE  v.n > 0;

-- The survey that a fifth answers is one, of the first part.
-- name: answers.copy
INSERT INTO survey_answer (id, survey_id, officer_id, answered_on, channel, answers, sex, age_group, education, occupation)
SELECT later(a.id, :low::bigint * :most), CASE a.survey_id WHEN numbered('b000', 1) THEN a.survey_id ELSE later(a.survey_id, :low * :units * 2) END, later(a.officer_id, :low * :people), a.answered_on,
       a.channel, a.answers, a.sex, a.age_group, a.education, a.occupation
FROM   survey_answer a WHERE a.id >= '01920000-0000-4000-8000-000000000000' AND a.id < later('01920000-0000-4000-8000-000000000000', :most);

-- name: answers.sums
INSERT INTO survey_tally (survey_id, slot, element, value, n)
SELECT s.id, CASE s.state WHEN 'closed' THEN -1 ELSE 0 END, t.element, t.value, CASE t.survey WHEN 1 THEN :copies ELSE 1 END * t.n
FROM   (SELECT c.survey, c.element, c.value, sum(c.n) AS n FROM tallied c GROUP BY c.survey, c.element, c.value) t
JOIN   generate_series(0, :copies - 1) k ON k = 0 OR t.survey <> 1
JOIN   survey s ON s.id = numbered('b000', t.survey + k * :units * 2);
INSERT INTO officer_tally (officer_id, month, element, value, slot, n)
SELECT later(t.officer_id, k * :people), t.month, t.element, t.value, 0, t.n
FROM   (SELECT officer_of(c.officer) AS officer_id, c.month, c.element, c.value, sum(c.n) AS n FROM tallied c
        WHERE  c.officer IS NOT NULL AND (c.element ~ '^U' OR c.element = 'n') GROUP BY 1, 2, 3, 4) t, generate_series(0, :copies - 1) k;
INSERT INTO unit_service_change (survey_id, parts)
SELECT s.id, coalesce((SELECT jsonb_object_agg(t.element || '|' || t.value, t.n) FROM survey_tally t WHERE t.survey_id = s.id AND (t.element ~ '^U' OR t.element = 'n')), '{}') FROM survey s;
SELECT unit_service_refresh(2000000000);

-- name: rated
INSERT INTO period (id, name, kind, starts_on, ends_on)
SELECT ('01900000-0000-7000-c000-00000000' || y)::uuid, 'Tahun ' || y, 'tahunan', make_date(y, 1, 1), make_date(y, 12, 31) FROM generate_series(2024, 2025) y;

-- name: evaluations
INSERT INTO evaluation (id, asn_id, period_id, state, results_rating, behaviour_rating, achievement, achievement_uncapped, predicate, predicate_number, inputs, rule_version, inputs_sha256,
                        finalized_at, finalized_by)
SELECT overlay(e.asn_id::text PLACING right(e.period_id::text, 4) FROM 20 FOR 4)::uuid, e.asn_id, e.period_id, CASE WHEN e.r < 0.98 THEN 'final' ELSE 'draft' END, 'sesuai_ekspektasi', 'sesuai_ekspektasi', f.*
FROM   (SELECT a.id AS asn_id, p.id AS period_id, random() AS r FROM asn a, period p WHERE a.id BETWEEN person(:low) AND person(:high)) e
LEFT   JOIN LATERAL (SELECT 100, 100, w.predicate, w.n::smallint, '{}'::jsonb, 'bench', 'x', now(), 'bench'
                     FROM   (VALUES (0.08, 'sangat_baik', 5), (0.9, 'baik', 4), (0.96, 'butuh_perbaikan', 3), (0.97, 'kurang', 2), (0.98, 'sangat_kurang', 1)) AS w (upto, predicate, n)
                     WHERE  e.r < w.upto ORDER BY w.upto LIMIT 1) f ON true;
-- Of those whose year is the calendar's: the others' follows their contracts, which this nation has not.
INSERT INTO learning_entry (source, source_id, asn_id, first_day, last_day, form, share, is_abroad, told_jp, jp, counted_jp, notes, rule_kind, basis, period_from, period_until, year)
SELECT 'course', overlay(a.id::text PLACING '900' || g FROM 20 FOR 4)::uuid, a.id, make_date(2025, g, 1), make_date(2025, g, 3), 'B3', (ARRAY[10, 20, 70])[g], false, g * 8, g * 8, g * 8, '{}', 'PNS', 'calendar', '2025-01-01', '2026-01-01', 2025
FROM   asn a, generate_series(1, 3) g
WHERE  a.id BETWEEN person(:low) AND person(:high) AND a.rank_kind = 'PNS' AND (('x' || right(a.id::text, 2))::bit(8)::integer + g * 37) % 100 < 70;

-- name: evaluations.copy
INSERT INTO evaluation (id, asn_id, period_id, state, results_rating, behaviour_rating, achievement, achievement_uncapped, predicate, predicate_number, inputs, rule_version, inputs_sha256,
                        finalized_at, finalized_by)
SELECT later(e.id, :low * :people), later(e.asn_id, :low * :people), e.period_id, e.state, e.results_rating, e.behaviour_rating, e.achievement, e.achievement_uncapped, e.predicate, e.predicate_number,
       e.inputs, e.rule_version, e.inputs_sha256, e.finalized_at, e.finalized_by
FROM   evaluation e WHERE e.asn_id BETWEEN person(1) AND person(:people);
INSERT INTO learning_entry (source, source_id, asn_id, first_day, last_day, form, share, is_abroad, told_jp, jp, counted_jp, notes, rule_kind, basis, period_from, period_until, year)
SELECT e.source, later(e.source_id, :low * :people), later(e.asn_id, :low * :people), e.first_day, e.last_day, e.form, e.share, e.is_abroad, e.told_jp, e.jp, e.counted_jp, e.notes, e.rule_kind,
       e.basis, e.period_from, e.period_until, e.year
FROM   learning_entry e WHERE e.asn_id BETWEEN person(1) AND person(:people);

-- Every fifth has passed a training, of sessions with 500 seats and their cost.
-- name: trained
INSERT INTO programme (id, code, name, form, family, jp, organiser)
SELECT ('01900000-0000-7000-d000-' || lpad(g::text, 12, '0'))::uuid, 'PRG-' || g, 'Pelatihan ' || g, (ARRAY['B3', 'B1', 'B4', 'B6'])[1 + g % 4], 'teknis', 20, 'Lembaga pelatihan'
FROM   generate_series(1, 20) g;
INSERT INTO session (id, programme_id, title, starts_on, ends_on, capacity, seats_taken)
SELECT ('01900000-0000-7000-d100-' || lpad(g::text, 12, '0'))::uuid, ('01900000-0000-7000-d000-' || lpad((1 + d.n % 20)::text, 12, '0'))::uuid, 'Angkatan ' || g, d.day, d.day + 2, 500, 500
FROM   generate_series(0, :sessions * :copies) g CROSS JOIN LATERAL (SELECT g % :sessions AS n, '2025-01-06'::date + g % :sessions % 350 AS day) d;
INSERT INTO session_term (session_id, cost_per_head) SELECT s.id, 1500000 + extract(day FROM s.starts_on) * 50000 FROM session s;

-- name: enrolments
INSERT INTO enrolment (id, session_id, asn_id, state, days, hours, jp)
SELECT overlay(a.id::text PLACING 'd200' FROM 20 FOR 4)::uuid, s.id, a.id, 'passed', daterange(s.starts_on, s.ends_on + 1), tsmultirange(tsrange(s.starts_on, s.ends_on + 1)), 20
FROM   asn a
JOIN   session s ON s.id = ('01900000-0000-7000-d100-' || lpad((('x' || right(a.id::text, 8))::bit(32)::integer / 2500)::text, 12, '0'))::uuid
WHERE  a.id BETWEEN person(:low) AND person(:high) AND ('x' || right(a.id::text, 8))::bit(32)::integer % 5 = 0;

-- name: enrolments.copy
INSERT INTO enrolment (id, session_id, asn_id, state, days, hours, jp)
SELECT later(e.id, :low * :people), (left(e.session_id::text, 24) || lpad((right(e.session_id::text, 12)::integer + :low * :sessions)::text, 12, '0'))::uuid, later(e.asn_id, :low * :people),
       e.state, e.days, e.hours, e.jp
FROM   enrolment e WHERE e.asn_id BETWEEN person(1) AND person(:people);

-- name: staff
INSERT INTO staff_kept SELECT t.* FROM staff_told(ARRAY(SELECT a.id FROM asn a WHERE a.id BETWEEN person(:low) AND person(:high))) t;

-- name: staff.copy
INSERT INTO staff_kept
SELECT later(s.asn_id, :low * :people), l.is_unit, s.parts, s.until FROM staff_kept s JOIN alike l ON l.part = :low AND l.unit_id = s.unit_id WHERE s.asn_id BETWEEN person(1) AND person(:people);
INSERT INTO index_kept
SELECT later(i.asn_id, :low * :people), l.is_unit, i.parts, i.until FROM index_kept i JOIN alike l ON l.part = :low AND l.unit_id = i.unit_id WHERE i.asn_id BETWEEN person(1) AND person(:people);
INSERT INTO staff_sum SELECT l.is_unit, s.key, s.own, s.n FROM staff_sum s JOIN alike l ON l.part = :low AND l.unit_id = s.unit_id;

-- name: indices
INSERT INTO index_kept SELECT t.* FROM index_told(ARRAY(SELECT a.id FROM asn a WHERE a.id BETWEEN person(:low) AND person(:high))) t;

-- Of agencies and what is below them, every other one: low is 1 or 2.
-- name: staff.sums
SET work_mem = '1GB';
INSERT INTO staff_sum (unit_id, key, own, n)
WITH own AS MATERIALIZED (
    SELECT k.unit_id, j.key, sum(j.value::numeric) AS n
    FROM   (SELECT s.unit_id, s.parts FROM staff_kept s UNION ALL SELECT i.unit_id, i.parts FROM index_kept i) k
    JOIN   (SELECT u.id FROM unit u JOIN (SELECT p.path, row_number() OVER (ORDER BY p.id) % 2 AS half FROM unit p WHERE nlevel(p.path) = 2) r ON u.path <@ r.path WHERE r.half = :low - 1) u
           ON u.id = k.unit_id
    CROSS  JOIN LATERAL jsonb_each_text(k.parts) j
    GROUP  BY k.unit_id, j.key
)
SELECT b.id, o.key, coalesce(sum(o.n) FILTER (WHERE b.id = o.unit_id), 0), sum(o.n)
FROM   own o JOIN unit u ON u.id = o.unit_id CROSS JOIN LATERAL unnest((string_to_array(u.path::text, '.')::uuid[])[2:]) AS b (id)
GROUP  BY b.id, o.key;

-- name: staff.sums.all
INSERT INTO staff_sum (unit_id, key, own, n)
SELECT u.parent_id, s.key, 0, sum(s.n) FROM staff_sum s JOIN unit u ON u.id = s.unit_id AND nlevel(u.path) = 2 GROUP BY u.parent_id, s.key;
INSERT INTO staff_sum (unit_id, key, own, n)
SELECT '00000000-0000-0000-0000-000000000000', s.key, 0, sum(s.n) FROM staff_sum s JOIN unit u ON u.id = s.unit_id AND nlevel(u.path) = 1 GROUP BY s.key;
DELETE FROM staff_mark;
DELETE FROM index_mark;
