-- SPDX-License-Identifier: Apache-2.0
-- What a start has prepared against this schema and found right, so that the next start of the same program need not (decision 17). And rows that migrations write
-- about the schema leave no entries.

CREATE FUNCTION audit_quietly(relations regclass[], statement text) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    t record;
BEGIN
    FOR t IN SELECT g.tgrelid::regclass AS me, g.tgname FROM pg_trigger g WHERE g.tgrelid = ANY (relations) AND g.tgname ~ '_90_audit_' LOOP
        EXECUTE format('ALTER TABLE %s DISABLE TRIGGER %I', t.me, t.tgname);
    END LOOP;
    EXECUTE statement;
    FOR t IN SELECT g.tgrelid::regclass AS me, g.tgname FROM pg_trigger g WHERE g.tgrelid = ANY (relations) AND g.tgname ~ '_90_audit_' LOOP
        EXECUTE format('ALTER TABLE %s ENABLE TRIGGER %I', t.me, t.tgname);
    END LOOP;
END $$;
COMMENT ON FUNCTION audit_quietly(regclass[], text) IS
    'A statement of a migration that writes rows about the schema, in these tables: the migration itself tells of them. Only the owner of the tables may.';

CREATE TABLE checked_start (
    program    text        NOT NULL,
    catalog    text        NOT NULL,
    checked_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT checked_start_pkey PRIMARY KEY (program, catalog)
);
COMMENT ON TABLE checked_start IS 'Programs whose statements have all been prepared against a catalog without a fault.';
COMMENT ON COLUMN checked_start.program IS 'Digest of the program, its contract and its matrix of roles';
COMMENT ON COLUMN checked_start.catalog IS 'catalog_fingerprint() then';
COMMENT ON COLUMN checked_start.checked_at IS 'When the last of its statements had been prepared';

-- A row of the catalog that is written anew has another xmin, whoever writes it and whatever for; statistics alone are written in place.
CREATE FUNCTION catalog_fingerprint() RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
    WITH class AS (SELECT c.oid, c.xmin, c.reltype FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace),
         part (what, key, xmin) AS (
        SELECT 1, c.oid::bigint, c.xmin FROM class c
        UNION ALL
        SELECT 2, a.attrelid::bigint << 16 | a.attnum + 32768, a.xmin FROM pg_attribute a JOIN class c ON c.oid = a.attrelid
        UNION ALL
        SELECT 3, p.oid::bigint, p.xmin FROM pg_proc p WHERE p.pronamespace = 'public'::regnamespace
        UNION ALL
        SELECT 4, t.oid::bigint, t.xmin FROM pg_type t WHERE t.typnamespace = 'public'::regnamespace
        UNION ALL
        SELECT 5, e.oid::bigint, e.xmin FROM pg_enum e
        UNION ALL
        SELECT 6, r.oid::bigint, r.xmin FROM pg_rewrite r JOIN class c ON c.oid = r.ev_class
        UNION ALL
        SELECT 7, o.oid::bigint, o.xmin FROM pg_operator o WHERE o.oprnamespace = 'public'::regnamespace
        UNION ALL
        SELECT 8, x.oid::bigint, x.xmin FROM pg_cast x
        UNION ALL
        SELECT 9, x.oid::bigint, x.xmin FROM pg_extension x
        UNION ALL
        SELECT 10, i.indexrelid::bigint, i.xmin FROM pg_index i JOIN class c ON c.oid = i.indrelid
        UNION ALL
        SELECT 11, s.setrole::bigint, s.xmin FROM pg_db_role_setting s
        WHERE  s.setdatabase IN (0, (SELECT d.oid FROM pg_database d WHERE d.datname = current_database())))
    SELECT concat_ws('/', current_setting('server_version_num'), current_setting('search_path'), count(*),
                     sum(hashint8extended(p.key, p.what)::numeric * hashint8extended(p.xmin::text::bigint, p.what)))
    FROM   part p
$$;
COMMENT ON FUNCTION catalog_fingerprint() IS 'Another text as soon as anything of the catalog changes that a statement is parsed by.';

SELECT audit_quietly('{audit_exempt}', $q$
    INSERT INTO audit_exempt (relation, reason) VALUES ('checked_start', 'The engine''s own: what a start has found right')
$q$);

SELECT audit_attach();
SELECT row_security_attach();
