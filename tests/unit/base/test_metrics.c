/* SPDX-License-Identifier: Apache-2.0 */
/* Metrics: the Prometheus text form, buckets, and sums from several threads. */
#include "testing.h"

#include <pthread.h>

#include "asnd/buf.h"
#include "asnd/metrics.h"

static char *written(void)
{
    struct buf buf;
    buf_init(&buf, NULL, 0);
    metrics_write(&buf);
    buf_cstr(&buf);
    return buf.data;
}

static void assert_has_line(const char *text, const char *line)
{
    size_t len = strlen(line);
    for (const char *p = text; p; p = strchr(p, '\n')) {
        p += *p == '\n';
        if (strncmp(p, line, len) == 0 && p[len] == '\n')
            return;
    }
    fail_msg("\"%s\" is no line of:\n%s", line, text);
}

static int count(const char *text, const char *part)
{
    int n = 0;
    for (const char *p = text; (p = strstr(p, part)); p++)
        n++;
    return n;
}

static void the_same_name_and_labels_are_the_same_series(void **state)
{
    char labels[] = "a=\"1\"";
    struct metric *first = metric_new(METRIC_COUNTER, "test_same_total", labels, "Same.");
    (void)state;
    assert_ptr_equal(metric_new(METRIC_COUNTER, "test_same_total", "a=\"1\"", "Other help."), first);
    assert_ptr_not_equal(metric_new(METRIC_COUNTER, "test_same_total", "a=\"2\"", "Same."), first);
    assert_ptr_not_equal(metric_new(METRIC_COUNTER, "test_same_total", "", "Same."), first);
    memset(labels, 'x', sizeof labels - 1); /* they were copied */
    assert_ptr_equal(metric_new(METRIC_COUNTER, "test_same_total", "a=\"1\"", "Same."), first);
}

static void counters_and_gauges(void **state)
{
    struct metric *counter = metric_new(METRIC_COUNTER, "test_requests_total", "operation=\"getAsn\",status=\"2xx\"", "Requests.");
    struct metric *other = metric_new(METRIC_COUNTER, "test_other_total", "", "Stands between.");
    struct metric *second = metric_new(METRIC_COUNTER, "test_requests_total", "operation=\"getAsn\",status=\"4xx\"", "Requests.");
    struct metric *gauge = metric_new(METRIC_GAUGE, "test_connections", "", "Open connections.");
    char *text;
    (void)state;
    metric_add(counter, 1);
    metric_add(counter, 2);
    metric_add(second, 5);
    metric_add(other, 1);
    metric_set(gauge, 10);
    metric_add(gauge, -13);
    assert_int_equal(metric_value(counter), 3);
    assert_int_equal(metric_value(gauge), -3);
    text = written();
    assert_has_line(text, "# HELP test_requests_total Requests.");
    assert_has_line(text, "# TYPE test_requests_total counter");
    assert_non_null(strstr(text, "test_requests_total{operation=\"getAsn\",status=\"2xx\"} 3\n"
                                 "test_requests_total{operation=\"getAsn\",status=\"4xx\"} 5\n")); /* together, though registered apart */
    assert_int_equal(count(text, "# TYPE test_requests_total "), 1);
    assert_has_line(text, "test_other_total 1");
    assert_has_line(text, "# TYPE test_connections gauge");
    assert_has_line(text, "test_connections -3");
    free(text);
}

static void histograms_count_upwards_in_seconds(void **state)
{
    struct metric *plain = metric_new(METRIC_HISTOGRAM, "test_plain_seconds", "", "Plain.");
    struct metric *labelled = metric_new(METRIC_HISTOGRAM, "test_labelled_seconds", "kind=\"query\"", "Labelled.");
    static const int64_t observed_us[] = {0, 500, 501, 1000, 9999999, 10000000, 10000001, -5};
    char *text;
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(observed_us); i++)
        metric_observe_us(plain, observed_us[i]);
    metric_observe_us(labelled, 1500000);
    text = written();
    assert_has_line(text, "# TYPE test_plain_seconds histogram");
    assert_has_line(text, "test_plain_seconds_bucket{le=\"0.0005\"} 3"); /* a bound belongs to its bucket; -5 counts as 0 */
    assert_has_line(text, "test_plain_seconds_bucket{le=\"0.001\"} 5");
    assert_has_line(text, "test_plain_seconds_bucket{le=\"0.0025\"} 5");
    assert_has_line(text, "test_plain_seconds_bucket{le=\"5\"} 5");
    assert_has_line(text, "test_plain_seconds_bucket{le=\"10\"} 7");
    assert_has_line(text, "test_plain_seconds_bucket{le=\"+Inf\"} 8");
    assert_has_line(text, "test_plain_seconds_count 8");
    assert_has_line(text, "test_plain_seconds_sum 30.002001");
    assert_has_line(text, "test_labelled_seconds_bucket{kind=\"query\",le=\"1\"} 0");
    assert_has_line(text, "test_labelled_seconds_bucket{kind=\"query\",le=\"2.5\"} 1");
    assert_has_line(text, "test_labelled_seconds_bucket{kind=\"query\",le=\"+Inf\"} 1");
    assert_has_line(text, "test_labelled_seconds_sum{kind=\"query\"} 1.500000");
    assert_has_line(text, "test_labelled_seconds_count{kind=\"query\"} 1");
    assert_int_equal(count(text, "test_plain_seconds_bucket{"), 15);
    free(text);
}

/* One sample a line, each name announced before: what a scraper insists on. */
static void every_line_is_a_comment_or_a_sample(void **state)
{
    char *text = written(), *rest = text, *line;
    (void)state;
    assert_true(text[strlen(text) - 1] == '\n');
    while ((line = strsep(&rest, "\n")) && rest) {
        const char *space = strrchr(line, ' ');
        char *end;
        if (strncmp(line, "# HELP ", 7) == 0 || strncmp(line, "# TYPE ", 7) == 0)
            continue;
        assert_non_null(space);
        strtod(space + 1, &end);
        assert_true(end > space + 1 && *end == '\0');
    }
    free(text);
}

#define THREADS 4
#define TIMES   10000

static void *observe_many(void *arg)
{
    struct metric *const *metrics = arg;
    for (int i = 0; i < TIMES; i++) {
        metric_add(metrics[0], 1);
        metric_observe_us(metrics[1], 2000);
    }
    return NULL;
}

static void nothing_is_lost_between_threads(void **state)
{
    struct metric *metrics[] = {metric_new(METRIC_COUNTER, "test_threads_total", "", "Threads."),
                                metric_new(METRIC_HISTOGRAM, "test_threads_seconds", "", "Threads.")};
    pthread_t threads[THREADS];
    char *text;
    (void)state;
    for (int i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, observe_many, metrics);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    text = written();
    assert_has_line(text, "test_threads_total 40000");
    assert_has_line(text, "test_threads_seconds_count 40000");
    assert_has_line(text, "test_threads_seconds_sum 80.000000");
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_name_and_labels_are_the_same_series), cmocka_unit_test(counters_and_gauges),
        cmocka_unit_test(histograms_count_upwards_in_seconds),          cmocka_unit_test(nothing_is_lost_between_threads),
        cmocka_unit_test(every_line_is_a_comment_or_a_sample),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
