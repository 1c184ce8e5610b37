-- The store of contents: pieces of bytes under an id, read and written in binary form (src/store/postgres.c).

-- name: store.put
INSERT INTO document_chunk (content_id, seq, bytes) VALUES (:content_id, :seq, :bytes)

-- name: store.settle
-- write: true
SELECT content_settle(:content_id, decode(:sha256, 'hex'), :size) AS id

-- name: store.get
SELECT k.bytes FROM document_chunk k WHERE k.content_id = :content_id AND k.seq = :seq

-- Each content, and what is wrong with its bytes; they are hashed in the server.
-- name: store.verify
SELECT c.id, CASE WHEN w.size IS DISTINCT FROM c.size THEN 'incomplete' WHEN w.sha256 IS DISTINCT FROM c.sha256 THEN 'altered' END AS fault, c.size
FROM   document_content c
CROSS  JOIN LATERAL (SELECT sum(octet_length(k.bytes)) AS size, sha256(string_agg(k.bytes, '' ORDER BY k.seq)) AS sha256
                     FROM   document_chunk k WHERE k.content_id = c.id) w
ORDER  BY c.id

-- name: store.strays
SELECT DISTINCT k.content_id AS id, 'stray' AS fault FROM document_chunk k WHERE NOT EXISTS (SELECT FROM document_content c WHERE c.id = k.content_id)

-- name: store.removeStrays
DELETE FROM document_chunk k WHERE NOT EXISTS (SELECT FROM document_content c WHERE c.id = k.content_id)
