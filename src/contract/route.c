/* SPDX-License-Identifier: Apache-2.0 */
/* From a raw path to an operation. A few dozen templates: each is compared part by part, those with more literals first, so that
 * /v1/asn/import is never read as /v1/asn/{nip}. */
#include "internal.h"

#include <stdlib.h>
#include <string.h>

static const char *const method_names[] = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"};

const char *http_method_name(enum http_method method)
{
    return method < HTTP_METHOD_UNKNOWN ? method_names[method] : "?";
}

enum http_method http_method_parse(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(method_names); i++)
        if (strcmp(method_names[i], name) == 0)
            return (enum http_method)i;
    return HTTP_METHOD_UNKNOWN;
}

static size_t count(const char *text, char c)
{
    size_t n = 0;
    for (; *text; text++)
        n += *text == c;
    return n;
}

static void split(struct arena *arena, struct path_entry *entry)
{
    const char *p = entry->path;
    entry->parts = arena_zalloc_array(arena, count(p, '/') + 1, sizeof *entry->parts);
    while (*p == '/') {
        size_t len = strcspn(++p, "/");
        if (len > 2 && p[0] == '{' && p[len - 1] == '}')
            entry->n_params++;
        else
            entry->parts[entry->n_parts].literal = (struct slice){p, len};
        entry->n_parts++;
        p += len;
    }
}

static void say_allow(struct arena *arena, struct path_entry *entry)
{
    char text[64] = "";
    for (int m = 0; m < HTTP_METHOD_UNKNOWN; m++) {
        bool has = entry->operations[m] || (m == HTTP_HEAD && entry->operations[HTTP_GET]) || m == HTTP_OPTIONS;
        if (!has)
            continue;
        if (*text)
            strcat(text, ", ");
        strcat(text, method_names[m]);
    }
    entry->allow = arena_strdup(arena, text);
}

/* More literals first; among equals, literals further left first. */
static int by_literals(const void *a, const void *b)
{
    const struct path_entry *x = a, *y = b;
    if (x->n_parts != y->n_parts)
        return x->n_parts < y->n_parts ? -1 : 1;
    for (size_t i = 0; i < x->n_parts; i++)
        if (!x->parts[i].literal.data != !y->parts[i].literal.data)
            return x->parts[i].literal.data ? -1 : 1;
    return strcmp(x->path, y->path);
}

static struct path_entry *entry_for(struct contract *contract, const char *path)
{
    for (size_t i = 0; i < contract->n_paths; i++)
        if (strcmp(contract->paths[i].path, path) == 0)
            return &contract->paths[i];
    contract->paths[contract->n_paths].path = path;
    return &contract->paths[contract->n_paths++];
}

bool route_compile(struct contract *contract)
{
    contract->paths = arena_zalloc_array(contract->arena, contract->n_operations + 1, sizeof *contract->paths);
    for (size_t i = 0; i < contract->n_operations; i++) {
        const struct operation *operation = &contract->operations[i];
        entry_for(contract, operation->path)->operations[operation->method] = operation;
    }
    for (size_t i = 0; i < contract->n_paths; i++) {
        split(contract->arena, &contract->paths[i]);
        say_allow(contract->arena, &contract->paths[i]);
    }
    qsort(contract->paths, contract->n_paths, sizeof *contract->paths, by_literals);
    return true;
}

static bool is_dot_segment(struct slice s)
{
    return slice_is(s, ".") || slice_is(s, "..");
}

#define SEGMENTS_MAX 32

/* The path's segments; 0 if it has an empty or a dot segment, or too many. */
static size_t segments(struct slice path, struct slice ret[SEGMENTS_MAX])
{
    size_t n = 0, at = 0;
    if (path.len == 0 || path.data[0] != '/')
        return 0;
    while (at < path.len) {
        const char *start = path.data + at + 1;
        size_t left = path.len - at - 1;
        const char *slash = left ? memchr(start, '/', left) : NULL;
        struct slice one = {start, slash ? (size_t)(slash - start) : left};
        if (one.len == 0 || is_dot_segment(one) || n == SEGMENTS_MAX)
            return 0;
        ret[n++] = one;
        at += one.len + 1;
    }
    return n;
}

static bool matches(const struct path_entry *entry, const struct slice *parts, size_t n, struct route *ret)
{
    size_t values = 0;
    if (entry->n_parts != n || entry->n_params > ROUTE_PARAMS_MAX)
        return false;
    for (size_t i = 0; i < n; i++) {
        struct slice literal = entry->parts[i].literal;
        if (!literal.data)
            ret->path_values[values++] = parts[i];
        else if (literal.len != parts[i].len || memcmp(literal.data, parts[i].data, literal.len) != 0)
            return false;
    }
    ret->n_path_values = values;
    return true;
}

bool contract_route(const struct contract *contract, enum http_method method, struct slice path, struct route *ret)
{
    struct slice parts[SEGMENTS_MAX];
    size_t n = segments(path, parts);
    *ret = (struct route){0};
    for (size_t i = 0; n && i < contract->n_paths; i++) {
        const struct path_entry *entry = &contract->paths[i];
        if (!matches(entry, parts, n, ret))
            continue;
        ret->allow = entry->allow;
        if (method < HTTP_METHOD_UNKNOWN)
            ret->operation = entry->operations[method == HTTP_HEAD && !entry->operations[HTTP_HEAD] ? HTTP_GET : method];
        return true;
    }
    return false;
}
