-- Import of reference rows. The stage holds one batch: all fields are text, NULL = the file does not say, '' = it says: empty.

-- name: importReferences.stage
CREATE TEMPORARY TABLE IF NOT EXISTS import_stage_reference (
    place bigint, line bigint, is_refused boolean, list text, code text, name text, name_en text, siasn_id text, parent text, seq text, facts text,
    aliases text, valid_from text, valid_to text, source text
) ON COMMIT DELETE ROWS

-- One file of rows at a time.
-- name: importReferences.lock
SELECT pg_advisory_xact_lock(1918, 3)

-- A row is known by its list, code and first day; without a day the one that holds today is meant. An open row that another of the same code
-- follows ends where that one begins.
-- name: importReferences.merge
-- timeout: 60000
WITH laid AS (
    SELECT s.place, s.line, s.is_refused, s.list, s.code, k.list IS NOT NULL AS is_list, o.list IS NULL AS is_new, o.valid AS old_valid,
           CASE WHEN s.valid_from IS NULL THEN lower(o.valid) ELSE nullif(s.valid_from, '')::date END AS starts,
           CASE WHEN s.valid_to IS NULL THEN upper(o.valid) ELSE nullif(s.valid_to, '')::date END AS ends,
           s.name, nullif(coalesce(s.name_en, o.name_en), '') AS name_en, nullif(coalesce(s.siasn_id, o.siasn_id), '') AS siasn_id,
           nullif(coalesce(s.parent, o.parent), '') AS parent, coalesce(s.seq::integer, o.seq, 0) AS seq,
           coalesce(s.facts::jsonb, o.facts, '{}') AS facts,
           CASE WHEN s.aliases IS NULL THEN coalesce(o.aliases, '{}') WHEN s.aliases = '' THEN '{}'
                ELSE ARRAY(SELECT jsonb_array_elements_text(s.aliases::jsonb)) END AS aliases,
           coalesce(s.source, o.source, 'import') AS source
    FROM   import_stage_reference s
    LEFT   JOIN reference_list k ON k.list = s.list
    LEFT   JOIN LATERAL (SELECT r.* FROM reference r
                         WHERE  r.list = s.list AND r.code = s.code
                                AND CASE WHEN s.valid_from IS NULL THEN r.valid @> local_today()
                                         ELSE lower(r.valid) IS NOT DISTINCT FROM nullif(s.valid_from, '')::date END
                         LIMIT  1) o ON true
), weighed AS (
    SELECT l.*, row(l.list, l.code, l.starts)::text AS key, l.is_refused OR NOT l.is_list OR l.starts >= l.ends AS is_lost FROM laid l
), told AS (
    SELECT w.*, coalesce(e.line, first_value(w.line) OVER same) AS first_line,
           NOT w.is_lost IS TRUE AND (e.line IS NOT NULL OR row_number() OVER same > 1) AS is_again
    FROM   weighed w
    LEFT   JOIN import_seen e ON e.key = w.key
    WINDOW same AS (PARTITION BY w.key, w.is_lost IS TRUE ORDER BY w.place)
), numbered AS (
    SELECT t.*, lead(t.starts) OVER (PARTITION BY t.list, t.code, t.is_refused, t.is_again ORDER BY t.starts NULLS FIRST, t.place) AS follows FROM told t
), ranged AS (
    SELECT n.*, coalesce(n.starts < coalesce(n.ends, n.follows), true) AS is_range,
           CASE WHEN coalesce(n.starts < coalesce(n.ends, n.follows), true) THEN daterange(n.starts, coalesce(n.ends, n.follows)) END AS valid
    FROM   numbered n
), judged AS (
    SELECT r.*, x.valid AS other,
           CASE WHEN NOT r.is_list THEN 'list-unknown' WHEN r.is_again THEN 'duplicate-row' WHEN NOT r.is_range THEN 'range-empty'
                WHEN x.valid IS NOT NULL THEN 'range-overlap' END AS fault
    FROM   ranged r
    LEFT   JOIN LATERAL (SELECT o.valid FROM reference o
                         WHERE  o.list = r.list AND o.code = r.code AND o.valid && r.valid AND o.valid IS DISTINCT FROM r.old_valid
                                AND NOT (upper_inf(o.valid) AND (lower_inf(o.valid) OR lower(o.valid) < r.starts) AND r.starts IS NOT NULL)
                                AND NOT EXISTS (SELECT FROM numbered n WHERE n.list = o.list AND n.code = o.code AND n.old_valid = o.valid)
                         LIMIT  1) x ON true
), good AS (
    SELECT j.* FROM judged j WHERE NOT j.is_refused AND j.fault IS NULL
), seen AS (
    INSERT INTO import_seen (key, line) SELECT g.key, g.line FROM good g ON CONFLICT DO NOTHING
), closed AS (
    UPDATE reference o
    SET    valid = daterange(lower(o.valid), g.starts)
    FROM   good g
    WHERE  g.is_new AND o.list = g.list AND o.code = g.code AND o.valid @> g.starts AND upper_inf(o.valid) AND lower(o.valid) IS DISTINCT FROM g.starts
           AND NOT EXISTS (SELECT FROM good n WHERE n.list = o.list AND n.code = o.code AND n.old_valid = o.valid)
), changed AS (
    UPDATE reference o
    SET    valid = g.valid, name = g.name, name_en = g.name_en, siasn_id = g.siasn_id, parent = g.parent, seq = g.seq, facts = g.facts,
           aliases = g.aliases, source = g.source
    FROM   good g
    WHERE  NOT g.is_new AND o.list = g.list AND o.code = g.code AND o.valid = g.old_valid
           AND (o.valid, o.name, o.name_en, o.siasn_id, o.parent, o.seq, o.facts, o.aliases, o.source)
               IS DISTINCT FROM (g.valid, g.name, g.name_en, g.siasn_id, g.parent, g.seq, g.facts, g.aliases, g.source)
    RETURNING 1
), made AS (
    INSERT INTO reference (list, code, valid, name, name_en, siasn_id, parent, seq, facts, aliases, source)
    SELECT g.list, g.code, g.valid, g.name, g.name_en, g.siasn_id, g.parent, g.seq, g.facts, g.aliases, g.source FROM good g WHERE g.is_new
    RETURNING 1
)
SELECT j.place, CASE j.fault WHEN 'list-unknown' THEN 'list' WHEN 'range-empty' THEN 'valid_to' WHEN 'range-overlap' THEN 'valid_from' ELSE 'code' END AS "column",
       j.fault AS code, CASE j.fault WHEN 'list-unknown' THEN j.list ELSE j.code END AS value,
       CASE j.fault WHEN 'duplicate-row' THEN j.first_line::text WHEN 'range-overlap' THEN coalesce(lower(j.other)::text, '-') END AS told,
       NULL::bigint AS created, NULL::bigint AS updated,
       CASE j.fault WHEN 'list-unknown' THEN (SELECT code_meant(j.list, array_agg(k.list ORDER BY k.list), array_agg(k.name ORDER BY k.list)) FROM reference_list k) END AS suggestion
FROM   judged j
WHERE  j.fault IS NOT NULL
UNION ALL
SELECT NULL, NULL, NULL, NULL, NULL, (SELECT count(*) FROM made), (SELECT count(*) FROM changed), NULL
ORDER  BY place NULLS LAST
