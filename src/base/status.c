/* SPDX-License-Identifier: Apache-2.0 */
/* Problems: worded once where they are understood, collected in the ctx, written as RFC 9457. */
#include "asnd/status.h"

#include <assert.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "asnd/arena.h"
#include "asnd/buf.h"
#include "asnd/log.h"

static const struct {
    const char *name;
    int http;
} statuses[] = {
    {"OK", 200},
#define STATUS(name, http) {#name, http},
#include "asnd/status.def"
#undef STATUS
};

int status_http(enum status status)
{
    return statuses[status].http;
}

const char *status_name(enum status status)
{
    return statuses[status].name;
}

enum status status_from_http(int http)
{
    for (size_t i = 1; i < ARRAY_LEN(statuses); i++)
        if (statuses[i].http == http)
            return (enum status)i;
    return ST_INTERNAL;
}

/* ── the catalogue ── sorted once something was added; written only at start, before threads exist */

static const struct problem_entry builtin[] = {
#define PROBLEM(code, status, en, id) {code, ST_##status, en, id},
#include "asnd/problem.def"
#undef PROBLEM
};

struct table {
    void *rows;
    size_t n, cap, size;
};
static struct table problems = {.size = sizeof(struct problem_entry)};
static struct table constraints = {.size = sizeof(struct constraint_entry)};

/* Both kinds of row begin with the name that they are found by. */
static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void *table_find(const struct table *table, const char *name)
{
    return table->n ? bsearch(&name, table->rows, table->n, table->size, by_name) : NULL;
}

static void table_add(struct table *table, const void *row)
{
    if (table->n == table->cap) {
        table->cap = table->cap ? table->cap * 2 : 64;
        table->rows = realloc(table->rows, table->cap * table->size);
        if (!table->rows)
            die_no_memory();
    }
    memcpy((char *)table->rows + table->n++ * table->size, row, table->size);
    qsort(table->rows, table->n, table->size, by_name);
}

const struct problem_entry *problem_find(const char *code)
{
    for (size_t i = 0; i < ARRAY_LEN(builtin); i++)
        if (strcmp(builtin[i].code, code) == 0)
            return &builtin[i];
    return table_find(&problems, code);
}

bool problem_register(const struct problem_entry *entry)
{
    const struct problem_entry *known = problem_find(entry->code);
    struct problem_entry *own = table_find(&problems, entry->code);
    if (known && known->status != entry->status)
        return false;
    if (own)
        *own = *entry; /* the contract was loaded again: its texts live where it lives */
    else if (!known)
        table_add(&problems, entry);
    return true;
}

const struct constraint_entry *problem_find_constraint(const char *constraint)
{
    return table_find(&constraints, constraint);
}

bool problem_register_constraint(const struct constraint_entry *entry)
{
    struct constraint_entry *own = table_find(&constraints, entry->constraint);
    if (own)
        *own = *entry;
    else
        table_add(&constraints, entry);
    return true;
}

void problem_each(void (*fn)(void *cls, const struct problem_entry *entry), void *cls)
{
    size_t n = ARRAY_LEN(builtin), total = n + problems.n;
    struct problem_entry *all = malloc(total * sizeof *all);
    if (!all)
        die_no_memory();
    memcpy(all, builtin, sizeof builtin);
    if (problems.n)
        memcpy(all + n, problems.rows, problems.n * sizeof *all);
    qsort(all, total, sizeof *all, by_name);
    for (size_t i = 0; i < total; i++)
        fn(cls, &all[i]);
    free(all);
}

/* ── failing ── */

enum status fail(struct ctx *ctx, enum status status, const char *code, const char *en, const char *id, ...)
{
    va_list ap;
    assert(status != ST_OK);
    assert(problem_find(code) != NULL);
    ctx->problem.status = status;
    ctx->problem.code = code;
    va_start(ap, id);
    ctx->problem.detail = arena_vprintf(ctx->arena, ctx->lang == LANG_EN ? en : id, ap);
    va_end(ap);
    return status;
}

struct fault *fault_add(struct ctx *ctx, enum fault_at at, const char *where, const char *code, const char *en, const char *id, ...)
{
    struct problem *problem = &ctx->problem;
    struct fault *fault;
    va_list ap;
    if (problem->n_faults++ >= PROBLEM_FAULTS_MAX)
        return NULL;
    fault = arena_zalloc(ctx->arena, sizeof *fault);
    fault->at = at;
    fault->where = where ? arena_strdup(ctx->arena, where) : NULL;
    fault->code = code;
    va_start(ap, id);
    fault->detail = arena_vprintf(ctx->arena, ctx->lang == LANG_EN ? en : id, ap);
    va_end(ap);
    if (problem->last_fault)
        problem->last_fault->next = fault;
    else
        problem->first_fault = fault;
    problem->last_fault = fault;
    return fault;
}

void problem_clear(struct ctx *ctx)
{
    ctx->problem = (struct problem){0};
}

/* ── writing ── */

static void member(struct buf *out, const char *name, const char *text)
{
    if (!text)
        return;
    if (out->data[out->len - 1] != '{')
        buf_putc(out, ',');
    buf_json_string(out, name, strlen(name));
    buf_putc(out, ':');
    buf_json_string(out, text, strlen(text));
}

static void write_fault(struct buf *out, const struct fault *fault)
{
    buf_putc(out, '{');
    switch (fault->at) {
    case AT_BODY:
        member(out, "pointer", fault->where ? fault->where : "");
        break;
    case AT_PARAMETER:
        member(out, "parameter", fault->where);
        break;
    case AT_ROW:
        buf_printf(out, "\"line\":%lld", (long long)fault->line);
        member(out, "column", fault->where);
        break;
    }
    member(out, "code", fault->code);
    member(out, "detail", fault->detail);
    member(out, "value", fault->value);
    member(out, "suggestion", fault->suggestion);
    member(out, "pattern", fault->pattern);
    buf_putc(out, '}');
}

static void write_faults(struct buf *out, const struct problem *problem)
{
    if (!problem->first_fault)
        return;
    BUF_LIT(out, ",\"errors\":[");
    for (const struct fault *fault = problem->first_fault; fault; fault = fault->next) {
        if (fault != problem->first_fault)
            buf_putc(out, ',');
        write_fault(out, fault);
    }
    buf_putc(out, ']');
}

void problem_write(struct buf *out, const struct ctx *ctx, const char *instance)
{
    const struct problem *problem = &ctx->problem;
    const char *code = problem->code ? problem->code : "internal";
    const struct problem_entry *entry = problem_find(code);
    buf_putc(out, '{');
    member(out, "type", arena_printf(ctx->arena, "/docs#%s", code));
    if (entry)
        member(out, "title", ctx->lang == LANG_EN ? entry->title_en : entry->title_id);
    buf_printf(out, ",\"status\":%d", status_http(problem->status == ST_OK ? ST_INTERNAL : problem->status));
    member(out, "detail", problem->detail);
    member(out, "instance", instance);
    member(out, "code", code);
    write_faults(out, problem);
    member(out, "request_id", ctx->request_id);
    buf_putc(out, '}');
}
