/* SPDX-License-Identifier: Apache-2.0 */
/* From a raw path to an operation: a tree of path segments. A literal segment wins over a parameter, so that /v1/asn/import is never read as
 * /v1/asn/{nip}; where it leads nowhere, the parameter is tried. Segments stay raw, so %2F never splits one. */
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

struct route_node {
    struct slice literal;                  /* of this node in its parent; data NULL: a parameter */
    struct route_node *first_child, *next; /* literals first */
    const char *path;                      /* of the template that ends here, or NULL */
    const struct operation *operations[HTTP_METHOD_UNKNOWN];
    const char *allow;
};

/* ── growing the tree ── */

static struct route_node *child_for(struct arena *arena, struct route_node *parent, struct slice literal)
{
    struct route_node **at = &parent->first_child, *made;
    for (; *at; at = &(*at)->next) {
        const struct slice own = (*at)->literal;
        if (!own.data && !literal.data)
            return *at;
        if (!own.data)
            break; /* a new literal goes before the parameter */
        if (literal.data && own.len == literal.len && memcmp(own.data, literal.data, own.len) == 0)
            return *at;
    }
    made = arena_zalloc(arena, sizeof *made);
    made->literal = literal;
    made->next = *at;
    *at = made;
    return made;
}

static bool is_dot_segment(struct slice s)
{
    size_t dots = 0, at = 0;
    while (at < s.len) {
        if (s.data[at] == '.')
            at++;
        else if (s.len - at >= 3 && s.data[at] == '%' && s.data[at + 1] == '2' && (s.data[at + 2] | 0x20) == 'e')
            at += 3;
        else
            return false;
        dots++;
    }
    return dots == 1 || dots == 2;
}

bool route_add(struct contract *contract, const struct operation *operation, const char **ret_why)
{
    struct route_node *node = contract->routes;
    const char *p = operation->path;
    const bool is_root = strcmp(p, "/") == 0;
    size_t n_params = 0;
    if (!node)
        node = contract->routes = arena_zalloc(contract->arena, sizeof *node);
    *ret_why = "a path begins with / and has no empty, dot or partly variable segment";
    if (is_root)
        p++;
    while (*p == '/') {
        struct slice segment = {p + 1, strcspn(p + 1, "/")};
        bool is_param = segment.len > 2 && segment.data[0] == '{' && strcspn(segment.data + 1, "{}/") == segment.len - 2;
        size_t plain = strcspn(segment.data, "/{}%?#");
        if (segment.len == 0 || is_dot_segment(segment) || (!is_param && plain < segment.len))
            return false;
        n_params += is_param;
        p = segment.data + segment.len;
        if (is_param)
            segment.data = NULL;
        node = child_for(contract->arena, node, segment);
    }
    if (*p || (node == contract->routes && !is_root))
        return false;
    *ret_why = "too many path parameters";
    if (n_params > ROUTE_PARAMS_MAX)
        return false;
    *ret_why = "another path is the same but for the names of its parameters";
    if (node->path && strcmp(node->path, operation->path) != 0)
        return false;
    node->path = operation->path;
    node->operations[operation->method] = operation;
    return true;
}

static void say_allow(struct arena *arena, struct route_node *node)
{
    char text[64] = "";
    for (int m = 0; m < HTTP_METHOD_UNKNOWN; m++) {
        bool has = node->operations[m] || (m == HTTP_HEAD && node->operations[HTTP_GET]) || m == HTTP_OPTIONS;
        if (has) {
            strcat(text, *text ? ", " : "");
            strcat(text, method_names[m]);
        }
    }
    node->allow = arena_strdup(arena, text);
}

static void finish(struct arena *arena, struct route_node *node)
{
    if (node->path)
        say_allow(arena, node);
    for (struct route_node *child = node->first_child; child; child = child->next)
        finish(arena, child);
}

void route_finish(struct contract *contract)
{
    finish(contract->arena, contract->routes);
}

/* ── finding ── */

/* `path` begins with the slash before the next segment. Each node of the tree is looked at once at most, whatever the path. */
static const struct route_node *find(const struct route_node *node, struct slice path, struct route *ret)
{
    struct slice segment;
    const char *slash;
    const size_t values = ret->n_path_values;
    if (path.len == 0)
        return node->path ? node : NULL;
    segment = (struct slice){path.data + 1, path.len - 1};
    slash = segment.len ? memchr(segment.data, '/', segment.len) : NULL;
    if (slash)
        segment.len = (size_t)(slash - segment.data);
    if (segment.len == 0 || is_dot_segment(segment))
        return NULL;
    path = (struct slice){segment.data + segment.len, path.len - 1 - segment.len};
    for (const struct route_node *child = node->first_child; child; child = child->next) {
        const struct route_node *found;
        if (child->literal.data) {
            if (child->literal.len != segment.len || memcmp(child->literal.data, segment.data, segment.len) != 0)
                continue;
        } else {
            ret->path_values[values] = segment;
            ret->n_path_values = values + 1;
        }
        found = find(child, path, ret);
        if (found)
            return found;
        ret->n_path_values = values;
    }
    return NULL;
}

bool contract_route(const struct contract *contract, enum http_method method, struct slice path, struct route *ret)
{
    const struct route_node *node;
    *ret = (struct route){0};
    if (slice_is(path, "/"))
        path.len = 0; /* the root has no segment */
    else if (!path.len || path.data[0] != '/')
        return false;
    node = find(contract->routes, path, ret);
    if (!node)
        return false;
    ret->allow = node->allow;
    if (method < HTTP_METHOD_UNKNOWN)
        ret->operation = node->operations[method];
    if (method == HTTP_HEAD && !ret->operation)
        ret->operation = node->operations[HTTP_GET];
    return true;
}
