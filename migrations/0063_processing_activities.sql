-- The register of processing activities (UU 27/2022, article 31): what is done with whose data, why, and for how long. See docs/personal-data.md.

CREATE TABLE processing_activity (
    code             text        CONSTRAINT processing_activity_pkey PRIMARY KEY CONSTRAINT processing_activity_code_form CHECK (code ~ '^[a-z][a-z_]{1,40}$'),
    name             text        NOT NULL,
    purpose          text        NOT NULL,
    legal_basis      text        NOT NULL CONSTRAINT processing_activity_basis_known
                                 CHECK (legal_basis IN ('consent', 'contract', 'legal_duty', 'vital_interest', 'public_task', 'legitimate_interest')),
    legal_note       text        NOT NULL,
    subjects         text[]      NOT NULL,
    data_general     text[]      NOT NULL,
    data_specific    text[]      NOT NULL,
    recipients       text[]      NOT NULL,
    retention        text        NOT NULL,
    security         text        NOT NULL,
    controller       text        NOT NULL,
    needs_assessment boolean     NOT NULL,
    assessment_note  text,
    tags             text[]      NOT NULL,
    version          bigint      NOT NULL DEFAULT 1,
    updated_at       timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT processing_activity_assessment CHECK (NOT needs_assessment OR assessment_note IS NOT NULL)
);
COMMENT ON TABLE processing_activity IS 'Activities of processing of personal data, as the controller must record them all.';
COMMENT ON COLUMN processing_activity.code IS 'Short name';
COMMENT ON COLUMN processing_activity.name IS 'What it is called';
COMMENT ON COLUMN processing_activity.purpose IS 'What for';
COMMENT ON COLUMN processing_activity.legal_basis IS 'Of the six of article 20';
COMMENT ON COLUMN processing_activity.legal_note IS 'By which provision';
COMMENT ON COLUMN processing_activity.subjects IS 'Whose data';
COMMENT ON COLUMN processing_activity.data_general IS 'Which general data (article 4, paragraph 3)';
COMMENT ON COLUMN processing_activity.data_specific IS 'Which specific data (article 4, paragraph 2)';
COMMENT ON COLUMN processing_activity.recipients IS 'Who is given them';
COMMENT ON COLUMN processing_activity.retention IS 'For how long';
COMMENT ON COLUMN processing_activity.security IS 'How they are guarded (articles 35 to 39)';
COMMENT ON COLUMN processing_activity.controller IS 'Who answers for it: agency and unit';
COMMENT ON COLUMN processing_activity.needs_assessment IS 'Whether its risk is high, so that its impact is to be assessed (article 34)';
COMMENT ON COLUMN processing_activity.assessment_note IS 'Why, and where the assessment is';
COMMENT ON COLUMN processing_activity.tags IS 'Tags of the contract whose operations it covers: each tag stands in one activity';
COMMENT ON COLUMN processing_activity.version IS 'Counts changes: ETag';
COMMENT ON COLUMN processing_activity.updated_at IS 'Last change';
CREATE TRIGGER processing_activity_20_touch BEFORE UPDATE ON processing_activity FOR EACH ROW EXECUTE FUNCTION touch_row();

INSERT INTO processing_activity (code, name, purpose, legal_basis, legal_note, subjects, data_general, data_specific, recipients, retention, security, controller, needs_assessment, assessment_note, tags)
VALUES
    ('records', 'Pengelolaan data pegawai', 'Menyelenggarakan manajemen ASN: data pokok, riwayat, dokumen, mutu data, laporan', 'legal_duty', 'UU 20/2023 tentang ASN', '{pegawai}',
     '{nama,NIP,NIK,jenis kelamin,tempat dan tanggal lahir,pendidikan,jabatan,pangkat,surel,telepon}', '{}', '{BKN,unit kerja pegawai,aplikasi yang diberi kunci}',
     'Selama menjadi pegawai dan menurut jadwal retensi arsip (JRA) sesudahnya', 'Hak akses per peran dan unit, row security, audit berantai, NIK hanya dengan hak khusus',
     'Badan Kepegawaian daerah', true, 'Skala besar dan pencocokan data antarsistem',
     '{asn,history,documents,units,quality,requests,imports,references,reports,changes}'),
    ('training', 'Pengembangan kompetensi', 'Merencanakan, menyelenggarakan, dan mencatat pelatihan pegawai; sertifikat; evaluasi pascapelatihan', 'legal_duty', 'UU 20/2023; hak dan kewajiban pengembangan kompetensi',
     '{pegawai,peserta dari mitra}', '{nama,NIP,kehadiran,nilai,sertifikat,asesmen kompetensi}', '{}', '{penyelenggara pelatihan,BKN,siapa pun yang memegang kode sertifikat}',
     'Selama menjadi pegawai dan menurut JRA sesudahnya', 'Hak akses per peran dan unit, kode sertifikat bertanda tangan, jawaban evaluasi anonim', 'Badan Kepegawaian daerah', true,
     'Penilaian kompetensi orang', '{training,needs,certificates,collaboration,budget}'),
    ('evaluation', 'Penilaian kinerja', 'Sasaran kinerja, evaluasi, keberatan, pembinaan, indeks profesionalitas dan talenta', 'legal_duty', 'PP 30/2019; Permenpan RB 6/2022', '{pegawai}',
     '{nama,NIP,SKP,predikat,kehadiran,potensi,hukuman disiplin}', '{}', '{atasan,pejabat penilai,BKN}', 'Menurut JRA; hasil yang sudah final tidak diubah',
     'Hanya yang dipimpin atau dinilai yang terlihat, hasil final terkunci, jawaban rekan anonim', 'Badan Kepegawaian daerah', true,
     'Penilaian dan pemantauan orang secara sistematis; perhitungan otomatis yang diputuskan oleh pejabat', '{performance,indices}'),
    ('handover', 'Penyerahan ke BKN', 'Menyerahkan hasil kinerja dan pelatihan ke layanan BKN (SIASN)', 'legal_duty', 'UU 20/2023; sistem informasi ASN nasional', '{pegawai}', '{NIP,predikat,sertifikat,nama penilai}', '{}',
     '{BKN}', 'Isi kiriman disimpan selama hasilnya disimpan', 'Isi kiriman dicatat dengan sidik SHA-256', 'Badan Kepegawaian daerah', false, NULL, '{handover}'),
    ('service', 'Layanan dan pengaduan', 'Antrean, waktu layanan, dan pengaduan warga', 'public_task', 'UU 25/2009 tentang Pelayanan Publik', '{warga,petugas layanan}',
     '{isi pengaduan,nama dan kontak pelapor bila diberikan}', '{}', '{unit layanan,pemeriksa}', 'Menurut JRA pengaduan', 'Pengaduan rahasia hanya dengan hak khusus; antrean tanpa nama', 'Unit penyelenggara layanan', false, NULL,
     '{service,complaint}'),
    ('surveys', 'Survei kepuasan', 'Mengukur kepuasan masyarakat dan mengumumkan hasilnya', 'legal_duty', 'Permenpan RB 14/2017', '{warga}', '{jenis kelamin,kelompok usia,pendidikan,pekerjaan}', '{}', '{masyarakat, dalam bentuk jumlah}',
     'Jawaban tanpa nama', 'Jawaban anonim, tidak masuk audit, angka kecil tidak ditampilkan', 'Unit penyelenggara layanan', false, NULL, '{survey,public}'),
    ('audit', 'Akses dan audit', 'Mencatat siapa membaca dan mengubah apa; menjaga keamanan', 'legal_duty', 'UU 27/2022 Pasal 31 dan 35 sampai 39', '{pegawai,pengguna aplikasi}', '{nama pengguna,NIP,alamat jaringan,tindakan}', '{}',
     '{pemeriksa,subjek data}', 'Catatan tidak dihapus', 'Rantai sidik, hanya ditambah, NIK dan kontak berupa sidik berkunci', 'Badan Kepegawaian daerah', true, 'Pemantauan pengguna secara sistematis',
     '{access,audit,running}'),
    ('rights', 'Hak subjek data', 'Menjawab permintaan subjek data dan memberitahukan kegagalan pelindungan', 'legal_duty', 'UU 27/2022 Pasal 5 sampai 13, 30 sampai 34, 41, 46', '{pegawai}', '{seluruh data yang disimpan tentang subjek}', '{}',
     '{subjek data}', 'Menurut JRA', 'Hanya subjek sendiri dan kepegawaian; setiap pembacaan dicatat', 'Badan Kepegawaian daerah', false, NULL, '{privacy}');

SELECT audit_attach();
SELECT row_security_attach();
