-- What is shown a second time, or in another place, is shown by what the caller may see now, and noted as any reading is. See docs/audit.md and docs/personal-data.md.

ALTER TABLE idempotency ADD COLUMN grant_hash text, ADD COLUMN shows_sensitive boolean NOT NULL DEFAULT true;
COMMENT ON COLUMN idempotency.grant_hash IS 'SHA-256 of the scopes, units and NIP of the caller when he was answered: whoever may see something else today is not given this answer; null: kept by an earlier release';
COMMENT ON COLUMN idempotency.shows_sensitive IS 'Whether the answer was a reading of something sensitive: then so is giving it again';

CREATE FUNCTION change_request_guarded(record jsonb, history jsonb, scopes text[], guarded text[]) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN members_guarded(record, scopes, guarded) OR coalesce(history ->> 'kind' = 'discipline', false);
COMMENT ON FUNCTION change_request_guarded(jsonb, jsonb, text[], text[]) IS 'Whether a proposal shows one of these members, or a row of discipline: then a reading of it is noted.';
