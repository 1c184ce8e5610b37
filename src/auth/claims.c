/* SPDX-License-Identifier: Apache-2.0 */
/* What a token claims, once its signature is known to be good: from whom and for whom, when, which one; and who it is here. Every claim has one type: one
 * that is of another is no claim, and a token without `jti` could not be taken back, so it is refused. */
#include <string.h>

#include "asnd/arena.h"
#include "asnd/buf.h"
#include "internal.h"

#define SUBJECT_MAX 255
#define JTI_MAX     200
#define NAME_MAX    200
#define NIP_LEN     18
#define WORDS_MAX   200
#define LAST_TIME_S 253402300799.0 /* the year 9999 ends */

/* ── reading ── */

/* One step of a JSON Pointer, ~1 and ~0 undone. */
static const char *step_of(struct arena *arena, const char *at, size_t len)
{
    char *step = arena_strndup(arena, at, len);
    size_t n = 0;
    for (size_t i = 0; i < len; i++) {
        bool is_escape = at[i] == '~' && i + 1 < len && (at[i + 1] == '0' || at[i + 1] == '1');
        step[n++] = is_escape ? "~/"[at[i + 1] - '0'] : at[i];
        i += is_escape;
    }
    step[n] = '\0';
    return step;
}

static const json_t *find(struct arena *arena, const json_t *node, const char *pointer)
{
    while (node && *pointer == '/') {
        size_t len = strcspn(++pointer, "/");
        node = json_object_get(node, step_of(arena, pointer, len));
        pointer += len;
    }
    return json_is_null(node) ? NULL : node;
}

/* One visible line of at most `max` bytes. */
static const char *line_of(const json_t *node, size_t max)
{
    const char *text = json_string_value(node);
    if (!text || !*text || json_string_length(node) > max)
        return NULL;
    for (const char *p = text; *p; p++)
        if ((unsigned char)*p < 0x20 || *p == 0x7f)
            return NULL;
    return text;
}

static bool time_of(const json_t *claims, const char *name, double *ret)
{
    const json_t *node = json_object_get(claims, name);
    if (!json_is_number(node))
        return false;
    *ret = json_number_value(node);
    return *ret >= 0 && *ret <= LAST_TIME_S;
}

/* ── when ── */

static enum status check_times(struct ctx *ctx, const struct claims_rule *rule, const json_t *claims, double now_s, double *ret_exp)
{
    double iat, nbf, skew = (double)rule->skew_s;
    bool has_nbf = json_object_get(claims, "nbf") != NULL;
    if (!time_of(claims, "exp", ret_exp) || !time_of(claims, "iat", &iat) || (has_nbf && !time_of(claims, "nbf", &nbf)))
        return token_refuse(ctx, "The token does not say when it was made and when it ends (iat, exp).",
                            "Token tidak menyebut kapan dibuat dan kapan berakhir (iat, exp).");
    if (*ret_exp + skew <= now_s)
        return token_refuse(ctx, "The token has expired.", "Token sudah kedaluwarsa.");
    if (iat > now_s + skew || (has_nbf && nbf > now_s + skew))
        return token_refuse(ctx, "The token does not hold yet.", "Token belum berlaku.");
    if (*ret_exp < iat || *ret_exp - iat > (double)rule->max_age_s)
        return token_refuse(ctx, "The token lives longer than is taken here.", "Masa berlaku token lebih panjang daripada yang diterima.");
    return ST_OK;
}

/* ── for whom ── */

static bool is_audience(const struct claims_rule *rule, const json_t *node)
{
    const char *text = json_string_value(node);
    for (size_t i = 0; text && i < rule->n_audiences; i++)
        if (strcmp(rule->audiences[i], text) == 0)
            return true;
    return false;
}

static bool audience_is_ours(const struct claims_rule *rule, const json_t *claims)
{
    const json_t *aud = json_object_get(claims, "aud"), *one;
    size_t i;
    bool is_ours = is_audience(rule, aud);
    json_array_foreach(aud, i, one)
    {
        if (!json_is_string(one))
            return false;
        is_ours = is_ours || is_audience(rule, one);
    }
    return is_ours;
}

static enum status check_parties(struct ctx *ctx, const struct claims_rule *rule, const json_t *claims)
{
    const char *iss = json_string_value(json_object_get(claims, "iss"));
    if (!iss || strcmp(iss, rule->issuer) != 0)
        return token_refuse(ctx, "The token is of another issuer.", "Token berasal dari penerbit lain.");
    if (!audience_is_ours(rule, claims))
        return token_refuse(ctx, "The token is for somebody else.", "Token ini untuk pihak lain.");
    return ST_OK;
}

/* ── bound to what (RFC 7800) ── what is not understood must not be passed over */

static enum status check_binding(struct ctx *ctx, const json_t *claims, const char **ret_certificate)
{
    const json_t *cnf = json_object_get(claims, "cnf");
    const char *text = json_string_value(json_object_get(cnf, "x5t#S256"));
    size_t len = 0;
    const uint8_t *hash;
    char *hex;
    if (!cnf)
        return ST_OK;
    hash = text && json_object_size(cnf) == 1 ? base64url_decode(ctx->arena, text, strlen(text), &len) : NULL;
    if (!hash || len != 32)
        return token_refuse(ctx, "The token is bound to what cannot be checked here.",
                            "Token terikat pada hal yang tidak dapat diperiksa di sini.");
    hex = arena_alloc(ctx->arena, KEY_HASH_HEX_SIZE);
    hex_encode(hash, len, hex);
    *ret_certificate = hex;
    return ST_OK;
}

/* ── who ── */

struct words {
    struct slice all[WORDS_MAX];
    size_t n;
};

/* A list of texts, or one text with blanks between; what is too much is left out, which gives less, never more. */
static void words_read(const json_t *node, struct words *ret)
{
    const json_t *one;
    size_t i;
    ret->n = 0;
    for (const char *p = json_string_value(node); p && *p && ret->n < WORDS_MAX;) {
        size_t len = strcspn(p, " ");
        if (len > 0)
            ret->all[ret->n++] = (struct slice){p, len};
        p += len + (p[len] == ' ');
    }
    json_array_foreach(node, i, one)
    {
        if (json_is_string(one) && ret->n < WORDS_MAX)
            ret->all[ret->n++] = (struct slice){json_string_value(one), json_string_length(one)};
    }
}

static void put_word(struct buf *out, struct slice word)
{
    buf_puts(out, out->len > 1 ? ",\"" : "\"");
    for (size_t i = 0; i < word.len; i++) {
        if (word.data[i] == '"' || word.data[i] == '\\')
            buf_putc(out, '\\');
        buf_putc(out, word.data[i]);
    }
    buf_putc(out, '"');
}

static bool has_role(const struct words *words, const char *name)
{
    for (size_t i = 0; i < words->n; i++)
        if (slice_is(words->all[i], name))
            return true;
    return false;
}

/* What the token's roles are mapped to: scopes, or (`role:…`) roles of ours. Words of [a-z._-], as in policy.c. */
static const char *mapped(struct arena *arena, const struct claims_rule *rule, const json_t *claims, bool to_roles)
{
    struct words words;
    struct buf out;
    words_read(find(arena, claims, rule->roles_at), &words);
    buf_init(&out, arena, 64);
    buf_putc(&out, '{');
    for (size_t i = 0; i < rule->n_roles; i++)
        for (size_t k = 0; has_role(&words, rule->roles[i].name) && k < rule->roles[i].n_scopes; k++) {
            const char *word = rule->roles[i].scopes[k];
            if (claims_is_role(word) == to_roles)
                buf_printf(&out, "%s%s", out.len > 1 ? "," : "", to_roles ? word + strlen(CLAIMS_ROLE) : word);
        }
    buf_putc(&out, '}');
    return buf_cstr(&out);
}

static const char *units_of(struct arena *arena, const struct claims_rule *rule, const json_t *claims)
{
    const json_t *node = find(arena, claims, rule->units_at);
    struct words words;
    struct buf out;
    if (!node)
        return NULL;
    words_read(node, &words);
    buf_init(&out, arena, 64);
    buf_putc(&out, '{');
    for (size_t i = 0; i < words.n; i++)
        put_word(&out, words.all[i]);
    buf_putc(&out, '}');
    return buf_cstr(&out);
}

static bool nip_of(struct arena *arena, const struct claims_rule *rule, const json_t *claims, const char **ret)
{
    const json_t *node = find(arena, claims, rule->nip_at);
    *ret = json_string_value(node);
    if (!node)
        return true;
    if (!*ret || strlen(*ret) != NIP_LEN)
        return false;
    return strspn(*ret, "0123456789") == NIP_LEN;
}

static enum status check_subject(struct ctx *ctx, const struct claims_rule *rule, const json_t *claims, struct token_claims *ret)
{
    const char *both;
    ret->issuer = rule->issuer;
    ret->subject = line_of(json_object_get(claims, "sub"), SUBJECT_MAX);
    ret->jti = line_of(json_object_get(claims, "jti"), JTI_MAX);
    if (!ret->subject || !ret->jti)
        return token_refuse(ctx, "The token does not say whom it speaks of, or which it is (sub, jti).",
                            "Token tidak menyebut siapa pemiliknya atau nomornya (sub, jti).");
    if (!nip_of(ctx->arena, rule, claims, &ret->nip))
        return token_refuse(ctx, "The token's NIP is none.", "NIP pada token tidak sah.");
    ret->name = line_of(find(ctx->arena, claims, rule->name_at), NAME_MAX);
    if (!ret->name)
        ret->name = "token";
    both = arena_printf(ctx->arena, "%s\n%s", ret->issuer, ret->subject);
    key_hash(both, strlen(both), ret->caller_hash);
    return ST_OK;
}

enum status claims_check(struct ctx *ctx, const struct claims_rule *rule, const json_t *claims, int64_t now_us, struct token_claims *ret)
{
    double exp = 0;
    enum status st = check_parties(ctx, rule, claims);
    *ret = (struct token_claims){0};
    if (st == ST_OK)
        st = check_times(ctx, rule, claims, (double)now_us / 1e6, &exp);
    if (st == ST_OK)
        st = check_binding(ctx, claims, &ret->certificate);
    if (st == ST_OK)
        st = check_subject(ctx, rule, claims, ret);
    if (st != ST_OK)
        return st;
    ret->expires_us = (int64_t)((exp + (double)rule->skew_s) * 1e6);
    ret->scopes = mapped(ctx->arena, rule, claims, false);
    ret->roles = mapped(ctx->arena, rule, claims, true);
    ret->unit_codes = units_of(ctx->arena, rule, claims);
    return ST_OK;
}
