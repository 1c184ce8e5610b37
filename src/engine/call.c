/* SPDX-License-Identifier: Apache-2.0 */
/* One request from its head to its reply: route, negotiate, authenticate, read the input. Each step hands on or refuses. */
#include "internal.h"

#include <stdlib.h>
#include <string.h>

#include "asnd/date.h"
#include "asnd/log.h"
#include "door.h"
#include "standby.h"

/* ── where ── */

/* 00-<32 hex>-<16 hex>-<2 hex> (W3C Trace Context): noted in the log and handed back. */
static void trace(struct call *call)
{
    const char *header = request_header(call->rq, "traceparent");
    if (!header || strlen(header) != 55 || strspn(header, "0123456789abcdef-") != 55 || header[2] != '-' || header[35] != '-' ||
        header[52] != '-')
        return;
    call->trace_id = arena_strndup(call->ctx->arena, header + 3, 32);
    reply_header(call->rq, "traceparent", header);
}

static enum status find_operation(struct call *call)
{
    enum http_method method = http_method_parse(request_method(call->rq));
    if (!contract_route(call->engine->contract, method, request_path(call->rq), &call->route))
        return fail(call->ctx, ST_NOT_FOUND, "not-found", "There is no such address here; /docs lists them.",
                    "Alamat ini tidak ada; /docs memuat daftarnya.");
    if (call->route.operation) {
        call->op = &call->engine->ops[call->route.operation->index];
        return ST_OK;
    }
    if (method == HTTP_OPTIONS) {
        reply_header(call->rq, "Allow", call->route.allow);
        reply_bytes(call->rq, 204, NULL, NULL, 0);
        return ST_OK;
    }
    call->ctx->problem.allow = call->route.allow;
    return fail(call->ctx, ST_METHOD_NOT_ALLOWED, "method-not-allowed", "This address takes %s.", "Alamat ini menerima %s.",
                call->route.allow);
}

/* ── in which form ── */

/* "a, b or c": of these one will do. */
static const char *one_of(struct ctx *ctx, const char *const *names, size_t n)
{
    struct buf out;
    buf_init(&out, ctx->arena, 64);
    for (size_t i = 0; i < n; i++) {
        const char *last = ctx->lang == LANG_EN ? " or " : " atau ";
        buf_puts(&out, i == 0 ? "" : i + 1 < n ? ", " : last);
        buf_puts(&out, names[i]);
    }
    return buf_cstr(&out);
}

static enum status choose_form(struct call *call)
{
    const struct operation *operation = call->op->contract;
    call->reply_type = negotiate(request_header(call->rq, "Accept"), operation->reply_types, operation->n_reply_types);
    if (!call->reply_type)
        return fail(call->ctx, ST_NOT_ACCEPTABLE, "not-acceptable", "This is given as %s.", "Ini tersedia sebagai %s.",
                    one_of(call->ctx, operation->reply_types, operation->n_reply_types));
    call->form = strcmp(call->reply_type, "text/csv") == 0               ? FORM_CSV
                 : strcmp(call->reply_type, "application/x-ndjson") == 0 ? FORM_NDJSON
                 : strcmp(call->reply_type, XLSX_TYPE) == 0              ? FORM_XLSX
                                                                         : FORM_JSON;
    if (operation->n_reply_types > 1)
        reply_header(call->rq, "Vary", "Accept");
    return ST_OK;
}

/* ── what ── */

static const char *header_of(void *cls, const char *name, size_t *ret_count)
{
    const char *value = request_header(cls, name);
    *ret_count = value != NULL;
    return value;
}

static const char *declared(const struct call *call, const char *bind_name)
{
    return params_text(&call->in, bind_name);
}

static enum status no_body_wanted(struct call *call)
{
    if (request_content_length(call->rq) == 0 || !request_has_body(call->rq))
        return ST_OK;
    return fail(call->ctx, ST_BAD_REQUEST, "bad-request", "This operation takes no body.", "Operasi ini tidak menerima isi permintaan.");
}

static enum status refuse_body_type(struct call *call, const char *header)
{
    const struct operation *operation = call->op->contract;
    const char **types = arena_alloc(call->ctx->arena, (operation->n_bodies + 1) * sizeof *types), *list;
    for (size_t i = 0; i < operation->n_bodies; i++)
        types[i] = operation->bodies[i].type;
    list = one_of(call->ctx, types, operation->n_bodies);
    if (!header && !request_has_body(call->rq))
        return fail(call->ctx, ST_BAD_REQUEST, "bad-request", "This operation needs a body: send %s and say so in Content-Type.",
                    "Operasi ini memerlukan isi permintaan: kirim %s dan sebutkan di Content-Type.", list);
    if (header && media_type_is(header, "application/x-www-form-urlencoded"))
        return fail(call->ctx, ST_UNSUPPORTED_MEDIA_TYPE, "media-type",
                    "This came as a form: curl's -d does so by itself; add -H 'Content-Type: …' with %s.",
                    "Isi dikirim sebagai formulir: -d dari curl begitu; tambahkan -H 'Content-Type: …' berisi %s.", list);
    return fail(call->ctx, ST_UNSUPPORTED_MEDIA_TYPE, "media-type", "Send the body as %s and say so in Content-Type.",
                "Kirim isi sebagai %s dan sebutkan di Content-Type.", list);
}

static enum status read_body_type(struct call *call)
{
    const struct operation *operation = call->op->contract;
    const char *header = request_header(call->rq, "Content-Type");
    for (size_t i = 0; header && i < operation->n_bodies; i++) {
        if (media_type_is(header, operation->bodies[i].type)) {
            call->body_type = operation->bodies[i].type;
            return ST_OK;
        }
    }
    return refuse_body_type(call, header);
}

/* Behind the head. */
static enum status read_rest(struct call *call)
{
    const struct operation *operation = call->op->contract;
    size_t limit = (size_t)(call->op->body_limit ? call->op->body_limit : call->engine->settings->body_limit);
    enum status st = audit_purpose(call->ctx, call);
    if (st != ST_OK)
        return st;
    if (!operation->has_body) {
        if ((st = no_body_wanted(call)) == ST_OK)
            call_run(call);
        return st;
    }
    if ((request_has_body(call->rq) || operation->body_required) && (st = read_body_type(call)) != ST_OK)
        return st;
    if (call->op->kind == OP_STREAM) {
        call_run(call);
        if (call->job)
            request_stream_body(call->rq, limit);
    } else {
        request_read_body(call->rq, limit);
    }
    return ST_OK;
}

/* Heeded by queries, and understood by all reads. */
static enum status read_position(struct call *call)
{
    const char *text = request_header(call->rq, POSITION_HEADER);
    if (!text || call->op->is_write || call->op->kind == OP_BUILTIN)
        return ST_OK;
    call->has_position = call->op->kind == OP_QUERY && !call->op->info->is_write && call->op->wait_param < 0;
    if (position_parse(text, &call->position))
        return ST_OK;
    fault_add(call->ctx, AT_PARAMETER, POSITION_HEADER, "pattern", "take it as a write's reply had it, or 0:0/0",
              "pakai seperti pada jawaban penulisan, atau 0:0/0");
    return fail(call->ctx, ST_BAD_REQUEST, "bad-request", "The header %s is no position.", "Header %s bukan sebuah posisi.",
                POSITION_HEADER);
}

static enum status read_input(struct call *call)
{
    const struct operation *operation = call->op->contract;
    enum status st = params_parse(call->ctx, operation, &call->route, request_query(call->rq), header_of, call->rq, &call->in);
    if (st != ST_OK)
        return st;
    if ((st = read_position(call)) != ST_OK)
        return st;
    call->idempotency_key = operation->method == HTTP_POST && call->actor ? declared(call, "idempotency_key") : NULL;
    call->dry_run = call->op->is_write && prefer_has(request_header(call->rq, "Prefer"), "dry-run");
    if ((st = token_open(call->ctx, call)) != ST_OK || (st = limit_token_of(call)) != ST_OK)
        return st;
    if (call->op->info && call->op->info->has_page && (st = page_parse(call->ctx, call)) != ST_OK)
        return st;
    return gate_pass(call, false, read_rest);
}

void call_known(struct call *call)
{
    enum status st;
    call->ctx->actor = call->actor;
    st = limit_caller(call);
    if (st == ST_OK)
        st = gate_open(call);
    if (st == ST_OK)
        st = read_input(call);
    if (st != ST_OK)
        call_refuse(call, call->ctx);
}

/* ── the steps, as HTTP takes them ── */

static void on_head(struct request *rq)
{
    struct ctx *ctx = request_ctx(rq);
    struct call *call = arena_zalloc(ctx->arena, sizeof *call);
    enum status st;
    call->loop = request_handler_cls(rq);
    call->engine = call->loop->engine;
    call->rq = rq;
    call->ctx = ctx;
    call->started_us = request_started_us(rq);
    request_set_cls(rq, call);
    trace(call);
    st = find_operation(call);
    if (st == ST_OK && call->op) {
        st = door_check(call);
        if (st == ST_OK)
            st = choose_form(call);
        if (st == ST_OK)
            st = limit_client_of(call);
        if (st == ST_OK)
            st = call->op->contract->is_public ? read_input(call) : caller_find(call);
    }
    if (st != ST_OK)
        call_refuse(call, ctx);
}

static size_t on_chunk(struct request *rq, const char *bytes, size_t len)
{
    struct call *call = request_cls(rq);
    return call->job ? job_chunk(call->job, bytes, len) : len;
}

static enum status run_with_body(struct call *call)
{
    enum status st = auth_require_member_scopes(call->ctx, call->actor, &call->in);
    if (st == ST_OK)
        call_run(call);
    return st;
}

static void on_body(struct request *rq)
{
    struct call *call = request_cls(rq);
    enum status st;
    if (call->job) {
        job_upload_end(call->job);
        return;
    }
    st = params_parse_body(call->ctx, request_body(rq), &call->in);
    if (st == ST_OK)
        st = gate_pass(call, true, run_with_body);
    if (st != ST_OK)
        call_refuse(call, call->ctx);
}

/* ── the answer ── */

void call_headers(struct call *call, const struct outcome *out)
{
    for (const struct outcome_header *h = out->headers; h; h = h->next)
        reply_header(call->rq, h->name, h->value);
}

/* Of a reply that is announced and not sent. */
static ptrdiff_t pull_nothing(void *cls, char *dst, size_t cap)
{
    (void)cls, (void)dst, (void)cap;
    return PULL_END;
}

static void send_body(struct call *call, int http_status, const char *content_type, const struct outcome *out)
{
    if (!out->body && out->length)
        reply_stream_sized(call->rq, http_status, content_type, out->length, pull_nothing, NULL);
    else
        reply_bytes(call->rq, http_status, content_type, out->body ? out->body->data : NULL, out->body ? out->body->len : 0);
}

/* What the socket takes at once, mostly: whoever reads slowly what is longer has it under way meanwhile. */
#define SMALL_ANSWER 65536

void call_answer(struct call *call, const struct outcome *out, const char *link)
{
    struct request *rq = call->rq;
    const char *none_match = request_header(rq, "If-None-Match");
    if (call->is_over)
        return;
    if (placed_is_due(call)) {
        placed_answer(call, out, link);
        return;
    }
    door_leave(call);
    if (!out->body || out->body->len <= SMALL_ANSWER) /* he may have it, and ask again, before it is known here that he has */
        account_leave(call);
    if (out->etag && !call->dry_run) /* neither would name anything that exists */
        reply_header(rq, "ETag", out->etag);
    if (out->location && !call->dry_run)
        reply_header(rq, "Location", out->location);
    if (link)
        reply_header(rq, "Link", link);
    call_headers(call, out);
    if (call->dry_run)
        reply_header(rq, "Preference-Applied", "dry-run");
    if (out->etag && none_match && !call->op->is_write && etag_matches(none_match, out->etag))
        send_body(call, 304, NULL, out);
    else
        send_body(call, out->http_status, out->content_type, out);
}

/* The text that the body has at a pointer; NULL where it has none. */
static const char *told_at(struct ctx *ctx, const json_t *node, const char *pointer)
{
    while (node && *pointer == '/') {
        size_t len = strcspn(pointer + 1, "/");
        const char *token = arena_strndup(ctx->arena, pointer + 1, len);
        node = json_is_array(node) ? json_array_get(node, strtoul(token, NULL, 10)) : json_object_get(node, token);
        pointer += 1 + len;
    }
    return *pointer == '\0' ? json_string_value(node) : NULL;
}

/* What nothing has is named, whoever found that out and whether he said it or not. */
static void name_missing(struct call *call)
{
    for (struct fault *f = call->ctx->problem.first_fault; f; f = f->next)
        if (f->at == AT_BODY && !f->value && f->where &&
            (strcmp(f->code, "reference-missing") == 0 || strcmp(f->code, "rank-unknown") == 0))
            f->value = told_at(call->ctx, call->in.body, f->where);
}

static bool is_come_again(enum status st)
{
    return st == ST_UNAVAILABLE || st == ST_TOO_MANY_REQUESTS;
}

void call_refuse(struct call *call, const struct ctx *from)
{
    if (call->is_over)
        return;
    if (from != call->ctx)
        call->ctx->problem = from->problem;
    name_missing(call);
    if (call->op)
        door_leave(call);
    account_leave(call); /* whoever has to come again has nothing under way */
    if (call->op && call->op->kind != OP_BUILTIN && is_come_again(call->ctx->problem.status))
        door_refuse(call);
    else if (call->op && call->ctx->problem.status == ST_NOT_FOUND)
        even_refuse(call);
    else
        reply_problem(call->rq);
}

/* Which server answered, of those that could. */
static const char *read_at(const struct call *call)
{
    if (!call->has_position || !(call->variant || call->job))
        return NULL;
    return call->is_at_standby ? "standby" : "primary";
}

static void log_request(struct call *call, bool aborted)
{
    int64_t took = clock_mono_us() - call->started_us;
    int status = reply_status(call->rq); /* 0: cut off before there was one */
    const struct problem *problem = &call->ctx->problem;
    if (call->op) {
        metric_add(call->op->requests[status >= 100 && status < 600 ? status / 100 : 0], 1);
        metric_observe_us(call->op->seconds, took);
    }
    if (!call->engine->settings->log_requests || !door_logs(call))
        return;
    log_line(status >= 500 ? LOG_WARNING_ : LOG_INFO_, "request", LOG_TEXT("request_id", call->ctx->request_id),
             LOG_TEXT("trace_id", call->trace_id), LOG_TEXT("method", request_method(call->rq)),
             LOG_TEXT("operation", call->op ? call->op->contract->id : NULL), LOG_NUM("status", status),
             LOG_TEXT("code", status >= 400 ? problem->code : NULL), LOG_TEXT("key", call->actor ? call->actor->key_id : NULL),
             LOG_TEXT("read_at", read_at(call)), LOG_NUM("bytes", reply_length(call->rq)), LOG_FLAG("aborted", aborted),
             LOG_US("ms", took));
}

static void on_done(struct request *rq, bool aborted)
{
    struct call *call = request_cls(rq);
    if (!call)
        return;
    call_hold(call);
    call->is_over = true;
    wait_leave(call);
    door_forget(call);
    even_forget(call);
    log_request(call, aborted);
    if (call->job)
        job_orphan(call->job);
    else
        actor_unref(call->actor);
    call_release(call);
}

/* ── how long it lasts ── */

void call_hold(struct call *call)
{
    call->holds++;
    request_hold(call->rq);
}

/* A client that has gone leaves its work behind: it counts until that is done. */
void call_release(struct call *call)
{
    if (--call->holds == 0 && call->is_over) {
        account_leave(call);
        if (call->op)
            door_leave(call);
    }
    request_release(call->rq);
}

const struct http_handler engine_http_handler = {.on_head = on_head, .on_body = on_body, .on_chunk = on_chunk, .on_done = on_done};
