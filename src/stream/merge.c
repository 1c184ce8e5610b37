/* SPDX-License-Identifier: Apache-2.0 */
/* The merge of a kind that is statements alone: each is run with what it asks for of who sends; the last one judges the staged rows, stores those
 * without fault and ends with a row of counts. */
#include "internal.h"

#include <stdlib.h>
#include <string.h>

#include "asnd/arena.h"
#include "asnd/db.h"

#define COUNTS_AT 5 /* behind place, column, code, value and told: created, updated */

static const char *said_of(const struct import_sender *sender, const char *bind)
{
    if (strcmp(bind, "actor_units") == 0)
        return sender->units;
    if (strcmp(bind, "actor_key") == 0)
        return sender->key_id;
    if (strcmp(bind, "actor_nip") == 0)
        return sender->nip;
    return sender->name;
}

static enum status run(struct ctx *ctx, struct db_conn *conn, const struct sql_set *set, const char *name,
                       const struct import_sender *sender, PGresult **ret)
{
    const struct variant *variant = statement_variant(sql_set_find(set, name), 0, 0, VARIANT_PLAIN);
    const char **values = arena_zalloc_array(ctx->arena, variant->n_binds + 1, sizeof *values);

    for (size_t i = 0; i < variant->n_binds; i++)
        values[i] = said_of(sender, variant->binds[i]);
    return db_execute(ctx, conn, variant, values, ret);
}

enum status import_merge(struct ctx *ctx, struct db_conn *conn, const struct sql_set *set, const struct import_kind *kind,
                         const struct import_sender *sender, struct import_merged *ret)
{
    PGresult *res = NULL;
    enum status st = ST_OK;

    if (kind->merge)
        return kind->merge(ctx, conn, set, sender, ret);
    for (const char *const *name = kind->merges; *name && st == ST_OK; name++)
        st = run(ctx, conn, set, *name, sender, &res);
    if (st != ST_OK)
        return st;
    int last = PQntuples(res) - 1;
    ret->faults = res;
    ret->n_faults = last;
    ret->created = strtoll(PQgetvalue(res, last, COUNTS_AT), NULL, 10);
    ret->updated = strtoll(PQgetvalue(res, last, COUNTS_AT + 1), NULL, 10);
    return ST_OK;
}
