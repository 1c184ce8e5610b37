/* SPDX-License-Identifier: Apache-2.0 */
/* From rows to figures: achievement of each indicator (cap first), their weighted mean, and the predicate of the two ratings
 * (Permenpan RB 6/2022). Exact until the last step. */
#include "evaluate.h"

#include <string.h>

#include "asnd/arena.h"
#include "asnd/buf.h"
#include "asnd/performance.h"
#include "asnd/rules.h"

#define PERCENT_SCALE 2

/* The numbers of all indicators; arrays, as the rule for their mean takes them. */
struct figures {
    int n, n_known;
    struct decimal *weights, *capped, *uncapped;
    bool *is_known;
    const char **arithmetic;
};

/* NULL of null. Rows of stored inputs may lack anything: whoever tampered with them may have taken it out. */
static const char *cell(const PGresult *res, int row, const char *name)
{
    int column = PQfnumber(res, name);
    return PQgetisnull(res, row, column) ? NULL : PQgetvalue(res, row, column);
}

/* False when there is no number. What PostgreSQL prints as numeric always parses. */
static bool number(const PGresult *inputs, int row, const char *name, struct decimal *ret)
{
    const char *text = cell(inputs, row, name);
    return text && decimal_parse(ret, text, strlen(text));
}

static void figures_init(struct figures *f, struct arena *arena, int n)
{
    size_t room = (size_t)n + 1;
    *f = (struct figures){.n = n,
                          .weights = arena_alloc(arena, room * sizeof *f->weights),
                          .capped = arena_alloc(arena, room * sizeof *f->capped),
                          .uncapped = arena_alloc(arena, room * sizeof *f->uncapped),
                          .is_known = arena_zalloc_array(arena, room, sizeof *f->is_known),
                          .arithmetic = arena_zalloc_array(arena, room, sizeof *f->arithmetic)};
    for (int i = 0; i < n; i++) {
        decimal_init(&f->weights[i]);
        decimal_init(&f->capped[i]);
        decimal_init(&f->uncapped[i]);
    }
}

static void figures_done(struct figures *f)
{
    for (int i = 0; i < f->n; i++) {
        decimal_done(&f->weights[i]);
        decimal_done(&f->capped[i]);
        decimal_done(&f->uncapped[i]);
    }
}

static const char *indicator_pointer(struct ctx *ctx, const PGresult *inputs, int row, const char *member)
{
    const char *position = cell(inputs, row, "position");
    return arena_printf(ctx->arena, "/indicators/%s/%s", position ? position : "", member);
}

static const char *percent(struct ctx *ctx, const struct decimal *value)
{
    return decimal_format(ctx->arena, value, PERCENT_SCALE, ROUND_HALF_UP);
}

static void tell_row(struct ctx *ctx, const PGresult *inputs, int row, const struct indicator *numbers, struct figures *f)
{
    const struct told_indicator told = {.numbers = numbers,
                                        .target = cell(inputs, row, "target"),
                                        .target_high = cell(inputs, row, "target_high"),
                                        .actual = cell(inputs, row, "actual"),
                                        .cap = cell(inputs, row, "cap")};
    f->arithmetic[row] = arithmetic_of_indicator(ctx->arena, &told, &f->uncapped[row], percent(ctx, &f->capped[row]));
}

static struct refusal compute_row(struct ctx *ctx, const PGresult *inputs, int row, struct figures *f)
{
    struct decimal target, target_high, actual, cap;
    struct indicator indicator = {.target = &target, .actual = &actual};
    struct refusal refusal = {0};
    const char *direction = cell(inputs, row, "direction"), *zero_reached = cell(inputs, row, "zero_target_reached");
    decimal_init(&target);
    decimal_init(&target_high);
    decimal_init(&actual);
    decimal_init(&cap);
    if (number(inputs, row, "weight", &f->weights[row]) && number(inputs, row, "target", &target) &&
        number(inputs, row, "actual", &actual) && direction && direction_parse(direction, &indicator.direction)) {
        indicator.target_high = number(inputs, row, "target_high", &target_high) ? &target_high : NULL;
        indicator.cap = number(inputs, row, "cap", &cap) ? &cap : NULL;
        indicator.zero_target_reached = zero_reached && strcmp(zero_reached, "t") == 0;
        refusal = achievement_compute(&indicator, &f->uncapped[row], &f->capped[row]);
        f->is_known[row] = refusal.code == NULL;
        if (f->is_known[row])
            tell_row(ctx, inputs, row, &indicator, f);
    }
    decimal_done(&target);
    decimal_done(&target_high);
    decimal_done(&actual);
    decimal_done(&cap);
    return refusal;
}

static enum status compute_rows(struct ctx *ctx, const PGresult *inputs, struct figures *f)
{
    bool is_defined = true;
    for (int row = 0; row < f->n; row++) {
        struct refusal refusal = compute_row(ctx, inputs, row, f);
        f->n_known += f->is_known[row];
        if (!refusal.code)
            continue;
        is_defined = false;
        fault_add(ctx, AT_BODY, indicator_pointer(ctx, inputs, row, "target"), refusal.code, "%s", "%s",
                  ctx->lang == LANG_EN ? refusal.en : refusal.id);
    }
    return is_defined ? ST_OK
                      : fail(ctx, ST_CONFLICT, "achievement-undefined", "An indicator's formula has no value for its numbers.",
                             "Rumus sebuah indikator tidak memiliki nilai untuk angka-angkanya.");
}

/* NULL unless every indicator has its value. */
static const char *mean(struct ctx *ctx, const struct figures *f, const struct decimal *values)
{
    struct decimal total;
    const char *text = NULL;
    if (f->n == 0 || f->n_known < f->n)
        return NULL;
    decimal_init(&total);
    if (!achievement_total(f->weights, values, (size_t)f->n, &total).code)
        text = percent(ctx, &total);
    decimal_done(&total);
    return text;
}

static const char *arithmetic(struct ctx *ctx, const PGresult *inputs, const struct figures *f, const char *achievement)
{
    const char **weights, **achievements;
    if (!achievement)
        return NULL;
    weights = arena_alloc(ctx->arena, (size_t)f->n * sizeof *weights);
    achievements = arena_alloc(ctx->arena, (size_t)f->n * sizeof *achievements);
    for (int row = 0; row < f->n; row++) {
        weights[row] = cell(inputs, row, "weight");
        achievements[row] = percent(ctx, &f->capped[row]);
    }
    return arithmetic_of_mean(ctx->arena, weights, achievements, (size_t)f->n, achievement);
}

static void text_member(struct buf *out, const char *name, const char *text)
{
    buf_printf(out, ",\"%s\":", name);
    if (text)
        buf_json_string(out, text, strlen(text));
    else
        buf_puts(out, "null");
}

static void member(struct buf *out, const char *name, const char *raw)
{
    buf_printf(out, ",\"%s\":%s", name, raw ? raw : "null");
}

static const char *indicators_json(struct ctx *ctx, const PGresult *inputs, const struct figures *f)
{
    struct buf out;
    buf_init(&out, ctx->arena, 128 * ((size_t)f->n + 1));
    buf_putc(&out, '[');
    for (int row = 0; row < f->n; row++) {
        const char *name = cell(inputs, row, "name"), *id = cell(inputs, row, "id");
        buf_printf(&out, "%s{\"id\":\"%s\",\"name\":", row ? "," : "", id ? id : "");
        buf_json_string(&out, name ? name : "", name ? strlen(name) : 0);
        member(&out, "weight", cell(inputs, row, "weight"));
        text_member(&out, "direction", cell(inputs, row, "direction"));
        member(&out, "target", cell(inputs, row, "target"));
        member(&out, "target_high", cell(inputs, row, "target_high"));
        member(&out, "actual", cell(inputs, row, "actual"));
        member(&out, "cap", cell(inputs, row, "cap"));
        member(&out, "achievement", f->is_known[row] ? percent(ctx, &f->capped[row]) : NULL);
        member(&out, "achievement_uncapped", f->is_known[row] ? percent(ctx, &f->uncapped[row]) : NULL);
        text_member(&out, "arithmetic", f->arithmetic[row]);
        buf_putc(&out, '}');
    }
    buf_putc(&out, ']');
    return buf_cstr(&out);
}

static void derive_predicate(struct ctx *ctx, const PGresult *evaluation, struct evaluated *ret)
{
    const char *results = cell(evaluation, 0, "results_rating"), *behaviour = cell(evaluation, 0, "behaviour_rating");
    enum rating of_results, of_behaviour;
    enum predicate predicate;
    if (!results || !behaviour || !rating_parse(results, &of_results) || !rating_parse(behaviour, &of_behaviour))
        return;
    predicate = predicate_derive(of_results, of_behaviour);
    ret->predicate = predicate_text(predicate);
    ret->predicate_number = arena_printf(ctx->arena, "%d", (int)predicate);
}

static void missing(struct ctx *ctx, struct evaluated *ret, const char *pointer, const char *en, const char *id)
{
    ret->is_whole = false;
    fault_add(ctx, AT_BODY, pointer, "missing", "%s", "%s", ctx->lang == LANG_EN ? en : id);
}

static void name_missing(struct ctx *ctx, const PGresult *evaluation, const PGresult *inputs, const struct figures *f,
                         struct evaluated *ret)
{
    ret->is_whole = true;
    if (!cell(evaluation, 0, "results_rating"))
        missing(ctx, ret, "/results_rating", "The results are not rated.", "Hasil kerja belum diberi rating.");
    if (!cell(evaluation, 0, "behaviour_rating"))
        missing(ctx, ret, "/behaviour_rating", "The behaviour is not rated.", "Perilaku kerja belum diberi rating.");
    if (f->n == 0)
        missing(ctx, ret, "/indicators", "There is no indicator.", "Belum ada indikator.");
    for (int row = 0; row < f->n; row++)
        if (!f->is_known[row])
            missing(ctx, ret, indicator_pointer(ctx, inputs, row, "actual"), "The actual value is missing.", "Realisasi belum diisi.");
}

enum status evaluation_work_out(struct ctx *ctx, const PGresult *evaluation, const PGresult *inputs, struct evaluated *ret)
{
    struct evaluated out = {0};
    struct figures f;
    enum status st;
    figures_init(&f, ctx->arena, PQntuples(inputs));
    st = compute_rows(ctx, inputs, &f);
    if (st == ST_OK) {
        out.achievement = mean(ctx, &f, f.capped);
        out.achievement_uncapped = mean(ctx, &f, f.uncapped);
        out.arithmetic = arithmetic(ctx, inputs, &f, out.achievement);
        out.indicators = indicators_json(ctx, inputs, &f);
        derive_predicate(ctx, evaluation, &out);
        name_missing(ctx, evaluation, inputs, &f, &out);
        *ret = out;
    }
    figures_done(&f);
    return st;
}

void evaluated_derive(struct ctx *ctx, struct params *in, const struct evaluated *evaluated)
{
    params_derive(ctx, in, "achievement", evaluated->achievement);
    params_derive(ctx, in, "achievement_uncapped", evaluated->achievement_uncapped);
    params_derive(ctx, in, "arithmetic", evaluated->arithmetic);
    params_derive(ctx, in, "predicate", evaluated->predicate);
    params_derive(ctx, in, "predicate_number", evaluated->predicate_number);
    params_derive(ctx, in, "indicators", evaluated->indicators);
    params_derive(ctx, in, "rule_version", PERFORMANCE_RULE_VERSION);
}
