/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What the files of this room share: the YAML tree with its places, compiled schemas, and the contract itself. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <pthread.h>

#include "asnd/arena.h"
#include "asnd/contract.h"
#include "asnd/decimal.h"

/* ── node_map.c ── */
/* A number for each node of a tree, by its address. Lives in an arena. */
struct node_map;
struct node_map *node_map_new(struct arena *arena);
void node_map_put(struct node_map *map, const json_t *node, int number);
int node_map_get(const struct node_map *map, const json_t *node, int otherwise);

/* ── yaml.c ── */
json_t *yaml_parse(const char *text, size_t len, const char *name, FILE *err, struct arena *arena, struct node_map **ret_places);
/* Line where the node begins, or 0 (null, true and false are shared by all, so theirs are not known). */
int places_line(const struct node_map *places, const json_t *node);

/* ── compiled schemas ── */
enum {
    TYPE_NULL = 1,
    TYPE_BOOLEAN = 2,
    TYPE_INTEGER = 4,
    TYPE_NUMBER = 8,
    TYPE_STRING = 16,
    TYPE_ARRAY = 32,
    TYPE_OBJECT = 64,
};

struct regex {
    const char *text;
    const pcre2_code *code;
    pcre2_match_context *limits; /* read-only once compiled */
};

struct bound {
    bool is_set;
    bool is_small; /* a whole number that fits `small`: integers are then compared without GMP */
    json_int_t small;
    struct decimal value;
    const char *text; /* as the contract writes it */
};

/* Most schemas bound no number. */
struct bounds {
    struct bound minimum, maximum, exclusive_minimum, exclusive_maximum, multiple_of;
};

struct named_schema {
    const char *name;
    struct regex pattern; /* of patternProperties */
    struct schema *schema;
};

struct schema_map {
    struct named_schema *rows;
    size_t n;
};

struct schema_list {
    struct schema **rows;
    size_t n;
};

struct schema {
    const json_t *source; /* NULL once the contract has forgotten its document */
    bool is_false;        /* the schema `false` */
    bool is_sensitive;    /* x-sensitive */
    bool is_secret;       /* writeOnly or x-sensitive, here or in what it is composed of: values are never echoed */
    bool read_only;
    const char *scope, *sealed; /* x-scope, x-sealed */
    struct mask mask;           /* x-mask */
    enum { UNVISITED, VISITING, VISITED } visit;
    unsigned types; /* 0: any */
    const json_t *constant, *enumeration;
    const struct bounds *bounds;                                                                                      /* NULL: none */
    int64_t min_length, max_length, min_items, max_items, min_properties, max_properties, min_contains, max_contains; /* -1: none */
    bool unique_items;
    struct regex pattern;
    const char *form_en, *form_id; /* what has this pattern, in words; NULL if the contract says nothing */
    const char *form_example;
    const char *format;
    const char *format_code; /* "format-date" */
    format_check check;
    const char *const *required;
    size_t n_required;
    struct schema_map properties; /* in the contract's order */
    struct schema_map sorted;     /* the same by name */
    struct schema_map pattern_properties, dependent_schemas;
    const json_t *dependent_required;
    struct schema *additional, *unevaluated_properties, *property_names;
    struct schema_list prefix;
    struct schema *items, *contains, *unevaluated_items;
    struct schema *ref, *negated, *if_, *then_, *else_;
    struct schema_list all_of, any_of, one_of;
    const struct property_spec *members; /* through references and allOf; NULL until members_of has looked */
    size_t n_members;
};

/* ── schema.c ── */
struct compiler {
    struct arena *arena;   /* what is made lives here */
    struct arena *scratch; /* what is needed only to make it, as the names of places are */
    const json_t *root;
    const char *name;
    const struct node_map *places;
    FILE *err;
    int faults;
    struct node_map *seen;  /* source node → index into `made` */
    struct regex *patterns; /* each text once: machine code is large */
    size_t n_patterns, cap_patterns;
    struct schema **made;
    size_t n_made, cap_made;
    pcre2_match_context *limits;
};
void compiler_init(struct compiler *c, struct arena *arena, struct arena *scratch, const json_t *root, const char *name,
                   const struct node_map *places, FILE *err);
/* Looks for schemas that would apply themselves to the same value for ever. After the last schema_make. */
void compiler_finish(struct compiler *c);
void compiler_done(struct compiler *c);
/* Never NULL; faults are said on err and counted. `at` is the node's JSON Pointer. */
struct schema *schema_make(struct compiler *c, const json_t *source, const char *at);
/* One line: file, the line of `node` if it has one, pointer, words. */
void compiler_fault(struct compiler *c, const json_t *node, const char *at, const char *fmt, ...) PRINTF_LIKE(4, 5);

/* Copies a text of the document (NULL stays NULL), or takes a share in one of its nodes: for what is needed after it has been forgotten. */
const char *compiler_keep_text(struct compiler *c, const char *text);
const json_t *compiler_keep_node(struct compiler *c, const json_t *node);

/* ── pointer.c ── */
/* `#` and `#/…` within this document; NULL if it points at nothing. */
const json_t *resolve_ref(const json_t *root, const char *ref);
/* at + "/" + the token, escaped. */
const char *pointer_below(struct arena *arena, const char *at, const char *token);

/* ── pattern.c ── */
pcre2_match_context *pattern_limits(struct arena *arena);
/* False on a fault in the pattern; *ret_offset is where. */
bool pattern_compile(struct arena *arena, const char *text, pcre2_match_context *limits, struct regex *ret, size_t *ret_offset);
/* Bounded: what backtracks for ever on hostile input counts as no match. *match_data is made in the arena when first needed. */
bool pattern_matches(struct arena *arena, pcre2_match_data **match_data, const struct regex *regex, const char *text, size_t len);

/* ── format.c ── */
format_check format_find(const char *name);
bool format_is_known(const char *name);

/* ── equal.c ── */
bool json_same(const struct json_numbers *numbers, const json_t *a, const json_t *b);
/* Index of an item that equals an earlier one, and of that one. */
bool find_duplicate(struct arena *arena, const struct json_numbers *numbers, const json_t *list, size_t *ret_first, size_t *ret_second);

/* ── literal.c: JSON → text for PostgreSQL ── */
/* Strings as they are, numbers as written (whole ones where the contract says integer: 100 for 1e2), arrays of scalars as array literals, else
 * JSON; NULL for null. */
const char *literal_of(struct arena *arena, const struct json_numbers *numbers, const json_t *node, enum json_kind kind,
                       enum json_kind item_kind);
/* {"a","b"}: every item quoted, so that none is read as the word NULL. */
void literal_begin(struct buf *out, struct arena *arena);
void literal_item(struct buf *out, const char *text, size_t len);
const char *literal_end(struct buf *out);

/* ── the contract ── */
struct contract {
    struct arena *arena;
    const char *name; /* of the file, for messages */
    json_t *root;     /* NULL once it has been forgotten */
    const char *title, *version;
    struct schema **schemas;
    size_t n_schemas;
    struct slice yaml;
    char *json; /* made when first asked for */
    pthread_mutex_t json_lock;
    struct operation *operations;
    size_t n_operations;
    struct route_node *routes;
};

/* ── route.c ── */
/* Adds an operation; false with *ret_why when its path cannot be routed. */
bool route_add(struct contract *contract, const struct operation *operation, const char **ret_why);
void route_finish(struct contract *contract); /* the Allow texts */
