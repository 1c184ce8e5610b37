/* SPDX-License-Identifier: Apache-2.0 */
/* What a server error means to a caller. Only constraint names, through the catalogue, choose words; no text of PostgreSQL's ever
 * reaches a client. */
#include "sqlstate.h"

#include <stdio.h>
#include <string.h>

#include "asnd/db.h"
#include "asnd/log.h"

/* A class (two characters) holds for what is not listed in full; the longest match wins. */
static const struct {
    const char *sqlstate;
    enum status status;
} meanings
    [] =
        {
            {"08", ST_UNAVAILABLE},    {"22", ST_INVALID},
            {"23", ST_INVALID},        {"23001", ST_CONFLICT}, /* restrict_violation */
            {"23505", ST_CONFLICT},    {"23P01", ST_CONFLICT},
            {"25006", ST_UNAVAILABLE}, /* read_only_sql_transaction: connected to a standby during a switch-over */
            {"25P03", ST_UNAVAILABLE}, /* idle_in_transaction_session_timeout */
            {"40001", ST_RETRY},       {"40P01", ST_RETRY},
            {"53", ST_UNAVAILABLE},    {"55P03", ST_UNAVAILABLE}, /* lock_not_available */
            {"57014", ST_TIMEOUT},     {"57P", ST_UNAVAILABLE},
};

enum status sqlstate_status(const char *sqlstate)
{
    enum status status = ST_INTERNAL;
    size_t best = 0;

    for (size_t i = 0; sqlstate != NULL && i < ARRAY_LEN(meanings); i++) {
        size_t len = strlen(meanings[i].sqlstate);
        if (len > best && strncmp(sqlstate, meanings[i].sqlstate, len) == 0) {
            status = meanings[i].status;
            best = len;
        }
    }
    return status;
}

static const char *field(const PGresult *res, int code)
{
    return res ? PQresultErrorField(res, code) : NULL;
}

bool sqlstate_is(const PGresult *res, const char *sqlstate)
{
    const char *actual = field(res, PG_DIAG_SQLSTATE);

    return actual != NULL && strcmp(actual, sqlstate) == 0;
}

bool result_is_retryable(const PGresult *res)
{
    return sqlstate_status(field(res, PG_DIAG_SQLSTATE)) == ST_RETRY;
}

/* "cached plan must not change result type" shares its SQLSTATE with other refusals; the place in the server tells it apart. */
bool result_is_stale_plan(const PGresult *res)
{
    const char *function = field(res, PG_DIAG_SOURCE_FUNCTION);

    return sqlstate_is(res, "0A000") && function != NULL && strcmp(function, "RevalidateCachedQuery") == 0;
}

/* An error without SQLSTATE is libpq's own: it has lost the connection. */
bool result_is_fatal(const PGresult *res)
{
    const char *severity = field(res, PG_DIAG_SEVERITY_NONLOCALIZED);

    return field(res, PG_DIAG_SQLSTATE) == NULL || (severity != NULL && (strcmp(severity, "FATAL") == 0 || strcmp(severity, "PANIC") == 0));
}

/* ── the log ── */

/* Messages of class 22 quote the value that they refuse: what stands between quotes, or all from the first one on if they do not
 * pair, becomes dots. */
static void mask_quoted(const char *message, char *out, size_t cap)
{
    size_t n = 0;
    bool is_inside = false;

    for (const char *p = message; *p != '\0' && *p != '\n' && n + 5 < cap; p++) {
        if (*p == '"' || *p == '\'') {
            if (is_inside && (p[1] == '\0' || strchr(" ,.:;)\n", p[1]) == NULL))
                continue; /* a quote inside the value */
            out[n++] = *p;
            is_inside = !is_inside;
            if (is_inside) {
                memcpy(out + n, "...", 3);
                n += 3;
            }
        } else if (!is_inside) {
            out[n++] = *p;
        }
    }
    out[n] = '\0';
}

void log_db_error(const PGresult *res)
{
    const char *sqlstate = field(res, PG_DIAG_SQLSTATE), *constraint = field(res, PG_DIAG_CONSTRAINT_NAME);
    const char *message = field(res, PG_DIAG_MESSAGE_PRIMARY);
    enum status status = sqlstate_status(sqlstate);
    char text[300];

    if (res == NULL || sqlstate == NULL)
        return; /* the connection went: who had it tells that once, not for every request */
    bool is_ours = status == ST_INTERNAL, is_data = strncmp(sqlstate, "22", 2) == 0;
    mask_quoted(message ? message : "", text, sizeof text);
    if (!is_data)
        snprintf(text, sizeof text, "%.*s", (int)strcspn(message ? message : "", "\n"), message ? message : "");
    log_line(is_ours ? LOG_ERROR_ : LOG_WARNING_, "database-error", LOG_TEXT("sqlstate", sqlstate), LOG_TEXT("constraint", constraint),
             LOG_TEXT("message", is_ours || is_data ? text : NULL));
}

/* ── problems ── */

/* A constraint that the contract knows: its code, its words, and where in the body it speaks of. Of several members, or of one item of many, the
 * statement says by COLUMN which it is. */
static enum status fail_constraint(struct ctx *ctx, const PGresult *res, const struct constraint_entry *constraint,
                                   const struct problem_entry *entry)
{
    const char *column = field(res, PG_DIAG_COLUMN_NAME);
    const char *pointer = column != NULL && *column == '/' ? column : constraint->pointer;

    if (pointer != NULL && *pointer != '\0')
        fault_add(ctx, AT_BODY, pointer, constraint->code, "%1$s%2$.0s", "%1$.0s%2$s", entry->title_en, entry->title_id);
    return fail(ctx, entry->status, constraint->code, "%1$s%2$.0s", "%1$.0s%2$s", entry->title_en, entry->title_id);
}

/* Deleting or renumbering what others refer to raises the same SQLSTATE and constraint as referring to what is not there. (A server
 * that speaks another language than English gives the second, which is the commoner.) */
static bool is_still_referenced(const PGresult *res)
{
    const char *message = field(res, PG_DIAG_MESSAGE_PRIMARY);

    return sqlstate_is(res, "23001") ||
           (sqlstate_is(res, "23503") && message != NULL && strncmp(message, "update or delete on", strlen("update or delete on")) == 0);
}

static enum status fail_unavailable(struct ctx *ctx)
{
    enum status status = fail(ctx, ST_UNAVAILABLE, "unavailable", "The database cannot be reached just now; try again in a moment.",
                              "Basis data belum dapat dihubungi; coba lagi sebentar lagi.");

    ctx->problem.retry_after_s = 1;
    return status;
}

static enum status fail_by_status(struct ctx *ctx, const PGresult *res, enum status status)
{
    switch (status) {
    case ST_UNAVAILABLE:
        return fail_unavailable(ctx);
    case ST_TIMEOUT:
        return fail(ctx, ST_TIMEOUT, "timeout", "The database needed too long for this and was stopped.",
                    "Basis data terlalu lama mengerjakan ini dan dihentikan.");
    case ST_RETRY:
        return fail(ctx, ST_RETRY, "unavailable", "Another change got in between; try again.",
                    "Ada perubahan lain yang mendahului; coba lagi.");
    case ST_CONFLICT:
        return fail(ctx, ST_CONFLICT, "conflict", "This collides with what is stored already.",
                    "Ini bentrok dengan data yang sudah tersimpan.");
    case ST_INVALID:
        if (sqlstate_is(res, "23503"))
            return fail(ctx, ST_INVALID, "reference-missing", "Something that this refers to does not exist.", "Rujukannya tidak ada.");
        return fail(ctx, ST_INVALID, "invalid", "The database refuses a value of this.", "Basis data menolak salah satu nilai.");
    default:
        return fail(ctx, ST_INTERNAL, "internal", "Something went wrong on our side; the request id helps us find it.",
                    "Terjadi kesalahan di sisi kami; nomor permintaan membantu menemukannya.");
    }
}

enum status db_fail(struct ctx *ctx, const PGresult *res)
{
    const char *name = field(res, PG_DIAG_CONSTRAINT_NAME), *sqlstate = field(res, PG_DIAG_SQLSTATE);
    bool may_name = sqlstate != NULL && (strncmp(sqlstate, "23", 2) == 0 || strcmp(sqlstate, "P0001") == 0);

    if (res == NULL || result_is_fatal(res)) {
        log_db_error(res);
        return fail_unavailable(ctx);
    }
    if (is_still_referenced(res))
        return fail(ctx, ST_CONFLICT, "in-use", "This is still referred to and cannot go.",
                    "Ini masih dirujuk sehingga tidak dapat dihapus.");
    const struct constraint_entry *constraint = may_name && name ? problem_find_constraint(name) : NULL;
    const struct problem_entry *entry = constraint ? problem_find(constraint->code) : NULL;
    if (entry != NULL)
        return fail_constraint(ctx, res, constraint, entry);
    log_db_error(res); /* a constraint without an entry in the contract is worth a line, too */
    return fail_by_status(ctx, res, sqlstate_status(sqlstate));
}
