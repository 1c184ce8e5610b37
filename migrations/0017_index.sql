-- Indices: professionalism of civil servants (IP ASN), talent boxes, penalties of absence. Scores are data by year. See docs/indices.md.

CREATE TABLE ip_asn_score (
    part       text    NOT NULL CONSTRAINT ip_asn_score_part_known CHECK (part IN ('kualifikasi', 'kinerja', 'disiplin')),
    key        text    NOT NULL,
    valid_from date    NOT NULL,
    points     numeric NOT NULL CONSTRAINT ip_asn_score_points_range CHECK (points BETWEEN 0 AND 100),
    CONSTRAINT ip_asn_score_pkey PRIMARY KEY (part, key, valid_from)
);
COMMENT ON TABLE ip_asn_score IS 'Points of IP ASN (Permenpan RB 38/2018, Per BKN 8/2019; confirmed) that hang on one fact.';
COMMENT ON COLUMN ip_asn_score.part IS 'Dimension';
COMMENT ON COLUMN ip_asn_score.key IS 'kualifikasi: code of list education-level; kinerja: predicate; disiplin: level of the penalty; none: there is none';
COMMENT ON COLUMN ip_asn_score.valid_from IS 'In force since';
COMMENT ON COLUMN ip_asn_score.points IS 'Points';
INSERT INTO ip_asn_score VALUES
    ('kualifikasi', '50', '2019-05-10', 25), ('kualifikasi', '49', '2019-05-10', 20), ('kualifikasi', '47', '2019-05-10', 20),
    ('kualifikasi', '45', '2019-05-10', 20), ('kualifikasi', '42', '2019-05-10', 15), ('kualifikasi', '40', '2019-05-10', 15),
    ('kualifikasi', '35', '2019-05-10', 15), ('kualifikasi', '30', '2019-05-10', 10), ('kualifikasi', '25', '2019-05-10', 5),
    ('kualifikasi', '20', '2019-05-10', 5), ('kualifikasi', '18', '2019-05-10', 5), ('kualifikasi', '17', '2019-05-10', 5),
    ('kualifikasi', '15', '2019-05-10', 5), ('kualifikasi', 'none', '2019-05-10', 1),
    ('kinerja', 'sangat_baik', '2019-05-10', 30), ('kinerja', 'baik', '2019-05-10', 25), ('kinerja', 'butuh_perbaikan', '2019-05-10', 15),
    ('kinerja', 'kurang', '2019-05-10', 5), ('kinerja', 'sangat_kurang', '2019-05-10', 1), ('kinerja', 'none', '2019-05-10', 1),
    ('disiplin', 'none', '2019-05-10', 5), ('disiplin', 'ringan', '2019-05-10', 3), ('disiplin', 'sedang', '2019-05-10', 2), ('disiplin', 'berat', '2019-05-10', 1);

CREATE TABLE ip_asn_component (
    component     text    NOT NULL CONSTRAINT ip_asn_component_known CHECK (component IN ('kepemimpinan', 'fungsional', 'teknis', 'seminar')),
    position_kind text    NOT NULL,
    valid_from    date    NOT NULL,
    points        numeric NOT NULL,
    forms         text[]  NOT NULL,
    least_jp      integer NOT NULL DEFAULT 0,
    months        integer,
    CONSTRAINT ip_asn_component_pkey PRIMARY KEY (component, position_kind, valid_from)
);
COMMENT ON TABLE ip_asn_component IS
    'Points of IP ASN for competence by kind of position: all or nothing (confirmed). Which forms count for which, and the windows, are a running system''s reading.';
COMMENT ON COLUMN ip_asn_component.component IS 'Leadership, functional, technical training; seminar and the like';
COMMENT ON COLUMN ip_asn_component.position_kind IS 'Of whom';
COMMENT ON COLUMN ip_asn_component.valid_from IS 'In force since';
COMMENT ON COLUMN ip_asn_component.points IS 'Points';
COMMENT ON COLUMN ip_asn_component.forms IS 'Codes of list training-form that count for it';
COMMENT ON COLUMN ip_asn_component.least_jp IS 'JP that these must have together';
COMMENT ON COLUMN ip_asn_component.months IS 'How many months back; null: any time';
INSERT INTO ip_asn_component VALUES
    ('kepemimpinan', 'struktural', '2019-05-10', 15, '{B1}', 0, NULL),
    ('fungsional', 'fungsional', '2019-05-10', 15, '{B4}', 0, NULL),
    ('teknis', 'struktural', '2019-05-10', 15, '{B3,B10}', 20, NULL),
    ('teknis', 'fungsional', '2019-05-10', 15, '{B3,B10}', 20, NULL),
    ('teknis', 'pelaksana', '2019-05-10', 22.5, '{B3,B10}', 20, 12),
    ('seminar', 'struktural', '2019-05-10', 10, '{B6,B7,B8,B9,B11,C1,C2,C3,C4,C5,C6,C7,C8,C9,C10,C11}', 0, 24),
    ('seminar', 'fungsional', '2019-05-10', 10, '{B6,B7,B8,B9,B11,C1,C2,C3,C4,C5,C6,C7,C8,C9,C10,C11}', 0, 24),
    ('seminar', 'pelaksana', '2019-05-10', 17.5, '{B6,B7,B8,B9,B11,C1,C2,C3,C4,C5,C6,C7,C8,C9,C10,C11}', 0, 24);

CREATE TABLE ip_asn_category (
    mode text    NOT NULL CONSTRAINT ip_asn_category_mode_known CHECK (mode IN ('above', 'from')),
    code text    NOT NULL,
    cut  numeric NOT NULL,
    CONSTRAINT ip_asn_category_pkey PRIMARY KEY (mode, code)
);
COMMENT ON TABLE ip_asn_category IS
    'Categories of IP ASN. Per BKN 8/2019 has whole numbers (61–70); what 60.5 is, two running systems read differently, so the mode is a setting.';
COMMENT ON COLUMN ip_asn_category.mode IS 'above: more than the cut (60.5 is Rendah); from: the cut or more, of the sum cut to two decimals (60.5 is Sangat Rendah)';
COMMENT ON COLUMN ip_asn_category.code IS 'Category';
COMMENT ON COLUMN ip_asn_category.cut IS 'Above, or from';
INSERT INTO ip_asn_category VALUES
    ('above', 'sangat_tinggi', 90), ('above', 'tinggi', 80), ('above', 'sedang', 70), ('above', 'rendah', 60), ('above', 'sangat_rendah', -1),
    ('from', 'sangat_tinggi', 91), ('from', 'tinggi', 81), ('from', 'sedang', 71), ('from', 'rendah', 61), ('from', 'sangat_rendah', 0);

CREATE FUNCTION ip_asn_category_of(total numeric, cut_mode text) RETURNS text
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (SELECT c.code FROM ip_asn_category c
            WHERE  c.mode = cut_mode AND CASE cut_mode WHEN 'above' THEN total > c.cut ELSE trunc(total, 2) >= c.cut END
            ORDER  BY c.cut DESC LIMIT 1);
END $$;
COMMENT ON FUNCTION ip_asn_category_of(numeric, text) IS 'Category of a sum of points by one of the two readings.';

CREATE FUNCTION ip_asn_points(which text, fact text, at date) RETURNS numeric
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (SELECT s.points FROM ip_asn_score s
            WHERE  s.part = which AND s.key IN (fact, 'none') AND s.valid_from <= at
            ORDER  BY s.key = 'none', s.valid_from DESC LIMIT 1);
END $$;
COMMENT ON FUNCTION ip_asn_points(text, text, date) IS 'Points for a fact in a dimension; what the table does not name has those of none.';

CREATE FUNCTION ip_asn_competence(which_position text, at date, done jsonb) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (SELECT coalesce(jsonb_agg(jsonb_build_object('component', c.component, 'points', CASE WHEN w.holds THEN c.points ELSE 0 END, 'possible', c.points,
                                                         'jp', w.jp, 'least_jp', c.least_jp, 'since', CASE WHEN c.months IS NOT NULL
                                                             THEN (at - make_interval(months => c.months))::date END, 'held', w.names) ORDER BY c.component), '[]')
            FROM  (SELECT DISTINCT ON (k.component) k.* FROM ip_asn_component k
                   WHERE  k.position_kind = which_position AND k.valid_from <= at ORDER BY k.component, k.valid_from DESC) c
            CROSS  JOIN LATERAL (
                SELECT count(*) > 0 AND coalesce(sum((d ->> 'jp')::integer), 0) >= c.least_jp AS holds, coalesce(sum((d ->> 'jp')::integer), 0)::integer AS jp,
                       coalesce(jsonb_agg(d ->> 'name' ORDER BY d ->> 'day', d ->> 'name'), '[]') AS names
                FROM   jsonb_array_elements(done) AS d
                WHERE  d ->> 'form' = ANY (c.forms) AND (d ->> 'day')::date <= at
                       AND (c.months IS NULL OR (d ->> 'day')::date > (at - make_interval(months => c.months))::date)) w);
END $$;
COMMENT ON FUNCTION ip_asn_competence(text, date, jsonb) IS
    'Components of competence, each with its points and why. done: trainings with form, name, day (last) and jp. A component counts as a whole or not at all.';

CREATE TYPE ip_asn AS (qualification numeric, competence numeric, performance numeric, discipline numeric, total numeric, reasons jsonb);
COMMENT ON TYPE ip_asn IS 'The four dimensions, their sum, and why.';

CREATE FUNCTION ip_asn_of(which uuid, at date) RETURNS ip_asn
LANGUAGE plpgsql STABLE AS $$
DECLARE
    a      asn;
    done   jsonb;
    parts  jsonb;
    rated  record;
    worst  record;
    ret    ip_asn;
BEGIN
    SELECT n.* INTO a FROM asn n WHERE n.id = which;
    IF at <> local_today() THEN
        SELECT h.* INTO a FROM asn n, asn_as_of(n, at) h WHERE n.id = which;
    END IF;
    IF a.id IS NULL THEN
        RETURN NULL;
    END IF;
    SELECT coalesce(jsonb_agg(jsonb_build_object('form', d.form, 'name', d.name, 'day', d.day, 'jp', d.jp)), '[]') INTO done
    FROM  (SELECT h.facts ->> 'form' AS form, h.facts ->> 'name' AS name, coalesce(h.ends - 1, h.starts) AS day, (h.facts ->> 'jp')::integer AS jp
           FROM   history h WHERE h.asn_id = which AND h.kind = 'course' AND NOT h.is_void
           UNION ALL
           SELECT p.form, p.name, (upper(e.days) - 1)::date, e.jp
           FROM   enrolment e JOIN session s ON s.id = e.session_id JOIN programme p ON p.id = s.programme_id
           WHERE  e.asn_id = which AND e.jp IS NOT NULL) d;
    parts := ip_asn_competence(a.position_kind, at, done);
    SELECT e.predicate, p.name, p.ends_on INTO rated
    FROM   evaluation_current e JOIN period p ON p.id = e.period_id
    WHERE  e.asn_id = which AND e.state = 'final' AND p.kind = 'tahunan' AND p.ends_on <= at
    ORDER  BY p.ends_on DESC LIMIT 1;
    SELECT h.facts ->> 'level' AS level, h.starts INTO worst
    FROM   history h
    WHERE  h.asn_id = which AND h.kind = 'discipline' AND NOT h.is_void AND h.starts <= at AND h.starts > (at - interval '5 years')::date
    ORDER  BY ip_asn_points('disiplin', h.facts ->> 'level', at), h.starts DESC LIMIT 1;
    ret.qualification := ip_asn_points('kualifikasi', a.education_level, at);
    ret.competence := (SELECT coalesce(sum((c ->> 'points')::numeric), 0) FROM jsonb_array_elements(parts) c);
    ret.performance := ip_asn_points('kinerja', rated.predicate, at);
    ret.discipline := ip_asn_points('disiplin', worst.level, at);
    ret.total := ret.qualification + ret.competence + ret.performance + ret.discipline;
    ret.reasons := jsonb_build_object('education_level', a.education_level, 'position_kind', a.position_kind, 'components', parts,
                                      'predicate', rated.predicate, 'period', rated.name, 'penalty', worst.level, 'penalty_on', worst.starts);
    RETURN ret;
END $$;
COMMENT ON FUNCTION ip_asn_of(uuid, date) IS
    'IP ASN of a person on a day (Permenpan RB 38/2018, Per BKN 8/2019), from record, courses, passed enrolments, the last yearly evaluation that ended by then, and the '
    'worst penalty of five years. Null: not appointed then.';

CREATE TABLE ip_asn_bkn (
    id            uuid        CONSTRAINT ip_asn_bkn_pkey PRIMARY KEY,
    asn_id        uuid        NOT NULL CONSTRAINT ip_asn_bkn_asn_fkey REFERENCES asn,
    year          integer     NOT NULL CONSTRAINT ip_asn_bkn_year_range CHECK (year BETWEEN 2018 AND 2099),
    qualification numeric     NOT NULL CONSTRAINT ip_asn_bkn_qualification_range CHECK (qualification BETWEEN 0 AND 100),
    competence    numeric     NOT NULL CONSTRAINT ip_asn_bkn_competence_range CHECK (competence BETWEEN 0 AND 100),
    performance   numeric     NOT NULL CONSTRAINT ip_asn_bkn_performance_range CHECK (performance BETWEEN 0 AND 100),
    discipline    numeric     NOT NULL CONSTRAINT ip_asn_bkn_discipline_range CHECK (discipline BETWEEN 0 AND 100),
    note          text        CONSTRAINT ip_asn_bkn_note_length CHECK (length(note) BETWEEN 1 AND 2000),
    told_at       timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT ip_asn_bkn_once UNIQUE (asn_id, year)
);
COMMENT ON TABLE ip_asn_bkn IS 'What BKN itself says (SIASN), beside ours.';
COMMENT ON COLUMN ip_asn_bkn.id IS 'UUIDv7';
COMMENT ON COLUMN ip_asn_bkn.asn_id IS 'asn.id';
COMMENT ON COLUMN ip_asn_bkn.year IS 'Year of the measurement';
COMMENT ON COLUMN ip_asn_bkn.qualification IS 'kualifikasi';
COMMENT ON COLUMN ip_asn_bkn.competence IS 'kompetensi';
COMMENT ON COLUMN ip_asn_bkn.performance IS 'kinerja';
COMMENT ON COLUMN ip_asn_bkn.discipline IS 'disiplin';
COMMENT ON COLUMN ip_asn_bkn.note IS 'keterangan';
COMMENT ON COLUMN ip_asn_bkn.told_at IS 'When it was told';

-- ── talent boxes ─────────────────────────────────────────────────────────────────────────────────────────────────────────

CREATE TABLE talent_cell (
    results_rating text     NOT NULL,
    potential      text     NOT NULL,
    box            smallint NOT NULL CONSTRAINT talent_cell_box_key UNIQUE,
    CONSTRAINT talent_cell_pkey PRIMARY KEY (results_rating, potential)
);
COMMENT ON TABLE talent_cell IS 'Nine boxes (Permenpan RB 3/2020; confirmed): performance by potential.';
COMMENT ON COLUMN talent_cell.results_rating IS 'Rating hasil kerja';
COMMENT ON COLUMN talent_cell.potential IS 'rendah, menengah, tinggi';
COMMENT ON COLUMN talent_cell.box IS '1 … 9';
INSERT INTO talent_cell VALUES
    ('di_atas_ekspektasi', 'rendah', 4), ('di_atas_ekspektasi', 'menengah', 7), ('di_atas_ekspektasi', 'tinggi', 9),
    ('sesuai_ekspektasi', 'rendah', 2), ('sesuai_ekspektasi', 'menengah', 5), ('sesuai_ekspektasi', 'tinggi', 8),
    ('di_bawah_ekspektasi', 'rendah', 1), ('di_bawah_ekspektasi', 'menengah', 3), ('di_bawah_ekspektasi', 'tinggi', 6);

CREATE TABLE talent_cut (
    valid_from date    CONSTRAINT talent_cut_pkey PRIMARY KEY,
    middle     numeric NOT NULL,
    high       numeric NOT NULL,
    source     text    NOT NULL,
    CONSTRAINT talent_cut_order CHECK (middle < high)
);
COMMENT ON TABLE talent_cut IS 'From which potential on it is middle, and high: the agency''s own setting.';
COMMENT ON COLUMN talent_cut.valid_from IS 'In force since';
COMMENT ON COLUMN talent_cut.middle IS 'From here on menengah';
COMMENT ON COLUMN talent_cut.high IS 'From here on tinggi';
COMMENT ON COLUMN talent_cut.source IS 'Who set it';
INSERT INTO talent_cut VALUES ('2020-01-01', 60, 80, 'one of several in use (60/80, 46/72, 50/80); the agency decides');

CREATE TABLE potential (
    id          uuid        CONSTRAINT potential_pkey PRIMARY KEY,
    asn_id      uuid        NOT NULL CONSTRAINT potential_asn_fkey REFERENCES asn,
    assessed_on date        NOT NULL CONSTRAINT potential_assessed_on_range CHECK (assessed_on BETWEEN '2000-01-01' AND '2099-12-31'),
    score       numeric     NOT NULL CONSTRAINT potential_score_range CHECK (score BETWEEN 0 AND 100),
    method      text        NOT NULL CONSTRAINT potential_method_length CHECK (length(method) BETWEEN 1 AND 200),
    actor_name  text        NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX potential_asn_idx ON potential (asn_id, assessed_on DESC, id DESC);
COMMENT ON TABLE potential IS 'Assessments of a person''s potential. Only added to; the latest holds.';
COMMENT ON COLUMN potential.id IS 'UUIDv7';
COMMENT ON COLUMN potential.asn_id IS 'asn.id';
COMMENT ON COLUMN potential.assessed_on IS 'When';
COMMENT ON COLUMN potential.score IS '0 … 100';
COMMENT ON COLUMN potential.method IS 'By which assessment';
COMMENT ON COLUMN potential.actor_name IS 'Name of the key that wrote it';
COMMENT ON COLUMN potential.created_at IS 'When it was written';

CREATE FUNCTION potential_level(score numeric, at date) RETURNS text
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (SELECT CASE WHEN score >= c.high THEN 'tinggi' WHEN score >= c.middle THEN 'menengah' WHEN score IS NOT NULL THEN 'rendah' END
            FROM   talent_cut c WHERE c.valid_from <= at ORDER BY c.valid_from DESC LIMIT 1);
END $$;
COMMENT ON FUNCTION potential_level(numeric, date) IS 'Low, middle or high potential by the cuts in force on a day.';

-- ── absence ──────────────────────────────────────────────────────────────────────────────────────────────────────────────

CREATE TABLE absence_penalty (
    from_days  integer NOT NULL,
    valid_from date    NOT NULL,
    level      text    NOT NULL,
    penalty    text    NOT NULL,
    in_a_row   boolean NOT NULL DEFAULT false,
    source     text    NOT NULL,
    CONSTRAINT absence_penalty_pkey PRIMARY KEY (valid_from, in_a_row, from_days)
);
COMMENT ON TABLE absence_penalty IS 'Penalties for absence without valid reason in a calendar year (PP 94/2021; confirmed).';
COMMENT ON COLUMN absence_penalty.from_days IS 'From so many working days on';
COMMENT ON COLUMN absence_penalty.valid_from IS 'In force since';
COMMENT ON COLUMN absence_penalty.level IS 'ringan, sedang, berat';
COMMENT ON COLUMN absence_penalty.penalty IS 'Which penalty';
COMMENT ON COLUMN absence_penalty.in_a_row IS 'Of days in a row, which outweigh those of the year';
COMMENT ON COLUMN absence_penalty.source IS 'Article';
INSERT INTO absence_penalty (from_days, valid_from, level, penalty, in_a_row, source) VALUES
    (3, '2021-08-31', 'ringan', 'Teguran lisan', false, 'PP 94/2021 Art. 9'),
    (4, '2021-08-31', 'ringan', 'Teguran tertulis', false, 'PP 94/2021 Art. 9'),
    (7, '2021-08-31', 'ringan', 'Pernyataan tidak puas secara tertulis', false, 'PP 94/2021 Art. 9'),
    (11, '2021-08-31', 'sedang', 'Pemotongan tunjangan kinerja 25 persen selama 6 bulan', false, 'PP 94/2021 Art. 10'),
    (14, '2021-08-31', 'sedang', 'Pemotongan tunjangan kinerja 25 persen selama 9 bulan', false, 'PP 94/2021 Art. 10'),
    (17, '2021-08-31', 'sedang', 'Pemotongan tunjangan kinerja 25 persen selama 12 bulan', false, 'PP 94/2021 Art. 10'),
    (21, '2021-08-31', 'berat', 'Penurunan jabatan setingkat lebih rendah selama 12 bulan', false, 'PP 94/2021 Art. 11'),
    (25, '2021-08-31', 'berat', 'Pembebasan dari jabatan menjadi jabatan pelaksana selama 12 bulan', false, 'PP 94/2021 Art. 11'),
    (28, '2021-08-31', 'berat', 'Pemberhentian dengan hormat tidak atas permintaan sendiri', false, 'PP 94/2021 Art. 11'),
    (10, '2021-08-31', 'berat', 'Pemberhentian dengan hormat tidak atas permintaan sendiri', true, 'PP 94/2021 Art. 11(2)d');
