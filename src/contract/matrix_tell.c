/* SPDX-License-Identifier: Apache-2.0 */
/* The matrix as others read it: its allowed cells as JSON, and as a table for the documents. */
#include "asnd/matrix.h"

#include <string.h>

#include "asnd/arena.h"
#include "asnd/buf.h"

static bool is_among(const char *const *words, size_t n, const char *word)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(words[i], word) == 0)
            return true;
    return false;
}

static void add_members(const struct property_spec *members, size_t n_members, const char **fields, size_t *n)
{
    for (size_t i = 0; i < n_members; i++)
        if (members[i].scope && !is_among(fields, *n, members[i].scope))
            fields[(*n)++] = members[i].scope;
}

const char *const *operation_fields(struct arena *arena, const struct operation *operation, size_t *ret_n)
{
    const char **fields =
        arena_zalloc_array(arena, operation->n_more_scopes + operation->n_reply_members + operation->n_body_members + 1, sizeof *fields);
    *ret_n = 0;
    for (size_t i = 0; i < operation->n_more_scopes; i++)
        if (!is_among(fields, *ret_n, operation->more_scopes[i]))
            fields[(*ret_n)++] = operation->more_scopes[i];
    add_members(operation->reply_members, operation->n_reply_members, fields, ret_n);
    add_members(operation->body_members, operation->n_body_members, fields, ret_n);
    return fields;
}

/* ── JSON ── */

static void put_text(struct buf *out, const char *key, const char *text)
{
    buf_printf(out, "\"%s\":", key);
    if (text)
        buf_json_string(out, text, strlen(text));
    else
        BUF_LIT(out, "null");
}

static void put_words(struct buf *out, const char *key, const char *const *words, size_t n)
{
    buf_printf(out, "\"%s\":[", key);
    for (size_t i = 0; i < n; i++)
        buf_printf(out, "%s\"%s\"", i == 0 ? "" : ",", words[i]);
    buf_putc(out, ']');
}

/* Of the operation's field groups those that the role brings; NULL: whatever scopes the caller holds. */
static void put_fields(struct buf *out, struct arena *arena, const struct operation *operation, const struct matrix_role *role)
{
    size_t n, n_shown = 0;
    const char *const *fields = operation_fields(arena, operation, &n);
    const char **shown = arena_zalloc_array(arena, n + 1, sizeof *shown);
    for (size_t i = 0; i < n; i++)
        if (!role || is_among(role->gives, role->n_gives, fields[i]))
            shown[n_shown++] = fields[i];
    put_words(out, "fields", shown, n_shown);
}

static void put_cell(struct buf *out, struct arena *arena, const struct matrix_row *row, const char *role_name,
                     const struct matrix_role *role, const char *rows, const char *by)
{
    const struct operation *operation = row->operation;
    buf_puts(out, out->len > 1 ? ",{" : "{");
    put_text(out, "operation", operation->id);
    buf_putc(out, ',');
    put_text(out, "method", http_method_name(operation->method));
    buf_putc(out, ',');
    put_text(out, "path", operation->path);
    buf_putc(out, ',');
    put_text(out, "role", role_name);
    buf_putc(out, ',');
    put_text(out, "rows", rows);
    buf_putc(out, ',');
    put_text(out, "subject", row->subject_name);
    buf_printf(out, ",\"is_own_refused\":%s,\"by\":\"%s\",", row->never_own ? "true" : "false", by);
    put_words(out, "scopes", operation->scopes, operation->n_scopes);
    buf_putc(out, ',');
    put_fields(out, arena, operation, role);
    buf_putc(out, '}');
}

/* What the role brings counts where its rows are asked of the subject, or the role is not a person's. */
static bool brings(const struct matrix_role *role, enum row_scope rows)
{
    return !role->is_personal || rows <= ROWS_PERSONAL;
}

char *matrix_json(const struct matrix *matrix, struct arena *arena)
{
    static const struct matrix_role nothing = {0};
    size_t n, n_roles;
    const struct matrix_role *roles = matrix_roles(matrix, &n_roles);
    const struct operation *operations = contract_operations(matrix_contract(matrix), &n);
    struct buf out;
    buf_init(&out, arena, 1 << 18);
    buf_putc(&out, '[');
    for (size_t i = 0; i < n; i++) {
        const struct matrix_row *row = matrix_row(matrix, &operations[i]);
        for (size_t k = 0; k < n_roles; k++) {
            enum row_scope rows = (enum row_scope)row->rows[k];
            if (rows != ROWS_NONE)
                put_cell(&out, arena, row, roles[k].name, brings(&roles[k], rows) ? &roles[k] : &nothing, row_scope_name(rows),
                         operations[i].is_public ? "public" : "role");
        }
        if (!operations[i].is_public)
            put_cell(&out, arena, row, "integrator", NULL, row_scope_name(ROWS_UNITS), "scopes");
    }
    buf_putc(&out, ']');
    return (char *)(uintptr_t)buf_cstr(&out);
}

/* ── a table ── */

void matrix_print_markdown(const struct matrix *matrix, FILE *out)
{
    size_t n, n_roles;
    const struct matrix_role *roles = matrix_roles(matrix, &n_roles);
    const struct operation *operations = contract_operations(matrix_contract(matrix), &n);
    fputs("| operation | scopes | subject |", out);
    for (size_t k = 0; k < n_roles; k++)
        if (roles[k].n_gives || roles[k].is_personal)
            fprintf(out, " %s |", roles[k].name);
    fputs("\n|---|---|---|", out);
    for (size_t k = 0; k < n_roles; k++)
        if (roles[k].n_gives || roles[k].is_personal)
            fputs("---|", out);
    fputc('\n', out);
    for (size_t i = 0; i < n; i++) {
        const struct matrix_row *row = matrix_row(matrix, &operations[i]);
        fprintf(out, "| `%s` | ", operations[i].id);
        for (size_t s = 0; s < operations[i].n_scopes; s++)
            fprintf(out, "%s`%s`", s ? " " : "", operations[i].scopes[s]);
        fprintf(out, "%s | %s%s |", operations[i].is_public ? "everybody" : "", row->subject_name ? row->subject_name : "",
                row->never_own ? ", never one's own" : "");
        for (size_t k = 0; k < n_roles; k++)
            if (roles[k].n_gives || roles[k].is_personal)
                fprintf(out, " %s |", row->rows[k] ? row_scope_name((enum row_scope)row->rows[k]) : "");
        fputc('\n', out);
    }
}
