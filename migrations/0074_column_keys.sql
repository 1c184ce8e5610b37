-- A NIK may be stored sealed under a key that is not in the database (setting column_keys_file). What SQL may know of one stands in clear in its parts:
-- include/asnd/vault.h says which, and tests hold both against each other. Without keys everything is as it was.

CREATE FUNCTION nik_is_sealed(nik text) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN length(nik) = 161 AND left(nik, 3) IN ('~1.', '~m.');
COMMENT ON FUNCTION nik_is_sealed(text) IS 'Whether it is sealed, by its form: ~1.key.holder.hash.near.born.serial.sealed; ~m.: to be opened and masked.';

CREATE FUNCTION nik_key(nik text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN nik_is_sealed(nik) THEN substr(nik, 46, 22) ELSE nik END;
COMMENT ON FUNCTION nik_key(text) IS 'What is the same of the same NIK, whatever it was sealed for and under which key: its keyed hash; of one that is not sealed itself.';

CREATE FUNCTION nik_near(nik text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN nik_is_sealed(nik) THEN substr(nik, 69, 8) || substr(nik, 78, 6) END;
COMMENT ON FUNCTION nik_near(text) IS 'Of a sealed NIK what six to twelve of its digits are looked for by: the keyed hash of its first six, and the next six.';

CREATE FUNCTION nik_born(nik text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN nik_is_sealed(nik) THEN substr(nik, 78, 6) ELSE substr(nik, 7, 6) END;
COMMENT ON FUNCTION nik_born(text) IS 'The digits that tell day of birth and sex.';

CREATE FUNCTION nik_is_held(nik text, holder uuid) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN nik_is_sealed(nik) IS NOT TRUE OR substr(nik, 9, 36) = holder::text;
COMMENT ON FUNCTION nik_is_held(text, uuid) IS 'Whether it was sealed for that record, or is not sealed.';

CREATE FUNCTION member_key(value jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN jsonb_typeof(value) = 'string' AND nik_is_sealed(value #>> '{}') THEN to_jsonb(nik_key(value #>> '{}')) ELSE value END;
COMMENT ON FUNCTION member_key(jsonb) IS 'A member of a record as it is compared: nik_key() of a sealed NIK, else itself.';

CREATE FUNCTION members_keyed(members jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN nik_is_sealed(members ->> 'nik') THEN members || jsonb_build_object('nik', nik_key(members ->> 'nik')) ELSE members END;
COMMENT ON FUNCTION members_keyed(jsonb) IS 'Members of a record as they are compared: member_key() of each.';

-- ── the column ──

ALTER TABLE asn DROP CONSTRAINT asn_nik_form;
ALTER TABLE asn ADD CONSTRAINT asn_nik_form CHECK (nik ~ '^[0-9]{16}$' OR nik ~ '^~1\.[0-9]{4}\.' AND length(nik) = 161 AND substr(nik, 9, 36) = id::text);
COMMENT ON COLUMN asn.nik IS
    'Nomor induk kependudukan, 16 digits, or sealed for this very record under a key outside the database; protected population data (UU 23/2006 Art. 84)';

DROP INDEX asn_nik_idx;
CREATE INDEX asn_nik_key_idx ON asn ((nik_key(nik) COLLATE "C"), nip) WHERE nik IS NOT NULL;
CREATE INDEX asn_nik_near_idx ON asn ((nik_near(nik) COLLATE "C")) WHERE nik_near(nik) IS NOT NULL;

-- ── sealing anew is no change of a record ──

CREATE FUNCTION is_resealing() RETURNS boolean
LANGUAGE sql STABLE PARALLEL SAFE
RETURN coalesce(current_setting('asnd.resealing', true) = 'on', false);
COMMENT ON FUNCTION is_resealing() IS 'Within asnd column-keys apply: versions and the feed of changes stay as they are, for what is stored says the same.';

CREATE OR REPLACE FUNCTION touch_row() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('asnd.resealing', true) = 'on' THEN
        RETURN NEW;
    END IF;
    NEW.version := OLD.version + 1;
    NEW.updated_at := now();
    RETURN NEW;
END $$;

CREATE FUNCTION asn_keep_sealed() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF NOT is_resealing() THEN
        NEW.nik := OLD.nik;
    END IF;
    RETURN NEW;
END $$;
COMMENT ON FUNCTION asn_keep_sealed() IS 'The same NIK stays as it was sealed.';
CREATE TRIGGER asn_05_sealed BEFORE UPDATE ON asn FOR EACH ROW
    WHEN (NEW.nik IS DISTINCT FROM OLD.nik AND nik_is_sealed(OLD.nik) AND nik_key(NEW.nik) = nik_key(OLD.nik)) EXECUTE FUNCTION asn_keep_sealed();

DO $$
DECLARE
    t record;
BEGIN
    FOR t IN SELECT g.tgname, g.tgrelid::regclass AS relation, pg_get_triggerdef(g.oid) AS text
             FROM   pg_trigger g JOIN pg_proc p ON p.oid = g.tgfoid
             WHERE  NOT g.tgisinternal AND g.tgrelid IN ('asn'::regclass, 'change_request'::regclass) AND p.proname LIKE 'change\_note%' AND (g.tgtype & 16) <> 0 LOOP
        EXECUTE format('DROP TRIGGER %I ON %s', t.tgname, t.relation);
        IF t.text LIKE '% WHEN %' THEN
            RAISE EXCEPTION 'trigger % of % has a condition already', t.tgname, t.relation;
        END IF;
        EXECUTE replace(t.text, ' EXECUTE FUNCTION', ' WHEN (NOT is_resealing()) EXECUTE FUNCTION');
    END LOOP;
END $$;

-- ── what looks at a NIK ──

CREATE OR REPLACE FUNCTION nik_faults(nik text, birth_date date, sex text) RETURNS text[]
LANGUAGE sql STABLE PARALLEL SAFE
RETURN CASE WHEN nik IS NULL THEN '{NIK_MISSING}'::text[]
            WHEN CASE WHEN nik_is_sealed(nik) THEN substr(nik, 85, 1) = '0' ELSE nik !~ '^[0-9]{16}$' OR nik ~ '0000$' END THEN '{NIK_FORM}'
            ELSE array_remove(ARRAY[CASE WHEN left(nik_born(nik), 2)::integer % 40 <> extract(day FROM birth_date) OR substr(nik_born(nik), 3, 4) <> to_char(birth_date, 'MMYY')
                                         THEN 'NIK_BIRTH' END,
                                    CASE WHEN (left(nik_born(nik), 2)::integer > 40) <> (sex = 'F') THEN 'NIK_SEX' END], NULL) END;

CREATE OR REPLACE FUNCTION nik_masked(nik text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN nik_is_sealed(nik) THEN '~m' || substr(nik, 3)
            WHEN length(nik) > 4 THEN left(nik, 2) || repeat('*', length(nik) - 4) || right(nik, 2) ELSE repeat('*', length(nik)) END;
COMMENT ON FUNCTION nik_masked(text) IS 'As x-mask of the contract has it in lists: two digits at both ends. A sealed one is marked, and masked where it is opened.';

CREATE OR REPLACE FUNCTION audit_hash(value text, secret bytea) RETURNS text
LANGUAGE sql IMMUTABLE STRICT
RETURN '#' || left(encode(public.hmac(convert_to(public.nik_key(value), 'UTF8'), secret, 'sha256'), 'hex'), 32);
COMMENT ON FUNCTION audit_hash(text, bytea) IS 'audit_hash() under a key that was looked up once for many values. Of a sealed NIK its keyed hash counts: the same NIK has the same one.';

-- A search comes as digits~mark, if there are keys: the mark is what the daemon made of the digits under its own key.
CREATE OR REPLACE FUNCTION number_sought(q text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN q ~ '^[0-9 ]*[0-9][0-9 ]*(~[A-Za-z0-9_-]+)?$' THEN replace(split_part(q, '~', 1), ' ', '') END;

CREATE FUNCTION asn_of_number(digits text, scopes text[], q text) RETURNS uuid[]
LANGUAGE plpgsql STABLE SET enable_seqscan = off AS $$
DECLARE
    mark text := split_part(q, '~', 2);
BEGIN
    IF length(digits) < 4 THEN
        RETURN '{}';
    END IF;
    RETURN ARRAY(SELECT h.asn_id FROM history h
                 WHERE  h.kind = 'nip' AND NOT h.is_void AND h.facts ->> 'nip' >= digits AND h.facts ->> 'nip' <= rpad(digits, 18, '9')
                 UNION
                 SELECT m.asn_id FROM asn_merge m WHERE m.undone_at IS NULL AND length(digits) = 18 AND m.nips @> ARRAY[digits]
                 UNION
                 SELECT a.id FROM asn a WHERE scope_held(scopes, 'asn.sensitive') AND a.nik IS NOT NULL
                                              AND nik_key(a.nik) COLLATE "C" >= digits AND nik_key(a.nik) COLLATE "C" <= rpad(digits, 16, '9') AND NOT nik_is_sealed(a.nik)
                 UNION
                 SELECT a.id FROM asn a WHERE length(mark) = 22 AND scope_held(scopes, 'asn.sensitive') AND a.nik IS NOT NULL AND nik_key(a.nik) COLLATE "C" = mark
                 UNION
                 SELECT a.id FROM asn a WHERE length(mark) BETWEEN 8 AND 14 AND scope_held(scopes, 'asn.sensitive') AND nik_near(a.nik) IS NOT NULL
                                              AND nik_near(a.nik) COLLATE "C" >= mark AND nik_near(a.nik) COLLATE "C" <= rpad(mark, 14, '9'));
END $$;
COMMENT ON FUNCTION asn_of_number(text, text[], text) IS
    'Whom a number finds beside the NIP of today that begins so: an old NIP that does, a whole NIP of a record that was merged, and, for callers with asn.sensitive alone, a NIK; one that is sealed by six to twelve of its digits or all of them (the mark in q).';
DROP FUNCTION asn_of_number(text, text[]);

DO $$
DECLARE
    f record;
    n integer := 0;
BEGIN
    FOR f IN SELECT p.oid::regprocedure AS name, pg_get_functiondef(p.oid) AS was FROM pg_proc p
             WHERE  p.pronamespace = 'public'::regnamespace AND p.proname IN ('asn_search', 'asn_sought', 'doubles_of', 'doubles_near') LOOP
        EXECUTE replace(replace(replace(f.was, 'asn_of_number(digits, scopes)', 'asn_of_number(digits, scopes, q)'),
                                'n.nik = (me).nik', 'n.nik IS NOT NULL AND nik_key(n.nik) COLLATE "C" = nik_key((me).nik)'),
                        'n.nik = p.nik', 'n.nik IS NOT NULL AND nik_key(n.nik) COLLATE "C" = nik_key(p.nik)');
        IF pg_get_functiondef(f.name::oid) = f.was THEN
            RAISE EXCEPTION '% does not look at a NIK as it is known to', f.name;
        END IF;
        n := n + 1;
    END LOOP;
    IF n <> 5 THEN
        RAISE EXCEPTION 'five functions look at a NIK, not %', n;
    END IF;
END $$;

SELECT audit_attach();
SELECT row_security_attach();
