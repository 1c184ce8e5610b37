-- What every import needs, whatever it takes in.

-- Keys taken so far, so that the same one later in the file is seen however far behind it stands. Statements that end in `.stage` make
-- temporary tables, which others work on: whoever prepares those must run these first.
-- name: import.stage
CREATE TEMPORARY TABLE IF NOT EXISTS import_seen (key text COLLATE "C" PRIMARY KEY, line bigint NOT NULL) ON COMMIT DELETE ROWS

-- name: import.words
SELECT w.list, w.word, w.code FROM reference_word w WHERE w.list = ANY (:lists::text[])

-- From here on triggers note what is made and changed, so that it can be undone (rows of reference lists, tickets and answers are not: docs/import.md).
-- name: import.begin
WITH made AS (
    INSERT INTO import (id, kind, file_name, actor_key, actor_name, is_remembered)
    VALUES (:import_id, :kind, :file_name, :actor_key, :actor_name, :kind::text IN ('asn', 'unit', 'history'))
)
SELECT set_config('asnd.import', :import_id::text, true)

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
SELECT :actor_key::text AS key_id, :actor_name::text AS name, :actor_units::text AS units, :actor_scopes::text AS scopes, :actor_nip::text AS nip

-- name: import.kind
SELECT i.kind, coalesce(i.actor_key = :actor_key, false) AS is_own
FROM   import i
WHERE  i.id = :import_id AND (i.actor_key = :actor_key OR ''::ltree = ANY (:actor_units::ltree[]))

-- Held until the end: of two who undo the same import the second finds that it was.
-- name: import.undoable
SELECT CASE WHEN i.undone_at IS NOT NULL THEN 'import-undone' WHEN i.kind NOT IN ('asn', 'unit', 'history') THEN 'import-kept' WHEN NOT i.is_remembered THEN 'import-forgotten'
       END AS problem, i.undone_by, i.undone_at::text AS undone_at
FROM   import i
WHERE  i.id = :import_id::uuid AND (i.actor_key = :key_id::uuid OR ''::ltree = ANY (:units::ltree[]))
FOR    UPDATE

-- name: import.depends
-- write: true
-- timeout: 600000
SELECT 'own-record' AS code, 1::bigint AS n, :nip::text AS examples FROM import_row r WHERE r.import_id = :import_id::uuid AND r.row_id = asn_of_nip(:nip::text)
UNION ALL
SELECT d.code, d.n, array_to_string(d.examples, ', ') FROM import_depends(:import_id, :units::ltree[], :scopes::text[]) d

-- name: import.takeBack
-- write: true
-- timeout: 600000
SELECT d.code, d.n, array_to_string(d.examples, ', ') AS examples FROM import_take_back(:import_id, :reason, :key_id, :name) d

-- name: chore.forgetImports
-- write: true
-- timeout: 60000
SELECT import_forget(:undo_days::integer)
