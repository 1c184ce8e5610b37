-- The map of posts (peta jabatan): which positions a unit has, and how many.

-- name: listPosts
-- sort: id = p.id AS id
-- sort: -id = p.id DESC AS id
SELECT p.id, p.unit_id, p.position_kind, p.position, p.echelon, p.functional_level, p.posts, p.version, p.created_at, p.updated_at
FROM   post p
JOIN   unit u ON u.id = p.unit_id
WHERE  true
/*? actor_units */ AND u.path <@ ANY (:actor_units::ltree[]) /*? */
/*? unit_id */ AND p.unit_id = :unit_id /*? */
/*? under */ AND u.path <@ (SELECT n.path FROM unit n WHERE n.id = :under) /*? */
/*? position_kind */ AND p.position_kind = :position_kind /*? */
/* page */

-- name: getPost
SELECT p.id, p.unit_id, p.position_kind, p.position, p.echelon, p.functional_level, p.posts, p.version, p.created_at, p.updated_at
FROM   post p
JOIN   unit u ON u.id = p.unit_id
WHERE  p.id = :post_id AND u.path <@ ANY (:actor_units::ltree[])

-- name: createPost
WITH place AS (
    SELECT u.id FROM unit u WHERE u.id = :unit_id AND u.path <@ ANY (:actor_units::ltree[])
), made AS (
    INSERT INTO post (id, unit_id, position_kind, position, echelon, functional_level, posts)
    SELECT :new_id, p.id, :position_kind, :position, :echelon, :functional_level, :posts
    FROM   place p
    RETURNING *
)
SELECT CASE WHEN m.id IS NULL THEN 'reference-missing' END AS _problem, '/unit_id' AS _pointer, :unit_id::text AS _value,
       m.id, m.unit_id, m.position_kind, m.position, m.echelon, m.functional_level, m.posts, m.version, m.created_at, m.updated_at
FROM   (SELECT) AS one LEFT JOIN made m ON true

-- name: updatePost
WITH cur AS (
    SELECT p AS rec FROM post p JOIN unit u ON u.id = p.unit_id WHERE p.id = :post_id AND u.path <@ ANY (:actor_units::ltree[]) FOR UPDATE OF p
), want AS (
    SELECT w.*, CASE WHEN NOT :if_match::int8multirange @> (cur.rec).version THEN 'version-stale' END AS problem
    FROM   cur, jsonb_populate_record(cur.rec, with_whole(:body::jsonb, 'posts')) AS w
), done AS (
    UPDATE post p
    SET    position = w.position, echelon = w.echelon, functional_level = w.functional_level, posts = w.posts
    FROM   want w
    WHERE  p.id = w.id AND w.problem IS NULL
    RETURNING p.*
)
SELECT w.problem AS _problem, d.id, d.unit_id, d.position_kind, d.position, d.echelon, d.functional_level, d.posts, d.version, d.created_at,
       d.updated_at
FROM   want w LEFT JOIN done d ON true

-- name: deletePost
WITH cur AS (
    SELECT p.id, p.version FROM post p JOIN unit u ON u.id = p.unit_id WHERE p.id = :post_id AND u.path <@ ANY (:actor_units::ltree[])
    FOR    UPDATE OF p
), gone AS (
    DELETE FROM post p USING cur c WHERE p.id = c.id AND :if_match::int8multirange @> c.version RETURNING p.id
)
SELECT CASE WHEN g.id IS NULL THEN 'version-stale' END AS _problem
FROM   cur c LEFT JOIN gone g ON true
