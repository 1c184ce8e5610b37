-- The index of data quality in one pass over the people; the rules are as in 0009, but that retirement is what the due list says it is.

-- 0012 wrote this description anew and lost a fact.
UPDATE reference_list
SET    description = description || ' is_employed: counted by the index of data quality (derived: in service, or with a regime of its own).'
WHERE  list = 'legal-status';

-- ── whole numbers ── 4.0 is as whole as 4 to the contract, but not to integer's reader: one such row, and no list by seniority could be read

CREATE FUNCTION history_whole() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    NEW.facts := with_whole(NEW.facts, 'year', 'years', 'months', 'service_years', 'service_months', 'jp');
    RETURN NEW;
END $$;
COMMENT ON FUNCTION history_whole() IS 'Whole numbers in facts are written as integer reads them.';
CREATE TRIGGER history_05_whole BEFORE INSERT OR UPDATE ON history FOR EACH ROW WHEN (NEW.facts::text LIKE '%.0%') EXECUTE FUNCTION history_whole();
UPDATE history h
SET    facts = with_whole(h.facts, 'year', 'years', 'months', 'service_years', 'service_months', 'jp'), reason = 'whole numbers written as such',
       actor_key = NULL, actor_name = NULL
WHERE  h.facts::text LIKE '%.0%' AND h.facts::text <> with_whole(h.facts, 'year', 'years', 'months', 'service_years', 'service_months', 'jp')::text;

-- ── facts of a person ────────────────────────────────────────────────────────────────────────────────────────────────────

CREATE INDEX history_performance_idx ON history (asn_id, ((facts ->> 'year')::integer)) WHERE kind = 'performance' AND NOT is_void;
CREATE INDEX history_pns_idx ON history (asn_id, starts)
    WHERE kind = 'appointment' AND NOT is_void AND facts ->> 'kind' = 'PNS' AND num_nonnulls(actor_key, decree_number, remote_id) > 0;

CREATE INDEX unit_inactive_idx ON unit (id) WHERE NOT is_active;

-- The lists are read once, not joined: which plan a join gets would hang on how well the planner knows them.
CREATE OR REPLACE VIEW quality_person AS
SELECT a.id, a.nip, a.kind, a.rank_kind, a.birth_date, a.sex, a.nik, a.unit_id, a.position_kind, a.position, a.echelon, a.rank, a.education_level,
       a.title_front, a.title_back, a.legal_status, a.email, a.phone, a.appointed_on,
       a.legal_status = ANY (ARRAY(SELECT s.code FROM reference s WHERE s.list = 'legal-status' AND (s.facts ->> 'in_service')::boolean
                                                                        AND s.valid @> local_today())) AS in_service, a.name
FROM   asn a
WHERE  a.legal_status = ANY (ARRAY(SELECT s.code FROM reference s WHERE s.list = 'legal-status' AND (s.facts ->> 'is_employed')::boolean
                                                                        AND s.valid @> local_today()));

CREATE VIEW pns_day AS
SELECT h.asn_id, h.starts
FROM   history h
WHERE  h.kind = 'appointment' AND NOT h.is_void AND h.facts ->> 'kind' = 'PNS' AND num_nonnulls(h.actor_key, h.decree_number, h.remote_id) > 0
UNION ALL
SELECT h.asn_id, h.starts
FROM   history h
JOIN   history c ON c.asn_id = h.asn_id AND c.kind = 'appointment' AND NOT c.is_void AND c.facts ->> 'kind' = 'CPNS' AND c.starts < h.starts
WHERE  h.kind = 'appointment' AND NOT h.is_void AND h.facts ->> 'kind' = 'PNS' AND num_nonnulls(h.actor_key, h.decree_number, h.remote_id) = 0;
COMMENT ON VIEW pns_day IS
    'Days that are a TMT PNS: somebody told it, or a time as CPNS came before. The row that a new record leaves behind says PNS since the TMT CPNS, the only day that it knows; that is nobody''s.';

CREATE VIEW performance_years AS
SELECT h.asn_id, (h.facts ->> 'year')::integer AS year FROM history h WHERE h.kind = 'performance' AND NOT h.is_void
UNION ALL
SELECT e.asn_id, extract(year FROM p.ends_on)::integer FROM evaluation e JOIN period p ON p.id = e.period_id WHERE e.state = 'final';
COMMENT ON VIEW performance_years IS 'Years of which people have an SKP: a history of performance, or a final evaluation.';

DROP FUNCTION quality_counts(ltree);
DROP VIEW quality_check;
DROP FUNCTION pns_since(uuid);
DROP FUNCTION performance_year(uuid);
DROP FUNCTION names_level(text, text);

CREATE VIEW functional_ending AS
SELECT f.code, '% ' || lower(f.name) AS ending FROM reference f WHERE f.list = 'functional-level' AND f.valid @> local_today();
COMMENT ON VIEW functional_ending IS 'How the name of a position of each functional level ends (Arsiparis Ahli Muda), as a pattern for '' '' || lower(position).';

-- ── the indicators ───────────────────────────────────────────────────────────────────────────────────────────────────────

-- A column an indicator: true, named; false, asked and in order; null, not asked. What is not known is not compared: that is another
-- indicator's fault, or nobody's. Whoever asks for one column pays for no other.
CREATE VIEW quality_flag AS
SELECT p.*,
       CASE WHEN p.in_service AND coalesce(p.appointed_on, '-infinity') < make_date((SELECT extract(year FROM local_today())::integer) - 1, 1, 1)
            THEN NOT EXISTS (SELECT FROM performance_years y
                             WHERE  y.asn_id = p.id AND y.year >= (SELECT extract(year FROM local_today())::integer - 2)) END AS com_1,
       CASE WHEN p.in_service THEN p.position IS NULL END AS com_2,
       p.education_level IS NULL AS com_3,
       CASE WHEN p.kind = 'PNS' THEN NOT EXISTS (SELECT FROM pns_day d WHERE d.asn_id = p.id) END AS com_4,
       CASE WHEN p.education_level = ANY (ARRAY(SELECT e.code FROM reference e WHERE e.list = 'education-level' AND (e.facts ->> 'title')::boolean
                                                                                     AND e.valid @> local_today()))
            THEN num_nonnulls(p.title_front, p.title_back) = 0 END AS com_5,
       p.email IS NULL AS com_6,
       p.phone IS NULL AS com_7,
       p.unit_id = ANY (ARRAY(SELECT u.id FROM unit u WHERE NOT u.is_active)) AS tim_1,
       CASE WHEN p.kind = 'CPNS' THEN p.appointed_on + interval '1 year' < (SELECT local_today()) END AS tim_3,
       CASE WHEN p.in_service AND p.position_kind = 'struktural' AND p.position IS NOT NULL
            THEN EXISTS (SELECT FROM quality_person q
                         WHERE  q.unit_id = p.unit_id AND q.position_kind = 'struktural' AND q.in_service AND q.id <> p.id
                                AND name_key(q.position) = name_key(p.position)) END AS tim_4,
       CASE WHEN p.in_service THEN (SELECT d.due_on FROM due d WHERE d.asn_id = p.id AND d.list = 'retirement') <= (SELECT local_today()) END AS tim_5,
       CASE WHEN p.legal_status IN ('02', '13')
            THEN (SELECT max(coalesce(upper(h.valid), 'infinity')) FROM history h
                  WHERE  h.asn_id = p.id AND h.kind = 'leave' AND NOT h.is_void) <= (SELECT local_today()) END AS tim_6,
       CASE WHEN p.kind = 'PNS' AND p.appointed_on IS NOT NULL AND EXISTS (SELECT FROM pns_day d WHERE d.asn_id = p.id)
            THEN EXISTS (SELECT FROM pns_day d WHERE d.asn_id = p.id AND d.starts < p.appointed_on) END AS acc_1,
       CASE WHEN p.in_service AND p.position_kind = 'struktural' THEN p.appointed_on + interval '2 years' > (SELECT local_today()) END AS acc_3,
       CASE p.kind WHEN 'PPPK' THEN p.legal_status <> '71' WHEN 'PPPK_PARUH_WAKTU' THEN p.legal_status <> '72' END AS acc_4,
       nik_faults(p.nik, p.birth_date, p.sex) <> '{}' AS acc_5,
       CASE WHEN p.position_kind = 'struktural'
            THEN (SELECT has.seq < needs.seq
                  FROM   reference e
                  JOIN   reference l ON l.list = 'position-level' AND l.code = e.facts ->> 'position_level' AND l.valid @> local_today()
                  JOIN   reference needs ON needs.list = 'education-level' AND needs.code = l.facts ->> 'min_education' AND needs.valid @> local_today()
                  JOIN   reference has ON has.list = 'education-level' AND has.code = p.education_level AND has.valid @> local_today()
                  WHERE  e.list = 'echelon' AND e.code = p.echelon AND e.valid @> local_today()) END AS acc_6,
       CASE WHEN p.kind IN ('PPPK', 'PPPK_PARUH_WAKTU')
            THEN extract(year FROM p.appointed_on) < (SELECT (i.facts ->> 'first_year')::numeric FROM reference i
                                                      WHERE  i.list = 'data-quality-indicator' AND i.code = 'ACC_7' AND i.valid @> local_today())
                 OR extract(year FROM p.appointed_on) > (SELECT extract(year FROM local_today())) END AS acc_7,
       CASE WHEN p.position_kind = 'pelaksana'
            THEN ' ' || lower(p.position) LIKE ANY (ARRAY(SELECT f.ending FROM functional_ending f)) END AS acc_9,
       CASE WHEN p.position_kind = 'struktural' AND p.rank_kind = 'PNS'
            THEN (SELECT has.seq < needs.seq
                  FROM   reference e
                  JOIN   reference needs ON needs.list = 'rank-pns' AND needs.code = e.facts ->> 'min_rank' AND needs.valid @> local_today()
                  JOIN   reference has ON has.list = 'rank-pns' AND has.code = p.rank AND has.valid @> local_today()
                  WHERE  e.list = 'echelon' AND e.code = p.echelon AND e.valid @> local_today()) END AS acc_10,
       CASE WHEN p.rank_kind = 'PNS' THEN to_char(p.appointed_on, 'YYYYMM') <> substr(p.nip, 9, 6) END AS con_1,
       to_char(p.birth_date, 'YYYYMMDD') <> left(p.nip, 8) AS con_2,
       substr(p.nip, 15, 1) <> CASE p.sex WHEN 'M' THEN '1' ELSE '2' END AS con_3,
       CASE WHEN p.kind = 'PPPK' THEN to_char(p.appointed_on, 'YYYY') <> substr(p.nip, 9, 4) END AS con_4
FROM   quality_person p;
COMMENT ON VIEW quality_flag IS
    'quality_person with a column for each indicator that is measured: true, named; false, asked and in order; null, not asked. An indicator without a column is not measured.';

CREATE VIEW quality_check AS
SELECT p.id AS asn_id, p.nip, p.name, p.unit_id, i.code,
       CASE i.code
       WHEN 'COM_1' THEN p.com_1 WHEN 'COM_2' THEN p.com_2 WHEN 'COM_3' THEN p.com_3 WHEN 'COM_4' THEN p.com_4 WHEN 'COM_5' THEN p.com_5
       WHEN 'COM_6' THEN p.com_6 WHEN 'COM_7' THEN p.com_7 WHEN 'TIM_1' THEN p.tim_1 WHEN 'TIM_3' THEN p.tim_3 WHEN 'TIM_4' THEN p.tim_4
       WHEN 'TIM_5' THEN p.tim_5 WHEN 'TIM_6' THEN p.tim_6 WHEN 'ACC_1' THEN p.acc_1 WHEN 'ACC_3' THEN p.acc_3 WHEN 'ACC_4' THEN p.acc_4
       WHEN 'ACC_5' THEN p.acc_5 WHEN 'ACC_6' THEN p.acc_6 WHEN 'ACC_7' THEN p.acc_7 WHEN 'ACC_9' THEN p.acc_9 WHEN 'ACC_10' THEN p.acc_10
       WHEN 'CON_1' THEN p.con_1 WHEN 'CON_2' THEN p.con_2 WHEN 'CON_3' THEN p.con_3 WHEN 'CON_4' THEN p.con_4 END AS is_faulty,
       CASE i.code
       WHEN 'COM_1' THEN jsonb_build_object('last_year', (SELECT max(y.year) FROM performance_years y WHERE y.asn_id = p.id),
                                            'needed_from', extract(year FROM local_today())::integer - 2)
       WHEN 'COM_4' THEN jsonb_build_object('appointed_on', p.appointed_on)
       WHEN 'COM_5' THEN jsonb_build_object('education_level', p.education_level)
       WHEN 'TIM_1' THEN jsonb_build_object('unit_id', p.unit_id)
       WHEN 'TIM_3' THEN jsonb_build_object('appointed_on', p.appointed_on)
       WHEN 'TIM_4' THEN (SELECT jsonb_build_object('position', p.position, 'unit_id', p.unit_id, 'others', array_agg(q.nip ORDER BY q.nip))
                          FROM   quality_person q
                          WHERE  q.unit_id = p.unit_id AND q.position_kind = 'struktural' AND q.in_service AND q.id <> p.id
                                 AND name_key(q.position) = name_key(p.position))
       WHEN 'TIM_5' THEN (SELECT jsonb_build_object('birth_date', p.birth_date, 'position_level', d.level, 'rule', d.rule, 'bup', r.months / 12,
                                                    'retires_on', d.due_on)
                          FROM   due d JOIN due_rule r ON r.code = d.rule AND r.valid_from = d.rule_from
                          WHERE  d.asn_id = p.id AND d.list = 'retirement')
       WHEN 'TIM_6' THEN jsonb_build_object('legal_status', p.legal_status, 'leave_ended_on',
                                            (SELECT max(upper(h.valid)) FROM history h WHERE h.asn_id = p.id AND h.kind = 'leave' AND NOT h.is_void))
       WHEN 'ACC_1' THEN jsonb_build_object('appointed_on', p.appointed_on, 'pns_since', (SELECT min(d.starts) FROM pns_day d WHERE d.asn_id = p.id))
       WHEN 'ACC_3' THEN jsonb_build_object('appointed_on', p.appointed_on, 'position', p.position)
       WHEN 'ACC_4' THEN jsonb_build_object('kind', p.kind, 'legal_status', p.legal_status)
       WHEN 'ACC_5' THEN jsonb_build_object('reasons', nik_faults(p.nik, p.birth_date, p.sex))
       WHEN 'ACC_6' THEN jsonb_build_object('echelon', p.echelon, 'education_level', p.education_level, 'min_education',
                                            (SELECT l.facts ->> 'min_education'
                                             FROM   reference e JOIN reference l ON l.list = 'position-level' AND l.code = e.facts ->> 'position_level'
                                                                                    AND l.valid @> local_today()
                                             WHERE  e.list = 'echelon' AND e.code = p.echelon AND e.valid @> local_today()))
       WHEN 'ACC_7' THEN jsonb_build_object('appointed_on', p.appointed_on, 'first_year',
                                            (SELECT f.facts -> 'first_year' FROM reference f
                                             WHERE  f.list = 'data-quality-indicator' AND f.code = i.code AND f.valid @> local_today()))
       WHEN 'ACC_9' THEN jsonb_build_object('position', p.position, 'functional_level',
                                            (SELECT min(f.code) FROM functional_ending f WHERE ' ' || lower(p.position) LIKE f.ending))
       WHEN 'ACC_10' THEN jsonb_build_object('echelon', p.echelon, 'rank', p.rank, 'min_rank',
                                             (SELECT e.facts ->> 'min_rank' FROM reference e
                                              WHERE  e.list = 'echelon' AND e.code = p.echelon AND e.valid @> local_today()))
       WHEN 'CON_1' THEN jsonb_build_object('nip', p.nip, 'appointed_on', p.appointed_on)
       WHEN 'CON_2' THEN jsonb_build_object('nip', p.nip, 'birth_date', p.birth_date)
       WHEN 'CON_3' THEN jsonb_build_object('nip', p.nip, 'sex', p.sex)
       WHEN 'CON_4' THEN jsonb_build_object('nip', p.nip, 'appointed_on', p.appointed_on)
       ELSE '{}' END AS facts
FROM   quality_flag p
CROSS  JOIN (VALUES ('COM_1'), ('COM_2'), ('COM_3'), ('COM_4'), ('COM_5'), ('COM_6'), ('COM_7'), ('TIM_1'), ('TIM_3'), ('TIM_4'), ('TIM_5'),
               ('TIM_6'), ('ACC_1'), ('ACC_3'), ('ACC_4'), ('ACC_5'), ('ACC_6'), ('ACC_7'), ('ACC_9'), ('ACC_10'), ('CON_1'), ('CON_2'),
               ('CON_3'), ('CON_4')) AS i (code);
COMMENT ON VIEW quality_check IS
    'One row for each person and indicator that is measured: is_faulty as in quality_flag, facts: what was looked at.';

-- ── the index ────────────────────────────────────────────────────────────────────────────────────────────────────────────

-- Each flag is worked out once (OFFSET 0), then counted twice. Planned each time: the best way to an office is not that to a regency.
CREATE FUNCTION quality_counted(roots ltree[], below ltree) RETURNS TABLE (unit_id uuid, code text, asked bigint, named bigint)
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_custom_plan AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT c.unit_id, v.code, v.asked, v.named
    FROM   (SELECT f.unit_id,
                   count(f.com_1) AS com_1, count(*) FILTER (WHERE f.com_1) AS com_1_named,
                   count(f.com_2) AS com_2, count(*) FILTER (WHERE f.com_2) AS com_2_named,
                   count(f.com_3) AS com_3, count(*) FILTER (WHERE f.com_3) AS com_3_named,
                   count(f.com_4) AS com_4, count(*) FILTER (WHERE f.com_4) AS com_4_named,
                   count(f.com_5) AS com_5, count(*) FILTER (WHERE f.com_5) AS com_5_named,
                   count(f.com_6) AS com_6, count(*) FILTER (WHERE f.com_6) AS com_6_named,
                   count(f.com_7) AS com_7, count(*) FILTER (WHERE f.com_7) AS com_7_named,
                   count(f.tim_1) AS tim_1, count(*) FILTER (WHERE f.tim_1) AS tim_1_named,
                   count(f.tim_3) AS tim_3, count(*) FILTER (WHERE f.tim_3) AS tim_3_named,
                   count(f.tim_4) AS tim_4, count(*) FILTER (WHERE f.tim_4) AS tim_4_named,
                   count(f.tim_5) AS tim_5, count(*) FILTER (WHERE f.tim_5) AS tim_5_named,
                   count(f.tim_6) AS tim_6, count(*) FILTER (WHERE f.tim_6) AS tim_6_named,
                   count(f.acc_1) AS acc_1, count(*) FILTER (WHERE f.acc_1) AS acc_1_named,
                   count(f.acc_3) AS acc_3, count(*) FILTER (WHERE f.acc_3) AS acc_3_named,
                   count(f.acc_4) AS acc_4, count(*) FILTER (WHERE f.acc_4) AS acc_4_named,
                   count(f.acc_5) AS acc_5, count(*) FILTER (WHERE f.acc_5) AS acc_5_named,
                   count(f.acc_6) AS acc_6, count(*) FILTER (WHERE f.acc_6) AS acc_6_named,
                   count(f.acc_7) AS acc_7, count(*) FILTER (WHERE f.acc_7) AS acc_7_named,
                   count(f.acc_9) AS acc_9, count(*) FILTER (WHERE f.acc_9) AS acc_9_named,
                   count(f.acc_10) AS acc_10, count(*) FILTER (WHERE f.acc_10) AS acc_10_named,
                   count(f.con_1) AS con_1, count(*) FILTER (WHERE f.con_1) AS con_1_named,
                   count(f.con_2) AS con_2, count(*) FILTER (WHERE f.con_2) AS con_2_named,
                   count(f.con_3) AS con_3, count(*) FILTER (WHERE f.con_3) AS con_3_named,
                   count(f.con_4) AS con_4, count(*) FILTER (WHERE f.con_4) AS con_4_named
            FROM   (SELECT q.* FROM quality_flag q JOIN unit u ON u.id = q.unit_id WHERE u.path <@ ANY (roots) AND u.path <@ below OFFSET 0) f
            GROUP  BY f.unit_id) c
    CROSS  JOIN LATERAL (VALUES
               ('COM_1', c.com_1, c.com_1_named), ('COM_2', c.com_2, c.com_2_named), ('COM_3', c.com_3, c.com_3_named),
               ('COM_4', c.com_4, c.com_4_named), ('COM_5', c.com_5, c.com_5_named), ('COM_6', c.com_6, c.com_6_named),
               ('COM_7', c.com_7, c.com_7_named), ('TIM_1', c.tim_1, c.tim_1_named), ('TIM_3', c.tim_3, c.tim_3_named),
               ('TIM_4', c.tim_4, c.tim_4_named), ('TIM_5', c.tim_5, c.tim_5_named), ('TIM_6', c.tim_6, c.tim_6_named),
               ('ACC_1', c.acc_1, c.acc_1_named), ('ACC_3', c.acc_3, c.acc_3_named), ('ACC_4', c.acc_4, c.acc_4_named),
               ('ACC_5', c.acc_5, c.acc_5_named), ('ACC_6', c.acc_6, c.acc_6_named), ('ACC_7', c.acc_7, c.acc_7_named),
               ('ACC_9', c.acc_9, c.acc_9_named), ('ACC_10', c.acc_10, c.acc_10_named), ('CON_1', c.con_1, c.con_1_named),
               ('CON_2', c.con_2, c.con_2_named), ('CON_3', c.con_3, c.con_3_named), ('CON_4', c.con_4, c.con_4_named))
           AS v (code, asked, named)
    WHERE  v.asked > 0;
END $$;
COMMENT ON FUNCTION quality_counted(ltree[], ltree) IS
    'Of the people of each unit by itself that is below one of the roots and below that one: for each indicator how many it could be asked of, and how many it names.';

CREATE FUNCTION quality_index(roots ltree[])
RETURNS TABLE (unit_id uuid, people bigint, counts jsonb, completeness numeric, timeliness numeric, accuracy numeric, consistency numeric, score numeric)
LANGUAGE plpgsql STABLE AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    WITH own AS MATERIALIZED (
        SELECT q.unit_id, q.code, q.asked, q.named FROM quality_counted(roots, '') q
    ), below AS MATERIALIZED (
        SELECT r.path, b.id FROM unnest(roots) r (path) JOIN unit b ON b.path <@ r.path
    ), spread AS (
        SELECT b.path, o.code, sum(o.asked) AS asked, sum(o.named) AS named FROM below b JOIN own o ON o.unit_id = b.id GROUP BY b.path, o.code
    ), counted AS MATERIALIZED (
        SELECT s.path, jsonb_object_agg(s.code, jsonb_build_array(s.asked, s.named)) AS counts FROM spread s GROUP BY s.path
    )
    SELECT t.id, quality_people(w.counts), w.counts, s.*
    FROM   unit t
    LEFT   JOIN counted c ON c.path = t.path
    CROSS  JOIN LATERAL (SELECT coalesce(c.counts, '{}') AS counts) w
    CROSS  JOIN LATERAL quality_rate(w.counts) s
    WHERE  t.path = ANY (roots);
END $$;
COMMENT ON FUNCTION quality_index(ltree[]) IS 'The index of each of these units with all below it, and the counts {code: [people asked, people named]} of which it is made.';

CREATE OR REPLACE FUNCTION quality_snap(units ltree[], on_day date, OUT day date, OUT units_counted bigint, OUT units_new bigint)
LANGUAGE plpgsql AS $$
BEGIN
    day := on_day;
    SELECT count(*) INTO units_counted FROM unit u WHERE u.path <@ ANY (units);
    INSERT INTO quality_snapshot (day, unit_id, people, counts, completeness, timeliness, accuracy, consistency, score)
    SELECT on_day, i.unit_id, i.people, i.counts, i.completeness, i.timeliness, i.accuracy, i.consistency, i.score
    FROM   quality_index(ARRAY(SELECT u.path FROM unit u WHERE u.path <@ ANY (units))) i
    ON CONFLICT ON CONSTRAINT quality_snapshot_pkey DO NOTHING;
    GET DIAGNOSTICS units_new = ROW_COUNT;
END $$;

-- ── warnings ── of a record that histories change as of any other: a new NIP, a kind, a day to come, what a merge brings

CREATE FUNCTION nip_readable(nip text, kind text) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    born_year  integer := substr(nip, 1, 4);
    born_month integer := substr(nip, 5, 2);
BEGIN
    IF born_year < 1900 OR born_month NOT BETWEEN 1 AND 12 OR substr(nip, 15, 1) NOT IN ('1', '2')
       OR substr(nip, 7, 2)::integer NOT BETWEEN 1 AND extract(day FROM make_date(born_year, born_month, 1) + interval '1 month - 1 day') THEN
        RETURN false;
    END IF;
    RETURN CASE WHEN kind = 'PPPK_PARUH_WAKTU' THEN true
                WHEN substr(nip, 9, 4) = '0000' OR substr(nip, 16, 3) = '000' THEN false
                WHEN kind = 'PPPK' THEN substr(nip, 13, 1) = '2' AND substr(nip, 14, 1) <> '0'
                ELSE substr(nip, 13, 2) BETWEEN '01' AND '12' END;
END $$;
COMMENT ON FUNCTION nip_readable(text, text) IS
    'Whether the eighteen digits can be a number of that kind of ASN (docs/rules.md, section 1); in C nip_parse(). Of a part-time PPPK only birth and sex are known.';

-- A number that came by a history is judged as one that a client registers: by what all kinds have in common, for it may be of another kind than today's.
CREATE OR REPLACE FUNCTION history_fault(person asn, me history) RETURNS history_answer
LANGUAGE plpgsql STABLE AS $$
DECLARE
    ret   history_answer;
    mine  text := history_track(me.kind, me.facts);
    place record;
BEGIN
    IF me.starts < person.birth_date THEN
        ret.problem := 'before-birth'; ret.pointer := '/from'; ret.value := me.starts;
        RETURN ret;
    END IF;
    IF mine IS NOT NULL THEN
        SELECT 'history-overlap', '/from', o.id INTO ret.problem, ret.pointer, ret.value
        FROM   history o
        WHERE  o.asn_id = me.asn_id AND o.kind = me.kind AND o.track = mine AND NOT o.is_void AND o.id <> me.id
               AND (o.starts = me.starts OR o.starts < me.starts AND o.ends > me.starts OR o.starts > me.starts AND me.ends > o.starts)
        LIMIT  1;
        IF FOUND THEN
            RETURN ret;
        END IF;
    END IF;
    SELECT 'code-unknown', '/facts/' || c.member, me.facts ->> c.member INTO ret.problem, ret.pointer, ret.value
    FROM   history_code c
    WHERE  c.kind = me.kind AND me.facts ->> c.member IS NOT NULL
    GROUP  BY c.member
    HAVING NOT bool_or(reference_holds(c.list, me.facts ->> c.member, me.starts))
    LIMIT  1;
    IF FOUND THEN
        RETURN ret;
    END IF;
    IF me.kind = 'rank' THEN
        SELECT r.list, r.seq INTO place FROM reference r
        WHERE  r.list IN ('rank-pns', 'rank-pppk') AND r.code = me.facts ->> 'rank' AND r.valid @> me.starts LIMIT 1;
        SELECT 'rank-below', '/facts/rank', n.code INTO ret.problem, ret.pointer, ret.value
        FROM  ((SELECT k.code, k.seq > place.seq AND NOT coalesce((me.facts ->> 'is_demotion')::boolean, false) AS is_wrong
                FROM   history h JOIN reference k ON k.list = place.list AND k.code = h.facts ->> 'rank' AND k.valid @> h.starts
                WHERE  h.asn_id = me.asn_id AND h.kind = 'rank' AND NOT h.is_void AND h.starts < me.starts AND h.id <> me.id
                ORDER  BY h.starts DESC LIMIT 1)
               UNION ALL
               (SELECT k.code, k.seq < place.seq AND NOT coalesce((h.facts ->> 'is_demotion')::boolean, false)
                FROM   history h JOIN reference k ON k.list = place.list AND k.code = h.facts ->> 'rank' AND k.valid @> h.starts
                WHERE  h.asn_id = me.asn_id AND h.kind = 'rank' AND NOT h.is_void AND h.starts > me.starts AND h.id <> me.id
                ORDER  BY h.starts LIMIT 1)) n
        WHERE  n.is_wrong
        LIMIT  1;
    ELSIF me.kind = 'appointment' THEN
        SELECT 'appointment-order', '/from', o.starts INTO ret.problem, ret.pointer, ret.value
        FROM   history o
        WHERE  o.asn_id = me.asn_id AND o.kind = 'appointment' AND NOT o.is_void AND o.id <> me.id
               AND (me.facts ->> 'kind' = 'CPNS' AND o.facts ->> 'kind' = 'PNS' AND o.starts < me.starts
                    OR me.facts ->> 'kind' = 'PNS' AND o.facts ->> 'kind' = 'CPNS' AND o.starts > me.starts)
        LIMIT  1;
    ELSIF me.kind = 'nip' AND NOT nip_readable(me.facts ->> 'nip', 'PPPK_PARUH_WAKTU') THEN
        ret.problem := 'invalid'; ret.pointer := '/facts/nip'; ret.value := me.facts ->> 'nip';
    ELSIF me.kind = 'nip' THEN
        SELECT 'nip-taken', '/facts/nip', me.facts ->> 'nip' INTO ret.problem, ret.pointer, ret.value
        WHERE  asn_of_nip(me.facts ->> 'nip') <> me.asn_id;
    END IF;
    RETURN ret;
END $$;
COMMENT ON FUNCTION history_fault(asn, history) IS
    'What is wrong with a row: before birth, over another of its track (value: which), a code that its list does not hold on that day, a rank below the one before or above the one after it, CPNS after PNS, a NIP without birth and sex in it, one that is somebody else''s. Null: nothing.';

CREATE FUNCTION asn_warnings(a asn) RETURNS text[]
LANGUAGE plpgsql STABLE AS $$
DECLARE
    ret text[] := '{}';
BEGIN
    IF nip_readable(a.nip, a.kind) THEN
        ret := array_remove(ARRAY[
            CASE WHEN a.kind IN ('PNS', 'CPNS') AND to_char(a.appointed_on, 'YYYYMM') <> substr(a.nip, 9, 6) THEN 'CON_1' END,
            CASE WHEN to_char(a.birth_date, 'YYYYMMDD') <> left(a.nip, 8) THEN 'CON_2' END,
            CASE WHEN substr(a.nip, 15, 1) <> CASE a.sex WHEN 'M' THEN '1' ELSE '2' END THEN 'CON_3' END,
            CASE WHEN a.kind = 'PPPK' AND to_char(a.appointed_on, 'YYYY') <> substr(a.nip, 9, 4) THEN 'CON_4' END], NULL);
    END IF;
    RETURN ret || array_remove(array_remove(nik_faults(a.nik, a.birth_date, a.sex), 'NIK_MISSING'), 'NIK_FORM');
END $$;
COMMENT ON FUNCTION asn_warnings(asn) IS 'What asn.warnings must be; in C nip_warnings() and nik_warnings(), which judge what is new.';

CREATE FUNCTION asn_warn() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    NEW.warnings := asn_warnings(NEW);
    RETURN NEW;
END $$;
COMMENT ON FUNCTION asn_warn() IS 'However a record is changed, its warnings are those of its numbers.';
CREATE TRIGGER asn_15_warn BEFORE UPDATE ON asn FOR EACH ROW
    WHEN ((NEW.nip, NEW.kind, NEW.birth_date, NEW.sex, NEW.appointed_on, NEW.nik, NEW.warnings)
          IS DISTINCT FROM (OLD.nip, OLD.kind, OLD.birth_date, OLD.sex, OLD.appointed_on, OLD.nik, OLD.warnings))
    EXECUTE FUNCTION asn_warn();
UPDATE asn a SET warnings = asn_warnings(a) WHERE a.warnings <> asn_warnings(a);

-- ── the day of appointment ───────────────────────────────────────────────────────────────────────────────────────────────

-- What nobody told but the record itself moves with the record; what a decree says stays, whatever the record says.
CREATE FUNCTION asn_move_appointment() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
    people uuid[];
BEGIN
    IF is_merging() THEN
        RETURN NULL;
    END IF;
    WITH moved AS (
        UPDATE history h
        SET    starts = n.appointed_on, valid = daterange(n.appointed_on, upper(h.valid)), reason = 'the day of appointment was corrected',
               actor_key = NULL, actor_name = NULL
        FROM   entered n JOIN departed o USING (id)
        WHERE  n.appointed_on <> coalesce(o.appointed_on, 'infinity') AND h.asn_id = n.id AND h.kind = 'appointment' AND NOT h.is_void
               AND num_nonnulls(h.actor_key, h.decree_number, h.remote_id) = 0
               AND h.starts = coalesce(o.appointed_on, (SELECT min(f.starts) FROM history f WHERE f.asn_id = n.id AND f.kind = 'appointment' AND NOT f.is_void))
               AND h.starts <> n.appointed_on AND n.appointed_on < coalesce(upper(h.valid), 'infinity')
               AND NOT EXISTS (SELECT FROM history f WHERE f.asn_id = n.id AND f.kind = 'appointment' AND NOT f.is_void AND f.id <> h.id
                                                           AND f.starts BETWEEN least(h.starts, n.appointed_on) AND greatest(h.starts, n.appointed_on))
        RETURNING h.asn_id
    )
    SELECT array_agg(m.asn_id) INTO people FROM moved m;
    IF people IS NOT NULL THEN
        PERFORM history_resolve(people);
    END IF;
    RETURN NULL;
END $$;
COMMENT ON FUNCTION asn_move_appointment() IS
    'When the record''s TMT CPNS is corrected, the row of the histories that it left behind begins on the right day too: a new version of it.';
CREATE TRIGGER asn_41_appointment AFTER UPDATE ON asn REFERENCING NEW TABLE AS entered OLD TABLE AS departed
    FOR EACH STATEMENT EXECUTE FUNCTION asn_move_appointment();

-- ── merges taken back in turn ────────────────────────────────────────────────────────────────────────────────────────────

CREATE OR REPLACE FUNCTION asn_merge_undo(number text, why text, units ltree[], by_name text) RETURNS SETOF merge_answer
LANGUAGE plpgsql AS $$
DECLARE
    m       asn_merge;
    place   record;
    columns text;
    changed uuid;
    answer  merge_answer;
BEGIN
    PERFORM FROM asn a WHERE a.id = (SELECT e.asn_id FROM asn_merge e WHERE e.undone_at IS NULL AND e.merged_nip = number AND e.nips @> ARRAY[number]) FOR UPDATE;
    SELECT e.* INTO m FROM asn_merge e JOIN asn a ON a.id = e.asn_id JOIN unit u ON u.id = a.unit_id
    WHERE  e.undone_at IS NULL AND e.merged_nip = number AND e.nips @> ARRAY[number] AND u.path <@ ANY (units)
    FOR    UPDATE OF e;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    SELECT v.row_id INTO changed FROM asn_merge_versions(m.id) v JOIN asn_merge_row r ON (r.merge_id, r.relation, r.row_id) = (m.id, v.relation, v.row_id)
    WHERE  v.version <> r.version ORDER BY v.row_id LIMIT 1;
    IF m.asn_id <> m.into_id OR changed IS NOT NULL THEN
        answer := ('merge-depends', NULL, coalesce(changed, m.asn_id)::text, NULL)::merge_answer;
        RETURN NEXT answer;
        RETURN;
    END IF;
    PERFORM set_config('asnd.merging', 'on', true);
    SET CONSTRAINTS history_no_overlap DEFERRED;
    UPDATE asn_merge e SET undone_at = now(), undone_by = by_name, undone_reason = why WHERE e.id = m.id;
    SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum) INTO columns FROM pg_attribute a
    WHERE  a.attrelid = 'asn'::regclass AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '';
    EXECUTE format('INSERT INTO asn (%1$s) SELECT %1$s FROM jsonb_populate_record(NULL::asn, $1)', columns)
        USING m.record || jsonb_build_object('version', (m.record ->> 'version')::bigint + 1, 'updated_at', now());
    FOR place IN
        SELECT DISTINCT r.relation, a.attname AS member
        FROM   asn_merge_row r
        JOIN   pg_constraint c ON c.contype = 'f' AND c.confrelid = 'asn'::regclass AND c.conrelid = r.relation::regclass
        JOIN   pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]
        WHERE  r.merge_id = m.id
    LOOP
        EXECUTE format('UPDATE %1$s t SET %2$I = $2 WHERE t.%2$I = $3 AND t.id IN (SELECT r.row_id FROM asn_merge_row r WHERE r.merge_id = $1 AND r.relation = %3$L)',
                       place.relation, place.member, place.relation) USING m.id, m.merged_id, m.asn_id;
    END LOOP;
    UPDATE history_version v SET asn_id = m.merged_id
    WHERE  v.id IN (SELECT r.row_id FROM asn_merge_row r WHERE r.merge_id = m.id AND r.relation = 'history');
    UPDATE history h SET is_void = false, reason = 'the merge was taken back', actor_key = NULL, actor_name = by_name
    WHERE  h.id IN (SELECT r.row_id FROM asn_merge_row r WHERE r.merge_id = m.id AND r.relation = 'history' AND r.is_voided);
    PERFORM history_resolve(ARRAY[m.asn_id, m.merged_id]);
    PERFORM history_project(ARRAY[m.asn_id, m.merged_id]);
    -- What this merge alone did to rows of an earlier one is undone: that one may be taken back as if this had never been.
    UPDATE asn_merge_row e
    SET    version = h.version
    FROM   asn_merge_row r
    JOIN   history h ON h.id = r.row_id
    WHERE  r.merge_id = m.id AND r.relation = 'history' AND (e.relation, e.row_id) = (r.relation, r.row_id) AND e.merge_id <> m.id
           AND EXISTS (SELECT FROM asn_merge o WHERE o.id = e.merge_id AND o.undone_at IS NULL)
           AND e.version = (SELECT max(v.version) FROM history_version v WHERE v.id = h.id AND v.updated_at < m.merged_at);
    PERFORM set_config('asnd.merging', '', true);
    RETURN QUERY SELECT NULL::text, NULL::text, NULL::text, e FROM asn_merge e WHERE e.id = m.id;
END $$;
