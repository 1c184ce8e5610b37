/* SPDX-License-Identifier: Apache-2.0 */
/* Positions: read, written, compared; and how old a place in the log is. */
#include "position.h"

#include <string.h>

#include "asnd/arena.h"

/* Ten decimal or eight hexadecimal digits at most, and 32 bits; NULL, or what comes behind. */
static const char *number(const char *text, unsigned base, uint64_t *ret)
{
    static const char digits[] = "0123456789ABCDEF0123456789abcdef";
    const char *at = text;
    *ret = 0;
    for (; *at; at++) {
        const char *digit = strchr(digits, *at);
        uint64_t value = digit ? (uint64_t)(digit - digits) % 16 : base;
        if (value >= base)
            break;
        *ret = *ret * base + value;
        if (*ret > UINT32_MAX || at - text >= (base == 10 ? 10 : 8))
            return NULL;
    }
    return at == text ? NULL : at;
}

bool position_parse_lsn(const char *text, uint64_t *ret)
{
    uint64_t high, low;
    const char *at = number(text, 16, &high);
    if (!at || *at != '/' || !(at = number(at + 1, 16, &low)) || *at)
        return false;
    *ret = high << 32 | low;
    return true;
}

bool position_parse(const char *text, struct position *ret)
{
    uint64_t timeline;
    const char *at = number(text, 10, &timeline);
    if (!at || *at != ':' || !position_parse_lsn(at + 1, &ret->at))
        return false;
    ret->timeline = (uint32_t)timeline;
    return true;
}

const char *position_text(struct arena *arena, struct position position)
{
    return arena_printf(arena, "%u:%X/%X", position.timeline, (unsigned)(position.at >> 32), (unsigned)(position.at & UINT32_MAX));
}

bool position_has(struct position server, struct position wanted)
{
    return wanted.timeline <= server.timeline && wanted.at <= server.at;
}

void marks_put(struct marks *marks, uint64_t at, int64_t us)
{
    unsigned newest = (marks->n - 1) % MARKS;
    if (marks->n && at <= marks->items[newest].at) { /* nothing was written since */
        marks->items[newest].us = us;
        return;
    }
    marks->items[marks->n % MARKS].at = at;
    marks->items[marks->n++ % MARKS].us = us;
}

int64_t marks_time(const struct marks *marks, uint64_t at)
{
    for (unsigned i = marks->n; i > 0 && i + MARKS > marks->n; i--)
        if (marks->items[(i - 1) % MARKS].at <= at)
            return marks->items[(i - 1) % MARKS].us;
    return 0;
}
