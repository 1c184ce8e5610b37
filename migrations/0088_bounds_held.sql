-- What a bound caller may not reach by another way: keys that outlive or reach beyond their maker's, secret complaints in the feed, a held read of the feed whose key was narrowed,
-- and the few people whom the mean of a unit tells by subtraction. See docs/access.md, integration.md, indices.md.

-- ── keys ─────────────────────────────────────────────────────────────────────────────────────────────────────────────────

CREATE FUNCTION key_beyond(maker uuid, until timestamptz, networks cidr[]) RETURNS text
LANGUAGE sql STABLE
RETURN (SELECT CASE WHEN k.expires_at IS NOT NULL AND (until IS NULL OR until > k.expires_at) THEN '/expires_at'
                    WHEN k.allow_from IS NOT NULL
                         AND (networks IS NULL OR EXISTS (SELECT FROM unnest(networks) AS n (net) WHERE NOT n.net <<= ANY (k.allow_from))) THEN '/allow_from' END
        FROM   api_key k WHERE k.id = maker);
COMMENT ON FUNCTION key_beyond(uuid, timestamptz, cidr[]) IS 'Where a key with this end and these networks would reach beyond the key, or the subject of the token, of its maker; null: nowhere.';

CREATE FUNCTION key_bound_words(maker uuid, pointer text, lang text) RETURNS text
LANGUAGE sql STABLE
RETURN (SELECT CASE pointer
                    WHEN '/expires_at' THEN format(CASE lang WHEN 'en' THEN 'Yours ends at %s: name an end no later than that.' ELSE 'Kunci Anda berakhir pada %s: sebutkan akhir yang tidak lebih lambat.' END,
                                                   to_char(k.expires_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'))
                    WHEN '/allow_from' THEN format(CASE lang WHEN 'en' THEN 'Yours is bound to %s: name networks inside.' ELSE 'Kunci Anda terikat pada %s: sebutkan jaringan di dalamnya.' END,
                                                   array_to_string(k.allow_from, ', ')) END
        FROM   api_key k WHERE k.id = maker);
COMMENT ON FUNCTION key_bound_words(uuid, text, text) IS 'What key_beyond() found, in English (en) or Indonesian.';

-- ── the feed of changes ──────────────────────────────────────────────────────────────────────────────────────────────────

-- As in 0033; and a secret complaint is told to who holds complaint.secret alone, as getComplaint has it, and that something of discipline changed not while the person's data are restricted.
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
    sees_secret boolean := scope_held(scopes, 'complaint.secret');
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
            CROSS  JOIN LATERAL (SELECT CASE WHEN m.entity = ANY (shown) AND history_shown(coalesce(m.part, ''), CASE m.part WHEN 'discipline' THEN restricted_scopes(m.asn_id, scopes, NULL) ELSE scopes END)
                                                  AND CASE WHEN m.entity <> 'complaint' OR sees_secret THEN true
                                                           ELSE EXISTS (SELECT FROM complaint s WHERE s.id = m.id AND NOT s.is_secret) END
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

-- Who waits is asked anew, whatever the daemon found when he came. Scopes that changed hold at once. Row security is told the units of before, so with other units nothing is read here: the
-- answer is an empty page whose token is the one that he came with, and his next request reads on with the units that he has by then. A unit that only moved is the same unit.
CREATE FUNCTION change_read_now(caller uuid, after text, wanted text[], units ltree[], scopes text[], rows integer)
RETURNS TABLE (problem text, changes json, next text, more boolean, mark bigint)
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    me   api_key;
    came uuid[] := ARRAY(SELECT ltree2text(subpath(p, -1))::uuid FROM unnest(units) AS p WHERE nlevel(p) > 0);
    has  uuid[];
BEGIN
    SELECT k.* INTO me FROM api_key k WHERE k.id = caller AND k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > now());
    IF NOT FOUND OR me.kind = 'key' AND NOT scope_held(me.scopes, 'change.read') THEN
        RETURN QUERY SELECT CASE WHEN me.id IS NULL THEN 'unauthenticated' ELSE 'forbidden' END, NULL::json, NULL::text, false, NULL::bigint;
        RETURN;
    END IF;
    IF me.kind = 'key' THEN
        has := CASE WHEN me.unit_ids IS NULL THEN '{}' ELSE ARRAY(SELECT u.id FROM unit u WHERE u.id = ANY (me.unit_ids)) END;
        IF (me.unit_ids IS NULL) IS DISTINCT FROM (''::ltree = ANY (units)) OR NOT (has @> came AND came @> has) THEN
            RETURN QUERY SELECT NULL::text, '[]'::json, coalesce(after, h.position + 1 || '.0'), false, NULL::bigint FROM change_horizon h;
            RETURN;
        END IF;
    END IF;
    RETURN QUERY SELECT r.* FROM change_read(after, wanted, units, CASE me.kind WHEN 'key' THEN me.scopes ELSE scopes END, rows) r;
END $$;
COMMENT ON FUNCTION change_read_now(uuid, text, text[], ltree[], text[], integer) IS
    'change_read() for a key as it is by now, which it need not have been when its read began to wait. mark is null where it is not to wait on. What a token gives stands in the token, and stays.';

-- ── the means of a unit ──────────────────────────────────────────────────────────────────────────────────────────────────

-- Means of units lie inside each other: what they tell is each unit without those below it that are shown. So from below upwards: a unit with fewer than five people, or whose people
-- outside the shown units below are one to four, is not shown, and those people count where the next unit above is asked. In the order of paths all below a unit stand behind it.
CREATE FUNCTION ip_asn_rest(which uuid, at date) RETURNS bigint
LANGUAGE plpgsql STABLE AS $$
DECLARE
    hidden bigint[] := array_fill(0::bigint, ARRAY[17]);
    below  bigint[] := array_fill(0::bigint, ARRAY[17]);
    rest   bigint;
    n      bigint;
    b      record;
BEGIN
    -- Mostly the unit itself and those next below it say enough.
    IF at = local_today() THEN
        SELECT sum(CASE WHEN s.unit_id = which THEN s.own WHEN s.n < 5 THEN s.n ELSE 0 END) INTO rest
        FROM   index_sums(ARRAY(SELECT u.id FROM unit u WHERE u.id = which OR u.parent_id = which), 'ip|n', 'ip|n!') s;
        IF rest >= 5 THEN
            RETURN rest;
        END IF;
    END IF;
    FOR b IN
        WITH tree AS MATERIALIZED (
            SELECT d.id, d.path, nlevel(d.path) AS level FROM unit u JOIN unit d ON d.path <@ u.path WHERE u.id = which
        ), own AS MATERIALIZED (
            SELECT s.unit_id, s.own AS n FROM index_sums(ARRAY(SELECT t.id FROM tree t WHERE at = local_today()), 'ip|n', 'ip|n!') s
            UNION ALL
            SELECT a.unit_id, count((w.p).total)
            FROM   tree t
            JOIN   asn a ON a.unit_id = t.id AND a.legal_status IN (SELECT s.code FROM employed_status s)
            CROSS  JOIN LATERAL (SELECT ip_asn_of(a.id, at) AS p OFFSET 0) w
            WHERE  at <> local_today()
            GROUP  BY a.unit_id
        )
        SELECT t.level, coalesce(o.n, 0)::bigint AS n FROM tree t LEFT JOIN own o ON o.unit_id = t.id ORDER BY t.path DESC
    LOOP
        n := b.n + below[b.level + 1];
        rest := b.n + hidden[b.level + 1];
        below[b.level + 1] := 0;
        hidden[b.level + 1] := 0;
        below[b.level] := below[b.level] + n;
        IF n < 5 OR rest BETWEEN 1 AND 4 THEN
            hidden[b.level] := hidden[b.level] + rest;
        END IF;
    END LOOP;
    RETURN rest;
END $$;
COMMENT ON FUNCTION ip_asn_rest(uuid, date) IS
    'How many of the people of a unit and all below who have an index on a day are in no unit below whose means are shown: what the unit''s means tell beside those. One to four: its means are not shown. From five on it may be more than is said.';

SELECT audit_attach();
SELECT row_security_attach();
