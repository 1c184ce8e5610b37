-- Questionnaires that were answered on paper: of sessions that were held before they could be answered here, or where there is no network.
-- docs/training-effect.md.

CREATE TABLE paper_batch (
    id         uuid             CONSTRAINT paper_batch_pkey PRIMARY KEY DEFAULT uuid_v7(),
    session_id uuid             NOT NULL CONSTRAINT paper_batch_session_fkey REFERENCES session,
    role       text             NOT NULL CONSTRAINT paper_batch_role_known CHECK (role IN ('participant', 'self', 'superior', 'peer')),
    batch      text COLLATE "C" NOT NULL CONSTRAINT paper_batch_batch_length CHECK (length(batch) BETWEEN 1 AND 60),
    forms      integer          NOT NULL CONSTRAINT paper_batch_forms_range CHECK (forms > 0),
    actor_key  uuid,
    actor_name text,
    created_at timestamptz      NOT NULL DEFAULT now(),
    CONSTRAINT paper_batch_once UNIQUE (session_id, role, batch)
);
COMMENT ON TABLE paper_batch IS 'A batch of forms on paper, counted once and as a whole. Which form said what is not kept.';
COMMENT ON COLUMN paper_batch.id IS 'UUIDv7';
COMMENT ON COLUMN paper_batch.session_id IS 'session.id';
COMMENT ON COLUMN paper_batch.role IS 'Who answered, as in effect_tally';
COMMENT ON COLUMN paper_batch.batch IS 'What whoever sent it calls it; one of session and role is counted once';
COMMENT ON COLUMN paper_batch.forms IS 'How many forms';
COMMENT ON COLUMN paper_batch.actor_key IS 'api_key.id of who sent it; null: the command line';
COMMENT ON COLUMN paper_batch.actor_name IS 'Name of that key then';
COMMENT ON COLUMN paper_batch.created_at IS 'When it was counted';

CREATE TABLE paper_tally (
    batch_id uuid             NOT NULL CONSTRAINT paper_tally_batch_fkey REFERENCES paper_batch,
    item     text COLLATE "C" NOT NULL,
    value    smallint         NOT NULL CONSTRAINT paper_tally_value_range CHECK (value BETWEEN 1 AND 4),
    n        bigint           NOT NULL CONSTRAINT paper_tally_n_range CHECK (n > 0),
    CONSTRAINT paper_tally_pkey PRIMARY KEY (batch_id, item, value)
);
COMMENT ON TABLE paper_tally IS 'How often what was answered in a batch';
COMMENT ON COLUMN paper_tally.batch_id IS 'paper_batch.id';
COMMENT ON COLUMN paper_tally.item IS 'Code of the list reaction-item or behaviour-item';
COMMENT ON COLUMN paper_tally.value IS '1 to 4';
COMMENT ON COLUMN paper_tally.n IS 'How many';

CREATE FUNCTION paper_keep() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'what was counted stays' USING ERRCODE = 'P0001', CONSTRAINT = 'paper_fixed';
END $$;
COMMENT ON FUNCTION paper_keep() IS 'A batch that changed after its result was shown would tell its answers by the difference.';
CREATE TRIGGER paper_batch_10_keep BEFORE UPDATE OR DELETE ON paper_batch FOR EACH ROW EXECUTE FUNCTION paper_keep();
CREATE TRIGGER paper_tally_10_keep BEFORE UPDATE OR DELETE ON paper_tally FOR EACH ROW EXECUTE FUNCTION paper_keep();

CREATE FUNCTION paper_hold() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM session_hold(NEW.session_id);
    RETURN NULL;
END $$;
COMMENT ON FUNCTION paper_hold() IS 'Of a session that people tell of, the days stay: what they were asked goes by them.';
CREATE TRIGGER paper_batch_30_hold AFTER INSERT ON paper_batch FOR EACH ROW EXECUTE FUNCTION paper_hold();

INSERT INTO audit_exempt (relation, is_new, reason) VALUES ('paper_tally', false, 'Worked out of anonymous answers; its batch is audited');

DROP FUNCTION effect_groups(uuid[], date);
DROP FUNCTION effect_group(uuid[], text, date);
CREATE FUNCTION effect_group(sessions uuid[], told_role text, today date)
RETURNS TABLE (role text, asked bigint, answered bigint, on_paper bigint, sessions_shown integer, sessions_open integer, sessions_few integer, reason text, mean numeric, items jsonb)
LANGUAGE plpgsql STABLE AS $$
DECLARE
    small integer := training_number('small_group', today);
BEGIN
    RETURN QUERY
    WITH each AS (
        SELECT s.id, CASE WHEN told_role = 'participant' THEN w.reaction_closes ELSE w.behaviour_closes END < today AS is_over,
               coalesce((SELECT t.n FROM effect_tally t WHERE t.session_id = s.id AND t.role = told_role AND t.item = '-'), 0) AS n,
               CASE WHEN told_role = 'participant' THEN (SELECT count(*) FROM enrolment e WHERE e.session_id = s.id AND (e.state = 'attending' OR effect_took_part(e.state)))
                    ELSE (SELECT count(*) FROM behaviour_review v JOIN behaviour_request q ON q.review_id = v.id WHERE v.session_id = s.id AND q.role = told_role) END AS asked,
               (SELECT coalesce(sum(p.forms), 0) FROM paper_batch p WHERE p.session_id = s.id AND p.role = told_role) AS on_paper,
               EXISTS (SELECT FROM paper_batch p WHERE p.session_id = s.id AND p.role = told_role AND p.forms >= small) AS has_paper
        FROM   unnest(sessions) AS s (id) CROSS JOIN LATERAL effect_window_of(s.id) w
    ), answer AS (
        SELECT e.id AS source, t.item, t.value, t.n
        FROM   each e JOIN effect_tally t ON t.session_id = e.id AND t.role = told_role AND t.item <> '-'
        WHERE  e.is_over AND e.n >= small
        UNION ALL
        SELECT p.id, t.item, t.value, t.n
        FROM   each e JOIN paper_batch p ON p.session_id = e.id AND p.role = told_role AND p.forms >= small JOIN paper_tally t ON t.batch_id = p.id
    ), cell AS (
        SELECT a.item, sum(a.n) AS n, sum(a.n * a.value) AS points, sum(a.n) FILTER (WHERE a.value = 1) AS n1, sum(a.n) FILTER (WHERE a.value = 2) AS n2,
               sum(a.n) FILTER (WHERE a.value = 3) AS n3, sum(a.n) FILTER (WHERE a.value = 4) AS n4
        FROM   answer a
        GROUP  BY a.source, a.item
    ), item AS (
        SELECT c.item, sum(c.n) AS n, sum(c.points) AS points, sum(c.n1) AS n1, sum(c.n2) AS n2, sum(c.n3) AS n3, sum(c.n4) AS n4
        FROM   cell c WHERE c.n >= small GROUP BY c.item
    )
    SELECT told_role, coalesce(sum(e.asked), 0)::bigint, (coalesce(sum(e.n), 0) + coalesce(sum(e.on_paper), 0))::bigint, coalesce(sum(e.on_paper), 0)::bigint,
           count(*) FILTER (WHERE e.is_over AND e.n >= small OR e.has_paper)::integer,
           count(*) FILTER (WHERE NOT e.is_over)::integer, count(*) FILTER (WHERE e.is_over AND e.n < small AND NOT e.has_paper)::integer,
           CASE WHEN EXISTS (SELECT FROM item) THEN NULL WHEN bool_or(NOT e.is_over) THEN 'open' ELSE 'few' END,
           CASE WHEN NOT EXISTS (SELECT FROM cell c WHERE NOT EXISTS (SELECT FROM item i WHERE i.item = c.item))
                THEN (SELECT round(round(avg(i.points / i.n), 12), 4) FROM item i) END,
           (SELECT coalesce(jsonb_agg(jsonb_build_object('code', c.item, 'name', r.name, 'name_en', r.name_en, 'subject', r.facts ->> 'subject', 'n', i.n,
                                                         'counts', CASE WHEN i.n IS NOT NULL THEN jsonb_build_array(coalesce(i.n1, 0), coalesce(i.n2, 0),
                                                                                                                    coalesce(i.n3, 0), coalesce(i.n4, 0)) END,
                                                         'mean', round(round(i.points / i.n, 12), 4)) ORDER BY r.seq, c.item), '[]')
            FROM   (SELECT DISTINCT k.item FROM cell k) c LEFT JOIN item i ON i.item = c.item
            LEFT   JOIN LATERAL (SELECT x.name, x.name_en, x.seq, x.facts FROM reference x
                                 WHERE  x.list = CASE WHEN told_role = 'participant' THEN 'reaction-item' ELSE 'behaviour-item' END AND x.code = c.item
                                 ORDER  BY x.valid @> today DESC, x.valid DESC LIMIT 1) r ON true)
    FROM   each e;
END $$;
COMMENT ON FUNCTION effect_group(uuid[], text, date) IS
    'What one group of respondents said about these sessions: counted, with the reason where nothing is shown (open: answers may still come; few: too few). Each batch on paper is shown by itself, as a session is, so that nobody who knows it can take it off.';

CREATE FUNCTION effect_groups(sessions uuid[], today date) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (SELECT jsonb_agg(to_jsonb(g) ORDER BY o.place)
            FROM   (VALUES (1, 'superior'), (2, 'peer'), (3, 'self')) AS o (place, role) CROSS JOIN LATERAL effect_group(sessions, o.role, today) g);
END $$;
COMMENT ON FUNCTION effect_groups(uuid[], date) IS 'effect_group() of superiors, peers and the participants themselves.';

COMMENT ON COLUMN import.kind IS
    'asn, unit, history, reference, ticket, survey-answer, presence, competency-standard, competency-assessment or questionnaire; only the first three can be undone';

-- Files come by the command line too, which has no key.
ALTER TABLE competency_assessment ALTER COLUMN actor_key DROP NOT NULL;
COMMENT ON COLUMN competency_assessment.actor_key IS 'api_key.id of who told it last; null: the command line';

SELECT audit_attach();
