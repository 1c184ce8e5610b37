/* SPDX-License-Identifier: Apache-2.0 */
/* Validating an instance against a compiled schema. All faults are collected with their JSON Pointers; inside anyOf, oneOf, not, if and contains
 * branches are tried in silence. What unevaluatedProperties and unevaluatedItems need to know is noted by position. */
#include "internal.h"

#include <stdlib.h>
#include <string.h>

#include "asnd/buf.h"

#define DEPTH_MAX 200

struct run {
    struct ctx *ctx; /* NULL: only yes or no */
    const struct json_numbers *numbers;
    struct arena *arena;
    struct buf path; /* JSON Pointer of where we are */
    int silent;      /* > 0: faults are not told */
    int depth;
};

/* Which members or items of the present instance some subschema has looked at. NULL marks: nobody asks. */
struct seen {
    bool *marks;
    size_t n;
};

static bool check(struct run *r, const struct schema *s, const json_t *node, struct seen *seen);

/* ── telling ── */

#define TELL(r, code, en, id, ...)                                                                                                         \
    ((r)->silent || !(r)->ctx ? NULL : fault_add((r)->ctx, AT_BODY, buf_cstr(&(r)->path), (code), (en), (id), __VA_ARGS__))

static const char *shown(struct run *r, const json_t *node)
{
    if (json_is_string(node) && json_string_length(node) <= 200)
        return json_string_value(node);
    if (json_is_number(node))
        return json_number_text(r->arena, r->numbers, node);
    return json_is_true(node) ? "true" : json_is_false(node) ? "false" : json_is_null(node) ? "null" : NULL;
}

static void tell_value(struct run *r, const struct schema *s, const json_t *node, struct fault *fault)
{
    const char *text = fault && !s->is_secret ? shown(r, node) : NULL;
    if (text)
        fault->value = arena_strdup(r->arena, text);
}

static size_t descend(struct run *r, const char *token)
{
    size_t before = r->path.len;
    buf_putc(&r->path, '/');
    for (; *token; token++) {
        if (*token == '~')
            buf_puts(&r->path, "~0");
        else if (*token == '/')
            buf_puts(&r->path, "~1");
        else
            buf_putc(&r->path, *token);
    }
    return before;
}

static size_t descend_index(struct run *r, size_t index)
{
    size_t before = r->path.len;
    buf_putc(&r->path, '/');
    buf_put_i64(&r->path, (int64_t)index);
    return before;
}

static void mark(struct seen *seen, size_t i)
{
    if (seen && seen->marks && i < seen->n)
        seen->marks[i] = true;
}

/* ── values ── */

static bool check_type(struct run *r, const struct schema *s, const json_t *node)
{
    static const char *const en[] = {"null", "true or false", "a whole number", "a number", "a text", "an array", "an object"};
    static const char *const id[] = {"null", "true atau false", "bilangan bulat", "bilangan", "teks", "larik", "objek"};
    struct buf wanted[2];
    bool first = true;
    if (!s->types || s->types & value_types(r->numbers, node))
        return true;
    if (r->silent || !r->ctx)
        return false;
    buf_init(&wanted[0], r->arena, 64);
    buf_init(&wanted[1], r->arena, 64);
    for (size_t i = 0; i < ARRAY_LEN(en); i++) {
        if (!(s->types & 1u << i))
            continue;
        buf_printf(&wanted[0], "%s%s", first ? "" : " or ", en[i]);
        buf_printf(&wanted[1], "%s%s", first ? "" : " atau ", id[i]);
        first = false;
    }
    tell_value(r, s, node, TELL(r, "type", "this must be %s", "ini harus %s", buf_cstr(&wanted[r->ctx->lang == LANG_ID])));
    return false;
}

static bool check_enum(struct run *r, const struct schema *s, const json_t *node)
{
    struct buf list;
    const char *names[32];
    size_t n = 0, i;
    const json_t *value;
    struct fault *fault;
    json_array_foreach(s->enumeration, i, value)
    {
        if (value_equal(r->numbers, value, node))
            return true;
    }
    if (r->silent || !r->ctx)
        return false;
    buf_init(&list, r->arena, 128);
    json_array_foreach(s->enumeration, i, value)
    {
        const char *text = shown(r, value);
        buf_printf(&list, "%s%s", i ? ", " : "", text ? text : "…");
        if (json_is_string(value) && n < ARRAY_LEN(names))
            names[n++] = json_string_value(value); /* text is NULL for a long one */
    }
    fault = TELL(r, "enum", "this must be one of %s", "ini harus salah satu dari %s", buf_cstr(&list));
    tell_value(r, s, node, fault);
    if (fault && json_is_string(node))
        fault->suggestion = text_nearest(json_string_value(node), names, n);
    return false;
}

static bool check_const(struct run *r, const struct schema *s, const json_t *node)
{
    if (value_equal(r->numbers, s->constant, node))
        return true;
    tell_value(r, s, node,
               TELL(r, "const", "this must be exactly %s", "ini harus tepat %s", shown(r, s->constant) ? shown(r, s->constant) : "…"));
    return false;
}

static bool check_multiple(const struct decimal *value, const struct decimal *of)
{
    struct decimal q;
    bool whole;
    decimal_init(&q);
    whole = decimal_div(&q, value, of) && decimal_is_integer(&q);
    decimal_done(&q);
    return whole;
}

static bool check_number(struct run *r, const struct schema *s, const json_t *node)
{
    struct decimal value;
    bool fine = true;
    decimal_init(&value);
    if (!json_number_decimal(r->numbers, node, &value)) {
        TELL(r, "number-range", "this number is %s", "bilangan ini %s",
             r->ctx && r->ctx->lang == LANG_EN ? "out of all range" : "di luar jangkauan");
        decimal_done(&value);
        return false;
    }
#define BOUND(member, condition, code, en, id)                                                                                             \
    if (s->member.is_set && !(condition)) {                                                                                                \
        tell_value(r, s, node, TELL(r, code, en, id, s->member.text));                                                                     \
        fine = false;                                                                                                                      \
    }
    BOUND(minimum, decimal_compare(&value, &s->minimum.value) >= 0, "too-small", "this must be at least %s", "ini paling sedikit %s")
    BOUND(maximum, decimal_compare(&value, &s->maximum.value) <= 0, "too-large", "this must be at most %s", "ini paling banyak %s")
    BOUND(exclusive_minimum, decimal_compare(&value, &s->exclusive_minimum.value) > 0, "too-small", "this must be more than %s",
          "ini harus lebih dari %s")
    BOUND(exclusive_maximum, decimal_compare(&value, &s->exclusive_maximum.value) < 0, "too-large", "this must be less than %s",
          "ini harus kurang dari %s")
    BOUND(multiple_of, check_multiple(&value, &s->multiple_of.value), "not-multiple", "this must be a multiple of %s",
          "ini harus kelipatan %s")
#undef BOUND
    decimal_done(&value);
    return fine;
}

static bool check_string(struct run *r, const struct schema *s, const json_t *node)
{
    const char *text = json_string_value(node);
    size_t len = json_string_length(node);
    bool fine = true;
    if (s->min_length >= 0 || s->max_length >= 0) {
        int64_t n = (int64_t)utf8_length(text, len);
        if (s->min_length >= 0 && n < s->min_length) {
            tell_value(r, s, node,
                       TELL(r, "too-short", "this must have at least %lld characters", "ini paling sedikit %lld karakter",
                            (long long)s->min_length));
            fine = false;
        }
        if (s->max_length >= 0 && n > s->max_length) {
            tell_value(
                r, s, node,
                TELL(r, "too-long", "this may have at most %lld characters", "ini paling banyak %lld karakter", (long long)s->max_length));
            fine = false;
        }
    }
    if (s->pattern && !pattern_matches(s->pattern, text, len)) {
        tell_value(r, s, node, TELL(r, "pattern", "this does not have the form %s", "bentuk ini tidak sesuai %s", s->pattern_text));
        fine = false;
    }
    if (s->check) {
        const char *en = NULL, *id = NULL;
        if (!s->check(text, len, &en, &id)) {
            const char *code = arena_printf(r->arena, "format-%s", s->format);
            const char *words = r->ctx && r->ctx->lang == LANG_EN ? en : id;
            tell_value(r, s, node, TELL(r, code, "%s", "%s", words ? words : s->format));
            fine = false;
        }
    }
    return fine;
}

/* ── arrays ── */

struct hashed {
    uint64_t hash;
    size_t index;
};

static int by_hash(const void *a, const void *b)
{
    const struct hashed *x = a, *y = b;
    return x->hash < y->hash ? -1 : x->hash > y->hash ? 1 : x->index < y->index ? -1 : 1;
}

/* Sorted by hash, so that 10,000 items cost no 50 million comparisons. */
static bool check_unique(struct run *r, const json_t *node)
{
    size_t n = json_array_size(node);
    struct hashed *all;
    bool fine = true;
    if (n < 2)
        return true;
    all = arena_alloc(r->arena, n * sizeof *all);
    for (size_t i = 0; i < n; i++)
        all[i] = (struct hashed){value_hash(r->numbers, json_array_get(node, i)), i};
    qsort(all, n, sizeof *all, by_hash);
    for (size_t i = 1; i < n; i++) {
        for (size_t k = i; fine && k-- > 0 && all[k].hash == all[i].hash;) {
            if (!value_equal(r->numbers, json_array_get(node, all[k].index), json_array_get(node, all[i].index)))
                continue;
            size_t before = descend_index(r, all[i].index);
            TELL(r, "duplicate-items", "this stands there already, as item %zu", "ini sudah ada, sebagai butir %zu", all[k].index);
            r->path.len = before;
            fine = false;
        }
    }
    return fine;
}

static bool check_contains(struct run *r, const struct schema *s, const json_t *node, struct seen *seen)
{
    int64_t n = 0, least = s->min_contains >= 0 ? s->min_contains : 1;
    r->silent++;
    for (size_t i = 0; i < json_array_size(node); i++) {
        if (check(r, s->contains, json_array_get(node, i), NULL)) {
            n++;
            mark(seen, i);
        }
    }
    r->silent--;
    if (n >= least && (s->max_contains < 0 || n <= s->max_contains))
        return true;
    TELL(r, "contains", "%lld items have the required form", "%lld butir berbentuk seperti yang diminta", (long long)n);
    return false;
}

static bool check_array(struct run *r, const struct schema *s, const json_t *node, struct seen *seen)
{
    int64_t n = (int64_t)json_array_size(node);
    bool fine = true;
    if (s->min_items >= 0 && n < s->min_items) {
        TELL(r, "too-few-items", "this must have at least %lld items", "ini paling sedikit %lld butir", (long long)s->min_items);
        fine = false;
    }
    if (s->max_items >= 0 && n > s->max_items) {
        TELL(r, "too-many-items", "this may have at most %lld items", "ini paling banyak %lld butir", (long long)s->max_items);
        return false; /* do not look at a million items that are too many anyway */
    }
    for (size_t i = 0; i < (size_t)n; i++) {
        const struct schema *item = i < s->n_prefix ? s->prefix[i] : s->items;
        size_t before;
        if (!item)
            continue;
        before = descend_index(r, i);
        fine &= check(r, item, json_array_get(node, i), NULL);
        r->path.len = before;
        mark(seen, i);
        if (!fine && (r->silent || !r->ctx))
            return false;
    }
    if (s->contains)
        fine &= check_contains(r, s, node, seen);
    if (s->unique_items)
        fine &= check_unique(r, node);
    return fine;
}

/* ── objects ── */

static const struct schema *property_find(const struct schema *s, const char *name)
{
    for (size_t i = 0; i < s->n_properties; i++)
        if (strcmp(s->properties[i].name, name) == 0)
            return s->properties[i].schema;
    return NULL;
}

static void tell_unknown_member(struct run *r, const struct schema *s, const char *name)
{
    const char *names[256];
    size_t n = s->n_properties < ARRAY_LEN(names) ? s->n_properties : ARRAY_LEN(names);
    struct fault *fault;
    for (size_t i = 0; i < n; i++)
        names[i] = s->properties[i].name;
    fault = TELL(r, "unknown-member", "there is no member \"%.100s\" here", "tidak ada anggota \"%.100s\" di sini", name);
    if (fault)
        fault->suggestion = text_nearest(name, names, n);
}

/* One member against all that speaks of it by name. */
static bool check_member(struct run *r, const struct schema *s, const char *name, const json_t *value, bool *ret_known)
{
    const struct schema *own = property_find(s, name);
    bool fine = true;
    *ret_known = own != NULL;
    if (own)
        fine = check(r, own, value, NULL);
    for (size_t i = 0; i < s->n_pattern_properties; i++) {
        if (!s->pattern_properties[i].pattern || !pattern_matches(s->pattern_properties[i].pattern, name, strlen(name)))
            continue;
        *ret_known = true;
        fine &= check(r, s->pattern_properties[i].schema, value, NULL);
    }
    if (!*ret_known && s->additional) {
        if (s->additional->is_false)
            tell_unknown_member(r, s, name);
        fine &= s->additional->is_false ? false : check(r, s->additional, value, NULL);
        *ret_known = true;
    }
    return fine;
}

static bool check_name(struct run *r, const struct schema *s, const char *name)
{
    json_t *text = json_string(name);
    bool fine = !text || check(r, s->property_names, text, NULL);
    json_decref(text);
    return fine;
}

static bool check_required(struct run *r, const struct schema *s, const json_t *node)
{
    bool fine = true;
    for (size_t i = 0; i < s->n_required; i++) {
        size_t before;
        if (json_object_get(node, s->required[i]))
            continue;
        before = descend(r, s->required[i]);
        TELL(r, "required", "%s is missing", "%s belum ada", s->required[i]);
        r->path.len = before;
        fine = false;
    }
    return fine;
}

static bool check_dependents(struct run *r, const struct schema *s, const json_t *node, struct seen *seen)
{
    bool fine = true;
    const char *name;
    json_t *list;
    for (size_t i = 0; i < s->n_dependent_schemas; i++)
        if (json_object_get(node, s->dependent_schemas[i].name))
            fine &= check(r, s->dependent_schemas[i].schema, node, seen);
    json_object_foreach((json_t *)(uintptr_t)s->dependent_required, name, list)
    {
        size_t i;
        const json_t *other;
        if (!json_object_get(node, name))
            continue;
        json_array_foreach(list, i, other)
        {
            if (json_object_get(node, json_string_value(other)))
                continue;
            TELL(r, "required", "%s needs %s beside it", "%s memerlukan %s", name, json_string_value(other));
            fine = false;
        }
    }
    return fine;
}

static bool check_object(struct run *r, const struct schema *s, const json_t *node, struct seen *seen)
{
    int64_t n = (int64_t)json_object_size(node);
    bool fine = check_required(r, s, node), known;
    const char *name;
    json_t *value;
    size_t i = 0;
    if (s->min_properties >= 0 && n < s->min_properties) {
        TELL(r, "too-few-members", "this must have at least %lld members", "ini paling sedikit %lld anggota", (long long)s->min_properties);
        fine = false;
    }
    if (s->max_properties >= 0 && n > s->max_properties) {
        TELL(r, "too-many-members", "this may have at most %lld members", "ini paling banyak %lld anggota", (long long)s->max_properties);
        return false;
    }
    json_object_foreach((json_t *)(uintptr_t)node, name, value)
    {
        size_t before = descend(r, name);
        fine &= check_member(r, s, name, value, &known);
        if (s->property_names)
            fine &= check_name(r, s, name);
        r->path.len = before;
        if (known)
            mark(seen, i);
        i++;
    }
    if (s->n_dependent_schemas || s->dependent_required)
        fine &= check_dependents(r, s, node, seen);
    return fine;
}

/* ── combinations ── */

/* A branch tried in silence; what it has seen counts only if it fits. */
static bool try(struct run *r, const struct schema *s, const json_t *node, struct seen *seen)
{
    struct seen own = {0};
    bool fits;
    if (seen && seen->marks) {
        own.n = seen->n;
        own.marks = arena_zalloc(r->arena, seen->n + 1);
    }
    r->silent++;
    fits = check(r, s, node, &own);
    r->silent--;
    for (size_t i = 0; fits && i < own.n; i++)
        if (own.marks[i])
            seen->marks[i] = true;
    return fits;
}

/* The branch that the client most likely meant: the only one (but null) that admits this type, seen through references. */
static const struct schema *meant(struct run *r, const struct schema *const *branches, size_t n, const json_t *node)
{
    unsigned types = value_types(r->numbers, node);
    const struct schema *found = NULL;
    for (size_t i = 0; i < n; i++) {
        const struct schema *s = branches[i];
        while (s->ref && !s->types)
            s = s->ref;
        if (s->types && !(s->types & types))
            continue;
        if (found)
            return NULL;
        found = branches[i];
    }
    return found;
}

static bool check_any(struct run *r, const struct schema *s, const json_t *node, struct seen *seen)
{
    bool fits = false;
    const struct schema *one;
    for (size_t i = 0; i < s->n_any_of; i++) {
        fits |= try(r, s->any_of[i], node, seen);
        if (fits && (!seen || !seen->marks))
            return true;
    }
    if (fits)
        return true;
    one = meant(r, s->any_of, s->n_any_of, node);
    if (one && !r->silent && r->ctx)
        check(r, one, node, NULL);
    else
        TELL(r, "any-of", "this has none of the %zu forms that are allowed", "ini bukan salah satu dari %zu bentuk yang diizinkan",
             s->n_any_of);
    return false;
}

static bool check_one(struct run *r, const struct schema *s, const json_t *node, struct seen *seen)
{
    size_t fits = 0;
    const struct schema *one;
    for (size_t i = 0; i < s->n_one_of && fits < 2; i++)
        fits += try(r, s->one_of[i], node, seen);
    if (fits == 1)
        return true;
    one = fits ? NULL : meant(r, s->one_of, s->n_one_of, node);
    if (one && !r->silent && r->ctx)
        check(r, one, node, NULL);
    else if (fits)
        TELL(r, "one-of", "this has %s of the forms of which exactly one is allowed", "ini memiliki %s bentuk; hanya satu yang diizinkan",
             r->ctx && r->ctx->lang == LANG_EN ? "several" : "beberapa");
    else
        TELL(r, "one-of", "this has none of the %zu forms that are allowed", "ini bukan salah satu dari %zu bentuk yang diizinkan",
             s->n_one_of);
    return false;
}

static bool check_combinations(struct run *r, const struct schema *s, const json_t *node, struct seen *seen)
{
    bool fine = true;
    if (s->ref)
        fine &= check(r, s->ref, node, seen);
    for (size_t i = 0; i < s->n_all_of; i++)
        fine &= check(r, s->all_of[i], node, seen);
    if (s->n_any_of)
        fine &= check_any(r, s, node, seen);
    if (s->n_one_of)
        fine &= check_one(r, s, node, seen);
    if (s->negated && try(r, s->negated, node, NULL)) {
        TELL(r, "not", "%s", "%s",
             r->ctx && r->ctx->lang == LANG_EN ? "this has a form that is not allowed" : "bentuk ini tidak diizinkan");
        fine = false;
    }
    if (s->if_) {
        const struct schema *then = try(r, s->if_, node, seen) ? s->then_ : s->else_;
        if (then)
            fine &= check(r, then, node, seen);
    }
    return fine;
}

static bool check_unevaluated(struct run *r, const struct schema *s, const json_t *node, struct seen *seen)
{
    bool fine = true;
    const char *name;
    json_t *value;
    size_t i = 0;
    if (s->unevaluated_properties && json_is_object(node)) {
        json_object_foreach((json_t *)(uintptr_t)node, name, value)
        {
            size_t before = descend(r, name);
            if (!seen->marks[i]) {
                if (s->unevaluated_properties->is_false)
                    tell_unknown_member(r, s, name);
                fine &= s->unevaluated_properties->is_false ? false : check(r, s->unevaluated_properties, value, NULL);
                seen->marks[i] = true;
            }
            r->path.len = before;
            i++;
        }
    }
    if (s->unevaluated_items && json_is_array(node)) {
        json_array_foreach(node, i, value)
        {
            size_t before = descend_index(r, i);
            if (!seen->marks[i])
                fine &= check(r, s->unevaluated_items, value, NULL);
            seen->marks[i] = true;
            r->path.len = before;
        }
    }
    return fine;
}

static bool check_own(struct run *r, const struct schema *s, const json_t *node, struct seen *seen)
{
    bool fine = true;
    if (s->enumeration)
        fine &= check_enum(r, s, node);
    if (s->constant)
        fine &= check_const(r, s, node);
    if (json_is_number(node))
        fine &= check_number(r, s, node);
    else if (json_is_string(node))
        fine &= check_string(r, s, node);
    else if (json_is_array(node))
        fine &= check_array(r, s, node, seen);
    else if (json_is_object(node))
        fine &= check_object(r, s, node, seen);
    return fine;
}

static bool check(struct run *r, const struct schema *s, const json_t *node, struct seen *seen)
{
    struct seen own = {0}, *used = seen;
    bool fine;
    if (s->is_false) {
        TELL(r, "not-allowed", "%s", "%s",
             r->ctx && r->ctx->lang == LANG_EN ? "nothing is allowed here" : "tidak boleh ada apa pun di sini");
        return false;
    }
    if (++r->depth > DEPTH_MAX) {
        r->depth--;
        TELL(r, "too-deep", "%s", "%s", r->ctx && r->ctx->lang == LANG_EN ? "this is nested too deep" : "susunan ini terlalu dalam");
        return false;
    }
    if (s->unevaluated_properties || s->unevaluated_items) { /* what cousins have seen does not count here */
        own.n = json_is_object(node) ? json_object_size(node) : json_array_size(node);
        own.marks = arena_zalloc(r->arena, own.n + 1);
        used = &own;
    }
    fine = check_type(r, s, node);
    if (fine)
        fine = check_own(r, s, node, used);
    if (fine || !s->types || (s->types & value_types(r->numbers, node)))
        fine &= check_combinations(r, s, node, used);
    if (used == &own) {
        fine &= check_unevaluated(r, s, node, used);
        for (size_t i = 0; seen && seen->marks && i < own.n; i++)
            seen->marks[i] |= own.marks[i];
    }
    r->depth--;
    return fine;
}

bool schema_validate(struct ctx *ctx, const struct schema *schema, const json_t *instance, const struct json_numbers *numbers,
                     const char *prefix)
{
    struct arena *own = ctx ? NULL : arena_new(0);
    struct run r = {.ctx = ctx, .numbers = numbers, .arena = ctx ? ctx->arena : own};
    bool fine;
    buf_init(&r.path, r.arena, 128);
    buf_puts(&r.path, prefix);
    fine = check(&r, schema, instance, NULL);
    arena_free(own);
    return fine;
}
