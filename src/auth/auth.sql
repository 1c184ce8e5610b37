-- Keys: looked up by the hash of what the caller sent; only the hash is stored.

-- name: auth.lookupKey
SELECT k.id, k.name, k.scopes::text AS scopes,
       CASE WHEN k.unit_ids IS NULL THEN '{""}'
            ELSE coalesce((SELECT array_agg(u.path) FROM unit u WHERE u.id = ANY (k.unit_ids)), '{}')::text END AS units,
       coalesce((extract(epoch FROM k.expires_at) * 1000000)::bigint, 0) AS expires_us
FROM   api_key k
WHERE  k.hash = :key_hash AND k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > now())

-- name: auth.noteUse
-- write: true
UPDATE api_key SET last_used_at = now() WHERE id = :key_id

-- name: auth.createKey
-- `fault` says why there is no key. Whether a moment is past is for the clock that auth.lookupKey goes by.
WITH asked AS (
    SELECT (:expires)::timestamptz AS until, string_to_array(:unit_codes, ',') AS codes
), judged AS (
    SELECT a.*, CASE WHEN a.until <= now() THEN 'expires'
                     WHEN (SELECT count(*) FROM unit u WHERE u.code = ANY (a.codes)) <> cardinality(a.codes) THEN 'units' END AS fault
    FROM   asked a
), made AS (
    INSERT INTO api_key (id, name, hash, scopes, unit_ids, created_by, expires_at)
    SELECT :key_id, :name, :key_hash, string_to_array(:scopes, ','),
           (SELECT array_agg(u.id ORDER BY u.path) FROM unit u WHERE u.code = ANY (j.codes)), :created_by, j.until
    FROM   judged j
    WHERE  j.fault IS NULL
    RETURNING id
)
SELECT (SELECT m.id FROM made m) AS id, j.fault FROM judged j

-- name: auth.listKeys
WITH clock AS (SELECT make_interval(mins => current_setting('asnd.utc_offset_minutes')::integer) AS here)
SELECT k.id, k.name, array_to_string(k.scopes, ',') AS scopes,
       CASE WHEN k.unit_ids IS NULL THEN '(all)'
            ELSE (SELECT string_agg(coalesce(u.code, '?'), ',') FROM unnest(k.unit_ids) AS i (id) LEFT JOIN unit u USING (id)) END AS units,
       (k.created_at AT TIME ZONE c.here)::date AS created,
       to_char(k.expires_at AT TIME ZONE c.here, 'YYYY-MM-DD HH24:MI') AS expires,
       (k.revoked_at AT TIME ZONE c.here)::date AS revoked,
       to_char(k.last_used_at AT TIME ZONE c.here, 'YYYY-MM-DD HH24:MI') AS last_used
FROM   api_key k, clock c
ORDER  BY k.created_at, k.id

-- name: auth.revokeKey
UPDATE api_key SET revoked_at = now() WHERE id::text = :key_id AND revoked_at IS NULL RETURNING id, name

-- name: auth.cursorSecret
SELECT encode(value, 'hex') AS secret FROM instance_secret WHERE name = 'cursor'
