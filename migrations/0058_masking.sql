-- What is personal shows less: a NIK in part, and of people beyond the caller's units whether they are there only where the record knows them anyway.

CREATE FUNCTION nik_masked(nik text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN length(nik) > 4 THEN left(nik, 2) || repeat('*', length(nik) - 4) || right(nik, 2) ELSE repeat('*', length(nik)) END;
COMMENT ON FUNCTION nik_masked(text) IS 'As x-mask of the contract has it in lists: two digits at both ends.';

CREATE FUNCTION members_masked(members jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN members ->> 'nik' IS NOT NULL THEN members || jsonb_build_object('nik', nik_masked(members ->> 'nik')) ELSE members END;
COMMENT ON FUNCTION members_masked(jsonb) IS 'Members of a record with the NIK masked.';

CREATE FUNCTION members_listed(members jsonb, scopes text[]) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN members_masked(members_told(members, scopes));
COMMENT ON FUNCTION members_listed(jsonb, text[]) IS 'members_told() as lists have it.';

CREATE FUNCTION members_guarded(members jsonb, scopes text[], guarded text[]) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN coalesce(members ?| guarded, false) AND scope_held(scopes, 'asn.sensitive');
COMMENT ON FUNCTION members_guarded(jsonb, text[], text[]) IS 'Whether members_told() shows one of these: then a reading of it is noted.';

CREATE FUNCTION superior_known(candidate uuid, person uuid, units ltree[], at date) RETURNS boolean
LANGUAGE sql STABLE
RETURN EXISTS (SELECT FROM asn a JOIN unit u ON u.id = a.unit_id WHERE a.id = candidate AND u.path <@ ANY (units))
    OR EXISTS (SELECT FROM skp s WHERE s.asn_id = person AND s.assessor_id = candidate)
    OR EXISTS (SELECT FROM development_plan p WHERE p.asn_id = person AND p.superior_id = candidate)
    OR EXISTS (SELECT FROM asn a JOIN unit u ON u.id = a.unit_id
               WHERE a.id = person AND (u.path <@ ANY (units_led(candidate, local_today())) OR u.path <@ ANY (units_led(candidate, at))));
COMMENT ON FUNCTION superior_known(uuid, uuid, ltree[], date) IS
    'Whether a caller of these units may name somebody as superior of a person: one of the units, who leads the person today or on that day, or whom the person''s records name already. Anybody else is as if he were not there.';

SELECT audit_quietly('{row_definer}', $q$
    INSERT INTO row_definer VALUES ('superior_known', 'A superior may stand in another unit; gives a boolean')
$q$);

SELECT audit_attach();
SELECT row_security_attach();
