/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* For targets that have to do with JSON: jansson, and the problem that a client would get. */
#include <jansson.h>

#include "fuzz.h"

/* Whatever went wrong, what is sent is JSON (RFC 9457). */
static inline void require_problem_is_json(const struct ctx *ctx)
{
    struct buf out;
    json_t *problem;
    buf_init(&out, ctx->arena, 512);
    problem_write(&out, ctx, "/v1/asn");
    problem = json_loadb(out.data, out.len, JSON_REJECT_DUPLICATES, NULL);
    REQUIRE(json_is_object(problem));
    json_decref(problem);
}
