/* SPDX-License-Identifier: Apache-2.0 */
/* createAsn: what the NIP says fills what was not given. */
#include "asnd/asn.h"

#include "asnd/arena.h"
#include "person.h"

static const char *date_text(struct ctx *ctx, struct date date)
{
    char *text = arena_alloc(ctx->arena, DATE_TEXT_SIZE);
    date_format(date, text);
    return text;
}

enum status check_create_asn(struct ctx *ctx, struct params *in)
{
    const struct person person = {.nip = params_text(in, "nip"),
                                  .kind = params_text(in, "kind"),
                                  .birth_date = params_text(in, "birth_date"),
                                  .sex = params_text(in, "sex"),
                                  .appointed_on = params_text(in, "appointed_on"),
                                  .nik = params_text(in, "nik")};
    const char *warnings;
    struct nip nip;
    enum status st = person_check(ctx, &person, "/nip", "/nik", &nip, &warnings);
    if (st != ST_OK)
        return st;
    params_derive(ctx, in, "nip_birth_date", date_text(ctx, nip.birth));
    params_derive(ctx, in, "nip_sex", nip.sex == 'F' ? "F" : "M");
    params_derive(ctx, in, "nip_appointed_on",
                  nip.appointed_month ? date_text(ctx, (struct date){nip.appointed_year, nip.appointed_month, 1}) : NULL);
    params_derive(ctx, in, "warnings", warnings);
    return ST_OK;
}
