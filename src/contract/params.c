/* SPDX-License-Identifier: Apache-2.0 */
/* One request's input: path, query and header parameters, and the JSON body, checked against the contract and turned into the texts that
 * PostgreSQL reads. All faults are collected before the request is refused. */
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

#define BODY_DEPTH_MAX 64

/* ── text → JSON, by the contract's type ── */

static bool is_integer_text(const char *text, size_t len)
{
    size_t at = text[0] == '-';
    if (len == at || (text[at] == '0' && len > at + 1))
        return false;
    return strspn(text + at, "0123456789") == len - at;
}

static void free_json(void *node)
{
    json_decref(node);
}

/* NULL if the text is no such value. Numbers keep their text through *ret_numbers. */
static json_t *scalar(struct arena *arena, enum json_kind kind, struct slice text, const struct json_numbers **ret_numbers)
{
    json_t *node;
    long long whole;
    switch (kind) {
    case KIND_INTEGER:
        errno = 0;
        if (!is_integer_text(text.data, text.len) || text.len > 20 || ((whole = strtoll(text.data, NULL, 10)), errno))
            return NULL;
        return json_integer(whole);
    case KIND_NUMBER:
        node = json_loadb(text.data, text.len, JSON_DECODE_ANY, NULL);
        if (json_is_number(node)) {
            *ret_numbers = json_numbers_new(arena, text.data, text.len, node);
            return node;
        }
        json_decref(node);
        return NULL;
    case KIND_BOOLEAN:
        return slice_is(text, "true") ? json_true() : slice_is(text, "false") ? json_false() : NULL;
    default:
        return json_stringn_nocheck(text.data, text.len);
    }
}

/* ── JSON → text for PostgreSQL ── */

static void array_item(struct buf *out, const char *text, size_t len)
{
    buf_putc(out, '"');
    for (size_t i = 0; i < len; i++) {
        if (text[i] == '"' || text[i] == '\\')
            buf_putc(out, '\\');
        buf_putc(out, text[i]);
    }
    buf_putc(out, '"');
}

static void free_text(void *text)
{
    free(text);
}

/* Objects as they came, but re-written by jansson (order kept); exact numbers inside matter to nobody but `:body`, which is the raw text. */
static const char *dumped(struct arena *arena, const json_t *node)
{
    char *text = json_dumps(node, JSON_COMPACT | JSON_ENCODE_ANY);
    arena_on_free(arena, free_text, text);
    return text;
}

static const char *text_of(struct arena *arena, const struct json_numbers *numbers, const json_t *node);

/* {"a",NULL,"b"}: every item quoted, so that no item is read as the word NULL. */
static const char *array_text(struct arena *arena, const struct json_numbers *numbers, const json_t *list)
{
    struct buf out;
    size_t i;
    const json_t *item;
    buf_init(&out, arena, 64);
    buf_putc(&out, '{');
    json_array_foreach(list, i, item)
    {
        const char *text = text_of(arena, numbers, item);
        if (i)
            buf_putc(&out, ',');
        if (!text)
            BUF_LIT(&out, "NULL");
        else
            array_item(&out, text, strlen(text));
    }
    buf_putc(&out, '}');
    return buf_cstr(&out);
}

static bool holds_objects(const json_t *list)
{
    size_t i;
    const json_t *item;
    json_array_foreach(list, i, item)
    {
        if (json_is_object(item) || json_is_array(item))
            return true;
    }
    return false;
}

static const char *text_of(struct arena *arena, const struct json_numbers *numbers, const json_t *node)
{
    switch (json_typeof(node)) {
    case JSON_STRING:
        return json_string_value(node);
    case JSON_INTEGER:
    case JSON_REAL:
        return json_number_text(arena, numbers, node);
    case JSON_TRUE:
        return "true";
    case JSON_FALSE:
        return "false";
    case JSON_ARRAY:
        return holds_objects(node) ? dumped(arena, node) : array_text(arena, numbers, node);
    case JSON_OBJECT:
        return dumped(arena, node);
    case JSON_NULL:
        break;
    }
    return NULL;
}

/* ── parameters ── */

struct given {
    struct slice *texts; /* decoded; more than one for an exploded array */
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
        }
    }
    return false;
}

static void wrong_type(struct ctx *ctx, const struct param_spec *param, enum json_kind kind, struct slice text)
{
    static const char *const en[] = {"", "a text", "a whole number", "a number", "true or false"};
    static const char *const id[] = {"", "teks", "bilangan bulat", "bilangan", "true atau false"};
    size_t i = kind <= KIND_BOOLEAN ? (size_t)kind : 1;
    struct fault *fault =
        fault_add(ctx, AT_PARAMETER, param->name, "type", "this must be %s", "ini harus %s", ctx->lang == LANG_EN ? en[i] : id[i]);
    if (fault && text.len <= 200)
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

static bool add_items(struct ctx *ctx, const struct param_spec *param, struct slice text, json_t *list)
{
    for (size_t at = 0; at <= text.len;) {
        const char *start = text.data + at;
        const char *comma = param->explode ? NULL : memchr(start, ',', text.len - at);
        struct slice item = {start, comma ? (size_t)(comma - start) : text.len - at};
        const struct json_numbers *numbers = NULL;
        const char *own = arena_strndup(ctx->arena, item.data, item.len);
        json_t *node = scalar(ctx->arena, param->type.item_kind, (struct slice){own, item.len}, &numbers);
        if (!node) {
            wrong_type(ctx, param, param->type.item_kind, item);
            return false;
        }
        json_array_append_new(list, node);
        at += item.len + 1;
        if (!comma)
            break;
    }
    return true;
}

static bool take_array(struct ctx *ctx, const struct param_spec *param, const struct given *given, struct value *ret)
{
    json_t *list = json_array();
    bool fine = true;
    for (size_t i = 0; i < given->n; i++)
        fine &= add_items(ctx, param, given->texts[i], list);
    fine = fine && schema_admits(ctx, param, list, NULL);
    if (fine) {
        const char *text = array_text(ctx->arena, NULL, list);
        *ret = (struct value){.is_present = true, .text = text, .len = strlen(text)};
    }
    json_decref(list);
    return fine;
}

/* Several texts for what is no array, and empty texts, are faults whatever the schema says. */
static void take_value(struct ctx *ctx, const struct param_spec *param, const struct given *given, struct value *ret)
{
    bool is_array = param->type.kind == KIND_ARRAY;
    if (given->n == 0) {
        if (param->default_text)
            *ret = (struct value){.is_present = true, .is_default = true, .text = param->default_text, .len = strlen(param->default_text)};
        else if (param->required && strcmp(param->bind_name, "if_match") != 0)
            fault_add(ctx, AT_PARAMETER, param->name, "required", "%s is missing", "%s belum ada", param->name);
        return;
    }
    if (given->n > 1 && !(is_array && param->explode)) {
        fault_add(ctx, AT_PARAMETER, param->name, "repeated", "%s was given %zu times", "%s diberikan %zu kali", param->name, given->n);
        return;
    }
    for (size_t i = 0; i < given->n; i++) {
        if (given->texts[i].len == 0 && param->in != IN_HEADER) {
            fault_add(ctx, AT_PARAMETER, param->name, "empty", "%s is empty; leave it out instead", "%s kosong; hilangkan saja",
                      param->name);
            return;
        }
    }
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

static void unknown_parameter(struct ctx *ctx, const struct operation *operation, const char *name)
{
    const char *names[128];
    size_t n = 0;
    struct fault *fault;
    const char *nearest;
    for (size_t i = 0; i < operation->n_params && n < ARRAY_LEN(names); i++)
        if (operation->params[i].in == IN_QUERY)
            names[n++] = operation->params[i].name;
    nearest = text_nearest(name, names, n);
    if (nearest)
        fault = fault_add(ctx, AT_PARAMETER, name, "unknown-parameter", "there is no such parameter; did you mean %s?",
                          "parameter ini tidak ada; maksudnya %s?", nearest);
    else
        fault = fault_add(ctx, AT_PARAMETER, name, "unknown-parameter", "%s has no such parameter", "%s tidak punya parameter ini",
                          operation->id);
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

static void bad_escape(struct ctx *ctx, const char *where)
{
    fault_add(ctx, AT_PARAMETER, where, "escape", "%s", "%s",
              ctx->lang == LANG_EN ? "this is not UTF-8 in percent escapes" : "ini bukan UTF-8 dalam bentuk persen");
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
        bad_escape(ctx, "?");
        return;
    }
    i = query_param(operation, name);
    if (i < 0)
        unknown_parameter(ctx, operation, name);
    else if (!percent_decode(ctx->arena, raw_value, true, &value, &value_len))
        bad_escape(ctx, name);
    else
        give(ctx->arena, &given[i], value, value_len);
}

static void read_query(struct ctx *ctx, const struct operation *operation, struct slice query, struct given *given)
{
    for (size_t at = 0; query.data && at < query.len;) {
        const char *start = query.data + at;
        const char *end = memchr(start, '&', query.len - at);
        struct slice pair = {start, end ? (size_t)(end - start) : query.len - at};
        if (pair.len)
            read_pair(ctx, operation, pair, given);
        at += pair.len + 1;
    }
}

static void read_headers(struct ctx *ctx, const struct operation *operation, header_getter header, void *cls, struct given *given)
{
    for (size_t i = 0; i < operation->n_params; i++) {
        size_t n = 0;
        const char *text = operation->params[i].in == IN_HEADER ? header(cls, operation->params[i].name, &n) : NULL;
        if (!text)
            continue;
        if (!utf8_is_valid(text, strlen(text), false)) {
            bad_escape(ctx, operation->params[i].name);
            continue;
        }
        for (size_t k = 0; k < n; k++)
            give(ctx->arena, &given[i], text, strlen(text));
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
        if (operation->params[i].required && strcmp(operation->params[i].bind_name, "if_match") == 0 && !params->values[i].is_present)
            return true;
    return false;
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
        return fail(ctx, ST_BAD_REQUEST, "parameter-invalid", "%d faults in the parameters.", "%d kesalahan pada parameter.",
                    ctx->problem.n_faults);
    if (lacks_if_match(operation, ret))
        return fail(ctx, ST_PRECONDITION_REQUIRED, "precondition-required",
                    "Send If-Match with the ETag of the version that you are changing.",
                    "Kirim If-Match berisi ETag dari versi yang Anda ubah.");
    return ST_OK;
}

/* ── the body ── */

static size_t depth_of(struct slice body)
{
    size_t depth = 0, deepest = 0;
    bool quoted = false;
    for (size_t i = 0; i < body.len; i++) {
        char c = body.data[i];
        if (quoted) {
            if (c == '\\')
                i++;
            else if (c == '"')
                quoted = false;
        } else if (c == '"') {
            quoted = true;
        } else if (c == '{' || c == '[') {
            deepest = ++depth > deepest ? depth : deepest;
        } else if ((c == '}' || c == ']') && depth) {
            depth--;
        }
    }
    return deepest;
}

static enum status bad_json(struct ctx *ctx, struct slice body, const json_error_t *error)
{
    struct slice text = slice_trim(body);
    bool is_form = text.len && text.data[0] != '{' && text.data[0] != '[' && memchr(text.data, '=', text.len);
    if (json_error_code(error) == json_error_duplicate_key)
        return fail(ctx, ST_BAD_REQUEST, "bad-json", "A member stands twice in an object, near line %d, column %d.",
                    "Ada anggota yang ditulis dua kali, dekat baris %d, kolom %d.", error->line, error->column);
    if (json_error_code(error) == json_error_numeric_overflow)
        return fail(ctx, ST_INVALID, "invalid", "A number is out of range, near line %d, column %d.",
                    "Ada angka di luar jangkauan, dekat baris %d, kolom %d.", error->line, error->column);
    if (is_form)
        return fail(
            ctx, ST_BAD_REQUEST, "bad-json",
            "This looks like a form, not JSON (line %d, column %d). With curl write --json '{…}' or --data-binary @file.",
            "Ini tampak seperti formulir, bukan JSON (baris %d, kolom %d). Dengan curl tulis --json '{…}' atau --data-binary @file.",
            error->line, error->column);
    return fail(ctx, ST_BAD_REQUEST, "bad-json", "The body cannot be read as JSON at line %d, column %d.",
                "Isi permintaan tidak dapat dibaca sebagai JSON di baris %d, kolom %d.", error->line, error->column);
}

static void take_members(struct ctx *ctx, struct params *params)
{
    const struct operation *operation = params->operation;
    for (size_t i = 0; i < operation->n_body_members; i++) {
        const json_t *node = json_object_get(params->body, operation->body_members[i].name);
        struct value *v = &params->members[i];
        if (!node)
            continue;
        v->is_present = true;
        v->is_null = json_is_null(node);
        v->text = text_of(ctx->arena, params->numbers, node);
        v->len = v->text ? strlen(v->text) : 0;
    }
}

static const struct schema *body_schema(const struct operation *operation)
{
    for (size_t i = 0; i < operation->n_bodies; i++)
        if (operation->bodies[i].schema)
            return operation->bodies[i].schema;
    return NULL;
}

enum status params_parse_body(struct ctx *ctx, struct slice body, struct params *ret)
{
    const struct operation *operation = ret->operation;
    const struct schema *schema = body_schema(operation);
    json_error_t error;
    if (slice_trim(body).len == 0) {
        if (operation->body_required)
            return fail(ctx, ST_BAD_REQUEST, "bad-json", "This operation needs a JSON body.", "Operasi ini memerlukan isi JSON.");
        return ST_OK;
    }
    if (depth_of(body) > BODY_DEPTH_MAX)
        return fail(ctx, ST_BAD_REQUEST, "bad-json", "The body is nested deeper than %d.", "Isi bersusun lebih dalam dari %d.",
                    BODY_DEPTH_MAX);
    ret->body = json_loadb(body.data, body.len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
    if (!ret->body)
        return bad_json(ctx, body, &error);
    arena_on_free(ctx->arena, free_json, ret->body);
    ret->raw_body = body;
    ret->numbers = json_numbers_new(ctx->arena, body.data, body.len, ret->body);
    if (schema && !schema_validate(ctx, schema, ret->body, ret->numbers, ""))
        return fail(ctx, ST_INVALID, "invalid", "%d faults in the body.", "%d kesalahan pada isi permintaan.", ctx->problem.n_faults);
    take_members(ctx, ret);
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
