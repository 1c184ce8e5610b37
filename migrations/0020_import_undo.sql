-- Imports that can be taken back: what each made and changed is noted while it runs, see docs/import.md.

-- ── what an import made ──────────────────────────────────────────────────────────────────────────────────────────────────

ALTER TABLE import ADD COLUMN is_remembered boolean NOT NULL DEFAULT false,
                   ADD COLUMN undone_at     timestamptz,
                   ADD COLUMN undone_by     text,
                   ADD COLUMN undone_reason text,
                   ADD CONSTRAINT import_undone_whole CHECK (num_nulls(undone_at, undone_by, undone_reason) IN (0, 3));
COMMENT ON COLUMN import.kind IS 'asn, unit, history or reference';
COMMENT ON COLUMN import.is_remembered IS 'What it made and changed is still in import_row';
COMMENT ON COLUMN import.undone_at IS 'When it was undone; null: it holds';
COMMENT ON COLUMN import.undone_by IS 'Name of the key that undid it, or the operator';
COMMENT ON COLUMN import.undone_reason IS 'Why';

-- Rows that a transaction writes bear its moment, now(), in created_at and updated_at: import.started_at is that of an import. So the histories
-- need no note of their own: they are those of the people noted here that bear the moment, and what they said before is in history_version.
-- No foreign keys: they would cost more than the notes.
CREATE TABLE import_row (
    import_id uuid    NOT NULL,
    row_id    uuid    NOT NULL,
    relation  text    NOT NULL,
    is_new    boolean NOT NULL,
    version   bigint,
    before    jsonb,
    CONSTRAINT import_row_pkey PRIMARY KEY (import_id, row_id)
);
COMMENT ON TABLE import_row IS 'People, their ids in other systems and units that an import made or changed, so that it can be undone. Written by triggers, forgotten by import_forget().';
COMMENT ON COLUMN import_row.import_id IS 'import.id';
COMMENT ON COLUMN import_row.row_id IS 'Its id in that table';
COMMENT ON COLUMN import_row.relation IS 'asn, external_id or unit';
COMMENT ON COLUMN import_row.is_new IS 'The import made it';
COMMENT ON COLUMN import_row.version IS 'Its version after the import; null: only its histories were written';
COMMENT ON COLUMN import_row.before IS 'The row as it was; null: it was not there, or was not changed itself';

-- enable_nestloop: see change_note().
CREATE FUNCTION import_note() RETURNS trigger
LANGUAGE plpgsql SET enable_nestloop = off AS $$
DECLARE
    which uuid := current_setting('asnd.import');
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO import_row (row_id, import_id, relation, is_new, version) SELECT n.id, which, TG_TABLE_NAME, true, n.version FROM entered n;
    ELSE
        INSERT INTO import_row AS r (row_id, import_id, relation, is_new, version, before)
        SELECT n.id, which, TG_TABLE_NAME, false, n.version, to_jsonb(o) FROM entered n JOIN departed o USING (id) WHERE n.version > o.version
        ON     CONFLICT (import_id, row_id) DO UPDATE
        SET    version = excluded.version, before = CASE WHEN NOT r.is_new THEN coalesce(r.before, excluded.before) END;
    END IF;
    RETURN NULL;
END $$;
COMMENT ON FUNCTION import_note() IS 'Notes people and units that an import (session variable asnd.import) makes or changes.';
CREATE TRIGGER asn_37_import_insert AFTER INSERT ON asn REFERENCING NEW TABLE AS entered
    FOR EACH STATEMENT WHEN (current_setting('asnd.import', true) <> '') EXECUTE FUNCTION import_note();
CREATE TRIGGER asn_37_import_update AFTER UPDATE ON asn REFERENCING NEW TABLE AS entered OLD TABLE AS departed
    FOR EACH STATEMENT WHEN (current_setting('asnd.import', true) <> '') EXECUTE FUNCTION import_note();
CREATE TRIGGER unit_37_import_insert AFTER INSERT ON unit REFERENCING NEW TABLE AS entered
    FOR EACH STATEMENT WHEN (current_setting('asnd.import', true) <> '') EXECUTE FUNCTION import_note();
CREATE TRIGGER unit_37_import_update AFTER UPDATE ON unit REFERENCING NEW TABLE AS entered OLD TABLE AS departed
    FOR EACH STATEMENT WHEN (current_setting('asnd.import', true) <> '') EXECUTE FUNCTION import_note();

-- Not of rows that a trigger of asn writes: there the person is noted.
CREATE FUNCTION import_note_history() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO import_row (row_id, import_id, relation, is_new)
    SELECT DISTINCT n.asn_id, current_setting('asnd.import')::uuid, 'asn', false FROM entered n
    ON     CONFLICT DO NOTHING;
    RETURN NULL;
END $$;
COMMENT ON FUNCTION import_note_history() IS 'Notes the people into whose histories an import writes.';
CREATE TRIGGER history_37_import_insert AFTER INSERT ON history REFERENCING NEW TABLE AS entered
    FOR EACH STATEMENT WHEN (pg_trigger_depth() = 0 AND current_setting('asnd.import', true) <> '') EXECUTE FUNCTION import_note_history();
CREATE TRIGGER history_37_import_update AFTER UPDATE ON history REFERENCING NEW TABLE AS entered
    FOR EACH STATEMENT WHEN (pg_trigger_depth() = 0 AND current_setting('asnd.import', true) <> '') EXECUTE FUNCTION import_note_history();

CREATE FUNCTION import_forget(days integer) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    old bigint;
BEGIN
    WITH gone AS (
        UPDATE import i SET is_remembered = false WHERE i.is_remembered AND i.started_at < now() - make_interval(days => days) RETURNING i.id
    ), cleared AS (
        DELETE FROM import_row r USING gone g WHERE r.import_id = g.id
    )
    SELECT count(*) INTO old FROM gone;
    RETURN old;
END $$;
COMMENT ON FUNCTION import_forget(integer) IS 'Forgets what imports of more than so many days ago made and changed; how many imports these are.';
CREATE INDEX import_remembered_idx ON import (started_at) WHERE is_remembered;

-- ── what depends on it ───────────────────────────────────────────────────────────────────────────────────────────────────

CREATE TYPE import_dependent AS (code text, n bigint, examples text[]);
COMMENT ON TYPE import_dependent IS 'What stands in the way of an undo: what sort of thing, how many, and up to five of them by NIP, code or id.';

-- A position outside placements, an old version, a proposal: what names a unit without a foreign key.
CREATE INDEX history_unit_idx ON history ((facts ->> 'unit_id')) WHERE facts ? 'unit_id' AND (kind <> 'placement' OR is_void);
CREATE INDEX history_version_unit_idx ON history_version ((facts ->> 'unit_id')) WHERE facts ? 'unit_id';

-- Rows of histories go with an import: who refers to them is asked row by row.
CREATE INDEX change_request_history_idx ON change_request (history_id) WHERE history_id IS NOT NULL;

-- Units did not go before; now one may, while somebody names it. The record's own placement is held by the record's foreign key.
CREATE FUNCTION history_hold_unit() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM unit u WHERE u.id = (NEW.facts ->> 'unit_id')::uuid FOR KEY SHARE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no such unit' USING ERRCODE = 'P0001', CONSTRAINT = 'history_unit_fkey';
    END IF;
    RETURN NEW;
END $$;
COMMENT ON FUNCTION history_hold_unit() IS 'In place of a foreign key: the unit that a row names is there until the row is.';
CREATE TRIGGER history_15_unit BEFORE INSERT OR UPDATE OF facts ON history FOR EACH ROW
    WHEN (NEW.facts ? 'unit_id' AND (NEW.kind <> 'placement' OR pg_trigger_depth() = 0)) EXECUTE FUNCTION history_hold_unit();

-- Of a row only what it says; not who wrote that version and when.
CREATE FUNCTION history_says(me history) RETURNS jsonb
LANGUAGE sql STABLE
RETURN to_jsonb(me) - '{version,updated_at,reason,actor_key,actor_name,track}'::text[];
COMMENT ON FUNCTION history_says(history) IS 'A row of a history without what only tells of its version.';

CREATE FUNCTION history_said(which uuid, moment timestamptz) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (SELECT to_jsonb(v) - '{version,updated_at,reason,actor_key,actor_name,track}'::text[]
            FROM   history_version v WHERE v.id = which AND v.updated_at = moment ORDER BY v.version DESC LIMIT 1);
END $$;
COMMENT ON FUNCTION history_said(uuid, timestamptz) IS 'What a row said when the transaction of that moment had written it, if it was written again since; null: it did not write it.';

-- Whatever refers to what the import made: the tables are asked, not listed, so that a new one is not forgotten.
CREATE FUNCTION import_referrers(which uuid, moment timestamptz, target regclass, units ltree[]) RETURNS SETOF import_dependent
LANGUAGE plpgsql AS $$
DECLARE
    place record;
    made  text := CASE target::text
                  WHEN 'history' THEN 'SELECT h.id, a.nip AS name, u.path FROM import_row r JOIN history h ON h.asn_id = r.row_id AND h.created_at = $2
                                       JOIN asn a ON a.id = h.asn_id JOIN unit u ON u.id = a.unit_id WHERE r.import_id = $1'
                  WHEN 'asn' THEN 'SELECT a.id, a.nip AS name, u.path FROM import_row r JOIN asn a ON a.id = r.row_id JOIN unit u ON u.id = a.unit_id
                                   WHERE r.import_id = $1 AND r.is_new AND $2 IS NOT NULL'
                  ELSE 'SELECT u.id, u.code AS name, u.path FROM import_row r JOIN unit u ON u.id = r.row_id WHERE r.import_id = $1 AND r.is_new AND $2 IS NOT NULL'
                  END;
BEGIN
    FOR place IN
        SELECT c.conrelid::regclass::text AS relation, a.attname AS member
        FROM   pg_constraint c JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]
        WHERE  c.contype = 'f' AND c.confrelid = target AND c.confdeltype <> 'c' AND c.conrelid NOT IN ('history'::regclass, 'history_version'::regclass)
        ORDER  BY 1, 2
    LOOP
        RETURN QUERY EXECUTE format('SELECT %3$L, count(*), (array_agg(DISTINCT m.name) FILTER (WHERE m.path <@ ANY ($3)))[1:5]
                                     FROM (%4$s) m JOIN %1$s t ON t.%2$I = m.id %5$s HAVING count(*) > 0',
                                    place.relation, place.member, replace(place.relation, '_', '-'), made,
                                    CASE place.relation
                                    -- A unit of the import below another goes with it, or goes back to where it was.
                                    WHEN 'unit' THEN 'WHERE NOT EXISTS (SELECT FROM import_row o WHERE o.row_id = t.id AND o.import_id = $1
                                                                        AND (o.is_new OR (o.before ->> ''parent_id'')::uuid IS DISTINCT FROM m.id))'
                                    WHEN 'external_id' THEN 'WHERE t.updated_at <> $2' ELSE '' END)
            USING which, moment, units;
    END LOOP;
END $$;
COMMENT ON FUNCTION import_referrers(uuid, timestamptz, regclass, ltree[]) IS
    'Rows that refer by a foreign key to people, histories or units that the import made, by table. Histories themselves are judged row by row.';

CREATE FUNCTION import_depends_people(which uuid, moment timestamptz, units ltree[]) RETURNS SETOF import_dependent
LANGUAGE plpgsql AS $$
DECLARE
    changed uuid[];
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
    RETURN QUERY
    SELECT 'history', count(*), (array_agg(DISTINCT a.nip) FILTER (WHERE u.path <@ ANY (units)))[1:5]
    FROM   import_row r
    JOIN   history h ON h.asn_id = r.row_id
    JOIN   asn a ON a.id = r.row_id
    JOIN   unit u ON u.id = a.unit_id
    WHERE  r.import_id = which
           AND (CASE WHEN h.updated_at = moment THEN false
                     WHEN h.created_at = moment THEN history_says(h) IS DISTINCT FROM history_said(h.id, moment)
                     WHEN r.is_new THEN true
                     WHEN h.version > 1 THEN history_says(h) IS DISTINCT FROM coalesce(history_said(h.id, moment), history_says(h)) END
                OR h.kind = 'education' AND h.created_at > moment
                   AND EXISTS (SELECT FROM history e WHERE e.asn_id = h.asn_id AND e.kind = 'education' AND moment IN (e.created_at, e.updated_at)))
    HAVING count(*) > 0;

    RETURN QUERY SELECT * FROM import_referrers(which, moment, 'asn', units);
    RETURN QUERY SELECT * FROM import_referrers(which, moment, 'history', units);

    RETURN QUERY
    SELECT 'import', count(*), (array_agg(w.id::text ORDER BY w.id))[1:5]
    FROM   (SELECT DISTINCT i.id
            FROM   import i JOIN import_row r ON r.import_id = i.id AND r.row_id = ANY (changed)
            WHERE  i.is_remembered AND i.id <> which AND i.started_at > moment) w
    HAVING count(*) > 0;
END $$;
COMMENT ON FUNCTION import_depends_people(uuid, timestamptz, ltree[]) IS 'What stands in the way of undoing an import of people or histories.';

-- The tree as the undo would leave it: parent as before where the import changed it, the units that it made gone.
CREATE FUNCTION import_tree_before(which uuid) RETURNS TABLE (id uuid, code text, path ltree)
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN QUERY
    WITH RECURSIVE node AS (
        SELECT u.id, u.code, u.label, CASE WHEN r.before IS NULL THEN u.parent_id ELSE (r.before ->> 'parent_id')::uuid END AS parent_id
        FROM   unit u LEFT JOIN import_row r ON r.row_id = u.id AND r.import_id = which
        WHERE  r.is_new IS NOT TRUE
    ), walk AS (
        SELECT n.id, n.code, n.label::ltree AS path FROM node n WHERE n.parent_id IS NULL
        UNION  ALL
        SELECT n.id, n.code, w.path || n.label FROM walk w JOIN node n ON n.parent_id = w.id
    )
    SELECT w.id, w.code, w.path FROM walk w;
END $$;
COMMENT ON FUNCTION import_tree_before(uuid) IS 'Units and their paths without what an import of units did; who is not reached would hang on itself or on what goes.';

CREATE FUNCTION import_depends_units(which uuid, units ltree[]) RETURNS SETOF import_dependent
LANGUAGE plpgsql AS $$
BEGIN
    RETURN QUERY
    SELECT 'unit-changed', count(*), (array_agg(coalesce(u.code, r.row_id::text) ORDER BY u.code) FILTER (WHERE u.path <@ ANY (units)))[1:5]
    FROM   import_row r LEFT JOIN unit u ON u.id = r.row_id
    WHERE  r.import_id = which AND (u.id IS NULL OR u.version <> r.version OR NOT u.path <@ ANY (units))
    HAVING count(*) > 0;

    RETURN QUERY SELECT * FROM import_referrers(which, now(), 'unit', units);

    RETURN QUERY
    SELECT 'history', count(*), (array_agg(DISTINCT a.nip) FILTER (WHERE u.path <@ ANY (units)))[1:5]
    FROM   import_row r
    CROSS  JOIN LATERAL (SELECT h.asn_id FROM history h WHERE h.facts ->> 'unit_id' = r.row_id::text AND h.kind = 'placement' AND NOT h.is_void
                         UNION ALL
                         SELECT h.asn_id FROM history h
                         WHERE  h.facts ->> 'unit_id' = r.row_id::text AND h.facts ? 'unit_id' AND (h.kind <> 'placement' OR h.is_void)
                         UNION ALL
                         SELECT v.asn_id FROM history_version v WHERE v.facts ->> 'unit_id' = r.row_id::text AND v.facts ? 'unit_id') h
    JOIN   asn a ON a.id = h.asn_id
    JOIN   unit u ON u.id = a.unit_id
    WHERE  r.import_id = which AND r.is_new
    HAVING count(*) > 0;

    RETURN QUERY
    SELECT w.code, count(*), (array_agg(DISTINCT w.name))[1:5]
    FROM   import_row r
    JOIN  (SELECT 'change-request' AS code, coalesce(c.record ->> 'unit_id', c.history #>> '{facts,unit_id}') AS unit_id, c.id::text AS name
           FROM   change_request c WHERE c.state = 'submitted'
           UNION ALL
           SELECT 'asn-merge', m.record ->> 'unit_id', m.merged_nip FROM asn_merge m WHERE m.undone_at IS NULL
           UNION ALL
           SELECT 'api-key', k.unit_id::text, k.name FROM (SELECT unnest(n.unit_ids) AS unit_id, n.name FROM api_key n WHERE n.revoked_at IS NULL) k) w
           ON w.unit_id = r.row_id::text
    WHERE  r.import_id = which AND r.is_new
    GROUP  BY w.code;

    RETURN QUERY
    SELECT 'unit-tree', count(*), (array_agg(u.code ORDER BY u.code) FILTER (WHERE u.path <@ ANY (units)))[1:5]
    FROM   unit u
    LEFT   JOIN import_tree_before(which) t ON t.id = u.id
    WHERE  (t.id IS NULL OR nlevel(t.path) > 16) AND NOT EXISTS (SELECT FROM import_row r WHERE r.row_id = u.id AND r.import_id = which AND r.is_new)
    HAVING count(*) > 0;
END $$;
COMMENT ON FUNCTION import_depends_units(uuid, ltree[]) IS 'What stands in the way of undoing an import of units.';

-- Everything that the import touched is held first: whoever writes at the same time has done so already, and is seen, or comes after it.
CREATE FUNCTION import_depends(which uuid, units ltree[], scopes text[]) RETURNS SETOF import_dependent
LANGUAGE plpgsql AS $$
DECLARE
    what   text;
    moment timestamptz;
BEGIN
    SELECT i.kind, i.started_at INTO what, moment FROM import i WHERE i.id = which;
    IF NOT scope_held(scopes, CASE what WHEN 'unit' THEN 'unit.write' ELSE 'asn.write' END) THEN
        RETURN NEXT ('forbidden', 0, ARRAY[CASE what WHEN 'unit' THEN 'unit.write' ELSE 'asn.write' END])::import_dependent;
        RETURN;
    END IF;
    IF what = 'unit' THEN
        PERFORM pg_advisory_xact_lock(1918, 1);
        PERFORM FROM unit u WHERE u.id IN (SELECT r.row_id FROM import_row r WHERE r.import_id = which) ORDER BY u.id FOR UPDATE;
        RETURN QUERY SELECT * FROM import_depends_units(which, units);
        RETURN;
    END IF;
    PERFORM FROM asn a WHERE a.id IN (SELECT r.row_id FROM import_row r WHERE r.import_id = which) ORDER BY a.nip FOR UPDATE;
    IF NOT history_shown('discipline', scopes) THEN
        PERFORM FROM import_row r JOIN history h ON h.asn_id = r.row_id AND h.kind = 'discipline' AND moment IN (h.created_at, h.updated_at)
        WHERE  r.import_id = which LIMIT 1;
        IF FOUND THEN
            RETURN NEXT ('forbidden', 0, '{asn.discipline}')::import_dependent;
            RETURN;
        END IF;
    END IF;
    RETURN QUERY SELECT * FROM import_depends_people(which, moment, units);
END $$;
COMMENT ON FUNCTION import_depends(uuid, ltree[], text[]) IS
    'What stands in the way of undoing an import; nothing: it can be undone, in this transaction. Code forbidden: a scope that the caller lacks.';

-- ── taking it back ───────────────────────────────────────────────────────────────────────────────────────────────────────

-- A history is never deleted, but what an import should not have told may be, and only so that it can be told again.
CREATE FUNCTION is_undoing() RETURNS text
LANGUAGE sql STABLE
RETURN coalesce(current_setting('asnd.undoing', true), '');
COMMENT ON FUNCTION is_undoing() IS 'Within import_take_back(): "people" while people go with all that they have, "rows" while rows of others do; else empty.';
DROP TRIGGER history_10_keep ON history;
CREATE TRIGGER history_10_keep BEFORE UPDATE ON history FOR EACH ROW EXECUTE FUNCTION history_keep();
CREATE TRIGGER history_10_keep_delete BEFORE DELETE ON history FOR EACH ROW WHEN (is_undoing() = '') EXECUTE FUNCTION history_keep();

-- With its kind: discipline is told to those who may see it. With a person the histories go untold.
CREATE FUNCTION change_note_history_gone() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM departed) THEN
        INSERT INTO change (batch, entity, id, kind, asn_id, part, version)
        SELECT change_open_batch(), 'history', o.id, 'deleted', o.asn_id, o.kind, o.version FROM departed o;
    END IF;
    RETURN NULL;
END $$;
COMMENT ON FUNCTION change_note_history_gone() IS 'Notes rows of histories that went with an import.';
DROP TRIGGER history_35_change_delete ON history;
CREATE TRIGGER history_35_change_delete AFTER DELETE ON history REFERENCING OLD TABLE AS departed
    FOR EACH STATEMENT WHEN (is_undoing() <> 'people') EXECUTE FUNCTION change_note_history_gone();

-- What the histories of these people said before: rows that bear the moment go, those that were written over say again what they said. Where the
-- beginning moved the row steps aside first, or it could meet a neighbour that has not moved yet.
CREATE FUNCTION import_take_back_histories(people uuid[], moment timestamptz, why text, by_key uuid, by_name text) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    told history_version[];
BEGIN
    DELETE FROM history_version v USING history h WHERE h.asn_id = ANY (people) AND h.created_at = moment AND v.id = h.id;
    DELETE FROM history h WHERE h.asn_id = ANY (people) AND h.created_at = moment;
    SELECT array_agg(o) INTO told
    FROM  (SELECT w.id, min(w.version) AS version
           FROM   (SELECT h.id, h.version FROM history h WHERE h.asn_id = ANY (people) AND h.updated_at = moment
                   UNION ALL
                   SELECT v.id, v.version FROM history h JOIN history_version v ON v.id = h.id WHERE h.asn_id = ANY (people) AND v.updated_at = moment) w
           GROUP  BY w.id) f
    JOIN   history_version o ON o.id = f.id AND o.version = f.version - 1;
    UPDATE history h SET is_void = true, reason = why, actor_key = by_key, actor_name = by_name
    FROM   unnest(told) o
    WHERE  h.id = o.id AND h.starts <> o.starts AND NOT h.is_void;
    UPDATE history h
    SET    starts = o.starts, ends = o.ends, valid = o.valid, facts = o.facts, decree_number = o.decree_number, decree_date = o.decree_date,
           decree_signatory = o.decree_signatory, source = o.source, remote_id = o.remote_id, note = o.note, is_void = o.is_void, reason = why,
           actor_key = by_key, actor_name = by_name
    FROM   unnest(told) o
    WHERE  h.id = o.id;
    DELETE FROM history_ahead w
    WHERE  w.asn_id = ANY (people)
           AND NOT EXISTS (SELECT FROM history h WHERE h.asn_id = w.asn_id AND NOT h.is_void AND w.day IN (h.starts, h.ends));
    SET CONSTRAINTS history_no_overlap IMMEDIATE;
END $$;
COMMENT ON FUNCTION import_take_back_histories(uuid[], timestamptz, text, uuid, text) IS 'Takes out of the histories of these people what a transaction of that moment wrote.';

-- The columns are asked, not listed, so that a new one is not forgotten.
CREATE FUNCTION import_take_back_people(which uuid, moment timestamptz, why text, by_key uuid, by_name text) RETURNS SETOF import_dependent
LANGUAGE plpgsql AS $$
DECLARE
    people  uuid[] := ARRAY(SELECT r.row_id FROM import_row r WHERE r.import_id = which AND NOT r.is_new AND r.relation = 'asn');
    columns text;
BEGIN
    SET CONSTRAINTS history_no_overlap DEFERRED;
    DELETE FROM external_id e USING import_row r WHERE r.import_id = which AND r.is_new AND e.id = r.row_id;
    UPDATE external_id e SET value = r.before ->> 'value', updated_at = (r.before ->> 'updated_at')::timestamptz
    FROM   import_row r
    WHERE  r.import_id = which AND r.relation = 'external_id' AND NOT r.is_new AND e.id = r.row_id;
    PERFORM set_config('asnd.undoing', 'people', true);
    DELETE FROM history_version v USING import_row r, history h WHERE r.import_id = which AND r.is_new AND h.asn_id = r.row_id AND v.id = h.id;
    DELETE FROM history h USING import_row r WHERE r.import_id = which AND r.is_new AND h.asn_id = r.row_id;
    DELETE FROM asn a USING import_row r WHERE r.import_id = which AND r.is_new AND a.id = r.row_id;
    PERFORM set_config('asnd.undoing', 'rows', true);
    PERFORM import_take_back_histories(people, moment, why, by_key, by_name);
    PERFORM set_config('asnd.undoing', '', true);

    SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum) INTO columns FROM pg_attribute a
    WHERE  a.attrelid = 'asn'::regclass AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
           AND a.attname NOT IN ('id', 'version', 'created_at', 'updated_at');
    PERFORM set_config('asnd.merging', 'on', true); -- the histories have come back by themselves
    EXECUTE format('UPDATE asn a SET (%1$s) = (SELECT %1$s FROM jsonb_populate_record(NULL::asn, r.before))
                    FROM import_row r WHERE r.import_id = $1 AND r.before IS NOT NULL AND r.relation = ''asn'' AND a.id = r.row_id', columns) USING which;
    PERFORM set_config('asnd.merging', '', true);
    PERFORM due_refresh(people);
    -- An import before this one may be undone next: the state that it left is there again, under another number.
    UPDATE import_row o SET version = a.version
    FROM   import_row r JOIN asn a ON a.id = r.row_id, import i
    WHERE  r.import_id = which AND i.is_remembered AND i.id <> which AND o.import_id = i.id AND o.row_id = r.row_id
           AND o.version = (r.before ->> 'version')::bigint;

    -- A row that ends where one of the import's began came after it, whatever its moment says.
    RETURN QUERY
    SELECT 'history', count(*), (array_agg(DISTINCT a.nip))[1:5]
    FROM   (SELECT h.asn_id, h.valid, daterange(h.starts, coalesce(h.ends, lead(h.starts) OVER (PARTITION BY h.asn_id, h.track ORDER BY h.starts))) AS own
            FROM   history h WHERE h.asn_id = ANY (people) AND h.track IS NOT NULL AND NOT h.is_void) w
    JOIN   asn a ON a.id = w.asn_id
    WHERE  w.valid <> w.own
    HAVING count(*) > 0;
END $$;
COMMENT ON FUNCTION import_take_back_people(uuid, timestamptz, text, uuid, text) IS
    'Undoes an import of people or histories of which nothing depends; a row is something that was found only then: the transaction must not be committed.';

-- The paths first, so that no step stands too deep or below itself in between; as in importUnits.place.
CREATE FUNCTION import_take_back_units(which uuid) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    UPDATE unit u SET path = t.path FROM import_tree_before(which) t WHERE u.id = t.id AND u.path <> t.path;
    UPDATE unit u
    SET    name = r.before ->> 'name', kind = r.before ->> 'kind', parent_id = (r.before ->> 'parent_id')::uuid, is_active = (r.before ->> 'is_active')::boolean
    FROM   import_row r
    WHERE  r.import_id = which AND r.before IS NOT NULL AND u.id = r.row_id;
    DELETE FROM unit u USING import_row r WHERE r.import_id = which AND r.is_new AND u.id = r.row_id;
    UPDATE import_row o SET version = u.version
    FROM   import_row r JOIN unit u ON u.id = r.row_id, import i
    WHERE  r.import_id = which AND i.is_remembered AND i.id <> which AND o.import_id = i.id AND o.row_id = r.row_id
           AND o.version = (r.before ->> 'version')::bigint;
END $$;
COMMENT ON FUNCTION import_take_back_units(uuid) IS 'Undoes an import of units of which nothing depends.';

CREATE FUNCTION import_take_back(which uuid, why text, by_key uuid, by_name text) RETURNS SETOF import_dependent
LANGUAGE plpgsql AS $$
DECLARE
    what   text;
    moment timestamptz;
BEGIN
    SELECT i.kind, i.started_at INTO what, moment FROM import i WHERE i.id = which;
    IF what = 'unit' THEN
        PERFORM import_take_back_units(which);
    ELSE
        RETURN QUERY SELECT * FROM import_take_back_people(which, moment, why, by_key, by_name);
    END IF;
    DELETE FROM import_row r WHERE r.import_id = which;
    UPDATE import i SET is_remembered = false, undone_at = now(), undone_by = by_name, undone_reason = why WHERE i.id = which;
END $$;
COMMENT ON FUNCTION import_take_back(uuid, text, uuid, text) IS
    'Undoes an import of which import_depends() has just found nothing; a row is something that was found only then: the transaction must not be committed.';

-- ── ids of other systems ─────────────────────────────────────────────────────────────────────────────────────────────────

-- What another system calls a person is a change of the person: a version, an entry in the feed, something for updated_since.
CREATE FUNCTION external_id_tell() RETURNS trigger
LANGUAGE plpgsql SET enable_nestloop = off AS $$
DECLARE
    people uuid[];
    which  uuid := nullif(current_setting('asnd.import', true), '');
BEGIN
    IF TG_OP = 'INSERT' THEN
        SELECT array_agg(n.asn_id) INTO people FROM entered n;
        INSERT INTO import_row (row_id, import_id, relation, is_new) SELECT n.id, which, 'external_id', true FROM entered n WHERE which IS NOT NULL;
    ELSIF TG_OP = 'DELETE' THEN
        SELECT array_agg(o.asn_id) INTO people FROM departed o;
    ELSE
        SELECT array_agg(w.asn_id) INTO people
        FROM   entered n JOIN departed o USING (id) CROSS JOIN LATERAL unnest(ARRAY[n.asn_id, o.asn_id]) AS w (asn_id)
        WHERE  (n.asn_id, n.value) <> (o.asn_id, o.value);
        INSERT INTO import_row (row_id, import_id, relation, is_new, before)
        SELECT n.id, which, 'external_id', false, to_jsonb(o) FROM entered n JOIN departed o USING (id) WHERE which IS NOT NULL
        ON     CONFLICT DO NOTHING;
    END IF;
    -- Counted by asn_20_touch. Who has just been made comes with the id.
    UPDATE asn a SET version = a.version WHERE a.id = ANY (people) AND NOT (a.created_at = now() AND a.xmin = pg_current_xact_id()::xid);
    RETURN NULL;
END $$;
COMMENT ON FUNCTION external_id_tell() IS 'A person whose id in another system has changed has a new version; what an import does is noted.';
CREATE TRIGGER external_id_35_tell_insert AFTER INSERT ON external_id REFERENCING NEW TABLE AS entered
    FOR EACH STATEMENT EXECUTE FUNCTION external_id_tell();
CREATE TRIGGER external_id_35_tell_update AFTER UPDATE ON external_id REFERENCING NEW TABLE AS entered OLD TABLE AS departed
    FOR EACH STATEMENT EXECUTE FUNCTION external_id_tell();
CREATE TRIGGER external_id_35_tell_delete AFTER DELETE ON external_id REFERENCING OLD TABLE AS departed
    FOR EACH STATEMENT EXECUTE FUNCTION external_id_tell();

-- ── histories from files ─────────────────────────────────────────────────────────────────────────────────────────────────

-- As before, but not into a unit that was closed by then, and an id that a row of somebody else has is a fault of this row alone.
CREATE OR REPLACE FUNCTION history_take(which uuid, number text, units ltree[], scopes text[], told jsonb, by_key uuid, by_name text,
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
    IF me.remote_id <> coalesce(old.remote_id, '') AND EXISTS (SELECT FROM history h WHERE h.kind = me.kind AND h.remote_id = me.remote_id) THEN
        problem := 'remote-id-taken'; pointer := '/remote_id'; value := me.remote_id;
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
    IF fault.problem IS NULL AND me.facts ? 'unit_id' THEN
        fault.problem := unit_placement_fault((me.facts ->> 'unit_id')::uuid, me.starts, CASE me.kind WHEN 'placement' THEN history_days(me) ELSE 'empty' END, units);
        fault.pointer := '/facts/unit_id';
        fault.value := CASE fault.problem WHEN 'unit-closed' THEN me.facts ->> 'unit_id' END;
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
