/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* An operation is one entry of the contract, one SQL statement and, only where there is a rule, one C function. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "asnd/contract.h"
#include "asnd/db.h"
#include "asnd/macros.h"
#include "asnd/settings.h"
#include "asnd/status.h"
#include "asnd/stream.h"

struct buf;
struct engine;

/* What a command answers with. Made by command_reply; a command may also fill it by hand. */
struct outcome {
    int http_status; /* 0: the contract's success status */
    const char *content_type;
    const char *etag;
    const char *location;
    struct buf *body;
};

/* A pure rule before the statement: refuses (fail) or derives further binds (params_derive). No I/O: it may run on the event loop. */
typedef enum status (*check_fn)(struct ctx *ctx, struct params *in);
/* A rule between statements, inside one transaction that the engine opens, commits and retries. Must not answer or store anything
 * outside the database. */
typedef enum status (*command_fn)(struct ctx *ctx, struct engine *engine, struct db_conn *txn, struct params *in, struct outcome *out);
/* Reads the request's body and/or writes the reply as bytes, inside one transaction that is committed when it returns ST_OK. What it
 * writes by `out` leaves at once when streams_reply is set; otherwise it fills `outcome`. */
struct stream_io {
    read_fn read;
    write_fn
        write; /* the reply's body; the first write sends the head. Only after the request's body has been read to its end: its client may
                     * read nothing before, and both would wait for ever */
    void *cls;
    const char *content_type; /* of the request's body */
    const char *accept;       /* the reply's chosen media type */
    bool dry_run;
    const struct import_kind *import; /* the binding's */
    struct outcome *outcome;
};
typedef enum status (*stream_fn)(struct ctx *ctx, struct engine *engine, struct db_conn *txn, struct params *in, struct stream_io *io);

/* One row an operation that needs C. An operationId without a row is a query: the statement of the same name. */
struct binding {
    const char *operation_id;
    const char *derives; /* bind names that the check derives, separated by spaces, or NULL */
    check_fn check;
    command_fn command; /* at most one of command and stream */
    stream_fn stream;
    const struct import_kind *import; /* what stream_import takes in, or NULL */
};
/* All domains' rows, ended by a NULL operation_id: src/cli/bindings.c. */
extern const struct binding asnd_bindings[];

/* An import as an operation: the body is the file; the reply is the report, or the refused rows when text/csv or application/x-ndjson is
 * accepted. */
NODISCARD enum status stream_import(struct ctx *ctx, struct engine *engine, struct db_conn *txn, struct params *in, struct stream_io *io);
/* The refused rows that an import of any kind kept. */
NODISCARD enum status stream_import_rejects(struct ctx *ctx, struct engine *engine, struct db_conn *txn, struct params *in,
                                            struct stream_io *io);
/* Runs a named statement with binds taken from `in` (parameters, members, derived, actor, page) and the engine's own, and fills `out` from its row as
 * the contract says: the last line of most commands. A `_problem` column or no row at all is the refusal it names. */
NODISCARD enum status command_reply(struct ctx *ctx, struct engine *engine, struct db_conn *txn, struct params *in, const char *statement,
                                    struct outcome *out);
/* Runs a named statement with the same binds; rows to *ret (at least one, else ST_NOT_FOUND when must_exist). `_problem` is honoured. */
NODISCARD enum status command_query(struct ctx *ctx, struct engine *engine, struct db_conn *txn, struct params *in, const char *statement,
                                    bool must_exist, PGresult **ret);
const struct sql_set *engine_statements(const struct engine *engine);
const struct settings *engine_settings(const struct engine *engine);

/* ── the running engine ── */
/* Joins contract, statements and bindings; NULL with lines on err when they do not fit. Takes references only: all must outlive it. */
struct engine *engine_new(const struct settings *settings, struct contract *contract, const struct sql_set *set,
                          const struct binding *bindings, const uint8_t cursor_secret[32], FILE *err);
/* Starts workers and loops and listens; false (logged) when the address cannot be had. */
NODISCARD bool engine_start(struct engine *engine);
int engine_port(const struct engine *engine);
/* Readiness goes 503; requests are still taken. */
void engine_set_stopping(struct engine *engine);
/* No new connections; what runs may end. */
void engine_drain(struct engine *engine);
bool engine_is_idle(const struct engine *engine);
/* Cuts what is left, waits for all threads. */
void engine_stop(struct engine *engine);
void engine_free(struct engine *engine);

/* Holds contract, bindings, statements (each variant prepared against the migrated schema) and result columns against each other. One
 * line per mismatch to `err`; true when there is none. `conn` NULL: only what needs no database. With `all_variants` every
 * combination of optional parts is prepared; otherwise none, each alone, and all together. */
bool engine_check(const struct contract *contract, const struct sql_set *set, const struct binding *bindings, struct db_conn *conn,
                  bool all_variants, FILE *err);
