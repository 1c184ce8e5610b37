/* SPDX-License-Identifier: Apache-2.0 */
/* Writes that are told where in the log they stand. Asked for after the commit, once for all writes of this loop that wait for it by then: a place from before the commit could be
 * too small. Without standbys nobody asks. */
#include "internal.h"

#include <stdlib.h>

#include "standby.h"

static void ask(struct engine_loop *loop);

bool placed_is_due(const struct call *call)
{
    return call->op->is_write && call->actor && !call->dry_run && !call->is_placed && replicas_wanted(call->loop->replicas);
}

/* The write is done, whatever became of the question: then its caller gets a position that only the primary has. */
static struct position position_of(enum db_outcome outcome, const PGresult *res)
{
    struct position position = {(uint32_t)(outcome == DB_OK ? strtoul(PQgetvalue(res, 0, 2), NULL, 10) : 0), 0};
    if (outcome == DB_OK && *PQgetvalue(res, 0, 0) == 'f' && position_parse_lsn(PQgetvalue(res, 0, 1), &position.at))
        return position;
    return POSITION_BEYOND;
}

void placed_tell(struct call *call, struct position position)
{
    call->is_placed = true;
    reply_header(call->rq, POSITION_HEADER, position_text(call->ctx->arena, position));
}

static void asked(struct db_request *db, enum db_outcome outcome, PGresult *res)
{
    struct engine_loop *loop = db->cls;
    struct position position = position_of(outcome, res);
    struct call *next;
    for (struct call *call = loop->placed.asking; call; call = next) {
        next = call->held.next;
        call->held.next = NULL;
        if (!call->is_over) {
            placed_tell(call, position);
            call_answer(call, &call->held.answer, call->held.link);
        }
        call_release(call);
    }
    loop->placed.asking = NULL;
    if (loop->placed.waiting)
        ask(loop);
}

static void ask(struct engine_loop *loop)
{
    loop->placed.asking = loop->placed.waiting;
    loop->placed.waiting = NULL;
    loop->placed.ask = replica_question(loop->engine, asked, loop);
    db_loop_submit(loop->db, &loop->placed.ask);
}

void placed_answer(struct call *call, const struct outcome *answer, const char *link)
{
    struct engine_loop *loop = call->loop;
    call_hold(call);
    call->held.answer = *answer;
    call->held.link = link;
    call->held.next = loop->placed.waiting;
    loop->placed.waiting = call;
    if (!loop->placed.asking)
        ask(loop);
}
