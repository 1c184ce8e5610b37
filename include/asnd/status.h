/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* How things fail: one status type, one problem slot per request, and one catalogue of problem codes.
 *
 * The first function that understands a failure words it: `return fail(ctx, ST_CONFLICT, "nip-taken", "…", "…")`.
 * Callers pass the status up unlogged and unreworded; only http/reply.c turns it into application/problem+json (RFC 9457). */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "asnd/macros.h"

struct arena;
struct actor;
struct buf;

/* ST_OK is 0; the others come from status.def: ST_<NAME>, HTTP status. */
enum status {
    ST_OK = 0,
#define STATUS(name, http) ST_##name,
#include "asnd/status.def"
#undef STATUS
};

enum lang { LANG_ID = 0, LANG_EN = 1 };

/* Where in the request a fault lies. */
enum fault_at {
    AT_BODY,      /* where = JSON Pointer into the body ("" is the whole) */
    AT_PARAMETER, /* where = the parameter's name as the contract spells it (path, query or header) */
    AT_ROW,       /* where = column name or NULL; line = line of the file */
};

struct fault {
    enum fault_at at;
    const char *where;
    int64_t line; /* AT_ROW only, from 1 */
    const char *code;
    const char *detail;
    const char *value;      /* the offending value, or NULL; never a secret */
    const char *suggestion; /* a repaired value or a nearest known name, or NULL */
    const char *pattern;    /* the regular expression that the value does not match, for programs; `detail` says it to people. Or NULL */
    struct fault *next;
};

#define PROBLEM_FAULTS_MAX 100

struct problem {
    enum status status;
    const char *code;   /* stable, in the catalogue */
    const char *detail; /* worded in ctx->lang */
    struct fault *first_fault;
    struct fault *last_fault;
    int n_faults;      /* all that were found; only the first PROBLEM_FAULTS_MAX are kept */
    int retry_after_s; /* 0: none */
    const char *allow; /* the Allow header of a 405, or NULL */
};

/* What one request or job knows of itself; passed first everywhere. Its strings live in its arena. */
struct ctx {
    struct arena *arena;
    enum lang lang;
    const char *request_id;
    const struct actor *actor; /* NULL until authenticated */
    int64_t deadline_ms;       /* monotonic; 0: none */
    struct problem problem;
};

/* Stores the problem and returns `status`, so that `return fail(…)` reads as one thing. Both wordings take the same arguments.
 * An earlier problem is overwritten, its faults are kept. `code` must be in the catalogue (debug builds assert it). */
enum status fail(struct ctx *ctx, enum status status, const char *code, const char *en, const char *id, ...) PRINTF_LIKE(4, 6)
    PRINTF_LIKE(5, 6);

/* Adds one fault to the problem being collected; `where` and the texts are copied. Returns the fault (for value, suggestion, line)
 * or NULL when the list is full. */
struct fault *fault_add(struct ctx *ctx, enum fault_at at, const char *where, const char *code, const char *en, const char *id, ...)
    PRINTF_LIKE(5, 7) PRINTF_LIKE(6, 7);

/* Forgets problem and faults: before a retry. */
void problem_clear(struct ctx *ctx);

int status_http(enum status status);
const char *status_name(enum status status);
/* The status that answers with this HTTP code, or ST_INTERNAL. */
enum status status_from_http(int http);

/* The catalogue: built-in codes (problem.def) and those that the contract adds at start. Read-only once serving. */
struct problem_entry {
    const char *code;
    enum status status;
    const char *title_en;
    const char *title_id;
};
const struct problem_entry *problem_find(const char *code);
/* Texts must outlive the process (contract arena). False if the code is there already with another status. */
bool problem_register(const struct problem_entry *entry);
/* Named database constraints → problem code and the JSON Pointer it speaks of (from the contract's x-constraints). */
struct constraint_entry {
    const char *constraint;
    const char *code;
    const char *pointer; /* "" if none */
};
const struct constraint_entry *problem_find_constraint(const char *constraint);
bool problem_register_constraint(const struct constraint_entry *entry);
/* Walks the catalogue in order of code; for documentation and checks. */
void problem_each(void (*fn)(void *cls, const struct problem_entry *entry), void *cls);

/* The whole problem as an RFC 9457 object: type ("/docs#CODE"), title, status, detail, instance, code, errors[], request_id.
 * `instance` is the request's path without query, or NULL. */
void problem_write(struct buf *out, const struct ctx *ctx, const char *instance);
