/* SPDX-License-Identifier: Apache-2.0 */
/* The pipelined connections of one event loop: a queue of reads and one of writes, from which each turn of the loop sends in one flush to
 * the connections that have least to do. Nothing is answered from inside submit: what fails there is answered in the next turn. */
#include "link.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "asnd/log.h"

#define AGAIN_MIN_MS      2
#define AGAIN_JITTER_MS   20
#define SLOW_AFTER_MS     10
#define CONNECT_OTHERS_MS 100

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

/* ── sorts of traffic ── */

static enum traffic traffic_of(const struct db_loop *db, const struct db_request *request)
{
    return request->is_write && db->config.write_connections > 0 ? TRAFFIC_WRITES : TRAFFIC_READS;
}

static struct request_queue *queue_of(struct db_loop *db, const struct db_request *request)
{
    return db->is_closing ? &db->refused : &db->queues[traffic_of(db, request)];
}

static bool is_up(const struct db_loop *db, enum traffic traffic)
{
    for (int i = 0; i < db->n_links; i++)
        if (db->links[i].traffic == traffic && db->links[i].state == LINK_UP && !db->links[i].is_broken)
            return true;
    return false;
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
    queue_put_first(queue_of(db, request), request);
    loop_wake(db);
}

static void on_again(uv_timer_t *timer)
{
    struct db_loop *db = timer->data;

    for (struct db_request *r; (r = queue_take(&db->later)) != NULL;)
        queue_put(queue_of(db, r), r);
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
static struct link *least_loaded(const struct db_loop *db, enum traffic traffic)
{
    const int most = traffic == TRAFFIC_WRITES ? LINK_WRITES_MAX : LINK_IN_FLIGHT_MAX;
    struct link *least = NULL;

    for (int i = 0; i < db->n_links; i++) {
        struct link *l = &db->links[i];
        if (l->traffic != traffic || l->state != LINK_UP || l->is_broken || l->in_flight >= most)
            continue;
        if (least == NULL || load_of(db, l) < load_of(db, least))
            least = l;
    }
    return least;
}

/* A request that a link could not take goes back to the head; false when no link takes anything. */
static bool send_first(struct db_loop *db, enum traffic traffic)
{
    struct link *l = least_loaded(db, traffic);

    if (l == NULL)
        return false;
    struct db_request *request = queue_take(&db->queues[traffic]);
    if (!link_send(l, request))
        queue_put_first(&db->queues[traffic], request);
    return true;
}

void db_loop_submit(struct db_loop *db, struct db_request *request)
{
    enum traffic traffic = traffic_of(db, request);
    struct request_queue *queue = &db->queues[traffic];

    request->tries = 0;
    request->state = 0;
    db->depth++;
    if (db->is_closing || queue->n >= db->config.queue_limit || !is_up(db, traffic)) {
        queue_put(&db->refused, request);
        loop_wake(db);
        return;
    }
    struct link *l = queue->n == 0 ? least_loaded(db, traffic) : NULL;
    queue_put(queue, request);
    if (l != NULL && l->in_flight == 0 && send_first(db, traffic)) {
        link_sync(l); /* which also sends */
        link_flush(l);
        if (queue->n == 0 && l->events == UV_READABLE && !l->is_broken)
            return;
    }
    loop_wake(db);
}

static void send_queued(struct db_loop *db)
{
    for (enum traffic t = 0; t < TRAFFIC_KINDS; t++)
        while (db->queues[t].first != NULL && send_first(db, t))
            continue;
    for (int i = 0; i < db->n_links; i++) {
        struct link *l = &db->links[i];
        if (l->state != LINK_UP || l->is_broken || !l->has_sent)
            continue;
        link_sync(l);
        link_flush(l);
        /* While sending, libpq may have read: the socket would stay silent about that. */
        if (!l->is_broken)
            link_drain(l);
    }
    for (enum traffic t = 0; t < TRAFFIC_KINDS; t++)
        if (!is_up(db, t))
            queue_move(&db->queues[t], &db->refused);
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
    for (int i = 0; i < db->n_links; i++)
        if (db->links[i].state == LINK_UP && db->links[i].is_broken)
            link_lost(&db->links[i]);
}

static bool has_work(const struct db_loop *db)
{
    for (int i = 0; i < db->n_links; i++)
        if (db->links[i].state == LINK_UP && (db->links[i].is_broken || db->links[i].has_sent))
            return true;
    for (enum traffic t = 0; t < TRAFFIC_KINDS; t++)
        if (db->queues[t].first != NULL && least_loaded(db, t) != NULL)
            return true;
    return db->refused.first != NULL;
}

static void close_idle(struct db_loop *db)
{
    bool is_all = db->refused.first == NULL && db->depth == 0;

    for (int i = 0; i < db->n_links; i++) {
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
    if (config->session_attrs != NULL && (db->config.session_attrs = strdup(config->session_attrs)) == NULL)
        die_no_memory();
    db->n_links = config->connections + config->write_connections;
    db->links = calloc((size_t)db->n_links, sizeof *db->links);
    if (db->config.conninfo == NULL || db->config.application_name == NULL || db->links == NULL)
        die_no_memory();
    for (enum traffic t = 0; t < TRAFFIC_KINDS; t++)
        queue_init(&db->queues[t]);
    queue_init(&db->refused);
    queue_init(&db->later);
    uv_prepare_init(loop, &db->prepare);
    uv_idle_init(loop, &db->wake);
    uv_timer_init(loop, &db->again);
    db->prepare.data = db->wake.data = db->again.data = db;
    db->handles = 3;
    uv_prepare_start(&db->prepare, on_turn);
    for (int i = 0; i < db->n_links; i++) {
        link_init(&db->links[i], db, i, i < config->connections ? TRAFFIC_READS : TRAFFIC_WRITES);
        if (i == 0 || i == config->connections)
            link_connect(&db->links[i]);
        else /* the first of each sort makes the loop ready; a server process for each of the others would only hold that up */
            link_connect_later(&db->links[i], CONNECT_OTHERS_MS);
    }
    return db;
}

bool db_loop_is_up(const struct db_loop *db)
{
    return is_up(db, TRAFFIC_READS) && (db->config.write_connections == 0 || is_up(db, TRAFFIC_WRITES));
}

int db_loop_depth(const struct db_loop *db)
{
    return db->depth;
}

unsigned db_loop_connects(const struct db_loop *db)
{
    return db->connects;
}

void db_loop_reconnect(struct db_loop *db)
{
    for (int i = 0; i < db->n_links; i++)
        db->links[i].is_broken |= db->links[i].state == LINK_UP;
    loop_wake(db);
}

void loop_handle_closed(uv_handle_t *handle)
{
    struct db_loop *db = handle->data;

    if (--db->handles > 0)
        return;
    void (*closed)(void *cls) = db->closed;
    void *cls = db->closed_cls;
    for (int i = 0; i < db->n_links; i++)
        link_done(&db->links[i]);
    free(db->links);
    free((char *)db->config.conninfo);
    free((char *)db->config.application_name);
    free((char *)db->config.session_attrs);
    free(db);
    if (closed != NULL)
        closed(cls);
}

void db_loop_close(struct db_loop *db, void (*closed)(void *cls), void *cls)
{
    db->is_closing = true;
    db->closed = closed;
    db->closed_cls = cls;
    for (enum traffic t = 0; t < TRAFFIC_KINDS; t++)
        queue_move(&db->queues[t], &db->refused);
    queue_move(&db->later, &db->refused);
    loop_wake(db);
}
