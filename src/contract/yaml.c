/* SPDX-License-Identifier: Apache-2.0 */
/* YAML to JSON: libyaml's events become a jansson tree; scalars are read by YAML 1.2's core schema. Each node's line is kept, so that every
 * message can say where. Aliases are refused: a contract that is read by people should say what it means where it means it. */
#include "internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <yaml.h>

int places_line(const struct node_map *places, const json_t *node)
{
    return places && node ? node_map_get(places, node, 0) : 0;
}

struct reader {
    yaml_parser_t parser;
    const char *name;
    FILE *err;
    struct arena *arena;
    struct node_map *places;
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

static bool is_one_of(const char *text, const char *const *words)
{
    for (; *words; words++)
        if (strcmp(text, *words) == 0)
            return true;
    return false;
}

/* An optional sign, digits, and for a real a fraction or exponent: 0 if it is no number, 1 whole, 2 real. */
static int number_kind(const char *text)
{
    const char *p = text + (*text == '+' || *text == '-');
    size_t whole = strspn(p, "0123456789"), fraction = 0;
    bool real = false;
    p += whole;
    if (*p == '.') {
        real = true;
        fraction = strspn(++p, "0123456789");
        p += fraction;
    }
    if (whole + fraction == 0)
        return 0;
    if (*p == 'e' || *p == 'E') {
        real = true;
        p++;
        p += *p == '+' || *p == '-';
        if (!strspn(p, "0123456789"))
            return 0;
        p += strspn(p, "0123456789");
    }
    return *p ? 0 : real ? 2 : 1;
}

/* Numbers that could be read in two ways (codes with leading zeros), or that JSON or a double cannot hold, want quotes or fewer digits. */
static json_t *number(struct reader *r, const char *text, int kind, size_t line)
{
    const char *digits = text + (*text == '+' || *text == '-');
    size_t n = 0;
    double real;
    if (digits[0] == '0' && digits[1] >= '0' && digits[1] <= '9')
        return complain(r, line, "a number must not begin with 0; quote it if it is a text");
    errno = 0;
    if (kind == 1) {
        long long whole = strtoll(text, NULL, 10);
        return errno ? complain(r, line, "this number has too many digits; quote it if it is a text") : json_integer(whole);
    }
    for (const char *p = digits; *p && *p != 'e' && *p != 'E'; p++)
        n += *p != '.' && (n || *p != '0');
    real = strtod(text, NULL);
    if (errno || n > 15)
        return complain(r, line, "this number has too many digits or too large an exponent");
    return json_real(real);
}

/* Plain scalars by the core schema (YAML 1.2, 10.3.2), without octal and hexadecimal, infinities and NaN, which are texts here. */
static json_t *plain_scalar(struct reader *r, const char *text, size_t line)
{
    static const char *const nulls[] = {"", "~", "null", "Null", "NULL", NULL};
    static const char *const trues[] = {"true", "True", "TRUE", NULL}, *const falses[] = {"false", "False", "FALSE", NULL};
    int kind = number_kind(text);
    if (is_one_of(text, nulls))
        return json_null();
    if (is_one_of(text, trues) || is_one_of(text, falses))
        return json_boolean(text[0] == 't' || text[0] == 'T');
    return kind ? number(r, text, kind, line) : json_string(text);
}

static json_t *scalar(struct reader *r, const yaml_event_t *event)
{
    const char *text = (const char *)event->data.scalar.value, *tag = (const char *)event->data.scalar.tag;
    if (tag && strcmp(tag, YAML_STR_TAG) != 0 && strcmp(tag, "!") != 0)
        return complain(r, event->start_mark.line, "tags are not understood here");
    if (strlen(text) != event->data.scalar.length)
        return complain(r, event->start_mark.line, "a text must not hold NUL");
    if (!tag && event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE)
        return plain_scalar(r, text, event->start_mark.line);
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
    } else if (strlen((const char *)event.data.scalar.value) != event.data.scalar.length) {
        complain(r, event.start_mark.line, "a key must not hold NUL");
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
        node = scalar(r, event);
    else if (event->type == YAML_SEQUENCE_START_EVENT)
        node = sequence(r);
    else if (event->type == YAML_MAPPING_START_EVENT)
        node = mapping(r);
    else
        complain(r, event->start_mark.line, "aliases are not understood here");
    r->depth--;
    if (node && !json_is_null(node) && !json_is_boolean(node)) /* those two are shared by all */
        node_map_put(r->places, node, (int)event->start_mark.line + 1);
    return node;
}

/* The one document; a second one is refused. */
static json_t *document(struct reader *r)
{
    json_t *root = NULL;
    for (;;) {
        yaml_event_t event;
        yaml_event_type_t type;
        bool fine = true;
        if (!next(r, &event))
            break;
        type = event.type;
        if (root && type == YAML_DOCUMENT_START_EVENT)
            fine = complain(r, event.start_mark.line, "there must be one document only") != NULL;
        else if (type == YAML_SCALAR_EVENT || type == YAML_SEQUENCE_START_EVENT || type == YAML_MAPPING_START_EVENT ||
                 type == YAML_ALIAS_EVENT)
            fine = (root = read_node(r, &event)) != NULL;
        else if (!root && type == YAML_STREAM_END_EVENT)
            fine = complain(r, event.start_mark.line, "there is nothing in it") != NULL;
        yaml_event_delete(&event);
        if (fine && type == YAML_STREAM_END_EVENT)
            return root;
        if (!fine)
            break;
    }
    json_decref(root);
    return NULL;
}

json_t *yaml_parse(const char *text, size_t len, const char *name, FILE *err, struct arena *arena, struct node_map **ret_places)
{
    struct reader r = {.name = name, .err = err, .arena = arena, .places = node_map_new(arena)};
    json_t *root;
    if (!yaml_parser_initialize(&r.parser))
        return complain(&r, 0, "libyaml does not start");
    yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&r.parser, (const unsigned char *)text, len);
    root = document(&r);
    yaml_parser_delete(&r.parser);
    if (root)
        *ret_places = r.places;
    return root;
}
