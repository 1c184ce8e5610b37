-- Appraising with evidence: indicators that measure themselves, steps of a project, several assessors, the person's own view, peers, and a suggestion
-- beside the ratings. Nothing here writes a rating. See docs/skp.md and docs/evaluation.md.

-- ── what can be measured ─────────────────────────────────────────────────────────────────────────────────────────────────

CREATE TABLE measure_figure (
    code      text    CONSTRAINT measure_figure_pkey PRIMARY KEY,
    seq       integer NOT NULL,
    source    text    NOT NULL CONSTRAINT measure_figure_source_known CHECK (source IN ('service', 'training', 'attendance', 'posted', 'milestone')),
    needs     text    NOT NULL CONSTRAINT measure_figure_needs_known CHECK (needs IN ('unit', 'own', 'told', 'steps')),
    measure   text    NOT NULL,
    aspect    text    NOT NULL CONSTRAINT measure_figure_aspect_known CHECK (aspect IN ('kuantitas', 'kualitas', 'waktu', 'biaya')),
    direction text    NOT NULL CONSTRAINT measure_figure_direction_known CHECK (direction IN ('maximize', 'minimize')),
    name      text    NOT NULL,
    name_en   text    NOT NULL,
    goes_to   text    NOT NULL
);
COMMENT ON TABLE measure_figure IS 'Figures that an indicator of an SKP may take its value from, and that are evidence for whoever rates. None becomes a predicate by itself.';
COMMENT ON COLUMN measure_figure.code IS 'Its name in the API';
COMMENT ON COLUMN measure_figure.seq IS 'Order in lists';
COMMENT ON COLUMN measure_figure.source IS 'Where the value comes from';
COMMENT ON COLUMN measure_figure.needs IS 'unit: of a service unit or one of its services; own: of the person''s own tickets, trainings or days; told: progress posted by another system; steps: of the indicator''s own milestones';
COMMENT ON COLUMN measure_figure.measure IS 'Unit of measure';
COMMENT ON COLUMN measure_figure.aspect IS 'Aspect under which it usually stands';
COMMENT ON COLUMN measure_figure.direction IS 'Formula that usually fits';
COMMENT ON COLUMN measure_figure.name IS 'In Indonesian';
COMMENT ON COLUMN measure_figure.name_en IS 'In English';
COMMENT ON COLUMN measure_figure.goes_to IS 'Whose indicator, or what feedback, it is evidence for';

CREATE TABLE measure_limit (
    figure     text    NOT NULL CONSTRAINT measure_limit_figure_fkey REFERENCES measure_figure,
    valid_from date    NOT NULL,
    at_least   integer NOT NULL CONSTRAINT measure_limit_at_least_range CHECK (at_least >= 0),
    source     text    NOT NULL,
    CONSTRAINT measure_limit_pkey PRIMARY KEY (figure, valid_from)
);
COMMENT ON TABLE measure_limit IS 'How many must stand behind a figure before it is one: below, there is no value, and the reason is told.';
COMMENT ON COLUMN measure_limit.figure IS 'measure_figure.code';
COMMENT ON COLUMN measure_limit.valid_from IS 'For figures up to this day or a later one';
COMMENT ON COLUMN measure_limit.at_least IS 'Tickets, answers, complaints or months';
COMMENT ON COLUMN measure_limit.source IS 'Where the number comes from, and how sure that is';

INSERT INTO measure_figure (code, seq, source, needs, measure, aspect, direction, name, name_en, goes_to) VALUES
    ('unit_satisfaction', 1, 'service', 'unit', 'nilai', 'kualitas', 'maximize', 'Indeks kepuasan masyarakat (IKM) unit', 'Satisfaction of the public with the unit (IKM)', 'result of the unit''s head, handed down'),
    ('unit_on_time_rate', 2, 'service', 'unit', 'persen', 'waktu', 'maximize', 'Layanan unit yang tepat waktu', 'Services of the unit within the promised time', 'result of the unit''s head, handed down'),
    ('unit_waiting_median', 3, 'service', 'unit', 'detik', 'waktu', 'minimize', 'Median waktu tunggu di unit', 'Median waiting time in the unit', 'result of the unit''s head, handed down'),
    ('unit_waiting_p90', 4, 'service', 'unit', 'detik', 'waktu', 'minimize', 'Persentil 90 waktu tunggu di unit', '90th percentile of the waiting time in the unit', 'result of the unit''s head, handed down'),
    ('unit_complaints_in_time', 5, 'service', 'unit', 'persen', 'waktu', 'maximize', 'Pengaduan unit yang dijawab tepat waktu', 'Complaints of the unit that were answered in time', 'result of who handles complaints'),
    ('unit_complaints_upheld', 6, 'service', 'unit', 'pengaduan', 'kualitas', 'minimize', 'Pengaduan unit yang terbukti', 'Complaints of the unit that were upheld', 'result of the unit''s head, handed down'),
    ('own_on_time_rate', 7, 'service', 'own', 'persen', 'waktu', 'maximize', 'Layanan sendiri yang tepat waktu', 'Own tickets within the promised time', 'result of the officer'),
    ('own_u3', 8, 'service', 'own', 'nilai', 'waktu', 'maximize', 'Rata-rata U3 (waktu penyelesaian) layanan sendiri', 'Mean of U3 (time to completion) of own tickets', 'feedback on berorientasi pelayanan'),
    ('own_u6', 9, 'service', 'own', 'nilai', 'kualitas', 'maximize', 'Rata-rata U6 (kompetensi pelaksana) layanan sendiri', 'Mean of U6 (competence of staff) of own tickets', 'feedback on kompeten'),
    ('own_u7', 10, 'service', 'own', 'nilai', 'kualitas', 'maximize', 'Rata-rata U7 (perilaku pelaksana) layanan sendiri', 'Mean of U7 (behaviour of staff) of own tickets', 'feedback on berorientasi pelayanan'),
    ('jp', 11, 'training', 'own', 'JP', 'kuantitas', 'maximize', 'Jam pelajaran yang dihitung', 'Learning hours that count', 'result of the person'),
    ('days_present', 12, 'attendance', 'own', 'hari', 'kuantitas', 'maximize', 'Hari hadir', 'Days present', 'result of the person'),
    ('days_late', 13, 'attendance', 'own', 'hari', 'waktu', 'minimize', 'Hari terlambat', 'Days late', 'result of the person'),
    ('days_absent', 14, 'attendance', 'own', 'hari', 'kuantitas', 'minimize', 'Hari tidak hadir tanpa keterangan', 'Days absent without leave', 'result of the person'),
    ('posted', 15, 'posted', 'told', '', 'kuantitas', 'maximize', 'Angka dari sistem lain', 'A number of another system', 'result of the person'),
    ('milestones', 16, 'milestone', 'steps', 'bobot', 'waktu', 'maximize', 'Bobot tahapan yang tercapai', 'Weight of the milestones that were reached', 'result of the person');
INSERT INTO measure_limit (figure, valid_from, at_least, source)
SELECT f.code, '2022-01-01', CASE WHEN f.code LIKE 'own\_%' THEN 30 WHEN f.code IN ('unit_satisfaction', 'unit_on_time_rate', 'unit_waiting_median', 'unit_waiting_p90') THEN 5
                                  WHEN f.code IN ('unit_complaints_upheld', 'jp') THEN 0 ELSE 1 END,
       CASE WHEN f.code LIKE 'own\_%' THEN 'ours: thirty of the officer''s own, else the unit''s alone' WHEN f.code = 'unit_satisfaction' THEN 'ours: five answers to each element, as for any result of a survey'
            WHEN f.needs = 'unit' THEN 'ours' ELSE 'ours: one, or there is nothing to tell' END
FROM   measure_figure f;

CREATE FUNCTION measure_at_least(figure text, at date) RETURNS integer
LANGUAGE sql STABLE
RETURN coalesce((SELECT l.at_least FROM measure_limit l WHERE l.figure = measure_at_least.figure AND l.valid_from <= at ORDER BY l.valid_from DESC LIMIT 1),
                (SELECT l.at_least FROM measure_limit l WHERE l.figure = measure_at_least.figure ORDER BY l.valid_from LIMIT 1));
COMMENT ON FUNCTION measure_at_least(text, date) IS 'The limit of a figure on a day; before the first one, that.';

-- ── days at work, by the month ───────────────────────────────────────────────────────────────────────────────────────────

CREATE TABLE presence_month (
    id         uuid        CONSTRAINT presence_month_pkey PRIMARY KEY,
    asn_id     uuid        NOT NULL CONSTRAINT presence_month_asn_fkey REFERENCES asn,
    month      date        NOT NULL CONSTRAINT presence_month_first CHECK (extract(day FROM month) = 1 AND month BETWEEN '1900-01-01' AND '2099-12-01'),
    present    smallint    NOT NULL CONSTRAINT presence_month_present_range CHECK (present BETWEEN 0 AND 31),
    late       smallint    NOT NULL CONSTRAINT presence_month_late_range CHECK (late BETWEEN 0 AND 31),
    absent     smallint    NOT NULL CONSTRAINT presence_month_absent_range CHECK (absent BETWEEN 0 AND 31),
    source     text        NOT NULL CONSTRAINT presence_month_source_length CHECK (length(source) BETWEEN 1 AND 200),
    actor_name text        NOT NULL,
    version    bigint      NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT presence_month_once UNIQUE (asn_id, month),
    CONSTRAINT presence_month_days CHECK (late <= present AND present + absent <= extract(day FROM month + interval '1 month' - interval '1 day'))
);
COMMENT ON TABLE presence_month IS 'Days that a person was at work in a month, as the system of attendance told it. What an evaluation took from it is kept there.';
COMMENT ON COLUMN presence_month.id IS 'UUIDv7';
COMMENT ON COLUMN presence_month.asn_id IS 'asn.id';
COMMENT ON COLUMN presence_month.month IS 'First day of the month';
COMMENT ON COLUMN presence_month.present IS 'Days present, late ones included';
COMMENT ON COLUMN presence_month.late IS 'Of these, days on which the person came late or left early';
COMMENT ON COLUMN presence_month.absent IS 'Days absent without leave';
COMMENT ON COLUMN presence_month.source IS 'Which system, or which sheet';
COMMENT ON COLUMN presence_month.actor_name IS 'Name of the key that brought it last';
COMMENT ON COLUMN presence_month.version IS 'Counts changes';
COMMENT ON COLUMN presence_month.created_at IS 'When the row was made';
COMMENT ON COLUMN presence_month.updated_at IS 'Last change';
CREATE TRIGGER presence_month_20_touch BEFORE UPDATE ON presence_month FOR EACH ROW EXECUTE FUNCTION touch_row();

-- ── parts of the SKP: the measure of an indicator, the steps of a project ───────────────────────────────────────────────

CREATE TABLE skp_measure (
    indicator_id    uuid NOT NULL CONSTRAINT skp_measure_pkey PRIMARY KEY CONSTRAINT skp_measure_indicator_fkey REFERENCES skp_indicator ON DELETE CASCADE,
    skp_id          uuid NOT NULL CONSTRAINT skp_measure_skp_fkey REFERENCES skp ON DELETE CASCADE,
    figure          text NOT NULL CONSTRAINT skp_measure_figure_fkey REFERENCES measure_figure,
    service_unit_id uuid CONSTRAINT skp_measure_service_unit_fkey REFERENCES service_unit,
    service_id      uuid CONSTRAINT skp_measure_service_fkey REFERENCES service
);
CREATE INDEX skp_measure_skp_idx ON skp_measure (skp_id);
COMMENT ON TABLE skp_measure IS 'Where an indicator of an SKP takes its value from. Agreed with the SKP, and fixed with it.';
COMMENT ON COLUMN skp_measure.indicator_id IS 'skp_indicator.id';
COMMENT ON COLUMN skp_measure.skp_id IS 'skp.id, that of the indicator';
COMMENT ON COLUMN skp_measure.figure IS 'measure_figure.code';
COMMENT ON COLUMN skp_measure.service_unit_id IS 'service_unit.id, of a figure of a unit';
COMMENT ON COLUMN skp_measure.service_id IS 'service.id of that unit; null: all its services';

CREATE TABLE skp_milestone (
    id           uuid    CONSTRAINT skp_milestone_pkey PRIMARY KEY,
    skp_id       uuid    NOT NULL CONSTRAINT skp_milestone_skp_fkey REFERENCES skp ON DELETE CASCADE,
    indicator_id uuid    NOT NULL CONSTRAINT skp_milestone_indicator_fkey REFERENCES skp_indicator ON DELETE CASCADE,
    position     integer NOT NULL CONSTRAINT skp_milestone_position_range CHECK (position BETWEEN 1 AND 100),
    name         text    NOT NULL CONSTRAINT skp_milestone_name_length CHECK (length(name) BETWEEN 1 AND 500),
    weight       numeric NOT NULL CONSTRAINT skp_milestone_weight_range CHECK (weight > 0 AND weight <= 1e9),
    due_on       date    NOT NULL CONSTRAINT skp_milestone_due_on_range CHECK (due_on BETWEEN '1900-01-01' AND '2099-12-31'),
    CONSTRAINT skp_milestone_position_key UNIQUE (indicator_id, position)
);
CREATE INDEX skp_milestone_skp_idx ON skp_milestone (skp_id);
COMMENT ON TABLE skp_milestone IS 'Steps of an indicator that is reached step by step. Their weights make its target.';
COMMENT ON COLUMN skp_milestone.id IS 'UUIDv7';
COMMENT ON COLUMN skp_milestone.skp_id IS 'skp.id, that of the indicator';
COMMENT ON COLUMN skp_milestone.indicator_id IS 'skp_indicator.id';
COMMENT ON COLUMN skp_milestone.position IS 'Order, 1 …';
COMMENT ON COLUMN skp_milestone.name IS 'What is then there';
COMMENT ON COLUMN skp_milestone.weight IS 'What it counts of the target';
COMMENT ON COLUMN skp_milestone.due_on IS 'By when';

CREATE TABLE skp_milestone_report (
    id           uuid        CONSTRAINT skp_milestone_report_pkey PRIMARY KEY,
    skp_id       uuid        NOT NULL CONSTRAINT skp_milestone_report_skp_fkey REFERENCES skp,
    milestone_id uuid        NOT NULL CONSTRAINT skp_milestone_report_milestone_fkey REFERENCES skp_milestone,
    day          date        NOT NULL CONSTRAINT skp_milestone_report_day_range CHECK (day BETWEEN '1900-01-01' AND '2099-12-31'),
    is_reached   boolean     NOT NULL,
    evidence     text        CONSTRAINT skp_milestone_report_evidence_length CHECK (length(evidence) BETWEEN 1 AND 500),
    note         text        CONSTRAINT skp_milestone_report_note_length CHECK (length(note) BETWEEN 1 AND 2000),
    actor_key    uuid        NOT NULL,
    actor_name   text        NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX skp_milestone_report_skp_idx ON skp_milestone_report (skp_id, id);
CREATE INDEX skp_milestone_report_milestone_idx ON skp_milestone_report (milestone_id, id DESC);
COMMENT ON TABLE skp_milestone_report IS 'Whether a step was reached, and on which day. Only added to: the last one about a step holds.';
COMMENT ON COLUMN skp_milestone_report.id IS 'UUIDv7';
COMMENT ON COLUMN skp_milestone_report.skp_id IS 'skp.id, that of the step';
COMMENT ON COLUMN skp_milestone_report.milestone_id IS 'skp_milestone.id';
COMMENT ON COLUMN skp_milestone_report.day IS 'When it was reached; of one that was not: when that was said';
COMMENT ON COLUMN skp_milestone_report.is_reached IS 'false takes back what was reported';
COMMENT ON COLUMN skp_milestone_report.evidence IS 'Number or address of the evidence (bukti dukung)';
COMMENT ON COLUMN skp_milestone_report.note IS 'In words';
COMMENT ON COLUMN skp_milestone_report.actor_key IS 'api_key.id of who wrote it';
COMMENT ON COLUMN skp_milestone_report.actor_name IS 'Name of that key then';
COMMENT ON COLUMN skp_milestone_report.created_at IS 'When it was written';

CREATE FUNCTION skp_measure_fits() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
    f measure_figure;
BEGIN
    SELECT * INTO f FROM measure_figure m WHERE m.code = NEW.figure;
    IF FOUND AND (f.needs = 'unit') <> (NEW.service_unit_id IS NOT NULL) THEN
        RAISE EXCEPTION 'a figure of a unit names it, another one does not' USING ERRCODE = 'P0001', CONSTRAINT = 'skp_measure_unit';
    END IF;
    IF NEW.service_id IS NOT NULL
       AND NOT EXISTS (SELECT FROM service s WHERE s.id = NEW.service_id AND s.service_unit_id = NEW.service_unit_id) THEN
        RAISE EXCEPTION 'a service of another unit' USING ERRCODE = 'P0001', CONSTRAINT = 'skp_measure_service_fkey';
    END IF;
    RETURN NEW;
END $$;
COMMENT ON FUNCTION skp_measure_fits() IS 'What a figure needs is there, and nothing else.';
CREATE TRIGGER skp_measure_10_part BEFORE INSERT OR UPDATE OR DELETE ON skp_measure FOR EACH ROW EXECUTE FUNCTION skp_part();
CREATE TRIGGER skp_measure_15_fits BEFORE INSERT OR UPDATE ON skp_measure FOR EACH ROW EXECUTE FUNCTION skp_measure_fits();
CREATE TRIGGER skp_measure_30_keep BEFORE TRUNCATE ON skp_measure FOR EACH STATEMENT EXECUTE FUNCTION skp_said_keep();
CREATE TRIGGER skp_milestone_30_keep BEFORE TRUNCATE ON skp_milestone FOR EACH STATEMENT EXECUTE FUNCTION skp_said_keep();
CREATE TRIGGER skp_milestone_10_part BEFORE INSERT OR UPDATE OR DELETE ON skp_milestone FOR EACH ROW EXECUTE FUNCTION skp_part();
CREATE TRIGGER skp_milestone_report_10_open BEFORE INSERT ON skp_milestone_report FOR EACH ROW EXECUTE FUNCTION skp_year_open();
CREATE TRIGGER skp_milestone_report_30_keep BEFORE UPDATE OR DELETE ON skp_milestone_report FOR EACH ROW EXECUTE FUNCTION skp_said_keep();
CREATE TRIGGER skp_milestone_report_40_keep BEFORE TRUNCATE ON skp_milestone_report FOR EACH STATEMENT EXECUTE FUNCTION skp_said_keep();

CREATE OR REPLACE FUNCTION skp_document(which uuid) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (SELECT jsonb_build_object('skp_id', s.id, 'period_id', s.period_id, 'starts_on', s.starts_on, 'ends_on', s.ends_on, 'unit_id', s.unit_id,
                       'position', s.position, 'assessor_id', s.assessor_id, 'assessor_name', s.assessor_name, 'assessor_position', s.assessor_position,
                       'approach', s.approach,
                       'results', coalesce((SELECT jsonb_agg(jsonb_build_object('id', r.id, 'kind', r.kind, 'position', r.position, 'name', r.name,
                                                'superior_result_id', r.superior_result_id, 'cascade', r.cascade, 'perspective', r.perspective,
                                                'indicators', coalesce((SELECT jsonb_agg(skp_document_indicator(i) ORDER BY i.position)
                                                    FROM skp_indicator i WHERE i.result_id = r.id), '[]')) ORDER BY r.position)
                                            FROM skp_result r WHERE r.skp_id = s.id), '[]'),
                       'behaviours', coalesce((SELECT jsonb_object_agg(b.value, b.expectation) FROM skp_behaviour b WHERE b.skp_id = s.id), '{}'))
            FROM   skp s WHERE s.id = which);
END $$;

CREATE FUNCTION skp_document_indicator(i skp_indicator) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN jsonb_build_object('id', i.id, 'position', i.position, 'name', i.name, 'aspect', i.aspect, 'measure', i.measure, 'direction', i.direction,
                              'target', i.target, 'target_high', i.target_high, 'weight', i.weight, 'cap', i.cap, 'success', i.success, 'kpi_id', i.kpi_id)
           || coalesce((SELECT jsonb_build_object('measured_by', jsonb_build_object('figure', m.figure, 'service_unit_id', m.service_unit_id, 'service_id', m.service_id))
                        FROM   skp_measure m WHERE m.indicator_id = i.id), '{}')
           || coalesce((SELECT jsonb_build_object('milestones', jsonb_agg(jsonb_build_object('id', t.id, 'position', t.position, 'name', t.name, 'weight', t.weight,
                                                                                             'due_on', t.due_on) ORDER BY t.position))
                        FROM   skp_milestone t WHERE t.indicator_id = i.id HAVING count(*) > 0), '{}');
END $$;
COMMENT ON FUNCTION skp_document_indicator(skp_indicator) IS 'An indicator within skp_document(): with measured_by and milestones where it has them.';

ALTER FUNCTION skp_gaps(uuid) RENAME TO skp_gaps_of_plan;
COMMENT ON FUNCTION skp_gaps_of_plan(uuid) IS
    'What must be there before an SKP is proposed (Permenpan RB 6/2022): a main result; the assessor''s result that each serves, unless the assessor is no civil '
    'servant; an indicator a result; by approach its aspect, formula and target, or its success in words. Expectations of behaviour may be absent.';
CREATE FUNCTION skp_gaps(which uuid) RETURNS SETOF skp_gap
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN QUERY SELECT g.* FROM skp_gaps_of_plan(which) g;
    RETURN QUERY
    SELECT format('/indicators/%s/%s', i.position, g.member), g.code
    FROM   skp_measure m
    JOIN   skp_indicator i ON i.id = m.indicator_id
    CROSS  JOIN LATERAL (SELECT coalesce(sum(t.weight), 0) AS weight, count(*) AS n FROM skp_milestone t WHERE t.indicator_id = i.id) w
    CROSS  JOIN LATERAL (SELECT 'milestones' AS member, 'missing' AS code WHERE m.figure = 'milestones' AND w.n = 0
                         UNION ALL SELECT 'direction', 'milestone-direction' WHERE m.figure = 'milestones' AND i.direction <> 'maximize'
                         UNION ALL SELECT 'target', 'milestone-weights' WHERE m.figure = 'milestones' AND w.n > 0 AND i.target <> w.weight
                         UNION ALL SELECT 'target', 'target-zero' WHERE i.target = 0 AND i.direction IN ('maximize', 'minimize')) g
    WHERE  m.skp_id = which
    ORDER  BY i.position, g.member, g.code;
END $$;
COMMENT ON FUNCTION skp_gaps(uuid) IS
    'skp_gaps_of_plan(), of what is reached step by step the steps, whose weights make the target, and the formula by which more is better; and of whatever measures itself a target that its formula has a value for.';

-- ── reading a figure ─────────────────────────────────────────────────────────────────────────────────────────────────────

-- Each with all that its value is worked out from: measure_value() knows nothing else, so what was read once can be worked out again for ever.
CREATE FUNCTION measure_survey_parts(of_unit uuid, of_service uuid, first date, last date) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN jsonb_build_object('surveys', coalesce((
        SELECT jsonb_agg(jsonb_build_object('survey_id', s.id, 'code', s.code, 'respondents', CASE WHEN e.least >= 5 THEN r.n END,
                                            'elements', CASE WHEN e.least >= 5 THEN e.elements END) ORDER BY s.id)
        FROM   survey s
        CROSS  JOIN LATERAL (SELECT coalesce(sum(c.n), 0)::bigint AS n FROM survey_tally c WHERE c.survey_id = s.id AND c.element = 'n') r
        CROSS  JOIN LATERAL (SELECT min(t.n) AS least, jsonb_agg(jsonb_build_object('code', q.code, 'n', t.n, 'sum', t.sum) ORDER BY q.place) AS elements
                             FROM   unnest(s.elements) WITH ORDINALITY AS q (code, place)
                             CROSS  JOIN LATERAL (SELECT coalesce(sum(c.n), 0)::bigint AS n, coalesce(sum(c.n * c.value::integer), 0)::bigint AS sum
                                                  FROM   survey_tally c WHERE c.survey_id = s.id AND c.element = q.code AND c.value IN ('1', '2', '3', '4')) t) e
        WHERE  s.service_unit_id = of_unit AND (of_service IS NULL OR s.service_id = of_service) AND s.state IN ('closed', 'published')
               AND s.ends_on BETWEEN first AND last), '[]'));
END $$;
COMMENT ON FUNCTION measure_survey_parts(uuid, uuid, date, date) IS
    'Closed surveys of a service unit that ended in these days: respondents, and of each element how many answered and their sum. Of one of whose elements fewer than five answered nothing but that it was.';

CREATE FUNCTION measure_ticket_parts(figure text, of_unit uuid, of_service uuid, who uuid, first date, last date) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
DECLARE
    services uuid[] := ARRAY(SELECT v.id FROM service v WHERE v.service_unit_id = of_unit AND (of_service IS NULL OR v.id = of_service));
BEGIN
    IF figure IN ('unit_waiting_median', 'unit_waiting_p90') THEN
        RETURN (SELECT jsonb_build_object('n', count(t.waiting_s),
                           'seconds', percentile_of(array_agg(t.waiting_s ORDER BY t.waiting_s) FILTER (WHERE t.waiting_s IS NOT NULL),
                                                    CASE figure WHEN 'unit_waiting_median' THEN 50 ELSE 90 END))
                FROM   ticket t WHERE t.service_id = ANY (services) AND t.day BETWEEN first AND last);
    ELSIF figure = 'unit_on_time_rate' THEN
        RETURN (SELECT jsonb_build_object('on_time', count(*) FILTER (WHERE t.is_on_time), 'promised', count(t.is_on_time))
                FROM   ticket t WHERE t.service_id = ANY (services) AND t.day BETWEEN first AND last);
    END IF;
    RETURN (SELECT jsonb_build_object('on_time', count(*) FILTER (WHERE t.is_on_time), 'promised', count(t.is_on_time))
            FROM   ticket t WHERE t.officer_id = who AND t.day BETWEEN first AND last);
END $$;
COMMENT ON FUNCTION measure_ticket_parts(text, uuid, uuid, uuid, date, date) IS
    'Tickets that were taken on these days, of a service unit or of one officer: finished ones with a promised time, and those of them in time; or how many waited, and the percentile of that.';

CREATE FUNCTION measure_complaint_parts(of_unit uuid, of_service uuid, first date, last date) RETURNS jsonb
LANGUAGE sql STABLE
RETURN (SELECT jsonb_build_object('due', count(*) FILTER (WHERE d.answered IS NOT NULL OR d.limit_on < local_today()),
                                  'in_time', count(*) FILTER (WHERE d.answered <= d.limit_on), 'upheld', count(*) FILTER (WHERE d.is_upheld), 'received', count(*))
        FROM   complaint c
        CROSS  JOIN LATERAL (SELECT local_day(c.answered_at) AS answered, coalesce(c.settle_by, c.verify_by) AS limit_on, coalesce(c.is_upheld, false) AS is_upheld) d
        WHERE  c.service_unit_id = of_unit AND (of_service IS NULL OR c.service_id = of_service) AND c.kind = 'complaint' AND c.state <> 'rejected'
               AND local_day(c.received_at) BETWEEN first AND last);
COMMENT ON FUNCTION measure_complaint_parts(uuid, uuid, date, date) IS
    'Complaints that came on these days and were not rejected: answered, or due and not answered (by the limit to verify while nobody has verified it); answered within the limit to settle; upheld.';

CREATE FUNCTION measure_person_parts(figure text, who uuid, first date, last date) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
DECLARE
    element text := upper(substr(figure, 5));
    since   date := date_trunc('month', first::timestamp + interval '1 month' - interval '1 day');
    before  date := date_trunc('month', last::timestamp + interval '1 day');
BEGIN
    IF figure = 'jp' THEN
        RETURN (SELECT jsonb_build_object('trainings', count(*) FILTER (WHERE e.counted_jp > 0), 'jp', trim_scale(coalesce(sum(e.counted_jp), 0)))
                FROM   learning_entry e WHERE e.asn_id = who AND e.last_day BETWEEN first AND last);
    ELSIF figure IN ('days_present', 'days_late', 'days_absent') THEN
        RETURN (SELECT jsonb_build_object('months', coalesce(jsonb_agg(jsonb_build_object('month', to_char(g.month, 'YYYY-MM'), 'source', p.source, 'told_at', p.updated_at,
                                              'days', CASE figure WHEN 'days_present' THEN p.present WHEN 'days_late' THEN p.late ELSE p.absent END) ORDER BY g.month), '[]'))
                FROM   (SELECT m::date AS month FROM generate_series(since::timestamp, before - interval '1 day', interval '1 month') AS m) g
                LEFT   JOIN presence_month p ON p.asn_id = who AND p.month = g.month);
    END IF;
    RETURN (SELECT jsonb_build_object('n', count(*), 'sum', coalesce(sum((s.answers ->> element)::integer), 0))
            FROM   survey_answer s WHERE s.officer_id = who AND s.answered_on >= since AND s.answered_on < before AND s.answers ? element);
END $$;
COMMENT ON FUNCTION measure_person_parts(text, uuid, date, date) IS
    'Of one person: learning hours of trainings that ended on these days; of the whole months among them days at work, or answers of the public about own tickets (a day more would tell what one citizen said).';

-- A report holds that was the last one about its step; what a day after `last` brought does not count.
CREATE FUNCTION measure_plan_parts(figure text, of_indicator uuid, last date) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF figure = 'posted' THEN
        RETURN coalesce((SELECT jsonb_build_object('progress_id', h.id, 'day', h.day, 'value', h.value, 'evidence', h.evidence, 'actor_name', h.actor_name, 'told_at', h.created_at)
                         FROM   skp_progress_holds h
                         WHERE  h.indicator_id = of_indicator AND h.source = 'posted' AND h.value IS NOT NULL AND h.day <= last
                         ORDER  BY h.day DESC, h.id DESC LIMIT 1), '{}');
    END IF;
    RETURN (SELECT jsonb_build_object('late_percent', coalesce(performance_number('milestone_late_percent', last), 100),
                       'steps', coalesce(jsonb_agg(jsonb_build_object('id', t.id, 'position', t.position, 'weight', t.weight, 'due_on', t.due_on,
                                                       'reached_on', CASE WHEN r.is_reached THEN r.day END, 'evidence', CASE WHEN r.is_reached THEN r.evidence END)
                                                   ORDER BY t.position), '[]'))
            FROM   skp_milestone t
            LEFT   JOIN LATERAL (SELECT p.* FROM skp_milestone_report p WHERE p.milestone_id = t.id AND p.day <= last ORDER BY p.id DESC LIMIT 1) r ON true
            WHERE  t.indicator_id = of_indicator);
END $$;
COMMENT ON FUNCTION measure_plan_parts(text, uuid, date) IS 'Of one indicator up to a day: the last posted progress that holds; or its steps, each with the day on which it was reached.';

CREATE FUNCTION measure_parts(figure text, who uuid, of_unit uuid, of_service uuid, of_indicator uuid, first date, last date) RETURNS jsonb
LANGUAGE sql STABLE
RETURN CASE WHEN figure = 'unit_satisfaction' THEN measure_survey_parts(of_unit, of_service, first, last)
            WHEN figure IN ('unit_complaints_in_time', 'unit_complaints_upheld') THEN measure_complaint_parts(of_unit, of_service, first, last)
            WHEN figure IN ('unit_on_time_rate', 'unit_waiting_median', 'unit_waiting_p90', 'own_on_time_rate')
            THEN measure_ticket_parts(figure, of_unit, of_service, who, first, last)
            WHEN figure IN ('posted', 'milestones') THEN measure_plan_parts(figure, of_indicator, last)
            ELSE measure_person_parts(figure, who, first, last) END;
COMMENT ON FUNCTION measure_parts(text, uuid, uuid, uuid, uuid, date, date) IS 'All that the value of a figure is worked out from, as it is now, for these days.';

-- Exact: quotients are taken to 120 decimals, of which the last twenty are dropped before the value is rounded half up. Sums of quotients whose
-- denominators are counts come so near to a half only when they are one.
CREATE FUNCTION measure_pool(surveys jsonb, OUT converted numeric, OUT respondents bigint)
LANGUAGE sql IMMUTABLE
RETURN (SELECT (round(round(sum(round(x.n, 120) * x.index) / nullif(sum(x.n), 0) * 25, 100), 2), sum(x.n)::bigint)
        FROM   (SELECT (s ->> 'respondents')::numeric AS n,
                       (SELECT sum(round((e ->> 'sum')::numeric, 120) / (e ->> 'n')::numeric) / round(count(*)::numeric, 120) FROM jsonb_array_elements(s -> 'elements') e) AS index
                FROM   jsonb_array_elements(surveys) s
                WHERE  jsonb_typeof(s -> 'elements') = 'array') x);
COMMENT ON FUNCTION measure_pool(jsonb) IS
    'Several surveys as one: respondents times index, by respondents, times 25 (Permenpan RB 14/2017; pooling as src/rules/satisfaction.c has it), rounded once.';

CREATE FUNCTION measure_ratio(part numeric, whole numeric, by numeric) RETURNS numeric
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN trim_scale(round(round(round(part * by, 40) / nullif(whole, 0), 30), 4));
COMMENT ON FUNCTION measure_ratio(numeric, numeric, numeric) IS 'part × by / whole, to four decimals, half up; null of nothing.';

CREATE TYPE measure_told AS (value numeric, n bigint, reason text);
COMMENT ON TYPE measure_told IS 'A figure: its value, how many stand behind it, and why there is no value.';

CREATE FUNCTION measure_value(figure text, parts jsonb, at_least integer) RETURNS measure_told
LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    t       measure_told;
    missing boolean := false;
BEGIN
    IF parts ? 'is_few' THEN
        RETURN (NULL, NULL, 'too-few')::measure_told;
    END IF;
    CASE
    WHEN figure = 'unit_satisfaction' THEN
        SELECT p.converted, p.respondents INTO t.value, t.n FROM measure_pool(parts -> 'surveys') p;
        missing := jsonb_array_length(parts -> 'surveys') > 0;
    WHEN figure IN ('unit_on_time_rate', 'own_on_time_rate') THEN
        t.n := (parts ->> 'promised')::bigint;
        t.value := measure_ratio((parts ->> 'on_time')::numeric, t.n, 100);
    WHEN figure IN ('unit_waiting_median', 'unit_waiting_p90') THEN
        t.n := (parts ->> 'n')::bigint;
        t.value := (parts ->> 'seconds')::numeric;
    WHEN figure = 'unit_complaints_in_time' THEN
        t.n := (parts ->> 'due')::bigint;
        t.value := measure_ratio((parts ->> 'in_time')::numeric, t.n, 100);
    WHEN figure = 'unit_complaints_upheld' THEN
        t.n := (parts ->> 'received')::bigint;
        t.value := (parts ->> 'upheld')::numeric;
    WHEN figure IN ('own_u3', 'own_u6', 'own_u7') THEN
        t.n := (parts ->> 'n')::bigint;
        t.value := measure_ratio((parts ->> 'sum')::numeric, t.n, 1);
    WHEN figure = 'jp' THEN
        t.n := (parts ->> 'trainings')::bigint;
        t.value := (parts ->> 'jp')::numeric;
    WHEN figure IN ('days_present', 'days_late', 'days_absent') THEN
        SELECT sum((m ->> 'days')::numeric), count(*), bool_or(m ->> 'days' IS NULL) INTO t.value, t.n, missing FROM jsonb_array_elements(parts -> 'months') m;
    WHEN figure = 'posted' THEN
        t.n := (parts ? 'value')::integer;
        t.value := (parts ->> 'value')::numeric;
        missing := parts ->> 'evidence' IS NULL;
    ELSE
        SELECT coalesce(sum(CASE WHEN s ->> 'reached_on' IS NULL THEN 0 WHEN (s ->> 'reached_on')::date <= (s ->> 'due_on')::date THEN (s ->> 'weight')::numeric
                                 ELSE (s ->> 'weight')::numeric * (parts ->> 'late_percent')::numeric / 100 END), 0), count(*)
        INTO   t.value, t.n FROM jsonb_array_elements(parts -> 'steps') s;
        t.value := trim_scale(round(t.value, 4));
    END CASE;
    t.n := coalesce(t.n, 0);
    t.reason := CASE WHEN t.n = 0 AND NOT (figure = 'unit_satisfaction' AND missing) AND at_least > 0 THEN 'no-data'
                     WHEN figure LIKE 'days\_%' AND missing THEN 'months-missing'
                     WHEN figure = 'posted' AND missing THEN 'source-missing'
                     WHEN t.n < at_least THEN 'too-few' END;
    IF t.reason IS NOT NULL THEN
        t.value := NULL;
        t.n := CASE WHEN t.reason = 'too-few' AND figure LIKE 'own\_%' THEN NULL ELSE t.n END;
    END IF;
    RETURN t;
END $$;
COMMENT ON FUNCTION measure_value(text, jsonb, integer) IS
    'The value that these parts give. No value: no-data, too-few (below the limit), months-missing (a whole month was not told), source-missing (posted without evidence).';

-- Whoever tampered with it may have left anything.
CREATE FUNCTION measure_holds(measured jsonb) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    t measure_told;
BEGIN
    t := measure_value(measured ->> 'figure', measured -> 'parts', (measured ->> 'at_least')::integer);
    RETURN t.value IS NOT DISTINCT FROM (measured ->> 'value')::numeric AND t.reason IS NOT DISTINCT FROM measured ->> 'reason';
EXCEPTION WHEN OTHERS THEN
    RETURN false;
END $$;
COMMENT ON FUNCTION measure_holds(jsonb) IS 'Whether a reading that was kept is what its parts give.';

CREATE FUNCTION measures_hold(inputs jsonb) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    RETURN jsonb_typeof(inputs -> 'indicators') IS DISTINCT FROM 'array'
           OR NOT EXISTS (SELECT FROM jsonb_array_elements(inputs -> 'indicators') i WHERE i ? 'measured' AND NOT measure_holds(i -> 'measured'));
END $$;
COMMENT ON FUNCTION measures_hold(jsonb) IS 'Whether all readings among the inputs of a final evaluation are what their parts give.';

CREATE TYPE measure_reading AS (figure text, service_unit_id uuid, service_id uuid, from_on date, until_on date, value numeric, n bigint, at_least integer, reason text, parts jsonb);
COMMENT ON TYPE measure_reading IS 'A figure as it is read at one moment.';

-- What few gave would be of this or that citizen: their own parts are not shown.
CREATE FUNCTION measure_read(figure text, who uuid, of_unit uuid, of_service uuid, of_indicator uuid, first date, last date) RETURNS measure_reading
LANGUAGE plpgsql STABLE AS $$
DECLARE
    limit_n integer := measure_at_least(figure, last);
    parts   jsonb := measure_parts(figure, who, of_unit, of_service, of_indicator, first, last);
    t       measure_told := measure_value(figure, parts, limit_n);
BEGIN
    IF t.reason = 'too-few' AND figure IN ('own_u3', 'own_u6', 'own_u7') THEN
        parts := '{"is_few": true}';
    END IF;
    RETURN (figure, of_unit, of_service, first, last, t.value, t.n, limit_n, t.reason, parts)::measure_reading;
END $$;
COMMENT ON FUNCTION measure_read(text, uuid, uuid, uuid, uuid, date, date) IS 'Reads a figure for these days, with its parts.';

CREATE FUNCTION skp_measure_read(m skp_measure, at date) RETURNS measure_reading
LANGUAGE sql STABLE
RETURN (SELECT measure_read(m.figure, s.asn_id, m.service_unit_id, m.service_id, m.indicator_id, s.starts_on, least(s.ends_on, greatest(s.starts_on, at)))
        FROM   skp s WHERE s.id = m.skp_id);
COMMENT ON FUNCTION skp_measure_read(skp_measure, date) IS 'Reads the figure of an indicator: from the SKP''s first day to that day, or to its last.';

CREATE FUNCTION skp_milestones(of_indicator uuid, at date) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (SELECT coalesce(jsonb_agg(jsonb_build_object('id', t.id, 'position', t.position, 'name', t.name, 'weight', t.weight, 'due_on', t.due_on,
                                          'reached_on', r.day, 'is_late', r.day > t.due_on OR r.day IS NULL AND t.due_on < at, 'evidence', r.evidence) ORDER BY t.position), '[]')
            FROM   skp_milestone t
            LEFT   JOIN LATERAL (SELECT p.day, p.evidence FROM (SELECT q.* FROM skp_milestone_report q WHERE q.milestone_id = t.id AND q.day <= at ORDER BY q.id DESC LIMIT 1) p
                                 WHERE  p.is_reached) r ON true
            WHERE  t.indicator_id = of_indicator);
END $$;
COMMENT ON FUNCTION skp_milestones(uuid, date) IS 'The steps of an indicator as they are on a day.';

CREATE FUNCTION skp_milestones_put(of_skp uuid, of_indicator uuid, told jsonb, at date) RETURNS jsonb
LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM skp_milestone t WHERE t.indicator_id = of_indicator AND t.position > jsonb_array_length(told);
    INSERT INTO skp_milestone AS t (id, skp_id, indicator_id, position, name, weight, due_on)
    SELECT uuid_v7(), of_skp, of_indicator, w.position, w.told ->> 'name', (w.told ->> 'weight')::numeric, (w.told ->> 'due_on')::date
    FROM   jsonb_array_elements(told) WITH ORDINALITY AS w (told, position)
    ON CONFLICT ON CONSTRAINT skp_milestone_position_key DO UPDATE SET name = EXCLUDED.name, weight = EXCLUDED.weight, due_on = EXCLUDED.due_on
    WHERE  (t.name, t.weight, t.due_on) IS DISTINCT FROM (EXCLUDED.name, EXCLUDED.weight, EXCLUDED.due_on);
    RETURN skp_milestones(of_indicator, at);
END $$;
COMMENT ON FUNCTION skp_milestones_put(uuid, uuid, jsonb, date) IS 'Makes these the steps of an indicator, in their order. One of which was reported stays.';

-- ── what an evaluation took ──────────────────────────────────────────────────────────────────────────────────────────────

CREATE TABLE indicator_measurement (
    id              uuid        CONSTRAINT indicator_measurement_pkey PRIMARY KEY DEFAULT uuid_v7(),
    evaluation_id   uuid        NOT NULL CONSTRAINT indicator_measurement_evaluation_fkey REFERENCES evaluation,
    indicator_id    uuid        NOT NULL CONSTRAINT indicator_measurement_indicator_fkey REFERENCES indicator ON DELETE CASCADE,
    figure          text        NOT NULL CONSTRAINT indicator_measurement_figure_fkey REFERENCES measure_figure,
    service_unit_id uuid        CONSTRAINT indicator_measurement_service_unit_fkey REFERENCES service_unit,
    service_id      uuid        CONSTRAINT indicator_measurement_service_fkey REFERENCES service,
    from_on         date        NOT NULL,
    until_on        date        NOT NULL,
    value           numeric,
    n               bigint,
    at_least        integer     NOT NULL,
    reason          text,
    parts           jsonb       NOT NULL,
    read_at         timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT indicator_measurement_told CHECK ((value IS NULL) = (reason IS NOT NULL))
);
CREATE INDEX indicator_measurement_evaluation_idx ON indicator_measurement (evaluation_id, id);
CREATE INDEX indicator_measurement_indicator_idx ON indicator_measurement (indicator_id, id DESC);
COMMENT ON TABLE indicator_measurement IS 'Readings that an evaluation took, each with what it was worked out from. Only added to; the last one of an indicator is sealed with the evaluation.';
COMMENT ON COLUMN indicator_measurement.id IS 'UUIDv7';
COMMENT ON COLUMN indicator_measurement.evaluation_id IS 'evaluation.id, that of the indicator';
COMMENT ON COLUMN indicator_measurement.indicator_id IS 'indicator.id';
COMMENT ON COLUMN indicator_measurement.figure IS 'measure_figure.code';
COMMENT ON COLUMN indicator_measurement.service_unit_id IS 'service_unit.id, of a figure of a unit';
COMMENT ON COLUMN indicator_measurement.service_id IS 'service.id; null: all services';
COMMENT ON COLUMN indicator_measurement.from_on IS 'First day that it is of';
COMMENT ON COLUMN indicator_measurement.until_on IS 'Last day that it is of';
COMMENT ON COLUMN indicator_measurement.value IS 'Its value; null: there is none';
COMMENT ON COLUMN indicator_measurement.n IS 'How many stand behind it; null: so few that it is not told';
COMMENT ON COLUMN indicator_measurement.at_least IS 'How many had to';
COMMENT ON COLUMN indicator_measurement.reason IS 'Why there is no value';
COMMENT ON COLUMN indicator_measurement.parts IS 'What measure_value() worked it out from';
COMMENT ON COLUMN indicator_measurement.read_at IS 'When it was read';

CREATE FUNCTION indicator_measurement_note() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        RAISE EXCEPTION 'what was read stays' USING ERRCODE = 'P0001', CONSTRAINT = 'evaluation_final';
    END IF;
    IF TG_OP = 'DELETE' THEN
        UPDATE evaluation SET updated_at = now() WHERE id = OLD.evaluation_id;
        RETURN OLD;
    END IF;
    SELECT i.evaluation_id INTO NEW.evaluation_id FROM indicator i WHERE i.id = NEW.indicator_id;
    UPDATE evaluation SET updated_at = now() WHERE id = NEW.evaluation_id;
    RETURN NEW;
END $$;
COMMENT ON FUNCTION indicator_measurement_note() IS 'A reading is of the evaluation that its indicator is of. It is never changed, and is a change of its evaluation: refused when that is final. Of a draft it goes with the indicator, or when the plan measures that no longer.';
CREATE TRIGGER indicator_measurement_10_note BEFORE INSERT OR UPDATE OR DELETE ON indicator_measurement FOR EACH ROW EXECUTE FUNCTION indicator_measurement_note();
CREATE TRIGGER indicator_measurement_30_keep BEFORE TRUNCATE ON indicator_measurement FOR EACH STATEMENT EXECUTE FUNCTION evaluation_keep();

CREATE VIEW indicator_measured AS
SELECT DISTINCT ON (m.indicator_id) m.* FROM indicator_measurement m ORDER BY m.indicator_id, m.id DESC;
COMMENT ON VIEW indicator_measured IS 'The last reading of each indicator.';

-- What the person's plans say now, for the days up to the period's end. Of what measures itself the reading, of everything else the last progress.
CREATE TYPE evaluation_plan AS (plan_id uuid, plan skp_indicator, nth bigint, reached numeric, reading measure_reading);
COMMENT ON TYPE evaluation_plan IS 'An indicator of a plan that an evaluation is of, and what was reached.';

CREATE FUNCTION evaluation_planned(which uuid) RETURNS SETOF evaluation_plan
LANGUAGE plpgsql AS $$
BEGIN
    RETURN QUERY
    SELECT i.id, i, row_number() OVER (ORDER BY s.starts_on, i.position),
           CASE WHEN m.indicator_id IS NULL
                THEN (SELECT h.value FROM skp_progress_holds h
                      WHERE  h.indicator_id = i.id AND h.value IS NOT NULL AND h.day <= least(p.ends_on, s.ends_on)
                      ORDER  BY h.day DESC, h.id DESC LIMIT 1)
                ELSE (r.told).value END,
           r.told
    FROM   evaluation e
    JOIN   period p ON p.id = e.period_id
    JOIN   skp s ON s.asn_id = e.asn_id AND s.state IN ('approved', 'ended') AND s.approach = 'kuantitatif' AND s.starts_on <= p.ends_on AND s.ends_on >= p.starts_on
    JOIN   skp_indicator i ON i.skp_id = s.id
    LEFT   JOIN skp_measure m ON m.indicator_id = i.id
    LEFT   JOIN LATERAL (SELECT skp_measure_read(m, least(p.ends_on, local_today())) AS told) r ON m.indicator_id IS NOT NULL
    WHERE  e.id = which;
END $$;
COMMENT ON FUNCTION evaluation_planned(uuid) IS
    'The indicators of the plans that an evaluation is of, with what was reached by the period''s end. VOLATILE: each call sees what is committed then.';

CREATE OR REPLACE FUNCTION evaluation_fill(which uuid) RETURNS TABLE (copied integer, refreshed integer)
LANGUAGE plpgsql AS $$
DECLARE
    plans evaluation_plan[];
BEGIN
    PERFORM FROM evaluation e WHERE e.id = which FOR UPDATE;
    plans := ARRAY(SELECT l FROM evaluation_planned(which) l);
    WITH known AS (
        UPDATE indicator n
        SET    actual = l.reached
        FROM   unnest(plans) l
        WHERE  n.evaluation_id = which AND n.skp_indicator_id = l.plan_id AND n.actual IS DISTINCT FROM l.reached
               AND (l.reached IS NOT NULL
                    OR n.actual = (SELECT m.value FROM indicator_measured m WHERE m.indicator_id = n.id)) -- what no longer has a value; not what was entered by hand
        RETURNING n.id
    ), made AS (
        INSERT INTO indicator (id, evaluation_id, position, name, aspect, measure, direction, target, target_high, actual, weight, cap, skp_indicator_id)
        SELECT uuid_v7(), which, (SELECT coalesce(max(m.position), 0) FROM indicator m WHERE m.evaluation_id = which) + (row_number() OVER (ORDER BY l.nth))::integer,
               (l.plan).name, (l.plan).aspect, (l.plan).measure, (l.plan).direction, (l.plan).target, (l.plan).target_high, l.reached, (l.plan).weight, (l.plan).cap, l.plan_id
        FROM   unnest(plans) l
        WHERE  NOT EXISTS (SELECT FROM indicator n WHERE n.evaluation_id = which AND n.skp_indicator_id = l.plan_id)
        RETURNING id
    )
    SELECT (SELECT count(*) FROM made), (SELECT count(*) FROM known) INTO copied, refreshed;
    DELETE FROM indicator_measurement m USING indicator n, unnest(plans) l
    WHERE  m.indicator_id = n.id AND n.evaluation_id = which AND n.skp_indicator_id = l.plan_id AND (l.reading).figure IS NULL;
    INSERT INTO indicator_measurement (evaluation_id, indicator_id, figure, service_unit_id, service_id, from_on, until_on, value, n, at_least, reason, parts)
    SELECT which, n.id, (l.reading).figure, (l.reading).service_unit_id, (l.reading).service_id, (l.reading).from_on, (l.reading).until_on, (l.reading).value, (l.reading).n,
           (l.reading).at_least, (l.reading).reason, (l.reading).parts
    FROM   unnest(plans) l JOIN indicator n ON n.evaluation_id = which AND n.skp_indicator_id = l.plan_id
    WHERE  (l.reading).figure IS NOT NULL
           AND NOT EXISTS (SELECT FROM indicator_measured m
                           WHERE  m.indicator_id = n.id AND (m.figure, m.from_on, m.until_on, m.value, m.n, m.at_least, m.reason, m.parts)
                                  IS NOT DISTINCT FROM ((l.reading).figure, (l.reading).from_on, (l.reading).until_on, (l.reading).value, (l.reading).n,
                                                        (l.reading).at_least, (l.reading).reason, (l.reading).parts));
    RETURN NEXT;
END $$;
COMMENT ON FUNCTION evaluation_fill(uuid) IS
    'Copies the indicators of the person''s approved SKPs that touch the period into the evaluation, once each, and brings their actual values up to the last '
    'progress by the period''s end, or to what their figure is then; keeps each new reading, and none of what is measured no longer. How many were copied, and how many values changed.';

CREATE FUNCTION evaluation_measures_stale(which uuid) RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
    RETURN EXISTS (SELECT FROM evaluation_planned(which) l
                   JOIN   indicator n ON n.evaluation_id = which AND n.skp_indicator_id = l.plan_id
                   LEFT   JOIN indicator_measured m ON m.indicator_id = n.id
                   WHERE  (m.figure, m.value, m.reason) IS DISTINCT FROM ((l.reading).figure, (l.reading).value, (l.reading).reason));
END $$;
COMMENT ON FUNCTION evaluation_measures_stale(uuid) IS 'Whether a figure has another value now than the evaluation took, or an indicator came to be measured, or no longer is: then it is not sealed before whoever rates has seen that.';

CREATE FUNCTION measurement_json(m indicator_measured) RETURNS jsonb
LANGUAGE sql STABLE
RETURN jsonb_build_object('figure', m.figure, 'service_unit_id', m.service_unit_id, 'service_id', m.service_id, 'from', m.from_on, 'until', m.until_on,
                          'value', m.value, 'n', m.n, 'at_least', m.at_least, 'reason', m.reason, 'parts', m.parts, 'read_at', m.read_at);
COMMENT ON FUNCTION measurement_json(indicator_measured) IS 'A reading as it is sealed.';

-- ── several assessors, the person's own view ─────────────────────────────────────────────────────────────────────────────

CREATE TABLE appraisal (
    id               uuid        CONSTRAINT appraisal_pkey PRIMARY KEY,
    evaluation_id    uuid        NOT NULL CONSTRAINT appraisal_evaluation_fkey REFERENCES evaluation,
    role             text        NOT NULL CONSTRAINT appraisal_role_known CHECK (role IN ('penilai', 'penilai_kedua', 'plt', 'pegawai')),
    rater_id         uuid        CONSTRAINT appraisal_rater_fkey REFERENCES asn,
    rater_name       text        CONSTRAINT appraisal_rater_name_length CHECK (length(rater_name) BETWEEN 1 AND 200),
    starts_on        date        NOT NULL,
    ends_on          date        NOT NULL,
    results_rating   text        NOT NULL CONSTRAINT appraisal_results_rating_known CHECK (results_rating IN ('di_atas_ekspektasi', 'sesuai_ekspektasi', 'di_bawah_ekspektasi')),
    behaviour_rating text        NOT NULL CONSTRAINT appraisal_behaviour_rating_known CHECK (behaviour_rating IN ('di_atas_ekspektasi', 'sesuai_ekspektasi', 'di_bawah_ekspektasi')),
    note             text        CONSTRAINT appraisal_note_length CHECK (length(note) BETWEEN 1 AND 4000),
    actor_key        uuid        NOT NULL,
    actor_name       text        NOT NULL,
    created_at       timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT appraisal_days CHECK (starts_on <= ends_on),
    CONSTRAINT appraisal_rater_one CHECK (num_nonnulls(rater_id, rater_name) = 1)
);
CREATE INDEX appraisal_evaluation_idx ON appraisal (evaluation_id, id);
CREATE INDEX appraisal_rater_idx ON appraisal (rater_id) WHERE rater_id IS NOT NULL;
COMMENT ON TABLE appraisal IS 'What each assessor of the period, and the person, thinks: beside the ratings of the evaluation, never in their place. Only added to; the last one of a rater holds.';
COMMENT ON COLUMN appraisal.id IS 'UUIDv7';
COMMENT ON COLUMN appraisal.evaluation_id IS 'evaluation.id';
COMMENT ON COLUMN appraisal.role IS 'penilai; penilai_kedua, another assessor of the period; plt, who acted for one; pegawai, the person';
COMMENT ON COLUMN appraisal.rater_id IS 'asn.id of the rater; null: no civil servant of ours';
COMMENT ON COLUMN appraisal.rater_name IS 'Name of such a rater';
COMMENT ON COLUMN appraisal.starts_on IS 'First day that the rater saw, within the period';
COMMENT ON COLUMN appraisal.ends_on IS 'Last day';
COMMENT ON COLUMN appraisal.results_rating IS 'Rating hasil kerja';
COMMENT ON COLUMN appraisal.behaviour_rating IS 'Rating perilaku kerja';
COMMENT ON COLUMN appraisal.note IS 'Why';
COMMENT ON COLUMN appraisal.actor_key IS 'api_key.id of who wrote it';
COMMENT ON COLUMN appraisal.actor_name IS 'Name of that key then';
COMMENT ON COLUMN appraisal.created_at IS 'When';

CREATE FUNCTION appraisal_enter() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
    e evaluation;
    p period;
BEGIN
    UPDATE evaluation SET updated_at = now() WHERE id = NEW.evaluation_id RETURNING * INTO e;
    SELECT * INTO p FROM period WHERE id = e.period_id;
    NEW.starts_on := coalesce(NEW.starts_on, p.starts_on);
    NEW.ends_on := coalesce(NEW.ends_on, p.ends_on);
    IF NEW.starts_on < p.starts_on OR NEW.ends_on > p.ends_on THEN
        RAISE EXCEPTION 'outside of the period' USING ERRCODE = 'P0001', CONSTRAINT = 'appraisal_days';
    END IF;
    IF (NEW.role = 'pegawai') <> (NEW.rater_id IS NOT DISTINCT FROM e.asn_id) THEN
        RAISE EXCEPTION 'the person''s own view is the person''s, and no other is' USING ERRCODE = 'P0001', CONSTRAINT = 'appraisal_own';
    END IF;
    RETURN NEW;
END $$;
COMMENT ON FUNCTION appraisal_enter() IS 'A change of its evaluation, refused when that is final; days are the period''s unless told; nobody assesses himself but as pegawai.';

CREATE FUNCTION appraisal_keep() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND is_merging() AND to_jsonb(NEW) - 'rater_id' = to_jsonb(OLD) - 'rater_id' THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'what was said stays' USING ERRCODE = 'P0001', CONSTRAINT = 'evaluation_final';
END $$;
COMMENT ON FUNCTION appraisal_keep() IS 'Appraisals and answers of peers are only added; a merge of people moves whose they are.';
CREATE TRIGGER appraisal_10_enter BEFORE INSERT ON appraisal FOR EACH ROW EXECUTE FUNCTION appraisal_enter();
CREATE TRIGGER appraisal_20_keep BEFORE UPDATE OR DELETE ON appraisal FOR EACH ROW EXECUTE FUNCTION appraisal_keep();
CREATE TRIGGER appraisal_30_keep BEFORE TRUNCATE ON appraisal FOR EACH STATEMENT EXECUTE FUNCTION appraisal_keep();

CREATE VIEW appraisal_holds AS
SELECT DISTINCT ON (a.evaluation_id, a.role, a.rater_id, a.rater_name) a.*, (a.ends_on - a.starts_on + 1) AS days
FROM   appraisal a ORDER BY a.evaluation_id, a.role, a.rater_id, a.rater_name, a.id DESC;
COMMENT ON VIEW appraisal_holds IS 'The last appraisal of each rater, with the days that he saw (days).';

CREATE TABLE appraisal_rule (
    valid_from date CONSTRAINT appraisal_rule_pkey PRIMARY KEY,
    rule       text NOT NULL CONSTRAINT appraisal_rule_known CHECK (rule IN ('last', 'longest', 'days')),
    source     text NOT NULL
);
COMMENT ON TABLE appraisal_rule IS 'What several assessors of a period suggest together.';
COMMENT ON COLUMN appraisal_rule.valid_from IS 'For periods that end on this day or later';
COMMENT ON COLUMN appraisal_rule.rule IS 'last: whoever assessed last; longest: whoever saw most days; days: the mean of the ratings by days, and none where that lies halfway';
COMMENT ON COLUMN appraisal_rule.source IS 'Where it comes from, and how sure that is';
INSERT INTO appraisal_rule VALUES ('2022-01-01', 'last', 'ours: the assessor at the period''s end rates and asks the others; how Permenpan RB 6/2022 wants it was not seen');

CREATE TABLE rating_band (
    valid_from date    NOT NULL,
    at_least   numeric NOT NULL,
    rating     text    NOT NULL CONSTRAINT rating_band_rating_known CHECK (rating IN ('di_atas_ekspektasi', 'sesuai_ekspektasi', 'di_bawah_ekspektasi')),
    source     text    NOT NULL,
    CONSTRAINT rating_band_pkey PRIMARY KEY (valid_from, at_least)
);
COMMENT ON TABLE rating_band IS 'Which rating of results an achievement suggests. A suggestion beside the rating, never in its place.';
COMMENT ON COLUMN rating_band.valid_from IS 'For periods that end on this day or later';
COMMENT ON COLUMN rating_band.at_least IS 'Achievement in percent, two decimals, capped, from which it does';
COMMENT ON COLUMN rating_band.rating IS 'Rating hasil kerja';
COMMENT ON COLUMN rating_band.source IS 'Where it comes from, and how sure that is';
INSERT INTO rating_band VALUES
    ('2022-01-01', 110, 'di_atas_ekspektasi', 'ours: Permenpan RB 6/2022 names no number; recalled from practice, to be set by the regency'),
    ('2022-01-01', 90, 'sesuai_ekspektasi', 'ours, as above'),
    ('2022-01-01', 0, 'di_bawah_ekspektasi', 'ours, as above');

CREATE FUNCTION rating_suggested(achievement numeric, at date) RETURNS text
LANGUAGE sql STABLE
RETURN (SELECT b.rating FROM rating_band b
        WHERE  b.valid_from = (SELECT max(v.valid_from) FROM rating_band v WHERE v.valid_from <= at) AND b.at_least <= achievement
        ORDER  BY b.at_least DESC LIMIT 1);
COMMENT ON FUNCTION rating_suggested(numeric, date) IS 'The rating of results that an achievement suggests for a period that ends on that day; null: none.';

INSERT INTO performance_setting VALUES
    ('milestone_late_percent', '2022-01-01', 100, 'ours: a step reached late counts in full; no source was seen. What is late is told'),
    ('peer_batch', '2022-01-01', 5, 'ours: answers of peers are shown by fives, as no result of a survey below five is');
COMMENT ON COLUMN performance_setting.code IS
    'objection_days: calendar days in which an objection may be filed, counted from the day after the evaluation was told; milestone_late_percent: what a step that was '
    'reached late counts; peer_batch: by how many answers of peers are shown';

CREATE FUNCTION appraisal_number(rating text) RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN array_position('{di_atas_ekspektasi,sesuai_ekspektasi,di_bawah_ekspektasi}'::text[], rating);
COMMENT ON FUNCTION appraisal_number(text) IS 'The number that SIASN has for a rating: 1, 2, 3.';

CREATE FUNCTION appraisal_by_days(sum bigint, days bigint) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN days > 0 AND (2 * sum) % (2 * days) <> days THEN ('{di_atas_ekspektasi,sesuai_ekspektasi,di_bawah_ekspektasi}'::text[])[(2 * sum + days) / (2 * days)] END;
COMMENT ON FUNCTION appraisal_by_days(bigint, bigint) IS 'The rating next to the mean of numbers by days; null halfway between two.';

CREATE FUNCTION appraisals_combined(which uuid, OUT rule text, OUT results_rating text, OUT behaviour_rating text, OUT reason text, OUT arithmetic jsonb)
LANGUAGE plpgsql STABLE AS $$
DECLARE
    last_day date := (SELECT p.ends_on FROM evaluation e JOIN period p ON p.id = e.period_id WHERE e.id = which);
    held     appraisal_holds;
    n        bigint;
    days     bigint;
    results  bigint;
    behaves  bigint;
    twice    bigint;
BEGIN
    rule := (SELECT r.rule FROM appraisal_rule r WHERE r.valid_from <= last_day ORDER BY r.valid_from DESC LIMIT 1);
    SELECT count(*), sum(a.days), sum(a.days * appraisal_number(a.results_rating)), sum(a.days * appraisal_number(a.behaviour_rating)),
           coalesce(jsonb_agg(jsonb_build_object('appraisal_id', a.id, 'days', a.days, 'results_number', appraisal_number(a.results_rating),
                                                 'behaviour_number', appraisal_number(a.behaviour_rating)) ORDER BY a.starts_on, a.id), '[]')
    INTO   n, days, results, behaves, arithmetic FROM appraisal_holds a WHERE a.evaluation_id = which AND a.role <> 'pegawai';
    IF rule IS NULL OR n = 0 THEN
        reason := CASE WHEN rule IS NULL THEN 'no-rule' ELSE 'no-appraisal' END;
        RETURN;
    END IF;
    IF rule = 'days' THEN
        results_rating := appraisal_by_days(results, days);
        behaviour_rating := appraisal_by_days(behaves, days);
        reason := CASE WHEN num_nulls(results_rating, behaviour_rating) > 0 THEN 'halfway' END;
        RETURN;
    END IF;
    SELECT a.* INTO held FROM appraisal_holds a WHERE a.evaluation_id = which AND a.role <> 'pegawai'
    ORDER  BY CASE rule WHEN 'last' THEN a.ends_on - DATE '1900-01-01' ELSE a.days END DESC LIMIT 1;
    SELECT count(DISTINCT (a.results_rating, a.behaviour_rating)) INTO twice FROM appraisal_holds a
    WHERE  a.evaluation_id = which AND a.role <> 'pegawai' AND CASE rule WHEN 'last' THEN a.ends_on = held.ends_on ELSE a.days = held.days END;
    IF twice > 1 THEN
        reason := 'tie';
        RETURN;
    END IF;
    results_rating := held.results_rating;
    behaviour_rating := held.behaviour_rating;
END $$;
COMMENT ON FUNCTION appraisals_combined(uuid) IS
    'What the assessors of an evaluation suggest together by the rule of its period, with days and numbers of each. None: no-rule, no-appraisal, halfway, or tie (two that count alike differ).';

-- ── peers and subordinates ── Who has answered and what was answered stand apart. What is shown is whole batches, whose members do not change: between two
-- looks lies nobody's answer alone.

CREATE TABLE peer_receipt (
    id            uuid CONSTRAINT peer_receipt_pkey PRIMARY KEY DEFAULT gen_random_uuid(),
    evaluation_id uuid NOT NULL CONSTRAINT peer_receipt_evaluation_fkey REFERENCES evaluation,
    rater_id      uuid NOT NULL CONSTRAINT peer_receipt_rater_fkey REFERENCES asn,
    CONSTRAINT peer_receipt_once UNIQUE (evaluation_id, rater_id)
);
CREATE INDEX peer_receipt_rater_idx ON peer_receipt (rater_id);
COMMENT ON TABLE peer_receipt IS 'Which peers and subordinates have answered about an evaluation; what, is not told.';
COMMENT ON COLUMN peer_receipt.id IS 'Random';
COMMENT ON COLUMN peer_receipt.evaluation_id IS 'evaluation.id';
COMMENT ON COLUMN peer_receipt.rater_id IS 'asn.id of who has answered';

CREATE TABLE peer_answer (
    id               uuid    CONSTRAINT peer_answer_pkey PRIMARY KEY DEFAULT gen_random_uuid(),
    evaluation_id    uuid    NOT NULL CONSTRAINT peer_answer_evaluation_fkey REFERENCES evaluation,
    role             text    NOT NULL CONSTRAINT peer_answer_role_known CHECK (role IN ('rekan', 'bawahan')),
    batch            integer NOT NULL,
    results_rating   text    NOT NULL CONSTRAINT peer_answer_results_rating_known CHECK (results_rating IN ('di_atas_ekspektasi', 'sesuai_ekspektasi', 'di_bawah_ekspektasi')),
    behaviour_rating text    NOT NULL CONSTRAINT peer_answer_behaviour_rating_known CHECK (behaviour_rating IN ('di_atas_ekspektasi', 'sesuai_ekspektasi', 'di_bawah_ekspektasi'))
);
CREATE INDEX peer_answer_evaluation_idx ON peer_answer (evaluation_id, role, batch);
COMMENT ON TABLE peer_answer IS 'What peers and subordinates answered, by nobody knows whom.';
COMMENT ON COLUMN peer_answer.id IS 'Random: no order of coming';
COMMENT ON COLUMN peer_answer.evaluation_id IS 'evaluation.id';
COMMENT ON COLUMN peer_answer.role IS 'rekan (peer) or bawahan (subordinate)';
COMMENT ON COLUMN peer_answer.batch IS 'Shown together with the others of its number, once there are peer_batch of them';
COMMENT ON COLUMN peer_answer.results_rating IS 'Rating hasil kerja';
COMMENT ON COLUMN peer_answer.behaviour_rating IS 'Rating perilaku kerja';

CREATE FUNCTION peer_answer_enter() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
    last_day date;
BEGIN
    UPDATE evaluation SET updated_at = now() WHERE id = NEW.evaluation_id;
    SELECT p.ends_on INTO last_day FROM evaluation e JOIN period p ON p.id = e.period_id WHERE e.id = NEW.evaluation_id;
    NEW.batch := (SELECT count(*) FROM peer_answer a WHERE a.evaluation_id = NEW.evaluation_id AND a.role = NEW.role)
                 / coalesce(performance_number('peer_batch', last_day), 5);
    RETURN NEW;
END $$;
COMMENT ON FUNCTION peer_answer_enter() IS 'A change of its evaluation, refused when that is final; under its lock the batch is counted.';
CREATE TRIGGER peer_answer_10_enter BEFORE INSERT ON peer_answer FOR EACH ROW EXECUTE FUNCTION peer_answer_enter();
CREATE TRIGGER peer_answer_20_keep BEFORE UPDATE OR DELETE ON peer_answer FOR EACH ROW EXECUTE FUNCTION performance_said_keep();
CREATE TRIGGER peer_answer_30_keep BEFORE TRUNCATE ON peer_answer FOR EACH STATEMENT EXECUTE FUNCTION performance_said_keep();

CREATE FUNCTION peer_receipt_keep() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF EXISTS (SELECT FROM evaluation e WHERE e.id = NEW.evaluation_id AND e.asn_id = NEW.rater_id) THEN
            RAISE EXCEPTION 'nobody is his own peer' USING ERRCODE = 'P0001', CONSTRAINT = 'peer_receipt_own';
        END IF;
        RETURN NEW;
    END IF;
    IF TG_OP = 'UPDATE' AND is_merging() AND to_jsonb(NEW) - 'rater_id' = to_jsonb(OLD) - 'rater_id' THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'what was said stays' USING ERRCODE = 'P0001', CONSTRAINT = 'evaluation_final';
END $$;
COMMENT ON FUNCTION peer_receipt_keep() IS 'Nobody answers about himself; who has answered stays so. A merge of people moves whose it is.';
CREATE TRIGGER peer_receipt_10_own BEFORE INSERT ON peer_receipt FOR EACH ROW EXECUTE FUNCTION peer_receipt_keep();
CREATE TRIGGER peer_receipt_20_keep BEFORE UPDATE OR DELETE ON peer_receipt FOR EACH ROW EXECUTE FUNCTION peer_receipt_keep();
CREATE TRIGGER peer_receipt_30_keep BEFORE TRUNCATE ON peer_receipt FOR EACH STATEMENT EXECUTE FUNCTION peer_receipt_keep();

CREATE FUNCTION peer_summary(which uuid) RETURNS TABLE (role text, n bigint, batch integer, results jsonb, behaviour jsonb)
LANGUAGE sql STABLE AS $$
    WITH ratings AS (
        SELECT g.rating FROM unnest('{di_atas_ekspektasi,sesuai_ekspektasi,di_bawah_ekspektasi}'::text[]) AS g (rating)
    ), size AS (
        SELECT coalesce(performance_number('peer_batch', p.ends_on), 5) AS n FROM evaluation e JOIN period p ON p.id = e.period_id WHERE e.id = which
    ), whole AS (
        SELECT a.role, a.batch FROM peer_answer a WHERE a.evaluation_id = which GROUP BY a.role, a.batch HAVING count(*) >= (SELECT s.n FROM size s)
    ), shown AS (
        SELECT a.* FROM peer_answer a JOIN whole w ON w.role = a.role AND w.batch = a.batch WHERE a.evaluation_id = which
    )
    SELECT r.role, (SELECT count(*) FROM shown s WHERE s.role = r.role), (SELECT s.n FROM size s),
           (SELECT jsonb_object_agg(g.rating, (SELECT count(*) FROM shown s WHERE s.role = r.role AND s.results_rating = g.rating)) FROM ratings g),
           (SELECT jsonb_object_agg(g.rating, (SELECT count(*) FROM shown s WHERE s.role = r.role AND s.behaviour_rating = g.rating)) FROM ratings g)
    FROM   (VALUES ('rekan'), ('bawahan')) AS r (role)
$$;
COMMENT ON FUNCTION peer_summary(uuid) IS 'Answers of peers and of subordinates, by whole batches alone: how many, and how often each rating.';

-- ── what is sealed ───────────────────────────────────────────────────────────────────────────────────────────────────────

-- Members that an evaluation without them does not have: so the seal of such a one is what it always was.
CREATE FUNCTION evaluation_inputs(which uuid) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (SELECT jsonb_build_object('results_rating', e.results_rating, 'behaviour_rating', e.behaviour_rating, 'indicators',
               (SELECT coalesce(jsonb_agg(jsonb_build_object('id', i.id, 'name', i.name, 'position', i.position, 'direction', i.direction,
                                                             'target', i.target, 'target_high', i.target_high, 'actual', i.actual,
                                                             'weight', i.weight, 'cap', i.cap, 'zero_target_reached', i.zero_target_reached)
                                          || coalesce((SELECT jsonb_build_object('measured', measurement_json(m)) FROM indicator_measured m WHERE m.indicator_id = i.id), '{}')
                                          ORDER BY i.position), '[]')
                FROM   indicator i WHERE i.evaluation_id = e.id))
               || coalesce((SELECT jsonb_build_object('appraisals', jsonb_agg(jsonb_build_object('id', a.id, 'role', a.role, 'rater_id', a.rater_id, 'rater_name', a.rater_name,
                                       'starts_on', a.starts_on, 'ends_on', a.ends_on, 'results_rating', a.results_rating, 'behaviour_rating', a.behaviour_rating)
                                       ORDER BY a.id)) FROM appraisal_holds a WHERE a.evaluation_id = e.id HAVING count(*) > 0), '{}')
               || coalesce((SELECT jsonb_build_object('peers', jsonb_agg(to_jsonb(p) ORDER BY p.role)) FROM peer_summary(e.id) p WHERE p.n > 0 HAVING count(*) > 0), '{}')
            FROM   evaluation e WHERE e.id = which);
END $$;
COMMENT ON FUNCTION evaluation_inputs(uuid) IS 'What an evaluation is made from, as it is sealed: ratings and indicators, and readings, appraisals and batches of peers'' answers where there are some.';

CREATE OR REPLACE FUNCTION objection_act(which uuid, units ltree[], seen int8multirange, next text, why text, decider text, results text, behaviour text, fresh uuid,
                              by_key uuid, by_name text)
RETURNS TABLE (problem text, pointer text, entry objection_entry)
LANGUAGE plpgsql AS $$
DECLARE
    o objection;
    e evaluation;
BEGIN
    SELECT j.* INTO o FROM objection j JOIN objection_entry t ON t.id = j.id WHERE j.id = which AND t._unit_path <@ ANY (units) FOR UPDATE OF j;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    SELECT v.* INTO e FROM evaluation v WHERE v.id = o.evaluation_id;
    IF NOT seen @> o.version THEN
        problem := 'version-stale';
    ELSIF NOT objection_may_become(o.state, next) THEN
        problem := 'objection-state';
    ELSIF next = 'changed' AND (results, behaviour) IS NOT DISTINCT FROM (e.results_rating, e.behaviour_rating) THEN
        problem := 'objection-same';
        pointer := '/results_rating';
    ELSE
        IF next = 'changed' THEN
            INSERT INTO evaluation (id, asn_id, period_id, results_rating, behaviour_rating, note, supersedes)
            VALUES (fresh, e.asn_id, e.period_id, results, behaviour, e.note, e.id);
            INSERT INTO indicator (id, evaluation_id, position, name, aspect, measure, direction, target, target_high, actual, weight, cap,
                                   zero_target_reached, skp_indicator_id)
            SELECT uuid_v7(), fresh, i.position, i.name, i.aspect, i.measure, i.direction, i.target, i.target_high, i.actual, i.weight, i.cap,
                   i.zero_target_reached, i.skp_indicator_id
            FROM   indicator i WHERE i.evaluation_id = e.id;
            INSERT INTO indicator_measurement (evaluation_id, indicator_id, figure, service_unit_id, service_id, from_on, until_on, value, n, at_least, reason, parts, read_at)
            SELECT fresh, n.id, m.figure, m.service_unit_id, m.service_id, m.from_on, m.until_on, m.value, m.n, m.at_least, m.reason, m.parts, m.read_at
            FROM   indicator i JOIN indicator_measured m ON m.indicator_id = i.id JOIN indicator n ON n.evaluation_id = fresh AND n.position = i.position
            WHERE  i.evaluation_id = e.id;
        END IF;
        UPDATE objection j
        SET    state = next, decided_by = decider, decision = CASE WHEN decider IS NOT NULL THEN why END,
               decided_on = CASE WHEN decider IS NOT NULL THEN local_today() END, new_evaluation_id = CASE WHEN next = 'changed' THEN fresh END
        WHERE  j.id = o.id;
        INSERT INTO objection_step (objection_id, seq, state, note, actor_key, actor_name)
        SELECT o.id, max(s.seq) + 1, next, why, by_key, by_name FROM objection_step s WHERE s.objection_id = o.id;
        SELECT t.* INTO entry FROM objection_entry t WHERE t.id = o.id;
    END IF;
    RETURN NEXT;
END $$;
