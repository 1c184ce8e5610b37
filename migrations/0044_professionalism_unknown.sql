-- An index of nobody of whom nothing is known: what is not known has no points, and says so. See docs/indices.md.

CREATE FUNCTION ip_asn_from(education text, which_position text, at date, done jsonb, predicate text, penalty text) RETURNS ip_asn
LANGUAGE plpgsql STABLE AS $$
DECLARE
    parts jsonb := ip_asn_competence(which_position, at, done);
    ret   ip_asn;
BEGIN
    ret.qualification := CASE WHEN education IS NOT NULL THEN ip_asn_points('kualifikasi', education, at) END;
    ret.competence := CASE WHEN which_position IS NOT NULL AND parts <> '[]' THEN (SELECT sum((c ->> 'points')::numeric) FROM jsonb_array_elements(parts) c) END;
    ret.performance := ip_asn_points('kinerja', predicate, at);
    ret.discipline := ip_asn_points('disiplin', penalty, at);
    ret.total := ret.qualification + ret.competence + ret.performance + ret.discipline;
    ret.reasons := jsonb_build_object('components', parts, 'unknown',
        (SELECT coalesce(jsonb_agg(w.word ORDER BY w.ord), '[]')
         FROM   (VALUES (1, 'education', education IS NULL), (2, 'position', which_position IS NULL), (3, 'rules', ret.discipline IS NULL)) AS w (ord, word, is_so) WHERE w.is_so));
    RETURN ret;
END $$;
COMMENT ON FUNCTION ip_asn_from(text, text, date, jsonb, text, text) IS
    'IP ASN of these facts by the tables of a day. A dimension whose fact is not known has no points, and then there is no sum; reasons.unknown says what is not known. No predicate and no penalty are facts: the table has points for them.';

CREATE OR REPLACE FUNCTION ip_asn_of(which uuid, at date) RETURNS ip_asn
LANGUAGE plpgsql STABLE AS $$
DECLARE
    a      asn;
    done   jsonb;
    rated  record;
    worst  record;
    ret    ip_asn;
BEGIN
    SELECT n.* INTO a FROM asn n WHERE n.id = which;
    IF at <> local_today() THEN
        SELECT h.* INTO a FROM asn n, asn_as_of(n, at) h WHERE n.id = which;
    END IF;
    IF a.id IS NULL THEN
        ret.reasons := '{"components": [], "unknown": ["appointment"]}';
        RETURN ret;
    END IF;
    SELECT coalesce(jsonb_agg(jsonb_build_object('form', d.form, 'name', d.name, 'day', d.day, 'jp', d.jp)), '[]') INTO done
    FROM  (SELECT h.facts ->> 'form' AS form, h.facts ->> 'name' AS name, coalesce(h.ends - 1, h.starts) AS day, (h.facts ->> 'jp')::integer AS jp
           FROM   history h WHERE h.asn_id = which AND h.kind = 'course' AND NOT h.is_void
           UNION ALL
           SELECT p.form, p.name, (upper(e.days) - 1)::date, e.jp
           FROM   enrolment e JOIN session s ON s.id = e.session_id JOIN programme p ON p.id = s.programme_id
           WHERE  e.asn_id = which AND e.jp IS NOT NULL) d;
    SELECT e.predicate, p.name, p.ends_on INTO rated
    FROM   evaluation_current e JOIN period p ON p.id = e.period_id
    WHERE  e.asn_id = which AND e.state = 'final' AND p.kind = 'tahunan' AND p.ends_on <= at
    ORDER  BY p.ends_on DESC LIMIT 1;
    SELECT h.facts ->> 'level' AS level, h.starts INTO worst
    FROM   history h
    WHERE  h.asn_id = which AND h.kind = 'discipline' AND NOT h.is_void AND h.starts <= at AND h.starts > (at - interval '5 years')::date
    ORDER  BY ip_asn_points('disiplin', h.facts ->> 'level', at), h.starts DESC LIMIT 1;
    ret := ip_asn_from(a.education_level, a.position_kind, at, done, rated.predicate, worst.level);
    ret.reasons := ret.reasons || jsonb_build_object('education_level', a.education_level, 'position_kind', a.position_kind, 'predicate', rated.predicate,
                                                     'period', rated.name, 'penalty', worst.level, 'penalty_on', worst.starts);
    RETURN ret;
END $$;
COMMENT ON FUNCTION ip_asn_of(uuid, date) IS
    'IP ASN of a person on a day (Permenpan RB 38/2018, Per BKN 8/2019), from record, courses, passed enrolments, the last yearly evaluation that ended by then, and the '
    'worst penalty of five years. Nothing but reasons of whom no history knows an appointment then.';

CREATE FUNCTION ip_asn_mean(sum numeric, n bigint) RETURNS numeric
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN n > 0 THEN (div(sum * 200 + n, n * 2) / 100)::numeric(7, 2) END;
COMMENT ON FUNCTION ip_asn_mean(numeric, bigint) IS 'Mean of a unit, two decimals, half up, of one whole division.';
