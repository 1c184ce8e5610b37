/* SPDX-License-Identifier: Apache-2.0 */
/* Validating what one value is by itself: its type, enum and const, bounds of numbers, lengths, patterns and formats of texts. */
#include "validate.h"

#include <string.h>

#define SHOWN_MAX 200 /* longer values are not repeated to the client */

/* The text of a scalar, or NULL. */
static const char *shown(struct run *r, const json_t *node)
{
    if (json_is_string(node))
        return json_string_length(node) <= SHOWN_MAX ? json_string_value(node) : NULL;
    if (json_is_number(node))
        return json_number_text(r->arena, r->numbers, node);
    return json_is_true(node) ? "true" : json_is_false(node) ? "false" : json_is_null(node) ? "null" : NULL;
}

static void add_value(struct run *r, const json_t *node, struct fault *fault)
{
    const char *text = fault && !r->secret ? shown(r, node) : NULL;
    if (text)
        fault->value = arena_strdup(r->arena, text);
}

static bool is_whole(const struct run *r, const json_t *real)
{
    struct decimal d;
    bool whole;
    decimal_init(&d);
    whole = json_number_decimal(r->numbers, real, &d) && decimal_is_integer(&d);
    decimal_done(&d);
    return whole;
}

unsigned types_of(const struct run *r, const json_t *node)
{
    switch (json_typeof(node)) {
    case JSON_OBJECT:
        return TYPE_OBJECT;
    case JSON_ARRAY:
        return TYPE_ARRAY;
    case JSON_STRING:
        return TYPE_STRING;
    case JSON_INTEGER:
        return TYPE_INTEGER | TYPE_NUMBER;
    case JSON_REAL: /* 1.0 is an integer too */
        return TYPE_NUMBER | (is_whole(r, node) ? TYPE_INTEGER : 0u);
    case JSON_TRUE:
    case JSON_FALSE:
        return TYPE_BOOLEAN;
    case JSON_NULL:
        break;
    }
    return TYPE_NULL;
}

bool check_type(struct run *r, const struct schema *s, const json_t *node)
{
    static const char *const words[][2] = {/* in the order of the bits */
                                           {"null", "null"},
                                           {"true atau false", "true or false"},
                                           {"bilangan bulat", "a whole number"},
                                           {"bilangan", "a number"},
                                           {"teks", "a text"},
                                           {"larik", "an array"},
                                           {"objek", "an object"}};
    struct buf wanted;
    if (!s->types || (json_is_real(node) && s->types & TYPE_NUMBER) || s->types & types_of(r, node))
        return true;
    if (!is_worth_words(r))
        return false;
    buf_init(&wanted, r->arena, 64);
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if (!(s->types & 1u << i) || (i == 2 && s->types & TYPE_NUMBER))
            continue;
        if (wanted.len)
            buf_puts(&wanted, r->ctx->lang == LANG_EN ? " or " : " atau ");
        buf_puts(&wanted, words[i][r->ctx->lang == LANG_EN]);
    }
    add_value(r, node, TELL(r, "type", "this must be %s", "ini harus %s", buf_cstr(&wanted)));
    return false;
}

bool check_enum(struct run *r, const struct schema *s, const json_t *node)
{
    struct buf list;
    const char **names;
    size_t n = 0, i;
    const json_t *value;
    struct fault *fault;
    json_array_foreach(s->enumeration, i, value)
    {
        if (json_same(r->numbers, value, node))
            return true;
    }
    if (!is_worth_words(r))
        return false;
    buf_init(&list, r->arena, 128);
    names = arena_alloc(r->arena, (json_array_size(s->enumeration) + 1) * sizeof *names);
    json_array_foreach(s->enumeration, i, value)
    {
        const char *text = shown(r, value);
        buf_printf(&list, "%s%s", i ? ", " : "", text ? text : "…");
        if (json_is_string(value) && text)
            names[n++] = text;
    }
    fault = TELL(r, "enum", "this must be one of: %s", "ini harus salah satu dari: %s", buf_cstr(&list));
    add_value(r, node, fault);
    if (fault && fault->value && json_is_string(node))
        fault->suggestion = text_nearest(json_string_value(node), names, n);
    return false;
}

bool check_const(struct run *r, const struct schema *s, const json_t *node)
{
    const char *text;
    if (json_same(r->numbers, s->constant, node))
        return true;
    text = is_loud(r) ? shown(r, s->constant) : NULL;
    add_value(r, node, TELL(r, "const", "this must be exactly %s", "ini harus tepat %s", text ? text : "…"));
    return false;
}

/* ── numbers ── */

struct number {
    bool is_small;
    json_int_t small;
    struct decimal exact; /* set up only when something is not small */
};

static int compare(const struct number *n, const struct bound *b)
{
    if (n->is_small && b->is_small)
        return n->small < b->small ? -1 : n->small > b->small;
    return decimal_compare(&n->exact, &b->value);
}

static bool is_multiple(const struct number *n, const struct bound *b)
{
    struct decimal q;
    bool whole;
    if (n->is_small && b->is_small)
        return n->small % b->small == 0;
    decimal_init(&q);
    whole = decimal_div(&q, &n->exact, &b->value) && decimal_is_integer(&q);
    decimal_done(&q);
    return whole;
}

static bool all_small(const struct bounds *b)
{
    const struct bound *const all[] = {&b->minimum, &b->maximum, &b->exclusive_minimum, &b->exclusive_maximum, &b->multiple_of};
    for (size_t i = 0; i < ARRAY_LEN(all); i++)
        if (all[i]->is_set && !all[i]->is_small)
            return false;
    return true;
}

static bool within_bounds(struct run *r, const struct bounds *b, const json_t *node, const struct number *n)
{
    const struct {
        const struct bound *bound;
        bool is_kept;
        const char *code, *en, *id;
    } rules[] = {
        {&b->minimum, !b->minimum.is_set || compare(n, &b->minimum) >= 0, "too-small", "this must be at least %s", "ini paling sedikit %s"},
        {&b->maximum, !b->maximum.is_set || compare(n, &b->maximum) <= 0, "too-large", "this must be at most %s", "ini paling banyak %s"},
        {&b->exclusive_minimum, !b->exclusive_minimum.is_set || compare(n, &b->exclusive_minimum) > 0, "too-small",
         "this must be more than %s", "ini harus lebih dari %s"},
        {&b->exclusive_maximum, !b->exclusive_maximum.is_set || compare(n, &b->exclusive_maximum) < 0, "too-large",
         "this must be less than %s", "ini harus kurang dari %s"},
        {&b->multiple_of, !b->multiple_of.is_set || is_multiple(n, &b->multiple_of), "not-multiple", "this must be a multiple of %s",
         "ini harus kelipatan %s"},
    };
    bool fine = true;
    for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
        if (rules[i].is_kept)
            continue;
        add_value(r, node,
                  is_loud(r) ? fault_add(r->ctx, AT_BODY, buf_cstr(&r->path), rules[i].code, rules[i].en, rules[i].id, rules[i].bound->text)
                             : NULL);
        fine = false;
    }
    return fine;
}

bool check_number(struct run *r, const struct schema *s, const json_t *node)
{
    struct number n = {.is_small = json_is_integer(node), .small = json_integer_value(node)};
    bool fine;
    if (n.is_small && (!s->bounds || all_small(s->bounds)))
        return !s->bounds || within_bounds(r, s->bounds, node, &n);
    decimal_init(&n.exact);
    fine = json_number_decimal(r->numbers, node, &n.exact);
    if (!fine)
        TELL(r, "number-range", "this number has too many digits or too large an exponent",
             "bilangan ini terlalu banyak angkanya atau terlalu besar pangkatnya");
    else if (s->bounds)
        fine = within_bounds(r, s->bounds, node, &n);
    decimal_done(&n.exact);
    return fine;
}

/* ── texts ── */

static bool check_length(struct run *r, const struct schema *s, const json_t *node)
{
    int64_t n = (int64_t)utf8_length(json_string_value(node), json_string_length(node));
    if (s->min_length >= 0 && n < s->min_length) {
        add_value(
            r, node,
            TELL(r, "too-short", "this must have at least %lld characters", "ini paling sedikit %lld karakter", (long long)s->min_length));
        return false;
    }
    if (s->max_length >= 0 && n > s->max_length) {
        add_value(
            r, node,
            TELL(r, "too-long", "this may have at most %lld characters", "ini paling banyak %lld karakter", (long long)s->max_length));
        return false;
    }
    return true;
}

/* People are told in words what is wanted; the expression itself goes along for programs. */
static bool check_pattern(struct run *r, const struct schema *s, const json_t *node)
{
    const bool is_en = r->ctx && r->ctx->lang == LANG_EN;
    const char *form = is_en ? s->form_en : s->form_id;
    struct buf words;
    struct fault *fault;
    if (pattern_matches(r->arena, &r->match_data, &s->pattern, json_string_value(node), json_string_length(node)))
        return true;
    if (!is_worth_words(r))
        return false;
    buf_init(&words, r->arena, 128);
    if (form)
        buf_printf(&words, is_en ? "this does not have the form of: %s" : "bentuknya tidak seperti: %s", form);
    else
        buf_puts(&words, is_en ? "this does not have the form that is asked for" : "bentuknya tidak seperti yang diminta");
    if (s->form_example)
        buf_printf(&words, is_en ? "; for example %s" : "; misalnya %s", s->form_example);
    fault = TELL(r, "pattern", "%s", "%s", buf_cstr(&words));
    if (fault)
        fault->pattern = s->pattern.text;
    add_value(r, node, fault);
    return false;
}

static bool check_format(struct run *r, const struct schema *s, const json_t *node)
{
    const char *en = NULL, *id = NULL, *reason;
    if (s->check(json_string_value(node), json_string_length(node), &en, &id))
        return true;
    if (!is_loud(r))
        return false;
    reason = r->ctx->lang == LANG_EN ? en : id;
    if (reason)
        add_value(r, node, TELL(r, s->format_code, "%s", "%s", reason));
    else
        add_value(r, node, TELL(r, s->format_code, "this is no %s", "ini bukan %s", s->format));
    return false;
}

/* Of a text that is far too long only that is told; of one that breaks its format only this: its length and its pattern would say the same mistake
 * again. */
bool check_string(struct run *r, const struct schema *s, const json_t *node)
{
    const bool is_far_too_long = s->max_length >= 0 && (int64_t)json_string_length(node) > 4 * s->max_length;
    bool fine = true;
    if (s->check && !is_far_too_long && !check_format(r, s, node))
        return false;
    if (s->min_length >= 0 || s->max_length >= 0)
        fine = check_length(r, s, node);
    if (s->pattern.code && (fine || !is_far_too_long))
        fine &= check_pattern(r, s, node);
    return fine;
}
