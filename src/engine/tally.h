/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Whom the rows of a list show something sensitive of, and the entries that say so: tally.c. */
#include "internal.h"

/* Rows as they are shown. The projection must outlive the tally. */
struct tally;
struct tally *tally_new(struct arena *arena, const struct projection *projection);
void tally_row(struct tally *tally, const PGresult *res, int row);
/* There are as many people as one entry tells. */
bool tally_is_full(const struct tally *tally);
/* What the rows of a page showed since the tally was new or was taken; NULL if it was nothing sensitive. The tally is empty then. */
struct reading *tally_take(struct ctx *ctx, const struct call *call, struct tally *tally);
/* The entry of what they showed, if they did, by a connection outside of a transaction. The tally is empty then. */
NODISCARD enum status tally_write(struct ctx *ctx, const struct call *call, struct db_conn *conn, struct tally *tally);

/* Notes the entries of a long list while it is still being read: each by a connection beside the one that reads, without waiting for it until there is the next. */
struct noter {
    const struct call *call;
    struct db_conn *conn; /* NULL: nothing was noted yet */
    struct arena *arena;  /* of what is on its way */
};
/* Another one, once the one before is committed. `reader` is the connection that reads. */
NODISCARD enum status noter_note(struct ctx *ctx, struct noter *noter, const struct db_conn *reader, struct tally *tally);
/* All are committed. Frees what the noter has, whatever the status. */
NODISCARD enum status noter_end(struct ctx *ctx, struct noter *noter);
