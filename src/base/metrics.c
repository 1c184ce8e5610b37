/* SPDX-License-Identifier: Apache-2.0 */
/* The registry of metrics: series are made at start and never go; adding to one is an atomic operation. */
#include "asnd/metrics.h"

#include <assert.h>
#include <pthread.h>
#include <search.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "asnd/buf.h"
#include "asnd/log.h"
#include "asnd/macros.h"

static const int64_t bounds_us[] = {500,    1000,   2500,   5000,    10000,   25000,   50000,
                                    100000, 250000, 500000, 1000000, 2500000, 5000000, 10000000};
#define N_BOUNDS ARRAY_LEN(bounds_us)

struct metric {
    struct metric *next;
    enum metric_kind kind;
    const char *name, *labels, *help;
    _Atomic int64_t value;     /* histogram: sum in microseconds */
    _Atomic int64_t buckets[]; /* N_BOUNDS + 1 of a histogram, else none */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct metric *first, **last = &first;
static void *index_root; /* the same series by name and labels: an operation has seven, and there are hundreds */

static char *copy(const char *text)
{
    char *own = strdup(text);
    if (!own)
        die_no_memory();
    return own;
}

static int by_series(const void *left, const void *right)
{
    const struct metric *a = left, *b = right;
    int order = strcmp(a->labels, b->labels);
    return order ? order : strcmp(a->name, b->name);
}

static struct metric *make(enum metric_kind kind, const char *name, const char *labels, const char *help)
{
    const size_t n_buckets = kind == METRIC_HISTOGRAM ? N_BOUNDS + 1 : 0;
    struct metric *m = calloc(1, sizeof *m + n_buckets * sizeof m->buckets[0]);
    if (!m)
        die_no_memory();
    m->kind = kind;
    m->name = name;
    m->labels = copy(labels);
    m->help = help;
    if (!tsearch(m, &index_root, by_series))
        die_no_memory();
    *last = m;
    last = &m->next;
    return m;
}

struct metric *metric_new(enum metric_kind kind, const char *name, const char *labels, const char *help)
{
    struct metric asked = {.name = name, .labels = labels};
    struct metric *m;
    void *found;
    pthread_mutex_lock(&lock);
    found = tfind(&asked, &index_root, by_series);
    m = found ? *(struct metric **)found : make(kind, name, labels, help);
    pthread_mutex_unlock(&lock);
    assert(m->kind == kind);
    return m;
}

void metric_add(struct metric *m, int64_t n)
{
    atomic_fetch_add_explicit(&m->value, n, memory_order_relaxed);
}

void metric_set(struct metric *m, int64_t value)
{
    atomic_store_explicit(&m->value, value, memory_order_relaxed);
}

void metric_observe_us(struct metric *m, int64_t microseconds)
{
    size_t i = 0;
    if (microseconds < 0)
        microseconds = 0;
    while (i < N_BOUNDS && microseconds > bounds_us[i])
        i++;
    atomic_fetch_add_explicit(&m->buckets[i], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&m->value, microseconds, memory_order_relaxed);
}

int64_t metric_value(const struct metric *m)
{
    return atomic_load_explicit(&m->value, memory_order_relaxed);
}

static void write_plain(struct buf *out, const struct metric *m)
{
    buf_printf(out, *m->labels ? "%s{%s} " : "%s%s ", m->name, m->labels);
    buf_put_i64(out, metric_value(m));
    buf_putc(out, '\n');
}

static void write_histogram(struct buf *out, const struct metric *m)
{
    const char *comma = *m->labels ? "," : "";
    const char *open = *m->labels ? "{" : "", *close = *m->labels ? "}" : "";
    int64_t count = 0, sum = metric_value(m);
    for (size_t i = 0; i <= N_BOUNDS; i++) {
        count += atomic_load_explicit(&m->buckets[i], memory_order_relaxed);
        if (i < N_BOUNDS)
            buf_printf(out, "%s_bucket{%s%sle=\"%g\"} %lld\n", m->name, m->labels, comma, (double)bounds_us[i] / 1e6, (long long)count);
        else
            buf_printf(out, "%s_bucket{%s%sle=\"+Inf\"} %lld\n", m->name, m->labels, comma, (long long)count);
    }
    buf_printf(out, "%s_sum%s%s%s %lld.%06lld\n", m->name, open, m->labels, close, (long long)(sum / 1000000), (long long)(sum % 1000000));
    buf_printf(out, "%s_count%s%s%s %lld\n", m->name, open, m->labels, close, (long long)count);
}

/* All series of one name stand together, as the text format asks. */
static bool seen_before(const struct metric *m)
{
    for (const struct metric *other = first; other != m; other = other->next)
        if (strcmp(other->name, m->name) == 0)
            return true;
    return false;
}

void metrics_write(struct buf *out)
{
    static const char *const types[] = {"counter", "gauge", "histogram"};
    pthread_mutex_lock(&lock);
    for (const struct metric *m = first; m; m = m->next) {
        if (seen_before(m))
            continue;
        buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", m->name, m->help, m->name, types[m->kind]);
        for (const struct metric *series = m; series; series = series->next) {
            if (strcmp(series->name, m->name) != 0)
                continue;
            if (m->kind == METRIC_HISTOGRAM)
                write_histogram(out, series);
            else
                write_plain(out, series);
        }
    }
    pthread_mutex_unlock(&lock);
}
