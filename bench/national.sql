-- A nation of fictional civil servants, by sets; bench/national.py runs the parts.
-- Triggers are off while it loads (session_replication_role): each statement writes what they would have made, with their own views (asn_told, due_told).
-- Left out are the feed of changes, as if it had been forgotten by age, and old versions of histories.
-- :low and :high are the people of one part (1 … :people), so that two sessions can share the work. :brief: of histories and due days those alone that figures look at.
-- The nation consists of :copies parts that are alike (of one, unless it is only for its figures): :agencies and :people are those of the first. A block `….copy` makes the same rows of the
-- :low-th part behind it, by other numbers; what is worked out of rows (sums) is copied too, since it would be the same.

-- name: helpers
CREATE FUNCTION place(level integer, p integer, a integer, d integer, s integer) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$
    SELECT ('01900000-0000-7' || lpad(to_hex($1), 3, '0') || '-8' || lpad(to_hex($2), 3, '0') || '-' || lpad(to_hex($3), 6, '0') || lpad(to_hex($4), 3, '0')
            || lpad(to_hex($5), 3, '0'))::uuid $$;
CREATE FUNCTION label(level integer, p integer, a integer, d integer, s integer) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT replace(place($1, $2, $3, $4, $5)::text, '-', '') $$;
CREATE FUNCTION person(g integer) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$ SELECT ('01900000-0000-7000-8000-' || lpad(to_hex($1), 12, '0'))::uuid $$;
CREATE FUNCTION later(id uuid, n bigint) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$
    SELECT (left($1::text, 24) || lpad(to_hex(('x' || right($1::text, 12))::bit(48)::bigint + $2), 12, '0'))::uuid $$;
CREATE UNLOGGED TABLE alike (part integer, unit_id uuid, is_unit uuid);

-- name: helpers.gone
DROP TABLE alike;
DROP FUNCTION later(uuid, bigint), label(integer, integer, integer, integer, integer), place(integer, integer, integer, integer, integer), person(integer);

-- name: units
INSERT INTO unit (id, code, name, kind, parent_id, label, path)
SELECT u.id, u.code, u.name, u.kind, u.parent_id, replace(u.id::text, '-', ''), u.path::ltree
FROM   (SELECT place(0, p, 0, 0, 0) AS id, 'P' || p AS code, 'Provinsi ' || p AS name, 'instansi' AS kind, NULL::uuid AS parent_id,
               label(0, p, 0, 0, 0) AS path
        FROM   generate_series(0, 37) p
        UNION ALL
        SELECT place(1, a % 38, a, 0, 0), 'A' || a, 'Pemerintah Daerah ' || a, 'instansi', place(0, a % 38, 0, 0, 0),
               label(0, a % 38, 0, 0, 0) || '.' || label(1, a % 38, a, 0, 0)
        FROM   generate_series(0, :agencies * :copies - 1) a
        UNION ALL
        SELECT place(2, a % 38, a, d, 0), 'A' || a || '-' || d, (ARRAY['Dinas Pendidikan', 'Dinas Kesehatan', 'Badan Kepegawaian', 'Sekretariat', 'Kecamatan'])[1 + d % 5] || ' ' || d,
               (ARRAY['dinas', 'dinas', 'badan', 'sekretariat', 'kecamatan'])[1 + d % 5], place(1, a % 38, a, 0, 0),
               label(0, a % 38, 0, 0, 0) || '.' || label(1, a % 38, a, 0, 0) || '.' || label(2, a % 38, a, d, 0)
        FROM   generate_series(0, :agencies * :copies - 1) a, generate_series(1, 15) d
        UNION ALL
        SELECT place(3, a % 38, a, d, s), 'A' || a || '-' || d || '-' || s, 'Bidang ' || s, 'bidang', place(2, a % 38, a, d, 0),
               label(0, a % 38, 0, 0, 0) || '.' || label(1, a % 38, a, 0, 0) || '.' || label(2, a % 38, a, d, 0) || '.' || label(3, a % 38, a, d, s)
        FROM   generate_series(0, :agencies * :copies - 1) a, generate_series(1, 15) d, generate_series(1, 12) s) u;
INSERT INTO unit_version (unit_id, valid, code, name, kind, parent_id, is_active)
SELECT id, daterange('1950-01-01', NULL), code, name, kind, parent_id, is_active FROM unit;
INSERT INTO unit_way (unit_id, valid, path) SELECT id, daterange('1950-01-01', NULL), path FROM unit;
INSERT INTO alike
SELECT k, place(v.level, g.a % 38, g.a, v.d, v.s), place(v.level, (g.a + k * :agencies) % 38, g.a + k * :agencies, v.d, v.s)
FROM   generate_series(1, :copies - 1) k, generate_series(0, :agencies - 1) g (a),
       (SELECT 1 AS level, 0 AS d, 0 AS s UNION ALL SELECT 2, d, 0 FROM generate_series(1, 15) d UNION ALL SELECT 3, d, s FROM generate_series(1, 15) d, generate_series(1, 12) s) v;
ANALYZE alike;

-- name: people
INSERT INTO asn (id, nip, kind, name, title_front, title_back, birth_date, birth_place, sex, nik, unit_id, position_kind, position, echelon, rank, rank_since,
                 education_level, education, legal_status, email, phone, appointed_on, warnings)
SELECT ('01900000-0000-7000-8000-' || lpad(to_hex(w.g), 12, '0'))::uuid,
       to_char(w.born, 'YYYYMMDD') || CASE WHEN w.is_pns THEN to_char(w.appointed, 'YYYYMM') ELSE to_char(w.appointed, 'YYYY') || '21' END || w.sex
           || lpad((w.g / 14000 + 1)::text, 3, '0'),
       w.kind, w.name, CASE WHEN w.r[7] < 0.05 THEN 'Dr.' END, CASE WHEN w.r[7] < 0.4 THEN 'S.Pd.' END,
       w.born + CASE WHEN w.r[8] < 0.01 THEN (w.r[9] * 400)::integer - 200 ELSE 0 END, 'Kota ' || (w.r[9] * 500)::integer,
       CASE w.sex WHEN 1 THEN 'M' ELSE 'F' END,
       CASE WHEN w.r[10] < 0.95 THEN (1101 + (w.r[11] * 8000)::integer) || '01' || to_char(w.born, 'DDMMYY') || lpad((w.g % 10000)::text, 4, '0') END,
       place(CASE WHEN w.s > 0 THEN 3 ELSE 2 END, w.a % 38, w.a, w.d, w.s), w.position_kind,
       CASE w.position_kind WHEN 'struktural' THEN 'Kepala Seksi'
                            WHEN 'fungsional' THEN (ARRAY['Guru Ahli Pertama', 'Guru Ahli Muda', 'Perawat Terampil', 'Analis Ahli Madya', 'Bidan Mahir', 'Dosen Ahli Utama'])
                                                   [1 + least(floor(w.r[12] * 5.05), 5)::integer]
                            ELSE (ARRAY['Pengelola Data', 'Pengadministrasi Umum', 'Penelaah Teknis'])[1 + floor(w.r[12] * 3)::integer] END,
       CASE WHEN w.position_kind = 'struktural' THEN (ARRAY['41', '42', '31', '22'])[1 + floor(w.r[12] * w.r[12] * 4)::integer] END,
       CASE WHEN w.is_pns THEN (ARRAY['II/a', 'II/c', 'III/a', 'III/b', 'III/c', 'III/d', 'IV/a', 'IV/b', 'IV/c', 'IV/d', 'IV/e'])
                               [1 + least(floor((2006 - extract(year FROM w.born)) / 46 * 6 + w.r[13] * w.r[14] * 6), 10)::integer]
            ELSE (ARRAY['IX', 'IX', 'IX', 'VII', 'V', 'X', 'XI', 'I'])[1 + floor(w.r[13] * w.r[13] * 8)::integer] END,
       greatest(w.appointed, make_date(2012 + floor(w.r[19] * 14)::integer, (ARRAY[4, 10])[1 + floor(w.r[9] * 2)::integer], 1)),
       (ARRAY['40', '40', '40', '15', '30', '45', '35', '50', '05'])[1 + floor(w.r[15] * w.r[15] * 9)::integer], 'Jurusan ' || floor(w.r[14] * 60)::integer,
       CASE WHEN w.r[16] < 0.94 THEN CASE w.kind WHEN 'PPPK' THEN '71' WHEN 'PPPK_PARUH_WAKTU' THEN '72' ELSE '01' END
            WHEN w.r[16] < 0.98 THEN '99' ELSE (ARRAY['02', '03', '15', '20', '66', '14'])[1 + floor(w.r[17] * w.r[17] * 6)::integer] END,
       CASE WHEN w.r[17] < 0.5 THEN 'pegawai' || w.g || '@contoh.go.id' END, CASE WHEN w.r[17] < 0.7 THEN '08' || lpad(w.g::text, 10, '0') END,
       w.appointed, CASE WHEN w.r[8] < 0.01 THEN '{CON_1}' ELSE '{}' END::text[]
FROM   (SELECT v.g, v.r, '1966-01-01'::date + v.g % 14000 AS born,
               CASE WHEN v.r[1] < 0.66 THEN 'PNS' WHEN v.r[1] < 0.68 THEN 'CPNS' WHEN v.r[1] < 0.999 THEN 'PPPK' ELSE 'PPPK_PARUH_WAKTU' END AS kind,
               v.r[1] < 0.68 AS is_pns,
               least(date_trunc('month', '1966-01-01'::date + v.g % 14000) + make_interval(years => 20, months => (v.r[2] * 100)::integer % 96), '2025-12-01')::date AS appointed,
               CASE WHEN v.r[3] < 0.46 THEN 1 ELSE 2 END AS sex,
               n.common[1 + floor(power(v.r[4], 3) * cardinality(n.common))::integer] || ' '
                   || CASE WHEN v.r[5] < 0.5 THEN n.common[1 + floor(v.r[5] * 2 * cardinality(n.common))::integer] || ' ' ELSE '' END
                   || initcap(n.syllables[1 + floor(v.r[4] * 1e3)::integer % 40] || n.syllables[1 + floor(v.r[5] * 1e5)::integer % 40]
                              || n.syllables[1 + floor(v.r[6] * 40)::integer]) AS name,
               CASE WHEN v.r[6] < 0.08 THEN 'struktural' WHEN v.r[6] < 0.6 THEN 'fungsional' ELSE 'pelaksana' END AS position_kind,
               floor(power(v.r[18], 1.3) * :agencies)::integer AS a, 1 + floor(power(v.r[19], 1.5) * 15)::integer AS d, floor(v.r[20] * 13)::integer AS s
        FROM   (SELECT g, ARRAY(SELECT random() FROM generate_series(1, 20) WHERE g > 0) AS r FROM generate_series(:low, :high) g) v,
               (SELECT string_to_array('Muhammad Siti Nur Sri Ahmad Andi Dewi Abdul Agus Budi Rina Yuli Eko Dwi Tri Indah Ratna Rahmat Hidayat Putri Wahyu Fitri Hendra '
                       'Joko Slamet Bambang Endang Lestari Maria Yohanes Made Wayan Ketut Nyoman Rizky Dian Ayu Rahmawati Santoso Setiawan Wati Susanti Kurniawan Saputra Adi Ida '
                       'Iwan Umar Usman Zainal Zulkifli Yusuf Syamsul Syarif Supardi Sukma Nurhayati Aminah Khadijah Fatimah Lina Mega Galih Bayu', ' ') AS common,
                       string_to_array('an ba da di do ga ha hu ja ka ku la li ma mi mu na ni nu pa pu ra ri ro sa si su ta ti tu wa wi ya yu zu gu be re se te', ' ') AS syllables) n) w;

-- name: people.copy
INSERT INTO asn (id, nip, kind, name, title_front, title_back, birth_date, birth_place, sex, nik, unit_id, position_kind, position, echelon, rank, rank_since, education_level, education, legal_status, email, phone, appointed_on, warnings)
SELECT later(a.id, :low * :people), left(a.nip, 15) || lpad((right(a.nip, 3)::integer + :low * (:people / 14000 + 1))::text, 3, '0'), a.kind, a.name, a.title_front, a.title_back, a.birth_date, a.birth_place, a.sex, a.nik, l.is_unit, a.position_kind, a.position, a.echelon, a.rank, a.rank_since, a.education_level, a.education, a.legal_status, a.email, a.phone, a.appointed_on, a.warnings
FROM   asn a JOIN alike l ON l.part = :low AND l.unit_id = a.unit_id
WHERE  a.id BETWEEN person(1) AND person(:people);

-- name: histories
INSERT INTO history (asn_id, kind, starts, valid, facts, source)
SELECT t.asn_id, t.kind, coalesce(t.day, '2026-01-01'), daterange(coalesce(t.day, '2026-01-01'), NULL),
       CASE t.kind WHEN 'position' THEN t.facts || '{"assignment": "definitive"}' ELSE t.facts END, 'import'
FROM   asn_told t
WHERE  t.asn_id BETWEEN person(:low) AND person(:high) AND t.facts <> '{}' AND (NOT :brief OR t.kind = 'appointment')
UNION  ALL
SELECT a.id, 'education', '2026-01-01', daterange('2026-01-01', NULL), jsonb_strip_nulls(jsonb_build_object('level', a.education_level, 'field', a.education)), 'import'
FROM   asn a
WHERE  a.id BETWEEN person(:low) AND person(:high) AND a.education_level IS NOT NULL AND NOT :brief
UNION  ALL -- one in fifty had another number before
SELECT a.id, 'nip', a.appointed_on, daterange(a.appointed_on, '2015-01-01'), jsonb_build_object('nip', '13' || right(a.nip, 16)), 'import'
FROM   asn a
WHERE  a.id BETWEEN person(:low) AND person(:high) AND NOT :brief AND right(a.id::text, 2) IN ('0a', '4b', '8c', 'cd', 'ff') AND a.appointed_on < '2014-01-01';

-- name: histories.copy
INSERT INTO history (asn_id, kind, starts, valid, facts, source)
SELECT later(h.asn_id, :low * :people), h.kind, h.starts, h.valid, h.facts, h.source FROM history h WHERE h.asn_id BETWEEN person(1) AND person(:people);

-- name: due
INSERT INTO due (asn_id, list, rule, rule_from, unit_id, level, basis, due_on, missing)
SELECT t.asn_id, t.list, t.rule, t.rule_from, t.unit_id, t.level, t.basis, t.due_on, t.missing FROM due_told t
WHERE  t.asn_id BETWEEN person(:low) AND person(:high) AND (NOT :brief OR t.list = 'retirement');

-- name: due.copy
INSERT INTO due (asn_id, list, rule, rule_from, unit_id, level, basis, due_on, missing)
SELECT later(d.asn_id, :low * :people), d.list, d.rule, d.rule_from, l.is_unit, d.level, d.basis, d.due_on, d.missing
FROM   due d JOIN alike l ON l.part = :low AND l.unit_id = d.unit_id
WHERE  d.asn_id BETWEEN person(1) AND person(:people);

-- name: words
INSERT INTO name_word (word) SELECT DISTINCT w FROM asn a, unnest(string_to_array(a.name_key, ' ')) w;
