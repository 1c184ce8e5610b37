/* SPDX-License-Identifier: Apache-2.0 */
/* Validating an instance against a compiled schema. All faults are collected with their JSON Pointers; inside anyOf, oneOf, not, if and contains
 * branches are tried in silence. What unevaluatedProperties and unevaluatedItems need to know is noted by position. Depth and the number of
 * steps are bounded, so that no input makes a schema that branches into itself run for long. */
#include "validate.h"

#include <string.h>

#define DEPTH_MAX 400
#define STEPS_MAX 4000000

size_t descend(struct run *r, const char *token)
{
    size_t before = r->path.len;
    if (!is_loud(r))
        return before;
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

size_t descend_index(struct run *r, size_t index)
{
    size_t before = r->path.len;
    if (!is_loud(r))
        return before;
    buf_putc(&r->path, '/');
    buf_put_i64(&r->path, (int64_t)index);
    return before;
}

/* ── branches ── */

/* Tried in silence; what it has seen counts only if it fits. */
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

static bool admits_type(struct run *r, const struct schema *s, const json_t *node)
{
    while (s->ref && !s->types)
        s = s->ref;
    return !s->is_false && (!s->types || s->types & types_of(r, node));
}

/* The only branch besides `type: null`, or NULL. */
static const struct schema *but_null(const struct schema_list *branches)
{
    const struct schema *found = NULL;
    for (size_t i = 0; i < branches->n; i++) {
        if (branches->rows[i]->types == TYPE_NULL)
            continue;
        if (found)
            return NULL;
        found = branches->rows[i];
    }
    return found;
}

/* How far a branch is from fitting: a wrong constant weighs most, since constants tell variants apart. */
static int distance(struct run *r, const struct schema *s, const json_t *node)
{
    struct ctx *told = r->ctx, probe = *told;
    int far;
    probe.problem = (struct problem){0};
    r->ctx = &probe;
    check(r, s, node, NULL);
    r->ctx = told;
    far = probe.problem.n_faults;
    for (const struct fault *f = probe.problem.first_fault; f; f = f->next)
        if (strcmp(f->code, "const") == 0 || strcmp(f->code, "enum") == 0)
            far += 1000;
    return far;
}

/* The branch that is nearest to fitting, of those that admit such a type; NULL if two are as near. */
static const struct schema *nearest_branch(struct run *r, const struct schema_list *branches, const json_t *node)
{
    const struct schema *best = NULL;
    int least = 0, far = 0;
    size_t n_open = 0;
    for (size_t i = 0; i < branches->n; i++)
        n_open += admits_type(r, branches->rows[i], node);
    for (size_t i = 0; i < branches->n; i++) {
        const struct schema *s = branches->rows[i];
        if (!admits_type(r, s, node))
            continue;
        far = n_open > 1 ? distance(r, s, node) : 1;
        if (far == least)
            best = NULL;
        if (!least || far < least) {
            least = far;
            best = s;
        }
    }
    return best;
}

/* The members that a branch demands, when that is all it says or by what it refers to. */
static const struct schema *demanding(const struct schema *s)
{
    while (s->ref && !s->n_required)
        s = s->ref;
    return s->n_required ? s : NULL;
}

static bool demands_only(const struct schema *s)
{
    return s->n_required && !s->properties.n && !s->ref && !s->all_of.n && !s->negated;
}

/* The text that a member must be in this branch, or NULL. */
static const char *constant_of(const struct schema *s, const char *name)
{
    for (size_t i = 0; i < s->properties.n; i++)
        if (strcmp(s->properties.rows[i].name, name) == 0)
            return json_string_value(s->properties.rows[i].schema->constant);
    return NULL;
}

static void name_member(struct buf *out, const struct schema *s, const char *name)
{
    const char *constant = constant_of(s, name);
    buf_printf(out, "`%s`", name);
    if (constant)
        buf_printf(out, " \"%s\"", constant);
}

/* "`a` and `b`, or `kind` \"x\" and `c`"; NULL when a branch demands nothing. */
static const char *branches_by_members(struct run *r, const struct schema_list *branches)
{
    const char *also = r->ctx->lang == LANG_EN ? " and " : " dan ", *instead = r->ctx->lang == LANG_EN ? ", or " : ", atau ";
    struct buf out;
    buf_init(&out, r->arena, 128);
    for (size_t i = 0; i < branches->n; i++) {
        const struct schema *s = demanding(branches->rows[i]);
        if (!s)
            return NULL;
        for (size_t k = 0; k < s->n_required; k++) {
            buf_puts(&out, k ? also : i ? instead : "");
            name_member(&out, s, s->required[k]);
        }
    }
    return buf_cstr(&out);
}

static bool all_demand_only(const struct schema_list *branches)
{
    for (size_t i = 0; i < branches->n; i++)
        if (!demands_only(branches->rows[i]))
            return false;
    return branches->n > 0;
}

static void tell_forms(struct run *r, const char *code, const struct schema_list *branches, const json_t *node)
{
    const char *members = json_is_object(node) ? branches_by_members(r, branches) : NULL;
    if (members)
        TELL(r, code, "give either %s", "berikan salah satu: %s", members);
    else
        TELL(r, code, "this has none of the %zu forms that are allowed here", "ini bukan salah satu dari %zu bentuk yang diizinkan di sini",
             branches->n);
}

/* None of the branches fits: the faults of the one that was most likely meant, if there is one such, are more use than a list of all. Of those
 * that only demand members none is more likely than another. */
static void tell_branches(struct run *r, const char *code, const struct schema_list *branches, const json_t *node)
{
    const struct schema *best;
    if (!is_worth_words(r))
        return;
    best = but_null(branches);
    if (!best && !all_demand_only(branches))
        best = nearest_branch(r, branches, node);
    if (best)
        check(r, best, node, NULL);
    else
        tell_forms(r, code, branches, node);
}

static void tell_too_many(struct run *r, const struct schema_list *branches)
{
    if (!is_worth_words(r))
        return;
    if (all_demand_only(branches))
        TELL(r, "one-of", "give only one of these: %s", "berikan hanya satu dari ini: %s", branches_by_members(r, branches));
    else
        TELL(r, "one-of", "this has several of the forms of which exactly one is allowed",
             "ini sesuai dengan beberapa bentuk; hanya satu yang boleh");
}

static bool check_any(struct run *r, const struct schema *s, const json_t *node, struct seen *seen)
{
    bool fits = false;
    for (size_t i = 0; i < s->any_of.n; i++) {
        fits |= try(r, s->any_of.rows[i], node, seen);
        if (fits && (!seen || !seen->marks))
            return true;
    }
    if (!fits) {
        tell_branches(r, "any-of", &s->any_of, node);
        mark_all(seen);
    }
    return fits;
}

static bool check_one(struct run *r, const struct schema *s, const json_t *node, struct seen *seen)
{
    size_t fits = 0;
    for (size_t i = 0; i < s->one_of.n && fits < 2; i++)
        fits += try(r, s->one_of.rows[i], node, seen);
    if (fits == 0)
        tell_branches(r, "one-of", &s->one_of, node);
    else if (fits > 1)
        tell_too_many(r, &s->one_of);
    if (fits != 1)
        mark_all(seen);
    return fits == 1;
}

static bool check_combinations(struct run *r, const struct schema *s, const json_t *node, struct seen *seen)
{
    bool fine = true;
    if (s->ref)
        fine &= check(r, s->ref, node, seen);
    for (size_t i = 0; i < s->all_of.n && (fine || is_loud(r)); i++)
        fine &= check(r, s->all_of.rows[i], node, seen);
    if (s->any_of.n && (fine || is_loud(r)))
        fine &= check_any(r, s, node, seen);
    if (s->one_of.n && (fine || is_loud(r)))
        fine &= check_one(r, s, node, seen);
    if (s->negated && try(r, s->negated, node, NULL)) {
        TELL(r, "not", "this has a form that is not allowed here", "bentuk ini tidak diizinkan di sini");
        fine = false;
    }
    if (s->if_) {
        const struct schema *then = try(r, s->if_, node, seen) ? s->then_ : s->else_;
        if (then)
            fine &= check(r, then, node, seen);
    }
    return fine;
}

/* ── what nobody has looked at ── */

static bool check_unevaluated_members(struct run *r, const struct schema *s, const json_t *node, struct seen *seen)
{
    const char *name;
    json_t *value;
    size_t i = 0;
    bool fine = true;
    json_object_foreach((json_t *)(uintptr_t)node, name, value)
    {
        size_t before = descend(r, name);
        if (!seen->marks[i]) {
            if (s->unevaluated_properties->is_false)
                tell_unknown_member(r, s, name);
            fine &= !s->unevaluated_properties->is_false && check(r, s->unevaluated_properties, value, NULL);
        }
        seen->marks[i++] = true;
        r->path.len = before;
    }
    return fine;
}

static bool check_unevaluated_items(struct run *r, const struct schema *s, const json_t *node, struct seen *seen)
{
    size_t i;
    const json_t *item;
    bool fine = true;
    json_array_foreach(node, i, item)
    {
        size_t before = descend_index(r, i);
        if (!seen->marks[i])
            fine &= check(r, s->unevaluated_items, item, NULL);
        seen->marks[i] = true;
        r->path.len = before;
    }
    return fine;
}

/* ── one schema, one instance ── */

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

/* Of a wrong type only the type is told: what it is composed of would say the same again. */
static bool check_all(struct run *r, const struct schema *s, const json_t *node, struct seen *seen)
{
    bool fine;
    if (!check_type(r, s, node)) {
        mark_all(seen);
        return false;
    }
    fine = check_own(r, s, node, seen);
    if (fine || is_loud(r))
        fine &= check_combinations(r, s, node, seen);
    return fine;
}

static bool check_with_unevaluated(struct run *r, const struct schema *s, const json_t *node, struct seen *seen)
{
    size_t n = json_is_object(node) ? json_object_size(node) : json_array_size(node);
    struct seen own = {arena_zalloc(r->arena, n + 1), n}; /* what cousins have seen does not count here */
    bool fine = check_all(r, s, node, &own);
    if ((fine || is_loud(r)) && s->unevaluated_properties && json_is_object(node))
        fine &= check_unevaluated_members(r, s, node, &own);
    if ((fine || is_loud(r)) && s->unevaluated_items && json_is_array(node))
        fine &= check_unevaluated_items(r, s, node, &own);
    for (size_t i = 0; seen && seen->marks && i < n; i++)
        seen->marks[i] |= own.marks[i];
    return fine;
}

bool check(struct run *r, const struct schema *s, const json_t *node, struct seen *seen)
{
    bool fine;
    if (s->is_false) {
        TELL(r, "not-allowed", "nothing is allowed here", "tidak boleh ada apa pun di sini");
        return false;
    }
    if (r->depth == DEPTH_MAX || r->steps == STEPS_MAX) {
        r->is_exhausted = true;
        return false;
    }
    r->steps++;
    r->depth++;
    r->secret += s->is_secret;
    if (s->unevaluated_properties || s->unevaluated_items)
        fine = check_with_unevaluated(r, s, node, seen);
    else
        fine = check_all(r, s, node, seen);
    r->secret -= s->is_secret;
    r->depth--;
    return fine;
}

bool schema_validate(struct ctx *ctx, const struct schema *schema, const json_t *instance, const struct json_numbers *numbers,
                     const char *prefix)
{
    struct arena *own = ctx ? NULL : arena_new(0);
    struct run r = {.ctx = ctx, .numbers = numbers, .arena = ctx ? ctx->arena : own};
    bool fine;
    buf_init(&r.path, r.arena, 0);
    buf_puts(&r.path, prefix);
    fine = check(&r, schema, instance, NULL) && !r.is_exhausted;
    if (r.is_exhausted)
        TELL(&r, "too-complex", "this is nested too deep, or there is too much of it to check",
             "susunan ini terlalu dalam atau terlalu banyak untuk diperiksa");
    arena_free(own);
    return fine;
}
