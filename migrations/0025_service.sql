-- Public service: who serves, by which standard, tickets and their times, surveys of the public's satisfaction, feedback, complaints.

-- ── reference lists ──────────────────────────────────────────────────────────────────────────────────────────────────────

INSERT INTO reference_list (list, name, name_en, description, source) VALUES
    ('holiday', 'Hari libur', 'Holidays',
     'Days on which nobody works although they are Monday to Friday. The code is the day itself, YYYY-MM-DD. Facts: kind, national (libur nasional) or '
     'joint (cuti bersama). A row ends before its own day when it was withdrawn. Each year by import.',
     'Keputusan bersama (SKB) tiga menteri, each year'),
    ('survey-element', 'Unsur survei kepuasan', 'Elements of a satisfaction survey',
     'What a satisfaction survey (SKM) asks about, in the order of the regulation. Facts: question.', 'Permenpan RB 14/2017'),
    ('survey-category', 'Mutu pelayanan', 'Categories of satisfaction',
     'What a converted index (IKM) means. Facts: from, the lowest converted value, two decimals, as text; performance, kinerja unit pelayanan.',
     'Permenpan RB 14/2017'),
    ('complaint-category', 'Kategori pengaduan', 'Categories of complaints', 'What a complaint is about.',
     'Complaint form of a population office (Mataram); as it is in use there'),
    ('complaint-limit', 'Batas waktu pengaduan', 'Limits for complaints',
     'How many working days each step of a complaint may take. Facts: working_days.', 'SP4N-LAPOR!; service standard of complaints on SIPPN');

INSERT INTO reference (list, code, name, name_en, seq, facts, source) VALUES
    ('survey-element', 'U1', 'Persyaratan', 'Requirements', 1, '{"question": "Bagaimana kesesuaian persyaratan pelayanan dengan jenis pelayanannya?"}', 'Permenpan RB 14/2017; wording ours'),
    ('survey-element', 'U2', 'Sistem, mekanisme dan prosedur', 'System, mechanism, procedure', 2, '{"question": "Bagaimana kemudahan prosedur pelayanan di unit ini?"}', 'Permenpan RB 14/2017; wording ours'),
    ('survey-element', 'U3', 'Waktu penyelesaian', 'Time to completion', 3, '{"question": "Bagaimana kecepatan waktu dalam memberikan pelayanan?"}', 'Permenpan RB 14/2017; wording ours'),
    ('survey-element', 'U4', 'Biaya/tarif', 'Cost', 4, '{"question": "Bagaimana kewajaran biaya atau tarif pelayanan?"}', 'Permenpan RB 14/2017; wording ours'),
    ('survey-element', 'U5', 'Produk spesifikasi jenis pelayanan', 'Specification of the product', 5, '{"question": "Bagaimana kesesuaian hasil pelayanan dengan yang tercantum dalam standar pelayanan?"}', 'Permenpan RB 14/2017; wording ours'),
    ('survey-element', 'U6', 'Kompetensi pelaksana', 'Competence of staff', 6, '{"question": "Bagaimana kemampuan petugas dalam memberikan pelayanan?"}', 'Permenpan RB 14/2017; wording ours'),
    ('survey-element', 'U7', 'Perilaku pelaksana', 'Behaviour of staff', 7, '{"question": "Bagaimana kesopanan dan keramahan petugas?"}', 'Permenpan RB 14/2017; wording ours'),
    ('survey-element', 'U8', 'Penanganan pengaduan, saran dan masukan', 'Handling of complaints and suggestions', 8, '{"question": "Bagaimana penanganan pengaduan pengguna layanan?"}', 'Permenpan RB 14/2017; wording ours'),
    ('survey-element', 'U9', 'Sarana dan prasarana', 'Facilities', 9, '{"question": "Bagaimana kualitas sarana dan prasarana?"}', 'Permenpan RB 14/2017; wording ours'),
    ('survey-category', 'A', 'Sangat Baik', 'Very good', 1, '{"from": "88.31"}', 'Permenpan RB 14/2017'),
    ('survey-category', 'B', 'Baik', 'Good', 2, '{"from": "76.61"}', 'Permenpan RB 14/2017'),
    ('survey-category', 'C', 'Kurang Baik', 'Less good', 3, '{"from": "65.00"}', 'Permenpan RB 14/2017'),
    ('survey-category', 'D', 'Tidak Baik', 'Not good', 4, '{"from": "25.00"}', 'Permenpan RB 14/2017'),
    ('complaint-category', 'authority', 'Penyalahgunaan wewenang', 'Abuse of authority', 1, '{}', 'Mataram'),
    ('complaint-category', 'levy', 'Pungutan liar', 'Illegal levy', 2, '{}', 'Mataram'),
    ('complaint-category', 'discrimination', 'Diskriminasi', 'Discrimination', 3, '{}', 'Mataram'),
    ('complaint-category', 'procedure', 'Tidak sesuai prosedur', 'Procedure not followed', 4, '{}', 'Mataram'),
    ('complaint-category', 'quality', 'Kualitas pelayanan buruk', 'Poor quality', 5, '{}', 'Mataram'),
    ('complaint-category', 'ethics', 'Pelanggaran etika', 'Breach of ethics', 6, '{}', 'Mataram'),
    ('complaint-category', 'facilities', 'Sarana dan prasarana', 'Facilities', 7, '{}', 'Mataram'),
    ('complaint-limit', 'verify', 'Verifikasi dan penerusan', 'Verify and forward', 1, '{"working_days": 3}', 'SP4N-LAPOR!'),
    ('complaint-limit', 'handle', 'Mulai ditangani', 'Start of handling', 2, '{"working_days": 5}', 'SP4N-LAPOR!'),
    ('complaint-limit', 'close', 'Ditutup tanpa balasan pelapor', 'Closed without a reply', 3, '{"working_days": 10}', 'SP4N-LAPOR!'),
    ('complaint-limit', 'normative', 'Penyelesaian yang bersifat normatif', 'Settle: normative', 4, '{"working_days": 5}', 'SP4N-LAPOR!'),
    ('complaint-limit', 'unsupervised', 'Penyelesaian tanpa pengawasan', 'Settle: without supervision', 5, '{"working_days": 14}', 'SP4N-LAPOR!'),
    ('complaint-limit', 'supervised', 'Penyelesaian dengan pengawasan', 'Settle: with supervision', 6, '{"working_days": 60}', 'SP4N-LAPOR!');

-- The days that are the same each year; those of the moon and joint leave come by import.
INSERT INTO reference (list, code, name, name_en, seq, facts, source)
SELECT 'holiday', y || '-' || d.day, d.name, d.name_en, y * 400 + extract(doy FROM (y || '-' || d.day)::date), '{"kind": "national"}', 'recalled'
FROM   generate_series(2025, 2027) AS y,
       (VALUES ('01-01', 'Tahun Baru Masehi', 'New Year'), ('05-01', 'Hari Buruh Internasional', 'Labour Day'),
               ('06-01', 'Hari Lahir Pancasila', 'Birth of Pancasila'), ('08-17', 'Proklamasi Kemerdekaan', 'Independence Day'),
               ('12-25', 'Hari Raya Natal', 'Christmas')) AS d (day, name, name_en);

-- ── days ─────────────────────────────────────────────────────────────────────────────────────────────────────────────────

CREATE FUNCTION local_offset() RETURNS interval
LANGUAGE sql STABLE PARALLEL SAFE
RETURN make_interval(mins => coalesce(nullif(current_setting('asnd.utc_offset_minutes', true), '')::integer, 480));
COMMENT ON FUNCTION local_offset() IS 'How far the regency''s clock is ahead of UTC: the daemon''s setting utc_offset_minutes, else WITA.';

CREATE FUNCTION local_day(moment timestamptz) RETURNS date
LANGUAGE sql STABLE PARALLEL SAFE
RETURN ((moment AT TIME ZONE 'UTC') + local_offset())::date;
COMMENT ON FUNCTION local_day(timestamptz) IS 'The regency''s date at that moment.';

CREATE FUNCTION local_moment(told text) RETURNS timestamptz
LANGUAGE sql STABLE PARALLEL SAFE
RETURN CASE WHEN told ~ '(Z|[+-][0-9]{2}:[0-9]{2})$' THEN told::timestamptz ELSE (told::timestamp - local_offset()) AT TIME ZONE 'UTC' END;
COMMENT ON FUNCTION local_moment(text) IS 'A moment as a file tells it: with its offset, or by the regency''s clock.';

CREATE FUNCTION is_workday(day date) RETURNS boolean
LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE AS $$
BEGIN
    RETURN extract(isodow FROM day) < 6
           AND NOT EXISTS (SELECT FROM reference r WHERE r.list = 'holiday' AND r.code = to_char(day, 'YYYY-MM-DD') AND r.valid @> day);
END $$;
COMMENT ON FUNCTION is_workday(date) IS 'Monday to Friday, and no holiday.';

CREATE FUNCTION workday_after(day date, days integer) RETURNS date
LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE AS $$
DECLARE
    ends date := day;
    rest integer := days;
BEGIN
    WHILE rest > 0 LOOP
        ends := ends + 1;
        IF is_workday(ends) THEN
            rest := rest - 1;
        END IF;
    END LOOP;
    RETURN ends;
END $$;
COMMENT ON FUNCTION workday_after(date, integer) IS
    'The last day of a limit of so many working days; the day from which it runs does not count. The same rule as workday_after of src/rules.';

-- ── who serves, and by which standard ─────────────────────────────────────────────────────────────────────────────────────

CREATE TABLE service_unit (
    id                uuid        CONSTRAINT service_unit_pkey PRIMARY KEY,
    unit_id           uuid        NOT NULL CONSTRAINT service_unit_unit_fkey REFERENCES unit CONSTRAINT service_unit_once UNIQUE,
    name              text        NOT NULL CONSTRAINT service_unit_name_length CHECK (length(name) BETWEEN 1 AND 300),
    address           text,
    hours             text,
    charter           text,
    charter_signed_on date,
    is_active         boolean     NOT NULL DEFAULT true,
    version           bigint      NOT NULL DEFAULT 1,
    created_at        timestamptz NOT NULL DEFAULT now(),
    updated_at        timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE service_unit IS 'Units that serve the public (unit penyelenggara pelayanan publik).';
COMMENT ON COLUMN service_unit.id IS 'UUIDv7';
COMMENT ON COLUMN service_unit.unit_id IS 'unit.id';
COMMENT ON COLUMN service_unit.name IS 'Name as the public knows it';
COMMENT ON COLUMN service_unit.address IS 'Where it serves';
COMMENT ON COLUMN service_unit.hours IS 'When it serves';
COMMENT ON COLUMN service_unit.charter IS 'Maklumat pelayanan: what it promises (UU 25/2009)';
COMMENT ON COLUMN service_unit.charter_signed_on IS 'When the charter was signed';
COMMENT ON COLUMN service_unit.is_active IS 'Whether it still serves';
COMMENT ON COLUMN service_unit.version IS 'Counts changes: ETag';
COMMENT ON COLUMN service_unit.created_at IS 'When the row was made';
COMMENT ON COLUMN service_unit.updated_at IS 'Last change';
CREATE TRIGGER service_unit_20_touch BEFORE UPDATE ON service_unit FOR EACH ROW EXECUTE FUNCTION touch_row();

CREATE TABLE service (
    id              uuid             CONSTRAINT service_pkey PRIMARY KEY,
    service_unit_id uuid             NOT NULL CONSTRAINT service_service_unit_fkey REFERENCES service_unit,
    code            text COLLATE "C" NOT NULL CONSTRAINT service_code_key UNIQUE CONSTRAINT service_code_length CHECK (length(code) BETWEEN 1 AND 40),
    name            text             NOT NULL CONSTRAINT service_name_length CHECK (length(name) BETWEEN 1 AND 300),
    standard        jsonb            NOT NULL DEFAULT '{}' CONSTRAINT service_standard_object CHECK (jsonb_typeof(standard) = 'object'),
    promise_minutes integer          CONSTRAINT service_promise_minutes_range CHECK (promise_minutes BETWEEN 1 AND 100000),
    promise_days    integer          CONSTRAINT service_promise_days_range CHECK (promise_days BETWEEN 1 AND 400),
    queue_prefix    text             NOT NULL DEFAULT '' CONSTRAINT service_queue_prefix_form CHECK (queue_prefix ~ '^[A-Z]{0,4}$'),
    is_active       boolean          NOT NULL DEFAULT true,
    version         bigint           NOT NULL DEFAULT 1,
    created_at      timestamptz      NOT NULL DEFAULT now(),
    updated_at      timestamptz      NOT NULL DEFAULT now(),
    CONSTRAINT service_one_promise CHECK (num_nonnulls(promise_minutes, promise_days) <= 1)
);
CREATE INDEX service_service_unit_idx ON service (service_unit_id, code);
COMMENT ON TABLE service IS 'Services and their standard (standar pelayanan, UU 25/2009, Permenpan RB 15/2014).';
COMMENT ON COLUMN service.id IS 'UUIDv7';
COMMENT ON COLUMN service.service_unit_id IS 'service_unit.id';
COMMENT ON COLUMN service.code IS 'The agency''s own code; files name the service by it';
COMMENT ON COLUMN service.name IS 'Jenis pelayanan';
COMMENT ON COLUMN service.standard IS 'The 14 components of its standard, by the member names of ServiceStandard in the contract; what is not there is not set down yet';
COMMENT ON COLUMN service.promise_minutes IS 'Jangka waktu in minutes; null: in working days, or none';
COMMENT ON COLUMN service.promise_days IS 'Jangka waktu in working days; null: in minutes, or none';
COMMENT ON COLUMN service.queue_prefix IS 'Letters before the queue numbers that are given here';
COMMENT ON COLUMN service.is_active IS 'Whether it takes tickets';
COMMENT ON COLUMN service.version IS 'Counts changes: ETag';
COMMENT ON COLUMN service.created_at IS 'When the row was made';
COMMENT ON COLUMN service.updated_at IS 'Last change';
CREATE TRIGGER service_20_touch BEFORE UPDATE ON service FOR EACH ROW EXECUTE FUNCTION touch_row();

-- ── tickets ──────────────────────────────────────────────────────────────────────────────────────────────────────────────

CREATE TABLE ticket (
    id           uuid             CONSTRAINT ticket_pkey PRIMARY KEY,
    service_id   uuid             NOT NULL CONSTRAINT ticket_service_fkey REFERENCES service,
    day          date             NOT NULL,
    number       text COLLATE "C" NOT NULL CONSTRAINT ticket_number_length CHECK (length(number) BETWEEN 1 AND 20),
    state        text             NOT NULL DEFAULT 'taken' CONSTRAINT ticket_state_known CHECK (state IN ('taken', 'called', 'started', 'finished', 'no_show', 'cancelled')),
    taken_at     timestamptz      NOT NULL,
    accepted_at  timestamptz,
    called_at    timestamptz,
    started_at   timestamptz,
    finished_at  timestamptz,
    officer_id   uuid             CONSTRAINT ticket_officer_fkey REFERENCES asn,
    result       text             CONSTRAINT ticket_result_known CHECK (result IN ('completed', 'incomplete', 'refused', 'transferred')),
    due_at       timestamptz,
    waiting_s    bigint           GENERATED ALWAYS AS (floor(extract(epoch FROM called_at - taken_at))::bigint) STORED,
    service_s    bigint           GENERATED ALWAYS AS (floor(extract(epoch FROM finished_at - started_at))::bigint) STORED,
    turnaround_s bigint           GENERATED ALWAYS AS (floor(extract(epoch FROM finished_at - coalesce(accepted_at, taken_at)))::bigint) STORED,
    is_on_time   boolean          GENERATED ALWAYS AS (finished_at <= due_at) STORED,
    version      bigint           NOT NULL DEFAULT 1,
    created_at   timestamptz      NOT NULL DEFAULT now(),
    updated_at   timestamptz      NOT NULL DEFAULT now(),
    CONSTRAINT ticket_number_key UNIQUE (service_id, day, number),
    CONSTRAINT ticket_time_order CHECK (coalesce(accepted_at, taken_at) >= taken_at AND coalesce(called_at, taken_at) >= taken_at
                                        AND coalesce(started_at, called_at, taken_at) >= coalesce(called_at, taken_at)
                                        AND coalesce(finished_at, started_at, called_at, accepted_at, taken_at)
                                            >= greatest(taken_at, accepted_at, called_at, started_at)),
    CONSTRAINT ticket_state_times CHECK (CASE state WHEN 'taken' THEN num_nonnulls(called_at, started_at, finished_at, result) = 0
                                                  WHEN 'called' THEN called_at IS NOT NULL AND num_nonnulls(started_at, finished_at, result) = 0
                                                  WHEN 'started' THEN started_at IS NOT NULL AND num_nonnulls(finished_at, result) = 0
                                                  WHEN 'finished' THEN num_nonnulls(finished_at, result) = 2
                                                  WHEN 'no_show' THEN called_at IS NOT NULL AND num_nonnulls(started_at, finished_at, result) = 0
                                                  ELSE num_nonnulls(finished_at, result) = 0 END)
);
CREATE INDEX ticket_day_idx ON ticket (service_id, day, id);
CREATE INDEX ticket_officer_idx ON ticket (officer_id, day, id) WHERE officer_id IS NOT NULL;
CREATE INDEX ticket_when_idx ON ticket (day, id);
CREATE INDEX ticket_state_idx ON ticket (state, service_id, id) WHERE state IN ('taken', 'called', 'started');
COMMENT ON TABLE ticket IS 'One who came to be served. Of the citizen nothing is kept but the number that he drew.';
COMMENT ON COLUMN ticket.id IS 'UUIDv7';
COMMENT ON COLUMN ticket.service_id IS 'service.id';
COMMENT ON COLUMN ticket.day IS 'The regency''s date of taken_at';
COMMENT ON COLUMN ticket.number IS 'Queue number, one a day and service';
COMMENT ON COLUMN ticket.state IS 'taken, called, started, finished; or no_show (called in vain), cancelled';
COMMENT ON COLUMN ticket.taken_at IS 'When the number was drawn';
COMMENT ON COLUMN ticket.accepted_at IS 'When the file was complete (berkas lengkap): from then the promised time runs; null: from taken_at';
COMMENT ON COLUMN ticket.called_at IS 'When it was called';
COMMENT ON COLUMN ticket.started_at IS 'When serving began';
COMMENT ON COLUMN ticket.finished_at IS 'When it was done';
COMMENT ON COLUMN ticket.officer_id IS 'asn.id of who served';
COMMENT ON COLUMN ticket.result IS 'What came of it; of a finished one';
COMMENT ON COLUMN ticket.due_at IS 'The last moment of the promised time, by the standard and the holidays of the time when it was taken or accepted; null: nothing was promised';
COMMENT ON COLUMN ticket.waiting_s IS 'Whole seconds from taken to called';
COMMENT ON COLUMN ticket.service_s IS 'Whole seconds from started to finished';
COMMENT ON COLUMN ticket.turnaround_s IS 'Whole seconds from taken, or the complete file, to finished';
COMMENT ON COLUMN ticket.is_on_time IS 'Whether it was finished in the promised time; null: not finished, or nothing promised';
COMMENT ON COLUMN ticket.version IS 'Counts changes: ETag';
COMMENT ON COLUMN ticket.created_at IS 'When the row was made';
COMMENT ON COLUMN ticket.updated_at IS 'Last change';
CREATE TRIGGER ticket_20_touch BEFORE UPDATE ON ticket FOR EACH ROW EXECUTE FUNCTION touch_row();

CREATE TABLE ticket_series (
    service_id uuid    NOT NULL CONSTRAINT ticket_series_service_fkey REFERENCES service ON DELETE CASCADE,
    day        date    NOT NULL,
    last       integer NOT NULL,
    CONSTRAINT ticket_series_pkey PRIMARY KEY (service_id, day)
);
COMMENT ON TABLE ticket_series IS 'The last queue number that was given here, for each service and day.';
COMMENT ON COLUMN ticket_series.service_id IS 'service.id';
COMMENT ON COLUMN ticket_series.day IS 'The regency''s date';
COMMENT ON COLUMN ticket_series.last IS 'The number';


CREATE FUNCTION ticket_may_become(old_state text, new_state text) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN (old_state, new_state) IN (('taken', 'called'), ('taken', 'cancelled'), ('called', 'started'), ('called', 'no_show'), ('called', 'cancelled'),
                                  ('started', 'finished'));
COMMENT ON FUNCTION ticket_may_become(text, text) IS 'The order of states of a ticket.';

-- A file may bring a ticket that is finished already; from there on the order holds for it too, but it may correct the times of a state.
CREATE FUNCTION ticket_enter() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
    s service;
BEGIN
    IF TG_OP = 'UPDATE' AND NEW.service_id <> OLD.service_id THEN
        RAISE EXCEPTION 'of which service it is, is for ever' USING ERRCODE = 'P0001', CONSTRAINT = 'ticket_fixed';
    END IF;
    IF TG_OP = 'UPDATE' AND NEW.state <> OLD.state AND NOT ticket_may_become(OLD.state, NEW.state)
       AND (current_setting('asnd.source', true) IS DISTINCT FROM 'import' OR OLD.state NOT IN ('taken', 'called', 'started')) THEN
        RAISE EXCEPTION '% does not become %', OLD.state, NEW.state USING ERRCODE = 'P0001', CONSTRAINT = 'ticket_state_order';
    END IF;
    IF greatest(NEW.taken_at, NEW.accepted_at, NEW.called_at, NEW.started_at, NEW.finished_at) > clock_timestamp() + interval '5 minutes' THEN
        RAISE EXCEPTION 'this lies in the future' USING ERRCODE = 'P0001', CONSTRAINT = 'ticket_in_future';
    END IF;
    IF TG_OP = 'UPDATE' AND (NEW.taken_at, NEW.accepted_at) IS NOT DISTINCT FROM (OLD.taken_at, OLD.accepted_at) THEN
        RETURN NEW;
    END IF;
    SELECT v.* INTO s FROM service v WHERE v.id = NEW.service_id;
    NEW.day := local_day(NEW.taken_at);
    NEW.due_at := CASE WHEN s.promise_minutes IS NOT NULL THEN coalesce(NEW.accepted_at, NEW.taken_at) + make_interval(mins => s.promise_minutes)
                       WHEN s.promise_days IS NOT NULL
                       THEN ((workday_after(local_day(coalesce(NEW.accepted_at, NEW.taken_at)), s.promise_days) + 1)::timestamp - local_offset())
                            AT TIME ZONE 'UTC' - interval '1 microsecond' END;
    WHILE NEW.number IS NULL LOOP -- those that were told by hand or by a file are left out
        INSERT INTO ticket_series AS t (service_id, day, last) VALUES (NEW.service_id, NEW.day, 1)
        ON CONFLICT ON CONSTRAINT ticket_series_pkey DO UPDATE SET last = t.last + 1
        RETURNING s.queue_prefix || lpad(t.last::text, greatest(3, length(t.last::text)), '0') INTO NEW.number;
        PERFORM FROM ticket t WHERE t.service_id = NEW.service_id AND t.day = NEW.day AND t.number = NEW.number;
        IF FOUND THEN
            NEW.number := NULL;
        END IF;
    END LOOP;
    RETURN NEW;
END $$;
COMMENT ON FUNCTION ticket_enter() IS 'Day, end of the promised time, the next number of the day; the order of states.';
CREATE TRIGGER ticket_10_enter BEFORE INSERT OR UPDATE ON ticket FOR EACH ROW EXECUTE FUNCTION ticket_enter();

CREATE FUNCTION ticket_open() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM entered n JOIN service s ON s.id = n.service_id WHERE NOT s.is_active AND current_setting('asnd.source', true) IS DISTINCT FROM 'import';
    IF FOUND THEN
        RAISE EXCEPTION 'the service takes no tickets' USING ERRCODE = 'P0001', CONSTRAINT = 'ticket_service_active';
    END IF;
    RETURN NULL;
END $$;
COMMENT ON FUNCTION ticket_open() IS 'A service that is not active takes no new tickets; files may bring its old ones.';
CREATE TRIGGER ticket_25_open AFTER INSERT ON ticket REFERENCING NEW TABLE AS entered FOR EACH STATEMENT EXECUTE FUNCTION ticket_open();

-- One action of a counter: the ticket is locked first, then asked. Calling again leaves the time of the first call.
CREATE FUNCTION ticket_act(which uuid, units ltree[], becomes text, told jsonb) RETURNS SETOF ticket
LANGUAGE plpgsql AS $$
DECLARE
    t       ticket;
    moment  timestamptz := coalesce((told ->> 'at')::timestamptz, now());
    officer uuid;
BEGIN
    SELECT v.* INTO t FROM ticket v WHERE v.id = which FOR UPDATE;
    PERFORM FROM service s JOIN service_unit p ON p.id = s.service_unit_id JOIN unit u ON u.id = p.unit_id WHERE s.id = t.service_id AND u.path <@ ANY (units);
    IF NOT FOUND THEN
        RETURN;
    END IF;
    IF told ? 'nip' THEN
        officer := asn_of_nip(told ->> 'nip');
        PERFORM FROM asn a JOIN unit u ON u.id = a.unit_id WHERE a.id = officer AND u.path <@ ANY (units);
        IF NOT FOUND THEN
            RAISE EXCEPTION 'no such person' USING ERRCODE = 'P0001', CONSTRAINT = 'ticket_officer_fkey';
        END IF;
    END IF;
    IF becomes = 'called' AND t.state = 'called' THEN
        RETURN QUERY SELECT t.*;
        RETURN;
    END IF;
    IF becomes = t.state THEN
        RAISE EXCEPTION 'it is % already', becomes USING ERRCODE = 'P0001', CONSTRAINT = 'ticket_state_order';
    END IF;
    RETURN QUERY
    UPDATE ticket v
    SET    state = becomes, officer_id = coalesce(officer, v.officer_id),
           accepted_at = coalesce((told ->> 'accepted_at')::timestamptz, v.accepted_at),
           called_at = CASE becomes WHEN 'called' THEN moment ELSE v.called_at END,
           started_at = CASE becomes WHEN 'started' THEN moment ELSE v.started_at END,
           finished_at = CASE becomes WHEN 'finished' THEN moment ELSE v.finished_at END,
           result = CASE becomes WHEN 'finished' THEN told ->> 'result' ELSE v.result END
    WHERE  v.id = t.id
    RETURNING v.*;
END $$;
COMMENT ON FUNCTION ticket_act(uuid, ltree[], text, jsonb) IS 'Brings a ticket into its next state; told: at, nip, result, accepted_at. No row: no such ticket in these units.';

-- ── figures by the month ── Times are put together once for each service, unit and officer and month. Whatever changes a ticket leaves a mark beside
-- them; a reader works out anew what is marked and takes the rest as it stands, all in one snapshot: so what is read is exact at any moment, and a year
-- costs hardly more than the month that runs. Marks are only added: two transactions never wait for each other here.

CREATE TABLE service_month (
    by                text    NOT NULL CONSTRAINT service_month_by_known CHECK (by IN ('service', 'unit', 'officer')),
    key               uuid    NOT NULL,
    month             date    NOT NULL,
    taken             bigint  NOT NULL,
    finished          bigint  NOT NULL,
    no_show           bigint  NOT NULL,
    cancelled         bigint  NOT NULL,
    promised          bigint  NOT NULL,
    on_time           bigint  NOT NULL,
    waiting_n         bigint  NOT NULL,
    waiting_sum       numeric NOT NULL,
    waiting_median    numeric,
    waiting_p90       numeric,
    service_n         bigint  NOT NULL,
    service_sum       numeric NOT NULL,
    service_median    numeric,
    service_p90       numeric,
    turnaround_n      bigint  NOT NULL,
    turnaround_sum    numeric NOT NULL,
    turnaround_median numeric,
    turnaround_p90    numeric,
    CONSTRAINT service_month_pkey PRIMARY KEY (by, key, month)
);
COMMENT ON TABLE service_month IS 'Figures of a month, as the chore last put them together; where service_mark has a mark they may be old.';
COMMENT ON COLUMN service_month.by IS 'service, unit or officer';
COMMENT ON COLUMN service_month.key IS 'service.id, unit.id or asn.id';
COMMENT ON COLUMN service_month.month IS 'Its first day, by ticket.day';
COMMENT ON COLUMN service_month.taken IS 'Tickets';
COMMENT ON COLUMN service_month.finished IS 'Of these finished';
COMMENT ON COLUMN service_month.no_show IS 'Called in vain';
COMMENT ON COLUMN service_month.cancelled IS 'Cancelled';
COMMENT ON COLUMN service_month.promised IS 'Finished ones that had a promised time';
COMMENT ON COLUMN service_month.on_time IS 'Of these finished in time';
COMMENT ON COLUMN service_month.waiting_n IS 'Tickets whose waiting time is known';
COMMENT ON COLUMN service_month.waiting_sum IS 'Sum of their seconds';
COMMENT ON COLUMN service_month.waiting_median IS 'Median in seconds (percentile_of); null: none';
COMMENT ON COLUMN service_month.waiting_p90 IS '90th percentile in seconds; null: none';
COMMENT ON COLUMN service_month.service_n IS 'Tickets whose service time is known';
COMMENT ON COLUMN service_month.service_sum IS 'Sum of their seconds';
COMMENT ON COLUMN service_month.service_median IS 'Median in seconds (percentile_of); null: none';
COMMENT ON COLUMN service_month.service_p90 IS '90th percentile in seconds; null: none';
COMMENT ON COLUMN service_month.turnaround_n IS 'Tickets whose turnaround time is known';
COMMENT ON COLUMN service_month.turnaround_sum IS 'Sum of their seconds';
COMMENT ON COLUMN service_month.turnaround_median IS 'Median in seconds (percentile_of); null: none';
COMMENT ON COLUMN service_month.turnaround_p90 IS '90th percentile in seconds; null: none';

CREATE TABLE service_mark (
    id    bigint CONSTRAINT service_mark_pkey PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    by    text   NOT NULL,
    key   uuid   NOT NULL,
    month date   NOT NULL
);
CREATE INDEX service_mark_cell_idx ON service_mark (by, key, month);
COMMENT ON TABLE service_mark IS 'Figures that a ticket changed since they were put together.';
COMMENT ON COLUMN service_mark.id IS 'Number';
COMMENT ON COLUMN service_mark.by IS 'service_month.by';
COMMENT ON COLUMN service_mark.key IS 'service_month.key';
COMMENT ON COLUMN service_mark.month IS 'service_month.month';


CREATE FUNCTION service_mark_note() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO service_mark (by, key, month)
    SELECT DISTINCT c.by, c.key, c.month
    FROM   entered n JOIN service s ON s.id = n.service_id JOIN service_unit p ON p.id = s.service_unit_id
    CROSS  JOIN LATERAL (VALUES ('service', n.service_id), ('unit', p.unit_id), ('officer', n.officer_id)) AS v (by, key)
    CROSS  JOIN LATERAL (SELECT v.by, v.key, date_trunc('month', n.day)::date AS month) c
    WHERE  c.key IS NOT NULL;
    RETURN NULL;
END $$;
COMMENT ON FUNCTION service_mark_note() IS 'Marks the figures that a statement''s tickets belong to.';
CREATE TRIGGER ticket_40_mark_insert AFTER INSERT ON ticket REFERENCING NEW TABLE AS entered FOR EACH STATEMENT EXECUTE FUNCTION service_mark_note();
CREATE TRIGGER ticket_40_mark_update AFTER UPDATE ON ticket REFERENCING NEW TABLE AS entered FOR EACH STATEMENT EXECUTE FUNCTION service_mark_note();
CREATE TRIGGER ticket_40_mark_before AFTER UPDATE ON ticket REFERENCING OLD TABLE AS entered FOR EACH STATEMENT EXECUTE FUNCTION service_mark_note();
CREATE TRIGGER ticket_40_mark_delete AFTER DELETE ON ticket REFERENCING OLD TABLE AS entered FOR EACH STATEMENT EXECUTE FUNCTION service_mark_note();

CREATE FUNCTION service_unit_fixed() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'whose it is, is for ever' USING ERRCODE = 'P0001', CONSTRAINT = 'service_fixed';
END $$;
COMMENT ON FUNCTION service_unit_fixed() IS 'A service stays with its unit, and that with its place in the tree: figures of months that are over hang on it.';
CREATE TRIGGER service_10_fixed BEFORE UPDATE OF service_unit_id ON service FOR EACH ROW WHEN (NEW.service_unit_id <> OLD.service_unit_id)
    EXECUTE FUNCTION service_unit_fixed();
CREATE TRIGGER service_unit_10_fixed BEFORE UPDATE OF unit_id ON service_unit FOR EACH ROW WHEN (NEW.unit_id <> OLD.unit_id)
    EXECUTE FUNCTION service_unit_fixed();

CREATE FUNCTION percentile_of(sorted bigint[], percent integer) RETURNS numeric
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    rank  bigint := (cardinality(sorted) - 1)::bigint * percent;
    place integer := rank / 100 + 1;
    rest  integer := rank % 100;
BEGIN
    IF coalesce(cardinality(sorted), 0) = 0 THEN
        RETURN NULL;
    END IF;
    RETURN trim_scale(CASE WHEN rest = 0 THEN sorted[place]::numeric ELSE sorted[place] + (sorted[place + 1] - sorted[place]) * rest / 100.0 END);
END $$;
COMMENT ON FUNCTION percentile_of(bigint[], integer) IS
    'Linear between the two nearest ranks, (n - 1) * percent / 100 from the first (type 7), exact. The same rule as percentile_hundredths of src/rules.';

-- STABLE: all that one statement asks for is of its snapshot.
CREATE FUNCTION service_measure(which text, whose uuid, first date) RETURNS service_month
LANGUAGE plpgsql STABLE SET enable_seqscan = off SET jit = off AS $$
DECLARE
    m  service_month;
    w  bigint[];
    s  bigint[];
    a  bigint[];
    services uuid[] := CASE which WHEN 'service' THEN ARRAY[whose]
                                  WHEN 'unit' THEN ARRAY(SELECT v.id FROM service v JOIN service_unit p ON p.id = v.service_unit_id WHERE p.unit_id = whose) END;
BEGIN
    m.by := which;
    m.key := whose;
    m.month := first;
    IF which = 'officer' THEN
        SELECT count(*), count(*) FILTER (WHERE t.state = 'finished'), count(*) FILTER (WHERE t.state = 'no_show'), count(*) FILTER (WHERE t.state = 'cancelled'), count(t.is_on_time), count(*) FILTER (WHERE t.is_on_time),
               count(t.waiting_s), coalesce(sum(t.waiting_s), 0), array_agg(t.waiting_s ORDER BY t.waiting_s) FILTER (WHERE t.waiting_s IS NOT NULL),
               count(t.service_s), coalesce(sum(t.service_s), 0), array_agg(t.service_s ORDER BY t.service_s) FILTER (WHERE t.service_s IS NOT NULL),
               count(t.turnaround_s), coalesce(sum(t.turnaround_s), 0), array_agg(t.turnaround_s ORDER BY t.turnaround_s) FILTER (WHERE t.turnaround_s IS NOT NULL)
        INTO   m.taken, m.finished, m.no_show, m.cancelled, m.promised, m.on_time, m.waiting_n, m.waiting_sum, w, m.service_n, m.service_sum, s, m.turnaround_n, m.turnaround_sum, a
        FROM   ticket t
        WHERE  t.officer_id = whose AND t.day >= first AND t.day < first + interval '1 month';
    ELSE
        SELECT count(*), count(*) FILTER (WHERE t.state = 'finished'), count(*) FILTER (WHERE t.state = 'no_show'), count(*) FILTER (WHERE t.state = 'cancelled'), count(t.is_on_time), count(*) FILTER (WHERE t.is_on_time),
               count(t.waiting_s), coalesce(sum(t.waiting_s), 0), array_agg(t.waiting_s ORDER BY t.waiting_s) FILTER (WHERE t.waiting_s IS NOT NULL),
               count(t.service_s), coalesce(sum(t.service_s), 0), array_agg(t.service_s ORDER BY t.service_s) FILTER (WHERE t.service_s IS NOT NULL),
               count(t.turnaround_s), coalesce(sum(t.turnaround_s), 0), array_agg(t.turnaround_s ORDER BY t.turnaround_s) FILTER (WHERE t.turnaround_s IS NOT NULL)
        INTO   m.taken, m.finished, m.no_show, m.cancelled, m.promised, m.on_time, m.waiting_n, m.waiting_sum, w, m.service_n, m.service_sum, s, m.turnaround_n, m.turnaround_sum, a
        FROM   ticket t
        WHERE  t.service_id = ANY (services) AND t.day >= first AND t.day < first + interval '1 month';
    END IF;
    m.waiting_median := percentile_of(w, 50);
    m.waiting_p90 := percentile_of(w, 90);
    m.service_median := percentile_of(s, 50);
    m.service_p90 := percentile_of(s, 90);
    m.turnaround_median := percentile_of(a, 50);
    m.turnaround_p90 := percentile_of(a, 90);
    RETURN m;
END $$;
COMMENT ON FUNCTION service_measure(text, uuid, date) IS 'The figures of one service, unit or officer in one month, from the tickets.';

CREATE FUNCTION service_figures(which text, keys uuid[], first date, last date) RETURNS SETOF service_month
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN QUERY
    SELECT m.* FROM service_month m
    WHERE  m.by = which AND m.key = ANY (keys) AND m.month BETWEEN first AND last
           AND NOT EXISTS (SELECT FROM service_mark k WHERE k.by = m.by AND k.key = m.key AND k.month = m.month)
    UNION  ALL
    SELECT f.*
    FROM   (SELECT DISTINCT k.key, k.month FROM service_mark k WHERE k.by = which AND k.key = ANY (keys) AND k.month BETWEEN first AND last) c
    CROSS  JOIN LATERAL service_measure(which, c.key, c.month) f;
END $$;
COMMENT ON FUNCTION service_figures(text, uuid[], date, date) IS 'Exact figures of these services, units or officers for months from first to last.';

CREATE FUNCTION service_refresh(milliseconds integer) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    began timestamptz := clock_timestamp();
    done  bigint := 0;
    now_done bigint;
BEGIN
    IF NOT pg_try_advisory_xact_lock(1918, 22) THEN
        RETURN 0;
    END IF;
    LOOP
        WITH picked AS (
            SELECT DISTINCT k.by, k.key, k.month FROM (SELECT m.* FROM service_mark m ORDER BY m.id LIMIT 50) k
        ), gone AS (
            DELETE FROM service_mark k USING picked p WHERE (k.by, k.key, k.month) = (p.by, p.key, p.month)
        ), stored AS (
            INSERT INTO service_month AS m
            SELECT f.* FROM picked p CROSS JOIN LATERAL service_measure(p.by, p.key, p.month) f
            ON CONFLICT ON CONSTRAINT service_month_pkey DO UPDATE
            SET    (taken, finished, no_show, cancelled, promised, on_time, waiting_n, waiting_sum, waiting_median, waiting_p90, service_n, service_sum,
                    service_median, service_p90, turnaround_n, turnaround_sum, turnaround_median, turnaround_p90)
                 = (EXCLUDED.taken, EXCLUDED.finished, EXCLUDED.no_show, EXCLUDED.cancelled, EXCLUDED.promised, EXCLUDED.on_time, EXCLUDED.waiting_n,
                    EXCLUDED.waiting_sum, EXCLUDED.waiting_median, EXCLUDED.waiting_p90, EXCLUDED.service_n, EXCLUDED.service_sum,
                    EXCLUDED.service_median, EXCLUDED.service_p90, EXCLUDED.turnaround_n, EXCLUDED.turnaround_sum, EXCLUDED.turnaround_median,
                    EXCLUDED.turnaround_p90)
            RETURNING 1
        )
        SELECT count(*) INTO now_done FROM stored;
        done := done + now_done;
        EXIT WHEN now_done = 0 OR clock_timestamp() > began + make_interval(secs => milliseconds / 1000.0);
    END LOOP;
    RETURN done;
END $$;
COMMENT ON FUNCTION service_refresh(integer) IS
    'For so long, puts marked figures together and takes their marks away, those that the same snapshot shows: a ticket that is committed later has left one of its own. Gives how many.';
-- ── surveys ──────────────────────────────────────────────────────────────────────────────────────────────────────────────

CREATE TABLE survey (
    id              uuid             CONSTRAINT survey_pkey PRIMARY KEY,
    code            text COLLATE "C" NOT NULL CONSTRAINT survey_code_key UNIQUE CONSTRAINT survey_code_length CHECK (length(code) BETWEEN 1 AND 40),
    service_unit_id uuid             NOT NULL CONSTRAINT survey_service_unit_fkey REFERENCES service_unit,
    service_id      uuid             CONSTRAINT survey_service_fkey REFERENCES service,
    name            text             NOT NULL CONSTRAINT survey_name_length CHECK (length(name) BETWEEN 1 AND 300),
    starts_on       date             NOT NULL,
    ends_on         date             NOT NULL,
    state           text             NOT NULL DEFAULT 'draft' CONSTRAINT survey_state_known CHECK (state IN ('draft', 'open', 'closed', 'published')),
    elements        text[]           NOT NULL CONSTRAINT survey_elements_some CHECK (cardinality(elements) BETWEEN 1 AND 20),
    population      bigint           CONSTRAINT survey_population_range CHECK (population BETWEEN 1 AND 1000000000),
    is_open_link    boolean          NOT NULL DEFAULT false,
    result          jsonb,
    published_at    timestamptz,
    version         bigint           NOT NULL DEFAULT 1,
    created_at      timestamptz      NOT NULL DEFAULT now(),
    updated_at      timestamptz      NOT NULL DEFAULT now(),
    CONSTRAINT survey_days CHECK (ends_on >= starts_on AND ends_on <= starts_on + 1100),
    CONSTRAINT survey_published_whole CHECK ((state = 'published') = (result IS NOT NULL) AND (state = 'published') = (published_at IS NOT NULL))
);
CREATE INDEX survey_service_unit_idx ON survey (service_unit_id, ends_on, id);
CREATE INDEX survey_open_idx ON survey (service_unit_id, service_id) WHERE state = 'open';
CREATE INDEX survey_published_idx ON survey (published_at, id) WHERE state = 'published';
COMMENT ON TABLE survey IS 'Surveys of the public''s satisfaction (SKM): one unit, one service or all of them, one period.';
COMMENT ON COLUMN survey.id IS 'UUIDv7';
COMMENT ON COLUMN survey.code IS 'The agency''s own code; paper forms name the survey by it';
COMMENT ON COLUMN survey.service_unit_id IS 'service_unit.id';
COMMENT ON COLUMN survey.service_id IS 'service.id; null: all services of the unit';
COMMENT ON COLUMN survey.name IS 'Title';
COMMENT ON COLUMN survey.starts_on IS 'First day on which it is answered';
COMMENT ON COLUMN survey.ends_on IS 'Last day';
COMMENT ON COLUMN survey.state IS 'draft, open, closed, published; closed may be opened again';
COMMENT ON COLUMN survey.elements IS 'Codes of the list survey-element, in the order in which they are asked';
COMMENT ON COLUMN survey.population IS 'People served in the period, from which the sample target follows; null: not known';
COMMENT ON COLUMN survey.is_open_link IS 'Whether it may be answered without a ticket, by a link or code for all';
COMMENT ON COLUMN survey.result IS 'What was published: survey_summary() as it was then, with the version of the rules';
COMMENT ON COLUMN survey.published_at IS 'When';
COMMENT ON COLUMN survey.version IS 'Counts changes: ETag';
COMMENT ON COLUMN survey.created_at IS 'When the row was made';
COMMENT ON COLUMN survey.updated_at IS 'Last change';
CREATE TRIGGER survey_20_touch BEFORE UPDATE ON survey FOR EACH ROW EXECUTE FUNCTION touch_row();


-- Answering holds this lock shared, closing exclusively: what is answered before it is closed is in, and nothing comes after.
CREATE FUNCTION survey_lock(which uuid) RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN hashtextextended(which::text, 22);
COMMENT ON FUNCTION survey_lock(uuid) IS 'The advisory lock of a survey.';

CREATE FUNCTION survey_step() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' OR (NEW.elements, NEW.service_unit_id, NEW.service_id) IS DISTINCT FROM (OLD.elements, OLD.service_unit_id, OLD.service_id) THEN
        IF TG_OP = 'UPDATE' AND OLD.state <> 'draft' THEN
            RAISE EXCEPTION 'what is asked of whom is fixed once it was opened' USING ERRCODE = 'P0001', CONSTRAINT = 'survey_fixed';
        END IF;
        PERFORM FROM unnest(NEW.elements) AS e WHERE NOT reference_holds('survey-element', e, NEW.starts_on);
        IF FOUND OR cardinality(NEW.elements) <> (SELECT count(DISTINCT e) FROM unnest(NEW.elements) AS e) THEN
            RAISE EXCEPTION 'no such element, or twice' USING ERRCODE = 'P0001', CONSTRAINT = 'survey_elements_known';
        END IF;
        PERFORM FROM service s WHERE s.id = NEW.service_id AND s.service_unit_id <> NEW.service_unit_id;
        IF FOUND THEN
            RAISE EXCEPTION 'a service of another unit' USING ERRCODE = 'P0001', CONSTRAINT = 'survey_service_fkey';
        END IF;
    END IF;
    IF TG_OP = 'UPDATE' AND OLD.state = 'published' THEN
        RAISE EXCEPTION 'what is published stays' USING ERRCODE = 'P0001', CONSTRAINT = 'survey_published';
    END IF;
    IF TG_OP = 'UPDATE' AND NEW.state <> OLD.state
       AND (OLD.state, NEW.state) NOT IN (('draft', 'open'), ('open', 'closed'), ('closed', 'open'), ('closed', 'published')) THEN
        RAISE EXCEPTION '% does not become %', OLD.state, NEW.state USING ERRCODE = 'P0001', CONSTRAINT = 'survey_state_order';
    END IF;
    RETURN NEW;
END $$;
COMMENT ON FUNCTION survey_step() IS 'Order of states; what may not change any more.';
CREATE TRIGGER survey_10_step BEFORE INSERT OR UPDATE ON survey FOR EACH ROW EXECUTE FUNCTION survey_step();

CREATE FUNCTION survey_act(which uuid, units ltree[], becomes text) RETURNS SETOF survey
LANGUAGE plpgsql AS $$
BEGIN
    IF becomes <> 'open' THEN
        PERFORM pg_advisory_xact_lock(survey_lock(which));
    END IF;
    PERFORM FROM survey v JOIN service_unit p ON p.id = v.service_unit_id JOIN unit u ON u.id = p.unit_id
    WHERE  v.id = which AND u.path <@ ANY (units)
    FOR    UPDATE OF v;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    PERFORM FROM survey v WHERE v.id = which AND v.state = becomes;
    IF FOUND THEN
        RAISE EXCEPTION 'it is % already', becomes USING ERRCODE = 'P0001', CONSTRAINT = 'survey_state_order';
    END IF;
    RETURN QUERY UPDATE survey v SET state = becomes WHERE v.id = which RETURNING v.*;
END $$;
COMMENT ON FUNCTION survey_act(uuid, ltree[], text) IS 'Opens or closes a survey. No row: no such survey in these units.';

-- ── answers ── An answer does not know its ticket, nor when in the day it came: the receipt says that a ticket or form has answered, and the answer
-- says what. Nothing joins the two.

CREATE TABLE survey_receipt (
    survey_id   uuid             NOT NULL CONSTRAINT survey_receipt_survey_fkey REFERENCES survey,
    form        text COLLATE "C" NOT NULL CONSTRAINT survey_receipt_form_length CHECK (length(form) BETWEEN 1 AND 80),
    ticket_id   uuid             CONSTRAINT survey_receipt_ticket_fkey REFERENCES ticket,
    answered_on date             NOT NULL,
    CONSTRAINT survey_receipt_pkey PRIMARY KEY (survey_id, form),
    CONSTRAINT survey_receipt_ticket_key UNIQUE (ticket_id)
);
COMMENT ON TABLE survey_receipt IS 'Which tickets and forms have answered; what, is not told.';
COMMENT ON COLUMN survey_receipt.survey_id IS 'survey.id';
COMMENT ON COLUMN survey_receipt.form IS 'Id that the answering page made up for the form, or the number of a paper form behind paper:';
COMMENT ON COLUMN survey_receipt.ticket_id IS 'ticket.id; null: it was answered without one';
COMMENT ON COLUMN survey_receipt.answered_on IS 'The regency''s date';

CREATE TABLE survey_answer (
    id          uuid  CONSTRAINT survey_answer_pkey PRIMARY KEY DEFAULT gen_random_uuid(),
    survey_id   uuid  NOT NULL CONSTRAINT survey_answer_survey_fkey REFERENCES survey,
    service_id  uuid  CONSTRAINT survey_answer_service_fkey REFERENCES service,
    officer_id  uuid  CONSTRAINT survey_answer_officer_fkey REFERENCES asn,
    answered_on date  NOT NULL,
    channel     text  NOT NULL CONSTRAINT survey_answer_channel_known CHECK (channel IN ('ticket', 'link', 'paper')),
    answers     jsonb NOT NULL,
    sex         text  CONSTRAINT survey_answer_sex_known CHECK (sex IN ('M', 'F')),
    age_group   text  CONSTRAINT survey_answer_age_group_known CHECK (age_group IN ('under-20', '20-29', '30-39', '40-49', '50-59', '60-up')),
    education   text  CONSTRAINT survey_answer_education_known CHECK (education IN ('sd', 'smp', 'sma', 'd1-d3', 's1', 's2-s3')),
    occupation  text  CONSTRAINT survey_answer_occupation_known CHECK (occupation IN ('asn', 'tni-polri', 'swasta', 'wirausaha', 'pelajar', 'petani-nelayan', 'lainnya'))
);
CREATE INDEX survey_answer_survey_idx ON survey_answer (survey_id);
CREATE INDEX survey_answer_officer_idx ON survey_answer (officer_id, answered_on) WHERE officer_id IS NOT NULL;
COMMENT ON TABLE survey_answer IS 'What was answered, by nobody knows whom.';
COMMENT ON COLUMN survey_answer.id IS 'Random, so that it tells no time';
COMMENT ON COLUMN survey_answer.survey_id IS 'survey.id';
COMMENT ON COLUMN survey_answer.service_id IS 'service.id of the ticket; null: without one';
COMMENT ON COLUMN survey_answer.officer_id IS 'asn.id of who served; null: not known';
COMMENT ON COLUMN survey_answer.answered_on IS 'The regency''s date';
COMMENT ON COLUMN survey_answer.channel IS 'ticket, link or paper';
COMMENT ON COLUMN survey_answer.answers IS 'Code of an element → 1 (tidak baik) to 4 (sangat baik); what was left out is not there';
COMMENT ON COLUMN survey_answer.sex IS 'M or F; null: not told';
COMMENT ON COLUMN survey_answer.age_group IS 'Years; null: not told';
COMMENT ON COLUMN survey_answer.education IS 'Last school; null: not told';
COMMENT ON COLUMN survey_answer.occupation IS 'Work; null: not told';

CREATE TABLE survey_tally (
    survey_id uuid             NOT NULL CONSTRAINT survey_tally_survey_fkey REFERENCES survey,
    slot      smallint         NOT NULL,
    element   text COLLATE "C" NOT NULL,
    value     text COLLATE "C" NOT NULL,
    n         bigint           NOT NULL,
    CONSTRAINT survey_tally_pkey PRIMARY KEY (survey_id, slot, element, value)
) WITH (fillfactor = 50);
COMMENT ON TABLE survey_tally IS 'How often what was answered: kept in the transaction of the answer, spread so that answers do not wait for each other. The sum over the slots is the count.';
COMMENT ON COLUMN survey_tally.survey_id IS 'survey.id';
COMMENT ON COLUMN survey_tally.slot IS 'Which of 64 counters: by the connection that wrote it';
COMMENT ON COLUMN survey_tally.element IS 'Code of an element; or n (respondents), channel, sex, age_group, education, occupation, trapped (forms of machines, which are no answers)';
COMMENT ON COLUMN survey_tally.value IS '1 to 4; or the group, - where it was not told';
COMMENT ON COLUMN survey_tally.n IS 'How many';


CREATE FUNCTION survey_answer_judge() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM survey s, jsonb_each(NEW.answers) AS a
    WHERE  s.id = NEW.survey_id AND NOT (a.key = ANY (s.elements) AND a.value IN ('1', '2', '3', '4'));
    IF FOUND OR NEW.answers = '{}' THEN
        RAISE EXCEPTION 'an element that is not asked, or no answer from 1 to 4' USING ERRCODE = 'P0001', CONSTRAINT = 'survey_answer_form';
    END IF;
    RETURN NEW;
END $$;
COMMENT ON FUNCTION survey_answer_judge() IS 'Answers are 1 to 4, to what the survey asks.';
CREATE TRIGGER survey_answer_10_judge BEFORE INSERT ON survey_answer FOR EACH ROW EXECUTE FUNCTION survey_answer_judge();

-- In one order for all, so that two writers of one slot wait for each other and never both.
CREATE FUNCTION survey_answer_count() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO survey_tally AS t (survey_id, slot, element, value, n)
    SELECT a.survey_id, pg_backend_pid() % 64, v.element, v.value, count(*)
    FROM   entered a
    CROSS  JOIN LATERAL (SELECT j.key AS element, j.value FROM jsonb_each_text(a.answers) j
                         UNION ALL
                         VALUES ('n', '-'), ('channel', a.channel), ('sex', coalesce(a.sex, '-')), ('age_group', coalesce(a.age_group, '-')),
                                ('education', coalesce(a.education, '-')), ('occupation', coalesce(a.occupation, '-'))) v
    GROUP  BY a.survey_id, v.element, v.value
    ORDER  BY a.survey_id, v.element COLLATE "C", v.value COLLATE "C"
    ON CONFLICT ON CONSTRAINT survey_tally_pkey DO UPDATE SET n = t.n + EXCLUDED.n;
    RETURN NULL;
END $$;
COMMENT ON FUNCTION survey_answer_count() IS 'Counts a statement''s answers.';
CREATE TRIGGER survey_answer_30_count AFTER INSERT ON survey_answer REFERENCING NEW TABLE AS entered FOR EACH STATEMENT EXECUTE FUNCTION survey_answer_count();

CREATE FUNCTION survey_answer_keep() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND is_merging() AND to_jsonb(NEW) - 'officer_id' = to_jsonb(OLD) - 'officer_id' THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'an answer is never changed' USING ERRCODE = 'P0001', CONSTRAINT = 'survey_answer_fixed';
END $$;
COMMENT ON FUNCTION survey_answer_keep() IS 'Answers are neither changed nor deleted; whose officer it was may turn out to be somebody else under another number.';
CREATE TRIGGER survey_answer_10_keep BEFORE UPDATE OR DELETE ON survey_answer FOR EACH ROW EXECUTE FUNCTION survey_answer_keep();
CREATE TRIGGER survey_answer_10_keep_all BEFORE TRUNCATE ON survey_answer FOR EACH STATEMENT EXECUTE FUNCTION survey_answer_keep();

CREATE TABLE feedback (
    id                uuid        CONSTRAINT feedback_pkey PRIMARY KEY DEFAULT gen_random_uuid(),
    survey_id         uuid        NOT NULL CONSTRAINT feedback_survey_fkey REFERENCES survey,
    text              text        NOT NULL CONSTRAINT feedback_text_length CHECK (length(text) BETWEEN 1 AND 2000),
    received_on       date        NOT NULL,
    state             text        NOT NULL DEFAULT 'new' CONSTRAINT feedback_state_known CHECK (state IN ('new', 'approved', 'hidden')),
    reason            text,
    moderated_by_name text,
    version           bigint      NOT NULL DEFAULT 1,
    created_at        timestamptz NOT NULL DEFAULT now(),
    updated_at        timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX feedback_state_idx ON feedback (state, id);
CREATE INDEX feedback_survey_idx ON feedback (survey_id, id);
COMMENT ON TABLE feedback IS 'What the public wrote beside a survey; shown to the public only when approved. It does not know its answer.';
COMMENT ON COLUMN feedback.id IS 'Random, so that it tells no time';
COMMENT ON COLUMN feedback.survey_id IS 'survey.id';
COMMENT ON COLUMN feedback.text IS 'As it was written; may hold what should not be shown';
COMMENT ON COLUMN feedback.received_on IS 'The regency''s date';
COMMENT ON COLUMN feedback.state IS 'new, approved or hidden';
COMMENT ON COLUMN feedback.reason IS 'Why it is hidden';
COMMENT ON COLUMN feedback.moderated_by_name IS 'Name of the key that last decided';
COMMENT ON COLUMN feedback.version IS 'Counts changes: ETag';
COMMENT ON COLUMN feedback.created_at IS 'When the row was made';
COMMENT ON COLUMN feedback.updated_at IS 'Last change';
CREATE TRIGGER feedback_20_touch BEFORE UPDATE ON feedback FOR EACH ROW EXECUTE FUNCTION touch_row();


-- Which survey a token leads to: t:ticket or s:survey.
CREATE FUNCTION survey_of_token(token text) RETURNS TABLE (survey_id uuid, ticket_id uuid, service_id uuid, officer_id uuid, is_open boolean)
LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF token LIKE 's:%' THEN
        RETURN QUERY SELECT s.id, NULL::uuid, s.service_id, NULL::uuid,
                            s.state = 'open' AND s.is_open_link AND local_today() BETWEEN s.starts_on AND s.ends_on
                     FROM   survey s WHERE s.id = substr(token, 3)::uuid;
        RETURN;
    END IF;
    RETURN QUERY
    SELECT o.id, t.id, t.service_id, t.officer_id, o.id IS NOT NULL AND t.state NOT IN ('no_show', 'cancelled')
    FROM   ticket t
    JOIN   service v ON v.id = t.service_id
    LEFT   JOIN LATERAL (SELECT s.id FROM survey s
                         WHERE  s.state = 'open' AND s.service_unit_id = v.service_unit_id AND (s.service_id = v.id OR s.service_id IS NULL)
                                AND local_today() BETWEEN s.starts_on AND s.ends_on
                         ORDER  BY s.service_id IS NULL, s.id LIMIT 1) o ON true
    WHERE  t.id = substr(token, 3)::uuid;
END $$;
COMMENT ON FUNCTION survey_of_token(text) IS 'The survey that a ticket or link answers today; of several the one of its own service.';

CREATE FUNCTION survey_take(token text, told jsonb) RETURNS TABLE (problem text, pointer text, value text, survey_id uuid, is_repeat boolean)
LANGUAGE plpgsql AS $$
DECLARE
    w     record;
    r     survey_receipt;
    asked text[];
BEGIN
    SELECT s.survey_id INTO survey_id FROM survey_of_token(token) s;
    IF survey_id IS NOT NULL THEN
        PERFORM pg_advisory_xact_lock_shared(survey_lock(survey_id));
    END IF;
    SELECT s.* INTO w FROM survey_of_token(token) s;
    IF w.survey_id IS NULL OR NOT w.is_open OR w.survey_id <> survey_id THEN
        SELECT q.survey_id, true INTO survey_id, is_repeat FROM survey_receipt q
        WHERE  q.form = told ->> 'form_id'
               AND CASE WHEN w.ticket_id IS NULL THEN q.survey_id = w.survey_id AND q.ticket_id IS NULL ELSE q.ticket_id = w.ticket_id END;
        problem := CASE WHEN is_repeat THEN NULL ELSE 'survey-closed' END;
        RETURN NEXT;
        RETURN;
    END IF;
    is_repeat := false;
    IF coalesce(told ->> 'website', '') <> '' THEN
        INSERT INTO survey_tally AS t VALUES (survey_id, pg_backend_pid() % 64, 'trapped', '-', 1)
        ON CONFLICT ON CONSTRAINT survey_tally_pkey DO UPDATE SET n = t.n + 1;
        RETURN NEXT;
        RETURN;
    END IF;
    SELECT s.elements INTO asked FROM survey s WHERE s.id = w.survey_id;
    SELECT 'answer-unasked', '/answers/' || a.key, a.key INTO problem, pointer, value FROM jsonb_object_keys(told -> 'answers') AS a (key) WHERE a.key <> ALL (asked) LIMIT 1;
    IF FOUND THEN
        RETURN NEXT;
        RETURN;
    END IF;
    INSERT INTO survey_receipt (survey_id, form, ticket_id, answered_on) VALUES (w.survey_id, told ->> 'form_id', w.ticket_id, local_today())
    ON CONFLICT DO NOTHING;
    IF NOT FOUND THEN
        SELECT q.* INTO r FROM survey_receipt q WHERE q.survey_id = w.survey_id AND q.form = told ->> 'form_id';
        is_repeat := FOUND AND r.ticket_id IS NOT DISTINCT FROM w.ticket_id;
        problem := CASE WHEN NOT is_repeat THEN 'answer-given' END;
        RETURN NEXT;
        RETURN;
    END IF;
    INSERT INTO survey_answer (survey_id, service_id, officer_id, answered_on, channel, answers, sex, age_group, education, occupation)
    VALUES (w.survey_id, w.service_id, w.officer_id, local_today(), CASE WHEN w.ticket_id IS NULL THEN 'link' ELSE 'ticket' END,
            with_whole(told -> 'answers', VARIADIC asked), told #>> '{respondent,sex}', told #>> '{respondent,age_group}', told #>> '{respondent,education}',
            told #>> '{respondent,occupation}');
    IF told ->> 'comment' IS NOT NULL THEN
        INSERT INTO feedback (survey_id, text, received_on) VALUES (w.survey_id, told ->> 'comment', local_today());
    END IF;
    RETURN NEXT;
END $$;
COMMENT ON FUNCTION survey_take(text, jsonb) IS
    'Takes an answer once: of a ticket one, of a form one. The same form again is a repeat and as good as taken. What fills the field that no person sees is counted apart and told the same.';

-- ── what came of it ──────────────────────────────────────────────────────────────────────────────────────────────────────

-- Groups below five are hidden, and with them the next ones up, until those hidden are two and hold five together: else they could be worked out.
CREATE FUNCTION survey_groups(which uuid) RETURNS TABLE (dimension text, "group" text, n bigint)
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN QUERY
    SELECT g.element::text, g.value::text, CASE WHEN g.n < 5 OR g.least < 5 AND (g.place <= 2 OR g.before < 5) THEN NULL ELSE g.n END
    FROM   (SELECT c.element, c.value, c.n, min(c.n) OVER (PARTITION BY c.element) AS least, row_number() OVER up AS place, sum(c.n) OVER up - c.n AS before
            FROM   (SELECT t.element, t.value, sum(t.n)::bigint AS n FROM survey_tally t
                    WHERE  t.survey_id = which AND t.element IN ('sex', 'age_group', 'education', 'occupation', 'channel')
                    GROUP  BY 1, 2) c
            WINDOW up AS (PARTITION BY c.element ORDER BY c.n, c.value ROWS UNBOUNDED PRECEDING)) g
    ORDER  BY g.element, g.value;
END $$;
COMMENT ON FUNCTION survey_groups(uuid) IS 'Respondents by group, - being those who did not tell; n null: too few to be shown.';

CREATE FUNCTION survey_summary(which uuid, told_index numeric, told_converted numeric, told_category text, told_elements jsonb, told_lowest jsonb, target bigint, rules text)
RETURNS TABLE (survey_id uuid, code text, name text, unit_id uuid, unit_name text, service_id uuid, service_name text, starts_on date, ends_on date, state text,
               respondents bigint, population bigint, sample_target bigint, is_below_target boolean, trapped bigint, is_suppressed boolean, index numeric, converted numeric,
               category text, category_name text, elements jsonb, lowest jsonb, groups jsonb, rule_version text)
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN QUERY
    SELECT s.id, s.code::text, s.name, p.unit_id, p.name, s.service_id, v.name, s.starts_on, s.ends_on, s.state, c.n, s.population, target, c.n < target, c.trapped,
           told_index IS NULL, told_index, told_converted, told_category,
           (SELECT r.name FROM reference r WHERE r.list = 'survey-category' AND r.code = told_category AND r.valid @> s.ends_on),
           told_elements, told_lowest,
           (SELECT coalesce(jsonb_agg(jsonb_build_object('dimension', g.dimension, 'group', g."group", 'n', g.n) ORDER BY g.dimension, g."group"), '[]') FROM survey_groups(s.id) g),
           rules
    FROM   survey s
    JOIN   service_unit p ON p.id = s.service_unit_id
    LEFT   JOIN service v ON v.id = s.service_id
    CROSS  JOIN LATERAL (SELECT coalesce(sum(t.n) FILTER (WHERE t.element = 'n'), 0)::bigint AS n,
                                coalesce(sum(t.n) FILTER (WHERE t.element = 'trapped'), 0)::bigint AS trapped
                         FROM   survey_tally t WHERE t.survey_id = s.id AND t.element IN ('n', 'trapped')) c
    WHERE  s.id = which;
END $$;
COMMENT ON FUNCTION survey_summary(uuid, numeric, numeric, text, jsonb, jsonb, bigint, text) IS
    'A survey''s result: what the rules worked out (told_…), and the counts beside it.';

CREATE TABLE follow_up (
    id          uuid        CONSTRAINT follow_up_pkey PRIMARY KEY,
    survey_id   uuid        NOT NULL CONSTRAINT follow_up_survey_fkey REFERENCES survey,
    element     text        NOT NULL,
    action      text        NOT NULL CONSTRAINT follow_up_action_length CHECK (length(action) BETWEEN 1 AND 1000),
    responsible text,
    due_on      date,
    state       text        NOT NULL DEFAULT 'planned' CONSTRAINT follow_up_state_known CHECK (state IN ('planned', 'done', 'dropped')),
    note        text,
    version     bigint      NOT NULL DEFAULT 1,
    created_at  timestamptz NOT NULL DEFAULT now(),
    updated_at  timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX follow_up_survey_idx ON follow_up (survey_id, id);
COMMENT ON TABLE follow_up IS 'Rencana tindak lanjut: what is to be done about the lowest elements of a survey.';
COMMENT ON COLUMN follow_up.id IS 'UUIDv7';
COMMENT ON COLUMN follow_up.survey_id IS 'survey.id';
COMMENT ON COLUMN follow_up.element IS 'Code of the element';
COMMENT ON COLUMN follow_up.action IS 'What is to be done';
COMMENT ON COLUMN follow_up.responsible IS 'Who does it: a post or section, no person';
COMMENT ON COLUMN follow_up.due_on IS 'By when';
COMMENT ON COLUMN follow_up.state IS 'planned, done or dropped';
COMMENT ON COLUMN follow_up.note IS 'What came of it';
COMMENT ON COLUMN follow_up.version IS 'Counts changes: ETag';
COMMENT ON COLUMN follow_up.created_at IS 'When the row was made';
COMMENT ON COLUMN follow_up.updated_at IS 'Last change';
CREATE TRIGGER follow_up_20_touch BEFORE UPDATE ON follow_up FOR EACH ROW EXECUTE FUNCTION touch_row();

CREATE FUNCTION follow_up_element() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM survey s WHERE s.id = NEW.survey_id AND NEW.element <> ALL (s.elements);
    IF FOUND THEN
        RAISE EXCEPTION 'not an element of the survey' USING ERRCODE = 'P0001', CONSTRAINT = 'follow_up_element_asked';
    END IF;
    RETURN NEW;
END $$;
COMMENT ON FUNCTION follow_up_element() IS 'A plan is for an element of its survey.';
CREATE TRIGGER follow_up_10_element BEFORE INSERT OR UPDATE ON follow_up FOR EACH ROW EXECUTE FUNCTION follow_up_element();

-- ── complaints ───────────────────────────────────────────────────────────────────────────────────────────────────────────

CREATE TABLE complaint (
    id              uuid             CONSTRAINT complaint_pkey PRIMARY KEY,
    reference       text COLLATE "C" CONSTRAINT complaint_reference_key UNIQUE CONSTRAINT complaint_reference_length CHECK (length(reference) BETWEEN 1 AND 64),
    channel         text             NOT NULL CONSTRAINT complaint_channel_known CHECK (channel IN ('lapor', 'counter', 'letter', 'phone', 'web', 'other')),
    kind            text             NOT NULL CONSTRAINT complaint_kind_known CHECK (kind IN ('complaint', 'aspiration', 'information')),
    category        text             NOT NULL,
    service_unit_id uuid             NOT NULL CONSTRAINT complaint_service_unit_fkey REFERENCES service_unit,
    service_id      uuid             CONSTRAINT complaint_service_fkey REFERENCES service,
    text            text             NOT NULL CONSTRAINT complaint_text_length CHECK (length(text) BETWEEN 1 AND 5000),
    is_secret       boolean          NOT NULL DEFAULT false,
    received_at     timestamptz      NOT NULL,
    state           text             NOT NULL DEFAULT 'received' CONSTRAINT complaint_state_known CHECK (state IN ('received', 'verified', 'forwarded', 'in_progress', 'answered', 'closed', 'reopened', 'rejected')),
    weight          text             CONSTRAINT complaint_weight_known CHECK (weight IN ('normative', 'unsupervised', 'supervised')),
    verify_by       date,
    handle_by       date,
    settle_by       date,
    close_by        date,
    verified_at     timestamptz,
    forwarded_at    timestamptz,
    handled_at      timestamptz,
    answered_at     timestamptz,
    closed_at       timestamptz,
    answer          text,
    is_upheld       boolean,
    version         bigint           NOT NULL DEFAULT 1,
    created_at      timestamptz      NOT NULL DEFAULT now(),
    updated_at      timestamptz      NOT NULL DEFAULT now()
);
CREATE INDEX complaint_service_unit_idx ON complaint (service_unit_id, id);
CREATE INDEX complaint_state_idx ON complaint (state, id);
CREATE INDEX complaint_close_idx ON complaint (close_by) WHERE state = 'answered';
COMMENT ON TABLE complaint IS 'Complaints, aspirations and questions for information. Who sent it stays with the channel: only its reference is kept.';
COMMENT ON COLUMN complaint.id IS 'UUIDv7';
COMMENT ON COLUMN complaint.reference IS 'Its number in the channel (LAPOR); null: it came here first';
COMMENT ON COLUMN complaint.channel IS 'How it came';
COMMENT ON COLUMN complaint.kind IS 'pengaduan, aspirasi, permintaan informasi';
COMMENT ON COLUMN complaint.category IS 'Code of the list complaint-category';
COMMENT ON COLUMN complaint.service_unit_id IS 'service_unit.id';
COMMENT ON COLUMN complaint.service_id IS 'service.id; null: of the unit as a whole';
COMMENT ON COLUMN complaint.text IS 'What is complained of';
COMMENT ON COLUMN complaint.is_secret IS 'Laporan rahasia: only for who holds complaint.secret';
COMMENT ON COLUMN complaint.received_at IS 'When it came';
COMMENT ON COLUMN complaint.state IS 'received, verified, forwarded, in_progress, answered, closed; reopened; rejected';
COMMENT ON COLUMN complaint.weight IS 'What settling it asks for; told when it is verified';
COMMENT ON COLUMN complaint.verify_by IS 'Last day to verify and forward it';
COMMENT ON COLUMN complaint.handle_by IS 'Last day to begin, from the day on which it was forwarded';
COMMENT ON COLUMN complaint.settle_by IS 'Last day to answer, by its weight, from the day on which it came or was reopened';
COMMENT ON COLUMN complaint.close_by IS 'Last day for the reporter to reply, from the day of the answer; then it is closed';
COMMENT ON COLUMN complaint.verified_at IS 'When it was verified';
COMMENT ON COLUMN complaint.forwarded_at IS 'When it was forwarded';
COMMENT ON COLUMN complaint.handled_at IS 'When handling began';
COMMENT ON COLUMN complaint.answered_at IS 'When it was answered';
COMMENT ON COLUMN complaint.closed_at IS 'When it was closed or rejected';
COMMENT ON COLUMN complaint.answer IS 'What was answered';
COMMENT ON COLUMN complaint.is_upheld IS 'Whether it was right; null: not judged';
COMMENT ON COLUMN complaint.version IS 'Counts changes: ETag';
COMMENT ON COLUMN complaint.created_at IS 'When the row was made';
COMMENT ON COLUMN complaint.updated_at IS 'Last change';
CREATE TRIGGER complaint_20_touch BEFORE UPDATE ON complaint FOR EACH ROW EXECUTE FUNCTION touch_row();

CREATE TABLE complaint_step (
    id           uuid        CONSTRAINT complaint_step_pkey PRIMARY KEY DEFAULT uuid_v7(),
    complaint_id uuid        NOT NULL CONSTRAINT complaint_step_complaint_fkey REFERENCES complaint,
    state        text        NOT NULL,
    note         text,
    actor_name   text,
    at           timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX complaint_step_complaint_idx ON complaint_step (complaint_id, id);
COMMENT ON TABLE complaint_step IS 'What was done about a complaint, step by step.';
COMMENT ON COLUMN complaint_step.id IS 'UUIDv7';
COMMENT ON COLUMN complaint_step.complaint_id IS 'complaint.id';
COMMENT ON COLUMN complaint_step.state IS 'complaint.state from then on';
COMMENT ON COLUMN complaint_step.note IS 'What was said';
COMMENT ON COLUMN complaint_step.actor_name IS 'Name of the key; null: the daemon, when time was up';
COMMENT ON COLUMN complaint_step.at IS 'When';


CREATE FUNCTION complaint_limit(step text, from_day date) RETURNS date
LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
BEGIN
    RETURN workday_after(from_day, (SELECT (r.facts ->> 'working_days')::integer FROM reference r
                                    WHERE  r.list = 'complaint-limit' AND r.code = step AND r.valid @> from_day));
END $$;
COMMENT ON FUNCTION complaint_limit(text, date) IS 'The last day of a step that may take so many working days from that day (list complaint-limit); null: no limit is set.';

CREATE FUNCTION complaint_may_become(old_state text, new_state text) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN (old_state, new_state) IN (('received', 'verified'), ('received', 'rejected'), ('verified', 'forwarded'), ('verified', 'rejected'),
                                  ('forwarded', 'in_progress'), ('reopened', 'in_progress'), ('in_progress', 'answered'), ('answered', 'closed'),
                                  ('answered', 'reopened'), ('closed', 'reopened'));
COMMENT ON FUNCTION complaint_may_become(text, text) IS 'The order of states of a complaint.';

CREATE FUNCTION complaint_enter() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NOT reference_holds('complaint-category', NEW.category, local_day(NEW.received_at)) THEN
            RAISE EXCEPTION 'no such category' USING ERRCODE = 'P0001', CONSTRAINT = 'complaint_category_known';
        END IF;
        PERFORM FROM service s WHERE s.id = NEW.service_id AND s.service_unit_id <> NEW.service_unit_id;
        IF FOUND THEN
            RAISE EXCEPTION 'a service of another unit' USING ERRCODE = 'P0001', CONSTRAINT = 'complaint_service_fkey';
        END IF;
        IF NEW.received_at > clock_timestamp() + interval '5 minutes' THEN
            RAISE EXCEPTION 'this lies in the future' USING ERRCODE = 'P0001', CONSTRAINT = 'complaint_in_future';
        END IF;
        NEW.verify_by := complaint_limit('verify', local_day(NEW.received_at));
        RETURN NEW;
    END IF;
    IF NEW.state = OLD.state THEN
        RETURN NEW;
    END IF;
    IF NOT complaint_may_become(OLD.state, NEW.state) THEN
        RAISE EXCEPTION '% does not become %', OLD.state, NEW.state USING ERRCODE = 'P0001', CONSTRAINT = 'complaint_state_order';
    END IF;
    CASE NEW.state
    WHEN 'verified' THEN
        NEW.settle_by := complaint_limit(NEW.weight, local_day(NEW.received_at));
    WHEN 'forwarded' THEN
        NEW.handle_by := complaint_limit('handle', local_day(NEW.forwarded_at));
    WHEN 'answered' THEN
        NEW.close_by := complaint_limit('close', local_day(NEW.answered_at));
    WHEN 'reopened' THEN
        NEW.settle_by := complaint_limit(NEW.weight, local_today());
        NEW.close_by := NULL;
        NEW.closed_at := NULL;
    ELSE
    END CASE;
    RETURN NEW;
END $$;
COMMENT ON FUNCTION complaint_enter() IS 'Order of states, and the days by which the next step is due.';
CREATE TRIGGER complaint_10_enter BEFORE INSERT OR UPDATE ON complaint FOR EACH ROW EXECUTE FUNCTION complaint_enter();

CREATE FUNCTION complaint_act(which uuid, units ltree[], scopes text[], told jsonb, by_name text) RETURNS SETOF complaint
LANGUAGE plpgsql AS $$
DECLARE
    becomes text := told ->> 'state';
    moment  timestamptz := coalesce((told ->> 'at')::timestamptz, now());
BEGIN
    PERFORM FROM complaint c JOIN service_unit p ON p.id = c.service_unit_id JOIN unit u ON u.id = p.unit_id
    WHERE  c.id = which AND u.path <@ ANY (units) AND (NOT c.is_secret OR scope_held(scopes, 'complaint.secret'))
    FOR    UPDATE OF c;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    PERFORM FROM complaint c WHERE c.id = which AND c.state = becomes;
    IF FOUND THEN
        RAISE EXCEPTION 'it is % already', becomes USING ERRCODE = 'P0001', CONSTRAINT = 'complaint_state_order';
    END IF;
    RETURN QUERY
    UPDATE complaint c
    SET    state = becomes, weight = coalesce(told ->> 'weight', c.weight), answer = coalesce(told ->> 'answer', c.answer),
           is_upheld = coalesce((told ->> 'is_upheld')::boolean, c.is_upheld),
           verified_at = CASE becomes WHEN 'verified' THEN moment ELSE c.verified_at END,
           forwarded_at = CASE becomes WHEN 'forwarded' THEN moment ELSE c.forwarded_at END,
           handled_at = CASE becomes WHEN 'in_progress' THEN moment ELSE c.handled_at END,
           answered_at = CASE becomes WHEN 'answered' THEN moment ELSE c.answered_at END,
           closed_at = CASE WHEN becomes IN ('closed', 'rejected') THEN moment ELSE c.closed_at END
    WHERE  c.id = which
    RETURNING c.*;
    INSERT INTO complaint_step (complaint_id, state, note, actor_name, at) VALUES (which, becomes, told ->> 'note', by_name, moment);
END $$;
COMMENT ON FUNCTION complaint_act(uuid, ltree[], text[], jsonb, text) IS
    'Brings a complaint into its next state; told: state, at, weight, answer, is_upheld, note. No row: no such complaint for this caller.';

CREATE FUNCTION complaint_late(c complaint, today date) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN (c).state IN ('answered', 'closed', 'rejected') THEN NULL
            WHEN (c).settle_by < today THEN 'settle'
            WHEN (c).state IN ('received', 'verified') AND (c).verify_by < today THEN 'verify'
            WHEN (c).state = 'forwarded' AND (c).handle_by < today THEN 'handle' END;
COMMENT ON FUNCTION complaint_late(complaint, date) IS 'The limit that has run out of a complaint that is still open: verify, handle or settle; null: none.';

-- The reporter may reply through the whole of the last day.
CREATE FUNCTION complaint_close_silent() RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    n bigint;
BEGIN
    WITH done AS (
        UPDATE complaint c SET state = 'closed', closed_at = now()
        WHERE  c.id IN (SELECT d.id FROM complaint d WHERE d.state = 'answered' AND d.close_by < local_today() ORDER BY d.id LIMIT 1000 FOR UPDATE SKIP LOCKED)
        RETURNING c.id
    ), noted AS (
        INSERT INTO complaint_step (complaint_id, state) SELECT d.id, 'closed' FROM done d RETURNING 1
    )
    SELECT count(*) INTO n FROM noted;
    RETURN n;
END $$;
COMMENT ON FUNCTION complaint_close_silent() IS 'Closes what was answered and had no reply in time. Gives how many.';
