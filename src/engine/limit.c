/* SPDX-License-Identifier: Apache-2.0 */
/* How often somebody may call. Without a key: `x-rate-limit` of the contract names what is counted, `client` (an address) or `token` (the one sealed
 * parameter). With one: whose it is. And from where wrong ones may come. One table for all loops, of a fixed size: who calls is kept as a keyed hash for as long as his minute lasts, and the key dies with the process. */
#include "internal.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "asnd/date.h"
#include "asnd/log.h"
#include "door.h"

#define MINUTE_US INT64_C(60000000)
#define SETS      8192
#define WAYS      8
#define LOCKS     64

/* When the bucket would be full again (the generic cell rate algorithm's theoretical arrival time); 0: the place is free. */
struct cell {
    uint64_t who;
    int64_t full_us;
};

struct limiter {
    uint8_t key[crypto_shorthash_KEYBYTES];
    pthread_mutex_t locks[LOCKS];
    struct cell cells[SETS][WAYS];
};

struct limiter *limiter_new(void)
{
    struct limiter *limiter = calloc(1, sizeof *limiter);
    if (!limiter)
        die_no_memory();
    randombytes_buf(limiter->key, sizeof limiter->key);
    for (int i = 0; i < LOCKS; i++)
        pthread_mutex_init(&limiter->locks[i], NULL);
    return limiter;
}

void limiter_free(struct limiter *limiter)
{
    if (!limiter)
        return;
    for (int i = 0; i < LOCKS; i++)
        pthread_mutex_destroy(&limiter->locks[i]);
    free(limiter);
}

/* Its own place, or that of whoever has the most left: he loses the least. */
static struct cell *cell_of(struct cell set[WAYS], uint64_t who)
{
    struct cell *least = set;
    for (int i = 0; i < WAYS; i++) {
        if (set[i].who == who && set[i].full_us)
            return &set[i];
        if (set[i].full_us < least->full_us)
            least = &set[i];
    }
    *least = (struct cell){.who = who};
    return least;
}

static uint64_t hash_of(const struct limiter *limiter, const void *who, size_t len)
{
    uint8_t sum[crypto_shorthash_BYTES];
    uint64_t hash;
    crypto_shorthash(sum, who, len, limiter->key);
    memcpy(&hash, sum, sizeof hash);
    return hash;
}

struct limited limiter_take(struct limiter *limiter, const void *who, size_t len, int64_t quota, int64_t now_us)
{
    uint64_t hash = hash_of(limiter, who, len);
    int64_t each_us = MINUTE_US / quota, full_us;
    struct limited told = {.quota = quota};
    struct cell *cell;
    pthread_mutex_lock(&limiter->locks[hash % LOCKS]);
    cell = cell_of(limiter->cells[hash % SETS], hash);
    full_us = (cell->full_us > now_us ? cell->full_us : now_us) + each_us;
    told.is_taken = full_us - now_us <= each_us * quota;
    if (told.is_taken)
        cell->full_us = full_us;
    else
        told.wait_us = full_us - now_us - each_us * quota;
    told.left = (each_us * quota - (cell->full_us - now_us)) / each_us;
    told.reset_us = cell->full_us - now_us;
    pthread_mutex_unlock(&limiter->locks[hash % LOCKS]);
    return told;
}

bool limiter_is_empty(struct limiter *limiter, const void *who, size_t len, int64_t quota, int64_t now_us, int64_t *ret_wait_us)
{
    uint64_t hash = hash_of(limiter, who, len);
    int64_t each_us = MINUTE_US / quota, over_us = 0;
    pthread_mutex_lock(&limiter->locks[hash % LOCKS]);
    for (int i = 0; i < WAYS; i++)
        if (limiter->cells[hash % SETS][i].who == hash)
            over_us = limiter->cells[hash % SETS][i].full_us - now_us + each_us - each_us * quota;
    pthread_mutex_unlock(&limiter->locks[hash % LOCKS]);
    *ret_wait_us = over_us;
    return over_us > 0;
}

/* ── who it is ── */

static bool is_among(const char *list, struct slice address)
{
    for (const char *p = list; *p; p += *p == ',') {
        size_t n = strcspn(p, ",");
        struct slice one = slice_trim((struct slice){p, n});
        if (one.len == address.len && memcmp(one.data, address.data, one.len) == 0)
            return true;
        p += n;
    }
    return false;
}

/* The last address that our own proxies did not write themselves: what stands before it anybody may have made up. */
struct slice limit_client(const char *peer, const char *forwarded, const char *trusted)
{
    struct slice client = {peer, strlen(peer)};
    size_t end = forwarded ? strlen(forwarded) : 0;
    while (end > 0 && is_among(trusted, client)) {
        size_t start = end;
        while (start > 0 && forwarded[start - 1] != ',')
            start--;
        client = slice_trim((struct slice){forwarded + start, end - start});
        end = start > 0 ? start - 1 : 0;
    }
    return client;
}

bool limit_is_trusted(const char *peer, const char *trusted)
{
    return is_among(trusted, slice_of(peer));
}

/* A household has one IPv4 address, or a whole /64 of IPv6. What is no address counts as it is written. */
size_t limit_address(struct slice client, uint8_t ret[LIMIT_ADDRESS_MAX])
{
    char text[INET6_ADDRSTRLEN] = "";
    struct in6_addr six;
    struct in_addr four;
    size_t n = client.len < sizeof text ? client.len : sizeof text - 1;
    memcpy(text, client.data, n);
    text[n] = '\0';
    if (inet_pton(AF_INET, text, &four) == 1) {
        memcpy(ret, &four, sizeof four);
        return sizeof four;
    }
    if (inet_pton(AF_INET6, text, &six) == 1) {
        memcpy(ret, &six, 8);
        return 8;
    }
    memcpy(ret, text, n);
    return n;
}

/* ── the call ── */

bool limit_counts(const struct op *op, const char *what)
{
    size_t i;
    const json_t *one;
    json_array_foreach(json_object_get(op->contract->raw, "x-rate-limit"), i, one)
    {
        if (json_is_string(one) && strcmp(json_string_value(one), what) == 0)
            return true;
    }
    return false;
}

static int64_t seconds(int64_t us)
{
    return (us + 999999) / 1000000;
}

/* RateLimit and RateLimit-Policy (IETF draft of httpapi): lists, so that each thing that is counted adds its own line. */
static void tell(struct call *call, const char *what, const struct limited *told)
{
    struct arena *arena = call->ctx->arena;
    const char *policy = arena_printf(arena, "\"%s\";q=%lld;w=60", what, (long long)told->quota);
    const char *now = arena_printf(arena, "\"%s\";r=%lld;t=%lld", what, (long long)told->left, (long long)seconds(told->reset_us));
    reply_header(call->rq, "RateLimit-Policy", policy);
    reply_header(call->rq, "RateLimit", now);
}

static enum status refuse(struct call *call, int64_t quota, int64_t wait_us)
{
    metric_add(call->engine->limited, 1);
    call->ctx->problem.retry_after_s = (int)seconds(wait_us);
    return fail(call->ctx, ST_TOO_MANY_REQUESTS, "too-many-requests", "More than %lld a minute are not taken here; wait %d s.",
                "Di sini paling banyak %lld permintaan per menit; tunggu %d detik.", (long long)quota, call->ctx->problem.retry_after_s);
}

static enum status take(struct call *call, const char *what, const void *who, size_t len, int64_t quota)
{
    struct limited told = limiter_take(call->engine->limiter, who, len, quota, clock_mono_us());
    tell(call, what, &told);
    return told.is_taken ? ST_OK : refuse(call, quota, told.wait_us);
}

/* The address as it is counted. */
static size_t address_of(const struct call *call, uint8_t ret[LIMIT_ADDRESS_MAX])
{
    const char *forwarded = request_header(call->rq, "X-Forwarded-For");
    return limit_address(limit_client(request_peer(call->rq), forwarded, call->engine->settings->trusted_proxies), ret);
}

/* What needs no key counts as its address's, but for what the engine answers by itself. */
enum status limit_client_of(struct call *call)
{
    uint8_t address[LIMIT_ADDRESS_MAX];
    enum status st = ST_OK;
    size_t len;
    if (!call->op->contract->is_public || call->op->kind == OP_BUILTIN)
        return ST_OK;
    len = address_of(call, address);
    if (call->op->limits_client)
        st = take(call, "client", address, len, call->engine->settings->public_rate);
    return st == ST_OK ? account_enter(call, address, len) : st;
}

enum status limit_token_of(struct call *call)
{
    const struct value *token = call->op->sealed_param < 0 ? NULL : &call->in.values[call->op->sealed_param];
    if (!call->op->limits_token || !token || !token->text)
        return ST_OK;
    return take(call, "token", token->text, token->len, call->engine->settings->token_rate);
}

/* ── with a key ── */

/* How much is left is told to those alone who have nothing left: a portal does not count, and its replies stay short. */
enum status limit_caller(struct call *call)
{
    const char *who = call->actor->key_id;
    const size_t len = strlen(who);
    const int64_t quota = call->engine->settings->key_rate;
    struct limited told = limiter_take(call->engine->limiter, who, len, quota, clock_mono_us());
    if (told.is_taken)
        return account_enter(call, who, len);
    tell(call, "key", &told);
    return refuse(call, quota, told.wait_us);
}

#define WRONG_SIZE (LIMIT_ADDRESS_MAX + 1)

/* An address as the origin of wrong credentials: another thing than who may call without any. */
static size_t wrong_of(const struct call *call, uint8_t ret[WRONG_SIZE])
{
    ret[0] = '!';
    return 1 + address_of(call, ret + 1);
}

enum status limit_guess(struct call *call)
{
    const int64_t quota = call->engine->settings->wrong_key_rate;
    uint8_t who[WRONG_SIZE];
    int64_t wait_us;
    if (account_is_known(call->engine->accounts, call->key_hash) ||
        !limiter_is_empty(call->engine->limiter, who, wrong_of(call, who), quota, clock_mono_us(), &wait_us))
        return ST_OK;
    problem_clear(call->ctx);
    metric_add(call->engine->limited, 1);
    call->ctx->problem.retry_after_s = (int)seconds(wait_us);
    return fail(call->ctx, ST_TOO_MANY_REQUESTS, "too-many-requests", "Too many wrong keys came from your address; wait %d s.",
                "Terlalu banyak kunci salah dari alamat Anda; tunggu %d detik.", call->ctx->problem.retry_after_s);
}

void limit_wrong(struct call *call)
{
    uint8_t who[WRONG_SIZE];
    (void)limiter_take(call->engine->limiter, who, wrong_of(call, who), call->engine->settings->wrong_key_rate, clock_mono_us());
}
