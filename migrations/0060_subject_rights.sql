-- What a person may ask about the data that are kept of him: all of it at once, and who did what with it. See docs/personal-data.md.

-- ── what is told, and what is not ────────────────────────────────────────────────────────────────────────────────────────

CREATE TABLE export_table (
    relation text     CONSTRAINT export_table_pkey PRIMARY KEY,
    section  text     NOT NULL CONSTRAINT export_table_section_known CHECK (section IN ('record', 'history', 'document', 'training', 'performance', 'request')),
    place    smallint NOT NULL CONSTRAINT export_table_place_key UNIQUE,
    title    text     NOT NULL
);
COMMENT ON TABLE export_table IS 'Tables whose rows of a person he is told when he asks what is kept of him. Which rows are his says row_rule.';
COMMENT ON COLUMN export_table.relation IS 'Name of the table';
COMMENT ON COLUMN export_table.section IS 'The part of the answer in which it stands';
COMMENT ON COLUMN export_table.place IS 'Its place there: small numbers first';
COMMENT ON COLUMN export_table.title IS 'What it is called on paper, in Indonesian';
INSERT INTO export_table (relation, section, place, title) VALUES
    ('asn', 'record', 10, 'Data pokok'),
    ('external_id', 'record', 11, 'ID pada sistem lain'),
    ('asn_merge', 'record', 12, 'Penggabungan data'),
    ('due', 'record', 13, 'Yang akan jatuh tempo'),
    ('history', 'history', 20, 'Riwayat'),
    ('history_version', 'history', 21, 'Riwayat, isi sebelumnya'),
    ('document', 'document', 30, 'Dokumen'),
    ('document_link', 'document', 31, 'Dokumen pada riwayat'),
    ('enrolment', 'training', 40, 'Kepesertaan pelatihan'),
    ('enrolment_step_taken', 'training', 41, 'Langkah kepesertaan'),
    ('enrolment_siasn', 'training', 42, 'Kepesertaan pada SIASN'),
    ('attendance', 'training', 43, 'Kehadiran pelatihan'),
    ('attendance_version', 'training', 44, 'Kehadiran pelatihan, isi sebelumnya'),
    ('learning_entry', 'training', 45, 'Jam pelajaran'),
    ('certificate', 'training', 46, 'Sertifikat'),
    ('certificate_edition', 'training', 47, 'Edisi sertifikat'),
    ('external_certificate', 'training', 48, 'Sertifikat dari luar'),
    ('competency_assessment', 'training', 49, 'Asesmen kompetensi'),
    ('competency_assessment_version', 'training', 50, 'Asesmen kompetensi, isi sebelumnya'),
    ('development_plan', 'training', 51, 'Rencana pengembangan'),
    ('development_plan_line', 'training', 52, 'Baris rencana pengembangan'),
    ('development_plan_course', 'training', 53, 'Pelatihan pada rencana pengembangan'),
    ('development_plan_step', 'training', 54, 'Langkah rencana pengembangan'),
    ('behaviour_review', 'training', 55, 'Evaluasi pascapelatihan'),
    ('activity_participant', 'training', 56, 'Kegiatan kemitraan'),
    ('skp', 'performance', 60, 'SKP'),
    ('skp_edition', 'performance', 61, 'Edisi SKP'),
    ('skp_result', 'performance', 62, 'Rencana hasil kerja'),
    ('skp_indicator', 'performance', 63, 'Indikator SKP'),
    ('skp_measure', 'performance', 64, 'Ukuran indikator SKP'),
    ('skp_milestone', 'performance', 65, 'Tonggak SKP'),
    ('skp_milestone_report', 'performance', 66, 'Laporan tonggak SKP'),
    ('skp_progress', 'performance', 67, 'Realisasi SKP'),
    ('skp_behaviour', 'performance', 68, 'Perilaku kerja pada SKP'),
    ('skp_feedback', 'performance', 69, 'Umpan balik SKP'),
    ('evaluation', 'performance', 70, 'Evaluasi kinerja'),
    ('indicator', 'performance', 71, 'Indikator evaluasi'),
    ('indicator_measurement', 'performance', 72, 'Hasil ukur indikator'),
    ('appraisal', 'performance', 73, 'Penilaian oleh atasan'),
    ('moderation', 'performance', 74, 'Moderasi'),
    ('objection', 'performance', 75, 'Keberatan'),
    ('objection_step', 'performance', 76, 'Langkah keberatan'),
    ('improvement_plan', 'performance', 77, 'Rencana perbaikan kinerja'),
    ('improvement_check', 'performance', 78, 'Pemeriksaan perbaikan kinerja'),
    ('improvement_step', 'performance', 79, 'Langkah perbaikan kinerja'),
    ('presence_month', 'performance', 80, 'Kehadiran bulanan'),
    ('potential', 'performance', 81, 'Potensi'),
    ('ip_asn_bkn', 'performance', 82, 'IP ASN dari BKN'),
    ('handover', 'performance', 83, 'Penyerahan ke BKN'),
    ('handover_step', 'performance', 84, 'Langkah penyerahan ke BKN'),
    ('change_request', 'request', 90, 'Usulan perubahan data'),
    ('change_request_comment', 'request', 91, 'Komentar usulan');

CREATE TABLE export_exempt (
    relation text CONSTRAINT export_exempt_pkey PRIMARY KEY,
    reason   text NOT NULL
);
COMMENT ON TABLE export_exempt IS 'Tables that name a person and are not told to him, and why.';
COMMENT ON COLUMN export_exempt.relation IS 'Name of the table';
COMMENT ON COLUMN export_exempt.reason IS 'Why';
INSERT INTO export_exempt (relation, reason) VALUES
    ('asn_merge_row', 'Which rows a merge has moved: the rows themselves are told'),
    ('audit_entry', 'Told as the trail of processing, without values'),
    ('behaviour_request', 'What others are asked, and said, of a training''s effect: their answers, given in confidence (UU 27/2022, article 33)'),
    ('change', 'The feed: ids without content, forgotten after change_days'),
    ('budget_warning', 'Money: no person''s'),
    ('effect_tally', 'Counts of anonymous answers'),
    ('expense', 'Money of a session or an activity: no person''s'),
    ('history_ahead', 'Worked out of history'),
    ('import_row', 'What an import was before, kept for undo_days: the rows themselves are told'),
    ('peer_answer', 'Answers of colleagues, promised to be anonymous (article 33)'),
    ('peer_receipt', 'Who of his colleagues has answered (article 33)'),
    ('reaction_receipt', 'That he has answered: with the moment of an answer it would tell whose that is'),
    ('staff_kept', 'Worked out of the record, for sums of units'),
    ('staff_mark', 'To-do list of staff_kept'),
    ('survey_answer', 'Anonymous answers of citizens about a service'),
    ('survey_receipt', 'A ticket''s, see there'),
    ('ticket', 'Of a citizen (article 33): that he served him says nothing more of himself');

CREATE TABLE export_column (
    relation  text NOT NULL,
    name      text NOT NULL,
    treatment text NOT NULL CONSTRAINT export_column_treatment_known CHECK (treatment IN ('omit', 'mask', 'keep')),
    reason    text NOT NULL,
    CONSTRAINT export_column_pkey PRIMARY KEY (relation, name)
);
COMMENT ON TABLE export_column IS 'Columns that a person is not told as they are, or that look as if they named another person.';
COMMENT ON COLUMN export_column.relation IS 'Name of the table; *: of whatever table';
COMMENT ON COLUMN export_column.name IS 'Name of the column';
COMMENT ON COLUMN export_column.treatment IS 'omit: it is left out; mask: only that there is one, at whatever depth of JSON too; keep: told as it is';
COMMENT ON COLUMN export_column.reason IS 'Why';
INSERT INTO export_column (relation, name, treatment, reason)
SELECT '*', n, 'omit', 'Worked out, or the program''s own' FROM unnest('{name_key,position_key,number_key,organiser_key,version,source_id,valid}'::text[]) n
UNION ALL
SELECT '*', n, 'omit', 'Who did it stands in the trail of processing'
FROM   unnest('{actor_key,actor_name,requested_by,requested_by_name,submitted_by,submitted_by_name,decided_by_name,revoked_by,revoked_by_name}'::text[]) n
UNION ALL
SELECT '*', n, 'mask', 'Another person (UU 27/2022, article 33)'
FROM   unnest('{assessor_id,assessor_name,assessor_nip,superior_id,superior_name,superior_nip,rater_id,rater_name,giver,leader,decided_by,approved_by,finalized_by,undone_by,agreed_by,closed_by,checked_by,
                penilaiNama,penilaiNipNrp,penilaiGolongan}'::text[]) n;
INSERT INTO export_column (relation, name, treatment, reason) VALUES
    ('asn_merge', 'into_id', 'omit', 'Its own record''s id, that of asn_id'),
    ('asn_merge', 'merged_id', 'omit', 'An id that is gone'),
    ('asn_merge', 'merged_nip', 'mask', 'After a merge that was undone it is another person''s; while it holds, the number stands in the history of NIPs'),
    ('asn_merge', 'nips', 'mask', 'As merged_nip'),
    ('asn_merge', 'record', 'omit', 'As merged_nip'),
    ('asn_merge', 'moved', 'omit', 'Counts'),
    ('asn_merge', 'voided', 'omit', 'Counts'),
    ('certificate_edition', 'code', 'keep', 'His own certificate''s'),
    ('document', 'file_name', 'keep', 'Of a file'),
    ('learning_entry', 'counted_by', 'keep', 'How hours are counted');

CREATE TABLE export_label (
    relation text CONSTRAINT export_label_pkey PRIMARY KEY,
    label    text NOT NULL
);
COMMENT ON TABLE export_label IS 'What a reference to a row of such a table is told as, beside its id: an id alone says nothing to a person.';
COMMENT ON COLUMN export_label.relation IS 'Name of the table that is referred to';
COMMENT ON COLUMN export_label.label IS 'SQL on its row x';
INSERT INTO export_label VALUES
    ('unit', 'x.name'),
    ('programme', 'x.name'),
    ('period', 'x.name'),
    ('service', 'x.name'),
    ('activity', 'x.title'),
    ('session', '(SELECT p.name FROM programme p WHERE p.id = x.programme_id)');

-- ── all that is kept of a person ─────────────────────────────────────────────────────────────────────────────────────────

CREATE FUNCTION export_treatment(me text, called text) RETURNS text
LANGUAGE sql STABLE
RETURN (SELECT c.treatment FROM export_column c WHERE c.name = called AND c.relation IN ('*', me) ORDER BY c.relation = '*' LIMIT 1);
COMMENT ON FUNCTION export_treatment(text, text) IS 'What becomes of a column when the person is told; null: it is told as it is.';

CREATE FUNCTION export_scrub(value jsonb, hidden text[]) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE STRICT AS $$
BEGIN
    IF jsonb_typeof(value) = 'array' THEN
        RETURN coalesce((SELECT jsonb_agg(export_scrub(v, hidden) ORDER BY n) FROM jsonb_array_elements(value) WITH ORDINALITY AS e (v, n)), '[]');
    ELSIF jsonb_typeof(value) <> 'object' THEN
        RETURN value;
    END IF;
    RETURN coalesce((SELECT jsonb_object_agg(k, CASE WHEN v = 'null' THEN v WHEN k = ANY (hidden) THEN '"***"' ELSE export_scrub(v, hidden) END)
                     FROM   jsonb_each(value) AS e (k, v)), '{}');
END $$;
COMMENT ON FUNCTION export_scrub(jsonb, text[]) IS 'JSON with *** for these members, at whatever depth.';

CREATE FUNCTION export_condition(me text, side text) RETURNS text
LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF me = 'asn' THEN
        RETURN side || '.id = $1';
    END IF;
    RETURN (SELECT string_agg(CASE WHEN r.of = 'asn' THEN format('%s.%I = $1', side, r.place)
                                   ELSE format('%s.%I IN (SELECT %4$s.id FROM %3$I %4$s WHERE %5$s)', side, r.place, r.of, side || 'u', export_condition(r.of, side || 'u')) END, ' OR ' ORDER BY r.place)
            FROM   row_rule r WHERE r.relation = me);
END $$;
COMMENT ON FUNCTION export_condition(text, text) IS 'Which rows of the table are those of the person $1, as SQL on the rows called side: by row_rule, step by step to asn.';

CREATE FUNCTION export_labels(me text) RETURNS text
LANGUAGE sql STABLE
RETURN (SELECT string_agg(format(' || CASE WHEN t.%1$I IS NULL THEN ''{}'' ELSE jsonb_build_object(%2$L, (SELECT %3$s FROM %4$I x WHERE x.id = t.%1$I)) END',
                                 a.attname, regexp_replace(a.attname, '_id$', ''), l.label, l.relation), '' ORDER BY a.attname)
        FROM   pg_constraint k
        JOIN   pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = k.conkey[1]
        JOIN   export_label l ON to_regclass(l.relation) = k.confrelid
        WHERE  k.conrelid = to_regclass(me) AND k.contype = 'f' AND cardinality(k.conkey) = 1 AND a.attname LIKE '%\_id');
COMMENT ON FUNCTION export_labels(text) IS 'What the references of a table''s row t are told as, as SQL.';

CREATE FUNCTION export_row(me text) RETURNS text
LANGUAGE sql STABLE
RETURN (SELECT format('to_jsonb(t) - %L::text[]', coalesce(array_agg(a.attname ORDER BY a.attname) FILTER (WHERE export_treatment(me, a.attname) = 'omit'), '{}'))
        FROM   pg_attribute a WHERE a.attrelid = to_regclass(me) AND a.attnum > 0 AND NOT a.attisdropped);
COMMENT ON FUNCTION export_row(text) IS 'A row t of the table as the person is told it, as SQL, but for what is masked.';

CREATE FUNCTION personal_data_of(which uuid) RETURNS TABLE (section text, relation text, title text, rows jsonb)
LANGUAGE plpgsql STABLE AS $$
DECLARE
    t      record;
    hidden text[];
    found  jsonb;
BEGIN
    FOR t IN SELECT * FROM export_table x ORDER BY x.place LOOP
        hidden := ARRAY(SELECT c.name FROM export_column c WHERE c.relation IN ('*', t.relation) AND c.treatment = 'mask');
        EXECUTE format('SELECT jsonb_agg(export_scrub(s.told, $2) ORDER BY s.key) FROM (SELECT %s%s AS told, %s AS key FROM %I t WHERE %s) s',
                       export_row(t.relation), coalesce(export_labels(t.relation), ''),
                       (SELECT format('ARRAY[%s]', string_agg(format('t.%I::text', a.attname), ', ' ORDER BY array_position(i.indkey::smallint[], a.attnum)))
                        FROM   pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey) WHERE i.indrelid = to_regclass(t.relation) AND i.indisprimary),
                       t.relation, export_condition(t.relation, 't'))
        INTO found USING which, hidden;
        RETURN QUERY SELECT t.section, t.relation, t.title, coalesce(found, '[]');
    END LOOP;
END $$;
COMMENT ON FUNCTION personal_data_of(uuid) IS 'All that is kept of a person, table by table, as he is told it: other people masked.';

CREATE FUNCTION export_faults() RETURNS SETOF text
LANGUAGE sql STABLE AS $$
    SELECT format('the table %s names a person and is neither told to him nor exempt', n.relation)
    FROM   (SELECT k.conrelid::regclass::text AS relation FROM pg_constraint k WHERE k.contype = 'f' AND k.confrelid IN (SELECT to_regclass(r.relation) FROM row_rule r)
            UNION
            SELECT r.relation FROM row_rule r
            UNION
            SELECT c.relname::text FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
            WHERE  c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND a.attname IN ('asn_id', 'nip', 'person_id') AND a.attnum > 0 AND NOT a.attisdropped) n
    WHERE  n.relation NOT IN (SELECT t.relation FROM export_table t UNION SELECT x.relation FROM export_exempt x)
    UNION ALL
    SELECT format('whose the rows of %s are is not said by row_rule', t.relation) FROM export_table t WHERE t.relation NOT IN (SELECT r.relation FROM row_rule r)
    UNION ALL
    SELECT format('there is no table %s', t.relation)
    FROM   (SELECT relation FROM export_table UNION ALL SELECT relation FROM export_exempt UNION ALL SELECT relation FROM export_label) t WHERE to_regclass(t.relation) IS NULL
    UNION ALL
    SELECT format('%s.%s looks as if it named another person, and export_column does not know it', t.relation, a.attname)
    FROM   export_table t JOIN pg_attribute a ON a.attrelid = to_regclass(t.relation) AND a.attnum > 0 AND NOT a.attisdropped
    WHERE  export_treatment(t.relation, a.attname) IS NULL
           AND (a.attname ~ '(_name|_by|_nip|_key)$'
                OR EXISTS (SELECT FROM pg_constraint k WHERE k.conrelid = a.attrelid AND k.contype = 'f' AND k.confrelid = 'asn'::regclass AND k.conkey = ARRAY[a.attnum])
                   AND NOT EXISTS (SELECT FROM row_rule r WHERE r.relation = t.relation AND r.place = a.attname))
$$;
COMMENT ON FUNCTION export_faults() IS 'What was forgotten of personal_data_of(): tables and columns that nobody has decided on. None: nothing.';

-- ── the trail ────────────────────────────────────────────────────────────────────────────────────────────────────────────

CREATE VIEW processing_trail AS
SELECT e.id, e.at, c.kind, c.name, e.operation, c.action, c.entity,
       CASE WHEN c.action = 'read' THEN coalesce(c.members, '{}')
            ELSE ARRAY(SELECT jsonb_object_keys(coalesce(c.before, '{}') || coalesce(c.after, '{}')) ORDER BY 1) END AS members,
       e.asn_id IS NOT NULL AS alone, CASE WHEN e.asn_id IS NOT NULL THEN c.reason END AS reason, c.purpose, c.request AS request_id,
       e.asn_id AS _asn_id, e.people AS _people
FROM   audit_entry e
CROSS  JOIN LATERAL jsonb_to_record(e.content::jsonb)
       AS c (kind text, name text, request text, reason text, purpose text, action text, entity text, before jsonb, after jsonb, members text[]);
COMMENT ON VIEW processing_trail IS
    'Who did what with whose data: names of what was changed or read, no values, which may be other people''s. Of _columns the API shows nothing.';

SELECT audit_quietly('{audit_exempt}', $q$
    INSERT INTO audit_exempt (relation, reason) VALUES
        ('export_table', 'The schema''s own: changed by migrations alone'),
        ('export_exempt', 'The schema''s own: changed by migrations alone'),
        ('export_column', 'The schema''s own: changed by migrations alone'),
        ('export_label', 'The schema''s own: changed by migrations alone')
$q$);

SELECT audit_quietly('{row_definer}', $q$
    INSERT INTO row_definer VALUES
        ('personal_data_of', 'All rows of one person, whom the statement around it must see; below policies on fifty tables it would take seconds')
$q$);

SELECT audit_attach();
SELECT row_security_attach();
