/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What the tests of this room share: a contract from inline YAML, one request's context, and faults as one line of text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
/* Our own fail (asnd/status.h) words a problem; cmocka's two words for it become one. */
#undef fail
#undef fail_msg
#define fail_msg(...) (print_error(__VA_ARGS__), print_error("\n"), _fail(__FILE__, __LINE__))

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "asnd/arena.h"
#include "asnd/buf.h"
#include "asnd/contract.h"

/* What is written to `file` until taken; free the text. */
struct heard {
    FILE *file;
    char *text;
    size_t len;
};

static inline struct heard *hear(struct heard *h)
{
    *h = (struct heard){0};
    h->file = open_memstream(&h->text, &h->len);
    assert_non_null(h->file);
    return h;
}

static inline const char *heard_text(struct heard *h)
{
    fflush(h->file);
    return h->text;
}

static inline void heard_done(struct heard *h)
{
    fclose(h->file);
    free(h->text);
}

/* Loads, and says on standard error why not. */
static inline struct contract *load_or_die(const char *yaml)
{
    struct contract *contract = contract_load(yaml, strlen(yaml), "test.yaml", stderr);
    assert_non_null(contract);
    return contract;
}

/* All faults, one a line: `where code detail`, then ` =value` and ` ?suggestion` if there are such. */
static inline const char *faults_text(struct ctx *ctx)
{
    struct buf out;
    buf_init(&out, ctx->arena, 256);
    for (const struct fault *f = ctx->problem.first_fault; f; f = f->next) {
        buf_printf(&out, "%s%s %s %s", f == ctx->problem.first_fault ? "" : "\n", f->where, f->code, f->detail);
        if (f->value)
            buf_printf(&out, " =%s", f->value);
        if (f->suggestion)
            buf_printf(&out, " ?%s", f->suggestion);
        if (f->pattern)
            buf_printf(&out, " ~%s", f->pattern);
    }
    return buf_cstr(&out);
}
