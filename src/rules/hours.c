/* SPDX-License-Identifier: Apache-2.0 */
/* Learning hours (jam pelajaran, JP): 45 minutes each (Peraturan LAN 5/2018). That a rest is dropped is our choice; docs/rules.md, 5. */
#include "asnd/rules.h"

#define MINUTES_PER_JP 45

int hours_from_minutes(int minutes)
{
    return minutes > 0 ? minutes / MINUTES_PER_JP : 0;
}
