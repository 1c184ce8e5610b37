/* SPDX-License-Identifier: Apache-2.0 */
/* What the importer must know of reference rows. A code that another row of the same file replaces from a later day on is closed by it. */
#include "asnd/reference.h"

#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "asnd/arena.h"
#include "asnd/buf.h"
#include "asnd/db.h"

#define ALIASES(...) ((const char *const[]){__VA_ARGS__, NULL})
#define FACTS_MAX    4000

enum { LIST, CODE, NAME, NAME_EN, SIASN_ID, PARENT, SEQ, FACTS, OTHER_WORDS, VALID_FROM, VALID_TO, SOURCE, N_FIELDS };

/* In the order of the stage. */
static const struct import_field fields[N_FIELDS] = {
    [LIST] = {"list", ALIASES("daftar"), IMPORT_TEXT, 63, .need = "list"},
    [CODE] = {"code", ALIASES("kode"), IMPORT_TEXT, 40, .need = "code"},
    [NAME] = {"name", ALIASES("nama"), IMPORT_TEXT, 300, .need = "name"},
    [NAME_EN] = {"name_en", ALIASES("namainggris"), IMPORT_TEXT, 300},
    [SIASN_ID] = {"siasn_id", ALIASES("idsiasn"), IMPORT_TEXT, 64},
    [PARENT] = {"parent", ALIASES("kodeinduk"), IMPORT_TEXT, 40},
    [SEQ] = {"seq", ALIASES("urutan"), IMPORT_TEXT, 9, .is_derived = true},
    [FACTS] = {"facts", NULL, IMPORT_TEXT, FACTS_MAX, .is_derived = true},
    [OTHER_WORDS] = {"aliases", NULL, IMPORT_TEXT, FACTS_MAX},
    [VALID_FROM] = {"valid_from", ALIASES("berlakudari"), IMPORT_DATE},
    [VALID_TO] = {"valid_to", ALIASES("berlakusampai"), IMPORT_DATE},
    [SOURCE] = {"source", ALIASES("sumber"), IMPORT_TEXT, 300, .is_derived = true},
};

static bool is_one_of(const char *word, const char *const *words, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(word, words[i]) == 0)
            return true;
    return false;
}

static void refuse(struct import_row *row, size_t field, const char *code, const char *en, const char *id)
{
    import_fault(row, fields[field].name, code, row->values[field], NULL, en, id);
    row->values[field] = NULL;
}

static bool has_value(const struct import_row *row, size_t field)
{
    return row->values[field] && row->values[field][0];
}

/* As the contract has it: a letter or digit, then those and / . _ - */
static bool is_code(const char *text)
{
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789/._-";

    return strspn(text, allowed) == strlen(text) && strchr("/._-", text[0]) == NULL;
}

static void check_code(struct import_row *row, size_t field)
{
    if (has_value(row, field) && !is_code(row->values[field]))
        refuse(row, field, "code-form", "A code has letters, digits and / . _ - only.",
               "Kode hanya boleh berisi huruf, angka, dan / . _ -");
}

/* Of the list retention, as retention_form() has it in the database: what goes has a time, from 1 to 99 years, and some things never go. */
static bool is_retention(const char *code, const json_t *facts)
{
    static const char *const going[] = {"person", "change-request", "complaint", "feedback", "survey-receipt", "import-reject"},
                             *const staying[] = {"ticket", "survey-answer", "evaluation", "audit", "answer-kept"};
    const char *action = json_string_value(json_object_get(facts, "action"));
    json_int_t years = json_integer_value(json_object_get(facts, "years"));
    if (!action || !code || !json_is_string(json_object_get(facts, "event")))
        return false;
    if (strcmp(action, "keep") == 0)
        return !json_object_get(facts, "years") &&
               (is_one_of(code, going, ARRAY_LEN(going)) || is_one_of(code, staying, ARRAY_LEN(staying)));
    return (strcmp(action, "pseudonymise") == 0 || strcmp(action, "erase") == 0) && years >= 1 && years <= 99 &&
           is_one_of(code, going, ARRAY_LEN(going));
}

static void check_facts(struct import_row *row)
{
    json_t *facts;

    if (!has_value(row, FACTS))
        return;
    facts = json_loads(row->values[FACTS], JSON_REJECT_DUPLICATES, NULL);
    if (!json_is_object(facts))
        refuse(row, FACTS, "not-json", "This must be a JSON object.", "Ini harus objek JSON.");
    else if (has_value(row, LIST) && strcmp(row->values[LIST], "retention") == 0 && !is_retention(row->values[CODE], facts))
        refuse(row, FACTS, "retention-form", "A rule of retention has event, action, and years (1 to 99) of what goes.",
               "Aturan retensi memiliki event, action, dan years (1 sampai 99) untuk data yang dihapus.");
    json_decref(facts);
}

/* A JSON array as the lists give it, or words with ; between them: kept as a JSON array. */
static void check_words(struct import_row *row)
{
    const char *text = row->values[OTHER_WORDS];
    json_t *words;
    struct buf out;

    if (!has_value(row, OTHER_WORDS))
        return;
    if (*text == '[') {
        size_t i;
        const json_t *word;
        bool is_fine;
        words = json_loads(text, 0, NULL);
        is_fine = json_is_array(words);
        json_array_foreach(words, i, word) is_fine &= json_is_string(word);
        if (!is_fine)
            refuse(row, OTHER_WORDS, "not-json", "This must be a JSON array of texts, or words with ; between them.",
                   "Ini harus larik JSON berisi teks, atau kata-kata yang dipisahkan ;.");
        json_decref(words);
        return;
    }
    buf_init(&out, row->arena, strlen(text) + 16);
    while (*text) {
        size_t n = strcspn(text, ";");
        struct slice word = slice_trim((struct slice){text, n});
        if (word.len > 0) {
            buf_putc(&out, out.len ? ',' : '[');
            buf_json_string(&out, word.data, word.len);
        }
        text += n + (text[n] == ';');
    }
    buf_puts(&out, out.len ? "]" : "[]");
    row->values[OTHER_WORDS] = buf_cstr(&out);
}

static void check(struct import_row *row)
{
    check_code(row, CODE);
    check_code(row, PARENT);
    if (has_value(row, SEQ) && strspn(row->values[SEQ], "0123456789") != strlen(row->values[SEQ]))
        refuse(row, SEQ, "not-a-number", "This must be a whole number.", "Ini harus bilangan bulat.");
    check_facts(row);
    check_words(row);
}

static enum status merge(struct ctx *ctx, struct db_conn *conn, const struct sql_set *set, const struct import_sender *sender,
                         struct import_merged *ret)
{
    PGresult *res;
    enum status st = db_query(ctx, conn, set, "importReferences.lock", &res, NULL);

    (void)sender; /* who may send any may send all: lists have no units */
    if (st == ST_OK)
        st = db_query(ctx, conn, set, "importReferences.merge", &res, NULL);
    if (st != ST_OK)
        return st;
    int last = PQntuples(res) - 1; /* the counts */
    ret->faults = res;
    ret->n_faults = last;
    ret->created = strtoll(PQgetvalue(res, last, 5), NULL, 10);
    ret->updated = strtoll(PQgetvalue(res, last, 6), NULL, 10);
    return ST_OK;
}

static const struct import_wording wordings[] = {
    {"list-unknown", "There is no such list.", "Daftar ini tidak ada."},
    {"range-empty", "The last day lies before the first.", "Hari terakhir mendahului hari pertama."},
    {"range-overlap",
     "Another row of this code holds on some of these days, from:", "Baris lain kode ini berlaku pada sebagian hari itu, sejak:"},
    {"duplicate-row", "The same row was taken from an earlier line:", "Baris yang sama sudah diambil dari baris sebelumnya:"},
    {NULL, NULL, NULL},
};

const struct import_kind import_references = {
    .name = "reference",
    .reader_scopes = ALIASES("reference.read"),
    .fields = fields,
    .n_fields = N_FIELDS,
    .check = check,
    .stages = ALIASES("import.stage", "importReferences.stage"),
    .table = "import_stage_reference",
    .batch_rows = 100000, /* a list whole, so that rows that follow each other are seen together */
    .batch_bytes = 64 << 20,
    .merge = merge,
    .wordings = wordings,
};
