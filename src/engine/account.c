/* SPDX-License-Identifier: Apache-2.0 */
/* What each caller has under way, so that one client's many do not become everybody's wait. Tables of a fixed size for all loops and workers, found by a
 * keyed hash whose key dies with the process: who collides shares, and nobody can choose with whom. */
#include "internal.h"

#include <stdlib.h>
#include <string.h>

#include "asnd/log.h"
#include "door.h"

#define PLACES 65536

struct accounts {
    uint8_t key[crypto_shorthash_KEYBYTES];
    struct account of[PLACES];
    _Atomic uint64_t known[PLACES]; /* hashes of credentials; 0: none */
};

struct accounts *accounts_new(void)
{
    struct accounts *accounts = calloc(1, sizeof *accounts);
    if (!accounts)
        die_no_memory();
    randombytes_buf(accounts->key, sizeof accounts->key);
    return accounts;
}

void accounts_free(struct accounts *accounts)
{
    free(accounts);
}

static uint64_t hash_of(const struct accounts *accounts, const void *who, size_t len)
{
    uint8_t sum[crypto_shorthash_BYTES];
    uint64_t hash;
    crypto_shorthash(sum, who, len, accounts->key);
    memcpy(&hash, sum, sizeof hash);
    return hash ? hash : 1;
}

struct account *account_of(struct accounts *accounts, const void *who, size_t len)
{
    return &accounts->of[hash_of(accounts, who, len) % PLACES];
}

/* ── under way ── */

enum status account_refuse(struct call *call, int64_t most)
{
    metric_add(call->engine->limited, 1);
    if (!call->ctx->problem.retry_after_s)
        call->ctx->problem.retry_after_s = 1;
    return fail(call->ctx, ST_TOO_MANY_REQUESTS, "too-many-requests",
                "%lld requests of yours are under way, and more are not taken; wait for an answer.",
                "%lld permintaan Anda sedang dikerjakan dan lebih dari itu tidak diterima; tunggu jawabannya.", (long long)most);
}

enum status account_enter(struct call *call, const void *who, size_t len)
{
    const int64_t share = door_share(call);
    int64_t most = call->engine->settings->caller_requests;
    most = share < most ? share : most;
    call->account = account_of(call->engine->accounts, who, len);
    call->is_counted = true;
    return atomic_fetch_add(&call->account->requests, 1) < most ? ST_OK : account_refuse(call, most);
}

void account_leave(struct call *call)
{
    if (call->is_counted)
        atomic_fetch_sub(&call->account->requests, 1);
    call->is_counted = false;
}

/* ── known credentials ── */

bool account_is_known(struct accounts *accounts, const char *key_hash)
{
    uint64_t hash = hash_of(accounts, key_hash, strlen(key_hash));
    return atomic_load_explicit(&accounts->known[hash % PLACES], memory_order_relaxed) == hash;
}

void account_know(struct accounts *accounts, const char *key_hash)
{
    uint64_t hash = hash_of(accounts, key_hash, strlen(key_hash));
    atomic_store_explicit(&accounts->known[hash % PLACES], hash, memory_order_relaxed);
}
