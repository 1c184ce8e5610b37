/* SPDX-License-Identifier: Apache-2.0 */
/* Words of columns that hold codes of a reference list: read from the database at the beginning of each import, since the lists are data. */
#include "internal.h"

#include <string.h>

#include "asnd/arena.h"
#include "asnd/db.h"

static const char *list_literal(struct arena *arena, const struct import_kind *kind)
{
    struct buf out;

    buf_init(&out, arena, 128);
    for (size_t f = 0; f < kind->n_fields; f++)
        if (kind->fields[f].list)
            buf_printf(&out, "%c%s", out.len ? ',' : '{', kind->fields[f].list);
    buf_puts(&out, out.len ? "}" : "{}");
    return buf_cstr(&out);
}

/* The words of one list, in an array that ends with NULL. */
static const struct import_word *words_of(struct arena *arena, const PGresult *res, const char *list)
{
    int n = PQntuples(res);
    struct import_word *words = arena_zalloc_array(arena, (size_t)n + 1, sizeof *words), *next = words;

    for (int row = 0; row < n; row++)
        if (strcmp(PQgetvalue(res, row, 0), list) == 0)
            *next++ = (struct import_word){arena_strdup(arena, PQgetvalue(res, row, 1)), arena_strdup(arena, PQgetvalue(res, row, 2))};
    return words;
}

enum status import_words_load(struct ctx *ctx, struct db_conn *conn, const struct sql_set *set, struct import_kind *kind)
{
    struct import_field *fields;
    PGresult *res;
    enum status st = db_query(ctx, conn, set, "import.words", &res, "lists", list_literal(ctx->arena, kind), NULL);

    if (st != ST_OK)
        return st;
    fields = arena_alloc(ctx->arena, kind->n_fields * sizeof *fields);
    memcpy(fields, kind->fields, kind->n_fields * sizeof *fields);
    for (size_t f = 0; f < kind->n_fields; f++)
        if (fields[f].list)
            fields[f].words = words_of(ctx->arena, res, fields[f].list);
    kind->fields = fields;
    return ST_OK;
}
