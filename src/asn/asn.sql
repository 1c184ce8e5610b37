-- Civil servants. A person is seen by whoever may see the person's unit. What contradicts the NIK tells of it, so that goes to those alone who
-- may see the NIK itself. (Written out: a sub-select for each row of a list would cost more.)

-- By NIP: unique, so that it alone is the cursor and its index gives each page in order.
-- Of q the index gets the two longest words; the rest are looked at row by row (the CASE keeps the
-- planner from thinking that they leave a single row).
-- As of another day the record is put together from the histories; who may not see the person today may not then.
-- name: listAsn
-- sort: nip = a.nip AS nip
-- sort: -nip = a.nip DESC AS nip
-- sort: name = a.name_key AS _name_key, a.nip AS nip
-- sort: -name = a.name_key DESC AS _name_key, a.nip DESC AS nip
-- sort: rank_since = coalesce(a.rank_since, '-infinity'::date) AS _rank_since, a.nip AS nip
-- sort: -rank_since = coalesce(a.rank_since, '-infinity'::date) DESC AS _rank_since, a.nip DESC AS nip
SELECT a.id, a.nip, a.kind, a.name, a.title_front, a.title_back, a.birth_date, a.birth_place, a.sex, a.nik, a.unit_id, u.name AS unit_name,
       a.position_kind, a.position, a.echelon, a.rank, a.rank_since, a.education_level, a.education, a.legal_status, a.email, a.phone,
       a.appointed_on, warnings_told(a.warnings, false) AS warnings,
       warnings_told(a.warnings, true) AS nik_warnings,
       a.version, a.created_at, a.updated_at,
       a.name_key AS _name_key, coalesce(a.rank_since, '-infinity'::date) AS _rank_since
FROM   asn /*? as_of */ AS b CROSS JOIN LATERAL asn_as_of(b, :as_of::date) /*? */ AS a
JOIN   unit u ON u.id = a.unit_id
WHERE  true
/*? as_of */ AND EXISTS (SELECT FROM unit n WHERE n.id = b.unit_id AND n.path <@ ANY (:actor_units::ltree[])) /*? */
/*? actor_units */ AND u.path <@ ANY (:actor_units::ltree[]) /*? */
/*? q */ AND a.name_key %> (SELECT name_probe(:q, 1)) AND a.name_key %> (SELECT name_probe(:q, 2))
    AND CASE WHEN (SELECT cardinality(name_words(:q)) <= 2) OR a.name_key %> ALL ((SELECT name_words(:q))::text[]) THEN true END /*? */
/*? unit_id */ AND a.unit_id = :unit_id /*? */
/*? under */ AND u.path <@ (SELECT p.path FROM unit p WHERE p.id = :under) /*? */
/*? kind */ AND a.kind = :kind /*? */
/*? rank */ AND a.rank = :rank /*? */
/*? position_kind */ AND a.position_kind = :position_kind /*? */
/*? education_level */ AND a.education_level = :education_level /*? */
/*? legal_status */ AND a.legal_status = :legal_status /*? */
/*? sex */ AND a.sex = :sex /*? */
/*? updated_since */ AND a.updated_at >= :updated_since /*? */
/* page */

-- An old NIP finds the person too, and so does that of a record that was merged.
-- name: getAsn
SELECT a.id, a.nip, a.kind, a.name, a.title_front, a.title_back, a.birth_date, a.birth_place, a.sex, a.nik, a.unit_id, u.name AS unit_name,
       a.position_kind, a.position, a.echelon, a.rank, a.rank_since, a.education_level, a.education, a.legal_status, a.email, a.phone,
       a.appointed_on, warnings_told(a.warnings, false) AS warnings,
       warnings_told(a.warnings, true) AS nik_warnings,
       a.version, a.created_at, a.updated_at
FROM   asn /*? as_of */ AS b CROSS JOIN LATERAL asn_as_of(b, :as_of::date) /*? */ AS a
JOIN   unit u ON u.id = a.unit_id
WHERE  a.nip = coalesce((SELECT n.nip FROM history h JOIN asn n ON n.id = h.asn_id
                         WHERE  h.kind = 'nip' AND NOT h.is_void AND h.facts ->> 'nip' = :nip),
                        (SELECT n.nip FROM asn_merge m JOIN asn n ON n.id = m.asn_id WHERE m.undone_at IS NULL AND m.nips @> ARRAY[:nip] LIMIT 1), :nip)
       AND u.path <@ ANY (:actor_units::ltree[])
/*? as_of */ AND EXISTS (SELECT FROM unit n WHERE n.id = b.unit_id AND n.path <@ ANY (:actor_units::ltree[])) /*? */

-- What the NIP says fills what was not given (:nip_birth_date …, derived by the check).
-- name: createAsn
WITH place AS (
    SELECT u.id, u.name FROM unit u WHERE u.id = :unit_id AND u.path <@ ANY (:actor_units::ltree[])
), made AS (
    INSERT INTO asn (id, nip, kind, name, title_front, title_back, birth_date, birth_place, sex, nik, unit_id, position_kind, position,
                     echelon, rank, rank_since, education_level, education, legal_status, email, phone, appointed_on, warnings)
    SELECT :new_id, :nip, :kind, :name, :title_front, :title_back, coalesce(:birth_date, :nip_birth_date::date), :birth_place,
           coalesce(:sex, :nip_sex::text), :nik, p.id, :position_kind, :position, :echelon, :rank, :rank_since, :education_level,
           :education,
           coalesce(:legal_status, CASE :kind::text WHEN 'PPPK' THEN '71' WHEN 'PPPK_PARUH_WAKTU' THEN '72' ELSE '01' END),
           :email, :phone, coalesce(:appointed_on, :nip_appointed_on::date), :warnings::text[]
    FROM   place p
    RETURNING *
)
SELECT CASE WHEN m.id IS NULL THEN 'reference-missing' END AS _problem, '/unit_id' AS _pointer, :unit_id::text AS _value,
       m.id, m.nip, m.kind, m.name, m.title_front, m.title_back, m.birth_date, m.birth_place, m.sex, m.nik, m.unit_id, p.name AS unit_name,
       m.position_kind, m.position, m.echelon, m.rank, m.rank_since, m.education_level, m.education, m.legal_status, m.email, m.phone,
       m.appointed_on, warnings_told(m.warnings, false) AS warnings,
       warnings_told(m.warnings, true) AS nik_warnings,
       m.version, m.created_at, m.updated_at
FROM   (SELECT) AS one LEFT JOIN made m ON true LEFT JOIN place p ON true

-- The record as it would become, locked: what the rule looks at before the change is stored.
-- name: updateAsn.merged
SELECT CASE WHEN NOT :if_match::int8multirange @> a.version THEN 'version-stale'
            WHEN NOT EXISTS (SELECT FROM unit n WHERE n.id = p.unit_id AND n.path <@ ANY (:actor_units::ltree[])) THEN 'reference-missing'
       END AS _problem,
       CASE WHEN :if_match::int8multirange @> a.version THEN '/unit_id' END AS _pointer,
       p.kind, p.birth_date, p.sex, p.appointed_on, p.nik
FROM   asn a JOIN unit u ON u.id = a.unit_id, jsonb_populate_record(a, :body::jsonb) AS p
WHERE  a.nip = :nip AND u.path <@ ANY (:actor_units::ltree[])
FOR    UPDATE OF a

-- name: updateAsn.store
UPDATE asn a
SET    (kind, name, title_front, title_back, birth_date, birth_place, sex, nik, unit_id, position_kind, position, echelon, rank, rank_since,
        education_level, education, legal_status, email, phone, appointed_on, warnings)
     = (SELECT p.kind, p.name, p.title_front, p.title_back, p.birth_date, p.birth_place, p.sex, p.nik, p.unit_id, p.position_kind,
               p.position, p.echelon, p.rank, p.rank_since, p.education_level, p.education, p.legal_status, p.email, p.phone,
               p.appointed_on, :warnings::text[]
        FROM   jsonb_populate_record(a, :body::jsonb) AS p)
WHERE  a.nip = :nip
RETURNING a.id, a.nip, a.kind, a.name, a.title_front, a.title_back, a.birth_date, a.birth_place, a.sex, a.nik, a.unit_id,
          (SELECT u.name FROM unit u WHERE u.id = a.unit_id) AS unit_name,
          a.position_kind, a.position, a.echelon, a.rank, a.rank_since, a.education_level, a.education, a.legal_status, a.email, a.phone,
          a.appointed_on, warnings_told(a.warnings, false) AS warnings,
          warnings_told(a.warnings, true) AS nik_warnings,
          a.version, a.created_at, a.updated_at

-- Imports are seen by the key that sent them, and by callers who may see every unit.
-- name: listImports
-- sort: -started_at = i.id DESC AS id
-- sort: started_at = i.id AS id
SELECT i.id, i.kind, i.file_name, i.actor_name, i.started_at, i.finished_at, i.rows, i.created, i.updated, i.unchanged, i.refused,
       i.repaired, i.warnings
FROM   import i
WHERE  (i.actor_key = :actor_key OR ''::ltree = ANY (:actor_units::ltree[]))
/*? kind */ AND i.kind = :kind /*? */
/* page */

-- name: getImport
SELECT i.id, i.kind, i.file_name, i.actor_name, i.started_at, i.finished_at, i.rows, i.created, i.updated, i.unchanged, i.refused,
       i.repaired, i.warnings
FROM   import i
WHERE  i.id = :import_id AND (i.actor_key = :actor_key OR ''::ltree = ANY (:actor_units::ltree[]))

-- name: getLearningHours
SELECT a.nip, a.kind, y.year, y.entries, y.total_jp, CASE WHEN r.ceiling_jp < y.total_jp THEN r.ceiling_jp ELSE y.total_jp END AS counted_jp,
       r.floor_jp, r.ceiling_jp, y.total_jp >= r.floor_jp AS is_floor_met, y.total_jp > r.ceiling_jp AS is_above_ceiling
FROM   asn a
JOIN   unit u ON u.id = a.unit_id
CROSS  JOIN LATERAL (SELECT w.year, count(e.id)::integer AS entries, coalesce(sum(e.jp), 0)::integer AS total_jp
                     FROM   (SELECT coalesce(:year::integer, extract(year FROM :today::date)::integer) AS year) w
                     LEFT   JOIN enrolment e ON e.asn_id = a.id AND e.state = 'passed'
                                             AND upper(e.days) - 1 BETWEEN make_date(w.year, 1, 1) AND make_date(w.year, 12, 31)
                     GROUP  BY w.year) y
LEFT   JOIN LATERAL (SELECT l.floor_jp, CASE WHEN a.echelon IN ('10', '11', '12') THEN NULL ELSE l.ceiling_jp END AS ceiling_jp
                     FROM   learning_rule l
                     WHERE  l.kind = a.rank_kind AND l.valid_from <= y.year
                     ORDER  BY l.valid_from DESC LIMIT 1) r ON true
WHERE  a.nip = :nip AND u.path <@ ANY (:actor_units::ltree[])
