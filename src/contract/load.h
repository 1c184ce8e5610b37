/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Loading a contract: what its files share. Faults are collected on l->c, so that one run of `asnd check` shows them all. */
#include "internal.h"

/* A value that the contract shows as an example or default, and the schema that it must fit. Held against it at the end. */
struct shown_value {
    struct shown_value *next;
    const json_t *value;
    const struct schema *schema;
    const char *at;
};

struct loader {
    struct compiler c;
    struct contract *contract;
    const char *at; /* JSON Pointer of the operation being read */
    struct shown_value *shown;
};

/* load.c */
const json_t *deref(struct loader *l, const json_t *node); /* NULL if it points at nothing, which load_document.c tells */
const char *text_of(const json_t *node, const char *name);
/* Every key must be one of `known` (NULL at the end) or begin with x-. */
void check_keys(struct loader *l, const json_t *node, const char *at, const char *const *known);

/* load_members.c */
struct property_spec property_of(const char *name, const struct schema *schema, bool required);
/* Members of an object schema, through references and allOf, in the order in which they are read. */
const struct property_spec *members_of(struct loader *l, const struct schema *s, size_t *ret_n);
/* Schema of an array's items, or NULL. */
const struct schema *items_of(const struct schema *s);
const json_t *default_of(const struct schema *s);

/* load_params.c */
void take_params(struct loader *l, struct operation *op, const json_t *shared);

/* load_media.c */
void take_body(struct loader *l, struct operation *op);
void take_replies(struct loader *l, struct operation *op);
/* `example` and `examples` of a parameter or media type, to be held against its schema. */
void show_examples(struct loader *l, const json_t *node, const struct schema *schema, const char *at);

/* load_document.c: what concerns the document as a whole */
void check_document(struct loader *l);
void check_shown_values(struct loader *l);
void take_problems(struct loader *l);
