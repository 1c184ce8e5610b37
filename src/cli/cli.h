/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The subcommands of asnd, and what they share. Each returns the process's exit status: 0 fine, 1 it failed (said on stderr), 2 wrong use. */
#include <stdbool.h>
#include <stdio.h>

#include "asnd/contract.h"
#include "asnd/db.h"
#include "asnd/settings.h"
#include "asnd/status.h"

int cli_serve(int argc, char **argv);
int cli_migrate(int argc, char **argv);
int cli_key(int argc, char **argv);
int cli_import(int argc, char **argv);
int cli_check(int argc, char **argv);
int cli_config(int argc, char **argv);

/* What a subcommand works with; fields stay NULL until asked for. */
struct session {
    struct ctx ctx;
    struct settings settings;
    struct contract *contract;
    struct sql_set *set;
    struct db_conn *conn;
};

/* Settings from all sources; leaves other arguments in argv[0..*argc). False: said on stderr. */
NODISCARD bool session_open(struct session *session, int *argc, char **argv);
NODISCARD bool session_load_contract(struct session *session);
NODISCARD bool session_load_statements(struct session *session);
NODISCARD bool session_connect_database(struct session *session);
/* The problem of the ctx on stderr, with its faults. Returns 1, so that a subcommand can return it. */
int session_complain(const struct session *session);
void session_close(struct session *session);
const struct migration *session_migrations(size_t *ret_n);
