/* SPDX-License-Identifier: Apache-2.0 */
/* getPersonalDataPdf: what is kept of a person, summed up on paper. Drawn on a worker, anew each time. */
#include "asnd/privacy.h"

#include <string.h>

#include "asnd/arena.h"
#include "asnd/buf.h"
#include "asnd/vault.h"

static enum privacy_line_kind kind_of(const char *word)
{
    if (strcmp(word, "title") == 0)
        return PRIVACY_TITLE;
    return strcmp(word, "heading") == 0 ? PRIVACY_HEADING : PRIVACY_TEXT;
}

static enum status lines_of(struct ctx *ctx, const PGresult *rows, struct privacy_line **ret)
{
    int n = PQntuples(rows), kind = PQfnumber(rows, "kind"), text = PQfnumber(rows, "text");
    struct privacy_line *lines = arena_zalloc_array(ctx->arena, (size_t)n + 1, sizeof *lines);
    for (int row = 0; row < n; row++) {
        struct slice told;
        if (!vault_open_text(ctx->arena, slice_of(PQgetvalue(rows, row, text)), &told))
            return vault_refuse(ctx);
        lines[row] = (struct privacy_line){kind_of(PQgetvalue(rows, row, kind)), told.data};
    }
    *ret = lines;
    return ST_OK;
}

enum status cmd_personal_data_pdf(struct ctx *ctx, struct engine *engine, struct db_conn *txn, struct params *in, struct outcome *out)
{
    const struct settings *s = engine_settings(engine);
    struct buf *pdf = arena_zalloc(ctx->arena, sizeof *pdf);
    struct privacy_line *lines = NULL;
    PGresult *rows;
    enum status st = command_query(ctx, engine, txn, in, "getPersonalDataPdf.lines", true, &rows);
    if (st != ST_OK)
        return st;
    buf_init(pdf, ctx->arena, 65536);
    st = lines_of(ctx, rows, &lines);
    if (st == ST_OK)
        st = privacy_print(ctx, lines, (size_t)PQntuples(rows), s->certificate_font, s->certificate_font_bold, pdf);
    if (st != ST_OK)
        return st;
    outcome_header(ctx, out, "Content-Disposition",
                   arena_printf(ctx->arena, "attachment; filename=\"data-pribadi-%s.pdf\"", PQgetvalue(rows, 0, PQfnumber(rows, "_nip"))));
    outcome_header(ctx, out, "Content-Security-Policy", "sandbox; default-src 'none'");
    out->content_type = "application/pdf";
    out->body = pdf;
    return ST_OK;
}
