-- Histories of a person, by the present NIP or an old one. What the caller may not see, of a unit or of discipline, is not there.

-- name: listHistory
-- sort: from = h."from" AS _from, h.id AS id
-- sort: -from = h."from" DESC AS _from, h.id DESC AS id
SELECT h.*, history_documents(h.id, :actor_scopes::text[]) AS documents, h."from" AS _from, h.kind = 'discipline' AS _sensitive
FROM   history_entry h
WHERE  h._asn_id = (SELECT asn_of_nip(:nip)) AND h._unit_path <@ ANY (:actor_units::ltree[]) AND history_shown(h.kind, restricted_scopes(h._asn_id, :actor_scopes::text[], :actor_nip))
       AND (NOT h.is_void OR :include_void::boolean)
/*? kind */ AND h.kind = :kind /*? */
/*? as_of */ AND h._valid @> :as_of::date /*? */
/* page */

-- name: getHistory
SELECT h.*, history_documents(h.id, :actor_scopes::text[]) AS documents, h.kind = 'discipline' AS _sensitive
FROM   history_entry h
WHERE  h.id = :history_id AND h._asn_id = (SELECT asn_of_nip(:nip)) AND h._unit_path <@ ANY (:actor_units::ltree[])
       AND history_shown(h.kind, restricted_scopes(h._asn_id, :actor_scopes::text[], :actor_nip))

-- name: listHistoryVersions
-- sort: -version = h.version DESC AS version
-- sort: version = h.version AS version
SELECT h.*, h.kind = 'discipline' AS _sensitive
FROM   history_entry_version h
WHERE  h.id = :history_id AND h._asn_id = (SELECT asn_of_nip(:nip)) AND h._unit_path <@ ANY (:actor_units::ltree[])
       AND history_shown(h.kind, restricted_scopes(h._asn_id, :actor_scopes::text[], :actor_nip))
/* page */

-- name: createHistory
-- write: true
SELECT w.problem AS _problem, w.pointer AS _pointer, w.value AS _value,
       CASE w.problem WHEN 'unit-closed' THEN unit_heir(w.value::uuid, :actor_units::ltree[])::text
                      WHEN 'code-unknown' THEN history_meant(:body::jsonb ->> 'kind', w.pointer, w.value) END AS _suggestion, (w.entry).*,
       history_documents((w.entry).id, :actor_scopes::text[]) AS documents
FROM   history_write(:new_id, :nip, :actor_units::ltree[], :actor_scopes::text[], :body::jsonb, NULL, NULL, :actor_key, :actor_name) w

-- name: correctHistory
-- write: true
SELECT w.problem AS _problem, w.pointer AS _pointer, w.value AS _value,
       CASE w.problem WHEN 'unit-closed' THEN unit_heir(w.value::uuid, :actor_units::ltree[])::text
                      WHEN 'code-unknown' THEN history_meant(:body::jsonb ->> 'kind', w.pointer, w.value) END AS _suggestion, (w.entry).*,
       history_documents((w.entry).id, :actor_scopes::text[]) AS documents, (w.entry).kind = 'discipline' AS _sensitive
FROM   history_write(:history_id, :nip, :actor_units::ltree[], :actor_scopes::text[], :body::jsonb, :if_match::int8multirange, :reason,
                     :actor_key, :actor_name) w

-- name: annulHistory
-- write: true
SELECT w.problem AS _problem, w.pointer AS _pointer, w.value AS _value, (w.entry).*,
       history_documents((w.entry).id, :actor_scopes::text[]) AS documents, (w.entry).kind = 'discipline' AS _sensitive
FROM   history_annul(:history_id, :nip, :actor_units::ltree[], :actor_scopes::text[], :if_match::int8multirange, :reason, :actor_key,
                     :actor_name) w

-- name: chore.showToday
-- write: true
SELECT history_show_today()
