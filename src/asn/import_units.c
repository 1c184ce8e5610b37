/* SPDX-License-Identifier: Apache-2.0 */
/* What the importer must know of units. A unit may stand before the one above it, so a whole file is judged as the tree that it would make
 * (import_asn.sql), and stored as that. */
#include "asnd/asn.h"

#include <stdlib.h>
#include <string.h>

#include "asnd/arena.h"
#include "asnd/uuid.h"

#define ALIASES(...) ((const char *const[]){__VA_ARGS__, NULL})
#define ROUNDS_MAX   64

static const struct import_word kinds[] = {
    {"instansi", "instansi"},
    {"sekretariat", "sekretariat"},
    {"dinas", "dinas"},
    {"badan", "badan"},
    {"inspektorat", "inspektorat"},
    {"kecamatan", "kecamatan"},
    {"kelurahan", "kelurahan"},
    {"desa", "kelurahan"},
    {"rumahsakit", "rumah_sakit"},
    {"rsud", "rumah_sakit"},
    {"puskesmas", "puskesmas"},
    {"sekolah", "sekolah"},
    {"uptd", "uptd"},
    {"bagian", "bagian"},
    {"bidang", "bidang"},
    {"subbagian", "subbagian"},
    {"subbidang", "subbidang"},
    {"seksi", "seksi"},
    {"lainnya", "lainnya"},
    {NULL, NULL},
};

static const struct import_word truths[] = {
    {"true", "true"}, {"false", "false"}, {"ya", "true"},        {"tidak", "false"}, {"1", "true"},
    {"0", "false"},   {"aktif", "true"},  {"t", "true"},         {"f", "false"},     {"tidakaktif", "false"},
    {"yes", "true"},  {"no", "false"},    {"nonaktif", "false"}, {NULL, NULL},
};

enum { CODE, NAME, KIND, PARENT_CODE, IS_ACTIVE, FROM, DECREE_NUMBER, DECREE_DATE, AGENCY, HEAD_POSITION, N_FIELDS };

/* In the order of the stage. */
static const struct import_field fields[N_FIELDS] = {
    [CODE] = {"code", ALIASES("unorkode", "kodeunor", "kodeunit", "kode"), IMPORT_TEXT, 64, .need = "code"},
    [NAME] = {"name", ALIASES("unornama", "namaunor", "namaunit", "nama"), IMPORT_TEXT, 300, .need = "name"},
    [KIND] = {"kind", ALIASES("jenisunor", "jenisunit", "jenis"), IMPORT_WORD, 0, kinds, "unit-kind-unknown", "kind"},
    [PARENT_CODE] = {"parent_code", ALIASES("unoratasankode", "kodeatasan", "atasankode", "diatasankode", "kodeinduk"), IMPORT_TEXT, 64},
    [IS_ACTIVE] = {"is_active", ALIASES("aktif", "statusaktif"), IMPORT_WORD, 0, truths, "truth-unknown", .is_derived = true},
    [FROM] = {"from", ALIASES("tmt", "berlakusejak", "mulai"), IMPORT_DATE, .is_derived = true},
    [DECREE_NUMBER] = {"decree_number", ALIASES("nomorsk", "nosk", "nomorperda"), IMPORT_TEXT, 120, .is_derived = true},
    [DECREE_DATE] = {"decree_date", ALIASES("tanggalsk", "tglsk", "tanggalperda"), IMPORT_DATE, .is_derived = true},
    [AGENCY] = {"agency", ALIASES("instansiid", "kodeinstansi"), IMPORT_TEXT, 64, .is_derived = true},
    [HEAD_POSITION] = {"head_position", ALIASES("namajabatan", "jabatankepala"), IMPORT_TEXT, 200, .is_derived = true},
};

/* As the contract has it: a letter or digit, then those and . _ / - */
static bool is_code(const char *text)
{
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._/-";

    return strspn(text, allowed) == strlen(text) && strchr("._/-", text[0]) == NULL;
}

static bool is_visible(const char *text)
{
    for (; *text; text++)
        if (*text < '!' || *text > '~')
            return false;
    return true;
}

static void check(struct import_row *row)
{
    char *id = arena_alloc(row->arena, UUID_TEXT_SIZE);
    const char *code = row->values[CODE];

    if (code && *code && !is_code(code)) {
        import_fault(row, "code", "code-form", code, NULL, "A code has letters, digits and . _ / - only.",
                     "Kode hanya boleh berisi huruf, angka, dan . _ / -");
        row->values[CODE] = NULL;
    }
    if (row->values[AGENCY] && !is_visible(row->values[AGENCY])) {
        import_fault(row, "agency", "agency-form", row->values[AGENCY], NULL, "The id of an agency has no spaces.",
                     "ID instansi tidak memuat spasi.");
        row->values[AGENCY] = NULL;
    }
    uuid_new_v7(id);
    row->extras[0] = id;
}

/* What is refused may take from others what they stood on: judged until nothing more is found. */
static enum status judge(struct ctx *ctx, struct db_conn *conn, const struct sql_set *set)
{
    for (int round = 0; round < ROUNDS_MAX; round++) {
        PGresult *res;
        enum status st = db_query(ctx, conn, set, "importUnits.judge", &res, NULL);
        if (st != ST_OK || strcmp(PQgetvalue(res, 0, 0), "0") == 0)
            return st;
    }
    return fail(ctx, ST_INVALID, "invalid", "The moves of this file hang on each other too much; send it in several parts.",
                "Perpindahan dalam berkas ini terlalu saling bergantung; kirim dalam beberapa bagian.");
}

static enum status store(struct ctx *ctx, struct db_conn *conn, const struct sql_set *set, struct import_merged *ret)
{
    PGresult *res, *told, *made = NULL, *changed = NULL;
    enum status st = db_query(ctx, conn, set, "importUnits.place", &res, NULL);

    if (st == ST_OK)
        st = db_query(ctx, conn, set, "importUnits.make", &made, NULL);
    if (st == ST_OK)
        st = db_query(ctx, conn, set, "importUnits.change", &changed, NULL);
    if (st == ST_OK)
        st = db_query(ctx, conn, set, "importUnits.tell", &told, NULL);
    if (st != ST_OK)
        return st;
    ret->created = PQntuples(made);
    ret->updated = PQntuples(changed) + strtoll(PQgetvalue(told, 0, 1), NULL, 10);
    return ST_OK;
}

static enum status plan(struct ctx *ctx, struct db_conn *conn, const struct sql_set *set, const struct import_sender *sender)
{
    PGresult *res;
    enum status st = db_query(ctx, conn, set, "importUnits.lock", &res, NULL);

    if (st == ST_OK)
        st = db_query(ctx, conn, set, "importUnits.lockRows", &res, NULL);
    if (st == ST_OK)
        st = db_sql(ctx, conn, "TRUNCATE import_plan_unit");
    return st == ST_OK ? db_query(ctx, conn, set, "importUnits.plan", &res, "actor_units", sender->units, NULL) : st;
}

static enum status merge(struct ctx *ctx, struct db_conn *conn, const struct sql_set *set, const struct import_sender *sender,
                         struct import_merged *ret)
{
    enum status st = plan(ctx, conn, set, sender);

    if (st == ST_OK)
        st = judge(ctx, conn, set);
    if (st == ST_OK)
        st = store(ctx, conn, set, ret);
    if (st == ST_OK)
        st = db_query(ctx, conn, set, "importUnits.faults", &ret->faults, NULL);
    if (st == ST_OK)
        ret->n_faults = PQntuples(ret->faults);
    return st;
}

static const struct import_wording wordings[] = {
    {"unit-code-taken", "This code belongs to a unit outside yours.", "Kode ini milik unit di luar unit Anda."},
    {"duplicate-row",
     "An earlier line of this file tells this unit otherwise:", "Baris sebelumnya dalam berkas ini memuat unit yang sama secara berbeda:"},
    {"unit-unknown", "There is no such unit above.", "Unit atasan ini tidak ada."},
    {"unit-cycle", "The unit would stand below itself.", "Unit ini akan berada di bawah dirinya sendiri."},
    {"unit-too-deep", "The tree would become deeper than 16 levels.", "Pohon unit akan lebih dari 16 tingkat."},
    {"parent-refused", "The unit above is refused itself.", "Unit atasannya juga ditolak."},
    {"unit-closed", "The unit is closed.", "Unit ini sudah ditutup."},
    {"unit-absent", "On that day the unit above was not there yet; it begins on", "Pada tanggal itu unit atasannya belum ada; mulai"},
    {"unit-order", "A later change of this unit is known, of", "Sudah tercatat perubahan unit ini yang lebih baru, tanggal"},
    {"day-ahead", "The day is still to come; send the row on that day.", "Tanggal itu belum tiba; kirim barisnya pada hari itu."},
    {"unit-agency-taken", "This agency has a root already.", "Instansi ini sudah memiliki unit akar."},
    {"root-forbidden", "Only a key that sees everything may leave out the unit above.",
     "Hanya kunci yang melihat semua unit boleh mengosongkan unit atasan."},
    {NULL, NULL, NULL},
};

const struct import_kind import_units = {
    .name = "unit",
    .reader_scopes = ALIASES("unit.read"),
    .fields = fields,
    .n_fields = N_FIELDS,
    .n_extras = 1,
    .check = check,
    .stages = ALIASES("import.stage", "importUnits.stage", "importUnitsPlan.stage"),
    .table = "import_stage_unit",
    .batch_rows = 100000, /* ten times the units of the largest regency: so that no file is cut between a unit and the one above it */
    .batch_bytes = 128 << 20,
    .merge = merge,
    .wordings = wordings,
};
