-- The same entries for less: what a trigger function notes is one statement without parameters, members are written as text, and only JSON that has a sensitive member
-- at whatever depth is taken apart. Figures: docs/performance.md.

CREATE FUNCTION audit_secret() RETURNS bytea
LANGUAGE sql STABLE
RETURN (SELECT s.value FROM instance_secret s WHERE s.name = 'audit');
COMMENT ON FUNCTION audit_secret() IS 'The key of audit_hash().';

CREATE FUNCTION audit_hash(value text, secret bytea) RETURNS text
LANGUAGE sql IMMUTABLE STRICT
RETURN '#' || left(encode(public.hmac(convert_to(value, 'UTF8'), secret, 'sha256'), 'hex'), 32);
COMMENT ON FUNCTION audit_hash(text, bytea) IS 'audit_hash() under a key that was looked up once for many values.';

CREATE OR REPLACE FUNCTION audit_hash(value text) RETURNS text
LANGUAGE sql STABLE STRICT
RETURN audit_hash(value, audit_secret());

-- In a statement that has no parameters PostgreSQL never weighs a plan of its own against the general one; a sub-select is worked out once.
CREATE FUNCTION audit_sensitive_path() RETURNS text
LANGUAGE sql STABLE
RETURN (SELECT '$.** ? (' || string_agg(format('exists (@.%s)', to_json(c.name)), ' || ' ORDER BY c.name) || ')'
        FROM audit_column c WHERE c.relation = '*' AND c.treatment <> 'omit');
COMMENT ON FUNCTION audit_sensitive_path() IS 'JSON path to whatever has a member that audit_scrub() hashes.';

DROP FUNCTION audit_members(regclass, text, text);
DROP FUNCTION audit_differs(regclass, text, text);
DROP FUNCTION audit_expression(regclass, pg_attribute, text);

CREATE FUNCTION audit_treatment(me regclass, a pg_attribute) RETURNS text
LANGUAGE sql STABLE
RETURN CASE WHEN a.attgenerated <> '' THEN 'omit'
            ELSE (SELECT c.treatment FROM audit_column c WHERE c.name = a.attname AND c.relation IN ('*', me::text) ORDER BY c.relation = '*' LIMIT 1) END;
COMMENT ON FUNCTION audit_treatment(regclass, pg_attribute) IS 'What becomes of a column in entries; null: it stands there as it is.';

-- Without quotes: what is digits or letters only, whatever the value.
CREATE FUNCTION audit_member(me regclass, a pg_attribute, side text) RETURNS text
LANGUAGE sql STABLE
RETURN (SELECT CASE WHEN t.treatment = 'omit' THEN NULL
                    WHEN t.treatment = 'hash' THEN format('%s || public.audit_hash(%s::text, (SELECT public.audit_secret())) || ''"''', quoted, v)
                    WHEN t.treatment = 'hide' THEN format('CASE WHEN %s IS NOT NULL THEN %s || ''***"'' END', v, quoted)
                    WHEN a.atttypid IN ('json'::regtype, 'jsonb'::regtype)
                    THEN format('%s || nullif(jsonb_strip_nulls(CASE WHEN %s::jsonb @? %L THEN public.audit_scrub(%2$s::jsonb) ELSE %2$s::jsonb END), ''null'')::text', plain, v,
                                audit_sensitive_path())
                    WHEN a.atttypid = 'bytea'::regtype THEN format('%s || encode(sha256(%s), ''hex'') || ''"''', quoted, v)
                    WHEN a.atttypid = 'uuid'::regtype THEN format('%s || %s || ''"''', quoted, v)
                    WHEN a.atttypid IN ('bigint'::regtype, 'integer'::regtype, 'smallint'::regtype, 'boolean'::regtype) THEN format('%s || %s::text', plain, v)
                    ELSE format('%s || to_json(%s)', plain, v) END
        FROM   (SELECT audit_treatment(me, a) AS treatment, format('%s.%I', side, a.attname) AS v, format('%L', ',' || to_json(a.attname) || ':') AS plain,
                       format('%L', ',' || to_json(a.attname) || ':"') AS quoted) t);
COMMENT ON FUNCTION audit_member(regclass, pg_attribute, text) IS 'A column as a member of an entry, with a comma before it, as SQL; null: it is left out. side: the name of the row.';

-- A member without a value is null, which concat() leaves out; it takes a hundred arguments at most.
CREATE FUNCTION audit_members(me regclass, side text, other text) RETURNS text
LANGUAGE sql STABLE
RETURN (SELECT format('''{'' || substr(%s, 2) || ''}''', string_agg(part, ' || ' ORDER BY n))
        FROM   (SELECT format('concat(%s)', string_agg(e.told, ', ' ORDER BY e.n)) AS part, min(e.n) AS n
                FROM   (SELECT row_number() OVER (ORDER BY a.attnum) AS n,
                               CASE WHEN other IS NULL THEN x.told
                                    ELSE format('CASE WHEN %1$s.%2$I%5$s IS DISTINCT FROM %3$s.%2$I%5$s THEN %4$s END', side, a.attname, other, x.told,
                                                CASE WHEN a.atttypid IN ('text'::regtype, 'uuid'::regtype, 'bigint'::regtype, 'integer'::regtype, 'smallint'::regtype, 'boolean'::regtype,
                                                                         'date'::regtype, 'timestamptz'::regtype) THEN '' ELSE '::text' END) END AS told
                        FROM   pg_attribute a, LATERAL (SELECT audit_member(me, a, side) AS told) x
                        WHERE  a.attrelid = me AND a.attnum > 0 AND NOT a.attisdropped AND x.told IS NOT NULL) e
                GROUP  BY (e.n - 1) / 90) p);
COMMENT ON FUNCTION audit_members(regclass, text, text) IS 'A row as an entry tells it, as SQL; other: only what differs from that row.';

CREATE FUNCTION audit_differs(me regclass, side text, other text) RETURNS text
LANGUAGE sql STABLE
RETURN (SELECT format('ROW(%s)::record *<> ROW(%s)::record', string_agg(format('%s.%I', side, a.attname), ', ' ORDER BY a.attnum),
                      string_agg(format('%s.%I', other, a.attname), ', ' ORDER BY a.attnum))
        FROM   pg_attribute a WHERE a.attrelid = me AND a.attnum > 0 AND NOT a.attisdropped AND audit_treatment(me, a) IS DISTINCT FROM 'omit');
COMMENT ON FUNCTION audit_differs(regclass, text, text) IS
    'Whether two rows may differ in what entries tell, as SQL: as they are stored, so that it holds for every type and costs next to nothing.';

-- One INSERT a statement, from the transition tables. It has no parameters, and what it joins it can only join by hash or by order (FULL JOIN), so the function needs no
-- settings of its own, which for each call cost as much as a comparison. Every name has its schema instead of a search_path for the same reason.
CREATE OR REPLACE FUNCTION audit_source(me regclass) RETURNS text
LANGUAGE plpgsql STABLE AS $$
DECLARE
    keys    text[] := ARRAY(SELECT a.attname FROM pg_index i JOIN pg_attribute a ON a.attrelid = me AND a.attnum = ANY (i.indkey)
                            WHERE i.indrelid = me AND i.indisprimary ORDER BY array_position(i.indkey, a.attnum));
    entry   text := $e$
        WITH f AS MATERIALIZED (
            SELECT t.moment, ',"at":"' || to_char(t.moment AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') || '","person":' AS at,
                   coalesce(string_to_array(nullif(current_setting('asnd.audit', true), ''), E'\t'), public.audit_facts()) AS me
            FROM   (SELECT clock_timestamp() AS moment OFFSET 0) t
        )
        INSERT INTO public.audit_entry (id, at, asn_id, actor, operation, content)
        SELECT e.id, f.moment, e.person, f.me[1], f.me[2],
               concat('{"id":', e.id, f.at, coalesce('"' || e.person || '"', 'null'), f.me[3], e.act, ',"entity":"%1$s","subject":', to_json(e.subject), ',"before":' || e.was,
                      ',"after":' || e.becomes, '}')
        FROM   f, (SELECT nextval('public.audit_entry_id') AS id, r.* FROM (%2$s OFFSET 0) r%3$s) e;$e$;
    whole   text := 'SELECT '',"action":"%s"'' AS act, %s AS person, concat_ws(''/'', %s) AS subject, %s AS was, %s AS becomes FROM %s';
    changed text;
    subject text;
    by_key  text := (SELECT string_agg(format('%I', k), ', ' ORDER BY n) FROM unnest(keys) WITH ORDINALITY AS u (k, n));
BEGIN
    IF keys = '{}' THEN
        RAISE EXCEPTION 'table % has no primary key: it cannot be audited, nor named in audit_exempt by mistake', me;
    END IF;
    subject := (SELECT string_agg(format('SIDE.%I', k), ', ' ORDER BY n) FROM unnest(keys) WITH ORDINALITY AS u (k, n));
    changed := format('SELECT CASE WHEN o.%1$I IS NULL THEN '',"action":"create"'' WHEN n.%1$I IS NULL THEN '',"action":"delete"'' ELSE '',"action":"update"'' END AS act, '
                      'coalesce(%2$s, %3$s) AS person, concat_ws(''/'', %4$s) AS subject, %5$s AS was, %6$s AS becomes FROM entered n FULL JOIN departed o USING (%7$s) WHERE %8$s',
                      keys[1], audit_person(me, 'n'), audit_person(me, 'o'),
                      (SELECT string_agg(format('coalesce(n.%1$I, o.%1$I)', k), ', ' ORDER BY n) FROM unnest(keys) WITH ORDINALITY AS u (k, n)),
                      audit_members(me, 'o', 'n'), audit_members(me, 'n', 'o'), by_key, audit_differs(me, 'n', 'o'));
    RETURN format($f$
BEGIN
    IF TG_OP = 'INSERT' THEN%s
    ELSIF TG_OP = 'DELETE' THEN%s
    ELSIF EXISTS (SELECT FROM entered n FULL JOIN departed o USING (%s) WHERE %s) THEN%s
    END IF;
    RETURN NULL;
END $f$,
        format(entry, me, format(whole, 'create', audit_person(me, 'n'), replace(subject, 'SIDE', 'n'), 'NULL::text', audit_members(me, 'n', NULL), 'entered n'), ''),
        format(entry, me, format(whole, 'delete', audit_person(me, 'o'), replace(subject, 'SIDE', 'o'), audit_members(me, 'o', NULL), 'NULL::text', 'departed o'), ''),
        by_key, audit_differs(me, 'n', 'o'),
        format(entry, me, changed, E'\n                WHERE r.was <> ''{}'' OR r.becomes <> ''{}'''));
END $$;

-- What the source of a table's trigger function is made from, in few letters: unless that has changed the function is as it should be.
CREATE FUNCTION audit_made_from(me regclass, changes_only boolean, makers text) RETURNS text
LANGUAGE sql STABLE
RETURN (SELECT left(md5(concat(makers, changes_only, string_agg(concat_ws(' ', a.attnum, a.attname, format_type(a.atttypid, NULL), a.attgenerated), ',' ORDER BY a.attnum),
                               (SELECT i.indkey::text FROM pg_index i WHERE i.indrelid = me AND i.indisprimary))), 12)
        FROM pg_attribute a WHERE a.attrelid = me AND a.attnum > 0 AND NOT a.attisdropped);
COMMENT ON FUNCTION audit_made_from(regclass, boolean, text) IS 'A digest of a table''s columns and key; makers: of what else the source depends on.';

CREATE FUNCTION audit_makers() RETURNS text
LANGUAGE sql STABLE
RETURN (SELECT string_agg(pg_get_functiondef(p.oid), '' ORDER BY p.oid::regprocedure::text) FROM pg_proc p
        WHERE p.pronamespace = 'public'::regnamespace AND p.proname IN ('audit_source', 'audit_members', 'audit_member', 'audit_differs', 'audit_person', 'audit_treatment'))
    || (SELECT string_agg(c::text, '' ORDER BY c::text) FROM audit_column c);
COMMENT ON FUNCTION audit_makers() IS 'What makes the source of trigger functions, other than the tables themselves.';

CREATE OR REPLACE FUNCTION audit_attach() RETURNS integer
LANGUAGE plpgsql AS $$
DECLARE
    makers text := audit_makers();
    t record;
    n integer := 0;
BEGIN
    FOR t IN SELECT c.oid::regclass AS me, c.relname AS name, coalesce(x.is_new, false) AS changes_only,
                    format('Notes what a statement did to %s; made by audit_attach() from %s.', c.relname, audit_made_from(c.oid, coalesce(x.is_new, false), makers)) AS comment
             FROM   pg_class c LEFT JOIN audit_exempt x ON x.relation = c.relname
             WHERE  c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND (x.relation IS NULL OR x.is_new)
                    AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')
             ORDER  BY c.relname
    LOOP
        n := n + 1;
        CONTINUE WHEN obj_description(to_regproc(format('%I', 'audit_of_' || t.name)), 'pg_proc') = t.comment
                      AND (SELECT count(*) FROM pg_trigger g WHERE g.tgrelid = t.me AND g.tgfoid = to_regproc(format('%I', 'audit_of_' || t.name)))
                          = CASE WHEN t.changes_only THEN 2 ELSE 3 END;
        EXECUTE format('CREATE OR REPLACE FUNCTION %I() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS %L', 'audit_of_' || t.name, audit_source(t.me));
        EXECUTE format('COMMENT ON FUNCTION %I() IS %L', 'audit_of_' || t.name, t.comment);
        IF NOT t.changes_only THEN
            EXECUTE format('CREATE OR REPLACE TRIGGER %I AFTER INSERT ON %s REFERENCING NEW TABLE AS entered FOR EACH STATEMENT EXECUTE FUNCTION %I()',
                           t.name || '_90_audit_insert', t.me, 'audit_of_' || t.name);
        END IF;
        EXECUTE format('CREATE OR REPLACE TRIGGER %I AFTER UPDATE ON %s REFERENCING NEW TABLE AS entered OLD TABLE AS departed FOR EACH STATEMENT EXECUTE FUNCTION %I()',
                       t.name || '_90_audit_update', t.me, 'audit_of_' || t.name);
        EXECUTE format('CREATE OR REPLACE TRIGGER %I AFTER DELETE ON %s REFERENCING OLD TABLE AS departed FOR EACH STATEMENT EXECUTE FUNCTION %I()',
                       t.name || '_90_audit_delete', t.me, 'audit_of_' || t.name);
    END LOOP;
    RETURN n;
END $$;

-- ── readings that share a commit ─────────────────────────────────────────────────────────────────────────────────────────

-- People are kept one by one up to a number that is a few pages of a list; of more there is how many, and a digest of who.
CREATE FUNCTION audit_read_all(readings jsonb) RETURNS SETOF bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM pg_current_xact_id(); -- before its entries have numbers: audit_seal_block()
    RETURN QUERY
    INSERT INTO audit_entry (id, at, asn_id, actor, operation, people, content)
    SELECT e.id, e.at, e.one, e.me[1], e.me[2], CASE WHEN e.one IS NULL AND e.found <> '{}' THEN e.found END,
           concat('{"id":', e.id, ',"at":"', audit_instant(e.at), '","person":', coalesce('"' || e.one || '"', 'null'), e.me[3], ',"action":"read"',
                  ',"entity":' || to_json(e.what), ',"subject":' || to_json(e.which), ',"members":' || to_json(e.members), ',"count":' || e.people,
                  ',"digest":"' || e.digest || '"', CASE WHEN e.one IS NULL AND e.found <> '{}' THEN ',"people":' || to_json(e.found) END,
                  ',"filter":' || audit_scrub(e.filter - 'q' || CASE WHEN e.filter ? 'q' THEN jsonb_build_object('q', audit_hash(e.filter ->> 'q')) ELSE '{}' END)::text, '}')
    FROM   (SELECT nextval('audit_entry_id') AS id, clock_timestamp() AS at, string_to_array(r.facts, E'\t') AS me, r.what, r.which, r.members::text[] AS members,
                   r.people, r.digest, r.filter, r.found, CASE WHEN cardinality(r.found) = 1 THEN r.found[1] END AS one
            FROM   (SELECT t.*, CASE WHEN t.what = 'document_id' THEN ARRAY(SELECT d.asn_id FROM document d WHERE d.id = t.which::uuid)
                                     WHEN cardinality(t.nips::text[]) = 1 THEN array_remove(ARRAY[asn_of_nip((t.nips::text[])[1])], NULL)
                                     WHEN coalesce(t.people, 0) <= 1000 THEN ARRAY(SELECT a.id FROM asn a WHERE a.nip = ANY (t.nips::text[]) ORDER BY a.id) ELSE '{}' END AS found
                    FROM   jsonb_to_recordset(readings)
                           AS t (facts text, what text, which text, members text, nips text, people bigint, digest text, filter jsonb) OFFSET 0) r
            OFFSET 0) e
    RETURNING id;
END $$;
COMMENT ON FUNCTION audit_read_all(jsonb) IS
    'Notes readings of what is sensitive, each an object: facts as audit_facts() gives them, with tabs between; what and which, the record; members and nips, as literals of text[]; people, digest, filter. Their ids.';

CREATE OR REPLACE FUNCTION audit_read(what text, which text, members text[], nips text[], people_read bigint, digest text, filter jsonb) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    RETURN audit_read_all(jsonb_build_array(jsonb_build_object('facts', array_to_string(audit_facts(), E'\t'), 'what', what, 'which', which, 'members', members::text,
                                                               'nips', nips::text, 'people', people_read, 'digest', digest, 'filter', filter)));
END $$;

SELECT audit_attach();
