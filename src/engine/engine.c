/* SPDX-License-Identifier: Apache-2.0 */
/* Joining the parts into an engine, and taking it apart. */
#include "internal.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "asnd/log.h"
#include "door.h"

static const char *personal_roles(const struct matrix *matrix, struct arena *arena)
{
    size_t n;
    const struct matrix_role *roles = matrix_roles(matrix, &n);
    struct buf out;
    buf_init(&out, arena, 64);
    for (size_t i = 0; i < n; i++)
        if (roles[i].is_personal)
            buf_printf(&out, "%s%s", out.len ? "," : "", roles[i].name);
    return buf_cstr(&out);
}

static void reads_metrics(struct engine *engine)
{
    static const char reads[] = "Queries, by the server that answered them",
                      passed[] = "Queries with a position that a standby might have answered, and the primary did: why";
    engine->reads.at_primary = metric_new(METRIC_COUNTER, "asnd_reads_total", "server=\"primary\"", reads);
    engine->reads.at_standby = metric_new(METRIC_COUNTER, "asnd_reads_total", "server=\"standby\"", reads);
    engine->reads.passed_over[PASSED_AWAY] = metric_new(METRIC_COUNTER, "asnd_standby_passed_over_total", "reason=\"away\"", passed);
    engine->reads.passed_over[PASSED_STALE] = metric_new(METRIC_COUNTER, "asnd_standby_passed_over_total", "reason=\"stale\"", passed);
    engine->reads.passed_over[PASSED_BEHIND] = metric_new(METRIC_COUNTER, "asnd_standby_passed_over_total", "reason=\"behind\"", passed);
    engine->reads.passed_over[PASSED_FAILED] = metric_new(METRIC_COUNTER, "asnd_standby_passed_over_total", "reason=\"failed\"", passed);
    engine->reads.lag_ms =
        metric_new(METRIC_GAUGE, "asnd_standby_lag_milliseconds", "", "How old at most what a standby shows is (0: none is wanted)");
    engine->reads.loops = metric_new(METRIC_GAUGE, "asnd_loops_with_standby", "", "Event loops that may read at a standby");
}

struct engine *engine_new(const struct settings *settings, struct contract *contract, const struct matrix *matrix,
                          const struct sql_set *set, const struct binding *bindings, const uint8_t cursor_secret[32], FILE *err)
{
    struct engine *engine = calloc(1, sizeof *engine);
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    if (!engine)
        die_no_memory();
    engine->settings = settings;
    engine->contract = contract;
    engine->matrix = matrix;
    engine->set = set;
    engine->arena = arena_new(65536);
    engine->matrix_json = matrix_json(matrix, engine->arena);
    engine->personal_roles = personal_roles(matrix, engine->arena);
    engine->n_loops = settings->loops ? (int)settings->loops : cores > 0 ? (int)cores : 1;
    engine->loops = calloc((size_t)engine->n_loops, sizeof *engine->loops);
    if (!engine->loops)
        die_no_memory();
    memcpy(engine->cursor_secret, cursor_secret, sizeof engine->cursor_secret);
    crypto_generichash((unsigned char *)&engine->tag_seed, sizeof engine->tag_seed, (const unsigned char *)"entity tag", 10, cursor_secret,
                       32);
    pthread_mutex_init(&engine->docs.lock, NULL);
    pthread_mutex_init(&engine->open_lock, NULL);
    pthread_cond_init(&engine->open_signal, NULL);
    engine->limiter = limiter_new();
    engine->accounts = accounts_new();
    engine->overloaded = metric_new(METRIC_COUNTER, "asnd_overloaded_total", "", "Requests that came when too much waited already");
    engine->waiting = metric_new(METRIC_GAUGE, "asnd_waiting_for_changes", "", "Requests that wait until there is something to tell");
    engine->limited = metric_new(METRIC_COUNTER, "asnd_rate_limited_total", "", "Requests that came too often, or too many at once");
    engine->tokens_refused = metric_new(METRIC_COUNTER, "asnd_tokens_refused_total", "", "Tokens that were none, of others, or not good");
    engine->readings_held = metric_new(METRIC_GAUGE, "asnd_readings_held", "", "Replies that wait for their entry in the audit");
    reads_metrics(engine);
    engine->databases_up = metric_new(METRIC_GAUGE, "asnd_loops_with_database", "", "Event loops whose database connections are up");
    metric_set(metric_new(METRIC_GAUGE, "asnd_loops", "", "Event loops"), engine->n_loops);
    metrics_of_process_begin();
    if (!provider_new(settings, contract, matrix, &engine->provider, err) || !ops_compile(engine, bindings, err)) {
        engine_free(engine);
        return NULL;
    }
    contract_forget_document(contract);
    malloc_trim(0);
    return engine;
}

void engine_hold_units(struct engine *engine)
{
    engine->holds_units = true;
}

/* Both halves of a reload: first all is looked at, then all is taken. */
bool engine_check_renewal(const struct engine *engine, const struct settings *fresh, struct tls_pair **ret_pair, const char **ret_why)
{
    *ret_pair = NULL;
    if (!provider_check_file(engine->provider, ret_why))
        return false;
    if (*fresh->tls_certificate)
        *ret_pair = tls_pair_read(fresh->tls_certificate, fresh->tls_key, ret_why);
    return *ret_pair || !*fresh->tls_certificate;
}

void engine_renew(struct engine *engine, const struct settings *fresh, struct tls_pair *pair)
{
    atomic_store(&engine->settings, fresh);
    if (pair)
        tls_pair_use(pair);
    provider_renew(engine->provider);
}

void engine_free(struct engine *engine)
{
    if (!engine)
        return;
    tls_forget();
    arena_free(engine->docs.arena);
    pthread_mutex_destroy(&engine->docs.lock);
    pthread_mutex_destroy(&engine->open_lock);
    pthread_cond_destroy(&engine->open_signal);
    provider_free(engine->provider);
    limiter_free(engine->limiter);
    accounts_free(engine->accounts);
    arena_free(engine->arena);
    free(engine->loops);
    free(engine);
}

const struct matrix *engine_matrix(const struct engine *engine)
{
    return engine->matrix;
}

const struct contract *engine_contract(const struct engine *engine)
{
    return engine->contract;
}
