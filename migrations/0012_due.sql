-- Due lists and reports: what falls due of whom, by which rule; the map of posts; the order of seniority. See docs/reports.md.

-- ── what the lists need to be told ───────────────────────────────────────────────────────────────────────────────────────

ALTER TABLE history DROP CONSTRAINT history_kind_known;
ALTER TABLE history ADD CONSTRAINT history_kind_known CHECK (kind IN ('appointment', 'rank', 'position', 'placement', 'education', 'title', 'status',
    'service', 'credit', 'course', 'performance', 'discipline', 'award', 'leave', 'study', 'transfer', 'contract', 'nip', 'pay'));
INSERT INTO history_code VALUES ('pay', 'rank', 'rank-pns'), ('pay', 'rank', 'rank-pppk');
CREATE INDEX history_placement_idx ON history ((facts ->> 'unit_id'), asn_id) WHERE kind = 'placement' AND NOT is_void;

UPDATE reference
SET    facts = facts || jsonb_build_object('employed', code = ANY ('{01,02,03,04,05,06,07,08,09,11,12,13,15,16,20,51,71,72}'))
WHERE  list = 'legal-status';
UPDATE reference_list
SET    description = 'Facts: in_service, works and is assessed in the ordinary way; employed, is still one of the staff, working or not (our reading): counted '
                     'by reports and due lists.'
WHERE  list = 'legal-status';
UPDATE reference SET facts = facts || '{"seniority": true}' WHERE list = 'training-form' AND code = 'B1';
UPDATE reference_list SET description = description || ' seniority: counts in the list by seniority (DUK).' WHERE list = 'training-form';

CREATE VIEW employed_status AS
SELECT r.code FROM reference r WHERE r.list = 'legal-status' AND (r.facts ->> 'employed')::boolean AND r.valid @> local_today();
COMMENT ON VIEW employed_status IS 'Codes of the legal statuses whose holders are still of the staff, working or not.';

-- ── rules ────────────────────────────────────────────────────────────────────────────────────────────────────────────────

CREATE TABLE due_rule (
    code           text    NOT NULL,
    valid_from     date    NOT NULL,
    list           text    NOT NULL CONSTRAINT due_rule_list_known CHECK (list IN ('pay-raise', 'promotion', 'retirement', 'contract', 'probation',
                               'leave', 'award')),
    name           text    NOT NULL,
    name_en        text    NOT NULL,
    seq            integer NOT NULL,
    kinds          text[]  NOT NULL,
    statuses       text[],
    position_kinds text[],
    levels         text[],
    position_word  text,
    award          text,
    counts_from    text    NOT NULL CONSTRAINT due_rule_counts_from_known CHECK (counts_from IN ('pay_raise_since', 'rank_since', 'birth_date',
                               'appointed_on', 'contract_until', 'leave_until')),
    months         integer CONSTRAINT due_rule_months_range CHECK (months BETWEEN 0 AND 1200),
    next_month     boolean NOT NULL DEFAULT false,
    blocked_by     text[]  NOT NULL DEFAULT '{}' CONSTRAINT due_rule_blocked_by_known CHECK (blocked_by <@ '{legal-status,discipline,discipline-ever,
                               retirement,top-rank,education-ceiling,credit-points}'),
    source         text    NOT NULL,
    is_confirmed   boolean NOT NULL,
    CONSTRAINT due_rule_pkey PRIMARY KEY (code, valid_from)
);
COMMENT ON TABLE due_rule IS 'By which rules something falls due. Of the rows of one list (and award) that fit a person the lowest seq holds, in the version in force on the day it gives.';
COMMENT ON COLUMN due_rule.code IS 'Stable name';
COMMENT ON COLUMN due_rule.valid_from IS 'In force since; a change of the rule is a new row';
COMMENT ON COLUMN due_rule.list IS 'The due list';
COMMENT ON COLUMN due_rule.name IS 'The rule in Indonesian';
COMMENT ON COLUMN due_rule.name_en IS 'The rule in English';
COMMENT ON COLUMN due_rule.seq IS 'Which of several that fit: the lowest';
COMMENT ON COLUMN due_rule.kinds IS 'Of which kinds of ASN';
COMMENT ON COLUMN due_rule.statuses IS 'Of which legal statuses; null: all that are employed';
COMMENT ON COLUMN due_rule.position_kinds IS 'Of which kinds of position; null: any';
COMMENT ON COLUMN due_rule.levels IS 'Of which levels of position (list position-level); null: any';
COMMENT ON COLUMN due_rule.position_word IS 'Of positions whose name begins so, as reference_fold() writes it; null: any';
COMMENT ON COLUMN due_rule.award IS 'The award (list award-kind) that falls due, and once given no longer does';
COMMENT ON COLUMN due_rule.counts_from IS 'The fact from whose day the months are counted';
COMMENT ON COLUMN due_rule.months IS 'How many months; null: the rule cannot be told for want of a fact';
COMMENT ON COLUMN due_rule.next_month IS 'It takes effect on the first of the month after (TMT pensiun)';
COMMENT ON COLUMN due_rule.blocked_by IS 'What may stand in its way; see due_blocks()';
COMMENT ON COLUMN due_rule.source IS 'The regulation';
COMMENT ON COLUMN due_rule.is_confirmed IS 'Seen in a source; false: recalled, to be verified before it is relied on';

INSERT INTO due_rule (code, valid_from, list, seq, kinds, statuses, position_kinds, levels, position_word, award, counts_from, months, next_month,
                      blocked_by, is_confirmed, source, name, name_en) VALUES
    ('KGB', '1977-01-01', 'pay-raise', 1, '{PNS,CPNS}', NULL, NULL, NULL, NULL, NULL, 'pay_raise_since', 24, false,
     '{legal-status,discipline,retirement}', false, 'PP 7/1977 Art. 11 and its amendments; recalled',
     'Kenaikan gaji berkala dua tahun setelah yang terakhir', 'Periodic pay rise two years after the last one'),
    ('KGB_PPPK', '2020-09-28', 'pay-raise', 1, '{PPPK}', NULL, NULL, NULL, NULL, NULL, 'pay_raise_since', 24, false,
     '{legal-status,discipline,retirement}', false, 'Perpres 98/2020; recalled',
     'Kenaikan gaji berkala PPPK dua tahun setelah yang terakhir', 'Periodic pay rise of a PPPK two years after the last one'),
    ('KP_REGULER', '2000-11-17', 'promotion', 1, '{PNS}', NULL, '{pelaksana}', NULL, NULL, NULL, 'rank_since', 48, false,
     '{legal-status,discipline,retirement,top-rank,education-ceiling}', false,
     'PP 99/2000 jo. PP 12/2002; four years recalled, ceilings by education from the SIASN list',
     'Kenaikan pangkat reguler empat tahun dalam pangkat terakhir, sampai batas pendidikan',
     'Regular promotion after four years in the rank, up to the ceiling of the education'),
    ('KP_STRUKTURAL', '2000-11-17', 'promotion', 1, '{PNS}', NULL, '{struktural}', NULL, NULL, NULL, 'rank_since', 48, false,
     '{legal-status,discipline,retirement,top-rank}', false, 'PP 99/2000 jo. PP 12/2002; recalled. The span of ranks of an echelon is not checked',
     'Kenaikan pangkat pilihan pejabat struktural empat tahun dalam pangkat terakhir',
     'Promotion of a structural official after four years in the rank'),
    ('KP_FUNGSIONAL', '2023-07-01', 'promotion', 1, '{PNS}', NULL, '{fungsional}', NULL, NULL, NULL, 'rank_since', 24, false,
     '{legal-status,discipline,retirement,top-rank,credit-points}', false,
     'Permenpan RB 1/2023, Per BKN 3/2023 for the points (confirmed); two years in the rank at least (PP 99/2000; recalled)',
     'Kenaikan pangkat pejabat fungsional: angka kredit tercapai, paling cepat dua tahun dalam pangkat terakhir',
     'Promotion of a functional official: the credit points reached, after two years in the rank at the earliest'),
    ('KP', '2000-11-17', 'promotion', 9, '{PNS}', NULL, NULL, NULL, NULL, NULL, 'rank_since', NULL, false, '{}', false,
     'PP 99/2000 jo. PP 12/2002; recalled', 'Kenaikan pangkat menurut jenis jabatan', 'Promotion by the kind of position'),
    ('BUP_GURU', '2005-12-30', 'retirement', 1, '{PNS,CPNS,PPPK,PPPK_PARUH_WAKTU}', NULL, '{fungsional}', NULL, 'guru', NULL, 'birth_date', 720, true,
     '{}', false, 'UU 14/2005 Art. 40; recalled', 'Batas usia pensiun guru 60 tahun', 'Age of retirement of a teacher, 60'),
    ('BUP_58', '2017-04-07', 'retirement', 2, '{PNS,CPNS,PPPK,PPPK_PARUH_WAKTU}', NULL, NULL,
     '{administrator,pengawas,pelaksana,ahli_muda,ahli_pertama,penyelia,mahir,terampil,pemula}', NULL, NULL, 'birth_date', 696, true, '{}', true,
     'UU 20/2023 Art. 55, PP 11/2017', 'Batas usia pensiun 58 tahun', 'Age of retirement 58'),
    ('BUP_60', '2017-04-07', 'retirement', 2, '{PNS,CPNS,PPPK,PPPK_PARUH_WAKTU}', NULL, NULL, '{jpt_utama,jpt_madya,jpt_pratama,ahli_madya}', NULL,
     NULL, 'birth_date', 720, true, '{}', true, 'UU 20/2023 Art. 55, PP 11/2017', 'Batas usia pensiun 60 tahun', 'Age of retirement 60'),
    ('BUP_65', '2017-04-07', 'retirement', 2, '{PNS,CPNS,PPPK,PPPK_PARUH_WAKTU}', NULL, NULL, '{ahli_utama}', NULL, NULL, 'birth_date', 780, true,
     '{}', true, 'PP 11/2017', 'Batas usia pensiun 65 tahun', 'Age of retirement 65'),
    ('BUP', '2017-04-07', 'retirement', 9, '{PNS,CPNS,PPPK,PPPK_PARUH_WAKTU}', NULL, NULL, NULL, NULL, NULL, 'birth_date', NULL, true, '{}', true,
     'UU 20/2023 Art. 55, PP 11/2017', 'Batas usia pensiun menurut jenjang jabatan', 'Age of retirement by the level of the position'),
    ('KONTRAK', '2018-11-28', 'contract', 1, '{PPPK,PPPK_PARUH_WAKTU}', NULL, NULL, NULL, NULL, NULL, 'contract_until', 0, false, '{retirement}',
     true, 'PP 49/2018 Art. 37', 'Perjanjian kerja berakhir; dapat diperpanjang', 'The contract ends; it may be extended'),
    ('CPNS', '2023-10-31', 'probation', 1, '{CPNS}', NULL, NULL, NULL, NULL, NULL, 'appointed_on', 12, false, '{}', true,
     'UU 20/2023; BKN data quality indicator TIM_3', 'Masa percobaan CPNS satu tahun', 'Probation of a CPNS, one year'),
    ('CLTN', '2017-04-07', 'leave', 1, '{PNS}', '{02,13}', NULL, NULL, NULL, NULL, 'leave_until', 0, false, '{}', true,
     'PP 11/2017; BKN data quality indicator TIM_6', 'Cuti di luar tanggungan negara berakhir', 'Unpaid leave ends'),
    ('SLKS_10', '1994-07-21', 'award', 1, '{PNS}', NULL, NULL, NULL, NULL, '201', 'appointed_on', 120, false, '{legal-status,discipline-ever,retirement}',
     false, 'PP 25/1994, now PP 35/2010; recalled', 'Satyalancana Karya Satya setelah 10 tahun', 'Long service medal after 10 years'),
    ('SLKS_20', '1994-07-21', 'award', 1, '{PNS}', NULL, NULL, NULL, NULL, '202', 'appointed_on', 240, false, '{legal-status,discipline-ever,retirement}',
     false, 'PP 25/1994, now PP 35/2010; recalled', 'Satyalancana Karya Satya setelah 20 tahun', 'Long service medal after 20 years'),
    ('SLKS_30', '1994-07-21', 'award', 1, '{PNS}', NULL, NULL, NULL, NULL, '203', 'appointed_on', 360, false, '{legal-status,discipline-ever,retirement}',
     false, 'PP 25/1994, now PP 35/2010; recalled', 'Satyalancana Karya Satya setelah 30 tahun', 'Long service medal after 30 years');

-- ── what falls due ───────────────────────────────────────────────────────────────────────────────────────────────────────

-- The days are worked out when a fact changes, not when a list is read: no day depends on today, and so a page is a piece of an index.
-- Nobody writes here but due_refresh(), from the tables themselves; foreign keys would check a dozen rows a person for nothing.
CREATE TABLE due (
    asn_id    uuid NOT NULL,
    list      text COLLATE "C" NOT NULL,
    rule      text COLLATE "C" NOT NULL,
    rule_from date NOT NULL,
    unit_id   uuid NOT NULL,
    level     text,
    basis     date,
    due_on    date,
    missing   text[] NOT NULL,
    CONSTRAINT due_pkey PRIMARY KEY (asn_id, list, rule),
    CONSTRAINT due_on_or_missing CHECK (due_on IS NULL = (missing <> '{}'))
);
CREATE INDEX due_list_idx ON due (list, coalesce(due_on, 'infinity'::date), asn_id, rule);
CREATE INDEX due_unit_idx ON due (unit_id, list, coalesce(due_on, 'infinity'::date), asn_id, rule);
COMMENT ON TABLE due IS 'What falls due of each person and when; kept by triggers, derived from the record, its histories and due_rule alone.';
COMMENT ON COLUMN due.asn_id IS 'asn.id';
COMMENT ON COLUMN due.list IS 'due_rule.list';
COMMENT ON COLUMN due.rule IS 'due_rule.code';
COMMENT ON COLUMN due.rule_from IS 'due_rule.valid_from: which version of the rule';
COMMENT ON COLUMN due.unit_id IS 'asn.unit_id, so that the list of a unit is a piece of an index';
COMMENT ON COLUMN due.level IS 'Level of the position by which the rule was chosen; null: not known';
COMMENT ON COLUMN due.basis IS 'Day of the fact from which the months are counted; null: not known';
COMMENT ON COLUMN due.due_on IS 'When; null: a fact is missing';
COMMENT ON COLUMN due.missing IS 'Which facts are missing';

CREATE VIEW due_told AS
SELECT a.id AS asn_id, a.unit_id, w.list, w.rule, w.rule_from, l.level, w.basis, w.due_on,
       CASE WHEN w.due_on IS NOT NULL THEN '{}'
            WHEN w.months IS NULL THEN ARRAY[CASE WHEN a.position_kind IS NULL THEN 'position_kind'
                                                  WHEN a.position_kind = 'struktural' AND a.echelon IS NULL THEN 'echelon' ELSE 'position_level' END]
            ELSE ARRAY[w.counts_from] END::text[] AS missing
FROM   asn a
CROSS  JOIN LATERAL (
           SELECT CASE a.position_kind
                  WHEN 'pelaksana' THEN 'pelaksana'
                  WHEN 'struktural' THEN (SELECT r.facts ->> 'position_level' FROM reference r
                                          WHERE  r.list = 'echelon' AND r.code = a.echelon AND r.valid @> local_today())
                  WHEN 'fungsional' THEN coalesce(
                      (SELECT r.parent FROM history h JOIN reference r ON r.list = 'functional-level' AND r.code = h.facts ->> 'functional_level'
                                                                          AND r.valid @> local_today()
                       WHERE  h.asn_id = a.id AND h.kind = 'position' AND h.track IS NOT NULL AND NOT h.is_void AND h.starts <= local_today()
                              AND coalesce(upper(h.valid) > local_today(), true)),
                      (SELECT r.code FROM reference r
                       WHERE  r.list = 'position-level' AND r.parent = 'fungsional' AND r.valid @> local_today()
                              AND lower(a.position) LIKE '% ' || lower(r.name)))
                  END AS level
           OFFSET 0) l
CROSS  JOIN LATERAL (
           SELECT DISTINCT ON (r.list, r.award) r.list, r.code AS rule, r.valid_from AS rule_from, r.counts_from, r.months, b.basis, d.due_on
           FROM   due_rule r
           CROSS  JOIN LATERAL (
                      SELECT CASE r.counts_from
                             WHEN 'birth_date' THEN a.birth_date
                             WHEN 'appointed_on' THEN a.appointed_on
                             WHEN 'rank_since' THEN greatest(a.rank_since, (SELECT max(h.starts) FROM history h
                                                                            WHERE  h.asn_id = a.id AND h.kind = 'rank' AND NOT h.is_void
                                                                                   AND h.starts > local_today()))
                             WHEN 'pay_raise_since' THEN (SELECT max(h.starts) FROM history h
                                                          WHERE  h.asn_id = a.id AND h.kind = 'pay' AND NOT h.is_void)
                             WHEN 'contract_until' THEN (SELECT upper(h.valid) FROM history h
                                                         WHERE  h.asn_id = a.id AND h.kind = 'contract' AND NOT h.is_void
                                                         ORDER  BY h.starts DESC LIMIT 1)
                             ELSE (SELECT upper(h.valid) FROM history h
                                   WHERE  h.asn_id = a.id AND h.kind = 'leave' AND NOT h.is_void
                                   ORDER  BY h.starts DESC LIMIT 1)
                             END AS basis
                      OFFSET 0) b
           CROSS  JOIN LATERAL (
                      SELECT CASE WHEN r.next_month THEN date_trunc('month', b.basis + make_interval(months => r.months)) + interval '1 month'
                                  ELSE b.basis + make_interval(months => r.months) END::date AS due_on) d
           WHERE  a.kind = ANY (r.kinds)
                  AND CASE WHEN r.statuses IS NULL THEN a.legal_status = ANY (ARRAY(SELECT s.code FROM employed_status s))
                           ELSE a.legal_status = ANY (r.statuses) END
                  AND (r.position_kinds IS NULL OR a.position_kind = ANY (r.position_kinds))
                  AND (r.levels IS NULL OR l.level = ANY (r.levels))
                  AND (r.position_word IS NULL OR reference_fold(a.position) LIKE r.position_word || '%')
                  AND (r.award IS NULL
                       OR NOT EXISTS (SELECT FROM history h JOIN due_rule g ON g.list = r.list AND g.award = h.facts ->> 'award'
                                      WHERE  h.asn_id = a.id AND h.kind = 'award' AND NOT h.is_void AND g.months >= r.months))
           ORDER  BY r.list, r.award, r.seq, r.valid_from <= d.due_on DESC NULLS LAST, r.valid_from DESC) w;
COMMENT ON VIEW due_told IS
    'The rows of due as they should be. A functional level that no history tells is read off the end of the position''s name (… Ahli Muda).';

-- In plpgsql, which keeps its plan: planning would cost one person's change more than the work.
CREATE FUNCTION due_refresh(people uuid[]) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    WITH told AS MATERIALIZED (
        SELECT t.asn_id, t.list, t.rule, t.rule_from, t.unit_id, t.level, t.basis, t.due_on, t.missing FROM due_told t WHERE t.asn_id = ANY (people)
    ), gone AS (
        DELETE FROM due d
        WHERE  d.asn_id = ANY (people) AND NOT EXISTS (SELECT FROM told t WHERE (t.asn_id, t.list, t.rule) = (d.asn_id, d.list, d.rule))
    )
    INSERT INTO due AS d (asn_id, list, rule, rule_from, unit_id, level, basis, due_on, missing)
    SELECT t.* FROM told t
    ON     CONFLICT (asn_id, list, rule) DO UPDATE
    SET    (rule_from, unit_id, level, basis, due_on, missing)
         = (EXCLUDED.rule_from, EXCLUDED.unit_id, EXCLUDED.level, EXCLUDED.basis, EXCLUDED.due_on, EXCLUDED.missing)
    WHERE  (d.rule_from, d.unit_id, d.level, d.basis, d.due_on, d.missing)
           IS DISTINCT FROM (EXCLUDED.rule_from, EXCLUDED.unit_id, EXCLUDED.level, EXCLUDED.basis, EXCLUDED.due_on, EXCLUDED.missing);
END $$;
COMMENT ON FUNCTION due_refresh(uuid[]) IS 'Works out anew what falls due of these people.';

-- Whoever is new has no rows that could be others.
CREATE FUNCTION due_begin(people uuid[]) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO due (asn_id, list, rule, rule_from, unit_id, level, basis, due_on, missing)
    SELECT t.asn_id, t.list, t.rule, t.rule_from, t.unit_id, t.level, t.basis, t.due_on, t.missing FROM due_told t WHERE t.asn_id = ANY (people);
END $$;
COMMENT ON FUNCTION due_begin(uuid[]) IS 'Works out for the first time what falls due of these people.';

CREATE FUNCTION asn_keep_due() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
    people uuid[];
BEGIN
    IF TG_OP = 'INSERT' THEN
        PERFORM due_begin(array_agg(n.id)) FROM entered n HAVING count(*) > 0;
    ELSE
        SELECT array_agg(n.id) INTO people
        FROM   entered n JOIN departed o USING (id)
        WHERE  (n.kind, n.birth_date, n.appointed_on, n.rank_since, n.position_kind, n.position, n.echelon, n.unit_id, n.legal_status)
               IS DISTINCT FROM
               (o.kind, o.birth_date, o.appointed_on, o.rank_since, o.position_kind, o.position, o.echelon, o.unit_id, o.legal_status);
    END IF;
    IF people IS NOT NULL THEN
        PERFORM due_refresh(people);
    END IF;
    RETURN NULL;
END $$;
COMMENT ON FUNCTION asn_keep_due() IS 'What falls due follows the record.';
CREATE TRIGGER asn_50_due_insert AFTER INSERT ON asn REFERENCING NEW TABLE AS entered
    FOR EACH STATEMENT EXECUTE FUNCTION asn_keep_due();
CREATE TRIGGER asn_50_due_update AFTER UPDATE ON asn REFERENCING NEW TABLE AS entered OLD TABLE AS departed
    FOR EACH STATEMENT EXECUTE FUNCTION asn_keep_due();

-- In place of a foreign key, which would cost every row that is worked out: a record goes only when it was merged into another.
CREATE FUNCTION asn_drop_due() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM due d USING departed o WHERE d.asn_id = o.id;
    RETURN NULL;
END $$;
COMMENT ON FUNCTION asn_drop_due() IS 'Nothing falls due of a record that was merged.';
CREATE TRIGGER asn_50_due_delete AFTER DELETE ON asn REFERENCING OLD TABLE AS departed
    FOR EACH STATEMENT EXECUTE FUNCTION asn_drop_due();

-- Not of rows that a trigger of asn writes: there asn_50_due comes after.
CREATE FUNCTION history_keep_due() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
    people uuid[];
BEGIN
    SELECT array_agg(DISTINCT n.asn_id) INTO people
    FROM   entered n
    WHERE  n.kind IN ('rank', 'position', 'pay', 'contract', 'leave', 'award');
    IF people IS NOT NULL THEN
        PERFORM due_refresh(people);
    END IF;
    RETURN NULL;
END $$;
COMMENT ON FUNCTION history_keep_due() IS 'What falls due follows the histories.';
CREATE TRIGGER history_50_due_insert AFTER INSERT ON history REFERENCING NEW TABLE AS entered
    FOR EACH STATEMENT WHEN (pg_trigger_depth() = 0) EXECUTE FUNCTION history_keep_due();
CREATE TRIGGER history_50_due_update AFTER UPDATE ON history REFERENCING NEW TABLE AS entered
    FOR EACH STATEMENT WHEN (pg_trigger_depth() = 0) EXECUTE FUNCTION history_keep_due();

CREATE FUNCTION due_rules_changed() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM due_refresh(array_agg(a.id)) FROM asn a HAVING count(*) > 0;
    RETURN NULL;
END $$;
COMMENT ON FUNCTION due_rules_changed() IS 'Works everybody out anew: a rule has changed.';
CREATE TRIGGER due_rule_50_due AFTER INSERT OR UPDATE OR DELETE ON due_rule FOR EACH STATEMENT EXECUTE FUNCTION due_rules_changed();

CREATE FUNCTION reference_keep_due() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM entered e WHERE e.list IN ('echelon', 'functional-level', 'position-level', 'legal-status')) THEN
        PERFORM due_refresh(array_agg(a.id)) FROM asn a HAVING count(*) > 0;
    END IF;
    RETURN NULL;
END $$;
COMMENT ON FUNCTION reference_keep_due() IS 'Works everybody out anew: a list from which rules are chosen has changed.';
CREATE TRIGGER reference_50_due_insert AFTER INSERT ON reference REFERENCING NEW TABLE AS entered
    FOR EACH STATEMENT EXECUTE FUNCTION reference_keep_due();
CREATE TRIGGER reference_50_due_update AFTER UPDATE ON reference REFERENCING NEW TABLE AS entered
    FOR EACH STATEMENT EXECUTE FUNCTION reference_keep_due();

SELECT due_begin(array_agg(a.id)) FROM asn a HAVING count(*) > 0;

CREATE FUNCTION due_facts(d due, a asn, r due_rule) RETURNS jsonb
LANGUAGE sql STABLE
RETURN jsonb_strip_nulls(jsonb_build_object(r.counts_from, d.basis, 'months', r.months, 'legal_status', a.legal_status)
    || CASE r.list
       WHEN 'promotion' THEN jsonb_build_object('rank', a.rank, 'next_rank', (
               SELECT n.code FROM reference p JOIN reference n ON n.list = p.list AND n.seq > p.seq AND n.valid @> local_today()
               WHERE  p.list = 'rank-pns' AND p.code = a.rank AND p.valid @> local_today() ORDER BY n.seq LIMIT 1),
               'position_kind', a.position_kind, 'position_level', d.level, 'education_level', a.education_level)
       WHEN 'retirement' THEN jsonb_build_object('position_kind', a.position_kind, 'position', a.position, 'position_level', d.level)
       WHEN 'pay-raise' THEN jsonb_build_object('rank', a.rank)
       WHEN 'award' THEN jsonb_build_object('award', r.award)
       ELSE '{}' END);
COMMENT ON FUNCTION due_facts(due, asn, due_rule) IS 'The facts by which a row of due was worked out.';

CREATE FUNCTION due_blocks(d due, a asn, r due_rule, today date, scopes text[]) RETURNS jsonb
LANGUAGE sql STABLE AS $$
    SELECT coalesce(jsonb_agg(jsonb_strip_nulls(b.told) ORDER BY b.place), '[]')
    FROM  (SELECT 1 AS place, jsonb_build_object('code', 'legal-status', 'legal_status', a.legal_status, 'name', s.name) AS told
           FROM   legal_status s
           WHERE  'legal-status' = ANY (r.blocked_by) AND s.code = a.legal_status AND NOT s.in_service
           UNION ALL
           SELECT 2, jsonb_build_object('code', 'discipline', 'level', h.facts ->> 'level', 'punishment', h.facts ->> 'punishment', 'from', h.starts,
                                        'until', upper(h.valid))
           FROM   history h
           WHERE  h.asn_id = a.id AND h.kind = 'discipline' AND NOT h.is_void AND history_shown('discipline', scopes)
                  AND ('discipline' = ANY (r.blocked_by) AND (h.valid @> today OR h.valid @> d.due_on)
                       OR 'discipline-ever' = ANY (r.blocked_by) AND (h.facts ->> 'level' IN ('sedang', 'berat') OR h.valid @> today))
           UNION ALL
           SELECT 3, jsonb_build_object('code', 'top-rank', 'rank', p.code)
           FROM   reference p
           WHERE  'top-rank' = ANY (r.blocked_by) AND p.list = 'rank-pns' AND p.code = a.rank AND p.valid @> today
                  AND NOT EXISTS (SELECT FROM reference n WHERE n.list = p.list AND n.seq > p.seq AND n.valid @> today)
           UNION ALL
           SELECT 4, CASE WHEN a.education_level IS NULL THEN jsonb_build_object('code', 'fact-missing', 'fact', 'education_level')
                          WHEN c.code IS NULL THEN jsonb_build_object('code', 'fact-missing', 'fact', 'ceiling_rank', 'education_level', a.education_level)
                          ELSE jsonb_build_object('code', 'education-ceiling', 'education_level', a.education_level, 'ceiling_rank', c.code) END
           FROM   (SELECT) one
           LEFT   JOIN reference e ON e.list = 'education-level' AND e.code = a.education_level AND e.valid @> today
           LEFT   JOIN reference c ON c.list = 'rank-pns' AND c.code = e.facts ->> 'ceiling_rank' AND c.valid @> today
           LEFT   JOIN reference p ON p.list = 'rank-pns' AND p.code = a.rank AND p.valid @> today
           WHERE  'education-ceiling' = ANY (r.blocked_by) AND (c.seq IS NULL OR p.seq >= c.seq)
           UNION ALL
           SELECT 5, CASE WHEN n.need IS NULL THEN jsonb_build_object('code', 'fact-missing', 'fact', 'functional_level')
                          WHEN k.have IS NULL THEN jsonb_build_object('code', 'fact-missing', 'fact', 'credit', 'need', n.need)
                          ELSE jsonb_build_object('code', 'credit-points', 'have', k.have, 'need', n.need, 'credit_from', k.starts) END
           FROM   (SELECT) one
           LEFT   JOIN (SELECT f.parent, (f.facts ->> 'rank_points')::numeric AS need
                        FROM   reference f WHERE f.list = 'functional-level' AND f.valid @> today) n ON n.parent = d.level
           LEFT   JOIN LATERAL (SELECT (h.facts ->> 'total')::numeric AS have, h.starts
                                FROM   history h
                                WHERE  h.asn_id = a.id AND h.kind = 'credit' AND NOT h.is_void AND h.starts >= a.rank_since
                                ORDER  BY h.starts DESC, h.id DESC LIMIT 1) k ON true
           WHERE  'credit-points' = ANY (r.blocked_by) AND (n.need IS NULL OR k.have IS NULL OR k.have < n.need)
           UNION ALL
           SELECT 6, jsonb_build_object('code', 'retirement', 'on', p.due_on)
           FROM   due p
           WHERE  'retirement' = ANY (r.blocked_by) AND p.asn_id = a.id AND p.list = 'retirement' AND p.due_on <= d.due_on) b
$$;
COMMENT ON FUNCTION due_blocks(due, asn, due_rule, date, text[]) IS
    'What stands in the way: [{code, …}]. Discipline is told only to callers with asn.discipline.';

-- ── the map of posts ─────────────────────────────────────────────────────────────────────────────────────────────────────

CREATE TABLE post (
    id               uuid        CONSTRAINT post_pkey PRIMARY KEY,
    unit_id          uuid        NOT NULL CONSTRAINT post_unit_fkey REFERENCES unit,
    position_kind    text        NOT NULL CONSTRAINT post_position_kind_known CHECK (position_kind IN ('struktural', 'fungsional', 'pelaksana')),
    position         text        NOT NULL CONSTRAINT post_position_length CHECK (length(position) BETWEEN 1 AND 200),
    position_key     text COLLATE "C" GENERATED ALWAYS AS (reference_fold(position)) STORED,
    echelon          text,
    functional_level text,
    posts            integer     NOT NULL CONSTRAINT post_posts_range CHECK (posts BETWEEN 1 AND 100000),
    version          bigint      NOT NULL DEFAULT 1,
    created_at       timestamptz NOT NULL DEFAULT now(),
    updated_at       timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT post_once UNIQUE (unit_id, position_kind, position_key)
);
COMMENT ON TABLE post IS 'Peta jabatan: how many posts of which position a unit has.';
COMMENT ON COLUMN post.id IS 'UUIDv7';
COMMENT ON COLUMN post.unit_id IS 'unit.id';
COMMENT ON COLUMN post.position_kind IS 'Jenis jabatan';
COMMENT ON COLUMN post.position IS 'Nama jabatan';
COMMENT ON COLUMN post.position_key IS 'The name as holders are matched by it: reference_fold(position)';
COMMENT ON COLUMN post.echelon IS 'Eselon of a structural post; list echelon';
COMMENT ON COLUMN post.functional_level IS 'Jenjang of a functional post; list functional-level';
COMMENT ON COLUMN post.posts IS 'How many (kebutuhan, ABK)';
COMMENT ON COLUMN post.version IS 'Counts changes: ETag';
COMMENT ON COLUMN post.created_at IS 'When the row was made';
COMMENT ON COLUMN post.updated_at IS 'Last change';
CREATE TRIGGER post_20_touch BEFORE UPDATE ON post FOR EACH ROW EXECUTE FUNCTION touch_row();

CREATE FUNCTION post_codes_known() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.echelon IS NOT NULL AND NOT reference_holds('echelon', NEW.echelon, local_today()) THEN
        RAISE EXCEPTION 'no such echelon' USING ERRCODE = 'P0001', CONSTRAINT = 'post_echelon_fkey';
    END IF;
    IF NEW.functional_level IS NOT NULL AND NOT reference_holds('functional-level', NEW.functional_level, local_today()) THEN
        RAISE EXCEPTION 'no such level' USING ERRCODE = 'P0001', CONSTRAINT = 'post_functional_level_fkey';
    END IF;
    RETURN NEW;
END $$;
COMMENT ON FUNCTION post_codes_known() IS 'Codes of a post must hold today when they are given.';
CREATE TRIGGER post_10_codes BEFORE INSERT OR UPDATE OF echelon, functional_level ON post FOR EACH ROW EXECUTE FUNCTION post_codes_known();

-- ── seniority ────────────────────────────────────────────────────────────────────────────────────────────────────────────

-- A set of one row, so that it is merged into the asking statement. What is not known comes last.
CREATE FUNCTION seniority(me asn, at date)
RETURNS TABLE (key text, position_since date, service_since date, training_on date, training text, graduated_on date)
LANGUAGE sql STABLE AS $$
    SELECT concat(to_char(99 - coalesce(g.seq, 0), 'FM00'),
                  coalesce(to_char((me).rank_since, 'YYYYMMDD'), '99999999'),
                  CASE (me).position_kind
                  WHEN 'struktural' THEN to_char(coalesce(x.seq, 49), 'FM00')
                  WHEN 'fungsional' THEN to_char(50 + coalesce(f.seq, 39), 'FM00')
                  WHEN 'pelaksana' THEN '90' ELSE '99' END,
                  coalesce(to_char(p.starts, 'YYYYMMDD'), '99999999'),
                  coalesce(to_char(coalesce(s.since, (me).appointed_on), 'YYYYMMDD'), '99999999'),
                  coalesce(to_char(t.day, 'YYYYMMDD'), '99999999'),
                  to_char(99 - coalesce(e.seq, 0), 'FM00'),
                  coalesce(to_char(d.day, 'YYYYMMDD'), '99999999'),
                  to_char((me).birth_date, 'YYYYMMDD')) COLLATE "C",
           p.starts, coalesce(s.since, (me).appointed_on), t.day, t.name, d.day
    FROM   (SELECT) one
    LEFT   JOIN reference g ON g.list = CASE (me).rank_kind WHEN 'PNS' THEN 'rank-pns' ELSE 'rank-pppk' END AND g.code = (me).rank AND g.valid @> at
    LEFT   JOIN reference x ON x.list = 'echelon' AND x.code = (me).echelon AND x.valid @> at
    LEFT   JOIN LATERAL (SELECT h.starts, h.facts FROM history h
                         WHERE  h.asn_id = (me).id AND h.kind = 'position' AND h.track IS NOT NULL AND NOT h.is_void AND h.starts <= at
                                AND coalesce(upper(h.valid) > at, true)
                         ORDER  BY h.starts DESC LIMIT 1) p ON true
    LEFT   JOIN reference v ON v.list = 'functional-level' AND v.code = p.facts ->> 'functional_level' AND v.valid @> at
    LEFT   JOIN LATERAL (SELECT min(l.seq) AS seq FROM reference l
                         WHERE  (me).position_kind = 'fungsional' AND l.list = 'position-level' AND l.parent = 'fungsional' AND l.valid @> at
                                AND (l.code = v.parent OR v.parent IS NULL AND lower((me).position) LIKE '% ' || lower(l.name))) f ON true
    LEFT   JOIN LATERAL (SELECT (h.starts - make_interval(months => (h.facts ->> 'years')::integer * 12 + (h.facts ->> 'months')::integer))::date AS since
                         FROM   history h
                         WHERE  h.asn_id = (me).id AND h.kind = 'service' AND NOT h.is_void AND h.starts <= at
                         ORDER  BY coalesce(h.facts ->> 'basis', '') = 'golongan' DESC, h.starts DESC, h.id DESC LIMIT 1) s ON true
    LEFT   JOIN LATERAL (SELECT c.day, c.name
                         FROM  (SELECT h.starts AS day, h.facts ->> 'name' AS name
                                FROM   history h JOIN reference r ON r.list = 'training-form' AND r.code = h.facts ->> 'form' AND r.valid @> at
                                WHERE  h.asn_id = (me).id AND h.kind = 'course' AND NOT h.is_void AND h.starts <= at
                                       AND (r.facts ->> 'seniority')::boolean
                                UNION ALL
                                SELECT upper(n.days) - 1, q.name
                                FROM   enrolment n JOIN session w ON w.id = n.session_id JOIN programme q ON q.id = w.programme_id
                                JOIN   reference r ON r.list = 'training-form' AND r.code = q.form AND r.valid @> at
                                WHERE  n.asn_id = (me).id AND n.state = 'passed' AND upper(n.days) - 1 <= at
                                       AND (r.facts ->> 'seniority')::boolean) c
                         ORDER  BY c.day DESC, c.name LIMIT 1) t ON true
    LEFT   JOIN reference e ON e.list = 'education-level' AND e.code = (me).education_level AND e.valid @> at
    LEFT   JOIN LATERAL (SELECT max((h.facts ->> 'graduated_on')::date) AS day
                         FROM   history h
                         WHERE  h.asn_id = (me).id AND h.kind = 'education' AND NOT h.is_void AND h.starts <= at
                                AND h.facts ->> 'level' = (me).education_level) d ON true
$$;
COMMENT ON FUNCTION seniority(asn, date) IS
    'By what a person stands in the list by seniority (DUK) on that day: a key that sorts, seniors first, and what it is made of; docs/reports.md tells the order.';
