-- Import of tickets. The stage holds one batch: all fields are text, NULL = the file does not say, '' = it says: empty.

-- name: importTickets.stage
CREATE TEMPORARY TABLE IF NOT EXISTS import_stage_ticket (
    place bigint, line bigint, is_refused boolean, service_code text, number text, taken_at text, accepted_at text, called_at text, started_at text,
    finished_at text, nip text, state text, result text, id uuid
) ON COMMIT DELETE ROWS

-- A ticket is known by its service, its day here and its number. What a row does not tell stays; its state follows from its times unless it is told.
-- name: importTickets.merge
-- timeout: 600000
WITH laid AS (
    SELECT s.place, s.line, s.is_refused, s.service_code, s.number, s.nip, s.id, v.id AS service_id, local_day(local_moment(s.taken_at)) AS day,
           local_moment(s.taken_at) AS taken_at, s.accepted_at AS accepted, s.called_at AS called, s.started_at AS started, s.finished_at AS finished,
           s.result, s.state, nullif(s.nip, '') IS NOT NULL AS tells_officer,
           (SELECT a.id FROM asn a JOIN unit n ON n.id = a.unit_id
            WHERE  a.id = asn_of_nip(nullif(s.nip, '')) AND n.path <@ ANY (:actor_units::ltree[])) AS officer_id
    FROM   import_stage_ticket s
    LEFT   JOIN LATERAL (SELECT w.id FROM service w JOIN service_unit p ON p.id = w.service_unit_id JOIN unit u ON u.id = p.unit_id
                         WHERE  w.code = s.service_code AND u.path <@ ANY (:actor_units::ltree[])) v ON true
), known AS (
    SELECT l.*, o.id AS old_id, o.state AS old_state,
           CASE WHEN l.accepted IS NULL THEN o.accepted_at ELSE local_moment(nullif(l.accepted, '')) END AS accepted_at,
           CASE WHEN l.called IS NULL THEN o.called_at ELSE local_moment(nullif(l.called, '')) END AS called_at,
           CASE WHEN l.started IS NULL THEN o.started_at ELSE local_moment(nullif(l.started, '')) END AS started_at,
           CASE WHEN l.finished IS NULL THEN o.finished_at ELSE local_moment(nullif(l.finished, '')) END AS finished_at,
           CASE WHEN l.nip IS NULL THEN o.officer_id ELSE l.officer_id END AS new_officer
    FROM   laid l
    LEFT   JOIN ticket o ON o.service_id = l.service_id AND o.day = l.day AND o.number = l.number
), stated AS (
    SELECT k.*, CASE WHEN k.state <> '' THEN k.state WHEN k.old_state IN ('no_show', 'cancelled') THEN k.old_state
                     WHEN k.finished_at IS NOT NULL THEN 'finished' WHEN k.started_at IS NOT NULL THEN 'started'
                     WHEN k.called_at IS NOT NULL THEN 'called' ELSE 'taken' END AS new_state,
           CASE WHEN k.result IS NOT NULL THEN nullif(k.result, '') WHEN k.old_id IS NOT NULL THEN (SELECT t.result FROM ticket t WHERE t.id = k.old_id)
                WHEN k.finished_at IS NOT NULL THEN 'completed' END AS told_result
    FROM   known k
), resulted AS (
    SELECT s.*, CASE WHEN s.new_state = 'finished' THEN coalesce(s.told_result, 'completed') ELSE s.told_result END AS new_result FROM stated s
), weighed AS (
    SELECT r.*, concat_ws(' ', r.service_id, r.day, r.number) AS key,
           CASE WHEN r.service_id IS NULL THEN 'service-unknown'
                WHEN r.tells_officer AND r.officer_id IS NULL THEN 'officer-unknown'
                WHEN greatest(r.taken_at, r.accepted_at, r.called_at, r.started_at, r.finished_at) > now() + interval '4 minutes' THEN 'in-future'
                WHEN r.accepted_at < r.taken_at OR r.called_at < r.taken_at OR r.started_at < coalesce(r.called_at, r.taken_at)
                     OR r.finished_at < greatest(r.taken_at, r.accepted_at, r.called_at, r.started_at)
                     OR r.finished_at IS NULL AND r.accepted_at > coalesce(r.started_at, r.called_at, r.accepted_at) THEN 'time-order'
                WHEN NOT CASE r.new_state WHEN 'taken' THEN num_nonnulls(r.called_at, r.started_at, r.finished_at, r.new_result) = 0
                                          WHEN 'called' THEN r.called_at IS NOT NULL AND num_nonnulls(r.started_at, r.finished_at, r.new_result) = 0
                                          WHEN 'started' THEN r.started_at IS NOT NULL AND num_nonnulls(r.finished_at, r.new_result) = 0
                                          WHEN 'finished' THEN num_nonnulls(r.finished_at, r.new_result) = 2
                                          WHEN 'no_show' THEN r.called_at IS NOT NULL AND num_nonnulls(r.started_at, r.finished_at, r.new_result) = 0
                                          ELSE num_nonnulls(r.finished_at, r.new_result) = 0 END THEN 'state-times'
                WHEN r.old_state IN ('finished', 'no_show', 'cancelled') AND r.new_state <> r.old_state THEN 'ticket-state' END AS own_fault
    FROM   resulted r
    WHERE  r.taken_at IS NOT NULL OR r.service_id IS NULL
), judged AS (
    SELECT w.*, coalesce(e.line, first_value(w.line) OVER same) AS first_line,
           coalesce(w.own_fault, CASE WHEN NOT w.is_refused AND (e.line IS NOT NULL OR row_number() OVER same > 1) THEN 'duplicate-row' END) AS fault
    FROM   weighed w
    LEFT   JOIN import_seen e ON e.key = w.key
    WINDOW same AS (PARTITION BY w.key, w.is_refused OR w.own_fault IS NOT NULL ORDER BY w.place)
), offered AS MATERIALIZED (
    SELECT array_agg(v.code ORDER BY v.code) AS codes, array_agg(v.name ORDER BY v.code) AS names
    FROM   service v JOIN service_unit p ON p.id = v.service_unit_id JOIN unit u ON u.id = p.unit_id
    WHERE  u.path <@ ANY (:actor_units::ltree[])
), meant AS MATERIALIZED (
    SELECT w.fault, w.told, CASE w.fault WHEN 'service-unknown' THEN (SELECT code_meant(w.told, o.codes, o.names) FROM offered o) ELSE nip_meant(w.told, :actor_units::ltree[]) END AS code
    FROM   (SELECT DISTINCT j.fault, CASE j.fault WHEN 'service-unknown' THEN j.service_code ELSE j.nip END AS told
            FROM   judged j WHERE j.fault IN ('service-unknown', 'officer-unknown') LIMIT 200) w
), good AS (
    SELECT j.* FROM judged j WHERE NOT j.is_refused AND j.fault IS NULL
), seen AS (
    INSERT INTO import_seen (key, line) SELECT g.key, g.line FROM good g ON CONFLICT DO NOTHING
), changed AS (
    UPDATE ticket t
    SET    taken_at = g.taken_at, accepted_at = g.accepted_at, called_at = g.called_at, started_at = g.started_at, finished_at = g.finished_at,
           officer_id = g.new_officer, state = g.new_state, result = g.new_result
    FROM   good g
    WHERE  t.id = g.old_id
           AND (t.taken_at, t.accepted_at, t.called_at, t.started_at, t.finished_at, t.officer_id, t.state, t.result)
               IS DISTINCT FROM (g.taken_at, g.accepted_at, g.called_at, g.started_at, g.finished_at, g.new_officer, g.new_state, g.new_result)
    RETURNING 1
), made AS (
    INSERT INTO ticket (id, service_id, number, taken_at, accepted_at, called_at, started_at, finished_at, officer_id, state, result)
    SELECT g.id, g.service_id, g.number, g.taken_at, g.accepted_at, g.called_at, g.started_at, g.finished_at, g.new_officer, g.new_state, g.new_result
    FROM   good g
    WHERE  g.old_id IS NULL
    ORDER  BY g.service_id, g.day, g.number
    ON CONFLICT ON CONSTRAINT ticket_number_key DO NOTHING
    RETURNING 1
)
SELECT j.place, CASE j.fault WHEN 'service-unknown' THEN 'service_code' WHEN 'duplicate-row' THEN 'number' WHEN 'officer-unknown' THEN 'nip'
                             WHEN 'in-future' THEN 'taken_at' WHEN 'time-order' THEN 'taken_at' ELSE 'state' END AS "column",
       j.fault AS code, CASE j.fault WHEN 'service-unknown' THEN j.service_code WHEN 'duplicate-row' THEN j.number WHEN 'officer-unknown' THEN j.nip
                                     WHEN 'in-future' THEN NULL WHEN 'time-order' THEN NULL ELSE j.new_state END AS value,
       CASE j.fault WHEN 'duplicate-row' THEN j.first_line::text WHEN 'ticket-state' THEN j.old_state END AS told,
       NULL::bigint AS created, NULL::bigint AS updated,
       (SELECT m.code FROM meant m WHERE (m.fault, m.told) = (j.fault, CASE j.fault WHEN 'service-unknown' THEN j.service_code ELSE j.nip END)) AS suggestion
FROM   judged j
WHERE  j.fault IS NOT NULL
UNION ALL
SELECT NULL, NULL, NULL, NULL, NULL, (SELECT count(*) FROM made), (SELECT count(*) FROM changed), NULL
ORDER  BY place NULLS LAST
