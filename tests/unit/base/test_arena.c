/* SPDX-License-Identifier: Apache-2.0 */
/* Arenas: alignment, order of cleanups, reuse, refusal to overflow, and what ASan sees of them. */
#include "testing.h"

#include <stdalign.h>

#include "asnd/arena.h"

static char order[16];

static void note(void *arg)
{
    strcat(order, arg);
}

static void cleanups_run_newest_first_once_and_before_memory_goes(void **state)
{
    struct arena *arena = arena_new(0);
    (void)state;
    order[0] = '\0';
    arena_on_free(arena, note, arena_strdup(arena, "a"));
    arena_on_free(arena, note, arena_strdup(arena, "b"));
    arena_on_free(arena, note, arena_strdup(arena, "c"));
    arena_reset(arena);
    assert_string_equal(order, "cba");
    arena_on_free(arena, note, arena_strdup(arena, "d"));
    arena_free(arena);
    assert_string_equal(order, "cbad");
}

static struct arena *shared;

static void register_another(void *arg)
{
    arena_on_free(shared, note, arg);
}

static void a_cleanup_may_register_a_cleanup(void **state)
{
    (void)state;
    order[0] = '\0';
    shared = arena_new(0);
    arena_on_free(shared, register_another, arena_strdup(shared, "x"));
    arena_free(shared);
    assert_string_equal(order, "x");
}

static void memory_is_aligned_and_kept_apart(void **state)
{
    static const size_t sizes[] = {0, 1, 7, 8, 15, 16, 17, 100, 4095, 4096, 4097, 70000};
    static const size_t first_bytes[] = {0, 1, 64, 100000};
    (void)state;
    for (size_t f = 0; f < ARRAY_LEN(first_bytes); f++) {
        struct arena *arena = arena_new(first_bytes[f]);
        unsigned char *parts[ARRAY_LEN(sizes) * 4];
        for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
            size_t size = sizes[i % ARRAY_LEN(sizes)];
            parts[i] = arena_alloc(arena, size);
            assert_int_equal((uintptr_t)parts[i] % alignof(max_align_t), 0);
            memset(parts[i], (int)i, size);
        }
        for (size_t i = 0; i < ARRAY_LEN(parts); i++)
            for (size_t j = 0; j < sizes[i % ARRAY_LEN(sizes)]; j++)
                assert_int_equal(parts[i][j], i);
        arena_free(arena);
    }
}

static void zeroed_memory_is_zero_after_reuse(void **state)
{
    struct arena *arena = arena_new(256);
    const unsigned char *p;
    (void)state;
    memset(arena_alloc(arena, 200), 0xff, 200);
    arena_reset(arena);
    p = arena_zalloc_array(arena, 20, 10);
    for (int i = 0; i < 200; i++)
        assert_int_equal(p[i], 0);
    arena_free(arena);
}

static void used_counts_up_and_reset_starts_over(void **state)
{
    struct arena *arena = arena_new(0);
    (void)state;
    assert_int_equal(arena_used(arena), 0);
    arena_alloc(arena, 100);
    assert_in_range(arena_used(arena), 100, 100 + alignof(max_align_t));
    arena_alloc(arena, 1000000);
    assert_in_range(arena_used(arena), 1000100, 1000100 + 2 * alignof(max_align_t));
    arena_reset(arena);
    assert_int_equal(arena_used(arena), 0);
    arena_free(arena);
}

static void copies_are_terminated_and_may_hold_nul(void **state)
{
    struct arena *arena = arena_new(0);
    (void)state;
    assert_memory_equal(arena_strndup(arena, "a\0bc", 3), "a\0b", 4);
    assert_string_equal(arena_strndup(arena, NULL, 0), "");
    assert_string_equal(arena_strdup(arena, "Wakatobi"), "Wakatobi");
    assert_string_equal(arena_printf(arena, "%s-%03d", "x", 7), "x-007");
    assert_int_equal(strlen(arena_printf(arena, "%*s", 10000, "")), 10000);
    arena_free(arena);
}

static void free_of_nothing_is_fine(void **state)
{
    (void)state;
    arena_free(NULL);
}

static void overflow_array(void)
{
    arena_zalloc_array(arena_new(0), SIZE_MAX / 2, 3);
}

static void overflow_alignment(void)
{
    arena_alloc(arena_new(0), SIZE_MAX - 3);
}

static void sizes_that_overflow_abort(void **state)
{
    (void)state;
    assert_int_equal(signal_of(overflow_array), SIGABRT);
    assert_int_equal(signal_of(overflow_alignment), SIGABRT);
}

#if defined(__SANITIZE_ADDRESS__)
#define WITH_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WITH_ASAN 1
#endif
#endif
#ifdef WITH_ASAN
#include <sanitizer/asan_interface.h>

static void asan_sees_both_ends(void **state)
{
    struct arena *arena = arena_new(0);
    char *p = arena_alloc(arena, 13), *q = arena_alloc(arena, 32), *big = arena_alloc(arena, 9000);
    (void)state;
    assert_false(__asan_address_is_poisoned(p + 12));
    assert_true(__asan_address_is_poisoned(p + 13));
    assert_false(__asan_address_is_poisoned(q + 31));
    assert_true(__asan_address_is_poisoned(q + 32));
    assert_false(__asan_address_is_poisoned(big + 8999));
    assert_true(__asan_address_is_poisoned(big + 9000));
    arena_reset(arena);
    assert_true(__asan_address_is_poisoned(p));
    arena_free(arena);
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cleanups_run_newest_first_once_and_before_memory_goes),
        cmocka_unit_test(a_cleanup_may_register_a_cleanup),
        cmocka_unit_test(memory_is_aligned_and_kept_apart),
        cmocka_unit_test(zeroed_memory_is_zero_after_reuse),
        cmocka_unit_test(used_counts_up_and_reset_starts_over),
        cmocka_unit_test(copies_are_terminated_and_may_hold_nul),
        cmocka_unit_test(free_of_nothing_is_fine),
        cmocka_unit_test(sizes_that_overflow_abort),
#ifdef WITH_ASAN
        cmocka_unit_test(asan_sees_both_ends),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
