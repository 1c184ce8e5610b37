/* SPDX-License-Identifier: Apache-2.0 */
/* Learning hours: 1 JP (jam pelajaran) is 45 minutes (Peraturan LAN 5/2018); what is left over does not count. */
#include "asnd/rules.h"

#define MINUTES_PER_JP 45

int hours_from_minutes(int minutes)
{
    return minutes > 0 ? minutes / MINUTES_PER_JP : 0;
}
