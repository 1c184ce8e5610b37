-- Open data: figures of units that serve, published by the edition, seen by everybody. Rules: docs/open-data.md.

-- Works out the figures of all units that serve: some seconds for a regency.
-- name: publishOpenFigures
-- write: true
-- timeout: 60000
SELECT coalesce(w.problem, CASE WHEN e.year IS NULL THEN 'not-found' END) AS _problem, w.pointer AS _pointer,
       CASE WHEN w.problem IS NULL AND e.year IS NULL THEN format('There are no figures of %s to publish: the year has not begun.', a.year) END AS _en,
       CASE WHEN w.problem IS NULL AND e.year IS NULL THEN format('Belum ada angka tahun %s untuk diterbitkan: tahun itu belum dimulai.', a.year) END AS _id,
       e.year, e.edition, e.figures, e.suppressed, e.actor_name, e.published_at
FROM   (SELECT (:year::numeric)::integer AS year) a
LEFT   JOIN LATERAL open_publish(a.year, :actor_units::ltree[], :today::date, :actor_key, :actor_name) w ON true, LATERAL (SELECT (w.entry).*) AS e

-- name: listOpenEditions
-- sort: -year = e.year DESC AS year
SELECT e.year, e.edition, e.figures, e.suppressed, e.published_at
FROM   open_edition e
WHERE  NOT EXISTS (SELECT FROM open_edition n WHERE n.year = e.year AND n.edition > e.edition)
/* page */

-- name: getOpenFigures
SELECT CASE WHEN e.year IS NULL THEN 'not-found' END AS _problem,
       format('No figures of %s have been published.', a.year) AS _en, format('Angka tahun %s belum diterbitkan.', a.year) AS _id,
       e.year, e.edition, e.published_at, 5 AS least,
       (SELECT coalesce(jsonb_agg(jsonb_build_object('service_unit_id', f.service_unit_id, 'unit_name', f.unit_name, 'code', f.code, 'value', f.value, 'n', f.n,
                                                     'reason', f.reason) ORDER BY f.unit_name, f.service_unit_id, d.seq), '[]')
        FROM   open_figure f JOIN open_definition d ON d.code = f.code
        WHERE  f.year = e.year AND f.edition = e.edition) AS figures
FROM   (SELECT (:year::numeric)::integer AS year) a
LEFT   JOIN LATERAL (SELECT n.* FROM open_edition n WHERE n.year = a.year ORDER BY n.edition DESC LIMIT 1) e ON true

-- name: listOpenFigures
-- sort: unit = f.service_unit_id AS service_unit_id, d.seq AS _seq
SELECT f.year, f.edition, f.service_unit_id, f.unit_name, f.code, d.name, d.measure, f.value, f.n, f.reason, d.seq AS _seq
FROM   open_figure f JOIN open_definition d ON d.code = f.code
WHERE  f.year = (:year::numeric)::integer
       AND f.edition = (SELECT max(e.edition) FROM open_edition e WHERE e.year = (:year::numeric)::integer)
/*? service_unit_id */ AND f.service_unit_id = :service_unit_id /*? */
/*? code */ AND f.code = :code /*? */
/* page */

-- name: listOpenDefinitions
-- sort: seq = d.seq AS seq
SELECT d.seq, d.code, d.name, d.name_en, d.measure, d.definition, d.definition_en, d.counts, d.inside, d.source
FROM   open_definition d
WHERE  true
/* page */
