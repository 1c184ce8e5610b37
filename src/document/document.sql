-- Documents of people. What the caller may not see, of a unit or of discipline, is not there; of the rows that a document proves those of discipline
-- are named to asn.discipline alone.

-- name: listDocuments
-- sort: -id = d.id DESC AS id
-- sort: id = d.id AS id
SELECT d.*, CASE WHEN scope_held(:actor_scopes::text[], 'asn.discipline') THEN d._all_ids ELSE d._open_ids END AS history_ids
FROM   document_entry d
WHERE  d._asn_id = (SELECT asn_of_nip(:nip)) AND d._unit_path <@ ANY (:actor_units::ltree[])
       AND (NOT d._is_discipline OR scope_held(restricted_scopes(d._asn_id, :actor_scopes::text[], :actor_nip), 'asn.discipline')) AND (NOT d.is_void OR :include_void::boolean)
/*? type */ AND d.type = :type /*? */
/*? history_id */ AND :history_id::uuid = ANY (CASE WHEN scope_held(:actor_scopes::text[], 'asn.discipline') THEN d._all_ids ELSE d._open_ids END) /*? */
/* page */

-- Whose it is before anything else of it: so a document of others takes no longer than none.
-- name: getDocument
SELECT d.*, CASE WHEN scope_held(:actor_scopes::text[], 'asn.discipline') THEN d._all_ids ELSE d._open_ids END AS history_ids
FROM   document_entry d
WHERE  d.id = (SELECT o.id FROM document o JOIN asn a ON a.id = o.asn_id JOIN unit u ON u.id = a.unit_id
               WHERE  o.id = :document_id AND u.path <@ ANY (:actor_units::ltree[]))
       AND (NOT d._is_discipline OR scope_held(restricted_scopes(d._asn_id, :actor_scopes::text[], :actor_nip), 'asn.discipline'))

-- name: updateDocument
-- write: true
SELECT w.problem AS _problem, w.place AS _pointer, w.value AS _value, (w.entry).*,
       CASE WHEN scope_held(:actor_scopes::text[], 'asn.discipline') THEN (w.entry)._all_ids ELSE (w.entry)._open_ids END AS history_ids
FROM   document_change(:document_id, :actor_units::ltree[], :actor_scopes::text[], :body::jsonb, :if_match::int8multirange, :actor_key, :actor_name) w

-- name: annulDocument
-- write: true
SELECT w.problem AS _problem, w.place AS _pointer, w.value AS _value, (w.entry).*,
       CASE WHEN scope_held(:actor_scopes::text[], 'asn.discipline') THEN (w.entry)._all_ids ELSE (w.entry)._open_ids END AS history_ids
FROM   document_annul(:document_id, :actor_units::ltree[], :actor_scopes::text[], :if_match::int8multirange, :reason, :erase::boolean, :actor_key,
                      :actor_name) w

-- name: uploadDocument.ask
SELECT w.problem, w.place, w.value
FROM   document_ask(:nip, :actor_units::ltree[], :actor_scopes::text[], :type, :history_ids::uuid[]) w

-- name: uploadDocument.store
-- write: true
SELECT w.problem, w.place, w.value, w.is_new, (w.entry).id
FROM   document_store(jsonb_populate_record(NULL::document,
                          jsonb_build_object('id', :new_id::text, 'type', :type::text, 'title', :title::text, 'number', :number::text,
                                             'issued_on', :date::text, 'file_name', :file_name::text, 'media_type', :media_type::text,
                                             'size', :size::text, 'sha256', '\x' || :sha256::text, 'content_id', :content_id::text,
                                             'warnings', to_jsonb(:warnings::text[]), 'actor_key', :actor_key::text,
                                             'actor_name', :actor_name::text)),
                      :nip, :actor_units::ltree[], :actor_scopes::text[], :history_ids::uuid[]) w

-- name: uploadDocument.reply
SELECT d.*, CASE WHEN scope_held(:actor_scopes::text[], 'asn.discipline') THEN d._all_ids ELSE d._open_ids END AS history_ids
FROM   document_entry d
WHERE  d.id = :stored_id

-- name: getDocumentContent.find
SELECT CASE WHEN d.is_erased THEN 'document-erased'
            WHEN restriction_hides((SELECT o.asn_id FROM document o WHERE o.id = :document_id), :actor_scopes::text[], :actor_nip) THEN 'restricted' END AS _problem, d._content_id AS content_id, d.sha256, d.size, d.media_type,
       coalesce(d.title, concat_ws(' ', coalesce((SELECT r.name FROM reference r WHERE r.list = 'document-type' AND r.code = d.type
                                                  ORDER BY r.valid @> :today::date DESC LIMIT 1), 'dokumen'), d.number)) AS name
FROM   document_entry d
WHERE  d.id = (SELECT o.id FROM document o JOIN asn a ON a.id = o.asn_id JOIN unit u ON u.id = a.unit_id
               WHERE  o.id = :document_id AND u.path <@ ANY (:actor_units::ltree[]))
       AND (NOT d._is_discipline OR scope_held(restricted_scopes(d._asn_id, :actor_scopes::text[], :actor_nip), 'asn.discipline'))

-- What `asnd documents check` looks for. Each is one statement, so that uploads that come meanwhile are seen whole or not at all.
-- name: documents.count
SELECT (SELECT count(*) FROM document) AS documents, (SELECT count(*) FROM document WHERE erased_at IS NOT NULL) AS erased

-- name: documents.missing
SELECT d.id, CASE WHEN c.id IS NULL THEN 'missing' ELSE 'differs' END AS fault
FROM   document d
LEFT   JOIN document_content c ON c.id = d.content_id
WHERE  d.erased_at IS NULL AND (c.id IS NULL OR (c.sha256, c.size) IS DISTINCT FROM (d.sha256, d.size))
ORDER  BY d.id

-- name: documents.orphans
SELECT c.id, 'orphan' AS fault FROM document_content c WHERE NOT EXISTS (SELECT FROM document d WHERE d.content_id = c.id) ORDER BY c.id

-- name: documents.lockOrphans
-- write: true
SELECT c.id FROM document_content c WHERE NOT EXISTS (SELECT FROM document d WHERE d.content_id = c.id) ORDER BY c.id FOR UPDATE

-- Asked again, now that nobody can take one of them up: an upload may have done so before the lock.
-- name: documents.removeOrphans
DELETE FROM document_content c WHERE NOT EXISTS (SELECT FROM document d WHERE d.content_id = c.id) RETURNING c.id
