-- Certificates: those issued here, with numbers without gaps and codes that are signed, and those earned elsewhere, counted once. docs/certificates.md.

-- ── what is printed ──────────────────────────────────────────────────────────────────────────────────────────────────────

CREATE TABLE certificate_rule (
    valid_from         date CONSTRAINT certificate_rule_pkey PRIMARY KEY,
    pattern            text NOT NULL CONSTRAINT certificate_rule_pattern_form CHECK (pattern ~ '\{seq(:[1-9])?\}' AND pattern ~ '\{year\}'
                           AND regexp_replace(pattern, '\{(seq(:[1-9])?|year|month|programme)\}', '', 'g') !~ '[{}]' AND length(pattern) <= 100),
    agency             text NOT NULL CONSTRAINT certificate_rule_agency_length CHECK (length(agency) BETWEEN 1 AND 200),
    place              text NOT NULL CONSTRAINT certificate_rule_place_length CHECK (length(place) BETWEEN 1 AND 100),
    signatory          text CONSTRAINT certificate_rule_signatory_length CHECK (length(signatory) BETWEEN 1 AND 200),
    signatory_position text CONSTRAINT certificate_rule_signatory_position_length CHECK (length(signatory_position) BETWEEN 1 AND 200)
);
COMMENT ON TABLE certificate_rule IS 'How certificates are numbered and who issues them. The newest row not after the day of issue holds.';
COMMENT ON COLUMN certificate_rule.valid_from IS 'First day of issue';
COMMENT ON COLUMN certificate_rule.pattern IS 'A number: {seq} or {seq:4} (with so many digits) and {year} must be in it, {month} (roman) and {programme} (its code) may';
COMMENT ON COLUMN certificate_rule.agency IS 'The agency at the head of the certificate';
COMMENT ON COLUMN certificate_rule.place IS 'Where it is signed';
COMMENT ON COLUMN certificate_rule.signatory IS 'Who signs; null: a line to sign on';
COMMENT ON COLUMN certificate_rule.signatory_position IS 'As what';
INSERT INTO certificate_rule VALUES
    ('1900-01-01', '{seq:4}/SERT/BKPSDM/{month}/{year}', 'Badan Kepegawaian dan Pengembangan Sumber Daya Manusia Kabupaten Contoh', 'Kota Contoh', NULL,
     'Kepala Badan');

CREATE TABLE certificate_counter (
    year integer CONSTRAINT certificate_counter_pkey PRIMARY KEY,
    last bigint  NOT NULL CONSTRAINT certificate_counter_last_range CHECK (last >= 0)
);
COMMENT ON TABLE certificate_counter IS 'The last number given in a year. A row and no sequence: a number that was not kept is given again, so there are no gaps.';
COMMENT ON COLUMN certificate_counter.year IS 'Year of issue';
COMMENT ON COLUMN certificate_counter.last IS 'Last number; 0: none yet';

CREATE TABLE certificate_key (
    id         text COLLATE "C" CONSTRAINT certificate_key_pkey PRIMARY KEY CONSTRAINT certificate_key_id_form CHECK (id ~ '^[0-9a-f]{8}$'),
    public_key bytea       NOT NULL CONSTRAINT certificate_key_public_key_length CHECK (octet_length(public_key) = 32),
    created_at timestamptz NOT NULL DEFAULT now(),
    retired_at timestamptz
);
CREATE UNIQUE INDEX certificate_key_one_signs ON certificate_key ((true)) WHERE retired_at IS NULL;
COMMENT ON TABLE certificate_key IS
    'Public keys (Ed25519) of all codes that were ever signed. The secret of the one that signs is in instance_secret; those of retired ones are gone.';
COMMENT ON COLUMN certificate_key.id IS 'First four bytes of SHA-256 of the public key, hexadecimal; stands in each code';
COMMENT ON COLUMN certificate_key.public_key IS 'The public key';
COMMENT ON COLUMN certificate_key.created_at IS 'Since when it signs';
COMMENT ON COLUMN certificate_key.retired_at IS 'Until when it signed; null: it does';
COMMENT ON COLUMN instance_secret.name IS 'What it is for: cursor, certificate';

-- ── issued here ──────────────────────────────────────────────────────────────────────────────────────────────────────────

CREATE TABLE certificate (
    id           uuid        CONSTRAINT certificate_pkey PRIMARY KEY,
    enrolment_id uuid        NOT NULL CONSTRAINT certificate_enrolment_fkey REFERENCES enrolment CONSTRAINT certificate_enrolment_key UNIQUE,
    number       text COLLATE "C" NOT NULL CONSTRAINT certificate_number_key UNIQUE,
    year         integer     NOT NULL,
    seq          bigint      NOT NULL,
    edition      integer     NOT NULL DEFAULT 1 CONSTRAINT certificate_edition_range CHECK (edition BETWEEN 1 AND 65535),
    state        text        NOT NULL DEFAULT 'valid' CONSTRAINT certificate_state_known CHECK (state IN ('valid', 'revoked')),
    version      bigint      NOT NULL DEFAULT 1,
    created_at   timestamptz NOT NULL DEFAULT now(),
    updated_at   timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT certificate_seq_key UNIQUE (year, seq)
);
CREATE INDEX certificate_state_idx ON certificate (state, id);
COMMENT ON TABLE certificate IS 'A certificate of a training that was passed here: its number, for ever. What it says stands in its editions.';
COMMENT ON COLUMN certificate.id IS 'UUIDv7; stands in the codes';
COMMENT ON COLUMN certificate.enrolment_id IS 'enrolment.id: who passed what';
COMMENT ON COLUMN certificate.number IS 'Nomor sertifikat, by the pattern of certificate_rule';
COMMENT ON COLUMN certificate.year IS 'Year of issue';
COMMENT ON COLUMN certificate.seq IS 'Its number in that year, 1 … without gaps';
COMMENT ON COLUMN certificate.edition IS 'The newest edition, 1 …';
COMMENT ON COLUMN certificate.state IS 'valid, or revoked: the newest edition is';
COMMENT ON COLUMN certificate.version IS 'Counts changes: ETag';
COMMENT ON COLUMN certificate.created_at IS 'When it was issued';
COMMENT ON COLUMN certificate.updated_at IS 'Last change';
CREATE TRIGGER certificate_20_touch BEFORE UPDATE ON certificate FOR EACH ROW EXECUTE FUNCTION touch_row();

CREATE TABLE certificate_edition (
    certificate_id     uuid    NOT NULL CONSTRAINT certificate_edition_certificate_fkey REFERENCES certificate,
    edition            integer NOT NULL,
    code               text COLLATE "C" NOT NULL CONSTRAINT certificate_edition_code_length CHECK (length(code) = 116),
    name               text    NOT NULL,
    nip                text COLLATE "C" NOT NULL,
    programme          text    NOT NULL,
    organiser          text    NOT NULL,
    held_at            text,
    starts_on          date    NOT NULL,
    ends_on            date    NOT NULL,
    jp                 integer NOT NULL,
    agency             text    NOT NULL,
    place              text    NOT NULL,
    signatory          text,
    signatory_position text,
    issued_on          date    NOT NULL,
    reason             text,
    revoked_at         timestamptz,
    revoke_reason      text,
    actor_key          uuid    NOT NULL,
    actor_name         text    NOT NULL,
    revoked_by         uuid,
    revoked_by_name    text,
    CONSTRAINT certificate_edition_pkey PRIMARY KEY (certificate_id, edition),
    CONSTRAINT certificate_edition_revoked CHECK ((revoked_at IS NULL) = (revoke_reason IS NULL) AND (revoked_at IS NULL) = (revoked_by IS NULL))
);
COMMENT ON TABLE certificate_edition IS 'What a certificate says, as it was printed. An edition never changes but by being revoked; a correction is the next one.';
COMMENT ON COLUMN certificate_edition.certificate_id IS 'certificate.id';
COMMENT ON COLUMN certificate_edition.edition IS '1 …; stands in the code';
COMMENT ON COLUMN certificate_edition.code IS 'The signed code: src/certificate/code.c';
COMMENT ON COLUMN certificate_edition.name IS 'The holder''s name with its titles, as it was then';
COMMENT ON COLUMN certificate_edition.nip IS 'The holder''s NIP then; never told in public';
COMMENT ON COLUMN certificate_edition.programme IS 'Title of the training';
COMMENT ON COLUMN certificate_edition.organiser IS 'Institusi penyelenggara';
COMMENT ON COLUMN certificate_edition.held_at IS 'Where the session was held';
COMMENT ON COLUMN certificate_edition.starts_on IS 'First day of the session';
COMMENT ON COLUMN certificate_edition.ends_on IS 'Last day of the session';
COMMENT ON COLUMN certificate_edition.jp IS 'Learning hours gained (JP)';
COMMENT ON COLUMN certificate_edition.agency IS 'The agency that issued it';
COMMENT ON COLUMN certificate_edition.place IS 'Where it was signed';
COMMENT ON COLUMN certificate_edition.signatory IS 'Who signed; null: by hand';
COMMENT ON COLUMN certificate_edition.signatory_position IS 'As what';
COMMENT ON COLUMN certificate_edition.issued_on IS 'Day of issue';
COMMENT ON COLUMN certificate_edition.reason IS 'Why it was made anew; null: the first';
COMMENT ON COLUMN certificate_edition.revoked_at IS 'When it was revoked; null: it holds';
COMMENT ON COLUMN certificate_edition.revoke_reason IS 'Why';
COMMENT ON COLUMN certificate_edition.actor_key IS 'api_key.id of who issued it';
COMMENT ON COLUMN certificate_edition.actor_name IS 'Name of that key then';
COMMENT ON COLUMN certificate_edition.revoked_by IS 'api_key.id of who revoked it';
COMMENT ON COLUMN certificate_edition.revoked_by_name IS 'Name of that key then';

CREATE FUNCTION certificate_edition_keep() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' OR OLD.revoked_at IS NOT NULL
       OR to_jsonb(NEW) - '{revoked_at,revoke_reason,revoked_by,revoked_by_name}'::text[]
          <> to_jsonb(OLD) - '{revoked_at,revoke_reason,revoked_by,revoked_by_name}'::text[] THEN
        RAISE EXCEPTION 'what was issued is for ever' USING ERRCODE = 'P0001', CONSTRAINT = 'certificate_fixed';
    END IF;
    RETURN NEW;
END $$;
COMMENT ON FUNCTION certificate_edition_keep() IS 'An edition can be revoked, once, and nothing else.';
CREATE TRIGGER certificate_edition_10_keep BEFORE UPDATE OR DELETE ON certificate_edition FOR EACH ROW EXECUTE FUNCTION certificate_edition_keep();

CREATE FUNCTION enrolment_is_passed(state text) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN state IN ('passed', 'certified', 'synced');
COMMENT ON FUNCTION enrolment_is_passed(text) IS 'Whether a certificate may be issued for it: it was passed, whatever became of that.';

CREATE FUNCTION certificate_number(pattern text, seq bigint, day date, programme text) RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    width integer := substring(pattern FROM '\{seq:([1-9])\}')::integer;
    digits text := lpad(seq::text, greatest(coalesce(width, 1), length(seq::text)), '0');
BEGIN
    RETURN replace(replace(replace(regexp_replace(pattern, '\{seq(:[1-9])?\}', digits, 'g'), '{year}', to_char(day, 'YYYY')),
                           '{month}', (ARRAY['I', 'II', 'III', 'IV', 'V', 'VI', 'VII', 'VIII', 'IX', 'X', 'XI', 'XII'])[extract(month FROM day)::integer]),
                   '{programme}', programme);
END $$;
COMMENT ON FUNCTION certificate_number(text, bigint, date, text) IS 'A number by its pattern.';

CREATE FUNCTION full_name(front text, name text, back text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN normalize(concat_ws(', ', concat_ws(' ', nullif(front, ''), name), nullif(back, '')), NFC);
COMMENT ON FUNCTION full_name(text, text, text) IS 'A name with its titles, its letters in one piece each.';

CREATE VIEW certificate_fresh AS
SELECT e.id AS enrolment_id, e.session_id, e.state, full_name(a.title_front, a.name, a.title_back) AS name, a.nip,
       normalize(p.name, NFC) AS programme, normalize(p.organiser, NFC) AS organiser, normalize(s.place, NFC) AS held_at, s.starts_on, s.ends_on, e.jp,
       p.code AS programme_code, u.path AS unit_path
FROM   enrolment e
JOIN   session s ON s.id = e.session_id
JOIN   programme p ON p.id = s.programme_id
JOIN   asn a ON a.id = e.asn_id
JOIN   unit u ON u.id = a.unit_id;
COMMENT ON VIEW certificate_fresh IS 'What a certificate of an enrolment would say today.';

CREATE VIEW certificate_entry AS
SELECT c.id, c.enrolment_id, e.session_id, a.nip, x.name, x.programme, x.organiser, x.starts_on, x.ends_on, x.jp, c.number, c.edition, c.state, x.issued_on,
       x.code, x.revoked_at, x.revoke_reason, x.actor_name, l.editions, c.version, c.created_at, c.updated_at, e.asn_id AS _asn_id, u.path AS _unit_path
FROM   certificate c
JOIN   certificate_edition x ON x.certificate_id = c.id AND x.edition = c.edition
JOIN   enrolment e ON e.id = c.enrolment_id
JOIN   asn a ON a.id = e.asn_id
JOIN   unit u ON u.id = a.unit_id
CROSS  JOIN LATERAL (SELECT json_agg(json_build_object('edition', o.edition, 'issued_on', o.issued_on, 'reason', o.reason, 'actor_name', o.actor_name,
                                                       'revoked_at', o.revoked_at, 'revoke_reason', o.revoke_reason, 'revoked_by_name', o.revoked_by_name)
                                     ORDER BY o.edition) AS editions
                     FROM   certificate_edition o WHERE o.certificate_id = c.id) l;
COMMENT ON VIEW certificate_entry IS 'Certificates as the API shows them to callers with a key: what the newest edition says, and all editions. nip is the present one.';

-- Whoever issues in a year waits here for whoever does, and sees afterwards what that one issued.
CREATE FUNCTION certificate_wait(day date) RETURNS integer
LANGUAGE plpgsql AS $$
DECLARE
    this integer := extract(year FROM day);
BEGIN
    INSERT INTO certificate_counter VALUES (this, 0) ON CONFLICT DO NOTHING;
    PERFORM FROM certificate_counter c WHERE c.year = this FOR UPDATE;
    RETURN this;
END $$;
COMMENT ON FUNCTION certificate_wait(date) IS 'Before certificates of that day''s year are issued: nobody else does.';

CREATE FUNCTION certificate_print(which uuid, present integer, signed text, enrolment uuid, day date, why text, by_key uuid, by_name text) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO certificate_edition (certificate_id, edition, code, name, nip, programme, organiser, held_at, starts_on, ends_on, jp, agency, place,
                                     signatory, signatory_position, issued_on, reason, actor_key, actor_name)
    SELECT which, present, signed, f.name, f.nip, f.programme, f.organiser, f.held_at, f.starts_on, f.ends_on, f.jp, normalize(r.agency, NFC),
           normalize(r.place, NFC), normalize(r.signatory, NFC), normalize(r.signatory_position, NFC), day, why, by_key, by_name
    FROM   certificate_fresh f, (SELECT * FROM certificate_rule WHERE valid_from <= day ORDER BY valid_from DESC LIMIT 1) r
    WHERE  f.enrolment_id = enrolment;
END $$;
COMMENT ON FUNCTION certificate_print(uuid, integer, text, uuid, date, text, uuid, text) IS 'An edition: what is true of the enrolment now.';

-- After certificate_wait(). ids and codes belong to the enrolments one by one.
CREATE FUNCTION certificate_issue(enrolments uuid[], ids uuid[], codes text[], day date, by_key uuid, by_name text) RETURNS integer
LANGUAGE plpgsql AS $$
DECLARE
    before bigint;
BEGIN
    UPDATE certificate_counter c SET last = c.last + cardinality(ids) WHERE c.year = extract(year FROM day)
    RETURNING c.last - cardinality(ids) INTO STRICT before;
    INSERT INTO certificate (id, enrolment_id, number, year, seq)
    SELECT w.id, w.enrolment,
           certificate_number((SELECT r.pattern FROM certificate_rule r WHERE r.valid_from <= day ORDER BY r.valid_from DESC LIMIT 1), before + w.n, day,
                              f.programme_code),
           extract(year FROM day), before + w.n
    FROM   unnest(ids, enrolments) WITH ORDINALITY AS w (id, enrolment, n) JOIN certificate_fresh f ON f.enrolment_id = w.enrolment;
    PERFORM certificate_print(w.id, 1, w.code, w.enrolment, day, NULL, by_key, by_name)
    FROM    unnest(ids, enrolments, codes) AS w (id, enrolment, code);
    RETURN cardinality(ids);
END $$;
COMMENT ON FUNCTION certificate_issue(uuid[], uuid[], text[], date, uuid, text) IS 'Issues and numbers certificates for these enrolments; says how many.';

CREATE FUNCTION certificate_revoke(which uuid, why text, by_key uuid, by_name text) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    UPDATE certificate_edition x
    SET    revoked_at = now(), revoke_reason = why, revoked_by = by_key, revoked_by_name = by_name
    FROM   certificate c
    WHERE  c.id = which AND (x.certificate_id, x.edition) = (c.id, c.edition) AND x.revoked_at IS NULL;
    UPDATE certificate c SET state = 'revoked' WHERE c.id = which;
END $$;
COMMENT ON FUNCTION certificate_revoke(uuid, text, uuid, text) IS 'Revokes the newest edition, unless it is.';

CREATE TYPE certificate_answer AS (problem text, entry certificate_entry);
COMMENT ON TYPE certificate_answer IS 'What became of it: a problem of the catalogue, or the certificate.';

CREATE FUNCTION certificate_withdraw(which uuid, units ltree[], seen int8multirange, why text, by_key uuid, by_name text) RETURNS SETOF certificate_answer
LANGUAGE plpgsql AS $$
DECLARE
    answer certificate_answer;
    me     certificate_entry;
BEGIN
    PERFORM FROM certificate c WHERE c.id = which FOR UPDATE;
    SELECT e.* INTO me FROM certificate_entry e WHERE e.id = which AND e._unit_path <@ ANY (units);
    IF NOT FOUND THEN
        RETURN;
    END IF;
    answer.problem := CASE WHEN NOT seen @> me.version THEN 'version-stale' WHEN me.state = 'revoked' THEN 'certificate-revoked' END;
    IF answer.problem IS NULL THEN
        PERFORM certificate_revoke(which, why, by_key, by_name);
        SELECT e.* INTO me FROM certificate_entry e WHERE e.id = which;
    END IF;
    answer.entry := me;
    RETURN NEXT answer;
END $$;
COMMENT ON FUNCTION certificate_withdraw(uuid, ltree[], int8multirange, text, uuid, text) IS 'Revokes a certificate of these units; no row: there is none.';

-- ── earned elsewhere ─────────────────────────────────────────────────────────────────────────────────────────────────────

CREATE FUNCTION certificate_words(told text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN regexp_replace(name_key(told), '^(nomor|no|nomer) +', '');
COMMENT ON FUNCTION certificate_words(text) IS 'A number or an organiser as they are compared: small letters, any punctuation as one space, without "Nomor" before it.';

CREATE TABLE external_certificate (
    id                uuid        CONSTRAINT external_certificate_pkey PRIMARY KEY,
    asn_id            uuid        NOT NULL CONSTRAINT external_certificate_asn_fkey REFERENCES asn,
    organiser         text        NOT NULL CONSTRAINT external_certificate_organiser_length CHECK (length(organiser) BETWEEN 1 AND 200),
    organiser_key     text COLLATE "C" GENERATED ALWAYS AS (certificate_words(organiser)) STORED
                                  CONSTRAINT external_certificate_organiser_words CHECK (length(organiser_key) > 0),
    number            text        NOT NULL CONSTRAINT external_certificate_number_length CHECK (length(number) BETWEEN 1 AND 120),
    number_key        text COLLATE "C" GENERATED ALWAYS AS (certificate_words(number)) STORED
                                  CONSTRAINT external_certificate_number_words CHECK (length(number_key) > 0),
    name              text        NOT NULL CONSTRAINT external_certificate_name_length CHECK (length(name) BETWEEN 1 AND 300),
    form              text COLLATE "C" NOT NULL,
    jp                integer     NOT NULL CONSTRAINT external_certificate_jp_range CHECK (jp BETWEEN 0 AND 2000),
    starts_on         date        NOT NULL CONSTRAINT external_certificate_starts_on_range CHECK (starts_on BETWEEN '1900-01-01' AND '2099-12-31'),
    ends_on           date        NOT NULL CONSTRAINT external_certificate_days CHECK (ends_on BETWEEN starts_on AND '2099-12-31'),
    issued_on         date        CONSTRAINT external_certificate_issued_on_range CHECK (issued_on BETWEEN '1900-01-01' AND '2099-12-31'),
    document_id       uuid        CONSTRAINT external_certificate_document_fkey REFERENCES document,
    proof_reference   text        CONSTRAINT external_certificate_proof_reference_length CHECK (length(proof_reference) BETWEEN 1 AND 300),
    state             text        NOT NULL DEFAULT 'submitted'
                                  CONSTRAINT external_certificate_state_known CHECK (state IN ('submitted', 'verified', 'refused')),
    is_double         boolean     NOT NULL DEFAULT false,
    reason            text,
    history_id        uuid        CONSTRAINT external_certificate_history_fkey REFERENCES history,
    submitted_by      uuid        NOT NULL,
    submitted_by_name text        NOT NULL,
    decided_by        uuid,
    decided_by_name   text,
    decided_at        timestamptz,
    version           bigint      NOT NULL DEFAULT 1,
    created_at        timestamptz NOT NULL DEFAULT now(),
    updated_at        timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT external_certificate_proof CHECK (num_nonnulls(document_id, proof_reference) > 0),
    CONSTRAINT external_certificate_decision CHECK ((state = 'submitted') = (decided_at IS NULL) AND (state = 'verified') = (history_id IS NOT NULL)),
    CONSTRAINT external_certificate_not_own CHECK (decided_by <> submitted_by)
);
CREATE UNIQUE INDEX external_certificate_once ON external_certificate (asn_id, organiser_key, number_key) WHERE state <> 'refused' AND NOT is_double;
CREATE INDEX external_certificate_asn_idx ON external_certificate (asn_id, id);
CREATE INDEX external_certificate_state_idx ON external_certificate (state, id);
CREATE INDEX external_certificate_submitted_by_idx ON external_certificate (submitted_by, id);
CREATE INDEX external_certificate_document_idx ON external_certificate (document_id);
CREATE INDEX external_certificate_history_idx ON external_certificate (history_id);
COMMENT ON TABLE external_certificate IS 'A certificate of a training elsewhere, its proof, and what the office decided. Verified it has its row in the history of courses.';
COMMENT ON COLUMN external_certificate.id IS 'UUIDv7';
COMMENT ON COLUMN external_certificate.asn_id IS 'asn.id: whose it is';
COMMENT ON COLUMN external_certificate.organiser IS 'Institusi penyelenggara, as it is printed';
COMMENT ON COLUMN external_certificate.organiser_key IS 'certificate_words(organiser)';
COMMENT ON COLUMN external_certificate.number IS 'Number, as it is printed';
COMMENT ON COLUMN external_certificate.number_key IS 'certificate_words(number)';
COMMENT ON COLUMN external_certificate.name IS 'Title of the training';
COMMENT ON COLUMN external_certificate.form IS 'Bentuk: code of the list training-form';
COMMENT ON COLUMN external_certificate.jp IS 'Learning hours (JP) that it says';
COMMENT ON COLUMN external_certificate.starts_on IS 'First day of the training';
COMMENT ON COLUMN external_certificate.ends_on IS 'Last day of the training';
COMMENT ON COLUMN external_certificate.issued_on IS 'Date of the certificate';
COMMENT ON COLUMN external_certificate.document_id IS 'document.id: the certificate itself';
COMMENT ON COLUMN external_certificate.proof_reference IS 'What else proves it, or where it can be seen';
COMMENT ON COLUMN external_certificate.state IS 'submitted, then verified or refused, for good';
COMMENT ON COLUMN external_certificate.is_double IS 'A merge of two persons brought it to one who had it already: it does not count';
COMMENT ON COLUMN external_certificate.reason IS 'Why it was decided so';
COMMENT ON COLUMN external_certificate.history_id IS 'history.id of the course that verifying made';
COMMENT ON COLUMN external_certificate.submitted_by IS 'api_key.id of who submitted it; that key never decides it';
COMMENT ON COLUMN external_certificate.submitted_by_name IS 'Name of that key then';
COMMENT ON COLUMN external_certificate.decided_by IS 'api_key.id of who verified or refused it';
COMMENT ON COLUMN external_certificate.decided_by_name IS 'Name of that key then';
COMMENT ON COLUMN external_certificate.decided_at IS 'When';
COMMENT ON COLUMN external_certificate.version IS 'Counts changes: ETag';
COMMENT ON COLUMN external_certificate.created_at IS 'When it was submitted';
COMMENT ON COLUMN external_certificate.updated_at IS 'Last change';

CREATE FUNCTION external_certificate_keep() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.asn_id <> OLD.asn_id THEN
        IF NOT is_merging() THEN
            RAISE EXCEPTION 'whose it is is for ever' USING ERRCODE = 'P0001', CONSTRAINT = 'certificate_fixed';
        END IF;
        NEW.is_double := EXISTS (SELECT FROM external_certificate o
                                 WHERE  o.id <> NEW.id AND (o.asn_id, o.organiser_key, o.number_key) = (NEW.asn_id, OLD.organiser_key, OLD.number_key)
                                        AND o.state <> 'refused' AND NOT o.is_double);
    END IF;
    RETURN NEW;
END $$;
COMMENT ON FUNCTION external_certificate_keep() IS 'Only a merge changes whose it is; who comes to have it twice counts it once, and again when the merge is undone.';
CREATE TRIGGER external_certificate_10_keep BEFORE UPDATE ON external_certificate FOR EACH ROW EXECUTE FUNCTION external_certificate_keep();
CREATE TRIGGER external_certificate_20_touch BEFORE UPDATE ON external_certificate FOR EACH ROW EXECUTE FUNCTION touch_row();

CREATE FUNCTION certificate_known(person uuid, organiser_words text, number_words text) RETURNS uuid
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN coalesce(
        (SELECT h.id FROM history h
         WHERE  h.asn_id = person AND h.kind = 'course' AND NOT h.is_void AND certificate_words(h.facts ->> 'certificate_number') = number_words
                AND certificate_words(h.facts ->> 'organiser') = organiser_words LIMIT 1),
        (SELECT c.id FROM enrolment e JOIN certificate c ON c.enrolment_id = e.id
                     JOIN certificate_edition x ON x.certificate_id = c.id AND x.edition = c.edition
         WHERE  e.asn_id = person AND certificate_words(c.number) = number_words AND organiser_words IN (certificate_words(x.organiser), certificate_words(x.agency))
         LIMIT  1));
END $$;
COMMENT ON FUNCTION certificate_known(uuid, text, text) IS
    'The course in the histories, or the certificate issued here, that is this one (organiser and number as certificate_words() has them); null: neither.';

CREATE FUNCTION certificate_doubles(me external_certificate) RETURNS json
LANGUAGE plpgsql STABLE AS $$
DECLARE
    key text := name_key(me.name);
BEGIN
    RETURN (
        SELECT coalesce(json_agg(json_build_object('kind', d.kind, 'id', d.id, 'name', d.name, 'from', d.first, 'to', d.last) ORDER BY d.first, d.id), '[]')
        FROM  (SELECT 'external' AS kind, o.id, o.name, o.starts_on AS first, o.ends_on AS last
               FROM   external_certificate o WHERE o.asn_id = me.asn_id AND o.id <> me.id AND o.state <> 'refused'
               UNION ALL
               SELECT 'history', h.id, h.facts ->> 'name', h.starts, coalesce(h.ends - 1, h.starts)
               FROM   history h
               WHERE  h.asn_id = me.asn_id AND h.kind = 'course' AND NOT h.is_void AND h.id IS DISTINCT FROM me.history_id
                      AND NOT EXISTS (SELECT FROM external_certificate o WHERE o.history_id = h.id)
               UNION ALL
               SELECT 'enrolment', e.id, p.name, s.starts_on, s.ends_on
               FROM   enrolment e JOIN session s ON s.id = e.session_id JOIN programme p ON p.id = s.programme_id
               WHERE  e.asn_id = me.asn_id AND enrolment_is_passed(e.state)) d
        WHERE  (d.first = me.starts_on OR d.last = me.ends_on) AND similarity(name_key(d.name), key) >= 0.5);
END $$;
COMMENT ON FUNCTION certificate_doubles(external_certificate) IS
    'What else of this person may be the same training: a name like this one, and the same first or last day. A hint to whoever decides, no more.';

CREATE VIEW external_certificate_entry AS
SELECT x.id, a.nip, a.name AS holder, a.unit_id, x.organiser, x.number, x.name, x.form, x.jp, x.starts_on, x.ends_on, x.issued_on, x.document_id,
       x.proof_reference, x.state, x.is_double, x.reason, x.history_id, x.submitted_by_name, x.decided_by_name, x.decided_at, x.version, x.created_at,
       x.updated_at, x.submitted_by AS _submitted_by, x.asn_id AS _asn_id, u.path AS _unit_path
FROM   external_certificate x
JOIN   asn a ON a.id = x.asn_id
JOIN   unit u ON u.id = a.unit_id;
COMMENT ON VIEW external_certificate_entry IS 'Certificates earned elsewhere as the API shows them, but for certificate_doubles(). Of _columns the API shows nothing.';

CREATE TYPE external_certificate_answer AS (problem text, place text, value text, entry external_certificate_entry, doubles json);
COMMENT ON TYPE external_certificate_answer IS 'What became of it: a problem of the catalogue with its place, or the certificate and what it may be a double of.';

CREATE FUNCTION external_certificate_told(which uuid) RETURNS external_certificate_answer
LANGUAGE plpgsql STABLE AS $$
DECLARE
    answer external_certificate_answer;
BEGIN
    SELECT e AS entry, certificate_doubles(x) AS doubles INTO answer.entry, answer.doubles
    FROM   external_certificate_entry e JOIN external_certificate x ON x.id = e.id WHERE e.id = which;
    RETURN answer;
END $$;
COMMENT ON FUNCTION external_certificate_told(uuid) IS 'The answer that shows it.';

CREATE FUNCTION external_certificate_fault(me external_certificate, scopes text[], OUT problem text, OUT place text, OUT value text)
LANGUAGE plpgsql STABLE AS $$
DECLARE
    known uuid := certificate_known(me.asn_id, certificate_words(me.organiser), certificate_words(me.number));
BEGIN
    IF NOT reference_holds('training-form', me.form, me.starts_on) THEN
        problem := 'code-unknown'; place := '/form'; value := me.form;
    ELSIF me.ends_on > local_today() THEN
        problem := 'certificate-early'; place := '/ends_on'; value := me.ends_on;
    ELSIF me.document_id IS NOT NULL
          AND NOT EXISTS (SELECT FROM document_entry d WHERE d.id = me.document_id AND d._asn_id = me.asn_id AND NOT d.is_void
                                                             AND (NOT d._is_discipline OR scope_held(scopes, 'asn.discipline'))) THEN
        problem := 'reference-missing'; place := '/document_id'; value := me.document_id;
    ELSIF known IS NOT NULL THEN
        problem := 'certificate-known'; place := '/number'; value := known;
    END IF;
END $$;
COMMENT ON FUNCTION external_certificate_fault(external_certificate, text[]) IS
    'Why it cannot be counted: a form that its list does not hold, a training that is not over, a document that is not there, one that counts already (value: which).';

-- The person's lock comes first, here and when it is decided, as in every write of histories.
CREATE FUNCTION external_certificate_submit(me external_certificate, person_number text, units ltree[], scopes text[]) RETURNS SETOF external_certificate_answer
LANGUAGE plpgsql AS $$
DECLARE
    answer external_certificate_answer;
BEGIN
    SELECT a.id INTO me.asn_id FROM asn a WHERE a.id = asn_of_nip(person_number) AND EXISTS (SELECT FROM unit u WHERE u.id = a.unit_id AND u.path <@ ANY (units))
    FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        answer := ('reference-missing', '/nip', person_number, NULL, NULL)::external_certificate_answer;
        RETURN NEXT answer;
        RETURN;
    END IF;
    SELECT f.problem, f.place, f.value INTO answer.problem, answer.place, answer.value FROM external_certificate_fault(me, scopes) f;
    IF answer.problem IS NULL THEN
        INSERT INTO external_certificate (id, asn_id, organiser, number, name, form, jp, starts_on, ends_on, issued_on, document_id, proof_reference,
                                          submitted_by, submitted_by_name)
        VALUES (me.id, me.asn_id, me.organiser, me.number, me.name, me.form, me.jp, me.starts_on, me.ends_on, me.issued_on, me.document_id,
                me.proof_reference, me.submitted_by, me.submitted_by_name);
        answer := external_certificate_told(me.id);
    END IF;
    RETURN NEXT answer;
END $$;
COMMENT ON FUNCTION external_certificate_submit(external_certificate, text, ltree[], text[]) IS
    'A certificate for the person with that NIP in these units; external_certificate_once refuses what was submitted before.';

CREATE FUNCTION external_certificate_course(me external_certificate, which uuid, units ltree[], scopes text[], by_key uuid, by_name text)
RETURNS external_certificate_answer
LANGUAGE plpgsql AS $$
DECLARE
    answer external_certificate_answer;
BEGIN
    SELECT f.problem, f.place, f.value INTO answer.problem, answer.place, answer.value FROM external_certificate_fault(me, scopes) f;
    IF answer.problem IS NULL THEN
        SELECT coalesce(w.problem, CASE WHEN w.entry IS NULL THEN 'not-found' END), replace(w.pointer, '/facts', ''), w.value
        INTO   answer.problem, answer.place, answer.value
        FROM   asn a
        LEFT   JOIN LATERAL history_write(which, a.nip, units, scopes,
                   jsonb_build_object('kind', 'course', 'from', me.starts_on, 'to', me.ends_on + 1,
                                      'facts', jsonb_build_object('name', me.name, 'form', me.form, 'organiser', me.organiser, 'jp', me.jp,
                                                                  'certificate_number', me.number, 'certificate_date', me.issued_on)),
                   NULL, NULL, by_key, by_name) w ON true
        WHERE  a.id = me.asn_id;
    END IF;
    IF answer.problem IS NULL AND me.document_id IS NOT NULL THEN
        INSERT INTO document_link (document_id, history_id) VALUES (me.document_id, which);
        UPDATE document d SET actor_key = by_key, actor_name = by_name WHERE d.id = me.document_id;
    END IF;
    RETURN answer;
END $$;
COMMENT ON FUNCTION external_certificate_course(external_certificate, uuid, ltree[], text[], uuid, text) IS
    'The row of the history of courses, by the rules of any other, with the document that proves it.';

CREATE FUNCTION external_certificate_decide(which uuid, becomes text, why text, course uuid, units ltree[], scopes text[], seen int8multirange, by_key uuid,
                                            by_name text) RETURNS SETOF external_certificate_answer
LANGUAGE plpgsql AS $$
DECLARE
    me     external_certificate;
    answer external_certificate_answer;
BEGIN
    PERFORM FROM asn a WHERE a.id = (SELECT x.asn_id FROM external_certificate x WHERE x.id = which) FOR NO KEY UPDATE;
    SELECT x.* INTO me FROM external_certificate x
    WHERE  x.id = which AND EXISTS (SELECT FROM external_certificate_entry e WHERE e.id = which AND e._unit_path <@ ANY (units)) FOR UPDATE;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    answer.problem := CASE WHEN NOT seen @> me.version THEN 'version-stale' WHEN me.state <> 'submitted' THEN 'certificate-decided'
                           WHEN me.submitted_by = by_key THEN 'certificate-own'
                           WHEN becomes = 'verified' AND me.is_double THEN 'certificate-known' END;
    IF answer.problem IS NULL AND becomes = 'verified' THEN
        answer := external_certificate_course(me, course, units, scopes, by_key, by_name);
    END IF;
    IF answer.problem IS NULL THEN
        UPDATE external_certificate x
        SET    state = becomes, reason = why, history_id = CASE WHEN becomes = 'verified' THEN course END, decided_by = by_key, decided_by_name = by_name,
               decided_at = now()
        WHERE  x.id = which;
        answer := external_certificate_told(which);
    END IF;
    RETURN NEXT answer;
END $$;
COMMENT ON FUNCTION external_certificate_decide(uuid, text, text, uuid, ltree[], text[], int8multirange, uuid, text) IS
    'Verifies (with its course, in the same transaction) or refuses a certificate of these units; never by whoever submitted it. No row: there is none.';

-- ── the feed of changes ──────────────────────────────────────────────────────────────────────────────────────────────────

ALTER TABLE change DROP CONSTRAINT change_entity_known,
                   ADD CONSTRAINT change_entity_known CHECK (entity IN ('unit', 'asn', 'history', 'programme', 'session', 'enrolment', 'period', 'evaluation', 'skp',
                       'document', 'certificate', 'external_certificate'));

CREATE OR REPLACE FUNCTION change_entities(scopes text[]) RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN scope_held(scopes, 'unit.read') THEN '{unit}'::text[] ELSE '{}' END
    || CASE WHEN scope_held(scopes, 'asn.read') THEN '{asn,history}'::text[] ELSE '{}' END
    || CASE WHEN scope_held(scopes, 'training.read') THEN '{programme,session,enrolment}'::text[] ELSE '{}' END
    || CASE WHEN scope_held(scopes, 'performance.read') THEN '{period,evaluation,skp}'::text[] ELSE '{}' END
    || CASE WHEN scope_held(scopes, 'document.read') THEN '{document}'::text[] ELSE '{}' END
    || CASE WHEN scope_held(scopes, 'certificate.read') THEN '{certificate,external_certificate}'::text[] ELSE '{}' END;

CREATE OR REPLACE FUNCTION change_href(entity text, id uuid, key text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE entity WHEN 'asn' THEN '/v1/asn/' || key
                   WHEN 'history' THEN '/v1/asn/' || key || '/history/' || id
                   WHEN 'certificate' THEN '/v1/issued-certificates/' || id
                   WHEN 'external_certificate' THEN '/v1/external-certificates/' || id
                   ELSE '/v1/' || entity || 's/' || id END;

-- Not by change_note(): a certificate's person is that of its enrolment.
CREATE FUNCTION certificate_note() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
    batch bigint;
BEGIN
    IF NOT EXISTS (SELECT FROM entered) THEN
        RETURN NULL;
    END IF;
    batch := change_open_batch();
    IF TG_TABLE_NAME = 'certificate' THEN
        INSERT INTO change (batch, entity, id, kind, asn_id, version)
        SELECT batch, 'certificate', n.id, CASE WHEN TG_OP = 'INSERT' THEN 'created' ELSE 'updated' END,
               (SELECT e.asn_id FROM enrolment e WHERE e.id = n.enrolment_id), n.version
        FROM   entered n;
    ELSE
        INSERT INTO change (batch, entity, id, kind, asn_id, version)
        SELECT batch, 'external_certificate', n.id, CASE WHEN TG_OP = 'INSERT' THEN 'created' ELSE 'updated' END, n.asn_id, n.version FROM entered n;
    END IF;
    RETURN NULL;
END $$;
COMMENT ON FUNCTION certificate_note() IS 'Notes new and changed certificates of a statement.';
CREATE TRIGGER certificate_35_change_insert AFTER INSERT ON certificate REFERENCING NEW TABLE AS entered FOR EACH STATEMENT EXECUTE FUNCTION certificate_note();
CREATE TRIGGER certificate_35_change_update AFTER UPDATE ON certificate REFERENCING NEW TABLE AS entered FOR EACH STATEMENT EXECUTE FUNCTION certificate_note();
CREATE TRIGGER external_certificate_35_change_insert AFTER INSERT ON external_certificate REFERENCING NEW TABLE AS entered
    FOR EACH STATEMENT EXECUTE FUNCTION certificate_note();
CREATE TRIGGER external_certificate_35_change_update AFTER UPDATE ON external_certificate REFERENCING NEW TABLE AS entered
    FOR EACH STATEMENT EXECUTE FUNCTION certificate_note();
