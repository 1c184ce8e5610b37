-- What still said who somebody was after that person's time was over: texts that people wrote, requests about the data, and what the audit told before. See
-- docs/personal-data-protection.md and docs/decisions/0022-redaction.md.

-- ── texts ────────────────────────────────────────────────────────────────────────────────────────────────────────────────

CREATE TABLE retention_column (
    relation text NOT NULL,
    name     text NOT NULL,
    becomes  text NOT NULL CONSTRAINT retention_column_becomes_known CHECK (becomes IN ('gone', 'self', 'done', 'keep')),
    reason   text NOT NULL,
    CONSTRAINT retention_column_pkey PRIMARY KEY (relation, name)
);
COMMENT ON TABLE retention_column IS 'What becomes of texts in the rows of a person whose time is over: retention_texts(). retention_attach() must run after a change.';
COMMENT ON COLUMN retention_column.relation IS 'Name of the table; *: of whatever table';
COMMENT ON COLUMN retention_column.name IS 'Name of the column';
COMMENT ON COLUMN retention_column.becomes IS 'gone: (dihapus) stands there instead; self: only if it is that person''s own name or number; done: by retention_person() itself; keep: it stays';
COMMENT ON COLUMN retention_column.reason IS 'Why';

INSERT INTO retention_column (relation, name, becomes, reason)
SELECT '*', n, 'self', 'Who did it stays, unless it was the person'
FROM   unnest('{actor_name,requested_by_name,submitted_by_name,decided_by_name,revoked_by_name,named_by,agreed_by,closed_by,checked_by,approved_by,decided_by,rater_name,leader}'::text[]) n;
INSERT INTO retention_column (relation, name, becomes, reason)
SELECT split_part(p, '.', 1), split_part(p, '.', 2), 'gone', 'Free text'
FROM   unnest('{appraisal.note,attendance.note,attendance.reason,attendance_version.note,attendance_version.reason,certificate_edition.reason,certificate_edition.revoke_reason,
                competency_assessment.reason,data_request.text,data_request.reason,data_request.told,development_plan.reason,development_plan_line.note,development_plan_step.reason,
                enrolment.reason,enrolment.priority_reason,enrolment_step_taken.reason,external_certificate.reason,handover_step.message,improvement_check.expectation,improvement_check.note,
                improvement_plan.cause,improvement_plan.goal,improvement_plan.support,improvement_plan.conclusion,improvement_step.note,indicator_measurement.reason,ip_asn_bkn.note,
                moderation.reason,objection.text,objection.decision,objection_step.note,restriction.ground,restriction.end_reason,skp.reason,skp_feedback.text,skp_milestone_report.note,
                skp_milestone_report.evidence,skp_progress.note,skp_progress.evidence}'::text[]) p;
INSERT INTO retention_column (relation, name, becomes, reason) VALUES
    ('activity_participant', 'name', 'keep', 'Of those alone who are not of the staff'),
    ('asn_merge', 'actor_name', 'done', ''),
    ('asn_merge', 'reason', 'done', ''),
    ('asn_merge', 'undone_by', 'keep', 'Whoever undoes a merge is of the personnel office'),
    ('asn_merge', 'undone_reason', 'keep', 'Of a merge that does not hold: the rows went back'),
    ('certificate_edition', 'name', 'done', ''),
    ('certificate_edition', 'nip', 'done', ''),
    ('change_request', 'before', 'done', ''),
    ('change_request', 'history', 'done', ''),
    ('change_request', 'proof_reference', 'done', ''),
    ('change_request', 'proof_text', 'done', ''),
    ('change_request', 'reason', 'done', ''),
    ('change_request', 'record', 'done', ''),
    ('change_request_comment', 'text', 'done', ''),
    ('development_plan', 'superior_name', 'keep', 'Another person, in what is fixed by its digest'),
    ('document', 'actor_name', 'done', ''),
    ('document', 'file_name', 'done', ''),
    ('document', 'reason', 'done', ''),
    ('evaluation', 'finalized_by', 'keep', 'A final evaluation never changes'),
    ('evaluation', 'note', 'keep', 'A final evaluation never changes'),
    ('external_certificate', 'number', 'done', ''),
    ('external_certificate', 'proof_reference', 'done', ''),
    ('handover', 'message', 'done', ''),
    ('handover', 'payload', 'done', ''),
    ('history', 'actor_name', 'done', ''),
    ('history', 'note', 'done', ''),
    ('history', 'reason', 'done', ''),
    ('history_version', 'actor_name', 'done', ''),
    ('history_version', 'note', 'done', ''),
    ('history_version', 'reason', 'done', ''),
    ('improvement_check', 'outcome', 'keep', 'A word of three'),
    ('learning_entry', 'counted_by', 'keep', 'How hours are counted'),
    ('skp', 'assessor_name', 'keep', 'Another person, in what is fixed by its digest'),
    ('skp_behaviour', 'expectation', 'keep', 'Of the post, and fixed by its digest'),
    ('skp_feedback', 'giver', 'keep', 'A word of four');

CREATE FUNCTION retention_becomes(me text, column_name text) RETURNS text
LANGUAGE sql STABLE
RETURN (SELECT c.becomes FROM retention_column c WHERE c.name = column_name AND c.relation IN ('*', me) ORDER BY c.relation = '*' LIMIT 1);
COMMENT ON FUNCTION retention_becomes(text, text) IS 'What becomes of a text of a table''s rows; null: nobody has decided.';

CREATE FUNCTION retention_touched() RETURNS TABLE (relation text, name text, becomes text)
LANGUAGE sql STABLE AS $$
    SELECT c.relname::text, a.attname::text, retention_becomes(c.relname, a.attname)
    FROM   pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
    WHERE  c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND c.relname IN (SELECT t.relation FROM export_table t) AND a.atttypid = 'text'::regtype
           AND retention_becomes(c.relname, a.attname) IN ('gone', 'self')
    ORDER  BY 1, 2
$$;
COMMENT ON FUNCTION retention_touched() IS 'Columns that retention_texts() may change. Whose the rows are is said by row_rule, for tables that a person is told of.';

CREATE FUNCTION retention_aside(me text) RETURNS TABLE (name text, definition text)
LANGUAGE sql STABLE AS $$
    SELECT g.tgname::text, pg_get_triggerdef(g.oid)
    FROM   pg_trigger g JOIN pg_proc p ON p.oid = g.tgfoid
    WHERE  g.tgrelid = to_regclass(me) AND NOT g.tgisinternal AND g.tgtype & 1 > 0 AND g.tgtype & 2 > 0 AND g.tgtype & 16 > 0
           AND p.proname NOT IN ('touch_row', 'retention_guard') AND pg_get_triggerdef(g.oid) !~ 'is_erasing'
$$;
COMMENT ON FUNCTION retention_aside(text) IS 'Triggers that would look at, or refuse, what retention_texts() takes from a table: they must stand aside meanwhile, and retention_guard() stands there instead.';
CREATE FUNCTION retention_let_go(me text) RETURNS text
LANGUAGE sql STABLE
RETURN (SELECT string_agg(quote_literal(c), ', ' ORDER BY c)
        FROM   (SELECT t.name FROM retention_touched() t WHERE t.relation = me
                UNION SELECT d.name FROM retention_column d WHERE d.relation = me AND d.becomes = 'done'
                UNION SELECT unnest('{version,updated_at}'::text[])
                UNION SELECT a.attname::text FROM pg_attribute a WHERE a.attrelid = to_regclass(me) AND a.attgenerated <> '') AS s (c));
COMMENT ON FUNCTION retention_let_go(text) IS 'Columns of a table that may change while something is erased, as arguments of retention_guard().';

CREATE FUNCTION retention_faults() RETURNS SETOF text
LANGUAGE sql STABLE AS $$
    SELECT format('what becomes of %s.%s when the person''s time is over is not said', c.relname, a.attname)
    FROM   pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
    WHERE  c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND c.relname IN (SELECT t.relation FROM export_table t) AND a.atttypid = 'text'::regtype
           AND a.attname ~ '(note|notes|reason|text|told|ground|decision|message|conclusion|cause|goal|support|outcome|evidence|expectation|comment|proof|giver|leader|_name|_by)$'
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

COMMENT ON FUNCTION retention_faults() IS 'What was forgotten of retention_texts(): texts that nobody has decided on, and tables that are not ready for it. None: nothing.';

CREATE FUNCTION retention_guard() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' OR to_jsonb(NEW) - TG_ARGV::text[] <> to_jsonb(OLD) - TG_ARGV::text[] THEN
        RAISE EXCEPTION USING ERRCODE = 'P0001', CONSTRAINT = 'retention_texts_alone', MESSAGE = 'while something is erased only texts that are named for it may go';
    END IF;
    RETURN NEW;
END $$;
COMMENT ON FUNCTION retention_guard() IS 'While something is erased: of a row only these columns change.';

CREATE FUNCTION retention_attach() RETURNS integer
LANGUAGE plpgsql AS $$
DECLARE
    t record;
    g record;
    n integer := 0;
BEGIN
    FOR t IN SELECT DISTINCT x.relation, retention_let_go(x.relation) AS columns FROM retention_touched() x LOOP
        n := n + 1;
        FOR g IN SELECT * FROM retention_aside(t.relation) LOOP
            EXECUTE format('DROP TRIGGER %I ON %I', g.name, t.relation);
            EXECUTE CASE WHEN g.definition ~ 'FOR EACH ROW WHEN \(' THEN regexp_replace(g.definition, 'FOR EACH ROW WHEN \(', 'FOR EACH ROW WHEN (NOT public.is_erasing() AND ')
                         ELSE replace(g.definition, 'FOR EACH ROW EXECUTE', 'FOR EACH ROW WHEN (NOT public.is_erasing()) EXECUTE') END;
        END LOOP;
        EXECUTE format('CREATE OR REPLACE TRIGGER %I BEFORE UPDATE OR DELETE ON %I FOR EACH ROW WHEN (public.is_erasing()) EXECUTE FUNCTION retention_guard(%s)',
                       t.relation || '_05_erasing', t.relation, t.columns);
    END LOOP;
    RETURN n;
END $$;
COMMENT ON FUNCTION retention_attach() IS 'Makes tables ready for retention_texts(). A migration that adds rows to retention_column, or triggers to such a table, calls it at its end.';
SELECT retention_attach();

CREATE FUNCTION retention_words(which uuid) RETURNS text[]
LANGUAGE sql STABLE
RETURN (SELECT array_agg(DISTINCT w) FILTER (WHERE w <> '')
        FROM   (SELECT unnest(ARRAY[a.nip, a.name, concat_ws(' ', a.title_front, a.name) || coalesce(', ' || a.title_back, '')]) AS w FROM asn a WHERE a.id = which
                UNION ALL SELECT h.facts ->> 'nip' FROM history h WHERE h.asn_id = which AND h.kind = 'nip'
                UNION ALL SELECT unnest(m.nips || m.merged_nip) FROM asn_merge m WHERE m.asn_id = which AND m.undone_at IS NULL) s);
COMMENT ON FUNCTION retention_words(uuid) IS 'A person''s numbers, name, and name with titles, as they may stand where somebody wrote them.';

CREATE FUNCTION retention_texts(which uuid, words text[]) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    t record;
BEGIN
    FOR t IN SELECT x.relation,
                    string_agg(CASE x.becomes WHEN 'gone' THEN format('%1$I = CASE WHEN t.%1$I IS NOT NULL THEN ''(dihapus)'' END', x.name)
                                              ELSE format('%1$I = CASE WHEN t.%1$I = ANY ($2) THEN ''Pegawai (dipseudonimkan)'' ELSE t.%1$I END', x.name) END, ', ') AS told,
                    string_agg(CASE x.becomes WHEN 'gone' THEN format('t.%I <> ''(dihapus)''', x.name) ELSE format('t.%I = ANY ($2)', x.name) END, ' OR ') AS due
             FROM   retention_touched() x GROUP BY x.relation ORDER BY x.relation LOOP
        EXECUTE format('UPDATE %I t SET %s WHERE (%s) AND (%s)', t.relation, t.told, export_condition(t.relation, 't'), t.due) USING which, words;
    END LOOP;
END $$;
COMMENT ON FUNCTION retention_texts(uuid, text[]) IS 'Takes texts from a person''s rows, as retention_column says; words: as retention_words() gave them before the name went.';

-- ── entries ──────────────────────────────────────────────────────────────────────────────────────────────────────────────

CREATE FUNCTION audit_redacted(content text) RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    told text := (SELECT string_agg(to_json(e.k) || ':'
                                    || CASE WHEN e.k IN ('before', 'after', 'filter') AND json_typeof(e.v) = 'object'
                                            THEN (SELECT '{' || coalesce(string_agg(to_json(m.k) || ':"***"', ',' ORDER BY m.n), '') || '}' FROM json_each(e.v) WITH ORDINALITY AS m (k, v, n))
                                            WHEN e.k IN ('reason', 'purpose') OR e.k = 'subject' AND e.v #>> '{}' ~ '[0-9]{16}' THEN '"***"'
                                            ELSE e.v::text END, ',' ORDER BY e.n)
                  FROM json_each(content::json) WITH ORDINALITY AS e (k, v, n));
BEGIN
    RETURN CASE WHEN '{' || told || '}' = content THEN content ELSE '{' || told || ',"redacted":true}' END;
END $$;
COMMENT ON FUNCTION audit_redacted(text) IS
    'An entry without values and words: who did what to whose record when stays, with the names of what was changed. What has nothing of these is as it was.';

-- UPDATE is let through for one thing only, whoever asks: that an entry becomes audit_redacted() of itself; and that leaves an entry of its own.
GRANT UPDATE (content) ON audit_entry TO CURRENT_USER;

CREATE OR REPLACE FUNCTION audit_guard() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND TG_TABLE_NAME = 'audit_entry' THEN
        IF TG_LEVEL = 'STATEMENT' AND current_setting('asnd.redacting', true) = 'on' THEN
            RETURN NULL;
        END IF;
        IF TG_LEVEL = 'ROW' AND NEW.content <> OLD.content AND NEW.content = audit_redacted(OLD.content) AND to_jsonb(NEW) - 'content' = to_jsonb(OLD) - 'content' THEN
            RETURN NEW;
        END IF;
    END IF;
    RAISE EXCEPTION USING ERRCODE = 'P0001', CONSTRAINT = 'audit_append_only', MESSAGE = 'the audit is only ever added to';
END $$;
COMMENT ON FUNCTION audit_guard() IS
    'Refuses every UPDATE, DELETE and TRUNCATE, whoever asks: privileges do not bind a superuser. But for audit_redact(): an entry may become audit_redacted() of itself.';
CREATE TRIGGER audit_entry_05_guard BEFORE UPDATE ON audit_entry FOR EACH ROW EXECUTE FUNCTION audit_guard();

CREATE FUNCTION audit_note_redacted() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    me     text[] := audit_facts();
    moment timestamptz := clock_timestamp();
BEGIN
    INSERT INTO audit_entry (id, at, asn_id, actor, operation, content)
    SELECT e.id, moment, e.person, me[1], me[2],
           concat('{"id":', e.id, ',"at":"', audit_instant(moment), '","person":', coalesce('"' || e.person || '"', 'null'), me[3],
                  ',"action":"redact","entity":"audit_entry","count":', e.n, ',"redacted":', e.told, '}')
    FROM   (SELECT nextval('audit_entry_id') AS id, r.* FROM (
                SELECT d.asn_id AS person, count(*) AS n,
                       '[' || string_agg(format('[%s,"%s","%s"]', d.id, encode(sha256(convert_to(d.content, 'UTF8')), 'hex'), encode(sha256(convert_to(d.becomes, 'UTF8')), 'hex')), ',' ORDER BY d.id) || ']' AS told
                FROM   (SELECT o.*, n.content AS becomes, (row_number() OVER (PARTITION BY o.asn_id ORDER BY o.id) - 1) / 1000 AS part FROM departed o JOIN entered n USING (id)) d
                GROUP  BY d.asn_id, d.part ORDER BY d.asn_id, d.part) r) e;
    RETURN NULL;
END $$;
COMMENT ON FUNCTION audit_note_redacted() IS 'Notes which entries were redacted: the number of each, and the SHA-256 of what it was and of what it is.';
CREATE TRIGGER audit_entry_90_redacted AFTER UPDATE ON audit_entry REFERENCING OLD TABLE AS departed NEW TABLE AS entered FOR EACH STATEMENT EXECUTE FUNCTION audit_note_redacted();

CREATE FUNCTION audit_redact(who uuid[], words text[], before bigint) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    quoted text := (SELECT string_agg(CASE WHEN w ~ '^[0-9]{16,}$' THEN w ELSE regexp_replace(to_json(w)::text, '([][\\.*+?(){}|^$])', '\\\1', 'g') END, '|') FROM unnest(words) w);
    n      bigint;
BEGIN
    IF NOT is_erasing() THEN
        RAISE EXCEPTION USING ERRCODE = 'P0001', CONSTRAINT = 'audit_append_only', MESSAGE = 'entries are redacted by retention_apply() alone';
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
    'Redacts the entries up to a number about these people, and those about nobody in which a word stands: a number anywhere, a name as a whole value. How many. Looks at all entries once.';

-- What belongs to what belongs to a person is the person's too: that is known from row_rule, as far as it goes.
CREATE FUNCTION audit_person_far(me text, side text, depth integer) RETURNS text
LANGUAGE plpgsql STABLE AS $$
DECLARE
    own text := (SELECT format('%s.%I', side, a.attname) FROM pg_attribute a WHERE a.attrelid = to_regclass(me) AND a.attname = CASE WHEN me = 'asn' THEN 'id' ELSE 'asn_id' END AND NOT a.attisdropped);
BEGIN
    IF own IS NOT NULL OR depth > 4 THEN
        RETURN own;
    END IF;
    RETURN (SELECT nullif(format('coalesce(%s)', string_agg(format('(SELECT %s FROM public.%I %s WHERE %3$s.id = %s.%I)', f.told, r.of, f.called, side, r.place), ', ' ORDER BY r.place)), 'coalesce()')
            FROM   row_rule r, LATERAL (SELECT side || 'u' AS called) c, LATERAL (SELECT c.called, audit_person_far(r.of, c.called, depth + 1) AS told) f
            WHERE  r.relation = me AND r.of NOT IN ('unit', me) AND f.told IS NOT NULL);
END $$;
COMMENT ON FUNCTION audit_person_far(text, text, integer) IS 'Whose row it is by row_rule, step by step, as SQL; null: nobody''s.';

ALTER FUNCTION audit_person(regclass, text) RENAME TO audit_person_near;
CREATE FUNCTION audit_person(me regclass, side text) RETURNS text
LANGUAGE sql STABLE
RETURN (SELECT CASE WHEN n.told <> 'NULL::uuid' THEN n.told ELSE coalesce(audit_person_far(me::text, side, 0), n.told) END FROM (SELECT audit_person_near(me, side) AS told) n);
COMMENT ON FUNCTION audit_person(regclass, text) IS 'Whose row it is, as SQL; side: the name of the row.';
-- Of the other tables nothing changes: their functions are not written again, which takes seconds; only what they say they were made from.
DO $$
DECLARE
    makers text := audit_makers();
    t record;
BEGIN
    FOR t IN SELECT c.relname AS name, format('Notes what a statement did to %s; made by audit_attach() from %s.', c.relname, audit_made_from(c.oid, coalesce(x.is_new, false), makers)) AS comment
             FROM   pg_class c LEFT JOIN audit_exempt x ON x.relation = c.relname
             WHERE  c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND to_regproc(format('%I', 'audit_of_' || c.relname)) IS NOT NULL
                    AND audit_person(c.oid, 'n') = audit_person_near(c.oid, 'n') LOOP
        EXECUTE format('COMMENT ON FUNCTION %I() IS %L', 'audit_of_' || t.name, t.comment);
    END LOOP;
END $$;
COMMENT ON FUNCTION audit_person_near(regclass, text) IS 'Whose row it is, one step away, as SQL: of asn its own, else the column asn_id, else of what it belongs to, else the person it names.';

-- ── the rules ────────────────────────────────────────────────────────────────────────────────────────────────────────────

CREATE OR REPLACE FUNCTION retention_form(code text, facts jsonb) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN code IN ('person', 'change-request', 'data-request', 'complaint', 'feedback', 'survey-receipt', 'import-reject', 'ticket', 'survey-answer', 'evaluation', 'audit', 'answer-kept')
       AND facts ->> 'event' IS NOT NULL
       AND CASE WHEN facts ->> 'action' = 'keep' THEN NOT facts ? 'years'
                WHEN facts ->> 'action' IN ('pseudonymise', 'erase')
                THEN code NOT IN ('ticket', 'survey-answer', 'evaluation', 'audit', 'answer-kept') AND coalesce(facts ->> 'years' ~ '^[1-9][0-9]?$', false)
                ELSE false END;

SELECT audit_quietly('{reference,reference_word}', $q$
    INSERT INTO reference (list, code, name, name_en, seq, facts, source) VALUES
        ('retention', 'data-request', 'Permintaan subjek data', 'Requests about the data', 12, '{"event":"decided","action":"pseudonymise","years":5}', 'recalled; the agency''s JRA decides')
$q$);

ALTER FUNCTION retention_items(text, date) RENAME TO retention_items_before;
COMMENT ON FUNCTION retention_items_before(text, date) IS 'What is due by the first rules: see retention_items().';
CREATE FUNCTION retention_items(which text, at date) RETURNS TABLE (id uuid, held text)
LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF which <> 'data-request' THEN
        RETURN QUERY SELECT i.id, i.held FROM retention_items_before(which, at) i;
        RETURN;
    END IF;
    RETURN QUERY SELECT r.id, NULL::text FROM data_request r
                 WHERE  r.decided_at IS NOT NULL AND local_day(greatest(r.decided_at, r.told_at)) <= retention_before('data-request', at)
                        AND (r.text <> '(dihapus)' OR r.reason <> '(dihapus)' OR r.told <> '(dihapus)');
END $$;
COMMENT ON FUNCTION retention_items(text, date) IS
    'What is due by a rule on a day: people, requests, complaints, comments; of marks and refused lines the survey and the import that they belong to. held: what keeps it although it is due.';

ALTER FUNCTION retention_item(text, uuid, date) RENAME TO retention_item_before;
COMMENT ON FUNCTION retention_item_before(text, uuid, date) IS 'Does what the first rules say: see retention_item().';
CREATE FUNCTION retention_item(which text, item uuid, at date) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    words text[];
BEGIN
    IF which = 'data-request' THEN
        UPDATE data_request r
        SET    text = '(dihapus)', reason = CASE WHEN r.reason IS NOT NULL THEN '(dihapus)' END, told = CASE WHEN r.told IS NOT NULL THEN '(dihapus)' END
        WHERE  r.id = item;
        RETURN true;
    END IF;
    words := CASE which WHEN 'person' THEN retention_words(item) END;
    IF NOT retention_item_before(which, item, at) THEN
        RETURN false;
    END IF;
    IF which = 'person' THEN
        PERFORM retention_texts(item, words);
    END IF;
    RETURN true;
END $$;
COMMENT ON FUNCTION retention_item(text, uuid, date) IS 'Does to one thing what its rule says. False: it is not due any more.';

CREATE OR REPLACE FUNCTION retention_apply(which text, at date, most integer) RETURNS integer
LANGUAGE plpgsql AS $$
DECLARE
    item  uuid;
    known text[];
    gone  uuid[] := '{}';
    words text[] := '{}';
    n     integer := 0;
    last  bigint;
BEGIN
    IF at > local_today() THEN
        RAISE EXCEPTION 'a day to come' USING ERRCODE = 'P0001', CONSTRAINT = 'retention_day';
    END IF;
    PERFORM pg_advisory_xact_lock(hashtextextended('retention', 53));
    PERFORM set_config('asnd.erasing', 'on', true);
    last := (SELECT max(e.id) FROM audit_entry e);
    FOR item IN SELECT i.id FROM retention_items(which, at) i WHERE i.held IS NULL ORDER BY i.id LIMIT most LOOP
        known := CASE which WHEN 'person' THEN retention_words(item) END;
        IF retention_item(which, item, at) THEN
            n := n + 1;
            gone := gone || item;
            words := words || known;
        END IF;
    END LOOP;
    IF which = 'person' AND n > 0 THEN
        PERFORM audit_redact(gone || ARRAY(SELECT m.merged_id FROM asn_merge m WHERE m.asn_id = ANY (gone) AND m.undone_at IS NULL), words, last);
    END IF;
    PERFORM set_config('asnd.erasing', '', true);
    RETURN n;
END $$;

SELECT audit_quietly('{audit_exempt}', $q$
    INSERT INTO audit_exempt (relation, reason) VALUES ('retention_column', 'The schema''s own: changed by migrations alone')
$q$);
SELECT audit_quietly('{row_definer}', $q$
    INSERT INTO row_definer VALUES ('audit_redact', 'Entries are changed by nobody else; takes nothing from whom retention_apply() has not pseudonymised')
$q$);

SELECT audit_attach();
SELECT row_security_attach();
