/* SPDX-License-Identifier: Apache-2.0 */
/* SQLSTATEs as statuses. (What a real server's errors become is tested with a real server, in test_conn.c.) */
#include "testing.h"

static void sqlstates_have_statuses(void **state UNUSED)
{
    static const struct {
        const char *sqlstate;
        enum status status;
    } cases[] = {
        {"23505", ST_CONFLICT},    {"23P01", ST_CONFLICT},    {"23503", ST_INVALID},     {"23514", ST_INVALID},
        {"23502", ST_INVALID},     {"23001", ST_CONFLICT},    {"22P02", ST_INVALID},     {"22003", ST_INVALID},
        {"40001", ST_RETRY},       {"40P01", ST_RETRY},       {"40002", ST_INTERNAL},    {"57014", ST_TIMEOUT},
        {"57P01", ST_UNAVAILABLE}, {"57P03", ST_UNAVAILABLE}, {"08006", ST_UNAVAILABLE}, {"53300", ST_UNAVAILABLE},
        {"25006", ST_UNAVAILABLE}, {"55P03", ST_UNAVAILABLE}, {"42601", ST_INTERNAL},    {"P0001", ST_INTERNAL},
        {"XX000", ST_INTERNAL},    {"57000", ST_INTERNAL},    {"", ST_INTERNAL},         {NULL, ST_INTERNAL},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        if (sqlstate_status(cases[i].sqlstate) != cases[i].status)
            fail_msg("%s is %s", cases[i].sqlstate, status_name(sqlstate_status(cases[i].sqlstate)));
}

static void a_lost_connection_is_unavailable_for_a_second(void **state UNUSED)
{
    struct ctx ctx = {.arena = arena_new(0)};

    assert_int_equal(db_fail(&ctx, NULL), ST_UNAVAILABLE);
    assert_string_equal(ctx.problem.code, "unavailable");
    assert_int_equal(ctx.problem.retry_after_s, 1);
    arena_free(ctx.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sqlstates_have_statuses),
        cmocka_unit_test(a_lost_connection_is_unavailable_for_a_second),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
