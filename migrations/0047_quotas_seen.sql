-- Quotas of a session are told and told anew within the caller's units: those of others are neither shown nor lost.

CREATE OR REPLACE FUNCTION session_quotas_set(which uuid, seen int8multirange, units ltree[], told jsonb) RETURNS SETOF session_answer
LANGUAGE plpgsql AS $$
DECLARE
    s session;
BEGIN
    PERFORM FROM session WHERE id = which FOR UPDATE;
    SELECT * INTO s FROM session_await(which);
    IF NOT FOUND THEN
        RETURN;
    ELSIF NOT seen @> s.version THEN
        RETURN QUERY SELECT 'version-stale', NULL::text, NULL::text, NULL::text, NULL::text, NULL::bigint;
        RETURN;
    ELSIF s.state = 'cancelled' THEN
        RETURN QUERY SELECT 'session-cancelled', NULL::text, NULL::text, NULL::text, NULL::text, NULL::bigint;
        RETURN;
    END IF;
    RETURN QUERY
    WITH q AS MATERIALIZED (SELECT t.n - 1 AS n, (t.q ->> 'unit_id')::uuid AS unit_id FROM jsonb_array_elements(told) WITH ORDINALITY AS t (q, n))
    SELECT CASE WHEN u.id IS NULL THEN 'reference-missing' ELSE 'quota-twice' END, '/quotas/' || q.n || '/unit_id', q.unit_id::text, NULL::text, NULL::text,
           NULL::bigint
    FROM   q LEFT JOIN unit u ON u.id = q.unit_id AND u.path <@ ANY (units)
    WHERE  u.id IS NULL OR EXISTS (SELECT FROM q o WHERE o.n < q.n AND o.unit_id = q.unit_id)
    ORDER  BY q.n;
    IF FOUND THEN
        RETURN;
    END IF;
    RETURN QUERY
    SELECT 'quota-below-taken', '/quotas/' || (t.n - 1) || '/seats', h.n::text, NULL::text, NULL::text, NULL::bigint
    FROM   jsonb_array_elements(told) WITH ORDINALITY AS t (q, n) JOIN unit m ON m.id = (t.q ->> 'unit_id')::uuid
    CROSS  JOIN LATERAL (SELECT count(*) AS n FROM enrolment e JOIN asn a ON a.id = e.asn_id JOIN unit u ON u.id = a.unit_id
                         WHERE  e.session_id = which AND enrolment_holds_seat(e.state) AND u.path <@ m.path) h
    WHERE  h.n > (t.q ->> 'seats')::numeric
    ORDER  BY t.n;
    IF FOUND THEN
        RETURN;
    END IF;
    DELETE FROM session_quota q USING unit u WHERE q.session_id = which AND u.id = q.unit_id AND u.path <@ ANY (units);
    INSERT INTO session_quota (session_id, unit_id, seats)
    SELECT which, (q ->> 'unit_id')::uuid, trunc((q ->> 'seats')::numeric)::integer FROM jsonb_array_elements(told) q;
    UPDATE enrolment e SET quotas = w.quotas
    FROM   (SELECT o.id, session_quotas_of(which, o.asn_id) AS quotas FROM enrolment o WHERE o.session_id = which) w
    WHERE  e.id = w.id AND e.quotas <> w.quotas;
    UPDATE session_quota q
    SET    taken = h.n
    FROM   (SELECT m.unit_id, count(*)::integer AS n
            FROM   enrolment e CROSS JOIN LATERAL unnest(e.quotas) AS m (unit_id)
            WHERE  e.session_id = which AND enrolment_holds_seat(e.state) GROUP BY 1) h
    WHERE  q.session_id = which AND q.unit_id = h.unit_id;
    PERFORM session_promote(which);
    UPDATE session SET title = title WHERE id = which;
    RETURN QUERY SELECT NULL::text, NULL::text, NULL::text, NULL::text, NULL::text, o.version FROM session o WHERE o.id = which;
END $$;
COMMENT ON FUNCTION session_quotas_set(uuid, int8multirange, ltree[], jsonb) IS
    'All quotas that a session has for these units (SessionQuotasTold of openapi.yaml), counted anew by where its people are now; those of other units stay. Refused below what is taken. No row: no such session.';

DROP FUNCTION session_quotas_told(uuid);
CREATE FUNCTION session_quotas_told(which uuid, units ltree[]) RETURNS jsonb
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    RETURN (SELECT coalesce(jsonb_agg(jsonb_build_object('unit_id', q.unit_id, 'unit_name', u.name, 'seats', q.seats, 'taken', q.taken) ORDER BY u.path), '[]')
            FROM session_quota q JOIN unit u ON u.id = q.unit_id WHERE q.session_id = which AND u.path <@ ANY (units));
END $$;
COMMENT ON FUNCTION session_quotas_told(uuid, ltree[]) IS
    'The quotas of a session for these units as the API shows them; VOLATILE, so that it sees what the asking statement did.';
