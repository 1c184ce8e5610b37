-- What a person asks for his data, with the clock of 3×24 hours: access, correction, restriction, erasure, objection. See docs/personal-data.md.

CREATE TABLE data_request_rule (
    kind         text     NOT NULL CONSTRAINT data_request_rule_kind_known CHECK (kind IN ('access', 'correction', 'restriction', 'erasure', 'objection')),
    starts       date     NOT NULL,
    hours        smallint NOT NULL CONSTRAINT data_request_rule_hours_range CHECK (hours BETWEEN 1 AND 2400),
    article      text     NOT NULL,
    is_confirmed boolean  NOT NULL,
    note         text     NOT NULL,
    CONSTRAINT data_request_rule_pkey PRIMARY KEY (kind, starts)
);
COMMENT ON TABLE data_request_rule IS 'Within how many hours a request is to be answered, and by what. Passing it is told, and never refuses anything.';
COMMENT ON COLUMN data_request_rule.kind IS 'What is asked';
COMMENT ON COLUMN data_request_rule.starts IS 'For requests filed from this day on, until a later row';
COMMENT ON COLUMN data_request_rule.hours IS 'Hours by the clock, not working days';
COMMENT ON COLUMN data_request_rule.article IS 'Where it stands';
COMMENT ON COLUMN data_request_rule.is_confirmed IS 'Whether the limit was found in the law''s text; false: remembered, or taken over for want of one';
COMMENT ON COLUMN data_request_rule.note IS 'What is to be known of it';
INSERT INTO data_request_rule VALUES
    ('access', '1900-01-01', 72, 'UU 27/2022 Pasal 32', true, '3×24 hours from the request, with the trail of processing'),
    ('correction', '1900-01-01', 72, 'UU 27/2022 Pasal 30', false, '3×24 hours from the request; the person is told of it'),
    ('restriction', '1900-01-01', 72, 'UU 27/2022 Pasal 41', false, '3×24 hours, with exceptions by law; the text is confirmed, the number of the article is not'),
    ('erasure', '1900-01-01', 72, 'UU 27/2022 Pasal 43', false, 'No limit of its own was found: that of the others'),
    ('objection', '1900-01-01', 72, 'UU 27/2022 Pasal 10', false, 'No limit of its own was found: that of the others');

CREATE TABLE data_request (
    id                uuid        CONSTRAINT data_request_pkey PRIMARY KEY,
    asn_id            uuid        NOT NULL CONSTRAINT data_request_asn_fkey REFERENCES asn,
    kind              text        NOT NULL CONSTRAINT data_request_kind_known CHECK (kind IN ('access', 'correction', 'restriction', 'erasure', 'objection')),
    text              text        NOT NULL,
    is_by_office      boolean     NOT NULL,
    filed_at          timestamptz NOT NULL,
    due_at            timestamptz NOT NULL,
    state             text        NOT NULL DEFAULT 'filed' CONSTRAINT data_request_state_known CHECK (state IN ('filed', 'in_progress', 'done', 'refused')),
    change_request_id uuid        CONSTRAINT data_request_change_request_fkey REFERENCES change_request,
    reason            text,
    article           text,
    told              text,
    told_at           timestamptz,
    requested_by      uuid        NOT NULL,
    requested_by_name text        NOT NULL,
    decided_by        uuid,
    decided_by_name   text,
    decided_at        timestamptz,
    version           bigint      NOT NULL DEFAULT 1,
    created_at        timestamptz NOT NULL DEFAULT now(),
    updated_at        timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT data_request_decision CHECK ((state IN ('filed', 'in_progress')) = (decided_at IS NULL)),
    CONSTRAINT data_request_refused CHECK (state <> 'refused' OR num_nonnulls(reason, article) = 2),
    CONSTRAINT data_request_told CHECK ((told IS NULL) = (told_at IS NULL)),
    CONSTRAINT data_request_not_own CHECK (decided_by <> requested_by)
);
CREATE INDEX data_request_asn_idx ON data_request (asn_id, id);
CREATE INDEX data_request_due_idx ON data_request (due_at) WHERE told_at IS NULL;
CREATE INDEX data_request_change_request_idx ON data_request (change_request_id) WHERE change_request_id IS NOT NULL;
COMMENT ON TABLE data_request IS 'A request of the person whose data it is (UU 27/2022, articles 5 to 13), and what became of it.';
COMMENT ON COLUMN data_request.id IS 'UUIDv7';
COMMENT ON COLUMN data_request.asn_id IS 'asn.id: who asks';
COMMENT ON COLUMN data_request.kind IS 'What is asked';
COMMENT ON COLUMN data_request.text IS 'In his words';
COMMENT ON COLUMN data_request.is_by_office IS 'Whether somebody else typed it in for him';
COMMENT ON COLUMN data_request.filed_at IS 'When it was made; of one on paper when that was received: the clock runs from here';
COMMENT ON COLUMN data_request.due_at IS 'When it is to be answered by: data_request_rule of that day';
COMMENT ON COLUMN data_request.state IS 'filed, in_progress, then done or refused, for good';
COMMENT ON COLUMN data_request.change_request_id IS 'change_request.id: the correction; its decision decides this';
COMMENT ON COLUMN data_request.reason IS 'Why it was decided so';
COMMENT ON COLUMN data_request.article IS 'By which provision it was refused';
COMMENT ON COLUMN data_request.told IS 'What the person was told';
COMMENT ON COLUMN data_request.told_at IS 'When: the clock stops';
COMMENT ON COLUMN data_request.requested_by IS 'api_key.id of who filed it; that key never decides it';
COMMENT ON COLUMN data_request.requested_by_name IS 'Name of that key then';
COMMENT ON COLUMN data_request.decided_by IS 'api_key.id of who decided it';
COMMENT ON COLUMN data_request.decided_by_name IS 'Name of that key then';
COMMENT ON COLUMN data_request.decided_at IS 'When';
COMMENT ON COLUMN data_request.version IS 'Counts changes: ETag';
COMMENT ON COLUMN data_request.created_at IS 'When it was written down';
COMMENT ON COLUMN data_request.updated_at IS 'Last change';
CREATE TRIGGER data_request_20_touch BEFORE UPDATE ON data_request FOR EACH ROW EXECUTE FUNCTION touch_row();

CREATE FUNCTION data_request_due(asked text, filed timestamptz) RETURNS timestamptz
LANGUAGE sql STABLE STRICT
RETURN filed + (SELECT make_interval(hours => r.hours) FROM data_request_rule r WHERE r.kind = asked AND r.starts <= filed::date ORDER BY r.starts DESC LIMIT 1);
COMMENT ON FUNCTION data_request_due(text, timestamptz) IS 'When a request of that kind is to be answered by.';

CREATE VIEW data_request_entry AS
SELECT r.id, a.nip, a.name, a.unit_id, r.kind, r.text, r.is_by_office, r.filed_at, r.due_at, coalesce(r.told_at, now()) > r.due_at AS is_overdue, r.state, r.change_request_id, r.reason, r.article,
       r.told, r.told_at, r.requested_by_name, r.decided_by_name, r.decided_at, r.version, r.created_at, r.updated_at, r.asn_id AS _asn_id, u.path AS _unit_path,
       r.requested_by AS _requested_by
FROM   data_request r
JOIN   asn a ON a.id = r.asn_id
JOIN   unit u ON u.id = a.unit_id;
COMMENT ON VIEW data_request_entry IS 'Requests of subjects as the API shows them; is_overdue: not told by then, or told later. Of _columns the API shows nothing.';

-- A correction is decided where it is proposed; what the person was told is still to be said.
CREATE FUNCTION data_request_follow() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    UPDATE data_request r
    SET    state = CASE NEW.state WHEN 'approved' THEN 'done' ELSE 'refused' END, reason = coalesce(NEW.reason, 'Usulan perubahan disetujui'),
           article = CASE NEW.state WHEN 'refused' THEN 'UU 27/2022 Pasal 30' END, decided_by = NEW.decided_by, decided_by_name = NEW.decided_by_name, decided_at = NEW.decided_at
    WHERE  r.change_request_id = NEW.id AND r.decided_at IS NULL AND r.requested_by <> NEW.decided_by;
    RETURN NULL;
END $$;
COMMENT ON FUNCTION data_request_follow() IS 'A change request that was approved or refused decides the corrections that ask for it.';
CREATE TRIGGER change_request_40_data_request AFTER UPDATE OF state ON change_request FOR EACH ROW
WHEN (OLD.state = 'submitted' AND NEW.state IN ('approved', 'refused')) EXECUTE FUNCTION data_request_follow();

SELECT audit_quietly('{row_rule}', $q$
    INSERT INTO row_rule (relation, place, of) VALUES ('data_request', 'asn_id', 'asn')
$q$);
SELECT audit_quietly('{export_table}', $q$
    INSERT INTO export_table (relation, section, place, title) VALUES ('data_request', 'request', 92, 'Permintaan subjek data')
$q$);
SELECT audit_quietly('{audit_exempt}', $q$
    INSERT INTO audit_exempt (relation, reason) VALUES ('data_request_rule', 'Changed by migrations alone')
$q$);

SELECT audit_attach();
SELECT row_security_attach();
