/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Questions about a failed result that the connections ask. */
#include <libpq-fe.h>
#include <stdbool.h>

bool sqlstate_is(const PGresult *res, const char *sqlstate);
bool result_is_retryable(const PGresult *res);  /* 40001, 40P01 */
bool result_is_stale_plan(const PGresult *res); /* a prepared statement's columns changed under it */
bool result_is_fatal(const PGresult *res);      /* the connection ended with it */
/* SQLSTATE, constraint and, unless it could quote data, the primary message; never DETAIL, HINT or CONTEXT, which quote rows. */
void log_db_error(const PGresult *res);
