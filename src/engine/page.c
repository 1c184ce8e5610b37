/* SPDX-License-Identifier: Apache-2.0 */
/* Keyset cursors. A cursor is base64url of: keys (each a 16-bit length and its bytes), then a 16-byte keyed hash over operation, sort, filters
 * and keys. Nothing in it is trusted before the hash fits, so a cursor cannot be forged, nor carried to another list, filter or sort. */
#include "internal.h"

#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#define MAC_LEN          16
#define CURSOR_BYTES_MAX 3000

static void mac(uint8_t ret[MAC_LEN], const uint8_t secret[32], const char *operation, const char *filters, size_t sort,
                const uint8_t *keys, size_t len)
{
    crypto_generichash_state state;
    uint64_t sort_id = sort;
    crypto_generichash_init(&state, secret, 32, MAC_LEN);
    crypto_generichash_update(&state, (const uint8_t *)operation, strlen(operation) + 1);
    crypto_generichash_update(&state, (const uint8_t *)&sort_id, sizeof sort_id);
    crypto_generichash_update(&state, (const uint8_t *)filters, strlen(filters) + 1);
    crypto_generichash_update(&state, keys, len);
    crypto_generichash_final(&state, ret, MAC_LEN);
}

const char *page_seal_cursor(struct arena *arena, const uint8_t secret[32], const char *operation, const char *filters, size_t sort,
                             const char *const *keys, size_t n_keys)
{
    struct buf raw;
    size_t size;
    char *text;
    uint8_t sum[MAC_LEN];
    buf_init(&raw, arena, 128);
    for (size_t i = 0; i < n_keys; i++) {
        size_t len = strlen(keys[i]);
        buf_putc(&raw, (char)(len >> 8));
        buf_putc(&raw, (char)(len & 0xff));
        buf_put(&raw, keys[i], len);
    }
    mac(sum, secret, operation, filters, sort, (const uint8_t *)raw.data, raw.len);
    buf_put(&raw, sum, sizeof sum);
    size = sodium_base64_encoded_len(raw.len, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    text = arena_alloc(arena, size);
    sodium_bin2base64(text, size, (const uint8_t *)raw.data, raw.len, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    return text;
}

static enum status bad_cursor(struct ctx *ctx)
{
    fault_add(ctx, AT_PARAMETER, "cursor", "cursor-invalid", "Take page.next of the same list, with the same filters and sort.",
              "Pakai page.next dari daftar yang sama, dengan saringan dan urutan yang sama.");
    return fail(ctx, ST_BAD_REQUEST, "cursor-invalid", "This cursor was not made for this list, filter and sort.",
                "Kursor ini tidak dibuat untuk daftar, saringan, dan urutan ini.");
}

/* False unless it was sealed by us with the same words. */
static bool open_sealed(struct arena *arena, const uint8_t secret[32], const char *operation, const char *filters, size_t sort,
                        const char *cursor, const char **ret_keys, size_t n_keys)
{
    uint8_t raw[CURSOR_BYTES_MAX], sum[MAC_LEN];
    size_t len, at = 0;
    if (sodium_base642bin(raw, sizeof raw, cursor, strlen(cursor), NULL, &len, NULL, sodium_base64_VARIANT_URLSAFE_NO_PADDING) != 0 ||
        len < MAC_LEN)
        return false;
    len -= MAC_LEN;
    mac(sum, secret, operation, filters, sort, raw, len);
    if (sodium_memcmp(sum, raw + len, MAC_LEN) != 0)
        return false;
    for (size_t i = 0; i < n_keys; i++) {
        size_t key_len = at + 2 <= len ? (size_t)raw[at] << 8 | raw[at + 1] : len;
        if (at + 2 + key_len > len)
            return false;
        ret_keys[i] = arena_strndup(arena, (const char *)raw + at + 2, key_len);
        at += 2 + key_len;
    }
    return at == len;
}

enum status page_open_cursor(struct ctx *ctx, const uint8_t secret[32], const char *operation, const char *filters, size_t sort,
                             const char *cursor, const char **ret_keys, size_t n_keys)
{
    return open_sealed(ctx->arena, secret, operation, filters, sort, cursor, ret_keys, n_keys) ? ST_OK : bad_cursor(ctx);
}

const char *token_seal(struct arena *arena, const uint8_t secret[32], const char *sort, const char *text)
{
    return page_seal_cursor(arena, secret, arena_printf(arena, "token %s", sort), "", 0, &text, 1);
}

const char *engine_seal(const struct engine *engine, struct arena *arena, const char *sort, const char *text)
{
    return token_seal(arena, engine->cursor_secret, sort, text);
}

enum status token_open(struct ctx *ctx, struct call *call)
{
    int param = call->op->sealed_param;
    struct value *v = param < 0 ? NULL : &call->in.values[param];
    const struct param_spec *spec = param < 0 ? NULL : &call->op->contract->params[param];
    const char *text;
    if (!v || !v->text)
        return ST_OK;
    if (!open_sealed(ctx->arena, call->engine->cursor_secret, arena_printf(ctx->arena, "token %s", spec->type.sealed), "", 0, v->text,
                     &text, 1)) {
        if (spec->in == IN_PATH) /* of a link or a printed code, which a citizen has in hand */
            return fail(ctx, ST_BAD_REQUEST, "link-invalid", "Open it as it was sent to you, or scan the code once more.",
                        "Buka persis seperti yang Anda terima, atau pindai kodenya sekali lagi.");
        fault_add(ctx, AT_PARAMETER, spec->name, "cursor-invalid", "Take the token as it was given.",
                  "Pakai token persis seperti yang diberikan.");
        return fail(ctx, ST_BAD_REQUEST, "cursor-invalid", "This token was not made here.", "Token ini tidak dibuat di sini.");
    }
    v->text = text;
    v->len = strlen(text);
    return ST_OK;
}

/* Everything given that narrows the list, in the contract's order: name, value, name, value … with unit separators between. */
const char *page_filters(struct arena *arena, const struct call *call)
{
    const struct operation *operation = call->op->contract;
    struct buf out;
    buf_init(&out, arena, 128);
    for (size_t i = 0; i < operation->n_params; i++) {
        const struct value *v = &call->in.values[i];
        int at = (int)i;
        if (!v->is_present || v->is_default || operation->params[i].in == IN_HEADER || at == call->op->cursor_param ||
            at == call->op->limit_param || at == call->op->fields_param || at == call->op->count_param || at == call->op->sort_param)
            continue;
        buf_puts(&out, operation->params[i].name);
        buf_putc(&out, '\x1f');
        buf_put(&out, v->text, v->len);
        buf_putc(&out, '\x1e');
    }
    return buf_cstr(&out);
}

static const char *given(const struct call *call, int param)
{
    return param < 0 ? NULL : call->in.values[param].text;
}

enum status page_parse(struct ctx *ctx, struct call *call)
{
    const struct op *op = call->op;
    const char *sort = given(call, op->sort_param);
    const char *limit = given(call, op->limit_param);
    const char *cursor = given(call, op->cursor_param);
    call->page.limit = limit ? strtoll(limit, NULL, 10) : USUAL_LIMIT;
    for (size_t i = 0; sort && i < op->info->n_sorts; i++)
        if (strcmp(op->info->sorts[i].name, sort) == 0)
            call->page.sort = i;
    if (!cursor)
        return ST_OK;
    call->page.has_cursor = true;
    return page_open_cursor(ctx, call->engine->cursor_secret, op->contract->id, page_filters(ctx->arena, call), call->page.sort, cursor,
                            call->page.keys, op->info->sorts[call->page.sort].n_keys);
}
