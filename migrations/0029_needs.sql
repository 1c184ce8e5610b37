-- Needs of competency development: what a post requires, what a person was found to be able to do, the gap between the two, the plan that
-- closes it, and what became of the plan; and what a certificate and a hand-over do to the enrolment. docs/needs.md, certificates.md, handover.md.

-- ── what a post requires ─────────────────────────────────────────────────────────────────────────────────────────────────

INSERT INTO reference (list, code, name, name_en, seq, source) VALUES
    ('competency-standard', 'teknis', 'Kompetensi teknis', 'Technical competencies', 12, 'Permenpan RB 38/2017');
UPDATE reference_list
SET    description = description || ' Rows without a parent are the families (manajerial, sosial_kultural, teknis); technical competencies are imported with the parent teknis.'
WHERE  list = 'competency-standard';

CREATE FUNCTION competency_holds(what text, at date) RETURNS boolean
LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE AS $$
BEGIN
    RETURN EXISTS (SELECT FROM reference r WHERE r.list = 'competency-standard' AND r.code = what AND r.parent IS NOT NULL AND r.valid @> at);
END $$;
COMMENT ON FUNCTION competency_holds(text, date) IS 'Whether it is a competency on that day: a row of the list competency-standard that is no family.';

CREATE TABLE competency_standard (
    id             uuid        CONSTRAINT competency_standard_pkey PRIMARY KEY DEFAULT uuid_v7(),
    position_level text        COLLATE "C",
    position_kind  text        CONSTRAINT competency_standard_position_kind_known CHECK (position_kind IN ('struktural', 'fungsional', 'pelaksana')),
    position       text        CONSTRAINT competency_standard_position_length CHECK (length(position) BETWEEN 1 AND 200),
    position_key   text        COLLATE "C" GENERATED ALWAYS AS (reference_fold(position)) STORED,
    unit_id        uuid        CONSTRAINT competency_standard_unit_fkey REFERENCES unit,
    competency     text        COLLATE "C" NOT NULL,
    level          integer     NOT NULL CONSTRAINT competency_standard_level_range CHECK (level BETWEEN 0 AND 5),
    valid_from     date        NOT NULL CONSTRAINT competency_standard_valid_from_range CHECK (valid_from BETWEEN '1900-01-01' AND '2099-12-31'),
    valid_until    date        CONSTRAINT competency_standard_valid_until_range CHECK (valid_until BETWEEN '1900-01-01' AND '2100-01-01'),
    basis          text        GENERATED ALWAYS AS (CASE WHEN unit_id IS NOT NULL THEN 'post' WHEN position IS NOT NULL THEN 'position' ELSE 'level' END) STORED,
    source         text        NOT NULL CONSTRAINT competency_standard_source_length CHECK (length(source) BETWEEN 1 AND 300),
    is_confirmed   boolean     NOT NULL DEFAULT true,
    actor_key      uuid,
    actor_name     text,
    version        bigint      NOT NULL DEFAULT 1,
    created_at     timestamptz NOT NULL DEFAULT now(),
    updated_at     timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT competency_standard_for CHECK ((position_level IS NULL) = (position IS NOT NULL) AND (position_kind IS NULL) = (position IS NULL)
                                              AND (unit_id IS NULL OR position IS NOT NULL)),
    CONSTRAINT competency_standard_days CHECK (valid_until >= valid_from),
    CONSTRAINT competency_standard_once UNIQUE NULLS NOT DISTINCT (position_level, position_kind, position_key, unit_id, competency, valid_from)
);
CREATE INDEX competency_standard_position_idx ON competency_standard (position_key, position_kind, competency) WHERE position_key IS NOT NULL;
CREATE INDEX competency_standard_unit_idx ON competency_standard (unit_id) WHERE unit_id IS NOT NULL;
CREATE INDEX competency_standard_competency_idx ON competency_standard (competency, valid_from, id);
COMMENT ON TABLE competency_standard IS
    'Standar kompetensi jabatan (Permenpan RB 38/2017): which level of a competency is required, of a level of position, of a position, or of a position in one unit (a post). The nearest holds, and of that the newest.';
COMMENT ON COLUMN competency_standard.id IS 'UUIDv7';
COMMENT ON COLUMN competency_standard.position_level IS 'Of all positions of this level: list position-level; null: of a position';
COMMENT ON COLUMN competency_standard.position_kind IS 'Jenis jabatan of the position';
COMMENT ON COLUMN competency_standard.position IS 'Nama jabatan';
COMMENT ON COLUMN competency_standard.position_key IS 'The name as holders are matched by it: reference_fold(position)';
COMMENT ON COLUMN competency_standard.unit_id IS 'unit.id: of the position there alone; null: wherever it is';
COMMENT ON COLUMN competency_standard.competency IS 'Code of the list competency-standard that is no family';
COMMENT ON COLUMN competency_standard.level IS 'Level required, 1 to 5; 0: this competency is not required here';
COMMENT ON COLUMN competency_standard.valid_from IS 'First day';
COMMENT ON COLUMN competency_standard.valid_until IS 'First day on which it no longer holds; null: open; the first day itself: it never held';
COMMENT ON COLUMN competency_standard.basis IS 'What it is of: post, position or level; the nearest holds';
COMMENT ON COLUMN competency_standard.source IS 'The regulation or decree that sets it';
COMMENT ON COLUMN competency_standard.is_confirmed IS 'false: recalled, not seen in a source; verify it before you rely on it';
COMMENT ON COLUMN competency_standard.actor_key IS 'api_key.id of who wrote this version; null: it came with the schema';
COMMENT ON COLUMN competency_standard.actor_name IS 'Name of that key then';
COMMENT ON COLUMN competency_standard.version IS 'Counts changes: ETag';
COMMENT ON COLUMN competency_standard.created_at IS 'When the row was made';
COMMENT ON COLUMN competency_standard.updated_at IS 'Last change';

CREATE TABLE competency_standard_version (
    standard_id uuid        NOT NULL CONSTRAINT competency_standard_version_standard_fkey REFERENCES competency_standard,
    version     bigint      NOT NULL,
    level       integer     NOT NULL,
    valid_until date,
    source      text        NOT NULL,
    actor_name  text,
    updated_at  timestamptz NOT NULL,
    CONSTRAINT competency_standard_version_pkey PRIMARY KEY (standard_id, version)
);
COMMENT ON TABLE competency_standard_version IS 'What a standard said before it was changed.';
COMMENT ON COLUMN competency_standard_version.standard_id IS 'competency_standard.id';
COMMENT ON COLUMN competency_standard_version.version IS 'Its version then';
COMMENT ON COLUMN competency_standard_version.level IS 'Level then';
COMMENT ON COLUMN competency_standard_version.valid_until IS 'First day on which it no longer held, as it was told then';
COMMENT ON COLUMN competency_standard_version.source IS 'Source then';
COMMENT ON COLUMN competency_standard_version.actor_name IS 'Who had written it';
COMMENT ON COLUMN competency_standard_version.updated_at IS 'When it had been written';

CREATE FUNCTION competency_standard_keep() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF NOT competency_holds(NEW.competency, NEW.valid_from) THEN
        RAISE EXCEPTION 'no such competency' USING ERRCODE = 'P0001', CONSTRAINT = 'competency_standard_competency_fkey';
    END IF;
    IF NEW.position_level IS NOT NULL AND NOT reference_holds('position-level', NEW.position_level, NEW.valid_from) THEN
        RAISE EXCEPTION 'no such level of position' USING ERRCODE = 'P0001', CONSTRAINT = 'competency_standard_position_level_fkey';
    END IF;
    IF TG_OP = 'UPDATE' THEN
        INSERT INTO competency_standard_version (standard_id, version, level, valid_until, source, actor_name, updated_at)
        VALUES (OLD.id, OLD.version, OLD.level, OLD.valid_until, OLD.source, OLD.actor_name, OLD.updated_at);
    END IF;
    RETURN NEW;
END $$;
COMMENT ON FUNCTION competency_standard_keep() IS 'Codes must hold on the first day; the version that is replaced is kept.';
CREATE TRIGGER competency_standard_10_keep BEFORE INSERT OR UPDATE ON competency_standard FOR EACH ROW EXECUTE FUNCTION competency_standard_keep();
CREATE TRIGGER competency_standard_20_touch BEFORE UPDATE ON competency_standard FOR EACH ROW EXECUTE FUNCTION touch_row();

-- One level for all nine: recalled, so rows that anybody may replace.
INSERT INTO competency_standard (position_level, competency, level, valid_from, source, is_confirmed)
SELECT l.code, r.code, l.level, '1900-01-01', 'recalled: one level for all nine competencies of Permenpan RB 38/2017', false
FROM   (VALUES ('jpt_utama', 5), ('jpt_madya', 5), ('jpt_pratama', 4), ('administrator', 3), ('pengawas', 2), ('pelaksana', 1), ('ahli_utama', 5),
               ('ahli_madya', 4), ('ahli_muda', 3), ('ahli_pertama', 2), ('penyelia', 3), ('mahir', 2), ('terampil', 1), ('pemula', 1)) AS l (code, level)
CROSS  JOIN reference r
WHERE  r.list = 'competency-standard' AND r.parent IN ('manajerial', 'sosial_kultural');

CREATE FUNCTION position_level_of(me asn, at date) RETURNS text
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN CASE me.position_kind
           WHEN 'struktural' THEN (SELECT r.facts ->> 'position_level' FROM reference r WHERE r.list = 'echelon' AND r.code = me.echelon AND r.valid @> at)
           WHEN 'fungsional' THEN coalesce(functional_level_on(me.id, at),
                                           (SELECT r.code FROM reference r WHERE r.list = 'position-level' AND r.parent = 'fungsional' AND r.valid @> at
                                                                                 AND lower(me.position) LIKE '% ' || lower(r.name) LIMIT 1))
           WHEN 'pelaksana' THEN 'pelaksana' END;
END $$;
COMMENT ON FUNCTION position_level_of(asn, date) IS
    'Level of a person''s position: by the echelon; of functional ones by the history, else read off the end of the position''s name. Null: not known.';

-- ── what a person was found to be able to do ─────────────────────────────────────────────────────────────────────────────

CREATE TABLE assessment_method (
    code         text COLLATE "C" CONSTRAINT assessment_method_pkey PRIMARY KEY,
    name         text    NOT NULL,
    name_en      text    NOT NULL,
    valid_months integer CONSTRAINT assessment_method_valid_months_range CHECK (valid_months BETWEEN 1 AND 600),
    source       text    NOT NULL,
    is_confirmed boolean NOT NULL
);
COMMENT ON TABLE assessment_method IS 'How competencies are assessed, and for how long such a result holds when nobody tells.';
COMMENT ON COLUMN assessment_method.code IS 'As assessments name it';
COMMENT ON COLUMN assessment_method.name IS 'In Indonesian';
COMMENT ON COLUMN assessment_method.name_en IS 'In English';
COMMENT ON COLUMN assessment_method.valid_months IS 'For how many months a result holds; null: until a newer one';
COMMENT ON COLUMN assessment_method.source IS 'Where that comes from';
COMMENT ON COLUMN assessment_method.is_confirmed IS 'false: recalled, not seen in a source';
INSERT INTO assessment_method VALUES
    ('assessment_center', 'Assessment center', 'Assessment center', 36, 'recalled: results of an assessment center hold for three years', false),
    ('test', 'Uji kompetensi', 'Test of competency', NULL, 'ours: until a newer one', false),
    ('interview', 'Wawancara kompetensi', 'Interview', NULL, 'ours: until a newer one', false),
    ('superior', 'Penilaian atasan', 'Assessment by the superior', NULL, 'ours: until a newer one', false),
    ('peer', 'Penilaian rekan', 'Assessment by peers', NULL, 'ours: until a newer one', false),
    ('self', 'Penilaian mandiri', 'Assessment by the person', NULL, 'ours: until a newer one', false);

CREATE TABLE competency_assessment (
    id          uuid        CONSTRAINT competency_assessment_pkey PRIMARY KEY,
    asn_id      uuid        NOT NULL CONSTRAINT competency_assessment_asn_fkey REFERENCES asn,
    assessed_on date        NOT NULL CONSTRAINT competency_assessment_assessed_on_range CHECK (assessed_on BETWEEN '1900-01-01' AND '2099-12-31'),
    method      text        COLLATE "C" NOT NULL CONSTRAINT competency_assessment_method_fkey REFERENCES assessment_method,
    source      text        NOT NULL CONSTRAINT competency_assessment_source_length CHECK (length(source) BETWEEN 1 AND 200),
    levels      jsonb       NOT NULL CONSTRAINT competency_assessment_levels_object CHECK (jsonb_typeof(levels) = 'object' AND levels <> '{}'),
    valid_until date        CONSTRAINT competency_assessment_days CHECK (valid_until > assessed_on),
    is_void     boolean     NOT NULL DEFAULT false,
    reason      text        CONSTRAINT competency_assessment_reason_length CHECK (length(reason) BETWEEN 1 AND 500),
    actor_key   uuid        NOT NULL,
    actor_name  text        NOT NULL,
    version     bigint      NOT NULL DEFAULT 1,
    created_at  timestamptz NOT NULL DEFAULT now(),
    updated_at  timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX competency_assessment_once ON competency_assessment (asn_id, assessed_on, method, source) WHERE NOT is_void;
CREATE INDEX competency_assessment_asn_idx ON competency_assessment (asn_id, id);
COMMENT ON TABLE competency_assessment IS 'An assessment of a person''s competencies. Nothing is deleted: what was wrong is annulled, and a version that is replaced is kept.';
COMMENT ON COLUMN competency_assessment.id IS 'UUIDv7';
COMMENT ON COLUMN competency_assessment.asn_id IS 'asn.id: whose';
COMMENT ON COLUMN competency_assessment.assessed_on IS 'When it was done; counts from this day';
COMMENT ON COLUMN competency_assessment.method IS 'assessment_method.code';
COMMENT ON COLUMN competency_assessment.source IS 'Who assessed: institution or post';
COMMENT ON COLUMN competency_assessment.levels IS 'Competency → level found, 0 (below level 1) to 5';
COMMENT ON COLUMN competency_assessment.valid_until IS 'First day on which it no longer holds; null: until a newer one';
COMMENT ON COLUMN competency_assessment.is_void IS 'It was annulled: it never counted';
COMMENT ON COLUMN competency_assessment.reason IS 'Why it was annulled';
COMMENT ON COLUMN competency_assessment.actor_key IS 'api_key.id of who wrote this version';
COMMENT ON COLUMN competency_assessment.actor_name IS 'Name of that key then';
COMMENT ON COLUMN competency_assessment.version IS 'Counts changes: ETag';
COMMENT ON COLUMN competency_assessment.created_at IS 'When the row was made';
COMMENT ON COLUMN competency_assessment.updated_at IS 'Last change';

CREATE TABLE competency_assessment_version (
    assessment_id uuid        NOT NULL CONSTRAINT competency_assessment_version_assessment_fkey REFERENCES competency_assessment,
    version       bigint      NOT NULL,
    levels        jsonb       NOT NULL,
    valid_until   date,
    actor_name    text        NOT NULL,
    updated_at    timestamptz NOT NULL,
    CONSTRAINT competency_assessment_version_pkey PRIMARY KEY (assessment_id, version)
);
COMMENT ON TABLE competency_assessment_version IS 'What an assessment said before it was changed.';
COMMENT ON COLUMN competency_assessment_version.assessment_id IS 'competency_assessment.id';
COMMENT ON COLUMN competency_assessment_version.version IS 'Its version then';
COMMENT ON COLUMN competency_assessment_version.levels IS 'Levels then';
COMMENT ON COLUMN competency_assessment_version.valid_until IS 'First day on which it no longer held, as it was told then';
COMMENT ON COLUMN competency_assessment_version.actor_name IS 'Who had written it';
COMMENT ON COLUMN competency_assessment_version.updated_at IS 'When it had been written';

CREATE FUNCTION competency_assessment_keep() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'an assessment is never deleted' USING ERRCODE = 'P0001', CONSTRAINT = 'competency_assessment_fixed';
    END IF;
    IF TG_OP = 'INSERT' THEN
        IF NEW.assessed_on > local_today() THEN
            RAISE EXCEPTION 'a day to come' USING ERRCODE = 'P0001', CONSTRAINT = 'competency_assessment_day';
        END IF;
        NEW.valid_until := coalesce(NEW.valid_until, (SELECT (NEW.assessed_on + make_interval(months => m.valid_months))::date FROM assessment_method m
                                                      WHERE  m.code = NEW.method));
    ELSIF NEW.asn_id <> OLD.asn_id AND is_merging() THEN
        RETURN NEW;
    ELSIF OLD.is_void OR (NEW.id, NEW.asn_id, NEW.assessed_on, NEW.method, NEW.source) IS DISTINCT FROM (OLD.id, OLD.asn_id, OLD.assessed_on, OLD.method, OLD.source) THEN
        RAISE EXCEPTION 'whose, when and how is for ever' USING ERRCODE = 'P0001', CONSTRAINT = 'competency_assessment_fixed';
    ELSE
        INSERT INTO competency_assessment_version (assessment_id, version, levels, valid_until, actor_name, updated_at)
        VALUES (OLD.id, OLD.version, OLD.levels, OLD.valid_until, OLD.actor_name, OLD.updated_at);
        NEW.version := OLD.version + 1;
        NEW.updated_at := now();
    END IF;
    RETURN NEW;
END $$;
COMMENT ON FUNCTION competency_assessment_keep() IS 'No day to come; for how long it holds, if nobody told; the version that is replaced is kept, and what was annulled stays so.';
CREATE TRIGGER competency_assessment_10_keep BEFORE INSERT OR UPDATE OR DELETE ON competency_assessment FOR EACH ROW EXECUTE FUNCTION competency_assessment_keep();

-- ── the gap ──────────────────────────────────────────────────────────────────────────────────────────────────────────────

-- post: reference_fold() of the position's name; grade: its level.
CREATE FUNCTION competency_required(unit uuid, kind text, post text, grade text, at date)
RETURNS TABLE (competency text, level integer, basis text, standard_id uuid)
LANGUAGE plpgsql STABLE ROWS 10 AS $$
BEGIN
    RETURN QUERY
    SELECT n.competency, n.level, n.basis, n.id
    FROM   (SELECT DISTINCT ON (s.competency) s.competency, s.level, s.basis, s.id
            FROM   competency_standard s
            WHERE  (s.position_level = grade OR s.position_key = post AND s.position_kind = kind AND (s.unit_id IS NULL OR s.unit_id = unit))
                   AND s.valid_from <= at AND (s.valid_until IS NULL OR s.valid_until > at)
            ORDER  BY s.competency, array_position('{post,position,level}', s.basis), s.valid_from DESC) n
    WHERE  n.level > 0;
END $$;
COMMENT ON FUNCTION competency_required(uuid, text, text, text, date) IS
    'What a post requires on a day: of each competency the standard of the post itself, else of the position, else of its level; of several the one that began last. Level 0 takes it away.';

CREATE FUNCTION competency_gaps(who uuid, unit uuid, kind text, post text, grade text, at date)
RETURNS TABLE (competency text, family text, name text, name_en text, seq integer, required integer, assessed integer, gap integer, standing text, basis text,
               standard_id uuid, assessment_id uuid, assessed_on date, method text, source text)
LANGUAGE plpgsql STABLE ROWS 10 AS $$
BEGIN
    RETURN QUERY
    WITH required AS MATERIALIZED (
        SELECT n.* FROM competency_required(unit, kind, post, grade, at) n
    ), named AS MATERIALIZED (
        SELECT DISTINCT ON (f.code) f.code, f.parent, f.name, f.name_en, f.seq
        FROM   reference f
        WHERE  f.list = 'competency-standard' AND f.code = ANY (ARRAY(SELECT n.competency FROM required n))
        ORDER  BY f.code, f.valid @> at DESC, f.valid DESC
    ), found AS MATERIALIZED (
        SELECT DISTINCT ON (l.key) l.key, l.value::integer AS level, t.id, t.assessed_on, t.method, t.source, coalesce(t.valid_until > at, true) AS holds
        FROM   competency_assessment t CROSS JOIN LATERAL jsonb_each_text(t.levels) AS l
        WHERE  t.asn_id = who AND NOT t.is_void AND t.assessed_on <= at
        ORDER  BY l.key, coalesce(t.valid_until > at, true) DESC, t.assessed_on DESC, t.id DESC
    )
    SELECT r.competency, c.parent, c.name, c.name_en, c.seq, r.level, CASE WHEN a.holds THEN a.level END,
           CASE WHEN a.holds THEN greatest(r.level - a.level, 0) END,
           CASE WHEN a.id IS NULL THEN 'missing' WHEN NOT a.holds THEN 'expired' WHEN a.level < r.level THEN 'gap' ELSE 'met' END,
           r.basis, r.standard_id, a.id, a.assessed_on, a.method, a.source
    FROM   required r
    JOIN   named c ON c.code = r.competency
    LEFT   JOIN found a ON a.key = r.competency;
END $$;
COMMENT ON FUNCTION competency_gaps(uuid, uuid, text, text, text, date) IS
    'What the post requires against what the person was found to be able to do on a day: of each competency the newest assessment that holds. standing: met, gap; missing (never assessed) and expired (no longer holds; assessment_id says which): then there is no gap to tell, and none is guessed.';

CREATE TABLE jpm_band (
    valid_from   date    NOT NULL,
    floor        numeric(5, 2) NOT NULL CONSTRAINT jpm_band_floor_range CHECK (floor BETWEEN 0 AND 100),
    code         text COLLATE "C" NOT NULL,
    name         text    NOT NULL,
    name_en      text    NOT NULL,
    source       text    NOT NULL,
    is_confirmed boolean NOT NULL,
    CONSTRAINT jpm_band_pkey PRIMARY KEY (valid_from, floor)
);
COMMENT ON TABLE jpm_band IS 'Bands of the job person match (JPM). Those of the newest day not after the one asked for hold together; of them the highest floor that is reached.';
COMMENT ON COLUMN jpm_band.valid_from IS 'First day';
COMMENT ON COLUMN jpm_band.floor IS 'Percent from which it holds';
COMMENT ON COLUMN jpm_band.code IS 'As replies name it';
COMMENT ON COLUMN jpm_band.name IS 'In Indonesian';
COMMENT ON COLUMN jpm_band.name_en IS 'In English';
COMMENT ON COLUMN jpm_band.source IS 'The regulation';
COMMENT ON COLUMN jpm_band.is_confirmed IS 'false: recalled, not seen in a source';
INSERT INTO jpm_band VALUES
    ('1900-01-01', 90, 'optimal', 'Optimal (memenuhi syarat)', 'Optimal', 'recalled: Per BKN 26/2019', false),
    ('1900-01-01', 78, 'cukup_optimal', 'Cukup optimal (masih memenuhi syarat)', 'Fairly optimal', 'recalled: Per BKN 26/2019', false),
    ('1900-01-01', 0, 'kurang_optimal', 'Kurang optimal (kurang memenuhi syarat)', 'Less than optimal', 'recalled: Per BKN 26/2019', false);

-- Compared as a fraction, so that 89.996 is below 90 although it is shown as 90.00.
CREATE FUNCTION jpm_band_of(counted bigint, required bigint, at date) RETURNS text
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (SELECT b.code FROM jpm_band b
            WHERE  b.valid_from = (SELECT max(n.valid_from) FROM jpm_band n WHERE n.valid_from <= at) AND counted * 100 >= b.floor * required
            ORDER  BY b.floor DESC LIMIT 1);
END $$;
COMMENT ON FUNCTION jpm_band_of(bigint, bigint, date) IS 'Band of a JPM of counted / required on a day.';

-- ── the plan of a year ───────────────────────────────────────────────────────────────────────────────────────────────────

CREATE TABLE development_plan (
    id            uuid        CONSTRAINT development_plan_pkey PRIMARY KEY,
    asn_id        uuid        NOT NULL CONSTRAINT development_plan_asn_fkey REFERENCES asn,
    year          integer     NOT NULL CONSTRAINT development_plan_year_range CHECK (year BETWEEN 2000 AND 2099),
    superior_id   uuid        CONSTRAINT development_plan_superior_fkey REFERENCES asn,
    superior_name text        CONSTRAINT development_plan_superior_name_length CHECK (length(superior_name) BETWEEN 1 AND 200),
    state         text        NOT NULL DEFAULT 'draft' CONSTRAINT development_plan_state_known CHECK (state IN ('draft', 'submitted', 'returned', 'approved')),
    reason        text        CONSTRAINT development_plan_reason_length CHECK (length(reason) BETWEEN 1 AND 500),
    actor_key     uuid        NOT NULL,
    actor_name    text        NOT NULL,
    version       bigint      NOT NULL DEFAULT 1,
    created_at    timestamptz NOT NULL DEFAULT now(),
    updated_at    timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT development_plan_once UNIQUE (asn_id, year),
    CONSTRAINT development_plan_superior_one CHECK (num_nonnulls(superior_id, superior_name) = 1),
    CONSTRAINT development_plan_superior_other CHECK (superior_id <> asn_id)
);
CREATE INDEX development_plan_year_idx ON development_plan (year, id);
CREATE INDEX development_plan_superior_idx ON development_plan (superior_id, id) WHERE superior_id IS NOT NULL;
COMMENT ON TABLE development_plan IS 'Individual plan of competency development: one a person and year.';
COMMENT ON COLUMN development_plan.id IS 'UUIDv7';
COMMENT ON COLUMN development_plan.asn_id IS 'asn.id: whose';
COMMENT ON COLUMN development_plan.year IS 'Calendar year; for ever';
COMMENT ON COLUMN development_plan.superior_id IS 'asn.id of the superior who decides; null: no civil servant of ours';
COMMENT ON COLUMN development_plan.superior_name IS 'Name of a superior who is no civil servant of ours, such as the Bupati';
COMMENT ON COLUMN development_plan.state IS 'draft, submitted, returned, approved';
COMMENT ON COLUMN development_plan.reason IS 'Why it was returned';
COMMENT ON COLUMN development_plan.actor_key IS 'api_key.id of who wrote it last';
COMMENT ON COLUMN development_plan.actor_name IS 'Name of that key then';
COMMENT ON COLUMN development_plan.version IS 'Counts changes, those of its lines too: ETag';
COMMENT ON COLUMN development_plan.created_at IS 'When the row was made';
COMMENT ON COLUMN development_plan.updated_at IS 'Last change';

CREATE TABLE development_plan_line (
    plan_id      uuid    NOT NULL CONSTRAINT development_plan_line_plan_fkey REFERENCES development_plan,
    position     integer NOT NULL CONSTRAINT development_plan_line_position_range CHECK (position BETWEEN 1 AND 100),
    competency   text    COLLATE "C" NOT NULL,
    required     integer,
    assessed     integer,
    form         text    NOT NULL,
    target_jp    integer NOT NULL CONSTRAINT development_plan_line_target_jp_range CHECK (target_jp BETWEEN 1 AND 2000),
    quarter      integer NOT NULL CONSTRAINT development_plan_line_quarter_range CHECK (quarter BETWEEN 1 AND 4),
    cost         numeric(15, 2) CONSTRAINT development_plan_line_cost_range CHECK (cost >= 0),
    cost_source  text    CONSTRAINT development_plan_line_cost_source_known CHECK (cost_source IN ('apbd', 'apbn', 'blud', 'grant', 'partner', 'own')),
    programme_id uuid    CONSTRAINT development_plan_line_programme_fkey REFERENCES programme,
    note         text    CONSTRAINT development_plan_line_note_length CHECK (length(note) BETWEEN 1 AND 500),
    CONSTRAINT development_plan_line_pkey PRIMARY KEY (plan_id, position)
);
CREATE INDEX development_plan_line_programme_idx ON development_plan_line (programme_id) WHERE programme_id IS NOT NULL;
COMMENT ON TABLE development_plan_line IS 'What a plan wants to do for which competency. Written as a whole by development_plan_lines_set().';
COMMENT ON COLUMN development_plan_line.plan_id IS 'development_plan.id';
COMMENT ON COLUMN development_plan_line.position IS 'Order within the plan, 1 …';
COMMENT ON COLUMN development_plan_line.competency IS 'Code of the list competency-standard that is no family';
COMMENT ON COLUMN development_plan_line.required IS 'Level that the person''s post required when the line was written; null: it did not';
COMMENT ON COLUMN development_plan_line.assessed IS 'Level that the newest assessment had found then; null: none that held';
COMMENT ON COLUMN development_plan_line.form IS 'Bentuk: code of the list training-form';
COMMENT ON COLUMN development_plan_line.target_jp IS 'Learning hours (JP) aimed at';
COMMENT ON COLUMN development_plan_line.quarter IS 'In which quarter, 1 to 4';
COMMENT ON COLUMN development_plan_line.cost IS 'Rupiah; null: not known, 0: none';
COMMENT ON COLUMN development_plan_line.cost_source IS 'Sumber dana, as budget_line.source';
COMMENT ON COLUMN development_plan_line.programme_id IS 'programme.id if one was chosen';
COMMENT ON COLUMN development_plan_line.note IS 'Remark';

CREATE TABLE development_plan_course (
    plan_id    uuid    NOT NULL,
    history_id uuid    NOT NULL CONSTRAINT development_plan_course_history_fkey REFERENCES history,
    position   integer NOT NULL,
    CONSTRAINT development_plan_course_pkey PRIMARY KEY (plan_id, history_id),
    CONSTRAINT development_plan_course_line_fkey FOREIGN KEY (plan_id, position) REFERENCES development_plan_line ON DELETE CASCADE
);
CREATE INDEX development_plan_course_line_idx ON development_plan_course (plan_id, position);
CREATE INDEX development_plan_course_history_idx ON development_plan_course (history_id);
COMMENT ON TABLE development_plan_course IS 'Certificates from elsewhere that somebody said a line to be realised by; of a plan each is of one line. Goes with the line.';
COMMENT ON COLUMN development_plan_course.plan_id IS 'development_plan.id';
COMMENT ON COLUMN development_plan_course.history_id IS 'history.id of a course';
COMMENT ON COLUMN development_plan_course.position IS 'development_plan_line.position';

CREATE TABLE development_plan_step (
    plan_id    uuid        NOT NULL CONSTRAINT development_plan_step_plan_fkey REFERENCES development_plan,
    seq        integer     NOT NULL,
    "from"     text        NOT NULL,
    "to"       text        NOT NULL,
    reason     text,
    document   jsonb       NOT NULL,
    sha256     text        NOT NULL,
    actor_key  uuid        NOT NULL,
    actor_name text        NOT NULL,
    at         timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT development_plan_step_pkey PRIMARY KEY (plan_id, seq)
);
COMMENT ON TABLE development_plan_step IS 'The way of a plan: each step with the whole of it as it was then. Only added to.';
COMMENT ON COLUMN development_plan_step.plan_id IS 'development_plan.id';
COMMENT ON COLUMN development_plan_step.seq IS '1, 2, …';
COMMENT ON COLUMN development_plan_step."from" IS 'State before';
COMMENT ON COLUMN development_plan_step."to" IS 'State after';
COMMENT ON COLUMN development_plan_step.reason IS 'Why, if it was said';
COMMENT ON COLUMN development_plan_step.document IS 'The lines of the plan then';
COMMENT ON COLUMN development_plan_step.sha256 IS 'Over the canonical text of the document, hex';
COMMENT ON COLUMN development_plan_step.actor_key IS 'api_key.id of who did it';
COMMENT ON COLUMN development_plan_step.actor_name IS 'Name of that key then';
COMMENT ON COLUMN development_plan_step.at IS 'When';

CREATE FUNCTION development_plan_may_become(state text, next text) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN (state, next) IN (('draft', 'submitted'), ('returned', 'submitted'), ('submitted', 'approved'), ('submitted', 'returned'), ('approved', 'returned'));
COMMENT ON FUNCTION development_plan_may_become(text, text) IS 'The order of states; an approved plan is returned to be changed in the middle of the year.';

CREATE FUNCTION development_plan_order() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' OR NEW.year <> OLD.year OR NEW.asn_id <> OLD.asn_id AND NOT is_merging()
       OR NEW.state <> OLD.state AND NOT development_plan_may_become(OLD.state, NEW.state) THEN
        RAISE EXCEPTION 'not from this state' USING ERRCODE = 'P0001', CONSTRAINT = 'development_plan_state_order';
    END IF;
    RETURN NEW;
END $$;
COMMENT ON FUNCTION development_plan_order() IS 'States go their order; whose it is and for which year is for ever.';
CREATE TRIGGER development_plan_10_order BEFORE UPDATE OR DELETE ON development_plan FOR EACH ROW EXECUTE FUNCTION development_plan_order();
CREATE TRIGGER development_plan_20_touch BEFORE UPDATE ON development_plan FOR EACH ROW EXECUTE FUNCTION touch_row();

CREATE FUNCTION development_plan_open() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM development_plan p WHERE p.id = coalesce(NEW.plan_id, OLD.plan_id) AND p.state NOT IN ('draft', 'returned');
    IF FOUND THEN
        RAISE EXCEPTION 'it is being looked at, or agreed' USING ERRCODE = 'P0001', CONSTRAINT = 'development_plan_fixed';
    END IF;
    RETURN coalesce(NEW, OLD);
END $$;
COMMENT ON FUNCTION development_plan_open() IS 'Lines change in a draft and in what was returned, and nowhere else.';
CREATE TRIGGER development_plan_line_10_open BEFORE INSERT OR UPDATE OR DELETE ON development_plan_line FOR EACH ROW EXECUTE FUNCTION development_plan_open();

CREATE FUNCTION development_plan_step_keep() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'what was agreed stays' USING ERRCODE = 'P0001', CONSTRAINT = 'development_plan_state_order';
END $$;
COMMENT ON FUNCTION development_plan_step_keep() IS 'Steps are only added to.';
CREATE TRIGGER development_plan_step_10_keep BEFORE UPDATE OR DELETE ON development_plan_step FOR EACH ROW EXECUTE FUNCTION development_plan_step_keep();

CREATE FUNCTION development_plan_told(which uuid) RETURNS jsonb
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    RETURN (SELECT coalesce(jsonb_agg(jsonb_build_object(
                       'position', l.position, 'competency', l.competency, 'required', l.required, 'assessed', l.assessed,
                       'gap', CASE WHEN l.assessed IS NOT NULL THEN greatest(l.required - l.assessed, 0) END, 'form', l.form, 'target_jp', l.target_jp,
                       'quarter', l.quarter, 'cost', trim_scale(l.cost), 'cost_source', l.cost_source, 'programme_id', l.programme_id, 'note', l.note)
                       ORDER BY l.position), '[]')
            FROM   development_plan_line l WHERE l.plan_id = which);
END $$;
COMMENT ON FUNCTION development_plan_told(uuid) IS 'The lines of a plan as the API shows them; VOLATILE, so that it sees what the asking statement did.';

CREATE VIEW development_plan_entry AS
SELECT p.id, a.nip, a.name, a.unit_id, p.year, s.nip AS superior_nip, coalesce(s.name, p.superior_name) AS superior_name, p.state, p.reason, t.target_jp, t.cost,
       p.actor_name, p.version, p.created_at, p.updated_at, p.asn_id AS _asn_id, p.superior_id AS _superior_id, u.path AS _unit_path
FROM   development_plan p
JOIN   asn a ON a.id = p.asn_id
JOIN   unit u ON u.id = a.unit_id
LEFT   JOIN asn s ON s.id = p.superior_id
CROSS  JOIN LATERAL (SELECT coalesce(sum(l.target_jp), 0)::integer AS target_jp, trim_scale(coalesce(sum(l.cost), 0)) AS cost
                     FROM   development_plan_line l WHERE l.plan_id = p.id) t;
COMMENT ON VIEW development_plan_entry IS 'Plans as the API shows them, without their lines. Of _columns the API shows nothing.';

CREATE TYPE development_plan_answer AS (problem text, pointer text, value text, entry development_plan_entry);
COMMENT ON TYPE development_plan_answer IS 'What became of it: a problem of the catalogue with its place, one row each; or the plan as it is now.';

CREATE FUNCTION development_plan_refused(problem text, pointer text, value text) RETURNS development_plan_answer
LANGUAGE sql IMMUTABLE
RETURN (problem, pointer, value, NULL)::development_plan_answer;
COMMENT ON FUNCTION development_plan_refused(text, text, text) IS 'A refusal.';

-- told: the members of the line that name something, and the person's gap on the day on which it is written.
CREATE FUNCTION development_plan_lines_set(which uuid, units ltree[], seen int8multirange, told jsonb, by_key uuid, by_name text)
RETURNS SETOF development_plan_answer
LANGUAGE plpgsql AS $$
DECLARE
    p  development_plan;
    me asn;
BEGIN
    SELECT v.* INTO p FROM development_plan v JOIN asn a ON a.id = v.asn_id JOIN unit u ON u.id = a.unit_id
    WHERE  v.id = which AND u.path <@ ANY (units) FOR UPDATE OF v;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    IF NOT seen @> p.version OR p.state NOT IN ('draft', 'returned') THEN
        RETURN NEXT development_plan_refused(CASE WHEN NOT seen @> p.version THEN 'version-stale' ELSE 'plan-fixed' END, NULL, NULL);
        RETURN;
    END IF;
    SELECT a.* INTO me FROM asn a WHERE a.id = p.asn_id;
    RETURN QUERY
    SELECT (development_plan_refused('reference-missing', format('/lines/%s/%s', t.n - 1, w.member), w.value)).*
    FROM   jsonb_array_elements(told) WITH ORDINALITY AS t (l, n)
    CROSS  JOIN LATERAL (VALUES ('competency', t.l ->> 'competency', competency_holds(t.l ->> 'competency', local_today())),
                                ('form', t.l ->> 'form', reference_holds('training-form', t.l ->> 'form', local_today())),
                                ('programme_id', t.l ->> 'programme_id',
                                 t.l ->> 'programme_id' IS NULL OR EXISTS (SELECT FROM programme g WHERE g.id = (t.l ->> 'programme_id')::uuid))) AS w (member, value, is_there)
    WHERE  NOT w.is_there
    ORDER  BY t.n, w.member LIMIT 100;
    IF FOUND THEN
        RETURN;
    END IF;
    DELETE FROM development_plan_line l WHERE l.plan_id = which;
    INSERT INTO development_plan_line (plan_id, position, competency, required, assessed, form, target_jp, quarter, cost, cost_source, programme_id, note)
    SELECT which, t.n, t.l ->> 'competency', g.required, g.assessed, t.l ->> 'form', trunc((t.l ->> 'target_jp')::numeric)::integer,
           trunc((t.l ->> 'quarter')::numeric)::integer, (t.l ->> 'cost')::numeric, t.l ->> 'cost_source', (t.l ->> 'programme_id')::uuid, t.l ->> 'note'
    FROM   jsonb_array_elements(told) WITH ORDINALITY AS t (l, n)
    LEFT   JOIN competency_gaps(me.id, me.unit_id, me.position_kind, reference_fold(me.position), position_level_of(me, local_today()), local_today()) g
           ON g.competency = t.l ->> 'competency';
    UPDATE development_plan v SET actor_key = by_key, actor_name = by_name WHERE v.id = which;
    RETURN QUERY SELECT NULL::text, NULL::text, NULL::text, e FROM development_plan_entry e WHERE e.id = which;
END $$;
COMMENT ON FUNCTION development_plan_lines_set(uuid, ltree[], int8multirange, jsonb, uuid, text) IS
    'All lines of a plan (PlanLinesTold of openapi.yaml), each with the gap as it is today. No row: no such plan in these units.';

CREATE FUNCTION development_plan_act(which uuid, units ltree[], seen int8multirange, next text, why text, by_key uuid, by_name text)
RETURNS SETOF development_plan_answer
LANGUAGE plpgsql AS $$
DECLARE
    p    development_plan;
    doc  jsonb;
    code text;
BEGIN
    SELECT v.* INTO p FROM development_plan v JOIN asn a ON a.id = v.asn_id JOIN unit u ON u.id = a.unit_id
    WHERE  v.id = which AND u.path <@ ANY (units) FOR UPDATE OF v;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    doc := development_plan_told(which);
    code := CASE WHEN NOT seen @> p.version THEN 'version-stale' WHEN NOT development_plan_may_become(p.state, next) THEN 'plan-state'
                 WHEN doc = '[]' THEN 'plan-empty' END;
    IF code IS NOT NULL THEN
        RETURN NEXT development_plan_refused(code, NULL, CASE code WHEN 'plan-state' THEN p.state END);
        RETURN;
    END IF;
    UPDATE development_plan v SET state = next, reason = why, actor_key = by_key, actor_name = by_name WHERE v.id = which;
    INSERT INTO development_plan_step (plan_id, seq, "from", "to", reason, document, sha256, actor_key, actor_name)
    VALUES (which, 1 + coalesce((SELECT max(s.seq) FROM development_plan_step s WHERE s.plan_id = which), 0), p.state, next, why, doc, skp_seal(doc), by_key, by_name);
    RETURN QUERY SELECT NULL::text, NULL::text, NULL::text, e FROM development_plan_entry e WHERE e.id = which;
END $$;
COMMENT ON FUNCTION development_plan_act(uuid, ltree[], int8multirange, text, text, uuid, text) IS
    'Takes a plan a step further and keeps the whole of it as it is then. No row: no such plan in these units.';

CREATE FUNCTION development_plan_courses_set(which uuid, line integer, units ltree[], seen int8multirange, told uuid[], by_key uuid, by_name text)
RETURNS SETOF development_plan_answer
LANGUAGE plpgsql AS $$
DECLARE
    p development_plan;
BEGIN
    SELECT v.* INTO p FROM development_plan v JOIN asn a ON a.id = v.asn_id JOIN unit u ON u.id = a.unit_id
    WHERE  v.id = which AND u.path <@ ANY (units) AND EXISTS (SELECT FROM development_plan_line l WHERE l.plan_id = which AND l.position = line)
    FOR    UPDATE OF v;
    IF NOT FOUND THEN
        RETURN;
    ELSIF NOT seen @> p.version THEN
        RETURN NEXT development_plan_refused('version-stale', NULL, NULL);
        RETURN;
    END IF;
    RETURN QUERY
    SELECT (development_plan_refused('reference-missing', format('/courses/%s', t.n - 1), t.id::text)).*
    FROM   unnest(told) WITH ORDINALITY AS t (id, n)
    WHERE  NOT EXISTS (SELECT FROM history h WHERE h.id = t.id AND h.asn_id = p.asn_id AND h.kind = 'course' AND NOT h.is_void
                                                   AND extract(year FROM coalesce(h.ends - 1, h.starts)) = p.year)
    ORDER  BY t.n;
    IF FOUND THEN
        RETURN;
    END IF;
    DELETE FROM development_plan_course c WHERE c.plan_id = which AND (c.position = line OR c.history_id = ANY (told));
    INSERT INTO development_plan_course (plan_id, history_id, position) SELECT DISTINCT which, t.id, line FROM unnest(told) AS t (id);
    UPDATE development_plan v SET actor_key = by_key, actor_name = by_name WHERE v.id = which;
    RETURN QUERY SELECT NULL::text, NULL::text, NULL::text, e FROM development_plan_entry e WHERE e.id = which;
END $$;
COMMENT ON FUNCTION development_plan_courses_set(uuid, integer, ltree[], int8multirange, uuid[], uuid, text) IS
    'All certificates from elsewhere that realise a line, in any state of the plan: courses of the person that ended in its year; one that was another line''s moves. No row: no such line in these units.';

-- Which of a plan's lines a training belongs to: the one that it was told for, else the one that chose its programme, else the first whose competency
-- the programme serves. So nothing counts twice.
CREATE FUNCTION development_plan_realised(which uuid)
RETURNS TABLE ("position" integer, rule text, source text, source_id uuid, name text, last_day date, state text, counted_jp numeric)
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN QUERY
    WITH plan AS (
        SELECT p.id, p.asn_id, p.year FROM development_plan p WHERE p.id = which
    ), done AS (
        SELECT e.source, e.source_id, e.last_day, e.counted_jp, NULL::text AS state FROM plan p JOIN learning_entry e ON e.asn_id = p.asn_id
        WHERE  e.duplicate_of IS NULL AND extract(year FROM e.last_day) = p.year
        UNION ALL
        SELECT 'enrolment', n.id, upper(n.days) - 1, 0, n.state FROM plan p JOIN enrolment n ON n.asn_id = p.asn_id
        WHERE  n.jp IS NULL AND n.state IN ('draft', 'proposed', 'returned', 'verified', 'waitlisted', 'offered', 'approved', 'attending', 'completed')
               AND extract(year FROM upper(n.days) - 1) = p.year
    ), known AS (
        SELECT d.*, g.name, ARRAY[g.id] AS programmes
        FROM   done d JOIN enrolment n ON n.id = d.source_id JOIN session s ON s.id = n.session_id JOIN programme g ON g.id = s.programme_id
        WHERE  d.source = 'enrolment'
        UNION ALL
        SELECT d.*, h.facts ->> 'name', ARRAY(SELECT g.id FROM programme g WHERE g.name_key = name_key(h.facts ->> 'name'))
        FROM   done d JOIN history h ON h.id = d.source_id
        WHERE  d.source = 'course'
    ), placed AS (
        SELECT DISTINCT ON (k.source, k.source_id) k.source, k.source_id, l.position,
               CASE WHEN c.position IS NOT NULL THEN 'told' WHEN l.programme_id = ANY (k.programmes) THEN 'programme' ELSE 'competency' END AS rule
        FROM   known k
        JOIN   development_plan_line l ON l.plan_id = which
        LEFT   JOIN development_plan_course c ON c.plan_id = which AND c.history_id = k.source_id AND c.position = l.position
        WHERE  c.position IS NOT NULL OR l.programme_id = ANY (k.programmes)
               OR EXISTS (SELECT FROM programme g CROSS JOIN LATERAL jsonb_array_elements(g.serves) AS c
                          WHERE  g.id = ANY (k.programmes) AND c ->> 'competency' = l.competency)
        ORDER  BY k.source, k.source_id, c.position IS NOT NULL DESC, coalesce(l.programme_id = ANY (k.programmes), false) DESC, l.position
    )
    SELECT f.position, f.rule, k.source, k.source_id, k.name, k.last_day, k.state, k.counted_jp
    FROM   known k LEFT JOIN placed f ON (f.source, f.source_id) = (k.source, k.source_id);
END $$;
COMMENT ON FUNCTION development_plan_realised(uuid) IS
    'Trainings of the person in the plan''s year by the day on which they end, each with the line that it realises (null: none) and why. state: of what has no hours yet.';

-- ── what would help ──────────────────────────────────────────────────────────────────────────────────────────────────────

CREATE FUNCTION session_suggestions(me asn, at date)
RETURNS TABLE (session_id uuid, programme_id uuid, programme_code text, programme_name text, title text, starts_on date, ends_on date, jp integer, reasons jsonb,
               gap integer, prerequisites jsonb, seats jsonb, registration jsonb, clashes jsonb, obstacles text[])
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN QUERY
    WITH gaps AS MATERIALIZED (
        SELECT g.* FROM competency_gaps(me.id, me.unit_id, me.position_kind, reference_fold(me.position), position_level_of(me, at), at) g WHERE g.gap > 0
    ), helpful AS (
        SELECT p.id, max(g.gap) AS most,
               jsonb_agg(jsonb_build_object('competency', g.competency, 'name', g.name, 'required', g.required, 'assessed', g.assessed, 'gap', g.gap,
                                            'assessment_id', g.assessment_id, 'matched_by', w.matched_by, 'level_from', w.level_from, 'level_to', w.level_to)
                         ORDER BY g.gap DESC, g.seq, g.competency) AS reasons
        FROM   programme p
        CROSS  JOIN gaps g
        JOIN   LATERAL (SELECT CASE WHEN c ? 'competency' THEN 'competency' ELSE 'family' END AS matched_by,
                               coalesce((c ->> 'level_from')::numeric::integer, 1) AS level_from, coalesce((c ->> 'level_to')::numeric::integer, 5) AS level_to
                        FROM   jsonb_array_elements(p.serves) AS c
                        WHERE  CASE WHEN c ? 'competency' THEN c ->> 'competency' = g.competency ELSE c ->> 'family' = g.family END
                               AND coalesce((c ->> 'level_from')::numeric, 1) <= g.required AND coalesce((c ->> 'level_to')::numeric, 5) > g.assessed
                        ORDER  BY 1, 2, 3 LIMIT 1) w ON true
        WHERE  p.is_active AND p.serves <> '[]'
        GROUP  BY p.id
    )
    SELECT s.id, p.id, p.code, p.name, s.title, s.starts_on, s.ends_on, p.jp, h.reasons, h.most, r.failing,
           jsonb_build_object('capacity', s.capacity, 'taken', s.seats_taken, 'free', s.capacity - s.seats_taken, 'waiting', s.waiting),
           jsonb_build_object('opens', s.registration_opens, 'closes', s.registration_closes, 'is_open', t.is_open), x.clashes,
           array_remove(ARRAY[CASE WHEN r.failing <> '[]' THEN 'prerequisite' END,
                              CASE WHEN NOT session_has_room(s, session_quotas_of(s.id, me.id)) THEN 'seats' END,
                              CASE WHEN NOT t.is_open THEN 'registration' END, CASE WHEN x.clashes <> '[]' THEN 'clash' END], NULL)
    FROM   helpful h
    JOIN   programme p ON p.id = h.id
    JOIN   session s ON s.programme_id = p.id AND s.state = 'planned' AND s.starts_on >= at
    CROSS  JOIN LATERAL (SELECT coalesce(jsonb_agg(jsonb_build_object('rule', f.rule, 'required', f.required, 'present', f.present) ORDER BY f.place), '[]') AS failing
                         FROM   prerequisite_faults(me, p.prerequisites) f) r
    CROSS  JOIN LATERAL (SELECT coalesce(s.registration_opens <= clock_timestamp(), true) AND coalesce(s.registration_closes > clock_timestamp(), true) AS is_open) t
    CROSS  JOIN LATERAL (SELECT coalesce(jsonb_agg(jsonb_build_object('enrolment_id', e.id, 'title', o.title, 'starts_on', o.starts_on, 'ends_on', o.ends_on)
                                                   ORDER BY o.starts_on, e.id), '[]') AS clashes
                         FROM   enrolment e JOIN session o ON o.id = e.session_id
                         WHERE  e.asn_id = me.id AND e.session_id <> s.id AND e.state IN ('waitlisted', 'offered', 'approved', 'attending')
                                AND e.hours && session_hours(s.id)) x
    WHERE  NOT EXISTS (SELECT FROM enrolment e WHERE e.session_id = s.id AND e.asn_id = me.id AND e.state NOT IN ('rejected', 'no_show', 'withdrawn', 'cancelled'));
END $$;
COMMENT ON FUNCTION session_suggestions(asn, date) IS
    'Sessions to come that would close a gap of a person, of programmes that serve the competency (or its family) at a level between what was found and what is required, with what stands in the way: prerequisite, seats, registration, clash.';

-- ── a certificate moves its enrolment ────────────────────────────────────────────────────────────────────────────────────

ALTER TABLE programme
    ADD COLUMN certifies_attendance boolean NOT NULL DEFAULT false,
    ADD CONSTRAINT programme_certifies_attendance_only CHECK (attendance_only OR NOT certifies_attendance);
COMMENT ON COLUMN programme.certifies_attendance IS 'Who completed it may get a certificate: of trainings where attendance is all that is asked';

INSERT INTO enrolment_transition VALUES
    ('passed', 'certified', 'system'), ('completed', 'certified', 'system'), ('certified', 'passed', 'system'), ('certified', 'completed', 'system'),
    ('passed', 'synced', 'system'), ('certified', 'synced', 'system');

CREATE FUNCTION enrolment_is_certifiable(state text, jp integer, certifies_attendance boolean) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN enrolment_is_passed(state) OR state = 'completed' AND certifies_attendance AND jp IS NOT NULL;
COMMENT ON FUNCTION enrolment_is_certifiable(text, integer, boolean) IS
    'Whether a certificate may be issued for it: it was passed, whatever became of that, or completed with hours where the programme certifies attendance.';

CREATE OR REPLACE VIEW certificate_fresh AS
SELECT e.id AS enrolment_id, e.session_id, e.state, full_name(a.title_front, a.name, a.title_back) AS name, a.nip,
       normalize(p.name, NFC) AS programme, normalize(p.organiser, NFC) AS organiser, normalize(s.place, NFC) AS held_at, s.starts_on, s.ends_on, e.jp,
       p.code AS programme_code, u.path AS unit_path, enrolment_is_certifiable(e.state, e.jp, p.certifies_attendance) AS is_certifiable
FROM   enrolment e
JOIN   session s ON s.id = e.session_id
JOIN   programme p ON p.id = s.programme_id
JOIN   asn a ON a.id = e.asn_id
JOIN   unit u ON u.id = a.unit_id;

-- A way that the table has for all, and programmes for some only.
CREATE FUNCTION enrolment_certify_attendance() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM session s JOIN programme p ON p.id = s.programme_id
    WHERE  s.id = NEW.session_id AND enrolment_is_certifiable(OLD.state, OLD.jp, p.certifies_attendance);
    IF NOT FOUND THEN
        RAISE EXCEPTION 'attendance alone is not certified here' USING ERRCODE = 'P0001', CONSTRAINT = 'enrolment_state_order';
    END IF;
    RETURN NEW;
END $$;
COMMENT ON FUNCTION enrolment_certify_attendance() IS 'From completed straight to certified goes where the programme says so, and the hours count.';
CREATE TRIGGER enrolment_11_certify BEFORE UPDATE OF state ON enrolment FOR EACH ROW
    WHEN (OLD.state = 'completed' AND NEW.state = 'certified') EXECUTE FUNCTION enrolment_certify_attendance();

CREATE FUNCTION enrolment_certify(which uuid, by_key uuid, by_name text) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM enrolment_by(by_key, by_name);
    PERFORM FROM session s WHERE s.id = (SELECT e.session_id FROM enrolment e WHERE e.id = which) FOR NO KEY UPDATE;
    UPDATE enrolment e SET state = 'certified', reason = NULL WHERE e.id = which AND e.state IN ('passed', 'completed');
END $$;
COMMENT ON FUNCTION enrolment_certify(uuid, uuid, text) IS 'What a certificate does to its enrolment, under the session''s lock; certified or synced already it stays as it is.';

CREATE FUNCTION enrolment_uncertify(which uuid, why text, by_key uuid, by_name text) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM enrolment_by(by_key, by_name);
    PERFORM FROM session s WHERE s.id = (SELECT e.session_id FROM enrolment e WHERE e.id = which) FOR NO KEY UPDATE;
    UPDATE enrolment e
    SET    state = (SELECT t."from" FROM enrolment_step_taken t WHERE t.enrolment_id = which AND t."to" = 'certified' ORDER BY t.seq DESC LIMIT 1), reason = why
    WHERE  e.id = which AND e.state = 'certified';
END $$;
COMMENT ON FUNCTION enrolment_uncertify(uuid, text, uuid, text) IS
    'Takes an enrolment whose certificate was revoked back to what it was before; what BKN has already (synced) stays.';

CREATE OR REPLACE FUNCTION certificate_print(which uuid, present integer, signed text, enrolment uuid, day date, why text, by_key uuid, by_name text) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO certificate_edition (certificate_id, edition, code, name, nip, programme, organiser, held_at, starts_on, ends_on, jp, agency, place,
                                     signatory, signatory_position, issued_on, reason, actor_key, actor_name)
    SELECT which, present, signed, f.name, f.nip, f.programme, f.organiser, f.held_at, f.starts_on, f.ends_on, f.jp, normalize(r.agency, NFC),
           normalize(r.place, NFC), normalize(r.signatory, NFC), normalize(r.signatory_position, NFC), day, why, by_key, by_name
    FROM   certificate_fresh f, (SELECT * FROM certificate_rule WHERE valid_from <= day ORDER BY valid_from DESC LIMIT 1) r
    WHERE  f.enrolment_id = enrolment;
    PERFORM enrolment_certify(enrolment, by_key, by_name);
END $$;
COMMENT ON FUNCTION certificate_print(uuid, integer, text, uuid, date, text, uuid, text) IS 'An edition: what is true of the enrolment now, which is certified by it.';

CREATE OR REPLACE FUNCTION certificate_withdraw(which uuid, units ltree[], seen int8multirange, why text, by_key uuid, by_name text) RETURNS SETOF certificate_answer
LANGUAGE plpgsql AS $$
DECLARE
    answer certificate_answer;
    me     certificate_entry;
BEGIN
    PERFORM FROM certificate c WHERE c.id = which FOR UPDATE;
    SELECT e.* INTO me FROM certificate_entry e WHERE e.id = which AND e._unit_path <@ ANY (units);
    IF NOT FOUND THEN
        RETURN;
    END IF;
    answer.problem := CASE WHEN NOT seen @> me.version THEN 'version-stale' WHEN me.state = 'revoked' THEN 'certificate-revoked' END;
    IF answer.problem IS NULL THEN
        PERFORM certificate_revoke(which, why, by_key, by_name);
        PERFORM enrolment_uncertify(me.enrolment_id, why, by_key, by_name);
        SELECT e.* INTO me FROM certificate_entry e WHERE e.id = which;
    END IF;
    answer.entry := me;
    RETURN NEXT answer;
END $$;
COMMENT ON FUNCTION certificate_withdraw(uuid, ltree[], int8multirange, text, uuid, text) IS
    'Revokes a certificate of these units, and its enrolment is certified no longer; no row: there is none.';

-- ── a hand-over that was accepted ────────────────────────────────────────────────────────────────────────────────────────

-- The session's lock comes before the person's, as in every step of an enrolment.
CREATE OR REPLACE FUNCTION handover_report(which uuid, units ltree[], seen int8multirange, next text, told_id text, words text, by_key uuid, by_name text)
RETURNS TABLE (problem text, pointer text, entry handover_entry)
LANGUAGE plpgsql AS $$
DECLARE
    h     handover;
    draft handover_draft;
BEGIN
    IF next = 'accepted' THEN
        PERFORM FROM session s WHERE s.id = (SELECT e.session_id FROM handover t JOIN enrolment e ON e.id = t.enrolment_id WHERE t.id = which) FOR NO KEY UPDATE;
    END IF;
    PERFORM FROM asn a JOIN handover_entry t ON t._asn_id = a.id WHERE t.id = which AND t._unit_path <@ ANY (units) FOR NO KEY UPDATE OF a;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    SELECT v.* INTO h FROM handover v WHERE v.id = which FOR UPDATE;
    IF next = 'sent' THEN
        PERFORM FROM evaluation e WHERE e.id = h.evaluation_id FOR SHARE;
        draft := CASE WHEN h.evaluation_id IS NULL THEN handover_enrolment(h.enrolment_id) ELSE handover_evaluation(h.evaluation_id, h.what) END;
    END IF;
    IF NOT seen @> h.version THEN
        problem := 'version-stale';
    ELSIF NOT handover_may_become(h.state, next) OR h.state = 'accepted' AND (h.remote_id IS NOT NULL OR told_id IS NULL) THEN
        problem := 'handover-state';
    ELSIF next = 'sent' AND (NOT draft.is_ready OR draft.payload <> h.payload) THEN
        problem := CASE WHEN draft.missing @> '[{"code": "evaluation-superseded"}]' THEN 'evaluation-superseded' ELSE 'handover-stale' END;
    ELSIF told_id <> h.payload ->> 'id' THEN
        problem := 'handover-other-id';
        pointer := '/remote_id';
    ELSE
        UPDATE handover v
        SET    state = next, remote_id = CASE WHEN next = 'accepted' THEN coalesce(told_id, v.payload ->> 'id') END, message = coalesce(words, v.message),
               actor_key = by_key, actor_name = by_name
        WHERE  v.id = h.id;
        IF next = 'accepted' THEN
            PERFORM enrolment_by(by_key, by_name);
            UPDATE enrolment e SET state = 'synced', reason = NULL WHERE e.id = h.enrolment_id AND e.state IN ('passed', 'certified');
        END IF;
        SELECT t.* INTO entry FROM handover_entry t WHERE t.id = h.id;
    END IF;
    RETURN NEXT;
END $$;
COMMENT ON FUNCTION handover_report(uuid, ltree[], int8multirange, text, text, text, uuid, text) IS
    'What whoever sends told of a payload: sent, if it still is what would be prepared now; accepted with the id there, whereby an enrolment is synced, or '
    'refused, whatever is so by now. No row: not the caller''s.';

-- What was issued and accepted before is so already.
UPDATE enrolment e SET state = 'certified'
WHERE  e.state = 'passed' AND EXISTS (SELECT FROM certificate c WHERE c.enrolment_id = e.id AND c.state = 'valid');
UPDATE enrolment e SET state = 'synced'
WHERE  e.state IN ('passed', 'certified') AND EXISTS (SELECT FROM handover h WHERE h.enrolment_id = e.id AND h.state = 'accepted');

-- ── what a programme costs, and how much a day holds ─────────────────────────────────────────────────────────────────────

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
    INSERT INTO session_term AS t (session_id, is_abroad, amount, cost_per_head, commits, budget_line_id)
    VALUES (which, coalesce((body ->> 'is_abroad')::boolean, false), (body ->> 'amount')::numeric, coalesce((body ->> 'cost_per_head')::numeric, usual),
            coalesce(body ->> 'commits', 'taken'), (body ->> 'budget_line_id')::uuid)
    ON CONFLICT ON CONSTRAINT session_term_pkey DO UPDATE
    SET    (is_abroad, amount, cost_per_head, commits, budget_line_id)
         = (EXCLUDED.is_abroad, EXCLUDED.amount, EXCLUDED.cost_per_head, EXCLUDED.commits, EXCLUDED.budget_line_id);
    RETURN QUERY SELECT NULL::text, t.session_id, t.is_abroad, trim_scale(t.amount), t.cost_per_head, t.commits, t.budget_line_id,
                        coalesce(w.warnings, '{}'), t.version + 1
                 FROM   session_term t LEFT JOIN (budget_line b CROSS JOIN LATERAL budget_standing(b) w) ON b.id = t.budget_line_id
                 WHERE  t.session_id = which;
END $$;
COMMENT ON FUNCTION session_term_put(uuid, int8multirange, jsonb) IS
    'Writes the terms of a session; a cost that is not told is the programme''s. Version 1 is that of no row, so that the first of two who set them wins; no row in the answer: no such session.';

CREATE TABLE training_day_limit (
    valid_from   date    CONSTRAINT training_day_limit_pkey PRIMARY KEY,
    jp           integer NOT NULL CONSTRAINT training_day_limit_jp_range CHECK (jp BETWEEN 1 AND 24),
    source       text    NOT NULL,
    is_confirmed boolean NOT NULL
);
COMMENT ON TABLE training_day_limit IS 'How many learning hours a day of training holds; beyond it warns, and never refuses. The newest row not after the last day holds.';
COMMENT ON COLUMN training_day_limit.valid_from IS 'First day';
COMMENT ON COLUMN training_day_limit.jp IS 'JP a day';
COMMENT ON COLUMN training_day_limit.source IS 'Where it comes from';
COMMENT ON COLUMN training_day_limit.is_confirmed IS 'false: recalled, not seen in a source';
INSERT INTO training_day_limit VALUES ('1900-01-01', 10, 'recalled: practice of LAN, 8 to 10 JP a day', false);

CREATE FUNCTION session_exceeds_days(which uuid, told_jp integer) RETURNS boolean
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (SELECT told_jp > l.jp * coalesce(nullif((SELECT count(DISTINCT d.day) FROM session_day d WHERE d.session_id = which), 0), s.ends_on - s.starts_on + 1)
            FROM   session s
            CROSS  JOIN LATERAL (SELECT t.jp FROM training_day_limit t WHERE t.valid_from <= s.ends_on ORDER BY t.valid_from DESC LIMIT 1) l
            WHERE  s.id = which);
END $$;
COMMENT ON FUNCTION session_exceeds_days(uuid, integer) IS 'Whether so many JP are more than the days of a session hold: those of its timetable, without one all.';

CREATE OR REPLACE FUNCTION enrolment_warned(person asn, s session, p programme) RETURNS TABLE (warning text, fact text)
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
    IF session_exceeds_days(s.id, p.jp) THEN
        RETURN QUERY SELECT 'jp-per-day', p.jp::text;
    END IF;
END $$;
COMMENT ON FUNCTION enrolment_warned(asn, session, programme) IS
    'What speaks against it by rules that are practice, not law here: a leave on its days, a CPNS in another training than Latsar, more JP than its days hold. The first two refuse where programme.strict says so.';
COMMENT ON COLUMN enrolment.warnings IS 'What speaks against it without forbidding it: on-leave, cpns-only-latsar, jp-per-day';

CREATE FUNCTION enrolment_warn_hours() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    NEW.warnings := array_remove(NEW.warnings, 'jp-per-day');
    IF session_exceeds_days(NEW.session_id, NEW.jp) THEN
        NEW.warnings := ARRAY(SELECT w FROM unnest(NEW.warnings || 'jp-per-day'::text) AS w ORDER BY w);
    END IF;
    RETURN NEW;
END $$;
COMMENT ON FUNCTION enrolment_warn_hours() IS 'The hours that were gained are held against the days, whatever the programme had planned.';
CREATE TRIGGER enrolment_12_hours BEFORE UPDATE OF jp ON enrolment FOR EACH ROW
    WHEN (NEW.jp IS NOT NULL AND NEW.jp IS DISTINCT FROM OLD.jp) EXECUTE FUNCTION enrolment_warn_hours();

-- ── files that are not taken back ────────────────────────────────────────────────────────────────────────────────────────

UPDATE import SET is_remembered = false WHERE kind NOT IN ('asn', 'unit', 'history');
COMMENT ON COLUMN import.kind IS 'asn, unit, history, reference, ticket, survey-answer, competency-standard or competency-assessment; only the first three can be undone';
