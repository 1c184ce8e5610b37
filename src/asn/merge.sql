-- Likely doubles, and merging them.

-- Both of a pair must be the caller's to see. What a NIK says is asked only for who may see it.
-- name: listDoubles
-- sort: nip = a.nip AS nip, b.nip AS other_nip
-- sort: -nip = a.nip DESC AS nip, b.nip DESC AS other_nip
SELECT a.nip, a.name, u.name AS unit_name, a.birth_date, b.nip AS other_nip, b.name AS other_name, w.name AS other_unit_name,
       b.birth_date AS other_birth_date, d.why, d.score
FROM   asn a
JOIN   unit u ON u.id = a.unit_id
CROSS  JOIN LATERAL doubles_of(a, scope_held(:actor_scopes::text[], 'asn.sensitive'), coalesce(:min_score::numeric, 0)) d
JOIN   asn b ON b.id = d.other
JOIN   unit w ON w.id = b.unit_id
WHERE  u.path <@ ANY (:actor_units::ltree[]) AND w.path <@ ANY (:actor_units::ltree[])
/*? nip */ AND a.id = ANY (ARRAY(SELECT doubles_near(:nip, scope_held(:actor_scopes::text[], 'asn.sensitive')))) AND (a.nip = :nip OR b.nip = :nip) /*? */
/*? min_score */ AND d.score >= :min_score::numeric /*? */
/* page */

-- name: mergeAsn
-- write: true
SELECT w.problem AS _problem, w.pointer AS _pointer, w.value AS _value, (w.merge).id,
       (SELECT a.nip FROM asn a WHERE a.id = (w.merge).asn_id) AS nip, (w.merge).merged_nip, (w.merge).moved, (w.merge).voided, (w.merge).reason,
       (w.merge).actor_name, (w.merge).merged_at, (w.merge).undone_reason, (w.merge).undone_by, (w.merge).undone_at
FROM   (SELECT asn_of_nip(:into::text) = asn_of_nip(:actor_nip::text) AS is_own) o
CROSS  JOIN LATERAL (SELECT 'own-record' AS problem, '/into' AS pointer, :into::text AS value, NULL::asn_merge AS merge WHERE o.is_own
                     UNION ALL
                     SELECT m.* FROM asn_merge_into(:new_id, CASE WHEN o.is_own IS NOT TRUE THEN :nip::text END, :into, :reason, :actor_units::ltree[], :actor_key, :actor_name) m) w

-- name: unmergeAsn
-- write: true
SELECT w.problem AS _problem, w.pointer AS _pointer, w.value AS _value, (w.merge).id,
       (SELECT a.nip FROM asn a WHERE a.id = (w.merge).asn_id) AS nip, (w.merge).merged_nip, (w.merge).moved, (w.merge).voided, (w.merge).reason,
       (w.merge).actor_name, (w.merge).merged_at, (w.merge).undone_reason, (w.merge).undone_by, (w.merge).undone_at
FROM   asn_merge_undo(:nip, :reason, :actor_units::ltree[], :actor_name) w

-- name: listMerges
-- sort: -id = m.id DESC AS id
-- sort: id = m.id AS id
SELECT m.id, a.nip, m.merged_nip, m.moved, m.voided, m.reason, m.actor_name, m.merged_at, m.undone_reason, m.undone_by, m.undone_at
FROM   asn_merge m
JOIN   asn a ON a.id = m.asn_id
JOIN   unit u ON u.id = a.unit_id
WHERE  u.path <@ ANY (:actor_units::ltree[])
/*? is_undone */ AND (m.undone_at IS NOT NULL) = :is_undone::boolean /*? */
/* page */
