/* SPDX-License-Identifier: Apache-2.0 */
/* What a training changed: reads people or units summed up by stratum, unit and arm, lets effect_estimate work it out, twice: from before to after, and from
 * the time before that to before, when nobody was trained yet. Then says it: figures with their parts, warnings, a sentence. */
#include "asnd/training.h"

#include <stdlib.h>
#include <string.h>

#include "asnd/arena.h"
#include "asnd/buf.h"
#include "asnd/rules.h"

#define SCALE          4
#define QUANTILE_SCALE 6

static const char *cell(const PGresult *res, int row, const char *name)
{
    int column = PQfnumber(res, name);
    return PQgetisnull(res, row, column) ? NULL : PQgetvalue(res, row, column);
}

static long long count_of(const PGresult *res, int row, const char *name)
{
    return strtoll(cell(res, row, name), NULL, 10);
}

/* What PostgreSQL prints as numeric always parses. */
static void number(const PGresult *res, int row, const char *name, struct decimal *ret)
{
    const char *text = cell(res, row, name);
    if (!decimal_parse(ret, text, strlen(text)))
        decimal_set_int(ret, 0);
}

static const char *text_of(struct ctx *ctx, const struct decimal *d)
{
    return decimal_format(ctx->arena, d, SCALE, ROUND_HALF_UP);
}

/* ── in ── */

/* Which columns tell of then and now. */
struct phase {
    const char *n, *before, *after, *squares;
};
static const struct phase trained = {"n", "before", "after", "squares"},
                          untrained = {"earlier_n", "earlier", "earlier_before", "earlier_squares"};

static void estimate(struct ctx *ctx, const PGresult *res, const struct phase *phase, struct effect *ret)
{
    int rows = PQntuples(res);
    size_t n = 0;
    struct effect_cell *cells = arena_zalloc_array(ctx->arena, (size_t)rows + 1, sizeof *cells);
    for (int row = 0; row < rows; row++) {
        struct effect_cell *c = &cells[n];
        if (count_of(res, row, phase->n) == 0)
            continue;
        effect_cell_init(c);
        c->stratum = (size_t)count_of(res, row, "stratum");
        c->cluster = (size_t)count_of(res, row, "cluster");
        c->arm = strcmp(cell(res, row, "is_participant"), "t") == 0 ? EFFECT_PARTICIPANT : EFFECT_COMPARISON;
        c->n = count_of(res, row, phase->n);
        number(res, row, phase->before, &c->before);
        number(res, row, phase->after, &c->after);
        number(res, row, phase->squares, &c->squares);
        n++;
    }
    effect_estimate(ctx->arena, cells, n, ret);
    for (size_t i = 0; i < n; i++)
        effect_cell_done(&cells[i]);
}

/* ── out ── */

static void put_text(struct buf *out, const char *before, const char *text)
{
    buf_puts(out, before);
    if (text)
        buf_json_string(out, text, strlen(text));
    else
        BUF_LIT(out, "null");
}

static const char *change_text(struct ctx *ctx, const struct effect_side *side)
{
    struct decimal change;
    const char *text;
    decimal_init(&change);
    decimal_sub(&change, &side->after, &side->before);
    text = text_of(ctx, &change);
    decimal_done(&change);
    return text;
}

static const char *side_json(struct ctx *ctx, const struct effect *effect, enum effect_arm arm)
{
    struct buf out;
    const struct effect_side *side = &effect->side[arm];
    buf_init(&out, ctx->arena, 128);
    buf_printf(&out, "{\"n\":%lld,\"units\":", side->n);
    if (effect->has_interval)
        buf_printf(&out, "%zu", side->clusters);
    else
        BUF_LIT(&out, "null");
    if (effect->has_estimate)
        buf_printf(&out, ",\"before\":%s,\"after\":%s,\"change\":%s}", text_of(ctx, &side->before), text_of(ctx, &side->after),
                   change_text(ctx, side));
    else
        BUF_LIT(&out, ",\"before\":null,\"after\":null,\"change\":null}");
    return buf_cstr(&out);
}

static const char *interval_json(struct ctx *ctx, const struct effect *e)
{
    if (!e->has_interval)
        return NULL;
    return arena_printf(
        ctx->arena,
        "{\"lower\":%s,\"upper\":%s,\"level\":95,\"method\":\"%s\",\"standard_error\":%s,\"welch_error\":%s,\"clustered_error\":%s,"
        "\"degrees\":%lld,\"quantile\":%s}",
        text_of(ctx, &e->lower), text_of(ctx, &e->upper), e->is_clustered ? "clustered" : "welch",
        text_of(ctx, e->is_clustered ? &e->clustered_error : &e->welch_error), text_of(ctx, &e->welch_error),
        text_of(ctx, &e->clustered_error), e->df, decimal_format(ctx->arena, &e->quantile, QUANTILE_SCALE, ROUND_HALF_UP));
}

/* Whether the interval leaves out 0. */
static bool is_told_apart(const struct effect *e)
{
    return e->has_interval && (decimal_sign(&e->lower) > 0 || decimal_sign(&e->upper) < 0);
}

static const char *trend_json(struct ctx *ctx, const struct effect *e)
{
    const char *verdict = !e->has_interval ? "unknown" : is_told_apart(e) ? "diverging" : "parallel";
    return arena_printf(ctx->arena,
                        "{\"verdict\":\"%s\",\"participants\":%lld,\"comparison\":%lld,\"estimate\":%s,\"lower\":%s,\"upper\":%s}", verdict,
                        e->side[EFFECT_PARTICIPANT].n, e->side[EFFECT_COMPARISON].n, e->has_estimate ? text_of(ctx, &e->estimate) : "null",
                        e->has_interval ? text_of(ctx, &e->lower) : "null", e->has_interval ? text_of(ctx, &e->upper) : "null");
}

/* A mean of a stratum's sums; null where there is nobody. */
static void put_mean(struct ctx *ctx, struct buf *out, const char *before, const struct effect_side *side)
{
    struct decimal change, n;
    decimal_init(&change);
    decimal_init(&n);
    decimal_sub(&change, &side->after, &side->before);
    decimal_set_int(&n, side->n);
    buf_puts(out, before);
    buf_puts(out, decimal_div(&change, &change, &n) ? text_of(ctx, &change) : "null");
    decimal_done(&change);
    decimal_done(&n);
}

/* The rows come in the order of the strata; the first of each has its words. */
static const char *strata_json(struct ctx *ctx, const PGresult *res, const struct effect *effect)
{
    struct buf out;
    long long last = -1;
    buf_init(&out, ctx->arena, 256);
    buf_putc(&out, '[');
    for (int row = 0; row < PQntuples(res); row++) {
        long long at = count_of(res, row, "stratum");
        const struct effect_side *stratum = effect->strata[at];
        if (at == last)
            continue;
        put_text(&out, last < 0 ? "{\"kind\":" : ",{\"kind\":", cell(res, row, "kind"));
        put_text(&out, ",\"position\":", cell(res, row, "position"));
        put_text(&out, ",\"unit_kind\":", cell(res, row, "unit_kind"));
        put_text(&out, ",\"agency\":", cell(res, row, "agency"));
        buf_printf(&out, ",\"participants\":%lld,\"comparison\":%lld", stratum[EFFECT_PARTICIPANT].n, stratum[EFFECT_COMPARISON].n);
        put_mean(ctx, &out, ",\"participant_change\":", &stratum[EFFECT_PARTICIPANT]);
        put_mean(ctx, &out, ",\"comparison_change\":", &stratum[EFFECT_COMPARISON]);
        buf_printf(&out, ",\"counts\":%s}", stratum[EFFECT_PARTICIPANT].n && stratum[EFFECT_COMPARISON].n ? "true" : "false");
        last = at;
    }
    buf_putc(&out, ']');
    return buf_cstr(&out);
}

struct warned {
    bool is_untrained; /* nobody went through to the end between the two times; told in words */
    bool no_estimate, no_interval, few_participants, few_compared, few_units, unmatched, diverging, no_earlier;
};

static struct warned warn(const PGresult *basis, const struct effect *effect, const struct effect *trend)
{
    long long few = count_of(basis, 0, "few"), few_units = count_of(basis, 0, "few_units");
    const struct effect_side *in = &effect->side[EFFECT_PARTICIPANT], *beside = &effect->side[EFFECT_COMPARISON];
    return (struct warned){.is_untrained = count_of(basis, 0, "trained") == 0,
                           .no_estimate = !effect->has_estimate,
                           .no_interval = effect->has_estimate && !effect->has_interval,
                           .few_participants = in->n < few,
                           .few_compared = beside->n < few,
                           .few_units =
                               effect->has_interval && ((long long)in->clusters < few_units || (long long)beside->clusters < few_units),
                           .unmatched = effect->unmatched > 0,
                           .diverging = is_told_apart(trend),
                           .no_earlier = !trend->has_interval};
}

static const char *warnings_json(struct ctx *ctx, const struct warned *w)
{
    const struct {
        bool is_so;
        const char *code;
    } all[] = {{w->no_estimate, "no-estimate"},   {w->no_interval, "no-interval"}, {w->few_participants, "few-participants"},
               {w->few_compared, "few-compared"}, {w->few_units, "few-units"},     {w->unmatched, "unmatched"},
               {w->diverging, "trend-diverges"},  {w->no_earlier, "no-earlier"}};
    struct buf out;
    buf_init(&out, ctx->arena, 128);
    buf_putc(&out, '[');
    for (size_t i = 0; i < ARRAY_LEN(all); i++)
        if (all[i].is_so)
            put_text(&out, out.len > 1 ? "," : "", all[i].code);
    buf_putc(&out, ']');
    return buf_cstr(&out);
}

static void conclude(struct ctx *ctx, const struct effect *e, const struct warned *w, const char **ret_en, const char **ret_id)
{
    const struct effect_side *in = &e->side[EFFECT_PARTICIPANT], *beside = &e->side[EFFECT_COMPARISON];
    bool is_small = w->few_participants || w->few_compared || w->few_units;
    if (w->is_untrained) {
        *ret_en =
            "Nobody took part between the times before and after. A training that lies within one of them counts for neither: choose times "
            "that end before it and begin after it.";
        *ret_id =
            "Tidak ada peserta di antara masa sebelum dan sesudah. Pelatihan yang berada di dalam salah satunya tidak dihitung: pilih masa "
            "yang berakhir sebelum pelatihan dan dimulai sesudahnya.";
        return;
    }
    if (!e->has_estimate) {
        *ret_en = "Nobody can be compared: there is no participant and non-participant of one kind with values before and after.";
        *ret_id = "Tidak ada yang dapat dibandingkan: tidak ada peserta dan bukan peserta yang sejenis dengan nilai sebelum dan sesudah.";
        return;
    }
    if (!e->has_interval) {
        *ret_en = arena_printf(ctx->arena, "The difference is %s, of so few (%lld and %lld) that it says nothing: there is no interval.",
                               text_of(ctx, &e->estimate), in->n, beside->n);
        *ret_id = arena_printf(ctx->arena,
                               "Selisihnya %s, tetapi jumlahnya terlalu sedikit (%lld dan %lld) untuk disimpulkan: tidak ada rentang.",
                               text_of(ctx, &e->estimate), in->n, beside->n);
        return;
    }
    *ret_en = arena_printf(
        ctx->arena,
        "Participants changed by %s, comparable non-participants by %s: a difference of %s (95 %%: %s to %s; n %lld and %lld). %s%s "
        "It is an association, no proof.",
        change_text(ctx, in), change_text(ctx, beside), text_of(ctx, &e->estimate), text_of(ctx, &e->lower), text_of(ctx, &e->upper), in->n,
        beside->n, is_told_apart(e) ? "It can be told from none." : "It cannot be told from none.",
        is_small ? " The numbers are small: mind the interval, not the difference." : "");
    *ret_id = arena_printf(ctx->arena,
                           "Peserta berubah %s, bukan peserta yang sebanding %s: selisih %s (95 %%: %s sampai %s; n %lld dan %lld). %s%s "
                           "Ini hubungan, bukan bukti sebab akibat.",
                           change_text(ctx, in), change_text(ctx, beside), text_of(ctx, &e->estimate), text_of(ctx, &e->lower),
                           text_of(ctx, &e->upper), in->n, beside->n,
                           is_told_apart(e) ? "Selisih ini berbeda dari nol." : "Selisih ini tidak dapat dibedakan dari nol.",
                           is_small ? " Jumlahnya kecil: perhatikan rentangnya, bukan selisihnya." : "");
}

static const char *conclusion_json(struct ctx *ctx, const struct effect *e, const struct warned *w)
{
    struct buf out;
    const char *en, *id;
    conclude(ctx, e, w, &en, &id);
    buf_init(&out, ctx->arena, 512);
    put_text(&out, "{\"en\":", en);
    put_text(&out, ",\"id\":", id);
    buf_putc(&out, '}');
    return buf_cstr(&out);
}

static void derive(struct ctx *ctx, struct params *in, const PGresult *basis, const PGresult *cells)
{
    struct effect effect, trend;
    struct warned warned;
    estimate(ctx, cells, &trained, &effect);
    estimate(ctx, cells, &untrained, &trend);
    warned = warn(basis, &effect, &trend);
    params_derive(ctx, in, "trained", cell(basis, 0, "trained"));
    params_derive(ctx, in, "participants", side_json(ctx, &effect, EFFECT_PARTICIPANT));
    params_derive(ctx, in, "comparison", side_json(ctx, &effect, EFFECT_COMPARISON));
    params_derive(ctx, in, "estimate", effect.has_estimate ? text_of(ctx, &effect.estimate) : NULL);
    params_derive(ctx, in, "interval", interval_json(ctx, &effect));
    params_derive(ctx, in, "is_told_apart", effect.has_interval ? (is_told_apart(&effect) ? "true" : "false") : NULL);
    params_derive(ctx, in, "trend", trend_json(ctx, &trend));
    params_derive(ctx, in, "strata", strata_json(ctx, cells, &effect));
    params_derive(ctx, in, "warnings", warnings_json(ctx, &warned));
    params_derive(ctx, in, "conclusion", conclusion_json(ctx, &effect, &warned));
    params_derive(ctx, in, "rule_version", EFFECT_RULE_VERSION);
    effect_done(&effect);
    effect_done(&trend);
}

struct statements {
    const char *basis, *cells, *reply;
};

static enum status tell(struct ctx *ctx, struct engine *engine, struct db_conn *txn, struct params *in, const struct statements *of,
                        struct outcome *out)
{
    PGresult *basis, *cells;
    enum status st = db_sql(ctx, txn, "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"); /* who, and what of them, of one moment */
    if (st == ST_OK)
        st = command_query(ctx, engine, txn, in, of->basis, true, &basis);
    if (st == ST_OK)
        st = command_query(ctx, engine, txn, in, of->cells, false, &cells);
    if (st != ST_OK)
        return st;
    derive(ctx, in, basis, cells);
    return command_reply(ctx, engine, txn, in, of->reply, out);
}

enum status cmd_get_training_effect_people(struct ctx *ctx, struct engine *engine, struct db_conn *txn, struct params *in,
                                           struct outcome *out)
{
    static const struct statements of = {"getTrainingEffectPeople.basis", "getTrainingEffectPeople.cells", "getTrainingEffectPeople.reply"};
    return tell(ctx, engine, txn, in, &of, out);
}

enum status cmd_get_training_effect_units(struct ctx *ctx, struct engine *engine, struct db_conn *txn, struct params *in,
                                          struct outcome *out)
{
    static const struct statements of = {"getTrainingEffectUnits.basis", "getTrainingEffectUnits.cells", "getTrainingEffectUnits.reply"};
    return tell(ctx, engine, txn, in, &of, out);
}
