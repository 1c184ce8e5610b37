-- Reference lists: codes with their names, days of validity and sources. Their rows are data, changed by import; see docs/references.md.

CREATE TABLE reference_list (
    list        text PRIMARY KEY CONSTRAINT reference_list_form CHECK (list ~ '^[a-z][a-z0-9-]{0,62}$'),
    name        text NOT NULL,
    name_en     text NOT NULL,
    description text NOT NULL,
    source      text NOT NULL
);
COMMENT ON TABLE reference_list IS 'Which reference lists there are. A new list needs somebody who reads it, so these come by migration alone.';
COMMENT ON COLUMN reference_list.list IS 'Name in the API: rank-pns';
COMMENT ON COLUMN reference_list.name IS 'Indonesian name';
COMMENT ON COLUMN reference_list.name_en IS 'English name';
COMMENT ON COLUMN reference_list.description IS 'What it is for, and what parent and facts mean in it';
COMMENT ON COLUMN reference_list.source IS 'Where its codes come from';

CREATE FUNCTION reference_fold(word text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN regexp_replace(lower(public.unaccent('public.unaccent'::regdictionary, word)), '[^a-z0-9]+', '', 'g');
COMMENT ON FUNCTION reference_fold(text) IS 'A word as a spreadsheet''s cell is compared: letters and digits, lower case: S-1 = s1, D-III/Sarjana Muda = diiisarjanamuda.';

CREATE TABLE reference (
    list       text        NOT NULL CONSTRAINT reference_list_fkey REFERENCES reference_list,
    code       text COLLATE "C" NOT NULL CONSTRAINT reference_code_form CHECK (code ~ '^[A-Za-z0-9][A-Za-z0-9/._-]{0,39}$'),
    valid      daterange   NOT NULL DEFAULT '(,)' CONSTRAINT reference_valid_days CHECK (NOT isempty(valid)),
    name       text        NOT NULL CONSTRAINT reference_name_length CHECK (length(name) BETWEEN 1 AND 300),
    name_en    text        CONSTRAINT reference_name_en_length CHECK (length(name_en) BETWEEN 1 AND 300),
    siasn_id   text        CONSTRAINT reference_siasn_id_length CHECK (length(siasn_id) BETWEEN 1 AND 64),
    parent     text COLLATE "C",
    seq        integer     NOT NULL DEFAULT 0,
    facts      jsonb       NOT NULL DEFAULT '{}' CONSTRAINT reference_facts_object CHECK (jsonb_typeof(facts) = 'object'),
    aliases    text[]      NOT NULL DEFAULT '{}',
    source     text        NOT NULL CONSTRAINT reference_source_length CHECK (length(source) BETWEEN 1 AND 300),
    version    bigint      NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT reference_pkey PRIMARY KEY (list, code, valid),
    CONSTRAINT reference_once_a_day EXCLUDE USING gist (list WITH =, code WITH =, valid WITH &&) DEFERRABLE INITIALLY IMMEDIATE
);
CREATE INDEX reference_seq_idx ON reference (list, seq, code, valid);
CREATE INDEX reference_parent_idx ON reference (list, parent, seq, code, valid) WHERE parent IS NOT NULL;
COMMENT ON TABLE reference IS 'The rows of all reference lists. A code that ends keeps its row; a code that changes its meaning gets a second row from that day on.';
COMMENT ON COLUMN reference.list IS 'reference_list.list';
COMMENT ON COLUMN reference.code IS 'What records hold';
COMMENT ON COLUMN reference.valid IS 'Days on which the row holds: [from, to)';
COMMENT ON COLUMN reference.name IS 'Indonesian name';
COMMENT ON COLUMN reference.name_en IS 'English gloss';
COMMENT ON COLUMN reference.siasn_id IS 'Id in SIASN (BKN), where known; text';
COMMENT ON COLUMN reference.parent IS 'Code of the row above, where the list is a tree';
COMMENT ON COLUMN reference.seq IS 'Order within the list, lowest first';
COMMENT ON COLUMN reference.facts IS 'What else rules need to know of a row; see reference_list.description';
COMMENT ON COLUMN reference.aliases IS 'Other words for it that files use';
COMMENT ON COLUMN reference.source IS 'The regulation, or where the code was seen';
COMMENT ON COLUMN reference.version IS 'Counts changes';
COMMENT ON COLUMN reference.created_at IS 'When the row was made';
COMMENT ON COLUMN reference.updated_at IS 'Last change';
CREATE TRIGGER reference_20_touch BEFORE UPDATE ON reference FOR EACH ROW EXECUTE FUNCTION touch_row();

CREATE TABLE reference_word (
    list text NOT NULL,
    word text COLLATE "C" NOT NULL,
    code text COLLATE "C" NOT NULL,
    CONSTRAINT reference_word_pkey PRIMARY KEY (list, word)
);
COMMENT ON TABLE reference_word IS
    'The words by which a file may mean a row: codes, and names and aliases that mean one code only (I.a is both 10 and 11, so neither). Kept by a trigger.';
COMMENT ON COLUMN reference_word.list IS 'reference.list';
COMMENT ON COLUMN reference_word.word IS 'reference_fold() of a code, name or alias';
COMMENT ON COLUMN reference_word.code IS 'reference.code';

CREATE FUNCTION reference_spread() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(1918, 2);
    DELETE FROM reference_word w WHERE w.list IN (SELECT e.list FROM entered e);
    INSERT INTO reference_word (list, word, code)
    SELECT r.list, reference_fold(r.code), min(r.code)
    FROM   reference r
    WHERE  r.list IN (SELECT e.list FROM entered e)
    GROUP  BY r.list, reference_fold(r.code)
    HAVING count(DISTINCT r.code) = 1;
    INSERT INTO reference_word (list, word, code)
    SELECT r.list, w.word, min(r.code)
    FROM   reference r
    CROSS  JOIN LATERAL (SELECT DISTINCT reference_fold(t) AS word FROM unnest(r.aliases || r.name) AS t) w
    WHERE  r.list IN (SELECT e.list FROM entered e) AND w.word <> ''
    GROUP  BY r.list, w.word
    HAVING count(DISTINCT r.code) = 1
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;
COMMENT ON FUNCTION reference_spread() IS 'Writes the words of the lists that a statement touched anew.';
CREATE TRIGGER reference_30_spread_insert AFTER INSERT ON reference REFERENCING NEW TABLE AS entered
    FOR EACH STATEMENT EXECUTE FUNCTION reference_spread();
CREATE TRIGGER reference_30_spread_update AFTER UPDATE ON reference REFERENCING NEW TABLE AS entered
    FOR EACH STATEMENT EXECUTE FUNCTION reference_spread();

-- In plpgsql, which keeps its plan; a function in SQL that holds a query is planned anew by every statement that calls it.
CREATE FUNCTION reference_holds(which text, what text, at date) RETURNS boolean
LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE AS $$
BEGIN
    RETURN EXISTS (SELECT FROM reference r WHERE r.list = which AND r.code = what AND r.valid @> at);
END $$;
COMMENT ON FUNCTION reference_holds(text, text, date) IS 'Whether the list knows the code on that day.';
