-- Breaches of personal data and whom they were told to in time (UU 27/2022, article 46); the index of the merit system, which is of the agency and of nobody. docs/security.md, docs/indices.md.

-- ── breaches ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

CREATE FUNCTION breach_notify_by(found timestamptz) RETURNS timestamptz
LANGUAGE sql STABLE STRICT PARALLEL SAFE
RETURN found + interval '72 hours';
COMMENT ON FUNCTION breach_notify_by(timestamptz) IS 'The last moment of a notice: 3 × 24 hours by the clock, whatever days they fall on (UU 27/2022, article 46).';

CREATE TABLE data_breach (
    id              uuid        CONSTRAINT data_breach_pkey PRIMARY KEY,
    found_at        timestamptz NOT NULL,
    which_data      text        NOT NULL CONSTRAINT data_breach_data_length CHECK (length(which_data) BETWEEN 1 AND 2000),
    happened        text        NOT NULL CONSTRAINT data_breach_happened_length CHECK (length(happened) BETWEEN 1 AND 4000),
    handling        text        CONSTRAINT data_breach_handling_length CHECK (length(handling) BETWEEN 1 AND 4000),
    people          integer     CONSTRAINT data_breach_people_range CHECK (people >= 0),
    is_for_public   boolean     NOT NULL DEFAULT false,
    actor_name      text        NOT NULL,
    version         bigint      NOT NULL DEFAULT 1,
    created_at      timestamptz NOT NULL DEFAULT now(),
    updated_at      timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE data_breach IS 'Breaches of the protection of personal data, as they are to be told: which data, when and how, what is done.';
COMMENT ON COLUMN data_breach.id IS 'UUIDv7';
COMMENT ON COLUMN data_breach.found_at IS 'When it was found: from then the limit runs';
COMMENT ON COLUMN data_breach.which_data IS 'Which data, by kind; the data themselves do not stand here';
COMMENT ON COLUMN data_breach.happened IS 'When and how';
COMMENT ON COLUMN data_breach.handling IS 'What is done about it and how it is made good; null: not known yet';
COMMENT ON COLUMN data_breach.people IS 'How many people it is about; null: not known yet';
COMMENT ON COLUMN data_breach.is_for_public IS 'Whether the public must be told, too';
COMMENT ON COLUMN data_breach.actor_name IS 'Who entered it';
COMMENT ON COLUMN data_breach.version IS 'Counts changes: ETag';
COMMENT ON COLUMN data_breach.created_at IS 'When the row was made';
COMMENT ON COLUMN data_breach.updated_at IS 'Last change';
CREATE TRIGGER data_breach_20_touch BEFORE UPDATE ON data_breach FOR EACH ROW EXECUTE FUNCTION touch_row();

CREATE TABLE data_breach_notice (
    id         uuid        CONSTRAINT data_breach_notice_pkey PRIMARY KEY,
    breach_id  uuid        NOT NULL CONSTRAINT data_breach_notice_breach_fkey REFERENCES data_breach,
    recipient  text        NOT NULL CONSTRAINT data_breach_notice_recipient_known CHECK (recipient IN ('subjects', 'agency', 'public')),
    told_at    timestamptz NOT NULL,
    reference  text        NOT NULL CONSTRAINT data_breach_notice_reference_length CHECK (length(reference) BETWEEN 1 AND 300),
    people     integer     CONSTRAINT data_breach_notice_people_range CHECK (people >= 1),
    actor_name text        NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX data_breach_notice_breach_idx ON data_breach_notice (breach_id, id);
COMMENT ON TABLE data_breach_notice IS 'Written notices of a breach. Only added to.';
COMMENT ON COLUMN data_breach_notice.id IS 'UUIDv7';
COMMENT ON COLUMN data_breach_notice.breach_id IS 'data_breach.id';
COMMENT ON COLUMN data_breach_notice.recipient IS 'subjects: the people whose data they are; agency: that for personal data; public';
COMMENT ON COLUMN data_breach_notice.told_at IS 'When it was sent';
COMMENT ON COLUMN data_breach_notice.reference IS 'Number of the letter, or where it was published';
COMMENT ON COLUMN data_breach_notice.people IS 'How many of them it went to; null: all';
COMMENT ON COLUMN data_breach_notice.actor_name IS 'Who noted it';
COMMENT ON COLUMN data_breach_notice.created_at IS 'When the row was made';

CREATE FUNCTION data_breach_enter() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.found_at > clock_timestamp() + interval '5 minutes' THEN
        RAISE EXCEPTION 'this lies in the future' USING ERRCODE = 'P0001', CONSTRAINT = 'data_breach_in_future';
    END IF;
    RETURN NEW;
END $$;
COMMENT ON FUNCTION data_breach_enter() IS 'A breach was found before it is entered.';
CREATE TRIGGER data_breach_10_enter BEFORE INSERT OR UPDATE ON data_breach FOR EACH ROW EXECUTE FUNCTION data_breach_enter();

CREATE FUNCTION data_breach_notice_enter() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'INSERT' THEN
        RAISE EXCEPTION 'what was told was told' USING ERRCODE = 'P0001', CONSTRAINT = 'data_breach_notice_fixed';
    END IF;
    IF NEW.told_at > clock_timestamp() + interval '5 minutes' OR NEW.told_at < (SELECT b.found_at FROM data_breach b WHERE b.id = NEW.breach_id) THEN
        RAISE EXCEPTION 'after it was found, and not in the future' USING ERRCODE = 'P0001', CONSTRAINT = 'data_breach_notice_time';
    END IF;
    RETURN NEW;
END $$;
COMMENT ON FUNCTION data_breach_notice_enter() IS 'Notices are only added, and come after the breach was found.';
CREATE TRIGGER data_breach_notice_10_enter BEFORE INSERT OR UPDATE OR DELETE ON data_breach_notice FOR EACH ROW EXECUTE FUNCTION data_breach_notice_enter();

CREATE VIEW data_breach_entry AS
SELECT b.id, b.found_at, breach_notify_by(b.found_at) AS notify_by, b.which_data, b.happened, b.handling, b.people, b.is_for_public,
       array_remove(ARRAY[CASE WHEN b.handling IS NULL THEN 'handling' END, CASE WHEN b.people IS NULL THEN 'people' END], NULL) AS lacks,
       w.owed, w.late, w.subjects_told_at, w.agency_told_at, w.public_told_at, b.actor_name, b.version, b.created_at, b.updated_at
FROM   data_breach b
CROSS  JOIN LATERAL (SELECT coalesce(array_agg(r.recipient ORDER BY r.nth) FILTER (WHERE r.is_due AND r.told_at IS NULL), '{}') AS owed,
                            coalesce(array_agg(r.recipient ORDER BY r.nth) FILTER (WHERE r.is_due AND coalesce(r.told_at, now()) > breach_notify_by(b.found_at)), '{}') AS late,
                            max(r.told_at) FILTER (WHERE r.recipient = 'subjects') AS subjects_told_at, max(r.told_at) FILTER (WHERE r.recipient = 'agency') AS agency_told_at,
                            max(r.told_at) FILTER (WHERE r.recipient = 'public') AS public_told_at
                     FROM   (SELECT v.recipient, v.nth, v.recipient <> 'public' OR b.is_for_public AS is_due,
                                    (SELECT min(n.told_at) FROM data_breach_notice n WHERE n.breach_id = b.id AND n.recipient = v.recipient AND n.people IS NULL) AS told_at
                             FROM   (VALUES ('subjects', 1), ('agency', 2), ('public', 3)) AS v (recipient, nth)) r) w;
COMMENT ON VIEW data_breach_entry IS
    'Breaches; until when they must be told; who must be told yet (owed), and who was not told in time, or is not by now (late). A notice to some of the people tells not all of them.';

-- ── merit ────────────────────────────────────────────────────────────────────────────────────────────────────────────────

CREATE TABLE merit_band (
    scale     text    NOT NULL CONSTRAINT merit_band_scale_known CHECK (scale IN ('merit-400', 'nism')),
    code      text    NOT NULL CONSTRAINT merit_band_code_form CHECK (code ~ '^[a-z][a-z_]{0,39}$'),
    name      text    NOT NULL,
    name_en   text    NOT NULL,
    above     numeric NOT NULL,
    is_within boolean NOT NULL,
    most      numeric NOT NULL,
    source    text    NOT NULL,
    CONSTRAINT merit_band_pkey PRIMARY KEY (scale, code),
    CONSTRAINT merit_band_once UNIQUE (scale, above)
);
COMMENT ON TABLE merit_band IS 'What points of the merit system are called, by the scale. The highest band that begins below them is theirs.';
COMMENT ON COLUMN merit_band.scale IS 'merit-400: Permenpan RB 40/2018, 100 to 400; nism: the one told in 2025, 0 to 1 and more';
COMMENT ON COLUMN merit_band.code IS 'Short name';
COMMENT ON COLUMN merit_band.name IS 'In Indonesian';
COMMENT ON COLUMN merit_band.name_en IS 'In English';
COMMENT ON COLUMN merit_band.above IS 'Where it begins';
COMMENT ON COLUMN merit_band.is_within IS 'Whether that bound itself belongs to it';
COMMENT ON COLUMN merit_band.most IS 'The most points there are on this scale';
COMMENT ON COLUMN merit_band.source IS 'Regulation, and how sure that is';
INSERT INTO merit_band (scale, code, name, name_en, above, is_within, most, source)
SELECT 'merit-400', v.code, v.name, v.name_en, v.above, true, 400, 'Permenpan RB 40/2018: the bands, recalled; published results agree (305.5 Baik, 325.5 Sangat Baik)'
FROM   (VALUES ('buruk', 'Buruk', 'Bad', 100), ('kurang', 'Kurang', 'Poor', 175), ('baik', 'Baik', 'Good', 250), ('sangat_baik', 'Sangat Baik', 'Very good', 325)) AS v (code, name, name_en, above)
UNION  ALL
SELECT 'nism', v.code, v.name, v.name_en, v.above, v.above = 0, 2, 'KemenPANRB, 28 August 2025, as reported; the most points, ours'
FROM   (VALUES ('dasar', 'Dasar', 'Basic', 0), ('lanjutan', 'Lanjutan', 'Advanced', 0.4), ('menengah', 'Menengah', 'Intermediate', 0.6), ('tinggi', 'Tinggi', 'High', 0.8), ('maju', 'Maju', 'Leading', 1))
       AS v (code, name, name_en, above);

CREATE FUNCTION merit_band_of(of_scale text, points numeric) RETURNS text
LANGUAGE sql STABLE
RETURN (SELECT b.code FROM merit_band b WHERE b.scale = of_scale AND (points > b.above OR b.is_within AND points = b.above) ORDER BY b.above DESC LIMIT 1);
COMMENT ON FUNCTION merit_band_of(text, numeric) IS 'What these points are called; null: below all bands.';

CREATE TABLE merit_index (
    year            integer     CONSTRAINT merit_index_pkey PRIMARY KEY CONSTRAINT merit_index_year_range CHECK (year BETWEEN 2018 AND 2099),
    scale           text        NOT NULL CONSTRAINT merit_index_scale_known CHECK (scale IN ('merit-400', 'nism')),
    points          numeric     CONSTRAINT merit_index_points_range CHECK (points BETWEEN 0 AND 400),
    official_points numeric     CONSTRAINT merit_index_official_points_range CHECK (official_points BETWEEN 0 AND 400),
    note            text        CONSTRAINT merit_index_note_length CHECK (length(note) BETWEEN 1 AND 2000),
    actor_name      text        NOT NULL,
    told_at         timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT merit_index_says CHECK (num_nonnulls(points, official_points) >= 1)
);
COMMENT ON TABLE merit_index IS 'Index of the merit system of the agency by the year: what it found itself, and what was published. Neither takes the place of the other.';
COMMENT ON COLUMN merit_index.year IS 'Year of the assessment';
COMMENT ON COLUMN merit_index.scale IS 'merit_band.scale';
COMMENT ON COLUMN merit_index.points IS 'Of the self-assessment; null: not told';
COMMENT ON COLUMN merit_index.official_points IS 'As it was published; null: not told';
COMMENT ON COLUMN merit_index.note IS 'Where from';
COMMENT ON COLUMN merit_index.actor_name IS 'Who told it';
COMMENT ON COLUMN merit_index.told_at IS 'When';

CREATE FUNCTION merit_index_enter() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM merit_band b WHERE b.scale = NEW.scale AND greatest(NEW.points, NEW.official_points) > b.most;
    IF FOUND THEN
        RAISE EXCEPTION 'more than there is' USING ERRCODE = 'P0001', CONSTRAINT = 'merit_index_scale_most';
    END IF;
    RETURN NEW;
END $$;
COMMENT ON FUNCTION merit_index_enter() IS 'Points are those of their scale.';
CREATE TRIGGER merit_index_10_enter BEFORE INSERT OR UPDATE ON merit_index FOR EACH ROW EXECUTE FUNCTION merit_index_enter();

CREATE VIEW merit_index_entry AS
SELECT m.year, m.scale, m.points, merit_band_of(m.scale, m.points) AS band, m.official_points, merit_band_of(m.scale, m.official_points) AS official_band,
       m.points - m.official_points AS ours_minus_theirs, m.note, m.actor_name, m.told_at
FROM   merit_index m;
COMMENT ON VIEW merit_index_entry IS 'The index of the merit system by the year, with what its points are called.';

SELECT audit_attach();
SELECT row_security_attach();
