-- Who did what with whose data: an entry for each record that a transaction changes and for each reading of what is sensitive, in the same transaction; entries are
-- only ever added, and sealed in a chain of hashes. Why it is made so: docs/decisions/0013-audit.md.

CREATE SEQUENCE audit_entry_id AS bigint;
COMMENT ON SEQUENCE audit_entry_id IS 'Numbers of entries: about the order in which they were written. The order that counts is audit_link.seq.';

CREATE TABLE audit_entry (
    id        bigint      CONSTRAINT audit_entry_pkey PRIMARY KEY,
    at        timestamptz NOT NULL,
    asn_id    uuid,
    actor     text        NOT NULL,
    operation text        NOT NULL,
    people    uuid[],
    content   text        NOT NULL
);
COMMENT ON TABLE audit_entry IS 'What was done or read, by whom. Only ever added; `content` is what is sealed, the columns before it are what entries are found by.';
COMMENT ON COLUMN audit_entry.id IS 'From audit_entry_id';
COMMENT ON COLUMN audit_entry.at IS 'When it was written, by the clock';
COMMENT ON COLUMN audit_entry.asn_id IS 'The one person whom it is about; null: none, or several. No foreign key: an entry outlives whatever it tells of';
COMMENT ON COLUMN audit_entry.actor IS 'Id of the key; cli: and the user of the system; db: and the role, of whoever came past the daemon; daemon; public';
COMMENT ON COLUMN audit_entry.operation IS 'operationId; the subcommand; the chore; sql';
COMMENT ON COLUMN audit_entry.people IS 'Whose data a list showed; null: one person''s, nobody''s, or more people than are kept one by one';
COMMENT ON COLUMN audit_entry.content IS 'The entry as JSON, byte for byte as it is hashed';
CREATE INDEX audit_entry_asn_idx ON audit_entry (asn_id, id) WHERE asn_id IS NOT NULL;
CREATE INDEX audit_entry_people_idx ON audit_entry USING gin (people) WHERE people IS NOT NULL;
CREATE INDEX audit_entry_actor_idx ON audit_entry (actor, id);
CREATE INDEX audit_entry_at_idx ON audit_entry USING brin (at) WITH (pages_per_range = 32, autosummarize = on);

CREATE TABLE audit_seal (
    number   bigint      CONSTRAINT audit_seal_pkey PRIMARY KEY,
    at       timestamptz NOT NULL,
    first    bigint      NOT NULL,
    last     bigint      NOT NULL,
    settled  bigint      NOT NULL,
    previous bytea       NOT NULL,
    hash     bytea       NOT NULL,
    mark     bigint      NOT NULL,
    mark_xid xid8        NOT NULL,
    CONSTRAINT audit_seal_range CHECK (number > 0 AND last >= first AND octet_length(previous) = 32 AND octet_length(hash) = 32)
);
COMMENT ON TABLE audit_seal IS 'Blocks of the chain: each hash covers the entries of its block and the hash before it. audit_seal_hash() says how.';
COMMENT ON COLUMN audit_seal.number IS '1, 2, … without gaps';
COMMENT ON COLUMN audit_seal.at IS 'When it was made';
COMMENT ON COLUMN audit_seal.first IS 'audit_link.seq of its first entry: the one after the last of the seal before';
COMMENT ON COLUMN audit_seal.last IS 'audit_link.seq of its last entry';
COMMENT ON COLUMN audit_seal.settled IS 'Up to this audit_entry.id nothing can come any more that is not in this seal or one before: what does was put in';
COMMENT ON COLUMN audit_seal.previous IS 'Hash of the seal before; of the first: zeros';
COMMENT ON COLUMN audit_seal.hash IS 'SHA-256';
COMMENT ON COLUMN audit_seal.mark IS 'Newest audit_entry.id when it was made';
COMMENT ON COLUMN audit_seal.mark_xid IS 'Transactions with a smaller id may still have been writing entries up to `mark`; once they have ended, it is settled';

CREATE TABLE audit_link (
    seq    bigint CONSTRAINT audit_link_pkey PRIMARY KEY,
    entry  bigint NOT NULL CONSTRAINT audit_link_entry_key UNIQUE,
    seal   bigint NOT NULL,
    digest bytea  NOT NULL CONSTRAINT audit_link_digest_length CHECK (octet_length(digest) = 32)
);
COMMENT ON TABLE audit_link IS 'The order of sealed entries: that of commits, as the sealer saw them.';
COMMENT ON COLUMN audit_link.seq IS 'Place in the chain: 1, 2, … without gaps';
COMMENT ON COLUMN audit_link.entry IS 'audit_entry.id';
COMMENT ON COLUMN audit_link.seal IS 'audit_seal.number';
COMMENT ON COLUMN audit_link.digest IS 'SHA-256 of the entry''s content';

-- ── only ever added ──────────────────────────────────────────────────────────────────────────────────────────────────────

CREATE FUNCTION audit_guard() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION USING ERRCODE = 'P0001', CONSTRAINT = 'audit_append_only', MESSAGE = 'the audit is only ever added to';
END $$;
COMMENT ON FUNCTION audit_guard() IS 'Refuses every UPDATE, DELETE and TRUNCATE, whoever asks: privileges do not bind a superuser.';

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY '{audit_entry,audit_link,audit_seal}'::text[] LOOP
        EXECUTE format('CREATE TRIGGER %s_00_guard BEFORE UPDATE OR DELETE OR TRUNCATE ON %1$I FOR EACH STATEMENT EXECUTE FUNCTION audit_guard()', name);
        EXECUTE format('REVOKE UPDATE, DELETE, TRUNCATE ON %I FROM PUBLIC, CURRENT_USER', name);
    END LOOP;
END $$;

-- ── what is not told, and what is told as a hash ─────────────────────────────────────────────────────────────────────────

CREATE TABLE audit_exempt (
    relation text    CONSTRAINT audit_exempt_pkey PRIMARY KEY,
    is_new   boolean NOT NULL DEFAULT false,
    reason   text    NOT NULL
);
COMMENT ON TABLE audit_exempt IS 'Tables whose rows leave no entries, and why. Every other table is audited: audit_attach().';
COMMENT ON COLUMN audit_exempt.relation IS 'Name of the table';
COMMENT ON COLUMN audit_exempt.is_new IS 'Only its new rows leave none; changes do';
COMMENT ON COLUMN audit_exempt.reason IS 'Why';
INSERT INTO audit_exempt (relation, is_new, reason) VALUES
    ('audit_entry', false, 'The audit itself'),
    ('audit_link', false, 'The audit itself'),
    ('audit_seal', false, 'The audit itself'),
    ('schema_migration', false, 'The daemon''s own: which migrations were applied'),
    ('idempotency', false, 'The engine''s own: answers kept for a day'),
    ('change', false, 'The feed: says less of what is audited'),
    ('change_batch', false, 'The feed: says less of what is audited'),
    ('change_horizon', false, 'The feed: how far it is forgotten'),
    ('history_version', false, 'The history''s own former versions: audited there'),
    ('attendance_version', false, 'The attendance''s own former versions: audited there'),
    ('unit_version_before', false, 'The units'' own former versions: audited there'),
    ('unit_way', false, 'Worked out of unit_version'),
    ('history_ahead', false, 'Worked out of history'),
    ('history_code', false, 'Of the schema: which members hold codes'),
    ('due', false, 'Worked out of people, histories and rules'),
    ('learning_entry', false, 'Worked out of enrolments and histories'),
    ('name_word', false, 'Index of the search'),
    ('service_mark', false, 'To-do list of service_month'),
    ('service_month', false, 'Worked out of tickets'),
    ('survey_tally', false, 'Worked out of answers'),
    ('survey_receipt', false, 'Who has answered: beside an entry of the same moment it would tell who answered what'),
    ('survey_answer', false, 'Answers are anonymous: an entry would carry request and moment'),
    ('feedback', true, 'A comment comes with an answer; its moderation is audited'),
    ('reaction_receipt', false, 'Who has answered: beside an entry of the same moment it would tell who answered what'),
    ('effect_tally', false, 'Worked out of anonymous answers'),
    ('effect_window', false, 'Worked out of the session and the plan of its evaluation'),
    ('behaviour_review', false, 'Follows an enrolment that is completed, which is audited'),
    ('peer_receipt', false, 'Who has answered: beside an entry of the same moment it would tell who answered what'),
    ('peer_answer', false, 'Answers are anonymous: an entry would carry request and moment'),
    ('competency_standard_version', false, 'The standards'' own former versions: audited there'),
    ('competency_assessment_version', false, 'The assessments'' own former versions: audited there'),
    ('import_row', false, 'What an import was before, for taking it back: each row is audited where it was written'),
    ('import_reject', false, 'Lines that were refused: nothing of them was written'),
    ('document_chunk', false, 'Bytes: document and document_content name them by their hash'),
    ('ticket_series', false, 'A counter'),
    ('certificate_counter', false, 'A counter'),
    ('budget_warning', false, 'Worked out of budget lines and expenses'),
    ('enrolment_step_taken', false, 'Follows each change of the enrolment, which is audited');

CREATE TABLE audit_column (
    relation  text NOT NULL,
    name      text NOT NULL,
    treatment text NOT NULL CONSTRAINT audit_column_treatment_known CHECK (treatment IN ('hash', 'hide', 'omit')),
    reason    text NOT NULL,
    CONSTRAINT audit_column_pkey PRIMARY KEY (relation, name)
);
COMMENT ON TABLE audit_column IS 'Columns whose values stand in no entry as they are. audit_attach() must run after a change.';
COMMENT ON COLUMN audit_column.relation IS 'Name of the table; *: of whatever table, and as a member of its JSON';
COMMENT ON COLUMN audit_column.name IS 'Name of the column';
COMMENT ON COLUMN audit_column.treatment IS 'hash: by audit_hash(), so that the same value can be told again; hide: only that there is one; omit: neither, nor that it changed';
COMMENT ON COLUMN audit_column.reason IS 'Why';
INSERT INTO audit_column (relation, name, treatment, reason) VALUES
    ('*', 'nik', 'hash', 'Protected population data (UU 23/2006, article 84)'),
    ('*', 'email', 'hash', 'How to reach a person: x-sensitive in the contract'),
    ('*', 'phone', 'hash', 'How to reach a person: x-sensitive in the contract'),
    ('*', 'nik_warnings', 'hide', 'Tells of the NIK: x-sensitive in the contract'),
    ('*', 'secret', 'hide', 'A secret'),
    ('*', 'password', 'hide', 'A secret'),
    ('*', 'updated_at', 'omit', 'The entry has its own time'),
    ('*', 'name_key', 'omit', 'Worked out of the name'),
    ('*', 'position_key', 'omit', 'Worked out of the position'),
    ('asn', 'warnings', 'hide', 'Some tell of the NIK'),
    ('api_key', 'hash', 'hide', 'Would let whoever reads entries try keys against it'),
    ('api_key', 'previous_hash', 'hide', 'Would let whoever reads entries try keys against it'),
    ('api_key', 'previous_used_at', 'omit', 'Noted with each use'),
    ('api_key', 'last_used_at', 'omit', 'Noted once a minute with each use'),
    ('instance_secret', 'value', 'hide', 'A secret'),
    ('certificate_edition', 'code', 'hash', 'Whoever has the code sees the certificate'),
    ('survey', 'code', 'hash', 'Whoever has the code may answer'),
    ('session', 'seats_taken', 'omit', 'Counted from enrolments'),
    ('session', 'waiting', 'omit', 'Counted from enrolments'),
    ('session', 'queue_last', 'omit', 'Counted from enrolments'),
    ('session_quota', 'taken', 'omit', 'Counted from enrolments');

INSERT INTO instance_secret VALUES ('audit', gen_random_bytes(32));

CREATE FUNCTION audit_hash(value text) RETURNS text
LANGUAGE sql STABLE STRICT
RETURN '#' || left(encode(hmac(convert_to(value, 'UTF8'), (SELECT s.value FROM instance_secret s WHERE s.name = 'audit'), 'sha256'), 'hex'), 32);
COMMENT ON FUNCTION audit_hash(text) IS 'A sensitive value as entries tell it: half of its HMAC-SHA-256 under a secret of this database. Without the secret a NIK cannot be tried.';

CREATE FUNCTION audit_scrub(value jsonb) RETURNS jsonb
LANGUAGE plpgsql STABLE STRICT AS $$
DECLARE
    hidden text[] := ARRAY(SELECT c.name FROM public.audit_column c WHERE c.relation = '*' AND c.treatment <> 'omit');
BEGIN
    IF jsonb_typeof(value) = 'array' THEN
        RETURN coalesce((SELECT jsonb_agg(public.audit_scrub(v) ORDER BY n) FROM jsonb_array_elements(value) WITH ORDINALITY AS e (v, n)), '[]');
    ELSIF jsonb_typeof(value) <> 'object' THEN
        RETURN value;
    END IF;
    RETURN coalesce((SELECT jsonb_object_agg(k, CASE WHEN v = 'null' THEN v WHEN k = ANY (hidden) THEN to_jsonb(public.audit_hash(value ->> k)) ELSE public.audit_scrub(v) END)
                     FROM   jsonb_each(value) AS e (k, v)), '{}');
END $$;
COMMENT ON FUNCTION audit_scrub(jsonb) IS 'JSON with the members hashed, at whatever depth, that are hashed or hidden as columns of every table.';

-- ── writing ──────────────────────────────────────────────────────────────────────────────────────────────────────────────

CREATE FUNCTION audit_facts() RETURNS text[]
LANGUAGE plpgsql STABLE AS $$
DECLARE
    told text := current_setting('asnd.audit', true);
BEGIN
    IF told <> '' THEN
        RETURN string_to_array(told, E'\t');
    END IF;
    RETURN ARRAY['db:' || session_user, 'sql',
                 format(',"actor":%s,"operation":"sql","kind":"database"%s', to_json('db:' || session_user), ',"client":"' || host(inet_client_addr()) || '"')];
END $$;
COMMENT ON FUNCTION audit_facts() IS
    'Who acts in this transaction: actor, operation, and both with all else as members of an entry. The daemon says it by the session variable asnd.audit.';

CREATE FUNCTION audit_instant(at timestamptz) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"');
COMMENT ON FUNCTION audit_instant(timestamptz) IS 'A moment as entries and seals tell it.';

-- People are kept one by one up to a number that is a few pages of a list; of more there is how many, and a digest of who.
CREATE FUNCTION audit_read(what text, which text, members text[], nips text[], people_read bigint, digest text, filter jsonb) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    me     text[] := audit_facts();
    made   bigint;
    at     timestamptz := clock_timestamp();
    found  uuid[];
    one    uuid;
BEGIN
    PERFORM pg_current_xact_id();
    found := CASE WHEN what = 'document_id' THEN ARRAY(SELECT d.asn_id FROM document d WHERE d.id::text = which)
                  WHEN cardinality(nips) = 1 THEN array_remove(ARRAY[asn_of_nip(nips[1])], NULL)
                  WHEN coalesce(people_read, 0) <= 1000 THEN ARRAY(SELECT a.id FROM asn a WHERE a.nip = ANY (nips) ORDER BY a.id) ELSE '{}' END;
    one := CASE WHEN cardinality(found) = 1 THEN found[1] END;
    made := nextval('audit_entry_id');
    INSERT INTO audit_entry (id, at, asn_id, actor, operation, people, content)
    VALUES (made, at, one, me[1], me[2], CASE WHEN cardinality(found) > 1 THEN found END,
            '{"id":' || made || ',"at":"' || audit_instant(at) || '","person":' || coalesce('"' || one || '"', 'null') || me[3] || ',"action":"read"'
            || coalesce(',"entity":' || to_json(what), '') || coalesce(',"subject":' || to_json(which), '') || coalesce(',"members":' || to_json(members), '')
            || coalesce(',"count":' || people_read, '') || coalesce(',"digest":"' || digest || '"', '')
            || CASE WHEN cardinality(found) > 1 THEN ',"people":' || to_json(found) ELSE '' END
            || coalesce(',"filter":' || audit_scrub(filter - 'q' || CASE WHEN filter ? 'q' THEN jsonb_build_object('q', audit_hash(filter ->> 'q')) ELSE '{}' END)::text, '')
            || '}');
    RETURN made;
END $$;
COMMENT ON FUNCTION audit_read(text, text, text[], text[], bigint, text, jsonb) IS 'Notes a reading of what is sensitive; the entry''s id.';

-- What one column is in an entry; null: it is left out.
CREATE FUNCTION audit_expression(me regclass, a pg_attribute, side text) RETURNS text
LANGUAGE sql STABLE
RETURN (SELECT CASE WHEN t.treatment = 'omit' OR a.attgenerated <> '' THEN NULL
                    WHEN t.treatment = 'hash' THEN format('public.audit_hash(%s.%I::text)', side, a.attname)
                    WHEN t.treatment = 'hide' THEN format('CASE WHEN %s.%I IS NOT NULL THEN ''***'' END', side, a.attname)
                    WHEN a.atttypid IN ('json'::regtype, 'jsonb'::regtype) THEN format('public.audit_scrub(%s.%I::jsonb)', side, a.attname)
                    WHEN a.atttypid = 'bytea'::regtype THEN format('encode(sha256(%s.%I), ''hex'')', side, a.attname)
                    ELSE format('%s.%I', side, a.attname) END
        FROM   (SELECT (SELECT c.treatment FROM audit_column c WHERE c.name = a.attname AND c.relation IN ('*', me::text)
                        ORDER BY c.relation = '*' LIMIT 1) AS treatment) t);
COMMENT ON FUNCTION audit_expression(regclass, pg_attribute, text) IS 'What of a column entries tell, as SQL; side: the name of the row.';

-- Functions take a hundred arguments at most, which are fifty members.
CREATE FUNCTION audit_members(me regclass, side text, other text) RETURNS text
LANGUAGE sql STABLE
RETURN (SELECT format('jsonb_strip_nulls(%s)::text', string_agg(part, ' || '))
        FROM   (SELECT format('jsonb_build_object(%s)', string_agg(format('%L, %s', e.attname, e.told), ', ' ORDER BY e.attnum)) AS part
                FROM   (SELECT a.attname, a.attnum, row_number() OVER (ORDER BY a.attnum) AS n,
                               CASE WHEN other IS NULL THEN x.told
                                    ELSE format('CASE WHEN %1$s.%2$I%5$s IS DISTINCT FROM %3$s.%2$I%5$s THEN %4$s END', side, a.attname, other, x.told,
                                                CASE WHEN a.atttypid IN ('text'::regtype, 'uuid'::regtype, 'bigint'::regtype, 'integer'::regtype, 'smallint'::regtype, 'boolean'::regtype,
                                                                         'date'::regtype, 'timestamptz'::regtype) THEN '' ELSE '::text' END) END AS told
                        FROM   pg_attribute a, LATERAL (SELECT audit_expression(me, a, side) AS told) x
                        WHERE  a.attrelid = me AND a.attnum > 0 AND NOT a.attisdropped AND x.told IS NOT NULL) e
                GROUP  BY (e.n - 1) / 45) p);
COMMENT ON FUNCTION audit_members(regclass, text, text) IS 'A row as an entry tells it, as SQL; other: only what differs from that row.';

-- As they are stored, so that it holds for every type and costs next to nothing: most updates of a busy session change counters only.
CREATE FUNCTION audit_differs(me regclass, side text, other text) RETURNS text
LANGUAGE sql STABLE
RETURN (SELECT format('ROW(%s)::record *<> ROW(%s)::record', string_agg(format('%s.%I', side, a.attname), ', ' ORDER BY a.attnum),
                      string_agg(format('%s.%I', other, a.attname), ', ' ORDER BY a.attnum))
        FROM   pg_attribute a WHERE a.attrelid = me AND a.attnum > 0 AND NOT a.attisdropped AND audit_expression(me, a, side) IS NOT NULL);
COMMENT ON FUNCTION audit_differs(regclass, text, text) IS 'Whether two rows may differ in what entries tell, as SQL.';

-- Whose row it is: of asn its own, else the column asn_id, else of what it belongs to (a required reference before others), else the person it names.
CREATE FUNCTION audit_person(me regclass, side text) RETURNS text
LANGUAGE sql STABLE
RETURN coalesce((
    SELECT p.told
    FROM   (SELECT 0 AS rank, 0 AS place, format('%s.id', side) AS told WHERE me = 'asn'::regclass
            UNION ALL
            SELECT 1, 0, format('%s.asn_id', side) FROM pg_attribute a WHERE a.attrelid = me AND a.attname = 'asn_id' AND NOT a.attisdropped
            UNION ALL
            SELECT CASE WHEN a.attnotnull THEN 2 ELSE 4 END, a.attnum, format('(SELECT p.asn_id FROM public.%s p WHERE p.%I = %s.%I)', k.confrelid::regclass, r.attname, side, a.attname)
            FROM   pg_constraint k
            JOIN   pg_attribute a ON a.attrelid = me AND a.attnum = k.conkey[1]
            JOIN   pg_attribute r ON r.attrelid = k.confrelid AND r.attnum = k.confkey[1]
            WHERE  k.conrelid = me AND k.contype = 'f' AND cardinality(k.conkey) = 1
                   AND EXISTS (SELECT FROM pg_attribute o WHERE o.attrelid = k.confrelid AND o.attname = 'asn_id' AND NOT o.attisdropped)
            UNION ALL
            SELECT 3, a.attnum, format('%s.%I', side, a.attname)
            FROM   pg_constraint k JOIN pg_attribute a ON a.attrelid = me AND a.attnum = k.conkey[1]
            WHERE  k.conrelid = me AND k.contype = 'f' AND k.confrelid = 'asn'::regclass AND cardinality(k.conkey) = 1) p
    ORDER  BY p.rank, p.place LIMIT 1), 'NULL::uuid');
COMMENT ON FUNCTION audit_person(regclass, text) IS 'Whose row it is, as SQL; side: the name of the row.';

-- One INSERT a statement, from the transition tables, as in change_note(): hence the setting here too. Every name has its schema instead of a search_path for the
-- function: to change that one for each call costs as much as the entry.
CREATE FUNCTION audit_source(me regclass) RETURNS text
LANGUAGE plpgsql STABLE AS $$
DECLARE
    keys    text[] := ARRAY(SELECT a.attname FROM pg_index i JOIN pg_attribute a ON a.attrelid = me AND a.attnum = ANY (i.indkey)
                            WHERE i.indrelid = me AND i.indisprimary ORDER BY array_position(i.indkey, a.attnum));
    entry   text := $e$
        INSERT INTO public.audit_entry (id, at, asn_id, actor, operation, content)
        SELECT e.id, moment, e.person, me[1], me[2],
               '{"id":' || e.id || ',"at":"' || told || '","person":' || coalesce('"' || e.person || '"', 'null') || me[3] || ',"action":"' || e.act
               || '","entity":"%1$s","subject":' || to_json(e.subject) || coalesce(',"before":' || e.was, '') || coalesce(',"after":' || e.becomes, '') || '}'
        FROM   (SELECT nextval('public.audit_entry_id') AS id, r.* FROM (%2$s) r%3$s) e;$e$;
    whole   text := 'SELECT ''%s'' AS act, %s AS person, concat_ws(''/'', %s) AS subject, %s AS was, %s AS becomes FROM %s';
    changed text;
    subject text;
BEGIN
    IF keys = '{}' THEN
        RAISE EXCEPTION 'table % has no primary key: it cannot be audited, nor named in audit_exempt by mistake', me;
    END IF;
    subject := (SELECT string_agg(format('SIDE.%I', k), ', ' ORDER BY n) FROM unnest(keys) WITH ORDINALITY AS u (k, n));
    changed := format('SELECT CASE WHEN o.%1$I IS NULL THEN ''create'' WHEN n.%1$I IS NULL THEN ''delete'' ELSE ''update'' END AS act, coalesce(%2$s, %3$s) AS person, '
                      'concat_ws(''/'', %4$s) AS subject, %5$s AS was, %6$s AS becomes FROM entered n FULL JOIN departed o USING (%7$s) WHERE %8$s',
                      keys[1], audit_person(me, 'n'), audit_person(me, 'o'),
                      (SELECT string_agg(format('coalesce(n.%1$I, o.%1$I)', k), ', ' ORDER BY n) FROM unnest(keys) WITH ORDINALITY AS u (k, n)),
                      audit_members(me, 'o', 'n'), audit_members(me, 'n', 'o'),
                      (SELECT string_agg(format('%I', k), ', ' ORDER BY n) FROM unnest(keys) WITH ORDINALITY AS u (k, n)), audit_differs(me, 'n', 'o'));
    RETURN format($f$
DECLARE
    me     text[] := string_to_array(nullif(current_setting('asnd.audit', true), ''), E'\t');
    moment timestamptz := clock_timestamp();
    told   text;
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF NOT EXISTS (SELECT FROM entered n FULL JOIN departed o USING (%s) WHERE %s) THEN
            RETURN NULL;
        END IF;
    END IF;
    told := to_char(moment AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"');
    IF me IS NULL THEN
        me := public.audit_facts();
    END IF;
    IF TG_OP = 'INSERT' THEN%s
    ELSIF TG_OP = 'UPDATE' THEN%s
    ELSE%s
    END IF;
    RETURN NULL;
END $f$,
        (SELECT string_agg(format('%I', k), ', ' ORDER BY n) FROM unnest(keys) WITH ORDINALITY AS u (k, n)), audit_differs(me, 'n', 'o'),
        format(entry, me, format(whole, 'create', audit_person(me, 'n'), replace(subject, 'SIDE', 'n'), 'NULL', audit_members(me, 'n', NULL), 'entered n'), ''),
        format(entry, me, changed, E'\n                WHERE r.was <> ''{}'' OR r.becomes <> ''{}'''),
        format(entry, me, format(whole, 'delete', audit_person(me, 'o'), replace(subject, 'SIDE', 'o'), audit_members(me, 'o', NULL), 'NULL', 'departed o'), ''));
END $$;
COMMENT ON FUNCTION audit_source(regclass) IS 'The body of a table''s trigger function: written out, so that nothing is looked up for a row.';

CREATE FUNCTION audit_attach() RETURNS integer
LANGUAGE plpgsql AS $$
DECLARE
    t record;
    n integer := 0;
BEGIN
    FOR t IN SELECT c.oid::regclass AS me, c.relname AS name, x.is_new AS changes_only
             FROM   pg_class c LEFT JOIN audit_exempt x ON x.relation = c.relname
             WHERE  c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND (x.relation IS NULL OR x.is_new)
                    AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')
             ORDER  BY c.relname
    LOOP
        EXECUTE format('CREATE OR REPLACE FUNCTION %I() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET enable_nestloop = off SET plan_cache_mode = force_generic_plan AS %L',
                       'audit_of_' || t.name, audit_source(t.me));
        EXECUTE format('COMMENT ON FUNCTION %I() IS %L', 'audit_of_' || t.name, 'Notes what a statement did to ' || t.name || '; made by audit_attach().');
        IF NOT coalesce(t.changes_only, false) THEN
            EXECUTE format('CREATE OR REPLACE TRIGGER %I AFTER INSERT ON %s REFERENCING NEW TABLE AS entered FOR EACH STATEMENT EXECUTE FUNCTION %I()',
                           t.name || '_90_audit_insert', t.me, 'audit_of_' || t.name);
        END IF;
        EXECUTE format('CREATE OR REPLACE TRIGGER %I AFTER UPDATE ON %s REFERENCING NEW TABLE AS entered OLD TABLE AS departed FOR EACH STATEMENT EXECUTE FUNCTION %I()',
                       t.name || '_90_audit_update', t.me, 'audit_of_' || t.name);
        EXECUTE format('CREATE OR REPLACE TRIGGER %I AFTER DELETE ON %s REFERENCING OLD TABLE AS departed FOR EACH STATEMENT EXECUTE FUNCTION %I()',
                       t.name || '_90_audit_delete', t.me, 'audit_of_' || t.name);
        n := n + 1;
    END LOOP;
    RETURN n;
END $$;
COMMENT ON FUNCTION audit_attach() IS
    'Makes the trigger functions and triggers of all tables that are not exempt. A migration that makes a table, or changes a table''s columns, ends with SELECT audit_attach().';

-- ── sealing ──────────────────────────────────────────────────────────────────────────────────────────────────────────────

CREATE FUNCTION audit_seal_hash(number bigint, at timestamptz, first bigint, last bigint, settled bigint, previous bytea, digests bytea) RETURNS bytea
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN sha256(convert_to(concat_ws(E'\n', 'asnd audit seal 1', number, audit_instant(at), first, last, settled, encode(previous, 'hex'), ''), 'UTF8') || digests);
COMMENT ON FUNCTION audit_seal_hash(bigint, timestamptz, bigint, bigint, bigint, bytea, bytea) IS
    'SHA-256 of a head of lines and the digests of the block''s entries, 32 bytes each, in the order of the chain.';

-- Whoever has written an entry has had a transaction id before its number. So when all transactions that may have been running at the last seal have ended,
-- no number up to that seal's mark can come any more. A mark ahead of all transactions is of another server: this one was restored from it.
CREATE FUNCTION audit_seal_block(most integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    last    audit_seal;
    next    audit_seal;
    has_settled boolean;
    n       integer;
    digests bytea;
BEGIN
    IF NOT pg_try_advisory_xact_lock(hashtextextended('audit seal', 20)) THEN
        RETURN 0;
    END IF;
    SELECT * INTO last FROM audit_seal s ORDER BY s.number DESC LIMIT 1;
    next.number := coalesce(last.number, 0) + 1;
    next.first := coalesce(last.last, 0) + 1;
    next.previous := coalesce(last.hash, decode(repeat('00', 32), 'hex'));
    next.settled := coalesce(last.settled, 0);
    has_settled := pg_snapshot_xmin(pg_current_snapshot()) >= last.mark_xid OR last.mark_xid > pg_snapshot_xmax(pg_current_snapshot());
    INSERT INTO audit_link (seq, entry, seal, digest)
    SELECT next.first + row_number() OVER (ORDER BY e.id) - 1, e.id, next.number, sha256(convert_to(e.content, 'UTF8'))
    FROM   (SELECT t.id, t.content FROM audit_entry t
            WHERE  t.id > next.settled AND NOT EXISTS (SELECT FROM audit_link l WHERE l.entry = t.id) ORDER BY t.id LIMIT most) e;
    GET DIAGNOSTICS n = ROW_COUNT;
    IF n = 0 THEN
        RETURN 0;
    END IF;
    IF has_settled AND n < most THEN
        next.settled := last.mark;
    END IF;
    next.last := next.first + n - 1;
    next.at := clock_timestamp();
    SELECT string_agg(l.digest, ''::bytea ORDER BY l.seq) INTO digests FROM audit_link l WHERE l.seq BETWEEN next.first AND next.last;
    next.hash := audit_seal_hash(next.number, next.at, next.first, next.last, next.settled, next.previous, digests);
    SELECT CASE WHEN s.is_called THEN s.last_value ELSE 0 END INTO next.mark FROM audit_entry_id s;
    next.mark_xid := pg_snapshot_xmax(pg_current_snapshot());
    INSERT INTO audit_seal SELECT next.*;
    RETURN n;
END $$;
COMMENT ON FUNCTION audit_seal_block(integer) IS 'Seals up to so many entries that are committed and not sealed, in one block; how many. 0 too while another is sealing.';

SELECT audit_attach();
