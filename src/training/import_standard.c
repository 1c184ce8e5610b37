/* SPDX-License-Identifier: Apache-2.0 */
/* What the importer must know of competency standards: a row is one level that a level of position, a position, or a post requires. */
#include "asnd/training.h"

#include "asnd/stream.h"

#define ALIASES(...) ((const char *const[]){__VA_ARGS__, NULL})

static const struct import_word kinds[] = {
    {"struktural", "struktural"}, {"fungsional", "fungsional"}, {"pelaksana", "pelaksana"}, {NULL, NULL}};
static const struct import_word levels[] = {{"0", "0"}, {"1", "1"}, {"2", "2"}, {"3", "3"}, {"4", "4"}, {"5", "5"}, {NULL, NULL}};

enum { POSITION_LEVEL, POSITION_KIND, POSITION, UNIT_CODE, COMPETENCY, LEVEL, VALID_FROM, VALID_UNTIL, SOURCE, N_FIELDS };

/* In the order of the stage. */
static const struct import_field fields[N_FIELDS] = {
    [POSITION_LEVEL] = {"position_level", ALIASES("jenjang", "jenjangjabatan"), IMPORT_TEXT, 40},
    [POSITION_KIND] = {"position_kind", ALIASES("jenisjabatan"), IMPORT_WORD, 0, kinds, "position-kind-unknown"},
    [POSITION] = {"position", ALIASES("jabatan", "namajabatan"), IMPORT_TEXT, 200},
    [UNIT_CODE] = {"unit_code", ALIASES("kodeunit", "unorkode"), IMPORT_TEXT, 64},
    [COMPETENCY] = {"competency", ALIASES("kompetensi"), IMPORT_TEXT, 300, .need = "competency"},
    [LEVEL] = {"level", ALIASES("levelkompetensi", "standar"), IMPORT_WORD, 0, levels, "level-range", .need = "level"},
    [VALID_FROM] = {"valid_from", ALIASES("berlakusejak", "tmt"), IMPORT_DATE, .need = "valid_from"},
    [VALID_UNTIL] = {"valid_until", ALIASES("berlakusampai"), IMPORT_DATE},
    [SOURCE] = {"source", ALIASES("sumber", "dasarhukum"), IMPORT_TEXT, 300},
};

static void check(struct import_row *row)
{
    bool is_of_position = import_has_value(row, POSITION);

    if (is_of_position == import_has_value(row, POSITION_LEVEL) ||
        (is_of_position != import_has_value(row, POSITION_KIND) && !import_has_fault(row, "position_kind")) ||
        (import_has_value(row, UNIT_CODE) && !is_of_position))
        import_fault(row, "position", "standard-of-one", row->values[POSITION], NULL,
                     "A standard is of a level of position, or of a position with its kind; a unit goes with a position only.",
                     "Standar berlaku untuk jenjang jabatan, atau untuk jabatan dengan jenisnya; unit hanya bersama jabatan.");
}

static const struct import_wording wordings[] = {
    {"competency-unknown", "The list competency-standard has no such competency on that day.",
     "Daftar competency-standard tidak memuat kompetensi ini pada tanggal itu."},
    {"position-level-unknown", "There is no such level of position on that day.", "Jenjang jabatan ini tidak ada pada tanggal itu."},
    {"unit-unknown", "There is no such unit among yours.", "Unit ini tidak ada di antara unit Anda."},
    {"standard-of-all", "A standard without a unit is everybody's; this key sees a part only: name the unit.",
     "Standar tanpa unit berlaku untuk semua; kunci ini hanya melihat sebagian: sebutkan unitnya."},
    {"range-empty", "The last day lies before the first.", "Hari terakhir mendahului hari pertama."},
    {"duplicate-row", "The same standard was taken from an earlier line:", "Standar yang sama sudah diambil dari baris sebelumnya:"},
    {NULL, NULL, NULL},
};

const struct import_kind import_competency_standards = {
    .name = "competency-standard",
    .reader_scopes = ALIASES("needs.read"),
    .fields = fields,
    .n_fields = N_FIELDS,
    .check = check,
    .stages = ALIASES("import.stage", "importCompetencyStandards.stage"),
    .table = "import_stage_competency_standard",
    .batch_rows = 20000,
    .batch_bytes = 16 << 20,
    .merges = ALIASES("importCompetencyStandards.lock", "importCompetencyStandards.merge"),
    .wordings = wordings,
};
