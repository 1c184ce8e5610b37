/* SPDX-License-Identifier: Apache-2.0 */
/* The life of one pipelined connection: connecting without blocking, watching its socket, noticing its death or silence, coming back.
 * (Name resolution is libpq's and blocks; use hostaddr or a socket directory where that matters.) */
#include "link.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "asnd/log.h"
#include "connect.h"

#define BACKOFF_MIN_MS 50
#define BACKOFF_MAX_MS 1000
#define GUARD_EVERY_MS 1000

static void on_poll(uv_poll_t *poll, int status, int events);

/* ── the socket ── */

static void on_poll_closed(uv_handle_t *handle)
{
    struct link *l = handle->data;

    handle->data = l->db;
    loop_handle_closed(handle);
    free(handle);
}

static void unwatch(struct link *l)
{
    if (l->poll == NULL)
        return;
    uv_close((uv_handle_t *)l->poll, on_poll_closed);
    l->poll = NULL;
    l->events = 0;
}

static void watch(struct link *l, int events)
{
    if (l->poll == NULL) {
        l->poll = malloc(sizeof *l->poll);
        if (l->poll == NULL)
            die_no_memory();
        if (uv_poll_init(l->db->uv, l->poll, PQsocket(l->pg)) != 0) {
            free(l->poll);
            l->poll = NULL;
            l->is_broken = true;
            loop_wake(l->db);
            return;
        }
        l->poll->data = l;
        l->db->handles++;
    }
    if (events != l->events)
        uv_poll_start(l->poll, events, on_poll);
    l->events = events;
}

void link_flush(struct link *l)
{
    int pending = PQflush(l->pg);

    l->has_sent = false;
    if (pending < 0)
        l->is_broken = true;
    else
        watch(l, pending ? UV_READABLE | UV_WRITABLE : UV_READABLE);
}

/* ── connecting ── */

static void on_timer(uv_timer_t *timer);

static void come_back(struct link *l)
{
    int wait = l->backoff_ms / 2 + (int)randombytes_uniform((uint32_t)l->backoff_ms / 2 + 1);

    l->state = LINK_WAITING;
    l->backoff_ms = l->backoff_ms * 2 < BACKOFF_MAX_MS ? l->backoff_ms * 2 : BACKOFF_MAX_MS;
    uv_timer_start(&l->timer, on_timer, (uint64_t)wait, 0);
}

/* Only the first failure of a row is worth a line; the database may be away for hours. */
static void connect_failed(struct link *l)
{
    if (l->backoff_ms == BACKOFF_MIN_MS)
        session_log_failure(l->pg, l->db->config.application_name);
    unwatch(l);
    PQfinish(l->pg);
    l->pg = NULL;
    come_back(l);
}

static void connected(struct link *l)
{
    if (PQserverVersion(l->pg) < SERVER_VERSION_MIN || PQsetnonblocking(l->pg, 1) != 0 || PQenterPipelineMode(l->pg) != 1) {
        connect_failed(l);
        return;
    }
    uv_timer_start(&l->timer, on_timer, GUARD_EVERY_MS, GUARD_EVERY_MS);
    l->state = LINK_UP;
    l->backoff_ms = BACKOFF_MIN_MS;
    l->db->connects++;
    log_line(LOG_INFO_, "database-connected", LOG_TEXT("application", l->db->config.application_name), LOG_NUM("connection", l->number),
             LOG_NUM("server_version", PQserverVersion(l->pg)));
    watch(l, UV_READABLE);
}

static void connect_step(struct link *l)
{
    /* libpq may close the socket and open another with the same number: the old watch must be gone before. */
    unwatch(l);
    switch (PQconnectPoll(l->pg)) {
    case PGRES_POLLING_READING:
        watch(l, UV_READABLE);
        break;
    case PGRES_POLLING_WRITING:
        watch(l, UV_WRITABLE);
        break;
    case PGRES_POLLING_OK:
        connected(l);
        break;
    default:
        connect_failed(l);
    }
}

void link_connect(struct link *l)
{
    l->is_broken = false;
    l->pg = connection_open(&l->db->config, PQconnectStartParams);
    if (l->pg == NULL || PQstatus(l->pg) == CONNECTION_BAD) {
        connect_failed(l);
        return;
    }
    l->state = LINK_CONNECTING;
    uv_timer_start(&l->timer, on_timer, CONNECT_TIMEOUT_S * 1000, 0);
    watch(l, UV_WRITABLE);
}

/* ── watching ── */

/* A server that neither answers nor ends the statement at its time-out is as good as gone (a dead network, a stopped machine). */
static void guard(struct link *l)
{
    int patience = link_patience_ms(l);

    if (l->n_steps > 0 && patience > 0 && uv_now(l->db->uv) - l->heard_ms > (uint64_t)patience) {
        log_line(LOG_ERROR_, "database-silent", LOG_TEXT("application", l->db->config.application_name), LOG_NUM("connection", l->number),
                 LOG_NUM("in_flight", l->in_flight));
        link_lost(l);
    }
}

static void on_timer(uv_timer_t *timer)
{
    struct link *l = timer->data;

    if (l->state == LINK_WAITING)
        link_connect(l);
    else if (l->state == LINK_CONNECTING)
        connect_failed(l);
    else if (l->state == LINK_UP)
        guard(l);
}

static void receive(struct link *l)
{
    bool is_alive = PQconsumeInput(l->pg) == 1;

    l->heard_ms = uv_now(l->db->uv);
    link_drain(l); /* also what came before the connection broke */
    if (l->state != LINK_UP)
        return;
    if (!is_alive || PQstatus(l->pg) != CONNECTION_OK)
        l->is_broken = true;
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
    struct link *l = poll->data;

    if (l->state == LINK_CONNECTING) {
        connect_step(l);
        return;
    }
    if (status < 0)
        l->is_broken = true;
    if (!l->is_broken && (events & UV_READABLE))
        receive(l);
    if (l->state == LINK_UP && !l->is_broken && (events & UV_WRITABLE))
        link_flush(l);
    if (l->is_broken)
        link_lost(l);
}

/* ── ends ── */

/* Takes all requests off the link, in order; afterwards nothing is in flight. */
static struct request_queue take_all(struct link *l)
{
    struct request_queue taken = {.end = &taken.first};
    struct request_queue *all = &taken;

    if (l->held != NULL)
        queue_put(all, l->held);
    for (size_t i = 0; i < l->n_steps; i++) {
        struct step *step = &l->steps[(l->head + i) & (l->cap - 1)];
        if (step->kind == STEP_QUERY && step->request != NULL)
            queue_put(all, step->request);
    }
    PQclear(l->held_result);
    l->held = NULL;
    l->held_result = NULL;
    l->n_steps = 0;
    l->in_flight = l->segment_reads = 0;
    l->is_open = l->has_sent = l->is_broken = l->must_forget = l->has_units = false;
    free(l->units);
    l->units = NULL;
    l->n_prepared = 0;
    if (l->prepared_cap > 0)
        memset(l->prepared, 0, l->prepared_cap);
    return taken;
}

void link_lost(struct link *l)
{
    struct request_queue lost = take_all(l);

    log_line(LOG_WARNING_, "database-connection-lost", LOG_TEXT("application", l->db->config.application_name),
             LOG_NUM("connection", l->number), LOG_NUM("requests", lost.n));
    unwatch(l);
    PQfinish(l->pg);
    l->pg = NULL;
    come_back(l);
    for (struct db_request *next, *r = lost.first; r != NULL; r = next) {
        next = r->next;
        loop_answer(l->db, r, DB_LOST, NULL);
    }
    loop_wake(l->db);
}

void link_init(struct link *l, struct db_loop *db, int number, enum traffic traffic)
{
    *l = (struct link){.db = db, .number = number, .traffic = traffic, .state = LINK_WAITING, .backoff_ms = BACKOFF_MIN_MS};
    uv_timer_init(db->uv, &l->timer);
    l->timer.data = l;
    db->handles++;
}

void link_connect_later(struct link *l, int ms)
{
    uv_timer_start(&l->timer, on_timer, (uint64_t)ms, 0);
}

static void on_timer_closed(uv_handle_t *handle)
{
    struct link *l = handle->data;

    handle->data = l->db;
    loop_handle_closed(handle);
}

void link_close(struct link *l)
{
    if (l->state == LINK_CLOSED)
        return;
    unwatch(l);
    PQfinish(l->pg);
    l->pg = NULL;
    l->state = LINK_CLOSED;
    uv_close((uv_handle_t *)&l->timer, on_timer_closed);
}

void link_done(struct link *l)
{
    free(l->steps);
    free(l->prepared);
    free(l->units);
}
