/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Who may what: access.yaml compiled beside the contract. One row an operation, one cell a role. Immutable after matrix_load and shared by all threads. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "asnd/contract.h"

#define MATRIX_ROLES_MAX 16

/* Whose rows a role sees at an operation. Those of a person (up to ROWS_COLLEAGUES) are asked of the subject; the others grow from left to right. */
enum row_scope { ROWS_NONE, ROWS_SELF, ROWS_REPORTS, ROWS_ASSESSED, ROWS_COLLEAGUES, ROWS_UNITS, ROWS_AGENCY, ROWS_ALL, ROW_SCOPES };
#define ROWS_PERSONAL ROWS_COLLEAGUES

struct matrix_role {
    const char *name, *title_en, *title_id;
    bool is_personal;         /* somebody's as a person: what it gives holds for the subject alone */
    int held_with;            /* whoever holds that role holds this one too, of a subject; -1: none */
    const char *const *gives; /* further scopes at the operations that it may */
    size_t n_gives;
};

struct matrix_row {
    const struct operation *operation;
    const char *subject_kind;       /* block `subject.KIND` leads from it to a person; NULL: it is about nobody in particular */
    const char *subject_name;       /* parameter or member of the body */
    bool never_own;                 /* nobody does this for his own record */
    uint8_t rows[MATRIX_ROLES_MAX]; /* enum row_scope by role */
};

struct matrix;
/* Loads and checks the rows against the contract. One line a fault to `err`: an operation without a row, a row without an operation (of a contract
 * that is x-partial both are fine), roles or rows that are not known, a subject that is no parameter; what is at fault is left out, and nothing is to be served
 * then. NULL if the text is no YAML. The contract must outlive it, with its document during this call. */
struct matrix *matrix_load(const struct contract *contract, const char *yaml, size_t len, const char *name, FILE *err);
int matrix_faults(const struct matrix *matrix);
void matrix_free(struct matrix *matrix); /* NULL is fine */

const struct matrix_role *matrix_roles(const struct matrix *matrix, size_t *ret_n);
const struct contract *matrix_contract(const struct matrix *matrix);
/* Index of the role, or -1. */
int matrix_role_find(const struct matrix *matrix, const char *name, size_t len);
/* Never NULL; of an operation that has no row, one in which no role may. */
const struct matrix_row *matrix_row(const struct matrix *matrix, const struct operation *operation);
const char *row_scope_name(enum row_scope rows);
/* Scopes that change what an operation shows or takes (x-scope of members, x-more-scopes), each once; in the arena. */
const char *const *operation_fields(struct arena *arena, const struct operation *operation, size_t *ret_n);

/* ── telling it: each allowed cell with the role, its rows, what is needed and shown ── */
/* The integrator's and everybody's rows too, which the contract's `security` says. JSON as an array of objects. */
char *matrix_json(const struct matrix *matrix, struct arena *arena);
/* One line an operation, one column a role. */
void matrix_print_markdown(const struct matrix *matrix, FILE *out);
