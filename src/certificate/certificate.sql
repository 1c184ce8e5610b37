-- Certificates: issued here, looked at by everybody who has a code, and earned elsewhere. Seen with a key by whoever may see the person's unit.

-- name: listCertificateRules
-- sort: -valid_from = r.valid_from DESC AS valid_from
SELECT r.valid_from, r.pattern AS number_pattern, r.agency, r.place, r.signatory, r.signatory_position
FROM   certificate_rule r
WHERE  true
/* page */

-- The rules are everybody's: whoever may see everybody sets them.
-- name: putCertificateRule
WITH made AS (
    INSERT INTO certificate_rule AS r (valid_from, pattern, agency, place, signatory, signatory_position)
    SELECT :valid_from::date, :number_pattern, :agency, :place, :signatory, :signatory_position WHERE '' = ANY (:actor_units::ltree[])
    ON CONFLICT (valid_from) DO UPDATE
    SET    (pattern, agency, place, signatory, signatory_position)
         = (excluded.pattern, excluded.agency, excluded.place, excluded.signatory, excluded.signatory_position)
    RETURNING r.*
)
SELECT CASE WHEN r.valid_from IS NULL THEN 'forbidden' END AS _problem,
       r.valid_from, r.pattern AS number_pattern, r.agency, r.place, r.signatory, r.signatory_position
FROM   (SELECT) AS one LEFT JOIN made r ON true

-- ── issued here ──

-- name: listIssuedCertificates
-- sort: -id = c.id DESC AS id
-- sort: id = c.id AS id
SELECT c.*
FROM   certificate_entry c
WHERE  c._unit_path <@ ANY (:actor_units::ltree[])
/*? state */ AND c.state = :state /*? */
/*? session_id */ AND c.session_id = :session_id::uuid /*? */
/*? nip */ AND c._asn_id = (SELECT asn_of_nip(:nip)) /*? */
/*? number */ AND c.number = :number /*? */
/*? under */ AND c._unit_path <@ (SELECT p.path FROM unit p WHERE p.id = :under) /*? */
/* page */

-- name: getIssuedCertificate
SELECT c.* FROM certificate_entry c WHERE c.id = :certificate_id AND c._unit_path <@ ANY (:actor_units::ltree[])

-- name: getCertificatePdf.find
SELECT x.agency, c.number, x.edition::text AS edition, x.name, x.nip, x.programme, x.organiser, x.held_at, x.starts_on, x.ends_on, x.jp, x.place,
       x.issued_on, x.signatory, x.signatory_position, x.code, (x.revoked_at IS NOT NULL) AS is_revoked
FROM   certificate_entry c
JOIN   certificate_edition x ON x.certificate_id = c.id AND x.edition = c.edition
WHERE  c.id = :certificate_id AND c._unit_path <@ ANY (:actor_units::ltree[])

-- Nobody else issues in this year from here on; what follows sees what he issued before.
-- name: certificate.wait
-- write: true
SELECT certificate_wait(:today::date) AS year

-- name: certificate.signer
SELECT k.id, encode(s.value, 'hex') AS seed FROM certificate_key k CROSS JOIN instance_secret s WHERE k.retired_at IS NULL AND s.name = 'certificate'

-- Two that make the first key at once wait for each other; the second finds it.
-- name: certificate.lockKeys
-- write: true
SELECT pg_advisory_xact_lock(19, 19)

-- name: certificate.newSeed
-- write: true
SELECT certificate_seed_make() AS seed

-- name: certificate.retireKey
UPDATE certificate_key SET retired_at = now() WHERE retired_at IS NULL

-- name: certificate.addKey
INSERT INTO certificate_key (id, public_key) VALUES (:key_id, decode(:public_key::text, 'hex')) RETURNING id

-- name: issueCertificate.find
SELECT CASE WHEN c.id IS NOT NULL THEN 'certificate-exists' WHEN NOT f.is_certifiable THEN 'enrolment-not-passed' END AS _problem, f.enrolment_id
FROM   certificate_fresh f LEFT JOIN certificate c ON c.enrolment_id = f.enrolment_id
WHERE  f.enrolment_id = :enrolment_id AND f.unit_path <@ ANY (:actor_units::ltree[])

-- name: issueCertificate.store
-- write: true
SELECT certificate_issue(:enrolments::uuid[], :ids::uuid[], :codes::text[], :today::date, :actor_key, :actor_name) AS issued

-- name: issueCertificate.reply
SELECT c.* FROM certificate_entry c WHERE c.enrolment_id = :enrolment_id

-- name: issueCertificates.session
SELECT s.id FROM session s WHERE s.id = :session_id

-- Whoever issues leaves out his own.
-- name: issueCertificates.find
SELECT f.enrolment_id
FROM   certificate_fresh f
WHERE  f.session_id = :session_id AND f.unit_path <@ ANY (:actor_units::ltree[]) AND f.is_certifiable
       AND NOT EXISTS (SELECT FROM certificate c WHERE c.enrolment_id = f.enrolment_id)
       AND f.nip IS DISTINCT FROM (SELECT a.nip FROM asn a WHERE a.id = asn_of_nip(:actor_nip::text))
ORDER  BY name_key(f.name), f.enrolment_id

-- name: issueCertificates.store
-- write: true
SELECT certificate_issue(:enrolments::uuid[], :ids::uuid[], :codes::text[], :today::date, :actor_key, :actor_name) AS issued

-- name: issueCertificates.reply
SELECT :session_id::uuid AS session_id, cardinality(:ids::uuid[]) AS issued,
       (SELECT c.number FROM certificate c WHERE c.id = (:ids::uuid[])[1]) AS first_number,
       (SELECT c.number FROM certificate c WHERE c.id = (:ids::uuid[])[cardinality(:ids::uuid[])]) AS last_number,
       (SELECT count(*)::integer FROM certificate_fresh f JOIN certificate c ON c.enrolment_id = f.enrolment_id
        WHERE  f.session_id = :session_id AND f.unit_path <@ ANY (:actor_units::ltree[])) AS certificates,
       (SELECT count(*)::integer FROM certificate_fresh f
        WHERE  f.session_id = :session_id AND f.unit_path <@ ANY (:actor_units::ltree[]) AND NOT f.is_certifiable
               AND f.state IN ('approved', 'attending', 'completed', 'failed')) AS not_passed,
       (SELECT coalesce(json_agg(json_build_object('enrolment_id', f.enrolment_id, 'reason', 'own-record')), '[]')
        FROM   certificate_fresh f
        WHERE  f.session_id = :session_id AND f.unit_path <@ ANY (:actor_units::ltree[]) AND f.is_certifiable
               AND f.nip = (SELECT a.nip FROM asn a WHERE a.id = asn_of_nip(:actor_nip::text))
               AND NOT EXISTS (SELECT FROM certificate c WHERE c.enrolment_id = f.enrolment_id)) AS skipped

-- name: revokeCertificate
-- write: true
SELECT w.problem AS _problem, (w.entry).*
FROM   certificate_withdraw(:certificate_id, :actor_units::ltree[], :if_match::int8multirange, :reason, :actor_key, :actor_name) w

-- name: reissueCertificate.locked
-- write: true
SELECT c.id FROM certificate c WHERE c.id = :certificate_id FOR UPDATE

-- name: reissueCertificate.find
SELECT CASE WHEN NOT :if_match::int8multirange @> c.version THEN 'version-stale'
            WHEN NOT f.is_certifiable THEN 'enrolment-not-passed' END AS _problem, c.edition + 1 AS edition
FROM   certificate c JOIN certificate_fresh f ON f.enrolment_id = c.enrolment_id
WHERE  c.id = :certificate_id AND f.unit_path <@ ANY (:actor_units::ltree[])

-- name: reissueCertificate.revoke
-- write: true
SELECT certificate_revoke(:certificate_id::uuid, :reason, :actor_key, :actor_name)

-- name: reissueCertificate.raise
UPDATE certificate c SET edition = c.edition + 1, state = 'valid' WHERE c.id = :certificate_id RETURNING c.edition

-- name: reissueCertificate.print
-- write: true
SELECT certificate_print(c.id, c.edition, :code::text, c.enrolment_id, :today::date, :reason, :actor_key, :actor_name)
FROM   certificate c WHERE c.id = :certificate_id

-- name: reissueCertificate.reply
SELECT c.* FROM certificate_entry c WHERE c.id = :certificate_id

-- ── for everybody ──

-- A JWK set (RFC 8037). Base64 without line ends: 32 bytes are one line.
-- name: listCertificateKeys
SELECT coalesce(json_agg(json_build_object('kty', 'OKP', 'crv', 'Ed25519', 'alg', 'EdDSA', 'use', 'sig', 'kid', k.id,
                                           'x', rtrim(translate(encode(k.public_key, 'base64'), '+/', '-_'), '='),
                                           'created_at', to_char(k.created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
                                           'retired_at', to_char(k.retired_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'))
                         ORDER BY k.created_at, k.id), '[]') AS keys
FROM   certificate_key k

-- name: verifyCertificate.key
SELECT encode(k.public_key, 'hex') AS public_key FROM certificate_key k WHERE k.id = :key_id::text

-- Neither NIP nor unit, nor who issued or revoked it, nor why.
-- name: verifyCertificate.show
SELECT c.number, x.edition, x.name, x.programme, x.organiser, x.starts_on, x.ends_on, x.jp, x.agency, x.issued_on,
       CASE WHEN x.revoked_at IS NULL THEN 'valid' ELSE 'revoked' END AS state, x.revoked_at
FROM   certificate_edition x JOIN certificate c ON c.id = x.certificate_id
WHERE  x.certificate_id = :claimed_id::uuid AND x.edition = :claimed_edition::integer AND x.code = :code

-- ── earned elsewhere ──

-- name: listExternalCertificates
-- sort: -id = x.id DESC AS id
-- sort: id = x.id AS id
SELECT x.*, (SELECT certificate_doubles(e) FROM external_certificate e WHERE e.id = x.id) AS doubles
FROM   external_certificate_entry x
WHERE  x._unit_path <@ ANY (:actor_units::ltree[])
/*? state */ AND x.state = :state /*? */
/*? nip */ AND x._asn_id = (SELECT asn_of_nip(:nip)) /*? */
/*? under */ AND x._unit_path <@ (SELECT p.path FROM unit p WHERE p.id = :under) /*? */
/*? mine */ AND (x._submitted_by = :actor_key::uuid) = :mine::boolean /*? */
/* page */

-- name: getExternalCertificate
SELECT x.*, (SELECT certificate_doubles(e) FROM external_certificate e WHERE e.id = x.id) AS doubles
FROM   external_certificate_entry x
WHERE  x.id = :external_certificate_id AND x._unit_path <@ ANY (:actor_units::ltree[])

-- name: submitExternalCertificate
-- write: true
SELECT w.problem AS _problem, w.place AS _pointer, w.value AS _value, (w.entry).*, w.doubles
FROM   external_certificate_submit(jsonb_populate_record(NULL::external_certificate,
           :body::jsonb - 'nip' || jsonb_build_object('id', :new_id::text, 'submitted_by', :actor_key::text, 'submitted_by_name', :actor_name::text)),
           :nip, :actor_units::ltree[], :actor_scopes::text[]) w

-- name: verifyExternalCertificate
-- write: true
SELECT w.problem AS _problem, w.place AS _pointer, w.value AS _value, (w.entry).*, w.doubles
FROM   external_certificate_decide(:external_certificate_id, 'verified', :reason, :new_id, :actor_units::ltree[], :actor_scopes::text[],
                                   :if_match::int8multirange, :actor_key, :actor_name) w

-- name: refuseExternalCertificate
-- write: true
SELECT w.problem AS _problem, w.place AS _pointer, w.value AS _value, (w.entry).*, w.doubles
FROM   external_certificate_decide(:external_certificate_id, 'refused', :reason, NULL, :actor_units::ltree[], :actor_scopes::text[],
                                   :if_match::int8multirange, :actor_key, :actor_name) w
