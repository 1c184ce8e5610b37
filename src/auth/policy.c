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

enum status auth_bearer(struct ctx *ctx, const char *authorization, bool takes_tokens, struct slice *ret_text, enum bearer *ret_kind)
{
    struct slice text;
    if (!authorization || strncasecmp(authorization, "Bearer ", 7) != 0)
        return no_token(ctx);
    text = slice_trim(slice_of(authorization + 7));
    *ret_text = text;
    *ret_kind = BEARER_KEY;
    if (key_is_wellformed(text.data, text.len))
        return ST_OK;
    *ret_kind = BEARER_TOKEN;
    if (takes_tokens && text.len > 0 && memchr(text.data, '.', text.len))
        return ST_OK;
    return fail(ctx, ST_UNAUTHENTICATED, "unauthenticated", "This is not a key of ours: its length or checksum is wrong.",
                "Ini bukan kunci kami: panjang atau angka periksanya salah.");
}

static bool has_certificate(const struct ctx *ctx, const char *needed, const char *header)
{
    char hash[KEY_HASH_HEX_SIZE];
    return header && client_certificate_hash(ctx->arena, header, hash) && strcmp(hash, needed) == 0;
}

enum status auth_require_place(struct ctx *ctx, const struct actor *actor, struct slice client, const char *certificate_header)
{
    if (actor->n_allow_from && !network_any_holds(actor->allow_from, actor->n_allow_from, client))
        return fail(ctx, ST_FORBIDDEN, "forbidden", "This key may not be used from where you are.",
                    "Kunci ini tidak boleh dipakai dari tempat Anda.");
    if (actor->certificate && !has_certificate(ctx, actor->certificate, certificate_header))
        return fail(ctx, ST_FORBIDDEN, "forbidden", "This key needs its client certificate.", "Kunci ini memerlukan sertifikat kliennya.");
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

static bool is_among(const char *const *scopes, size_t n, const char *scope, size_t len)
{
    for (size_t i = 0; i < n; i++)
        if (strlen(scopes[i]) == len && strncmp(scopes[i], scope, len) == 0)
            return true;
    return false;
}

static bool members_ask(const struct property_spec *members, size_t n, const char *scope, size_t len)
{
    for (size_t i = 0; i < n; i++)
        if (members[i].scope && strlen(members[i].scope) == len && strncmp(members[i].scope, scope, len) == 0)
            return true;
    return false;
}

bool auth_scope_is_known(const struct contract *contract, const char *scope, size_t len)
{
    size_t n;
    const struct operation *operations = contract_operations(contract, &n);
    if (len == strlen(SCOPE_ADMIN) && strncmp(scope, SCOPE_ADMIN, len) == 0)
        return true;
    for (size_t i = 0; i < n; i++)
        if (is_among(operations[i].scopes, operations[i].n_scopes, scope, len) ||
            is_among(operations[i].more_scopes, operations[i].n_more_scopes, scope, len) ||
            members_ask(operations[i].reply_members, operations[i].n_reply_members, scope, len) ||
            members_ask(operations[i].body_members, operations[i].n_body_members, scope, len))
            return true;
    return false;
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
