-- What is still to come of a training: who completed it early is in it until its last day, who leaves the service gives up his seats, hours count from the last day on. And
-- certificates whose numbers differ by noughts only are asked about. docs/training.md, docs/learning-hours.md.

-- ── completed before its last day ────────────────────────────────────────────────────────────────────────────────────────

CREATE FUNCTION enrolment_takes(state text, days daterange) RETURNS boolean
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN state IN ('waitlisted', 'offered', 'approved', 'attending') OR effect_took_part(state) AND upper(days) > local_today();
END $$;
COMMENT ON FUNCTION enrolment_takes(text, daterange) IS
    'Whether an enrolment in this state, to a session on these days, keeps its person from another one at its hours: who has gone through it is in it until its last day.';

CREATE OR REPLACE FUNCTION enrolment_faults(person asn, s session, p programme, sits boolean, at text, mine uuid DEFAULT NULL) RETURNS SETOF enrolment_answer
LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF NOT coalesce((SELECT l.in_service FROM legal_status l WHERE l.code = person.legal_status), true) THEN
        RETURN NEXT enrolment_refused('not-in-service', at, person.legal_status);
    END IF;
    IF p.prerequisites <> '[]' THEN
        RETURN QUERY
        SELECT (enrolment_refused('prerequisite', at, coalesce(f.present, '-'),
                                  format('Rule %s (%s) of %s is not met: it requires %s, the person has %s.', f.place + 1, f.rule, p.code, f.required,
                                         coalesce(f.present, 'nothing')),
                                  format('Syarat %s (%s) program %s tidak terpenuhi: diperlukan %s, pegawai ini %s.', f.place + 1, prerequisite_label(f.rule), p.code,
                                         regexp_replace(f.required, '^passed ', 'lulus '),
                                         CASE f.rule WHEN 'training' THEN coalesce(enrolment_state_label(f.present), 'belum pernah ikut') ELSE coalesce(f.present, 'tidak ada') END))).*
        FROM   prerequisite_faults(person, p.prerequisites) f;
    END IF;
    IF p."strict" <> '{}' THEN
        RETURN QUERY
        SELECT (enrolment_refused(w.warning, at, w.fact)).* FROM enrolment_warned(person, s, p) w WHERE w.warning = ANY (p."strict");
    END IF;
    IF sits THEN
        RETURN QUERY
        SELECT (enrolment_refused('session-overlap', at, e.id::text,
                                  format('The person is in “%s” of %s then (%s to %s).', o.title, q.code, o.starts_on, o.ends_on),
                                  format('Pegawai mengikuti “%s” dari %s saat itu (%s sampai %s).', o.title, q.code, o.starts_on, o.ends_on))).*
        FROM   enrolment e JOIN session o ON o.id = e.session_id JOIN programme q ON q.id = o.programme_id
        WHERE  e.asn_id = person.id AND e.session_id <> s.id AND enrolment_takes(e.state, e.days) AND e.hours && session_hours(s.id)
               AND e.id IS DISTINCT FROM mine
        ORDER  BY o.starts_on LIMIT 5;
    END IF;
END $$;

-- The constraint cannot know the day. Whoever is still in it, or was a moment ago, is looked for in one go: so it does not matter when the other completes it.
CREATE FUNCTION enrolment_elsewhere() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND OLD.state IN ('waitlisted', 'offered', 'approved', 'attending') AND (NEW.hours, NEW.asn_id) = (OLD.hours, OLD.asn_id) THEN
        RETURN NEW;
    END IF;
    PERFORM FROM enrolment e WHERE e.asn_id = NEW.asn_id AND e.session_id <> NEW.session_id AND enrolment_takes(e.state, e.days) AND e.hours && NEW.hours;
    IF FOUND THEN
        RAISE EXCEPTION 'the person is elsewhere then' USING ERRCODE = 'P0001', CONSTRAINT = 'enrolment_no_overlap';
    END IF;
    RETURN NEW;
END $$;
COMMENT ON FUNCTION enrolment_elsewhere() IS 'Nobody is in two sessions at one hour: enrolment_no_overlap, and who has completed one of them before its last day.';
CREATE TRIGGER enrolment_12_elsewhere BEFORE INSERT OR UPDATE OF state, hours, asn_id ON enrolment FOR EACH ROW
    WHEN (NEW.state IN ('waitlisted', 'offered', 'approved', 'attending')) EXECUTE FUNCTION enrolment_elsewhere();

-- ── who has left the service ─────────────────────────────────────────────────────────────────────────────────────────────

-- Sessions of which he may get a seat meanwhile are locked too: whoever gives him one does it before, and it is seen here, or after, and sees that he has left.
CREATE FUNCTION enrolment_leave(who uuid) RETURNS integer
LANGUAGE plpgsql AS $$
DECLARE
    by_key  text := current_setting('asnd.actor_key', true);
    by_name text := current_setting('asnd.actor_name', true);
    place   uuid;
    n       integer := 0;
BEGIN
    IF asn_in_service(who) THEN
        RETURN 0;
    END IF;
    PERFORM enrolment_by(NULL, NULL); -- it follows by itself
    FOR place IN
        SELECT s.id FROM session s JOIN enrolment e ON e.session_id = s.id
        WHERE  e.asn_id = who AND e.state IN ('draft', 'proposed', 'returned', 'verified', 'waitlisted', 'offered', 'approved')
               AND s.state = 'planned' AND s.starts_on >= local_today()
        ORDER  BY s.id FOR NO KEY UPDATE OF s
    LOOP
        UPDATE enrolment e SET state = 'cancelled', offer_until = NULL, reason = 'not-in-service'
        WHERE  e.session_id = place AND e.asn_id = who AND e.state IN ('offered', 'approved');
        n := n + FOUND::integer;
    END LOOP;
    PERFORM set_config('asnd.actor_key', coalesce(by_key, ''), true), set_config('asnd.actor_name', coalesce(by_name, ''), true);
    RETURN n;
END $$;
COMMENT ON FUNCTION enrolment_leave(uuid) IS
    'Who is not in service gives up the seats of sessions that have not begun before today, and the next get them; nothing gives them back. How many these were. Who waits keeps his place until a seat could be his.';

CREATE FUNCTION asn_leave() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM enrolment_leave(NEW.id);
    RETURN NULL;
END $$;
COMMENT ON FUNCTION asn_leave() IS 'enrolment_leave() for whose status has changed.';
CREATE TRIGGER asn_65_leave AFTER UPDATE ON asn FOR EACH ROW WHEN (NEW.legal_status IS DISTINCT FROM OLD.legal_status) EXECUTE FUNCTION asn_leave();

CREATE FUNCTION enrolment_leave_merged() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM enrolment_leave(NEW.asn_id);
    RETURN NULL;
END $$;
COMMENT ON FUNCTION enrolment_leave_merged() IS 'enrolment_leave() for who takes over the seat of another record.';
CREATE TRIGGER enrolment_65_leave AFTER UPDATE OF asn_id ON enrolment FOR EACH ROW
    WHEN (NEW.asn_id <> OLD.asn_id AND NEW.state IN ('offered', 'approved')) EXECUTE FUNCTION enrolment_leave_merged();

-- Who enrols holds the person's status until it is seen by whoever changes it.
CREATE FUNCTION enrolment_enter_serving() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM asn a WHERE a.id = NEW.asn_id FOR SHARE;
    IF NOT asn_in_service(NEW.asn_id) THEN
        RAISE EXCEPTION 'not in service' USING ERRCODE = 'P0001', CONSTRAINT = 'enrolment_in_service';
    END IF;
    RETURN NEW;
END $$;
COMMENT ON FUNCTION enrolment_enter_serving() IS 'Nobody is enrolled while his status changes to one in which he would not be.';
CREATE TRIGGER enrolment_11_serving BEFORE INSERT ON enrolment FOR EACH ROW EXECUTE FUNCTION enrolment_enter_serving();

CREATE FUNCTION seats_give_up() RETURNS integer
LANGUAGE plpgsql AS $$
DECLARE
    who uuid;
    n   integer := 0;
BEGIN
    FOR who IN
        SELECT a.id FROM asn a
        WHERE  a.id IN (SELECT e.asn_id FROM session s JOIN enrolment e ON e.session_id = s.id
                        WHERE  s.state = 'planned' AND s.starts_on >= local_today() AND e.state IN ('offered', 'approved'))
               AND NOT asn_in_service(a.id)
        ORDER  BY a.nip
    LOOP
        n := n + enrolment_leave(who);
    END LOOP;
    RETURN n;
END $$;
COMMENT ON FUNCTION seats_give_up() IS
    'Seats of who is not in service though nothing was written of him: the list of statuses says otherwise, or his session has moved. How many these were.';

-- ── hours count from the last day on ─────────────────────────────────────────────────────────────────────────────────────

COMMENT ON TABLE history_ahead IS
    'Days to come on which a history begins or ends, or a training has its last day; kept by triggers, emptied by history_show_today(). While a day stands here its hours do not count.';

CREATE OR REPLACE FUNCTION history_look_ahead() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO history_ahead (day, asn_id)
    SELECT DISTINCT w.day, n.asn_id
    FROM   entered n CROSS JOIN LATERAL (VALUES (n.starts), (n.ends), (CASE WHEN n.kind = 'course' THEN n.ends - 1 END)) AS w (day)
    WHERE  w.day > local_today() AND NOT n.is_void
    ON     CONFLICT DO NOTHING;
    RETURN NULL;
END $$;

CREATE FUNCTION enrolment_look_ahead() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO history_ahead (day, asn_id) VALUES (upper(NEW.days) - 1, NEW.asn_id) ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;
COMMENT ON FUNCTION enrolment_look_ahead() IS 'Notes the last day of a session whose hours somebody has before it.';
CREATE TRIGGER enrolment_45_ahead AFTER UPDATE OF jp, days, asn_id ON enrolment FOR EACH ROW
    WHEN (NEW.jp IS NOT NULL AND upper(NEW.days) - 1 > local_today()) EXECUTE FUNCTION enrolment_look_ahead();

CREATE FUNCTION learning_is_ahead(who uuid, last_day date) RETURNS boolean
LANGUAGE sql STABLE
RETURN EXISTS (SELECT FROM history_ahead w WHERE w.day = last_day AND w.asn_id = who);
COMMENT ON FUNCTION learning_is_ahead(uuid, date) IS 'Whether the last day of a training has not come yet: asked of what history_show_today() has done, so that the ledger and whoever counts anew agree at any moment.';

CREATE OR REPLACE VIEW learning_source AS
SELECT e.asn_id, 'enrolment' AS source, e.id AS source_id, lower(e.days) AS first_day, upper(e.days) - 1 AS last_day, p.form, p.name, p.organiser,
       NULL::text AS certificate_number, coalesce(t.is_abroad, false) AS is_abroad,
       coalesce(t.amount, CASE WHEN r.facts ->> 'counted_by' = 'hari' THEN upper(e.days) - lower(e.days) ELSE 1 END) AS amount,
       NULL::integer AS minutes, coalesce(e.jp, s.held_jp, p.jp)::numeric AS told_jp, e.jp IS NULL OR learning_is_ahead(e.asn_id, upper(e.days) - 1) AS is_forecast, r.facts AS form_facts, r.name AS form_name
FROM   enrolment e
JOIN   session s ON s.id = e.session_id
JOIN   programme p ON p.id = s.programme_id
LEFT   JOIN session_term t ON t.session_id = s.id
LEFT   JOIN reference r ON r.list = 'training-form' AND r.code = p.form AND r.valid @> upper(e.days) - 1
WHERE  e.jp IS NOT NULL OR e.state IN ('approved', 'attending')
       OR e.state = 'completed' AND (e.attendance >= p.min_attendance) IS NOT FALSE AND (e.grade >= p.min_grade) IS NOT FALSE
UNION ALL
SELECT h.asn_id, 'course', h.id, h.starts, w.last_day, h.facts ->> 'form', h.facts ->> 'name', h.facts ->> 'organiser', h.facts ->> 'certificate_number',
       coalesce((h.facts ->> 'is_abroad')::boolean, false),
       coalesce((h.facts ->> 'amount')::numeric, CASE WHEN r.facts ->> 'counted_by' = 'hari' AND h.ends IS NOT NULL THEN h.ends - h.starts END),
       (h.facts ->> 'minutes')::numeric::integer,
       coalesce(div((h.facts ->> 'minutes')::numeric, 45), (h.facts ->> 'jp')::numeric), learning_is_ahead(h.asn_id, w.last_day), r.facts, r.name
FROM   history h
CROSS  JOIN LATERAL (SELECT coalesce(h.ends - 1, h.starts) AS last_day) w
LEFT   JOIN reference r ON r.list = 'training-form' AND r.code = h.facts ->> 'form' AND r.valid @> w.last_day
WHERE  h.kind = 'course' AND NOT h.is_void;
COMMENT ON VIEW learning_source IS
    'Trainings that people passed, and certificates from elsewhere; is_forecast: what they are sure to attend, and what has its last day to come. amount: what the form counts, null: not told. told_jp: JP as printed, or whole 45 minutes of the minutes told.';

CREATE OR REPLACE FUNCTION learning_forecast(who uuid, kind text, since date) RETURNS numeric
LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM enrolment e WHERE e.asn_id = who AND e.jp IS NULL AND e.state IN ('approved', 'attending', 'completed'))
       AND NOT EXISTS (SELECT FROM history_ahead w
                       WHERE  w.asn_id = who
                              AND (EXISTS (SELECT FROM history h WHERE h.asn_id = who AND h.kind = 'course' AND NOT h.is_void AND coalesce(h.ends - 1, h.starts) = w.day)
                                   OR EXISTS (SELECT FROM enrolment e WHERE e.asn_id = who AND e.jp IS NOT NULL AND upper(e.days) - 1 = w.day))) THEN
        RETURN 0;
    END IF;
    RETURN (SELECT coalesce(sum((c.entry).counted_jp), 0) FROM learning_count(ARRAY[who]) c 
            WHERE  c.is_forecast AND ((c.entry).rule_kind, (c.entry).period_from) = (kind, since));
END $$;
COMMENT ON FUNCTION learning_forecast(uuid, text, date) IS
    'JP that a person would gain in the year that begins on that day by all that is sure to be attended, or has its last day to come.';

CREATE OR REPLACE FUNCTION import_take_back_histories(people uuid[], moment timestamptz, why text, by_key uuid, by_name text) RETURNS void
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
           AND NOT EXISTS (SELECT FROM history h WHERE h.asn_id = w.asn_id AND NOT h.is_void AND w.day IN (h.starts, h.ends, h.ends - 1))
           AND NOT EXISTS (SELECT FROM enrolment e WHERE e.asn_id = w.asn_id AND e.jp IS NOT NULL AND w.day = upper(e.days) - 1);
    SET CONSTRAINTS history_no_overlap IMMEDIATE;
END $$;

-- ── noughts before a number ──────────────────────────────────────────────────────────────────────────────────────────────

CREATE FUNCTION certificate_near(words text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN regexp_replace(words, '(?<![0-9])0+(?=[0-9])', '', 'g');
COMMENT ON FUNCTION certificate_near(text) IS
    'What certificate_words() gives, without the noughts before each number: 0012pd2025 is near 12pd2025. Only for hints, since an organiser may mean two certificates by them.';

CREATE OR REPLACE FUNCTION certificate_doubles(me external_certificate) RETURNS json
LANGUAGE plpgsql STABLE AS $$
DECLARE
    key text := name_key(me.name);
BEGIN
    RETURN (
        SELECT coalesce(json_agg(json_build_object('kind', d.kind, 'id', d.id, 'name', d.name, 'from', d.first, 'to', d.last) ORDER BY d.first, d.id), '[]')
        FROM  (SELECT 'external' AS kind, o.id, o.name, o.starts_on AS first, o.ends_on AS last, o.number_key AS number
               FROM   external_certificate o WHERE o.asn_id = me.asn_id AND o.id <> me.id AND o.state <> 'refused'
               UNION ALL
               SELECT 'history', h.id, h.facts ->> 'name', h.starts, coalesce(h.ends - 1, h.starts), certificate_words(h.facts ->> 'certificate_number')
               FROM   history h
               WHERE  h.asn_id = me.asn_id AND h.kind = 'course' AND NOT h.is_void AND h.id IS DISTINCT FROM me.history_id
                      AND NOT EXISTS (SELECT FROM external_certificate o WHERE o.history_id = h.id)
               UNION ALL
               SELECT 'enrolment', e.id, p.name, s.starts_on, s.ends_on, (SELECT certificate_words(c.number) FROM certificate c WHERE c.enrolment_id = e.id AND c.state = 'valid')
               FROM   enrolment e JOIN session s ON s.id = e.session_id JOIN programme p ON p.id = s.programme_id
               WHERE  e.asn_id = me.asn_id AND enrolment_is_passed(e.state)) d
        WHERE  (d.first = me.starts_on OR d.last = me.ends_on) AND similarity(name_key(d.name), key) >= 0.5
               OR certificate_near(d.number) = certificate_near(me.number_key) AND extract(year FROM d.last) = extract(year FROM me.ends_on));
END $$;
COMMENT ON FUNCTION certificate_doubles(external_certificate) IS
    'What else of this person may be the same training: a name like this one and the same first or last day, or in the same year a number that is this one but for noughts before it, whoever organised it. A hint to whoever decides, no more.';

CREATE OR REPLACE FUNCTION learning_count(people uuid[])
RETURNS TABLE (entry learning_entry, is_forecast boolean, name text, organiser text, certificate_number text, form_name text)
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN QUERY
    WITH told AS (
        SELECT s.*, ROW(s.is_forecast, s.source = 'course', s.last_day, s.source_id) AS place, reference_fold(s.name) AS name_word,
               certificate_paper(s.organiser, s.certificate_number) AS paper,
               nullif(certificate_near(certificate_words(s.certificate_number)), '') AS number_word,
               learning_hours(s.form_facts, s.is_abroad, s.amount, s.told_jp) AS by_table,
               (s.form_facts ->> CASE WHEN s.is_abroad THEN 'jp_abroad' ELSE 'jp_national' END)::numeric AS one,
               CASE WHEN NOT s.is_abroad THEN (s.form_facts ->> 'month_most')::numeric * (s.form_facts ->> 'jp_national')::numeric END AS month_jp
        FROM   learning_source s
        WHERE  s.asn_id = ANY (people)
    ), compared AS (
        SELECT t.*,
               CASE WHEN t.paper IS NOT NULL
                    THEN coalesce(nullif(first_value(t.source_id) OVER (PARTITION BY t.asn_id, t.paper ORDER BY t.place), t.source_id),
                                  (array_agg(t.source_id) FILTER (WHERE t.paper IS NULL) OVER before)[1])
                    ELSE (array_agg(t.source_id) OVER before)[1] END AS twin
        FROM   told t
        WINDOW before AS (PARTITION BY t.asn_id, t.name_word, t.first_day ORDER BY t.place ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
    ), bounded AS (
        SELECT c.*,
               CASE WHEN c.twin IS NOT NULL THEN 0
                    WHEN c.month_jp IS NULL THEN c.by_table
                    ELSE least(c.by_table,
                               greatest(c.month_jp - coalesce(sum(c.by_table) FILTER (WHERE c.twin IS NULL)
                                                              OVER (PARTITION BY c.asn_id, c.form, c.month_jp IS NULL, date_trunc('month', c.last_day)
                                                                    ORDER BY c.place ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0), 0)) END AS counts,
               c.twin IS NULL AND (c.name_word IS NOT NULL AND c.first_day IS NOT NULL AND count(*) FILTER (WHERE c.twin IS NULL) OVER named > 0
                                   OR c.number_word IS NOT NULL AND c.last_day IS NOT NULL AND count(*) FILTER (WHERE c.twin IS NULL) OVER numbered > 0) AS is_doubtful
        FROM   compared c
        WINDOW named AS (PARTITION BY c.asn_id, c.name_word, c.first_day ORDER BY c.place ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING),
               numbered AS (PARTITION BY c.asn_id, c.number_word, extract(year FROM c.last_day) ORDER BY c.place ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
    )
    SELECT ROW(b.source, b.source_id, b.asn_id, b.first_day, b.last_day, b.form, b.form_facts ->> 'counted_by', (b.form_facts ->> 'share')::integer,
               b.is_abroad, CASE WHEN b.form_facts ->> 'counted_by' <> 'jp' THEN b.amount END, b.minutes, b.told_jp, b.one, b.by_table, b.counts,
               array_remove(ARRAY[CASE WHEN b.form_facts IS NULL THEN 'form-unknown' END,
                                  CASE WHEN b.minutes IS NOT NULL THEN 'minutes' END,
                                  CASE WHEN b.form_facts ->> 'counted_by' <> 'jp' AND (b.form_facts ->> 'is_up_to')::boolean IS NOT TRUE AND b.amount IS NULL
                                            AND b.told_jp IS NOT NULL THEN 'as-printed' END,
                                  CASE WHEN (b.form_facts ->> 'is_up_to')::boolean
                                            AND b.told_jp * CASE WHEN b.is_abroad THEN coalesce((b.form_facts ->> 'jp_factor_abroad')::numeric, 1) ELSE 1 END
                                                > b.by_table THEN 'day-most' END,
                                  CASE WHEN b.twin IS NOT NULL THEN 'duplicate' WHEN b.counts < b.by_table THEN 'month-most' END,
                                  CASE WHEN b.is_doubtful THEN 'maybe-duplicate' END], NULL),
               b.twin, p.rule_kind, p.basis, p.period_from, p.period_until, extract(year FROM p.period_from)::integer)::learning_entry,
           b.is_forecast, b.name, b.organiser, b.certificate_number, b.form_name
    FROM   bounded b
    JOIN   asn a ON a.id = b.asn_id
    CROSS  JOIN LATERAL learning_period(a, b.last_day) p;
END $$;
COMMENT ON FUNCTION learning_count(uuid[]) IS
    'The ledger of these people as it should be, and what is forecast. notes: form-unknown (counted as printed), minutes (whole 45 minutes of them), as-printed (how many was not told), day-most and month-most (the table''s bounds), duplicate, maybe-duplicate (it counts, but something that counts too has its name and first day, or its year and, but for noughts, its number).';

-- ── a unit that is split ─────────────────────────────────────────────────────────────────────────────────────────────────

-- unit_reform tells of trainings too since 0053_training_mended.sql.
CREATE OR REPLACE FUNCTION unit_split(which uuid, fresh uuid, told jsonb, units ltree[], by_key uuid, by_name text) RETURNS SETOF unit_reform
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
        answer := (made.problem, made.pointer, made.value, made.suggestion, fresh, 0, 0, 0, 0)::unit_reform;
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

-- ── what is there already ────────────────────────────────────────────────────────────────────────────────────────────────

INSERT INTO history_ahead (day, asn_id)
SELECT h.ends - 1, h.asn_id FROM history h WHERE h.kind = 'course' AND NOT h.is_void AND h.ends - 1 > local_today()
UNION
SELECT upper(e.days) - 1, e.asn_id FROM enrolment e WHERE e.jp IS NOT NULL AND upper(e.days) - 1 > local_today()
ON     CONFLICT DO NOTHING;
SELECT learning_refresh(array_agg(DISTINCT s.asn_id)) FROM learning_source s
WHERE  s.certificate_number ~ '\m0' OR EXISTS (SELECT FROM history_ahead w WHERE (w.day, w.asn_id) = (s.last_day, s.asn_id))
HAVING count(*) > 0;

SELECT audit_attach();
SELECT row_security_attach();
