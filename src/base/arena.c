/* SPDX-License-Identifier: Apache-2.0 */
/* Blocks in a chain, handed out from the newest. Big allocations get a block of their own behind it, so that they waste nothing. */
#include "asnd/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "asnd/log.h"

#if defined(__SANITIZE_ADDRESS__)
#define ARENA_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ARENA_ASAN 1
#endif
#endif
#ifdef ARENA_ASAN
#include <sanitizer/asan_interface.h>
#define POISON(p, n)   ASAN_POISON_MEMORY_REGION((p), (n))
#define UNPOISON(p, n) ASAN_UNPOISON_MEMORY_REGION((p), (n))
#define GAP            ALIGNMENT /* stays poisoned behind each allocation, so that one that is overrun does not reach the next */
#else
#define POISON(p, n)   ((void)(p), (void)(n))
#define UNPOISON(p, n) ((void)(p), (void)(n))
#define GAP            ((size_t)0)
#endif

#define FIRST_BYTES 4096
#define ALIGNMENT   alignof(max_align_t)

struct block {
    struct block *next;
    size_t size, used;
    alignas(ALIGNMENT) char data[];
};

struct cleanup {
    struct cleanup *next;
    void (*fn)(void *arg);
    void *arg;
};

struct arena {
    struct block *blocks; /* the newest first; the last one is `first` */
    struct block *first;
    struct cleanup *cleanups;
    size_t used;
};

static struct block *block_new(size_t size)
{
    struct block *block = size > SIZE_MAX - sizeof(struct block) ? NULL : malloc(sizeof(struct block) + size);
    if (!block)
        die_no_memory();
    block->next = NULL;
    block->size = size;
    block->used = 0;
    POISON(block->data, size);
    return block;
}

static void block_free(struct block *block)
{
    UNPOISON(block->data, block->size);
    free(block);
}

struct arena *arena_new(size_t first_bytes)
{
    struct arena *arena = calloc(1, sizeof *arena);
    if (!arena)
        die_no_memory();
    arena->blocks = arena->first = block_new(first_bytes ? first_bytes : FIRST_BYTES);
    return arena;
}

static void run_cleanups(struct arena *arena)
{
    while (arena->cleanups) {
        struct cleanup *cleanup = arena->cleanups;
        arena->cleanups = cleanup->next;
        cleanup->fn(cleanup->arg);
    }
}

void arena_reset(struct arena *arena)
{
    run_cleanups(arena);
    while (arena->blocks != arena->first) {
        struct block *block = arena->blocks;
        arena->blocks = block->next;
        block_free(block);
    }
    while (arena->first->next) { /* big blocks stand behind */
        struct block *block = arena->first->next;
        arena->first->next = block->next;
        block_free(block);
    }
    arena->first->used = 0;
    arena->used = 0;
    POISON(arena->first->data, arena->first->size);
}

void arena_free(struct arena *arena)
{
    if (!arena)
        return;
    arena_reset(arena);
    block_free(arena->first);
    free(arena);
}

/* `step` is what `size` takes up with alignment and gap. */
static void *from_block(struct arena *arena, struct block *block, size_t size, size_t step)
{
    void *p = block->data + block->used;
    block->used += step;
    arena->used += step - GAP;
    UNPOISON(p, size);
    return p;
}

void *arena_alloc(struct arena *arena, size_t size)
{
    struct block *block = arena->blocks;
    size_t step;
    if (size > SIZE_MAX - 2 * ALIGNMENT)
        die_no_memory();
    step = (size ? (size + ALIGNMENT - 1) & ~(ALIGNMENT - 1) : ALIGNMENT) + GAP;
    if (block->size - block->used >= step)
        return from_block(arena, block, size, step);
    if (step > block->size) {
        struct block *own = block_new(step);
        own->next = arena->first->next;
        arena->first->next = own;
        return from_block(arena, own, size, step);
    }
    block = block_new(block->size < (size_t)1 << 20 ? block->size * 2 : block->size);
    block->next = arena->blocks;
    arena->blocks = block;
    return from_block(arena, block, size, step);
}

void *arena_zalloc(struct arena *arena, size_t size)
{
    return memset(arena_alloc(arena, size), 0, size);
}

void *arena_zalloc_array(struct arena *arena, size_t n, size_t size)
{
    if (size && n > SIZE_MAX / size)
        die_no_memory();
    return arena_zalloc(arena, n * size);
}

char *arena_strndup(struct arena *arena, const char *bytes, size_t len)
{
    char *copy = arena_alloc(arena, len + 1);
    if (len)
        memcpy(copy, bytes, len);
    copy[len] = '\0';
    return copy;
}

char *arena_strdup(struct arena *arena, const char *text)
{
    return arena_strndup(arena, text, strlen(text));
}

char *arena_vprintf(struct arena *arena, const char *fmt, va_list ap)
{
    va_list again;
    int len;
    char *text;
    va_copy(again, ap);
    len = vsnprintf(NULL, 0, fmt, again);
    va_end(again);
    text = arena_alloc(arena, len > 0 ? (size_t)len + 1 : 1);
    text[0] = '\0';
    if (len > 0)
        vsnprintf(text, (size_t)len + 1, fmt, ap);
    return text;
}

char *arena_printf(struct arena *arena, const char *fmt, ...)
{
    va_list ap;
    char *text;
    va_start(ap, fmt);
    text = arena_vprintf(arena, fmt, ap);
    va_end(ap);
    return text;
}

void arena_on_free(struct arena *arena, void (*fn)(void *arg), void *arg)
{
    struct cleanup *cleanup = arena_alloc(arena, sizeof *cleanup);
    *cleanup = (struct cleanup){arena->cleanups, fn, arg};
    arena->cleanups = cleanup;
}

size_t arena_used(const struct arena *arena)
{
    return arena->used;
}
