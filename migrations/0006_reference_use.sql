-- Records hold codes of the reference lists. What 0001 and 0002 kept as tables of their own are lists like the others now; where a rule
-- needs one of them, a view gives its rows of today under the old name.

INSERT INTO reference_list VALUES
    ('training-form', 'Bentuk pengembangan kompetensi', 'Forms of competency development',
     'What one unit of it is worth. facts: method, counted_by (jp, hari, semester, sesi, kegiatan), jp_national, jp_abroad.',
     'Peraturan LAN 10/2018, table of letter B-031/BPS/2600/02/2019');
INSERT INTO reference (list, code, name, name_en, seq, facts, source)
SELECT 'training-form', f.code, f.name, g.gloss, row_number() OVER (ORDER BY left(f.code, 1), substr(f.code, 2)::integer),
       jsonb_build_object('method', f.method, 'counted_by', f.counted_by, 'jp_national', f.jp_national, 'jp_abroad', f.jp_abroad),
       'Peraturan LAN 10/2018'
FROM   training_form f
JOIN   (VALUES ('A1', 'Study assignment'), ('A2', 'Study by permission'), ('B1', 'Leadership training'), ('B2', 'Managerial training'),
               ('B3', 'Technical training'), ('B4', 'Training for a functional position'), ('B5', 'Socio-cultural training'), ('B6', 'Seminar, conference'),
               ('B7', 'Workshop'), ('B8', 'Course'), ('B9', 'Upgrading course'), ('B10', 'Technical guidance'), ('B11', 'Briefing'), ('C1', 'Coaching'),
               ('C2', 'Mentoring'), ('C3', 'E-learning'), ('C4', 'Distance training'), ('C5', 'Secondment'), ('C6', 'Outdoor learning'),
               ('C7', 'Benchmarking visit'), ('C8', 'Exchange with the private sector'), ('C9', 'Self-study'), ('C10', 'Learning community'),
               ('C11', 'Internship')) AS g (code, gloss) USING (code);

ALTER TABLE asn DROP CONSTRAINT asn_rank_fkey, DROP CONSTRAINT asn_echelon_fkey, DROP CONSTRAINT asn_education_level_fkey,
                DROP CONSTRAINT asn_legal_status_fkey;
ALTER TABLE programme DROP CONSTRAINT programme_form_fkey;
DROP TABLE rank, education_level, legal_status, echelon, training_form;

CREATE VIEW rank AS
SELECT CASE r.list WHEN 'rank-pns' THEN 'PNS' ELSE 'PPPK' END AS kind, r.code, r.name, r.seq
FROM   reference r
WHERE  r.list IN ('rank-pns', 'rank-pppk') AND r.valid @> local_today();
COMMENT ON VIEW rank IS 'Golongan of today: kind PNS (also CPNS) or PPPK, code (III/a, IX), name (pangkat), seq from the lowest.';

CREATE VIEW legal_status AS
SELECT r.code, r.name, (r.facts ->> 'in_service')::boolean AS in_service
FROM   reference r
WHERE  r.list = 'legal-status' AND r.valid @> local_today();
COMMENT ON VIEW legal_status IS
    'Kedudukan hukum of today; in_service: works and is assessed in the ordinary way, so may be enrolled in training.';

-- Once a statement, so that a bulk merge pays once (OFFSET 0: and once for each code, not for each person). The names are those that the API's problems are told by (x-constraints).
CREATE FUNCTION asn_codes_known() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
    broken text;
BEGIN
    IF TG_OP = 'INSERT' THEN
        SELECT w.named INTO broken
        FROM   (SELECT DISTINCT v.named, v.list, v.code
                FROM   entered n
                CROSS  JOIN LATERAL (VALUES ('asn_rank_fkey', 'rank-' || lower(n.rank_kind), n.rank), ('asn_echelon_fkey', 'echelon', n.echelon),
                                            ('asn_education_level_fkey', 'education-level', n.education_level),
                                            ('asn_legal_status_fkey', 'legal-status', n.legal_status)) AS v (named, list, code)
                WHERE  v.code IS NOT NULL
                OFFSET 0) w
        WHERE  NOT reference_holds(w.list, w.code, local_today())
        LIMIT  1;
    ELSE
        SELECT w.named INTO broken
        FROM   (SELECT DISTINCT v.named, v.list, v.code
                FROM   entered n JOIN departed o USING (id)
                CROSS  JOIN LATERAL (VALUES ('asn_rank_fkey', 'rank-' || lower(n.rank_kind), n.rank,
                                             (n.rank_kind, n.rank) IS DISTINCT FROM (o.rank_kind, o.rank)),
                                            ('asn_echelon_fkey', 'echelon', n.echelon, n.echelon IS DISTINCT FROM o.echelon),
                                            ('asn_education_level_fkey', 'education-level', n.education_level,
                                             n.education_level IS DISTINCT FROM o.education_level),
                                            ('asn_legal_status_fkey', 'legal-status', n.legal_status, n.legal_status <> o.legal_status))
                       AS v (named, list, code, is_new)
                WHERE  v.code IS NOT NULL AND v.is_new
                OFFSET 0) w
        WHERE  NOT reference_holds(w.list, w.code, local_today())
        LIMIT  1;
    END IF;
    IF FOUND THEN
        RAISE EXCEPTION 'a code that its list does not hold today' USING ERRCODE = 'P0001', CONSTRAINT = broken;
    END IF;
    RETURN NULL;
END $$;
COMMENT ON FUNCTION asn_codes_known() IS 'New codes of a person must hold today; a code that has ended since may stay.';
CREATE TRIGGER asn_25_codes_insert AFTER INSERT ON asn REFERENCING NEW TABLE AS entered
    FOR EACH STATEMENT EXECUTE FUNCTION asn_codes_known();
CREATE TRIGGER asn_25_codes_update AFTER UPDATE ON asn REFERENCING NEW TABLE AS entered OLD TABLE AS departed
    FOR EACH STATEMENT EXECUTE FUNCTION asn_codes_known();

CREATE FUNCTION programme_form_known() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF (TG_OP = 'INSERT' OR NEW.form <> OLD.form) AND NOT reference_holds('training-form', NEW.form, local_today()) THEN
        RAISE EXCEPTION 'no such form' USING ERRCODE = 'P0001', CONSTRAINT = 'programme_form_fkey';
    END IF;
    RETURN NEW;
END $$;
COMMENT ON FUNCTION programme_form_known() IS 'A programme''s form must hold on the day on which it is given.';
CREATE TRIGGER programme_10_form BEFORE INSERT OR UPDATE OF form ON programme FOR EACH ROW EXECUTE FUNCTION programme_form_known();
