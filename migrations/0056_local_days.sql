-- The day on which registration closes is that of the regency's clock (utc_offset_minutes), as all days are.

CREATE OR REPLACE FUNCTION area_trainings(a area, who uuid, at date) RETURNS jsonb
LANGUAGE sql STABLE AS $$
    SELECT coalesce(jsonb_agg(jsonb_build_object('session_id', t.id, 'programme_id', t.programme_id, 'programme', t.programme, 'title', t.title, 'starts_on', t.starts_on,
                                                 'ends_on', t.ends_on, 'jp', t.jp, 'seats_left', t.seats_left, 'family', t.family, 'level_from', t.level_from,
                                                 'level_to', t.level_to) ORDER BY t.seats_left = 0, t.starts_on, t.id), '[]')
    FROM   (SELECT s.id, s.programme_id, p.name AS programme, s.title, s.starts_on, s.ends_on, p.jp, s.capacity - s.seats_taken AS seats_left, f.family, f.level_from,
                   f.level_to
            FROM   session s
            JOIN   programme p ON p.id = s.programme_id
            JOIN   LATERAL (SELECT c.family, c.level_from, c.level_to
                            FROM   (SELECT v.family, v.competency, v.level_from, v.level_to
                                    FROM   jsonb_to_recordset(p.serves) AS v (family text, competency text, level_from integer, level_to integer)
                                    UNION  ALL
                                    SELECT p.family, NULL, NULL, NULL WHERE p.serves = '[]') c
                            WHERE  c.family = ANY (((a).rule).families)
                                   AND ((a).competency IS NULL OR c.competency = (a).competency AND (a).level BETWEEN c.level_from AND c.level_to)
                            ORDER  BY array_position(((a).rule).families, c.family), c.competency LIMIT 1) f ON true
            WHERE  s.state = 'planned' AND s.starts_on > at AND p.is_active
                   AND (s.registration_closes IS NULL OR local_day(s.registration_closes) >= at)
                   AND NOT EXISTS (SELECT FROM enrolment n JOIN session h ON h.id = n.session_id
                                   WHERE  n.asn_id = who AND h.programme_id = p.id AND (enrolment_holds_seat(n.state) OR n.state = 'waitlisted'))
            ORDER  BY s.seats_taken >= s.capacity, s.starts_on, s.id
            LIMIT  5) t
$$;

SELECT row_security_attach();
