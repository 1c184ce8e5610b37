/* SPDX-License-Identifier: Apache-2.0 */
/* Who may: the bearer token of a request, and the scopes that the contract asks for. */
#include "asnd/auth.h"

#include <string.h>
#include <strings.h>

#include "asnd/arena.h"

/* The scope that stands for all others. */
#define SCOPE_ADMIN "admin"

static enum status no_token(struct ctx *ctx)
{
    return fail(ctx, ST_UNAUTHENTICATED, "unauthenticated", "Send an API key as “Authorization: Bearer asnd_…”.",
                "Kirim kunci API sebagai “Authorization: Bearer asnd_…”.");
}

enum status auth_bearer(struct ctx *ctx, const char *authorization, struct slice *ret_token)
{
    struct slice token;
    if (!authorization || strncasecmp(authorization, "Bearer ", 7) != 0)
        return no_token(ctx);
    token = slice_trim(slice_of(authorization + 7));
    if (!key_is_wellformed(token.data, token.len))
        return fail(ctx, ST_UNAUTHENTICATED, "unauthenticated", "This is not a key of ours: its length or checksum is wrong.",
                    "Ini bukan kunci kami: panjang atau angka periksanya salah.");
    *ret_token = token;
    return ST_OK;
}

bool actor_has_scope(const struct actor *actor, const char *scope)
{
    for (size_t i = 0; i < actor->n_scopes; i++)
        if (strcmp(actor->scopes[i], scope) == 0 || strcmp(actor->scopes[i], SCOPE_ADMIN) == 0)
            return true;
    return false;
}

enum status auth_require_scopes(struct ctx *ctx, const struct actor *actor, const struct operation *operation)
{
    for (size_t i = 0; i < operation->n_scopes; i++)
        if (!actor_has_scope(actor, operation->scopes[i]))
            return fail(ctx, ST_FORBIDDEN, "forbidden", "This key lacks the scope %s.", "Kunci ini tidak memiliki cakupan %s.",
                        operation->scopes[i]);
    return ST_OK;
}

enum status auth_require_member_scopes(struct ctx *ctx, const struct actor *actor, const struct params *in)
{
    for (size_t i = 0; in->members && i < in->operation->n_body_members; i++) {
        const struct property_spec *member = &in->operation->body_members[i];
        if (member->scope && in->members[i].is_present && !(actor && actor_has_scope(actor, member->scope)))
            fault_add(ctx, AT_BODY, arena_printf(ctx->arena, "/%s", member->name), "forbidden", "This needs the scope %s.",
                      "Ini memerlukan cakupan %s.", member->scope);
    }
    if (ctx->problem.n_faults == 0)
        return ST_OK;
    return fail(ctx, ST_FORBIDDEN, "forbidden", "This key may not give all that stands in the body.",
                "Kunci ini tidak boleh mengisi semua yang ada pada isi permintaan.");
}
