/* SPDX-License-Identifier: Apache-2.0 */
/* What a caller may at one operation. Scopes give it within his units; roles give it by the matrix. Of rows that do not ask who it is about the widest holds, with what
 * the roles that reach as far bring: so nobody sees of wide rows what he may see of narrow ones only. */
#include <stdlib.h>
#include <string.h>

#include "asnd/arena.h"
#include "asnd/auth.h"
#include "asnd/buf.h"

#define BIT(i) (UINT32_C(1) << (i))

static void take_cell(struct grant *grant, enum row_scope rows, size_t role)
{
    if (rows != ROWS_NONE && rows <= ROWS_PERSONAL) {
        grant->personal[rows] |= BIT(role);
    } else if (rows > grant->rows) {
        grant->rows = rows;
        grant->roles = BIT(role);
    } else if (rows == grant->rows && rows != ROWS_NONE) {
        grant->roles |= BIT(role);
    }
}

static void take_scopes(struct grant *grant, const struct operation *operation, const struct actor *actor)
{
    enum row_scope rows = strcmp(actor->units, ACTOR_UNITS_ALL) == 0 ? ROWS_ALL : ROWS_UNITS;
    for (size_t i = 0; i < operation->n_scopes && !grant->missing; i++)
        if (!actor_has_scope(actor, operation->scopes[i]))
            grant->missing = operation->scopes[i];
    if (grant->missing || rows < grant->rows)
        return;
    if (rows > grant->rows)
        grant->roles = 0;
    grant->rows = rows;
    grant->by_scopes = true;
}

struct grant grant_of(const struct matrix *matrix, const struct operation *operation, const struct actor *actor)
{
    const struct matrix_row *row = matrix_row(matrix, operation);
    struct grant grant = {0};
    size_t n;
    const struct matrix_role *roles = matrix_roles(matrix, &n);
    for (size_t i = 0; i < n; i++) {
        enum row_scope rows = (enum row_scope)row->rows[i];
        if (actor->roles & BIT(i) ||
            (roles[i].held_with >= 0 && actor->roles & BIT(roles[i].held_with) && rows != ROWS_NONE && rows <= ROWS_PERSONAL))
            take_cell(&grant, rows, i);
    }
    take_scopes(&grant, operation, actor);
    return grant;
}

bool grant_is_personal(const struct grant *grant)
{
    for (int rows = ROWS_SELF; rows <= ROWS_PERSONAL; rows++)
        if (grant->personal[rows])
            return true;
    return false;
}

static const char *const rule_names[] = {[RULE_SCOPES] = "scopes",
                                         [RULE_ROLE] = "role",
                                         [RULE_SELF] = "subject-self",
                                         [RULE_REPORTS] = "subject-reports",
                                         [RULE_ASSESSED] = "subject-assessed",
                                         [RULE_COLLEAGUES] = "subject-colleagues",
                                         [RULE_SCOPE_MISSING] = "scope-missing",
                                         [RULE_SUBJECT_WANTED] = "subject-wanted",
                                         [RULE_OUT_OF_REACH] = "subject-out-of-reach",
                                         [RULE_OWN_RECORD] = "own-record"};

const char *access_rule_name(enum access_rule rule)
{
    return rule_names[rule];
}

bool access_rule_gives(enum access_rule rule)
{
    return rule <= RULE_COLLEAGUES;
}

enum access_rule grant_rule(const struct matrix_row *row, const struct grant *grant, const struct standing *standing, bool has_subject)
{
    bool is_wide = grant->rows != ROWS_NONE;
    if (!is_wide && !grant_is_personal(grant))
        return RULE_SCOPE_MISSING;
    if (standing && row->never_own && standing->is[ROWS_SELF])
        return RULE_OWN_RECORD;
    if (is_wide && (!has_subject || (standing && standing->is_within)))
        return grant->by_scopes ? RULE_SCOPES : RULE_ROLE;
    for (int rows = ROWS_SELF; standing && rows <= ROWS_PERSONAL; rows++)
        if (standing->is[rows] && grant->personal[rows])
            return (enum access_rule)(RULE_SELF + rows - ROWS_SELF);
    return has_subject ? RULE_OUT_OF_REACH : RULE_SUBJECT_WANTED;
}

const char *grant_units(const struct grant *grant, const struct actor *actor)
{
    switch (grant->rows) {
    case ROWS_UNITS:
        return actor->units;
    case ROWS_AGENCY:
        return actor->agency;
    case ROWS_ALL:
        return ACTOR_UNITS_ALL;
    default:
        return "{}";
    }
}

/* ── the caller as the operation sees him ── */

static void put_scope(struct buf *out, const char *scope)
{
    buf_printf(out, "%s%s", out->len > 1 ? "," : "", scope);
}

static void put_brought(struct buf *out, const struct matrix *matrix, uint32_t held)
{
    size_t n;
    const struct matrix_role *roles = matrix_roles(matrix, &n);
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; held & BIT(i) && k < roles[i].n_gives; k++)
            put_scope(out, roles[i].gives[k]);
}

/* Roles that bring something for everybody's rows: not those that somebody has as a person. */
static uint32_t of_office(const struct matrix *matrix, uint32_t held)
{
    size_t n;
    const struct matrix_role *roles = matrix_roles(matrix, &n);
    for (size_t i = 0; i < n; i++)
        if (roles[i].is_personal)
            held &= ~BIT(i);
    return held;
}

static uint32_t personal_roles(const struct grant *grant, const struct standing *standing)
{
    uint32_t held = 0;
    for (int rows = ROWS_SELF; standing && rows <= ROWS_PERSONAL; rows++)
        if (standing->is[rows])
            held |= grant->personal[rows];
    return held;
}

struct actor *grant_narrow(const struct matrix *matrix, const struct operation *operation, const struct actor *actor,
                           const struct grant *grant, const struct standing *standing)
{
    struct arena *arena = arena_new(1024);
    bool is_wide = grant->rows != ROWS_NONE && (!standing || standing->is_within);
    uint32_t personal = personal_roles(grant, standing);
    struct actor_facts facts = {.key_id = actor->key_id,
                                .name = actor->name,
                                .agency = actor->agency,
                                .roles_literal = actor->roles_literal,
                                .roles = actor->roles,
                                .nip = actor->nip,
                                .expires_us = actor->expires_us};
    struct actor *narrow = NULL;
    struct buf scopes;
    buf_init(&scopes, arena, 256);
    buf_putc(&scopes, '{');
    for (size_t i = 0; i < operation->n_scopes; i++)
        put_scope(&scopes, operation->scopes[i]);
    if (is_wide)
        put_brought(&scopes, matrix, of_office(matrix, grant->roles));
    for (size_t i = 0; is_wide && grant->by_scopes && i < actor->n_scopes; i++)
        put_scope(&scopes, actor->scopes[i]);
    put_brought(&scopes, matrix, personal);
    buf_putc(&scopes, '}');
    facts.scopes_literal = buf_cstr(&scopes);
    facts.units = is_wide ? grant_units(grant, actor) : standing ? arena_printf(arena, "{\"%s\"}", standing->path) : "{}";
    if (is_wide || personal)
        narrow = actor_new(&facts);
    arena_free(arena);
    return narrow;
}

uint32_t roles_of_literal(const struct matrix *matrix, const char *literal)
{
    uint32_t roles = 0;
    const char *p = literal + (*literal == '{');
    while (*p && *p != '}') {
        size_t len = strcspn(p, ",}");
        int role = matrix_role_find(matrix, p, len);
        if (role >= 0)
            roles |= BIT(role);
        p += len + (p[len] == ',');
    }
    return roles;
}
