-- Whose a programme, a session, a partner, an agreement, an activity or a line of the budget is: a unit's, or the regency's office's. docs/training.md.

ALTER TABLE programme ADD COLUMN organiser_unit_id uuid CONSTRAINT programme_organiser_fkey REFERENCES unit;
ALTER TABLE session ADD COLUMN organiser_unit_id uuid CONSTRAINT session_organiser_fkey REFERENCES unit;
ALTER TABLE partner ADD COLUMN organiser_unit_id uuid CONSTRAINT partner_organiser_fkey REFERENCES unit;
ALTER TABLE agreement ADD COLUMN organiser_unit_id uuid CONSTRAINT agreement_organiser_fkey REFERENCES unit;
ALTER TABLE activity ADD COLUMN organiser_unit_id uuid CONSTRAINT activity_organiser_fkey REFERENCES unit;
ALTER TABLE budget_line ADD COLUMN organiser_unit_id uuid CONSTRAINT budget_line_organiser_fkey REFERENCES unit;
CREATE INDEX programme_organiser_idx ON programme (organiser_unit_id) WHERE organiser_unit_id IS NOT NULL;
CREATE INDEX session_organiser_idx ON session (organiser_unit_id) WHERE organiser_unit_id IS NOT NULL;
CREATE INDEX partner_organiser_idx ON partner (organiser_unit_id) WHERE organiser_unit_id IS NOT NULL;
CREATE INDEX agreement_organiser_idx ON agreement (organiser_unit_id) WHERE organiser_unit_id IS NOT NULL;
CREATE INDEX activity_organiser_idx ON activity (organiser_unit_id) WHERE organiser_unit_id IS NOT NULL;
CREATE INDEX budget_line_organiser_idx ON budget_line (organiser_unit_id) WHERE organiser_unit_id IS NOT NULL;
COMMENT ON COLUMN programme.organiser_unit_id IS 'unit.id of whose it is: keys that see that unit write it; null: the regency''s office''s, written by keys that see all units';
COMMENT ON COLUMN session.organiser_unit_id IS 'unit.id of whose it is, as of programme';
COMMENT ON COLUMN partner.organiser_unit_id IS 'unit.id of whose it is, as of programme';
COMMENT ON COLUMN agreement.organiser_unit_id IS 'unit.id of whose it is, as of programme';
COMMENT ON COLUMN activity.organiser_unit_id IS 'unit.id of whose it is, as of programme';
COMMENT ON COLUMN budget_line.organiser_unit_id IS 'unit.id of whose money it is, as of programme';

CREATE FUNCTION organiser_seen(organiser uuid, units ltree[]) RETURNS boolean
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN CASE WHEN organiser IS NULL THEN '' = ANY (units) ELSE EXISTS (SELECT FROM unit u WHERE u.id = organiser AND u.path <@ ANY (units)) END;
END $$;
COMMENT ON FUNCTION organiser_seen(uuid, ltree[]) IS 'Whether a caller of these units writes what is that unit''s; null: the regency''s office''s, which takes all units.';

CREATE TYPE organiser_answer AS (problem text, pointer text, value text, word_en text, word_id text);
COMMENT ON TYPE organiser_answer IS 'Why a caller may not write something of an organiser; all null: he may.';

CREATE FUNCTION organiser_fault(is_new boolean, held uuid, wanted uuid, units ltree[]) RETURNS organiser_answer
LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF NOT is_new AND NOT organiser_seen(held, units) THEN
        RETURN ('forbidden', NULL, NULL, 'It belongs to another unit than those of this key.', 'Ini milik unit lain, bukan unit kunci ini.')::organiser_answer;
    ELSIF organiser_seen(wanted, units) THEN
        RETURN NULL::organiser_answer;
    ELSIF wanted IS NULL THEN
        RETURN ('forbidden', '/organiser_unit_id', NULL, 'What has no unit is the regency''s; this key sees a part only: name one of its units.',
                'Tanpa unit berarti milik kabupaten; kunci ini hanya melihat sebagian: sebutkan salah satu unitnya.')::organiser_answer;
    END IF;
    RETURN ('reference-missing', '/organiser_unit_id', wanted::text, NULL, NULL)::organiser_answer;
END $$;
COMMENT ON FUNCTION organiser_fault(boolean, uuid, uuid, ltree[]) IS 'Of something that is made, or changes from held to wanted.';

CREATE FUNCTION budget_line_fault(held uuid, wanted uuid, units ltree[]) RETURNS organiser_answer
LANGUAGE plpgsql STABLE AS $$
BEGIN
    PERFORM FROM budget_line b WHERE b.id = wanted AND wanted IS DISTINCT FROM held AND NOT organiser_seen(b.organiser_unit_id, units);
    IF FOUND THEN
        RETURN ('forbidden', '/budget_line_id', wanted::text, 'The money of this line belongs to another unit.', 'Anggaran baris ini milik unit lain.')::organiser_answer;
    END IF;
    RETURN NULL::organiser_answer;
END $$;
COMMENT ON FUNCTION budget_line_fault(uuid, uuid, ltree[]) IS 'Whoever commits money of a line must be able to write the line.';

DROP TRIGGER session_20_touch ON session;
CREATE TRIGGER session_20_touch
    BEFORE UPDATE OF title, place, link, trainers, starts_on, ends_on, capacity, registration_opens, registration_closes, min_participants, offer_hours,
                     cancel_reason, state, organiser_unit_id ON session
    FOR EACH ROW EXECUTE FUNCTION touch_row();
DROP TRIGGER budget_line_20_touch ON budget_line;
CREATE TRIGGER budget_line_20_touch BEFORE UPDATE OF account, planned, warn_percent, organiser_unit_id ON budget_line FOR EACH ROW EXECUTE FUNCTION touch_row();

CREATE OR REPLACE FUNCTION session_patch(which uuid, seen bigint, patch jsonb) RETURNS SETOF session
LANGUAGE plpgsql AS $$
DECLARE
    s session;
BEGIN
    SELECT * INTO s FROM session WHERE id = which FOR UPDATE;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    IF s.version <> seen THEN
        RAISE EXCEPTION 'changed meanwhile' USING ERRCODE = 'P0001', CONSTRAINT = 'version_stale';
    END IF;
    SELECT * INTO s FROM session_await(which);
    s := jsonb_populate_record(s, with_whole(patch, 'capacity', 'min_participants', 'offer_hours'));
    UPDATE session
    SET    title = s.title, place = s.place, link = s.link, trainers = s.trainers, starts_on = s.starts_on, ends_on = s.ends_on, capacity = s.capacity,
           registration_opens = s.registration_opens, registration_closes = s.registration_closes, min_participants = s.min_participants,
           offer_hours = s.offer_hours, state = s.state, organiser_unit_id = s.organiser_unit_id
    WHERE  id = which;
    RETURN QUERY SELECT * FROM session WHERE id = which;
END $$;

DROP FUNCTION activity_write(uuid, int8multirange, jsonb);
CREATE FUNCTION activity_write(which uuid, seen int8multirange, patch jsonb, units ltree[])
RETURNS TABLE (problem text, pointer text, value text, word_en text, word_id text, a activity, partner_name text, warnings text[])
LANGUAGE plpgsql AS $$
DECLARE
    me    activity;
    was   activity;
    fault organiser_answer;
BEGIN
    IF seen IS NULL THEN
        me := jsonb_populate_record(NULL::activity, patch);
    ELSE
        SELECT t.* INTO was FROM activity t WHERE t.id = which FOR NO KEY UPDATE;
        IF NOT FOUND THEN
            RETURN;
        END IF;
        me := jsonb_populate_record(was, patch);
    END IF;
    fault := organiser_fault(seen IS NULL, was.organiser_unit_id, me.organiser_unit_id, units);
    IF fault.problem IS NULL THEN
        fault := budget_line_fault(was.budget_line_id, me.budget_line_id, units);
    END IF;
    IF fault.problem IS NULL AND NOT seen @> was.version THEN
        fault.problem := 'version-stale';
    END IF;
    IF fault.problem IS NOT NULL THEN
        RETURN QUERY SELECT fault.problem, fault.pointer, fault.value, fault.word_en, fault.word_id, NULL::activity, NULL::text, NULL::text[];
        RETURN;
    END IF;
    IF seen IS NULL THEN
        INSERT INTO activity (id, partner_id, agreement_id, kind, direction, title, starts_on, ends_on, state, jp, cost_planned, cost_spent, our_share_percent,
                              session_id, budget_line_id, organiser_unit_id)
        VALUES (which, me.partner_id, me.agreement_id, me.kind, me.direction, me.title, me.starts_on, me.ends_on, coalesce(me.state, 'planned'), me.jp,
                me.cost_planned, me.cost_spent, coalesce(me.our_share_percent, 100), me.session_id, me.budget_line_id, me.organiser_unit_id);
    ELSE
        UPDATE activity t
        SET    (agreement_id, direction, title, starts_on, ends_on, state, jp, cost_planned, cost_spent, our_share_percent, session_id, budget_line_id,
                organiser_unit_id)
             = (me.agreement_id, me.direction, me.title, me.starts_on, me.ends_on, me.state, me.jp, me.cost_planned, me.cost_spent, me.our_share_percent,
                me.session_id, me.budget_line_id, me.organiser_unit_id)
        WHERE  t.id = which;
    END IF;
    RETURN QUERY SELECT NULL::text, NULL::text, NULL::text, NULL::text, NULL::text, t, p.name, coalesce(w.warnings, '{}')
                 FROM   activity t
                 JOIN   partner p ON p.id = t.partner_id
                 LEFT   JOIN (budget_line b CROSS JOIN LATERAL budget_standing(b) w) ON b.id = t.budget_line_id
                 WHERE  t.id = which;
END $$;
COMMENT ON FUNCTION activity_write(uuid, int8multirange, jsonb, ltree[]) IS
    'A new activity (seen null), or RFC 7396 on one that the client has seen, by a caller of these units, with what its line of the budget warns of then. No row: there is none.';

CREATE OR REPLACE FUNCTION budget_line_patch(which uuid, seen int8multirange, patch jsonb) RETURNS TABLE (problem text, b budget_line)
LANGUAGE plpgsql AS $$
DECLARE
    me budget_line;
BEGIN
    SELECT l.* INTO me FROM budget_line l WHERE l.id = which FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RETURN;
    ELSIF NOT seen @> me.version THEN
        problem := 'version-stale';
        RETURN NEXT;
        RETURN;
    END IF;
    me := jsonb_populate_record(me, patch);
    UPDATE budget_line l SET (account, planned, warn_percent, organiser_unit_id) = (me.account, me.planned, me.warn_percent, me.organiser_unit_id) WHERE l.id = which;
    RETURN QUERY SELECT NULL::text, l FROM budget_line l WHERE l.id = which;
END $$;

SELECT audit_attach();
