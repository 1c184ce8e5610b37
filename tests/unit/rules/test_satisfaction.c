/* SPDX-License-Identifier: Apache-2.0 */
/* Satisfaction surveys: published results and worked examples (D1 … D18), boundaries of the categories, and what holds for all answers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "asnd/arena.h"
#include "asnd/rules.h"

/* last: it has a macro named fail */
#include <cmocka.h>

#define ELEMENTS 9

static struct arena *arena;

static const struct {
    const char *code, *from;
} bounds[] = {{"D", "25.00"}, {"C", "65.00"}, {"B", "76.61"}, {"A", "88.31"}};

static const char *category_of(const struct decimal *converted)
{
    struct decimal lower[ARRAY_LEN(bounds)];
    int found;
    for (size_t i = 0; i < ARRAY_LEN(bounds); i++) {
        decimal_init(&lower[i]);
        assert_true(decimal_parse(&lower[i], bounds[i].from, strlen(bounds[i].from)));
    }
    found = satisfaction_category(converted, lower, ARRAY_LEN(bounds));
    for (size_t i = 0; i < ARRAY_LEN(bounds); i++)
        decimal_done(&lower[i]);
    return found < 0 ? "-" : bounds[found].code;
}

/* Means as they are printed: in hundredths, so of a hundred respondents each. */
static struct satisfaction_element element_of_mean(int hundredths)
{
    struct satisfaction_element e = {{0}};
    int low = hundredths / 100, more = hundredths % 100;
    e.counts[low - 1] = 100 - more;
    if (more)
        e.counts[low] = more;
    return e;
}

static void check_result(const char *id, const struct satisfaction_element *elements, const char *index, const char *converted,
                         const char *category)
{
    struct decimal d, c;
    decimal_init(&d);
    decimal_init(&c);
    print_message("%s\n", id);
    assert_true(satisfaction_index(elements, ELEMENTS, &d));
    assert_string_equal(decimal_format(arena, &d, 4, ROUND_HALF_UP), index);
    satisfaction_convert(&d, &c);
    assert_string_equal(decimal_format(arena, &c, 2, ROUND_HALF_UP), converted);
    assert_string_equal(category_of(&c), category);
    decimal_done(&d);
    decimal_done(&c);
}

static const struct {
    const char *id;
    int means[ELEMENTS];
    const char *index, *converted, *category;
} surveys[] = {
    {"D1, published", {331, 335, 349, 393, 345, 339, 339, 376, 335}, "3.4911", "87.28", "B"},
    {"D4", {300, 300, 300, 300, 300, 300, 300, 300, 300}, "3.0000", "75.00", "C"},
    {"D5", {400, 400, 400, 400, 400, 400, 400, 400, 400}, "4.0000", "100.00", "A"},
    {"D6", {100, 100, 100, 100, 100, 100, 100, 100, 100}, "1.0000", "25.00", "D"},
    {"D7", {250, 275, 260, 290, 280, 270, 285, 265, 255}, "2.7000", "67.50", "C"},
    {"D8", {360, 355, 340, 390, 370, 365, 360, 350, 345}, "3.5944", "89.86", "A"},
};

static void published_surveys_come_out_as_published(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(surveys); i++) {
        struct satisfaction_element elements[ELEMENTS];
        for (int e = 0; e < ELEMENTS; e++)
            elements[e] = element_of_mean(surveys[i].means[e]);
        check_result(surveys[i].id, elements, surveys[i].index, surveys[i].converted, surveys[i].category);
    }
}

static void raw_answers_give_means_and_index(void **state)
{
    static const int answers[5][ELEMENTS] = {{4, 3, 3, 4, 3, 4, 4, 3, 3},
                                             {3, 3, 2, 4, 3, 3, 3, 3, 3},
                                             {4, 4, 3, 4, 4, 4, 4, 4, 4},
                                             {3, 3, 3, 3, 3, 3, 3, 2, 3},
                                             {2, 3, 2, 4, 3, 3, 4, 3, 3}};
    static const char *const means[ELEMENTS] = {"3.20", "3.20", "2.60", "3.80", "3.20", "3.40", "3.60", "3.00", "3.20"};
    struct satisfaction_element elements[ELEMENTS] = {{{0}}};
    struct decimal mean;
    (void)state;
    decimal_init(&mean);
    for (int r = 0; r < 5; r++)
        for (int e = 0; e < ELEMENTS; e++)
            elements[e].counts[answers[r][e] - 1]++;
    for (int e = 0; e < ELEMENTS; e++) {
        assert_true(satisfaction_mean(&elements[e], &mean));
        assert_string_equal(decimal_format(arena, &mean, 2, ROUND_HALF_UP), means[e]);
    }
    decimal_done(&mean);
    check_result("D9", elements, "3.2444", "81.11", "B");
}

static const struct {
    const char *id, *before, *rounded, *category;
} cuts[] = {
    {"D13", "25.00", "25.00", "D"}, {"D13", "64.99", "64.99", "D"}, {"D13", "64.994", "64.99", "D"},      {"D14", "64.995", "65.00", "C"},
    {"D14", "65.00", "65.00", "C"}, {"D15", "76.60", "76.60", "C"}, {"D15", "76.604", "76.60", "C"},      {"D15", "76.605", "76.61", "B"},
    {"D15", "76.61", "76.61", "B"}, {"D16", "88.30", "88.30", "B"}, {"D16", "88.305", "88.31", "A"},      {"D16", "88.31", "88.31", "A"},
    {"D16", "100", "100.00", "A"},  {"D10", "84.39", "84.39", "B"}, {"D10", "87.28", "87.28", "B"},       {"D11", "75.56", "75.56", "C"},
    {"D11", "86.29", "86.29", "B"}, {"D11", "94.61", "94.61", "A"}, {"below all", "24.99", "24.99", "-"},
};

static void a_category_is_that_of_the_rounded_value(void **state)
{
    struct decimal value, by, index, converted;
    (void)state;
    decimal_init(&value);
    decimal_init(&by);
    decimal_init(&index);
    decimal_init(&converted);
    decimal_set_int(&by, 25);
    for (size_t i = 0; i < ARRAY_LEN(cuts); i++) {
        print_message("%s %s\n", cuts[i].id, cuts[i].before);
        assert_true(decimal_parse(&value, cuts[i].before, strlen(cuts[i].before)));
        assert_true(decimal_div(&index, &value, &by));
        satisfaction_convert(&index, &converted);
        assert_string_equal(decimal_format(arena, &converted, 2, ROUND_HALF_UP), cuts[i].rounded);
        assert_string_equal(category_of(&converted), cuts[i].category);
    }
    decimal_done(&value);
    decimal_done(&by);
    decimal_done(&index);
    decimal_done(&converted);
}

static void what_nobody_answered_has_no_value(void **state)
{
    struct satisfaction_element elements[ELEMENTS];
    struct decimal d;
    (void)state;
    decimal_init(&d);
    for (int e = 0; e < ELEMENTS; e++)
        elements[e] = element_of_mean(300);
    memset(&elements[4], 0, sizeof elements[4]);
    assert_false(satisfaction_mean(&elements[4], &d));
    assert_false(satisfaction_index(elements, ELEMENTS, &d));
    assert_false(satisfaction_index(elements, 0, &d));
    assert_true(satisfaction_index(elements, 4, &d));
    assert_false(satisfaction_pool(NULL, NULL, 0, &d));
    decimal_done(&d);
}

static void services_are_pooled_by_respondents(void **state)
{
    static const long long respondents[] = {40, 160};
    struct decimal indices[2], pooled, converted;
    (void)state;
    decimal_init(&indices[0]);
    decimal_init(&indices[1]);
    decimal_init(&pooled);
    decimal_init(&converted);
    decimal_set_int(&indices[0], 4);
    assert_true(decimal_parse(&indices[1], "2.5", 3));
    assert_true(satisfaction_pool(respondents, indices, 2, &pooled));
    assert_string_equal(decimal_format(arena, &pooled, 2, ROUND_HALF_UP), "2.80");
    satisfaction_convert(&pooled, &converted);
    assert_string_equal(decimal_format(arena, &converted, 2, ROUND_HALF_UP), "70.00");
    assert_string_equal(category_of(&converted), "C");
    decimal_done(&indices[0]);
    decimal_done(&indices[1]);
    decimal_done(&pooled);
    decimal_done(&converted);
}

/* Whatever is answered: the index lies between the least and the greatest answer, one better answer never lowers it, and it is that of all answers
 * put together when everybody answers everything. */
static void properties_of_all_surveys(void **state)
{
    uint32_t seed = 22;
    struct decimal index, better, low, high;
    (void)state;
    decimal_init(&index);
    decimal_init(&better);
    decimal_init(&low);
    decimal_init(&high);
    for (int round = 0; round < 3000; round++) {
        struct satisfaction_element elements[ELEMENTS] = {{{0}}};
        int least = 4, greatest = 1, n = 1 + round % 40;
        for (int r = 0; r < n; r++)
            for (int e = 0; e < ELEMENTS; e++) {
                seed = seed * 1664525u + 1013904223u;
                int answer = 1 + (int)(seed >> 30);
                elements[e].counts[answer - 1]++;
                least = answer < least ? answer : least;
                greatest = answer > greatest ? answer : greatest;
            }
        assert_true(satisfaction_index(elements, ELEMENTS, &index));
        decimal_set_int(&low, least);
        decimal_set_int(&high, greatest);
        assert_true(decimal_compare(&low, &index) <= 0 && decimal_compare(&index, &high) <= 0);
        for (int a = 0; a < SATISFACTION_ANSWERS - 1; a++) {
            if (!elements[round % ELEMENTS].counts[a])
                continue;
            elements[round % ELEMENTS].counts[a]--;
            elements[round % ELEMENTS].counts[a + 1]++;
            assert_true(satisfaction_index(elements, ELEMENTS, &better));
            assert_true(decimal_compare(&index, &better) < 0);
            break;
        }
    }
    decimal_done(&index);
    decimal_done(&better);
    decimal_done(&low);
    decimal_done(&high);
}

static const struct {
    long long population, target;
} samples[] = {
    {0, 0},        {-5, 0},           {1, 1},
    {10, 10},      {15, 14},          {20, 19},
    {30, 28},      {50, 44},          {61, 53},
    {100, 80},     {150, 108},        {200, 132},
    {250, 152},    {300, 169},        {500, 217},
    {750, 254},    {1000, 278},       {1500, 306},
    {2000, 322},   {3000, 341},       {5000, 357},
    {10000, 370},  {50000, 381},      {75000, 382},
    {100000, 383}, {1000000000, 384}, {9223372036854775807LL, 384},
};

static void samples_are_those_of_the_table(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(samples); i++)
        assert_int_equal(sample_target(samples[i].population), samples[i].target);
    for (long long n = 1; n < 20000; n++) {
        assert_true(sample_target(n) <= n);
        assert_true(sample_target(n) <= sample_target(n + 1));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(published_surveys_come_out_as_published), cmocka_unit_test(raw_answers_give_means_and_index),
        cmocka_unit_test(a_category_is_that_of_the_rounded_value), cmocka_unit_test(what_nobody_answered_has_no_value),
        cmocka_unit_test(services_are_pooled_by_respondents),      cmocka_unit_test(properties_of_all_surveys),
        cmocka_unit_test(samples_are_those_of_the_table),
    };
    int failed;
    arena = arena_new(0);
    failed = cmocka_run_group_tests_name("rules.satisfaction", tests, NULL, NULL);
    arena_free(arena);
    return failed;
}
