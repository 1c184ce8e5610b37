/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Who is let in: what a caller has under way already, and what waits when he comes (docs/decisions/0024). */
#include "internal.h"

/* ST_UNAVAILABLE when whoever comes now would have to wait for longer than wait_limit_ms. What the engine answers by itself is always let in. */
NODISCARD enum status door_check(struct call *call);
/* How many one caller may have under way while there is a crowd, so that there is room for others; else no limit. */
int64_t door_share(const struct call *call);
/* What waits for the database from now on, and no more. */
void door_enter(struct call *call);
void door_leave(struct call *call); /* may be called for any call with an operation */
/* Answers with the problem in the call's ctx, at once or, where many are told to come again, in a moment. */
void door_refuse(struct call *call);
void door_forget(struct call *call); /* its request is over */
void door_tick(struct engine_loop *loop);
bool door_logs(struct call *call); /* whether this request has a line of its own in the log */

/* ── account.c ── what each caller has under way ── */
struct account {
    atomic_int requests;
    int64_t jobs; /* that wait for a worker or have one, and of these: */
    int running;  /* both under the workers' lock */
};
struct accounts *accounts_new(void);
void accounts_free(struct accounts *accounts);
/* Never NULL. Two callers may share one, by chance. */
struct account *account_of(struct accounts *accounts, const void *who, size_t len);
/* Counts this call as its caller's; ST_TOO_MANY_REQUESTS when he has caller_requests already. */
NODISCARD enum status account_enter(struct call *call, const void *who, size_t len);
void account_leave(struct call *call); /* may be called for any call */
enum status account_refuse(struct call *call, int64_t most);
/* Credentials that were good once: whoever comes with another may be made to wait (limit_guess). */
bool account_is_known(struct accounts *accounts, const char *key_hash);
void account_know(struct accounts *accounts, const char *key_hash);

/* ── even.c ── "not found" at the next whole step since the request came ── */
NODISCARD bool even_open(struct engine_loop *loop); /* false: errno says why; the process ends */
void even_close(struct engine_loop *loop);
void even_refuse(struct call *call); /* answers with the problem in the call's ctx, within 5 ms */
void even_forget(struct call *call); /* its request is over */
