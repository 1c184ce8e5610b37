-- Import of people and units. The stage holds one batch: all fields are text, NULL = the file does not say, '' = it says: empty.

-- name: importAsn.stage
CREATE TEMPORARY TABLE IF NOT EXISTS import_stage_asn (
    place bigint, line bigint, is_refused boolean,
    nip text, kind text, name text, title_front text, title_back text, birth_date text, birth_place text, sex text, nik text,
    unit_code text, unit_id text, unit_name text, position_kind text, "position" text, echelon text, rank text, rank_since text,
    education_level text, education text, legal_status text, email text, phone text, appointed_on text, siasn_id text,
    id uuid, nip_birth_date date, nip_sex text, nip_appointed_on date, warnings text[], checked text[]
) ON COMMIT DELETE ROWS

-- Whoever has the row's id in SIASN is meant, whatever number the row has: the row gets the number of today (another one comes by the history of NIPs).
-- An id and a number of two different people are a fault, as is an id told of two numbers; those rows are not taken. Before the merge.
-- name: importAsn.known
WITH told AS (
    SELECT s.place, s.nip, s.siasn_id, e.asn_id AS holder, asn_of_nip(s.nip) AS named, a.nip AS held_nip, u.path <@ ANY (:actor_units::ltree[]) AS is_ours,
           first_value(coalesce(a.nip, s.nip)) OVER same <> coalesce(a.nip, s.nip) AS is_of_two, first_value(s.line) OVER same AS first_line
    FROM   import_stage_asn s
    LEFT   JOIN external_id e ON e.system = 'siasn' AND e.value = s.siasn_id
    LEFT   JOIN asn a ON a.id = e.asn_id
    LEFT   JOIN unit u ON u.id = a.unit_id
    WHERE  NOT s.is_refused AND s.siasn_id <> ''
    WINDOW same AS (PARTITION BY s.siasn_id ORDER BY s.place)
), judged AS (
    SELECT t.*, CASE WHEN NOT t.is_ours OR t.named <> t.holder THEN 'external-id-taken' WHEN t.is_of_two THEN 'duplicate-id' END AS fault FROM told t
), noted AS (
    UPDATE import_stage_asn s
    SET    nip = CASE WHEN j.fault IS NULL THEN coalesce(j.held_nip, s.nip) ELSE s.nip END, is_refused = j.fault IS NOT NULL
    FROM   judged j
    WHERE  s.place = j.place AND (j.fault IS NOT NULL OR j.held_nip <> s.nip)
)
SELECT j.place, 'siasn_id' AS "column", j.fault AS code, j.siasn_id AS value, CASE j.fault WHEN 'duplicate-id' THEN j.first_line END AS told
FROM   judged j
WHERE  j.fault IS NOT NULL

-- Behind the merge, of the rows that were taken (left: those that are still to be). How many records are changed by their id alone.
-- name: importAsn.ids
WITH told AS MATERIALIZED (
    SELECT a.id, s.siasn_id, a.updated_at = now() AS is_counted
    FROM   import_stage_asn s
    JOIN   import_seen n ON n.key = s.nip AND n.line = s.line
    JOIN   asn a ON a.nip = s.nip
    WHERE  NOT s.is_refused AND s.siasn_id <> '' AND s.place <> ALL (:left::bigint[])
), put AS (
    INSERT INTO external_id AS e (asn_id, system, value)
    SELECT t.id, 'siasn', t.siasn_id FROM told t ORDER BY t.id
    ON     CONFLICT (asn_id, system) DO UPDATE SET value = excluded.value, updated_at = now() WHERE e.value <> excluded.value
    RETURNING e.asn_id
)
SELECT count(*) FILTER (WHERE NOT t.is_counted) AS updated FROM put p JOIN told t ON t.id = p.asn_id

-- The NIK of a new record is sealed for it; that of one who is there already must be for him, unless it is his.
-- name: importAsn.strange
SELECT s.place, a.id, s.nik
FROM   import_stage_asn s
CROSS  JOIN LATERAL (SELECT a.id, a.nik FROM asn a WHERE a.nip = s.nip LIMIT 1) a
WHERE  nik_is_sealed(s.nik) AND NOT nik_is_held(s.nik, a.id) AND nik_key(s.nik) IS DISTINCT FROM nik_key(a.nik)

-- name: importAsn.held
-- write: true
UPDATE import_stage_asn s SET nik = n.nik FROM unnest(:places::bigint[], :niks::text[]) AS n (place, nik) WHERE s.place = n.place RETURNING s.place

-- What a row says is laid over the record that is there; what that gives is judged; what stands, and is new or changed, is stored. Warnings
-- about what the file does not tell stay as they are. LATERAL with LIMIT keeps these look-ups by index, however large the tables become
-- while the file is read. A record that was changed, or came, after it was looked up (or after its NIK was sealed for it) is left alone: its row is `moved`. So is a row about somebody
-- whom an earlier one of the batch is about: what that one left is not there yet. Of all others the stage is then cleared (importAsn.rest), so that the
-- same statement can be run again for these, which importAsn.lock holds still meanwhile. What an earlier line told of somebody stands: a later one that says
-- the same changes nothing, and one that does not is refused.
-- name: importAsn.merge
-- timeout: 60000
WITH laid AS (
    SELECT s.place, s.line, s.is_refused, s.nip, s.kind, s.name, coalesce(a.id, s.id) AS id,
           nullif(coalesce(s.title_front, a.title_front), '') AS title_front,
           nullif(coalesce(s.title_back, a.title_back), '') AS title_back,
           coalesce(s.birth_date::date, a.birth_date, s.nip_birth_date) AS birth_date,
           nullif(coalesce(s.birth_place, a.birth_place), '') AS birth_place,
           coalesce(s.sex, a.sex, s.nip_sex) AS sex,
           CASE WHEN nik_key(s.nik) = nik_key(a.nik) THEN a.nik ELSE nullif(coalesce(s.nik, a.nik), '') END AS nik,
           nullif(coalesce(s.position_kind, a.position_kind), '') AS position_kind,
           nullif(coalesce(s."position", a."position"), '') AS "position",
           nullif(coalesce(s.echelon, a.echelon), '') AS echelon,
           nullif(coalesce(s.rank, a.rank), '') AS rank,
           nullif(coalesce(s.rank_since, a.rank_since::text), '')::date AS rank_since,
           nullif(coalesce(s.education_level, a.education_level), '') AS education_level,
           nullif(coalesce(s.education, a.education), '') AS education,
           coalesce(s.legal_status, a.legal_status,
                    CASE s.kind WHEN 'PPPK' THEN '71' WHEN 'PPPK_PARUH_WAKTU' THEN '72' ELSE '01' END) AS legal_status,
           nullif(coalesce(s.email, a.email), '') AS email,
           nullif(coalesce(s.phone, a.phone), '') AS phone,
           coalesce(s.appointed_on::date, a.appointed_on, s.nip_appointed_on) AS appointed_on,
           CASE WHEN a.id IS NULL OR s.checked IS NULL THEN s.warnings
                ELSE ARRAY(SELECT w FROM unnest(s.warnings) w WHERE w = ANY (s.checked)
                           UNION SELECT w FROM unnest(a.warnings) w WHERE w <> ALL (s.checked)
                           ORDER BY 1) END AS warnings,
           coalesce(s.unit_code, s.unit_id, s.unit_name) AS unit_told,
           CASE WHEN s.unit_code IS NOT NULL THEN 'unit_code' WHEN s.unit_id IS NOT NULL THEN 'unit_id' ELSE 'unit_name' END AS unit_column,
           u.id AS unit_id, u.is_active, u.closed_on, u.n AS n_units,
           a.rec AS old, a.is_ours, e.line AS seen_line,
           e.line IS NOT NULL AND s.siasn_id <> '' AND NOT EXISTS (SELECT FROM external_id x WHERE x.asn_id = a.id AND x.system = 'siasn' AND x.value = s.siasn_id) AS is_id_other
    FROM   import_stage_asn s
    LEFT   JOIN LATERAL (
               SELECT u.id, u.is_active, u.closed_on, 1 AS n FROM unit u
               WHERE  u.code = s.unit_code AND u.path <@ ANY (:actor_units::ltree[])
               UNION ALL
               SELECT u.id, u.is_active, u.closed_on, 1 FROM unit u
               WHERE  s.unit_code IS NULL AND u.id = s.unit_id::uuid AND u.path <@ ANY (:actor_units::ltree[])
               UNION ALL
               (SELECT min(u.id::text)::uuid, bool_and(u.is_active), max(u.closed_on), count(*) FROM unit u
                WHERE  coalesce(s.unit_code, s.unit_id) IS NULL AND u.name_key = name_key(s.unit_name)
                  AND  u.path <@ ANY (:actor_units::ltree[])
                GROUP  BY u.closed_on IS NULL
                ORDER  BY u.closed_on IS NULL DESC) -- of units of one name, those that are there
               LIMIT  1) u ON true
    LEFT   JOIN LATERAL (
               SELECT a.*, a AS rec,
                      (SELECT n.path <@ ANY (:actor_units::ltree[]) FROM unit n WHERE n.id = a.unit_id) AS is_ours
               FROM   asn a WHERE a.nip = s.nip LIMIT 1) a ON true
    LEFT   JOIN LATERAL (SELECT e.line FROM import_seen e WHERE e.key = s.nip AND e.line <> s.line LIMIT 1) e ON true
), held AS MATERIALIZED (
    SELECT r.asn_id FROM restriction r
    WHERE  restriction_binds() AND r.starts <= local_today() AND (r.ends IS NULL OR r.ends > local_today())
), judged AS (
    SELECT l.*, (l.kind, l.name, l.title_front, l.title_back, l.birth_date, l.birth_place, l.sex, l.nik, l.unit_id, l.position_kind, l."position", l.echelon, l.rank,
                 l.rank_since, l.education_level, l.education, l.legal_status, l.email, l.phone, l.appointed_on)
                IS DISTINCT FROM
                ((l.old).kind, (l.old).name, (l.old).title_front, (l.old).title_back, (l.old).birth_date, (l.old).birth_place, (l.old).sex, (l.old).nik,
                 (l.old).unit_id, (l.old).position_kind, (l.old)."position", (l.old).echelon, (l.old).rank, (l.old).rank_since, (l.old).education_level,
                 (l.old).education, (l.old).legal_status, (l.old).email, (l.old).phone, (l.old).appointed_on) AS is_differing,
           count(*) FILTER (WHERE l.seen_line IS NULL AND NOT l.is_refused)
               OVER (PARTITION BY l.nip ORDER BY l.place ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) > 0 AS is_later,
           CASE WHEN l.unit_told IS NULL THEN NULL
                WHEN l.unit_id IS NULL THEN 'unit-unknown'
                WHEN l.n_units > 1 THEN 'unit-ambiguous'
                WHEN l.closed_on IS NOT NULL AND l.unit_id IS DISTINCT FROM (l.old).unit_id THEN 'unit-closed'
                WHEN NOT l.is_active AND l.unit_id IS DISTINCT FROM (l.old).unit_id THEN 'unit-inactive' END AS unit_fault,
           CASE WHEN l.rank IS NOT NULL AND l.kind IS NOT NULL AND NOT EXISTS (
                         SELECT FROM rank r
                         WHERE  r.kind = CASE WHEN l.kind IN ('PNS', 'CPNS') THEN 'PNS' ELSE 'PPPK' END AND r.code = l.rank)
                THEN 'rank-unknown'
                WHEN l.rank IS NOT NULL AND (l.rank, l.rank_since) IS DISTINCT FROM ((l.old).rank, (l.old).rank_since) AND asn_rank_behind((l.old).id, l.rank, l.rank_since)
                THEN 'history-disagrees' END AS rank_fault,
           CASE WHEN l.is_ours IS FALSE
                     OR l.is_ours IS NULL AND (l.nip IN (SELECT t.nip FROM nip_taken t) OR (SELECT n.id FROM asn_named n WHERE n.nip = l.nip) IS NOT NULL) THEN 'nip-taken' -- not EXISTS: its plan takes in everybody's
                WHEN (l.old).id = (SELECT asn_of_nip(:actor_nip::text)) THEN 'own-record'
                WHEN (l.old).id IN (SELECT h.asn_id FROM held h) THEN 'restricted' END AS nip_fault
    FROM   laid l
), numbered AS (
    SELECT j.*, coalesce(j.nip_fault, CASE WHEN j.seen_line IS NOT NULL AND NOT j.is_later AND (j.is_differing OR j.is_id_other) THEN 'duplicate-row' END) AS number_fault FROM judged j
), candidate AS (
    SELECT j.*, row_number() OVER (PARTITION BY j.nip ORDER BY j.place) AS nth
    FROM   numbered j
    WHERE  NOT j.is_refused AND coalesce(j.unit_fault, j.rank_fault, j.number_fault) IS NULL
), seen AS (
    INSERT INTO import_seen (key, line) SELECT c.nip, c.line FROM candidate c WHERE c.nth = 1 ON CONFLICT DO NOTHING
), differing AS (
    SELECT c.*
    FROM   candidate c
    WHERE  c.nth = 1 AND ((c.old).id IS NULL OR c.is_differing)
), stored AS (
    INSERT INTO asn AS t (id, nip, kind, name, title_front, title_back, birth_date, birth_place, sex, nik, unit_id, position_kind, "position",
                          echelon, rank, rank_since, education_level, education, legal_status, email, phone, appointed_on, warnings, version)
    SELECT d.id, d.nip, d.kind, d.name, d.title_front, d.title_back, d.birth_date, d.birth_place, d.sex, d.nik, d.unit_id, d.position_kind,
           d."position", d.echelon, d.rank, d.rank_since, d.education_level, d.education, d.legal_status, d.email, d.phone, d.appointed_on,
           d.warnings, coalesce((d.old).version, 1)
    FROM   differing d
    WHERE  nik_is_held(d.nik, d.id)
    ORDER  BY d.nip
    ON CONFLICT (nip) DO UPDATE
    SET    kind = excluded.kind, name = excluded.name, title_front = excluded.title_front, title_back = excluded.title_back,
           birth_date = excluded.birth_date, birth_place = excluded.birth_place, sex = excluded.sex, nik = excluded.nik,
           unit_id = excluded.unit_id, position_kind = excluded.position_kind, "position" = excluded."position",
           echelon = excluded.echelon, rank = excluded.rank, rank_since = excluded.rank_since, education_level = excluded.education_level,
           education = excluded.education, legal_status = excluded.legal_status, email = excluded.email, phone = excluded.phone,
           appointed_on = excluded.appointed_on, warnings = excluded.warnings
    WHERE  (t.id, t.version) = (excluded.id, excluded.version)
    RETURNING t.nip, t.xmax = 0 AS is_new
), moved AS (
    SELECT d.place FROM differing d WHERE d.nip NOT IN (SELECT t.nip FROM stored t)
    UNION ALL
    SELECT c.place FROM candidate c WHERE c.nth > 1 AND c.is_later
), named AS MATERIALIZED (
    SELECT w.told, CASE w.unit_column WHEN 'unit_code' THEN unit_meant(w.told, :actor_units::ltree[]) WHEN 'unit_name' THEN unit_name_meant(w.told, :actor_units::ltree[]) END AS meant,
           w.unit_column
    FROM   (SELECT DISTINCT j.unit_told AS told, j.unit_column FROM judged j WHERE j.unit_fault = 'unit-unknown' LIMIT 200) w
)
SELECT f.place, f."column", f.code, f.value, f.told, NULL::bigint AS created, NULL::bigint AS updated, NULL::bigint[] AS moved, f.suggestion
FROM  (SELECT j.place, v.*,
              CASE v.code WHEN 'unit-closed' THEN (SELECT CASE j.unit_column WHEN 'unit_code' THEN h.code WHEN 'unit_id' THEN h.id::text ELSE h.name END
                                                   FROM   unit h WHERE h.id = unit_heir(j.unit_id, :actor_units::ltree[]))
                          WHEN 'unit-unknown' THEN (SELECT n.meant FROM named n WHERE (n.told, n.unit_column) = (j.unit_told, j.unit_column)) END AS suggestion
       FROM   numbered j
       CROSS  JOIN LATERAL (VALUES ('nip', j.number_fault, j.nip, CASE j.number_fault WHEN 'duplicate-row' THEN j.seen_line END),
                                   (j.unit_column, j.unit_fault, j.unit_told, NULL), ('rank', j.rank_fault, j.rank, NULL)) AS v ("column", code, value, told)
       WHERE  v.code IS NOT NULL) f
UNION ALL
SELECT NULL, NULL, NULL, NULL, NULL, count(*) FILTER (WHERE is_new), count(*) FILTER (WHERE NOT is_new), (SELECT array_agg(m.place) FROM moved m), NULL
FROM   stored
ORDER BY place NULLS LAST

-- What is left to be done, once the ids of the others are put.
-- name: importAsn.rest
DELETE FROM import_stage_asn s WHERE s.place <> ALL (:left::bigint[])

-- In the order in which the merge stores, so that two imports never wait for each other in a batch.
-- name: importAsn.lock
SELECT FROM asn a WHERE a.nip IN (SELECT s.nip FROM import_stage_asn s) ORDER BY a.nip FOR NO KEY UPDATE

-- name: importUnits.stage
CREATE TEMPORARY TABLE IF NOT EXISTS import_stage_unit (
    place bigint, line bigint, is_refused boolean, code text, name text, kind text, parent_code text, is_active text, "from" text,
    decree_number text, decree_date text, agency text, head_position text, id uuid
) ON COMMIT DELETE ROWS

-- What the file says of each unit, and what is thought of it. `level`: how deep it will stand.
-- name: importUnitsPlan.stage
CREATE TEMPORARY TABLE IF NOT EXISTS import_plan_unit (
    place bigint, line bigint, is_refused boolean, code text, id uuid, parent_id uuid, parent_code text, name text, kind text, is_active boolean,
    is_new boolean, is_moved boolean, is_earlier boolean, level integer, agency text, head_position text, act jsonb, "column" text, fault text, value text, told text,
    suggestion text
) ON COMMIT DELETE ROWS

-- Nobody moves, makes or renames a unit between judging and storing, and the versions are written at its end (importUnits.tell) …
-- name: importUnits.lock
-- write: true
SELECT pg_advisory_xact_lock(1918, 1), set_config('asnd.unit_writing', 'on', true)

-- … nor changes one that the file speaks of.
-- name: importUnits.lockRows
SELECT FROM unit u WHERE u.code IN (SELECT s.code FROM import_stage_unit s) ORDER BY u.id FOR NO KEY UPDATE

-- Row by row: whose unit it is, and which one is meant above it: of the file, of the database, or one that the file tried to make in vain. A day
-- told (`from`) must not lie before what is known already, nor before the unit above was there. The same row once more says nothing.
-- name: importUnits.plan
-- timeout: 60000
INSERT INTO import_plan_unit (place, line, is_refused, code, id, parent_id, parent_code, name, kind, is_active, is_new, is_moved, is_earlier, agency,
                              head_position, act, "column", fault, value, told, suggestion)
WITH mine AS (
    SELECT s.*, coalesce(nullif(s."from", '')::date, local_today()) AS day, u.id AS old_id, u.path AS old_path, u.parent_id AS old_parent_id,
           u.is_active AS old_is_active, u.agency AS old_agency, u.head_position AS old_head_position, u.closed_on, e.line AS seen_line,
           (SELECT max(lower(v.valid)) FROM unit_version v WHERE v.unit_id = u.id) AS last_day,
           (SELECT min(lower(v.valid)) FROM unit_version v WHERE v.unit_id = u.id) AS first_day, (u.name, u.kind) AS old_words,
           row_number() OVER same AS nth, first_value(s.line) OVER same AS first_line,
           row(s.name, s.kind, s.parent_code, s.is_active, s."from", s.decree_number, s.decree_date, s.agency, s.head_position)::text AS words
    FROM   import_stage_unit s
    LEFT   JOIN unit u ON u.code = s.code
    LEFT   JOIN import_seen e ON e.key = s.code
    WINDOW same AS (PARTITION BY s.code, s.is_refused ORDER BY s.place)
), own AS (
    SELECT m.*, coalesce(m.old_id, m.id) AS unit_id,
           CASE WHEN m.old_id IS NOT NULL AND NOT m.old_path <@ ANY (:actor_units::ltree[]) THEN 'unit-code-taken'
                WHEN NOT m.is_refused AND (m.nth > 1 AND m.words <> m.first_words OR m.seen_line IS NOT NULL) THEN 'duplicate-row' END AS code_fault
    FROM   (SELECT m.*, first_value(m.words) OVER (PARTITION BY m.code, m.is_refused ORDER BY m.place) AS first_words FROM mine m) m
    WHERE  m.nth = 1 OR m.is_refused OR m.words <> m.first_words OR m.seen_line IS NOT NULL
), above AS (
    SELECT DISTINCT ON (o.code) o.code, o.unit_id, o.is_refused, least(o.first_day, CASE WHEN o.first_day IS NULL OR o."from" <> '' THEN o.day END) AS first_day
    FROM   own o
    WHERE  o.code_fault IS NULL
    ORDER  BY o.code, o.is_refused, o.place
), linked AS (
    SELECT o.*,
           CASE WHEN o.parent_code IS NULL THEN o.old_parent_id
                WHEN o.parent_code <> '' THEN coalesce(CASE WHEN NOT a.is_refused THEN a.unit_id END, d.id, a.unit_id) END AS new_parent_id,
           coalesce(CASE WHEN NOT a.is_refused THEN a.first_day END, (SELECT min(lower(v.valid)) FROM unit_version v WHERE v.unit_id = d.id)) AS above_day,
           d.closed_on AS above_closed
    FROM   own o
    LEFT   JOIN above a ON a.code = o.parent_code
    LEFT   JOIN unit d ON d.code = o.parent_code AND (d.path <@ ANY (:actor_units::ltree[]) OR d.id = o.old_parent_id)
), wanted AS (
    SELECT l.*, coalesce(nullif(l.is_active, '')::boolean, l.old_is_active, true) AS new_is_active,
           CASE WHEN l.new_parent_id IS NULL THEN coalesce(nullif(l.agency, ''), l.old_agency) END AS new_agency,
           coalesce(nullif(l.head_position, ''), l.old_head_position) AS new_head_position,
           l.old_id IS NULL OR l.new_parent_id IS DISTINCT FROM l.old_parent_id AS is_placed
    FROM   linked l
), judged AS (
    SELECT w.*, h.code AS heir_code,
           CASE WHEN w.is_refused THEN NULL
                WHEN w.parent_code <> '' AND w.new_parent_id IS NULL THEN 'unit-unknown'
                WHEN w.is_placed AND w.above_closed IS NOT NULL THEN 'unit-closed'
                WHEN w.new_parent_id IS NULL AND (w.old_id IS NULL OR w.old_parent_id IS NOT NULL)
                     AND NOT ''::ltree = ANY (:actor_units::ltree[]) THEN 'root-forbidden' END AS parent_fault,
           CASE WHEN w.is_refused OR NOT k.is_changed THEN NULL
                WHEN w.closed_on IS NOT NULL THEN 'unit-closed' END AS closed_fault,
           CASE WHEN w.is_refused OR NOT k.is_changed THEN NULL
                WHEN w.day > local_today() THEN 'day-ahead'
                WHEN w.day < w.last_day THEN 'unit-order'
                WHEN w.is_placed AND w.day < w.above_day THEN 'unit-absent' END AS changed_fault,
           coalesce(NOT w.is_refused AND NOT k.is_changed AND w."from" <> '' AND w.day < w.first_day, false) AS is_earlier,
           CASE WHEN w.is_refused OR w.new_agency IS NULL THEN NULL
                WHEN EXISTS (SELECT FROM unit r WHERE r.agency = w.new_agency AND r.closed_on IS NULL AND r.id <> w.unit_id)
                     OR 1 < (SELECT count(*) FROM wanted o WHERE o.new_agency = w.new_agency AND NOT o.is_refused AND o.code_fault IS NULL)
                THEN 'unit-agency-taken' END AS agency_fault
    FROM   wanted w
    CROSS  JOIN LATERAL (SELECT w.is_placed OR (w.name, w.kind) IS DISTINCT FROM w.old_words OR (w.new_is_active, w.new_agency, w.new_head_position)
                                IS DISTINCT FROM (w.old_is_active, w.old_agency, w.old_head_position) AS is_changed) k
    LEFT   JOIN unit h ON h.id = CASE WHEN w.closed_on IS NOT NULL THEN unit_heir(w.old_id, :actor_units::ltree[])
                                      WHEN w.above_closed IS NOT NULL THEN unit_heir(w.new_parent_id, :actor_units::ltree[]) END
), meant AS MATERIALIZED (
    SELECT w.told, unit_meant(w.told, :actor_units::ltree[]) AS code
    FROM   (SELECT DISTINCT j.parent_code AS told FROM judged j WHERE j.parent_fault = 'unit-unknown' LIMIT 200) w
), dated AS (
    SELECT j.*, coalesce(j.changed_fault, CASE WHEN j.is_earlier AND j.day < j.above_day THEN 'unit-absent' END) AS day_fault FROM judged j
)
SELECT j.place, j.line, j.is_refused, j.code, j.unit_id, j.new_parent_id, j.parent_code, j.name, j.kind, j.new_is_active, j.old_id IS NULL, j.is_placed,
       j.is_earlier, j.new_agency, j.new_head_position,
       jsonb_strip_nulls(jsonb_build_object('day', j.day, 'decree_number', nullif(j.decree_number, ''), 'decree_date', nullif(j.decree_date, ''))),
       f."column", f.fault, f.value, f.told,
       CASE f.fault WHEN 'unit-closed' THEN j.heir_code WHEN 'unit-unknown' THEN (SELECT m.code FROM meant m WHERE m.told = j.parent_code) END
FROM   dated j
LEFT   JOIN LATERAL (SELECT v.*
                     FROM  (VALUES (1, 'code', coalesce(j.code_fault, j.closed_fault), j.code,
                                    CASE j.code_fault WHEN 'duplicate-row' THEN coalesce(j.seen_line, j.first_line)::text END),
                                   (2, 'parent_code', j.parent_fault, j.parent_code, NULL),
                                   (3, 'from', j.day_fault, j."from", CASE j.day_fault WHEN 'unit-order' THEN j.last_day::text
                                                                                      WHEN 'unit-absent' THEN j.above_day::text END),
                                   (4, 'agency', j.agency_fault, j.agency, NULL)) AS v (rank, "column", fault, value, told)
                     WHERE  v.fault IS NOT NULL
                     ORDER  BY v.rank LIMIT 1) f ON true

-- The tree as it would become: the file's word for the units that it may still speak of, the database's for all others. Walked from the
-- roots, each unit gets its level; what is not reached hangs on itself, or on such a circle, or stands too deep. Of a circle each move in it
-- is to blame; of what is too deep, that move which is nearest above it. What is refused stays where it was, which may change what the rest
-- comes to: so this is run until it finds nothing more.
-- name: importUnits.judge
-- timeout: 60000
WITH RECURSIVE lost AS (
    SELECT p.id FROM import_plan_unit p WHERE p.is_new AND (p.is_refused OR p.fault IS NOT NULL)
    UNION
    SELECT p.id FROM lost l JOIN import_plan_unit p ON p.parent_id = l.id WHERE p.is_new AND NOT p.is_refused AND p.fault IS NULL
), good AS (
    SELECT p.* FROM import_plan_unit p
    WHERE  NOT p.is_refused AND p.fault IS NULL AND (p.parent_id IS NULL OR p.parent_id NOT IN (SELECT l.id FROM lost l))
), node AS (
    SELECT g.id, g.parent_id, g.is_moved, g.place FROM good g
    UNION  ALL
    SELECT u.id, u.parent_id, false, NULL FROM unit u WHERE u.id NOT IN (SELECT g.id FROM good g)
), walk AS (
    SELECT n.id, 1 AS level FROM node n WHERE n.parent_id IS NULL
    UNION  ALL
    SELECT n.id, w.level + 1 FROM walk w JOIN node n ON n.parent_id = w.id WHERE w.level <= 16
), sunk AS (
    SELECT w.id FROM walk w WHERE w.level > 16
    UNION
    SELECT n.parent_id FROM sunk s JOIN node n ON n.id = s.id WHERE NOT n.is_moved
), stray AS (
    SELECT n.* FROM node n WHERE n.id NOT IN (SELECT w.id FROM walk w)
), climb AS (
    SELECT s.id AS start, s.parent_id AS at, 1 AS steps FROM stray s WHERE s.is_moved
    UNION  ALL
    SELECT c.start, s.parent_id, c.steps + 1 FROM climb c JOIN stray s ON s.id = c.at WHERE c.at <> c.start AND c.steps < 64
), blamed AS (
    SELECT p.place, 'parent-refused' AS fault
    FROM   import_plan_unit p
    WHERE  NOT p.is_refused AND p.fault IS NULL AND p.parent_id IN (SELECT l.id FROM lost l)
    UNION  ALL
    SELECT p.place, 'parent-refused' -- it would begin before the one above, of which the file tried in vain to say that it began earlier
    FROM   good p
    JOIN   unit u ON u.id = p.parent_id
    WHERE  (p.is_moved OR p.is_earlier)
           AND (p.act ->> 'day')::date < (SELECT min(lower(v.valid)) FROM unit_version v WHERE v.unit_id = u.id)
           AND NOT EXISTS (SELECT FROM good q WHERE q.id = u.id AND q.is_earlier AND (q.act ->> 'day')::date <= (p.act ->> 'day')::date)
    UNION  ALL
    SELECT n.place, 'unit-too-deep' FROM sunk s JOIN node n ON n.id = s.id WHERE n.is_moved
    UNION  ALL
    SELECT s.place, 'unit-cycle' FROM stray s WHERE s.id IN (SELECT c.start FROM climb c WHERE c.at = c.start)
), found AS (
    SELECT b.place, b.fault FROM blamed b
    UNION  ALL -- a circle too wide to be climbed around
    SELECT s.place, 'unit-cycle' FROM stray s WHERE s.is_moved AND NOT EXISTS (SELECT FROM blamed)
), noted AS (
    UPDATE import_plan_unit p
    SET    level = w.level, fault = f.fault, "column" = 'parent_code', value = p.parent_code
    FROM   good g LEFT JOIN walk w ON w.id = g.id LEFT JOIN found f ON f.place = g.place
    WHERE  p.place = g.place
), dropped AS (
    UPDATE import_plan_unit p
    SET    fault = 'parent-refused', "column" = 'parent_code', value = p.parent_code
    WHERE  NOT p.is_refused AND p.fault IS NULL AND p.parent_id IN (SELECT l.id FROM lost l)
)
SELECT count(*) AS found FROM found

-- First every unit that was there gets the path that it will have (no trigger looks at that), so that the steps which follow move nothing
-- any more: whatever changes its place with whatever, none of them stands too deep or below itself in between.
-- name: importUnits.place
-- timeout: 60000
WITH RECURSIVE good AS (
    SELECT p.* FROM import_plan_unit p WHERE NOT p.is_refused AND p.fault IS NULL
), node AS (
    SELECT g.id, g.parent_id, replace(g.id::text, '-', '') AS label FROM good g WHERE g.is_new
    UNION  ALL
    SELECT u.id, CASE WHEN g.id IS NULL THEN u.parent_id ELSE g.parent_id END, u.label FROM unit u LEFT JOIN good g ON g.id = u.id
), walk AS (
    SELECT n.id, n.label::ltree AS path FROM node n WHERE n.parent_id IS NULL
    UNION  ALL
    SELECT n.id, w.path || n.label FROM walk w JOIN node n ON n.parent_id = w.id
)
UPDATE unit u SET path = w.path
FROM   walk w
WHERE  u.id = w.id AND u.path <> w.path AND EXISTS (SELECT FROM good g WHERE g.is_moved AND NOT g.is_new)

-- name: importUnits.make
-- timeout: 60000
INSERT INTO unit (id, code, name, kind, parent_id, is_active, agency, head_position)
SELECT p.id, p.code, p.name, p.kind, p.parent_id, p.is_active, p.agency, p.head_position
FROM   import_plan_unit p
WHERE  NOT p.is_refused AND p.fault IS NULL AND p.is_new
ORDER  BY p.level, p.place
RETURNING id

-- name: importUnits.change
-- timeout: 60000
UPDATE unit u
SET    name = p.name, kind = p.kind, parent_id = p.parent_id, is_active = p.is_active, agency = p.agency, head_position = p.head_position
FROM   import_plan_unit p
WHERE  NOT p.is_refused AND p.fault IS NULL AND NOT p.is_new AND u.id = p.id
  AND  (u.name, u.kind, u.parent_id, u.is_active, u.agency, u.head_position)
       IS DISTINCT FROM (p.name, p.kind, p.parent_id, p.is_active, p.agency, p.head_position)
RETURNING u.id

-- name: importUnits.tell
-- timeout: 60000
-- write: true
SELECT unit_follow(array_agg(p.id) FILTER (WHERE NOT p.is_earlier), array_agg(p.act) FILTER (WHERE NOT p.is_earlier)),
       unit_begin(array_agg(p.id) FILTER (WHERE p.is_earlier), array_agg(p.act) FILTER (WHERE p.is_earlier)) AS begun
FROM   import_plan_unit p
WHERE  NOT p.is_refused AND p.fault IS NULL

-- name: importUnits.faults
WITH seen AS (
    INSERT INTO import_seen (key, line) SELECT p.code, p.line FROM import_plan_unit p WHERE NOT p.is_refused AND p.fault IS NULL
)
SELECT p.place, p."column", p.fault, p.value, p.told, p.suggestion FROM import_plan_unit p WHERE p.fault IS NOT NULL ORDER BY p.place

-- Who sends a file, as the engine knows it.
