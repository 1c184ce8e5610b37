/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The subcommands of asnd, and what they share. Each returns the process's exit status: 0 fine, 1 it failed (said on stderr), 2 wrong use. */
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>

#include "asnd/contract.h"
#include "asnd/db.h"
#include "asnd/matrix.h"
#include "asnd/settings.h"
#include "asnd/status.h"

struct vault;

int cli_serve(int argc, char **argv);
int cli_migrate(int argc, char **argv);
int cli_key(int argc, char **argv);
int cli_import(int argc, char **argv);
int cli_check(int argc, char **argv);
int cli_documents(int argc, char **argv);
int cli_certificate(int argc, char **argv);
int cli_evaluate(int argc, char **argv);
int cli_config(int argc, char **argv);
int cli_audit(int argc, char **argv);
int cli_self_test(int argc, char **argv);
int cli_access(int argc, char **argv);
int cli_retention(int argc, char **argv);
int cli_column_keys(int argc, char **argv);

/* The subcommand that runs: what the audit calls the operation. */
extern const char *cli_subcommand;

/* What a subcommand works with; fields stay NULL until asked for. */
struct session {
    struct ctx ctx;
    struct settings settings;
    struct slice contract_text;
    const char *contract_name;
    struct contract *contract;
    struct slice matrix_text;
    const char *matrix_name;
    struct matrix *matrix;
    pthread_t contract_thread;
    struct sql_set *set;
    struct db_conn *conn;
};

/* Settings from all sources; leaves other arguments in argv[0..*argc). False: said on stderr. */
NODISCARD bool session_open(struct session *session, int *argc, char **argv);
NODISCARD bool session_load_contract(struct session *session);
/* The same in a thread of its own, for who has something else to do meanwhile. Each begin that was true needs its end. */
NODISCARD bool session_begin_contract(struct session *session);
NODISCARD bool session_end_contract(struct session *session);
NODISCARD bool session_load_statements(struct session *session);
NODISCARD bool session_connect_database(struct session *session);
enum check_depth {
    CHECK_PROGRAM, /* what needs no database */
    CHECK_PARTS,   /* each statement bare, with each of its parts, and with all */
    CHECK_ALL,     /* every combination of parts */
};
/* Contract, bindings, statements and schema held against each other (engine_check), over the session's connection and one more. */
NODISCARD bool session_check(struct session *session, enum check_depth depth);
/* What an earlier start has found right. Texts of the session's arena; NULL: not to be had. */
struct checked {
    const char *program, *catalog;
};
/* Whether all of this program's statements have been prepared against the catalog as it is now; contract and statements must be loaded. */
NODISCARD bool session_find_checked(struct session *session, struct checked *ret);
/* After CHECK_PARTS or more: so that the next start finds it. */
void session_note_checked(struct session *session, const struct checked *checked);
/* What no type says of a setting; false: said on err. */
NODISCARD bool session_accepts(const struct settings *settings, FILE *err);
/* Which keys of a vault are other ones than this database was written under: their names with commas between, or NULL. With `notes` those that it does not know
 * yet are noted, unless one is wrong. */
NODISCARD enum status same_keys(struct ctx *ctx, struct db_conn *conn, const struct sql_set *set, const struct vault *vault, bool notes,
                                const char **ret_wrong);
#define SAME_KEYS_REFUSAL                                                                                                                  \
    "asnd: column_keys_file is not the one that this database was written under: of the same name and another content are %s. Put the "    \
    "right file back.\n"
/* Of the session's keys, its statements loaded and its database connected; false (said on stderr): one is wrong, or it could not be asked. */
NODISCARD bool session_same_keys(struct session *session, bool notes);
/* A whole file in the arena, NUL-terminated; false (said on err) if it cannot be read. */
NODISCARD bool session_read_file(struct arena *arena, const char *path, struct slice *ret, FILE *err);
/* The problem of the ctx on stderr, with its faults. Returns 1, so that a subcommand can return it. */
int session_complain(const struct session *session);
void session_close(struct session *session);
/* Reading everything again while it is served; the flags are those that the start was given. */
struct engine;
void reload_note_flags(int argc, char **argv);
void reload_begin_counting(void);
void reload(const struct session *session, struct engine *engine);
/* Weak settings, files, keys and database, one line each on stdout. The exit status: 1 if there are any, or the database cannot be asked. */
int security_check(struct session *session);
const struct migration *session_migrations(size_t *ret_n);
/* Some 3 MB of contract, SQL and migrations have been read and are seldom read again: the kernel may have their pages back, and brings them from the file when somebody asks. */
void session_leave_texts(void);
