/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* An operation is one entry of the contract, one SQL statement and, only where there is a rule, one C function. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "asnd/auth.h"
#include "asnd/contract.h"
#include "asnd/db.h"
#include "asnd/macros.h"
#include "asnd/settings.h"
#include "asnd/status.h"
#include "asnd/stream.h"

struct buf;
struct engine;
struct reading;

/* One more header of the answer, be it a success or a refusal. */
struct outcome_header {
    const char *name, *value;
    struct outcome_header *next;
};

/* What a command answers with. Made by command_reply; a command may also fill it by hand. */
struct outcome {
    int http_status; /* 0: the contract's success status */
    const char *content_type;
    const char *etag;
    const char *location;
    struct buf *body;
    int64_t length; /* of a reply without `body`: bytes that a stream writes, or that HEAD and 304 only announce; 0: not known before */
    struct outcome_header *headers;
    const struct reading *reading; /* the engine's: what of the body is sensitive */
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
    bool is_head;
    const struct import_kind *import; /* the binding's */
    struct outcome *outcome;
};
typedef enum status (*stream_fn)(struct ctx *ctx, struct engine *engine, struct db_conn *txn, struct params *in, struct stream_io *io);

void outcome_header(struct ctx *ctx, struct outcome *out, const char *name, const char *value);

/* A token of this sort (x-sealed) for a text, as replies show it. */
const char *engine_seal(const struct engine *engine, struct arena *arena, const char *sort, const char *text);

/* If-None-Match (RFC 9110, 13.1.2): whether `*` or any tag of the list is this one; W/ does not matter. */
bool etag_matches(const char *if_none_match, const char *etag);

/* Which part of `size` bytes a Range header asks for (RFC 9110, 14.1 and 14.2). What is no range of bytes, and several at once, asks for the whole. */
enum range_wish { RANGE_WHOLE, RANGE_PART, RANGE_NONE /* it begins behind the end */ };
struct range {
    int64_t first, len;
};
enum range_wish range_read(const char *header, int64_t size, struct range *ret);
/* The head of a reply that is these `size` bytes for ever: answers If-None-Match, Range and If-Range, if the operation declares them, and HEAD. The
 * caller writes what *ret says; len 0: nothing. ST_RANGE_NOT_SATISFIABLE. */
NODISCARD enum status stream_head(struct ctx *ctx, const struct params *in, struct stream_io *io, const char *etag,
                                  const char *content_type, int64_t size, struct range *ret);

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
/* Who sends a file, for a stream that reads one; what the texts point at lives as long as ctx. */
NODISCARD enum status import_find_sender(struct ctx *ctx, struct engine *engine, struct db_conn *txn, struct params *in,
                                         struct import_sender *ret);
bool media_is_ndjson(const char *content_type);
/* undoImport: import_undo() by whoever calls. */
NODISCARD enum status cmd_undo_import(struct ctx *ctx, struct engine *engine, struct db_conn *txn, struct params *in, struct outcome *out);
/* Runs a named statement with binds taken from `in` (parameters, members, derived, actor, page) and the engine's own, and fills `out` from its row as
 * the contract says: the last line of most commands. A `_problem` column or no row at all is the refusal it names. */
NODISCARD enum status command_reply(struct ctx *ctx, struct engine *engine, struct db_conn *txn, struct params *in, const char *statement,
                                    struct outcome *out);
/* Runs a named statement with the same binds; rows to *ret (at least one, else ST_NOT_FOUND when must_exist). `_problem` is honoured. */
NODISCARD enum status command_query(struct ctx *ctx, struct engine *engine, struct db_conn *txn, struct params *in, const char *statement,
                                    bool must_exist, PGresult **ret);
/* What a statement of this command would be given by that name, such as `today`; NULL: nothing. */
const char *command_text(struct ctx *ctx, struct params *in, const char *name);
/* The one row of a block `subject.…`: where the subject of an operation stands to a caller. */
struct standing standing_of(struct arena *arena, const PGresult *res);
const struct sql_set *engine_statements(const struct engine *engine);
const struct settings *engine_settings(const struct engine *engine);
/* Other settings for a running engine (those that need a restart as they were), the certificate's files and the provider's keys anew. Whether all of it can be had, and why
 * not; then it is taken. The settings must stay as long as the process. */
struct tls_pair;
NODISCARD bool engine_check_renewal(const struct engine *engine, const struct settings *fresh, struct tls_pair **ret_pair,
                                    const char **ret_why);
void engine_renew(struct engine *engine, const struct settings *fresh, struct tls_pair *pair);
const struct contract *engine_contract(const struct engine *engine);
const struct matrix *engine_matrix(const struct engine *engine);

/* ── the running engine ── */
/* Joins contract, matrix, statements and bindings; NULL with lines on err when they do not fit. Takes references only: all must outlive it. The
 * contract has forgotten its document then. */
struct engine *engine_new(const struct settings *settings, struct contract *contract, const struct matrix *matrix,
                          const struct sql_set *set, const struct binding *bindings, const uint8_t cursor_secret[32], FILE *err);
/* Before the start: callers are held to their units a second time, by the server. */
void engine_hold_units(struct engine *engine);
/* Before the start: take connections from this listening socket, which is somebody else's, instead of listen and port. */
void engine_inherit(struct engine *engine, int fd);
/* Starts workers and loops and listens, and is back when each loop takes connections: when its database is there, or after a second without.
 * False (logged) when the address cannot be had. */
NODISCARD bool engine_start(struct engine *engine);
int engine_port(const struct engine *engine);
/* Whether every loop has turned since the last time this was asked: what a watchdog wants to know. */
bool engine_turns(struct engine *engine);
/* Readiness goes 503, and each reply ends its connection; requests are still taken. */
void engine_set_stopping(struct engine *engine);
/* No new connections; what runs may end. */
void engine_drain(struct engine *engine);
bool engine_is_idle(const struct engine *engine);
/* Cuts what is left, waits for all threads. */
void engine_stop(struct engine *engine);
void engine_free(struct engine *engine);

/* Holds contract, bindings, statements (each variant prepared against the migrated schema) and result columns against each other. One
 * line per mismatch to `err`; true when there is none. The connections share the work; with none of them only what needs no database is
 * looked at. With `all_variants` every combination of optional parts is prepared; otherwise none, each alone, and all together. */
bool engine_check(const struct contract *contract, const struct matrix *matrix, const struct sql_set *set, const struct binding *bindings,
                  struct db_conn *const conns[], size_t n_conns, bool all_variants, FILE *err);
