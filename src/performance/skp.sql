-- SKP: the plan of a person's year, its parts, and what is said of it all year. States, overlaps and whose result serves whose are held by the
-- database (0023_skp.sql). Seen by whoever may see the person's unit.

-- ── the library ──

-- name: listKpis
-- sort: code = k.code AS code
-- sort: -code = k.code DESC AS code
SELECT k.id, k.code, k.name, k.position_kind, k.position, k.aspect, k.measure, k.direction, k.target, k.target_high, k.cap, k.description, k.figure, k.is_active,
       k.version, k.created_at, k.updated_at
FROM   kpi k
WHERE  true
/*? position_kind */ AND (k.position_kind IS NULL OR k.position_kind = :position_kind) /*? */
/*? position */ AND (k.position_key IS NULL OR k.position_key = reference_fold(:position)) /*? */
/*? is_active */ AND k.is_active = :is_active /*? */
/* page */

-- name: getKpi
SELECT k.id, k.code, k.name, k.position_kind, k.position, k.aspect, k.measure, k.direction, k.target, k.target_high, k.cap, k.description, k.figure, k.is_active,
       k.version, k.created_at, k.updated_at
FROM   kpi k
WHERE  k.id = :kpi_id

-- The library is everybody's: whoever may see everybody writes it.
-- name: createKpi
WITH made AS (
    INSERT INTO kpi (id, code, name, position_kind, position, aspect, measure, direction, target, target_high, cap, description, figure, is_active)
    SELECT :new_id, :code, :name, :position_kind, :position, :aspect, :measure, :direction, :target, :target_high, :cap, :description, :figure,
           coalesce(:is_active::boolean, true)
    WHERE  '' = ANY (:actor_units::ltree[])
    RETURNING *
)
SELECT CASE WHEN k.id IS NULL THEN 'forbidden' END AS _problem,
       k.id, k.code, k.name, k.position_kind, k.position, k.aspect, k.measure, k.direction, k.target, k.target_high, k.cap, k.description,
       k.figure, k.is_active, k.version, k.created_at, k.updated_at
FROM   (SELECT) AS one LEFT JOIN made k ON true

-- name: updateKpi
WITH cur AS (
    SELECT k AS rec FROM kpi k WHERE k.id = :kpi_id FOR UPDATE
), want AS (
    SELECT w.*, CASE WHEN '' <> ALL (:actor_units::ltree[]) THEN 'forbidden'
                     WHEN NOT :if_match::int8multirange @> (cur.rec).version THEN 'version-stale' END AS problem
    FROM   cur, jsonb_populate_record(cur.rec, :body::jsonb) AS w
), done AS (
    UPDATE kpi k
    SET    code = w.code, name = w.name, position_kind = w.position_kind, position = w.position, aspect = w.aspect, measure = w.measure,
           direction = w.direction, target = w.target, target_high = w.target_high, cap = w.cap, description = w.description, figure = w.figure,
           is_active = w.is_active
    FROM   want w
    WHERE  k.id = w.id AND w.problem IS NULL
    RETURNING k.*
)
SELECT w.problem AS _problem, d.id, d.code, d.name, d.position_kind, d.position, d.aspect, d.measure, d.direction, d.target, d.target_high, d.cap,
       d.description, d.figure, d.is_active, d.version, d.created_at, d.updated_at
FROM   want w LEFT JOIN done d ON true

-- ── the plan ──

-- name: listSkps
-- sort: id = s.id AS id
-- sort: -id = s.id DESC AS id
SELECT s.id, a.nip, a.name, s.period_id, s.starts_on, s.ends_on, s.unit_id, s.position, n.nip AS assessor_nip,
       coalesce(n.name, s.assessor_name) AS assessor_name, s.assessor_position, s.approach, s.state, s.reason, s.edition, s.approved_at, s.approved_by,
       s.version, s.created_at, s.updated_at
FROM   skp s
JOIN   asn a ON a.id = s.asn_id
JOIN   unit u ON u.id = a.unit_id
LEFT   JOIN asn n ON n.id = s.assessor_id
WHERE  u.path <@ ANY (:actor_units::ltree[])
/*? nip */ AND s.asn_id = (SELECT asn_of_nip(:nip)) /*? */
/*? assessor_nip */ AND s.assessor_id = (SELECT asn_of_nip(:assessor_nip)) /*? */
/*? period_id */ AND s.period_id = :period_id /*? */
/*? state */ AND s.state = :state /*? */
/*? under */ AND u.path <@ (SELECT p.path FROM unit p WHERE p.id = :under) /*? */
/* page */

-- name: getSkp
SELECT s.id, a.nip, a.name, s.period_id, s.starts_on, s.ends_on, s.unit_id, s.position, n.nip AS assessor_nip,
       coalesce(n.name, s.assessor_name) AS assessor_name, s.assessor_position, s.approach, s.state, s.reason, s.edition, s.approved_at, s.approved_by,
       s.version, s.created_at, s.updated_at
FROM   skp s
JOIN   asn a ON a.id = s.asn_id
JOIN   unit u ON u.id = a.unit_id
LEFT   JOIN asn n ON n.id = s.assessor_id
WHERE  s.id = :skp_id AND u.path <@ ANY (:actor_units::ltree[])

-- The assessor need not be of the caller's units, if he leads the person or has assessed him: whoever assesses may stand above them.
-- name: createSkp
WITH who AS (
    SELECT a.id, a.nip, a.name, a.unit_id, a.position FROM asn a JOIN unit u ON u.id = a.unit_id
    WHERE  a.id = (SELECT asn_of_nip(:nip)) AND u.path <@ ANY (:actor_units::ltree[])
), assessor AS (
    SELECT n.id, n.nip, n.name FROM asn_named n
    WHERE  n.id = (SELECT asn_of_nip(:assessor_nip)) AND superior_known(n.id, (SELECT w.id FROM who w), :actor_units::ltree[], :starts_on)
), fault AS (
    SELECT CASE WHEN NOT EXISTS (SELECT FROM who) THEN '/nip'
                WHEN :assessor_nip::text IS NOT NULL AND NOT EXISTS (SELECT FROM assessor) THEN '/assessor_nip'
                WHEN NOT EXISTS (SELECT FROM period p WHERE p.id = :period_id) THEN '/period_id' END AS pointer
), made AS (
    INSERT INTO skp (id, asn_id, period_id, starts_on, ends_on, unit_id, position, assessor_id, assessor_name, assessor_position, approach)
    SELECT :new_id, w.id, :period_id, :starts_on, :ends_on, w.unit_id, coalesce(:position, w.position), (SELECT n.id FROM assessor n), :assessor_name,
           :assessor_position, coalesce(:approach, 'kuantitatif')
    FROM   who w, fault f
    WHERE  f.pointer IS NULL
    RETURNING *
)
SELECT CASE WHEN f.pointer IS NOT NULL THEN 'reference-missing' END AS _problem, f.pointer AS _pointer,
       m.id, w.nip, w.name, m.period_id, m.starts_on, m.ends_on, m.unit_id, m.position, n.nip AS assessor_nip,
       coalesce(n.name, m.assessor_name) AS assessor_name, m.assessor_position, m.approach, m.state, m.reason, m.edition, m.approved_at, m.approved_by,
       m.version, m.created_at, m.updated_at
FROM   fault f LEFT JOIN made m ON true LEFT JOIN who w ON true LEFT JOIN assessor n ON true

-- Who gets another assessor loses the results of the former one that his own served.
-- name: updateSkp
WITH cur AS (
    SELECT s AS rec, a.nip, a.name
    FROM   skp s JOIN asn a ON a.id = s.asn_id JOIN unit u ON u.id = a.unit_id
    WHERE  s.id = :skp_id AND u.path <@ ANY (:actor_units::ltree[])
    FOR    UPDATE OF s
), want AS (
    SELECT w.id, w.starts_on, w.ends_on, w.position, w.approach, cur.nip, cur.name, (cur.rec).assessor_id AS former_id,
           CASE WHEN :body::jsonb ? 'assessor_nip' THEN given.id
                WHEN :body::jsonb ->> 'assessor_name' IS NULL THEN w.assessor_id END AS assessor_id,
           CASE WHEN :body::jsonb ->> 'assessor_nip' IS NULL THEN w.assessor_name END AS assessor_name,
           CASE WHEN :body::jsonb ->> 'assessor_nip' IS NULL THEN w.assessor_position END AS assessor_position,
           CASE WHEN NOT :if_match::int8multirange @> (cur.rec).version THEN 'version-stale'
                WHEN :body::jsonb ->> 'assessor_nip' IS NOT NULL AND given.id IS NULL THEN 'reference-missing'
           END AS problem
    FROM   cur CROSS JOIN LATERAL jsonb_populate_record(cur.rec, :body::jsonb) AS w
    LEFT   JOIN LATERAL (SELECT n.id FROM asn_named n
                         WHERE  n.id = (SELECT asn_of_nip(:body::jsonb ->> 'assessor_nip'))
                                AND superior_known(n.id, (cur.rec).asn_id, :actor_units::ltree[], w.starts_on)) AS given ON true
), done AS (
    UPDATE skp s
    SET    starts_on = w.starts_on, ends_on = w.ends_on, position = w.position, approach = w.approach, assessor_id = w.assessor_id,
           assessor_name = w.assessor_name, assessor_position = w.assessor_position
    FROM   want w
    WHERE  s.id = w.id AND w.problem IS NULL
    RETURNING s.*
)
SELECT w.problem AS _problem, CASE w.problem WHEN 'reference-missing' THEN '/assessor_nip' END AS _pointer,
       d.id, w.nip, w.name, d.period_id, d.starts_on, d.ends_on, d.unit_id, d.position, n.nip AS assessor_nip,
       coalesce(n.name, d.assessor_name) AS assessor_name, d.assessor_position, d.approach, d.state, d.reason, d.edition, d.approved_at, d.approved_by,
       d.version, d.created_at, d.updated_at
FROM   want w LEFT JOIN done d ON true LEFT JOIN asn_named n ON n.id = d.assessor_id

-- name: deleteSkp
WITH cur AS (
    SELECT s.id, s.version FROM skp s JOIN asn a ON a.id = s.asn_id JOIN unit u ON u.id = a.unit_id
    WHERE  s.id = :skp_id AND u.path <@ ANY (:actor_units::ltree[])
    FOR    UPDATE OF s
), gone AS (
    DELETE FROM skp s USING cur c WHERE s.id = c.id AND :if_match::int8multirange @> c.version RETURNING s.id
)
SELECT CASE WHEN g.id IS NULL THEN 'version-stale' END AS _problem
FROM   cur c LEFT JOIN gone g ON true

-- name: proposeSkp
-- write: true
SELECT w.problem AS _problem, w.pointer AS _pointer, e.id, e.nip, e.name, e.period_id, e.starts_on, e.ends_on, e.unit_id, e.position, e.assessor_nip,
       e.assessor_name, e.assessor_position, e.approach, e.state, e.reason, e.edition, e.approved_at, e.approved_by, e.version, e.created_at, e.updated_at
FROM   skp_act(:skp_id, :actor_units::ltree[], :if_match::int8multirange, 'proposed', NULL, NULL, :actor_name) w, LATERAL (SELECT (w.entry).*) AS e

-- name: returnSkp
-- write: true
SELECT w.problem AS _problem, w.pointer AS _pointer, e.id, e.nip, e.name, e.period_id, e.starts_on, e.ends_on, e.unit_id, e.position, e.assessor_nip,
       e.assessor_name, e.assessor_position, e.approach, e.state, e.reason, e.edition, e.approved_at, e.approved_by, e.version, e.created_at, e.updated_at
FROM   skp_act(:skp_id, :actor_units::ltree[], :if_match::int8multirange, 'returned', :reason, NULL, :actor_name) w, LATERAL (SELECT (w.entry).*) AS e

-- name: approveSkp
-- write: true
SELECT w.problem AS _problem, w.pointer AS _pointer, e.id, e.nip, e.name, e.period_id, e.starts_on, e.ends_on, e.unit_id, e.position, e.assessor_nip,
       e.assessor_name, e.assessor_position, e.approach, e.state, e.reason, e.edition, e.approved_at, e.approved_by, e.version, e.created_at, e.updated_at
FROM   skp_act(:skp_id, :actor_units::ltree[], :if_match::int8multirange, 'approved', NULL, NULL, :actor_name) w, LATERAL (SELECT (w.entry).*) AS e

-- name: endSkp
-- write: true
SELECT w.problem AS _problem, w.pointer AS _pointer, e.id, e.nip, e.name, e.period_id, e.starts_on, e.ends_on, e.unit_id, e.position, e.assessor_nip,
       e.assessor_name, e.assessor_position, e.approach, e.state, e.reason, e.edition, e.approved_at, e.approved_by, e.version, e.created_at, e.updated_at
FROM   skp_act(:skp_id, :actor_units::ltree[], :if_match::int8multirange, 'ended', :reason, :on, :actor_name) w, LATERAL (SELECT (w.entry).*) AS e

-- name: getSkpDocument
SELECT s.id AS skp_id, s.state, s.edition, skp_document(s.id) AS document,
       (SELECT coalesce(jsonb_agg(jsonb_build_object('pointer', g.pointer, 'code', g.code)), '[]') FROM skp_gaps(s.id) g) AS gaps
FROM   skp s JOIN asn a ON a.id = s.asn_id JOIN unit u ON u.id = a.unit_id
WHERE  s.id = :skp_id AND u.path <@ ANY (:actor_units::ltree[])

-- name: listSkpEditions
-- sort: edition = d.edition AS edition
-- sort: -edition = d.edition DESC AS edition
SELECT d.edition, d.document, d.sha256, d.sha256 = skp_seal(d.document) AS is_intact, d.approved_at, d.approved_by
FROM   skp_edition d JOIN skp s ON s.id = d.skp_id JOIN asn a ON a.id = s.asn_id JOIN unit u ON u.id = a.unit_id
WHERE  d.skp_id = :skp_id AND u.path <@ ANY (:actor_units::ltree[])
/* page */

-- ── results ──

-- name: listSkpResults
-- sort: position = r.position AS position, r.id AS id
SELECT r.id, r.skp_id, r.kind, r.position, r.name, r.superior_result_id, r.cascade, r.perspective, r.version, r.created_at, r.updated_at
FROM   skp_result r JOIN skp s ON s.id = r.skp_id JOIN asn a ON a.id = s.asn_id JOIN unit u ON u.id = a.unit_id
WHERE  r.skp_id = :skp_id AND u.path <@ ANY (:actor_units::ltree[])
/* page */

-- name: getSkpResult
SELECT r.id, r.skp_id, r.kind, r.position, r.name, r.superior_result_id, r.cascade, r.perspective, r.version, r.created_at, r.updated_at
FROM   skp_result r JOIN skp s ON s.id = r.skp_id JOIN asn a ON a.id = s.asn_id JOIN unit u ON u.id = a.unit_id
WHERE  r.id = :result_id AND r.skp_id = :skp_id AND u.path <@ ANY (:actor_units::ltree[])

-- name: createSkpResult
INSERT INTO skp_result AS r (id, skp_id, kind, position, name, superior_result_id, cascade, perspective)
SELECT :new_id, s.id, coalesce(:kind, 'utama'), (:position::numeric)::integer, :name, :superior_result_id,
       coalesce(:cascade, CASE WHEN :superior_result_id::uuid IS NOT NULL THEN 'tidak_langsung' END), :perspective
FROM   skp s JOIN asn a ON a.id = s.asn_id JOIN unit u ON u.id = a.unit_id
WHERE  s.id = :skp_id AND u.path <@ ANY (:actor_units::ltree[])
RETURNING r.id, r.skp_id, r.kind, r.position, r.name, r.superior_result_id, r.cascade, r.perspective, r.version, r.created_at, r.updated_at

-- The SKP is locked before its parts, as by its own steps.
-- name: updateSkpResult
WITH owner AS (
    SELECT s.id FROM skp s JOIN asn a ON a.id = s.asn_id JOIN unit u ON u.id = a.unit_id
    WHERE  s.id = :skp_id AND u.path <@ ANY (:actor_units::ltree[])
    FOR    UPDATE OF s
), cur AS (
    SELECT r AS rec FROM skp_result r WHERE r.id = :result_id AND r.skp_id = (SELECT o.id FROM owner o) FOR UPDATE
), want AS (
    SELECT w.*, CASE WHEN NOT :if_match::int8multirange @> (cur.rec).version THEN 'version-stale' END AS problem
    FROM   cur, jsonb_populate_record(cur.rec, with_whole(:body::jsonb, 'position')) AS w
), done AS (
    UPDATE skp_result r
    SET    kind = w.kind, position = w.position, name = w.name, superior_result_id = w.superior_result_id,
           cascade = CASE WHEN w.superior_result_id IS NULL THEN NULL ELSE coalesce(w.cascade, 'tidak_langsung') END, perspective = w.perspective
    FROM   want w
    WHERE  r.id = w.id AND w.problem IS NULL
    RETURNING r.*
)
SELECT w.problem AS _problem, d.id, d.skp_id, d.kind, d.position, d.name, d.superior_result_id, d.cascade, d.perspective, d.version, d.created_at,
       d.updated_at
FROM   want w LEFT JOIN done d ON true

-- name: deleteSkpResult
WITH owner AS (
    SELECT s.id FROM skp s JOIN asn a ON a.id = s.asn_id JOIN unit u ON u.id = a.unit_id
    WHERE  s.id = :skp_id AND u.path <@ ANY (:actor_units::ltree[])
    FOR    UPDATE OF s
), cur AS (
    SELECT r.id, r.version FROM skp_result r WHERE r.id = :result_id AND r.skp_id = (SELECT o.id FROM owner o) FOR UPDATE
), gone AS (
    DELETE FROM skp_result r USING cur c WHERE r.id = c.id AND :if_match::int8multirange @> c.version RETURNING r.id
)
SELECT CASE WHEN g.id IS NULL THEN 'version-stale' END AS _problem
FROM   cur c LEFT JOIN gone g ON true

-- ── indicators ──

-- name: listSkpIndicators
-- sort: position = i.position AS position, i.id AS id
SELECT i.id, i.skp_id, i.result_id, i.position, i.name, i.aspect, i.measure, i.direction, i.target, i.target_high, i.weight, i.cap, i.success, i.kpi_id,
       (SELECT m.figure FROM skp_measure m WHERE m.indicator_id = i.id) AS figure, i.version, i.created_at, i.updated_at
FROM   skp_indicator i JOIN skp s ON s.id = i.skp_id JOIN asn a ON a.id = s.asn_id JOIN unit u ON u.id = a.unit_id
WHERE  i.skp_id = :skp_id AND u.path <@ ANY (:actor_units::ltree[])
/*? result_id */ AND i.result_id = :result_id /*? */
/* page */

-- name: getSkpIndicator
SELECT i.id, i.skp_id, i.result_id, i.position, i.name, i.aspect, i.measure, i.direction, i.target, i.target_high, i.weight, i.cap, i.success, i.kpi_id,
       (SELECT m.figure FROM skp_measure m WHERE m.indicator_id = i.id) AS figure, i.version, i.created_at, i.updated_at
FROM   skp_indicator i JOIN skp s ON s.id = i.skp_id JOIN asn a ON a.id = s.asn_id JOIN unit u ON u.id = a.unit_id
WHERE  i.id = :skp_indicator_id AND i.skp_id = :skp_id AND u.path <@ ANY (:actor_units::ltree[])

-- What the body does not say comes from the library, if it names one of its indicators: a copy, once and for all, with the figure that measures it.
-- name: createSkpIndicator
WITH owner AS (
    SELECT s.id, s.unit_id FROM skp s JOIN asn a ON a.id = s.asn_id JOIN unit u ON u.id = a.unit_id
    WHERE  s.id = :skp_id AND u.path <@ ANY (:actor_units::ltree[])
), measured AS (
    SELECT g.code AS figure, g.needs,
           CASE WHEN g.needs = 'unit' THEN coalesce(:service_unit_id::uuid, service_unit_near(o.unit_id, :actor_units::ltree[])) END AS service_unit_id
    FROM   owner o LEFT JOIN kpi k ON k.id = :kpi_id LEFT JOIN measure_figure g ON g.code = k.figure
), fault AS (
    SELECT f.problem, f.pointer
    FROM   measured m
    LEFT   JOIN LATERAL (
        SELECT v.problem, v.pointer
        FROM  (VALUES (1, 'reference-missing', '/result_id', NOT EXISTS (SELECT FROM skp_result r WHERE r.id = :result_id AND r.skp_id = :skp_id)),
                      (2, 'reference-missing', '/kpi_id', :kpi_id::uuid IS NOT NULL AND NOT EXISTS (SELECT FROM kpi k WHERE k.id = :kpi_id AND k.is_active)),
                      (3, 'indicator-nameless', '/name', :kpi_id::uuid IS NULL AND :name::text IS NULL),
                      (4, 'measure-unit', '/service_unit_id', CASE WHEN m.needs = 'unit' THEN m.service_unit_id IS NULL
                                                                   ELSE num_nonnulls(:service_unit_id::uuid, :service_id::uuid) > 0 END),
                      (5, 'reference-missing', '/service_unit_id',
                       :service_unit_id::uuid IS NOT NULL AND NOT EXISTS (SELECT FROM service_unit p JOIN unit n ON n.id = p.unit_id
                                                                          WHERE  p.id = :service_unit_id AND n.path <@ ANY (:actor_units::ltree[]))))
               AS v (place, problem, pointer, is_so)
        WHERE  v.is_so ORDER BY v.place LIMIT 1) f ON true
), made AS (
    INSERT INTO skp_indicator (id, skp_id, result_id, position, name, aspect, measure, direction, target, target_high, weight, cap, success, kpi_id)
    SELECT :new_id, o.id, :result_id, (:position::numeric)::integer, coalesce(:name, k.name), coalesce(:aspect, k.aspect), coalesce(:measure, k.measure),
           coalesce(:direction, k.direction), coalesce(:target, k.target), coalesce(:target_high, k.target_high), coalesce(:weight::numeric, 1),
           coalesce(:cap, k.cap), :success, k.id
    FROM   owner o CROSS JOIN fault f LEFT JOIN kpi k ON k.id = :kpi_id
    WHERE  f.problem IS NULL
    RETURNING *
), bound AS (
    INSERT INTO skp_measure (indicator_id, skp_id, figure, service_unit_id, service_id)
    SELECT d.id, d.skp_id, m.figure, m.service_unit_id, CASE WHEN m.needs = 'unit' THEN :service_id::uuid END
    FROM   made d CROSS JOIN measured m
    WHERE  m.figure IS NOT NULL
    RETURNING *
)
SELECT f.problem AS _problem, f.pointer AS _pointer, m.id, m.skp_id, m.result_id, m.position, m.name, m.aspect, m.measure, m.direction, m.target,
       m.target_high, m.weight, m.cap, m.success, m.kpi_id, b.figure, m.version, m.created_at, m.updated_at
FROM   fault f LEFT JOIN made m ON true LEFT JOIN bound b ON true

-- name: updateSkpIndicator
WITH owner AS (
    SELECT s.id FROM skp s JOIN asn a ON a.id = s.asn_id JOIN unit u ON u.id = a.unit_id
    WHERE  s.id = :skp_id AND u.path <@ ANY (:actor_units::ltree[])
    FOR    UPDATE OF s
), cur AS (
    SELECT i AS rec FROM skp_indicator i WHERE i.id = :skp_indicator_id AND i.skp_id = (SELECT o.id FROM owner o) FOR UPDATE
), want AS (
    SELECT w.*,
           CASE WHEN NOT :if_match::int8multirange @> (cur.rec).version THEN 'version-stale'
                WHEN NOT EXISTS (SELECT FROM skp_result r WHERE r.id = w.result_id AND r.skp_id = (cur.rec).skp_id) THEN 'reference-missing' END AS problem
    FROM   cur, jsonb_populate_record(cur.rec, with_whole(:body::jsonb, 'position')) AS w
), done AS (
    UPDATE skp_indicator i
    SET    result_id = w.result_id, position = w.position, name = w.name, aspect = w.aspect, measure = w.measure, direction = w.direction,
           target = w.target, target_high = w.target_high, weight = w.weight, cap = w.cap, success = w.success
    FROM   want w
    WHERE  i.id = w.id AND w.problem IS NULL
    RETURNING i.*
)
SELECT w.problem AS _problem, CASE w.problem WHEN 'reference-missing' THEN '/result_id' END AS _pointer, d.id, d.skp_id, d.result_id, d.position, d.name,
       d.aspect, d.measure, d.direction, d.target, d.target_high, d.weight, d.cap, d.success, d.kpi_id,
       (SELECT m.figure FROM skp_measure m WHERE m.indicator_id = d.id) AS figure, d.version, d.created_at, d.updated_at
FROM   want w LEFT JOIN done d ON true

-- name: deleteSkpIndicator
WITH owner AS (
    SELECT s.id FROM skp s JOIN asn a ON a.id = s.asn_id JOIN unit u ON u.id = a.unit_id
    WHERE  s.id = :skp_id AND u.path <@ ANY (:actor_units::ltree[])
    FOR    UPDATE OF s
), cur AS (
    SELECT i.id, i.version FROM skp_indicator i WHERE i.id = :skp_indicator_id AND i.skp_id = (SELECT o.id FROM owner o) FOR UPDATE
), gone AS (
    DELETE FROM skp_indicator i USING cur c WHERE i.id = c.id AND :if_match::int8multirange @> c.version RETURNING i.id
)
SELECT CASE WHEN g.id IS NULL THEN 'version-stale' END AS _problem
FROM   cur c LEFT JOIN gone g ON true

-- ── behaviour ──

-- name: listSkpBehaviours
-- sort: value = v.value AS value
SELECT v.value, b.expectation
FROM   skp s JOIN asn a ON a.id = s.asn_id JOIN unit u ON u.id = a.unit_id
CROSS  JOIN unnest('{berorientasi_pelayanan,akuntabel,kompeten,harmonis,loyal,adaptif,kolaboratif}'::text[]) AS v (value)
LEFT   JOIN skp_behaviour b ON b.skp_id = s.id AND b.value = v.value
WHERE  s.id = :skp_id AND u.path <@ ANY (:actor_units::ltree[])
/* page */

-- Puts an expectation, or takes it away (null). Of the SKP's version.
-- name: putSkpBehaviour
WITH cur AS (
    SELECT s.id, s.version FROM skp s JOIN asn a ON a.id = s.asn_id JOIN unit u ON u.id = a.unit_id
    WHERE  s.id = :skp_id AND u.path <@ ANY (:actor_units::ltree[])
    FOR    UPDATE OF s
), gone AS (
    DELETE FROM skp_behaviour b USING cur c
    WHERE  b.skp_id = c.id AND b.value = :behaviour AND :expectation::text IS NULL AND :if_match::int8multirange @> c.version
), put AS (
    INSERT INTO skp_behaviour AS b (skp_id, value, expectation)
    SELECT c.id, :behaviour, :expectation FROM cur c WHERE :expectation::text IS NOT NULL AND :if_match::int8multirange @> c.version
    ON     CONFLICT (skp_id, value) DO UPDATE SET expectation = EXCLUDED.expectation
)
SELECT CASE WHEN NOT :if_match::int8multirange @> c.version THEN 'version-stale' END AS _problem, :behaviour::text AS value, :expectation::text AS expectation
FROM   cur c

-- ── all year ──

-- name: listSkpProgress
-- sort: id = p.id AS id
-- sort: -id = p.id DESC AS id
SELECT p.id, p.skp_id, p.indicator_id, p.day, p.value, p.note, p.evidence, p.source, p.corrects,
       (SELECT c.id FROM skp_progress c WHERE c.corrects = p.id) AS corrected_by, p.actor_name, p.created_at
FROM   skp_progress p JOIN skp s ON s.id = p.skp_id JOIN asn a ON a.id = s.asn_id JOIN unit u ON u.id = a.unit_id
WHERE  p.skp_id = :skp_id AND u.path <@ ANY (:actor_units::ltree[])
/*? indicator_id */ AND p.indicator_id = :indicator_id /*? */
/* page */

-- name: addSkpProgress
WITH owner AS (
    SELECT s.id FROM skp s JOIN asn a ON a.id = s.asn_id JOIN unit u ON u.id = a.unit_id
    WHERE  s.id = :skp_id AND u.path <@ ANY (:actor_units::ltree[])
), fault AS (
    SELECT CASE WHEN NOT EXISTS (SELECT FROM skp_indicator i WHERE i.id = :indicator_id AND i.skp_id = :skp_id) THEN '/indicator_id'
                WHEN :corrects::uuid IS NOT NULL
                     AND NOT EXISTS (SELECT FROM skp_progress p WHERE p.id = :corrects AND p.indicator_id = :indicator_id) THEN '/corrects' END AS pointer
    FROM   owner
), made AS (
    INSERT INTO skp_progress (id, skp_id, indicator_id, day, value, note, evidence, source, corrects, actor_key, actor_name)
    SELECT :new_id, o.id, :indicator_id, coalesce(:day, :today::date), :value, :note, :evidence, coalesce(:source, 'manual'), :corrects, :actor_key,
           :actor_name
    FROM   owner o, fault f
    WHERE  f.pointer IS NULL
    RETURNING *
)
SELECT CASE WHEN f.pointer IS NOT NULL THEN 'reference-missing' END AS _problem, f.pointer AS _pointer, m.id, m.skp_id, m.indicator_id, m.day, m.value,
       m.note, m.evidence, m.source, m.corrects, NULL::uuid AS corrected_by, m.actor_name, m.created_at
FROM   fault f LEFT JOIN made m ON true

-- name: listSkpFeedback
-- sort: id = f.id AS id
-- sort: -id = f.id DESC AS id
SELECT f.id, f.skp_id, f.kind, f.giver, f.day, f.result_id, f.value, f.text, f.agreed, f.actor_name, f.created_at
FROM   skp_feedback f JOIN skp s ON s.id = f.skp_id JOIN asn a ON a.id = s.asn_id JOIN unit u ON u.id = a.unit_id
WHERE  f.skp_id = :skp_id AND u.path <@ ANY (:actor_units::ltree[])
/*? kind */ AND f.kind = :kind /*? */
/*? giver */ AND f.giver = :giver /*? */
/* page */

-- name: addSkpFeedback
WITH owner AS (
    SELECT s.id FROM skp s JOIN asn a ON a.id = s.asn_id JOIN unit u ON u.id = a.unit_id
    WHERE  s.id = :skp_id AND u.path <@ ANY (:actor_units::ltree[])
), fault AS (
    SELECT CASE WHEN :result_id::uuid IS NOT NULL AND NOT EXISTS (SELECT FROM skp_result r WHERE r.id = :result_id AND r.skp_id = :skp_id)
                THEN '/result_id' END AS pointer
    FROM   owner
), made AS (
    INSERT INTO skp_feedback (id, skp_id, kind, giver, day, result_id, value, text, agreed, actor_key, actor_name)
    SELECT :new_id, o.id, coalesce(:kind, 'umpan_balik'), :giver, coalesce(:day, :today::date), :result_id, :value, :text, :agreed, :actor_key, :actor_name
    FROM   owner o, fault f
    WHERE  f.pointer IS NULL
    RETURNING *
)
SELECT CASE WHEN f.pointer IS NOT NULL THEN 'reference-missing' END AS _problem, f.pointer AS _pointer, m.id, m.skp_id, m.kind, m.giver, m.day,
       m.result_id, m.value, m.text, m.agreed, m.actor_name, m.created_at
FROM   fault f LEFT JOIN made m ON true

-- ── what hangs on what ──

-- Matriks pembagian peran dan hasil: each result of the SKP, and each result of somebody else's that serves it.
-- name: listSkpMatrix
-- sort: position = r.position AS _position, coalesce(own.id, '00000000-0000-0000-0000-000000000000'::uuid) AS _own_id, r.id AS result_id
SELECT r.id AS result_id, r.position AS result_position, r.name AS result, own.id AS serving_result_id, own.name AS serving_result, own.cascade,
       o.id AS serving_skp_id, o.state AS serving_state, p.nip, p.name, r.position AS _position,
       coalesce(own.id, '00000000-0000-0000-0000-000000000000'::uuid) AS _own_id
FROM   skp_result r
JOIN   skp s ON s.id = r.skp_id
JOIN   asn a ON a.id = s.asn_id
JOIN   unit u ON u.id = a.unit_id
LEFT   JOIN (skp_result own JOIN skp o ON o.id = own.skp_id JOIN asn p ON p.id = o.asn_id JOIN unit n ON n.id = p.unit_id
             AND n.path <@ ANY (:actor_units::ltree[])) ON own.superior_result_id = r.id
WHERE  r.skp_id = :skp_id AND u.path <@ ANY (:actor_units::ltree[])
/* page */

-- Results of those who have subordinates in this year that nobody's result serves.
-- name: listUncoveredResults
-- sort: id = r.id AS id
SELECT r.id, r.skp_id, a.nip, a.name, s.unit_id, r.position, r.name AS result, r.kind,
       (SELECT count(*) FROM skp b WHERE b.assessor_id = s.asn_id AND b.period_id = s.period_id)::integer AS subordinates
FROM   skp s
JOIN   asn a ON a.id = s.asn_id
JOIN   unit u ON u.id = a.unit_id
JOIN   skp_result r ON r.skp_id = s.id AND r.kind = 'utama'
WHERE  u.path <@ ANY (:actor_units::ltree[])
       AND EXISTS (SELECT FROM skp b WHERE b.assessor_id = s.asn_id AND b.period_id = s.period_id)
       AND NOT EXISTS (SELECT FROM skp_result b WHERE b.superior_result_id = r.id)
/*? period_id */ AND s.period_id = :period_id /*? */
/*? under */ AND u.path <@ (SELECT p.path FROM unit p WHERE p.id = :under) /*? */
/* page */

-- Approved SKPs of which nothing was heard: neither progress nor feedback for so many days, counted from the approval at the earliest.
-- name: listSilentSkps
-- sort: id = s.id AS id
SELECT s.id, a.nip, a.name, s.unit_id, n.nip AS assessor_nip, coalesce(n.name, s.assessor_name) AS assessor_name, w.progress_on, w.feedback_on,
       (:today::date - greatest(s.starts_on, local_day(s.approved_at), w.progress_on, w.feedback_on))::integer AS days
FROM   skp s
JOIN   asn a ON a.id = s.asn_id
JOIN   unit u ON u.id = a.unit_id
LEFT   JOIN asn n ON n.id = s.assessor_id
CROSS  JOIN LATERAL (SELECT (SELECT max(p.day) FROM skp_progress p WHERE p.skp_id = s.id) AS progress_on,
                            (SELECT max(f.day) FROM skp_feedback f WHERE f.skp_id = s.id) AS feedback_on) w
WHERE  u.path <@ ANY (:actor_units::ltree[]) AND s.state = 'approved'
       AND :today::date - greatest(s.starts_on, local_day(s.approved_at), w.progress_on, w.feedback_on)
           >= coalesce(:silent_days::integer, 30)
/*? period_id */ AND s.period_id = :period_id /*? */
/*? under */ AND u.path <@ (SELECT p.path FROM unit p WHERE p.id = :under) /*? */
/*? assessor_nip */ AND s.assessor_id = (SELECT asn_of_nip(:assessor_nip)) /*? */
/* page */

-- name: fillEvaluation
-- write: true
SELECT CASE WHEN e.is_final THEN 'evaluation-final' END AS _problem, e.id AS evaluation_id, f.copied, f.refreshed
FROM   (SELECT e.id, e.state = 'final' AS is_final FROM evaluation e JOIN asn a ON a.id = e.asn_id JOIN unit u ON u.id = a.unit_id
        WHERE  e.id = :evaluation_id AND u.path <@ ANY (:actor_units::ltree[])) e
LEFT   JOIN LATERAL evaluation_fill(e.id) f ON NOT e.is_final

-- Whoever works and was appointed before the period ended. Nobody is asked of state officials, who is suspended, on leave without pay or study leave, or about to retire (in_service).
-- name: listPeriodDue
-- timeout: 30000
-- sort: id = a.id AS id
SELECT a.id, a.nip, a.name, a.unit_id, a.position, coalesce(:stage::text, 'skp') AS stage, w.state, d.due_on, coalesce(:today::date > d.due_on, false) AS is_late
FROM   period p
CROSS  JOIN LATERAL (SELECT planning_due_on(coalesce(:stage::text, 'skp'), p) AS due_on) d
JOIN   asn a ON a.legal_status = ANY (ARRAY(SELECT r.code FROM reference r WHERE r.list = 'legal-status' AND (r.facts ->> 'in_service')::boolean AND r.valid @> :today::date))
             AND coalesce(a.appointed_on <= p.ends_on, true)
JOIN   unit u ON u.id = a.unit_id
CROSS  JOIN LATERAL (SELECT CASE coalesce(:stage::text, 'skp')
                            WHEN 'evaluation' THEN (SELECT e.state FROM evaluation e WHERE e.asn_id = a.id AND e.period_id = p.id ORDER BY e.state = 'final' DESC LIMIT 1)
                            ELSE (SELECT s.state FROM skp s WHERE s.asn_id = a.id AND s.period_id = p.id ORDER BY s.state IN ('approved', 'ended') DESC, s.id DESC LIMIT 1) END AS state) w
WHERE  p.id = :period_id
       AND CASE coalesce(:stage::text, 'skp') WHEN 'draft' THEN w.state IS NULL WHEN 'skp' THEN coalesce(w.state NOT IN ('approved', 'ended'), true)
                                              ELSE w.state IS DISTINCT FROM 'final' END
/*? actor_units */ AND u.path <@ ANY (:actor_units::ltree[]) /*? */
/*? under */ AND u.path <@ (SELECT n.path FROM unit n WHERE n.id = :under) /*? */
/* page */
