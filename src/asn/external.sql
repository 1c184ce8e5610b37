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
               SELECT coalesce(jsonb_agg(jsonb_build_object('field', f.key, 'theirs', f.value, 'ours', members_masked(o.ours) -> f.key)
                                         ORDER BY f.key), '[]') AS fields
               FROM   (SELECT members_told(to_jsonb(a), restricted_scopes(a.id, :actor_scopes::text[], :actor_nip)) || jsonb_build_object('unit_code', u.code, 'unit_name', u.name) AS ours) o,
                      jsonb_each(s.theirs) AS f
               WHERE  member_key(f.value) IS DISTINCT FROM member_key(o.ours -> f.key)
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

-- A list of any length: a batch of it as the importer reads it, and all of it so far.
-- name: reconcileAsnFile.stage
CREATE TEMPORARY TABLE IF NOT EXISTS reconcile_stage_asn (
    place bigint, line bigint, is_refused boolean,
    nip text, kind text, name text, title_front text, title_back text, birth_date text, birth_place text, sex text, nik text,
    unit_code text, unit_id text, unit_name text, position_kind text, "position" text, echelon text, rank text, rank_since text,
    education_level text, education text, legal_status text, email text, phone text, appointed_on text, siasn_id text, theirs jsonb
) ON COMMIT DELETE ROWS

-- name: reconcileAsnFileList.stage
CREATE TEMPORARY TABLE IF NOT EXISTS reconcile_list (line bigint, nip text COLLATE "C", theirs jsonb) ON COMMIT DELETE ROWS

-- name: reconcileAsnFile.keep
INSERT INTO reconcile_list (line, nip, theirs) SELECT s.line, s.nip, s.theirs FROM reconcile_stage_asn s WHERE NOT s.is_refused

-- One statement, one snapshot: first what was sent, then whom only we have. What differs is looked for where the whole differs.
-- name: reconcileAsnFile.compare
-- timeout: 3600000
WITH held AS MATERIALIZED (
    SELECT l.line, l.nip, l.theirs, coalesce(a.id, t.asn_id) AS id
    FROM   reconcile_list l
    LEFT   JOIN asn a ON a.nip = l.nip
    LEFT   JOIN nip_taken t ON t.nip = l.nip AND a.id IS NULL
)
SELECT w.result, w.told || jsonb_build_object('result', w.result) AS told
FROM  (SELECT r.result,
              CASE r.result
              WHEN 'only_there' THEN jsonb_build_object('line', h.line, 'nip', h.nip)
              WHEN 'same' THEN jsonb_build_object('line', h.line, 'nip', h.nip, 'our_nip', a.nip, 'version', a.version)
              ELSE jsonb_build_object('line', h.line, 'nip', h.nip, 'our_nip', a.nip, 'version', a.version, 'fields', (
                       SELECT jsonb_agg(jsonb_build_object('field', f.key, 'theirs', f.value, 'ours', members_masked(o.ours) -> f.key) ORDER BY f.key)
                       FROM   jsonb_each(h.theirs) AS f
                       WHERE  member_key(f.value) IS DISTINCT FROM member_key(o.ours -> f.key)))
              END AS told
       FROM   held h
       LEFT   JOIN (asn a JOIN unit u ON u.id = a.unit_id AND u.path <@ ANY (:actor_units::ltree[])) ON a.id = h.id
       CROSS  JOIN LATERAL (SELECT to_jsonb(a) || jsonb_build_object('unit_code', u.code, 'unit_name', u.name)
                                   || CASE WHEN h.theirs ? 'siasn_id'
                                           THEN jsonb_build_object('siasn_id', (SELECT e.value FROM external_id e WHERE e.asn_id = a.id AND e.system = 'siasn'))
                                           ELSE '{}' END AS ours OFFSET 0) o
       CROSS  JOIN LATERAL (SELECT CASE WHEN a.id IS NULL THEN 'only_there' WHEN members_keyed(o.ours) @> members_keyed(h.theirs) THEN 'same' ELSE 'different' END AS result OFFSET 0) r
       UNION  ALL
       SELECT 'only_here', jsonb_build_object('nip', a.nip, 'version', a.version)
       FROM   asn a JOIN unit u ON u.id = a.unit_id
       WHERE  :is_whole::boolean AND u.path <@ ANY (:actor_units::ltree[]) AND NOT EXISTS (SELECT FROM held h WHERE h.id = a.id)) w

-- name: getExternalIds
SELECT a.nip, coalesce((SELECT jsonb_object_agg(e.system, e.value) FROM external_id e WHERE e.asn_id = a.id), '{}') AS external_ids
FROM   asn a JOIN unit u ON u.id = a.unit_id
WHERE  a.id = asn_of_nip(:nip) AND u.path <@ ANY (:actor_units::ltree[])

-- The person first, as everybody does who changes one; his version counts it (external_id_tell). What is so already is no change.
-- name: putExternalId
WITH who AS (
    SELECT a.id, a.nip FROM asn a JOIN unit u ON u.id = a.unit_id WHERE a.id = asn_of_nip(:nip) AND u.path <@ ANY (:actor_units::ltree[])
    FOR    NO KEY UPDATE OF a
), put AS (
    INSERT INTO external_id AS e (asn_id, system, value)
    SELECT w.id, :system, :value FROM who w
    ON CONFLICT (asn_id, system) DO UPDATE SET value = excluded.value, updated_at = now() WHERE e.value <> excluded.value
)
SELECT w.nip, :system::text AS system, :value::text AS value FROM who w

-- name: deleteExternalId
WITH who AS (
    SELECT a.id FROM asn a JOIN unit u ON u.id = a.unit_id WHERE a.id = asn_of_nip(:nip) AND u.path <@ ANY (:actor_units::ltree[])
    FOR    NO KEY UPDATE OF a
)
DELETE FROM external_id e
USING  who w
WHERE  e.asn_id = w.id AND e.system = :system
RETURNING e.system AS _system

-- name: findExternalId
SELECT a.nip, e.system, e.value
FROM   external_id e JOIN asn a ON a.id = e.asn_id JOIN unit u ON u.id = a.unit_id
WHERE  e.system = :system AND e.value = :value AND u.path <@ ANY (:actor_units::ltree[])

-- ── a person told whole, by the number or by another system's id ── Whoever comes second waits for the first, and then finds what it made.

-- name: putAsn.lock
-- write: true
SELECT pg_advisory_xact_lock(hashtextextended('asn ' || :nip, 21))

-- Whom the request means, held; what it would come to, for the rule. What nobody but the other knows stays: sex, days, legal status when they are not
-- told, and what the caller may not see.
-- name: putAsn.found
SELECT CASE WHEN NOT u.path <@ ANY (:actor_units::ltree[]) THEN 'nip-taken'
            WHEN :if_none_match::text IS NOT NULL OR NOT coalesce(:if_match::int8multirange @> a.version, true) THEN 'version-stale'
            WHEN NOT EXISTS (SELECT FROM unit n WHERE n.id = :unit_id::uuid AND n.path <@ ANY (:actor_units::ltree[])) THEN 'reference-missing'
       END AS _problem,
       CASE WHEN NOT u.path <@ ANY (:actor_units::ltree[]) THEN '/nip' WHEN coalesce(:if_match::int8multirange @> a.version, true) THEN '/unit_id' END AS _pointer,
       a.id, a.nip, coalesce(:birth_date, a.birth_date) AS birth_date, coalesce(:sex, a.sex) AS sex,
       coalesce(:appointed_on, a.appointed_on) AS appointed_on, CASE WHEN scope_held(:actor_scopes::text[], 'asn.sensitive') THEN :nik ELSE a.nik END AS nik
FROM   asn a JOIN unit u ON u.id = a.unit_id
WHERE  a.id = asn_of_nip(:nip)
FOR    NO KEY UPDATE OF a

-- name: putAsnByExternal.lock
-- write: true
SELECT pg_advisory_xact_lock(hashtextextended('external ' || :system || ' ' || :value, 21)), pg_advisory_xact_lock(hashtextextended('asn ' || :nip, 21))

-- By the id, else by the number, which then gets the id.
-- name: putAsnByExternal.found
SELECT CASE WHEN NOT u.path <@ ANY (:actor_units::ltree[]) THEN CASE WHEN e.id IS NULL THEN 'nip-taken' ELSE 'external-id-taken' END
            WHEN a.id = asn_of_nip(:actor_nip::text) THEN 'own-record'
            WHEN :if_none_match::text IS NOT NULL OR NOT coalesce(:if_match::int8multirange @> a.version, true) THEN 'version-stale'
            WHEN asn_of_nip(:nip) <> a.id THEN 'external-id-taken'
            WHEN asn_of_nip(:nip) IS NULL THEN 'nip-changed'
            WHEN NOT EXISTS (SELECT FROM unit n WHERE n.id = :unit_id::uuid AND n.path <@ ANY (:actor_units::ltree[])) THEN 'reference-missing'
       END AS _problem,
       CASE WHEN NOT u.path <@ ANY (:actor_units::ltree[]) OR asn_of_nip(:nip) IS DISTINCT FROM a.id OR a.id = asn_of_nip(:actor_nip::text) THEN '/nip'
            WHEN coalesce(:if_match::int8multirange @> a.version, true) THEN '/unit_id' END AS _pointer,
       a.id, a.nip, coalesce(:birth_date, a.birth_date) AS birth_date, coalesce(:sex, a.sex) AS sex,
       coalesce(:appointed_on, a.appointed_on) AS appointed_on, CASE WHEN scope_held(:actor_scopes::text[], 'asn.sensitive') THEN :nik ELSE a.nik END AS nik
FROM   asn a
JOIN   unit u ON u.id = a.unit_id
LEFT   JOIN external_id e ON e.asn_id = a.id AND e.system = :system AND e.value = :value
WHERE  a.id = (SELECT coalesce((SELECT x.asn_id FROM external_id x WHERE x.system = :system AND x.value = :value), asn_of_nip(:nip)))
FOR    NO KEY UPDATE OF a

-- What is so already is no change, and gets no version.
-- name: putAsn.store
WITH want AS (
    SELECT a.id, :kind::text AS kind, :name::text AS name, :title_front::text AS title_front, :title_back::text AS title_back,
           coalesce(:birth_date, a.birth_date) AS birth_date, :birth_place::text AS birth_place, coalesce(:sex, a.sex) AS sex, :unit_id::uuid AS unit_id,
           :position_kind::text AS position_kind, :position::text AS position, :echelon::text AS echelon, :rank::text AS rank, :rank_since::date AS rank_since,
           :education_level::text AS education_level, :education::text AS education, coalesce(:legal_status, a.legal_status) AS legal_status,
           CASE WHEN s.sees THEN :nik ELSE a.nik END AS nik, CASE WHEN s.sees THEN :email ELSE a.email END AS email,
           CASE WHEN s.sees THEN :phone ELSE a.phone END AS phone, coalesce(:appointed_on, a.appointed_on) AS appointed_on, :warnings::text[] AS warnings
    FROM   asn a, (SELECT scope_held(:actor_scopes::text[], 'asn.sensitive') AS sees) s
    WHERE  a.id = :asn_id::uuid
)
UPDATE asn a
SET    kind = w.kind, name = w.name, title_front = w.title_front, title_back = w.title_back, birth_date = w.birth_date, birth_place = w.birth_place, sex = w.sex,
       unit_id = w.unit_id, position_kind = w.position_kind, position = w.position, echelon = w.echelon, rank = w.rank, rank_since = w.rank_since,
       education_level = w.education_level, education = w.education, legal_status = w.legal_status, nik = w.nik, email = w.email, phone = w.phone,
       appointed_on = w.appointed_on, warnings = w.warnings
FROM   want w
WHERE  a.id = w.id
       AND (a.kind, a.name, a.title_front, a.title_back, a.birth_date, a.birth_place, a.sex, a.unit_id, a.position_kind, a.position, a.echelon, a.rank,
            a.rank_since, a.education_level, a.education, a.legal_status, nik_key(a.nik), a.email, a.phone, a.appointed_on, a.warnings)
           IS DISTINCT FROM
           (w.kind, w.name, w.title_front, w.title_back, w.birth_date, w.birth_place, w.sex, w.unit_id, w.position_kind, w.position, w.echelon, w.rank,
            w.rank_since, w.education_level, w.education, w.legal_status, nik_key(w.nik), w.email, w.phone, w.appointed_on, w.warnings)

-- name: putAsnByExternal.name
INSERT INTO external_id AS e (asn_id, system, value)
VALUES (:asn_id::uuid, :system, :value)
ON     CONFLICT (asn_id, system) DO UPDATE SET value = excluded.value, updated_at = now() WHERE e.value <> excluded.value

-- name: putAsn.shown
SELECT a.id, a.nip, a.kind, a.name, a.title_front, a.title_back, a.birth_date, a.birth_place, a.sex, a.nik, a.unit_id, u.name AS unit_name,
       a.position_kind, a.position, a.echelon, a.rank, a.rank_since, a.education_level, a.education, a.legal_status, a.email, a.phone,
       a.appointed_on, warnings_told(a.warnings, false) AS warnings, warnings_told(a.warnings, true) AS nik_warnings,
       a.id = ANY (ARRAY(SELECT n.asn_id FROM restricted_now n)) AS restricted, a.version, a.created_at, a.updated_at
FROM   asn a JOIN unit u ON u.id = a.unit_id
WHERE  a.id = :asn_id::uuid

-- ── a row of a history, by the id that SIASN has for it ──

-- The person held, and the row if there is one. `is_same`: it says what the request says.
-- name: putHistoryByRemote.found
SELECT CASE WHEN NOT history_shown(:kind, :actor_scopes::text[]) THEN 'forbidden'
            WHEN h.id IS NULL AND :if_match::int8multirange IS NOT NULL THEN 'version-stale'
            WHEN h.id IS NOT NULL AND :if_none_match::text IS NOT NULL THEN 'version-stale'
            WHEN NOT coalesce(:if_match::int8multirange @> h.version, true) THEN 'version-stale' END AS _problem,
       CASE WHEN NOT history_shown(:kind, :actor_scopes::text[]) THEN '/kind' END AS _pointer,
       h.id, h.version,
       NOT h.is_void AND (h.starts, h.ends, h.facts, h.decree_number, h.decree_date, h.decree_signatory, h.source, h.note)
                         IS NOT DISTINCT FROM (t.starts, t.ends, t.facts, t.decree_number, t.decree_date, t.decree_signatory, t.source, t.note) AS is_same
FROM   (SELECT a.id FROM asn a JOIN unit u ON u.id = a.unit_id WHERE a.id = asn_of_nip(:nip) AND u.path <@ ANY (:actor_units::ltree[])
        FOR NO KEY UPDATE OF a) p
CROSS  JOIN history_told(:body::jsonb) t
LEFT   JOIN history h ON h.asn_id = p.id AND h.kind = :kind AND h.remote_id = :siasn_id

-- name: putHistoryByRemote.make
-- write: true
SELECT w.problem AS _problem, w.pointer AS _pointer, w.value AS _value, (w.entry).*
FROM   history_write(:new_id, :nip, :actor_units::ltree[], :actor_scopes::text[], :body::jsonb || jsonb_build_object('remote_id', :siasn_id::text), NULL, NULL,
                     :actor_key, :actor_name) w

-- name: putHistoryByRemote.replace
-- write: true
SELECT w.problem AS _problem, w.pointer AS _pointer, w.value AS _value, (w.entry).*
FROM   history_write(:history_id::uuid, :nip, :actor_units::ltree[], :actor_scopes::text[], :body::jsonb || jsonb_build_object('remote_id', :siasn_id::text),
                     '{(,)}', 'told anew by its remote id', :actor_key, :actor_name) w

-- name: putHistoryByRemote.shown
SELECT h.* FROM history_entry h WHERE h.id = :history_id::uuid
