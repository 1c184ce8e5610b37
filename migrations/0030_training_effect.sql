-- What training does, by Kirkpatrick's four levels: what participants say of it (anonymous), what they learned, what their superior, peers and they
-- themselves see months later, and what changed for those who took part beside those who did not. docs/training-effect.md.

-- ── what is asked ────────────────────────────────────────────────────────────────────────────────────────────────────────

INSERT INTO reference_list (list, name, name_en, description, source) VALUES
    ('reaction-item', 'Butir evaluasi reaksi', 'Items of reaction to a training',
     'What participants are asked on the last day (Kirkpatrick level 1). A session is asked the items of its last day. Facts: subject (trainer, material, '
     'facilities, organisation), question.', 'ours'),
    ('behaviour-item', 'Butir evaluasi perilaku', 'Items of behaviour after a training',
     'What superior, peers and the participant are asked months later (Kirkpatrick level 3). Facts: question.', 'ours'),
    ('training-scale', 'Skala evaluasi pelatihan', 'Scales of the evaluation of training',
     'What the answers 1 to 4 mean, by the questionnaire: code is reaction-1 … reaction-4, behaviour-1 … behaviour-4.', 'ours; four steps as in Permenpan RB 14/2017');

INSERT INTO reference (list, code, name, name_en, seq, facts, source) VALUES
    ('reaction-item', 'R1', 'Penguasaan materi oleh pengajar', 'The trainer''s command of the matter', 1, '{"subject": "trainer", "question": "Bagaimana penguasaan materi oleh pengajar?"}', 'ours'),
    ('reaction-item', 'R2', 'Cara mengajar', 'How it was taught', 2, '{"subject": "trainer", "question": "Bagaimana cara pengajar menyampaikan materi dan menjawab pertanyaan?"}', 'ours'),
    ('reaction-item', 'R3', 'Kesesuaian materi dengan tugas', 'Fit of the material to the work', 3, '{"subject": "material", "question": "Seberapa sesuai materi dengan tugas Anda?"}', 'ours'),
    ('reaction-item', 'R4', 'Mutu bahan ajar', 'Quality of the material', 4, '{"subject": "material", "question": "Bagaimana mutu bahan ajar dan latihan?"}', 'ours'),
    ('reaction-item', 'R5', 'Ruang dan peralatan', 'Rooms and equipment', 5, '{"subject": "facilities", "question": "Bagaimana ruang, peralatan, atau sarana daring?"}', 'ours'),
    ('reaction-item', 'R6', 'Konsumsi dan akomodasi', 'Meals and lodging', 6, '{"subject": "facilities", "question": "Bagaimana konsumsi dan akomodasi?"}', 'ours'),
    ('reaction-item', 'R7', 'Penyelenggaraan', 'Organisation', 7, '{"subject": "organisation", "question": "Bagaimana panitia, jadwal, dan informasi?"}', 'ours'),
    ('behaviour-item', 'B1', 'Menerapkan yang dipelajari', 'Applies what was learned', 1, '{"question": "Seberapa sering yang dipelajari diterapkan dalam pekerjaan?"}', 'ours'),
    ('behaviour-item', 'B2', 'Bekerja lebih cepat atau lebih teliti', 'Works faster or more exactly', 2, '{"question": "Seberapa sering pekerjaan selesai lebih cepat atau lebih teliti daripada sebelum pelatihan?"}', 'ours'),
    ('behaviour-item', 'B3', 'Menyelesaikan masalah sendiri', 'Solves problems alone', 3, '{"question": "Seberapa sering masalah di bidang pelatihan diselesaikan tanpa bantuan?"}', 'ours'),
    ('behaviour-item', 'B4', 'Berbagi pengetahuan', 'Shares knowledge', 4, '{"question": "Seberapa sering pengetahuan dari pelatihan dibagikan kepada rekan?"}', 'ours'),
    ('behaviour-item', 'B5', 'Melayani lebih baik', 'Serves better', 5, '{"question": "Seberapa sering masyarakat atau rekan dilayani lebih baik daripada sebelum pelatihan?"}', 'ours'),
    ('training-scale', 'reaction-1', 'Tidak baik', 'Not good', 1, '{}', 'ours'),
    ('training-scale', 'reaction-2', 'Kurang baik', 'Less good', 2, '{}', 'ours'),
    ('training-scale', 'reaction-3', 'Baik', 'Good', 3, '{}', 'ours'),
    ('training-scale', 'reaction-4', 'Sangat baik', 'Very good', 4, '{}', 'ours'),
    ('training-scale', 'behaviour-1', 'Tidak pernah', 'Never', 5, '{}', 'ours'),
    ('training-scale', 'behaviour-2', 'Kadang-kadang', 'Sometimes', 6, '{}', 'ours'),
    ('training-scale', 'behaviour-3', 'Sering', 'Often', 7, '{}', 'ours'),
    ('training-scale', 'behaviour-4', 'Selalu', 'Always', 8, '{}', 'ours');

CREATE TABLE training_setting (
    code       text    NOT NULL,
    valid_from date    NOT NULL,
    value      integer NOT NULL,
    source     text    NOT NULL,
    CONSTRAINT training_setting_pkey PRIMARY KEY (code, valid_from)
);
COMMENT ON TABLE training_setting IS 'Numbers of the evaluation of training that somebody may want otherwise.';
COMMENT ON COLUMN training_setting.code IS
    'small_group: fewer answers are not shown; few: fewer of an arm are warned of; few_units: fewer units of an arm are; reaction_days, behaviour_months, behaviour_days, peers: of programmes without a plan';
COMMENT ON COLUMN training_setting.valid_from IS 'In force since';
COMMENT ON COLUMN training_setting.value IS 'The number';
COMMENT ON COLUMN training_setting.source IS 'Where it comes from, and how sure that is';
INSERT INTO training_setting VALUES
    ('small_group', '2000-01-01', 5, 'ours, as in surveys of satisfaction'),
    ('few', '2000-01-01', 20, 'ours'),
    ('few_units', '2000-01-01', 6, 'ours'),
    ('reaction_days', '2000-01-01', 14, 'ours'),
    ('behaviour_months', '2000-01-01', 6, 'recalled: 3 to 12 months, LAN structural trainings about 6 to 12'),
    ('behaviour_days', '2000-01-01', 30, 'ours'),
    ('peers', '2000-01-01', 3, 'ours');

CREATE FUNCTION training_number(which text, at date) RETURNS integer
LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
BEGIN
    RETURN (SELECT s.value FROM training_setting s WHERE s.code = which AND s.valid_from <= at ORDER BY s.valid_from DESC LIMIT 1);
END $$;
COMMENT ON FUNCTION training_number(text, date) IS 'A number of training_setting as it is in force on a day; null: there is none.';

-- ── when it is asked ─────────────────────────────────────────────────────────────────────────────────────────────────────

CREATE TABLE effect_plan (
    programme_id     uuid        CONSTRAINT effect_plan_pkey PRIMARY KEY CONSTRAINT effect_plan_programme_fkey REFERENCES programme,
    reaction_days    integer     NOT NULL CONSTRAINT effect_plan_reaction_days_range CHECK (reaction_days BETWEEN 1 AND 90),
    behaviour_months integer     NOT NULL CONSTRAINT effect_plan_behaviour_months_range CHECK (behaviour_months BETWEEN 3 AND 12),
    behaviour_days   integer     NOT NULL CONSTRAINT effect_plan_behaviour_days_range CHECK (behaviour_days BETWEEN 7 AND 90),
    peers            integer     NOT NULL CONSTRAINT effect_plan_peers_range CHECK (peers BETWEEN 0 AND 10),
    version          bigint      NOT NULL DEFAULT 1,
    created_at       timestamptz NOT NULL DEFAULT now(),
    updated_at       timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE effect_plan IS 'When the participants of a programme are asked, and who else; a programme without a row has what training_setting says.';
COMMENT ON COLUMN effect_plan.programme_id IS 'programme.id';
COMMENT ON COLUMN effect_plan.reaction_days IS 'For so many days after the last day participants may answer';
COMMENT ON COLUMN effect_plan.behaviour_months IS 'So many months after the last day others are asked: 3 to 12';
COMMENT ON COLUMN effect_plan.behaviour_days IS 'For so many days they may answer';
COMMENT ON COLUMN effect_plan.peers IS 'How many peers are asked';
COMMENT ON COLUMN effect_plan.version IS 'Counts changes: ETag';
COMMENT ON COLUMN effect_plan.created_at IS 'When the row was made';
COMMENT ON COLUMN effect_plan.updated_at IS 'Last change';
CREATE TRIGGER effect_plan_20_touch BEFORE UPDATE ON effect_plan FOR EACH ROW EXECUTE FUNCTION touch_row();

CREATE FUNCTION effect_plan_of(which uuid, today date) RETURNS effect_plan
LANGUAGE plpgsql STABLE AS $$
DECLARE
    p effect_plan;
BEGIN
    SELECT e.* INTO p FROM effect_plan e WHERE e.programme_id = which;
    p.programme_id := which;
    p.reaction_days := coalesce(p.reaction_days, training_number('reaction_days', today));
    p.behaviour_months := coalesce(p.behaviour_months, training_number('behaviour_months', today));
    p.behaviour_days := coalesce(p.behaviour_days, training_number('behaviour_days', today));
    p.peers := coalesce(p.peers, training_number('peers', today));
    p.version := coalesce(p.version, 0) + 1;
    RETURN p;
END $$;
COMMENT ON FUNCTION effect_plan_of(uuid, date) IS 'The plan of a programme, its own or that of all. Version 1 is that of no row.';

CREATE FUNCTION effect_plan_put(which uuid, seen int8multirange, told jsonb) RETURNS TABLE (problem text, plan effect_plan)
LANGUAGE plpgsql AS $$
DECLARE
    was effect_plan;
BEGIN
    PERFORM FROM programme p WHERE p.id = which FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    was := effect_plan_of(which, local_today());
    IF NOT seen @> was.version THEN
        problem := 'version-stale';
        RETURN NEXT;
        RETURN;
    END IF;
    INSERT INTO effect_plan AS e (programme_id, reaction_days, behaviour_months, behaviour_days, peers)
    VALUES (which, (told ->> 'reaction_days')::numeric, (told ->> 'behaviour_months')::numeric, (told ->> 'behaviour_days')::numeric, (told ->> 'peers')::numeric)
    ON CONFLICT ON CONSTRAINT effect_plan_pkey DO UPDATE
    SET    (reaction_days, behaviour_months, behaviour_days, peers)
         = (EXCLUDED.reaction_days, EXCLUDED.behaviour_months, EXCLUDED.behaviour_days, EXCLUDED.peers);
    plan := effect_plan_of(which, local_today());
    RETURN NEXT;
END $$;
COMMENT ON FUNCTION effect_plan_put(uuid, int8multirange, jsonb) IS 'Sets the plan of a programme. No row in the answer: no such programme.';

-- Fixed with the first answer or the first who completes: results are shown once, when nothing can come any more. Were the days to move then, the
-- difference between two results would be somebody's answer.
CREATE TABLE effect_window (
    session_id       uuid    CONSTRAINT effect_window_pkey PRIMARY KEY CONSTRAINT effect_window_session_fkey REFERENCES session,
    reaction_opens   date    NOT NULL,
    reaction_closes  date    NOT NULL,
    behaviour_opens  date    NOT NULL,
    behaviour_closes date    NOT NULL,
    peers            integer NOT NULL,
    CONSTRAINT effect_window_order CHECK (reaction_opens <= reaction_closes AND reaction_opens < behaviour_opens AND behaviour_opens <= behaviour_closes)
);
CREATE INDEX effect_window_behaviour_idx ON effect_window (behaviour_opens);
COMMENT ON TABLE effect_window IS 'The days on which a session is asked, fixed when the first answers or completes.';
COMMENT ON COLUMN effect_window.session_id IS 'session.id';
COMMENT ON COLUMN effect_window.reaction_opens IS 'First day for the participants: the last of the session';
COMMENT ON COLUMN effect_window.reaction_closes IS 'Last day for them; results are shown after it';
COMMENT ON COLUMN effect_window.behaviour_opens IS 'First day for superior, peers and self';
COMMENT ON COLUMN effect_window.behaviour_closes IS 'Last day for them; results are shown after it';
COMMENT ON COLUMN effect_window.peers IS 'How many peers are asked';

CREATE FUNCTION effect_window_keep() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'these days are fixed' USING ERRCODE = 'P0001', CONSTRAINT = 'effect_window_fixed';
END $$;
COMMENT ON FUNCTION effect_window_keep() IS 'Other days would let answers come after a result.';
CREATE TRIGGER effect_window_10_keep BEFORE UPDATE OR DELETE ON effect_window FOR EACH ROW EXECUTE FUNCTION effect_window_keep();
CREATE TRIGGER effect_window_30_keep BEFORE TRUNCATE ON effect_window FOR EACH STATEMENT EXECUTE FUNCTION effect_window_keep();

CREATE FUNCTION effect_window_of(which uuid) RETURNS effect_window
LANGUAGE plpgsql STABLE AS $$
DECLARE
    w effect_window;
    s session;
    p effect_plan;
BEGIN
    SELECT e.* INTO w FROM effect_window e WHERE e.session_id = which;
    IF NOT FOUND THEN
        SELECT e.* INTO s FROM session e WHERE e.id = which;
        p := effect_plan_of(s.programme_id, local_today());
        w := (s.id, s.ends_on, s.ends_on + p.reaction_days, (s.ends_on + make_interval(months => p.behaviour_months))::date,
              (s.ends_on + make_interval(months => p.behaviour_months))::date + p.behaviour_days, p.peers)::effect_window;
    END IF;
    RETURN w;
END $$;
COMMENT ON FUNCTION effect_window_of(uuid) IS 'The days of a session: as they are fixed, else as they would be today.';

CREATE FUNCTION effect_window_fix(which uuid) RETURNS effect_window
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO effect_window SELECT (effect_window_of(which)).* ON CONFLICT ON CONSTRAINT effect_window_pkey DO NOTHING;
    RETURN effect_window_of(which);
END $$;
COMMENT ON FUNCTION effect_window_fix(uuid) IS 'Fixes the days of a session, if that was not done.';

-- ── answers are counted, not kept ────────────────────────────────────────────────────────────────────────────────────────

CREATE TABLE effect_tally (
    session_id uuid             NOT NULL CONSTRAINT effect_tally_session_fkey REFERENCES session,
    role       text             NOT NULL CONSTRAINT effect_tally_role_known CHECK (role IN ('participant', 'self', 'superior', 'peer')),
    item       text COLLATE "C" NOT NULL,
    value      smallint         NOT NULL CONSTRAINT effect_tally_value_range CHECK (value BETWEEN 0 AND 4),
    n          bigint           NOT NULL,
    CONSTRAINT effect_tally_pkey PRIMARY KEY (session_id, role, item, value)
);
COMMENT ON TABLE effect_tally IS 'How often what was answered. Of participants and peers there is nothing else: no answer of one person is kept.';
COMMENT ON COLUMN effect_tally.session_id IS 'session.id';
COMMENT ON COLUMN effect_tally.role IS 'participant (reaction, level 1); self, superior, peer (behaviour, level 3)';
COMMENT ON COLUMN effect_tally.item IS 'Code of the list reaction-item or behaviour-item; - for who answered at all';
COMMENT ON COLUMN effect_tally.value IS '1 to 4; 0 for who answered at all';
COMMENT ON COLUMN effect_tally.n IS 'How many';

-- In one order for all, so that two who answer wait for each other and never both.
CREATE FUNCTION effect_count(which uuid, told_role text, answers jsonb) RETURNS void
LANGUAGE sql AS $$
    INSERT INTO effect_tally AS t (session_id, role, item, value, n)
    SELECT which, told_role, a.item, a.value, 1
    FROM   (SELECT j.key AS item, j.value::numeric::smallint AS value FROM jsonb_each_text(answers) j UNION ALL SELECT '-', 0) a
    ORDER  BY a.item COLLATE "C"
    ON CONFLICT ON CONSTRAINT effect_tally_pkey DO UPDATE SET n = t.n + 1;
$$;
COMMENT ON FUNCTION effect_count(uuid, text, jsonb) IS 'Counts the answers of one person.';

CREATE FUNCTION effect_unasked(items text, at date, answers jsonb) RETURNS text
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (SELECT k FROM jsonb_object_keys(answers) AS k WHERE NOT reference_holds(items, k, at) ORDER BY k LIMIT 1);
END $$;
COMMENT ON FUNCTION effect_unasked(text, date, jsonb) IS 'An answer to what that list does not ask on a day; null: there is none.';

CREATE FUNCTION effect_items(items text, at date) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (SELECT coalesce(jsonb_agg(jsonb_build_object('code', r.code, 'name', r.name, 'name_en', r.name_en, 'question', r.facts ->> 'question')
                                      ORDER BY r.seq, r.code), '[]')
            FROM   reference r WHERE r.list = items AND r.valid @> at);
END $$;
COMMENT ON FUNCTION effect_items(text, date) IS 'What a questionnaire asks on a day.';

CREATE FUNCTION effect_scale(items text, at date) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (SELECT coalesce(jsonb_agg(jsonb_build_object('value', right(r.code, 1)::integer, 'name', r.name, 'name_en', r.name_en) ORDER BY r.code), '[]')
            FROM   reference r WHERE r.list = 'training-scale' AND r.code ~ ('^' || split_part(items, '-', 1) || '-[1-4]$') AND r.valid @> at);
END $$;
COMMENT ON FUNCTION effect_scale(text, date) IS 'What the answers 1 to 4 of a questionnaire mean on a day.';

-- ── level 1: reaction ────────────────────────────────────────────────────────────────────────────────────────────────────

CREATE TABLE reaction_receipt (
    enrolment_id uuid CONSTRAINT reaction_receipt_pkey PRIMARY KEY CONSTRAINT reaction_receipt_enrolment_fkey REFERENCES enrolment,
    form_id      uuid NOT NULL
);
COMMENT ON TABLE reaction_receipt IS 'Which participants have answered; what and when is not told.';
COMMENT ON COLUMN reaction_receipt.enrolment_id IS 'enrolment.id';
COMMENT ON COLUMN reaction_receipt.form_id IS 'Id that the answering page made up for the form, so that it may be sent again';

CREATE FUNCTION effect_took_part(state text) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN state IN ('completed', 'passed', 'failed', 'certified', 'synced');
COMMENT ON FUNCTION effect_took_part(text) IS 'Whether an enrolment in this state went through to the end, with whatever result.';

CREATE FUNCTION reaction_of_token(token text) RETURNS TABLE (enrolment_id uuid, session_id uuid, opens date, closes date, is_open boolean, is_answered boolean)
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN QUERY
    SELECT e.id, e.session_id, w.reaction_opens, w.reaction_closes,
           (e.state = 'attending' OR effect_took_part(e.state)) AND local_today() BETWEEN w.reaction_opens AND w.reaction_closes,
           EXISTS (SELECT FROM reaction_receipt r WHERE r.enrolment_id = e.id)
    FROM   enrolment e CROSS JOIN LATERAL effect_window_of(e.session_id) w
    WHERE  e.id = substr(token, 3)::uuid;
END $$;
COMMENT ON FUNCTION reaction_of_token(text) IS 'The questionnaire that a token (r: and the enrolment''s id) leads to.';

CREATE FUNCTION reaction_take(token text, told jsonb) RETURNS TABLE (problem text, pointer text, value text)
LANGUAGE plpgsql AS $$
DECLARE
    w record;
BEGIN
    SELECT q.* INTO w FROM reaction_of_token(token) q;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    IF w.is_open AND NOT w.is_answered THEN
        value := effect_unasked('reaction-item', w.opens, told -> 'answers');
        IF value IS NOT NULL THEN
            problem := 'answer-unasked';
            pointer := '/answers/' || value;
            RETURN NEXT;
            RETURN;
        END IF;
        PERFORM effect_window_fix(w.session_id);
        INSERT INTO reaction_receipt VALUES (w.enrolment_id, (told ->> 'form_id')::uuid) ON CONFLICT DO NOTHING;
        IF FOUND THEN
            PERFORM effect_count(w.session_id, 'participant', told -> 'answers');
            RETURN NEXT;
            RETURN;
        END IF;
    END IF;
    PERFORM FROM reaction_receipt r WHERE r.enrolment_id = w.enrolment_id AND r.form_id = (told ->> 'form_id')::uuid;
    problem := CASE WHEN FOUND THEN NULL WHEN NOT w.is_open THEN 'questionnaire-closed' ELSE 'questionnaire-answered' END;
    RETURN NEXT;
END $$;
COMMENT ON FUNCTION reaction_take(text, jsonb) IS 'Takes a participant''s answer once; the same form again is as good as taken. No row: no such token.';

-- ── level 3: behaviour ───────────────────────────────────────────────────────────────────────────────────────────────────

CREATE TABLE behaviour_review (
    id           uuid CONSTRAINT behaviour_review_pkey PRIMARY KEY DEFAULT uuid_v7(),
    enrolment_id uuid NOT NULL CONSTRAINT behaviour_review_enrolment_fkey REFERENCES enrolment CONSTRAINT behaviour_review_once UNIQUE,
    session_id   uuid NOT NULL CONSTRAINT behaviour_review_session_fkey REFERENCES session,
    assigned_on  date
);
CREATE INDEX behaviour_review_session_idx ON behaviour_review (session_id);
CREATE INDEX behaviour_review_waiting_idx ON behaviour_review (session_id) WHERE assigned_on IS NULL;
COMMENT ON TABLE behaviour_review IS 'Somebody of whom others are asked months after a training; made when the enrolment completes.';
COMMENT ON COLUMN behaviour_review.id IS 'UUIDv7';
COMMENT ON COLUMN behaviour_review.enrolment_id IS 'enrolment.id';
COMMENT ON COLUMN behaviour_review.session_id IS 'session.id; its effect_window has the days';
COMMENT ON COLUMN behaviour_review.assigned_on IS 'When it was decided who is asked; null: not yet, its day has not come';

CREATE TABLE behaviour_request (
    id          uuid        CONSTRAINT behaviour_request_pkey PRIMARY KEY DEFAULT uuid_v7(),
    review_id   uuid        NOT NULL CONSTRAINT behaviour_request_review_fkey REFERENCES behaviour_review,
    role        text        NOT NULL CONSTRAINT behaviour_request_role_known CHECK (role IN ('self', 'superior', 'peer')),
    asn_id      uuid        CONSTRAINT behaviour_request_asn_fkey REFERENCES asn,
    named_by    text,
    closes_on   date        NOT NULL,
    is_answered boolean     NOT NULL DEFAULT false,
    form_id     uuid,
    answers     jsonb,
    version     bigint      NOT NULL DEFAULT 1,
    created_at  timestamptz NOT NULL DEFAULT now(),
    updated_at  timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT behaviour_request_told CHECK (CASE WHEN NOT is_answered THEN num_nonnulls(form_id, answers) = 0
                                                  ELSE asn_id IS NOT NULL AND form_id IS NOT NULL AND (answers IS NULL) = (role = 'peer') END)
);
CREATE UNIQUE INDEX behaviour_request_one ON behaviour_request (review_id, role) WHERE role <> 'peer';
CREATE INDEX behaviour_request_closes_idx ON behaviour_request (closes_on, id);
CREATE INDEX behaviour_request_review_idx ON behaviour_request (review_id, id);
CREATE INDEX behaviour_request_asn_idx ON behaviour_request (asn_id, id);
COMMENT ON TABLE behaviour_request IS 'Who is asked about a participant.';
COMMENT ON COLUMN behaviour_request.id IS 'UUIDv7';
COMMENT ON COLUMN behaviour_request.review_id IS 'behaviour_review.id';
COMMENT ON COLUMN behaviour_request.role IS 'self, superior, peer';
COMMENT ON COLUMN behaviour_request.asn_id IS 'asn.id of who is asked; null: the tree named no superior, somebody has to';
COMMENT ON COLUMN behaviour_request.named_by IS 'Name of the key that named him; null: the tree, or by lot';
COMMENT ON COLUMN behaviour_request.closes_on IS 'Last day: effect_window.behaviour_closes, which is fixed, here for the order of lists';
COMMENT ON COLUMN behaviour_request.is_answered IS 'Whether he has';
COMMENT ON COLUMN behaviour_request.form_id IS 'Id that the answering page made up for the form';
COMMENT ON COLUMN behaviour_request.answers IS 'Code of an item → 1 to 4; of peers it is not kept';
COMMENT ON COLUMN behaviour_request.version IS 'Counts changes: ETag';
COMMENT ON COLUMN behaviour_request.created_at IS 'When it was decided; of a peer no more is told';
COMMENT ON COLUMN behaviour_request.updated_at IS 'Last change; of a peer''s answer it is not noted';
-- Not touch_row(): when a peer answered is nobody's to know.
CREATE FUNCTION behaviour_request_touch() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    NEW.version := OLD.version + 1;
    IF NEW.role <> 'peer' THEN
        NEW.updated_at := now();
    END IF;
    RETURN NEW;
END $$;
COMMENT ON FUNCTION behaviour_request_touch() IS 'Counts changes; the time of a peer''s is not kept.';
CREATE TRIGGER behaviour_request_20_touch BEFORE UPDATE ON behaviour_request FOR EACH ROW EXECUTE FUNCTION behaviour_request_touch();

CREATE FUNCTION effect_superior(who uuid, at date) RETURNS uuid
LANGUAGE plpgsql STABLE AS $$
DECLARE
    place uuid;
    above uuid;
    title text;
    head  jsonb;
BEGIN
    SELECT coalesce((SELECT (h.facts ->> 'unit_id')::uuid FROM history h WHERE h.asn_id = who AND h.kind = 'placement' AND NOT h.is_void AND h.valid @> at LIMIT 1),
                    (SELECT a.unit_id FROM asn a WHERE a.id = who)) INTO place;
    FOR step IN 1 .. 16 LOOP
        EXIT WHEN place IS NULL;
        SELECT unit_title(t.head_position, t.name), t.parent_id INTO title, above FROM unit_then t WHERE t.unit_id = place AND t.was_so @> at AND t.stood_there @> at;
        IF NOT FOUND THEN
            SELECT unit_title(u.head_position, u.name), u.parent_id INTO title, above FROM unit u WHERE u.id = place;
        END IF;
        head := unit_head(place, title, at, '{""}');
        IF asn_of_nip(head ->> 'nip') <> who THEN
            RETURN asn_of_nip(head ->> 'nip');
        END IF;
        place := above;
    END LOOP;
    RETURN NULL;
END $$;
COMMENT ON FUNCTION effect_superior(uuid, date) IS
    'Who headed the unit of a person on a day, or, where that is he himself or nobody, the next unit above in the tree of that day. Null: nobody.';

-- By lot, but one that can be drawn again: by a hash of review and person. Those of the same sort of post come first.
CREATE FUNCTION behaviour_assign(which uuid) RETURNS integer
LANGUAGE plpgsql AS $$
DECLARE
    w     effect_window := effect_window_of(which);
    r     record;
    chief uuid;
    n     integer := 0;
BEGIN
    IF w.behaviour_opens > local_today() THEN
        RETURN 0;
    END IF;
    FOR r IN SELECT v.id, a.id AS asn_id, a.unit_id, a.position_kind
             FROM   behaviour_review v JOIN enrolment e ON e.id = v.enrolment_id JOIN asn a ON a.id = e.asn_id
             WHERE  v.session_id = which AND v.assigned_on IS NULL ORDER BY v.id FOR UPDATE OF v SKIP LOCKED LOOP
        chief := effect_superior(r.asn_id, w.behaviour_opens);
        INSERT INTO behaviour_request (review_id, role, asn_id, closes_on)
        VALUES (r.id, 'self', r.asn_id, w.behaviour_closes), (r.id, 'superior', chief, w.behaviour_closes);
        INSERT INTO behaviour_request (review_id, role, asn_id, closes_on)
        SELECT r.id, 'peer', p.id, w.behaviour_closes
        FROM   asn p
        WHERE  p.unit_id = r.unit_id AND p.id <> r.asn_id AND p.id IS DISTINCT FROM chief AND p.legal_status IN (SELECT s.code FROM employed_status s)
        ORDER  BY p.position_kind IS DISTINCT FROM r.position_kind, md5(r.id::text || p.id::text) LIMIT w.peers;
        UPDATE behaviour_review v SET assigned_on = local_today() WHERE v.id = r.id;
        n := n + 1;
    END LOOP;
    RETURN n;
END $$;
COMMENT ON FUNCTION behaviour_assign(uuid) IS 'Decides who is asked about the participants of a session, once its day has come. Gives how many reviews were assigned.';

CREATE FUNCTION behaviour_assign_due() RETURNS bigint
LANGUAGE plpgsql AS $$
BEGIN
    RETURN (SELECT coalesce(sum(behaviour_assign(w.session_id)), 0)
            FROM   (SELECT DISTINCT v.session_id FROM behaviour_review v JOIN effect_window e ON e.session_id = v.session_id
                    WHERE  v.assigned_on IS NULL AND e.behaviour_opens <= local_today() LIMIT 20) w);
END $$;
COMMENT ON FUNCTION behaviour_assign_due() IS 'The same for the sessions whose day has come, twenty at most. Gives how many reviews were assigned.';

CREATE FUNCTION enrolment_schedule_effect() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF (effect_window_fix(NEW.session_id)).behaviour_closes >= local_today() THEN
        INSERT INTO behaviour_review (enrolment_id, session_id) VALUES (NEW.id, NEW.session_id) ON CONFLICT ON CONSTRAINT behaviour_review_once DO NOTHING;
        PERFORM behaviour_assign(NEW.session_id);
    END IF;
    RETURN NULL;
END $$;
COMMENT ON FUNCTION enrolment_schedule_effect() IS 'Who went through to the end is reviewed, unless the days for that are over.';
CREATE TRIGGER enrolment_70_effect AFTER UPDATE OF state ON enrolment FOR EACH ROW
    WHEN (effect_took_part(NEW.state) AND NOT effect_took_part(OLD.state)) EXECUTE FUNCTION enrolment_schedule_effect();

CREATE FUNCTION behaviour_of_token(token text)
RETURNS TABLE (request_id uuid, session_id uuid, asn_id uuid, role text, opens date, closes date, is_open boolean, is_answered boolean)
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN QUERY
    SELECT q.id, v.session_id, e.asn_id, q.role, w.behaviour_opens, w.behaviour_closes,
           q.asn_id IS NOT NULL AND local_today() BETWEEN w.behaviour_opens AND w.behaviour_closes, q.is_answered
    FROM   behaviour_request q JOIN behaviour_review v ON v.id = q.review_id JOIN enrolment e ON e.id = v.enrolment_id
    JOIN   effect_window w ON w.session_id = v.session_id
    WHERE  q.id = substr(token, 3)::uuid;
END $$;
COMMENT ON FUNCTION behaviour_of_token(text) IS 'The questionnaire that a token (b: and the request''s id) leads to.';

CREATE FUNCTION behaviour_take(token text, told jsonb) RETURNS TABLE (problem text, pointer text, value text)
LANGUAGE plpgsql AS $$
DECLARE
    w record;
BEGIN
    PERFORM FROM behaviour_request q WHERE q.id = substr(token, 3)::uuid FOR UPDATE;
    SELECT q.* INTO w FROM behaviour_of_token(token) q;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    IF w.is_open AND NOT w.is_answered THEN
        value := effect_unasked('behaviour-item', w.opens, told -> 'answers');
        IF value IS NULL THEN
            UPDATE behaviour_request q SET is_answered = true, form_id = (told ->> 'form_id')::uuid, answers = CASE WHEN q.role <> 'peer' THEN told -> 'answers' END
            WHERE  q.id = w.request_id;
            PERFORM effect_count(w.session_id, w.role, told -> 'answers');
        ELSE
            problem := 'answer-unasked';
            pointer := '/answers/' || value;
        END IF;
        RETURN NEXT;
        RETURN;
    END IF;
    PERFORM FROM behaviour_request q WHERE q.id = w.request_id AND q.form_id = (told ->> 'form_id')::uuid;
    problem := CASE WHEN FOUND THEN NULL WHEN NOT w.is_open THEN 'questionnaire-closed' ELSE 'questionnaire-answered' END;
    RETURN NEXT;
END $$;
COMMENT ON FUNCTION behaviour_take(text, jsonb) IS 'Takes the answer of who is asked once; the same form again is as good as taken. No row: no such token.';

CREATE VIEW behaviour_entry AS
SELECT q.id, v.enrolment_id, v.session_id, e.nip, e.name, q.role, a.nip AS respondent_nip, a.name AS respondent_name, q.named_by, w.behaviour_opens AS opens_on,
       q.closes_on, q.is_answered, q.version, q.answers AS _answers, e.unit_path AS _unit_path, q.asn_id AS _respondent
FROM   behaviour_request q
JOIN   behaviour_review v ON v.id = q.review_id
JOIN   effect_window w ON w.session_id = v.session_id
JOIN   enrolment_of_person e ON e.id = v.enrolment_id
LEFT   JOIN asn a ON a.id = q.asn_id;
COMMENT ON VIEW behaviour_entry IS 'Who is asked about whom, as the API shows it. Of _columns the API shows nothing but what the owner of an answer may see.';

CREATE FUNCTION behaviour_name(which uuid, units ltree[], told_role text, number text, by_name text)
RETURNS TABLE (problem text, pointer text, value text, entry behaviour_entry)
LANGUAGE plpgsql AS $$
DECLARE
    v      behaviour_review;
    w      effect_window;
    who    uuid := asn_of_nip(number);
    person uuid;
    made   uuid;
BEGIN
    PERFORM FROM enrolment_of_person e WHERE e.id = which AND e.unit_path <@ ANY (units);
    IF NOT FOUND THEN
        RETURN;
    END IF;
    SELECT r.* INTO v FROM behaviour_review r WHERE r.enrolment_id = which FOR UPDATE;
    w := effect_window_of(v.session_id);
    SELECT e.asn_id INTO person FROM enrolment e WHERE e.id = which;
    pointer := '/nip';
    value := number;
    problem := CASE WHEN v.assigned_on IS NULL OR local_today() > w.behaviour_closes THEN 'questionnaire-closed'
                    WHEN NOT EXISTS (SELECT FROM asn a WHERE a.id = who) THEN 'reference-missing'
                    WHEN who = person OR EXISTS (SELECT FROM behaviour_request q WHERE q.review_id = v.id AND q.asn_id = who) THEN 'respondent-asked'
                    WHEN told_role = 'superior' AND EXISTS (SELECT FROM behaviour_request q WHERE q.review_id = v.id AND q.role = 'superior' AND q.is_answered)
                    THEN 'questionnaire-answered'
                    WHEN told_role = 'peer' AND (SELECT count(*) FROM behaviour_request q WHERE q.review_id = v.id AND q.role = 'peer') >= 10
                    THEN 'respondent-many' END;
    IF problem IS NOT NULL THEN
        RETURN NEXT;
        RETURN;
    END IF;
    IF told_role = 'superior' THEN
        UPDATE behaviour_request q SET asn_id = who, named_by = by_name WHERE q.review_id = v.id AND q.role = 'superior' RETURNING q.id INTO made;
    ELSE
        INSERT INTO behaviour_request AS q (review_id, role, asn_id, named_by, closes_on) VALUES (v.id, 'peer', who, by_name, w.behaviour_closes) RETURNING q.id INTO made;
    END IF;
    SELECT b.* INTO entry FROM behaviour_entry b WHERE b.id = made;
    RETURN NEXT;
END $$;
COMMENT ON FUNCTION behaviour_name(uuid, ltree[], text, text, text) IS
    'Names the superior who is asked, or one more peer. No row: no such enrolment in these units.';

-- ── what came of it ──────────────────────────────────────────────────────────────────────────────────────────────────────

-- A session is shown when nothing can come any more and enough have answered, and so is each of its items. A programme is made of what is shown of its
-- sessions alone: what is hidden cannot be had by subtraction.
CREATE FUNCTION effect_group(sessions uuid[], told_role text, today date)
RETURNS TABLE (role text, asked bigint, answered bigint, sessions_shown integer, sessions_open integer, sessions_few integer, reason text, mean numeric, items jsonb)
LANGUAGE plpgsql STABLE AS $$
DECLARE
    small integer := training_number('small_group', today);
BEGIN
    RETURN QUERY
    WITH each AS (
        SELECT s.id, CASE WHEN told_role = 'participant' THEN w.reaction_closes ELSE w.behaviour_closes END < today AS is_over,
               coalesce((SELECT t.n FROM effect_tally t WHERE t.session_id = s.id AND t.role = told_role AND t.item = '-'), 0) AS n,
               CASE WHEN told_role = 'participant' THEN (SELECT count(*) FROM enrolment e WHERE e.session_id = s.id AND (e.state = 'attending' OR effect_took_part(e.state)))
                    ELSE (SELECT count(*) FROM behaviour_review v JOIN behaviour_request q ON q.review_id = v.id WHERE v.session_id = s.id AND q.role = told_role) END AS asked
        FROM   unnest(sessions) AS s (id) CROSS JOIN LATERAL effect_window_of(s.id) w
    ), cell AS (
        SELECT t.item, sum(t.n) AS n, sum(t.n * t.value) AS points, sum(t.n) FILTER (WHERE t.value = 1) AS n1, sum(t.n) FILTER (WHERE t.value = 2) AS n2,
               sum(t.n) FILTER (WHERE t.value = 3) AS n3, sum(t.n) FILTER (WHERE t.value = 4) AS n4
        FROM   each e JOIN effect_tally t ON t.session_id = e.id AND t.role = told_role AND t.item <> '-'
        WHERE  e.is_over AND e.n >= small
        GROUP  BY e.id, t.item
    ), item AS (
        SELECT c.item, sum(c.n) AS n, sum(c.points) AS points, sum(c.n1) AS n1, sum(c.n2) AS n2, sum(c.n3) AS n3, sum(c.n4) AS n4
        FROM   cell c WHERE c.n >= small GROUP BY c.item
    )
    SELECT told_role, coalesce(sum(e.asked), 0)::bigint, coalesce(sum(e.n), 0)::bigint, count(*) FILTER (WHERE e.is_over AND e.n >= small)::integer,
           count(*) FILTER (WHERE NOT e.is_over)::integer, count(*) FILTER (WHERE e.is_over AND e.n < small)::integer,
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
    'What one group of respondents said about these sessions: counted, with the reason where nothing is shown (open: answers may still come; few: too few).';

CREATE FUNCTION effect_groups(sessions uuid[], today date) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (SELECT jsonb_agg(to_jsonb(g) ORDER BY o.place)
            FROM   (VALUES (1, 'superior'), (2, 'peer'), (3, 'self')) AS o (place, role) CROSS JOIN LATERAL effect_group(sessions, o.role, today) g);
END $$;
COMMENT ON FUNCTION effect_groups(uuid[], date) IS 'effect_group() of superiors, peers and the participants themselves.';

-- ── level 2: learning ────────────────────────────────────────────────────────────────────────────────────────────────────

CREATE FUNCTION effect_learning(sessions uuid[], units ltree[])
RETURNS TABLE (participants bigint, tested bigint, missing_pre bigint, missing_post bigint, pre_mean numeric, post_mean numeric, gain_mean numeric,
               class_gain numeric, normalised bigint, full_pre bigint, normalised_mean numeric, high bigint, medium bigint, low bigint, lost bigint)
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN QUERY
    SELECT count(*), count(g.gain), count(*) FILTER (WHERE g.pre_test IS NULL), count(*) FILTER (WHERE g.post_test IS NULL),
           round(avg(g.pre_test) FILTER (WHERE g.gain IS NOT NULL), 4), round(avg(g.post_test) FILTER (WHERE g.gain IS NOT NULL), 4), round(avg(g.gain), 4),
           round(round(sum(g.gain) / nullif(sum(100 - g.pre_test) FILTER (WHERE g.gain IS NOT NULL), 0), 12), 4),
           count(g.share), count(*) FILTER (WHERE g.gain IS NOT NULL AND g.pre_test = 100), round(round(avg(g.share), 12), 4),
           count(*) FILTER (WHERE g.gain >= 0.7 * (100 - g.pre_test) AND g.pre_test < 100),
           count(*) FILTER (WHERE g.gain >= 0.3 * (100 - g.pre_test) AND g.gain < 0.7 * (100 - g.pre_test)),
           count(*) FILTER (WHERE g.gain >= 0 AND g.gain < 0.3 * (100 - g.pre_test)), count(*) FILTER (WHERE g.gain < 0 AND g.pre_test < 100)
    FROM   (SELECT e.pre_test, e.post_test, e.post_test - e.pre_test AS gain, (e.post_test - e.pre_test) / nullif(100 - e.pre_test, 0) AS share
            FROM   enrolment_of_person e
            WHERE  e.session_id = ANY (sessions) AND effect_took_part(e.state) AND e.unit_path <@ ANY (units)) g;
END $$;
COMMENT ON FUNCTION effect_learning(uuid[], ltree[]) IS
    'Tests before and after, of those who have both: means, gain, normalised gain (post − pre)/(100 − pre) of the class and as the mean of the people; full_pre: they had 100 before and have none.';

-- ── level 4: what changed ────────────────────────────────────────────────────────────────────────────────────────────────

-- Unless told otherwise the last whole year is after, the year before the last but one is before, and trainings between count.
CREATE FUNCTION effect_days(before_from date, before_to date, after_from date, after_to date, today date, OUT before daterange, OUT after daterange, OUT in_order boolean)
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    this integer := extract(year FROM today);
BEGIN
    before_from := coalesce(before_from, make_date(this - 3, 1, 1));
    before_to := coalesce(before_to, make_date(this - 3, 12, 31));
    after_from := coalesce(after_from, make_date(this - 1, 1, 1));
    after_to := coalesce(after_to, make_date(this - 1, 12, 31));
    in_order := before_from <= before_to AND before_to < after_from AND after_from <= after_to;
    IF in_order THEN
        before := daterange(before_from, before_to, '[]');
        after := daterange(after_from, after_to, '[]');
    END IF;
END $$;
COMMENT ON FUNCTION effect_days(date, date, date, date, date) IS 'The times before and after that are compared; null where they are not in order.';

CREATE FUNCTION effect_earlier(before daterange) RETURNS daterange
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN daterange((lower(before) - age(upper(before), lower(before)))::date, lower(before));
COMMENT ON FUNCTION effect_earlier(daterange) IS 'As long a time right before that one, in whole months where it has whole months.';

CREATE FUNCTION effect_trained(which uuid, of_session uuid, before daterange, after daterange) RETURNS TABLE (asn_id uuid, is_participant boolean, day date)
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN QUERY
    SELECT e.asn_id, bool_or(effect_took_part(e.state) AND s.starts_on >= upper(before) AND s.ends_on < lower(after) AND (of_session IS NULL OR s.id = of_session)), min(s.starts_on)
    FROM   session s JOIN enrolment e ON e.session_id = s.id
    WHERE  s.programme_id = which AND s.state <> 'cancelled' AND (e.state = 'attending' OR effect_took_part(e.state))
           AND s.starts_on < upper(after) AND s.ends_on >= lower(before)
    GROUP  BY e.asn_id;
END $$;
COMMENT ON FUNCTION effect_trained(uuid, uuid, daterange, daterange) IS
    'Who was in the programme in that time; participants went through to the end between before and after (of one session, if it is named). The others are compared with nobody.';

CREATE FUNCTION effect_people(which uuid, of_session uuid, units ltree[], before daterange, after daterange, kind_of_period text, matched text[])
RETURNS TABLE (asn_id uuid, is_participant boolean, unit_id uuid, kind text, "position" text, unit_kind text, agency text, earlier numeric, before_value numeric,
               after_value numeric)
LANGUAGE plpgsql STABLE SET jit = off AS $$
DECLARE
    earlier_days daterange := effect_earlier(before);
    last_day     date := upper(before) - 1;
BEGIN
    RETURN QUERY
    WITH worth AS MATERIALIZED (
        SELECT e.asn_id, round(avg(e.achievement) FILTER (WHERE d.days <@ earlier_days), 4) AS earlier, round(avg(e.achievement) FILTER (WHERE d.days <@ before), 4) AS before,
               round(avg(e.achievement) FILTER (WHERE d.days <@ after), 4) AS after
        FROM   (SELECT p.id, daterange(p.starts_on, p.ends_on, '[]') AS days FROM period p WHERE p.kind = kind_of_period) d
        JOIN   evaluation e ON e.period_id = d.id
        WHERE  e.state = 'final' AND (d.days <@ earlier_days OR d.days <@ before OR d.days <@ after) AND NOT EXISTS (SELECT FROM evaluation n WHERE n.supersedes = e.id)
        GROUP  BY e.asn_id
    ), trained AS MATERIALIZED (
        SELECT t.* FROM effect_trained(which, of_session, before, after) t
    )
    SELECT a.id, t.asn_id IS NOT NULL, u.id, CASE WHEN 'kind' = ANY (matched) THEN coalesce(k.facts ->> 'kind', a.kind) END,
           CASE WHEN 'position' = ANY (matched) THEN concat_ws(' ', coalesce(j.facts ->> 'position_kind', '-'), j.facts ->> 'echelon', j.facts ->> 'functional_level') END,
           CASE WHEN 'unit_kind' = ANY (matched) THEN u.kind END, CASE WHEN 'agency' = ANY (matched) THEN coalesce(r.agency, r.code) END,
           w.earlier, w.before, w.after
    FROM   worth w
    JOIN   asn a ON a.id = w.asn_id
    JOIN   unit n ON n.id = a.unit_id AND n.path <@ ANY (units)
    LEFT   JOIN trained t ON t.asn_id = w.asn_id
    LEFT   JOIN LATERAL (SELECT h.facts FROM history h WHERE h.asn_id = a.id AND h.kind = 'placement' AND NOT h.is_void AND h.valid @> last_day LIMIT 1) p ON true
    LEFT   JOIN LATERAL (SELECT h.facts FROM history h WHERE h.asn_id = a.id AND h.track = 'position' AND NOT h.is_void AND h.valid @> last_day LIMIT 1) j ON true
    LEFT   JOIN LATERAL (SELECT h.facts FROM history h WHERE h.asn_id = a.id AND h.kind = 'appointment' AND NOT h.is_void AND h.valid @> last_day LIMIT 1) k ON true
    JOIN   unit u ON u.id = coalesce((p.facts ->> 'unit_id')::uuid, a.unit_id)
    JOIN   unit r ON r.path = subpath(u.path, 0, 1)
    WHERE  w.before IS NOT NULL AND w.after IS NOT NULL AND (t.asn_id IS NULL OR t.is_participant);
END $$;
COMMENT ON FUNCTION effect_people(uuid, uuid, ltree[], daterange, daterange, text, text[]) IS
    'People with final evaluations before and after: achievement, mean of the periods that lie within, four decimals; what they were on the last day before, as far as it is matched.';

CREATE FUNCTION effect_satisfaction(of_units uuid[], days daterange) RETURNS TABLE (service_unit_id uuid, value numeric)
LANGUAGE plpgsql STABLE AS $$
DECLARE
    small integer := training_number('small_group', upper(days));
BEGIN
    RETURN QUERY
    WITH answered AS (
        SELECT s.id, s.service_unit_id, t.element, sum(t.n) AS n, sum(t.n * t.value::integer) AS points
        FROM   survey s JOIN survey_tally t ON t.survey_id = s.id AND t.element = ANY (s.elements)
        WHERE  s.service_unit_id = ANY (of_units) AND s.state IN ('closed', 'published') AND daterange(s.starts_on, s.ends_on, '[]') <@ days
        GROUP  BY s.id, t.element
    ), one AS (
        SELECT a.id, a.service_unit_id, avg(a.points / a.n) AS index,
               (SELECT sum(c.n) FROM survey_tally c WHERE c.survey_id = a.id AND c.element = 'n') AS respondents
        FROM   answered a JOIN survey s ON s.id = a.id
        GROUP  BY a.id, a.service_unit_id, s.elements HAVING min(a.n) >= small AND count(*) = cardinality(s.elements)
    )
    SELECT o.service_unit_id, round(round(sum(o.respondents * o.index) / sum(o.respondents) * 25, 12), 4) FROM one o GROUP BY o.service_unit_id;
END $$;
COMMENT ON FUNCTION effect_satisfaction(uuid[], daterange) IS
    'Converted satisfaction index of units: closed surveys that lie within these days, pooled by respondents; a survey with an element that few answered does not count.';

CREATE FUNCTION effect_times(of_units uuid[], days daterange, measure text) RETURNS TABLE (unit_id uuid, value numeric)
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN QUERY
    SELECT f.key, CASE measure WHEN 'waiting_mean' THEN round(sum(f.waiting_sum) / nullif(sum(f.waiting_n), 0) / 60, 4)
                               WHEN 'waiting_median' THEN round(avg(f.waiting_median) / 60, 4)
                               ELSE round(100.0 * sum(f.on_time) / nullif(sum(f.promised), 0), 4) END
    FROM   service_figures('unit', of_units, lower(days), upper(days)) f
    WHERE  daterange(f.month, (f.month + interval '1 month')::date) <@ days
    GROUP  BY f.key;
END $$;
COMMENT ON FUNCTION effect_times(uuid[], daterange, text) IS
    'Of units, from the months that lie within these days: mean of waiting (minutes), mean of the months'' medians (minutes), or tickets in time of those promised (percent).';

CREATE FUNCTION effect_unit_values(of_units uuid[], days daterange, measure text) RETURNS TABLE (unit_id uuid, value numeric)
LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF measure = 'satisfaction' THEN
        RETURN QUERY SELECT p.unit_id, s.value FROM effect_satisfaction(ARRAY(SELECT q.id FROM service_unit q WHERE q.unit_id = ANY (of_units)), days) s
                     JOIN service_unit p ON p.id = s.service_unit_id;
    ELSE
        RETURN QUERY SELECT t.* FROM effect_times(of_units, days, measure) t;
    END IF;
END $$;
COMMENT ON FUNCTION effect_unit_values(uuid[], daterange, text) IS 'What a measure says of units in a time.';

CREATE FUNCTION effect_units(which uuid, of_session uuid, units ltree[], before daterange, after daterange, measure text, matched text[])
RETURNS TABLE (service_unit_id uuid, unit_id uuid, name text, is_participant boolean, participants bigint, unit_kind text, agency text, earlier numeric,
               before_value numeric, after_value numeric)
LANGUAGE plpgsql STABLE SET jit = off AS $$
DECLARE
    of_units uuid[] := ARRAY(SELECT p.unit_id FROM service_unit p JOIN unit u ON u.id = p.unit_id WHERE u.path <@ ANY (units));
BEGIN
    RETURN QUERY
    WITH sent AS MATERIALIZED (
        SELECT home.unit_id, bool_or(t.is_participant) AS is_participant, count(*) FILTER (WHERE t.is_participant) AS people
        FROM   effect_trained(which, of_session, before, after) t
        JOIN   asn a ON a.id = t.asn_id
        CROSS  JOIN LATERAL (SELECT coalesce((SELECT (h.facts ->> 'unit_id')::uuid FROM history h WHERE h.asn_id = a.id AND h.kind = 'placement' AND NOT h.is_void
                                              AND h.valid @> t.day LIMIT 1), a.unit_id) AS unit_id) place
        JOIN   unit n ON n.id = place.unit_id
        CROSS  JOIN LATERAL (SELECT p.unit_id FROM service_unit p JOIN unit u ON u.id = p.unit_id WHERE u.path @> n.path ORDER BY nlevel(u.path) DESC LIMIT 1) home
        GROUP  BY home.unit_id
    )
    SELECT p.id, u.id, p.name, s.unit_id IS NOT NULL, coalesce(s.people, 0), CASE WHEN 'unit_kind' = ANY (matched) THEN u.kind END,
           CASE WHEN 'agency' = ANY (matched) THEN coalesce(r.agency, r.code) END, e.value, b.value, f.value
    FROM   service_unit p
    JOIN   unit u ON u.id = p.unit_id
    JOIN   unit r ON r.path = subpath(u.path, 0, 1)
    LEFT   JOIN sent s ON s.unit_id = u.id
    JOIN   effect_unit_values(of_units, before, measure) b ON b.unit_id = u.id
    JOIN   effect_unit_values(of_units, after, measure) f ON f.unit_id = u.id
    LEFT   JOIN effect_unit_values(of_units, effect_earlier(before), measure) e ON e.unit_id = u.id
    WHERE  u.id = ANY (of_units) AND b.value IS NOT NULL AND f.value IS NOT NULL AND (s.unit_id IS NULL OR s.is_participant);
END $$;
COMMENT ON FUNCTION effect_units(uuid, uuid, ltree[], daterange, daterange, text, text[]) IS
    'Units that serve the public with the measure before and after. A unit takes part if somebody of it did: of the nearest one above where the person worked when the training began.';

-- Those who completed before this came are reviewed too, where there is still time.
INSERT INTO effect_window SELECT w.* FROM session s CROSS JOIN LATERAL effect_window_of(s.id) w
WHERE  EXISTS (SELECT FROM enrolment e WHERE e.session_id = s.id AND effect_took_part(e.state));
INSERT INTO behaviour_review (enrolment_id, session_id)
SELECT e.id, e.session_id FROM enrolment e JOIN effect_window w ON w.session_id = e.session_id AND w.behaviour_closes >= local_today() WHERE effect_took_part(e.state);
