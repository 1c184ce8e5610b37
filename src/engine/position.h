/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Places in the database's log of changes, as the header Asnd-Position has them: `TIMELINE:LOG/OFFSET`, such as 1:0/16B3748. */
#include <stdbool.h>
#include <stdint.h>

struct arena;

#define POSITION_HEADER "Asnd-Position"

struct position {
    uint32_t timeline;
    uint64_t at;
};
#define POSITION_BEYOND ((struct position){UINT32_MAX, UINT64_MAX}) /* nothing has come so far: only the primary will do */

bool position_parse(const char *text, struct position *ret);
const char *position_text(struct arena *arena, struct position position);
/* LOG/OFFSET alone, as PostgreSQL writes a pg_lsn. */
bool position_parse_lsn(const char *text, uint64_t *ret);
/* Whether a server that stands there has all that was written up to `wanted`. What was written on an older timeline, and lived, lies before the newer one went on from there. */
bool position_has(struct position server, struct position wanted);

/* How far the primary was, and when. A standby that has come as far is no older. */
#define MARKS 64
struct marks {
    struct {
        uint64_t at;
        int64_t us;
    } items[MARKS];
    unsigned n; /* put in so far */
};
void marks_put(struct marks *marks, uint64_t at, int64_t us);
/* The newest time at which the primary was no farther; 0: not known. */
int64_t marks_time(const struct marks *marks, uint64_t at);
