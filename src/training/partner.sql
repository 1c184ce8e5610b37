-- Partners, agreements with them, what is done together. Quotas are held by the database (0024_partners_hours.sql). See docs/collaboration.md.

-- name: listPartners
-- sort: name = p.name_key AS _name_key
-- sort: -name = p.name_key DESC AS _name_key
SELECT p.id, p.name, p.kind, p.accreditation, p.contact, p.is_active, p.organiser_unit_id, p.version, p.created_at, p.updated_at, p.name_key AS _name_key
FROM   partner p
WHERE  true
/*? q */ AND p.name_key %> (SELECT name_probe(:q, 1)) AND p.name_key %> (SELECT name_probe(:q, 2))
    AND CASE WHEN (SELECT cardinality(name_words(:q)) <= 2) OR p.name_key %> ALL ((SELECT name_words(:q))::text[]) THEN true END /*? */
/*? kind */ AND p.kind = :kind /*? */
/*? is_active */ AND p.is_active = :is_active /*? */
/* page */

-- name: getPartner
SELECT p.id, p.name, p.kind, p.accreditation, p.contact, p.is_active, p.organiser_unit_id, p.version, p.created_at, p.updated_at
FROM   partner p
WHERE  p.id = :partner_id

-- name: createPartner
WITH fault AS (
    SELECT f.* FROM organiser_fault(true, NULL, :organiser_unit_id, :actor_units::ltree[]) f
), made AS (
    INSERT INTO partner (id, name, kind, accreditation, contact, is_active, organiser_unit_id)
    SELECT :new_id, :name, :kind, :accreditation, :contact, coalesce(:is_active::boolean, true), :organiser_unit_id FROM fault f WHERE f.problem IS NULL
    RETURNING *
)
SELECT f.problem AS _problem, f.pointer AS _pointer, f.value AS _value, f.word_en AS _en, f.word_id AS _id,
       p.id, p.name, p.kind, p.accreditation, p.contact, p.is_active, p.organiser_unit_id, p.version, p.created_at, p.updated_at
FROM   fault f LEFT JOIN made p ON true

-- name: updatePartner
WITH cur AS (
    SELECT p AS rec FROM partner p WHERE p.id = :partner_id FOR UPDATE
), want AS (
    SELECT w.*, coalesce(f.problem, CASE WHEN NOT :if_match::int8multirange @> (cur.rec).version THEN 'version-stale' END) AS problem, f.pointer, f.value, f.word_en,
           f.word_id
    FROM   cur, jsonb_populate_record(cur.rec, :body::jsonb) AS w,
           organiser_fault(false, (cur.rec).organiser_unit_id, w.organiser_unit_id, :actor_units::ltree[]) AS f
), done AS (
    UPDATE partner p
    SET    name = w.name, kind = w.kind, accreditation = w.accreditation, contact = w.contact, is_active = w.is_active, organiser_unit_id = w.organiser_unit_id
    FROM   want w
    WHERE  p.id = w.id AND w.problem IS NULL
    RETURNING p.*
)
SELECT w.problem AS _problem, w.pointer AS _pointer, w.value AS _value, w.word_en AS _en, w.word_id AS _id,
       d.id, d.name, d.kind, d.accreditation, d.contact, d.is_active, d.organiser_unit_id, d.version, d.created_at, d.updated_at
FROM   want w LEFT JOIN done d ON true

-- name: listAgreements
-- sort: ends_on = g.ends_on AS ends_on, g.id AS id
-- sort: -ends_on = g.ends_on DESC AS ends_on, g.id DESC AS id
SELECT g.id, g.partner_id, p.name AS partner_name, g.kind, g.parent_id, g.title, g.scope, g.number_ours, g.number_theirs, g.signatory_ours, g.signatory_theirs,
       g.signed_on, g.starts_on, g.ends_on, g.ended_on, agreement_status(g, :today::date) AS status, g.quota_per_year, g.our_share_percent, g.notice_days,
       g.organiser_unit_id, g.version, g.created_at, g.updated_at
FROM   agreement g
JOIN   partner p ON p.id = g.partner_id
WHERE  true
/*? partner_id */ AND g.partner_id = :partner_id /*? */
/*? parent_id */ AND g.parent_id = :parent_id /*? */
/*? kind */ AND g.kind = :kind /*? */
/*? status */ AND agreement_status(g, :today::date) = :status /*? */
/* page */

-- From so many days before its end (notice_days) an agreement is to be renewed or let go.
-- name: listAgreementsDue
-- sort: remind_on = (g.ends_on - g.notice_days) AS remind_on, g.id AS agreement_id
-- sort: -remind_on = (g.ends_on - g.notice_days) DESC AS remind_on, g.id DESC AS agreement_id
SELECT g.ends_on - g.notice_days AS remind_on, g.ends_on, g.ends_on - :today::date AS days_left, g.id AS agreement_id, g.kind, g.title, g.number_ours,
       g.number_theirs, g.partner_id, p.name AS partner_name, g.notice_days
FROM   agreement g
JOIN   partner p ON p.id = g.partner_id
WHERE  g.signed_on IS NOT NULL AND g.ended_on IS NULL AND g.ends_on >= :today::date
/*? from */ AND g.ends_on - g.notice_days >= :from::date /*? */
/*? until */ AND g.ends_on - g.notice_days < :until::date /*? */
/*? within */ AND g.ends_on - g.notice_days <= :today::date + :within::integer /*? */
/*? partner_id */ AND g.partner_id = :partner_id /*? */
/* page */

-- name: getAgreement
SELECT g.id, g.partner_id, p.name AS partner_name, g.kind, g.parent_id, g.title, g.scope, g.number_ours, g.number_theirs, g.signatory_ours, g.signatory_theirs,
       g.signed_on, g.starts_on, g.ends_on, g.ended_on, agreement_status(g, :today::date) AS status, g.quota_per_year, g.our_share_percent, g.notice_days,
       (SELECT coalesce(jsonb_object_agg(y.year, y.people), '{}')
        FROM   (SELECT extract(year FROM a.starts_on)::integer AS year, count(*) AS people
                FROM   activity a JOIN activity_participant t ON t.activity_id = a.id
                WHERE  a.agreement_id = g.id AND a.state <> 'cancelled' GROUP BY 1) y) AS quota_taken,
       g.organiser_unit_id, g.version, g.created_at, g.updated_at
FROM   agreement g
JOIN   partner p ON p.id = g.partner_id
WHERE  g.id = :agreement_id

-- name: createAgreement
WITH fault AS (
    SELECT f.* FROM organiser_fault(true, NULL, :organiser_unit_id, :actor_units::ltree[]) f
), made AS (
    INSERT INTO agreement AS g (id, partner_id, kind, parent_id, title, scope, number_ours, number_theirs, signatory_ours, signatory_theirs, signed_on,
                                starts_on, ends_on, ended_on, quota_per_year, our_share_percent, notice_days, organiser_unit_id)
    SELECT :new_id, :partner_id, :kind, :parent_id, :title, :scope, :number_ours, :number_theirs, :signatory_ours, :signatory_theirs, :signed_on, :starts_on,
           :ends_on, :ended_on, (:quota_per_year::numeric)::integer, :our_share_percent, coalesce((:notice_days::numeric)::integer, 90), :organiser_unit_id
    FROM   fault f
    WHERE  f.problem IS NULL
    RETURNING g.*, agreement_status(g, :today::date) AS status
)
SELECT f.problem AS _problem, f.pointer AS _pointer, f.value AS _value, f.word_en AS _en, f.word_id AS _id,
       g.id, g.partner_id, (SELECT p.name FROM partner p WHERE p.id = g.partner_id) AS partner_name, g.kind, g.parent_id, g.title, g.scope, g.number_ours,
       g.number_theirs, g.signatory_ours, g.signatory_theirs, g.signed_on, g.starts_on, g.ends_on, g.ended_on, g.status, g.quota_per_year, g.our_share_percent,
       g.notice_days, '{}'::jsonb AS quota_taken, g.organiser_unit_id, g.version, g.created_at, g.updated_at
FROM   fault f LEFT JOIN made g ON true

-- name: updateAgreement
WITH cur AS (
    SELECT g AS rec FROM agreement g WHERE g.id = :agreement_id FOR NO KEY UPDATE
), want AS (
    SELECT w.*, coalesce(f.problem, CASE WHEN NOT :if_match::int8multirange @> (cur.rec).version THEN 'version-stale' END) AS problem, f.pointer, f.value, f.word_en,
           f.word_id
    FROM   cur, jsonb_populate_record(cur.rec, with_whole(:body::jsonb, 'quota_per_year', 'notice_days')) AS w,
           organiser_fault(false, (cur.rec).organiser_unit_id, w.organiser_unit_id, :actor_units::ltree[]) AS f
), done AS (
    UPDATE agreement g
    SET    parent_id = w.parent_id, title = w.title, scope = w.scope, number_ours = w.number_ours, number_theirs = w.number_theirs,
           signatory_ours = w.signatory_ours, signatory_theirs = w.signatory_theirs, signed_on = w.signed_on, starts_on = w.starts_on, ends_on = w.ends_on,
           ended_on = w.ended_on, quota_per_year = w.quota_per_year, our_share_percent = w.our_share_percent, notice_days = w.notice_days,
           organiser_unit_id = w.organiser_unit_id
    FROM   want w
    WHERE  g.id = w.id AND w.problem IS NULL
    RETURNING g.*, agreement_status(g, :today::date) AS status
)
SELECT w.problem AS _problem, w.pointer AS _pointer, w.value AS _value, w.word_en AS _en, w.word_id AS _id, g.id, g.partner_id, (SELECT p.name FROM partner p WHERE p.id = g.partner_id) AS partner_name, g.kind, g.parent_id, g.title,
       g.scope, g.number_ours, g.number_theirs, g.signatory_ours, g.signatory_theirs, g.signed_on, g.starts_on, g.ends_on, g.ended_on, g.status,
       g.quota_per_year, g.our_share_percent, g.notice_days,
       (SELECT coalesce(jsonb_object_agg(y.year, y.people), '{}')
        FROM   (SELECT extract(year FROM a.starts_on)::integer AS year, count(*) AS people
                FROM   activity a JOIN activity_participant t ON t.activity_id = a.id
                WHERE  a.agreement_id = g.id AND a.state <> 'cancelled' GROUP BY 1) y) AS quota_taken,
       g.organiser_unit_id, g.version, g.created_at, g.updated_at
FROM   want w LEFT JOIN done g ON true

-- name: listActivities
-- sort: starts_on = a.starts_on AS starts_on, a.id AS id
-- sort: -starts_on = a.starts_on DESC AS starts_on, a.id DESC AS id
SELECT a.id, a.partner_id, p.name AS partner_name, a.agreement_id, a.kind, a.direction, a.title, a.starts_on, a.ends_on, a.state,
       trim_scale(a.jp) AS jp, a.cost_planned, a.cost_spent, a.our_share_percent, a.session_id, a.budget_line_id, a.organiser_unit_id, a.version, a.created_at, a.updated_at
FROM   activity a
JOIN   partner p ON p.id = a.partner_id
WHERE  true
/*? partner_id */ AND a.partner_id = :partner_id /*? */
/*? agreement_id */ AND a.agreement_id = :agreement_id /*? */
/*? kind */ AND a.kind = :kind /*? */
/*? state */ AND a.state = :state /*? */
/*? from */ AND a.starts_on >= :from /*? */
/*? to */ AND a.starts_on <= :to /*? */
/* page */

-- name: getActivity
SELECT a.id, a.partner_id, p.name AS partner_name, a.agreement_id, a.kind, a.direction, a.title, a.starts_on, a.ends_on, a.state, trim_scale(a.jp) AS jp,
       a.cost_planned, a.cost_spent, a.our_share_percent, a.session_id, a.budget_line_id,
       coalesce(w.warnings, '{}') || budget_year_warnings(a.budget_line_id, a.starts_on) || ARRAY(
           SELECT 'outside-agreement'::text FROM agreement g
           WHERE  g.id = a.agreement_id AND a.state <> 'cancelled'
                  AND (g.signed_on IS NULL OR a.starts_on < g.starts_on OR a.ends_on > least(g.ends_on, g.ended_on))) AS warnings,
       a.organiser_unit_id, a.version, a.created_at, a.updated_at
FROM   activity a
JOIN   partner p ON p.id = a.partner_id
LEFT   JOIN (budget_line b CROSS JOIN LATERAL budget_standing(b) w) ON b.id = a.budget_line_id
WHERE  a.id = :activity_id

-- Functions, because what the budget's line warns of must be read after what the change set off.
-- name: createActivity
-- write: true
SELECT w.problem AS _problem, w.pointer AS _pointer, w.value AS _value, w.word_en AS _en, w.word_id AS _id, (w.a).id, (w.a).partner_id, w.partner_name, (w.a).agreement_id, (w.a).kind, (w.a).direction, (w.a).title, (w.a).starts_on,
       (w.a).ends_on, (w.a).state, trim_scale((w.a).jp) AS jp, (w.a).cost_planned, (w.a).cost_spent, (w.a).our_share_percent, (w.a).session_id,
       (w.a).budget_line_id,
       w.warnings || budget_year_warnings((w.a).budget_line_id, (w.a).starts_on) || ARRAY(
           SELECT 'outside-agreement'::text FROM agreement g
           WHERE  g.id = (w.a).agreement_id AND (w.a).state <> 'cancelled'
                  AND (g.signed_on IS NULL OR (w.a).starts_on < g.starts_on OR (w.a).ends_on > least(g.ends_on, g.ended_on))) AS warnings,
       (w.a).organiser_unit_id, (w.a).version, (w.a).created_at, (w.a).updated_at
FROM   activity_write(:new_id, NULL, :body::jsonb, :actor_units::ltree[]) w

-- name: updateActivity
-- write: true
SELECT w.problem AS _problem, w.pointer AS _pointer, w.value AS _value, w.word_en AS _en, w.word_id AS _id, (w.a).id, (w.a).partner_id, w.partner_name, (w.a).agreement_id, (w.a).kind, (w.a).direction, (w.a).title, (w.a).starts_on,
       (w.a).ends_on, (w.a).state, trim_scale((w.a).jp) AS jp, (w.a).cost_planned, (w.a).cost_spent, (w.a).our_share_percent, (w.a).session_id,
       (w.a).budget_line_id,
       w.warnings || budget_year_warnings((w.a).budget_line_id, (w.a).starts_on) || ARRAY(
           SELECT 'outside-agreement'::text FROM agreement g
           WHERE  g.id = (w.a).agreement_id AND (w.a).state <> 'cancelled'
                  AND (g.signed_on IS NULL OR (w.a).starts_on < g.starts_on OR (w.a).ends_on > least(g.ends_on, g.ended_on))) AS warnings,
       (w.a).organiser_unit_id, (w.a).version, (w.a).created_at, (w.a).updated_at
FROM   activity_write(:activity_id, :if_match::int8multirange, :body::jsonb, :actor_units::ltree[]) w

-- ASN of the caller's units, and people from outside.
-- name: listActivityParticipants
-- sort: id = t.id AS id
SELECT t.id, t.activity_id, n.nip, coalesce(n.name, t.name) AS name, t.institution, t.role, t.created_at
FROM   activity_participant t
LEFT   JOIN (asn n JOIN unit u ON u.id = n.unit_id) ON n.id = t.asn_id
WHERE  t.activity_id = :activity_id AND (t.asn_id IS NULL OR u.path <@ ANY (:actor_units::ltree[]))
/* page */

-- name: addActivityParticipant
WITH act AS (
    SELECT a.id, f.* FROM activity a CROSS JOIN LATERAL organiser_fault(false, a.organiser_unit_id, a.organiser_unit_id, :actor_units::ltree[]) f WHERE a.id = :activity_id
), who AS (
    SELECT n.id, n.nip, n.name FROM asn n JOIN unit u ON u.id = n.unit_id
    WHERE  :nip::text IS NOT NULL AND n.id = (SELECT asn_of_nip(:nip)) AND u.path <@ ANY (:actor_units::ltree[])
), made AS (
    INSERT INTO activity_participant (id, activity_id, asn_id, name, institution, role)
    SELECT :new_id, a.id, w.id, :name, :institution, coalesce(:role, 'participant')
    FROM   act a LEFT JOIN who w ON true
    WHERE  a.problem IS NULL AND (:nip::text IS NULL OR w.id IS NOT NULL)
    RETURNING *
)
SELECT coalesce(a.problem, CASE WHEN m.id IS NULL THEN 'reference-missing' END) AS _problem, CASE WHEN a.problem IS NULL THEN '/nip' END AS _pointer,
       CASE WHEN a.problem IS NULL THEN :nip::text END AS _value, a.word_en AS _en, a.word_id AS _id,
       m.id, m.activity_id, w.nip, coalesce(w.name, m.name) AS name, m.institution, m.role, m.created_at
FROM   act a LEFT JOIN made m ON true LEFT JOIN who w ON true

-- name: removeActivityParticipant
WITH cur AS (
    SELECT t.id, f.problem, f.word_en, f.word_id
    FROM   activity_participant t
    JOIN   activity a ON a.id = t.activity_id
    CROSS  JOIN LATERAL organiser_fault(false, a.organiser_unit_id, a.organiser_unit_id, :actor_units::ltree[]) f
    WHERE  t.id = :participant_id AND t.activity_id = :activity_id
           AND (t.asn_id IS NULL OR EXISTS (SELECT FROM asn n JOIN unit u ON u.id = n.unit_id WHERE n.id = t.asn_id AND u.path <@ ANY (:actor_units::ltree[])))
), gone AS (
    DELETE FROM activity_participant t USING cur c WHERE t.id = c.id AND c.problem IS NULL RETURNING t.id
)
SELECT c.problem AS _problem, c.word_en AS _en, c.word_id AS _id, g.id AS _gone FROM cur c LEFT JOIN gone g ON true WHERE c.problem IS NOT NULL OR g.id IS NOT NULL

-- name: listActivityOutputs
-- sort: id = o.id AS id
SELECT o.id, o.activity_id, o.kind, o.title, o.link, o.published_on, o.created_at
FROM   activity_output o
WHERE  o.activity_id = :activity_id
/* page */

-- name: addActivityOutput
WITH act AS (
    SELECT a.id, f.* FROM activity a CROSS JOIN LATERAL organiser_fault(false, a.organiser_unit_id, a.organiser_unit_id, :actor_units::ltree[]) f WHERE a.id = :activity_id
), made AS (
    INSERT INTO activity_output (id, activity_id, kind, title, link, published_on)
    SELECT :new_id, a.id, :kind, :title, :link, :published_on FROM act a WHERE a.problem IS NULL
    RETURNING *
)
SELECT a.problem AS _problem, a.word_en AS _en, a.word_id AS _id, o.id, o.activity_id, o.kind, o.title, o.link, o.published_on, o.created_at
FROM   act a LEFT JOIN made o ON true

-- name: removeActivityOutput
WITH cur AS (
    SELECT o.id, f.problem, f.word_en, f.word_id
    FROM   activity_output o
    JOIN   activity a ON a.id = o.activity_id
    CROSS  JOIN LATERAL organiser_fault(false, a.organiser_unit_id, a.organiser_unit_id, :actor_units::ltree[]) f
    WHERE  o.id = :output_id AND o.activity_id = :activity_id
), gone AS (
    DELETE FROM activity_output o USING cur c WHERE o.id = c.id AND c.problem IS NULL RETURNING o.id
)
SELECT c.problem AS _problem, c.word_en AS _en, c.word_id AS _id, g.id AS _gone FROM cur c LEFT JOIN gone g ON true WHERE c.problem IS NOT NULL OR g.id IS NOT NULL

-- Activities that begin in the year and are not cancelled. ASN are counted of the caller's units.
-- name: listPartnerReport
-- sort: name = x.name_key AS _name_key
SELECT x.partner_id, x.partner_name, x.kind, x.year, x.agreements, x.activities, x.internships_in, x.internships_out, x.research, x.courses, x.seminars,
       x.participants_asn, x.participants_outside, trim_scale(x.jp) AS jp, x.cost_planned, x.cost_spent, x.our_cost_planned, x.our_cost_spent, x.publications,
       x.reports, x.modules, x.recommendations, x.name_key AS _name_key
FROM   (SELECT p.id AS partner_id, p.name AS partner_name, p.name_key, p.kind, y.year, g.agreements, a.*, t.*, o.*
        FROM   partner p
        CROSS  JOIN (SELECT coalesce(:year::integer, extract(year FROM :today::date)::integer) AS year) y
        CROSS  JOIN LATERAL (SELECT count(*)::integer AS agreements FROM agreement g
                             WHERE  g.partner_id = p.id AND g.signed_on IS NOT NULL AND g.starts_on <= make_date(y.year, 12, 31)
                                    AND least(g.ends_on, g.ended_on) >= make_date(y.year, 1, 1)) g
        CROSS  JOIN LATERAL (SELECT count(*)::integer AS activities,
                                    count(*) FILTER (WHERE a.kind = 'internship' AND a.direction = 'in')::integer AS internships_in,
                                    count(*) FILTER (WHERE a.kind = 'internship' AND a.direction = 'out')::integer AS internships_out,
                                    count(*) FILTER (WHERE a.kind = 'research')::integer AS research,
                                    count(*) FILTER (WHERE a.kind = 'course')::integer AS courses,
                                    count(*) FILTER (WHERE a.kind = 'seminar')::integer AS seminars,
                                    coalesce(sum(a.cost_planned), 0) AS cost_planned, coalesce(sum(a.cost_spent), 0) AS cost_spent,
                                    round(coalesce(sum(a.cost_planned * a.our_share_percent / 100), 0), 2) AS our_cost_planned,
                                    round(coalesce(sum(a.cost_spent * a.our_share_percent / 100), 0), 2) AS our_cost_spent
                             FROM   activity a
                             WHERE  a.partner_id = p.id AND a.state <> 'cancelled'
                                    AND a.starts_on BETWEEN make_date(y.year, 1, 1) AND make_date(y.year, 12, 31)) a
        CROSS  JOIN LATERAL (SELECT count(t.asn_id)::integer AS participants_asn, count(t.name)::integer AS participants_outside,
                                    coalesce(sum(CASE WHEN t.asn_id IS NULL THEN 0
                                                      WHEN a.session_id IS NULL THEN a.jp
                                                      ELSE (SELECT max(e.jp) FROM enrolment e WHERE e.session_id = a.session_id AND e.asn_id = t.asn_id) END), 0) AS jp
                             FROM   activity a
                             JOIN   activity_participant t ON t.activity_id = a.id
                             LEFT   JOIN (asn n JOIN unit u ON u.id = n.unit_id) ON n.id = t.asn_id
                             WHERE  a.partner_id = p.id AND a.state <> 'cancelled'
                                    AND a.starts_on BETWEEN make_date(y.year, 1, 1) AND make_date(y.year, 12, 31)
                                    AND (t.asn_id IS NULL OR u.path <@ ANY (:actor_units::ltree[]))) t
        CROSS  JOIN LATERAL (SELECT count(*) FILTER (WHERE o.kind = 'publication')::integer AS publications,
                                    count(*) FILTER (WHERE o.kind = 'report')::integer AS reports,
                                    count(*) FILTER (WHERE o.kind = 'module')::integer AS modules,
                                    count(*) FILTER (WHERE o.kind = 'recommendation')::integer AS recommendations
                             FROM   activity a JOIN activity_output o ON o.activity_id = a.id
                             WHERE  a.partner_id = p.id AND a.state <> 'cancelled'
                                    AND a.starts_on BETWEEN make_date(y.year, 1, 1) AND make_date(y.year, 12, 31)) o) x
WHERE  true
/*? kind */ AND x.kind = :kind /*? */
/*? partner_id */ AND x.partner_id = :partner_id /*? */
/* page */
