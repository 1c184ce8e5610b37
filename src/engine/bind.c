/* SPDX-License-Identifier: Apache-2.0 */
/* From what the client gave to the texts of $1 … $n. */
#include "internal.h"

#include <stdlib.h>
#include <string.h>

#include "asnd/date.h"
#include "asnd/uuid.h"
#include "asnd/vault.h"

static const struct value *source_value(const struct call *call, struct bind_source source, const char *name)
{
    switch (source.from) {
    case BIND_PARAM:
    case BIND_IF_MATCH:
        return &call->in.values[source.index];
    case BIND_MEMBER:
        return &call->in.members[source.index];
    case BIND_DERIVED:
        return params_find(&call->in, name);
    default:
        return NULL;
    }
}

/* A caller that sees everything needs no predicate that says so: then there may be nothing left to plan for. */
static bool sees_everything(const struct call *call)
{
    return call->actor && strcmp(call->actor->units, ACTOR_UNITS_ALL) == 0;
}

const char *call_units(const struct call *call)
{
    return !call->actor || sees_everything(call) ? DB_EVERYTHING : call->actor->units;
}

#ifndef NDEBUG
/* For the test that takes the first enforcement away, to see whether the second one stands. */
static bool forgets_units(void)
{
    return getenv("ASND_TEST_NO_SCOPE") != NULL;
}
#else
#define forgets_units() false
#endif

unsigned call_options(const struct call *call)
{
    const struct statement_info *info = call->op->info;
    unsigned mask = 0;
    for (size_t i = 0; i < info->n_options; i++) {
        const struct value *v = source_value(call, call->op->options[i], info->options[i]);
        if (call->op->options[i].from == BIND_ACTOR_UNITS ? !sees_everything(call) && !forgets_units() : v && v->is_present)
            mask |= 1u << i;
    }
    if (info->has_page && call->form == FORM_JSON && call->page.limit == USUAL_LIMIT)
        mask |= VARIANT_USUAL_LIMIT;
    return mask;
}

static const char *today(struct ctx *ctx, const struct call *call)
{
    char *text = arena_alloc(ctx->arena, DATE_TEXT_SIZE);
    date_format(date_of_instant(clock_wall_us(), (int)call->engine->settings->utc_offset_minutes), text);
    return text;
}

/* Roles that the caller holds, and those that give nothing but what is one's own. */
static const char *covers(struct ctx *ctx, const struct call *call)
{
    const char *held = call->actor ? call->actor->roles_literal : "{}", *personal = call->engine->personal_roles;
    bool is_empty = strcmp(held, "{}") == 0;
    return arena_printf(ctx->arena, "%.*s%s%s}", (int)(strlen(held) - 1), held, is_empty || !*personal ? "" : ",", personal);
}

/* The count of the whole list comes before its page. */
static bool is_counting(const struct call *call)
{
    return call_wants_count(call) && !call->count_text;
}

static const char *page_limit(struct ctx *ctx, const struct call *call)
{
    bool everything = call->form != FORM_JSON && (call->op->limit_param < 0 || call->in.values[call->op->limit_param].is_default);
    if (is_counting(call))
        return NULL;
    if (everything)
        return "9223372036854775807";
    return arena_printf(ctx->arena, "%lld", (long long)call->page.limit + (call->form == FORM_JSON));
}

static const char *array_of(struct arena *arena, const char *const *texts, size_t n)
{
    struct buf out;
    buf_init(&out, arena, 64);
    buf_putc(&out, '{');
    for (size_t i = 0; i < n; i++) {
        buf_puts(&out, i == 0 ? "\"" : ",\"");
        for (const char *p = texts[i]; *p; p++) {
            if (*p == '"' || *p == '\\')
                buf_putc(&out, '\\');
            buf_putc(&out, *p);
        }
        buf_putc(&out, '"');
    }
    buf_putc(&out, '}');
    return buf_cstr(&out);
}

/* The keys of the row before the page, as a text[]; NULL on the first page. */
static const char *page_after(struct ctx *ctx, const struct call *call)
{
    return call->page.has_cursor && !is_counting(call)
               ? array_of(ctx->arena, call->page.keys, call->op->info->sorts[call->page.sort].n_keys)
               : NULL;
}

static const char *given(struct ctx *ctx, const struct call *call)
{
    const struct reference *reference = call->reference;
    const char *text = call->in.values[reference->param].text;
    bool is_array = call->op->contract->params[reference->param].type.kind == KIND_ARRAY;
    return reference->is_code && !is_array ? array_of(ctx->arena, &text, 1) : text;
}

static const char *given_lists(struct ctx *ctx, const struct call *call)
{
    const struct reference *reference = call->reference;
    return reference->list_param < 0 ? reference->lists : array_of(ctx->arena, &call->in.values[reference->list_param].text, 1);
}

/* For whom a NIK of the body is sealed: the person that was found, else the record that the request makes. */
static const char *holder_of(const struct call *call)
{
    const struct value *found = params_find(&call->in, "asn_id");
    return found && found->text ? found->text : call->new_id ? call->new_id : VAULT_NOBODY;
}

/* No statement has a NIK as it is, by itself or in JSON. */
static const char *member_text(struct ctx *ctx, const struct call *call, unsigned member, const char *text)
{
    const struct property_spec *spec = &call->op->contract->body_members[member];
    if (!text || !vault_is_set())
        return text;
    if (strcmp(spec->name, "nik") == 0)
        return vault_seal_nik(ctx->arena, text, holder_of(call));
    return spec->kind == KIND_OBJECT || spec->kind == KIND_ARRAY ? vault_seal_json(ctx->arena, slice_of(text), holder_of(call)) : text;
}

static const char *source_text(struct ctx *ctx, const struct call *call, struct bind_source source, const char *name)
{
    const struct value *v = source_value(call, source, name);
    switch (source.from) {
    case BIND_PARAM:
    case BIND_DERIVED:
        return v ? v->text : NULL;
    case BIND_MEMBER:
        return member_text(ctx, call, source.index, v->text);
    case BIND_SOUGHT:
        return vault_mark_search(ctx->arena, params_text(&call->in, "q"));
    case BIND_IF_MATCH:
        return v->text ? if_match_versions(ctx->arena, v->text) : NULL;
    case BIND_BODY:
        return call->in.raw_body.len ? vault_seal_json(ctx->arena, call->in.raw_body, holder_of(call)) : NULL;
    case BIND_ACTOR_UNITS:
        return !call->actor ? "{}" : forgets_units() ? ACTOR_UNITS_ALL : call->actor->units;
    case BIND_ACTOR_SCOPES:
        return call->actor ? call->actor->scopes_literal : "{}";
    case BIND_ACTOR_KEY:
        return call->actor ? call->actor->key_id : NULL;
    case BIND_ACTOR_NAME:
        return call->actor ? call->actor->name : NULL;
    case BIND_ACTOR_NIP:
        return call->actor ? call->actor->nip : NULL;
    case BIND_ACTOR_ROLES:
        return call->actor ? call->actor->roles_literal : "{}";
    case BIND_ACTOR_COVERS:
        return covers(ctx, call);
    case BIND_ACCESS_MATRIX:
        return call->engine->matrix_json;
    case BIND_TODAY:
        return today(ctx, call);
    case BIND_REQUEST_ID:
        return ctx->request_id;
    case BIND_NEW_ID:
        return call->new_id;
    case BIND_PAGE_LIMIT:
        return page_limit(ctx, call);
    case BIND_PAGE_SORT:
        return call->op->info->sorts[call->page.sort].name;
    case BIND_PAGE_AFTER:
        return page_after(ctx, call);
    case BIND_PAGE_CURSOR:
        return call->page.keys[source.index];
    case BIND_GIVEN:
        return given(ctx, call);
    case BIND_GIVEN_LISTS:
        return given_lists(ctx, call);
    case BIND_UNKNOWN:
        break;
    }
    return NULL;
}

const char *call_bind_text(struct ctx *ctx, const struct call *call, const char *name)
{
    const char *derives = call->op->binding ? call->op->binding->derives : NULL;
    const struct value *derived = params_find(&call->in, name);
    struct bind_source source = bind_find(call->op->contract, name, derives);
    if (source.from == BIND_UNKNOWN && derived)
        return derived->text;
    return source_text(ctx, call, source, name);
}

const char *const *call_values(struct ctx *ctx, const struct call *call, const struct variant *variant)
{
    const char **values = arena_alloc(ctx->arena, (variant->n_binds + 1) * sizeof *values);
    const char *derives = call->op->binding ? call->op->binding->derives : NULL;
    for (size_t i = 0; i < variant->n_binds; i++)
        values[i] = source_text(ctx, call, bind_find(call->op->contract, variant->binds[i], derives), variant->binds[i]);
    return values;
}
