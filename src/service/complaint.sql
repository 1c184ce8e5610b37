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

-- name: chore.closeComplaints
-- write: true
SELECT complaint_close_silent()
