-- Handing over to BKN: the payload that SIASN wants for an evaluation, its credit points or a training, what it still lacks, and what became of
-- it. Nobody is called from here. See docs/handover.md.

CREATE TABLE handover_call (
    what          text CONSTRAINT handover_call_pkey PRIMARY KEY,
    path          text NOT NULL,
    document_type text NOT NULL,
    source        text NOT NULL
);
COMMENT ON TABLE handover_call IS 'The calls of BKN''s service (apisiasn 1.0) that payloads are made for.';
COMMENT ON COLUMN handover_call.what IS 'Name here';
COMMENT ON COLUMN handover_call.path IS 'Path there, POST';
COMMENT ON COLUMN handover_call.document_type IS 'id_ref_dokumen of the paper that proves it, uploaded afterwards (upload-dok-rw); code of the list document-type';
COMMENT ON COLUMN handover_call.source IS 'Where the fields were seen';
INSERT INTO handover_call VALUES
    ('skp22', 'skp22/save', '890', 'swagger of apisiasn 1.0 (ropegkemenag/apimwsbkn) and three live clients'),
    ('kinerjaperiodik', 'kinerjaperiodik/save', '890', 'swagger of apisiasn 1.0 (ropegkemenag/apimwsbkn), black-coffee04/ws-siasn-php'),
    ('angkakredit', 'angkakredit/save', '879', 'swagger of apisiasn 1.0 (ropegkemenag/apimwsbkn) and three live clients'),
    ('diklat', 'diklat/save', '874', 'swagger of apisiasn 1.0 (ropegkemenag/apimwsbkn), black-coffee04/ws-siasn-php'),
    ('kursus', 'kursus/save', '881', 'swagger of apisiasn 1.0 (ropegkemenag/apimwsbkn) and three live clients');

CREATE TABLE handover_lack (
    code    text CONSTRAINT handover_lack_pkey PRIMARY KEY,
    name    text NOT NULL,
    name_en text NOT NULL
);
COMMENT ON TABLE handover_lack IS 'What a payload may lack, in words.';
COMMENT ON COLUMN handover_lack.code IS 'As replies name it';
COMMENT ON COLUMN handover_lack.name IS 'In Indonesian';
COMMENT ON COLUMN handover_lack.name_en IS 'In English';
INSERT INTO handover_lack VALUES
    ('evaluation-draft', 'Penilaian belum final', 'The evaluation is not final'),
    ('evaluation-superseded', 'Penilaian sudah diganti versi yang lebih baru', 'A later version replaces this evaluation'),
    ('objection-open', 'Keberatan atas penilaian belum diputus', 'An objection against the evaluation is not decided'),
    ('period-kind-unfit', 'Jenis periode tidak sesuai dengan layanan ini', 'This call is not for a period of this kind'),
    ('period-months', 'Periode bukan bulan penuh dalam satu tahun', 'The period is not whole months of one year'),
    ('period-overlap', 'Bulan ini sudah diserahkan dalam periode lain', 'Another period that was handed over holds these months'),
    ('period-gap', 'Bulan sebelumnya pada tahun ini belum dinilai final', 'An earlier month of this year has no final evaluation'),
    ('person-id-unknown', 'ID SIASN pegawai belum dicatat', 'The person''s id in SIASN is not recorded'),
    ('quadrant-differs', 'Kuadran tidak sesuai dengan kedua rating', 'The quadrant is not the one that the two ratings give'),
    ('coefficient-unknown', 'ID koefisien SIASN untuk jenjang dan predikat ini tidak diketahui',
     'The SIASN coefficient id of this level and predicate is not known'),
    ('assessor-unknown', 'Tidak ada SKP yang disetujui untuk menunjukkan penilai', 'No approved SKP tells who assessed'),
    ('assessor-self', 'Penilai adalah pegawai itu sendiri', 'The assessor is the person himself'),
    ('assessor-position-unknown', 'Jabatan penilai tidak diketahui', 'The assessor''s post is not known'),
    ('assessor-rank-unknown', 'Golongan penilai tidak diketahui', 'The assessor''s rank is not known'),
    ('pns-only', 'Angka kredit hanya untuk PNS', 'Credit points are of PNS alone'),
    ('credit-level-unknown', 'Tidak ada jenjang jabatan fungsional pada akhir periode', 'There is no level of a functional post on the period''s last day'),
    ('decree-unknown', 'PAK periode ini belum ada dalam riwayat angka kredit', 'The history of credit points has no PAK of this period'),
    ('points-differ', 'Angka kredit PAK berbeda dari hasil perhitungan', 'The PAK has other points than the rule gives'),
    ('position-id-unknown', 'ID SIASN riwayat jabatan tidak diketahui', 'The SIASN id of the row of positions is not known'),
    ('enrolment-open', 'Pelatihan belum lulus', 'The training was not passed'),
    ('training-kind-unknown', 'Bentuk pelatihan ini tidak memiliki jenis diklat SIASN', 'This form of training has no kind in SIASN'),
    ('structural-training-unknown', 'Latihan struktural SIASN belum ditentukan', 'Which structural training of SIASN it is was not told'),
    ('certificate-number-unknown', 'Nomor sertifikat belum dicatat', 'The certificate''s number is not recorded'),
    ('hours-none', 'Jumlah jam pelajaran nol', 'The learning hours are 0'),
    ('remote-id-unknown', 'Sudah diterima SIASN tanpa ID; baca riwayat SIASN lalu catat ID-nya', 'SIASN took it without telling an id; read its history and report the id'),
    ('remote-id-several', 'Lebih dari satu baris SIASN untuk hal ini', 'SIASN has more than one row of this');

CREATE FUNCTION lack(pointer text, code text, is_required boolean DEFAULT true) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (SELECT jsonb_build_array(jsonb_build_object('pointer', pointer, 'code', l.code, 'name', l.name, 'name_en', l.name_en, 'is_required', is_required))
            FROM   handover_lack l WHERE l.code = lack.code);
END $$;
COMMENT ON FUNCTION lack(text, text, boolean) IS 'One lack of a payload, as a list of one. Not required: BKN takes the payload without it.';

CREATE TYPE handover_draft AS (what text, path text, document_type text, payload jsonb, sha256 text, is_ready boolean, missing jsonb);
COMMENT ON TYPE handover_draft IS 'A payload as it would be sent now, and what it lacks.';

-- The id is no part of the content: what was accepted gets one, and is still the same.
CREATE FUNCTION handover_seal(payload jsonb) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN encode(sha256(convert_to((payload - 'id')::text, 'UTF8')), 'hex');
COMMENT ON FUNCTION handover_seal(jsonb) IS 'SHA-256 over the canonical text of a payload without its id, hex.';

CREATE FUNCTION handover_finish(called text, payload jsonb, missing jsonb) RETURNS handover_draft
LANGUAGE plpgsql STABLE AS $$
DECLARE
    ret handover_draft;
BEGIN
    SELECT c.what, c.path, c.document_type INTO ret.what, ret.path, ret.document_type FROM handover_call c WHERE c.what = called;
    ret.payload := jsonb_strip_nulls(payload);
    ret.sha256 := handover_seal(ret.payload);
    ret.is_ready := NOT missing @> '[{"is_required": true}]';
    ret.missing := missing;
    RETURN ret;
END $$;
COMMENT ON FUNCTION handover_finish(text, jsonb, jsonb) IS 'The draft of a call: what is null in the payload is left out, and ready is what lacks nothing that is required.';

-- ── what was handed over ─────────────────────────────────────────────────────────────────────────────────────────────────

CREATE TABLE handover (
    id            uuid        CONSTRAINT handover_pkey PRIMARY KEY,
    what          text        NOT NULL CONSTRAINT handover_what_fkey REFERENCES handover_call,
    evaluation_id uuid        CONSTRAINT handover_evaluation_fkey REFERENCES evaluation,
    enrolment_id  uuid        CONSTRAINT handover_enrolment_fkey REFERENCES enrolment,
    payload       jsonb       NOT NULL,
    sha256        text        NOT NULL,
    state         text        NOT NULL DEFAULT 'prepared' CONSTRAINT handover_state_known CHECK (state IN ('prepared', 'sent', 'accepted', 'refused')),
    remote_id     text        CONSTRAINT handover_remote_id_length CHECK (length(remote_id) BETWEEN 1 AND 64),
    message       text        CONSTRAINT handover_message_length CHECK (length(message) BETWEEN 1 AND 2000),
    actor_key     uuid        NOT NULL,
    actor_name    text        NOT NULL,
    version       bigint      NOT NULL DEFAULT 1,
    created_at    timestamptz NOT NULL DEFAULT now(),
    updated_at    timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT handover_of_one CHECK (num_nonnulls(evaluation_id, enrolment_id) = 1
                                      AND (what IN ('diklat', 'kursus')) = (enrolment_id IS NOT NULL))
);
CREATE UNIQUE INDEX handover_evaluation_open ON handover (evaluation_id, what) WHERE state IN ('prepared', 'sent');
CREATE UNIQUE INDEX handover_enrolment_open ON handover (enrolment_id) WHERE state IN ('prepared', 'sent');
CREATE INDEX handover_evaluation_idx ON handover (evaluation_id, what, id) WHERE evaluation_id IS NOT NULL;
CREATE INDEX handover_enrolment_idx ON handover (enrolment_id, id) WHERE enrolment_id IS NOT NULL;
CREATE INDEX handover_state_idx ON handover (state, id);
COMMENT ON TABLE handover IS 'Payloads that were made ready for BKN, and what whoever sends them told of each. Nothing is deleted.';
COMMENT ON COLUMN handover.id IS 'UUIDv7';
COMMENT ON COLUMN handover.what IS 'handover_call.what';
COMMENT ON COLUMN handover.evaluation_id IS 'evaluation.id that it tells; null: an enrolment';
COMMENT ON COLUMN handover.enrolment_id IS 'enrolment.id that it tells; null: an evaluation';
COMMENT ON COLUMN handover.payload IS 'Body of the call, as it was when it was prepared last';
COMMENT ON COLUMN handover.sha256 IS 'handover_seal() of the payload';
COMMENT ON COLUMN handover.state IS 'prepared; sent: given to BKN, its answer is not known; accepted, refused: BKN''s answer';
COMMENT ON COLUMN handover.remote_id IS 'Id of the row in SIASN; text of mixed case, compared byte for byte';
COMMENT ON COLUMN handover.message IS 'What BKN said, or why it is not known';
COMMENT ON COLUMN handover.actor_key IS 'api_key.id of who wrote the last step';
COMMENT ON COLUMN handover.actor_name IS 'Name of that key then';
COMMENT ON COLUMN handover.version IS 'Counts changes: ETag';
COMMENT ON COLUMN handover.created_at IS 'When it was prepared first';
COMMENT ON COLUMN handover.updated_at IS 'Last step';

CREATE TABLE handover_step (
    handover_id uuid        NOT NULL CONSTRAINT handover_step_handover_fkey REFERENCES handover,
    seq         integer     NOT NULL,
    state       text        NOT NULL,
    sha256      text        NOT NULL,
    remote_id   text,
    message     text,
    actor_key   uuid        NOT NULL,
    actor_name  text        NOT NULL,
    at          timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT handover_step_pkey PRIMARY KEY (handover_id, seq)
);
COMMENT ON TABLE handover_step IS 'The way of a hand-over. Written by a trigger, only added to.';
COMMENT ON COLUMN handover_step.handover_id IS 'handover.id';
COMMENT ON COLUMN handover_step.seq IS '1, 2, …';
COMMENT ON COLUMN handover_step.state IS 'What it became';
COMMENT ON COLUMN handover_step.sha256 IS 'Of the payload then';
COMMENT ON COLUMN handover_step.remote_id IS 'Id in SIASN that was told';
COMMENT ON COLUMN handover_step.message IS 'What was said';
COMMENT ON COLUMN handover_step.actor_key IS 'api_key.id of who wrote it';
COMMENT ON COLUMN handover_step.actor_name IS 'Name of that key then';
COMMENT ON COLUMN handover_step.at IS 'When';

CREATE FUNCTION handover_may_become(state text, next text) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN (state, next) IN (('prepared', 'prepared'), ('prepared', 'sent'), ('prepared', 'accepted'), ('prepared', 'refused'), ('sent', 'accepted'),
                         ('sent', 'refused'), ('accepted', 'accepted'));
COMMENT ON FUNCTION handover_may_become(text, text) IS
    'The order of states: prepared anew with another payload; reported in one step or in two; accepted again only to tell the id that was not known.';

CREATE FUNCTION handover_order() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' OR (NEW.id, NEW.what, NEW.evaluation_id, NEW.enrolment_id, NEW.created_at)
                           IS DISTINCT FROM (OLD.id, OLD.what, OLD.evaluation_id, OLD.enrolment_id, OLD.created_at)
       OR NOT handover_may_become(OLD.state, NEW.state)
       OR NEW.payload <> OLD.payload AND NEW.state <> 'prepared'
       OR OLD.state = 'accepted' AND (OLD.remote_id IS NOT NULL OR NEW.remote_id IS NULL) THEN
        RAISE EXCEPTION 'not from this state' USING ERRCODE = 'P0001', CONSTRAINT = 'handover_state_order';
    END IF;
    RETURN NEW;
END $$;
COMMENT ON FUNCTION handover_order() IS 'States go their order; what it tells, and what was sent, stays.';
CREATE TRIGGER handover_10_order BEFORE UPDATE OR DELETE ON handover FOR EACH ROW EXECUTE FUNCTION handover_order();
CREATE TRIGGER handover_20_touch BEFORE UPDATE ON handover FOR EACH ROW EXECUTE FUNCTION touch_row();

CREATE FUNCTION handover_note() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO handover_step (handover_id, seq, state, sha256, remote_id, message, actor_key, actor_name)
    VALUES (NEW.id, 1 + coalesce((SELECT max(s.seq) FROM handover_step s WHERE s.handover_id = NEW.id), 0), NEW.state, NEW.sha256, NEW.remote_id,
            NEW.message, NEW.actor_key, NEW.actor_name);
    RETURN NULL;
END $$;
COMMENT ON FUNCTION handover_note() IS 'Writes each step of a hand-over down.';
CREATE TRIGGER handover_30_note AFTER INSERT OR UPDATE ON handover FOR EACH ROW EXECUTE FUNCTION handover_note();

CREATE FUNCTION handover_keep() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'what was handed over stays' USING ERRCODE = 'P0001', CONSTRAINT = 'handover_state_order';
END $$;
COMMENT ON FUNCTION handover_keep() IS 'Steps are only added to, and neither table is emptied.';
CREATE TRIGGER handover_40_keep BEFORE TRUNCATE ON handover FOR EACH STATEMENT EXECUTE FUNCTION handover_keep();
CREATE TRIGGER handover_step_10_keep BEFORE UPDATE OR DELETE ON handover_step FOR EACH ROW EXECUTE FUNCTION handover_keep();
CREATE TRIGGER handover_step_40_keep BEFORE TRUNCATE ON handover_step FOR EACH STATEMENT EXECUTE FUNCTION handover_keep();

-- ── evaluations ──────────────────────────────────────────────────────────────────────────────────────────────────────────

CREATE TABLE siasn_coefficient (
    level     text NOT NULL,
    predicate text NOT NULL,
    siasn_id  text NOT NULL,
    source    text NOT NULL,
    CONSTRAINT siasn_coefficient_pkey PRIMARY KEY (level, predicate)
);
COMMENT ON TABLE siasn_coefficient IS
    'koefisienId of kinerjaperiodik/save by level and predicate. Of Baik alone they were seen; the others are likely of the same make (…1, …3), and are not guessed.';
COMMENT ON COLUMN siasn_coefficient.level IS 'Level of position; credit_level.level';
COMMENT ON COLUMN siasn_coefficient.predicate IS 'Predikat';
COMMENT ON COLUMN siasn_coefficient.siasn_id IS 'The id';
COMMENT ON COLUMN siasn_coefficient.source IS 'Where it was seen';
INSERT INTO siasn_coefficient
SELECT l.level, 'baik', l.siasn_id, 'SIASN referensi koefisien, black-coffee04/ws-siasn-php: 100 % a year' FROM credit_level l;

CREATE FUNCTION siasn_person(which uuid) RETURNS text
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (SELECT x.value FROM external_id x WHERE x.asn_id = which AND x.system = 'siasn');
END $$;
COMMENT ON FUNCTION siasn_person(uuid) IS 'Id of a person in SIASN (data-utama.id), which BKN''s calls name pnsId, pnsOrangId, pnsDinilaiOrang, pnsDinilaiId.';

-- Who assessed: the SKP of the period''s last days tells it. As he was on that day.
CREATE FUNCTION handover_assessor(which uuid, first_day date, last_day date, OUT fields jsonb, OUT missing jsonb)
LANGUAGE plpgsql STABLE AS $$
DECLARE
    s   skp;
    n   asn;
    at  date;
    num text;
    pos text;
    org uuid;
BEGIN
    missing := '[]';
    fields := '{}';
    SELECT k.* INTO s FROM skp k
    WHERE  k.asn_id = which AND k.state IN ('approved', 'ended') AND k.starts_on <= last_day AND k.ends_on >= first_day
    ORDER  BY k.starts_on DESC LIMIT 1;
    IF NOT FOUND THEN
        missing := lack('/penilaiNama', 'assessor-unknown');
        RETURN;
    END IF;
    IF s.assessor_id IS NULL THEN
        fields := jsonb_build_object('status', 'NON ASN', 'nama', s.assessor_name, 'jabatan', s.assessor_position);
        IF s.assessor_position IS NULL THEN
            missing := lack('/penilaiJabatan', 'assessor-position-unknown', false);
        END IF;
        RETURN;
    END IF;
    SELECT a.* INTO n FROM asn a WHERE a.id = s.assessor_id;
    at := least(s.ends_on, last_day);
    IF n.id = which THEN
        missing := lack('/penilaiNipNrp', 'assessor-self');
    END IF;
    SELECT coalesce((SELECT h.facts ->> 'position' FROM history h WHERE h.asn_id = n.id AND h.track = 'position' AND NOT h.is_void AND h.valid @> at LIMIT 1),
                    n.position),
           coalesce((SELECT (h.facts ->> 'unit_id')::uuid FROM history h
                     WHERE  h.asn_id = n.id AND h.kind = 'placement' AND NOT h.is_void AND h.valid @> at LIMIT 1), n.unit_id),
           (SELECT r.siasn_id FROM reference r
            WHERE  r.list IN ('rank-pns', 'rank-pppk') AND r.valid @> at
                   AND r.code = coalesce((SELECT h.facts ->> 'rank' FROM history h
                                          WHERE  h.asn_id = n.id AND h.kind = 'rank' AND NOT h.is_void AND h.valid @> at LIMIT 1), n.rank)
            LIMIT  1)
    INTO   pos, org, num;
    fields := jsonb_build_object('status', 'ASN', 'nama', n.name, 'nip', n.nip, 'jabatan', pos, 'golongan', num,
                                 'unor', (SELECT coalesce((SELECT v.name FROM unit_version v WHERE v.unit_id = u.id AND v.valid @> at LIMIT 1), u.name)
                                          FROM unit u WHERE u.id = org));
    IF pos IS NULL THEN
        missing := missing || lack('/penilaiJabatan', 'assessor-position-unknown', false);
    END IF;
    IF num IS NULL THEN
        missing := missing || lack('/penilaiGolongan', 'assessor-rank-unknown', false);
    END IF;
END $$;
COMMENT ON FUNCTION handover_assessor(uuid, date, date) IS
    'Who assessed a person within these days, by the last approved SKP, with post, unit and rank (golongan id) of its last day.';

CREATE FUNCTION rating_number(rating text) RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE rating WHEN 'di_atas_ekspektasi' THEN 1 WHEN 'sesuai_ekspektasi' THEN 2 WHEN 'di_bawah_ekspektasi' THEN 3 END;
COMMENT ON FUNCTION rating_number(text) IS 'hasilKinerjaNilai and perilakuKerjaNilai of SIASN.';

CREATE FUNCTION period_months(first_day date, last_day date) RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN ((extract(year FROM last_day + 1) - extract(year FROM first_day)) * 12 + extract(month FROM last_day + 1) - extract(month FROM first_day))::integer;
COMMENT ON FUNCTION period_months(date, date) IS 'Whole months from one day to another.';

-- A save without an id always makes another row. So what SIASN took already, or was pulled from there, is told under its id.
CREATE FUNCTION handover_remote(called text, who uuid, p period, decree history, OUT id text, OUT missing jsonb)
LANGUAGE plpgsql STABLE AS $$
DECLARE
    n bigint;
BEGIN
    missing := '[]';
    SELECT h.remote_id INTO id
    FROM   evaluation e JOIN handover h ON h.evaluation_id = e.id
    WHERE  e.asn_id = who AND e.period_id = p.id AND h.what = called AND h.state = 'accepted'
    ORDER  BY h.id DESC LIMIT 1;
    IF FOUND THEN
        IF id IS NULL THEN
            missing := lack('/id', 'remote-id-unknown');
        END IF;
    ELSIF called = 'angkakredit' THEN
        id := decree.remote_id;
    ELSIF called = 'skp22' THEN
        SELECT min(h.remote_id), count(*) INTO id, n
        FROM   history h
        WHERE  h.asn_id = who AND h.kind = 'performance' AND NOT h.is_void AND h.remote_id IS NOT NULL AND h.facts ->> 'regime' = 'skp_2022'
               AND h.facts ->> 'year' = extract(year FROM p.ends_on)::text;
        IF n > 1 THEN
            id := NULL;
            missing := lack('/id', 'remote-id-several');
        END IF;
    END IF;
END $$;
COMMENT ON FUNCTION handover_remote(text, uuid, period, history) IS 'Id of the row that SIASN has of this already; null: none is known.';

-- Months of a person and year that another kind of period handed over, and months before this period that nobody judged.
CREATE FUNCTION handover_months(who uuid, p period) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
DECLARE
    missing jsonb := '[]';
    begun   date;
BEGIN
    IF EXISTS (SELECT FROM evaluation e JOIN period q ON q.id = e.period_id JOIN handover h ON h.evaluation_id = e.id
               WHERE  e.asn_id = who AND q.id <> p.id AND q.starts_on <= p.ends_on AND q.ends_on >= p.starts_on
                      AND h.what = 'kinerjaperiodik' AND h.state <> 'refused') THEN
        missing := lack('/bulanMulaiPenilaian', 'period-overlap');
    END IF;
    SELECT min(q.starts_on) INTO begun
    FROM   evaluation e JOIN period q ON q.id = e.period_id
    WHERE  e.asn_id = who AND q.kind <> 'tahunan' AND q.starts_on >= date_trunc('year', p.starts_on)::date AND q.ends_on < p.starts_on;
    IF EXISTS (SELECT FROM generate_series(begun::timestamp, (p.starts_on - 1)::timestamp, '1 month') m
               WHERE  NOT EXISTS (SELECT FROM evaluation_current e JOIN period q ON q.id = e.period_id
                                  WHERE  e.asn_id = who AND e.state = 'final' AND q.kind <> 'tahunan' AND m.m::date BETWEEN q.starts_on AND q.ends_on)) THEN
        missing := missing || lack('/bulanMulaiPenilaian', 'period-gap');
    END IF;
    RETURN missing;
END $$;
COMMENT ON FUNCTION handover_months(uuid, period) IS 'Overlaps and gaps of the months of one person (kinerjaperiodik).';

CREATE FUNCTION handover_evaluation(which uuid, called text) RETURNS handover_draft
LANGUAGE plpgsql STABLE AS $$
DECLARE
    e       evaluation;
    p       period;
    a       asn;
    person  text;
    grade   text;
    decree  history;
    points  numeric;
    head    record;
    remote  record;
    payload jsonb;
    missing jsonb := '[]';
BEGIN
    SELECT v.* INTO e FROM evaluation v WHERE v.id = which;
    SELECT v.* INTO p FROM period v WHERE v.id = e.period_id;
    SELECT v.* INTO a FROM asn v WHERE v.id = e.asn_id;
    person := siasn_person(a.id);
    IF e.state <> 'final' THEN
        missing := missing || lack('', 'evaluation-draft');
    ELSIF EXISTS (SELECT FROM evaluation n WHERE n.supersedes = e.id) THEN
        missing := missing || lack('', 'evaluation-superseded');
    ELSIF EXISTS (SELECT FROM objection o WHERE o.evaluation_id = e.id AND o.state IN ('open', 'heard')) THEN
        missing := missing || lack('', 'objection-open');
    END IF;
    IF (called = 'kinerjaperiodik') <> (p.kind <> 'tahunan') THEN
        missing := missing || lack('', 'period-kind-unfit');
    END IF;
    IF extract(year FROM p.starts_on) <> extract(year FROM p.ends_on) OR extract(day FROM p.starts_on) <> 1 OR extract(day FROM p.ends_on + 1) <> 1 THEN
        missing := missing || lack('/tahun', 'period-months');
    END IF;
    IF person IS NULL THEN
        missing := missing || lack('/' || CASE called WHEN 'skp22' THEN 'pnsDinilaiOrang' WHEN 'kinerjaperiodik' THEN 'pnsDinilaiId' ELSE 'pnsId' END,
                                   'person-id-unknown');
    END IF;
    IF e.state = 'final' AND NOT EXISTS (SELECT FROM predicate_cell c
                                         WHERE  (c.results_rating, c.behaviour_rating, c.predicate, c.number)
                                                = (e.results_rating, e.behaviour_rating, e.predicate, e.predicate_number)) THEN
        missing := missing || lack('/kuadranKinerjaNilai', 'quadrant-differs');
    END IF;
    grade := functional_level_on(a.id, p.ends_on);

    IF called = 'angkakredit' THEN
        SELECT h.* INTO decree FROM history h
        WHERE  h.asn_id = a.id AND h.kind = 'credit' AND NOT h.is_void AND h.starts = p.starts_on AND coalesce(h.ends, p.ends_on + 1) = p.ends_on + 1
               AND h.decree_number IS NOT NULL AND h.decree_date IS NOT NULL
        ORDER  BY h.id DESC LIMIT 1;
        IF NOT FOUND THEN
            missing := missing || lack('/nomorSk', 'decree-unknown');
        END IF;
        IF a.kind <> 'PNS' THEN
            missing := missing || lack('/pnsId', 'pns-only');
        END IF;
        SELECT credit_points(period_months(p.starts_on, p.ends_on), r.percent, l.coefficient) INTO points
        FROM   credit_level l, credit_rate r
        WHERE  l.level = grade AND l.valid_from <= p.ends_on AND r.predicate = e.predicate AND r.valid_from <= p.ends_on
        ORDER  BY l.valid_from DESC, r.valid_from DESC LIMIT 1;
        IF points IS NULL AND e.state = 'final' THEN
            missing := missing || lack('/kreditUtamaBaru', 'credit-level-unknown');
        ELSIF (decree.facts ->> 'main')::numeric <> points THEN
            missing := missing || lack('/kreditUtamaBaru', 'points-differ');
        END IF;
    ELSE
        SELECT w.* INTO head FROM handover_assessor(a.id, p.starts_on, p.ends_on) w;
        missing := missing || CASE called WHEN 'skp22' THEN head.missing
                                          ELSE replace(head.missing::text, '"/penilaiJabatan"', '"/penilaiJabatanNama"')::jsonb END;
    END IF;
    SELECT w.* INTO remote FROM handover_remote(called, a.id, p, decree) w;
    missing := missing || remote.missing;

    IF called = 'skp22' THEN
        payload := jsonb_build_object(
            'id', remote.id, 'pnsDinilaiOrang', person, 'tahun', extract(year FROM p.ends_on)::integer,
            'hasilKinerjaNilai', rating_number(e.results_rating), 'perilakuKerjaNilai', rating_number(e.behaviour_rating),
            'kuadranKinerjaNilai', e.predicate_number, 'statusPenilai', head.fields -> 'status', 'penilaiNama', head.fields -> 'nama',
            'penilaiNipNrp', head.fields -> 'nip', 'penilaiJabatan', head.fields -> 'jabatan', 'penilaiUnorNama', head.fields -> 'unor',
            'penilaiGolongan', head.fields -> 'golongan', 'path', '[]'::jsonb);
    ELSIF called = 'kinerjaperiodik' THEN
        missing := missing || handover_months(a.id, p);
        payload := jsonb_build_object(
            'id', remote.id, 'pnsDinilaiId', person, 'tahun', extract(year FROM p.ends_on)::integer,
            'periodikId', CASE p.kind WHEN 'bulanan' THEN '1' WHEN 'triwulan' THEN '2' END,
            'bulanMulaiPenilaian', extract(month FROM p.starts_on)::integer, 'tahunMulaiPenilaian', extract(year FROM p.starts_on)::integer,
            'bulanSelesaiPenilaian', extract(month FROM p.ends_on)::integer, 'tahunSelesaiPenilaian', extract(year FROM p.ends_on)::integer,
            'hasilKinerjaNilai', rating_number(e.results_rating), 'perilakuKerjaNilai', rating_number(e.behaviour_rating),
            'kuadranKinerjaNilai', e.predicate_number,
            'koefisienId', (SELECT k.siasn_id FROM siasn_coefficient k WHERE k.level = grade AND k.predicate = e.predicate),
            'statusPenilai', head.fields -> 'status', 'penilaiNama', head.fields -> 'nama', 'penilaiNipNrp', head.fields -> 'nip',
            'penilaiJabatanNama', head.fields -> 'jabatan', 'penilaiUnorNama', head.fields -> 'unor', 'penilaiGolongan', head.fields -> 'golongan',
            'path', '[]'::jsonb);
        IF e.state = 'final' AND payload ->> 'koefisienId' IS NULL THEN
            missing := missing || lack('/koefisienId', 'coefficient-unknown');
        END IF;
    ELSE
        payload := jsonb_build_object(
            'id', remote.id, 'pnsId', person, 'nomorSk', decree.decree_number, 'tanggalSk', to_char(decree.decree_date, 'DD-MM-YYYY'),
            'bulanMulaiPenailan', extract(month FROM p.starts_on)::text, 'tahunMulaiPenailan', extract(year FROM p.starts_on)::text,
            'bulanSelesaiPenailan', extract(month FROM p.ends_on)::text, 'tahunSelesaiPenailan', extract(year FROM p.ends_on)::text,
            'kreditUtamaBaru', points::text, 'kreditPenunjangBaru', coalesce((decree.facts ->> 'additional')::numeric, 0)::numeric(12, 2)::text,
            'kreditBaruTotal', (points + coalesce((decree.facts ->> 'additional')::numeric, 0))::numeric(12, 2)::text,
            'isAngkaKreditPertama', '0', 'isIntegrasi', '0', 'isKonversi', '1',
            'rwJabatanId', (SELECT h.remote_id FROM history h
                            WHERE  h.asn_id = a.id AND h.track = 'position' AND NOT h.is_void AND h.valid @> p.ends_on LIMIT 1),
            'path', '[]'::jsonb);
        IF payload ->> 'rwJabatanId' IS NULL THEN
            missing := missing || lack('/rwJabatanId', 'position-id-unknown', false);
        END IF;
    END IF;
    RETURN handover_finish(called, payload, missing);
END $$;
COMMENT ON FUNCTION handover_evaluation(uuid, text) IS
    'Body of skp22/save, kinerjaperiodik/save or angkakredit/save for an evaluation (fields by the swagger of apisiasn 1.0, "Penailan" as BKN spells it), '
    'and what it lacks. What is not known is left out, never guessed.';

-- ── trainings ────────────────────────────────────────────────────────────────────────────────────────────────────────────

CREATE TABLE training_form_kind (
    form text CONSTRAINT training_form_kind_pkey PRIMARY KEY,
    kind text NOT NULL
);
COMMENT ON TABLE training_form_kind IS 'Jenis diklat of SIASN by the form of a programme: rows of the same name, our reading. Formal study has none: it goes by its own call.';
COMMENT ON COLUMN training_form_kind.form IS 'Code of the list training-form';
COMMENT ON COLUMN training_form_kind.kind IS 'Code of the list training-kind';
INSERT INTO training_form_kind VALUES
    ('B1', '1'), ('B2', '5'), ('B3', '3'), ('B4', '2'), ('B5', '6'), ('B6', '9'), ('B7', '4'), ('B8', '11'), ('B9', '12'), ('B10', '8'), ('B11', '7'),
    ('C1', '14'), ('C2', '15'), ('C3', '16'), ('C4', '17'), ('C5', '18'), ('C6', '19'), ('C7', '20'), ('C8', '21'), ('C9', '22'), ('C10', '23'), ('C11', '10');

CREATE TABLE enrolment_siasn (
    enrolment_id        uuid        CONSTRAINT enrolment_siasn_pkey PRIMARY KEY CONSTRAINT enrolment_siasn_enrolment_fkey REFERENCES enrolment,
    certificate_number  text        CONSTRAINT enrolment_siasn_certificate_number_length CHECK (length(certificate_number) BETWEEN 1 AND 120),
    structural_training text,
    actor_name          text        NOT NULL,
    updated_at          timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE enrolment_siasn IS 'What SIASN wants to know of a training and no record here tells.';
COMMENT ON COLUMN enrolment_siasn.enrolment_id IS 'enrolment.id';
COMMENT ON COLUMN enrolment_siasn.certificate_number IS 'Number of the certificate, as its organiser wrote it';
COMMENT ON COLUMN enrolment_siasn.structural_training IS 'Code of the list structural-training, where programme and list do not agree in name';
COMMENT ON COLUMN enrolment_siasn.actor_name IS 'Name of the key that told it last';
COMMENT ON COLUMN enrolment_siasn.updated_at IS 'When';

CREATE FUNCTION enrolment_certificate_number(which uuid) RETURNS text
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN coalesce((SELECT f.certificate_number FROM enrolment_siasn f WHERE f.enrolment_id = which),
                    (SELECT c.number FROM certificate c WHERE c.enrolment_id = which AND c.state = 'valid'));
END $$;
COMMENT ON FUNCTION enrolment_certificate_number(uuid) IS 'Number of the certificate of an enrolment: told, else that of the one issued here; null: not known.';

CREATE FUNCTION programme_siasn_kind(p programme) RETURNS text
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (SELECT k.kind FROM training_form_kind k WHERE k.form = p.form);
END $$;
COMMENT ON FUNCTION programme_siasn_kind(programme) IS 'Code of the list training-kind that a programme has in SIASN; null: none.';

-- By code or name, exactly; today's leadership trainings stand under the old ones (our reading).
CREATE FUNCTION programme_structural_training(p programme) RETURNS text
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (SELECT coalesce((SELECT w.code FROM reference_word w
                             WHERE  w.list = 'structural-training' AND w.word IN (reference_fold(p.name)) LIMIT 1),
                            (SELECT r.parent FROM reference_word w JOIN reference r ON (r.list, r.code) = (w.list, w.code)
                             WHERE  w.list = 'leadership-training' AND w.word IN (reference_fold(p.code), reference_fold(p.name)) AND r.parent IS NOT NULL LIMIT 1)));
END $$;
COMMENT ON FUNCTION programme_structural_training(programme) IS 'Code of the list structural-training that a programme''s code or name means; null: none.';

CREATE FUNCTION certificate_fold(number text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN translate(upper(regexp_replace(number, '\s', '', 'g')), '‐‑–—−\', '-----/');
COMMENT ON FUNCTION certificate_fold(text) IS 'A certificate''s number as numbers are compared: upper case, no blanks, one kind of dash and slash.';

CREATE FUNCTION handover_enrolment(which uuid) RETURNS handover_draft
LANGUAGE plpgsql STABLE AS $$
DECLARE
    e       enrolment;
    s       session;
    p       programme;
    f       enrolment_siasn;
    k       reference;
    person  text;
    number  text;
    course  text;
    remote  text;
    n       bigint;
    payload jsonb;
    missing jsonb := '[]';
BEGIN
    SELECT v.* INTO e FROM enrolment v WHERE v.id = which;
    SELECT v.* INTO s FROM session v WHERE v.id = e.session_id;
    SELECT v.* INTO p FROM programme v WHERE v.id = s.programme_id;
    SELECT v.* INTO f FROM enrolment_siasn v WHERE v.enrolment_id = which;
    SELECT r.* INTO k FROM reference r WHERE r.list = 'training-kind' AND r.code = programme_siasn_kind(p) AND r.valid @> s.ends_on;
    person := siasn_person(e.asn_id);
    number := enrolment_certificate_number(which);
    IF NOT enrolment_is_passed(e.state) THEN
        missing := missing || lack('', 'enrolment-open');
    ELSIF e.jp = 0 THEN
        missing := missing || lack('/jumlahJam', 'hours-none'); -- 0 counts as absent there
    END IF;
    IF person IS NULL THEN
        missing := missing || lack('/pnsOrangId', 'person-id-unknown');
    END IF;

    SELECT h.remote_id INTO remote FROM handover h WHERE h.enrolment_id = which AND h.state = 'accepted' ORDER BY h.id DESC LIMIT 1;
    IF FOUND THEN
        IF remote IS NULL THEN
            missing := missing || lack('/id', 'remote-id-unknown');
        END IF;
    ELSIF number IS NOT NULL THEN
        SELECT min(h.remote_id), count(*) INTO remote, n FROM history h
        WHERE  h.asn_id = e.asn_id AND h.kind = 'course' AND NOT h.is_void AND h.remote_id IS NOT NULL
               AND certificate_fold(h.facts ->> 'certificate_number') = certificate_fold(number);
        IF n > 1 THEN
            remote := NULL;
            missing := missing || lack('/id', 'remote-id-several');
        END IF;
    END IF;

    IF k.facts ->> 'call' = 'diklat' THEN
        course := coalesce(f.structural_training, programme_structural_training(p));
        IF course IS NULL THEN
            missing := missing || lack('/latihanStrukturalId', 'structural-training-unknown');
        END IF;
        IF number IS NULL THEN
            missing := missing || lack('/nomor', 'certificate-number-unknown');
        END IF;
        payload := jsonb_build_object(
            'id', remote, 'pnsOrangId', person,
            'latihanStrukturalId', (SELECT r.siasn_id FROM reference r WHERE r.list = 'structural-training' AND r.code = course AND r.valid @> s.ends_on),
            'nomor', number, 'tanggal', to_char(s.starts_on, 'DD-MM-YYYY'), 'tanggalSelesai', to_char(s.ends_on, 'DD-MM-YYYY'),
            'tahun', extract(year FROM s.ends_on)::integer, 'institusiPenyelenggara', p.organiser, 'jumlahJam', e.jp, 'path', '[]'::jsonb);
    ELSE
        IF k.siasn_id IS NULL THEN
            missing := missing || lack('/jenisDiklatId', 'training-kind-unknown');
        END IF;
        IF number IS NULL THEN
            missing := missing || lack('/nomorSertipikat', 'certificate-number-unknown');
        END IF;
        payload := jsonb_build_object(
            'id', remote, 'pnsOrangId', person, 'jenisDiklatId', k.siasn_id, 'jenisKursusSertipikat', k.facts ->> 'certificate', 'namaKursus', p.name,
            'institusiPenyelenggara', p.organiser, 'nomorSertipikat', number, 'jumlahJam', e.jp, 'tahunKursus', extract(year FROM s.ends_on)::integer,
            'tanggalKursus', to_char(s.starts_on, 'DD-MM-YYYY'), 'tanggalSelesaiKursus', to_char(s.ends_on, 'DD-MM-YYYY'), 'path', '[]'::jsonb);
    END IF;
    RETURN handover_finish(CASE k.facts ->> 'call' WHEN 'diklat' THEN 'diklat' ELSE 'kursus' END, payload, missing);
END $$;
COMMENT ON FUNCTION handover_enrolment(uuid) IS
    'Body of diklat/save (structural training) or kursus/save (all other kinds) for an enrolment ("Sertipikat" as BKN spells it), and what it lacks.';

-- ── acting ───────────────────────────────────────────────────────────────────────────────────────────────────────────────

CREATE VIEW handover_entry AS
SELECT h.id, h.what, c.path, h.evaluation_id, h.enrolment_id, a.nip, a.name, e.period_id, h.payload, h.sha256, h.state, h.remote_id, h.message,
       EXISTS (SELECT FROM evaluation n WHERE n.supersedes = h.evaluation_id) AS is_superseded, h.actor_name, h.version, h.created_at, h.updated_at,
       a.id AS _asn_id, u.path AS _unit_path
FROM   handover h
JOIN   handover_call c ON c.what = h.what
LEFT   JOIN evaluation e ON e.id = h.evaluation_id
LEFT   JOIN enrolment t ON t.id = h.enrolment_id
JOIN   asn a ON a.id = coalesce(e.asn_id, t.asn_id)
JOIN   unit u ON u.id = a.unit_id;
COMMENT ON VIEW handover_entry IS 'Hand-overs as the API shows them. Of _columns the API shows nothing.';

-- The person first, so that of two periods with a month in common only one is made ready.
CREATE FUNCTION handover_prepare(of_evaluation uuid, of_enrolment uuid, called text, units ltree[], own_id uuid, by_key uuid, by_name text)
RETURNS TABLE (problem text, pointer text, entry handover_entry)
LANGUAGE plpgsql AS $$
DECLARE
    who   uuid := coalesce((SELECT e.asn_id FROM evaluation e WHERE e.id = of_evaluation), (SELECT e.asn_id FROM enrolment e WHERE e.id = of_enrolment));
    draft handover_draft;
    open  handover;
    known handover;
BEGIN
    PERFORM FROM asn a JOIN unit u ON u.id = a.unit_id WHERE a.id = who AND u.path <@ ANY (units) FOR NO KEY UPDATE OF a;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    IF of_evaluation IS NOT NULL THEN
        PERFORM FROM evaluation e WHERE e.id = of_evaluation FOR SHARE;
        draft := handover_evaluation(of_evaluation, called);
    ELSE
        draft := handover_enrolment(of_enrolment);
    END IF;
    IF NOT draft.is_ready THEN
        SELECT CASE m.lack ->> 'code' WHEN 'evaluation-superseded' THEN 'evaluation-superseded' ELSE 'handover-incomplete' END, m.lack ->> 'pointer'
        INTO   problem, pointer
        FROM   jsonb_array_elements(draft.missing) WITH ORDINALITY AS m (lack, place)
        WHERE  (m.lack ->> 'is_required')::boolean ORDER BY m.place LIMIT 1;
        RETURN NEXT;
        RETURN;
    END IF;
    SELECT h.* INTO open FROM handover h
    WHERE  (h.evaluation_id = of_evaluation AND h.what = draft.what OR h.enrolment_id = of_enrolment) AND h.state IN ('prepared', 'sent');
    SELECT h.* INTO known FROM handover h
    WHERE  (h.evaluation_id = of_evaluation AND h.what = draft.what OR h.enrolment_id = of_enrolment) AND h.state = 'accepted' ORDER BY h.id DESC LIMIT 1;
    IF open.state = 'sent' THEN
        problem := 'handover-sent';
    ELSIF open.id IS NULL AND known.sha256 = draft.sha256 THEN
        problem := 'handover-done';
    ELSIF open.id IS NOT NULL THEN
        UPDATE handover h SET payload = draft.payload, sha256 = draft.sha256, actor_key = by_key, actor_name = by_name
        WHERE  h.id = open.id AND h.payload <> draft.payload;
        SELECT v.* INTO entry FROM handover_entry v WHERE v.id = open.id;
    ELSE
        INSERT INTO handover (id, what, evaluation_id, enrolment_id, payload, sha256, actor_key, actor_name)
        VALUES (own_id, draft.what, of_evaluation, of_enrolment, draft.payload, draft.sha256, by_key, by_name);
        SELECT v.* INTO entry FROM handover_entry v WHERE v.id = own_id;
    END IF;
    RETURN NEXT;
END $$;
COMMENT ON FUNCTION handover_prepare(uuid, uuid, text, ltree[], uuid, uuid, text) IS
    'Makes the payload of an evaluation or an enrolment ready, if it lacks nothing; one that is prepared and not yet sent is brought up to date. No row: not the caller''s.';

CREATE FUNCTION handover_report(which uuid, units ltree[], seen int8multirange, next text, told_id text, words text, by_key uuid, by_name text)
RETURNS TABLE (problem text, pointer text, entry handover_entry)
LANGUAGE plpgsql AS $$
DECLARE
    h     handover;
    draft handover_draft;
BEGIN
    PERFORM FROM asn a JOIN handover_entry t ON t._asn_id = a.id WHERE t.id = which AND t._unit_path <@ ANY (units) FOR NO KEY UPDATE OF a;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    SELECT v.* INTO h FROM handover v WHERE v.id = which FOR UPDATE;
    IF next = 'sent' THEN
        PERFORM FROM evaluation e WHERE e.id = h.evaluation_id FOR SHARE;
        draft := CASE WHEN h.evaluation_id IS NULL THEN handover_enrolment(h.enrolment_id) ELSE handover_evaluation(h.evaluation_id, h.what) END;
    END IF;
    IF NOT seen @> h.version THEN
        problem := 'version-stale';
    ELSIF NOT handover_may_become(h.state, next) OR h.state = 'accepted' AND (h.remote_id IS NOT NULL OR told_id IS NULL) THEN
        problem := 'handover-state';
    ELSIF next = 'sent' AND (NOT draft.is_ready OR draft.payload <> h.payload) THEN
        problem := CASE WHEN draft.missing @> '[{"code": "evaluation-superseded"}]' THEN 'evaluation-superseded' ELSE 'handover-stale' END;
    ELSIF told_id <> h.payload ->> 'id' THEN
        problem := 'handover-other-id';
        pointer := '/remote_id';
    ELSE
        UPDATE handover v
        SET    state = next, remote_id = CASE WHEN next = 'accepted' THEN coalesce(told_id, v.payload ->> 'id') END, message = coalesce(words, v.message),
               actor_key = by_key, actor_name = by_name
        WHERE  v.id = h.id;
        SELECT t.* INTO entry FROM handover_entry t WHERE t.id = h.id;
    END IF;
    RETURN NEXT;
END $$;
COMMENT ON FUNCTION handover_report(uuid, ltree[], int8multirange, text, text, text, uuid, text) IS
    'What whoever sends told of a payload: sent, if it still is what would be prepared now; accepted with the id there, or refused, whatever is so by '
    'now. No row: not the caller''s.';

-- ── what is kept, against TRUNCATE too ───────────────────────────────────────────────────────────────────────────────────

CREATE FUNCTION objection_keep() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'objections stay' USING ERRCODE = 'P0001', CONSTRAINT = 'objection_state_order';
END $$;
COMMENT ON FUNCTION objection_keep() IS 'TRUNCATE passes row triggers by.';
CREATE TRIGGER objection_30_keep BEFORE TRUNCATE ON objection FOR EACH STATEMENT EXECUTE FUNCTION objection_keep();
CREATE TRIGGER objection_step_30_keep BEFORE TRUNCATE ON objection_step FOR EACH STATEMENT EXECUTE FUNCTION performance_said_keep();
CREATE TRIGGER moderation_30_keep BEFORE TRUNCATE ON moderation FOR EACH STATEMENT EXECUTE FUNCTION performance_said_keep();
CREATE TRIGGER unit_predicate_30_keep BEFORE TRUNCATE ON unit_predicate FOR EACH STATEMENT EXECUTE FUNCTION performance_said_keep();
CREATE TRIGGER skp_progress_40_keep BEFORE TRUNCATE ON skp_progress FOR EACH STATEMENT EXECUTE FUNCTION skp_said_keep();
CREATE TRIGGER skp_feedback_40_keep BEFORE TRUNCATE ON skp_feedback FOR EACH STATEMENT EXECUTE FUNCTION skp_said_keep();

-- What was checked when the row was made must not be changed afterwards: a draft could come to replace somebody else's evaluation.
CREATE FUNCTION evaluation_replaces_still() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'what it replaces is for ever' USING ERRCODE = 'P0001', CONSTRAINT = 'evaluation_supersedes_fkey';
END $$;
COMMENT ON FUNCTION evaluation_replaces_still() IS 'What an evaluation replaces is told when it is made, and never else.';
CREATE TRIGGER evaluation_16_replaces_still BEFORE UPDATE ON evaluation
    FOR EACH ROW WHEN (NEW.supersedes IS DISTINCT FROM OLD.supersedes) EXECUTE FUNCTION evaluation_replaces_still();
