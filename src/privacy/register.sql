-- The register of processing activities.

-- name: listProcessingActivities
-- sort: code = p.code AS code
-- sort: -code = p.code DESC AS code
SELECT p.code, p.name, p.purpose, p.legal_basis, p.legal_note, p.subjects, p.data_general, p.data_specific, p.recipients, p.retention, p.security, p.controller, p.needs_assessment,
       p.assessment_note, p.tags, p.version, p.updated_at
FROM   processing_activity p
WHERE  true
/*? tag */ AND :tag = ANY (p.tags) /*? */
/*? needs_assessment */ AND p.needs_assessment = :needs_assessment::boolean /*? */
/* page */

-- name: getProcessingActivity
SELECT p.code, p.name, p.purpose, p.legal_basis, p.legal_note, p.subjects, p.data_general, p.data_specific, p.recipients, p.retention, p.security, p.controller, p.needs_assessment,
       p.assessment_note, p.tags, p.version, p.updated_at
FROM   processing_activity p
WHERE  p.code = :processing_activity

-- What operations an activity covers is the contract's matter, and stays.
-- name: putProcessingActivity
WITH cur AS (
    SELECT p.code, CASE WHEN NOT :if_match::int8multirange @> p.version THEN 'version-stale'
                        WHEN :needs_assessment::boolean AND :assessment_note::text IS NULL THEN 'activity-unassessed' END AS problem
    FROM   processing_activity p
    WHERE  p.code = :processing_activity AND '' = ANY (:actor_units::ltree[])
    FOR    UPDATE
), done AS (
    UPDATE processing_activity p
    SET    (name, purpose, legal_basis, legal_note, subjects, data_general, data_specific, recipients, retention, security, controller, needs_assessment, assessment_note)
         = (:name, :purpose, :legal_basis, :legal_note, :subjects::text[], :data_general::text[], :data_specific::text[], :recipients::text[], :retention, :security, :controller,
            :needs_assessment::boolean, :assessment_note)
    FROM   cur
    WHERE  p.code = cur.code AND cur.problem IS NULL
    RETURNING p.*
)
SELECT c.problem AS _problem, CASE c.problem WHEN 'activity-unassessed' THEN '/assessment_note' END AS _pointer,
       p.code, p.name, p.purpose, p.legal_basis, p.legal_note, p.subjects, p.data_general, p.data_specific, p.recipients, p.retention, p.security, p.controller, p.needs_assessment,
       p.assessment_note, p.tags, p.version, p.updated_at
FROM   cur c LEFT JOIN done p ON true
