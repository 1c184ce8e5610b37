-- Complaints. Limits are days of work, from the list complaint-limit; the order of states is the database's. Secret ones are for who holds complaint.secret.

-- name: listComplaints
-- sort: -id = c.id DESC AS id
-- sort: id = c.id AS id
SELECT c.id, c.reference, c.channel, c.kind, c.category, c.service_unit_id, c.service_id, c.text, c.is_secret, c.received_at, c.state, c.weight,
       c.verify_by, c.handle_by, c.settle_by, c.close_by, c.verified_at, c.forwarded_at, c.handled_at, c.answered_at, c.closed_at, c.answer, c.is_upheld,
       complaint_late(c, :today::date) AS late, c.version, c.created_at, c.updated_at
FROM   complaint c
JOIN   service_unit p ON p.id = c.service_unit_id
JOIN   unit u ON u.id = p.unit_id
WHERE  (NOT c.is_secret OR scope_held(:actor_scopes::text[], 'complaint.secret'))
/*? actor_units */ AND u.path <@ ANY (:actor_units::ltree[]) /*? */
/*? service_unit_id */ AND c.service_unit_id = :service_unit_id /*? */
/*? under */ AND u.path <@ (SELECT n.path FROM unit n WHERE n.id = :under) /*? */
/*? state */ AND c.state = :state /*? */
/*? late */ AND (complaint_late(c, :today::date) IS NOT NULL) = :late /*? */
/* page */

-- name: getComplaint
SELECT c.id, c.reference, c.channel, c.kind, c.category, c.service_unit_id, c.service_id, c.text, c.is_secret, c.received_at, c.state, c.weight,
       c.verify_by, c.handle_by, c.settle_by, c.close_by, c.verified_at, c.forwarded_at, c.handled_at, c.answered_at, c.closed_at, c.answer, c.is_upheld,
       complaint_late(c, :today::date) AS late, c.version, c.created_at, c.updated_at
FROM   complaint c
JOIN   service_unit p ON p.id = c.service_unit_id
JOIN   unit u ON u.id = p.unit_id
WHERE  c.id = :complaint_id AND u.path <@ ANY (:actor_units::ltree[]) AND (NOT c.is_secret OR scope_held(:actor_scopes::text[], 'complaint.secret'))

-- name: createComplaint
WITH place AS (
    SELECT p.id FROM service_unit p JOIN unit u ON u.id = p.unit_id WHERE p.id = :service_unit_id AND u.path <@ ANY (:actor_units::ltree[])
), made AS (
    INSERT INTO complaint (id, reference, channel, kind, category, service_unit_id, service_id, text, is_secret, received_at)
    SELECT :new_id, :reference, :channel, :kind, :category, p.id, :service_id::uuid, :text, coalesce(:is_secret::boolean, false),
           coalesce(:received_at::timestamptz, now())
    FROM   place p
    RETURNING *
), noted AS (
    INSERT INTO complaint_step (complaint_id, state, actor_name) SELECT m.id, m.state, :actor_name FROM made m
)
SELECT CASE WHEN c.id IS NULL THEN 'reference-missing' END AS _problem, '/service_unit_id' AS _pointer, :service_unit_id::text AS _value,
       c.id, c.reference, c.channel, c.kind, c.category, c.service_unit_id, c.service_id, c.text, c.is_secret, c.received_at, c.state, c.weight,
       c.verify_by, c.handle_by, c.settle_by, c.close_by, c.verified_at, c.forwarded_at, c.handled_at, c.answered_at, c.closed_at, c.answer, c.is_upheld,
       complaint_late(c, :today::date) AS late, c.version, c.created_at, c.updated_at
FROM   (SELECT) AS one LEFT JOIN made c ON true

-- name: advanceComplaint
-- write: true
SELECT c.id, c.reference, c.channel, c.kind, c.category, c.service_unit_id, c.service_id, c.text, c.is_secret, c.received_at, c.state, c.weight,
       c.verify_by, c.handle_by, c.settle_by, c.close_by, c.verified_at, c.forwarded_at, c.handled_at, c.answered_at, c.closed_at, c.answer, c.is_upheld,
       complaint_late(c, :today::date) AS late, c.version, c.created_at, c.updated_at
FROM   complaint_act(:complaint_id, :actor_units::ltree[], :actor_scopes::text[], :body::jsonb, :actor_name) c

-- name: listComplaintSteps
-- sort: id = t.id AS id
SELECT t.id, t.state, t.note, t.actor_name, t.at
FROM   complaint_step t
JOIN   complaint c ON c.id = t.complaint_id
JOIN   service_unit p ON p.id = c.service_unit_id
JOIN   unit u ON u.id = p.unit_id
WHERE  t.complaint_id = :complaint_id AND (NOT c.is_secret OR scope_held(:actor_scopes::text[], 'complaint.secret'))
/*? actor_units */ AND u.path <@ ANY (:actor_units::ltree[]) /*? */
/* page */

-- What is overdue or soon due, and whom to tell. A complaint by the limit that comes first, a ticket by its promised time.
-- name: listServiceDeadlines
-- sort: due_on = d.due_on AS due_on, d.id AS id
-- sort: -due_on = d.due_on DESC AS due_on, d.id DESC AS id
SELECT d.id, d.what, d.unit_id, u.name AS unit_name, d.service_unit_id, d.service_id, d.number, d.state, d.came_at, d.deadline, d.due_on, d.due_at, d.due_on - :today::date AS days_left,
       d.is_overdue, o.nip, o.name, (SELECT t.actor_name FROM complaint_step t WHERE t.complaint_id = d.id ORDER BY t.id DESC LIMIT 1) AS last_actor,
       h.unit_id AS head_unit_id, h.nip AS head_nip, h.name AS head_name, h."position" AS head_position
FROM   (SELECT c.id, 'complaint' AS what, p.unit_id, c.service_unit_id, c.service_id, c.reference AS number, c.state, c.received_at AS came_at, l.what AS deadline, l.day AS due_on,
               NULL::timestamptz AS due_at, l.day < :today::date AS is_overdue, NULL::uuid AS officer_id
        FROM   complaint c
        JOIN   service_unit p ON p.id = c.service_unit_id
        CROSS  JOIN LATERAL complaint_next(c) l
        WHERE  c.state IN ('received', 'verified', 'forwarded', 'in_progress', 'reopened') AND l.day IS NOT NULL
               AND (NOT c.is_secret OR scope_held(:actor_scopes::text[], 'complaint.secret'))
        UNION  ALL
        SELECT t.id, 'ticket', p.unit_id, p.id, t.service_id, t.number, t.state, t.taken_at, 'serve', local_day(t.due_at), t.due_at, t.due_at < now(), t.officer_id
        FROM   ticket t
        JOIN   service s ON s.id = t.service_id
        JOIN   service_unit p ON p.id = s.service_unit_id
        WHERE  t.state IN ('taken', 'called', 'started') AND t.due_at IS NOT NULL) d
JOIN   unit u ON u.id = d.unit_id
LEFT   JOIN asn_named o ON o.id = d.officer_id
LEFT   JOIN LATERAL service_head(u.id, :today::date, :actor_units::ltree[]) h ON true
WHERE  u.path <@ ANY (:actor_units::ltree[]) AND d.due_on <= :today::date + coalesce(:days::integer, 3)
/*? under */ AND u.path <@ (SELECT n.path FROM unit n WHERE n.id = :under) /*? */
/*? service_unit_id */ AND d.service_unit_id = :service_unit_id /*? */
/*? what */ AND d.what = :what /*? */
/*? is_overdue */ AND d.is_overdue = :is_overdue /*? */
/* page */

-- name: chore.closeComplaints
-- write: true
SELECT complaint_close_silent()
