/* SPDX-License-Identifier: Apache-2.0 */
/* Worker threads, each with a blocking connection: commands and streams are straight-line C there. Streams can last, so they may not take the
 * last worker, nor more than half of the queue. */
#include "internal.h"

#include <stdlib.h>

#include "asnd/log.h"

struct worker {
    struct worker_pool *pool;
    pthread_t thread;
};

struct worker_pool {
    const struct engine *engine;
    struct worker *workers;
    int n;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct job *first, **last;
    int waiting, queue_limit;
    int streams, streams_max;
    int streams_waiting; /* of those waiting; they may not take the whole queue either */
    bool is_stopping;
    struct metric *depth;
};

/* The first job that may run now, unlinked; NULL if none. */
static struct job *next_job(struct worker_pool *pool)
{
    for (struct job **slot = &pool->first; *slot; slot = &(*slot)->next) {
        struct job *job = *slot;
        if (job->is_stream && pool->streams >= pool->streams_max)
            continue;
        *slot = job->next;
        if (!*slot)
            pool->last = slot;
        pool->waiting--;
        pool->streams_waiting -= job->is_stream;
        pool->streams += job->is_stream;
        return job;
    }
    return NULL;
}

/* A connection that works, made or mended; NULL with the job's problem set. */
static struct db_conn *connection(struct worker_pool *pool, struct db_conn *conn, struct job *job)
{
    const struct settings *s = pool->engine->settings;
    struct db_config config = {.conninfo = s->database_url,
                               .statement_timeout_ms = (int)s->statement_timeout_ms,
                               .application_name = "asnd worker",
                               .utc_offset_minutes = (int)s->utc_offset_minutes};
    job->status = conn ? db_ensure(&job->ctx, conn) : db_connect(&job->ctx, &config, &conn);
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
        bool is_stream;
        if (!job && pool->is_stopping)
            break;
        if (!job) {
            pthread_cond_wait(&pool->changed, &pool->lock);
            continue;
        }
        is_stream = job->is_stream;
        pthread_mutex_unlock(&pool->lock);
        metric_add(pool->depth, -1);
        conn = connection(pool, conn, job);
        job_run(job, job->status == ST_OK ? conn : NULL); /* the job may be gone after this */
        pthread_mutex_lock(&pool->lock);
        pool->streams -= is_stream;
        if (is_stream)
            pthread_cond_broadcast(&pool->changed);
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
    pool->streams_max = n > 1 ? n - 1 : 1;
    pool->depth = metric_new(METRIC_GAUGE, "asnd_worker_queue", "", "Jobs that wait for a worker");
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->changed, NULL);
    for (; pool->n < n; pool->n++) {
        pool->workers[pool->n].pool = pool;
        if (pthread_create(&pool->workers[pool->n].thread, NULL, work, &pool->workers[pool->n]) != 0)
            die_no_memory();
    }
    return pool;
}

bool worker_pool_submit(struct worker_pool *pool, struct job *job)
{
    bool taken;
    pthread_mutex_lock(&pool->lock);
    taken = pool->waiting < pool->queue_limit && !pool->is_stopping && !(job->is_stream && pool->streams_waiting > pool->queue_limit / 2);
    if (taken) {
        job->next = NULL;
        *pool->last = job;
        pool->last = &job->next;
        pool->waiting++;
        pool->streams_waiting += job->is_stream;
        pthread_cond_signal(&pool->changed);
    }
    pthread_mutex_unlock(&pool->lock);
    if (taken)
        metric_add(pool->depth, 1);
    return taken;
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
    pthread_cond_destroy(&pool->changed);
    pthread_mutex_destroy(&pool->lock);
    free(pool->workers);
    free(pool);
}
