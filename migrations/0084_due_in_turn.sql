-- Who changes a rule works everybody out anew by what he sees (0012), and whoever changes a person meanwhile does so by the rule of before: each wrote the row of another rule,
-- and one person fell due twice for ever. So a rule waits for the people who are being written, and they for the rule.

CREATE OR REPLACE FUNCTION due_refresh(people uuid[]) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(1918, 12);
    WITH told AS MATERIALIZED (
        SELECT t.asn_id, t.list, t.rule, t.rule_from, t.unit_id, t.level, t.basis, t.due_on, t.missing FROM due_told t WHERE t.asn_id = ANY (people)
    ), gone AS (
        DELETE FROM due d
        WHERE  d.asn_id = ANY (people) AND NOT EXISTS (SELECT FROM told t WHERE (t.asn_id, t.list, t.rule) = (d.asn_id, d.list, d.rule))
    )
    INSERT INTO due AS d (asn_id, list, rule, rule_from, unit_id, level, basis, due_on, missing)
    SELECT t.* FROM told t
    ON     CONFLICT (asn_id, list, rule) DO UPDATE
    SET    (rule_from, unit_id, level, basis, due_on, missing)
         = (EXCLUDED.rule_from, EXCLUDED.unit_id, EXCLUDED.level, EXCLUDED.basis, EXCLUDED.due_on, EXCLUDED.missing)
    WHERE  (d.rule_from, d.unit_id, d.level, d.basis, d.due_on, d.missing)
           IS DISTINCT FROM (EXCLUDED.rule_from, EXCLUDED.unit_id, EXCLUDED.level, EXCLUDED.basis, EXCLUDED.due_on, EXCLUDED.missing);
END $$;

CREATE OR REPLACE FUNCTION due_begin(people uuid[]) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(1918, 12);
    INSERT INTO due (asn_id, list, rule, rule_from, unit_id, level, basis, due_on, missing)
    SELECT t.asn_id, t.list, t.rule, t.rule_from, t.unit_id, t.level, t.basis, t.due_on, t.missing FROM due_told t WHERE t.asn_id = ANY (people);
END $$;

CREATE FUNCTION due_refresh_all() RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(1918, 12);
    PERFORM due_refresh(array_agg(a.id)) FROM asn a HAVING count(*) > 0;
END $$;
COMMENT ON FUNCTION due_refresh_all() IS 'Works everybody out anew, when nobody is being written.';

CREATE OR REPLACE FUNCTION due_rules_changed() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM due_refresh_all();
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION reference_keep_due() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM entered e WHERE e.list IN ('echelon', 'functional-level', 'position-level', 'legal-status')) THEN
        PERFORM due_refresh_all();
    END IF;
    RETURN NULL;
END $$;

-- What was written twice before.
DELETE FROM due d
USING  (SELECT t.asn_id, t.list FROM due t GROUP BY t.asn_id, t.list HAVING count(*) > 1) m
WHERE  (d.asn_id, d.list) = (m.asn_id, m.list) AND NOT EXISTS (SELECT FROM due_told t WHERE (t.asn_id, t.list, t.rule) = (d.asn_id, d.list, d.rule));

SELECT row_security_attach();
