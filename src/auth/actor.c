/* SPDX-License-Identifier: Apache-2.0 */
/* Actors and the small cache of checked keys that each loop keeps. Entries sit in one bucket array indexed by the hash's first bits (the
 * hash is SHA-256 of 256 random bits, so it spreads by itself); a newcomer takes the place of the old one. */
#include "asnd/auth.h"

#include <stdlib.h>
#include <string.h>

#include "asnd/arena.h"
#include "asnd/log.h"
#include "internal.h"

struct actor_owner {
    struct actor actor; /* first: actor_unref casts back */
    struct arena *arena;
};

/* Scopes are words of [a-z._-], so the literal never holds quotes or backslashes. */
static void split_scopes(struct arena *arena, const char *literal, struct actor *actor)
{
    size_t n = 1;
    char *text = arena_strdup(arena, literal + (*literal == '{'));
    const char **scopes;
    char *rest;
    text[strcspn(text, "}")] = '\0';
    for (const char *p = text; *p; p++)
        n += *p == ',';
    scopes = arena_zalloc_array(arena, n, sizeof *scopes);
    n = 0;
    for (char *word = strtok_r(text, ",", &rest); word; word = strtok_r(NULL, ",", &rest))
        scopes[n++] = word;
    actor->scopes = scopes;
    actor->n_scopes = n;
}

static const char *copy_or_null(struct arena *arena, const char *text)
{
    return text && *text ? arena_strdup(arena, text) : NULL;
}

/* What the database gives was checked when it was written; what could not be read after all would match nothing. */
static void split_networks(struct arena *arena, const char *list, struct actor *actor)
{
    size_t n = 1;
    struct network *networks;
    if (!list || !*list)
        return;
    for (const char *p = list; *p; p++)
        n += *p == ',';
    networks = arena_zalloc_array(arena, n, sizeof *networks);
    for (size_t i = 0; i < n; i++) {
        size_t len = strcspn(list, ",");
        if (!network_parse(list, len, &networks[i]))
            networks[i].bits = NETWORK_NOWHERE;
        list += len + (list[len] == ',');
    }
    actor->allow_from = networks;
    actor->n_allow_from = n;
}

struct actor *actor_new(const struct actor_facts *facts)
{
    struct arena *arena = arena_new(512);
    struct actor_owner *owner = arena_zalloc(arena, sizeof *owner);
    owner->arena = arena;
    owner->actor.key_id = arena_strdup(arena, facts->key_id);
    owner->actor.name = arena_strdup(arena, facts->name);
    owner->actor.units = arena_strdup(arena, facts->units);
    owner->actor.agency = arena_strdup(arena, facts->agency);
    owner->actor.roles_literal = arena_strdup(arena, facts->roles_literal);
    owner->actor.roles = facts->roles;
    owner->actor.scopes_literal = arena_strdup(arena, facts->scopes_literal);
    owner->actor.nip = copy_or_null(arena, facts->nip);
    owner->actor.certificate = copy_or_null(arena, facts->certificate);
    owner->actor.expires_us = facts->expires_us;
    owner->actor.is_previous = facts->is_previous;
    owner->actor.refs = 1;
    split_scopes(arena, facts->scopes_literal, &owner->actor);
    split_networks(arena, facts->allow_from, &owner->actor);
    return &owner->actor;
}

void actor_ref(struct actor *actor)
{
    actor->refs++;
}

void actor_unref(struct actor *actor)
{
    if (actor && --actor->refs == 0)
        arena_free(((struct actor_owner *)actor)->arena);
}

struct entry {
    char hash[KEY_HASH_HEX_SIZE];
    int64_t checked_ms;
    struct actor *actor; /* NULL: known to be no key */
};

struct actor_cache {
    size_t capacity; /* a power of two */
    int ttl_ms;
    struct entry *entries;
};

struct actor_cache *actor_cache_new(size_t capacity, int ttl_ms)
{
    struct actor_cache *cache = calloc(1, sizeof *cache);
    size_t n = 16;
    while (n < capacity)
        n *= 2;
    if (!cache || !(cache->entries = calloc(n, sizeof *cache->entries)))
        die_no_memory();
    cache->capacity = n;
    cache->ttl_ms = ttl_ms;
    return cache;
}

void actor_cache_free(struct actor_cache *cache)
{
    if (!cache)
        return;
    for (size_t i = 0; i < cache->capacity; i++)
        actor_unref(cache->entries[i].actor);
    free(cache->entries);
    free(cache);
}

static struct entry *slot(struct actor_cache *cache, const char *hash_hex)
{
    char head[9] = {0};
    memcpy(head, hash_hex, 8);
    return &cache->entries[strtoul(head, NULL, 16) & (cache->capacity - 1)];
}

enum actor_known actor_cache_find(struct actor_cache *cache, const char *hash_hex, int64_t now_ms, struct actor **ret)
{
    struct entry *entry = slot(cache, hash_hex);
    if (now_ms - entry->checked_ms >= cache->ttl_ms || strcmp(entry->hash, hash_hex) != 0)
        return ACTOR_UNKNOWN;
    if (!entry->actor)
        return ACTOR_BAD;
    actor_ref(entry->actor);
    *ret = entry->actor;
    return ACTOR_GOOD;
}

void actor_cache_store(struct actor_cache *cache, const char *hash_hex, int64_t now_ms, struct actor *actor)
{
    struct entry *entry = slot(cache, hash_hex);
    if (actor)
        actor_ref(actor);
    if (actor && entry->actor &&
        strcmp(entry->hash, hash_hex) == 0) /* looked up anew, perhaps by many at once: the use was noted already */
        actor->used_noted_ms = entry->actor->used_noted_ms;
    actor_unref(entry->actor);
    memcpy(entry->hash, hash_hex, KEY_HASH_HEX_SIZE);
    entry->checked_ms = now_ms;
    entry->actor = actor;
}
