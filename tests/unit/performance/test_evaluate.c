/* SPDX-License-Identifier: Apache-2.0 */
/* Rows to figures. Ids are those of the worked examples (F: quadrant, J: formulas). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
/* Our own fail (asnd/status.h) words a problem; cmocka's two words for it become one. */
#undef fail
#undef fail_msg
#define fail_msg(...) (print_error(__VA_ARGS__), print_error("\n"), _fail(__FILE__, __LINE__))

#include "asnd/arena.h"
#include "asnd/macros.h"
#include "evaluate.h"

#define COLUMNS 10
static const char *const indicator_columns[COLUMNS] = {"id",          "name",   "position", "direction", "target",
                                                       "target_high", "actual", "weight",   "cap",       "zero_target_reached"};
/* direction, target, target_high, actual, weight, cap, zero_target_reached; NULL is null */
struct row {
    const char *cells[7];
};

static PGresult *table(const char *const *names, int n)
{
    PGresult *res = PQmakeEmptyPGresult(NULL, PGRES_TUPLES_OK);
    PGresAttDesc attributes[COLUMNS] = {0};
    for (int i = 0; i < n; i++)
        attributes[i].name = (char *)(uintptr_t)names[i];
    assert_true(PQsetResultAttrs(res, n, attributes));
    return res;
}

static void put(PGresult *res, int row, int column, const char *text)
{
    assert_true(PQsetvalue(res, row, column, (char *)(uintptr_t)text, text ? (int)strlen(text) : -1));
}

static PGresult *ratings(const char *results, const char *behaviour)
{
    static const char *const names[] = {"results_rating", "behaviour_rating"};
    PGresult *res = table(names, 2);
    put(res, 0, 0, results);
    put(res, 0, 1, behaviour);
    return res;
}

static PGresult *indicators(const struct row *rows, int n)
{
    PGresult *res = table(indicator_columns, COLUMNS);
    for (int i = 0; i < n; i++) {
        char position[16];
        snprintf(position, sizeof position, "%d", i + 1);
        put(res, i, 0, "01900000-0000-7000-8000-000000000601");
        put(res, i, 1, "a \"quoted\" name");
        put(res, i, 2, position);
        for (int c = 0; c < 7; c++)
            put(res, i, 3 + c, rows[i].cells[c]);
    }
    return res;
}

struct fixture {
    struct ctx ctx;
    struct evaluated out;
    enum status st;
};

static struct fixture work_out(PGresult *evaluation, PGresult *inputs)
{
    struct fixture f = {.ctx = {.arena = arena_new(0), .lang = LANG_EN}};
    f.st = evaluation_work_out(&f.ctx, evaluation, inputs, &f.out);
    PQclear(evaluation);
    PQclear(inputs);
    return f;
}

static void one_indicator(void **state)
{
    static const struct {
        const char *id;
        struct row row;
        const char *capped, *uncapped;
    } cases[] = {
        {"J1", {{"maximize", "50", NULL, "45", "1", "120", "f"}}, "90.00", "90.00"},
        {"J2", {{"maximize", "50", NULL, "70", "1", "120", "f"}}, "120.00", "140.00"},
        {"J3", {{"minimize", "8", NULL, "6", "1", "120", "f"}}, "120.00", "125.00"},
        {"J4", {{"minimize", "8", NULL, "10", "1", NULL, "f"}}, "75.00", "75.00"},
        {"J5", {{"minimize", "8", NULL, "20", "1", NULL, "f"}}, "0.00", "0.00"},
        {"J6", {{"minimize_inverse", "8", NULL, "10", "1", NULL, "f"}}, "80.00", "80.00"},
        {"J7 told to count", {{"maximize", "0", NULL, "0", "1", NULL, "t"}}, "100.00", "100.00"},
        {"I13", {{"range", "80", "90", "70", "1", NULL, "f"}}, "87.50", "87.50"},
        {"half up", {{"maximize", "800", NULL, "1.00", "1", NULL, "f"}}, "0.13", "0.13"}, /* 0.125 */
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct fixture f = work_out(ratings(NULL, NULL), indicators(&cases[i].row, 1));
        if (f.st != ST_OK || strcmp(f.out.achievement, cases[i].capped) != 0 || strcmp(f.out.achievement_uncapped, cases[i].uncapped) != 0)
            fail_msg("%s: %s and %s", cases[i].id, f.out.achievement, f.out.achievement_uncapped);
        arena_free(f.ctx.arena);
    }
}

static void the_cap_comes_before_the_weight(void **state) /* J8 */
{
    static const struct row rows[] = {{{"maximize", "50", NULL, "70", "60", "120", "f"}},
                                      {{"maximize", "50", NULL, "40", "40", NULL, "f"}}};
    struct fixture f = work_out(ratings("sesuai_ekspektasi", "di_atas_ekspektasi"), indicators(rows, 2));
    (void)state;
    assert_int_equal(f.st, ST_OK);
    assert_string_equal(f.out.achievement, "104.00");
    assert_string_equal(f.out.achievement_uncapped, "116.00");
    assert_string_equal(f.out.predicate, "baik"); /* F4 */
    assert_string_equal(f.out.predicate_number, "2");
    assert_true(f.out.is_whole);
    assert_int_equal(f.ctx.problem.n_faults, 0);
    assert_non_null(strstr(f.out.indicators,
                           "\"name\":\"a \\\"quoted\\\" name\",\"weight\":60,\"direction\":\"maximize\",\"target\":50,"
                           "\"target_high\":null,\"actual\":70,\"cap\":120,\"achievement\":120.00,\"achievement_uncapped\":140.00,"
                           "\"arithmetic\":\"min(120, 70 / 50 × 100) = 120.00\"}"));
    assert_string_equal(f.out.arithmetic, "(60 × 120.00 + 40 × 80.00) / (60 + 40) = 104.00");
    arena_free(f.ctx.arena);
}

static void everything_missing_is_named_at_once(void **state)
{
    static const struct row rows[] = {{{"maximize", "50", NULL, NULL, "60", "120", "f"}},
                                      {{"maximize", "50", NULL, "40", "40", NULL, "f"}}};
    static const char *const pointers[] = {"/results_rating", "/behaviour_rating", "/indicators/1/actual"};
    struct fixture f = work_out(ratings(NULL, NULL), indicators(rows, 2));
    const struct fault *fault = f.ctx.problem.first_fault;
    (void)state;
    assert_int_equal(f.st, ST_OK);
    assert_false(f.out.is_whole);
    assert_null(f.out.achievement);
    assert_null(f.out.predicate);
    assert_non_null(strstr(f.out.indicators, "\"achievement\":null"));
    for (size_t i = 0; i < ARRAY_LEN(pointers); i++, fault = fault->next)
        assert_string_equal(fault->where, pointers[i]);
    assert_null(fault);
    arena_free(f.ctx.arena);
}

static void without_indicators_there_is_no_mean(void **state)
{
    struct fixture f = work_out(ratings("di_bawah_ekspektasi", "di_bawah_ekspektasi"), indicators(NULL, 0));
    (void)state;
    assert_int_equal(f.st, ST_OK);
    assert_null(f.out.achievement);
    assert_string_equal(f.out.indicators, "[]");
    assert_string_equal(f.out.predicate, "sangat_kurang"); /* F9 */
    assert_false(f.out.is_whole);
    arena_free(f.ctx.arena);
}

static void a_formula_without_value_is_refused_at_its_indicator(void **state) /* J7 */
{
    static const struct row rows[] = {{{"maximize", "50", NULL, "40", "40", NULL, "f"}}, {{"maximize", "0", NULL, "0", "1", NULL, "f"}}};
    struct fixture f = work_out(ratings("sesuai_ekspektasi", "sesuai_ekspektasi"), indicators(rows, 2));
    (void)state;
    assert_int_equal(f.st, ST_CONFLICT);
    assert_string_equal(f.ctx.problem.first_fault->where, "/indicators/2/target");
    arena_free(f.ctx.arena);
}

static void what_was_taken_out_of_stored_inputs_has_no_value(void **state)
{
    PGresult *inputs = table(indicator_columns, COLUMNS);
    struct fixture f;
    (void)state;
    for (int column = 0; column < COLUMNS; column++)
        put(inputs, 0, column, NULL);
    for (int column = 0; column < COLUMNS; column++) /* numbers alone */
        put(inputs, 1, column, column >= 4 && column <= 7 ? "50" : NULL);
    f = work_out(ratings("sesuai_ekspektasi", "sesuai_ekspektasi"), inputs);
    assert_int_equal(f.st, ST_OK);
    assert_null(f.out.achievement);
    assert_string_equal(f.out.predicate, "baik");
    assert_false(f.out.is_whole);
    arena_free(f.ctx.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_indicator),
        cmocka_unit_test(the_cap_comes_before_the_weight),
        cmocka_unit_test(everything_missing_is_named_at_once),
        cmocka_unit_test(without_indicators_there_is_no_mean),
        cmocka_unit_test(a_formula_without_value_is_refused_at_its_indicator),
        cmocka_unit_test(what_was_taken_out_of_stored_inputs_has_no_value),
    };
    const struct problem_entry undefined = {"achievement-undefined", ST_CONFLICT, "x", "x"};
    if (!problem_register(&undefined))
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
