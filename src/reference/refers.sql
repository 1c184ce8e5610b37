-- What a parameter of a list refers to (x-references of the contract): a row, if the caller may see it. Asked before the list itself, so that an id
-- that nothing has is told as such, and is not a list of nobody. An id out of sight is as unknown as one that was never given out.

-- Units above the caller's own too: what lies below them is his part of it.
-- name: refers.unit
SELECT FROM unit u WHERE u.id = :given::uuid AND (u.path <@ ANY (:actor_units::ltree[]) OR u.path @> ANY (:actor_units::ltree[]))

-- name: refers.person
SELECT FROM asn a JOIN unit u ON u.id = a.unit_id WHERE a.id = asn_of_nip(:given) AND u.path <@ ANY (:actor_units::ltree[])

-- Whoever attended to a ticket here may work elsewhere by now, and an assessor always did.
-- name: refers.officer
SELECT FROM asn_named a
WHERE  a.id = asn_of_nip(:given)
       AND (EXISTS (SELECT FROM asn n JOIN unit u ON u.id = n.unit_id WHERE n.id = a.id AND u.path <@ ANY (:actor_units::ltree[]))
            OR EXISTS (SELECT FROM ticket t JOIN service s ON s.id = t.service_id JOIN service_unit p ON p.id = s.service_unit_id JOIN unit n ON n.id = p.unit_id
                       WHERE  t.officer_id = a.id AND n.path <@ ANY (:actor_units::ltree[])))

-- name: refers.assessor
SELECT FROM asn_named a
WHERE  a.id = asn_of_nip(:given)
       AND (EXISTS (SELECT FROM asn n JOIN unit u ON u.id = n.unit_id WHERE n.id = a.id AND u.path <@ ANY (:actor_units::ltree[]))
            OR EXISTS (SELECT FROM skp s JOIN asn m ON m.id = s.asn_id JOIN unit n ON n.id = m.unit_id
                       WHERE  s.assessor_id = a.id AND n.path <@ ANY (:actor_units::ltree[])))

-- name: refers.history
SELECT FROM history h JOIN asn a ON a.id = h.asn_id JOIN unit u ON u.id = a.unit_id
WHERE  h.id = :given::uuid AND u.path <@ ANY (:actor_units::ltree[]) AND history_shown(h.kind, :actor_scopes::text[])

-- name: refers.request
SELECT FROM change_request_entry r
WHERE  r.id = :given::uuid AND r._unit_path <@ ANY (:actor_units::ltree[]) AND history_shown(coalesce(r.history ->> 'kind', ''), :actor_scopes::text[])

-- name: refers.indicator
SELECT FROM quality_indicator i WHERE i.code = :given

-- name: refers.partner
SELECT FROM partner p WHERE p.id = :given::uuid

-- name: refers.agreement
SELECT FROM agreement g WHERE g.id = :given::uuid

-- name: refers.activity
SELECT FROM activity a WHERE a.id = :given::uuid

-- name: refers.budgetLine
SELECT FROM budget_line b WHERE b.id = :given::uuid

-- name: refers.programme
SELECT FROM programme p WHERE p.id = :given::uuid

-- name: refers.session
SELECT FROM session s WHERE s.id = :given::uuid

-- name: refers.period
SELECT FROM period p WHERE p.id = :given::uuid

-- name: refers.enrolment
SELECT FROM enrolment e JOIN asn a ON a.id = e.asn_id JOIN unit u ON u.id = a.unit_id WHERE e.id = :given::uuid AND u.path <@ ANY (:actor_units::ltree[])

-- name: refers.evaluation
SELECT FROM evaluation e JOIN asn a ON a.id = e.asn_id JOIN unit u ON u.id = a.unit_id WHERE e.id = :given::uuid AND u.path <@ ANY (:actor_units::ltree[])

-- name: refers.objection
SELECT FROM objection o JOIN evaluation e ON e.id = o.evaluation_id JOIN asn a ON a.id = e.asn_id JOIN unit u ON u.id = a.unit_id
WHERE  o.id = :given::uuid AND u.path <@ ANY (:actor_units::ltree[])

-- name: refers.handover
SELECT FROM handover_entry h WHERE h.id = :given::uuid AND h._unit_path <@ ANY (:actor_units::ltree[])

-- name: refers.skp
SELECT FROM skp s JOIN asn a ON a.id = s.asn_id JOIN unit u ON u.id = a.unit_id WHERE s.id = :given::uuid AND u.path <@ ANY (:actor_units::ltree[])

-- Of the plan that the path names.
-- name: refers.skpResult
SELECT FROM skp_result r WHERE r.id = :given::uuid AND r.skp_id = :skp_id

-- name: refers.skpIndicator
SELECT FROM skp_indicator i WHERE i.id = :given::uuid AND i.skp_id = :skp_id

-- name: refers.serviceUnit
SELECT FROM service_unit p JOIN unit u ON u.id = p.unit_id WHERE p.id = :given::uuid AND u.path <@ ANY (:actor_units::ltree[])

-- name: refers.service
SELECT FROM service s JOIN service_unit p ON p.id = s.service_unit_id JOIN unit u ON u.id = p.unit_id
WHERE  s.id = :given::uuid AND u.path <@ ANY (:actor_units::ltree[])

-- name: refers.survey
SELECT FROM survey s JOIN service_unit p ON p.id = s.service_unit_id JOIN unit u ON u.id = p.unit_id
WHERE  s.id = :given::uuid AND u.path <@ ANY (:actor_units::ltree[])

-- name: refers.complaint
SELECT FROM complaint c JOIN service_unit p ON p.id = c.service_unit_id JOIN unit u ON u.id = p.unit_id
WHERE  c.id = :given::uuid AND u.path <@ ANY (:actor_units::ltree[])

-- Of who sees all units.
-- name: refers.dataBreach
SELECT FROM data_breach b WHERE b.id = :given::uuid AND '' = ANY (:actor_units::ltree[])

-- Without a key: what was said of a survey is shown once it was read, whether the survey is published or not; of units only those with a published one.
-- name: refers.anySurvey
SELECT FROM survey s WHERE s.id = :given::uuid

-- name: refers.publishedUnit
SELECT FROM survey s WHERE s.service_unit_id = :given::uuid AND s.state = 'published'

-- By what the figures are asked for: a service, a unit or an officer.
-- name: refers.figure
SELECT FROM service s JOIN service_unit p ON p.id = s.service_unit_id JOIN unit u ON u.id = p.unit_id
WHERE  coalesce(:by, 'service') = 'service' AND s.id = :given::uuid AND u.path <@ ANY (:actor_units::ltree[])
UNION ALL
SELECT FROM unit u WHERE :by = 'unit' AND u.id = :given::uuid AND u.path <@ ANY (:actor_units::ltree[])
UNION ALL
SELECT FROM asn a JOIN unit u ON u.id = a.unit_id WHERE :by = 'officer' AND a.id = :given::uuid AND u.path <@ ANY (:actor_units::ltree[])
UNION ALL
SELECT FROM asn_merge m JOIN asn a ON a.id = m.asn_id JOIN unit u ON u.id = a.unit_id
WHERE  :by = 'officer' AND m.merged_id = :given::uuid AND m.undone_at IS NULL AND u.path <@ ANY (:actor_units::ltree[])

-- Codes that none of the lists ever held, each with what may have been meant: a word of a list, or the code a letter away, or the
-- likest code or name.
-- name: refers.codes
SELECT g.code, coalesce((SELECT w.code FROM reference_word w WHERE w.list = ANY (:given_lists::text[]) AND w.word = reference_fold(g.code) LIMIT 1),
                        (SELECT n.code FROM (SELECT r.code, greatest(similarity(lower(r.code), lower(g.code)), similarity(lower(r.name), lower(g.code))) AS likeness, r.seq
                                             FROM   reference r WHERE r.list = ANY (:given_lists::text[])) n
                         WHERE  n.likeness > 0.25 OR levenshtein(lower(n.code), lower(g.code)) = 1
                         ORDER  BY levenshtein(lower(n.code), lower(g.code)) <= 1 DESC, n.likeness DESC, n.seq, n.code LIMIT 1)) AS meant
FROM   unnest(:given::text[]) AS g (code)
WHERE  NOT EXISTS (SELECT FROM reference r WHERE r.list = ANY (:given_lists::text[]) AND r.code = g.code)

-- name: refers.list
SELECT FROM reference_list l WHERE l.list = :given

-- A code of any list: the parent of one list's rows is a row of another.
-- name: refers.code
SELECT FROM reference r WHERE r.code = :given

-- Of the plan that the path names.
-- name: refers.skpMilestone
SELECT FROM skp_milestone t JOIN skp_indicator i ON i.id = t.indicator_id WHERE t.id = :given::uuid AND i.skp_id = :skp_id

-- A superior, or who is asked about somebody, may work elsewhere.
-- name: refers.superior
SELECT FROM asn_named a
WHERE  a.id = asn_of_nip(:given)
       AND (EXISTS (SELECT FROM asn n JOIN unit u ON u.id = n.unit_id WHERE n.id = a.id AND u.path <@ ANY (:actor_units::ltree[]))
            OR EXISTS (SELECT FROM development_plan d JOIN asn m ON m.id = d.asn_id JOIN unit n ON n.id = m.unit_id
                       WHERE  d.superior_id = a.id AND n.path <@ ANY (:actor_units::ltree[])))

-- name: refers.respondent
SELECT FROM asn_named a
WHERE  a.id = asn_of_nip(:given)
       AND (EXISTS (SELECT FROM asn n JOIN unit u ON u.id = n.unit_id WHERE n.id = a.id AND u.path <@ ANY (:actor_units::ltree[]))
            OR EXISTS (SELECT FROM behaviour_entry b WHERE b._respondent = a.id AND b._unit_path <@ ANY (:actor_units::ltree[])))

-- name: refers.developmentPlan
SELECT FROM development_plan_entry p WHERE p.id = :given::uuid AND p._unit_path <@ ANY (:actor_units::ltree[])

-- name: refers.improvementPlan
SELECT FROM improvement_entry i WHERE i.id = :given::uuid AND i._unit_path <@ ANY (:actor_units::ltree[])

-- Without a key: whoever has figures in an edition.
-- name: refers.openUnit
SELECT FROM open_figure f WHERE f.service_unit_id = :given::uuid

-- A rule that was ever in force, on whichever day.
-- name: refers.outcome
SELECT FROM outcome_rule r WHERE r.code = :given

-- Without a key: a year of which something was published.
-- name: refers.openYear
SELECT FROM open_edition e WHERE e.year = (:given::numeric)::integer

-- name: refers.accessOperation
SELECT FROM jsonb_array_elements(:access_matrix::jsonb) c WHERE c ->> 'operation' = :given::text LIMIT 1

-- name: refers.accessRole
SELECT FROM jsonb_array_elements(:access_matrix::jsonb) c WHERE c ->> 'role' = :given::text LIMIT 1
