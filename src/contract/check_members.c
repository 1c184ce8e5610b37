/* SPDX-License-Identifier: Apache-2.0 */
/* Validating what is inside arrays and objects, and how much of it there is. */
#include "validate.h"

#include <stdlib.h>
#include <string.h>

/* ── arrays ── */

static bool check_unique(struct run *r, const json_t *node)
{
    size_t first, second, before;
    if (!find_duplicate(r->arena, r->numbers, node, &first, &second))
        return true;
    before = descend_index(r, second);
    TELL(r, "duplicate-items", "this stands there already, as item %zu", "ini sudah ada, sebagai butir %zu", first);
    r->path.len = before;
    return false;
}

static bool check_contains(struct run *r, const struct schema *s, const json_t *node, struct seen *seen)
{
    long long n = 0, least = s->min_contains >= 0 ? s->min_contains : 1, most = s->max_contains;
    r->silent++;
    for (size_t i = 0; i < json_array_size(node); i++) {
        if (check(r, s->contains, json_array_get(node, i), NULL)) {
            n++;
            mark(seen, i);
        }
    }
    r->silent--;
    if (n < least)
        TELL(r, "contains", "%lld items have the required form; at least %lld must", "%lld butir sesuai syarat; paling sedikit %lld", n,
             least);
    else if (most >= 0 && n > most)
        TELL(r, "contains", "%lld items have the limited form; at most %lld may", "%lld butir sesuai syarat; paling banyak %lld", n, most);
    return n >= least && (most < 0 || n <= most);
}

static bool check_items(struct run *r, const struct schema *s, const json_t *node, struct seen *seen)
{
    size_t n = json_array_size(node);
    bool fine = true;
    if (!s->items && n > s->prefix.n)
        n = s->prefix.n;
    for (size_t i = 0; i < n; i++) {
        const struct schema *item = i < s->prefix.n ? s->prefix.rows[i] : s->items;
        size_t before = descend_index(r, i);
        fine &= check(r, item, json_array_get(node, i), NULL);
        r->path.len = before;
        mark(seen, i);
        if (!fine && !is_loud(r))
            return false;
    }
    return fine;
}

bool check_array(struct run *r, const struct schema *s, const json_t *node, struct seen *seen)
{
    long long n = (long long)json_array_size(node);
    bool fine = true;
    if (s->min_items >= 0 && n < s->min_items) {
        TELL(r, "too-few-items", "this must have at least %lld items", "ini paling sedikit %lld butir", (long long)s->min_items);
        fine = false;
    }
    if (s->max_items >= 0 && n > s->max_items) {
        TELL(r, "too-many-items", "this may have at most %lld items", "ini paling banyak %lld butir", (long long)s->max_items);
        mark_all(seen);
        return false; /* a million items that are too many anyway are not looked at */
    }
    fine &= check_items(r, s, node, seen);
    if (s->contains)
        fine &= check_contains(r, s, node, seen);
    if (s->unique_items)
        fine &= check_unique(r, node);
    return fine;
}

/* ── objects ── */

static const struct schema *property_find(const struct schema *s, const char *name)
{
    size_t low = 0, high = s->sorted.n;
    while (low < high) {
        size_t middle = (low + high) / 2;
        int order = strcmp(name, s->sorted.rows[middle].name);
        if (order == 0)
            return s->sorted.rows[middle].schema;
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

/* The names that an object may have, also by what it is composed of. */
static size_t known_names(const struct schema *s, const char **names, size_t n, size_t cap)
{
    for (size_t i = 0; i < s->properties.n && n < cap; i++)
        names[n++] = s->properties.rows[i].name;
    if (s->ref)
        n = known_names(s->ref, names, n, cap);
    for (size_t i = 0; i < s->all_of.n; i++)
        n = known_names(s->all_of.rows[i], names, n, cap);
    return n;
}

void tell_unknown_member(struct run *r, const struct schema *s, const char *name)
{
    const char *names[256], *nearest;
    struct fault *fault;
    if (!is_worth_words(r))
        return;
    nearest = text_nearest(name, names, known_names(s, names, 0, ARRAY_LEN(names)));
    if (nearest)
        fault = TELL(r, "unknown-member", "there is no member \"%.100s\" here; is \"%s\" meant?",
                     "tidak ada anggota \"%.100s\" di sini; maksudnya \"%s\"?", name, nearest);
    else
        fault = TELL(r, "unknown-member", "there is no member \"%.100s\" here", "tidak ada anggota \"%.100s\" di sini", name);
    if (fault)
        fault->suggestion = nearest;
}

/* One member against all that speaks of it by name. */
static bool check_member(struct run *r, const struct schema *s, const char *name, const json_t *value, bool *ret_known)
{
    const struct schema *own = property_find(s, name);
    bool fine = true;
    *ret_known = own != NULL;
    if (own)
        fine = check(r, own, value, NULL);
    for (size_t i = 0; i < s->pattern_properties.n; i++) {
        const struct named_schema *row = &s->pattern_properties.rows[i];
        if (!pattern_matches(r->arena, &r->match_data, &row->pattern, name, strlen(name)))
            continue;
        *ret_known = true;
        fine &= check(r, row->schema, value, NULL);
    }
    if (!*ret_known && s->additional) {
        *ret_known = true;
        if (!s->additional->is_false)
            return fine & check(r, s->additional, value, NULL);
        tell_unknown_member(r, s, name);
        return false;
    }
    return fine;
}

static bool check_name(struct run *r, const struct schema *s, const char *name)
{
    json_t *text = json_string(name);
    bool fine = check(r, s->property_names, text, NULL);
    json_decref(text);
    return fine;
}

static bool check_members(struct run *r, const struct schema *s, const json_t *node, struct seen *seen)
{
    const char *name;
    json_t *value;
    size_t i = 0;
    bool fine = true, known;
    if (!s->properties.n && !s->pattern_properties.n && !s->additional && !s->property_names)
        return true;
    json_object_foreach((json_t *)(uintptr_t)node, name, value)
    {
        size_t before = descend(r, name);
        fine &= check_member(r, s, name, value, &known);
        if (s->property_names)
            fine &= check_name(r, s, name);
        r->path.len = before;
        if (!fine && !is_loud(r))
            return false;
        if (known)
            mark(seen, i);
        i++;
    }
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
    for (size_t i = 0; i < s->dependent_schemas.n; i++)
        if (json_object_get(node, s->dependent_schemas.rows[i].name))
            fine &= check(r, s->dependent_schemas.rows[i].schema, node, seen);
    json_object_foreach((json_t *)(uintptr_t)s->dependent_required, name, list)
    {
        size_t i, before;
        const json_t *other;
        if (!json_object_get(node, name))
            continue;
        json_array_foreach(list, i, other)
        {
            if (json_object_get(node, json_string_value(other)))
                continue;
            before = descend(r, json_string_value(other));
            TELL(r, "required", "%s needs %s beside it", "%s memerlukan %s", name, json_string_value(other));
            r->path.len = before;
            fine = false;
        }
    }
    return fine;
}

bool check_object(struct run *r, const struct schema *s, const json_t *node, struct seen *seen)
{
    long long n = (long long)json_object_size(node);
    bool fine = check_required(r, s, node);
    if (s->min_properties >= 0 && n < s->min_properties) {
        TELL(r, "too-few-members", "this must have at least %lld members", "ini paling sedikit %lld anggota", (long long)s->min_properties);
        fine = false;
    }
    if (s->max_properties >= 0 && n > s->max_properties) {
        TELL(r, "too-many-members", "this may have at most %lld members", "ini paling banyak %lld anggota", (long long)s->max_properties);
        mark_all(seen);
        return false;
    }
    fine &= check_members(r, s, node, seen);
    if (s->dependent_schemas.n || s->dependent_required)
        fine &= check_dependents(r, s, node, seen);
    return fine;
}
