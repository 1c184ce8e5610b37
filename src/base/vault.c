/* SPDX-License-Identifier: Apache-2.0 */
/* Keys that are not in the database, and what is sealed under them: XChaCha20-Poly1305 with nonces at random, hashes by keyed BLAKE2b. */
#include "asnd/vault.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>
#include <sodium.h>

#include "asnd/arena.h"
#include "asnd/buf.h"
#include "vault_keys.h"

#define NONCE_BYTES crypto_aead_xchacha20poly1305_ietf_NPUBBYTES
#define TAG_BYTES   crypto_aead_xchacha20poly1305_ietf_ABYTES
#define BASE64      sodium_base64_VARIANT_URLSAFE_NO_PADDING

/* Where the parts of a sealed NIK begin. */
enum {
    NIK_DIGITS = 16,
    KEY_AT = 3,
    HOLDER_AT = 8,
    HASH_AT = 45,
    NEAR_AT = 68,
    BORN_AT = 77,
    SERIAL_AT = 84,
    SEALED_AT = 86,
    HASH_LEN = 22,
    NEAR_LEN = 8,
    BORN_LEN = 6,
    SEALED_BYTES = NONCE_BYTES + NIK_DIGITS + TAG_BYTES,
    SEALED_LEN = 75,
};
_Static_assert(SEALED_AT + SEALED_LEN == VAULT_NIK_LEN, "the parts fill it");
_Static_assert((SEALED_BYTES * 4 + 2) / 3 == SEALED_LEN, "base64 without padding");

static _Atomic(struct vault *) current;

void vault_install(struct vault *vault)
{
    static struct vault *all; /* whoever has an older one may still be reading it */
    if (vault) {
        vault->before = all;
        all = vault;
    }
    atomic_store(&current, vault);
}

const struct vault *vault_installed(void)
{
    return atomic_load(&current);
}

bool vault_is_set(void)
{
    return atomic_load_explicit(&current, memory_order_acquire) != NULL;
}

const char *vault_newest(void)
{
    const struct vault *vault = atomic_load(&current);
    return vault ? vault->newest->number : "";
}

static const struct key *key_of(const struct vault *vault, const char *number)
{
    for (size_t i = 0; vault && i < vault->n; i++)
        if (memcmp(vault->keys[i].number, number, VAULT_KEY_DIGITS) == 0)
            return &vault->keys[i];
    return NULL;
}

bool vault_has_key(const char *number)
{
    return strlen(number) == VAULT_KEY_DIGITS && key_of(atomic_load(&current), number) != NULL;
}

/* ── sealing ── */

static void put_base64(char *ret, size_t room, const uint8_t *bytes, size_t len)
{
    sodium_bin2base64(ret, room, bytes, len, BASE64);
}

/* Nonce, ciphertext and tag of `text`, with `head` authenticated. */
static void seal(uint8_t *ret, const struct key *key, struct slice text, struct slice head)
{
    randombytes_buf(ret, NONCE_BYTES);
    crypto_aead_xchacha20poly1305_ietf_encrypt(ret + NONCE_BYTES, NULL, (const uint8_t *)text.data, text.len, (const uint8_t *)head.data,
                                               head.len, NULL, ret, key->sealing);
}

static bool unseal(uint8_t *ret, const struct key *key, const uint8_t *bytes, size_t len, struct slice head)
{
    return len >= NONCE_BYTES + TAG_BYTES &&
           crypto_aead_xchacha20poly1305_ietf_decrypt(ret, NULL, NULL, bytes + NONCE_BYTES, len - NONCE_BYTES, (const uint8_t *)head.data,
                                                      head.len, bytes, key->sealing) == 0;
}

static void hash_part(const struct vault *vault, const char *use, const char *digits, size_t n, uint8_t ret[16])
{
    crypto_generichash_state state;
    crypto_generichash_init(&state, vault->searching, sizeof vault->searching, 16);
    crypto_generichash_update(&state, (const uint8_t *)use, strlen(use) + 1);
    crypto_generichash_update(&state, (const uint8_t *)digits, n);
    crypto_generichash_final(&state, ret, 16);
}

static void put_hash(const struct vault *vault, const char *nik, char ret[HASH_LEN + 1])
{
    uint8_t hash[16];
    hash_part(vault, "nik", nik, NIK_DIGITS, hash);
    put_base64(ret, HASH_LEN + 1, hash, sizeof hash);
}

static void put_near(const struct vault *vault, const char *nik, char ret[NEAR_LEN + 1])
{
    uint8_t hash[16];
    hash_part(vault, "region", nik, 6, hash);
    put_base64(ret, NEAR_LEN + 1, hash, 6);
}

static bool is_nik(const char *text)
{
    return strspn(text, "0123456789") == NIK_DIGITS && text[NIK_DIGITS] == '\0';
}

static char *seal_nik(struct arena *arena, const struct vault *vault, const char *nik, const char *holder)
{
    char hash[HASH_LEN + 1], near[NEAR_LEN + 1], *text = arena_alloc(arena, VAULT_NIK_LEN + 1);
    uint8_t sealed[SEALED_BYTES];
    put_hash(vault, nik, hash);
    put_near(vault, nik, near);
    snprintf(text, SEALED_AT + 1, "~1.%s.%.36s.%s.%s.%.6s.%c.", vault->newest->number, holder, hash, near, nik + 6,
             memcmp(nik + 12, "0000", 4) == 0 ? '0' : '1');
    seal(sealed, vault->newest, (struct slice){nik, NIK_DIGITS}, (struct slice){text, SEALED_AT});
    put_base64(text + SEALED_AT, SEALED_LEN + 1, sealed, sizeof sealed);
    return text;
}

const char *vault_seal_nik(struct arena *arena, const char *nik, const char *holder)
{
    const struct vault *vault = atomic_load(&current);
    return vault && nik && is_nik(nik) ? seal_nik(arena, vault, nik, holder) : nik;
}

bool vault_is_sealed(const char *text, size_t len)
{
    static const unsigned char points[] = {2, HOLDER_AT - 1, HASH_AT - 1, NEAR_AT - 1, BORN_AT - 1, SERIAL_AT - 1, SEALED_AT - 1};
    if (len != VAULT_NIK_LEN || text[0] != '~' || (text[1] != '1' && text[1] != 'm'))
        return false;
    for (size_t i = 0; i < sizeof points; i++)
        if (text[points[i]] != '.')
            return false;
    return true;
}

bool vault_is_held_by(const char *sealed, const char *holder)
{
    return strlen(holder) == 36 && memcmp(sealed + HOLDER_AT, holder, 36) == 0;
}

static bool open_nik(const struct vault *vault, const char *sealed, size_t len, char ret[NIK_DIGITS + 1])
{
    char head[SEALED_AT];
    uint8_t bytes[SEALED_BYTES];
    const struct key *key;
    size_t n = 0;
    ret[0] = '\0';
    if (!vault_is_sealed(sealed, len))
        return false;
    memcpy(head, sealed, sizeof head);
    head[1] = '1';
    key = key_of(vault, sealed + KEY_AT);
    if (!key || sodium_base642bin(bytes, sizeof bytes, sealed + SEALED_AT, SEALED_LEN, NULL, &n, NULL, BASE64) != 0 || n != sizeof bytes ||
        !unseal((uint8_t *)ret, key, bytes, n, (struct slice){head, sizeof head}))
        return false;
    ret[NIK_DIGITS] = '\0';
    return true;
}

bool vault_open_nik(const char *sealed, size_t len, char ret[NIK_DIGITS + 1])
{
    return open_nik(atomic_load(&current), sealed, len, ret);
}

/* ── whether they are the same keys ── */

const char *vault_name(const struct vault *vault, size_t i)
{
    return i < vault->n ? vault->keys[i].number : i == vault->n ? VAULT_SEARCH : NULL;
}

void vault_says(const struct vault *vault, size_t i, char ret[VAULT_SAYS_SIZE])
{
    static const char text[] = "asnd column key check 1";
    uint8_t hash[(VAULT_SAYS_SIZE - 1) / 2];
    crypto_generichash(hash, sizeof hash, (const uint8_t *)text, sizeof text - 1, i < vault->n ? vault->keys[i].sealing : vault->searching,
                       KEY_BYTES);
    hex_encode(hash, sizeof hash, ret);
}

bool vault_opens(const struct vault *vault, const char *sealed, size_t len, bool *ret_hash_fits)
{
    char nik[NIK_DIGITS + 1], hash[HASH_LEN + 1];
    *ret_hash_fits = false;
    if (!open_nik(vault, sealed, len, nik))
        return false;
    put_hash(vault, nik, hash);
    *ret_hash_fits = memcmp(sealed + HASH_AT, hash, HASH_LEN) == 0;
    sodium_memzero(nik, sizeof nik);
    return true;
}

bool vault_clear(struct arena *arena, const char *text, const char **ret)
{
    char nik[NIK_DIGITS + 1];
    *ret = text;
    if (!text || text[0] != '~')
        return true;
    if (!vault_open_nik(text, strlen(text), nik))
        return false;
    *ret = arena_strdup(arena, nik);
    return true;
}

const char *vault_mark_search(struct arena *arena, const char *q)
{
    const struct vault *vault = atomic_load(&current);
    char digits[NIK_DIGITS + 1], mark[HASH_LEN + 1];
    size_t n = 0;
    if (!vault || !q)
        return q;
    for (const char *p = q; *p; p++) {
        if (*p == ' ')
            continue;
        if (*p < '0' || *p > '9' || n == NIK_DIGITS)
            return q;
        digits[n++] = *p;
    }
    digits[n] = '\0';
    if (n == NIK_DIGITS) {
        put_hash(vault, digits, mark);
        return arena_printf(arena, "%s~%s", digits, mark);
    }
    if (n < 6 || n > 12)
        return q;
    put_near(vault, digits, mark);
    return arena_printf(arena, "%s~%s%s", digits, mark, digits + 6);
}

/* ── JSON ── */

struct reader {
    const char *p, *end;
};

/* The string that begins at `at`, with its quotes; false if it does not end. */
static bool string_at(const struct reader *r, const char *at, struct slice *ret)
{
    const char *p = at + 1;
    while (p < r->end && *p != '"')
        p += *p == '\\' ? 2 : 1;
    *ret = (struct slice){at, (size_t)(p - at) + 1};
    return p < r->end;
}

static const char *skip_space(const struct reader *r, const char *p)
{
    while (p < r->end && (*p == ' ' || *p == '\t' || *p == '\r' || *p == '\n'))
        p++;
    return p;
}

/* What the quoted string says, however its letters are escaped. */
static const char *plain_of(struct arena *arena, struct slice quoted)
{
    json_t *node;
    const char *text;
    if (!memchr(quoted.data, '\\', quoted.len))
        return arena_strndup(arena, quoted.data + 1, quoted.len - 2);
    node = json_loadb(quoted.data, quoted.len, JSON_DECODE_ANY, NULL);
    text = json_is_string(node) ? arena_strdup(arena, json_string_value(node)) : "";
    json_decref(node);
    return text;
}

/* Moves to the next member `nik` whose value is a string; false at the end. */
static bool next_nik(struct arena *arena, struct reader *r, struct slice *ret_value)
{
    struct slice name;
    while (r->p < r->end) {
        const char *behind;
        if (*r->p != '"') {
            r->p++;
            continue;
        }
        if (!string_at(r, r->p, &name))
            return false;
        behind = skip_space(r, name.data + name.len);
        r->p = name.data + name.len;
        if (behind == r->end || *behind != ':')
            continue;
        behind = skip_space(r, behind + 1);
        if (behind < r->end && *behind == '"' && strcmp(plain_of(arena, name), "nik") == 0 && string_at(r, behind, ret_value)) {
            r->p = behind + ret_value->len;
            return true;
        }
    }
    return false;
}

static bool may_hold(struct slice json)
{
    return memmem(json.data, json.len, "nik", 3) || memchr(json.data, '\\', json.len);
}

const char *vault_seal_json(struct arena *arena, struct slice json, const char *holder)
{
    const struct vault *vault = atomic_load(&current);
    struct reader r = {json.data, json.data + json.len};
    const char *from = json.data;
    struct slice value;
    struct buf out;
    if (!vault || !may_hold(json))
        return arena_strndup(arena, json.data, json.len);
    buf_init(&out, arena, json.len + 512);
    while (next_nik(arena, &r, &value)) {
        const char *nik = plain_of(arena, value);
        if (!is_nik(nik))
            continue;
        buf_put(&out, from, (size_t)(value.data + 1 - from));
        buf_puts(&out, seal_nik(arena, vault, nik, holder));
        from = r.p - 1;
    }
    buf_put(&out, from, (size_t)(r.end - from));
    return buf_cstr(&out);
}

bool vault_renew_json(struct arena *arena, struct slice json, const char *holder, const char **ret)
{
    const struct vault *vault = atomic_load(&current);
    struct reader r = {json.data, json.data + json.len};
    const char *from = json.data;
    struct slice value;
    struct buf out;
    buf_init(&out, arena, json.len + 512);
    while (vault && next_nik(arena, &r, &value)) {
        const char *nik;
        if (!vault_clear(arena, plain_of(arena, value), &nik))
            return false;
        if (!is_nik(nik))
            continue;
        buf_put(&out, from, (size_t)(value.data + 1 - from));
        buf_puts(&out, seal_nik(arena, vault, nik, holder));
        from = r.p - 1;
    }
    buf_put(&out, from, (size_t)(r.end - from));
    *ret = buf_cstr(&out);
    return true;
}

/* Where a NIK may stand in JSON that the database made, or a line of what a person is told. Whatever else looks as if it were sealed is somebody's text. */
static bool is_behind(const char *begin, const char *at)
{
    static const char *const names[] = {"\"nik\": \"", "\"nik\":\"", "\"ours\": \"", "\"theirs\": \"", "nik: "};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        size_t n = strlen(names[i]);
        if ((size_t)(at - begin) >= n && memcmp(at - n, names[i], n) == 0)
            return true;
    }
    return false;
}

static const char *next_sealed(const char *begin, const char *p, const char *end)
{
    while ((size_t)(end - p) >= VAULT_NIK_LEN && (p = memchr(p, '~', (size_t)(end - p))) != NULL) {
        if ((size_t)(end - p) >= VAULT_NIK_LEN && vault_is_sealed(p, VAULT_NIK_LEN) && is_behind(begin, p))
            return p;
        p++;
    }
    return NULL;
}

bool vault_open_text(struct arena *arena, struct slice text, struct slice *ret)
{
    const char *from = text.data, *end = text.data + text.len, *at = next_sealed(from, from, end);
    struct buf out;
    *ret = text;
    if (!at)
        return true;
    buf_init(&out, arena, text.len + 1);
    for (; at; at = next_sealed(text.data, from, end)) {
        char nik[NIK_DIGITS + 1];
        if (!vault_open_nik(at, VAULT_NIK_LEN, nik))
            return false;
        if (at[1] == 'm')
            memset(nik + 2, '*', NIK_DIGITS - 4);
        buf_put(&out, from, (size_t)(at - from));
        buf_put(&out, nik, NIK_DIGITS);
        from = at + VAULT_NIK_LEN;
    }
    buf_put(&out, from, (size_t)(end - from));
    buf_cstr(&out);
    *ret = (struct slice){out.data, out.len};
    return true;
}

/* ── whole texts ── */

static struct slice blob_head(struct arena *arena, const char *number, const char *context)
{
    return slice_of(arena_printf(arena, "~2.%.4s.%s", number, context));
}

const char *vault_seal_blob(struct arena *arena, struct slice bytes, const char *context)
{
    const struct vault *vault = atomic_load(&current);
    size_t len = NONCE_BYTES + bytes.len + TAG_BYTES, room = sodium_base64_encoded_len(len, BASE64);
    uint8_t *sealed;
    char *text;
    if (!vault)
        return arena_strndup(arena, bytes.data, bytes.len);
    sealed = arena_alloc(arena, len);
    text = arena_alloc(arena, room);
    seal(sealed, vault->newest, bytes, blob_head(arena, vault->newest->number, context));
    put_base64(text, room, sealed, len);
    return arena_printf(arena, "~2.%s.%s", vault->newest->number, text);
}

bool vault_open_blob(struct arena *arena, struct slice text, const char *context, struct slice *ret)
{
    const struct key *key;
    uint8_t *bytes, *plain;
    size_t n = 0;
    *ret = text;
    if (text.len < 8 || memcmp(text.data, "~2.", 3) != 0 || text.data[7] != '.')
        return true;
    key = key_of(atomic_load(&current), text.data + 3);
    bytes = arena_alloc(arena, text.len);
    plain = arena_alloc(arena, text.len);
    if (!key || sodium_base642bin(bytes, text.len, text.data + 8, text.len - 8, NULL, &n, NULL, BASE64) != 0 ||
        !unseal(plain, key, bytes, n, blob_head(arena, key->number, context)))
        return false;
    n -= NONCE_BYTES + TAG_BYTES;
    plain[n] = '\0';
    *ret = (struct slice){(const char *)plain, n};
    return true;
}

void vault_hash(const void *bytes, size_t len, char ret_hex[65])
{
    const struct vault *vault = atomic_load(&current);
    uint8_t hash[32];
    crypto_generichash(hash, sizeof hash, bytes, len, vault ? vault->searching : NULL, vault ? sizeof vault->searching : 0);
    hex_encode(hash, sizeof hash, ret_hex);
}

enum status vault_refuse(struct ctx *ctx)
{
    return fail(ctx, ST_UNAVAILABLE, "column-key-missing",
                "A value is encrypted under a key that this server does not have, or was changed behind its back; whoever runs it must put "
                "the key back.",
                "Sebuah nilai terenkripsi dengan kunci yang tidak dimiliki server ini, atau diubah di luar sistem; pengelola harus "
                "memulihkan kuncinya.");
}
