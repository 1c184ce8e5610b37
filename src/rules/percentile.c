/* SPDX-License-Identifier: Apache-2.0 */
/* Percentiles of times. Type 7 of Hyndman and Fan (1996), since it is what PostgreSQL, spreadsheets and R give by default; docs/service.md. */
#include "asnd/rules.h"

bool percentile_hundredths(const long long *sorted, size_t n, int percent, long long *ret)
{
    size_t rank, place;
    long long rest;
    if (n == 0)
        return false;
    rank = (n - 1) * (size_t)percent;
    place = rank / 100;
    rest = (long long)(rank % 100);
    *ret = sorted[place] * 100 + (rest ? (sorted[place + 1] - sorted[place]) * rest : 0);
    return true;
}
