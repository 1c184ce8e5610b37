-- SPDX-License-Identifier: Apache-2.0
-- A file tells a row of a history once; what was told otherwise and back again still depends on an import; what may have been meant by a code that
-- nothing has; ranks of days to come are held to the kind of ASN of those days.

SELECT show_limit(); -- so that pg_trgm is there: else its settings are only a superuser's to name below

-- ── what may have been meant ─────────────────────────────────────────────────────────────────────────────────────────────

-- In steps: as one query it would be thought so dear that it were compiled each time.
CREATE FUNCTION word_slips(word text, alphabet text) RETURNS text[]
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
    ret     text[] := '{}';
    letters text[] := string_to_array(alphabet, NULL);
    letter  text;
BEGIN
    FOR i IN 1 .. length(word) LOOP
        IF i < length(word) THEN
            ret := ret || (left(word, i - 1) || substr(word, i + 1, 1) || substr(word, i, 1) || substr(word, i + 2));
        END IF;
        IF alphabet <> '' THEN
            ret := ret || (left(word, i - 1) || substr(word, i + 1));
        END IF;
    END LOOP;
    FOR i IN 0 .. length(word) LOOP
        FOREACH letter IN ARRAY letters LOOP
            ret := ret || (left(word, i) || letter || substr(word, i + 1));
            ret := ret || (left(word, i) || letter || substr(word, i + 2));
        END LOOP;
    END LOOP;
    RETURN ret;
END $$;
COMMENT ON FUNCTION word_slips(text, text) IS
    'What a word becomes by one slip: two neighbours that changed places, and, with an alphabet, a letter too few, too many or another.';

-- By index, so that a file full of codes that nothing has costs no more than a look for each of them.
CREATE FUNCTION unit_meant(told text, units ltree[]) RETURNS text
LANGUAGE plpgsql STABLE STRICT AS $$
DECLARE
    plain text := upper(regexp_replace(told, '\s', '', 'g'));
    ret   text;
BEGIN
    IF length(told) NOT BETWEEN 2 AND 32 THEN
        RETURN NULL;
    END IF;
    SELECT u.code INTO ret
    FROM   unit u
    WHERE  u.code = ANY (ARRAY[plain, lower(plain), told] || word_slips(told, '') || word_slips(plain, '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ.-_/'))
           AND u.closed_on IS NULL AND u.path <@ ANY (units)
    ORDER  BY upper(u.code) = plain DESC, length(u.code) = length(plain) DESC, u.code
    LIMIT  1;
    RETURN ret;
END $$;
COMMENT ON FUNCTION unit_meant(text, ltree[]) IS 'The code of an open unit, of these, that differs by case, spaces or one slip from what was told; null: none does.';

CREATE FUNCTION unit_name_meant(told text, units ltree[]) RETURNS text
LANGUAGE plpgsql STABLE STRICT SET pg_trgm.similarity_threshold = 0.5 AS $$
DECLARE
    ret text;
BEGIN
    SELECT u.name INTO ret
    FROM   unit u
    WHERE  u.name_key % name_key(told) AND u.closed_on IS NULL AND u.path <@ ANY (units)
    ORDER  BY similarity(u.name_key, name_key(told)) DESC, u.name_key, u.id
    LIMIT  1;
    RETURN ret;
END $$;
COMMENT ON FUNCTION unit_name_meant(text, ltree[]) IS 'The name of an open unit, of these, that is most like what was told; null: none is.';

CREATE FUNCTION reference_meant(lists text[], told text) RETURNS text
LANGUAGE plpgsql STABLE STRICT AS $$
BEGIN
    RETURN coalesce((SELECT w.code FROM reference_word w WHERE w.list = ANY (lists) AND w.word = reference_fold(told) LIMIT 1),
                    (SELECT n.code
                     FROM   (SELECT r.code, greatest(similarity(lower(r.code), lower(told)), similarity(lower(r.name), lower(told))) AS likeness, r.seq
                             FROM   reference r WHERE r.list = ANY (lists)) n
                     WHERE  n.likeness > 0.25 OR levenshtein(lower(n.code), lower(left(told, 200))) = 1
                     ORDER  BY levenshtein(lower(n.code), lower(left(told, 200))) <= 1 DESC, n.likeness DESC, n.seq, n.code LIMIT 1));
END $$;
COMMENT ON FUNCTION reference_meant(text[], text) IS 'The code of these lists that may have been meant: one with that name or alias, else the nearest. Null: none is near.';

CREATE FUNCTION history_meant(of_kind text, pointer text, told text) RETURNS text
LANGUAGE plpgsql STABLE STRICT AS $$
BEGIN
    RETURN nullif(reference_meant(ARRAY(SELECT c.list FROM history_code c WHERE c.kind = of_kind AND '/facts/' || c.member = pointer), told), told);
END $$;
COMMENT ON FUNCTION history_meant(text, text, text) IS 'The code that may have been meant by a fact of a history.';

-- ── a file tells a row once ──────────────────────────────────────────────────────────────────────────────────────────────

-- As before; and of one row that the file told already (line: where this one stands in the file, import_told_history: who told) nothing else is taken.
DROP FUNCTION history_take(uuid, text, ltree[], text[], jsonb, uuid, text);
CREATE FUNCTION history_take(which uuid, number text, units ltree[], scopes text[], told jsonb, by_key uuid, by_name text,
                             OUT outcome text, OUT problem text, OUT pointer text, OUT value text, OUT told_more text, line bigint DEFAULT NULL)
LANGUAGE plpgsql AS $$
DECLARE
    person asn;
    me     history;
    old    history;
    fault  history_answer;
    before bigint;
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
    IF line IS NOT NULL AND old.id IS NOT NULL THEN
        SELECT t.line INTO before FROM import_told_history t WHERE t.id = old.id AND t.line <> history_take.line;
    END IF;
    IF before IS NOT NULL
       AND (me.remote_id <> old.remote_id
            OR (me.starts, me.ends, me.facts, me.decree_number, me.decree_date, me.decree_signatory, me.note)
               IS DISTINCT FROM (old.starts, old.ends, old.facts, old.decree_number, old.decree_date, old.decree_signatory, old.note)) THEN
        problem := 'duplicate-row'; pointer := '/from'; value := me.starts; told_more := before;
        RETURN;
    END IF;
    IF me.remote_id <> coalesce(old.remote_id, '') AND EXISTS (SELECT FROM history h WHERE h.kind = me.kind AND h.remote_id = me.remote_id) THEN
        problem := 'remote-id-taken'; pointer := '/remote_id'; value := me.remote_id;
        RETURN;
    END IF;
    me.remote_id := coalesce(me.remote_id, old.remote_id);
    IF old.id IS NOT NULL AND (me.starts, me.ends, me.facts, me.decree_number, me.decree_date, me.decree_signatory, me.remote_id, me.note)
                              IS NOT DISTINCT FROM
                              (old.starts, old.ends, old.facts, old.decree_number, old.decree_date, old.decree_signatory, old.remote_id, old.note) THEN
        outcome := 'unchanged';
    ELSE
        fault := history_fault(person, me);
        IF fault.problem IS NULL AND me.facts ? 'unit_id' THEN
            fault.problem := unit_placement_fault((me.facts ->> 'unit_id')::uuid, me.starts, CASE me.kind WHEN 'placement' THEN history_days(me) ELSE 'empty' END, units);
            fault.pointer := '/facts/unit_id';
            fault.value := me.facts ->> 'unit_id';
        END IF;
        IF fault.problem IS NOT NULL THEN
            problem := fault.problem; pointer := fault.pointer;
            value := CASE fault.problem WHEN 'history-overlap' THEN me.starts::text ELSE fault.value END;
            told_more := CASE WHEN fault.problem IN ('history-overlap', 'rank-below') THEN fault.value END;
            RETURN;
        END IF;
        PERFORM history_store(me, old.id IS NOT NULL, 'import', by_key, by_name);
        outcome := CASE WHEN old.id IS NULL THEN 'created' ELSE 'updated' END;
    END IF;
    IF line IS NOT NULL THEN
        INSERT INTO import_told_history (id, line) VALUES (me.id, history_take.line) ON CONFLICT DO NOTHING;
    END IF;
END $$;
COMMENT ON FUNCTION history_take(uuid, text, ltree[], text[], jsonb, uuid, text, bigint) IS
    'One row of a file: created, updated or unchanged, or the problem with its place. told_more: which other row it is about. line: where it stands in the file, which then holds it to what an earlier line told of the same row.';

CREATE OR REPLACE FUNCTION history_take_one(told jsonb, units ltree[], scopes text[], by_key uuid, by_name text,
                                            OUT outcome text, OUT problem text, OUT pointer text, OUT value text, OUT told_more text)
LANGUAGE plpgsql AS $$
DECLARE
    named text;
BEGIN
    SET CONSTRAINTS history_no_overlap DEFERRED;
    SELECT t.* INTO outcome, problem, pointer, value, told_more
    FROM   history_take((told ->> 'id')::uuid, told ->> 'nip', units, scopes, told -> 'entry', by_key, by_name, (told ->> 'line')::bigint) t;
    IF outcome IN ('created', 'updated') THEN
        PERFORM history_settle(ARRAY[asn_of_nip(told ->> 'nip')]);
    END IF;
EXCEPTION WHEN raise_exception OR integrity_constraint_violation OR data_exception THEN
    GET STACKED DIAGNOSTICS named = CONSTRAINT_NAME;
    outcome := NULL;
    problem := CASE named WHEN 'asn_rank_fkey' THEN 'rank-unknown' WHEN 'history_no_overlap' THEN 'history-overlap' WHEN 'restriction_holds' THEN 'restricted'
                          ELSE 'record-refused' END;
    pointer := CASE WHEN named = 'restriction_holds' THEN '/nip'
                    WHEN named = 'asn_rank_fkey' AND told #>> '{entry,kind}' = 'rank' THEN '/facts/rank'
                    WHEN named = 'asn_rank_fkey' AND told #>> '{entry,kind}' = 'appointment' THEN '/facts/kind'
                    ELSE '/from' END;
    value := CASE pointer WHEN '/nip' THEN told ->> 'nip' ELSE told -> 'entry' #>> string_to_array(substr(pointer, 2), '/') END;
END $$;
COMMENT ON FUNCTION history_take_one(jsonb, ltree[], text[], uuid, text) IS
    'history_take() of one row ({id, nip, line, entry}) and what follows from it in the record: whatever the database refuses is a fault of this row.';

CREATE OR REPLACE FUNCTION history_take_apart(told jsonb, units ltree[], scopes text[], by_key uuid, by_name text)
RETURNS TABLE (place bigint, outcome text, problem text, pointer text, value text, told_more text)
LANGUAGE plpgsql AS $$
DECLARE
    taken jsonb;
BEGIN
    BEGIN
        SET CONSTRAINTS history_no_overlap DEFERRED;
        SELECT jsonb_agg(to_jsonb(t) || jsonb_build_object('place', r.one -> 'place')) INTO taken
        FROM   jsonb_array_elements(told) AS r (one)
        CROSS  JOIN LATERAL history_take((r.one ->> 'id')::uuid, r.one ->> 'nip', units, scopes, r.one -> 'entry', by_key, by_name, (r.one ->> 'line')::bigint) t;
        PERFORM history_settle(ARRAY[asn_of_nip(told -> 0 ->> 'nip')]);
    EXCEPTION WHEN raise_exception OR integrity_constraint_violation OR data_exception THEN
        SELECT jsonb_agg(to_jsonb(t) || jsonb_build_object('place', r.one -> 'place')) INTO taken
        FROM   jsonb_array_elements(told) AS r (one)
        CROSS  JOIN LATERAL history_take_one(r.one, units, scopes, by_key, by_name) t;
    END;
    RETURN QUERY SELECT * FROM jsonb_to_recordset(taken) AS t (place bigint, outcome text, problem text, pointer text, value text, told_more text);
END $$;
COMMENT ON FUNCTION history_take_apart(jsonb, ltree[], text[], uuid, text) IS
    'The rows of one person ([{place, id, nip, line, entry}]), together, for they may need each other (another kind of ASN and its rank), else one by one.';

-- ── ranks of days to come ────────────────────────────────────────────────────────────────────────────────────────────────

-- What the record cannot be today its trigger refuses. What it could not be on a day to come is asked of ranks and appointments that are written now, so
-- that nobody is held to what was taken before.
CREATE FUNCTION history_rank_ahead(people uuid[]) RETURNS boolean
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN EXISTS (SELECT
                   FROM   history g
                   CROSS  JOIN LATERAL (SELECT greatest(g.starts, k.starts) AS day, k.facts ->> 'kind' AS kind, k.updated_at
                                        FROM   history k
                                        WHERE  k.asn_id = g.asn_id AND k.kind = 'appointment' AND NOT k.is_void AND k.valid && g.valid
                                        UNION  ALL
                                        SELECT g.starts, a.kind, g.updated_at
                                        FROM   asn a
                                        WHERE  a.id = g.asn_id AND NOT EXISTS (SELECT FROM history k WHERE k.asn_id = g.asn_id AND k.kind = 'appointment' AND NOT k.is_void
                                                                                                           AND k.valid @> g.starts)) w
                   WHERE  g.asn_id = ANY (people) AND g.kind = 'rank' AND NOT g.is_void AND coalesce(upper(g.valid) > local_today(), true)
                          AND w.day > local_today() AND now() IN (g.updated_at, w.updated_at)
                          AND NOT reference_holds(CASE WHEN w.kind IN ('PNS', 'CPNS') THEN 'rank-pns' ELSE 'rank-pppk' END, g.facts ->> 'rank', w.day));
END $$;
COMMENT ON FUNCTION history_rank_ahead(uuid[]) IS
    'Whether a rank or an appointment of these people, written by this transaction, gives on a day to come a rank that the kind of ASN of that day does not have.';

CREATE OR REPLACE FUNCTION history_settle(people uuid[]) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM history_resolve(people);
    PERFORM history_project(people);
    IF history_rank_ahead(people) THEN
        RAISE EXCEPTION 'a rank that the kind of ASN does not have on that day' USING ERRCODE = 'P0001', CONSTRAINT = 'asn_rank_fkey';
    END IF;
END $$;
COMMENT ON FUNCTION history_settle(uuid[]) IS 'After rows of these people were taken: ends, overlaps, what shows in their records, and what would on days to come.';

-- ── what depends on an import ────────────────────────────────────────────────────────────────────────────────────────────

-- Told otherwise and back again is told since, though the row says what the import made it say: whoever did that knew why, and an undo would not. Not so
-- what a later import did that was itself undone, nor an end that moved away with a neighbour and came back.
CREATE FUNCTION history_told_since(me history, moment timestamptz) RETURNS boolean
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN EXISTS (SELECT
                   FROM  (SELECT l.version, l.moment, l.says, lag(l.says) OVER (ORDER BY l.version) AS said, max(l.version) FILTER (WHERE l.moment = $2) OVER () AS last_told
                          FROM  (SELECT me.version, me.updated_at AS moment, history_says(me) - 'valid' AS says
                                 UNION ALL
                                 SELECT v.version, v.updated_at, to_jsonb(v) - '{version,updated_at,reason,actor_key,actor_name,track,valid}'::text[]
                                 FROM   history_version v WHERE v.id = me.id) l) s
                   WHERE  s.version > s.last_told AND s.says <> s.said
                          AND NOT EXISTS (SELECT FROM import i WHERE i.undone_at IS NOT NULL AND s.moment IN (i.started_at, i.undone_at)));
END $$;
COMMENT ON FUNCTION history_told_since(history, timestamptz) IS
    'Whether somebody told a row otherwise after the transaction of that moment had written it, whatever it says now; imports that were undone do not count.';

-- As before; also what was told otherwise and back again, and the later imports of histories that did it.
CREATE OR REPLACE FUNCTION import_depends_people(which uuid, moment timestamptz, units ltree[]) RETURNS SETOF import_dependent
LANGUAGE plpgsql AS $$
DECLARE
    changed uuid[];
    touched uuid[];
BEGIN
    RETURN QUERY
    SELECT 'asn-merge', count(*), (array_agg(DISTINCT m.merged_nip))[1:5]
    FROM   asn_merge m
    CROSS  JOIN LATERAL unnest(ARRAY[m.merged_id, m.asn_id]) AS w (id)
    JOIN   import_row r ON r.row_id = w.id AND r.import_id = which
    WHERE  m.undone_at IS NULL AND (w.id = m.merged_id OR m.merged_at > moment)
    HAVING count(*) > 0;

    SELECT array_agg(a.id) INTO changed
    FROM   import_row r JOIN asn a ON a.id = r.row_id JOIN unit u ON u.id = a.unit_id
    WHERE  r.import_id = which AND (a.version <> r.version OR NOT u.path <@ ANY (units));
    RETURN QUERY
    SELECT 'asn', count(*), (array_agg(a.nip ORDER BY a.nip) FILTER (WHERE u.path <@ ANY (units)))[1:5]
    FROM   asn a JOIN unit u ON u.id = a.unit_id
    WHERE  a.id = ANY (changed)
    HAVING count(*) > 0;

    -- Of a person that the import made every row that is not of its moment; of others what it wrote and somebody wrote over, and an education
    -- that came later: which one shows was decided with the import's.
    SELECT array_agg(h.id) INTO touched
    FROM   import_row r
    JOIN   history h ON h.asn_id = r.row_id
    WHERE  r.import_id = which
           AND (CASE WHEN h.updated_at = moment THEN false
                     WHEN h.created_at = moment THEN history_says(h) IS DISTINCT FROM history_said(h.id, moment) OR history_told_since(h, moment)
                     WHEN r.is_new THEN true
                     WHEN h.version > 1 THEN history_says(h) IS DISTINCT FROM coalesce(history_said(h.id, moment), history_says(h)) OR history_told_since(h, moment) END
                OR h.kind = 'education' AND h.created_at > moment
                   AND EXISTS (SELECT FROM history e WHERE e.asn_id = h.asn_id AND e.kind = 'education' AND moment IN (e.created_at, e.updated_at)));
    RETURN QUERY
    SELECT 'history', count(*), (array_agg(DISTINCT a.nip) FILTER (WHERE u.path <@ ANY (units)))[1:5]
    FROM   history h
    JOIN   asn a ON a.id = h.asn_id
    JOIN   unit u ON u.id = a.unit_id
    WHERE  h.id = ANY (touched)
    HAVING count(*) > 0;

    RETURN QUERY SELECT * FROM import_referrers(which, moment, 'asn', units);
    RETURN QUERY SELECT * FROM import_referrers(which, moment, 'history', units);

    RETURN QUERY
    SELECT 'import', count(*), (array_agg(w.id::text ORDER BY w.id))[1:5]
    FROM   (SELECT i.id
            FROM   import i JOIN import_row r ON r.import_id = i.id AND r.row_id = ANY (changed)
            WHERE  i.is_remembered AND i.id <> which AND i.started_at > moment
            UNION
            SELECT i.id
            FROM   history h
            CROSS  JOIN LATERAL (SELECT h.updated_at AS told_at UNION ALL SELECT v.updated_at FROM history_version v WHERE v.id = h.id) t
            JOIN   import i ON i.started_at = t.told_at
            WHERE  h.id = ANY (touched) AND i.is_remembered AND i.id <> which AND i.started_at > moment
                   AND EXISTS (SELECT FROM import_row r WHERE r.import_id = i.id AND r.row_id = h.asn_id)) w
    HAVING count(*) > 0;
END $$;

SELECT row_security_attach();
