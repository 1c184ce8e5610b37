/* SPDX-License-Identifier: Apache-2.0 */
/* UUIDv7: shape, order, time, no id twice; and what counts as a UUID. */
#include "testing.h"

#include <ctype.h>
#include <pthread.h>

#include "asnd/date.h"
#include "asnd/uuid.h"

#define MANY    20000
#define THREADS 4

static void new_ids_are_version_7_and_lower_case(void **state)
{
    (void)state;
    for (int i = 0; i < 1000; i++) {
        char id[UUID_TEXT_SIZE];
        uuid_new_v7(id);
        assert_int_equal(strlen(id), 36);
        assert_true(uuid_is_valid(id, 36));
        assert_int_equal(id[14], '7');
        assert_non_null(strchr("89ab", id[19]));
        for (const char *p = id; *p; p++)
            assert_false(isupper((unsigned char)*p));
    }
}

static void ids_of_a_thread_ascend(void **state)
{
    char before[UUID_TEXT_SIZE], id[UUID_TEXT_SIZE];
    (void)state;
    uuid_new_v7(before);
    for (int i = 0; i < MANY; i++) { /* far more than one millisecond's counter holds */
        uuid_new_v7(id);
        if (strcmp(before, id) >= 0)
            fail_msg("%s is not behind %s", id, before);
        memcpy(before, id, sizeof id);
    }
}

/* A byte that stays the same, or is used again, shows as a digit that takes few values. */
static void every_digit_of_the_tail_varies(void **state)
{
    bool seen[UUID_TEXT_SIZE][128] = {{false}};
    (void)state;
    for (int i = 0; i < 1000; i++) {
        char id[UUID_TEXT_SIZE];
        uuid_new_v7(id);
        for (int at = 20; at < 36; at++)
            seen[at][id[at] & 127] = true;
    }
    for (int at = 20; at < 36; at++) {
        int values = 0;
        for (int c = 0; c < 128; c++)
            values += seen[at][c];
        assert_int_equal(values, at == 23 ? 1 : 16); /* 23 is a hyphen */
    }
}

static void an_id_begins_with_its_time(void **state)
{
    char id[UUID_TEXT_SIZE], digits[13];
    int64_t before = clock_wall_us() / 1000, time;
    (void)state;
    uuid_new_v7(id);
    memcpy(digits, id, 8);
    memcpy(digits + 8, id + 9, 4);
    digits[12] = '\0';
    time = strtoll(digits, NULL, 16);
    /* the counter may have run ahead in the tests before: 20 000 ids are at most ten full milliseconds */
    assert_in_range(time, before, before + 1000);
}

struct ids {
    char text[MANY / THREADS][UUID_TEXT_SIZE];
};

static void *make_many(void *arg)
{
    struct ids *ids = arg;
    for (int i = 0; i < MANY / THREADS; i++)
        uuid_new_v7(ids->text[i]);
    return NULL;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(a, b);
}

static void no_id_comes_twice_from_any_thread(void **state)
{
    struct ids *all = calloc(THREADS, sizeof *all);
    char(*sorted)[UUID_TEXT_SIZE] = (void *)all;
    pthread_t threads[THREADS];
    (void)state;
    assert_non_null(all);
    for (int i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, make_many, &all[i]);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    qsort(sorted, MANY, sizeof *sorted, by_text);
    for (int i = 1; i < MANY; i++)
        assert_string_not_equal(sorted[i - 1], sorted[i]);
    for (int i = 1; i < MANY; i++) /* not even the random tails */
        if (strcmp(sorted[i - 1] + 19, sorted[i] + 19) == 0)
            fail_msg("%s and %s share their tail", sorted[i - 1], sorted[i]);
    free(all);
}

static void texts_that_are_and_are_not(void **state)
{
    static const struct {
        const char *text;
        size_t len;
        bool is_valid;
    } cases[] = {
        {"0192f0c1-2345-7abc-8def-0123456789ab", 36, true},
        {"0192F0C1-2345-7ABC-8DEF-0123456789AB", 36, true},
        {"00000000-0000-0000-0000-000000000000", 36, true},
        {"0192f0c1-2345-7abc-8def-0123456789ab ", 37, false},
        {"0192f0c1-2345-7abc-8def-0123456789a", 35, false},
        {"0192f0c1-2345-7abc-8def-0123456789ag", 36, false},
        {"0192f0c1-2345-7abc-8def_0123456789ab", 36, false},
        {"0192f0c12-345-7abc-8def-0123456789ab", 36, false},
        {"0192f0c123457abc8def0123456789ab", 32, false},
        {"{192f0c1-2345-7abc-8def-0123456789a}", 36, false},
        {"-192f0c1-2345-7abc-8def-0123456789ab", 36, false},
        {"+192f0c1-2345-7abc-8def-0123456789ab", 36, false},
        {" 192f0c1-2345-7abc-8def-0123456789ab", 36, false},
        {"0x92f0c1-2345-7abc-8def-0123456789ab", 36, false},
        {"0192f0c1-2345-7abc-8def-0123456789a\0", 36, false},
        {"\0"
         "192f0c1-2345-7abc-8def-0123456789ab",
         36, false},
        {"", 0, false},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        if (uuid_is_valid(cases[i].text, cases[i].len) != cases[i].is_valid)
            fail_msg("\"%s\" should be %s", cases[i].text, cases[i].is_valid ? "valid" : "refused");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(new_ids_are_version_7_and_lower_case), cmocka_unit_test(ids_of_a_thread_ascend),
        cmocka_unit_test(every_digit_of_the_tail_varies),       cmocka_unit_test(an_id_begins_with_its_time),
        cmocka_unit_test(no_id_comes_twice_from_any_thread),    cmocka_unit_test(texts_that_are_and_are_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
