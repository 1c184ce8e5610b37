-- Handing over to BKN: payloads and what they lack, and what became of those that were prepared. Rules: docs/handover.md.

-- name: getEvaluationHandover
SELECT e.id AS evaluation_id, a.nip, a.name, e.period_id, d.what, d.path, d.document_type, d.payload, d.sha256, d.is_ready, d.missing,
       h.id AS handover_id, h.state AS handover_state
FROM   evaluation e
JOIN   asn a ON a.id = e.asn_id
JOIN   unit u ON u.id = a.unit_id
CROSS  JOIN LATERAL (SELECT w.* FROM handover_evaluation(e.id, :what) w OFFSET 0) d
LEFT   JOIN LATERAL (SELECT n.id, n.state FROM handover n WHERE n.evaluation_id = e.id AND n.what = d.what ORDER BY n.id DESC LIMIT 1) h ON true
WHERE  e.id = :evaluation_id AND u.path <@ ANY (:actor_units::ltree[])

-- Of credit points only who has them: PNS in a functional post.
-- name: listPeriodHandovers
-- sort: evaluation_id = e.id AS evaluation_id
SELECT e.id AS evaluation_id, a.nip, a.name, a.unit_id, d.what, d.is_ready, d.missing, h.id AS handover_id, h.state AS handover_state
FROM   evaluation e
JOIN   period p ON p.id = e.period_id
JOIN   asn a ON a.id = e.asn_id
JOIN   unit u ON u.id = a.unit_id
CROSS  JOIN LATERAL (SELECT w.what, w.is_ready, w.missing
                     FROM   handover_evaluation(e.id, coalesce(:what::text, CASE p.kind WHEN 'tahunan' THEN 'skp22' ELSE 'kinerjaperiodik' END)) w OFFSET 0) d
LEFT   JOIN LATERAL (SELECT n.id, n.state FROM handover n WHERE n.evaluation_id = e.id AND n.what = d.what ORDER BY n.id DESC LIMIT 1) h ON true
WHERE  e.period_id = :period_id AND NOT EXISTS (SELECT FROM evaluation n WHERE n.supersedes = e.id)
       AND (:what::text IS DISTINCT FROM 'angkakredit' OR a.kind = 'PNS' AND functional_level_on(a.id, p.ends_on) IS NOT NULL)
/*? actor_units */ AND u.path <@ ANY (:actor_units::ltree[]) /*? */
/*? under */ AND u.path <@ (SELECT n.path FROM unit n WHERE n.id = :under) /*? */
/*? is_ready */ AND d.is_ready = :is_ready /*? */
/*? is_handed_over */ AND coalesce(h.state = 'accepted', false) = :is_handed_over /*? */
/* page */

-- name: prepareEvaluationHandover
-- write: true
SELECT w.problem AS _problem, w.pointer AS _pointer, h.id, h.what, h.path, h.evaluation_id, h.enrolment_id, h.nip, h.name, h.period_id, h.payload, h.sha256,
       h.state, h.remote_id, h.message, h.is_superseded, h.actor_name, h.version, h.created_at, h.updated_at
FROM   handover_prepare(:evaluation_id, NULL, :what, :actor_units::ltree[], :new_id, :actor_key, :actor_name) w, LATERAL (SELECT (w.entry).*) AS h

-- name: getEnrolmentHandover
SELECT e.id AS enrolment_id, e.nip, e.name, e.session_id, d.what, d.path, d.document_type, d.payload, d.sha256, d.is_ready, d.missing,
       h.id AS handover_id, h.state AS handover_state
FROM   enrolment_of_person e
CROSS  JOIN LATERAL (SELECT w.* FROM handover_enrolment(e.id) w OFFSET 0) d
LEFT   JOIN LATERAL (SELECT n.id, n.state FROM handover n WHERE n.enrolment_id = e.id ORDER BY n.id DESC LIMIT 1) h ON true
WHERE  e.id = :enrolment_id AND e.unit_path <@ ANY (:actor_units::ltree[])

-- name: listEnrolmentHandovers
-- sort: enrolment_id = e.id AS enrolment_id
SELECT e.id AS enrolment_id, a.nip, a.name, a.unit_id, e.session_id, d.what, d.is_ready, d.missing, h.id AS handover_id, h.state AS handover_state
FROM   enrolment e
JOIN   asn a ON a.id = e.asn_id
JOIN   unit u ON u.id = a.unit_id
CROSS  JOIN LATERAL (SELECT w.what, w.is_ready, w.missing FROM handover_enrolment(e.id) w OFFSET 0) d
LEFT   JOIN LATERAL (SELECT n.id, n.state FROM handover n WHERE n.enrolment_id = e.id ORDER BY n.id DESC LIMIT 1) h ON true
WHERE  enrolment_is_passed(e.state)
/*? actor_units */ AND u.path <@ ANY (:actor_units::ltree[]) /*? */
/*? session_id */ AND e.session_id = :session_id /*? */
/*? nip */ AND e.asn_id = (SELECT asn_of_nip(:nip)) /*? */
/*? under */ AND u.path <@ (SELECT n.path FROM unit n WHERE n.id = :under) /*? */
/*? is_ready */ AND d.is_ready = :is_ready /*? */
/*? is_handed_over */ AND coalesce(h.state = 'accepted', false) = :is_handed_over /*? */
/* page */

-- name: prepareEnrolmentHandover
-- write: true
SELECT w.problem AS _problem, w.pointer AS _pointer, h.id, h.what, h.path, h.evaluation_id, h.enrolment_id, h.nip, h.name, h.period_id, h.payload, h.sha256,
       h.state, h.remote_id, h.message, h.is_superseded, h.actor_name, h.version, h.created_at, h.updated_at
FROM   handover_prepare(NULL, :enrolment_id, NULL, :actor_units::ltree[], :new_id, :actor_key, :actor_name) w, LATERAL (SELECT (w.entry).*) AS h

-- name: putEnrolmentHandoverFacts
WITH which AS (
    SELECT e.id, :structural_training::text IS NOT NULL AND NOT reference_holds('structural-training', :structural_training, :today::date) AS is_unknown
    FROM   enrolment_of_person e
    WHERE  e.id = :enrolment_id AND e.unit_path <@ ANY (:actor_units::ltree[])
), put AS (
    INSERT INTO enrolment_siasn AS f (enrolment_id, certificate_number, structural_training, actor_name)
    SELECT w.id, :certificate_number, :structural_training, :actor_name FROM which w WHERE NOT w.is_unknown
    ON     CONFLICT (enrolment_id) DO UPDATE
    SET    (certificate_number, structural_training, actor_name, updated_at)
         = (excluded.certificate_number, excluded.structural_training, excluded.actor_name, now())
    RETURNING f.*
)
SELECT CASE WHEN w.is_unknown THEN 'code-unknown' END AS _problem, '/structural_training' AS _pointer, :structural_training::text AS _value,
       w.id AS enrolment_id, p.certificate_number, p.structural_training, p.actor_name, p.updated_at
FROM   which w LEFT JOIN put p ON true

-- name: listHandovers
-- sort: id = h.id AS id
-- sort: -id = h.id DESC AS id
SELECT h.id, h.what, h.path, h.evaluation_id, h.enrolment_id, h.nip, h.name, h.period_id, h.payload, h.sha256, h.state, h.remote_id, h.message,
       h.is_superseded, h.actor_name, h.version, h.created_at, h.updated_at
FROM   handover_entry h
WHERE  h._unit_path <@ ANY (:actor_units::ltree[])
/*? state */ AND h.state = :state /*? */
/*? what */ AND h.what = :what /*? */
/*? nip */ AND h.id IN (SELECT n.id FROM evaluation e JOIN handover n ON n.evaluation_id = e.id WHERE e.asn_id = (SELECT asn_of_nip(:nip))
                        UNION ALL
                        SELECT n.id FROM enrolment e JOIN handover n ON n.enrolment_id = e.id WHERE e.asn_id = (SELECT asn_of_nip(:nip))) /*? */
/*? evaluation_id */ AND h.evaluation_id = :evaluation_id /*? */
/*? enrolment_id */ AND h.enrolment_id = :enrolment_id /*? */
/* page */

-- name: getHandover
SELECT h.id, h.what, h.path, h.evaluation_id, h.enrolment_id, h.nip, h.name, h.period_id, h.payload, h.sha256, h.state, h.remote_id, h.message,
       h.is_superseded, h.actor_name, h.version, h.created_at, h.updated_at
FROM   handover_entry h
WHERE  h.id = :handover_id AND h._unit_path <@ ANY (:actor_units::ltree[])

-- name: listHandoverSteps
-- sort: seq = s.seq AS seq
SELECT s.seq, s.state, s.sha256, s.remote_id, s.message, s.actor_name, s.at
FROM   handover_step s JOIN handover_entry h ON h.id = s.handover_id
WHERE  s.handover_id = :handover_id AND h._unit_path <@ ANY (:actor_units::ltree[])
/* page */

-- name: reportHandover
-- write: true
SELECT w.problem AS _problem, w.pointer AS _pointer, h.id, h.what, h.path, h.evaluation_id, h.enrolment_id, h.nip, h.name, h.period_id, h.payload, h.sha256,
       h.state, h.remote_id, h.message, h.is_superseded, h.actor_name, h.version, h.created_at, h.updated_at
FROM   handover_report(:handover_id, :actor_units::ltree[], :if_match::int8multirange, :state, :remote_id, :message, :actor_key, :actor_name) w,
       LATERAL (SELECT (w.entry).*) AS h
