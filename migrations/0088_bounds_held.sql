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

SELECT audit_attach();
SELECT row_security_attach();
