-- How long what is personal is kept, and what becomes of it then: dated rules, a count of what is due, and its pseudonymising or erasing, which leaves what statistics need.
-- See docs/personal-data-protection.md.

-- ── the rules, as a reference list ───────────────────────────────────────────────────────────────────────────────────────

CREATE FUNCTION retention_form(code text, facts jsonb) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN code IN ('person', 'change-request', 'complaint', 'feedback', 'survey-receipt', 'import-reject', 'ticket', 'survey-answer', 'evaluation', 'audit', 'answer-kept')
       AND facts ->> 'event' IS NOT NULL
       AND CASE WHEN facts ->> 'action' = 'keep' THEN NOT facts ? 'years'
                WHEN facts ->> 'action' IN ('pseudonymise', 'erase')
                THEN code NOT IN ('ticket', 'survey-answer', 'evaluation', 'audit', 'answer-kept') AND coalesce(facts ->> 'years' ~ '^[1-9][0-9]?$', false)
                ELSE false END;
COMMENT ON FUNCTION retention_form(text, jsonb) IS
    'Whether a row of the list retention is a rule: a kind that is known; event; action keep, or pseudonymise or erase with years, 1 to 99, of what can go.';

SELECT audit_quietly('{reference_list}', $q$
    INSERT INTO reference_list (list, name, name_en, description, source) VALUES
        ('retention', 'Retensi Data Pribadi', 'Retention of personal data',
         'What is kept of whom, and for how long. Facts: event, what the years are counted from; action, keep, pseudonymise (who it is goes, what statistics need stays) or erase; years, '
         '1 to 99, if it is not kept. Read by asnd retention.',
         'UU 27/2022 Arts. 42 to 44 (numbers recalled): at the end of the time that the archive retention schedule (JRA) sets')
$q$);
SELECT audit_quietly('{reference,reference_word}', $q$
    INSERT INTO reference (list, code, name, name_en, seq, facts, source) VALUES
        ('retention', 'person', 'Pegawai yang sudah berhenti', 'People who have left', 1, '{"event":"left","action":"pseudonymise","years":10}', 'recalled; the agency''s JRA decides'),
        ('retention', 'change-request', 'Usul perubahan data', 'Change requests', 2, '{"event":"decided","action":"pseudonymise","years":5}', 'recalled; the agency''s JRA decides'),
        ('retention', 'complaint', 'Pengaduan', 'Complaints', 3, '{"event":"closed","action":"pseudonymise","years":5}', 'recalled; the agency''s JRA decides'),
        ('retention', 'feedback', 'Saran dan komentar survei', 'Comments on surveys', 4, '{"event":"received","action":"pseudonymise","years":2}', 'recalled; the agency''s JRA decides'),
        ('retention', 'survey-receipt', 'Tanda sudah menjawab survei', 'Marks of who has answered a survey', 5, '{"event":"survey ended","action":"erase","years":1}', 'own choice'),
        ('retention', 'import-reject', 'Baris impor yang ditolak', 'Refused lines of imports', 6, '{"event":"imported","action":"erase","years":1}', 'own choice'),
        ('retention', 'ticket', 'Antrean layanan', 'Tickets', 7, '{"event":"finished","action":"keep"}', 'A number and times: nobody is named but the officer'),
        ('retention', 'survey-answer', 'Jawaban survei', 'Answers to surveys', 8, '{"event":"answered","action":"keep"}', 'Anonymous from the start'),
        ('retention', 'evaluation', 'Evaluasi kinerja', 'Evaluations', 9, '{"event":"final","action":"keep"}', 'Final ones never change; who it was goes with the person'),
        ('retention', 'audit', 'Jejak audit', 'The audit', 10, '{"event":"written","action":"keep"}', 'UU 27/2022 Art. 31: processing is recorded'),
        ('retention', 'answer-kept', 'Jawaban yang disimpan', 'Kept answers', 11, '{"event":"answered","action":"keep"}', 'Setting idempotency_hours')
$q$);
ALTER TABLE reference ADD CONSTRAINT reference_retention_form CHECK (list <> 'retention' OR retention_form(code, facts));

CREATE VIEW retention_rule AS
SELECT r.code AS rule, r.name, r.name_en, r.valid, r.facts ->> 'event' AS event, r.facts ->> 'action' AS action, (r.facts ->> 'years')::integer AS years
FROM   reference r
WHERE  r.list = 'retention';
COMMENT ON VIEW retention_rule IS 'The rules of retention, each for its days.';

CREATE FUNCTION retention_before(which text, at date) RETURNS date
LANGUAGE sql STABLE
RETURN (SELECT (at - make_interval(years => r.years))::date FROM retention_rule r WHERE r.rule = which AND r.valid @> at AND r.action <> 'keep');
COMMENT ON FUNCTION retention_before(text, date) IS 'What happened on that day or before it is due by a rule on a day; null: nothing is.';

-- ── while something goes ─────────────────────────────────────────────────────────────────────────────────────────────────

CREATE FUNCTION is_erasing() RETURNS boolean
LANGUAGE sql STABLE PARALLEL SAFE
RETURN coalesce(current_setting('asnd.erasing', true) = 'on', false);
COMMENT ON FUNCTION is_erasing() IS 'Within retention_apply(): what is fixed may lose whom it names, and the audit is not told what was there.';

-- As in 0038, but for what was there while something is erased: an entry that keeps it would keep it for ever.
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
               concat('{"id":', e.id, f.at, coalesce('"' || e.person || '"', 'null'), f.me[3], e.act, ',"entity":"%1$s","subject":', to_json(e.subject), CASE WHEN current_setting('asnd.erasing', true) = 'on' THEN NULL ELSE ',"before":' || e.was END,
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

CREATE OR REPLACE FUNCTION certificate_edition_keep() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND is_erasing() AND to_jsonb(NEW) - '{name,nip}'::text[] = to_jsonb(OLD) - '{name,nip}'::text[] THEN
        RETURN NEW;
    END IF;
    IF TG_OP = 'DELETE' OR OLD.revoked_at IS NOT NULL
       OR to_jsonb(NEW) - '{revoked_at,revoke_reason,revoked_by,revoked_by_name}'::text[]
          <> to_jsonb(OLD) - '{revoked_at,revoke_reason,revoked_by,revoked_by_name}'::text[] THEN
        RAISE EXCEPTION 'what was issued is for ever' USING ERRCODE = 'P0001', CONSTRAINT = 'certificate_fixed';
    END IF;
    RETURN NEW;
END $$;
COMMENT ON FUNCTION certificate_edition_keep() IS 'An edition can be revoked, once, and lose whom it names when that person''s time is over; nothing else.';

CREATE OR REPLACE FUNCTION handover_order() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND is_erasing() AND to_jsonb(NEW) - '{payload,message,version,updated_at}'::text[] = to_jsonb(OLD) - '{payload,message,version,updated_at}'::text[] THEN
        RETURN NEW;
    END IF;
    IF TG_OP = 'DELETE' OR (NEW.id, NEW.what, NEW.evaluation_id, NEW.enrolment_id, NEW.created_at)
                           IS DISTINCT FROM (OLD.id, OLD.what, OLD.evaluation_id, OLD.enrolment_id, OLD.created_at)
       OR NOT handover_may_become(OLD.state, NEW.state)
       OR NEW.payload <> OLD.payload AND NEW.state <> 'prepared'
       OR OLD.state = 'accepted' AND (OLD.remote_id IS NOT NULL OR NEW.remote_id IS NULL) THEN
        RAISE EXCEPTION 'not from this state' USING ERRCODE = 'P0001', CONSTRAINT = 'handover_state_order';
    END IF;
    RETURN NEW;
END $$;
COMMENT ON FUNCTION handover_order() IS 'States go their order; what it tells, and what was sent, stays, until the person''s time is over.';

CREATE OR REPLACE FUNCTION handover_note() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF is_erasing() THEN
        RETURN NULL;
    END IF;
    INSERT INTO handover_step (handover_id, seq, state, sha256, remote_id, message, actor_key, actor_name)
    VALUES (NEW.id, 1 + coalesce((SELECT max(s.seq) FROM handover_step s WHERE s.handover_id = NEW.id), 0), NEW.state, NEW.sha256, NEW.remote_id,
            NEW.message, NEW.actor_key, NEW.actor_name);
    RETURN NULL;
END $$;

-- ── people ───────────────────────────────────────────────────────────────────────────────────────────────────────────────

CREATE FUNCTION nip_is_pseudonym(nip text) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN nip LIKE '9%';
COMMENT ON FUNCTION nip_is_pseudonym(text) IS 'A number of retention_person(): no NIP begins so, for nobody is born in a year 9….';

CREATE FUNCTION nip_pseudonym() RETURNS text
LANGUAGE sql VOLATILE
RETURN '9' || lpad(('x' || encode(gen_random_bytes(7), 'hex'))::bit(56)::bigint::text, 17, '0');
COMMENT ON FUNCTION nip_pseudonym() IS 'A number at random in a NIP''s place. From it nobody comes to the NIP.';

CREATE FUNCTION retention_held(person uuid, at date) RETURNS text
LANGUAGE sql STABLE
RETURN CASE WHEN EXISTS (SELECT FROM objection o JOIN evaluation e ON e.id = o.evaluation_id WHERE e.asn_id = person AND o.state IN ('open', 'heard')) THEN 'objection'
            WHEN EXISTS (SELECT FROM history h WHERE h.asn_id = person AND h.kind = 'discipline' AND NOT h.is_void
                                 AND coalesce(upper(h.valid) > at, h.starts > retention_before('person', at))) THEN 'discipline'
            WHEN EXISTS (SELECT FROM change_request r WHERE r.asn_id = person AND r.state = 'submitted') THEN 'change-request' END;
COMMENT ON FUNCTION retention_held(uuid, date) IS
    'Why a person''s data must stay although the time is over: an objection that is not decided, a penalty that still runs (without an end: that began within the time of the rule), a change request that nobody has decided. Null: nothing holds them.';

CREATE FUNCTION retention_people(at date) RETURNS TABLE (id uuid, held text)
LANGUAGE sql STABLE AS $$
    SELECT a.id, retention_held(a.id, at)
    FROM   asn a
    CROSS  JOIN LATERAL (SELECT min(h.starts) AS left_on FROM history h
                         WHERE  h.asn_id = a.id AND h.kind = 'status' AND NOT h.is_void
                                AND h.starts > coalesce((SELECT max(l.starts) FROM history l
                                                         WHERE  l.asn_id = a.id AND l.kind = 'status' AND NOT l.is_void AND l.starts <= at
                                                                AND l.facts ->> 'legal_status' IN (SELECT e.code FROM employed_status e)), '-infinity')) s
    WHERE  a.legal_status <> ALL (ARRAY(SELECT e.code FROM employed_status e)) AND NOT nip_is_pseudonym(a.nip) AND s.left_on <= retention_before('person', at)
$$;
COMMENT ON FUNCTION retention_people(date) IS
    'Who is no more of the staff, since a day that a history of legal status tells, for longer than the rule has it; and what holds the data. Of whom no history tells a day, nobody is due.';

-- Contents before the person, as an upload locks them.
CREATE FUNCTION retention_person(which uuid, at date) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    token    text := nip_pseudonym();
    contents uuid[] := ARRAY(SELECT c.id FROM document_content c WHERE c.id IN (SELECT d.content_id FROM document d WHERE d.asn_id = which) ORDER BY c.id FOR UPDATE);
BEGIN
    PERFORM FROM asn a WHERE a.id = which FOR UPDATE;
    IF NOT EXISTS (SELECT FROM retention_people(at) p WHERE p.id = which AND p.held IS NULL) THEN
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
    UPDATE external_certificate x SET number = 'x' || replace(x.id::text, '-', ''), proof_reference = NULL WHERE x.asn_id = which;
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
COMMENT ON FUNCTION retention_person(uuid, date) IS
    'Takes from a person''s records what says who it is: numbers, name, contacts, texts, documents, the day of birth. Unit, rank, position, sex, year of birth, education, days and results stay. False: not due any more.';

-- ── what else ────────────────────────────────────────────────────────────────────────────────────────────────────────────

CREATE FUNCTION retention_request(which uuid) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    UPDATE change_request r
    SET    record = CASE WHEN r.record IS NOT NULL THEN '{}'::jsonb END, before = CASE WHEN r.before IS NOT NULL THEN '{}'::jsonb END,
           history = CASE WHEN r.history IS NOT NULL THEN jsonb_build_object('kind', r.history -> 'kind') END, proof_text = NULL, proof_reference = NULL, reason = NULL
    WHERE  r.id = which AND NOT request_is_bare(r);
    UPDATE change_request_comment c SET text = '(dihapus)' WHERE c.request_id = which AND c.text <> '(dihapus)';
END $$;
COMMENT ON FUNCTION retention_request(uuid) IS 'Takes from a change request what was proposed, proved and said; kind, state and days stay.';

CREATE FUNCTION request_is_bare(r change_request) RETURNS boolean
LANGUAGE sql IMMUTABLE
RETURN coalesce(r.record, '{}') = '{}' AND coalesce(r.before, '{}') = '{}' AND coalesce(r.history - 'kind', '{}') = '{}' AND num_nonnulls(r.proof_text, r.proof_reference, r.reason) = 0;
COMMENT ON FUNCTION request_is_bare(change_request) IS 'Whether retention_request() has been there.';

CREATE FUNCTION retention_items(which text, at date) RETURNS TABLE (id uuid, held text)
LANGUAGE plpgsql STABLE AS $$
DECLARE
    due date := retention_before(which, at);
BEGIN
    IF due IS NULL THEN
        RETURN;
    END IF;
    CASE which
    WHEN 'person' THEN
        RETURN QUERY SELECT p.id, p.held FROM retention_people(at) p;
    WHEN 'change-request' THEN
        RETURN QUERY SELECT r.id, NULL::text FROM change_request r WHERE r.state <> 'submitted' AND local_day(r.decided_at) <= due AND NOT request_is_bare(r);
    WHEN 'complaint' THEN
        RETURN QUERY SELECT c.id, NULL::text FROM complaint c
                     WHERE  c.state IN ('closed', 'rejected') AND local_day(coalesce(c.closed_at, c.updated_at)) <= due AND c.text <> '(dihapus)';
    WHEN 'feedback' THEN
        RETURN QUERY SELECT f.id, NULL::text FROM feedback f WHERE f.received_on <= due AND f.text <> '(dihapus)';
    WHEN 'survey-receipt' THEN
        RETURN QUERY SELECT s.id, NULL::text FROM survey s WHERE s.ends_on <= due AND EXISTS (SELECT FROM survey_receipt q WHERE q.survey_id = s.id);
    WHEN 'import-reject' THEN
        RETURN QUERY SELECT i.id, NULL::text FROM import i WHERE local_day(i.started_at) <= due AND EXISTS (SELECT FROM import_reject j WHERE j.import_id = i.id);
    ELSE
    END CASE;
END $$;
COMMENT ON FUNCTION retention_items(text, date) IS
    'What is due by a rule on a day: people, requests, complaints, comments; of marks and refused lines the survey and the import that they belong to. held: what keeps it although it is due.';

CREATE FUNCTION retention_due(at date) RETURNS TABLE (rule text, name text, action text, years integer, event text, due bigint, held bigint, why text)
LANGUAGE sql STABLE AS $$
    SELECT r.rule, r.name, r.action, r.years, r.event, count(i.id) FILTER (WHERE i.held IS NULL), count(i.held), string_agg(DISTINCT i.held, ', ')
    FROM   retention_rule r
    LEFT   JOIN LATERAL retention_items(r.rule, at) i ON true
    WHERE  r.valid @> at
    GROUP  BY r.rule, r.name, r.action, r.years, r.event
    ORDER  BY r.rule
$$;
COMMENT ON FUNCTION retention_due(date) IS 'Each rule of a day, how much is due by it, and how much of that is held back, by what.';

CREATE FUNCTION retention_item(which text, item uuid, at date) RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
    CASE which
    WHEN 'person' THEN
        RETURN retention_person(item, at);
    WHEN 'change-request' THEN
        PERFORM retention_request(item);
    WHEN 'complaint' THEN
        UPDATE complaint c SET text = '(dihapus)', answer = CASE WHEN c.answer IS NOT NULL THEN '(dihapus)' END, reference = NULL WHERE c.id = item;
        UPDATE complaint_step s SET note = NULL WHERE s.complaint_id = item AND s.note IS NOT NULL;
    WHEN 'feedback' THEN
        UPDATE feedback f SET text = '(dihapus)', reason = NULL WHERE f.id = item;
    WHEN 'survey-receipt' THEN
        DELETE FROM survey_receipt q WHERE q.survey_id = item;
    WHEN 'import-reject' THEN
        DELETE FROM import_reject j WHERE j.import_id = item;
    END CASE;
    RETURN true;
END $$;
COMMENT ON FUNCTION retention_item(text, uuid, date) IS 'Does to one thing what its rule says. False: it is not due any more.';

CREATE FUNCTION retention_apply(which text, at date, most integer) RETURNS integer
LANGUAGE plpgsql AS $$
DECLARE
    item uuid;
    n    integer := 0;
BEGIN
    IF at > local_today() THEN
        RAISE EXCEPTION 'a day to come' USING ERRCODE = 'P0001', CONSTRAINT = 'retention_day';
    END IF;
    PERFORM pg_advisory_xact_lock(hashtextextended('retention', 53));
    PERFORM set_config('asnd.erasing', 'on', true);
    FOR item IN SELECT i.id FROM retention_items(which, at) i WHERE i.held IS NULL ORDER BY i.id LIMIT most LOOP
        n := n + retention_item(which, item, at)::integer;
    END LOOP;
    PERFORM set_config('asnd.erasing', '', true);
    RETURN n;
END $$;
COMMENT ON FUNCTION retention_apply(text, date, integer) IS 'Does to up to so many things that are due by a rule what it says; to how many. One at a time; what was done is not due again.';

CREATE FUNCTION retention_turn(most integer) RETURNS integer
LANGUAGE plpgsql AS $$
BEGIN
    IF most = 0 OR NOT pg_try_advisory_xact_lock(hashtextextended('retention', 53)) THEN
        RETURN 0;
    END IF;
    RETURN (SELECT coalesce(sum(retention_apply(r.rule, local_today(), most)), 0) FROM retention_rule r WHERE r.valid @> local_today() AND r.action <> 'keep');
END $$;
COMMENT ON FUNCTION retention_turn(integer) IS 'Every rule of today, to so many things each; 0: nothing, the command alone does.';

SELECT audit_attach();
SELECT row_security_attach();
