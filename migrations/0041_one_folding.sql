-- One way to compare the papers of trainings, in what is submitted as in what is counted: organiser and number of a certificate are the same whatever
-- their capitals, points, strokes and spaces. docs/learning-hours.md, certificates.md.

CREATE OR REPLACE FUNCTION certificate_words(told text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN regexp_replace(regexp_replace(name_key(told), '^(nomor|no|nomer) +', ''), '(?<![0-9]) | (?![0-9])', '', 'g');
COMMENT ON FUNCTION certificate_words(text) IS
    'A number or an organiser as they are compared: small letters and digits, without "Nomor" before it. Only two runs of digits stay apart: 12/PD/2025 is 12pd2025, and 1/2PD/2025 is 1 2pd2025; L.A.N. R.I. is lanri.';

CREATE FUNCTION certificate_paper(organiser text, number text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN certificate_words(number) <> '' THEN concat(certificate_words(organiser), '/', certificate_words(number)) END;
COMMENT ON FUNCTION certificate_paper(text, text) IS 'What a certificate is known by; null: it has no number.';

-- Whoever has two that are one now keeps both; the one that was verified, else the first, counts.
ALTER TABLE external_certificate DISABLE TRIGGER USER;
UPDATE external_certificate x
SET    is_double = true
FROM   (SELECT o.id, row_number() OVER (PARTITION BY o.asn_id, certificate_paper(o.organiser, o.number) ORDER BY o.state = 'verified' DESC, o.id) AS nth
        FROM   external_certificate o WHERE o.state <> 'refused' AND NOT o.is_double) d
WHERE  d.id = x.id AND d.nth > 1;
UPDATE external_certificate SET organiser = organiser, number = number;
ALTER TABLE external_certificate ENABLE TRIGGER USER;

CREATE OR REPLACE FUNCTION learning_count(people uuid[])
RETURNS TABLE (entry learning_entry, is_forecast boolean, name text, organiser text, certificate_number text, form_name text)
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN QUERY
    WITH told AS (
        SELECT s.*, ROW(s.is_forecast, s.source = 'course', s.last_day, s.source_id) AS place, reference_fold(s.name) AS name_word,
               certificate_paper(s.organiser, s.certificate_number) AS paper,
               nullif(certificate_words(s.certificate_number), '') AS number_word,
               learning_hours(s.form_facts, s.is_abroad, s.amount, s.told_jp) AS by_table,
               (s.form_facts ->> CASE WHEN s.is_abroad THEN 'jp_abroad' ELSE 'jp_national' END)::numeric AS one,
               CASE WHEN NOT s.is_abroad THEN (s.form_facts ->> 'month_most')::numeric * (s.form_facts ->> 'jp_national')::numeric END AS month_jp
        FROM   learning_source s
        WHERE  s.asn_id = ANY (people)
    ), compared AS (
        SELECT t.*,
               CASE WHEN t.paper IS NOT NULL
                    THEN coalesce(nullif(first_value(t.source_id) OVER (PARTITION BY t.asn_id, t.paper ORDER BY t.place), t.source_id),
                                  (array_agg(t.source_id) FILTER (WHERE t.paper IS NULL) OVER before)[1])
                    ELSE (array_agg(t.source_id) OVER before)[1] END AS twin
        FROM   told t
        WINDOW before AS (PARTITION BY t.asn_id, t.name_word, t.first_day ORDER BY t.place ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
    ), bounded AS (
        SELECT c.*,
               CASE WHEN c.twin IS NOT NULL THEN 0
                    WHEN c.month_jp IS NULL THEN c.by_table
                    ELSE least(c.by_table,
                               greatest(c.month_jp - coalesce(sum(c.by_table) FILTER (WHERE c.twin IS NULL)
                                                              OVER (PARTITION BY c.asn_id, c.form, c.month_jp IS NULL, date_trunc('month', c.last_day)
                                                                    ORDER BY c.place ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0), 0)) END AS counts,
               c.twin IS NULL AND EXISTS (SELECT FROM compared o
                                          WHERE  o.asn_id = c.asn_id AND o.place < c.place AND o.twin IS NULL
                                                 AND (o.name_word = c.name_word AND o.first_day = c.first_day
                                                      OR o.number_word = c.number_word AND extract(year FROM o.last_day) = extract(year FROM c.last_day))) AS is_doubtful
        FROM   compared c
    )
    SELECT ROW(b.source, b.source_id, b.asn_id, b.first_day, b.last_day, b.form, b.form_facts ->> 'counted_by', (b.form_facts ->> 'share')::integer,
               b.is_abroad, CASE WHEN b.form_facts ->> 'counted_by' <> 'jp' THEN b.amount END, b.minutes, b.told_jp, b.one, b.by_table, b.counts,
               array_remove(ARRAY[CASE WHEN b.form_facts IS NULL THEN 'form-unknown' END,
                                  CASE WHEN b.minutes IS NOT NULL THEN 'minutes' END,
                                  CASE WHEN b.form_facts ->> 'counted_by' <> 'jp' AND (b.form_facts ->> 'is_up_to')::boolean IS NOT TRUE AND b.amount IS NULL
                                            AND b.told_jp IS NOT NULL THEN 'as-printed' END,
                                  CASE WHEN (b.form_facts ->> 'is_up_to')::boolean
                                            AND b.told_jp * CASE WHEN b.is_abroad THEN coalesce((b.form_facts ->> 'jp_factor_abroad')::numeric, 1) ELSE 1 END
                                                > b.by_table THEN 'day-most' END,
                                  CASE WHEN b.twin IS NOT NULL THEN 'duplicate' WHEN b.counts < b.by_table THEN 'month-most' END,
                                  CASE WHEN b.is_doubtful THEN 'maybe-duplicate' END], NULL),
               b.twin, p.rule_kind, p.basis, p.period_from, p.period_until, extract(year FROM p.period_from)::integer)::learning_entry,
           b.is_forecast, b.name, b.organiser, b.certificate_number, b.form_name
    FROM   bounded b
    JOIN   asn a ON a.id = b.asn_id
    CROSS  JOIN LATERAL learning_period(a, b.last_day) p;
END $$;
COMMENT ON FUNCTION learning_count(uuid[]) IS
    'The ledger of these people as it should be, and what is forecast. notes: form-unknown (counted as printed), minutes (whole 45 minutes of them), as-printed (how many was not told), day-most and month-most (the table''s bounds), duplicate, maybe-duplicate (it counts, but something that counts too has its name and first day, or its number and year).';

CREATE OR REPLACE FUNCTION learning_words(e learning_entry, lang text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN concat_ws('; ',
    CASE WHEN (e).minutes IS NOT NULL
         THEN format(CASE lang WHEN 'en' THEN '%s minutes are %s whole JP of 45' ELSE '%s menit adalah %s JP utuh (45 menit)' END, (e).minutes, (e).told_jp) END,
    CASE WHEN (e).counted_by IS NULL OR 'as-printed' = ANY ((e).notes)
         THEN format(CASE lang WHEN 'en' THEN '%s JP as printed' ELSE '%s JP seperti tertulis' END, trim_scale((e).jp))
         WHEN (e).counted_by = 'jp' THEN format('%s JP × %s = %s JP', coalesce(trim_scale((e).told_jp), 0), trim_scale((e).unit_jp), trim_scale((e).jp))
         WHEN 'day-most' = ANY ((e).notes)
         THEN format(CASE lang WHEN 'en' THEN '%s JP told, at most %s × %s = %s JP' ELSE '%s JP disebut, paling banyak %s × %s = %s JP' END,
                     trim_scale((e).told_jp), trim_scale(coalesce((e).amount, 1)), trim_scale((e).unit_jp), trim_scale((e).jp))
         WHEN (e).jp <> coalesce((e).amount, 1) * (e).unit_jp
         THEN format(CASE lang WHEN 'en' THEN '%s JP of those told' ELSE '%s JP dari yang disebut' END, trim_scale((e).jp))
         ELSE format('%s %s × %s = %s JP', trim_scale(coalesce((e).amount, 1)),
                     CASE WHEN lang = 'id' THEN (e).counted_by
                          ELSE CASE (e).counted_by WHEN 'hari' THEN 'day(s)' WHEN 'sesi' THEN 'session(s)' WHEN 'semester' THEN 'semester(s)' ELSE 'event(s)' END END,
                     trim_scale((e).unit_jp), trim_scale((e).jp)) END,
    CASE WHEN (e).is_abroad THEN CASE lang WHEN 'en' THEN 'abroad' ELSE 'luar negeri' END END,
    CASE WHEN 'duplicate' = ANY ((e).notes) THEN CASE lang WHEN 'en' THEN 'the same training counts already' ELSE 'pelatihan yang sama sudah dihitung' END
         WHEN 'month-most' = ANY ((e).notes)
         THEN format(CASE lang WHEN 'en' THEN 'with what the month has already %s JP count' ELSE 'dengan yang sudah ada pada bulan itu dihitung %s JP' END,
                     trim_scale((e).counted_jp)) END,
    CASE WHEN 'maybe-duplicate' = ANY ((e).notes)
         THEN CASE lang WHEN 'en' THEN 'it may be another one that counts too' ELSE 'mungkin sama dengan pelatihan lain yang juga dihitung' END END);

CREATE OR REPLACE FUNCTION certificate_doubles(me external_certificate) RETURNS json
LANGUAGE plpgsql STABLE AS $$
DECLARE
    key text := name_key(me.name);
BEGIN
    RETURN (
        SELECT coalesce(json_agg(json_build_object('kind', d.kind, 'id', d.id, 'name', d.name, 'from', d.first, 'to', d.last) ORDER BY d.first, d.id), '[]')
        FROM  (SELECT 'external' AS kind, o.id, o.name, o.starts_on AS first, o.ends_on AS last, o.number_key AS number
               FROM   external_certificate o WHERE o.asn_id = me.asn_id AND o.id <> me.id AND o.state <> 'refused'
               UNION ALL
               SELECT 'history', h.id, h.facts ->> 'name', h.starts, coalesce(h.ends - 1, h.starts), certificate_words(h.facts ->> 'certificate_number')
               FROM   history h
               WHERE  h.asn_id = me.asn_id AND h.kind = 'course' AND NOT h.is_void AND h.id IS DISTINCT FROM me.history_id
                      AND NOT EXISTS (SELECT FROM external_certificate o WHERE o.history_id = h.id)
               UNION ALL
               SELECT 'enrolment', e.id, p.name, s.starts_on, s.ends_on, (SELECT certificate_words(c.number) FROM certificate c WHERE c.enrolment_id = e.id AND c.state = 'valid')
               FROM   enrolment e JOIN session s ON s.id = e.session_id JOIN programme p ON p.id = s.programme_id
               WHERE  e.asn_id = me.asn_id AND enrolment_is_passed(e.state)) d
        WHERE  (d.first = me.starts_on OR d.last = me.ends_on) AND similarity(name_key(d.name), key) >= 0.5
               OR d.number = me.number_key AND extract(year FROM d.last) = extract(year FROM me.ends_on));
END $$;
COMMENT ON FUNCTION certificate_doubles(external_certificate) IS
    'What else of this person may be the same training: a name like this one and the same first or last day, or the same number in the same year by another organiser. A hint to whoever decides, no more.';

DELETE FROM learning_entry;
INSERT INTO learning_entry
SELECT (c.entry).*
FROM   (SELECT array_agg(DISTINCT s.asn_id) AS ids FROM learning_source s WHERE NOT s.is_forecast) p, learning_count(p.ids) c
WHERE  NOT c.is_forecast;
