-- SPDX-License-Identifier: Apache-2.0
-- Mends what newcomers and attackers found in records: a split that always failed, days that end before they begin, one row that sank a whole
-- file, and one person who kept everybody's records from being brought up to the day.

-- As before, and a row that ends before it begins is named.
CREATE OR REPLACE FUNCTION history_fault(person asn, me history) RETURNS history_answer
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
    IF me.ends <= me.starts THEN
        ret.problem := 'range-empty'; ret.pointer := '/to'; ret.value := me.ends;
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
    ELSIF me.kind = 'nip' AND NOT nip_readable(me.facts ->> 'nip', 'PPPK_PARUH_WAKTU') THEN
        ret.problem := 'invalid'; ret.pointer := '/facts/nip'; ret.value := me.facts ->> 'nip';
    ELSIF me.kind = 'nip' THEN
        SELECT 'nip-taken', '/facts/nip', me.facts ->> 'nip' INTO ret.problem, ret.pointer, ret.value
        WHERE  asn_of_nip(me.facts ->> 'nip') <> me.asn_id;
    END IF;
    RETURN ret;
END $$;
COMMENT ON FUNCTION history_fault(asn, history) IS
    'What is wrong with a row: before birth, its end not after its beginning, over another of its track (value: which), a code that its list does not hold on that day, a rank below the one before or above the one after it, CPNS after PNS, a NIP without birth and sex in it, one that is somebody else''s. Null: nothing.';

-- ── rows that the database refuses ───────────────────────────────────────────────────────────────────────────────────────

CREATE FUNCTION history_take_one(told jsonb, units ltree[], scopes text[], by_key uuid, by_name text,
                                 OUT outcome text, OUT problem text, OUT pointer text, OUT value text, OUT told_more text)
LANGUAGE plpgsql AS $$
DECLARE
    named text;
BEGIN
    SET CONSTRAINTS history_no_overlap DEFERRED;
    SELECT t.* INTO outcome, problem, pointer, value, told_more
    FROM   history_take((told ->> 'id')::uuid, told ->> 'nip', units, scopes, told -> 'entry', by_key, by_name) t;
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
    'history_take() of one row ({id, nip, entry}) and what follows from it in the record: whatever the database refuses is a fault of this row.';

CREATE FUNCTION history_take_apart(told jsonb, units ltree[], scopes text[], by_key uuid, by_name text)
RETURNS TABLE (place bigint, outcome text, problem text, pointer text, value text, told_more text)
LANGUAGE plpgsql AS $$
DECLARE
    taken jsonb;
BEGIN
    BEGIN
        SET CONSTRAINTS history_no_overlap DEFERRED;
        SELECT jsonb_agg(to_jsonb(t) || jsonb_build_object('place', r.one -> 'place')) INTO taken
        FROM   jsonb_array_elements(told) AS r (one)
        CROSS  JOIN LATERAL history_take((r.one ->> 'id')::uuid, r.one ->> 'nip', units, scopes, r.one -> 'entry', by_key, by_name) t;
        PERFORM history_settle(ARRAY[asn_of_nip(told -> 0 ->> 'nip')]);
    EXCEPTION WHEN raise_exception OR integrity_constraint_violation OR data_exception THEN
        SELECT jsonb_agg(to_jsonb(t) || jsonb_build_object('place', r.one -> 'place')) INTO taken
        FROM   jsonb_array_elements(told) AS r (one)
        CROSS  JOIN LATERAL history_take_one(r.one, units, scopes, by_key, by_name) t;
    END;
    RETURN QUERY SELECT * FROM jsonb_to_recordset(taken) AS t (place bigint, outcome text, problem text, pointer text, value text, told_more text);
END $$;
COMMENT ON FUNCTION history_take_apart(jsonb, ltree[], text[], uuid, text) IS
    'The rows of one person ([{place, id, nip, entry}]), together, for they may need each other (another kind of ASN and its rank), else one by one.';

-- ── days that have come ──────────────────────────────────────────────────────────────────────────────────────────────────

CREATE FUNCTION history_show(people uuid[]) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    learned uuid[];
BEGIN
    DELETE FROM history_ahead h WHERE h.day <= local_today() AND h.asn_id = ANY (people);
    PERFORM history_project(people);
    SELECT array_agg(DISTINCT s.asn_id) INTO learned
    FROM   learning_source s
    WHERE  s.asn_id = ANY (people) AND NOT s.is_forecast
           AND NOT EXISTS (SELECT FROM learning_entry e WHERE (e.source, e.source_id) = (s.source, s.source_id));
    IF learned IS NOT NULL THEN
        PERFORM learning_refresh(learned);
    END IF;
    RETURN true;
EXCEPTION WHEN raise_exception OR integrity_constraint_violation THEN
    RETURN false;
END $$;
COMMENT ON FUNCTION history_show(uuid[]) IS 'Brings these records and their learning hours up to today; false, and nothing done, if one of them cannot be what its rows say.';

-- As before, but a record that cannot be what its rows say waits, and the others do not wait for it.
CREATE OR REPLACE FUNCTION history_show_today() RETURNS integer
LANGUAGE plpgsql AS $$
DECLARE
    people uuid[];
    n      integer;
BEGIN
    SELECT array_agg(w.asn_id) INTO people
    FROM   (SELECT a.id AS asn_id FROM asn a WHERE a.id IN (SELECT h.asn_id FROM history_ahead h WHERE h.day <= local_today())
            ORDER  BY a.nip FOR NO KEY UPDATE) w;
    IF people IS NULL THEN
        RETURN 0;
    ELSIF history_show(people) THEN
        RETURN cardinality(people);
    END IF;
    SELECT count(*) FILTER (WHERE history_show(ARRAY[p.id])) INTO n FROM unnest(people) AS p (id);
    RAISE WARNING '% records cannot be what their histories say today: history_ahead has them', cardinality(people) - n;
    RETURN n;
END $$;
COMMENT ON FUNCTION history_show_today() IS
    'Brings the records of people up to today whose day has come; how many these are. Several may run at once: the people''s rows make them take turns. A record that refuses stays in history_ahead.';

-- ── files of people ──────────────────────────────────────────────────────────────────────────────────────────────────────

CREATE FUNCTION asn_rank_behind(which uuid, told_rank text, since date) RETURNS boolean
LANGUAGE sql STABLE PARALLEL SAFE
RETURN EXISTS (SELECT FROM history h
               WHERE  h.asn_id = which AND h.kind = 'rank' AND h.track = 'rank' AND NOT h.is_void AND h.starts <= local_today()
                      AND (h.starts > since OR since > local_today()) AND coalesce(h.ends > local_today(), true)
                      AND NOT (h.valid @> local_today() AND h.facts ->> 'rank' = told_rank));
COMMENT ON FUNCTION asn_rank_behind(uuid, text, date) IS
    'Whether history_follow() would refuse this rank of a record (history-disagrees): the histories have one that begins later, or this one begins in days to come.';

CREATE FUNCTION restriction_binds() RETURNS boolean
LANGUAGE sql STABLE PARALLEL SAFE
RETURN split_part(coalesce(current_setting('asnd.audit', true), ''), E'\t', 4) = 'bound';
COMMENT ON FUNCTION restriction_binds() IS 'Whether restriction_guard() would hold whoever writes now to the restrictions: he is not the personnel office.';

-- As before, and a rank that the kind of ASN does not have is named where the row tells it.
CREATE OR REPLACE FUNCTION history_write(which uuid, number text, units ltree[], scopes text[], entry jsonb, seen int8multirange, why text, by_key uuid,
                                         by_name text)
RETURNS SETOF history_answer
LANGUAGE plpgsql AS $$
DECLARE
    person asn;
    me     history;
    told   history;
    fault  history_answer;
    named  text;
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
    BEGIN
        SET CONSTRAINTS history_no_overlap DEFERRED;
        PERFORM history_store(told, seen IS NOT NULL, why, by_key, by_name);
        PERFORM history_settle(ARRAY[person.id]);
    EXCEPTION WHEN raise_exception THEN
        GET STACKED DIAGNOSTICS named = CONSTRAINT_NAME;
        IF named <> 'asn_rank_fkey' THEN
            RAISE;
        END IF;
        fault.problem := 'rank-unknown';
        fault.pointer := CASE told.kind WHEN 'rank' THEN '/facts/rank' WHEN 'appointment' THEN '/facts/kind' ELSE '/from' END;
        RETURN NEXT fault;
        RETURN;
    END;
    RETURN QUERY SELECT NULL::text, NULL::text, NULL::text, h FROM history_entry h WHERE h.id = which;
END $$;

-- ── what holds personal data although their time is over ─────────────────────────────────────────────────────────────────

-- As before, and what the person asks of his data, and a restriction of their processing (0061, 0064).
CREATE OR REPLACE FUNCTION retention_held(person uuid, at date) RETURNS text
LANGUAGE sql STABLE
RETURN CASE WHEN EXISTS (SELECT FROM objection o JOIN evaluation e ON e.id = o.evaluation_id WHERE e.asn_id = person AND o.state IN ('open', 'heard')) THEN 'objection'
            WHEN EXISTS (SELECT FROM history h WHERE h.asn_id = person AND h.kind = 'discipline' AND NOT h.is_void
                                 AND coalesce(upper(h.valid) > at, h.starts > retention_before('person', at))) THEN 'discipline'
            WHEN EXISTS (SELECT FROM change_request r WHERE r.asn_id = person AND r.state = 'submitted') THEN 'change-request'
            WHEN EXISTS (SELECT FROM data_request r WHERE r.asn_id = person AND r.state IN ('filed', 'in_progress')) THEN 'data-request'
            WHEN EXISTS (SELECT FROM restriction r WHERE r.asn_id = person AND (r.ends IS NULL OR r.ends > at)) THEN 'restriction' END;
COMMENT ON FUNCTION retention_held(uuid, date) IS
    'Why a person''s data must stay although the time is over: an objection that is not decided, a penalty that still runs (without an end: that began within the time of the rule), a change request or a request about the data that nobody has decided, a restriction of processing. Null: nothing holds them.';
