/* SPDX-License-Identifier: Apache-2.0 */
/* One event loop: its own listener, its own database connections, its own cache of keys; nothing is shared between loops but what never
 * changes. Other threads reach it only through the inbox. */
#include "internal.h"

#include <string.h>

#include "asnd/date.h"
#include "asnd/log.h"
#include "door.h"
#include "standby.h"

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
    even_close(loop);
}

/* Phases follow one another; each is entered once. */
static void enter_phase(struct engine_loop *loop, int phase)
{
    loop->phase = phase;
    if (phase == PHASE_LEAVE)
        http_server_send_away(loop->server);
    else if (phase == PHASE_DRAIN)
        http_server_drain(loop->server);
    else if (phase == PHASE_CUT)
        http_server_close(loop->server, on_cut, loop);
    else if (phase == PHASE_END) {
        replicas_close(loop->replicas);
        db_loop_close(loop->db, on_db_closed, loop);
    }
}

static void on_wake(uv_async_t *handle)
{
    struct engine_loop *loop = handle->data;
    run_inbox(loop);
    while (loop->phase < atomic_load(&loop->wanted) && !(loop->phase == PHASE_CUT && loop->server))
        enter_phase(loop, loop->phase + 1);
}

#define TICK_MS          20
#define OPENING_TICK_MS  2
#define OPEN_PATIENCE_MS 1000

/* ── chores ── what a domain wants done from time to time: each statement `chore.<what>`, on one loop of each daemon. They must bear to be
 * run by several daemons, and twice. */

#define CHORE_MS   (600 * 1000)
#define CHORE_STEP 10 /* ticks: how often it is asked what is due */

struct chore {
    struct arena *arena;
    struct engine_loop *loop;
    bool is_brisk; /* has a time of its own */
};

static void chore_done(struct db_request *db, enum db_outcome outcome, PGresult *res)
{
    struct chore *chore = db->cls;
    (void)outcome; /* a failure was logged where it happened; the next turn tries again */
    (void)res;
    chore->loop->brisk_chores -= chore->is_brisk;
    arena_free(chore->arena);
}

/* The setting that a chore's parameter names. */
static int64_t kept(const struct settings *settings, const char *name)
{
    if (strcmp(name, "undo_days") == 0)
        return settings->undo_days;
    if (strcmp(name, "retention_batch") == 0)
        return settings->retention_batch;
    return strcmp(name, "idempotency_hours") == 0 ? settings->idempotency_hours : settings->change_days;
}

/* Brisk ones wait until those of the turn before are done. */
static bool is_due(const struct engine_loop *loop, const struct statement_info *info)
{
    unsigned every = (unsigned)(info->every_ms ? info->every_ms : CHORE_MS) / (TICK_MS * CHORE_STEP);
    return loop->chore_turn % (every ? every : 1) == 0 && (!info->every_ms || loop->is_brisk_turn);
}

/* Once for all turns: to look through every statement five times a second would cost more than all else that an idle daemon does. */
static void note_chore(void *cls, const struct statement *statement)
{
    struct engine *engine = cls;
    struct duty *duty;
    if (strncmp(statement_info(statement)->name, "chore.", 6) != 0)
        return;
    duty = arena_zalloc(engine->arena, sizeof *duty);
    *duty = (struct duty){statement, engine->duties};
    engine->duties = duty;
}

static void run_chore(struct engine_loop *loop, const struct statement *statement)
{
    const struct statement_info *info = statement_info(statement);
    struct arena *arena;
    struct chore *chore;
    struct db_request *db;
    const char **values;
    if (!is_due(loop, info))
        return;
    arena = arena_new(512);
    chore = arena_zalloc(arena, sizeof *chore);
    *chore = (struct chore){.arena = arena, .loop = loop, .is_brisk = info->every_ms != 0};
    loop->brisk_chores += chore->is_brisk;
    db = arena_zalloc(arena, sizeof *db);
    *db = (struct db_request){.variant = statement_variant(statement, 0, 0, VARIANT_PLAIN),
                              .units = DB_EVERYTHING,
                              .is_write = true,
                              .timeout_ms = 60000,
                              .done = chore_done,
                              .cls = chore};
    values = arena_zalloc_array(arena, db->variant->n_binds + 1, sizeof *values);
    for (size_t i = 0; i < db->variant->n_binds; i++)
        values[i] = arena_printf(arena, "%lld", (long long)kept(loop->engine->settings, db->variant->binds[i]));
    db->values = values;
    audit_ahead_daemon(db, loop->engine, arena);
    db_loop_submit(loop->db, db);
}

static void run_due_chores(struct engine_loop *loop)
{
    loop->is_brisk_turn = loop->brisk_chores == 0;
    for (const struct duty *duty = loop->engine->duties; duty; duty = duty->next)
        run_chore(loop, duty->statement);
    loop->chore_turn++;
}

static void give_up_gone(struct engine_loop *loop)
{
    struct job *next;
    for (struct job *job = worker_pool_take_gone(loop->engine->workers, loop); job; job = next) {
        next = job->next;
        job_give_up(job); /* may free it */
    }
}

/* Whoever connects before the database is there would only be told to come again: he waits a moment instead. */
static void open_when_up(struct engine_loop *loop)
{
    struct engine *engine = loop->engine;
    if (loop->is_open || !loop->server || (!atomic_load(&loop->db_is_up) && clock_mono_ms() < loop->open_at_mono))
        return;
    loop->is_open = true;
    http_server_open(loop->server);
    uv_timer_set_repeat(&loop->tick, TICK_MS);
    pthread_mutex_lock(&engine->open_lock);
    engine->open_loops++;
    pthread_cond_signal(&engine->open_signal);
    pthread_mutex_unlock(&engine->open_lock);
}

#define GONE_TICKS (200 / TICK_MS)

static void on_tick(uv_timer_t *timer)
{
    struct engine_loop *loop = timer->data;
    static _Thread_local unsigned ticks;

    atomic_store(&loop->has_turned, true);
    if (loop->server)
        atomic_store(&loop->active, http_server_active(loop->server));
    if (loop->db)
        atomic_store(&loop->db_is_up, db_loop_is_up(loop->db));
    open_when_up(loop);
    if (atomic_load(&loop->db_is_up))
        outage_over(&loop->outage);
    if (++ticks % GONE_TICKS == 0 && loop->phase < PHASE_CUT)
        give_up_gone(loop);
    if (loop->number == 0 && loop->phase == PHASE_RUN && ticks % CHORE_STEP == 0 && atomic_load(&loop->db_is_up))
        run_due_chores(loop);
    wait_tick(loop);
    door_tick(loop);
    replica_tick(loop->replicas);
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
                                .inherited = engine->inherited,
                                .max_connections = (int)(s->max_connections / engine->n_loops),
                                .head_limit = (size_t)s->head_limit,
                                .target_limit = (size_t)s->target_limit,
                                .head_timeout_ms = (int)s->head_timeout_ms,
                                .idle_timeout_ms = (int)s->idle_timeout_ms,
                                .body_timeout_ms = (int)s->body_timeout_ms,
                                .reply_timeout_ms = (int)s->reply_timeout_ms,
                                .tls_certificate = s->tls_certificate,
                                .tls_key = s->tls_key,
                                .least_rate = (int)s->least_rate};
}

static bool loop_open(struct engine_loop *loop, int port)
{
    const struct settings *s = loop->engine->settings;
    struct http_config http = http_config_of(loop->engine, port);
    struct db_config db = {.conninfo = s->database_url,
                           .connections = (int)s->loop_connections,
                           .write_connections = (int)s->loop_write_connections,
                           .queue_limit = (int)s->queue_limit,
                           .statement_timeout_ms = (int)s->statement_timeout_ms,
                           .holds_units = loop->engine->holds_units,
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
    uv_timer_start(&loop->tick, on_tick, 0, OPENING_TICK_MS);
    loop->open_at_mono = clock_mono_ms() + OPEN_PATIENCE_MS;
    if (!even_open(loop))
        return false;
    loop->actors = actor_cache_new(1024, (int)s->key_cache_ms);
    loop->db = db_loop_new(&loop->uv, &db);
    loop->replicas = replicas_new(loop);
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

static void wait_until_open(struct engine *engine)
{
    pthread_mutex_lock(&engine->open_lock);
    while (engine->open_loops < engine->n_loops)
        pthread_cond_wait(&engine->open_signal, &engine->open_lock);
    pthread_mutex_unlock(&engine->open_lock);
}

void engine_inherit(struct engine *engine, int fd)
{
    engine->inherited = fd;
}

bool engine_start(struct engine *engine)
{
    sql_set_each(engine->set, note_chore, engine);
    engine->workers = worker_pool_new(engine);
    provider_start(engine->provider);
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
    wait_until_open(engine);
    return true;
}

int engine_port(const struct engine *engine)
{
    return engine->port;
}

void engine_set_stopping(struct engine *engine)
{
    atomic_store(&engine->is_stopping, true);
    wanted(engine, PHASE_LEAVE);
}

void engine_drain(struct engine *engine)
{
    wanted(engine, PHASE_DRAIN);
}

bool engine_turns(struct engine *engine)
{
    bool all = true;
    for (int i = 0; i < engine->listening; i++)
        all &= atomic_exchange(&engine->loops[i].has_turned, false);
    return all;
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
    worker_pool_stop(engine->workers);
    provider_stop(engine->provider); /* the last tasks of both are in the inboxes now */
    wanted(engine, PHASE_END);
    for (int i = 0; i < engine->listening; i++) {
        struct engine_loop *loop = &engine->loops[i];
        pthread_join(loop->thread, NULL);
        actor_cache_free(loop->actors);
        replicas_free(loop->replicas);
        pthread_mutex_destroy(&loop->inbox_lock);
        uv_loop_close(&loop->uv);
    }
    engine->listening = 0;
    worker_pool_free(engine->workers);
    engine->workers = NULL;
}
