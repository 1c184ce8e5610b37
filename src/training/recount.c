/* SPDX-License-Identifier: Apache-2.0 */
/* A person's learning hours from the trainings themselves, by the rules of asnd/rules.h. The ledger holds what SQL made of the same trainings; whoever
 * doubts it asks here, and a test asks for thousands of them. */
#include "asnd/training.h"

#include <stdlib.h>
#include <string.h>

#include "asnd/arena.h"
#include "asnd/rules.h"

#define JP_SCALE 6 /* more digits than an amount of two by a factor of two can have */

/* One row of the inputs with the numbers that it points to. */
struct row {
    struct hours_form form;
    struct decimal unit_jp, jp_factor, month_most, amount, jp;
    const char *rule_kind;
    struct date from; /* of the year that it counts in */
};

static const char *cell(const PGresult *res, int row, const char *name)
{
    int column = PQfnumber(res, name);
    return PQgetisnull(res, row, column) ? NULL : PQgetvalue(res, row, column);
}

/* NULL where there is none. What PostgreSQL prints as numeric always parses, and so does a date. */
static const struct decimal *number(const PGresult *res, int row, const char *name, struct decimal *room)
{
    const char *text = cell(res, row, name);
    return text && decimal_parse(room, text, strlen(text)) ? room : NULL;
}

static bool day(const PGresult *res, int row, const char *name, struct date *ret)
{
    const char *text = cell(res, row, name);
    return text && date_parse(text, strlen(text), ret);
}

static int whole(const PGresult *res, int row, const char *name)
{
    const char *text = cell(res, row, name);
    return text ? atoi(text) : -1;
}

static void read_form(const PGresult *inputs, int at, struct row *row, struct hours_entry *ret)
{
    const char *counted_by = cell(inputs, at, "counted_by");
    if (!counted_by)
        return;
    row->form = (struct hours_form){.is_by_jp = strcmp(counted_by, "jp") == 0,
                                    .is_up_to = strcmp(cell(inputs, at, "is_up_to"), "t") == 0,
                                    .unit_jp = number(inputs, at, "unit_jp", &row->unit_jp),
                                    .jp_factor = number(inputs, at, "jp_factor", &row->jp_factor),
                                    .month_most = number(inputs, at, "month_most", &row->month_most)};
    ret->form = &row->form;
    ret->form_code = cell(inputs, at, "form");
}

static void read_row(const PGresult *inputs, int at, struct row *row, struct hours_entry *ret)
{
    struct date origin, until, since;
    decimal_init(&row->unit_jp);
    decimal_init(&row->jp_factor);
    decimal_init(&row->month_most);
    decimal_init(&row->amount);
    decimal_init(&row->jp);
    *ret = (struct hours_entry){.amount = number(inputs, at, "amount", &row->amount),
                                .jp = number(inputs, at, "told_jp", &row->jp),
                                .minutes = whole(inputs, at, "minutes"),
                                .paper = cell(inputs, at, "paper"),
                                .title = cell(inputs, at, "title")};
    read_form(inputs, at, row, ret);
    if (!day(inputs, at, "first_day", &ret->first_day) || !day(inputs, at, "last_day", &ret->last_day))
        return;
    if (day(inputs, at, "origin", &origin))
        hours_contract_year(origin, ret->last_day, &row->from, &until);
    else
        row->from = (struct date){ret->last_day.year, 1, 1};
    if (day(inputs, at, "since", &since) && date_compare(row->from, since) < 0)
        row->from = since;
    row->rule_kind = cell(inputs, at, "rule_kind");
}

static void row_done(struct row *row)
{
    decimal_done(&row->unit_jp);
    decimal_done(&row->jp_factor);
    decimal_done(&row->month_most);
    decimal_done(&row->amount);
    decimal_done(&row->jp);
}

static void total_of_year(struct ctx *ctx, const PGresult *inputs, const char *rule_kind, struct date from, struct decimal *ret)
{
    size_t n = (size_t)PQntuples(inputs);
    struct row *rows = arena_zalloc_array(ctx->arena, n + 1, sizeof *rows);
    struct hours_entry *entries = arena_zalloc_array(ctx->arena, n + 1, sizeof *entries);
    struct hours_counted *counted = arena_zalloc_array(ctx->arena, n + 1, sizeof *counted);
    for (size_t i = 0; i < n; i++)
        read_row(inputs, (int)i, &rows[i], &entries[i]);
    hours_count(entries, n, counted);
    for (size_t i = 0; i < n; i++)
        if (date_compare(rows[i].from, from) == 0 && strcmp(rows[i].rule_kind, rule_kind) == 0)
            decimal_add(ret, ret, &counted[i].counted);
    hours_counted_done(counted, n);
    for (size_t i = 0; i < n; i++)
        row_done(&rows[i]);
}

static void derive(struct ctx *ctx, struct params *in, const char *name, const struct decimal *value)
{
    params_derive(ctx, in, name, decimal_format(ctx->arena, value, JP_SCALE, ROUND_HALF_UP));
}

static void work_out(struct ctx *ctx, struct params *in, const PGresult *person, const PGresult *inputs)
{
    struct decimal total, counted, missing, above;
    struct date from = {0};
    decimal_init(&total);
    decimal_init(&counted);
    decimal_init(&missing);
    decimal_init(&above);
    if (day(person, 0, "from", &from))
        total_of_year(ctx, inputs, cell(person, 0, "rule_kind"), from, &total);
    hours_stand(&total, whole(person, 0, "floor_jp"), whole(person, 0, "ceiling_jp"), &counted, &missing, &above);
    derive(ctx, in, "total_jp", &total);
    derive(ctx, in, "counted_jp", &counted);
    derive(ctx, in, "short_jp", &missing);
    derive(ctx, in, "above_jp", &above);
    params_derive(ctx, in, "from", cell(person, 0, "from"));
    params_derive(ctx, in, "until", cell(person, 0, "until"));
    params_derive(ctx, in, "ledger_jp", cell(person, 0, "ledger_jp"));
    decimal_done(&total);
    decimal_done(&counted);
    decimal_done(&missing);
    decimal_done(&above);
}

enum status cmd_recount_learning_hours(struct ctx *ctx, struct engine *engine, struct db_conn *txn, struct params *in, struct outcome *out)
{
    PGresult *person, *inputs;
    enum status st = command_query(ctx, engine, txn, in, "recountLearningHours.person", true, &person);
    if (st == ST_OK)
        st = command_query(ctx, engine, txn, in, "recountLearningHours.inputs", false, &inputs);
    if (st != ST_OK)
        return st;
    work_out(ctx, in, person, inputs);
    return command_reply(ctx, engine, txn, in, "recountLearningHours.reply", out);
}
