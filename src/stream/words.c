/* SPDX-License-Identifier: Apache-2.0 */
/* Words of columns that hold codes. Those of a reference list are read from the database at the beginning of each import, since the lists are data. */
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

/* Of both words the pairs of neighbours, with the beginning and the end of each as a letter: how many they share. */
static size_t shared_pairs(const char *a, size_t a_len, const char *b, size_t b_len)
{
    bool is_taken[FOLDED_MAX + 1] = {false};
    size_t n = 0;

    for (size_t i = 0; i <= a_len; i++) {
        char left = i > 0 ? a[i - 1] : '^', right = i < a_len ? a[i] : '$';
        for (size_t j = 0; j <= b_len; j++) {
            if (is_taken[j] || left != (j > 0 ? b[j - 1] : '^') || right != (j < b_len ? b[j] : '$'))
                continue;
            is_taken[j] = true;
            n++;
            break;
        }
    }
    return n;
}

const char *import_word_meant(const struct import_word *words, const char *text)
{
    char folded[FOLDED_MAX];
    const char *best = NULL;
    size_t len, best_shared = 0, best_pairs = 1;
    bool is_tied = false;

    if (!import_fold(slice_of(text), folded))
        return NULL;
    len = strlen(folded);
    for (; words && words->word; words++) {
        size_t word_len = strlen(words->word), pairs = len + word_len + 2, shared;
        if (word_len >= FOLDED_MAX)
            continue;
        shared = 2 * shared_pairs(folded, len, words->word, word_len);
        if (2 * shared < pairs || shared * best_pairs < best_shared * pairs)
            continue;
        if (shared * best_pairs > best_shared * pairs)
            is_tied = false;
        else
            is_tied |= strcmp(best, words->code) != 0;
        best = words->code;
        best_shared = shared;
        best_pairs = pairs;
    }
    return is_tied ? NULL : best;
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
