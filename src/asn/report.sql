-- The lists that offices print. Counted are those who are still of the staff (employed_status), of the units that the caller may see. As of another
-- day they are found by staff_then(), unit by unit (by recaps among all who ever had a placement below the unit asked for; OFFSET 0: by an index), and
-- put together by the histories for that day.

-- Rank and the day of it are on the record and tell most people apart. So everybody is counted by them alone, and what tells those of one rank and day
-- apart (position, service, training …) is looked up only of those who may stand on the page: place is then how many stand before that rank and day,
-- and the place among its own. Read whole it is asked for all;
-- counted (:page_limit is null then) of nobody.
-- name: listSeniority
-- sort: place = d.place AS place
WITH who AS MATERIALIZED (
    SELECT a.id, (99 - coalesce(g.seq, 0))::bigint * 10000000 + coalesce(a.rank_since - '1900-01-01'::date, 9999999) AS step
    FROM   asn /*? as_of */ AS b JOIN staff_then(:as_of::date, :under::uuid, :actor_units::ltree[], coalesce(:kind, 'PNS'), NULL, NULL) AS t ON t.id = b.id
           CROSS JOIN LATERAL (SELECT t.*) /*? */ AS a
    JOIN   unit u ON u.id = a.unit_id
    CROSS  JOIN LATERAL (SELECT u.path) /*? as_of */ AS now CROSS JOIN LATERAL (SELECT t.path) /*? */ AS w
    LEFT   JOIN reference g ON g.list = CASE a.rank_kind WHEN 'PNS' THEN 'rank-pns' ELSE 'rank-pppk' END AND g.code = a.rank
                               AND g.valid @> coalesce(:as_of::date, :today::date)
    WHERE  a.legal_status = ANY (ARRAY(SELECT e.code FROM employed_status e)) AND a.kind = coalesce(:kind, 'PNS')
    /*? actor_units */ AND u.path <@ ANY (:actor_units::ltree[]) /*? */
    /*? under */ AND w.path <@ (SELECT unit_path_then(:under, :as_of::date)) /*? */
), stair AS (
    SELECT w.step, count(*) AS n, sum(count(*)) OVER (ORDER BY w.step) - count(*) AS before FROM who w GROUP BY w.step
), near AS MATERIALIZED (
    SELECT w.id, t.before
    FROM   stair t JOIN who w ON w.step = t.step
    WHERE  t.before + t.n > coalesce((:page_after::text[])[1]::bigint, 0)
           AND (:page_limit::numeric IS NULL OR t.before < coalesce((:page_after::text[])[1]::bigint, 0) + :page_limit::numeric)
)
SELECT d.*
FROM   (SELECT (n.before + row_number() OVER (PARTITION BY n.before ORDER BY s.key, a.nip))::integer AS place, a.nip, a.name, a.title_front, a.title_back,
               a.unit_id, w.name AS unit_name, a.rank, g.name AS rank_name, a.rank_since, a.position_kind, a.position, a.echelon, s.position_since,
               s.service_since, extract(year FROM t.served)::integer AS service_years, extract(month FROM t.served)::integer AS service_months,
               s.training, s.training_on, a.education_level, a.education, s.graduated_on, a.birth_date,
               extract(year FROM age(coalesce(:as_of::date, :today::date), a.birth_date))::integer AS age
        FROM   near n
        CROSS  JOIN LATERAL (SELECT x AS me FROM asn x WHERE x.id = n.id OFFSET 0) p
        CROSS  JOIN LATERAL unnest(ARRAY[p.me]) /*? as_of */ AS b CROSS JOIN LATERAL asn_as_of(b, :as_of::date) /*? */ AS a
        JOIN   unit u ON u.id = a.unit_id
        CROSS  JOIN LATERAL (SELECT u.name) /*? as_of */ AS now CROSS JOIN LATERAL unit_as_of(u, :as_of::date) /*? */ AS w
        LEFT   JOIN LATERAL (SELECT z.* FROM seniority(a, coalesce(:as_of::date, :today::date)) z WHERE :page_limit::numeric IS NOT NULL) s ON true
        CROSS  JOIN LATERAL (SELECT age(coalesce(:as_of::date, :today::date), s.service_since) AS served) t
        LEFT   JOIN reference g ON g.list = CASE a.rank_kind WHEN 'PNS' THEN 'rank-pns' ELSE 'rank-pppk' END AND g.code = a.rank
                                   AND g.valid @> coalesce(:as_of::date, :today::date)
       ) d
WHERE  true
/* page */

-- In the order of the tree, each unit before what is below it; in a unit by seniority. Behind a cursor the units before its own are not asked at all:
-- that their people stand before it is seen only when each one's place is worked out. Counted (:page_limit is null) nobody's is.
-- name: listNominative
-- sort: unit = w.path AS _path, s.key AS _key, a.nip AS nip
SELECT a.unit_id, w.code AS unit_code, w.name AS unit_name, w.depth, a.nip, a.kind, a.name, a.title_front, a.title_back, a.sex, a.birth_date,
       a.rank, a.rank_since, a.position_kind, a.position, a.echelon, s.position_since, a.education_level, a.education, a.appointed_on,
       a.legal_status, w.path AS _path, s.key AS _key
FROM   asn /*? as_of */ AS b
       JOIN staff_then(:as_of::date, :under::uuid, :actor_units::ltree[], NULL, (:page_after::text[])[1]::ltree, :page_limit::numeric) AS t ON t.id = b.id
       CROSS JOIN LATERAL asn_as_of(b, :as_of::date) /*? */ AS a
JOIN   unit u ON u.id = a.unit_id
CROSS  JOIN LATERAL (SELECT u.code, u.name, u.depth, u.path) /*? as_of */ AS now CROSS JOIN LATERAL unit_as_of(u, :as_of::date) /*? */ AS w
LEFT   JOIN LATERAL (SELECT z.* FROM seniority(a, coalesce(:as_of::date, :today::date)) z WHERE :page_limit::numeric IS NOT NULL) s ON true
WHERE  a.legal_status = ANY (ARRAY(SELECT e.code FROM employed_status e))
/*? actor_units */ AND u.path <@ ANY (:actor_units::ltree[]) /*? */
/*? under */ AND w.path <@ (SELECT unit_path_then(:under, :as_of::date)) /*? */
AND (:page_after::text[] IS NULL OR w.path >= (:page_after::text[])[1]::ltree)
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
                       (SELECT a.unit_id, w.code AS unit_code, w.name AS unit_name, w.path, a.position_kind, reference_fold(a.position) AS position_key,
                               min(a.position) AS position, min(a.echelon) AS echelon, count(*)::integer AS filled
                        FROM   asn /*? as_of */ AS b JOIN staff_then(:as_of::date, :under::uuid, :actor_units::ltree[], NULL, NULL, NULL) AS t ON t.id = b.id
                               CROSS JOIN LATERAL asn_as_of(b, :as_of::date) /*? */ AS a
                        JOIN   unit u ON u.id = a.unit_id
                        CROSS  JOIN LATERAL (SELECT u.code, u.name, u.depth, u.path) /*? as_of */ AS now CROSS JOIN LATERAL unit_as_of(u, :as_of::date) /*? */ AS w
                        WHERE  a.legal_status = ANY (ARRAY(SELECT e.code FROM employed_status e)) AND a.position IS NOT NULL AND a.position_kind IS NOT NULL
                        /*? actor_units */ AND u.path <@ ANY (:actor_units::ltree[]) /*? */
                        /*? under */ AND w.path <@ (SELECT unit_path_then(:under, :as_of::date)) /*? */
                        GROUP  BY a.unit_id, w.code, w.name, w.path, a.position_kind, reference_fold(a.position)) f
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
                    ELSE coalesce(r.name, /*? as_of */ (SELECT t.name FROM unit_as_of(n, :as_of::date) t WHERE n.id IS NOT NULL), /*? */ n.name, g.code) END AS name,
               CASE WHEN g.code = '-' THEN '~'
                    WHEN g.list = 'age' THEN g.code
                    ELSE coalesce(/*? as_of */ unit_path_then(n.id, :as_of::date)::text, /*? */ n.path::text, g.list || to_char(r.seq, 'FM00000'), '~') END COLLATE "C" AS place,
               g.men, g.women, g.men + g.women AS total
        FROM   (SELECT s.list, s.code, s.men, s.women FROM staff_recap(:by, :actor_units::ltree[], :under::uuid) s WHERE :as_of::date IS NULL
                /*? as_of */ UNION ALL
                SELECT k.list, k.code, count(*) FILTER (WHERE k.sex = 'M')::integer, count(*) FILTER (WHERE k.sex = 'F')::integer
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
                                        WHEN 'age' THEN to_char(floor(extract(year FROM age(:as_of::date, a.birth_date)) / 5) * 5, 'FM000')
                                        END, '-') COLLATE "C" AS code
                        FROM   asn AS b
                        CROSS  JOIN LATERAL asn_as_of(b, :as_of::date) AS a
                        JOIN   unit u ON u.id = a.unit_id
                        CROSS  JOIN LATERAL unit_as_of(u, :as_of::date) AS w
                        WHERE  a.legal_status = ANY (ARRAY(SELECT e.code FROM employed_status e))
                               AND EXISTS (SELECT FROM unit n WHERE n.id = b.unit_id AND n.path <@ ANY (:actor_units::ltree[]))
                               AND b.id = ANY (ARRAY(SELECT h.asn_id
                                                     FROM   unnest(unit_reach(:under::uuid, :actor_units::ltree[])) AS n (id)
                                                     CROSS  JOIN LATERAL (SELECT p.asn_id FROM history p
                                                                          WHERE  p.kind = 'placement' AND NOT p.is_void AND p.facts ->> 'unit_id' = n.id::text OFFSET 0) h))
                               AND u.path <@ ANY (:actor_units::ltree[])
                               AND (:under::uuid IS NULL OR w.path <@ (SELECT unit_path_then(:under, :as_of::date)))) k
                GROUP  BY k.list, k.code /*? */) g
        LEFT   JOIN reference r ON r.list = g.list AND r.code = g.code AND r.valid @> coalesce(:as_of::date, :today::date)
        LEFT   JOIN unit n ON n.id = CASE WHEN g.list = 'unit' THEN g.code::uuid END) x
WHERE  true
/* page */

-- For a while only: it has one of the loop's connections. Who is left is worked out by whoever reads.
-- name: chore.refreshStaffFigures
-- write: true
-- every: 1000
SELECT staff_refresh(500), index_refresh(500)
