-- Histories of a person, by the present NIP or an old one. What the caller may not see, of a unit or of discipline, is not there.

-- name: listHistory
-- sort: from = h."from" AS _from, h.id AS id
-- sort: -from = h."from" DESC AS _from, h.id DESC AS id
SELECT h.*, h."from" AS _from
FROM   history_entry h
WHERE  h._asn_id = (SELECT asn_of_nip(:nip)) AND h._unit_path <@ ANY (:actor_units::ltree[]) AND history_shown(h.kind, :actor_scopes::text[])
       AND (NOT h.is_void OR :include_void::boolean)
/*? kind */ AND h.kind = :kind /*? */
/*? as_of */ AND h._valid @> :as_of::date /*? */
/* page */

-- name: getHistory
SELECT h.*
FROM   history_entry h
WHERE  h.id = :history_id AND h._asn_id = (SELECT asn_of_nip(:nip)) AND h._unit_path <@ ANY (:actor_units::ltree[])
       AND history_shown(h.kind, :actor_scopes::text[])

-- name: listHistoryVersions
-- sort: -version = h.version DESC AS version
-- sort: version = h.version AS version
SELECT h.*
FROM   history_entry_version h
WHERE  h.id = :history_id AND h._asn_id = (SELECT asn_of_nip(:nip)) AND h._unit_path <@ ANY (:actor_units::ltree[])
       AND history_shown(h.kind, :actor_scopes::text[])
/* page */

-- name: createHistory
-- write: true
SELECT w.problem AS _problem, w.pointer AS _pointer, w.value AS _value, (w.entry).*
FROM   history_write(:new_id, :nip, :actor_units::ltree[], :actor_scopes::text[], :body::jsonb, NULL, NULL, :actor_key, :actor_name) w

-- name: correctHistory
-- write: true
SELECT w.problem AS _problem, w.pointer AS _pointer, w.value AS _value, (w.entry).*
FROM   history_write(:history_id, :nip, :actor_units::ltree[], :actor_scopes::text[], :body::jsonb, :if_match::int8multirange, :reason,
                     :actor_key, :actor_name) w

-- name: annulHistory
-- write: true
SELECT w.problem AS _problem, w.pointer AS _pointer, w.value AS _value, (w.entry).*
FROM   history_annul(:history_id, :nip, :actor_units::ltree[], :actor_scopes::text[], :if_match::int8multirange, :reason, :actor_key,
                     :actor_name) w

-- name: chore.showToday
-- write: true
SELECT history_show_today()
