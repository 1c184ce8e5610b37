-- Change requests. Seen by whoever may see the person's unit; members that need asn.sensitive and discipline by their scopes alone.

-- name: listChangeRequests
-- sort: -id = r.id DESC AS id
-- sort: id = r.id AS id
SELECT r.id, r.nip, r.name, r.unit_id, r.kind, members_listed(r.record, restricted_scopes(r._asn_id, :actor_scopes::text[], :actor_nip)) AS record,
       members_listed(r.before, restricted_scopes(r._asn_id, :actor_scopes::text[], :actor_nip)) AS before, r.history, r.proof_text, r.proof_reference, r.state, r.reason, r.history_id,
       r.requested_by_name, r.decided_by_name, r.decided_at, r.version, r.created_at, r.updated_at,
       change_request_guarded(r.record, r.history, restricted_scopes(r._asn_id, :actor_scopes::text[], :actor_nip), '{email,phone}') AS _sensitive
FROM   change_request_entry r
WHERE  r._unit_path <@ ANY (:actor_units::ltree[]) AND history_shown(coalesce(r.history ->> 'kind', ''), restricted_scopes(r._asn_id, :actor_scopes::text[], :actor_nip))
/*? state */ AND r.state = :state /*? */
/*? kind */ AND r.kind = :kind /*? */
/*? nip */ AND r._asn_id = (SELECT asn_of_nip(:nip)) /*? */
/*? under */ AND r._unit_path <@ (SELECT p.path FROM unit p WHERE p.id = :under) /*? */
/*? mine */ AND (r._requested_by = :actor_key::uuid) = :mine::boolean /*? */
/* page */

-- name: getChangeRequest
SELECT r.id, r.nip, r.name, r.unit_id, r.kind, members_told(r.record, restricted_scopes(r._asn_id, :actor_scopes::text[], :actor_nip)) AS record,
       members_told(r.before, restricted_scopes(r._asn_id, :actor_scopes::text[], :actor_nip)) AS before, r.history, r.proof_text, r.proof_reference, r.state, r.reason, r.history_id,
       r.requested_by_name, r.decided_by_name, r.decided_at, r.version, r.created_at, r.updated_at,
       change_request_guarded(r.record, r.history, restricted_scopes(r._asn_id, :actor_scopes::text[], :actor_nip), '{nik,email,phone}') AS _sensitive
FROM   change_request_entry r
WHERE  r.id = :request_id AND change_request_seen(r.id, :actor_units::ltree[], restricted_scopes(r._asn_id, :actor_scopes::text[], :actor_nip))

-- Its form is the contract's; whether it can be done is asked when it is decided. What is proposed the caller gave; what stood there before he is told as any reader is.
-- name: createChangeRequest
WITH told AS (
    SELECT :body::jsonb -> 'record' AS record, :body::jsonb -> 'history' AS history
), who AS (
    SELECT a.*, to_jsonb(a) AS now FROM asn a JOIN unit u ON u.id = a.unit_id
    WHERE  a.id = (SELECT asn_of_nip(:nip)) AND u.path <@ ANY (:actor_units::ltree[])
), fault AS (
    SELECT CASE WHEN w.id IS NULL THEN 'reference-missing'
                WHEN member_hidden(t.record, :actor_scopes::text[]) IS NOT NULL OR NOT history_shown(coalesce(t.history ->> 'kind', ''), :actor_scopes::text[])
                THEN 'forbidden'
                WHEN t.record = '{}' THEN 'request-empty' END AS problem,
           CASE WHEN w.id IS NULL THEN '/nip' WHEN t.history IS NOT NULL THEN '/history/kind'
                ELSE '/record' || coalesce('/' || member_hidden(t.record, :actor_scopes::text[]), '') END AS pointer
    FROM   told t LEFT JOIN who w ON true
), made AS (
    INSERT INTO change_request (id, asn_id, record, before, history, proof_text, proof_reference, requested_by, requested_by_name)
    SELECT :new_id, w.id, t.record, CASE WHEN t.record IS NOT NULL THEN (SELECT jsonb_object_agg(k, w.now -> k) FROM jsonb_object_keys(t.record) k) END,
           t.history, :proof_text, :proof_reference, :actor_key, :actor_name
    FROM   told t CROSS JOIN who w CROSS JOIN fault f
    WHERE  f.problem IS NULL
    RETURNING *
)
SELECT f.problem AS _problem, f.pointer AS _pointer, m.id, w.nip, w.name, w.unit_id, m.kind, m.record,
       members_told(m.before, restricted_scopes(w.id, :actor_scopes::text[], :actor_nip)) AS before, m.history, m.proof_text,
       m.proof_reference, m.state, m.reason, m.history_id, m.requested_by_name, m.decided_by_name, m.decided_at, m.version, m.created_at, m.updated_at,
       members_guarded(m.before, restricted_scopes(w.id, :actor_scopes::text[], :actor_nip), '{nik,email,phone}') AS _sensitive
FROM   fault f LEFT JOIN who w ON true LEFT JOIN made m ON true

-- The request and the person, locked: may this caller, and may it still be done? With the record as it would become.
-- name: approveChangeRequest.locked
SELECT CASE WHEN NOT :if_match::int8multirange @> r.version THEN 'version-stale'
            WHEN r.state <> 'submitted' THEN 'request-decided'
            WHEN r.requested_by = :actor_key::uuid THEN 'request-own'
            WHEN member_hidden(r.record, :actor_scopes::text[]) IS NOT NULL THEN 'forbidden'
            WHEN EXISTS (SELECT FROM jsonb_each(r.before) b WHERE member_key(b.value) IS DISTINCT FROM member_key(to_jsonb(a) -> b.key)) THEN 'request-outdated'
            WHEN NOT EXISTS (SELECT FROM unit n WHERE n.id = p.unit_id AND n.path <@ ANY (:actor_units::ltree[])) THEN 'reference-missing'
            WHEN p.unit_id <> a.unit_id AND EXISTS (SELECT FROM unit n WHERE n.id = p.unit_id AND n.closed_on IS NOT NULL) THEN 'unit-closed'
       END AS _problem,
       CASE WHEN p.unit_id <> a.unit_id AND EXISTS (SELECT FROM unit n WHERE n.id = p.unit_id AND n.closed_on IS NOT NULL)
            THEN unit_heir(p.unit_id, :actor_units::ltree[]) END AS _suggestion,
       CASE WHEN NOT :if_match::int8multirange @> r.version OR r.state <> 'submitted' OR r.requested_by = :actor_key::uuid THEN NULL
            WHEN member_hidden(r.record, :actor_scopes::text[]) IS NOT NULL THEN '/' || member_hidden(r.record, :actor_scopes::text[])
            ELSE coalesce((SELECT '/' || min(b.key) FROM jsonb_each(r.before) b WHERE member_key(b.value) IS DISTINCT FROM member_key(to_jsonb(a) -> b.key)), '/unit_id')
       END AS _pointer,
       r.kind AS request_kind, r.record ? 'kind' AS gives_kind, r.record ? 'nik' AS gives_nik,
       a.id, a.nip, p.kind, p.birth_date, p.sex, p.appointed_on, p.nik
FROM   change_request r JOIN asn a ON a.id = r.asn_id, jsonb_populate_record(a, coalesce(r.record, '{}')) AS p
WHERE  r.id = :request_id AND change_request_seen(r.id, :actor_units::ltree[], restricted_scopes(r.asn_id, :actor_scopes::text[], :actor_nip))
FOR    UPDATE OF r, a

-- A NIK is sealed for whoever holds it: that of the request is not the person's.
-- name: approveChangeRequest.record
UPDATE asn a
SET    (kind, name, title_front, title_back, birth_date, birth_place, sex, nik, unit_id, position_kind, position, echelon, rank, rank_since,
        education_level, education, legal_status, email, phone, appointed_on, warnings)
     = (SELECT p.kind, p.name, p.title_front, p.title_back, p.birth_date, p.birth_place, p.sex, CASE WHEN r.record ->> 'nik' IS NOT NULL THEN :held_nik ELSE p.nik END,
               p.unit_id, p.position_kind, p.position, p.echelon, p.rank, p.rank_since, p.education_level, p.education, p.legal_status, p.email, p.phone,
               p.appointed_on, :warnings::text[]
        FROM   jsonb_populate_record(a, r.record) AS p)
FROM   change_request r
WHERE  r.id = :request_id AND a.id = r.asn_id
RETURNING a.id

-- name: approveChangeRequest.history
-- write: true
SELECT w.problem AS _problem, w.pointer AS _pointer, w.value AS _value,
       CASE w.problem WHEN 'unit-closed' THEN unit_heir(w.value::uuid, :actor_units::ltree[]) END AS _suggestion
FROM   change_request_entry r
CROSS  JOIN LATERAL history_write(:new_id, r.nip, :actor_units::ltree[], :actor_scopes::text[], r.history, NULL, NULL, :actor_key, :actor_name) w
WHERE  r.id = :request_id

-- name: approveChangeRequest.store
WITH done AS (
    UPDATE change_request r
    SET    state = 'approved', reason = :reason, decided_by = :actor_key, decided_by_name = :actor_name, decided_at = now(),
           history_id = CASE r.kind WHEN 'history' THEN :new_id::uuid END
    WHERE  r.id = :request_id
    RETURNING r.*
)
SELECT r.id, a.nip, a.name, a.unit_id, r.kind, members_told(r.record, restricted_scopes(r.asn_id, :actor_scopes::text[], :actor_nip)) AS record,
       members_told(r.before, restricted_scopes(r.asn_id, :actor_scopes::text[], :actor_nip)) AS before, r.history, r.proof_text, r.proof_reference, r.state, r.reason, r.history_id,
       r.requested_by_name, r.decided_by_name, r.decided_at, r.version, r.created_at, r.updated_at,
       change_request_guarded(r.record, r.history, restricted_scopes(r.asn_id, :actor_scopes::text[], :actor_nip), '{nik,email,phone}') AS _sensitive
FROM   done r JOIN asn a ON a.id = r.asn_id

-- name: refuseChangeRequest
WITH cur AS (
    SELECT r.*, CASE WHEN NOT :if_match::int8multirange @> r.version THEN 'version-stale'
                     WHEN r.state <> 'submitted' THEN 'request-decided'
                     WHEN r.requested_by = :actor_key::uuid THEN 'request-own' END AS problem
    FROM   change_request r
    WHERE  r.id = :request_id AND change_request_seen(r.id, :actor_units::ltree[], restricted_scopes(r.asn_id, :actor_scopes::text[], :actor_nip))
    FOR    UPDATE
), done AS (
    UPDATE change_request r
    SET    state = 'refused', reason = :reason, decided_by = :actor_key, decided_by_name = :actor_name, decided_at = now()
    FROM   cur
    WHERE  r.id = cur.id AND cur.problem IS NULL
    RETURNING r.*
)
SELECT c.problem AS _problem, r.id, a.nip, a.name, a.unit_id, r.kind, members_told(r.record, restricted_scopes(r.asn_id, :actor_scopes::text[], :actor_nip)) AS record,
       members_told(r.before, restricted_scopes(r.asn_id, :actor_scopes::text[], :actor_nip)) AS before, r.history, r.proof_text, r.proof_reference, r.state, r.reason, r.history_id,
       r.requested_by_name, r.decided_by_name, r.decided_at, r.version, r.created_at, r.updated_at,
       change_request_guarded(r.record, r.history, restricted_scopes(r.asn_id, :actor_scopes::text[], :actor_nip), '{nik,email,phone}') AS _sensitive
FROM   cur c LEFT JOIN done r ON true LEFT JOIN asn a ON a.id = r.asn_id

-- name: withdrawChangeRequest
WITH cur AS (
    SELECT r.*, CASE WHEN NOT :if_match::int8multirange @> r.version THEN 'version-stale'
                     WHEN r.state <> 'submitted' THEN 'request-decided'
                     WHEN r.requested_by <> :actor_key::uuid THEN 'request-not-own' END AS problem
    FROM   change_request r
    WHERE  r.id = :request_id AND change_request_seen(r.id, :actor_units::ltree[], restricted_scopes(r.asn_id, :actor_scopes::text[], :actor_nip))
    FOR    UPDATE
), done AS (
    UPDATE change_request r
    SET    state = 'withdrawn', decided_by = :actor_key, decided_by_name = :actor_name, decided_at = now()
    FROM   cur
    WHERE  r.id = cur.id AND cur.problem IS NULL
    RETURNING r.*
)
SELECT c.problem AS _problem, r.id, a.nip, a.name, a.unit_id, r.kind, members_told(r.record, restricted_scopes(r.asn_id, :actor_scopes::text[], :actor_nip)) AS record,
       members_told(r.before, restricted_scopes(r.asn_id, :actor_scopes::text[], :actor_nip)) AS before, r.history, r.proof_text, r.proof_reference, r.state, r.reason, r.history_id,
       r.requested_by_name, r.decided_by_name, r.decided_at, r.version, r.created_at, r.updated_at,
       change_request_guarded(r.record, r.history, restricted_scopes(r.asn_id, :actor_scopes::text[], :actor_nip), '{nik,email,phone}') AS _sensitive
FROM   cur c LEFT JOIN done r ON true LEFT JOIN asn a ON a.id = r.asn_id

-- name: listChangeRequestComments
-- sort: id = c.id AS id
-- sort: -id = c.id DESC AS id
SELECT c.id, c.request_id, c.text, c.actor_name, c.created_at
FROM   change_request_comment c
WHERE  c.request_id = :request_id
       AND (SELECT change_request_seen(r.id, :actor_units::ltree[], restricted_scopes(r.asn_id, :actor_scopes::text[], :actor_nip)) FROM change_request r WHERE r.id = :request_id)
/* page */

-- name: createChangeRequestComment
INSERT INTO change_request_comment (id, request_id, text, actor_key, actor_name)
SELECT :new_id, r.id, :text, :actor_key, :actor_name
FROM   change_request r
WHERE  r.id = :request_id AND change_request_seen(r.id, :actor_units::ltree[], restricted_scopes(r.asn_id, :actor_scopes::text[], :actor_nip))
RETURNING id, request_id, text, actor_name, created_at
