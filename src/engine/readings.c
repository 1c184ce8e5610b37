/* SPDX-License-Identifier: Apache-2.0 */
/* Readings that are noted before their replies leave. While one transaction is on its way to be committed, the others of this loop gather, and share the next: a
 * commit for many. What fails together is tried again one by one, so that each has its own answer. */
#include "internal.h"

#include <string.h>

#define GROUP_MAX 100

struct group {
    struct arena *arena;
    struct engine_loop *loop;
    struct db_request db;
    struct call *first; /* linked by held.next */
};

static void put_text(struct buf *out, const char *name, const char *text)
{
    if (!text)
        return;
    buf_printf(out, ",\"%s\":", name);
    buf_json_string(out, text, strlen(text));
}

void audit_put_reading(struct buf *out, const char *facts, const struct reading *reading)
{
    buf_puts(out, "{\"facts\":");
    buf_json_string(out, facts, strlen(facts));
    put_text(out, "what", reading->what);
    put_text(out, "which", reading->which);
    put_text(out, "members", reading->members);
    put_text(out, "nips", reading->nips);
    put_text(out, "people", reading->n);
    put_text(out, "digest", reading->digest);
    if (reading->filter)
        buf_printf(out, ",\"filter\":%s", reading->filter);
    buf_putc(out, '}');
}

static const char *const *values_of(const struct group *group)
{
    const char **values = arena_alloc(group->arena, sizeof *values);
    struct buf out;
    buf_init(&out, group->arena, 1024);
    for (const struct call *call = group->first; call; call = call->held.next) {
        buf_putc(&out, out.len ? ',' : '[');
        audit_put_reading(&out, audit_facts(call->ctx, call), call->held.answer.reading);
    }
    buf_putc(&out, ']');
    values[0] = buf_cstr(&out);
    return values;
}

static void settle(struct call *call, enum db_outcome outcome, PGresult *res)
{
    if (!call->is_over && outcome == DB_OK) {
        call_answer(call, &call->held.answer, call->held.link);
    } else if (!call->is_over) {
        db_fail(call->ctx, outcome == DB_FAILED ? res : NULL); /* which logs it */
        audit_not_noted(call->ctx);
        call_refuse(call, call->ctx);
    }
    metric_add(call->engine->readings_held, -1);
    call_release(call);
}

static void group_done(struct db_request *db, enum db_outcome outcome, PGresult *res);

static void send_group(struct engine_loop *loop, struct call *first)
{
    struct arena *arena = arena_new(4096);
    struct group *group = arena_zalloc(arena, sizeof *group);
    *group = (struct group){.arena = arena, .loop = loop, .first = first};
    group->db = (struct db_request){
        .variant = statement_variant(sql_set_find(loop->engine->set, "audit.readAll"), 0, 0, VARIANT_PLAIN),
        .values = values_of(group),
        .units = DB_EVERYTHING,
        .is_write = true,
        .run_again = true,
        .done = group_done,
        .cls = group,
    };
    loop->readings.in_flight++;
    db_loop_submit(loop->db, &group->db);
}

static void send_waiting(struct engine_loop *loop)
{
    struct call *first = loop->readings.first, *last = first;
    if (!first || loop->readings.in_flight)
        return;
    for (int n = 1; n < GROUP_MAX && last->held.next; n++)
        last = last->held.next;
    loop->readings.first = last->held.next;
    last->held.next = NULL;
    send_group(loop, first);
}

/* Nothing of what failed is stored, so it can be sent again. What was lost may be: that is refused, as any write is. */
static void group_done(struct db_request *db, enum db_outcome outcome, PGresult *res)
{
    struct group *group = db->cls;
    struct engine_loop *loop = group->loop;
    struct call *next;
    bool is_split = outcome == DB_FAILED && group->first->held.next;
    for (struct call *call = group->first; call; call = next) {
        next = call->held.next;
        call->held.next = NULL;
        if (is_split)
            send_group(loop, call);
        else
            settle(call, outcome, res);
    }
    arena_free(group->arena);
    loop->readings.in_flight--;
    send_waiting(loop);
}

void audit_then_answer(struct call *call, const struct outcome *answer, const char *link)
{
    struct engine_loop *loop = call->loop;
    call->held.answer = *answer;
    call->held.link = link;
    call->held.next = NULL;
    call_hold(call);
    metric_add(call->engine->readings_held, 1);
    if (loop->readings.first)
        loop->readings.last->held.next = call;
    else
        loop->readings.first = call;
    loop->readings.last = call;
    send_waiting(loop);
}
