-- Searching people: one index for all that a person is found by, the words of names, and the page of a search. Why so: docs/decisions/0011-search.md.

CREATE EXTENSION IF NOT EXISTS fuzzystrmatch;

-- ── by what people are found ─────────────────────────────────────────────────────────────────────────────────────────────

CREATE FUNCTION asn_keys(name_key text, kind text, rank text, position_kind text, education_level text, legal_status text) RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN array_remove(string_to_array(name_key, ' ') || ARRAY['K' || kind, 'R' || rank, 'P' || position_kind, 'E' || education_level, 'S' || legal_status],
                    NULL);
COMMENT ON FUNCTION asn_keys(text, text, text, text, text, text) IS
    'All that a record is found by: the words of its name, and its codes behind a capital that says whose they are (no word of a name_key has capitals).';

-- In place of an index for each column and of one for all trigrams of all names: whatever is asked for together is met in one index, which reads little
-- more than the rarest of it, and a row costs eight short keys.
DROP INDEX asn_kind_idx, asn_rank_idx, asn_position_kind_idx, asn_education_level_idx, asn_legal_status_idx, asn_name_trgm_idx;
CREATE INDEX asn_keys_idx ON asn USING gin (asn_keys(name_key, kind, rank, position_kind, education_level, legal_status));

CREATE FUNCTION rank_place(rank_kind text, rank text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN rank IS NULL THEN ''
            WHEN rank_kind = 'PNS' THEN '1' || rank
            ELSE '2' || coalesce(to_char(array_position('{I,II,III,IV,V,VI,VII,VIII,IX,X,XI,XII,XIII,XIV,XV,XVI,XVII}'::text[], rank), 'FM00'), '~' || rank) END;
COMMENT ON FUNCTION rank_place(text, text) IS
    'Where a rank stands: whoever has none, then I/a … IV/e, then I … XVII. An index needs what never changes, so it reads the code and not its list.';
CREATE INDEX asn_rank_place_idx ON asn ((rank_place(rank_kind, rank) COLLATE "C"), nip);

CREATE FUNCTION nip_tells_birth(nip text, birth_date date) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN left(nip, 8)::integer = (extract(year FROM birth_date) * 10000 + extract(month FROM birth_date) * 100 + extract(day FROM birth_date))::integer;
COMMENT ON FUNCTION nip_tells_birth(text, date) IS 'Whether the NIP begins with the birth date, as it does but for dates that were corrected later.';
CREATE INDEX asn_birth_untold_idx ON asn (birth_date, nip) WHERE NOT nip_tells_birth(nip, birth_date);

-- ── the words of names ───────────────────────────────────────────────────────────────────────────────────────────────────

-- Who searches for a word that nobody bears exactly means one that is like it. Millions of people share some ten thousand words, so likeness is looked
-- for among the words. A word may stand here twice (two imports at once do not wait for each other), or though nobody bears it any more.
CREATE TABLE name_word (
    word text COLLATE "C" NOT NULL
);
CREATE INDEX name_word_idx ON name_word (word);
CREATE INDEX name_word_trgm_idx ON name_word USING gin (word gin_trgm_ops);
COMMENT ON TABLE name_word IS 'Each word of each name_key of asn; kept by a trigger.';
COMMENT ON COLUMN name_word.word IS 'The word';

CREATE FUNCTION name_word_keep() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO name_word (word)
        SELECT d.word FROM (SELECT DISTINCT w AS word FROM entered n, unnest(string_to_array(n.name_key, ' ')) w) d
        WHERE  NOT EXISTS (SELECT FROM name_word k WHERE k.word = d.word);
    ELSE
        INSERT INTO name_word (word)
        SELECT d.word FROM (SELECT DISTINCT w AS word
                            FROM   entered n JOIN departed o USING (id), unnest(string_to_array(n.name_key, ' ')) w WHERE n.name_key <> o.name_key) d
        WHERE  NOT EXISTS (SELECT FROM name_word k WHERE k.word = d.word);
    END IF;
    RETURN NULL;
END $$;
COMMENT ON FUNCTION name_word_keep() IS 'Adds words that no name had before.';
CREATE TRIGGER asn_45_words_insert AFTER INSERT ON asn REFERENCING NEW TABLE AS entered
    FOR EACH STATEMENT EXECUTE FUNCTION name_word_keep();
CREATE TRIGGER asn_45_words_update AFTER UPDATE ON asn REFERENCING NEW TABLE AS entered OLD TABLE AS departed
    FOR EACH STATEMENT EXECUTE FUNCTION name_word_keep();
INSERT INTO name_word (word) SELECT DISTINCT w FROM asn a, unnest(string_to_array(a.name_key, ' ')) w;

CREATE FUNCTION words_like(query text) RETURNS text[]
LANGUAGE plpgsql STABLE STRICT SET pg_trgm.word_similarity_threshold = 0.3 AS $$
BEGIN
    IF length(query) > 3 THEN
        RETURN ARRAY(SELECT DISTINCT w.word FROM name_word w
                     WHERE  w.word %> query AND (word_similarity(query, w.word) >= 0.5 OR levenshtein_less_equal(w.word, query, 1) <= 1));
    END IF;
    RETURN ARRAY(SELECT w.word FROM name_word w WHERE w.word >= query AND w.word < query || '~'
                 UNION
                 SELECT w.word FROM name_word w WHERE length(query) = 3 AND w.word %> query AND length(w.word) <= 4 AND word_similarity(query, w.word) >= 0.5);
END $$;
COMMENT ON FUNCTION words_like(text) IS
    'The words of names that a word of a search may mean: half of its trigrams, or all letters but one. Of up to three letters those that begin so, and of three the short ones that are like it.';

-- ── numbers ──────────────────────────────────────────────────────────────────────────────────────────────────────────────

CREATE FUNCTION number_sought(q text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN q ~ '^[0-9 ]*[0-9][0-9 ]*$' THEN replace(q, ' ', '') END;
COMMENT ON FUNCTION number_sought(text) IS 'The digits of a search that is a number (spaces between them do not matter); null: it is words.';

-- From four digits on: fewer are a part of the country, or of a century.
CREATE FUNCTION asn_of_number(digits text, scopes text[]) RETURNS uuid[]
LANGUAGE plpgsql STABLE SET enable_seqscan = off AS $$
BEGIN
    IF length(digits) < 4 THEN
        RETURN '{}';
    END IF;
    RETURN ARRAY(SELECT h.asn_id FROM history h
                 WHERE  h.kind = 'nip' AND NOT h.is_void AND h.facts ->> 'nip' >= digits AND h.facts ->> 'nip' <= rpad(digits, 18, '9')
                 UNION
                 SELECT m.asn_id FROM asn_merge m WHERE m.undone_at IS NULL AND length(digits) = 18 AND m.nips @> ARRAY[digits]
                 UNION
                 SELECT a.id FROM asn a WHERE scope_held(scopes, 'asn.sensitive') AND a.nik >= digits AND a.nik <= rpad(digits, 16, '9'));
END $$;
COMMENT ON FUNCTION asn_of_number(text, text[]) IS
    'Whom a number finds beside the NIP of today that begins so: an old NIP that does, a whole NIP of a record that was merged, and, for callers with asn.sensitive alone, a NIK.';

CREATE FUNCTION rank_span(lowest text, highest text) RETURNS text[]
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN ARRAY(SELECT r.code FROM rank r
                 WHERE  r.kind = ALL (ARRAY(SELECT b.kind FROM rank b WHERE b.code IN (lowest, highest)))
                        AND r.seq >= coalesce((SELECT b.seq FROM rank b WHERE b.code = lowest), CASE WHEN lowest IS NULL THEN 0 END)
                        AND r.seq <= coalesce((SELECT b.seq FROM rank b WHERE b.code = highest), CASE WHEN highest IS NULL THEN 2147483647 END));
END $$;
COMMENT ON FUNCTION rank_span(text, text) IS
    'The codes of ranks between two of one list, those included; null: no bound. None where a bound is no rank, or the two are of different lists.';

-- For lists that are read whole, counted, or put together for another day.
CREATE FUNCTION asn_sought(q text, scopes text[]) RETURNS SETOF uuid
LANGUAGE plpgsql STABLE ROWS 1000 SET enable_seqscan = off AS $$
DECLARE
    digits text := number_sought(q);
    likes  text := '';
    word   text;
BEGIN
    IF digits IS NOT NULL THEN
        RETURN QUERY SELECT a.id FROM asn a WHERE a.nip BETWEEN digits AND rpad(digits, 18, '9') UNION SELECT unnest(asn_of_number(digits, scopes));
        RETURN;
    END IF;
    FOREACH word IN ARRAY string_to_array(name_key(q), ' ') LOOP
        likes := likes || asn_keys_asked('', words_like(word));
    END LOOP;
    IF likes <> '' THEN
        RETURN QUERY EXECUTE 'SELECT a.id FROM asn a WHERE true' || likes;
    END IF;
END $$;
COMMENT ON FUNCTION asn_sought(text, text[]) IS 'Whom a search finds, all of them: see asn_search().';

CREATE FUNCTION asn_keys_asked(letter text, codes text[]) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN format(' AND asn_keys(a.name_key, a.kind, a.rank, a.position_kind, a.education_level, a.legal_status) && %L::text[]',
              ARRAY(SELECT letter || c FROM unnest(codes) AS c));
COMMENT ON FUNCTION asn_keys_asked(text, text[]) IS 'The condition, as text, that a record has one of these codes: as its index is asked.';

-- ── a page of a search ───────────────────────────────────────────────────────────────────────────────────────────────────

-- Two ways lead to a page. Walking along the index of the order, and dropping who does not fit, is short where many fit; gathering all who fit from the
-- other indexes, and sorting them, is short where few do. At the worst both cost the square root of (page times people): some sixteen thousand rows of
-- five million. Estimates of how filters go together are too often wrong by a thousand, and then the wrong way reads everybody; so the first
-- rows of the walk are looked at, and what they tell decides. Each way stands behind a fence (LIMIT, OFFSET 0), so that the planner cannot choose the other.
CREATE FUNCTION asn_search(units ltree[], scopes text[], today date, sort text, after text[], rows bigint, q text, unit uuid, under uuid, kinds text[],
                           ranks text[], rank_min text, rank_max text, position_kinds text[], levels text[], statuses text[], sex text, age_min integer,
                           age_max integer, retires_in integer, since timestamptz) RETURNS uuid[]
LANGUAGE plpgsql STABLE SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET max_parallel_workers_per_gather = 0 AS $$
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
        walked := walked || format(' AND EXISTS (SELECT FROM due d WHERE d.asn_id = a.id AND d.list = ''retirement'' AND d.due_on >= %L AND d.due_on < %L)',
                                   make_date(retires_in, 1, 1), make_date(retires_in + 1, 1, 1));
        gathered := gathered || format(' AND a.id = ANY (ARRAY(SELECT d.asn_id FROM due d WHERE d.list = ''retirement'' AND coalesce(d.due_on, ''infinity''::date) >= %L '
                                       'AND coalesce(d.due_on, ''infinity''::date) < %L%s))', make_date(retires_in, 1, 1), make_date(retires_in + 1, 1, 1),
                                       CASE WHEN cardinality(places) <= 1000 THEN format(' AND d.unit_id = ANY (%L::uuid[])', places) ELSE '' END);
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
    FOREACH band IN ARRAY CASE WHEN NOT by_rank THEN ARRAY['']
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
        IF by_rank THEN
            beyond := format(' AND rank_place(a.rank_kind, a.rank) COLLATE "C" = %L', band)
                      || CASE WHEN band = after[1] THEN format(CASE WHEN is_down THEN ' AND a.nip < %L' ELSE ' AND a.nip > %L' END, after[2]) ELSE '' END;
        END IF;
        FOR attempt IN 1 .. 2 LOOP
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
                           stretch, CASE WHEN is_wordy THEN '' ELSE codes END || gathered, steady, beyond,
                           CASE WHEN is_down THEN 's.key DESC, s.nip DESC' ELSE 's.key, s.nip' END, wanted)
            INTO found USING found;
        END LOOP;
        found := ARRAY(SELECT DISTINCT f FROM unnest(found) AS f); -- who stands apart may stand in the stretch as well
    END LOOP;
    RETURN coalesce(found, '{}');
END $$;
COMMENT ON FUNCTION asn_search(ltree[], text[], date, text, text[], bigint, text, uuid, uuid, text[], text[], text, text, text[], text[], text[], text, integer, integer, integer, timestamptz) IS
    'The people of one page: at least the first `rows` behind `after` (the keys of the last row before) in this order who fit, of these units. NIKs are asked only for callers with asn.sensitive.';

-- ── another day ──────────────────────────────────────────────────────────────────────────────────────────────────────────

-- A function, so that the set is thought small and hashed, whatever is known of the histories' facts.
CREATE FUNCTION asn_ever_in(place uuid) RETURNS SETOF uuid
LANGUAGE plpgsql STABLE ROWS 1000 SET enable_seqscan = off AS $$
BEGIN
    RETURN QUERY
    SELECT h.asn_id
    FROM   unnest(unit_reach(place, '{""}'::ltree[])) AS n (id)
    CROSS  JOIN LATERAL (SELECT p.asn_id FROM history p WHERE p.kind = 'placement' AND NOT p.is_void AND p.facts ->> 'unit_id' = n.id::text OFFSET 0) h;
END $$;
COMMENT ON FUNCTION asn_ever_in(uuid) IS 'Who ever had a placement in a unit, or in one that was below it on any day.';

-- ── likely doubles ───────────────────────────────────────────────────────────────────────────────────────────────────────

CREATE FUNCTION doubles_of(me asn, with_nik boolean, lowest numeric) RETURNS TABLE (other uuid, why text[], score numeric)
LANGUAGE sql STABLE AS $$
    SELECT b.id,
           array_remove(ARRAY[CASE WHEN bool_or(b.by_nik) THEN 'nik' END,
                              CASE WHEN b.born_alike AND b.likeness = 1 THEN 'name_birth' WHEN b.born_alike AND b.likeness >= 0.5 THEN 'name_like_birth' END],
                        NULL),
           CASE WHEN bool_or(b.by_nik) THEN 0.90 + round(CASE WHEN b.born_alike THEN b.likeness ELSE 0 END * 0.10, 2) ELSE round(b.likeness * 0.80, 2) END
    FROM   (SELECT n.id, true AS by_nik, n.birth_date = (me).birth_date AS born_alike, similarity(n.name_key, (me).name_key)::numeric AS likeness
            FROM   asn n WHERE with_nik AND n.nik = (me).nik AND n.nip > (me).nip
            UNION ALL
            SELECT n.id, false, true, similarity(n.name_key, (me).name_key)::numeric
            FROM   asn n
            WHERE  lowest <= 0.80 AND n.birth_date = (me).birth_date AND n.nip > (me).nip AND similarity(n.name_key, (me).name_key) >= 0.5) b
    GROUP  BY b.id, b.born_alike, b.likeness
$$;
COMMENT ON FUNCTION doubles_of(asn, boolean, numeric) IS
    'As doubles_of(asn, boolean), for a caller who wants none below that score: names alone give 0.80 at most, and are not compared for more.';

CREATE FUNCTION doubles_near(number text, with_nik boolean) RETURNS SETOF uuid
LANGUAGE plpgsql STABLE ROWS 10 AS $$
BEGIN
    RETURN QUERY
    SELECT p.id FROM asn p WHERE p.nip = number
    UNION
    SELECT n.id FROM asn p JOIN asn n ON n.nik = p.nik WHERE p.nip = number AND with_nik
    UNION
    SELECT n.id FROM asn p JOIN asn n ON n.birth_date = p.birth_date WHERE p.nip = number AND similarity(n.name_key, p.name_key) >= 0.5;
END $$;
COMMENT ON FUNCTION doubles_near(text, boolean) IS 'The person with that NIP and all who may be the same, so that the pairs of one person need not be looked for among everybody.';
