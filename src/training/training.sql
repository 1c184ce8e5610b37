-- Programmes and sessions. Seats, waiting list and overlaps are held by the database (0002_training.sql, 0023_training_life.sql).

-- name: listProgrammes
-- sort: code = p.code AS code
-- sort: -code = p.code DESC AS code
-- sort: name = p.name_key AS _name_key, p.id AS id
-- sort: -name = p.name_key DESC AS _name_key, p.id DESC AS id
SELECT p.id, p.code, p.name, p.kind, p.form, programme_method(p.form) AS method, p.family, p.serves, p.jp, p.organiser, p.accreditation, p.accredited_until, p.target,
       p.cost_per_head, p.materials, p.prerequisites, p.for_cpns, p.strict, p.needs_test, p.min_grade, p.min_attendance, p.attendance_only,
       p.certifies_attendance, p.organiser_unit_id, p.is_active, p.version, p.created_at, p.updated_at, p.name_key AS _name_key
FROM   programme p
WHERE  true
/*? q */ AND p.name_key %> (SELECT name_probe(:q, 1)) AND p.name_key %> (SELECT name_probe(:q, 2))
    AND CASE WHEN (SELECT cardinality(name_words(:q)) <= 2) OR p.name_key %> ALL ((SELECT name_words(:q))::text[]) THEN true END /*? */
/*? kind */ AND p.kind = :kind /*? */
/*? form */ AND p.form = :form /*? */
/*? family */ AND p.family = :family /*? */
/*? is_active */ AND p.is_active = :is_active /*? */
/* page */

-- name: getProgramme
SELECT p.id, p.code, p.name, p.kind, p.form, programme_method(p.form) AS method, p.family, p.serves, p.jp, p.organiser, p.accreditation, p.accredited_until, p.target,
       p.cost_per_head, p.materials, p.prerequisites, p.for_cpns, p.strict, p.needs_test, p.min_grade, p.min_attendance, p.attendance_only,
       p.certifies_attendance, p.organiser_unit_id, p.is_active, p.version, p.created_at, p.updated_at
FROM   programme p
WHERE  p.id = :programme_id

-- name: createProgramme
WITH told AS (
    SELECT w.* FROM jsonb_populate_record(NULL::programme, with_whole(:body::jsonb, 'jp', 'cost_per_head', 'min_attendance')) AS w
), fault AS (
    SELECT f.* FROM told w CROSS JOIN LATERAL organiser_fault(true, NULL, w.organiser_unit_id, :actor_units::ltree[]) f
), made AS (
    INSERT INTO programme (id, code, name, kind, form, family, serves, jp, organiser, accreditation, accredited_until, target, cost_per_head, materials,
                           prerequisites, for_cpns, strict, needs_test, min_grade, min_attendance, attendance_only, certifies_attendance, is_active,
                           organiser_unit_id)
    SELECT :new_id, w.code, w.name, w.kind, w.form, w.family, coalesce(w.serves, '[]'), w.jp, w.organiser, w.accreditation, w.accredited_until, w.target,
           w.cost_per_head, coalesce(w.materials, '[]'), coalesce(w.prerequisites, '[]'), coalesce(w.for_cpns, false), coalesce(w.strict, '{}'),
           coalesce(w.needs_test, false), w.min_grade, w.min_attendance, coalesce(w.attendance_only, false), coalesce(w.certifies_attendance, false),
           coalesce(w.is_active, true), w.organiser_unit_id
    FROM   told w CROSS JOIN fault f
    WHERE  f.problem IS NULL
    RETURNING *
)
SELECT f.problem AS _problem, f.pointer AS _pointer, f.value AS _value, f.word_en AS _en, f.word_id AS _id,
       p.id, p.code, p.name, p.kind, p.form, programme_method(p.form) AS method, p.family, p.serves, p.jp, p.organiser, p.accreditation, p.accredited_until, p.target,
       p.cost_per_head, p.materials, p.prerequisites, p.for_cpns, p.strict, p.needs_test, p.min_grade, p.min_attendance, p.attendance_only,
       p.certifies_attendance, p.organiser_unit_id, p.is_active, p.version, p.created_at, p.updated_at
FROM   fault f LEFT JOIN made p ON true

-- name: updateProgramme
WITH cur AS (
    SELECT p AS rec FROM programme p WHERE p.id = :programme_id FOR UPDATE
), want AS (
    SELECT w.*, coalesce(f.problem, CASE WHEN NOT :if_match::int8multirange @> (cur.rec).version THEN 'version-stale' END) AS problem, f.pointer, f.value, f.word_en,
           f.word_id
    FROM   cur, jsonb_populate_record(cur.rec, with_whole(:body::jsonb, 'jp', 'cost_per_head', 'min_attendance')) AS w,
           organiser_fault(false, (cur.rec).organiser_unit_id, w.organiser_unit_id, :actor_units::ltree[]) AS f
), done AS (
    UPDATE programme p
    SET    code = w.code, name = w.name, kind = w.kind, form = w.form, family = w.family, serves = w.serves, jp = w.jp, organiser = w.organiser,
           accreditation = w.accreditation, accredited_until = w.accredited_until, target = w.target, cost_per_head = w.cost_per_head,
           materials = w.materials, prerequisites = w.prerequisites, for_cpns = w.for_cpns, strict = w.strict, needs_test = w.needs_test,
           min_grade = w.min_grade, min_attendance = w.min_attendance, attendance_only = w.attendance_only,
           certifies_attendance = w.certifies_attendance, is_active = w.is_active, organiser_unit_id = w.organiser_unit_id
    FROM   want w
    WHERE  p.id = w.id AND w.problem IS NULL
    RETURNING p.*
)
SELECT w.problem AS _problem, w.pointer AS _pointer, w.value AS _value, w.word_en AS _en, w.word_id AS _id,
       p.id, p.code, p.name, p.kind, p.form, programme_method(p.form) AS method, p.family, p.serves, p.jp, p.organiser, p.accreditation, p.accredited_until, p.target,
       p.cost_per_head, p.materials, p.prerequisites, p.for_cpns, p.strict, p.needs_test, p.min_grade, p.min_attendance, p.attendance_only,
       p.certifies_attendance, p.organiser_unit_id, p.is_active, p.version, p.created_at, p.updated_at
FROM   want w LEFT JOIN done p ON true

-- name: listSessions
-- sort: starts_on = s.starts_on AS starts_on, s.id AS id
-- sort: -starts_on = s.starts_on DESC AS starts_on, s.id DESC AS id
SELECT s.id, s.programme_id, s.title, s.place, s.link, s.trainers, s.starts_on, s.ends_on, s.registration_opens, s.registration_closes, s.capacity,
       s.min_participants, s.offer_hours, s.seats_taken, s.waiting, s.seats_taken >= coalesce(s.min_participants, 0) AS is_viable, s.state, s.cancel_reason,
       s.organiser_unit_id, s.version, s.created_at, s.updated_at
FROM   session s
WHERE  true
/*? programme_id */ AND s.programme_id = :programme_id /*? */
/*? organiser_unit_id */ AND s.organiser_unit_id = :organiser_unit_id /*? */
/*? state */ AND s.state = :state /*? */
/*? from */ AND s.starts_on >= :from /*? */
/*? to */ AND s.starts_on <= :to /*? */
/*? has_seats */ AND (s.seats_taken < s.capacity) = :has_seats /*? */
/* page */

-- name: getSession
SELECT s.id, s.programme_id, s.title, s.place, s.link, s.trainers, s.starts_on, s.ends_on, s.registration_opens, s.registration_closes, s.capacity,
       s.min_participants, s.offer_hours, s.seats_taken, s.waiting, s.seats_taken >= coalesce(s.min_participants, 0) AS is_viable, s.state, s.cancel_reason,
       s.organiser_unit_id, s.version, s.created_at, s.updated_at
FROM   session s
WHERE  s.id = :session_id

-- name: createSession
WITH told AS (
    SELECT w.* FROM jsonb_populate_record(NULL::session, with_whole(:body::jsonb, 'capacity', 'min_participants', 'offer_hours')) AS w
), fault AS (
    SELECT f.* FROM told w CROSS JOIN LATERAL organiser_fault(true, NULL, w.organiser_unit_id, :actor_units::ltree[]) f
), made AS (
    INSERT INTO session (id, programme_id, title, place, link, trainers, starts_on, ends_on, registration_opens, registration_closes, capacity,
                         min_participants, offer_hours, organiser_unit_id)
    SELECT :new_id, w.programme_id, w.title, w.place, w.link, coalesce(w.trainers, '[]'), w.starts_on, w.ends_on, w.registration_opens, w.registration_closes,
           w.capacity, w.min_participants, w.offer_hours, w.organiser_unit_id
    FROM   told w CROSS JOIN fault f
    WHERE  f.problem IS NULL
    RETURNING *
)
SELECT f.problem AS _problem, f.pointer AS _pointer, f.value AS _value, f.word_en AS _en, f.word_id AS _id,
       s.id, s.programme_id, s.title, s.place, s.link, s.trainers, s.starts_on, s.ends_on, s.registration_opens, s.registration_closes, s.capacity,
       s.min_participants, s.offer_hours, s.seats_taken, s.waiting, s.seats_taken >= coalesce(s.min_participants, 0) AS is_viable, s.state, s.cancel_reason,
       s.organiser_unit_id, s.version, s.created_at, s.updated_at
FROM   fault f LEFT JOIN made s ON true

-- A function, because the counts must be read after what the change set off: more seats move people up from the waiting list. It takes the
-- one version that it may change: that of the row, locked here, if the caller named it.
-- name: updateSession
-- write: true
SELECT w.problem AS _problem, w.pointer AS _pointer, w.value AS _value, w.word_en AS _en, w.word_id AS _id,
       s.id, s.programme_id, s.title, s.place, s.link, s.trainers, s.starts_on, s.ends_on, s.registration_opens, s.registration_closes, s.capacity,
       s.min_participants, s.offer_hours, s.seats_taken, s.waiting, s.seats_taken >= coalesce(s.min_participants, 0) AS is_viable, s.state, s.cancel_reason,
       s.organiser_unit_id, s.version, s.created_at, s.updated_at
FROM   (SELECT n.id, n.version, n.organiser_unit_id, enrolment_by(:actor_key, :actor_name) FROM session n WHERE n.id = :session_id FOR UPDATE) AS now
CROSS  JOIN LATERAL organiser_fault(false, now.organiser_unit_id,
                                    CASE WHEN :body::jsonb ? 'organiser_unit_id' THEN (:body::jsonb ->> 'organiser_unit_id')::uuid ELSE now.organiser_unit_id END,
                                    :actor_units::ltree[]) w
LEFT   JOIN LATERAL session_patch(CASE WHEN w.problem IS NULL THEN now.id END,
                                  CASE WHEN :if_match::int8multirange @> now.version THEN now.version ELSE -1 END, :body::jsonb) s ON true

-- name: cancelSession
-- write: true
SELECT w.problem AS _problem, w.pointer AS _pointer, w.value AS _value, w.word_en AS _en, w.word_id AS _id,
       s.id, s.programme_id, s.title, s.place, s.link, s.trainers, s.starts_on, s.ends_on, s.registration_opens, s.registration_closes, s.capacity,
       s.min_participants, s.offer_hours, s.seats_taken, s.waiting, s.seats_taken >= coalesce(s.min_participants, 0) AS is_viable, s.state, s.cancel_reason,
       s.organiser_unit_id, s.version, s.created_at, s.updated_at
FROM   (SELECT n.id, n.organiser_unit_id FROM session n WHERE n.id = :session_id FOR UPDATE) AS now
CROSS  JOIN LATERAL organiser_fault(false, now.organiser_unit_id, now.organiser_unit_id, :actor_units::ltree[]) w
LEFT   JOIN LATERAL session_cancel(CASE WHEN w.problem IS NULL THEN now.id END, :reason, :actor_key, :actor_name) s ON true

-- name: getSessionDays
SELECT s.id AS session_id, session_days_told(s.id) AS days, s.version
FROM   session s
WHERE  s.id = :session_id

-- name: putSessionDays
-- write: true
SELECT coalesce(f.problem, w.problem) AS _problem, coalesce(f.pointer, w.pointer) AS _pointer, coalesce(f.value, w.value) AS _value,
       coalesce(f.word_en, w.word_en) AS _en, coalesce(f.word_id, w.word_id) AS _id, :session_id::uuid AS session_id, session_days_told(:session_id) AS days, w.version
FROM   (SELECT n.id, n.organiser_unit_id FROM session n WHERE n.id = :session_id FOR UPDATE) AS now
CROSS  JOIN LATERAL organiser_fault(false, now.organiser_unit_id, now.organiser_unit_id, :actor_units::ltree[]) f
LEFT   JOIN LATERAL session_days_set(CASE WHEN f.problem IS NULL THEN now.id END, :if_match::int8multirange, :body::jsonb -> 'days') w ON true

-- name: getSessionQuotas
SELECT s.id AS session_id, session_quotas_told(s.id, :actor_units::ltree[]) AS quotas, s.version
FROM   session s
WHERE  s.id = :session_id

-- name: putSessionQuotas
-- write: true
SELECT coalesce(f.problem, w.problem) AS _problem, coalesce(f.pointer, w.pointer) AS _pointer, coalesce(f.value, w.value) AS _value,
       coalesce(f.word_en, w.word_en) AS _en, coalesce(f.word_id, w.word_id) AS _id, :session_id::uuid AS session_id, session_quotas_told(:session_id, :actor_units::ltree[]) AS quotas, w.version
FROM   (SELECT n.id, n.organiser_unit_id FROM session n WHERE n.id = :session_id FOR UPDATE) AS now
CROSS  JOIN LATERAL organiser_fault(false, now.organiser_unit_id, now.organiser_unit_id, :actor_units::ltree[]) f
LEFT   JOIN LATERAL session_quotas_set(CASE WHEN f.problem IS NULL THEN now.id END, :if_match::int8multirange, :actor_units::ltree[],
                                       :body::jsonb -> 'quotas') w ON true
