-- Restriction of processing.

-- name: listRestrictions
-- sort: -id = r.id DESC AS id
-- sort: id = r.id AS id
SELECT r.id, r.nip, r.name, r."from", r."to", r.ground, r.data_request_id, r.is_active, r.end_reason, r.actor_name, r.version, r.created_at, r.updated_at
FROM   restriction_entry r
WHERE  r._unit_path <@ ANY (:actor_units::ltree[])
/*? nip */ AND r._asn_id = (SELECT asn_of_nip(:nip)) /*? */
/*? active */ AND r.is_active = :active::boolean /*? */
/* page */

-- name: getRestriction
SELECT r.id, r.nip, r.name, r."from", r."to", r.ground, r.data_request_id, r.is_active, r.end_reason, r.actor_name, r.version, r.created_at, r.updated_at
FROM   restriction_entry r
WHERE  r.id = :restriction_id AND r._unit_path <@ ANY (:actor_units::ltree[])

-- name: createRestriction
WITH who AS (
    SELECT a.* FROM asn a JOIN unit u ON u.id = a.unit_id WHERE a.id = (SELECT asn_of_nip(:nip)) AND u.path <@ ANY (:actor_units::ltree[])
), fault AS (
    SELECT CASE WHEN w.id IS NULL OR :data_request_id::uuid IS NOT NULL AND NOT EXISTS (SELECT FROM data_request d WHERE d.id = :data_request_id::uuid AND d.asn_id = w.id)
                THEN 'reference-missing' END AS problem,
           CASE WHEN w.id IS NULL THEN '/nip' ELSE '/data_request_id' END AS pointer
    FROM   (SELECT) one LEFT JOIN who w ON true
), made AS (
    INSERT INTO restriction (id, asn_id, starts, ends, ground, data_request_id, actor_key, actor_name)
    SELECT :new_id, w.id, :from::date, :to::date, :ground, :data_request_id::uuid, :actor_key, :actor_name
    FROM   who w CROSS JOIN fault f
    WHERE  f.problem IS NULL
    RETURNING *
)
SELECT f.problem AS _problem, f.pointer AS _pointer, m.id, w.nip, w.name, m.starts AS "from", m.ends AS "to", m.ground, m.data_request_id,
       m.starts <= local_today() AND (m.ends IS NULL OR m.ends > local_today()) AS is_active, m.end_reason, m.actor_name, m.version, m.created_at, m.updated_at
FROM   fault f LEFT JOIN who w ON true LEFT JOIN made m ON true

-- name: endRestriction
WITH cur AS (
    SELECT r.*, CASE WHEN NOT :if_match::int8multirange @> r.version THEN 'version-stale'
                     WHEN r.end_reason IS NOT NULL OR r.ends <= local_today() THEN 'restriction-over'
                     WHEN :on::date < r.starts OR :on::date > r.ends THEN 'restriction-day' END AS problem
    FROM   restriction r
    WHERE  r.id = (SELECT e.id FROM restriction_entry e WHERE e.id = :restriction_id AND e._unit_path <@ ANY (:actor_units::ltree[]))
    FOR    UPDATE
), done AS (
    UPDATE restriction r SET ends = :on::date, end_reason = :reason FROM cur WHERE r.id = cur.id AND cur.problem IS NULL RETURNING r.*
)
SELECT c.problem AS _problem, CASE c.problem WHEN 'restriction-day' THEN '/on' END AS _pointer, r.id, a.nip, a.name, r.starts AS "from", r.ends AS "to", r.ground, r.data_request_id,
       r.starts <= local_today() AND (r.ends IS NULL OR r.ends > local_today()) AS is_active, r.end_reason, r.actor_name, r.version, r.created_at, r.updated_at
FROM   cur c LEFT JOIN done r ON true LEFT JOIN asn a ON a.id = r.asn_id
