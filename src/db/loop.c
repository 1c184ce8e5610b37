/* SPDX-License-Identifier: Apache-2.0 */
/* The pipelined connections of one event loop: one queue, from which each turn of the loop sends in one flush to the connections that
 * have least to do. Nothing is answered from inside submit: what fails there is answered in the next turn. */
#include "link.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "asnd/log.h"

#define AGAIN_MIN_MS    2
#define AGAIN_JITTER_MS 20
#define SLOW_AFTER_MS   10

/* ── queues ── */

static void queue_init(struct request_queue *queue)
{
    *queue = (struct request_queue){.end = &queue->first};
}

void queue_put(struct request_queue *queue, struct db_request *request)
{
    request->next = NULL;
    *queue->end = request;
    queue->end = &request->next;
    queue->n++;
}

static void queue_put_first(struct request_queue *queue, struct db_request *request)
{
    request->next = queue->first;
    queue->first = request;
    if (request->next == NULL)
        queue->end = &request->next;
    queue->n++;
}

static struct db_request *queue_take(struct request_queue *queue)
{
    struct db_request *request = queue->first;

    if (request == NULL)
        return NULL;
    queue->first = request->next;
    if (queue->first == NULL)
        queue->end = &queue->first;
    queue->n--;
    return request;
}

static void queue_move(struct request_queue *from, struct request_queue *to)
{
    for (struct db_request *r; (r = queue_take(from)) != NULL;)
        queue_put(to, r);
}

/* ── answers ── */

void loop_answer(struct db_loop *db, struct db_request *request, enum db_outcome outcome, PGresult *res)
{
    db->depth--;
    request->done(request, outcome, res);
    PQclear(res);
}

void loop_run_alone(struct db_loop *db, struct db_request *request)
{
    request->state |= REQUEST_ALONE;
    queue_put_first(db->is_closing ? &db->refused : &db->queue, request);
    loop_wake(db);
}

static void on_again(uv_timer_t *timer)
{
    struct db_loop *db = timer->data;

    queue_move(&db->later, db->is_closing ? &db->refused : &db->queue);
    loop_wake(db);
}

/* Two that collided must not meet again at the same moment. */
void loop_run_later(struct db_loop *db, struct db_request *request)
{
    request->state |= REQUEST_ALONE;
    queue_put(&db->later, request);
    if (db->is_closing)
        on_again(&db->again);
    else if (!uv_is_active((uv_handle_t *)&db->again))
        uv_timer_start(&db->again, on_again, AGAIN_MIN_MS + randombytes_uniform((uint32_t)AGAIN_JITTER_MS << request->tries), 0);
}

/* ── sending ── */

/* A connection that works in silence is busy with something slow, behind which everything else would wait: it comes after all others. */
static int load_of(const struct db_loop *db, const struct link *l)
{
    bool is_slow = l->n_steps > 0 && uv_now(db->uv) - l->heard_ms > SLOW_AFTER_MS;

    return l->in_flight + (is_slow ? LINK_IN_FLIGHT_MAX : 0);
}

/* NULL: none is up, or all carry what they may. */
static struct link *least_loaded(const struct db_loop *db)
{
    struct link *least = NULL;

    for (int i = 0; i < db->config.connections; i++) {
        struct link *l = &db->links[i];
        if (l->state != LINK_UP || l->is_broken || l->in_flight >= LINK_IN_FLIGHT_MAX)
            continue;
        if (least == NULL || load_of(db, l) < load_of(db, least))
            least = l;
    }
    return least;
}

/* A request that a link could not take goes back to the head; false when no link takes anything. */
static bool send_first(struct db_loop *db)
{
    struct link *l = least_loaded(db);

    if (l == NULL)
        return false;
    struct db_request *request = queue_take(&db->queue);
    if (!link_send(l, request))
        queue_put_first(&db->queue, request);
    return true;
}

void db_loop_submit(struct db_loop *db, struct db_request *request)
{
    request->tries = 0;
    request->state = 0;
    db->depth++;
    if (db->is_closing || db->queue.n >= db->config.queue_limit || !db_loop_is_up(db)) {
        queue_put(&db->refused, request);
        loop_wake(db);
        return;
    }
    struct link *l = db->queue.n == 0 ? least_loaded(db) : NULL;
    queue_put(&db->queue, request);
    if (l != NULL && l->in_flight == 0 && send_first(db)) {
        link_sync(l); /* which also sends */
        link_flush(l);
        if (db->queue.n == 0 && l->events == UV_READABLE && !l->is_broken)
            return;
    }
    loop_wake(db);
}

static void send_queued(struct db_loop *db)
{
    while (db->queue.first != NULL && send_first(db))
        continue;
    for (int i = 0; i < db->config.connections; i++) {
        struct link *l = &db->links[i];
        if (l->state != LINK_UP || l->is_broken || !l->has_sent)
            continue;
        link_sync(l);
        link_flush(l);
        /* While sending, libpq may have read: the socket would stay silent about that. */
        if (!l->is_broken)
            link_drain(l);
    }
    if (!db_loop_is_up(db))
        queue_move(&db->queue, &db->refused);
}

/* ── turns ── */

static void on_wake(uv_idle_t *wake UNUSED)
{
}

void loop_wake(struct db_loop *db)
{
    if (!db->has_closed_all)
        uv_idle_start(&db->wake, on_wake);
}

static void bury_broken(struct db_loop *db)
{
    for (int i = 0; i < db->config.connections; i++)
        if (db->links[i].state == LINK_UP && db->links[i].is_broken)
            link_lost(&db->links[i]);
}

static bool has_work(const struct db_loop *db)
{
    for (int i = 0; i < db->config.connections; i++)
        if (db->links[i].state == LINK_UP && (db->links[i].is_broken || db->links[i].has_sent))
            return true;
    return db->refused.first != NULL || (db->queue.first != NULL && least_loaded(db) != NULL);
}

static void close_idle(struct db_loop *db)
{
    bool is_all = db->refused.first == NULL && db->depth == 0;

    for (int i = 0; i < db->config.connections; i++) {
        if (db->links[i].state != LINK_UP || db->links[i].n_steps == 0)
            link_close(&db->links[i]);
        is_all = is_all && db->links[i].state == LINK_CLOSED;
    }
    if (!is_all || db->has_closed_all)
        return;
    db->has_closed_all = true;
    uv_close((uv_handle_t *)&db->prepare, loop_handle_closed);
    uv_close((uv_handle_t *)&db->wake, loop_handle_closed);
    uv_close((uv_handle_t *)&db->again, loop_handle_closed);
}

/* Runs before the loop waits. */
static void on_turn(uv_prepare_t *prepare)
{
    struct db_loop *db = prepare->data;
    struct request_queue refused;

    uv_idle_stop(&db->wake);
    bury_broken(db);
    send_queued(db);
    bury_broken(db);
    queue_init(&refused); /* done() may submit and be refused again: that is for the next turn */
    queue_move(&db->refused, &refused);
    for (struct db_request *r; (r = queue_take(&refused)) != NULL;)
        loop_answer(db, r, DB_UNAVAILABLE, NULL);
    if (has_work(db))
        loop_wake(db);
    if (db->is_closing)
        close_idle(db);
}

/* ── life ── */

struct db_loop *db_loop_new(uv_loop_t *loop, const struct db_config *config)
{
    struct db_loop *db = calloc(1, sizeof *db);

    if (db == NULL)
        die_no_memory();
    db->uv = loop;
    db->config = *config;
    db->config.conninfo = strdup(config->conninfo);
    db->config.application_name = strdup(config->application_name ? config->application_name : "asnd");
    db->links = calloc((size_t)config->connections, sizeof *db->links);
    if (db->config.conninfo == NULL || db->config.application_name == NULL || db->links == NULL)
        die_no_memory();
    queue_init(&db->queue);
    queue_init(&db->refused);
    queue_init(&db->later);
    uv_prepare_init(loop, &db->prepare);
    uv_idle_init(loop, &db->wake);
    uv_timer_init(loop, &db->again);
    db->prepare.data = db->wake.data = db->again.data = db;
    db->handles = 3;
    uv_prepare_start(&db->prepare, on_turn);
    for (int i = 0; i < config->connections; i++) {
        link_init(&db->links[i], db, i);
        link_connect(&db->links[i]);
    }
    return db;
}

bool db_loop_is_up(const struct db_loop *db)
{
    for (int i = 0; i < db->config.connections; i++)
        if (db->links[i].state == LINK_UP && !db->links[i].is_broken)
            return true;
    return false;
}

int db_loop_depth(const struct db_loop *db)
{
    return db->depth;
}

void loop_handle_closed(uv_handle_t *handle)
{
    struct db_loop *db = handle->data;

    if (--db->handles > 0)
        return;
    void (*closed)(void *cls) = db->closed;
    void *cls = db->closed_cls;
    for (int i = 0; i < db->config.connections; i++)
        link_done(&db->links[i]);
    free(db->links);
    free((char *)db->config.conninfo);
    free((char *)db->config.application_name);
    free(db);
    if (closed != NULL)
        closed(cls);
}

void db_loop_close(struct db_loop *db, void (*closed)(void *cls), void *cls)
{
    db->is_closing = true;
    db->closed = closed;
    db->closed_cls = cls;
    queue_move(&db->queue, &db->refused);
    queue_move(&db->later, &db->refused);
    loop_wake(db);
}
