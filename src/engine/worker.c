/* SPDX-License-Identifier: Apache-2.0 */
/* Worker threads, each with a blocking connection: commands and streams are straight-line C there. What can last may not take the last worker, nor
 * more than half of the queue; and whoever has the least running comes first, so that one caller's many do not keep another's one waiting. */
#include "internal.h"

#include <stdlib.h>

#include "asnd/log.h"
#include "door.h"

struct worker {
    struct worker_pool *pool;
    pthread_t thread;
    struct outage outage;
};

struct worker_pool {
    const struct engine *engine;
    struct worker *workers;
    int n;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct job *first, **last;
    int waiting, queue_limit;
    int longs, longs_max;
    int longs_waiting; /* of those waiting; they may not take the whole queue either */
    bool is_stopping;
    struct metric *depth;
};

static struct job *unlink_job(struct worker_pool *pool, struct job **slot)
{
    struct job *job = *slot;
    *slot = job->next;
    if (!*slot)
        pool->last = slot;
    pool->waiting--;
    pool->longs_waiting -= job->is_long;
    return job;
}

/* Out of the queue for good. */
static struct job *withdraw(struct worker_pool *pool, struct job **slot)
{
    struct job *job = unlink_job(pool, slot);
    job->call->account->jobs--;
    return job;
}

/* Of the jobs that may run now the first of whoever has the least running, unlinked; NULL if none. */
static struct job *next_job(struct worker_pool *pool)
{
    struct job **best = NULL;
    for (struct job **slot = &pool->first; *slot && !(best && (*best)->call->account->running == 0); slot = &(*slot)->next) {
        if ((*slot)->is_long && pool->longs >= pool->longs_max)
            continue;
        if (!best || (*slot)->call->account->running < (*best)->call->account->running)
            best = slot;
    }
    return best ? unlink_job(pool, best) : NULL;
}

static void begin(struct worker_pool *pool, const struct job *job)
{
    pool->longs += job->is_long;
    job->call->account->running++;
}

static void end(struct worker_pool *pool, struct account *account, bool was_long)
{
    pool->longs -= was_long;
    account->running--;
    account->jobs--;
    if (was_long)
        pthread_cond_broadcast(&pool->changed);
}

/* A connection that works, made or mended; otherwise the job's problem is set. */
static struct db_conn *connection(struct worker *self, struct db_conn *conn, struct job *job)
{
    const struct settings *s = self->pool->engine->settings;
    struct db_config config = {.conninfo = s->database_url,
                               .statement_timeout_ms = (int)s->statement_timeout_ms,
                               .application_name = "asnd worker",
                               .holds_units = self->pool->engine->holds_units,
                               .utc_offset_minutes = (int)s->utc_offset_minutes,
                               .is_quiet = self->outage.refused > 0};
    job->status = conn ? db_ensure(&job->ctx, conn) : db_connect(&job->ctx, &config, &conn);
    if (job->status == ST_OK)
        outage_over(&self->outage);
    else
        outage_refused(&self->outage);
    if (job->status != ST_OK && !job->ctx.problem.retry_after_s)
        job->ctx.problem.retry_after_s = 1;
    return conn;
}

static void *work(void *cls)
{
    struct worker *self = cls;
    struct worker_pool *pool = self->pool;
    struct db_conn *conn = NULL;
    pthread_mutex_lock(&pool->lock);
    for (;;) {
        struct job *job = next_job(pool);
        struct account *account;
        bool is_long;
        if (!job && pool->is_stopping)
            break;
        if (!job) {
            pthread_cond_wait(&pool->changed, &pool->lock);
            continue;
        }
        is_long = job->is_long;
        account = job->call->account;
        begin(pool, job);
        pthread_mutex_unlock(&pool->lock);
        metric_add(pool->depth, -1);
        conn = connection(self, conn, job);
        job_run(job, job->status == ST_OK ? conn : NULL); /* the job may be gone after this */
        pthread_mutex_lock(&pool->lock);
        end(pool, account, is_long);
    }
    pthread_mutex_unlock(&pool->lock);
    db_disconnect(conn);
    return NULL;
}

struct worker_pool *worker_pool_new(const struct engine *engine)
{
    struct worker_pool *pool = calloc(1, sizeof *pool);
    int n = (int)engine->settings->workers;
    if (!pool || !(pool->workers = calloc((size_t)n, sizeof *pool->workers)))
        die_no_memory();
    pool->engine = engine;
    pool->last = &pool->first;
    pool->queue_limit = (int)engine->settings->worker_queue_limit;
    pool->longs_max = n > 1 ? n - 1 : 1;
    pool->depth = metric_new(METRIC_GAUGE, "asnd_worker_queue", "", "Jobs that wait for a worker");
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->changed, NULL);
    for (; pool->n < n; pool->n++) {
        pool->workers[pool->n] = (struct worker){.pool = pool, .outage = {.who = "worker", .number = pool->n}};
        if (pthread_create(&pool->workers[pool->n].thread, NULL, work, &pool->workers[pool->n]) != 0)
            die_no_memory();
    }
    return pool;
}

static enum submitted judge(const struct worker_pool *pool, const struct job *job)
{
    if (job->call->account->jobs >= pool->engine->settings->caller_jobs)
        return SUBMIT_CALLER_FULL;
    if (pool->waiting >= pool->queue_limit || pool->is_stopping || (job->is_long && pool->longs_waiting > pool->queue_limit / 2))
        return SUBMIT_FULL;
    return SUBMIT_TAKEN;
}

enum submitted worker_pool_submit(struct worker_pool *pool, struct job *job)
{
    enum submitted submitted;
    pthread_mutex_lock(&pool->lock);
    submitted = judge(pool, job);
    if (submitted == SUBMIT_TAKEN) {
        job->next = NULL;
        *pool->last = job;
        pool->last = &job->next;
        pool->waiting++;
        pool->longs_waiting += job->is_long;
        job->call->account->jobs++;
        pthread_cond_signal(&pool->changed);
    }
    pthread_mutex_unlock(&pool->lock);
    if (submitted == SUBMIT_TAKEN)
        metric_add(pool->depth, 1);
    return submitted;
}

bool worker_pool_withdraw(struct worker_pool *pool, struct job *job)
{
    struct job **slot;
    bool found;
    pthread_mutex_lock(&pool->lock);
    slot = &pool->first;
    while (*slot && *slot != job)
        slot = &(*slot)->next;
    found = *slot != NULL;
    if (found)
        withdraw(pool, slot);
    pthread_mutex_unlock(&pool->lock);
    if (found)
        metric_add(pool->depth, -1);
    return found;
}

struct job *worker_pool_take_gone(struct worker_pool *pool, const struct engine_loop *loop)
{
    struct job *gone = NULL;
    int n = 0;
    pthread_mutex_lock(&pool->lock);
    for (struct job **slot = &pool->first; *slot;) {
        if ((*slot)->call->loop != loop || !request_client_left((*slot)->call->rq)) {
            slot = &(*slot)->next;
            continue;
        }
        struct job *job = withdraw(pool, slot);
        job->next = gone;
        gone = job;
        n++;
    }
    pthread_mutex_unlock(&pool->lock);
    metric_add(pool->depth, -n);
    return gone;
}

void worker_pool_stop(struct worker_pool *pool)
{
    if (!pool)
        return;
    pthread_mutex_lock(&pool->lock);
    pool->is_stopping = true;
    pthread_cond_broadcast(&pool->changed);
    pthread_mutex_unlock(&pool->lock);
    for (int i = 0; i < pool->n; i++)
        pthread_join(pool->workers[i].thread, NULL);
}

void worker_pool_free(struct worker_pool *pool)
{
    if (!pool)
        return;
    pthread_cond_destroy(&pool->changed);
    pthread_mutex_destroy(&pool->lock);
    free(pool->workers);
    free(pool);
}
