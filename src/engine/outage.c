/* SPDX-License-Identifier: Apache-2.0 */
/* What the log says of a time without the database: one line when it begins, one with the count when it is over. (Why it is away, the connections
 * themselves have said.) */
#include "internal.h"

#include "asnd/date.h"
#include "asnd/log.h"

void outage_refused(struct outage *outage)
{
    if (outage->refused++)
        return;
    outage->since_us = clock_mono_us();
    log_line(LOG_WARNING_, "database-lost", LOG_NUM(outage->who, outage->number));
}

void outage_over(struct outage *outage)
{
    if (!outage->refused)
        return;
    log_line(LOG_INFO_, "database-back", LOG_NUM(outage->who, outage->number), LOG_NUM("refused", outage->refused),
             LOG_US("ms", clock_mono_us() - outage->since_us));
    outage->refused = 0;
}
