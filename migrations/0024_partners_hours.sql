-- Partners and what is done with them, learning hours that explain themselves, the budget of training. See docs/collaboration.md and docs/learning-hours.md.

-- ── partners and agreements ──────────────────────────────────────────────────────────────────────────────────────────────

CREATE TABLE partner (
    id            uuid        CONSTRAINT partner_pkey PRIMARY KEY,
    name          text        NOT NULL CONSTRAINT partner_name_length CHECK (length(name) BETWEEN 1 AND 300),
    name_key      text COLLATE "C" GENERATED ALWAYS AS (name_key(name)) STORED CONSTRAINT partner_name_once UNIQUE,
    kind          text        NOT NULL CONSTRAINT partner_kind_known CHECK (kind IN ('university', 'lan', 'bpsdm', 'ministry', 'agency', 'private', 'foreign')),
    accreditation text        CONSTRAINT partner_accreditation_length CHECK (length(accreditation) BETWEEN 1 AND 200),
    contact       text        CONSTRAINT partner_contact_length CHECK (length(contact) BETWEEN 1 AND 300),
    is_active     boolean     NOT NULL DEFAULT true,
    version       bigint      NOT NULL DEFAULT 1,
    created_at    timestamptz NOT NULL DEFAULT now(),
    updated_at    timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX partner_name_trgm_idx ON partner USING gin (name_key gin_trgm_ops);
CREATE INDEX partner_kind_idx ON partner (kind, name_key);
COMMENT ON TABLE partner IS 'Whom the office trains its people with.';
COMMENT ON COLUMN partner.id IS 'UUIDv7';
COMMENT ON COLUMN partner.name IS 'Name of the institution';
COMMENT ON COLUMN partner.name_key IS 'Name for sorting and searching: name_key(name); no two alike';
COMMENT ON COLUMN partner.kind IS 'university, lan (LAN and its Puslatbang), bpsdm (of a province), ministry, agency (another public body), private, foreign';
COMMENT ON COLUMN partner.accreditation IS 'Accreditation of the training body, as it is written';
COMMENT ON COLUMN partner.contact IS 'Post or office to turn to; no person''s data';
COMMENT ON COLUMN partner.is_active IS 'New agreements may be made';
COMMENT ON COLUMN partner.version IS 'Counts changes: ETag';
COMMENT ON COLUMN partner.created_at IS 'When the row was made';
COMMENT ON COLUMN partner.updated_at IS 'Last change';
CREATE TRIGGER partner_20_touch BEFORE UPDATE ON partner FOR EACH ROW EXECUTE FUNCTION touch_row();

-- parent_kind makes the foreign key say by itself that what a PKS belongs to is an MoU of the same partner.
CREATE TABLE agreement (
    id                uuid        CONSTRAINT agreement_pkey PRIMARY KEY,
    partner_id        uuid        NOT NULL CONSTRAINT agreement_partner_fkey REFERENCES partner,
    kind              text        NOT NULL CONSTRAINT agreement_kind_known CHECK (kind IN ('mou', 'pks')),
    parent_id         uuid        CONSTRAINT agreement_parent_of_pks CHECK (parent_id IS NULL OR kind = 'pks'),
    parent_kind       text        GENERATED ALWAYS AS (CASE WHEN parent_id IS NOT NULL THEN 'mou' END) STORED,
    title             text        NOT NULL CONSTRAINT agreement_title_length CHECK (length(title) BETWEEN 1 AND 300),
    scope             text        CONSTRAINT agreement_scope_length CHECK (length(scope) BETWEEN 1 AND 2000),
    number_ours       text        CONSTRAINT agreement_number_ours_length CHECK (length(number_ours) BETWEEN 1 AND 120),
    number_theirs     text        CONSTRAINT agreement_number_theirs_length CHECK (length(number_theirs) BETWEEN 1 AND 120),
    signatory_ours    text        CONSTRAINT agreement_signatory_ours_length CHECK (length(signatory_ours) BETWEEN 1 AND 200),
    signatory_theirs  text        CONSTRAINT agreement_signatory_theirs_length CHECK (length(signatory_theirs) BETWEEN 1 AND 200),
    signed_on         date        CONSTRAINT agreement_signed_on_range CHECK (signed_on BETWEEN '1900-01-01' AND '2099-12-31'),
    starts_on         date        NOT NULL,
    ends_on           date        NOT NULL,
    ended_on          date,
    quota_per_year    integer     CONSTRAINT agreement_quota_range CHECK (quota_per_year BETWEEN 0 AND 100000),
    our_share_percent numeric(5, 2) CONSTRAINT agreement_share_range CHECK (our_share_percent BETWEEN 0 AND 100),
    notice_days       integer     NOT NULL DEFAULT 90 CONSTRAINT agreement_notice_range CHECK (notice_days BETWEEN 0 AND 3660),
    version           bigint      NOT NULL DEFAULT 1,
    created_at        timestamptz NOT NULL DEFAULT now(),
    updated_at        timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT agreement_days CHECK (starts_on <= ends_on AND starts_on >= '1900-01-01' AND ends_on <= '2099-12-31'),
    CONSTRAINT agreement_ended_days CHECK (ended_on BETWEEN starts_on AND ends_on),
    CONSTRAINT agreement_number_once UNIQUE (partner_id, kind, number_ours),
    CONSTRAINT agreement_whole_key UNIQUE (id, partner_id, kind),
    CONSTRAINT agreement_partner_key UNIQUE (id, partner_id),
    CONSTRAINT agreement_parent_fkey FOREIGN KEY (parent_id, partner_id, parent_kind) REFERENCES agreement (id, partner_id, kind)
);
CREATE INDEX agreement_partner_idx ON agreement (partner_id, ends_on, id);
CREATE INDEX agreement_parent_idx ON agreement (parent_id, ends_on, id) WHERE parent_id IS NOT NULL;
CREATE INDEX agreement_ends_on_idx ON agreement (ends_on, id);
CREATE INDEX agreement_notice_idx ON agreement ((ends_on - notice_days), id) WHERE signed_on IS NOT NULL AND ended_on IS NULL;
COMMENT ON TABLE agreement IS 'Nota kesepahaman (MoU) and perjanjian kerja sama (PKS) with a partner.';
COMMENT ON COLUMN agreement.id IS 'UUIDv7';
COMMENT ON COLUMN agreement.partner_id IS 'partner.id; for ever';
COMMENT ON COLUMN agreement.kind IS 'mou (general) or pks (operative); for ever';
COMMENT ON COLUMN agreement.parent_id IS 'Of a PKS the MoU of the same partner that it belongs to: agreement.id';
COMMENT ON COLUMN agreement.parent_kind IS 'mou where there is a parent: part of its foreign key';
COMMENT ON COLUMN agreement.title IS 'What it is about, in a line';
COMMENT ON COLUMN agreement.scope IS 'Ruang lingkup';
COMMENT ON COLUMN agreement.number_ours IS 'Number on our side';
COMMENT ON COLUMN agreement.number_theirs IS 'Number on the partner''s side';
COMMENT ON COLUMN agreement.signatory_ours IS 'Post of who signed for us';
COMMENT ON COLUMN agreement.signatory_theirs IS 'Post of who signed for the partner';
COMMENT ON COLUMN agreement.signed_on IS 'Day of signing; null: a draft';
COMMENT ON COLUMN agreement.starts_on IS 'First day';
COMMENT ON COLUMN agreement.ends_on IS 'Last day';
COMMENT ON COLUMN agreement.ended_on IS 'Last day when it was ended before its time; null: it was not';
COMMENT ON COLUMN agreement.quota_per_year IS 'People in its activities that begin in one calendar year, at most; null: no bound';
COMMENT ON COLUMN agreement.our_share_percent IS 'What of the cost is ours, percent; null: not agreed';
COMMENT ON COLUMN agreement.notice_days IS 'So many days before the end it is on the list of what expires';
COMMENT ON COLUMN agreement.version IS 'Counts changes: ETag';
COMMENT ON COLUMN agreement.created_at IS 'When the row was made';
COMMENT ON COLUMN agreement.updated_at IS 'Last change';
CREATE TRIGGER agreement_20_touch BEFORE UPDATE ON agreement FOR EACH ROW EXECUTE FUNCTION touch_row();

CREATE FUNCTION agreement_status(me agreement, today date) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN (me).ended_on < today THEN 'ended'
            WHEN (me).signed_on IS NULL OR today < (me).starts_on THEN 'draft'
            WHEN (me).ends_on < today THEN 'expired'
            ELSE 'active' END;
COMMENT ON FUNCTION agreement_status(agreement, date) IS
    'draft (not signed, or not begun), active, expired (its last day is past), ended (before its time): from the days alone, so nobody need keep it.';

CREATE FUNCTION agreement_of_active() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM partner p WHERE p.id = NEW.partner_id AND NOT p.is_active FOR SHARE;
    IF FOUND THEN
        RAISE EXCEPTION 'the partner is not active' USING ERRCODE = 'P0001', CONSTRAINT = 'agreement_partner_active';
    END IF;
    RETURN NEW;
END $$;
COMMENT ON FUNCTION agreement_of_active() IS 'A partner that has been put away gets no new agreements.';
CREATE TRIGGER agreement_10_active BEFORE INSERT ON agreement FOR EACH ROW EXECUTE FUNCTION agreement_of_active();

-- ── the budget's lines ───────────────────────────────────────────────────────────────────────────────────────────────────

CREATE TABLE budget_line (
    id           uuid        CONSTRAINT budget_line_pkey PRIMARY KEY,
    programme_id uuid        NOT NULL CONSTRAINT budget_line_programme_fkey REFERENCES programme,
    year         integer     NOT NULL CONSTRAINT budget_line_year_range CHECK (year BETWEEN 2000 AND 2099),
    source       text        NOT NULL CONSTRAINT budget_line_source_known CHECK (source IN ('apbd', 'apbn', 'blud', 'grant', 'partner', 'own')),
    account      text        CONSTRAINT budget_line_account_length CHECK (length(account) BETWEEN 1 AND 60),
    planned      numeric(15, 2) NOT NULL CONSTRAINT budget_line_planned_range CHECK (planned >= 0),
    warn_percent integer     NOT NULL DEFAULT 100 CONSTRAINT budget_line_warn_range CHECK (warn_percent BETWEEN 1 AND 1000),
    version      bigint      NOT NULL DEFAULT 1,
    created_at   timestamptz NOT NULL DEFAULT now(),
    updated_at   timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT budget_line_once UNIQUE NULLS NOT DISTINCT (programme_id, year, source, account)
);
CREATE INDEX budget_line_year_idx ON budget_line (year, id);
COMMENT ON TABLE budget_line IS 'Money planned for a programme in a year, from one source.';
COMMENT ON COLUMN budget_line.id IS 'UUIDv7';
COMMENT ON COLUMN budget_line.programme_id IS 'programme.id; for ever';
COMMENT ON COLUMN budget_line.year IS 'Budget year; for ever';
COMMENT ON COLUMN budget_line.source IS 'Sumber dana: apbd, apbn, blud, grant (hibah), partner (mitra), own (biaya sendiri)';
COMMENT ON COLUMN budget_line.account IS 'Kode rekening';
COMMENT ON COLUMN budget_line.planned IS 'Pagu, rupiah';
COMMENT ON COLUMN budget_line.warn_percent IS 'Beyond so many percent of what is planned it warns';
COMMENT ON COLUMN budget_line.version IS 'Counts changes: ETag';
COMMENT ON COLUMN budget_line.created_at IS 'When the row was made';
COMMENT ON COLUMN budget_line.updated_at IS 'Last change';
CREATE TRIGGER budget_line_20_touch BEFORE UPDATE ON budget_line FOR EACH ROW EXECUTE FUNCTION touch_row();

-- ── activities ───────────────────────────────────────────────────────────────────────────────────────────────────────────

CREATE TABLE activity (
    id                uuid        CONSTRAINT activity_pkey PRIMARY KEY,
    partner_id        uuid        NOT NULL CONSTRAINT activity_partner_fkey REFERENCES partner,
    agreement_id      uuid,
    kind              text        NOT NULL CONSTRAINT activity_kind_known CHECK (kind IN ('internship', 'research', 'course', 'seminar')),
    direction         text        CONSTRAINT activity_direction_known CHECK (direction IN ('in', 'out')),
    title             text        NOT NULL CONSTRAINT activity_title_length CHECK (length(title) BETWEEN 1 AND 300),
    starts_on         date        NOT NULL,
    ends_on           date        NOT NULL,
    state             text        NOT NULL DEFAULT 'planned' CONSTRAINT activity_state_known CHECK (state IN ('planned', 'done', 'cancelled')),
    jp                numeric(7, 2) CONSTRAINT activity_jp_range CHECK (jp BETWEEN 0 AND 2000),
    cost_planned      numeric(15, 2) CONSTRAINT activity_cost_planned_range CHECK (cost_planned >= 0),
    cost_spent        numeric(15, 2) CONSTRAINT activity_cost_spent_range CHECK (cost_spent >= 0),
    our_share_percent numeric(5, 2) NOT NULL DEFAULT 100 CONSTRAINT activity_share_range CHECK (our_share_percent BETWEEN 0 AND 100),
    session_id        uuid        CONSTRAINT activity_session_fkey REFERENCES session,
    budget_line_id    uuid        CONSTRAINT activity_budget_line_fkey REFERENCES budget_line,
    version           bigint      NOT NULL DEFAULT 1,
    created_at        timestamptz NOT NULL DEFAULT now(),
    updated_at        timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT activity_agreement_fkey FOREIGN KEY (agreement_id, partner_id) REFERENCES agreement (id, partner_id),
    CONSTRAINT activity_direction_of_internship CHECK ((direction IS NOT NULL) = (kind = 'internship')),
    CONSTRAINT activity_days CHECK (starts_on <= ends_on AND ends_on - starts_on <= 1100 AND starts_on >= '1900-01-01' AND ends_on <= '2099-12-31')
);
CREATE INDEX activity_partner_idx ON activity (partner_id, starts_on, id);
CREATE INDEX activity_agreement_idx ON activity (agreement_id, starts_on, id) WHERE agreement_id IS NOT NULL;
CREATE INDEX activity_starts_on_idx ON activity (starts_on, id);
CREATE INDEX activity_session_idx ON activity (session_id) WHERE session_id IS NOT NULL;
CREATE INDEX activity_budget_line_idx ON activity (budget_line_id) WHERE budget_line_id IS NOT NULL;
COMMENT ON TABLE activity IS 'What is done with a partner.';
COMMENT ON COLUMN activity.id IS 'UUIDv7';
COMMENT ON COLUMN activity.partner_id IS 'partner.id; for ever';
COMMENT ON COLUMN activity.agreement_id IS 'The agreement under which it is done, of the same partner: agreement.id';
COMMENT ON COLUMN activity.kind IS 'internship (magang), research (riset bersama), course (pelatihan yang disusun bersama), seminar; for ever';
COMMENT ON COLUMN activity.direction IS 'Of an internship: in (their people here) or out (our people there)';
COMMENT ON COLUMN activity.title IS 'What it is';
COMMENT ON COLUMN activity.starts_on IS 'First day; its year is that of the quota and of the report';
COMMENT ON COLUMN activity.ends_on IS 'Last day';
COMMENT ON COLUMN activity.state IS 'planned, done, cancelled';
COMMENT ON COLUMN activity.jp IS 'Learning hours that each participant gains; where it has a session, the enrolments say it';
COMMENT ON COLUMN activity.cost_planned IS 'Planned cost of both sides, rupiah';
COMMENT ON COLUMN activity.cost_spent IS 'Cost of both sides in the end, rupiah';
COMMENT ON COLUMN activity.our_share_percent IS 'What of it is ours, percent';
COMMENT ON COLUMN activity.session_id IS 'The training session that it is, if it is one: session.id';
COMMENT ON COLUMN activity.budget_line_id IS 'From where our share is paid: budget_line.id';
COMMENT ON COLUMN activity.version IS 'Counts changes: ETag';
COMMENT ON COLUMN activity.created_at IS 'When the row was made';
COMMENT ON COLUMN activity.updated_at IS 'Last change';
CREATE TRIGGER activity_20_touch BEFORE UPDATE ON activity FOR EACH ROW EXECUTE FUNCTION touch_row();

CREATE TABLE activity_participant (
    id          uuid        CONSTRAINT activity_participant_pkey PRIMARY KEY,
    activity_id uuid        NOT NULL CONSTRAINT activity_participant_activity_fkey REFERENCES activity,
    asn_id      uuid        CONSTRAINT activity_participant_asn_fkey REFERENCES asn,
    name        text        CONSTRAINT activity_participant_name_length CHECK (length(name) BETWEEN 1 AND 200),
    institution text        CONSTRAINT activity_participant_institution_length CHECK (length(institution) BETWEEN 1 AND 300),
    role        text        NOT NULL DEFAULT 'participant' CONSTRAINT activity_participant_role_known CHECK (role IN ('participant', 'lead', 'speaker', 'mentor')),
    created_at  timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT activity_participant_who CHECK ((asn_id IS NULL) = (name IS NOT NULL) AND (institution IS NULL OR name IS NOT NULL)),
    CONSTRAINT activity_participant_once UNIQUE (activity_id, asn_id)
);
CREATE INDEX activity_participant_activity_idx ON activity_participant (activity_id, id);
CREATE INDEX activity_participant_asn_idx ON activity_participant (asn_id, id) WHERE asn_id IS NOT NULL;
COMMENT ON TABLE activity_participant IS 'Who takes part: an ASN, or somebody from outside of whom no more than name and institution is kept.';
COMMENT ON COLUMN activity_participant.id IS 'UUIDv7';
COMMENT ON COLUMN activity_participant.activity_id IS 'activity.id';
COMMENT ON COLUMN activity_participant.asn_id IS 'asn.id; null: from outside';
COMMENT ON COLUMN activity_participant.name IS 'Of somebody from outside';
COMMENT ON COLUMN activity_participant.institution IS 'Of somebody from outside: where from';
COMMENT ON COLUMN activity_participant.role IS 'participant, lead, speaker, mentor';
COMMENT ON COLUMN activity_participant.created_at IS 'When the row was made';

CREATE TABLE activity_output (
    id           uuid        CONSTRAINT activity_output_pkey PRIMARY KEY,
    activity_id  uuid        NOT NULL CONSTRAINT activity_output_activity_fkey REFERENCES activity,
    kind         text        NOT NULL CONSTRAINT activity_output_kind_known CHECK (kind IN ('publication', 'report', 'module', 'recommendation')),
    title        text        NOT NULL CONSTRAINT activity_output_title_length CHECK (length(title) BETWEEN 1 AND 300),
    link         text        CONSTRAINT activity_output_link_form CHECK (link ~ '^https?://[^[:space:]]+$' AND length(link) <= 1000),
    published_on date        CONSTRAINT activity_output_published_on_range CHECK (published_on BETWEEN '1900-01-01' AND '2099-12-31'),
    created_at   timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX activity_output_activity_idx ON activity_output (activity_id, id);
COMMENT ON TABLE activity_output IS 'What came of an activity.';
COMMENT ON COLUMN activity_output.id IS 'UUIDv7';
COMMENT ON COLUMN activity_output.activity_id IS 'activity.id';
COMMENT ON COLUMN activity_output.kind IS 'publication, report, module, recommendation';
COMMENT ON COLUMN activity_output.title IS 'Its title';
COMMENT ON COLUMN activity_output.link IS 'Where it can be read';
COMMENT ON COLUMN activity_output.published_on IS 'When it came out';
COMMENT ON COLUMN activity_output.created_at IS 'When the row was made';

-- The quota: whoever adds a person, or moves an activity to another agreement or year, locks the activity and then the agreement; what is counted
-- after that wait is what is true, and nobody else can add meanwhile.
CREATE FUNCTION agreement_count(which uuid, in_year integer) RETURNS integer
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (SELECT count(*)::integer FROM activity a JOIN activity_participant p ON p.activity_id = a.id
            WHERE  a.agreement_id = which AND a.state <> 'cancelled' AND a.starts_on BETWEEN make_date(in_year, 1, 1) AND make_date(in_year, 12, 31));
END $$;
COMMENT ON FUNCTION agreement_count(uuid, integer) IS 'How many people the activities of a year take that are not cancelled.';

CREATE FUNCTION agreement_hold(which uuid, in_year integer, more integer) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    quota integer;
BEGIN
    SELECT g.quota_per_year INTO quota FROM agreement g WHERE g.id = which FOR NO KEY UPDATE;
    IF agreement_count(which, in_year) + more > quota THEN
        RAISE EXCEPTION 'the quota of % is % a year', in_year, quota USING ERRCODE = 'P0001', CONSTRAINT = 'agreement_quota';
    END IF;
END $$;
COMMENT ON FUNCTION agreement_hold(uuid, integer, integer) IS 'Locks the agreement and refuses what its quota of a year does not hold.';

CREATE FUNCTION activity_participant_enter() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
    a activity;
BEGIN
    SELECT * INTO a FROM activity t WHERE t.id = NEW.activity_id FOR NO KEY UPDATE;
    IF a.state = 'cancelled' THEN
        RAISE EXCEPTION 'the activity is cancelled' USING ERRCODE = 'P0001', CONSTRAINT = 'activity_open';
    END IF;
    IF a.agreement_id IS NOT NULL THEN
        PERFORM agreement_hold(a.agreement_id, extract(year FROM a.starts_on)::integer, 1);
    END IF;
    RETURN NEW;
END $$;
COMMENT ON FUNCTION activity_participant_enter() IS 'Whoever takes part takes of the quota of the agreement.';
CREATE TRIGGER activity_participant_10_enter BEFORE INSERT ON activity_participant FOR EACH ROW EXECUTE FUNCTION activity_participant_enter();

CREATE FUNCTION activity_quota() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.agreement_id IS NOT NULL AND NEW.state <> 'cancelled'
       AND (NEW.agreement_id, extract(year FROM NEW.starts_on), true) IS DISTINCT FROM
           (OLD.agreement_id, extract(year FROM OLD.starts_on), OLD.state <> 'cancelled') THEN
        PERFORM agreement_hold(NEW.agreement_id, extract(year FROM NEW.starts_on)::integer, 0);
    END IF;
    RETURN NULL;
END $$;
COMMENT ON FUNCTION activity_quota() IS 'An activity that comes to another agreement or year, or back, brings its people along.';
CREATE TRIGGER activity_30_quota AFTER UPDATE OF agreement_id, starts_on, state ON activity FOR EACH ROW EXECUTE FUNCTION activity_quota();

CREATE FUNCTION agreement_quota_kept() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
    most integer;
BEGIN
    SELECT max(w.n) INTO most
    FROM   (SELECT count(*) AS n FROM activity a JOIN activity_participant p ON p.activity_id = a.id
            WHERE  a.agreement_id = NEW.id AND a.state <> 'cancelled' GROUP BY extract(year FROM a.starts_on)) w;
    IF most > NEW.quota_per_year THEN
        RAISE EXCEPTION 'a year has % already', most USING ERRCODE = 'P0001', CONSTRAINT = 'agreement_quota_taken';
    END IF;
    RETURN NULL;
END $$;
COMMENT ON FUNCTION agreement_quota_kept() IS 'A quota does not sink below what a year has.';
CREATE TRIGGER agreement_30_quota AFTER UPDATE OF quota_per_year ON agreement FOR EACH ROW
    WHEN (NEW.quota_per_year IS NOT NULL AND NEW.quota_per_year IS DISTINCT FROM OLD.quota_per_year) EXECUTE FUNCTION agreement_quota_kept();

-- ── terms of a session ───────────────────────────────────────────────────────────────────────────────────────────────────

CREATE TABLE session_term (
    session_id     uuid        CONSTRAINT session_term_pkey PRIMARY KEY CONSTRAINT session_term_session_fkey REFERENCES session,
    is_abroad      boolean     NOT NULL DEFAULT false,
    amount         numeric(6, 2) CONSTRAINT session_term_amount_range CHECK (amount > 0 AND amount <= 1000),
    cost_per_head  numeric(15, 2) CONSTRAINT session_term_cost_range CHECK (cost_per_head >= 0),
    commits        text        NOT NULL DEFAULT 'taken' CONSTRAINT session_term_commits_known CHECK (commits IN ('taken', 'capacity')),
    budget_line_id uuid        CONSTRAINT session_term_budget_line_fkey REFERENCES budget_line,
    version        bigint      NOT NULL DEFAULT 1,
    created_at     timestamptz NOT NULL DEFAULT now(),
    updated_at     timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT session_term_costed CHECK (budget_line_id IS NULL OR cost_per_head IS NOT NULL)
);
CREATE INDEX session_term_budget_line_idx ON session_term (budget_line_id) WHERE budget_line_id IS NOT NULL;
COMMENT ON TABLE session_term IS 'What a session counts as, and what it costs. A session without a row is at home, lasts its days, and costs nothing.';
COMMENT ON COLUMN session_term.session_id IS 'session.id';
COMMENT ON COLUMN session_term.is_abroad IS 'Held abroad: forms are worth more';
COMMENT ON COLUMN session_term.amount IS 'How many days, sessions, semesters or events it is, as the form counts; null: its days, or one';
COMMENT ON COLUMN session_term.cost_per_head IS 'Rupiah for one participant';
COMMENT ON COLUMN session_term.commits IS 'What is committed: taken (seats that are held) or capacity (all seats, as with a whole class that was ordered)';
COMMENT ON COLUMN session_term.budget_line_id IS 'From where it is paid, a line of the same programme: budget_line.id';
COMMENT ON COLUMN session_term.version IS 'Counts changes: ETag';
COMMENT ON COLUMN session_term.created_at IS 'When the row was made';
COMMENT ON COLUMN session_term.updated_at IS 'Last change';
CREATE TRIGGER session_term_20_touch BEFORE UPDATE ON session_term FOR EACH ROW EXECUTE FUNCTION touch_row();

CREATE FUNCTION session_term_fits() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.budget_line_id IS NOT NULL AND NOT EXISTS (SELECT FROM session s JOIN budget_line b ON b.programme_id = s.programme_id
                                                      WHERE  s.id = NEW.session_id AND b.id = NEW.budget_line_id) THEN
        RAISE EXCEPTION 'a line of another programme' USING ERRCODE = 'P0001', CONSTRAINT = 'session_term_programme';
    END IF;
    RETURN NEW;
END $$;
COMMENT ON FUNCTION session_term_fits() IS 'A session is paid from a line of its own programme; neither ever changes its programme.';
CREATE TRIGGER session_term_10_fits BEFORE INSERT OR UPDATE OF budget_line_id ON session_term FOR EACH ROW EXECUTE FUNCTION session_term_fits();

-- ── what is committed and spent ──────────────────────────────────────────────────────────────────────────────────────────

ALTER TABLE budget_line ADD COLUMN is_over boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN budget_line.is_over IS 'It warns now; kept by budget_watch()';
DROP TRIGGER budget_line_20_touch ON budget_line;
CREATE TRIGGER budget_line_20_touch BEFORE UPDATE OF account, planned, warn_percent ON budget_line FOR EACH ROW EXECUTE FUNCTION touch_row();

CREATE TABLE expense (
    id             uuid        CONSTRAINT expense_pkey PRIMARY KEY,
    budget_line_id uuid        NOT NULL CONSTRAINT expense_budget_line_fkey REFERENCES budget_line,
    session_id     uuid        CONSTRAINT expense_session_fkey REFERENCES session,
    activity_id    uuid        CONSTRAINT expense_activity_fkey REFERENCES activity,
    spent_on       date        NOT NULL CONSTRAINT expense_spent_on_range CHECK (spent_on BETWEEN '1900-01-01' AND '2099-12-31'),
    amount         numeric(15, 2) NOT NULL CONSTRAINT expense_amount_range CHECK (amount <> 0),
    reference      text        CONSTRAINT expense_reference_length CHECK (length(reference) BETWEEN 1 AND 120),
    note           text        CONSTRAINT expense_note_length CHECK (length(note) BETWEEN 1 AND 500),
    actor_name     text,
    created_at     timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT expense_of_one CHECK (session_id IS NULL OR activity_id IS NULL)
);
CREATE INDEX expense_budget_line_idx ON expense (budget_line_id, id);
CREATE INDEX expense_session_idx ON expense (session_id) WHERE session_id IS NOT NULL;
CREATE INDEX expense_activity_idx ON expense (activity_id) WHERE activity_id IS NOT NULL;
COMMENT ON TABLE expense IS 'Money spent from a line. Nothing is changed or deleted: what was wrong is taken back by a row of the opposite amount.';
COMMENT ON COLUMN expense.id IS 'UUIDv7';
COMMENT ON COLUMN expense.budget_line_id IS 'budget_line.id';
COMMENT ON COLUMN expense.session_id IS 'For which session: session.id';
COMMENT ON COLUMN expense.activity_id IS 'For which activity: activity.id';
COMMENT ON COLUMN expense.spent_on IS 'Day of payment';
COMMENT ON COLUMN expense.amount IS 'Rupiah; below 0: a row before is taken back';
COMMENT ON COLUMN expense.reference IS 'Number of the voucher (SPM, SP2D)';
COMMENT ON COLUMN expense.note IS 'For what';
COMMENT ON COLUMN expense.actor_name IS 'Name of the key that wrote it';
COMMENT ON COLUMN expense.created_at IS 'When the row was made';

CREATE FUNCTION expense_keep() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'an expense is for ever' USING ERRCODE = 'P0001', CONSTRAINT = 'expense_fixed';
END $$;
COMMENT ON FUNCTION expense_keep() IS 'Nothing is changed or deleted.';
CREATE TRIGGER expense_10_keep BEFORE UPDATE OR DELETE ON expense FOR EACH ROW EXECUTE FUNCTION expense_keep();

CREATE VIEW budget_item AS
SELECT t.budget_line_id, 'session' AS item, t.session_id AS item_id,
       CASE WHEN s.state = 'cancelled' THEN 0 WHEN t.commits = 'capacity' THEN t.cost_per_head * s.capacity ELSE t.cost_per_head * s.seats_taken END AS committed,
       coalesce((SELECT sum(x.amount) FROM expense x WHERE x.session_id = t.session_id AND x.budget_line_id = t.budget_line_id), 0) AS spent
FROM   session_term t JOIN session s ON s.id = t.session_id
WHERE  t.budget_line_id IS NOT NULL
UNION ALL
SELECT a.budget_line_id, 'activity', a.id,
       CASE WHEN a.state = 'cancelled' THEN 0 ELSE round(coalesce(a.cost_planned, 0) * a.our_share_percent / 100, 2) END,
       coalesce((SELECT sum(x.amount) FROM expense x WHERE x.activity_id = a.id AND x.budget_line_id = a.budget_line_id), 0)
FROM   activity a
WHERE  a.budget_line_id IS NOT NULL;
COMMENT ON VIEW budget_item IS
    'What is committed of a line and spent for it: a session by its cost per head and its seats (those taken, or all), an activity by our share of its planned cost.';

-- A set of one row, so that it is merged into the asking statement.
CREATE FUNCTION budget_standing(me budget_line) RETURNS TABLE (committed numeric, spent numeric, outstanding numeric, remaining numeric, warnings text[])
LANGUAGE sql STABLE AS $$
    SELECT i.committed, x.spent, i.outstanding, (me).planned - x.spent - i.outstanding,
           array_remove(ARRAY[CASE WHEN (x.spent + i.outstanding) * 100 > (me).planned * (me).warn_percent THEN 'over-committed' END,
                              CASE WHEN x.spent > (me).planned THEN 'over-spent' END], NULL)
    FROM   (SELECT coalesce(sum(b.committed), 0) AS committed, coalesce(sum(greatest(b.committed - b.spent, 0)), 0) AS outstanding
            FROM   budget_item b WHERE b.budget_line_id = (me).id) i,
           (SELECT coalesce(sum(e.amount), 0) AS spent FROM expense e WHERE e.budget_line_id = (me).id) x
$$;
COMMENT ON FUNCTION budget_standing(budget_line) IS
    'How a line stands. outstanding: of what is committed that part which is not paid yet, item by item; remaining: planned less spent less outstanding. over-committed: spent and outstanding are beyond warn_percent of what is planned; over-spent: spent alone is beyond it.';

CREATE TABLE budget_warning (
    id             uuid        CONSTRAINT budget_warning_pkey PRIMARY KEY DEFAULT uuid_v7(),
    budget_line_id uuid        NOT NULL CONSTRAINT budget_warning_budget_line_fkey REFERENCES budget_line,
    cause          text        NOT NULL CONSTRAINT budget_warning_cause_known CHECK (cause IN ('session', 'activity', 'expense', 'line')),
    cause_id       uuid        NOT NULL,
    planned        numeric(15, 2) NOT NULL,
    spent          numeric     NOT NULL,
    outstanding    numeric     NOT NULL,
    created_at     timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX budget_warning_line_idx ON budget_warning (budget_line_id, id);
COMMENT ON TABLE budget_warning IS 'Each time that a line came to be beyond what is planned: an enrolment may do that, whose reply does not speak of money.';
COMMENT ON COLUMN budget_warning.id IS 'UUIDv7';
COMMENT ON COLUMN budget_warning.budget_line_id IS 'budget_line.id';
COMMENT ON COLUMN budget_warning.cause IS 'What brought it there: session (its seats, days off or terms), activity, expense, line (less was planned)';
COMMENT ON COLUMN budget_warning.cause_id IS 'Its id';
COMMENT ON COLUMN budget_warning.planned IS 'As it stood then: planned';
COMMENT ON COLUMN budget_warning.spent IS 'As it stood then: spent';
COMMENT ON COLUMN budget_warning.outstanding IS 'As it stood then: committed and not paid yet';
COMMENT ON COLUMN budget_warning.created_at IS 'When';

-- The line's lock comes before the sums, so that of two who each stay below, the second sees the first.
CREATE FUNCTION budget_watch(which uuid, cause text, cause_id uuid) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    me    budget_line;
    stand record;
BEGIN
    SELECT b.* INTO me FROM budget_line b WHERE b.id = which FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    SELECT s.* INTO stand FROM budget_standing(me) s;
    IF (stand.warnings <> '{}') = me.is_over THEN
        RETURN;
    END IF;
    UPDATE budget_line b SET is_over = NOT me.is_over WHERE b.id = which;
    IF NOT me.is_over THEN
        INSERT INTO budget_warning (budget_line_id, cause, cause_id, planned, spent, outstanding)
        VALUES (which, cause, cause_id, me.planned, stand.spent, stand.outstanding);
    END IF;
END $$;
COMMENT ON FUNCTION budget_watch(uuid, text, uuid) IS 'Notes when a line comes to warn, and when it no longer does.';

CREATE FUNCTION budget_watch_change() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    CASE TG_TABLE_NAME
    WHEN 'session' THEN
        PERFORM budget_watch(t.budget_line_id, 'session', NEW.id) FROM session_term t WHERE t.session_id = NEW.id AND t.budget_line_id IS NOT NULL;
    WHEN 'session_term' THEN
        PERFORM budget_watch(w.line, 'session', NEW.session_id)
        FROM   (SELECT DISTINCT line FROM unnest(ARRAY[NEW.budget_line_id, CASE WHEN TG_OP = 'UPDATE' THEN OLD.budget_line_id END]) AS line ORDER BY line) w;
    WHEN 'activity' THEN
        PERFORM budget_watch(w.line, 'activity', NEW.id)
        FROM   (SELECT DISTINCT line FROM unnest(ARRAY[NEW.budget_line_id, CASE WHEN TG_OP = 'UPDATE' THEN OLD.budget_line_id END]) AS line ORDER BY line) w;
    WHEN 'expense' THEN
        PERFORM budget_watch(NEW.budget_line_id, 'expense', NEW.id);
    ELSE
        PERFORM budget_watch(NEW.id, 'line', NEW.id);
    END CASE;
    RETURN NULL;
END $$;
COMMENT ON FUNCTION budget_watch_change() IS 'Whatever costs, or plans, is followed by budget_watch().';
CREATE TRIGGER session_50_budget AFTER UPDATE OF seats_taken, capacity, state ON session FOR EACH ROW
    WHEN ((OLD.seats_taken, OLD.capacity, OLD.state) IS DISTINCT FROM (NEW.seats_taken, NEW.capacity, NEW.state)) EXECUTE FUNCTION budget_watch_change();
CREATE TRIGGER session_term_50_budget AFTER INSERT OR UPDATE ON session_term FOR EACH ROW EXECUTE FUNCTION budget_watch_change();
CREATE TRIGGER activity_50_budget AFTER INSERT OR UPDATE OF budget_line_id, cost_planned, our_share_percent, state ON activity
    FOR EACH ROW EXECUTE FUNCTION budget_watch_change();
CREATE TRIGGER expense_50_budget AFTER INSERT ON expense FOR EACH ROW EXECUTE FUNCTION budget_watch_change();
CREATE TRIGGER budget_line_50_budget AFTER UPDATE OF planned, warn_percent ON budget_line FOR EACH ROW EXECUTE FUNCTION budget_watch_change();

-- ── what forms of training are worth ─────────────────────────────────────────────────────────────────────────────────────

-- The rows hold from whenever they did; another table from a day on is imported as rows with that day.
UPDATE reference
SET    facts = facts || jsonb_build_object('share', CASE WHEN code = ANY ('{C5,C8,C11}') THEN 70 WHEN code = ANY ('{C1,C2,C7,C10}') THEN 20 ELSE 10 END)
             || CASE WHEN code = ANY ('{C3,C9,C10}') THEN '{"is_up_to": true}'::jsonb ELSE '{}' END
             || CASE WHEN code = ANY ('{C9,C10}') THEN '{"jp_factor_abroad": 1.2}'::jsonb ELSE '{}' END
             || CASE WHEN code = ANY ('{C1,C2}') THEN '{"month_most": 2}'::jsonb ELSE '{}' END
WHERE  list = 'training-form';
UPDATE reference_list
SET    description = description || ' is_up_to: what was told counts, up to jp_national or jp_abroad of a day; jp_factor_abroad: by what it is multiplied first when '
                     'abroad; month_most: so many a month at home; share: 10, 20 or 70 of learning in class, from others, at work.'
WHERE  list = 'training-form';

CREATE FUNCTION learning_window(origin date, at date, upto date) RETURNS daterange
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN (SELECT daterange((origin + make_interval(years => w.n))::date, least((origin + make_interval(years => w.n + 1))::date, upto))
        FROM   (SELECT y.n - ((origin + make_interval(years => y.n))::date > at)::integer AS n
                FROM   (SELECT (extract(year FROM at) - extract(year FROM origin))::integer AS n) y) w);
COMMENT ON FUNCTION learning_window(date, date, date) IS
    'The year counted from that day (a contract''s first) in which `at` lies, cut off at `upto`. Of 29 February the anniversary is the 28th where there is no other: hours_contract_year() of src/rules says the same.';

-- A set of one row, so that it is merged into the asking statement. Days without a contract form a year of their own that reaches into none.
CREATE FUNCTION learning_period(me asn, at date)
RETURNS TABLE (rule_kind text, basis text, period_from date, period_until date, origin date, since date)
LANGUAGE sql STABLE AS $$
    SELECT k.kind, coalesce(o.basis, 'calendar'), greatest(lower(w.days), g.since), least(upper(w.days), g.before), o.origin, g.since
    FROM   (SELECT) one
    LEFT   JOIN LATERAL (SELECT h.facts ->> 'kind' AS kind, h.starts, upper(h.valid) AS upto FROM history h
                         WHERE  h.asn_id = (me).id AND h.kind = 'appointment' AND NOT h.is_void AND h.valid @> at LIMIT 1) p ON true
    CROSS  JOIN LATERAL (SELECT CASE WHEN p.kind IS NULL THEN (me).rank_kind WHEN p.kind IN ('PNS', 'CPNS') THEN 'PNS' ELSE 'PPPK' END AS kind) k
    LEFT   JOIN LATERAL (SELECT h.starts, upper(h.valid) AS upto FROM history h
                         WHERE  k.kind = 'PPPK' AND h.asn_id = (me).id AND h.kind = 'contract' AND NOT h.is_void AND h.valid @> at LIMIT 1) c ON true
    LEFT   JOIN LATERAL (SELECT max(upper(h.valid)) FILTER (WHERE upper(h.valid) <= at) AS since, min(h.starts) FILTER (WHERE h.starts > at) AS before
                         FROM   history h
                         WHERE  k.kind = 'PPPK' AND c.starts IS NULL AND h.asn_id = (me).id AND h.kind = 'contract' AND NOT h.is_void) g ON true
    LEFT   JOIN LATERAL (SELECT v.basis, v.origin, v.upto
                         FROM   (VALUES (1, 'contract', c.starts, c.upto), (2, 'appointment', p.starts, p.upto), (3, 'appointment', (me).appointed_on, NULL))
                                    AS v (place, basis, origin, upto)
                         WHERE  k.kind = 'PPPK' AND v.origin <= at ORDER BY v.place LIMIT 1) o ON true
    CROSS  JOIN LATERAL (SELECT CASE WHEN o.origin IS NULL THEN daterange(make_date(extract(year FROM at)::integer, 1, 1),
                                                                          make_date(extract(year FROM at)::integer + 1, 1, 1))
                                     ELSE learning_window(o.origin, at, o.upto) END AS days) w
$$;
COMMENT ON FUNCTION learning_period(asn, date) IS
    'Which rule holds for a person on that day (PNS or PPPK, by the appointment then), and the year that it counts by: the calendar''s for PNS; for PPPK that of the contract, else of the appointment, else the calendar''s. origin: what it is counted from; since: the end of the last contract, before which it does not begin.';

CREATE FUNCTION learning_hours(form jsonb, is_abroad boolean, amount numeric, jp numeric) RETURNS numeric
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN form IS NULL THEN coalesce(jp, 0)
            WHEN form ->> 'counted_by' = 'jp' THEN coalesce(jp, 0) * (form ->> CASE WHEN is_abroad THEN 'jp_abroad' ELSE 'jp_national' END)::numeric
            WHEN (form ->> 'is_up_to')::boolean
                THEN least(jp * CASE WHEN is_abroad THEN coalesce((form ->> 'jp_factor_abroad')::numeric, 1) ELSE 1 END,
                           coalesce(amount, 1) * (form ->> CASE WHEN is_abroad THEN 'jp_abroad' ELSE 'jp_national' END)::numeric)
            WHEN amount IS NULL AND jp IS NOT NULL THEN jp
            ELSE coalesce(amount, 1) * (form ->> CASE WHEN is_abroad THEN 'jp_abroad' ELSE 'jp_national' END)::numeric END;
COMMENT ON FUNCTION learning_hours(jsonb, boolean, numeric, numeric) IS
    'JP of one training before what a month bounds. form: facts of list training-form, null: not known; amount: days, sessions, semesters or events, null: not told; jp: as told, null: not told. hours_value() of src/rules says the same.';

-- ── the ledger ───────────────────────────────────────────────────────────────────────────────────────────────────────────

-- Hours are gained where an enrolment has them (enrolment.jp), whatever its state is called; who is sure to take part may gain them still.
CREATE VIEW learning_source AS
SELECT e.asn_id, 'enrolment' AS source, e.id AS source_id, lower(e.days) AS first_day, upper(e.days) - 1 AS last_day, p.form, p.name, p.organiser,
       NULL::text AS certificate_number, coalesce(t.is_abroad, false) AS is_abroad,
       coalesce(t.amount, CASE WHEN r.facts ->> 'counted_by' = 'hari' THEN upper(e.days) - lower(e.days) ELSE 1 END) AS amount,
       NULL::integer AS minutes, coalesce(e.jp, p.jp)::numeric AS told_jp, e.jp IS NULL AS is_forecast, r.facts AS form_facts, r.name AS form_name
FROM   enrolment e
JOIN   session s ON s.id = e.session_id
JOIN   programme p ON p.id = s.programme_id
LEFT   JOIN session_term t ON t.session_id = s.id
LEFT   JOIN reference r ON r.list = 'training-form' AND r.code = p.form AND r.valid @> upper(e.days) - 1
WHERE  e.jp IS NOT NULL OR e.state IN ('approved', 'attending', 'completed')
UNION ALL
SELECT h.asn_id, 'course', h.id, h.starts, w.last_day, h.facts ->> 'form', h.facts ->> 'name', h.facts ->> 'organiser', h.facts ->> 'certificate_number',
       coalesce((h.facts ->> 'is_abroad')::boolean, false),
       coalesce((h.facts ->> 'amount')::numeric, CASE WHEN r.facts ->> 'counted_by' = 'hari' AND h.ends IS NOT NULL THEN h.ends - h.starts END),
       (h.facts ->> 'minutes')::numeric::integer,
       coalesce(div((h.facts ->> 'minutes')::numeric, 45), (h.facts ->> 'jp')::numeric), false, r.facts, r.name
FROM   history h
CROSS  JOIN LATERAL (SELECT coalesce(h.ends - 1, h.starts) AS last_day) w
LEFT   JOIN reference r ON r.list = 'training-form' AND r.code = h.facts ->> 'form' AND r.valid @> w.last_day
WHERE  h.kind = 'course' AND NOT h.is_void;
COMMENT ON VIEW learning_source IS
    'Trainings that people passed or are sure to attend (is_forecast), and certificates from elsewhere. amount: what the form counts, null: not told. told_jp: JP as printed, or whole 45 minutes of the minutes told.';

CREATE TABLE learning_entry (
    source       text    NOT NULL,
    source_id    uuid    NOT NULL,
    asn_id       uuid    NOT NULL,
    first_day    date    NOT NULL,
    last_day     date    NOT NULL,
    form         text,
    counted_by   text,
    share        integer,
    is_abroad    boolean NOT NULL,
    amount       numeric,
    minutes      integer,
    told_jp      numeric,
    unit_jp      numeric,
    jp           numeric NOT NULL,
    counted_jp   numeric NOT NULL,
    notes        text[]  NOT NULL,
    duplicate_of uuid,
    rule_kind    text    NOT NULL,
    basis        text    NOT NULL,
    period_from  date    NOT NULL,
    period_until date    NOT NULL,
    year         integer NOT NULL,
    CONSTRAINT learning_entry_pkey PRIMARY KEY (source, source_id)
);
CREATE INDEX learning_entry_asn_idx ON learning_entry (asn_id, period_from);
COMMENT ON TABLE learning_entry IS
    'The ledger of learning hours: what counts, how much and why. Derived from enrolments, histories and reference lists alone; nobody writes here but learning_refresh().';
COMMENT ON COLUMN learning_entry.source IS 'enrolment, or course (a history)';
COMMENT ON COLUMN learning_entry.source_id IS 'Its id';
COMMENT ON COLUMN learning_entry.asn_id IS 'asn.id';
COMMENT ON COLUMN learning_entry.first_day IS 'First day of the training';
COMMENT ON COLUMN learning_entry.last_day IS 'Its last day: decides the year and the month';
COMMENT ON COLUMN learning_entry.form IS 'Bentuk; list training-form';
COMMENT ON COLUMN learning_entry.counted_by IS 'What the form counts: jp, hari, semester, sesi, kegiatan; null: the form is not known';
COMMENT ON COLUMN learning_entry.share IS '70, 20 or 10: at work, from others, in class';
COMMENT ON COLUMN learning_entry.is_abroad IS 'Held abroad';
COMMENT ON COLUMN learning_entry.amount IS 'Days, sessions, semesters or events; null: not told, or JP are counted';
COMMENT ON COLUMN learning_entry.minutes IS 'As told; null: not in minutes';
COMMENT ON COLUMN learning_entry.told_jp IS 'JP as printed, or of the minutes';
COMMENT ON COLUMN learning_entry.unit_jp IS 'JP for one of what the form counts, at home or abroad';
COMMENT ON COLUMN learning_entry.jp IS 'JP by the table';
COMMENT ON COLUMN learning_entry.counted_jp IS 'JP that count';
COMMENT ON COLUMN learning_entry.notes IS 'Why it is not simply amount times unit_jp: see learning_count()';
COMMENT ON COLUMN learning_entry.duplicate_of IS 'source_id of the entry that is the same training';
COMMENT ON COLUMN learning_entry.rule_kind IS 'PNS or PPPK: whose rule holds';
COMMENT ON COLUMN learning_entry.basis IS 'calendar, contract, appointment: by what the year is counted';
COMMENT ON COLUMN learning_entry.period_from IS 'First day of that year';
COMMENT ON COLUMN learning_entry.period_until IS 'First day after it';
COMMENT ON COLUMN learning_entry.year IS 'Calendar year in which it begins';

-- Of what is the same training the first counts: enrolments before certificates, then by day. The same are certificates of one number of one organiser,
-- and trainings of one name that begin on one day, unless both have certificates, and other ones.
CREATE FUNCTION learning_count(people uuid[])
RETURNS TABLE (entry learning_entry, is_forecast boolean, name text, organiser text, certificate_number text, form_name text)
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN QUERY
    WITH told AS (
        SELECT s.*, ROW(s.is_forecast, s.source = 'course', s.last_day, s.source_id) AS place, reference_fold(s.name) AS name_word,
               CASE WHEN reference_fold(s.certificate_number) <> '' THEN concat(reference_fold(s.organiser), '/', reference_fold(s.certificate_number)) END AS paper,
               learning_hours(s.form_facts, s.is_abroad, s.amount, s.told_jp) AS by_table,
               (s.form_facts ->> CASE WHEN s.is_abroad THEN 'jp_abroad' ELSE 'jp_national' END)::numeric AS one,
               CASE WHEN NOT s.is_abroad THEN (s.form_facts ->> 'month_most')::numeric * (s.form_facts ->> 'jp_national')::numeric END AS month_jp
        FROM   learning_source s
        WHERE  s.asn_id = ANY (people)
    ), compared AS (
        SELECT t.*,
               CASE WHEN t.paper IS NOT NULL
                    THEN coalesce(nullif(first_value(t.source_id) OVER (PARTITION BY t.asn_id, t.paper ORDER BY t.place), t.source_id),
                                  (array_agg(t.source_id) FILTER (WHERE t.paper IS NULL) OVER before)[1])
                    ELSE (array_agg(t.source_id) OVER before)[1] END AS twin
        FROM   told t
        WINDOW before AS (PARTITION BY t.asn_id, t.name_word, t.first_day ORDER BY t.place ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
    ), bounded AS (
        SELECT c.*,
               CASE WHEN c.twin IS NOT NULL THEN 0
                    WHEN c.month_jp IS NULL THEN c.by_table
                    ELSE least(c.by_table,
                               greatest(c.month_jp - coalesce(sum(c.by_table) FILTER (WHERE c.twin IS NULL)
                                                              OVER (PARTITION BY c.asn_id, c.form, c.month_jp IS NULL, date_trunc('month', c.last_day)
                                                                    ORDER BY c.place ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0), 0)) END AS counts
        FROM   compared c
    )
    SELECT ROW(b.source, b.source_id, b.asn_id, b.first_day, b.last_day, b.form, b.form_facts ->> 'counted_by', (b.form_facts ->> 'share')::integer,
               b.is_abroad, CASE WHEN b.form_facts ->> 'counted_by' <> 'jp' THEN b.amount END, b.minutes, b.told_jp, b.one, b.by_table, b.counts,
               array_remove(ARRAY[CASE WHEN b.form_facts IS NULL THEN 'form-unknown' END,
                                  CASE WHEN b.minutes IS NOT NULL THEN 'minutes' END,
                                  CASE WHEN b.form_facts ->> 'counted_by' <> 'jp' AND (b.form_facts ->> 'is_up_to')::boolean IS NOT TRUE AND b.amount IS NULL
                                            AND b.told_jp IS NOT NULL THEN 'as-printed' END,
                                  CASE WHEN (b.form_facts ->> 'is_up_to')::boolean
                                            AND b.told_jp * CASE WHEN b.is_abroad THEN coalesce((b.form_facts ->> 'jp_factor_abroad')::numeric, 1) ELSE 1 END
                                                > b.by_table THEN 'day-most' END,
                                  CASE WHEN b.twin IS NOT NULL THEN 'duplicate' WHEN b.counts < b.by_table THEN 'month-most' END], NULL),
               b.twin, p.rule_kind, p.basis, p.period_from, p.period_until, extract(year FROM p.period_from)::integer)::learning_entry,
           b.is_forecast, b.name, b.organiser, b.certificate_number, b.form_name
    FROM   bounded b
    JOIN   asn a ON a.id = b.asn_id
    CROSS  JOIN LATERAL learning_period(a, b.last_day) p;
END $$;
COMMENT ON FUNCTION learning_count(uuid[]) IS
    'The ledger of these people as it should be, and what is forecast. notes: form-unknown (counted as printed), minutes (whole 45 minutes of them), as-printed (how many was not told), day-most and month-most (the table''s bounds), duplicate.';

-- The people's rows make refreshes of one person take turns: two that could not see each other's training would both miss what is the same.
CREATE FUNCTION learning_refresh(people uuid[]) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM asn a WHERE a.id = ANY (people) ORDER BY a.nip FOR NO KEY UPDATE;
    DELETE FROM learning_entry e WHERE e.asn_id = ANY (people);
    INSERT INTO learning_entry SELECT (c.entry).* FROM learning_count(people) c WHERE NOT c.is_forecast;
END $$;
COMMENT ON FUNCTION learning_refresh(uuid[]) IS 'Works out the ledger of these people anew.';

CREATE FUNCTION enrolment_keep_hours() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM learning_refresh(ARRAY[OLD.asn_id, NEW.asn_id]);
    RETURN NULL;
END $$;
COMMENT ON FUNCTION enrolment_keep_hours() IS 'The ledger follows the hours and days of enrolments, and whose they are.';
CREATE TRIGGER enrolment_50_hours AFTER UPDATE OF jp, days, asn_id ON enrolment FOR EACH ROW
    WHEN ((OLD.jp IS NOT NULL OR NEW.jp IS NOT NULL) AND (OLD.jp, OLD.days, OLD.asn_id) IS DISTINCT FROM (NEW.jp, NEW.days, NEW.asn_id))
    EXECUTE FUNCTION enrolment_keep_hours();

-- An appointment matters to who has something that counts; whoever is new has not.
CREATE FUNCTION history_keep_hours() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
    people uuid[];
BEGIN
    IF TG_OP = 'UPDATE' THEN
        SELECT array_agg(DISTINCT w.asn_id) INTO people
        FROM   (SELECT n.asn_id, n.kind FROM entered n UNION ALL SELECT o.asn_id, o.kind FROM departed o) w
        WHERE  w.kind IN ('course', 'contract', 'appointment');
    ELSE
        SELECT array_agg(DISTINCT n.asn_id) INTO people
        FROM   entered n
        WHERE  n.kind = 'course' OR n.kind IN ('contract', 'appointment') AND EXISTS (SELECT FROM learning_entry e WHERE e.asn_id = n.asn_id);
    END IF;
    IF people IS NOT NULL THEN
        PERFORM learning_refresh(people);
    END IF;
    RETURN NULL;
END $$;
COMMENT ON FUNCTION history_keep_hours() IS 'The ledger follows certificates from elsewhere, contracts and appointments.';
CREATE TRIGGER history_60_hours_insert AFTER INSERT ON history REFERENCING NEW TABLE AS entered
    FOR EACH STATEMENT EXECUTE FUNCTION history_keep_hours();
CREATE TRIGGER history_60_hours_update AFTER UPDATE ON history REFERENCING NEW TABLE AS entered OLD TABLE AS departed
    FOR EACH STATEMENT EXECUTE FUNCTION history_keep_hours();

CREATE FUNCTION asn_keep_hours() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        DELETE FROM learning_entry e WHERE e.asn_id = OLD.id;
    ELSIF EXISTS (SELECT FROM learning_entry e WHERE e.asn_id = NEW.id) THEN
        PERFORM learning_refresh(ARRAY[NEW.id]);
    END IF;
    RETURN NULL;
END $$;
COMMENT ON FUNCTION asn_keep_hours() IS 'The ledger follows the kind of a person and the day of appointment, and goes with the record.';
CREATE TRIGGER asn_60_hours_update AFTER UPDATE OF kind, appointed_on ON asn FOR EACH ROW
    WHEN ((OLD.kind, OLD.appointed_on) IS DISTINCT FROM (NEW.kind, NEW.appointed_on)) EXECUTE FUNCTION asn_keep_hours();
CREATE TRIGGER asn_60_hours_delete AFTER DELETE ON asn FOR EACH ROW EXECUTE FUNCTION asn_keep_hours();

CREATE FUNCTION training_keep_hours() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
    people uuid[];
BEGIN
    IF TG_TABLE_NAME = 'programme' THEN
        SELECT array_agg(DISTINCT e.asn_id) INTO people FROM enrolment e JOIN session s ON s.id = e.session_id WHERE s.programme_id = NEW.id AND e.jp IS NOT NULL;
    ELSE
        SELECT array_agg(DISTINCT e.asn_id) INTO people FROM enrolment e WHERE e.session_id = NEW.session_id AND e.jp IS NOT NULL;
    END IF;
    IF people IS NOT NULL THEN
        PERFORM learning_refresh(people);
    END IF;
    RETURN NULL;
END $$;
COMMENT ON FUNCTION training_keep_hours() IS 'The ledger follows the form of a programme and the terms of a session.';
CREATE TRIGGER programme_60_hours AFTER UPDATE OF form, name, organiser ON programme FOR EACH ROW
    WHEN ((OLD.form, OLD.name, OLD.organiser) IS DISTINCT FROM (NEW.form, NEW.name, NEW.organiser)) EXECUTE FUNCTION training_keep_hours();
CREATE TRIGGER session_term_60_hours AFTER INSERT OR UPDATE OF is_abroad, amount ON session_term FOR EACH ROW EXECUTE FUNCTION training_keep_hours();

CREATE FUNCTION reference_keep_hours() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM entered e WHERE e.list = 'training-form') THEN
        PERFORM learning_refresh(array_agg(DISTINCT e.asn_id)) FROM learning_entry e HAVING count(*) > 0;
    END IF;
    RETURN NULL;
END $$;
COMMENT ON FUNCTION reference_keep_hours() IS 'Works everybody out anew: the table of forms has changed.';
CREATE TRIGGER reference_60_hours_insert AFTER INSERT ON reference REFERENCING NEW TABLE AS entered
    FOR EACH STATEMENT EXECUTE FUNCTION reference_keep_hours();
CREATE TRIGGER reference_60_hours_update AFTER UPDATE ON reference REFERENCING NEW TABLE AS entered
    FOR EACH STATEMENT EXECUTE FUNCTION reference_keep_hours();

INSERT INTO learning_entry
SELECT (c.entry).*
FROM   (SELECT array_agg(DISTINCT s.asn_id) AS ids FROM learning_source s WHERE NOT s.is_forecast) p, learning_count(p.ids) c
WHERE  NOT c.is_forecast;

-- ── how a person stands ──────────────────────────────────────────────────────────────────────────────────────────────────

CREATE FUNCTION learning_bounds(me asn, kind text, in_year integer) RETURNS TABLE (floor_jp integer, ceiling_jp integer, source text)
LANGUAGE sql STABLE AS $$
    SELECT l.floor_jp, CASE WHEN (me).echelon IN ('10', '11', '12') THEN NULL ELSE l.ceiling_jp END, l.source
    FROM   learning_rule l
    WHERE  l.kind = learning_bounds.kind AND l.valid_from <= in_year
    ORDER  BY l.valid_from DESC
    LIMIT  1
$$;
COMMENT ON FUNCTION learning_bounds(asn, text, integer) IS 'Floor and ceiling of a year that begins in that calendar year; no ceiling for JPT utama and madya (PP 49/2018 Art. 40(2)).';

CREATE FUNCTION learning_forecast(who uuid, kind text, since date) RETURNS numeric
LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM enrolment e WHERE e.asn_id = who AND e.jp IS NULL AND e.state IN ('approved', 'attending', 'completed')) THEN
        RETURN 0;
    END IF;
    RETURN (SELECT coalesce(sum((c.entry).counted_jp), 0) FROM learning_count(ARRAY[who]) c 
            WHERE  c.is_forecast AND ((c.entry).rule_kind, (c.entry).period_from) = (kind, since));
END $$;
COMMENT ON FUNCTION learning_forecast(uuid, text, date) IS 'JP that a person would gain in the year that begins on that day by all enrolments that are sure to be attended.';

-- Made when it is read, so that the table holds codes and numbers alone.
CREATE FUNCTION learning_words(e learning_entry, lang text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN concat_ws('; ',
    CASE WHEN (e).minutes IS NOT NULL
         THEN format(CASE lang WHEN 'en' THEN '%s minutes are %s whole JP of 45' ELSE '%s menit adalah %s JP utuh (45 menit)' END, (e).minutes, (e).told_jp) END,
    CASE WHEN (e).counted_by IS NULL OR 'as-printed' = ANY ((e).notes)
         THEN format(CASE lang WHEN 'en' THEN '%s JP as printed' ELSE '%s JP seperti tertulis' END, trim_scale((e).jp))
         WHEN (e).counted_by = 'jp' THEN format('%s JP × %s = %s JP', coalesce(trim_scale((e).told_jp), 0), trim_scale((e).unit_jp), trim_scale((e).jp))
         WHEN 'day-most' = ANY ((e).notes)
         THEN format(CASE lang WHEN 'en' THEN '%s JP told, at most %s × %s = %s JP' ELSE '%s JP disebut, paling banyak %s × %s = %s JP' END,
                     trim_scale((e).told_jp), trim_scale(coalesce((e).amount, 1)), trim_scale((e).unit_jp), trim_scale((e).jp))
         WHEN (e).jp <> coalesce((e).amount, 1) * (e).unit_jp
         THEN format(CASE lang WHEN 'en' THEN '%s JP of those told' ELSE '%s JP dari yang disebut' END, trim_scale((e).jp))
         ELSE format('%s %s × %s = %s JP', trim_scale(coalesce((e).amount, 1)),
                     CASE WHEN lang = 'id' THEN (e).counted_by
                          ELSE CASE (e).counted_by WHEN 'hari' THEN 'day(s)' WHEN 'sesi' THEN 'session(s)' WHEN 'semester' THEN 'semester(s)' ELSE 'event(s)' END END,
                     trim_scale((e).unit_jp), trim_scale((e).jp)) END,
    CASE WHEN (e).is_abroad THEN CASE lang WHEN 'en' THEN 'abroad' ELSE 'luar negeri' END END,
    CASE WHEN 'duplicate' = ANY ((e).notes) THEN CASE lang WHEN 'en' THEN 'the same training counts already' ELSE 'pelatihan yang sama sudah dihitung' END
         WHEN 'month-most' = ANY ((e).notes)
         THEN format(CASE lang WHEN 'en' THEN 'with what the month has already %s JP count' ELSE 'dengan yang sudah ada pada bulan itu dihitung %s JP' END,
                     trim_scale((e).counted_jp)) END);
COMMENT ON FUNCTION learning_words(learning_entry, text) IS 'What of an entry counts and why, in a sentence; lang: en or id.';

CREATE FUNCTION session_term_put(which uuid, seen int8multirange, body jsonb)
RETURNS TABLE (problem text, session_id uuid, is_abroad boolean, amount numeric, cost_per_head numeric, commits text, budget_line_id uuid, warnings text[],
               version bigint)
LANGUAGE plpgsql AS $$
DECLARE
    now_at bigint;
BEGIN
    PERFORM FROM session s WHERE s.id = which FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    now_at := coalesce((SELECT t.version FROM session_term t WHERE t.session_id = which), 0) + 1;
    IF NOT seen @> now_at THEN
        problem := 'version-stale';
        RETURN NEXT;
        RETURN;
    END IF;
    INSERT INTO session_term AS t (session_id, is_abroad, amount, cost_per_head, commits, budget_line_id)
    VALUES (which, coalesce((body ->> 'is_abroad')::boolean, false), (body ->> 'amount')::numeric, (body ->> 'cost_per_head')::numeric,
            coalesce(body ->> 'commits', 'taken'), (body ->> 'budget_line_id')::uuid)
    ON CONFLICT ON CONSTRAINT session_term_pkey DO UPDATE
    SET    (is_abroad, amount, cost_per_head, commits, budget_line_id)
         = (EXCLUDED.is_abroad, EXCLUDED.amount, EXCLUDED.cost_per_head, EXCLUDED.commits, EXCLUDED.budget_line_id);
    RETURN QUERY SELECT NULL::text, t.session_id, t.is_abroad, trim_scale(t.amount), t.cost_per_head, t.commits, t.budget_line_id,
                        coalesce(w.warnings, '{}'), t.version + 1
                 FROM   session_term t LEFT JOIN (budget_line b CROSS JOIN LATERAL budget_standing(b) w) ON b.id = t.budget_line_id
                 WHERE  t.session_id = which;
END $$;
COMMENT ON FUNCTION session_term_put(uuid, int8multirange, jsonb) IS
    'Writes the terms of a session. Version 1 is that of no row, so that the first of two who set them wins; no row in the answer: no such session.';

CREATE FUNCTION activity_write(which uuid, seen int8multirange, patch jsonb) RETURNS TABLE (problem text, a activity, partner_name text, warnings text[])
LANGUAGE plpgsql AS $$
DECLARE
    me activity;
BEGIN
    IF seen IS NULL THEN
        me := jsonb_populate_record(NULL::activity, patch);
        INSERT INTO activity (id, partner_id, agreement_id, kind, direction, title, starts_on, ends_on, state, jp, cost_planned, cost_spent, our_share_percent,
                              session_id, budget_line_id)
        VALUES (which, me.partner_id, me.agreement_id, me.kind, me.direction, me.title, me.starts_on, me.ends_on, coalesce(me.state, 'planned'), me.jp,
                me.cost_planned, me.cost_spent, coalesce(me.our_share_percent, 100), me.session_id, me.budget_line_id);
    ELSE
        SELECT t.* INTO me FROM activity t WHERE t.id = which FOR NO KEY UPDATE;
        IF NOT FOUND THEN
            RETURN;
        ELSIF NOT seen @> me.version THEN
            problem := 'version-stale';
            RETURN NEXT;
            RETURN;
        END IF;
        me := jsonb_populate_record(me, patch);
        UPDATE activity t
        SET    (agreement_id, direction, title, starts_on, ends_on, state, jp, cost_planned, cost_spent, our_share_percent, session_id, budget_line_id)
             = (me.agreement_id, me.direction, me.title, me.starts_on, me.ends_on, me.state, me.jp, me.cost_planned, me.cost_spent, me.our_share_percent,
                me.session_id, me.budget_line_id)
        WHERE  t.id = which;
    END IF;
    RETURN QUERY SELECT NULL::text, t, p.name, coalesce(w.warnings, '{}')
                 FROM   activity t
                 JOIN   partner p ON p.id = t.partner_id
                 LEFT   JOIN (budget_line b CROSS JOIN LATERAL budget_standing(b) w) ON b.id = t.budget_line_id
                 WHERE  t.id = which;
END $$;
COMMENT ON FUNCTION activity_write(uuid, int8multirange, jsonb) IS
    'A new activity (seen null), or RFC 7396 on one that the client has seen, with what its line of the budget warns of then. No row: there is none.';

CREATE FUNCTION budget_line_patch(which uuid, seen int8multirange, patch jsonb) RETURNS TABLE (problem text, b budget_line)
LANGUAGE plpgsql AS $$
DECLARE
    me budget_line;
BEGIN
    SELECT l.* INTO me FROM budget_line l WHERE l.id = which FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RETURN;
    ELSIF NOT seen @> me.version THEN
        problem := 'version-stale';
        RETURN NEXT;
        RETURN;
    END IF;
    me := jsonb_populate_record(me, patch);
    UPDATE budget_line l SET (account, planned, warn_percent) = (me.account, me.planned, me.warn_percent) WHERE l.id = which;
    RETURN QUERY SELECT NULL::text, l FROM budget_line l WHERE l.id = which;
END $$;
COMMENT ON FUNCTION budget_line_patch(uuid, int8multirange, jsonb) IS 'RFC 7396 on a line that the client has seen. No row: there is none.';

CREATE FUNCTION expense_write(which uuid, line uuid, told jsonb, by_name text) RETURNS TABLE (x expense, remaining numeric, warnings text[])
LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM budget_line b WHERE b.id = line) THEN
        RETURN;
    END IF;
    INSERT INTO expense (id, budget_line_id, session_id, activity_id, spent_on, amount, reference, note, actor_name)
    VALUES (which, line, (told ->> 'session_id')::uuid, (told ->> 'activity_id')::uuid, (told ->> 'spent_on')::date, (told ->> 'amount')::numeric,
            told ->> 'reference', told ->> 'note', by_name);
    RETURN QUERY SELECT e, s.remaining, s.warnings FROM expense e JOIN budget_line b ON b.id = e.budget_line_id CROSS JOIN LATERAL budget_standing(b) s
                 WHERE  e.id = which;
END $$;
COMMENT ON FUNCTION expense_write(uuid, uuid, jsonb, text) IS 'Writes an expense and says how its line stands then. No row: there is no such line.';
