/* SPDX-License-Identifier: Apache-2.0 */
/* One request's parameters: path, query and headers, checked against the contract and turned into the texts that PostgreSQL reads. All faults
 * are collected before the request is refused. The body is in body.c. */
#include "internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "asnd/buf.h"

struct derived {
    struct derived *next;
    const char *name;
    struct value value;
};

#define ECHO_MAX 200 /* longer texts are not repeated to the client */

/* ── text → JSON, by the contract's type ── */

static bool is_integer_text(struct slice text)
{
    size_t at = text.len && text.data[0] == '-';
    if (text.len == at || (text.data[at] == '0' && text.len > at + 1))
        return false;
    return strspn(text.data + at, "0123456789") == text.len - at;
}

static json_t *integer_of(struct slice text)
{
    long long whole;
    if (!is_integer_text(text))
        return NULL;
    errno = 0;
    whole = strtoll(text.data, NULL, 10);
    return errno ? NULL : json_integer(whole);
}

/* JSON's grammar without the white space that JSON allows around it. Its text is kept in *ret_numbers. */
static json_t *number_of(struct arena *arena, struct slice text, const struct json_numbers **ret_numbers)
{
    json_t *node = NULL;
    if (text.len && (text.data[0] == '-' || (text.data[0] >= '0' && text.data[0] <= '9')) &&
        strspn(text.data, "0123456789+-.eE") == text.len)
        node = json_loadb(text.data, text.len, JSON_DECODE_ANY, NULL);
    if (json_is_real(node))
        *ret_numbers = json_numbers_new(arena, text.data, text.len, node);
    return node;
}

/* NULL if the text is no such value. The text ends with NUL. */
static json_t *scalar(struct arena *arena, enum json_kind kind, struct slice text, const struct json_numbers **ret_numbers)
{
    switch (kind) {
    case KIND_INTEGER:
        return integer_of(text);
    case KIND_NUMBER:
        return number_of(arena, text, ret_numbers);
    case KIND_BOOLEAN:
        return slice_is(text, "true") ? json_true() : slice_is(text, "false") ? json_false() : NULL;
    default:
        return json_stringn_nocheck(text.data, text.len);
    }
}

/* ── one parameter ── */

struct given {
    struct slice *texts; /* decoded, ending with NUL; several for an exploded array */
    size_t n, cap;
};

/* The faults of a schema, told as the parameter's. */
static bool schema_admits(struct ctx *ctx, const struct param_spec *param, const json_t *node, const struct json_numbers *numbers)
{
    struct ctx probe = *ctx;
    probe.problem = (struct problem){0};
    if (schema_validate(&probe, param->type.schema, node, numbers, ""))
        return true;
    for (const struct fault *f = probe.problem.first_fault; f; f = f->next) {
        struct fault *own = fault_add(ctx, AT_PARAMETER, param->name, f->code, "%s", "%s", f->detail);
        if (own) {
            own->value = f->value;
            own->suggestion = f->suggestion;
            own->pattern = f->pattern;
        }
    }
    return false;
}

static void wrong_type(struct ctx *ctx, const struct param_spec *param, enum json_kind kind, struct slice text)
{
    static const char *const words[][2] = {[KIND_INTEGER] = {"bilangan bulat", "a whole number"},
                                           [KIND_NUMBER] = {"bilangan", "a number"},
                                           [KIND_BOOLEAN] = {"true atau false", "true or false"}};
    struct fault *fault =
        fault_add(ctx, AT_PARAMETER, param->name, "type", "this must be %s", "ini harus %s", words[kind][ctx->lang == LANG_EN]);
    if (fault && text.len <= ECHO_MAX && !param->type.schema->is_secret)
        fault->value = arena_strndup(ctx->arena, text.data, text.len);
}

static bool take_scalar(struct ctx *ctx, const struct param_spec *param, struct slice text, struct value *ret)
{
    const struct json_numbers *numbers = NULL;
    json_t *node = scalar(ctx->arena, param->type.kind, text, &numbers);
    bool fine;
    if (!node) {
        wrong_type(ctx, param, param->type.kind, text);
        return false;
    }
    fine = schema_admits(ctx, param, node, numbers);
    json_decref(node);
    if (fine)
        *ret = (struct value){.is_present = true, .text = text.data, .len = text.len};
    return fine;
}

/* One item of an array into the list that the schema sees, and into the literal that PostgreSQL sees. */
static bool add_item(struct ctx *ctx, const struct param_spec *param, struct slice text, json_t *list, struct buf *literal)
{
    const struct json_numbers *numbers = NULL; /* bounds of reals in lists are held by their doubles' shortest text */
    json_t *node = scalar(ctx->arena, param->type.item_kind, text, &numbers);
    if (!node) {
        wrong_type(ctx, param, param->type.item_kind, text);
        return false;
    }
    json_array_append_new(list, node);
    literal_item(literal, text.data, text.len);
    return true;
}

static bool is_empty(struct ctx *ctx, const struct param_spec *param, struct slice text)
{
    if (text.len)
        return false;
    fault_add(ctx, AT_PARAMETER, param->name, "empty", "%s is empty; leave it out instead", "%s kosong; hilangkan saja", param->name);
    return true;
}

static bool add_items(struct ctx *ctx, const struct param_spec *param, struct slice text, json_t *list, struct buf *literal)
{
    size_t at = 0;
    if (param->explode)
        return add_item(ctx, param, text, list, literal);
    do {
        const char *start = text.data + at, *comma = memchr(start, ',', text.len - at);
        struct slice item = {start, comma ? (size_t)(comma - start) : text.len - at};
        at += item.len + 1;
        if (param->in == IN_HEADER)
            item = slice_trim(item);
        item.data = arena_strndup(ctx->arena, item.data, item.len);
        if (is_empty(ctx, param, item) || !add_item(ctx, param, item, list, literal))
            return false;
    } while (at <= text.len);
    return true;
}

static void take_array(struct ctx *ctx, const struct param_spec *param, const struct given *given, struct value *ret)
{
    json_t *list = json_array();
    struct buf literal;
    bool fine = true;
    literal_begin(&literal, ctx->arena);
    for (size_t i = 0; fine && i < given->n; i++)
        fine = add_items(ctx, param, given->texts[i], list, &literal);
    if (fine && schema_admits(ctx, param, list, NULL)) {
        *ret = (struct value){.is_present = true, .text = literal_end(&literal)};
        ret->len = literal.len;
    }
    json_decref(list);
}

static bool is_if_match(const struct param_spec *param)
{
    return param->in == IN_HEADER && strcmp(param->bind_name, "if_match") == 0;
}

static void take_absent(struct ctx *ctx, const struct param_spec *param, struct value *ret)
{
    if (param->default_text)
        *ret = (struct value){.is_present = true, .is_default = true, .text = param->default_text, .len = strlen(param->default_text)};
    else if (param->required && !is_if_match(param))
        fault_add(ctx, AT_PARAMETER, param->name, "required", "%s is missing", "%s belum ada", param->name);
}

/* Several texts for what is no array, and empty texts, are faults whatever the schema says. */
static void take_value(struct ctx *ctx, const struct param_spec *param, const struct given *given, struct value *ret)
{
    const bool is_array = param->type.kind == KIND_ARRAY;
    if (given->n == 0) {
        take_absent(ctx, param, ret);
        return;
    }
    if (given->n > 1 && !(is_array && param->explode)) {
        fault_add(ctx, AT_PARAMETER, param->name, "repeated", "%s was given %zu times", "%s diberikan %zu kali", param->name, given->n);
        return;
    }
    for (size_t i = 0; i < given->n; i++)
        if (is_empty(ctx, param, given->texts[i]))
            return;
    if (is_array)
        take_array(ctx, param, given, ret);
    else
        take_scalar(ctx, param, given->texts[0], ret);
}

static void give(struct arena *arena, struct given *given, const char *text, size_t len)
{
    if (given->n == given->cap) {
        struct slice *bigger;
        given->cap = given->cap ? given->cap * 2 : 2;
        bigger = arena_alloc(arena, given->cap * sizeof *bigger);
        if (given->n)
            memcpy(bigger, given->texts, given->n * sizeof *bigger);
        given->texts = bigger;
    }
    given->texts[given->n++] = (struct slice){text, len};
}

/* ── the query ── */

static void unknown_parameter(struct ctx *ctx, const struct operation *operation, const char *name)
{
    const char *names[128], *nearest, *where = strlen(name) <= ECHO_MAX ? name : arena_strndup(ctx->arena, name, ECHO_MAX);
    size_t n = 0;
    struct fault *fault;
    for (size_t i = 0; i < operation->n_params && n < ARRAY_LEN(names); i++)
        if (operation->params[i].in == IN_QUERY)
            names[n++] = operation->params[i].name;
    nearest = where == name && ctx->problem.n_faults < PROBLEM_FAULTS_MAX ? text_nearest(name, names, n) : NULL;
    if (nearest)
        fault = fault_add(ctx, AT_PARAMETER, where, "unknown-parameter", "there is no such parameter here; is %s meant?",
                          "parameter ini tidak ada di sini; maksudnya %s?", nearest);
    else
        fault =
            fault_add(ctx, AT_PARAMETER, where, "unknown-parameter", "there is no such parameter here", "parameter ini tidak ada di sini");
    if (fault)
        fault->suggestion = nearest;
}

static int query_param(const struct operation *operation, const char *name)
{
    for (size_t i = 0; i < operation->n_params; i++)
        if (operation->params[i].in == IN_QUERY && strcmp(operation->params[i].name, name) == 0)
            return (int)i;
    return -1;
}

static void bad_text(struct ctx *ctx, const char *where)
{
    fault_add(ctx, AT_PARAMETER, where, "escape", "this is not UTF-8 in whole percent escapes",
              "ini bukan UTF-8 dengan bentuk persen yang utuh");
}

static void read_pair(struct ctx *ctx, const struct operation *operation, struct slice pair, struct given *given)
{
    const char *equals = memchr(pair.data, '=', pair.len);
    struct slice raw_name = {pair.data, equals ? (size_t)(equals - pair.data) : pair.len};
    struct slice raw_value = {equals ? equals + 1 : "", equals ? pair.len - raw_name.len - 1 : 0};
    const char *name, *value;
    size_t name_len, value_len;
    int i;
    if (!percent_decode(ctx->arena, raw_name, true, &name, &name_len)) {
        bad_text(ctx, "?");
        return;
    }
    i = query_param(operation, name);
    if (i < 0)
        unknown_parameter(ctx, operation, name);
    else if (!percent_decode(ctx->arena, raw_value, true, &value, &value_len))
        bad_text(ctx, operation->params[i].name);
    else
        give(ctx->arena, &given[i], value, value_len);
}

static void read_query(struct ctx *ctx, const struct operation *operation, struct slice query, struct given *given)
{
    for (size_t at = 0; query.data && at < query.len;) {
        const char *start = query.data + at, *end = memchr(start, '&', query.len - at);
        struct slice pair = {start, end ? (size_t)(end - start) : query.len - at};
        if (pair.len)
            read_pair(ctx, operation, pair, given);
        at += pair.len + 1;
    }
}

/* ── headers and path ── */

static void read_headers(struct ctx *ctx, const struct operation *operation, header_getter header, void *cls, struct given *given)
{
    for (size_t i = 0; i < operation->n_params; i++) {
        size_t n = 0;
        const char *text = operation->params[i].in == IN_HEADER ? header(cls, operation->params[i].name, &n) : NULL;
        if (!text)
            continue;
        if (!utf8_is_valid(text, strlen(text), false)) {
            bad_text(ctx, operation->params[i].name);
            continue;
        }
        give(ctx->arena, &given[i], text, strlen(text));
        given[i].n = n; /* only the first text is known: several are a fault, and not looked at */
    }
}

static enum status not_found(struct ctx *ctx)
{
    problem_clear(ctx);
    return fail(ctx, ST_NOT_FOUND, "not-found", "There is nothing at this address.", "Tidak ada apa pun di alamat ini.");
}

static enum status read_path(struct ctx *ctx, const struct operation *operation, const struct route *route, struct params *ret)
{
    for (size_t i = 0; i < operation->n_params && operation->params[i].in == IN_PATH; i++) {
        const char *text;
        size_t len;
        if (i >= route->n_path_values || !percent_decode(ctx->arena, route->path_values[i], false, &text, &len) || len == 0 ||
            !take_scalar(ctx, &operation->params[i], (struct slice){text, len}, &ret->values[i]))
            return not_found(ctx);
    }
    return ST_OK;
}

static bool lacks_if_match(const struct operation *operation, const struct params *params)
{
    for (size_t i = 0; i < operation->n_params; i++)
        if (operation->params[i].required && is_if_match(&operation->params[i]) && !params->values[i].is_present)
            return true;
    return false;
}

static enum status refuse(struct ctx *ctx)
{
    if (ctx->problem.n_faults == 1)
        return fail(ctx, ST_BAD_REQUEST, "parameter-invalid", "One parameter is not valid.", "Satu parameter tidak sah.");
    return fail(ctx, ST_BAD_REQUEST, "parameter-invalid", "There are %d faults in the parameters.", "Ada %d kesalahan pada parameter.",
                ctx->problem.n_faults);
}

enum status params_parse(struct ctx *ctx, const struct operation *operation, const struct route *route, struct slice query,
                         header_getter header, void *header_cls, struct params *ret)
{
    struct given *given = arena_zalloc_array(ctx->arena, operation->n_params + 1, sizeof *given);
    enum status st;
    *ret = (struct params){.operation = operation,
                           .values = arena_zalloc_array(ctx->arena, operation->n_params + 1, sizeof *ret->values),
                           .members = arena_zalloc_array(ctx->arena, operation->n_body_members + 1, sizeof *ret->members)};
    st = read_path(ctx, operation, route, ret);
    if (st != ST_OK)
        return st;
    read_query(ctx, operation, query, given);
    read_headers(ctx, operation, header, header_cls, given);
    for (size_t i = 0; i < operation->n_params; i++)
        if (operation->params[i].in != IN_PATH)
            take_value(ctx, &operation->params[i], &given[i], &ret->values[i]);
    if (ctx->problem.n_faults)
        return refuse(ctx);
    if (lacks_if_match(operation, ret))
        return fail(ctx, ST_PRECONDITION_REQUIRED, "precondition-required",
                    "Send If-Match with the ETag of the version that you are changing.",
                    "Kirim If-Match berisi ETag dari versi yang Anda ubah.");
    return ST_OK;
}

/* ── looking up ── */

const struct value *params_find(const struct params *params, const char *bind_name)
{
    const struct operation *operation = params->operation;
    for (const struct derived *d = params->derived; d; d = d->next)
        if (strcmp(d->name, bind_name) == 0)
            return &d->value;
    for (size_t i = 0; i < operation->n_params; i++)
        if (strcmp(operation->params[i].bind_name, bind_name) == 0)
            return &params->values[i];
    for (size_t i = 0; i < operation->n_body_members; i++)
        if (strcmp(operation->body_members[i].name, bind_name) == 0)
            return &params->members[i];
    return NULL;
}

const char *params_text(const struct params *params, const char *bind_name)
{
    const struct value *v = params_find(params, bind_name);
    return v ? v->text : NULL;
}

void params_derive(struct ctx *ctx, struct params *params, const char *bind_name, const char *text)
{
    struct derived *d = params->derived;
    while (d && strcmp(d->name, bind_name) != 0)
        d = d->next;
    if (!d) {
        d = arena_zalloc(ctx->arena, sizeof *d);
        d->name = bind_name;
        d->next = params->derived;
        params->derived = d;
    }
    d->value = (struct value){.is_present = true, .is_null = !text, .text = text, .len = text ? strlen(text) : 0};
}
