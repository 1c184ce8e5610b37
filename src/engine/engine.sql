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
