/* SPDX-License-Identifier: Apache-2.0 */
/* Matching patterns, bounded in time and memory. */
#include "internal.h"

#include <pthread.h>
#include <stdlib.h>

#include "asnd/log.h"

/* Scratch for matching, one a thread, gone with its thread. */
struct matcher {
    pcre2_match_data *data;
    pcre2_match_context *limits;
};
static pthread_key_t matcher_key;
static pthread_once_t matcher_once = PTHREAD_ONCE_INIT;

static void matcher_free(void *cls)
{
    struct matcher *m = cls;
    pcre2_match_data_free(m->data);
    pcre2_match_context_free(m->limits);
    free(m);
}

/* The main thread's destructor never runs; its scratch stays reachable until exit. */
static void matcher_key_make(void)
{
    if (pthread_key_create(&matcher_key, matcher_free) != 0)
        die_no_memory();
}

static struct matcher *matcher(void)
{
    struct matcher *m;
    pthread_once(&matcher_once, matcher_key_make);
    m = pthread_getspecific(matcher_key);
    if (m)
        return m;
    m = calloc(1, sizeof *m);
    if (!m || !(m->data = pcre2_match_data_create(1, NULL)) || !(m->limits = pcre2_match_context_create(NULL)))
        die_no_memory();
    pcre2_set_match_limit(m->limits, 200000);
    pcre2_set_depth_limit(m->limits, 1000);
    pthread_setspecific(matcher_key, m);
    return m;
}

/* Matching is bounded: a pattern of ours that backtracks for ever on hostile input counts as no match. */
bool pattern_matches(const pcre2_code *pattern, const char *text, size_t len)
{
    struct matcher *m = matcher();
    return pcre2_match(pattern, (PCRE2_SPTR)text, len, 0, PCRE2_NO_UTF_CHECK, m->data, m->limits) >= 0;
}
