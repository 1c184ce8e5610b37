-- What a person may ask about the data that are kept of him. See docs/personal-data.md. Where they are restricted, he and the personnel office alone are told.

-- name: getPersonalData
SELECT a.nip, a.name, now() AS told_at,
       (SELECT jsonb_agg(jsonb_build_object('section', d.section, 'table', d.relation, 'title', d.title, 'rows', d.rows)) FROM personal_data_of(a.id) d) AS sections,
       t.trail, t.n AS trail_total, true AS _sensitive
FROM   asn a
JOIN   unit u ON u.id = a.unit_id
CROSS  JOIN LATERAL (SELECT coalesce(jsonb_agg(to_jsonb(r) - 'n' ORDER BY r.id DESC), '[]') AS trail, coalesce(max(r.n), 0) AS n
                     FROM   (SELECT p.*, count(*) OVER () AS n FROM processing_trail(a.id) p ORDER BY p.id DESC LIMIT 1000) r) t
WHERE  a.id = (SELECT asn_of_nip(:nip)) AND u.path <@ ANY (:actor_units::ltree[]) AND NOT restriction_hides(a.id, :actor_scopes::text[], :actor_nip)

-- Line by line, for paper.
-- name: getPersonalDataPdf.lines
WITH who AS (
    SELECT a.id, a.nip, a.name
    FROM   asn a JOIN unit u ON u.id = a.unit_id
    WHERE  a.id = (SELECT asn_of_nip(:nip)) AND u.path <@ ANY (:actor_units::ltree[]) AND NOT restriction_hides(a.id, :actor_scopes::text[], :actor_nip)
), told AS MATERIALIZED (
    SELECT d.*, row_number() OVER () AS n FROM who w CROSS JOIN LATERAL personal_data_of(w.id) d
), done AS MATERIALIZED (
    SELECT p.* FROM who w CROSS JOIN LATERAL processing_trail(w.id) p
), line (part, place, kind, text) AS (
    SELECT 0, 0, 'title', 'RINGKASAN DATA PRIBADI' FROM who
    UNION ALL SELECT 0, 1, 'text', format('Nama: %s', w.name) FROM who w
    UNION ALL SELECT 0, 2, 'text', format('NIP: %s', w.nip) FROM who w
    UNION ALL SELECT 0, 3, 'text', format('Dibuat pada: %s', to_char(:today::date, 'DD-MM-YYYY')) FROM who
    UNION ALL SELECT 0, 4, 'text', 'Disusun atas permintaan subjek data berdasarkan UU Nomor 27 Tahun 2022 tentang Pelindungan Data Pribadi. Rincian lengkap tersedia dalam bentuk JSON. Data orang lain ditutup (***).' FROM who
    UNION ALL SELECT 1, 0, 'heading', 'Data pokok' FROM who
    UNION ALL SELECT 1, s.place, 'text', format('%s: %s', coalesce(s.label, m.key),
                                                CASE WHEN m.value #>> '{}' ~ '^\d{4}-\d\d-\d\d$' THEN to_char((m.value #>> '{}')::date, 'DD-MM-YYYY')
                                                     WHEN m.value #>> '{}' ~ '^\d{4}-\d\d-\d\dT' THEN to_char(local_day((m.value #>> '{}')::timestamptz), 'DD-MM-YYYY')
                                                     WHEN jsonb_typeof(m.value) = 'array' THEN array_to_string(ARRAY(SELECT jsonb_array_elements_text(m.value)), ', ')
                                                     ELSE coalesce((SELECT min(r.name) FROM reference r WHERE r.list = s.list AND r.code = m.value #>> '{}') || ' (' || (m.value #>> '{}') || ')',
                                                                   m.value #>> '{}') END)
              FROM   told t
              CROSS  JOIN LATERAL jsonb_each(t.rows -> 0) m
              CROSS  JOIN LATERAL (SELECT coalesce(min(l.place)::integer, 100) AS place, min(l.label) AS label, min(l.list) AS list
                                   FROM   ROWS FROM (unnest('{nip,kind,name,title_front,title_back,birth_place,birth_date,sex,nik,email,phone,unit,position_kind,position,echelon,rank_kind,rank,rank_since,education_level,education,legal_status,appointed_on,warnings,created_at,updated_at}'::text[]),
                                                     unnest('{NIP,Jenis ASN,Nama,Gelar depan,Gelar belakang,Tempat lahir,Tanggal lahir,Jenis kelamin,NIK,Surel,Telepon,Unit kerja,Jenis jabatan,Jabatan,Eselon,Jenis golongan,Golongan,TMT golongan,Tingkat pendidikan,Pendidikan,Kedudukan hukum,TMT pengangkatan,Peringatan,Dicatat pada,Diubah pada}'::text[]),
                                                     unnest('{NULL,NULL,NULL,NULL,NULL,NULL,NULL,sex,NULL,NULL,NULL,NULL,position-kind,NULL,echelon,NULL,NULL,NULL,education-level,NULL,legal-status,NULL,NULL,NULL,NULL}'::text[]))
                                          WITH ORDINALITY AS l (key, label, list, place)
                                   WHERE  l.key = m.key) s
              WHERE  t.relation = 'asn' AND m.value NOT IN ('null', '[]') AND m.key NOT IN ('id', 'unit_id')
    UNION ALL SELECT 2, 0, 'heading', 'Data lain yang disimpan' FROM who
    UNION ALL SELECT 2, t.n::integer, 'text', format('%s: %s baris', t.title, jsonb_array_length(t.rows)) FROM told t WHERE t.relation <> 'asn' AND t.rows <> '[]'
    UNION ALL SELECT 3, 0, 'heading', 'Riwayat menurut jenis' FROM who
    UNION ALL SELECT 3, row_number() OVER (ORDER BY h.kind)::integer, 'text', format('%s: %s baris', coalesce((SELECT min(f.name) FROM reference f WHERE f.list = 'history-kind' AND f.code = h.kind), h.kind), h.n)
              FROM (SELECT r ->> 'kind' AS kind, count(*) AS n FROM told t CROSS JOIN LATERAL jsonb_array_elements(t.rows) r WHERE t.relation = 'history' GROUP BY 1) h
    UNION ALL SELECT 4, 0, 'heading', 'Pemrosesan: oleh siapa dan berapa kali' FROM who
    UNION ALL SELECT 4, row_number() OVER (ORDER BY d.n DESC, d.who, d.operation)::integer, 'text',
                     format('%s - %s: %s kali, %s sampai %s', d.who, d.operation, d.n, to_char(d.first, 'DD-MM-YYYY'), to_char(d.last, 'DD-MM-YYYY'))
              FROM (SELECT coalesce(p.name, p.kind) AS who, p.operation, count(DISTINCT coalesce(p.request_id, p.id::text)) AS n,
                           local_day(min(p.at)) AS first, local_day(max(p.at)) AS last
                    FROM   done p GROUP BY 1, 2 ORDER BY n DESC LIMIT 200) d
    UNION ALL SELECT 5, 0, 'heading', 'Hak subjek data' FROM who
    UNION ALL SELECT 5, 1, 'text', 'Subjek data dapat meminta perbaikan, pembatasan, penghapusan, atau mengajukan keberatan. Perbaikan, akses, dan pembatasan ditanggapi paling lambat 3 x 24 jam.' FROM who
)
SELECT w.nip AS _nip, l.kind, l.text FROM line l CROSS JOIN who w ORDER BY l.part, l.place

-- name: listProcessingTrail
-- sort: -id = p.id DESC AS id
-- sort: id = p.id AS id
SELECT p.id, p.at, p.kind, p.name, p.operation, p.action, p.entity, p.members, p.alone, p.reason, p.purpose, p.request_id
FROM   asn a
JOIN   unit u ON u.id = a.unit_id
CROSS  JOIN LATERAL processing_trail(a.id) p
WHERE  a.id = (SELECT asn_of_nip(:nip)) AND u.path <@ ANY (:actor_units::ltree[])
/*? action */ AND p.action = :action /*? */
/*? from */ AND p.at >= :from::timestamptz /*? */
/*? until */ AND p.at < :until::timestamptz /*? */
/* page */
