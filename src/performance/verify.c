/* SPDX-License-Identifier: Apache-2.0 */
/* All final evaluations worked out again, from a stream of rows of which each evaluation has one an indicator: its rows are collected, judged, and
 * forgotten before the next one's. */
#include <string.h>

#include "asnd/arena.h"
#include "asnd/decimal.h"
#include "asnd/performance.h"
#include "evaluate.h"

static const char *const of_evaluation[] = {"evaluation_id", "results_rating",   "behaviour_rating", "ratings_match",
                                            "seal_matches",  "measures_hold",    "achievement",      "achievement_uncapped",
                                            "predicate",     "predicate_number", "rule_version"};
static const char *const of_indicator[] = {"id",          "name",   "position", "direction", "target",
                                           "target_high", "actual", "weight",   "cap",       "zero_target_reached"};

struct verify {
    FILE *out;
    struct evaluation_report *report;
    struct arena *arena;           /* of one evaluation */
    PGresult *evaluation, *inputs; /* of the one that is being collected; NULL: none yet */
};

static PGresult *table(const char *const *names, int n)
{
    PGresult *res = PQmakeEmptyPGresult(NULL, PGRES_TUPLES_OK);
    PGresAttDesc attributes[ARRAY_LEN(of_evaluation)] = {0};
    for (int i = 0; i < n; i++)
        attributes[i].name = (char *)(uintptr_t)names[i];
    if (res && PQsetResultAttrs(res, n, attributes))
        return res;
    PQclear(res);
    return NULL;
}

/* The cells of these names, as a new last row. */
static bool copy_row(PGresult *to, const char *const *names, int n, const PGresult *from, int row)
{
    int at = PQntuples(to);
    for (int i = 0; i < n; i++) {
        int column = PQfnumber(from, names[i]);
        bool is_null = PQgetisnull(from, row, column);
        if (!PQsetvalue(to, at, i, is_null ? NULL : PQgetvalue(from, row, column), is_null ? -1 : PQgetlength(from, row, column)))
            return false;
    }
    return true;
}

static const char *stored(const struct verify *v, const char *name)
{
    int column = PQfnumber(v->evaluation, name);
    return PQgetisnull(v->evaluation, 0, column) ? NULL : PQgetvalue(v->evaluation, 0, column);
}

static bool is_true(const char *text)
{
    return text && *text == 't';
}

static bool same_number(const char *a, const char *b)
{
    struct decimal x, y;
    bool is_same;
    if (!a || !b)
        return a == b;
    decimal_init(&x);
    decimal_init(&y);
    is_same = decimal_parse(&x, a, strlen(a)) && decimal_parse(&y, b, strlen(b)) && decimal_compare(&x, &y) == 0;
    decimal_done(&x);
    decimal_done(&y);
    return is_same;
}

static void tell(struct verify *v, const char *what)
{
    fprintf(v->out, "evaluation %s: %s\n", stored(v, "evaluation_id"), what);
    v->report->differences++;
}

static void tell_value(struct verify *v, const char *name, const char *computed)
{
    const char *was = stored(v, name);
    tell(v, arena_printf(v->arena, "%s: stored %s, computed %s", name, was ? was : "nothing", computed ? computed : "nothing"));
}

static void compare(struct verify *v, const struct evaluated *now)
{
    const char *was = stored(v, "predicate");
    if (!is_true(stored(v, "seal_matches")))
        tell(v, "seal: not that of what is stored");
    if (!is_true(stored(v, "ratings_match")))
        tell(v, "ratings: not those of the stored inputs");
    if (!is_true(stored(v, "measures_hold")))
        tell(v, "measured: a reading is not what its parts give");
    if (!same_number(stored(v, "achievement"), now->achievement))
        tell_value(v, "achievement", now->achievement);
    if (!same_number(stored(v, "achievement_uncapped"), now->achievement_uncapped))
        tell_value(v, "achievement_uncapped", now->achievement_uncapped);
    if (!was || !now->predicate || strcmp(was, now->predicate) != 0)
        tell_value(v, "predicate", now->predicate);
    if (!same_number(stored(v, "predicate_number"), now->predicate_number))
        tell_value(v, "predicate_number", now->predicate_number);
}

static void forget(struct verify *v)
{
    PQclear(v->evaluation);
    PQclear(v->inputs);
    v->evaluation = v->inputs = NULL;
    arena_reset(v->arena);
}

/* The evaluation that was collected. Inputs that have no value any more show as differences. */
static void judge(struct verify *v)
{
    struct ctx ctx = {.arena = v->arena, .lang = LANG_EN};
    struct evaluated now = {0};
    const char *rules = stored(v, "rule_version");
    int64_t before = v->report->differences;
    v->report->evaluations++;
    v->report->older += !rules || strcmp(rules, PERFORMANCE_RULE_VERSION) != 0;
    if (evaluation_work_out(&ctx, v->evaluation, v->inputs, &now) != ST_OK)
        now = (struct evaluated){0};
    compare(v, &now);
    v->report->differing += v->report->differences > before;
    forget(v);
}

static bool begin(struct verify *v, const PGresult *rows, int row)
{
    v->evaluation = table(of_evaluation, ARRAY_LEN(of_evaluation));
    v->inputs = table(of_indicator, ARRAY_LEN(of_indicator));
    return v->evaluation && v->inputs && copy_row(v->evaluation, of_evaluation, ARRAY_LEN(of_evaluation), rows, row);
}

static enum status take_rows(struct ctx *ctx, void *cls, const PGresult *rows)
{
    struct verify *v = cls;
    int id = PQfnumber(rows, "evaluation_id"), has = PQfnumber(rows, "has_indicator");
    bool is_taken = true;
    for (int row = 0; row < PQntuples(rows) && is_taken; row++) {
        if (v->evaluation && strcmp(stored(v, "evaluation_id"), PQgetvalue(rows, row, id)) != 0)
            judge(v);
        if (!v->evaluation)
            is_taken = begin(v, rows, row);
        if (is_taken && is_true(PQgetvalue(rows, row, has)))
            is_taken = copy_row(v->inputs, of_indicator, ARRAY_LEN(of_indicator), rows, row);
    }
    return is_taken ? ST_OK : fail(ctx, ST_UNAVAILABLE, "unavailable", "There is not enough memory.", "Memori tidak cukup.");
}

static enum status find_period(struct ctx *ctx, struct db_conn *conn, const struct sql_set *set, const char *period_id)
{
    PGresult *res;
    enum status st = db_query(ctx, conn, set, "evaluations.period", &res, "period_id", period_id, NULL);
    if (st == ST_OK && PQntuples(res) == 0)
        st = fail(ctx, ST_NOT_FOUND, "not-found", "There is no such period.", "Periode tersebut tidak ada.");
    return st;
}

enum status evaluations_verify(struct ctx *ctx, struct db_conn *conn, const struct sql_set *set, const char *period_id, FILE *out,
                               struct evaluation_report *ret)
{
    const struct variant *all = statement_variant(sql_set_find(set, "evaluations.verify"), period_id ? 1 : 0, 0, VARIANT_PLAIN);
    struct verify v = {.out = out, .report = ret};
    enum status st = period_id ? find_period(ctx, conn, set, period_id) : ST_OK;
    *ret = (struct evaluation_report){0};
    if (st != ST_OK)
        return st;
    v.arena = arena_new(0);
    st = db_stream(ctx, conn, all, &period_id, take_rows, &v);
    if (st == ST_OK && v.evaluation)
        judge(&v);
    forget(&v);
    arena_free(v.arena);
    return st;
}
