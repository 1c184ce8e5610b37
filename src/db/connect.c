/* SPDX-License-Identifier: Apache-2.0 */
/* What every session is set to, sent with the connection's start so that it costs no round trip and survives PQreset. */
#include "connect.h"

#include <stdlib.h>
#include <string.h>

#include "asnd/buf.h"
#include "asnd/db.h"
#include "asnd/log.h"

/* The operator's own server options (from the connection string, else from PGOPTIONS) come first, so that ours, which the rest of the
 * program relies on, win. */
static void put_own_options(struct buf *out, const char *conninfo)
{
    PQconninfoOption *parsed = PQconninfoParse(conninfo, NULL);
    const char *own = NULL;

    for (const PQconninfoOption *o = parsed; o != NULL && o->keyword != NULL; o++)
        if (strcmp(o->keyword, "options") == 0)
            own = o->val;
    if (own == NULL)
        own = getenv("PGOPTIONS");
    if (own != NULL)
        buf_printf(out, "%s ", own);
    PQconninfoFree(parsed);
}

static void ignore_notice(void *cls UNUSED, const PGresult *res UNUSED)
{
}

PGconn *connection_open(const struct db_config *config, connect_fn connect)
{
    char user_timeout[16], connect_timeout[16];
    struct buf options;

    buf_init(&options, NULL, 512);
    put_own_options(&options, config->conninfo);
    /* Compiling a plan takes longer than any of our statements may: an import of six units took 25 s with jit. */
    buf_printf(&options,
               "-c DateStyle=ISO,YMD -c TimeZone=UTC -c IntervalStyle=iso_8601 -c bytea_output=hex -c extra_float_digits=1"
               " -c standard_conforming_strings=on -c default_transaction_isolation=read\\ committed -c statement_timeout=%d"
               " -c jit=off -c asnd.utc_offset_minutes=%d",
               config->statement_timeout_ms, config->utc_offset_minutes);
    /* A peer that has vanished must be noticed by the kernel at about the time at which a statement would have ended. */
    snprintf(user_timeout, sizeof user_timeout, "%d", config->statement_timeout_ms + 5000);
    snprintf(connect_timeout, sizeof connect_timeout, "%d", CONNECT_TIMEOUT_S);
    /* Later ones win: what stands before dbname are defaults that the connection string may change. */
    const struct {
        const char *keyword, *value;
    } params[] = {
        {"keepalives", "1"},
        {"keepalives_idle", "15"},
        {"keepalives_interval", "5"},
        {"keepalives_count", "3"},
        {"tcp_user_timeout", user_timeout},
        {"connect_timeout", connect_timeout},
        {"fallback_application_name", config->application_name},
        {"target_session_attrs", config->session_attrs}, /* libpq passes over what is NULL */
        {"dbname", config->conninfo},
        {"client_encoding", "UTF8"},
        {"options", buf_cstr(&options)},
    };
    const char *keywords[ARRAY_LEN(params) + 1] = {0}, *values[ARRAY_LEN(params) + 1] = {0};
    for (size_t i = 0; i < ARRAY_LEN(params); i++) {
        keywords[i] = params[i].keyword;
        values[i] = params[i].value;
    }
    PGconn *pg = connect(keywords, values, 1);
    buf_done(&options);
    if (pg != NULL)
        PQsetNoticeReceiver(pg, ignore_notice, NULL); /* libpq would print them */
    return pg;
}

void session_log_failure(const PGconn *pg, const char *application_name)
{
    const char *reason = pg ? PQerrorMessage(pg) : "out of memory";
    char first_line[200];

    if (pg != NULL && PQstatus(pg) == CONNECTION_OK && PQserverVersion(pg) < SERVER_VERSION_MIN)
        reason = "the server is older than PostgreSQL 15";
    snprintf(first_line, sizeof first_line, "%.*s", (int)strcspn(reason, "\n"), reason);
    log_line(LOG_ERROR_, "database-connect-failed", LOG_TEXT("application", application_name), LOG_TEXT("reason", first_line));
}
