/* SPDX-License-Identifier: Apache-2.0 */
/* What the importer must know of assessments: a row has columns for the nine competencies of Permenpan RB 38/2017, and one that names any other. */
#include "asnd/training.h"

#include "asnd/buf.h"
#include "asnd/stream.h"

#define ALIASES(...) ((const char *const[]){__VA_ARGS__, NULL})

static const struct import_word methods[] = {{"assessmentcenter", "assessment_center"},
                                             {"test", "test"},
                                             {"interview", "interview"},
                                             {"superior", "superior"},
                                             {"peer", "peer"},
                                             {"self", "self"},
                                             {"ujikompetensi", "test"},
                                             {"wawancara", "interview"},
                                             {"atasan", "superior"},
                                             {"rekan", "peer"},
                                             {"mandiri", "self"},
                                             {NULL, NULL}};
static const struct import_word levels[] = {{"0", "0"}, {"1", "1"}, {"2", "2"}, {"3", "3"}, {"4", "4"}, {"5", "5"}, {NULL, NULL}};

enum { NIP, ASSESSED_ON, METHOD, SOURCE, VALID_UNTIL, FIRST, LAST = FIRST + 8, COMPETENCY, LEVEL, N_FIELDS };

/* In the order of the stage. */
static const struct import_field fields[N_FIELDS] = {
    [NIP] = {"nip", ALIASES("nipbaru"), IMPORT_DIGITS, 18, .need = "nip"},
    [ASSESSED_ON] = {"assessed_on", ALIASES("tanggal", "tanggalpenilaian"), IMPORT_DATE, .need = "assessed_on"},
    [METHOD] = {"method", ALIASES("metode"), IMPORT_WORD, 0, methods, "method-unknown", .need = "method"},
    [SOURCE] = {"source", ALIASES("penilai", "lembagapenilai"), IMPORT_TEXT, 200, .need = "source"},
    [VALID_UNTIL] = {"valid_until", ALIASES("berlakusampai"), IMPORT_DATE, .is_derived = true},
    [FIRST] = {"integritas", NULL, IMPORT_WORD, 0, levels, "level-range"},
    [FIRST + 1] = {"kerja_sama", NULL, IMPORT_WORD, 0, levels, "level-range"},
    [FIRST + 2] = {"komunikasi", NULL, IMPORT_WORD, 0, levels, "level-range"},
    [FIRST + 3] = {"orientasi_hasil", ALIASES("orientasipadahasil"), IMPORT_WORD, 0, levels, "level-range"},
    [FIRST + 4] = {"pelayanan_publik", NULL, IMPORT_WORD, 0, levels, "level-range"},
    [FIRST + 5] = {"pengembangan_diri", ALIASES("pengembangandiridanoranglain"), IMPORT_WORD, 0, levels, "level-range"},
    [FIRST + 6] = {"mengelola_perubahan", NULL, IMPORT_WORD, 0, levels, "level-range"},
    [FIRST + 7] = {"pengambilan_keputusan", NULL, IMPORT_WORD, 0, levels, "level-range"},
    [LAST] = {"perekat_bangsa", NULL, IMPORT_WORD, 0, levels, "level-range"},
    [COMPETENCY] = {"competency", ALIASES("kompetensi"), IMPORT_TEXT, 300},
    [LEVEL] = {"level", ALIASES("levelkompetensi"), IMPORT_WORD, 0, levels, "level-range"},
};

/* Extras: the levels of the nine as competency_assessment keeps them, and an id. */
static void check(struct import_row *row)
{
    struct buf out;

    buf_init(&out, row->arena, 256);
    for (size_t field = FIRST; field <= LAST; field++)
        if (import_has_value(row, field))
            buf_printf(&out, "%s\"%s\":%s", out.len ? "," : "{", fields[field].name, row->values[field]);
    if (import_has_value(row, COMPETENCY) != import_has_value(row, LEVEL) && !row->first_fault)
        import_fault(row, "level", "level-alone", row->values[LEVEL], NULL, "A competency has a level, and a level a competency.",
                     "Kompetensi memiliki level, dan level memiliki kompetensi.");
    else if (out.len == 0 && !import_has_value(row, COMPETENCY) && !row->first_fault)
        import_fault(row, NULL, "nothing-assessed", NULL, NULL, "No competency has a level here.",
                     "Tidak ada kompetensi yang dinilai di sini.");
    buf_puts(&out, out.len ? "}" : "{}");
    row->extras[0] = buf_cstr(&out);
    row->extras[1] = import_new_id(row);
}

static const struct import_wording wordings[] = {
    {"person-unknown", "There is no such person in your units.", "Pegawai ini tidak ada di unit Anda."},
    {"own-record", "Nobody does this for his own record.", "Tidak seorang pun melakukan ini untuk datanya sendiri."},
    {"restricted", "The processing of this person's data is restricted.", "Pemrosesan data orang ini dibatasi."},
    {"competency-unknown", "The list competency-standard has no such competency on that day.",
     "Daftar competency-standard tidak memuat kompetensi ini pada tanggal itu."},
    {"in-future", "This day has not come yet.", "Tanggal ini belum tiba."},
    {"range-empty", "It must hold for a day at least.", "Penilaian harus berlaku sedikitnya satu hari."},
    {"duplicate-row", "A competency of this assessment was taken from an earlier line:",
     "Kompetensi dari penilaian ini sudah diambil dari baris sebelumnya:"},
    {NULL, NULL, NULL},
};

const struct import_kind import_competency_assessments = {
    .name = "competency-assessment",
    .reader_scopes = ALIASES("needs.read"),
    .fields = fields,
    .n_fields = N_FIELDS,
    .n_extras = 2,
    .check = check,
    .stages = ALIASES("import.stage", "importCompetencyAssessments.stage"),
    .table = "import_stage_competency_assessment",
    .batch_rows = 20000,
    .batch_bytes = 16 << 20,
    .merges = ALIASES("importCompetencyAssessments.lock", "importCompetencyAssessments.merge"),
    .wordings = wordings,
};
