-- What the rules of performance ask before it is too late: targets that their formula has a value for, figures that the library names, one vocabulary of
-- families, areas in both languages. See docs/skp.md and docs/follow-up.md.

-- ── targets ──────────────────────────────────────────────────────────────────────────────────────────────────────────────

CREATE FUNCTION target_fault(direction text, target numeric, target_high numeric) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN direction = 'range' AND target_high < target THEN 'indicator-bounds'
            WHEN CASE direction WHEN 'range' THEN target_high ELSE target END = 0 THEN 'target-zero' END;
COMMENT ON FUNCTION target_fault(text, numeric, numeric) IS
    'Why a formula has no value for a target, whatever will be reached (docs/rules.md, section 3): it divides by it, or the range has nothing in it. Inverse with target 0 gives 0 or '
    'nothing. Null: it has one, or the target is not known yet.';

CREATE OR REPLACE FUNCTION skp_gaps(which uuid) RETURNS SETOF skp_gap
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN QUERY SELECT g.* FROM skp_gaps_of_plan(which) g;
    RETURN QUERY
    SELECT format('/indicators/%s/%s', i.position, g.member), g.code
    FROM   skp_indicator i
    JOIN   skp s ON s.id = i.skp_id
    LEFT   JOIN skp_measure m ON m.indicator_id = i.id
    CROSS  JOIN LATERAL (SELECT coalesce(sum(t.weight), 0) AS weight, count(*) AS n FROM skp_milestone t WHERE t.indicator_id = i.id) w
    CROSS  JOIN LATERAL (SELECT 'milestones' AS member, 'missing' AS code WHERE m.figure = 'milestones' AND w.n = 0
                         UNION ALL SELECT 'direction', 'milestone-direction' WHERE m.figure = 'milestones' AND i.direction <> 'maximize'
                         UNION ALL SELECT 'target', 'milestone-weights' WHERE m.figure = 'milestones' AND w.n > 0 AND i.target <> w.weight
                         UNION ALL SELECT CASE i.direction WHEN 'range' THEN 'target_high' ELSE 'target' END, f.code
                                   FROM   (SELECT target_fault(i.direction, i.target, i.target_high) AS code) f
                                   WHERE  f.code IS NOT NULL AND s.approach = 'kuantitatif') g
    WHERE  i.skp_id = which
    ORDER  BY i.position, g.member, g.code;
END $$;
COMMENT ON FUNCTION skp_gaps(uuid) IS
    'skp_gaps_of_plan(); of what is reached step by step the steps, whose weights make the target, and the formula by which more is better; and a target that its formula has a value for.';

-- The first row says that something is lacking, those behind it what and where.
DROP FUNCTION skp_act(uuid, ltree[], int8multirange, text, text, date, text);
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
        FOR gap IN SELECT g.* FROM skp_gaps(s.id) g LOOP
            IF problem IS NULL THEN
                problem := 'skp-incomplete';
                RETURN NEXT;
            END IF;
            problem := CASE gap.code WHEN 'missing' THEN 'skp-member-missing' ELSE gap.code END;
            pointer := gap.pointer;
            RETURN NEXT;
        END LOOP;
        IF problem IS NOT NULL THEN
            RETURN;
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
    'Takes an SKP a step further. seen: the versions that the caller may have seen; why: reason of a return or an end; last_day: of an end. What it lacks is a row each behind the first. No row: not the caller''s.';

-- ── figures of the library ───────────────────────────────────────────────────────────────────────────────────────────────

ALTER TABLE kpi ADD COLUMN figure text CONSTRAINT kpi_figure_fkey REFERENCES measure_figure;
COMMENT ON COLUMN kpi.figure IS 'measure_figure.code that measures it: a copy in an SKP then measures itself; null: none';
CREATE INDEX kpi_figure_idx ON kpi (figure) WHERE figure IS NOT NULL;

CREATE FUNCTION service_unit_near(which uuid, units ltree[]) RETURNS uuid
LANGUAGE sql STABLE
RETURN (SELECT c.id FROM unit u JOIN unit o ON u.path <@ o.path JOIN service_unit c ON c.unit_id = o.id
        WHERE  u.id = which AND o.path <@ ANY (units) ORDER BY nlevel(o.path) DESC LIMIT 1);
COMMENT ON FUNCTION service_unit_near(uuid, ltree[]) IS 'The nearest unit that serves the public at or above a unit, within these subtrees; null: none.';

-- ── moderation ── Of drafts alone, whoever writes it.

CREATE FUNCTION moderation_of_draft() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM evaluation e WHERE e.id = NEW.evaluation_id AND e.state = 'final';
    IF FOUND THEN
        RAISE EXCEPTION 'the evaluation is final' USING ERRCODE = 'P0001', CONSTRAINT = 'evaluation_final';
    END IF;
    RETURN NEW;
END $$;
COMMENT ON FUNCTION moderation_of_draft() IS 'What is final is not moderated.';
CREATE TRIGGER moderation_05_draft BEFORE INSERT ON moderation FOR EACH ROW EXECUTE FUNCTION moderation_of_draft();

-- ── objections ── Days are those of the regency's clock, as everywhere.

CREATE OR REPLACE FUNCTION objection_file(which uuid, units ltree[], own_id uuid, why text, told date, filed date, by_key uuid, by_name text)
RETURNS TABLE (problem text, pointer text, entry objection_entry)
LANGUAGE plpgsql AS $$
DECLARE
    e evaluation;
    day date;
BEGIN
    SELECT v.* INTO e FROM evaluation v JOIN asn a ON a.id = v.asn_id JOIN unit u ON u.id = a.unit_id
    WHERE  v.id = which AND u.path <@ ANY (units)
    FOR    SHARE OF v;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    day := coalesce(told, local_day(e.finalized_at));
    filed := coalesce(filed, local_today());
    IF e.state <> 'final' THEN
        problem := 'evaluation-draft';
    ELSIF EXISTS (SELECT FROM evaluation n WHERE n.supersedes = e.id) THEN
        problem := 'evaluation-superseded';
    ELSIF filed < day OR filed > local_today() THEN
        problem := 'objection-day';
        pointer := '/filed_on';
    ELSIF day < local_day(e.finalized_at) THEN
        problem := 'objection-day';
        pointer := '/told_on';
    ELSE
        INSERT INTO objection (id, evaluation_id, text, told_on, filed_on, last_day)
        VALUES (own_id, e.id, why, day, filed, day + performance_number('objection_days', day));
        INSERT INTO objection_step (objection_id, seq, state, note, actor_key, actor_name) VALUES (own_id, 1, 'open', why, by_key, by_name);
        SELECT o.* INTO entry FROM objection_entry o WHERE o.id = own_id;
    END IF;
    RETURN NEXT;
END $$;

-- ── credit points of a degree ────────────────────────────────────────────────────────────────────────────────────────────

INSERT INTO performance_setting VALUES ('degree_percent', '2023-07-01', 25, 'Per BKN 3/2023: once, of what the next rank needs, for a newly recorded higher degree; confirmed');
COMMENT ON COLUMN performance_setting.code IS
    'objection_days: calendar days in which an objection may be filed, counted from the day after the evaluation was told; milestone_late_percent: what a step that was '
    'reached late counts; peer_batch: by how many answers of peers are shown; improvement_months: how long a plan of improvement runs where nothing else is said; '
    'area_indicators: how many of the lowest indicators are named as areas to improve; degree_percent: of what the next rank needs, for a higher degree';

CREATE FUNCTION credit_degree_points(for_rank numeric, at date) RETURNS numeric
LANGUAGE sql STABLE
RETURN credit_points(12, performance_number('degree_percent', at), for_rank);
COMMENT ON FUNCTION credit_degree_points(numeric, date) IS 'What a newly recorded higher degree brings, once (Per BKN 3/2023): percent of the need of the next rank, two decimals, half up. Whether it was given is told by the decree.';

-- ── families ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

CREATE FUNCTION competency_families() RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN '{manajerial,teknis,fungsional,sosial_kultural}'::text[];
COMMENT ON FUNCTION competency_families() IS
    'Families of competencies (rumpun kompetensi) as programmes, what they serve, areas to improve and the contract''s CompetencyFamily name them. The list competency-standard has those '
    'of Permenpan RB 38/2017 among them; what is functional is trained for, and has no standard of its own there.';

ALTER TABLE programme DROP CONSTRAINT programme_family_known, ADD CONSTRAINT programme_family_known CHECK (family = ANY (competency_families()));
ALTER TABLE area_rule DROP CONSTRAINT area_rule_families_known, ADD CONSTRAINT area_rule_families_known CHECK (families <@ competency_families());

CREATE FUNCTION programme_serves_one_family() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM jsonb_array_elements(NEW.serves) AS c
    LEFT   JOIN reference r ON r.list = 'competency-standard' AND r.code = c ->> 'competency' AND r.valid @> local_today()
    WHERE  NOT c ->> 'family' = ANY (competency_families()) OR r.parent <> c ->> 'family' AND NOT (r.parent = 'teknis' AND c ->> 'family' = 'fungsional');
    IF FOUND THEN
        RAISE EXCEPTION 'a competency of another family' USING ERRCODE = 'P0001', CONSTRAINT = 'programme_serves_family';
    END IF;
    RETURN NEW;
END $$;
COMMENT ON FUNCTION programme_serves_one_family() IS
    'What a programme serves is of a known family, and a competency is of the family under which the list competency-standard has it. Of a functional training that may be a technical one.';
CREATE TRIGGER programme_15_serves BEFORE INSERT OR UPDATE OF serves ON programme FOR EACH ROW WHEN (NEW.serves <> '[]') EXECUTE FUNCTION programme_serves_one_family();

-- ── areas, in both languages ─────────────────────────────────────────────────────────────────────────────────────────────

ALTER TYPE area ADD ATTRIBUTE subject_en text;
COMMENT ON TYPE area IS
    'Something to improve: by which rule, what it is (in English too), its value and what was expected, from how many cases, why in words, the record it was read off, and, where it is known, '
    'the competency and level that it asks for (list competency-standard).';

CREATE FUNCTION behaviour_value_name(value text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN (SELECT w.name FROM (VALUES ('berorientasi_pelayanan', 'Service-oriented'), ('akuntabel', 'Accountable'), ('kompeten', 'Competent'), ('harmonis', 'Harmonious'),
                                   ('loyal', 'Loyal'), ('adaptif', 'Adaptive'), ('kolaboratif', 'Collaborative')) AS w (code, name) WHERE w.code = value);
COMMENT ON FUNCTION behaviour_value_name(text) IS 'The English word for a BerAKHLAK value.';

CREATE OR REPLACE FUNCTION area_of_evaluation(e evaluation, indicators jsonb, at date) RETURNS SETOF area
LANGUAGE sql STABLE AS $$
    (SELECT area_rule_on('indicator', at), i.name, i.achievement, (area_rule_on('indicator', at)).threshold, 1::bigint,
            format('Capaian %s %%, target %s %%', i.achievement, trim_scale((area_rule_on('indicator', at)).threshold)),
            format('Achievement %s %%, target %s %%', i.achievement, trim_scale((area_rule_on('indicator', at)).threshold)), i.id, NULL::text, NULL::integer, i.name
     FROM   jsonb_to_recordset(indicators) AS i (id uuid, name text, achievement numeric)
     WHERE  i.achievement < (area_rule_on('indicator', at)).threshold
     ORDER  BY i.achievement, i.name
     LIMIT  performance_number('area_indicators', at))
    UNION  ALL
    SELECT area_rule_on('results', at), 'Hasil kerja', NULL, NULL, 1, 'Hasil kerja di bawah ekspektasi', 'The results are below expectation', (e).id, NULL, NULL, 'Results'
    WHERE  (e).results_rating = 'di_bawah_ekspektasi'
    UNION  ALL
    SELECT area_rule_on('behaviour', at), 'Perilaku kerja', NULL, NULL, 1, 'Perilaku kerja di bawah ekspektasi', 'The behaviour is below expectation', (e).id, NULL, NULL, 'Behaviour'
    WHERE  (e).behaviour_rating = 'di_bawah_ekspektasi'
    UNION  ALL
    SELECT area_rule_on('behaviour_value', at), f.value, f.n, (area_rule_on('behaviour_value', at)).threshold, f.n,
           format('%s kali bimbingan atau konseling tentang nilai ini', f.n), format('%s time(s) coaching or counselling about this value', f.n), f.last, NULL, NULL,
           behaviour_value_name(f.value)
    FROM   (SELECT w.value, count(*) AS n, (array_agg(w.id ORDER BY w.id DESC))[1] AS last
            FROM   skp k JOIN skp_feedback w ON w.skp_id = k.id
            WHERE  k.asn_id = (e).asn_id AND k.period_id = (e).period_id AND w.value IS NOT NULL AND w.kind IN ('bimbingan', 'konseling') AND w.giver = 'penilai'
            GROUP  BY w.value) f
    WHERE  f.n >= (area_rule_on('behaviour_value', at)).threshold
$$;

CREATE OR REPLACE FUNCTION area_of_service(who uuid, in_year integer, at date) RETURNS SETOF area
LANGUAGE sql STABLE AS $$
    SELECT f.rule, 'Tiket sendiri', f.rate, (f.rule).threshold, f.promised, format('%s dari %s tiket tepat waktu (%s %%)', f.on_time, f.promised, f.rate),
           format('%s of %s tickets in time (%s %%)', f.on_time, f.promised, f.rate), NULL::uuid, NULL::text, NULL::integer, 'Own tickets'
    FROM   (SELECT area_rule_on('on_time', at) AS rule, sum(m.promised)::bigint AS promised, sum(m.on_time)::bigint AS on_time,
                   round(100.0 * sum(m.on_time) / nullif(sum(m.promised), 0), 2) AS rate
            FROM   service_figures('officer', ARRAY[who], make_date(in_year, 1, 1), make_date(in_year, 12, 1)) m) f
    WHERE  f.promised >= (f.rule).least AND f.rate < (f.rule).threshold
    UNION  ALL
    SELECT g.rule, g.element, round(g.mean, 4), (g.rule).threshold, g.n, format('Rata-rata %s dari %s jawaban', round(g.mean, 4), g.n),
           format('Mean %s of %s answers', round(g.mean, 4), g.n), NULL, NULL, NULL, g.element
    FROM   (SELECT v.key AS element, count(*) AS n, sum(v.value::numeric) / count(*) AS mean, area_rule_on('survey_' || v.key, at) AS rule
            FROM   survey_answer s CROSS JOIN LATERAL jsonb_each_text(s.answers) v
            WHERE  s.officer_id = who AND s.answered_on BETWEEN make_date(in_year, 1, 1) AND make_date(in_year, 12, 31) AND v.key IN ('U3', 'U6', 'U7')
            GROUP  BY v.key) g
    WHERE  g.n >= (g.rule).least AND g.mean < (g.rule).threshold
$$;

CREATE OR REPLACE FUNCTION area_of_hours(me asn, in_year integer, at date) RETURNS SETOF area
LANGUAGE sql STABLE AS $$
    SELECT area_rule_on('learning_hours', at), b.source, trim_scale(t.jp), b.floor_jp::numeric, NULL::bigint,
           format('%s dari %s JP; kurang %s', trim_scale(t.jp), b.floor_jp, trim_scale(b.floor_jp - t.jp)),
           format('%s of %s JP; %s short', trim_scale(t.jp), b.floor_jp, trim_scale(b.floor_jp - t.jp)), NULL::uuid, NULL::text, NULL::integer, b.source
    FROM   learning_period(me, make_date(in_year, 12, 31)) p
    CROSS  JOIN LATERAL (SELECT coalesce(sum(e.counted_jp), 0) AS jp FROM learning_entry e
                         WHERE  e.asn_id = (me).id AND (e.rule_kind, e.period_from) = (p.rule_kind, p.period_from)) t
    JOIN   LATERAL learning_bounds(me, p.rule_kind, extract(year FROM p.period_from)::integer) b ON true
    WHERE  b.floor_jp - t.jp >= (area_rule_on('learning_hours', at)).threshold
$$;

SELECT audit_attach();
