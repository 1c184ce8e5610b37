-- One person under two numbers: likely doubles, merging them, and taking that back.

CREATE INDEX asn_nik_idx ON asn (nik, nip) WHERE nik IS NOT NULL;
CREATE INDEX asn_birth_date_idx ON asn (birth_date, nip);

-- Two look-ups by index for each person: whoever has the same NIK, and whoever was born on that day and is named alike. Each pair once, by the
-- lower NIP.
CREATE FUNCTION doubles_of(me asn, with_nik boolean) RETURNS TABLE (other uuid, why text[], score numeric)
LANGUAGE sql STABLE AS $$
    SELECT b.id,
           array_remove(ARRAY[CASE WHEN bool_or(b.by_nik) THEN 'nik' END,
                              CASE WHEN b.born_alike AND b.likeness = 1 THEN 'name_birth' WHEN b.born_alike AND b.likeness >= 0.5 THEN 'name_like_birth' END],
                        NULL),
           CASE WHEN bool_or(b.by_nik) THEN 0.90 + round(CASE WHEN b.born_alike THEN b.likeness ELSE 0 END * 0.10, 2) ELSE round(b.likeness * 0.80, 2) END
    FROM   (SELECT n.id, true AS by_nik, n.birth_date = (me).birth_date AS born_alike, similarity(n.name_key, (me).name_key)::numeric AS likeness
            FROM   asn n WHERE with_nik AND n.nik = (me).nik AND n.nip > (me).nip
            UNION ALL
            SELECT n.id, false, true, similarity(n.name_key, (me).name_key)::numeric
            FROM   asn n WHERE n.birth_date = (me).birth_date AND n.nip > (me).nip AND similarity(n.name_key, (me).name_key) >= 0.5) b
    GROUP  BY b.id, b.born_alike, b.likeness
$$;
COMMENT ON FUNCTION doubles_of(asn, boolean) IS
    'People of higher NIPs who may be the same person, why (nik, name_birth, name_like_birth: half of the trigrams) and how likely, 0 to 1. with_nik: the caller may know what NIKs say.';

CREATE TABLE asn_merge (
    id            uuid        CONSTRAINT asn_merge_pkey PRIMARY KEY,
    asn_id        uuid        NOT NULL CONSTRAINT asn_merge_asn_fkey REFERENCES asn,
    into_id       uuid        NOT NULL,
    merged_id     uuid        NOT NULL,
    merged_nip    text        NOT NULL,
    nips          text[]      NOT NULL,
    record        jsonb       NOT NULL,
    moved         jsonb       NOT NULL DEFAULT '{}',
    voided        bigint      NOT NULL DEFAULT 0,
    reason        text        NOT NULL,
    actor_key     uuid        NOT NULL,
    actor_name    text        NOT NULL,
    merged_at     timestamptz NOT NULL DEFAULT now(),
    undone_reason text,
    undone_by     text,
    undone_at     timestamptz
);
CREATE INDEX asn_merge_asn_idx ON asn_merge (asn_id, id);
CREATE INDEX asn_merge_nips_idx ON asn_merge USING gin (nips) WHERE undone_at IS NULL;
COMMENT ON TABLE asn_merge IS 'Who was found to be somebody else who was registered already. The second record is gone from asn and kept here, to be restored.';
COMMENT ON COLUMN asn_merge.id IS 'UUIDv7';
COMMENT ON COLUMN asn_merge.asn_id IS 'asn.id of who has the rows now (who was merged again takes them along)';
COMMENT ON COLUMN asn_merge.into_id IS 'asn.id of who got them then';
COMMENT ON COLUMN asn_merge.merged_id IS 'asn.id of the record that is gone';
COMMENT ON COLUMN asn_merge.merged_nip IS 'Its NIP';
COMMENT ON COLUMN asn_merge.nips IS 'All numbers that found it: they find asn_id now';
COMMENT ON COLUMN asn_merge.record IS 'The record as it was: a row of asn';
COMMENT ON COLUMN asn_merge.moved IS 'How many rows of which table changed hands';
COMMENT ON COLUMN asn_merge.voided IS 'How many rows of histories became void, because the other''s hold on these days';
COMMENT ON COLUMN asn_merge.reason IS 'Why they are one';
COMMENT ON COLUMN asn_merge.actor_key IS 'api_key.id of who merged them';
COMMENT ON COLUMN asn_merge.actor_name IS 'Name of that key then';
COMMENT ON COLUMN asn_merge.merged_at IS 'When';
COMMENT ON COLUMN asn_merge.undone_reason IS 'Why it was taken back';
COMMENT ON COLUMN asn_merge.undone_by IS 'Name of the key that took it back';
COMMENT ON COLUMN asn_merge.undone_at IS 'When it was taken back; null: it holds';

CREATE TABLE asn_merge_row (
    merge_id  uuid    NOT NULL CONSTRAINT asn_merge_row_merge_fkey REFERENCES asn_merge,
    relation  text    NOT NULL,
    row_id    uuid    NOT NULL,
    is_voided boolean NOT NULL DEFAULT false,
    version   bigint,
    CONSTRAINT asn_merge_row_pkey PRIMARY KEY (merge_id, relation, row_id)
);
COMMENT ON TABLE asn_merge_row IS 'The rows that a merge moved, so that they find back.';
COMMENT ON COLUMN asn_merge_row.merge_id IS 'asn_merge.id';
COMMENT ON COLUMN asn_merge_row.relation IS 'Table';
COMMENT ON COLUMN asn_merge_row.row_id IS 'Its id';
COMMENT ON COLUMN asn_merge_row.is_voided IS 'The merge made it void';
COMMENT ON COLUMN asn_merge_row.version IS 'Its version after the merge: another one means that somebody changed it since';

-- ── what is for ever but for a merge ── each as before, with one exception: whose a row is changes when two people turn out to be one

CREATE FUNCTION is_merging() RETURNS boolean
LANGUAGE sql STABLE
RETURN coalesce(current_setting('asnd.merging', true), '') = 'on';
COMMENT ON FUNCTION is_merging() IS 'Whether this transaction is within asn_merge_into() or asn_merge_undo().';

CREATE OR REPLACE FUNCTION history_keep() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'a history is never deleted' USING ERRCODE = 'P0001', CONSTRAINT = 'history_fixed';
    END IF;
    IF is_merging() AND NEW.asn_id <> OLD.asn_id THEN
        RETURN NEW;
    END IF;
    IF (NEW.id, NEW.asn_id, NEW.kind, NEW.created_at) IS DISTINCT FROM (OLD.id, OLD.asn_id, OLD.kind, OLD.created_at) THEN
        RAISE EXCEPTION 'whose it is and of what kind is for ever' USING ERRCODE = 'P0001', CONSTRAINT = 'history_fixed';
    END IF;
    INSERT INTO history_version SELECT OLD.*;
    NEW.version := OLD.version + 1;
    NEW.updated_at := now();
    RETURN NEW;
END $$;

CREATE OR REPLACE FUNCTION enrolment_step() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
    first_day date;
BEGIN
    IF NEW.session_id <> OLD.session_id OR NEW.asn_id <> OLD.asn_id AND NOT is_merging() OR NEW.queue_place IS DISTINCT FROM OLD.queue_place THEN
        RAISE EXCEPTION 'who, where and place are for ever' USING ERRCODE = 'P0001', CONSTRAINT = 'enrolment_fixed';
    END IF;
    IF NEW.state = OLD.state THEN
        RETURN NEW;
    END IF;
    IF NOT enrolment_may_become(OLD.state, NEW.state) THEN
        RAISE EXCEPTION '% does not become %', OLD.state, NEW.state USING ERRCODE = 'P0001', CONSTRAINT = 'enrolment_state_order';
    END IF;
    IF NEW.state IN ('attending', 'no_show') THEN
        SELECT starts_on INTO first_day FROM session WHERE id = NEW.session_id;
        IF first_day > local_today() THEN
            RAISE EXCEPTION 'the session has not begun' USING ERRCODE = 'P0001', CONSTRAINT = 'enrolment_session_begun';
        END IF;
    END IF;
    RETURN NEW;
END $$;

CREATE OR REPLACE FUNCTION evaluation_freeze() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND is_merging() AND to_jsonb(NEW) - 'asn_id' = to_jsonb(OLD) - 'asn_id' THEN
        RETURN NEW;
    END IF;
    IF OLD.state = 'final' THEN
        RAISE EXCEPTION 'the evaluation is final' USING ERRCODE = 'P0001', CONSTRAINT = 'evaluation_final';
    END IF;
    IF TG_OP = 'DELETE' THEN
        RETURN OLD;
    END IF;
    RETURN NEW;
END $$;

CREATE OR REPLACE FUNCTION asn_keep_history() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
    people  uuid[];
    told_by text := coalesce(nullif(current_setting('asnd.source', true), ''), 'own');
BEGIN
    IF is_merging() THEN -- the histories come along by themselves
        RETURN NULL;
    END IF;
    IF TG_OP = 'INSERT' THEN
        PERFORM history_begin(array_agg(n.id), told_by) FROM entered n HAVING count(*) > 0;
    ELSE
        SELECT array_agg(n.id) INTO people
        FROM   entered n JOIN departed o USING (id)
        WHERE  (n.kind, n.appointed_on, n.rank, n.rank_since, n.position_kind, n.position, n.echelon, n.unit_id, n.title_front, n.title_back,
                n.legal_status, n.education_level, n.education)
               IS DISTINCT FROM
               (o.kind, o.appointed_on, o.rank, o.rank_since, o.position_kind, o.position, o.echelon, o.unit_id, o.title_front, o.title_back,
                o.legal_status, o.education_level, o.education);
    END IF;
    IF people IS NOT NULL THEN
        PERFORM history_follow(people, told_by);
    END IF;
    RETURN NULL;
END $$;

-- ── old numbers ──────────────────────────────────────────────────────────────────────────────────────────────────────────

CREATE FUNCTION nip_heir(number text) RETURNS uuid
LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE AS $$
BEGIN
    RETURN coalesce((SELECT h.asn_id FROM history h WHERE h.kind = 'nip' AND NOT h.is_void AND h.facts ->> 'nip' = number LIMIT 1),
                    (SELECT m.asn_id FROM asn_merge m WHERE m.undone_at IS NULL AND m.nips @> ARRAY[number] LIMIT 1));
END $$;
COMMENT ON FUNCTION nip_heir(text) IS 'Whose NIP it once was, or who is who it was given to as if to another.';

CREATE OR REPLACE FUNCTION asn_of_nip(number text) RETURNS uuid
LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE AS $$
BEGIN
    RETURN coalesce((SELECT a.id FROM asn a WHERE a.nip = number), nip_heir(number));
END $$;

CREATE VIEW nip_taken AS
SELECT h.facts ->> 'nip' AS nip, h.asn_id FROM history h WHERE h.kind = 'nip' AND NOT h.is_void
UNION ALL
SELECT unnest(m.nips), m.asn_id FROM asn_merge m WHERE m.undone_at IS NULL;
COMMENT ON VIEW nip_taken IS 'Numbers that find somebody whose number they are not now; for many at once what nip_heir() is for one.';

CREATE FUNCTION asn_number_free() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM entered n JOIN nip_taken t ON t.nip = n.nip AND t.asn_id <> n.id;
    IF FOUND THEN
        RAISE EXCEPTION 'this number is somebody''s already' USING ERRCODE = 'P0001', CONSTRAINT = 'asn_nip_key';
    END IF;
    RETURN NULL;
END $$;
COMMENT ON FUNCTION asn_number_free() IS 'Nobody new gets a NIP that finds somebody else.';
CREATE TRIGGER asn_15_number_free AFTER INSERT ON asn REFERENCING NEW TABLE AS entered FOR EACH STATEMENT EXECUTE FUNCTION asn_number_free();

-- ── merging ──────────────────────────────────────────────────────────────────────────────────────────────────────────────

-- Whatever refers to a person moves: the tables are asked, not listed, so that a new one is not forgotten. Rows that go with the person
-- (ON DELETE CASCADE) are worked out from others and are not moved.
CREATE FUNCTION asn_merge_move(which uuid, giver uuid, taker uuid) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    place record;
BEGIN
    FOR place IN
        SELECT c.conrelid::regclass::text AS relation, a.attname AS member
        FROM   pg_constraint c JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]
        WHERE  c.contype = 'f' AND c.confrelid = 'asn'::regclass AND c.confdeltype <> 'c'
        ORDER  BY 1, 2
    LOOP
        EXECUTE format('WITH m AS (UPDATE %1$s t SET %2$I = $3 WHERE t.%2$I = $2 RETURNING t.id)
                        INSERT INTO asn_merge_row (merge_id, relation, row_id) SELECT $1, %1$L, m.id FROM m
                        ON CONFLICT DO NOTHING', place.relation, place.member) USING which, giver, taker;
    END LOOP;
    UPDATE history_version v SET asn_id = taker WHERE v.asn_id = giver;
END $$;
COMMENT ON FUNCTION asn_merge_move(uuid, uuid, uuid) IS 'Moves everything that hangs on one person to another and notes it for that merge.';

CREATE FUNCTION asn_merge_versions(which uuid) RETURNS TABLE (relation text, row_id uuid, version bigint)
LANGUAGE plpgsql STABLE AS $$
DECLARE
    place text;
BEGIN
    FOR place IN SELECT DISTINCT r.relation FROM asn_merge_row r WHERE r.merge_id = which LOOP
        RETURN QUERY EXECUTE format('SELECT %1$L::text, t.id, (to_jsonb(t) ->> ''version'')::bigint
                                     FROM %1$s t JOIN asn_merge_row r ON r.merge_id = $1 AND r.relation = %1$L AND r.row_id = t.id', place) USING which;
    END LOOP;
END $$;
COMMENT ON FUNCTION asn_merge_versions(uuid) IS 'The rows that a merge moved, with their versions as they are now.';

CREATE TYPE merge_answer AS (problem text, pointer text, value text, merge asn_merge);
COMMENT ON TYPE merge_answer IS 'What became of it: a problem of the catalogue with its place, or the merge.';

CREATE FUNCTION asn_merge_into(which uuid, number text, target text, why text, units ltree[], by_key uuid, by_name text) RETURNS SETOF merge_answer
LANGUAGE plpgsql AS $$
DECLARE
    gone   asn;
    heir   asn;
    answer merge_answer;
BEGIN
    PERFORM FROM asn a WHERE a.nip = number OR a.id = asn_of_nip(target) ORDER BY a.id FOR UPDATE;
    SELECT a.* INTO gone FROM asn a JOIN unit u ON u.id = a.unit_id WHERE a.nip = number AND u.path <@ ANY (units);
    IF NOT FOUND THEN
        RETURN;
    END IF;
    SELECT a.* INTO heir FROM asn a JOIN unit u ON u.id = a.unit_id WHERE a.id = asn_of_nip(target) AND u.path <@ ANY (units);
    IF NOT FOUND OR heir.id = gone.id THEN
        answer := (CASE WHEN heir.id IS NULL THEN 'reference-missing' ELSE 'merge-self' END, '/into', target, NULL)::merge_answer;
        RETURN NEXT answer;
        RETURN;
    END IF;
    SELECT 'merge-ids', '/into', e.system INTO answer.problem, answer.pointer, answer.value
    FROM   external_id e JOIN external_id o ON o.system = e.system AND o.asn_id = heir.id
    WHERE  e.asn_id = gone.id LIMIT 1;
    IF FOUND THEN
        RETURN NEXT answer;
        RETURN;
    END IF;
    PERFORM set_config('asnd.merging', 'on', true);
    SET CONSTRAINTS history_no_overlap DEFERRED;
    INSERT INTO asn_merge (id, asn_id, into_id, merged_id, merged_nip, nips, record, reason, actor_key, actor_name)
    SELECT which, heir.id, heir.id, gone.id, gone.nip,
           array_append(ARRAY(SELECT DISTINCT h.facts ->> 'nip' FROM history h WHERE h.asn_id = gone.id AND h.kind = 'nip' AND NOT h.is_void
                                                                                     AND h.facts ->> 'nip' <> gone.nip), gone.nip),
           to_jsonb(gone), why, by_key, by_name;
    -- What holds of the heir today goes on to hold, and his rows win over others of the same days. Numbers stay apart: they are kept above.
    WITH voided AS (
        UPDATE history r
        SET    is_void = true, reason = 'the other record of the same person holds', actor_key = by_key, actor_name = by_name
        WHERE  r.asn_id = gone.id AND r.track IS NOT NULL AND NOT r.is_void
               AND (r.kind = 'nip'
                    OR EXISTS (SELECT FROM history s
                               WHERE  s.asn_id = heir.id AND s.kind = r.kind AND s.track = r.track AND NOT s.is_void
                                      AND (s.starts = r.starts OR s.starts < r.starts AND (s.valid @> local_today() OR s.ends > r.starts)
                                           OR s.starts > r.starts AND r.ends > s.starts)))
        RETURNING r.id
    )
    INSERT INTO asn_merge_row (merge_id, relation, row_id, is_voided) SELECT which, 'history', v.id, true FROM voided v;
    UPDATE asn_merge m SET voided = (SELECT count(*) FROM asn_merge_row r WHERE r.merge_id = which) WHERE m.id = which;
    PERFORM asn_merge_move(which, gone.id, heir.id);
    UPDATE asn_merge m SET moved = (SELECT coalesce(jsonb_object_agg(w.relation, w.n), '{}')
                                    FROM   (SELECT r.relation, count(*) AS n FROM asn_merge_row r WHERE r.merge_id = which GROUP BY 1) w)
    WHERE  m.id = which;
    PERFORM history_resolve(ARRAY[heir.id]);
    DELETE FROM asn a WHERE a.id = gone.id;
    PERFORM history_project(ARRAY[heir.id]);
    UPDATE asn_merge_row r SET version = v.version FROM asn_merge_versions(which) v WHERE r.merge_id = which AND (r.relation, r.row_id) = (v.relation, v.row_id);
    PERFORM set_config('asnd.merging', '', true);
    RETURN QUERY SELECT NULL::text, NULL::text, NULL::text, m FROM asn_merge m WHERE m.id = which;
END $$;
COMMENT ON FUNCTION asn_merge_into(uuid, text, text, text, ltree[], uuid, text) IS
    'Moves what hangs on the person with the first NIP to the one with the second, and keeps the record aside. What they cannot both have (an evaluation of one period, overlapping sessions) is refused by its own constraint. No row: there is no such person in these units.';

CREATE FUNCTION asn_merge_undo(number text, why text, units ltree[], by_name text) RETURNS SETOF merge_answer
LANGUAGE plpgsql AS $$
DECLARE
    m       asn_merge;
    place   record;
    columns text;
    changed uuid;
    answer  merge_answer;
BEGIN
    PERFORM FROM asn a WHERE a.id = (SELECT e.asn_id FROM asn_merge e WHERE e.undone_at IS NULL AND e.merged_nip = number AND e.nips @> ARRAY[number]) FOR UPDATE;
    SELECT e.* INTO m FROM asn_merge e JOIN asn a ON a.id = e.asn_id JOIN unit u ON u.id = a.unit_id
    WHERE  e.undone_at IS NULL AND e.merged_nip = number AND e.nips @> ARRAY[number] AND u.path <@ ANY (units)
    FOR    UPDATE OF e;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    SELECT v.row_id INTO changed FROM asn_merge_versions(m.id) v JOIN asn_merge_row r ON (r.merge_id, r.relation, r.row_id) = (m.id, v.relation, v.row_id)
    WHERE  v.version <> r.version ORDER BY v.row_id LIMIT 1;
    IF m.asn_id <> m.into_id OR changed IS NOT NULL THEN
        answer := ('merge-depends', NULL, coalesce(changed, m.asn_id)::text, NULL)::merge_answer;
        RETURN NEXT answer;
        RETURN;
    END IF;
    PERFORM set_config('asnd.merging', 'on', true);
    SET CONSTRAINTS history_no_overlap DEFERRED;
    UPDATE asn_merge e SET undone_at = now(), undone_by = by_name, undone_reason = why WHERE e.id = m.id;
    SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum) INTO columns FROM pg_attribute a
    WHERE  a.attrelid = 'asn'::regclass AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '';
    EXECUTE format('INSERT INTO asn (%1$s) SELECT %1$s FROM jsonb_populate_record(NULL::asn, $1)', columns)
        USING m.record || jsonb_build_object('version', (m.record ->> 'version')::bigint + 1, 'updated_at', now());
    FOR place IN
        SELECT DISTINCT r.relation, a.attname AS member
        FROM   asn_merge_row r
        JOIN   pg_constraint c ON c.contype = 'f' AND c.confrelid = 'asn'::regclass AND c.conrelid = r.relation::regclass
        JOIN   pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]
        WHERE  r.merge_id = m.id
    LOOP
        EXECUTE format('UPDATE %1$s t SET %2$I = $2 WHERE t.%2$I = $3 AND t.id IN (SELECT r.row_id FROM asn_merge_row r WHERE r.merge_id = $1 AND r.relation = %3$L)',
                       place.relation, place.member, place.relation) USING m.id, m.merged_id, m.asn_id;
    END LOOP;
    UPDATE history_version v SET asn_id = m.merged_id
    WHERE  v.id IN (SELECT r.row_id FROM asn_merge_row r WHERE r.merge_id = m.id AND r.relation = 'history');
    UPDATE history h SET is_void = false, reason = 'the merge was taken back', actor_key = NULL, actor_name = by_name
    WHERE  h.id IN (SELECT r.row_id FROM asn_merge_row r WHERE r.merge_id = m.id AND r.relation = 'history' AND r.is_voided);
    PERFORM history_resolve(ARRAY[m.asn_id, m.merged_id]);
    PERFORM history_project(ARRAY[m.asn_id, m.merged_id]);
    PERFORM set_config('asnd.merging', '', true);
    RETURN QUERY SELECT NULL::text, NULL::text, NULL::text, e FROM asn_merge e WHERE e.id = m.id;
END $$;
COMMENT ON FUNCTION asn_merge_undo(text, text, ltree[], text) IS
    'Restores the record with that NIP and gives it back its rows; refused once one of them was changed, or the other person was merged on. No row: no such merge in these units.';
