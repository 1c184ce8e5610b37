-- From the subject of an operation (access.yaml) to the person, and where he stands to the caller. Asked before the operation, of callers with roles.

-- name: subject.person
SELECT t.* FROM access_stands(asn_of_nip(:given::text), :today::date, :today::date, :actor_nip::text, :today::date, :actor_units::ltree[]) t

-- name: subject.document
SELECT t.* FROM document d CROSS JOIN LATERAL access_stands(d.asn_id, :today::date, :today::date, :actor_nip::text, :today::date, :actor_units::ltree[]) t WHERE d.id = :given::uuid

-- name: subject.request
SELECT t.* FROM change_request r CROSS JOIN LATERAL access_stands(r.asn_id, :today::date, :today::date, :actor_nip::text, :today::date, :actor_units::ltree[]) t WHERE r.id = :given::uuid

-- name: subject.enrolment
SELECT t.* FROM enrolment e CROSS JOIN LATERAL access_stands(e.asn_id, :today::date, :today::date, :actor_nip::text, :today::date, :actor_units::ltree[]) t WHERE e.id = :given::uuid

-- name: subject.certificate
SELECT t.* FROM certificate_entry c CROSS JOIN LATERAL access_stands(c._asn_id, :today::date, :today::date, :actor_nip::text, :today::date, :actor_units::ltree[]) t WHERE c.id = :given::uuid

-- name: subject.externalCertificate
SELECT t.* FROM external_certificate x CROSS JOIN LATERAL access_stands(x.asn_id, :today::date, :today::date, :actor_nip::text, :today::date, :actor_units::ltree[]) t WHERE x.id = :given::uuid

-- name: subject.competencyAssessment
SELECT t.* FROM competency_assessment c CROSS JOIN LATERAL access_stands(c.asn_id, :today::date, :today::date, :actor_nip::text, :today::date, :actor_units::ltree[]) t WHERE c.id = :given::uuid

-- name: subject.developmentPlan
SELECT t.* FROM development_plan p CROSS JOIN LATERAL access_stands(p.asn_id, :today::date, :today::date, :actor_nip::text, :today::date, :actor_units::ltree[]) t WHERE p.id = :given::uuid

-- name: subject.evaluation
SELECT t.* FROM evaluation e JOIN period p ON p.id = e.period_id
CROSS JOIN LATERAL access_stands(e.asn_id, p.starts_on, p.ends_on, :actor_nip::text, :today::date, :actor_units::ltree[]) t WHERE e.id = :given::uuid

-- name: subject.objection
SELECT t.* FROM objection o JOIN evaluation e ON e.id = o.evaluation_id JOIN period p ON p.id = e.period_id
CROSS JOIN LATERAL access_stands(e.asn_id, p.starts_on, p.ends_on, :actor_nip::text, :today::date, :actor_units::ltree[]) t WHERE o.id = :given::uuid

-- name: subject.skp
SELECT t.* FROM skp s CROSS JOIN LATERAL access_stands(s.asn_id, s.starts_on, s.ends_on, :actor_nip::text, :today::date, :actor_units::ltree[]) t WHERE s.id = :given::uuid

-- name: subject.improvementPlan
SELECT t.* FROM improvement_plan i CROSS JOIN LATERAL access_stands(i.asn_id, :today::date, :today::date, :actor_nip::text, :today::date, :actor_units::ltree[]) t WHERE i.id = :given::uuid

-- name: subject.handover
SELECT t.* FROM handover_entry h CROSS JOIN LATERAL access_stands(h._asn_id, :today::date, :today::date, :actor_nip::text, :today::date, :actor_units::ltree[]) t WHERE h.id = :given::uuid

-- name: subject.dataRequest
SELECT t.* FROM data_request r CROSS JOIN LATERAL access_stands(r.asn_id, :today::date, :today::date, :actor_nip::text, :today::date, :actor_units::ltree[]) t WHERE r.id = :given::uuid

-- name: subject.restriction
SELECT t.* FROM restriction r CROSS JOIN LATERAL access_stands(r.asn_id, :today::date, :today::date, :actor_nip::text, :today::date, :actor_units::ltree[]) t WHERE r.id = :given::uuid
