-- Working together with other systems: their lists held against ours, and their ids.

-- Field by field, as JSON: a field that the row does not name is not compared. `range`: the list is all that they have between two NIPs.
-- name: reconcileAsn
-- timeout: 30000
WITH sent AS MATERIALIZED (
    SELECT r.place, r.theirs, r.theirs ->> 'nip' AS nip, asn_of_nip(r.theirs ->> 'nip') AS id
    FROM   jsonb_array_elements(:body::jsonb -> 'people') WITH ORDINALITY AS r (theirs, place)
), held AS MATERIALIZED (
    SELECT s.place, s.nip, a.nip AS our_nip, a.id, a.version, w.fields
    FROM   sent s
    LEFT   JOIN (asn a JOIN unit u ON u.id = a.unit_id AND u.path <@ ANY (:actor_units::ltree[])) ON a.id = s.id
    LEFT   JOIN LATERAL (
               SELECT coalesce(jsonb_agg(jsonb_build_object('field', f.key, 'theirs', f.value, 'ours', o.ours -> f.key) ORDER BY f.key), '[]') AS fields
               FROM   (SELECT to_jsonb(a) || jsonb_build_object('unit_code', u.code, 'unit_name', u.name) AS ours) o,
                      jsonb_each(s.theirs) AS f
               WHERE  f.value IS DISTINCT FROM o.ours -> f.key
           ) w ON a.id IS NOT NULL
), only_ours AS MATERIALIZED (
    SELECT a.nip, a.version
    FROM   asn a JOIN unit u ON u.id = a.unit_id
    WHERE  :range::jsonb IS NOT NULL AND a.nip BETWEEN :range::jsonb ->> 'from' AND :range::jsonb ->> 'to' AND u.path <@ ANY (:actor_units::ltree[])
           AND NOT EXISTS (SELECT FROM held h WHERE h.id = a.id)
    ORDER  BY a.nip
    LIMIT  10001
)
SELECT CASE WHEN EXISTS (SELECT FROM sent s WHERE s.theirs ?| '{nik,email,phone}') AND NOT scope_held(:actor_scopes::text[], 'asn.sensitive') THEN 'forbidden' END AS _problem,
       CASE WHEN EXISTS (SELECT FROM sent s WHERE s.theirs ?| '{nik,email,phone}') AND NOT scope_held(:actor_scopes::text[], 'asn.sensitive') THEN '/people' END AS _pointer,
       (SELECT count(*)::integer FROM held h WHERE h.fields = '[]') AS same,
       (SELECT coalesce(jsonb_agg(jsonb_build_object('nip', h.nip, 'our_nip', h.our_nip, 'version', h.version, 'fields', h.fields) ORDER BY h.place), '[]')
        FROM   held h WHERE h.fields <> '[]') AS different,
       (SELECT coalesce(jsonb_agg(h.nip ORDER BY h.place), '[]') FROM held h WHERE h.id IS NULL) AS only_there,
       (SELECT coalesce(jsonb_agg(jsonb_build_object('nip', o.nip, 'version', o.version) ORDER BY o.nip), '[]')
        FROM   (SELECT * FROM only_ours ORDER BY nip LIMIT 10000) o) AS only_here,
       (SELECT count(*) > 10000 FROM only_ours) AS only_here_goes_on

-- name: getExternalIds
SELECT a.nip, coalesce((SELECT jsonb_object_agg(e.system, e.value) FROM external_id e WHERE e.asn_id = a.id), '{}') AS external_ids
FROM   asn a JOIN unit u ON u.id = a.unit_id
WHERE  a.id = asn_of_nip(:nip) AND u.path <@ ANY (:actor_units::ltree[])

-- name: putExternalId
WITH who AS (
    SELECT a.id, a.nip FROM asn a JOIN unit u ON u.id = a.unit_id WHERE a.id = asn_of_nip(:nip) AND u.path <@ ANY (:actor_units::ltree[])
), put AS (
    INSERT INTO external_id AS e (asn_id, system, value)
    SELECT w.id, :system, :value FROM who w
    ON CONFLICT (asn_id, system) DO UPDATE SET value = excluded.value, updated_at = now()
    RETURNING e.system, e.value
)
SELECT w.nip, p.system, p.value FROM who w, put p

-- name: deleteExternalId
DELETE FROM external_id e
USING  asn a JOIN unit u ON u.id = a.unit_id
WHERE  e.asn_id = a.id AND e.system = :system AND a.id = asn_of_nip(:nip) AND u.path <@ ANY (:actor_units::ltree[])
RETURNING e.system AS _system

-- name: findExternalId
SELECT a.nip, e.system, e.value
FROM   external_id e JOIN asn a ON a.id = e.asn_id JOIN unit u ON u.id = a.unit_id
WHERE  e.system = :system AND e.value = :value AND u.path <@ ANY (:actor_units::ltree[])
