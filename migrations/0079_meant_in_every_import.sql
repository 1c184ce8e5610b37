-- SPDX-License-Identifier: Apache-2.0
-- What may have been meant by a code or a NIP that nothing has, for every import. See docs/import.md.

SELECT show_limit(); -- so that pg_trgm is there

CREATE FUNCTION code_meant(told text, codes text[], names text[]) RETURNS text
LANGUAGE plpgsql STABLE STRICT AS $$
BEGIN
    RETURN (SELECT n.code
            FROM   (SELECT c.code, c.nth, levenshtein(lower(c.code), lower(left(told, 200))) <= 1 AS is_slip,
                           greatest(similarity(lower(c.code), lower(told)), similarity(lower(c.name), lower(told))) AS likeness
                    FROM   unnest(codes, names) WITH ORDINALITY AS c (code, name, nth)) n
            WHERE  n.is_slip OR n.likeness > 0.25
            ORDER  BY n.is_slip DESC, n.likeness DESC, n.nth LIMIT 1);
END $$;
COMMENT ON FUNCTION code_meant(text, text[], text[]) IS
    'Of these codes with their names the one that may have been meant: what differs by case or one slip before what is most like it. Null: none is near.';

-- By index: a NIP has 179 neighbours by one slip.
CREATE FUNCTION nip_meant(told text, units ltree[]) RETURNS text
LANGUAGE plpgsql STABLE STRICT AS $$
DECLARE
    found text[];
BEGIN
    IF told !~ '^[0-9]{18}$' THEN
        RETURN NULL;
    END IF;
    found := ARRAY(SELECT a.nip
                   FROM   asn a JOIN unit u ON u.id = a.unit_id
                   WHERE  a.nip = ANY (word_slips(told, '') || ARRAY(SELECT left(told, p - 1) || d || substr(told, p + 1) FROM generate_series(1, 18) p, generate_series(0, 9) d))
                          AND u.path <@ ANY (units)
                   LIMIT  2);
    RETURN CASE WHEN cardinality(found) = 1 THEN found[1] END;
END $$;
COMMENT ON FUNCTION nip_meant(text, ltree[]) IS 'The one NIP, of people of these units, that differs from what was told by one digit or by two neighbours that changed places; null: none, or several.';

SELECT audit_attach();
SELECT row_security_attach();
