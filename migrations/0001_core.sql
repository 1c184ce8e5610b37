-- Who may call, the tree of units, the civil servants, the lists that they refer to, imports, and the engine's own tables.

CREATE EXTENSION IF NOT EXISTS btree_gist;
CREATE EXTENSION IF NOT EXISTS pg_trgm;
CREATE EXTENSION IF NOT EXISTS unaccent;
CREATE EXTENSION IF NOT EXISTS ltree;
CREATE EXTENSION IF NOT EXISTS pgcrypto;

-- ── helpers ──────────────────────────────────────────────────────────────────────────────────────────────────────────────

-- unaccent() is only STABLE because its dictionary could be altered; ours is the shipped one, and an index needs IMMUTABLE.
CREATE FUNCTION name_key(name text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN btrim(regexp_replace(translate(lower(public.unaccent('public.unaccent'::regdictionary, name)), '''`´‘’ʼ"“”', ''), '[^a-z0-9]+', ' ', 'g'));
COMMENT ON FUNCTION name_key(text) IS
    'A name as it is sorted and searched: lower case, no accents, apostrophes gone (Ma''ruf = maruf), other punctuation as one space.';

-- One edit in a word of seven letters leaves half of its trigrams: that is still the same name (pg_trgm itself would ask for 0.6). The
-- threshold travels with the search, as an index can use the operator %> only, which takes it from the session.
CREATE FUNCTION name_words(query text) RETURNS text[]
LANGUAGE sql VOLATILE STRICT
RETURN (SELECT string_to_array(nullif(name_key(query), ''), ' ') FROM set_config('pg_trgm.word_similarity_threshold', '0.5', true));
COMMENT ON FUNCTION name_words(text) IS 'The words of a search, each of which must be like a word of the name_key, in any order.';

CREATE FUNCTION name_probe(query text, place integer) RETURNS text
LANGUAGE sql VOLATILE STRICT
RETURN (SELECT words[least(place, cardinality(words))]
        FROM   (SELECT array_agg(w ORDER BY length(w) DESC, w) AS words FROM unnest(name_words(query)) AS w) s);
COMMENT ON FUNCTION name_probe(text, integer) IS
    'The longest word of a search (1), the second longest (2; the longest again if there is one only): what the trigram index is asked for.';

CREATE FUNCTION local_today() RETURNS date
LANGUAGE sql STABLE PARALLEL SAFE
RETURN coalesce(nullif(current_setting('asnd.today', true), '')::date,
                ((now() AT TIME ZONE 'UTC')
                 + make_interval(mins => coalesce(nullif(current_setting('asnd.utc_offset_minutes', true), '')::integer, 480)))::date);
COMMENT ON FUNCTION local_today() IS
    'The regency''s date: by the daemon''s setting utc_offset_minutes, else WITA. The session variable asnd.today replaces it, so that tests need not wait.';

-- JSON knows one kind of number: 30 and 30.0 and 3e1 are the same whole number, which integer's own reader does not know.
CREATE FUNCTION with_whole(patch jsonb, VARIADIC members text[]) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN patch || coalesce((SELECT jsonb_object_agg(m, trunc((patch ->> m)::numeric)) FROM unnest(members) AS m WHERE jsonb_typeof(patch -> m) = 'number'),
                         '{}');
COMMENT ON FUNCTION with_whole(jsonb, text[]) IS 'The patch with these members written as integer reads them (the contract has seen that they are whole).';

CREATE FUNCTION touch_row() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    NEW.version := OLD.version + 1;
    NEW.updated_at := now();
    RETURN NEW;
END $$;
COMMENT ON FUNCTION touch_row() IS 'Counts the version that ETag and If-Match speak of; no client sets it.';

-- ── callers ──────────────────────────────────────────────────────────────────────────────────────────────────────────────

CREATE TABLE api_key (
    id           uuid        PRIMARY KEY,
    name         text        NOT NULL CONSTRAINT api_key_name_length CHECK (length(name) BETWEEN 1 AND 200),
    hash         text        NOT NULL CONSTRAINT api_key_hash_key UNIQUE CONSTRAINT api_key_hash_form CHECK (hash ~ '^[0-9a-f]{64}$'),
    scopes       text[]      NOT NULL,
    unit_ids     uuid[],
    created_at   timestamptz NOT NULL DEFAULT now(),
    created_by   text        NOT NULL,
    expires_at   timestamptz,
    revoked_at   timestamptz,
    last_used_at timestamptz
);
COMMENT ON TABLE api_key IS 'Who may call: one row a key. The key itself is never stored.';
COMMENT ON COLUMN api_key.id IS 'UUIDv7; what logs and records name instead of the key';
COMMENT ON COLUMN api_key.name IS 'Owner''s label: the application or person that holds the key';
COMMENT ON COLUMN api_key.hash IS 'SHA-256 of the whole key, hex';
COMMENT ON COLUMN api_key.scopes IS 'What it may do: asn.read, training.write …; admin holds all';
COMMENT ON COLUMN api_key.unit_ids IS 'Units whose subtrees it may see (wherever they are moved to); null: everything';
COMMENT ON COLUMN api_key.created_at IS 'When it was made';
COMMENT ON COLUMN api_key.created_by IS 'Who made it';
COMMENT ON COLUMN api_key.expires_at IS 'From then on refused; null: never';
COMMENT ON COLUMN api_key.revoked_at IS 'When it was taken back; null: it holds';
COMMENT ON COLUMN api_key.last_used_at IS 'Last use, to about a minute';

CREATE TABLE instance_secret (
    name  text  PRIMARY KEY,
    value bytea NOT NULL
);
COMMENT ON TABLE instance_secret IS 'Secrets that all daemons of one database share and that never leave it.';
COMMENT ON COLUMN instance_secret.name IS 'What it is for: cursor';
COMMENT ON COLUMN instance_secret.value IS 'Random bytes';
INSERT INTO instance_secret VALUES ('cursor', gen_random_bytes(32));

CREATE TABLE idempotency (
    caller       uuid        NOT NULL,
    key          text        NOT NULL,
    operation    text        NOT NULL,
    request_hash text        NOT NULL,
    status       integer     NOT NULL,
    content_type text,
    etag         text,
    location     text,
    body         bytea,
    created_at   timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT idempotency_pkey PRIMARY KEY (caller, key)
);
CREATE INDEX idempotency_created_at_idx ON idempotency (created_at);
COMMENT ON TABLE idempotency IS 'Answers kept for Idempotency-Key, written in the transaction of the effect itself.';
COMMENT ON COLUMN idempotency.caller IS 'api_key.id';
COMMENT ON COLUMN idempotency.key IS 'The header''s value';
COMMENT ON COLUMN idempotency.operation IS 'operationId';
COMMENT ON COLUMN idempotency.request_hash IS 'Hash of target and body: another request under the same key is refused';
COMMENT ON COLUMN idempotency.status IS 'HTTP status of the first answer';
COMMENT ON COLUMN idempotency.content_type IS 'Content-Type of the first answer';
COMMENT ON COLUMN idempotency.etag IS 'ETag of the first answer';
COMMENT ON COLUMN idempotency.location IS 'Location of the first answer';
COMMENT ON COLUMN idempotency.body IS 'Body of the first answer';
COMMENT ON COLUMN idempotency.created_at IS 'When; forgotten after the setting idempotency_hours';

-- ── reference lists ──────────────────────────────────────────────────────────────────────────────────────────────────────

CREATE TABLE rank (
    kind       text     NOT NULL CONSTRAINT rank_kind_known CHECK (kind IN ('PNS', 'PPPK')),
    code       text     NOT NULL,
    name       text     NOT NULL,
    seq        smallint NOT NULL,
    siasn_code text     NOT NULL,
    CONSTRAINT rank_pkey PRIMARY KEY (kind, code),
    CONSTRAINT rank_seq_key UNIQUE (kind, seq)
);
COMMENT ON TABLE rank IS 'Golongan: PNS I/a … IV/e with their pangkat (SIASN reference list); PPPK I … XVII without one (Perpres 98/2020 jo. 11/2024).';
COMMENT ON COLUMN rank.kind IS 'PNS (also CPNS) or PPPK: the same number means another rank in the other list';
COMMENT ON COLUMN rank.code IS 'Golongan as written: III/a, IX';
COMMENT ON COLUMN rank.name IS 'Pangkat: Penata Muda; for PPPK the golongan again';
COMMENT ON COLUMN rank.seq IS 'From the lowest, 1 …';
COMMENT ON COLUMN rank.siasn_code IS 'Code in SIASN (BKN)';
INSERT INTO rank (kind, code, name, seq, siasn_code) VALUES
    ('PNS', 'I/a', 'Juru Muda', 1, '11'),           ('PNS', 'I/b', 'Juru Muda Tingkat I', 2, '12'),
    ('PNS', 'I/c', 'Juru', 3, '13'),                ('PNS', 'I/d', 'Juru Tingkat I', 4, '14'),
    ('PNS', 'II/a', 'Pengatur Muda', 5, '21'),      ('PNS', 'II/b', 'Pengatur Muda Tingkat I', 6, '22'),
    ('PNS', 'II/c', 'Pengatur', 7, '23'),           ('PNS', 'II/d', 'Pengatur Tingkat I', 8, '24'),
    ('PNS', 'III/a', 'Penata Muda', 9, '31'),       ('PNS', 'III/b', 'Penata Muda Tingkat I', 10, '32'),
    ('PNS', 'III/c', 'Penata', 11, '33'),           ('PNS', 'III/d', 'Penata Tingkat I', 12, '34'),
    ('PNS', 'IV/a', 'Pembina', 13, '41'),           ('PNS', 'IV/b', 'Pembina Tingkat I', 14, '42'),
    ('PNS', 'IV/c', 'Pembina Utama Muda', 15, '43'), ('PNS', 'IV/d', 'Pembina Utama Madya', 16, '44'),
    ('PNS', 'IV/e', 'Pembina Utama', 17, '45');
INSERT INTO rank (kind, code, name, seq, siasn_code)
SELECT 'PPPK', r, 'Golongan ' || r, n, lpad(n::text, 2, '0')
FROM   unnest('{I,II,III,IV,V,VI,VII,VIII,IX,X,XI,XII,XIII,XIV,XV,XVI,XVII}'::text[]) WITH ORDINALITY AS g (r, n);

CREATE TABLE education_level (
    code         text PRIMARY KEY,
    name         text NOT NULL,
    start_rank   text,
    ceiling_rank text
);
COMMENT ON TABLE education_level IS 'Tingkat pendidikan with the golongan at which a PNS begins and ends by regular promotion (SIASN reference list).';
COMMENT ON COLUMN education_level.code IS 'SIASN code: 40';
COMMENT ON COLUMN education_level.name IS 'S-1';
COMMENT ON COLUMN education_level.start_rank IS 'Golongan of a new PNS with this education; null: not in the list';
COMMENT ON COLUMN education_level.ceiling_rank IS 'Highest golongan by regular promotion; holds for pelaksana only';
INSERT INTO education_level VALUES
    ('05', 'SD', 'I/a', 'II/a'),               ('10', 'SLTP', 'I/c', 'II/c'),          ('12', 'SLTP Kejuruan', 'I/c', 'II/d'),
    ('15', 'SLTA', 'II/a', 'III/b'),           ('17', 'SLTA Kejuruan', 'II/a', 'III/b'), ('18', 'SLTA Keguruan', 'II/a', 'III/b'),
    ('20', 'D-I', 'II/a', 'III/b'),            ('25', 'D-II', 'II/b', 'III/b'),        ('30', 'D-III/Sarjana Muda', 'II/c', 'III/c'),
    ('35', 'D-IV', 'III/a', 'III/d'),          ('40', 'S-1', 'III/a', 'III/d'),        ('42', 'Profesi', NULL, NULL),
    ('45', 'S-2', 'III/b', 'IV/a'),            ('47', 'Spesialis', NULL, NULL),        ('49', 'Subspesialis', NULL, NULL),
    ('50', 'S-3', 'III/c', 'IV/b');

CREATE TABLE legal_status (
    code       text    PRIMARY KEY,
    name       text    NOT NULL,
    in_service boolean NOT NULL
);
COMMENT ON TABLE legal_status IS 'Kedudukan hukum (SIASN reference list).';
COMMENT ON COLUMN legal_status.code IS 'SIASN id: 01';
COMMENT ON COLUMN legal_status.name IS 'Aktif';
COMMENT ON COLUMN legal_status.in_service IS 'Works and is assessed in the ordinary way, so may be enrolled in training; leave, study, suspension and retirement are not';
INSERT INTO legal_status VALUES
    ('01', 'Aktif', true),                               ('02', 'CLTN (cuti di luar tanggungan negara)', false),
    ('03', 'Tugas Belajar', false),                      ('04', 'Pemberhentian Sementara', false),
    ('05', 'Penerima Uang Tunggu', false),               ('06', 'Prajurit Wajib', false),
    ('07', 'Pejabat Negara', false),                     ('08', 'Kepala Desa', false),
    ('09', 'Banding BAPEK', false),                      ('11', 'Pegawai Titipan', true),
    ('12', 'Pengungsi', false),                          ('13', 'Perpanjangan CLTN', false),
    ('14', 'Hilang', false),                             ('15', 'Hukuman Disiplin', true),
    ('16', 'Pemindahan dalam Rangka Penurunan Jabatan', true), ('20', 'MPP (masa persiapan pensiun)', false),
    ('51', 'CPNS, Keputusan Belum Diterima', false),     ('52', 'Tidak Aktif', false),
    ('66', 'Diberhentikan', false),                      ('67', 'Punah', false),
    ('68', 'Eks PNS Timor Timur', false),                ('69', 'TMS saat Pengadaan', false),
    ('70', 'NIP Dibatalkan', false),                     ('71', 'PPPK Aktif', true),
    ('72', 'PPPK Paruh Waktu Aktif', true),              ('77', 'Pemberhentian tanpa Hak Pensiun', false),
    ('88', 'Pemberhentian dengan Hak Pensiun', false),   ('89', 'Tidak Aktif, Pensiun Diusulkan', false),
    ('90', 'Tidak Ikut PUPNS 2015', false),              ('91', 'Tindak Pidana', false),
    ('92', 'Pemblokiran', false),                        ('98', 'Mencapai BUP', false),
    ('99', 'Pensiun', false);

CREATE TABLE echelon (
    code text PRIMARY KEY,
    name text NOT NULL
);
COMMENT ON TABLE echelon IS 'Eselon of structural posts (SIASN reference list; 10 … 42 are today''s JPT utama … pengawas, UU 20/2023).';
COMMENT ON COLUMN echelon.code IS 'SIASN code: 31';
COMMENT ON COLUMN echelon.name IS 'III.a';
INSERT INTO echelon VALUES
    ('10', 'I.a (JPT utama)'), ('11', 'I.a (JPT madya)'), ('12', 'I.b (JPT madya)'), ('21', 'II.a (JPT pratama)'), ('22', 'II.b (JPT pratama)'),
    ('31', 'III.a (administrator)'), ('32', 'III.b (administrator)'), ('41', 'IV.a (pengawas)'), ('42', 'IV.b (pengawas)'),
    ('51', 'V.a'), ('52', 'V.b'), ('99', 'Non-eselon');

-- ── units ────────────────────────────────────────────────────────────────────────────────────────────────────────────────

CREATE TABLE unit (
    id         uuid        PRIMARY KEY,
    code       text COLLATE "C" NOT NULL CONSTRAINT unit_code_key UNIQUE CONSTRAINT unit_code_length CHECK (length(code) BETWEEN 1 AND 64),
    name       text        NOT NULL CONSTRAINT unit_name_length CHECK (length(name) BETWEEN 1 AND 300),
    name_key   text COLLATE "C" GENERATED ALWAYS AS (name_key(name)) STORED,
    kind       text        NOT NULL CONSTRAINT unit_kind_known CHECK (kind IN ('instansi', 'sekretariat', 'dinas', 'badan', 'inspektorat',
                   'kecamatan', 'kelurahan', 'rumah_sakit', 'puskesmas', 'sekolah', 'uptd', 'bagian', 'bidang', 'subbagian', 'subbidang',
                   'seksi', 'lainnya')),
    parent_id  uuid        CONSTRAINT unit_parent_fkey REFERENCES unit,
    label      text        NOT NULL,
    path       ltree       NOT NULL CONSTRAINT unit_path_key UNIQUE,
    depth      integer     GENERATED ALWAYS AS (nlevel(path)) STORED CONSTRAINT unit_depth_limit CHECK (depth <= 16),
    is_active  boolean     NOT NULL DEFAULT true,
    version    bigint      NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX unit_parent_id_idx ON unit (parent_id);
CREATE INDEX unit_path_idx ON unit USING gist (path);
CREATE INDEX unit_name_idx ON unit (name_key, id);
CREATE INDEX unit_name_trgm_idx ON unit USING gin (name_key gin_trgm_ops);
COMMENT ON TABLE unit IS 'Unit organisasi (unor): a tree. Rights are given by subtree.';
COMMENT ON COLUMN unit.id IS 'UUIDv7';
COMMENT ON COLUMN unit.code IS 'The agency''s own code of the unit';
COMMENT ON COLUMN unit.name IS 'Official name';
COMMENT ON COLUMN unit.name_key IS 'Name for sorting and searching: name_key(name)';
COMMENT ON COLUMN unit.kind IS 'What sort of unit it is';
COMMENT ON COLUMN unit.parent_id IS 'The unit above (DiatasanId of SIASN); null: a root';
COMMENT ON COLUMN unit.label IS 'Its step in the path: the id without dashes, so that it never changes';
COMMENT ON COLUMN unit.path IS 'Labels from the root down; kept by triggers';
COMMENT ON COLUMN unit.depth IS 'Steps in the path; a root has 1';
COMMENT ON COLUMN unit.is_active IS 'An inactive unit takes nobody new (BKN data quality indicator TIM_1)';
COMMENT ON COLUMN unit.version IS 'Counts changes by clients: ETag';
COMMENT ON COLUMN unit.created_at IS 'When the row was made';
COMMENT ON COLUMN unit.updated_at IS 'Last change by a client';

-- Moves wait for each other and for new units; new units do not wait for each other. Without that two moves could each look fine and
-- together close a circle. Every query in a function takes a new snapshot, so what it reads after the wait is what is true.
CREATE FUNCTION unit_place() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
    above ltree := '';
BEGIN
    IF TG_OP = 'INSERT' THEN
        PERFORM pg_advisory_xact_lock_shared(1918, 1);
        NEW.label := replace(NEW.id::text, '-', '');
    ELSIF NEW.parent_id IS NOT DISTINCT FROM OLD.parent_id THEN
        RETURN NEW;
    ELSE
        PERFORM pg_advisory_xact_lock(1918, 1);
    END IF;
    IF NEW.parent_id IS NOT NULL THEN
        SELECT path INTO above FROM unit WHERE id = NEW.parent_id;
        IF NOT FOUND AND NEW.parent_id <> NEW.id THEN
            RAISE EXCEPTION 'no such unit above' USING ERRCODE = 'P0001', CONSTRAINT = 'unit_parent_fkey';
        END IF;
        IF NEW.parent_id = NEW.id OR TG_OP = 'UPDATE' AND above <@ OLD.path THEN
            RAISE EXCEPTION 'a unit below itself' USING ERRCODE = 'P0001', CONSTRAINT = 'unit_no_cycle';
        END IF;
    END IF;
    NEW.path := above || NEW.label;
    RETURN NEW;
END $$;
COMMENT ON FUNCTION unit_place() IS 'Path of a new or moved unit; no circles.';

CREATE FUNCTION unit_carry() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    UPDATE unit SET path = NEW.path || subpath(path, nlevel(OLD.path)) WHERE path <@ OLD.path AND id <> NEW.id;
    RETURN NULL;
END $$;
COMMENT ON FUNCTION unit_carry() IS 'What is below a moved unit moves with it.';

-- A move locks the tree before its row: in the other order two moves could each hold what the other needs.
CREATE FUNCTION unit_await_move(patch jsonb) RETURNS boolean
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    IF patch ? 'parent_id' THEN
        PERFORM pg_advisory_xact_lock(1918, 1);
    END IF;
    RETURN true;
END $$;
COMMENT ON FUNCTION unit_await_move(jsonb) IS 'True, once no other move is under way (if the patch is a move at all).';

CREATE TRIGGER unit_10_place BEFORE INSERT OR UPDATE OF parent_id ON unit FOR EACH ROW EXECUTE FUNCTION unit_place();
CREATE TRIGGER unit_20_touch BEFORE UPDATE OF code, name, kind, parent_id, is_active ON unit FOR EACH ROW EXECUTE FUNCTION touch_row();
CREATE TRIGGER unit_30_carry AFTER UPDATE OF parent_id ON unit FOR EACH ROW
    WHEN (OLD.path IS DISTINCT FROM NEW.path) EXECUTE FUNCTION unit_carry();

-- ── people ───────────────────────────────────────────────────────────────────────────────────────────────────────────────

CREATE TABLE asn (
    id              uuid        PRIMARY KEY,
    nip             text COLLATE "C" NOT NULL CONSTRAINT asn_nip_key UNIQUE CONSTRAINT asn_nip_form CHECK (nip ~ '^[0-9]{18}$'),
    kind            text        NOT NULL CONSTRAINT asn_kind_known CHECK (kind IN ('PNS', 'CPNS', 'PPPK', 'PPPK_PARUH_WAKTU')),
    name            text        NOT NULL CONSTRAINT asn_name_length CHECK (length(name) BETWEEN 1 AND 200),
    title_front     text,
    title_back      text,
    name_key        text COLLATE "C" GENERATED ALWAYS AS (name_key(name)) STORED,
    birth_date      date        NOT NULL CONSTRAINT asn_birth_date_range CHECK (birth_date BETWEEN '1900-01-01' AND '2099-12-31'),
    birth_place     text,
    sex             text        NOT NULL CONSTRAINT asn_sex_known CHECK (sex IN ('M', 'F')),
    nik             text        CONSTRAINT asn_nik_form CHECK (nik ~ '^[0-9]{16}$'),
    unit_id         uuid        NOT NULL CONSTRAINT asn_unit_fkey REFERENCES unit,
    position_kind   text        CONSTRAINT asn_position_kind_known CHECK (position_kind IN ('struktural', 'fungsional', 'pelaksana')),
    position        text,
    echelon         text        CONSTRAINT asn_echelon_fkey REFERENCES echelon,
    rank_kind       text        GENERATED ALWAYS AS (CASE WHEN kind IN ('PNS', 'CPNS') THEN 'PNS' ELSE 'PPPK' END) STORED,
    rank            text,
    rank_since      date        CONSTRAINT asn_rank_since_range CHECK (rank_since BETWEEN '1900-01-01' AND '2099-12-31'),
    education_level text        CONSTRAINT asn_education_level_fkey REFERENCES education_level,
    education       text,
    legal_status    text        NOT NULL CONSTRAINT asn_legal_status_fkey REFERENCES legal_status,
    email           text,
    phone           text,
    appointed_on    date        CONSTRAINT asn_appointed_on_range CHECK (appointed_on BETWEEN '1900-01-01' AND '2099-12-31'),
    warnings        text[]      NOT NULL DEFAULT '{}',
    version         bigint      NOT NULL DEFAULT 1,
    created_at      timestamptz NOT NULL DEFAULT now(),
    updated_at      timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT asn_rank_fkey FOREIGN KEY (rank_kind, rank) REFERENCES rank (kind, code)
);
CREATE INDEX asn_unit_id_idx ON asn (unit_id, nip);
-- One for each filter with rare values: each gives a page in the order of NIPs. (Sex halves the table: the index of NIPs is as good.)
CREATE INDEX asn_kind_idx ON asn (kind, nip);
CREATE INDEX asn_rank_idx ON asn (rank, nip);
CREATE INDEX asn_position_kind_idx ON asn (position_kind, nip);
CREATE INDEX asn_education_level_idx ON asn (education_level, nip);
CREATE INDEX asn_legal_status_idx ON asn (legal_status, nip);
CREATE INDEX asn_name_idx ON asn (name_key, nip);
CREATE INDEX asn_name_trgm_idx ON asn USING gin (name_key gin_trgm_ops);
CREATE INDEX asn_rank_since_idx ON asn (coalesce(rank_since, '-infinity'::date), nip);
COMMENT ON TABLE asn IS 'Civil servants: PNS, CPNS and PPPK (UU 20/2023). Nobody is deleted; leaving is a legal_status.';
COMMENT ON COLUMN asn.id IS 'UUIDv7';
COMMENT ON COLUMN asn.nip IS 'Nomor induk, 18 digits: NIP of a PNS (Perka BKN 22/2007) or NI PPPK; never changes through the API';
COMMENT ON COLUMN asn.kind IS 'PNS, CPNS (probation year), PPPK (contract), PPPK_PARUH_WAKTU (part-time contract)';
COMMENT ON COLUMN asn.name IS 'Name without titles';
COMMENT ON COLUMN asn.title_front IS 'Gelar depan: Dr., drg.';
COMMENT ON COLUMN asn.title_back IS 'Gelar belakang: S.Pd., M.Si.';
COMMENT ON COLUMN asn.name_key IS 'Name for sorting and searching: name_key(name)';
COMMENT ON COLUMN asn.birth_date IS 'Date of birth';
COMMENT ON COLUMN asn.birth_place IS 'Place of birth as on the decree';
COMMENT ON COLUMN asn.sex IS 'M or F, as SIASN writes it';
COMMENT ON COLUMN asn.nik IS 'Nomor induk kependudukan, 16 digits; protected population data (UU 23/2006 Art. 84)';
COMMENT ON COLUMN asn.unit_id IS 'Where the person works';
COMMENT ON COLUMN asn.position_kind IS 'Jenis jabatan';
COMMENT ON COLUMN asn.position IS 'Nama jabatan';
COMMENT ON COLUMN asn.echelon IS 'Eselon of a structural post';
COMMENT ON COLUMN asn.rank_kind IS 'Which list of ranks holds: PNS for PNS and CPNS, PPPK for both sorts of contract';
COMMENT ON COLUMN asn.rank IS 'Golongan: III/a, IX';
COMMENT ON COLUMN asn.rank_since IS 'TMT golongan: since when';
COMMENT ON COLUMN asn.education_level IS 'Tingkat pendidikan';
COMMENT ON COLUMN asn.education IS 'Field and school of that education';
COMMENT ON COLUMN asn.legal_status IS 'Kedudukan hukum';
COMMENT ON COLUMN asn.email IS 'E-mail; personal';
COMMENT ON COLUMN asn.phone IS 'Mobile number, 08… or 62…; personal';
COMMENT ON COLUMN asn.appointed_on IS 'TMT CPNS, or the first contract''s start';
COMMENT ON COLUMN asn.warnings IS 'Codes of what does not fit (BKN data quality indicators CON_1 … CON_4, NIK); never a reason to refuse';
COMMENT ON COLUMN asn.version IS 'Counts changes: ETag';
COMMENT ON COLUMN asn.created_at IS 'When the row was made';
COMMENT ON COLUMN asn.updated_at IS 'Last change';

CREATE TRIGGER asn_20_touch BEFORE UPDATE ON asn FOR EACH ROW EXECUTE FUNCTION touch_row();

-- Once a statement, so that a bulk merge pays once. FOR SHARE: a unit cannot be closed while somebody is being put into it.
CREATE FUNCTION asn_enter_unit() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
    closed boolean;
BEGIN
    IF TG_OP = 'INSERT' THEN
        SELECT bool_or(NOT l.is_active) INTO closed
        FROM   (SELECT u.is_active FROM unit u WHERE u.id IN (SELECT n.unit_id FROM entered n) ORDER BY u.id FOR SHARE) l;
    ELSE
        SELECT bool_or(NOT l.is_active) INTO closed
        FROM   (SELECT u.is_active FROM unit u
                WHERE  u.id IN (SELECT n.unit_id FROM entered n JOIN departed o USING (id) WHERE n.unit_id <> o.unit_id)
                ORDER  BY u.id FOR SHARE) l;
    END IF;
    IF closed THEN
        RAISE EXCEPTION 'the unit is not active' USING ERRCODE = 'P0001', CONSTRAINT = 'asn_unit_active';
    END IF;
    RETURN NULL;
END $$;
COMMENT ON FUNCTION asn_enter_unit() IS 'An inactive unit takes nobody new.';
CREATE TRIGGER asn_30_enter_insert AFTER INSERT ON asn REFERENCING NEW TABLE AS entered
    FOR EACH STATEMENT EXECUTE FUNCTION asn_enter_unit();
CREATE TRIGGER asn_30_enter_update AFTER UPDATE ON asn REFERENCING NEW TABLE AS entered OLD TABLE AS departed
    FOR EACH STATEMENT EXECUTE FUNCTION asn_enter_unit();

-- ── imports ──────────────────────────────────────────────────────────────────────────────────────────────────────────────

CREATE TABLE import (
    id          uuid        PRIMARY KEY,
    kind        text        NOT NULL,
    file_name   text,
    actor_key   uuid        CONSTRAINT import_actor_key_fkey REFERENCES api_key,
    actor_name  text        NOT NULL,
    started_at  timestamptz NOT NULL DEFAULT now(),
    finished_at timestamptz,
    rows        bigint      NOT NULL DEFAULT 0,
    created     bigint      NOT NULL DEFAULT 0,
    updated     bigint      NOT NULL DEFAULT 0,
    unchanged   bigint      NOT NULL DEFAULT 0,
    refused     bigint      NOT NULL DEFAULT 0,
    repaired    bigint      NOT NULL DEFAULT 0,
    warnings    bigint      NOT NULL DEFAULT 0,
    CONSTRAINT import_counts CHECK (rows = created + updated + unchanged + refused)
);
CREATE INDEX import_actor_key_idx ON import (actor_key, id);
COMMENT ON TABLE import IS 'One row for each file that was taken in.';
COMMENT ON COLUMN import.id IS 'UUIDv7';
COMMENT ON COLUMN import.kind IS 'asn or unit';
COMMENT ON COLUMN import.file_name IS 'Name of the file, if it was told';
COMMENT ON COLUMN import.actor_key IS 'Key that sent it; null: the command line';
COMMENT ON COLUMN import.actor_name IS 'Whose key it was, or the operator';
COMMENT ON COLUMN import.started_at IS 'Begin';
COMMENT ON COLUMN import.finished_at IS 'End';
COMMENT ON COLUMN import.rows IS 'Rows read';
COMMENT ON COLUMN import.created IS 'New records';
COMMENT ON COLUMN import.updated IS 'Changed records';
COMMENT ON COLUMN import.unchanged IS 'Rows that said what was known';
COMMENT ON COLUMN import.refused IS 'Rows not taken; see import_reject';
COMMENT ON COLUMN import.repaired IS 'Cells whose spreadsheet damage had only one reading';
COMMENT ON COLUMN import.warnings IS 'Warnings given to rows that were taken';

CREATE TABLE import_reject (
    import_id uuid    NOT NULL CONSTRAINT import_reject_import_fkey REFERENCES import ON DELETE CASCADE,
    position  bigint  NOT NULL,
    line      bigint  NOT NULL,
    raw       text    NOT NULL,
    faults    jsonb   NOT NULL,
    CONSTRAINT import_reject_pkey PRIMARY KEY (import_id, position)
);
COMMENT ON TABLE import_reject IS 'Rows of an import that were refused, as they came, to be mended and sent again.';
COMMENT ON COLUMN import_reject.import_id IS 'import.id';
COMMENT ON COLUMN import_reject.position IS 'Order among the refused, 0 …; position 0 of a CSV file may be its header';
COMMENT ON COLUMN import_reject.line IS 'Line of the file where the row begins, 1 …';
COMMENT ON COLUMN import_reject.raw IS 'The row as it came, in the file''s own form';
COMMENT ON COLUMN import_reject.faults IS '[{column, code, value, detail_en, detail_id, suggestion}]';
