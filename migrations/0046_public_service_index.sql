-- Indeks pelayanan publik (IPP) of units that serve: worked out from the scores of its aspects by weights that have their day, beside the value that was
-- published by KemenPANRB. See docs/indices.md and docs/open-data.md.

CREATE TABLE ipp_aspect (
    code       text    NOT NULL CONSTRAINT ipp_aspect_code_form CHECK (code ~ '^[a-z][a-z_]{0,39}$'),
    valid_from date    NOT NULL,
    seq        integer NOT NULL,
    name       text    NOT NULL,
    name_en    text    NOT NULL,
    weight     numeric NOT NULL CONSTRAINT ipp_aspect_weight_range CHECK (weight > 0 AND weight <= 100),
    source     text    NOT NULL,
    CONSTRAINT ipp_aspect_pkey PRIMARY KEY (valid_from, code)
);
COMMENT ON TABLE ipp_aspect IS 'Aspects of IPP and what each weighs. The rows of one day are one table: those of the latest day up to the end of a year hold for it.';
COMMENT ON COLUMN ipp_aspect.code IS 'Short name';
COMMENT ON COLUMN ipp_aspect.valid_from IS 'In force since';
COMMENT ON COLUMN ipp_aspect.seq IS 'Order';
COMMENT ON COLUMN ipp_aspect.name IS 'In Indonesian';
COMMENT ON COLUMN ipp_aspect.name_en IS 'In English';
COMMENT ON COLUMN ipp_aspect.weight IS 'Percent';
COMMENT ON COLUMN ipp_aspect.source IS 'Regulation, and how sure that is';
INSERT INTO ipp_aspect (code, valid_from, seq, name, name_en, weight, source)
SELECT w.code, '2022-01-01', w.seq, w.name, w.name_en, w.weight, 'Permenpan RB 29/2022 jo. 4/2023: the weights, confirmed; that they hold for 2022 already, ours'
FROM   (VALUES ('kebijakan', 1, 'Kebijakan pelayanan', 'Policy of service', 24), ('profesionalisme_sdm', 2, 'Profesionalisme SDM', 'Professionalism of staff', 25),
               ('sarana_prasarana', 3, 'Sarana dan prasarana', 'Facilities', 18), ('sipp', 4, 'Sistem informasi pelayanan publik', 'Information on services', 11),
               ('konsultasi_pengaduan', 5, 'Konsultasi dan pengaduan', 'Consultation and complaints', 10), ('inovasi', 6, 'Inovasi pelayanan', 'Innovation', 12))
       AS w (code, seq, name, name_en, weight);

CREATE TABLE ipp_category (
    code       text    NOT NULL,
    valid_from date    NOT NULL,
    at_most    numeric NOT NULL,
    source     text    NOT NULL,
    CONSTRAINT ipp_category_pkey PRIMARY KEY (valid_from, code)
);
COMMENT ON TABLE ipp_category IS 'Categories of IPP by the day.';
COMMENT ON COLUMN ipp_category.code IS 'A, A-, B …';
COMMENT ON COLUMN ipp_category.valid_from IS 'In force since';
COMMENT ON COLUMN ipp_category.at_most IS 'Up to this value, of two decimals';
COMMENT ON COLUMN ipp_category.source IS 'Regulation, and how sure that is';
INSERT INTO ipp_category (code, valid_from, at_most, source)
SELECT w.code, '2022-01-01', w.at_most, 'cuts of a public PEKPPP application; confirmed as its own'
FROM   (VALUES ('F', 1.00), ('E', 1.50), ('D', 2.00), ('C-', 2.50), ('C', 3.00), ('B-', 3.50), ('B', 4.00), ('A-', 4.50), ('A', 5.00)) AS w (code, at_most);

CREATE TABLE ipp_measurement (
    id                uuid        CONSTRAINT ipp_measurement_pkey PRIMARY KEY,
    service_unit_id   uuid        NOT NULL CONSTRAINT ipp_measurement_service_unit_fkey REFERENCES service_unit,
    year              integer     NOT NULL CONSTRAINT ipp_measurement_year_range CHECK (year BETWEEN 2018 AND 2099),
    scores            jsonb       CONSTRAINT ipp_measurement_scores_object CHECK (jsonb_typeof(scores) = 'object'),
    note              text        CONSTRAINT ipp_measurement_note_length CHECK (length(note) BETWEEN 1 AND 2000),
    told_at           timestamptz,
    official_value    numeric     CONSTRAINT ipp_measurement_official_value_range CHECK (official_value BETWEEN 0 AND 5),
    official_category text        CONSTRAINT ipp_measurement_official_category_length CHECK (length(official_category) BETWEEN 1 AND 10),
    official_note     text        CONSTRAINT ipp_measurement_official_note_length CHECK (length(official_note) BETWEEN 1 AND 2000),
    official_at       timestamptz,
    CONSTRAINT ipp_measurement_once UNIQUE (service_unit_id, year),
    CONSTRAINT ipp_measurement_says CHECK ((scores IS NULL) = (told_at IS NULL) AND (official_value IS NULL) = (official_at IS NULL))
);
CREATE INDEX ipp_measurement_year_idx ON ipp_measurement (year, service_unit_id);
COMMENT ON TABLE ipp_measurement IS 'What is known of the IPP of a unit in a year: its own scores, and the value published for it. Neither takes the place of the other.';
COMMENT ON COLUMN ipp_measurement.id IS 'UUIDv7';
COMMENT ON COLUMN ipp_measurement.service_unit_id IS 'service_unit.id';
COMMENT ON COLUMN ipp_measurement.year IS 'Year of the measurement';
COMMENT ON COLUMN ipp_measurement.scores IS 'Score, 0 to 5, by code of ipp_aspect; null: not told';
COMMENT ON COLUMN ipp_measurement.note IS 'Who scored, by which forms (F-01, F-02, F-03)';
COMMENT ON COLUMN ipp_measurement.told_at IS 'When the scores were told';
COMMENT ON COLUMN ipp_measurement.official_value IS 'Published value; null: not told';
COMMENT ON COLUMN ipp_measurement.official_category IS 'Published category, as it is printed';
COMMENT ON COLUMN ipp_measurement.official_note IS 'Where it was published';
COMMENT ON COLUMN ipp_measurement.official_at IS 'When it was told';

CREATE FUNCTION ipp_aspects_on(at date) RETURNS SETOF ipp_aspect
LANGUAGE sql STABLE AS $$
    SELECT a.* FROM ipp_aspect a WHERE a.valid_from = (SELECT max(v.valid_from) FROM ipp_aspect v WHERE v.valid_from <= at)
$$;
COMMENT ON FUNCTION ipp_aspects_on(date) IS 'The table of aspects that holds on a day.';

CREATE FUNCTION ipp_value(scores jsonb, at date) RETURNS numeric
LANGUAGE sql STABLE
RETURN (SELECT CASE WHEN bool_and(scores ? a.code) THEN (div(sum(a.weight * (scores ->> a.code)::numeric) * 200 + sum(a.weight), sum(a.weight) * 2) / 100)::numeric(4, 2) END
        FROM   ipp_aspects_on(at) a);
COMMENT ON FUNCTION ipp_value(jsonb, date) IS
    'Σ weight · score / Σ weight, two decimals, half up, of one whole division (Permenpan RB 29/2022). Null: an aspect has no score, or there was no table.';

CREATE FUNCTION ipp_category_of(value numeric, at date) RETURNS text
LANGUAGE sql STABLE
RETURN (SELECT c.code FROM ipp_category c
        WHERE  c.valid_from = (SELECT max(v.valid_from) FROM ipp_category v WHERE v.valid_from <= at) AND value <= c.at_most ORDER BY c.at_most LIMIT 1);
COMMENT ON FUNCTION ipp_category_of(numeric, date) IS 'Category of a value of two decimals by the table of a day.';

CREATE VIEW ipp_entry AS
SELECT m.service_unit_id, s.name, s.unit_id, m.year, ipp_value(m.scores, d.last) AS value, ipp_category_of(ipp_value(m.scores, d.last), d.last) AS category,
       w.aspects, w.unscored, m.note, m.told_at, m.official_value, m.official_category, m.official_note, m.official_at,
       ipp_value(m.scores, d.last) - m.official_value AS ours_minus_theirs, u.path AS _unit_path
FROM   ipp_measurement m
JOIN   service_unit s ON s.id = m.service_unit_id
JOIN   unit u ON u.id = s.unit_id
CROSS  JOIN LATERAL (SELECT make_date(m.year, 12, 31) AS last) d
CROSS  JOIN LATERAL (SELECT coalesce(jsonb_agg(jsonb_build_object('aspect', a.code, 'name', a.name, 'name_en', a.name_en, 'weight', a.weight,
                                                                  'score', (m.scores ->> a.code)::numeric) ORDER BY a.seq), '[]') AS aspects,
                            coalesce(array_agg(a.code ORDER BY a.seq) FILTER (WHERE m.scores IS NULL OR NOT m.scores ? a.code), '{}') AS unscored
                     FROM   ipp_aspects_on(d.last) a) w;
COMMENT ON VIEW ipp_entry IS 'IPP of units by the year: our value, category and aspects (unscored: those without a score), the published one, and the difference.';

ALTER FUNCTION open_work_out(integer, date) RENAME TO open_work_out_counted;
COMMENT ON FUNCTION open_work_out_counted(integer, date) IS
    'The figures of a year that are counted from records. Fewer than five are suppressed; of people also what would tell a suppressed group, and whatever lies above another unit that serves.';
CREATE FUNCTION open_work_out(in_year integer, today date) RETURNS TABLE (service_unit_id uuid, unit_name text, code text, value numeric, n bigint, reason text)
LANGUAGE sql STABLE AS $$
    SELECT c.* FROM open_work_out_counted(in_year, today) c
    UNION  ALL
    SELECT v.id, v.name, g.code, g.value, CASE WHEN g.value IS NOT NULL THEN a.n END, CASE WHEN g.value IS NULL THEN 'none' END
    FROM   service_unit v
    LEFT   JOIN ipp_entry i ON i.service_unit_id = v.id AND i.year = in_year
    CROSS  JOIN LATERAL (SELECT count(*) AS n FROM ipp_aspects_on(make_date(in_year, 12, 31))) a
    CROSS  JOIN LATERAL (VALUES ('service_index', CASE WHEN a.n >= 5 THEN i.value END), ('service_index_official', CASE WHEN a.n >= 5 THEN i.official_value END)) AS g (code, value)
    WHERE  v.is_active
$$;
COMMENT ON FUNCTION open_work_out(integer, date) IS 'The figures of a year that may be published: open_work_out_counted(), and the public service index, which is of a unit and of nobody.';

INSERT INTO open_definition (code, seq, name, name_en, measure, definition, definition_en, counts, inside, source) VALUES
    ('service_index', 14, 'Indeks Pelayanan Publik (hitungan sendiri)', 'Public service index (our own)', 'points',
     'Nilai 0–5 dari skor aspek menurut bobot yang berlaku pada tahun itu', 'Value of 0 to 5 from the scores of the aspects, by the weights of the year', 'aspects', 'listServiceIndices',
     'Permenpan RB 29/2022'),
    ('service_index_official', 15, 'Indeks Pelayanan Publik (diumumkan)', 'Public service index (as published)', 'points', 'Nilai yang diumumkan KemenPANRB untuk unit ini',
     'The value that KemenPANRB published for the unit', 'aspects', 'listServiceIndices', 'Permenpan RB 29/2022');

SELECT audit_attach();
