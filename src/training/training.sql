-- Programmes, sessions and enrolments. Seats, waiting list, order of states and overlaps are held by the database (0002_training.sql).

-- name: listProgrammes
-- sort: code = p.code AS code
-- sort: -code = p.code DESC AS code
-- sort: name = p.name_key AS _name_key, p.id AS id
-- sort: -name = p.name_key DESC AS _name_key, p.id DESC AS id
SELECT p.id, p.code, p.name, p.form, p.family, p.jp, p.organiser, p.is_active, p.version, p.created_at, p.updated_at, p.name_key AS _name_key
FROM   programme p
WHERE  true
/*? q */ AND p.name_key %> (SELECT name_probe(:q, 1)) AND p.name_key %> (SELECT name_probe(:q, 2))
    AND CASE WHEN (SELECT cardinality(name_words(:q)) <= 2) OR p.name_key %> ALL ((SELECT name_words(:q))::text[]) THEN true END /*? */
/*? form */ AND p.form = :form /*? */
/*? family */ AND p.family = :family /*? */
/*? is_active */ AND p.is_active = :is_active /*? */
/* page */

-- name: getProgramme
SELECT p.id, p.code, p.name, p.form, p.family, p.jp, p.organiser, p.is_active, p.version, p.created_at, p.updated_at
FROM   programme p
WHERE  p.id = :programme_id

-- name: createProgramme
INSERT INTO programme AS p (id, code, name, form, family, jp, organiser, is_active)
VALUES (:new_id, :code, :name, :form, :family, (:jp::numeric)::integer, :organiser, coalesce(:is_active::boolean, true))
RETURNING p.id, p.code, p.name, p.form, p.family, p.jp, p.organiser, p.is_active, p.version, p.created_at, p.updated_at

-- name: updateProgramme
WITH cur AS (
    SELECT p AS rec FROM programme p WHERE p.id = :programme_id FOR UPDATE
), want AS (
    SELECT w.*, CASE WHEN NOT :if_match::int8multirange @> (cur.rec).version THEN 'version-stale' END AS problem
    FROM   cur, jsonb_populate_record(cur.rec, with_whole(:body::jsonb, 'jp')) AS w
), done AS (
    UPDATE programme p
    SET    code = w.code, name = w.name, form = w.form, family = w.family, jp = w.jp, organiser = w.organiser, is_active = w.is_active
    FROM   want w
    WHERE  p.id = w.id AND w.problem IS NULL
    RETURNING p.*
)
SELECT w.problem AS _problem, d.id, d.code, d.name, d.form, d.family, d.jp, d.organiser, d.is_active, d.version, d.created_at, d.updated_at
FROM   want w LEFT JOIN done d ON true

-- name: listSessions
-- sort: starts_on = s.starts_on AS starts_on, s.id AS id
-- sort: -starts_on = s.starts_on DESC AS starts_on, s.id DESC AS id
SELECT s.id, s.programme_id, s.title, s.place, s.starts_on, s.ends_on, s.capacity, s.seats_taken, s.waiting, s.state, s.version,
       s.created_at, s.updated_at
FROM   session s
WHERE  true
/*? programme_id */ AND s.programme_id = :programme_id /*? */
/*? state */ AND s.state = :state /*? */
/*? from */ AND s.starts_on >= :from /*? */
/*? to */ AND s.starts_on <= :to /*? */
/*? has_seats */ AND (s.seats_taken < s.capacity) = :has_seats /*? */
/* page */

-- name: getSession
SELECT s.id, s.programme_id, s.title, s.place, s.starts_on, s.ends_on, s.capacity, s.seats_taken, s.waiting, s.state, s.version,
       s.created_at, s.updated_at
FROM   session s
WHERE  s.id = :session_id

-- name: createSession
INSERT INTO session AS s (id, programme_id, title, place, starts_on, ends_on, capacity)
VALUES (:new_id, :programme_id, :title, :place, :starts_on, :ends_on, (:capacity::numeric)::integer)
RETURNING s.id, s.programme_id, s.title, s.place, s.starts_on, s.ends_on, s.capacity, s.seats_taken, s.waiting, s.state, s.version,
          s.created_at, s.updated_at

-- A function, because the counts must be read after what the change set off: more seats move people up from the waiting list. It takes the
-- one version that it may change: that of the row, locked here, if the caller named it.
-- name: updateSession
-- write: true
SELECT s.id, s.programme_id, s.title, s.place, s.starts_on, s.ends_on, s.capacity, s.seats_taken, s.waiting, s.state, s.version,
       s.created_at, s.updated_at
FROM   (SELECT version FROM session WHERE id = :session_id FOR UPDATE) AS now,
       session_patch(:session_id, CASE WHEN :if_match::int8multirange @> now.version THEN now.version ELSE -1 END, :body::jsonb) s

-- name: listEnrolments
-- sort: id = e.id AS id
-- sort: -id = e.id DESC AS id
-- sort: queue_place = e.place AS _place, e.id AS id
SELECT e.id, e.session_id, e.nip, e.name, e.state, e.queue_place, e.jp, e.version, e.created_at, e.updated_at, e.place AS _place
FROM   enrolment_of_person e
WHERE  e.unit_path <@ ANY (:actor_units::ltree[])
/*? session_id */ AND e.session_id = :session_id /*? */
/*? nip */ AND e.asn_id = (SELECT n.id FROM asn n WHERE n.nip = :nip) /*? */
/*? state */ AND e.state = :state /*? */
/*? under */ AND e.unit_path <@ (SELECT p.path FROM unit p WHERE p.id = :under) /*? */
/* page */

-- name: getEnrolment
SELECT e.id, e.session_id, e.nip, e.name, e.state, e.queue_place, e.jp, e.version, e.created_at, e.updated_at
FROM   enrolment_of_person e
WHERE  e.id = :enrolment_id AND e.unit_path <@ ANY (:actor_units::ltree[])

-- Approved or waitlisted: enrolment_enter() decides under the session's lock.
-- name: createEnrolment
WITH who AS (
    SELECT a.id, a.nip, a.name FROM asn a JOIN unit u ON u.id = a.unit_id WHERE a.nip = :nip AND u.path <@ ANY (:actor_units::ltree[])
), made AS (
    INSERT INTO enrolment (id, session_id, asn_id) SELECT :new_id, :session_id, w.id FROM who w RETURNING *
)
SELECT CASE WHEN m.id IS NULL THEN 'reference-missing' END AS _problem, '/nip' AS _pointer, :nip::text AS _value,
       m.id, m.session_id, w.nip, w.name, m.state, m.queue_place, m.jp, m.version, m.created_at, m.updated_at
FROM   (SELECT) AS one LEFT JOIN made m ON true LEFT JOIN who w ON true

-- name: cancelEnrolment
-- write: true
SELECT e.id, e.session_id, e.nip, e.name, e.state, e.queue_place, e.jp, e.version, e.created_at, e.updated_at
FROM   enrolment_act(:enrolment_id, :actor_units::ltree[], 'cancelled') e

-- name: attendEnrolment
-- write: true
SELECT e.id, e.session_id, e.nip, e.name, e.state, e.queue_place, e.jp, e.version, e.created_at, e.updated_at
FROM   enrolment_act(:enrolment_id, :actor_units::ltree[], 'attending') e

-- name: completeEnrolment
-- write: true
SELECT e.id, e.session_id, e.nip, e.name, e.state, e.queue_place, e.jp, e.version, e.created_at, e.updated_at
FROM   enrolment_act(:enrolment_id, :actor_units::ltree[], :result, (:jp::numeric)::integer) e

-- name: markNoShow
-- write: true
SELECT e.id, e.session_id, e.nip, e.name, e.state, e.queue_place, e.jp, e.version, e.created_at, e.updated_at
FROM   enrolment_act(:enrolment_id, :actor_units::ltree[], 'no_show') e

-- name: withdrawEnrolment
-- write: true
SELECT e.id, e.session_id, e.nip, e.name, e.state, e.queue_place, e.jp, e.version, e.created_at, e.updated_at
FROM   enrolment_act(:enrolment_id, :actor_units::ltree[], 'withdrawn') e
