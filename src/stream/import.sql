-- What every import needs, whatever it takes in.

-- Keys taken so far, so that the same one later in the file is seen however far behind it stands. Statements that end in `.stage` make
-- temporary tables, which others work on: whoever prepares those must run these first.
-- name: import.stage
CREATE TEMPORARY TABLE IF NOT EXISTS import_seen (key text COLLATE "C" PRIMARY KEY, line bigint NOT NULL) ON COMMIT DELETE ROWS

-- name: import.words
SELECT w.list, w.word, w.code FROM reference_word w WHERE w.list = ANY (:lists::text[])

-- name: import.begin
INSERT INTO import (id, kind, file_name, actor_key, actor_name)
VALUES (:import_id, :kind, :file_name, :actor_key, :actor_name)

-- name: import.end
UPDATE import
SET    finished_at = clock_timestamp(), rows = :rows, created = :created, updated = :updated, unchanged = :unchanged, refused = :refused,
       repaired = :repaired, warnings = :warnings
WHERE  id = :import_id

-- name: import.rejects
SELECT j.position, j.line, j.raw, j.faults
FROM   import_reject j
WHERE  j.import_id = :import_id
ORDER  BY j.position

-- name: import.sender
SELECT :actor_key::text AS key_id, :actor_name::text AS name, :actor_units::text AS units

-- name: import.kind
SELECT i.kind, coalesce(i.actor_key = :actor_key, false) AS is_own
FROM   import i
WHERE  i.id = :import_id AND (i.actor_key = :actor_key OR ''::ltree = ANY (:actor_units::ltree[]))
