-- Keys as others see and give them. Nobody sees a key that reaches beyond his own units, nor changes one that may do more than he may.

-- name: getCaller
SELECT k.id, k.kind, :actor_name::text AS name, :actor_nip::text AS nip, :actor_scopes::text[] AS scopes, :actor_roles::text[] AS roles,
       ''::ltree = ANY (:actor_units::ltree[]) AS sees_all_units,
       coalesce((SELECT json_agg(json_build_object('id', u.id, 'code', u.code, 'name', u.name) ORDER BY u.path)
                 FROM   unit u WHERE u.path = ANY (:actor_units::ltree[]) AND NOT ''::ltree = ANY (:actor_units::ltree[])), '[]') AS units,
       CASE WHEN k.kind = 'key' THEN k.expires_at END AS expires_at
FROM   api_key k
WHERE  k.id = :actor_key::uuid

-- name: listApiKeys
-- sort: created_at = k.created_at AS _created_at, k.id AS _id
-- sort: -created_at = k.created_at DESC AS _created_at, k.id DESC AS _id
SELECT k.id, k.kind, k.name, k.owner, k.scopes, k.roles, to_json(k.unit_ids) AS unit_ids, to_json(k.allow_from) AS allow_from, k.certificate, k.expires_at, k.revoked_at,
       k.last_used_at, k.rotated_at, k.previous_until, k.previous_used_at, k.created_by, k.version, k.created_at, k.updated_at, k.created_at AS _created_at, k.id AS _id
FROM   api_key k
WHERE  units_cover(:actor_units::ltree[], k.unit_ids)
/*? kind */ AND k.kind = :kind /*? */
/*? is_live */ AND (k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > now())) = :is_live /*? */
/* page */

-- name: getApiKey
SELECT k.id, k.kind, k.name, k.owner, k.scopes, k.roles, to_json(k.unit_ids) AS unit_ids, to_json(k.allow_from) AS allow_from, k.certificate, k.expires_at, k.revoked_at,
       k.last_used_at, k.rotated_at, k.previous_until, k.previous_used_at, k.created_by, k.version, k.created_at, k.updated_at
FROM   api_key k
WHERE  k.id = :key_id AND units_cover(:actor_units::ltree[], k.unit_ids)

-- name: createApiKey.store
WITH want AS (
    SELECT ARRAY(SELECT jsonb_array_elements_text(b -> 'scopes')) AS scopes,
           ARRAY(SELECT jsonb_array_elements_text(b -> 'roles')) AS roles,
           CASE WHEN jsonb_typeof(b -> 'unit_ids') = 'array' THEN ARRAY(SELECT jsonb_array_elements_text(b -> 'unit_ids')::uuid) END AS unit_ids,
           CASE WHEN jsonb_typeof(b -> 'allow_from') = 'array' THEN ARRAY(SELECT jsonb_array_elements_text(b -> 'allow_from')::cidr) END AS allow_from
    FROM   (SELECT :body::jsonb AS b) given
), judged AS (
    SELECT w.*, CASE WHEN NOT scopes_cover(:actor_scopes::text[], w.scopes) THEN 'scope-not-held'
                     WHEN NOT roles_cover(:actor_scopes::text[], :actor_covers::text[], w.roles) THEN 'role-not-held'
                     WHEN NOT units_cover(:actor_units::ltree[], w.unit_ids)
                          OR EXISTS (SELECT FROM unnest(w.unit_ids) AS i (id) WHERE NOT EXISTS (SELECT FROM unit u WHERE u.id = i.id)) THEN 'reference-missing'
                     WHEN :expires_at::timestamptz <= now() THEN 'key-ends-before-now'
                     WHEN b.pointer IS NOT NULL THEN 'bound-not-held' END AS problem, b.pointer
    FROM   want w CROSS JOIN LATERAL (SELECT key_beyond(:actor_key::uuid, :expires_at::timestamptz, w.allow_from) AS pointer) b
), made AS (
    INSERT INTO api_key AS k (id, name, owner, hash, scopes, roles, unit_ids, allow_from, certificate, expires_at, created_by)
    SELECT :new_id, :name, :owner, :key_hash, j.scopes, j.roles, j.unit_ids, j.allow_from, :certificate, :expires_at, :actor_name
    FROM   judged j
    WHERE  j.problem IS NULL
    RETURNING k.*
)
SELECT j.problem AS _problem,
       CASE j.problem WHEN 'scope-not-held' THEN '/scopes' WHEN 'role-not-held' THEN '/roles' WHEN 'reference-missing' THEN '/unit_ids' WHEN 'key-ends-before-now' THEN '/expires_at'
                      WHEN 'bound-not-held' THEN j.pointer END AS _pointer,
       CASE j.problem WHEN 'reference-missing' THEN 'Name units that you see yourself; a key without units sees all.'
                      WHEN 'bound-not-held' THEN key_bound_words(:actor_key::uuid, j.pointer, 'en') END AS _en,
       CASE j.problem WHEN 'reference-missing' THEN 'Sebutkan unit yang Anda lihat sendiri; kunci tanpa unit melihat semuanya.'
                      WHEN 'bound-not-held' THEN key_bound_words(:actor_key::uuid, j.pointer, 'id') END AS _id,
       k.id, k.kind, k.name, k.owner, k.scopes, k.roles, to_json(k.unit_ids) AS unit_ids, to_json(k.allow_from) AS allow_from, k.certificate, k.expires_at, k.revoked_at,
       k.last_used_at, k.rotated_at, k.previous_until, k.previous_used_at, k.created_by, k.version, k.created_at, k.updated_at
FROM   judged j LEFT JOIN made k ON true

-- name: updateApiKey.store
WITH cur AS (
    SELECT k.* FROM api_key k WHERE k.id = :key_id AND units_cover(:actor_units::ltree[], k.unit_ids) FOR UPDATE
), want AS (
    SELECT c.id, c.version, c.kind, c.revoked_at, c.scopes || c.held_scopes AS had, c.roles || c.held_roles AS had_roles, b,
           key_beyond(:actor_key::uuid, c.expires_at, c.allow_from) AS had_beyond,
           CASE WHEN b ? 'name' THEN b ->> 'name' ELSE c.name END AS name,
           CASE WHEN b ? 'owner' THEN b ->> 'owner' ELSE c.owner END AS owner,
           CASE WHEN b ? 'scopes' THEN ARRAY(SELECT jsonb_array_elements_text(b -> 'scopes')) ELSE c.scopes END AS scopes,
           CASE WHEN NOT b ? 'unit_ids' THEN c.unit_ids
                WHEN jsonb_typeof(b -> 'unit_ids') = 'array' THEN ARRAY(SELECT jsonb_array_elements_text(b -> 'unit_ids')::uuid) END AS unit_ids,
           CASE WHEN NOT b ? 'allow_from' THEN c.allow_from
                WHEN jsonb_typeof(b -> 'allow_from') = 'array' THEN ARRAY(SELECT jsonb_array_elements_text(b -> 'allow_from')::cidr) END AS allow_from,
           CASE WHEN b ? 'certificate' THEN b ->> 'certificate' ELSE c.certificate END AS certificate,
           CASE WHEN b ? 'expires_at' THEN (b ->> 'expires_at')::timestamptz ELSE c.expires_at END AS expires_at
    FROM   cur c, (SELECT :body::jsonb AS b) given
), judged AS (
    SELECT w.*, CASE WHEN NOT :if_match::int8multirange @> w.version THEN 'version-stale'
                     WHEN w.id = :actor_key::uuid THEN 'key-own'
                     WHEN w.revoked_at IS NOT NULL THEN 'key-revoked'
                     WHEN w.kind = 'token' AND w.b ?| '{scopes,unit_ids}' THEN 'key-of-token'
                     WHEN NOT scopes_cover(:actor_scopes::text[], w.scopes || w.had) THEN 'scope-not-held'
                     WHEN NOT roles_cover(:actor_scopes::text[], :actor_covers::text[], w.had_roles) THEN 'role-not-held'
                     WHEN w.b ? 'unit_ids' AND (NOT units_cover(:actor_units::ltree[], w.unit_ids)
                          OR EXISTS (SELECT FROM unnest(w.unit_ids) AS i (id) WHERE NOT EXISTS (SELECT FROM unit u WHERE u.id = i.id))) THEN 'reference-missing'
                     WHEN w.b ? 'expires_at' AND w.expires_at <= now() THEN 'key-ends-before-now'
                     WHEN coalesce(w.had_beyond, n.pointer) IS NOT NULL THEN 'bound-not-held' END AS problem, coalesce(w.had_beyond, n.pointer) AS pointer
    FROM   want w CROSS JOIN LATERAL (SELECT key_beyond(:actor_key::uuid, w.expires_at, w.allow_from) AS pointer) n
), done AS (
    UPDATE api_key k
    SET    name = j.name, owner = j.owner, scopes = j.scopes, unit_ids = j.unit_ids, allow_from = j.allow_from, certificate = j.certificate,
           expires_at = j.expires_at
    FROM   judged j
    WHERE  k.id = j.id AND j.problem IS NULL
    RETURNING k.*
)
SELECT j.problem AS _problem,
       CASE j.problem WHEN 'scope-not-held' THEN '/scopes' WHEN 'role-not-held' THEN '/roles' WHEN 'reference-missing' THEN '/unit_ids' WHEN 'key-ends-before-now' THEN '/expires_at'
                      WHEN 'bound-not-held' THEN j.pointer END AS _pointer,
       CASE j.problem WHEN 'bound-not-held' THEN key_bound_words(:actor_key::uuid, j.pointer, 'en') END AS _en,
       CASE j.problem WHEN 'bound-not-held' THEN key_bound_words(:actor_key::uuid, j.pointer, 'id') END AS _id,
       k.id, k.kind, k.name, k.owner, k.scopes, k.roles, to_json(k.unit_ids) AS unit_ids, to_json(k.allow_from) AS allow_from, k.certificate, k.expires_at, k.revoked_at,
       k.last_used_at, k.rotated_at, k.previous_until, k.previous_used_at, k.created_by, k.version, k.created_at, k.updated_at
FROM   judged j LEFT JOIN done k ON true

-- name: rotateApiKey.store
WITH cur AS (
    SELECT k.* FROM api_key k WHERE k.id = :key_id AND units_cover(:actor_units::ltree[], k.unit_ids) FOR UPDATE
), judged AS (
    SELECT c.*, coalesce(:overlap_hours::integer, 24) AS overlap,
           CASE WHEN NOT :if_match::int8multirange @> c.version THEN 'version-stale'
                WHEN c.kind = 'token' THEN 'key-of-token'
                WHEN c.revoked_at IS NOT NULL THEN 'key-revoked'
                WHEN NOT scopes_cover(:actor_scopes::text[], c.scopes || c.held_scopes) THEN 'scope-not-held'
                WHEN NOT roles_cover(:actor_scopes::text[], :actor_covers::text[], c.roles || c.held_roles) THEN 'role-not-held'
                WHEN n.pointer IS NOT NULL THEN 'bound-not-held' END AS problem, n.pointer
    FROM   cur c CROSS JOIN LATERAL (SELECT key_beyond(:actor_key::uuid, c.expires_at, c.allow_from) AS pointer) n
), done AS (
    UPDATE api_key k
    SET    previous_hash = CASE WHEN j.overlap > 0 THEN k.hash END,
           previous_until = CASE WHEN j.overlap > 0 THEN now() + make_interval(hours => j.overlap) END,
           previous_used_at = NULL, hash = :key_hash, rotated_at = now()
    FROM   judged j
    WHERE  k.id = j.id AND j.problem IS NULL
    RETURNING k.*
)
SELECT j.problem AS _problem,
       CASE j.problem WHEN 'bound-not-held' THEN key_bound_words(:actor_key::uuid, j.pointer, 'en') END AS _en,
       CASE j.problem WHEN 'bound-not-held' THEN key_bound_words(:actor_key::uuid, j.pointer, 'id') END AS _id,
       k.id, k.kind, k.name, k.owner, k.scopes, k.roles, to_json(k.unit_ids) AS unit_ids, to_json(k.allow_from) AS allow_from, k.certificate, k.expires_at, k.revoked_at,
       k.last_used_at, k.rotated_at, k.previous_until, k.previous_used_at, k.created_by, k.version, k.created_at, k.updated_at
FROM   judged j LEFT JOIN done k ON true

-- name: revokeApiKey
WITH cur AS (
    SELECT k.* FROM api_key k WHERE k.id = :key_id AND units_cover(:actor_units::ltree[], k.unit_ids) FOR UPDATE
), judged AS (
    SELECT c.*, CASE WHEN NOT :if_match::int8multirange @> c.version THEN 'version-stale'
                     WHEN c.revoked_at IS NOT NULL THEN 'key-revoked'
                     WHEN NOT scopes_cover(:actor_scopes::text[], c.scopes || c.held_scopes) THEN 'scope-not-held'
                     WHEN NOT roles_cover(:actor_scopes::text[], :actor_covers::text[], c.roles || c.held_roles) THEN 'role-not-held' END AS problem
    FROM   cur c
), done AS (
    UPDATE api_key k
    SET    revoked_at = now(), previous_hash = NULL, previous_until = NULL
    FROM   judged j
    WHERE  k.id = j.id AND j.problem IS NULL
    RETURNING k.*
)
SELECT j.problem AS _problem,
       k.id, k.kind, k.name, k.owner, k.scopes, k.roles, to_json(k.unit_ids) AS unit_ids, to_json(k.allow_from) AS allow_from, k.certificate, k.expires_at, k.revoked_at,
       k.last_used_at, k.rotated_at, k.previous_until, k.previous_used_at, k.created_by, k.version, k.created_at, k.updated_at
FROM   judged j LEFT JOIN done k ON true

-- name: listTokenDenials
-- sort: -created_at = d.created_at DESC AS _created_at, d.jti DESC AS _jti
-- sort: created_at = d.created_at AS _created_at, d.jti AS _jti
SELECT d.jti, d.reason, d.expires_at, d.denied_by, d.created_at, d.created_at AS _created_at, d.jti AS _jti
FROM   token_denial d
WHERE  true
/* page */

-- Whose token a jti is nobody can tell here: so whoever sees all units denies it.
-- name: denyToken
WITH made AS (
    INSERT INTO token_denial AS d (jti, reason, expires_at, denied_by)
    SELECT :jti, :reason, coalesce(:expires_at::timestamptz, now() + interval '30 days'), :actor_key::uuid
    WHERE  (:expires_at::timestamptz > now()) IS NOT FALSE AND ''::ltree = ANY (:actor_units::ltree[])
    ON CONFLICT (jti) DO UPDATE SET expires_at = greatest(d.expires_at, EXCLUDED.expires_at)
    RETURNING d.*
)
SELECT CASE WHEN NOT ''::ltree = ANY (:actor_units::ltree[]) THEN 'forbidden' WHEN m.jti IS NULL THEN 'denial-ends-before-now' END AS _problem,
       CASE WHEN ''::ltree = ANY (:actor_units::ltree[]) AND m.jti IS NULL THEN '/expires_at' END AS _pointer,
       CASE WHEN NOT ''::ltree = ANY (:actor_units::ltree[]) THEN 'Only who sees all units denies a token: it may be anybody''s.' END AS _en,
       CASE WHEN NOT ''::ltree = ANY (:actor_units::ltree[]) THEN 'Hanya yang melihat semua unit dapat menolak token: token itu bisa milik siapa saja.' END AS _id,
       m.jti, m.reason, m.expires_at, m.denied_by, m.created_at
FROM   (SELECT) one LEFT JOIN made m ON true


-- The file's cells, one a row; `place` keeps their order.
-- name: listAccessMatrix
-- sort: place = m.place AS _place
SELECT m.cell ->> 'operation' AS operation, m.cell ->> 'method' AS method, m.cell ->> 'path' AS path, m.cell ->> 'role' AS role, m.cell ->> 'rows' AS rows,
       m.cell ->> 'by' AS by, m.cell ->> 'subject' AS subject, (m.cell ->> 'is_own_refused')::boolean AS is_own_refused,
       ARRAY(SELECT jsonb_array_elements_text(m.cell -> 'scopes')) AS scopes, ARRAY(SELECT jsonb_array_elements_text(m.cell -> 'fields')) AS fields, m.place AS _place
FROM   jsonb_array_elements(:access_matrix::jsonb) WITH ORDINALITY AS m (cell, place)
WHERE  true
/*? operation */ AND m.cell ->> 'operation' = :operation /*? */
/*? role */ AND m.cell ->> 'role' = :role /*? */
/* page */

-- Units of somebody who would hold a role: the subtree of the person's own, and the agency.
-- name: explainAccess.person
SELECT a.nip, ARRAY[u.path]::text AS units, ARRAY[unit_root(u.path)]::text AS agency
FROM   asn a JOIN unit u ON u.id = a.unit_id
WHERE  a.id = asn_of_nip(:nip) AND u.path <@ ANY (:actor_units::ltree[])

-- name: explainAccess.reply
SELECT :operation::text AS operation, :subject::text AS subject, :explained_roles::text[] AS roles, :explained_nip::text AS nip, :is_allowed::boolean AS is_allowed,
       :http_status::integer AS http_status, :rule::text AS rule, :by_roles::text[] AS by_roles, :by_scopes::boolean AS by_scopes, :rows::text AS rows,
       :scope_missing::text AS scope_missing, :fields_shown::text[] AS fields_shown, :fields_hidden::text[] AS fields_hidden,
       :subject_units::text[] AS subject_units, :offers::jsonb AS offers
