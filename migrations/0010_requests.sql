-- Change requests: what somebody proposes for a record or its histories, until the office decides. Nothing of it is true before it is approved.

CREATE TABLE change_request (
    id                uuid        CONSTRAINT change_request_pkey PRIMARY KEY,
    asn_id            uuid        NOT NULL CONSTRAINT change_request_asn_fkey REFERENCES asn,
    kind              text        GENERATED ALWAYS AS (CASE WHEN record IS NULL THEN 'history' ELSE 'record' END) STORED,
    record            jsonb,
    before            jsonb,
    history           jsonb,
    proof_text        text,
    proof_reference   text,
    state             text        NOT NULL DEFAULT 'submitted'
                                  CONSTRAINT change_request_state_known CHECK (state IN ('submitted', 'approved', 'refused', 'withdrawn')),
    reason            text,
    history_id        uuid        CONSTRAINT change_request_history_fkey REFERENCES history,
    requested_by      uuid        NOT NULL,
    requested_by_name text        NOT NULL,
    decided_by        uuid,
    decided_by_name   text,
    decided_at        timestamptz,
    version           bigint      NOT NULL DEFAULT 1,
    created_at        timestamptz NOT NULL DEFAULT now(),
    updated_at        timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT change_request_one_change CHECK (num_nonnulls(record, history) = 1 AND (record IS NULL) = (before IS NULL)),
    CONSTRAINT change_request_decision CHECK ((state = 'submitted') = (decided_at IS NULL)),
    CONSTRAINT change_request_not_own CHECK (state IN ('submitted', 'withdrawn') OR decided_by <> requested_by)
);
CREATE INDEX change_request_state_idx ON change_request (state, id);
CREATE INDEX change_request_asn_idx ON change_request (asn_id, id);
CREATE INDEX change_request_requested_by_idx ON change_request (requested_by, id);
COMMENT ON TABLE change_request IS 'A proposed change of a person''s record or histories, its proof and what became of it.';
COMMENT ON COLUMN change_request.id IS 'UUIDv7';
COMMENT ON COLUMN change_request.asn_id IS 'asn.id: whose record';
COMMENT ON COLUMN change_request.kind IS 'record or history: what would change';
COMMENT ON COLUMN change_request.record IS 'Members of the record with the values proposed (AsnPatch); null clears';
COMMENT ON COLUMN change_request.before IS 'The values of those members when it was proposed: it is not approved over others';
COMMENT ON COLUMN change_request.history IS 'A row of a history to be added (HistoryNew)';
COMMENT ON COLUMN change_request.proof_text IS 'What proves it, in words';
COMMENT ON COLUMN change_request.proof_reference IS 'Number or address of a document that proves it';
COMMENT ON COLUMN change_request.state IS 'submitted, then approved, refused or withdrawn, for good';
COMMENT ON COLUMN change_request.reason IS 'Why it was decided so';
COMMENT ON COLUMN change_request.history_id IS 'history.id of the row that an approval made';
COMMENT ON COLUMN change_request.requested_by IS 'api_key.id of who proposed it; that key never decides it';
COMMENT ON COLUMN change_request.requested_by_name IS 'Name of that key then';
COMMENT ON COLUMN change_request.decided_by IS 'api_key.id of who approved, refused or withdrew it';
COMMENT ON COLUMN change_request.decided_by_name IS 'Name of that key then';
COMMENT ON COLUMN change_request.decided_at IS 'When';
COMMENT ON COLUMN change_request.version IS 'Counts changes: ETag';
COMMENT ON COLUMN change_request.created_at IS 'When it was proposed';
COMMENT ON COLUMN change_request.updated_at IS 'Last change';
CREATE TRIGGER change_request_20_touch BEFORE UPDATE ON change_request FOR EACH ROW EXECUTE FUNCTION touch_row();

CREATE TABLE change_request_comment (
    id         uuid        CONSTRAINT change_request_comment_pkey PRIMARY KEY,
    request_id uuid        NOT NULL CONSTRAINT change_request_comment_request_fkey REFERENCES change_request,
    text       text        NOT NULL,
    actor_key  uuid        NOT NULL,
    actor_name text        NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX change_request_comment_request_idx ON change_request_comment (request_id, id);
COMMENT ON TABLE change_request_comment IS 'What was said about a change request.';
COMMENT ON COLUMN change_request_comment.id IS 'UUIDv7';
COMMENT ON COLUMN change_request_comment.request_id IS 'change_request.id';
COMMENT ON COLUMN change_request_comment.text IS 'The comment';
COMMENT ON COLUMN change_request_comment.actor_key IS 'api_key.id of who wrote it';
COMMENT ON COLUMN change_request_comment.actor_name IS 'Name of that key then';
COMMENT ON COLUMN change_request_comment.created_at IS 'When';

CREATE FUNCTION members_told(members jsonb, scopes text[]) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN scope_held(scopes, 'asn.sensitive') THEN members ELSE members - '{nik,email,phone}'::text[] END;
COMMENT ON FUNCTION members_told(jsonb, text[]) IS 'Members of a record without those that the caller may not see.';

CREATE FUNCTION member_hidden(members jsonb, scopes text[]) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN (SELECT m FROM unnest('{nik,email,phone}'::text[]) m WHERE members ? m AND NOT scope_held(scopes, 'asn.sensitive') LIMIT 1);
COMMENT ON FUNCTION member_hidden(jsonb, text[]) IS 'The first member that the caller may not see, so may not give either; null: none.';

CREATE VIEW change_request_entry AS
SELECT r.id, a.nip, a.name, a.unit_id, r.kind, r.record, r.before, r.history, r.proof_text, r.proof_reference, r.state, r.reason, r.history_id,
       r.requested_by_name, r.decided_by_name, r.decided_at, r.version, r.created_at, r.updated_at, r.requested_by AS _requested_by, r.asn_id AS _asn_id,
       u.path AS _unit_path
FROM   change_request r
JOIN   asn a ON a.id = r.asn_id
JOIN   unit u ON u.id = a.unit_id;
COMMENT ON VIEW change_request_entry IS 'Change requests as the API shows them, but for members_told(). Of _columns the API shows nothing.';

CREATE FUNCTION change_request_seen(which uuid, units ltree[], scopes text[]) RETURNS boolean
LANGUAGE sql STABLE PARALLEL SAFE
RETURN EXISTS (SELECT FROM change_request_entry r
               WHERE  r.id = which AND r._unit_path <@ ANY (units) AND history_shown(coalesce(r.history ->> 'kind', ''), scopes));
COMMENT ON FUNCTION change_request_seen(uuid, ltree[], text[]) IS 'Whether a caller of these units and scopes may see the request.';
