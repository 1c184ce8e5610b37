-- The engine's own statements: answers kept for Idempotency-Key.

-- name: idempotency.lock
SELECT pg_try_advisory_xact_lock(hashtextextended(:caller || ' ' || :key, 20)) AS locked

-- name: idempotency.find
SELECT request_hash, status, content_type, etag, location, convert_from(body, 'UTF8') AS body
FROM   idempotency
WHERE  caller = :caller::uuid AND key = :key

-- name: idempotency.store
INSERT INTO idempotency (caller, key, operation, request_hash, status, content_type, etag, location, body)
VALUES (:caller::uuid, :key, :operation, :request_hash, :status::integer, :content_type, :etag, :location, convert_to(:body, 'UTF8'))

-- Old answers go.
-- name: chore.forgetAnswers
DELETE FROM idempotency WHERE created_at < now() - make_interval(hours => :hours::integer)

-- What keeps row security from holding a bound caller, and what of the daemon's role makes its privileges mean little.
-- name: rows.faults
SELECT f.fault FROM row_security_faults() AS f (fault)

-- name: rows.privileges
SELECT p.privilege FROM row_security_privileges() AS p (privilege)

-- For the audit: ahead of every write, in its transaction.
-- name: audit.enter
-- write: true
SELECT set_config('asnd.audit', :facts, true) AS facts

-- What is sensitive and was read; before the reply leaves.
-- name: audit.read
-- write: true
SELECT audit_read(:what, :which, :members::text[], :nips::text[], :people::bigint, :digest, :filter::jsonb) AS entry

-- Many of them, of whomever.
-- name: audit.readAll
-- write: true
SELECT count(*) AS entries FROM audit_read_all(:readings::jsonb)

-- Whether this program has been held against this catalog before, and without a fault.
-- name: start.isChecked
SELECT c.catalog, EXISTS (SELECT FROM checked_start s WHERE s.program = :program AND s.catalog = c.catalog) AS is_checked
FROM   catalog_fingerprint() AS c (catalog)

-- Not if the catalog has become another while the statements were prepared.
-- name: start.noteChecked
-- write: true
WITH gone AS (DELETE FROM checked_start s WHERE s.checked_at < now() - interval '90 days')
INSERT INTO checked_start (program, catalog)
SELECT :program, :catalog WHERE catalog_fingerprint() = :catalog
ON     CONFLICT (program, catalog) DO NOTHING
