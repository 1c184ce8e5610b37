-- The feed of changes: what was changed, in the order of commits, for whoever keeps a copy. Why it is made so: docs/decisions/0009-change-feed.md.

CREATE SEQUENCE change_position AS bigint;
COMMENT ON SEQUENCE change_position IS 'Places in the order of commits. One is taken by each transaction that changed something, as the last thing it does.';

CREATE TABLE change_batch (
    id       bigint      CONSTRAINT change_batch_pkey PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    position bigint      CONSTRAINT change_batch_position_key UNIQUE,
    at       timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON TABLE change_batch IS 'A transaction that changed something.';
COMMENT ON COLUMN change_batch.id IS 'Given when it changes something for the first time';
COMMENT ON COLUMN change_batch.position IS 'Its place in the order of commits; null only while it runs, which nobody else sees';
COMMENT ON COLUMN change_batch.at IS 'When it was committed';

CREATE TABLE change (
    batch       bigint NOT NULL,
    seq         bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
    entity      text   NOT NULL CONSTRAINT change_entity_known CHECK (entity IN ('unit', 'asn', 'history', 'programme', 'session', 'enrolment', 'period', 'evaluation')),
    id          uuid   NOT NULL,
    kind        text   NOT NULL CONSTRAINT change_kind_known CHECK (kind IN ('created', 'updated', 'deleted', 'moved')),
    asn_id      uuid,
    part        text,
    key         text,
    key_before  text,
    path_before ltree,
    version     bigint,
    CONSTRAINT change_pkey PRIMARY KEY (batch, seq)
);
COMMENT ON TABLE change IS 'What a transaction changed: one row for each record and statement. Forgotten by change_forget().';
COMMENT ON COLUMN change.batch IS 'change_batch.id';
COMMENT ON COLUMN change.seq IS 'Order within the transaction';
COMMENT ON COLUMN change.entity IS 'Which table';
COMMENT ON COLUMN change.id IS 'Its id there';
COMMENT ON COLUMN change.kind IS 'created, updated, deleted (a history: also annulled), moved (only seen from elsewhere: the units above it changed)';
COMMENT ON COLUMN change.asn_id IS 'The person whose unit decides who sees it; null: it is of no person';
COMMENT ON COLUMN change.part IS 'Of a history its kind';
COMMENT ON COLUMN change.key IS 'Natural key: NIP of a person, code of a unit or programme; null: it has none of its own';
COMMENT ON COLUMN change.key_before IS 'The natural key that this change replaced';
COMMENT ON COLUMN change.path_before IS 'unit.path of where it was, as it was then, if this change took it elsewhere or away';
COMMENT ON COLUMN change.version IS 'Version of the record after the change';

CREATE TABLE change_horizon (
    position bigint NOT NULL,
    is_only  boolean NOT NULL DEFAULT true CONSTRAINT change_horizon_pkey PRIMARY KEY CONSTRAINT change_horizon_is_only CHECK (is_only)
);
COMMENT ON TABLE change_horizon IS 'How far the feed was forgotten; one row.';
COMMENT ON COLUMN change_horizon.position IS 'Position of the last transaction that is forgotten; 0: none is';
COMMENT ON COLUMN change_horizon.is_only IS 'True';
INSERT INTO change_horizon VALUES (0);

-- ── writing ──────────────────────────────────────────────────────────────────────────────────────────────────────────────

CREATE FUNCTION change_lock(place bigint) RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN (19::bigint << 56) | place;
COMMENT ON FUNCTION change_lock(bigint) IS
    'The advisory lock of a transaction that takes a position later than this one: whoever looks at pg_locks knows how far nothing can come in between any more.';

CREATE FUNCTION change_open_batch() RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    batch bigint := nullif(current_setting('asnd.change_batch', true), '');
BEGIN
    IF batch IS NULL THEN
        INSERT INTO change_batch DEFAULT VALUES RETURNING id INTO batch;
        PERFORM set_config('asnd.change_batch', batch::text, true);
    END IF;
    RETURN batch;
END $$;
COMMENT ON FUNCTION change_open_batch() IS 'The row of this transaction in change_batch, made when it is asked for first.';

-- The lock comes before the position: see change_readable().
CREATE FUNCTION change_commit() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(change_lock(s.last_value)) FROM change_position s;
    UPDATE change_batch b SET position = nextval('change_position'), at = clock_timestamp() WHERE b.id = NEW.id;
    RETURN NULL;
END $$;
COMMENT ON FUNCTION change_commit() IS 'The last thing a transaction does: takes its place in the order of commits.';
CREATE CONSTRAINT TRIGGER change_batch_10_commit AFTER INSERT ON change_batch DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION change_commit();

-- Whoever moves within the tree takes along people whose own rows do not change, but who come into or out of somebody's sight.
CREATE FUNCTION change_note_carried(batch bigint, unit uuid, path_before ltree) RETURNS void
LANGUAGE sql AS $$
    INSERT INTO change (batch, entity, id, kind, asn_id, key, path_before, version)
    SELECT batch, 'asn', a.id, 'moved', a.id, a.nip, path_before, a.version FROM asn a WHERE a.unit_id = unit ORDER BY a.nip
$$;
COMMENT ON FUNCTION change_note_carried(bigint, uuid, ltree) IS 'Notes the people of a unit whose path was another.';

-- A statement is noted by one INSERT. What is joined are the two transition tables, of which the planner knows the size only the first time: a
-- nested loop that suits one row would be remembered and hold up an import (hence the setting). Rows of other tables come by sub-select.
CREATE FUNCTION change_note() RETURNS trigger
LANGUAGE plpgsql SET enable_nestloop = off AS $$
DECLARE
    batch bigint;
BEGIN
    IF NOT EXISTS (SELECT FROM entered) THEN
        RETURN NULL;
    END IF;
    batch := change_open_batch();
    IF TG_OP = 'INSERT' THEN
        CASE TG_TABLE_NAME
        WHEN 'asn' THEN
            INSERT INTO change (batch, entity, id, kind, asn_id, key, version)
            SELECT batch, 'asn', n.id, 'created', n.id, n.nip, n.version FROM entered n;
        WHEN 'history' THEN -- a new person's first histories come with the person
            INSERT INTO change (batch, entity, id, kind, asn_id, part, version)
            SELECT batch, 'history', n.id, CASE WHEN n.is_void THEN 'deleted' ELSE 'created' END, n.asn_id, n.kind, n.version
            FROM   entered n
            WHERE  (SELECT a.created_at = now() AND a.xmin = pg_current_xact_id()::xid FROM asn a WHERE a.id = n.asn_id) IS NOT TRUE;
        WHEN 'unit', 'programme' THEN
            INSERT INTO change (batch, entity, id, kind, key, version)
            SELECT batch, TG_TABLE_NAME, n.id, 'created', n.code, n.version FROM entered n;
        WHEN 'session', 'period' THEN
            INSERT INTO change (batch, entity, id, kind, version) SELECT batch, TG_TABLE_NAME, n.id, 'created', n.version FROM entered n;
        ELSE
            INSERT INTO change (batch, entity, id, kind, asn_id, version)
            SELECT batch, TG_TABLE_NAME, n.id, 'created', n.asn_id, n.version FROM entered n;
        END CASE;
        RETURN NULL;
    END IF;
    CASE TG_TABLE_NAME
    WHEN 'asn' THEN
        INSERT INTO change (batch, entity, id, kind, asn_id, key, key_before, path_before, version)
        SELECT batch, 'asn', n.id, 'updated', n.id, n.nip, nullif(o.nip, n.nip),
               CASE WHEN n.unit_id <> o.unit_id THEN (SELECT u.path FROM unit u WHERE u.id = o.unit_id) END, n.version
        FROM   entered n JOIN departed o USING (id);
    WHEN 'history' THEN
        INSERT INTO change (batch, entity, id, kind, asn_id, part, version)
        SELECT batch, 'history', n.id, CASE WHEN n.is_void THEN 'deleted' ELSE 'updated' END, n.asn_id, n.kind, n.version FROM entered n;
    WHEN 'unit' THEN
        INSERT INTO change (batch, entity, id, kind, key, key_before, path_before, version)
        SELECT batch, 'unit', n.id, CASE WHEN n.version > o.version THEN 'updated' ELSE 'moved' END, n.code, nullif(o.code, n.code),
               CASE WHEN n.path <> o.path THEN o.path END, n.version
        FROM   entered n JOIN departed o USING (id);
        PERFORM change_note_carried(batch, o.id, o.path) FROM entered n JOIN departed o USING (id) WHERE n.path <> o.path;
    WHEN 'programme' THEN
        INSERT INTO change (batch, entity, id, kind, key, key_before, version)
        SELECT batch, 'programme', n.id, 'updated', n.code, nullif(o.code, n.code), n.version FROM entered n JOIN departed o USING (id);
    WHEN 'session', 'period' THEN
        INSERT INTO change (batch, entity, id, kind, version) SELECT batch, TG_TABLE_NAME, n.id, 'updated', n.version FROM entered n;
    ELSE
        INSERT INTO change (batch, entity, id, kind, asn_id, version)
        SELECT batch, TG_TABLE_NAME, n.id, 'updated', n.asn_id, n.version FROM entered n;
    END CASE;
    RETURN NULL;
END $$;
COMMENT ON FUNCTION change_note() IS 'Notes new and changed records of a statement.';

CREATE FUNCTION change_note_gone() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
    batch bigint;
BEGIN
    IF NOT EXISTS (SELECT FROM departed) THEN
        RETURN NULL;
    END IF;
    batch := change_open_batch();
    CASE TG_TABLE_NAME
    WHEN 'asn' THEN
        INSERT INTO change (batch, entity, id, kind, asn_id, key, path_before, version)
        SELECT batch, 'asn', o.id, 'deleted', o.id, o.nip, (SELECT u.path FROM unit u WHERE u.id = o.unit_id), o.version FROM departed o;
    WHEN 'unit' THEN
        INSERT INTO change (batch, entity, id, kind, key, path_before, version)
        SELECT batch, 'unit', o.id, 'deleted', o.code, o.path, o.version FROM departed o;
    WHEN 'programme' THEN
        INSERT INTO change (batch, entity, id, kind, key, version) SELECT batch, 'programme', o.id, 'deleted', o.code, o.version FROM departed o;
    WHEN 'session', 'period' THEN
        INSERT INTO change (batch, entity, id, kind, version) SELECT batch, TG_TABLE_NAME, o.id, 'deleted', o.version FROM departed o;
    ELSE
        INSERT INTO change (batch, entity, id, kind, asn_id, version)
        SELECT batch, TG_TABLE_NAME, o.id, 'deleted', o.asn_id, o.version FROM departed o;
    END CASE;
    RETURN NULL;
END $$;
COMMENT ON FUNCTION change_note_gone() IS 'Notes records that a statement deleted.';

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY '{asn,history,unit,programme,session,enrolment,period,evaluation}'::text[] LOOP
        EXECUTE format('CREATE TRIGGER %s_35_change_insert AFTER INSERT ON %1$I REFERENCING NEW TABLE AS entered '
                       'FOR EACH STATEMENT EXECUTE FUNCTION change_note()', name);
        EXECUTE format('CREATE TRIGGER %s_35_change_update AFTER UPDATE ON %1$I REFERENCING NEW TABLE AS entered OLD TABLE AS departed '
                       'FOR EACH STATEMENT EXECUTE FUNCTION change_note()', name);
        EXECUTE format('CREATE TRIGGER %s_35_change_delete AFTER DELETE ON %1$I REFERENCING OLD TABLE AS departed '
                       'FOR EACH STATEMENT EXECUTE FUNCTION change_note_gone()', name);
    END LOOP;
END $$;

-- ── reading ──────────────────────────────────────────────────────────────────────────────────────────────────────────────

-- Whoever has a position up to last_value took a lock with an earlier number before that. Either it still holds the lock, then what it may have is
-- beyond the answer; or it has given it up, which happens after its commit can be seen. So what comes to light later is later in the order too.
CREATE FUNCTION change_readable() RETURNS bigint
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    newest  bigint;
    running bigint;
BEGIN
    SELECT CASE WHEN s.is_called THEN s.last_value ELSE 0 END INTO newest FROM change_position s;
    SELECT min((l.classid::bigint << 32 | l.objid::bigint) - change_lock(0)) INTO running
    FROM   pg_locks l
    WHERE  l.locktype = 'advisory' AND l.objsubid = 1 AND l.granted AND l.classid::bigint BETWEEN change_lock(0) >> 32 AND change_lock(0) + (1::bigint << 48) >> 32
           AND l.database = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database());
    RETURN least(newest, running);
END $$;
COMMENT ON FUNCTION change_readable() IS
    'Up to here everything is committed and visible to the next query, and nothing will come in between any more.';

CREATE FUNCTION change_entities(scopes text[]) RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN scope_held(scopes, 'unit.read') THEN '{unit}'::text[] ELSE '{}' END
    || CASE WHEN scope_held(scopes, 'asn.read') THEN '{asn,history}'::text[] ELSE '{}' END
    || CASE WHEN scope_held(scopes, 'training.read') THEN '{programme,session,enrolment}'::text[] ELSE '{}' END
    || CASE WHEN scope_held(scopes, 'performance.read') THEN '{period,evaluation}'::text[] ELSE '{}' END;
COMMENT ON FUNCTION change_entities(text[]) IS 'Of what a caller with these scopes is told.';

CREATE FUNCTION change_told(kind text, is_ours boolean, was_ours boolean) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN kind = 'deleted' THEN CASE WHEN was_ours THEN 'deleted' END
            WHEN is_ours AND NOT was_ours THEN 'created'
            WHEN was_ours AND NOT is_ours THEN 'deleted'
            WHEN is_ours AND kind <> 'moved' THEN kind END;
COMMENT ON FUNCTION change_told(text, boolean, boolean) IS
    'What a change is to a caller who sees the record now, or saw it before the change; null: nothing. What comes into sight is new, what goes out of it is gone.';

-- The paths that the daemon knows of a key may be some seconds old, and what is told here is told once: so the units are looked up again.
-- The settings: whatever the planner believes of the tables' sizes, rows come by index in the order that is told, and as many as are asked for.
-- next: "position.seq", the transaction that is read next and how far it was read. One snapshot (STABLE), taken after `upto` was found.
CREATE FUNCTION change_page(upto bigint, newest bigint, after text, wanted text[], units ltree[], scopes text[], rows integer)
RETURNS TABLE (problem text, changes json, next text, more boolean)
LANGUAGE plpgsql STABLE SET enable_seqscan = off SET enable_bitmapscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off AS $$
DECLARE
    horizon bigint := (SELECT h.position FROM change_horizon h);
    first   bigint := coalesce(split_part(after, '.', 1)::bigint, horizon + 1);
    done    bigint := coalesce(split_part(after, '.', 2)::bigint, 0);
    shown   text[] := ARRAY(SELECT e FROM unnest(change_entities(scopes)) AS e WHERE wanted IS NULL OR e = ANY (wanted));
    sees_all boolean := ''::ltree = ANY (units);
    grants  text[] := ARRAY(SELECT ltree2text(subpath(p, -1)) FROM unnest(units) AS p WHERE nlevel(p) > 0);
    sights  ltree[] := CASE WHEN sees_all THEN units ELSE ARRAY(SELECT u.path FROM unit u WHERE u.id = ANY (grants::uuid[])) END;
    found   json[] := '{}';
    looked  integer := 0;
    b       record;
    c       record;
BEGIN
    more := false;
    IF first <= horizon OR first > newest + 1 THEN
        problem := 'changes-forgotten';
        RETURN NEXT;
        RETURN;
    END IF;
    FOR b IN SELECT t.id, t.position, t.at FROM change_batch t WHERE t.position BETWEEN first AND upto ORDER BY t.position LOOP
        FOR c IN
            SELECT m.seq,
                   CASE WHEN t.told IS NOT NULL
                        THEN json_build_object('entity', m.entity, 'kind', t.told, 'id', m.id, 'key', w.own_key, 'key_before', m.key_before, 'part', m.part,
                                               'version', m.version, 'at', b.at, 'href', change_href(m.entity, m.id, w.own_key)) END AS item
            FROM   change m
            LEFT   JOIN asn a ON a.id = m.asn_id
            LEFT   JOIN unit u ON u.id = CASE WHEN m.asn_id IS NOT NULL THEN a.unit_id WHEN m.entity = 'unit' THEN m.id END
            CROSS  JOIN LATERAL (SELECT coalesce(a.nip, m.key) AS own_key,
                                        CASE WHEN m.asn_id IS NULL AND m.entity <> 'unit' THEN true
                                             ELSE coalesce(u.path <@ ANY (sights), false) END AS is_ours
                                 OFFSET 0) w
            CROSS  JOIN LATERAL (SELECT CASE WHEN m.entity = ANY (shown) AND history_shown(coalesce(m.part, ''), scopes)
                                             THEN change_told(m.kind, w.is_ours,
                                                              CASE WHEN m.path_before IS NULL THEN w.is_ours
                                                                   ELSE sees_all OR string_to_array(ltree2text(m.path_before), '.') && grants END)
                                        END AS told
                                 OFFSET 0) t
            WHERE  m.batch = b.id AND m.seq > CASE WHEN b.position = first THEN done ELSE 0 END
            ORDER  BY m.seq
        LOOP
            looked := looked + 1;
            IF c.item IS NOT NULL THEN
                found := found || c.item;
            END IF;
            IF cardinality(found) >= rows OR looked >= 20000 THEN
                changes := array_to_json(found);
                next := b.position || '.' || c.seq;
                more := true;
                RETURN NEXT;
                RETURN;
            END IF;
        END LOOP;
    END LOOP;
    changes := array_to_json(found);
    next := CASE WHEN first > upto THEN first || '.' || done ELSE upto + 1 || '.0' END;
    RETURN NEXT;
END $$;
COMMENT ON FUNCTION change_page(bigint, bigint, text, text[], ltree[], text[], integer) IS
    'What of the feed up to a position a caller is told after `after`; null: from the oldest kept. Looks at 20,000 rows at most, so a page may be short and more true.';

CREATE FUNCTION change_href(entity text, id uuid, key text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE entity WHEN 'asn' THEN '/v1/asn/' || key
                   WHEN 'history' THEN '/v1/asn/' || key || '/history/' || id
                   ELSE '/v1/' || entity || 's/' || id END;
COMMENT ON FUNCTION change_href(text, uuid, text) IS 'Where the API has the record.';

CREATE FUNCTION change_read(after text, wanted text[], units ltree[], scopes text[], rows integer)
RETURNS TABLE (problem text, changes json, next text, more boolean, mark bigint)
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    upto bigint := change_readable();
BEGIN
    RETURN QUERY SELECT p.problem, p.changes, p.next, p.more, upto
                 FROM   (SELECT s.last_value FROM change_position s) n, change_page(upto, n.last_value, after, wanted, units, scopes, rows) p;
END $$;
COMMENT ON FUNCTION change_read(text, text[], ltree[], text[], integer) IS
    'A page of the feed; mark: how far it could be read. VOLATILE: what may be read is found out before the snapshot that reads it is taken.';

CREATE FUNCTION change_forget(days integer) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    last bigint;
BEGIN
    SELECT max(b.position) INTO last FROM change_batch b, (SELECT change_readable() AS upto OFFSET 0) r
    WHERE  b.at < now() - make_interval(days => days) AND b.position <= r.upto;
    IF last IS NULL THEN
        RETURN 0;
    END IF;
    UPDATE change_horizon h SET position = greatest(h.position, last);
    WITH old AS (DELETE FROM change_batch b WHERE b.position <= last RETURNING b.id)
    DELETE FROM change c USING old WHERE c.batch = old.id;
    RETURN last;
END $$;
COMMENT ON FUNCTION change_forget(integer) IS 'Forgets what is older than so many days; the horizon remembers up to where. Gives that position, 0: nothing was old.';

-- ── the simple one ───────────────────────────────────────────────────────────────────────────────────────────────────────

CREATE INDEX asn_updated_at_idx ON asn (updated_at);
CREATE INDEX unit_updated_at_idx ON unit (updated_at);
