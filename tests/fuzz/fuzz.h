/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What the fuzz targets share. A target cuts its input into parts, calls the code as the daemon would, and demands what must hold for
 * every input; the sanitizers watch the rest. Inputs are readable text, so that a corpus can be written by hand. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "asnd/arena.h"
#include "asnd/buf.h"
#include "asnd/status.h"
#include "asnd/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define REQUIRE(claim)                                                                                                                     \
    do {                                                                                                                                   \
        if (!(claim)) {                                                                                                                    \
            fprintf(stderr, "%s:%d: it must hold that %s\n", __FILE__, __LINE__, #claim);                                                  \
            abort();                                                                                                                       \
        }                                                                                                                                  \
    } while (0)

static inline struct slice input(const uint8_t *data, size_t size)
{
    return (struct slice){(const char *)data, size};
}

/* What stands before the next `separator`, which is taken too; all that is left when there is none. */
static inline struct slice take_until(struct slice *rest, char separator)
{
    const char *end = rest->len ? memchr(rest->data, separator, rest->len) : NULL;
    struct slice part = {rest->data, end ? (size_t)(end - rest->data) : rest->len};
    size_t taken = part.len + (end != NULL);
    rest->data += taken;
    rest->len -= taken;
    return part;
}

/* FNV-1a: a number that depends on every byte, for choices that the input does not spell out. */
static inline uint32_t hash_of(struct slice s)
{
    uint32_t hash = 2166136261u;
    for (size_t i = 0; i < s.len; i++)
        hash = (hash ^ (unsigned char)s.data[i]) * 16777619u;
    return hash;
}

/* Messages that nobody reads. */
static inline FILE *nowhere(void)
{
    static FILE *file;
    if (!file)
        file = fopen("/dev/null", "w");
    REQUIRE(file);
    return file;
}

/* Every fault has a code and words; ST_OK has no fault. */
static inline void require_problem(const struct ctx *ctx, enum status st)
{
    for (const struct fault *f = ctx->problem.first_fault; f; f = f->next)
        REQUIRE(f->code && *f->code && f->detail && *f->detail);
    if (st == ST_OK)
        REQUIRE(ctx->problem.n_faults == 0);
    else
        REQUIRE(ctx->problem.status == st && ctx->problem.code && ctx->problem.detail);
}
