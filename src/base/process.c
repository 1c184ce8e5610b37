/* SPDX-License-Identifier: Apache-2.0 */
/* What this process takes of the machine, as gauges of the names that Prometheus's own libraries use. */
#include "asnd/metrics.h"

#include <dirent.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

static int64_t resident_bytes(void)
{
    long long pages = 0;
    FILE *file = fopen("/proc/self/statm", "re");
    if (!file)
        return 0;
    if (fscanf(file, "%*d %lld", &pages) != 1)
        pages = 0;
    fclose(file);
    return pages * sysconf(_SC_PAGESIZE);
}

static int64_t open_descriptors(void)
{
    int64_t n = 0;
    DIR *dir = opendir("/proc/self/fd");
    if (!dir)
        return 0;
    while (readdir(dir))
        n++;
    closedir(dir);
    return n - 3; /* `.`, `..` and the directory itself */
}

void metrics_of_process_begin(void)
{
    metric_set(metric_new(METRIC_GAUGE, "process_start_time_seconds", "", "When the process started, seconds since 1970"), time(NULL));
    metrics_of_process();
}

void metrics_of_process(void)
{
    metric_set(metric_new(METRIC_GAUGE, "process_resident_memory_bytes", "", "Memory of the process that is in RAM"), resident_bytes());
    metric_set(metric_new(METRIC_GAUGE, "process_open_fds", "", "File descriptors that are open"), open_descriptors());
}
