-- Who was there, results, and whether that is enough to pass.

-- name: listAttendance
-- sort: day = a.day AS day, a.id AS id
-- sort: -day = a.day DESC AS day, a.id DESC AS id
SELECT a.id, a.enrolment_id, e.nip, e.name, a.day, a.presence, a.note, a.reason, a.actor_name, a.version, a.created_at, a.updated_at
FROM   attendance a
JOIN   enrolment_of_person e ON e.id = a.enrolment_id
WHERE  a.session_id = :session_id AND e.unit_path <@ ANY (:actor_units::ltree[])
/*? day */ AND a.day = :day /*? */
/*? presence */ AND a.presence = :presence /*? */
/* page */

-- name: noteAttendance
-- write: true
SELECT w.problem AS _problem, w.pointer AS _pointer, w.value AS _value,
       CASE w.problem WHEN 'own-record' THEN w.word_en WHEN 'reference-missing' THEN 'Nobody with this NIP is enrolled in this session.' WHEN 'entry-twice' THEN 'The person is in this list already.' END AS _en,
       CASE w.problem WHEN 'own-record' THEN w.word_id WHEN 'reference-missing' THEN 'Tidak ada peserta dengan NIP ini dalam angkatan ini.' WHEN 'entry-twice' THEN 'Pegawai ini sudah ada dalam daftar ini.' END AS _id,
       w.noted, w.corrected, w.unchanged
FROM   attendance_own(:actor_nip, :body::jsonb) o
CROSS  JOIN LATERAL (SELECT o.* WHERE o.problem IS NOT NULL
                     UNION ALL
                     SELECT n.* FROM attendance_note(CASE WHEN o.problem IS NULL THEN :session_id::uuid END, :actor_units::ltree[], :body::jsonb, :actor_key, :actor_name) n) w

-- Every version of each day, the present one last.
-- name: listEnrolmentAttendance
-- sort: day = a.day AS day, a.version AS version
-- sort: -day = a.day DESC AS day, a.version DESC AS version
SELECT a.id, a.enrolment_id, e.nip, e.name, a.day, a.presence, a.note, a.reason, a.actor_name, a.version, a.created_at, a.updated_at
FROM   (SELECT v.* FROM attendance_version v WHERE v.enrolment_id = :enrolment_id
        UNION ALL SELECT n.* FROM attendance n WHERE n.enrolment_id = :enrolment_id) a
JOIN   enrolment_of_person e ON e.id = a.enrolment_id
WHERE  e.unit_path <@ ANY (:actor_units::ltree[])
/* page */

-- name: noteResults
-- write: true
SELECT w.problem AS _problem, w.pointer AS _pointer, w.value AS _value, w.word_en AS _en, w.word_id AS _id, (w.entry).*
FROM   enrolment_note_results(:enrolment_id, :actor_units::ltree[], :body::jsonb) w

-- name: getAssessment
SELECT e.id AS enrolment_id, e.state, v.verdict ->> 'verdict' AS verdict, v.verdict -> 'rules' AS rules
FROM   enrolment e
JOIN   enrolment_of_person o ON o.id = e.id
CROSS  JOIN LATERAL (SELECT enrolment_verdict(e) AS verdict) v
WHERE  e.id = :enrolment_id AND o.unit_path <@ ANY (:actor_units::ltree[])

-- name: assessEnrolment
-- write: true
SELECT w.problem AS _problem, w.pointer AS _pointer, w.value AS _value, w.word_en AS _en, w.word_id AS _id, (w.entry).*
FROM   enrolment_assess(:enrolment_id, :actor_units::ltree[], :actor_scopes::text[], (:jp::numeric)::integer, :actor_key, :actor_name) w
