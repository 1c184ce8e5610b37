/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Counters, gauges and histograms in Prometheus text form. Label sets are bounded: made at start (one per operation and status class),
 * so that the hot path is an atomic add. */
#include <stdint.h>

struct buf;
struct metric;

enum metric_kind { METRIC_COUNTER, METRIC_GAUGE, METRIC_HISTOGRAM /* seconds, fixed buckets 0.5 ms … 10 s */ };

/* Registers one series: `labels` is text such as operation="getAsn",status="2xx" or "". The same name and labels give the same series.
 * Thread-safe; `labels` is copied, `name` and `help` are constants. */
struct metric *metric_new(enum metric_kind kind, const char *name, const char *labels, const char *help);
void metric_add(struct metric *m, int64_t n);                   /* counter, gauge */
void metric_set(struct metric *m, int64_t value);               /* gauge */
void metric_observe_us(struct metric *m, int64_t microseconds); /* histogram */
int64_t metric_value(const struct metric *m);
void metrics_write(struct buf *out);
/* Gauges of the process itself: its start, once; memory and descriptors, measured anew at each call. */
void metrics_of_process_begin(void);
void metrics_of_process(void);
