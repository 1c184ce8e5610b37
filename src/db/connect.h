/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Session set-up that pipelined and blocking connections share. */
#include <libpq-fe.h>
#include <stdbool.h>

struct db_config;

#define SERVER_VERSION_MIN 150000
#define CONNECT_TIMEOUT_S  5
/* By so much longer than a statement may last a server may be silent. */
#define SILENCE_MARGIN_MS 5000

/* PQconnectdbParams or PQconnectStartParams. */
typedef PGconn *(*connect_fn)(const char *const *keywords, const char *const *values, int expand_dbname);

/* Connects with what db.h promises of every session; NULL only without memory. */
PGconn *connection_open(const struct db_config *config, connect_fn connect);
/* One log line about a connection that could not be made or is too old. */
void session_log_failure(const PGconn *pg, const char *application_name);
