/* SPDX-License-Identifier: Apache-2.0 */
/* getDocumentContent: bytes that never change under a tag that is their hash, whole or in part. */
#include "asnd/document.h"

#include <stdlib.h>

#include "asnd/arena.h"
#include "asnd/store.h"

enum status stream_document_content(struct ctx *ctx, struct engine *engine, struct db_conn *txn, struct params *in, struct stream_io *io)
{
    struct range range;
    PGresult *res;
    enum status st = command_query(ctx, engine, txn, in, "getDocumentContent.find", true, &res);
    if (st != ST_OK)
        return st;
    const char *id = PQgetvalue(res, 0, 1), *type = PQgetvalue(res, 0, 4);
    st = stream_head(ctx, in, io, arena_printf(ctx->arena, "\"%s\"", PQgetvalue(res, 0, 2)), type, strtoll(PQgetvalue(res, 0, 3), NULL, 10),
                     &range);
    if (st != ST_OK)
        return st;
    outcome_header(ctx, io->outcome, "Content-Disposition", document_disposition(ctx->arena, PQgetvalue(res, 0, 5), type));
    outcome_header(ctx, io->outcome, "Content-Security-Policy", "sandbox; default-src 'none'");
    return store_read(ctx, txn, engine_statements(engine), id, range.first, range.len, io->write, io->cls);
}
