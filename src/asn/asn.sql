-- Civil servants. A person is seen by whoever may see the person's unit. What contradicts the NIK tells of it, so that goes to those alone who
-- may see the NIK itself. (Written out: a sub-select for each row of a list would cost more.)

-- By NIP: unique, so that it alone is the cursor and its index gives each page in order.
-- As of another day the record is put together from the histories, and w is the unit as it was then; who may not see the person today may not then. Of a
-- unit it is put together for those alone who ever had a placement in what was ever below it.
-- The keys say their types, so that a page behind a cursor is planned once (docs/sql-files.md).
-- Here are the unfiltered page, what is counted or read whole, and other days; pages of who is searched for are listAsn.search.
-- name: listAsn
-- sort: nip = a.nip::text AS nip
-- sort: -nip = a.nip::text DESC AS nip
-- sort: name = a.name_key::text AS _name_key, a.nip::text AS nip
-- sort: -name = a.name_key::text DESC AS _name_key, a.nip::text DESC AS nip
-- sort: rank = (rank_place(a.rank_kind, a.rank) COLLATE "C")::text AS _rank_place, a.nip::text AS nip
-- sort: -rank = (rank_place(a.rank_kind, a.rank) COLLATE "C")::text DESC AS _rank_place, a.nip::text DESC AS nip
-- sort: rank_since = coalesce(a.rank_since, '-infinity'::date)::date AS _rank_since, a.nip::text AS nip
-- sort: -rank_since = coalesce(a.rank_since, '-infinity'::date)::date DESC AS _rank_since, a.nip::text DESC AS nip
-- sort: birth_date = a.birth_date::date AS birth_date, a.nip::text AS nip
-- sort: -birth_date = a.birth_date::date DESC AS birth_date, a.nip::text DESC AS nip
SELECT a.id, a.nip, a.kind, a.name, a.title_front, a.title_back, a.birth_date, a.birth_place, a.sex, a.nik, a.unit_id, w.name AS unit_name,
       a.position_kind, a.position, a.echelon, a.rank, a.rank_since, a.education_level, a.education, a.legal_status, a.email, a.phone,
       a.appointed_on, warnings_told(a.warnings, false) AS warnings,
       warnings_told(a.warnings, true) AS nik_warnings,
       a.id = ANY (ARRAY(SELECT n.asn_id FROM restricted_now n)) AS restricted, a.version, a.created_at, a.updated_at,
       a.name_key AS _name_key, coalesce(a.rank_since, '-infinity'::date) AS _rank_since, rank_place(a.rank_kind, a.rank) AS _rank_place
FROM   asn /*? as_of */ AS b CROSS JOIN LATERAL asn_as_of(b, :as_of::date) /*? */ AS a
JOIN   unit u ON u.id = a.unit_id
CROSS  JOIN LATERAL (SELECT u.name, u.path) /*? as_of */ AS now CROSS JOIN LATERAL unit_as_of(u, :as_of::date) /*? */ AS w
WHERE  true
/*? as_of */ AND EXISTS (SELECT FROM unit n WHERE n.id = b.unit_id AND n.path <@ ANY (:actor_units::ltree[]))
    AND (coalesce(:unit_id::uuid, :under::uuid) IS NULL
         OR b.id IN (SELECT asn_ever_in(coalesce(:unit_id::uuid, :under::uuid)))) /*? */
/*? actor_units */ AND u.path <@ ANY (:actor_units::ltree[]) /*? */
/*? q */ AND a.id IN (SELECT asn_sought(:q_sought, :actor_scopes::text[])) /*? */
/*? unit_id */ AND a.unit_id = :unit_id /*? */
/*? under */ AND w.path <@ (SELECT unit_path_then(:under, :as_of::date)) /*? */
/*? kind */ AND a.kind = ANY (:kind::text[]) /*? */
/*? rank */ AND a.rank = ANY (:rank::text[]) /*? */
/*? rank_min */ AND a.rank = ANY ((SELECT rank_span(:rank_min, NULL))::text[]) /*? */
/*? rank_max */ AND a.rank = ANY ((SELECT rank_span(NULL, :rank_max))::text[]) /*? */
/*? position_kind */ AND a.position_kind = ANY (:position_kind::text[]) /*? */
/*? education_level */ AND a.education_level = ANY (:education_level::text[]) /*? */
/*? legal_status */ AND a.legal_status = ANY (:legal_status::text[]) /*? */
/*? sex */ AND a.sex = :sex /*? */
/*? age_min */ AND a.birth_date <= (coalesce(:as_of::date, :today::date) - make_interval(years => :age_min::integer))::date /*? */
/*? age_max */ AND a.birth_date > (coalesce(:as_of::date, :today::date) - make_interval(years => :age_max::integer + 1))::date /*? */
/*? retires_in */ AND EXISTS (SELECT FROM due d WHERE d.asn_id = a.id AND d.list = 'retirement' AND d.due_on >= make_date(:retires_in::integer, 1, 1)
                                                AND d.due_on < make_date(:retires_in::integer + 1, 1, 1)) /*? */
/*? updated_since */ AND a.updated_at >= :updated_since /*? */
/* page */

-- name: listAsn.search
-- sort: nip = a.nip AS nip
-- sort: -nip = a.nip DESC AS nip
-- sort: name = a.name_key AS _name_key, a.nip AS nip
-- sort: -name = a.name_key DESC AS _name_key, a.nip DESC AS nip
-- sort: rank = rank_place(a.rank_kind, a.rank) COLLATE "C" AS _rank_place, a.nip AS nip
-- sort: -rank = rank_place(a.rank_kind, a.rank) COLLATE "C" DESC AS _rank_place, a.nip DESC AS nip
-- sort: rank_since = coalesce(a.rank_since, '-infinity'::date) AS _rank_since, a.nip AS nip
-- sort: -rank_since = coalesce(a.rank_since, '-infinity'::date) DESC AS _rank_since, a.nip DESC AS nip
-- sort: birth_date = a.birth_date AS birth_date, a.nip AS nip
-- sort: -birth_date = a.birth_date DESC AS birth_date, a.nip DESC AS nip
SELECT a.id, a.nip, a.kind, a.name, a.title_front, a.title_back, a.birth_date, a.birth_place, a.sex, a.nik, a.unit_id, u.name AS unit_name,
       a.position_kind, a.position, a.echelon, a.rank, a.rank_since, a.education_level, a.education, a.legal_status, a.email, a.phone,
       a.appointed_on, warnings_told(a.warnings, false) AS warnings,
       warnings_told(a.warnings, true) AS nik_warnings,
       a.id = ANY (ARRAY(SELECT n.asn_id FROM restricted_now n)) AS restricted, a.version, a.created_at, a.updated_at,
       a.name_key AS _name_key, coalesce(a.rank_since, '-infinity'::date) AS _rank_since, rank_place(a.rank_kind, a.rank) AS _rank_place
FROM   asn a
JOIN   unit u ON u.id = a.unit_id
WHERE  a.id = ANY ((SELECT asn_search(:actor_units::ltree[], :actor_scopes::text[], :today::date, :page_sort, :page_after::text[], :page_limit::bigint, :q_sought,
                                      :unit_id::uuid, :under::uuid, :kind::text[], :rank::text[], :rank_min, :rank_max, :position_kind::text[],
                                      :education_level::text[], :legal_status::text[], :sex, :age_min::integer, :age_max::integer,
                                      :retires_in::integer, :updated_since::timestamptz))::uuid[])
/* page */

-- An old NIP finds the person too, and so does that of a record that was merged; nobody looks for them while somebody has the number now.
-- name: getAsn
SELECT a.id, a.nip, a.kind, a.name, a.title_front, a.title_back, a.birth_date, a.birth_place, a.sex, a.nik, a.unit_id, w.name AS unit_name,
       a.position_kind, a.position, a.echelon, a.rank, a.rank_since, a.education_level, a.education, a.legal_status, a.email, a.phone,
       a.appointed_on, warnings_told(a.warnings, false) AS warnings,
       warnings_told(a.warnings, true) AS nik_warnings,
       a.id = ANY (ARRAY(SELECT n.asn_id FROM restricted_now n)) AS restricted, a.version, a.created_at, a.updated_at
FROM   asn /*? as_of */ AS b CROSS JOIN LATERAL asn_as_of(b, :as_of::date) /*? */ AS a
JOIN   unit u ON u.id = a.unit_id
CROSS  JOIN LATERAL (SELECT u.name) /*? as_of */ AS now CROSS JOIN LATERAL unit_as_of(u, :as_of::date) /*? */ AS w
WHERE  a.nip = (SELECT coalesce((SELECT n.nip FROM asn_named n WHERE n.nip = :nip), (SELECT n.nip FROM asn_named n WHERE n.id = nip_heir(:nip)), :nip))
       AND u.path <@ ANY (:actor_units::ltree[])
/*? as_of */ AND EXISTS (SELECT FROM unit n WHERE n.id = b.unit_id AND n.path <@ ANY (:actor_units::ltree[])) /*? */

-- What the NIP says fills what was not given (:nip_birth_date …, derived by the check).
-- name: createAsn
WITH place AS (
    SELECT u.id, u.name, u.closed_on FROM unit u WHERE u.id = :unit_id AND u.path <@ ANY (:actor_units::ltree[])
), made AS (
    INSERT INTO asn (id, nip, kind, name, title_front, title_back, birth_date, birth_place, sex, nik, unit_id, position_kind, position,
                     echelon, rank, rank_since, education_level, education, legal_status, email, phone, appointed_on, warnings)
    SELECT :new_id, :nip, :kind, :name, :title_front, :title_back, coalesce(:birth_date, :nip_birth_date::date), :birth_place,
           coalesce(:sex, :nip_sex::text), :nik, p.id, :position_kind, :position, :echelon, :rank, :rank_since, :education_level,
           :education,
           coalesce(:legal_status, CASE :kind::text WHEN 'PPPK' THEN '71' WHEN 'PPPK_PARUH_WAKTU' THEN '72' ELSE '01' END),
           :email, :phone, coalesce(:appointed_on, :nip_appointed_on::date), :warnings::text[]
    FROM   place p
    WHERE  p.closed_on IS NULL
    RETURNING *
)
SELECT CASE WHEN p.closed_on IS NOT NULL THEN 'unit-closed' WHEN m.id IS NULL THEN 'reference-missing' END AS _problem, '/unit_id' AS _pointer,
       :unit_id::text AS _value, CASE WHEN p.closed_on IS NOT NULL THEN unit_heir(p.id, :actor_units::ltree[]) END AS _suggestion,
       m.id, m.nip, m.kind, m.name, m.title_front, m.title_back, m.birth_date, m.birth_place, m.sex, m.nik, m.unit_id, p.name AS unit_name,
       m.position_kind, m.position, m.echelon, m.rank, m.rank_since, m.education_level, m.education, m.legal_status, m.email, m.phone,
       m.appointed_on, warnings_told(m.warnings, false) AS warnings,
       warnings_told(m.warnings, true) AS nik_warnings,
       false AS restricted, m.version, m.created_at, m.updated_at
FROM   (SELECT) AS one LEFT JOIN made m ON true LEFT JOIN place p ON true

-- The record as it would become, locked: what the rule looks at before the change is stored. Units are asked for by sub-selects, which are asked again
-- when the lock had to be waited for: a join would not find the unit into which the person was put meanwhile.
-- name: updateAsn.merged
SELECT CASE WHEN NOT :if_match::int8multirange @> a.version THEN 'version-stale'
            WHEN NOT :body::jsonb ? 'unit_id' THEN NULL
            WHEN NOT coalesce((SELECT n.path FROM unit n WHERE n.id = (:body::jsonb ->> 'unit_id')::uuid) <@ ANY (:actor_units::ltree[]), false) THEN 'reference-missing'
            WHEN (:body::jsonb ->> 'unit_id')::uuid <> a.unit_id
                 AND (SELECT n.closed_on FROM unit n WHERE n.id = (:body::jsonb ->> 'unit_id')::uuid) IS NOT NULL THEN 'unit-closed'
       END AS _problem,
       CASE WHEN :if_match::int8multirange @> a.version THEN '/unit_id' END AS _pointer,
       CASE WHEN :body::jsonb ? 'unit_id' AND :if_match::int8multirange @> a.version
            THEN unit_heir((:body::jsonb ->> 'unit_id')::uuid, :actor_units::ltree[]) END AS _suggestion,
       a.id, p.kind, p.birth_date, p.sex, p.appointed_on, p.nik
FROM   asn a, jsonb_populate_record(a, :body::jsonb) AS p
WHERE  a.nip = :nip AND (SELECT u.path FROM unit u WHERE u.id = a.unit_id) <@ ANY (:actor_units::ltree[])
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
          a.id = ANY (ARRAY(SELECT n.asn_id FROM restricted_now n)) AS restricted, a.version, a.created_at, a.updated_at

-- Imports are seen by the key that sent them, and by callers who may see every unit.
-- name: listImports
-- sort: -started_at = i.id DESC AS id
-- sort: started_at = i.id AS id
SELECT i.id, i.kind, i.file_name, i.actor_name, i.started_at, i.finished_at, i.rows, i.created, i.updated, i.unchanged, i.refused,
       i.repaired, i.warnings, i.is_remembered AND i.undone_at IS NULL AND i.kind IN ('asn', 'unit', 'history') AS can_undo, i.undone_at, i.undone_by, i.undone_reason
FROM   import i
WHERE  (i.actor_key = :actor_key OR ''::ltree = ANY (:actor_units::ltree[]))
/*? kind */ AND i.kind = :kind /*? */
/* page */

-- name: getImport
SELECT i.id, i.kind, i.file_name, i.actor_name, i.started_at, i.finished_at, i.rows, i.created, i.updated, i.unchanged, i.refused,
       i.repaired, i.warnings, i.is_remembered AND i.undone_at IS NULL AND i.kind IN ('asn', 'unit', 'history') AS can_undo, i.undone_at, i.undone_by, i.undone_reason
FROM   import i
WHERE  i.id = :import_id AND (i.actor_key = :actor_key OR ''::ltree = ANY (:actor_units::ltree[]))
