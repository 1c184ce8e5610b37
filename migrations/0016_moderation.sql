-- After the ratings: the unit's predicate and the distribution under it (SE Menpan RB 3/2023), moderation, objections, credit points. See docs/evaluation.md.

-- ── ratings and predicates as data, for SQL ──────────────────────────────────────────────────────────────────────────────

CREATE TABLE predicate_cell (
    results_rating   text     NOT NULL,
    behaviour_rating text     NOT NULL,
    predicate        text     NOT NULL,
    number           smallint NOT NULL,
    CONSTRAINT predicate_cell_pkey PRIMARY KEY (results_rating, behaviour_rating)
);
COMMENT ON TABLE predicate_cell IS
    'The nine cells (Permenpan RB 6/2022) for what-if views of drafts. What is stored is derived by src/rules/predicate.c; a test holds both equal.';
COMMENT ON COLUMN predicate_cell.results_rating IS 'Rating hasil kerja';
COMMENT ON COLUMN predicate_cell.behaviour_rating IS 'Rating perilaku kerja';
COMMENT ON COLUMN predicate_cell.predicate IS 'Predikat';
COMMENT ON COLUMN predicate_cell.number IS 'kuadranKinerjaNilai of SIASN';
INSERT INTO predicate_cell VALUES
    ('di_atas_ekspektasi', 'di_atas_ekspektasi', 'sangat_baik', 1),
    ('di_atas_ekspektasi', 'sesuai_ekspektasi', 'baik', 2),
    ('di_atas_ekspektasi', 'di_bawah_ekspektasi', 'kurang', 4),
    ('sesuai_ekspektasi', 'di_atas_ekspektasi', 'baik', 2),
    ('sesuai_ekspektasi', 'sesuai_ekspektasi', 'baik', 2),
    ('sesuai_ekspektasi', 'di_bawah_ekspektasi', 'kurang', 4),
    ('di_bawah_ekspektasi', 'di_atas_ekspektasi', 'butuh_perbaikan', 3),
    ('di_bawah_ekspektasi', 'sesuai_ekspektasi', 'butuh_perbaikan', 3),
    ('di_bawah_ekspektasi', 'di_bawah_ekspektasi', 'sangat_kurang', 5);

CREATE TABLE performance_setting (
    code        text    NOT NULL,
    valid_from  date    NOT NULL,
    value       integer NOT NULL,
    source      text    NOT NULL,
    CONSTRAINT performance_setting_pkey PRIMARY KEY (code, valid_from)
);
COMMENT ON TABLE performance_setting IS 'Numbers of the rules that a regulation, or its reading, may change.';
COMMENT ON COLUMN performance_setting.code IS 'objection_days: calendar days in which an objection may be filed, counted from the day after the evaluation was told';
COMMENT ON COLUMN performance_setting.valid_from IS 'In force since';
COMMENT ON COLUMN performance_setting.value IS 'The number';
COMMENT ON COLUMN performance_setting.source IS 'Regulation, and how sure that is';
INSERT INTO performance_setting VALUES
    ('objection_days', '2019-04-26', 14, 'PP 30/2019 Art. 59, confirmed; Permenpan RB 6/2022 names the step, its number of days was not seen');

-- ── the unit's predicate and the distribution ────────────────────────────────────────────────────────────────────────────

CREATE TABLE unit_predicate (
    id         uuid        CONSTRAINT unit_predicate_pkey PRIMARY KEY,
    unit_id    uuid        NOT NULL CONSTRAINT unit_predicate_unit_fkey REFERENCES unit,
    period_id  uuid        NOT NULL CONSTRAINT unit_predicate_period_fkey REFERENCES period,
    predicate  text        NOT NULL CONSTRAINT unit_predicate_known CHECK (predicate IN ('istimewa', 'baik', 'butuh_perbaikan', 'kurang', 'sangat_kurang')),
    reason     text        NOT NULL CONSTRAINT unit_predicate_reason_length CHECK (length(reason) BETWEEN 1 AND 2000),
    leader     text        NOT NULL CONSTRAINT unit_predicate_leader_length CHECK (length(leader) BETWEEN 1 AND 200),
    edition    integer     NOT NULL,
    actor_key  uuid        NOT NULL,
    actor_name text        NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT unit_predicate_edition_key UNIQUE (unit_id, period_id, edition)
);
CREATE INDEX unit_predicate_period_idx ON unit_predicate (period_id, id);
COMMENT ON TABLE unit_predicate IS 'Predikat kinerja organisasi, set by the higher leader (Permenpan RB 6/2022). Only added to: the last one holds.';
COMMENT ON COLUMN unit_predicate.id IS 'UUIDv7';
COMMENT ON COLUMN unit_predicate.unit_id IS 'unit.id';
COMMENT ON COLUMN unit_predicate.period_id IS 'period.id';
COMMENT ON COLUMN unit_predicate.predicate IS 'istimewa … sangat_kurang';
COMMENT ON COLUMN unit_predicate.reason IS 'Upon which achievement';
COMMENT ON COLUMN unit_predicate.leader IS 'Post or name of who set it';
COMMENT ON COLUMN unit_predicate.edition IS '1, 2, …';
COMMENT ON COLUMN unit_predicate.actor_key IS 'api_key.id of who wrote it';
COMMENT ON COLUMN unit_predicate.actor_name IS 'Name of that key then';
COMMENT ON COLUMN unit_predicate.created_at IS 'When';

CREATE TABLE distribution_limit (
    unit_predicate text    NOT NULL,
    valid_from     date    NOT NULL,
    code           text    NOT NULL,
    predicates     text[]  NOT NULL,
    at_least       integer,
    at_most        integer,
    at_least_one   boolean NOT NULL DEFAULT false,
    CONSTRAINT distribution_limit_pkey PRIMARY KEY (unit_predicate, valid_from, code),
    CONSTRAINT distribution_limit_one CHECK (num_nonnulls(at_least, at_most) + at_least_one::integer = 1)
);
COMMENT ON TABLE distribution_limit IS 'What the predicates of a unit''s people may be under the unit''s predicate (SE Menpan RB 3/2023; confirmed). They warn; the leader explains.';
COMMENT ON COLUMN distribution_limit.unit_predicate IS 'Of a unit with this predicate';
COMMENT ON COLUMN distribution_limit.valid_from IS 'In force since';
COMMENT ON COLUMN distribution_limit.code IS 'Name of the limit';
COMMENT ON COLUMN distribution_limit.predicates IS 'Of the people with one of these';
COMMENT ON COLUMN distribution_limit.at_least IS 'Percent of all that they must be';
COMMENT ON COLUMN distribution_limit.at_most IS 'Percent of all that they may be';
COMMENT ON COLUMN distribution_limit.at_least_one IS 'There must be one at least';
INSERT INTO distribution_limit (unit_predicate, valid_from, code, predicates, at_least, at_most, at_least_one) VALUES
    ('istimewa', '2023-01-31', 'sb-at-most', '{sangat_baik}', NULL, 70, false),
    ('baik', '2023-01-31', 'b-at-most', '{baik}', NULL, 70, false),
    ('baik', '2023-01-31', 'bp-or-k-some', '{butuh_perbaikan,kurang}', NULL, NULL, true),
    ('butuh_perbaikan', '2023-01-31', 'bp-at-least', '{butuh_perbaikan}', 60, NULL, false),
    ('butuh_perbaikan', '2023-01-31', 'sb-at-most', '{sangat_baik}', NULL, 10, false),
    ('kurang', '2023-01-31', 'k-at-least', '{kurang}', 60, NULL, false),
    ('kurang', '2023-01-31', 'bp-at-least', '{butuh_perbaikan}', 10, NULL, false),
    ('kurang', '2023-01-31', 'sb-at-most', '{sangat_baik}', NULL, 10, false),
    ('sangat_kurang', '2023-01-31', 'sk-at-least', '{sangat_kurang}', 60, NULL, false),
    ('sangat_kurang', '2023-01-31', 'k-or-bp-at-least', '{kurang,butuh_perbaikan}', 10, NULL, false),
    ('sangat_kurang', '2023-01-31', 'sb-at-most', '{sangat_baik}', NULL, 0, false);

-- counts: predicate → people. Counts are compared as they are, without rounding a percentage (rounding in small units is not told; our reading).
CREATE FUNCTION distribution_breaches(of_unit text, counts jsonb, at date) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
DECLARE
    n bigint := (SELECT coalesce(sum(value::bigint), 0) FROM jsonb_each_text(counts));
BEGIN
    IF of_unit IS NULL OR n = 0 THEN
        RETURN '[]';
    END IF;
    RETURN (SELECT coalesce(jsonb_agg(jsonb_build_object('code', l.code, 'predicates', l.predicates, 'at_least_percent', l.at_least, 'at_most_percent', l.at_most,
                                                         'count', w.held, 'people', n,
                                                         'may_be', CASE WHEN l.at_most IS NOT NULL THEN l.at_most * n / 100
                                                                        WHEN l.at_least_one THEN 1 ELSE (l.at_least * n + 99) / 100 END)
                                      ORDER BY l.code), '[]')
            FROM   distribution_limit l
            CROSS  JOIN LATERAL (SELECT coalesce(sum((counts ->> p)::bigint), 0) AS held FROM unnest(l.predicates) AS p) w
            WHERE  l.unit_predicate = of_unit
                   AND l.valid_from = (SELECT max(v.valid_from) FROM distribution_limit v WHERE v.unit_predicate = of_unit AND v.valid_from <= at)
                   AND CASE WHEN l.at_most IS NOT NULL THEN w.held * 100 > l.at_most * n
                            WHEN l.at_least_one THEN w.held = 0 ELSE w.held * 100 < l.at_least * n END);
END $$;
COMMENT ON FUNCTION distribution_breaches(text, jsonb, date) IS
    'Limits that these counts break under a unit''s predicate, with what was counted and what count would do (may_be: at most, or at least).';

-- ── evaluations: what replaces what, and moderation ──────────────────────────────────────────────────────────────────────

ALTER TABLE evaluation ADD COLUMN supersedes uuid CONSTRAINT evaluation_supersedes_key UNIQUE CONSTRAINT evaluation_supersedes_fkey REFERENCES evaluation;
COMMENT ON COLUMN evaluation.supersedes IS 'evaluation.id of the final one that this one replaces after an objection; null: the first';
ALTER TABLE evaluation DROP CONSTRAINT evaluation_once;
CREATE UNIQUE INDEX evaluation_once ON evaluation (asn_id, period_id) WHERE supersedes IS NULL;
CREATE INDEX evaluation_asn_idx ON evaluation (asn_id, period_id);

CREATE FUNCTION evaluation_replaces() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM evaluation o WHERE o.id = NEW.supersedes AND (o.asn_id, o.period_id, o.state) = (NEW.asn_id, NEW.period_id, 'final');
    IF NOT FOUND THEN
        RAISE EXCEPTION 'replaces nothing that is final of the same person and period' USING ERRCODE = 'P0001', CONSTRAINT = 'evaluation_supersedes_fkey';
    END IF;
    RETURN NEW;
END $$;
COMMENT ON FUNCTION evaluation_replaces() IS 'Only a final evaluation of the same person and period is replaced.';
CREATE TRIGGER evaluation_15_replaces BEFORE INSERT ON evaluation FOR EACH ROW WHEN (NEW.supersedes IS NOT NULL) EXECUTE FUNCTION evaluation_replaces();

-- A closed period takes no new evaluations, but the new version of one that it has.
CREATE OR REPLACE FUNCTION evaluation_open() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM period p WHERE p.id = NEW.period_id AND p.is_closed AND NEW.supersedes IS NULL;
    IF FOUND THEN
        RAISE EXCEPTION 'the period is closed' USING ERRCODE = 'P0001', CONSTRAINT = 'evaluation_period_open';
    END IF;
    RETURN NEW;
END $$;

CREATE VIEW evaluation_current AS
SELECT e.* FROM evaluation e WHERE NOT EXISTS (SELECT FROM evaluation n WHERE n.supersedes = e.id);
COMMENT ON VIEW evaluation_current IS 'Evaluations that no later version replaces.';

CREATE TABLE moderation (
    id               uuid        CONSTRAINT moderation_pkey PRIMARY KEY,
    evaluation_id    uuid        NOT NULL CONSTRAINT moderation_evaluation_fkey REFERENCES evaluation,
    results_before   text,
    results_after    text        NOT NULL,
    behaviour_before text,
    behaviour_after  text        NOT NULL,
    reason           text        NOT NULL CONSTRAINT moderation_reason_length CHECK (length(reason) BETWEEN 1 AND 2000),
    leader           text        NOT NULL CONSTRAINT moderation_leader_length CHECK (length(leader) BETWEEN 1 AND 200),
    actor_key        uuid        NOT NULL,
    actor_name       text        NOT NULL,
    created_at       timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX moderation_evaluation_idx ON moderation (evaluation_id, id);
COMMENT ON TABLE moderation IS 'Ratings that were changed to fit the unit''s distribution, before they became final. Only added to.';
COMMENT ON COLUMN moderation.id IS 'UUIDv7';
COMMENT ON COLUMN moderation.evaluation_id IS 'evaluation.id';
COMMENT ON COLUMN moderation.results_before IS 'Rating of results before; null: there was none';
COMMENT ON COLUMN moderation.results_after IS 'And after';
COMMENT ON COLUMN moderation.behaviour_before IS 'Rating of behaviour before; null: there was none';
COMMENT ON COLUMN moderation.behaviour_after IS 'And after';
COMMENT ON COLUMN moderation.reason IS 'Why';
COMMENT ON COLUMN moderation.leader IS 'Post or name of who decided it';
COMMENT ON COLUMN moderation.actor_key IS 'api_key.id of who wrote it';
COMMENT ON COLUMN moderation.actor_name IS 'Name of that key then';
COMMENT ON COLUMN moderation.created_at IS 'When';

-- ── objections ───────────────────────────────────────────────────────────────────────────────────────────────────────────

CREATE TABLE objection (
    id               uuid        CONSTRAINT objection_pkey PRIMARY KEY,
    evaluation_id    uuid        NOT NULL CONSTRAINT objection_evaluation_key UNIQUE CONSTRAINT objection_evaluation_fkey REFERENCES evaluation,
    state            text        NOT NULL DEFAULT 'open' CONSTRAINT objection_state_known CHECK (state IN ('open', 'heard', 'upheld', 'changed', 'refused', 'lapsed')),
    text             text        NOT NULL CONSTRAINT objection_text_length CHECK (length(text) BETWEEN 1 AND 8000),
    told_on          date        NOT NULL,
    filed_on         date        NOT NULL,
    last_day         date        NOT NULL,
    decided_by       text        CONSTRAINT objection_decided_by_length CHECK (length(decided_by) BETWEEN 1 AND 200),
    decision         text        CONSTRAINT objection_decision_length CHECK (length(decision) BETWEEN 1 AND 8000),
    decided_on       date,
    new_evaluation_id uuid       CONSTRAINT objection_new_evaluation_fkey REFERENCES evaluation,
    version          bigint      NOT NULL DEFAULT 1,
    created_at       timestamptz NOT NULL DEFAULT now(),
    updated_at       timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT objection_days CHECK (told_on <= filed_on),
    CONSTRAINT objection_decided CHECK ((state IN ('open', 'heard')) = (decided_on IS NULL) AND num_nonnulls(decided_by, decision, decided_on) IN (0, 3)),
    CONSTRAINT objection_changed CHECK ((state = 'changed') = (new_evaluation_id IS NOT NULL))
);
CREATE INDEX objection_state_idx ON objection (state, id);
CREATE INDEX objection_new_evaluation_idx ON objection (new_evaluation_id) WHERE new_evaluation_id IS NOT NULL;
COMMENT ON TABLE objection IS 'Keberatan against a final evaluation: filed, heard, decided by the assessor''s superior (PP 30/2019 Art. 59).';
COMMENT ON COLUMN objection.id IS 'UUIDv7';
COMMENT ON COLUMN objection.evaluation_id IS 'evaluation.id; one objection each';
COMMENT ON COLUMN objection.state IS 'open, heard; then upheld (the evaluation stays), changed (a new one replaces it), refused (not taken up), lapsed (withdrawn or not pursued)';
COMMENT ON COLUMN objection.text IS 'Reasons';
COMMENT ON COLUMN objection.told_on IS 'When the evaluation was told: the day that it became final, unless said otherwise';
COMMENT ON COLUMN objection.filed_on IS 'When it was received';
COMMENT ON COLUMN objection.last_day IS 'Until when it may be filed: told_on and objection_days of performance_setting';
COMMENT ON COLUMN objection.decided_by IS 'Post or name of the assessor''s superior';
COMMENT ON COLUMN objection.decision IS 'Reasons of the decision';
COMMENT ON COLUMN objection.decided_on IS 'When';
COMMENT ON COLUMN objection.new_evaluation_id IS 'evaluation.id of the version that it led to';
COMMENT ON COLUMN objection.version IS 'Counts changes: ETag';
COMMENT ON COLUMN objection.created_at IS 'When the row was made';
COMMENT ON COLUMN objection.updated_at IS 'Last change';

CREATE TABLE objection_step (
    objection_id uuid        NOT NULL CONSTRAINT objection_step_objection_fkey REFERENCES objection,
    seq          integer     NOT NULL,
    state        text        NOT NULL,
    note         text,
    actor_key    uuid        NOT NULL,
    actor_name   text        NOT NULL,
    at           timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT objection_step_pkey PRIMARY KEY (objection_id, seq)
);
COMMENT ON TABLE objection_step IS 'The way of an objection. Only added to.';
COMMENT ON COLUMN objection_step.objection_id IS 'objection.id';
COMMENT ON COLUMN objection_step.seq IS '1, 2, …';
COMMENT ON COLUMN objection_step.state IS 'What it became';
COMMENT ON COLUMN objection_step.note IS 'What was said: reasons, the hearing of the assessor and the person, the decision';
COMMENT ON COLUMN objection_step.actor_key IS 'api_key.id of who wrote it';
COMMENT ON COLUMN objection_step.actor_name IS 'Name of that key then';
COMMENT ON COLUMN objection_step.at IS 'When';

CREATE FUNCTION objection_may_become(state text, next text) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN (state, next) IN (('open', 'heard'), ('open', 'refused'), ('open', 'lapsed'), ('heard', 'upheld'), ('heard', 'changed'), ('heard', 'lapsed'));
COMMENT ON FUNCTION objection_may_become(text, text) IS 'The order of states of an objection.';

CREATE FUNCTION objection_step_order() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' OR (NEW.id, NEW.evaluation_id, NEW.text, NEW.told_on, NEW.filed_on) IS DISTINCT FROM
                           (OLD.id, OLD.evaluation_id, OLD.text, OLD.told_on, OLD.filed_on)
       OR NOT objection_may_become(OLD.state, NEW.state) THEN
        RAISE EXCEPTION 'not from this state' USING ERRCODE = 'P0001', CONSTRAINT = 'objection_state_order';
    END IF;
    RETURN NEW;
END $$;
COMMENT ON FUNCTION objection_step_order() IS 'States go their order, what was filed stays.';
CREATE TRIGGER objection_10_order BEFORE UPDATE OR DELETE ON objection FOR EACH ROW EXECUTE FUNCTION objection_step_order();
CREATE TRIGGER objection_20_touch BEFORE UPDATE ON objection FOR EACH ROW EXECUTE FUNCTION touch_row();

CREATE FUNCTION performance_said_keep() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'what was said stays' USING ERRCODE = 'P0001', CONSTRAINT = 'evaluation_final';
END $$;
COMMENT ON FUNCTION performance_said_keep() IS 'Predicates of units, moderations and steps of objections are only added.';
CREATE TRIGGER unit_predicate_10_keep BEFORE UPDATE OR DELETE ON unit_predicate FOR EACH ROW EXECUTE FUNCTION performance_said_keep();
CREATE TRIGGER moderation_10_keep BEFORE UPDATE OR DELETE ON moderation FOR EACH ROW EXECUTE FUNCTION performance_said_keep();
CREATE TRIGGER objection_step_10_keep BEFORE UPDATE OR DELETE ON objection_step FOR EACH ROW EXECUTE FUNCTION performance_said_keep();

CREATE VIEW objection_entry AS
SELECT o.id, o.evaluation_id, a.nip, a.name, e.period_id, o.state, o.text, o.told_on, o.filed_on, o.last_day, o.filed_on > o.last_day AS is_late, o.decided_by,
       o.decision, o.decided_on, o.new_evaluation_id, o.version, o.created_at, o.updated_at, e.asn_id AS _asn_id, u.path AS _unit_path
FROM   objection o
JOIN   evaluation e ON e.id = o.evaluation_id
JOIN   asn a ON a.id = e.asn_id
JOIN   unit u ON u.id = a.unit_id;
COMMENT ON VIEW objection_entry IS 'Objections as the API shows them. Of _columns the API shows nothing.';

CREATE FUNCTION performance_number(which text, at date) RETURNS integer
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (SELECT s.value FROM performance_setting s WHERE s.code = which AND s.valid_from <= at ORDER BY s.valid_from DESC LIMIT 1);
END $$;
COMMENT ON FUNCTION performance_number(text, date) IS 'A number of performance_setting as it is in force on a day; null: there is none.';

CREATE FUNCTION objection_file(which uuid, units ltree[], own_id uuid, why text, told date, filed date, by_key uuid, by_name text)
RETURNS TABLE (problem text, pointer text, entry objection_entry)
LANGUAGE plpgsql AS $$
DECLARE
    e evaluation;
    day date;
BEGIN
    SELECT v.* INTO e FROM evaluation v JOIN asn a ON a.id = v.asn_id JOIN unit u ON u.id = a.unit_id
    WHERE  v.id = which AND u.path <@ ANY (units)
    FOR    SHARE OF v;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    day := coalesce(told, (e.finalized_at AT TIME ZONE 'Asia/Makassar')::date);
    filed := coalesce(filed, local_today());
    IF e.state <> 'final' THEN
        problem := 'evaluation-draft';
    ELSIF EXISTS (SELECT FROM evaluation n WHERE n.supersedes = e.id) THEN
        problem := 'evaluation-superseded';
    ELSIF filed < day OR filed > local_today() THEN
        problem := 'objection-day';
        pointer := '/filed_on';
    ELSIF day < (e.finalized_at AT TIME ZONE 'Asia/Makassar')::date THEN
        problem := 'objection-day';
        pointer := '/told_on';
    ELSE
        INSERT INTO objection (id, evaluation_id, text, told_on, filed_on, last_day)
        VALUES (own_id, e.id, why, day, filed, day + performance_number('objection_days', day));
        INSERT INTO objection_step (objection_id, seq, state, note, actor_key, actor_name) VALUES (own_id, 1, 'open', why, by_key, by_name);
        SELECT o.* INTO entry FROM objection_entry o WHERE o.id = own_id;
    END IF;
    RETURN NEXT;
END $$;
COMMENT ON FUNCTION objection_file(uuid, ltree[], uuid, text, date, date, uuid, text) IS
    'Files an objection. Late is told, and never a reason not to write it down: who decides may refuse it. No row: not the caller''s.';

-- ratings: of a decision that changes; the new version then awaits finalising by the command that called.
CREATE FUNCTION objection_act(which uuid, units ltree[], seen int8multirange, next text, why text, decider text, results text, behaviour text, fresh uuid,
                              by_key uuid, by_name text)
RETURNS TABLE (problem text, pointer text, entry objection_entry)
LANGUAGE plpgsql AS $$
DECLARE
    o objection;
    e evaluation;
BEGIN
    SELECT j.* INTO o FROM objection j JOIN objection_entry t ON t.id = j.id WHERE j.id = which AND t._unit_path <@ ANY (units) FOR UPDATE OF j;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    SELECT v.* INTO e FROM evaluation v WHERE v.id = o.evaluation_id;
    IF NOT seen @> o.version THEN
        problem := 'version-stale';
    ELSIF NOT objection_may_become(o.state, next) THEN
        problem := 'objection-state';
    ELSIF next = 'changed' AND (results, behaviour) IS NOT DISTINCT FROM (e.results_rating, e.behaviour_rating) THEN
        problem := 'objection-same';
        pointer := '/results_rating';
    ELSE
        IF next = 'changed' THEN
            INSERT INTO evaluation (id, asn_id, period_id, results_rating, behaviour_rating, note, supersedes)
            VALUES (fresh, e.asn_id, e.period_id, results, behaviour, e.note, e.id);
            INSERT INTO indicator (id, evaluation_id, position, name, aspect, measure, direction, target, target_high, actual, weight, cap,
                                   zero_target_reached, skp_indicator_id)
            SELECT uuid_v7(), fresh, i.position, i.name, i.aspect, i.measure, i.direction, i.target, i.target_high, i.actual, i.weight, i.cap,
                   i.zero_target_reached, i.skp_indicator_id
            FROM   indicator i WHERE i.evaluation_id = e.id;
        END IF;
        UPDATE objection j
        SET    state = next, decided_by = decider, decision = CASE WHEN decider IS NOT NULL THEN why END,
               decided_on = CASE WHEN decider IS NOT NULL THEN local_today() END, new_evaluation_id = CASE WHEN next = 'changed' THEN fresh END
        WHERE  j.id = o.id;
        INSERT INTO objection_step (objection_id, seq, state, note, actor_key, actor_name)
        SELECT o.id, max(s.seq) + 1, next, why, by_key, by_name FROM objection_step s WHERE s.objection_id = o.id;
        SELECT t.* INTO entry FROM objection_entry t WHERE t.id = o.id;
    END IF;
    RETURN NEXT;
END $$;
COMMENT ON FUNCTION objection_act(uuid, ltree[], int8multirange, text, text, text, text, text, uuid, uuid, text) IS
    'Takes an objection a step further. A change makes a new version of the evaluation with these ratings, which is finalised next. No row: not the caller''s.';

-- ── credit points ────────────────────────────────────────────────────────────────────────────────────────────────────────

CREATE TABLE credit_level (
    level       text    NOT NULL,
    valid_from  date    NOT NULL,
    siasn_id    text    NOT NULL,
    coefficient numeric NOT NULL CONSTRAINT credit_level_coefficient_range CHECK (coefficient > 0),
    for_rank    numeric NOT NULL,
    for_level   numeric,
    CONSTRAINT credit_level_pkey PRIMARY KEY (level, valid_from)
);
COMMENT ON TABLE credit_level IS 'Angka kredit of functional posts by level (Permenpan RB 1/2023, Per BKN 3/2023; confirmed).';
COMMENT ON COLUMN credit_level.level IS 'Level of position; list position-level';
COMMENT ON COLUMN credit_level.valid_from IS 'In force since';
COMMENT ON COLUMN credit_level.siasn_id IS 'koefisienId of SIASN';
COMMENT ON COLUMN credit_level.coefficient IS 'Points of a year rated Baik';
COMMENT ON COLUMN credit_level.for_rank IS 'Points for the next rank';
COMMENT ON COLUMN credit_level.for_level IS 'Points for the next level; null: there is none';
INSERT INTO credit_level VALUES
    ('pemula', '2023-07-01', '52', 3.75, 15, 15), ('terampil', '2023-07-01', '62', 5, 20, 60), ('mahir', '2023-07-01', '72', 12.5, 50, 100),
    ('penyelia', '2023-07-01', '82', 25, 100, NULL), ('ahli_pertama', '2023-07-01', '12', 12.5, 50, 100), ('ahli_muda', '2023-07-01', '22', 25, 100, 200),
    ('ahli_madya', '2023-07-01', '32', 37.5, 150, 450), ('ahli_utama', '2023-07-01', '42', 50, 200, NULL);

CREATE TABLE credit_rate (
    predicate  text    NOT NULL,
    valid_from date    NOT NULL,
    percent    integer NOT NULL,
    CONSTRAINT credit_rate_pkey PRIMARY KEY (predicate, valid_from)
);
COMMENT ON TABLE credit_rate IS 'Percent of the year''s points by predicate (Permenpan RB 1/2023; confirmed).';
COMMENT ON COLUMN credit_rate.predicate IS 'Predikat';
COMMENT ON COLUMN credit_rate.valid_from IS 'In force since';
COMMENT ON COLUMN credit_rate.percent IS 'Percent';
INSERT INTO credit_rate VALUES ('sangat_baik', '2023-07-01', 150), ('baik', '2023-07-01', 100), ('butuh_perbaikan', '2023-07-01', 75), ('kurang', '2023-07-01', 50),
    ('sangat_kurang', '2023-07-01', 25);

-- Exact: one whole division, half up, two decimals. BKN's example (2.0833 → 2.08) rounds each period; that it is half up is our reading.
CREATE FUNCTION credit_points(months integer, percent integer, coefficient numeric) RETURNS numeric
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN (div(months * percent * coefficient * 2 + 12, 24) / 100)::numeric(12, 2);
COMMENT ON FUNCTION credit_points(integer, integer, numeric) IS 'months / 12 × percent / 100 × coefficient, two decimals, half up (Per BKN 3/2023).';

CREATE FUNCTION functional_level_on(which uuid, at date) RETURNS text
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (SELECT coalesce((SELECT r.parent FROM reference r
                             WHERE  r.list = 'functional-level' AND r.code = h.facts ->> 'functional_level' AND r.valid @> at LIMIT 1),
                            (SELECT r.code FROM reference r
                             WHERE  r.list = 'position-level' AND r.parent = 'fungsional' AND r.valid @> at
                                    AND lower(h.facts ->> 'position') LIKE '% ' || lower(r.name) LIMIT 1))
            FROM   history h
            WHERE  h.asn_id = which AND h.kind = 'position' AND h.track IS NOT NULL AND NOT h.is_void AND h.valid @> at
                   AND h.facts ->> 'position_kind' = 'fungsional'
            LIMIT  1);
END $$;
COMMENT ON FUNCTION functional_level_on(uuid, date) IS
    'Level of the functional post that a person held on a day; told by the history, else read off the end of the post''s name. Null: none.';
