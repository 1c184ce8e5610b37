/* SPDX-License-Identifier: Apache-2.0 */
/* access.yaml, read and held against the contract. What an operation's row does not name, nobody may by a role. */
#include "asnd/matrix.h"

#include <stdlib.h>
#include <string.h>

#include "internal.h"

#define ROLE_INTEGRATOR "integrator"
#define ROLE_PUBLIC     "public"

static const char *const row_names[ROW_SCOPES] = {"none", "self", "reports", "assessed", "colleagues", "units", "agency", "all"};

struct matrix {
    struct arena *arena;
    const struct contract *contract;
    struct matrix_role roles[MATRIX_ROLES_MAX];
    size_t n_roles;
    struct matrix_row *rows; /* by operation->index */
    int faults;
};

struct reading {
    struct matrix *matrix;
    const char *name;
    const struct node_map *places;
    FILE *err;
    bool is_partial; /* x-partial */
    int faults;
};

static void PRINTF_LIKE(3, 4) fault(struct reading *r, const json_t *node, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    fprintf(r->err, "%s:%d: ", r->name, places_line(r->places, node));
    vfprintf(r->err, fmt, ap);
    fputc('\n', r->err);
    va_end(ap);
    r->faults++;
}

const char *row_scope_name(enum row_scope rows)
{
    return row_names[rows];
}

static enum row_scope row_scope_find(const char *name)
{
    for (int i = ROWS_SELF; name && i < ROW_SCOPES; i++)
        if (strcmp(row_names[i], name) == 0)
            return (enum row_scope)i;
    return ROWS_NONE;
}

int matrix_role_find(const struct matrix *matrix, const char *name, size_t len)
{
    for (size_t i = 0; i < matrix->n_roles; i++)
        if (strlen(matrix->roles[i].name) == len && strncmp(matrix->roles[i].name, name, len) == 0)
            return (int)i;
    return -1;
}

static int role_named(const struct matrix *matrix, const char *name)
{
    return name ? matrix_role_find(matrix, name, strlen(name)) : -1;
}

/* ── roles ── */

static const char *text_in(struct reading *r, const json_t *node, const char *key)
{
    const char *text = json_string_value(json_object_get(node, key));
    return text ? arena_strdup(r->matrix->arena, text) : NULL;
}

static void take_gives(struct reading *r, const json_t *list, struct matrix_role *role)
{
    const char **gives = arena_zalloc_array(r->matrix->arena, json_array_size(list) + 1, sizeof *gives);
    const json_t *one;
    size_t i;
    json_array_foreach(list, i, one)
    {
        if (json_is_string(one))
            gives[role->n_gives++] = arena_strdup(r->matrix->arena, json_string_value(one));
        else
            fault(r, list, "what the role \"%s\" gives are scopes", role->name);
    }
    role->gives = gives;
}

static void take_role(struct reading *r, const char *name, const json_t *node)
{
    struct matrix *m = r->matrix;
    const json_t *title = json_object_get(node, "title"), *held_with = json_object_get(node, "held_with");
    struct matrix_role *role = &m->roles[m->n_roles];
    if (m->n_roles == MATRIX_ROLES_MAX) {
        fault(r, node, "there are more than %d roles", MATRIX_ROLES_MAX);
        return;
    }
    *role = (struct matrix_role){.name = arena_strdup(m->arena, name),
                                 .title_en = text_in(r, title, "en"),
                                 .title_id = text_in(r, title, "id"),
                                 .is_personal = json_is_true(json_object_get(node, "is_personal")),
                                 .held_with = role_named(m, json_string_value(held_with))};
    if (!role->title_en || !role->title_id)
        fault(r, node, "the role \"%s\" has no title in both languages", name);
    if (held_with && role->held_with < 0)
        fault(r, node, "the role \"%s\" is held with one that does not stand above it", name);
    take_gives(r, json_object_get(node, "gives"), role);
    m->n_roles++;
}

/* ── operations ── */

static bool is_input(const struct operation *operation, const char *name)
{
    for (size_t i = 0; i < operation->n_params; i++)
        if (operation->params[i].in != IN_HEADER && strcmp(operation->params[i].bind_name, name) == 0)
            return true;
    for (size_t i = 0; i < operation->n_body_members; i++)
        if (strcmp(operation->body_members[i].name, name) == 0)
            return true;
    return false;
}

static void take_subject(struct reading *r, const json_t *node, struct matrix_row *row)
{
    const char *kind, *name;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)node, kind, value)
    {
        name = json_string_value(value);
        if (row->subject_kind || !name || !is_input(row->operation, name)) {
            fault(r, node, "the subject of \"%s\" is no one parameter or member of it", row->operation->id);
            return;
        }
        row->subject_kind = arena_strdup(r->matrix->arena, kind);
        row->subject_name = arena_strdup(r->matrix->arena, name);
    }
}

static void take_cell(struct reading *r, const char *name, const json_t *value, const json_t *node, struct matrix_row *row)
{
    int role = role_named(r->matrix, name);
    enum row_scope rows = row_scope_find(json_string_value(value));
    if (role < 0 || strcmp(name, ROLE_INTEGRATOR) == 0)
        fault(r, node, "\"%s\" of \"%s\" is no role that stands in a row", name, row->operation->id);
    else if (rows == ROWS_NONE)
        fault(r, node, "\"%s\" may \"%s\" for rows that are none", name, row->operation->id);
    else if (rows <= ROWS_PERSONAL && !row->subject_kind)
        fault(r, node, "\"%s\" may \"%s\" for %s, but it has no subject", name, row->operation->id, row_names[rows]);
    else
        row->rows[role] = (uint8_t)rows;
}

static void check_row(struct reading *r, const json_t *node, const struct matrix_row *row)
{
    int everybody = role_named(r->matrix, ROLE_PUBLIC);
    if (everybody >= 0 && (row->rows[everybody] == ROWS_ALL) != row->operation->is_public)
        fault(r, node, "\"%s\" is%s open to everybody in the contract", row->operation->id, row->operation->is_public ? "" : " not");
    if (row->never_own && !row->subject_kind)
        fault(r, node, "\"%s\" has no subject whose own record it could be", row->operation->id);
}

static void take_row(struct reading *r, const char *id, const json_t *node)
{
    const struct operation *operation = contract_find(r->matrix->contract, id);
    const char *own = json_string_value(json_object_get(node, "own")), *key;
    struct matrix_row *row;
    json_t *value;
    if (!operation) {
        if (!r->is_partial)
            fault(r, node, "the contract has no operation \"%s\"", id);
        return;
    }
    row = &r->matrix->rows[operation->index];
    row->operation = operation;
    row->never_own = own && strcmp(own, "never") == 0;
    if (json_object_get(node, "own") && !row->never_own)
        fault(r, node, "\"own\" of \"%s\" can only be never", id);
    take_subject(r, json_object_get(node, "subject"), row);
    json_object_foreach((json_t *)(uintptr_t)node, key, value)
    {
        if (strcmp(key, "subject") != 0 && strcmp(key, "own") != 0)
            take_cell(r, key, value, node, row);
    }
    check_row(r, node, row);
}

static void take_all(struct reading *r, const json_t *root)
{
    size_t n;
    const struct operation *operations = contract_operations(r->matrix->contract, &n);
    const char *name;
    json_t *node;
    json_object_foreach(json_object_get(root, "roles"), name, node) take_role(r, name, node);
    r->matrix->rows = arena_zalloc_array(r->matrix->arena, n + 1, sizeof *r->matrix->rows);
    json_object_foreach(json_object_get(root, "operations"), name, node) take_row(r, name, node);
    for (size_t i = 0; i < n; i++) {
        if (!r->matrix->rows[i].operation && !r->is_partial)
            fault(r, root, "operation \"%s\" has no row: who may it?", operations[i].id);
        r->matrix->rows[i].operation = &operations[i];
    }
}

struct matrix *matrix_load(const struct contract *contract, const char *yaml, size_t len, const char *name, FILE *err)
{
    struct arena *scratch = arena_new(1 << 16), *arena = arena_new(1 << 16);
    struct matrix *matrix = arena_zalloc(arena, sizeof *matrix);
    struct node_map *places;
    json_t *root = yaml_parse(yaml, len, name, err, scratch, &places);
    struct reading reading = {.matrix = matrix,
                              .name = name,
                              .places = places,
                              .err = err,
                              .is_partial = json_is_true(json_object_get(contract_root(contract), "x-partial"))};
    *matrix = (struct matrix){.arena = arena, .contract = contract};
    if (root)
        take_all(&reading, root);
    json_decref(root);
    arena_free(scratch);
    matrix->faults = reading.faults;
    if (root)
        return matrix;
    arena_free(arena);
    return NULL;
}

int matrix_faults(const struct matrix *matrix)
{
    return matrix->faults;
}

void matrix_free(struct matrix *matrix)
{
    if (matrix)
        arena_free(matrix->arena);
}

/* ── asking ── */

const struct matrix_role *matrix_roles(const struct matrix *matrix, size_t *ret_n)
{
    *ret_n = matrix->n_roles;
    return matrix->roles;
}

const struct contract *matrix_contract(const struct matrix *matrix)
{
    return matrix->contract;
}

const struct matrix_row *matrix_row(const struct matrix *matrix, const struct operation *operation)
{
    return &matrix->rows[operation->index];
}
