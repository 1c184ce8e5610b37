/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Reads that a standby may answer, and what a write tells so that they can be asked for (docs/decisions/0023). */
#include "internal.h"

/* ── replica.c ── */
struct replicas *replicas_new(struct engine_loop *loop);
void replicas_close(struct replicas *all); /* the loop ends when that is done */
void replicas_free(struct replicas *all);
void replica_tick(struct replicas *all);
bool replicas_wanted(const struct replicas *all);
/* Where reads of this position may go now; NULL, and why not: to the primary. */
struct db_loop *replica_for(struct replicas *all, struct position wanted, enum passed_over *ret_why);
/* Where the server stands that is asked: the statement replica.place. */
struct db_request replica_question(const struct engine *engine, void (*done)(struct db_request *, enum db_outcome, PGresult *), void *cls);

/* ── placed.c ── */
/* Whether the answer must wait until it is known where its write stands. */
bool placed_is_due(const struct call *call);
void placed_answer(struct call *call, const struct outcome *answer, const char *link);
void placed_tell(struct call *call, struct position position);
