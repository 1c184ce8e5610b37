-- Requests of the person whose data it is, and their clock of 3×24 hours.

-- name: listDataRequests
-- sort: due = r.due_at AS due_at, r.id AS id
-- sort: -due = r.due_at DESC AS due_at, r.id DESC AS id
-- sort: -id = r.id DESC AS id
SELECT r.id, r.nip, r.name, r.unit_id, r.kind, r.text, r.is_by_office, r.filed_at, r.due_at, r.is_overdue, r.state, r.change_request_id, r.reason, r.article, r.told, r.told_at,
       r.requested_by_name, r.decided_by_name, r.decided_at, r.version, r.created_at, r.updated_at
FROM   data_request_entry r
WHERE  r._unit_path <@ ANY (:actor_units::ltree[])
/*? nip */ AND r._asn_id = (SELECT asn_of_nip(:nip)) /*? */
/*? kind */ AND r.kind = :kind /*? */
/*? state */ AND r.state = :state /*? */
/*? under */ AND r._unit_path <@ (SELECT p.path FROM unit p WHERE p.id = :under) /*? */
/*? overdue */ AND r.is_overdue = :overdue::boolean /*? */
/* page */

-- name: getDataRequest
SELECT r.id, r.nip, r.name, r.unit_id, r.kind, r.text, r.is_by_office, r.filed_at, r.due_at, r.is_overdue, r.state, r.change_request_id, r.reason, r.article, r.told, r.told_at,
       r.requested_by_name, r.decided_by_name, r.decided_at, r.version, r.created_at, r.updated_at
FROM   data_request_entry r
WHERE  r.id = :data_request_id AND r._unit_path <@ ANY (:actor_units::ltree[])

-- name: createDataRequest
WITH who AS (
    SELECT a.* FROM asn a JOIN unit u ON u.id = a.unit_id WHERE a.id = (SELECT asn_of_nip(:nip)) AND u.path <@ ANY (:actor_units::ltree[])
), told AS (
    SELECT coalesce(:filed_at::timestamptz, now()) AS filed_at, :change_request_id::uuid AS change_request_id
), fault AS (
    SELECT CASE WHEN w.id IS NULL OR t.change_request_id IS NOT NULL AND NOT EXISTS (SELECT FROM change_request c WHERE c.id = t.change_request_id AND c.asn_id = w.id)
                THEN 'reference-missing'
                WHEN t.change_request_id IS NOT NULL AND :kind <> 'correction' THEN 'data-request-no-correction'
                WHEN t.filed_at > now() THEN 'data-request-ahead' END AS problem,
           CASE WHEN w.id IS NULL THEN '/nip' WHEN t.change_request_id IS NOT NULL AND t.filed_at <= now() THEN '/change_request_id' ELSE '/filed_at' END AS pointer
    FROM   told t LEFT JOIN who w ON true
), made AS (
    INSERT INTO data_request (id, asn_id, kind, text, is_by_office, filed_at, due_at, change_request_id, requested_by, requested_by_name)
    SELECT :new_id, w.id, :kind, :text, w.nip IS DISTINCT FROM :actor_nip::text, t.filed_at, data_request_due(:kind, t.filed_at), t.change_request_id, :actor_key, :actor_name
    FROM   told t CROSS JOIN who w CROSS JOIN fault f
    WHERE  f.problem IS NULL
    RETURNING *
)
SELECT f.problem AS _problem, f.pointer AS _pointer, m.id, w.nip, w.name, w.unit_id, m.kind, m.text, m.is_by_office, m.filed_at, m.due_at, now() > m.due_at AS is_overdue, m.state,
       m.change_request_id, m.reason, m.article, m.told, m.told_at, m.requested_by_name, m.decided_by_name, m.decided_at, m.version, m.created_at, m.updated_at
FROM   fault f LEFT JOIN who w ON true LEFT JOIN made m ON true

-- name: takeDataRequest
WITH cur AS (
    SELECT r.*, CASE WHEN NOT :if_match::int8multirange @> r.version THEN 'version-stale' WHEN r.state <> 'filed' THEN 'data-request-state' END AS problem
    FROM   data_request r
    WHERE  r.id = (SELECT e.id FROM data_request_entry e WHERE e.id = :data_request_id AND e._unit_path <@ ANY (:actor_units::ltree[]))
    FOR    UPDATE
), done AS (
    UPDATE data_request r SET state = 'in_progress' FROM cur WHERE r.id = cur.id AND cur.problem IS NULL RETURNING r.*
)
SELECT c.problem AS _problem, r.id, a.nip, a.name, a.unit_id, r.kind, r.text, r.is_by_office, r.filed_at, r.due_at, coalesce(r.told_at, now()) > r.due_at AS is_overdue, r.state,
       r.change_request_id, r.reason, r.article, r.told, r.told_at, r.requested_by_name, r.decided_by_name, r.decided_at, r.version, r.created_at, r.updated_at
FROM   cur c LEFT JOIN done r ON true LEFT JOIN asn a ON a.id = r.asn_id

-- name: closeDataRequest
WITH cur AS (
    SELECT r.*, CASE WHEN NOT :if_match::int8multirange @> r.version THEN 'version-stale'
                     WHEN r.decided_at IS NOT NULL THEN 'request-decided'
                     WHEN r.requested_by = :actor_key::uuid THEN 'request-own'
                     WHEN :outcome = 'refused' AND :article::text IS NULL THEN 'data-request-article' END AS problem
    FROM   data_request r
    WHERE  r.id = (SELECT e.id FROM data_request_entry e WHERE e.id = :data_request_id AND e._unit_path <@ ANY (:actor_units::ltree[]))
    FOR    UPDATE
), done AS (
    UPDATE data_request r
    SET    state = :outcome, reason = :reason, article = :article, told = :told, told_at = CASE WHEN :told::text IS NOT NULL THEN now() END,
           decided_by = :actor_key, decided_by_name = :actor_name, decided_at = now()
    FROM   cur
    WHERE  r.id = cur.id AND cur.problem IS NULL
    RETURNING r.*
)
SELECT c.problem AS _problem, CASE c.problem WHEN 'data-request-article' THEN '/article' END AS _pointer,
       r.id, a.nip, a.name, a.unit_id, r.kind, r.text, r.is_by_office, r.filed_at, r.due_at, coalesce(r.told_at, now()) > r.due_at AS is_overdue, r.state,
       r.change_request_id, r.reason, r.article, r.told, r.told_at, r.requested_by_name, r.decided_by_name, r.decided_at, r.version, r.created_at, r.updated_at
FROM   cur c LEFT JOIN done r ON true LEFT JOIN asn a ON a.id = r.asn_id

-- name: tellDataRequest
WITH cur AS (
    SELECT r.*, CASE WHEN NOT :if_match::int8multirange @> r.version THEN 'version-stale'
                     WHEN r.decided_at IS NULL OR r.told_at IS NOT NULL THEN 'data-request-state' END AS problem
    FROM   data_request r
    WHERE  r.id = (SELECT e.id FROM data_request_entry e WHERE e.id = :data_request_id AND e._unit_path <@ ANY (:actor_units::ltree[]))
    FOR    UPDATE
), done AS (
    UPDATE data_request r SET told = :told, told_at = now() FROM cur WHERE r.id = cur.id AND cur.problem IS NULL RETURNING r.*
)
SELECT c.problem AS _problem, r.id, a.nip, a.name, a.unit_id, r.kind, r.text, r.is_by_office, r.filed_at, r.due_at, coalesce(r.told_at, now()) > r.due_at AS is_overdue, r.state,
       r.change_request_id, r.reason, r.article, r.told, r.told_at, r.requested_by_name, r.decided_by_name, r.decided_at, r.version, r.created_at, r.updated_at
FROM   cur c LEFT JOIN done r ON true LEFT JOIN asn a ON a.id = r.asn_id
