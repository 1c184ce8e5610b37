-- The feed of changes: see docs/decisions/0009-change-feed.md.

-- While a caller waits, `_idle` says that there is nothing to tell yet and `_mark` up to where that is known. Its key may have died meanwhile, or may less.
-- name: listChanges
SELECT r.problem AS _problem, r.changes, r.next, r.more, json_array_length(r.changes) = 0 AND NOT r.more AND r.mark IS NOT NULL AS _idle, r.mark AS _mark
FROM   change_read_now(:actor_key, :after, :entity::text[], :actor_units::ltree[], :actor_scopes::text[], :limit::integer) r

-- name: changes.mark
SELECT r.mark, r.mark + 1 || '.0' AS next FROM change_readable() AS r (mark)

-- name: chore.forgetChanges
-- write: true
-- timeout: 60000
SELECT change_forget(:change_days::integer)
