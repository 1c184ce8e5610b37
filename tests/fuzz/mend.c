/* SPDX-License-Identifier: Apache-2.0 */
/* Spreadsheet damage: the first byte chooses what the cell should hold, the rest is the cell. What was mended needs no mending. */
#include "asnd/date.h"
#include "asnd/stream.h"

#include "fuzz.h"

static struct mended mend(struct arena *arena, char kind, struct slice cell)
{
    switch (kind) {
    case 'n':
        return mend_digits(arena, cell, 18);
    case 'k':
        return mend_digits(arena, cell, 16);
    case 'd':
        return mend_date(arena, cell);
    case 'p':
        return mend_phone(arena, cell);
    case 'c':
        return mend_code(arena, cell, 2);
    default:
        return mend_text(arena, cell);
    }
}

static void require_sense(char kind, const struct mended *m)
{
    if (m->damage == DAMAGE_NONE)
        REQUIRE(!m->code && !m->suggestion);
    else
        REQUIRE(m->code && *m->code && m->value);
    if (m->damage == DAMAGE_NAMED)
        REQUIRE(m->en && *m->en && m->id && *m->id);
    if (m->damage == DAMAGE_REPAIRED)
        REQUIRE(*m->value);
    if (kind == 'd' && m->damage != DAMAGE_NAMED && m->value) {
        struct date date;
        REQUIRE(date_parse(m->value, strlen(m->value), &date) && date.year >= 1900 && date.year <= 2099);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice cell = input(data, size);
    struct arena *arena;
    struct mended m, again;
    if (size == 0)
        return 0;
    cell = (struct slice){cell.data + 1, cell.len - 1};
    if (!utf8_is_valid(cell.data, cell.len, false))
        return 0; /* the readers have refused it */
    arena = arena_new(0);
    m = mend(arena, (char)data[0], cell);
    require_sense((char)data[0], &m);
    if (m.value)
        REQUIRE(utf8_is_valid(m.value, strlen(m.value), false));
    if (m.damage == DAMAGE_REPAIRED) {
        again = mend(arena, (char)data[0], slice_of(m.value));
        REQUIRE(again.damage == DAMAGE_NONE && again.value && strcmp(again.value, m.value) == 0);
    }
    arena_free(arena);
    return 0;
}
