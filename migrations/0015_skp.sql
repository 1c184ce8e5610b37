-- Sasaran kinerja pegawai (SKP): what is expected of a person in a year, agreed before it is judged. Permenpan RB 6/2022: results that point to
-- a result of the superior, indicators with targets, expectations of behaviour; then progress and feedback all year. See docs/skp.md.

-- ── the library ──────────────────────────────────────────────────────────────────────────────────────────────────────────

CREATE TABLE kpi (
    id            uuid        CONSTRAINT kpi_pkey PRIMARY KEY,
    code          text COLLATE "C" NOT NULL CONSTRAINT kpi_code_key UNIQUE CONSTRAINT kpi_code_length CHECK (length(code) BETWEEN 1 AND 64),
    name          text        NOT NULL CONSTRAINT kpi_name_length CHECK (length(name) BETWEEN 1 AND 500),
    position_kind text        CONSTRAINT kpi_position_kind_known CHECK (position_kind IN ('struktural', 'fungsional', 'pelaksana')),
    position      text        CONSTRAINT kpi_position_length CHECK (length(position) BETWEEN 1 AND 200),
    position_key  text COLLATE "C" GENERATED ALWAYS AS (reference_fold(position)) STORED,
    aspect        text        NOT NULL CONSTRAINT kpi_aspect_known CHECK (aspect IN ('kuantitas', 'kualitas', 'waktu', 'biaya')),
    measure       text        CONSTRAINT kpi_measure_length CHECK (length(measure) BETWEEN 1 AND 60),
    direction     text        NOT NULL CONSTRAINT kpi_direction_known CHECK (direction IN ('maximize', 'minimize', 'minimize_inverse', 'range')),
    target        numeric     CONSTRAINT kpi_target_range CHECK (target BETWEEN 0 AND 1e12),
    target_high   numeric     CONSTRAINT kpi_target_high_range CHECK (target_high BETWEEN 0 AND 1e12),
    cap           numeric     CONSTRAINT kpi_cap_range CHECK (cap > 0 AND cap <= 1e12),
    description   text        CONSTRAINT kpi_description_length CHECK (length(description) BETWEEN 1 AND 2000),
    is_active     boolean     NOT NULL DEFAULT true,
    version       bigint      NOT NULL DEFAULT 1,
    created_at    timestamptz NOT NULL DEFAULT now(),
    updated_at    timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT kpi_bounds CHECK (direction = 'range' OR target_high IS NULL)
);
CREATE INDEX kpi_position_idx ON kpi (position_kind, position_key, code);
COMMENT ON TABLE kpi IS 'Library of indicators by position. Who takes one gets a copy: a change here changes no SKP.';
COMMENT ON COLUMN kpi.id IS 'UUIDv7';
COMMENT ON COLUMN kpi.code IS 'The office''s own code of it';
COMMENT ON COLUMN kpi.name IS 'What is measured';
COMMENT ON COLUMN kpi.position_kind IS 'For which kind of position; null: any';
COMMENT ON COLUMN kpi.position IS 'For which position; null: any of the kind';
COMMENT ON COLUMN kpi.position_key IS 'The position as people are matched by it: reference_fold(position)';
COMMENT ON COLUMN kpi.aspect IS 'Kuantitas, kualitas, waktu, biaya';
COMMENT ON COLUMN kpi.measure IS 'Unit of measure';
COMMENT ON COLUMN kpi.direction IS 'Formula of the achievement, as indicator.direction';
COMMENT ON COLUMN kpi.target IS 'Usual target, or lower bound of a range; null: to be agreed each time';
COMMENT ON COLUMN kpi.target_high IS 'Usual upper bound of a range';
COMMENT ON COLUMN kpi.cap IS 'Percent that counts at most; null: no cap';
COMMENT ON COLUMN kpi.description IS 'How it is measured, from which source';
COMMENT ON COLUMN kpi.is_active IS 'An inactive one is taken by nobody any more';
COMMENT ON COLUMN kpi.version IS 'Counts changes: ETag';
COMMENT ON COLUMN kpi.created_at IS 'When the row was made';
COMMENT ON COLUMN kpi.updated_at IS 'Last change';
CREATE TRIGGER kpi_20_touch BEFORE UPDATE ON kpi FOR EACH ROW EXECUTE FUNCTION touch_row();

-- ── the plan ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

CREATE TABLE skp (
    id                uuid        CONSTRAINT skp_pkey PRIMARY KEY,
    asn_id            uuid        NOT NULL CONSTRAINT skp_asn_fkey REFERENCES asn,
    period_id         uuid        NOT NULL CONSTRAINT skp_period_fkey REFERENCES period,
    starts_on         date        NOT NULL,
    ends_on           date        NOT NULL,
    unit_id           uuid        NOT NULL CONSTRAINT skp_unit_fkey REFERENCES unit,
    position          text        CONSTRAINT skp_position_length CHECK (length(position) BETWEEN 1 AND 200),
    assessor_id       uuid        CONSTRAINT skp_assessor_fkey REFERENCES asn,
    assessor_name     text        CONSTRAINT skp_assessor_name_length CHECK (length(assessor_name) BETWEEN 1 AND 200),
    assessor_position text        CONSTRAINT skp_assessor_position_length CHECK (length(assessor_position) BETWEEN 1 AND 200),
    approach          text        NOT NULL CONSTRAINT skp_approach_known CHECK (approach IN ('kuantitatif', 'kualitatif')),
    state             text        NOT NULL DEFAULT 'draft' CONSTRAINT skp_state_known CHECK (state IN ('draft', 'proposed', 'returned', 'approved', 'ended')),
    reason            text        CONSTRAINT skp_reason_length CHECK (length(reason) BETWEEN 1 AND 2000),
    edition           integer     NOT NULL DEFAULT 0,
    approved_at       timestamptz,
    approved_by       text,
    version           bigint      NOT NULL DEFAULT 1,
    created_at        timestamptz NOT NULL DEFAULT now(),
    updated_at        timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT skp_days CHECK (starts_on <= ends_on),
    CONSTRAINT skp_assessor_other CHECK (assessor_id <> asn_id),
    CONSTRAINT skp_assessor_one CHECK (num_nonnulls(assessor_id, assessor_name) = 1 AND (assessor_id IS NULL OR assessor_position IS NULL)),
    CONSTRAINT skp_approval CHECK (state NOT IN ('approved', 'ended') OR approved_at IS NOT NULL),
    CONSTRAINT skp_no_overlap EXCLUDE USING gist (asn_id WITH =, daterange(starts_on, ends_on, '[]') WITH &&)
);
CREATE INDEX skp_period_idx ON skp (period_id, id);
CREATE INDEX skp_state_idx ON skp (state, id);
CREATE INDEX skp_asn_idx ON skp (asn_id, id);
CREATE INDEX skp_assessor_idx ON skp (assessor_id, period_id, id);
CREATE INDEX skp_unit_idx ON skp (unit_id);
COMMENT ON TABLE skp IS 'SKP of a person in a year and in a post; after a move to another post a new one (Permenpan RB 8/2021, annex).';
COMMENT ON COLUMN skp.id IS 'UUIDv7';
COMMENT ON COLUMN skp.asn_id IS 'asn.id: whose';
COMMENT ON COLUMN skp.period_id IS 'period.id of a yearly period';
COMMENT ON COLUMN skp.starts_on IS 'First day, within the period';
COMMENT ON COLUMN skp.ends_on IS 'Last day, within the period';
COMMENT ON COLUMN skp.unit_id IS 'unit.id where the person stood when it was made';
COMMENT ON COLUMN skp.position IS 'The post then; null: none was known';
COMMENT ON COLUMN skp.assessor_id IS 'asn.id of the pejabat penilai kinerja; null: no civil servant';
COMMENT ON COLUMN skp.assessor_name IS 'Name of an assessor who is no civil servant of ours, such as the Bupati';
COMMENT ON COLUMN skp.assessor_position IS 'Post of such an assessor';
COMMENT ON COLUMN skp.approach IS 'kuantitatif: aspects and targets; kualitatif: success in words. Person and assessor choose one';
COMMENT ON COLUMN skp.state IS 'draft, proposed, returned, approved; ended: it holds no longer, since the person moved on';
COMMENT ON COLUMN skp.reason IS 'Why it was returned, reopened or ended';
COMMENT ON COLUMN skp.edition IS 'How often it was approved; each is kept in skp_edition';
COMMENT ON COLUMN skp.approved_at IS 'When it was approved last';
COMMENT ON COLUMN skp.approved_by IS 'Owner of the key that approved it';
COMMENT ON COLUMN skp.version IS 'Counts changes, those of its parts too: ETag';
COMMENT ON COLUMN skp.created_at IS 'When the row was made';
COMMENT ON COLUMN skp.updated_at IS 'Last change';

CREATE TABLE skp_edition (
    skp_id      uuid        NOT NULL CONSTRAINT skp_edition_skp_fkey REFERENCES skp,
    edition     integer     NOT NULL,
    document    jsonb       NOT NULL,
    sha256      text        NOT NULL,
    approved_at timestamptz NOT NULL,
    approved_by text        NOT NULL,
    CONSTRAINT skp_edition_pkey PRIMARY KEY (skp_id, edition)
);
COMMENT ON TABLE skp_edition IS 'Each SKP as it was approved. Never changed.';
COMMENT ON COLUMN skp_edition.skp_id IS 'skp.id';
COMMENT ON COLUMN skp_edition.edition IS '1, 2, …';
COMMENT ON COLUMN skp_edition.document IS 'skp_document() at that moment';
COMMENT ON COLUMN skp_edition.sha256 IS 'Over the canonical text of the document, hex';
COMMENT ON COLUMN skp_edition.approved_at IS 'When';
COMMENT ON COLUMN skp_edition.approved_by IS 'Owner of the key';

CREATE TABLE skp_result (
    id                 uuid        CONSTRAINT skp_result_pkey PRIMARY KEY,
    skp_id             uuid        NOT NULL CONSTRAINT skp_result_skp_fkey REFERENCES skp ON DELETE CASCADE,
    kind               text        NOT NULL CONSTRAINT skp_result_kind_known CHECK (kind IN ('utama', 'tambahan')),
    position           integer     NOT NULL CONSTRAINT skp_result_position_range CHECK (position BETWEEN 1 AND 1000),
    name               text        NOT NULL CONSTRAINT skp_result_name_length CHECK (length(name) BETWEEN 1 AND 500),
    superior_result_id uuid        CONSTRAINT skp_result_superior_fkey REFERENCES skp_result ON DELETE SET NULL,
    cascade            text        CONSTRAINT skp_result_cascade_known CHECK (cascade IN ('langsung', 'tidak_langsung')),
    perspective        text        CONSTRAINT skp_result_perspective_known
                                   CHECK (perspective IN ('penerima_layanan', 'proses_bisnis', 'penguatan_internal', 'anggaran')),
    version            bigint      NOT NULL DEFAULT 1,
    created_at         timestamptz NOT NULL DEFAULT now(),
    updated_at         timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT skp_result_position_key UNIQUE (skp_id, position),
    CONSTRAINT skp_result_cascade_of CHECK (superior_result_id IS NOT NULL OR cascade IS NULL)
);
CREATE INDEX skp_result_superior_idx ON skp_result (superior_result_id) WHERE superior_result_id IS NOT NULL;
COMMENT ON TABLE skp_result IS 'Rencana hasil kerja (RHK) of an SKP.';
COMMENT ON COLUMN skp_result.id IS 'UUIDv7';
COMMENT ON COLUMN skp_result.skp_id IS 'skp.id';
COMMENT ON COLUMN skp_result.kind IS 'utama or tambahan';
COMMENT ON COLUMN skp_result.position IS 'Order within the SKP, 1 …';
COMMENT ON COLUMN skp_result.name IS 'The result';
COMMENT ON COLUMN skp_result.superior_result_id IS 'skp_result.id of the assessor''s result that it serves (rencana hasil kerja pimpinan yang diintervensi)';
COMMENT ON COLUMN skp_result.cascade IS 'langsung: the same indicator handed down; tidak_langsung: another that contributes';
COMMENT ON COLUMN skp_result.perspective IS 'Perspektif in the SKP of a JPT';
COMMENT ON COLUMN skp_result.version IS 'Counts changes: ETag';
COMMENT ON COLUMN skp_result.created_at IS 'When the row was made';
COMMENT ON COLUMN skp_result.updated_at IS 'Last change';

CREATE TABLE skp_indicator (
    id          uuid        CONSTRAINT skp_indicator_pkey PRIMARY KEY,
    skp_id      uuid        NOT NULL CONSTRAINT skp_indicator_skp_fkey REFERENCES skp ON DELETE CASCADE,
    result_id   uuid        NOT NULL CONSTRAINT skp_indicator_result_fkey REFERENCES skp_result ON DELETE CASCADE,
    position    integer     NOT NULL CONSTRAINT skp_indicator_position_range CHECK (position BETWEEN 1 AND 1000),
    name        text        NOT NULL CONSTRAINT skp_indicator_name_length CHECK (length(name) BETWEEN 1 AND 500),
    aspect      text        CONSTRAINT skp_indicator_aspect_known CHECK (aspect IN ('kuantitas', 'kualitas', 'waktu', 'biaya')),
    measure     text        CONSTRAINT skp_indicator_measure_length CHECK (length(measure) BETWEEN 1 AND 60),
    direction   text        CONSTRAINT skp_indicator_direction_known CHECK (direction IN ('maximize', 'minimize', 'minimize_inverse', 'range')),
    target      numeric     CONSTRAINT skp_indicator_target_range CHECK (target BETWEEN 0 AND 1e12),
    target_high numeric     CONSTRAINT skp_indicator_target_high_range CHECK (target_high BETWEEN 0 AND 1e12),
    weight      numeric     NOT NULL DEFAULT 1 CONSTRAINT skp_indicator_weight_range CHECK (weight > 0 AND weight <= 1e12),
    cap         numeric     CONSTRAINT skp_indicator_cap_range CHECK (cap > 0 AND cap <= 1e12),
    success     text        CONSTRAINT skp_indicator_success_length CHECK (length(success) BETWEEN 1 AND 2000),
    kpi_id      uuid        CONSTRAINT skp_indicator_kpi_fkey REFERENCES kpi,
    version     bigint      NOT NULL DEFAULT 1,
    created_at  timestamptz NOT NULL DEFAULT now(),
    updated_at  timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT skp_indicator_position_key UNIQUE (skp_id, position),
    CONSTRAINT skp_indicator_bounds CHECK (CASE WHEN direction = 'range' THEN target_high >= target IS NOT FALSE ELSE target_high IS NULL END)
);
CREATE INDEX skp_indicator_result_idx ON skp_indicator (result_id);
CREATE INDEX skp_indicator_kpi_idx ON skp_indicator (kpi_id) WHERE kpi_id IS NOT NULL;
COMMENT ON TABLE skp_indicator IS 'Indikator kinerja individu (IKI) of a result.';
COMMENT ON COLUMN skp_indicator.id IS 'UUIDv7';
COMMENT ON COLUMN skp_indicator.skp_id IS 'skp.id, that of the result';
COMMENT ON COLUMN skp_indicator.result_id IS 'skp_result.id';
COMMENT ON COLUMN skp_indicator.position IS 'Order within the SKP, 1 …';
COMMENT ON COLUMN skp_indicator.name IS 'What is measured';
COMMENT ON COLUMN skp_indicator.aspect IS 'Kuantitas, kualitas, waktu, biaya; null in the qualitative approach';
COMMENT ON COLUMN skp_indicator.measure IS 'Unit of measure';
COMMENT ON COLUMN skp_indicator.direction IS 'Formula of the achievement, as indicator.direction; null in the qualitative approach';
COMMENT ON COLUMN skp_indicator.target IS 'Target, or the lower bound of a range';
COMMENT ON COLUMN skp_indicator.target_high IS 'Upper bound of a range';
COMMENT ON COLUMN skp_indicator.weight IS 'Weight beside the other indicators; the regulation has none, equal ones give the plain mean';
COMMENT ON COLUMN skp_indicator.cap IS 'Percent that counts at most; null: no cap';
COMMENT ON COLUMN skp_indicator.success IS 'Ukuran keberhasilan in words: the target of the qualitative approach';
COMMENT ON COLUMN skp_indicator.kpi_id IS 'kpi.id that it was copied from';
COMMENT ON COLUMN skp_indicator.version IS 'Counts changes: ETag';
COMMENT ON COLUMN skp_indicator.created_at IS 'When the row was made';
COMMENT ON COLUMN skp_indicator.updated_at IS 'Last change';

CREATE TABLE skp_behaviour (
    skp_id      uuid NOT NULL CONSTRAINT skp_behaviour_skp_fkey REFERENCES skp ON DELETE CASCADE,
    value       text NOT NULL CONSTRAINT skp_behaviour_value_known CHECK (value IN ('berorientasi_pelayanan', 'akuntabel', 'kompeten', 'harmonis',
                    'loyal', 'adaptif', 'kolaboratif')),
    expectation text NOT NULL CONSTRAINT skp_behaviour_expectation_length CHECK (length(expectation) BETWEEN 1 AND 2000),
    CONSTRAINT skp_behaviour_pkey PRIMARY KEY (skp_id, value)
);
COMMENT ON TABLE skp_behaviour IS 'Ekspektasi khusus pimpinan for a BerAKHLAK value (Permenpan RB 6/2022).';
COMMENT ON COLUMN skp_behaviour.skp_id IS 'skp.id';
COMMENT ON COLUMN skp_behaviour.value IS 'Which of the seven values';
COMMENT ON COLUMN skp_behaviour.expectation IS 'What the leader expects';

CREATE FUNCTION skp_document(which uuid) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (SELECT jsonb_build_object('skp_id', s.id, 'period_id', s.period_id, 'starts_on', s.starts_on, 'ends_on', s.ends_on, 'unit_id', s.unit_id,
                       'position', s.position, 'assessor_id', s.assessor_id, 'assessor_name', s.assessor_name, 'assessor_position', s.assessor_position,
                       'approach', s.approach,
                       'results', coalesce((SELECT jsonb_agg(jsonb_build_object('id', r.id, 'kind', r.kind, 'position', r.position, 'name', r.name,
                                                'superior_result_id', r.superior_result_id, 'cascade', r.cascade, 'perspective', r.perspective,
                                                'indicators', coalesce((SELECT jsonb_agg(jsonb_build_object('id', i.id, 'position', i.position,
                                                        'name', i.name, 'aspect', i.aspect, 'measure', i.measure, 'direction', i.direction,
                                                        'target', i.target, 'target_high', i.target_high, 'weight', i.weight, 'cap', i.cap,
                                                        'success', i.success, 'kpi_id', i.kpi_id) ORDER BY i.position)
                                                    FROM skp_indicator i WHERE i.result_id = r.id), '[]')) ORDER BY r.position)
                                            FROM skp_result r WHERE r.skp_id = s.id), '[]'),
                       'behaviours', coalesce((SELECT jsonb_object_agg(b.value, b.expectation) FROM skp_behaviour b WHERE b.skp_id = s.id), '{}'))
            FROM   skp s WHERE s.id = which);
END $$;
COMMENT ON FUNCTION skp_document(uuid) IS 'The whole SKP as one document: what an approval keeps.';

-- ── what the database holds ──────────────────────────────────────────────────────────────────────────────────────────────

CREATE FUNCTION skp_enter() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
    p period;
BEGIN
    SELECT * INTO p FROM period WHERE id = NEW.period_id FOR SHARE;
    IF p.kind <> 'tahunan' THEN
        RAISE EXCEPTION 'an SKP is made for a year' USING ERRCODE = 'P0001', CONSTRAINT = 'skp_period_yearly';
    END IF;
    IF TG_OP = 'INSERT' AND p.is_closed THEN
        RAISE EXCEPTION 'the period is closed' USING ERRCODE = 'P0001', CONSTRAINT = 'evaluation_period_open';
    END IF;
    NEW.starts_on := coalesce(NEW.starts_on, p.starts_on);
    NEW.ends_on := coalesce(NEW.ends_on, p.ends_on);
    IF NEW.starts_on < p.starts_on OR NEW.ends_on > p.ends_on THEN
        RAISE EXCEPTION 'outside of the period' USING ERRCODE = 'P0001', CONSTRAINT = 'skp_days_of_period';
    END IF;
    RETURN NEW;
END $$;
COMMENT ON FUNCTION skp_enter() IS 'An SKP lies within a yearly period that takes new ones; days that were not told are the period''s.';

CREATE FUNCTION skp_may_become(state text, next text) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN (state, next) IN (('draft', 'proposed'), ('returned', 'proposed'), ('proposed', 'returned'), ('proposed', 'approved'), ('approved', 'returned'),
                         ('approved', 'ended'));
COMMENT ON FUNCTION skp_may_become(text, text) IS 'The order of states of an SKP.';

CREATE FUNCTION skp_step() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        IF OLD.edition > 0 OR OLD.state = 'proposed' THEN
            RAISE EXCEPTION 'it was approved once, or is being looked at' USING ERRCODE = 'P0001', CONSTRAINT = 'skp_fixed';
        END IF;
        RETURN OLD;
    END IF;
    IF is_merging() AND to_jsonb(NEW) - '{asn_id,assessor_id}'::text[] = to_jsonb(OLD) - '{asn_id,assessor_id}'::text[] THEN
        RETURN NEW;
    END IF;
    IF (NEW.id, NEW.asn_id, NEW.period_id) IS DISTINCT FROM (OLD.id, OLD.asn_id, OLD.period_id) THEN
        RAISE EXCEPTION 'whose it is and of which year is for ever' USING ERRCODE = 'P0001', CONSTRAINT = 'skp_fixed';
    END IF;
    IF NEW.state <> OLD.state THEN
        IF NOT skp_may_become(OLD.state, NEW.state) THEN
            RAISE EXCEPTION 'not from this state' USING ERRCODE = 'P0001', CONSTRAINT = 'skp_state_order';
        END IF;
    ELSIF OLD.state NOT IN ('draft', 'returned') THEN
        RAISE EXCEPTION 'it is proposed or approved' USING ERRCODE = 'P0001', CONSTRAINT = 'skp_fixed';
    END IF;
    RETURN NEW;
END $$;
COMMENT ON FUNCTION skp_step() IS 'States go their order; what is proposed or approved is not changed, but by a merge of its people; what was approved once is not deleted.';

-- A part's change is a change of its SKP: the UPDATE locks it, counts its version and is refused when it is proposed or approved.
CREATE FUNCTION skp_part() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP IN ('UPDATE', 'DELETE') THEN
        UPDATE skp SET updated_at = now() WHERE id = OLD.skp_id;
    END IF;
    IF TG_OP = 'INSERT' THEN
        UPDATE skp SET updated_at = now() WHERE id = NEW.skp_id;
        IF TG_TABLE_NAME = 'skp_result' THEN
            NEW.position := coalesce(NEW.position, (SELECT coalesce(max(r.position), 0) + 1 FROM skp_result r WHERE r.skp_id = NEW.skp_id));
        ELSIF TG_TABLE_NAME = 'skp_indicator' THEN
            NEW.position := coalesce(NEW.position, (SELECT coalesce(max(i.position), 0) + 1 FROM skp_indicator i WHERE i.skp_id = NEW.skp_id));
        END IF;
    END IF;
    RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
END $$;
COMMENT ON FUNCTION skp_part() IS 'Locks and counts the SKP; gives the next position.';

-- The superior's result is one of the assessor's own, of the same year; so no chain can come back to where it began but by way of assessors who
-- assess each other, which the trigger looks for.
CREATE FUNCTION skp_result_serves() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.superior_result_id IS NULL OR TG_OP = 'UPDATE' AND NEW.superior_result_id IS NOT DISTINCT FROM OLD.superior_result_id THEN
        RETURN NEW;
    END IF;
    PERFORM FROM skp_result r JOIN skp above ON above.id = r.skp_id JOIN skp own ON own.id = NEW.skp_id
    WHERE  r.id = NEW.superior_result_id AND above.asn_id = own.assessor_id AND above.period_id = own.period_id;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'not a result of the assessor in this year' USING ERRCODE = 'P0001', CONSTRAINT = 'skp_result_superior';
    END IF;
    IF EXISTS (WITH RECURSIVE up AS (
                   SELECT r.id, r.superior_result_id FROM skp_result r WHERE r.id = NEW.superior_result_id
                   UNION
                   SELECT r.id, r.superior_result_id FROM up JOIN skp_result r ON r.id = up.superior_result_id)
               SELECT FROM up WHERE up.id = NEW.id) THEN
        RAISE EXCEPTION 'a result serves itself' USING ERRCODE = 'P0001', CONSTRAINT = 'skp_result_superior';
    END IF;
    RETURN NEW;
END $$;
COMMENT ON FUNCTION skp_result_serves() IS 'A result serves one of the assessor''s results of the same year, and never itself.';

CREATE FUNCTION skp_edition_keep() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'what was approved stays' USING ERRCODE = 'P0001', CONSTRAINT = 'skp_fixed';
END $$;
COMMENT ON FUNCTION skp_edition_keep() IS 'Editions are neither changed nor deleted.';

CREATE TRIGGER skp_10_enter BEFORE INSERT OR UPDATE OF starts_on, ends_on ON skp FOR EACH ROW EXECUTE FUNCTION skp_enter();
CREATE TRIGGER skp_15_step BEFORE UPDATE OR DELETE ON skp FOR EACH ROW EXECUTE FUNCTION skp_step();
CREATE TRIGGER skp_20_touch BEFORE UPDATE ON skp FOR EACH ROW EXECUTE FUNCTION touch_row();
CREATE TRIGGER skp_result_10_part BEFORE INSERT OR UPDATE OR DELETE ON skp_result FOR EACH ROW EXECUTE FUNCTION skp_part();
CREATE TRIGGER skp_result_15_serves BEFORE INSERT OR UPDATE OF superior_result_id ON skp_result FOR EACH ROW EXECUTE FUNCTION skp_result_serves();
CREATE TRIGGER skp_result_20_touch BEFORE UPDATE ON skp_result FOR EACH ROW EXECUTE FUNCTION touch_row();
CREATE TRIGGER skp_indicator_10_part BEFORE INSERT OR UPDATE OR DELETE ON skp_indicator FOR EACH ROW EXECUTE FUNCTION skp_part();
CREATE TRIGGER skp_indicator_20_touch BEFORE UPDATE ON skp_indicator FOR EACH ROW EXECUTE FUNCTION touch_row();
CREATE TRIGGER skp_behaviour_10_part BEFORE INSERT OR UPDATE OR DELETE ON skp_behaviour FOR EACH ROW EXECUTE FUNCTION skp_part();
CREATE TRIGGER skp_edition_10_keep BEFORE UPDATE OR DELETE ON skp_edition FOR EACH ROW EXECUTE FUNCTION skp_edition_keep();
CREATE TRIGGER skp_edition_30_keep BEFORE TRUNCATE ON skp_edition FOR EACH STATEMENT EXECUTE FUNCTION skp_edition_keep();

CREATE TYPE skp_gap AS (pointer text, code text);
COMMENT ON TYPE skp_gap IS 'What an SKP still lacks, and where.';

CREATE FUNCTION skp_gaps(which uuid) RETURNS SETOF skp_gap
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN QUERY
    SELECT w.pointer, w.code
    FROM  (SELECT '/results' AS pointer, 'result-none' AS code, 0 AS place, 0 AS part
           WHERE NOT EXISTS (SELECT FROM skp_result r WHERE r.skp_id = which AND r.kind = 'utama')
           UNION ALL
           SELECT format('/results/%s/superior_result_id', r.position), 'superior-result-missing', r.position, 0
           FROM   skp_result r JOIN skp s ON s.id = r.skp_id
           WHERE  s.id = which AND r.kind = 'utama' AND r.superior_result_id IS NULL AND s.assessor_id IS NOT NULL
           UNION ALL
           SELECT format('/results/%s/indicators', r.position), 'indicator-none', r.position, 0
           FROM   skp_result r
           WHERE  r.skp_id = which AND NOT EXISTS (SELECT FROM skp_indicator i WHERE i.result_id = r.id)
           UNION ALL
           SELECT format('/indicators/%s/%s', i.position, m.member), 'missing', 1000 + i.position, m.ordinality::integer
           FROM   skp_indicator i JOIN skp s ON s.id = i.skp_id
           CROSS  JOIN LATERAL (SELECT v.member, v.ordinality
                                FROM   unnest(CASE s.approach WHEN 'kuantitatif' THEN '{aspect,direction,target,target_high}'::text[] ELSE '{success}' END)
                                       WITH ORDINALITY AS v (member, ordinality)
                                WHERE  CASE v.member WHEN 'aspect' THEN i.aspect IS NULL WHEN 'direction' THEN i.direction IS NULL
                                                     WHEN 'target' THEN i.target IS NULL
                                                     WHEN 'target_high' THEN i.direction = 'range' AND i.target_high IS NULL
                                                     ELSE i.success IS NULL END) m
           WHERE  i.skp_id = which) w
    ORDER  BY w.place, w.part;
END $$;
COMMENT ON FUNCTION skp_gaps(uuid) IS
    'What must be there before an SKP is proposed (Permenpan RB 6/2022): a main result; the assessor''s result that each serves, unless the assessor is no civil '
    'servant; an indicator a result; by approach its aspect, formula and target, or its success in words. Expectations of behaviour may be absent.';

-- ── all year ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

CREATE TABLE skp_progress (
    id           uuid        CONSTRAINT skp_progress_pkey PRIMARY KEY,
    skp_id       uuid        NOT NULL CONSTRAINT skp_progress_skp_fkey REFERENCES skp,
    indicator_id uuid        NOT NULL CONSTRAINT skp_progress_indicator_fkey REFERENCES skp_indicator,
    day          date        NOT NULL CONSTRAINT skp_progress_day_range CHECK (day BETWEEN '1900-01-01' AND '2099-12-31'),
    value        numeric     CONSTRAINT skp_progress_value_range CHECK (value BETWEEN 0 AND 1e12),
    note         text        CONSTRAINT skp_progress_note_length CHECK (length(note) BETWEEN 1 AND 2000),
    evidence     text        CONSTRAINT skp_progress_evidence_length CHECK (length(evidence) BETWEEN 1 AND 500),
    source       text        NOT NULL DEFAULT 'manual' CONSTRAINT skp_progress_source_known CHECK (source IN ('manual', 'service', 'training', 'attendance', 'posted')),
    corrects     uuid        CONSTRAINT skp_progress_corrects_key UNIQUE CONSTRAINT skp_progress_corrects_fkey REFERENCES skp_progress,
    actor_key    uuid        NOT NULL,
    actor_name   text        NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT skp_progress_says CHECK (num_nonnulls(value, note) > 0)
);
CREATE INDEX skp_progress_skp_idx ON skp_progress (skp_id, id);
CREATE INDEX skp_progress_indicator_idx ON skp_progress (indicator_id, day DESC, id DESC);
COMMENT ON TABLE skp_progress IS 'What was reached by a day, with its evidence. Only added to: who errs corrects by a new entry.';
COMMENT ON COLUMN skp_progress.id IS 'UUIDv7';
COMMENT ON COLUMN skp_progress.skp_id IS 'skp.id, that of the indicator';
COMMENT ON COLUMN skp_progress.indicator_id IS 'skp_indicator.id';
COMMENT ON COLUMN skp_progress.day IS 'As of this day';
COMMENT ON COLUMN skp_progress.value IS 'Realisation so far: the whole, not what was added; null: only words';
COMMENT ON COLUMN skp_progress.note IS 'In words';
COMMENT ON COLUMN skp_progress.evidence IS 'Number or address of the evidence (bukti dukung)';
COMMENT ON COLUMN skp_progress.source IS 'Where the number comes from';
COMMENT ON COLUMN skp_progress.corrects IS 'skp_progress.id of the entry that this one replaces';
COMMENT ON COLUMN skp_progress.actor_key IS 'api_key.id of who wrote it';
COMMENT ON COLUMN skp_progress.actor_name IS 'Name of that key then';
COMMENT ON COLUMN skp_progress.created_at IS 'When';

CREATE VIEW skp_progress_holds AS
SELECT p.* FROM skp_progress p WHERE NOT EXISTS (SELECT FROM skp_progress c WHERE c.corrects = p.id);
COMMENT ON VIEW skp_progress_holds IS 'Entries of progress that no other corrects.';

CREATE TABLE skp_feedback (
    id         uuid        CONSTRAINT skp_feedback_pkey PRIMARY KEY,
    skp_id     uuid        NOT NULL CONSTRAINT skp_feedback_skp_fkey REFERENCES skp,
    result_id  uuid        CONSTRAINT skp_feedback_result_fkey REFERENCES skp_result ON DELETE SET NULL,
    value      text        CONSTRAINT skp_feedback_value_known CHECK (value IN ('berorientasi_pelayanan', 'akuntabel', 'kompeten', 'harmonis', 'loyal',
                               'adaptif', 'kolaboratif')),
    kind       text        NOT NULL CONSTRAINT skp_feedback_kind_known CHECK (kind IN ('umpan_balik', 'bimbingan', 'konseling')),
    giver      text        NOT NULL CONSTRAINT skp_feedback_giver_known CHECK (giver IN ('penilai', 'pegawai', 'rekan', 'bawahan')),
    day        date        NOT NULL CONSTRAINT skp_feedback_day_range CHECK (day BETWEEN '1900-01-01' AND '2099-12-31'),
    text       text        NOT NULL CONSTRAINT skp_feedback_text_length CHECK (length(text) BETWEEN 1 AND 4000),
    agreed     text        CONSTRAINT skp_feedback_agreed_length CHECK (length(agreed) BETWEEN 1 AND 2000),
    actor_key  uuid        NOT NULL,
    actor_name text        NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX skp_feedback_skp_idx ON skp_feedback (skp_id, id);
COMMENT ON TABLE skp_feedback IS 'Umpan balik berkelanjutan, bimbingan kinerja and konseling, in both directions. Only added to.';
COMMENT ON COLUMN skp_feedback.id IS 'UUIDv7';
COMMENT ON COLUMN skp_feedback.skp_id IS 'skp.id';
COMMENT ON COLUMN skp_feedback.result_id IS 'skp_result.id that it is about';
COMMENT ON COLUMN skp_feedback.value IS 'BerAKHLAK value that it is about';
COMMENT ON COLUMN skp_feedback.kind IS 'umpan_balik (feedback), bimbingan (coaching) or konseling (counselling)';
COMMENT ON COLUMN skp_feedback.giver IS 'Who speaks: penilai (assessor), pegawai (the person), rekan (peer), bawahan (subordinate)';
COMMENT ON COLUMN skp_feedback.day IS 'When it was said';
COMMENT ON COLUMN skp_feedback.text IS 'What was said';
COMMENT ON COLUMN skp_feedback.agreed IS 'What was agreed to do';
COMMENT ON COLUMN skp_feedback.actor_key IS 'api_key.id of who wrote it';
COMMENT ON COLUMN skp_feedback.actor_name IS 'Name of that key then';
COMMENT ON COLUMN skp_feedback.created_at IS 'When it was written';

CREATE FUNCTION skp_year_open() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
    s skp;
BEGIN
    SELECT * INTO s FROM skp WHERE id = NEW.skp_id FOR SHARE;
    IF s.state NOT IN ('approved', 'ended') THEN
        RAISE EXCEPTION 'nothing is agreed yet' USING ERRCODE = 'P0001', CONSTRAINT = 'skp_agreed';
    END IF;
    IF NEW.day < s.starts_on OR NEW.day > local_today() THEN
        RAISE EXCEPTION 'not a day of the SKP that has been' USING ERRCODE = 'P0001', CONSTRAINT = 'skp_progress_days';
    END IF;
    RETURN NEW;
END $$;
COMMENT ON FUNCTION skp_year_open() IS 'Progress belongs to an SKP that was approved, and to a day that has been.';

CREATE FUNCTION skp_said_keep() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'what was said stays' USING ERRCODE = 'P0001', CONSTRAINT = 'skp_fixed';
END $$;
COMMENT ON FUNCTION skp_said_keep() IS 'Entries of progress and feedback are only added.';
CREATE TRIGGER skp_progress_10_open BEFORE INSERT ON skp_progress FOR EACH ROW EXECUTE FUNCTION skp_year_open();
CREATE TRIGGER skp_progress_30_keep BEFORE UPDATE OR DELETE ON skp_progress FOR EACH ROW EXECUTE FUNCTION skp_said_keep();
CREATE TRIGGER skp_feedback_30_keep BEFORE UPDATE OF skp_id, value, kind, giver, day, text, agreed, actor_key OR DELETE ON skp_feedback
    FOR EACH ROW EXECUTE FUNCTION skp_said_keep();

-- ── from the plan to the evaluation ──────────────────────────────────────────────────────────────────────────────────────

ALTER TABLE indicator ADD COLUMN skp_indicator_id uuid CONSTRAINT indicator_skp_indicator_fkey REFERENCES skp_indicator;
CREATE UNIQUE INDEX indicator_skp_indicator_key ON indicator (evaluation_id, skp_indicator_id) WHERE skp_indicator_id IS NOT NULL;
CREATE INDEX indicator_skp_indicator_idx ON indicator (skp_indicator_id) WHERE skp_indicator_id IS NOT NULL;
COMMENT ON COLUMN indicator.skp_indicator_id IS 'skp_indicator.id that it was copied from; null: entered by hand';

-- Where its parts are copied the evaluation is locked first, as finalising does.
CREATE FUNCTION evaluation_fill(which uuid) RETURNS TABLE (copied integer, refreshed integer)
LANGUAGE plpgsql AS $$
DECLARE
    e  evaluation;
    p  period;
BEGIN
    SELECT * INTO e FROM evaluation WHERE id = which FOR UPDATE;
    SELECT * INTO p FROM period WHERE id = e.period_id;
    WITH planned AS (
        SELECT i.*, (SELECT h.value FROM skp_progress_holds h
                     WHERE  h.indicator_id = i.id AND h.value IS NOT NULL AND h.day <= least(p.ends_on, s.ends_on)
                     ORDER  BY h.day DESC, h.id DESC LIMIT 1) AS reached,
               row_number() OVER (ORDER BY s.starts_on, i.position) AS nth
        FROM   skp s JOIN skp_indicator i ON i.skp_id = s.id
        WHERE  s.asn_id = e.asn_id AND s.state IN ('approved', 'ended') AND s.approach = 'kuantitatif'
               AND s.starts_on <= p.ends_on AND s.ends_on >= p.starts_on
    ), known AS (
        UPDATE indicator n
        SET    actual = l.reached
        FROM   planned l
        WHERE  n.evaluation_id = which AND n.skp_indicator_id = l.id AND n.actual IS DISTINCT FROM l.reached AND l.reached IS NOT NULL
        RETURNING n.id
    ), made AS (
        INSERT INTO indicator (id, evaluation_id, position, name, aspect, measure, direction, target, target_high, actual, weight, cap, skp_indicator_id)
        SELECT uuid_v7(), which, (SELECT coalesce(max(m.position), 0) FROM indicator m WHERE m.evaluation_id = which) + (row_number() OVER (ORDER BY l.nth))::integer,
               l.name, l.aspect, l.measure, l.direction, l.target, l.target_high, l.reached, l.weight, l.cap, l.id
        FROM   planned l
        WHERE  NOT EXISTS (SELECT FROM indicator n WHERE n.evaluation_id = which AND n.skp_indicator_id = l.id)
        RETURNING id
    )
    SELECT (SELECT count(*) FROM made), (SELECT count(*) FROM known) INTO copied, refreshed;
    RETURN NEXT;
END $$;
COMMENT ON FUNCTION evaluation_fill(uuid) IS
    'Copies the indicators of the person''s approved SKPs that touch the period into the evaluation, once each, and brings their actual values up to the last '
    'progress by the period''s end. How many were copied, and how many values changed.';

ALTER TABLE change DROP CONSTRAINT change_entity_known;
ALTER TABLE change ADD CONSTRAINT change_entity_known
    CHECK (entity IN ('unit', 'asn', 'history', 'programme', 'session', 'enrolment', 'period', 'evaluation', 'skp'));
CREATE OR REPLACE FUNCTION change_entities(scopes text[]) RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN scope_held(scopes, 'unit.read') THEN '{unit}'::text[] ELSE '{}' END
    || CASE WHEN scope_held(scopes, 'asn.read') THEN '{asn,history}'::text[] ELSE '{}' END
    || CASE WHEN scope_held(scopes, 'training.read') THEN '{programme,session,enrolment}'::text[] ELSE '{}' END
    || CASE WHEN scope_held(scopes, 'performance.read') THEN '{period,evaluation,skp}'::text[] ELSE '{}' END;
CREATE TRIGGER skp_35_change_insert AFTER INSERT ON skp REFERENCING NEW TABLE AS entered FOR EACH STATEMENT EXECUTE FUNCTION change_note();
CREATE TRIGGER skp_35_change_update AFTER UPDATE ON skp REFERENCING NEW TABLE AS entered OLD TABLE AS departed
    FOR EACH STATEMENT EXECUTE FUNCTION change_note();
CREATE TRIGGER skp_35_change_delete AFTER DELETE ON skp REFERENCING OLD TABLE AS departed FOR EACH STATEMENT EXECUTE FUNCTION change_note_gone();

-- ── acting ───────────────────────────────────────────────────────────────────────────────────────────────────────────────

CREATE FUNCTION skp_seal(document jsonb) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN encode(sha256(convert_to(document::text, 'UTF8')), 'hex');
COMMENT ON FUNCTION skp_seal(jsonb) IS 'SHA-256 over the canonical text of a document, hex.';

CREATE VIEW skp_entry AS
SELECT s.id, a.nip, a.name, s.period_id, s.starts_on, s.ends_on, s.unit_id, s.position, n.nip AS assessor_nip,
       coalesce(n.name, s.assessor_name) AS assessor_name, s.assessor_position, s.approach, s.state, s.reason, s.edition, s.approved_at, s.approved_by,
       s.version, s.created_at, s.updated_at
FROM   skp s
JOIN   asn a ON a.id = s.asn_id
LEFT   JOIN asn n ON n.id = s.assessor_id;
COMMENT ON VIEW skp_entry IS 'SKPs as the API shows them.';

CREATE FUNCTION skp_act(which uuid, units ltree[], seen int8multirange, next text, why text, last_day date, by_name text)
RETURNS TABLE (problem text, pointer text, entry skp_entry)
LANGUAGE plpgsql AS $$
DECLARE
    s   skp;
    gap skp_gap;
    doc jsonb;
BEGIN
    SELECT k.* INTO s FROM skp k JOIN asn a ON a.id = k.asn_id JOIN unit u ON u.id = a.unit_id
    WHERE  k.id = which AND u.path <@ ANY (units)
    FOR    UPDATE OF k;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    IF NOT seen @> s.version THEN
        problem := 'version-stale';
    ELSIF NOT skp_may_become(s.state, next) THEN
        problem := 'skp-state';
    ELSIF next = 'ended' AND NOT last_day BETWEEN s.starts_on AND s.ends_on THEN
        problem := 'skp-days';
        pointer := '/on';
    ELSIF next IN ('proposed', 'approved') THEN
        SELECT g.* INTO gap FROM skp_gaps(s.id) g LIMIT 1;
        IF FOUND THEN
            problem := 'skp-incomplete';
            pointer := gap.pointer;
        END IF;
    END IF;
    IF problem IS NOT NULL THEN
        RETURN NEXT;
        RETURN;
    END IF;
    UPDATE skp k
    SET    state = next, reason = why, ends_on = coalesce(last_day, k.ends_on), edition = k.edition + (next = 'approved')::integer,
           approved_at = CASE WHEN next = 'approved' THEN now() ELSE k.approved_at END,
           approved_by = CASE WHEN next = 'approved' THEN by_name ELSE k.approved_by END
    WHERE  k.id = s.id;
    IF next = 'approved' THEN
        doc := skp_document(s.id);
        INSERT INTO skp_edition (skp_id, edition, document, sha256, approved_at, approved_by) VALUES (s.id, s.edition + 1, doc, skp_seal(doc), now(), by_name);
    END IF;
    SELECT e.* INTO entry FROM skp_entry e WHERE e.id = s.id;
    RETURN NEXT;
END $$;
COMMENT ON FUNCTION skp_act(uuid, ltree[], int8multirange, text, text, date, text) IS
    'Takes an SKP a step further. seen: the versions that the caller may have seen; why: reason of a return or an end; last_day: of an end. No row: not the caller''s.';
