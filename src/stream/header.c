/* SPDX-License-Identifier: Apache-2.0 */
/* Which column of a file is which field, whatever the export calls it. */
#include "internal.h"

#include <string.h>

#include "asnd/arena.h"

bool import_fold(struct slice text, char ret[FOLDED_MAX])
{
    size_t n = 0;

    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];
        if (c >= 'A' && c <= 'Z')
            c = (char)(c + 32);
        if ((c < 'a' || c > 'z') && (c < '0' || c > '9'))
            continue;
        if (n + 1 == FOLDED_MAX)
            return false;
        ret[n++] = c;
    }
    ret[n] = '\0';
    return true;
}

static bool is_folded_form_of(const char *folded, const char *name)
{
    char own[FOLDED_MAX];

    return import_fold(slice_of(name), own) && strcmp(folded, own) == 0;
}

int import_field_named(const struct import_kind *kind, struct slice head, size_t *ret_rank)
{
    char folded[FOLDED_MAX];

    *ret_rank = 0;
    if (head.len >= 5 && slice_is_nocase((struct slice){head.data, 5}, "asnd_"))
        return COLUMN_OURS;
    if (!import_fold(head, folded) || folded[0] == '\0')
        return COLUMN_UNKNOWN;
    for (size_t f = 0; f < kind->n_fields; f++) {
        if (is_folded_form_of(folded, kind->fields[f].name))
            return (int)f;
        for (size_t a = 0; kind->fields[f].aliases && kind->fields[f].aliases[a]; a++)
            if (strcmp(kind->fields[f].aliases[a], folded) == 0) {
                *ret_rank = a + 1;
                return (int)f;
            }
    }
    return COLUMN_UNKNOWN;
}

/* ── the header of a CSV file ── */

static enum status unreadable(struct ctx *ctx, const char *fault)
{
    if (strcmp(fault, "not-utf8") == 0)
        return fail(ctx, ST_BAD_REQUEST, "bad-request", "The file is not UTF-8: save it as \"CSV UTF-8\".",
                    "Berkas bukan UTF-8: simpan sebagai \"CSV UTF-8\".");
    return fail(ctx, ST_BAD_REQUEST, "bad-request", "The first line, which names the columns, cannot be read (%s).",
                "Baris pertama, yang memuat nama kolom, tidak terbaca (%s).", fault);
}

/* Of several columns for one field (UNOR ID beside UNOR KODE) the best named one is used. Two with the same name contradict each other. */
static enum status choose(struct ctx *ctx, const struct import_kind *kind, struct import_header *header)
{
    int *best = arena_alloc(ctx->arena, kind->n_fields * sizeof *best);
    size_t *ranks = arena_zalloc_array(ctx->arena, kind->n_fields, sizeof *ranks);

    memset(best, -1, kind->n_fields * sizeof *best);
    for (size_t i = 0; i < header->n_columns; i++) {
        size_t rank;
        int f = import_field_named(kind, slice_of(header->names[i]), &rank);
        header->field_of[i] = f;
        if (f < 0)
            continue;
        if (best[f] >= 0 && rank == ranks[f])
            return fail(ctx, ST_BAD_REQUEST, "bad-request", "The column \"%s\" is there twice.", "Kolom \"%s\" ada dua kali.",
                        header->names[i]);
        if (best[f] >= 0 && rank > ranks[f]) {
            header->field_of[i] = COLUMN_UNKNOWN;
            continue;
        }
        if (best[f] >= 0)
            header->field_of[best[f]] = COLUMN_UNKNOWN;
        best[f] = (int)i;
        ranks[f] = rank;
    }
    return ST_OK;
}

static bool has_column(const struct import_header *header, size_t field)
{
    for (size_t i = 0; i < header->n_columns; i++)
        if (header->field_of[i] == (int)field)
            return true;
    return false;
}

static bool is_need_met(const struct import_kind *kind, const struct import_header *header, const char *need)
{
    for (size_t f = 0; f < kind->n_fields; f++)
        if (kind->fields[f].need && strcmp(kind->fields[f].need, need) == 0 && has_column(header, f))
            return true;
    return false;
}

static void list_add(struct buf *list, const char *name)
{
    if (list->len > 600)
        return;
    if (list->len > 0)
        BUF_LIT(list, ", ");
    buf_puts(list, name);
}

static enum status check_needs(struct ctx *ctx, const struct import_kind *kind, const struct import_header *header)
{
    struct buf missing;

    buf_init(&missing, ctx->arena, 64);
    for (size_t f = 0; f < kind->n_fields; f++) {
        const char *need = kind->fields[f].need;
        bool is_first = need && (f == 0 || !kind->fields[f - 1].need || strcmp(kind->fields[f - 1].need, need) != 0);
        if (is_first && !is_need_met(kind, header, need))
            list_add(&missing, need);
    }
    if (missing.len == 0)
        return ST_OK;
    return fail(ctx, ST_BAD_REQUEST, "bad-request", "Columns are missing: %s. The first line must name the columns.",
                "Kolom tidak ada: %s. Baris pertama harus memuat nama kolom.", buf_cstr(&missing));
}

static void note_unused(struct ctx *ctx, const struct import_header *header, int64_t line)
{
    struct buf unused;

    buf_init(&unused, ctx->arena, 64);
    for (size_t i = 0; i < header->n_columns; i++)
        if (header->field_of[i] == COLUMN_UNKNOWN && header->names[i][0] != '\0')
            list_add(&unused, header->names[i]);
    if (unused.len == 0)
        return;
    struct fault *fault = fault_add(ctx, AT_ROW, NULL, "columns-ignored", "These columns are not used: %s.", "Kolom ini tidak dipakai: %s.",
                                    buf_cstr(&unused));
    if (fault)
        fault->line = line;
}

enum status import_header_read(struct ctx *ctx, const struct import_kind *kind, const struct csv_row *row, struct import_header *ret)
{
    struct import_header header = {.n_columns = row->n_fields};
    enum status st;

    if (row->fault)
        return unreadable(ctx, row->fault);
    header.field_of = arena_alloc(ctx->arena, row->n_fields * sizeof *header.field_of);
    header.names = arena_alloc(ctx->arena, row->n_fields * sizeof *header.names);
    header.was_quoted = arena_alloc(ctx->arena, row->n_fields * sizeof *header.was_quoted);
    for (size_t i = 0; i < row->n_fields; i++) {
        header.names[i] = arena_strndup(ctx->arena, row->fields[i].data, row->fields[i].len);
        /* Refused rows go back below this head, and their delimiter must be found in it again. */
        header.was_quoted[i] = row->was_quoted[i] || strpbrk(header.names[i], ",;\t");
    }
    st = choose(ctx, kind, &header);
    if (st == ST_OK)
        st = check_needs(ctx, kind, &header);
    if (st != ST_OK)
        return st;
    note_unused(ctx, &header, row->line);
    *ret = header;
    return ST_OK;
}
