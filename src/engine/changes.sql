-- The feed of changes: see docs/decisions/0009-change-feed.md.

-- While a caller waits, `_idle` says that there is nothing to tell yet and `_mark` up to where that is known. Its key may have died meanwhile.
-- name: listChanges
SELECT CASE WHEN EXISTS (SELECT FROM api_key k WHERE k.id = :actor_key AND k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > now()))
            THEN r.problem ELSE 'unauthenticated' END AS _problem,
       r.changes, r.next, r.more, json_array_length(r.changes) = 0 AND NOT r.more AS _idle, r.mark AS _mark
FROM   change_read(:after, :entity::text[], :actor_units::ltree[], :actor_scopes::text[], :limit::integer) r

-- name: changes.mark
SELECT r.mark, r.mark + 1 || '.0' AS next FROM change_readable() AS r (mark)

-- name: chore.forgetChanges
-- write: true
-- timeout: 60000
SELECT change_forget(:change_days::integer)
