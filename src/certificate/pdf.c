/* SPDX-License-Identifier: Apache-2.0 */
/* getCertificatePdf: the newest edition as a page to print. Drawn on a worker, anew each time: the same edition gives the same bytes. */
#include "asnd/certificate.h"

#include <string.h>

#include <sodium.h>

#include "asnd/arena.h"
#include "asnd/buf.h"

static const char *cell(const PGresult *row, const char *name)
{
    int column = PQfnumber(row, name);
    return PQgetisnull(row, 0, column) ? NULL : PQgetvalue(row, 0, column);
}

/* Where a code is looked at: the public address of this daemon, a slash at its end or not. */
static const char *url_of(struct ctx *ctx, const char *public_url, const char *code)
{
    size_t len = strlen(public_url);
    while (len && public_url[len - 1] == '/')
        len--;
    return arena_printf(ctx->arena, "%.*s/v1/certificates/%s", (int)len, public_url, code);
}

static struct certificate_page page_of(const PGresult *row)
{
    return (struct certificate_page){
        .agency = cell(row, "agency"),
        .number = cell(row, "number"),
        .name = cell(row, "name"),
        .nip = cell(row, "nip"),
        .programme = cell(row, "programme"),
        .organiser = cell(row, "organiser"),
        .held_at = cell(row, "held_at"),
        .starts_on = cell(row, "starts_on"),
        .ends_on = cell(row, "ends_on"),
        .jp = cell(row, "jp"),
        .place = cell(row, "place"),
        .issued_on = cell(row, "issued_on"),
        .signatory = cell(row, "signatory"),
        .signatory_position = cell(row, "signatory_position"),
        .edition = cell(row, "edition"),
        .is_revoked = *cell(row, "is_revoked") == 't',
    };
}

static const char *tag_of(struct ctx *ctx, const struct buf *pdf)
{
    uint8_t hash[crypto_hash_sha256_BYTES];
    char hex[2 * sizeof hash + 1];
    crypto_hash_sha256(hash, (const uint8_t *)pdf->data, pdf->len);
    sodium_bin2hex(hex, sizeof hex, hash, sizeof hash);
    return arena_printf(ctx->arena, "\"%s\"", hex);
}

/* Numbers hold slashes; a file's name does not. */
static const char *disposition(struct ctx *ctx, const char *number)
{
    char *name = arena_printf(ctx->arena, "attachment; filename=\"sertifikat-%s.pdf\"", number);
    for (char *p = name + sizeof "attachment; filename=\"" - 1; p[1]; p++)
        if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-", *p))
            *p = '-';
    return name;
}

enum status cmd_certificate_pdf(struct ctx *ctx, struct engine *engine, struct db_conn *txn, struct params *in, struct outcome *out)
{
    const struct settings *s = engine_settings(engine);
    struct buf *pdf = arena_zalloc(ctx->arena, sizeof *pdf);
    struct certificate_page page;
    PGresult *row;
    enum status st = command_query(ctx, engine, txn, in, "getCertificatePdf.find", true, &row);
    if (st != ST_OK)
        return st;
    if (!*s->public_url)
        return fail(ctx, ST_CONFLICT, "certificate-address", "The setting public_url is empty: the code on the page would lead nowhere.",
                    "Setelan public_url kosong: kode pada halaman tidak menuju ke mana pun.");
    page = page_of(row);
    page.url = url_of(ctx, s->public_url, cell(row, "code"));
    buf_init(pdf, ctx->arena, 65536);
    st = certificate_print(ctx, &page, s->certificate_font, s->certificate_font_bold, pdf);
    if (st != ST_OK)
        return st;
    outcome_header(ctx, out, "Content-Disposition", disposition(ctx, page.number));
    outcome_header(ctx, out, "Content-Security-Policy", "sandbox; default-src 'none'");
    out->content_type = "application/pdf";
    out->etag = tag_of(ctx, pdf);
    out->body = pdf;
    return ST_OK;
}
