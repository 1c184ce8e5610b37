-- What is shown a second time, or in another place, is shown by what the caller may see now, and noted as any reading is. See docs/audit.md and docs/personal-data.md.

ALTER TABLE idempotency ADD COLUMN grant_hash text, ADD COLUMN shows_sensitive boolean NOT NULL DEFAULT true;
COMMENT ON COLUMN idempotency.grant_hash IS 'SHA-256 of the scopes, units and NIP of the caller when he was answered: whoever may see something else today is not given this answer; null: kept by an earlier release';
COMMENT ON COLUMN idempotency.shows_sensitive IS 'Whether the answer was a reading of something sensitive: then so is giving it again';

CREATE FUNCTION change_request_guarded(record jsonb, history jsonb, scopes text[], guarded text[]) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN members_guarded(record, scopes, guarded) OR coalesce(history ->> 'kind' = 'discipline', false);
COMMENT ON FUNCTION change_request_guarded(jsonb, jsonb, text[], text[]) IS 'Whether a proposal shows one of these members, or a row of discipline: then a reading of it is noted.';

-- ── needs of many ────────────────────────────────────────────────────────────────────────────────────────────────────────

-- Who holds the same post in the same unit needs the same, so that is looked for once; and levels are read in one go, not person by person.
CREATE FUNCTION competency_gaps_of(who uuid[], units uuid[], kinds text[], posts text[], grades text[], at date)
RETURNS TABLE (asn_id uuid, competency text, family text, name text, name_en text, assessed integer, gap integer, standing text)
LANGUAGE plpgsql STABLE ROWS 1000 SET enable_nestloop = off SET enable_mergejoin = off AS $$
BEGIN
    RETURN QUERY
    WITH people AS MATERIALIZED (
        SELECT p.id, p.unit, p.kind, p.post, p.grade, ARRAY[p.unit::text, p.kind, p.post, p.grade] AS place FROM unnest(who, units, kinds, posts, grades) AS p (id, unit, kind, post, grade)
    ), required AS MATERIALIZED (
        SELECT t.place, n.competency, n.level
        FROM   (SELECT DISTINCT p.place, p.unit, p.kind, p.post, p.grade FROM people p) t
        CROSS  JOIN LATERAL competency_required(t.unit, t.kind, t.post, t.grade, at) n
    ), named AS MATERIALIZED (
        SELECT DISTINCT ON (f.code) f.code, f.parent, f.name, f.name_en
        FROM   reference f
        WHERE  f.list = 'competency-standard' AND f.code = ANY (ARRAY(SELECT DISTINCT n.competency FROM required n))
        ORDER  BY f.code, f.valid @> at DESC, f.valid DESC
    ), found AS MATERIALIZED (
        SELECT DISTINCT ON (t.asn_id, l.key) t.asn_id, l.key, l.value::integer AS level, coalesce(t.valid_until > at, true) AS holds
        FROM   competency_assessment t CROSS JOIN LATERAL jsonb_each_text(t.levels) AS l
        WHERE  t.asn_id = ANY (who) AND NOT t.is_void AND t.assessed_on <= at
        ORDER  BY t.asn_id, l.key, coalesce(t.valid_until > at, true) DESC, t.assessed_on DESC, t.id DESC
    )
    SELECT p.id, r.competency, c.parent, c.name, c.name_en, CASE WHEN a.holds THEN a.level END, CASE WHEN a.holds THEN greatest(r.level - a.level, 0) END,
           CASE WHEN a.asn_id IS NULL THEN 'missing' WHEN NOT a.holds THEN 'expired' WHEN a.level < r.level THEN 'gap' ELSE 'met' END
    FROM   people p
    JOIN   required r ON r.place = p.place
    JOIN   named c ON c.code = r.competency
    LEFT   JOIN found a ON a.asn_id = p.id AND a.key = r.competency;
END $$;
COMMENT ON FUNCTION competency_gaps_of(uuid[], uuid[], text[], text[], text[], date) IS
    'competency_gaps() of many people at once, in short: who, with the unit, kind, folded name and level of each one''s post. See docs/needs.md.';
