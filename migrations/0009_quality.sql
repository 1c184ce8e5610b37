-- Quality of the data as BKN counts it: which people each indicator is asked of, whom it names and by which facts, and the index made of them.
-- Each indicator is one branch of quality_check; the formula is docs/rules.md, section 6. Nothing here refuses a record.

-- ── what the rules read from the lists ── recalled where it says so: it warns, it never refuses
UPDATE reference_list SET description = description || ' is_employed: counted by the index of data quality (derived: in service, or with a regime of its own).'
WHERE  list = 'legal-status';
UPDATE reference SET facts = facts || jsonb_build_object('is_employed', (facts ->> 'in_service')::boolean OR code IN ('02', '03', '04', '07', '08', '13', '20'))
WHERE  list = 'legal-status';

UPDATE reference_list SET description = description || ' title: whoever has it bears a degree (recalled).' WHERE list = 'education-level';
UPDATE reference SET facts = facts || '{"title": true}' WHERE list = 'education-level' AND code >= '30';

UPDATE reference_list SET description = description || ' min_education: of its holders, a code of education-level (PP 11/2017, recalled).'
WHERE  list = 'position-level';
UPDATE reference SET facts = facts || jsonb_build_object('min_education', CASE code WHEN 'pengawas' THEN '30' ELSE '35' END)
WHERE  list = 'position-level' AND code IN ('jpt_utama', 'jpt_madya', 'jpt_pratama', 'administrator', 'pengawas');

UPDATE reference_list SET description = description
           || ' min_rank: of its holders, a code of rank-pns; one below the range of PP 13/2002, which allows that (recalled).'
WHERE  list = 'echelon';
UPDATE reference r SET facts = r.facts || jsonb_build_object('min_rank', m.rank)
FROM   (VALUES ('10', 'IV/c'), ('11', 'IV/c'), ('12', 'IV/b'), ('21', 'IV/b'), ('22', 'IV/a')) AS m (code, rank)
WHERE  r.list = 'echelon' AND r.code = m.code;

UPDATE reference_list SET description = description
           || ' Facts: weight; first_year (ACC_7: before it there were no PPPK, PP 49/2018); lacks: which fact is not kept here, so that it cannot be measured.'
WHERE  list = 'data-quality-indicator';
UPDATE reference r SET facts = r.facts || m.facts
FROM   (VALUES ('ACC_7', '{"first_year": 2019}'::jsonb),
               ('TIM_2', '{"lacks": "the formation for which somebody was recruited"}'),
               ('ACC_2', '{"lacks": "kind of employee in SIASN (jenis pegawai: DPK, DPB) and the agency of secondment"}'),
               ('ACC_8', '{"lacks": "which educations each functional position takes"}')) AS m (code, facts)
WHERE  r.list = 'data-quality-indicator' AND r.code = m.code;

-- ── facts of a person ────────────────────────────────────────────────────────────────────────────────────────────────────

CREATE VIEW quality_person AS
SELECT a.id, a.nip, a.kind, a.rank_kind, a.birth_date, a.sex, a.nik, a.unit_id, a.position_kind, a.position, a.echelon, a.rank, a.education_level,
       a.title_front, a.title_back, a.legal_status, a.email, a.phone, a.appointed_on, (s.facts ->> 'in_service')::boolean AS in_service
FROM   asn a
JOIN   reference s ON s.list = 'legal-status' AND s.code = a.legal_status AND s.valid @> local_today()
WHERE  (s.facts ->> 'is_employed')::boolean;
COMMENT ON VIEW quality_person IS 'Whom the index counts: all who have not left. Columns as in asn; in_service: works in the ordinary way.';

-- The row that a new record leaves behind says PNS since the TMT CPNS, the only day that the record knows; that is nobody's TMT PNS.
CREATE FUNCTION pns_since(who uuid) RETURNS TABLE (pns_on date)
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT min(h.starts)
    FROM   history h
    WHERE  h.asn_id = who AND h.kind = 'appointment' AND NOT h.is_void AND h.facts ->> 'kind' = 'PNS'
           AND (num_nonnulls(h.actor_key, h.decree_number, h.remote_id) > 0
                OR EXISTS (SELECT FROM history c WHERE c.asn_id = who AND c.kind = 'appointment' AND NOT c.is_void
                                                       AND c.facts ->> 'kind' = 'CPNS' AND c.starts < h.starts))
$$;
COMMENT ON FUNCTION pns_since(uuid) IS
    'TMT PNS, if somebody told it or a time as CPNS came before; null: not known. One row; a table, so that the planner merges it into the asking query.';

CREATE FUNCTION performance_year(who uuid) RETURNS TABLE (last integer)
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT greatest((SELECT max((h.facts ->> 'year')::integer) FROM history h WHERE h.asn_id = who AND h.kind = 'performance' AND NOT h.is_void),
                    (SELECT max(extract(year FROM p.ends_on)::integer) FROM evaluation e JOIN period p ON p.id = e.period_id
                     WHERE  e.asn_id = who AND e.state = 'final'))
$$;
COMMENT ON FUNCTION performance_year(uuid) IS 'The last year of which there is an SKP: a history of performance, or a final evaluation. One row, as of pns_since().';

CREATE FUNCTION names_level(named text, level text) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN ' ' || lower(named) LIKE '% ' || lower(level);
COMMENT ON FUNCTION names_level(text, text) IS 'Whether the name of a position ends with that of a functional level: Arsiparis Ahli Muda.';

CREATE FUNCTION nik_faults(nik text, birth_date date, sex text) RETURNS text[]
LANGUAGE sql STABLE PARALLEL SAFE
RETURN CASE WHEN nik IS NULL THEN '{NIK_MISSING}'::text[]
            WHEN nik !~ '^[0-9]{16}$' OR nik ~ '0000$' THEN '{NIK_FORM}'
            ELSE array_remove(ARRAY[CASE WHEN substr(nik, 7, 2)::integer % 40 <> extract(day FROM birth_date) OR substr(nik, 9, 4) <> to_char(birth_date, 'MMYY')
                                         THEN 'NIK_BIRTH' END,
                                    CASE WHEN (substr(nik, 7, 2)::integer > 40) <> (sex = 'F') THEN 'NIK_SEX' END], NULL) END;
COMMENT ON FUNCTION nik_faults(text, date, text) IS 'What is wrong with a NIK beside birth date and sex: NIK_MISSING, NIK_FORM, NIK_BIRTH, NIK_SEX. A woman''s day has 40 added.';

-- ── the indicators ───────────────────────────────────────────────────────────────────────────────────────────────────────

-- A branch gives the people of whom its question can be asked. What is not known is not compared: that is another indicator's fault, or nobody's.
CREATE VIEW quality_check AS
SELECT p.id AS asn_id, 'COM_1' AS code, coalesce(y.last < y.since, true) AS is_faulty, jsonb_build_object('last_year', y.last, 'needed_from', y.since) AS facts
FROM   quality_person p
CROSS  JOIN LATERAL (SELECT w.last, extract(year FROM local_today())::integer - 2 AS since FROM performance_year(p.id) w) y
WHERE  p.in_service AND coalesce(p.appointed_on, '-infinity') < make_date(y.since + 1, 1, 1)
UNION ALL
SELECT p.id, 'COM_2', p.position IS NULL, '{}'
FROM   quality_person p WHERE p.in_service
UNION ALL
SELECT p.id, 'COM_3', p.education_level IS NULL, '{}'
FROM   quality_person p
UNION ALL
SELECT p.id, 'COM_4', s.pns_on IS NULL, jsonb_build_object('appointed_on', p.appointed_on)
FROM   quality_person p CROSS JOIN LATERAL pns_since(p.id) s
WHERE  p.kind = 'PNS'
UNION ALL
SELECT p.id, 'COM_5', num_nonnulls(p.title_front, p.title_back) = 0, jsonb_build_object('education_level', p.education_level)
FROM   quality_person p
JOIN   reference e ON e.list = 'education-level' AND e.code = p.education_level AND e.valid @> local_today()
WHERE  (e.facts ->> 'title')::boolean
UNION ALL
SELECT p.id, 'COM_6', p.email IS NULL, '{}'
FROM   quality_person p
UNION ALL
SELECT p.id, 'COM_7', p.phone IS NULL, '{}'
FROM   quality_person p
UNION ALL
SELECT p.id, 'TIM_1', NOT u.is_active, jsonb_build_object('unit_id', u.id)
FROM   quality_person p JOIN unit u ON u.id = p.unit_id
UNION ALL
SELECT p.id, 'TIM_3', p.appointed_on + interval '1 year' < local_today(), jsonb_build_object('appointed_on', p.appointed_on)
FROM   quality_person p WHERE p.kind = 'CPNS' AND p.appointed_on IS NOT NULL
UNION ALL
SELECT p.id, 'TIM_4', o.others IS NOT NULL, jsonb_build_object('position', p.position, 'unit_id', p.unit_id, 'others', o.others)
FROM   quality_person p
CROSS  JOIN LATERAL (SELECT array_agg(q.nip ORDER BY q.nip) AS others FROM quality_person q
                     WHERE  q.unit_id = p.unit_id AND q.position_kind = 'struktural' AND q.in_service AND q.id <> p.id
                            AND name_key(q.position) = name_key(p.position)) o
WHERE  p.in_service AND p.position_kind = 'struktural' AND p.position IS NOT NULL
UNION ALL
SELECT p.id, 'TIM_5', d.retires_on <= local_today(),
       jsonb_build_object('birth_date', p.birth_date, 'position_level', l.code, 'bup', (l.facts ->> 'bup')::integer, 'retires_on', d.retires_on)
FROM   quality_person p
LEFT   JOIN reference e ON p.position_kind = 'struktural' AND e.list = 'echelon' AND e.code = p.echelon AND e.valid @> local_today()
LEFT   JOIN LATERAL (SELECT h.facts ->> 'functional_level' AS level FROM history h
                     WHERE  p.position_kind = 'fungsional' AND h.asn_id = p.id AND h.kind = 'position' AND h.track = 'position'
                            AND h.valid @> local_today() AND NOT h.is_void LIMIT 1) j ON true
LEFT   JOIN reference f ON p.position_kind = 'fungsional' AND f.list = 'functional-level' AND f.valid @> local_today()
                           AND CASE WHEN j.level IS NOT NULL THEN f.code = j.level ELSE names_level(p.position, f.name) END
JOIN   reference l ON l.list = 'position-level' AND l.valid @> local_today()
                      AND l.code = CASE p.position_kind WHEN 'struktural' THEN e.facts ->> 'position_level' WHEN 'fungsional' THEN f.parent ELSE p.position_kind END
CROSS  JOIN LATERAL (SELECT (date_trunc('month', p.birth_date + make_interval(years => (l.facts ->> 'bup')::integer)) + interval '1 month')::date
                            AS retires_on) d
WHERE  p.in_service AND d.retires_on IS NOT NULL
UNION ALL
SELECT p.id, 'TIM_6', v.ended_on <= local_today(), jsonb_build_object('legal_status', p.legal_status, 'leave_ended_on', v.ended_on)
FROM   quality_person p
CROSS  JOIN LATERAL (SELECT max(coalesce(upper(h.valid), 'infinity')) AS ended_on FROM history h
                     WHERE  h.asn_id = p.id AND h.kind = 'leave' AND NOT h.is_void) v
WHERE  p.legal_status IN ('02', '13') AND v.ended_on IS NOT NULL
UNION ALL
SELECT p.id, 'ACC_1', p.appointed_on > s.pns_on, jsonb_build_object('appointed_on', p.appointed_on, 'pns_since', s.pns_on)
FROM   quality_person p CROSS JOIN LATERAL pns_since(p.id) s
WHERE  p.kind = 'PNS' AND p.appointed_on IS NOT NULL AND s.pns_on IS NOT NULL
UNION ALL
SELECT p.id, 'ACC_3', p.appointed_on + interval '2 years' > local_today(), jsonb_build_object('appointed_on', p.appointed_on, 'position', p.position)
FROM   quality_person p WHERE p.in_service AND p.position_kind = 'struktural' AND p.appointed_on IS NOT NULL
UNION ALL
SELECT p.id, 'ACC_4', p.legal_status <> CASE p.kind WHEN 'PPPK' THEN '71' ELSE '72' END, jsonb_build_object('kind', p.kind, 'legal_status', p.legal_status)
FROM   quality_person p WHERE p.kind IN ('PPPK', 'PPPK_PARUH_WAKTU')
UNION ALL
SELECT p.id, 'ACC_5', n.faults <> '{}', jsonb_build_object('reasons', n.faults)
FROM   quality_person p CROSS JOIN LATERAL (SELECT nik_faults(p.nik, p.birth_date, p.sex) AS faults) n
UNION ALL
SELECT p.id, 'ACC_6', has.seq < needs.seq, jsonb_build_object('echelon', p.echelon, 'education_level', has.code, 'min_education', needs.code)
FROM   quality_person p
JOIN   reference e ON e.list = 'echelon' AND e.code = p.echelon AND e.valid @> local_today()
JOIN   reference l ON l.list = 'position-level' AND l.code = e.facts ->> 'position_level' AND l.valid @> local_today()
JOIN   reference needs ON needs.list = 'education-level' AND needs.code = l.facts ->> 'min_education' AND needs.valid @> local_today()
JOIN   reference has ON has.list = 'education-level' AND has.code = p.education_level AND has.valid @> local_today()
WHERE  p.position_kind = 'struktural'
UNION ALL
SELECT p.id, 'ACC_7', extract(year FROM p.appointed_on) NOT BETWEEN (i.facts ->> 'first_year')::integer AND extract(year FROM local_today()),
       jsonb_build_object('appointed_on', p.appointed_on, 'first_year', i.facts -> 'first_year')
FROM   quality_person p
JOIN   reference i ON i.list = 'data-quality-indicator' AND i.code = 'ACC_7' AND i.valid @> local_today()
WHERE  p.kind IN ('PPPK', 'PPPK_PARUH_WAKTU') AND p.appointed_on IS NOT NULL
UNION ALL
SELECT p.id, 'ACC_9', f.code IS NOT NULL, jsonb_build_object('position', p.position, 'functional_level', f.code)
FROM   quality_person p
LEFT   JOIN reference f ON f.list = 'functional-level' AND f.valid @> local_today() AND names_level(p.position, f.name)
WHERE  p.position_kind = 'pelaksana' AND p.position IS NOT NULL
UNION ALL
SELECT p.id, 'ACC_10', has.seq < needs.seq, jsonb_build_object('echelon', p.echelon, 'rank', has.code, 'min_rank', needs.code)
FROM   quality_person p
JOIN   reference e ON e.list = 'echelon' AND e.code = p.echelon AND e.valid @> local_today()
JOIN   reference needs ON needs.list = 'rank-pns' AND needs.code = e.facts ->> 'min_rank' AND needs.valid @> local_today()
JOIN   reference has ON has.list = 'rank-pns' AND has.code = p.rank AND has.valid @> local_today()
WHERE  p.position_kind = 'struktural' AND p.rank_kind = 'PNS'
UNION ALL
SELECT p.id, 'CON_1', to_char(p.appointed_on, 'YYYYMM') <> substr(p.nip, 9, 6), jsonb_build_object('nip', p.nip, 'appointed_on', p.appointed_on)
FROM   quality_person p WHERE p.rank_kind = 'PNS' AND p.appointed_on IS NOT NULL
UNION ALL
SELECT p.id, 'CON_2', to_char(p.birth_date, 'YYYYMMDD') <> left(p.nip, 8), jsonb_build_object('nip', p.nip, 'birth_date', p.birth_date)
FROM   quality_person p
UNION ALL
SELECT p.id, 'CON_3', substr(p.nip, 15, 1) <> CASE p.sex WHEN 'M' THEN '1' ELSE '2' END, jsonb_build_object('nip', p.nip, 'sex', p.sex)
FROM   quality_person p
UNION ALL
SELECT p.id, 'CON_4', to_char(p.appointed_on, 'YYYY') <> substr(p.nip, 9, 4), jsonb_build_object('nip', p.nip, 'appointed_on', p.appointed_on)
FROM   quality_person p WHERE p.kind = 'PPPK' AND p.appointed_on IS NOT NULL;
COMMENT ON VIEW quality_check IS
    'One row for each person and each indicator that can be asked of him: asn_id, code (list data-quality-indicator), is_faulty, facts (what was looked at). A branch an indicator; an indicator without a branch is not measured.';

CREATE VIEW quality_indicator AS
SELECT i.code, d.code AS dimension, i.name, i.name_en, i.seq, (i.facts ->> 'weight')::numeric AS weight, (d.facts ->> 'weight')::numeric AS dimension_weight,
       NOT i.facts ? 'lacks' AS is_measured, i.facts ->> 'lacks' AS lacks
FROM   reference i
JOIN   reference d ON d.list = i.list AND d.code = i.parent AND d.valid @> local_today()
WHERE  i.list = 'data-quality-indicator' AND i.valid @> local_today();
COMMENT ON VIEW quality_indicator IS
    'The indicators with their dimension: weight in percent of the dimension, dimension_weight as share of the index; lacks: which fact is not kept, if it cannot be measured.';

-- ── the index ────────────────────────────────────────────────────────────────────────────────────────────────────────────

CREATE AGGREGATE product(numeric) (SFUNC = numeric_mul, STYPE = numeric, INITCOND = '1', PARALLEL = SAFE, COMBINEFUNC = numeric_mul);
COMMENT ON AGGREGATE product(numeric) IS 'All values multiplied.';

CREATE FUNCTION percent_of(part numeric, whole numeric) RETURNS numeric
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN round(div(part * 20000 + whole, whole * 2) / 100, 2);
COMMENT ON FUNCTION percent_of(numeric, numeric) IS 'Percent with two decimals of two whole numbers, rounded once, half up; no quotient is rounded before.';

-- Fractions are brought to one denominator (the product of all), so that every sum is exact however many people there are.
CREATE FUNCTION quality_rate(counts jsonb, OUT completeness numeric, OUT timeliness numeric, OUT accuracy numeric, OUT consistency numeric, OUT score numeric)
LANGUAGE sql STABLE AS $$
    WITH part AS MATERIALIZED (
        SELECT i.dimension, trunc(i.dimension_weight * 1e6) AS dimension_weight, trunc(i.weight * 1e6) AS weight, (c.value ->> 0)::numeric AS asked,
               (c.value ->> 1)::numeric AS named
        FROM   jsonb_each(counts) c JOIN quality_indicator i ON i.code = c.key
        WHERE  i.is_measured AND (c.value ->> 0)::numeric > 0
    ), common AS (
        SELECT p.dimension, product(p.asked) AS all_asked FROM part p GROUP BY p.dimension
    ), dimension AS MATERIALIZED (
        SELECT p.dimension, p.dimension_weight, sum(p.weight * (p.asked - p.named) * div(m.all_asked, p.asked)) AS part, sum(p.weight) * m.all_asked AS whole
        FROM   part p JOIN common m USING (dimension)
        GROUP  BY p.dimension, p.dimension_weight, m.all_asked
    ), sum AS (
        SELECT sum(d.dimension_weight * d.part * div(m.wholes, d.whole)) AS part, sum(d.dimension_weight) * m.wholes AS whole
        FROM   dimension d CROSS JOIN (SELECT product(d.whole) AS wholes FROM dimension d) m
        GROUP  BY m.wholes
    )
    SELECT max(percent_of(d.part, d.whole)) FILTER (WHERE d.dimension = 'COM'), max(percent_of(d.part, d.whole)) FILTER (WHERE d.dimension = 'TIM'),
           max(percent_of(d.part, d.whole)) FILTER (WHERE d.dimension = 'ACC'), max(percent_of(d.part, d.whole)) FILTER (WHERE d.dimension = 'CON'),
           (SELECT percent_of(s.part, s.whole) FROM sum s)
    FROM   dimension d
$$;
COMMENT ON FUNCTION quality_rate(jsonb) IS
    'The index of counts {code: [people asked, people named]}: per dimension the weighted mean of the shares without fault, in all the weighted mean of the dimensions; percent. Indicators that nobody could be asked, and dimensions without one, leave their weight to the others. Null: nothing was measured.';

CREATE FUNCTION quality_counts(root ltree) RETURNS jsonb
LANGUAGE sql STABLE
RETURN (SELECT coalesce(jsonb_object_agg(w.code, jsonb_build_array(w.asked, w.named)), '{}')
        FROM   (SELECT c.code, count(*) AS asked, count(*) FILTER (WHERE c.is_faulty) AS named
                FROM   quality_check c JOIN asn a ON a.id = c.asn_id JOIN unit u ON u.id = a.unit_id
                WHERE  u.path <@ root
                GROUP  BY c.code) w);
COMMENT ON FUNCTION quality_counts(ltree) IS 'Of the people of a unit and all below it, for each indicator: {code: [people asked, people named]}.';

-- ── the trend ────────────────────────────────────────────────────────────────────────────────────────────────────────────

CREATE TABLE quality_snapshot (
    day          date        NOT NULL,
    unit_id      uuid        NOT NULL CONSTRAINT quality_snapshot_unit_fkey REFERENCES unit,
    people       bigint      NOT NULL,
    counts       jsonb       NOT NULL,
    completeness numeric,
    timeliness   numeric,
    accuracy     numeric,
    consistency  numeric,
    score        numeric,
    created_at   timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT quality_snapshot_pkey PRIMARY KEY (day, unit_id)
);
CREATE INDEX quality_snapshot_unit_idx ON quality_snapshot (unit_id, day);
COMMENT ON TABLE quality_snapshot IS 'The index of data quality of each unit with all below it, as it was on a day; filled by a call, once a day.';
COMMENT ON COLUMN quality_snapshot.day IS 'The regency''s date';
COMMENT ON COLUMN quality_snapshot.unit_id IS 'unit.id: the top of the subtree';
COMMENT ON COLUMN quality_snapshot.people IS 'People counted';
COMMENT ON COLUMN quality_snapshot.counts IS '{code: [people asked, people named]}';
COMMENT ON COLUMN quality_snapshot.completeness IS 'Kelengkapan, percent';
COMMENT ON COLUMN quality_snapshot.timeliness IS 'Ketepatan waktu, percent';
COMMENT ON COLUMN quality_snapshot.accuracy IS 'Akurasi, percent';
COMMENT ON COLUMN quality_snapshot.consistency IS 'Konsistensi, percent';
COMMENT ON COLUMN quality_snapshot.score IS 'The index, percent';
COMMENT ON COLUMN quality_snapshot.created_at IS 'When it was taken';

CREATE FUNCTION quality_people(counts jsonb) RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN coalesce((counts -> 'CON_2' ->> 0)::bigint, 0);
COMMENT ON FUNCTION quality_people(jsonb) IS 'How many people counts are about: CON_2 is asked of everybody.';

CREATE FUNCTION quality_snap(units ltree[], on_day date, OUT day date, OUT units_counted bigint, OUT units_new bigint)
LANGUAGE plpgsql AS $$
BEGIN
    day := on_day;
    SELECT count(*) INTO units_counted FROM unit u WHERE u.path <@ ANY (units);
    -- Each person once, by his own unit; then each unit takes the sums of all below it.
    WITH own AS MATERIALIZED (
        SELECT a.unit_id, c.code, count(*) AS asked, count(*) FILTER (WHERE c.is_faulty) AS named
        FROM   quality_check c JOIN asn a ON a.id = c.asn_id
        GROUP  BY a.unit_id, c.code
    ), spread AS (
        SELECT t.id, o.code, sum(o.asked) AS asked, sum(o.named) AS named
        FROM   unit t JOIN unit b ON b.path <@ t.path JOIN own o ON o.unit_id = b.id
        WHERE  t.path <@ ANY (units)
        GROUP  BY t.id, o.code
    ), counted AS MATERIALIZED (
        SELECT t.id, coalesce(jsonb_object_agg(s.code, jsonb_build_array(s.asked, s.named)) FILTER (WHERE s.code IS NOT NULL), '{}') AS counts
        FROM   unit t LEFT JOIN spread s ON s.id = t.id
        WHERE  t.path <@ ANY (units)
        GROUP  BY t.id
    )
    INSERT INTO quality_snapshot (day, unit_id, people, counts, completeness, timeliness, accuracy, consistency, score)
    SELECT on_day, c.id, quality_people(c.counts), c.counts, r.completeness, r.timeliness, r.accuracy, r.consistency, r.score
    FROM   counted c CROSS JOIN LATERAL quality_rate(c.counts) r
    ON CONFLICT ON CONSTRAINT quality_snapshot_pkey DO NOTHING;
    GET DIAGNOSTICS units_new = ROW_COUNT;
END $$;
COMMENT ON FUNCTION quality_snap(ltree[], date) IS 'Keeps the index of that day of each of these units that has none of that day yet.';
