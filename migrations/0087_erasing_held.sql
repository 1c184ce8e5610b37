-- Retention that one row, rule or person cannot stop; entries that lose their values of whom retention itself has pseudonymised alone; which entries ask for another scope than the
-- audit's; and what each column key is known by. See docs/personal-data-protection.md, docs/audit.md and docs/column-keys.md.

-- ── what goes ────────────────────────────────────────────────────────────────────────────────────────────────────────────

SELECT audit_quietly('{retention_column}', $q$
    INSERT INTO retention_column (relation, name, becomes, reason) VALUES
        ('potential', 'method', 'gone', 'Free text'),
        ('competency_assessment', 'method', 'keep', 'A code')
$q$);

CREATE OR REPLACE FUNCTION retention_faults() RETURNS SETOF text
LANGUAGE sql STABLE AS $$
    SELECT format('what becomes of %s.%s when the person''s time is over is not said', c.relname, a.attname)
    FROM   pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
    WHERE  c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND c.relname IN (SELECT t.relation FROM export_table t) AND a.atttypid = 'text'::regtype
           AND a.attname ~ '(note|notes|reason|text|told|ground|decision|message|conclusion|cause|goal|support|outcome|evidence|expectation|comment|proof|giver|leader|method|_name|_by)$'
           AND retention_becomes(c.relname, a.attname) IS NULL
    UNION ALL
    SELECT format('retention_column names %s.%s, which is not there', c.relation, c.name)
    FROM   retention_column c
    WHERE  c.relation <> '*' AND NOT EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = to_regclass(c.relation) AND a.attname = c.name AND NOT a.attisdropped)
    UNION ALL
    SELECT format('%s would not let its texts go, or let go more than these', t.relation)
    FROM   (SELECT DISTINCT t.relation FROM retention_touched() t) t CROSS JOIN LATERAL (SELECT format('retention_guard(%s)', retention_let_go(t.relation)) AS guard) w
    WHERE  NOT EXISTS (SELECT FROM pg_trigger g WHERE g.tgrelid = to_regclass(t.relation) AND g.tgname = t.relation || '_05_erasing'
                              AND right(pg_get_triggerdef(g.oid), length(w.guard)) = w.guard)
           OR EXISTS (SELECT FROM retention_aside(t.relation))
$$;
SELECT retention_attach();

-- As in 0059, but that a certificate without a document keeps a word where its proof was named, for one of the two must be there; and who is due on that day alone is not: today asks too.
CREATE OR REPLACE FUNCTION retention_person(which uuid, at date) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    token    text := nip_pseudonym();
    contents uuid[] := ARRAY(SELECT c.id FROM document_content c WHERE c.id IN (SELECT d.content_id FROM document d WHERE d.asn_id = which) ORDER BY c.id FOR UPDATE);
BEGIN
    PERFORM FROM asn a WHERE a.id = which FOR UPDATE;
    IF NOT EXISTS (SELECT FROM retention_people(at) p WHERE p.id = which AND p.held IS NULL)
       OR NOT EXISTS (SELECT FROM retention_people(local_today()) p WHERE p.id = which AND p.held IS NULL) THEN
        RETURN false;
    END IF;
    UPDATE history h
    SET    facts = CASE h.kind WHEN 'nip' THEN jsonb_build_object('nip', token) WHEN 'title' THEN '{}'
                               ELSE h.facts - '{school,certificate_number,violation,assessor,grounds,number}'::text[] END,
           is_void = h.is_void OR h.kind IN ('nip', 'title'), decree_number = NULL, decree_signatory = NULL, remote_id = NULL, note = NULL,
           reason = 'retensi', actor_key = NULL, actor_name = NULL
    WHERE  h.asn_id = which;
    DELETE FROM history_version v WHERE v.asn_id = which;
    UPDATE asn_merge m SET nips = '{}', merged_nip = token, record = '{}', reason = 'retensi' WHERE m.asn_id = which;
    DELETE FROM external_id e WHERE e.asn_id = which;
    UPDATE document d
    SET    is_void = true, content_id = NULL, erased_at = coalesce(d.erased_at, now()), title = NULL, number = NULL, file_name = NULL, reason = 'retensi',
           actor_key = NULL, actor_name = NULL
    WHERE  d.asn_id = which;
    DELETE FROM document_content c WHERE c.id = ANY (contents) AND NOT EXISTS (SELECT FROM document d WHERE d.content_id = c.id);
    PERFORM retention_request(r.id) FROM change_request r WHERE r.asn_id = which;
    UPDATE external_certificate x
    SET    number = 'x' || replace(x.id::text, '-', ''), proof_reference = CASE WHEN x.proof_reference IS NOT NULL THEN '(dihapus)' END
    WHERE  x.asn_id = which;
    UPDATE certificate_edition x SET name = 'Pegawai (dipseudonimkan)', nip = token
    FROM   certificate c JOIN enrolment e ON e.id = c.enrolment_id
    WHERE  c.id = x.certificate_id AND e.asn_id = which;
    UPDATE handover h SET payload = '{}', message = NULL
    WHERE  h.evaluation_id IN (SELECT e.id FROM evaluation e WHERE e.asn_id = which) OR h.enrolment_id IN (SELECT e.id FROM enrolment e WHERE e.asn_id = which);
    UPDATE asn a
    SET    nip = token, name = 'Pegawai (dipseudonimkan)', title_front = NULL, title_back = NULL, birth_date = date_trunc('year', a.birth_date)::date, birth_place = NULL,
           nik = NULL, email = NULL, phone = NULL
    WHERE  a.id = which;
    UPDATE change c SET key = token, key_before = NULL WHERE c.batch = change_open_batch() AND c.id = which;
    RETURN true;
END $$;

-- ── whose entries ────────────────────────────────────────────────────────────────────────────────────────────────────────

CREATE FUNCTION retention_may() RETURNS boolean
LANGUAGE sql STABLE
RETURN pg_has_role(current_user, (SELECT c.relowner FROM pg_class c WHERE c.oid = 'public.asn'::regclass), 'USAGE');
COMMENT ON FUNCTION retention_may() IS 'Whether this runs with the rights of the owner of the tables, as within retention_batch(): the daemon''s role owns none.';

CREATE FUNCTION asn_keep_number() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION USING ERRCODE = 'P0001', CONSTRAINT = 'asn_pseudonym', MESSAGE = 'a person is pseudonymised by retention alone';
END $$;
COMMENT ON FUNCTION asn_keep_number() IS 'Nobody else gives a number that nip_is_pseudonym() knows: such people''s entries may lose their values.';
CREATE TRIGGER asn_03_number_insert BEFORE INSERT ON asn FOR EACH ROW
    WHEN (nip_is_pseudonym(NEW.nip) AND NOT retention_may()) EXECUTE FUNCTION asn_keep_number();
CREATE TRIGGER asn_03_number BEFORE UPDATE OF nip ON asn FOR EACH ROW
    WHEN (nip_is_pseudonym(NEW.nip) AND NEW.nip <> OLD.nip AND NOT retention_may()) EXECUTE FUNCTION asn_keep_number();

CREATE OR REPLACE FUNCTION audit_redact(who uuid[], words text[], before bigint) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    quoted text := (SELECT string_agg(CASE WHEN w ~ '^[0-9]{16,}$' THEN w ELSE regexp_replace(to_json(w)::text, '([][\\.*+?(){}|^$])', '\\\1', 'g') END, '|') FROM unnest(words) w);
    n      bigint;
BEGIN
    IF NOT is_erasing() THEN
        RAISE EXCEPTION USING ERRCODE = 'P0001', CONSTRAINT = 'audit_append_only', MESSAGE = 'entries are redacted by retention_batch() alone';
    END IF;
    IF cardinality(who) = 0
       OR EXISTS (SELECT FROM unnest(who) w (id)
                  WHERE  NOT coalesce((SELECT nip_is_pseudonym(a.nip) FROM asn a WHERE a.id = w.id),
                                      EXISTS (SELECT FROM asn_merge m JOIN asn h ON h.id = m.asn_id
                                              WHERE  m.merged_id = w.id AND m.undone_at IS NULL AND m.asn_id = ANY (who) AND nip_is_pseudonym(h.nip)))) THEN
        RAISE EXCEPTION USING ERRCODE = 'P0001', CONSTRAINT = 'audit_append_only', MESSAGE = 'entries about whom retention has not pseudonymised stay';
    END IF;
    PERFORM pg_current_xact_id(); -- before its entries have numbers: audit_seal_block()
    PERFORM set_config('asnd.redacting', 'on', true);
    UPDATE audit_entry e
    SET    content = audit_redacted(e.content)
    FROM   (SELECT x.id FROM audit_entry x WHERE x.asn_id = ANY (who) AND x.id <= before
            UNION ALL
            SELECT x.id FROM audit_entry x WHERE x.asn_id IS NULL AND x.people IS NULL AND x.id <= before AND x.content ~ quoted) s
    WHERE  e.id = s.id AND audit_redacted(e.content) <> e.content;
    GET DIAGNOSTICS n = ROW_COUNT;
    PERFORM set_config('asnd.redacting', '', true);
    RETURN n;
END $$;
COMMENT ON FUNCTION audit_redact(uuid[], text[], bigint) IS
    'Redacts the entries up to a number about these people, and those about nobody in which a word stands: a number anywhere, a name as a whole value. How many. Looks at all entries once. '
    'Refuses whoever has not been pseudonymised; only retention_batch() may call it.';

-- ── doing it ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

-- As the owner of the tables: nobody else pseudonymises, and entries lose their values for nobody else. So it asks all conditions itself, whatever the session says. What fails of
-- one thing is taken back, and the next is done.
CREATE FUNCTION retention_batch(which text, at date, most integer, OUT done integer, OUT failed integer, OUT told text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    item  uuid;
    known text[];
    gone  uuid[] := '{}';
    words text[] := '{}';
    last  bigint;
    rule  text;
BEGIN
    done := 0;
    failed := 0;
    IF at > local_today() OR abs(local_today() - (now() AT TIME ZONE 'UTC')::date) > 1 THEN -- asnd.today and the offset are the session's
        RAISE EXCEPTION 'a day to come' USING ERRCODE = 'P0001', CONSTRAINT = 'retention_day';
    END IF;
    PERFORM pg_advisory_xact_lock(hashtextextended('retention', 53));
    PERFORM set_config('asnd.erasing', 'on', true);
    last := (SELECT max(e.id) FROM audit_entry e);
    FOR item IN SELECT i.id FROM retention_items(which, at) i WHERE i.held IS NULL ORDER BY i.id LOOP
        EXIT WHEN done >= most;
        BEGIN
            known := CASE which WHEN 'person' THEN retention_words(item) END;
            IF retention_item(which, item, at) THEN
                done := done + 1;
                gone := gone || item;
                words := words || known;
            END IF;
        EXCEPTION
            WHEN serialization_failure OR deadlock_detected THEN RAISE;
            WHEN OTHERS THEN
                GET STACKED DIAGNOSTICS rule = CONSTRAINT_NAME;
                failed := failed + 1;
                told := coalesce(told, concat(item, ': ', SQLERRM, ' (' || nullif(rule, '') || ')'));
        END;
    END LOOP;
    IF which = 'person' AND done > 0 THEN
        PERFORM audit_redact(gone || ARRAY(SELECT m.merged_id FROM asn_merge m
                                           WHERE  m.asn_id = ANY (gone) AND m.undone_at IS NULL AND NOT EXISTS (SELECT FROM asn a WHERE a.id = m.merged_id)), words, last);
    END IF;
    PERFORM set_config('asnd.erasing', '', true);
END $$;
COMMENT ON FUNCTION retention_batch(text, date, integer) IS
    'Does to up to so many things that are due by a rule what it says: to how many, of how many it failed, and which of these was the first, and why. One at a time; what was done is not due again.';

CREATE OR REPLACE FUNCTION retention_apply(which text, at date, most integer) RETURNS integer
LANGUAGE plpgsql AS $$
DECLARE
    b record;
BEGIN
    SELECT * INTO b FROM retention_batch(which, at, most);
    IF b.failed > 0 THEN
        RAISE WARNING 'retention: of the rule % could not be done: %; the first: %', which, b.failed, b.told;
    END IF;
    RETURN b.done;
END $$;
COMMENT ON FUNCTION retention_apply(text, date, integer) IS 'retention_batch(), to how many; what failed is a warning.';

CREATE OR REPLACE FUNCTION retention_turn(most integer) RETURNS integer
LANGUAGE plpgsql AS $$
DECLARE
    r record;
    n integer := 0;
BEGIN
    IF most = 0 OR NOT pg_try_advisory_xact_lock(hashtextextended('retention', 53)) THEN
        RETURN 0;
    END IF;
    FOR r IN SELECT t.rule FROM retention_rule t WHERE t.valid @> local_today() AND t.action <> 'keep' ORDER BY t.rule LOOP
        BEGIN
            n := n + retention_apply(r.rule, local_today(), most);
        EXCEPTION
            WHEN serialization_failure OR deadlock_detected THEN RAISE;
            WHEN OTHERS THEN RAISE WARNING 'retention: the rule % could not be done: %', r.rule, SQLERRM;
        END;
    END LOOP;
    RETURN n;
END $$;

SELECT audit_quietly('{row_definer}', $q$
    DELETE FROM row_definer WHERE function = 'audit_redact';
    INSERT INTO row_definer VALUES ('retention_batch', 'What is over goes wherever it stands, by conditions that it asks itself; gives numbers, and of a failure the id')
$q$);
-- As in 0051, but that audit_redact() is the owner's alone. Here, for a restored dump brings no privileges.
CREATE OR REPLACE FUNCTION row_security_grant() RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    t record;
BEGIN
    GRANT USAGE ON SCHEMA public TO asnd_all, asnd_bound;
    FOR t IN SELECT c.oid::regclass AS me, c.relkind AS kind,
                    CASE WHEN c.relname ~ '^(audit_|row_|schema_migration$|instance_secret$)' THEN 'SELECT' ELSE 'SELECT, INSERT, UPDATE, DELETE' END AS rights
             FROM   pg_class c
             WHERE  c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'v', 'S') AND c.relname <> 'audit_entry_id'
                    AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e') LOOP
        IF t.kind = 'S' THEN
            EXECUTE format('GRANT USAGE, SELECT ON SEQUENCE %s TO asnd_all, asnd_bound', t.me);
        ELSE
            EXECUTE format('GRANT %s ON %s TO asnd_all, asnd_bound', t.rights, t.me);
        END IF;
    END LOOP;
    FOR t IN SELECT p.oid::regprocedure AS function FROM pg_proc p
             WHERE p.pronamespace = 'public'::regnamespace AND EXISTS (SELECT FROM row_definer d WHERE d.function = p.proname) LOOP
        EXECUTE format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC', t.function);
        EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO asnd_all, asnd_bound', t.function);
    END LOOP;
    REVOKE EXECUTE ON FUNCTION audit_redact(uuid[], text[], bigint) FROM PUBLIC, asnd_all, asnd_bound;
END $$;
REVOKE EXECUTE ON FUNCTION audit_redact(uuid[], text[], bigint) FROM PUBLIC;

-- ── whose scope ──────────────────────────────────────────────────────────────────────────────────────────────────────────

CREATE FUNCTION audit_scope(content text) RETURNS text
LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
DECLARE
    e      jsonb;
    whole  jsonb;
    wanted uuid;
    known  text;
BEGIN
    -- A write that showed a row sensitive as a whole: why it was done is told in this reading, too.
    IF content LIKE '%"action":"read"%' AND content LIKE '%"reason":%' AND content LIKE '%"members":[]%' THEN
        RETURN 'asn.discipline';
    END IF;
    IF content !~ '"entity":"(history|change_request|change_request_comment|document|complaint|complaint_step)"' THEN
        RETURN NULL;
    END IF;
    e := content::jsonb;
    IF NOT e ? 'before' AND NOT e ? 'after' OR e ->> 'redacted' = 'true' THEN
        RETURN NULL;
    END IF;
    whole := coalesce(e -> 'before', '{}') || coalesce(e -> 'after', '{}');
    wanted := e ->> 'subject';
    CASE e ->> 'entity'
    WHEN 'history' THEN
        known := coalesce(whole ->> 'kind', (SELECT h.kind FROM history h WHERE h.id = wanted), 'discipline');
        RETURN CASE WHEN known = 'discipline' THEN 'asn.discipline' END;
    WHEN 'change_request', 'change_request_comment' THEN
        IF e ->> 'entity' = 'change_request_comment' THEN
            wanted := coalesce(whole ->> 'request_id', (SELECT c.request_id::text FROM change_request_comment c WHERE c.id = wanted));
        END IF;
        known := coalesce(whole #>> '{history,kind}', CASE WHEN whole ? 'record' THEN 'record' END,
                          (SELECT coalesce(r.history ->> 'kind', 'record') FROM change_request r WHERE r.id = wanted), 'discipline');
        RETURN CASE WHEN known = 'discipline' THEN 'asn.discipline' END;
    WHEN 'document' THEN
        RETURN CASE WHEN document_type_guarded(coalesce(e #>> '{before,type}', '')) OR document_type_guarded(coalesce(e #>> '{after,type}', ''))
                         OR coalesce((SELECT d._is_discipline FROM document_entry d WHERE d.id = wanted), true) THEN 'asn.discipline' END;
    WHEN 'complaint', 'complaint_step' THEN
        IF e ->> 'entity' = 'complaint_step' THEN
            wanted := coalesce(whole ->> 'complaint_id', (SELECT s.complaint_id::text FROM complaint_step s WHERE s.id = wanted));
        END IF;
        RETURN CASE WHEN 'true' IN (e #>> '{before,is_secret}', e #>> '{after,is_secret}')
                         OR coalesce((SELECT c.is_secret FROM complaint c WHERE c.id = wanted), NOT whole ? 'is_secret') THEN 'complaint.secret' END;
    ELSE
        RETURN NULL;
    END CASE;
END $$;
COMMENT ON FUNCTION audit_scope(text) IS
    'Which scope whoever reads an entry''s values needs beside that of the audit: asn.discipline for rows of discipline and change requests and documents of it, complaint.secret for secret complaints; of a row that the caller cannot see, and that says nothing itself, the same. Null: none.';

CREATE FUNCTION audit_hidden(members jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN members IS NOT NULL THEN coalesce((SELECT jsonb_object_agg(k, '***'::text) FROM jsonb_object_keys(members) k), '{}') END;
COMMENT ON FUNCTION audit_hidden(jsonb) IS 'The names of members, each hidden.';

-- ── what each column key is known by ─────────────────────────────────────────────────────────────────────────────────────

CREATE TABLE column_key (
    number   text        CONSTRAINT column_key_pkey PRIMARY KEY CONSTRAINT column_key_number_form CHECK (number ~ '^([0-9]{4}|search)$'),
    says     text        NOT NULL CONSTRAINT column_key_says_form CHECK (says ~ '^[0-9a-f]{64}$'),
    noted_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE column_key IS 'What a key of columns is told again by: two files may each have a key of the same number.';
COMMENT ON COLUMN column_key.number IS 'Its number in the file, four digits; search: what the hashes are made by';
COMMENT ON COLUMN column_key.says IS 'BLAKE2b of a fixed text under that key, in hex; from it nobody comes to the key';
COMMENT ON COLUMN column_key.noted_at IS 'When the key was first used with this database';
SELECT audit_quietly('{audit_exempt}', $q$
    INSERT INTO audit_exempt (relation, is_new, reason) VALUES ('column_key', true, 'The engine''s own: a key''s first use notes it; that one is changed or removed is audited')
$q$);

SELECT audit_attach();
SELECT row_security_attach();
