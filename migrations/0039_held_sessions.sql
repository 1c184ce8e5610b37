-- A session that people went through to the end has been held: it is not cancelled, and its days, its timetable and the hours that it is worth stay.
-- A wrong result goes back, with a reason. docs/training.md.

ALTER TABLE session ADD COLUMN held_jp integer CONSTRAINT session_held_jp_range CHECK (held_jp BETWEEN 1 AND 2000);
COMMENT ON COLUMN session.held_jp IS
    'programme.jp as it was when the first of its people went through to the end, which is what it is worth to all of them; null: nobody has';
ALTER TABLE session DISABLE TRIGGER USER;
UPDATE session s
SET    held_jp = p.jp
FROM   programme p
WHERE  p.id = s.programme_id AND EXISTS (SELECT FROM enrolment e WHERE e.session_id = s.id AND effect_took_part(e.state));
ALTER TABLE session ENABLE TRIGGER USER;

-- ── what was held ────────────────────────────────────────────────────────────────────────────────────────────────────────

CREATE FUNCTION session_hold(which uuid) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM session s WHERE s.id = which AND s.state = 'cancelled';
    IF FOUND THEN
        RAISE EXCEPTION 'nobody goes through a cancelled session' USING ERRCODE = 'P0001', CONSTRAINT = 'enrolment_session_open';
    END IF;
    UPDATE session s SET held_jp = p.jp FROM programme p WHERE s.id = which AND p.id = s.programme_id AND s.held_jp IS NULL;
END $$;
COMMENT ON FUNCTION session_hold(uuid) IS 'The first who goes through a session to the end makes it held, at the hours that its programme is worth then.';

CREATE FUNCTION enrolment_hold() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM session_hold(NEW.session_id);
    RETURN NULL;
END $$;
COMMENT ON FUNCTION enrolment_hold() IS 'session_hold() for whatever takes the step.';
CREATE TRIGGER enrolment_24_hold AFTER UPDATE OF state ON enrolment FOR EACH ROW
    WHEN (effect_took_part(NEW.state) AND NOT effect_took_part(OLD.state)) EXECUTE FUNCTION enrolment_hold();

CREATE OR REPLACE FUNCTION session_change() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.state = 'cancelled' AND (NEW.state, NEW.starts_on, NEW.ends_on, NEW.capacity)
                                   IS DISTINCT FROM (OLD.state, OLD.starts_on, OLD.ends_on, OLD.capacity) THEN
        RAISE EXCEPTION 'cancelled for good' USING ERRCODE = 'P0001', CONSTRAINT = 'session_cancelled';
    END IF;
    IF OLD.held_jp IS NOT NULL AND (NEW.state, NEW.programme_id, NEW.starts_on, NEW.ends_on, NEW.held_jp)
                                   IS DISTINCT FROM (OLD.state, OLD.programme_id, OLD.starts_on, OLD.ends_on, OLD.held_jp) THEN
        RAISE EXCEPTION 'people went through it' USING ERRCODE = 'P0001', CONSTRAINT = 'session_held';
    END IF;
    IF NEW.starts_on > OLD.starts_on OR NEW.ends_on < OLD.ends_on THEN
        PERFORM FROM attendance a WHERE a.session_id = NEW.id AND a.day NOT BETWEEN NEW.starts_on AND NEW.ends_on;
        IF FOUND THEN
            RAISE EXCEPTION 'attendance was noted on other days' USING ERRCODE = 'P0001', CONSTRAINT = 'session_attended';
        END IF;
        PERFORM FROM session_day d WHERE d.session_id = NEW.id AND d.day NOT BETWEEN NEW.starts_on AND NEW.ends_on;
        IF FOUND THEN
            RAISE EXCEPTION 'the timetable has other days' USING ERRCODE = 'P0001', CONSTRAINT = 'session_timetable';
        END IF;
    END IF;
    RETURN NEW;
END $$;
COMMENT ON FUNCTION session_change() IS
    'A cancelled session does not come back, one that was held stays as it was, and none moves away from under its timetable or the attendance that was noted.';
DROP TRIGGER session_10_change ON session;
CREATE TRIGGER session_10_change BEFORE UPDATE OF state, starts_on, ends_on, capacity, programme_id, held_jp ON session
    FOR EACH ROW EXECUTE FUNCTION session_change();

CREATE FUNCTION session_kept() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'people went through it' USING ERRCODE = 'P0001', CONSTRAINT = 'session_held';
END $$;
COMMENT ON FUNCTION session_kept() IS 'A session that was held is not deleted.';
CREATE TRIGGER session_10_keep BEFORE DELETE ON session FOR EACH ROW WHEN (OLD.held_jp IS NOT NULL) EXECUTE FUNCTION session_kept();

CREATE FUNCTION session_day_kept() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM session s
    WHERE  s.id IN (CASE WHEN TG_OP <> 'INSERT' THEN OLD.session_id END, CASE WHEN TG_OP <> 'DELETE' THEN NEW.session_id END) AND s.held_jp IS NOT NULL;
    IF FOUND THEN
        RAISE EXCEPTION 'people went through it' USING ERRCODE = 'P0001', CONSTRAINT = 'session_held';
    END IF;
    RETURN coalesce(NEW, OLD);
END $$;
COMMENT ON FUNCTION session_day_kept() IS 'By the timetable attendance was weighed: of a session that was held it stays.';
CREATE TRIGGER session_day_10_keep BEFORE INSERT OR UPDATE OR DELETE ON session_day FOR EACH ROW EXECUTE FUNCTION session_day_kept();

CREATE FUNCTION programme_kept() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM session s WHERE s.programme_id = NEW.id AND s.held_jp IS NOT NULL;
    IF FOUND THEN
        RAISE EXCEPTION 'people went through it' USING ERRCODE = 'P0001', CONSTRAINT = 'programme_held';
    END IF;
    RETURN NEW;
END $$;
COMMENT ON FUNCTION programme_kept() IS 'The form says what the hours of everybody are worth who ever went through: it stays. Other hours (jp) hold for sessions that are held from then on.';
CREATE TRIGGER programme_12_keep BEFORE UPDATE OF form ON programme FOR EACH ROW WHEN (NEW.form <> OLD.form) EXECUTE FUNCTION programme_kept();

CREATE OR REPLACE FUNCTION session_days_set(which uuid, seen int8multirange, told jsonb) RETURNS SETOF session_answer
LANGUAGE plpgsql AS $$
DECLARE
    s     session;
    fault text;
BEGIN
    PERFORM FROM session WHERE id = which FOR UPDATE;
    SELECT * INTO s FROM session_await(which);
    IF NOT FOUND THEN
        RETURN;
    END IF;
    fault := CASE WHEN NOT seen @> s.version THEN 'version-stale' WHEN s.state = 'cancelled' THEN 'session-cancelled'
                  WHEN s.held_jp IS NOT NULL THEN 'session-held' END;
    IF fault IS NOT NULL THEN
        RETURN QUERY SELECT fault, NULL::text, NULL::text, NULL::text, NULL::text, NULL::bigint;
        RETURN;
    END IF;
    RETURN QUERY
    WITH d AS MATERIALIZED (SELECT t.n - 1 AS n, (t.d ->> 'day')::date AS day, (t.d ->> 'starts')::time AS starts, (t.d ->> 'ends')::time AS ends
                            FROM   jsonb_array_elements(told) WITH ORDINALITY AS t (d, n))
    SELECT 'session-timetable', '/days/' || d.n || CASE WHEN d.ends <= d.starts THEN '/ends' ELSE '/day' END, d.day::text, NULL::text, NULL::text, NULL::bigint
    FROM   d
    WHERE  d.day NOT BETWEEN s.starts_on AND s.ends_on OR d.ends <= d.starts
           OR EXISTS (SELECT FROM d o WHERE o.n < d.n AND o.day = d.day AND o.starts < d.ends AND d.starts < o.ends)
    ORDER  BY d.n;
    IF FOUND THEN
        RETURN;
    END IF;
    RETURN QUERY
    SELECT DISTINCT 'session-attended', '/days', a.day::text, NULL::text, NULL::text, NULL::bigint
    FROM   attendance a
    WHERE  a.session_id = which AND told <> '[]' AND a.day <> ALL (ARRAY(SELECT (d ->> 'day')::date FROM jsonb_array_elements(told) d));
    IF FOUND THEN
        RETURN;
    END IF;
    DELETE FROM session_day WHERE session_id = which;
    INSERT INTO session_day (session_id, day, starts, ends, jp)
    SELECT which, (d ->> 'day')::date, (d ->> 'starts')::time, (d ->> 'ends')::time, trunc((d ->> 'jp')::numeric)::integer FROM jsonb_array_elements(told) d;
    UPDATE enrolment e SET hours = session_hours(which) WHERE e.session_id = which;
    PERFORM attendance_weigh(which, NULL);
    UPDATE session SET title = title WHERE id = which;
    RETURN QUERY SELECT NULL::text, NULL::text, NULL::text, NULL::text, NULL::text, o.version FROM session o WHERE o.id = which;
END $$;
COMMENT ON FUNCTION session_days_set(uuid, int8multirange, jsonb) IS
    'The whole timetable of a session (SessionDaysTold of openapi.yaml). Refused where it would bring one of its people into two places at once, leave out a day on which attendance was noted, or when the session was held. No row: no such session.';

CREATE OR REPLACE FUNCTION enrolment_act(which uuid, units ltree[], next text, told_hours integer DEFAULT NULL, why text DEFAULT NULL) RETURNS SETOF enrolment_of_person
LANGUAGE plpgsql AS $$
DECLARE
    present text;
    place   uuid;
BEGIN
    SELECT w.id INTO place FROM session_await((SELECT e.session_id FROM enrolment e WHERE e.id = which)) w;
    SELECT e.state INTO present FROM enrolment_of_person e WHERE e.id = which AND e.unit_path <@ ANY (units);
    IF NOT FOUND THEN
        RETURN;
    END IF;
    IF present = next THEN -- said twice: an order of states has no loops
        RAISE EXCEPTION 'already %', next USING ERRCODE = 'P0001', CONSTRAINT = 'enrolment_state_order';
    END IF;
    IF effect_took_part(next) AND NOT effect_took_part(present) AND enrolment_may_become(present, next) THEN
        PERFORM session_hold(place);
    END IF;
    UPDATE enrolment e
    SET    state = next, reason = why,
           jp = CASE WHEN next = 'passed' OR next = 'completed' AND p.attendance_only AND enrolment_verdict(e) ->> 'verdict' IN ('passed', 'free')
                     THEN coalesce(told_hours, e.jp, s.held_jp, p.jp)
                     WHEN next IN ('certified', 'synced') THEN e.jp END
    FROM   session s JOIN programme p ON p.id = s.programme_id
    WHERE  e.id = which AND s.id = e.session_id;
    RETURN QUERY SELECT * FROM enrolment_of_person e WHERE e.id = which;
END $$;
COMMENT ON FUNCTION enrolment_act(uuid, ltree[], text, integer, text) IS
    'Takes an enrolment of one of the units to its next state; told_hours: JP gained, else those of the session as it was held. No row: there is none in these units.';

CREATE OR REPLACE FUNCTION enrolment_warned(person asn, s session, p programme) RETURNS TABLE (warning text, fact text)
LANGUAGE plpgsql STABLE AS $$
DECLARE
    worth integer := coalesce(s.held_jp, p.jp);
BEGIN
    RETURN QUERY
    SELECT 'on-leave', h.starts || coalesce(' – ' || (upper(h.valid) - 1), ' –')
    FROM   history h
    WHERE  h.asn_id = person.id AND h.kind = 'leave' AND NOT h.is_void AND h.valid && daterange(s.starts_on, s.ends_on, '[]')
    ORDER  BY h.starts LIMIT 1;
    IF person.kind = 'CPNS' AND NOT p.for_cpns THEN
        RETURN QUERY SELECT 'cpns-only-latsar', p.code;
    END IF;
    IF session_exceeds_days(s.id, worth) THEN
        RETURN QUERY SELECT 'jp-per-day', worth::text;
    END IF;
END $$;

-- ── a wrong result goes back ─────────────────────────────────────────────────────────────────────────────────────────────

-- To completed, from where the right one is decided; who was certified goes back to passed first, when the certificate is revoked.
INSERT INTO enrolment_transition VALUES
    ('failed', 'completed', 'training.write', true), ('passed', 'completed', 'training.write', true);

CREATE FUNCTION enrolment_correct() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM asn a WHERE a.id = NEW.asn_id FOR NO KEY UPDATE;
    PERFORM FROM handover h WHERE h.enrolment_id = NEW.id AND h.state = 'sent';
    IF FOUND THEN
        RAISE EXCEPTION 'BKN has been sent the result' USING ERRCODE = 'P0001', CONSTRAINT = 'enrolment_handed_over';
    END IF;
    RETURN NEW;
END $$;
COMMENT ON FUNCTION enrolment_correct() IS 'A result that is on its way to BKN is not taken back before its answer is reported; the person''s lock comes first, as of who sends.';
CREATE TRIGGER enrolment_11_correct BEFORE UPDATE OF state ON enrolment FOR EACH ROW
    WHEN (OLD.state = 'passed' AND NEW.state = 'completed') EXECUTE FUNCTION enrolment_correct();

CREATE OR REPLACE VIEW learning_source AS
SELECT e.asn_id, 'enrolment' AS source, e.id AS source_id, lower(e.days) AS first_day, upper(e.days) - 1 AS last_day, p.form, p.name, p.organiser,
       NULL::text AS certificate_number, coalesce(t.is_abroad, false) AS is_abroad,
       coalesce(t.amount, CASE WHEN r.facts ->> 'counted_by' = 'hari' THEN upper(e.days) - lower(e.days) ELSE 1 END) AS amount,
       NULL::integer AS minutes, coalesce(e.jp, s.held_jp, p.jp)::numeric AS told_jp, e.jp IS NULL AS is_forecast, r.facts AS form_facts, r.name AS form_name
FROM   enrolment e
JOIN   session s ON s.id = e.session_id
JOIN   programme p ON p.id = s.programme_id
LEFT   JOIN session_term t ON t.session_id = s.id
LEFT   JOIN reference r ON r.list = 'training-form' AND r.code = p.form AND r.valid @> upper(e.days) - 1
WHERE  e.jp IS NOT NULL OR e.state IN ('approved', 'attending', 'completed')
UNION ALL
SELECT h.asn_id, 'course', h.id, h.starts, w.last_day, h.facts ->> 'form', h.facts ->> 'name', h.facts ->> 'organiser', h.facts ->> 'certificate_number',
       coalesce((h.facts ->> 'is_abroad')::boolean, false),
       coalesce((h.facts ->> 'amount')::numeric, CASE WHEN r.facts ->> 'counted_by' = 'hari' AND h.ends IS NOT NULL THEN h.ends - h.starts END),
       (h.facts ->> 'minutes')::numeric::integer,
       coalesce(div((h.facts ->> 'minutes')::numeric, 45), (h.facts ->> 'jp')::numeric), false, r.facts, r.name
FROM   history h
CROSS  JOIN LATERAL (SELECT coalesce(h.ends - 1, h.starts) AS last_day) w
LEFT   JOIN reference r ON r.list = 'training-form' AND r.code = h.facts ->> 'form' AND r.valid @> w.last_day
WHERE  h.kind = 'course' AND NOT h.is_void;

SELECT audit_attach();
