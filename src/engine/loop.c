/* SPDX-License-Identifier: Apache-2.0 */
/* One event loop: its own listener, its own database connections, its own cache of keys; nothing is shared between loops but what never
 * changes. Other threads reach it only through the inbox. */
#include "internal.h"

#include "asnd/log.h"

void loop_post(struct engine_loop *loop, struct loop_task *task)
{
    if (atomic_exchange(&task->is_queued, true))
        return;
    pthread_mutex_lock(&loop->inbox_lock);
    task->next = NULL;
    *loop->inbox_last = task;
    loop->inbox_last = &task->next;
    pthread_mutex_unlock(&loop->inbox_lock);
    uv_async_send(&loop->wake);
}

static void run_inbox(struct engine_loop *loop)
{
    struct loop_task *task;
    pthread_mutex_lock(&loop->inbox_lock);
    task = loop->inbox;
    loop->inbox = NULL;
    loop->inbox_last = &loop->inbox;
    pthread_mutex_unlock(&loop->inbox_lock);
    while (task) {
        struct loop_task *next = task->next; /* the task may free itself */
        atomic_store(&task->is_queued, false);
        task->run(task);
        task = next;
    }
}

static void on_cut(void *cls)
{
    struct engine_loop *loop = cls;
    loop->server = NULL;
    atomic_store(&loop->active, 0);
}

static void on_db_closed(void *cls)
{
    struct engine_loop *loop = cls;
    loop->db = NULL;
    uv_close((uv_handle_t *)&loop->wake, NULL);
    uv_close((uv_handle_t *)&loop->tick, NULL);
}

/* Phases follow one another; each is entered once. */
static void enter_phase(struct engine_loop *loop, int phase)
{
    loop->phase = phase;
    if (phase == PHASE_DRAIN)
        http_server_drain(loop->server);
    else if (phase == PHASE_CUT)
        http_server_close(loop->server, on_cut, loop);
    else if (phase == PHASE_END)
        db_loop_close(loop->db, on_db_closed, loop);
}

static void on_wake(uv_async_t *handle)
{
    struct engine_loop *loop = handle->data;
    run_inbox(loop);
    while (loop->phase < atomic_load(&loop->wanted) && !(loop->phase == PHASE_CUT && loop->server))
        enter_phase(loop, loop->phase + 1);
}

/* ── chores ── what a domain wants done from time to time: each statement `chore.<what>`, on one loop of each daemon. They must bear to be
 * run by several daemons, and twice. */

static void chore_done(struct db_request *db, enum db_outcome outcome, PGresult *res)
{
    (void)outcome; /* a failure was logged where it happened; the next turn tries again */
    (void)res;
    arena_free(db->cls);
}

/* The setting that a chore's parameter names. */
static int64_t kept(const struct settings *settings, const char *name)
{
    return strcmp(name, "idempotency_hours") == 0 ? settings->idempotency_hours : settings->change_days;
}

static void run_chore(void *cls, const struct statement *statement)
{
    struct engine_loop *loop = cls;
    struct arena *arena;
    struct db_request *db;
    const char **values;
    if (strncmp(statement_info(statement)->name, "chore.", 6) != 0)
        return;
    arena = arena_new(512);
    db = arena_zalloc(arena, sizeof *db);
    *db = (struct db_request){.variant = statement_variant(statement, 0, 0, VARIANT_PLAIN),
                              .is_write = true,
                              .timeout_ms = 60000,
                              .done = chore_done,
                              .cls = arena};
    values = arena_zalloc_array(arena, db->variant->n_binds + 1, sizeof *values);
    for (size_t i = 0; i < db->variant->n_binds; i++)
        values[i] = arena_printf(arena, "%lld", (long long)kept(loop->engine->settings, db->variant->binds[i]));
    db->values = values;
    db_loop_submit(loop->db, db);
}

static void give_up_gone(struct engine_loop *loop)
{
    struct job *next;
    for (struct job *job = worker_pool_take_gone(loop->engine->workers, loop); job; job = next) {
        next = job->next;
        job_give_up(job); /* may free it */
    }
}

#define TICK_MS     20
#define GONE_TICKS  (200 / TICK_MS)
#define CHORE_TICKS (600 * 1000 / TICK_MS)

static void on_tick(uv_timer_t *timer)
{
    struct engine_loop *loop = timer->data;
    static _Thread_local unsigned ticks, chores_at;
    if (loop->server)
        atomic_store(&loop->active, http_server_active(loop->server));
    if (loop->db)
        atomic_store(&loop->db_is_up, db_loop_is_up(loop->db));
    if (atomic_load(&loop->db_is_up))
        outage_over(&loop->outage);
    if (++ticks % GONE_TICKS == 0 && loop->phase < PHASE_CUT)
        give_up_gone(loop);
    if (loop->number == 0 && loop->phase == PHASE_RUN && ticks >= chores_at && atomic_load(&loop->db_is_up)) {
        chores_at = ticks + CHORE_TICKS;
        sql_set_each(loop->engine->set, run_chore, loop);
    }
    wait_tick(loop);
    on_wake(&loop->wake);
}

static void *run(void *cls)
{
    struct engine_loop *loop = cls;
    uv_run(&loop->uv, UV_RUN_DEFAULT);
    return NULL;
}

static struct http_config http_config_of(const struct engine *engine, int port)
{
    const struct settings *s = engine->settings;
    return (struct http_config){.listen = s->listen,
                                .port = port,
                                .reuse_port = true,
                                .max_connections = (int)(s->max_connections / engine->n_loops),
                                .head_limit = (size_t)s->head_limit,
                                .target_limit = (size_t)s->target_limit,
                                .head_timeout_ms = (int)s->head_timeout_ms,
                                .idle_timeout_ms = (int)s->idle_timeout_ms,
                                .body_timeout_ms = (int)s->body_timeout_ms,
                                .reply_timeout_ms = (int)s->reply_timeout_ms,
                                .least_rate = (int)s->least_rate};
}

static bool loop_open(struct engine_loop *loop, int port)
{
    const struct settings *s = loop->engine->settings;
    struct http_config http = http_config_of(loop->engine, port);
    struct db_config db = {.conninfo = s->database_url,
                           .connections = (int)s->loop_connections,
                           .queue_limit = (int)s->queue_limit,
                           .statement_timeout_ms = (int)s->statement_timeout_ms,
                           .utc_offset_minutes = (int)s->utc_offset_minutes,
                           .application_name = "asnd loop"};
    struct http_handler handler = engine_http_handler;
    handler.cls = loop;
    uv_loop_init(&loop->uv);
    pthread_mutex_init(&loop->inbox_lock, NULL);
    loop->inbox_last = &loop->inbox;
    uv_async_init(&loop->uv, &loop->wake, on_wake);
    loop->wake.data = loop;
    uv_timer_init(&loop->uv, &loop->tick);
    loop->tick.data = loop;
    uv_timer_start(&loop->tick, on_tick, 0, TICK_MS);
    loop->actors = actor_cache_new(1024, (int)s->key_cache_ms);
    loop->db = db_loop_new(&loop->uv, &db);
    loop->server = http_server_new(&loop->uv, &http, &handler);
    return loop->server != NULL;
}

static void wanted(struct engine *engine, int phase)
{
    for (int i = 0; i < engine->listening; i++) {
        atomic_store(&engine->loops[i].wanted, phase);
        uv_async_send(&engine->loops[i].wake);
    }
}

bool engine_start(struct engine *engine)
{
    engine->workers = worker_pool_new(engine);
    engine->port = (int)engine->settings->port;
    for (int i = 0; i < engine->n_loops; i++) {
        struct engine_loop *loop = &engine->loops[i];
        loop->engine = engine;
        loop->number = i;
        loop->outage = (struct outage){.who = "loop", .number = i};
        if (!loop_open(loop, engine->port))
            return false;
        engine->port = http_server_port(loop->server); /* the first loop's choice is everybody's */
    }
    for (int i = 0; i < engine->n_loops; i++) {
        if (pthread_create(&engine->loops[i].thread, NULL, run, &engine->loops[i]) != 0)
            die_no_memory();
        engine->listening++;
    }
    return true;
}

int engine_port(const struct engine *engine)
{
    return engine->port;
}

void engine_set_stopping(struct engine *engine)
{
    atomic_store(&engine->is_stopping, true);
}

void engine_drain(struct engine *engine)
{
    wanted(engine, PHASE_DRAIN);
}

bool engine_is_idle(const struct engine *engine)
{
    for (int i = 0; i < engine->listening; i++)
        if (atomic_load(&engine->loops[i].active) > 0 || engine->loops[i].phase < PHASE_DRAIN)
            return false;
    return true;
}

void engine_stop(struct engine *engine)
{
    wanted(engine, PHASE_CUT);
    worker_pool_stop(engine->workers); /* their last tasks are in the inboxes now */
    wanted(engine, PHASE_END);
    for (int i = 0; i < engine->listening; i++) {
        struct engine_loop *loop = &engine->loops[i];
        pthread_join(loop->thread, NULL);
        actor_cache_free(loop->actors);
        pthread_mutex_destroy(&loop->inbox_lock);
        uv_loop_close(&loop->uv);
    }
    engine->listening = 0;
    worker_pool_free(engine->workers);
    engine->workers = NULL;
}
