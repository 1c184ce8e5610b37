-- Units by the day: what each was called, where it stood and until when; what a new organisation (SOTK) does to them; who heads them; what
-- SIASN calls them. See docs/units.md.

-- ── what is new in today's tree ──────────────────────────────────────────────────────────────────────────────────────────

ALTER TABLE unit
    ADD COLUMN agency        text COLLATE "C" CONSTRAINT unit_agency_form CHECK (agency ~ '^[\x21-\x7e]{1,64}$'),
    ADD COLUMN head_position text CONSTRAINT unit_head_position_length CHECK (length(head_position) BETWEEN 1 AND 200),
    ADD COLUMN closed_on     date,
    ADD COLUMN successor_id  uuid CONSTRAINT unit_successor_fkey REFERENCES unit,
    ADD COLUMN closing       jsonb,
    ADD CONSTRAINT unit_agency_of_root CHECK (agency IS NULL OR parent_id IS NULL),
    ADD CONSTRAINT unit_closed_inactive CHECK (closed_on IS NULL OR NOT is_active),
    ADD CONSTRAINT unit_closing_of_closed CHECK (closed_on IS NOT NULL OR successor_id IS NULL AND closing IS NULL);
CREATE INDEX unit_successor_id_idx ON unit (successor_id) WHERE successor_id IS NOT NULL;
COMMENT ON COLUMN unit.agency IS 'Of a root: the agency (instansi) whose tree it is, as SIASN calls it; null: the root stands for an agency of its own';
COMMENT ON COLUMN unit.head_position IS 'Position of its head (NamaJabatan of SIASN); null: the one called Kepala and the unit''s name';
COMMENT ON COLUMN unit.closed_on IS 'First day on which it is no more; null: it is';
COMMENT ON COLUMN unit.successor_id IS 'Which unit took over when it was closed; null: none';
COMMENT ON COLUMN unit.closing IS 'By what it was closed: {decree_number, decree_date, reason, actor_name}';

-- ── versions ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

CREATE TABLE unit_version (
    id            uuid        CONSTRAINT unit_version_pkey PRIMARY KEY DEFAULT uuid_v7(),
    unit_id       uuid        NOT NULL CONSTRAINT unit_version_unit_fkey REFERENCES unit ON DELETE CASCADE,
    valid         daterange   NOT NULL CONSTRAINT unit_version_days CHECK (lower(valid) BETWEEN '1900-01-01' AND '2099-12-31' AND NOT isempty(valid)),
    code          text COLLATE "C" NOT NULL,
    name          text        NOT NULL,
    name_key      text COLLATE "C" GENERATED ALWAYS AS (name_key(name)) STORED,
    kind          text        NOT NULL,
    parent_id     uuid        CONSTRAINT unit_version_parent_fkey REFERENCES unit DEFERRABLE INITIALLY DEFERRED,
    is_active     boolean     NOT NULL,
    agency        text COLLATE "C",
    head_position text,
    decree_number text        CONSTRAINT unit_version_decree_number_length CHECK (length(decree_number) BETWEEN 1 AND 120),
    decree_date   date,
    reason        text,
    actor_key     uuid,
    actor_name    text,
    created_at    timestamptz NOT NULL DEFAULT now(),
    updated_at    timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT unit_version_no_overlap EXCLUDE USING gist (unit_id WITH =, valid WITH &&) DEFERRABLE INITIALLY IMMEDIATE,
    CONSTRAINT unit_version_one_root EXCLUDE USING gist (agency WITH =, valid WITH &&) WHERE (parent_id IS NULL AND agency IS NOT NULL)
        DEFERRABLE INITIALLY IMMEDIATE
);
CREATE INDEX unit_version_unit_idx ON unit_version (unit_id, valid);
CREATE INDEX unit_version_parent_idx ON unit_version (parent_id);
CREATE INDEX unit_version_code_idx ON unit_version (code);
CREATE INDEX unit_version_name_idx ON unit_version (name_key, unit_id);
COMMENT ON TABLE unit_version IS 'What a unit was from day to day. The one without an end says what unit says; a closed unit has none. An agency has one root at a time.';
COMMENT ON COLUMN unit_version.id IS 'UUIDv7';
COMMENT ON COLUMN unit_version.unit_id IS 'unit.id';
COMMENT ON COLUMN unit_version.valid IS 'Days on which it was so';
COMMENT ON COLUMN unit_version.code IS 'unit.code then';
COMMENT ON COLUMN unit_version.name IS 'Official name then';
COMMENT ON COLUMN unit_version.name_key IS 'name_key(name)';
COMMENT ON COLUMN unit_version.kind IS 'What sort of unit it was';
COMMENT ON COLUMN unit_version.parent_id IS 'The unit above then; null: it was a root';
COMMENT ON COLUMN unit_version.is_active IS 'Whether it took new people';
COMMENT ON COLUMN unit_version.agency IS 'unit.agency then';
COMMENT ON COLUMN unit_version.head_position IS 'unit.head_position then';
COMMENT ON COLUMN unit_version.decree_number IS 'Number of the decree (SOTK) by which it became so';
COMMENT ON COLUMN unit_version.decree_date IS 'Its date';
COMMENT ON COLUMN unit_version.reason IS 'Why it became so';
COMMENT ON COLUMN unit_version.actor_key IS 'api_key.id of who told it; null: an import, or a writer beside the API';
COMMENT ON COLUMN unit_version.actor_name IS 'Name of that key then';
COMMENT ON COLUMN unit_version.created_at IS 'When it was told';
COMMENT ON COLUMN unit_version.updated_at IS 'When it was told otherwise, or ended';

CREATE TABLE unit_version_before (LIKE unit_version INCLUDING COMMENTS);
ALTER TABLE unit_version_before ADD COLUMN until timestamptz NOT NULL DEFAULT now();
CREATE INDEX unit_version_before_idx ON unit_version_before (id);
COMMENT ON TABLE unit_version_before IS 'Rows of unit_version as they were before they were told otherwise.';
COMMENT ON COLUMN unit_version_before.until IS 'When they were replaced or taken away';

CREATE FUNCTION unit_version_keep() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO unit_version_before SELECT OLD.*;
    IF TG_OP = 'DELETE' THEN
        RETURN OLD;
    END IF;
    NEW.updated_at := now();
    RETURN NEW;
END $$;
COMMENT ON FUNCTION unit_version_keep() IS 'Keeps what is replaced.';
CREATE TRIGGER unit_version_10_keep BEFORE UPDATE OR DELETE ON unit_version FOR EACH ROW EXECUTE FUNCTION unit_version_keep();

CREATE TABLE unit_way (
    unit_id uuid      NOT NULL CONSTRAINT unit_way_unit_fkey REFERENCES unit ON DELETE CASCADE,
    valid   daterange NOT NULL,
    path    ltree     NOT NULL CONSTRAINT unit_way_depth CHECK (nlevel(path) <= 16),
    CONSTRAINT unit_way_pkey PRIMARY KEY (unit_id, valid)
);
CREATE INDEX unit_way_path_idx ON unit_way USING gist (path);
COMMENT ON TABLE unit_way IS 'The way from the root to each unit, by the day: unit.path as it was. Worked out from unit_version by unit_way_refresh().';
COMMENT ON COLUMN unit_way.unit_id IS 'unit.id';
COMMENT ON COLUMN unit_way.valid IS 'Days on which it led so';
COMMENT ON COLUMN unit_way.path IS 'Labels from the root down';

-- Upwards from each unit with the days cut down at each step: so what comes out is right for every day there was, whoever changed on it.
-- A unit that on some day does not reach a root hangs on a circle, or on a unit that was not there.
CREATE FUNCTION unit_way_refresh(units uuid[]) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    touched   uuid[];
    lost      uuid;
    is_circle boolean;
BEGIN
    WITH RECURSIVE down (id) AS (
        SELECT unnest(units)
        UNION
        SELECT v.unit_id FROM down d JOIN unit_version v ON v.parent_id = d.id
    )
    SELECT array_agg(d.id) INTO touched FROM down d;
    DELETE FROM unit_way w WHERE w.unit_id = ANY (touched);
    WITH RECURSIVE up (unit_id, above, days, path, steps) AS (
        SELECT v.unit_id, v.parent_id, v.valid, u.label::ltree, 1
        FROM   unit_version v JOIN unit u ON u.id = v.unit_id
        WHERE  v.unit_id = ANY (touched)
        UNION  ALL
        SELECT p.unit_id, v.parent_id, p.days * v.valid, u.label::ltree || p.path, p.steps + 1
        FROM   up p JOIN unit_version v ON v.unit_id = p.above AND v.valid && p.days JOIN unit u ON u.id = v.unit_id
        WHERE  p.steps < 20
    )
    INSERT INTO unit_way (unit_id, valid, path)
    SELECT p.unit_id, unnest(range_agg(p.days)), p.path FROM up p WHERE p.above IS NULL GROUP BY p.unit_id, p.path;
    SELECT v.unit_id INTO lost
    FROM   unit_version v
    LEFT   JOIN (SELECT w.unit_id, range_agg(w.valid) AS days FROM unit_way w WHERE w.unit_id = ANY (touched) GROUP BY w.unit_id) w USING (unit_id)
    WHERE  v.unit_id = ANY (touched) AND NOT coalesce(w.days @> v.valid, false)
    LIMIT  1;
    IF FOUND THEN
        WITH RECURSIVE up (above, days, seen, is_circle) AS (
            SELECT v.parent_id, v.valid, ARRAY[v.unit_id], v.parent_id = v.unit_id FROM unit_version v WHERE v.unit_id = lost
            UNION  ALL
            SELECT v.parent_id, p.days * v.valid, p.seen || v.unit_id, v.parent_id = ANY (p.seen || v.unit_id)
            FROM   up p JOIN unit_version v ON v.unit_id = p.above AND v.valid && p.days
            WHERE  NOT coalesce(p.is_circle, false)
        )
        SELECT bool_or(p.is_circle) INTO is_circle FROM up p;
        IF is_circle THEN
            RAISE EXCEPTION 'a unit below itself' USING ERRCODE = 'P0001', CONSTRAINT = 'unit_no_cycle';
        END IF;
        RAISE EXCEPTION 'the unit above was not there' USING ERRCODE = 'P0001', CONSTRAINT = 'unit_parent_there';
    END IF;
END $$;
COMMENT ON FUNCTION unit_way_refresh(uuid[]) IS
    'Works out the ways of these units, and of all that were ever below them, anew. Refuses a circle, and a unit above that was not there, on whatever day.';

CREATE FUNCTION unit_version_whole() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
    units uuid[];
BEGIN
    IF current_setting('asnd.unit_writing', true) = 'on' THEN
        RETURN NULL;
    END IF;
    IF TG_OP = 'DELETE' THEN
        SELECT array_agg(DISTINCT o.unit_id) INTO units FROM departed o JOIN unit u ON u.id = o.unit_id;
    ELSE
        SELECT array_agg(DISTINCT n.unit_id) INTO units FROM entered n;
    END IF;
    IF units IS NOT NULL THEN
        PERFORM pg_advisory_xact_lock(1918, 1);
        PERFORM unit_way_refresh(units);
    END IF;
    RETURN NULL;
END $$;
COMMENT ON FUNCTION unit_version_whole() IS 'Whoever writes versions past the functions meets the same refusals.';
CREATE TRIGGER unit_version_30_whole_insert AFTER INSERT ON unit_version REFERENCING NEW TABLE AS entered
    FOR EACH STATEMENT EXECUTE FUNCTION unit_version_whole();
CREATE TRIGGER unit_version_30_whole_update AFTER UPDATE ON unit_version REFERENCING NEW TABLE AS entered
    FOR EACH STATEMENT EXECUTE FUNCTION unit_version_whole();
CREATE TRIGGER unit_version_30_whole_delete AFTER DELETE ON unit_version REFERENCING OLD TABLE AS departed
    FOR EACH STATEMENT EXECUTE FUNCTION unit_version_whole();

-- ── today's tree and its versions ────────────────────────────────────────────────────────────────────────────────────────

-- act: {day, decree_number, decree_date, reason, actor_key, actor_name}; whoever changes a unit leaves it in the session variable asnd.unit_act.
-- Told for the day on which the last version begins, that one is corrected; a unit closed on the day on which it began so was never so.
CREATE FUNCTION unit_follow(units uuid[], acts jsonb[]) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    moved uuid[];
BEGIN
    PERFORM set_config('asnd.unit_writing', 'on', true);
    SET CONSTRAINTS unit_version_no_overlap, unit_version_one_root DEFERRED;
    WITH told AS MATERIALIZED (
        SELECT u.id, u.code, u.name, u.kind, u.parent_id, u.is_active, u.agency, u.head_position, u.closed_on, l.id AS last,
               lower(l.valid) AS began, greatest(w.day, lower(l.valid)) AS day, w.act, l.parent_id AS was_below,
               CASE WHEN u.closed_on IS NOT NULL THEN CASE WHEN NOT upper_inf(l.valid) THEN NULL WHEN u.closed_on > lower(l.valid) THEN 'end' ELSE 'drop' END
                    WHEN l.id IS NULL OR NOT upper_inf(l.valid) THEN 'begin'
                    WHEN (u.code, u.name, u.kind, u.parent_id, u.is_active, u.agency, u.head_position) IS NOT DISTINCT FROM
                         (l.code, l.name, l.kind, l.parent_id, l.is_active, l.agency, l.head_position)
                    THEN CASE WHEN w.day = lower(l.valid) AND NOT to_jsonb(l) @> (w.act - '{day,actor_key,actor_name}'::text[]) THEN 'correct' END
                    WHEN w.day > lower(l.valid) THEN 'change' ELSE 'correct' END AS what
        FROM  (SELECT t.id, t.act, (t.act ->> 'day')::date AS day FROM unnest(units, acts) AS t (id, act)) w
        JOIN   unit u ON u.id = w.id
        LEFT   JOIN LATERAL (SELECT v.* FROM unit_version v WHERE v.unit_id = u.id ORDER BY v.valid DESC LIMIT 1) l ON true
    ), dropped AS (
        DELETE FROM unit_version v USING told t WHERE v.id = t.last AND t.what = 'drop'
    ), ended AS (
        UPDATE unit_version v SET valid = daterange(t.began, CASE t.what WHEN 'end' THEN t.closed_on ELSE t.day END)
        FROM   told t WHERE v.id = t.last AND t.what IN ('end', 'change')
    ), corrected AS (
        UPDATE unit_version v
        SET    code = t.code, name = t.name, kind = t.kind, parent_id = t.parent_id, is_active = t.is_active, agency = t.agency,
               head_position = t.head_position, decree_number = coalesce(t.act ->> 'decree_number', v.decree_number),
               decree_date = coalesce((t.act ->> 'decree_date')::date, v.decree_date), reason = coalesce(t.act ->> 'reason', v.reason),
               actor_key = (t.act ->> 'actor_key')::uuid, actor_name = t.act ->> 'actor_name'
        FROM   told t WHERE v.id = t.last AND t.what = 'correct'
    ), made AS (
        INSERT INTO unit_version (unit_id, valid, code, name, kind, parent_id, is_active, agency, head_position, decree_number, decree_date, reason,
                                  actor_key, actor_name)
        SELECT t.id, daterange(t.day, NULL), t.code, t.name, t.kind, t.parent_id, t.is_active, t.agency, t.head_position, t.act ->> 'decree_number',
               (t.act ->> 'decree_date')::date, t.act ->> 'reason', (t.act ->> 'actor_key')::uuid, t.act ->> 'actor_name'
        FROM   told t WHERE t.what IN ('begin', 'change')
    )
    SELECT array_agg(t.id) INTO moved FROM told t
    WHERE  t.what IN ('begin', 'end', 'drop') OR t.what IS NOT NULL AND t.parent_id IS DISTINCT FROM t.was_below;
    SET CONSTRAINTS unit_version_no_overlap, unit_version_one_root IMMEDIATE;
    PERFORM set_config('asnd.unit_writing', '', true);
    IF moved IS NOT NULL THEN
        PERFORM unit_way_refresh(moved);
    END IF;
END $$;
COMMENT ON FUNCTION unit_follow(uuid[], jsonb[]) IS 'Writes into the versions of these units what their rows say now, each by its act: from that day on.';

CREATE FUNCTION unit_begin(units uuid[], acts jsonb[]) RETURNS integer
LANGUAGE plpgsql AS $$
BEGIN
    IF units IS NULL THEN
        RETURN 0;
    END IF;
    PERFORM set_config('asnd.unit_writing', 'on', true);
    UPDATE unit_version v
    SET    valid = daterange(w.day, upper(v.valid)), decree_number = coalesce(w.act ->> 'decree_number', v.decree_number),
           decree_date = coalesce((w.act ->> 'decree_date')::date, v.decree_date)
    FROM   (SELECT t.id, t.act, (t.act ->> 'day')::date AS day, (SELECT f.valid FROM unit_version f WHERE f.unit_id = t.id ORDER BY f.valid LIMIT 1) AS first
            FROM   unnest(units, acts) AS t (id, act)) w
    WHERE  v.unit_id = w.id AND v.valid = w.first AND lower(v.valid) > w.day;
    UPDATE unit u SET name = u.name WHERE u.id = ANY (units); -- counts as a change, so that it is told
    PERFORM set_config('asnd.unit_writing', '', true);
    PERFORM unit_way_refresh(units);
    RETURN cardinality(units);
END $$;
COMMENT ON FUNCTION unit_begin(uuid[], jsonb[]) IS 'Lets these units begin earlier than was known, each on the day of its act; how many these are.';

CREATE FUNCTION unit_keep_versions() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
    act   jsonb := coalesce(nullif(current_setting('asnd.unit_act', true), '')::jsonb, '{}');
    units uuid[];
BEGIN
    IF current_setting('asnd.unit_writing', true) = 'on' THEN
        RETURN NULL;
    END IF;
    IF TG_OP = 'INSERT' THEN
        SELECT array_agg(n.id) INTO units FROM entered n;
    ELSE
        SELECT array_agg(n.id) INTO units
        FROM   entered n JOIN departed o USING (id)
        WHERE  (n.code, n.name, n.kind, n.parent_id, n.is_active, n.agency, n.head_position, n.closed_on) IS DISTINCT FROM
               (o.code, o.name, o.kind, o.parent_id, o.is_active, o.agency, o.head_position, o.closed_on);
    END IF;
    IF units IS NOT NULL THEN
        PERFORM unit_follow(units, array_fill(jsonb_build_object('day', local_today()) || act, ARRAY[cardinality(units)]));
    END IF;
    RETURN NULL;
END $$;
COMMENT ON FUNCTION unit_keep_versions() IS 'No change of a unit goes by without its version. The session variable asnd.unit_act says from which day and by which decree.';
CREATE TRIGGER unit_40_versions_insert AFTER INSERT ON unit REFERENCING NEW TABLE AS entered
    FOR EACH STATEMENT EXECUTE FUNCTION unit_keep_versions();
CREATE TRIGGER unit_40_versions_update AFTER UPDATE ON unit REFERENCING NEW TABLE AS entered OLD TABLE AS departed
    FOR EACH STATEMENT EXECUTE FUNCTION unit_keep_versions();

DROP TRIGGER unit_20_touch ON unit;
CREATE TRIGGER unit_20_touch BEFORE UPDATE OF code, name, kind, parent_id, is_active, agency, head_position, closed_on, successor_id ON unit
    FOR EACH ROW EXECUTE FUNCTION touch_row();

-- As before; and below a closed unit stands none that is not, and the agency of a root that comes below another is that one's.
CREATE OR REPLACE FUNCTION unit_place() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
    above     ltree := '';
    is_closed boolean := false;
BEGIN
    IF TG_OP = 'INSERT' THEN
        PERFORM pg_advisory_xact_lock_shared(1918, 1);
        NEW.label := replace(NEW.id::text, '-', '');
    ELSIF NEW.parent_id IS NOT DISTINCT FROM OLD.parent_id THEN
        RETURN NEW;
    ELSE
        PERFORM pg_advisory_xact_lock(1918, 1);
        IF NEW.agency = OLD.agency THEN
            NEW.agency := NULL;
        END IF;
    END IF;
    IF NEW.parent_id IS NOT NULL THEN
        SELECT path, closed_on IS NOT NULL INTO above, is_closed FROM unit WHERE id = NEW.parent_id;
        IF NOT FOUND AND NEW.parent_id <> NEW.id THEN
            RAISE EXCEPTION 'no such unit above' USING ERRCODE = 'P0001', CONSTRAINT = 'unit_parent_fkey';
        END IF;
        IF NEW.parent_id = NEW.id OR TG_OP = 'UPDATE' AND above <@ OLD.path THEN
            RAISE EXCEPTION 'a unit below itself' USING ERRCODE = 'P0001', CONSTRAINT = 'unit_no_cycle';
        END IF;
        IF is_closed AND NEW.closed_on IS NULL THEN
            RAISE EXCEPTION 'the unit above is closed' USING ERRCODE = 'P0001', CONSTRAINT = 'unit_parent_open';
        END IF;
    END IF;
    NEW.path := above || NEW.label;
    RETURN NEW;
END $$;

-- What was there before this migration began when its row was made: nothing else is known.
SELECT unit_follow(array_agg(u.id),
                   array_agg(jsonb_build_object('day', (u.created_at AT TIME ZONE 'UTC'
                       + make_interval(mins => coalesce(nullif(current_setting('asnd.utc_offset_minutes', true), '')::integer, 480)))::date)))
FROM   unit u
HAVING count(*) > 0;

-- ── as it was ────────────────────────────────────────────────────────────────────────────────────────────────────────────

CREATE VIEW unit_then AS
SELECT v.unit_id, v.code, v.name, v.name_key, v.kind, v.parent_id, v.is_active, v.agency, v.head_position, w.path, nlevel(w.path) AS depth,
       v.valid AS was_so, w.valid AS stood_there
FROM   unit_version v
JOIN   unit_way w ON w.unit_id = v.unit_id;
COMMENT ON VIEW unit_then IS 'What each unit was, and where it stood, each with its days: of one day are those of which was_so and stood_there hold it.';

-- Lists of people and reports must not lose who worked in a unit of which less is known than of the people.
CREATE FUNCTION unit_path_then(which uuid, at date) RETURNS ltree
LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
BEGIN
    RETURN coalesce(CASE WHEN at IS NOT NULL THEN (SELECT w.path FROM unit_way w WHERE w.unit_id = which
                                                   ORDER BY w.valid @> at DESC, lower(w.valid) > at DESC,
                                                            CASE WHEN lower(w.valid) > at THEN lower(w.valid) END, w.valid DESC LIMIT 1) END,
                    (SELECT u.path FROM unit u WHERE u.id = which));
END $$;
COMMENT ON FUNCTION unit_path_then(uuid, date) IS
    'Where a unit stood on that day; of a day before its first, where it stood first, and after its last, where it stood last. Null: where it stands.';

CREATE FUNCTION unit_as_of(me unit, at date) RETURNS TABLE (code text, name text, depth integer, path ltree)
LANGUAGE plpgsql STABLE PARALLEL SAFE ROWS 1 AS $$
BEGIN
    path := unit_path_then((me).id, at);
    depth := nlevel(path);
    SELECT v.code, v.name INTO code, name FROM unit_version v WHERE v.unit_id = (me).id
    ORDER  BY v.valid @> at DESC, lower(v.valid) > at DESC, CASE WHEN lower(v.valid) > at THEN lower(v.valid) END, v.valid DESC LIMIT 1;
    code := coalesce(code, (me).code);
    name := coalesce(name, (me).name);
    RETURN NEXT;
END $$;
COMMENT ON FUNCTION unit_as_of(unit, date) IS 'What a unit was called and where it stood on that day, as unit_path_then().';

CREATE FUNCTION unit_reach(under uuid, units ltree[]) RETURNS uuid[]
LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
BEGIN
    IF under IS NULL THEN
        RETURN ARRAY(SELECT u.id FROM unit u WHERE u.path <@ ANY (units));
    END IF;
    RETURN ARRAY(SELECT u.id FROM unit u
                 WHERE  u.path <@ ANY (units)
                        AND u.id IN (SELECT w.unit_id FROM unit_way w WHERE w.path <@ ANY (ARRAY(SELECT o.path FROM unit_way o WHERE o.unit_id = under))
                                     UNION ALL
                                     SELECT b.id FROM unit b WHERE b.path <@ (SELECT o.path FROM unit o WHERE o.id = under)));
END $$;
COMMENT ON FUNCTION unit_reach(uuid, ltree[]) IS 'Units that were below that one on any day (null: all), of those that the caller may see.';

-- ── who heads it ─────────────────────────────────────────────────────────────────────────────────────────────────────────

CREATE INDEX history_position_unit_idx ON history ((facts ->> 'unit_id')) WHERE kind = 'position' AND NOT is_void AND facts ? 'unit_id';

CREATE FUNCTION unit_head(which uuid, title text, at date, units ltree[]) RETURNS jsonb
LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
DECLARE
    wanted text := reference_fold(title);
    ret    jsonb;
BEGIN
    SELECT jsonb_build_object('nip', a.nip, 'name', a.name, 'title_front', a.title_front, 'title_back', a.title_back, 'position', c.facts ->> 'position',
                              'assignment', c.facts ->> 'assignment', 'since', c.starts)
    INTO   ret
    FROM  (SELECT h.id, h.asn_id, h.starts, h.facts
           FROM   history h
           WHERE  h.kind = 'position' AND NOT h.is_void AND h.facts ? 'unit_id' AND h.facts ->> 'unit_id' = which::text AND h.valid @> at
           UNION  ALL
           SELECT h.id, h.asn_id, h.starts, h.facts
           FROM   history p
           JOIN   history h ON h.asn_id = p.asn_id AND h.kind = 'position' AND NOT h.is_void AND h.valid @> at AND NOT h.facts ? 'unit_id'
           WHERE  p.kind = 'placement' AND NOT p.is_void AND p.facts ->> 'unit_id' = which::text AND p.valid @> at) c
    JOIN   asn b ON b.id = c.asn_id
    JOIN   unit u ON u.id = b.unit_id AND u.path <@ ANY (units)
    CROSS  JOIN LATERAL asn_as_of(b, at) a
    WHERE  reference_fold(c.facts ->> 'position') = wanted AND a.legal_status IN (SELECT e.code FROM employed_status e)
    ORDER  BY array_position('{definitive,additional,pj,plt,plh}'::text[], c.facts ->> 'assignment'), c.starts DESC, c.id
    LIMIT  1;
    RETURN ret;
END $$;
COMMENT ON FUNCTION unit_head(uuid, text, date, ltree[]) IS
    'Who holds the position with that title in a unit on a day: the definitive holder, else by extra duty, provisional, acting, daily acting; of the people of these units, still of the staff. Null: nobody.';

CREATE FUNCTION unit_title(head_position text, name text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN coalesce(head_position, 'Kepala ' || name);
COMMENT ON FUNCTION unit_title(text, text) IS 'The position of a unit''s head.';

-- ── what is refused ──────────────────────────────────────────────────────────────────────────────────────────────────────

CREATE FUNCTION unit_heir(which uuid, units ltree[]) RETURNS uuid
LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
DECLARE
    ret uuid;
BEGIN
    WITH RECURSIVE line (id, next, is_open, steps) AS (
        SELECT u.id, u.successor_id, false, 1 FROM unit u WHERE u.id = which
        UNION  ALL
        SELECT u.id, u.successor_id, u.closed_on IS NULL AND u.path <@ ANY (units), l.steps + 1
        FROM   line l JOIN unit u ON u.id = l.next WHERE NOT l.is_open AND l.steps < 64
    )
    SELECT l.id INTO ret FROM line l WHERE l.is_open;
    RETURN ret;
END $$;
COMMENT ON FUNCTION unit_heir(uuid, ltree[]) IS 'The unit that is there now of those that took over a closed one, one after the other; null: there is none, or not in these units.';

CREATE FUNCTION unit_placement_fault(which uuid, started date, days daterange, units ltree[]) RETURNS text
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    closed date;
BEGIN
    SELECT u.closed_on INTO closed FROM unit u WHERE u.id = which AND u.path <@ ANY (units) FOR SHARE;
    RETURN CASE WHEN NOT FOUND THEN 'reference-missing'
                WHEN closed <= started OR closed IS NOT NULL AND days @> local_today() THEN 'unit-closed' END;
END $$;
COMMENT ON FUNCTION unit_placement_fault(uuid, date, daterange, ltree[]) IS
    'Why nobody can be in a unit from that day on: no such unit in these, or it was closed by then (or today, if the days reach up to it). Null: he can.';

CREATE OR REPLACE FUNCTION asn_enter_unit() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
    idle   boolean;
    closed boolean;
BEGIN
    IF TG_OP = 'INSERT' THEN
        SELECT bool_or(NOT l.is_active), bool_or(l.closed_on IS NOT NULL) INTO idle, closed
        FROM   (SELECT u.is_active, u.closed_on FROM unit u WHERE u.id IN (SELECT n.unit_id FROM entered n) ORDER BY u.id FOR SHARE) l;
    ELSE
        SELECT bool_or(NOT l.is_active), bool_or(l.closed_on IS NOT NULL) INTO idle, closed
        FROM   (SELECT u.is_active, u.closed_on FROM unit u
                WHERE  u.id IN (SELECT n.unit_id FROM entered n JOIN departed o USING (id) WHERE n.unit_id <> o.unit_id)
                ORDER  BY u.id FOR SHARE) l;
    END IF;
    IF closed THEN
        RAISE EXCEPTION 'the unit is closed' USING ERRCODE = 'P0001', CONSTRAINT = 'asn_unit_open';
    ELSIF idle THEN
        RAISE EXCEPTION 'the unit is not active' USING ERRCODE = 'P0001', CONSTRAINT = 'asn_unit_active';
    END IF;
    RETURN NULL;
END $$;
COMMENT ON FUNCTION asn_enter_unit() IS 'An inactive unit takes nobody new, a closed one nobody at all.';

CREATE FUNCTION post_enter_unit() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM (SELECT u.closed_on FROM unit u WHERE u.id = NEW.unit_id FOR SHARE) l WHERE l.closed_on IS NOT NULL;
    IF FOUND THEN
        RAISE EXCEPTION 'the unit is closed' USING ERRCODE = 'P0001', CONSTRAINT = 'post_unit_open';
    END IF;
    RETURN NEW;
END $$;
COMMENT ON FUNCTION post_enter_unit() IS 'A closed unit has no posts.';
CREATE TRIGGER post_30_enter BEFORE INSERT OR UPDATE OF unit_id ON post FOR EACH ROW EXECUTE FUNCTION post_enter_unit();

-- As before, and not into a unit that was closed by then.
CREATE OR REPLACE FUNCTION history_write(which uuid, number text, units ltree[], scopes text[], entry jsonb, seen int8multirange, why text, by_key uuid,
                                         by_name text)
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
    IF fault.problem IS NULL AND told.facts ? 'unit_id' THEN
        fault.problem := unit_placement_fault((told.facts ->> 'unit_id')::uuid, told.starts, CASE told.kind WHEN 'placement' THEN history_days(told) ELSE 'empty' END,
                                              units);
        fault.pointer := '/facts/unit_id';
        fault.value := told.facts ->> 'unit_id';
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

-- ── made, renamed, moved ─────────────────────────────────────────────────────────────────────────────────────────────────

CREATE TYPE unit_answer AS (problem text, pointer text, value text, suggestion text, rec unit);
COMMENT ON TYPE unit_answer IS 'What became of it: a problem of the catalogue with its place, or the unit as it is now.';

CREATE FUNCTION unit_act(told jsonb, by_key uuid, by_name text) RETURNS jsonb
LANGUAGE sql STABLE
RETURN jsonb_strip_nulls(jsonb_build_object('day', coalesce((told ->> 'effective_on')::date, local_today()), 'decree_number', told -> 'decree_number',
                                            'decree_date', told -> 'decree_date', 'reason', told -> 'reason', 'actor_key', by_key, 'actor_name', by_name));
COMMENT ON FUNCTION unit_act(jsonb, uuid, text) IS 'From which day, by which decree, why and by whom: what a body says of it (UnitAct of openapi.yaml), for unit_follow().';

-- The first thing that speaks against a unit as it would become, but for what the tree itself refuses.
CREATE FUNCTION unit_above_fault(above uuid, units ltree[]) RETURNS unit_answer
LANGUAGE plpgsql STABLE AS $$
DECLARE
    ret    unit_answer;
    closed date;
BEGIN
    IF above IS NULL THEN
        IF NOT ''::ltree = ANY (units) THEN
            ret.problem := 'reference-missing';
        END IF;
    ELSE
        SELECT u.closed_on INTO closed FROM unit u WHERE u.id = above AND u.path <@ ANY (units);
        ret.problem := CASE WHEN NOT FOUND THEN 'reference-missing' WHEN closed IS NOT NULL THEN 'unit-closed' END;
        ret.suggestion := CASE ret.problem WHEN 'unit-closed' THEN unit_heir(above, units)::text END;
    END IF;
    IF ret.problem IS NOT NULL THEN
        ret.pointer := '/parent_id';
        ret.value := above;
    END IF;
    RETURN ret;
END $$;
COMMENT ON FUNCTION unit_above_fault(uuid, ltree[]) IS 'Why nothing can come below that unit (null: why it cannot become a root).';

CREATE FUNCTION unit_make(which uuid, told jsonb, units ltree[], by_key uuid, by_name text) RETURNS SETOF unit_answer
LANGUAGE plpgsql AS $$
DECLARE
    act    jsonb := unit_act(told, by_key, by_name);
    answer unit_answer;
BEGIN
    PERFORM pg_advisory_xact_lock_shared(1918, 1);
    answer := unit_above_fault((told ->> 'parent_id')::uuid, units);
    IF answer.problem IS NULL AND (act ->> 'day')::date > local_today() THEN
        answer := ('day-ahead', '/effective_on', act ->> 'day', NULL, NULL)::unit_answer;
    END IF;
    IF answer.problem IS NULL THEN
        PERFORM set_config('asnd.unit_act', act::text, true);
        INSERT INTO unit (id, code, name, kind, parent_id, is_active, agency, head_position)
        SELECT which, n.code, n.name, n.kind, n.parent_id, coalesce(n.is_active, true), n.agency, n.head_position
        FROM   jsonb_populate_record(NULL::unit, told) n;
        PERFORM set_config('asnd.unit_act', '', true);
        SELECT u INTO answer.rec FROM unit u WHERE u.id = which;
    END IF;
    RETURN NEXT answer;
END $$;
COMMENT ON FUNCTION unit_make(uuid, jsonb, ltree[], uuid, text) IS 'A new unit as UnitNew of openapi.yaml tells it.';

-- What is told for a past day holds until the member that was told is known to have changed again. What stood before the first version is laid
-- before it.
CREATE FUNCTION unit_change_past(which uuid, patch jsonb, day date, act jsonb) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    old   unit_version;
    fresh unit_version;
    v     unit_version;
    delta jsonb;
BEGIN
    PERFORM set_config('asnd.unit_writing', 'on', true);
    SET CONSTRAINTS unit_version_no_overlap, unit_version_one_root DEFERRED;
    SELECT w.* INTO old FROM unit_version w WHERE w.unit_id = which AND w.valid @> day;
    IF old.id IS NULL THEN
        SELECT w.* INTO v FROM unit_version w WHERE w.unit_id = which AND lower(w.valid) > day ORDER BY w.valid LIMIT 1;
        IF to_jsonb(v) @> patch THEN
            UPDATE unit_version w
            SET    valid = daterange(day, upper(w.valid)), decree_number = coalesce(act ->> 'decree_number', w.decree_number),
                   decree_date = coalesce((act ->> 'decree_date')::date, w.decree_date), reason = coalesce(act ->> 'reason', w.reason),
                   actor_key = (act ->> 'actor_key')::uuid, actor_name = act ->> 'actor_name'
            WHERE  w.id = v.id;
        ELSE
            fresh := jsonb_populate_record(v, patch);
            fresh.valid := daterange(day, lower(v.valid));
        END IF;
    ELSIF to_jsonb(old) @> patch THEN -- so it was already
        UPDATE unit_version w
        SET    decree_number = coalesce(act ->> 'decree_number', w.decree_number), decree_date = coalesce((act ->> 'decree_date')::date, w.decree_date),
               reason = coalesce(act ->> 'reason', w.reason), actor_key = (act ->> 'actor_key')::uuid, actor_name = act ->> 'actor_name'
        WHERE  w.id = old.id AND lower(w.valid) = day;
    ELSE
        fresh := jsonb_populate_record(old, patch);
        fresh.valid := daterange(day, upper(old.valid));
        SELECT coalesce(jsonb_object_agg(d.key, d.value), '{}') INTO delta FROM jsonb_each(patch) d WHERE d.value IS DISTINCT FROM to_jsonb(old) -> d.key;
        IF lower(old.valid) < day THEN
            UPDATE unit_version w SET valid = daterange(lower(w.valid), day) WHERE w.id = old.id;
        ELSE
            DELETE FROM unit_version w WHERE w.id = old.id;
        END IF;
        FOR v IN SELECT w.* FROM unit_version w WHERE w.unit_id = which AND lower(w.valid) > day ORDER BY w.valid LOOP
            SELECT coalesce(jsonb_object_agg(d.key, d.value), '{}') INTO delta
            FROM   jsonb_each(delta) d WHERE to_jsonb(v) -> d.key IS NOT DISTINCT FROM to_jsonb(old) -> d.key;
            EXIT WHEN delta = '{}';
            v := jsonb_populate_record(v, delta);
            UPDATE unit_version w
            SET    code = v.code, name = v.name, kind = v.kind, parent_id = v.parent_id, is_active = v.is_active, agency = v.agency,
                   head_position = v.head_position
            WHERE  w.id = v.id;
        END LOOP;
    END IF;
    IF fresh.unit_id IS NOT NULL THEN
        INSERT INTO unit_version (unit_id, valid, code, name, kind, parent_id, is_active, agency, head_position, decree_number, decree_date, reason,
                                  actor_key, actor_name)
        VALUES (which, fresh.valid, fresh.code, fresh.name, fresh.kind, fresh.parent_id, fresh.is_active, fresh.agency, fresh.head_position,
                act ->> 'decree_number', (act ->> 'decree_date')::date, act ->> 'reason', (act ->> 'actor_key')::uuid, act ->> 'actor_name');
    END IF;
    UPDATE unit u
    SET    code = w.code, name = w.name, kind = w.kind, parent_id = w.parent_id, is_active = w.is_active, agency = w.agency,
           head_position = w.head_position
    FROM   unit_version w
    WHERE  u.id = which AND w.unit_id = u.id AND upper_inf(w.valid);
    SET CONSTRAINTS unit_version_no_overlap, unit_version_one_root IMMEDIATE;
    PERFORM set_config('asnd.unit_writing', '', true);
    PERFORM unit_way_refresh(ARRAY[which]);
END $$;
COMMENT ON FUNCTION unit_change_past(uuid, jsonb, date, jsonb) IS 'Tells members of a unit for a day before its last version began. patch: members of unit_version; the tree is locked.';

CREATE FUNCTION unit_change(which uuid, told jsonb, units ltree[], seen int8multirange, by_key uuid, by_name text) RETURNS SETOF unit_answer
LANGUAGE plpgsql AS $$
DECLARE
    act    jsonb := unit_act(told, by_key, by_name);
    day    date := (act ->> 'day')::date;
    patch  jsonb := told - '{effective_on,decree_number,decree_date,reason}'::text[];
    cur    unit;
    want   unit;
    began  date;
    answer unit_answer;
BEGIN
    -- A move waits for the tree before it takes its row. So does a new code, for it may be what an import is about to make.
    IF told ?| '{parent_id,effective_on,is_active,agency}' THEN
        PERFORM pg_advisory_xact_lock(1918, 1);
    ELSIF told ? 'code' THEN
        PERFORM pg_advisory_xact_lock_shared(1918, 1);
    END IF;
    SELECT u.* INTO cur FROM unit u WHERE u.id = which AND u.path <@ ANY (units) FOR UPDATE;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    want := jsonb_populate_record(cur, patch);
    SELECT max(lower(v.valid)) INTO began FROM unit_version v WHERE v.unit_id = which;
    IF NOT seen @> cur.version THEN
        answer.problem := 'version-stale';
    ELSIF day > local_today() THEN
        answer := ('day-ahead', '/effective_on', day, NULL, NULL)::unit_answer;
    ELSIF cur.closed_on IS NOT NULL AND NOT want.is_active THEN
        answer := ('unit-closed', '', NULL, unit_heir(which, units), NULL)::unit_answer;
    ELSIF day < cur.closed_on THEN
        answer := ('unit-order', '/effective_on', cur.closed_on, NULL, NULL)::unit_answer;
    ELSIF want.parent_id IS DISTINCT FROM cur.parent_id OR cur.closed_on IS NOT NULL AND want.parent_id IS NOT NULL THEN
        answer := unit_above_fault(want.parent_id, units);
    END IF;
    IF answer.problem IS NOT NULL THEN
        RETURN NEXT answer;
        RETURN;
    END IF;
    IF day < began THEN
        PERFORM unit_change_past(which, patch, day, act);
    ELSE
        PERFORM set_config('asnd.unit_writing', 'on', true);
        UPDATE unit u
        SET    code = want.code, name = want.name, kind = want.kind, parent_id = want.parent_id, is_active = want.is_active, agency = want.agency,
               head_position = want.head_position, closed_on = NULL, successor_id = NULL, closing = NULL
        WHERE  u.id = which;
        PERFORM unit_follow(ARRAY[which], ARRAY[act]);
    END IF;
    SELECT u INTO answer.rec FROM unit u WHERE u.id = which;
    RETURN NEXT answer;
END $$;
COMMENT ON FUNCTION unit_change(uuid, jsonb, ltree[], int8multirange, uuid, text) IS
    'Changes, moves or (is_active of a closed one) opens a unit again, as UnitPatch of openapi.yaml tells it. No row: there is none in these units.';

-- ── what a new organisation does ─────────────────────────────────────────────────────────────────────────────────────────

CREATE TYPE unit_reform AS (problem text, pointer text, value text, suggestion text, unit_id uuid, people integer, children integer, posts integer);
COMMENT ON TYPE unit_reform IS 'What became of it: a problem of the catalogue with its place, or the unit that took over and how much went there.';

CREATE FUNCTION unit_staff(which uuid, day date) RETURNS uuid[]
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN ARRAY(SELECT h.asn_id FROM history h
                 WHERE  h.kind = 'placement' AND NOT h.is_void AND h.facts ->> 'unit_id' = which::text AND coalesce(upper(h.valid) > day, true)
                 UNION
                 SELECT a.id FROM asn a WHERE a.unit_id = which);
END $$;
COMMENT ON FUNCTION unit_staff(uuid, date) IS 'Who is in a unit on that day, or comes into it later.';

-- Whoever puts people elsewhere has their rows before the unit's: so the people come first, and then those who came meanwhile.
CREATE FUNCTION unit_await_reform(sources uuid[], target uuid, day date) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(1918, 1);
    FOR again IN 1 .. 2 LOOP
        PERFORM FROM asn a WHERE a.id IN (SELECT unnest(unit_staff(s.id, day)) FROM unnest(sources) AS s (id)) ORDER BY a.nip FOR NO KEY UPDATE;
        PERFORM FROM unit u WHERE u.id = ANY (sources || target) ORDER BY u.id FOR NO KEY UPDATE;
    END LOOP;
END $$;
COMMENT ON FUNCTION unit_await_reform(uuid[], uuid, date) IS 'Locks the tree, these units, and the people of the sources.';

CREATE FUNCTION unit_hand_people(giver uuid, taker uuid, people uuid[], day date, act jsonb) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    IF people = '{}' THEN
        RETURN;
    END IF;
    UPDATE history h
    SET    facts = h.facts || jsonb_build_object('unit_id', taker), reason = coalesce(act ->> 'reason', 'the unit was reorganised'),
           actor_key = (act ->> 'actor_key')::uuid, actor_name = act ->> 'actor_name'
    WHERE  h.asn_id = ANY (people) AND h.kind = 'placement' AND NOT h.is_void AND h.facts ->> 'unit_id' = giver::text AND h.starts >= day;
    WITH present AS MATERIALIZED (
        SELECT p.id AS asn_id, h.id, h.starts, h.ends, h.valid, h.facts
        FROM   unnest(people) AS p (id)
        LEFT   JOIN history h ON h.asn_id = p.id AND h.kind = 'placement' AND NOT h.is_void AND h.valid @> day
        WHERE  h.facts ->> 'unit_id' = giver::text
               OR EXISTS (SELECT FROM asn a WHERE a.id = p.id AND a.unit_id = giver) -- the record alone says so
                  AND NOT EXISTS (SELECT FROM history n WHERE n.asn_id = p.id AND n.kind = 'placement' AND NOT n.is_void AND n.valid @> local_today())
    ), shortened AS (
        UPDATE history h
        SET    ends = day, valid = daterange(h.starts, day), reason = coalesce(act ->> 'reason', 'the unit was reorganised'),
               actor_key = (act ->> 'actor_key')::uuid, actor_name = act ->> 'actor_name'
        FROM   present p
        WHERE  h.id = p.id AND h.ends IS NOT NULL AND p.facts ->> 'unit_id' = giver::text
    )
    INSERT INTO history (asn_id, kind, starts, ends, valid, facts, decree_number, decree_date, note, actor_key, actor_name)
    SELECT p.asn_id, 'placement', day, CASE WHEN p.facts ->> 'unit_id' = giver::text THEN p.ends END,
           daterange(day, CASE WHEN p.facts ->> 'unit_id' = giver::text THEN upper(p.valid)
                               ELSE (SELECT min(n.starts) FROM history n
                                     WHERE  n.asn_id = p.asn_id AND n.kind = 'placement' AND NOT n.is_void AND n.starts > day) END),
           jsonb_build_object('unit_id', taker), act ->> 'decree_number', (act ->> 'decree_date')::date, act ->> 'reason', (act ->> 'actor_key')::uuid,
           act ->> 'actor_name'
    FROM   present p
    ORDER  BY p.asn_id;
    SET CONSTRAINTS history_no_overlap DEFERRED;
    PERFORM history_settle(people);
END $$;
COMMENT ON FUNCTION unit_hand_people(uuid, uuid, uuid[], date, jsonb) IS
    'Places these people of one unit in another from that day on: with the decree, and also where a later row said the old unit.';

CREATE FUNCTION unit_hand_posts(giver uuid, taker uuid, which uuid[]) RETURNS integer
LANGUAGE plpgsql AS $$
DECLARE
    ret integer;
BEGIN
    SELECT count(*) INTO ret FROM post p WHERE p.unit_id = giver AND (which IS NULL OR p.id = ANY (which));
    UPDATE post t SET posts = t.posts + s.posts FROM post s
    WHERE  t.unit_id = taker AND s.unit_id = giver AND (which IS NULL OR s.id = ANY (which))
           AND (t.position_kind, t.position_key) = (s.position_kind, s.position_key);
    DELETE FROM post s USING post t
    WHERE  t.unit_id = taker AND s.unit_id = giver AND (which IS NULL OR s.id = ANY (which))
           AND (t.position_kind, t.position_key) = (s.position_kind, s.position_key);
    UPDATE post p SET unit_id = taker WHERE p.unit_id = giver AND (which IS NULL OR p.id = ANY (which));
    RETURN ret;
END $$;
COMMENT ON FUNCTION unit_hand_posts(uuid, uuid, uuid[]) IS 'Brings posts of one unit (null: all) into the map of another; of the same position they are added up. How many rows these were.';

-- What would be told for a day that lies before what is known already; value: which unit.
CREATE FUNCTION unit_order_fault(units uuid[], day date) RETURNS unit_reform
LANGUAGE plpgsql STABLE AS $$
DECLARE
    ret unit_reform;
BEGIN
    IF day > local_today() THEN
        ret.problem := 'day-ahead'; ret.pointer := '/effective_on'; ret.value := day;
        RETURN ret;
    END IF;
    SELECT 'unit-order', '/effective_on', v.unit_id INTO ret.problem, ret.pointer, ret.value
    FROM   unit_version v WHERE v.unit_id = ANY (units) AND lower(v.valid) > day ORDER BY v.unit_id LIMIT 1;
    RETURN ret;
END $$;
COMMENT ON FUNCTION unit_order_fault(uuid[], date) IS 'A day to come, or one after which something of these units is known to have changed.';

CREATE FUNCTION unit_target_fault(target uuid, pointer text, units ltree[], day date) RETURNS unit_reform
LANGUAGE plpgsql STABLE AS $$
DECLARE
    ret unit_reform;
    t   unit;
BEGIN
    SELECT u.* INTO t FROM unit u WHERE u.id = target AND u.path <@ ANY (units);
    ret.problem := CASE WHEN NOT FOUND THEN 'reference-missing' WHEN t.closed_on IS NOT NULL THEN 'unit-closed' WHEN NOT t.is_active THEN 'unit-inactive'
                        WHEN NOT EXISTS (SELECT FROM unit_version v WHERE v.unit_id = target AND v.valid @> day) THEN 'unit-absent' END;
    IF ret.problem IS NOT NULL THEN
        ret.pointer := unit_target_fault.pointer;
        ret.value := target;
        ret.suggestion := CASE ret.problem WHEN 'unit-closed' THEN unit_heir(target, units)::text END;
    END IF;
    RETURN ret;
END $$;
COMMENT ON FUNCTION unit_target_fault(uuid, text, ltree[], date) IS 'Why a unit cannot take over on that day.';

-- giver: locked and found, not closed. taker null: nothing goes over, for nothing is there any more.
CREATE FUNCTION unit_end(giver uuid, taker uuid, act jsonb, INOUT told unit_reform)
LANGUAGE plpgsql AS $$
DECLARE
    day      date := (act ->> 'day')::date;
    staff    uuid[] := CASE WHEN taker IS NOT NULL THEN unit_staff(giver, day) ELSE '{}' END;
    children integer := 0;
BEGIN
    PERFORM set_config('asnd.unit_act', act::text, true);
    IF taker IS NOT NULL THEN
        UPDATE unit u SET parent_id = taker WHERE u.parent_id = giver AND u.closed_on IS NULL;
        GET DIAGNOSTICS children = ROW_COUNT;
        PERFORM unit_hand_people(giver, taker, staff, day, act);
    END IF;
    told.people := coalesce(told.people, 0) + cardinality(staff);
    told.children := coalesce(told.children, 0) + children;
    told.posts := coalesce(told.posts, 0) + CASE WHEN taker IS NOT NULL THEN unit_hand_posts(giver, taker, NULL) ELSE 0 END;
    UPDATE unit u
    SET    is_active = false, closed_on = day, successor_id = taker,
           closing = jsonb_build_object('decree_number', act -> 'decree_number', 'decree_date', act -> 'decree_date', 'reason', act -> 'reason',
                                        'actor_name', act -> 'actor_name')
    WHERE  u.id = giver;
    PERFORM set_config('asnd.unit_act', '', true);
END $$;
COMMENT ON FUNCTION unit_end(uuid, uuid, jsonb, unit_reform) IS 'Closes a unit that was judged, and hands what is in it to its successor.';

CREATE FUNCTION unit_close(which uuid, told jsonb, units ltree[], by_key uuid, by_name text) RETURNS SETOF unit_reform
LANGUAGE plpgsql AS $$
DECLARE
    act      jsonb := unit_act(told, by_key, by_name);
    day      date := (act ->> 'day')::date;
    heir     uuid := (told ->> 'successor_id')::uuid;
    me       unit;
    children uuid[];
    n_people bigint;
    answer   unit_reform;
BEGIN
    PERFORM unit_await_reform(ARRAY[which], heir, day);
    SELECT u.* INTO me FROM unit u WHERE u.id = which AND u.path <@ ANY (units);
    IF NOT FOUND THEN
        RETURN;
    END IF;
    children := ARRAY(SELECT u.id FROM unit u WHERE u.parent_id = which AND u.closed_on IS NULL);
    answer := unit_order_fault(which || children, day);
    IF me.closed_on IS NOT NULL THEN
        answer.problem := 'unit-closed'; answer.pointer := ''; answer.suggestion := unit_heir(which, units);
    ELSIF answer.problem IS NULL AND heir IS NOT NULL THEN
        answer := unit_target_fault(heir, '/successor_id', units, day);
        IF answer.problem IS NULL AND EXISTS (SELECT FROM unit u WHERE u.id = heir AND u.path <@ me.path) THEN
            answer.problem := CASE heir WHEN which THEN 'merge-self' ELSE 'unit-cycle' END; answer.pointer := '/successor_id'; answer.value := heir;
        END IF;
    ELSIF answer.problem IS NULL THEN
        SELECT count(*) INTO n_people
        FROM   asn a WHERE a.id = ANY (unit_staff(which, day)) AND a.legal_status IN (SELECT e.code FROM employed_status e);
        IF n_people > 0 OR children <> '{}' THEN
            answer.problem := 'unit-not-empty'; answer.pointer := '/successor_id';
            answer.value := format('people: %s, units: %s', n_people, cardinality(children));
        END IF;
    END IF;
    IF answer.problem IS NULL THEN
        answer := unit_end(which, heir, act, answer);
        answer.unit_id := heir;
    END IF;
    RETURN NEXT answer;
END $$;
COMMENT ON FUNCTION unit_close(uuid, jsonb, ltree[], uuid, text) IS
    'Closes a unit, as UnitClosing of openapi.yaml tells it. Who has left the staff may stay in it; others, and units below, only go to a successor. No row: there is none in these units.';

CREATE FUNCTION unit_merge(which uuid, told jsonb, units ltree[], by_key uuid, by_name text) RETURNS SETOF unit_reform
LANGUAGE plpgsql AS $$
DECLARE
    act     jsonb := unit_act(told, by_key, by_name);
    day     date := (act ->> 'day')::date;
    sources uuid[] := ARRAY(SELECT s::uuid FROM jsonb_array_elements_text(told -> 'sources') AS s);
    answer  unit_reform;
    me      unit;
BEGIN
    PERFORM unit_await_reform(sources, which, day);
    SELECT u.* INTO me FROM unit u WHERE u.id = which AND u.path <@ ANY (units);
    IF NOT FOUND THEN
        RETURN;
    END IF;
    answer := unit_target_fault(which, '', units, day);
    IF answer.problem IS NULL THEN
        SELECT f.problem, '/sources/' || f.place - 1, f.id, CASE f.problem WHEN 'unit-closed' THEN unit_heir(f.id, units)::text END
        INTO   answer.problem, answer.pointer, answer.value, answer.suggestion
        FROM  (SELECT s.place, s.id,
                      CASE WHEN u.id IS NULL THEN 'reference-missing' WHEN s.id = which OR s.place > array_position(sources, s.id) THEN 'merge-self'
                           WHEN u.closed_on IS NOT NULL THEN 'unit-closed' WHEN me.path <@ u.path THEN 'unit-cycle' END AS problem
               FROM   unnest(sources) WITH ORDINALITY AS s (id, place) LEFT JOIN unit u ON u.id = s.id AND u.path <@ ANY (units)) f
        WHERE  f.problem IS NOT NULL ORDER BY f.place LIMIT 1;
    END IF;
    IF answer.problem IS NULL THEN
        answer := unit_order_fault(sources || ARRAY(SELECT u.id FROM unit u WHERE u.parent_id = ANY (sources) AND u.closed_on IS NULL), day);
    END IF;
    IF answer.problem IS NULL THEN
        -- The deepest first: one may stand below another.
        FOR me IN SELECT u.* FROM unit u WHERE u.id = ANY (sources) ORDER BY u.depth DESC, u.id LOOP
            answer := unit_end(me.id, which, act, answer);
        END LOOP;
        answer.unit_id := which;
    END IF;
    RETURN NEXT answer;
END $$;
COMMENT ON FUNCTION unit_merge(uuid, jsonb, ltree[], uuid, text) IS
    'Merges the sources of UnitMerging of openapi.yaml into a unit. No row: there is none in these units.';

CREATE FUNCTION unit_split(which uuid, fresh uuid, told jsonb, units ltree[], by_key uuid, by_name text) RETURNS SETOF unit_reform
LANGUAGE plpgsql AS $$
DECLARE
    act      jsonb := unit_act(told, by_key, by_name);
    day      date := (act ->> 'day')::date;
    made     unit_answer;
    me       unit;
    children uuid[] := ARRAY(SELECT s::uuid FROM jsonb_array_elements_text(coalesce(told -> 'children', '[]')) AS s);
    posts    uuid[] := ARRAY(SELECT s::uuid FROM jsonb_array_elements_text(coalesce(told -> 'posts', '[]')) AS s);
    numbers  text[] := ARRAY(SELECT jsonb_array_elements_text(coalesce(told -> 'people', '[]')));
    people   uuid[];
    answer   unit_reform;
BEGIN
    PERFORM unit_await_reform(ARRAY[which], NULL, day);
    SELECT u.* INTO me FROM unit u WHERE u.id = which AND u.path <@ ANY (units);
    IF NOT FOUND THEN
        RETURN;
    END IF;
    IF me.closed_on IS NOT NULL THEN
        answer.problem := 'unit-closed'; answer.pointer := ''; answer.suggestion := unit_heir(which, units);
        RETURN NEXT answer;
        RETURN;
    END IF;
    SELECT 'reference-missing', f.pointer, f.value INTO answer.problem, answer.pointer, answer.value
    FROM  (SELECT '/children/' || s.place - 1 AS pointer, s.id::text AS value, 1 AS list, s.place
           FROM   unnest(children) WITH ORDINALITY AS s (id, place)
           WHERE  NOT EXISTS (SELECT FROM unit u WHERE u.id = s.id AND u.parent_id = which AND u.closed_on IS NULL)
           UNION  ALL
           SELECT '/people/' || s.place - 1, s.nip, 2, s.place
           FROM   unnest(numbers) WITH ORDINALITY AS s (nip, place)
           WHERE  NOT EXISTS (SELECT FROM asn a WHERE a.id = asn_of_nip(s.nip) AND a.unit_id = which)
           UNION  ALL
           SELECT '/posts/' || s.place - 1, s.id::text, 3, s.place
           FROM   unnest(posts) WITH ORDINALITY AS s (id, place)
           WHERE  NOT EXISTS (SELECT FROM post p WHERE p.id = s.id AND p.unit_id = which)) f
    ORDER  BY f.list, f.place LIMIT 1;
    IF answer.problem IS NULL THEN
        answer := unit_order_fault(children || which, day);
    END IF;
    IF answer.problem IS NULL THEN
        SELECT m.* INTO made
        FROM   unit_make(fresh, CASE WHEN told ? 'parent_id' THEN told ELSE told || jsonb_build_object('parent_id', me.parent_id) END, units, by_key, by_name) m;
        answer := (made.problem, made.pointer, made.value, made.suggestion, fresh, 0, 0, 0)::unit_reform;
    END IF;
    IF answer.problem IS NULL THEN
        people := ARRAY(SELECT DISTINCT asn_of_nip(n) FROM unnest(numbers) AS n);
        PERFORM set_config('asnd.unit_act', act::text, true);
        UPDATE unit u SET parent_id = fresh WHERE u.id = ANY (children);
        PERFORM set_config('asnd.unit_act', '', true);
        PERFORM unit_hand_people(which, fresh, people, day, act);
        answer.people := cardinality(people);
        answer.children := cardinality(children);
        answer.posts := unit_hand_posts(which, fresh, posts);
    END IF;
    RETURN NEXT answer;
END $$;
COMMENT ON FUNCTION unit_split(uuid, uuid, jsonb, ltree[], uuid, text) IS
    'Makes a new unit and brings units, people and posts of another into it, as UnitSplitting of openapi.yaml tells it. No row: there is none in these units.';

-- ── what other systems call it ───────────────────────────────────────────────────────────────────────────────────────────

CREATE TABLE unit_external_id (
    id         uuid        CONSTRAINT unit_external_id_pkey PRIMARY KEY DEFAULT uuid_v7(),
    unit_id    uuid        NOT NULL CONSTRAINT unit_external_id_unit_fkey REFERENCES unit ON DELETE CASCADE,
    system     text COLLATE "C" NOT NULL CONSTRAINT unit_external_id_system_form CHECK (system ~ '^[a-z0-9][a-z0-9._-]{0,39}$'),
    value      text COLLATE "C" NOT NULL CONSTRAINT unit_external_id_value_length CHECK (length(value) BETWEEN 1 AND 200),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT unit_external_id_one_key UNIQUE (unit_id, system),
    CONSTRAINT unit_external_id_value_key UNIQUE (system, value)
);
COMMENT ON TABLE unit_external_id IS 'Ids of units in other systems (the unor id of SIASN): one unit one id in a system, and one id one unit.';
COMMENT ON COLUMN unit_external_id.id IS 'UUIDv7';
COMMENT ON COLUMN unit_external_id.unit_id IS 'unit.id';
COMMENT ON COLUMN unit_external_id.system IS 'The other system, as its integrator calls it: siasn';
COMMENT ON COLUMN unit_external_id.value IS 'What it calls the unit';
COMMENT ON COLUMN unit_external_id.updated_at IS 'Last change';

-- The index finds whose name is like it; among those the unit above tells one Subbagian Umum from the other.
CREATE FUNCTION unit_likely(their_name text, their_parent text, units ltree[]) RETURNS TABLE (unit_id uuid, name_score numeric, parent_score numeric, score numeric)
LANGUAGE plpgsql VOLATILE ROWS 3 AS $$
DECLARE
    wanted text := name_key(their_name);
    above  text := name_key(their_parent);
BEGIN
    PERFORM set_config('pg_trgm.similarity_threshold', '0.4', true);
    RETURN QUERY
    SELECT f.id, f.own, f.upper, f.both
    FROM  (SELECT u.id, u.code, s.own, s.upper, round(CASE WHEN s.upper IS NULL THEN s.own ELSE s.own * 0.7 + s.upper * 0.3 END, 2) AS both
           FROM   unit u
           LEFT   JOIN unit p ON p.id = u.parent_id
           CROSS  JOIN LATERAL (SELECT round(similarity(u.name_key, wanted)::numeric, 2) AS own, round(similarity(p.name_key, above)::numeric, 2) AS upper) s
           WHERE  u.name_key % wanted AND u.closed_on IS NULL AND u.path <@ ANY (units)) f
    ORDER  BY f.both DESC, f.own DESC, f.code
    LIMIT  3;
END $$;
COMMENT ON FUNCTION unit_likely(text, text, ltree[]) IS
    'The three units of these that a name, below one of that name, most likely means; 0 to 1. Seven parts of ten for the name, three for the one above, where both are told.';
