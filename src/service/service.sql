-- Public service: units that serve, their services and standards, tickets, figures by the month.

-- ── units ──

-- name: listServiceUnits
-- sort: id = p.id AS id
SELECT p.id, p.unit_id, p.name, p.address, p.hours, p.charter, p.charter_signed_on, p.is_active, p.version, p.created_at, p.updated_at
FROM   service_unit p
JOIN   unit u ON u.id = p.unit_id
WHERE  true
/*? actor_units */ AND u.path <@ ANY (:actor_units::ltree[]) /*? */
/*? under */ AND u.path <@ (SELECT n.path FROM unit n WHERE n.id = :under) /*? */
/*? is_active */ AND p.is_active = :is_active /*? */
/* page */

-- name: getServiceUnit
SELECT p.id, p.unit_id, p.name, p.address, p.hours, p.charter, p.charter_signed_on, p.is_active, p.version, p.created_at, p.updated_at
FROM   service_unit p
JOIN   unit u ON u.id = p.unit_id
WHERE  p.id = :service_unit_id AND u.path <@ ANY (:actor_units::ltree[])

-- name: createServiceUnit
WITH place AS (
    SELECT u.id, u.name FROM unit u WHERE u.id = :unit_id AND u.path <@ ANY (:actor_units::ltree[])
), made AS (
    INSERT INTO service_unit (id, unit_id, name, address, hours, charter, charter_signed_on, is_active)
    SELECT :new_id, p.id, coalesce(:name, p.name), :address, :hours, :charter, :charter_signed_on, coalesce(:is_active::boolean, true)
    FROM   place p
    RETURNING *
)
SELECT CASE WHEN m.id IS NULL THEN 'reference-missing' END AS _problem, '/unit_id' AS _pointer, :unit_id::text AS _value,
       m.id, m.unit_id, m.name, m.address, m.hours, m.charter, m.charter_signed_on, m.is_active, m.version, m.created_at, m.updated_at
FROM   (SELECT) AS one LEFT JOIN made m ON true

-- name: updateServiceUnit
WITH cur AS (
    SELECT p AS rec FROM service_unit p JOIN unit u ON u.id = p.unit_id
    WHERE  p.id = :service_unit_id AND u.path <@ ANY (:actor_units::ltree[])
    FOR    UPDATE OF p
), want AS (
    SELECT w.*, CASE WHEN NOT :if_match::int8multirange @> (cur.rec).version THEN 'version-stale' END AS problem
    FROM   cur, jsonb_populate_record(cur.rec, :body::jsonb) AS w
), done AS (
    UPDATE service_unit p
    SET    name = w.name, address = w.address, hours = w.hours, charter = w.charter, charter_signed_on = w.charter_signed_on, is_active = w.is_active
    FROM   want w
    WHERE  p.id = w.id AND w.problem IS NULL
    RETURNING p.*
)
SELECT w.problem AS _problem, d.id, d.unit_id, d.name, d.address, d.hours, d.charter, d.charter_signed_on, d.is_active, d.version, d.created_at, d.updated_at
FROM   want w LEFT JOIN done d ON true

-- ── services ──

-- name: listServices
-- sort: code = s.code AS code
-- sort: -code = s.code DESC AS code
SELECT s.id, s.service_unit_id, s.code, s.name, s.standard, s.promise_minutes, s.promise_days, s.queue_prefix, s.is_active, s.version, s.created_at,
       s.updated_at
FROM   service s
JOIN   service_unit p ON p.id = s.service_unit_id
JOIN   unit u ON u.id = p.unit_id
WHERE  true
/*? actor_units */ AND u.path <@ ANY (:actor_units::ltree[]) /*? */
/*? service_unit_id */ AND s.service_unit_id = :service_unit_id /*? */
/*? under */ AND u.path <@ (SELECT n.path FROM unit n WHERE n.id = :under) /*? */
/*? is_active */ AND s.is_active = :is_active /*? */
/* page */

-- name: getService
SELECT s.id, s.service_unit_id, s.code, s.name, s.standard, s.promise_minutes, s.promise_days, s.queue_prefix, s.is_active, s.version, s.created_at,
       s.updated_at
FROM   service s
JOIN   service_unit p ON p.id = s.service_unit_id
JOIN   unit u ON u.id = p.unit_id
WHERE  s.id = :service_id AND u.path <@ ANY (:actor_units::ltree[])

-- name: createService
WITH place AS (
    SELECT p.id FROM service_unit p JOIN unit u ON u.id = p.unit_id WHERE p.id = :service_unit_id AND u.path <@ ANY (:actor_units::ltree[])
), made AS (
    INSERT INTO service (id, service_unit_id, code, name, standard, promise_minutes, promise_days, queue_prefix, is_active)
    SELECT :new_id, p.id, :code, :name, coalesce(:standard::jsonb, '{}'), (:promise_minutes::numeric)::integer, (:promise_days::numeric)::integer,
           coalesce(:queue_prefix, ''), coalesce(:is_active::boolean, true)
    FROM   place p
    RETURNING *
)
SELECT CASE WHEN m.id IS NULL THEN 'reference-missing' END AS _problem, '/service_unit_id' AS _pointer, :service_unit_id::text AS _value,
       m.id, m.service_unit_id, m.code, m.name, m.standard, m.promise_minutes, m.promise_days, m.queue_prefix, m.is_active, m.version, m.created_at,
       m.updated_at
FROM   (SELECT) AS one LEFT JOIN made m ON true

-- name: updateService
WITH cur AS (
    SELECT s AS rec FROM service s JOIN service_unit p ON p.id = s.service_unit_id JOIN unit u ON u.id = p.unit_id
    WHERE  s.id = :service_id AND u.path <@ ANY (:actor_units::ltree[])
    FOR    UPDATE OF s
), want AS (
    SELECT w.*, CASE WHEN NOT :if_match::int8multirange @> (cur.rec).version THEN 'version-stale' END AS problem
    FROM   cur, jsonb_populate_record(cur.rec, with_whole(:body::jsonb, 'promise_minutes', 'promise_days')) AS w
), done AS (
    UPDATE service s
    SET    code = w.code, name = w.name, standard = w.standard, promise_minutes = w.promise_minutes, promise_days = w.promise_days,
           queue_prefix = w.queue_prefix, is_active = w.is_active
    FROM   want w
    WHERE  s.id = w.id AND w.problem IS NULL
    RETURNING s.*
)
SELECT w.problem AS _problem, d.id, d.service_unit_id, d.code, d.name, d.standard, d.promise_minutes, d.promise_days, d.queue_prefix, d.is_active, d.version,
       d.created_at, d.updated_at
FROM   want w LEFT JOIN done d ON true

-- ── tickets ── answer_token: what the link or code leads to by which this ticket answers a survey, once

-- Whose units these are is asked of the services, which are few.
-- name: listTickets
-- sort: day = t.day AS day, t.id AS id
-- sort: -day = t.day DESC AS day, t.id DESC AS id
SELECT t.id, t.service_id, t.day, t.number, t.state, t.taken_at, t.accepted_at, t.called_at, t.started_at, t.finished_at, a.nip, t.result, t.due_at,
       t.waiting_s, t.service_s, t.turnaround_s, t.is_on_time, t.version, t.created_at, t.updated_at
FROM   ticket t
LEFT   JOIN asn_named a ON a.id = t.officer_id
WHERE  true
/*? actor_units */ AND t.service_id = ANY (ARRAY(SELECT s.id FROM service s JOIN service_unit p ON p.id = s.service_unit_id JOIN unit u ON u.id = p.unit_id
                                                 WHERE  u.path <@ ANY (:actor_units::ltree[]))) /*? */
/*? service_id */ AND t.service_id = :service_id /*? */
/*? under */ AND t.service_id = ANY (ARRAY(SELECT s.id FROM service s JOIN service_unit p ON p.id = s.service_unit_id JOIN unit u ON u.id = p.unit_id
                                           WHERE  u.path <@ (SELECT n.path FROM unit n WHERE n.id = :under))) /*? */
/*? nip */ AND t.officer_id = (SELECT asn_of_nip(:nip)) /*? */
/*? state */ AND t.state = :state /*? */
/*? from */ AND t.day >= :from /*? */
/*? to */ AND t.day <= :to /*? */
/* page */

-- name: getTicket
SELECT t.id, t.service_id, t.day, t.number, t.state, t.taken_at, t.accepted_at, t.called_at, t.started_at, t.finished_at, a.nip, t.result, t.due_at,
       t.waiting_s, t.service_s, t.turnaround_s, t.is_on_time, 't:' || t.id AS answer_token, t.version, t.created_at, t.updated_at
FROM   ticket t
JOIN   service s ON s.id = t.service_id
JOIN   service_unit p ON p.id = s.service_unit_id
JOIN   unit u ON u.id = p.unit_id
LEFT   JOIN asn_named a ON a.id = t.officer_id
WHERE  t.id = :ticket_id AND u.path <@ ANY (:actor_units::ltree[])

-- name: getTicketQr.find
SELECT 't:' || t.id AS token
FROM   ticket t JOIN service s ON s.id = t.service_id JOIN service_unit p ON p.id = s.service_unit_id JOIN unit u ON u.id = p.unit_id
WHERE  t.id = :ticket_id AND u.path <@ ANY (:actor_units::ltree[])

-- name: createTicket
WITH place AS (
    SELECT s.id FROM service s JOIN service_unit p ON p.id = s.service_unit_id JOIN unit u ON u.id = p.unit_id
    WHERE  s.id = :service_id AND u.path <@ ANY (:actor_units::ltree[])
), made AS (
    INSERT INTO ticket (id, service_id, number, taken_at, accepted_at)
    SELECT :new_id, p.id, :number, coalesce(:taken_at::timestamptz, now()), :accepted_at
    FROM   place p
    RETURNING *
)
SELECT CASE WHEN m.id IS NULL THEN 'reference-missing' END AS _problem, '/service_id' AS _pointer, :service_id::text AS _value,
       m.id, m.service_id, m.day, m.number, m.state, m.taken_at, m.accepted_at, m.called_at, m.started_at, m.finished_at, NULL::text AS nip, m.result,
       m.due_at, m.waiting_s, m.service_s, m.turnaround_s, m.is_on_time, 't:' || m.id AS answer_token, m.version, m.created_at, m.updated_at
FROM   (SELECT) AS one LEFT JOIN made m ON true

-- name: callTicket
-- write: true
SELECT t.id, t.service_id, t.day, t.number, t.state, t.taken_at, t.accepted_at, t.called_at, t.started_at, t.finished_at, a.nip, t.result, t.due_at,
       t.waiting_s, t.service_s, t.turnaround_s, t.is_on_time, 't:' || t.id AS answer_token, t.version, t.created_at, t.updated_at
FROM   ticket_act(:ticket_id, :actor_units::ltree[], 'called', :body::jsonb) t LEFT JOIN asn_named a ON a.id = t.officer_id

-- name: startTicket
-- write: true
SELECT t.id, t.service_id, t.day, t.number, t.state, t.taken_at, t.accepted_at, t.called_at, t.started_at, t.finished_at, a.nip, t.result, t.due_at,
       t.waiting_s, t.service_s, t.turnaround_s, t.is_on_time, 't:' || t.id AS answer_token, t.version, t.created_at, t.updated_at
FROM   ticket_act(:ticket_id, :actor_units::ltree[], 'started', :body::jsonb) t LEFT JOIN asn_named a ON a.id = t.officer_id

-- name: finishTicket
-- write: true
SELECT t.id, t.service_id, t.day, t.number, t.state, t.taken_at, t.accepted_at, t.called_at, t.started_at, t.finished_at, a.nip, t.result, t.due_at,
       t.waiting_s, t.service_s, t.turnaround_s, t.is_on_time, 't:' || t.id AS answer_token, t.version, t.created_at, t.updated_at
FROM   ticket_act(:ticket_id, :actor_units::ltree[], 'finished', :body::jsonb) t LEFT JOIN asn_named a ON a.id = t.officer_id

-- name: cancelTicket
-- write: true
SELECT t.id, t.service_id, t.day, t.number, t.state, t.taken_at, t.accepted_at, t.called_at, t.started_at, t.finished_at, a.nip, t.result, t.due_at,
       t.waiting_s, t.service_s, t.turnaround_s, t.is_on_time, 't:' || t.id AS answer_token, t.version, t.created_at, t.updated_at
FROM   ticket_act(:ticket_id, :actor_units::ltree[], :state, '{}') t LEFT JOIN asn_named a ON a.id = t.officer_id

-- ── figures ── The months of a page are found before they are worked out.

-- name: listServiceFigures
-- sort: month = f.month AS month, f.key AS key
SELECT f.by, f.key, to_char(f.month, 'YYYY-MM') AS month_code, f.month, coalesce(s.code, u.code, a.nip) AS code, coalesce(s.name, u.name, a.name) AS name,
       f.taken, f.finished, f.no_show, f.cancelled, f.promised, f.on_time, round(100.0 * f.on_time / nullif(f.promised, 0), 2) AS on_time_rate,
       f.waiting_n, round(f.waiting_sum / nullif(f.waiting_n, 0), 2) AS waiting_mean, f.waiting_median, f.waiting_p90,
       f.service_n, round(f.service_sum / nullif(f.service_n, 0), 2) AS service_mean, f.service_median, f.service_p90,
       f.turnaround_n, round(f.turnaround_sum / nullif(f.turnaround_n, 0), 2) AS turnaround_mean, f.turnaround_median, f.turnaround_p90
FROM   service_listed(coalesce(:by, 'service'), :actor_units::ltree[], :under::uuid, :key::uuid,
                      (coalesce(:from::text, :to::text, to_char(:today::date, 'YYYY-MM')) || '-01')::date,
                      (coalesce(:to::text, :from::text, to_char(:today::date, 'YYYY-MM')) || '-01')::date, :page_after::text[], :page_limit::numeric) f
LEFT   JOIN service s ON f.by = 'service' AND s.id = f.key
LEFT   JOIN unit u ON f.by = 'unit' AND u.id = f.key
LEFT   JOIN asn a ON f.by = 'officer' AND a.id = f.key
WHERE  true
/* page */

-- For a while only: it has one of the loop's connections. What is left stands beside the kept figures, and whoever reads adds it.
-- name: chore.refreshServiceFigures
-- write: true
-- every: 1000
SELECT service_refresh(500)

-- What is kept, held against what is counted from every record (asnd check --sums), all of one snapshot.
-- name: sums.differences
-- timeout: 3600000
SELECT 'tickets of ' || d.by || ' ' || d.key || ', ' || d.month AS what, d.kept::text AS kept, d.counted::text AS counted FROM service_difference d
UNION  ALL
SELECT 'answers of survey ' || d.survey_id || ', ' || d.element || '=' || d.value, d.kept::text, d.counted::text FROM survey_difference d
UNION  ALL
SELECT 'answers about officer ' || d.officer_id || ', ' || d.month || ', ' || d.element || '=' || d.value, d.kept::text, d.counted::text FROM officer_difference d
UNION  ALL
SELECT 'staff of unit ' || d.unit_id || ', ' || d.key, d.kept_own || ' and ' || d.kept, d.counted_own || ' and ' || d.counted FROM staff_difference d
UNION  ALL
SELECT 'surveys and complaints of unit ' || d.unit_id || ', ' || d.month || ', ' || d.key, d.kept_own || ' and ' || d.kept, d.counted_own || ' and ' || d.counted FROM unit_service_difference d

-- ── working days ──

-- name: computeWorkingDays.holidays
SELECT r.code FROM reference r
WHERE  r.list = 'holiday' AND r.code ~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}$' AND r.valid @> r.code::date AND r.code::date BETWEEN :from::date AND :from::date + 1000
ORDER  BY r.code

-- name: computeWorkingDays.reply
SELECT :from::date AS "from", (:days::numeric)::integer AS days, :until::date AS until, :is_workday::boolean AS is_workday,
       ARRAY(SELECT r.code FROM reference r WHERE r.list = 'holiday' AND r.code > :from::text AND r.code <= :until::text AND r.valid @> r.code::date
             ORDER  BY r.code) AS holidays

-- ── what an officer's own tickets say ── Of ratings only what thirty give: fewer would be of this or that citizen, and no measure of anybody. Figures, no
-- predicate: they are evidence for who rates.

-- name: getOfficerService
SELECT a.nip, a.name, :from::text AS "from", :to::text AS "to", f.finished, f.promised, f.on_time, round(100.0 * f.on_time / nullif(f.promised, 0), 2) AS on_time_rate,
       r.rated, r.rated < 30 AS is_suppressed,
       CASE WHEN r.rated >= 30 THEN
            (SELECT coalesce(jsonb_agg(jsonb_build_object('code', e.code, 'n', e.n, 'mean', e.mean) ORDER BY e.code), '[]')
             FROM   (SELECT t.element AS code, sum(t.n)::bigint AS n, round(sum(t.n * t.value::integer) / sum(t.n), 4) AS mean
                     FROM   officer_tally t
                     WHERE  t.officer_id = a.id AND t.month >= d.first AND t.month < d.behind AND t.element IN ('U3', 'U6', 'U7')
                     GROUP  BY t.element HAVING sum(t.n) >= 5) e)
            ELSE '[]' END AS elements
FROM   asn a
JOIN   unit u ON u.id = a.unit_id
CROSS  JOIN LATERAL (SELECT (:from::text || '-01')::date AS first, ((:to::text || '-01')::date + interval '1 month')::date AS behind) d
CROSS  JOIN LATERAL (SELECT coalesce(sum(m.finished), 0)::bigint AS finished, coalesce(sum(m.promised), 0)::bigint AS promised,
                            coalesce(sum(m.on_time), 0)::bigint AS on_time
                     FROM   service_figures('officer', ARRAY[a.id], d.first, (:to::text || '-01')::date) m) f
CROSS  JOIN LATERAL (SELECT coalesce(sum(t.n), 0)::bigint AS rated FROM officer_tally t
                     WHERE  t.officer_id = a.id AND t.month >= d.first AND t.month < d.behind AND t.element = 'n') r
WHERE  a.id = (SELECT asn_of_nip(:nip)) AND u.path <@ ANY (:actor_units::ltree[])

-- ── a unit with all below it ── By the tree of a day, the last of the months unless told: what moved since counts where it was then. Everything is read from kept sums.

-- name: getUnitServiceFigures.unit
SELECT u.id, m.first AS first_month, m.last AS last_month, d.day AS tree_day, w.pieces, w.unseen,
       (SELECT coalesce(jsonb_object_agg(s.key, s.n), '{}') FROM unit_service_sums(w.pieces, m.first, m.last) s) AS sums
FROM   unit u
CROSS  JOIN (SELECT (coalesce(:from::text, :to::text, to_char(:today::date, 'YYYY-MM')) || '-01')::date AS first,
                    (coalesce(:to::text, :from::text, to_char(:today::date, 'YYYY-MM')) || '-01')::date AS last) m
CROSS  JOIN LATERAL (SELECT coalesce(:tree_on::date, least((m.last + interval '1 month')::date - 1, :today::date)) AS day) d
CROSS  JOIN LATERAL unit_pieces(u.id, d.day, :actor_units::ltree[]) w
WHERE  u.id = :unit_id AND u.path <@ ANY (:actor_units::ltree[])

-- name: getUnitServiceFigures.elements
SELECT k.code, r.name, coalesce(sum(k.n) FILTER (WHERE k.value = '1'), 0)::bigint AS n1, coalesce(sum(k.n) FILTER (WHERE k.value = '2'), 0)::bigint AS n2,
       coalesce(sum(k.n) FILTER (WHERE k.value = '3'), 0)::bigint AS n3, coalesce(sum(k.n) FILTER (WHERE k.value = '4'), 0)::bigint AS n4
FROM   (SELECT split_part(s.key, '|', 1) AS code, split_part(s.key, '|', 2) AS value, s.value::numeric AS n FROM jsonb_each_text(:sums::jsonb) s
        WHERE  split_part(s.key, '|', 2) IN ('1', '2', '3', '4')) k
LEFT   JOIN reference r ON r.list = 'survey-element' AND r.code = k.code AND r.valid @> :last_month::date
GROUP  BY k.code, r.name, r.seq
ORDER  BY r.seq, k.code

-- name: getUnitServiceFigures.categories
SELECT r.code, r.facts ->> 'from' AS "from" FROM reference r WHERE r.list = 'survey-category' AND r.valid @> :last_month::date ORDER BY r.seq

-- name: getUnitServiceFigures.reply
SELECT :unit_id::uuid AS unit_id, to_char(:first_month::date, 'YYYY-MM') AS "from", to_char(:last_month::date, 'YYYY-MM') AS "to", :tree_day::date AS tree_on, :unseen::bigint AS units_unseen,
       t.tickets, jsonb_build_object('surveys', s.surveys, 'surveys_left_out', s.surveys_few, 'respondents', s.respondents, 'index', :index::numeric, 'converted', :converted::numeric,
                                     'category', :category::text, 'elements', :elements::jsonb, 'lowest', :lowest::jsonb, 'rule_version', :rule_version::text) AS satisfaction,
       jsonb_build_object('received', s.received, 'answered', s.answered, 'answered_rate', round(100 * s.answered / nullif(s.received, 0), 2),
                          'bound', s.bound, 'in_time', s.in_time, 'in_time_rate', round(100 * s.in_time / nullif(s.bound, 0), 2), 'judged', s.judged, 'upheld', s.upheld) AS complaints,
       p.predicates
FROM   (SELECT coalesce(sum(k.n) FILTER (WHERE k.key = 'survey'), 0) AS surveys, coalesce(sum(k.n) FILTER (WHERE k.key = 'survey_few'), 0) AS surveys_few,
               coalesce(sum(k.n) FILTER (WHERE k.key = 'n|-'), 0) AS respondents, coalesce(sum(k.n) FILTER (WHERE k.key = 'complaint|received'), 0) AS received,
               coalesce(sum(k.n) FILTER (WHERE k.key = 'complaint|answered'), 0) AS answered, coalesce(sum(k.n) FILTER (WHERE k.key = 'complaint|bound'), 0) AS bound,
               coalesce(sum(k.n) FILTER (WHERE k.key = 'complaint|in_time'), 0) AS in_time, coalesce(sum(k.n) FILTER (WHERE k.key = 'complaint|judged'), 0) AS judged,
               coalesce(sum(k.n) FILTER (WHERE k.key = 'complaint|upheld'), 0) AS upheld
        FROM   (SELECT j.key, j.value::numeric AS n FROM jsonb_each_text(:sums::jsonb) j) k) s
CROSS  JOIN (SELECT jsonb_build_object(
                        'taken', f.taken, 'finished', f.finished, 'no_show', f.no_show, 'cancelled', f.cancelled, 'promised', f.promised, 'on_time', f.on_time,
                        'on_time_rate', round(100.0 * f.on_time / nullif(f.promised, 0), 2),
                        'waiting_n', f.waiting_n, 'waiting_mean', round(f.waiting_sum / nullif(f.waiting_n, 0), 2), 'waiting_median', f.waiting_median, 'waiting_p90', f.waiting_p90,
                        'service_n', f.service_n, 'service_mean', round(f.service_sum / nullif(f.service_n, 0), 2), 'service_median', f.service_median, 'service_p90', f.service_p90,
                        'turnaround_n', f.turnaround_n, 'turnaround_mean', round(f.turnaround_sum / nullif(f.turnaround_n, 0), 2), 'turnaround_median', f.turnaround_median,
                        'turnaround_p90', f.turnaround_p90) AS tickets
             FROM   service_period(:pieces::unit_piece[], :first_month::date, :last_month::date) f) t
CROSS  JOIN (SELECT coalesce(jsonb_agg(jsonb_build_object('period_id', d.id, 'name', d.name, 'kind', d.kind, 'rated', w.rated, 'counts', w.counts) ORDER BY d.ends_on, d.id), '[]') AS predicates
             FROM   period d
             CROSS  JOIN LATERAL (SELECT coalesce(sum(k.n), 0) AS rated,
                                         jsonb_build_object('sangat_baik', coalesce(sum(k.n) FILTER (WHERE k.predicate = 'sangat_baik'), 0),
                                                            'baik', coalesce(sum(k.n) FILTER (WHERE k.predicate = 'baik'), 0),
                                                            'butuh_perbaikan', coalesce(sum(k.n) FILTER (WHERE k.predicate = 'butuh_perbaikan'), 0),
                                                            'kurang', coalesce(sum(k.n) FILTER (WHERE k.predicate = 'kurang'), 0),
                                                            'sangat_kurang', coalesce(sum(k.n) FILTER (WHERE k.predicate = 'sangat_kurang'), 0)) AS counts
                                  FROM   (SELECT split_part(x.key, '|', 4) AS predicate, x.n
                                          FROM   staff_sums_of(:pieces::unit_piece[], 'rated|' || d.id || '|final|', 'rated|' || d.id || '|final}') x) k) w
             WHERE  d.ends_on >= :first_month::date AND d.ends_on < :last_month::date + interval '1 month') p

-- name: chore.refreshUnitServiceSums
-- write: true
-- every: 500
SELECT unit_service_refresh(500)
