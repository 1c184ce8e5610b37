/* SPDX-License-Identifier: Apache-2.0 */
/* What travels on one pipelined connection. A segment is what lies between two Syncs: one implicit transaction, which an error ends.
 * Reads share segments; a write, a request with a time-out of its own and one that is run again have segments to themselves; so has
 * a PREPARE, so that no neighbour can undo it. Results of libpq 15 come as: result, NULL, result, NULL, …, SYNC (without NULL). */
#include "link.h"

#include <stdlib.h>
#include <string.h>

#include "asnd/log.h"
#include "connect.h"
#include "sqlstate.h"

#define TRIES_MAX 3

/* ── the ring of steps ── */

static void step_push(struct link *l, enum step_kind kind, struct db_request *request)
{
    if (l->n_steps == l->cap) {
        size_t cap = l->cap ? l->cap * 2 : 128;
        struct step *steps = malloc(cap * sizeof *steps);
        if (steps == NULL)
            die_no_memory();
        for (size_t i = 0; i < l->n_steps; i++)
            steps[i] = l->steps[(l->head + i) & (l->cap - 1)];
        free(l->steps);
        l->steps = steps;
        l->cap = cap;
        l->head = 0;
    }
    if (l->n_steps == 0)
        l->heard_ms = uv_now(l->db->uv);
    l->steps[(l->head + l->n_steps++) & (l->cap - 1)] = (struct step){.kind = kind, .request = request};
    l->is_open = kind != STEP_SYNC;
    l->has_sent = true;
}

static struct step *step_head(struct link *l)
{
    return &l->steps[l->head];
}

static void step_pop(struct link *l)
{
    l->head = (l->head + 1) & (l->cap - 1);
    l->n_steps--;
}

/* ── prepared statements ── */

static bool is_prepared(const struct link *l, unsigned id, enum sight sight)
{
    return id < l->prepared_cap && (l->prepared[id] & sight);
}

static void prepared_set(struct link *l, unsigned id, enum sight sight, bool is)
{
    if (id >= l->prepared_cap) {
        size_t cap = (id + 256U) & ~255U;
        uint8_t *prepared = realloc(l->prepared, cap);
        if (prepared == NULL)
            die_no_memory();
        memset(prepared + l->prepared_cap, 0, cap - l->prepared_cap);
        l->prepared = prepared;
        l->prepared_cap = cap;
    }
    l->n_prepared += (int)is - ((l->prepared[id] & sight) != 0);
    l->prepared[id] = (uint8_t)(is ? l->prepared[id] | sight : l->prepared[id] & ~sight);
}

/* Forgetting all at once is coarse and rare: with too many variants, and after the schema changed under us. */
static bool forget_prepared(struct link *l)
{
    link_sync(l);
    if (!PQsendQueryParams(l->pg, "DEALLOCATE ALL", 0, NULL, NULL, NULL, NULL, 0))
        return false;
    step_push(l, STEP_FORGET, NULL);
    link_sync(l);
    memset(l->prepared, 0, l->prepared_cap);
    l->n_prepared = 0;
    l->must_forget = l->has_units = false;
    return true;
}

static const char *name_of(const struct variant *v, enum sight sight)
{
    return sight == SIGHT_BOUND ? v->bound_name : v->prepared_name;
}

static bool send_prepare(struct link *l, const struct variant *v, enum sight sight, enum step_kind kind, struct db_request *request)
{
    if (is_prepared(l, v->id, sight))
        return true;
    link_sync(l);
    if (!PQsendPrepare(l->pg, name_of(v, sight), v->sql, 0, NULL))
        return false;
    step_push(l, kind, request);
    link_sync(l);
    prepared_set(l, v->id, sight, true);
    return true;
}

/* ── whose rows ── */

static const char *const units_statement = "SELECT set_config('asnd.units', $1, true), set_config('role', 'asnd_bound', true)";

/* NULL: everybody's. A request that does not say is let see nobody's. */
static const char *units_of(const struct link *l, const struct db_request *request)
{
    if (!l->db->config.holds_units || (request->units != NULL && strcmp(request->units, DB_EVERYTHING) == 0))
        return NULL;
    return request->units != NULL ? request->units : "{}";
}

static enum sight sight_of(const struct link *l, const struct db_request *request)
{
    return units_of(l, request) != NULL ? SIGHT_BOUND : SIGHT_ALL;
}

static bool send_prepare_units(struct link *l)
{
    link_sync(l);
    if (!PQsendPrepare(l->pg, "units", units_statement, 0, NULL))
        return false;
    step_push(l, STEP_PREPARE_UNITS, NULL);
    link_sync(l);
    l->has_units = true;
    return true;
}

/* Told for the open segment alone: its Sync ends that, whatever came between. So nothing is left for whoever comes next, and if the telling fails
 * the server runs nothing of what follows in the segment. */
static bool send_units(struct link *l, struct db_request *request, bool is_alone)
{
    const char *units = units_of(l, request);
    const char *const values[] = {units};

    if (l->is_open && (units == NULL ? l->units != NULL : l->units == NULL || strcmp(l->units, units) != 0))
        link_sync(l);
    if (units == NULL || l->units != NULL)
        return true;
    if (!PQsendQueryPrepared(l->pg, "units", 1, values, NULL, NULL, 0))
        return false;
    step_push(l, STEP_UNITS, is_alone ? request : NULL);
    l->units = strdup(units);
    if (l->units == NULL)
        die_no_memory();
    return true;
}

/* Of both together, so that none is forgotten for the other's sake. */
static bool send_prepares(struct link *l, struct db_request *request)
{
    bool has_ahead = request->ahead != NULL;

    if ((l->n_prepared + has_ahead >= PREPARED_MAX || l->must_forget) && !forget_prepared(l))
        return false;
    if (sight_of(l, request) == SIGHT_BOUND && !l->has_units && !send_prepare_units(l))
        return false;
    return (!has_ahead || send_prepare(l, request->ahead, SIGHT_ALL, STEP_PREPARE_AHEAD, request)) &&
           send_prepare(l, request->variant, sight_of(l, request), STEP_PREPARE, request);
}

/* ── sending ── */

int request_timeout_ms(const struct db_loop *db, const struct db_request *request)
{
    int ms = request->timeout_ms > 0 ? request->timeout_ms : statement_info(request->variant->statement)->timeout_ms;

    return ms == db->config.statement_timeout_ms ? 0 : ms;
}

static bool send_timeout(struct link *l, struct db_request *request, int ms)
{
    char text[16];
    const char *const values[] = {text};

    snprintf(text, sizeof text, "%d", ms);
    if (!PQsendQueryParams(l->pg, "SELECT set_config('statement_timeout', $1, true)", 1, NULL, values, NULL, NULL, 0))
        return false;
    step_push(l, STEP_TIMEOUT, request);
    return true;
}

void link_sync(struct link *l)
{
    if (!l->is_open)
        return;
    if (!PQpipelineSync(l->pg)) {
        l->is_broken = true;
        loop_wake(l->db);
    }
    step_push(l, STEP_SYNC, NULL);
    l->segment_reads = 0;
    free(l->units);
    l->units = NULL;
}

static bool send_ahead(struct link *l, struct db_request *request)
{
    const struct variant *v = request->ahead;

    if (!PQsendQueryPrepared(l->pg, v->prepared_name, (int)v->n_binds, request->ahead_values, NULL, NULL, 0))
        return false;
    step_push(l, STEP_AHEAD, request);
    return true;
}

static bool send_steps(struct link *l, struct db_request *request, int timeout_ms, bool is_alone)
{
    const struct variant *v = request->variant;

    if (!send_prepares(l, request) || !send_units(l, request, is_alone) || (timeout_ms > 0 && !send_timeout(l, request, timeout_ms)))
        return false;
    if (request->ahead != NULL && !send_ahead(l, request))
        return false;
    return PQsendQueryPrepared(l->pg, name_of(v, sight_of(l, request)), (int)v->n_binds, request->values, NULL, NULL, 0) == 1;
}

bool link_send(struct link *l, struct db_request *request)
{
    int timeout_ms = request_timeout_ms(l->db, request);
    bool is_alone = request->is_write || timeout_ms > 0 || (request->state & REQUEST_ALONE);

    if (is_alone)
        link_sync(l);
    if (!send_steps(l, request, timeout_ms, is_alone)) {
        l->is_broken = true;
        loop_wake(l->db);
        return false;
    }
    step_push(l, STEP_QUERY, request);
    l->in_flight++;
    if (is_alone || ++l->segment_reads >= SEGMENT_READS_MAX)
        link_sync(l);
    return true;
}

/* How long the server may be silent: as long as the longest statement of the segment that it works on may take. 0: no limit. */
int link_patience_ms(const struct link *l)
{
    int longest = l->db->config.statement_timeout_ms;

    if (longest == 0)
        return 0;
    for (size_t i = 0; i < l->n_steps; i++) {
        const struct step *step = &l->steps[(l->head + i) & (l->cap - 1)];
        if (step->kind == STEP_SYNC)
            break;
        if (step->request != NULL && request_timeout_ms(l->db, step->request) > longest)
            longest = request_timeout_ms(l->db, step->request);
    }
    return longest + SILENCE_MARGIN_MS;
}

/* ── receiving ── */

static void answer(struct link *l, struct db_request *request, enum db_outcome outcome, PGresult *res)
{
    l->in_flight--;
    loop_answer(l->db, request, outcome, res);
}

static void answer_error(struct link *l, struct db_request *request, PGresult *res)
{
    bool is_unknown = sqlstate_is(res, "26000"), is_stale = result_is_stale_plan(res);

    if ((is_unknown || is_stale) && !(request->state & REQUEST_PREPARED)) {
        if (is_unknown)
            prepared_set(l, request->variant->id, sight_of(l, request), false);
        l->must_forget |= is_stale;
        request->state |= REQUEST_PREPARED;
    } else if (request->run_again && request->tries < TRIES_MAX && result_is_retryable(res)) {
        request->tries++;
        l->in_flight--;
        PQclear(res);
        loop_run_later(l->db, request);
        return;
    } else {
        answer(l, request, DB_FAILED, res);
        return;
    }
    l->in_flight--;
    PQclear(res);
    loop_run_alone(l->db, request);
}

static void answer_query(struct link *l, struct db_request *request, PGresult *res)
{
    switch (PQresultStatus(res)) {
    case PGRES_TUPLES_OK:
    case PGRES_COMMAND_OK:
    case PGRES_EMPTY_QUERY:
        answer(l, request, DB_OK, res);
        break;
    case PGRES_PIPELINE_ABORTED: /* by a neighbour; alone it cannot happen */
        l->in_flight--;
        PQclear(res);
        loop_run_alone(l->db, request);
        break;
    default:
        answer_error(l, request, res);
    }
}

/* What still comes for it is nobody's. */
static void detach(struct link *l, const struct db_request *request)
{
    for (size_t i = 0; i < l->n_steps; i++) {
        struct step *step = &l->steps[(l->head + i) & (l->cap - 1)];
        if (step->request == request)
            step->request = NULL;
    }
}

/* A step that prepares the ground failed: its request gets that error. */
static void ground_failed(struct link *l, struct db_request *request, PGresult *res)
{
    detach(l, request);
    answer(l, request, DB_FAILED, res);
}

/* The same of a statement ahead, which the server may have forgotten like any other. */
static void ahead_failed(struct link *l, enum step_kind kind, struct db_request *request, PGresult *res)
{
    bool is_unknown = sqlstate_is(res, "26000"), is_stale = result_is_stale_plan(res);

    if ((!is_unknown && !is_stale) || (request->state & REQUEST_PREPARED)) {
        ground_failed(l, request, res);
        return;
    }
    detach(l, request);
    if (is_unknown && kind == STEP_AHEAD)
        prepared_set(l, request->ahead->id, SIGHT_ALL, false);
    else if (is_unknown)
        l->has_units = false;
    l->must_forget |= is_stale;
    request->state |= REQUEST_PREPARED;
    l->in_flight--;
    PQclear(res);
    loop_run_alone(l->db, request);
}

/* Reads that were told their units together are aborted by that telling's fault, and run again alone. */
static void step_failed(struct link *l, struct step step, PGresult *res)
{
    if (step.kind == STEP_UNITS)
        l->has_units = !sqlstate_is(res, "26000");
    else if (step.kind == STEP_PREPARE_UNITS)
        l->has_units = sqlstate_is(res, "42P05"); /* it was there */
    else if (step.kind == STEP_PREPARE && step.request != NULL)
        prepared_set(l, step.request->variant->id, sight_of(l, step.request), false);
    else if (step.kind == STEP_PREPARE_AHEAD && step.request != NULL)
        prepared_set(l, step.request->ahead->id, SIGHT_ALL, false);
    if (step.request != NULL)
        ground_failed(l, step.request, res);
    else
        PQclear(res);
}

static void take_result(struct link *l, struct step step, PGresult *res)
{
    bool is_error = PQresultStatus(res) == PGRES_FATAL_ERROR;

    if (step.kind == STEP_QUERY && step.request != NULL && step.request->is_write) {
        l->held = step.request;
        l->held_result = res;
    } else if (step.kind == STEP_QUERY && step.request != NULL) {
        answer_query(l, step.request, res);
    } else if (step.kind == STEP_SYNC && is_error && l->held != NULL) {
        /* the commit failed: a deferred constraint, a serialization failure */
        PQclear(l->held_result);
        l->held_result = res;
    } else if ((step.kind == STEP_AHEAD || step.kind == STEP_UNITS) && is_error && step.request != NULL) {
        ahead_failed(l, step.kind, step.request, res);
    } else if (step.kind != STEP_QUERY && step.kind != STEP_SYNC && is_error) {
        step_failed(l, step, res);
    } else {
        PQclear(res);
    }
}

static void segment_end(struct link *l)
{
    struct db_request *request = l->held;
    PGresult *res = l->held_result;

    step_pop(l);
    l->held = NULL;
    l->held_result = NULL;
    if (request != NULL)
        answer_query(l, request, res);
}

/* The end of the connection, told by the server or by libpq, or a state that we never ask for. */
static bool is_the_end(const PGresult *res)
{
    switch (PQresultStatus(res)) {
    case PGRES_FATAL_ERROR:
        return result_is_fatal(res);
    case PGRES_COPY_IN:
    case PGRES_COPY_OUT:
    case PGRES_COPY_BOTH:
        return true;
    default:
        return false;
    }
}

/* done() may submit, and so send on this very link: nothing of the ring is kept across an answer. */
void link_drain(struct link *l)
{
    int nulls = 0;

    while (!PQisBusy(l->pg) && l->n_steps > 0 && !l->is_broken && nulls < 2) {
        PGresult *res = PQgetResult(l->pg);
        struct step *step = step_head(l);

        if (res == NULL) {
            nulls++;
            if (step->has_result && step->kind != STEP_SYNC) {
                step_pop(l);
                nulls = 0;
            }
        } else if (PQresultStatus(res) == PGRES_PIPELINE_SYNC) {
            PQclear(res);
            if (step->kind == STEP_SYNC)
                segment_end(l);
            else
                l->is_broken = true; /* out of step: never seen, but answers must not reach the wrong request */
            nulls = 0;
        } else if (is_the_end(res)) {
            PQclear(res);
            l->is_broken = true;
        } else {
            step->has_result = true;
            nulls = 0;
            struct step taken = *step;
            step->request = NULL; /* answered, held or requeued by what follows */
            take_result(l, taken, res);
        }
    }
}
