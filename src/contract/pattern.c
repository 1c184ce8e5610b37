/* SPDX-License-Identifier: Apache-2.0 */
/* `pattern` by PCRE2: UTF-8, unanchored, compiled to machine code once. Everything that a match needs beyond the compiled pattern lives in the
 * request's arena. */
#include "internal.h"

#include <string.h>

#define MATCH_LIMIT 200000
#define DEPTH_LIMIT 1000
#define HEAP_KIB    1024

static void *take(size_t size, void *arena)
{
    return arena_alloc(arena, size);
}

static void keep(void *memory, void *arena)
{
    (void)memory;
    (void)arena;
}

static pcre2_general_context *memory_of(struct arena *arena)
{
    return pcre2_general_context_create(take, keep, arena);
}

pcre2_match_context *pattern_limits(struct arena *arena)
{
    pcre2_match_context *limits = pcre2_match_context_create(memory_of(arena));
    pcre2_set_match_limit(limits, MATCH_LIMIT);
    pcre2_set_depth_limit(limits, DEPTH_LIMIT);
    pcre2_set_heap_limit(limits, HEAP_KIB);
    return limits;
}

static void free_code(void *code)
{
    pcre2_code_free(code);
}

/* ECMA-262's dialect as far as PCRE2 has switches for it: `$` is the very end, \d and \w are ASCII, \uXXXX is a character. */
bool pattern_compile(struct arena *arena, const char *text, pcre2_match_context *limits, struct regex *ret, size_t *ret_offset)
{
    int error;
    const uint32_t options = PCRE2_UTF | PCRE2_DOLLAR_ENDONLY | PCRE2_ALT_BSUX | PCRE2_MATCH_UNSET_BACKREF | PCRE2_NEVER_BACKSLASH_C;
    pcre2_code *code = pcre2_compile((PCRE2_SPTR)text, PCRE2_ZERO_TERMINATED, options, &error, ret_offset, NULL);
    if (!code)
        return false;
    pcre2_jit_compile(code, PCRE2_JIT_COMPLETE); /* where there is no JIT the interpreter does it */
    arena_on_free(arena, free_code, code);
    *ret = (struct regex){.text = text, .code = code, .limits = limits};
    return true;
}

bool pattern_matches(struct arena *arena, pcre2_match_data **match_data, const struct regex *regex, const char *text, size_t len)
{
    int rc;
    if (!*match_data)
        *match_data = pcre2_match_data_create(1, memory_of(arena));
    rc = pcre2_match(regex->code, (PCRE2_SPTR)text, len, 0, PCRE2_NO_UTF_CHECK, *match_data, regex->limits);
    if (rc == PCRE2_ERROR_JIT_STACKLIMIT) /* a long honest text: the interpreter keeps its stack on the heap, within bounds */
        rc = pcre2_match(regex->code, (PCRE2_SPTR)text, len, 0, PCRE2_NO_UTF_CHECK | PCRE2_NO_JIT, *match_data, regex->limits);
    return rc >= 0;
}
