-- The caller's units a second time, by PostgreSQL's row security: what a statement forgets to ask, the server asks. Why it is made so:
-- docs/decisions/0016-row-security.md.

-- ── what is held, and what is not ────────────────────────────────────────────────────────────────────────────────────────

CREATE TABLE row_rule (
    relation   text NOT NULL,
    place      text NOT NULL,
    of         text NOT NULL,
    none_shown boolean NOT NULL DEFAULT false,
    CONSTRAINT row_rule_pkey PRIMARY KEY (relation, place)
);
COMMENT ON TABLE row_rule IS
    'Tables whose rows are those of a person, and whose: a row is seen if what it belongs to is seen, by one of its rules. A person is seen by whoever has the unit. row_security_attach() makes policies of it.';
COMMENT ON COLUMN row_rule.relation IS 'Name of the table';
COMMENT ON COLUMN row_rule.place IS 'Its column that names what the row belongs to';
COMMENT ON COLUMN row_rule.of IS 'The table that the column refers to, by its id: unit, or one that has rules itself';
COMMENT ON COLUMN row_rule.none_shown IS 'Whether a row that belongs to nobody is seen';
INSERT INTO row_rule (relation, place, of) VALUES
    ('asn', 'unit_id', 'unit'),
    ('appraisal', 'evaluation_id', 'evaluation'),
    ('asn_merge', 'asn_id', 'asn'),
    ('asn_merge_row', 'merge_id', 'asn_merge'),
    ('attendance', 'enrolment_id', 'enrolment'),
    ('attendance_version', 'enrolment_id', 'enrolment'),
    ('behaviour_request', 'review_id', 'behaviour_review'),
    ('behaviour_review', 'enrolment_id', 'enrolment'),
    ('certificate', 'enrolment_id', 'enrolment'),
    ('certificate_edition', 'certificate_id', 'certificate'),
    ('change_request', 'asn_id', 'asn'),
    ('change_request_comment', 'request_id', 'change_request'),
    ('competency_assessment', 'asn_id', 'asn'),
    ('competency_assessment_version', 'assessment_id', 'competency_assessment'),
    ('development_plan', 'asn_id', 'asn'),
    ('development_plan_course', 'plan_id', 'development_plan'),
    ('development_plan_line', 'plan_id', 'development_plan'),
    ('development_plan_step', 'plan_id', 'development_plan'),
    ('document', 'asn_id', 'asn'),
    ('document_link', 'document_id', 'document'),
    ('due', 'asn_id', 'asn'),
    ('enrolment', 'asn_id', 'asn'),
    ('enrolment_siasn', 'enrolment_id', 'enrolment'),
    ('enrolment_step_taken', 'enrolment_id', 'enrolment'),
    ('evaluation', 'asn_id', 'asn'),
    ('external_certificate', 'asn_id', 'asn'),
    ('external_id', 'asn_id', 'asn'),
    ('handover', 'evaluation_id', 'evaluation'),
    ('handover', 'enrolment_id', 'enrolment'),
    ('handover_step', 'handover_id', 'handover'),
    ('history', 'asn_id', 'asn'),
    ('history_ahead', 'asn_id', 'asn'),
    ('history_version', 'asn_id', 'asn'),
    ('improvement_check', 'plan_id', 'improvement_plan'),
    ('improvement_plan', 'asn_id', 'asn'),
    ('improvement_step', 'plan_id', 'improvement_plan'),
    ('indicator', 'evaluation_id', 'evaluation'),
    ('indicator_measurement', 'evaluation_id', 'evaluation'),
    ('ip_asn_bkn', 'asn_id', 'asn'),
    ('learning_entry', 'asn_id', 'asn'),
    ('moderation', 'evaluation_id', 'evaluation'),
    ('objection', 'evaluation_id', 'evaluation'),
    ('objection_step', 'objection_id', 'objection'),
    ('peer_answer', 'evaluation_id', 'evaluation'),
    ('peer_receipt', 'evaluation_id', 'evaluation'),
    ('potential', 'asn_id', 'asn'),
    ('presence_month', 'asn_id', 'asn'),
    ('reaction_receipt', 'enrolment_id', 'enrolment'),
    ('skp', 'asn_id', 'asn'),
    ('skp_behaviour', 'skp_id', 'skp'),
    ('skp_edition', 'skp_id', 'skp'),
    ('skp_feedback', 'skp_id', 'skp'),
    ('skp_indicator', 'skp_id', 'skp'),
    ('skp_measure', 'skp_id', 'skp'),
    ('skp_milestone', 'skp_id', 'skp'),
    ('skp_milestone_report', 'milestone_id', 'skp_milestone'),
    ('skp_progress', 'skp_id', 'skp'),
    ('skp_result', 'skp_id', 'skp');
INSERT INTO row_rule (relation, place, of, none_shown) VALUES ('activity_participant', 'asn_id', 'asn', true);

CREATE TABLE row_exempt (
    relation text CONSTRAINT row_exempt_pkey PRIMARY KEY,
    reason   text NOT NULL
);
COMMENT ON TABLE row_exempt IS 'Tables that name a person, directly or through what they belong to, and have no rule: there the statement alone holds the caller''s units. And views that show more than the caller''s rows.';
COMMENT ON COLUMN row_exempt.relation IS 'Name of the table or view';
COMMENT ON COLUMN row_exempt.reason IS 'Why';
INSERT INTO row_exempt (relation, reason) VALUES
    ('asn_named', 'NIP and name alone, for those whom a visible record names: whoever assesses, decides or attends may stand in another unit'),
    ('nip_taken', 'Numbers alone: one that is taken is taken, wherever'),
    ('audit_entry', 'An entry outlives whatever it tells of, and may tell of many; whose it is is asked by listAuditEntries and listOwnReadings'),
    ('change', 'Ids without content, in the order of commits; whose they are, also those that have just left a unit, is decided by change_read()'),
    ('expense', 'Money of a session or an activity: no person''s'),
    ('import_row', 'What an import was before: its owner''s, and read by import_take_back() alone'),
    ('budget_warning', 'Money: no person''s'),
    ('effect_tally', 'Counts of anonymous answers'),
    ('survey_answer', 'An answer is the service''s, not that of the officer whom it names'),
    ('survey_receipt', 'A ticket''s, see there'),
    ('ticket', 'A citizen''s, at a service: seen by whoever has the service''s unit, not that of the officer whom it names');

-- Of these SECURITY DEFINER is told by name; trigger functions are so altogether.
CREATE TABLE row_definer (
    function text CONSTRAINT row_definer_pkey PRIMARY KEY,
    reason   text NOT NULL
);
COMMENT ON TABLE row_definer IS 'Functions that look or write beyond the caller''s units on purpose, as the owner: what they give back is no row of another''s.';
COMMENT ON COLUMN row_definer.function IS 'Its name; all of one name';
COMMENT ON COLUMN row_definer.reason IS 'Why';
INSERT INTO row_definer VALUES
    ('asn_of_nip', 'A number names the same person whoever asks: gives an id'),
    ('nip_heir', 'As asn_of_nip'),
    ('asn_search', 'Gives ids within the units that it is given; the statement around it reads the rows. Indices cannot be asked with trigrams and arrays below a policy'),
    ('asn_sought', 'As asn_search: ids'),
    ('asn_of_number', 'As asn_search: ids'),
    ('doubles_near', 'As asn_search: ids'),
    ('doubles_of', 'As asn_search: ids'),
    ('session_promote', 'A session''s seats and queue are shared by all units'),
    ('enrolment_queue', 'Who stands ahead may be of any unit; names those alone whom the given units hold'),
    ('session_await', 'A session''s offers lapse for everybody'),
    ('session_has_room', 'A session''s seats are shared by all units; gives a boolean'),
    ('session_cancel', 'A session is cancelled for everybody in it'),
    ('session_days_set', 'The days of a session must suit all who are in it'),
    ('session_quotas_set', 'Seats are shared by all units'),
    ('attendance_weigh', 'The hours of all who attended a session'),
    ('behaviour_assign', 'Superiors and colleagues may stand in other units'),
    ('behaviour_assign_due', 'As behaviour_assign'),
    ('effect_superior', 'A superior may stand in another unit; gives an id'),
    ('effect_group', 'Counts of anonymous answers of all who took part'),
    ('handover_assessor', 'An assessor may stand in another unit; gives what the form asks of one'),
    ('import_depends', 'What has built on an import may lie anywhere; shows what the given units may see'),
    ('import_depends_people', 'As import_depends'),
    ('import_depends_units', 'As import_depends'),
    ('import_referrers', 'As import_depends'),
    ('import_take_back', 'Takes back what the import wrote, wherever it has moved since'),
    ('import_take_back_people', 'As import_take_back'),
    ('import_take_back_histories', 'As import_take_back'),
    ('import_take_back_units', 'As import_take_back'),
    ('unit_staff', 'Who will come to a unit may stand in another today; gives ids'),
    ('unit_hand_people', 'As unit_staff: their placements go on in the unit that takes over'),
    ('unit_await_reform', 'As unit_staff: locks them'),
    ('change_page', 'Tells of what has left the given units, too: kinds and ids'),
    ('open_people', 'Figures of the whole government, for publication'),
    ('offers_lapse', 'Offers lapse for everybody'),
    ('certificate_seed_make', 'Makes the one secret that the daemon renews; the others it may only read');

-- ── who ──────────────────────────────────────────────────────────────────────────────────────────────────────────────────

CREATE FUNCTION row_roles_make() RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY '{asnd_all,asnd_bound}'::text[] LOOP
        IF to_regrole(name) IS NULL THEN
            BEGIN
                EXECUTE format('CREATE ROLE %I NOLOGIN', name);
            EXCEPTION
                WHEN duplicate_object OR unique_violation THEN NULL; -- another database of this server was quicker
                WHEN insufficient_privilege THEN RETURN false;
            END;
        END IF;
        IF NOT pg_has_role(current_user, name, 'MEMBER') THEN
            BEGIN
                EXECUTE format('GRANT %I TO %I', name, current_user);
            EXCEPTION WHEN insufficient_privilege THEN NULL; -- then the daemon's role must be another, which has been given it
            END;
        END IF;
    END LOOP;
    RETURN true;
END $$;
COMMENT ON FUNCTION row_roles_make() IS 'Makes the two group roles, if they are not there and may be made; whether they are there.';

CREATE FUNCTION row_units() RETURNS ltree[]
LANGUAGE sql STABLE PARALLEL SAFE
RETURN nullif(current_setting('asnd.units', true), '')::ltree[];
COMMENT ON FUNCTION row_units() IS 'The subtrees of the caller, as the session variable asnd.units tells them; untold: null, which is none.';

-- ── policies ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

CREATE FUNCTION row_condition(me text) RETURNS text
LANGUAGE sql STABLE
RETURN (SELECT string_agg(CASE WHEN r.of = 'unit' THEN format('EXISTS (SELECT FROM public.unit u WHERE u.id = %I.%I AND u.path <@ ANY ((SELECT public.row_units())::ltree[]))', me, r.place)
                               ELSE format('EXISTS (SELECT FROM public.%I p WHERE p.id = %I.%I)', r.of, me, r.place) END
                          || CASE WHEN r.none_shown THEN format(' OR %I.%I IS NULL', me, r.place) ELSE '' END, ' OR ' ORDER BY r.place)
        FROM   row_rule r WHERE r.relation = me);
COMMENT ON FUNCTION row_condition(text) IS 'When a bound caller sees a row of the table, as SQL. What it asks of other tables is held by their policies in turn.';

-- Written so that it changes, and locks, only what is not yet as it should be.
CREATE FUNCTION row_security_attach() RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    t record;
BEGIN
    IF NOT row_roles_make() THEN
        RAISE WARNING 'the roles asnd_all and asnd_bound are missing and % may not make them: row security is off', current_user;
        RETURN false;
    END IF;
    FOR t IN SELECT DISTINCT r.relation FROM row_rule r WHERE NOT EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = to_regclass(r.relation) AND p.polname = 'bound') LOOP
        EXECUTE format('CREATE POLICY bound ON %I TO asnd_bound USING (%s)', t.relation, row_condition(t.relation));
        EXECUTE format('CREATE POLICY everything ON %I TO asnd_all USING (true)', t.relation);
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t.relation);
    END LOOP;
    FOR t IN SELECT c.relname FROM pg_class c
             WHERE  c.relnamespace = 'public'::regnamespace AND c.relkind = 'v' AND NOT coalesce(c.reloptions, '{}') @> '{security_invoker=true}'
                    AND NOT EXISTS (SELECT FROM row_exempt x WHERE x.relation = c.relname) LOOP
        EXECUTE format('ALTER VIEW %I SET (security_invoker = true)', t.relname);
    END LOOP;
    FOR t IN SELECT p.oid::regprocedure AS function
             FROM   pg_proc p
             WHERE  p.pronamespace = 'public'::regnamespace AND p.prokind = 'f' AND NOT p.prosecdef
                    AND (p.prorettype = 'trigger'::regtype OR EXISTS (SELECT FROM row_definer d WHERE d.function = p.proname))
                    AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e') LOOP
        EXECUTE format('ALTER FUNCTION %s SECURITY DEFINER SET search_path = public, pg_temp', t.function);
    END LOOP;
    PERFORM row_security_grant();
    RETURN true;
END $$;
COMMENT ON FUNCTION row_security_attach() IS
    'Makes policies, grants, and functions and views as they must be for them. A migration that makes a table, view or function calls it at its end; asnd migrate does after the last one. False: the roles cannot be had.';

CREATE FUNCTION row_security_grant() RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    t record;
BEGIN
    GRANT USAGE ON SCHEMA public TO asnd_all, asnd_bound;
    FOR t IN SELECT c.oid::regclass AS me, c.relkind AS kind,
                    CASE WHEN c.relname ~ '^(audit_|row_|schema_migration$|instance_secret$)' THEN 'SELECT' ELSE 'SELECT, INSERT, UPDATE, DELETE' END AS rights
             FROM   pg_class c
             WHERE  c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'v', 'S') AND c.relname <> 'audit_entry_id'
                    AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e') LOOP
        IF t.kind = 'S' THEN
            EXECUTE format('GRANT USAGE, SELECT ON SEQUENCE %s TO asnd_all, asnd_bound', t.me);
        ELSE
            EXECUTE format('GRANT %s ON %s TO asnd_all, asnd_bound', t.rights, t.me);
        END IF;
    END LOOP;
    FOR t IN SELECT p.oid::regprocedure AS function FROM pg_proc p
             WHERE p.pronamespace = 'public'::regnamespace AND EXISTS (SELECT FROM row_definer d WHERE d.function = p.proname) LOOP
        EXECUTE format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC', t.function);
        EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO asnd_all, asnd_bound', t.function);
    END LOOP;
END $$;
COMMENT ON FUNCTION row_security_grant() IS
    'What the daemon''s role may, through asnd_all, and a bound caller''s statement, through asnd_bound: rows, and neither the schema nor the audit, which is only added to by its own functions.';

CREATE FUNCTION row_security_faults() RETURNS SETOF text
LANGUAGE sql STABLE AS $$
    SELECT format('there is no role %s', r.name) FROM unnest('{asnd_all,asnd_bound}'::text[]) AS r (name) WHERE to_regrole(r.name) IS NULL
    UNION ALL
    SELECT format('%s is not a member of asnd_bound', session_user) WHERE NOT pg_has_role(session_user, to_regrole('asnd_bound'), 'MEMBER')
    UNION ALL
    SELECT format('the table %s has no policy', r.relation)
    FROM   (SELECT DISTINCT r.relation FROM row_rule r) r LEFT JOIN pg_class c ON c.oid = to_regclass(r.relation)
    WHERE  NOT coalesce(c.relrowsecurity, false)
           OR (SELECT count(*) FROM pg_policy p WHERE p.polrelid = c.oid AND (p.polname, p.polroles) IN (('bound', ARRAY[to_regrole('asnd_bound')::oid]), ('everything', ARRAY[to_regrole('asnd_all')::oid]))) <> 2
    UNION ALL
    SELECT format('%s may not read the table %s', w.name, c.oid::regclass)
    FROM   unnest('{asnd_all,asnd_bound}'::text[]) AS w (name) CROSS JOIN pg_class c
    WHERE  c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'v') AND NOT has_table_privilege(to_regrole(w.name), c.oid, 'SELECT')
           AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')
    UNION ALL
    SELECT format('the table %s names a person and has neither a rule nor an exemption', k.conrelid::regclass)
    FROM   pg_constraint k
    WHERE  k.contype = 'f' AND k.confrelid IN (SELECT to_regclass(r.relation) FROM row_rule r)
           AND NOT EXISTS (SELECT FROM row_rule r WHERE to_regclass(r.relation) = k.conrelid) AND NOT EXISTS (SELECT FROM row_exempt x WHERE to_regclass(x.relation) = k.conrelid)
    GROUP  BY k.conrelid
    UNION ALL
    SELECT format('the view %s shows what its owner sees', c.oid::regclass)
    FROM   pg_class c
    WHERE  c.relnamespace = 'public'::regnamespace AND c.relkind = 'v' AND NOT coalesce(c.reloptions, '{}') @> '{security_invoker=true}'
           AND NOT EXISTS (SELECT FROM row_exempt x WHERE x.relation = c.relname)
    UNION ALL
    SELECT format('the function %s would see only what the caller sees', p.oid::regprocedure)
    FROM   pg_proc p
    WHERE  p.pronamespace = 'public'::regnamespace AND NOT p.prosecdef
           AND (p.prorettype = 'trigger'::regtype AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')
                OR EXISTS (SELECT FROM row_definer d WHERE d.function = p.proname))
$$;
COMMENT ON FUNCTION row_security_faults() IS 'What is missing for row security to hold a bound caller of this session; none: nothing.';

CREATE FUNCTION row_security_privileges() RETURNS SETOF text
LANGUAGE sql STABLE AS $$
    SELECT CASE WHEN r.rolsuper THEN format('%s is a superuser', r.rolname) WHEN r.rolbypassrls THEN format('%s has BYPASSRLS', r.rolname)
                ELSE format('%s owns the tables', r.rolname) END
    FROM   pg_roles r JOIN pg_class c ON c.oid = 'public.asn'::regclass
    WHERE  r.rolname = session_user AND (r.rolsuper OR r.rolbypassrls OR pg_has_role(r.oid, c.relowner, 'USAGE'))
$$;
COMMENT ON FUNCTION row_security_privileges() IS 'What the role of this session may that a daemon''s should not: then the schema and the audit are not kept from it by privilege.';

-- The secret is made by the server, so that it never is a parameter, which a server may log; the one before it is gone with that.
CREATE FUNCTION certificate_seed_make() RETURNS text
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    INSERT INTO instance_secret (name, value) VALUES ('certificate', gen_random_bytes(32))
    ON CONFLICT (name) DO UPDATE SET value = gen_random_bytes(32)
    RETURNING encode(value, 'hex')
$$;
COMMENT ON FUNCTION certificate_seed_make() IS 'A new secret for the key that signs certificates, 32 bytes in hex.';

-- ── what related people are named by ─────────────────────────────────────────────────────────────────────────────────────

CREATE VIEW asn_named AS
SELECT a.id, a.nip, a.name FROM asn a;
COMMENT ON VIEW asn_named IS 'NIP and name of everybody: for those alone whom a record names that the caller sees. It passes row security by.';

CREATE OR REPLACE VIEW skp_entry AS
SELECT s.id, a.nip, a.name, s.period_id, s.starts_on, s.ends_on, s.unit_id, s.position, n.nip AS assessor_nip,
       coalesce(n.name, s.assessor_name) AS assessor_name, s.assessor_position, s.approach, s.state, s.reason, s.edition, s.approved_at, s.approved_by,
       s.version, s.created_at, s.updated_at
FROM   skp s
JOIN   asn a ON a.id = s.asn_id
LEFT   JOIN asn_named n ON n.id = s.assessor_id;

CREATE OR REPLACE VIEW development_plan_entry AS
SELECT p.id, a.nip, a.name, a.unit_id, p.year, s.nip AS superior_nip, coalesce(s.name, p.superior_name) AS superior_name, p.state, p.reason, t.target_jp, t.cost,
       p.actor_name, p.version, p.created_at, p.updated_at, p.asn_id AS _asn_id, p.superior_id AS _superior_id, u.path AS _unit_path
FROM   development_plan p
JOIN   asn a ON a.id = p.asn_id
JOIN   unit u ON u.id = a.unit_id
LEFT   JOIN asn_named s ON s.id = p.superior_id
CROSS  JOIN LATERAL (SELECT coalesce(sum(l.target_jp), 0)::integer AS target_jp, trim_scale(coalesce(sum(l.cost), 0)) AS cost
                     FROM   development_plan_line l WHERE l.plan_id = p.id) t;

CREATE OR REPLACE VIEW behaviour_entry AS
SELECT q.id, v.enrolment_id, v.session_id, e.nip, e.name, q.role, a.nip AS respondent_nip, a.name AS respondent_name, q.named_by, w.behaviour_opens AS opens_on,
       q.closes_on, q.is_answered, q.version, q.answers AS _answers, e.unit_path AS _unit_path, q.asn_id AS _respondent
FROM   behaviour_request q
JOIN   behaviour_review v ON v.id = q.review_id
JOIN   effect_window w ON w.session_id = v.session_id
JOIN   enrolment_of_person e ON e.id = v.enrolment_id
LEFT   JOIN asn_named a ON a.id = q.asn_id;

-- Names with their schema instead of a search_path of the functions: these are asked by nearly every statement.
CREATE OR REPLACE FUNCTION asn_of_nip(number text) RETURNS uuid
LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE SECURITY DEFINER AS $$
BEGIN
    RETURN coalesce((SELECT a.id FROM public.asn a WHERE a.nip = number), public.nip_heir(number));
END $$;

CREATE OR REPLACE FUNCTION nip_heir(number text) RETURNS uuid
LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE SECURITY DEFINER AS $$
BEGIN
    RETURN coalesce((SELECT h.asn_id FROM public.history h WHERE h.kind = 'nip' AND NOT h.is_void AND h.facts ->> 'nip' = number LIMIT 1),
                    (SELECT m.asn_id FROM public.asn_merge m WHERE m.undone_at IS NULL AND m.nips @> ARRAY[number] LIMIT 1));
END $$;

SELECT audit_attach();
SELECT row_security_attach();
