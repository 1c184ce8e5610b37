-- SPDX-License-Identifier: Apache-2.0
-- Who was of the staff on another day, and where, in one look at each person's histories, unit after unit: as far as a page needs it.

-- Of asn_as_of() what tells who is counted, with the same answers: the placement of the day, else the first after it, else the first; of an appointment, a
-- rank and a status the one that holds.
CREATE FUNCTION staff_then(at date, under uuid, units ltree[], of_kind text, beyond ltree, wanted numeric)
RETURNS TABLE (id uuid, unit_id uuid, path ltree, kind text, rank_kind text, rank text, rank_since date, legal_status text)
LANGUAGE plpgsql STABLE ROWS 1000 SET enable_hashjoin = off SET enable_mergejoin = off AS $$
DECLARE
    employed text[] := ARRAY(SELECT e.code FROM employed_status e);
    above    ltree := unit_path_then(under, at);
    places   uuid[];
    paths    ltree[];
    low      integer := 1;
    step     integer := 8;
    n        bigint := 0;
BEGIN
    SELECT array_agg(w.id ORDER BY w.path), array_agg(w.path ORDER BY w.path) INTO places, paths
    FROM   (SELECT u.id, coalesce(y.path, unit_path_then(u.id, at)) AS path
            FROM   unnest(unit_reach(under, units)) AS r (id)
            JOIN   unit u ON u.id = r.id
            LEFT   JOIN unit_way y ON y.unit_id = u.id AND y.valid @> at) w
    WHERE  (under IS NULL OR w.path <@ above) AND (beyond IS NULL OR w.path >= beyond);
    WHILE low <= coalesce(cardinality(places), 0) AND (wanted IS NULL OR n < wanted) LOOP
        FOR id, unit_id, path, kind, rank_kind, rank, rank_since, legal_status IN
            SELECT b.id, l.id, l.path, f.kind, CASE WHEN f.kind IN ('PNS', 'CPNS') THEN 'PNS' ELSE 'PPPK' END, f.rank, f.rank_since, coalesce(f.legal_status, b.legal_status)
            FROM   unnest(places[low:low + step - 1], paths[low:low + step - 1]) AS l (id, path)
            CROSS  JOIN LATERAL (SELECT h.id, h.asn_id, h.valid FROM history h
                                 WHERE  h.kind = 'placement' AND NOT h.is_void AND h.facts ->> 'unit_id' = l.id::text OFFSET 0) p
            CROSS  JOIN LATERAL (SELECT max(h.facts ->> 'kind') FILTER (WHERE h.kind = 'appointment') AS kind, max(h.facts ->> 'rank') FILTER (WHERE h.kind = 'rank') AS rank,
                                        max(h.starts) FILTER (WHERE h.kind = 'rank') AS rank_since,
                                        max(h.facts ->> 'legal_status') FILTER (WHERE h.kind = 'status') AS legal_status
                                 FROM   history h
                                 WHERE  h.asn_id = p.asn_id AND h.kind IN ('appointment', 'rank', 'status') AND NOT h.is_void AND h.valid @> at OFFSET 0) f
            JOIN   asn b ON b.id = p.asn_id
            JOIN   unit m ON m.id = b.unit_id
            WHERE  f.kind IS NOT NULL AND (of_kind IS NULL OR f.kind = of_kind) AND coalesce(f.legal_status, b.legal_status) = ANY (employed)
                   AND m.path <@ ANY (units)
                   AND (p.valid @> at
                        OR p.id = (SELECT h.id FROM history h WHERE h.asn_id = p.asn_id AND h.kind = 'placement' AND NOT h.is_void
                                   ORDER  BY h.valid @> at DESC, h.starts > at DESC, h.starts LIMIT 1))
        LOOP
            n := n + CASE WHEN beyond IS NULL OR path > beyond THEN 1 ELSE 0 END;
            RETURN NEXT;
        END LOOP;
        low := low + step;
        step := 2 * step;
    END LOOP;
END $$;
COMMENT ON FUNCTION staff_then(date, uuid, ltree[], text, ltree, numeric) IS
    'Who was of the staff on a day, below a unit (null: all) and within the units given, with the unit and its way of that day, kind, rank and status as asn_as_of() has them. In the order of the tree from a way on, and no further than until so many behind it are found (null: all).';

SELECT audit_quietly('{row_definer}', $q$
INSERT INTO row_definer VALUES ('staff_then', 'As asn_search: ids within the units that it is given, with what they are counted by on that day; the statement around it reads the rows');
$q$);

SELECT row_security_attach();
