-- When a key, a token or a machine was in wrong hands: whose data it was shown or changed, and what the people are told (UU 27/2022, article 46). See docs/personal-data.md.

CREATE FUNCTION exposure_bounded(who text, since timestamptz, until timestamptz) RETURNS boolean
LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF since >= until OR until - since > (CASE WHEN exposure_is_address(who) THEN interval '31 days' ELSE interval '366 days' END) THEN
        RAISE EXCEPTION USING ERRCODE = 'P0001', CONSTRAINT = 'exposure_range', MESSAGE = 'the time is too long to look through, or ends before it begins';
    END IF;
    RETURN true;
END $$;
COMMENT ON FUNCTION exposure_bounded(text, timestamptz, timestamptz) IS 'True, or refused: of a year entries are found by actor, by address only of a month.';

CREATE FUNCTION exposure_is_address(who text) RETURNS boolean
LANGUAGE sql IMMUTABLE STRICT
RETURN who ~ '^[0-9a-fA-F.:]+$' AND who !~ '^db:';
COMMENT ON FUNCTION exposure_is_address(text) IS 'Whether it is the address of a client and not an actor.';

CREATE FUNCTION exposure_entries(who text, since timestamptz, until timestamptz)
RETURNS TABLE (id bigint, at timestamptz, people uuid[], n bigint, members text[], operation text)
LANGUAGE sql STABLE AS $$
    SELECT e.id, e.at, coalesce(e.people, array_remove(ARRAY[e.asn_id], NULL)), coalesce(c.count, 0),
           CASE WHEN c.action = 'read' THEN coalesce(c.members, '{}') ELSE ARRAY(SELECT jsonb_object_keys(coalesce(c.before, '{}') || coalesce(c.after, '{}'))) END, e.operation
    FROM   (SELECT x.* FROM audit_entry x WHERE x.actor = who AND x.at >= since AND x.at < until
            UNION ALL
            SELECT x.* FROM audit_entry x WHERE exposure_is_address(who) AND x.at >= since AND x.at < until AND x.content::jsonb ->> 'client' = who) e
    CROSS  JOIN LATERAL jsonb_to_record(e.content::jsonb) AS c (action text, members text[], count bigint, before jsonb, after jsonb)
    WHERE  exposure_bounded(who, since, until)
$$;
COMMENT ON FUNCTION exposure_entries(text, timestamptz, timestamptz) IS 'What an actor, or whoever came from an address, was shown or changed in that time, and whose data. people is empty where there were too many to be kept one by one: n says how many.';

CREATE FUNCTION exposure_notice(name text, nip text, members text[], first timestamptz, last timestamptz, how text, handling text) RETURNS text
LANGUAGE sql STABLE
RETURN format(E'Kepada Yth. %s (NIP %s)\n\nBerdasarkan Pasal 46 UU Nomor 27 Tahun 2022 tentang Pelindungan Data Pribadi, dengan ini kami memberitahukan terjadinya kegagalan pelindungan data pribadi yang menyangkut Saudara.\n\n'
              'Data yang terungkap: %s.\nWaktu: %s sampai %s.\nBagaimana terjadinya: %s\nPenanganan dan pemulihan: %s\n\n'
              'Pemberitahuan ini disampaikan paling lambat 3 x 24 jam sejak kegagalan diketahui.',
              name, nip, coalesce(nullif(array_to_string(members, ', '), ''), 'seluruh isi data'), to_char(first, 'DD-MM-YYYY HH24:MI TZ'), to_char(last, 'DD-MM-YYYY HH24:MI TZ'),
              coalesce(how, '................'), coalesce(handling, '................'));
COMMENT ON FUNCTION exposure_notice(text, text, text[], timestamptz, timestamptz, text, text) IS
    'The notice of a breach to one person, in Indonesian: which data, when and how, what is done about it. What is not known yet is dots to be filled in.';

SELECT audit_attach();
SELECT row_security_attach();
