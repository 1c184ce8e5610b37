/* SPDX-License-Identifier: Apache-2.0 */
/* How often: a minute's worth at once, then as it comes back; who it is that calls; a crowd that does not fit. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "internal.h"

/* last: it has a macro named fail */
#include <cmocka.h>

#define SECOND INT64_C(1000000)

static struct limited take(struct limiter *limiter, const char *who, int64_t now_us)
{
    return limiter_take(limiter, who, strlen(who), 6, now_us);
}

static void a_minutes_worth_may_come_at_once(void **state)
{
    struct limiter *limiter = limiter_new();
    int64_t now = 1000 * SECOND;
    (void)state;
    for (int left = 5; left >= 0; left--) {
        struct limited told = take(limiter, "a", now);
        assert_true(told.is_taken);
        assert_int_equal(told.left, left);
        assert_int_equal(told.quota, 6);
    }
    limiter_free(limiter);
}

static void what_is_too_much_costs_nothing_and_is_told_when(void **state)
{
    struct limiter *limiter = limiter_new();
    int64_t now = 1000 * SECOND;
    (void)state;
    for (int i = 0; i < 6; i++)
        assert_true(take(limiter, "a", now).is_taken);
    for (int i = 0; i < 50; i++) {
        struct limited told = take(limiter, "a", now + SECOND);
        assert_false(told.is_taken);
        assert_int_equal(told.left, 0);
        assert_int_equal(told.wait_us, 9 * SECOND); /* ten seconds each */
        assert_int_equal(told.reset_us, 59 * SECOND);
    }
    assert_false(take(limiter, "a", now + 10 * SECOND - 1).is_taken);
    assert_true(take(limiter, "a", now + 10 * SECOND).is_taken);
    assert_false(take(limiter, "a", now + 10 * SECOND).is_taken);
    assert_true(take(limiter, "b", now + 10 * SECOND).is_taken);
    limiter_free(limiter);
}

static void looking_takes_nothing(void **state)
{
    struct limiter *limiter = limiter_new();
    int64_t now = 1000 * SECOND, wait_us;
    (void)state;
    for (int i = 0; i < 6; i++) {
        assert_false(limiter_is_empty(limiter, "a", 1, 6, now, &wait_us));
        assert_true(take(limiter, "a", now).is_taken);
    }
    for (int i = 0; i < 3; i++) {
        assert_true(limiter_is_empty(limiter, "a", 1, 6, now + SECOND, &wait_us));
        assert_int_equal(wait_us, 9 * SECOND);
    }
    assert_false(limiter_is_empty(limiter, "b", 1, 6, now, &wait_us));
    assert_false(limiter_is_empty(limiter, "a", 1, 6, now + 10 * SECOND, &wait_us));
    limiter_free(limiter);
}

static void a_minute_later_all_is_there_again(void **state)
{
    struct limiter *limiter = limiter_new();
    int64_t now = 1000 * SECOND;
    (void)state;
    for (int i = 0; i < 6; i++)
        assert_true(take(limiter, "a", now).is_taken);
    assert_int_equal(take(limiter, "a", now + 60 * SECOND).left, 5);
    assert_int_equal(take(limiter, "a", now + 3600 * SECOND).left, 5);
    limiter_free(limiter);
}

/* However it is spread, in any minute and a burst nobody gets more than two quotas, and who asks at the rate is never refused. */
static void properties_of_all_rates(void **state)
{
    (void)state;
    for (int64_t quota = 1; quota < 400; quota = quota * 3 + 1) {
        struct limiter *limiter = limiter_new();
        int64_t taken = 0, each = 60 * SECOND / quota;
        for (int64_t now = SECOND; now < 61 * SECOND; now += each / 7 + 1)
            taken += limiter_take(limiter, "a", 1, quota, now).is_taken;
        assert_true(taken >= quota && taken <= 2 * quota);
        for (int64_t i = 0; i < 3 * quota; i++)
            assert_true(limiter_take(limiter, "b", 1, quota, SECOND + i * each).is_taken);
        limiter_free(limiter);
    }
}

/* More than the table holds: each newcomer is served, and whoever has used up most is not forgotten for one who has used little. */
static void a_crowd_pushes_out_the_idle(void **state)
{
    struct limiter *limiter = limiter_new();
    int64_t now = 1000 * SECOND;
    (void)state;
    for (int i = 0; i < 6; i++)
        assert_true(take(limiter, "greedy", now).is_taken);
    for (uint32_t i = 0; i < 300000; i++)
        assert_true(limiter_take(limiter, &i, sizeof i, 6, now).is_taken);
    assert_false(take(limiter, "greedy", now).is_taken);
    limiter_free(limiter);
}

static const struct {
    const char *what, *peer, *forwarded, *trusted, *client;
} callers[] = {
    {"nobody before us", "192.0.2.1", NULL, "", "192.0.2.1"},
    {"a header that nobody vouches for", "192.0.2.1", "198.51.100.7", "", "192.0.2.1"},
    {"a header of somebody else's proxy", "192.0.2.1", "198.51.100.7", "192.0.2.2", "192.0.2.1"},
    {"our proxy", "192.0.2.2", "198.51.100.7", "192.0.2.2", "198.51.100.7"},
    {"made up before our proxy", "192.0.2.2", "10.0.0.1, 198.51.100.7", "192.0.2.2", "198.51.100.7"},
    {"two of our proxies", "192.0.2.2", "10.0.0.1, 198.51.100.7,192.0.2.3", "192.0.2.3 , 192.0.2.2", "198.51.100.7"},
    {"nothing but our proxies", "192.0.2.2", "192.0.2.3", "192.0.2.3,192.0.2.2", "192.0.2.3"},
    {"no header", "192.0.2.2", NULL, "192.0.2.2", "192.0.2.2"},
    {"an empty header", "192.0.2.2", "", "192.0.2.2", "192.0.2.2"},
    {"part of an address is none", "192.0.2.2", "198.51.100.7", "192.0.2.22,92.0.2.2", "192.0.2.2"},
};

static void who_calls_is_whom_our_proxies_saw(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(callers); i++) {
        struct slice client = limit_client(callers[i].peer, callers[i].forwarded, callers[i].trusted);
        print_message("%s\n", callers[i].what);
        assert_int_equal(client.len, strlen(callers[i].client));
        assert_memory_equal(client.data, callers[i].client, client.len);
    }
}

static bool same(const char *a, const char *b)
{
    uint8_t first[LIMIT_ADDRESS_MAX], second[LIMIT_ADDRESS_MAX];
    size_t n = limit_address((struct slice){a, strlen(a)}, first), m = limit_address((struct slice){b, strlen(b)}, second);
    return n == m && memcmp(first, second, n) == 0;
}

static void a_household_is_one(void **state)
{
    char text[500];
    (void)state;
    assert_true(same("192.0.2.1", "192.0.2.1"));
    assert_false(same("192.0.2.1", "192.0.2.2"));
    assert_true(same("2001:db8:1:2::1", "2001:DB8:1:2:9:9:9:9"));
    assert_false(same("2001:db8:1:2::1", "2001:db8:1:3::1"));
    assert_false(same("x", "y"));
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    assert_true(same(text, text)); /* as long as it likes */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_minutes_worth_may_come_at_once),
        cmocka_unit_test(what_is_too_much_costs_nothing_and_is_told_when),
        cmocka_unit_test(looking_takes_nothing),
        cmocka_unit_test(a_minute_later_all_is_there_again),
        cmocka_unit_test(properties_of_all_rates),
        cmocka_unit_test(a_crowd_pushes_out_the_idle),
        cmocka_unit_test(who_calls_is_whom_our_proxies_saw),
        cmocka_unit_test(a_household_is_one),
    };
    return cmocka_run_group_tests_name("engine.limit", tests, NULL, NULL);
}
