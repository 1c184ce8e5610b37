-- What of complaints and tickets is overdue or soon due, and whom to tell: the officer, and the head of the unit or of the next one above it.

CREATE FUNCTION service_head(which uuid, at date, units ltree[]) RETURNS TABLE (unit_id uuid, nip text, name text, "position" text)
LANGUAGE plpgsql STABLE ROWS 1 AS $$
DECLARE
    place record;
    head  jsonb;
BEGIN
    FOR place IN SELECT b.id, b.head_position, b.name FROM unit u JOIN unit b ON b.path @> u.path WHERE u.id = which ORDER BY nlevel(b.path) DESC LOOP
        head := unit_head(place.id, unit_title(place.head_position, place.name), at, units);
        IF head IS NOT NULL THEN
            RETURN QUERY SELECT place.id, head ->> 'nip', head ->> 'name', head ->> 'position';
            RETURN;
        END IF;
    END LOOP;
END $$;
COMMENT ON FUNCTION service_head(uuid, date, ltree[]) IS
    'Who heads a unit on a day, or the nearest one above it that has a head: of the people of these units. No row: nobody.';

CREATE FUNCTION complaint_next(c complaint, OUT what text, OUT day date)
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT v.what, v.day
    FROM   (VALUES (1, 'settle', (c).settle_by), (2, 'verify', CASE WHEN (c).state IN ('received', 'verified') THEN (c).verify_by END),
                   (3, 'handle', CASE WHEN (c).state = 'forwarded' THEN (c).handle_by END)) AS v (place, what, day)
    WHERE  v.day IS NOT NULL AND (c).state NOT IN ('answered', 'closed', 'rejected')
    ORDER  BY v.day, v.place
    LIMIT  1
$$;
COMMENT ON FUNCTION complaint_next(complaint) IS 'The limit of a complaint that is still open which comes first: settle, verify or handle, and its last day; null: none.';
