/* SPDX-License-Identifier: Apache-2.0 */
/* Joining the parts into an engine, and taking it apart. */
#include "internal.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "asnd/log.h"

struct engine *engine_new(const struct settings *settings, struct contract *contract, const struct sql_set *set,
                          const struct binding *bindings, const uint8_t cursor_secret[32], FILE *err)
{
    struct engine *engine = calloc(1, sizeof *engine);
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    if (!engine)
        die_no_memory();
    engine->settings = settings;
    engine->contract = contract;
    engine->set = set;
    engine->arena = arena_new(65536);
    engine->n_loops = settings->loops ? (int)settings->loops : cores > 0 ? (int)cores : 1;
    engine->loops = calloc((size_t)engine->n_loops, sizeof *engine->loops);
    if (!engine->loops)
        die_no_memory();
    memcpy(engine->cursor_secret, cursor_secret, sizeof engine->cursor_secret);
    if (!ops_compile(engine, bindings, err)) {
        engine_free(engine);
        return NULL;
    }
    docs_make(engine);
    return engine;
}

void engine_free(struct engine *engine)
{
    if (!engine)
        return;
    arena_free(engine->arena);
    free(engine->loops);
    free(engine);
}
