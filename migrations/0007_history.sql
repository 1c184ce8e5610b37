-- What was when: one row for each thing that a decree or a record says of a person, with the days on which it holds. What holds today is
-- projected into asn in the same transaction; see docs/histories.md.

CREATE FUNCTION uuid_v7() RETURNS uuid
LANGUAGE sql VOLATILE PARALLEL SAFE
RETURN (lpad(to_hex((extract(epoch FROM clock_timestamp()) * 1000)::bigint), 12, '0') || '7'
        || substr(replace(gen_random_uuid()::text, '-', ''), 14))::uuid;
COMMENT ON FUNCTION uuid_v7() IS 'A new id in the order of time (RFC 9562, version 7): rows made together stand together in an index.';

CREATE FUNCTION history_track(kind text, facts jsonb) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN kind IN ('appointment', 'rank', 'placement', 'title', 'status', 'contract', 'nip', 'leave', 'study') THEN kind
            WHEN kind = 'position' AND facts ->> 'assignment' = 'definitive' THEN kind END;
COMMENT ON FUNCTION history_track(text, jsonb) IS 'What a person has one of at a time; null: any number. Of positions that is the definitive one.';

CREATE TABLE history (
    id               uuid        CONSTRAINT history_pkey PRIMARY KEY DEFAULT uuid_v7(),
    asn_id           uuid        NOT NULL CONSTRAINT history_asn_fkey REFERENCES asn,
    kind             text        NOT NULL CONSTRAINT history_kind_known CHECK (kind IN ('appointment', 'rank', 'position', 'placement', 'education',
                         'title', 'status', 'service', 'credit', 'course', 'performance', 'discipline', 'award', 'leave', 'study', 'transfer',
                         'contract', 'nip')),
    starts           date        NOT NULL CONSTRAINT history_starts_range CHECK (starts BETWEEN '1900-01-01' AND '2099-12-31'),
    ends             date        CONSTRAINT history_ends_range CHECK (ends > starts AND ends <= '2100-01-01'),
    valid            daterange   NOT NULL CONSTRAINT history_valid_days CHECK (lower(valid) = starts AND NOT isempty(valid)),
    facts            jsonb       NOT NULL CONSTRAINT history_facts_object CHECK (jsonb_typeof(facts) = 'object'),
    decree_number    text        CONSTRAINT history_decree_number_length CHECK (length(decree_number) BETWEEN 1 AND 120),
    decree_date      date        CONSTRAINT history_decree_date_range CHECK (decree_date BETWEEN '1900-01-01' AND '2099-12-31'),
    decree_signatory text        CONSTRAINT history_decree_signatory_length CHECK (length(decree_signatory) BETWEEN 1 AND 200),
    source           text        NOT NULL DEFAULT 'own' CONSTRAINT history_source_known CHECK (source IN ('own', 'bkn', 'import')),
    remote_id        text        CONSTRAINT history_remote_id_length CHECK (length(remote_id) BETWEEN 1 AND 64),
    note             text        CONSTRAINT history_note_length CHECK (length(note) BETWEEN 1 AND 2000),
    track            text        GENERATED ALWAYS AS (history_track(kind, facts)) STORED,
    is_void          boolean     NOT NULL DEFAULT false,
    reason           text,
    actor_key        uuid,
    actor_name       text,
    version          bigint      NOT NULL DEFAULT 1,
    created_at       timestamptz NOT NULL DEFAULT now(),
    updated_at       timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT history_no_overlap EXCLUDE USING gist (asn_id WITH =, track WITH =, valid WITH &&)
        WHERE (track IN ('rank', 'position') AND NOT is_void) DEFERRABLE INITIALLY IMMEDIATE
);
-- An exclusion costs a row forty microseconds, five times all else; so it holds what pay and posts hang on. For the other tracks the order of
-- beginnings does: no two on a day, and each ends where the next begins.
CREATE UNIQUE INDEX history_one_a_day ON history (asn_id, track, starts) WHERE track IS NOT NULL AND NOT is_void;
CREATE INDEX history_asn_idx ON history (asn_id, kind, starts, id);
CREATE UNIQUE INDEX history_remote_id_key ON history (kind, remote_id) WHERE remote_id IS NOT NULL;
CREATE INDEX history_old_nip_idx ON history ((facts ->> 'nip')) WHERE kind = 'nip' AND NOT is_void;
COMMENT ON TABLE history IS
    'Riwayat: each row one fact of a person with its days [starts, ends). Nothing is deleted; what was wrong is void, what was corrected keeps its versions.';
COMMENT ON COLUMN history.id IS 'UUIDv7';
COMMENT ON COLUMN history.asn_id IS 'asn.id';
COMMENT ON COLUMN history.kind IS 'Which history; the shape of facts depends on it (HistoryEntry of openapi.yaml)';
COMMENT ON COLUMN history.starts IS 'TMT: first day';
COMMENT ON COLUMN history.ends IS 'First day on which it no longer holds, if that was told; null: until the next of its track';
COMMENT ON COLUMN history.valid IS 'Days on which it holds: up to ends, else up to the next of its track; kept by history_write() and history_follow()';
COMMENT ON COLUMN history.facts IS 'What holds';
COMMENT ON COLUMN history.decree_number IS 'Nomor SK';
COMMENT ON COLUMN history.decree_date IS 'Tanggal SK';
COMMENT ON COLUMN history.decree_signatory IS 'Pejabat penanda tangan';
COMMENT ON COLUMN history.source IS 'Who told it: own (this office), bkn (SIASN), import (a file)';
COMMENT ON COLUMN history.remote_id IS 'Id of the same row in SIASN; text of up to 42 characters there';
COMMENT ON COLUMN history.note IS 'Remark';
COMMENT ON COLUMN history.track IS 'Of rows of one track a person has one at a time; null: any number';
COMMENT ON COLUMN history.is_void IS 'It was never so: recorded in error, or its decree was annulled';
COMMENT ON COLUMN history.reason IS 'Why this version replaced the one before; null in the first';
COMMENT ON COLUMN history.actor_key IS 'api_key.id of who wrote this version; null: it followed from another change';
COMMENT ON COLUMN history.actor_name IS 'Name of that key then';
COMMENT ON COLUMN history.version IS 'Counts versions: ETag';
COMMENT ON COLUMN history.created_at IS 'When the row was made';
COMMENT ON COLUMN history.updated_at IS 'When this version was written';

CREATE TABLE history_version (LIKE history INCLUDING COMMENTS);
ALTER TABLE history_version ADD CONSTRAINT history_version_pkey PRIMARY KEY (id, version),
                            ADD CONSTRAINT history_version_history_fkey FOREIGN KEY (id) REFERENCES history;
COMMENT ON TABLE history_version IS 'What rows of history said before they were corrected, as they were.';

CREATE FUNCTION history_keep() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'a history is never deleted' USING ERRCODE = 'P0001', CONSTRAINT = 'history_fixed';
    END IF;
    IF (NEW.id, NEW.asn_id, NEW.kind, NEW.created_at) IS DISTINCT FROM (OLD.id, OLD.asn_id, OLD.kind, OLD.created_at) THEN
        RAISE EXCEPTION 'whose it is and of what kind is for ever' USING ERRCODE = 'P0001', CONSTRAINT = 'history_fixed';
    END IF;
    INSERT INTO history_version SELECT OLD.*;
    NEW.version := OLD.version + 1;
    NEW.updated_at := now();
    RETURN NEW;
END $$;
COMMENT ON FUNCTION history_keep() IS 'Keeps the version that is replaced; nothing is deleted.';
CREATE TRIGGER history_10_keep BEFORE UPDATE OR DELETE ON history FOR EACH ROW EXECUTE FUNCTION history_keep();

-- ── what holds today, in the record ──────────────────────────────────────────────────────────────────────────────────────

CREATE VIEW history_today AS
SELECT h.* FROM history h WHERE h.valid @> local_today() AND NOT h.is_void;
COMMENT ON VIEW history_today IS 'Rows of history that hold today.';

CREATE VIEW education_today AS
SELECT DISTINCT ON (h.asn_id) h.asn_id, h.facts ->> 'level' AS level, h.facts ->> 'field' AS field, h.starts
FROM   history h
LEFT   JOIN reference r ON r.list = 'education-level' AND r.code = h.facts ->> 'level' AND r.valid @> local_today()
WHERE  h.kind = 'education' AND NOT h.is_void AND h.starts <= local_today()
ORDER  BY h.asn_id, r.seq DESC NULLS LAST, h.starts DESC, h.id DESC;
COMMENT ON VIEW education_today IS 'The highest education that each person has by now, the latest of those.';

CREATE FUNCTION history_project(people uuid[]) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    UPDATE asn a
    SET    nip = w.nip, kind = w.kind, rank = w.rank, rank_since = w.rank_since, position_kind = w.position_kind, position = w.position,
           echelon = w.echelon, unit_id = w.unit_id, title_front = w.title_front, title_back = w.title_back, legal_status = w.legal_status,
           education_level = w.education_level, education = w.education
    FROM   (SELECT p.id, coalesce(max(t.facts ->> 'nip') FILTER (WHERE t.kind = 'nip'), p.nip) AS nip,
                   coalesce(max(t.facts ->> 'kind') FILTER (WHERE t.kind = 'appointment'), p.kind) AS kind,
                   max(t.facts ->> 'rank') FILTER (WHERE t.kind = 'rank') AS rank,
                   max(t.starts) FILTER (WHERE t.kind = 'rank') AS rank_since,
                   max(t.facts ->> 'position_kind') FILTER (WHERE t.kind = 'position') AS position_kind,
                   max(t.facts ->> 'position') FILTER (WHERE t.kind = 'position') AS position,
                   max(t.facts ->> 'echelon') FILTER (WHERE t.kind = 'position') AS echelon,
                   coalesce((max(t.facts ->> 'unit_id') FILTER (WHERE t.kind = 'placement'))::uuid, p.unit_id) AS unit_id,
                   max(t.facts ->> 'title_front') FILTER (WHERE t.kind = 'title') AS title_front,
                   max(t.facts ->> 'title_back') FILTER (WHERE t.kind = 'title') AS title_back,
                   coalesce(max(t.facts ->> 'legal_status') FILTER (WHERE t.kind = 'status'), p.legal_status) AS legal_status,
                   e.level AS education_level, e.field AS education
            FROM   asn p
            LEFT   JOIN history_today t ON t.asn_id = p.id AND t.track IS NOT NULL
            LEFT   JOIN education_today e ON e.asn_id = p.id
            WHERE  p.id = ANY (people)
            GROUP  BY p.id, e.level, e.field) w
    WHERE  a.id = w.id
           AND (a.nip, a.kind, a.rank, a.rank_since, a.position_kind, a.position, a.echelon, a.unit_id, a.title_front, a.title_back,
                a.legal_status, a.education_level, a.education)
               IS DISTINCT FROM
               (w.nip, w.kind, w.rank, w.rank_since, w.position_kind, w.position, w.echelon, w.unit_id, w.title_front, w.title_back,
                w.legal_status, w.education_level, w.education);
END $$;
COMMENT ON FUNCTION history_project(uuid[]) IS
    'Writes what holds today into the records of these people. A NIP, kind, unit or status that no history tells stays.';

CREATE VIEW history_entry AS
SELECT h.id, a.nip, h.kind, h.starts AS "from", h.ends AS "to", upper(h.valid) AS until, h.facts, h.decree_number, h.decree_date,
       h.decree_signatory, h.source, h.remote_id, h.note, h.is_void, h.reason, h.actor_name, h.version, h.created_at, h.updated_at,
       h.asn_id AS _asn_id, h.valid AS _valid, u.path AS _unit_path
FROM   history h
JOIN   asn a ON a.id = h.asn_id
JOIN   unit u ON u.id = a.unit_id;
COMMENT ON VIEW history_entry IS
    'Rows of history as the API shows them; until: first day on which it no longer holds, told or because the next begins. Of _columns the API shows nothing.';

CREATE VIEW history_entry_version AS
SELECT h.id, a.nip, h.kind, h.starts AS "from", h.ends AS "to", upper(h.valid) AS until, h.facts, h.decree_number, h.decree_date,
       h.decree_signatory, h.source, h.remote_id, h.note, h.is_void, h.reason, h.actor_name, h.version, h.created_at, h.updated_at,
       h.asn_id AS _asn_id, h.valid AS _valid, u.path AS _unit_path
FROM   (SELECT p.* FROM history_version p UNION ALL SELECT n.* FROM history n) h
JOIN   asn a ON a.id = h.asn_id
JOIN   unit u ON u.id = a.unit_id;
COMMENT ON VIEW history_entry_version IS 'As history_entry, with every version of each row.';

CREATE FUNCTION asn_of_nip(number text) RETURNS uuid
LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE AS $$
DECLARE
    ret uuid;
BEGIN
    SELECT a.id INTO ret FROM asn a WHERE a.nip = number;
    IF NOT FOUND THEN
        SELECT h.asn_id INTO ret FROM history h WHERE h.kind = 'nip' AND NOT h.is_void AND h.facts ->> 'nip' = number LIMIT 1;
    END IF;
    RETURN ret;
END $$;
COMMENT ON FUNCTION asn_of_nip(text) IS 'Whose NIP it is, or was.';

CREATE FUNCTION scope_held(scopes text[], scope text) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN scope = ANY (scopes) OR 'admin' = ANY (scopes);
COMMENT ON FUNCTION scope_held(text[], text) IS 'Whether a caller with these scopes holds that one; admin stands for all.';

CREATE FUNCTION history_shown(kind text, scopes text[]) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN kind <> 'discipline' OR scope_held(scopes, 'asn.discipline');
COMMENT ON FUNCTION history_shown(text, text[]) IS 'Discipline is there only for callers with asn.discipline.';

-- ── writing ──────────────────────────────────────────────────────────────────────────────────────────────────────────────

CREATE FUNCTION history_days(me history) RETURNS daterange
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN daterange(me.starts, coalesce(me.ends, (SELECT min(h.starts) FROM history h
                                                   WHERE  h.asn_id = me.asn_id AND h.kind = me.kind AND h.track = history_track(me.kind, me.facts)
                                                          AND NOT h.is_void AND h.starts > me.starts AND h.id <> me.id)));
END $$;
COMMENT ON FUNCTION history_days(history) IS 'The days on which a row would hold: up to its told end, else up to the next of its track.';

-- The end of a row is the next row's beginning, so that rows may come in any order and none need be told when it ended.
CREATE FUNCTION history_resolve(people uuid[]) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    UPDATE history h
    SET    valid = w.valid, reason = 'the next begins on another day', actor_key = NULL, actor_name = NULL
    FROM   (SELECT r.id, daterange(r.starts, coalesce(r.ends, lead(r.starts) OVER (PARTITION BY r.asn_id, r.track ORDER BY r.starts))) AS valid
            FROM   history r
            WHERE  r.asn_id = ANY (people) AND r.track IS NOT NULL AND NOT r.is_void) w
    WHERE  h.id = w.id AND h.valid <> w.valid;
    SET CONSTRAINTS history_no_overlap IMMEDIATE;
END $$;
COMMENT ON FUNCTION history_resolve(uuid[]) IS 'Gives the rows of these people the days on which they hold; what overlaps is refused here.';

CREATE VIEW asn_told AS
SELECT a.id AS asn_id, v.kind, v.day, coalesce(v.day, local_today()) AS starts, jsonb_strip_nulls(v.facts) AS facts, v.facts AS whole
FROM   asn a
CROSS  JOIN LATERAL (VALUES
           ('appointment', a.appointed_on, jsonb_build_object('kind', a.kind)),
           ('rank', a.rank_since, jsonb_build_object('rank', a.rank)),
           ('position', NULL, jsonb_build_object('position_kind', a.position_kind, 'position', a.position, 'echelon', a.echelon)),
           ('placement', NULL, jsonb_build_object('unit_id', a.unit_id)),
           ('title', NULL, jsonb_build_object('title_front', a.title_front, 'title_back', a.title_back)),
           ('status', NULL, jsonb_build_object('legal_status', a.legal_status))) AS v (kind, day, facts);
COMMENT ON VIEW asn_told IS
    'What each record says of its tracks: since which day, if it knows, and what; whole: with the nulls, which take away what held.';

-- Whoever is new has no history that could disagree.
CREATE FUNCTION history_begin(people uuid[], told_by text) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO history (asn_id, kind, starts, valid, facts, source)
    SELECT t.asn_id, t.kind, t.starts, daterange(t.starts, NULL),
           CASE t.kind WHEN 'position' THEN t.facts || '{"assignment": "definitive"}' ELSE t.facts END, told_by
    FROM   asn_told t
    WHERE  t.asn_id = ANY (people) AND t.facts <> '{}'
    UNION ALL
    SELECT a.id, 'education', local_today(), daterange(local_today(), NULL),
           jsonb_strip_nulls(jsonb_build_object('level', a.education_level, 'field', a.education)), told_by
    FROM   asn a
    WHERE  a.id = ANY (people) AND a.education_level IS NOT NULL;
END $$;
COMMENT ON FUNCTION history_begin(uuid[], text) IS 'The first rows of the histories of people who have none. told_by: history.source.';

-- An import or a PATCH tells what holds now. What the histories do not say yet becomes a row of theirs, from the day that the record names,
-- else from today. A row of that same day is corrected instead; where only the day of a rank differs, the row is moved.
CREATE FUNCTION history_follow(people uuid[], told_by text) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    touched uuid[];
BEGIN
    SET CONSTRAINTS history_no_overlap DEFERRED;
    WITH compared AS MATERIALIZED (
        SELECT t.asn_id, t.kind, t.day, CASE WHEN h.id IS NULL OR t.kind = 'rank' THEN t.starts ELSE local_today() END AS starts,
               jsonb_strip_nulls(coalesce(h.facts, CASE t.kind WHEN 'position' THEN '{"assignment": "definitive"}'::jsonb ELSE '{}' END) || t.whole) AS facts,
               h.id AS present, h.starts AS present_starts, h.facts AS present_facts
        FROM   asn_told t
        LEFT   JOIN LATERAL (SELECT n.id, n.facts, n.starts FROM history n
                             WHERE  n.asn_id = t.asn_id AND n.kind = t.kind AND n.track IS NOT NULL AND NOT n.is_void AND n.valid @> local_today()
                             LIMIT  1) h ON true
        WHERE  t.asn_id = ANY (people) AND (h.id IS NOT NULL OR t.facts <> '{}')
    ), differing AS MATERIALIZED (
        SELECT c.asn_id, c.kind, c.starts, c.facts,
               CASE WHEN c.facts = c.present_facts THEN c.present
                    ELSE (SELECT s.id FROM history s
                          WHERE  s.asn_id = c.asn_id AND s.kind = c.kind AND s.starts = c.starts AND s.track IS NOT NULL AND NOT s.is_void) END AS same
        FROM   compared c
        WHERE  c.facts IS DISTINCT FROM c.present_facts OR c.kind = 'rank' AND c.day <> c.present_starts
    ), corrected AS (
        UPDATE history h
        SET    facts = d.facts, starts = d.starts, valid = daterange(d.starts, h.ends), reason = 'told otherwise for the same day', actor_key = NULL,
               actor_name = NULL
        FROM   differing d
        WHERE  h.id = d.same
    ), made AS (
        INSERT INTO history (asn_id, kind, starts, valid, facts, source)
        SELECT d.asn_id, d.kind, d.starts,
               daterange(d.starts, (SELECT min(n.starts) FROM history n
                                    WHERE  n.asn_id = d.asn_id AND n.kind = d.kind AND n.starts > d.starts AND n.track IS NOT NULL AND NOT n.is_void)),
               d.facts, told_by
        FROM   differing d
        WHERE  d.same IS NULL
    )
    SELECT array_agg(DISTINCT d.asn_id) INTO touched FROM differing d;

    INSERT INTO history (asn_id, kind, starts, valid, facts, source)
    SELECT a.id, 'education', local_today(), daterange(local_today(), NULL),
           jsonb_strip_nulls(jsonb_build_object('level', a.education_level, 'field', a.education)), told_by
    FROM   asn a LEFT JOIN education_today e ON e.asn_id = a.id
    WHERE  a.id = ANY (people) AND a.education_level IS NOT NULL AND (a.education_level, a.education) IS DISTINCT FROM (e.level, e.field);

    PERFORM history_resolve(touched);

    -- A rank that begins later than the one told is known, or the one told begins in days to come.
    PERFORM FROM asn a JOIN history_today h ON (h.asn_id, h.kind, h.track) = (a.id, 'rank', 'rank')
    WHERE  a.id = ANY (touched) AND a.rank_since IS NOT NULL AND (a.rank, a.rank_since) IS DISTINCT FROM (h.facts ->> 'rank', h.starts);
    IF FOUND THEN
        RAISE EXCEPTION 'the histories know better' USING ERRCODE = 'P0001', CONSTRAINT = 'history_disagrees';
    END IF;
END $$;
COMMENT ON FUNCTION history_follow(uuid[], text) IS
    'Writes into the histories what the records of these people say and the histories do not. told_by: history.source.';

CREATE FUNCTION asn_keep_history() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
    people  uuid[];
    told_by text := coalesce(nullif(current_setting('asnd.source', true), ''), 'own');
BEGIN
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
COMMENT ON FUNCTION asn_keep_history() IS 'No change of a record goes by without its histories. The session variable asnd.source says who told it.';
CREATE TRIGGER asn_40_history_insert AFTER INSERT ON asn REFERENCING NEW TABLE AS entered
    FOR EACH STATEMENT EXECUTE FUNCTION asn_keep_history();
CREATE TRIGGER asn_40_history_update AFTER UPDATE ON asn REFERENCING NEW TABLE AS entered OLD TABLE AS departed
    FOR EACH STATEMENT EXECUTE FUNCTION asn_keep_history();

SELECT history_begin(array_agg(a.id), 'own') FROM asn a HAVING count(*) > 0;

-- ── entries by clients ───────────────────────────────────────────────────────────────────────────────────────────────────

CREATE TABLE history_code (
    kind   text NOT NULL,
    member text NOT NULL,
    list   text NOT NULL CONSTRAINT history_code_list_fkey REFERENCES reference_list,
    CONSTRAINT history_code_pkey PRIMARY KEY (kind, member, list)
);
COMMENT ON TABLE history_code IS 'Which members of facts hold codes, and of which list; of several lists any may know it.';
COMMENT ON COLUMN history_code.kind IS 'history.kind';
COMMENT ON COLUMN history_code.member IS 'Member of history.facts';
COMMENT ON COLUMN history_code.list IS 'The list that must hold the code on the row''s first day';
INSERT INTO history_code VALUES
    ('appointment', 'kind', 'employee-kind'), ('rank', 'rank', 'rank-pns'), ('rank', 'rank', 'rank-pppk'),
    ('rank', 'promotion_kind', 'promotion-kind'), ('position', 'echelon', 'echelon'), ('position', 'functional_level', 'functional-level'),
    ('education', 'level', 'education-level'), ('status', 'legal_status', 'legal-status'), ('course', 'form', 'training-form'),
    ('discipline', 'punishment', 'discipline-kind'), ('award', 'award', 'award-kind');

CREATE TYPE history_answer AS (problem text, pointer text, value text, entry history_entry);
COMMENT ON TYPE history_answer IS 'What became of a write: a problem of the catalogue with its place, or the row as it is now.';

-- The first thing that is wrong with a row as it would become. Step by step, so that a row pays only for the rules of its own kind.
CREATE FUNCTION history_fault(person asn, me history) RETURNS history_answer
LANGUAGE plpgsql STABLE AS $$
DECLARE
    ret   history_answer;
    mine  text := history_track(me.kind, me.facts);
    place record;
BEGIN
    IF me.starts < person.birth_date THEN
        ret.problem := 'before-birth'; ret.pointer := '/from'; ret.value := me.starts;
        RETURN ret;
    END IF;
    IF mine IS NOT NULL THEN
        SELECT 'history-overlap', '/from', o.id INTO ret.problem, ret.pointer, ret.value
        FROM   history o
        WHERE  o.asn_id = me.asn_id AND o.kind = me.kind AND o.track = mine AND NOT o.is_void AND o.id <> me.id
               AND (o.starts = me.starts OR o.starts < me.starts AND o.ends > me.starts OR o.starts > me.starts AND me.ends > o.starts)
        LIMIT  1;
        IF FOUND THEN
            RETURN ret;
        END IF;
    END IF;
    SELECT 'code-unknown', '/facts/' || c.member, me.facts ->> c.member INTO ret.problem, ret.pointer, ret.value
    FROM   history_code c
    WHERE  c.kind = me.kind AND me.facts ->> c.member IS NOT NULL
    GROUP  BY c.member
    HAVING NOT bool_or(reference_holds(c.list, me.facts ->> c.member, me.starts))
    LIMIT  1;
    IF FOUND THEN
        RETURN ret;
    END IF;
    IF me.kind = 'rank' THEN
        SELECT r.list, r.seq INTO place FROM reference r
        WHERE  r.list IN ('rank-pns', 'rank-pppk') AND r.code = me.facts ->> 'rank' AND r.valid @> me.starts LIMIT 1;
        SELECT 'rank-below', '/facts/rank', n.code INTO ret.problem, ret.pointer, ret.value
        FROM  ((SELECT k.code, k.seq > place.seq AND NOT coalesce((me.facts ->> 'is_demotion')::boolean, false) AS is_wrong
                FROM   history h JOIN reference k ON k.list = place.list AND k.code = h.facts ->> 'rank' AND k.valid @> h.starts
                WHERE  h.asn_id = me.asn_id AND h.kind = 'rank' AND NOT h.is_void AND h.starts < me.starts AND h.id <> me.id
                ORDER  BY h.starts DESC LIMIT 1)
               UNION ALL
               (SELECT k.code, k.seq < place.seq AND NOT coalesce((h.facts ->> 'is_demotion')::boolean, false)
                FROM   history h JOIN reference k ON k.list = place.list AND k.code = h.facts ->> 'rank' AND k.valid @> h.starts
                WHERE  h.asn_id = me.asn_id AND h.kind = 'rank' AND NOT h.is_void AND h.starts > me.starts AND h.id <> me.id
                ORDER  BY h.starts LIMIT 1)) n
        WHERE  n.is_wrong
        LIMIT  1;
    ELSIF me.kind = 'appointment' THEN
        SELECT 'appointment-order', '/from', o.starts INTO ret.problem, ret.pointer, ret.value
        FROM   history o
        WHERE  o.asn_id = me.asn_id AND o.kind = 'appointment' AND NOT o.is_void AND o.id <> me.id
               AND (me.facts ->> 'kind' = 'CPNS' AND o.facts ->> 'kind' = 'PNS' AND o.starts < me.starts
                    OR me.facts ->> 'kind' = 'PNS' AND o.facts ->> 'kind' = 'CPNS' AND o.starts > me.starts)
        LIMIT  1;
    ELSIF me.kind = 'nip' THEN
        SELECT 'nip-taken', '/facts/nip', me.facts ->> 'nip' INTO ret.problem, ret.pointer, ret.value
        WHERE  asn_of_nip(me.facts ->> 'nip') <> me.asn_id;
    END IF;
    RETURN ret;
END $$;
COMMENT ON FUNCTION history_fault(asn, history) IS
    'What is wrong with a row: before birth, over another of its track (value: which), a code that its list does not hold on that day, a rank below the one before or above the one after it, CPNS after PNS, a NIP that is somebody else''s. Null: nothing.';

CREATE FUNCTION history_told(entry jsonb) RETURNS history
LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    me history;
BEGIN
    me.kind := entry ->> 'kind';
    me.starts := (entry ->> 'from')::date;
    me.ends := (entry ->> 'to')::date;
    me.facts := jsonb_strip_nulls(entry -> 'facts');
    me.decree_number := entry ->> 'decree_number';
    me.decree_date := (entry ->> 'decree_date')::date;
    me.decree_signatory := entry ->> 'decree_signatory';
    me.source := coalesce(entry ->> 'source', 'own');
    me.remote_id := entry ->> 'remote_id';
    me.note := entry ->> 'note';
    me.is_void := false;
    RETURN me;
END $$;
COMMENT ON FUNCTION history_told(jsonb) IS 'A row as a client tells it (HistoryNew of openapi.yaml), whose it is left open.';

-- The number that a person had until the first new one is a row too, so that it still finds the person.
CREATE FUNCTION history_store(me history, is_known boolean, why text, by_key uuid, by_name text) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    IF is_known THEN
        UPDATE history h
        SET    starts = me.starts, ends = me.ends, valid = history_days(me), facts = me.facts, decree_number = me.decree_number,
               decree_date = me.decree_date, decree_signatory = me.decree_signatory, source = me.source, remote_id = me.remote_id,
               note = me.note, reason = why, actor_key = by_key, actor_name = by_name
        WHERE  h.id = me.id;
        RETURN;
    END IF;
    INSERT INTO history (id, asn_id, kind, starts, ends, valid, facts, decree_number, decree_date, decree_signatory, source, remote_id, note,
                         actor_key, actor_name)
    VALUES (me.id, me.asn_id, me.kind, me.starts, me.ends, history_days(me), me.facts, me.decree_number, me.decree_date, me.decree_signatory,
            me.source, me.remote_id, me.note, by_key, by_name);
    IF me.kind = 'nip' AND NOT EXISTS (SELECT FROM history h WHERE (h.asn_id, h.kind) = (me.asn_id, 'nip') AND h.id <> me.id) THEN
        INSERT INTO history (asn_id, kind, starts, valid, facts)
        SELECT me.asn_id, 'nip', d.day, daterange(d.day, me.starts), jsonb_build_object('nip', a.nip)
        FROM   asn a CROSS JOIN LATERAL (SELECT least(a.appointed_on, me.starts - 1) AS day) d
        WHERE  a.id = me.asn_id;
    END IF;
END $$;
COMMENT ON FUNCTION history_store(history, boolean, text, uuid, text) IS
    'Writes a row that was judged, while history_no_overlap is deferred; history_settle() must follow. is_known: the next version of a row that is there.';

CREATE FUNCTION history_await(numbers text[]) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM asn a WHERE a.nip = ANY (numbers) ORDER BY a.nip FOR NO KEY UPDATE;
    SET CONSTRAINTS history_no_overlap DEFERRED;
END $$;
COMMENT ON FUNCTION history_await(text[]) IS 'Before many rows of these people are taken: nobody else writes theirs, and overlaps are looked for at the end.';

CREATE FUNCTION history_settle(people uuid[]) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM history_resolve(people);
    PERFORM history_project(people);
END $$;
COMMENT ON FUNCTION history_settle(uuid[]) IS 'After rows of these people were taken: ends, overlaps, and what shows in their records.';

-- entry: HistoryNew of openapi.yaml, of the form that the contract holds it to.
CREATE FUNCTION history_write(which uuid, number text, units ltree[], scopes text[], entry jsonb, seen int8multirange, why text, by_key uuid, by_name text)
RETURNS SETOF history_answer
LANGUAGE plpgsql AS $$
DECLARE
    person asn;
    me     history;
    told   history;
    fault  history_answer;
BEGIN
    SELECT a.* INTO person FROM asn a WHERE a.id = asn_of_nip(number) AND EXISTS (SELECT FROM unit u WHERE u.id = a.unit_id AND u.path <@ ANY (units))
    FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    IF NOT history_shown(entry ->> 'kind', scopes) THEN
        fault := ('forbidden', '/kind', entry ->> 'kind', NULL)::history_answer;
        RETURN NEXT fault;
        RETURN;
    END IF;
    IF seen IS NULL THEN
        me.id := which;
        me.asn_id := person.id;
        me.kind := entry ->> 'kind';
        me.is_void := false;
    ELSE
        SELECT h.* INTO me FROM history h WHERE h.id = which AND h.asn_id = person.id AND h.kind = entry ->> 'kind';
        IF NOT FOUND THEN
            RETURN;
        ELSIF NOT seen @> me.version THEN
            fault.problem := 'version-stale';
            RETURN NEXT fault;
            RETURN;
        ELSIF me.is_void THEN
            fault := ('history-void', NULL, NULL, NULL)::history_answer;
            RETURN NEXT fault;
            RETURN;
        END IF;
    END IF;
    told := history_told(entry);
    told.id := me.id;
    told.asn_id := me.asn_id;
    fault := history_fault(person, told);
    IF fault.problem IS NULL AND told.facts ? 'unit_id'
       AND NOT EXISTS (SELECT FROM unit u WHERE u.id = (told.facts ->> 'unit_id')::uuid AND u.path <@ ANY (units)) THEN
        fault := ('reference-missing', '/facts/unit_id', told.facts ->> 'unit_id', NULL)::history_answer;
    END IF;
    IF fault.problem IS NOT NULL THEN
        RETURN NEXT fault;
        RETURN;
    END IF;
    SET CONSTRAINTS history_no_overlap DEFERRED;
    PERFORM history_store(told, seen IS NOT NULL, why, by_key, by_name);
    PERFORM history_settle(ARRAY[person.id]);
    RETURN QUERY SELECT NULL::text, NULL::text, NULL::text, h FROM history_entry h WHERE h.id = which;
END $$;
COMMENT ON FUNCTION history_write(uuid, text, ltree[], text[], jsonb, int8multirange, text, uuid, text) IS
    'A new row (seen null) or the next version of one, of the person with that NIP in these units; no row: there is none. seen: versions the client may mean (If-Match).';

-- For files: many rows, settled once at their end by history_settle(). A row is the one with its remote id, else of a track the one that
-- begins on that day, else one that says the same; what is known already is left alone.
CREATE FUNCTION history_take(which uuid, number text, units ltree[], scopes text[], told jsonb, by_key uuid, by_name text,
                             OUT outcome text, OUT problem text, OUT pointer text, OUT value text, OUT told_more text)
LANGUAGE plpgsql AS $$
DECLARE
    person asn;
    me     history;
    old    history;
    fault  history_answer;
BEGIN
    SELECT a.* INTO person FROM asn a WHERE a.id = asn_of_nip(number) AND EXISTS (SELECT FROM unit u WHERE u.id = a.unit_id AND u.path <@ ANY (units));
    IF NOT FOUND THEN
        problem := 'person-unknown'; pointer := '/nip'; value := number;
        RETURN;
    ELSIF NOT history_shown(told ->> 'kind', scopes) THEN
        problem := 'forbidden'; pointer := '/kind'; value := told ->> 'kind';
        RETURN;
    END IF;
    me := history_told(told);
    me.asn_id := person.id;
    SELECT h.* INTO old
    FROM   history h
    WHERE  h.asn_id = person.id AND h.kind = me.kind
           AND (h.remote_id = me.remote_id
                OR NOT h.is_void AND h.starts = me.starts
                   AND (h.track = history_track(me.kind, me.facts)
                        OR h.track IS NULL AND h.facts = me.facts AND (h.ends IS NOT DISTINCT FROM me.ends)))
    ORDER  BY h.remote_id = me.remote_id DESC NULLS LAST
    LIMIT  1;
    me.id := coalesce(old.id, which);
    IF old.is_void THEN
        problem := 'history-void'; pointer := '/remote_id'; value := me.remote_id;
        RETURN;
    END IF;
    me.remote_id := coalesce(me.remote_id, old.remote_id);
    IF old.id IS NOT NULL AND (me.starts, me.ends, me.facts, me.decree_number, me.decree_date, me.decree_signatory, me.remote_id, me.note)
                              IS NOT DISTINCT FROM
                              (old.starts, old.ends, old.facts, old.decree_number, old.decree_date, old.decree_signatory, old.remote_id, old.note) THEN
        outcome := 'unchanged';
        RETURN;
    END IF;
    fault := history_fault(person, me);
    IF fault.problem IS NULL AND me.facts ? 'unit_id'
       AND NOT EXISTS (SELECT FROM unit u WHERE u.id = (me.facts ->> 'unit_id')::uuid AND u.path <@ ANY (units)) THEN
        fault.problem := 'reference-missing'; fault.pointer := '/facts/unit_id';
    END IF;
    IF fault.problem IS NOT NULL THEN
        problem := fault.problem; pointer := fault.pointer;
        value := CASE fault.problem WHEN 'history-overlap' THEN me.starts::text ELSE fault.value END;
        told_more := CASE WHEN fault.problem IN ('history-overlap', 'rank-below') THEN fault.value END;
        RETURN;
    END IF;
    PERFORM history_store(me, old.id IS NOT NULL, 'import', by_key, by_name);
    outcome := CASE WHEN old.id IS NULL THEN 'created' ELSE 'updated' END;
END $$;
COMMENT ON FUNCTION history_take(uuid, text, ltree[], text[], jsonb, uuid, text) IS
    'One row of a file: created, updated or unchanged, or the problem with its place. told_more: which other row it is about.';

CREATE FUNCTION history_annul(which uuid, number text, units ltree[], scopes text[], seen int8multirange, why text, by_key uuid, by_name text)
RETURNS SETOF history_answer
LANGUAGE plpgsql AS $$
DECLARE
    me history;
BEGIN
    PERFORM FROM asn a WHERE a.id = asn_of_nip(number) AND EXISTS (SELECT FROM unit u WHERE u.id = a.unit_id AND u.path <@ ANY (units)) FOR NO KEY UPDATE;
    SELECT h.* INTO me FROM history h JOIN asn a ON a.id = h.asn_id JOIN unit u ON u.id = a.unit_id
    WHERE  h.id = which AND a.id = asn_of_nip(number) AND u.path <@ ANY (units) AND history_shown(h.kind, scopes);
    IF NOT FOUND THEN
        RETURN;
    ELSIF NOT seen @> me.version THEN
        RETURN QUERY SELECT 'version-stale', NULL::text, NULL::text, NULL::history_entry;
        RETURN;
    ELSIF me.is_void THEN
        RETURN QUERY SELECT 'history-void', NULL::text, NULL::text, NULL::history_entry;
        RETURN;
    END IF;
    SET CONSTRAINTS history_no_overlap DEFERRED;
    UPDATE history h SET is_void = true, reason = why, actor_key = by_key, actor_name = by_name WHERE h.id = which;
    PERFORM history_settle(ARRAY[me.asn_id]);
    RETURN QUERY SELECT NULL::text, NULL::text, NULL::text, h FROM history_entry h WHERE h.id = which;
END $$;
COMMENT ON FUNCTION history_annul(uuid, text, ltree[], text[], int8multirange, text, uuid, text) IS
    'Makes a row void: it was never so. The one before it holds on. No row: there is none in these units.';

CREATE FUNCTION warnings_told(warnings text[], of_nik boolean) RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN of_nik THEN array_remove(array_remove(array_remove(array_remove(warnings, 'CON_1'), 'CON_2'), 'CON_3'), 'CON_4')
            ELSE array_remove(array_remove(warnings, 'NIK_BIRTH'), 'NIK_SEX') END;
COMMENT ON FUNCTION warnings_told(text[], boolean) IS 'Of asn.warnings those that speak of the NIK, or the others: who may not see the one may not guess it.';

-- ── as it was ────────────────────────────────────────────────────────────────────────────────────────────────────────────

-- One query of LATERALs without anything that would keep the planner from merging it into the asking statement, whose filter on the NIP
-- then reaches the index.
CREATE FUNCTION asn_as_of(me asn, at date) RETURNS SETOF asn
LANGUAGE sql STABLE AS $$
    SELECT (me).id, (me).nip, k.facts ->> 'kind', (me).name, t.facts ->> 'title_front', t.facts ->> 'title_back', (me).name_key, (me).birth_date,
           (me).birth_place, (me).sex, (me).nik, coalesce((p.facts ->> 'unit_id')::uuid, (me).unit_id), j.facts ->> 'position_kind',
           j.facts ->> 'position', j.facts ->> 'echelon', CASE WHEN k.facts ->> 'kind' IN ('PNS', 'CPNS') THEN 'PNS' ELSE 'PPPK' END,
           g.facts ->> 'rank', g.starts, e.level, e.field, coalesce(s.facts ->> 'legal_status', (me).legal_status), (me).email, (me).phone,
           (me).appointed_on, (me).warnings, (me).version, (me).created_at, (me).updated_at
    FROM   history k
    LEFT   JOIN LATERAL (SELECT h.facts FROM history h WHERE h.asn_id = (me).id AND h.kind = 'title' AND h.valid @> at
                                                             AND NOT h.is_void LIMIT 1) t ON true
    LEFT   JOIN LATERAL (SELECT h.facts FROM history h WHERE h.asn_id = (me).id AND h.kind = 'placement' AND NOT h.is_void
                         ORDER BY h.valid @> at DESC, h.starts > at DESC, h.starts LIMIT 1) p ON true
    LEFT   JOIN LATERAL (SELECT h.facts FROM history h WHERE h.asn_id = (me).id AND h.track = 'position' AND h.valid @> at
                                                             AND NOT h.is_void LIMIT 1) j ON true
    LEFT   JOIN LATERAL (SELECT h.facts, h.starts FROM history h WHERE h.asn_id = (me).id AND h.kind = 'rank' AND h.valid @> at
                                                                       AND NOT h.is_void LIMIT 1) g ON true
    LEFT   JOIN LATERAL (SELECT h.facts ->> 'level' AS level, h.facts ->> 'field' AS field
                         FROM   history h LEFT JOIN reference r ON r.list = 'education-level' AND r.code = h.facts ->> 'level' AND r.valid @> at
                         WHERE  h.asn_id = (me).id AND h.kind = 'education' AND NOT h.is_void AND h.starts <= at
                         ORDER  BY r.seq DESC NULLS LAST, h.starts DESC LIMIT 1) e ON true
    LEFT   JOIN LATERAL (SELECT h.facts FROM history h WHERE h.asn_id = (me).id AND h.kind = 'status' AND h.valid @> at
                                                             AND NOT h.is_void LIMIT 1) s ON true
    WHERE  k.asn_id = (me).id AND k.kind = 'appointment' AND NOT k.is_void AND k.valid @> at
$$;
COMMENT ON FUNCTION asn_as_of(asn, date) IS
    'The record as it was on that day; nobody who was not appointed then. What no history tells of the day is null, but the unit is the first known after it and the legal status that of today.';
