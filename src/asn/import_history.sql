-- Import of histories. The stage holds one batch: all fields are text, NULL = the file does not say; entry is the row as createHistory's body.

-- name: importHistory.stage
CREATE TEMPORARY TABLE IF NOT EXISTS import_stage_history (
    place bigint, line bigint, is_refused boolean, nip text, kind text, "from" text, "to" text, decree_number text, decree_date text,
    decree_signatory text, source text, remote_id text, note text, unit_code text, appointment text, rank text, promotion_kind text,
    service_years text, service_months text, credit text, is_demotion text, assignment text, position_kind text, "position" text, echelon text,
    functional_level text, unit_id text, education_level text, field text, school text, graduated_on text, certificate_number text, is_first text,
    title_front text, title_back text, legal_status text, years text, months text, basis text, main text, additional text, total text, "name" text,
    form text, organiser text, jp text, certificate_date text, regime text, "year" text, "value" text, results text, behaviour text, predicate text,
    assessor text, discipline_level text, punishment text, violation text, award text, grounds text, funding text, direction text, agency text,
    "number" text, new_nip text, id uuid, entry jsonb
) ON COMMIT DELETE ROWS

-- The people of the batch, in one order for all; and what overlaps is seen when the batch is settled.
-- name: importHistory.lock
-- write: true
SELECT history_await(ARRAY(SELECT s.nip FROM import_stage_history s WHERE NOT s.is_refused))

-- Later rows first: then each finds the next of its track, and its end need not be written twice.
-- name: importHistory.merge
-- timeout: 600000
-- write: true
WITH taken AS MATERIALIZED (
    SELECT s.place, t.*
    FROM   (SELECT s.*, u.id AS told_unit
            FROM   import_stage_history s
            LEFT   JOIN unit u ON u.code = s.unit_code AND u.path <@ ANY (:actor_units::ltree[])
            WHERE  NOT s.is_refused
            ORDER  BY s.nip, s.kind, s."from" DESC, s.place
            OFFSET 0) s
    CROSS  JOIN LATERAL history_take(s.id, s.nip, :actor_units::ltree[], :scopes::text[],
                                     CASE WHEN s.unit_code IS NULL OR s.unit_id IS NOT NULL THEN s.entry
                                          WHEN s.told_unit IS NULL THEN s.entry ELSE jsonb_set(s.entry, '{facts,unit_id}', to_jsonb(s.told_unit)) END,
                                     :actor_key, :actor_name) t
)
SELECT t.place, CASE WHEN t.pointer LIKE '/facts/unit_id' THEN 'unit_code' WHEN t.pointer LIKE '/facts/%' THEN substr(t.pointer, 8) ELSE substr(t.pointer, 2) END AS "column",
       t.problem AS code, t.value, t.told_more AS told, NULL::bigint AS created, NULL::bigint AS updated
FROM   taken t
WHERE  t.problem IS NOT NULL
UNION ALL
SELECT NULL, NULL, NULL, NULL, NULL, count(*) FILTER (WHERE t.outcome = 'created'), count(*) FILTER (WHERE t.outcome = 'updated') FROM taken t
ORDER  BY place NULLS LAST

-- name: importHistory.settle
-- write: true
SELECT history_settle(ARRAY(SELECT DISTINCT a.id FROM import_stage_history s JOIN asn a ON a.nip = s.nip WHERE NOT s.is_refused))
