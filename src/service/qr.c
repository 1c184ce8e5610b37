/* SPDX-License-Identifier: Apache-2.0 */
/* getTicketQr, getSurveyQr: the link by which a ticket, or everybody, answers a survey, as a QR code in SVG. The same link gives the same bytes. */
#include "asnd/service.h"

#include <string.h>

#include <qrencode.h>
#include <sodium.h>

#include "asnd/arena.h"
#include "asnd/buf.h"

#define QUIET 4 /* modules of white around it (ISO/IEC 18004) */

/* An address with a path behind it, a slash between them or not. */
static const char *joined(struct ctx *ctx, const char *address, const char *path)
{
    size_t len = strlen(address);
    while (len && address[len - 1] == '/')
        len--;
    return arena_printf(ctx->arena, "%.*s/%s", (int)len, address, path);
}

static enum status link_of(struct ctx *ctx, const struct settings *s, const char *resource, const char *token, const char **ret)
{
    if (*s->survey_url)
        *ret = joined(ctx, s->survey_url, token);
    else if (*s->public_url)
        *ret = joined(ctx, s->public_url, arena_printf(ctx->arena, "v1/public/%s/%s/survey", resource, token));
    else
        return fail(ctx, ST_CONFLICT, "service-address", "The settings survey_url and public_url are empty: the code would lead nowhere.",
                    "Setelan survey_url dan public_url kosong: kode tidak menuju ke mana pun.");
    return ST_OK;
}

/* One path; runs of black along each row. */
static void draw(const QRcode *qr, struct buf *out)
{
    int side = qr->width + 2 * QUIET;
    buf_printf(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" width=\"%dmm\" height=\"%dmm\" shape-rendering=\"crispEdges\">"
        "<rect width=\"%d\" height=\"%d\" fill=\"#fff\"/><path d=\"",
        side, side, side, side, side, side);
    for (int row = 0; row < qr->width; row++) {
        for (int from = 0, to; from < qr->width; from = to) {
            bool is_black = qr->data[row * qr->width + from] & 1;
            for (to = from; to < qr->width && (qr->data[row * qr->width + to] & 1) == is_black; to++)
                continue;
            if (is_black)
                buf_printf(out, "M%d %dh%dv1h-%dz", from + QUIET, row + QUIET, to - from, to - from);
        }
    }
    BUF_LIT(out, "\"/></svg>\n");
}

static const char *tag_of(struct ctx *ctx, const struct buf *svg)
{
    uint8_t hash[crypto_generichash_BYTES];
    char hex[2 * sizeof hash + 1];
    crypto_generichash(hash, sizeof hash, (const uint8_t *)svg->data, svg->len, NULL, 0);
    sodium_bin2hex(hex, sizeof hex, hash, sizeof hash);
    return arena_printf(ctx->arena, "\"%s\"", hex);
}

static enum status reply(struct ctx *ctx, const char *link, struct outcome *out)
{
    struct buf *svg = arena_zalloc(ctx->arena, sizeof *svg);
    QRcode *qr = QRcode_encodeString8bit(link, 0, QR_ECLEVEL_M);
    if (!qr)
        return fail(ctx, ST_CONFLICT, "service-address", "The settings make an address that is too long for a code.",
                    "Setelan menghasilkan alamat yang terlalu panjang untuk kode.");
    buf_init(svg, ctx->arena, 32768);
    draw(qr, svg);
    QRcode_free(qr);
    outcome_header(ctx, out, "Content-Security-Policy", "sandbox; default-src 'none'");
    out->content_type = "image/svg+xml";
    out->etag = tag_of(ctx, svg);
    out->body = svg;
    return ST_OK;
}

/* `find` gives what the token seals; `sort` is the token's, as x-sealed names it. */
static enum status answer(struct ctx *ctx, struct engine *engine, struct db_conn *txn, struct params *in, const char *find,
                          const char *resource, const char *sort, struct outcome *out)
{
    const char *link = NULL;
    PGresult *row;
    enum status st = command_query(ctx, engine, txn, in, find, true, &row);
    if (st == ST_OK)
        st = link_of(ctx, engine_settings(engine), resource,
                     engine_seal(engine, ctx->arena, sort, PQgetvalue(row, 0, PQfnumber(row, "token"))), &link);
    return st == ST_OK ? reply(ctx, link, out) : st;
}

enum status cmd_get_ticket_qr(struct ctx *ctx, struct engine *engine, struct db_conn *txn, struct params *in, struct outcome *out)
{
    return answer(ctx, engine, txn, in, "getTicketQr.find", "tickets", "ticket", out);
}

enum status cmd_get_survey_qr(struct ctx *ctx, struct engine *engine, struct db_conn *txn, struct params *in, struct outcome *out)
{
    return answer(ctx, engine, txn, in, "getSurveyQr.find", "surveys", "survey", out);
}
