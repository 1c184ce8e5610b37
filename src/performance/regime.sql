-- Records of the regimes before 2022, worked out by the rule of their own regime (src/performance/regime.c). Nothing is stored, nothing converted.

-- name: workOutRegime
SELECT :regime::text AS regime, :regime_skp::numeric AS skp, :regime_behaviour::numeric AS behaviour, :regime_value::numeric AS value,
       :regime_predicate::text AS predicate, :regime_parts::jsonb AS parts

-- name: getHistoryRegime.row
SELECT h.facts ->> 'regime' AS regime, h.facts ->> 'value' AS value
FROM   history_entry h
WHERE  h.id = :history_id AND h._asn_id = (SELECT asn_of_nip(:nip)) AND h.kind = 'performance' AND h._unit_path <@ ANY (:actor_units::ltree[])

-- agrees: the predicate on the document is one that the rule gives; null where there is none of either.
-- name: getHistoryRegime.reply
SELECT h.id AS history_id, h.facts ->> 'regime' AS regime, (h.facts ->> 'year')::integer AS year, (h.facts ->> 'value')::numeric AS value,
       h.facts ->> 'predicate' AS predicate, :regime_readings::jsonb AS readings,
       CASE WHEN h.facts ->> 'predicate' IS NOT NULL AND :regime_readings::jsonb <> '[]'
            THEN EXISTS (SELECT FROM jsonb_array_elements(:regime_readings::jsonb) AS r (v)
                         WHERE  reference_fold(r.v ->> 'predicate') = reference_fold(h.facts ->> 'predicate')) END AS agrees
FROM   history_entry h
WHERE  h.id = :history_id
