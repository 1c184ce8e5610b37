/* SPDX-License-Identifier: Apache-2.0 */
/* Cursors: the first line comes from a client as a cursor; the others are keys that are sealed, opened, and tampered with. */
#include "../../src/engine/internal.h"

#include "fuzz.h"

#define KEYS 4

static const uint8_t secret[32] = "thirty-two bytes for the tests.";

static enum status open_as(struct arena *arena, const char *operation, size_t sort, const char *cursor, const char **ret_keys, size_t n)
{
    struct ctx ctx = {.arena = arena};
    enum status st = page_open_cursor(&ctx, secret, operation, "", sort, cursor, ret_keys, n);
    require_problem(&ctx, st);
    return st;
}

static void require_round_trip(struct arena *arena, const char *const *keys, size_t n)
{
    const char *opened[KEYS + 1];
    char *cursor = arena_strdup(arena, page_seal_cursor(arena, secret, "listAsn", "", 1, keys, n));
    size_t len = strlen(cursor), at;
    REQUIRE(open_as(arena, "listAsn", 1, cursor, opened, n) == ST_OK);
    for (size_t i = 0; i < n; i++)
        REQUIRE(strcmp(opened[i], keys[i]) == 0);
    REQUIRE(open_as(arena, "listUnits", 1, cursor, opened, n) == ST_BAD_REQUEST);
    REQUIRE(open_as(arena, "listAsn", 0, cursor, opened, n) == ST_BAD_REQUEST);
    REQUIRE(open_as(arena, "listAsn", 1, cursor, opened, n + 1) == ST_BAD_REQUEST);
    REQUIRE(n == 0 || open_as(arena, "listAsn", 1, cursor, opened, n - 1) == ST_BAD_REQUEST);
    at = hash_of(slice_of(cursor)) % len;
    cursor[at] = cursor[at] == 'A' ? 'B' : 'A';
    REQUIRE(open_as(arena, "listAsn", 1, cursor, opened, n) == ST_BAD_REQUEST);
    cursor[at] = '\0';
    REQUIRE(open_as(arena, "listAsn", 1, cursor, opened, n) == ST_BAD_REQUEST);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice rest = input(data, size), line;
    struct arena *arena;
    const char *keys[KEYS];
    size_t n = 0;
    if (size > 2000 || memchr(data, '\0', size))
        return 0; /* longer than a cursor may be; no decoded text holds a NUL */
    arena = arena_new(0);
    line = take_until(&rest, '\n');
    for (size_t i = 0; i <= KEYS; i++)
        REQUIRE(open_as(arena, "listAsn", 0, arena_strndup(arena, line.data, line.len), (const char *[KEYS]){0}, i) == ST_BAD_REQUEST);
    while (rest.len > 0 && n < KEYS) {
        line = take_until(&rest, '\n');
        keys[n++] = arena_strndup(arena, line.data, line.len);
    }
    require_round_trip(arena, keys, n);
    arena_free(arena);
    return 0;
}
