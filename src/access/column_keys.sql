-- asnd column-keys: where sealed values stand, and sealing them under the newest key, some records a transaction, while the daemon serves.

-- How many stand where under which key; '': as they are.
-- name: columnKeys.status
-- timeout: 600000
SELECT p.place, p.key, count(*) AS n
FROM  (SELECT 1 AS rank, 'asn.nik' AS place, CASE WHEN nik_is_sealed(a.nik) THEN substr(a.nik, 4, 4) ELSE '' END AS key FROM asn a WHERE a.nik IS NOT NULL
       UNION ALL
       SELECT 2, 'change_request', CASE WHEN nik_is_sealed(m.nik) THEN substr(m.nik, 4, 4) ELSE '' END
       FROM   change_request r CROSS JOIN LATERAL (VALUES (r.record ->> 'nik'), (r.before ->> 'nik')) m (nik) WHERE m.nik IS NOT NULL
       UNION ALL
       SELECT 3, 'asn_merge', CASE WHEN nik_is_sealed(m.record ->> 'nik') THEN substr(m.record ->> 'nik', 4, 4) ELSE '' END
       FROM   asn_merge m WHERE m.record ->> 'nik' IS NOT NULL
       UNION ALL
       SELECT 4, 'import_row', CASE WHEN nik_is_sealed(i.before ->> 'nik') THEN substr(i.before ->> 'nik', 4, 4) ELSE '' END
       FROM   import_row i WHERE i.before ->> 'nik' IS NOT NULL
       UNION ALL
       SELECT 5, 'import_reject', CASE WHEN j.raw LIKE '~2.____.%' THEN substr(j.raw, 4, 4) ELSE '' END FROM import_reject j
       UNION ALL
       SELECT 6, 'idempotency', CASE WHEN k.text LIKE '~2.____.%' THEN substr(k.text, 4, 4) ELSE '' END
       FROM   idempotency i CROSS JOIN LATERAL (SELECT convert_from(substring(i.body FROM 1 FOR 8), 'LATIN1') AS text) k) p
GROUP  BY p.rank, p.place, p.key
ORDER  BY p.rank, p.key

-- What a key is told again by; search: what the hashes are made by.
-- name: columnKeys.says
SELECT k.says FROM column_key k WHERE k.number = :number

-- name: columnKeys.note
-- write: true
INSERT INTO column_key (number, says) VALUES (:number, :says) ON CONFLICT DO NOTHING RETURNING number

-- A few NIKs that are sealed under a key.
-- name: columnKeys.samples
-- timeout: 600000
SELECT s.nik
FROM  (SELECT a.nik FROM asn a WHERE a.nik LIKE '~1.' || :number || '.%'
       UNION ALL
       SELECT m.nik FROM change_request r CROSS JOIN LATERAL (VALUES (r.record ->> 'nik'), (r.before ->> 'nik')) m (nik) WHERE m.nik LIKE '~1.' || :number || '.%'
       UNION ALL
       SELECT m.record ->> 'nik' FROM asn_merge m WHERE m.record ->> 'nik' LIKE '~1.' || :number || '.%'
       UNION ALL
       SELECT i.before ->> 'nik' FROM import_row i WHERE i.before ->> 'nik' LIKE '~1.' || :number || '.%') s
LIMIT  20

-- name: columnKeys.begin
-- write: true
SELECT set_config('asnd.resealing', 'on', true)

-- Those of which a value is not sealed under the newest key: first and second value, and whom they are sealed for.
-- name: columnKeys.asn
-- write: true
SELECT a.id::text AS key, a.nik AS first, a.id AS first_holder, NULL::text AS second, NULL::uuid AS second_holder
FROM   asn a
WHERE  a.id > coalesce(nullif(:after, '')::uuid, '00000000-0000-0000-0000-000000000000') AND a.nik NOT LIKE '~1.' || :newest || '.%'
ORDER  BY a.id LIMIT :most::integer
FOR    NO KEY UPDATE

-- name: columnKeysStored.asn
-- write: true
UPDATE asn a SET nik = n.first FROM unnest(:keys::text[], :firsts::text[], :seconds::text[]) AS n (key, first, second) WHERE a.id = n.key::uuid RETURNING a.id

-- name: columnKeys.change_request
-- write: true
SELECT r.id::text AS key, r.record::text AS first, r.id AS first_holder, r.before::text AS second, r.asn_id AS second_holder
FROM   change_request r
WHERE  r.id > coalesce(nullif(:after, '')::uuid, '00000000-0000-0000-0000-000000000000')
       AND (r.record ->> 'nik' NOT LIKE '~1.' || :newest || '.%' OR r.before ->> 'nik' NOT LIKE '~1.' || :newest || '.%')
ORDER  BY r.id LIMIT :most::integer
FOR    NO KEY UPDATE

-- name: columnKeysStored.change_request
-- write: true
UPDATE change_request r
SET    record = n.first::jsonb, before = n.second::jsonb
FROM   unnest(:keys::text[], :firsts::text[], :seconds::text[]) AS n (key, first, second)
WHERE  r.id = n.key::uuid
RETURNING r.id

-- name: columnKeys.asn_merge
-- write: true
SELECT m.id::text AS key, m.record::text AS first, m.merged_id AS first_holder, NULL::text AS second, NULL::uuid AS second_holder
FROM   asn_merge m
WHERE  m.id > coalesce(nullif(:after, '')::uuid, '00000000-0000-0000-0000-000000000000') AND m.record ->> 'nik' NOT LIKE '~1.' || :newest || '.%'
ORDER  BY m.id LIMIT :most::integer
FOR    NO KEY UPDATE

-- name: columnKeysStored.asn_merge
-- write: true
UPDATE asn_merge m SET record = n.first::jsonb FROM unnest(:keys::text[], :firsts::text[], :seconds::text[]) AS n (key, first, second) WHERE m.id = n.key::uuid RETURNING m.id

-- name: columnKeys.import_row
-- write: true
SELECT concat_ws(' ', i.import_id, i.row_id) AS key, i.before::text AS first, i.row_id AS first_holder, NULL::text AS second, NULL::uuid AS second_holder
FROM   import_row i
WHERE  concat_ws(' ', i.import_id, i.row_id) COLLATE "C" > :after AND i.before ->> 'nik' NOT LIKE '~1.' || :newest || '.%'
ORDER  BY concat_ws(' ', i.import_id, i.row_id) COLLATE "C" LIMIT :most::integer
FOR    NO KEY UPDATE

-- name: columnKeysStored.import_row
-- write: true
UPDATE import_row i
SET    before = n.first::jsonb
FROM   unnest(:keys::text[], :firsts::text[], :seconds::text[]) AS n (key, first, second)
WHERE  i.import_id = split_part(n.key, ' ', 1)::uuid AND i.row_id = split_part(n.key, ' ', 2)::uuid
RETURNING i.row_id

-- Whole texts, sealed for their import.
-- name: columnKeys.import_reject
-- write: true
SELECT concat_ws(' ', j.import_id, lpad(j.position::text, 12, '0')) AS key, j.raw AS first, j.import_id AS first_holder,
       CASE jsonb_typeof(j.faults) WHEN 'string' THEN j.faults #>> '{}' ELSE j.faults::text END AS second, j.import_id AS second_holder
FROM   import_reject j
WHERE  concat_ws(' ', j.import_id, lpad(j.position::text, 12, '0')) COLLATE "C" > :after AND j.raw NOT LIKE '~2.' || :newest || '.%'
ORDER  BY concat_ws(' ', j.import_id, lpad(j.position::text, 12, '0')) COLLATE "C" LIMIT :most::integer
FOR    NO KEY UPDATE

-- name: columnKeysStored.import_reject
-- write: true
UPDATE import_reject j
SET    raw = n.first, faults = to_jsonb(n.second)
FROM   unnest(:keys::text[], :firsts::text[], :seconds::text[]) AS n (key, first, second)
WHERE  j.import_id = split_part(n.key, ' ', 1)::uuid AND j.position = split_part(n.key, ' ', 2)::bigint
RETURNING j.position
