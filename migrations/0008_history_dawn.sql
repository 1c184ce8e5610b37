-- What a history says of days to come shows in the record when its day has come.

CREATE INDEX history_starts_idx ON history (starts) WHERE NOT is_void;
CREATE INDEX history_ends_idx ON history (ends) WHERE NOT is_void AND ends IS NOT NULL;

CREATE TABLE history_dawn (
    is_only boolean PRIMARY KEY DEFAULT true CONSTRAINT history_dawn_one CHECK (is_only),
    day     date    NOT NULL
);
COMMENT ON TABLE history_dawn IS 'One row: the last day whose histories were shown in the records.';
COMMENT ON COLUMN history_dawn.is_only IS 'There is one row';
COMMENT ON COLUMN history_dawn.day IS 'That day';
INSERT INTO history_dawn (day) VALUES (local_today());

-- The row's lock makes daemons take turns: the second finds nothing left to do.
CREATE FUNCTION history_show_today() RETURNS integer
LANGUAGE plpgsql AS $$
DECLARE
    shown  date;
    people uuid[];
BEGIN
    SELECT d.day INTO shown FROM history_dawn d FOR UPDATE;
    IF shown >= local_today() THEN
        RETURN 0;
    END IF;
    SELECT array_agg(DISTINCT w.asn_id ORDER BY w.asn_id) INTO people
    FROM   (SELECT h.asn_id FROM history h WHERE NOT h.is_void AND h.starts > shown AND h.starts <= local_today()
            UNION ALL
            SELECT h.asn_id FROM history h WHERE NOT h.is_void AND h.ends IS NOT NULL AND h.ends > shown AND h.ends <= local_today()) w;
    IF people IS NOT NULL THEN
        PERFORM FROM asn a WHERE a.id = ANY (people) ORDER BY a.nip FOR NO KEY UPDATE;
        PERFORM history_project(people);
    END IF;
    UPDATE history_dawn SET day = local_today();
    RETURN coalesce(cardinality(people), 0);
END $$;
COMMENT ON FUNCTION history_show_today() IS
    'Brings the records of people up to today whose histories begin or end something since the last time; how many these are.';
