-- An entry of the audit costs a write less: what is written out for each table has fewer expressions, which PostgreSQL makes ready for each statement anew. And where
-- columns are left out of entries because they count something, a change of these alone calls nothing.

CREATE FUNCTION audit_has_counters(me regclass) RETURNS boolean
LANGUAGE sql STABLE
RETURN EXISTS (SELECT FROM audit_column c WHERE c.relation = me::text AND c.treatment = 'omit');
COMMENT ON FUNCTION audit_has_counters(regclass) IS
    'Whether a table has columns of its own that entries leave out: its changes are noted row by row, by a trigger with a condition, for most of them change nothing else.';

-- By IS DISTINCT FROM and not by *<> as within functions: a dump writes a row's cast to record away, and what is left is another comparison. Types of extensions go as text,
-- for a dump is restored without their schema in the search path.
CREATE FUNCTION audit_has_changed(me regclass) RETURNS text
LANGUAGE sql STABLE
RETURN (SELECT string_agg(format('OLD.%1$I%2$s IS DISTINCT FROM NEW.%1$I%2$s', a.attname, w.cast_to), ' OR ' ORDER BY a.attnum)
        FROM   pg_attribute a JOIN pg_type t ON t.oid = a.atttypid,
               LATERAL (SELECT CASE WHEN t.typnamespace = 'pg_catalog'::regnamespace AND t.oid NOT IN ('json'::regtype, 'xml'::regtype) THEN '' ELSE '::text' END AS cast_to) w
        WHERE  a.attrelid = me AND a.attnum > 0 AND NOT a.attisdropped AND audit_treatment(me, a) IS DISTINCT FROM 'omit');
COMMENT ON FUNCTION audit_has_changed(regclass) IS 'Whether something changes that entries tell, as SQL for the condition of a row trigger.';

-- Members that are never null come first, so that the text between two values is one constant. concat() takes a hundred arguments at most, and leaves out what is null.
CREATE FUNCTION audit_whole(me regclass, side text) RETURNS text
LANGUAGE plpgsql STABLE AS $$
DECLARE
    parts   text[] := '{}';
    between text := '{';
    c record;
BEGIN
    FOR c IN SELECT a.attname AS name, a.attnotnull AS is_there, format('%s.%I', side, a.attname) AS v, t.treatment, audit_member(me, a, side) AS told,
                    a.atttypid IN ('json'::regtype, 'jsonb'::regtype) AS is_json,
                    coalesce(t.treatment, '') = 'hash' OR a.atttypid IN ('uuid'::regtype, 'bytea'::regtype) AS is_quoted,
                    CASE WHEN t.treatment = 'hash' THEN 'public.audit_hash(%s::text, (SELECT public.audit_secret()))'
                         WHEN a.atttypid = 'bytea'::regtype THEN 'encode(sha256(%s), ''hex'')'
                         WHEN a.atttypid = 'boolean'::regtype THEN '%s::text'
                         WHEN a.atttypid IN ('uuid'::regtype, 'bigint'::regtype, 'integer'::regtype, 'smallint'::regtype) THEN '%s'
                         ELSE 'to_json(%s)' END AS form
             FROM   pg_attribute a, LATERAL (SELECT audit_treatment(me, a) AS treatment) t
             WHERE  a.attrelid = me AND a.attnum > 0 AND NOT a.attisdropped AND t.treatment IS DISTINCT FROM 'omit'
             ORDER  BY NOT a.attnotnull, a.attnum
    LOOP
        IF c.is_json OR c.treatment = 'hide' THEN -- may be left out though it is there
            parts := parts || CASE WHEN between <> '' THEN quote_literal(between) END || c.told;
            between := '';
        ELSIF c.is_there THEN
            between := between || CASE WHEN between = '{' AND parts = '{}' THEN '' ELSE ',' END || to_json(c.name) || CASE WHEN c.is_quoted THEN ':"' ELSE ':' END;
            parts := parts || quote_literal(between) || format(c.form, c.v);
            between := CASE WHEN c.is_quoted THEN '"' ELSE '' END;
        ELSE
            parts := parts || CASE WHEN between <> '' THEN quote_literal(between) END
                           || format('CASE WHEN %s IS NOT NULL THEN %L END', c.v, ',' || to_json(c.name) || CASE WHEN c.is_quoted THEN ':"' ELSE ':' END) || format(c.form, c.v)
                           || CASE WHEN c.is_quoted THEN format('CASE WHEN %s IS NOT NULL THEN ''"'' END', c.v) END;
            between := '';
        END IF;
    END LOOP;
    parts := array_remove(parts, NULL) || quote_literal(between || '}');
    RETURN (SELECT CASE WHEN count(*) = 1 THEN min(p.part) ELSE format('concat(%s)', string_agg(p.part, ', ' ORDER BY p.n)) END
            FROM   (SELECT (u.n - 1) / 90 AS n, format('concat(%s)', string_agg(u.told, ', ' ORDER BY u.n)) AS part FROM unnest(parts) WITH ORDINALITY AS u (told, n) GROUP BY 1) p);
END $$;
COMMENT ON FUNCTION audit_whole(regclass, text) IS 'A whole row as an entry tells it, as SQL; side: the name of the row.';

-- One INSERT a statement, from the transition tables; a row, where most changes are of counters. Every name has its schema instead of a search_path for the function, and it
-- has no settings of its own, which for each call cost as much as the entry.
CREATE OR REPLACE FUNCTION audit_source(me regclass) RETURNS text
LANGUAGE plpgsql STABLE AS $$
DECLARE
    keys    text[] := ARRAY(SELECT a.attname FROM pg_index i JOIN pg_attribute a ON a.attrelid = me AND a.attnum = ANY (i.indkey)
                            WHERE i.indrelid = me AND i.indisprimary ORDER BY array_position(i.indkey, a.attnum));
    -- A key that needs no escaping is told as it is.
    is_bare boolean := (SELECT count(*) = 1 AND bool_and(a.atttypid IN ('uuid'::regtype, 'bigint'::regtype, 'integer'::regtype, 'smallint'::regtype))
                        FROM pg_attribute a WHERE a.attrelid = me AND a.attname = ANY (keys));
    entry   text := $e$
        INSERT INTO public.audit_entry (id, at, asn_id, actor, operation, content)
        SELECT e.id, entry.moment, e.person, entry.facts[1], entry.facts[2],
               concat('{"id":', e.id, entry.at, CASE WHEN e.person IS NULL THEN 'null' ELSE '"' END, e.person, CASE WHEN e.person IS NOT NULL THEN '"' END, entry.facts[3],
                      %2$s, %3$s, '}')
        FROM   (SELECT nextval('public.audit_entry_id') AS id, r.* FROM (%1$s OFFSET 0) r%4$s) e;$e$;
    simple  text := $e$
        INSERT INTO public.audit_entry (id, at, asn_id, actor, operation, content)
        SELECT e.id, entry.moment, e.person, entry.facts[1], entry.facts[2],
               concat('{"id":', e.id, entry.at, CASE WHEN e.person IS NULL THEN 'null' ELSE '"' END, e.person, CASE WHEN e.person IS NOT NULL THEN '"' END, entry.facts[3],
                      %2$s, %3$s, '}')
        FROM   (%1$s OFFSET 0) e;$e$;
    was     text := $e$CASE WHEN current_setting('asnd.erasing', true) = 'on' THEN NULL ELSE ',"before":' || e.was END$e$;
    states  text := was || $e$, ',"after":', e.becomes$e$;
    whole   text := 'SELECT nextval(''public.audit_entry_id'') AS id, %s AS person, %s AS subject, %s AS %s FROM %s';
    subject text := CASE WHEN is_bare THEN format('SIDE.%I', keys[1])
                         ELSE format('concat_ws(''/'', %s)', (SELECT string_agg(format('SIDE.%I', k), ', ' ORDER BY n) FROM unnest(keys) WITH ORDINALITY AS u (k, n))) END;
    shown   text := CASE WHEN is_bare THEN format('''%%s,"entity":%s,"subject":"'', e.subject, ''"''', to_json(me::text))
                         ELSE format('''%%s,"entity":%s,"subject":'', to_json(e.subject)', to_json(me::text)) END;
    change  text;
BEGIN
    IF keys = '{}' THEN
        RAISE EXCEPTION 'table % has no primary key: it cannot be audited, nor named in audit_exempt by mistake', me;
    END IF;
    IF audit_has_counters(me) THEN
        change := format(simple, format('SELECT nextval(''public.audit_entry_id'') AS id, %s AS person, %s AS subject, %s AS was, %s AS becomes', audit_person(me, 'NEW'),
                                        replace(subject, 'SIDE', 'NEW'), audit_members(me, 'OLD', 'NEW'), audit_members(me, 'NEW', 'OLD')),
                         format(shown, ',"action":"update"'), states);
    ELSE
        change := format(entry,
                         format('SELECT CASE WHEN o.%1$I IS NULL THEN ''create'' WHEN n.%1$I IS NULL THEN ''delete'' ELSE ''update'' END AS act, coalesce(%2$s, %3$s) AS person, '
                                'concat_ws(''/'', %4$s) AS subject, %5$s AS was, %6$s AS becomes FROM entered n FULL JOIN departed o USING (%7$s) WHERE %8$s',
                                keys[1], audit_person(me, 'n'), audit_person(me, 'o'),
                                (SELECT string_agg(format('coalesce(n.%1$I, o.%1$I)', k), ', ' ORDER BY n) FROM unnest(keys) WITH ORDINALITY AS u (k, n)),
                                audit_members(me, 'o', 'n'), audit_members(me, 'n', 'o'),
                                (SELECT string_agg(format('%I', k), ', ' ORDER BY n) FROM unnest(keys) WITH ORDINALITY AS u (k, n)), audit_differs(me, 'n', 'o')),
                         ''',"action":"'', e.act, ' || format(shown, '"'), states, E'\n                WHERE r.was <> ''{}'' OR r.becomes <> ''{}''');
    END IF;
    RETURN format($f$
<<entry>>
DECLARE
    moment timestamptz;
    at     text;
    facts  text[];
BEGIN
%s    moment := clock_timestamp();
    at := ',"at":"' || to_char(moment AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') || '","person":';
    facts := coalesce(string_to_array(nullif(current_setting('asnd.audit', true), ''), E'\t'), public.audit_facts());
    IF TG_OP = 'INSERT' THEN%s
    ELSIF TG_OP = 'DELETE' THEN%s
    ELSE%s
    END IF;
    RETURN NULL;
END $f$,
        CASE WHEN NOT audit_has_counters(me) THEN E'    IF TG_OP = ''UPDATE'' THEN\n        IF NOT EXISTS (SELECT FROM entered) THEN\n            RETURN NULL;\n        END IF;\n    END IF;\n' ELSE '' END,
        format(simple, format(whole, audit_person(me, 'n'), replace(subject, 'SIDE', 'n'), audit_whole(me, 'n'), 'becomes', 'entered n'),
               format(shown, ',"action":"create"'), $e$',"after":', e.becomes$e$),
        format(simple, format(whole, audit_person(me, 'o'), replace(subject, 'SIDE', 'o'), audit_whole(me, 'o'), 'was', 'departed o'), format(shown, ',"action":"delete"'), was),
        change);
END $$;
COMMENT ON FUNCTION audit_source(regclass) IS 'The body of a table''s trigger function: written out, so that nothing is looked up for a row.';

-- A function in SQL that another one calls is planned anew for each call of that, which was most of what it took to write the triggers' functions; in PL/pgSQL once a session.
DO $$
DECLARE
    f record;
BEGIN
    FOR f IN SELECT p.oid::regprocedure AS me, p.proname AS name, pg_get_function_arguments(p.oid) AS arguments, pg_get_function_sqlbody(p.oid) AS body FROM pg_proc p
             WHERE  p.pronamespace = 'public'::regnamespace
                    AND p.proname IN ('audit_treatment', 'audit_member', 'audit_members', 'audit_differs', 'audit_person', 'audit_person_near')
    LOOP
        EXECUTE format(E'CREATE OR REPLACE FUNCTION %I(%s) RETURNS text LANGUAGE plpgsql STABLE AS %L', f.name, f.arguments, E'\nBEGIN\n    ' || f.body || E';\nEND ');
    END LOOP;
END $$;

CREATE OR REPLACE FUNCTION audit_made_from(me regclass, changes_only boolean, makers text) RETURNS text
LANGUAGE sql STABLE
RETURN (SELECT left(md5(concat(makers, changes_only, string_agg(concat_ws(' ', a.attnum, a.attname, format_type(a.atttypid, NULL), a.attgenerated, a.attnotnull), ',' ORDER BY a.attnum),
                               (SELECT i.indkey::text FROM pg_index i WHERE i.indrelid = me AND i.indisprimary))), 12)
        FROM pg_attribute a WHERE a.attrelid = me AND a.attnum > 0 AND NOT a.attisdropped);

CREATE OR REPLACE FUNCTION audit_makers() RETURNS text
LANGUAGE sql STABLE
RETURN (SELECT string_agg(pg_get_functiondef(p.oid), '' ORDER BY p.oid::regprocedure::text) FROM pg_proc p
        WHERE p.pronamespace = 'public'::regnamespace
              AND p.proname IN ('audit_source', 'audit_members', 'audit_member', 'audit_whole', 'audit_differs', 'audit_person', 'audit_treatment', 'audit_has_counters', 'audit_has_changed'))
    || (SELECT string_agg(c::text, '' ORDER BY c::text) FROM audit_column c);

CREATE OR REPLACE FUNCTION audit_attach() RETURNS integer
LANGUAGE plpgsql AS $$
DECLARE
    makers text := audit_makers();
    t record;
    n integer := 0;
BEGIN
    FOR t IN SELECT c.oid::regclass AS me, c.relname AS name, coalesce(x.is_new, false) AS changes_only, audit_has_counters(c.oid) AS has_counters,
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
        EXECUTE format('CREATE OR REPLACE TRIGGER %I AFTER UPDATE ON %s %s EXECUTE FUNCTION %I()', t.name || '_90_audit_update', t.me,
                       CASE WHEN t.has_counters THEN format('FOR EACH ROW WHEN (%s)', audit_has_changed(t.me))
                            ELSE 'REFERENCING NEW TABLE AS entered OLD TABLE AS departed FOR EACH STATEMENT' END, 'audit_of_' || t.name);
        EXECUTE format('CREATE OR REPLACE TRIGGER %I AFTER DELETE ON %s REFERENCING OLD TABLE AS departed FOR EACH STATEMENT EXECUTE FUNCTION %I()',
                       t.name || '_90_audit_delete', t.me, 'audit_of_' || t.name);
    END LOOP;
    RETURN n;
END $$;
SELECT audit_attach();
