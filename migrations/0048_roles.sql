-- SPDX-License-Identifier: Apache-2.0
-- Roles: which keys hold them, what a token last gave its subject, whom a person leads on a day, and where a subject stands to a caller. See docs/access.md.

ALTER TABLE api_key
    ADD COLUMN roles       text[] NOT NULL DEFAULT '{}' CONSTRAINT api_key_roles_length CHECK (cardinality(roles) <= 16),
    ADD COLUMN held_scopes text[] NOT NULL DEFAULT '{}',
    ADD COLUMN held_roles  text[] NOT NULL DEFAULT '{}';
COMMENT ON COLUMN api_key.roles IS 'Roles (access.yaml) that the key holds. Empty of a token: its claims say it, anew with each';
COMMENT ON COLUMN api_key.held_scopes IS 'Of a token''s subject: scopes that the last of his tokens gave; so nobody shuts out one who may more than he';
COMMENT ON COLUMN api_key.held_roles IS 'Of a token''s subject: roles that the last of his tokens gave';

CREATE FUNCTION roles_cover(scopes text[], covers text[], want text[]) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN 'admin' = ANY (scopes) OR want <@ covers;
COMMENT ON FUNCTION roles_cover(text[], text[], text[]) IS 'Whether who holds these scopes, and may give those roles, may give the wanted ones, or take them from somebody.';

CREATE FUNCTION unit_root(path ltree) RETURNS ltree
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN nlevel(path) = 0 THEN path ELSE subpath(path, 0, 1) END;
COMMENT ON FUNCTION unit_root(ltree) IS 'The root of a unit''s tree, which is its agency.';

CREATE FUNCTION units_led(who uuid, at date) RETURNS ltree[]
LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
BEGIN
    RETURN ARRAY(
        SELECT u.path
        FROM   history h
        JOIN   unit u ON u.id = coalesce((h.facts ->> 'unit_id')::uuid,
                                         (SELECT (p.facts ->> 'unit_id')::uuid FROM history p
                                          WHERE  p.asn_id = who AND p.kind = 'placement' AND NOT p.is_void AND p.valid @> at LIMIT 1))
        LEFT   JOIN unit_then t ON t.unit_id = u.id AND t.was_so @> at AND t.stood_there @> at
        WHERE  h.asn_id = who AND h.kind = 'position' AND NOT h.is_void AND h.valid @> at
               AND reference_fold(h.facts ->> 'position') = reference_fold(unit_title(coalesce(t.head_position, u.head_position), coalesce(t.name, u.name)))
               AND EXISTS (SELECT FROM asn a JOIN employed_status e ON e.code = a.legal_status WHERE a.id = who));
END $$;
COMMENT ON FUNCTION units_led(uuid, date) IS
    'Units whose head somebody is on a day, as definitive holder, by extra duty, provisional, acting (plt) or daily acting (plh): each position counts for its own days. Where they stand now.';

CREATE TYPE access_standing AS (path ltree, is_self boolean, is_led boolean, is_assessed boolean, is_colleague boolean, is_within boolean);
COMMENT ON TYPE access_standing IS 'Where a person stands to a caller: the path of the unit, and whether it is the caller himself, one whom he leads, one whom he assesses, a colleague, or one of these units.';

CREATE FUNCTION access_stands(which uuid, from_day date, until_day date, caller text, today date, units ltree[]) RETURNS SETOF access_standing
LANGUAGE plpgsql STABLE PARALLEL SAFE ROWS 1 AS $$
DECLARE
    mine uuid := asn_of_nip(caller);
    own  uuid;
    ret  access_standing;
    unit uuid;
BEGIN
    SELECT u.path, u.id, u.path <@ ANY (units) INTO ret.path, unit, ret.is_within FROM asn a JOIN unit u ON u.id = a.unit_id WHERE a.id = which;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    SELECT a.unit_id INTO own FROM asn a WHERE a.id = mine;
    ret.is_self := which IS NOT DISTINCT FROM mine;
    ret.is_led := NOT ret.is_self AND mine IS NOT NULL AND ret.path <@ ANY (units_led(mine, today));
    ret.is_assessed := NOT ret.is_self AND EXISTS (SELECT FROM skp s WHERE s.asn_id = which AND s.assessor_id = mine AND s.state IN ('approved', 'ended')
                                                                           AND s.starts_on <= until_day AND s.ends_on >= from_day);
    ret.is_colleague := NOT ret.is_self AND mine IS NOT NULL
                        AND (unit = own OR (SELECT u.path FROM unit u WHERE u.id = own) <@ ANY (units_led(which, today)));
    RETURN NEXT ret;
END $$;
COMMENT ON FUNCTION access_stands(uuid, date, date, text, date, ltree[]) IS
    'Where a person stands to the caller with that NIP on a day; who assesses whom goes by the days of the record. No row: there is no such person.';

SELECT audit_attach();
