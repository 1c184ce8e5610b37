/* SPDX-License-Identifier: Apache-2.0 */
/* The rules of NIP and NIK applied to one record. What contradicts is a warning, as BKN counts it; only a number that cannot be one is refused. */
#include "person.h"

#include <string.h>

#include "asnd/arena.h"
#include "asnd/buf.h"

static bool refused(struct ctx *ctx, struct refusal refusal, const char *pointer, const char *value)
{
    struct fault *fault;
    if (!refusal.code)
        return false;
    if (pointer) {
        fault = fault_add(ctx, AT_BODY, pointer, refusal.code, "%s", "%s", ctx->lang == LANG_EN ? refusal.en : refusal.id);
        if (fault && value)
            fault->value = arena_strdup(ctx->arena, value);
    }
    return true;
}

static struct date date_or_none(const char *text)
{
    struct date date = {0};
    if (text && !date_parse(text, strlen(text), &date))
        return (struct date){0};
    return date;
}

static void warn(struct buf *out, const struct refusal *warnings, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (out->len > 1)
            buf_putc(out, ',');
        buf_puts(out, warnings[i].code);
    }
}

enum status person_check(struct ctx *ctx, const struct person *person, const char *nip_pointer, const char *nik_pointer,
                         struct nip *ret_nip, const char **ret_warnings)
{
    struct nip nip = {0};
    struct nik nik;
    struct refusal warnings[4];
    enum asn_kind kind = ASN_UNKNOWN;
    struct nip_record record = {.birth = date_or_none(person->birth_date), .appointed = date_or_none(person->appointed_on)};
    bool is_kind_known = asn_kind_parse(person->kind, &kind);
    bool has_nip = is_kind_known && !refused(ctx, nip_parse(person->nip, strlen(person->nip), kind, &nip), nip_pointer, person->nip);
    bool has_nik = person->nik && !refused(ctx, nik_parse(person->nik, strlen(person->nik), &nik), nik_pointer, NULL);
    struct buf out;

    if (ctx->problem.n_faults > 0)
        return fail(ctx, ST_INVALID, "invalid", "A number cannot be what it is said to be.", "Sebuah nomor tidak mungkin benar.");
    record.sex = person->sex ? person->sex[0] : '\0';
    buf_init(&out, ctx->arena, 64);
    buf_putc(&out, '{');
    if (has_nip)
        warn(&out, warnings, nip_warnings(&nip, &record, warnings));
    if (has_nik)
        warn(&out, warnings, nik_warnings(&nik, record.birth.year ? record.birth : nip.birth, record.sex ? record.sex : nip.sex, warnings));
    buf_putc(&out, '}');
    *ret_nip = nip;
    *ret_warnings = buf_cstr(&out);
    return ST_OK;
}
