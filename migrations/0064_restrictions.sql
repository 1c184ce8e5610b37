-- Restriction of processing (UU 27/2022, article 41): while it holds, what the office keeps of a person is changed by the office alone. See docs/decisions/0019-restriction.md.

CREATE TABLE restriction (
    id              uuid        CONSTRAINT restriction_pkey PRIMARY KEY,
    asn_id          uuid        NOT NULL CONSTRAINT restriction_asn_fkey REFERENCES asn,
    starts          date        NOT NULL,
    ends            date,
    ground          text        NOT NULL,
    data_request_id uuid        CONSTRAINT restriction_data_request_fkey REFERENCES data_request,
    end_reason      text,
    actor_key       uuid        NOT NULL,
    actor_name      text        NOT NULL,
    version         bigint      NOT NULL DEFAULT 1,
    created_at      timestamptz NOT NULL DEFAULT now(),
    updated_at      timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT restriction_days CHECK (ends >= starts),
    CONSTRAINT restriction_no_overlap EXCLUDE USING gist (asn_id WITH =, daterange(starts, ends) WITH &&)
);
CREATE INDEX restriction_asn_idx ON restriction (asn_id, starts);
CREATE INDEX restriction_data_request_idx ON restriction (data_request_id) WHERE data_request_id IS NOT NULL;
COMMENT ON TABLE restriction IS 'That the processing of a person''s data is restricted, and why.';
COMMENT ON COLUMN restriction.id IS 'UUIDv7';
COMMENT ON COLUMN restriction.asn_id IS 'asn.id: whose';
COMMENT ON COLUMN restriction.starts IS 'From this day on';
COMMENT ON COLUMN restriction.ends IS 'Before this day; null: until it is ended';
COMMENT ON COLUMN restriction.ground IS 'Why';
COMMENT ON COLUMN restriction.data_request_id IS 'data_request.id of what asked for it';
COMMENT ON COLUMN restriction.end_reason IS 'Why it was ended';
COMMENT ON COLUMN restriction.actor_key IS 'api_key.id of who restricted';
COMMENT ON COLUMN restriction.actor_name IS 'Name of that key then';
COMMENT ON COLUMN restriction.version IS 'Counts changes: ETag';
COMMENT ON COLUMN restriction.created_at IS 'When it was written';
COMMENT ON COLUMN restriction.updated_at IS 'Last change';
CREATE TRIGGER restriction_20_touch BEFORE UPDATE ON restriction FOR EACH ROW EXECUTE FUNCTION touch_row();

CREATE TABLE restriction_scope (
    relation text    CONSTRAINT restriction_scope_pkey PRIMARY KEY,
    is_held  boolean NOT NULL,
    reason   text    NOT NULL
);
COMMENT ON TABLE restriction_scope IS 'Which tables of a person a restriction holds, and which go on by law. restriction_attach() makes triggers of it.';
COMMENT ON COLUMN restriction_scope.relation IS 'Name of the table';
COMMENT ON COLUMN restriction_scope.is_held IS 'Whether its rows of a restricted person are changed by the personnel office alone';
COMMENT ON COLUMN restriction_scope.reason IS 'Why';
INSERT INTO restriction_scope VALUES
    ('asn', true, 'The record itself'),
    ('document', true, 'Files of his'),
    ('external_id', true, 'What links him to other systems'),
    ('history', true, 'The record as it was'),
    ('competency_assessment', true, 'Told of him by others'),
    ('ip_asn_bkn', true, 'Told of him by others'),
    ('potential', true, 'Told of him by others'),
    ('activity_participant', false, 'He takes part of his own will'),
    ('asn_merge', false, 'Of the personnel office alone anyway'),
    ('change_request', false, 'A proposal changes nothing, and is how he asks for correction'),
    ('data_request', false, 'His rights go on'),
    ('development_plan', false, 'A duty of the agency (UU 20/2023)'),
    ('due', false, 'Worked out'),
    ('enrolment', false, 'A duty of the agency (UU 20/2023)'),
    ('evaluation', false, 'Evaluation is a duty by law (PP 30/2019)'),
    ('external_certificate', false, 'He hands it in himself'),
    ('history_ahead', false, 'Worked out'),
    ('history_version', false, 'Follows history'),
    ('improvement_plan', false, 'Follows evaluation'),
    ('learning_entry', false, 'Worked out'),
    ('presence_month', false, 'Presence is what pay rests on'),
    ('restriction', false, 'The restriction itself'),
    ('skp', false, 'Evaluation is a duty by law (PP 30/2019)');

-- audit_facts() has a fourth part when the caller may not go on: the daemon says it of keys and tokens without the scope privacy.restrict.
CREATE FUNCTION restriction_guard() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
    met boolean;
BEGIN
    IF split_part(coalesce(current_setting('asnd.audit', true), ''), E'\t', 4) <> 'bound' OR pg_trigger_depth() > 1
       OR NOT EXISTS (SELECT FROM public.restriction r WHERE r.starts <= public.local_today() AND (r.ends IS NULL OR r.ends > public.local_today())) THEN
        RETURN NULL;
    END IF;
    EXECUTE format('SELECT EXISTS (SELECT FROM %s w JOIN public.restriction r ON r.asn_id = w.%I WHERE r.starts <= public.local_today() AND (r.ends IS NULL OR r.ends > public.local_today()))',
                   CASE TG_OP WHEN 'DELETE' THEN 'departed' ELSE 'entered' END, TG_ARGV[0]) INTO met;
    IF met THEN
        RAISE EXCEPTION USING ERRCODE = 'P0001', CONSTRAINT = 'restriction_holds', MESSAGE = 'the processing of this person''s data is restricted';
    END IF;
    RETURN NULL;
END $$;
COMMENT ON FUNCTION restriction_guard() IS 'Refuses changes of a restricted person''s rows by whoever is not the personnel office. What follows from a change elsewhere, which is let through, goes on too.';

CREATE FUNCTION restriction_attach() RETURNS integer
LANGUAGE plpgsql AS $$
DECLARE
    t record;
    n integer := 0;
BEGIN
    FOR t IN SELECT s.relation, CASE s.relation WHEN 'asn' THEN 'id' ELSE 'asn_id' END AS place FROM restriction_scope s WHERE s.is_held LOOP
        n := n + 1;
        EXECUTE format('CREATE OR REPLACE TRIGGER %1$s_80_restricted_insert AFTER INSERT ON %1$I REFERENCING NEW TABLE AS entered FOR EACH STATEMENT EXECUTE FUNCTION restriction_guard(%2$L)', t.relation, t.place);
        EXECUTE format('CREATE OR REPLACE TRIGGER %1$s_80_restricted_update AFTER UPDATE ON %1$I REFERENCING NEW TABLE AS entered FOR EACH STATEMENT EXECUTE FUNCTION restriction_guard(%2$L)', t.relation, t.place);
        EXECUTE format('CREATE OR REPLACE TRIGGER %1$s_80_restricted_delete AFTER DELETE ON %1$I REFERENCING OLD TABLE AS departed FOR EACH STATEMENT EXECUTE FUNCTION restriction_guard(%2$L)', t.relation, t.place);
    END LOOP;
    RETURN n;
END $$;
COMMENT ON FUNCTION restriction_attach() IS 'Makes the triggers of restriction_scope; a migration that adds a row there calls it.';
SELECT restriction_attach();

CREATE VIEW restriction_entry AS
SELECT r.id, a.nip, a.name, r.starts AS "from", r.ends AS "to", r.ground, r.data_request_id, r.end_reason, r.actor_name, r.version, r.created_at, r.updated_at,
       r.starts <= local_today() AND (r.ends IS NULL OR r.ends > local_today()) AS is_active, r.asn_id AS _asn_id, u.path AS _unit_path
FROM   restriction r
JOIN   asn a ON a.id = r.asn_id
JOIN   unit u ON u.id = a.unit_id;
COMMENT ON VIEW restriction_entry IS 'Restrictions as the API shows them. Of _columns the API shows nothing.';

SELECT audit_quietly('{row_rule}', $q$
    INSERT INTO row_rule (relation, place, of) VALUES ('restriction', 'asn_id', 'asn')
$q$);
SELECT audit_quietly('{export_table}', $q$
    INSERT INTO export_table (relation, section, place, title) VALUES ('restriction', 'request', 93, 'Pembatasan pemrosesan')
$q$);
SELECT audit_quietly('{audit_exempt}', $q$
    INSERT INTO audit_exempt (relation, reason) VALUES ('restriction_scope', 'The schema''s own: changed by migrations alone')
$q$);

SELECT audit_attach();
SELECT row_security_attach();
