/* SPDX-License-Identifier: Apache-2.0 */
/* The identity provider: its keys, fetched by a thread of its own, and the way of a token from its text to its claims. The last good keys are kept however
 * long the provider is away. An unknown kid makes the thread fetch anew, once for all who wait, and not again within oidc_retry_s. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <curl/curl.h>

#include "asnd/arena.h"
#include "asnd/date.h"
#include "asnd/log.h"
#include "asnd/metrics.h"
#include "internal.h"

struct provider {
    const struct settings *settings;
    struct arena *arena;
    struct claims_rule rule;
    unsigned algorithms;
    pthread_t thread;
    bool has_thread;
    atomic_bool is_stopping;
    pthread_mutex_t lock; /* of all below */
    pthread_cond_t changed;
    struct jwks *keys; /* NULL: never had any */
    bool is_wanted, is_fetching, has_tried;
    int64_t tried_ms, due_ms;
    struct key_waiter *waiters;
    struct metric *good, *failed, *n_keys;
};

/* ── the settings ── */

static bool algorithms_read(const char *text, unsigned *ret, FILE *err)
{
    *ret = 0;
    while (*text) {
        size_t len = strcspn(text, ",");
        struct slice name = slice_trim((struct slice){text, len});
        enum algorithm algorithm = algorithm_find(name.data, name.len);
        if (algorithm == ALG_KINDS)
            return fprintf(err, "asnd: oidc_algorithms: RS256, PS256, ES256 and EdDSA are known, not \"%.*s\".\n", (int)name.len,
                           name.data),
                   false;
        *ret |= 1U << algorithm;
        text += len + (text[len] == ',');
    }
    return true;
}

static bool source_is_fine(const struct settings *s, FILE *err)
{
    const char *url = *s->oidc_jwks_url ? s->oidc_jwks_url : s->oidc_issuer;
    if (*s->oidc_jwks_file || fetch_url_is_safe(url))
        return true;
    fprintf(err, "asnd: %s must be https://… (http:// on this machine alone), not \"%s\".\n",
            *s->oidc_jwks_url ? "oidc_jwks_url" : "without oidc_jwks_file and oidc_jwks_url, oidc_issuer", url);
    return false;
}

/* ── fetching ── */

static bool take_new(struct provider *provider, const char **ret_why)
{
    struct fetch fetch = {provider->settings, &provider->is_stopping};
    struct jwks *fresh = NULL, *old;
    size_t len = 0;
    char *text = fetch_jwks(&fetch, &len, ret_why);
    if (text)
        fresh = jwks_parse(text, len, provider->algorithms, ret_why);
    free(text);
    if (!fresh)
        return false;
    log_line(LOG_INFO_, "provider-keys", LOG_NUM("keys", fresh->n), LOG_NUM("ignored", fresh->ignored));
    metric_set(provider->n_keys, (int64_t)fresh->n);
    pthread_mutex_lock(&provider->lock);
    old = provider->keys;
    provider->keys = fresh;
    pthread_mutex_unlock(&provider->lock);
    jwks_unref(old);
    return true;
}

static void tell_waiters(struct key_waiter *waiters)
{
    while (waiters) {
        struct key_waiter *next = waiters->next; /* it may be gone once it is told */
        waiters->ready(waiters);
        waiters = next;
    }
}

static struct key_waiter *take_waiters(struct provider *provider)
{
    struct key_waiter *waiters = provider->waiters;
    provider->waiters = NULL;
    return waiters;
}

/* With the lock held, and held again when it returns. */
static void refresh(struct provider *provider)
{
    const struct settings *s = provider->settings;
    struct key_waiter *waiters;
    const char *why = NULL;
    bool is_good;
    provider->is_wanted = false;
    provider->is_fetching = true;
    pthread_mutex_unlock(&provider->lock);
    is_good = take_new(provider, &why);
    metric_add(is_good ? provider->good : provider->failed, 1);
    if (!is_good && !atomic_load(&provider->is_stopping))
        log_line(LOG_WARNING_, "provider-keys-failed", LOG_TEXT("reason", why));
    pthread_mutex_lock(&provider->lock);
    provider->is_fetching = false;
    provider->has_tried = true;
    provider->tried_ms = clock_mono_ms();
    provider->due_ms = provider->tried_ms + 1000 * (is_good ? s->oidc_refresh_s : s->oidc_retry_s);
    waiters = take_waiters(provider);
    pthread_mutex_unlock(&provider->lock);
    tell_waiters(waiters);
    pthread_mutex_lock(&provider->lock);
}

static void sleep_until(struct provider *provider, int64_t due_ms)
{
    struct timespec at = {.tv_sec = due_ms / 1000, .tv_nsec = due_ms % 1000 * 1000000};
    pthread_cond_timedwait(&provider->changed, &provider->lock, &at);
}

static void *run(void *cls)
{
    struct provider *provider = cls;
    pthread_mutex_lock(&provider->lock);
    while (!atomic_load(&provider->is_stopping)) {
        if (provider->is_wanted || clock_mono_ms() >= provider->due_ms)
            refresh(provider);
        else
            sleep_until(provider, provider->due_ms);
    }
    pthread_mutex_unlock(&provider->lock);
    return NULL;
}

/* ── its life ── */

static void init_lock(struct provider *provider)
{
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_mutex_init(&provider->lock, NULL);
    pthread_cond_init(&provider->changed, &attr);
    pthread_condattr_destroy(&attr);
}

static bool read_file_now(struct provider *provider, FILE *err)
{
    const char *why;
    if (!*provider->settings->oidc_jwks_file || take_new(provider, &why))
        return true;
    fprintf(err, "asnd: oidc_jwks_file %s: %s.\n", provider->settings->oidc_jwks_file, why);
    return false;
}

bool provider_new(const struct settings *settings, const struct contract *contract, const struct matrix *matrix, struct provider **ret,
                  FILE *err)
{
    struct provider *provider;
    *ret = NULL;
    if (!*settings->oidc_issuer)
        return true;
    curl_global_init(CURL_GLOBAL_DEFAULT);
    provider = calloc(1, sizeof *provider);
    if (!provider)
        die_no_memory();
    provider->settings = settings;
    provider->arena = arena_new(4096);
    provider->good =
        metric_new(METRIC_COUNTER, "asnd_provider_fetches_total", "outcome=\"good\"", "Fetches of the identity provider's keys");
    provider->failed =
        metric_new(METRIC_COUNTER, "asnd_provider_fetches_total", "outcome=\"failed\"", "Fetches of the identity provider's keys");
    provider->n_keys = metric_new(METRIC_GAUGE, "asnd_provider_keys", "", "Keys of the identity provider that verify tokens");
    init_lock(provider);
    if (algorithms_read(settings->oidc_algorithms, &provider->algorithms, err) && source_is_fine(settings, err) &&
        claims_rule_read(provider->arena, settings, contract, matrix, &provider->rule, err) && read_file_now(provider, err)) {
        *ret = provider;
        return true;
    }
    provider_free(provider);
    return false;
}

bool provider_check_file(const struct provider *provider, const char **ret_why)
{
    struct fetch fetch = {provider ? provider->settings : NULL, provider ? &provider->is_stopping : NULL};
    struct jwks *keys = NULL;
    size_t len = 0;
    char *text;
    if (!provider || !*provider->settings->oidc_jwks_file)
        return true;
    text = fetch_jwks(&fetch, &len, ret_why);
    if (text)
        keys = jwks_parse(text, len, provider->algorithms, ret_why);
    free(text);
    jwks_unref(keys);
    return keys != NULL;
}

void provider_renew(struct provider *provider)
{
    if (!provider)
        return;
    pthread_mutex_lock(&provider->lock);
    provider->is_wanted = true;
    pthread_cond_signal(&provider->changed);
    pthread_mutex_unlock(&provider->lock);
}

void provider_start(struct provider *provider)
{
    if (!provider)
        return;
    if (pthread_create(&provider->thread, NULL, run, provider) != 0)
        die_no_memory();
    provider->has_thread = true;
}

void provider_stop(struct provider *provider)
{
    struct key_waiter *waiters;
    if (!provider || !provider->has_thread)
        return;
    atomic_store(&provider->is_stopping, true);
    pthread_mutex_lock(&provider->lock);
    pthread_cond_broadcast(&provider->changed);
    pthread_mutex_unlock(&provider->lock);
    pthread_join(provider->thread, NULL);
    provider->has_thread = false;
    pthread_mutex_lock(&provider->lock);
    waiters = take_waiters(provider);
    pthread_mutex_unlock(&provider->lock);
    tell_waiters(waiters);
}

void provider_free(struct provider *provider)
{
    if (!provider)
        return;
    jwks_unref(provider->keys);
    pthread_cond_destroy(&provider->changed);
    pthread_mutex_destroy(&provider->lock);
    arena_free(provider->arena);
    free(provider);
}

/* ── what is asked of it ── */

bool provider_await(struct provider *provider, struct key_waiter *waiter)
{
    bool may_wait;
    pthread_mutex_lock(&provider->lock);
    may_wait = !atomic_load(&provider->is_stopping) && (provider->is_fetching || provider->is_wanted || !provider->has_tried ||
                                                        clock_mono_ms() - provider->tried_ms >= 1000 * provider->settings->oidc_retry_s);
    if (may_wait) {
        provider->is_wanted = provider->is_wanted || !provider->is_fetching;
        waiter->next = provider->waiters;
        provider->waiters = waiter;
        pthread_cond_signal(&provider->changed);
    }
    pthread_mutex_unlock(&provider->lock);
    return may_wait;
}

static struct jwks *keys_of(struct provider *provider)
{
    struct jwks *keys;
    pthread_mutex_lock(&provider->lock);
    keys = provider->keys;
    if (keys)
        atomic_fetch_add(&keys->refs, 1);
    pthread_mutex_unlock(&provider->lock);
    return keys;
}

enum status provider_refuse_unknown(struct ctx *ctx, struct provider *provider)
{
    struct jwks *keys = keys_of(provider);
    jwks_unref(keys);
    if (keys)
        return token_refuse(ctx, "The token is signed with a key that the provider does not have.",
                            "Token ditandatangani dengan kunci yang tidak dimiliki penyedia identitas.");
    ctx->problem.retry_after_s = (int)provider->settings->oidc_retry_s;
    return fail(ctx, ST_UNAVAILABLE, "unavailable", "The identity provider's keys could not be had.",
                "Kunci penyedia identitas tidak dapat diperoleh.");
}

enum token_verdict provider_verify(struct ctx *ctx, struct provider *provider, struct slice text, int64_t now_us, struct token_claims *ret)
{
    struct token token;
    struct jwks *keys;
    const struct jwk *key;
    bool is_signed;
    if (token_parse(ctx, text, &token) != ST_OK)
        return TOKEN_FORGED;
    keys = keys_of(provider);
    key = keys ? jwks_find(keys, token.kid) : NULL;
    is_signed = key && token_is_signed(&token, key);
    jwks_unref(keys);
    if (!key)
        return TOKEN_KEY_UNKNOWN;
    if (!is_signed) {
        token_refuse(ctx, "The token's signature is not its key's.", "Tanda tangan token tidak cocok dengan kuncinya.");
        return TOKEN_FORGED;
    }
    return claims_check(ctx, &provider->rule, token.claims, now_us, ret) == ST_OK ? TOKEN_GOOD : TOKEN_REFUSED;
}
