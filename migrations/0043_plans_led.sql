-- Needs in the feed of changes; who decides about a plan; how much a day holds of what was learned elsewhere. docs/needs.md, integration.md, certificates.md.

-- ── the feed of changes ──────────────────────────────────────────────────────────────────────────────────────────────────

ALTER TABLE change DROP CONSTRAINT change_entity_known,
                   ADD CONSTRAINT change_entity_known CHECK (entity IN ('unit', 'asn', 'history', 'programme', 'session', 'enrolment', 'period', 'evaluation', 'skp',
                       'document', 'certificate', 'external_certificate', 'partner', 'agreement', 'activity', 'budget_line', 'service_unit', 'service', 'survey',
                       'complaint', 'handover', 'competency_standard', 'competency_assessment', 'development_plan'));

CREATE OR REPLACE FUNCTION change_entities(scopes text[]) RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN scope_held(scopes, 'unit.read') THEN '{unit}'::text[] ELSE '{}' END
    || CASE WHEN scope_held(scopes, 'asn.read') THEN '{asn,history}'::text[] ELSE '{}' END
    || CASE WHEN scope_held(scopes, 'training.read') THEN '{programme,session,enrolment,partner,agreement,activity,budget_line}'::text[] ELSE '{}' END
    || CASE WHEN scope_held(scopes, 'needs.read') THEN '{competency_standard,competency_assessment,development_plan}'::text[] ELSE '{}' END
    || CASE WHEN scope_held(scopes, 'performance.read') THEN '{period,evaluation,skp}'::text[] ELSE '{}' END
    || CASE WHEN scope_held(scopes, 'performance.read') AND scope_held(scopes, 'training.read') THEN '{handover}'::text[] ELSE '{}' END
    || CASE WHEN scope_held(scopes, 'document.read') THEN '{document}'::text[] ELSE '{}' END
    || CASE WHEN scope_held(scopes, 'certificate.read') THEN '{certificate,external_certificate}'::text[] ELSE '{}' END
    || CASE WHEN scope_held(scopes, 'service.read') THEN '{service_unit,service}'::text[] ELSE '{}' END
    || CASE WHEN scope_held(scopes, 'survey.read') THEN '{survey}'::text[] ELSE '{}' END
    || CASE WHEN scope_held(scopes, 'complaint.read') THEN '{complaint}'::text[] ELSE '{}' END;

CREATE OR REPLACE FUNCTION change_href(entity text, id uuid, key text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE entity WHEN 'asn' THEN '/v1/asn/' || key
                   WHEN 'history' THEN '/v1/asn/' || key || '/history/' || id
                   WHEN 'certificate' THEN '/v1/issued-certificates/' || id
                   WHEN 'external_certificate' THEN '/v1/external-certificates/' || id
                   WHEN 'activity' THEN '/v1/activities/' || id
                   WHEN 'budget_line' THEN '/v1/budget-lines/' || id
                   WHEN 'service_unit' THEN '/v1/service-units/' || id
                   WHEN 'competency_standard' THEN '/v1/competency-standards/' || id
                   WHEN 'competency_assessment' THEN '/v1/competency-assessments/' || id
                   WHEN 'development_plan' THEN '/v1/development-plans/' || id
                   ELSE '/v1/' || entity || 's/' || id END;

CREATE FUNCTION change_note_needs() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
    word  text := CASE TG_OP WHEN 'INSERT' THEN 'created' ELSE 'updated' END;
    batch bigint;
BEGIN
    IF NOT EXISTS (SELECT FROM entered) THEN
        RETURN NULL;
    END IF;
    batch := change_open_batch();
    IF TG_TABLE_NAME = 'competency_standard' THEN
        INSERT INTO change (batch, entity, id, kind, version) SELECT batch, TG_TABLE_NAME, n.id, word, n.version FROM entered n;
    ELSE
        INSERT INTO change (batch, entity, id, kind, asn_id, version)
        SELECT batch, TG_TABLE_NAME, (n.told ->> 'id')::uuid, word, (n.told ->> 'asn_id')::uuid, (n.told ->> 'version')::bigint
        FROM   (SELECT to_jsonb(e) AS told FROM entered e) n;
    END IF;
    RETURN NULL;
END $$;
COMMENT ON FUNCTION change_note_needs() IS
    'Notes new and changed standards, which everybody with the scope is told of, and assessments and plans, by the unit of whose they are. Lines of a plan are written with it.';
DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY '{competency_standard,competency_assessment,development_plan}'::text[] LOOP
        EXECUTE format('CREATE TRIGGER %s_35_change_insert AFTER INSERT ON %1$I REFERENCING NEW TABLE AS entered '
                       'FOR EACH STATEMENT EXECUTE FUNCTION change_note_needs()', name);
        EXECUTE format('CREATE TRIGGER %s_35_change_update AFTER UPDATE ON %1$I REFERENCING NEW TABLE AS entered '
                       'FOR EACH STATEMENT EXECUTE FUNCTION change_note_needs()', name);
    END LOOP;
END $$;

-- ── who decides about a plan ─────────────────────────────────────────────────────────────────────────────────────────────

CREATE FUNCTION superior_leads(chief uuid, who uuid, at date) RETURNS boolean
LANGUAGE plpgsql STABLE AS $$
DECLARE
    next uuid := who;
    head uuid;
BEGIN
    FOR step IN 1 .. 16 LOOP
        head := effect_superior(next, at);
        IF head IS NULL OR head = who THEN
            RETURN false;
        ELSIF head = chief THEN
            RETURN true;
        END IF;
        next := head;
    END LOOP;
    RETURN false;
END $$;
COMMENT ON FUNCTION superior_leads(uuid, uuid, date) IS 'Whether somebody is the superior of a person on that day, or the superior''s superior, and so on, by the tree and the histories of the day.';

CREATE FUNCTION development_plan_judge_fault(p development_plan, by_nip text) RETURNS text
LANGUAGE plpgsql STABLE AS $$
DECLARE
    judge uuid := CASE WHEN by_nip IS NOT NULL THEN asn_of_nip(by_nip) ELSE p.superior_id END;
BEGIN
    IF by_nip IS NULL AND judge IS NULL THEN
        RETURN NULL;
    ELSIF judge IS NULL OR judge = p.asn_id THEN
        RETURN 'plan-not-led';
    ELSIF effect_superior(p.asn_id, local_today()) IS NULL THEN
        RETURN CASE WHEN judge IS DISTINCT FROM p.superior_id THEN 'plan-not-led' END;
    END IF;
    RETURN CASE WHEN NOT superior_leads(judge, p.asn_id, local_today()) THEN 'plan-not-led' END;
END $$;
COMMENT ON FUNCTION development_plan_judge_fault(development_plan, text) IS
    'Why a plan is not decided about: by a person (by_nip) who does not lead whose it is today, or, by an application, in the name of a superior who does not. Where the tree names nobody the superior named in the plan decides; one who is no civil servant is not looked for.';

-- ── how much a day holds ─────────────────────────────────────────────────────────────────────────────────────────────────

CREATE FUNCTION days_exceeded(jp integer, first_day date, last_day date) RETURNS boolean
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN coalesce(jp > (last_day - first_day + 1)
                         * (SELECT l.jp FROM training_day_limit l WHERE l.valid_from <= last_day ORDER BY l.valid_from DESC LIMIT 1), false);
END $$;
COMMENT ON FUNCTION days_exceeded(integer, date, date) IS 'Whether so many JP are more than these days hold by training_day_limit, as of a session without a timetable.';

CREATE OR REPLACE VIEW external_certificate_entry AS
SELECT x.id, a.nip, a.name AS holder, a.unit_id, x.organiser, x.number, x.name, x.form, x.jp, x.starts_on, x.ends_on, x.issued_on, x.document_id,
       x.proof_reference, x.state, x.is_double, x.reason, x.history_id, x.submitted_by_name, x.decided_by_name, x.decided_at, x.version, x.created_at,
       x.updated_at, x.submitted_by AS _submitted_by, x.asn_id AS _asn_id, u.path AS _unit_path,
       CASE WHEN days_exceeded(x.jp, x.starts_on, x.ends_on) THEN ARRAY['jp-per-day'] ELSE '{}' END AS warnings
FROM   external_certificate x
JOIN   asn a ON a.id = x.asn_id
JOIN   unit u ON u.id = a.unit_id;

SELECT audit_attach();
