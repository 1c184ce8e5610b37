-- Reference lists: codes and what they mean.

-- name: listReferenceLists
-- sort: list = l.list AS list
SELECT l.list, l.name, l.name_en, l.description, l.source
FROM   reference_list l
WHERE  true
/* page */

-- name: listReferences
-- sort: seq = r.seq AS seq, r.code AS code
SELECT r.list, r.code, r.name, r.name_en, r.siasn_id, r.parent, r.seq, r.facts, r.aliases, lower(r.valid) AS valid_from,
       upper(r.valid) AS valid_to, r.source
FROM   reference r
WHERE  r.list = :list AND r.valid @> coalesce(:as_of::date, :today::date)
/*? code */ AND r.code = :code /*? */
/*? parent */ AND r.parent = :parent /*? */
/* page */
