/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The contract: openapi.yaml (OpenAPI 3.1, JSON Schema 2020-12) compiled into operations, a router, parameter parsers and validators.
 * Immutable after contract_load and shared by all threads. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <jansson.h>

#include "asnd/macros.h"
#include "asnd/status.h"
#include "asnd/text.h"

struct arena;
struct buf;
struct contract;
struct schema; /* compiled JSON Schema */
struct json_numbers;

enum http_method { HTTP_GET, HTTP_HEAD, HTTP_POST, HTTP_PUT, HTTP_PATCH, HTTP_DELETE, HTTP_OPTIONS, HTTP_METHOD_UNKNOWN };
const char *http_method_name(enum http_method method);
enum http_method http_method_parse(const char *name); /* case-sensitive, as RFC 9110 says */

/* What kind of JSON value a schema admits, as one word, for binding and for holding statements against the contract. */
enum json_kind { KIND_ANY, KIND_STRING, KIND_INTEGER, KIND_NUMBER, KIND_BOOLEAN, KIND_ARRAY, KIND_OBJECT };

/* x-mask: in lists so many characters at both ends are shown, and stars between. */
struct mask {
    bool is_set;
    short first, last;
};

struct property_spec {
    const char *name;
    const struct schema *schema;
    enum json_kind kind;
    enum json_kind item_kind; /* of an array's items */
    const char *format;       /* "date", "uuid", … or NULL */
    bool nullable;
    bool required;
    bool read_only;
    const char *scope;  /* x-scope: only callers that hold it see this member in a reply, and may give it in a body; NULL: everybody */
    bool is_sensitive;  /* x-sensitive: whoever is shown it leaves an entry in the audit */
    const char *sealed; /* x-sealed: clients get and give it as an opaque token of this sort; NULL: as it is */
    struct mask mask;
};

enum param_in { IN_PATH, IN_QUERY, IN_HEADER };

struct param_spec {
    const char *name;      /* as the contract spells it: `If-Match`, `unit_id` */
    const char *bind_name; /* lower case, dashes to underscores: `if_match`; what :name in a statement means */
    enum param_in in;
    bool required;
    bool explode; /* arrays: ?a=1&a=2 when true (form default), ?a=1,2 when false; false outside the query */
    struct property_spec type;
    const char *description;
    const char *default_text; /* text form of the schema's default, or NULL */
};

struct media_spec {
    const char *type; /* "application/json" */
    const struct schema *schema;
};

/* One `METHOD path` entry. All pointers live as long as the contract. */
struct operation {
    const char *id; /* operationId */
    size_t index;   /* 0..n-1, for tables beside the contract */
    enum http_method method;
    const char *path; /* the template: /v1/asn/{nip} */
    const char *summary;
    const char *place; /* "openapi.yaml:123" where the operation begins */

    const struct param_spec *params;
    size_t n_params;

    bool has_body;
    bool body_required;
    const struct media_spec *bodies;
    size_t n_bodies;
    const struct property_spec *body_members; /* of the first JSON body's object schema, allOf merged; n = 0 if none */
    size_t n_body_members;
    int64_t body_limit;             /* x-body-limit, 0: the setting */
    const char *body_limit_setting; /* x-body-limit-setting: another setting, by its name; NULL: none */

    int success;                    /* the lowest 2xx of its responses */
    const char *const *reply_types; /* media types of that response, in order; n = 0: no content */
    size_t n_reply_types;
    const struct schema *reply_schema;         /* of its application/json, or NULL */
    bool is_list;                              /* that schema has a `data` array: the rows are its items */
    const struct property_spec *reply_members; /* members of one row (of the object itself if no list) */
    size_t n_reply_members;
    const char *location; /* x-location: a template such as /v1/asn/{nip} filled from the row, or NULL */

    bool is_public;            /* `security: []` */
    const char *const *scopes; /* all of them are needed */
    size_t n_scopes;
    const char *const *more_scopes; /* x-more-scopes: not needed, but the statement gives more to who holds them */
    size_t n_more_scopes;

    int timeout_ms;    /* x-timeout-ms, 0: the setting */
    bool retry_safe;   /* x-retry: serialization failures and deadlocks may be run again */
    const json_t *raw; /* the operation object, $refs unresolved: for what else a room wants to read */
};

/* Loads and checks the contract. `name` is for messages ("openapi.yaml"). On a fault writes one line per fault to `err`
 * ("openapi.yaml:123: #/paths/…: unsupported keyword \"dependentSchemas\"") and returns NULL. Registers x-problems and
 * x-constraints with the catalogue of status.h. Formats are those of format_register and the built-in ones. The text must live as long as
 * the contract. */
struct contract *contract_load(const char *yaml, size_t len, const char *name, FILE *err);
void contract_free(struct contract *contract);

/* Frees the document once nobody wants to read it any more: two thirds of a contract's memory. What has been compiled stays; the root, the
 * sources of schemas, `raw` of operations and descriptions of parameters are NULL from then on. Before other threads know the contract. */
void contract_forget_document(struct contract *contract);
/* The same contract once more with its document, for a reader that comes later; by any thread. Free with contract_free. Never NULL. */
struct contract *contract_reload(const struct contract *contract);

const struct operation *contract_operations(const struct contract *contract, size_t *ret_n);
const struct operation *contract_find(const struct contract *contract, const char *operation_id);
/* The source, and the same as JSON (made when first asked for, by any thread): what /openapi.yaml and /openapi.json serve. */
struct slice contract_yaml(const struct contract *contract);
struct slice contract_json(struct contract *contract);
/* Of `info`; NULL if it is not there. */
const char *contract_title(const struct contract *contract);
const char *contract_version(const struct contract *contract);
const json_t *contract_root(const struct contract *contract);

/* For those who describe the contract. A schema as it is written there: */
const json_t *schema_source(const struct schema *schema);
/* What such a schema says by a keyword, itself or in what it refers to, is composed of, or is besides null. NULL if nothing. */
const json_t *contract_keyword(const struct contract *contract, const json_t *schema, const char *keyword);

/* ── routing ── */
#define ROUTE_PARAMS_MAX 8
struct route {
    const struct operation *operation;          /* NULL when the path is known but not the method */
    struct slice path_values[ROUTE_PARAMS_MAX]; /* raw (still percent-encoded), in the order of the template */
    size_t n_path_values;
    const char *allow; /* "GET, HEAD, PATCH, OPTIONS" of that path; NULL when the path is unknown */
};
/* `path` is the raw target up to `?`. Literal segments win over parameters. HEAD finds the GET operation. Dot segments and empty
 * segments match nothing. True when the path is known. */
bool contract_route(const struct contract *contract, enum http_method method, struct slice path, struct route *ret);

/* ── one request's input ── */
struct value {
    bool is_present; /* given by the client, or a default */
    bool is_default;
    bool is_null; /* body members only */
    /* Text as PostgreSQL reads it: strings as they are, numbers exactly as written (where the contract says integer: digits only, 100 for
     * 1e2), true/false, arrays of scalars as array literals, objects and other arrays as JSON text. NUL-terminated; NULL when absent or
     * null. */
    const char *text;
    size_t len;
};

struct params {
    const struct operation *operation;
    struct value *values;  /* one per operation->params[] */
    struct value *members; /* one per operation->body_members[] */
    json_t *body;          /* parsed JSON body or NULL; owned by the arena (cleanup registered) */
    const struct json_numbers *numbers;
    struct slice raw_body;
    struct derived *derived; /* added by a rule: params_derive */
};

typedef const char *(*header_getter)(void *cls, const char *name, size_t *ret_count); /* value of the first; how many there are */

/* Parses and checks path, query and header parameters into `ret`. Every fault is added to ctx (unknown parameter with its nearest
 * known name, given twice, empty, missing, wrong type or limits, all at once) and then ST_BAD_REQUEST "parameter-invalid" is
 * returned, except: a path value that fits no schema is ST_NOT_FOUND "not-found"; a missing required If-Match is
 * ST_PRECONDITION_REQUIRED when nothing else is wrong. */
NODISCARD enum status params_parse(struct ctx *ctx, const struct operation *operation, const struct route *route, struct slice query,
                                   header_getter header, void *header_cls, struct params *ret);

/* Parses a JSON body (UTF-8, no NUL, no duplicate members, depth ≤ 64, exact numbers) and validates it against the operation's
 * schema. ST_BAD_REQUEST "bad-json" names line and column and tells curl's trap of lost newlines; ST_INVALID "invalid" carries all
 * faults with JSON Pointers. An absent body on an operation that needs one is ST_BAD_REQUEST. */
NODISCARD enum status params_parse_body(struct ctx *ctx, struct slice body, struct params *ret);

/* A value by bind name: parameters first, then body members, then derived ones. NULL if the operation has no such name. */
const struct value *params_find(const struct params *params, const char *bind_name);
/* Its text, or NULL. */
const char *params_text(const struct params *params, const char *bind_name);
/* Adds (or replaces) a value that a rule derived, under a bind name of its own; text NULL means SQL null; text is not copied. */
void params_derive(struct ctx *ctx, struct params *params, const char *bind_name, const char *text);

/* ── schemas ── */
/* Compiles a schema that stands alone (tests, the JSON Schema Test Suite). NULL with a line on err if a keyword is not supported. */
struct schema *schema_compile(struct arena *arena, const json_t *schema, const char *name, FILE *err);
/* True if the instance is valid. Faults are added to ctx as AT_BODY with pointers that begin with `prefix` (ctx NULL: stop at the first). */
bool schema_validate(struct ctx *ctx, const struct schema *schema, const json_t *instance, const struct json_numbers *numbers,
                     const char *prefix);

/* `format: name` → a pure check of a string. On failure the function may point *ret_en and *ret_id at a reason. Call before load. */
typedef bool (*format_check)(const char *text, size_t len, const char **ret_en, const char **ret_id);
void format_register(const char *name, format_check check);
