/* SPDX-License-Identifier: Apache-2.0 */
/* Deadlines of connections: one list per kind, ordered because all of a kind run equally long; the server looks at the lists' heads
 * every tick. Setting and clearing are a few pointer writes, so that a request may do both. */
#include "internal.h"

/* Who waits longer is suspended. */
#define PARK_MS 50
/* What a draining server still gives to a connection without a request. */
#define PARTING_MS 500

static void list_remove(struct deadline *dl)
{
    dl->prev->next = dl->next;
    dl->next->prev = dl->prev;
    dl->prev = dl->next = NULL;
}

void deadlines_init(struct deadlines *all, const struct http_config *config)
{
    *all = (struct deadlines){0};
    for (int i = 0; i < DL_KINDS; i++)
        all->lists[i].prev = all->lists[i].next = &all->lists[i];
    all->timeout_ms[DL_HEAD] = (uint64_t)config->head_timeout_ms;
    all->timeout_ms[DL_IDLE] = (uint64_t)config->idle_timeout_ms;
    all->timeout_ms[DL_BODY] = (uint64_t)config->body_timeout_ms;
    all->timeout_ms[DL_PARKED] = PARK_MS;
    all->timeout_ms[DL_PARTING] = PARTING_MS;
    all->timeout_ms[DL_REPLY] = (uint64_t)config->reply_timeout_ms;
}

void deadline_clear(struct deadline *dl)
{
    if (dl->next)
        list_remove(dl);
}

void deadline_set(struct deadlines *all, struct deadline *dl, enum deadline_kind kind, uint64_t now_ms)
{
    struct deadline *list = &all->lists[kind];

    deadline_clear(dl);
    dl->kind = kind;
    dl->due_ms = now_ms + all->timeout_ms[kind];
    dl->prev = list->prev;
    dl->next = list;
    list->prev->next = dl;
    list->prev = dl;
}

uint64_t deadline_since_ms(const struct deadlines *all, const struct deadline *dl)
{
    return dl->next ? dl->due_ms - all->timeout_ms[dl->kind] : 0;
}

struct deadline *deadline_take_due(struct deadlines *all, enum deadline_kind kind, uint64_t now_ms)
{
    struct deadline *first = all->lists[kind].next;

    if (first == &all->lists[kind] || first->due_ms > now_ms)
        return NULL;
    list_remove(first);
    return first;
}
