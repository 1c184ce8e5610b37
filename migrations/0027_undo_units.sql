-- The undo of an import of units knows the days of units (0019): versions, ways and every column go back, and whoever came to hang on them is named.

-- ── what an import made ──────────────────────────────────────────────────────────────────────────────────────────────────

-- Versions need no note of their own: those of the units noted here that bear the moment of the import are its own, and what they were before is in
-- unit_version_before. A row of a file may tell of no more than a decree: then the unit itself did not change, and is noted by this alone.
CREATE FUNCTION import_note_versions() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO import_row (row_id, import_id, relation, is_new, version)
    SELECT DISTINCT u.id, current_setting('asnd.import')::uuid, 'unit', false, u.version FROM entered n JOIN unit u ON u.id = n.unit_id
    ON     CONFLICT DO NOTHING;
    RETURN NULL;
END $$;
COMMENT ON FUNCTION import_note_versions() IS 'Notes the units into whose versions an import writes.';
CREATE TRIGGER unit_version_37_import_insert AFTER INSERT ON unit_version REFERENCING NEW TABLE AS entered
    FOR EACH STATEMENT WHEN (current_setting('asnd.import', true) <> '') EXECUTE FUNCTION import_note_versions();
CREATE TRIGGER unit_version_37_import_update AFTER UPDATE ON unit_version REFERENCING NEW TABLE AS entered
    FOR EACH STATEMENT WHEN (current_setting('asnd.import', true) <> '') EXECUTE FUNCTION import_note_versions();
CREATE TRIGGER unit_version_37_import_delete AFTER DELETE ON unit_version REFERENCING OLD TABLE AS entered
    FOR EACH STATEMENT WHEN (current_setting('asnd.import', true) <> '') EXECUTE FUNCTION import_note_versions();

-- ── what depends on it ───────────────────────────────────────────────────────────────────────────────────────────────────

-- What goes with a unit unasked is what was worked out from it. What another system calls it somebody told.
ALTER TABLE unit_external_id DROP CONSTRAINT unit_external_id_unit_fkey,
                             ADD CONSTRAINT unit_external_id_unit_fkey FOREIGN KEY (unit_id) REFERENCES unit;

-- As before; of units also what took over, and which versions lie below which.
CREATE OR REPLACE FUNCTION import_referrers(which uuid, moment timestamptz, target regclass, units ltree[]) RETURNS SETOF import_dependent
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
                                    WHEN 'unit' THEN format('WHERE NOT EXISTS (SELECT FROM import_row o WHERE o.row_id = t.id AND o.import_id = $1
                                                                               AND (o.is_new OR (o.before ->> %L)::uuid IS DISTINCT FROM m.id AND o.before IS NOT NULL))',
                                                            place.member)
                                    WHEN 'external_id' THEN 'WHERE t.updated_at <> $2'
                                    WHEN 'unit_version' THEN 'WHERE t.updated_at <> $2' ELSE '' END)
            USING which, moment, units;
    END LOOP;
END $$;

CREATE FUNCTION import_versions_before(which uuid, moment timestamptz) RETURNS TABLE (unit_id uuid, valid daterange, parent_id uuid, agency text)
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN QUERY
    SELECT v.unit_id, v.valid, v.parent_id, v.agency
    FROM   unit_version v
    WHERE  v.updated_at <> moment OR NOT EXISTS (SELECT FROM import_row r WHERE r.row_id = v.unit_id AND r.import_id = which)
    UNION  ALL
    SELECT b.unit_id, b.valid, b.parent_id, b.agency
    FROM   import_row r JOIN unit_version_before b ON b.unit_id = r.row_id
    WHERE  r.import_id = which AND b.until = moment AND b.updated_at <> moment;
END $$;
COMMENT ON FUNCTION import_versions_before(uuid, timestamptz) IS 'The versions of all units without what an import of units did.';
CREATE INDEX unit_version_before_unit_idx ON unit_version_before (unit_id);

CREATE OR REPLACE FUNCTION import_depends_units(which uuid, units ltree[]) RETURNS SETOF import_dependent
LANGUAGE plpgsql AS $$
DECLARE
    moment  timestamptz := (SELECT i.started_at FROM import i WHERE i.id = which);
    changed uuid[];
BEGIN
    RETURN QUERY
    SELECT 'unit-changed', count(*), (array_agg(coalesce(u.code, r.row_id::text) ORDER BY u.code) FILTER (WHERE u.path <@ ANY (units)))[1:5]
    FROM   import_row r LEFT JOIN unit u ON u.id = r.row_id
    WHERE  r.import_id = which AND (u.id IS NULL OR u.version <> r.version OR NOT u.path <@ ANY (units))
    HAVING count(*) > 0;

    -- Whoever writes into the versions of a unit counts as changing it, but for an import that tells no more than a decree.
    RETURN QUERY
    SELECT 'unit-version', count(DISTINCT u.id), (array_agg(DISTINCT u.code) FILTER (WHERE u.path <@ ANY (units)))[1:5]
    FROM   import_row r
    JOIN   unit u ON u.id = r.row_id
    JOIN   unit_version_before b ON b.unit_id = u.id AND b.updated_at = moment AND b.until <> moment
    WHERE  r.import_id = which AND u.version = r.version
    HAVING count(*) > 0;

    SELECT array_agg(u.id) INTO changed
    FROM   import_row r JOIN unit u ON u.id = r.row_id
    WHERE  r.import_id = which
           AND (u.version <> r.version OR EXISTS (SELECT FROM unit_version_before b WHERE b.unit_id = u.id AND b.updated_at = moment AND b.until <> moment));
    RETURN QUERY
    SELECT 'import', count(*), (array_agg(w.id::text ORDER BY w.id))[1:5]
    FROM   (SELECT DISTINCT i.id
            FROM   import i JOIN import_row r ON r.import_id = i.id AND r.row_id = ANY (changed)
            WHERE  i.is_remembered AND i.id <> which AND i.started_at > moment) w
    HAVING count(*) > 0;

    RETURN QUERY SELECT * FROM import_referrers(which, moment, 'unit', units);

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

    -- Today's tree; and on every day on which a unit was, the one above it was. A closed unit is there no more, whatever hung on it before.
    RETURN QUERY
    WITH left_behind AS MATERIALIZED (
        SELECT b.* FROM import_versions_before(which, moment) b
    ), days AS MATERIALIZED (
        SELECT b.unit_id, range_agg(b.valid) AS days FROM left_behind b GROUP BY b.unit_id
    ), lost AS (
        SELECT u.id FROM unit u LEFT JOIN import_tree_before(which) t ON t.id = u.id WHERE t.id IS NULL OR nlevel(t.path) > 16
        UNION
        SELECT b.unit_id FROM left_behind b LEFT JOIN days d ON d.unit_id = b.parent_id WHERE b.parent_id IS NOT NULL AND NOT coalesce(d.days @> b.valid, false)
    )
    SELECT 'unit-tree', count(*), (array_agg(u.code ORDER BY u.code) FILTER (WHERE u.path <@ ANY (units)))[1:5]
    FROM   lost l JOIN unit u ON u.id = l.id
    WHERE  NOT EXISTS (SELECT FROM import_row r WHERE r.row_id = u.id AND r.import_id = which AND r.is_new)
    HAVING count(*) > 0;

    RETURN QUERY
    WITH root AS MATERIALIZED (
        SELECT b.* FROM import_versions_before(which, moment) b WHERE b.parent_id IS NULL AND b.agency IS NOT NULL
    )
    SELECT 'unit-agency', count(DISTINCT u.id), (array_agg(DISTINCT u.code) FILTER (WHERE u.path <@ ANY (units)))[1:5]
    FROM   root a JOIN root b ON b.agency = a.agency AND b.valid && a.valid AND b.unit_id <> a.unit_id JOIN unit u ON u.id = a.unit_id
    WHERE  NOT EXISTS (SELECT FROM import_row r WHERE r.row_id = a.unit_id AND r.import_id = which)
    HAVING count(*) > 0;
END $$;

-- ── taking it back ───────────────────────────────────────────────────────────────────────────────────────────────────────

COMMENT ON FUNCTION is_undoing() IS
    'Within import_take_back(): "people" while people go with all that they have, "rows" while rows of others do, "units" while units do; else empty.';

-- What an undo replaces was never so: it leaves no version behind.
DROP TRIGGER unit_version_10_keep ON unit_version;
CREATE TRIGGER unit_version_10_keep BEFORE UPDATE OR DELETE ON unit_version FOR EACH ROW WHEN (is_undoing() <> 'units') EXECUTE FUNCTION unit_version_keep();

-- The paths first, so that no step stands too deep or below itself in between; as in importUnits.place. The columns are asked, not listed, so that a new
-- one is not forgotten. The versions come back by themselves (asnd.unit_writing), and the ways are worked out from them.
DROP FUNCTION import_take_back_units(uuid);
CREATE FUNCTION import_take_back_units(which uuid) RETURNS SETOF import_dependent
LANGUAGE plpgsql AS $$
DECLARE
    moment  timestamptz := (SELECT i.started_at FROM import i WHERE i.id = which);
    kept    uuid[] := ARRAY(SELECT r.row_id FROM import_row r WHERE r.import_id = which AND NOT r.is_new);
    columns text;
    refusal text;
BEGIN
    PERFORM set_config('asnd.unit_writing', 'on', true), set_config('asnd.undoing', 'units', true);
    UPDATE unit u SET path = t.path FROM import_tree_before(which) t WHERE u.id = t.id AND u.path <> t.path;
    SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum) INTO columns FROM pg_attribute a
    WHERE  a.attrelid = 'unit'::regclass AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
           AND a.attname NOT IN ('id', 'label', 'path', 'version', 'created_at', 'updated_at');
    EXECUTE format('UPDATE unit u SET (%1$s) = (SELECT %1$s FROM jsonb_populate_record(NULL::unit, r.before))
                    FROM import_row r WHERE r.import_id = $1 AND r.before IS NOT NULL AND u.id = r.row_id', columns) USING which;
    DELETE FROM unit_version v USING import_row r WHERE r.import_id = which AND v.unit_id = r.row_id AND v.updated_at = moment;
    SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum) INTO columns FROM pg_attribute a
    WHERE  a.attrelid = 'unit_version'::regclass AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '';
    EXECUTE format('INSERT INTO unit_version (%1$s)
                    SELECT %1$s FROM unit_version_before b
                    WHERE  b.unit_id IN (SELECT r.row_id FROM import_row r WHERE r.import_id = $1) AND b.until = $2 AND b.updated_at <> $2', columns)
        USING which, moment;
    DELETE FROM unit_version_before b USING import_row r WHERE r.import_id = which AND b.unit_id = r.row_id AND b.until = moment;
    DELETE FROM unit u USING import_row r WHERE r.import_id = which AND r.is_new AND u.id = r.row_id;
    PERFORM set_config('asnd.unit_writing', '', true), set_config('asnd.undoing', '', true);
    PERFORM unit_way_refresh(kept);
    UPDATE import_row o SET version = u.version
    FROM   import_row r JOIN unit u ON u.id = r.row_id, import i
    WHERE  r.import_id = which AND i.is_remembered AND i.id <> which AND o.import_id = i.id AND o.row_id = r.row_id
           AND o.version = (r.before ->> 'version')::bigint;
EXCEPTION WHEN raise_exception OR check_violation THEN
    GET STACKED DIAGNOSTICS refusal = CONSTRAINT_NAME;
    IF refusal NOT IN ('unit_no_cycle', 'unit_parent_there', 'unit_parent_open', 'unit_way_depth') THEN
        RAISE;
    END IF;
    -- On a day gone by: a circle with what was told since, or too deep.
    RETURN NEXT ('unit-tree', 1, NULL)::import_dependent;
END $$;
COMMENT ON FUNCTION import_take_back_units(uuid) IS
    'Undoes an import of units of which nothing depends; a row is something that was found only then: the transaction must not be committed.';

CREATE OR REPLACE FUNCTION import_take_back(which uuid, why text, by_key uuid, by_name text) RETURNS SETOF import_dependent
LANGUAGE plpgsql AS $$
DECLARE
    what   text;
    moment timestamptz;
BEGIN
    SELECT i.kind, i.started_at INTO what, moment FROM import i WHERE i.id = which;
    IF what = 'unit' THEN
        RETURN QUERY SELECT * FROM import_take_back_units(which);
    ELSE
        RETURN QUERY SELECT * FROM import_take_back_people(which, moment, why, by_key, by_name);
    END IF;
    DELETE FROM import_row r WHERE r.import_id = which;
    UPDATE import i SET is_remembered = false, undone_at = now(), undone_by = by_name, undone_reason = why WHERE i.id = which;
END $$;
