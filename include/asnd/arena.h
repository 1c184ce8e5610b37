/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Memory that lives as long as one request, job or loaded contract, freed in one go.
 * Nothing here returns NULL: a failed allocation writes one log line and aborts. Not thread-safe: one owner at a time. */
#include <stdarg.h>
#include <stddef.h>

#include "asnd/macros.h"

struct arena;

/* A new arena whose first block has `first_bytes` (0: a default of 4 KiB). Free with arena_free. */
struct arena *arena_new(size_t first_bytes) RETURNS_NONNULL;

/* Runs the registered cleanups, newest first, then frees every block. NULL is fine. */
void arena_free(struct arena *arena);

/* Runs the cleanups and forgets all allocations, but keeps the first block for reuse. */
void arena_reset(struct arena *arena);

/* `size` bytes aligned for any type, uninitialised; size 0 gives a valid pointer. Under ASan unused bytes are poisoned. */
void *arena_alloc(struct arena *arena, size_t size) RETURNS_NONNULL;
/* The same, zeroed; the array form aborts on overflow. */
void *arena_zalloc(struct arena *arena, size_t size) RETURNS_NONNULL;
void *arena_zalloc_array(struct arena *arena, size_t n, size_t size) RETURNS_NONNULL;

char *arena_strdup(struct arena *arena, const char *text) RETURNS_NONNULL;
/* A NUL-terminated copy of `len` bytes (which may hold NUL). */
char *arena_strndup(struct arena *arena, const char *bytes, size_t len) RETURNS_NONNULL;
char *arena_printf(struct arena *arena, const char *fmt, ...) RETURNS_NONNULL PRINTF_LIKE(2, 3);
char *arena_vprintf(struct arena *arena, const char *fmt, va_list ap) RETURNS_NONNULL;

/* `fn(arg)` runs when the arena is freed or reset: for what needs more than freeing (json_t, PGresult, file). */
void arena_on_free(struct arena *arena, void (*fn)(void *arg), void *arg);

/* Bytes handed out since new or reset: for limits and metrics. */
size_t arena_used(const struct arena *arena);
