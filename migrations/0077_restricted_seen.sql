-- Whoever reads a person whose data are restricted is told so, and is not shown what is sensitive, unless it is the personnel office or the person. See docs/personal-data.md.

CREATE VIEW restricted_now AS
SELECT r.asn_id FROM restriction r WHERE r.starts <= local_today() AND (r.ends IS NULL OR r.ends > local_today());
COMMENT ON VIEW restricted_now IS 'Whose data are restricted today.';

CREATE FUNCTION restriction_hides(who uuid, scopes text[], own_nip text) RETURNS boolean
LANGUAGE sql STABLE
RETURN NOT scope_held(scopes, 'privacy.restrict') AND EXISTS (SELECT FROM restricted_now n WHERE n.asn_id = who) AND (own_nip IS NULL OR who IS DISTINCT FROM asn_of_nip(own_nip));
COMMENT ON FUNCTION restriction_hides(uuid, text[], text) IS
    'Whether what is sensitive of a person is kept from a caller with these scopes, because it is restricted: from whoever lacks privacy.restrict and is not that person.';

CREATE FUNCTION restricted_scopes(who uuid, scopes text[], own_nip text) RETURNS text[]
LANGUAGE sql STABLE
RETURN CASE WHEN restriction_hides(who, scopes, own_nip) THEN ARRAY(SELECT s FROM unnest(scopes) s WHERE s NOT IN ('asn.sensitive', 'asn.discipline')) ELSE scopes END;
COMMENT ON FUNCTION restricted_scopes(uuid, text[], text) IS 'The scopes that count before a person''s rows: without those that show what is sensitive, where restriction_hides().';

SELECT row_security_attach();
