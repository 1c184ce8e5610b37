-- Whose data an actor or an address was shown or changed: for the notice of a breach.

-- Without a NIP: readings of more people than the audit keeps one by one.
-- name: listExposure
-- sort: nip = x.nip_key AS _nip
SELECT x.nip, x.name, x.people, x.entries, x.members, x.operations, x.first_at, x.last_at, x.nip_key AS _nip,
       CASE WHEN x.nip IS NOT NULL THEN exposure_notice(x.name, x.nip, x.members, x.first_at, x.last_at, :how::text, :handling::text) END AS notice
FROM   (SELECT a.nip, a.name, 1::bigint AS people, count(DISTINCT e.id) AS entries,
               coalesce(array_agg(DISTINCT m.member ORDER BY m.member) FILTER (WHERE m.member IS NOT NULL), '{}') AS members, array_agg(DISTINCT e.operation ORDER BY e.operation) AS operations,
               min(e.at) AS first_at, max(e.at) AS last_at, a.nip AS nip_key
        FROM   exposure_entries(:who::text, :from::timestamptz, :until::timestamptz) e
        CROSS  JOIN LATERAL unnest(e.people) p (id)
        JOIN   asn a ON a.id = p.id
        JOIN   unit u ON u.id = a.unit_id
        LEFT   JOIN LATERAL unnest(e.members) m (member) ON true
        WHERE  u.path <@ ANY (:actor_units::ltree[])
        GROUP  BY a.id
        UNION  ALL
        SELECT NULL, NULL, max(e.n), count(*), '{}', array_agg(DISTINCT e.operation ORDER BY e.operation), min(e.at), max(e.at), ''
        FROM   exposure_entries(:who::text, :from::timestamptz, :until::timestamptz) e
        WHERE  e.people = '{}' AND e.n > 1 AND ''::ltree = ANY (:actor_units::ltree[])
        HAVING count(*) > 0) x
WHERE  true
/* page */
