/* SPDX-License-Identifier: Apache-2.0 */
/* YAML to JSON: libyaml's events become a jansson tree; scalars are read by YAML 1.2's core schema. Each node's line is kept, so that every
 * message can say where. Aliases are refused: a contract that is read by people should say what it means where it means it. */
#include "internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <yaml.h>

struct places {
    struct {
        const json_t *node;
        int line;
    } * rows;
    size_t n, cap, mask;
};

static size_t slot_of(const struct places *p, const json_t *node)
{
    size_t i = (size_t)((uintptr_t)node >> 4) * 0x9e3779b97f4a7c15u >> 24;
    for (i &= p->mask; p->rows[i].node && p->rows[i].node != node; i = (i + 1) & p->mask)
        continue;
    return i;
}

static void places_put(struct arena *arena, struct places *p, const json_t *node, int line)
{
    if (2 * p->n >= p->cap) {
        struct places bigger = {.cap = p->cap ? p->cap * 2 : 4096};
        bigger.mask = bigger.cap - 1;
        bigger.rows = arena_zalloc_array(arena, bigger.cap, sizeof *bigger.rows);
        for (size_t i = 0; i < p->cap; i++)
            if (p->rows[i].node)
                bigger.rows[slot_of(&bigger, p->rows[i].node)] = p->rows[i];
        bigger.n = p->n;
        *p = bigger;
    }
    size_t i = slot_of(p, node);
    p->n += p->rows[i].node == NULL;
    p->rows[i].node = node;
    p->rows[i].line = line;
}

int places_line(const struct places *places, const json_t *node)
{
    if (!places || !places->cap || !node)
        return 0;
    return places->rows[slot_of(places, node)].line;
}

struct reader {
    yaml_parser_t parser;
    const char *name;
    FILE *err;
    struct arena *arena;
    struct places *places;
    int depth;
};

static json_t *read_node(struct reader *r, const yaml_event_t *event);

static json_t *complain(struct reader *r, size_t line, const char *what)
{
    fprintf(r->err, "%s:%zu: %s\n", r->name, line + 1, what);
    return NULL;
}

static bool next(struct reader *r, yaml_event_t *event)
{
    if (yaml_parser_parse(&r->parser, event))
        return true;
    complain(r, r->parser.problem_mark.line, r->parser.problem ? r->parser.problem : "this is not YAML");
    return false;
}

/* Plain scalars of the core schema (YAML 1.2, 10.3.2), without octal and hexadecimal. */
static json_t *plain_scalar(const char *text)
{
    char *end;
    size_t len = strlen(text);
    if (len == 0 || strcmp(text, "~") == 0 || strcmp(text, "null") == 0)
        return json_null();
    if (strcmp(text, "true") == 0 || strcmp(text, "false") == 0)
        return json_boolean(text[0] == 't');
    if (strspn(text, "0123456789+-.eE") == len && strpbrk(text, "0123456789")) {
        if (!strpbrk(text, ".eE") && !(len > 1 && text[strspn(text, "+-")] == '0' && len > 1 + strspn(text, "+-"))) {
            errno = 0;
            long long whole = strtoll(text, &end, 10);
            if (*end == '\0' && errno == 0)
                return json_integer(whole);
        } else if (strpbrk(text, ".eE")) {
            double real = strtod(text, &end);
            if (*end == '\0')
                return json_real(real);
        }
    }
    return json_string(text);
}

static json_t *scalar(const yaml_event_t *event)
{
    const char *text = (const char *)event->data.scalar.value;
    if (event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE)
        return plain_scalar(text);
    return json_stringn(text, event->data.scalar.length);
}

static json_t *sequence(struct reader *r)
{
    json_t *list = json_array();
    for (;;) {
        yaml_event_t event;
        json_t *item;
        bool is_end;
        if (!next(r, &event))
            break;
        is_end = event.type == YAML_SEQUENCE_END_EVENT;
        item = is_end ? NULL : read_node(r, &event);
        yaml_event_delete(&event);
        if (is_end)
            return list;
        if (!item)
            break;
        json_array_append_new(list, item);
    }
    json_decref(list);
    return NULL;
}

/* The key of the next pair in the arena; NULL at the end or after a fault (*ret_fine tells). */
static const char *key(struct reader *r, const json_t *object, bool *ret_fine)
{
    yaml_event_t event;
    const char *name = NULL;
    *ret_fine = false;
    if (!next(r, &event))
        return NULL;
    if (event.type == YAML_MAPPING_END_EVENT) {
        *ret_fine = true;
    } else if (event.type != YAML_SCALAR_EVENT) {
        complain(r, event.start_mark.line, "a key must be a scalar");
    } else if (json_object_get(object, (const char *)event.data.scalar.value)) {
        complain(r, event.start_mark.line, arena_printf(r->arena, "the key \"%s\" stands twice", (const char *)event.data.scalar.value));
    } else {
        name = arena_strdup(r->arena, (const char *)event.data.scalar.value);
        *ret_fine = true;
    }
    yaml_event_delete(&event);
    return name;
}

static json_t *mapping(struct reader *r)
{
    json_t *object = json_object();
    for (;;) {
        yaml_event_t event;
        json_t *value;
        bool fine;
        const char *name = key(r, object, &fine);
        if (!name && fine)
            return object;
        if (!name || !next(r, &event))
            break;
        value = read_node(r, &event);
        yaml_event_delete(&event);
        if (!value)
            break;
        json_object_set_new(object, name, value);
    }
    json_decref(object);
    return NULL;
}

#define DEPTH_MAX 100

static json_t *read_node(struct reader *r, const yaml_event_t *event)
{
    json_t *node = NULL;
    if (++r->depth > DEPTH_MAX)
        return complain(r, event->start_mark.line, "this is nested too deep");
    if (event->type == YAML_SCALAR_EVENT)
        node = scalar(event);
    else if (event->type == YAML_SEQUENCE_START_EVENT)
        node = sequence(r);
    else if (event->type == YAML_MAPPING_START_EVENT)
        node = mapping(r);
    else
        complain(r, event->start_mark.line, "aliases are not understood here");
    r->depth--;
    if (node && !json_is_null(node) && !json_is_boolean(node)) /* those two are shared by all */
        places_put(r->arena, r->places, node, (int)event->start_mark.line + 1);
    return node;
}

static json_t *document(struct reader *r)
{
    yaml_event_t event;
    json_t *root = NULL;
    bool done = false;
    while (!done && next(r, &event)) {
        if (event.type == YAML_SCALAR_EVENT || event.type == YAML_SEQUENCE_START_EVENT || event.type == YAML_MAPPING_START_EVENT ||
            event.type == YAML_ALIAS_EVENT) {
            root = read_node(r, &event);
            done = true;
        }
        done |= event.type == YAML_STREAM_END_EVENT;
        yaml_event_delete(&event);
    }
    return root;
}

json_t *yaml_parse(const char *text, size_t len, const char *name, FILE *err, struct arena *arena, struct places **ret_places)
{
    struct reader r = {.name = name, .err = err, .arena = arena, .places = arena_zalloc(arena, sizeof(struct places))};
    json_t *root;
    if (!yaml_parser_initialize(&r.parser))
        return complain(&r, 0, "libyaml does not start");
    yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&r.parser, (const unsigned char *)text, len);
    root = document(&r);
    yaml_parser_delete(&r.parser);
    if (root && !json_is_object(root)) {
        complain(&r, 0, "the contract must be a mapping");
        json_decref(root);
        return NULL;
    }
    *ret_places = r.places;
    return root;
}
