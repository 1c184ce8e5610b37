-- Documents: decrees and certificates of people, their metadata, their links to histories, and their content. Why the content lies here:
-- docs/decisions/0010-content-of-documents.md.

-- ── content ──────────────────────────────────────────────────────────────────────────────────────────────────────────────

CREATE TABLE document_content (
    id         uuid        CONSTRAINT document_content_pkey PRIMARY KEY,
    sha256     bytea       NOT NULL CONSTRAINT document_content_sha256_key UNIQUE CONSTRAINT document_content_sha256_length CHECK (octet_length(sha256) = 32),
    size       bigint      NOT NULL CONSTRAINT document_content_size_range CHECK (size BETWEEN 1 AND 268435456),
    created_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE document_content IS 'What was uploaded, each run of bytes once: a decree that names two hundred people is stored once. It never changes.';
COMMENT ON COLUMN document_content.id IS 'UUIDv7, given before the first byte';
COMMENT ON COLUMN document_content.sha256 IS 'SHA-256 of all its bytes';
COMMENT ON COLUMN document_content.size IS 'Bytes';
COMMENT ON COLUMN document_content.created_at IS 'When it came for the first time';

CREATE TABLE document_chunk (
    content_id uuid    NOT NULL CONSTRAINT document_chunk_content_fkey REFERENCES document_content ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,
    seq        integer NOT NULL CONSTRAINT document_chunk_seq_range CHECK (seq >= 0),
    bytes      bytea   NOT NULL CONSTRAINT document_chunk_bytes_length CHECK (octet_length(bytes) BETWEEN 1 AND 262144),
    CONSTRAINT document_chunk_pkey PRIMARY KEY (content_id, seq)
);
ALTER TABLE document_chunk ALTER COLUMN bytes SET STORAGE EXTERNAL; -- PDF, JPEG and PNG are compressed already
COMMENT ON TABLE document_chunk IS 'The bytes of contents in pieces of 262,144, the last one shorter. They come before their content, whose hash is known at the end.';
COMMENT ON COLUMN document_chunk.content_id IS 'document_content.id';
COMMENT ON COLUMN document_chunk.seq IS 'Which piece, from 0';
COMMENT ON COLUMN document_chunk.bytes IS 'The piece';

-- An upload that finds its bytes stored already drops its own copy. The lock keeps who erases from taking them away meanwhile.
CREATE FUNCTION content_settle(which uuid, hash bytea, length bigint) RETURNS uuid
LANGUAGE plpgsql AS $$
DECLARE
    kept uuid;
BEGIN
    LOOP
        INSERT INTO document_content (id, sha256, size) VALUES (which, hash, length) ON CONFLICT (sha256) DO NOTHING;
        IF FOUND THEN
            RETURN which;
        END IF;
        SELECT c.id INTO kept FROM document_content c WHERE c.sha256 = hash FOR KEY SHARE;
        IF FOUND THEN
            DELETE FROM document_chunk k WHERE k.content_id = which;
            RETURN kept;
        END IF;
    END LOOP;
END $$;
COMMENT ON FUNCTION content_settle(uuid, bytea, bigint) IS 'After the last piece of an upload: its content, or the one with the same bytes that is there already.';

-- ── documents ────────────────────────────────────────────────────────────────────────────────────────────────────────────

CREATE TABLE document (
    id         uuid        CONSTRAINT document_pkey PRIMARY KEY,
    asn_id     uuid        NOT NULL CONSTRAINT document_asn_fkey REFERENCES asn,
    type       text COLLATE "C" NOT NULL,
    title      text        CONSTRAINT document_title_length CHECK (length(title) BETWEEN 1 AND 200),
    number     text        CONSTRAINT document_number_length CHECK (length(number) BETWEEN 1 AND 120),
    issued_on  date        CONSTRAINT document_issued_on_range CHECK (issued_on BETWEEN '1900-01-01' AND '2099-12-31'),
    file_name  text        CONSTRAINT document_file_name_length CHECK (length(file_name) BETWEEN 1 AND 200),
    media_type text        NOT NULL CONSTRAINT document_media_type_known CHECK (media_type IN ('application/pdf', 'image/jpeg', 'image/png')),
    size       bigint      NOT NULL,
    sha256     bytea       NOT NULL,
    content_id uuid        CONSTRAINT document_content_fkey REFERENCES document_content,
    warnings   text[]      NOT NULL DEFAULT '{}',
    is_void    boolean     NOT NULL DEFAULT false,
    reason     text,
    erased_at  timestamptz,
    actor_key  uuid,
    actor_name text,
    version    bigint      NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT document_erased CHECK ((content_id IS NULL) = (erased_at IS NOT NULL) AND (erased_at IS NULL OR is_void))
);
CREATE INDEX document_asn_idx ON document (asn_id, id);
CREATE INDEX document_content_idx ON document (content_id);
COMMENT ON TABLE document IS 'A decree, certificate or other paper of a person. What was wrong is void; nothing is deleted but, if asked for, the content.';
COMMENT ON COLUMN document.id IS 'UUIDv7';
COMMENT ON COLUMN document.asn_id IS 'asn.id';
COMMENT ON COLUMN document.type IS 'Code of the list document-type';
COMMENT ON COLUMN document.title IS 'What it is called; null: as its type';
COMMENT ON COLUMN document.number IS 'Number of the decree or certificate';
COMMENT ON COLUMN document.issued_on IS 'Its date';
COMMENT ON COLUMN document.file_name IS 'Name of the file that was sent';
COMMENT ON COLUMN document.media_type IS 'What the bytes are, by themselves and by whoever sent them';
COMMENT ON COLUMN document.size IS 'Bytes';
COMMENT ON COLUMN document.sha256 IS 'SHA-256 of the content; stays when that is erased';
COMMENT ON COLUMN document.content_id IS 'document_content.id; null: erased';
COMMENT ON COLUMN document.warnings IS 'What is odd about the file: pdf-encrypted, no-end';
COMMENT ON COLUMN document.is_void IS 'Annulled: it should not be here';
COMMENT ON COLUMN document.reason IS 'Why it was annulled';
COMMENT ON COLUMN document.erased_at IS 'When its content was erased';
COMMENT ON COLUMN document.actor_key IS 'api_key.id of who wrote this version';
COMMENT ON COLUMN document.actor_name IS 'Name of that key then';
COMMENT ON COLUMN document.version IS 'Counts changes: ETag';
COMMENT ON COLUMN document.created_at IS 'When it was uploaded';
COMMENT ON COLUMN document.updated_at IS 'Last change';

-- Links may come before their document, so that whoever notes the new document knows already what it hangs on.
CREATE TABLE document_link (
    document_id uuid NOT NULL CONSTRAINT document_link_document_fkey REFERENCES document DEFERRABLE INITIALLY DEFERRED,
    history_id  uuid NOT NULL CONSTRAINT document_link_history_fkey REFERENCES history,
    CONSTRAINT document_link_pkey PRIMARY KEY (document_id, history_id)
);
CREATE INDEX document_link_history_idx ON document_link (history_id, document_id);
COMMENT ON TABLE document_link IS 'Which rows of histories a document proves. A link counts while both are of one person: a merge that is taken back parts them.';
COMMENT ON COLUMN document_link.document_id IS 'document.id';
COMMENT ON COLUMN document_link.history_id IS 'history.id';

CREATE FUNCTION document_keep() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'a document is never deleted' USING ERRCODE = 'P0001', CONSTRAINT = 'document_fixed';
    END IF;
    IF (NEW.id, NEW.media_type, NEW.size, NEW.sha256, NEW.created_at) IS DISTINCT FROM (OLD.id, OLD.media_type, OLD.size, OLD.sha256, OLD.created_at)
       OR NEW.asn_id <> OLD.asn_id AND NOT is_merging() OR NEW.content_id IS DISTINCT FROM OLD.content_id AND NEW.content_id IS NOT NULL THEN
        RAISE EXCEPTION 'whose it is and what it holds is for ever' USING ERRCODE = 'P0001', CONSTRAINT = 'document_fixed';
    END IF;
    RETURN NEW;
END $$;
COMMENT ON FUNCTION document_keep() IS 'Whose a document is and what it holds never changes, but by a merge; its content can only go.';
CREATE TRIGGER document_10_keep BEFORE UPDATE OR DELETE ON document FOR EACH ROW EXECUTE FUNCTION document_keep();
CREATE TRIGGER document_20_touch BEFORE UPDATE ON document FOR EACH ROW EXECUTE FUNCTION touch_row();

-- 16 is Hukuman Disiplin in the list history-kind, which the types of documents have as their parent.
CREATE FUNCTION document_type_guarded(which text) RETURNS boolean
LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE AS $$
BEGIN
    RETURN EXISTS (SELECT FROM reference r WHERE r.list = 'document-type' AND r.code = which AND r.parent = '16');
END $$;
COMMENT ON FUNCTION document_type_guarded(text) IS 'Whether documents of this type are of discipline, whatever they hang on.';

CREATE VIEW document_entry AS
SELECT d.id, a.nip, d.type, d.title, d.number, d.issued_on AS date, d.file_name, d.media_type, d.size, encode(d.sha256, 'hex') AS sha256, d.warnings,
       d.is_void, d.erased_at IS NOT NULL AS is_erased, d.reason, d.actor_name, d.version, d.created_at, d.updated_at,
       d.asn_id AS _asn_id, d.content_id AS _content_id, u.path AS _unit_path, l.all_ids AS _all_ids, l.open_ids AS _open_ids,
       document_type_guarded(d.type) OR coalesce(l.of_discipline, false) AS _is_discipline
FROM   document d
JOIN   asn a ON a.id = d.asn_id
JOIN   unit u ON u.id = a.unit_id
CROSS  JOIN LATERAL (SELECT coalesce(array_agg(h.id ORDER BY h.starts, h.id), '{}') AS all_ids,
                            coalesce(array_agg(h.id ORDER BY h.starts, h.id) FILTER (WHERE h.kind <> 'discipline'), '{}') AS open_ids,
                            bool_and(h.kind = 'discipline') AS of_discipline
                     FROM   document_link k JOIN history h ON h.id = k.history_id AND h.asn_id = d.asn_id
                     WHERE  k.document_id = d.id) l;
COMMENT ON VIEW document_entry IS
    'Documents as the API shows them. _is_discipline: only for callers with asn.discipline: by its type, or because it hangs on nothing else; _open_ids: rows that everybody may know of.';

CREATE FUNCTION history_documents(which uuid, scopes text[]) RETURNS json
LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
BEGIN
    RETURN (SELECT coalesce(json_agg(json_build_object('id', d.id, 'type', d.type, 'title', d.title, 'media_type', d.media_type) ORDER BY d.id), '[]')
            FROM   document_link k
            JOIN   history h ON h.id = k.history_id
            JOIN   document_entry d ON d.id = k.document_id AND d._asn_id = h.asn_id
            WHERE  k.history_id = which AND NOT d.is_void AND (NOT d._is_discipline OR scope_held(scopes, 'asn.discipline')));
END $$;
COMMENT ON FUNCTION history_documents(uuid, text[]) IS 'The documents of a row of a history that a caller with these scopes may know of.';

-- ── writing ──────────────────────────────────────────────────────────────────────────────────────────────────────────────

CREATE TYPE document_answer AS (problem text, place text, value text, is_new boolean, entry document_entry);
COMMENT ON TYPE document_answer IS 'What became of it: a problem of the catalogue with its place (a member or parameter), or the document.';

CREATE FUNCTION document_fault(person uuid, scopes text[], doc_type text, links uuid[], OUT problem text, OUT place text, OUT value text)
LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF doc_type IS NOT NULL AND NOT reference_holds('document-type', doc_type, local_today()) THEN
        problem := 'reference-missing'; place := 'type'; value := doc_type;
    ELSIF doc_type IS NOT NULL AND document_type_guarded(doc_type) AND NOT scope_held(scopes, 'asn.discipline') THEN
        problem := 'forbidden'; place := 'type'; value := doc_type;
    ELSE
        SELECT 'reference-missing', 'history_ids', w.id::text INTO problem, place, value
        FROM   unnest(links) AS w (id)
        WHERE  NOT EXISTS (SELECT FROM history h WHERE h.id = w.id AND h.asn_id = person AND history_shown(h.kind, scopes))
        LIMIT  1;
    END IF;
END $$;
COMMENT ON FUNCTION document_fault(uuid, text[], text, uuid[]) IS
    'What is wrong with metadata: a type that the list does not hold today or that is not the caller''s to give, a row that is not this person''s or hidden from the caller.';

-- Before the first byte is read.
CREATE FUNCTION document_ask(number text, units ltree[], scopes text[], doc_type text, links uuid[]) RETURNS SETOF document_answer
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN QUERY SELECT f.problem, f.place, f.value, NULL::boolean, NULL::document_entry
                 FROM   asn a JOIN unit u ON u.id = a.unit_id, document_fault(a.id, scopes, doc_type, links) f
                 WHERE  a.id = asn_of_nip(number) AND u.path <@ ANY (units);
END $$;
COMMENT ON FUNCTION document_ask(text, ltree[], text[], text, uuid[]) IS 'Whether an upload would be taken; no row: there is no such person in these units.';

-- Two uploads of one content for one person wait for each other here, so the second finds the first. Only what the caller may see is found:
-- what is hidden may be there a second time.
CREATE FUNCTION document_store(me document, person_number text, units ltree[], scopes text[], links uuid[]) RETURNS SETOF document_answer
LANGUAGE plpgsql AS $$
DECLARE
    old    document_entry;
    person uuid;
    answer document_answer;
BEGIN
    SELECT a.id INTO person FROM asn a WHERE a.id = asn_of_nip(person_number) AND EXISTS (SELECT FROM unit u WHERE u.id = a.unit_id AND u.path <@ ANY (units))
    FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    SELECT f.problem, f.place, f.value INTO answer.problem, answer.place, answer.value FROM document_fault(person, scopes, me.type, links) f;
    IF answer.problem IS NOT NULL THEN
        RETURN NEXT answer;
        RETURN;
    END IF;
    SELECT e.* INTO old FROM document_entry e
    WHERE  e._asn_id = person AND e._content_id = me.content_id AND NOT e.is_void AND (NOT e._is_discipline OR scope_held(scopes, 'asn.discipline'))
    ORDER  BY e.id LIMIT 1;
    IF NOT FOUND THEN
        INSERT INTO document_link (document_id, history_id) SELECT DISTINCT me.id, l FROM unnest(links) AS l;
        INSERT INTO document (id, asn_id, type, title, number, issued_on, file_name, media_type, size, sha256, content_id, warnings, actor_key, actor_name)
        VALUES (me.id, person, me.type, me.title, me.number, me.issued_on, me.file_name, me.media_type, me.size, me.sha256, me.content_id, me.warnings,
                me.actor_key, me.actor_name);
    ELSIF old.type <> me.type OR old.title <> me.title OR old.number <> me.number OR old.date <> me.issued_on
          OR me.title IS NOT NULL AND old.title IS NULL
          OR me.number IS NOT NULL AND old.number IS NULL OR me.issued_on IS NOT NULL AND old.date IS NULL THEN
        answer := ('document-differs', '', old.id::text, NULL, NULL)::document_answer;
        RETURN NEXT answer;
        RETURN;
    ELSE
        INSERT INTO document_link (document_id, history_id) SELECT DISTINCT old.id, l FROM unnest(links) AS l ON CONFLICT DO NOTHING;
        IF FOUND THEN
            UPDATE document d SET actor_key = me.actor_key, actor_name = me.actor_name WHERE d.id = old.id;
        END IF;
    END IF;
    RETURN QUERY SELECT NULL::text, NULL::text, NULL::text, old.id IS NULL, e FROM document_entry e WHERE e.id = coalesce(old.id, me.id);
END $$;
COMMENT ON FUNCTION document_store(document, text, ltree[], text[], uuid[]) IS
    'After the last byte: the new document, or the one of this person that has the same content and says the same, with the links added. No row: there is no such person in these units.';

CREATE FUNCTION document_change(which uuid, units ltree[], scopes text[], patch jsonb, seen int8multirange, by_key uuid, by_name text) RETURNS SETOF document_answer
LANGUAGE plpgsql AS $$
DECLARE
    me     document_entry;
    links  uuid[];
    answer document_answer;
BEGIN
    PERFORM FROM document d WHERE d.id = which FOR UPDATE;
    SELECT e.* INTO me FROM document_entry e
    WHERE  e.id = which AND e._unit_path <@ ANY (units) AND (NOT e._is_discipline OR scope_held(scopes, 'asn.discipline'));
    IF NOT FOUND THEN
        RETURN;
    END IF;
    IF NOT seen @> me.version THEN
        answer.problem := 'version-stale';
    ELSIF me.is_void THEN
        answer.problem := 'document-void';
    ELSE
        links := ARRAY(SELECT l::uuid FROM jsonb_array_elements_text(patch -> 'history_ids') AS l);
        SELECT f.problem, '/' || f.place, f.value INTO answer.problem, answer.place, answer.value
        FROM   document_fault(me._asn_id, scopes, nullif(patch ->> 'type', me.type), links) f;
    END IF;
    IF answer.problem IS NOT NULL THEN
        RETURN NEXT answer;
        RETURN;
    END IF;
    IF patch ? 'history_ids' THEN -- rows that the caller may not know of stay
        DELETE FROM document_link k USING history h
        WHERE  k.document_id = which AND h.id = k.history_id AND history_shown(h.kind, scopes) AND h.id <> ALL (links);
        INSERT INTO document_link (document_id, history_id) SELECT DISTINCT which, l FROM unnest(links) AS l ON CONFLICT DO NOTHING;
    END IF;
    UPDATE document d
    SET    type = CASE WHEN patch ? 'type' THEN patch ->> 'type' ELSE d.type END,
           title = CASE WHEN patch ? 'title' THEN patch ->> 'title' ELSE d.title END,
           number = CASE WHEN patch ? 'number' THEN patch ->> 'number' ELSE d.number END,
           issued_on = CASE WHEN patch ? 'date' THEN (patch ->> 'date')::date ELSE d.issued_on END,
           actor_key = by_key, actor_name = by_name
    WHERE  d.id = which;
    RETURN QUERY SELECT NULL::text, NULL::text, NULL::text, NULL::boolean, e FROM document_entry e WHERE e.id = which;
END $$;
COMMENT ON FUNCTION document_change(uuid, ltree[], text[], jsonb, int8multirange, uuid, text) IS
    'Other metadata (DocumentPatch of openapi.yaml). No row: there is no such document in these units, or it is hidden from these scopes.';

-- The content's lock comes before the document's, as it does in an upload.
CREATE FUNCTION document_annul(which uuid, units ltree[], scopes text[], seen int8multirange, why text, erase boolean, by_key uuid, by_name text)
RETURNS SETOF document_answer
LANGUAGE plpgsql AS $$
DECLARE
    me     document_entry;
    answer document_answer;
BEGIN
    IF erase THEN
        PERFORM FROM document_content c WHERE c.id = (SELECT d.content_id FROM document d WHERE d.id = which) FOR UPDATE;
    END IF;
    PERFORM FROM document d WHERE d.id = which FOR UPDATE;
    SELECT e.* INTO me FROM document_entry e
    WHERE  e.id = which AND e._unit_path <@ ANY (units) AND (NOT e._is_discipline OR scope_held(scopes, 'asn.discipline'));
    IF NOT FOUND THEN
        RETURN;
    END IF;
    IF NOT seen @> me.version THEN
        answer.problem := 'version-stale';
    ELSIF me.is_erased OR me.is_void AND erase IS NOT TRUE THEN
        answer.problem := 'document-void';
    END IF;
    IF answer.problem IS NOT NULL THEN
        RETURN NEXT answer;
        RETURN;
    END IF;
    UPDATE document d
    SET    is_void = true, reason = why, actor_key = by_key, actor_name = by_name,
           content_id = CASE WHEN erase THEN NULL ELSE d.content_id END, erased_at = CASE WHEN erase THEN now() END
    WHERE  d.id = which;
    IF erase THEN
        DELETE FROM document_content c WHERE c.id = me._content_id AND NOT EXISTS (SELECT FROM document d WHERE d.content_id = c.id);
    END IF;
    RETURN QUERY SELECT NULL::text, NULL::text, NULL::text, NULL::boolean, e FROM document_entry e WHERE e.id = which;
END $$;
COMMENT ON FUNCTION document_annul(uuid, ltree[], text[], int8multirange, text, boolean, uuid, text) IS
    'Makes a document void; with erase its content goes too, unless another document has the same. One that is void can still be erased.';

-- ── the feed of changes ──────────────────────────────────────────────────────────────────────────────────────────────────

ALTER TABLE change DROP CONSTRAINT change_entity_known,
                   ADD CONSTRAINT change_entity_known CHECK (entity IN ('unit', 'asn', 'history', 'programme', 'session', 'enrolment', 'period', 'evaluation', 'skp', 'document'));
COMMENT ON COLUMN change.part IS 'Of a history its kind; of a document discipline, if it is of that';

CREATE OR REPLACE FUNCTION change_entities(scopes text[]) RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN scope_held(scopes, 'unit.read') THEN '{unit}'::text[] ELSE '{}' END
    || CASE WHEN scope_held(scopes, 'asn.read') THEN '{asn,history}'::text[] ELSE '{}' END
    || CASE WHEN scope_held(scopes, 'training.read') THEN '{programme,session,enrolment}'::text[] ELSE '{}' END
    || CASE WHEN scope_held(scopes, 'performance.read') THEN '{period,evaluation,skp}'::text[] ELSE '{}' END
    || CASE WHEN scope_held(scopes, 'document.read') THEN '{document}'::text[] ELSE '{}' END;

-- Not by change_note(), which knows nothing of links. Whose the rows are does not matter here: within a merge they come after their documents.
CREATE FUNCTION document_note() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
    batch bigint;
BEGIN
    IF NOT EXISTS (SELECT FROM entered) THEN
        RETURN NULL;
    END IF;
    batch := change_open_batch();
    INSERT INTO change (batch, entity, id, kind, asn_id, part, version)
    SELECT batch, 'document', n.id, CASE WHEN n.is_void THEN 'deleted' WHEN TG_OP = 'INSERT' THEN 'created' ELSE 'updated' END, n.asn_id,
           CASE WHEN document_type_guarded(n.type)
                     OR (SELECT bool_and(h.kind = 'discipline') FROM document_link k JOIN history h ON h.id = k.history_id WHERE k.document_id = n.id)
                THEN 'discipline' END,
           n.version
    FROM   entered n;
    RETURN NULL;
END $$;
COMMENT ON FUNCTION document_note() IS 'Notes new and changed documents of a statement; those of discipline as such.';
CREATE TRIGGER document_35_change_insert AFTER INSERT ON document REFERENCING NEW TABLE AS entered FOR EACH STATEMENT EXECUTE FUNCTION document_note();
CREATE TRIGGER document_35_change_update AFTER UPDATE ON document REFERENCING NEW TABLE AS entered FOR EACH STATEMENT EXECUTE FUNCTION document_note();

-- ── more types ───────────────────────────────────────────────────────────────────────────────────────────────────────────

INSERT INTO reference (list, code, name, name_en, siasn_id, parent, seq, facts, source) VALUES
    ('document-type', 'lain', 'Dokumen lain', 'Another document', NULL, NULL, 99, '{}', 'our own: SIASN has no code for it');
