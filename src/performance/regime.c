/* SPDX-License-Identifier: Apache-2.0 */
/* Records of the regimes before 2022, worked out by the rule of their own regime: from what a decree lists, or from the value that a history keeps. */
#include <string.h>

#include "asnd/arena.h"
#include "asnd/buf.h"
#include "asnd/decimal.h"
#include "asnd/performance.h"
#include "asnd/rules.h"

#define SHOWN_SCALE 2

struct regime {
    struct ctx *ctx;
    struct params *in;
    bool is_2021;
    struct buf parts;
};

static const char *shown(struct ctx *ctx, const struct decimal *value)
{
    return decimal_format(ctx->arena, value, SHOWN_SCALE, ROUND_HALF_UP);
}

static bool refused(struct regime *r, struct refusal refusal, const char *pointer)
{
    if (refusal.code)
        fault_add(r->ctx, AT_BODY, pointer, refusal.code, "%s", "%s", r->ctx->lang == LANG_EN ? refusal.en : refusal.id);
    return refusal.code != NULL;
}

static bool read_number(const struct regime *r, const json_t *object, const char *name, struct decimal *ret)
{
    const json_t *node = json_object_get(object, name);
    return node && json_number_decimal(r->in->numbers, node, ret);
}

static bool is_set(const json_t *object, const char *name)
{
    return json_is_true(json_object_get(object, name));
}

static bool is_option(const struct regime *r, const char *name, const char *value)
{
    const char *text = json_string_value(json_object_get(r->in->body, name));
    return text && strcmp(text, value) == 0;
}

static struct decimal *decimals(struct regime *r, size_t n)
{
    struct decimal *ret = arena_alloc(r->ctx->arena, (n + 1) * sizeof *ret);
    for (size_t i = 0; i <= n; i++)
        decimal_init(&ret[i]);
    return ret;
}

static void done(struct decimal *numbers, size_t n)
{
    for (size_t i = 0; i <= n; i++)
        decimal_done(&numbers[i]);
}

static void put_aspect(struct regime *r, const json_t *node, const char *pointer, bool is_first, struct decimal *ret)
{
    struct decimal *given = decimals(r, 1);
    enum aspect aspect = ASPECT_QUANTITY;
    const char *name = json_string_value(json_object_get(node, "aspect"));
    if (name && aspect_parse(name, &aspect) && read_number(r, node, "target", &given[0]) && read_number(r, node, "actual", &given[1]) &&
        !refused(r, pp46_aspect(aspect, &given[0], &given[1], ret), arena_printf(r->ctx->arena, "%s/target", pointer)))
        buf_printf(&r->parts, "%s%s", is_first ? "" : ",", shown(r->ctx, ret));
    done(given, 1);
}

/* PP 46/2011: the mean of the item's aspects. */
static void put_item(struct regime *r, const json_t *node, size_t at, struct decimal *ret)
{
    const json_t *aspects = json_object_get(node, "aspects");
    size_t n = json_array_size(aspects);
    struct decimal *values = decimals(r, n);
    buf_puts(&r->parts, "{\"achievement\":null,\"aspects\":[");
    for (size_t i = 0; i < n; i++)
        put_aspect(r, json_array_get(aspects, i), arena_printf(r->ctx->arena, "/items/%zu/aspects/%zu", at, i), i == 0, &values[i]);
    refused(r, regime_mean(values, n, ret), arena_printf(r->ctx->arena, "/items/%zu/aspects", at));
    buf_printf(&r->parts, "],\"value\":%s,\"is_gap\":false}", shown(r->ctx, ret));
    done(values, n);
}

/* Permenpan RB 8/2021: achievement, then the annex's scale. */
static void put_indicator(struct regime *r, const json_t *node, size_t at, struct decimal *ret)
{
    struct decimal *d = decimals(r, 3);
    struct p8_target target = {.low = &d[0], .actual = &d[2], .is_less_better = is_set(node, "is_less_better")};
    enum gap gap = is_option(r, "gap", "round") ? GAP_ROUND : GAP_INTERPOLATE;
    bool is_gap = false;
    if (read_number(r, node, "target_high", &d[1]))
        target.high = &d[1];
    if (read_number(r, node, "target", &d[0]) && read_number(r, node, "actual", &d[2]) &&
        !refused(r, p8_achievement(&target, &d[3]), arena_printf(r->ctx->arena, "/indicators/%zu/target", at)))
        p8_value(&d[3], is_set(node, "is_ceiling"), gap, ret, &is_gap);
    buf_printf(&r->parts, "{\"achievement\":%s,\"aspects\":null,\"value\":%s,\"is_gap\":%s}", shown(r->ctx, &d[3]), shown(r->ctx, ret),
               is_gap ? "true" : "false");
    done(d, 3);
}

/* False: nothing tells it. What is refused is told. */
static bool find_skp(struct regime *r, struct decimal *ret)
{
    const char *name = r->is_2021 ? "indicators" : "items";
    const json_t *list = json_object_get(r->in->body, name);
    size_t n = json_array_size(list);
    struct decimal *values;
    if (read_number(r, r->in->body, "skp", ret))
        return true;
    if (!list)
        return false;
    values = decimals(r, n);
    for (size_t i = 0; i < n; i++) {
        if (i > 0)
            buf_putc(&r->parts, ',');
        if (r->is_2021)
            put_indicator(r, json_array_get(list, i), i, &values[i]);
        else
            put_item(r, json_array_get(list, i), i, &values[i]);
    }
    refused(r, regime_mean(values, n, ret), arena_printf(r->ctx->arena, "/%s", name));
    done(values, n);
    return true;
}

static bool find_behaviour(struct regime *r, struct decimal *ret)
{
    const json_t *list = json_object_get(r->in->body, "behaviours");
    size_t n = json_array_size(list);
    struct decimal *elements;
    bool is_known = true;
    if (read_number(r, r->in->body, "behaviour", ret))
        return true;
    if (!list)
        return false;
    elements = decimals(r, n);
    for (size_t i = 0; i < n; i++)
        is_known = json_number_decimal(r->in->numbers, json_array_get(list, i), &elements[i]) && is_known;
    if (is_known)
        refused(r, pp46_behaviour(elements, n, ret), "/behaviours");
    done(elements, n);
    return true;
}

static void derive_total(struct regime *r, struct decimal *skp, struct decimal *behaviour, struct decimal *total)
{
    int weight = !r->is_2021 ? PP46_SKP_WEIGHT : is_option(r, "weights", "60_40") ? PP30_SKP_WEIGHT_WITH_PEERS : PP30_SKP_WEIGHT;
    bool has_skp = find_skp(r, skp), has_behaviour = find_behaviour(r, behaviour);
    if (!has_skp)
        fault_add(r->ctx, AT_BODY, "/skp", "missing", "The value of the results is missing.", "Nilai SKP belum ada.");
    if (!has_behaviour)
        fault_add(r->ctx, AT_BODY, "/behaviour", "missing", "The value of the behaviour is missing.", "Nilai perilaku belum ada.");
    regime_total(skp, behaviour, weight, total);
    params_derive(r->ctx, r->in, "regime_skp", shown(r->ctx, skp));
    params_derive(r->ctx, r->in, "regime_behaviour", shown(r->ctx, behaviour));
}

enum status check_work_out_regime(struct ctx *ctx, struct params *in)
{
    struct regime r = {.ctx = ctx, .in = in, .is_2021 = strcmp(params_text(in, "regime"), "skp_2021") == 0};
    struct decimal *d = decimals(&r, 2); /* skp, behaviour, total */
    const char *predicate = NULL;
    buf_init(&r.parts, ctx->arena, 256);
    buf_putc(&r.parts, '[');
    if (!read_number(&r, in->body, "value", &d[2]))
        derive_total(&r, &d[0], &d[1], &d[2]);
    buf_putc(&r.parts, ']');
    if (ctx->problem.n_faults == 0)
        refused(&r,
                r.is_2021 ? pp30_predicate(&d[2], is_set(in->body, "has_new_idea"), &predicate)
                          : pp46_predicate(&d[2], is_option(&r, "cut", "strict") ? CUT_STRICT : CUT_ROUND, &predicate),
                "/value");
    params_derive(ctx, in, "regime_value", shown(ctx, &d[2]));
    params_derive(ctx, in, "regime_predicate", predicate);
    params_derive(ctx, in, "regime_parts", buf_cstr(&r.parts));
    done(d, 2);
    return ctx->problem.n_faults == 0 ? ST_OK
                                      : fail(ctx, ST_INVALID, "invalid", "The regime's rule has no value for this.",
                                             "Aturan tidak memiliki nilai untuk isian ini.");
}

/* ── the value that a history keeps ── */

static void put_reading(struct buf *out, const char *name, const char *setting, struct refusal refusal, const char *predicate)
{
    if (!refusal.code)
        buf_printf(out, "%s{\"setting\":\"%s=%s\",\"predicate\":\"%s\"}", out->len > 1 ? "," : "", name, setting, predicate);
}

/* Every predicate that the regime's rule may give the value: the record does not tell by which setting it was rated. */
static const char *readings(struct ctx *ctx, const char *regime, const struct decimal *value)
{
    struct buf out;
    const char *predicate = NULL;
    struct refusal refusal;
    buf_init(&out, ctx->arena, 256);
    buf_putc(&out, '[');
    if (strcmp(regime, "skp_2014") == 0) {
        refusal = pp46_predicate(value, CUT_ROUND, &predicate);
        put_reading(&out, "cut", "round", refusal, predicate);
        refusal = pp46_predicate(value, CUT_STRICT, &predicate);
        put_reading(&out, "cut", "strict", refusal, predicate);
    } else if (strcmp(regime, "skp_2021") == 0) {
        refusal = pp30_predicate(value, true, &predicate);
        put_reading(&out, "has_new_idea", "true", refusal, predicate);
        refusal = pp30_predicate(value, false, &predicate);
        put_reading(&out, "has_new_idea", "false", refusal, predicate);
    }
    buf_putc(&out, ']');
    return buf_cstr(&out);
}

enum status cmd_get_history_regime(struct ctx *ctx, struct engine *engine, struct db_conn *txn, struct params *in, struct outcome *out)
{
    PGresult *row;
    struct decimal value;
    enum status st = command_query(ctx, engine, txn, in, "getHistoryRegime.row", true, &row);
    if (st != ST_OK)
        return st;
    decimal_init(&value);
    params_derive(ctx, in, "regime_readings",
                  !PQgetisnull(row, 0, 1) && decimal_parse(&value, PQgetvalue(row, 0, 1), (size_t)PQgetlength(row, 0, 1))
                      ? readings(ctx, PQgetvalue(row, 0, 0), &value)
                      : "[]");
    decimal_done(&value);
    return command_reply(ctx, engine, txn, in, "getHistoryRegime.reply", out);
}
