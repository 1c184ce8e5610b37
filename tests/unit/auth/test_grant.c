/* SPDX-License-Identifier: Apache-2.0 */
/* The matrix and what comes of it for one caller: whose rows, which scopes, and by which rule. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "asnd/arena.h"
#include "asnd/auth.h"

/* last: it has a macro named fail */
#include <cmocka.h>

static const char small_yaml[] =
    "openapi: 3.1.0\ninfo: {title: t, version: '1'}\n"
    "components: {securitySchemes: {apiKey: {type: http, scheme: bearer}}}\n"
    "paths:\n"
    "  /p/{nip}:\n"
    "    parameters: [{name: nip, in: path, required: true, schema: {type: string}}]\n"
    "    get: {operationId: getP, security: [{apiKey: [p.read]}], x-more-scopes: [p.secret], responses: {'200': {description: x}}}\n"
    "    put: {operationId: putP, security: [{apiKey: [p.write]}], responses: {'200': {description: x}}}\n"
    "  /p:\n"
    "    get: {operationId: listP, security: [{apiKey: [p.read]}], responses: {'200': {description: x}}}\n"
    "  /open:\n"
    "    get: {operationId: getOpen, security: [], responses: {'200': {description: x}}}\n";

#define ROLES                                                                                                                              \
    "roles:\n"                                                                                                                             \
    "  me: {title: {en: o, id: o}, is_personal: true, gives: [p.secret]}\n"                                                                \
    "  chief: {title: {en: c, id: c}, is_personal: true, held_with: me}\n"                                                                 \
    "  office: {title: {en: f, id: f}}\n"                                                                                                  \
    "  agency: {title: {en: a, id: a}, gives: [p.secret]}\n"                                                                               \
    "  public: {title: {en: p, id: p}}\n"
#define ROWS                                                                                                                               \
    "  getP: {subject: {person: nip}, me: self, chief: reports, office: units, agency: agency}\n"                                          \
    "  listP: {office: units, me: all, agency: agency}\n"                                                                                  \
    "  getOpen: {public: all}\n"
#define MATRIX ROLES "operations:\n" ROWS "  putP: {subject: {person: nip}, own: never, office: units}\n"

struct fixture {
    struct contract *contract;
    struct matrix *matrix;
};

static int set_up(void **state)
{
    static struct fixture f;
    f.contract = contract_load(small_yaml, strlen(small_yaml), "c.yaml", stderr);
    assert_non_null(f.contract);
    f.matrix = matrix_load(f.contract, MATRIX, strlen(MATRIX), "m.yaml", stderr);
    assert_non_null(f.matrix);
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    matrix_free(f->matrix);
    contract_free(f->contract);
    return 0;
}

static struct actor *actor_with(const struct fixture *f, const char *scopes, const char *roles, const char *units)
{
    return actor_new(&(struct actor_facts){.key_id = "k",
                                           .name = "n",
                                           .units = units,
                                           .agency = "{root}",
                                           .scopes_literal = scopes,
                                           .roles_literal = roles,
                                           .roles = roles_of_literal(f->matrix, roles)});
}

struct grant_case {
    const char *label, *operation, *scopes, *roles, *units;
    bool is_asked; /* of a subject that exists */
    struct standing standing;
    enum access_rule rule;
    const char *to_units; /* NULL: nothing is given */
    bool has_secret;
};

static const struct grant_case cases[] = {
    {"his own", "getP", "{}", "{me}", "{a.b}", true, {.path = "x", .is = {[ROWS_SELF] = true}}, RULE_SELF, "{\"x\"}", true},
    {"of one whom he leads",
     "getP",
     "{}",
     "{me}",
     "{a.b}",
     true,
     {.path = "x", .is = {[ROWS_REPORTS] = true}},
     RULE_REPORTS,
     "{\"x\"}",
     false},
    {"of nobody of his", "getP", "{}", "{me}", "{a.b}", true, {.path = "x"}, RULE_OUT_OF_REACH, NULL, false},
    {"of his units", "getP", "{}", "{office}", "{a.b}", true, {.path = "x", .is_within = true}, RULE_ROLE, "{a.b}", false},
    {"beyond his units", "getP", "{}", "{office}", "{a.b}", true, {.path = "x"}, RULE_OUT_OF_REACH, NULL, false},
    {"the wider one", "getP", "{}", "{office,agency}", "{a.b}", true, {.path = "x", .is_within = true}, RULE_ROLE, "{root}", true},
    {"his own, within his units",
     "getP",
     "{}",
     "{office,me}",
     "{a.b}",
     true,
     {.path = "x", .is_within = true, .is = {[ROWS_SELF] = true}},
     RULE_ROLE,
     "{a.b}",
     true},
    {"his own, beyond his units",
     "getP",
     "{}",
     "{office,me}",
     "{a.b}",
     true,
     {.path = "x", .is = {[ROWS_SELF] = true}},
     RULE_SELF,
     "{\"x\"}",
     true},
    {"scopes", "getP", "{p.read}", "{}", "{a.b}", true, {.path = "x", .is_within = true}, RULE_SCOPES, "{a.b}", false},
    {"scopes of everything are as wide as can be",
     "getP",
     "{p.read}",
     "{agency}",
     "{\"\"}",
     true,
     {.path = "x", .is_within = true},
     RULE_SCOPES,
     "{\"\"}",
     false},
    {"narrow scopes bring nothing to wide rows",
     "getP",
     "{p.read,p.secret}",
     "{office,agency}",
     "{a.b}",
     true,
     {.path = "x", .is_within = true},
     RULE_ROLE,
     "{root}",
     true},
    {"nobody named", "getP", "{}", "{me}", "{a.b}", false, {0}, RULE_SUBJECT_WANTED, NULL, false},
    {"a person's role brings nothing to everybody's rows", "listP", "{}", "{me}", "{a.b}", false, {0}, RULE_ROLE, "{\"\"}", false},
    {"no role of this", "putP", "{}", "{me}", "{a.b}", true, {.path = "x", .is = {[ROWS_SELF] = true}}, RULE_SCOPE_MISSING, NULL, false},
    {"never his own",
     "putP",
     "{}",
     "{office}",
     "{a.b}",
     true,
     {.path = "x", .is_within = true, .is = {[ROWS_SELF] = true}},
     RULE_OWN_RECORD,
     NULL,
     false},
    {"never his own by scopes",
     "putP",
     "{p.write}",
     "{}",
     "{a.b}",
     true,
     {.path = "x", .is_within = true, .is = {[ROWS_SELF] = true}},
     RULE_OWN_RECORD,
     NULL,
     false},
    {"a role that nobody knows", "listP", "{}", "{stranger}", "{a.b}", false, {0}, RULE_SCOPE_MISSING, NULL, false},
};

static void a_grant_is_of_the_rows_that_the_matrix_says(void **state)
{
    const struct fixture *f = *state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct grant_case *c = &cases[i];
        const struct operation *operation = contract_find(f->contract, c->operation);
        struct actor *actor = actor_with(f, c->scopes, c->roles, c->units), *narrow;
        struct grant grant = grant_of(f->matrix, operation, actor);
        const struct standing *standing = c->is_asked ? &c->standing : NULL;
        enum access_rule rule = grant_rule(matrix_row(f->matrix, operation), &grant, standing, c->is_asked);
        if (rule != c->rule)
            fail_msg("%s: %s", c->label, access_rule_name(rule));
        narrow = access_rule_gives(rule) ? grant_narrow(f->matrix, operation, actor, &grant, standing) : NULL;
        if ((narrow != NULL) != (c->to_units != NULL) || (narrow && strcmp(narrow->units, c->to_units) != 0))
            fail_msg("%s: %s", c->label, narrow ? narrow->units : "nothing");
        if (narrow && (!actor_has_scope(narrow, operation->scopes[0]) || actor_has_scope(narrow, "p.secret") != c->has_secret))
            fail_msg("%s: %s", c->label, narrow->scopes_literal);
        actor_unref(narrow);
        actor_unref(actor);
    }
}

static void a_matrix_at_fault_says_where(void **state)
{
    static const struct {
        const char *rows, *message;
    } bad[] = {{"", "operation \"putP\" has no row"},
               {"  putP: {office: units}\n  gone: {}\n", "m.yaml:12: the contract has no operation \"gone\""},
               {"  putP: {clerk: units}\n", "\"clerk\" of \"putP\" is no role"},
               {"  putP: {office: some}\n", "\"office\" may \"putP\" for rows that are none"},
               {"  putP: {me: self}\n", "\"me\" may \"putP\" for self, but it has no subject"},
               {"  putP: {subject: {person: who}}\n", "the subject of \"putP\" is no one parameter"},
               {"  putP: {own: never}\n", "\"putP\" has no subject whose own record it could be"},
               {"  putP: {own: always}\n", "\"own\" of \"putP\" can only be never"},
               {"  putP: {public: all}\n", "\"putP\" is not open to everybody"}};
    const struct fixture *f = *state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        char text[2000], *heard = NULL;
        size_t len;
        FILE *err = open_memstream(&heard, &len);
        struct matrix *matrix;
        snprintf(text, sizeof text, "%soperations:\n%s%s", ROLES, ROWS, bad[i].rows);
        matrix = matrix_load(f->contract, text, strlen(text), "m.yaml", err);
        fclose(err);
        assert_non_null(matrix);
        if (matrix_faults(matrix) != 1 || !strstr(heard, bad[i].message))
            fail_msg("%zu: %s", i, heard);
        matrix_free(matrix);
        free(heard);
    }
}

static void what_is_no_yaml_is_no_matrix(void **state)
{
    const struct fixture *f = *state;
    char *heard = NULL;
    size_t len;
    FILE *err = open_memstream(&heard, &len);
    assert_null(matrix_load(f->contract, "roles: {", 8, "m.yaml", err));
    fclose(err);
    assert_non_null(strstr(heard, "m.yaml:"));
    free(heard);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test_setup_teardown(a_grant_is_of_the_rows_that_the_matrix_says, set_up, tear_down),
                                       cmocka_unit_test_setup_teardown(a_matrix_at_fault_says_where, set_up, tear_down),
                                       cmocka_unit_test_setup_teardown(what_is_no_yaml_is_no_matrix, set_up, tear_down)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
