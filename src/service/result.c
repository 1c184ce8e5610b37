/* SPDX-License-Identifier: Apache-2.0 */
/* From counted answers to results: means, index, category, the lowest elements; several surveys as one. All by src/rules/satisfaction.c, exact until
 * the last step. Where fewer than SMALL_GROUP answered there is no value: the whole has none either, or it could be worked out. */
#include "asnd/service.h"

#include <stdlib.h>
#include <string.h>

#include "asnd/arena.h"
#include "asnd/buf.h"
#include "asnd/rules.h"

#define MEAN_SCALE      4
#define CONVERTED_SCALE 2
#define LOWEST          3

static const char *cell(const PGresult *res, int row, const char *name)
{
    int column = PQfnumber(res, name);
    return PQgetisnull(res, row, column) ? NULL : PQgetvalue(res, row, column);
}

static long long count_of(const PGresult *res, int row, const char *name)
{
    return strtoll(cell(res, row, name), NULL, 10);
}

static struct satisfaction_element element_of(const PGresult *res, int row)
{
    return (struct satisfaction_element){
        .counts = {count_of(res, row, "n1"), count_of(res, row, "n2"), count_of(res, row, "n3"), count_of(res, row, "n4")}};
}

static bool is_shown(const struct satisfaction_element *element)
{
    return satisfaction_answers(element) >= SMALL_GROUP;
}

/* The index of rows first … first + n − 1; false when it has none to be shown. */
static bool index_of_rows(struct ctx *ctx, const PGresult *res, int first, int n, struct decimal *ret)
{
    struct satisfaction_element *elements = arena_alloc(ctx->arena, ((size_t)n + 1) * sizeof *elements);
    for (int i = 0; i < n; i++) {
        elements[i] = element_of(res, first + i);
        if (!is_shown(&elements[i]))
            return false;
    }
    return satisfaction_index(elements, (size_t)n, ret);
}

static const char *converted_text(struct ctx *ctx, const struct decimal *index)
{
    struct decimal converted;
    const char *text;
    decimal_init(&converted);
    satisfaction_convert(index, &converted);
    text = decimal_format(ctx->arena, &converted, CONVERTED_SCALE, ROUND_HALF_UP);
    decimal_done(&converted);
    return text;
}

/* Its code by the list survey-category; NULL below all. A bound that is no number bounds nothing. */
static const char *category_of(struct ctx *ctx, const PGresult *categories, const struct decimal *index)
{
    int n = PQntuples(categories), found, known = 0;
    struct decimal converted, *bounds = arena_alloc(ctx->arena, ((size_t)n + 1) * sizeof *bounds);
    const char **codes = arena_alloc(ctx->arena, ((size_t)n + 1) * sizeof *codes);
    for (int i = 0; i < n; i++) {
        const char *from = cell(categories, i, "from");
        decimal_init(&bounds[known]);
        codes[known] = cell(categories, i, "code");
        if (from && decimal_parse(&bounds[known], from, strlen(from)))
            known++;
        else
            decimal_done(&bounds[known]);
    }
    decimal_init(&converted);
    satisfaction_convert(index, &converted);
    found = satisfaction_category(&converted, bounds, (size_t)known);
    decimal_done(&converted);
    for (int i = 0; i < known; i++)
        decimal_done(&bounds[i]);
    return found < 0 ? NULL : codes[found];
}

/* ── one survey ── */

static void put_text(struct buf *out, const char *before, const char *text)
{
    buf_puts(out, before);
    if (text)
        buf_json_string(out, text, strlen(text));
    else
        BUF_LIT(out, "null");
}

/* Means of all rows; `means` are initialised here. */
static const char *elements_json(struct ctx *ctx, const PGresult *res, struct decimal *means, bool *shown)
{
    struct buf out;
    int n = PQntuples(res);
    buf_init(&out, ctx->arena, 128 * ((size_t)n + 1));
    buf_putc(&out, '[');
    for (int row = 0; row < n; row++) {
        struct satisfaction_element element = element_of(res, row);
        decimal_init(&means[row]);
        shown[row] = is_shown(&element) && satisfaction_mean(&element, &means[row]);
        put_text(&out, row ? ",{\"code\":" : "{\"code\":", cell(res, row, "code"));
        put_text(&out, ",\"name\":", cell(res, row, "name"));
        if (shown[row])
            buf_printf(&out, ",\"n\":%lld,\"mean\":%s}", satisfaction_answers(&element),
                       decimal_format(ctx->arena, &means[row], MEAN_SCALE, ROUND_HALF_UP));
        else
            BUF_LIT(&out, ",\"n\":null,\"mean\":null}");
    }
    buf_putc(&out, ']');
    return buf_cstr(&out);
}

/* The codes of the lowest elements, the lowest first; of equal ones that which is asked first. */
static const char *lowest_json(struct ctx *ctx, const PGresult *res, const struct decimal *means, const bool *shown)
{
    struct buf out;
    int n = PQntuples(res);
    bool *taken = arena_zalloc_array(ctx->arena, (size_t)n + 1, sizeof *taken);
    buf_init(&out, ctx->arena, 64);
    buf_putc(&out, '[');
    for (int place = 0; place < LOWEST && place < n; place++) {
        int least = -1;
        for (int row = 0; row < n; row++)
            if (shown[row] && !taken[row] && (least < 0 || decimal_compare(&means[row], &means[least]) < 0))
                least = row;
        if (least < 0)
            break;
        taken[least] = true;
        put_text(&out, place ? "," : "", cell(res, least, "code"));
    }
    buf_putc(&out, ']');
    return buf_cstr(&out);
}

static void derive_value(struct ctx *ctx, struct params *in, const PGresult *elements, const PGresult *categories)
{
    struct decimal index;
    decimal_init(&index);
    if (index_of_rows(ctx, elements, 0, PQntuples(elements), &index)) {
        params_derive(ctx, in, "index", decimal_format(ctx->arena, &index, MEAN_SCALE, ROUND_HALF_UP));
        params_derive(ctx, in, "converted", converted_text(ctx, &index));
        params_derive(ctx, in, "category", category_of(ctx, categories, &index));
    }
    decimal_done(&index);
}

/* Index, means and the lowest of these elements. */
static void derive_shown(struct ctx *ctx, struct params *in, const PGresult *elements, const PGresult *categories)
{
    static const char *const none[] = {"index", "converted", "category"};
    size_t n = (size_t)PQntuples(elements);
    struct decimal *means = arena_alloc(ctx->arena, (n + 1) * sizeof *means);
    bool *shown = arena_zalloc_array(ctx->arena, n + 1, sizeof *shown);
    for (size_t i = 0; i < ARRAY_LEN(none); i++)
        params_derive(ctx, in, none[i], NULL);
    derive_value(ctx, in, elements, categories);
    params_derive(ctx, in, "elements", elements_json(ctx, elements, means, shown));
    params_derive(ctx, in, "lowest", lowest_json(ctx, elements, means, shown));
    params_derive(ctx, in, "rule_version", SATISFACTION_RULE_VERSION);
    for (size_t i = 0; i < n; i++)
        decimal_done(&means[i]);
}

static void derive_result(struct ctx *ctx, struct params *in, const PGresult *survey, const PGresult *elements, const PGresult *categories)
{
    const char *population = cell(survey, 0, "population");
    derive_shown(ctx, in, elements, categories);
    params_derive(ctx, in, "sample_target",
                  population ? arena_printf(ctx->arena, "%lld", sample_target(strtoll(population, NULL, 10))) : NULL);
}

static enum status work_out(struct ctx *ctx, struct engine *engine, struct db_conn *txn, struct params *in, const char *survey_statement)
{
    PGresult *survey, *elements, *categories;
    enum status st = command_query(ctx, engine, txn, in, survey_statement, true, &survey);
    if (st == ST_OK)
        st = command_query(ctx, engine, txn, in, "getSurveyResult.elements", true, &elements);
    if (st == ST_OK)
        st = command_query(ctx, engine, txn, in, "getSurveyResult.categories", false, &categories);
    if (st == ST_OK)
        derive_result(ctx, in, survey, elements, categories);
    return st;
}

enum status cmd_get_survey_result(struct ctx *ctx, struct engine *engine, struct db_conn *txn, struct params *in, struct outcome *out)
{
    enum status st = db_sql(ctx, txn, "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"); /* counts, groups and answers of one moment */
    if (st == ST_OK)
        st = work_out(ctx, engine, txn, in, "getSurveyResult.survey");
    return st == ST_OK ? command_reply(ctx, engine, txn, in, "getSurveyResult.reply", out) : st;
}

/* Closed, and its row locked: no answer comes any more. */
enum status cmd_publish_survey(struct ctx *ctx, struct engine *engine, struct db_conn *txn, struct params *in, struct outcome *out)
{
    enum status st = work_out(ctx, engine, txn, in, "publishSurvey.survey");
    if (st != ST_OK)
        return st;
    if (!params_text(in, "index"))
        return fail(ctx, ST_CONFLICT, "survey-too-few", "Each element needs %d answers before the result can be shown to anybody.",
                    "Setiap unsur memerlukan %d jawaban sebelum hasilnya dapat ditampilkan.", SMALL_GROUP);
    return command_reply(ctx, engine, txn, in, "publishSurvey.store", out);
}

/* ── the surveys of a unit ── */

struct pool {
    long long *respondents;
    struct decimal *indices;
    size_t n;
    long long all;
    struct decimal sum; /* of the converted values */
    struct buf json;
};

static void pool_survey(struct ctx *ctx, struct pool *pool, const PGresult *res, int first, int n, const PGresult *categories)
{
    struct decimal index, converted;
    bool has_index;
    long long respondents = count_of(res, first, "respondents");
    decimal_init(&index);
    has_index = index_of_rows(ctx, res, first, n, &index);
    put_text(&pool->json, pool->json.len > 1 ? ",{\"survey_id\":" : "{\"survey_id\":", cell(res, first, "survey_id"));
    put_text(&pool->json, ",\"code\":", cell(res, first, "survey_code"));
    put_text(&pool->json, ",\"service_id\":", cell(res, first, "service_id"));
    buf_printf(&pool->json, ",\"respondents\":%lld,\"converted\":%s", respondents, has_index ? converted_text(ctx, &index) : "null");
    put_text(&pool->json, ",\"category\":", has_index ? category_of(ctx, categories, &index) : NULL);
    buf_putc(&pool->json, '}');
    if (has_index) {
        decimal_init(&converted);
        satisfaction_convert(&index, &converted);
        decimal_add(&pool->sum, &pool->sum, &converted);
        decimal_done(&converted);
        pool->respondents[pool->n] = respondents;
        pool->all += respondents;
        pool->indices[pool->n++] = index;
        return;
    }
    decimal_done(&index);
}

static void pool_surveys(struct ctx *ctx, struct pool *pool, const PGresult *res, const PGresult *categories)
{
    int rows = PQntuples(res), first = 0;
    *pool = (struct pool){.respondents = arena_alloc(ctx->arena, ((size_t)rows + 1) * sizeof *pool->respondents),
                          .indices = arena_alloc(ctx->arena, ((size_t)rows + 1) * sizeof *pool->indices)};
    decimal_init(&pool->sum);
    buf_init(&pool->json, ctx->arena, 256);
    buf_putc(&pool->json, '[');
    for (int row = 1; row <= rows; row++) {
        if (row < rows && strcmp(cell(res, row, "survey_id"), cell(res, first, "survey_id")) == 0)
            continue;
        pool_survey(ctx, pool, res, first, row - first, categories);
        first = row;
    }
    buf_putc(&pool->json, ']');
}

static void derive_pool(struct ctx *ctx, struct params *in, const struct pool *pool, const PGresult *categories)
{
    static const char *const none[] = {"pooled_index", "pooled", "pooled_category", "mean"};
    struct decimal pooled, mean, n;
    for (size_t i = 0; i < ARRAY_LEN(none); i++)
        params_derive(ctx, in, none[i], NULL);
    decimal_init(&pooled);
    decimal_init(&mean);
    decimal_init(&n);
    decimal_set_int(&n, (long long)pool->n);
    if (satisfaction_pool(pool->respondents, pool->indices, pool->n, &pooled) && decimal_div(&mean, &pool->sum, &n)) {
        params_derive(ctx, in, "pooled_index", decimal_format(ctx->arena, &pooled, MEAN_SCALE, ROUND_HALF_UP));
        params_derive(ctx, in, "pooled", converted_text(ctx, &pooled));
        params_derive(ctx, in, "pooled_category", category_of(ctx, categories, &pooled));
        params_derive(ctx, in, "mean", decimal_format(ctx->arena, &mean, CONVERTED_SCALE, ROUND_HALF_UP));
    }
    params_derive(ctx, in, "respondents", arena_printf(ctx->arena, "%lld", pool->all));
    params_derive(ctx, in, "surveys", pool->json.data);
    params_derive(ctx, in, "rule_version", SATISFACTION_RULE_VERSION);
    decimal_done(&pooled);
    decimal_done(&mean);
    decimal_done(&n);
}

enum status cmd_get_unit_satisfaction(struct ctx *ctx, struct engine *engine, struct db_conn *txn, struct params *in, struct outcome *out)
{
    PGresult *unit, *elements, *categories;
    struct pool pool;
    enum status st = command_query(ctx, engine, txn, in, "getUnitSatisfaction.unit", true, &unit);
    if (st == ST_OK)
        st = command_query(ctx, engine, txn, in, "getUnitSatisfaction.elements", false, &elements);
    if (st == ST_OK)
        st = command_query(ctx, engine, txn, in, "getUnitSatisfaction.categories", false, &categories);
    if (st != ST_OK)
        return st;
    pool_surveys(ctx, &pool, elements, categories);
    pool.json.data = (char *)(uintptr_t)buf_cstr(&pool.json);
    derive_pool(ctx, in, &pool, categories);
    for (size_t i = 0; i < pool.n; i++)
        decimal_done(&pool.indices[i]);
    decimal_done(&pool.sum);
    return command_reply(ctx, engine, txn, in, "getUnitSatisfaction.reply", out);
}

/* ── a unit with all below it ── */

enum status cmd_get_unit_service_figures(struct ctx *ctx, struct engine *engine, struct db_conn *txn, struct params *in,
                                         struct outcome *out)
{
    PGresult *unit, *elements, *categories;
    enum status st = db_sql(ctx, txn, "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"); /* all figures of one moment */
    if (st == ST_OK)
        st = command_query(ctx, engine, txn, in, "getUnitServiceFigures.unit", true, &unit);
    if (st != ST_OK)
        return st;
    params_derive(ctx, in, "first_month", cell(unit, 0, "first_month"));
    params_derive(ctx, in, "last_month", cell(unit, 0, "last_month"));
    params_derive(ctx, in, "tree_day", cell(unit, 0, "tree_day"));
    params_derive(ctx, in, "pieces", cell(unit, 0, "pieces"));
    params_derive(ctx, in, "unseen", cell(unit, 0, "unseen"));
    params_derive(ctx, in, "sums", cell(unit, 0, "sums"));
    st = command_query(ctx, engine, txn, in, "getUnitServiceFigures.elements", false, &elements);
    if (st == ST_OK)
        st = command_query(ctx, engine, txn, in, "getUnitServiceFigures.categories", false, &categories);
    if (st != ST_OK)
        return st;
    derive_shown(ctx, in, elements, categories);
    return command_reply(ctx, engine, txn, in, "getUnitServiceFigures.reply", out);
}
