-- Units: the tree of today and of other days, and what changes it. Who may see a unit is decided by today's tree, whatever day is asked for; a
-- closed unit is seen where it last stood.

-- w is the unit as it is, or, with as_of, as it was on that day.
-- name: listUnits
-- sort: code = w.code AS code, u.id AS id
-- sort: -code = w.code DESC AS code, u.id DESC AS id
-- sort: name = w.name_key AS _name_key, u.id AS id
-- sort: -name = w.name_key DESC AS _name_key, u.id DESC AS id
-- sort: path = w.path AS _path
SELECT u.id, w.code, w.name, w.kind, w.parent_id, w.depth, w.is_active, w.agency, w.head_position, w.closed_on, w.successor_id, u.version,
       u.created_at, u.updated_at, w.name_key AS _name_key, w.path AS _path
FROM   unit u
CROSS  JOIN LATERAL (SELECT u.code, u.name, u.name_key, u.kind, u.parent_id, u.depth, u.is_active, u.agency, u.head_position, u.path, u.closed_on,
                            u.successor_id)
       /*? as_of */ AS now
       CROSS JOIN LATERAL (SELECT t.*, NULL::date AS closed_on, NULL::uuid AS successor_id FROM unit_then t
                           WHERE t.unit_id = u.id AND t.was_so @> :as_of::date AND t.stood_there @> :as_of::date) /*? */ AS w
WHERE  true
/*? actor_units */ AND u.path <@ ANY (:actor_units::ltree[]) /*? */
/*? parent_id */ AND w.parent_id = :parent_id /*? */
/*? under */ AND w.path <@ (SELECT unit_path_then(:under, :as_of::date)) /*? */
/*? kind */ AND w.kind = :kind /*? */
/*? is_active */ AND w.is_active = :is_active /*? */
/*? is_closed */ AND (w.closed_on IS NOT NULL) = :is_closed::boolean /*? */
/*? updated_since */ AND u.updated_at >= :updated_since /*? */
/*? q */ AND w.name_key %> (SELECT name_probe(:q, 1)) AND w.name_key %> (SELECT name_probe(:q, 2))
    AND CASE WHEN (SELECT cardinality(name_words(:q)) <= 2) OR w.name_key %> ALL ((SELECT name_words(:q))::text[]) THEN true END /*? */
/* page */

-- name: getUnit
SELECT u.id, w.code, w.name, w.kind, w.parent_id, w.depth, w.is_active, w.agency, w.head_position, w.closed_on, w.successor_id, w.closing,
       CASE WHEN w.closed_on IS NULL
            THEN unit_head(u.id, unit_title(w.head_position, w.name), coalesce(:as_of::date, :today::date), :actor_units::ltree[]) END AS head,
       u.version, u.created_at, u.updated_at
FROM   unit u
CROSS  JOIN LATERAL (SELECT u.code, u.name, u.kind, u.parent_id, u.depth, u.is_active, u.agency, u.head_position, u.closed_on, u.successor_id, u.closing)
       /*? as_of */ AS now
       CROSS JOIN LATERAL (SELECT t.*, NULL::date AS closed_on, NULL::uuid AS successor_id, NULL::jsonb AS closing FROM unit_then t
                           WHERE t.unit_id = u.id AND t.was_so @> :as_of::date AND t.stood_there @> :as_of::date) /*? */ AS w
WHERE  u.id = :unit_id AND u.path <@ ANY (:actor_units::ltree[])

-- From the root down, as far up as the caller may see.
-- name: listUnitAncestors
-- sort: path = w.path AS _path
SELECT u.id, w.code, w.name, w.kind, w.parent_id, w.depth, w.is_active, w.agency, w.head_position, w.closed_on, w.successor_id, u.version,
       u.created_at, u.updated_at, w.path AS _path
FROM   unit u
CROSS  JOIN LATERAL (SELECT u.code, u.name, u.kind, u.parent_id, u.depth, u.is_active, u.agency, u.head_position, u.path, u.closed_on, u.successor_id)
       /*? as_of */ AS now
       CROSS JOIN LATERAL (SELECT t.*, NULL::date AS closed_on, NULL::uuid AS successor_id FROM unit_then t
                           WHERE t.unit_id = u.id AND t.was_so @> :as_of::date AND t.stood_there @> :as_of::date) /*? */ AS w
WHERE  w.path @> (SELECT unit_path_then(:unit_id, :as_of::date)) AND u.id <> :unit_id
       AND EXISTS (SELECT FROM unit m WHERE m.id = :unit_id AND m.path <@ ANY (:actor_units::ltree[]))
/*? actor_units */ AND u.path <@ ANY (:actor_units::ltree[]) /*? */
/*? as_of */ AND EXISTS (SELECT FROM unit_way y WHERE y.unit_id = :unit_id AND y.valid @> :as_of::date) /*? */
/* page */

-- name: listUnitVersions
-- sort: from = v.valid AS _valid
-- sort: -from = v.valid DESC AS _valid
SELECT lower(v.valid) AS "from", upper(v.valid) AS "to", v.code, v.name, v.kind, v.parent_id, v.is_active, v.agency, v.head_position, v.decree_number,
       v.decree_date, v.reason, v.actor_name, v.created_at, v.updated_at, v.valid AS _valid
FROM   unit_version v
WHERE  v.unit_id = (SELECT u.id FROM unit u WHERE u.id = :unit_id AND u.path <@ ANY (:actor_units::ltree[]))
/* page */

-- A unit is made below one that the caller may see; a root only by a caller who may see everything.
-- name: createUnit
-- write: true
SELECT w.problem AS _problem, w.pointer AS _pointer, w.value AS _value, w.suggestion AS _suggestion,
       (w.rec).id, (w.rec).code, (w.rec).name, (w.rec).kind, (w.rec).parent_id, (w.rec).depth, (w.rec).is_active, (w.rec).agency,
       (w.rec).head_position, (w.rec).closed_on, (w.rec).successor_id, (w.rec).closing,
       unit_head((w.rec).id, unit_title((w.rec).head_position, (w.rec).name), :today::date, :actor_units::ltree[]) AS head,
       (w.rec).version, (w.rec).created_at, (w.rec).updated_at
FROM   unit_make(:new_id, :body::jsonb, :actor_units::ltree[], :actor_key, :actor_name) w

-- name: updateUnit
-- write: true
SELECT w.problem AS _problem, w.pointer AS _pointer, w.value AS _value, w.suggestion AS _suggestion,
       (w.rec).id, (w.rec).code, (w.rec).name, (w.rec).kind, (w.rec).parent_id, (w.rec).depth, (w.rec).is_active, (w.rec).agency,
       (w.rec).head_position, (w.rec).closed_on, (w.rec).successor_id, (w.rec).closing,
       unit_head((w.rec).id, unit_title((w.rec).head_position, (w.rec).name), :today::date, :actor_units::ltree[]) AS head,
       (w.rec).version, (w.rec).created_at, (w.rec).updated_at
FROM   unit_change(:unit_id, :body::jsonb, :actor_units::ltree[], :if_match::int8multirange, :actor_key, :actor_name) w

-- name: closeUnit
-- write: true
SELECT w.problem AS _problem, w.pointer AS _pointer, w.value AS _value, w.suggestion AS _suggestion, w.unit_id, w.people, w.children, w.posts, coalesce(w.trainings, 0) AS trainings
FROM   unit_close(:unit_id, :body::jsonb, :actor_units::ltree[], :actor_key, :actor_name) w

-- name: mergeUnits
-- write: true
SELECT w.problem AS _problem, w.pointer AS _pointer, w.value AS _value, w.suggestion AS _suggestion, w.unit_id, w.people, w.children, w.posts, coalesce(w.trainings, 0) AS trainings
FROM   unit_merge(:unit_id, :body::jsonb, :actor_units::ltree[], :actor_key, :actor_name) w

-- name: splitUnit
-- write: true
SELECT w.problem AS _problem, w.pointer AS _pointer, w.value AS _value, w.suggestion AS _suggestion, w.unit_id, w.people, w.children, w.posts, coalesce(w.trainings, 0) AS trainings
FROM   unit_split(:unit_id, :new_id, :body::jsonb, :actor_units::ltree[], :actor_key, :actor_name) w

-- ── what other systems call them ──

-- name: getUnitExternalIds
SELECT u.id AS unit_id, coalesce((SELECT jsonb_object_agg(e.system, e.value) FROM unit_external_id e WHERE e.unit_id = u.id), '{}') AS external_ids
FROM   unit u
WHERE  u.id = :unit_id AND u.path <@ ANY (:actor_units::ltree[])

-- A unit that goes with an import meanwhile is waited for, and then not there.
-- name: putUnitExternalId
INSERT INTO unit_external_id AS e (unit_id, system, value)
SELECT u.id, :system, :value FROM unit u WHERE u.id = :unit_id AND u.path <@ ANY (:actor_units::ltree[]) FOR KEY SHARE
ON CONFLICT (unit_id, system) DO UPDATE SET value = excluded.value, updated_at = now()
RETURNING e.unit_id, e.system, e.value

-- name: deleteUnitExternalId
DELETE FROM unit_external_id e
USING  unit u
WHERE  u.id = e.unit_id AND e.system = :system AND e.unit_id = :unit_id AND u.path <@ ANY (:actor_units::ltree[])
RETURNING e.system AS _system

-- name: findUnitExternalId
SELECT e.unit_id, e.system, e.value
FROM   unit_external_id e JOIN unit u ON u.id = e.unit_id
WHERE  e.system = :system AND e.value = :value AND u.path <@ ANY (:actor_units::ltree[])

-- Marked as a write because it sets how like is like for its transaction; it stores nothing.
-- name: suggestUnitIds
-- timeout: 30000
-- write: true
WITH sent AS MATERIALIZED (
    SELECT r.place, r.it ->> 'id' AS id, r.it ->> 'name' AS name, r.it ->> 'parent_id' AS parent_id, r.it ->> 'parent_name' AS parent_name
    FROM   jsonb_array_elements(:body::jsonb -> 'units') WITH ORDINALITY AS r (it, place)
), named AS MATERIALIZED (
    SELECT DISTINCT ON (s.id) s.id, s.name FROM sent s ORDER BY s.id, s.place
), known AS MATERIALIZED (
    SELECT s.place, s.id, s.name, coalesce(s.parent_name, n.name) AS parent_name,
           (SELECT e.unit_id FROM unit_external_id e JOIN unit u ON u.id = e.unit_id
            WHERE  e.system = :system AND e.value = s.id AND u.path <@ ANY (:actor_units::ltree[])) AS unit_id
    FROM   sent s LEFT JOIN named n ON n.id = s.parent_id
)
SELECT (SELECT count(*)::integer FROM known k WHERE k.unit_id IS NOT NULL) AS mapped,
       (SELECT coalesce(jsonb_agg(jsonb_build_object('id', k.id, 'name', k.name, 'unit_id', k.unit_id, 'likely', coalesce(l.likely, '[]'))
                                  ORDER BY k.place), '[]')
        FROM   known k
        LEFT   JOIN LATERAL (
                   SELECT jsonb_agg(jsonb_build_object('unit_id', u.id, 'code', u.code, 'name', u.name, 'parent_name', p.name, 'score', y.score,
                                                       'name_score', y.name_score, 'parent_score', y.parent_score, 'external_id', e.value)
                                    ORDER BY y.score DESC, y.name_score DESC, u.code) AS likely
                   FROM   unit_likely(k.name, k.parent_name, :actor_units::ltree[]) y
                   JOIN   unit u ON u.id = y.unit_id
                   LEFT   JOIN unit p ON p.id = u.parent_id AND p.path <@ ANY (:actor_units::ltree[])
                   LEFT   JOIN unit_external_id e ON e.unit_id = u.id AND e.system = :system
               ) l ON k.unit_id IS NULL) AS units
