-- What follows an evaluation: plans of improvement, areas to improve with trainings that serve them, outcomes (rewards, gates, consequences); and the figures
-- that the public may see. See docs/follow-up.md and docs/open-data.md.

COMMENT ON COLUMN performance_setting.code IS
    'objection_days: calendar days in which an objection may be filed, counted from the day after the evaluation was told; milestone_late_percent: what a step that was '
    'reached late counts; peer_batch: by how many answers of peers are shown; improvement_months: how long a plan of '
    'improvement runs where nothing else is said; area_indicators: how many of the lowest indicators are named as areas to improve';
INSERT INTO performance_setting VALUES
    ('improvement_months', '2019-04-26', 6, 'recalled: six months are told of the plan before a test of competency (PP 30/2019 Arts 56 to 58 have the chain, not the number)'),
    ('area_indicators', '2022-01-01', 3, 'ours');

-- ── plans of improvement ─────────────────────────────────────────────────────────────────────────────────────────────────

CREATE TABLE improvement_plan (
    id                  uuid        CONSTRAINT improvement_plan_pkey PRIMARY KEY,
    asn_id              uuid        NOT NULL CONSTRAINT improvement_plan_asn_fkey REFERENCES asn,
    evaluation_id       uuid        CONSTRAINT improvement_plan_evaluation_fkey REFERENCES evaluation,
    cause               text        NOT NULL CONSTRAINT improvement_plan_cause_length CHECK (length(cause) BETWEEN 1 AND 4000),
    goal                text        NOT NULL CONSTRAINT improvement_plan_goal_length CHECK (length(goal) BETWEEN 1 AND 4000),
    support             text        CONSTRAINT improvement_plan_support_length CHECK (length(support) BETWEEN 1 AND 4000),
    starts_on           date        NOT NULL,
    ends_on             date        NOT NULL,
    state               text        NOT NULL DEFAULT 'draft'
                                    CONSTRAINT improvement_plan_state_known CHECK (state IN ('draft', 'agreed', 'met', 'not_met', 'cancelled')),
    agreed_on           date,
    agreed_by           text        CONSTRAINT improvement_plan_agreed_by_length CHECK (length(agreed_by) BETWEEN 1 AND 200),
    is_agreed_by_person boolean,
    closed_on           date,
    closed_by           text        CONSTRAINT improvement_plan_closed_by_length CHECK (length(closed_by) BETWEEN 1 AND 200),
    conclusion          text        CONSTRAINT improvement_plan_conclusion_length CHECK (length(conclusion) BETWEEN 1 AND 4000),
    version             bigint      NOT NULL DEFAULT 1,
    created_at          timestamptz NOT NULL DEFAULT now(),
    updated_at          timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT improvement_plan_days CHECK (starts_on <= ends_on AND ends_on - starts_on <= 1100 AND starts_on >= '1900-01-01' AND ends_on <= '2099-12-31'),
    CONSTRAINT improvement_plan_agreed CHECK (num_nonnulls(agreed_on, agreed_by, is_agreed_by_person) IN (0, 3)
                                              AND (state NOT IN ('agreed', 'met', 'not_met') OR agreed_on IS NOT NULL)),
    CONSTRAINT improvement_plan_closed CHECK ((state IN ('met', 'not_met', 'cancelled')) = (num_nonnulls(closed_on, closed_by, conclusion) = 3)
                                              AND num_nonnulls(closed_on, closed_by, conclusion) IN (0, 3))
);
CREATE INDEX improvement_plan_asn_idx ON improvement_plan (asn_id, id);
CREATE INDEX improvement_plan_state_idx ON improvement_plan (state, id);
CREATE UNIQUE INDEX improvement_plan_once ON improvement_plan (evaluation_id) WHERE state <> 'cancelled';
CREATE INDEX improvement_plan_evaluation_idx ON improvement_plan (evaluation_id);
COMMENT ON TABLE improvement_plan IS
    'Rencana perbaikan kinerja: what is to become better until when, with checks. Follows a final evaluation below expectation (Permenpan RB 6/2022: follow-up), or is '
    'opened freely.';
COMMENT ON COLUMN improvement_plan.id IS 'UUIDv7';
COMMENT ON COLUMN improvement_plan.asn_id IS 'asn.id';
COMMENT ON COLUMN improvement_plan.evaluation_id IS 'evaluation.id that it follows; null: opened freely. One plan each that was not cancelled';
COMMENT ON COLUMN improvement_plan.cause IS 'What was below expectation, and why';
COMMENT ON COLUMN improvement_plan.goal IS 'By what one will see that it has become better';
COMMENT ON COLUMN improvement_plan.support IS 'What the office gives: coaching, training, means';
COMMENT ON COLUMN improvement_plan.starts_on IS 'First day';
COMMENT ON COLUMN improvement_plan.ends_on IS 'Last day; unless told, improvement_months of performance_setting after the first';
COMMENT ON COLUMN improvement_plan.state IS 'draft, agreed; then met, not_met or cancelled';
COMMENT ON COLUMN improvement_plan.agreed_on IS 'When it was agreed on';
COMMENT ON COLUMN improvement_plan.agreed_by IS 'Who agreed for the office: post or name';
COMMENT ON COLUMN improvement_plan.is_agreed_by_person IS 'Whether the person agreed too; a plan may be set without that';
COMMENT ON COLUMN improvement_plan.closed_on IS 'When it was closed';
COMMENT ON COLUMN improvement_plan.closed_by IS 'Who closed it: post or name';
COMMENT ON COLUMN improvement_plan.conclusion IS 'Why it ended so';
COMMENT ON COLUMN improvement_plan.version IS 'Counts changes: ETag';
COMMENT ON COLUMN improvement_plan.created_at IS 'When the row was made';
COMMENT ON COLUMN improvement_plan.updated_at IS 'Last change';

CREATE TABLE improvement_check (
    id          uuid        CONSTRAINT improvement_check_pkey PRIMARY KEY,
    plan_id     uuid        NOT NULL CONSTRAINT improvement_check_plan_fkey REFERENCES improvement_plan,
    due_on      date        NOT NULL,
    expectation text        NOT NULL CONSTRAINT improvement_check_expectation_length CHECK (length(expectation) BETWEEN 1 AND 2000),
    outcome     text        CONSTRAINT improvement_check_outcome_known CHECK (outcome IN ('reached', 'partly', 'not_reached')),
    held_on     date,
    checked_by  text        CONSTRAINT improvement_check_checked_by_length CHECK (length(checked_by) BETWEEN 1 AND 200),
    note        text        CONSTRAINT improvement_check_note_length CHECK (length(note) BETWEEN 1 AND 4000),
    version     bigint      NOT NULL DEFAULT 1,
    created_at  timestamptz NOT NULL DEFAULT now(),
    updated_at  timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT improvement_check_day_key UNIQUE (plan_id, due_on),
    CONSTRAINT improvement_check_held CHECK (num_nonnulls(outcome, held_on, checked_by) IN (0, 3))
);
CREATE INDEX improvement_check_open_idx ON improvement_check (due_on, id) WHERE outcome IS NULL;
COMMENT ON TABLE improvement_check IS 'Days on which one looks whether a plan goes as agreed. What was found stays.';
COMMENT ON COLUMN improvement_check.id IS 'UUIDv7';
COMMENT ON COLUMN improvement_check.plan_id IS 'improvement_plan.id';
COMMENT ON COLUMN improvement_check.due_on IS 'By when; within the plan';
COMMENT ON COLUMN improvement_check.expectation IS 'What should be reached by then';
COMMENT ON COLUMN improvement_check.outcome IS 'reached, partly, not_reached; null: not held yet';
COMMENT ON COLUMN improvement_check.held_on IS 'When it was held';
COMMENT ON COLUMN improvement_check.checked_by IS 'Who looked: post or name';
COMMENT ON COLUMN improvement_check.note IS 'What was found';
COMMENT ON COLUMN improvement_check.version IS 'Counts changes: ETag';
COMMENT ON COLUMN improvement_check.created_at IS 'When the row was made';
COMMENT ON COLUMN improvement_check.updated_at IS 'Last change';

CREATE TABLE improvement_step (
    plan_id    uuid        NOT NULL CONSTRAINT improvement_step_plan_fkey REFERENCES improvement_plan,
    seq        integer     NOT NULL,
    state      text        NOT NULL,
    note       text,
    actor_key  uuid        NOT NULL,
    actor_name text        NOT NULL,
    at         timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT improvement_step_pkey PRIMARY KEY (plan_id, seq)
);
COMMENT ON TABLE improvement_step IS 'The way of a plan of improvement. Only added to.';
COMMENT ON COLUMN improvement_step.plan_id IS 'improvement_plan.id';
COMMENT ON COLUMN improvement_step.seq IS '1, 2, …';
COMMENT ON COLUMN improvement_step.state IS 'What it became; checked: a check was held';
COMMENT ON COLUMN improvement_step.note IS 'What was said then';
COMMENT ON COLUMN improvement_step.actor_key IS 'api_key.id of who wrote it';
COMMENT ON COLUMN improvement_step.actor_name IS 'Name of that key then';
COMMENT ON COLUMN improvement_step.at IS 'When';
CREATE TRIGGER improvement_step_10_keep BEFORE UPDATE OR DELETE ON improvement_step FOR EACH ROW EXECUTE FUNCTION performance_said_keep();

CREATE FUNCTION improvement_may_become(state text, next text) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN (state, next) IN (('draft', 'agreed'), ('draft', 'cancelled'), ('agreed', 'met'), ('agreed', 'not_met'), ('agreed', 'cancelled'));
COMMENT ON FUNCTION improvement_may_become(text, text) IS 'The order of states of a plan of improvement.';

CREATE FUNCTION improvement_plan_order() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' OR (NEW.id, NEW.asn_id, NEW.evaluation_id) IS DISTINCT FROM (OLD.id, OLD.asn_id, OLD.evaluation_id)
       OR NEW.state <> OLD.state AND NOT improvement_may_become(OLD.state, NEW.state)
       OR OLD.state <> 'draft' AND (NEW.cause, NEW.goal, NEW.support, NEW.starts_on, NEW.ends_on, NEW.agreed_on, NEW.agreed_by)
                                   IS DISTINCT FROM (OLD.cause, OLD.goal, OLD.support, OLD.starts_on, OLD.ends_on, OLD.agreed_on, OLD.agreed_by) THEN
        RAISE EXCEPTION 'not in this state' USING ERRCODE = 'P0001', CONSTRAINT = 'improvement_state_order';
    END IF;
    IF (NEW.starts_on, NEW.ends_on) <> (OLD.starts_on, OLD.ends_on) THEN
        PERFORM FROM improvement_check c WHERE c.plan_id = NEW.id AND NOT c.due_on BETWEEN NEW.starts_on AND NEW.ends_on;
        IF FOUND THEN
            RAISE EXCEPTION 'a check lies outside' USING ERRCODE = 'P0001', CONSTRAINT = 'improvement_plan_holds_checks';
        END IF;
    END IF;
    RETURN NEW;
END $$;
COMMENT ON FUNCTION improvement_plan_order() IS 'States go their order; what was agreed on stays; checks lie within the plan.';
CREATE TRIGGER improvement_plan_10_order BEFORE UPDATE OR DELETE ON improvement_plan FOR EACH ROW EXECUTE FUNCTION improvement_plan_order();
CREATE TRIGGER improvement_plan_20_touch BEFORE UPDATE ON improvement_plan FOR EACH ROW EXECUTE FUNCTION touch_row();

-- Whoever writes a check locks its plan first (here, if nobody has), so that dates and state are those that hold.
CREATE FUNCTION improvement_check_enter() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
    p improvement_plan;
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'what was agreed on stays' USING ERRCODE = 'P0001', CONSTRAINT = 'improvement_state_order';
    END IF;
    SELECT k.* INTO p FROM improvement_plan k WHERE k.id = NEW.plan_id FOR UPDATE;
    IF p.state NOT IN ('draft', 'agreed') THEN
        RAISE EXCEPTION 'the plan is closed' USING ERRCODE = 'P0001', CONSTRAINT = 'improvement_state_order';
    END IF;
    IF NOT NEW.due_on BETWEEN p.starts_on AND p.ends_on THEN
        RAISE EXCEPTION 'outside the plan' USING ERRCODE = 'P0001', CONSTRAINT = 'improvement_check_days';
    END IF;
    IF TG_OP = 'UPDATE' THEN
        IF OLD.outcome IS NOT NULL OR (NEW.id, NEW.plan_id) IS DISTINCT FROM (OLD.id, OLD.plan_id)
           OR p.state = 'agreed' AND (NEW.due_on, NEW.expectation) IS DISTINCT FROM (OLD.due_on, OLD.expectation)
           OR p.state = 'draft' AND NEW.outcome IS NOT NULL THEN
            RAISE EXCEPTION 'not in this state' USING ERRCODE = 'P0001', CONSTRAINT = 'improvement_state_order';
        END IF;
    END IF;
    RETURN NEW;
END $$;
COMMENT ON FUNCTION improvement_check_enter() IS 'Checks lie within their plan, are held once it is agreed on, and stay as they were found.';
CREATE TRIGGER improvement_check_10_enter BEFORE INSERT OR UPDATE OR DELETE ON improvement_check FOR EACH ROW EXECUTE FUNCTION improvement_check_enter();
CREATE TRIGGER improvement_check_20_touch BEFORE UPDATE ON improvement_check FOR EACH ROW EXECUTE FUNCTION touch_row();

CREATE VIEW improvement_entry AS
SELECT p.id, a.nip, a.name, a.unit_id, p.evaluation_id, e.predicate, p.cause, p.goal, p.support, p.starts_on, p.ends_on, p.state, p.agreed_on, p.agreed_by,
       p.is_agreed_by_person, p.closed_on, p.closed_by, p.conclusion, c.checks, c.checks_held, c.next_check_on, p.version, p.created_at, p.updated_at,
       p.asn_id AS _asn_id, u.path AS _unit_path
FROM   improvement_plan p
JOIN   asn a ON a.id = p.asn_id
JOIN   unit u ON u.id = a.unit_id
LEFT   JOIN evaluation e ON e.id = p.evaluation_id
CROSS  JOIN LATERAL (SELECT count(*)::integer AS checks, count(k.outcome)::integer AS checks_held,
                            CASE WHEN p.state IN ('draft', 'agreed') THEN min(k.due_on) FILTER (WHERE k.outcome IS NULL) END AS next_check_on
                     FROM   improvement_check k WHERE k.plan_id = p.id) c;
COMMENT ON VIEW improvement_entry IS 'Plans of improvement as the API shows them: predicate is that of the evaluation. Of _columns the API shows nothing.';

CREATE FUNCTION improvement_note(which uuid, becomes text, said text, by_key uuid, by_name text) RETURNS void
LANGUAGE sql AS $$
    INSERT INTO improvement_step (plan_id, seq, state, note, actor_key, actor_name)
    SELECT which, 1 + coalesce(max(s.seq), 0), becomes, said, by_key, by_name FROM improvement_step s WHERE s.plan_id = which
$$;
COMMENT ON FUNCTION improvement_note(uuid, text, text, uuid, text) IS 'Writes down a step. The plan is locked.';

CREATE FUNCTION improvement_open(own_id uuid, number text, units ltree[], told jsonb, by_key uuid, by_name text)
RETURNS TABLE (problem text, pointer text, entry improvement_entry)
LANGUAGE plpgsql AS $$
DECLARE
    who uuid;
    e   evaluation;
    day date := coalesce((told ->> 'starts_on')::date, local_today());
BEGIN
    SELECT a.id INTO who FROM asn a JOIN unit u ON u.id = a.unit_id WHERE a.id = asn_of_nip(number) AND u.path <@ ANY (units) FOR KEY SHARE OF a;
    SELECT v.* INTO e FROM evaluation v WHERE v.id = (told ->> 'evaluation_id')::uuid AND v.asn_id = who FOR KEY SHARE;
    IF who IS NULL THEN
        problem := 'reference-missing';
        pointer := '/nip';
    ELSIF told ->> 'evaluation_id' IS NOT NULL AND e.id IS NULL THEN
        problem := 'reference-missing';
        pointer := '/evaluation_id';
    ELSIF e.state = 'draft' THEN
        problem := 'evaluation-draft';
        pointer := '/evaluation_id';
    ELSIF EXISTS (SELECT FROM evaluation n WHERE n.supersedes = e.id) THEN
        problem := 'evaluation-superseded';
        pointer := '/evaluation_id';
    ELSIF e.predicate IN ('sangat_baik', 'baik') THEN
        problem := 'improvement-not-below';
        pointer := '/evaluation_id';
    ELSE
        INSERT INTO improvement_plan (id, asn_id, evaluation_id, cause, goal, support, starts_on, ends_on)
        VALUES (own_id, who, e.id, told ->> 'cause', told ->> 'goal', told ->> 'support', day,
                coalesce((told ->> 'ends_on')::date, (day + make_interval(months => performance_number('improvement_months', day)))::date - 1));
        INSERT INTO improvement_check (id, plan_id, due_on, expectation)
        SELECT uuid_v7(), own_id, c.due_on, c.expectation
        FROM   jsonb_to_recordset(coalesce(told -> 'checks', '[]')) AS c (due_on date, expectation text);
        PERFORM improvement_note(own_id, 'draft', told ->> 'cause', by_key, by_name);
        SELECT t.* INTO entry FROM improvement_entry t WHERE t.id = own_id;
    END IF;
    RETURN NEXT;
END $$;
COMMENT ON FUNCTION improvement_open(uuid, text, ltree[], jsonb, uuid, text) IS
    'Opens a plan, of a final evaluation below expectation or freely, with its first checks.';

CREATE FUNCTION improvement_act(which uuid, units ltree[], seen int8multirange, next text, told jsonb, by_key uuid, by_name text)
RETURNS TABLE (problem text, pointer text, entry improvement_entry)
LANGUAGE plpgsql AS $$
DECLARE
    p improvement_plan;
    t jsonb := told;
BEGIN
    SELECT k.* INTO p FROM improvement_plan k JOIN asn a ON a.id = k.asn_id JOIN unit u ON u.id = a.unit_id
    WHERE  k.id = which AND u.path <@ ANY (units)
    FOR    UPDATE OF k;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    IF NOT seen @> p.version THEN
        problem := 'version-stale';
    ELSIF next IS NOT NULL AND NOT improvement_may_become(p.state, next) OR next IS NULL AND p.state <> 'draft' THEN
        problem := 'improvement-state';
    ELSIF next = 'agreed' AND NOT EXISTS (SELECT FROM improvement_check c WHERE c.plan_id = p.id) THEN
        problem := 'improvement-checks';
    ELSIF next IN ('met', 'not_met') AND EXISTS (SELECT FROM improvement_check c WHERE c.plan_id = p.id AND c.outcome IS NULL) THEN
        problem := 'improvement-checks-open';
    ELSIF next = 'agreed' AND (t ->> 'agreed_on')::date > local_today() THEN
        problem := 'improvement-day';
        pointer := '/agreed_on';
    END IF;
    IF problem IS NOT NULL THEN
        RETURN NEXT;
        RETURN;
    END IF;
    IF next IS NULL THEN
        SELECT (w).* INTO p FROM jsonb_populate_record(p, t) AS w;
        UPDATE improvement_plan k
        SET    (cause, goal, support, starts_on, ends_on) = (p.cause, p.goal, p.support, p.starts_on, p.ends_on)
        WHERE  k.id = p.id;
    ELSIF next = 'agreed' THEN
        UPDATE improvement_plan k
        SET    state = next, agreed_on = coalesce((t ->> 'agreed_on')::date, local_today()), agreed_by = t ->> 'agreed_by',
               is_agreed_by_person = (t ->> 'is_agreed_by_person')::boolean
        WHERE  k.id = p.id;
        PERFORM improvement_note(p.id, next, t ->> 'note', by_key, by_name);
    ELSE
        UPDATE improvement_plan k
        SET    state = next, closed_on = local_today(), closed_by = t ->> 'closed_by', conclusion = t ->> 'conclusion'
        WHERE  k.id = p.id;
        PERFORM improvement_note(p.id, next, t ->> 'conclusion', by_key, by_name);
    END IF;
    SELECT i.* INTO entry FROM improvement_entry i WHERE i.id = p.id;
    RETURN NEXT;
END $$;
COMMENT ON FUNCTION improvement_act(uuid, ltree[], int8multirange, text, jsonb, uuid, text) IS
    'Takes a plan a step further; next null: changes a draft. No row: not the caller''s.';

-- wanted: 'add' (check_id is the new one''s), 'change' or 'hold'. The plan is locked before the check.
CREATE FUNCTION improvement_check_act(which uuid, check_id uuid, units ltree[], seen int8multirange, wanted text, told jsonb, by_key uuid, by_name text)
RETURNS TABLE (problem text, pointer text, entry improvement_check)
LANGUAGE plpgsql AS $$
DECLARE
    p improvement_plan;
BEGIN
    SELECT k.* INTO p FROM improvement_plan k JOIN asn a ON a.id = k.asn_id JOIN unit u ON u.id = a.unit_id
    WHERE  k.id = which AND u.path <@ ANY (units)
    FOR    UPDATE OF k;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    IF wanted = 'add' THEN
        INSERT INTO improvement_check (id, plan_id, due_on, expectation) VALUES (check_id, p.id, (told ->> 'due_on')::date, told ->> 'expectation')
        RETURNING * INTO entry;
        RETURN NEXT;
        RETURN;
    END IF;
    SELECT c.* INTO entry FROM improvement_check c WHERE c.id = check_id AND c.plan_id = p.id;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    IF NOT seen @> entry.version THEN
        problem := 'version-stale';
    ELSIF entry.outcome IS NOT NULL OR p.state <> (CASE wanted WHEN 'hold' THEN 'agreed' ELSE 'draft' END) THEN
        problem := 'improvement-state';
    ELSIF wanted = 'hold' AND (told ->> 'held_on')::date NOT BETWEEN p.starts_on AND local_today() THEN
        problem := 'improvement-day';
        pointer := '/held_on';
    ELSIF wanted = 'change' THEN
        UPDATE improvement_check c
        SET    due_on = coalesce((told ->> 'due_on')::date, c.due_on), expectation = coalesce(told ->> 'expectation', c.expectation)
        WHERE  c.id = check_id
        RETURNING * INTO entry;
    ELSE
        UPDATE improvement_check c
        SET    outcome = told ->> 'outcome', held_on = coalesce((told ->> 'held_on')::date, local_today()), checked_by = told ->> 'checked_by', note = told ->> 'note'
        WHERE  c.id = check_id
        RETURNING * INTO entry;
        PERFORM improvement_note(p.id, 'checked', told ->> 'note', by_key, by_name);
    END IF;
    RETURN NEXT;
END $$;
COMMENT ON FUNCTION improvement_check_act(uuid, uuid, ltree[], int8multirange, text, jsonb, uuid, text) IS
    'Adds a check to a plan, changes one of a draft, or notes what was found. No row: not the caller''s.';

-- ── areas to improve ─────────────────────────────────────────────────────────────────────────────────────────────────────

CREATE TABLE area_rule (
    code         text    NOT NULL,
    valid_from   date    NOT NULL,
    name         text    NOT NULL,
    name_en      text    NOT NULL,
    threshold    numeric NOT NULL,
    least        integer NOT NULL DEFAULT 1,
    families     text[]  NOT NULL CONSTRAINT area_rule_families_known CHECK (families <@ '{manajerial,teknis,fungsional,sosial_kultural}'),
    source       text    NOT NULL,
    is_confirmed boolean NOT NULL,
    CONSTRAINT area_rule_pkey PRIMARY KEY (code, valid_from)
);
COMMENT ON TABLE area_rule IS 'When something of a person is an area to improve, and which families of training may serve it. Nothing is decided by it.';
COMMENT ON COLUMN area_rule.code IS 'What is looked at; area_of_…() read it';
COMMENT ON COLUMN area_rule.valid_from IS 'In force since';
COMMENT ON COLUMN area_rule.name IS 'In Indonesian';
COMMENT ON COLUMN area_rule.name_en IS 'In English';
COMMENT ON COLUMN area_rule.threshold IS 'Below this it is an area to improve; of counts and shortfalls: from this';
COMMENT ON COLUMN area_rule.least IS 'Fewer cases than this say nothing of a person';
COMMENT ON COLUMN area_rule.families IS 'Families of programmes (rumpun kompetensi) that may serve it';
COMMENT ON COLUMN area_rule.source IS 'Where the threshold is from';
COMMENT ON COLUMN area_rule.is_confirmed IS 'Seen in a source, not recalled or ours';
INSERT INTO area_rule VALUES
    ('indicator', '2022-01-01', 'Capaian indikator', 'Achievement of an indicator', 100, 1, '{teknis,fungsional}', 'ours: below its target; Permenpan RB 6/2022 has no number', false),
    ('results', '2022-01-01', 'Rating hasil kerja', 'Rating of results', 1, 1, '{teknis,fungsional,manajerial}', 'Permenpan RB 6/2022: di bawah ekspektasi', true),
    ('behaviour', '2022-01-01', 'Rating perilaku kerja', 'Rating of behaviour', 1, 1, '{sosial_kultural,manajerial}', 'Permenpan RB 6/2022: di bawah ekspektasi', true),
    ('behaviour_value', '2022-01-01', 'Nilai BerAKHLAK yang dibimbing', 'BerAKHLAK value under coaching', 1, 1, '{sosial_kultural}',
     'ours: coaching and counselling forms of Permenpan RB 6/2022 that name the value', false),
    ('on_time', '2017-01-01', 'Pelayanan tepat waktu', 'Service in time', 80, 30, '{teknis}', 'ours: percent of own tickets with a promised time', false),
    ('survey_U3', '2017-05-09', 'Kepuasan: waktu penyelesaian', 'Satisfaction: time to completion', 3.0644, 30, '{teknis}',
     'Permenpan RB 14/2017: below B (76.61 / 25); thirty answers are ours', true),
    ('survey_U6', '2017-05-09', 'Kepuasan: kompetensi pelaksana', 'Satisfaction: competence of staff', 3.0644, 30, '{teknis,fungsional}',
     'Permenpan RB 14/2017: below B (76.61 / 25); thirty answers are ours', true),
    ('survey_U7', '2017-05-09', 'Kepuasan: perilaku pelaksana', 'Satisfaction: behaviour of staff', 3.0644, 30, '{sosial_kultural}',
     'Permenpan RB 14/2017: below B (76.61 / 25); thirty answers are ours', true),
    ('learning_hours', '2017-01-01', 'Jam pelajaran kurang', 'Learning hours are short', 1, 1, '{teknis,fungsional,manajerial,sosial_kultural}',
     'learning_rule: the floor of the year', true);

CREATE FUNCTION area_rule_on(which text, at date) RETURNS area_rule
LANGUAGE plpgsql STABLE AS $$
DECLARE
    ret area_rule;
BEGIN
    SELECT r.* INTO ret FROM area_rule r WHERE r.code = which AND r.valid_from <= at ORDER BY r.valid_from DESC LIMIT 1;
    RETURN ret;
END $$;
COMMENT ON FUNCTION area_rule_on(text, date) IS 'The rule as it is in force on a day; a row of nulls: there is none.';

CREATE TYPE area AS (rule area_rule, subject text, value numeric, expected numeric, n bigint, reason text, reason_en text, source_id uuid, competency text, level integer);
COMMENT ON TYPE area IS
    'Something to improve: by which rule, what it is, its value and what was expected, from how many cases, why in words, the record it was read off, and, where it is known, '
    'the competency and level that it asks for (list competency-standard).';

-- indicators: what the rule of achievement gave (id, name, achievement), by the program, which alone has that rule.
CREATE FUNCTION area_of_evaluation(e evaluation, indicators jsonb, at date) RETURNS SETOF area
LANGUAGE sql STABLE AS $$
    (SELECT area_rule_on('indicator', at), i.name, i.achievement, (area_rule_on('indicator', at)).threshold, 1::bigint,
            format('Capaian %s %%, target %s %%', i.achievement, trim_scale((area_rule_on('indicator', at)).threshold)),
            format('Achievement %s %%, target %s %%', i.achievement, trim_scale((area_rule_on('indicator', at)).threshold)), i.id, NULL::text, NULL::integer
     FROM   jsonb_to_recordset(indicators) AS i (id uuid, name text, achievement numeric)
     WHERE  i.achievement < (area_rule_on('indicator', at)).threshold
     ORDER  BY i.achievement, i.name
     LIMIT  performance_number('area_indicators', at))
    UNION  ALL
    SELECT area_rule_on('results', at), 'Hasil kerja', NULL, NULL, 1, 'Hasil kerja di bawah ekspektasi', 'The results are below expectation', (e).id, NULL, NULL
    WHERE  (e).results_rating = 'di_bawah_ekspektasi'
    UNION  ALL
    SELECT area_rule_on('behaviour', at), 'Perilaku kerja', NULL, NULL, 1, 'Perilaku kerja di bawah ekspektasi', 'The behaviour is below expectation', (e).id, NULL, NULL
    WHERE  (e).behaviour_rating = 'di_bawah_ekspektasi'
    UNION  ALL
    SELECT area_rule_on('behaviour_value', at), f.value, f.n, (area_rule_on('behaviour_value', at)).threshold, f.n,
           format('%s kali bimbingan atau konseling tentang nilai ini', f.n), format('%s time(s) coaching or counselling about this value', f.n), f.last, NULL, NULL
    FROM   (SELECT w.value, count(*) AS n, (array_agg(w.id ORDER BY w.id DESC))[1] AS last
            FROM   skp k JOIN skp_feedback w ON w.skp_id = k.id
            WHERE  k.asn_id = (e).asn_id AND k.period_id = (e).period_id AND w.value IS NOT NULL AND w.kind IN ('bimbingan', 'konseling') AND w.giver = 'penilai'
            GROUP  BY w.value) f
    WHERE  f.n >= (area_rule_on('behaviour_value', at)).threshold
$$;
COMMENT ON FUNCTION area_of_evaluation(evaluation, jsonb, date) IS 'The lowest indicators, ratings below expectation, and what coaching was about.';

CREATE FUNCTION area_of_service(who uuid, in_year integer, at date) RETURNS SETOF area
LANGUAGE sql STABLE AS $$
    SELECT f.rule, 'Tiket sendiri', f.rate, (f.rule).threshold, f.promised, format('%s dari %s tiket tepat waktu (%s %%)', f.on_time, f.promised, f.rate),
           format('%s of %s tickets in time (%s %%)', f.on_time, f.promised, f.rate), NULL::uuid, NULL::text, NULL::integer
    FROM   (SELECT area_rule_on('on_time', at) AS rule, sum(m.promised)::bigint AS promised, sum(m.on_time)::bigint AS on_time,
                   round(100.0 * sum(m.on_time) / nullif(sum(m.promised), 0), 2) AS rate
            FROM   service_figures('officer', ARRAY[who], make_date(in_year, 1, 1), make_date(in_year, 12, 1)) m) f
    WHERE  f.promised >= (f.rule).least AND f.rate < (f.rule).threshold
    UNION  ALL
    SELECT g.rule, g.element, round(g.mean, 4), (g.rule).threshold, g.n, format('Rata-rata %s dari %s jawaban', round(g.mean, 4), g.n),
           format('Mean %s of %s answers', round(g.mean, 4), g.n), NULL, NULL, NULL
    FROM   (SELECT v.key AS element, count(*) AS n, sum(v.value::numeric) / count(*) AS mean, area_rule_on('survey_' || v.key, at) AS rule
            FROM   survey_answer s CROSS JOIN LATERAL jsonb_each_text(s.answers) v
            WHERE  s.officer_id = who AND s.answered_on BETWEEN make_date(in_year, 1, 1) AND make_date(in_year, 12, 31) AND v.key IN ('U3', 'U6', 'U7')
            GROUP  BY v.key) g
    WHERE  g.n >= (g.rule).least AND g.mean < (g.rule).threshold
$$;
COMMENT ON FUNCTION area_of_service(uuid, integer, date) IS 'Own tickets that were not in time, and what those who were served said, once enough of them did.';

CREATE FUNCTION area_of_hours(me asn, in_year integer, at date) RETURNS SETOF area
LANGUAGE sql STABLE AS $$
    SELECT area_rule_on('learning_hours', at), b.source, trim_scale(t.jp), b.floor_jp::numeric, NULL::bigint,
           format('%s dari %s JP; kurang %s', trim_scale(t.jp), b.floor_jp, trim_scale(b.floor_jp - t.jp)),
           format('%s of %s JP; %s short', trim_scale(t.jp), b.floor_jp, trim_scale(b.floor_jp - t.jp)), NULL::uuid, NULL::text, NULL::integer
    FROM   learning_period(me, make_date(in_year, 12, 31)) p
    CROSS  JOIN LATERAL (SELECT coalesce(sum(e.counted_jp), 0) AS jp FROM learning_entry e
                         WHERE  e.asn_id = (me).id AND (e.rule_kind, e.period_from) = (p.rule_kind, p.period_from)) t
    JOIN   LATERAL learning_bounds(me, p.rule_kind, extract(year FROM p.period_from)::integer) b ON true
    WHERE  b.floor_jp - t.jp >= (area_rule_on('learning_hours', at)).threshold
$$;
COMMENT ON FUNCTION area_of_hours(asn, integer, date) IS 'The learning hours of the year, if they are short of the floor.';

-- A source of areas is a function that gives rows of the type area; another one is one more branch here.
CREATE FUNCTION areas_of(me asn, e evaluation, in_year integer, indicators jsonb, at date) RETURNS SETOF area
LANGUAGE sql STABLE AS $$
    SELECT f.*
    FROM  (SELECT * FROM area_of_evaluation(e, indicators, at)
           UNION  ALL
           SELECT * FROM area_of_service((me).id, in_year, at)
           UNION  ALL
           SELECT * FROM area_of_hours(me, in_year, at)) f
    WHERE  (f.rule).code IS NOT NULL
$$;
COMMENT ON FUNCTION areas_of(asn, evaluation, integer, jsonb, date) IS
    'Everything of a person that is to be improved by the facts of a year, each with its reason; nothing of which there was no rule then.';

CREATE FUNCTION area_trainings(a area, who uuid, at date) RETURNS jsonb
LANGUAGE sql STABLE AS $$
    SELECT coalesce(jsonb_agg(jsonb_build_object('session_id', t.id, 'programme_id', t.programme_id, 'programme', t.programme, 'title', t.title, 'starts_on', t.starts_on,
                                                 'ends_on', t.ends_on, 'jp', t.jp, 'seats_left', t.seats_left, 'family', t.family, 'level_from', t.level_from,
                                                 'level_to', t.level_to) ORDER BY t.seats_left = 0, t.starts_on, t.id), '[]')
    FROM   (SELECT s.id, s.programme_id, p.name AS programme, s.title, s.starts_on, s.ends_on, p.jp, s.capacity - s.seats_taken AS seats_left, f.family, f.level_from,
                   f.level_to
            FROM   session s
            JOIN   programme p ON p.id = s.programme_id
            JOIN   LATERAL (SELECT c.family, c.level_from, c.level_to
                            FROM   (SELECT v.family, v.competency, v.level_from, v.level_to
                                    FROM   jsonb_to_recordset(p.serves) AS v (family text, competency text, level_from integer, level_to integer)
                                    UNION  ALL
                                    SELECT p.family, NULL, NULL, NULL WHERE p.serves = '[]') c
                            WHERE  c.family = ANY (((a).rule).families)
                                   AND ((a).competency IS NULL OR c.competency = (a).competency AND (a).level BETWEEN c.level_from AND c.level_to)
                            ORDER  BY array_position(((a).rule).families, c.family), c.competency LIMIT 1) f ON true
            WHERE  s.state = 'planned' AND s.starts_on > at AND p.is_active
                   AND (s.registration_closes IS NULL OR (s.registration_closes AT TIME ZONE 'Asia/Makassar')::date >= at)
                   AND NOT EXISTS (SELECT FROM enrolment n JOIN session h ON h.id = n.session_id
                                   WHERE  n.asn_id = who AND h.programme_id = p.id AND (enrolment_holds_seat(n.state) OR n.state = 'waitlisted'))
            ORDER  BY s.seats_taken >= s.capacity, s.starts_on, s.id
            LIMIT  5) t
$$;
COMMENT ON FUNCTION area_trainings(area, uuid, date) IS
    'Up to five sessions to come whose programme serves a family (and, where the area names one, the competency and level), but of none that the person has or is in; those with '
    'seats first.';

-- ── outcomes ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

CREATE TABLE outcome_rule (
    code         text    NOT NULL CONSTRAINT outcome_rule_code_form CHECK (code ~ '^[a-z][a-z0-9_]{0,39}$'),
    valid_from   date    NOT NULL,
    kind         text    NOT NULL CONSTRAINT outcome_rule_kind_known CHECK (kind IN ('reward', 'gate', 'consequence')),
    name         text    NOT NULL,
    name_en      text    NOT NULL,
    predicates   text[]  NOT NULL CONSTRAINT outcome_rule_predicates_known CHECK (predicates <@ '{sangat_baik,baik,butuh_perbaikan,kurang,sangat_kurang}' AND predicates <> '{}'),
    years        integer NOT NULL CONSTRAINT outcome_rule_years_range CHECK (years BETWEEN 1 AND 10),
    plan_state   text    CONSTRAINT outcome_rule_plan_state_known CHECK (plan_state IN ('met', 'not_met')),
    source       text    NOT NULL,
    is_confirmed boolean NOT NULL,
    CONSTRAINT outcome_rule_pkey PRIMARY KEY (code, valid_from)
);
COMMENT ON TABLE outcome_rule IS
    'What the predicates of consecutive years open, or lead to. A list for whoever decides: nothing is refused or done by it (UU 27/2022 Art. 34: no automated decision).';
COMMENT ON COLUMN outcome_rule.code IS 'Short name';
COMMENT ON COLUMN outcome_rule.valid_from IS 'In force since';
COMMENT ON COLUMN outcome_rule.kind IS 'reward, gate (what must be so for promotion, study, talent), consequence';
COMMENT ON COLUMN outcome_rule.name IS 'In Indonesian';
COMMENT ON COLUMN outcome_rule.name_en IS 'In English';
COMMENT ON COLUMN outcome_rule.predicates IS 'Each of the years must have one of these';
COMMENT ON COLUMN outcome_rule.years IS 'How many consecutive years, the last one being the latest that was evaluated';
COMMENT ON COLUMN outcome_rule.plan_state IS 'And a plan of improvement of the latest of these evaluations ended so; null: not asked';
COMMENT ON COLUMN outcome_rule.source IS 'Regulation, and how sure that is';
COMMENT ON COLUMN outcome_rule.is_confirmed IS 'Seen in a source, not recalled';
INSERT INTO outcome_rule VALUES
    ('promotion', '2022-01-01', 'gate', 'Syarat kinerja kenaikan pangkat', 'Performance for a promotion in rank', '{sangat_baik,baik}', 2, NULL,
     'recalled: at least Baik in the last two years is the common gate', false),
    ('study', '2022-01-01', 'gate', 'Syarat kinerja tugas belajar', 'Performance for study leave', '{sangat_baik,baik}', 2, NULL,
     'recalled: at least Baik in the last two years is the common gate', false),
    ('talent', '2020-01-01', 'gate', 'Syarat kinerja kelompok talenta', 'Performance for the talent pool', '{sangat_baik,baik}', 2, NULL,
     'recalled: at least Baik in the last two years is the common gate', false),
    ('award', '2022-01-01', 'reward', 'Penghargaan atas kinerja sangat baik', 'Award for outstanding performance', '{sangat_baik}', 2, NULL,
     'recalled: Sangat Baik in two consecutive years; the kind of award is the agency''s', false),
    ('improvement_plan', '2019-04-26', 'consequence', 'Rencana perbaikan kinerja', 'Plan of improvement', '{butuh_perbaikan,kurang,sangat_kurang}', 1, NULL,
     'PP 30/2019 Arts 56 to 58 (follow-up of poor performance; confirmed); that it begins with a plan of six months is recalled', false),
    ('competency_test', '2019-04-26', 'consequence', 'Uji kompetensi', 'Test of competency', '{butuh_perbaikan,kurang,sangat_kurang}', 1, 'not_met',
     'recalled: after a plan of improvement that did not reach its goal', false),
    ('placement', '2019-04-26', 'consequence', 'Penempatan pada jabatan lain atau lebih rendah', 'Another fitting or a lower post', '{kurang,sangat_kurang}', 2, NULL,
     'PP 30/2019 Arts 56 to 58: another fitting or lower post (confirmed); the number of years is recalled', false),
    ('dismissal', '2019-04-26', 'consequence', 'Pemberhentian dengan hormat dapat dipertimbangkan', 'Honourable dismissal may be considered', '{kurang,sangat_kurang}', 3, NULL,
     'PP 30/2019 Arts 56 to 58: if no post is vacant, at most a year of temporary placement, then honourable dismissal (confirmed); the number of years is recalled', false);

CREATE FUNCTION outcome_rules_on(at date) RETURNS SETOF outcome_rule
LANGUAGE sql STABLE AS $$
    SELECT DISTINCT ON (r.code) r.* FROM outcome_rule r WHERE r.valid_from <= at ORDER BY r.code, r.valid_from DESC
$$;
COMMENT ON FUNCTION outcome_rules_on(date) IS 'Each rule as it is in force on a day.';

CREATE FUNCTION outcome_of(who uuid, r outcome_rule, at date) RETURNS TABLE (holds boolean, years integer, facts jsonb)
LANGUAGE sql STABLE AS $$
    WITH told AS (
        SELECT DISTINCT ON (y.year) y.year, e.id, e.predicate, e.predicate = ANY ((r).predicates) AS meets
        FROM   evaluation_current e
        JOIN   period p ON p.id = e.period_id AND p.kind = 'tahunan' AND p.ends_on <= at
        CROSS  JOIN LATERAL (SELECT extract(year FROM p.ends_on)::integer AS year) y
        WHERE  e.asn_id = who AND e.state = 'final'
        ORDER  BY y.year, p.ends_on DESC
    ), latest AS (
        SELECT max(t.year) AS year FROM told t
    ), asked AS (
        SELECT g.year, t.id, t.predicate, coalesce(t.meets, false) AS meets
        FROM   latest l CROSS JOIN LATERAL generate_series(l.year, l.year - (r).years + 1, -1) AS g (year) LEFT JOIN told t ON t.year = g.year
    ), plan AS (
        SELECT i.id, i.state FROM latest l JOIN told t ON t.year = l.year JOIN improvement_plan i ON i.evaluation_id = t.id AND i.state <> 'cancelled'
    )
    SELECT coalesce((SELECT bool_and(a.meets) FROM asked a), false) AND ((r).plan_state IS NULL OR EXISTS (SELECT FROM plan n WHERE n.state = (r).plan_state)),
           (SELECT count(*)::integer FROM told t, latest l
            WHERE  t.meets AND NOT EXISTS (SELECT FROM generate_series(t.year + 1, l.year) AS g (year)
                                           WHERE  NOT EXISTS (SELECT FROM told n WHERE n.year = g.year AND n.meets))),
           jsonb_build_object('evaluations', (SELECT coalesce(jsonb_agg(jsonb_build_object('year', a.year, 'evaluation_id', a.id, 'predicate', a.predicate, 'meets', a.meets)
                                                                        ORDER BY a.year DESC), '[]') FROM asked a),
                              'plan', (SELECT jsonb_build_object('improvement_plan_id', n.id, 'state', n.state) FROM plan n))
$$;
COMMENT ON FUNCTION outcome_of(uuid, outcome_rule, date) IS
    'Whether a rule holds for a person on a day, for how many consecutive years back its predicates hold, and the evaluations and the plan that this rests on.';

-- ── figures that the public may see ──────────────────────────────────────────────────────────────────────────────────────

CREATE TABLE open_definition (
    code          text    CONSTRAINT open_definition_pkey PRIMARY KEY,
    seq           integer NOT NULL CONSTRAINT open_definition_seq_key UNIQUE,
    name          text    NOT NULL,
    name_en       text    NOT NULL,
    measure       text    NOT NULL,
    definition    text    NOT NULL,
    definition_en text    NOT NULL,
    counts        text    NOT NULL,
    inside        text    NOT NULL,
    source        text    NOT NULL
);
COMMENT ON TABLE open_definition IS 'What each public figure means.';
COMMENT ON COLUMN open_definition.code IS 'As figures name it';
COMMENT ON COLUMN open_definition.seq IS 'Order';
COMMENT ON COLUMN open_definition.name IS 'In Indonesian';
COMMENT ON COLUMN open_definition.name_en IS 'In English';
COMMENT ON COLUMN open_definition.measure IS 'Unit: points, seconds, percent, count';
COMMENT ON COLUMN open_definition.definition IS 'How it is worked out, in Indonesian';
COMMENT ON COLUMN open_definition.definition_en IS 'How it is worked out, in English';
COMMENT ON COLUMN open_definition.counts IS 'What n counts, in English';
COMMENT ON COLUMN open_definition.inside IS 'operationId that gives the same number to the office';
COMMENT ON COLUMN open_definition.source IS 'Regulation, or ours';
INSERT INTO open_definition VALUES
    ('index', 1, 'Indeks Kepuasan Masyarakat', 'Satisfaction of the public', 'points',
     'Nilai konversi (25–100) seluruh survei yang diumumkan dan berakhir pada tahun itu, digabung menurut jumlah responden',
     'Converted value (25 to 100) of all published surveys that ended in the year, pooled by respondents', 'respondents', 'getUnitSatisfaction', 'Permenpan RB 14/2017'),
    ('waiting_mean', 2, 'Rata-rata waktu tunggu', 'Mean waiting time', 'seconds', 'Dari nomor diambil sampai dipanggil', 'From the number drawn to the call', 'tickets that were called',
     'listServiceFigures', 'ours'),
    ('tickets_finished', 3, 'Layanan selesai', 'Tickets finished', 'count', 'Tiket yang selesai dilayani', 'Tickets that were served to the end', 'tickets', 'listServiceFigures', 'ours'),
    ('on_time_rate', 4, 'Selesai tepat waktu', 'Finished in time', 'percent', 'Tiket yang selesai dalam waktu yang dijanjikan standar pelayanan',
     'Tickets finished within the time that the service standard promises', 'finished tickets with a promised time', 'listServiceFigures', 'UU 25/2009; Permenpan RB 15/2014'),
    ('complaints_received', 5, 'Pengaduan diterima', 'Complaints received', 'count', 'Pengaduan yang diterima pada tahun itu, tanpa yang ditolak',
     'Complaints that came in the year, without those that were rejected', 'complaints', 'listComplaints', 'ours'),
    ('complaints_answered_rate', 6, 'Pengaduan dijawab', 'Complaints answered', 'percent', 'Dari pengaduan yang diterima', 'Of the complaints received', 'complaints', 'listComplaints', 'ours'),
    ('complaints_in_time_rate', 7, 'Pengaduan dijawab tepat waktu', 'Complaints answered in time', 'percent', 'Dari pengaduan yang dijawab: paling lambat pada batas penyelesaian SP4N-LAPOR!',
     'Of those answered: no later than the limit of SP4N-LAPOR!', 'answered complaints with a limit', 'listComplaints', 'SP4N-LAPOR!'),
    ('training_attainment', 8, 'Pemenuhan jam pelajaran', 'Learning hours attained', 'percent', 'Pegawai yang mencapai jam pelajaran minimal tahun itu',
     'Staff who reached the least learning hours of the year', 'staff with a floor', 'listLearningAttainment', 'PP 11/2017 jo. PP 17/2020'),
    ('predicate_sangat_baik', 9, 'Predikat Sangat Baik', 'Rated Sangat Baik', 'count', 'Pegawai dengan predikat kinerja tahunan ini', 'Staff with this yearly predicate', 'staff rated',
     'getDistribution', 'Permenpan RB 6/2022'),
    ('predicate_baik', 10, 'Predikat Baik', 'Rated Baik', 'count', 'Pegawai dengan predikat kinerja tahunan ini', 'Staff with this yearly predicate', 'staff rated', 'getDistribution',
     'Permenpan RB 6/2022'),
    ('predicate_butuh_perbaikan', 11, 'Predikat Butuh Perbaikan', 'Rated Butuh Perbaikan', 'count', 'Pegawai dengan predikat kinerja tahunan ini', 'Staff with this yearly predicate',
     'staff rated', 'getDistribution', 'Permenpan RB 6/2022'),
    ('predicate_kurang', 12, 'Predikat Kurang', 'Rated Kurang', 'count', 'Pegawai dengan predikat kinerja tahunan ini', 'Staff with this yearly predicate', 'staff rated',
     'getDistribution', 'Permenpan RB 6/2022'),
    ('predicate_sangat_kurang', 13, 'Predikat Sangat Kurang', 'Rated Sangat Kurang', 'count', 'Pegawai dengan predikat kinerja tahunan ini', 'Staff with this yearly predicate',
     'staff rated', 'getDistribution', 'Permenpan RB 6/2022');

CREATE TABLE open_edition (
    year         integer     NOT NULL CONSTRAINT open_edition_year_range CHECK (year BETWEEN 2000 AND 2099),
    edition      integer     NOT NULL,
    figures      integer     NOT NULL,
    suppressed   integer     NOT NULL,
    actor_key    uuid        NOT NULL,
    actor_name   text        NOT NULL,
    published_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT open_edition_pkey PRIMARY KEY (year, edition)
);
COMMENT ON TABLE open_edition IS 'Figures of a year as they were published. Only added to; the latest is shown.';
COMMENT ON COLUMN open_edition.year IS 'Calendar year';
COMMENT ON COLUMN open_edition.edition IS '1, 2, …';
COMMENT ON COLUMN open_edition.figures IS 'How many have a value';
COMMENT ON COLUMN open_edition.suppressed IS 'How many have none';
COMMENT ON COLUMN open_edition.actor_key IS 'api_key.id of who published it';
COMMENT ON COLUMN open_edition.actor_name IS 'Name of that key then';
COMMENT ON COLUMN open_edition.published_at IS 'When';

CREATE TABLE open_figure (
    year            integer NOT NULL,
    edition         integer NOT NULL,
    service_unit_id uuid    NOT NULL CONSTRAINT open_figure_service_unit_fkey REFERENCES service_unit,
    unit_name       text    NOT NULL,
    code            text    NOT NULL CONSTRAINT open_figure_code_fkey REFERENCES open_definition,
    value           numeric,
    n               bigint,
    reason          text    CONSTRAINT open_figure_reason_known CHECK (reason IN ('none', 'few', 'others', 'nested', 'running')),
    CONSTRAINT open_figure_pkey PRIMARY KEY (year, edition, service_unit_id, code),
    CONSTRAINT open_figure_edition_fkey FOREIGN KEY (year, edition) REFERENCES open_edition,
    CONSTRAINT open_figure_whole CHECK ((reason IS NULL) = (value IS NOT NULL) AND (n IS NULL OR n >= 5) AND (value IS NULL OR n IS NOT NULL))
);
COMMENT ON TABLE open_figure IS 'Published figures. What is suppressed is not in it.';
COMMENT ON COLUMN open_figure.year IS 'open_edition.year';
COMMENT ON COLUMN open_figure.edition IS 'open_edition.edition';
COMMENT ON COLUMN open_figure.service_unit_id IS 'service_unit.id';
COMMENT ON COLUMN open_figure.unit_name IS 'Its name then';
COMMENT ON COLUMN open_figure.code IS 'open_definition.code';
COMMENT ON COLUMN open_figure.value IS 'The figure; null: see reason';
COMMENT ON COLUMN open_figure.n IS 'From how many; null: fewer than five, or none';
COMMENT ON COLUMN open_figure.reason IS
    'Why there is no value. none: there is nothing to count; few: fewer than five; others: it would tell what is suppressed beside it; nested: another unit that serves lies below, '
    'and the difference would tell of few; running: the year, or its period, is not over';

CREATE FUNCTION open_keep() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'what was published stays' USING ERRCODE = 'P0001', CONSTRAINT = 'open_figure_fixed';
END $$;
COMMENT ON FUNCTION open_keep() IS 'Published figures are only added to.';
CREATE TRIGGER open_edition_10_keep BEFORE UPDATE OR DELETE ON open_edition FOR EACH ROW EXECUTE FUNCTION open_keep();
CREATE TRIGGER open_figure_10_keep BEFORE UPDATE OR DELETE ON open_figure FOR EACH ROW EXECUTE FUNCTION open_keep();

-- The rule stands twice, here and in src/rules/satisfaction.c; tests/api/test_open_data.py holds both against each other. Exact: one fraction, rounded once.
CREATE FUNCTION open_satisfaction(which uuid, in_year integer, OUT value numeric, OUT n bigint)
LANGUAGE plpgsql STABLE AS $$
DECLARE
    s    record;
    e    record;
    num  numeric;
    den  numeric;
    sum_num numeric := 0;
    sum_den numeric := 1;
    common  numeric;
BEGIN
    n := 0;
    FOR s IN SELECT v.id, v.elements, (SELECT sum(t.n) FROM survey_tally t WHERE t.survey_id = v.id AND t.element = 'n') AS respondents
             FROM   survey v WHERE v.service_unit_id = which AND v.state = 'published' AND v.ends_on BETWEEN make_date(in_year, 1, 1) AND make_date(in_year, 12, 31)
             ORDER  BY v.id LOOP
        num := 0;
        den := 1;
        FOR e IN SELECT sum(t.n) AS answers, sum(t.n * t.value::integer) AS points FROM survey_tally t
                 WHERE  t.survey_id = s.id AND t.element = ANY (s.elements) GROUP BY t.element LOOP
            num := num * e.answers + e.points * den;
            den := den * e.answers;
            common := gcd(num, den);
            num := div(num, common);
            den := div(den, common);
        END LOOP;
        num := num * s.respondents;
        den := den * cardinality(s.elements);
        sum_num := sum_num * den + num * sum_den;
        sum_den := sum_den * den;
        common := gcd(sum_num, sum_den);
        sum_num := div(sum_num, common);
        sum_den := div(sum_den, common);
        n := n + s.respondents;
    END LOOP;
    value := CASE WHEN n > 0 THEN (div(sum_num * 5000 + sum_den * n, sum_den * n * 2) / 100)::numeric(5, 2) END;
END $$;
COMMENT ON FUNCTION open_satisfaction(uuid, integer) IS
    'Published surveys of a unit that ended in a year as one: Σ respondents · index / Σ respondents, × 25, two decimals, half up (Permenpan RB 14/2017).';

-- As survey_groups() hides groups: the small ones, and the next larger ones until those hidden are two and hold five together.
CREATE FUNCTION open_hidden(counts bigint[]) RETURNS boolean[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN (SELECT array_agg(k.n < 5 OR k.least < 5 AND (k.place <= 2 OR k.before < 5) ORDER BY k.ord)
        FROM   (SELECT c.n, c.ord, min(c.n) OVER () AS least, row_number() OVER up AS place, sum(c.n) OVER up - c.n AS before
                FROM   unnest(counts) WITH ORDINALITY AS c (n, ord)
                WINDOW up AS (ORDER BY c.n, c.ord ROWS UNBOUNDED PRECEDING)) k);
COMMENT ON FUNCTION open_hidden(bigint[]) IS
    'Which of the groups of a whole must not be shown: those below five, an empty one too, and those that would tell them. The sum of all is known.';

CREATE FUNCTION open_people(in_year integer) RETURNS TABLE (service_unit_id uuid, code text, value numeric, n bigint, smallest bigint)
LANGUAGE sql STABLE AS $$
    SELECT v.id, 'training_attainment', round(h.met * 100 / nullif(h.people, 0)::numeric, 2), h.people, least(h.met, h.people - h.met)
    FROM   service_unit v
    JOIN   unit u ON u.id = v.unit_id
    CROSS  JOIN LATERAL (SELECT count(*) AS people, count(*) FILTER (WHERE t.jp >= r.floor_jp) AS met
                         FROM   asn a
                         JOIN   unit b ON b.id = a.unit_id AND b.path <@ u.path
                         CROSS  JOIN LATERAL learning_period(a, make_date(in_year, 12, 31)) p
                         JOIN   (SELECT DISTINCT ON (l.kind) l.kind, l.floor_jp FROM learning_rule l WHERE l.valid_from <= in_year ORDER BY l.kind, l.valid_from DESC) r
                                ON r.kind = p.rule_kind AND r.floor_jp IS NOT NULL
                         CROSS  JOIN LATERAL (SELECT coalesce(sum(e.counted_jp), 0) AS jp FROM learning_entry e
                                              WHERE  e.asn_id = a.id AND (e.rule_kind, e.period_from) = (p.rule_kind, p.period_from)) t
                         WHERE  a.legal_status IN (SELECT s.code FROM employed_status s)) h
    WHERE  v.is_active
    UNION  ALL
    SELECT k.id, 'predicate_' || w.predicate, w.people, k.rated, CASE WHEN w.people < 5 THEN w.people WHEN w.is_hidden THEN -1 ELSE w.people END
    FROM   (SELECT v.id, count(e.id) AS rated,
                   ARRAY[count(*) FILTER (WHERE e.predicate = 'sangat_baik'), count(*) FILTER (WHERE e.predicate = 'baik'), count(*) FILTER (WHERE e.predicate = 'butuh_perbaikan'),
                         count(*) FILTER (WHERE e.predicate = 'kurang'), count(*) FILTER (WHERE e.predicate = 'sangat_kurang')] AS counts
            FROM   service_unit v
            JOIN   unit u ON u.id = v.unit_id
            JOIN   (SELECT p.id FROM period p WHERE p.kind = 'tahunan' AND p.is_closed AND extract(year FROM p.ends_on) = in_year
                    ORDER  BY p.ends_on DESC LIMIT 1) d ON true
            LEFT   JOIN (evaluation_current e JOIN asn a ON a.id = e.asn_id JOIN unit b ON b.id = a.unit_id)
                   ON e.period_id = d.id AND e.state = 'final' AND b.path <@ u.path
            WHERE  v.is_active
            GROUP  BY v.id) k
    CROSS  JOIN LATERAL unnest('{sangat_baik,baik,butuh_perbaikan,kurang,sangat_kurang}'::text[], k.counts, open_hidden(k.counts)) AS w (predicate, people, is_hidden)
$$;
COMMENT ON FUNCTION open_people(integer) IS
    'Figures of the staff of each unit that serves. smallest: of how many people the smallest group beside it is; -1: it would tell of a group that is suppressed.';

CREATE FUNCTION open_work_out(in_year integer, today date) RETURNS TABLE (service_unit_id uuid, unit_name text, code text, value numeric, n bigint, reason text)
LANGUAGE sql STABLE AS $$
    WITH place AS (
        SELECT v.id, v.unit_id, v.name,
               EXISTS (SELECT FROM service_unit o JOIN unit b ON b.id = o.unit_id WHERE o.is_active AND o.id <> v.id AND b.path <@ u.path) AS is_nested
        FROM   service_unit v JOIN unit u ON u.id = v.unit_id
        WHERE  v.is_active
    ), served AS (
        SELECT f.key, sum(f.waiting_sum) AS waiting_sum, sum(f.waiting_n)::bigint AS waiting_n, sum(f.finished)::bigint AS finished, sum(f.on_time) AS on_time,
               sum(f.promised)::bigint AS promised
        FROM   service_figures('unit', ARRAY(SELECT p.unit_id FROM place p), make_date(in_year, 1, 1), make_date(in_year, 12, 1)) f
        GROUP  BY f.key
    ), complained AS (
        SELECT c.service_unit_id AS id, count(*) AS received, count(c.answered_at) AS answered, count(*) FILTER (WHERE c.answered_at IS NOT NULL AND c.settle_by IS NOT NULL) AS bound,
               count(*) FILTER (WHERE local_day(c.answered_at) <= c.settle_by) AS in_time
        FROM   complaint c
        WHERE  c.kind = 'complaint' AND c.state <> 'rejected' AND extract(year FROM local_day(c.received_at)) = in_year
        GROUP  BY c.service_unit_id
    ), told AS (
        SELECT p.id, g.code, g.value, g.n
        FROM   place p
        LEFT   JOIN served s ON s.key = p.unit_id
        LEFT   JOIN complained c ON c.id = p.id
        CROSS  JOIN LATERAL open_satisfaction(p.id, in_year) i
        CROSS  JOIN LATERAL (VALUES
            ('index', i.value, i.n), ('waiting_mean', round(s.waiting_sum / nullif(s.waiting_n, 0), 2), s.waiting_n), ('tickets_finished', s.finished, s.finished),
            ('on_time_rate', round(100.0 * s.on_time / nullif(s.promised, 0), 2), s.promised), ('complaints_received', c.received, c.received),
            ('complaints_answered_rate', round(100.0 * c.answered / nullif(c.received, 0), 2), c.received),
            ('complaints_in_time_rate', round(100.0 * c.in_time / nullif(c.bound, 0), 2), c.bound)) AS g (code, value, n)
    ), judged AS (
        SELECT t.id, t.code, t.value, t.n, CASE WHEN coalesce(t.n, 0) = 0 THEN 'none' WHEN t.n < 5 THEN 'few' END AS reason FROM told t
        UNION  ALL
        SELECT p.id, d.code, w.value, w.n,
               CASE WHEN p.is_nested THEN 'nested'
                    WHEN in_year >= extract(year FROM today) OR w.code IS NULL THEN 'running'
                    WHEN w.n = 0 THEN 'none'
                    WHEN w.n < 5 THEN 'few'
                    WHEN w.smallest = -1 THEN 'others'
                    WHEN w.smallest < 5 THEN 'few' END
        FROM   place p
        JOIN   open_definition d ON d.inside IN ('listLearningAttainment', 'getDistribution')
        LEFT   JOIN open_people(in_year) w ON w.service_unit_id = p.id AND w.code = d.code
    )
    SELECT p.id, p.name, j.code, CASE WHEN j.reason IS NULL THEN j.value END, CASE WHEN j.reason IS NULL OR j.reason IN ('others', 'few') AND j.n >= 5 THEN j.n END, j.reason
    FROM   judged j JOIN place p ON p.id = j.id
$$;
COMMENT ON FUNCTION open_work_out(integer, date) IS
    'The figures of a year that may be published. Fewer than five are suppressed; of people also what would tell a suppressed group, and whatever lies above another unit that serves.';

CREATE FUNCTION open_publish(in_year integer, units ltree[], today date, by_key uuid, by_name text)
RETURNS TABLE (problem text, pointer text, entry open_edition)
LANGUAGE plpgsql AS $$
DECLARE
    own integer;
BEGIN
    IF in_year > extract(year FROM today) THEN
        RETURN;
    END IF;
    IF NOT '' = ANY (units) THEN
        problem := 'open-whole';
        RETURN NEXT;
        RETURN;
    END IF;
    PERFORM pg_advisory_xact_lock(20, in_year);
    SELECT coalesce(max(e.edition), 0) + 1 INTO own FROM open_edition e WHERE e.year = in_year;
    WITH fresh AS MATERIALIZED (
        SELECT f.* FROM open_work_out(in_year, today) f
    ), made AS (
        INSERT INTO open_edition (year, edition, figures, suppressed, actor_key, actor_name)
        SELECT in_year, own, count(f.value), count(f.reason), by_key, by_name FROM fresh f
        RETURNING *
    ), kept AS (
        INSERT INTO open_figure (year, edition, service_unit_id, unit_name, code, value, n, reason)
        SELECT m.year, m.edition, f.service_unit_id, f.unit_name, f.code, f.value, f.n, f.reason FROM fresh f CROSS JOIN made m
    )
    SELECT m.* INTO entry FROM made m;
    RETURN NEXT;
END $$;
COMMENT ON FUNCTION open_publish(integer, ltree[], date, uuid, text) IS 'Publishes the next edition of a year''s figures, of all units or not at all. No row: the year has not begun.';
