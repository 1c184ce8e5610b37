-- SPDX-License-Identifier: Apache-2.0
-- Who calls: keys that have an owner, places they may be used from, a certificate they are bound to, and two secrets while they are rotated; callers that
-- come with a token of the identity provider; tokens that are refused before their time is over.

ALTER TABLE api_key
    ADD COLUMN kind              text        NOT NULL DEFAULT 'key' CONSTRAINT api_key_kind_known CHECK (kind IN ('key', 'token')),
    ADD COLUMN owner             text        CONSTRAINT api_key_owner_length CHECK (length(owner) BETWEEN 1 AND 200),
    ADD COLUMN allow_from        cidr[]      CONSTRAINT api_key_allow_from_length CHECK (cardinality(allow_from) BETWEEN 1 AND 50),
    ADD COLUMN certificate       text        CONSTRAINT api_key_certificate_form CHECK (certificate ~ '^[0-9a-f]{64}$'),
    ADD COLUMN previous_hash     text        CONSTRAINT api_key_previous_hash_key UNIQUE CONSTRAINT api_key_previous_hash_form CHECK (previous_hash ~ '^[0-9a-f]{64}$'),
    ADD COLUMN previous_until    timestamptz,
    ADD COLUMN previous_used_at  timestamptz,
    ADD COLUMN rotated_at        timestamptz,
    ADD COLUMN issuer            text,
    ADD COLUMN subject           text,
    ADD COLUMN version           bigint      NOT NULL DEFAULT 1,
    ADD COLUMN updated_at        timestamptz NOT NULL DEFAULT now(),
    ADD CONSTRAINT api_key_previous_ends CHECK ((previous_hash IS NULL) = (previous_until IS NULL)),
    ADD CONSTRAINT api_key_token_subject CHECK ((kind = 'token') = (issuer IS NOT NULL) AND (kind = 'token') = (subject IS NOT NULL));

COMMENT ON TABLE api_key IS 'Who may call: one row a key, and one for each subject whose token was taken. Neither key nor token is ever stored.';
COMMENT ON COLUMN api_key.hash IS 'SHA-256 of the whole key, hex; of a token''s subject that of issuer, line feed, subject: no text that a caller can send has it';
COMMENT ON COLUMN api_key.scopes IS 'What it may do: asn.read, training.write …; admin holds all. Empty of a token: its roles say it, anew with each';
COMMENT ON COLUMN api_key.unit_ids IS 'Units whose subtrees it may see (wherever they are moved to); null: everything. Of a token: its claims say it';
COMMENT ON COLUMN api_key.kind IS 'key, or token: the subject of tokens that the identity provider gives';
COMMENT ON COLUMN api_key.owner IS 'Who answers for it: an office or a post';
COMMENT ON COLUMN api_key.allow_from IS 'Networks it may be used from; null: from everywhere';
COMMENT ON COLUMN api_key.certificate IS 'SHA-256 of the client certificate (DER), hex, without which it is refused; null: none is needed';
COMMENT ON COLUMN api_key.previous_hash IS 'Hash of the secret before the last rotation, while both hold';
COMMENT ON COLUMN api_key.previous_until IS 'Until when the secret before the last rotation holds';
COMMENT ON COLUMN api_key.previous_used_at IS 'Last use of that earlier secret, to about a minute: somebody has not changed over yet';
COMMENT ON COLUMN api_key.rotated_at IS 'When it last got a new secret; null: it has its first';
COMMENT ON COLUMN api_key.issuer IS 'Of a token: who gives it (iss)';
COMMENT ON COLUMN api_key.subject IS 'Of a token: whom it speaks of at its issuer (sub), no number of ours';
COMMENT ON COLUMN api_key.version IS 'Counts changes by people (not uses): the ETag';
COMMENT ON COLUMN api_key.updated_at IS 'When somebody last changed it';

CREATE TRIGGER api_key_touch BEFORE UPDATE OF name, owner, scopes, unit_ids, allow_from, certificate, expires_at, revoked_at, hash ON api_key
    FOR EACH ROW EXECUTE FUNCTION touch_row();

CREATE FUNCTION scopes_cover(have text[], want text[]) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN 'admin' = ANY (have) OR want <@ have;
COMMENT ON FUNCTION scopes_cover(text[], text[]) IS 'Whether who holds these scopes holds those too: nobody gives away, or gets hold of, more than he has.';

CREATE FUNCTION units_cover(have ltree[], want uuid[]) RETURNS boolean
LANGUAGE sql STABLE PARALLEL SAFE
RETURN ''::ltree = ANY (have)
       OR want IS NOT NULL AND NOT EXISTS (SELECT FROM unnest(want) AS w (id) LEFT JOIN unit u ON u.id = w.id WHERE u.id IS NULL OR NOT u.path <@ ANY (have));
COMMENT ON FUNCTION units_cover(ltree[], uuid[]) IS 'Whether all these units (null: every unit) lie below those paths.';

CREATE TABLE token_denial (
    jti        text        PRIMARY KEY CONSTRAINT token_denial_jti_length CHECK (length(jti) BETWEEN 1 AND 200),
    reason     text        NOT NULL CONSTRAINT token_denial_reason_length CHECK (length(reason) BETWEEN 1 AND 300),
    expires_at timestamptz NOT NULL,
    denied_by  uuid        NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX token_denial_expires_at_idx ON token_denial (expires_at);
CREATE INDEX token_denial_created_at_idx ON token_denial (created_at, jti);
COMMENT ON TABLE token_denial IS 'Tokens that are refused although they have not expired: stolen, or of a session that was ended.';
COMMENT ON COLUMN token_denial.jti IS 'The token''s own id (claim jti)';
COMMENT ON COLUMN token_denial.reason IS 'Why, in a few words';
COMMENT ON COLUMN token_denial.expires_at IS 'When the token has expired by itself and the row may go';
COMMENT ON COLUMN token_denial.denied_by IS 'api_key.id of who denied it';
COMMENT ON COLUMN token_denial.created_at IS 'When';
