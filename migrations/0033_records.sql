-- Rests of the records: what imports can be undone, codes of studies, what the feed tells, and the order by seniority worked out faster.

-- ── imports ──────────────────────────────────────────────────────────────────────────────────────────────────────────────

UPDATE import SET is_remembered = false WHERE is_remembered AND kind NOT IN ('asn', 'unit', 'history');
COMMENT ON COLUMN import.kind IS 'asn, unit, history, reference, ticket or survey-answer';

INSERT INTO history_code VALUES ('study', 'level', 'education-level');

-- ── the feed of changes: partners, money, service and what is handed over ────────────────────────────────────────────────

-- Not tickets and answers of surveys: docs/decisions/0009-change-feed.md says why.
ALTER TABLE change ADD COLUMN service_unit_id uuid,
                   DROP CONSTRAINT change_entity_known,
                   ADD CONSTRAINT change_entity_known CHECK (entity IN ('unit', 'asn', 'history', 'programme', 'session', 'enrolment', 'period', 'evaluation', 'skp',
                       'document', 'certificate', 'external_certificate', 'partner', 'agreement', 'activity', 'budget_line', 'service_unit', 'service', 'survey',
                       'complaint', 'handover'));
COMMENT ON COLUMN change.service_unit_id IS 'Of service: service_unit.id, by whose unit it is told or not';

CREATE OR REPLACE FUNCTION change_entities(scopes text[]) RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN scope_held(scopes, 'unit.read') THEN '{unit}'::text[] ELSE '{}' END
    || CASE WHEN scope_held(scopes, 'asn.read') THEN '{asn,history}'::text[] ELSE '{}' END
    || CASE WHEN scope_held(scopes, 'training.read') THEN '{programme,session,enrolment,partner,agreement,activity,budget_line}'::text[] ELSE '{}' END
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
                   ELSE '/v1/' || entity || 's/' || id END;

-- What has no person's unit: everybody with the scope is told, or it is the service unit's.
CREATE FUNCTION change_note_plain() RETURNS trigger
LANGUAGE plpgsql SET enable_nestloop = off AS $$
DECLARE
    told text := CASE TG_OP WHEN 'INSERT' THEN 'created' ELSE 'updated' END;
    batch bigint;
BEGIN
    IF NOT EXISTS (SELECT FROM entered) THEN
        RETURN NULL;
    END IF;
    batch := change_open_batch();
    CASE TG_TABLE_NAME
    WHEN 'service_unit' THEN
        INSERT INTO change (batch, entity, id, kind, service_unit_id, version) SELECT batch, 'service_unit', n.id, told, n.id, n.version FROM entered n;
    WHEN 'service', 'survey' THEN
        INSERT INTO change (batch, entity, id, kind, service_unit_id, key, version)
        SELECT batch, TG_TABLE_NAME, n.id, told, n.service_unit_id, n.code, n.version FROM entered n;
    WHEN 'complaint' THEN -- its reference is another system's, and may find a person there
        INSERT INTO change (batch, entity, id, kind, service_unit_id, version)
        SELECT batch, 'complaint', n.id, told, n.service_unit_id, n.version FROM entered n;
    WHEN 'handover' THEN
        INSERT INTO change (batch, entity, id, kind, asn_id, version)
        SELECT batch, 'handover', n.id, told,
               coalesce((SELECT e.asn_id FROM evaluation e WHERE e.id = n.evaluation_id), (SELECT e.asn_id FROM enrolment e WHERE e.id = n.enrolment_id)), n.version
        FROM   entered n;
    ELSE
        INSERT INTO change (batch, entity, id, kind, version) SELECT batch, TG_TABLE_NAME, n.id, told, n.version FROM entered n;
    END CASE;
    RETURN NULL;
END $$;
COMMENT ON FUNCTION change_note_plain() IS 'Notes new and changed records of a statement: partners, agreements, activities, budget lines, service, hand-overs.';

-- What is a part of another record and is read with it or below it: that one is told, once a statement. What leaves is a part of it too.
CREATE FUNCTION change_note_part() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
    batch bigint;
BEGIN
    IF NOT EXISTS (SELECT FROM entered) THEN
        RETURN NULL;
    END IF;
    batch := change_open_batch();
    CASE TG_TABLE_NAME
    WHEN 'expense' THEN
        INSERT INTO change (batch, entity, id, kind, version)
        SELECT batch, 'budget_line', b.id, 'updated', b.version FROM budget_line b WHERE b.id IN (SELECT n.budget_line_id FROM entered n);
    WHEN 'follow_up' THEN
        INSERT INTO change (batch, entity, id, kind, service_unit_id, key, version)
        SELECT batch, 'survey', s.id, 'updated', s.service_unit_id, s.code, s.version FROM survey s WHERE s.id IN (SELECT n.survey_id FROM entered n);
    ELSE
        INSERT INTO change (batch, entity, id, kind, version)
        SELECT batch, 'activity', a.id, 'updated', a.version FROM activity a WHERE a.id IN (SELECT n.activity_id FROM entered n);
    END CASE;
    RETURN NULL;
END $$;
COMMENT ON FUNCTION change_note_part() IS 'Notes the record of which a statement changed a part: spending of a budget line, participants and outputs of an activity, follow-ups of a survey.';

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY '{partner,agreement,activity,budget_line,service_unit,service,survey,complaint,handover}'::text[] LOOP
        EXECUTE format('CREATE TRIGGER %s_35_change_insert AFTER INSERT ON %1$I REFERENCING NEW TABLE AS entered '
                       'FOR EACH STATEMENT EXECUTE FUNCTION change_note_plain()', name);
        EXECUTE format('CREATE TRIGGER %s_35_change_update AFTER UPDATE ON %1$I REFERENCING NEW TABLE AS entered '
                       'FOR EACH STATEMENT EXECUTE FUNCTION change_note_plain()', name);
    END LOOP;
    FOREACH name IN ARRAY '{expense,follow_up,activity_participant,activity_output}'::text[] LOOP
        EXECUTE format('CREATE TRIGGER %s_35_change_insert AFTER INSERT ON %1$I REFERENCING NEW TABLE AS entered '
                       'FOR EACH STATEMENT EXECUTE FUNCTION change_note_part()', name);
        EXECUTE format('CREATE TRIGGER %s_35_change_update AFTER UPDATE ON %1$I REFERENCING NEW TABLE AS entered '
                       'FOR EACH STATEMENT EXECUTE FUNCTION change_note_part()', name);
        EXECUTE format('CREATE TRIGGER %s_35_change_delete AFTER DELETE ON %1$I REFERENCING OLD TABLE AS entered '
                       'FOR EACH STATEMENT EXECUTE FUNCTION change_note_part()', name);
    END LOOP;
END $$;

-- A unit that goes elsewhere takes its service along: that is told as its people are, of the service unit alone; what hangs on it goes with it.
CREATE OR REPLACE FUNCTION change_note_carried(batch bigint, unit uuid, path_before ltree) RETURNS void
LANGUAGE sql AS $$
    INSERT INTO change (batch, entity, id, kind, asn_id, key, path_before, version)
    SELECT batch, 'asn', a.id, 'moved', a.id, a.nip, path_before, a.version FROM asn a WHERE a.unit_id = unit ORDER BY a.nip;
    INSERT INTO change (batch, entity, id, kind, service_unit_id, path_before, version)
    SELECT batch, 'service_unit', p.id, 'moved', p.id, path_before, p.version FROM service_unit p WHERE p.unit_id = unit
$$;
COMMENT ON FUNCTION change_note_carried(bigint, uuid, ltree) IS 'Notes the people and the service unit of a unit whose path was another.';

-- As before; and by the unit of a service unit.
CREATE OR REPLACE FUNCTION change_page(upto bigint, newest bigint, after text, wanted text[], units ltree[], scopes text[], rows integer)
RETURNS TABLE (problem text, changes json, next text, more boolean)
LANGUAGE plpgsql STABLE SET enable_seqscan = off SET enable_bitmapscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off AS $$
DECLARE
    horizon bigint := (SELECT h.position FROM change_horizon h);
    first   bigint := coalesce(split_part(after, '.', 1)::bigint, horizon + 1);
    done    bigint := coalesce(split_part(after, '.', 2)::bigint, 0);
    shown   text[] := ARRAY(SELECT e FROM unnest(change_entities(scopes)) AS e WHERE wanted IS NULL OR e = ANY (wanted));
    sees_all boolean := ''::ltree = ANY (units);
    grants  text[] := ARRAY(SELECT ltree2text(subpath(p, -1)) FROM unnest(units) AS p WHERE nlevel(p) > 0);
    sights  ltree[] := CASE WHEN sees_all THEN units ELSE ARRAY(SELECT u.path FROM unit u WHERE u.id = ANY (grants::uuid[])) END;
    found   json[] := '{}';
    looked  integer := 0;
    b       record;
    c       record;
BEGIN
    more := false;
    IF first <= horizon OR first > newest + 1 THEN
        problem := 'changes-forgotten';
        RETURN NEXT;
        RETURN;
    END IF;
    FOR b IN SELECT t.id, t.position, t.at FROM change_batch t WHERE t.position BETWEEN first AND upto ORDER BY t.position LOOP
        FOR c IN
            SELECT m.seq,
                   CASE WHEN t.told IS NOT NULL
                        THEN json_build_object('entity', m.entity, 'kind', t.told, 'id', m.id, 'key', w.own_key, 'key_before', m.key_before, 'part', m.part,
                                               'version', m.version, 'at', b.at, 'href', change_href(m.entity, m.id, w.own_key)) END AS item
            FROM   change m
            LEFT   JOIN asn a ON a.id = m.asn_id
            LEFT   JOIN service_unit p ON p.id = m.service_unit_id
            LEFT   JOIN unit u ON u.id = CASE WHEN m.asn_id IS NOT NULL THEN a.unit_id WHEN m.service_unit_id IS NOT NULL THEN p.unit_id
                                              WHEN m.entity = 'unit' THEN m.id END
            CROSS  JOIN LATERAL (SELECT coalesce(a.nip, m.key) AS own_key,
                                        CASE WHEN m.asn_id IS NULL AND m.service_unit_id IS NULL AND m.entity <> 'unit' THEN true
                                             ELSE coalesce(u.path <@ ANY (sights), false) END AS is_ours
                                 OFFSET 0) w
            CROSS  JOIN LATERAL (SELECT CASE WHEN m.entity = ANY (shown) AND history_shown(coalesce(m.part, ''), scopes)
                                             THEN change_told(m.kind, w.is_ours,
                                                              CASE WHEN m.path_before IS NULL THEN w.is_ours
                                                                   ELSE sees_all OR string_to_array(ltree2text(m.path_before), '.') && grants END)
                                        END AS told
                                 OFFSET 0) t
            WHERE  m.batch = b.id AND m.seq > CASE WHEN b.position = first THEN done ELSE 0 END
            ORDER  BY m.seq
        LOOP
            looked := looked + 1;
            IF c.item IS NOT NULL THEN
                found := found || c.item;
            END IF;
            IF cardinality(found) >= rows OR looked >= 20000 THEN
                changes := array_to_json(found);
                next := b.position || '.' || c.seq;
                more := true;
                RETURN NEXT;
                RETURN;
            END IF;
        END LOOP;
    END LOOP;
    changes := array_to_json(found);
    next := CASE WHEN first > upto THEN first || '.' || done ELSE upto + 1 || '.0' END;
    RETURN NEXT;
END $$;

-- ── the list by seniority ────────────────────────────────────────────────────────────────────────────────────────────────

-- What the first look of listSeniority asks of everybody in a unit is in the index itself: the table's pages are read only of who stands on the page.
DROP INDEX asn_unit_id_idx;
CREATE INDEX asn_unit_id_idx ON asn (unit_id, nip) INCLUDE (id, kind, legal_status, rank_kind, rank, rank_since);

-- ── who retires in a year ────────────────────────────────────────────────────────────────────────────────────────────────

-- As in 0022; a year's retired are looked for where the order has them.
CREATE OR REPLACE FUNCTION asn_search(units ltree[], scopes text[], today date, sort text, after text[], rows bigint, q text, unit uuid, under uuid, kinds text[],
                           ranks text[], rank_min text, rank_max text, position_kinds text[], levels text[], statuses text[], sex text, age_min integer,
                           age_max integer, retires_in integer, since timestamptz) RETURNS uuid[]
LANGUAGE plpgsql STABLE SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET max_parallel_workers_per_gather = 0 SET jit = off AS $$
DECLARE
    is_down  boolean := left(sort, 1) = '-';
    by_rank  boolean := ltrim(sort, '-') = 'rank' AND retires_in IS NULL; -- rank after rank; a year's retired are gathered only once
    by_nip   boolean := by_rank OR ltrim(sort, '-') = 'nip';
    key      text := CASE ltrim(sort, '-') WHEN 'name' THEN 'a.name_key' WHEN 'birth_date' THEN 'a.birth_date'
                     WHEN 'rank_since' THEN 'coalesce(a.rank_since, ''-infinity''::date)'
                     WHEN 'rank' THEN CASE WHEN retires_in IS NULL THEN 'a.nip' ELSE 'rank_place(a.rank_kind, a.rank) COLLATE "C"' END ELSE 'a.nip' END;
    ordered  text := format(CASE WHEN is_down THEN '%s DESC, a.nip DESC' ELSE '%s, a.nip' END, key);
    beyond   text := '';            -- the cursor
    steady   text := '';            -- what is asked either way
    walked   text := '';            -- what is asked of each row on the way
    gathered text := '';            -- the same as an index can be asked
    codes    text := '';            -- and as the index of keys can
    is_wordy boolean := false;      -- of words so many that a row is not asked them one by one
    number   text := '';            -- the stretch of NIPs that begin so
    others   text[] := '{}';        -- by NIP: who may fit outside it
    stretch  text;                  -- of the way that is walked
    apart    text[];
    people   double precision := greatest((SELECT c.reltuples FROM pg_class c WHERE c.oid = 'asn'::regclass), 1);
    reach    bigint := least(greatest(1000, 20 * rows), 20000);
    above    ltree := (SELECT u.path FROM unit u WHERE u.id = under);
    places   uuid[];
    digits   text := number_sought(q);
    named    uuid[];
    word     text;
    words    text[];
    born     daterange;
    band     text;
    bands    text[];                -- of a year's retired: where the order has them
    retired  text[] := '{}';        -- by band: who they are, as an index can be asked
    cursor   text;
    aside    uuid[] := '{}';
    wanted   bigint;
    part     uuid[];
    found    uuid[];
    fits     bigint;
    seen     bigint;
BEGIN
    IF after IS NOT NULL THEN
        beyond := format(CASE WHEN by_nip THEN ' AND a.nip %1$s %2$L' ELSE ' AND (%3$s, a.nip) %1$s (%2$L, %4$L)' END,
                         CASE WHEN is_down THEN '<' ELSE '>' END, after[1], key, after[2]);
    END IF;

    -- Where: the units by their ids, unless there are too many for that.
    IF unit IS NOT NULL OR under IS NOT NULL OR ''::ltree <> ALL (units) THEN
        IF under IS NOT NULL AND above IS NULL THEN
            RETURN '{}';
        END IF;
        places := ARRAY(SELECT u.id FROM unit u
                        WHERE  u.path <@ ANY (units) AND (under IS NULL OR u.path <@ above) AND (unit IS NULL OR u.id = unit) LIMIT 10001);
        IF places = '{}' THEN
            RETURN '{}';
        END IF;
        word := format(' AND (SELECT u.path <@ ANY (%L::ltree[]) AND u.path <@ %L::ltree FROM unit u WHERE u.id = a.unit_id)', units, coalesce(above, ''));
        walked := CASE WHEN cardinality(places) <= 1000 THEN format(' AND a.unit_id = ANY (%L::uuid[])', places) ELSE word END;
        gathered := CASE WHEN cardinality(places) <= 10000 THEN format(' AND a.unit_id = ANY (%L::uuid[])', places) ELSE word END;
    END IF;

    -- Codes: an index for all, a column for each.
    IF rank_min IS NOT NULL OR rank_max IS NOT NULL THEN
        ranks := ARRAY(SELECT r FROM unnest(rank_span(rank_min, rank_max)) AS r WHERE ranks IS NULL OR r = ANY (ranks));
    END IF;
    IF kinds IS NOT NULL THEN
        walked := walked || format(' AND a.kind = ANY (%L::text[])', kinds);
        codes := codes || asn_keys_asked('K', kinds);
    END IF;
    IF ranks IS NOT NULL THEN
        walked := walked || format(' AND a.rank = ANY (%L::text[])', ranks);
        codes := codes || asn_keys_asked('R', ranks);
    END IF;
    IF position_kinds IS NOT NULL THEN
        walked := walked || format(' AND a.position_kind = ANY (%L::text[])', position_kinds);
        codes := codes || asn_keys_asked('P', position_kinds);
    END IF;
    IF levels IS NOT NULL THEN
        walked := walked || format(' AND a.education_level = ANY (%L::text[])', levels);
        codes := codes || asn_keys_asked('E', levels);
    END IF;
    IF statuses IS NOT NULL THEN
        walked := walked || format(' AND a.legal_status = ANY (%L::text[])', statuses);
        codes := codes || asn_keys_asked('S', statuses);
    END IF;
    IF sex IS NOT NULL THEN
        steady := steady || format(' AND a.sex = %L', sex);
    END IF;
    IF since IS NOT NULL THEN
        steady := steady || format(' AND a.updated_at >= %L', since);
    END IF;

    -- Days.
    IF age_min > age_max THEN
        RETURN '{}';
    ELSIF age_min IS NOT NULL OR age_max IS NOT NULL THEN
        born := daterange((today - make_interval(years => age_max + 1))::date + 1, (today - make_interval(years => age_min))::date + 1);
        steady := steady || CASE WHEN lower_inf(born) THEN '' ELSE format(' AND a.birth_date >= %L', lower(born)) END
                         || CASE WHEN upper_inf(born) THEN '' ELSE format(' AND a.birth_date < %L', upper(born)) END;
        IF ltrim(sort, '-') = 'birth_date' THEN
            beyond := beyond || steady;
        END IF;
    END IF;
    IF retires_in IS NOT NULL THEN
        walked := walked || format(' AND EXISTS (SELECT FROM due d WHERE d.asn_id = a.id AND d.list = ''retirement'' '
                                   'AND coalesce(d.due_on, ''infinity''::date) >= %L AND coalesce(d.due_on, ''infinity''::date) < %L)',
                                   make_date(retires_in, 1, 1), make_date(retires_in + 1, 1, 1));
        word := format(' AND a.id = ANY (ARRAY(SELECT d.asn_id FROM due d WHERE d.list = ''retirement'' AND coalesce(d.due_on, ''infinity''::date) >= %L '
                       'AND coalesce(d.due_on, ''infinity''::date) < %L%s', make_date(retires_in, 1, 1), make_date(retires_in + 1, 1, 1),
                       CASE WHEN cardinality(places) <= 1000 THEN format(' AND d.unit_id = ANY (%L::uuid[])', places) ELSE '' END);

        -- They were born within a year for each age of retirement: by NIP or birth date these years stand one behind the other, each with its own rules.
        -- Beside them those few whose NIP tells another day; who they are does not depend on how many the others are.
        IF (by_nip AND NOT by_rank OR ltrim(sort, '-') = 'birth_date') AND digits IS NULL
           AND NOT EXISTS (SELECT FROM due_rule r WHERE r.list = 'retirement' AND r.counts_from <> 'birth_date') THEN
            WITH age AS (
                SELECT r.code, daterange((make_date(retires_in, 1, 1) - make_interval(months => r.months + 1))::date - 3,
                                         (make_date(retires_in + 1, 1, 1) - make_interval(months => r.months))::date + 3) AS days
                FROM   due_rule r WHERE r.list = 'retirement' AND r.months IS NOT NULL
            ), year AS (
                SELECT y.days, ARRAY(SELECT a.code FROM age a WHERE a.days && y.days) AS rules
                FROM   (SELECT unnest(range_agg(a.days)) AS days FROM age a) y
            )
            SELECT array_agg(CASE WHEN by_nip THEN format(' AND a.nip BETWEEN %L AND %L', to_char(lower(y.days), 'YYYYMMDD'), to_char(upper(y.days) - 1, 'YYYYMMDD') || '9999999999')
                                  ELSE format(' AND a.birth_date >= %L AND a.birth_date < %L', lower(y.days), upper(y.days)) END
                             ORDER BY CASE WHEN is_down THEN NULL ELSE y.days END, y.days DESC),
                   array_agg(format('%s AND d.rule = ANY (%L::text[])))', word, y.rules) ORDER BY CASE WHEN is_down THEN NULL ELSE y.days END, y.days DESC),
                   format(' AND NOT nip_tells_birth(a.nip, a.birth_date) AND a.birth_date >= %L AND a.birth_date < %L', min(lower(y.days)), max(upper(y.days)))
            INTO   bands, retired, stretch
            FROM   year y;
            IF by_nip AND bands IS NOT NULL THEN
                bands := ARRAY[stretch] || bands;
                retired := ARRAY[format(' AND (SELECT true FROM due d WHERE d.asn_id = a.id AND d.list = ''retirement'' AND d.due_on >= %L AND d.due_on < %L LIMIT 1)',
                                        make_date(retires_in, 1, 1), make_date(retires_in + 1, 1, 1))] || retired;
            END IF;
        END IF;
        IF bands IS NULL THEN
            gathered := gathered || word || '))';
        END IF;
    END IF;

    -- Who: a number or words.
    IF digits IS NOT NULL THEN
        named := asn_of_number(digits, scopes);
        IF by_nip THEN
            number := format(' AND a.nip BETWEEN %L AND %L', digits, rpad(digits, 18, '9'));
            others := CASE WHEN named <> '{}' THEN ARRAY[format(' AND a.id = ANY (%L::uuid[])', named)] ELSE '{}' END;
        ELSE
            IF ltrim(sort, '-') = 'birth_date' AND length(digits) <= 18 THEN
                number := format(' AND a.birth_date BETWEEN %L AND %L', make_date(greatest(rpad(left(digits, 4), 4, '0')::integer, 1), 1, 1),
                                 make_date(greatest(rpad(left(digits, 4), 4, '9')::integer, 1), 12, 31));
                others := ARRAY[' AND NOT nip_tells_birth(a.nip, a.birth_date)']
                       || CASE WHEN named <> '{}' THEN ARRAY[format(' AND a.id = ANY (%L::uuid[])', named)] ELSE '{}' END;
            END IF;
            steady := steady || format(' AND (a.nip BETWEEN %L AND %L OR a.id = ANY (%L::uuid[]))', digits, rpad(digits, 18, '9'), named);
        END IF;
    ELSIF q IS NOT NULL THEN
        IF name_key(q) = '' THEN
            RETURN '{}';
        END IF;
        FOREACH word IN ARRAY string_to_array(name_key(q), ' ') LOOP
            words := words_like(word);
            IF words = '{}' THEN
                RETURN '{}';
            END IF;
            word := format(' AND EXISTS (SELECT FROM unnest(string_to_array(a.name_key, '' '')) n WHERE n = ANY (%L::text[]))', words);
            walked := walked || word;
            IF cardinality(words) <= 20 THEN
                codes := codes || asn_keys_asked('', words);
            ELSIF cardinality(places) <= 1000 THEN
                gathered := gathered || word;
            ELSE
                codes := codes || asn_keys_asked('', words);
                is_wordy := true;
            END IF;
        END LOOP;
    END IF;

    -- By rank is rank after rank, each by NIP: ranks go with so much else that one walk through all of them would be long.
    cursor := beyond;
    FOREACH band IN ARRAY CASE WHEN bands IS NOT NULL THEN bands
                               WHEN NOT by_rank THEN ARRAY['']
                               ELSE ARRAY(SELECT p.place
                                          FROM   (SELECT DISTINCT rank_place(k.kind, r.code) COLLATE "C" AS place, r.code, k.kind
                                                  FROM   reference r, LATERAL (SELECT CASE r.list WHEN 'rank-pns' THEN 'PNS' ELSE 'PPPK' END AS kind) k
                                                  WHERE  r.list IN ('rank-pns', 'rank-pppk')
                                                  UNION ALL SELECT '', NULL, NULL) p
                                          WHERE  (ranks IS NULL OR p.code = ANY (ranks))
                                                 AND (p.kind IS NULL OR kinds IS NULL OR (p.kind = 'PNS') = ANY (ARRAY(SELECT k IN ('PNS', 'CPNS') FROM unnest(kinds) k)))
                                                 AND (after IS NULL OR CASE WHEN is_down THEN p.place <= after[1] COLLATE "C" ELSE p.place >= after[1] COLLATE "C" END)
                                          ORDER  BY CASE WHEN is_down THEN NULL ELSE p.place END, p.place DESC) END LOOP
        stretch := number;
        apart := others;
        wanted := rows - coalesce(cardinality(found), 0);
        EXIT WHEN wanted <= 0;
        IF bands IS NOT NULL THEN
            beyond := cursor || band;
        ELSIF by_rank THEN
            beyond := format(' AND rank_place(a.rank_kind, a.rank) COLLATE "C" = %L', band)
                      || CASE WHEN band = after[1] THEN format(CASE WHEN is_down THEN ' AND a.nip < %L' ELSE ' AND a.nip > %L' END, after[2]) ELSE '' END;
        END IF;
        fits := NULL;
        FOR attempt IN 1 .. 2 LOOP
            EXIT WHEN by_nip AND band = bands[1]; -- few, and by an index of their own
            EXECUTE format('SELECT array_agg(w.id) FILTER (WHERE w.fits), count(*) FILTER (WHERE w.fits), count(*) FROM (SELECT a.id, (true%s%s) AS fits '
                           'FROM (SELECT a.* FROM asn a WHERE true%s%s ORDER BY %s LIMIT %s) a OFFSET 0) w', steady, walked, beyond, stretch, ordered, reach)
            INTO   part, fits, seen;
            EXIT WHEN fits >= wanted OR seen < reach;
            IF fits * fits > wanted * reach * reach / people THEN
                EXECUTE format('SELECT array_agg(w.id), count(*) FROM (SELECT a.id FROM (SELECT a.* FROM asn a WHERE true%s%s ORDER BY %s LIMIT %s) a '
                               'WHERE true%s%s LIMIT %s) w', beyond, stretch, ordered, 4 * wanted * reach / fits, steady, walked, wanted)
                INTO   part, fits;
                EXIT WHEN fits >= wanted;
            END IF;
            fits := NULL;
            -- A NIP begins with the birth date: an age is a stretch of NIPs, beside those few whose NIP tells another.
            EXIT WHEN attempt = 2 OR born IS NULL OR NOT by_nip OR number <> '';
            stretch := format(' AND a.nip BETWEEN %L AND %L', to_char(coalesce(lower(born), '1900-01-01'), 'YYYYMMDD'),
                              to_char(coalesce(upper(born) - 1, '2099-12-31'), 'YYYYMMDD') || '9999999999');
            apart := ARRAY[' AND NOT nip_tells_birth(a.nip, a.birth_date)'];
        END LOOP;
        IF fits IS NULL THEN
            apart := apart || stretch;
            part := NULL;
        END IF;
        found := found || part[:wanted];
        FOREACH stretch IN ARRAY apart LOOP
            EXECUTE format('SELECT $1 || array_agg(w.id) FROM (SELECT s.id FROM (SELECT a.id, %s AS key, a.nip FROM %s WHERE true%s%s%s%s OFFSET 0) s '
                           'ORDER BY %s LIMIT %s) w',
                           key, CASE WHEN is_wordy THEN format('(SELECT a.* FROM asn a WHERE true%s OFFSET 0) a', codes) ELSE 'asn a' END,
                           stretch, CASE WHEN is_wordy THEN '' ELSE codes END || gathered || coalesce(retired[array_position(bands, band)], ''), steady, beyond,
                           CASE WHEN is_down THEN 's.key DESC, s.nip DESC' ELSE 's.key, s.nip' END, wanted)
            INTO found USING found;
        END LOOP;
        found := ARRAY(SELECT DISTINCT f FROM unnest(found) AS f); -- who stands apart may stand in the stretch as well
        IF by_nip AND band = bands[1] THEN
            aside := found;
            found := NULL;
        END IF;
    END LOOP;
    RETURN coalesce(found, '{}') || aside;
END $$;
