-- Performance (Permenpan RB 6/2022): periods, evaluations (SKP), indicators. What is final stays as it is, whoever asks.

CREATE TABLE period (
    id         uuid        PRIMARY KEY,
    name       text        NOT NULL CONSTRAINT period_name_length CHECK (length(name) BETWEEN 1 AND 200),
    kind       text        NOT NULL CONSTRAINT period_kind_known CHECK (kind IN ('tahunan', 'triwulan', 'bulanan')),
    starts_on  date        NOT NULL,
    ends_on    date        NOT NULL,
    is_closed  boolean     NOT NULL DEFAULT false,
    version    bigint      NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT period_days CHECK (starts_on <= ends_on AND ends_on - starts_on <= 366
                                  AND starts_on >= '1900-01-01' AND ends_on <= '2099-12-31'),
    CONSTRAINT period_no_overlap EXCLUDE USING gist (kind WITH =, daterange(starts_on, ends_on, '[]') WITH &&)
);
CREATE INDEX period_starts_on_idx ON period (starts_on, id);
COMMENT ON TABLE period IS 'Periods of assessment: yearly, quarterly or monthly.';
COMMENT ON COLUMN period.id IS 'UUIDv7';
COMMENT ON COLUMN period.name IS 'Penilaian tahunan 2026';
COMMENT ON COLUMN period.kind IS 'tahunan, triwulan, bulanan (SIASN periodik 2 and 1)';
COMMENT ON COLUMN period.starts_on IS 'First day';
COMMENT ON COLUMN period.ends_on IS 'Last day';
COMMENT ON COLUMN period.is_closed IS 'Takes no new evaluations';
COMMENT ON COLUMN period.version IS 'Counts changes: ETag';
COMMENT ON COLUMN period.created_at IS 'When the row was made';
COMMENT ON COLUMN period.updated_at IS 'Last change';
CREATE TRIGGER period_20_touch BEFORE UPDATE ON period FOR EACH ROW EXECUTE FUNCTION touch_row();

CREATE TABLE evaluation (
    id                   uuid        PRIMARY KEY,
    asn_id               uuid        NOT NULL CONSTRAINT evaluation_asn_fkey REFERENCES asn,
    period_id            uuid        NOT NULL CONSTRAINT evaluation_period_fkey REFERENCES period,
    state                text        NOT NULL DEFAULT 'draft' CONSTRAINT evaluation_state_known CHECK (state IN ('draft', 'final')),
    results_rating       text        CONSTRAINT evaluation_results_rating_known
                                     CHECK (results_rating IN ('di_atas_ekspektasi', 'sesuai_ekspektasi', 'di_bawah_ekspektasi')),
    behaviour_rating     text        CONSTRAINT evaluation_behaviour_rating_known
                                     CHECK (behaviour_rating IN ('di_atas_ekspektasi', 'sesuai_ekspektasi', 'di_bawah_ekspektasi')),
    note                 text,
    achievement          numeric,
    achievement_uncapped numeric,
    predicate            text        CONSTRAINT evaluation_predicate_known
                                     CHECK (predicate IN ('sangat_baik', 'baik', 'butuh_perbaikan', 'kurang', 'sangat_kurang')),
    predicate_number     smallint    CONSTRAINT evaluation_predicate_number_range CHECK (predicate_number BETWEEN 1 AND 5),
    inputs               jsonb,
    rule_version         text,
    inputs_sha256        text,
    finalized_at         timestamptz,
    finalized_by         text,
    version              bigint      NOT NULL DEFAULT 1,
    created_at           timestamptz NOT NULL DEFAULT now(),
    updated_at           timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT evaluation_once UNIQUE (asn_id, period_id),
    CONSTRAINT evaluation_final_is_whole CHECK (
        (state = 'final') = (num_nonnulls(achievement, achievement_uncapped, predicate, predicate_number, inputs, rule_version, inputs_sha256,
                                          finalized_at, finalized_by) = 9)
        AND (state = 'final' OR num_nonnulls(achievement, predicate, inputs, inputs_sha256) = 0))
);
CREATE INDEX evaluation_period_idx ON evaluation (period_id, id);
CREATE INDEX evaluation_state_idx ON evaluation (state, id);
CREATE INDEX evaluation_predicate_idx ON evaluation (predicate, id);
COMMENT ON TABLE evaluation IS 'Evaluation of one person in one period (SKP). A final one never changes again.';
COMMENT ON COLUMN evaluation.id IS 'UUIDv7';
COMMENT ON COLUMN evaluation.asn_id IS 'asn.id';
COMMENT ON COLUMN evaluation.period_id IS 'period.id';
COMMENT ON COLUMN evaluation.state IS 'draft or final';
COMMENT ON COLUMN evaluation.results_rating IS 'Rating hasil kerja';
COMMENT ON COLUMN evaluation.behaviour_rating IS 'Rating perilaku kerja';
COMMENT ON COLUMN evaluation.note IS 'The assessor''s note';
COMMENT ON COLUMN evaluation.achievement IS 'Weighted mean of the indicators, each capped, in percent, two decimals, half up';
COMMENT ON COLUMN evaluation.achievement_uncapped IS 'The same without caps';
COMMENT ON COLUMN evaluation.predicate IS 'Predikat kinerja, derived from the two ratings (Permenpan RB 6/2022)';
COMMENT ON COLUMN evaluation.predicate_number IS 'The same as SIASN''s kuadranKinerjaNilai, 1 … 5';
COMMENT ON COLUMN evaluation.inputs IS 'Ratings and indicators as they were when it was finalised: what verification recomputes from';
COMMENT ON COLUMN evaluation.rule_version IS 'Version of the program''s rules that derived it';
COMMENT ON COLUMN evaluation.inputs_sha256 IS 'Seal: evaluation_seal() over inputs, rules and results, hex';
COMMENT ON COLUMN evaluation.finalized_at IS 'When it was closed';
COMMENT ON COLUMN evaluation.finalized_by IS 'Owner of the key that closed it';
COMMENT ON COLUMN evaluation.version IS 'Counts changes, those of its indicators too: ETag';
COMMENT ON COLUMN evaluation.created_at IS 'When the row was made';
COMMENT ON COLUMN evaluation.updated_at IS 'Last change';

CREATE TABLE indicator (
    id                  uuid        PRIMARY KEY,
    evaluation_id       uuid        NOT NULL CONSTRAINT indicator_evaluation_fkey REFERENCES evaluation,
    position            integer     NOT NULL CONSTRAINT indicator_position_range CHECK (position BETWEEN 1 AND 1000),
    name                text        NOT NULL CONSTRAINT indicator_name_length CHECK (length(name) BETWEEN 1 AND 500),
    aspect              text        CONSTRAINT indicator_aspect_known CHECK (aspect IN ('kuantitas', 'kualitas', 'waktu', 'biaya')),
    measure             text,
    direction           text        NOT NULL CONSTRAINT indicator_direction_known
                                    CHECK (direction IN ('maximize', 'minimize', 'minimize_inverse', 'range')),
    target              numeric     NOT NULL CONSTRAINT indicator_target_range CHECK (target BETWEEN 0 AND 1e12),
    target_high         numeric,
    actual              numeric     CONSTRAINT indicator_actual_range CHECK (actual BETWEEN 0 AND 1e12),
    weight              numeric     NOT NULL CONSTRAINT indicator_weight_range CHECK (weight > 0 AND weight <= 1e12),
    cap                 numeric     CONSTRAINT indicator_cap_range CHECK (cap > 0 AND cap <= 1e12),
    zero_target_reached boolean     NOT NULL DEFAULT false,
    version             bigint      NOT NULL DEFAULT 1,
    created_at          timestamptz NOT NULL DEFAULT now(),
    updated_at          timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT indicator_position_key UNIQUE (evaluation_id, position),
    CONSTRAINT indicator_bounds CHECK (CASE WHEN direction = 'range' THEN target_high IS NOT NULL AND target_high >= target AND target_high <= 1e12
                                            ELSE target_high IS NULL END)
);
COMMENT ON TABLE indicator IS 'Indikator kinerja individu (IKI) of an evaluation.';
COMMENT ON COLUMN indicator.id IS 'UUIDv7';
COMMENT ON COLUMN indicator.evaluation_id IS 'evaluation.id';
COMMENT ON COLUMN indicator.position IS 'Order within the evaluation, 1 …';
COMMENT ON COLUMN indicator.name IS 'What is measured';
COMMENT ON COLUMN indicator.aspect IS 'Kuantitas, kualitas, waktu, biaya';
COMMENT ON COLUMN indicator.measure IS 'Unit of measure';
COMMENT ON COLUMN indicator.direction IS 'maximize R/T, minimize (2T − R)/T, minimize_inverse T/R, range between target and target_high';
COMMENT ON COLUMN indicator.target IS 'Target, or the lower bound of a range';
COMMENT ON COLUMN indicator.target_high IS 'Upper bound of a range';
COMMENT ON COLUMN indicator.actual IS 'What was reached; null: not yet known';
COMMENT ON COLUMN indicator.weight IS 'Weight beside the other indicators; any scale';
COMMENT ON COLUMN indicator.cap IS 'Percent that counts at most; null: no cap';
COMMENT ON COLUMN indicator.zero_target_reached IS 'Maximize with target 0 counts as 100';
COMMENT ON COLUMN indicator.version IS 'Counts changes: ETag';
COMMENT ON COLUMN indicator.created_at IS 'When the row was made';
COMMENT ON COLUMN indicator.updated_at IS 'Last change';

-- Everything that was derived and everything that it was derived from. jsonb text is canonical: members sorted, numbers with their digits.
CREATE FUNCTION evaluation_seal(inputs jsonb, rule_version text, achievement numeric, achievement_uncapped numeric, predicate text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN encode(sha256(convert_to(jsonb_build_array(inputs, rule_version, achievement, achievement_uncapped, predicate)::text, 'UTF8')), 'hex');
COMMENT ON FUNCTION evaluation_seal(jsonb, text, numeric, numeric, text) IS 'SHA-256 over inputs, version of the rules and results.';

CREATE FUNCTION evaluation_open() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM period p WHERE p.id = NEW.period_id AND p.is_closed;
    IF FOUND THEN
        RAISE EXCEPTION 'the period is closed' USING ERRCODE = 'P0001', CONSTRAINT = 'evaluation_period_open';
    END IF;
    RETURN NEW;
END $$;
COMMENT ON FUNCTION evaluation_open() IS 'A closed period takes no new evaluations.';

CREATE FUNCTION evaluation_freeze() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.state = 'final' THEN
        RAISE EXCEPTION 'the evaluation is final' USING ERRCODE = 'P0001', CONSTRAINT = 'evaluation_final';
    END IF;
    IF TG_OP = 'DELETE' THEN
        RETURN OLD;
    END IF;
    RETURN NEW;
END $$;
COMMENT ON FUNCTION evaluation_freeze() IS 'What is final is neither changed nor deleted.';

-- An indicator's change is a change of its evaluation: the UPDATE locks it, counts its version and is refused when it is final. So whoever
-- finalises the version that he saw has seen all indicators.
CREATE FUNCTION indicator_note() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP IN ('UPDATE', 'DELETE') THEN
        UPDATE evaluation SET updated_at = now() WHERE id = OLD.evaluation_id;
    END IF;
    IF TG_OP = 'INSERT' OR TG_OP = 'UPDATE' AND NEW.evaluation_id <> OLD.evaluation_id THEN
        UPDATE evaluation SET updated_at = now() WHERE id = NEW.evaluation_id;
    END IF;
    IF TG_OP = 'INSERT' AND NEW.position IS NULL THEN
        SELECT coalesce(max(i.position), 0) + 1 INTO NEW.position FROM indicator i WHERE i.evaluation_id = NEW.evaluation_id;
    END IF;
    IF TG_OP = 'DELETE' THEN
        RETURN OLD;
    END IF;
    RETURN NEW;
END $$;
COMMENT ON FUNCTION indicator_note() IS 'Locks and counts the evaluation; gives the next position.';

CREATE TRIGGER evaluation_10_open BEFORE INSERT ON evaluation FOR EACH ROW EXECUTE FUNCTION evaluation_open();
CREATE TRIGGER evaluation_10_freeze BEFORE UPDATE OR DELETE ON evaluation FOR EACH ROW EXECUTE FUNCTION evaluation_freeze();
CREATE FUNCTION evaluation_keep() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'evaluations are not emptied' USING ERRCODE = 'P0001', CONSTRAINT = 'evaluation_final';
END $$;
COMMENT ON FUNCTION evaluation_keep() IS 'TRUNCATE passes row triggers by; it would take what is final along.';
CREATE TRIGGER evaluation_30_keep BEFORE TRUNCATE ON evaluation FOR EACH STATEMENT EXECUTE FUNCTION evaluation_keep();
CREATE TRIGGER indicator_30_keep BEFORE TRUNCATE ON indicator FOR EACH STATEMENT EXECUTE FUNCTION evaluation_keep();
CREATE TRIGGER evaluation_20_touch BEFORE UPDATE ON evaluation FOR EACH ROW EXECUTE FUNCTION touch_row();
CREATE TRIGGER indicator_10_note BEFORE INSERT OR UPDATE OR DELETE ON indicator FOR EACH ROW EXECUTE FUNCTION indicator_note();
CREATE TRIGGER indicator_20_touch BEFORE UPDATE ON indicator FOR EACH ROW EXECUTE FUNCTION touch_row();
