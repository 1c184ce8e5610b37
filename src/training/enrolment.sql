-- Enrolments: who takes part, and how it went. The order of states, who may take which step, and the seats are held by the database
-- (0023_training_life.sql).

-- name: listEnrolments
-- sort: id = e.id AS id
-- sort: -id = e.id DESC AS id
-- sort: queue_place = e._place AS _place, e.id AS id
-- sort: queue = e._turn AS _turn, e._place AS _place, e.id AS id
SELECT e.*
FROM   enrolment_entry e
WHERE  e._unit_path <@ ANY (:actor_units::ltree[])
/*? session_id */ AND e.session_id = :session_id /*? */
/*? programme_id */ AND e.session_id IN (SELECT s.id FROM session s WHERE s.programme_id = :programme_id) /*? */
/*? nip */ AND e._asn_id = (SELECT n.id FROM asn n WHERE n.nip = :nip) /*? */
/*? state */ AND e.state = :state /*? */
/*? under */ AND e._unit_path <@ (SELECT p.path FROM unit p WHERE p.id = :under) /*? */
/* page */

-- name: getEnrolment
SELECT e.*
FROM   enrolment_entry e
WHERE  e.id = :enrolment_id AND e._unit_path <@ ANY (:actor_units::ltree[])

-- Approved or waitlisted: enrolment_enter() decides under the session's lock.
-- name: createEnrolment
-- write: true
SELECT w.problem AS _problem, w.pointer AS _pointer, w.value AS _value, w.word_en AS _en, w.word_id AS _id, (w.entry).*
FROM   enrolment_create(:new_id, :session_id, :nip, 'approved', :actor_units::ltree[], :actor_scopes::text[], :body::jsonb, :actor_key, :actor_name) w

-- Whoever proposes himself does so by the route of a person, whatever he says.
-- name: createNomination
-- write: true
SELECT w.problem AS _problem, w.pointer AS _pointer, w.value AS _value, w.word_en AS _en, w.word_id AS _id, (w.entry).*
FROM   session s
CROSS  JOIN LATERAL enrolment_create(:new_id, s.id, :nip, CASE WHEN :is_draft::boolean THEN 'draft' ELSE 'proposed' END, :actor_units::ltree[],
                                     :actor_scopes::text[], CASE WHEN asn_of_nip(:actor_nip::text) = asn_of_nip(:nip::text) THEN :body::jsonb || '{"route": "self"}' ELSE :body::jsonb END,
                                     :actor_key, :actor_name) w
WHERE  s.id = :session_id

-- Of his own enrolment a person takes the steps of who proposes, whatever else he is.
-- name: moveEnrolment
-- write: true
SELECT w.problem AS _problem, w.pointer AS _pointer, w.value AS _value, w.word_en AS _en, w.word_id AS _id, (w.entry).*
FROM   enrolment_own(:enrolment_id, :actor_nip, :actor_scopes::text[], :to) o
CROSS  JOIN LATERAL (SELECT f.* FROM enrolment_refused('own-record', '/to', :to, 'Nobody does this for his own record.',
                                                                      'Tidak seorang pun melakukan ini untuk datanya sendiri.') f WHERE o.is_refused
                     UNION ALL
                     SELECT m.* FROM enrolment_move(CASE WHEN NOT o.is_refused THEN :enrolment_id::uuid END, :actor_units::ltree[], o.scopes_left, :to, '/to', NULL, :reason,
                                                    :actor_key, :actor_name) m) w

-- name: cancelEnrolment
-- write: true
SELECT w.problem AS _problem, w.pointer AS _pointer, w.value AS _value, w.word_en AS _en, w.word_id AS _id, (w.entry).*
FROM   enrolment_move(:enrolment_id, :actor_units::ltree[], :actor_scopes::text[], 'cancelled', NULL, NULL, NULL, :actor_key, :actor_name) w

-- name: attendEnrolment
-- write: true
SELECT w.problem AS _problem, w.pointer AS _pointer, w.value AS _value, w.word_en AS _en, w.word_id AS _id, (w.entry).*
FROM   enrolment_move(:enrolment_id, :actor_units::ltree[], :actor_scopes::text[], 'attending', NULL, NULL, NULL, :actor_key, :actor_name) w

-- name: completeEnrolment
-- write: true
SELECT w.problem AS _problem, w.pointer AS _pointer, w.value AS _value, w.word_en AS _en, w.word_id AS _id, (w.entry).*
FROM   enrolment_move(:enrolment_id, :actor_units::ltree[], :actor_scopes::text[], coalesce(:result, 'completed'), '/result', (:jp::numeric)::integer, NULL,
                      :actor_key, :actor_name) w

-- name: markNoShow
-- write: true
SELECT w.problem AS _problem, w.pointer AS _pointer, w.value AS _value, w.word_en AS _en, w.word_id AS _id, (w.entry).*
FROM   enrolment_move(:enrolment_id, :actor_units::ltree[], :actor_scopes::text[], 'no_show', NULL, NULL, NULL, :actor_key, :actor_name) w

-- name: withdrawEnrolment
-- write: true
SELECT w.problem AS _problem, w.pointer AS _pointer, w.value AS _value, w.word_en AS _en, w.word_id AS _id, (w.entry).*
FROM   enrolment_move(:enrolment_id, :actor_units::ltree[], :actor_scopes::text[], 'withdrawn', NULL, NULL, NULL, :actor_key, :actor_name) w

-- name: prioritizeEnrolment
-- write: true
SELECT w.problem AS _problem, w.pointer AS _pointer, w.value AS _value, w.word_en AS _en, w.word_id AS _id, (w.entry).*
FROM   enrolment_prioritize(:enrolment_id, :actor_units::ltree[], (:priority::numeric)::integer, :reason) w

-- name: getEnrolmentQueue
SELECT q.* FROM enrolment_queue(:enrolment_id, :actor_units::ltree[]) q

-- name: listEnrolmentSteps
-- sort: seq = t.seq AS seq
-- sort: -seq = t.seq DESC AS seq
SELECT t.seq, t."from", t."to", t.reason, t.actor_name, t.at
FROM   enrolment_step_taken t
WHERE  t.enrolment_id = :enrolment_id
       AND (SELECT true FROM enrolment_of_person e WHERE e.id = :enrolment_id AND e.unit_path <@ ANY (:actor_units::ltree[]))
/* page */

-- name: listEnrolmentTransitions
-- sort: from = t."from" AS from, t."to" AS to, t.scope AS scope
SELECT t."from", t."to", t.scope, t.needs_reason
FROM   enrolment_transition t
WHERE  true
/*? scope */ AND t.scope = :scope /*? */
/* page */

-- name: chore.lapseOffers
-- write: true
SELECT offers_lapse()

-- name: chore.giveUpSeats
-- write: true
SELECT seats_give_up()
