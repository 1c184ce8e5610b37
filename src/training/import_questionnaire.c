/* SPDX-License-Identifier: Apache-2.0 */
/* What the importer must know of questionnaires on paper: a row is one form, or one answer of it. Forms come in batches, each counted once and as a whole:
 * which form said what is not kept. */
#include "asnd/training.h"

#include <string.h>

#include "asnd/buf.h"
#include "asnd/stream.h"
#include "asnd/uuid.h"

#define ALIASES(...) ((const char *const[]){__VA_ARGS__, NULL})

static const struct import_word roles[] = {
    {"participant", "participant"}, {"peserta", "participant"}, {"self", "self"},  {"sendiri", "self"}, {"superior", "superior"},
    {"atasan", "superior"},         {"peer", "peer"},           {"rekan", "peer"}, {NULL, NULL}};
static const struct import_word answers[] = {
    {"1", "1"},          {"2", "2"},      {"3", "3"},          {"4", "4"},           {"tidakbaik", "1"},
    {"kurangbaik", "2"}, {"baik", "3"},   {"sangatbaik", "4"}, {"tidakpernah", "1"}, {"kadangkadang", "2"},
    {"sering", "3"},     {"selalu", "4"}, {NULL, NULL}};

enum { SESSION, ROLE, BATCH, FORM, FIRST, LAST = FIRST + 19, ITEM, ANSWER, N_FIELDS };

#define ANSWER_OF(column)                                                                                                                  \
    {                                                                                                                                      \
        column, NULL, IMPORT_WORD, 0, answers, "answer-range"                                                                              \
    }

/* In the order of the stage. */
static const struct import_field fields[N_FIELDS] = {
    [SESSION] = {"session_id", ALIASES("idangkatan", "angkatan"), IMPORT_TEXT, UUID_TEXT_SIZE - 1, .need = "session_id"},
    [ROLE] = {"role", ALIASES("penjawab", "peran"), IMPORT_WORD, 0, roles, "role-unknown", .need = "role"},
    [BATCH] = {"batch", ALIASES("kelompok", "bundel"), IMPORT_TEXT, 60, .need = "batch"},
    [FORM] = {"form", ALIASES("nomorformulir", "formulir"), IMPORT_TEXT, 60, .need = "form"},
    [FIRST] = ANSWER_OF("R1"),
    [FIRST + 1] = ANSWER_OF("R2"),
    [FIRST + 2] = ANSWER_OF("R3"),
    [FIRST + 3] = ANSWER_OF("R4"),
    [FIRST + 4] = ANSWER_OF("R5"),
    [FIRST + 5] = ANSWER_OF("R6"),
    [FIRST + 6] = ANSWER_OF("R7"),
    [FIRST + 7] = ANSWER_OF("R8"),
    [FIRST + 8] = ANSWER_OF("R9"),
    [FIRST + 9] = ANSWER_OF("R10"),
    [FIRST + 10] = ANSWER_OF("B1"),
    [FIRST + 11] = ANSWER_OF("B2"),
    [FIRST + 12] = ANSWER_OF("B3"),
    [FIRST + 13] = ANSWER_OF("B4"),
    [FIRST + 14] = ANSWER_OF("B5"),
    [FIRST + 15] = ANSWER_OF("B6"),
    [FIRST + 16] = ANSWER_OF("B7"),
    [FIRST + 17] = ANSWER_OF("B8"),
    [FIRST + 18] = ANSWER_OF("B9"),
    [LAST] = ANSWER_OF("B10"),
    [ITEM] = {"item", ALIASES("butir"), IMPORT_TEXT, 40},
    [ANSWER] = {"answer", ALIASES("jawaban"), IMPORT_WORD, 0, answers, "answer-range"},
};

/* Extra: the answers of the columns, by item. */
static void check(struct import_row *row)
{
    const char *session = row->values[SESSION];
    struct buf out;

    if (import_has_value(row, SESSION) && !uuid_is_valid(session, strlen(session))) {
        row->values[SESSION] = NULL;
        import_fault(row, "session_id", "session-unknown", session, NULL, "There is no such session.", "Angkatan ini tidak ada.");
    }
    buf_init(&out, row->arena, 128);
    for (size_t field = FIRST; field <= LAST; field++)
        if (import_has_value(row, field))
            buf_printf(&out, "%s\"%s\":%s", out.len ? "," : "{", fields[field].name, row->values[field]);
    if (import_has_value(row, ITEM) != import_has_value(row, ANSWER) && !row->first_fault)
        import_fault(row, "answer", "answer-alone", row->values[ANSWER], NULL, "An item has an answer, and an answer an item.",
                     "Butir memiliki jawaban, dan jawaban memiliki butir.");
    else if (out.len == 0 && !import_has_value(row, ITEM) && !row->first_fault)
        import_fault(row, NULL, "nothing-answered", NULL, NULL, "Nothing is answered here.", "Tidak ada yang dijawab di sini.");
    buf_puts(&out, out.len ? "}" : "{}");
    row->extras[0] = buf_cstr(&out);
}

static const struct import_wording wordings[] = {
    {"session-unknown", "There is no such session.", "Angkatan ini tidak ada."},
    {"session-foreign", "The session belongs to another unit than those of this key.",
     "Angkatan ini milik unit lain, bukan unit kunci ini."},
    {"session-cancelled", "The session was cancelled.", "Angkatan ini dibatalkan."},
    {"too-early", "This is asked later: a session on its last day, behaviour months after it.",
     "Ini ditanyakan kemudian: reaksi pada hari terakhir, perilaku beberapa bulan sesudahnya."},
    {"answer-unasked", "The questionnaire of that day does not ask this.", "Kuesioner pada hari itu tidak menanyakan butir ini."},
    {"duplicate-row", "The same answer of this form was taken from an earlier line:",
     "Jawaban yang sama dari formulir ini sudah diambil dari baris sebelumnya:"},
    {"batch-counted", "This batch was counted already, with another number of forms; send what is new as another batch. Counted:",
     "Kelompok ini sudah dihitung dengan jumlah formulir lain; kirim yang baru sebagai kelompok lain. Terhitung:"},
    {"batch-few", "A batch has at least as many forms as may be shown; so few would be known by their answers:",
     "Satu kelompok berisi sedikitnya sebanyak yang boleh ditampilkan; jumlah ini terlalu sedikit sehingga jawabannya dapat dikenali:"},
    {"batch-broken", "Another row of this batch is refused; a batch is counted as a whole.",
     "Baris lain dalam kelompok ini ditolak; satu kelompok dihitung seluruhnya."},
    {NULL, NULL, NULL},
};

const struct import_kind import_questionnaires = {
    .name = "questionnaire",
    .reader_scopes = ALIASES("training.read"),
    .fields = fields,
    .n_fields = N_FIELDS,
    .n_extras = 1,
    .check = check,
    .stages = ALIASES("import.stage", "importQuestionnaires.stage"),
    .table = "import_stage_questionnaire",
    .batch_rows = 100000, /* so that no batch of forms is cut */
    .batch_bytes = 128 << 20,
    .merges = ALIASES("importQuestionnaires.lock", "importQuestionnaires.merge"),
    .wordings = wordings,
};
