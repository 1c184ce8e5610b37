-- Training, held against people who mean it otherwise: terms of what was held, results that attendance takes back, people who have left while they waited, groups of few
-- peers, money that comes from nowhere, agreements that are not signed yet, rules in a circle, and what a closed unit leaves behind. docs/training.md.

-- ── terms of a session ───────────────────────────────────────────────────────────────────────────────────────────────────

ALTER TABLE session_term ADD COLUMN reason text CONSTRAINT session_term_reason_length CHECK (length(reason) BETWEEN 1 AND 500);
COMMENT ON COLUMN session_term.reason IS 'Why this version replaced the one before, where people had gone through the session already';

CREATE FUNCTION session_amount_fault(which uuid) RETURNS boolean
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN EXISTS (SELECT FROM session_term t JOIN session s ON s.id = t.session_id JOIN programme p ON p.id = s.programme_id
                   JOIN   reference r ON r.list = 'training-form' AND r.code = p.form AND r.valid @> s.ends_on
                   WHERE  t.session_id = which AND t.amount > s.ends_on - s.starts_on + 1 AND r.facts ->> 'counted_by' IN ('hari', 'kegiatan', 'semester'));
END $$;
COMMENT ON FUNCTION session_amount_fault(uuid) IS 'Whether a session is told to be more days, events or semesters than it has days.';

CREATE FUNCTION session_amount_hold() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
    is_more boolean;
BEGIN
    CASE TG_TABLE_NAME
    WHEN 'session_term' THEN
        is_more := (TG_OP = 'INSERT' OR NEW.amount IS DISTINCT FROM OLD.amount) AND session_amount_fault(NEW.session_id);
    WHEN 'session' THEN
        is_more := session_amount_fault(NEW.id);
    ELSE
        is_more := EXISTS (SELECT FROM session s WHERE s.programme_id = NEW.id AND session_amount_fault(s.id));
    END CASE;
    IF is_more THEN
        RAISE EXCEPTION 'more than its days' USING ERRCODE = 'P0001', CONSTRAINT = 'session_term_days';
    END IF;
    RETURN NULL;
END $$;
COMMENT ON FUNCTION session_amount_hold() IS 'How much a session counts as is bounded by its days, whichever of the two comes last, and whatever its form becomes.';
CREATE TRIGGER session_term_30_days AFTER INSERT OR UPDATE OF amount ON session_term FOR EACH ROW WHEN (NEW.amount IS NOT NULL) EXECUTE FUNCTION session_amount_hold();
CREATE TRIGGER session_32_days AFTER UPDATE OF starts_on, ends_on ON session FOR EACH ROW
    WHEN (NEW.ends_on - NEW.starts_on < OLD.ends_on - OLD.starts_on) EXECUTE FUNCTION session_amount_hold();
CREATE TRIGGER programme_32_days AFTER UPDATE OF form ON programme FOR EACH ROW WHEN (NEW.form <> OLD.form) EXECUTE FUNCTION session_amount_hold();

CREATE FUNCTION session_has_left(which uuid) RETURNS boolean
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN EXISTS (SELECT FROM enrolment e
                   WHERE  e.session_id = which
                          AND (e.state IN ('certified', 'synced') OR EXISTS (SELECT FROM handover h WHERE h.enrolment_id = e.id AND h.state IN ('sent', 'accepted'))));
END $$;
COMMENT ON FUNCTION session_has_left(uuid) IS 'Whether somebody has a certificate of a session, or BKN was sent it.';

CREATE FUNCTION session_term_kept() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
    which uuid := coalesce(NEW.session_id, OLD.session_id);
BEGIN
    IF (coalesce(NEW.is_abroad, false), NEW.amount) IS NOT DISTINCT FROM (coalesce(OLD.is_abroad, false), OLD.amount) THEN
        RETURN coalesce(NEW, OLD);
    END IF;
    PERFORM FROM session s WHERE s.id = which AND s.held_jp IS NOT NULL;
    IF FOUND AND session_has_left(which) THEN
        RAISE EXCEPTION 'its hours are known outside' USING ERRCODE = 'P0001', CONSTRAINT = 'session_term_held';
    ELSIF FOUND AND NEW.reason IS NULL THEN
        RAISE EXCEPTION 'people went through it' USING ERRCODE = 'P0001', CONSTRAINT = 'session_term_why';
    END IF;
    RETURN coalesce(NEW, OLD);
END $$;
COMMENT ON FUNCTION session_term_kept() IS
    'By what the hours of a session count is corrected with a reason once it was held, and no more once they stand on a certificate or BKN was sent them. What it costs may change.';
CREATE TRIGGER session_term_12_keep BEFORE INSERT OR UPDATE OR DELETE ON session_term FOR EACH ROW EXECUTE FUNCTION session_term_kept();

CREATE OR REPLACE FUNCTION session_term_put(which uuid, seen int8multirange, body jsonb)
RETURNS TABLE (problem text, session_id uuid, is_abroad boolean, amount numeric, cost_per_head numeric, commits text, budget_line_id uuid, warnings text[],
               version bigint)
LANGUAGE plpgsql AS $$
DECLARE
    now_at bigint;
    usual  numeric;
BEGIN
    PERFORM FROM session s WHERE s.id = which FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    now_at := coalesce((SELECT t.version FROM session_term t WHERE t.session_id = which), 0) + 1;
    IF NOT seen @> now_at THEN
        problem := 'version-stale';
        RETURN NEXT;
        RETURN;
    END IF;
    SELECT p.cost_per_head INTO usual FROM session s JOIN programme p ON p.id = s.programme_id WHERE s.id = which AND NOT body ? 'cost_per_head';
    -- Not by ON CONFLICT, whose row to insert would be judged as if there had been no terms.
    UPDATE session_term t
    SET    (is_abroad, amount, cost_per_head, commits, budget_line_id, reason)
         = (coalesce((body ->> 'is_abroad')::boolean, false), (body ->> 'amount')::numeric, coalesce((body ->> 'cost_per_head')::numeric, usual),
            coalesce(body ->> 'commits', 'taken'), (body ->> 'budget_line_id')::uuid, body ->> 'reason')
    WHERE  t.session_id = which;
    IF NOT FOUND THEN
        INSERT INTO session_term (session_id, is_abroad, amount, cost_per_head, commits, budget_line_id, reason)
        VALUES (which, coalesce((body ->> 'is_abroad')::boolean, false), (body ->> 'amount')::numeric, coalesce((body ->> 'cost_per_head')::numeric, usual),
                coalesce(body ->> 'commits', 'taken'), (body ->> 'budget_line_id')::uuid, body ->> 'reason');
    END IF;
    RETURN QUERY SELECT NULL::text, t.session_id, t.is_abroad, trim_scale(t.amount), t.cost_per_head, t.commits, t.budget_line_id,
                        coalesce(w.warnings, '{}'), t.version + 1
                 FROM   session_term t LEFT JOIN (budget_line b CROSS JOIN LATERAL budget_standing(b) w) ON b.id = t.budget_line_id
                 WHERE  t.session_id = which;
END $$;

-- ── attendance that is corrected ─────────────────────────────────────────────────────────────────────────────────────────

CREATE OR REPLACE FUNCTION attendance_weigh(which uuid, only_of uuid[]) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    planned jsonb;
    whole   numeric;
BEGIN
    IF NOT EXISTS (SELECT FROM attendance a WHERE a.session_id = which) THEN
        RETURN;
    END IF;
    SELECT jsonb_object_agg(d.day, d.jp), sum(d.jp) INTO planned, whole
    FROM   (SELECT day, sum(jp) AS jp FROM session_day WHERE session_id = which GROUP BY day) d;
    IF coalesce(whole, 0) = 0 THEN
        SELECT jsonb_object_agg(d::date, 1), count(*) INTO planned, whole
        FROM   session s CROSS JOIN LATERAL generate_series(s.starts_on, s.ends_on, interval '1 day') AS d WHERE s.id = which;
    END IF;
    UPDATE enrolment e
    SET    attendance = w.share
    FROM   (SELECT a.enrolment_id,
                   round(100 * coalesce(sum((planned ->> a.day::text)::numeric) FILTER (WHERE a.presence = 'present'), 0) / whole, 2) AS share
            FROM   attendance a
            WHERE  a.session_id = which AND (only_of IS NULL OR a.enrolment_id = ANY (only_of))
            GROUP  BY 1) w
    WHERE  e.id = w.enrolment_id AND e.attendance IS DISTINCT FROM w.share;
    UPDATE enrolment e
    SET    jp = CASE WHEN e.jp IS NULL THEN coalesce(s.held_jp, p.jp) END
    FROM   session s JOIN programme p ON p.id = s.programme_id
    WHERE  e.session_id = which AND (only_of IS NULL OR e.id = ANY (only_of)) AND s.id = which AND e.state = 'completed' AND p.attendance_only
           AND (e.jp IS NULL) = (enrolment_verdict(e) ->> 'verdict' IN ('passed', 'free'));
END $$;
COMMENT ON FUNCTION attendance_weigh(uuid, uuid[]) IS
    'Works out the share of the attendance for the enrolments of a session, or for some of them, and where attendance is all that is asked the hours that follow from it.';

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
WHERE  e.jp IS NOT NULL OR e.state IN ('approved', 'attending')
       OR e.state = 'completed' AND (e.attendance >= p.min_attendance) IS NOT FALSE AND (e.grade >= p.min_grade) IS NOT FALSE
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

-- ── who has left while he waited ─────────────────────────────────────────────────────────────────────────────────────────

CREATE FUNCTION asn_in_service(who uuid) RETURNS boolean
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN coalesce((SELECT l.in_service FROM asn a JOIN legal_status l ON l.code = a.legal_status WHERE a.id = who), true);
END $$;
COMMENT ON FUNCTION asn_in_service(uuid) IS 'Whether a person is in service by the kedudukan hukum of today; one that is not known does not speak against it.';

CREATE OR REPLACE FUNCTION session_promote(which uuid) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    s      session;
    chosen uuid[];
    mine   uuid;
BEGIN
    LOOP
        SELECT * INTO s FROM session WHERE id = which FOR NO KEY UPDATE;
        EXIT WHEN s.waiting = 0 OR s.seats_taken >= s.capacity OR s.state <> 'planned' OR s.ends_on < local_today();
        IF EXISTS (SELECT FROM session_quota q WHERE q.session_id = which) THEN
            chosen := ARRAY(SELECT e.id FROM enrolment e
                            WHERE  e.session_id = which AND e.state = 'waitlisted'
                                   AND NOT EXISTS (SELECT FROM session_quota q WHERE q.session_id = which AND q.unit_id = ANY (e.quotas) AND q.taken >= q.seats)
                            ORDER  BY e.priority DESC, e.queue_place LIMIT 1);
        ELSE
            chosen := ARRAY(SELECT e.id FROM enrolment e WHERE e.session_id = which AND e.state = 'waitlisted'
                            ORDER BY e.priority DESC, e.queue_place LIMIT s.capacity - s.seats_taken);
        END IF;
        EXIT WHEN chosen = '{}';
        FOREACH mine IN ARRAY chosen LOOP -- one by one, so that the steps are noted in their order
            UPDATE enrolment e
            SET    state = CASE WHEN NOT w.serves THEN 'cancelled' WHEN s.offer_hours IS NULL THEN 'approved' ELSE 'offered' END,
                   reason = CASE WHEN NOT w.serves THEN 'not-in-service' END,
                   offer_until = CASE WHEN w.serves THEN clock_timestamp() + make_interval(hours => s.offer_hours) END
            FROM   (SELECT o.id, asn_in_service(o.asn_id) AS serves FROM enrolment o WHERE o.id = mine) w
            WHERE  e.id = w.id;
        END LOOP;
    END LOOP;
END $$;
COMMENT ON FUNCTION session_promote(uuid) IS
    'Free seats go to those who wait, by priority, then place, passing over whose quota is full; given, or offered where the session says so, while it takes people. Who has left the service by then is cancelled.';

CREATE OR REPLACE FUNCTION enrolment_note() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
    before text := CASE TG_OP WHEN 'INSERT' THEN 'new' ELSE OLD.state END;
    itself boolean := before = 'waitlisted' AND (NEW.state <> 'cancelled' OR NEW.reason = 'not-in-service') OR before = 'offered' AND NEW.reason = 'offer-lapsed';
BEGIN
    IF TG_OP = 'INSERT' OR NEW.state <> OLD.state THEN
        INSERT INTO enrolment_step_taken (enrolment_id, "from", "to", reason, actor_key, actor_name)
        SELECT NEW.id, before, NEW.state, NEW.reason, nullif(CASE WHEN NOT itself THEN current_setting('asnd.actor_key', true) END, '')::uuid,
               nullif(CASE WHEN NOT itself THEN current_setting('asnd.actor_name', true) END, '');
    END IF;
    RETURN NULL;
END $$;
COMMENT ON COLUMN enrolment.reason IS 'Why it came into its present state, if that was said; offer-lapsed, session-cancelled, not-in-service: by itself';

CREATE FUNCTION enrolment_serves() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF NOT asn_in_service(NEW.asn_id) THEN
        RAISE EXCEPTION 'not in service' USING ERRCODE = 'P0001', CONSTRAINT = 'enrolment_serves';
    END IF;
    RETURN NEW;
END $$;
COMMENT ON FUNCTION enrolment_serves() IS 'A seat is given to who is in service then, not when it was asked for.';
CREATE TRIGGER enrolment_11_serves BEFORE UPDATE OF state ON enrolment FOR EACH ROW
    WHEN (OLD.state IN ('verified', 'offered') AND NEW.state IN ('approved', 'waitlisted')) EXECUTE FUNCTION enrolment_serves();

-- ── one's own ────────────────────────────────────────────────────────────────────────────────────────────────────────────

CREATE FUNCTION enrolment_own(which uuid, number text, scopes text[], next text, OUT is_refused boolean, OUT scopes_left text[])
LANGUAGE plpgsql STABLE AS $$
DECLARE
    me enrolment;
BEGIN
    SELECT e.* INTO me FROM enrolment e WHERE e.id = which AND e.asn_id = asn_of_nip(number);
    is_refused := FOUND AND EXISTS (SELECT FROM enrolment_transition t WHERE t."from" = me.state AND t."to" = next AND t.scope <> 'system')
                  AND NOT EXISTS (SELECT FROM enrolment_transition t WHERE t."from" = me.state AND t."to" = next AND t.scope = 'training.propose');
    scopes_left := CASE WHEN me.id IS NULL THEN scopes WHEN scope_held(scopes, 'training.propose') THEN '{training.propose}' ELSE '{}' END;
END $$;
COMMENT ON FUNCTION enrolment_own(uuid, text, text[], text) IS
    'What a caller who is a person (number: the NIP) may of the step: of his own enrolment what who proposes may, and whether that refuses it. Somebody else''s: what he may anyway.';

CREATE FUNCTION attendance_own(number text, told jsonb) RETURNS attendance_answer
LANGUAGE plpgsql STABLE AS $$
DECLARE
    answer attendance_answer;
BEGIN
    SELECT 'own-record', '/entries/' || t.n - 1 || '/nip', t.r ->> 'nip', 'Nobody does this for his own record.', 'Tidak seorang pun melakukan ini untuk datanya sendiri.'
    INTO   answer.problem, answer.pointer, answer.value, answer.word_en, answer.word_id
    FROM   jsonb_array_elements(told -> 'entries') WITH ORDINALITY AS t (r, n)
    WHERE  asn_of_nip(t.r ->> 'nip') = asn_of_nip(number) LIMIT 1;
    RETURN answer;
END $$;
COMMENT ON FUNCTION attendance_own(text, jsonb) IS 'Nobody notes his own attendance (number: the NIP of a caller who is a person).';

-- ── words ────────────────────────────────────────────────────────────────────────────────────────────────────────────────

CREATE FUNCTION enrolment_state_label(state text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE state WHEN 'new' THEN 'baru' WHEN 'draft' THEN 'draf' WHEN 'proposed' THEN 'diusulkan' WHEN 'returned' THEN 'perbaikan' WHEN 'verified' THEN 'terverifikasi'
                  WHEN 'waitlisted' THEN 'daftar tunggu' WHEN 'offered' THEN 'ditawari' WHEN 'approved' THEN 'ditetapkan' WHEN 'attending' THEN 'mengikuti'
                  WHEN 'completed' THEN 'selesai' WHEN 'passed' THEN 'lulus' WHEN 'failed' THEN 'tidak lulus' WHEN 'certified' THEN 'bersertifikat'
                  WHEN 'synced' THEN 'terkirim SIASN' WHEN 'rejected' THEN 'ditolak' WHEN 'no_show' THEN 'tidak hadir' WHEN 'withdrawn' THEN 'mengundurkan diri'
                  WHEN 'cancelled' THEN 'batal' ELSE state END
       || CASE WHEN state <> 'new' THEN ' (' || state || ')' ELSE '' END;
COMMENT ON FUNCTION enrolment_state_label(text) IS 'A state as it is called in Indonesian, with the word that the interface has for it.';

CREATE FUNCTION prerequisite_label(rule text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE rule WHEN 'training' THEN 'pelatihan' WHEN 'rank' THEN 'golongan' WHEN 'position_kind' THEN 'jenis jabatan' WHEN 'kind' THEN 'jenis ASN'
                 WHEN 'legal_status' THEN 'kedudukan hukum' ELSE rule END;
COMMENT ON FUNCTION prerequisite_label(text) IS 'What a rule of a programme asks for, in Indonesian.';

CREATE OR REPLACE FUNCTION enrolment_step_fault(state text, next text, scopes text[], at text, why text) RETURNS SETOF enrolment_answer
LANGUAGE plpgsql STABLE AS $$
DECLARE
    able   text[];
    onward text;
    words  text;
    may    boolean;
    reason boolean;
BEGIN
    SELECT array_agg(t.scope ORDER BY t.scope), bool_or(scope_held(scopes, t.scope)), bool_or(t.needs_reason) INTO able, may, reason
    FROM   enrolment_transition t WHERE t."from" = state AND t."to" = next AND t.scope <> 'system';
    IF able IS NULL THEN
        SELECT string_agg(o.next, ', ' ORDER BY o.next), string_agg(enrolment_state_label(o.next), ', ' ORDER BY o.next) INTO onward, words
        FROM   (SELECT DISTINCT t."to" AS next FROM enrolment_transition t WHERE t."from" = state AND t.scope <> 'system') o;
        RETURN NEXT enrolment_refused('enrolment-state', at, state, format('From %s it goes to %s.', state, coalesce(onward, 'nothing else')),
            format('Dari %s hanya menjadi %s.', enrolment_state_label(state), coalesce(words, 'tidak ada lagi')));
    ELSIF NOT may THEN
        RETURN NEXT enrolment_refused('forbidden', at, next,
            format('From %s to %s takes a key with the scope %s.', state, next, array_to_string(able, ' or ')),
            format('Dari %s ke %s memerlukan kunci dengan cakupan %s.', enrolment_state_label(state), enrolment_state_label(next), array_to_string(able, ' atau ')));
    ELSIF reason AND why IS NULL THEN
        RETURN NEXT enrolment_refused('reason-missing', '/reason', NULL);
    END IF;
END $$;

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
        WHERE  e.asn_id = person.id AND e.session_id <> s.id AND e.state IN ('waitlisted', 'offered', 'approved', 'attending') AND e.hours && session_hours(s.id)
               AND e.id IS DISTINCT FROM mine
        ORDER  BY o.starts_on LIMIT 5;
    END IF;
END $$;

-- ── what a programme asks ────────────────────────────────────────────────────────────────────────────────────────────────

CREATE OR REPLACE FUNCTION training_record(who uuid, which text) RETURNS text
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN coalesce((SELECT 'passed'
                     FROM   enrolment e JOIN session s ON s.id = e.session_id JOIN programme p ON p.id = s.programme_id
                     WHERE  e.asn_id = who AND p.code = which AND (e.state IN ('passed', 'certified', 'synced') OR e.state = 'completed' AND e.jp IS NOT NULL)
                     LIMIT  1),
                    (SELECT 'passed'
                     FROM   history h JOIN programme p ON p.code = which
                     WHERE  h.asn_id = who AND h.kind = 'course' AND NOT h.is_void AND name_key(h.facts ->> 'name') = p.name_key
                            AND coalesce(h.ends - 1, h.starts) <= local_today() LIMIT 1),
                    (SELECT e.state
                     FROM   enrolment e JOIN session s ON s.id = e.session_id JOIN programme p ON p.id = s.programme_id
                     WHERE  e.asn_id = who AND p.code = which ORDER BY e.id DESC LIMIT 1));
END $$;
COMMENT ON FUNCTION training_record(uuid, text) IS
    'How a person stands in the programme with that code: passed here or by a course of that name in the histories that is over, else the latest state; null: never.';

CREATE FUNCTION programme_asks_itself() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND NEW.prerequisites = OLD.prerequisites THEN
        RETURN NEW;
    END IF;
    PERFORM FROM (WITH RECURSIVE asked (code) AS (
                      SELECT r ->> 'programme' FROM jsonb_array_elements(NEW.prerequisites) AS r WHERE r ? 'programme'
                      UNION
                      SELECT r ->> 'programme'
                      FROM   asked a JOIN programme p ON p.code = a.code AND p.id <> NEW.id CROSS JOIN LATERAL jsonb_array_elements(p.prerequisites) AS r
                      WHERE  r ? 'programme')
                  SELECT a.code FROM asked a) a
    WHERE  a.code = NEW.code;
    IF FOUND THEN
        RAISE EXCEPTION 'nobody could ever begin' USING ERRCODE = 'P0001', CONSTRAINT = 'programme_prerequisites_circle';
    END IF;
    RETURN NEW;
END $$;
COMMENT ON FUNCTION programme_asks_itself() IS 'Programmes that ask for each other, however far around, would take nobody.';
CREATE TRIGGER programme_13_circle BEFORE INSERT OR UPDATE OF prerequisites ON programme FOR EACH ROW
    WHEN (NEW.prerequisites <> '[]') EXECUTE FUNCTION programme_asks_itself();

CREATE FUNCTION programme_rename() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    UPDATE programme p
    SET    prerequisites = (SELECT jsonb_agg(CASE WHEN r.rule ->> 'programme' = OLD.code THEN r.rule || jsonb_build_object('programme', NEW.code) ELSE r.rule END ORDER BY r.n)
                            FROM   jsonb_array_elements(p.prerequisites) WITH ORDINALITY AS r (rule, n))
    WHERE  p.prerequisites @> jsonb_build_array(jsonb_build_object('programme', OLD.code));
    RETURN NULL;
END $$;
COMMENT ON FUNCTION programme_rename() IS 'Rules name a programme by its code: they follow when it gets another.';
CREATE TRIGGER programme_34_rename AFTER UPDATE OF code ON programme FOR EACH ROW WHEN (NEW.code <> OLD.code) EXECUTE FUNCTION programme_rename();

-- ── money and agreements ─────────────────────────────────────────────────────────────────────────────────────────────────

CREATE FUNCTION expense_return() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM budget_line b WHERE b.id = NEW.budget_line_id FOR NO KEY UPDATE;
    PERFORM FROM (SELECT coalesce(sum(x.amount), 0) AS spent FROM expense x
                  WHERE  x.budget_line_id = NEW.budget_line_id
                         AND (x.session_id, x.activity_id) IS NOT DISTINCT FROM (NEW.session_id, NEW.activity_id)) s
    WHERE  s.spent + NEW.amount < 0;
    IF FOUND THEN
        RAISE EXCEPTION 'more than was spent' USING ERRCODE = 'P0001', CONSTRAINT = 'expense_returned';
    END IF;
    RETURN NEW;
END $$;
COMMENT ON FUNCTION expense_return() IS 'Of a line no more is taken back for a session, an activity or neither than was spent for it: money does not come from nowhere.';
CREATE TRIGGER expense_12_return BEFORE INSERT ON expense FOR EACH ROW WHEN (NEW.amount < 0) EXECUTE FUNCTION expense_return();

CREATE OR REPLACE FUNCTION agreement_status(me agreement, today date) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN (me).ended_on < today THEN 'ended'
            WHEN (me).signed_on IS NULL OR today < (me).signed_on OR today < (me).starts_on THEN 'draft'
            WHEN (me).ends_on < today THEN 'expired'
            ELSE 'active' END;
COMMENT ON FUNCTION agreement_status(agreement, date) IS
    'draft (not signed yet, or not begun), active, expired (its last day is past), ended (before its time): from the days alone, so nobody need keep it.';

CREATE FUNCTION activity_is_over() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND (NEW.state, NEW.starts_on) = (OLD.state, OLD.starts_on) THEN
        RETURN NEW;
    END IF;
    IF NEW.starts_on > local_today() THEN
        RAISE EXCEPTION 'it has not begun' USING ERRCODE = 'P0001', CONSTRAINT = 'activity_begun';
    END IF;
    RETURN NEW;
END $$;
COMMENT ON FUNCTION activity_is_over() IS 'Nothing is done before it has begun.';
CREATE TRIGGER activity_12_done BEFORE INSERT OR UPDATE OF state, starts_on ON activity FOR EACH ROW WHEN (NEW.state = 'done') EXECUTE FUNCTION activity_is_over();

CREATE FUNCTION budget_year_warnings(line uuid, day date) RETURNS text[]
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN ARRAY(SELECT 'other-year'::text FROM budget_line b WHERE b.id = line AND b.year <> extract(year FROM day));
END $$;
COMMENT ON FUNCTION budget_year_warnings(uuid, date) IS 'other-year: what costs, or was paid, on that day hangs on the line of another year. It warns only: a training may run over the end of a year.';

-- ── certificates before their time, and however they are written ───────────────────────────────────────────────────────────────────────────────

CREATE FUNCTION certificate_timely() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM enrolment e JOIN session s ON s.id = e.session_id WHERE e.id = NEW.enrolment_id AND s.ends_on > local_today();
    IF FOUND THEN
        RAISE EXCEPTION 'its last day has not come' USING ERRCODE = 'P0001', CONSTRAINT = 'certificate_timely';
    END IF;
    RETURN NEW;
END $$;
COMMENT ON FUNCTION certificate_timely() IS 'A certificate says on which days a training was held: nobody has one before the last of them.';
CREATE TRIGGER certificate_12_timely BEFORE INSERT ON certificate FOR EACH ROW EXECUTE FUNCTION certificate_timely();

CREATE OR REPLACE FUNCTION certificate_words(told text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN regexp_replace(regexp_replace(name_key(translate(told, 'АВСЕНІЈКМОРЅТУХавсеніјкморѕтухΑΒΕΖΗΙΚΜΝΟΡΤΥΧο٠١٢٣٤٥٦٧٨٩۰۱۲۳۴۵۶۷۸۹º°',
                                                        'ABCEHIJKMOPSTYXabcehijkmopstyxABEZHIKMNOPTYXo01234567890123456789oo')),
                                     '^(nomor|no|nomer) +', ''), '(?<![0-9]) | (?![0-9])', '', 'g');
COMMENT ON FUNCTION certificate_words(text) IS
    'A number or an organiser as they are compared: small letters and digits, letters and digits of other scripts as the ones they look like, without "Nomor" before it. Only two runs of digits stay apart: 12/PD/2025 is 12pd2025, and 1/2PD/2025 is 1 2pd2025; L.A.N. R.I. is lanri.';
ALTER TABLE external_certificate DISABLE TRIGGER USER;
UPDATE external_certificate x
SET    is_double = true
FROM   (SELECT o.id, row_number() OVER (PARTITION BY o.asn_id, certificate_paper(o.organiser, o.number) ORDER BY o.state = 'verified' DESC, o.id) AS nth
        FROM   external_certificate o WHERE o.state <> 'refused' AND NOT o.is_double) d
WHERE  d.id = x.id AND d.nth > 1;
UPDATE external_certificate SET organiser = organiser, number = number;
ALTER TABLE external_certificate ENABLE TRIGGER USER;
SELECT learning_refresh(array_agg(DISTINCT h.asn_id)) FROM history h WHERE h.kind = 'course' AND h.facts ->> 'certificate_number' ~ '[^ -~]' HAVING count(*) > 0;

-- ── few peers ────────────────────────────────────────────────────────────────────────────────────────────────────────────

CREATE FUNCTION effect_peers(which uuid) RETURNS bigint
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (SELECT count(DISTINCT q.asn_id) FROM behaviour_review v JOIN behaviour_request q ON q.review_id = v.id
            WHERE  v.session_id = which AND q.role = 'peer' AND q.is_answered AND q.named_by IS NULL);
END $$;
COMMENT ON FUNCTION effect_peers(uuid) IS 'How many people have answered as peers about a session: one may be asked about several. Whom a key named is not counted, since who names all but one would know that one.';

CREATE OR REPLACE FUNCTION effect_group(sessions uuid[], told_role text, today date)
RETURNS TABLE (role text, asked bigint, answered bigint, on_paper bigint, sessions_shown integer, sessions_open integer, sessions_few integer, reason text, mean numeric, items jsonb)
LANGUAGE plpgsql STABLE AS $$
DECLARE
    small integer := training_number('small_group', today);
BEGIN
    RETURN QUERY
    WITH told AS (
        SELECT s.id, CASE WHEN told_role = 'participant' THEN w.reaction_closes ELSE w.behaviour_closes END < today AS is_over,
               coalesce((SELECT t.n FROM effect_tally t WHERE t.session_id = s.id AND t.role = told_role AND t.item = '-'), 0) AS n,
               CASE WHEN told_role = 'participant' THEN (SELECT count(*) FROM enrolment e WHERE e.session_id = s.id AND (e.state = 'attending' OR effect_took_part(e.state)))
                    ELSE (SELECT count(*) FROM behaviour_review v JOIN behaviour_request q ON q.review_id = v.id WHERE v.session_id = s.id AND q.role = told_role) END AS asked,
               (SELECT coalesce(sum(p.forms), 0) FROM paper_batch p WHERE p.session_id = s.id AND p.role = told_role) AS on_paper,
               EXISTS (SELECT FROM paper_batch p WHERE p.session_id = s.id AND p.role = told_role AND p.forms >= small) AS has_paper
        FROM   unnest(sessions) AS s (id) CROSS JOIN LATERAL effect_window_of(s.id) w
    ), each AS (
        SELECT t.*, CASE WHEN told_role = 'peer' THEN effect_peers(t.id) ELSE t.n END AS people FROM told t
    ), answer AS (
        SELECT e.id AS source, t.item, t.value, t.n, e.n - e.people AS repeated
        FROM   each e JOIN effect_tally t ON t.session_id = e.id AND t.role = told_role AND t.item <> '-'
        WHERE  e.is_over AND e.people >= small
        UNION ALL
        SELECT p.id, t.item, t.value, t.n, 0
        FROM   each e JOIN paper_batch p ON p.session_id = e.id AND p.role = told_role AND p.forms >= small JOIN paper_tally t ON t.batch_id = p.id
    ), cell AS (
        SELECT a.item, sum(a.n) AS n, sum(a.n) - max(a.repeated) AS people, sum(a.n * a.value) AS points, sum(a.n) FILTER (WHERE a.value = 1) AS n1, sum(a.n) FILTER (WHERE a.value = 2) AS n2,
               sum(a.n) FILTER (WHERE a.value = 3) AS n3, sum(a.n) FILTER (WHERE a.value = 4) AS n4
        FROM   answer a
        GROUP  BY a.source, a.item
    ), item AS (
        SELECT c.item, sum(c.n) AS n, sum(c.points) AS points, sum(c.n1) AS n1, sum(c.n2) AS n2, sum(c.n3) AS n3, sum(c.n4) AS n4
        FROM   cell c WHERE c.people >= small GROUP BY c.item
    )
    SELECT told_role, coalesce(sum(e.asked), 0)::bigint, (coalesce(sum(e.n), 0) + coalesce(sum(e.on_paper), 0))::bigint, coalesce(sum(e.on_paper), 0)::bigint,
           count(*) FILTER (WHERE e.is_over AND e.people >= small OR e.has_paper)::integer,
           count(*) FILTER (WHERE NOT e.is_over)::integer, count(*) FILTER (WHERE e.is_over AND e.people < small AND NOT e.has_paper)::integer,
           CASE WHEN EXISTS (SELECT FROM item) THEN NULL WHEN bool_or(NOT e.is_over) THEN 'open' ELSE 'few' END,
           CASE WHEN NOT EXISTS (SELECT FROM cell c WHERE NOT EXISTS (SELECT FROM item i WHERE i.item = c.item))
                THEN (SELECT round(round(avg(i.points / i.n), 12), 4) FROM item i) END,
           (SELECT coalesce(jsonb_agg(jsonb_build_object('code', c.item, 'name', r.name, 'name_en', r.name_en, 'subject', r.facts ->> 'subject', 'n', i.n,
                                                         'counts', CASE WHEN i.n IS NOT NULL THEN jsonb_build_array(coalesce(i.n1, 0), coalesce(i.n2, 0),
                                                                                                                    coalesce(i.n3, 0), coalesce(i.n4, 0)) END,
                                                         'mean', round(round(i.points / i.n, 12), 4)) ORDER BY r.seq, c.item), '[]')
            FROM   (SELECT DISTINCT k.item FROM cell k) c LEFT JOIN item i ON i.item = c.item
            LEFT   JOIN LATERAL (SELECT x.name, x.name_en, x.seq, x.facts FROM reference x
                                 WHERE  x.list = CASE WHEN told_role = 'participant' THEN 'reaction-item' ELSE 'behaviour-item' END AND x.code = c.item
                                 ORDER  BY x.valid @> today DESC, x.valid DESC LIMIT 1) r ON true)
    FROM   each e;
END $$;
COMMENT ON FUNCTION effect_group(uuid[], text, date) IS
    'What one group of respondents said about these sessions: counted, with the reason where nothing is shown (open: answers may still come; few: too few). Each batch on paper is shown by itself, as a session is, so that nobody who knows it can take it off. Peers are counted as people: of an item at least so many have answered as are left when every form without it was another one''s.';

-- ── what a closed unit leaves behind ─────────────────────────────────────────────────────────────────────────────────────

CREATE FUNCTION unit_closed_words(which uuid, units ltree[], lang text) RETURNS text
LANGUAGE plpgsql STABLE AS $$
DECLARE
    heir text := (SELECT u.code FROM unit u WHERE u.id = unit_heir(which, units));
BEGIN
    RETURN CASE WHEN heir IS NULL THEN NULL
                WHEN lang = 'en' THEN format('This unit is closed; %s took over.', heir)
                ELSE format('Unit ini sudah ditutup; penerusnya %s.', heir) END;
END $$;
COMMENT ON FUNCTION unit_closed_words(uuid, ltree[], text) IS 'Which unit took over a closed one, if the caller may see it; null: none.';

CREATE OR REPLACE FUNCTION organiser_fault(is_new boolean, held uuid, wanted uuid, units ltree[]) RETURNS organiser_answer
LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF NOT is_new AND NOT organiser_seen(held, units) THEN
        RETURN ('forbidden', NULL, NULL, 'It belongs to another unit than those of this key.', 'Ini milik unit lain, bukan unit kunci ini.')::organiser_answer;
    ELSIF (is_new OR wanted IS DISTINCT FROM held) AND organiser_seen(wanted, units) AND EXISTS (SELECT FROM unit u WHERE u.id = wanted AND u.closed_on IS NOT NULL) THEN
        RETURN ('unit-closed', '/organiser_unit_id', wanted::text, unit_closed_words(wanted, units, 'en'), unit_closed_words(wanted, units, 'id'))::organiser_answer;
    ELSIF organiser_seen(wanted, units) THEN
        RETURN NULL::organiser_answer;
    ELSIF wanted IS NULL THEN
        RETURN ('forbidden', '/organiser_unit_id', NULL, 'What has no unit is the regency''s; this key sees a part only: name one of its units.',
                'Tanpa unit berarti milik kabupaten; kunci ini hanya melihat sebagian: sebutkan salah satu unitnya.')::organiser_answer;
    END IF;
    RETURN ('reference-missing', '/organiser_unit_id', wanted::text, NULL, NULL)::organiser_answer;
END $$;

CREATE OR REPLACE FUNCTION session_quotas_set(which uuid, seen int8multirange, units ltree[], told jsonb) RETURNS SETOF session_answer
LANGUAGE plpgsql AS $$
DECLARE
    s session;
BEGIN
    PERFORM FROM session WHERE id = which FOR UPDATE;
    SELECT * INTO s FROM session_await(which);
    IF NOT FOUND THEN
        RETURN;
    ELSIF NOT seen @> s.version THEN
        RETURN QUERY SELECT 'version-stale', NULL::text, NULL::text, NULL::text, NULL::text, NULL::bigint;
        RETURN;
    ELSIF s.state = 'cancelled' THEN
        RETURN QUERY SELECT 'session-cancelled', NULL::text, NULL::text, NULL::text, NULL::text, NULL::bigint;
        RETURN;
    END IF;
    RETURN QUERY
    WITH q AS MATERIALIZED (SELECT t.n - 1 AS n, (t.q ->> 'unit_id')::uuid AS unit_id FROM jsonb_array_elements(told) WITH ORDINALITY AS t (q, n))
    SELECT CASE WHEN u.id IS NULL THEN 'reference-missing' WHEN f.is_new THEN 'unit-closed' ELSE 'quota-twice' END, '/quotas/' || q.n || '/unit_id', q.unit_id::text,
           CASE WHEN f.is_new THEN unit_closed_words(u.id, units, 'en') END, CASE WHEN f.is_new THEN unit_closed_words(u.id, units, 'id') END, NULL::bigint
    FROM   q LEFT JOIN unit u ON u.id = q.unit_id AND u.path <@ ANY (units)
    CROSS  JOIN LATERAL (SELECT u.closed_on IS NOT NULL
                                AND NOT EXISTS (SELECT FROM session_quota h WHERE h.session_id = which AND h.unit_id = u.id) AS is_new) f
    WHERE  u.id IS NULL OR f.is_new OR EXISTS (SELECT FROM q o WHERE o.n < q.n AND o.unit_id = q.unit_id)
    ORDER  BY q.n;
    IF FOUND THEN
        RETURN;
    END IF;
    RETURN QUERY
    SELECT 'quota-below-taken', '/quotas/' || (t.n - 1) || '/seats', h.n::text, NULL::text, NULL::text, NULL::bigint
    FROM   jsonb_array_elements(told) WITH ORDINALITY AS t (q, n) JOIN unit m ON m.id = (t.q ->> 'unit_id')::uuid
    CROSS  JOIN LATERAL (SELECT count(*) AS n FROM enrolment e JOIN asn a ON a.id = e.asn_id JOIN unit u ON u.id = a.unit_id
                         WHERE  e.session_id = which AND enrolment_holds_seat(e.state) AND u.path <@ m.path) h
    WHERE  h.n > (t.q ->> 'seats')::numeric
    ORDER  BY t.n;
    IF FOUND THEN
        RETURN;
    END IF;
    DELETE FROM session_quota q USING unit u WHERE q.session_id = which AND u.id = q.unit_id AND u.path <@ ANY (units);
    INSERT INTO session_quota (session_id, unit_id, seats)
    SELECT which, (q ->> 'unit_id')::uuid, trunc((q ->> 'seats')::numeric)::integer FROM jsonb_array_elements(told) q;
    UPDATE enrolment e SET quotas = w.quotas
    FROM   (SELECT o.id, session_quotas_of(which, o.asn_id) AS quotas FROM enrolment o WHERE o.session_id = which) w
    WHERE  e.id = w.id AND e.quotas <> w.quotas;
    UPDATE session_quota q
    SET    taken = h.n
    FROM   (SELECT m.unit_id, count(*)::integer AS n
            FROM   enrolment e CROSS JOIN LATERAL unnest(e.quotas) AS m (unit_id)
            WHERE  e.session_id = which AND enrolment_holds_seat(e.state) GROUP BY 1) h
    WHERE  q.session_id = which AND q.unit_id = h.unit_id;
    PERFORM session_promote(which);
    UPDATE session SET title = title WHERE id = which;
    RETURN QUERY SELECT NULL::text, NULL::text, NULL::text, NULL::text, NULL::text, o.version FROM session o WHERE o.id = which;
END $$;
COMMENT ON FUNCTION session_quotas_set(uuid, int8multirange, ltree[], jsonb) IS
    'All quotas that a session has for these units (SessionQuotasTold of openapi.yaml), counted anew by where its people are now; those of other units stay. Refused below what is taken. No row: no such session.';

CREATE FUNCTION session_quotas_hand(which uuid, giver uuid, taker uuid) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO session_quota AS t (session_id, unit_id, seats, taken)
    SELECT q.session_id, taker, q.seats, 0 FROM session_quota q WHERE q.session_id = which AND q.unit_id = giver
    ON CONFLICT ON CONSTRAINT session_quota_pkey DO UPDATE SET seats = least(t.seats + EXCLUDED.seats, 100000);
    DELETE FROM session_quota q WHERE q.session_id = which AND q.unit_id = giver;
    UPDATE enrolment e
    SET    quotas = ARRAY(SELECT DISTINCT m FROM unnest(array_replace(e.quotas, giver, taker)) AS m ORDER BY m)
    WHERE  e.session_id = which AND giver = ANY (e.quotas);
    UPDATE session_quota q
    SET    taken = (SELECT count(*) FROM enrolment e WHERE e.session_id = which AND enrolment_holds_seat(e.state) AND taker = ANY (e.quotas))
    WHERE  q.session_id = which AND q.unit_id = taker;
    PERFORM session_promote(which);
    UPDATE session s SET title = title WHERE s.id = which;
END $$;
COMMENT ON FUNCTION session_quotas_hand(uuid, uuid, uuid) IS 'The quota of a unit in a session goes to another one, added to its own; so do those who were enrolled under it. The session must be locked.';

CREATE FUNCTION unit_hand_training(giver uuid, taker uuid) RETURNS integer
LANGUAGE plpgsql AS $$
DECLARE
    n    integer := 0;
    more integer;
    what text;
BEGIN
    FOREACH what IN ARRAY '{programme,session,partner,agreement,activity,budget_line}'::text[] LOOP
        EXECUTE format('UPDATE %I SET organiser_unit_id = $2 WHERE organiser_unit_id = $1', what) USING giver, taker;
        GET DIAGNOSTICS more = ROW_COUNT;
        n := n + more;
    END LOOP;
    UPDATE programme p
    SET    prerequisites = (SELECT jsonb_agg(CASE WHEN r.rule ->> 'under' = giver::text THEN r.rule || jsonb_build_object('under', taker) ELSE r.rule END ORDER BY r.n)
                            FROM   jsonb_array_elements(p.prerequisites) WITH ORDINALITY AS r (rule, n))
    WHERE  p.prerequisites @> jsonb_build_array(jsonb_build_object('under', giver));
    PERFORM session_quotas_hand(s.id, giver, taker)
    FROM    (SELECT o.id FROM session o JOIN session_quota q ON q.session_id = o.id
             WHERE  q.unit_id = giver AND o.state = 'planned' AND o.ends_on >= local_today() ORDER BY o.id) s;
    RETURN n;
END $$;
COMMENT ON FUNCTION unit_hand_training(uuid, uuid) IS
    'What a closed unit has of training goes to its successor: what it organises, rules of programmes that name it, its quotas in sessions that are not over. Gives how many rows it organised.';

ALTER TYPE unit_reform ADD ATTRIBUTE trainings integer;
COMMENT ON TYPE unit_reform IS 'What became of it: a problem of the catalogue with its place, or the unit that took over and how much went there; trainings: rows that it organises.';

CREATE OR REPLACE FUNCTION unit_await_reform(sources uuid[], target uuid, day date) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(1918, 1);
    PERFORM FROM session s
    WHERE  s.organiser_unit_id = ANY (sources) OR s.id IN (SELECT q.session_id FROM session_quota q WHERE q.unit_id = ANY (sources))
    ORDER  BY s.id FOR NO KEY UPDATE;
    FOR again IN 1 .. 2 LOOP
        PERFORM FROM asn a WHERE a.id IN (SELECT unnest(unit_staff(s.id, day)) FROM unnest(sources) AS s (id)) ORDER BY a.nip FOR NO KEY UPDATE;
        PERFORM FROM unit u WHERE u.id = ANY (sources || target) ORDER BY u.id FOR NO KEY UPDATE;
    END LOOP;
END $$;
COMMENT ON FUNCTION unit_await_reform(uuid[], uuid, date) IS 'Locks the tree, sessions in which the sources have quotas, these units, and the people of the sources; sessions first, as in every step of an enrolment.';

CREATE OR REPLACE FUNCTION unit_end(giver uuid, taker uuid, act jsonb, INOUT told unit_reform)
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
        told.trainings := coalesce(told.trainings, 0) + unit_hand_training(giver, taker);
    END IF;
    told.trainings := coalesce(told.trainings, 0);
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
COMMENT ON FUNCTION unit_end(uuid, uuid, jsonb, unit_reform) IS 'Closes a unit that was judged, and hands what is in it to its successor, its training too.';

SELECT audit_quietly('{row_definer}', $q$
    INSERT INTO row_definer VALUES ('session_quotas_hand', 'Who was enrolled under a unit may stand elsewhere by now')
$q$);

SELECT audit_attach();
SELECT row_security_attach();
