/* SPDX-License-Identifier: Apache-2.0 */
/* Operations that the engine answers by itself: the index, life signs, metrics, the contract and its reading page. */
#include "internal.h"

#include <string.h>

#include "asnd/date.h"

static void livez(struct engine *engine, struct request *rq)
{
    (void)engine;
    reply_bytes(rq, 200, "application/json", "{\"status\":\"alive\"}", 18);
}

static int databases_up(const struct engine *engine)
{
    int n = 0;
    for (int i = 0; i < engine->n_loops; i++)
        n += atomic_load(&engine->loops[i].db_is_up);
    return n;
}

/* Ready means: not stopping, and the database answers every loop, as nobody knows on which one the next connection lands. */
static void readyz(struct engine *engine, struct request *rq)
{
    struct call *call = request_cls(rq);
    if (!atomic_load(&engine->is_stopping) && db_loop_is_up(call->loop->db) && databases_up(engine) == engine->n_loops) {
        reply_bytes(rq, 200, "application/json", "{\"status\":\"ready\"}", 18);
        return;
    }
    call->ctx->problem.retry_after_s = 1;
    if (atomic_load(&engine->is_stopping))
        fail(call->ctx, ST_UNAVAILABLE, "unavailable", "Stopping.", "Sedang berhenti.");
    else
        fail(call->ctx, ST_UNAVAILABLE, "unavailable", "The database does not answer.", "Basis data tidak menjawab.");
    reply_problem(rq);
}

/* Of the loop that is worst off. */
static void measure_standbys(const struct engine *engine)
{
    int64_t now = clock_mono_us(), lag = 0, as_of;
    int n = 0;
    for (int i = 0; i < engine->n_loops; i++) {
        n += atomic_load(&engine->loops[i].replica_is_used);
        as_of = atomic_load(&engine->loops[i].replica_as_of_us);
        if (as_of && now - as_of > lag)
            lag = now - as_of;
    }
    metric_set(engine->reads.loops, n);
    metric_set(engine->reads.lag_ms, lag / 1000);
}

static void metrics(struct engine *engine, struct request *rq)
{
    struct buf *out = arena_zalloc(request_ctx(rq)->arena, sizeof *out);
    buf_init(out, request_ctx(rq)->arena, 65536);
    metric_set(engine->databases_up, databases_up(engine));
    measure_standbys(engine);
    metrics_of_process();
    metrics_write(out);
    reply_bytes(rq, 200, "text/plain; version=0.0.4; charset=utf-8", out->data, out->len);
}

static void text_reply(struct request *rq, const char *type, struct slice text)
{
    reply_header(rq, "Cache-Control", "no-cache");
    reply_bytes(rq, 200, type, text.data, text.len);
}

static void openapi_yaml(struct engine *engine, struct request *rq)
{
    text_reply(rq, "application/yaml", contract_yaml(engine->contract));
}

static void openapi_json(struct engine *engine, struct request *rq)
{
    text_reply(rq, "application/json", contract_json(engine->contract));
}

static void docs(struct engine *engine, struct request *rq)
{
    reply_header(rq, "Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'");
    text_reply(rq, "text/html; charset=utf-8", docs_html(&engine->docs, engine->contract));
}

static void member(struct buf *out, const char *before, const char *text)
{
    buf_puts(out, before);
    buf_json_string(out, text, strlen(text));
}

static bool needs_parameters(const struct operation *operation)
{
    for (size_t i = 0; i < operation->n_params; i++)
        if (operation->params[i].required)
            return true;
    return false;
}

/* Links to every GET that needs nothing filled in, those open to all or those with a key. */
static void index_links(struct buf *out, const struct contract *contract, bool is_public)
{
    size_t n;
    const struct operation *operations = contract_operations(contract, &n);
    for (size_t i = 0; i < n; i++) {
        const struct operation *operation = &operations[i];
        if (operation->method != HTTP_GET || operation->is_public != is_public || needs_parameters(operation) || !operation->path[1])
            continue;
        member(out, out->data[out->len - 1] == '[' ? "{\"operation\":" : ",{\"operation\":", operation->id);
        member(out, ",\"href\":", operation->path);
        member(out, ",\"title\":", operation->summary);
        buf_puts(out, is_public ? ",\"public\":true}" : ",\"public\":false}");
    }
}

/* What a newcomer meets first: a program gets links, a browser the reading page. */
static void index_page(struct engine *engine, struct request *rq)
{
    const struct call *call = request_cls(rq);
    const char *name = contract_title(engine->contract), *version = contract_version(engine->contract);
    struct buf out;
    if (strcmp(call->reply_type, "text/html") == 0) {
        docs(engine, rq);
        return;
    }
    buf_init(&out, call->ctx->arena, 8192);
    member(&out, "{\"name\":", name ? name : "");
    member(&out, ",\"version\":", version ? version : "");
    BUF_LIT(&out, ",\"links\":[");
    index_links(&out, engine->contract, true);
    index_links(&out, engine->contract, false);
    BUF_LIT(&out, "]}");
    text_reply(rq, "application/json", (struct slice){out.data, out.len});
}

static const struct {
    const char *operation_id;
    builtin_fn fn;
} builtins[] = {
    {"getIndex", index_page},         {"getLiveness", livez},           {"getReadiness", readyz}, {"getMetrics", metrics},
    {"getOpenapiYaml", openapi_yaml}, {"getOpenapiJson", openapi_json}, {"getDocs", docs},
};

builtin_fn builtin_find(const char *operation_id)
{
    for (size_t i = 0; i < ARRAY_LEN(builtins); i++)
        if (strcmp(builtins[i].operation_id, operation_id) == 0)
            return builtins[i].fn;
    return NULL;
}
