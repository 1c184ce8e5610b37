/* SPDX-License-Identifier: Apache-2.0 */
/* computeWorkingDays: what the rule gives for the holidays that the list has. */
#include "asnd/service.h"

#include <stdlib.h>
#include <string.h>

#include "asnd/arena.h"
#include "asnd/rules.h"

static struct workdays calendar_of(struct ctx *ctx, const PGresult *res)
{
    int n = PQntuples(res);
    int64_t *days = arena_alloc(ctx->arena, ((size_t)n + 1) * sizeof *days);
    struct workdays calendar = {.holidays = days};
    for (int row = 0; row < n; row++) {
        const char *text = PQgetvalue(res, row, 0);
        struct date day;
        if (date_parse(text, strlen(text), &day))
            days[calendar.n++] = date_to_days(day);
    }
    return calendar;
}

enum status cmd_compute_working_days(struct ctx *ctx, struct engine *engine, struct db_conn *txn, struct params *in, struct outcome *out)
{
    PGresult *res;
    const char *from = params_text(in, "from"), *days = params_text(in, "days");
    char *until = arena_alloc(ctx->arena, DATE_TEXT_SIZE);
    struct workdays calendar;
    struct date first;
    enum status st = command_query(ctx, engine, txn, in, "computeWorkingDays.holidays", false, &res);
    if (st != ST_OK)
        return st;
    if (!date_parse(from, strlen(from), &first)) /* the contract has seen to it */
        return fail(ctx, ST_INVALID, "invalid", "This is no day.", "Ini bukan tanggal.");
    calendar = calendar_of(ctx, res);
    date_format(date_from_days(workday_after(&calendar, date_to_days(first), (int)strtol(days, NULL, 10))), until);
    params_derive(ctx, in, "until", until);
    params_derive(ctx, in, "is_workday", workday_is(&calendar, date_to_days(first)) ? "true" : "false");
    return command_reply(ctx, engine, txn, in, "computeWorkingDays.reply", out);
}
