/* SPDX-License-Identifier: Apache-2.0 */
/* The ring between loop and worker: nothing lost, nothing doubled, every wait woken. Runs under TSan too. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "internal.h"

/* last: it has a macro named fail */
#include <cmocka.h>

#define TOTAL 300000

/* The loop's side sleeps on this until a wake comes. */
struct bell {
    pthread_mutex_t lock;
    pthread_cond_t rang;
    bool is_ringing;
};

static void ring(void *cls)
{
    struct bell *bell = cls;
    pthread_mutex_lock(&bell->lock);
    bell->is_ringing = true;
    pthread_cond_signal(&bell->rang);
    pthread_mutex_unlock(&bell->lock);
}

static void wait_for(struct bell *bell)
{
    pthread_mutex_lock(&bell->lock);
    while (!bell->is_ringing)
        pthread_cond_wait(&bell->rang, &bell->lock);
    bell->is_ringing = false;
    pthread_mutex_unlock(&bell->lock);
}

static char pattern(size_t i)
{
    return (char)(i * 31 + i / 257);
}

static void *worker_writes(void *cls)
{
    char chunk[777];
    for (size_t at = 0; at < TOTAL;) {
        size_t n = TOTAL - at < sizeof chunk ? TOTAL - at : sizeof chunk;
        for (size_t i = 0; i < n; i++)
            chunk[i] = pattern(at + i);
        if (!pipe_write(cls, chunk, n))
            return NULL;
        at += n;
    }
    pipe_end(cls);
    return NULL;
}

/* The end mark comes from the loop in the engine, so here the reader counts instead of waiting for it. */
static void a_slow_loop_reads_all_that_a_worker_writes(void **state)
{
    struct bell bell = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false};
    struct pipe *pipe = pipe_new(1000, true, ring, &bell);
    pthread_t thread;
    size_t at = 0;
    char got[333];
    (void)state;
    pthread_create(&thread, NULL, worker_writes, pipe);
    while (at < TOTAL) {
        ptrdiff_t n = pipe_take(pipe, got, sizeof got);
        if (n == PULL_WAIT) {
            wait_for(&bell);
            continue;
        }
        assert_true(n > 0);
        for (ptrdiff_t i = 0; i < n; i++)
            assert_int_equal(got[i], pattern(at + (size_t)i));
        at += (size_t)n;
    }
    pthread_join(thread, NULL);
    assert_int_equal(pipe_take(pipe, got, sizeof got), PULL_END);
    pipe_free(pipe);
}

static void *worker_reads(void *cls)
{
    char got[1234];
    size_t at = 0;
    ptrdiff_t n;
    while ((n = pipe_read(cls, got, sizeof got)) > 0) {
        for (ptrdiff_t i = 0; i < n; i++)
            if (got[i] != pattern(at + (size_t)i))
                return NULL;
        at += (size_t)n;
    }
    return (void *)(n < 0 ? 1 : at);
}

static void a_worker_reads_all_that_a_loop_offers(void **state)
{
    struct bell bell = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false};
    struct pipe *pipe = pipe_new(1000, false, ring, &bell);
    pthread_t thread;
    void *read = NULL;
    char chunk[700];
    (void)state;
    pthread_create(&thread, NULL, worker_reads, pipe);
    for (size_t at = 0; at < TOTAL;) {
        size_t n = TOTAL - at < sizeof chunk ? TOTAL - at : sizeof chunk, taken;
        for (size_t i = 0; i < n; i++)
            chunk[i] = pattern(at + i);
        taken = pipe_offer(pipe, chunk, n);
        at += taken;
        if (taken < n)
            wait_for(&bell);
    }
    pipe_end(pipe);
    pthread_join(thread, &read);
    assert_int_equal((uintptr_t)read, TOTAL);
    pipe_free(pipe);
}

static void breaking_frees_both_sides(void **state)
{
    struct bell bell = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false};
    struct pipe *up = pipe_new(100, false, ring, &bell), *down = pipe_new(100, true, ring, &bell);
    pthread_t reader, writer;
    void *read = NULL;
    char got[10];
    (void)state;
    pthread_create(&reader, NULL, worker_reads, up);
    pthread_create(&writer, NULL, worker_writes, down);
    pipe_break(up);
    pipe_break(down);
    pthread_join(reader, &read);
    pthread_join(writer, NULL);
    assert_int_equal((uintptr_t)read, 1);
    assert_int_equal(pipe_take(down, got, sizeof got), PULL_FAIL);
    assert_int_equal(pipe_offer(up, "0123456789", 10), 10);
    pipe_free(up);
    pipe_free(down);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_slow_loop_reads_all_that_a_worker_writes),
        cmocka_unit_test(a_worker_reads_all_that_a_loop_offers),
        cmocka_unit_test(breaking_frees_both_sides),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
