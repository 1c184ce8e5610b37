-- Readings name everybody whom they showed, however many; and row security stands behind the statements for the audit, the feed and the service to citizens too. See docs/audit.md
-- and docs/decisions/0016-row-security.md.

-- ── readings of many ─────────────────────────────────────────────────────────────────────────────────────────────────────

CREATE TABLE audit_number (
    number integer GENERATED ALWAYS AS IDENTITY CONSTRAINT audit_number_pkey PRIMARY KEY,
    asn_id uuid    NOT NULL CONSTRAINT audit_number_asn_key UNIQUE
);
COMMENT ON TABLE audit_number IS 'Short numbers of people who were among more than a thousand at once: a reading of all of them is one range.';
COMMENT ON COLUMN audit_number.number IS '1, 2, …; never given again';
COMMENT ON COLUMN audit_number.asn_id IS 'asn.id; no foreign key: an entry outlives whatever it tells of';

ALTER TABLE audit_entry ADD COLUMN crowd int4multirange;
COMMENT ON COLUMN audit_entry.crowd IS 'Whose data a reading of more than a thousand showed: audit_number.number; null: see people';
CREATE INDEX audit_entry_crowd_idx ON audit_entry (id) WHERE crowd IS NOT NULL;

CREATE FUNCTION audit_crowd(nips text[]) RETURNS int4multirange
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO audit_number (asn_id)
    SELECT a.id FROM asn a WHERE a.nip = ANY (nips) AND NOT EXISTS (SELECT FROM audit_number n WHERE n.asn_id = a.id) ORDER BY a.id
    ON CONFLICT DO NOTHING;
    RETURN (SELECT range_agg(int4range(n.number, n.number, '[]')) FROM asn a JOIN audit_number n ON n.asn_id = a.id WHERE a.nip = ANY (nips));
END $$;
COMMENT ON FUNCTION audit_crowd(text[]) IS 'These people as ranges of audit_number; whoever has no number is given one.';

-- As before; but of more than a thousand the entry has who they were too.
CREATE OR REPLACE FUNCTION audit_read_all(readings jsonb) RETURNS SETOF bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM pg_current_xact_id(); -- before its entries have numbers: audit_seal_block()
    RETURN QUERY
    INSERT INTO audit_entry (id, at, asn_id, actor, operation, people, crowd, content)
    SELECT e.id, e.at, e.one, e.me[1], e.me[2], CASE WHEN e.one IS NULL AND e.found <> '{}' THEN e.found END, e.crowd,
           concat('{"id":', e.id, ',"at":"', audit_instant(e.at), '","person":', coalesce('"' || e.one || '"', 'null'), e.me[3], ',"action":"read"',
                  ',"entity":' || to_json(e.what), ',"subject":' || to_json(e.which), ',"members":' || to_json(e.members), ',"count":' || e.people,
                  ',"digest":"' || e.digest || '"', CASE WHEN e.one IS NULL AND e.found <> '{}' THEN ',"people":' || to_json(e.found) END, ',"crowd":"' || e.crowd || '"',
                  ',"filter":' || audit_scrub(e.filter - 'q' || CASE WHEN e.filter ? 'q' THEN jsonb_build_object('q', audit_hash(e.filter ->> 'q')) ELSE '{}' END)::text, '}')
    FROM   (SELECT nextval('audit_entry_id') AS id, clock_timestamp() AS at, string_to_array(r.facts, E'\t') AS me, r.what, r.which, r.members::text[] AS members,
                   r.people, r.digest, r.filter, r.found, r.crowd, CASE WHEN cardinality(r.found) = 1 THEN r.found[1] END AS one
            FROM   (SELECT t.*, CASE WHEN t.what = 'document_id' THEN ARRAY(SELECT d.asn_id FROM document d WHERE d.id = t.which::uuid)
                                     WHEN cardinality(t.nips::text[]) = 1 THEN array_remove(ARRAY[asn_of_nip((t.nips::text[])[1])], NULL)
                                     WHEN cardinality(t.nips::text[]) <= 1000 THEN ARRAY(SELECT a.id FROM asn a WHERE a.nip = ANY (t.nips::text[]) ORDER BY a.id) ELSE '{}' END AS found,
                           CASE WHEN cardinality(t.nips::text[]) > 1000 THEN audit_crowd(t.nips::text[]) END AS crowd
                    FROM   jsonb_to_recordset(readings)
                           AS t (facts text, what text, which text, members text, nips text, people bigint, digest text, filter jsonb) OFFSET 0) r
            OFFSET 0) e
    RETURNING id;
END $$;

-- ── whose entries ────────────────────────────────────────────────────────────────────────────────────────────────────────

CREATE FUNCTION audit_about(which uuid) RETURNS SETOF bigint
LANGUAGE sql STABLE AS $$
    SELECT e.id FROM audit_entry e WHERE e.asn_id = which
    UNION ALL
    SELECT e.id FROM audit_entry e WHERE e.people @> ARRAY[which]
    UNION ALL
    SELECT e.id FROM audit_entry e WHERE e.crowd IS NOT NULL AND e.crowd @> (SELECT n.number FROM audit_number n WHERE n.asn_id = which)
$$;
COMMENT ON FUNCTION audit_about(uuid) IS 'Entries about a person, and of lists in which the person was shown, by their numbers.';

CREATE FUNCTION audit_about_whole(which uuid) RETURNS TABLE (id bigint, at timestamptz, operation text, content text, alone boolean)
LANGUAGE sql STABLE AS $$
    SELECT e.id, e.at, e.operation, e.content, e.asn_id IS NOT NULL FROM audit_entry e WHERE e.id IN (SELECT audit_about(which))
$$;
COMMENT ON FUNCTION audit_about_whole(uuid) IS 'The same, with what they say.';

DROP VIEW processing_trail;
CREATE FUNCTION processing_trail(which uuid)
RETURNS TABLE (id bigint, at timestamptz, kind text, name text, operation text, action text, entity text, members text[], alone boolean, reason text, purpose text, request_id text)
LANGUAGE sql STABLE AS $$
    SELECT e.id, e.at, c.kind, c.name, e.operation, c.action, c.entity,
           CASE WHEN c.action = 'read' THEN coalesce(c.members, '{}')
                ELSE ARRAY(SELECT jsonb_object_keys(coalesce(c.before, '{}') || coalesce(c.after, '{}')) ORDER BY 1) END,
           e.alone, CASE WHEN e.alone THEN c.reason END, c.purpose, c.request
    FROM   audit_about_whole(which) e
    CROSS  JOIN LATERAL jsonb_to_record(e.content::jsonb)
           AS c (kind text, name text, request text, reason text, purpose text, action text, entity text, before jsonb, after jsonb, members text[])
$$;
COMMENT ON FUNCTION processing_trail(uuid) IS 'Who did what with a person''s data: names of what was changed or read, no values, which may be other people''s.';

CREATE OR REPLACE FUNCTION exposure_entries(who text, since timestamptz, until timestamptz)
RETURNS TABLE (id bigint, at timestamptz, people uuid[], n bigint, members text[], operation text)
LANGUAGE sql STABLE AS $$
    SELECT e.id, e.at,
           CASE WHEN e.crowd IS NOT NULL THEN ARRAY(SELECT m.asn_id FROM unnest(e.crowd) AS r JOIN audit_number m ON m.number >= lower(r) AND m.number < upper(r))
                ELSE coalesce(e.people, array_remove(ARRAY[e.asn_id], NULL)) END, coalesce(c.count, 0),
           CASE WHEN c.action = 'read' THEN coalesce(c.members, '{}') ELSE ARRAY(SELECT jsonb_object_keys(coalesce(c.before, '{}') || coalesce(c.after, '{}'))) END, e.operation
    FROM   (SELECT x.* FROM audit_entry x WHERE x.actor = who AND x.at >= since AND x.at < until
            UNION ALL
            SELECT x.* FROM audit_entry x WHERE exposure_is_address(who) AND x.at >= since AND x.at < until AND x.content::jsonb ->> 'client' = who) e
    CROSS  JOIN LATERAL jsonb_to_record(e.content::jsonb) AS c (action text, members text[], count bigint, before jsonb, after jsonb)
    WHERE  exposure_bounded(who, since, until)
$$;
COMMENT ON FUNCTION exposure_entries(text, timestamptz, timestamptz) IS
    'What an actor, or whoever came from an address, was shown or changed in that time, and whose data. people is empty of old readings of more than a thousand: n says how many.';

-- ── rules that are more than a reference ─────────────────────────────────────────────────────────────────────────────────

ALTER TABLE row_rule ADD COLUMN told text;
COMMENT ON COLUMN row_rule.told IS 'When a row is seen, as SQL, where that is no plain reference; null: by place and of';

CREATE OR REPLACE FUNCTION row_condition(me text) RETURNS text
LANGUAGE sql STABLE
RETURN (SELECT string_agg(CASE WHEN r.told IS NOT NULL THEN r.told
                               WHEN r.of = 'unit' THEN format('EXISTS (SELECT FROM public.unit u WHERE u.id = %I.%I AND u.path <@ ANY ((SELECT public.row_units())::ltree[]))', me, r.place)
                               ELSE format('EXISTS (SELECT FROM public.%I p WHERE p.id = %I.%I)', r.of, me, r.place) END
                          || CASE WHEN r.none_shown THEN format(' OR %I.%I IS NULL', me, r.place) ELSE '' END, ' OR ' ORDER BY r.place)
        FROM   row_rule r WHERE r.relation = me);

CREATE FUNCTION row_narrowed(units ltree[]) RETURNS ltree[]
LANGUAGE sql STABLE
RETURN CASE WHEN current_user <> 'asnd_bound' THEN units
            ELSE ARRAY(SELECT p FROM unnest(units) p WHERE p <@ ANY (row_units()) UNION SELECT r FROM unnest(row_units()) r WHERE r <@ ANY (units)) END;
COMMENT ON FUNCTION row_narrowed(ltree[]) IS 'These subtrees as far as they are the caller''s: for functions that look beyond row security and are told units.';

SELECT audit_quietly('{row_exempt}', $q$
    DELETE FROM row_exempt WHERE relation IN ('audit_entry', 'change', 'ticket', 'survey_receipt', 'survey_answer')
$q$);
SELECT audit_quietly('{row_rule}', $q$
    INSERT INTO row_rule (relation, place, of, told) VALUES
        ('audit_entry', 'asn_id', 'asn', NULL),
        ('change', 'id', 'change', 'false'),
        ('complaint_step', 'complaint_id', 'complaint', NULL),
        ('complaint', 'service_unit_id', 'service_unit',
         'EXISTS (SELECT FROM public.service_unit w JOIN public.unit u ON u.id = w.unit_id WHERE w.id = complaint.service_unit_id AND u.path <@ ANY ((SELECT public.row_units())::ltree[]))'),
        ('ticket', 'service_id', 'service',
         'EXISTS (SELECT FROM public.service s JOIN public.service_unit w ON w.id = s.service_unit_id JOIN public.unit u ON u.id = w.unit_id WHERE s.id = ticket.service_id AND u.path <@ ANY ((SELECT public.row_units())::ltree[]))');
    INSERT INTO row_rule (relation, place, of, told)
    SELECT t, 'survey_id', 'survey',
           format('EXISTS (SELECT FROM public.survey s JOIN public.service_unit w ON w.id = s.service_unit_id JOIN public.unit u ON u.id = w.unit_id WHERE s.id = %I.survey_id AND u.path <@ ANY ((SELECT public.row_units())::ltree[]))', t)
    FROM   unnest('{survey_receipt,survey_answer,feedback}'::text[]) t
$q$);

-- The feed is written by whoever changes something, and read by change_page() alone.
DO $$
BEGIN
    IF row_roles_make() THEN
        CREATE POLICY bound ON change TO asnd_bound USING (false) WITH CHECK (true);
        CREATE POLICY everything ON change TO asnd_all USING (true);
        ALTER TABLE change ENABLE ROW LEVEL SECURITY;
    END IF;
END $$;

CREATE OR REPLACE FUNCTION change_read(after text, wanted text[], units ltree[], scopes text[], rows integer)
RETURNS TABLE (problem text, changes json, next text, more boolean, mark bigint)
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    upto bigint := change_readable();
BEGIN
    IF change_is_lost(after) THEN
        RETURN QUERY SELECT 'changes-forgotten', NULL::json, NULL::text, false, upto;
        RETURN;
    END IF;
    RETURN QUERY SELECT p.problem, p.changes, p.next, p.more, upto
                 FROM   (SELECT s.last_value FROM change_position s) n, change_page(upto, n.last_value, after, wanted, row_narrowed(units), scopes, rows) p;
END $$;

SELECT audit_quietly('{row_definer}', $q$
    INSERT INTO row_definer VALUES
        ('audit_about', 'Numbers of entries; those of lists are nobody''s alone, and indices cannot be asked with arrays below a policy'),
        ('audit_about_whole', 'As audit_about, of a person whom the statement around it must see: who saw him among others is his to know'),
        ('exposure_entries', 'Entries of lists are nobody''s alone; the statement around it shows those people alone whom the caller sees'),
        ('processing_trail', 'As audit_about_whole')
$q$);
SELECT audit_quietly('{audit_exempt}', $q$
    INSERT INTO audit_exempt (relation, reason) VALUES ('audit_number', 'The audit itself')
$q$);
SELECT audit_quietly('{export_exempt}', $q$
    INSERT INTO export_exempt (relation, reason) VALUES
        ('audit_number', 'A number for the audit''s own use'),
        ('complaint', 'Of a citizen (article 33)'),
        ('complaint_step', 'Of a citizen (article 33)'),
        ('feedback', 'Of a citizen, anonymous')
$q$);
SELECT audit_quietly('{restriction_scope}', $q$
    INSERT INTO restriction_scope VALUES ('audit_entry', false, 'All processing is recorded (UU 27/2022, article 31)')
$q$);

SELECT audit_attach();
SELECT row_security_attach();
