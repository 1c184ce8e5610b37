-- Import of days at work. The stage holds one batch: all fields are text, NULL = the file does not say, '' = it says: empty.

-- name: importPresence.stage
CREATE TEMPORARY TABLE IF NOT EXISTS import_stage_presence (
    place bigint, line bigint, is_refused boolean, nip text, month text, present text, late text, absent text, source text, id uuid
) ON COMMIT DELETE ROWS

-- A row is known by person and month. What a file does not say of late and absent days stays, and is 0 where nothing was known.
-- name: importPresence.merge
-- timeout: 600000
WITH laid AS (
    SELECT s.place, s.line, s.is_refused, s.nip, s.id, n.id AS asn_id, s.month::date AS month, coalesce(nullif(s.source, ''), :actor_name) AS source,
           nullif(s.present, '')::integer AS present, nullif(s.late, '')::integer AS late, nullif(s.absent, '')::integer AS absent
    FROM   import_stage_presence s
    LEFT   JOIN LATERAL (SELECT a.id FROM asn a JOIN unit u ON u.id = a.unit_id
                         WHERE  a.id = asn_of_nip(nullif(s.nip, '')) AND u.path <@ ANY (:actor_units::ltree[])) n ON true
), known AS (
    SELECT l.place, l.line, l.is_refused, l.nip, l.id, l.asn_id, l.month, l.source, l.present, coalesce(l.late, o.late, 0) AS late, coalesce(l.absent, o.absent, 0) AS absent,
           o.id AS old_id
    FROM   laid l
    LEFT   JOIN presence_month o ON o.asn_id = l.asn_id AND o.month = l.month
), weighed AS (
    SELECT k.*, concat_ws(' ', k.asn_id, k.month) AS key,
           CASE WHEN k.asn_id IS NULL THEN 'person-unknown'
                WHEN k.asn_id = (SELECT asn_of_nip(:actor_nip::text)) THEN 'own-record'
                WHEN (k.month + interval '1 month')::date > local_today() THEN 'month-ahead'
                WHEN k.late > k.present OR k.present + k.absent > extract(day FROM k.month + interval '1 month' - interval '1 day') THEN 'days-disagree' END AS own_fault
    FROM   known k
    WHERE  k.month IS NOT NULL OR k.asn_id IS NULL
), judged AS (
    SELECT w.*, coalesce(e.line, first_value(w.line) OVER same) AS first_line,
           coalesce(w.own_fault, CASE WHEN NOT w.is_refused AND (e.line IS NOT NULL OR row_number() OVER same > 1) THEN 'duplicate-row' END) AS fault
    FROM   weighed w
    LEFT   JOIN import_seen e ON e.key = w.key
    WINDOW same AS (PARTITION BY w.key, w.is_refused OR w.own_fault IS NOT NULL ORDER BY w.place)
), meant AS MATERIALIZED (
    SELECT w.told, nip_meant(w.told, :actor_units::ltree[]) AS nip
    FROM   (SELECT DISTINCT j.nip AS told FROM judged j WHERE j.fault = 'person-unknown' LIMIT 200) w
), good AS (
    SELECT j.* FROM judged j WHERE NOT j.is_refused AND j.fault IS NULL
), seen AS (
    INSERT INTO import_seen (key, line) SELECT g.key, g.line FROM good g ON CONFLICT DO NOTHING
), changed AS (
    UPDATE presence_month p
    SET    present = g.present, late = g.late, absent = g.absent, source = g.source, actor_name = :actor_name
    FROM   good g
    WHERE  p.id = g.old_id AND (p.present, p.late, p.absent, p.source) IS DISTINCT FROM (g.present, g.late, g.absent, g.source)
    RETURNING 1
), made AS (
    INSERT INTO presence_month (id, asn_id, month, present, late, absent, source, actor_name)
    SELECT g.id, g.asn_id, g.month, g.present, g.late, g.absent, g.source, :actor_name FROM good g WHERE g.old_id IS NULL ORDER BY g.asn_id, g.month
    ON CONFLICT ON CONSTRAINT presence_month_once DO NOTHING
    RETURNING 1
)
SELECT j.place, CASE j.fault WHEN 'person-unknown' THEN 'nip' WHEN 'own-record' THEN 'nip' WHEN 'days-disagree' THEN 'present' ELSE 'month' END AS "column", j.fault AS code,
       CASE j.fault WHEN 'person-unknown' THEN j.nip WHEN 'own-record' THEN j.nip WHEN 'days-disagree' THEN j.present::text ELSE to_char(j.month, 'YYYY-MM') END AS value,
       CASE j.fault WHEN 'duplicate-row' THEN j.first_line::text END AS told, NULL::bigint AS created, NULL::bigint AS updated,
       CASE j.fault WHEN 'person-unknown' THEN (SELECT m.nip FROM meant m WHERE m.told = j.nip) END AS suggestion
FROM   judged j
WHERE  j.fault IS NOT NULL
UNION ALL
SELECT NULL, NULL, NULL, NULL, NULL, (SELECT count(*) FROM made), (SELECT count(*) FROM changed), NULL
ORDER  BY place NULLS LAST
