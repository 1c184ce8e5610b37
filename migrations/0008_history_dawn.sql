-- What a history says of days to come shows in the record when its day has come.

CREATE TABLE history_ahead (
    day    date NOT NULL,
    asn_id uuid NOT NULL CONSTRAINT history_ahead_asn_fkey REFERENCES asn ON DELETE CASCADE,
    CONSTRAINT history_ahead_pkey PRIMARY KEY (day, asn_id)
);
CREATE INDEX history_ahead_asn_idx ON history_ahead (asn_id);
COMMENT ON TABLE history_ahead IS 'Days to come on which a history begins or ends; kept by a trigger, emptied by history_show_today().';
COMMENT ON COLUMN history_ahead.day IS 'That day';
COMMENT ON COLUMN history_ahead.asn_id IS 'Whose record may change then: asn.id';

CREATE FUNCTION history_look_ahead() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO history_ahead (day, asn_id)
    SELECT DISTINCT w.day, n.asn_id
    FROM   entered n CROSS JOIN LATERAL (VALUES (n.starts), (n.ends)) AS w (day)
    WHERE  w.day > local_today() AND NOT n.is_void
    ON     CONFLICT DO NOTHING;
    RETURN NULL;
END $$;
COMMENT ON FUNCTION history_look_ahead() IS 'Notes the days to come of new and changed rows.';
CREATE TRIGGER history_40_ahead_insert AFTER INSERT ON history REFERENCING NEW TABLE AS entered
    FOR EACH STATEMENT EXECUTE FUNCTION history_look_ahead();
CREATE TRIGGER history_40_ahead_update AFTER UPDATE ON history REFERENCING NEW TABLE AS entered
    FOR EACH STATEMENT EXECUTE FUNCTION history_look_ahead();
INSERT INTO history_ahead (day, asn_id)
SELECT DISTINCT w.day, h.asn_id FROM history h CROSS JOIN LATERAL (VALUES (h.starts), (h.ends)) AS w (day)
WHERE  w.day > local_today() AND NOT h.is_void;

CREATE FUNCTION history_show_today() RETURNS integer
LANGUAGE plpgsql AS $$
DECLARE
    people uuid[];
BEGIN
    SELECT array_agg(w.asn_id) INTO people
    FROM   (SELECT a.id AS asn_id FROM asn a WHERE a.id IN (SELECT h.asn_id FROM history_ahead h WHERE h.day <= local_today())
            ORDER  BY a.nip FOR NO KEY UPDATE) w;
    IF people IS NULL THEN
        RETURN 0;
    END IF;
    DELETE FROM history_ahead h WHERE h.day <= local_today() AND h.asn_id = ANY (people);
    PERFORM history_project(people);
    RETURN cardinality(people);
END $$;
COMMENT ON FUNCTION history_show_today() IS
    'Brings the records of people up to today whose day has come; how many these are. Several may run at once: the people''s rows make them take turns.';
