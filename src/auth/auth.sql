-- Keys: looked up by the hash of what the caller sent; only the hash is stored.

-- name: auth.lookupKey
SELECT k.id, k.name, k.units::text AS units, k.scopes::text AS scopes,
       coalesce((extract(epoch FROM k.expires_at) * 1000000)::bigint, 0) AS expires_us
FROM   api_key k
WHERE  k.hash = :key_hash AND k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > now())

-- name: auth.noteUse
-- write: true
UPDATE api_key SET last_used_at = now() WHERE id = :key_id

-- name: auth.createKey
INSERT INTO api_key (id, name, hash, scopes, units, created_by, expires_at)
SELECT :key_id, :name, :key_hash, string_to_array(:scopes, ','),
       coalesce((SELECT array_agg(u.path ORDER BY u.path) FROM unit u WHERE u.code = ANY (string_to_array(:unit_codes, ','))), ARRAY[''::ltree]),
       :created_by, (:expires)::date
WHERE  :unit_codes::text IS NULL
   OR  (SELECT count(*) FROM unit u WHERE u.code = ANY (string_to_array(:unit_codes, ','))) = cardinality(string_to_array(:unit_codes, ','))
RETURNING id

-- name: auth.listKeys
SELECT k.id, k.name, array_to_string(k.scopes, ',') AS scopes,
       coalesce((SELECT string_agg(coalesce(u.code, '(all)'), ',') FROM unnest(k.units) AS p (path) LEFT JOIN unit u ON u.path = p.path), '') AS units,
       k.created_at::date AS created, k.expires_at::date AS expires, k.revoked_at::date AS revoked,
       to_char(k.last_used_at, 'YYYY-MM-DD HH24:MI') AS last_used
FROM   api_key k
ORDER  BY k.created_at, k.id

-- name: auth.revokeKey
UPDATE api_key SET revoked_at = now() WHERE id::text = :key_id AND revoked_at IS NULL RETURNING id, name

-- name: auth.cursorSecret
SELECT encode(value, 'hex') AS secret FROM instance_secret WHERE name = 'cursor'
