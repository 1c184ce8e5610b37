-- Keys and tokens: looked up by the hash of what the caller sent; only the hash is stored.

-- name: auth.lookupKey
SELECT k.id, k.name, k.scopes::text AS scopes, k.roles::text AS roles,
       CASE WHEN k.unit_ids IS NULL THEN '{""}'
            ELSE coalesce((SELECT array_agg(u.path) FROM unit u WHERE u.id = ANY (k.unit_ids)), '{}')::text END AS units,
       CASE WHEN k.unit_ids IS NULL THEN '{""}'
            ELSE coalesce((SELECT array_agg(DISTINCT unit_root(u.path)) FROM unit u WHERE u.id = ANY (k.unit_ids)), '{}')::text END AS agency,
       coalesce((extract(epoch FROM CASE WHEN k.hash = :key_hash THEN k.expires_at ELSE least(k.expires_at, k.previous_until) END) * 1000000)::bigint, 0)
           AS expires_us,
       array_to_string(k.allow_from, ',') AS allow_from, k.certificate, k.hash <> :key_hash AS is_previous, NULL AS nip
FROM   api_key k
WHERE  (k.hash = :key_hash OR k.previous_hash = :key_hash AND k.previous_until > now()) AND k.kind = 'key'
       AND k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > now())

-- name: auth.lookupToken
-- A token whose signature and claims were found good. Its subject gets a row, by which what it does is known, and by which it can be shut out.
WITH caller AS (
    SELECT k.id, k.name, k.allow_from, k.certificate, k.expires_at, k.revoked_at FROM api_key k WHERE k.hash = :key_hash AND k.kind = 'token'
), met AS (
    INSERT INTO api_key AS k (id, kind, name, hash, scopes, created_by, issuer, subject, held_scopes, held_roles)
    SELECT :key_id, 'token', :name, :key_hash, '{}', 'token', :issuer, :subject, :scopes::text[], :roles::text[] WHERE NOT EXISTS (SELECT FROM caller)
    ON CONFLICT (hash) DO UPDATE SET issuer = EXCLUDED.issuer
    RETURNING k.id, k.name, k.allow_from, k.certificate, k.expires_at, k.revoked_at
), noted AS (
    UPDATE api_key k
    SET    held_scopes = :scopes::text[], held_roles = :roles::text[]
    WHERE  k.id = (SELECT c.id FROM caller c) AND (k.held_scopes, k.held_roles) IS DISTINCT FROM (:scopes::text[], :roles::text[])
), person AS (
    SELECT u.path FROM asn a JOIN unit u ON u.id = a.unit_id WHERE a.id = asn_of_nip(:nip)
), claimed AS (
    SELECT CASE WHEN :unit_codes::text[] IS NOT NULL THEN ARRAY(SELECT u.path FROM unit u WHERE u.code = ANY (:unit_codes::text[]))
                WHEN :units_else = 'all' THEN '{""}'::ltree[]
                WHEN :units_else = 'own' THEN ARRAY(SELECT p.path FROM person p)
                ELSE '{}'::ltree[] END AS units
)
SELECT c.id, c.name, :scopes::text AS scopes, :roles::text AS roles, m.units::text AS units,
       ARRAY(SELECT unit_root(p.path) FROM person p
             UNION
             SELECT unit_root(u.path) FROM unnest(m.units) AS u (path) WHERE NOT EXISTS (SELECT FROM person))::text AS agency,
       least((extract(epoch FROM c.expires_at) * 1000000)::bigint, :expires_us::bigint) AS expires_us,
       array_to_string(c.allow_from, ',') AS allow_from, coalesce(:certificate::text, c.certificate) AS certificate, false AS is_previous, :nip::text AS nip
FROM   (SELECT * FROM caller UNION ALL SELECT * FROM met) c CROSS JOIN claimed m
WHERE  c.revoked_at IS NULL AND (c.expires_at IS NULL OR c.expires_at > now())
       AND (c.certificate <> :certificate) IS NOT TRUE
       AND NOT EXISTS (SELECT FROM token_denial d WHERE d.jti = :jti)

-- name: auth.noteUse
-- write: true
UPDATE api_key
SET    last_used_at = now(), previous_used_at = CASE WHEN :is_previous::boolean THEN now() ELSE previous_used_at END
WHERE  id = :key_id

-- name: auth.createKey
-- `fault` says why there is no key. Whether a moment is past is for the clock that auth.lookupKey goes by.
WITH asked AS (
    SELECT (:expires)::timestamptz AS until, string_to_array(:unit_codes, ',') AS codes
), judged AS (
    SELECT a.*, CASE WHEN a.until <= now() THEN 'expires'
                     WHEN (SELECT count(*) FROM unit u WHERE u.code = ANY (a.codes)) <> cardinality(a.codes) THEN 'units' END AS fault
    FROM   asked a
), made AS (
    INSERT INTO api_key (id, name, owner, hash, scopes, roles, unit_ids, created_by, expires_at, allow_from, certificate)
    SELECT :key_id, :name, :owner, :key_hash, string_to_array(:scopes, ','), coalesce(string_to_array(:roles, ','), '{}'),
           (SELECT array_agg(u.id ORDER BY u.path) FROM unit u WHERE u.code = ANY (j.codes)), :created_by, j.until,
           string_to_array(:allow_from, ',')::cidr[], :certificate
    FROM   judged j
    WHERE  j.fault IS NULL
    RETURNING id
)
SELECT (SELECT m.id FROM made m) AS id, j.fault FROM judged j

-- name: auth.listKeys
WITH clock AS (SELECT make_interval(mins => current_setting('asnd.utc_offset_minutes')::integer) AS here)
SELECT k.id, k.kind, k.name, k.owner, array_to_string(k.scopes, ',') AS scopes, array_to_string(k.roles, ',') AS roles,
       CASE WHEN k.kind = 'token' THEN '(claims)'
            WHEN k.unit_ids IS NULL THEN '(all)'
            ELSE (SELECT string_agg(coalesce(u.code, '?'), ',') FROM unnest(k.unit_ids) AS i (id) LEFT JOIN unit u USING (id)) END AS units,
       array_to_string(k.allow_from, ',') AS allow_from,
       left(k.certificate, 16) AS certificate,
       (k.created_at AT TIME ZONE c.here)::date AS created,
       to_char(k.expires_at AT TIME ZONE c.here, 'YYYY-MM-DD HH24:MI') AS expires,
       (k.revoked_at AT TIME ZONE c.here)::date AS revoked,
       to_char(k.last_used_at AT TIME ZONE c.here, 'YYYY-MM-DD HH24:MI') AS last_used,
       CASE WHEN k.previous_until > now() THEN to_char(k.previous_until AT TIME ZONE c.here, 'YYYY-MM-DD HH24:MI') END AS previous_until,
       to_char(k.previous_used_at AT TIME ZONE c.here, 'YYYY-MM-DD HH24:MI') AS previous_used
FROM   api_key k, clock c
ORDER  BY k.created_at, k.id

-- name: auth.rotateKey
UPDATE api_key k
SET    previous_hash = CASE WHEN :overlap_hours::integer > 0 THEN k.hash END,
       previous_until = CASE WHEN :overlap_hours::integer > 0 THEN now() + make_interval(hours => :overlap_hours::integer) END,
       previous_used_at = NULL, hash = :key_hash, rotated_at = now()
WHERE  k.id::text = :key_id AND k.kind = 'key' AND k.revoked_at IS NULL
RETURNING k.id, k.name

-- name: auth.revokeKey
UPDATE api_key SET revoked_at = now() WHERE id::text = :key_id AND revoked_at IS NULL RETURNING id, name

-- name: auth.denyToken
INSERT INTO token_denial (jti, reason, expires_at, denied_by) VALUES (:jti, :reason, now() + interval '30 days', '00000000-0000-0000-0000-000000000000')
ON CONFLICT (jti) DO NOTHING
RETURNING jti

-- name: chore.forgetDenials
DELETE FROM token_denial WHERE expires_at < now() - interval '1 hour'

-- name: auth.cursorSecret
SELECT encode(value, 'hex') AS secret FROM instance_secret WHERE name = 'cursor'

-- name: auth.weakRole
SELECT r.rolname AS name FROM pg_roles r WHERE r.rolname = current_user AND r.rolsuper

-- name: auth.weakKeys
-- Keys in force with what is weak about each: `no-expiry` (older than a year), `admin` (used within 30 days), `unused` (for a year).
SELECT w.fault, k.id, k.name
FROM   api_key k
CROSS  JOIN LATERAL (VALUES ('key-no-expiry', k.expires_at IS NULL AND k.created_at < now() - interval '1 year'),
                            ('key-admin', 'admin' = ANY (k.scopes) AND k.last_used_at > now() - interval '30 days'),
                            ('key-unused', coalesce(k.last_used_at, k.created_at) < now() - interval '1 year')) AS w (fault, holds)
WHERE  k.kind = 'key' AND k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > now()) AND w.holds
ORDER  BY w.fault, k.created_at, k.id
