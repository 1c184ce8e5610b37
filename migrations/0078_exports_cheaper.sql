-- SPDX-License-Identifier: Apache-2.0
-- Exporting everybody costs little more than reading everybody: the place of a rank is worked out within the statement, and noting whom a long list showed takes one look for each of
-- them. See docs/performance.md and docs/audit.md.

-- As before. to_char() is not immutable, so that the planner could not put the body of the function in its place and each row began a query of its own; what it gives is the same,
-- and so is what the index holds.
CREATE OR REPLACE FUNCTION rank_place(rank_kind text, rank text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN rank IS NULL THEN ''
            WHEN rank_kind = 'PNS' THEN '1' || rank
            ELSE '2' || coalesce(lpad(array_position('{I,II,III,IV,V,VI,VII,VIII,IX,X,XI,XII,XIII,XIV,XV,XVI,XVII}'::text[], rank)::text, 2, '0'), '~' || rank) END;

-- ── readings of many ─────────────────────────────────────────────────────────────────────────────────────────────────────

-- Numbers that follow each other are made one range before they are put together, which is much less work than a range for each. Each is looked for by
-- its id, whatever the planner believes of tables that were empty when it planned: in the order of numbers (so `+ 0`), or where it may join as it likes,
-- it would read the numbers of all, and hold each against all ids.
CREATE FUNCTION audit_crowd(ids uuid[]) RETURNS int4multirange
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET enable_seqscan = off SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    crowd int4multirange;
    found bigint;
BEGIN
    FOR turn IN 1..2 LOOP
        SELECT range_agg(int4range(r.low, r.high, '[]')), sum(r.high - r.low + 1) INTO crowd, found
        FROM   (SELECT min(s.number) AS low, max(s.number) AS high
                FROM   (SELECT n.number, n.number - row_number() OVER (ORDER BY n.number + 0) AS step FROM audit_number n WHERE n.asn_id = ANY (ids)) s
                GROUP  BY s.step) r;
        EXIT WHEN turn = 2 OR found = cardinality(ids);
        INSERT INTO audit_number (asn_id)
        SELECT a.id
        FROM   (SELECT DISTINCT unnest(ids) AS id) i
        CROSS  JOIN LATERAL (SELECT a.id FROM asn a WHERE a.id = i.id LIMIT 1) a
        LEFT   JOIN LATERAL (SELECT n.number FROM audit_number n WHERE n.asn_id = i.id LIMIT 1) n ON true
        WHERE  n.number IS NULL
        ORDER  BY a.id
        ON     CONFLICT DO NOTHING;
    END LOOP;
    RETURN crowd;
END $$;
COMMENT ON FUNCTION audit_crowd(uuid[]) IS 'These people as ranges of audit_number; whoever has no number is given one.';

CREATE OR REPLACE FUNCTION audit_crowd(nips text[]) RETURNS int4multirange
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET enable_seqscan = off SET plan_cache_mode = force_generic_plan AS $$
BEGIN
    RETURN audit_crowd(ARRAY(SELECT a.id FROM (SELECT DISTINCT unnest(nips) AS nip) i CROSS JOIN LATERAL (SELECT a.id FROM asn a WHERE a.nip = i.nip LIMIT 1) a));
END $$;

-- As before; but who they were may be told by ids too, and a long list is read out of its text once.
DROP FUNCTION audit_read_all(jsonb);
CREATE FUNCTION audit_read_all(readings jsonb, ids uuid[] DEFAULT NULL) RETURNS SETOF bigint
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
                                     WHEN cardinality(t.numbers) = 1 THEN array_remove(ARRAY[asn_of_nip(t.numbers[1])], NULL)
                                     WHEN cardinality(t.numbers) <= 1000 THEN ARRAY(SELECT a.id FROM asn a WHERE a.nip = ANY (t.numbers) ORDER BY a.id) ELSE '{}' END AS found,
                           CASE WHEN ids IS NOT NULL THEN audit_crowd(ids) WHEN cardinality(t.numbers) > 1000 THEN audit_crowd(t.numbers) END AS crowd
                    FROM   (SELECT j.*, j.nips::text[] AS numbers
                            FROM   jsonb_to_recordset(readings)
                                   AS j (facts text, what text, which text, members text, nips text, people bigint, digest text, filter jsonb) OFFSET 0) t OFFSET 0) r
            OFFSET 0) e
    RETURNING id;
END $$;
COMMENT ON FUNCTION audit_read_all(jsonb, uuid[]) IS
    'Notes readings of what is sensitive, each an object: facts as audit_facts() gives them, with tabs between; what and which, the record; members and nips, as literals of text[]; people, digest, filter. ids: of one reading of more than a thousand people, in place of their NIPs. The ids of the entries.';

SELECT audit_attach();
SELECT row_security_attach();
