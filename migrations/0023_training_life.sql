-- Training as it is lived: what a programme asks, a session's timetable, quotas and offers, the whole life of an enrolment with who may do
-- which step, attendance and results. docs/training.md.

-- ── programmes ───────────────────────────────────────────────────────────────────────────────────────────────────────────

ALTER TABLE programme
    ADD COLUMN kind            text,
    ADD COLUMN serves          jsonb    NOT NULL DEFAULT '[]' CONSTRAINT programme_serves_list CHECK (jsonb_typeof(serves) = 'array'),
    ADD COLUMN prerequisites   jsonb    NOT NULL DEFAULT '[]' CONSTRAINT programme_prerequisites_list CHECK (jsonb_typeof(prerequisites) = 'array'),
    ADD COLUMN target          text     CONSTRAINT programme_target_length CHECK (length(target) BETWEEN 1 AND 1000),
    ADD COLUMN materials       jsonb    NOT NULL DEFAULT '[]' CONSTRAINT programme_materials_list CHECK (jsonb_typeof(materials) = 'array'),
    ADD COLUMN cost_per_head   bigint   CONSTRAINT programme_cost_per_head_range CHECK (cost_per_head BETWEEN 0 AND 1000000000000),
    ADD COLUMN accreditation   text     CONSTRAINT programme_accreditation_length CHECK (length(accreditation) BETWEEN 1 AND 200),
    ADD COLUMN accredited_until date    CONSTRAINT programme_accredited_until_range CHECK (accredited_until BETWEEN '1900-01-01' AND '2099-12-31'),
    ADD COLUMN for_cpns        boolean  NOT NULL DEFAULT false,
    ADD COLUMN strict          text[]   NOT NULL DEFAULT '{}' CONSTRAINT programme_strict_known CHECK (strict <@ '{on-leave,cpns-only-latsar}'),
    ADD COLUMN needs_test      boolean  NOT NULL DEFAULT false,
    ADD COLUMN min_grade       numeric(5, 2) CONSTRAINT programme_min_grade_range CHECK (min_grade BETWEEN 0 AND 100),
    ADD COLUMN min_attendance  integer  CONSTRAINT programme_min_attendance_range CHECK (min_attendance BETWEEN 0 AND 100),
    ADD COLUMN attendance_only boolean  NOT NULL DEFAULT false,
    ADD CONSTRAINT programme_pass_rule CHECK (NOT (attendance_only AND (needs_test OR min_grade IS NOT NULL)));
CREATE INDEX programme_kind_idx ON programme (kind, code);
COMMENT ON COLUMN programme.kind IS 'Jenis diklat: code of the list training-kind; null: not told';
COMMENT ON COLUMN programme.serves IS 'Competencies that it serves, each with family, competency (list competency-standard) and levels 1 to 5';
COMMENT ON COLUMN programme.prerequisites IS 'Rules that a person must meet to be proposed or enrolled; prerequisite_faults() reads them';
COMMENT ON COLUMN programme.target IS 'For whom it is meant, in words';
COMMENT ON COLUMN programme.materials IS 'Links to its materials: title and url';
COMMENT ON COLUMN programme.cost_per_head IS 'What a participant costs, in rupiah';
COMMENT ON COLUMN programme.accreditation IS 'Accreditation of the programme or its organiser, as it is written';
COMMENT ON COLUMN programme.accredited_until IS 'Last day of the accreditation';
COMMENT ON COLUMN programme.for_cpns IS 'Latsar: the training that a CPNS takes in the probation year';
COMMENT ON COLUMN programme.strict IS 'Warnings that refuse here: on-leave, cpns-only-latsar';
COMMENT ON COLUMN programme.needs_test IS 'Nobody passes without a grade';
COMMENT ON COLUMN programme.min_grade IS 'Grade from which one passes, 0 to 100';
COMMENT ON COLUMN programme.min_attendance IS 'Share of the attendance from which one passes, in percent; commonly 80 to 90, so a setting';
COMMENT ON COLUMN programme.attendance_only IS 'Has no test: the hours count from completed';

CREATE OR REPLACE FUNCTION programme_form_known() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF (TG_OP = 'INSERT' OR NEW.form <> OLD.form) AND NOT reference_holds('training-form', NEW.form, local_today()) THEN
        RAISE EXCEPTION 'no such form' USING ERRCODE = 'P0001', CONSTRAINT = 'programme_form_fkey';
    END IF;
    IF NEW.kind IS NOT NULL AND (TG_OP = 'INSERT' OR NEW.kind IS DISTINCT FROM OLD.kind) AND NOT reference_holds('training-kind', NEW.kind, local_today()) THEN
        RAISE EXCEPTION 'no such kind' USING ERRCODE = 'P0001', CONSTRAINT = 'programme_kind_fkey';
    END IF;
    IF NEW.serves <> '[]' AND (TG_OP = 'INSERT' OR NEW.serves <> OLD.serves) THEN
        PERFORM FROM jsonb_array_elements(NEW.serves) AS c
        WHERE  c ? 'competency' AND NOT reference_holds('competency-standard', c ->> 'competency', local_today())
               OR (c ->> 'level_to')::numeric < (c ->> 'level_from')::numeric;
        IF FOUND THEN
            RAISE EXCEPTION 'no such competency' USING ERRCODE = 'P0001', CONSTRAINT = 'programme_serves_fkey';
        END IF;
    END IF;
    IF NEW.prerequisites <> '[]' AND (TG_OP = 'INSERT' OR NEW.prerequisites <> OLD.prerequisites) THEN
        PERFORM FROM jsonb_array_elements(NEW.prerequisites) AS r
        WHERE  r ? 'programme' AND NOT EXISTS (SELECT FROM programme p WHERE p.code = r ->> 'programme' AND p.id <> NEW.id)
               OR r ? 'under' AND NOT EXISTS (SELECT FROM unit u WHERE u.id = (r ->> 'under')::uuid)
               OR NOT reference_holds('rank-pns', coalesce(r ->> 'from', 'I/a'), local_today())
               OR NOT reference_holds('rank-pns', coalesce(r ->> 'to', 'I/a'), local_today())
               OR NOT reference_holds('rank-pppk', coalesce(r ->> 'from_pppk', 'I'), local_today())
               OR NOT reference_holds('rank-pppk', coalesce(r ->> 'to_pppk', 'I'), local_today());
        IF FOUND THEN
            RAISE EXCEPTION 'a rule of something that is not there' USING ERRCODE = 'P0001', CONSTRAINT = 'programme_prerequisites_fkey';
        END IF;
    END IF;
    RETURN NEW;
END $$;
COMMENT ON FUNCTION programme_form_known() IS 'What a programme refers to must be there on the day on which it is told: form, kind, competencies, what its rules name.';
DROP TRIGGER programme_10_form ON programme;
CREATE TRIGGER programme_10_form BEFORE INSERT OR UPDATE OF form, kind, serves, prerequisites ON programme
    FOR EACH ROW EXECUTE FUNCTION programme_form_known();

CREATE FUNCTION programme_method(form text) RETURNS text
LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
BEGIN
    RETURN (SELECT r.facts ->> 'method' FROM reference r WHERE r.list = 'training-form' AND r.code = form ORDER BY r.valid @> local_today() DESC LIMIT 1);
END $$;
COMMENT ON FUNCTION programme_method(text) IS 'Klasikal, nonklasikal or pendidikan, as the list training-form says of the form.';

-- ── sessions ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

ALTER TABLE session
    ADD COLUMN link                text        CONSTRAINT session_link_length CHECK (length(link) BETWEEN 1 AND 500),
    ADD COLUMN trainers            jsonb       NOT NULL DEFAULT '[]' CONSTRAINT session_trainers_list CHECK (jsonb_typeof(trainers) = 'array'),
    ADD COLUMN registration_opens  timestamptz,
    ADD COLUMN registration_closes timestamptz,
    ADD COLUMN min_participants    integer     CONSTRAINT session_min_participants_range CHECK (min_participants BETWEEN 1 AND 100000),
    ADD COLUMN offer_hours         integer     CONSTRAINT session_offer_hours_range CHECK (offer_hours BETWEEN 1 AND 720),
    ADD COLUMN cancel_reason       text        CONSTRAINT session_cancel_reason_length CHECK (length(cancel_reason) BETWEEN 1 AND 500),
    ADD CONSTRAINT session_registration_window CHECK (registration_opens < registration_closes);
COMMENT ON COLUMN session.link IS 'Where it is held when it is held by distance';
COMMENT ON COLUMN session.trainers IS 'Who teaches: name, and what or in which role';
COMMENT ON COLUMN session.registration_opens IS 'From when people may be enrolled or proposed; null: from now';
COMMENT ON COLUMN session.registration_closes IS 'Until when; null: to the last day';
COMMENT ON COLUMN session.min_participants IS 'With fewer it is not worth holding; the office decides';
COMMENT ON COLUMN session.offer_hours IS 'A freed seat is offered for so long to who is first; null: it is given at once';
COMMENT ON COLUMN session.cancel_reason IS 'Why it was cancelled, as it is told to everybody in it';
COMMENT ON COLUMN session.seats_taken IS 'Enrolments that hold a seat, offers among them; kept by triggers, bounded by session_seats';

CREATE TABLE session_day (
    session_id uuid    NOT NULL CONSTRAINT session_day_session_fkey REFERENCES session,
    day        date    NOT NULL,
    starts     time    NOT NULL,
    ends       time    NOT NULL,
    jp         integer NOT NULL CONSTRAINT session_day_jp_range CHECK (jp BETWEEN 0 AND 24),
    CONSTRAINT session_day_pkey PRIMARY KEY (session_id, day, starts),
    CONSTRAINT session_day_hours CHECK (starts < ends)
);
COMMENT ON TABLE session_day IS 'Timetable of a session; without rows it takes all of its days. Written as a whole by session_days_set().';
COMMENT ON COLUMN session_day.session_id IS 'session.id';
COMMENT ON COLUMN session_day.day IS 'A day of the session';
COMMENT ON COLUMN session_day.starts IS 'From when, local time';
COMMENT ON COLUMN session_day.ends IS 'Until when, local time';
COMMENT ON COLUMN session_day.jp IS 'Learning hours (JP) of this part';

CREATE TABLE session_quota (
    session_id uuid    NOT NULL CONSTRAINT session_quota_session_fkey REFERENCES session,
    unit_id    uuid    NOT NULL CONSTRAINT session_quota_unit_fkey REFERENCES unit,
    seats      integer NOT NULL CONSTRAINT session_quota_seats_range CHECK (seats BETWEEN 0 AND 100000),
    taken      integer NOT NULL DEFAULT 0,
    CONSTRAINT session_quota_pkey PRIMARY KEY (session_id, unit_id),
    CONSTRAINT session_quota_seats CHECK (taken BETWEEN 0 AND seats)
);
CREATE INDEX session_quota_unit_idx ON session_quota (unit_id);
COMMENT ON TABLE session_quota IS 'How many seats of a session the people of a unit and of all below it may hold. Written as a whole by session_quotas_set().';
COMMENT ON COLUMN session_quota.session_id IS 'session.id';
COMMENT ON COLUMN session_quota.unit_id IS 'unit.id';
COMMENT ON COLUMN session_quota.seats IS 'Seats at most';
COMMENT ON COLUMN session_quota.taken IS 'Enrolments that hold one; kept by triggers, bounded by session_quota_seats';

-- ── who may do which step ────────────────────────────────────────────────────────────────────────────────────────────────

CREATE TABLE enrolment_transition (
    "from"       text COLLATE "C" NOT NULL,
    "to"         text COLLATE "C" NOT NULL,
    scope        text COLLATE "C" NOT NULL,
    needs_reason boolean NOT NULL DEFAULT false,
    CONSTRAINT enrolment_transition_pkey PRIMARY KEY ("from", "to", scope)
);
COMMENT ON TABLE enrolment_transition IS 'The life of an enrolment: which state may follow which, and who may take it there. What is not here is refused by the database.';
COMMENT ON COLUMN enrolment_transition."from" IS 'enrolment.state; new: it is being made';
COMMENT ON COLUMN enrolment_transition."to" IS 'enrolment.state that may follow';
COMMENT ON COLUMN enrolment_transition.scope IS
    'Scope of the key that may do it: training.propose (the unit, a superior, the person), training.verify, training.write (the office); system: follows by itself';
COMMENT ON COLUMN enrolment_transition.needs_reason IS 'Whoever does it must say why';
INSERT INTO enrolment_transition
SELECT t.a, t.b, s.scope, t.a <> 'new' AND t.b IN ('returned', 'rejected')
FROM   (VALUES
           ('new', 'draft', '{training.propose,training.write}'::text[]), ('new', 'proposed', '{training.propose,training.write}'),
           ('new', 'approved', '{training.write}'), ('new', 'waitlisted', '{training.write}'),
           ('draft', 'proposed', '{training.propose,training.write}'), ('draft', 'cancelled', '{training.propose,training.write,system}'),
           ('proposed', 'verified', '{training.verify,training.write}'), ('proposed', 'returned', '{training.verify,training.write}'),
           ('proposed', 'rejected', '{training.verify,training.write}'), ('proposed', 'cancelled', '{system}'),
           ('returned', 'proposed', '{training.propose,training.write}'), ('returned', 'cancelled', '{training.propose,training.write,system}'),
           ('verified', 'approved', '{training.write}'), ('verified', 'waitlisted', '{training.write}'), ('verified', 'rejected', '{training.write}'),
           ('verified', 'cancelled', '{system}'),
           ('waitlisted', 'approved', '{system}'), ('waitlisted', 'offered', '{system}'),
           ('waitlisted', 'cancelled', '{training.propose,training.write,system}'),
           ('offered', 'approved', '{training.propose,training.write}'), ('offered', 'cancelled', '{training.propose,training.write,system}'),
           ('approved', 'attending', '{training.write}'), ('approved', 'no_show', '{training.write}'),
           ('approved', 'cancelled', '{training.propose,training.write,system}'),
           ('attending', 'completed', '{training.write}'), ('attending', 'withdrawn', '{training.write}'),
           ('attending', 'passed', '{training.write}'), ('attending', 'failed', '{training.write}'),
           ('completed', 'passed', '{training.write}'), ('completed', 'failed', '{training.write}'),
           ('passed', 'certified', '{training.write}'), ('certified', 'synced', '{training.write}')) AS t (a, b, scopes)
CROSS  JOIN LATERAL unnest(t.scopes) AS s (scope);

-- Not IMMUTABLE any more: it reads the table.
CREATE OR REPLACE FUNCTION enrolment_may_become(state text, next text) RETURNS boolean
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN EXISTS (SELECT FROM enrolment_transition t WHERE t."from" = state AND t."to" = next);
END $$;
COMMENT ON FUNCTION enrolment_may_become(text, text) IS 'The order of states, by whomever: enrolment_transition.';

CREATE OR REPLACE FUNCTION enrolment_holds_seat(state text) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN state IN ('offered', 'approved', 'attending', 'completed', 'passed', 'failed', 'certified', 'synced');
COMMENT ON FUNCTION enrolment_holds_seat(text) IS 'Whether an enrolment in this state counts in session.seats_taken and in its quotas.';

-- ── enrolments ───────────────────────────────────────────────────────────────────────────────────────────────────────────

ALTER TABLE enrolment
    DROP CONSTRAINT enrolment_state_known,
    DROP CONSTRAINT enrolment_no_overlap,
    DROP CONSTRAINT enrolment_jp_only_passed,
    ADD COLUMN route           text     NOT NULL DEFAULT 'office' CONSTRAINT enrolment_route_known CHECK (route IN ('office', 'unit', 'self')),
    ADD COLUMN priority        integer  NOT NULL DEFAULT 0 CONSTRAINT enrolment_priority_range CHECK (priority BETWEEN 0 AND 9),
    ADD COLUMN priority_reason text     CONSTRAINT enrolment_priority_reason_length CHECK (length(priority_reason) BETWEEN 1 AND 500),
    ADD COLUMN offer_until     timestamptz,
    ADD COLUMN hours           tsmultirange,
    ADD COLUMN quotas          uuid[]   NOT NULL DEFAULT '{}',
    ADD COLUMN warnings        text[]   NOT NULL DEFAULT '{}',
    ADD COLUMN reason          text     CONSTRAINT enrolment_reason_length CHECK (length(reason) BETWEEN 1 AND 500),
    ADD COLUMN attendance      numeric(5, 2) CONSTRAINT enrolment_attendance_range CHECK (attendance BETWEEN 0 AND 100),
    ADD COLUMN pre_test        numeric(5, 2) CONSTRAINT enrolment_pre_test_range CHECK (pre_test BETWEEN 0 AND 100),
    ADD COLUMN post_test       numeric(5, 2) CONSTRAINT enrolment_post_test_range CHECK (post_test BETWEEN 0 AND 100),
    ADD COLUMN grade           numeric(5, 2) CONSTRAINT enrolment_grade_range CHECK (grade BETWEEN 0 AND 100),
    ADD CONSTRAINT enrolment_state_known CHECK (state IN ('draft', 'proposed', 'returned', 'verified', 'waitlisted', 'offered', 'approved', 'attending',
        'completed', 'passed', 'failed', 'certified', 'synced', 'rejected', 'no_show', 'withdrawn', 'cancelled')),
    ADD CONSTRAINT enrolment_jp_only_passed CHECK (CASE WHEN state IN ('passed', 'certified', 'synced') THEN jp IS NOT NULL
                                                        WHEN state <> 'completed' THEN jp IS NULL ELSE true END),
    ADD CONSTRAINT enrolment_offer_ends CHECK ((offer_until IS NOT NULL) = (state = 'offered'));
ALTER TABLE enrolment DISABLE TRIGGER USER;
UPDATE enrolment SET hours = tsmultirange(tsrange(lower(days), upper(days)));
ALTER TABLE enrolment ENABLE TRIGGER USER;
ALTER TABLE enrolment ALTER COLUMN hours SET NOT NULL;
DROP INDEX enrolment_person_once;
CREATE UNIQUE INDEX enrolment_person_once ON enrolment (session_id, asn_id)
    WHERE state NOT IN ('rejected', 'no_show', 'withdrawn', 'cancelled');
-- Who is only proposed may be proposed for two sessions of one day. Waiting counts, so that whoever moves up can never meet an overlap then.
ALTER TABLE enrolment ADD CONSTRAINT enrolment_no_overlap EXCLUDE USING gist (asn_id WITH =, hours WITH &&)
    WHERE (state IN ('waitlisted', 'offered', 'approved', 'attending'));
DROP INDEX enrolment_queue_idx;
CREATE INDEX enrolment_queue_idx ON enrolment (session_id, priority DESC, queue_place) WHERE state = 'waitlisted';
CREATE INDEX enrolment_session_turn_idx ON enrolment (session_id, (9 - priority), coalesce(queue_place, 0), id);
CREATE INDEX enrolment_offer_idx ON enrolment (session_id, offer_until) WHERE state = 'offered';
COMMENT ON COLUMN enrolment.state IS
    'draft (draf), proposed (diusulkan), returned (perbaikan), verified (terverifikasi), waitlisted (daftar tunggu), offered (ditawari), approved (ditetapkan), attending (mengikuti), completed (selesai), passed (lulus), failed (tidak lulus), certified (bersertifikat), synced (terkirim SIASN), rejected (ditolak), no_show (tidak hadir), withdrawn (mengundurkan diri), cancelled (batal)';
COMMENT ON COLUMN enrolment.queue_place IS 'Place on the session''s waiting list, 1 …, given once; null: never waited. Among equal priorities the lower comes first';
COMMENT ON COLUMN enrolment.jp IS 'Learning hours gained (JP); null: none count. Of passed and what follows it, and of completed where attendance is all that is asked';
COMMENT ON COLUMN enrolment.route IS 'Who brought it: office, unit (nomination by the unit or the superior), self (the person)';
COMMENT ON COLUMN enrolment.priority IS '0 to 9; on the waiting list the higher comes first';
COMMENT ON COLUMN enrolment.priority_reason IS 'Why it has another priority than 0';
COMMENT ON COLUMN enrolment.offer_until IS 'Of offered: until when the seat is held for an answer';
COMMENT ON COLUMN enrolment.hours IS 'When the person is taken, local time: the timetable of the session, without one all its days; for the overlap constraint';
COMMENT ON COLUMN enrolment.quotas IS 'Units of the session''s quotas under which the person was when enrolled, or when quotas were set';
COMMENT ON COLUMN enrolment.warnings IS 'What speaks against it without forbidding it: on-leave, cpns-only-latsar';
COMMENT ON COLUMN enrolment.reason IS 'Why it came into its present state, if that was said; offer-lapsed, session-cancelled: by itself';
COMMENT ON COLUMN enrolment.attendance IS 'Share of the session that the person was present, in percent of its JP, else of its days; null: nothing is noted';
COMMENT ON COLUMN enrolment.pre_test IS 'Result of the test before it, 0 to 100';
COMMENT ON COLUMN enrolment.post_test IS 'Result of the test after it, 0 to 100';
COMMENT ON COLUMN enrolment.grade IS 'Grade by which one passes, 0 to 100';

CREATE OR REPLACE VIEW enrolment_of_person AS
SELECT e.id, e.session_id, e.asn_id, e.state, e.queue_place, e.days, e.jp, e.version, e.created_at, e.updated_at, coalesce(e.queue_place, 0) AS place,
       a.nip, a.name, u.path AS unit_path, e.route, e.priority, e.priority_reason, e.offer_until, e.hours, e.quotas, e.warnings, e.reason, e.attendance,
       e.pre_test, e.post_test, e.grade
FROM   enrolment e
JOIN   asn a ON a.id = e.asn_id
JOIN   unit u ON u.id = a.unit_id;

CREATE VIEW enrolment_entry AS
SELECT e.id, e.session_id, e.nip, e.name, e.state, e.reason, e.route, e.queue_place, e.priority, e.priority_reason, e.offer_until, e.warnings, e.attendance,
       e.pre_test, e.post_test, e.grade, e.jp, e.version, e.created_at, e.updated_at, e.place AS _place, 9 - e.priority AS _turn, e.asn_id AS _asn_id,
       e.unit_path AS _unit_path
FROM   enrolment_of_person e;
COMMENT ON VIEW enrolment_entry IS 'Enrolments as the API shows them. Of _columns the API shows nothing.';

CREATE TABLE enrolment_step_taken (
    seq          bigint      CONSTRAINT enrolment_step_taken_pkey PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    enrolment_id uuid        NOT NULL CONSTRAINT enrolment_step_taken_enrolment_fkey REFERENCES enrolment,
    "from"       text        NOT NULL,
    "to"         text        NOT NULL,
    reason       text,
    actor_key    uuid,
    actor_name   text,
    at           timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX enrolment_step_taken_enrolment_idx ON enrolment_step_taken (enrolment_id, seq);
COMMENT ON TABLE enrolment_step_taken IS 'Each step of an enrolment''s life, in the order in which they were taken (of one session: under its lock).';
COMMENT ON COLUMN enrolment_step_taken.seq IS 'Order';
COMMENT ON COLUMN enrolment_step_taken.enrolment_id IS 'enrolment.id';
COMMENT ON COLUMN enrolment_step_taken."from" IS 'State before; new: it was made';
COMMENT ON COLUMN enrolment_step_taken."to" IS 'State after';
COMMENT ON COLUMN enrolment_step_taken.reason IS 'Why, if it was said';
COMMENT ON COLUMN enrolment_step_taken.actor_key IS 'api_key.id of who did it; null: it followed by itself';
COMMENT ON COLUMN enrolment_step_taken.actor_name IS 'Name of that key then';
COMMENT ON COLUMN enrolment_step_taken.at IS 'When';

CREATE FUNCTION enrolment_note() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
    before text := CASE TG_OP WHEN 'INSERT' THEN 'new' ELSE OLD.state END;
    itself boolean := before = 'waitlisted' AND NEW.state <> 'cancelled' OR before = 'offered' AND NEW.reason = 'offer-lapsed';
BEGIN
    IF TG_OP = 'INSERT' OR NEW.state <> OLD.state THEN
        INSERT INTO enrolment_step_taken (enrolment_id, "from", "to", reason, actor_key, actor_name)
        SELECT NEW.id, before, NEW.state, NEW.reason, nullif(CASE WHEN NOT itself THEN current_setting('asnd.actor_key', true) END, '')::uuid,
               nullif(CASE WHEN NOT itself THEN current_setting('asnd.actor_name', true) END, '');
    END IF;
    RETURN NULL;
END $$;
COMMENT ON FUNCTION enrolment_note() IS 'Notes each step, with whom enrolment_by() named for this transaction.';
-- Before enrolment_30_count: what a freed seat sets off comes after what freed it.
CREATE TRIGGER enrolment_25_note AFTER INSERT OR UPDATE OF state ON enrolment FOR EACH ROW EXECUTE FUNCTION enrolment_note();

CREATE FUNCTION enrolment_by(by_key uuid, by_name text) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config('asnd.actor_key', coalesce(by_key::text, ''), true), set_config('asnd.actor_name', coalesce(by_name, ''), true);
END $$;
COMMENT ON FUNCTION enrolment_by(uuid, text) IS 'Who takes the steps of this transaction.';

-- ── seats ────────────────────────────────────────────────────────────────────────────────────────────────────────────────

CREATE FUNCTION session_hours(which uuid) RETURNS tsmultirange
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN coalesce((SELECT range_agg(tsrange(d.day + d.starts, d.day + d.ends)) FROM session_day d WHERE d.session_id = which),
                    (SELECT tsmultirange(tsrange(s.starts_on, s.ends_on + 1)) FROM session s WHERE s.id = which));
END $$;
COMMENT ON FUNCTION session_hours(uuid) IS 'When a session takes its people: its timetable, without one all its days.';

CREATE FUNCTION session_quotas_of(which uuid, who uuid) RETURNS uuid[]
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN ARRAY(SELECT q.unit_id
                 FROM   session_quota q JOIN unit n ON n.id = q.unit_id
                 WHERE  q.session_id = which AND (SELECT u.path FROM asn a JOIN unit u ON u.id = a.unit_id WHERE a.id = who) <@ n.path
                 ORDER  BY q.unit_id);
END $$;
COMMENT ON FUNCTION session_quotas_of(uuid, uuid) IS 'The quotas of a session (by unit) under which a person falls today.';

CREATE FUNCTION session_quota_full(which uuid, mine uuid[]) RETURNS boolean
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN mine <> '{}' AND EXISTS (SELECT FROM session_quota q WHERE q.session_id = which AND q.unit_id = ANY (mine) AND q.taken >= q.seats);
END $$;
COMMENT ON FUNCTION session_quota_full(uuid, uuid[]) IS 'Whether one of these quotas has no seat left.';

CREATE FUNCTION session_has_room(s session, mine uuid[]) RETURNS boolean
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN s.seats_taken < s.capacity AND NOT session_quota_full(s.id, mine)
           AND (s.waiting = 0
                OR NOT EXISTS (SELECT FROM (SELECT DISTINCT e.quotas FROM enrolment e WHERE e.session_id = s.id AND e.state = 'waitlisted') w
                               WHERE  NOT session_quota_full(s.id, w.quotas)));
END $$;
COMMENT ON FUNCTION session_has_room(session, uuid[]) IS
    'Whether somebody under these quotas gets a seat at once: one is free, and nobody waits who could have it. The session must be locked.';

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
            SET    state = CASE WHEN s.offer_hours IS NULL THEN 'approved' ELSE 'offered' END, reason = NULL,
                   offer_until = clock_timestamp() + make_interval(hours => s.offer_hours)
            WHERE  e.id = mine;
        END LOOP;
    END LOOP;
END $$;
COMMENT ON FUNCTION session_promote(uuid) IS
    'Free seats go to those who wait, by priority, then place, passing over whose quota is full; given, or offered where the session says so, while it takes people.';

-- The way in for whatever is decided about a session: its lock, and offers that have run out make way first.
CREATE FUNCTION session_await(which uuid) RETURNS SETOF session
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM session s WHERE s.id = which FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    PERFORM FROM enrolment e WHERE e.session_id = which AND e.state = 'offered' AND e.offer_until <= clock_timestamp();
    IF FOUND THEN
        UPDATE enrolment e
        SET    state = 'cancelled', offer_until = NULL, reason = 'offer-lapsed'
        WHERE  e.session_id = which AND e.state = 'offered' AND e.offer_until <= clock_timestamp();
    END IF;
    RETURN QUERY SELECT * FROM session s WHERE s.id = which;
END $$;
COMMENT ON FUNCTION session_await(uuid) IS 'Locks a session and lets its overdue offers lapse, whereby the next get theirs; the session as it is then.';

CREATE FUNCTION offers_lapse() RETURNS integer
LANGUAGE plpgsql AS $$
DECLARE
    which uuid;
    done  integer := 0;
BEGIN
    FOR which IN
        SELECT s.id FROM session s
        WHERE  s.id IN (SELECT e.session_id FROM enrolment e WHERE e.state = 'offered' AND e.offer_until <= clock_timestamp())
        ORDER  BY s.id FOR NO KEY UPDATE SKIP LOCKED
    LOOP
        PERFORM session_await(which);
        done := done + 1;
    END LOOP;
    RETURN done;
END $$;
COMMENT ON FUNCTION offers_lapse() IS 'Lets overdue offers lapse, but for sessions that somebody holds: who does, does it. Gives the number of sessions.';

CREATE OR REPLACE FUNCTION enrolment_enter() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
    s      session;
    person asn;
    rules  jsonb;
    sits   boolean;
BEGIN
    SELECT a.* INTO person FROM asn a WHERE a.id = NEW.asn_id;
    IF NOT coalesce((SELECT l.in_service FROM legal_status l WHERE l.code = person.legal_status), true) THEN
        RAISE EXCEPTION 'not in service' USING ERRCODE = 'P0001', CONSTRAINT = 'enrolment_in_service';
    END IF;
    SELECT * INTO s FROM session_await(NEW.session_id);
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no such session' USING ERRCODE = 'P0001', CONSTRAINT = 'enrolment_session_fkey';
    END IF;
    IF s.state <> 'planned' OR s.ends_on < local_today() THEN
        RAISE EXCEPTION 'the session takes nobody' USING ERRCODE = 'P0001', CONSTRAINT = 'enrolment_session_open';
    END IF;
    IF s.registration_opens > clock_timestamp() OR s.registration_closes <= clock_timestamp() THEN
        RAISE EXCEPTION 'not in the time of registration' USING ERRCODE = 'P0001', CONSTRAINT = 'enrolment_registration';
    END IF;
    NEW.days := daterange(s.starts_on, s.ends_on, '[]');
    NEW.hours := session_hours(s.id);
    NEW.quotas := session_quotas_of(s.id, NEW.asn_id);
    NEW.jp := NULL;
    NEW.queue_place := NULL;
    NEW.offer_until := NULL;
    IF NEW.state = 'draft' THEN
        RETURN NEW;
    END IF;
    SELECT p.prerequisites INTO rules FROM programme p WHERE p.id = s.programme_id;
    IF rules <> '[]' AND EXISTS (SELECT FROM prerequisite_faults(person, rules)) THEN
        RAISE EXCEPTION 'the programme asks for more' USING ERRCODE = 'P0001', CONSTRAINT = 'enrolment_prerequisite';
    END IF;
    IF NEW.state = 'proposed' THEN
        RETURN NEW;
    END IF;
    sits := session_has_room(s, NEW.quotas);
    NEW.state := CASE WHEN sits THEN 'approved' ELSE 'waitlisted' END;
    NEW.queue_place := CASE WHEN NOT sits THEN s.queue_last + 1 END;
    UPDATE session
    SET    seats_taken = seats_taken + sits::integer, waiting = waiting + (NOT sits)::integer, queue_last = queue_last + (NOT sits)::integer
    WHERE  id = s.id;
    IF sits AND NEW.quotas <> '{}' THEN
        UPDATE session_quota q SET taken = taken + 1 WHERE q.session_id = s.id AND q.unit_id = ANY (NEW.quotas);
    END IF;
    RETURN NEW;
END $$;
COMMENT ON FUNCTION enrolment_enter() IS 'Seat or waiting list, decided under the session''s lock; a draft or a proposal has neither yet.';

CREATE OR REPLACE FUNCTION enrolment_step() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
    s session;
BEGIN
    IF NEW.session_id <> OLD.session_id OR NEW.asn_id <> OLD.asn_id AND NOT is_merging() OR NEW.queue_place IS DISTINCT FROM OLD.queue_place THEN
        RAISE EXCEPTION 'who, where and place are for ever' USING ERRCODE = 'P0001', CONSTRAINT = 'enrolment_fixed';
    END IF;
    IF NEW.state = OLD.state THEN
        RETURN NEW;
    END IF;
    IF NOT enrolment_may_become(OLD.state, NEW.state) THEN
        RAISE EXCEPTION '% does not become %', OLD.state, NEW.state USING ERRCODE = 'P0001', CONSTRAINT = 'enrolment_state_order';
    END IF;
    IF OLD.state = 'offered' THEN
        IF NEW.state = 'approved' AND OLD.offer_until <= clock_timestamp() THEN
            RAISE EXCEPTION 'the offer has run out' USING ERRCODE = 'P0001', CONSTRAINT = 'enrolment_offer_until';
        END IF;
        NEW.offer_until := NULL;
    END IF;
    IF NEW.state IN ('attending', 'no_show') THEN
        SELECT * INTO s FROM session WHERE id = NEW.session_id;
        IF s.starts_on > local_today() THEN
            RAISE EXCEPTION 'the session has not begun' USING ERRCODE = 'P0001', CONSTRAINT = 'enrolment_session_begun';
        END IF;
    ELSIF OLD.state = 'verified' AND NEW.state IN ('approved', 'waitlisted') THEN
        SELECT * INTO s FROM session WHERE id = NEW.session_id FOR NO KEY UPDATE;
        IF s.state <> 'planned' OR s.ends_on < local_today() THEN
            RAISE EXCEPTION 'the session takes nobody' USING ERRCODE = 'P0001', CONSTRAINT = 'enrolment_session_open';
        END IF;
        NEW.quotas := session_quotas_of(s.id, NEW.asn_id);
        IF session_has_room(s, NEW.quotas) THEN
            NEW.state := 'approved';
        ELSE
            NEW.state := 'waitlisted';
            UPDATE session SET queue_last = queue_last + 1 WHERE id = s.id RETURNING queue_last INTO NEW.queue_place;
        END IF;
    END IF;
    RETURN NEW;
END $$;
COMMENT ON FUNCTION enrolment_step() IS
    'Holds the order of states; person and session never change, nor the place in the queue, which is given here to who is approved when there is no seat.';

CREATE OR REPLACE FUNCTION enrolment_count() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
    held  integer := enrolment_holds_seat(NEW.state)::integer - enrolment_holds_seat(OLD.state)::integer;
    waits integer := (NEW.state = 'waitlisted')::integer - (OLD.state = 'waitlisted')::integer;
BEGIN
    IF held <> 0 OR waits <> 0 THEN
        UPDATE session SET seats_taken = seats_taken + held, waiting = waiting + waits WHERE id = NEW.session_id;
    END IF;
    IF held <> 0 AND NEW.quotas <> '{}' THEN
        UPDATE session_quota q SET taken = q.taken + held WHERE q.session_id = NEW.session_id AND q.unit_id = ANY (NEW.quotas);
    END IF;
    IF held < 0 THEN
        PERFORM session_promote(NEW.session_id);
    END IF;
    RETURN NULL;
END $$;
COMMENT ON FUNCTION enrolment_count() IS 'Keeps the counts of the session and its quotas; a freed seat goes on in the same transaction.';

DROP TRIGGER enrolment_20_touch ON enrolment;
CREATE TRIGGER enrolment_20_touch
    BEFORE UPDATE OF state, jp, priority, priority_reason, offer_until, warnings, reason, attendance, pre_test, post_test, grade ON enrolment
    FOR EACH ROW EXECUTE FUNCTION touch_row();

-- ── what speaks against somebody's taking part ───────────────────────────────────────────────────────────────────────────

CREATE FUNCTION rank_within(kind text, rank text, lowest text, highest text) RETURNS boolean
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN coalesce((SELECT r.seq >= coalesce((SELECT l.seq FROM reference l WHERE l.list = r.list AND l.code = lowest AND l.valid @> local_today()), r.seq)
                            AND r.seq <= coalesce((SELECT h.seq FROM reference h WHERE h.list = r.list AND h.code = highest AND h.valid @> local_today()), r.seq)
                     FROM   reference r
                     WHERE  r.list = 'rank-' || lower(kind) AND r.code = rank AND r.valid @> local_today()), false)
           AND (lowest IS NOT NULL OR highest IS NOT NULL);
END $$;
COMMENT ON FUNCTION rank_within(text, text, text, text) IS 'Whether a golongan of that kind (PNS, PPPK) lies between the two; false without either.';

CREATE FUNCTION training_record(who uuid, which text) RETURNS text
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN coalesce((SELECT 'passed'
                     FROM   enrolment e JOIN session s ON s.id = e.session_id JOIN programme p ON p.id = s.programme_id
                     WHERE  e.asn_id = who AND p.code = which AND (e.state IN ('passed', 'certified', 'synced') OR e.state = 'completed' AND e.jp IS NOT NULL)
                     LIMIT  1),
                    (SELECT 'passed'
                     FROM   history h JOIN programme p ON p.code = which
                     WHERE  h.asn_id = who AND h.kind = 'course' AND NOT h.is_void AND name_key(h.facts ->> 'name') = p.name_key LIMIT 1),
                    (SELECT e.state
                     FROM   enrolment e JOIN session s ON s.id = e.session_id JOIN programme p ON p.id = s.programme_id
                     WHERE  e.asn_id = who AND p.code = which ORDER BY e.id DESC LIMIT 1));
END $$;
COMMENT ON FUNCTION training_record(uuid, text) IS
    'How a person stands in the programme with that code: passed here or by a course of that name in the histories, else the latest state; null: never.';

-- Each branch gives what is required and what there is, in the words of the codes themselves.
CREATE FUNCTION prerequisite_faults(person asn, rules jsonb) RETURNS TABLE (place integer, rule text, required text, present text)
LANGUAGE plpgsql STABLE AS $$
DECLARE
    r       jsonb;
    allowed text[];
    is_met  boolean;
BEGIN
    FOR i IN 0 .. jsonb_array_length(rules) - 1 LOOP
        place := i;
        r := rules -> i;
        rule := r ->> 'rule';
        allowed := ARRAY(SELECT jsonb_array_elements_text(r -> 'one_of'));
        required := array_to_string(allowed, ', ');
        CASE rule
        WHEN 'training' THEN
            required := 'passed ' || (r ->> 'programme');
            present := training_record(person.id, r ->> 'programme');
            is_met := coalesce(present = 'passed', false);
        WHEN 'rank' THEN
            present := person.rank;
            IF person.rank_kind = 'PNS' THEN
                is_met := rank_within('PNS', person.rank, r ->> 'from', r ->> 'to');
                required := concat_ws(' – ', coalesce(r ->> 'from', '…'), coalesce(r ->> 'to', '…'));
            ELSE
                is_met := rank_within('PPPK', person.rank, r ->> 'from_pppk', r ->> 'to_pppk');
                required := CASE WHEN r ?| '{from_pppk,to_pppk}' THEN concat_ws(' – ', coalesce(r ->> 'from_pppk', '…'), coalesce(r ->> 'to_pppk', '…'))
                                 ELSE concat_ws(' – ', coalesce(r ->> 'from', '…'), coalesce(r ->> 'to', '…')) END;
            END IF;
        WHEN 'position_kind' THEN
            present := person.position_kind;
            is_met := coalesce(present = ANY (allowed), false);
        WHEN 'kind' THEN
            present := person.kind;
            is_met := present = ANY (allowed);
        WHEN 'legal_status' THEN
            present := person.legal_status;
            is_met := present = ANY (allowed);
        WHEN 'unit' THEN
            SELECT u.code INTO required FROM unit u WHERE u.id = (r ->> 'under')::uuid;
            SELECT u.code, u.path <@ (SELECT n.path FROM unit n WHERE n.id = (r ->> 'under')::uuid) INTO present, is_met
            FROM   unit u WHERE u.id = person.unit_id;
        END CASE;
        IF NOT coalesce(is_met, false) THEN
            RETURN NEXT;
        END IF;
    END LOOP;
END $$;
COMMENT ON FUNCTION prerequisite_faults(asn, jsonb) IS 'The rules of a programme that a person does not meet: its place in the list, the rule, what is required and what there is.';

CREATE FUNCTION enrolment_warned(person asn, s session, p programme) RETURNS TABLE (warning text, fact text)
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN QUERY
    SELECT 'on-leave', h.starts || coalesce(' – ' || (upper(h.valid) - 1), ' –')
    FROM   history h
    WHERE  h.asn_id = person.id AND h.kind = 'leave' AND NOT h.is_void AND h.valid && daterange(s.starts_on, s.ends_on, '[]')
    ORDER  BY h.starts LIMIT 1;
    IF person.kind = 'CPNS' AND NOT p.for_cpns THEN
        RETURN QUERY SELECT 'cpns-only-latsar', p.code;
    END IF;
END $$;
COMMENT ON FUNCTION enrolment_warned(asn, session, programme) IS
    'What speaks against it by rules that are practice, not law here: a leave on its days, a CPNS in another training than Latsar. They refuse where programme.strict says so.';

CREATE TYPE enrolment_answer AS (problem text, pointer text, value text, word_en text, word_id text, entry enrolment_entry);
COMMENT ON TYPE enrolment_answer IS 'What became of it: a problem of the catalogue with its place and words, one row each; or the enrolment as it is now.';

CREATE FUNCTION enrolment_refused(problem text, pointer text, value text, word_en text DEFAULT NULL, word_id text DEFAULT NULL) RETURNS enrolment_answer
LANGUAGE sql IMMUTABLE
RETURN (problem, pointer, value, word_en, word_id, NULL)::enrolment_answer;
COMMENT ON FUNCTION enrolment_refused(text, text, text, text, text) IS 'A refusal.';

-- at: the member of the body that a problem of the person is told of; null: there is no body.
CREATE FUNCTION enrolment_faults(person asn, s session, p programme, sits boolean, at text, mine uuid DEFAULT NULL) RETURNS SETOF enrolment_answer
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
                                  format('Syarat %s (%s) program %s tidak terpenuhi: diperlukan %s, pegawai ini %s.', f.place + 1, f.rule, p.code, f.required,
                                         coalesce(f.present, 'tidak ada')))).*
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
COMMENT ON FUNCTION enrolment_faults(asn, session, programme, boolean, text, uuid) IS
    'Why a person cannot take part, each with its fact. sits: a seat or a place in the queue is asked for, so other sessions count too.';

-- ── steps ────────────────────────────────────────────────────────────────────────────────────────────────────────────────

CREATE FUNCTION enrolment_step_fault(state text, next text, scopes text[], at text, why text) RETURNS SETOF enrolment_answer
LANGUAGE plpgsql STABLE AS $$
DECLARE
    able   text[];
    onward text;
    may    boolean;
    reason boolean;
BEGIN
    SELECT array_agg(t.scope ORDER BY t.scope), bool_or(scope_held(scopes, t.scope)), bool_or(t.needs_reason) INTO able, may, reason
    FROM   enrolment_transition t WHERE t."from" = state AND t."to" = next AND t.scope <> 'system';
    IF able IS NULL THEN
        SELECT string_agg(DISTINCT t."to", ', ') INTO onward FROM enrolment_transition t WHERE t."from" = state AND t.scope <> 'system';
        RETURN NEXT enrolment_refused('enrolment-state', at, state, format('From %s it goes to %s.', state, coalesce(onward, 'nothing else')),
            format('Dari %s hanya menjadi %s.', state, coalesce(onward, 'tidak ada lagi')));
    ELSIF NOT may THEN
        RETURN NEXT enrolment_refused('forbidden', at, next,
            format('From %s to %s takes a key with the scope %s.', state, next, array_to_string(able, ' or ')),
            format('Dari %s ke %s memerlukan kunci dengan cakupan %s.', state, next, array_to_string(able, ' atau ')));
    ELSIF reason AND why IS NULL THEN
        RETURN NEXT enrolment_refused('reason-missing', '/reason', NULL);
    END IF;
END $$;
COMMENT ON FUNCTION enrolment_step_fault(text, text, text[], text, text) IS 'Why a caller with these scopes may not take an enrolment from one state to the next; no row: he may.';

CREATE FUNCTION enrolment_create(which uuid, wanted uuid, number text, first text, units ltree[], scopes text[], told jsonb, by_key uuid, by_name text)
RETURNS SETOF enrolment_answer
LANGUAGE plpgsql AS $$
DECLARE
    person asn;
    s      session;
    p      programme;
BEGIN
    PERFORM enrolment_by(by_key, by_name);
    SELECT a.* INTO person FROM asn a JOIN unit u ON u.id = a.unit_id WHERE a.nip = number AND u.path <@ ANY (units);
    IF NOT FOUND THEN
        RETURN NEXT enrolment_refused('reference-missing', '/nip', number);
        RETURN;
    END IF;
    RETURN QUERY SELECT * FROM enrolment_step_fault('new', first, scopes, NULL, NULL);
    IF FOUND THEN
        RETURN;
    END IF;
    SELECT * INTO s FROM session_await(wanted);
    IF NOT FOUND THEN
        RETURN NEXT enrolment_refused('reference-missing', '/session_id', wanted::text);
        RETURN;
    END IF;
    SELECT * INTO p FROM programme WHERE id = s.programme_id;
    IF first <> 'draft' THEN
        RETURN QUERY SELECT * FROM enrolment_faults(person, s, p, first NOT IN ('draft', 'proposed'), '/nip');
        IF FOUND THEN
            RETURN;
        END IF;
    END IF;
    INSERT INTO enrolment (id, session_id, asn_id, state, route, priority, priority_reason, warnings, reason)
    VALUES (which, wanted, person.id, first, coalesce(told ->> 'route', 'office'), coalesce(trunc((told ->> 'priority')::numeric)::integer, 0),
            told ->> 'priority_reason', ARRAY(SELECT w.warning FROM enrolment_warned(person, s, p) w ORDER BY 1), told ->> 'reason');
    RETURN QUERY SELECT NULL::text, NULL::text, NULL::text, NULL::text, NULL::text, e FROM enrolment_entry e WHERE e.id = which;
END $$;
COMMENT ON FUNCTION enrolment_create(uuid, uuid, text, text, ltree[], text[], jsonb, uuid, text) IS
    'A new enrolment of the person with that NIP in these units. first: draft, proposed, or approved: that is a seat or the waiting list, as it comes.';

-- What passing asks, against what there is.
CREATE FUNCTION enrolment_verdict(me enrolment) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
DECLARE
    p     programme;
    rules jsonb;
BEGIN
    SELECT q.* INTO p FROM session s JOIN programme q ON q.id = s.programme_id WHERE s.id = me.session_id;
    SELECT coalesce(jsonb_agg(jsonb_build_object('rule', v.rule, 'required', v.required, 'present', v.present, 'is_met', v.present >= v.required) ORDER BY v.turn), '[]')
    INTO   rules
    FROM   (VALUES (1, 'attendance', p.min_attendance::numeric, me.attendance, p.min_attendance IS NOT NULL),
                   (2, 'grade', coalesce(p.min_grade, 0), me.grade, p.needs_test OR p.min_grade IS NOT NULL)) AS v (turn, rule, required, present, holds)
    WHERE  v.holds;
    RETURN jsonb_build_object('verdict', CASE WHEN rules = '[]' THEN 'free'
                                              WHEN rules @> '[{"is_met": false}]' THEN 'failed'
                                              WHEN rules @> '[{"is_met": null}]' THEN 'open'
                                              ELSE 'passed' END, 'rules', rules);
END $$;
COMMENT ON FUNCTION enrolment_verdict(enrolment) IS
    'passed or failed by the rules of the programme, open while a fact is missing, free where there is no rule and the office decides; and each rule with its fact.';

DROP FUNCTION enrolment_act(uuid, ltree[], text, integer);
CREATE FUNCTION enrolment_act(which uuid, units ltree[], next text, told_hours integer DEFAULT NULL, why text DEFAULT NULL) RETURNS SETOF enrolment_of_person
LANGUAGE plpgsql AS $$
DECLARE
    present text;
BEGIN
    PERFORM FROM session_await((SELECT e.session_id FROM enrolment e WHERE e.id = which));
    SELECT e.state INTO present FROM enrolment_of_person e WHERE e.id = which AND e.unit_path <@ ANY (units);
    IF NOT FOUND THEN
        RETURN;
    END IF;
    IF present = next THEN -- said twice: an order of states has no loops
        RAISE EXCEPTION 'already %', next USING ERRCODE = 'P0001', CONSTRAINT = 'enrolment_state_order';
    END IF;
    UPDATE enrolment e
    SET    state = next, reason = why,
           jp = CASE WHEN next = 'passed' OR next = 'completed' AND p.attendance_only AND enrolment_verdict(e) ->> 'verdict' IN ('passed', 'free')
                     THEN coalesce(told_hours, e.jp, p.jp)
                     WHEN next IN ('certified', 'synced') THEN e.jp END
    FROM   session s JOIN programme p ON p.id = s.programme_id
    WHERE  e.id = which AND s.id = e.session_id;
    RETURN QUERY SELECT * FROM enrolment_of_person e WHERE e.id = which;
END $$;
COMMENT ON FUNCTION enrolment_act(uuid, ltree[], text, integer, text) IS
    'Takes an enrolment of one of the units to its next state; told_hours: JP gained, else the programme''s. No row: there is none in these units.';

-- at: the member that names the next state; null: the address does.
CREATE FUNCTION enrolment_move(which uuid, units ltree[], scopes text[], next text, at text, told_hours integer, why text, by_key uuid, by_name text)
RETURNS SETOF enrolment_answer
LANGUAGE plpgsql AS $$
DECLARE
    me      enrolment;
    s       session;
    p       programme;
    offered timestamptz;
    verdict jsonb;
BEGIN
    PERFORM enrolment_by(by_key, by_name);
    PERFORM FROM session o WHERE o.id = (SELECT e.session_id FROM enrolment e WHERE e.id = which) FOR NO KEY UPDATE;
    PERFORM FROM enrolment_of_person e WHERE e.id = which AND e.unit_path <@ ANY (units);
    IF NOT FOUND THEN
        RETURN;
    END IF;
    SELECT e.offer_until INTO offered FROM enrolment e WHERE e.id = which AND e.offer_until <= clock_timestamp();
    SELECT * INTO s FROM session_await((SELECT e.session_id FROM enrolment e WHERE e.id = which));
    SELECT * INTO me FROM enrolment e WHERE e.id = which;
    SELECT * INTO p FROM programme WHERE id = s.programme_id;
    IF offered IS NOT NULL AND next = 'approved' THEN
        RETURN NEXT enrolment_refused('offer-lapsed', at, to_char(offered AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'));
        RETURN;
    END IF;
    RETURN QUERY SELECT * FROM enrolment_step_fault(me.state, next, scopes, at, why);
    IF FOUND THEN
        RETURN;
    END IF;
    IF next = 'proposed' OR me.state = 'verified' AND next IN ('approved', 'waitlisted') THEN
        RETURN QUERY SELECT f.* FROM asn a CROSS JOIN LATERAL enrolment_faults(a, s, p, next <> 'proposed', at, which) f WHERE a.id = me.asn_id;
        IF FOUND THEN
            RETURN;
        END IF;
    ELSIF next = 'passed' THEN
        verdict := enrolment_verdict(me);
        RETURN QUERY
        SELECT (enrolment_refused('pass-rule', at, coalesce(r ->> 'present', '-'),
                                  format('%s: at least %s is required, there is %s.', r ->> 'rule', r ->> 'required', coalesce(r ->> 'present', 'nothing')),
                                  format('%s: diperlukan sedikitnya %s, yang ada %s.', CASE r ->> 'rule' WHEN 'grade' THEN 'nilai' ELSE 'kehadiran' END,
                                         r ->> 'required', coalesce(r ->> 'present', 'belum ada')))).*
        FROM   jsonb_array_elements(verdict -> 'rules') AS r
        WHERE  (r -> 'is_met') IS DISTINCT FROM 'true'::jsonb;
        IF FOUND THEN
            RETURN;
        END IF;
    END IF;
    PERFORM FROM enrolment_act(which, units, next, told_hours, why);
    RETURN QUERY SELECT NULL::text, NULL::text, NULL::text, NULL::text, NULL::text, e FROM enrolment_entry e WHERE e.id = which;
END $$;
COMMENT ON FUNCTION enrolment_move(uuid, ltree[], text[], text, text, integer, text, uuid, text) IS
    'One step in an enrolment''s life by a caller of these units and scopes, judged under the session''s lock. No row: there is no such enrolment in these units.';

CREATE FUNCTION enrolment_assess(which uuid, units ltree[], scopes text[], told_hours integer, by_key uuid, by_name text) RETURNS SETOF enrolment_answer
LANGUAGE plpgsql AS $$
DECLARE
    verdict jsonb;
    missing text;
BEGIN
    PERFORM FROM session o WHERE o.id = (SELECT e.session_id FROM enrolment e WHERE e.id = which) FOR NO KEY UPDATE;
    SELECT enrolment_verdict(e) INTO verdict FROM enrolment e WHERE e.id = which AND e.state = 'completed';
    IF verdict ->> 'verdict' IN ('open', 'free') AND EXISTS (SELECT FROM enrolment_of_person e WHERE e.id = which AND e.unit_path <@ ANY (units)) THEN
        SELECT string_agg(r ->> 'rule', ', ') INTO missing FROM jsonb_array_elements(verdict -> 'rules') r WHERE r -> 'is_met' = 'null';
        RETURN NEXT enrolment_refused('assessment-open', NULL, NULL,
            coalesce('Not noted yet: ' || missing || '.', 'The programme has no rule of passing: say the result yourself (complete).'),
            coalesce('Belum dicatat: ' || missing || '.', 'Program ini tidak memiliki syarat kelulusan: tentukan sendiri hasilnya (complete).'));
        RETURN;
    END IF;
    RETURN QUERY SELECT * FROM enrolment_move(which, units, scopes, coalesce(verdict ->> 'verdict', 'passed'), NULL, told_hours, NULL, by_key, by_name);
END $$;
COMMENT ON FUNCTION enrolment_assess(uuid, ltree[], text[], integer, uuid, text) IS 'Completed becomes passed or failed, as the programme''s rules say; refused while a fact is missing.';

CREATE FUNCTION enrolment_note_results(which uuid, units ltree[], told jsonb) RETURNS SETOF enrolment_answer
LANGUAGE plpgsql AS $$
DECLARE
    state text;
BEGIN
    PERFORM FROM session o WHERE o.id = (SELECT e.session_id FROM enrolment e WHERE e.id = which) FOR NO KEY UPDATE;
    SELECT e.state INTO state FROM enrolment_of_person e WHERE e.id = which AND e.unit_path <@ ANY (units);
    IF NOT FOUND THEN
        RETURN;
    ELSIF state NOT IN ('attending', 'completed') THEN
        RETURN NEXT enrolment_refused('enrolment-state', NULL, state);
        RETURN;
    END IF;
    UPDATE enrolment e
    SET    pre_test = CASE WHEN told ? 'pre_test' THEN (told ->> 'pre_test')::numeric ELSE e.pre_test END,
           post_test = CASE WHEN told ? 'post_test' THEN (told ->> 'post_test')::numeric ELSE e.post_test END,
           grade = CASE WHEN told ? 'grade' THEN (told ->> 'grade')::numeric ELSE e.grade END
    WHERE  e.id = which;
    RETURN QUERY SELECT NULL::text, NULL::text, NULL::text, NULL::text, NULL::text, e FROM enrolment_entry e WHERE e.id = which;
END $$;
COMMENT ON FUNCTION enrolment_note_results(uuid, ltree[], jsonb) IS 'Results of tests, while they can still count; what is not told stays, null clears.';

CREATE FUNCTION enrolment_prioritize(which uuid, units ltree[], to_priority integer, why text) RETURNS SETOF enrolment_answer
LANGUAGE plpgsql AS $$
DECLARE
    state text;
BEGIN
    PERFORM FROM session_await((SELECT e.session_id FROM enrolment e WHERE e.id = which));
    SELECT e.state INTO state FROM enrolment_of_person e WHERE e.id = which AND e.unit_path <@ ANY (units);
    IF NOT FOUND THEN
        RETURN;
    ELSIF state NOT IN ('draft', 'proposed', 'returned', 'verified', 'waitlisted') THEN
        RETURN NEXT enrolment_refused('enrolment-state', NULL, state);
        RETURN;
    END IF;
    UPDATE enrolment e SET priority = to_priority, priority_reason = why WHERE e.id = which;
    RETURN QUERY SELECT NULL::text, NULL::text, NULL::text, NULL::text, NULL::text, e FROM enrolment_entry e WHERE e.id = which;
END $$;
COMMENT ON FUNCTION enrolment_prioritize(uuid, ltree[], integer, text) IS 'Another priority for who has no seat yet; whoever has one keeps it.';

-- ── changes of a session ─────────────────────────────────────────────────────────────────────────────────────────────────

CREATE OR REPLACE FUNCTION session_change() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.state = 'cancelled' AND (NEW.state, NEW.starts_on, NEW.ends_on, NEW.capacity)
                                   IS DISTINCT FROM (OLD.state, OLD.starts_on, OLD.ends_on, OLD.capacity) THEN
        RAISE EXCEPTION 'cancelled for good' USING ERRCODE = 'P0001', CONSTRAINT = 'session_cancelled';
    END IF;
    IF (NEW.starts_on > OLD.starts_on OR NEW.ends_on < OLD.ends_on)
       AND EXISTS (SELECT FROM session_day d WHERE d.session_id = NEW.id AND d.day NOT BETWEEN NEW.starts_on AND NEW.ends_on) THEN
        RAISE EXCEPTION 'the timetable has other days' USING ERRCODE = 'P0001', CONSTRAINT = 'session_timetable';
    END IF;
    RETURN NEW;
END $$;
COMMENT ON FUNCTION session_change() IS 'A cancelled session does not come back, and none moves away from under its timetable.';

CREATE OR REPLACE FUNCTION session_spread() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.starts_on <> OLD.starts_on OR NEW.ends_on <> OLD.ends_on THEN
        UPDATE enrolment SET days = daterange(NEW.starts_on, NEW.ends_on, '[]'), hours = session_hours(NEW.id) WHERE session_id = NEW.id;
        PERFORM attendance_weigh(NEW.id, NULL);
    END IF;
    IF NEW.state = 'cancelled' AND OLD.state <> 'cancelled' THEN
        UPDATE enrolment
        SET    state = 'cancelled', offer_until = NULL, reason = coalesce(NEW.cancel_reason, 'session-cancelled')
        WHERE  session_id = NEW.id AND state IN ('draft', 'proposed', 'returned', 'verified', 'waitlisted', 'offered', 'approved');
    ELSE
        PERFORM session_promote(NEW.id);
    END IF;
    RETURN NULL;
END $$;
COMMENT ON FUNCTION session_spread() IS
    'New days move the overlap ranges, more seats go to those who wait, a cancelled session cancels those who have not begun, with its reason.';

CREATE OR REPLACE FUNCTION session_patch(which uuid, seen bigint, patch jsonb) RETURNS SETOF session
LANGUAGE plpgsql AS $$
DECLARE
    s session;
BEGIN
    SELECT * INTO s FROM session WHERE id = which FOR UPDATE;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    IF s.version <> seen THEN
        RAISE EXCEPTION 'changed meanwhile' USING ERRCODE = 'P0001', CONSTRAINT = 'version_stale';
    END IF;
    SELECT * INTO s FROM session_await(which);
    s := jsonb_populate_record(s, with_whole(patch, 'capacity', 'min_participants', 'offer_hours'));
    UPDATE session
    SET    title = s.title, place = s.place, link = s.link, trainers = s.trainers, starts_on = s.starts_on, ends_on = s.ends_on, capacity = s.capacity,
           registration_opens = s.registration_opens, registration_closes = s.registration_closes, min_participants = s.min_participants,
           offer_hours = s.offer_hours, state = s.state
    WHERE  id = which;
    RETURN QUERY SELECT * FROM session WHERE id = which;
END $$;

DROP TRIGGER session_20_touch ON session;
CREATE TRIGGER session_20_touch
    BEFORE UPDATE OF title, place, link, trainers, starts_on, ends_on, capacity, registration_opens, registration_closes, min_participants, offer_hours,
                     cancel_reason, state ON session
    FOR EACH ROW EXECUTE FUNCTION touch_row();

CREATE FUNCTION session_cancel(which uuid, why text, by_key uuid, by_name text) RETURNS SETOF session
LANGUAGE plpgsql AS $$
DECLARE
    s session;
BEGIN
    PERFORM enrolment_by(by_key, by_name);
    SELECT * INTO s FROM session WHERE id = which FOR UPDATE;
    IF NOT FOUND THEN
        RETURN;
    ELSIF s.state = 'cancelled' THEN
        RAISE EXCEPTION 'cancelled for good' USING ERRCODE = 'P0001', CONSTRAINT = 'session_cancelled';
    END IF;
    UPDATE session SET state = 'cancelled', cancel_reason = why WHERE id = which;
    RETURN QUERY SELECT * FROM session WHERE id = which;
END $$;
COMMENT ON FUNCTION session_cancel(uuid, text, uuid, text) IS 'Cancels a session for good; its reason reaches everybody who had not begun. No row: there is none.';

CREATE TYPE session_answer AS (problem text, pointer text, value text, word_en text, word_id text, version bigint);
COMMENT ON TYPE session_answer IS 'What became of a change of a session''s timetable or quotas: a problem with its place, or the version of the session.';

CREATE FUNCTION session_days_set(which uuid, seen int8multirange, told jsonb) RETURNS SETOF session_answer
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
    DELETE FROM session_day WHERE session_id = which;
    INSERT INTO session_day (session_id, day, starts, ends, jp)
    SELECT which, (d ->> 'day')::date, (d ->> 'starts')::time, (d ->> 'ends')::time, trunc((d ->> 'jp')::numeric)::integer FROM jsonb_array_elements(told) d;
    UPDATE enrolment e SET hours = session_hours(which) WHERE e.session_id = which;
    PERFORM attendance_weigh(which, NULL);
    UPDATE session SET title = title WHERE id = which;
    RETURN QUERY SELECT NULL::text, NULL::text, NULL::text, NULL::text, NULL::text, o.version FROM session o WHERE o.id = which;
END $$;
COMMENT ON FUNCTION session_days_set(uuid, int8multirange, jsonb) IS
    'The whole timetable of a session (SessionDaysTold of openapi.yaml). Refused where it would bring one of its people into two places at once. No row: no such session.';

CREATE FUNCTION session_quotas_set(which uuid, seen int8multirange, units ltree[], told jsonb) RETURNS SETOF session_answer
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
    SELECT CASE WHEN u.id IS NULL THEN 'reference-missing' ELSE 'quota-twice' END, '/quotas/' || q.n || '/unit_id', q.unit_id::text, NULL::text, NULL::text,
           NULL::bigint
    FROM   q LEFT JOIN unit u ON u.id = q.unit_id AND u.path <@ ANY (units)
    WHERE  u.id IS NULL OR EXISTS (SELECT FROM q o WHERE o.n < q.n AND o.unit_id = q.unit_id)
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
    DELETE FROM session_quota WHERE session_id = which;
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
    'All quotas of a session (SessionQuotasTold of openapi.yaml), counted anew by where its people are now. Refused below what is taken. No row: no such session.';

CREATE FUNCTION session_days_told(which uuid) RETURNS jsonb
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    RETURN (SELECT coalesce(jsonb_agg(jsonb_build_object('day', d.day, 'starts', to_char(d.starts, 'HH24:MI'), 'ends', to_char(d.ends, 'HH24:MI'), 'jp', d.jp)
                                      ORDER BY d.day, d.starts), '[]')
            FROM session_day d WHERE d.session_id = which);
END $$;
COMMENT ON FUNCTION session_days_told(uuid) IS 'The timetable of a session as the API shows it; VOLATILE, so that it sees what the asking statement did.';

CREATE FUNCTION session_quotas_told(which uuid) RETURNS jsonb
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    RETURN (SELECT coalesce(jsonb_agg(jsonb_build_object('unit_id', q.unit_id, 'unit_name', u.name, 'seats', q.seats, 'taken', q.taken) ORDER BY u.path), '[]')
            FROM session_quota q JOIN unit u ON u.id = q.unit_id WHERE q.session_id = which);
END $$;
COMMENT ON FUNCTION session_quotas_told(uuid) IS 'The quotas of a session as the API shows them; VOLATILE, so that it sees what the asking statement did.';

-- ── attendance ───────────────────────────────────────────────────────────────────────────────────────────────────────────

CREATE TABLE attendance (
    id           uuid        CONSTRAINT attendance_pkey PRIMARY KEY DEFAULT uuid_v7(),
    session_id   uuid        NOT NULL CONSTRAINT attendance_session_fkey REFERENCES session,
    enrolment_id uuid        NOT NULL CONSTRAINT attendance_enrolment_fkey REFERENCES enrolment,
    day          date        NOT NULL,
    presence     text        NOT NULL CONSTRAINT attendance_presence_known CHECK (presence IN ('present', 'absent', 'excused')),
    note         text        CONSTRAINT attendance_note_length CHECK (length(note) BETWEEN 1 AND 500),
    reason       text        CONSTRAINT attendance_reason_length CHECK (length(reason) BETWEEN 1 AND 500),
    actor_key    uuid,
    actor_name   text,
    version      bigint      NOT NULL DEFAULT 1,
    created_at   timestamptz NOT NULL DEFAULT now(),
    updated_at   timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT attendance_once_a_day UNIQUE (enrolment_id, day)
);
CREATE INDEX attendance_session_idx ON attendance (session_id, day, id);
COMMENT ON TABLE attendance IS 'Who was there on which day of a session. What was corrected keeps its versions; a change shows as one of the enrolment, which has the share.';
COMMENT ON COLUMN attendance.id IS 'UUIDv7';
COMMENT ON COLUMN attendance.session_id IS 'session.id, that of the enrolment';
COMMENT ON COLUMN attendance.enrolment_id IS 'enrolment.id';
COMMENT ON COLUMN attendance.day IS 'A day of the session';
COMMENT ON COLUMN attendance.presence IS 'present, absent, excused (absent with leave; does not count as present)';
COMMENT ON COLUMN attendance.note IS 'Remark';
COMMENT ON COLUMN attendance.reason IS 'Why this version replaced the one before; null in the first';
COMMENT ON COLUMN attendance.actor_key IS 'api_key.id of who noted this version';
COMMENT ON COLUMN attendance.actor_name IS 'Name of that key then';
COMMENT ON COLUMN attendance.version IS 'Counts versions';
COMMENT ON COLUMN attendance.created_at IS 'When it was noted first';
COMMENT ON COLUMN attendance.updated_at IS 'When this version was noted';

CREATE TABLE attendance_version (LIKE attendance INCLUDING COMMENTS);
ALTER TABLE attendance_version ADD CONSTRAINT attendance_version_pkey PRIMARY KEY (enrolment_id, day, version),
                               ADD CONSTRAINT attendance_version_attendance_fkey FOREIGN KEY (id) REFERENCES attendance;
COMMENT ON TABLE attendance_version IS 'What attendance said before it was corrected, as it was.';

CREATE FUNCTION attendance_keep() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' OR (NEW.id, NEW.session_id, NEW.enrolment_id, NEW.day) IS DISTINCT FROM (OLD.id, OLD.session_id, OLD.enrolment_id, OLD.day) THEN
        RAISE EXCEPTION 'what was noted is never lost' USING ERRCODE = 'P0001', CONSTRAINT = 'attendance_fixed';
    END IF;
    INSERT INTO attendance_version SELECT OLD.*;
    NEW.version := OLD.version + 1;
    NEW.updated_at := now();
    RETURN NEW;
END $$;
COMMENT ON FUNCTION attendance_keep() IS 'Keeps the version that is replaced; nothing is deleted.';
CREATE TRIGGER attendance_10_keep BEFORE UPDATE OR DELETE ON attendance FOR EACH ROW EXECUTE FUNCTION attendance_keep();

-- A day weighs what its timetable has in JP; where there is none, all days weigh the same.
CREATE FUNCTION attendance_weigh(which uuid, only_of uuid[]) RETURNS void
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
END $$;
COMMENT ON FUNCTION attendance_weigh(uuid, uuid[]) IS 'Works out the share of the attendance for the enrolments of a session, or for some of them.';

CREATE TYPE attendance_answer AS (problem text, pointer text, value text, word_en text, word_id text, noted integer, corrected integer, unchanged integer);
COMMENT ON TYPE attendance_answer IS 'What became of a list of the attendance: its problems, one row each, or the counts.';

CREATE FUNCTION attendance_note(which uuid, units ltree[], told jsonb, by_key uuid, by_name text) RETURNS SETOF attendance_answer
LANGUAGE plpgsql AS $$
DECLARE
    s       session;
    of_day  date := (told ->> 'day')::date;
    why     text := told ->> 'reason';
    answer  attendance_answer;
    touched uuid[];
BEGIN
    PERFORM enrolment_by(by_key, by_name);
    SELECT * INTO s FROM session_await(which);
    IF NOT FOUND THEN
        RETURN;
    ELSIF of_day NOT BETWEEN s.starts_on AND s.ends_on OR of_day > local_today()
          OR of_day <> ALL (ARRAY(SELECT d.day FROM session_day d WHERE d.session_id = which))
             AND EXISTS (SELECT FROM session_day d WHERE d.session_id = which) THEN
        answer.problem := 'attendance-day'; answer.pointer := '/day'; answer.value := of_day;
        RETURN NEXT answer;
        RETURN;
    END IF;
    RETURN QUERY
    WITH list AS MATERIALIZED (
        SELECT t.n - 1 AS n, t.r ->> 'nip' AS nip, t.r ->> 'presence' AS presence, t.r ->> 'note' AS note, e.id, e.state, a.presence AS before, a.note AS note_before
        FROM   jsonb_array_elements(told -> 'entries') WITH ORDINALITY AS t (r, n)
        LEFT   JOIN LATERAL (SELECT o.id, o.state FROM enrolment_of_person o
                             WHERE  o.session_id = which AND o.asn_id = asn_of_nip(t.r ->> 'nip') AND o.unit_path <@ ANY (units)
                             ORDER  BY o.state IN ('approved', 'attending', 'completed') DESC, o.id DESC LIMIT 1) e ON true
        LEFT   JOIN attendance a ON a.enrolment_id = e.id AND a.day = of_day
    )
    SELECT CASE WHEN l.id IS NULL THEN 'reference-missing' WHEN l.state NOT IN ('approved', 'attending', 'completed') THEN 'enrolment-state'
                WHEN EXISTS (SELECT FROM list o WHERE o.n < l.n AND o.id = l.id) THEN 'entry-twice' ELSE 'reason-missing' END,
           CASE WHEN l.id IS NOT NULL AND why IS NULL AND l.state IN ('approved', 'attending', 'completed')
                     AND NOT EXISTS (SELECT FROM list o WHERE o.n < l.n AND o.id = l.id) THEN '/reason' ELSE '/entries/' || l.n || '/nip' END,
           CASE WHEN l.id IS NULL THEN l.nip WHEN l.state NOT IN ('approved', 'attending', 'completed') THEN l.state ELSE l.nip END,
           NULL::text, NULL::text, NULL::integer, NULL::integer, NULL::integer
    FROM   list l
    WHERE  l.id IS NULL OR l.state NOT IN ('approved', 'attending', 'completed') OR EXISTS (SELECT FROM list o WHERE o.n < l.n AND o.id = l.id)
           OR why IS NULL AND l.before IS NOT NULL AND (l.before, l.note_before) IS DISTINCT FROM (l.presence, l.note)
    ORDER  BY l.n LIMIT 100;
    IF FOUND THEN
        RETURN;
    END IF;
    WITH list AS MATERIALIZED (
        SELECT t.r ->> 'presence' AS presence, t.r ->> 'note' AS note, e.id, a.presence AS before, a.note AS note_before
        FROM   jsonb_array_elements(told -> 'entries') AS t (r)
        JOIN   enrolment e ON e.session_id = which AND e.asn_id = asn_of_nip(t.r ->> 'nip') AND e.state IN ('approved', 'attending', 'completed')
        LEFT   JOIN attendance a ON a.enrolment_id = e.id AND a.day = of_day
    ), made AS (
        INSERT INTO attendance (session_id, enrolment_id, day, presence, note, actor_key, actor_name)
        SELECT which, l.id, of_day, l.presence, l.note, by_key, by_name FROM list l WHERE l.before IS NULL
        RETURNING enrolment_id
    ), mended AS (
        UPDATE attendance a
        SET    presence = l.presence, note = l.note, reason = why, actor_key = by_key, actor_name = by_name
        FROM   list l
        WHERE  a.enrolment_id = l.id AND a.day = of_day AND (l.before, l.note_before) IS DISTINCT FROM (l.presence, l.note)
        RETURNING a.enrolment_id
    )
    SELECT (SELECT count(*) FROM made), (SELECT count(*) FROM mended), (SELECT count(*) FROM list) - (SELECT count(*) FROM made) - (SELECT count(*) FROM mended),
           ARRAY(SELECT m.enrolment_id FROM made m UNION ALL SELECT m.enrolment_id FROM mended m)
    INTO   answer.noted, answer.corrected, answer.unchanged, touched;
    UPDATE enrolment e SET state = 'attending', reason = NULL
    FROM   attendance a
    WHERE  e.id = ANY (touched) AND e.state = 'approved' AND a.enrolment_id = e.id AND a.day = of_day AND a.presence = 'present';
    PERFORM attendance_weigh(which, touched);
    RETURN NEXT answer;
END $$;
COMMENT ON FUNCTION attendance_note(uuid, ltree[], jsonb, uuid, text) IS
    'The attendance of a day (AttendanceTold of openapi.yaml), all or nothing. A change of what was noted needs a reason; whoever is present for the first time attends. No row: no such session.';

-- ── the waiting list, explained ──────────────────────────────────────────────────────────────────────────────────────────

CREATE TYPE queue_answer AS (enrolment_id uuid, session_id uuid, state text, priority integer, queue_place bigint, "position" integer, offer_until timestamptz,
                             seats jsonb, quotas jsonb, ahead jsonb, needs jsonb);
COMMENT ON TYPE queue_answer IS 'Where an enrolment stands (EnrolmentQueue of openapi.yaml).';

-- An offer that has run out holds no seat here, as it will not at the next decision.
CREATE FUNCTION enrolment_queue(which uuid, units ltree[]) RETURNS SETOF queue_answer
LANGUAGE plpgsql STABLE AS $$
DECLARE
    me     enrolment;
    s      session;
    ret    queue_answer;
    lapsed integer;
    before integer := 0;
    able   integer := 0;
BEGIN
    SELECT o.* INTO me FROM enrolment o JOIN enrolment_of_person e ON e.id = o.id WHERE o.id = which AND e.unit_path <@ ANY (units);
    IF NOT FOUND THEN
        RETURN;
    END IF;
    SELECT * INTO s FROM session o WHERE o.id = me.session_id;
    SELECT count(*) INTO lapsed FROM enrolment e WHERE e.session_id = s.id AND e.state = 'offered' AND e.offer_until <= clock_timestamp();
    ret.enrolment_id := me.id; ret.session_id := s.id; ret.state := me.state; ret.priority := me.priority; ret.queue_place := me.queue_place;
    ret.offer_until := me.offer_until;
    ret.seats := jsonb_build_object('capacity', s.capacity, 'taken', s.seats_taken - lapsed, 'free', s.capacity - s.seats_taken + lapsed, 'waiting', s.waiting,
                                    'offer_hours', s.offer_hours);
    ret.quotas := (SELECT coalesce(jsonb_agg(jsonb_build_object('unit_id', q.unit_id, 'unit_name', u.name, 'seats', q.seats, 'taken', q.taken - l.n,
                                                                'free', q.seats - q.taken + l.n) ORDER BY u.path), '[]')
                   FROM   session_quota q JOIN unit u ON u.id = q.unit_id
                   CROSS  JOIN LATERAL (SELECT count(*) AS n FROM enrolment e WHERE e.session_id = s.id AND e.state = 'offered'
                                                                                   AND e.offer_until <= clock_timestamp() AND q.unit_id = ANY (e.quotas)) l
                   WHERE  q.session_id = s.id AND q.unit_id = ANY (me.quotas));
    ret.ahead := '[]';
    IF me.state = 'waitlisted' THEN
        SELECT count(*), count(*) FILTER (WHERE NOT session_quota_full(s.id, e.quotas)) INTO before, able
        FROM   enrolment e
        WHERE  e.session_id = s.id AND e.state = 'waitlisted' AND (e.priority > me.priority OR e.priority = me.priority AND e.queue_place < me.queue_place);
        ret."position" := before + 1;
        ret.ahead := (SELECT coalesce(jsonb_agg(w.told ORDER BY w.priority DESC, w.queue_place), '[]')
                      FROM   (SELECT e.priority, e.queue_place,
                                     jsonb_build_object('priority', e.priority, 'queue_place', e.queue_place,
                                                        'rule', CASE WHEN e.priority > me.priority THEN 'priority' ELSE 'queue_place' END,
                                                        'is_held_by_quota', session_quota_full(s.id, e.quotas),
                                                        'nip', CASE WHEN e.unit_path <@ ANY (units) THEN e.nip END,
                                                        'name', CASE WHEN e.unit_path <@ ANY (units) THEN e.name END) AS told
                              FROM   enrolment_of_person e
                              WHERE  e.session_id = s.id AND e.state = 'waitlisted'
                                     AND (e.priority > me.priority OR e.priority = me.priority AND e.queue_place < me.queue_place)
                              ORDER  BY e.priority DESC, e.queue_place LIMIT 50) w);
    END IF;
    ret.needs := CASE me.state
        WHEN 'draft' THEN '[{"what": "proposal"}]'::jsonb
        WHEN 'returned' THEN '[{"what": "proposal"}]'
        WHEN 'proposed' THEN '[{"what": "verification"}]'
        WHEN 'verified' THEN '[{"what": "approval"}]'
        WHEN 'offered' THEN CASE WHEN me.offer_until > clock_timestamp() THEN '[{"what": "acceptance"}]' ELSE '[{"what": "enrolment"}]' END::jsonb
        WHEN 'waitlisted' THEN
            CASE WHEN s.state <> 'planned' OR s.ends_on < local_today() THEN '[{"what": "session"}]'::jsonb
                 ELSE jsonb_build_array(jsonb_build_object('what', 'seats', 'count', greatest(able + 1 - greatest(s.capacity - s.seats_taken + lapsed, 0), 0)))
                      || (SELECT coalesce(jsonb_agg(jsonb_build_object('what', 'quota', 'unit_id', q.unit_id,
                                                                       'count', (SELECT count(*) + 1 FROM enrolment e
                                                                                 WHERE  e.session_id = s.id AND e.state = 'waitlisted'
                                                                                        AND q.unit_id = ANY (e.quotas)
                                                                                        AND (-e.priority, e.queue_place) < (-me.priority, me.queue_place)))),
                                          '[]')
                          FROM   session_quota q WHERE q.session_id = s.id AND q.unit_id = ANY (me.quotas) AND q.taken >= q.seats) END
        WHEN 'rejected' THEN '[{"what": "enrolment"}]' WHEN 'cancelled' THEN '[{"what": "enrolment"}]'
        WHEN 'no_show' THEN '[{"what": "enrolment"}]' WHEN 'withdrawn' THEN '[{"what": "enrolment"}]'
        ELSE '[]' END;
    RETURN NEXT ret;
END $$;
COMMENT ON FUNCTION enrolment_queue(uuid, ltree[]) IS
    'Where an enrolment stands and what would bring it in. Others are named only if the caller may see them. No row: there is none in these units.';

-- ── whoever was certified has passed ─────────────────────────────────────────────────────────────────────────────────────

-- A set of one row, so that it is merged into the asking statement. What is not known comes last.
CREATE OR REPLACE FUNCTION seniority(me asn, at date)
RETURNS TABLE (key text, position_since date, service_since date, training_on date, training text, graduated_on date)
LANGUAGE sql STABLE AS $$
    SELECT concat(to_char(99 - coalesce(g.seq, 0), 'FM00'),
                  coalesce(to_char((me).rank_since, 'YYYYMMDD'), '99999999'),
                  CASE (me).position_kind
                  WHEN 'struktural' THEN to_char(coalesce(x.seq, 49), 'FM00')
                  WHEN 'fungsional' THEN to_char(50 + coalesce(f.seq, 39), 'FM00')
                  WHEN 'pelaksana' THEN '90' ELSE '99' END,
                  coalesce(to_char(p.starts, 'YYYYMMDD'), '99999999'),
                  coalesce(to_char(coalesce(s.since, (me).appointed_on), 'YYYYMMDD'), '99999999'),
                  coalesce(to_char(t.day, 'YYYYMMDD'), '99999999'),
                  to_char(99 - coalesce(e.seq, 0), 'FM00'),
                  coalesce(to_char(d.day, 'YYYYMMDD'), '99999999'),
                  to_char((me).birth_date, 'YYYYMMDD')) COLLATE "C",
           p.starts, coalesce(s.since, (me).appointed_on), t.day, t.name, d.day
    FROM   (SELECT) one
    LEFT   JOIN reference g ON g.list = CASE (me).rank_kind WHEN 'PNS' THEN 'rank-pns' ELSE 'rank-pppk' END AND g.code = (me).rank AND g.valid @> at
    LEFT   JOIN reference x ON x.list = 'echelon' AND x.code = (me).echelon AND x.valid @> at
    LEFT   JOIN LATERAL (SELECT h.starts, h.facts FROM history h
                         WHERE  h.asn_id = (me).id AND h.kind = 'position' AND h.track IS NOT NULL AND NOT h.is_void AND h.starts <= at
                                AND coalesce(upper(h.valid) > at, true)
                         ORDER  BY h.starts DESC LIMIT 1) p ON true
    LEFT   JOIN reference v ON v.list = 'functional-level' AND v.code = p.facts ->> 'functional_level' AND v.valid @> at
    LEFT   JOIN LATERAL (SELECT min(l.seq) AS seq FROM reference l
                         WHERE  (me).position_kind = 'fungsional' AND l.list = 'position-level' AND l.parent = 'fungsional' AND l.valid @> at
                                AND (l.code = v.parent OR v.parent IS NULL AND lower((me).position) LIKE '% ' || lower(l.name))) f ON true
    LEFT   JOIN LATERAL (SELECT (h.starts - make_interval(months => (h.facts ->> 'years')::integer * 12 + (h.facts ->> 'months')::integer))::date AS since
                         FROM   history h
                         WHERE  h.asn_id = (me).id AND h.kind = 'service' AND NOT h.is_void AND h.starts <= at
                         ORDER  BY coalesce(h.facts ->> 'basis', '') = 'golongan' DESC, h.starts DESC, h.id DESC LIMIT 1) s ON true
    LEFT   JOIN LATERAL (SELECT c.day, c.name
                         FROM  (SELECT h.starts AS day, h.facts ->> 'name' AS name
                                FROM   history h JOIN reference r ON r.list = 'training-form' AND r.code = h.facts ->> 'form' AND r.valid @> at
                                WHERE  h.asn_id = (me).id AND h.kind = 'course' AND NOT h.is_void AND h.starts <= at
                                       AND (r.facts ->> 'seniority')::boolean
                                UNION ALL
                                SELECT upper(n.days) - 1, q.name
                                FROM   enrolment n JOIN session w ON w.id = n.session_id JOIN programme q ON q.id = w.programme_id
                                JOIN   reference r ON r.list = 'training-form' AND r.code = q.form AND r.valid @> at
                                WHERE  n.asn_id = (me).id AND n.state IN ('passed', 'certified', 'synced') AND upper(n.days) - 1 <= at
                                       AND (r.facts ->> 'seniority')::boolean) c
                         ORDER  BY c.day DESC, c.name LIMIT 1) t ON true
    LEFT   JOIN reference e ON e.list = 'education-level' AND e.code = (me).education_level AND e.valid @> at
    LEFT   JOIN LATERAL (SELECT max((h.facts ->> 'graduated_on')::date) AS day
                         FROM   history h
                         WHERE  h.asn_id = (me).id AND h.kind = 'education' AND NOT h.is_void AND h.starts <= at
                                AND h.facts ->> 'level' = (me).education_level) d ON true
$$;
