-- The audit: who did what with whose data, and that nobody changed it since. See docs/audit.md.

-- name: chore.sealAudit
-- write: true
-- timeout: 60000
SELECT audit_seal_block(100000) AS sealed

-- name: audit.seal
-- write: true
-- timeout: 60000
SELECT audit_seal_block(:most::integer) AS sealed

-- name: audit.latest
SELECT s.number, encode(s.hash, 'hex') AS hash FROM audit_seal s ORDER BY s.number DESC LIMIT 1

-- Place by place, with the seal where its block ends.
-- name: audit.chain
-- timeout: 3600000
SELECT l.seq, l.digest, e.content AS entry, e.id, e.at, e.asn_id, e.actor, e.operation,
       s.number, s.first, s.last, s.settled, audit_instant(s.at) AS sealed_at, encode(s.previous, 'hex') || ' ' || encode(s.hash, 'hex') AS hashes
FROM   audit_link l
LEFT   JOIN audit_entry e ON e.id = l.entry
LEFT   JOIN audit_seal s ON s.number = l.seal AND s.last = l.seq
ORDER  BY l.seq

-- name: audit.outside
-- timeout: 3600000
SELECT count(*) FILTER (WHERE e.id <= :settled::bigint) AS inserted, count(*) FILTER (WHERE e.id > :settled::bigint) AS unsealed,
       (SELECT count(*) FROM audit_seal s WHERE NOT EXISTS (SELECT FROM audit_link l WHERE l.seq = s.last AND l.seal = s.number)) AS lost
FROM   audit_entry e
WHERE  NOT EXISTS (SELECT FROM audit_link l WHERE l.entry = e.id)

-- ── read by the API ──

-- Values that another scope guards (audit_scope) are shown to who holds it, and showing them is a reading; the others see that they changed.
-- name: listAuditEntries
-- sort: -id = e.id DESC AS id
-- sort: id = e.id AS id
SELECT e.id, e.at, (SELECT a.nip FROM asn a WHERE a.id = e.asn_id) AS nip, e.actor, c.kind, c.name, c.client, e.operation, c.request AS request_id,
       CASE WHEN w.shows IS FALSE AND c.reason IS NOT NULL THEN '***' ELSE c.reason END AS reason, c.purpose, c.action, c.entity, c.subject,
       CASE WHEN w.shows IS FALSE THEN audit_hidden(c.before) ELSE c.before END AS before, CASE WHEN w.shows IS FALSE THEN audit_hidden(c.after) ELSE c.after END AS after,
       c.members, c.count, c.digest, c.filter, coalesce(c.redacted = 'true', false) AS is_redacted, (SELECT l.seq FROM audit_link l WHERE l.entry = e.id) AS seq,
       coalesce(w.shows, false) AS _sensitive
FROM   audit_entry e
CROSS  JOIN LATERAL jsonb_to_record(e.content::jsonb)
       AS c (kind text, name text, client text, request text, reason text, purpose text, action text, entity text, subject text, before jsonb, after jsonb, members text[],
             count bigint, digest text, filter jsonb, redacted jsonb)
CROSS  JOIN LATERAL (SELECT CASE WHEN g.scope IS NOT NULL THEN scope_held(restricted_scopes(e.asn_id, :actor_scopes::text[], :actor_nip), g.scope) END AS shows
                     FROM   (SELECT audit_scope(e.content) AS scope OFFSET 0) g OFFSET 0) w
WHERE  true
/*? actor_units */ AND EXISTS (SELECT FROM asn p JOIN unit u ON u.id = p.unit_id WHERE p.id = e.asn_id AND u.path <@ ANY (:actor_units::ltree[])) /*? */
/*? nip */ AND e.id IN (SELECT audit_about(asn_of_nip(:nip))) /*? */
/*? actor */ AND e.actor = :actor /*? */
/*? operation */ AND e.operation = :operation /*? */
/*? action */ AND c.action = :action /*? */
/*? entity */ AND c.entity = :entity /*? */
/*? from */ AND e.at >= :from::timestamptz /*? */
/*? until */ AND e.at < :until::timestamptz /*? */
/* page */

-- Whole, or not at all: a part of a chain proves nothing. And it holds all that audit_scope() guards.
-- name: listAuditChain
-- sort: seq = l.seq AS seq
-- sort: -seq = l.seq DESC AS seq
SELECT l.seq, l.seal, encode(l.digest, 'hex') AS digest, e.content AS entry,
       CASE WHEN s.number IS NOT NULL
            THEN json_build_object('number', s.number, 'at', audit_instant(s.at), 'first', s.first, 'last', s.last, 'settled', s.settled,
                                   'previous', encode(s.previous, 'hex'), 'hash', encode(s.hash, 'hex')) END AS sealed,
       audit_scope(e.content) IS NOT NULL AS _sensitive
FROM   audit_link l
LEFT   JOIN audit_entry e ON e.id = l.entry
LEFT   JOIN audit_seal s ON s.number = l.seal AND s.last = l.seq
WHERE  ''::ltree = ANY (:actor_units::ltree[]) AND scope_held(:actor_scopes::text[], 'asn.discipline') AND scope_held(:actor_scopes::text[], 'complaint.secret')
/*? from_seal */ AND l.seal >= :from_seal::bigint /*? */
/* page */

-- name: listAuditSeals
-- sort: -number = s.number DESC AS number
-- sort: number = s.number AS number
SELECT s.number, audit_instant(s.at) AS at, s.first, s.last, s.settled, encode(s.previous, 'hex') AS previous, encode(s.hash, 'hex') AS hash
FROM   audit_seal s
WHERE  true
/* page */

-- name: getLatestAuditSeal
SELECT s.number, audit_instant(s.at) AS at, s.first, s.last, s.settled, encode(s.previous, 'hex') AS previous, encode(s.hash, 'hex') AS hash,
       w.unsealed, w.since AS unsealed_since
FROM   (SELECT * FROM audit_seal ORDER BY number DESC LIMIT 1) s
CROSS  JOIN LATERAL (SELECT count(*) AS unsealed, min(e.at) AS since FROM audit_entry e
                     WHERE  e.id > s.settled AND NOT EXISTS (SELECT FROM audit_link l WHERE l.entry = e.id)) w

-- name: listOwnReadings
-- sort: -id = e.id DESC AS id
-- sort: id = e.id AS id
SELECT e.id, e.at, c.name, e.operation, coalesce(c.members, '{}') AS members, e.alone, c.reason, c.purpose, c.request AS request_id
FROM   asn a
JOIN   unit u ON u.id = a.unit_id
CROSS  JOIN LATERAL audit_about_whole(a.id) e
CROSS  JOIN LATERAL jsonb_to_record(e.content::jsonb) AS c (name text, request text, reason text, purpose text, action text, members text[])
WHERE  a.id = (SELECT asn_of_nip(:nip)) AND u.path <@ ANY (:actor_units::ltree[]) AND c.action = 'read'
/* page */
