/* SPDX-License-Identifier: Apache-2.0 */
/* One row under check: cells are mended and read by their field's form; every fault is kept, so that one pass tells all of them. */
#include "internal.h"

#include <string.h>

#include "asnd/arena.h"
#include "asnd/db.h"
#include "asnd/uuid.h"

#define VALUE_MAX 200 /* bytes of an offending cell that are told */

struct import_row *import_row_new(struct arena *arena, const struct import_kind *kind, int64_t line)
{
    struct import_row *row = arena_zalloc(arena, sizeof *row);

    row->arena = arena;
    row->line = line;
    row->values = arena_zalloc_array(arena, kind->n_fields + kind->n_extras, sizeof *row->values);
    row->extras = row->values + kind->n_fields;
    return row;
}

/* ── faults ── */

static const char *shortened(struct arena *arena, const char *value)
{
    size_t len = value ? strlen(value) : 0;

    if (len <= VALUE_MAX)
        return value;
    len = VALUE_MAX;
    while ((value[len] & 0xc0) == 0x80) /* not within a character */
        len--;
    return arena_printf(arena, "%.*s…", (int)len, value);
}

void import_fault(struct import_row *row, const char *column, const char *code, const char *value, const char *suggestion, const char *en,
                  const char *id)
{
    struct import_fault *fault = arena_zalloc(row->arena, sizeof *fault);

    *fault = (struct import_fault){
        .column = column, .code = code, .value = shortened(row->arena, value), .suggestion = suggestion, .en = en, .id = id};
    if (row->last_fault)
        row->last_fault->next = fault;
    else
        row->first_fault = fault;
    row->last_fault = fault;
}

bool import_has_fault(const struct import_row *row, const char *column)
{
    for (const struct import_fault *fault = row->first_fault; fault; fault = fault->next)
        if (fault->column && strcmp(fault->column, column) == 0)
            return true;
    return false;
}

bool import_has_value(const struct import_row *row, size_t field)
{
    return row->values[field] && row->values[field][0];
}

const char *import_new_id(const struct import_row *row)
{
    char *id = arena_alloc(row->arena, UUID_TEXT_SIZE);

    uuid_new_v7(id);
    return id;
}

void import_row_broken(struct import_row *row, const char *code, const char *value)
{
    static const struct import_wording wordings[] = {
        {"quote-open", "A quotation mark is opened here and never closed.", "Tanda kutip dibuka di sini dan tidak pernah ditutup."},
        {"quote-text", "There is text behind a closing quotation mark.", "Ada teks di belakang tanda kutip penutup."},
        {"row-too-long", "The row is longer than 65536 bytes.", "Baris lebih panjang dari 65536 bita."},
        {"not-utf8",
         "The row is not UTF-8: save the file as \"CSV UTF-8\". Among the refused rows it stands as Windows-1252 has it; see whether the "
         "letters are right.",
         "Baris bukan UTF-8: simpan berkas sebagai \"CSV UTF-8\". Di antara baris yang ditolak, baris ini ditulis menurut Windows-1252; "
         "periksa apakah hurufnya benar."},
        {"columns-missing", "The row has fewer columns than the first line.", "Kolom pada baris ini kurang dari baris pertama."},
        {"columns-surplus", "The row has more columns than the first line.", "Kolom pada baris ini lebih dari baris pertama."},
        {"not-json", "The line is not a JSON object.", "Baris ini bukan objek JSON."},
    };

    for (size_t i = 0; i < ARRAY_LEN(wordings); i++)
        if (strcmp(code, wordings[i].code) == 0)
            import_fault(row, NULL, wordings[i].code, value, NULL, wordings[i].en, wordings[i].id);
}

/* ── cells ── */

static struct mended mend(struct arena *arena, const struct import_field *field, struct slice cell)
{
    switch (field->form) {
    case IMPORT_DIGITS:
        return mend_digits(arena, cell, field->size);
    case IMPORT_DATE:
        return mend_date(arena, cell);
    case IMPORT_PHONE:
        return mend_phone(arena, cell);
    case IMPORT_WORD:
        return field->size ? mend_code(arena, cell, field->size) : mend_text(arena, cell);
    case IMPORT_TEXT:
        break;
    }
    return mend_text(arena, cell);
}

static const char *find_word(const struct import_word *words, const char *text)
{
    char folded[FOLDED_MAX];

    if (!import_fold(slice_of(text), folded))
        return NULL;
    for (; words && words->word; words++)
        if (strcmp(words->word, folded) == 0)
            return words->code;
    return NULL;
}

static void take(const struct import_field *field, struct import_row *row, size_t f, const char *value)
{
    if (field->form == IMPORT_WORD) {
        row->values[f] = find_word(field->words, value);
        if (row->values[f] == NULL)
            import_fault(row, field->name, field->unknown, value, import_word_meant(field->words, value), "This word is not in the list.",
                         "Kata ini tidak ada dalam daftar.");
    } else if (field->form == IMPORT_TEXT && utf8_length(value, strlen(value)) > field->size) {
        import_fault(row, field->name, "too-long", value, NULL, "The text is too long.", "Teks terlalu panjang.");
    } else {
        row->values[f] = value;
    }
}

void import_row_cell(const struct import_kind *kind, struct import_row *row, size_t f, struct slice cell)
{
    const struct import_field *field = &kind->fields[f];
    struct mended m = mend(row->arena, field, cell);

    if (m.damage == DAMAGE_NAMED) {
        import_fault(row, field->name, m.code, m.value, m.suggestion, m.en, m.id);
        return;
    }
    row->n_repaired += m.damage == DAMAGE_REPAIRED;
    if (m.value)
        take(field, row, f, m.value);
    else
        row->values[f] = field->is_derived ? NULL : "";
}

/* ── the whole row ── */

/* One of the fields that share this need has a value, or a fault that says why not. */
static bool is_need_met(const struct import_kind *kind, const struct import_row *row, const char *need)
{
    for (size_t f = 0; f < kind->n_fields; f++) {
        const struct import_field *field = &kind->fields[f];
        if (field->need && strcmp(field->need, need) == 0 && (import_has_value(row, f) || import_has_fault(row, field->name)))
            return true;
    }
    return false;
}

void import_row_check(const struct import_kind *kind, struct import_row *row)
{
    for (size_t f = 0; f < kind->n_fields; f++) {
        const char *need = kind->fields[f].need;
        if (need && !is_need_met(kind, row, need)) /* the first of them is blamed, and then has a fault */
            import_fault(row, kind->fields[f].name, "missing", NULL, NULL, "A value is needed here.", "Harus diisi.");
    }
    kind->check(row);
}

void import_row_stage(const struct import_kind *kind, const struct import_row *row, struct buf *out)
{
    buf_put_i64(out, row->place);
    buf_putc(out, '\t');
    buf_put_i64(out, row->line);
    buf_puts(out, row->first_fault ? "\tt" : "\tf");
    for (size_t i = 0; i < kind->n_fields + kind->n_extras; i++) {
        const char *value = row->values[i];
        buf_putc(out, '\t');
        db_copy_field(out, value, value ? strlen(value) : 0);
    }
    buf_putc(out, '\n');
}
