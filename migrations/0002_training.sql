-- Training: forms and their hours, programmes, sessions with seats and a waiting list, enrolments.

-- ── tables of the regulations ────────────────────────────────────────────────────────────────────────────────────────────

CREATE TABLE training_form (
    code        text PRIMARY KEY,
    name        text NOT NULL,
    method      text NOT NULL CONSTRAINT training_form_method_known CHECK (method IN ('pendidikan', 'klasikal', 'nonklasikal')),
    counted_by  text NOT NULL CONSTRAINT training_form_counted_by_known CHECK (counted_by IN ('jp', 'hari', 'semester', 'sesi', 'kegiatan')),
    jp_national numeric(5, 2) NOT NULL,
    jp_abroad   numeric(5, 2) NOT NULL
);
COMMENT ON TABLE training_form IS
    'Bentuk pengembangan kompetensi and what one unit of it is worth (Peraturan LAN 10/2018, table of letter B-031/BPS/2600/02/2019).';
COMMENT ON COLUMN training_form.code IS 'Code in that table: B8';
COMMENT ON COLUMN training_form.name IS 'Name of the form';
COMMENT ON COLUMN training_form.method IS 'Pendidikan, klasikal or nonklasikal';
COMMENT ON COLUMN training_form.counted_by IS 'What is counted: JP themselves, days, semesters, sessions or whole events';
COMMENT ON COLUMN training_form.jp_national IS 'JP for one of them at home';
COMMENT ON COLUMN training_form.jp_abroad IS 'JP for one of them abroad';
INSERT INTO training_form VALUES
    ('A1', 'Tugas belajar', 'pendidikan', 'semester', 20, 20),            ('A2', 'Izin belajar', 'pendidikan', 'semester', 20, 20),
    ('B1', 'Pelatihan struktural kepemimpinan', 'klasikal', 'jp', 1, 1),  ('B2', 'Pelatihan manajerial', 'klasikal', 'jp', 1, 1.2),
    ('B3', 'Pelatihan teknis', 'klasikal', 'jp', 1, 1.2),                 ('B4', 'Pelatihan fungsional', 'klasikal', 'jp', 1, 1.2),
    ('B5', 'Pelatihan sosial kultural', 'klasikal', 'jp', 1, 1.2),        ('B6', 'Seminar, konferensi, sarasehan', 'klasikal', 'hari', 4, 6),
    ('B7', 'Workshop, lokakarya', 'klasikal', 'hari', 5, 7),              ('B8', 'Kursus', 'klasikal', 'jp', 1, 1.2),
    ('B9', 'Penataran', 'klasikal', 'jp', 1, 1.2),                        ('B10', 'Bimbingan teknis', 'klasikal', 'jp', 1, 1.2),
    ('B11', 'Sosialisasi', 'klasikal', 'hari', 4, 6),                     ('C1', 'Coaching', 'nonklasikal', 'sesi', 2, 4),
    ('C2', 'Mentoring', 'nonklasikal', 'sesi', 2, 4),                     ('C3', 'E-learning', 'nonklasikal', 'hari', 3, 4),
    ('C4', 'Pelatihan jarak jauh', 'nonklasikal', 'jp', 1, 1.2),          ('C5', 'Detasering', 'nonklasikal', 'kegiatan', 20, 24),
    ('C6', 'Pembelajaran alam terbuka', 'nonklasikal', 'jp', 1, 1.2),     ('C7', 'Patok banding', 'nonklasikal', 'kegiatan', 10, 20),
    ('C8', 'Pertukaran PNS dengan pegawai swasta', 'nonklasikal', 'kegiatan', 20, 24),
    ('C9', 'Belajar mandiri', 'nonklasikal', 'hari', 2, 2.4),             ('C10', 'Komunitas belajar', 'nonklasikal', 'hari', 2, 2.4),
    ('C11', 'Magang', 'nonklasikal', 'kegiatan', 20, 24);

CREATE TABLE learning_rule (
    kind       text    NOT NULL CONSTRAINT learning_rule_kind_known CHECK (kind IN ('PNS', 'PPPK')),
    valid_from integer NOT NULL,
    floor_jp   integer,
    ceiling_jp integer,
    source     text    NOT NULL,
    CONSTRAINT learning_rule_pkey PRIMARY KEY (kind, valid_from)
);
COMMENT ON TABLE learning_rule IS 'Learning hours of a year: a floor for PNS, a ceiling for PPPK. The newest row not after the year holds.';
COMMENT ON COLUMN learning_rule.kind IS 'PNS (also CPNS) or PPPK: asn.rank_kind';
COMMENT ON COLUMN learning_rule.valid_from IS 'First calendar year';
COMMENT ON COLUMN learning_rule.floor_jp IS 'JP that must be reached; null: none';
COMMENT ON COLUMN learning_rule.ceiling_jp IS 'JP that count at most; null: none. Not for JPT utama and madya (PP 49/2018 Art. 40(2))';
COMMENT ON COLUMN learning_rule.source IS 'The regulation';
INSERT INTO learning_rule VALUES
    ('PNS', 1900, 20, NULL, 'PP 11/2017 jo. PP 17/2020: at least 20 JP a year'),
    ('PPPK', 1900, NULL, 24, 'PP 49/2018 Art. 40(1): at most 24 JP a contract year');

-- ── programmes and sessions ──────────────────────────────────────────────────────────────────────────────────────────────

CREATE TABLE programme (
    id         uuid        PRIMARY KEY,
    code       text COLLATE "C" NOT NULL CONSTRAINT programme_code_key UNIQUE CONSTRAINT programme_code_length CHECK (length(code) BETWEEN 1 AND 64),
    name       text        NOT NULL CONSTRAINT programme_name_length CHECK (length(name) BETWEEN 1 AND 300),
    name_key   text COLLATE "C" GENERATED ALWAYS AS (name_key(name)) STORED,
    form       text        NOT NULL CONSTRAINT programme_form_fkey REFERENCES training_form,
    family     text        NOT NULL CONSTRAINT programme_family_known CHECK (family IN ('manajerial', 'teknis', 'fungsional', 'sosial_kultural')),
    jp         integer     NOT NULL CONSTRAINT programme_jp_range CHECK (jp BETWEEN 1 AND 2000),
    organiser  text        NOT NULL,
    is_active  boolean     NOT NULL DEFAULT true,
    version    bigint      NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX programme_name_idx ON programme (name_key, id);
CREATE INDEX programme_name_trgm_idx ON programme USING gin (name_key gin_trgm_ops);
COMMENT ON TABLE programme IS 'What is taught: a training that can be held many times.';
COMMENT ON COLUMN programme.id IS 'UUIDv7';
COMMENT ON COLUMN programme.code IS 'The organiser''s own code';
COMMENT ON COLUMN programme.name IS 'Title of the training';
COMMENT ON COLUMN programme.name_key IS 'Title for sorting and searching: name_key(name)';
COMMENT ON COLUMN programme.form IS 'Bentuk: training_form.code';
COMMENT ON COLUMN programme.family IS 'Competency family: manajerial, teknis, fungsional, sosial kultural';
COMMENT ON COLUMN programme.jp IS 'Learning hours (jam pelajaran, 45 minutes) that passing it is worth';
COMMENT ON COLUMN programme.organiser IS 'Institusi penyelenggara';
COMMENT ON COLUMN programme.is_active IS 'New sessions may be planned';
COMMENT ON COLUMN programme.version IS 'Counts changes: ETag';
COMMENT ON COLUMN programme.created_at IS 'When the row was made';
COMMENT ON COLUMN programme.updated_at IS 'Last change';
CREATE TRIGGER programme_20_touch BEFORE UPDATE ON programme FOR EACH ROW EXECUTE FUNCTION touch_row();

CREATE TABLE session (
    id           uuid        PRIMARY KEY,
    programme_id uuid        NOT NULL CONSTRAINT session_programme_fkey REFERENCES programme,
    title        text        NOT NULL CONSTRAINT session_title_length CHECK (length(title) BETWEEN 1 AND 300),
    place        text,
    starts_on    date        NOT NULL,
    ends_on      date        NOT NULL,
    capacity     integer     NOT NULL CONSTRAINT session_capacity_range CHECK (capacity BETWEEN 1 AND 100000),
    seats_taken  integer     NOT NULL DEFAULT 0,
    waiting      integer     NOT NULL DEFAULT 0 CONSTRAINT session_waiting CHECK (waiting >= 0),
    queue_last   bigint      NOT NULL DEFAULT 0,
    state        text        NOT NULL DEFAULT 'planned' CONSTRAINT session_state_known CHECK (state IN ('planned', 'cancelled')),
    version      bigint      NOT NULL DEFAULT 1,
    created_at   timestamptz NOT NULL DEFAULT now(),
    updated_at   timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT session_seats CHECK (seats_taken BETWEEN 0 AND capacity),
    CONSTRAINT session_days CHECK (starts_on <= ends_on AND ends_on - starts_on <= 1100
                                   AND starts_on >= '1900-01-01' AND ends_on <= '2099-12-31')
);
CREATE INDEX session_starts_on_idx ON session (starts_on, id);
CREATE INDEX session_programme_id_idx ON session (programme_id, starts_on, id);
COMMENT ON TABLE session IS 'One holding (angkatan) of a programme, with its seats.';
COMMENT ON COLUMN session.id IS 'UUIDv7';
COMMENT ON COLUMN session.programme_id IS 'programme.id';
COMMENT ON COLUMN session.title IS 'Angkatan I';
COMMENT ON COLUMN session.place IS 'Where it is held';
COMMENT ON COLUMN session.starts_on IS 'First day';
COMMENT ON COLUMN session.ends_on IS 'Last day; up to and including it people may be enrolled';
COMMENT ON COLUMN session.capacity IS 'Seats';
COMMENT ON COLUMN session.seats_taken IS 'Enrolments that hold a seat; kept by triggers, bounded by session_seats';
COMMENT ON COLUMN session.waiting IS 'Enrolments on the waiting list; kept by triggers';
COMMENT ON COLUMN session.queue_last IS 'Last place given on the waiting list; never goes back';
COMMENT ON COLUMN session.state IS 'planned or cancelled (for good)';
COMMENT ON COLUMN session.version IS 'Counts changes by clients, not seats: ETag';
COMMENT ON COLUMN session.created_at IS 'When the row was made';
COMMENT ON COLUMN session.updated_at IS 'Last change by a client';

-- ── enrolments ───────────────────────────────────────────────────────────────────────────────────────────────────────────

CREATE TABLE enrolment (
    id         uuid        PRIMARY KEY,
    session_id uuid        NOT NULL CONSTRAINT enrolment_session_fkey REFERENCES session,
    asn_id     uuid        NOT NULL CONSTRAINT enrolment_asn_fkey REFERENCES asn,
    state      text        NOT NULL CONSTRAINT enrolment_state_known CHECK (state IN ('approved', 'waitlisted', 'attending', 'passed', 'failed',
                   'cancelled', 'no_show', 'withdrawn')),
    queue_place bigint,
    days       daterange   NOT NULL,
    jp         integer     CONSTRAINT enrolment_jp_range CHECK (jp BETWEEN 0 AND 2000),
    version    bigint      NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT enrolment_queue_place_key UNIQUE (session_id, queue_place),
    CONSTRAINT enrolment_jp_only_passed CHECK ((jp IS NOT NULL) = (state = 'passed'))
);
-- Made before the exclusion constraint: PostgreSQL asks the indexes in this order, and "already enrolled" says more than "overlaps".
CREATE UNIQUE INDEX enrolment_person_once ON enrolment (session_id, asn_id)
    WHERE state IN ('approved', 'waitlisted', 'attending', 'passed', 'failed');
-- Who has finished is free again. Waiting counts, so that whoever moves up from the list can never meet an overlap at that moment.
ALTER TABLE enrolment ADD CONSTRAINT enrolment_no_overlap EXCLUDE USING gist (asn_id WITH =, days WITH &&)
    WHERE (state IN ('approved', 'waitlisted', 'attending'));
CREATE INDEX enrolment_queue_idx ON enrolment (session_id, queue_place) WHERE state = 'waitlisted';
CREATE INDEX enrolment_session_idx ON enrolment (session_id, id);
CREATE INDEX enrolment_session_place_idx ON enrolment (session_id, coalesce(queue_place, 0), id);
CREATE INDEX enrolment_asn_idx ON enrolment (asn_id, id);
CREATE INDEX enrolment_state_idx ON enrolment (state, id);
COMMENT ON TABLE enrolment IS 'One person in one session. Nothing is deleted: leaving is a state.';
COMMENT ON COLUMN enrolment.id IS 'UUIDv7';
COMMENT ON COLUMN enrolment.session_id IS 'session.id';
COMMENT ON COLUMN enrolment.asn_id IS 'asn.id';
COMMENT ON COLUMN enrolment.state IS
    'approved (terdaftar), waitlisted (daftar tunggu), attending (mengikuti), passed (lulus), failed (tidak lulus), cancelled (batal), no_show (tidak hadir), withdrawn (mengundurkan diri)';
COMMENT ON COLUMN enrolment.queue_place IS 'Place on the session''s waiting list, 1 …, given once and kept for ever; null: never waited';
COMMENT ON COLUMN enrolment.days IS 'The session''s days, for the overlap constraint';
COMMENT ON COLUMN enrolment.jp IS 'Learning hours gained (JP); only of passed';
COMMENT ON COLUMN enrolment.version IS 'Counts changes: ETag';
COMMENT ON COLUMN enrolment.created_at IS 'When the row was made';
COMMENT ON COLUMN enrolment.updated_at IS 'Last change';

CREATE FUNCTION enrolment_holds_seat(state text) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN state IN ('approved', 'attending', 'passed', 'failed');
COMMENT ON FUNCTION enrolment_holds_seat(text) IS 'Whether an enrolment in this state counts in session.seats_taken.';

CREATE FUNCTION enrolment_may_become(state text, next text) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE state
           WHEN 'waitlisted' THEN next IN ('approved', 'cancelled')
           WHEN 'approved' THEN next IN ('attending', 'no_show', 'cancelled')
           WHEN 'attending' THEN next IN ('passed', 'failed', 'withdrawn')
           ELSE false
       END;
COMMENT ON FUNCTION enrolment_may_become(text, text) IS 'The order of states.';

-- A new enrolment takes a seat, or a place on the waiting list. One UPDATE locks the session, decides on its newest row and counts, so that
-- no two can take the last seat. Nobody overtakes those who wait.
CREATE FUNCTION enrolment_enter() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
    s session;
    serves boolean;
BEGIN
    SELECT l.in_service INTO serves FROM asn a JOIN legal_status l ON l.code = a.legal_status WHERE a.id = NEW.asn_id;
    IF NOT serves THEN
        RAISE EXCEPTION 'not in service' USING ERRCODE = 'P0001', CONSTRAINT = 'enrolment_in_service';
    END IF;
    UPDATE session
    SET    seats_taken = seats_taken + (seats_taken < capacity AND waiting = 0)::integer,
           waiting = waiting + (seats_taken >= capacity OR waiting > 0)::integer,
           queue_last = queue_last + (seats_taken >= capacity OR waiting > 0)::integer
    WHERE  id = NEW.session_id
    RETURNING * INTO s;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no such session' USING ERRCODE = 'P0001', CONSTRAINT = 'enrolment_session_fkey';
    END IF;
    IF s.state <> 'planned' OR s.ends_on < local_today() THEN
        RAISE EXCEPTION 'the session takes nobody' USING ERRCODE = 'P0001', CONSTRAINT = 'enrolment_session_open';
    END IF;
    NEW.state := CASE WHEN s.waiting = 0 THEN 'approved' ELSE 'waitlisted' END;
    NEW.queue_place := CASE WHEN s.waiting > 0 THEN s.queue_last END;
    NEW.days := daterange(s.starts_on, s.ends_on, '[]');
    NEW.jp := NULL;
    RETURN NEW;
END $$;
COMMENT ON FUNCTION enrolment_enter() IS 'Seat or waiting list, decided under the session''s lock.';

CREATE FUNCTION enrolment_step() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
    first_day date;
BEGIN
    IF NEW.session_id <> OLD.session_id OR NEW.asn_id <> OLD.asn_id OR NEW.queue_place IS DISTINCT FROM OLD.queue_place THEN
        RAISE EXCEPTION 'who, where and place are for ever' USING ERRCODE = 'P0001', CONSTRAINT = 'enrolment_fixed';
    END IF;
    IF NEW.state = OLD.state THEN
        RETURN NEW;
    END IF;
    IF NOT enrolment_may_become(OLD.state, NEW.state) THEN
        RAISE EXCEPTION '% does not become %', OLD.state, NEW.state USING ERRCODE = 'P0001', CONSTRAINT = 'enrolment_state_order';
    END IF;
    IF NEW.state IN ('attending', 'no_show') THEN
        SELECT starts_on INTO first_day FROM session WHERE id = NEW.session_id;
        IF first_day > local_today() THEN
            RAISE EXCEPTION 'the session has not begun' USING ERRCODE = 'P0001', CONSTRAINT = 'enrolment_session_begun';
        END IF;
    END IF;
    RETURN NEW;
END $$;
COMMENT ON FUNCTION enrolment_step() IS 'Holds the order of states; person, session and queue place never change.';

CREATE FUNCTION session_promote(which uuid) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    s session;
BEGIN
    SELECT * INTO s FROM session WHERE id = which FOR NO KEY UPDATE;
    IF s.waiting > 0 AND s.seats_taken < s.capacity AND s.state = 'planned' AND s.ends_on >= local_today() THEN
        UPDATE enrolment
        SET    state = 'approved'
        WHERE  id IN (SELECT e.id FROM enrolment e WHERE e.session_id = which AND e.state = 'waitlisted'
                      ORDER BY e.queue_place LIMIT s.capacity - s.seats_taken);
    END IF;
END $$;
COMMENT ON FUNCTION session_promote(uuid) IS 'Free seats go to those who wait, in order of their places, while the session takes people.';

CREATE FUNCTION enrolment_count() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
    seats integer := enrolment_holds_seat(NEW.state)::integer - enrolment_holds_seat(OLD.state)::integer;
    waits integer := (NEW.state = 'waitlisted')::integer - (OLD.state = 'waitlisted')::integer;
BEGIN
    IF seats <> 0 OR waits <> 0 THEN
        UPDATE session SET seats_taken = seats_taken + seats, waiting = waiting + waits WHERE id = NEW.session_id;
    END IF;
    IF seats < 0 THEN
        PERFORM session_promote(NEW.session_id);
    END IF;
    RETURN NULL;
END $$;
COMMENT ON FUNCTION enrolment_count() IS 'Keeps the session''s counts; a freed seat goes to the first who waits, in the same transaction.';

CREATE FUNCTION enrolment_keep() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'an enrolment is never deleted' USING ERRCODE = 'P0001', CONSTRAINT = 'enrolment_fixed';
END $$;
COMMENT ON FUNCTION enrolment_keep() IS 'Deleting would lose a seat''s count and a queue place.';

CREATE TRIGGER enrolment_10_enter BEFORE INSERT ON enrolment FOR EACH ROW EXECUTE FUNCTION enrolment_enter();
CREATE TRIGGER enrolment_10_step BEFORE UPDATE ON enrolment FOR EACH ROW EXECUTE FUNCTION enrolment_step();
CREATE TRIGGER enrolment_20_touch BEFORE UPDATE OF state, jp ON enrolment FOR EACH ROW EXECUTE FUNCTION touch_row();
CREATE TRIGGER enrolment_30_count AFTER UPDATE OF state ON enrolment FOR EACH ROW EXECUTE FUNCTION enrolment_count();
CREATE TRIGGER enrolment_40_keep BEFORE DELETE ON enrolment FOR EACH ROW EXECUTE FUNCTION enrolment_keep();

CREATE VIEW enrolment_of_person AS
SELECT e.*, coalesce(e.queue_place, 0) AS place, a.nip, a.name, u.path AS unit_path
FROM   enrolment e
JOIN   asn a ON a.id = e.asn_id
JOIN   unit u ON u.id = a.unit_id;
COMMENT ON VIEW enrolment_of_person IS 'Enrolments with whom they are about; place: queue_place, 0 for who never waited; unit_path: where the person works now.';

-- The way in for every action: the session's lock first, then the person's row. In the other order a cancellation and the promotion that it
-- causes could each hold what the other needs. Who the enrolment is about, and whether the caller may see that unit, is asked after the wait.
CREATE FUNCTION enrolment_act(which uuid, units ltree[], next text, hours integer DEFAULT NULL) RETURNS SETOF enrolment_of_person
LANGUAGE plpgsql AS $$
DECLARE
    present text;
BEGIN
    PERFORM FROM session s WHERE s.id = (SELECT e.session_id FROM enrolment e WHERE e.id = which) FOR NO KEY UPDATE;
    SELECT e.state INTO present FROM enrolment_of_person e WHERE e.id = which AND e.unit_path <@ ANY (units);
    IF NOT FOUND THEN
        RETURN;
    END IF;
    IF present = next THEN -- said twice: an order of states has no loops
        RAISE EXCEPTION 'already %', next USING ERRCODE = 'P0001', CONSTRAINT = 'enrolment_state_order';
    END IF;
    UPDATE enrolment e
    SET    state = next,
           jp = CASE WHEN next = 'passed' THEN coalesce(hours, (SELECT p.jp FROM session s JOIN programme p ON p.id = s.programme_id
                                                                WHERE s.id = e.session_id)) END
    WHERE  id = which;
    RETURN QUERY SELECT * FROM enrolment_of_person e WHERE e.id = which;
END $$;
COMMENT ON FUNCTION enrolment_act(uuid, ltree[], text, integer) IS
    'Takes an enrolment of one of the units to its next state; hours: JP of passed, else the programme''s. No row: there is none in these units.';

-- ── changes of a session reach its enrolments ────────────────────────────────────────────────────────────────────────────

CREATE FUNCTION session_change() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.state = 'cancelled' AND (NEW.state, NEW.starts_on, NEW.ends_on, NEW.capacity)
                                   IS DISTINCT FROM (OLD.state, OLD.starts_on, OLD.ends_on, OLD.capacity) THEN
        RAISE EXCEPTION 'cancelled for good' USING ERRCODE = 'P0001', CONSTRAINT = 'session_cancelled';
    END IF;
    RETURN NEW;
END $$;
COMMENT ON FUNCTION session_change() IS 'A cancelled session does not come back.';

CREATE FUNCTION session_spread() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.starts_on <> OLD.starts_on OR NEW.ends_on <> OLD.ends_on THEN
        UPDATE enrolment SET days = daterange(NEW.starts_on, NEW.ends_on, '[]') WHERE session_id = NEW.id;
    END IF;
    IF NEW.state = 'cancelled' AND OLD.state <> 'cancelled' THEN
        UPDATE enrolment SET state = 'cancelled' WHERE session_id = NEW.id AND state IN ('approved', 'waitlisted');
    ELSE
        PERFORM session_promote(NEW.id);
    END IF;
    RETURN NULL;
END $$;
COMMENT ON FUNCTION session_spread() IS
    'New days move the overlap ranges, more seats go to those who wait, a cancelled session cancels those who have not begun.';

-- A function because the counts must be read after what the change set off, which one statement cannot.
CREATE FUNCTION session_patch(which uuid, seen bigint, patch jsonb) RETURNS SETOF session
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
    s := jsonb_populate_record(s, with_whole(patch, 'capacity'));
    UPDATE session
    SET    title = s.title, place = s.place, starts_on = s.starts_on, ends_on = s.ends_on, capacity = s.capacity, state = s.state
    WHERE  id = which;
    RETURN QUERY SELECT * FROM session WHERE id = which;
END $$;
COMMENT ON FUNCTION session_patch(uuid, bigint, jsonb) IS 'RFC 7396 on the version that was seen; no row when there is no such session.';

CREATE FUNCTION session_of_active() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM programme p WHERE p.id = NEW.programme_id AND NOT p.is_active FOR SHARE;
    IF FOUND THEN
        RAISE EXCEPTION 'the programme is not active' USING ERRCODE = 'P0001', CONSTRAINT = 'session_programme_active';
    END IF;
    RETURN NEW;
END $$;
COMMENT ON FUNCTION session_of_active() IS 'A programme that has been put away gets no new sessions.';

CREATE TRIGGER session_10_active BEFORE INSERT ON session FOR EACH ROW EXECUTE FUNCTION session_of_active();
CREATE TRIGGER session_10_change BEFORE UPDATE OF state, starts_on, ends_on, capacity ON session FOR EACH ROW EXECUTE FUNCTION session_change();
CREATE TRIGGER session_20_touch BEFORE UPDATE OF title, place, starts_on, ends_on, capacity, state ON session
    FOR EACH ROW EXECUTE FUNCTION touch_row();
CREATE TRIGGER session_30_spread AFTER UPDATE OF state, starts_on, ends_on, capacity ON session
    FOR EACH ROW EXECUTE FUNCTION session_spread();
