-- The lists that offices print. Counted are those who are still of the staff (employed_status), of the units that the caller may see. As of another
-- day they are those who ever had a placement below the unit asked for, each as the histories put him together for that day
-- (OFFSET 0: unit by unit, by an index).

-- The place is worked out over all who are asked for, so a page costs what the agency costs, whichever page it is.
-- name: listSeniority
-- sort: place = d.place AS place
SELECT d.*
FROM   (SELECT row_number() OVER (ORDER BY s.key, a.nip)::integer AS place, a.nip, a.name, a.title_front, a.title_back, a.unit_id,
               u.name AS unit_name, a.rank, g.name AS rank_name, a.rank_since, a.position_kind, a.position, a.echelon, s.position_since,
               s.service_since, extract(year FROM w.served)::integer AS service_years, extract(month FROM w.served)::integer AS service_months,
               s.training, s.training_on, a.education_level, a.education, s.graduated_on, a.birth_date,
               extract(year FROM age(coalesce(:as_of::date, :today::date), a.birth_date))::integer AS age
        FROM   asn /*? as_of */ AS b CROSS JOIN LATERAL asn_as_of(b, :as_of::date) /*? */ AS a
        JOIN   unit u ON u.id = a.unit_id
        CROSS  JOIN LATERAL seniority(a, coalesce(:as_of::date, :today::date)) s
        CROSS  JOIN LATERAL (SELECT age(coalesce(:as_of::date, :today::date), s.service_since) AS served) w
        LEFT   JOIN reference g ON g.list = CASE a.rank_kind WHEN 'PNS' THEN 'rank-pns' ELSE 'rank-pppk' END AND g.code = a.rank
                                   AND g.valid @> coalesce(:as_of::date, :today::date)
        WHERE  a.legal_status = ANY (ARRAY(SELECT e.code FROM employed_status e)) AND a.kind = coalesce(:kind, 'PNS')
        /*? as_of */ AND EXISTS (SELECT FROM unit n WHERE n.id = b.unit_id AND n.path <@ ANY (:actor_units::ltree[]))
            AND b.id = ANY (ARRAY(SELECT h.asn_id
                                  FROM   unit n
                                  CROSS  JOIN LATERAL (SELECT p.asn_id FROM history p
                                                       WHERE  p.kind = 'placement' AND NOT p.is_void AND p.facts ->> 'unit_id' = n.id::text OFFSET 0) h
                                  WHERE  n.path <@ ANY (:actor_units::ltree[])
                                         AND n.path <@ coalesce((SELECT p.path FROM unit p WHERE p.id = :under::uuid), ''))) /*? */
        /*? actor_units */ AND u.path <@ ANY (:actor_units::ltree[]) /*? */
        /*? under */ AND u.path <@ (SELECT p.path FROM unit p WHERE p.id = :under) /*? */
       ) d
WHERE  true
/* page */

-- In the order of the tree, each unit before what is below it; in a unit by seniority.
-- name: listNominative
-- sort: unit = u.path AS _path, s.key AS _key, a.nip AS nip
SELECT a.unit_id, u.code AS unit_code, u.name AS unit_name, u.depth, a.nip, a.kind, a.name, a.title_front, a.title_back, a.sex, a.birth_date,
       a.rank, a.rank_since, a.position_kind, a.position, a.echelon, s.position_since, a.education_level, a.education, a.appointed_on,
       a.legal_status, u.path AS _path, s.key AS _key
FROM   asn /*? as_of */ AS b CROSS JOIN LATERAL asn_as_of(b, :as_of::date) /*? */ AS a
JOIN   unit u ON u.id = a.unit_id
CROSS  JOIN LATERAL seniority(a, coalesce(:as_of::date, :today::date)) s
WHERE  a.legal_status = ANY (ARRAY(SELECT e.code FROM employed_status e))
/*? as_of */ AND EXISTS (SELECT FROM unit n WHERE n.id = b.unit_id AND n.path <@ ANY (:actor_units::ltree[]))
    AND b.id = ANY (ARRAY(SELECT h.asn_id
                          FROM   unit n
                          CROSS  JOIN LATERAL (SELECT p.asn_id FROM history p
                                               WHERE  p.kind = 'placement' AND NOT p.is_void AND p.facts ->> 'unit_id' = n.id::text OFFSET 0) h
                          WHERE  n.path <@ ANY (:actor_units::ltree[])
                                 AND n.path <@ coalesce((SELECT p.path FROM unit p WHERE p.id = :under::uuid), ''))) /*? */
/*? actor_units */ AND u.path <@ ANY (:actor_units::ltree[]) /*? */
/*? under */ AND u.path <@ (SELECT p.path FROM unit p WHERE p.id = :under) /*? */
/* page */

-- Posts of the map and definitive holders, matched by unit, kind and name of the position. A position that the map does not know has no posts.
-- name: listStaffing
-- sort: unit = x.path AS _path, x.position_kind AS position_kind, x.position_key AS _position_key
SELECT x.unit_id, x.unit_code, x.unit_name, x.post_id, x.position_kind, x.position, x.echelon, x.functional_level, x.posts, x.filled, x.vacant,
       x.surplus, x.path AS _path, x.position_key AS _position_key
FROM   (SELECT m.*, greatest(m.posts - m.filled, 0) AS vacant, greatest(m.filled - m.posts, 0) AS surplus
        FROM   (SELECT coalesce(p.unit_id, f.unit_id) AS unit_id, coalesce(p.unit_code, f.unit_code) AS unit_code,
                       coalesce(p.unit_name, f.unit_name) AS unit_name, coalesce(p.path, f.path) AS path, p.id AS post_id,
                       coalesce(p.position_kind, f.position_kind) AS position_kind, coalesce(p.position, f.position) AS position,
                       coalesce(p.position_key, f.position_key) AS position_key,
                       coalesce(p.echelon, f.echelon) AS echelon, p.functional_level, coalesce(p.posts, 0) AS posts, coalesce(f.filled, 0) AS filled
                FROM   (SELECT t.*, u.code AS unit_code, u.name AS unit_name, u.path
                        FROM   post t
                        JOIN   unit u ON u.id = t.unit_id
                        WHERE  true
                        /*? actor_units */ AND u.path <@ ANY (:actor_units::ltree[]) /*? */
                        /*? under */ AND u.path <@ (SELECT p.path FROM unit p WHERE p.id = :under) /*? */) p
                FULL   JOIN
                       (SELECT a.unit_id, u.code AS unit_code, u.name AS unit_name, u.path, a.position_kind, reference_fold(a.position) AS position_key,
                               min(a.position) AS position, min(a.echelon) AS echelon, count(*)::integer AS filled
                        FROM   asn /*? as_of */ AS b CROSS JOIN LATERAL asn_as_of(b, :as_of::date) /*? */ AS a
                        JOIN   unit u ON u.id = a.unit_id
                        WHERE  a.legal_status = ANY (ARRAY(SELECT e.code FROM employed_status e)) AND a.position IS NOT NULL AND a.position_kind IS NOT NULL
                        /*? as_of */ AND EXISTS (SELECT FROM unit n WHERE n.id = b.unit_id AND n.path <@ ANY (:actor_units::ltree[]))
                            AND b.id = ANY (ARRAY(SELECT h.asn_id
                                                  FROM   unit n
                                                  CROSS  JOIN LATERAL (SELECT p.asn_id FROM history p
                                                                       WHERE  p.kind = 'placement' AND NOT p.is_void AND p.facts ->> 'unit_id' = n.id::text OFFSET 0) h
                                                  WHERE  n.path <@ ANY (:actor_units::ltree[])
                                                         AND n.path <@ coalesce((SELECT p.path FROM unit p WHERE p.id = :under::uuid), ''))) /*? */
                        /*? actor_units */ AND u.path <@ ANY (:actor_units::ltree[]) /*? */
                        /*? under */ AND u.path <@ (SELECT p.path FROM unit p WHERE p.id = :under) /*? */
                        GROUP  BY a.unit_id, u.id, a.position_kind, reference_fold(a.position)) f
                       ON (f.unit_id, f.position_kind, f.position_key) = (p.unit_id, p.position_kind, p.position_key)) m) x
WHERE  true
/* page */

-- What is not known has the code -. The order of codes is that of their list; of units it is the tree's, of ages the years.
-- name: listRecap
-- sort: order = x.place AS _place, x.code AS code
SELECT x.code, x.name, x.men, x.women, x.total, x.place AS _place
FROM   (SELECT g.code,
               CASE WHEN g.code = '-' THEN 'Tidak diketahui'
                    WHEN g.list = 'age' THEN g.code::integer || '–' || g.code::integer + 4 || ' tahun'
                    ELSE coalesce(r.name, n.name, g.code) END AS name,
               CASE WHEN g.code = '-' THEN '~'
                    WHEN g.list = 'age' THEN g.code
                    ELSE coalesce(n.path::text, g.list || to_char(r.seq, 'FM00000'), '~') END COLLATE "C" AS place,
               g.men, g.women, g.men + g.women AS total
        FROM   (SELECT k.list, k.code, count(*) FILTER (WHERE k.sex = 'M')::integer AS men, count(*) FILTER (WHERE k.sex = 'F')::integer AS women
                FROM   (SELECT a.sex,
                               CASE :by::text WHEN 'rank' THEN CASE WHEN a.rank IS NULL THEN '-' WHEN a.rank_kind = 'PNS' THEN 'rank-pns'
                                                                ELSE 'rank-pppk' END
                                              WHEN 'education' THEN 'education-level' WHEN 'kind' THEN 'employee-kind'
                                              WHEN 'status' THEN 'legal-status' ELSE :by::text END AS list,
                               coalesce(CASE :by::text
                                        WHEN 'rank' THEN a.rank
                                        WHEN 'echelon' THEN a.echelon
                                        WHEN 'education' THEN a.education_level
                                        WHEN 'kind' THEN a.kind
                                        WHEN 'position-kind' THEN a.position_kind
                                        WHEN 'status' THEN a.legal_status
                                        WHEN 'unit' THEN a.unit_id::text
                                        WHEN 'age' THEN to_char(floor(extract(year FROM age(coalesce(:as_of::date, :today::date), a.birth_date)) / 5) * 5,
                                                                'FM000')
                                        END, '-') COLLATE "C" AS code
                        FROM   asn /*? as_of */ AS b CROSS JOIN LATERAL asn_as_of(b, :as_of::date) /*? */ AS a
                        JOIN   unit u ON u.id = a.unit_id
                        WHERE  a.legal_status = ANY (ARRAY(SELECT e.code FROM employed_status e))
                        /*? as_of */ AND EXISTS (SELECT FROM unit n WHERE n.id = b.unit_id AND n.path <@ ANY (:actor_units::ltree[]))
                            AND b.id = ANY (ARRAY(SELECT h.asn_id
                                                  FROM   unit n
                                                  CROSS  JOIN LATERAL (SELECT p.asn_id FROM history p
                                                                       WHERE  p.kind = 'placement' AND NOT p.is_void AND p.facts ->> 'unit_id' = n.id::text OFFSET 0) h
                                                  WHERE  n.path <@ ANY (:actor_units::ltree[])
                                                         AND n.path <@ coalesce((SELECT p.path FROM unit p WHERE p.id = :under::uuid), ''))) /*? */
                        /*? actor_units */ AND u.path <@ ANY (:actor_units::ltree[]) /*? */
                        /*? under */ AND u.path <@ (SELECT p.path FROM unit p WHERE p.id = :under) /*? */) k
                GROUP  BY k.list, k.code) g
        LEFT   JOIN reference r ON r.list = g.list AND r.code = g.code AND r.valid @> coalesce(:as_of::date, :today::date)
        LEFT   JOIN unit n ON n.id = CASE WHEN g.list = 'unit' THEN g.code::uuid END) x
WHERE  true
/* page */
