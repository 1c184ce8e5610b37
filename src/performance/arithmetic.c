/* SPDX-License-Identifier: Apache-2.0 */
/* How a number came about, as a line that whoever asks can work out again by hand. Formulas: docs/rules.md, section 3. */
#include "evaluate.h"

#include "asnd/arena.h"
#include "asnd/rules.h"

static const char *quotient(struct arena *arena, const char *of, const char *by)
{
    return arena_printf(arena, "%s / %s × 100", of, by);
}

static const char *within_or_nearer_bound(struct arena *arena, const struct told_indicator *in)
{
    if (decimal_compare(in->numbers->actual, in->numbers->target) < 0)
        return quotient(arena, in->actual, in->target);
    if (decimal_compare(in->numbers->actual, in->numbers->target_high) > 0)
        return quotient(arena, in->actual, in->target_high);
    return arena_printf(arena, "%s ≤ %s ≤ %s: 100", in->target, in->actual, in->target_high);
}

static const char *formula(struct arena *arena, const struct told_indicator *in)
{
    switch (in->numbers->direction) {
    case MAXIMIZE:
        if (decimal_sign(in->numbers->target) == 0)
            return arena_printf(arena, "%s ≥ 0: 100", in->actual);
        return quotient(arena, in->actual, in->target);
    case MINIMIZE:
        return quotient(arena, arena_printf(arena, "(2 × %s − %s)", in->target, in->actual), in->target);
    case MINIMIZE_INVERSE:
        return quotient(arena, in->target, in->actual);
    case RANGE:
        return within_or_nearer_bound(arena, in);
    }
    __builtin_unreachable();
}

const char *arithmetic_of_indicator(struct arena *arena, const struct told_indicator *in, const struct decimal *uncapped,
                                    const char *achievement)
{
    const char *told = formula(arena, in);
    if (in->numbers->cap && decimal_compare(uncapped, in->numbers->cap) > 0)
        told = arena_printf(arena, "min(%s, %s)", in->cap, told);
    else if (decimal_sign(uncapped) == 0)
        told = arena_printf(arena, "max(0, %s)", told);
    return arena_printf(arena, "%s = %s", told, achievement);
}

const char *arithmetic_of_mean(struct arena *arena, const char *const *weights, const char *const *achievements, size_t n, const char *mean)
{
    struct buf out;
    buf_init(&out, arena, 32 * (n + 1));
    for (size_t i = 0; i < n; i++)
        buf_printf(&out, "%s%s × %s", i ? " + " : "(", weights[i], achievements[i]);
    buf_puts(&out, ") / ");
    for (size_t i = 0; i < n; i++)
        buf_printf(&out, "%s%s", i ? " + " : n > 1 ? "(" : "", weights[i]);
    buf_printf(&out, "%s = %s", n > 1 ? ")" : "", mean);
    return buf_cstr(&out);
}
