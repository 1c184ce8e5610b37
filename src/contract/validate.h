/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* One run of a validator, shared by the files that look at values (check_value.c), at members and items (check_members.c), and at what schemas
 * are composed of (validate.c). */
#include "internal.h"

#include "asnd/buf.h"

struct run {
    struct ctx *ctx; /* NULL: only yes or no */
    const struct json_numbers *numbers;
    struct arena *arena;
    struct buf path; /* JSON Pointer of where we are */
    int silent;      /* > 0: faults are not told */
    int secret;      /* > 0: values are not echoed */
    int depth;
    long steps;
    bool is_exhausted; /* too deep or too much: whatever was found, the answer is no */
    pcre2_match_data *match_data;
};

/* Which members or items of the present instance some subschema has looked at. NULL marks: nobody asks. */
struct seen {
    bool *marks;
    size_t n;
};

static inline bool is_loud(const struct run *r)
{
    return r->ctx && !r->silent;
}

/* Before words that are costly to find: false when nobody listens, or when the list is full and the fault is therefore only counted. */
static inline bool is_worth_words(struct run *r)
{
    if (!is_loud(r))
        return false;
    if (r->ctx->problem.n_faults < PROBLEM_FAULTS_MAX)
        return true;
    r->ctx->problem.n_faults++;
    return false;
}

/* A fault at the present place; NULL when nobody listens or there are too many already. */
#define TELL(r, code, en, id, ...)                                                                                                         \
    (is_loud(r) ? fault_add((r)->ctx, AT_BODY, buf_cstr(&(r)->path), (code), (en), (id), ##__VA_ARGS__) : NULL)

static inline void mark(struct seen *seen, size_t i)
{
    if (seen && seen->marks && i < seen->n)
        seen->marks[i] = true;
}

/* The instance is invalid anyway: let unevaluatedProperties and -Items not complain on top of it. */
static inline void mark_all(struct seen *seen)
{
    for (size_t i = 0; seen && seen->marks && i < seen->n; i++)
        seen->marks[i] = true;
}

/* validate.c */
bool check(struct run *r, const struct schema *s, const json_t *node, struct seen *seen);
/* Moves the path one level down; the length that it had. */
size_t descend(struct run *r, const char *token);
size_t descend_index(struct run *r, size_t index);

/* check_value.c */
unsigned types_of(const struct run *r, const json_t *node);
bool check_type(struct run *r, const struct schema *s, const json_t *node);
bool check_enum(struct run *r, const struct schema *s, const json_t *node);
bool check_const(struct run *r, const struct schema *s, const json_t *node);
bool check_number(struct run *r, const struct schema *s, const json_t *node);
bool check_string(struct run *r, const struct schema *s, const json_t *node);

/* check_members.c */
bool check_array(struct run *r, const struct schema *s, const json_t *node, struct seen *seen);
bool check_object(struct run *r, const struct schema *s, const json_t *node, struct seen *seen);
void tell_unknown_member(struct run *r, const struct schema *s, const char *name);
