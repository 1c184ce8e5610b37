-- Units, and the small lists that records refer to.

-- name: listUnits
-- sort: code = u.code AS code
-- sort: -code = u.code DESC AS code
-- sort: name = u.name_key AS _name_key, u.id AS id
-- sort: -name = u.name_key DESC AS _name_key, u.id DESC AS id
-- sort: path = u.path AS _path
SELECT u.id, u.code, u.name, u.kind, u.parent_id, u.depth, u.is_active, u.version, u.created_at, u.updated_at,
       u.name_key AS _name_key, u.path AS _path
FROM   unit u
WHERE  u.path <@ ANY (:actor_units::ltree[])
/*? parent_id */ AND u.parent_id = :parent_id /*? */
/*? under */ AND u.path <@ (SELECT p.path FROM unit p WHERE p.id = :under) /*? */
/*? kind */ AND u.kind = :kind /*? */
/*? is_active */ AND u.is_active = :is_active /*? */
/*? updated_since */ AND u.updated_at >= :updated_since /*? */
/*? q */ AND u.name_key %> (SELECT name_probe(:q, 1)) AND u.name_key %> (SELECT name_probe(:q, 2))
    AND CASE WHEN (SELECT cardinality(name_words(:q)) <= 2) OR u.name_key %> ALL ((SELECT name_words(:q))::text[]) THEN true END /*? */
/* page */

-- name: getUnit
SELECT u.id, u.code, u.name, u.kind, u.parent_id, u.depth, u.is_active, u.version, u.created_at, u.updated_at
FROM   unit u
WHERE  u.id = :unit_id AND u.path <@ ANY (:actor_units::ltree[])

-- A unit is made below one that the caller may see; a root only by a caller who may see everything.
-- name: createUnit
WITH above AS (
    SELECT CASE WHEN :parent_id::uuid IS NULL THEN ''::ltree = ANY (:actor_units::ltree[])
                ELSE EXISTS (SELECT FROM unit p WHERE p.id = :parent_id AND p.path <@ ANY (:actor_units::ltree[])) END AS is_ours
), made AS (
    INSERT INTO unit (id, code, name, kind, parent_id, is_active)
    SELECT :new_id, :code, :name, :kind, :parent_id, coalesce(:is_active::boolean, true)
    FROM   above
    WHERE  is_ours
    RETURNING *
)
SELECT CASE WHEN NOT a.is_ours THEN 'reference-missing' END AS _problem, '/parent_id' AS _pointer,
       m.id, m.code, m.name, m.kind, m.parent_id, nlevel(m.path) AS depth, m.is_active, m.version, m.created_at, m.updated_at
FROM   above a LEFT JOIN made m ON true

-- A move waits for the tree before it takes its row. So does a new code, for it may be what an import is about to make.
-- name: updateUnit
WITH cur AS (
    SELECT u AS rec
    FROM   unit u
    WHERE  u.id = :unit_id AND u.path <@ ANY (:actor_units::ltree[])
      AND CASE WHEN :body::jsonb ? 'code' AND NOT :body::jsonb ? 'parent_id' THEN pg_advisory_xact_lock_shared(1918, 1) IS NOT NULL
               ELSE unit_await_move(:body::jsonb) END
    FOR    UPDATE
), want AS (
    SELECT p.id, p.code, p.name, p.kind, p.parent_id, p.is_active,
           CASE WHEN NOT :if_match::int8multirange @> (cur.rec).version THEN 'version-stale'
                WHEN p.parent_id IS NOT DISTINCT FROM (cur.rec).parent_id THEN NULL
                WHEN p.parent_id IS NULL AND NOT ''::ltree = ANY (:actor_units::ltree[]) THEN 'reference-missing'
                WHEN p.parent_id IS NOT NULL
                     AND NOT EXISTS (SELECT FROM unit n WHERE n.id = p.parent_id AND n.path <@ ANY (:actor_units::ltree[]))
                THEN 'reference-missing'
           END AS problem
    FROM   cur, jsonb_populate_record(cur.rec, :body::jsonb) AS p
), done AS (
    UPDATE unit u
    SET    code = w.code, name = w.name, kind = w.kind, parent_id = w.parent_id, is_active = w.is_active
    FROM   want w
    WHERE  u.id = w.id AND w.problem IS NULL
    RETURNING u.*
)
SELECT w.problem AS _problem, CASE w.problem WHEN 'reference-missing' THEN '/parent_id' END AS _pointer,
       d.id, d.code, d.name, d.kind, d.parent_id, nlevel(d.path) AS depth, d.is_active, d.version, d.created_at, d.updated_at
FROM   want w LEFT JOIN done d ON true
