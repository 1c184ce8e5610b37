-- The engine's own statements: answers kept for Idempotency-Key.

-- name: idempotency.lock
SELECT pg_try_advisory_xact_lock(hashtextextended(:caller || ' ' || :key, 20)) AS locked

-- name: idempotency.find
SELECT i.request_hash, i.status, i.content_type, i.etag, i.location, convert_from(i.body, 'UTF8') AS body, i.grant_hash, i.shows_sensitive,
       EXISTS (SELECT FROM restriction r
               WHERE  r.starts <= local_today() AND (r.created_at >= i.created_at OR r.starts > local_day(i.created_at))) AS is_restricted_since
FROM   idempotency i
WHERE  i.caller = :caller::uuid AND i.key = :key

-- name: idempotency.store
INSERT INTO idempotency (caller, key, operation, request_hash, grant_hash, shows_sensitive, status, content_type, etag, location, body)
VALUES (:caller::uuid, :key, :operation, :request_hash, :grant_hash, :shows_sensitive::boolean, :status::integer, :content_type, :etag, :location,
        convert_to(:body, 'UTF8'))

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

-- Of a list of so many that they are told by their ids alone.
-- name: audit.readCrowd
-- write: true
SELECT count(*) AS entries FROM audit_read_all(:readings::jsonb, :ids::uuid[])

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

-- Where the server stands: of a primary how far its log goes (to the disk, where a commit waits for that), of a standby how much of it can be read there. The
-- timeline of a standby is the newest that is certain: of the log that it is sent, for whoever may see that (pg_read_all_stats), else as of its last checkpoint.
-- name: replica.place
SELECT s.is_standby,
       CASE WHEN s.is_standby THEN pg_last_wal_replay_lsn() WHEN current_setting('synchronous_commit') = 'off' THEN pg_current_wal_insert_lsn()
            ELSE pg_current_wal_flush_lsn() END AS place,
       CASE WHEN s.is_standby
            THEN (SELECT greatest(c.timeline_id, r.min_recovery_end_timeline, (SELECT w.received_tli FROM pg_stat_wal_receiver w))
                  FROM pg_control_checkpoint() c, pg_control_recovery() r)
            ELSE ('x' || left(pg_walfile_name(pg_current_wal_insert_lsn()), 8))::bit(32)::integer END AS timeline,
       (SELECT c.system_identifier FROM pg_control_system() c) || '/' || (SELECT d.oid FROM pg_database d WHERE d.datname = current_database()) AS database
FROM   pg_is_in_recovery() AS s (is_standby)
