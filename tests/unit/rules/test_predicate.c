/* SPDX-License-Identifier: Apache-2.0 */
/* The nine cells F1 … F9, which also are SIASN's numbers, and the texts of the contract. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "asnd/rules.h"

/* last: it has a macro named fail */
#include <cmocka.h>

static const struct {
    const char *id;
    const char *results;
    const char *behaviour;
    const char *predicate;
    int siasn;
} cells[] = {
    {"F1", "di_atas_ekspektasi", "di_atas_ekspektasi", "sangat_baik", 1},
    {"F2", "di_atas_ekspektasi", "sesuai_ekspektasi", "baik", 2},
    {"F3", "di_atas_ekspektasi", "di_bawah_ekspektasi", "kurang", 4},
    {"F4", "sesuai_ekspektasi", "di_atas_ekspektasi", "baik", 2},
    {"F5", "sesuai_ekspektasi", "sesuai_ekspektasi", "baik", 2},
    {"F6", "sesuai_ekspektasi", "di_bawah_ekspektasi", "kurang", 4},
    {"F7", "di_bawah_ekspektasi", "di_atas_ekspektasi", "butuh_perbaikan", 3},
    {"F8", "di_bawah_ekspektasi", "sesuai_ekspektasi", "butuh_perbaikan", 3},
    {"F9", "di_bawah_ekspektasi", "di_bawah_ekspektasi", "sangat_kurang", 5},
};

static void two_ratings_make_a_predicate(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cells); i++) {
        enum rating results, behaviour;
        print_message("%s\n", cells[i].id);
        assert_true(rating_parse(cells[i].results, &results));
        assert_true(rating_parse(cells[i].behaviour, &behaviour));
        assert_int_equal(predicate_derive(results, behaviour), cells[i].siasn);
        assert_string_equal(predicate_text(predicate_derive(results, behaviour)), cells[i].predicate);
    }
}

static void a_better_rating_never_makes_a_worse_predicate(void **state)
{
    (void)state;
    for (enum rating r = RATING_ABOVE; r <= RATING_BELOW; r++)
        for (enum rating b = RATING_ABOVE; b < RATING_BELOW; b++) {
            assert_true(predicate_derive(r, b) <= predicate_derive(r, b + 1));
            assert_true(predicate_derive(b, r) <= predicate_derive(b + 1, r));
        }
}

static void ratings_have_their_texts(void **state)
{
    enum rating rating = RATING_BELOW;
    (void)state;
    for (enum rating r = RATING_ABOVE; r <= RATING_BELOW; r++) {
        assert_true(rating_parse(rating_text(r), &rating));
        assert_int_equal(rating, r);
    }
    rating = RATING_ABOVE;
    assert_false(rating_parse("", &rating));
    assert_false(rating_parse("sesuai ekspektasi", &rating));
    assert_false(rating_parse("1", &rating));
    assert_int_equal(rating, RATING_ABOVE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_ratings_make_a_predicate),
        cmocka_unit_test(a_better_rating_never_makes_a_worse_predicate),
        cmocka_unit_test(ratings_have_their_texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
