-- Needs: what posts require, what people were found to be able to do, gaps, plans of a year, and what would help. The rules are the database's
-- (0029_needs.sql). People are seen by whoever may see their unit. See docs/needs.md.

-- ── what posts require ──

-- name: listCompetencyStandards
-- sort: id = s.id AS id
-- sort: -id = s.id DESC AS id
SELECT s.id, s.basis, s.position_level, s.position_kind, s.position, s.unit_id, s.competency, s.level, s.valid_from, s.valid_until, s.source, s.is_confirmed,
       s.actor_name, s.version, s.created_at, s.updated_at
FROM   competency_standard s
WHERE  true
/*? competency */ AND s.competency = :competency /*? */
/*? position_level */ AND s.position_level = :position_level /*? */
/*? position */ AND s.position_key = reference_fold(:position) /*? */
/*? unit_id */ AND s.unit_id = :unit_id /*? */
/*? as_of */ AND s.valid_from <= :as_of::date AND coalesce(s.valid_until > :as_of::date, true) /*? */
/* page */

-- name: getCompetencyStandard
SELECT s.id, s.basis, s.position_level, s.position_kind, s.position, s.unit_id, s.competency, s.level, s.valid_from, s.valid_until, s.source, s.is_confirmed,
       s.actor_name, s.version, s.created_at, s.updated_at,
       (SELECT coalesce(json_agg(json_build_object('version', v.version, 'level', v.level, 'valid_until', v.valid_until, 'source', v.source,
                                                   'actor_name', v.actor_name, 'updated_at', v.updated_at) ORDER BY v.version), '[]')
        FROM   competency_standard_version v WHERE v.standard_id = s.id) AS versions
FROM   competency_standard s
WHERE  s.id = :standard_id

-- One of a unit is written by whoever may see that unit, one for everybody by whoever may see everybody.
-- name: createCompetencyStandard
WITH fault AS (
    SELECT CASE WHEN :unit_id::uuid IS NULL AND '' <> ALL (:actor_units::ltree[]) THEN 'forbidden'
                WHEN :unit_id::uuid IS NOT NULL AND NOT EXISTS (SELECT FROM unit u WHERE u.id = :unit_id AND u.path <@ ANY (:actor_units::ltree[]))
                THEN 'reference-missing' END AS problem
), made AS (
    INSERT INTO competency_standard (id, position_level, position_kind, position, unit_id, competency, level, valid_from, valid_until, source, is_confirmed,
                                     actor_key, actor_name)
    SELECT :new_id, :position_level, :position_kind, :position, :unit_id, :competency, (:level::numeric)::integer, :valid_from, :valid_until, :source,
           coalesce(:is_confirmed::boolean, true), :actor_key, :actor_name
    FROM   fault f
    WHERE  f.problem IS NULL
    RETURNING *
)
SELECT f.problem AS _problem, '/unit_id' AS _pointer, :unit_id::text AS _value,
       s.id, s.basis, s.position_level, s.position_kind, s.position, s.unit_id, s.competency, s.level, s.valid_from, s.valid_until, s.source, s.is_confirmed,
       s.actor_name, s.version, s.created_at, s.updated_at
FROM   fault f LEFT JOIN made s ON true

-- name: updateCompetencyStandard
WITH cur AS (
    SELECT s AS rec FROM competency_standard s WHERE s.id = :standard_id FOR UPDATE
), want AS (
    SELECT w.*, CASE WHEN NOT :if_match::int8multirange @> (cur.rec).version THEN 'version-stale'
                     WHEN NOT CASE WHEN w.unit_id IS NULL THEN '' = ANY (:actor_units::ltree[])
                                   ELSE EXISTS (SELECT FROM unit u WHERE u.id = w.unit_id AND u.path <@ ANY (:actor_units::ltree[])) END
                     THEN 'forbidden' END AS problem
    FROM   cur, jsonb_populate_record(cur.rec, with_whole(:body::jsonb, 'level')) AS w
), done AS (
    UPDATE competency_standard s
    SET    level = w.level, valid_until = w.valid_until, source = w.source, is_confirmed = w.is_confirmed, actor_key = :actor_key, actor_name = :actor_name
    FROM   want w
    WHERE  s.id = w.id AND w.problem IS NULL
    RETURNING s.*
)
SELECT w.problem AS _problem,
       s.id, s.basis, s.position_level, s.position_kind, s.position, s.unit_id, s.competency, s.level, s.valid_from, s.valid_until, s.source, s.is_confirmed,
       s.actor_name, s.version, s.created_at, s.updated_at
FROM   want w LEFT JOIN done s ON true

-- name: listAssessmentMethods
-- sort: code = m.code AS code
SELECT m.code, m.name, m.name_en, m.valid_months, m.source, m.is_confirmed
FROM   assessment_method m
WHERE  true
/* page */

-- name: listJpmBands
-- sort: floor = b.valid_from AS valid_from, b.floor AS floor
SELECT b.valid_from, trim_scale(b.floor) AS floor, b.code, b.name, b.name_en, b.source, b.is_confirmed
FROM   jpm_band b
WHERE  true
/* page */

-- ── what people were found to be able to do ──

-- name: listCompetencyAssessments
-- sort: -id = t.id DESC AS id
-- sort: id = t.id AS id
SELECT t.id, a.nip, a.name, t.assessed_on, t.method, t.source, t.levels, t.valid_until, t.is_void, t.reason, t.actor_name, t.version, t.created_at, t.updated_at
FROM   competency_assessment t
JOIN   asn a ON a.id = t.asn_id
JOIN   unit u ON u.id = a.unit_id
WHERE  u.path <@ ANY (:actor_units::ltree[])
/*? nip */ AND t.asn_id = (SELECT asn_of_nip(:nip)) /*? */
/*? method */ AND t.method = :method /*? */
/*? under */ AND u.path <@ (SELECT p.path FROM unit p WHERE p.id = :under) /*? */
/*? is_void */ AND t.is_void = :is_void /*? */
/* page */

-- name: getCompetencyAssessment
SELECT t.id, a.nip, a.name, t.assessed_on, t.method, t.source, t.levels, t.valid_until, t.is_void, t.reason, t.actor_name, t.version, t.created_at, t.updated_at,
       (SELECT coalesce(json_agg(json_build_object('version', v.version, 'levels', v.levels, 'valid_until', v.valid_until, 'actor_name', v.actor_name,
                                                   'updated_at', v.updated_at) ORDER BY v.version), '[]')
        FROM   competency_assessment_version v WHERE v.assessment_id = t.id) AS versions
FROM   competency_assessment t
JOIN   asn a ON a.id = t.asn_id
JOIN   unit u ON u.id = a.unit_id
WHERE  t.id = :assessment_id AND u.path <@ ANY (:actor_units::ltree[])

-- name: addCompetencyAssessment
WITH who AS (
    SELECT a.id, a.nip, a.name FROM asn a JOIN unit u ON u.id = a.unit_id
    WHERE  a.id = (SELECT asn_of_nip(:nip)) AND u.path <@ ANY (:actor_units::ltree[])
    FOR    KEY SHARE OF a
), told AS (
    SELECT l.n, l.competency, l.level, competency_holds(l.competency, :assessed_on::date) AS is_there,
           EXISTS (SELECT FROM jsonb_array_elements(:body::jsonb -> 'levels') WITH ORDINALITY AS o (o, n) WHERE o.n < l.n AND o.o ->> 'competency' = l.competency) AS is_twice
    FROM   (SELECT t.n, t.l ->> 'competency' AS competency, trunc((t.l ->> 'level')::numeric)::integer AS level
            FROM   jsonb_array_elements(:body::jsonb -> 'levels') WITH ORDINALITY AS t (l, n)) l
), fault AS (
    SELECT 'reference-missing' AS problem, '/nip' AS pointer, :nip::text AS value, 0 AS n WHERE NOT EXISTS (SELECT FROM who)
    UNION ALL
    SELECT CASE WHEN t.is_there THEN 'entry-twice' ELSE 'reference-missing' END, format('/levels/%s/competency', t.n - 1), t.competency, t.n
    FROM   told t WHERE NOT t.is_there OR t.is_twice
), made AS (
    INSERT INTO competency_assessment (id, asn_id, assessed_on, method, source, levels, valid_until, actor_key, actor_name)
    SELECT :new_id, w.id, :assessed_on, :method, :source, (SELECT jsonb_object_agg(t.competency, t.level) FROM told t), :valid_until, :actor_key, :actor_name
    FROM   who w
    WHERE  NOT EXISTS (SELECT FROM fault)
    RETURNING *
)
SELECT f.problem AS _problem, f.pointer AS _pointer, f.value AS _value,
       CASE f.problem WHEN 'entry-twice' THEN 'The competency is in this list already.' END AS _en,
       CASE f.problem WHEN 'entry-twice' THEN 'Kompetensi ini sudah ada dalam daftar ini.' END AS _id,
       m.id, w.nip, w.name, m.assessed_on, m.method, m.source, m.levels, m.valid_until, m.is_void, m.reason, m.actor_name, m.version, m.created_at, m.updated_at
FROM   (SELECT) one LEFT JOIN fault f ON true LEFT JOIN made m ON true LEFT JOIN who w ON true
ORDER  BY f.n

-- name: annulCompetencyAssessment
WITH cur AS (
    SELECT t.id, t.is_void, a.nip, a.name, CASE WHEN NOT :if_match::int8multirange @> t.version THEN 'version-stale'
                                                WHEN t.is_void THEN 'assessment-void' END AS problem
    FROM   competency_assessment t JOIN asn a ON a.id = t.asn_id JOIN unit u ON u.id = a.unit_id
    WHERE  t.id = :assessment_id AND u.path <@ ANY (:actor_units::ltree[])
    FOR    UPDATE OF t
), done AS (
    UPDATE competency_assessment t
    SET    is_void = true, reason = :reason, actor_key = :actor_key, actor_name = :actor_name
    FROM   cur c
    WHERE  t.id = c.id AND c.problem IS NULL
    RETURNING t.*
)
SELECT c.problem AS _problem,
       m.id, c.nip, c.name, m.assessed_on, m.method, m.source, m.levels, m.valid_until, m.is_void, m.reason, m.actor_name, m.version, m.created_at, m.updated_at
FROM   cur c LEFT JOIN done m ON true

-- ── gaps ──

-- name: getCompetencyGaps
SELECT a.nip, a.name, d.at AS as_of, a.unit_id, a.position_kind, a.position, l.grade AS position_level, g.required_total, g.counted_total, g.missing,
       CASE WHEN g.missing = 0 AND g.required_total > 0 THEN round(g.counted_total * 100::numeric / g.required_total, 2) END AS jpm,
       CASE WHEN g.missing = 0 AND g.required_total > 0 THEN jpm_band_of(g.counted_total, g.required_total, d.at) END AS band, g.competencies
FROM   asn b
JOIN   unit u ON u.id = b.unit_id
CROSS  JOIN LATERAL (SELECT coalesce(:as_of::date, :today::date) AS at) d
CROSS  JOIN LATERAL (SELECT n.* FROM asn_as_of(b, d.at) n WHERE :as_of::date IS NOT NULL UNION ALL SELECT (b).* WHERE :as_of::date IS NULL) a
CROSS  JOIN LATERAL (SELECT position_level_of(a, d.at) AS grade) l
CROSS  JOIN LATERAL (SELECT coalesce(sum(c.required), 0) AS required_total,
                            coalesce(sum(least(c.assessed, c.required)) FILTER (WHERE c.assessed IS NOT NULL), 0) AS counted_total,
                            count(*) FILTER (WHERE c.assessed IS NULL) AS missing,
                            coalesce(json_agg(json_build_object('competency', c.competency, 'family', c.family, 'name', c.name, 'name_en', c.name_en,
                                                                'required', c.required, 'assessed', c.assessed, 'gap', c.gap, 'standing', c.standing,
                                                                'basis', c.basis, 'standard_id', c.standard_id, 'assessment_id', c.assessment_id,
                                                                'assessed_on', c.assessed_on, 'method', c.method, 'source', c.source)
                                              ORDER BY c.seq, c.competency), '[]') AS competencies
                     FROM   competency_gaps(a.id, a.unit_id, a.position_kind, reference_fold(a.position), l.grade, d.at) c) g
WHERE  b.id = (SELECT asn_of_nip(:nip)) AND u.path <@ ANY (:actor_units::ltree[])

-- name: listSuggestedSessions
-- sort: best = d._unfit AS _unfit, d._turn AS _turn, d.starts_on AS starts_on, d.session_id AS session_id
SELECT d.*
FROM   (SELECT s.session_id, s.programme_id, s.programme_code, s.programme_name, s.title, s.starts_on, s.ends_on, s.jp, s.reasons, s.prerequisites, s.seats,
               s.registration, s.clashes, s.obstacles, s.obstacles = '{}' AS is_suitable, (s.obstacles <> '{}')::integer AS _unfit, 9 - s.gap AS _turn
        FROM   asn a
        JOIN   unit u ON u.id = a.unit_id
        CROSS  JOIN LATERAL session_suggestions(a, :today::date) s
        WHERE  a.id = (SELECT asn_of_nip(:nip)) AND u.path <@ ANY (:actor_units::ltree[])) d
WHERE  true
/*? is_suitable */ AND d.is_suitable = :is_suitable /*? */
/* page */

-- Who is short of what: the rows that the ranking adds up.
-- name: listCompetencyGaps
-- sort: nip = a.nip AS nip, c.competency AS competency
SELECT a.nip, a.name, a.unit_id, w.name AS unit_name, a.position, l.grade AS position_level, c.competency, c.family, c.required, c.assessed, c.gap, c.standing,
       c.basis, c.assessed_on, c.method
FROM   asn /*? as_of */ AS b CROSS JOIN LATERAL asn_as_of(b, :as_of::date) /*? */ AS a
JOIN   unit u ON u.id = a.unit_id
CROSS  JOIN LATERAL (SELECT u.code, u.name, u.depth, u.path) /*? as_of */ AS now CROSS JOIN LATERAL unit_as_of(u, :as_of::date) /*? */ AS w
CROSS  JOIN LATERAL (SELECT coalesce(:as_of::date, :today::date) AS at) d
CROSS  JOIN LATERAL (SELECT position_level_of(a, d.at) AS grade) l
CROSS  JOIN LATERAL competency_gaps(a.id, a.unit_id, a.position_kind, reference_fold(a.position), l.grade, d.at) c
WHERE  a.legal_status = ANY (ARRAY(SELECT e.code FROM employed_status e))
/*? as_of */ AND EXISTS (SELECT FROM unit n WHERE n.id = b.unit_id AND n.path <@ ANY (:actor_units::ltree[]))
    AND b.id = ANY (ARRAY(SELECT h.asn_id
                          FROM   unnest(unit_reach(:under::uuid, :actor_units::ltree[])) AS n (id)
                          CROSS  JOIN LATERAL (SELECT p.asn_id FROM history p
                                               WHERE  p.kind = 'placement' AND NOT p.is_void AND p.facts ->> 'unit_id' = n.id::text OFFSET 0) h)) /*? */
/*? actor_units */ AND u.path <@ ANY (:actor_units::ltree[]) /*? */
/*? under */ AND w.path <@ (SELECT unit_path_then(:under, :as_of::date)) /*? */
/*? competency */ AND c.competency = :competency /*? */
/*? family */ AND c.family = :family /*? */
/*? standing */ AND c.standing = :standing /*? */
/* page */

-- By the sum of the gaps: how far people are from what is required, times how many they are.
-- name: listDevelopmentNeeds
-- timeout: 30000
-- sort: rank = d.rank AS rank
SELECT d.*
FROM   (SELECT row_number() OVER (ORDER BY sum(coalesce(c.gap, 0)) DESC, count(*) FILTER (WHERE c.gap > 0) DESC, c.competency)::integer AS rank,
               c.competency, min(c.family) AS family, min(c.name) AS name, min(c.name_en) AS name_en, count(*)::integer AS people,
               count(c.assessed)::integer AS assessed, count(*) FILTER (WHERE c.standing = 'met')::integer AS met,
               count(*) FILTER (WHERE c.standing = 'gap')::integer AS with_gap, count(*) FILTER (WHERE c.standing = 'missing')::integer AS missing,
               count(*) FILTER (WHERE c.standing = 'expired')::integer AS expired, coalesce(sum(c.gap), 0)::integer AS gap_total,
               round(avg(c.gap) FILTER (WHERE c.gap > 0), 2) AS gap_mean, coalesce(max(c.gap), 0) AS gap_most,
               count(*) FILTER (WHERE c.standing = 'gap'
                                      AND EXISTS (SELECT FROM development_plan p JOIN development_plan_line n ON n.plan_id = p.id
                                                  WHERE  p.asn_id = c.asn_id AND p.year = extract(year FROM s.at) AND p.state = 'approved'
                                                         AND n.competency = c.competency))::integer AS planned
        FROM   (SELECT d.at, array_agg(a.id) AS people, array_agg(a.unit_id) AS units, array_agg(a.position_kind) AS kinds, array_agg(reference_fold(a.position)) AS posts,
                       array_agg(position_level_of(a, d.at)) AS grades
                FROM   asn /*? as_of */ AS b CROSS JOIN LATERAL asn_as_of(b, :as_of::date) /*? */ AS a
                JOIN   unit u ON u.id = a.unit_id
                CROSS  JOIN LATERAL (SELECT u.code, u.name, u.depth, u.path) /*? as_of */ AS now CROSS JOIN LATERAL unit_as_of(u, :as_of::date) /*? */ AS w
                CROSS  JOIN LATERAL (SELECT coalesce(:as_of::date, :today::date) AS at) d
                WHERE  a.legal_status = ANY (ARRAY(SELECT e.code FROM employed_status e))
                /*? as_of */ AND EXISTS (SELECT FROM unit n WHERE n.id = b.unit_id AND n.path <@ ANY (:actor_units::ltree[]))
                    AND b.id = ANY (ARRAY(SELECT h.asn_id
                                          FROM   unnest(unit_reach(:under::uuid, :actor_units::ltree[])) AS n (id)
                                          CROSS  JOIN LATERAL (SELECT p.asn_id FROM history p
                                                               WHERE  p.kind = 'placement' AND NOT p.is_void AND p.facts ->> 'unit_id' = n.id::text OFFSET 0) h)) /*? */
                /*? actor_units */ AND u.path <@ ANY (:actor_units::ltree[]) /*? */
                /*? under */ AND w.path <@ (SELECT unit_path_then(:under, :as_of::date)) /*? */
                GROUP  BY d.at) s
        CROSS  JOIN LATERAL competency_gaps_of(s.people, s.units, s.kinds, s.posts, s.grades, s.at) c
        WHERE  true
        /*? family */ AND c.family = :family /*? */
        GROUP  BY c.competency) d
WHERE  true
/* page */

-- The plan of the agency (HCDP): what is needed today, what the approved plans of the year do about it, by form and programme, and what there is for it.
-- What no plan asks for has a row without a form; what nobody needs and somebody plans has no rank.
-- name: listDevelopmentProgramme
-- timeout: 30000
-- sort: rank = d._rank AS _rank, d._competency AS _competency, d._form AS _form, d._programme AS _programme
SELECT d.*
FROM   (SELECT n.rank, c.competency, coalesce(n.family, r.parent) AS family, coalesce(n.name, r.name, c.competency) AS name, coalesce(n.name_en, r.name_en) AS name_en,
               y.year, coalesce(n.people, 0) AS people, coalesce(n.with_gap, 0) AS with_gap, coalesce(n.unassessed, 0) AS unassessed,
               coalesce(n.gap_total, 0) AS gap_total, l.form, f.name AS form_name, CASE WHEN l.form IS NOT NULL THEN programme_method(l.form) END AS method,
               l.programme_id, g.code AS programme_code, g.name AS programme_name, coalesce(l.people, 0) AS planned_people, coalesce(l.target_jp, 0) AS target_jp,
               coalesce(l.q1, 0) AS quarter_1, coalesce(l.q2, 0) AS quarter_2, coalesce(l.q3, 0) AS quarter_3, coalesce(l.q4, 0) AS quarter_4,
               coalesce(l.cost, 0.00) AS cost, l.cost_sources, s.sessions, s.seats, b.budget_planned, b.budget_remaining, coalesce(n.rank, 1000000) AS _rank,
               c.competency AS _competency, coalesce(l.form, '') AS _form, coalesce(l.programme_id::text, '') AS _programme
        FROM   (SELECT row_number() OVER (ORDER BY sum(coalesce(c.gap, 0)) DESC, count(*) FILTER (WHERE c.gap > 0) DESC, c.competency)::integer AS rank,
                       c.competency, min(c.family) AS family, min(c.name) AS name, min(c.name_en) AS name_en, count(*)::integer AS people,
                       count(*) FILTER (WHERE c.standing = 'gap')::integer AS with_gap,
                       count(*) FILTER (WHERE c.standing IN ('missing', 'expired'))::integer AS unassessed, coalesce(sum(c.gap), 0)::integer AS gap_total
                FROM   (SELECT array_agg(a.id) AS people, array_agg(a.unit_id) AS units, array_agg(a.position_kind) AS kinds, array_agg(reference_fold(a.position)) AS posts,
                               array_agg(position_level_of(a, :today::date)) AS grades
                        FROM   asn a
                        JOIN   unit u ON u.id = a.unit_id
                        WHERE  a.legal_status = ANY (ARRAY(SELECT e.code FROM employed_status e))
                        /*? actor_units */ AND u.path <@ ANY (:actor_units::ltree[]) /*? */
                        /*? under */ AND u.path <@ (SELECT w.path FROM unit w WHERE w.id = :under) /*? */) s
                CROSS  JOIN LATERAL competency_gaps_of(s.people, s.units, s.kinds, s.posts, s.grades, :today::date) c
                GROUP  BY c.competency) n
        FULL   JOIN (SELECT p.competency, p.form, p.programme_id, count(DISTINCT t.asn_id)::integer AS people, sum(p.target_jp)::integer AS target_jp,
                            count(DISTINCT t.asn_id) FILTER (WHERE p.quarter = 1)::integer AS q1, count(DISTINCT t.asn_id) FILTER (WHERE p.quarter = 2)::integer AS q2,
                            count(DISTINCT t.asn_id) FILTER (WHERE p.quarter = 3)::integer AS q3, count(DISTINCT t.asn_id) FILTER (WHERE p.quarter = 4)::integer AS q4,
                            sum(p.cost) AS cost, string_agg(DISTINCT p.cost_source, ', ' ORDER BY p.cost_source) AS cost_sources
                     FROM   development_plan t
                     JOIN   development_plan_line p ON p.plan_id = t.id
                     JOIN   asn a ON a.id = t.asn_id
                     JOIN   unit u ON u.id = a.unit_id
                     WHERE  t.year = coalesce(:year::integer, extract(year FROM :today::date)::integer) AND t.state = 'approved'
                     /*? actor_units */ AND u.path <@ ANY (:actor_units::ltree[]) /*? */
                     /*? under */ AND u.path <@ (SELECT w.path FROM unit w WHERE w.id = :under) /*? */
                     GROUP  BY p.competency, p.form, p.programme_id) l ON l.competency = n.competency
        CROSS  JOIN LATERAL (SELECT coalesce(:year::integer, extract(year FROM :today::date)::integer) AS year) y
        CROSS  JOIN LATERAL (SELECT coalesce(n.competency, l.competency) AS competency) c
        LEFT   JOIN LATERAL (SELECT x.name, x.name_en, x.parent FROM reference x
                             WHERE  x.list = 'competency-standard' AND x.code = c.competency ORDER BY x.valid @> :today::date DESC, x.valid DESC LIMIT 1) r ON true
        LEFT   JOIN LATERAL (SELECT x.name FROM reference x
                             WHERE  x.list = 'training-form' AND x.code = l.form ORDER BY x.valid @> :today::date DESC, x.valid DESC LIMIT 1) f ON true
        LEFT   JOIN programme g ON g.id = l.programme_id
        CROSS  JOIN LATERAL (SELECT count(*)::integer AS sessions, coalesce(sum(v.capacity), 0)::integer AS seats FROM session v
                             WHERE  v.programme_id = l.programme_id AND v.state <> 'cancelled' AND extract(year FROM v.starts_on) = y.year) s
        CROSS  JOIN LATERAL (SELECT sum(v.planned) AS budget_planned, sum(w.remaining) AS budget_remaining
                             FROM   budget_line v CROSS JOIN LATERAL budget_standing(v) w WHERE v.programme_id = l.programme_id AND v.year = y.year) b) d
WHERE  true
/* page */

-- ── plans ──

-- name: listDevelopmentPlans
-- sort: id = p.id AS id
-- sort: -id = p.id DESC AS id
SELECT p.*
FROM   development_plan_entry p
WHERE  p._unit_path <@ ANY (:actor_units::ltree[])
/*? nip */ AND p._asn_id = (SELECT asn_of_nip(:nip)) /*? */
/*? superior_nip */ AND p._superior_id = (SELECT asn_of_nip(:superior_nip)) /*? */
/*? year */ AND p.year = :year /*? */
/*? state */ AND p.state = :state /*? */
/*? under */ AND p._unit_path <@ (SELECT n.path FROM unit n WHERE n.id = :under) /*? */
/* page */

-- name: getDevelopmentPlan
SELECT p.*, development_plan_told(p.id) AS lines
FROM   development_plan_entry p
WHERE  p.id = :plan_id AND p._unit_path <@ ANY (:actor_units::ltree[])

-- The superior need not be of the caller's units, if he leads the person: whoever decides may stand above them.
-- name: createDevelopmentPlan
WITH who AS (
    SELECT a.id, a.nip, a.name, a.unit_id FROM asn a JOIN unit u ON u.id = a.unit_id
    WHERE  a.id = (SELECT asn_of_nip(:nip)) AND u.path <@ ANY (:actor_units::ltree[])
), superior AS (
    SELECT n.id, n.nip, n.name FROM asn_named n
    WHERE  n.id = (SELECT asn_of_nip(:superior_nip)) AND superior_known(n.id, (SELECT w.id FROM who w), :actor_units::ltree[], :today::date)
), fault AS (
    SELECT CASE WHEN NOT EXISTS (SELECT FROM who) THEN '/nip'
                WHEN :superior_nip::text IS NOT NULL AND NOT EXISTS (SELECT FROM superior) THEN '/superior_nip' END AS pointer
), made AS (
    INSERT INTO development_plan (id, asn_id, year, superior_id, superior_name, actor_key, actor_name)
    SELECT :new_id, w.id, (:year::numeric)::integer, (SELECT s.id FROM superior s), :superior_name, :actor_key, :actor_name
    FROM   who w, fault f
    WHERE  f.pointer IS NULL
    RETURNING *
)
SELECT CASE WHEN f.pointer IS NOT NULL THEN 'reference-missing' END AS _problem, f.pointer AS _pointer,
       m.id, w.nip, w.name, w.unit_id, m.year, s.nip AS superior_nip, coalesce(s.name, m.superior_name) AS superior_name, m.state, m.reason, 0 AS target_jp,
       0 AS cost, m.actor_name, m.version, m.created_at, m.updated_at, '[]'::json AS lines
FROM   fault f LEFT JOIN made m ON true LEFT JOIN who w ON true LEFT JOIN superior s ON true

-- name: updateDevelopmentPlan
-- write: true
WITH cur AS (
    SELECT p.id, p.version, p.state, (SELECT n.id FROM asn_named n
                                      WHERE  n.id = (SELECT asn_of_nip(:body::jsonb ->> 'superior_nip'))
                                             AND superior_known(n.id, p.asn_id, :actor_units::ltree[], :today::date)) AS superior_id
    FROM   development_plan p JOIN asn a ON a.id = p.asn_id JOIN unit u ON u.id = a.unit_id
    WHERE  p.id = :plan_id AND u.path <@ ANY (:actor_units::ltree[])
    FOR    UPDATE OF p
), want AS (
    SELECT c.*, CASE WHEN NOT :if_match::int8multirange @> c.version THEN 'version-stale'
                     WHEN c.state NOT IN ('draft', 'returned') THEN 'plan-fixed'
                     WHEN :body::jsonb ->> 'superior_nip' IS NOT NULL AND c.superior_id IS NULL THEN 'reference-missing' END AS problem
    FROM   cur c
), done AS (
    UPDATE development_plan p
    SET    superior_id = w.superior_id, superior_name = :body::jsonb ->> 'superior_name', actor_key = :actor_key, actor_name = :actor_name
    FROM   want w
    WHERE  p.id = w.id AND w.problem IS NULL
    RETURNING p.*
)
SELECT w.problem AS _problem, CASE w.problem WHEN 'reference-missing' THEN '/superior_nip' END AS _pointer,
       p.id, e.nip, e.name, e.unit_id, p.year, s.nip AS superior_nip, coalesce(s.name, p.superior_name) AS superior_name, p.state, p.reason, e.target_jp, e.cost,
       p.actor_name, p.version, p.created_at, p.updated_at, development_plan_told(p.id) AS lines
FROM   want w LEFT JOIN done p ON true LEFT JOIN development_plan_entry e ON e.id = p.id LEFT JOIN asn_named s ON s.id = p.superior_id

-- name: putDevelopmentPlanLines
-- write: true
SELECT w.problem AS _problem, w.pointer AS _pointer, w.value AS _value, (w.entry).*, development_plan_told(:plan_id) AS lines
FROM   development_plan_lines_set(:plan_id, :actor_units::ltree[], :if_match::int8multirange, :body::jsonb -> 'lines', :actor_key, :actor_name) w

-- name: putPlanLineCourses
-- write: true
SELECT w.problem AS _problem, w.pointer AS _pointer, w.value AS _value, (w.entry).*, development_plan_told(:plan_id) AS lines
FROM   development_plan_courses_set(:plan_id, (:line::numeric)::integer, :actor_units::ltree[], :if_match::int8multirange,
                                    ARRAY(SELECT jsonb_array_elements_text(:body::jsonb -> 'courses')::uuid), :actor_key, :actor_name) w

-- name: submitDevelopmentPlan
-- write: true
SELECT w.problem AS _problem, w.pointer AS _pointer, w.value AS _value, (w.entry).*, development_plan_told(:plan_id) AS lines
FROM   development_plan_act(:plan_id, :actor_units::ltree[], :if_match::int8multirange, 'submitted', NULL, :actor_key, :actor_name) w

-- name: approveDevelopmentPlan
-- write: true
SELECT coalesce(f.problem, w.problem) AS _problem, w.pointer AS _pointer, w.value AS _value, (w.entry).*, development_plan_told(:plan_id) AS lines
FROM   (SELECT p.id, development_plan_judge_fault(p, :actor_nip) AS problem
        FROM   development_plan p JOIN asn a ON a.id = p.asn_id JOIN unit u ON u.id = a.unit_id
        WHERE  p.id = :plan_id AND u.path <@ ANY (:actor_units::ltree[]) FOR UPDATE OF p) f
LEFT   JOIN LATERAL development_plan_act(CASE WHEN f.problem IS NULL THEN f.id END, :actor_units::ltree[], :if_match::int8multirange, 'approved', NULL, :actor_key,
                                         :actor_name) w ON true
WHERE  f.problem IS NOT NULL OR w.problem IS NOT NULL OR (w.entry).id IS NOT NULL

-- name: returnDevelopmentPlan
-- write: true
SELECT coalesce(f.problem, w.problem) AS _problem, w.pointer AS _pointer, w.value AS _value, (w.entry).*, development_plan_told(:plan_id) AS lines
FROM   (SELECT p.id, development_plan_judge_fault(p, :actor_nip) AS problem
        FROM   development_plan p JOIN asn a ON a.id = p.asn_id JOIN unit u ON u.id = a.unit_id
        WHERE  p.id = :plan_id AND u.path <@ ANY (:actor_units::ltree[]) FOR UPDATE OF p) f
LEFT   JOIN LATERAL development_plan_act(CASE WHEN f.problem IS NULL THEN f.id END, :actor_units::ltree[], :if_match::int8multirange, 'returned', :reason, :actor_key,
                                         :actor_name) w ON true
WHERE  f.problem IS NOT NULL OR w.problem IS NOT NULL OR (w.entry).id IS NOT NULL

-- name: listDevelopmentPlanSteps
-- sort: seq = s.seq AS seq
-- sort: -seq = s.seq DESC AS seq
SELECT s.seq, s."from", s."to", s.reason, s.document, s.sha256, s.sha256 = skp_seal(s.document) AS is_intact, s.actor_name, s.at
FROM   development_plan_step s JOIN development_plan_entry p ON p.id = s.plan_id
WHERE  s.plan_id = :plan_id AND p._unit_path <@ ANY (:actor_units::ltree[])
/* page */

-- name: getDevelopmentPlanRealisation
WITH done AS (
    SELECT r.* FROM development_plan_realised(:plan_id) r
)
SELECT p.id AS plan_id, p.nip, p.name, p.year, p.state, p.target_jp,
       (SELECT trim_scale(coalesce(sum(d.counted_jp), 0)) FROM done d WHERE d."position" IS NOT NULL) AS realised_jp,
       (SELECT trim_scale(coalesce(sum(d.counted_jp), 0)) FROM done d WHERE d."position" IS NULL) AS unplanned_jp,
       (SELECT coalesce(json_agg(json_build_object(
                   'position', l.position, 'competency', l.competency, 'target_jp', l.target_jp, 'realised_jp', trim_scale(t.jp),
                   'standing', CASE WHEN t.jp >= l.target_jp THEN 'done' WHEN t.jp > 0 THEN 'partly' WHEN t.under_way THEN 'under_way' ELSE 'open' END,
                   'trainings', t.trainings) ORDER BY l.position), '[]')
        FROM   development_plan_line l
        CROSS  JOIN LATERAL (SELECT coalesce(sum(d.counted_jp), 0) AS jp, coalesce(bool_or(d.state IS NOT NULL), false) AS under_way,
                                    coalesce(json_agg(json_build_object('source', d.source, 'source_id', d.source_id, 'name', d.name, 'last_day', d.last_day,
                                                                        'state', d.state, 'counted_jp', trim_scale(d.counted_jp), 'rule', d.rule)
                                                      ORDER BY d.last_day, d.source_id), '[]') AS trainings
                             FROM   done d WHERE d."position" = l.position) t
        WHERE  l.plan_id = p.id) AS lines
FROM   development_plan_entry p
WHERE  p.id = :plan_id AND p._unit_path <@ ANY (:actor_units::ltree[])
