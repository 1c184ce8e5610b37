-- Where in a body a refusal lies: the member or the item that is meant, by COLUMN, instead of the whole.

CREATE OR REPLACE FUNCTION programme_form_known() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
    unmet bigint;
BEGIN
    IF (TG_OP = 'INSERT' OR NEW.form <> OLD.form) AND NOT reference_holds('training-form', NEW.form, local_today()) THEN
        RAISE EXCEPTION 'no such form' USING ERRCODE = 'P0001', CONSTRAINT = 'programme_form_fkey';
    END IF;
    IF NEW.kind IS NOT NULL AND (TG_OP = 'INSERT' OR NEW.kind IS DISTINCT FROM OLD.kind) AND NOT reference_holds('training-kind', NEW.kind, local_today()) THEN
        RAISE EXCEPTION 'no such kind' USING ERRCODE = 'P0001', CONSTRAINT = 'programme_kind_fkey';
    END IF;
    IF NEW.serves <> '[]' AND (TG_OP = 'INSERT' OR NEW.serves <> OLD.serves) THEN
        PERFORM FROM jsonb_array_elements(NEW.serves) AS c
        WHERE  c ? 'competency' AND NOT reference_holds('competency-standard', c ->> 'competency', local_today())
               OR (c ->> 'level_to')::numeric < (c ->> 'level_from')::numeric;
        IF FOUND THEN
            RAISE EXCEPTION 'no such competency' USING ERRCODE = 'P0001', CONSTRAINT = 'programme_serves_fkey';
        END IF;
    END IF;
    IF NEW.prerequisites <> '[]' AND (TG_OP = 'INSERT' OR NEW.prerequisites <> OLD.prerequisites) THEN
        SELECT r.n - 1 INTO unmet
        FROM   jsonb_array_elements(NEW.prerequisites) WITH ORDINALITY AS r (rule, n)
        WHERE  r.rule ? 'programme' AND NOT EXISTS (SELECT FROM programme p WHERE p.code = r.rule ->> 'programme' AND p.id <> NEW.id)
               OR r.rule ? 'under' AND NOT EXISTS (SELECT FROM unit u WHERE u.id = (r.rule ->> 'under')::uuid)
               OR NOT reference_holds('rank-pns', coalesce(r.rule ->> 'from', 'I/a'), local_today())
               OR NOT reference_holds('rank-pns', coalesce(r.rule ->> 'to', 'I/a'), local_today())
               OR NOT reference_holds('rank-pppk', coalesce(r.rule ->> 'from_pppk', 'I'), local_today())
               OR NOT reference_holds('rank-pppk', coalesce(r.rule ->> 'to_pppk', 'I'), local_today())
        ORDER  BY r.n
        LIMIT  1;
        IF FOUND THEN
            RAISE EXCEPTION 'a rule of something that is not there'
                USING ERRCODE = 'P0001', CONSTRAINT = 'programme_prerequisites_fkey', COLUMN = '/prerequisites/' || unmet;
        END IF;
    END IF;
    RETURN NEW;
END $$;

CREATE OR REPLACE FUNCTION ticket_enter() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
    s service;
BEGIN
    IF TG_OP = 'UPDATE' AND NEW.service_id <> OLD.service_id THEN
        RAISE EXCEPTION 'of which service it is, is for ever' USING ERRCODE = 'P0001', CONSTRAINT = 'ticket_fixed';
    END IF;
    IF TG_OP = 'UPDATE' AND NEW.state <> OLD.state AND NOT ticket_may_become(OLD.state, NEW.state)
       AND (current_setting('asnd.source', true) IS DISTINCT FROM 'import' OR OLD.state NOT IN ('taken', 'called', 'started')) THEN
        RAISE EXCEPTION '% does not become %', OLD.state, NEW.state USING ERRCODE = 'P0001', CONSTRAINT = 'ticket_state_order';
    END IF;
    IF greatest(NEW.taken_at, NEW.accepted_at, NEW.called_at, NEW.started_at, NEW.finished_at) > clock_timestamp() + interval '5 minutes' THEN
        RAISE EXCEPTION 'this lies in the future'
            USING ERRCODE = 'P0001', CONSTRAINT = 'ticket_in_future',
                  COLUMN = CASE WHEN TG_OP = 'UPDATE' THEN '/at' WHEN NEW.taken_at > clock_timestamp() + interval '5 minutes' THEN '/taken_at' ELSE '/accepted_at' END;
    END IF;
    IF TG_OP = 'UPDATE' AND (NEW.taken_at, NEW.accepted_at) IS NOT DISTINCT FROM (OLD.taken_at, OLD.accepted_at) THEN
        RETURN NEW;
    END IF;
    SELECT v.* INTO s FROM service v WHERE v.id = NEW.service_id;
    NEW.day := local_day(NEW.taken_at);
    NEW.due_at := CASE WHEN s.promise_minutes IS NOT NULL THEN coalesce(NEW.accepted_at, NEW.taken_at) + make_interval(mins => s.promise_minutes)
                       WHEN s.promise_days IS NOT NULL
                       THEN ((workday_after(local_day(coalesce(NEW.accepted_at, NEW.taken_at)), s.promise_days) + 1)::timestamp - local_offset())
                            AT TIME ZONE 'UTC' - interval '1 microsecond' END;
    WHILE NEW.number IS NULL LOOP -- those that were told by hand or by a file are left out
        INSERT INTO ticket_series AS t (service_id, day, last) VALUES (NEW.service_id, NEW.day, 1)
        ON CONFLICT ON CONSTRAINT ticket_series_pkey DO UPDATE SET last = t.last + 1
        RETURNING s.queue_prefix || lpad(t.last::text, greatest(3, length(t.last::text)), '0') INTO NEW.number;
        PERFORM FROM ticket t WHERE t.service_id = NEW.service_id AND t.day = NEW.day AND t.number = NEW.number;
        IF FOUND THEN
            NEW.number := NULL;
        END IF;
    END LOOP;
    RETURN NEW;
END $$;

CREATE FUNCTION effect_days_fault(before_from date, before_to date, after_from date, after_to date, today date, OUT parameter text, OUT en text, OUT id text)
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    this integer := extract(year FROM today);
BEGIN
    before_from := coalesce(before_from, make_date(this - 3, 1, 1));
    before_to := coalesce(before_to, make_date(this - 3, 12, 31));
    after_from := coalesce(after_from, make_date(this - 1, 1, 1));
    after_to := coalesce(after_to, make_date(this - 1, 12, 31));
    IF before_to < before_from THEN
        parameter := 'before_to';
        en := format('before_to, %s, lies before before_from, %s.', before_to, before_from);
        id := format('before_to, %s, mendahului before_from, %s.', before_to, before_from);
    ELSIF after_from <= before_to THEN
        parameter := 'after_from';
        en := format('after_from, %s, must lie after before_to, %s.', after_from, before_to);
        id := format('after_from, %s, harus sesudah before_to, %s.', after_from, before_to);
    ELSIF after_to < after_from THEN
        parameter := 'after_to';
        en := format('after_to, %s, lies before after_from, %s.', after_to, after_from);
        id := format('after_to, %s, mendahului after_from, %s.', after_to, after_from);
    END IF;
END $$;
COMMENT ON FUNCTION effect_days_fault(date, date, date, date, date) IS
    'The first of the four days that comes too early, with the same days as effect_days() where one was not told, and words for it; null: none.';
